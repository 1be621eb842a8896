/* The axis from half a turn: together with its mirror image about the right axis it is a whole turn, whose spectrum stays
 * within |k| <= 2 pi f R (k cycles a turn, f cycles a column, R the sample's radius). What half a turn and the mirrored
 * one have outside is E0 + 2 Re sum_f exp(2 pi i f 2a) C(f), C(f) = sum_k (-1)^k A(k, f) A(-k, f), with A the spectrum
 * of the half turn: one transform says it for all axes a. */
#include "tomo/axis.h"

#include <math.h>
#include <string.h>

#define PI 3.14159265358979323846
#define SIGMA_LEAST_PX 0.05
/* Of what half a turn alone has outside: as much has to go away with its mirror image. */
#define LEAST_SHARE 0.5

/* A level that all columns share would be a box as wide as the detector and about its middle: what both edges have on
 * average. */
static void find_levels(struct ct_axis_finder *f, const float *const *rows, uint32_t n)
{
  uint32_t edge = f->cols / 64 + 1;
  f->level[0] = f->level[1] = f->height = 0;
  for (uint32_t i = 0; i < n; i++) {
    for (uint32_t c = 0; c < edge; c++) {
      f->level[0] += (double)rows[i][c] / n / edge;
      f->level[1] += (double)rows[i][f->cols - 1 - c] / n / edge;
    }
  }
}

/* The <i>-th of <m> equal steps through half a turn, between its neighbours. */
static void row_at(struct ct_axis_finder *f, const float *const *rows, const double *angle_deg, uint32_t n, double at_deg)
{
  uint32_t k = 0;
  while (k + 1 < n && angle_deg[k + 1] <= at_deg) k++;
  uint32_t next = k + 1 < n ? k + 1 : k;
  double gap = angle_deg[next] - angle_deg[k], part = gap > 0 ? fmin(fmax((at_deg - angle_deg[k]) / gap, 0), 1) : 0;
  uint32_t taper = f->wedge_cols / 16 + 1;

  for (uint32_t i = 0; i < f->wedge_cols; i++) {
    double sum = 0, from = i * f->wedge_bin;
    for (uint32_t c = i * f->wedge_bin; c < (i + 1) * f->wedge_bin; c++)
      sum += (1 - part) * (double)rows[k][c] + part * (double)rows[next][c];
    sum = sum / f->wedge_bin - f->level[0] - (f->level[1] - f->level[0]) * from / f->cols;
    uint32_t edge = i < f->wedge_cols - 1 - i ? i : f->wedge_cols - 1 - i;
    if (edge < taper) sum *= 0.5 - 0.5 * cos(PI * (edge + 0.5) / taper);
    f->wedge_row[i] = (float)sum;
    f->height = fmax(f->height, fabs(sum));
  }
  memset(f->wedge_row + f->wedge_cols, 0, (f->wedge_len - f->wedge_cols) * sizeof *f->wedge_row);
}

/* C(f) of <m> rows; how many f have anything outside the wedge. */
static uint32_t cross_of(struct ct_axis_finder *f, uint32_t plan)
{
  uint32_t m = CT_WEDGE_LEAST << plan, half = f->wedge_len / 2 + 1;

  f->energy = 0;
  for (uint32_t i = 0; i < half; i++) {
    double wide = PI * (double)i / f->wedge_len * f->wedge_cols;   /* 2 pi f R, the sample as wide as the detector */
    uint32_t from = (uint32_t)ceil(1.05 * wide) + 3;
    double re = 0, im = 0;
    if (from >= m) return i;
    for (uint32_t r = 0; r < m; r++) memcpy(f->column[r], f->spectra[(size_t)r * half + i], sizeof *f->column);
    memset(f->column + m, 0, m * sizeof *f->column);
    fftwf_execute(f->across[plan]);
    for (uint32_t k = from; k < m; k++) {
      const float *a = f->turned[k], *b = f->turned[2 * m - k];
      double sign = k % 2 ? -1 : 1;
      if (i) f->energy += (double)(a[0] * a[0] + a[1] * a[1] + b[0] * b[0] + b[1] * b[1]) / 2;
      re += sign * (double)(a[0] * b[0] - a[1] * b[1]);
      im += sign * (double)(a[0] * b[1] + a[1] * b[0]);
    }
    f->cross[i][0] = (float)re;
    f->cross[i][1] = (float)im;
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

static bool find(struct ct_axis_finder *f, const float *const *rows, const double *angle_deg, uint32_t n, uint32_t plan,
                 double *axis_px, double *share)
{
  uint32_t m = CT_WEDGE_LEAST << plan;
  double best = 0, least = (double)INFINITY, step = 0.25;

  for (uint32_t i = 0; i < m; i++) {
    row_at(f, rows, angle_deg, n, angle_deg[0] + 180.0 * i / m);
    fftwf_execute_dft_r2c(f->along, f->wedge_row, f->spectra + (size_t)i * (f->wedge_len / 2 + 1));
  }
  uint32_t frequencies = cross_of(f, plan);
  for (double a = 0.25 * f->wedge_cols; a < 0.75 * f->wedge_cols; a += step) {
    double rest = outside(f, frequencies, a);
    if (rest < least) least = rest, best = a;
  }
  *share = -least / f->energy;
  /* What rounding leaves of a level is nothing. */
  if (!(*share > LEAST_SHARE && f->height > 1e-4 * (fabs(f->level[0]) + fabs(f->level[1])))) return false;
  for (int i = 0; i < 4; i++, step /= 4) {
    best += step * ct_axis_vertex(outside(f, frequencies, best - step), outside(f, frequencies, best),
                                  outside(f, frequencies, best + step));
  }
  *axis_px = (best + 0.5) * f->wedge_bin - 0.5;
  return true;
}

int ct_axis_from_wedge(struct ct_axis_finder *f, const float *const *rows, const double *angle_deg, uint32_t n,
                       struct ct_tomo_axis *axis)
{
  uint32_t plan = 0;
  double whole, half, share, half_share;

  if (n < CT_WEDGE_LEAST) return CT_ENODATA;
  while (plan + 1 < CT_WEDGE_PLANS && (uint32_t)CT_WEDGE_LEAST << (plan + 1) <= n) plan++;
  find_levels(f, rows, n);
  if (!find(f, rows, angle_deg, n, plan, &whole, &share)) return CT_ENODATA;
  /* With half of the angles, to see how much it depends on them; what does not go away is noise, or no rotation. */
  double error = plan > 0 && find(f, rows, angle_deg, n, plan - 1, &half, &half_share) ? fabs(whole - half) / 2 : 0.5;
  *axis = (struct ct_tomo_axis){ CT_AXIS_WEDGE, whole, fmax(error, SIGMA_LEAST_PX) + (1 - share), 0 };
  return 0;
}
