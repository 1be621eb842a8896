/* The axis from opposite projections: what one sees at distance x from it, the other sees at -x. */
#include "tomo/axis.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Noise leaves this much of its variance after smooth(). */
#define NOISE_LEFT 0.196
/* And the difference of two neighbours this much of it. */
#define STEP_LEFT 0.0436
#define TWO_STEPS_LEFT 0.148
/* Half the variance of the product of one row's noise and another's steps, over that of independent values: the sum of the
 * squares of the noise's autocorrelation, 0.140, over twice NOISE_LEFT; less for short steps. */
#define NOISE_ON_NOISE 0.36

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

/* Twice 1 4 6 4 1: a parabola through three correlations is only good where they are smooth. Beyond its ends a row goes on
 * as it came, turned about them: every column counts where only few are seen twice. */
static void smooth(float *row, float *scratch, uint32_t cols)
{
  float *at = scratch + 2;
  for (int pass = 0; pass < 2; pass++) {
    memcpy(at, row, cols * sizeof *row);
    for (int k = 1; k <= 2; k++) {
      at[-k] = 2 * row[0] - row[k];
      at[(int)cols - 1 + k] = 2 * row[cols - 1] - row[(int)cols - 1 - k];
    }
    for (int i = 0; i < (int)cols; i++) row[i] = (at[i - 2] + at[i + 2] + 4 * (at[i - 1] + at[i + 1]) + 6 * at[i]) / 16;
  }
}

/* From its second differences, the smaller half of them: edges are in the other one. */
double ct_axis_noise(const float *row, uint32_t cols)
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
  double covariance, variance[2];
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
  /* What rounding leaves of a level is nothing. */
  if (!(sqrt(fmax(va, 0) * fmax(vb, 0)) > 1e-9 * (aa[n] - aa[0] + bb[n] - bb[0]) / n)) return (struct window){ 0, { 0, 0 } };
  return (struct window){ product / n - ma * mb, { va, vb } };
}

/* Tries all shifts of the coarse rows, all pairs together: what is weak beside the noise of one of them, as inside of a sample
 * that reaches beyond the detector, shows in many. False where no window has anything in it but noise. */
static bool find_coarse(struct ct_axis_finder *f, uint32_t n, double noise, double shared, int32_t *best)
{
  int32_t cols = (int32_t)f->coarse_cols, least = cols / 16 > 6 ? cols / 16 : 6;
  double most = 0, least_variance = n * (noise * (1 + 7 / sqrt(n)) + 8 * shared);

  for (int32_t shift = least - cols; shift <= cols - least; shift++) {
    double covariance = 0, variance[2] = { 0, 0 };
    for (uint32_t i = 0; i < n; i++) {
      const struct ct_facing *p = &f->facing[i];
      const double *sums = f->sums + (size_t)i * 4 * (f->coarse_cols + 1);
      struct window w = compare(sums, p->coarse_row, p->coarse_mirror, f->coarse_cols, shift);
      covariance += w.covariance;
      for (int k = 0; k < 2; k++) variance[k] += w.variance[k];
    }
    double both = sqrt(variance[0] * variance[1]);
    if (both > least_variance && covariance > most * both) {
      most = covariance / both;
      *best = shift;
    }
  }
  return most > 0.5;
}

/* What rows and mirrored rows, <shift> columns apart, differ by, squared, less their mean difference; <n> columns of the
 * row from <from> on. */
static double differ(const struct ct_facing *p, uint32_t from, uint32_t n, int32_t shift)
{
  const float *row = p->row + from, *mirror = p->mirror + ((int64_t)from - shift);
  double sum = 0, squares = 0;

  for (uint32_t i = 0; i < n; i++) {
    double d = (double)(row[i] - mirror[i]);
    sum += d;
    squares += d * d;
  }
  return squares - sum * sum / n;
}

/* What a shift by <lever> columns changes, squared, less what it changes everywhere alike, of <n> columns. */
static double steepness(const float *row, uint32_t n, uint32_t lever)
{
  double sum = 0, squares = 0;
  for (uint32_t i = 0; i + lever < n; i++) {
    double step = (double)(row[i + lever] - row[i]);
    sum += step;
    squares += step * step;
  }
  return squares - sum * sum / (n - lever);
}

enum { PARTS = 8 };

/* How much pairs differ about a shift. */
struct sight {
  uint32_t n, seen;             /* pairs; columns that are compared */
  double at[CT_PAIRS_MAX][3];   /* <lever> columns before it, there, and as many behind it */
  double steep, noise_steep;    /* what <lever> columns change of all rows, squared: of the sample, and of noise */
};

/* The same columns at all three: those that come and go at the ends would draw the vertex to one side. Nor those that smoothing
 * had to guess at, where there are enough others. False: too few are left. */
static bool look(struct sight *out, const struct ct_axis_finder *f, uint32_t n, int32_t shift, int32_t lever, double noise)
{
  int32_t seen = (int32_t)f->cols - abs(shift) - 2 * lever, guessed = seen / 16 < 4 ? seen / 16 : 4;
  uint32_t from = (uint32_t)((shift > 0 ? shift : 0) + lever + guessed);

  seen -= 2 * guessed;
  if (seen < 8 || seen < 2 * lever) return false;
  out->n = n;
  out->seen = (uint32_t)seen;
  /* Smoothing leaves the difference of values far apart two times what it leaves of one. */
  out->noise_steep = noise * (lever == 1 ? STEP_LEFT : lever == 2 ? TWO_STEPS_LEFT : 2 * NOISE_LEFT) * seen * n;
  out->steep = -out->noise_steep;
  for (uint32_t i = 0; i < n; i++) {
    for (int32_t k = -1; k <= 1; k++) out->at[i][k + 1] = differ(&f->facing[i], from, out->seen, shift + k * lever);
    out->steep += steepness(f->facing[i].row + from, out->seen, (uint32_t)lever);
  }
  return true;
}

/* Where pairs differ least, in levers, without those from <without> up to <end>; *differ: how much there. */
static double vertex_of(const struct sight *sight, uint32_t without, uint32_t end, double *differ)
{
  double at[3] = { 0 };
  for (uint32_t i = 0; i < sight->n; i++)
    for (int k = 0; k < 3 && (i < without || i >= end); k++) at[k] += sight->at[i][k];
  double vertex = ct_axis_vertex(at[0], at[1], at[2]);
  if (differ) *differ = at[1] - (at[0] - at[2]) * vertex / 4;
  return vertex;
}

/* Its error as what parts of the turn say shows it: jackknife. */
static double scatter_of(const struct sight *sight)
{
  double sum = 0, squares = 0;
  for (uint32_t part = 0; part < PARTS; part++) {
    double vertex = vertex_of(sight, sight->n * part / PARTS, sight->n * (part + 1) / PARTS, NULL);
    sum += vertex;
    squares += vertex * vertex;
  }
  return sqrt(fmax(squares - sum * sum / PARTS, 0) * (PARTS - 1) / PARTS);
}

/* The shift by whole columns near <shift> where all pairs together differ least. */
static bool find_column(const struct ct_axis_finder *f, uint32_t n, int32_t shift, int32_t *best)
{
  int32_t reach = 2 * (int32_t)f->coarse_bin + 2, cols = (int32_t)f->cols;
  double least = (double)INFINITY;

  *best = shift;
  for (int32_t s = shift - reach; s <= shift + reach; s++) {
    double rest = 0;
    if (abs(s) + 8 > cols) continue;
    uint32_t seen = (uint32_t)(cols - abs(s));
    for (uint32_t i = 0; i < n; i++) rest += differ(&f->facing[i], s > 0 ? (uint32_t)s : 0, seen, s) / seen;
    if (rest < least) least = rest, *best = s;
  }
  return *best != shift - reach && *best != shift + reach;
}

/* The axis near <shift> columns, and the error that noise leaves. Where the noise of neighbours is steeper than the sample, as
 * inside of a sample that reaches beyond the detector, what lies further apart is compared, if there are enough pairs to see
 * how well they agree. */
static bool find_fine(struct ct_axis_finder *f, uint32_t n, int32_t shift, double noise, struct ct_tomo_axis *axis)
{
  struct sight sight;
  int32_t best, lever = 1;
  double differs;

  if (!find_column(f, n, shift, &best)) return false;
  for (;; lever *= 2) {
    if (!look(&sight, f, n, best, lever, noise)) return false;
    if (sight.steep > sight.noise_steep) break;
    if (n < PARTS) return false;
  }
  double vertex = vertex_of(&sight, 0, 0, &differs);
  if (!(fabs(vertex) < 1)) return false;
  /* More difference than noise explains is an error like noise; what all rows have alike does not become less with more of
   * them; noise that meets the slopes of noise counts where the sample's are hardly steeper. */
  double rest = fmax(2 * noise, differs / (NOISE_LEFT * n * sight.seen)) + 2 * f->shared * (n - 1);
  rest *= 1 + NOISE_ON_NOISE * sight.noise_steep / sight.steep;
  double sigma = sqrt(rest / sight.steep);
  if (lever > 1) sigma = hypot(sigma, scatter_of(&sight));
  *axis = (struct ct_tomo_axis){ CT_AXIS_PAIRS, ((int32_t)f->cols - 1 + best + lever * vertex) / 2,
                                 hypot(0.5 * lever * sigma, CT_AXIS_SIGMA_LEAST_PX), n };
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
    noise += (ct_axis_noise(rows[i], f->cols) + ct_axis_noise(opposite[i], f->cols)) / 2 / n;
    ct_axis_take(f, p->row, rows[i]);
    ct_axis_take(f, f->scratch, opposite[i]);
    for (uint32_t c = 0; c < f->cols; c++) p->mirror[c] = f->scratch[f->cols - 1 - c];
    smooth(p->row, f->scratch, f->cols);
    smooth(p->mirror, f->scratch, f->cols);
    ct_axis_bin(p->coarse_row, p->row, f->coarse_bin, f->coarse_cols);
    ct_axis_bin(p->coarse_mirror, p->mirror, f->coarse_bin, f->coarse_cols);
    sum_up(f->sums + (size_t)i * 4 * (f->coarse_cols + 1), p->coarse_row, p->coarse_mirror, f->coarse_cols);
  }
  double left = NOISE_LEFT / f->coarse_bin;
  if (!n || !find_coarse(f, n, noise * left, f->shared * left, &coarse)) return CT_ENODATA;
  return find_fine(f, n, coarse * (int32_t)f->coarse_bin, noise, axis) ? 0 : CT_ENODATA;
}
