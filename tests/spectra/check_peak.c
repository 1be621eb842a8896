/* Lines of known place, width and area, drawn with Poisson noise: found there, with errors that are true. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include <comptop/spectra.h>

enum { BINS = 1000 };
static const struct ct_axis axis = { 0, 0.2, BINS };

#define assert_near(value, wanted, tolerance) assert_true(fabs((value) - (wanted)) <= (tolerance))

struct line {
  double position_keV, width_keV, area, level_per_keV, slope_per_keV2;   /* level: at the position */
};

static double unit(uint64_t *seed)
{
  *seed = *seed * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
  return ((double)(*seed >> 11) + 0.5) * 0x1p-53;
}

static double normal(uint64_t *seed)
{
  double u = unit(seed), v = unit(seed);
  return sqrt(-2 * log(u)) * cos(2 * M_PI * v);
}

/* Exact by inversion below 50, by the nearest normal above: no bias that these tests could see. */
static double poisson(uint64_t *seed, double mean)
{
  if (mean > 50)
    return fmax(0, round(mean + sqrt(mean) * normal(seed)));
  double n = 0, p = exp(-mean), sum = p, u = unit(seed);
  while (u > sum && n < 500) {
    p *= mean / ++n;
    sum += p;
  }
  return n;
}

/* Expected counts by a fine numerical integral, independent of the fit's error functions. */
static void expect(const struct line *line, double *counts)
{
  enum { FINE = 50 };
  for (int bin = 0; bin < BINS; bin++) {
    double step = axis.width_keV / FINE;
    counts[bin] = 0;
    for (int i = 0; i < FINE; i++) {
      double x = axis.start_keV + bin * axis.width_keV + (i + 0.5) * step - line->position_keV;
      double z = x / line->width_keV;
      counts[bin] += step * (line->area * exp(-z * z / 2) / (line->width_keV * sqrt(2 * M_PI)) + line->level_per_keV +
                             line->slope_per_keV2 * x);
    }
  }
}

static void test_noise_free_line_is_found_exactly(void **state)
{
  static double counts[BINS];
  const struct line line = { 59.318, 0.37, 5e5, 2e4, -300 };
  struct ct_peak peak;
  (void)state;
  expect(&line, counts);
  assert_int_equal(ct_peak_fit(&axis, counts, 59.0, 3, &peak), 0);
  assert_near(peak.position_keV, line.position_keV, 1e-5);
  assert_near(peak.width_keV, line.width_keV, 1e-4);
  assert_near(peak.fwhm_keV, 2 * sqrt(2 * log(2)) * line.width_keV, 3e-4);
  assert_near(peak.area, line.area, 1e-4 * line.area);
  assert_near(peak.background_per_keV, line.level_per_keV, 1e-4 * line.level_per_keV);
  assert_true(peak.chi2 < 1);
  assert_int_equal(peak.dof, 30 - 5);
}

/* Without background the best that can be known of the place is width / sqrt(area), of the area sqrt(area). */
static void test_errors_are_those_of_counting(void **state)
{
  static double counts[BINS];
  const struct line line = { 74.97, 1.1, 40000, 0, 0 };
  struct ct_peak peak;
  (void)state;
  expect(&line, counts);
  assert_int_equal(ct_peak_fit(&axis, counts, 75, 6, &peak), 0);
  assert_near(peak.position_sigma_keV, line.width_keV / 200, 0.05 * line.width_keV / 200);
  assert_near(peak.area_sigma, 200, 0.05 * 200);
  assert_near(peak.width_sigma_keV, line.width_keV / sqrt(2 * line.area), 0.1 * line.width_keV / sqrt(2 * line.area));
}

static void pulls(const struct line *line, double near_keV, double half_keV, uint64_t seed)
{
  enum { TRIES = 400 };
  static double mean[BINS], counts[BINS];
  double sum[4] = { 0 }, square[4] = { 0 }, chi2 = 0, dof = 0;
  expect(line, mean);
  for (int t = 0; t < TRIES; t++) {
    struct ct_peak peak;
    for (int bin = 0; bin < BINS; bin++)
      counts[bin] = poisson(&seed, mean[bin]);
    assert_int_equal(ct_peak_fit(&axis, counts, near_keV, half_keV, &peak), 0);
    const double pull[4] = { (peak.position_keV - line->position_keV) / peak.position_sigma_keV,
                             (peak.width_keV - line->width_keV) / peak.width_sigma_keV,
                             (peak.area - line->area) / peak.area_sigma,
                             (peak.background_per_keV - line->level_per_keV) / peak.background_sigma_per_keV };
    for (int i = 0; i < 4; i++) {
      sum[i] += pull[i];
      square[i] += pull[i] * pull[i];
    }
    chi2 += peak.chi2;
    dof += peak.dof;
  }
  for (int i = 0; i < 4; i++) {
    double at = sum[i] / TRIES, spread = sqrt(square[i] / TRIES - at * at);
    assert_true(fabs(at) < 0.2);                      /* 4 standard errors: a bias of a fifth of an error bar */
    assert_true(spread > 0.85 && spread < 1.15);      /* 4 standard errors of a spread */
  }
  assert_true(fabs(chi2 / dof - 1) < 0.05);
}

static void test_errors_are_true(void **state)
{
  (void)state;
  pulls(&(struct line){ 59.32, 0.45, 3000, 800, 20 }, 59.2, 3, 1);        /* a line of tungsten on a continuum */
  pulls(&(struct line){ 93.6, 2.0, 20000, 300, -5 }, 94, 8, 2);           /* as wide as a Compton peak of few counts */
  pulls(&(struct line){ 74.93, 0.5, 1500, 60, 0 }, 75, 3, 3);             /* lead, shielding, little of it */
}

static void test_what_is_no_line_is_refused(void **state)
{
  static double mean[BINS], counts[BINS];
  struct ct_peak peak;
  uint64_t seed = 9;
  int found = 0;
  (void)state;
  assert_int_equal(ct_peak_fit(&axis, counts, 60, 3, &peak), CT_ENODATA);   /* empty */
  for (int bin = 0; bin < BINS; bin++)
    mean[bin] = 100 + bin / 20.0;
  assert_int_equal(ct_peak_fit(&axis, mean, 60, 3, &peak), CT_ENODATA);
  for (int t = 0; t < 300; t++) {
    for (int bin = 0; bin < BINS; bin++)
      counts[bin] = poisson(&seed, mean[bin]);
    found += ct_peak_fit(&axis, counts, 60, 3, &peak) == 0;
  }
  assert_in_range(found, 0, 9);           /* 3 sigma of the area, wherever it looks best: a few in a hundred at most */
}

static void test_bad_input_is_refused(void **state)
{
  static double counts[BINS];
  struct ct_peak peak;
  (void)state;
  expect(&(struct line){ 60, 0.5, 1000, 10, 0 }, counts);
  assert_int_equal(ct_peak_fit(&axis, counts, 60, 3, &peak), 0);
  assert_int_equal(ct_peak_fit(&axis, counts, 1, 3, &peak), CT_ERANGE);
  assert_int_equal(ct_peak_fit(&axis, counts, 199, 3, &peak), CT_ERANGE);
  assert_int_equal(ct_peak_fit(&axis, counts, 60, 0.9, &peak), CT_ERANGE);
  assert_int_equal(ct_peak_fit(&axis, counts, (double)NAN, 3, &peak), CT_ERANGE);
  assert_int_equal(ct_peak_fit(&axis, counts, 60, (double)INFINITY, &peak), CT_ERANGE);
  counts[300] = (double)NAN;
  assert_int_equal(ct_peak_fit(&axis, counts, 60, 3, &peak), CT_ERANGE);
  counts[300] = -1;
  assert_int_equal(ct_peak_fit(&axis, counts, 60, 3, &peak), CT_ERANGE);
}

/* Whatever the counts are, the answer is finite or there is none. */
static void test_any_counts_end_well(void **state)
{
  static double counts[BINS];
  uint64_t seed = 5;
  (void)state;
  for (int t = 0; t < 3000; t++) {
    struct ct_peak peak;
    double scale = pow(10, 6 * unit(&seed)), steep = 20 * unit(&seed);
    for (int bin = 0; bin < BINS; bin++)
      counts[bin] = floor(scale * pow(unit(&seed), steep));
    if (ct_peak_fit(&axis, counts, 20 + 150 * unit(&seed), 1.1 + 10 * unit(&seed), &peak) != 0)
      continue;
    assert_true(isfinite(peak.position_sigma_keV) && peak.position_sigma_keV > 0);
    assert_true(isfinite(peak.area) && isfinite(peak.fwhm_keV) && isfinite(peak.background_sigma_per_keV));
  }
}

/* The K lines of W, and how far the first is from where it is looked for: pulls of 400 spectra. */
static void test_doublets(void **state)
{
  enum { TRIALS = 400 };
  static double mean[BINS], second[BINS], counts[BINS];
  const struct ct_multiplet lines = { .n = 2, .offset_keV = { 0, -1.3364 }, .share = { 0.634, 0.366 } };
  const struct line ka1 = { 59.3682, 0.45, 0.634 * 20000, 4000, -100 }, ka2 = { 58.0318, 0.45, 0.366 * 20000, 0, 0 };
  double place = 0, place2 = 0, width = 0, width2 = 0;
  uint64_t seed = 77;
  struct ct_peak peak;
  (void)state;
  expect(&ka1, mean);
  expect(&ka2, second);
  for (int i = 0; i < BINS; i++)
    mean[i] += second[i];
  assert_int_equal(ct_multiplet_fit(&axis, mean, &lines, 59.3182, 3.6, &peak), 0);
  assert_near(peak.position_keV, 59.3682, 1e-4);
  assert_near(peak.width_keV, 0.45, 1e-3);
  assert_near(peak.area, 20000, 20);
  for (int t = 0; t < TRIALS; t++) {
    for (int i = 0; i < BINS; i++)
      counts[i] = mean[i] > 0 ? poisson(&seed, mean[i]) : 0;
    assert_int_equal(ct_multiplet_fit(&axis, counts, &lines, 59.3182, 3.6, &peak), 0);
    double p = (peak.position_keV - 59.3682) / peak.position_sigma_keV, w = (peak.width_keV - 0.45) / peak.width_sigma_keV;
    place += p, place2 += p * p, width += w, width2 += w * w;
  }
  assert_near(place / TRIALS, 0, 4 / sqrt(TRIALS));
  assert_near(sqrt(place2 / TRIALS), 1, 4 / sqrt(2.0 * TRIALS));
  assert_near(width / TRIALS, 0, 4 / sqrt(TRIALS));
  assert_near(sqrt(width2 / TRIALS), 1, 4 / sqrt(2.0 * TRIALS));
}

int main(void)
{
  const struct CMUnitTest tests[] = {
    cmocka_unit_test(test_doublets),
    cmocka_unit_test(test_noise_free_line_is_found_exactly), cmocka_unit_test(test_errors_are_those_of_counting),
    cmocka_unit_test(test_errors_are_true),                  cmocka_unit_test(test_what_is_no_line_is_refused),
    cmocka_unit_test(test_bad_input_is_refused),             cmocka_unit_test(test_any_counts_end_well),
  };
  return cmocka_run_group_tests_name("peak", tests, NULL, NULL);
}
