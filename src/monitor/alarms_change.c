/* Alarms about the measurement itself: what changes in it, and whether the instrument explains that. */
#include "alarms.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* Errors beyond which a monitor has moved beside EMF. */
static const double moved_sigmas = 4;

/* ---- the instrument ------------------------------------------------------------------------------------------- */
static double off(const struct ct_snapshot_monitor *m) { return m->value - m->reference; }

static void raise_monitor(struct alarms *alarms, int64_t now_ns, enum ct_monitor which,
                          const struct ct_snapshot_monitors *monitors)
{
  const struct ct_snapshot_monitor *m = &monitors->list[which];
  const enum ct_severity warning = CT_WARNING;
  switch (which) {
  case CT_MONITOR_PEAK:
    alarms_raise(alarms, now_ns, "peak-shift", "", warning, "the Compton peak is %+.3f +- %.3f keV off the theta map; check "
                 "the gain against the W and Pb lines, then geometry.theta_deg, centre_px and beam.e1_keV", off(m), m->sigma);
    break;
  case CT_MONITOR_TILT:
    alarms_raise(alarms, now_ns, "peak-tilt", "", warning, "the columns' Compton peaks lean %+.3f +- %.3f keV against the theta "
                 "map from the first to the last; check geometry.beam, detector_mm and pitch_mm", off(m), m->sigma);
    break;
  case CT_MONITOR_ASYMMETRY:
    alarms_raise(alarms, now_ns, "asymmetry", "", warning, "the asymmetry of the profile has moved by %+.4f +- %.4f since the "
                 "beginning; check the gain, the low tail (bias voltage) and the background", off(m), m->sigma);
    break;
  case CT_MONITOR_W_LINE:
  case CT_MONITOR_PB_LINE:
    alarms_raise(alarms, now_ns, which == CT_MONITOR_W_LINE ? "w-line" : "pb-line", "", warning,
                 "%s Ka1 is at %.3f +- %.3f keV, %+.3f off: the gain has drifted or the calibration is wrong; check the "
                 "detector's temperature, then calibrate again", which == CT_MONITOR_W_LINE ? "W" : "Pb", m->value, m->sigma,
                 off(m));
    break;
  case CT_MONITOR_W_FWHM:
  case CT_MONITOR_PB_FWHM:
    alarms_raise(alarms, now_ns, which == CT_MONITOR_W_FWHM ? "w-fwhm" : "pb-fwhm", "", warning,
                 "the %s lines are %.3f +- %.3f keV wide, %+.3f since the beginning, and 0.01 keV is 0.2 %% of EMF; check "
                 "temperature, bias voltage and noise", which == CT_MONITOR_W_FWHM ? "W" : "Pb", m->value, m->sigma, off(m));
    break;
  case CT_MONITOR_ELASTIC:
    alarms_raise(alarms, now_ns, "elastic", "", warning, "%.2g elastic photons to one Compton photon, %.1f times as many as in "
                 "the beginning; check for crystals in reflection and for something else in the beam", m->value,
                 m->value / m->reference);
    break;
  case CT_MONITOR_MULTIPLICITY:
    alarms_raise(alarms, now_ns, "multiplicity", "", warning, "%.3f doubles to one single, %+.1f %% since the beginning; check "
                 "threshold, bias voltage, noise and rate", m->value, 100 * off(m) / m->reference);
    break;
  case CT_MONITOR_RATE:
    alarms_raise(alarms, now_ns, "photon-rate", "", warning, "%.3g photons/s, %.0f %% of the beginning; check shutter, beam "
                 "current and the sample's place", m->value, 100 * m->value / m->reference);
    break;
  case CT_MONITOR_BRAGG:
    alarms_raise(alarms, now_ns, "bragg-flash", "", warning, "%.0f pixels around column %d, row %d see far more of the beam's "
                 "own energy than others: a crystallite in reflection; EMF there was too low", m->value, m->x, m->y);
    break;
  case CT_MONITOR_BUBBLE:
    alarms_raise(alarms, now_ns, "bubble", "", warning, "%.0f connected pixels around column %d, row %d have lost %.0f %% of "
                 "their counts: a bubble, or something has moved; EMF there is not that of before", m->value, m->x, m->y,
                 100 * monitors->bubble_loss);
    break;
  case CT_MONITORS:
    break;
  }
}

/* ---- EMF, cross-checked --------------------------------------------------------------------------------------- */
static void append(char *text, size_t size, const char *fmt, ...) CT_PRINTF(3, 4);
static void append(char *text, size_t size, const char *fmt, ...)
{
  size_t used = strlen(text);
  va_list args;
  va_start(args, fmt);
  vsnprintf(text + used, size - used, fmt, args);
  va_end(args);
}

/* Rate changes EMF in nothing; the rest does, or shows what does. */
static bool is_suspect(enum ct_monitor which, const struct ct_snapshot_monitor *m)
{
  if (which == CT_MONITOR_RATE)
    return false;
  if (which == CT_MONITOR_BRAGG || which == CT_MONITOR_BUBBLE)
    return m->state == CT_MONITOR_ALARM;
  return m->state == CT_MONITOR_ALARM || fabs(m->moved) > moved_sigmas * m->moved_sigma;
}

/* The change of EMF that a change of resolution too small to be seen would make: 0.2 % in 0.01 keV of FWHM. */
static double unseen_percent(const struct ct_snapshot_monitors *monitors)
{
  const double percent_per_keV = 20;
  double w = monitors->list[CT_MONITOR_W_FWHM].moved_sigma, pb = monitors->list[CT_MONITOR_PB_FWHM].moved_sigma;
  double precision = (isfinite(w) ? 1 / (w * w) : 0) + (isfinite(pb) ? 1 / (pb * pb) : 0);
  return precision > 0 ? percent_per_keV * moved_sigmas / sqrt(precision) : (double)NAN;
}

/* What the instrument did meanwhile. */
static const char *verdict(const struct ct_snapshot_monitors *monitors, char *text, size_t size)
{
  unsigned suspects = 0, known = 0;
  text[0] = '\0';
  for (int i = 0; i < CT_MONITORS; i++) {
    const struct ct_snapshot_monitor *m = &monitors->list[i];
    known += isfinite(m->moved) && isfinite(m->moved_sigma);
    if (!is_suspect((enum ct_monitor)i, m))
      continue;
    append(text, size, suspects++ > 0 ? ", %s" : "; but the instrument moved too: %s", ct_monitor_word((enum ct_monitor)i));
    if (isfinite(m->moved))
      append(text, size, " %+.3g", m->moved);
  }
  double unseen = unseen_percent(monitors);
  if (suspects == 0 && known > 0 && isfinite(unseen))
    append(text, size, "; no monitor of the instrument has moved; a change of resolution too small for them is worth %.2g %% "
           "of EMF at most", unseen);
  else if (suspects == 0)
    append(text, size, "; the monitors of the instrument cannot tell yet whether it is the sample");
  return text;
}

static void raise_drift(struct alarms *alarms, int64_t now_ns, const char *name, const struct ct_emf *run,
                        const struct ct_change *change, const char *instrument)
{
  char trend[64] = "";
  if (!change->alarm)
    return;
  if (isfinite(change->per_h) && run->emf > 0)
    snprintf(trend, sizeof trend, ", trend %+.2f +- %.2f %%/h", 100 * change->per_h / run->emf,
             100 * change->sigma_per_h / run->emf);
  alarms_raise(alarms, now_ns, "emf-drift", name, CT_WARNING, "%.31s: EMF is %s than before (CUSUM %.1f%s)%s", name,
               change->up > change->down ? "higher" : "lower", fmax(change->up, change->down), trend, instrument);
}

/* A calibration that its own references speak against. */
static void raise_lithium(struct alarms *alarms, int64_t now_ns, const struct ct_lithium *line)
{
  double dof = line->references - 2.0;
  if (line->references == 0)
    return;
  if (!(fabs(line->slope) > 3 * line->slope_sigma))
    alarms_raise(alarms, now_ns, "lithium-references", "", CT_WARNING,
                 "the references have a slope of %.2g +- %.2g EMF per x, which may be none; x means little: measure them longer "
                 "or farther apart", line->slope, line->slope_sigma);
  else if (dof > 0 && line->chi2 > dof + 4 * sqrt(2 * dof))
    alarms_raise(alarms, now_ns, "lithium-references", "", CT_WARNING,
                 "the references do not lie on a line: chi-square %.1f for %.0f degrees of freedom; check them, and whether the "
                 "instrument drifted between them", line->chi2, dof);
}

void alarms_change(struct alarms *alarms, const struct ct_snapshot_core *core)
{
  const struct ct_snapshot_drift *drift = &core->drift;
  int64_t now_ns = core->wall_ns;
  char text[192];
  const char *instrument = verdict(&core->monitors, text, sizeof text);
  raise_lithium(alarms, now_ns, &core->lithium);
  raise_drift(alarms, now_ns, "all pixels", &core->xcs.run, &core->xcs.change, instrument);
  for (uint32_t i = 0; i < core->n_rois; i++)
    raise_drift(alarms, now_ns, core->rois[i].name, &core->rois[i].run, &core->rois[i].change, instrument);
  if (drift->alarm)
    alarms_raise(alarms, now_ns, "emf-drift-map", "", CT_WARNING,
                 "EMF changes in %u of %u cells of the map, most at column %d, row %d (%.1f errors; limit %.1f)%s",
                 drift->beyond, drift->cells, drift->x, drift->y, drift->z_max, drift->z_limit, instrument);
  for (int i = 0; i < CT_MONITORS; i++)
    if (core->monitors.list[i].state == CT_MONITOR_ALARM)
      raise_monitor(alarms, now_ns, (enum ct_monitor)i, &core->monitors);
}
