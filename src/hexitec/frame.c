/* One frame: find the hits, correct them, join them, give out events. */
#include "hexitec/internal.h"

#include <assert.h>

/* ---- byte order ------------------------------------------------------------------------------------------------ */
static void swap_u16(unsigned char *to, const unsigned char *from, uint32_t n)
{
  for (uint32_t i = 0; i < n; i++, to += 2, from += 2) {
    to[0] = from[1];
    to[1] = from[0];
  }
}

static void swap_u32(unsigned char *to, const unsigned char *from, uint32_t n)
{
  for (uint32_t i = 0; i < n; i++, to += 4, from += 4) {
    to[0] = from[3];
    to[1] = from[2];
    to[2] = from[1];
    to[3] = from[0];
  }
}

const unsigned char *ct_hexitec_pixels(struct ct_hexitec *h, const struct ct_frame *frame, uint32_t index)
{
  assert(ct_hexitec_takes(frame->type));
  assert(frame->rows == h->rows && frame->cols == h->cols && index < frame->count);

  size_t pixel_bytes = frame->type == CT_U16 ? 2 : 4;
  const unsigned char *pixels = frame->pixels + (size_t)index * h->pixels * pixel_bytes;
  if (!frame->big_endian)
    return pixels;
  if (frame->type == CT_U16)
    swap_u16(h->host, pixels, h->pixels);
  else
    swap_u32(h->host, pixels, h->pixels);
  return h->host;
}

/* ---- hits ------------------------------------------------------------------------------------------------------ */
static void find_u16(struct ct_hexitec *h, const unsigned char *pixels)
{
  uint64_t *mask = h->asic_order ? h->raw_hits : h->hits;
  uint32_t whole = h->pixels / 64;

  h->mask->u16(mask, pixels, h->limit_ADU, whole);
  if (whole < h->words) {   /* the frame ends inside the last word: never read beyond it */
    unsigned char rest[64 * 2] = { 0 };
    memcpy(rest, pixels + (size_t)whole * 128, (size_t)(h->pixels % 64) * 2);
    h->mask->u16(mask + whole, rest, h->limit_ADU + (size_t)whole * 64, 1);
  }
  for (uint32_t w = 0; w < h->words; w++)
    mask[w] &= h->live[w];
  if (!h->asic_order)
    return;

  memset(h->hits, 0, h->words * sizeof *h->hits);
  for (uint32_t w = 0; w < h->words; w++) {
    for (uint64_t m = mask[w]; m; m &= m - 1) {
      uint32_t raw = w * 64 + (uint32_t)__builtin_ctzll(m), k = raw % CT_HEXITEC_BLOCK_COLS;
      uint32_t p = raw - k + k % 4 * 20 + k / 4;
      h->hits[p / 64] |= UINT64_C(1) << p % 64;
    }
  }
}

static void find_f32(struct ct_hexitec *h, const unsigned char *pixels)
{
  uint32_t whole = h->pixels / 64, rest_pixels = h->pixels % 64;

  h->mask->f32(h->hits, pixels, h->threshold_keV, whole);
  if (rest_pixels) {
    unsigned char rest[64 * 4] = { 0 };
    memcpy(rest, pixels + (size_t)whole * 256, (size_t)rest_pixels * 4);
    h->mask->f32(h->hits + whole, rest, h->threshold_keV, 1);
  }
  for (uint32_t w = 0; w < h->words; w++)
    h->hits[w] &= h->alive[w];
}

/* Returns the number of hits removed. */
static uint64_t correct_next_frame(struct ct_hexitec *h, uint64_t number)
{
  uint64_t removed = 0;

  if (h->has_last && number - h->last_number == 1) {
    for (uint32_t w = 0; w < h->words; w++) {
      removed += (uint64_t)__builtin_popcountll(h->hits[w] & h->last_hits[w]);
      h->hits[w] &= ~h->last_hits[w];
    }
  }
  memcpy(h->last_hits, h->hits, h->words * sizeof *h->hits);
  h->last_number = number;
  h->has_last = true;
  return removed;
}

static uint32_t list_hits(struct ct_hexitec *h)
{
  uint32_t n = 0;

  for (uint32_t w = 0; w < h->words; w++)
    for (uint64_t m = h->hits[w]; m; m &= m - 1)
      h->list[n++] = w * 64 + (uint32_t)__builtin_ctzll(m);
  return n;
}

/* ---- events ---------------------------------------------------------------------------------------------------- */
struct source {
  struct ct_hexitec *h;
  const unsigned char *pixels;
  enum ct_type type;
};

static struct ct_event event_of(const struct source *s, uint32_t pixel)
{
  if (s->type == CT_F32)
    return (struct ct_event){ pixel, ct_load_f32(s->pixels, pixel) };
  const struct ct_pixel *p = &s->h->pixel[pixel];
  int adu = ct_load_u16(s->pixels, ct_hexitec_raw(s->h, pixel)) - p->dark_ADU;
  float scaled_keV = (float)adu * p->gradient_keV;
  return (struct ct_event){ pixel, scaled_keV + p->intercept_keV };
}

static struct ct_event double_of(const struct source *s, uint32_t first, uint32_t second)
{
  struct ct_event a = event_of(s, first), b = event_of(s, second);
  float sum_keV = a.energy_keV + b.energy_keV;

  return (struct ct_event){ b.energy_keV > a.energy_keV ? second : first, sum_keV };
}

static uint32_t share_none(const struct source *s, uint32_t n, struct ct_event *events, struct ct_hexitec_tally *tally)
{
  tally->single += n;
  for (uint32_t i = 0; i < n; i++)
    events[i] = event_of(s, s->h->list[i]);
  return n;
}

static uint32_t share_paper(const struct source *s, uint32_t n, struct ct_event *events, struct ct_hexitec_tally *tally)
{
  const struct ct_clusters *clusters = &s->h->clusters;
  const uint32_t *list = s->h->list;
  uint32_t made = 0;

  for (uint32_t i = 0; i < n; i++) {
    if (clusters->parent[i] != i)
      continue;
    if (clusters->size[i] == 1) {
      tally->single++;
      events[made++] = event_of(s, list[i]);
    } else if (clusters->size[i] == 2) {
      tally->dbl++;
      events[made++] = double_of(s, list[i], list[clusters->mate[i]]);
    } else {
      tally->multiple++;
    }
  }
  return made;
}

static uint32_t share_odin(const struct source *s, uint32_t n, struct ct_event *events, struct ct_hexitec_tally *tally)
{
  struct ct_hexitec *h = s->h;

  for (uint32_t i = 0; i < n; i++) {
    struct ct_event hit = event_of(s, h->list[i]);
    bool positive = hit.energy_keV > 0;

    h->place[i] = h->pixel[hit.pixel].place;
    h->image.cells[h->place[i]] = (ct_cell){ positive ? hit.energy_keV : 0, positive };
  }
  if (h->sharing == CT_SHARING_ODIN_CSA3 || h->sharing == CT_SHARING_ODIN_CSA5)
    ct_image_add(&h->image, h->place, n);
  else
    ct_image_discard(&h->image, h->place, n, tally);
  return ct_image_take(&h->image, h->list, h->place, n, events, tally);
}

static uint32_t share(const struct source *s, uint32_t n, struct ct_event *events, struct ct_hexitec_tally *tally)
{
  if (s->h->sharing == CT_SHARING_NONE)
    return share_none(s, n, events, tally);
  if (s->h->sharing != CT_SHARING_PAPER)
    return share_odin(s, n, events, tally);
  ct_clusters_join(&s->h->clusters, s->h->list, n, s->h->cols);
  return share_paper(s, n, events, tally);
}

uint32_t ct_hexitec_frame(struct ct_hexitec *h, const struct ct_frame *frame, uint32_t index, struct ct_event *events,
                          struct ct_hexitec_tally *tally)
{
  struct source source = { h, ct_hexitec_pixels(h, frame, index), frame->type };

  tally->frames++;
  if (frame->type == CT_U16)
    find_u16(h, source.pixels);
  else
    find_f32(h, source.pixels);
  if (h->next_frame)
    tally->next_frame += correct_next_frame(h, frame->number + index);
  uint32_t n = list_hits(h);
  tally->hits += n;
  n = share(&source, n, events, tally);
  return frame->type == CT_F32 || h->calibrated ? n : 0;
}
