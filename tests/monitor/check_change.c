/* What the alarms of a drift say of the instrument, and that each monitor's alarm says what to check. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "monitor/alarms.h"

static struct ct_snapshot_core core;
static struct alarms alarms;

static void begin(void)
{
  const double nan = (double)NAN;
  memset(&core, 0, sizeof core);
  memset(&alarms, 0, sizeof alarms);
  core.wall_ns = 1;
  core.n_rois = 1;
  strcpy(core.rois[0].name, "cathode");
  core.rois[0].run.emf = 0.9;
  core.rois[0].change = (struct ct_change){ .samples = 60, .steps = 5, .per_h = -0.0043, .sigma_per_h = 0.0009, .down = 6.1,
                                            .alarm = true };
  for (int i = 0; i < CT_MONITORS; i++)
    core.monitors.list[i] = (struct ct_snapshot_monitor){ 1, 0.001, 1, 0.05, nan, nan, -1, -1, CT_MONITOR_FINE, 0 };
}

/* The text of the alarm <id>; NULL: it is not raised. */
static const char *text_of(const char *id)
{
  static struct ct_snapshot_core out;
  alarms_begin(&alarms);
  alarms_change(&alarms, &core);
  alarms_end(&alarms, core.wall_ns, &out);
  for (uint32_t i = 0; i < out.n_alarms; i++)
    if (strcmp(out.alarms[i].id, id) == 0)
      return out.alarms[i].text;
  return NULL;
}

static void assert_says(const char *id, const char *words)
{
  const char *text = text_of(id);
  assert_non_null(text);
  if (strstr(text, words) == NULL)
    fail_msg("\"%s\" does not say \"%s\"", text, words);
}

static void a_drift_is_cross_checked(void **state)
{
  (void)state;
  begin();
  assert_says("emf-drift", "cathode: EMF is lower than before (CUSUM 6.1, trend -0.48 +- 0.10 %/h)");
  assert_says("emf-drift", "cannot tell yet");
  for (int i = 0; i < CT_MONITORS; i++) {
    core.monitors.list[i].moved = 0.001;
    core.monitors.list[i].moved_sigma = 0.001;
  }
  assert_says("emf-drift", "no monitor of the instrument has moved");
  assert_says("emf-drift", "0.057 % of EMF");          /* 20 %/keV * 4 * 0.001 keV / sqrt(2) */
  core.monitors.list[CT_MONITOR_RATE].moved = 1e5;     /* the beam is no suspect */
  assert_says("emf-drift", "no monitor of the instrument has moved");
  core.monitors.list[CT_MONITOR_W_FWHM].moved = 0.012;
  assert_says("emf-drift", "but the instrument moved too: w_fwhm_keV +0.012");
  core.monitors.list[CT_MONITOR_PEAK].moved = -0.02;
  assert_says("emf-drift", "peak_keV -0.02, w_fwhm_keV +0.012");
  core.rois[0].change.alarm = false;
  assert_null(text_of("emf-drift"));
  core.drift = (struct ct_snapshot_drift){ .alarm = true, .beyond = 2, .cells = 88, .z_max = 5.5, .z_limit = 4.5, .x = 16 };
  assert_says("emf-drift-map", "2 of 88 cells");
  assert_says("emf-drift-map", "moved too");
}

static void every_monitor_has_an_alarm_that_ends(void **state)
{
  (void)state;
  static const char *const ids[CT_MONITORS] = { "peak-shift", "peak-tilt", "asymmetry", "w-line", "w-fwhm", "pb-line", "pb-fwhm",
                                                "elastic", "multiplicity", "photon-rate", "bragg-flash", "bubble" };
  for (int i = 0; i < CT_MONITORS; i++) {
    begin();
    assert_null(text_of(ids[i]));
    core.monitors.list[i].state = CT_MONITOR_ALARM;
    core.monitors.bubble_loss = 0.4;
    assert_non_null(text_of(ids[i]));
    assert_true(strstr(text_of(ids[i]), "nan") == NULL);
    core.monitors.list[i].state = CT_MONITOR_FINE;
    assert_null(text_of(ids[i]));
  }
  begin();
  core.monitors.list[CT_MONITOR_W_LINE] = (struct ct_snapshot_monitor){ 59.4182, 0.008, 59.3182, 0.05, 0, 0, -1, -1,
                                                                        CT_MONITOR_ALARM, 0 };
  assert_says("w-line", "W Ka1 is at 59.418 +- 0.008 keV, +0.100 off");
  assert_says("w-line", "calibrate again");
}

static void references_that_contradict_are_named(void **state)
{
  (void)state;
  begin();
  core.lithium = (struct ct_lithium){ .references = 2, .slope = 0.02, .slope_sigma = 0.01 };
  assert_says("lithium-references", "0.02 +- 0.01");
  core.lithium = (struct ct_lithium){ .references = 4, .slope = 0.02, .slope_sigma = 0.001, .chi2 = 9 };
  assert_null(text_of("lithium-references"));          /* 2 degrees of freedom: 9 may happen */
  core.lithium.chi2 = 11;
  assert_says("lithium-references", "11.0 for 2 degrees");
  core.lithium = (struct ct_lithium){ .references = 2, .slope = -0.02, .slope_sigma = 0.001, .chi2 = 1e-12 };
  assert_null(text_of("lithium-references"));
}

int main(void)
{
  const struct CMUnitTest tests[] = {
    cmocka_unit_test(a_drift_is_cross_checked),
    cmocka_unit_test(every_monitor_has_an_alarm_that_ends),
    cmocka_unit_test(references_that_contradict_are_named),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
