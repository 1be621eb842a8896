/* x from EMF: the line against the textbook's formulas on exact numbers, its covariance against a Monte-Carlo of whole
 * calibrations, and what is refused. */
#include "common.h"

#include <stdio.h>

static double gauss(uint64_t *seed) { return sqrt(-2 * log(uniform(seed))) * cos(2 * M_PI * uniform(seed)); }

static void two_references_give_the_line_through_them(void **state)
{
  (void)state;
  const struct ct_lithium_reference refs[] = { { 0.2, 0.909, 0.0006 }, { 1.0, 0.9272, 0.0006 } };
  struct ct_lithium line;
  double x, sigma;
  assert_int_equal(ct_lithium_fit(&line, refs, 2, NULL), 0);
  assert_near(line.slope, 0.02275, 1e-12);
  assert_near(line.x0, 0.6, 1e-12);
  assert_near(line.emf0, 0.9181, 1e-12);
  assert_near(line.chi2, 0, 1e-12);
  ct_lithium_x(&line, 0.909, 0, &x, &sigma);
  assert_near(x, 0.2, 1e-9);
  assert_near(sigma, 0.0006 / 0.02275, 1e-9);          /* at a reference: its own error alone */
  ct_lithium_x(&line, 0.9181, 0.001, &x, &sigma);
  assert_near(x, 0.6, 1e-9);
  assert_near(sigma, sqrt(1e-6 + 0.5 * 0.36e-6) / 0.02275, 1e-9);
}

/* Normal equations with the full covariance matrix, written out: x0 = 0. */
static void many_references_agree_with_the_normal_equations(void **state)
{
  (void)state;
  const struct ct_lithium_reference refs[] = { { 0.1, 0.90, 0.002 }, { 0.3, 0.917, 0.001 }, { 0.35, 0.912, 0.003 },
                                               { 0.8, 0.94, 0.001 }, { 1.0, 0.958, 0.004 } };
  double s = 0, sx = 0, sxx = 0, sy = 0, sxy = 0;
  for (int i = 0; i < 5; i++) {
    double w = 1 / (refs[i].sigma * refs[i].sigma);
    s += w, sx += w * refs[i].x, sxx += w * refs[i].x * refs[i].x, sy += w * refs[i].emf, sxy += w * refs[i].x * refs[i].emf;
  }
  double det = s * sxx - sx * sx, a = (sxx * sy - sx * sxy) / det, b = (s * sxy - sx * sy) / det;
  double c_aa = sxx / det, c_bb = s / det, c_ab = -sx / det, emf = 0.93, sigma_emf = 0.0015;
  double x_true = (emf - a) / b, var = c_aa + 2 * x_true * c_ab + x_true * x_true * c_bb;
  struct ct_lithium line;
  double x, sigma;
  assert_int_equal(ct_lithium_fit(&line, refs, 5, NULL), 0);
  ct_lithium_x(&line, emf, sigma_emf, &x, &sigma);
  assert_near(line.slope, b, 1e-12);
  assert_near(line.slope_sigma, sqrt(c_bb), 1e-12);
  assert_near(x, x_true, 1e-10);
  assert_near(sigma, sqrt(sigma_emf * sigma_emf + var) / b, 1e-10);
  assert_near(line.x_low, 0.1, 0);
  assert_near(line.x_high, 1.0, 0);
}

/* Calibrate and measure anew each time, with random errors: (x - truth)/sigma_x has mean 0 and sd 1. */
static void pulls_of_whole_calibrations(void **state)
{
  (void)state;
  enum { TRIALS = 20000 };
  uint64_t seed = 7;
  double sum = 0, sum2 = 0;
  for (int t = 0; t < TRIALS; t++) {
    struct ct_lithium_reference refs[] = { { 0.2, 0, 0.0006 }, { 0.6, 0, 0.0009 }, { 1.0, 0, 0.0004 } };
    struct ct_lithium line;
    double x, sigma, truth = 0.1 + 1.2 * uniform(&seed);
    for (int i = 0; i < 3; i++)
      refs[i].emf = 0.905 + 0.0228 * refs[i].x + refs[i].sigma * gauss(&seed);
    assert_int_equal(ct_lithium_fit(&line, refs, 3, NULL), 0);
    ct_lithium_x(&line, 0.905 + 0.0228 * truth + 0.0008 * gauss(&seed), 0.0008, &x, &sigma);
    double z = (x - truth) / sigma;
    sum += z;
    sum2 += z * z;
  }
  double mean = sum / TRIALS, sd = sqrt(sum2 / TRIALS - mean * mean);
  print_message("# x: mean %+.4f sd %.4f\n", mean, sd);
  assert_near(mean, 0, 4 / sqrt(TRIALS));
  assert_near(sd, 1, 4 / sqrt(2.0 * TRIALS));
}

static void what_cannot_calibrate_is_refused(void **state)
{
  (void)state;
  static const struct { struct ct_lithium_reference refs[3]; uint32_t n; const char *reason; } cases[] = {
    { { { 0.5, 0.9, 0.001 } }, 1, "at least 2" },
    { { { 0.5, 0.9, 0.001 }, { 0.5, 0.91, 0.001 }, { 0.5, 0.92, 0.001 } }, 3, "same x = 0.5" },
    { { { 0.5, 0.9, 0.001 }, { 0.7, 0.9, 0.001 } }, 2, "no slope" },
    { { { 0.5, 0.9, 0.001 }, { 0.7, 0.91, 0 } }, 2, "reference 2" },
    { { { 0.5, 0.9, -1 }, { 0.7, 0.91, 1 } }, 2, "reference 1" },
    { { { (double)NAN, 0.9, 0.1 }, { 0.7, 0.91, 1 } }, 2, "reference 1" },
  };
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    struct ct_lithium line;
    struct ct_err err;
    double x, sigma;
    assert_int_equal(ct_lithium_fit(&line, cases[i].refs, cases[i].n, &err), CT_ERANGE);
    if (strstr(err.text, cases[i].reason) == NULL)
      fail_msg("\"%s\" does not say \"%s\"", err.text, cases[i].reason);
    ct_lithium_x(&line, 0.9, 0.001, &x, &sigma);
    assert_true(isnan(x) && isnan(sigma));
  }
}

static void without_an_emf_there_is_no_x(void **state)
{
  (void)state;
  const struct ct_lithium_reference refs[] = { { 0, 1, 0.1 }, { 1, 2, 0.1 } };
  struct ct_lithium line;
  double x, sigma;
  assert_int_equal(ct_lithium_fit(&line, refs, 2, NULL), 0);
  ct_lithium_x(&line, (double)NAN, (double)NAN, &x, &sigma);
  assert_true(isnan(x) && isnan(sigma));
}

int main(void)
{
  const struct CMUnitTest tests[] = {
    cmocka_unit_test(two_references_give_the_line_through_them),
    cmocka_unit_test(many_references_agree_with_the_normal_equations),
    cmocka_unit_test(pulls_of_whole_calibrations),
    cmocka_unit_test(what_cannot_calibrate_is_refused),
    cmocka_unit_test(without_an_emf_there_is_no_x),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
