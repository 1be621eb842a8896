/* Counts -> -ln(transmission). */
#include <comptop/tomo.h>

#include <assert.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "tomo/internal.h"

#define LEAST_TRANSMISSION 1e-4f
/* No sample makes the beam so bright, and no beam rises so far between flats. */
#define SATURATED_TRANSMISSION 1.1f

enum { STRIP = 512 };   /* columns binned at a time, a multiple of no bin in particular */

/* What was summed with a saturated pixel is no mean. */
static void mark_full(float *means, uint32_t n, const unsigned char *pixels, size_t stride, uint32_t bin, uint16_t saturated)
{
  for (uint32_t i = 0; i < n * bin; i++) {
    for (uint32_t row = 0; row < bin; row++) {
      uint16_t pixel;
      memcpy(&pixel, pixels + 2 * (row * stride + i), sizeof pixel);
      if (pixel >= saturated) means[i / bin] = NAN;
    }
  }
}

void ct_tomo_bin(float *image, const void *pixels, uint32_t frame_cols, const struct ct_box *box, uint32_t bin,
                 uint16_t saturated)
{
  const struct ct_tomo_ops *ops = ct_tomo_ops_get(0);
  uint32_t rows = (box->y1 - box->y0) / bin, cols = (box->x1 - box->x0) / bin, step = STRIP / bin;
  float share = 1 / (float)(bin * bin);

  assert(bin >= 1 && bin <= 64 && box->x1 <= frame_cols);
  for (uint32_t row = 0; row < rows; row++) {
    for (uint32_t from = 0; from < cols; from += step) {
      uint32_t sum[STRIP], n = cols - from < step ? cols - from : step;
      size_t first = (size_t)(box->y0 + row * bin) * frame_cols + box->x0 + from * bin;
      const unsigned char *at = (const unsigned char *)pixels + 2 * first;
      float *means = image + (size_t)row * cols + from;
      bool full = ops->sum(sum, at, frame_cols, bin, saturated, n * bin);
      for (uint32_t i = 0; i < n; i++) {
        uint32_t total = 0;
        for (uint32_t k = i * bin; k < (i + 1) * bin; k++) total += sum[k];
        means[i] = (float)total * share;
      }
      if (full && saturated) mark_full(means, n, at, frame_cols, bin, saturated);
    }
  }
}

struct ct_field {
  const struct ct_tomo_ops *ops;
  uint32_t rows, cols;
  double *dark_sum, *flat_sum;
  uint32_t darks, flats;          /* in the sums */
  double level;                   /* above the dark, in place of a flat; 0: unknown */
  bool dark_ended, flat_ended;    /* the next one begins another set */
  float *dark, *inverse;          /* 1 / (flat - dark), 0 where that is no use */
};

int ct_field_open(struct ct_field **out, uint32_t rows, uint32_t cols, struct ct_err *err)
{
  size_t n = (size_t)rows * cols;
  struct ct_field *f = calloc(1, sizeof *f);

  *out = NULL;
  if (!f) return ct_err_set(err, CT_ENOMEM, "no memory for darks and flats");
  *f = (struct ct_field){ .ops = ct_tomo_ops_get(0), .rows = rows, .cols = cols };
  f->dark_sum = calloc(n, sizeof *f->dark_sum);
  f->flat_sum = calloc(n, sizeof *f->flat_sum);
  f->dark = calloc(n, sizeof *f->dark);
  f->inverse = calloc(n, sizeof *f->inverse);
  if (!f->dark_sum || !f->flat_sum || !f->dark || !f->inverse) {
    ct_field_close(f);
    return ct_err_set(err, CT_ENOMEM, "no memory for darks and flats of %u x %u pixels", rows, cols);
  }
  *out = f;
  return 0;
}

void ct_field_close(struct ct_field *f)
{
  if (!f) return;
  free(f->dark_sum);
  free(f->flat_sum);
  free(f->dark);
  free(f->inverse);
  free(f);
}

static void update(struct ct_field *f)
{
  for (size_t i = 0; i < (size_t)f->rows * f->cols; i++) {
    double dark = f->darks ? f->dark_sum[i] / f->darks : 0;
    double beam = f->flats ? f->flat_sum[i] / f->flats - (isfinite(dark) ? dark : 0) : f->level;
    f->dark[i] = isfinite(dark) ? (float)dark : 0;
    f->inverse[i] = isfinite(beam) && beam > 0 ? (float)(1 / beam) : 0;
  }
}

static void collect(struct ct_field *f, double *sum, uint32_t *n, bool *ended, const float *image)
{
  size_t pixels = (size_t)f->rows * f->cols;
  if (*ended) {
    memset(sum, 0, pixels * sizeof *sum);
    *n = 0;
    *ended = false;
  }
  for (size_t i = 0; i < pixels; i++) sum[i] += (double)image[i];
  ++*n;
  update(f);
}

void ct_field_dark(struct ct_field *f, const float *image)
{
  collect(f, f->dark_sum, &f->darks, &f->dark_ended, image);
}

void ct_field_flat(struct ct_field *f, const float *image)
{
  collect(f, f->flat_sum, &f->flats, &f->flat_ended, image);
}

bool ct_field_is_lit(const struct ct_field *f, const float *image)
{
  double sum = 0, sizes = 0;

  for (size_t i = 0; i < (size_t)f->rows * f->cols; i++) {
    double beam = (double)image[i] - (double)f->dark[i];
    if (!isfinite(beam)) continue;
    sum += beam;
    sizes += fabs(beam);
  }
  return sum > sizes / 2;
}

void ct_field_end_sets(struct ct_field *f)
{
  f->dark_ended = f->darks > 0;
  f->flat_ended = f->flats > 0;
}

/* The mean of the brightest twentieth; 0 where there is none. */
static int find_level(struct ct_field *f, const float *image)
{
  size_t pixels = (size_t)f->rows * f->cols, part = pixels / 20 + 1, n = 0;
  float *bright = malloc(pixels * sizeof *bright);
  double sum = 0;

  if (!bright) return CT_ENOMEM;
  for (size_t i = 0; i < pixels; i++)
    if (isfinite(image[i])) bright[n++] = image[i] - f->dark[i];
  qsort(bright, n, sizeof *bright, ct_by_float);
  for (size_t i = n < part ? 0 : n - part; i < n; i++) sum += (double)bright[i];
  free(bright);
  if (n < part || !(sum > 0)) return CT_ENODATA;
  f->level = sum / (double)part;
  return 0;
}

int ct_field_guess(struct ct_field *f, const float *image)
{
  if (f->flats) return CT_ENODATA;
  f->level = 0;
  int rc = image ? find_level(f, image) : 0;
  update(f);
  return rc;
}

uint32_t ct_field_mark(const struct ct_field *f, float *row, float most)
{
  uint32_t n = 0;
  for (uint32_t i = 0; i < f->cols; i++) {
    if (!(row[i] >= most && (row[i] - f->dark[i]) * f->inverse[i] > SATURATED_TRANSMISSION)) continue;
    row[i] = NAN;
    n++;
  }
  return n;
}

struct ct_field_state ct_field_state(const struct ct_field *f)
{
  return (struct ct_field_state){ .darks = f->darks, .flats = f->flats, .ready = f->flats > 0 || f->level > 0 };
}

/* Values below 0 mark what has to be drawn. Good ones are transmissions; how many are not. */
static uint32_t transmit(float *out, const float *image, const float *dark, const float *inverse, uint32_t cols)
{
  uint32_t bad = 0;
  for (uint32_t i = 0; i < cols; i++) {
    float t = (image[i] - dark[i]) * inverse[i];
    bool good = (inverse[i] > 0) & (fabsf(t) < INFINITY);
    t = t < LEAST_TRANSMISSION ? LEAST_TRANSMISSION : t;
    out[i] = good ? t : -1;
    bad += !good;
  }
  return bad;
}

/* Draws lines over what is marked in <mark>: from the last good value to the next one. */
static void draw(float *values, const bool *mark, uint32_t cols)
{
  for (uint32_t i = 0; i < cols; i++) {
    if (!mark[i]) continue;
    uint32_t end = i;
    while (end < cols && mark[end]) end++;
    float before = i > 0 ? values[i - 1] : end < cols ? values[end] : 0;
    float after = end < cols ? values[end] : before;
    for (uint32_t k = i; k < end; k++)
      values[k] = before + (after - before) * (float)(k - i + 1) / (float)(end - i + 1);
    i = end;
  }
}

int64_t ct_field_log(const struct ct_field *f, float *out, const float *image, uint32_t row, uint32_t rows)
{
  enum { COLS_MAX = 32768 };
  int64_t drawn = 0;

  assert(row + rows <= f->rows && f->cols <= COLS_MAX);
  if (!ct_field_state(f).ready) return CT_ENODATA;
  for (uint32_t r = 0; r < rows; r++, out += f->cols, image += f->cols) {
    size_t at = (size_t)(row + r) * f->cols;
    uint32_t bad = transmit(out, image, f->dark + at, f->inverse + at, f->cols);
    if (!bad) {
      f->ops->log(out, out, f->cols);
      continue;
    }
    bool mark[COLS_MAX];
    for (uint32_t i = 0; i < f->cols; i++) {
      mark[i] = out[i] < 0;
      if (mark[i]) out[i] = 1;
    }
    f->ops->log(out, out, f->cols);
    draw(out, mark, f->cols);
    drawn += bad;
  }
  return drawn;
}
