/* A Gaussian line on a sloping background, by Fisher scoring: weighted least squares with the weights taken from the
 * model, which is where the Poisson likelihood has its maximum, and not from the counts, which would pull the line down. */
#include <comptop/spectra.h>

#include <math.h>
#include <string.h>

enum { AREA, POSITION, WIDTH, LEVEL, SLOPE, PARAMETERS, STEPS = 200 };
#define DAMPING_LEAST 1e-9

/* The bins of one fit; energies relative to <middle>. */
struct window {
  const struct ct_axis *axis;
  const double *counts;
  const struct ct_multiplet *lines;
  uint32_t first, n;
  double middle_keV;
};

static double bin_edge_keV(const struct window *w, uint32_t i)
{
  return w->axis->start_keV + (w->first + i) * w->axis->width_keV - w->middle_keV;
}

/* ---- linear algebra of a symmetric positive matrix, in units of its diagonal ------------------------------------- */
/* a <- L of a = L L^T, in the lower triangle; false: not positive. */
static bool factor(double a[PARAMETERS][PARAMETERS])
{
  for (int i = 0; i < PARAMETERS; i++) {
    for (int j = 0; j <= i; j++) {
      double sum = a[i][j];
      for (int k = 0; k < j; k++)
        sum -= a[i][k] * a[j][k];
      if (i == j && !(sum > 1e-13))
        return false;
      a[i][j] = i == j ? sqrt(sum) : sum / a[j][j];
    }
  }
  return true;
}

static void solve(double l[PARAMETERS][PARAMETERS], double x[PARAMETERS])
{
  for (int i = 0; i < PARAMETERS; i++) {
    for (int k = 0; k < i; k++)
      x[i] -= l[i][k] * x[k];
    x[i] /= l[i][i];
  }
  for (int i = PARAMETERS; i-- > 0;) {
    for (int k = i + 1; k < PARAMETERS; k++)
      x[i] -= l[k][i] * x[k];
    x[i] /= l[i][i];
  }
}

/* Scales <a> to a unit diagonal, which makes unlike parameters comparable, and factors it. */
static bool scale_and_factor(double a[PARAMETERS][PARAMETERS], double scale[PARAMETERS], double damping)
{
  for (int i = 0; i < PARAMETERS; i++) {
    if (!(a[i][i] > 0) || !isfinite(a[i][i]))
      return false;
    scale[i] = 1 / sqrt(a[i][i]);
  }
  for (int i = 0; i < PARAMETERS; i++)
    for (int j = 0; j < PARAMETERS; j++)
      a[i][j] = i == j ? 1 + damping : a[i][j] * scale[i] * scale[j];
  return factor(a);
}

/* ---- the model ------------------------------------------------------------------------------------------------ */
static double normal_density(double z) { return 0.3989422804014327 * exp(-0.5 * z * z); }

/* Counts expected in bin <i>, with their derivatives. */
static double expected(const struct window *w, const double p[PARAMETERS], uint32_t i, double d[PARAMETERS])
{
  double from_keV = bin_edge_keV(w, i), to_keV = bin_edge_keV(w, i + 1), width_keV = w->axis->width_keV;

  d[AREA] = d[POSITION] = d[WIDTH] = 0;
  for (uint32_t k = 0; k < w->lines->n; k++) {
    double at_keV = p[POSITION] + w->lines->offset_keV[k], share = w->lines->share[k];
    double z0 = (from_keV - at_keV) / p[WIDTH], z1 = (to_keV - at_keV) / p[WIDTH];
    double n0 = normal_density(z0), n1 = normal_density(z1);
    d[AREA] += share * 0.5 * (erf(z1 * M_SQRT1_2) - erf(z0 * M_SQRT1_2));
    d[POSITION] += share * p[AREA] * (n0 - n1) / p[WIDTH];
    d[WIDTH] += share * p[AREA] * (z0 * n0 - z1 * n1) / p[WIDTH];
  }
  d[LEVEL] = width_keV;
  d[SLOPE] = width_keV * (from_keV + to_keV) / 2;
  return p[AREA] * d[AREA] + p[LEVEL] * d[LEVEL] + p[SLOPE] * d[SLOPE];
}

/* A bin in which next to nothing is expected must not decide everything. */
static double variance(double counts) { return counts > 1 ? counts : 1; }

/* Chi square of <p> with the variances of <reference>. */
static double misfit(const struct window *w, const double p[PARAMETERS], const double reference[PARAMETERS])
{
  double sum = 0, ignored[PARAMETERS];

  for (uint32_t i = 0; i < w->n; i++) {
    double off = w->counts[w->first + i] - expected(w, p, i, ignored);
    sum += off * off / variance(expected(w, reference, i, ignored));
  }
  return sum;
}

/* The normal equations at <p>: information a, gradient g. */
static void linearise(const struct window *w, const double p[PARAMETERS], double a[PARAMETERS][PARAMETERS],
                      double g[PARAMETERS])
{
  memset(a, 0, PARAMETERS * sizeof *a);
  memset(g, 0, PARAMETERS * sizeof *g);
  for (uint32_t i = 0; i < w->n; i++) {
    double d[PARAMETERS], mu = expected(w, p, i, d), weight = 1 / variance(mu);
    for (int j = 0; j < PARAMETERS; j++) {
      g[j] += weight * d[j] * (w->counts[w->first + i] - mu);
      for (int k = 0; k < PARAMETERS; k++)
        a[j][k] += weight * d[j] * d[k];
    }
  }
}

static bool inside(const struct window *w, const double p[PARAMETERS])
{
  double span_keV = w->n * w->axis->width_keV;
  return p[POSITION] > bin_edge_keV(w, 0) && p[POSITION] < bin_edge_keV(w, w->n) &&
         p[WIDTH] > 0.1 * w->axis->width_keV && p[WIDTH] < span_keV;
}

/* One damped step: 1 to go on, 0 when it moved nothing that matters any more, negative when there is no way on. */
static int improve(const struct window *w, double p[PARAMETERS], double *damping)
{
  double a[PARAMETERS][PARAMETERS], g[PARAMETERS], before = misfit(w, p, p);

  for (; *damping < 1e12; *damping *= 10) {
    double scale[PARAMETERS], next[PARAMETERS], moved = 0;
    linearise(w, p, a, g);
    if (!scale_and_factor(a, scale, *damping))
      continue;
    for (int i = 0; i < PARAMETERS; i++)
      g[i] *= scale[i];
    solve(a, g);
    for (int i = 0; i < PARAMETERS; i++) {
      next[i] = p[i] + g[i] * scale[i];
      moved = fmax(moved, fabs(g[i]));     /* in standard deviations, or nearly */
    }
    /* Near the end rounding decides which misfit is smaller. */
    if (!inside(w, next) || !(misfit(w, next, p) <= before * (1 + 1e-12) + 1e-12))
      continue;
    memcpy(p, next, sizeof next);
    *damping = fmax(*damping / 10, DAMPING_LEAST);
    return moved >= 1e-6;
  }
  return -1;
}

/* ---- where to begin -------------------------------------------------------------------------------------------- */
static double mean_of(const struct window *w, uint32_t from, uint32_t to)
{
  double sum = 0;
  for (uint32_t i = from; i < to; i++)
    sum += w->counts[w->first + i];
  return sum / (to - from);
}

/* Background from the outer eighths; the line where a bin and its neighbours stand out most; its width from area and
 * height. False: nothing stands out by three standard deviations. */
static bool guess(const struct window *w, double p[PARAMETERS])
{
  uint32_t edge = w->n / 8 > 0 ? w->n / 8 : 1, top = 0;
  double width_keV = w->axis->width_keV, left = mean_of(w, 0, edge), right = mean_of(w, w->n - edge, w->n);
  double rise = (right - left) / (w->n - edge), height = 0, area = 0, below = 0;

  for (uint32_t i = 1; i + 1 < w->n; i++) {
    double base = left + rise * (i - (edge - 1) / 2.0), above = mean_of(w, i - 1, i + 2) - base;
    if (above > height) {
      height = above;
      top = i;
    }
    area += w->counts[w->first + i] - base;
    below += base;
  }
  if (!(area > 3 * sqrt(fmax(area + 2 * below, 1))))
    return false;
  p[AREA] = area;
  p[POSITION] = (bin_edge_keV(w, top) + bin_edge_keV(w, top + 1)) / 2;
  p[WIDTH] = fmin(fmax(0.4 * area / height, 0.5) * width_keV, w->n * width_keV / 6);
  p[LEVEL] = (left + right) / (2 * width_keV);
  p[SLOPE] = rise / (width_keV * width_keV);
  return inside(w, p);
}

/* ---- the fit --------------------------------------------------------------------------------------------------- */
static int report(const struct window *w, const double p[PARAMETERS], struct ct_peak *out)
{
  double a[PARAMETERS][PARAMETERS], g[PARAMETERS], scale[PARAMETERS], variance_of[PARAMETERS];

  linearise(w, p, a, g);
  if (!scale_and_factor(a, scale, 0))
    return CT_ENODATA;
  for (int i = 0; i < PARAMETERS; i++) {
    double unit[PARAMETERS] = { 0 };
    unit[i] = 1;
    solve(a, unit);
    variance_of[i] = unit[i] * scale[i] * scale[i];
  }
  /* The background under the line is level + slope * position, and those two are correlated. */
  double b[PARAMETERS] = { [LEVEL] = scale[LEVEL], [SLOPE] = scale[SLOPE] * p[POSITION] };
  memcpy(g, b, sizeof g);
  solve(a, b);
  double background_variance = g[LEVEL] * b[LEVEL] + g[SLOPE] * b[SLOPE];
  *out = (struct ct_peak){
    .position_keV = w->middle_keV + p[POSITION], .position_sigma_keV = sqrt(variance_of[POSITION]),
    .width_keV = p[WIDTH], .width_sigma_keV = sqrt(variance_of[WIDTH]),
    .fwhm_keV = CT_PEAK_FWHM * p[WIDTH], .fwhm_sigma_keV = CT_PEAK_FWHM * sqrt(variance_of[WIDTH]),
    .area = p[AREA], .area_sigma = sqrt(variance_of[AREA]),
    .background_per_keV = p[LEVEL] + p[SLOPE] * p[POSITION], .background_sigma_per_keV = sqrt(background_variance),
    .chi2 = misfit(w, p, p), .dof = w->n - PARAMETERS,
  };
  return out->area > 3 * out->area_sigma ? 0 : CT_ENODATA;
}

int ct_peak_fit(const struct ct_axis *axis, const double *counts, double near_keV, double half_width_keV,
                struct ct_peak *out)
{
  static const struct ct_multiplet single = { .n = 1, .share = { 1 } };
  return ct_multiplet_fit(axis, counts, &single, near_keV, half_width_keV, out);
}

int ct_multiplet_fit(const struct ct_axis *axis, const double *counts, const struct ct_multiplet *lines, double near_keV,
                     double half_width_keV, struct ct_peak *out)
{
  double from = (near_keV - half_width_keV - axis->start_keV) / axis->width_keV;
  double to = (near_keV + half_width_keV - axis->start_keV) / axis->width_keV;
  double p[PARAMETERS], damping = 1e-4;

  if (!(from >= 0) || !(to <= axis->n) || !(to - from >= 2 * PARAMETERS))
    return CT_ERANGE;
  struct window w = { axis, counts, lines, (uint32_t)ceil(from), 0, near_keV };
  w.n = (uint32_t)floor(to) - w.first;
  for (uint32_t i = 0; i < w.n; i++)
    if (!(counts[w.first + i] >= 0) || !isfinite(counts[w.first + i]))
      return CT_ERANGE;
  if (!guess(&w, p))
    return CT_ENODATA;
  int moving = 1;
  for (int step = 0; step < STEPS && moving > 0; step++)
    moving = improve(&w, p, &damping);
  return moving == 0 ? report(&w, p, out) : CT_ENODATA;
}
