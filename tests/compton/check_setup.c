/* What cannot be measured is refused with its reason. */
#include "common.h"

/* <words> must occur in the message: what is wrong, and where. */
static void refused(const struct ct_compton_setup *s, const char *words)
{
  struct ct_compton *c = (struct ct_compton *)(uintptr_t)1;
  struct ct_err err = { "" };
  assert_int_equal(ct_compton_new(&c, s, &err), CT_ERANGE);
  assert_null(c);
  if (strstr(err.text, words) == NULL)
    fail_msg("\"%s\" does not say \"%s\"", err.text, words);
  assert_int_equal(ct_compton_new(&c, s, NULL), CT_ERANGE);
}

#define REFUSED(words, ...)                      \
  do {                                           \
    struct ct_compton_setup s = default_setup(); \
    __VA_ARGS__;                                 \
    refused(&s, words);                          \
  } while (0)

static void values_out_of_range(void **state)
{
  (void)state;
  REFUSED("e1_keV", s.e1_keV = 0);
  REFUSED("e1_keV", s.e1_keV = (double)NAN);
  REFUSED("rows", s.rows = 0);
  REFUSED("columns", s.cols = UINT32_MAX);
  REFUSED("bins", s.axis.n = 0);
  REFUSED("bins", s.axis.n = UINT32_MAX);
  REFUSED("width", s.axis.width_keV = 0);
  REFUSED("width", s.axis.width_keV = (double)NAN);
  REFUSED("start", s.axis.start_keV = -1);
  REFUSED("p_low", s.p_low = 0);
  REFUSED("p_low", s.p_low = 5);
  REFUSED("p_high", s.p_high = (double)INFINITY);
  REFUSED("order", s.order = 3);
  REFUSED("background", s.background = (enum ct_background)3);
  REFUSED("theta_deg", s.geometry.theta_deg = 0.5);
  REFUSED("pitch_mm", s.geometry.pitch_mm = 0);
}

static void profile_outside_the_bins_names_column_and_energies(void **state)
{
  (void)state;
  REFUSED("column 0 (theta 86.47 deg) is 90.44..99.1", s.axis.n = 494, s.geometry.beam = CT_BEAM_MINUS_X,
          s.rows = 1, s.geometry.centre_y_px = 0);
  REFUSED("row 0 (theta 86.47 deg) is 90.44..99.1", s.axis.n = 494, s.geometry.beam = CT_BEAM_MINUS_Y,
          s.cols = 1, s.geometry.centre_x_px = 0);
  REFUSED("column 0 (theta 93.53 deg) is 88.20..97.15 keV", s.axis.start_keV = 88.1);
  REFUSED("beyond any energy", s.p_high = 140);
  REFUSED("less than one bin", s.p_low = 0.1);
  REFUSED("less than one bin", s.p_low = 4.9);
  REFUSED("less than one bin", s.geometry.theta_deg = 5, s.geometry.theta_map = false);
}

static void background_windows_that_cannot_be(void **state)
{
  (void)state;
  REFUSED("flat needs 1 or 2", s.background = CT_BACKGROUND_FLAT);
  REFUSED("flat needs 1 or 2", s.background = CT_BACKGROUND_FLAT, s.n_windows = 3);
  REFUSED("linear needs 2", s.background = CT_BACKGROUND_LINEAR, s.n_windows = 1);
  REFUSED("narrower", s.background = CT_BACKGROUND_FLAT, s.n_windows = 1, s.windows_keV[0][1] = 104.1);
  REFUSED("narrower", s.background = CT_BACKGROUND_FLAT, s.n_windows = 1, s.windows_keV[0][0] = (double)NAN);
  REFUSED("outside the bins", s.background = CT_BACKGROUND_FLAT, s.n_windows = 1, s.windows_keV[0][1] = 199.9);
  REFUSED("outside the bins", s.background = CT_BACKGROUND_FLAT, s.n_windows = 1, s.windows_keV[0][0] = -5);
  REFUSED("and 106:108 overlap", s.background = CT_BACKGROUND_LINEAR, s.n_windows = 2, s.windows_keV[1][0] = 106,
          s.windows_keV[1][1] = 108);
  /* free at 90 degrees (98.13 keV), not at column 79 */
  REFUSED("98.5:104 overlaps pz -5..5 at column", s.background = CT_BACKGROUND_FLAT, s.n_windows = 1,
          s.windows_keV[0][0] = 98.5, s.windows_keV[0][1] = 104);
}

static void what_can_be_measured_is_taken(void **state)
{
  (void)state;
  struct ct_compton_setup s = default_setup();
  ct_compton_free(make(&s));
  s.n_windows = 3;      /* not looked at without a background */
  ct_compton_free(make(&s));
  s.background = CT_BACKGROUND_LINEAR;
  s.n_windows = 2;
  ct_compton_free(make(&s));
  s = pixel_setup(180, 0.2);
  ct_compton_free(make(&s));
  s = pixel_setup(90, 0.01);      /* less than the profile's step inside the windows */
  s.p_low = 0.04;
  s.p_high = 0.08;
  ct_compton_free(make(&s));
  s.axis = (struct ct_axis){ 93.53, 0.01, 20 };
  refused(&s, "outside the bins");
  ct_compton_free(NULL);
}

int main(void)
{
  const struct CMUnitTest tests[] = {
    cmocka_unit_test(values_out_of_range),
    cmocka_unit_test(profile_outside_the_bins_names_column_and_energies),
    cmocka_unit_test(background_windows_that_cannot_be),
    cmocka_unit_test(what_can_be_measured_is_taken),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
