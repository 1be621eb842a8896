/* Trend and CUSUM on simulated samples: the line against normal equations, its error by pulls, the rate of false alarms
 * against the literature, the delay of true ones, and that nothing depends on where a sample is cut. */
#include "common.h"

#include <stdio.h>

static double gauss(uint64_t *seed) { return sqrt(-2 * log(uniform(seed))) * cos(2 * M_PI * uniform(seed)); }

static double count(uint64_t *seed, double mean)
{
  return mean < 500 ? poisson(seed, mean) : fmax(0, floor(mean + sqrt(mean) * gauss(seed) + 0.5));
}

/* L and H of <n> photons at this EMF. */
static struct ct_sums sample(uint64_t *seed, double n, double emf)
{
  double L = count(seed, n * emf / (1 + emf)), H = count(seed, n / (1 + emf));
  return (struct ct_sums){ .L = L, .H = H, .var_L = L, .var_H = H, .counts = L + H };
}

static void the_line_is_that_of_the_normal_equations(void **state)
{
  (void)state;
  struct ct_drift drift;
  struct ct_change change;
  uint64_t seed = 5;
  double s = 0, st = 0, stt = 0, sy = 0, sty = 0;
  ct_drift_init(&drift, 0.5, 5);
  for (int i = 0; i < 50; i++) {
    struct ct_sums one = sample(&seed, 1e6, 0.9 + 0.001 * i);
    double t = 1.79e9 + 60.0 * i, y = one.L / one.H - one.L / (one.H * one.H);
    double w = one.H * one.H / (one.L + y * y * one.H);
    ct_drift_add(&drift, t, &one, true);
    t -= 1.79e9;
    s += w, st += w * t, stt += w * t * t, sy += w * y, sty += w * t * y;
  }
  ct_drift_report(&drift, &change);
  double det = s * stt - st * st;
  assert_int_equal(change.samples, 50);
  /* The weights come from the pooled EMF here, from each sample's own there: they differ in per mille. */
  assert_near(change.per_h, 3600 * (s * sty - st * sy) / det, 0.1 * 3600 * sqrt(s / det));
  assert_near(change.sigma_per_h / (3600 * sqrt(s / det)), 1, 0.02);
  assert_near(change.per_h, 0.06, 4 * change.sigma_per_h);
}

static void pulls_of_the_trend(void **state)
{
  (void)state;
  enum { TRIALS = 3000 };
  static const double photons[] = { 150, 1000, 1e5 };
  for (int c = 0; c < 3; c++) {
    uint64_t seed = 17 + (uint64_t)c;
    double sum = 0, sum2 = 0;
    for (int t = 0; t < TRIALS; t++) {
      struct ct_drift drift;
      struct ct_change change;
      ct_drift_init(&drift, 0.5, 5);
      for (int i = 0; i < 60; i++) {
        struct ct_sums one = sample(&seed, photons[c], 0.9);
        ct_drift_add(&drift, 60.0 * i, &one, i % 12 == 11);
      }
      ct_drift_report(&drift, &change);
      double z = change.per_h / change.sigma_per_h;
      sum += z;
      sum2 += z * z;
    }
    double mean = sum / TRIALS, sd = sqrt(sum2 / TRIALS - mean * mean);
    print_message("# trend of %g photons a sample: mean %+.3f sd %.3f\n", photons[c], mean, sd);
    assert_near(mean, 0, 4 / sqrt(TRIALS));
    assert_near(sd, 1, 4 / sqrt(2.0 * TRIALS));
  }
}

/* Steps to the alarm; at most <limit>. */
static int run_length(uint64_t *seed, double photons, double per_step, double jump, int limit)
{
  struct ct_drift drift;
  struct ct_change change;
  ct_drift_init(&drift, 0.5, 5);
  for (int i = 0; i < limit; i++) {
    struct ct_sums one = sample(seed, photons, 0.9 * (1 + per_step * i + (i >= 100 ? jump : 0)));
    ct_drift_add(&drift, 720.0 * i, &one, true);
    ct_drift_report(&drift, &change);
    if (change.alarm)
      return i + 1;
  }
  return limit;
}

/* Two-sided, k = 0.5, h = 5: an average run length of 465 (Montgomery, Introduction to Statistical Quality Control,
 * table of CUSUM run lengths). Runs are all but exponential, so the mean has an error of 465/sqrt(runs). */
static void false_alarms_are_as_rare_as_they_should_be(void **state)
{
  (void)state;
  enum { RUNS = 1500 };
  uint64_t seed = 23;
  double sum = 0;
  for (int i = 0; i < RUNS; i++)
    sum += run_length(&seed, 1e5, 0, 0, 20000);
  print_message("# mean steps to a false alarm: %.0f\n", sum / RUNS);
  assert_near(sum / RUNS, 465, 4 * 465 / sqrt(RUNS) + 10);
}

/* A jump of one and two standard errors after 100 quiet steps: 10.4 and 4.0 steps in the same table; here the mean
 * before the jump has an error of 1/10 of a step's, and the jump itself moves it, which costs some steps. */
static void a_jump_is_found_as_soon_as_the_table_says(void **state)
{
  (void)state;
  enum { RUNS = 1500 };
  static const double jumps[] = { 1, 2 }, table[] = { 10.4, 4.0 };
  uint64_t seed = 29;
  for (int c = 0; c < 2; c++) {
    double sum = 0, n = 0, sigma = 1.9 / 0.9 / sqrt(1e5 / 0.9);   /* relative error of one step: (1+E)/sqrt(N E) */
    for (int i = 0; i < RUNS; i++) {
      int length = run_length(&seed, 1e5, 0, jumps[c] * sigma * 0.9, 1000);
      if (length <= 100)
        continue;                      /* a false alarm came first */
      sum += length - 100;
      n++;
    }
    print_message("# steps to see a jump of %g sigma: %.1f (table %.1f)\n", jumps[c], sum / n, table[c]);
    assert_true(sum / n > 0.8 * table[c] && sum / n < 1.5 * table[c] + 1);
  }
}

static void a_slow_drift_is_found(void **state)
{
  (void)state;
  enum { RUNS = 300 };
  uint64_t seed = 31;
  double sum = 0;
  int missed = 0;
  /* 0.48 % an hour, steps of 720 s of 0.13 % error: the disc at 3e4 photons/s, compton.md's table */
  for (int i = 0; i < RUNS; i++) {
    int length = run_length(&seed, 2.6e6, 0.0048 / 5, 0, 200);
    sum += length;
    missed += length == 200;
  }
  print_message("# steps to see 0.48 %%/h at 0.13 %% a step: %.1f, %.1f h\n", sum / RUNS, sum / RUNS / 5);
  assert_int_equal(missed, 0);
  assert_true(sum / RUNS < 25);
}

static void hysteresis_holds_the_alarm(void **state)
{
  (void)state;
  struct ct_drift drift;
  struct ct_change change;
  ct_drift_init(&drift, 0.5, 5);
  struct ct_sums quiet = { .L = 90000, .H = 100000, .var_L = 90000, .var_H = 100000, .counts = 190000 };
  struct ct_sums high = quiet;
  high.L *= 1.02;
  for (int i = 0; i < 50; i++)
    ct_drift_add(&drift, i, &quiet, true);
  for (int i = 0; i < 2; i++)
    ct_drift_add(&drift, 50 + i, &high, true);
  ct_drift_report(&drift, &change);
  assert_true(change.alarm && change.up > 5 && change.down == 0);
  int held = 0;
  do {
    ct_drift_add(&drift, 60 + held, &quiet, true);
    ct_drift_report(&drift, &change);
    held++;
  } while (change.alarm && held < 100);
  assert_true(change.up < 2.5);
  assert_true(held > 3 && held < 100);
  assert_int_equal(drift.alarms, 1);
}

static void nothing_and_little_give_no_number(void **state)
{
  (void)state;
  struct ct_drift drift;
  struct ct_change change;
  struct ct_sums none = { 0 }, few = { .L = 5, .H = 6, .var_L = 5, .var_H = 6, .counts = 11 };
  struct ct_sums negative = { .L = -50, .H = 1000, .var_L = 500, .var_H = 1000, .counts = 1000 };
  ct_drift_init(&drift, 0.5, 5);
  for (int i = 0; i < 10; i++) {
    ct_drift_add(&drift, i, &none, true);
    ct_drift_add(&drift, i, &few, true);
  }
  ct_drift_add(&drift, 20, &negative, true);
  ct_drift_report(&drift, &change);
  assert_int_equal(change.samples, 0);
  assert_int_equal(change.steps, 0);
  assert_true(isnan(change.per_h) && isnan(change.sigma_per_h));
  assert_true(change.up == 0 && change.down == 0 && !change.alarm);
}

static void family_wise_thresholds(void **state)
{
  (void)state;
  assert_near(ct_family_z(0.05, 6400), 4.47, 0.005);
  assert_near(ct_family_z(0.05, 2463), 4.26, 0.005);
  assert_near(ct_family_z(0.05, 100), 3.48, 0.005);
  assert_near(ct_family_z(0.05, 1), 1.959964, 1e-6);
}

int main(void)
{
  const struct CMUnitTest tests[] = {
    cmocka_unit_test(the_line_is_that_of_the_normal_equations),
    cmocka_unit_test(pulls_of_the_trend),
    cmocka_unit_test(false_alarms_are_as_rare_as_they_should_be),
    cmocka_unit_test(a_jump_is_found_as_soon_as_the_table_says),
    cmocka_unit_test(a_slow_drift_is_found),
    cmocka_unit_test(hysteresis_holds_the_alarm),
    cmocka_unit_test(nothing_and_little_give_no_number),
    cmocka_unit_test(family_wise_thresholds),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
