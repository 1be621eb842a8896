#include "twin.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

struct image {
  long rows, cols;
  bool *hit;
  float *energy_keV;
};

struct twin *twin_new(const struct ct_hexitec_setup *setup)
{
  struct twin *twin = ct_xcalloc(1, sizeof *twin);
  twin->setup = *setup;
  twin->last = ct_xcalloc((size_t)setup->rows * setup->cols, sizeof(bool));
  return twin;
}

void twin_free(struct twin *twin)
{
  free(twin->last);
  free(twin);
}

/* Where value <i> of a frame in ASIC order belongs: a row of a module is read as four blocks of 20 columns at once. */
static size_t asic_place(size_t i)
{
  size_t block = i % 4, col = i / 4 % 20, module_row = i / 80;
  return module_row * 80 + block * 20 + col;
}

static uint64_t read_bits(const struct ct_frame *frame, uint32_t index, size_t i, size_t bytes)
{
  const unsigned char *at = frame->pixels + ((size_t)index * frame->rows * frame->cols + i) * bytes;
  uint64_t v = 0;
  for (size_t b = 0; b < bytes; b++)
    v |= (uint64_t)at[b] << 8 * (frame->big_endian ? bytes - 1 - b : b);
  return v;
}

/* Upstream marks what is no hit by 0. */
static bool is_odin(const struct twin *twin)
{
  return twin->setup.sharing >= CT_SHARING_ODIN_CSA3;
}

static void read_u16(const struct twin *twin, const struct ct_frame *frame, uint32_t index, struct image *image,
                     struct ct_hexitec_tally *tally)
{
  const struct ct_hexitec_setup *setup = &twin->setup;

  for (size_t i = 0; i < (size_t)image->rows * (size_t)image->cols; i++) {
    size_t p = setup->asic_order ? asic_place(i) : i;
    long adu = (long)read_bits(frame, index, i, 2) - (setup->dark_ADU ? setup->dark_ADU[p] : 0);
    bool dead = setup->gradient_keV && (float)setup->gradient_keV[p] == 0;

    image->hit[p] = !dead && adu >= (setup->threshold_ADU ? setup->threshold_ADU[p] : 0) && (adu > 0 || !is_odin(twin));
    tally->saturated += image->hit[p] && read_bits(frame, index, i, 2) == 65535;
    image->energy_keV[p] = (float)adu;
    if (!setup->gradient_keV)
      continue;
    volatile float product = (float)adu * (float)setup->gradient_keV[p];
    image->energy_keV[p] = product + (float)setup->intercept_keV[p];
  }
}

static void read_f32(const struct twin *twin, const struct ct_frame *frame, uint32_t index, struct image *image,
                     struct ct_hexitec_tally *tally)
{
  for (size_t p = 0; p < (size_t)image->rows * (size_t)image->cols; p++) {
    uint32_t bits = (uint32_t)read_bits(frame, index, p, 4);
    memcpy(&image->energy_keV[p], &bits, 4);
    bool dead = twin->setup.gradient_keV && (float)twin->setup.gradient_keV[p] == 0;
    tally->no_energy += !dead && (!isfinite(image->energy_keV[p]) || image->energy_keV[p] < 0);
    image->hit[p] = !dead && isfinite(image->energy_keV[p]) && (double)image->energy_keV[p] > twin->setup.threshold_keV &&
                    (image->energy_keV[p] > 0 || !is_odin(twin));
  }
}

/* Clears the cluster at (row, col) from the image and notes its members. */
static size_t flood(struct image *image, long row, long col, size_t *member)
{
  size_t n = 0;

  member[n++] = (size_t)(row * image->cols + col);
  image->hit[member[0]] = false;
  for (size_t done = 0; done < n; done++) {
    long r0 = (long)member[done] / image->cols, c0 = (long)member[done] % image->cols;
    for (long r = r0 - 1; r <= r0 + 1; r++) {
      for (long c = c0 - 1; c <= c0 + 1; c++) {
        if (r < 0 || c < 0 || r >= image->rows || c >= image->cols || !image->hit[r * image->cols + c])
          continue;
        image->hit[r * image->cols + c] = false;
        member[n++] = (size_t)(r * image->cols + c);
      }
    }
  }
  return n;
}

/* ---- the open detector software's rules: whole windows, every pixel of them ------------------------------------- */
struct padded {
  long reach, stride;
  float *energy_keV;
  uint32_t *hits;     /* that were summed into it */
};

static struct padded pad(const struct image *image, long reach)
{
  long stride = image->cols + 2 * reach;
  size_t n = (size_t)(stride * (image->rows + 2 * reach));
  struct padded padded = { reach, stride, ct_xcalloc(n, sizeof(float)), ct_xcalloc(n, sizeof(uint32_t)) };

  for (long row = 0; row < image->rows; row++) {
    for (long col = 0; col < image->cols; col++) {
      long p = row * image->cols + col, at = (row + reach) * stride + col + reach;
      if (!image->hit[p] || !(image->energy_keV[p] > 0))
        continue;
      padded.energy_keV[at] = image->energy_keV[p];
      padded.hits[at] = 1;
    }
  }
  return padded;
}

/* The window stays where the scan is, the maximum wanders. */
static void scan_addition(struct padded *image, long centre)
{
  long max = centre;

  for (long dr = -image->reach; dr <= image->reach; dr++) {
    for (long dc = -image->reach; dc <= image->reach; dc++) {
      long at = centre + dr * image->stride + dc, from, to;
      if ((dr == 0 && dc == 0) || !(image->energy_keV[at] > 0))
        continue;
      if (image->energy_keV[at] >= image->energy_keV[max])
        from = max, to = max = at;
      else
        from = at, to = max;
      image->energy_keV[to] += image->energy_keV[from];
      image->hits[to] += image->hits[from];
      image->energy_keV[from] = 0;
      image->hits[from] = 0;
    }
  }
}

static void scan_discrimination(struct padded *image, long centre, struct ct_hexitec_tally *tally)
{
  uint32_t went = 0;

  for (int pass = 0; pass < 2; pass++) {   /* look for company, then empty the window */
    for (long dr = -image->reach; dr <= image->reach; dr++) {
      for (long dc = -image->reach; dc <= image->reach; dc++) {
        long at = centre + dr * image->stride + dc;
        if (pass == 0)
          went += image->energy_keV[at] > 0;
        else if (went >= 2)
          image->energy_keV[at] = 0;
      }
    }
  }
  if (went >= 2)
    *(went == 2 ? &tally->dbl : &tally->multiple) += 1;
}

static uint32_t share_odin(const struct twin *twin, const struct image *image, struct ct_event *events,
                           struct ct_hexitec_tally *tally)
{
  enum ct_sharing rule = twin->setup.sharing;
  struct padded padded = pad(image, rule == CT_SHARING_ODIN_CSA5 || rule == CT_SHARING_ODIN_CSD5 ? 2 : 1);
  bool addition = rule == CT_SHARING_ODIN_CSA3 || rule == CT_SHARING_ODIN_CSA5;
  uint32_t made = 0;

  for (long i = 0; i < image->rows * image->cols; i++) {
    long at = (i / image->cols + padded.reach) * padded.stride + i % image->cols + padded.reach;
    if (!(padded.energy_keV[at] > 0))
      continue;
    if (addition)
      scan_addition(&padded, at);
    else
      scan_discrimination(&padded, at, tally);
  }
  for (long i = 0; i < image->rows * image->cols; i++) {
    long at = (i / image->cols + padded.reach) * padded.stride + i % image->cols + padded.reach;
    if (!(padded.energy_keV[at] > 0))
      continue;
    events[made++] = (struct ct_event){ (uint32_t)i, padded.energy_keV[at] };
    *(padded.hits[at] == 1 ? &tally->single : padded.hits[at] == 2 ? &tally->dbl : &tally->multiple) += 1;
  }
  free(padded.energy_keV);
  free(padded.hits);
  return made;
}

/* ---- the seed paper's ------------------------------------------------------------------------------------------- */
static uint32_t share(const struct twin *twin, struct image *image, bool calibrated, struct ct_event *events,
                      struct ct_hexitec_tally *tally)
{
  size_t *member = ct_xcalloc((size_t)(image->rows * image->cols), sizeof *member);
  uint32_t made = 0;

  for (long row = 0; row < image->rows; row++) {
    for (long col = 0; col < image->cols; col++) {
      size_t p = (size_t)(row * image->cols + col), n = 1;
      if (!image->hit[p])
        continue;
      if (twin->setup.sharing == CT_SHARING_PAPER)
        n = flood(image, row, col, member);
      *(n == 1 ? &tally->single : n == 2 ? &tally->dbl : &tally->multiple) += 1;
      if (n > 2 || !calibrated)
        continue;
      struct ct_event event = { (uint32_t)p, image->energy_keV[p] };
      if (n == 2) {
        /* member[0] is the earlier one: the scan came to it first. */
        float a = image->energy_keV[member[0]], b = image->energy_keV[member[1]];
        event = (struct ct_event){ (uint32_t)member[a >= b ? 0 : 1], a + b };
      }
      events[made++] = event;
    }
  }
  free(member);
  return made;
}

uint32_t twin_frame(struct twin *twin, const struct ct_frame *frame, uint32_t index, struct ct_event *events,
                    struct ct_hexitec_tally *tally)
{
  size_t pixels = (size_t)frame->rows * frame->cols;
  struct image image = { (long)frame->rows, (long)frame->cols, ct_xcalloc(pixels, sizeof(bool)),
                         ct_xcalloc(pixels, sizeof(float)) };

  if (frame->type == CT_U16)
    read_u16(twin, frame, index, &image, tally);
  else
    read_f32(twin, frame, index, &image, tally);
  tally->frames++;
  uint64_t number = frame->number + index;
  if (twin->setup.next_frame) {
    for (size_t p = 0; p < pixels; p++) {
      if (twin->has_last && number == twin->last_number + 1 && twin->last[p] && image.hit[p]) {
        image.hit[p] = false;
        tally->next_frame++;
      }
      twin->last[p] = image.hit[p];
    }
    twin->has_last = true;
    twin->last_number = number;
  }
  for (size_t p = 0; p < pixels; p++)
    tally->hits += image.hit[p];
  bool calibrated = frame->type == CT_F32 || twin->setup.gradient_keV;
  uint32_t n = is_odin(twin) ? share_odin(twin, &image, events, tally) : share(twin, &image, calibrated, events, tally);
  free(image.hit);
  free(image.energy_keV);
  return calibrated ? n : 0;
}
