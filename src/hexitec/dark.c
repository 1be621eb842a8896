/* Dark frames: a new offset map while the run goes on. */
#include "hexitec/internal.h"

void ct_hexitec_dark_add(struct ct_hexitec *h, const struct ct_frame *frame, uint32_t index)
{
  if (frame->type != CT_U16)
    return;
  const unsigned char *pixels = ct_hexitec_pixels(h, frame, index);
  for (uint32_t p = 0; p < h->pixels; p++)
    h->dark_sum[p] += ct_load_u16(pixels, ct_hexitec_raw(h, p), frame->big_endian);
  h->dark_frames++;
}

uint64_t ct_hexitec_dark_apply(struct ct_hexitec *h)
{
  uint64_t frames = h->dark_frames;

  if (frames == 0)
    return 0;
  for (uint32_t p = 0; p < h->pixels; p++) {
    h->pixel[p].dark_ADU = (uint16_t)((2 * h->dark_sum[p] + frames) / (2 * frames));
    h->dark_sum[p] = 0;
  }
  h->dark_frames = 0;
  ct_hexitec_fold(h);
  return frames;
}

void ct_hexitec_dark_copy(struct ct_hexitec *to, const struct ct_hexitec *from)
{
  for (uint32_t p = 0; p < to->pixels; p++)
    to->pixel[p].dark_ADU = from->pixel[p].dark_ADU;
  ct_hexitec_fold(to);
}
