/* Energy calibration of a pixel: find the lines of the source in its spectrum, fit each, lay a straight line through. */
#include <comptop/hexitec.h>

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include <gsl/gsl_fit.h>
#include <xraylib.h>

#include "hexitec/line_fit.h"

/* Where gradients and intercepts are looked for, and in what steps: a step moves no line by more than a third of its
 * width. */
static const double gradient_least = 0.005, gradient_most = 0.2, gradient_step = 0.003;
static const double gradient_near = 1.25, intercept_most_keV = 5, intercept_step = 0.25;
/* In standard deviations. */
static const double found_sigmas = 3, fitted_sigmas = 5, crooked_sigmas = 5;
static const double crooked_fwhm = 0.3, foreign_share = 0.3;
static const uint64_t counts_least = 100;
enum { SAMPLE = 256, ROUNDS = 2 };

const char *ct_calibration_word(enum ct_calibration_verdict verdict)
{
  static const char *const words[] = {
#define X(name, word) word,
    CT_CALIBRATIONS(X)
#undef X
  };
  return verdict < CT_CALIBRATION_VERDICTS ? words[verdict] : "?";
}

/* ---- a spectrum, made ready for sums over any stretch -------------------------------------------------------------- */
struct spectrum {
  const struct ct_calibrate *setup;
  const uint32_t *counts;
  double *sums;                        /* of the bins before; bins + 1 */
  double threshold_ADU, end_ADU;
};

static void sum_up(struct spectrum *s, const uint32_t *counts, uint16_t threshold_ADU)
{
  s->counts = counts;
  s->threshold_ADU = threshold_ADU;
  s->end_ADU = s->setup->bins * s->setup->bin_ADU;
  s->sums[0] = 0;
  for (uint32_t i = 0; i < s->setup->bins; i++)
    s->sums[i + 1] = s->sums[i] + counts[i];
}

/* Counts below <at>, which is inside the spectrum. */
static double counts_below(const struct spectrum *s, double at_ADU)
{
  const double bin = at_ADU / s->setup->bin_ADU;
  const uint32_t i = bin < s->setup->bins ? (uint32_t)bin : s->setup->bins - 1;
  return s->sums[i] + (bin - i) * s->counts[i];
}

/* By how many standard deviations a peak of half width <half> stands above the straight line between its two sides; 0
 * where that cannot be seen. */
static double stands_out(const struct spectrum *s, double at_ADU, double half_ADU, double gap_ADU)
{
  const double inner = half_ADU + gap_ADU, outer = inner + half_ADU;
  if (!(at_ADU - outer >= s->threshold_ADU) || !(at_ADU + outer < s->end_ADU))
    return 0;
  const double middle = counts_below(s, at_ADU + half_ADU) - counts_below(s, at_ADU - half_ADU);
  const double sides = counts_below(s, at_ADU - inner) - counts_below(s, at_ADU - outer) +
                       counts_below(s, at_ADU + outer) - counts_below(s, at_ADU + inner);
  return (middle - sides) / sqrt(middle + sides + 1);
}

static double group_stands_out(const struct spectrum *s, const struct ct_line_group *group, double gradient, double intercept)
{
  const double fwhm_ADU = s->setup->fwhm_keV / gradient;
  return stands_out(s, (group->energy_keV - intercept) / gradient, 0.6 * fwhm_ADU + group->spread_keV / gradient,
                    0.25 * fwhm_ADU);
}

/* ---- which peak is which line ----------------------------------------------------------------------------------- */
struct guess {
  double gradient, intercept_keV, score;
};

static double score_of(const struct spectrum *s, double gradient, double intercept_keV)
{
  const struct ct_lines *lines = s->setup->lines;
  double score = 0;
  for (uint32_t i = 0; i < lines->n_groups; i++) {
    double sigmas = group_stands_out(s, &lines->groups[i], gradient, intercept_keV);
    score += sigmas > found_sigmas ? sigmas * sigmas : 0;
  }
  return score;
}

/* With few photons two scales can be about as good, one line taken for the next; then the one that other pixels have is
 * right. In the unit of the score, variances: what is known of sensors is a spread of 5 % and of 2 keV about 0. */
static double unlikely(double gradient, double typical, double intercept_keV)
{
  const double off = typical > 0 ? (gradient / typical - 1) / 0.05 : 0;
  return off * off + intercept_keV * intercept_keV / 4;
}

/* The scale at which the lines of the source stand out most, all together. */
static struct guess search(const struct spectrum *s, double from, double to, double typical)
{
  struct guess best = { 0 };
  const double step_keV = intercept_step * s->setup->fwhm_keV;
  for (double gradient = from; gradient <= to; gradient *= 1 + gradient_step)
    for (double intercept_keV = -intercept_most_keV; intercept_keV <= intercept_most_keV; intercept_keV += step_keV) {
      double score = score_of(s, gradient, intercept_keV) - unlikely(gradient, typical, intercept_keV);
      if (score > best.score)
        best = (struct guess){ gradient, intercept_keV, score };
    }
  return best;
}

/* ---- the fits ----------------------------------------------------------------------------------------------------- */
struct point {
  const struct ct_line_group *group;
  struct ct_line_found found;
};
struct points {
  struct point points[CT_LINES_MAX];
  uint32_t n;
};

/* From 1.6 FWHM below the group's first line to as much above its last. */
static bool fit_group(const struct spectrum *s, const struct ct_line_group *group, double gradient, double intercept_keV,
                      struct ct_line_found *found)
{
  const struct ct_calibrate *setup = s->setup;
  const struct ct_line *lines = setup->lines->lines + group->first;
  const double margin_keV = 1.6 * setup->fwhm_keV, bin = setup->bin_ADU * gradient, fwhm_ADU = setup->fwhm_keV / gradient;
  double first = floor((lines[0].energy_keV - margin_keV - intercept_keV) / bin);
  double last = ceil((lines[group->n - 1].energy_keV + margin_keV - intercept_keV) / bin);
  first = fmax(first, ceil(s->threshold_ADU / setup->bin_ADU));
  last = fmin(last, setup->bins);
  const double at_ADU = (group->energy_keV - intercept_keV) / gradient;
  if (!(last > first) || !(at_ADU - 0.6 * fwhm_ADU > first * setup->bin_ADU))
    return false;
  struct ct_line_fit fit = { .counts = s->counts, .bin_ADU = setup->bin_ADU, .first_bin = (uint32_t)first,
                             .n_bins = (uint32_t)(last - first), .lines = setup->lines, .group = group,
                             .gradient_keV = gradient };
  return ct_line_fit(&fit, at_ADU, fwhm_ADU, found) && found->area > fitted_sigmas * found->area_sigma &&
         fabs(found->position_ADU - at_ADU) < fwhm_ADU && found->position_sigma_ADU < 0.3 * fwhm_ADU &&
         found->fwhm_ADU > 0.4 * fwhm_ADU && found->fwhm_ADU < 2.2 * fwhm_ADU;
}

static void fit_groups(const struct spectrum *s, double gradient, double intercept_keV, struct points *points)
{
  points->n = 0;
  for (uint32_t i = 0; i < s->setup->lines->n_groups; i++) {
    const struct ct_line_group *group = &s->setup->lines->groups[i];
    struct point *point = &points->points[points->n];
    point->group = group;
    if (group_stands_out(s, group, gradient, intercept_keV) > found_sigmas &&
        fit_group(s, group, gradient, intercept_keV, &point->found))
      points->n++;
  }
}

/* Straight line through the points, each with the error of its position; chi square over degrees of freedom. */
static void straight_line(const struct points *points, double gradient, struct ct_calibration *out)
{
  double x[CT_LINES_MAX], y[CT_LINES_MAX], weight[CT_LINES_MAX], c00, c01, c11, chi2;
  for (uint32_t i = 0; i < points->n; i++) {
    const double sigma_keV = gradient * points->points[i].found.position_sigma_ADU;
    x[i] = points->points[i].found.position_ADU;
    y[i] = points->points[i].group->energy_keV;
    weight[i] = 1 / (sigma_keV * sigma_keV);
  }
  gsl_fit_wlinear(x, 1, weight, 1, y, 1, points->n, &out->intercept_keV, &out->gradient_keV, &c00, &c01, &c11, &chi2);
  out->intercept_sigma_keV = sqrt(c00);
  out->gradient_sigma_keV = sqrt(c11);
  out->chi2_dof = points->n > 2 ? chi2 / (points->n - 2) : (double)NAN;
  out->lines = points->n;
}

static double off_line_keV(const struct point *point, const struct ct_calibration *line)
{
  return fabs(line->intercept_keV + line->gradient_keV * point->found.position_ADU - point->group->energy_keV);
}

/* Further off the line than counting explains and than matters. */
static bool is_off(const struct spectrum *s, const struct point *point, const struct ct_calibration *line)
{
  const double off_keV = off_line_keV(point, line);
  return off_keV > crooked_fwhm * s->setup->fwhm_keV &&
         off_keV > crooked_sigmas * line->gradient_keV * point->found.position_sigma_ADU;
}

/* The line without which the others are straight, where that is one, and three are left that check each other. */
static bool drop_one(const struct spectrum *s, struct points *points, struct ct_calibration *out)
{
  double best = (double)INFINITY;
  struct points kept = *points;
  for (uint32_t without = 0; points->n >= 4 && without < points->n; without++) {
    struct points fewer = { .n = 0 };
    struct ct_calibration line = { 0 };
    bool straight = true;
    for (uint32_t i = 0; i < points->n; i++)
      if (i != without)
        fewer.points[fewer.n++] = points->points[i];
    straight_line(&fewer, out->gradient_keV, &line);
    for (uint32_t i = 0; i < fewer.n; i++)
      straight = straight && !is_off(s, &fewer.points[i], &line);
    if (straight && line.chi2_dof < best) {
      best = line.chi2_dof;
      kept = fewer;
    }
  }
  *points = kept;
  if (best < (double)INFINITY)
    straight_line(points, out->gradient_keV, out);
  return best < (double)INFINITY;
}

static bool is_straight(const struct spectrum *s, const struct points *points, const struct ct_calibration *line)
{
  for (uint32_t i = 0; i < points->n; i++)
    if (is_off(s, &points->points[i], line))
      return false;
  return line->gradient_keV > 0;
}

/* ---- lines that are none of the source ----------------------------------------------------------------------------- */
/* What Cd and Te in the sensor add: their own K lines, and lines less one of those that escaped. */
static bool is_explained(const struct spectrum *s, double energy_keV)
{
  static const int z[] = { 48, 52 }, shells[] = { KA_LINE, KB_LINE };
  const struct ct_lines *lines = s->setup->lines;
  for (uint32_t i = 0; i < lines->n; i++)
    if (fabs(lines->lines[i].energy_keV - energy_keV) < 1.5 * s->setup->fwhm_keV)
      return true;
  for (int k = 0; k < 4; k++) {
    const double fluorescence_keV = LineEnergy(z[k / 2], shells[k % 2], NULL);
    if (fabs(fluorescence_keV - energy_keV) < s->setup->fwhm_keV)
      return true;
    for (uint32_t i = 0; i < lines->n; i++)
      if (fabs(lines->lines[i].energy_keV - fluorescence_keV - energy_keV) < s->setup->fwhm_keV)
        return true;
  }
  return false;
}

/* A peak stronger than every line of the source says that the source is another one; through two points there is a
 * straight line whatever they are, so there a weaker one says it, too. */
static bool has_foreign(const struct spectrum *s, const struct points *points, const struct ct_calibration *line)
{
  const double fwhm_ADU = s->setup->fwhm_keV / line->gradient_keV;
  double strongest = 0;
  for (uint32_t i = 0; i < points->n; i++)
    strongest = fmax(strongest, group_stands_out(s, points->points[i].group, line->gradient_keV, line->intercept_keV));
  const double limit = points->n > 2 ? strongest : fmax(foreign_share * strongest, fitted_sigmas);
  for (double at = s->threshold_ADU; at < s->end_ADU; at += 0.2 * fwhm_ADU)
    if (stands_out(s, at, 0.6 * fwhm_ADU, 0.25 * fwhm_ADU) > limit &&
        !is_explained(s, line->intercept_keV + line->gradient_keV * at))
      return true;
  return false;
}

/* ---- a pixel ------------------------------------------------------------------------------------------------------ */
static double strongest_fwhm_keV(const struct points *points, double gradient)
{
  const struct point *best = &points->points[0];
  for (uint32_t i = 1; i < points->n; i++)
    if (points->points[i].found.area > best->found.area)
      best = &points->points[i];
  return best->found.fwhm_ADU * gradient;
}

static enum ct_calibration_verdict calibrate(const struct spectrum *s, struct ct_calibration *out)
{
  const double typical = s->setup->gradient_keV;
  struct points points;
  if (out->counts == 0)
    return CT_CALIBRATION_EMPTY;
  if (out->counts < counts_least)
    return CT_CALIBRATION_FEW;
  struct guess guess = typical > 0 ? search(s, typical / gradient_near, typical * gradient_near, typical) : (struct guess){ 0 };
  if (guess.score <= 0)
    return CT_CALIBRATION_MISSING;
  out->gradient_keV = guess.gradient;
  out->intercept_keV = guess.intercept_keV;
  for (int round = 0; round < ROUNDS; round++) {
    fit_groups(s, out->gradient_keV, out->intercept_keV, &points);
    if (points.n < 2)
      return CT_CALIBRATION_MISSING;
    straight_line(&points, out->gradient_keV, out);
    if (!(out->gradient_keV > 0))
      return CT_CALIBRATION_CROOKED;
  }
  if (!is_straight(s, &points, out) && !drop_one(s, &points, out))
    return CT_CALIBRATION_CROOKED;
  out->fwhm_keV = strongest_fwhm_keV(&points, out->gradient_keV);
  if (has_foreign(s, &points, out))
    return CT_CALIBRATION_FOREIGN;
  return points.n > 2 ? CT_CALIBRATION_OK : CT_CALIBRATION_TWO;
}

void ct_calibrate_pixel(const struct ct_calibrate *setup, const uint32_t *counts, uint16_t threshold_ADU,
                        struct ct_calibration *out)
{
  struct spectrum s = { .setup = setup, .sums = ct_xcalloc((size_t)setup->bins + 1, sizeof *s.sums) };
  sum_up(&s, counts, threshold_ADU);
  *out = (struct ct_calibration){ .counts = (uint64_t)s.sums[setup->bins], .chi2_dof = (double)NAN, .fwhm_keV = (double)NAN };
  const enum ct_calibration_verdict verdict = calibrate(&s, out);
  if (verdict != CT_CALIBRATION_OK && verdict != CT_CALIBRATION_TWO) {
    const struct ct_calibration none = { .counts = out->counts, .lines = out->lines, .chi2_dof = out->chi2_dof,
                                         .fwhm_keV = out->fwhm_keV };
    *out = none;
  }
  out->verdict = verdict;
  free(s.sums);
}

double ct_calibrate_gradient(const struct ct_calibrate *setup, const uint32_t *counts, const uint16_t *threshold_ADU,
                             size_t pixels)
{
  struct spectrum s = { .setup = setup, .sums = ct_xcalloc((size_t)setup->bins + 1, sizeof *s.sums) };
  const size_t step = pixels > SAMPLE ? pixels / SAMPLE : 1;
  double *gradients = ct_xcalloc(pixels / step + 1, sizeof *gradients), typical = 0;
  size_t n = 0;
  for (size_t p = 0; p < pixels; p += step) {
    sum_up(&s, counts + p * setup->bins, threshold_ADU[p]);
    if (s.sums[setup->bins] < (double)counts_least)
      continue;
    struct guess guess = search(&s, gradient_least, gradient_most, 0);
    if (guess.score > 0)
      gradients[n++] = guess.gradient;
  }
  qsort(gradients, n, sizeof *gradients, ct_by_double);
  if (n > 0)
    typical = gradients[n / 2];
  free(gradients);
  free(s.sums);
  return typical;
}
