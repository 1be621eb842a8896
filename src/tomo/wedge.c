/* The axis from half a turn: together with its mirror image about the right axis it is a whole turn, whose spectrum stays
 * within |k| <= 2 pi f R (k cycles a turn, f cycles a column, R the sample's radius). What half a turn and the mirrored
 * one have outside is E0 + 2 Re sum_f exp(2 pi i f 2a) C(f), C(f) = sum_k (-1)^k A(k, f) A(-k, f), with A the spectrum
 * of the half turn: one transform says it for all axes a. */
#include "tomo/axis.h"

#include <math.h>
#include <string.h>

#define PI 3.14159265358979323846
/* Of what half a turn alone has outside: as much has to go away with its mirror image. */
#define LEAST_SHARE 0.5

static double ring_at(const struct ct_axis_finder *f, uint32_t col)
{
  return f->ring ? (double)f->ring[col] : 0;
}

/* Columns at either edge that levels are taken from. */
static uint32_t edge_of(const struct ct_axis_finder *f)
{
  return f->cols / 64 + 1;
}

/* A level that all columns share would be a box as wide as the detector and about its middle: what the edges have on
 * average, and by how much that changes from the first half of the rows to the second. */
static void find_levels(struct ct_axis_finder *f, const float *const *rows, uint32_t n)
{
  uint32_t edge = edge_of(f);
  double half[2][2] = { { 0 } };

  for (uint32_t i = 0; i < n; i++) {
    double *level = half[2 * i >= n], share = 2.0 / n / edge;
    for (uint32_t c = 0; c < edge; c++) {
      uint32_t last = f->cols - 1 - c;
      level[0] += ((double)rows[i][c] - ring_at(f, c)) * share;
      level[1] += ((double)rows[i][last] - ring_at(f, last)) * share;
    }
  }
  for (int e = 0; e < 2; e++) {
    f->level[e] = (half[0][e] + half[1][e]) / 2;
    f->drift[e] = half[1][e] - half[0][e];
  }
  f->height = 0;
}

/* Rows end softly, over a sixteenth of their columns. */
static double taper_at(const struct ct_axis_finder *f, uint32_t i)
{
  uint32_t taper = f->wedge_cols / 16 + 1, edge = i < f->wedge_cols - 1 - i ? i : f->wedge_cols - 1 - i;
  return edge < taper ? 0.5 - 0.5 * cos(PI * (edge + 0.5) / taper) : 1;
}

/* The <i>-th of <m> equal steps through half a turn, between its neighbours. */
static void row_at(struct ct_axis_finder *f, const float *const *rows, const double *angle_deg, uint32_t n, double at_deg)
{
  uint32_t k = 0;
  while (k + 1 < n && angle_deg[k + 1] <= at_deg) k++;
  uint32_t next = k + 1 < n ? k + 1 : k;
  double gap = angle_deg[next] - angle_deg[k], part = gap > 0 ? fmin(fmax((at_deg - angle_deg[k]) / gap, 0), 1) : 0;
  double time = 2 * (k + part + 0.5) / n - 1, left = f->level[0] + f->drift[0] * time;
  double right = f->level[1] + f->drift[1] * time;

  for (uint32_t i = 0; i < f->wedge_cols; i++) {
    double sum = 0, from = i * f->wedge_bin;
    for (uint32_t c = i * f->wedge_bin; c < (i + 1) * f->wedge_bin; c++)
      sum += (1 - part) * (double)rows[k][c] + part * (double)rows[next][c] - ring_at(f, c);
    sum = sum / f->wedge_bin - left - (right - left) * from / f->cols;
    sum *= taper_at(f, i);
    f->wedge_row[i] = (float)sum;
    f->height = fmax(f->height, fabs(sum));
  }
  memset(f->wedge_row + f->wedge_cols, 0, (f->wedge_len - f->wedge_cols) * sizeof *f->wedge_row);
}

/* C(f) of <m> rows; how many f have anything outside the wedge. */
static uint32_t cross_of(struct ct_axis_finder *f, uint32_t plan)
{
  uint32_t m = CT_WEDGE_LEAST << plan, half = f->wedge_len / 2 + 1;

  /* The spectrum of half a turn of the same is, at odd k, 1 - i cot. */
  for (uint32_t k = 1; k < m; k++) f->cot[k] = 1 / tan(PI * k / (2 * m));
  f->energy = f->terms = f->with_energy = f->with_noise = 0;
  for (uint32_t i = 0; i < half; i++) {
    double wide = PI * (double)i / f->wedge_len * f->wedge_cols;   /* 2 pi f R, the sample as wide as the detector */
    uint32_t from = (uint32_t)ceil(1.05 * wide) + 3;
    double re = 0, im = 0, energy = 0, shared_re = 0, shared_im = 0, turn = 4 * PI * i / f->wedge_len;
    if (from >= m) return i;
    for (uint32_t r = 0; r < m; r++) memcpy(f->column[r], f->spectra[(size_t)r * half + i], sizeof *f->column);
    memset(f->column + m, 0, m * sizeof *f->column);
    fftwf_execute(f->across[plan]);
    for (uint32_t k = from; k < m; k++) {
      const float *a = f->turned[k], *b = f->turned[2 * m - k];
      double sign = k % 2 ? -1 : 1;
      energy += (double)(a[0] * a[0] + a[1] * a[1] + b[0] * b[0] + b[1] * b[1]) / 2;
      if (k % 2) {
        shared_re += (double)(a[0] + b[0]) + f->cot[k] * (double)(b[1] - a[1]);
        shared_im += (double)(a[1] + b[1]) + f->cot[k] * (double)(a[0] - b[0]);
      }
      re += sign * (double)(a[0] * b[0] - a[1] * b[1]);
      im += sign * (double)(a[0] * b[1] + a[1] * b[0]);
    }
    f->cross[i][0] = (float)re;
    f->cross[i][1] = (float)im;
    f->response[i][0] = (float)shared_re;
    f->response[i][1] = (float)shared_im;
    if (i == 0) continue;
    f->energy += energy;
    f->terms += m - from;
    f->with_energy += turn * turn * energy;
    f->with_noise += turn * turn * (m - from);
  }
  return half;
}

/* What is outside the wedge with the axis at <a>, less what always is. */
static double outside(const struct ct_axis_finder *f, uint32_t n, double a)
{
  double step = 4 * PI * a / f->wedge_len, turn_re = cos(step), turn_im = sin(step), re = turn_re, im = turn_im, sum = 0;
  for (uint32_t i = 1; i < n; i++) {
    sum += re * (double)f->cross[i][0] - im * (double)f->cross[i][1];
    double was = re;
    re = re * turn_re - im * turn_im;
    im = was * turn_im + im * turn_re;
  }
  return sum;
}

/* Variance of the slope of what is outside, at <a>, from what is the same in all rows: of every column, and of the levels
 * that were taken from some. */
static double shared_at(struct ct_axis_finder *f, uint32_t n, double a)
{
  double white = 0, level[2] = { 0 };

  for (uint32_t i = 1; i < n; i++) {
    const float *g = f->response[i];
    double turn = 4 * PI * i / f->wedge_len, re = -turn * sin(turn * a), im = turn * cos(turn * a);
    white += turn * turn * (double)(g[0] * g[0] + g[1] * g[1]) / 2;
    for (int e = 0; e < 2; e++) {
      const float *line = f->line[e][i];
      level[e] += re * (double)(line[0] * g[0] - line[1] * g[1]) - im * (double)(line[0] * g[1] + line[1] * g[0]);
    }
  }
  return f->shared * (white * f->wedge_cols / f->wedge_bin + (level[0] * level[0] + level[1] * level[1]) / edge_of(f));
}

/* In columns of those that were binned. */
static int find(struct ct_axis_finder *f, uint32_t m, uint32_t frequencies, double *axis, double *sigma)
{
  double best = 0, least = (double)INFINITY, step = 0.25, at[3];

  for (double a = 0.25 * f->wedge_cols; a < 0.75 * f->wedge_cols; a += step) {
    double rest = outside(f, frequencies, a);
    if (rest < least) least = rest, best = a;
  }
  /* What rounding leaves of a level is nothing. */
  if (!(-least > LEAST_SHARE * f->energy && f->height > 1e-4 * (fabs(f->level[0]) + fabs(f->level[1])))) return CT_ENODATA;
  for (int i = 0; i < 4; i++, step /= 4) {
    for (int k = 0; k < 3; k++) at[k] = outside(f, frequencies, best + (k - 1) * step);
    best += step * ct_axis_vertex(at[0], at[1], at[2]);
  }
  step = 0.25;
  for (int k = 0; k < 3; k++) at[k] = outside(f, frequencies, best + (k - 1) * step);
  double bend = (at[0] - 2 * at[1] + at[2]) / (step * step), cols = (double)f->wedge_cols / f->wedge_bin;
  if (!(bend > 0)) return CT_ENODATA;
  /* What does not go away and is no noise disturbs as noise would. */
  double noise = fmax(f->noise * cols * m, (f->energy + at[1]) / f->terms);
  /* Rows are padded to twice their number: neighbours among the coefficients are alike. */
  double moved = 1.7 * noise * fmax(f->with_energy - noise * f->with_noise / 2, f->with_energy / 2);
  *axis = best;
  *sigma = sqrt(moved + shared_at(f, frequencies, best)) / bend;
  return 0;
}

int ct_axis_from_wedge(struct ct_axis_finder *f, const float *const *rows, const double *angle_deg, uint32_t n,
                       struct ct_tomo_axis *axis)
{
  uint32_t plan = 0;
  double at, sigma;

  if (n < CT_WEDGE_LEAST) return CT_ENODATA;
  while (plan + 1 < CT_WEDGE_PLANS && (uint32_t)CT_WEDGE_LEAST << (plan + 1) <= n) plan++;
  uint32_t m = CT_WEDGE_LEAST << plan;
  for (int e = 0; e < 2; e++) {
    for (uint32_t i = 0; i < f->wedge_cols; i++)
      f->wedge_row[i] = (float)(taper_at(f, i) * (e ? i : f->wedge_cols - i) / f->wedge_cols);
    memset(f->wedge_row + f->wedge_cols, 0, (f->wedge_len - f->wedge_cols) * sizeof *f->wedge_row);
    fftwf_execute_dft_r2c(f->along, f->wedge_row, f->line[e]);
  }
  find_levels(f, rows, n);
  for (uint32_t i = 0; i < m; i++) {
    row_at(f, rows, angle_deg, n, angle_deg[0] + 180.0 * i / m);
    fftwf_execute_dft_r2c(f->along, f->wedge_row, f->spectra + (size_t)i * (f->wedge_len / 2 + 1));
  }
  int rc = find(f, m, cross_of(f, plan), &at, &sigma);
  if (rc) return rc;
  *axis = (struct ct_tomo_axis){ CT_AXIS_WEDGE, (at + 0.5) * f->wedge_bin - 0.5,
                                 hypot(sigma * f->wedge_bin, CT_AXIS_SIGMA_LEAST_PX), 0 };
  return 0;
}
