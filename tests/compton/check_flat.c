/* The flat field: what it takes away, what it leaves, what it refuses. */
#include "common.h"

enum { COLS = 6, BINS = 1000 };

/* A Gaussian peak of 10^8 counts of which a part lies in a tail that falls off exponentially to lower energies. */
struct peak {
  double sd_keV, tail, tail_keV;
};

/* The normal distribution's tail folded with an exponential one (the exponentially modified Gaussian). */
static double tailed_below(double e_keV, const void *arg)
{
  const struct peak *p = arg;
  double x = e_keV - 93.63, s = p->sd_keV, k = p->tail_keV;
  double gauss = erfc(-x / (s * sqrt(2))) / 2;
  double tail = gauss + exp(x / k + s * s / (2 * k * k)) * erfc((x + s * s / k) / (s * sqrt(2))) / 2;
  return 1e8 * ((1 - p->tail) * gauss + p->tail * tail);
}

static struct ct_compton_setup setup_of(double exponent)
{
  struct ct_compton_setup s = pixel_setup(90, 0.2);
  s.cols = COLS;
  s.order = 2;
  s.flat_exponent = exponent;
  return s;
}

/* The EMF of every pixel; pixel k has k times 1 % more tail, and k times 0.01 keV worse resolution. */
static void measure(const struct ct_compton *c, double sd_keV, struct ct_emf *emf, struct ct_sums *sums)
{
  static uint32_t spectrum[BINS];
  struct ct_axis tail = { 50, 0.2, BINS - 250 };
  for (uint32_t pixel = 0; pixel < COLS; pixel++) {
    struct peak p = { sd_keV + 0.01 * pixel, 0.05 + 0.01 * pixel, 4 };
    fill(&tail, spectrum + 250, tailed_below, &p);
    ct_compton_sums(c, pixel, spectrum, &sums[pixel]);
    ct_compton_emf(c, &sums[pixel], &emf[pixel]);
  }
}

static double spread(const struct ct_emf *emf)
{
  double low = INFINITY, high = 0;
  for (int i = 0; i < COLS; i++) {
    low = fmin(low, emf[i].emf);
    high = fmax(high, emf[i].emf);
  }
  return (high - low) / low;
}

struct arrays {
  double emf[COLS], emf_sigma[COLS], rate[COLS], rate_sigma[COLS];
};

static struct ct_flat flat_of(const struct arrays *a)
{
  return (struct ct_flat){ 1, COLS, a->emf, a->emf_sigma, a->rate, a->rate_sigma };
}

static void measure_flat(struct arrays *a)
{
  struct ct_compton_setup s = setup_of(0);
  struct ct_compton *c = make(&s);
  struct ct_emf emf[COLS];
  struct ct_sums sums[COLS];
  measure(c, 1.5, emf, sums);
  for (int i = 0; i < COLS; i++) {
    a->emf[i] = emf[i].emf;
    a->emf_sigma[i] = emf[i].sigma;
    a->rate[i] = sums[i].L + sums[i].H;
    a->rate_sigma[i] = sqrt(a->rate[i]);
  }
  ct_compton_free(c);
}

static void tails_and_resolution_go(void **state)
{
  (void)state;
  struct arrays a;
  struct ct_emf emf[COLS], raw[COLS];
  struct ct_sums sums[COLS];
  struct ct_err err;
  measure_flat(&a);
  struct ct_flat flat = flat_of(&a);
  struct ct_compton_setup s = setup_of(1);
  struct ct_compton *c = make(&s);
  measure(c, 1.5, raw, sums);
  assert_int_equal(ct_compton_set_flat(c, &flat, &err), 0);
  measure(c, 1.5, emf, sums);      /* the flat's own sample: exponent 1 takes all of it away */
  print_message("# spread of EMF %.2f %% without, %.5f %% with\n", 100 * spread(raw), 100 * spread(emf));
  assert_true(spread(raw) > 0.03);
  assert_true(spread(emf) < 1e-6);
  double L = 0, H = 0;
  struct ct_sums all = { 0 };
  for (int i = 0; i < COLS; i++) {
    L += raw[i].L;
    H += raw[i].H;
    ct_sums_add(&all, &sums[i]);
    assert_near(emf[i].H, raw[i].H, 0);
    assert_near(emf[i].emf_plus, raw[i].emf_plus, 0);
    assert_near(emf[i].asymmetry, raw[i].asymmetry, 0);
  }
  struct ct_emf total;
  ct_compton_emf(c, &all, &total);
  assert_near(total.emf, L / H, 1e-9);      /* the mean stays */
  ct_compton_free(c);
  /* another sample, broader: the tails matter less to it, so 1 is too much, and something less is right */
  double left[3];
  static const double exponents[] = { 0, 0.48, 1 };
  for (int k = 0; k < 3; k++) {
    s = setup_of(exponents[k]);
    c = make(&s);
    assert_int_equal(ct_compton_set_flat(c, &flat, &err), 0);
    measure(c, 2.2, emf, sums);
    left[k] = emf[COLS - 1].emf / emf[0].emf - 1;
    ct_compton_free(c);
  }
  print_message("# broader sample: last pixel %+.2f %% without, %+.2f %% with 0.48, %+.2f %% with 1\n", 100 * left[0],
                100 * left[1], 100 * left[2]);
  assert_true(left[0] < -0.02 && fabs(left[1]) < fabs(left[0]) / 4 && left[2] > left[1]);
}

static void intensity_is_relative_to_the_flat_rate(void **state)
{
  (void)state;
  struct arrays a = { .emf = { 1, 1, 1, 1, 1, 1 }, .emf_sigma = { .01, .01, .01, .01, .01, .01 }, .rate = { 3, 1, 1, 1, 1, 5 },
                      .rate_sigma = { .3, .1, .1, .1, .1, .1 } };
  struct ct_flat flat = flat_of(&a);
  struct ct_compton_setup s = setup_of(0.73);
  struct ct_compton *c = make(&s);
  struct ct_err err;
  struct ct_sums sums = { .L = 300, .H = 100, .var_L = 300, .var_H = 100 };
  double value, variance;
  ct_compton_intensity(c, 0, &sums, 2, &value, &variance);
  assert_near(value, 200, 1e-9);
  assert_near(variance, 100, 1e-9);
  assert_int_equal(ct_compton_set_flat(c, &flat, &err), 0);
  ct_compton_intensity(c, 0, &sums, 2, &value, &variance);
  assert_near(value, 200 * 2 / 3.0, 1e-9);      /* the mean rate is 2 */
  sums.var_L += 300 * 300 * pow(0.73 * 0.01, 2);      /* what the sums of such a pixel hold */
  ct_compton_intensity(c, 0, &sums, 2, &value, &variance);
  assert_near(variance, 100 * 4 / 9.0 + value * value * 0.01, 1e-9);
  ct_compton_intensity(c, 0, &sums, 0, &value, &variance);
  assert_true(isnan(value) && isnan(variance));
  ct_compton_free(c);
}

static void unknown_pixels_are_left_out(void **state)
{
  (void)state;
  struct arrays a;
  struct ct_emf emf[COLS];
  struct ct_sums sums[COLS], zero = { 0 };
  struct ct_err err;
  measure_flat(&a);
  a.emf[0] = (double)NAN;
  a.emf[1] = -0.1;
  a.emf_sigma[2] = 0.6 * a.emf[2];
  a.rate[3] = 0;
  struct ct_flat flat = flat_of(&a);
  struct ct_compton_setup s = setup_of(0.73);
  struct ct_compton *c = make(&s);
  assert_true(ct_compton_flat_ok(c, 0));      /* none in use */
  assert_int_equal(ct_compton_set_flat(c, &flat, &err), 0);
  measure(c, 1.5, emf, sums);
  for (uint32_t i = 0; i < COLS; i++) {
    assert_int_equal(ct_compton_flat_ok(c, i), i >= 4);
    if (i < 4)
      assert_memory_equal(&sums[i], &zero, sizeof zero);
    assert_int_equal(isnan(emf[i].emf), i < 4);
  }
  ct_compton_free(c);
  c = make(&s);
  a.emf[4] = a.emf[5] = (double)INFINITY;
  assert_int_equal(ct_compton_set_flat(c, &flat, &err), CT_ERANGE);
  assert_non_null(strstr(err.text, "no pixel"));
  flat.rows = 2;
  assert_int_equal(ct_compton_set_flat(c, &flat, &err), CT_ERANGE);
  assert_non_null(strstr(err.text, "2 rows of 6 columns, the sensor 1 of 6"));
  ct_compton_free(c);
}

int main(void)
{
  const struct CMUnitTest tests[] = {
    cmocka_unit_test(tails_and_resolution_go),
    cmocka_unit_test(intensity_is_relative_to_the_flat_rate),
    cmocka_unit_test(unknown_pixels_are_left_out),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
