/* Kinematics and cross sections against spot values computed elsewhere, numerical differentiation and integration,
 * and xraylib's Klein-Nishina. */
#include "common.h"

#include <xraylib/xraylib.h>

static void spot_values_of_both_forms(void **state)
{
  (void)state;
  static const double e2[] = { 80, 89.3, 93, 94, 98, 104 };
  static const double eq2[] = { -16.36310, -5.00366, -0.72030, 0.41450, 4.85726, 11.23652 };
  static const double exact[] = { -16.61168, -5.01969, -0.72058, 0.41441, 4.84781, 11.20509 };
  for (size_t i = 0; i < 6; i++) {
    assert_near(ct_compton_pz(E1_KEV, e2[i], 90 * DEG), eq2[i], 6e-6);
    assert_near(ct_compton_pz_exact(E1_KEV, e2[i], 90 * DEG), exact[i], 6e-6);
  }
  static const double p[] = { -5, -1, 0, 1, 5 };
  static const double e_keV[] = { 89.3031, 92.7548, 93.6337, 94.5193, 98.1308 };
  for (size_t i = 0; i < 5; i++)
    assert_near(ct_compton_e2_keV(E1_KEV, 90 * DEG, p[i]), e_keV[i], 6e-5);
  assert_near(ct_compton_dpz_dE(E1_KEV, 93.6337, 90 * DEG), 1.1335, 6e-5);
}

static void pz_of_zero_is_the_compton_energy(void **state)
{
  (void)state;
  for (double theta = 5; theta <= 180; theta += 5) {
    double compton = E1_KEV / (1 + E1_KEV / 510.99895 * (1 - cos(theta * DEG)));
    assert_near(ct_compton_e2_keV(E1_KEV, theta * DEG, 0), compton, 1e-12);
    assert_near(ct_compton_e2_exact_keV(E1_KEV, theta * DEG, 0), compton, 1e-11);
  }
}

static void inverses_come_back(void **state)
{
  (void)state;
  uint64_t seed = 1;
  for (int i = 0; i < 20000; i++) {
    double e1 = 5 + 600 * uniform(&seed), theta = (2 + 178 * uniform(&seed)) * DEG;
    double pz = -120 + 240 * uniform(&seed);
    double e2 = ct_compton_e2_keV(e1, theta, pz);
    assert_true(e2 > 0);
    assert_near(ct_compton_pz(e1, e2, theta), pz, 1e-9);
    e2 = ct_compton_e2_exact_keV(e1, theta, pz);
    assert_true(e2 > 0);
    assert_near(ct_compton_pz_exact(e1, e2, theta), pz, 1e-9);
  }
}

static void both_forms_agree_where_electrons_are_slow(void **state)
{
  (void)state;
  static const double p[] = { -5, -1, 1, 5 }, differs[] = { -0.0160, -0.0005, -0.0005, -0.0099 };
  for (size_t i = 0; i < 4; i++) {
    double e2 = ct_compton_e2_keV(E1_KEV, 90 * DEG, p[i]);
    assert_near(ct_compton_pz_exact(E1_KEV, e2, 90 * DEG) - p[i], differs[i], 6e-5);
  }
}

static void slope_is_the_numerical_one(void **state)
{
  (void)state;
  uint64_t seed = 2;
  for (int i = 0; i < 2000; i++) {
    double e1 = 20 + 300 * uniform(&seed), theta = (10 + 170 * uniform(&seed)) * DEG;
    double e2 = e1 * (0.5 + 0.45 * uniform(&seed)), h = 1e-3 * e2;
    /* central differences, Richardson's step: error of order h^4 */
    double wide = (ct_compton_pz(e1, e2 + 2 * h, theta) - ct_compton_pz(e1, e2 - 2 * h, theta)) / (4 * h);
    double narrow = (ct_compton_pz(e1, e2 + h, theta) - ct_compton_pz(e1, e2 - h, theta)) / (2 * h);
    double slope = ct_compton_dpz_dE(e1, e2, theta);
    assert_near(slope, (4 * narrow - wide) / 3, 1e-7 * slope + 1e-6);
  }
}

static void impossible_input_is_not_a_number(void **state)
{
  (void)state;
  assert_true(isnan(ct_compton_pz(0, 90, 1)));
  assert_true(isnan(ct_compton_pz(100, -1, 1)));
  assert_true(isnan(ct_compton_pz(100, 90, 0)));
  assert_true(isnan(ct_compton_pz(100, 90, 3.2)));
  assert_true(isnan(ct_compton_pz((double)INFINITY, 90, 1)));
  assert_true(isnan(ct_compton_pz_exact(100, 90, (double)NAN)));
  assert_true(isnan(ct_compton_dpz_dE(100, 0, 1)));
  assert_true(isnan(ct_compton_e2_keV(100, 1, -137.1)));
  assert_true(isnan(ct_compton_e2_keV(100, 1, 160)));
  assert_true(isnan(ct_compton_e2_keV(100, 1, (double)NAN)));
  assert_true(isnan(ct_compton_e2_exact_keV(100, 1, (double)NAN)));
  assert_true(isnan(ct_compton_cross_section(100, 90, 0, 0, 0)));
  assert_true(isnan(ct_klein_nishina(-1, 1, 0, 0)));
}

static void klein_nishina_is_xraylibs(void **state)
{
  (void)state;
  for (double theta = 5; theta <= 180; theta += 7) {
    double reference = DCS_KN(E1_KEV, theta * DEG, NULL);
    assert_near(ct_klein_nishina(E1_KEV, theta * DEG, 0, 0), reference, 1e-5 * reference);
    for (double phi = 0; phi <= 180; phi += 30) {
      reference = DCSP_KN(E1_KEV, theta * DEG, phi * DEG, NULL);
      assert_near(ct_klein_nishina(E1_KEV, theta * DEG, 1, phi * DEG), reference, 1e-5 * reference);
    }
  }
}

/* A narrow profile of one electron is a free electron at rest. */
static void narrow_profile_integrates_to_klein_nishina(void **state)
{
  (void)state;
  const double s = 0.05;
  for (double theta = 30; theta <= 170; theta += 20) {
    for (int polarised = 0; polarised <= 1; polarised++) {
      double from = ct_compton_e2_exact_keV(E1_KEV, theta * DEG, -8 * s);
      double to = ct_compton_e2_exact_keV(E1_KEV, theta * DEG, 8 * s), sum = 0;
      enum { STEPS = 4000 };
      for (int i = 0; i < STEPS; i++) {
        double e2 = from + (to - from) * (i + 0.5) / STEPS, pz = ct_compton_pz_exact(E1_KEV, e2, theta * DEG);
        double profile = exp(-pz * pz / (2 * s * s)) / (s * sqrt(2 * M_PI));
        sum += ct_compton_cross_section(E1_KEV, e2, theta * DEG, polarised, 1) * profile * (to - from) / STEPS;
      }
      double reference = ct_klein_nishina(E1_KEV, theta * DEG, polarised, 1);
      assert_near(sum, reference, 1e-5 * reference);
    }
  }
}

/* F/F(0) at 90 degrees across a polarised beam, as computed with another program (XRStools' e2pz). The free-atom
 * profile of oxygen integrates to Klein-Nishina within 0.2 % per electron of |pz| < 100. */
static void cross_section_over_momentum(void **state)
{
  (void)state;
  static const double p[] = { -5, -1, 0, 1, 5 }, relative[] = { .970, .994, 1, 1.006, 1.028 };
  double centre = ct_compton_cross_section(E1_KEV, ct_compton_e2_exact_keV(E1_KEV, 90 * DEG, 0), 90 * DEG, 1, 90 * DEG);
  for (size_t i = 0; i < 5; i++) {
    double e2 = ct_compton_e2_exact_keV(E1_KEV, 90 * DEG, p[i]);
    assert_near(ct_compton_cross_section(E1_KEV, e2, 90 * DEG, 1, 90 * DEG) / centre, relative[i], 5.5e-4);
  }
  double sum = 0, electrons = 0, h = 0.01;
  for (double pz = -60 + h / 2; pz < 60; pz += h) {
    double J = ComptonProfile(8, fabs(pz), NULL);
    double e2 = ct_compton_e2_exact_keV(E1_KEV, 90 * DEG, pz);
    double width = ct_compton_e2_exact_keV(E1_KEV, 90 * DEG, pz + h / 2) -
                   ct_compton_e2_exact_keV(E1_KEV, 90 * DEG, pz - h / 2);
    electrons += J * h;
    sum += ct_compton_cross_section(E1_KEV, e2, 90 * DEG, 0, 0) * J * width;
  }
  assert_near(electrons, 8, 0.05);
  double reference = electrons * DCS_KN(E1_KEV, 90 * DEG, NULL);
  assert_near(sum, reference, 2e-3 * reference);
}

int main(void)
{
  const struct CMUnitTest tests[] = {
    cmocka_unit_test(spot_values_of_both_forms),
    cmocka_unit_test(pz_of_zero_is_the_compton_energy),
    cmocka_unit_test(inverses_come_back),
    cmocka_unit_test(both_forms_agree_where_electrons_are_slow),
    cmocka_unit_test(slope_is_the_numerical_one),
    cmocka_unit_test(impossible_input_is_not_a_number),
    cmocka_unit_test(klein_nishina_is_xraylibs),
    cmocka_unit_test(narrow_profile_integrates_to_klein_nishina),
    cmocka_unit_test(cross_section_over_momentum),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
