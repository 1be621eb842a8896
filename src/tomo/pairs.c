/* The axis from opposite projections: what one sees at distance x from it, the other sees at -x. */
#include "tomo/axis.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Noise leaves this much of its variance after smooth(). */
#define NOISE_LEFT 0.2
#define SIGMA_LEAST_PX 0.02

void ct_axis_bin(float *out, const float *row, uint32_t bin, uint32_t cols)
{
  for (uint32_t i = 0; i < cols; i++) {
    float sum = 0;
    for (uint32_t k = 0; k < bin; k++) sum += row[i * bin + k];
    out[i] = sum / (float)bin;
  }
}

double ct_axis_vertex(double before, double at, double after)
{
  double bend = before - 2 * at + after, vertex = bend != 0 ? 0.5 * (before - after) / bend : 0;
  return isfinite(vertex) ? fmin(fmax(vertex, -1), 1) : 0;
}

/* Twice 1 4 6 4 1: a parabola through three correlations is only good where they are smooth. */
static void smooth(float *row, float *scratch, uint32_t cols)
{
  for (int pass = 0; pass < 2; pass++) {
    memcpy(scratch, row, cols * sizeof *row);
    for (uint32_t i = 2; i + 2 < cols; i++)
      row[i] = (scratch[i - 2] + scratch[i + 2] + 4 * (scratch[i - 1] + scratch[i + 1]) + 6 * scratch[i]) / 16;
  }
}

/* Variance of the noise of a row from its second differences, the smaller half of them: edges are in the other one. */
static double noise_of(const float *row, uint32_t cols)
{
  double mean = 0, low = 0;
  uint32_t n = 0;
  for (uint32_t i = 1; i + 1 < cols; i++) mean += fabs((double)(row[i - 1] - 2 * row[i] + row[i + 1]));
  mean /= cols - 2;
  for (uint32_t i = 1; i + 1 < cols; i++) {
    double d = fabs((double)(row[i - 1] - 2 * row[i] + row[i + 1]));
    if (d <= mean) low += d, n++;
  }
  /* For normal noise of variance v d has 6 v; the mean of |d| below its mean is 0.376 of d's sigma. */
  double sigma = n ? low / n / 0.376 : 0;
  return sigma * sigma / 6;
}

struct window {
  double rho, variance;
};

/* Running sums of both rows and their squares. */
static void sum_up(double *sums, const float *row, const float *mirror, uint32_t cols)
{
  double *a = sums, *aa = a + cols + 1, *b = aa + cols + 1, *bb = b + cols + 1;
  a[0] = aa[0] = b[0] = bb[0] = 0;
  for (uint32_t i = 0; i < cols; i++) {
    double u = (double)row[i], v = (double)mirror[i];
    a[i + 1] = a[i] + u;
    aa[i + 1] = aa[i] + u * u;
    b[i + 1] = b[i] + v;
    bb[i + 1] = bb[i] + v * v;
  }
}

/* Correlation of row[i] with mirror[i - shift] where both are. */
static struct window compare(const double *sums, const float *row, const float *mirror, uint32_t cols, int32_t shift)
{
  uint32_t n = cols - (uint32_t)(shift < 0 ? -shift : shift), at = shift > 0 ? (uint32_t)shift : 0;
  uint32_t mirror_at = shift < 0 ? (uint32_t)-shift : 0;
  const double *a = sums + at, *aa = a + cols + 1, *b = sums + 2 * (cols + 1) + mirror_at, *bb = b + cols + 1;
  float part[4] = { 0 };
  double product = 0;

  row += at;
  mirror += mirror_at;
  for (uint32_t i = 0; i < n;) {
    uint32_t end = i + 64 < n ? i + 64 : n;
    for (; i + 4 <= end; i += 4)
      for (uint32_t k = 0; k < 4; k++) part[k] += row[i + k] * mirror[i + k];
    for (; i < end; i++) part[0] += row[i] * mirror[i];
    for (uint32_t k = 0; k < 4; k++) product += (double)part[k], part[k] = 0;
  }
  double ma = (a[n] - a[0]) / n, mb = (b[n] - b[0]) / n;
  double va = (aa[n] - aa[0]) / n - ma * ma, vb = (bb[n] - bb[0]) / n - mb * mb;
  double variance = sqrt(fmax(va, 0) * fmax(vb, 0));
  /* What rounding leaves of a level is nothing. */
  if (!(variance > 1e-9 * (aa[n] - aa[0] + bb[n] - bb[0]) / n)) return (struct window){ 0, 0 };
  return (struct window){ (product / n - ma * mb) / variance, variance };
}

/* Tries all shifts of the coarse rows; false where no window has anything in it but noise. */
static bool find_coarse(struct ct_axis_finder *f, uint32_t n, double noise, int32_t *best)
{
  int32_t cols = (int32_t)f->coarse_cols, least = cols / 16 > 6 ? cols / 16 : 6;
  double most = 0;

  for (int32_t shift = least - cols; shift <= cols - least; shift++) {
    double rho = 0, weight = 0;
    for (uint32_t i = 0; i < n; i++) {
      const struct ct_facing *p = &f->facing[i];
      const double *sums = f->sums + (size_t)i * 4 * (f->coarse_cols + 1);
      struct window w = compare(sums, p->coarse_row, p->coarse_mirror, f->coarse_cols, shift);
      if (w.variance <= 8 * noise) continue;
      rho += w.rho;
      weight++;
    }
    if (weight > 0 && rho / weight > most) {
      most = rho / weight;
      *best = shift;
    }
  }
  return most > 0.5;
}

/* Adds to *rest and *steep what rows and mirrored rows <shift> columns apart differ by, squared, less their mean difference, a
 * column, and how steep they are. */
static void differ(const struct ct_facing *p, uint32_t cols, int32_t shift, double *rest, double *steep)
{
  uint32_t n = cols - (uint32_t)abs(shift);
  const float *row = p->row + (shift > 0 ? shift : 0), *mirror = p->mirror - (shift < 0 ? shift : 0);
  double sum = 0, squares = 0;

  for (uint32_t i = 0; i < n; i++) {
    double d = (double)(row[i] - mirror[i]);
    sum += d;
    squares += d * d;
  }
  for (uint32_t i = 0; i + 1 < n; i++) {
    double d = (double)(row[i + 1] - row[i]);
    *steep += d * d;
  }
  *rest += (squares - sum * sum / n) * cols / n;
}

/* The axis near <shift> columns, where all pairs together differ least, and the error that noise leaves. */
static bool find_fine(struct ct_axis_finder *f, uint32_t n, int32_t shift, double noise, struct ct_tomo_axis *axis)
{
  enum { REACH_MAX = 200 };
  int32_t reach = 2 * (int32_t)f->coarse_bin + 2, cols = (int32_t)f->cols, best = shift;
  double rest[2 * REACH_MAX + 1], steep[2 * REACH_MAX + 1] = { 0 }, least = (double)INFINITY;

  if (reach > REACH_MAX) reach = REACH_MAX;
  for (int32_t s = shift - reach; s <= shift + reach; s++) {
    double *at = &rest[s - shift + reach];
    *at = abs(s) + 8 <= cols ? 0 : (double)INFINITY;
    for (uint32_t i = 0; i < n && isfinite(*at); i++) differ(&f->facing[i], f->cols, s, at, &steep[s - shift + reach]);
    if (*at < least) least = *at, best = s;
  }
  if (best == shift - reach || best == shift + reach) return false;
  const double *at = rest + (best - shift + reach);
  double sigma = 0.5 * sqrt(2 * noise / steep[best - shift + reach]);
  /* More difference than noise explains is an error, too. */
  double expected = 2 * noise * NOISE_LEFT * n * cols;
  *axis = (struct ct_tomo_axis){ CT_AXIS_PAIRS, (cols - 1 + best + ct_axis_vertex(at[-1], at[0], at[1])) / 2,
                            sigma * sqrt(fmax(1, least / fmax(expected, 1e-300))), n };
  axis->sigma_px = isfinite(axis->sigma_px) ? fmax(axis->sigma_px, SIGMA_LEAST_PX) : SIGMA_LEAST_PX;
  return true;
}

int ct_axis_from_pairs(struct ct_axis_finder *f, const float *const *rows, const float *const *opposite, uint32_t n,
                       struct ct_tomo_axis *axis)
{
  double noise = 0;
  int32_t coarse = 0;

  if (n > CT_PAIRS_MAX) n = CT_PAIRS_MAX;
  for (uint32_t i = 0; i < n; i++) {
    struct ct_facing *p = &f->facing[i];
    noise += noise_of(rows[i], f->cols) / n;
    memcpy(p->row, rows[i], f->cols * sizeof *p->row);
    for (uint32_t c = 0; c < f->cols; c++) p->mirror[c] = opposite[i][f->cols - 1 - c];
    smooth(p->row, f->scratch, f->cols);
    smooth(p->mirror, f->scratch, f->cols);
    ct_axis_bin(p->coarse_row, p->row, f->coarse_bin, f->coarse_cols);
    ct_axis_bin(p->coarse_mirror, p->mirror, f->coarse_bin, f->coarse_cols);
    sum_up(f->sums + (size_t)i * 4 * (f->coarse_cols + 1), p->coarse_row, p->coarse_mirror, f->coarse_cols);
  }
  if (!n || !find_coarse(f, n, noise * NOISE_LEFT / f->coarse_bin, &coarse)) return CT_ENODATA;
  return find_fine(f, n, coarse * (int32_t)f->coarse_bin, noise, axis) ? 0 : CT_ENODATA;
}
