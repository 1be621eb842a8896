/* References beside the profile: against the spectrum integrated another way, and chi-square against what it must be. */
#include "common.h"

#include <xraylib.h>

enum { BINS = 1000, FINE = 6000, FIRST = 320, LAST = 590 };
static const double fine_start_keV = 60, fine_keV = 0.01, fwhm_keV = 0.93;

/* Counts before the detector's blur at each fine energy, written from the formulae. */
static void fine_density(const char *formula, bool detector, double *density)
{
  struct compoundData *compound = CompoundParser(formula, NULL);
  assert_non_null(compound);
  double m = 510.99895, e1 = E1_KEV;
  for (int i = 0; i < FINE; i++) {
    double e2 = fine_start_keV + (i + 0.5) * fine_keV, k = sqrt(e1 * e1 + e2 * e2);
    double p = k / 2 - (e1 - e2) * sqrt(0.25 + m * m / (2 * e1 * e2)), J = 0;
    double en = sqrt(m * m + p * p), along = ((e1 - e2) * en - e1 * e2) / k;
    double r = e1 * (en - e1 * along / k), r2 = r - e1 * e2;
    for (int a = 0; a < compound->nElements; a++)
      J += compound->nAtoms[a] * ComptonProfile(compound->Elements[a], fabs(p / m * 137.035999), NULL);
    density[i] = J * m / en * e2 / (e1 * k) * (r / r2 + r2 / r);
    if (detector)
      density[i] *= 1 - exp(-CS_Total_CP("Cd0.9Zn0.1Te", e2, NULL) * 5.78 * 0.2);
  }
  FreeCompoundData(compound);
}

/* The blurred content of [from, to]: each fine cell's photons by the error function. */
static double blurred(const double *density, double from_keV, double to_keV)
{
  double sd = fwhm_keV / (2 * sqrt(2 * log(2))) * sqrt(2), sum = 0;
  int low = (int)((from_keV - 4 - fine_start_keV) / fine_keV), high = (int)((to_keV + 4 - fine_start_keV) / fine_keV);
  for (int i = low < 0 ? 0 : low; i < high && i < FINE; i++) {
    double e = fine_start_keV + (i + 0.5) * fine_keV;
    sum += density[i] * (erf((to_keV - e) / sd) - erf((from_keV - e) / sd)) / 2;
  }
  return sum;
}

static struct ct_compton_setup setup_with(enum ct_background background, bool corrected)
{
  struct ct_compton_setup s = pixel_setup(90, 0.2);
  s.background = background;
  s.n_windows = background == CT_BACKGROUND_LINEAR ? 2 : 1;
  /* windows that hold less of the profile than the errors of these counts */
  s.windows_keV[0][0] = 110;
  s.windows_keV[0][1] = 116;
  s.windows_keV[1][0] = 67;
  s.windows_keV[1][1] = 73;
  s.order = 2;
  s.polarisation = 1;
  s.phi_deg = 90;
  s.sensor = (struct ct_absorber){ "Cd0.9Zn0.1Te", 5.78, 2 };
  s.jacobian = s.cross_section = s.efficiency = corrected;
  return s;
}

static struct ct_reference reference_of(const struct ct_compton *c, const char *formula)
{
  struct ct_reference r;
  struct ct_err err;
  if (ct_reference_formula(&r, c, formula, fwhm_keV, &err) != 0)
    fail_msg("%s", err.text);
  return r;
}

static void formula_is_what_the_detector_would_see(void **state)
{
  (void)state;
  static double density[FINE];
  static const char *const formulas[] = { "C2F4", "LiNi0.8Mn0.1Co0.1O2", "Fe" };
  struct ct_compton_setup s = setup_with(CT_BACKGROUND_NONE, false);
  struct ct_compton *c = make(&s);
  for (int f = 0; f < 3; f++) {
    struct ct_reference r = reference_of(c, formulas[f]);
    assert_string_equal(r.name, formulas[f]);
    fine_density(formulas[f], true, density);
    double top = 0;
    for (int pass = 0; pass < 2; pass++)      /* the middle first */
      for (int j = pass ? 0 : 50; j < (pass ? 101 : 51); j++) {
        double from = ct_compton_e2_keV(E1_KEV, 90 * DEG, (j - 50.5) * 0.2);
        double cell = blurred(density, from, ct_compton_e2_keV(E1_KEV, 90 * DEG, (j - 49.5) * 0.2));
        if (pass == 0)
          top = cell;
        else
          assert_near(r.J[j], cell / top, 3e-4);
        assert_true(r.sigma[j] >= 0 && r.sigma[j] <= 0);
      }
  }
  ct_compton_free(c);
}

static void corrected_reference_is_symmetrical(void **state)
{
  (void)state;
  struct ct_compton_setup s = setup_with(CT_BACKGROUND_NONE, true);
  struct ct_compton *on = make(&s);
  s.jacobian = s.cross_section = s.efficiency = false;
  struct ct_compton *off = make(&s);
  struct ct_reference a = reference_of(on, "C2F4"), b = reference_of(off, "C2F4");
  double worst_on = 0, worst_off = 0;
  for (int j = 25; j < 50; j++) {
    worst_on = fmax(worst_on, fabs(a.J[j] - a.J[100 - j]));
    worst_off = fmax(worst_off, fabs(b.J[j] - b.J[100 - j]));
  }
  print_message("# left and right differ by %.4f corrected, %.4f not\n", worst_on, worst_off);
  assert_true(worst_on < worst_off / 5 && worst_on < 2e-3);
  ct_compton_free(on);
  ct_compton_free(off);
}

/* ---- chi-square ----------------------------------------------------------------------------------------------- */
static void expectation(const char *formula, double counts, double ground, double *mean)
{
  static double density[FINE];
  double sum = 0;
  fine_density(formula, true, density);
  for (int i = FIRST; i < LAST; i++)
    sum += mean[i] = blurred(density, 0.2 * i, 0.2 * (i + 1));
  for (int i = FIRST; i < LAST; i++)
    mean[i] = mean[i] / sum * counts + ground;
}

struct spread {
  double sum, sum2, dof;
  int n;
};

static void compare(struct ct_compton *c, const double *mean, uint64_t *seed, struct spread *out)
{
  static uint32_t spectrum[BINS];
  double pz[CT_PROFILE_POINTS], J[CT_PROFILE_POINTS], sigma[CT_PROFILE_POINTS], norm, chi2;
  double reference[CT_PROFILE_POINTS], reference_sigma[CT_PROFILE_POINTS];
  uint32_t dof;
  for (int i = FIRST; i < LAST; i++)
    spectrum[i] = poisson_of(seed, mean[i]);
  ct_compton_profile(c, spectrum, NULL, pz, J, sigma, &norm);
  assert_true(ct_compton_compare(c, reference, reference_sigma, &chi2, &dof));
  assert_true(dof > 5 && dof < 60 && isfinite(chi2));
  out->sum += chi2;
  out->sum2 += chi2 * chi2;
  out->dof += dof;
  out->n++;
}

static void judge(const char *what, const struct spread *s)
{
  double mean = s->sum / s->n, dof = s->dof / s->n, variance = s->sum2 / s->n - mean * mean;
  print_message("# %s: chi2 %.2f of %.1f, variance %.1f\n", what, mean, dof, variance);
  assert_near(mean, dof, 4.5 * sqrt(2 * dof / s->n));
  assert_near(variance, 2 * dof, 4.5 * 2 * dof * sqrt(2.0 / s->n * (1 + 6 / dof)));
}

static void chi_square_is_one(void **state)
{
  (void)state;
  enum { TRIALS = 1500 };
  static const struct { const char *what; enum ct_background background; bool corrected; double ground; } cases[] = {
    { "plain", CT_BACKGROUND_NONE, false, 0 },
    { "corrected", CT_BACKGROUND_NONE, true, 0 },
    { "flat background", CT_BACKGROUND_FLAT, false, 100 },
    { "linear background", CT_BACKGROUND_LINEAR, true, 100 },
  };
  static double mean[BINS];
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    struct ct_compton_setup s = setup_with(cases[i].background, cases[i].corrected);
    struct ct_compton *c = make(&s);
    struct ct_reference r = reference_of(c, "LiF");
    struct ct_err err;
    struct spread spread = { 0 };
    uint64_t seed = 51 + i;
    assert_int_equal(ct_compton_set_reference(c, &r, &err), 0);
    expectation("LiF", 40000, cases[i].ground, mean);
    for (int t = 0; t < TRIALS; t++)
      compare(c, mean, &seed, &spread);
    judge(cases[i].what, &spread);
    ct_compton_free(c);
  }
}

/* Both sides measured: the reference with half of the counts. */
static void measured_reference_has_its_errors(void **state)
{
  (void)state;
  enum { TRIALS = 800 };
  static double mean[BINS], half[BINS];
  static uint32_t spectrum[BINS];
  uint64_t seed = 61;
  struct spread spread = { 0 };
  struct ct_compton_setup s = setup_with(CT_BACKGROUND_FLAT, false);
  expectation("C2F4", 60000, 50, mean);
  expectation("C2F4", 30000, 25, half);
  for (int t = 0; t < TRIALS; t++) {
    struct ct_compton *c = make(&s);
    double pz[CT_PROFILE_POINTS], J[CT_PROFILE_POINTS], sigma[CT_PROFILE_POINTS], points[3 * CT_PROFILE_POINTS], norm;
    struct ct_reference r;
    struct ct_err err;
    for (int i = FIRST; i < LAST; i++)
      spectrum[i] = poisson_of(&seed, half[i]);
    ct_compton_profile(c, spectrum, NULL, pz, J, sigma, &norm);
    for (int j = 0; j < CT_PROFILE_POINTS; j++) {
      points[3 * j] = pz[j];
      points[3 * j + 1] = J[j];
      points[3 * j + 2] = sigma[j];
    }
    assert_int_equal(ct_reference_points(&r, "scan-1", CT_PROFILE_POINTS, points, &err), 0);
    assert_int_equal(ct_compton_set_reference(c, &r, &err), 0);
    compare(c, mean, &seed, &spread);
    ct_compton_free(c);
  }
  judge("measured reference", &spread);
}

static void another_material_is_told(void **state)
{
  (void)state;
  static double mean[BINS];
  struct ct_compton_setup s = setup_with(CT_BACKGROUND_NONE, false);
  struct ct_compton *c = make(&s);
  struct ct_reference r = reference_of(c, "Fe");
  struct ct_err err;
  struct spread spread = { 0 };
  uint64_t seed = 7;
  assert_int_equal(ct_compton_set_reference(c, &r, &err), 0);
  expectation("C2F4", 1e5, 0, mean);
  compare(c, mean, &seed, &spread);
  assert_true(spread.sum > 20 * spread.dof);
  ct_compton_free(c);
}

/* ---- what cannot be -------------------------------------------------------------------------------------------- */
static void few_counts_say_nothing(void **state)
{
  (void)state;
  static uint32_t spectrum[BINS];
  struct ct_compton_setup s = setup_with(CT_BACKGROUND_NONE, false);
  struct ct_compton *c = make(&s);
  struct ct_reference r = reference_of(c, "Fe");
  struct ct_err err;
  double pz[CT_PROFILE_POINTS], J[CT_PROFILE_POINTS], sigma[CT_PROFILE_POINTS], norm, chi2;
  uint32_t dof;
  assert_int_equal(ct_compton_set_reference(c, &r, &err), 0);
  for (int counts = 0; counts < 3; counts++) {
    spectrum[468] = (uint32_t)counts;
    ct_compton_profile(c, spectrum, NULL, pz, J, sigma, &norm);
    assert_false(ct_compton_compare(c, J, sigma, &chi2, &dof));
    assert_true(isnan(chi2) && isnan(J[50]));
  }
  ct_compton_free(c);
}

static void wrong_references_are_refused(void **state)
{
  (void)state;
  struct ct_compton_setup s = setup_with(CT_BACKGROUND_NONE, false);
  struct ct_compton *c = make(&s);
  struct ct_reference r;
  struct ct_err err;
  assert_int_equal(ct_reference_formula(&r, c, "no such thing", fwhm_keV, &err), CT_EFORMAT);
  assert_int_equal(ct_reference_formula(&r, c, "", fwhm_keV, &err), CT_EFORMAT);
  assert_int_equal(ct_reference_formula(&r, c, "Fe", -1, &err), CT_ERANGE);
  assert_int_equal(ct_reference_formula(&r, c, "UO2", fwhm_keV, &err), CT_ERANGE);
  assert_non_null(strstr(err.text, "K edge of element 92"));
  double points[] = { -0.2, 0.9, 0.01, 0, 1, 0.01, 0.2, 0.9, 0.01 };
  assert_int_equal(ct_reference_points(&r, "a", 3, points, &err), 0);
  assert_near(r.J[50], 1, 0);
  assert_near(r.J[51], 0.9, 0);
  assert_true(isnan(r.J[52]));
  points[0] = -0.3;
  assert_int_equal(ct_reference_points(&r, "a", 3, points, &err), CT_EFORMAT);
  points[0] = 1e300;
  assert_int_equal(ct_reference_points(&r, "a", 3, points, &err), CT_EFORMAT);
  points[0] = -0.2;
  points[4] = (double)NAN;
  assert_int_equal(ct_reference_points(&r, "a", 3, points, &err), CT_EFORMAT);
  ct_compton_free(c);
}

int main(void)
{
  const struct CMUnitTest tests[] = {
    cmocka_unit_test(formula_is_what_the_detector_would_see),
    cmocka_unit_test(corrected_reference_is_symmetrical),
    cmocka_unit_test(chi_square_is_one),
    cmocka_unit_test(measured_reference_has_its_errors),
    cmocka_unit_test(another_material_is_told),
    cmocka_unit_test(few_counts_say_nothing),
    cmocka_unit_test(wrong_references_are_refused),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
