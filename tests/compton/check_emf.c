/* Windows, background, EMF and errors against closed forms: flat, ramp and Gaussian spectra. */
#include "common.h"

#include "compton/internal.h"

enum { MAX_BINS = 40000 };

/* The energy of a pz by bisection of eq. 2 as printed, at 90 degrees: 137.036 (E2 - E1 + E1 E2/mc2)/sqrt(E1^2 + E2^2). */
static double edge_keV(double pz)
{
  double low = 60, high = 114;
  for (int i = 0; i < 100; i++) {
    double e = (low + high) / 2;
    double p = 137.035999 * (e - E1_KEV + E1_KEV * e / 510.99895) / sqrt(E1_KEV * E1_KEV + e * e);
    *(p < pz ? &low : &high) = e;
  }
  return low;
}

struct gauss {
  double counts, centre_keV, sd_keV, flat, slope;      /* flat: counts/keV; slope: counts/keV/keV from 0 keV */
};

static double gauss_below(double e_keV, const void *arg)
{
  const struct gauss *g = arg;
  return g->counts / 2 * erfc((g->centre_keV - e_keV) / (g->sd_keV * sqrt(2))) + g->flat * e_keV +
         g->slope * e_keV * e_keV / 2;
}

static double gauss_between(const struct gauss *g, double p_from, double p_to)
{
  return gauss_below(edge_keV(p_to), g) - gauss_below(edge_keV(p_from), g);
}

static struct ct_emf measure(const struct ct_compton_setup *setup, const struct gauss *g)
{
  static uint32_t spectrum[MAX_BINS];
  assert_true(setup->axis.n <= MAX_BINS);
  fill(&setup->axis, spectrum, gauss_below, g);
  return emf_of(setup, spectrum);
}

static void flat_spectrum_measures_the_windows(void **state)
{
  (void)state;
  double l = edge_keV(1) - edge_keV(-1), h = edge_keV(5) - edge_keV(1) + edge_keV(-1) - edge_keV(-5);
  assert_near(l / 0.2, 8.822, 6e-4);      /* bins, as known for the default setup */
  assert_near(h / 0.2, 35.316, 6e-4);
  for (int order = 1; order <= 2; order++) {
    struct ct_compton_setup s = pixel_setup(90, 0.2);
    s.order = order;
    static uint32_t spectrum[MAX_BINS];
    for (uint32_t i = 0; i < s.axis.n; i++)
      spectrum[i] = 1000;
    struct ct_emf emf = emf_of(&s, spectrum);
    assert_near(emf.L, 1000 * l / 0.2, 1e-4);
    assert_near(emf.H, 1000 * h / 0.2, 1e-4);
    assert_near(emf.emf, l / h, 1e-8);
    assert_near(emf.emf_plus, (edge_keV(1) - edge_keV(0)) / (edge_keV(5) - edge_keV(1)), 1e-8);
    double plus = edge_keV(5) - edge_keV(1);
    assert_near(emf.asymmetry, (2 * plus - h) / h, 1e-8);
  }
}

/* Whole counts on a straight line: order 2 is exact, order 1 is not. */
static void order_2_is_exact_on_a_ramp(void **state)
{
  (void)state;
  struct ct_compton_setup s = pixel_setup(90, 0.2);
  static uint32_t spectrum[MAX_BINS];
  for (uint32_t i = 0; i < s.axis.n; i++)
    spectrum[i] = 7 * (i + 1);
  /* density 7 (t + 1/2) per bin at t = E/0.2 bins */
#define RAMP(p) (3.5 * (edge_keV(p) / 0.2) * (edge_keV(p) / 0.2 + 1))
  double l = RAMP(1) - RAMP(-1), h = RAMP(5) - RAMP(1) + RAMP(-1) - RAMP(-5);
#undef RAMP
  s.order = 2;
  struct ct_emf emf = emf_of(&s, spectrum);
  assert_near(emf.L, l, 1e-7 * l);
  assert_near(emf.H, h, 1e-7 * h);
  s.order = 1;
  emf = emf_of(&s, spectrum);
  assert_true(fabs(emf.L - l) > 1e-6 * l);
  assert_near(emf.L, l, 1e-3 * l);
}

static void gaussian_is_its_error_function(void **state)
{
  (void)state;
  struct gauss g = { .counts = 1e9, .centre_keV = edge_keV(0.3), .sd_keV = 1.3 };
  double l = gauss_between(&g, -1, 1), h_minus = gauss_between(&g, -5, -1), h_plus = gauss_between(&g, 1, 5);
  double l_plus = gauss_between(&g, 0, 1);
  /* bin width, order, tolerance: the error falls with the square of the width for order 1, faster for order 2 */
  static const struct { double width_keV; int order; double tolerance; } cases[] = {
    { 0.2, 1, 5e-3 }, { 0.2, 2, 5e-4 }, { 0.02, 1, 5e-5 }, { 0.02, 2, 1e-6 },
  };
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    struct ct_compton_setup s = pixel_setup(90, cases[i].width_keV);
    s.order = cases[i].order;
    struct ct_emf emf = measure(&s, &g);
    double close = cases[i].tolerance;
    assert_near(emf.L, l, close * l);
    assert_near(emf.H, h_minus + h_plus, close * (h_minus + h_plus));
    assert_near(emf.emf, l / (h_minus + h_plus), close * emf.emf);
    assert_near(emf.emf_plus, l_plus / h_plus, close * emf.emf_plus);
    assert_near(emf.asymmetry, (h_plus - h_minus) / (h_plus + h_minus), 2 * close);
  }
}

static void background_leaves_what_was_there_without_it(void **state)
{
  (void)state;
  /* 30 counts a keV would be 3 % of the peak; the Gaussian itself does not reach the windows */
  struct gauss clean = { .counts = 1e8, .centre_keV = edge_keV(0), .sd_keV = 1.3 }, dirty = clean;
  struct ct_compton_setup s = pixel_setup(90, 0.2);
  s.order = 2;
  struct ct_emf reference = measure(&s, &clean);
  dirty.flat = 1e6;
  assert_true(measure(&s, &dirty).emf < 0.95 * reference.emf);
  s.background = CT_BACKGROUND_FLAT;
  for (s.n_windows = 1; s.n_windows <= 2; s.n_windows++) {
    struct ct_emf emf = measure(&s, &dirty);
    assert_near(emf.L, reference.L, 1e-6 * reference.L);
    assert_near(emf.H, reference.H, 1e-6 * reference.H);
    assert_near(emf.emf_plus, reference.emf_plus, 1e-6);
    assert_near(emf.asymmetry, reference.asymmetry, 1e-6);
  }
  s.background = CT_BACKGROUND_LINEAR;
  s.n_windows = 2;
  dirty.flat = -2e5;
  dirty.slope = 1e4;
  struct ct_emf emf = measure(&s, &dirty);
  assert_near(emf.L, reference.L, 2e-6 * reference.L);
  assert_near(emf.H, reference.H, 2e-6 * reference.H);
  assert_near(emf.emf_plus, reference.emf_plus, 1e-6);
}

/* Uncut bins: sigma/EMF = sqrt(1/L + 1/H), asymmetry sqrt((1 - A^2)/H); bins this fine are as good as uncut. */
static void plain_poisson_errors(void **state)
{
  (void)state;
  struct gauss g = { .counts = 1e7, .centre_keV = edge_keV(0.3), .sd_keV = 1.3 };
  struct ct_compton_setup s = pixel_setup(90, 0.005);
  struct ct_emf emf = measure(&s, &g);
  assert_near(emf.sigma, emf.emf * sqrt(1 / emf.L + 1 / emf.H), 3e-3 * emf.sigma);
  double h_plus = gauss_between(&g, 1, 5), l_plus = gauss_between(&g, 0, 1);
  assert_near(emf.plus_sigma, emf.emf_plus * sqrt(1 / l_plus + 1 / h_plus), 3e-3 * emf.plus_sigma);
  assert_near(emf.asymmetry_sigma, sqrt((1 - emf.asymmetry * emf.asymmetry) / emf.H), 3e-3 * emf.asymmetry_sigma);
}

static void nothing_to_divide_by_is_absent(void **state)
{
  (void)state;
  struct ct_compton_setup s = pixel_setup(90, 0.2);
  static uint32_t spectrum[1000];
  memset(spectrum, 0, sizeof spectrum);
  struct ct_emf emf = emf_of(&s, spectrum);
  assert_true(isnan(emf.emf) && isnan(emf.sigma) && isnan(emf.emf_plus) && isnan(emf.plus_sigma));
  assert_true(isnan(emf.asymmetry) && isnan(emf.asymmetry_sigma));
  assert_true(emf.L >= 0 && emf.L <= 0 && emf.H >= 0 && emf.H <= 0);
  spectrum[460] = 5;      /* 92.1 keV: H below pz = 0 only */
  emf = emf_of(&s, spectrum);
  assert_near(emf.emf, 0, 1e-12);
  assert_true(isnan(emf.emf_plus) && isnan(emf.plus_sigma));
  assert_near(emf.asymmetry, -1, 1e-12);
  struct ct_sums broken = { .L = (double)INFINITY, .H = 1 };
  struct ct_compton *c = make(&s);
  ct_compton_emf(c, &broken, &emf);
  ct_compton_free(c);
  assert_true(isnan(emf.emf) && isnan(emf.sigma));
}

/* ---- many pixels ---------------------------------------------------------------------------------------- */

struct material {
  double theta_rad, sd;
};

static double in_momentum(double e_keV, const void *arg)
{
  const struct material *m = arg;
  return 5e6 * erfc(-ct_compton_pz(E1_KEV, e_keV, m->theta_rad) / (m->sd * sqrt(2)));
}

/* The same material everywhere: each pixel has its profile where its own theta puts it. */
static uint32_t *uniform_cube(const struct ct_compton_setup *s)
{
  size_t pixels = (size_t)s->rows * s->cols;
  uint32_t *cube = calloc(pixels * s->axis.n, sizeof *cube);
  double *theta = calloc(pixels, sizeof *theta);
  assert_true(cube != NULL && theta != NULL);
  assert_int_equal(ct_compton_theta_map(&s->geometry, s->rows, s->cols, theta, NULL), 0);
  struct ct_axis tail = { s->axis.start_keV + 300 * s->axis.width_keV, s->axis.width_keV, s->axis.n - 300 };
  for (size_t p = 0; p < pixels; p++)
    fill(&tail, cube + p * s->axis.n + 300, in_momentum, &(struct material){ theta[p], 1.5 });
  free(theta);
  return cube;
}

static void pixels_are_summed_in_momentum(void **state)
{
  (void)state;
  static const enum ct_beam beams[] = { CT_BEAM_PLUS_X, CT_BEAM_MINUS_X, CT_BEAM_PLUS_Y, CT_BEAM_MINUS_Y };
  double l = erf(1 / (1.5 * sqrt(2))), h = erf(5 / (1.5 * sqrt(2))) - l;
  for (size_t b = 0; b < 4; b++) {
    struct ct_compton_setup s = default_setup();
    s.geometry.beam = beams[b];
    s.order = 2;
    s.rows = b < 2 ? 6 : 80;
    s.cols = b < 2 ? 80 : 6;
    s.geometry.centre_x_px = (s.cols - 1) / 2.0;
    s.geometry.centre_y_px = (s.rows - 1) / 2.0;
    uint32_t *cube = uniform_cube(&s);
    size_t pixels = (size_t)s.rows * s.cols;
    struct ct_compton *c = make(&s);
    struct ct_sums *map = calloc(pixels, sizeof *map), total = { 0 }, one;
    static uint32_t summed[1000];
    memset(summed, 0, sizeof summed);
    assert_non_null(map);
    ct_compton_map(c, cube, NULL, map);
    for (size_t p = 0; p < pixels; p++) {
      struct ct_emf emf;
      ct_compton_emf(c, &map[p], &emf);
      assert_near(emf.emf, l / h, 1e-3 * l / h);
      ct_compton_sums(c, (uint32_t)p, cube + p * s.axis.n, &one);
      assert_memory_equal(&one, &map[p], sizeof one);
      ct_sums_add(&total, &one);
      for (uint32_t i = 0; i < s.axis.n; i++)
        summed[i] += cube[p * s.axis.n + i] / 100;
    }
    struct ct_emf emf;
    ct_compton_emf(c, &total, &emf);
    assert_near(emf.emf, l / h, 1e-3 * l / h);
    assert_near(total.counts, total.L + total.H, 1e-9 * total.counts);
    /* one spectrum of all pixels, read at 90 degrees: what must not be done */
    struct ct_compton_setup wrong = pixel_setup(90, 0.2);
    assert_true(emf_of(&wrong, summed).emf < 0.9 * l / h);
    ct_compton_free(c);
    free(map);
    free(cube);
  }
}

static void unselected_pixels_are_zero(void **state)
{
  (void)state;
  struct ct_compton_setup s = default_setup();
  s.rows = 1;
  uint32_t *cube = calloc((size_t)80 * s.axis.n, sizeof *cube);
  assert_non_null(cube);
  for (size_t i = 0; i < (size_t)80 * s.axis.n; i++)
    cube[i] = 3;
  uint8_t select[80] = { [7] = 1, [79] = 1 };
  struct ct_sums map[80], zero = { 0 };
  struct ct_compton *c = make(&s);
  ct_compton_map(c, cube, select, map);
  for (int p = 0; p < 80; p++) {
    if (select[p])
      assert_true(map[p].L > 20);
    else
      assert_memory_equal(&map[p], &zero, sizeof zero);
  }
  ct_compton_free(c);
  free(cube);
}

/* Whatever instructions this processor has: the same bits. */
static void instruction_sets_agree(void **state)
{
  (void)state;
  enum { RUNS = 37, BINS = 1000 };
  static uint32_t spectrum[BINS];
  static struct ct_run run[RUNS];
  static double weights[RUNS * CT_TERMS];
  uint64_t seed = 1;
  for (int trial = 0; trial < 50; trial++) {
    uint32_t bin = 0;
    for (int i = 0; i < BINS; i++)
      spectrum[i] = uniform(&seed) < 0.1 ? UINT32_MAX : (uint32_t)(uniform(&seed) * 1000);
    for (int r = 0; r < RUNS; r++) {
      run[r].from = bin + (uint32_t)(uniform(&seed) * 5);
      run[r].to = bin = run[r].from + 1 + (uint32_t)(uniform(&seed) * 20);
      for (int k = 0; k < CT_TERMS; k++)
        weights[r * CT_TERMS + k] = uniform(&seed) - 0.3;
    }
    struct ct_runs runs = { RUNS, run, weights };
    double best[CT_TERMS], plain[CT_TERMS], slow[CT_TERMS] = { 0 };
    ct_best_sum_terms_()(&runs, spectrum, best);
    ct_plain_terms_(&runs, spectrum, plain);
    assert_memory_equal(best, plain, sizeof best);
    for (int r = 0; r < RUNS; r++)
      for (uint32_t i = run[r].from; i < run[r].to; i++)
        for (int k = 0; k < CT_TERMS; k++)
          slow[k] += weights[r * CT_TERMS + k] * spectrum[i];
    for (int k = 0; k < CT_TERMS; k++)
      assert_near(plain[k], slow[k], 1e-9 * fabs(slow[k]) + 1);
  }
}

int main(void)
{
  const struct CMUnitTest tests[] = {
    cmocka_unit_test(flat_spectrum_measures_the_windows),
    cmocka_unit_test(order_2_is_exact_on_a_ramp),
    cmocka_unit_test(gaussian_is_its_error_function),
    cmocka_unit_test(background_leaves_what_was_there_without_it),
    cmocka_unit_test(plain_poisson_errors),
    cmocka_unit_test(nothing_to_divide_by_is_absent),
    cmocka_unit_test(pixels_are_summed_in_momentum),
    cmocka_unit_test(unselected_pixels_are_zero),
    cmocka_unit_test(instruction_sets_agree),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
