/* Peaks and the geometry behind them, from spectra whose peak energies and angles are known in closed form. */
#include "common.h"

enum { ROWS = 4, COLS = 80, BINS = 1000, PIXELS = ROWS * COLS };

/* What a camera with this geometry sees of J(pz) = Gaussian, through F and dE/dpz, over a level ground. */
struct scene {
  struct ct_geometry geometry;
  double counts, sd, flat_per_keV;
  bool along_x;
};

static struct scene scene(void)
{
  struct scene s = { .geometry = default_setup().geometry, .counts = 2e4, .sd = 1.4, .along_x = true };
  s.geometry.centre_y_px = (ROWS - 1) / 2.0;
  return s;
}

static struct ct_compton_setup setup_of(const struct ct_geometry *geometry)
{
  struct ct_compton_setup s = default_setup();
  bool along_x = geometry->beam == CT_BEAM_PLUS_X || geometry->beam == CT_BEAM_MINUS_X;
  s.geometry = *geometry;
  s.rows = along_x ? ROWS : COLS;
  s.cols = along_x ? COLS : ROWS;
  s.polarisation = 1;
  s.phi_deg = 90;
  return s;
}

/* Expected counts of every bin of every pixel; <seed> NULL: rounded, else Poisson. */
static uint32_t *cube_of(const struct scene *scene, uint64_t *seed)
{
  struct ct_compton_setup s = setup_of(&scene->geometry);
  uint32_t *cube = calloc((size_t)PIXELS * BINS, sizeof *cube);
  static double theta[PIXELS];
  assert_non_null(cube);
  assert_int_equal(ct_compton_theta_map(&s.geometry, s.rows, s.cols, theta, NULL), 0);
  for (size_t p = 0; p < PIXELS; p++) {
    double e0 = E1_KEV / (1 + E1_KEV / 510.99895 * (1 - cos(theta[p])));
    double f0 = ct_compton_cross_section(E1_KEV, e0, theta[p], 1, 90 * DEG);
    for (uint32_t bin = 400; bin < 540; bin++) {
      double e = 0.2 * (bin + 0.5), pz = ct_compton_pz(E1_KEV, e, theta[p]) / scene->sd;
      double n = scene->counts * exp(-pz * pz / 2) * ct_compton_cross_section(E1_KEV, e, theta[p], 1, 90 * DEG) / f0 / 20 +
                 scene->flat_per_keV * 0.2;
      cube[p * BINS + bin] = seed ? poisson(seed, n) : (uint32_t)llround(n);
    }
  }
  return cube;
}

static void fit(const struct ct_geometry *configured, const uint32_t *cube, struct ct_geometry_fit *out)
{
  struct ct_compton_setup s = setup_of(configured);
  struct ct_compton *c = make(&s);
  double e2[COLS], sigma[COLS];
  assert_int_equal(ct_compton_groups(c), COLS);
  ct_compton_peaks(c, cube, NULL, e2, sigma);
  assert_true(ct_compton_fit_geometry(c, e2, sigma, out));
  ct_compton_free(c);
}

static void peaks_are_where_compton_puts_them(void **state)
{
  (void)state;
  struct scene s = scene();
  static const double grounds[] = { 0, 250 };
  for (int i = 0; i < 2; i++) {
    s.flat_per_keV = grounds[i];
    uint32_t *cube = cube_of(&s, NULL);
    struct ct_compton_setup setup = setup_of(&s.geometry);
    struct ct_compton *c = make(&setup);
    double e2[COLS], sigma[COLS];
    ct_compton_peaks(c, cube, NULL, e2, sigma);
    double off = 0;
    for (uint32_t g = 0; g < COLS; g++) {
      double e0 = E1_KEV / (1 + E1_KEV / 510.99895 * (1 - cos(ct_compton_group_theta_rad(c, g))));
      assert_near(e2[g], e0, 5e-3);      /* bins of 0.2 keV */
      off += (e2[g] - e0) / COLS;
      assert_near(ct_compton_theta_of_rad(E1_KEV, e0), ct_compton_group_theta_rad(c, g), 1e-12);
    }
    assert_near(off, 0, 1e-3);
    ct_compton_free(c);
    free(cube);
  }
}

static void geometry_comes_back(void **state)
{
  (void)state;
  static const struct { enum ct_beam beam; double centre_px, detector_mm; } truths[] = {
    { CT_BEAM_PLUS_X, 39.5, 160 }, { CT_BEAM_MINUS_X, 45, 160 }, { CT_BEAM_PLUS_X, 30.5, 107 }, { CT_BEAM_MINUS_Y, 41, 200 },
    { CT_BEAM_PLUS_Y, 36, 160 },
  };
  for (size_t i = 0; i < sizeof truths / sizeof *truths; i++) {
    struct scene s = scene();
    bool along_x = truths[i].beam <= CT_BEAM_MINUS_X;
    s.geometry.beam = truths[i].beam;
    s.geometry.detector_mm = truths[i].detector_mm;
    s.geometry.centre_x_px = along_x ? truths[i].centre_px : (ROWS - 1) / 2.0;
    s.geometry.centre_y_px = along_x ? (ROWS - 1) / 2.0 : truths[i].centre_px;
    uint32_t *cube = cube_of(&s, NULL);
    struct ct_geometry configured = scene().geometry;
    if (!along_x) {
      configured.beam = CT_BEAM_PLUS_Y;
      configured.centre_x_px = (ROWS - 1) / 2.0;
      configured.centre_y_px = 39.5;
    }
    struct ct_geometry_fit found;
    fit(&configured, cube, &found);
    print_message("# truth %.1f px %.0f mm: %.3f +- %.3f px, %.2f +- %.2f mm, chi2 %.1f\n", truths[i].centre_px,
                  truths[i].detector_mm, found.centre_px, found.centre_sigma_px, found.detector_mm, found.detector_sigma_mm,
                  found.chi2);
    assert_int_equal(found.beam, truths[i].beam);
    assert_int_equal(found.groups, COLS);
    assert_near(found.centre_px, truths[i].centre_px, 0.06);
    assert_near(found.detector_mm, truths[i].detector_mm, 2e-3 * truths[i].detector_mm);
    unsigned wrong = ct_geometry_contradictions(&configured, &found);
    assert_int_equal(!!(wrong & CT_WRONG_SIGN), configured.beam != truths[i].beam);
    assert_int_equal(!!(wrong & CT_WRONG_CENTRE), fabs(truths[i].centre_px - 39.5) > 1);
    assert_int_equal(!!(wrong & CT_WRONG_DISTANCE), fabs(truths[i].detector_mm - 160) > 4);
    ct_geometry_take(&configured, &found);
    assert_int_equal(ct_geometry_contradictions(&configured, &found), 0);
    assert_near(along_x ? configured.centre_x_px : configured.centre_y_px, truths[i].centre_px, 0.06);
    free(cube);
  }
}

struct pull {
  double sum, sum2;
  int n;
};

static void add(struct pull *p, double z)
{
  assert_true(isfinite(z));
  p->sum += z;
  p->sum2 += z * z;
  p->n++;
}

static void judge(const char *name, const struct pull *p)
{
  double mean = p->sum / p->n, sd = sqrt(p->sum2 / p->n - mean * mean);
  print_message("# %s: mean %+.3f sd %.3f of %d\n", name, mean, sd, p->n);
  assert_near(mean, 0, 4 / sqrt(p->n));
  assert_near(sd, 1, 4 / sqrt(2.0 * p->n));
}

static void errors_are_those_of_repetitions(void **state)
{
  (void)state;
  enum { TRIALS = 60 };
  struct scene s = scene();
  s.counts = 200;
  s.flat_per_keV = 10;
  uint64_t seed = 3;
  struct pull peak = { 0 }, centre = { 0 }, distance = { 0 };
  struct ct_compton_setup setup = setup_of(&s.geometry);
  struct ct_compton *c = make(&setup);
  for (int t = 0; t < TRIALS; t++) {
    uint32_t *cube = cube_of(&s, &seed);
    double e2[COLS], sigma[COLS];
    struct ct_geometry_fit found;
    ct_compton_peaks(c, cube, NULL, e2, sigma);
    for (uint32_t g = 0; g < COLS; g += 7)
      add(&peak, (e2[g] - ct_compton_e2_keV(E1_KEV, ct_compton_group_theta_rad(c, g), 0)) / sigma[g]);
    assert_true(ct_compton_fit_geometry(c, e2, sigma, &found));
    add(&centre, (found.centre_px - 39.5) / found.centre_sigma_px);
    add(&distance, (1 / found.detector_mm - 1.0 / 160) / (found.detector_sigma_mm / found.detector_mm / found.detector_mm));
    free(cube);
  }
  ct_compton_free(c);
  judge("peak", &peak);
  /* errors are never made smaller by a lucky chi2, so these pulls are somewhat narrow */
  print_message("# centre %.3f, distance %.3f\n", sqrt(centre.sum2 / TRIALS), sqrt(distance.sum2 / TRIALS));
  assert_near(centre.sum / TRIALS, 0, 4 / sqrt(TRIALS));
  assert_near(distance.sum / TRIALS, 0, 4 / sqrt(TRIALS));
  assert_near(sqrt(centre.sum2 / TRIALS), 1, 0.4);
  assert_near(sqrt(distance.sum2 / TRIALS), 1, 0.4);
}

static void nothing_is_said_without_peaks(void **state)
{
  (void)state;
  struct scene s = scene();
  s.counts = 0;
  struct ct_compton_setup setup = setup_of(&s.geometry);
  struct ct_compton *c = make(&setup);
  double e2[COLS], sigma[COLS];
  struct ct_geometry_fit found;
  for (int flat = 0; flat < 2; flat++) {
    s.flat_per_keV = flat * 1000;
    uint32_t *cube = cube_of(&s, NULL);
    ct_compton_peaks(c, cube, NULL, e2, sigma);
    for (uint32_t g = 0; g < COLS; g++)
      assert_true(isnan(e2[g]) && isnan(sigma[g]));
    assert_false(ct_compton_fit_geometry(c, e2, sigma, &found));
    assert_true(isnan(found.centre_px) && isnan(found.detector_mm));
    free(cube);
  }
  ct_compton_free(c);
  setup.geometry.theta_map = false;
  c = make(&setup);
  assert_int_equal(ct_compton_groups(c), 1);
  s.counts = 1000;
  uint32_t *cube = cube_of(&s, NULL);
  ct_compton_peaks(c, cube, NULL, e2, sigma);
  assert_false(ct_compton_fit_geometry(c, e2, sigma, &found));
  assert_true(isnan(ct_compton_theta_of_rad(E1_KEV, 120)) && isnan(ct_compton_theta_of_rad(E1_KEV, 20)));
  free(cube);
  ct_compton_free(c);
}

int main(void)
{
  const struct CMUnitTest tests[] = {
    cmocka_unit_test(peaks_are_where_compton_puts_them),
    cmocka_unit_test(geometry_comes_back),
    cmocka_unit_test(errors_are_those_of_repetitions),
    cmocka_unit_test(nothing_is_said_without_peaks),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
