/* How the detector is: from hit masks that exist anyway, and now and then from the pixels without a hit. */
#include "hexitec/internal.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>

enum {
  QUIET_EVERY = 64,        /* looks */
  QUIET_WINDOW = 512,      /* looks at quiet pixels, then they are halved */
  REFERENCE = 64,          /* values whose mean is where a pixel began */
  LEVELS = 64, LEVELS_MIN = 16
};

struct quiet {
  double sum_ADU;
  uint32_t n;
  float reference_ADU;     /* NaN until there is one */
};

struct ct_health {
  uint32_t rows, cols, pixels;
  uint64_t seen, looks, quiet_looks;
  uint64_t hits;
  uint32_t *count;         /* hits of a pixel */
  uint8_t *off;
  uint32_t *row_live, *row_hits;
  uint64_t row_floods, common_jumps;
  uint32_t flooded_row;
  struct quiet *quiet;
  double level_ADU[LEVELS];   /* of the sensor in the last looks, circular */
  uint64_t n_levels;
  double common_ADU;
  double *scratch;
};

/* ---- set-up ---------------------------------------------------------------------------------------------------- */
int ct_health_new(struct ct_health **out, uint32_t rows, uint32_t cols, struct ct_err *err)
{
  struct ct_health *h = calloc(1, sizeof *h);
  size_t pixels = (size_t)rows * cols;

  assert(pixels > 0 && pixels <= CT_HEXITEC_PIXELS_MAX);
  *out = NULL;
  if (!h)
    return ct_err_set(err, CT_ENOMEM, "hexitec: no memory");
  h->rows = rows;
  h->cols = cols;
  h->pixels = (uint32_t)pixels;
  h->count = calloc(pixels, sizeof *h->count);
  h->off = calloc(pixels, sizeof *h->off);
  h->row_live = calloc(rows, sizeof *h->row_live);
  h->row_hits = calloc(rows, sizeof *h->row_hits);
  h->quiet = calloc(pixels, sizeof *h->quiet);
  h->scratch = calloc(pixels > LEVELS ? pixels : LEVELS, sizeof *h->scratch);
  if (!h->count || !h->off || !h->row_live || !h->row_hits || !h->quiet || !h->scratch) {
    ct_health_free(h);
    return ct_err_set(err, CT_ENOMEM, "hexitec: no memory for the health of %u x %u pixels", (unsigned)rows,
                      (unsigned)cols);
  }
  ct_health_restart(h);
  *out = h;
  return 0;
}

void ct_health_free(struct ct_health *h)
{
  if (!h)
    return;
  free(h->count);
  free(h->off);
  free(h->row_live);
  free(h->row_hits);
  free(h->quiet);
  free(h->scratch);
  free(h);
}

void ct_health_restart(struct ct_health *h)
{
  h->seen = h->looks = h->quiet_looks = h->hits = 0;
  h->row_floods = h->common_jumps = h->n_levels = 0;
  h->common_ADU = (double)NAN;
  for (uint32_t p = 0; p < h->pixels; p++) {
    h->count[p] = 0;
    h->quiet[p] = (struct quiet){ .reference_ADU = NAN };
  }
}

/* ---- medians --------------------------------------------------------------------------------------------------- */
static int by_value(const void *a, const void *b)
{
  double x = *(const double *)a, y = *(const double *)b;
  return (x > y) - (x < y);
}

static double median(double *values, size_t n)
{
  if (n == 0)
    return (double)NAN;
  qsort(values, n, sizeof *values, by_value);
  return values[n / 2];
}

/* ---- quiet pixels ---------------------------------------------------------------------------------------------- */
/* An outlier among the last levels? Then it is counted and stays out of them. */
static void judge_level(struct ct_health *h, double level_ADU)
{
  size_t n = h->n_levels < LEVELS ? (size_t)h->n_levels : LEVELS;

  h->common_ADU = level_ADU;
  if (n >= LEVELS_MIN) {
    memcpy(h->scratch, h->level_ADU, n * sizeof *h->scratch);
    double middle = median(h->scratch, n);
    for (size_t i = 0; i < n; i++)
      h->scratch[i] = fabs(h->level_ADU[i] - middle);
    double sigma = 1.4826 * median(h->scratch, n);
    if (fabs(level_ADU - middle) > fmax(6 * sigma, 2)) {
      h->common_jumps++;
      /* One in two is let in, so that a level that stays is the new normal in the end. */
      if (h->common_jumps % 2)
        return;
    }
  }
  h->level_ADU[h->n_levels++ % LEVELS] = level_ADU;
}

static void add_quiet(struct ct_health *h, uint32_t pixel, double value_ADU)
{
  struct quiet *q = &h->quiet[pixel];

  if (q->n >= QUIET_WINDOW) {
    q->n /= 2;
    q->sum_ADU /= 2;
  }
  q->sum_ADU += value_ADU;
  q->n++;
  if (isnan(q->reference_ADU) && q->n >= REFERENCE)
    q->reference_ADU = (float)(q->sum_ADU / q->n);
}

static void look_at_quiet(struct ct_health *h, const struct ct_hexitec *hexitec, const struct ct_frame *frame,
                          uint32_t index, const uint64_t *hits)
{
  const unsigned char *pixels = ct_hexitec_pixels(hexitec, frame, index);
  double above_ADU = 0;
  uint32_t known = 0;

  for (uint32_t p = 0; p < h->pixels; p++) {
    if (h->off[p] || hits[p / 64] >> p % 64 & 1)
      continue;
    uint32_t raw = ct_hexitec_raw(hexitec, p);
    double value_ADU = (double)ct_load_u16(pixels, raw, frame->big_endian) - hexitec->pixel[p].dark_ADU;
    if (h->quiet[p].n > 0) {
      above_ADU += value_ADU - h->quiet[p].sum_ADU / h->quiet[p].n;
      known++;
    }
    add_quiet(h, p, value_ADU);
  }
  if (known > 0)
    judge_level(h, above_ADU / known);
}

/* ---- looks ----------------------------------------------------------------------------------------------------- */
static void halve(struct ct_health *h)
{
  h->looks /= 2;
  h->hits = 0;
  for (uint32_t p = 0; p < h->pixels; p++)
    h->hits += h->count[p] /= 2;
}

/* Which pixels are off is looked up anew with each look at quiet ones: a new dark or a mask may change it. */
static void look_at_map(struct ct_health *h, const struct ct_hexitec *hexitec)
{
  memset(h->row_live, 0, h->rows * sizeof *h->row_live);
  for (uint32_t p = 0; p < h->pixels; p++) {
    uint32_t raw = ct_hexitec_raw(hexitec, p);
    h->off[p] = !(hexitec->live[raw / 64] >> raw % 64 & 1);
    h->row_live[p / h->cols] += !h->off[p];
  }
}

static void count_floods(struct ct_health *h)
{
  const uint32_t at_least = 4;   /* pixels: fewer are no row */

  for (uint32_t row = 0; row < h->rows; row++) {
    if (h->row_hits[row] >= at_least && 2 * h->row_hits[row] >= h->row_live[row]) {
      h->row_floods++;
      h->flooded_row = row;
    }
  }
}

void ct_health_add(struct ct_health *h, const struct ct_hexitec *hexitec, const struct ct_frame *frame, uint32_t index)
{
  const uint64_t *hits = hexitec->hits[index - hexitec->block_first];

  assert(h->rows == hexitec->rows && h->cols == hexitec->cols && index - hexitec->block_first < hexitec->block_count);
  if (h->seen++ % CT_HEALTH_EVERY != 0)
    return;
  bool quiet = h->quiet_looks++ % QUIET_EVERY == 0;
  if (quiet)
    look_at_map(h, hexitec);
  if (h->looks >= CT_HEALTH_WINDOW)
    halve(h);
  memset(h->row_hits, 0, h->rows * sizeof *h->row_hits);
  for (uint32_t w = 0; w < hexitec->words; w++) {
    for (uint64_t m = hits[w]; m; m &= m - 1) {
      uint32_t p = w * 64 + (uint32_t)__builtin_ctzll(m);
      h->count[p]++;
      h->row_hits[p / h->cols]++;
      h->hits++;
    }
  }
  h->looks++;
  count_floods(h);
  if (quiet && frame->type == CT_U16)
    look_at_quiet(h, hexitec, frame, index, hits);
}

/* ---- the verdict ----------------------------------------------------------------------------------------------- */
/* The median count of the live pixels around one, itself left out; NaN where there are none. */
static double median_around(const struct ct_health *h, uint32_t pixel)
{
  double values[24];
  size_t n = 0;
  uint32_t row = pixel / h->cols, col = pixel % h->cols;

  for (uint32_t r = row < 2 ? 0 : row - 2; r <= row + 2 && r < h->rows; r++) {
    for (uint32_t c = col < 2 ? 0 : col - 2; c <= col + 2 && c < h->cols; c++) {
      uint32_t p = r * h->cols + c;
      if (p == pixel || h->off[p])
        continue;
      size_t at = n++;
      for (; at > 0 && values[at - 1] > h->count[p]; at--)
        values[at] = values[at - 1];
      values[at] = h->count[p];
    }
  }
  return n > 0 ? values[n / 2] : (double)NAN;
}

static enum ct_pixel_state judge_pixel(const struct ct_health *h, uint32_t pixel)
{
  if (h->off[pixel])
    return CT_PIXEL_OFF;
  double around = median_around(h, pixel), count = h->count[pixel];
  if (count > 5 * around + 6 * sqrt(around) + 6)
    return CT_PIXEL_HOT;
  return around >= 40 && count < around / 10 ? CT_PIXEL_DEAD : CT_PIXEL_FINE;
}

static void judge_drift(struct ct_health *h, struct ct_health_report *report)
{
  size_t n = 0;

  for (uint32_t p = 0; p < h->pixels; p++) {
    const struct quiet *q = &h->quiet[p];
    if (h->off[p] || isnan(q->reference_ADU))
      continue;
    double drift_ADU = q->sum_ADU / q->n - (double)q->reference_ADU;
    h->scratch[n++] = drift_ADU;
    if (!(fabs(drift_ADU) <= fabs(report->drift_max_ADU))) {
      report->drift_max_ADU = drift_ADU;
      report->drift_pixel = p;
    }
  }
  report->drift_median_ADU = median(h->scratch, n);
}

void ct_health_judge(struct ct_health *h, uint8_t *state, struct ct_health_report *report)
{
  size_t live = 0;

  *report = (struct ct_health_report){
    .looks = h->looks, .hits_per_frame = h->looks > 0 ? (double)h->hits / (double)h->looks : (double)NAN,
    .row_floods = h->row_floods, .flooded_row = h->flooded_row, .common_ADU = h->common_ADU,
    .common_jumps = h->common_jumps, .drift_max_ADU = (double)NAN,
  };
  for (uint32_t p = 0; p < h->pixels; p++) {
    enum ct_pixel_state verdict = judge_pixel(h, p);
    report->hot += verdict == CT_PIXEL_HOT;
    report->dead += verdict == CT_PIXEL_DEAD;
    report->off += verdict == CT_PIXEL_OFF;
    if (verdict != CT_PIXEL_OFF && h->looks > 0)
      h->scratch[live++] = (double)h->count[p] / (double)h->looks;
    if (state)
      state[p] = (uint8_t)verdict;
  }
  report->rate_median = median(h->scratch, live);
  judge_drift(h, report);
}
