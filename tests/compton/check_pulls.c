/* Errors against what they claim: thousands of Poisson spectra, (value - truth)/sigma must have mean 0 and sd 1. */
#include "common.h"

enum { TRIALS = 4000, BINS = 1000 };

/* Whole-number expectations: a peak over a sloping ground. The truth is the analysis of the expectation itself, which
 * check_emf.c compares with closed forms. */
static void expectation(uint32_t *mean, double ground)
{
  for (uint32_t i = 0; i < BINS; i++) {
    double e = 0.2 * (i + 0.5), d = (e - 93.63) / 2;
    mean[i] = (uint32_t)lround(400 * exp(-d * d / 2) + ground * (1 - (e - 90) / 60));
  }
}

struct pull {
  double sum, sum2;
};

static void add(struct pull *p, double value, double truth, double sigma)
{
  double z = (value - truth) / sigma;
  assert_true(isfinite(z));
  p->sum += z;
  p->sum2 += z * z;
}

static void judge(const char *name, const struct pull *p)
{
  double mean = p->sum / TRIALS, sd = sqrt(p->sum2 / TRIALS - mean * mean);
  print_message("# %s: mean %+.3f sd %.3f\n", name, mean, sd);
  assert_near(mean, 0, 4 / sqrt(TRIALS));
  assert_near(sd, 1, 4 / sqrt(2.0 * TRIALS));
}

static void pulls(enum ct_background background, uint32_t n_windows, int order, uint64_t seed)
{
  static uint32_t mean[BINS], spectrum[BINS];
  struct ct_compton_setup s = pixel_setup(90, 0.2);
  s.background = background;
  s.n_windows = n_windows;
  s.order = order;
  expectation(mean, 40);
  struct ct_emf truth = emf_of(&s, mean), emf;
  struct ct_compton *c = make(&s);
  struct ct_sums sums;
  struct pull all = { 0 }, plus = { 0 }, asymmetry = { 0 };
  for (int t = 0; t < TRIALS; t++) {
    for (uint32_t i = 380; i < 560; i++)      /* 76-112 keV: all that any window reaches */
      spectrum[i] = poisson(&seed, mean[i]);
    ct_compton_sums(c, 0, spectrum, &sums);
    ct_compton_emf(c, &sums, &emf);
    add(&all, emf.emf, truth.emf, emf.sigma);
    add(&plus, emf.emf_plus, truth.emf_plus, emf.plus_sigma);
    add(&asymmetry, emf.asymmetry, truth.asymmetry, emf.asymmetry_sigma);
  }
  ct_compton_free(c);
  judge("EMF", &all);
  judge("EMF+", &plus);
  judge("asymmetry", &asymmetry);
}

static void no_background(void **state)
{
  (void)state;
  pulls(CT_BACKGROUND_NONE, 0, 1, 11);
}

static void flat_background(void **state)
{
  (void)state;
  pulls(CT_BACKGROUND_FLAT, 1, 1, 12);
}

static void flat_background_of_two_windows(void **state)
{
  (void)state;
  pulls(CT_BACKGROUND_FLAT, 2, 2, 13);
}

static void linear_background(void **state)
{
  (void)state;
  pulls(CT_BACKGROUND_LINEAR, 2, 2, 14);
}

int main(void)
{
  const struct CMUnitTest tests[] = {
    cmocka_unit_test(no_background),
    cmocka_unit_test(flat_background),
    cmocka_unit_test(flat_background_of_two_windows),
    cmocka_unit_test(linear_background),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
