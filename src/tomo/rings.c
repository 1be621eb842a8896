/* Rings: columns that answer otherwise than their neighbours, at every angle alike. */
#include <assert.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "tomo/internal.h"

/* Neighbours on either side that say what a column should be. */
enum { REACH = 4, LEAST_ROWS = 2 * CT_RING_SECTORS, LEAST_COLS = 2 * REACH + 1 };
#define SIGNIFICANT 3.0
/* Where parts of the turn scatter by this much of a ring it begins to be the sample, and by twice as much it is. */
#define UNSTEADY 0.3
/* A fault is one column wide; walls, which are seen from the side, reach into the next one by this much at least. */
#define LONELY 0.15
/* A wall's peak falls between columns here and on one there. */
#define SAMPLED 1.3

int ct_rings_init(struct ct_rings *r, uint32_t cols)
{
  *r = (struct ct_rings){ .cols = cols, .sum = calloc((size_t)CT_RING_SECTORS * cols, sizeof *r->sum),
                          .steps = calloc(cols, sizeof *r->steps), .first = calloc(cols, sizeof *r->first),
                          .second = calloc(cols, sizeof *r->second), .before = calloc(cols, sizeof *r->before),
                          .mean = calloc(cols, sizeof *r->mean), .off = calloc(cols, sizeof *r->off),
                          .noise = calloc(cols, sizeof *r->noise), .list = calloc(cols, sizeof *r->list),
                          .wall = calloc(cols, sizeof *r->wall) };
  bool ok = r->sum && r->steps && r->first && r->second && r->before && r->mean && r->off && r->noise && r->list && r->wall;
  return ok ? 0 : CT_ENOMEM;
}

void ct_rings_free(struct ct_rings *r)
{
  free(r->sum);
  free(r->steps);
  free(r->first);
  free(r->second);
  free(r->before);
  free(r->mean);
  free(r->off);
  free(r->noise);
  free(r->list);
  free(r->wall);
}

void ct_rings_begin(struct ct_rings *r, uint32_t rows)
{
  r->rows = rows;
  r->n = 0;
  memset(r->sum, 0, (size_t)CT_RING_SECTORS * r->cols * sizeof *r->sum);
  memset(r->steps, 0, r->cols * sizeof *r->steps);
}

/* The first row of a sector. */
static uint32_t sector_start(const struct ct_rings *r, uint32_t sector)
{
  return (uint32_t)(((uint64_t)r->rows * sector + CT_RING_SECTORS - 1) / CT_RING_SECTORS);
}

void ct_rings_take(struct ct_rings *r, const float *row)
{
  assert(r->n < r->rows);
  double *sum = r->sum + (uint64_t)r->n * CT_RING_SECTORS / r->rows * r->cols;
  const float *before = r->n++ ? r->before : row;

  for (uint32_t c = 0; c < r->cols; c++) {
    double step = (double)(row[c] - before[c]);
    sum[c] += (double)row[c];
    r->steps[c] += step * step;
  }
  memcpy(r->before, row, r->cols * sizeof *row);
}

static double inner_mean(double a, double b, double c, double d)
{
  return (a + b + c + d - fmax(fmax(a, b), fmax(c, d)) - fmin(fmin(a, b), fmin(c, d))) / 2;
}

/* off[cols]: by how much columns stand out of a line through those around them; beyond its ends a row is mirrored. */
static void stand_out(float *off, const float *row, uint32_t cols)
{
  for (int64_t c = 0, last = (int64_t)cols - 1; c <= last; c++) {
    double middle[REACH];
    for (int64_t k = 1; k <= REACH; k++) {
      int64_t left = c - k < 0 ? k - c - 1 : c - k, right = c + k > last ? 2 * last + 1 - c - k : c + k;
      middle[k - 1] = ((double)row[left] + (double)row[right]) / 2;
    }
    off[c] = (float)((double)row[c] - inner_mean(middle[0], middle[1], middle[2], middle[3]));
  }
}

/* How much eight parts of the turn scatter about what they have in common, less what noise does: into r->second. */
static void find_scatter(struct ct_rings *r)
{
  memset(r->first, 0, r->cols * sizeof *r->first);
  memset(r->second, 0, r->cols * sizeof *r->second);
  for (uint32_t sector = 0; sector < CT_RING_SECTORS; sector++) {
    const double *sum = r->sum + (size_t)sector * r->cols;
    uint32_t rows = sector_start(r, sector + 1) - sector_start(r, sector);
    for (uint32_t c = 0; c < r->cols; c++) r->mean[c] = (float)(sum[c] / rows);
    stand_out(r->off, r->mean, r->cols);
    for (uint32_t c = 0; c < r->cols; c++) {
      r->first[c] += (double)r->off[c];
      r->second[c] += (double)r->off[c] * (double)r->off[c];
    }
  }
  for (uint32_t c = 0; c < r->cols; c++) {
    double variance = (r->second[c] - r->first[c] * r->first[c] / CT_RING_SECTORS) / (CT_RING_SECTORS - 1);
    double noise = (double)r->noise[c] * (double)r->noise[c] * CT_RING_SECTORS;
    r->second[c] = sqrt(fmax(variance - noise, 0));
  }
}

static bool is_alone(const struct ct_rings *r, uint32_t c)
{
  float sign = r->off[c] < 0 ? -1.0f : 1.0f, left = c > 0 ? sign * r->off[c - 1] : 0;
  float right = c + 1 < r->cols ? sign * r->off[c + 1] : 0;
  return (double)fmaxf(left, right) < LONELY * (double)fabsf(r->off[c]);
}

/* How far both sides of the axis differ, one standard deviation of a column: of four fifths of them, so that of many rings none
 * is a wall because there happens to be another one across. */
static double unlike(struct ct_rings *r, double axis_px)
{
  uint32_t n = 0;
  for (uint32_t c = 0; c < r->cols; c++) {
    double at = rint(2 * axis_px - c);
    if (at >= 0 && at < r->cols) r->list[n++] = fabsf(r->off[c] - r->off[(uint32_t)at]);
  }
  qsort(r->list, n, sizeof *r->list, ct_by_float);
  return n ? sqrt(0.5) / 1.282 * (double)r->list[n - 1 - n / 5] : 0;
}

/* r->wall = of r->off what the other side of the axis has, too. */
static void find_walls(struct ct_rings *r, double axis_px)
{
  double least = SIGNIFICANT * unlike(r, axis_px);

  for (uint32_t c = 0; c < r->cols; c++) {
    double at = 2 * axis_px - c, low = 0, high = 0, off = (double)r->off[c];
    double from = fmax(ceil(at - REACH - 0.5), 0), to = fmin(floor(at + REACH + 0.5), r->cols - 1.0);
    for (double there = from; there <= to; there++) {
      if (is_alone(r, (uint32_t)there)) continue;
      low = fmin(low, (double)r->off[(uint32_t)there]);
      high = fmax(high, (double)r->off[(uint32_t)there]);
    }
    low = low < -least ? SAMPLED * low : 0;
    high = high > least ? SAMPLED * high : 0;
    r->wall[c] = (float)fmin(fmax(off, low), high);
  }
}

int ct_rings_end(struct ct_rings *r, double axis_px, float *ring)
{
  uint32_t cols = r->cols, n = r->n;

  if (n < LEAST_ROWS || n < r->rows || cols < LEAST_COLS) return CT_ENODATA;
  for (uint32_t c = 0; c < cols; c++) r->noise[c] = (float)sqrt(r->steps[c] / 2 / (n - 1) / n);   /* of the mean */
  find_scatter(r);
  for (uint32_t c = 0; c < cols; c++) {
    double sum = 0;
    for (uint32_t sector = 0; sector < CT_RING_SECTORS; sector++) sum += r->sum[(size_t)sector * cols + c];
    r->mean[c] = (float)(sum / n);
  }
  stand_out(r->off, r->mean, cols);
  if (isfinite(axis_px)) find_walls(r, axis_px);
  else memset(r->wall, 0, cols * sizeof *r->wall);
  /* Where the sample changes from row to row that is no noise: a tenth of the columns is hoped to see none of it. */
  memcpy(r->list, r->noise, cols * sizeof *r->list);
  qsort(r->list, cols, sizeof *r->list, ct_by_float);
  for (uint32_t c = 0; c < cols; c++) {
    double scatter = r->second[c] / UNSTEADY, off = fabs((double)r->off[c]);
    float rest = r->off[c] - r->wall[c];
    bool stands_out = (double)fabsf(rest) > SIGNIFICANT * (double)r->list[cols / 10] && scatter < 2 * off;
    ring[c] = stands_out ? rest * (float)fmin(2 - scatter / off, 1) : 0;
  }
  return 0;
}

int ct_ring_estimate(const struct ct_tomo *t, double axis_px, float *ring)
{
  struct ct_rings r;
  int rc = ct_rings_init(&r, t->setup.cols);

  if (!rc) {
    ct_rings_begin(&r, t->n);
    for (uint32_t i = 0; i < t->n; i++) ct_rings_take(&r, t->rows + (size_t)t->order[i] * t->setup.cols);
    rc = ct_rings_end(&r, axis_px, ring);
  }
  ct_rings_free(&r);
  return rc;
}
