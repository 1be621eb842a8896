/* The Compton profile against Gaussians in momentum space, and its errors against Poisson repetitions. */
#include "common.h"

enum { ROWS = 3, COLS = 80, BINS = 1000, PIXELS = ROWS * COLS };

struct profile {
  uint32_t n;
  double pz[CT_PROFILE_POINTS], J[CT_PROFILE_POINTS], sigma[CT_PROFILE_POINTS], norm;
};

static void measure(struct ct_compton *c, const uint32_t *cube, const uint8_t *select, struct profile *p)
{
  p->n = ct_compton_profile_points(c);
  assert_true(p->n <= CT_PROFILE_POINTS && p->n % 2 == 1);
  ct_compton_profile(c, cube, select, p->pz, p->J, p->sigma, &p->norm);
}

static struct ct_compton_setup camera(void)
{
  struct ct_compton_setup s = default_setup();
  s.rows = ROWS;
  s.geometry.centre_y_px = (ROWS - 1) / 2.0;
  s.order = 2;
  return s;
}

/* A Gaussian in pz of 10^8 counts, shifted a little so that left and right differ, on a ground of flat counts a keV. */
struct peak {
  double theta_rad, sd, centre, flat;
};

static double peak_below(double e_keV, const void *arg)
{
  const struct peak *p = arg;
  double pz = ct_compton_pz(E1_KEV, e_keV, p->theta_rad);
  return 5e7 * erfc((p->centre - pz) / (p->sd * sqrt(2))) + p->flat * e_keV;
}

static double share(double from, double to, double centre, double sd)
{
  return (erf((to - centre) / (sd * sqrt(2))) - erf((from - centre) / (sd * sqrt(2)))) / 2;
}

static uint32_t *cube_of(const struct ct_compton_setup *s, double sd, double centre, double flat)
{
  uint32_t *cube = calloc((size_t)PIXELS * BINS, sizeof *cube);
  static double theta_rad[PIXELS];
  assert_non_null(cube);
  assert_int_equal(ct_compton_theta_map(&s->geometry, ROWS, COLS, theta_rad, NULL), 0);
  struct ct_axis tail = { 50, 0.2, BINS - 250 };
  for (size_t p = 0; p < PIXELS; p++)
    fill(&tail, cube + p * BINS + 250, peak_below, &(struct peak){ theta_rad[p], sd, centre, flat });
  return cube;
}

static void profile_is_the_gaussian_it_was_made_of(void **state)
{
  (void)state;
  const double sd = 1.5, centre = 0.2, half = CT_PROFILE_STEP / 2;
  static const enum ct_background backgrounds[] = { CT_BACKGROUND_NONE, CT_BACKGROUND_FLAT, CT_BACKGROUND_LINEAR };
  static const uint32_t n_windows[] = { 0, 1, 2 };
  for (int b = 0; b < 3; b++) {
    struct ct_compton_setup s = camera();
    s.background = backgrounds[b];
    s.n_windows = n_windows[b];
    uint32_t *cube = cube_of(&s, sd, centre, b == 0 ? 0 : 1e6);
    struct ct_compton *c = make(&s);
    struct profile p;
    measure(c, cube, NULL, &p);
    assert_int_equal(p.n, CT_PROFILE_POINTS);
    double top = share(-half, half, centre, sd);
    assert_near(p.norm, PIXELS * 1e8 * top / CT_PROFILE_STEP, 1e-3 * p.norm);
    for (uint32_t j = 0; j < p.n; j++) {
      assert_near(p.pz[j], ((int)j - 50) * 0.2, 1e-12);
      assert_near(p.J[j], share(p.pz[j] - half, p.pz[j] + half, centre, sd) / top, 1e-3);
    }
    assert_true(p.pz[50] >= 0 && p.pz[50] <= 0 && p.J[50] >= 1 && p.J[50] <= 1);
    ct_compton_free(c);
    free(cube);
  }
}

static void selection_is_respected(void **state)
{
  (void)state;
  struct ct_compton_setup s = camera();
  uint32_t *cube = cube_of(&s, 1.5, 0, 0);
  uint8_t select[PIXELS] = { 0 };
  for (uint32_t i = 0; i < BINS; i++)
    cube[i] = 123456789;      /* a broken pixel that must not count */
  for (size_t p = 1; p < PIXELS; p += 7)
    select[p] = 1;
  struct ct_compton *c = make(&s);
  struct profile some, none;
  measure(c, cube, select, &some);
  size_t selected = (PIXELS - 1 + 6) / 7;
  assert_near(some.norm, (double)selected * 1e8 * share(-.1, .1, 0, 1.5) / CT_PROFILE_STEP, 1e-3 * some.norm);
  assert_near(some.J[45], some.J[55], 1e-3);
  memset(select, 0, sizeof select);
  measure(c, cube, select, &none);
  for (uint32_t j = 0; j < none.n; j++)
    assert_true(isnan(none.J[j]) && isnan(none.sigma[j]) && isfinite(none.pz[j]));
  assert_true(none.norm >= 0 && none.norm <= 0);
  ct_compton_free(c);
  free(cube);
}

/* Scatter of the un-normalised points over Poisson repetitions, beside what sigma says. */
static void errors_are_those_of_repetitions(void **state)
{
  (void)state;
  enum { TRIALS = 3000, FIRST = 380, LAST = 560 };
  for (int b = 0; b < 3; b++) {
    struct ct_compton_setup s = pixel_setup(90, 0.2);
    s.background = (enum ct_background)b;
    s.n_windows = (uint32_t)b;
    s.order = b == 1 ? 1 : 2;
    struct ct_compton *c = make(&s);
    static uint32_t spectrum[BINS];
    static double sum[CT_PROFILE_POINTS], sum2[CT_PROFILE_POINTS], claimed[CT_PROFILE_POINTS];
    memset(sum, 0, sizeof sum);
    memset(sum2, 0, sizeof sum2);
    memset(claimed, 0, sizeof claimed);
    uint64_t seed = 21 + (uint64_t)b;
    for (int t = 0; t < TRIALS; t++) {
      for (uint32_t i = FIRST; i < LAST; i++) {
        double d = (0.2 * (i + 0.5) - 93.6) / 2;
        spectrum[i] = poisson(&seed, 150 * exp(-d * d / 2) + 30);
      }
      struct profile p;
      measure(c, spectrum, NULL, &p);
      for (uint32_t j = 0; j < p.n; j++) {
        double value = p.J[j] * p.norm, error = p.sigma[j] * p.norm;
        sum[j] += value;
        sum2[j] += value * value;
        claimed[j] += error * error;
      }
    }
    /* every fifth point: their neighbours share bins with them */
    for (uint32_t j = 0; j < ct_compton_profile_points(c); j += 5) {
      double variance = (sum2[j] - sum[j] * sum[j] / TRIALS) / (TRIALS - 1);
      assert_near(variance / (claimed[j] / TRIALS), 1, 4.5 * sqrt(2.0 / TRIALS));
    }
    ct_compton_free(c);
  }
}

static void grid_stays_within_the_bins(void **state)
{
  (void)state;
  struct ct_compton_setup s = camera();
  s.axis = (struct ct_axis){ 86, 0.2, 80 };      /* 86-102 keV */
  struct ct_compton *c = make(&s);
  uint32_t n = ct_compton_profile_points(c);
  double reach = (n / 2 + 0.5) * CT_PROFILE_STEP;
  assert_true(n % 2 == 1 && n > 51 && n < CT_PROFILE_POINTS);
  double theta_rad[] = { ct_compton_theta_rad(c, 0), ct_compton_theta_rad(c, 79) };
  assert_near(theta_rad[0] / DEG, 93.5317, 1e-4);
  assert_near(theta_rad[1] / DEG, 86.4683, 1e-4);
  assert_true(ct_compton_e2_keV(E1_KEV, theta_rad[0], -reach) >= 86.2);
  assert_true(ct_compton_e2_keV(E1_KEV, theta_rad[1], reach) < 101.8);
  /* and not one step less than it could be */
  reach += CT_PROFILE_STEP;
  assert_true(ct_compton_e2_keV(E1_KEV, theta_rad[0], -reach) < 86.2 ||
              ct_compton_e2_keV(E1_KEV, theta_rad[1], reach) >= 101.8);
  ct_compton_free(c);
}

static void normalisation_is_chosen(void **state)
{
  (void)state;
  struct ct_compton_setup s = camera();
  uint32_t *cube = cube_of(&s, 1.5, 0.2, 0);
  struct profile p[3];
  for (int i = 0; i < 3; i++) {
    s.normalisation = (enum ct_normalisation)i;
    struct ct_compton *c = make(&s);
    measure(c, cube, NULL, &p[i]);
    ct_compton_free(c);
  }
  double area = 0;
  for (uint32_t j = 0; j < p[0].n; j++) {
    double unit = p[CT_NORMALISE_NONE].J[50];
    assert_near(p[CT_NORMALISE_NONE].J[j], p[0].J[j] * unit, 1e-9 * unit);
    assert_near(p[CT_NORMALISE_NONE].sigma[j], p[0].sigma[j] * unit, 1e-9 * unit);
    area += fabs(p[0].pz[j]) < 5 ? p[CT_NORMALISE_AREA].J[j] * 0.2 : 0;
  }
  assert_near(area, 1, 1e-9);
  assert_near(p[CT_NORMALISE_NONE].J[50], p[0].norm, 1e-9 * p[0].norm);
  assert_near(p[CT_NORMALISE_NONE].norm, p[0].norm, 0);
  free(cube);
}

int main(void)
{
  const struct CMUnitTest tests[] = {
    cmocka_unit_test(profile_is_the_gaussian_it_was_made_of),
    cmocka_unit_test(selection_is_respected),
    cmocka_unit_test(normalisation_is_chosen),
    cmocka_unit_test(errors_are_those_of_repetitions),
    cmocka_unit_test(grid_stays_within_the_bins),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
