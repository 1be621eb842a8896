/* Each correction against what is known without it: Klein-Nishina's relatives, xraylib's attenuation, closed forms. */
#include "common.h"

#include <xraylib.h>

enum { MAX_BINS = 4000 };

/* A spectrum made of J(pz) = Gaussian with everything that stands between it and the counts. */
struct source {
  double sd, theta_rad;
  bool exact, jacobian, cross_section, efficiency, steel;
  double flat_per_keV, ramp;
};

/* The part of the cross section that depends on energy, written from Holm, Phys. Rev. A 37 (1988) 3706. */
static double holm(double e1, double e2, double theta_rad)
{
  double m = 510.99895, c = cos(theta_rad), k = sqrt(e1 * e1 + e2 * e2 - 2 * e1 * e2 * c);
  double p = k / 2 - (e1 - e2) * sqrt(0.25 + m * m / (2 * e1 * e2 * (1 - c)));
  double en = sqrt(m * m + p * p), along = ((e1 - e2) * en - e1 * e2 * (1 - c)) / k;
  double r = e1 * (en - (e1 - e2 * c) * along / k), r2 = r - e1 * e2 * (1 - c);
  return m / en * e2 / (e1 * k) * (r / r2 + r2 / r);      /* scattering across the polarisation: no further term */
}

static double density(double e, const struct source *s)
{
  double pz = s->exact ? ct_compton_pz_exact(E1_KEV, e, s->theta_rad) : ct_compton_pz(E1_KEV, e, s->theta_rad);
  double dE = 1e-4;
  double slope = s->exact ? (ct_compton_pz_exact(E1_KEV, e + dE, s->theta_rad) - pz) / dE :
                            (ct_compton_pz(E1_KEV, e + dE, s->theta_rad) - pz) / dE;
  double n = exp(-pz * pz / (2 * s->sd * s->sd)) / (s->sd * sqrt(2 * M_PI)) * 1e8;
  /* d sigma / d E2 = F J: counts that integrate to those of J only with the Jacobian */
  n *= s->jacobian ? 1.1335 : slope;
  if (s->cross_section)
    n *= holm(E1_KEV, e, s->theta_rad) / holm(E1_KEV, 93.6337, s->theta_rad);
  if (s->efficiency)
    n *= 1 - exp(-CS_Total_CP("Cd0.9Zn0.1Te", e, NULL) * 5.78 * 0.2);
  if (s->steel)
    n *= exp(-CS_Total_CP("Fe", e, NULL) * 7.9 * 0.05);
  return n;
}

/* Simpson over each bin. */
static void make_spectrum(const struct ct_axis *axis, const struct source *s, uint32_t *spectrum)
{
  for (uint32_t i = 0; i < axis->n; i++) {
    double a = axis->start_keV + i * axis->width_keV, w = axis->width_keV;
    spectrum[i] = 0;
    if (a < 70 || a > 113)
      continue;
    double n = (density(a, s) + 4 * density(a + w / 2, s) + density(a + w, s)) / 6 * w;
    spectrum[i] = (uint32_t)llround(n + s->flat_per_keV * w);
  }
}

static struct ct_emf corrected(const struct ct_compton_setup *setup, const struct source *source)
{
  static uint32_t spectrum[MAX_BINS];
  make_spectrum(&setup->axis, source, spectrum);
  return emf_of(setup, spectrum);
}

static struct ct_compton_setup with(const struct source *s)
{
  struct ct_compton_setup setup = pixel_setup(s->theta_rad / DEG, 0.05);
  setup.order = 2;
  setup.pz_exact = s->exact;
  setup.jacobian = s->jacobian;
  setup.cross_section = s->cross_section;
  setup.polarisation = 1;
  setup.phi_deg = 90;
  setup.efficiency = s->efficiency;
  setup.sensor = (struct ct_absorber){ "Cd0.9Zn0.1Te", 5.78, 2 };
  setup.n_layers = s->steel;
  setup.layers[0] = (struct ct_absorber){ "Fe", 7.9, 0.5 };
  return setup;
}

static void each_correction_takes_back_its_effect(void **state)
{
  (void)state;
  const double sd = 1.6, l = erf(1 / (sd * sqrt(2))), h = erf(5 / (sd * sqrt(2))) - l;
  const double l_plus = l / 2, h_plus = h / 2;
  static const struct source sources[] = {
    { .jacobian = true },
    { .jacobian = true, .exact = true },
    { .jacobian = true, .cross_section = true, .exact = true },
    { .jacobian = true, .efficiency = true },
    { .jacobian = true, .steel = true },
    { .jacobian = true, .cross_section = true, .efficiency = true, .steel = true, .exact = true },
  };
  for (size_t i = 0; i < sizeof sources / sizeof *sources; i++) {
    struct source source = sources[i];
    source.sd = sd;
    source.theta_rad = 90 * DEG;
    struct ct_compton_setup setup = with(&source);
    struct ct_emf on = corrected(&setup, &source);
    assert_near(on.emf, l / h, 1e-4 * l / h);
    assert_near(on.emf_plus, l_plus / h_plus, 1e-4 * l_plus / h_plus);
    assert_near(on.asymmetry, 0, 1e-4);
    struct ct_compton_setup plain = pixel_setup(90, 0.05);
    plain.order = 2;
    struct ct_emf off = corrected(&plain, &source);
    print_message("# source %zu: EMF off by %+.3f %%, asymmetry %+.4f without the correction\n", i, 100 * (off.emf / on.emf - 1),
                  off.asymmetry);
    assert_true(fabs(off.asymmetry) > 1e-3);      /* the correction had something to do */
  }
}

/* Nothing but a background: what is taken away is worth in every bin what is there, so nothing is left. */
static void sloping_background_leaves_nothing(void **state)
{
  (void)state;
  struct source source = { .theta_rad = 90 * DEG, .jacobian = true, .cross_section = true, .efficiency = true, .steel = true };
  static uint32_t spectrum[MAX_BINS];
  for (int order = 1; order <= 2; order++) {
    struct ct_compton_setup s = with(&source);
    s.order = order;
    s.background = CT_BACKGROUND_LINEAR;
    s.n_windows = 2;
    s.windows_keV[0][0] = 77.5, s.windows_keV[0][1] = 83;
    s.windows_keV[1][0] = 104, s.windows_keV[1][1] = 111;
    for (uint32_t i = 0; i < s.axis.n; i++)
      spectrum[i] = 100000000 - 20000 * i;
    struct ct_compton *c = make(&s);
    struct ct_sums sums;
    ct_compton_sums(c, 0, spectrum, &sums);
    double tolerance = 1e-6 * sums.counts;      /* what depends on the place within a bin of 0.05 keV */
    print_message("# order %d: L %g, H %g, H+ %g of %g counts are left\n", order, sums.L, sums.H, sums.H_plus, sums.counts);
    assert_near(sums.L, 0, tolerance);
    assert_near(sums.H, 0, tolerance);
    assert_near(sums.H_plus, 0, tolerance);
    ct_compton_free(c);
  }
}

static void profile_is_the_one_before_its_distortions(void **state)
{
  (void)state;
  struct source source = { .sd = 1.6, .theta_rad = 90 * DEG, .jacobian = true, .cross_section = true, .efficiency = true,
                           .steel = true, .exact = true };
  static uint32_t spectrum[MAX_BINS];
  struct ct_compton_setup setup = with(&source);
  make_spectrum(&setup.axis, &source, spectrum);
  struct ct_compton *c = make(&setup);
  double pz[CT_PROFILE_POINTS], J[CT_PROFILE_POINTS], sigma[CT_PROFILE_POINTS], norm, half = CT_PROFILE_STEP / 2;
  ct_compton_profile(c, spectrum, NULL, pz, J, sigma, &norm);
  double s = source.sd * sqrt(2), top = erf(half / s) - erf(-half / s);
  for (uint32_t j = 0; j < ct_compton_profile_points(c); j++)
    assert_near(J[j], (erf((pz[j] + half) / s) - erf((pz[j] - half) / s)) / top, 2e-4);
  ct_compton_free(c);
}

/* The corrections change EMF little because the windows are symmetrical. */
static void exact_momentum_hardly_matters(void **state)
{
  (void)state;
  struct source source = { .sd = 1.6, .theta_rad = 90 * DEG };
  struct ct_compton_setup s = pixel_setup(90, 0.05);
  double approximate = corrected(&s, &source).emf;
  s.pz_exact = true;
  double exact = corrected(&s, &source).emf;
  assert_true(fabs(exact / approximate - 1) < 5e-4);
  assert_true(fabs(exact / approximate - 1) > 1e-7);
}

/* ---- double scattering ---------------------------------------------------------------------------------------- */
/* The energy after two scatterings of equal angle, from Compton's formula. */
static double after_two(double each_deg)
{
  double once = E1_KEV / (1 + E1_KEV / 510.99895 * (1 - cos(each_deg * DEG)));
  return once / (1 + once / 510.99895 * (1 - cos(each_deg * DEG)));
}

struct doubled {
  double peak, low_keV, high_keV, sd_keV, flat;
};

static double doubled_below(double e_keV, const void *arg)
{
  const struct doubled *d = arg;
  double e = fmin(fmax(e_keV, d->low_keV), d->high_keV) - d->low_keV;
  return 1e8 / 2 * erfc((93.6337 - e_keV) / (d->sd_keV * sqrt(2))) + d->flat * e_keV +
         d->peak * e * e / (2 * (93.6337 - d->low_keV));
}

static void double_scattering_is_taken_away(void **state)
{
  (void)state;
  assert_near(after_two(45), 101.33, 0.01);
  assert_near(after_two(135), 64.9, 0.05);
  struct doubled d = { .low_keV = after_two(135), .high_keV = after_two(45), .sd_keV = 1.6 };
  static uint32_t clean[MAX_BINS], dirty[MAX_BINS];
  static const enum ct_background backgrounds[] = { CT_BACKGROUND_NONE, CT_BACKGROUND_FLAT, CT_BACKGROUND_LINEAR };
  for (uint32_t b = 0; b < 3; b++) {
    struct ct_compton_setup s = pixel_setup(90, 0.2);
    s.background = backgrounds[b];
    s.n_windows = b;
    s.order = 2;
    d.peak = 0;
    d.flat = b > 0 ? 2e6 : 0;
    fill(&s.axis, clean, doubled_below, &d);
    d.peak = 0.05 * 1e8 / (1.6 * sqrt(2 * M_PI));
    fill(&s.axis, dirty, doubled_below, &d);
    struct ct_emf truth = emf_of(&s, clean), off = emf_of(&s, dirty);
    double from = ct_compton_e2_keV(E1_KEV, 90 * DEG, -0.5), to = ct_compton_e2_keV(E1_KEV, 90 * DEG, 0.5);
    s.double_scatter = d.peak / ((doubled_below(to, &d) - doubled_below(from, &d)) / (to - from));
    struct ct_emf on = emf_of(&s, dirty);
    print_message("# double scattering 5 %%, background %u: EMF %+.2f %% without, %+.4f %% with\n", b,
                  100 * (off.emf / truth.emf - 1), 100 * (on.emf / truth.emf - 1));
    assert_true(off.emf < 0.95 * truth.emf);
    assert_near(on.emf, truth.emf, 2e-4 * truth.emf);
    assert_near(on.emf_plus, truth.emf_plus, 2e-4 * truth.emf_plus);
  }
}

/* ---- low counts ------------------------------------------------------------------------------------------------- */
static void bias_of_few_counts_goes(void **state)
{
  (void)state;
  enum { TRIALS = 200000 };
  struct ct_compton_setup s = pixel_setup(90, 0.2);
  uint64_t seed = 5;
  struct ct_compton *keep = make(&s);
  s.unbias = true;
  struct ct_compton *remove = make(&s);
  /* L and H of whole bins: 25 and 25 counts expected */
  double sum_keep = 0, sum_remove = 0, sum2 = 0;
  for (int t = 0; t < TRIALS; t++) {
    uint32_t l = poisson(&seed, 25), h = poisson(&seed, 25);
    struct ct_sums sums = { .L = l, .H = h, .var_L = l, .var_H = h };
    struct ct_emf a, b;
    ct_compton_emf(keep, &sums, &a);
    ct_compton_emf(remove, &sums, &b);
    assert_near(b.emf, l / (h + 1.0), 1e-12);
    sum_keep += a.emf;
    sum_remove += b.emf;
    sum2 += b.emf * b.emf;
  }
  double error = sqrt(sum2 / TRIALS - 1) / sqrt(TRIALS);
  print_message("# 25 over 25 counts: %+.2f %% kept, %+.2f %% removed (+- %.2f %%)\n", 100 * (sum_keep / TRIALS - 1),
                100 * (sum_remove / TRIALS - 1), 100 * error);
  assert_true(sum_keep / TRIALS > 1.035);
  assert_near(sum_remove / TRIALS, 1, 4 * error);
  ct_compton_free(keep);
  ct_compton_free(remove);
}

/* ---- what cannot be ------------------------------------------------------------------------------------------------ */
static void refused(const struct ct_compton_setup *s, const char *words)
{
  struct ct_compton *c;
  struct ct_err err;
  assert_int_equal(ct_compton_new(&c, s, &err), CT_ERANGE);
  if (strstr(err.text, words) == NULL)
    fail_msg("'%s' does not say '%s'", err.text, words);
}

static void wrong_corrections_are_refused(void **state)
{
  (void)state;
#define REFUSED(words, ...)                          \
  do {                                               \
    struct ct_compton_setup s = pixel_setup(90, 0.2); \
    __VA_ARGS__;                                     \
    refused(&s, words);                              \
  } while (0)
  REFUSED("sensor Qq: not a chemical formula", s.efficiency = true, s.sensor = (struct ct_absorber){ "Qq", 5, 2 });
  REFUSED("both be above 0", s.efficiency = true, s.sensor = (struct ct_absorber){ "CdTe", 0, 2 });
  REFUSED("absorption Fe: 7.9 g/cm3 and -1 mm", s.n_layers = 1, s.layers[0] = (struct ct_absorber){ "Fe", 7.9, -1 });
  REFUSED("at most 4", s.n_layers = 5);
  REFUSED("polarisation", s.polarisation = 1.5);
  REFUSED("double_scatter", s.double_scatter = (double)NAN);
  REFUSED("not below 150", s.double_scatter = 0.01, s.geometry.theta_deg = 160);
  REFUSED("energy_sigma_keV", s.energy_sigma_keV = -1);
  REFUSED("pixel_sigma_keV", s.pixel_sigma_keV = (double)INFINITY);
  REFUSED("flat_exponent", s.flat_exponent = (double)NAN);
#undef REFUSED
}

static void beams_below_an_edge_are_refused(void **state)
{
  (void)state;
  struct ct_err err;
  assert_int_equal(ct_compton_check_edges(114.64, "W,Pb", &err), 0);
  assert_int_equal(ct_compton_check_edges(114.64, "", &err), 0);
  assert_int_equal(ct_compton_check_edges(80, "W, Pb", &err), CT_ERANGE);
  assert_non_null(strstr(err.text, "K edge of Pb (88.0"));
  assert_int_equal(ct_compton_check_edges(80, "W", &err), 0);
  assert_int_equal(ct_compton_check_edges(114.64, "U", &err), CT_ERANGE);
  assert_int_equal(ct_compton_check_edges(114.64, "Lead", &err), CT_ERANGE);
  assert_int_equal(ct_compton_check_edges(114.64, ",", &err), CT_ERANGE);
}

int main(void)
{
  const struct CMUnitTest tests[] = {
    cmocka_unit_test(each_correction_takes_back_its_effect),
    cmocka_unit_test(sloping_background_leaves_nothing),
    cmocka_unit_test(profile_is_the_one_before_its_distortions),
    cmocka_unit_test(exact_momentum_hardly_matters),
    cmocka_unit_test(double_scattering_is_taken_away),
    cmocka_unit_test(bias_of_few_counts_goes),
    cmocka_unit_test(wrong_corrections_are_refused),
    cmocka_unit_test(beams_below_an_edge_are_refused),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
