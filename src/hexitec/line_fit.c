/* Gaussians of one width on a step and a straight background, by GSL's Levenberg-Marquardt. The weights come from the
 * model of the pass before: that ends at the maximum of the Poisson likelihood, where weights out of the counts would
 * pull the line down. */
#include "hexitec/line_fit.h"

#include <math.h>

#include <gsl/gsl_errno.h>
#include <gsl/gsl_multifit_nlinear.h>

enum parameter { AREA, POSITION, SIGMA, STEP, LEVEL, SLOPE, PARAMETERS };
enum { PASSES = 3, ITERATIONS = 50, BINS_LEAST = PARAMETERS + 4 };
#define FWHM_PER_SIGMA 2.3548200450309493
/* A bin in which next to nothing is expected must not decide everything. */
static const double variance_least = 0.5;

/* A bin counts whole ADU, and each of them stands for what is half an ADU around it. */
static double bin_edge_ADU(const struct ct_line_fit *fit, uint32_t i) { return (fit->first_bin + i) * fit->bin_ADU - 0.5; }

static double middle_ADU(const struct ct_line_fit *fit)
{
  return (bin_edge_ADU(fit, 0) + bin_edge_ADU(fit, fit->n_bins)) / 2;
}

static double density(double z) { return 0.3989422804014327 * exp(-0.5 * z * z); }
static double below(double z) { return 0.5 * erfc(-z * M_SQRT1_2); }

/* The lines at one bin edge: what lies below it, and its derivatives by position and by sigma. */
struct edge {
  double below, by_position, by_sigma;
};

static struct edge lines_at(const struct ct_line_fit *fit, const gsl_vector *p, uint32_t i)
{
  const struct ct_line_group *group = fit->group;
  const double from = bin_edge_ADU(fit, i) - gsl_vector_get(p, POSITION), sigma = gsl_vector_get(p, SIGMA);
  struct edge sum = { 0 };
  double weights = 0;
  for (uint32_t k = group->first; k < group->first + group->n; k++) {
    const struct ct_line *line = &fit->lines->lines[k];
    const double z = (from - (line->energy_keV - group->energy_keV) / fit->gradient_keV) / sigma;
    const double steep = line->weight * density(z) / sigma;
    sum.below += line->weight * below(z);
    sum.by_position -= steep;
    sum.by_sigma -= steep * z;
    weights += line->weight;
  }
  return (struct edge){ sum.below / weights, sum.by_position / weights, sum.by_sigma / weights };
}

/* Counts expected in bin <i>, between two edges, with their derivatives. */
static double expected(const struct ct_line_fit *fit, const gsl_vector *p, uint32_t i, const struct edge *from,
                       const struct edge *to, double d[PARAMETERS])
{
  const double area = gsl_vector_get(p, AREA), step = gsl_vector_get(p, STEP), sigma = gsl_vector_get(p, SIGMA);
  const double centre = (bin_edge_ADU(fit, i) + bin_edge_ADU(fit, i + 1)) / 2;
  const double z = (centre - gsl_vector_get(p, POSITION)) / sigma, steep = step * density(z) / sigma;
  d[AREA] = to->below - from->below;
  d[POSITION] = area * (to->by_position - from->by_position) + steep;
  d[SIGMA] = area * (to->by_sigma - from->by_sigma) + steep * z;
  d[STEP] = below(-z);
  d[LEVEL] = 1;
  d[SLOPE] = (centre - middle_ADU(fit)) / (fit->n_bins * fit->bin_ADU);
  return area * d[AREA] + step * d[STEP] + gsl_vector_get(p, LEVEL) + gsl_vector_get(p, SLOPE) * d[SLOPE];
}

/* Of all bins: what is expected into <counts>, the derivatives into <jacobian>; either may be NULL. */
static void expect_all(const struct ct_line_fit *fit, const gsl_vector *p, gsl_vector *counts, gsl_matrix *jacobian)
{
  double d[PARAMETERS];
  struct edge from = lines_at(fit, p, 0);
  for (uint32_t i = 0; i < fit->n_bins; i++) {
    const struct edge to = lines_at(fit, p, i + 1);
    const double sum = expected(fit, p, i, &from, &to, d);
    if (counts != NULL)
      gsl_vector_set(counts, i, sum);
    for (size_t j = 0; jacobian != NULL && j < PARAMETERS; j++)
      gsl_matrix_set(jacobian, i, j, d[j]);
    from = to;
  }
}

static int residuals(const gsl_vector *p, void *context, gsl_vector *f)
{
  const struct ct_line_fit *fit = context;
  if (!(gsl_vector_get(p, SIGMA) > 0))
    return GSL_EDOM;
  expect_all(fit, p, f, NULL);
  for (uint32_t i = 0; i < fit->n_bins; i++)
    gsl_vector_set(f, i, gsl_vector_get(f, i) - fit->counts[fit->first_bin + i]);
  return GSL_SUCCESS;
}

static int derivatives(const gsl_vector *p, void *context, gsl_matrix *jacobian)
{
  expect_all(context, p, NULL, jacobian);
  return GSL_SUCCESS;
}

static void set_weights(const struct ct_line_fit *fit, const gsl_vector *p, gsl_vector *weights)
{
  expect_all(fit, p, weights, NULL);
  for (uint32_t i = 0; i < fit->n_bins; i++)
    gsl_vector_set(weights, i, 1 / fmax(gsl_vector_get(weights, i), variance_least));
}

/* Background from the ends of the stretch, area from what is above it. */
static void begin(const struct ct_line_fit *fit, double position_ADU, double fwhm_ADU, gsl_vector *p)
{
  const uint32_t edge = fit->n_bins / 8 + 1;
  double left = 0, right = 0, all = 0;
  for (uint32_t i = 0; i < fit->n_bins; i++) {
    const double counts = fit->counts[fit->first_bin + i];
    all += counts;
    left += i < edge ? counts : 0;
    right += i >= fit->n_bins - edge ? counts : 0;
  }
  left /= edge;
  right /= edge;
  gsl_vector_set(p, AREA, fmax(all - fit->n_bins * (left + right) / 2, 1));
  gsl_vector_set(p, POSITION, position_ADU);
  gsl_vector_set(p, SIGMA, fwhm_ADU / FWHM_PER_SIGMA);
  gsl_vector_set(p, STEP, fmax(left - right, 0));
  gsl_vector_set(p, LEVEL, fmin(left, right));
  gsl_vector_set(p, SLOPE, 0);
}

static bool iterate(gsl_multifit_nlinear_workspace *work, gsl_multifit_nlinear_fdf *model, gsl_vector *p,
                    gsl_vector *weights)
{
  int why;
  for (int pass = 0; pass < PASSES; pass++) {
    set_weights(model->params, p, weights);
    if (gsl_multifit_nlinear_winit(p, weights, model, work) != GSL_SUCCESS)
      return false;
    int code = gsl_multifit_nlinear_driver(ITERATIONS, 1e-5, 1e-5, 0, NULL, NULL, &why, work);
    /* GSL_ENOPROG: rounding leaves no smaller sum, so it is at the minimum. GSL_EMAXITER: step and background still
     * creep along each other, and the line has long come to rest. */
    if (code != GSL_SUCCESS && code != GSL_ENOPROG && code != GSL_EMAXITER)
      return false;
    gsl_vector_memcpy(p, gsl_multifit_nlinear_position(work));
  }
  return true;
}

static bool fit_lines(const struct ct_line_fit *fit, gsl_multifit_nlinear_workspace *work, gsl_vector *p,
                      gsl_vector *weights, gsl_matrix *covariance, struct ct_line_found *out)
{
  struct ct_line_fit copy = *fit;
  gsl_multifit_nlinear_fdf model = { .f = residuals, .df = derivatives, .n = fit->n_bins, .p = PARAMETERS,
                                     .params = &copy };
  if (!iterate(work, &model, p, weights) ||
      gsl_multifit_nlinear_covar(gsl_multifit_nlinear_jac(work), 0, covariance) != GSL_SUCCESS)
    return false;
  *out = (struct ct_line_found){
    .position_ADU = gsl_vector_get(p, POSITION), .position_sigma_ADU = sqrt(gsl_matrix_get(covariance, POSITION, POSITION)),
    .fwhm_ADU = FWHM_PER_SIGMA * gsl_vector_get(p, SIGMA),
    .area = gsl_vector_get(p, AREA), .area_sigma = sqrt(gsl_matrix_get(covariance, AREA, AREA)),
  };
  return isfinite(out->position_ADU) && out->position_sigma_ADU > 0 && isfinite(out->position_sigma_ADU) &&
         isfinite(out->fwhm_ADU) && isfinite(out->area) && out->area_sigma > 0;
}

bool ct_line_fit(const struct ct_line_fit *fit, double position_ADU, double fwhm_ADU, struct ct_line_found *out)
{
  if (fit->n_bins < BINS_LEAST)
    return false;
  gsl_multifit_nlinear_parameters how = gsl_multifit_nlinear_default_parameters();
  how.solver = gsl_multifit_nlinear_solver_cholesky;
  /* What the handler would abort for is what a fit that finds nothing does. */
  gsl_error_handler_t *handler = gsl_set_error_handler_off();
  gsl_multifit_nlinear_workspace *work =
    gsl_multifit_nlinear_alloc(gsl_multifit_nlinear_trust, &how, fit->n_bins, PARAMETERS);
  gsl_vector *p = gsl_vector_alloc(PARAMETERS), *weights = gsl_vector_alloc(fit->n_bins);
  gsl_matrix *covariance = gsl_matrix_alloc(PARAMETERS, PARAMETERS);
  bool good = work != NULL && p != NULL && weights != NULL && covariance != NULL;
  if (good) {
    begin(fit, position_ADU, fwhm_ADU, p);
    good = fit_lines(fit, work, p, weights, covariance, out);
  }
  gsl_matrix_free(covariance);
  gsl_vector_free(weights);
  gsl_vector_free(p);
  gsl_multifit_nlinear_free(work);
  gsl_set_error_handler(handler);
  return good;
}
