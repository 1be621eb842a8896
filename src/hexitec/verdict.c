/* What the counts of a detector's health say: which pixels are hot or dead, how far the darks have drifted. */
#include "hexitec/health.h"

#include <math.h>
#include <stdlib.h>

static double median(double *values, size_t n)
{
  if (n == 0)
    return (double)NAN;
  qsort(values, n, sizeof *values, ct_by_double);
  return values[n / 2];
}

/* ---- pixels ------------------------------------------------------------------------------------------------------ */
/* The lower and the upper quartile of the counts of the live pixels around one, itself left out. False: none is live. */
static bool quartiles_around(const struct ct_health *h, uint32_t pixel, double *lower, double *upper)
{
  uint32_t values[24], n = 0, row = pixel / h->cols, col = pixel % h->cols;

  for (uint32_t r = row < 2 ? 0 : row - 2; r <= row + 2 && r < h->rows; r++) {
    for (uint32_t c = col < 2 ? 0 : col - 2; c <= col + 2 && c < h->cols; c++) {
      uint32_t p = r * h->cols + c;
      if (p == pixel || h->off[p])
        continue;
      uint32_t at = n++;
      for (; at > 0 && values[at - 1] > h->count[p]; at--)
        values[at] = values[at - 1];
      values[at] = h->count[p];
    }
  }
  if (n == 0)
    return false;
  *lower = values[n / 4];
  *upper = values[n - 1 - n / 4];
  return true;
}

/* What was found stays so until it is well clear of the limit. */
static enum ct_pixel_state judge_pixel(const struct ct_health *h, uint32_t pixel, enum ct_pixel_state before)
{
  double lower, upper, count = h->count[pixel];

  if (h->off[pixel])
    return CT_PIXEL_OFF;
  if (!quartiles_around(h, pixel, &lower, &upper))
    return CT_PIXEL_FINE;
  double hot = CT_HEALTH_HOT * upper + 6 * sqrt(upper) + 6, dead = lower / CT_HEALTH_DEAD;
  if (count > (before == CT_PIXEL_HOT ? hot / 2 : hot))
    return CT_PIXEL_HOT;
  if (before == CT_PIXEL_DEAD ? count < 2 * dead + 1 : lower >= CT_HEALTH_DEAD_LEAST && count < dead)
    return CT_PIXEL_DEAD;
  return CT_PIXEL_FINE;
}

static void judge_pixels(struct ct_health *h, uint8_t *state, struct ct_health_report *report)
{
  size_t live = 0;

  for (uint32_t p = 0; p < h->pixels; p++) {
    enum ct_pixel_state verdict = judge_pixel(h, p, (enum ct_pixel_state)state[p]);
    report->hot += verdict == CT_PIXEL_HOT;
    report->dead += verdict == CT_PIXEL_DEAD;
    report->off += verdict == CT_PIXEL_OFF;
    if (verdict != CT_PIXEL_OFF && h->looks > 0)
      h->scratch[live++] = (double)h->count[p] / (double)h->looks;
    state[p] = (uint8_t)verdict;
  }
  report->rate_median = median(h->scratch, live);
}

/* ---- darks ------------------------------------------------------------------------------------------------------- */
static void judge_drift(struct ct_health *h, struct ct_health_report *report)
{
  const uint32_t least = CT_HEALTH_QUIET / 4;
  size_t n = 0;

  for (uint32_t p = 0; p < h->pixels && h->quiet_looks > CT_HEALTH_FIRST; p++) {
    const struct ct_quiet *q = &h->quiet[h->raw[p]];
    if (h->off[p] || q->n_first < least || q->n < least)
      continue;
    double drift_ADU = (double)q->sum_ADU / q->n - (double)q->first_ADU / q->n_first;
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
  double frames = (double)h->window_frames, mean = (double)h->hits / frames;

  *report = (struct ct_health_report){
    .looks = h->looks, .frames = h->window_frames, .hits_per_frame = mean,
    .hits_spread = sqrt(fmax((double)h->hits_square / frames - mean * mean, 0)),
    .row_floods = h->row_floods, .flooded_row = h->flooded_row, .flooded_frame = h->flooded_frame,
    .level_ADU = h->level.last_ADU, .jumps = h->level.jumps, .jump_frame = h->level.jump_frame,
    .jump_ADU = h->level.jumps > 0 ? h->level.jump_ADU : (double)NAN,
    .drift_max_ADU = (double)NAN,
  };
  if (h->window_frames == 0)
    report->hits_per_frame = report->hits_spread = (double)NAN;
  judge_pixels(h, state, report);
  judge_drift(h, report);
}

uint32_t ct_health_count(const struct ct_health *h, uint32_t pixel)
{
  return h->count[pixel];
}
