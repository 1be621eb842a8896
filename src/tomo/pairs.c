/* The axis from opposite projections: what one sees at distance x from it, the other sees at -x. */
#include "tomo/axis.h"

#include <float.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Noise leaves this much of its variance after smooth(). */
#define NOISE_LEFT 0.196
/* And the difference of two neighbours this much of it. */
#define STEP_LEFT 0.0436
#define TWO_STEPS_LEFT 0.148
/* The variance of the product of two rows' noise, over that of independent values: the sum of the squares of what smooth()
 * leaves of its autocorrelation. */
#define NOISE_ALIKE 0.140
/* Of the sample as much has to be alike. */
#define LEAST_ALIKE 0.6

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

enum { LANES = 4, BLOCK = 256 };
typedef float lanes __attribute__((vector_size(LANES * sizeof(float)), aligned(sizeof(float)), may_alias));

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

/* Sum of products, in sums beside each other so that none waits for another. */
static double block_of(const float *row, const float *mirror, size_t n)
{
  lanes first = { 0 }, second = { 0 };
  float rest = 0;
  size_t i = 0;
  for (; i + 2 * LANES <= n; i += 2 * LANES) {
    first += *(const lanes *)(row + i) * *(const lanes *)(mirror + i);
    second += *(const lanes *)(row + i + LANES) * *(const lanes *)(mirror + i + LANES);
  }
  for (; i < n; i++) rest += row[i] * mirror[i];
  first += second;
  return (double)rest + (double)first[0] + (double)first[1] + (double)first[2] + (double)first[3];
}

/* Correlation of row[i] with mirror[i - shift] where both are. */
static struct window compare(const double *sums, const float *row, const float *mirror, uint32_t cols, int32_t shift)
{
  uint32_t n = cols - (uint32_t)(shift < 0 ? -shift : shift), at = shift > 0 ? (uint32_t)shift : 0;
  uint32_t mirror_at = shift < 0 ? (uint32_t)-shift : 0;
  const double *a = sums + at, *aa = a + cols + 1, *b = sums + 2 * (cols + 1) + mirror_at, *bb = b + cols + 1;
  double product = 0;

  row += at;
  mirror += mirror_at;
  for (uint32_t i = 0; i < n; i += BLOCK) product += block_of(row + i, mirror + i, n - i < BLOCK ? n - i : BLOCK);
  double ma = (a[n] - a[0]) / n, mb = (b[n] - b[0]) / n;
  double va = (aa[n] - aa[0]) / n - ma * ma, vb = (bb[n] - bb[0]) / n - mb * mb;
  /* What rounding leaves of a level is nothing. */
  if (!(sqrt(fmax(va, 0) * fmax(vb, 0)) > 1e-9 * (aa[n] - aa[0] + bb[n] - bb[0]) / n)) return (struct window){ 0, { 0, 0 } };
  return (struct window){ product / n - ma * mb, { va, vb } };
}

/* Tries all shifts of the coarse rows, all pairs together: what is weak beside the noise of one of them, as inside of a sample
 * that reaches beyond the detector, shows in many. About the axis rows are the same but for noise, so that all of what is no
 * noise is alike: that less two of its errors is compared, or a few columns that happen to be alike would do better than all of
 * a weak sample. False where no shift makes them alike. */
static bool find_coarse(struct ct_axis_finder *f, const struct ct_facings *facings, int32_t *best)
{
  int32_t cols = (int32_t)f->coarse_cols, least = cols / 16 > 6 ? cols / 16 : 6;
  uint32_t n = facings->n;
  double most = 0, noise = facings->noise, shared = facings->shared;

  for (int32_t shift = least - cols; shift <= cols - least; shift++) {
    double alike = 0, variance[2] = { 0, 0 }, seen = (double)(cols - abs(shift)) * f->coarse_bin;
    for (uint32_t i = 0; i < n; i++) {
      const struct ct_facing *p = &f->facing[i];
      const double *sums = f->sums + (size_t)i * 4 * (f->coarse_cols + 1);
      struct window w = compare(sums, p->coarse_row, p->coarse_mirror, f->coarse_cols, shift);
      alike += w.covariance / n;
      for (int k = 0; k < 2; k++) variance[k] += w.variance[k] / n;
    }
    double both = sqrt(variance[0] * variance[1]), sample = both - NOISE_LEFT * noise / f->coarse_bin;
    double error = sqrt(noise * (NOISE_ALIKE * noise + 2 * both) / (n * seen) +
                        shared * (NOISE_ALIKE * shared + 2 * both) / (facings->rows * seen));
    double share = (alike - 2 * error) / fmax(sample, alike);
    if (alike > 5 * error && share > most) {
      most = share;
      *best = shift;
    }
  }
  return most > LEAST_ALIKE;
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

/* Whoever knows it so well looks no further. */
#define GOOD_PX 0.05
/* By how much more an axis that leans by half a degree shifts opposite rows, from one row to the next. */
#define LEAN_SHIFT 0.0175

/* The sample has to be so much steeper than noise, if there are many. */
#define LEAST_CLEAR 0.25

enum { PARTS = 8 };

/* How much pairs differ about a shift. */
struct sight {
  uint32_t n, seen;             /* pairs; columns that are compared */
  double at[CT_FACING_MAX][3];  /* <lever> columns before it, there, and as many behind it */
  double down[CT_FACING_MAX];
  double steep, noise_steep;    /* what <lever> columns change of all rows, squared: of the sample, and of noise */
  double clear;                 /* the one over the other */
  double per_noise;             /* what a noise of 1 makes of the shift's variance */
};

/* What a noise of 1 makes of where pairs differ least, squared, times the square of their steepness: noise of neighbours is alike,
 * so that it is the slope of a row smoothed once more that it meets, in half of all cases that of noise. Works in the finder's
 * beyond. */
static double meets_noise(struct ct_axis_finder *f, const struct ct_facing *p, uint32_t from, uint32_t n, uint32_t lever,
                          double noise)
{
  double left = lever == 1 ? 0.0151 : lever == 2 ? 0.0437 : 0.0700;   /* of noise, in such slopes */
  memcpy(f->beyond, p->row, f->cols * sizeof *f->beyond);
  smooth(f->beyond, f->scratch, f->cols);
  return fmax(steepness(f->beyond + from - lever, n + 2 * lever, 2 * lever) / 4 - noise * left * n / 2, 0);
}

/* The same columns at all three: those that come and go at the ends would draw the vertex to one side. Nor those that smoothing
 * had to guess at, where there are enough others. False: too few are left. */
static bool look(struct sight *out, struct ct_axis_finder *f, uint32_t n, int32_t shift, int32_t lever, double noise)
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
  double met = 0;
  for (uint32_t i = 0; i < n; i++) {
    for (int32_t k = -1; k <= 1; k++) out->at[i][k + 1] = differ(&f->facing[i], from, out->seen, shift + k * lever);
    out->steep += steepness(f->facing[i].row + from, out->seen, (uint32_t)lever);
    out->down[i] = f->facing[i].down;
    met += meets_noise(f, &f->facing[i], from, out->seen, (uint32_t)lever, noise);
  }
  out->clear = out->steep / fmax(out->noise_steep, DBL_MIN);
  out->per_noise = lever * lever * met / (out->steep * out->steep);
  return true;
}

/* Where pairs differ least, in levers, without those from <without> up to <end>. Rows further down may have their axis
 * elsewhere, on a line; <stiff> is how hard it is for that to lean. */
struct vertex {
  double at, differ, widen;     /* how much there; by how much the error's square is larger for not knowing the lean */
};

static struct vertex vertex_of(const struct sight *sight, uint32_t without, uint32_t end, double stiff)
{
  double at[3] = { 0 }, slope = 0, bend_down = 0, bend_lean = stiff;
  for (uint32_t i = 0; i < sight->n; i++) {
    const double *seen = sight->at[i], down = sight->down[i], bend = seen[0] - 2 * seen[1] + seen[2];
    if (i >= without && i < end) continue;
    for (int k = 0; k < 3; k++) at[k] += seen[k];
    slope += down * (seen[2] - seen[0]) / 2;
    bend_down += down * bend;
    bend_lean += down * down * bend;
  }
  struct vertex vertex = { ct_axis_vertex(at[0], at[1], at[2]), 0, 1 };
  double bend = at[0] - 2 * at[1] + at[2], left = bend * bend_lean - bend_down * bend_down;
  if (stiff > 0 && bend > 0 && left > 0.1 * bend * bend_lean) {
    vertex.at = (bend_down * slope - bend_lean * (at[2] - at[0]) / 2) / left;
    vertex.widen = bend * bend_lean / left;
  }
  vertex.differ = at[1] - (at[0] - at[2]) * vertex.at / 4;
  return vertex;
}

/* Its error as what parts of the turn, or of the detector, say shows it: jackknife. */
static double scatter_of(const struct sight *sight, double stiff)
{
  double sum = 0, squares = 0;
  for (uint32_t part = 0; part < PARTS; part++) {
    double vertex = vertex_of(sight, sight->n * part / PARTS, sight->n * (part + 1) / PARTS, stiff).at;
    sum += vertex;
    squares += vertex * vertex;
  }
  return sqrt(fmax(squares - sum * sum / PARTS, 0) * (PARTS - 1) / PARTS);
}

/* The shift by whole columns near <shift> where all pairs together differ least. */
static bool find_column(const struct ct_axis_finder *f, uint32_t n, int32_t shift, int32_t *best)
{
  int32_t reach = 4 * (int32_t)f->coarse_bin + 8, cols = (int32_t)f->cols;
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
static bool find_fine(struct ct_axis_finder *f, const struct ct_facings *facings, int32_t shift, struct ct_tomo_axis *axis)
{
  uint32_t n = facings->n, each = n / facings->rows;
  double noise = facings->noise;
  struct sight sight, wider;
  int32_t best, lever = 1, reach = 1;

  if (!find_column(f, n, shift, &best)) return false;
  for (sight.per_noise = (double)INFINITY; look(&wider, f, n, best, reach, noise); reach *= 2) {
    if (wider.clear > (n < PARTS ? 1 : LEAST_CLEAR) && wider.per_noise < sight.per_noise) sight = wider, lever = reach;
    if (n < PARTS || wider.clear > 1) break;
  }
  if (!isfinite(sight.per_noise)) return false;
  /* More difference than noise explains is an error like noise; what all pairs of a row have alike does not become less with
   * more of them. */
  struct vertex vertex = vertex_of(&sight, 0, 0, 0);
  double rest = fmax(2 * noise, vertex.differ / (NOISE_LEFT * n * sight.seen)) + 2 * facings->shared * (each - 1);
  double stiff = facings->rows > 1 ? 2 * rest * lever * lever / (LEAN_SHIFT * LEAN_SHIFT) : 0;
  vertex = vertex_of(&sight, 0, 0, stiff);
  if (!(fabs(vertex.at) < 1)) return false;
  double sigma = sqrt(rest * sight.per_noise * vertex.widen);
  if (n >= PARTS) sigma = fmax(sigma, lever * scatter_of(&sight, stiff));
  *axis = (struct ct_tomo_axis){ CT_AXIS_PAIRS, ((int32_t)f->cols - 1 + best + lever * vertex.at) / 2,
                                 hypot(0.5 * sigma, CT_AXIS_SIGMA_LEAST_PX), n };
  return true;
}

/* Makes ready the <i>-th facing of a row and the one half a turn later, less <alike>, which may be NULL, times <scale>. */
static void face(struct ct_axis_finder *f, uint32_t i, const float *row, const float *opposite, const double *alike, double scale,
                 double down)
{
  struct ct_facing *p = &f->facing[i];
  ct_axis_take(f, p->row, row);
  ct_axis_take(f, f->scratch, opposite);
  for (uint32_t c = 0; c < f->cols; c++) {
    uint32_t across = f->cols - 1 - c;
    p->row[c] = (float)(scale * ((double)p->row[c] - (alike ? alike[c] : 0)));
    p->mirror[c] = (float)(scale * ((double)f->scratch[across] - (alike ? alike[across] : 0)));
  }
  smooth(p->row, f->scratch, f->cols);
  smooth(p->mirror, f->scratch, f->cols);
  ct_axis_bin(p->coarse_row, p->row, f->coarse_bin, f->coarse_cols);
  ct_axis_bin(p->coarse_mirror, p->mirror, f->coarse_bin, f->coarse_cols);
  sum_up(f->sums + (size_t)i * 4 * (f->coarse_cols + 1), p->coarse_row, p->coarse_mirror, f->coarse_cols);
  p->down = down;
}

void ct_axis_face(struct ct_axis_finder *f, struct ct_facings *facings, const float *const *rows, const float *const *opposite,
                  uint32_t n, bool turning, double down)
{
  double noise = 0;
  memset(f->mean, 0, f->cols * sizeof *f->mean);
  for (uint32_t i = 0; i < n; i++) {
    noise += (ct_axis_noise(rows[i], f->cols) + ct_axis_noise(opposite[i], f->cols)) / 2 / n;
    for (int k = 0; k < 2; k++) {
      ct_axis_take(f, f->scratch, k ? opposite[i] : rows[i]);
      for (uint32_t c = 0; c < f->cols; c++) f->mean[c] += (double)f->scratch[c] / (2 * n);
    }
  }
  double shared = turning || n == 1 ? 0 : f->shared, all = noise + (n - 1) * shared;
  if (!(all > 0)) all = 1;
  for (uint32_t i = 0; i < n; i++)
    face(f, facings->n + i, rows[i], opposite[i], turning ? f->mean : NULL, 1 / sqrt(all), down);
  facings->noise = (facings->noise * facings->rows + noise / all) / (facings->rows + 1);
  facings->shared = (facings->shared * facings->rows + shared / all) / (facings->rows + 1);
  facings->n += n;
  facings->rows++;
}

int ct_axis_from_facings(struct ct_axis_finder *f, const struct ct_facings *facings, struct ct_tomo_axis *axis)
{
  int32_t coarse = 0;
  *axis = (struct ct_tomo_axis){ CT_AXIS_NONE, (double)NAN, (double)NAN, 0 };
  if (!facings->n || !find_coarse(f, facings, &coarse)) return CT_ENODATA;
  return find_fine(f, facings, coarse * (int32_t)f->coarse_bin, axis) ? 0 : CT_ENODATA;
}

bool ct_axis_is_good(const struct ct_tomo_axis *axis)
{
  return axis->method != CT_AXIS_NONE && axis->sigma_px < GOOD_PX;
}

struct ct_tomo_axis ct_axis_agreed(const struct ct_tomo_axis *turning, const struct ct_tomo_axis *all)
{
  if (turning->method == CT_AXIS_NONE) return *all;
  if (all->method == CT_AXIS_NONE) return *turning;
  bool apart = fabs(all->axis_px - turning->axis_px) > 3 * hypot(all->sigma_px, turning->sigma_px);
  return apart || turning->sigma_px < all->sigma_px ? *turning : *all;
}

int ct_axis_from_pairs(struct ct_axis_finder *f, const float *const *rows, const float *const *opposite, uint32_t n,
                       struct ct_tomo_axis *axis)
{
  struct ct_facings facings = { 0 }, part = { 0 };
  struct ct_tomo_axis turning = { .method = CT_AXIS_NONE };
  if (n > CT_PAIRS_MAX) n = CT_PAIRS_MAX;
  if (n >= PARTS) {
    ct_axis_face(f, &part, rows, opposite, n, true, 0);
    ct_axis_from_facings(f, &part, &turning);
  }
  *axis = turning;
  if (ct_axis_is_good(&turning)) return 0;
  ct_axis_face(f, &facings, rows, opposite, n, false, 0);
  ct_axis_from_facings(f, &facings, axis);
  *axis = ct_axis_agreed(&turning, axis);
  return axis->method == CT_AXIS_NONE ? CT_ENODATA : 0;
}
