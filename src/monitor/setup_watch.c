/* [drift] and [monitors] -> how samples of the run are cut and what they are compared with. */
#include "setup.h"

#include <math.h>
#include <xraylib.h>

/* Ka1 and Ka2 of an element; no other lines of W, Pb or the sensor are as near. */
static void read_lines(struct ct_line_setup *out, int z, double half_width_keV)
{
  double main = LineEnergy(z, KA1_LINE, NULL), second = LineEnergy(z, KA2_LINE, NULL);
  double share = RadRate(z, KA1_LINE, NULL) / (RadRate(z, KA1_LINE, NULL) + RadRate(z, KA2_LINE, NULL));
  *out = (struct ct_line_setup){ main, half_width_keV, { 2, { 0, second - main }, { share, 1 - share } } };
}

static void read_monitors(struct ct_monitor_setup *m, const struct ct_settings *s)
{
  m->reference_samples = (uint32_t)ct_settings_int(s, "monitors.reference_samples");
  m->peak_keV = ct_settings_real(s, "monitors.peak_keV");
  m->tilt_keV = ct_settings_real(s, "monitors.tilt_keV");
  m->line_keV = ct_settings_real(s, "monitors.line_keV");
  m->fwhm_keV = ct_settings_real(s, "monitors.fwhm_keV");
  m->asymmetry_sigmas = ct_settings_real(s, "monitors.asymmetry_sigmas");
  m->elastic = ct_settings_real(s, "monitors.elastic");
  m->multiplicity = ct_settings_real(s, "monitors.multiplicity");
  m->rate = ct_settings_real(s, "monitors.rate");
  m->bragg = ct_settings_real(s, "monitors.bragg");
  m->bubble = ct_settings_real(s, "monitors.bubble");
  read_lines(&m->w, 74, 3.6);
  read_lines(&m->pb, 82, 4.4);
}

void ct_setup_watch(struct ct_watch_setup *watch, const struct ct_settings *s)
{
  double sample_s = ct_settings_real(s, "drift.sample_s");
  watch->sample_s = isnan(sample_s) ? (double)INFINITY : sample_s;
  watch->cusum_samples = isnan(sample_s) ? 1 : (uint32_t)ct_settings_int(s, "drift.cusum_samples");
  watch->cusum_k = ct_settings_real(s, "drift.cusum_k");
  watch->cusum_h = ct_settings_real(s, "drift.cusum_h");
  watch->bin = (uint32_t)ct_settings_int(s, "drift.bin");
  watch->false_alarm = ct_settings_real(s, "drift.false_alarm");
  watch->target_sigma = ct_settings_real(s, "emf.target_sigma");
  read_monitors(&watch->monitors, s);
}
