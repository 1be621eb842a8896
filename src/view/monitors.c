/* monitors: what the instrument does, how EMF changes, and how long until it is known well enough. */
#include "view/panels.h"

#include <math.h>
#include <stdio.h>

#include "view/words.h"

static uint32_t at_most(uint32_t n, uint32_t limit) { return n < limit ? n : limit; }

static const char *const names[CT_MONITORS] = {
  [CT_MONITOR_PEAK] = "Compton peak off theta map, keV", [CT_MONITOR_TILT] = "the same, first to last column",
  [CT_MONITOR_ASYMMETRY] = "asymmetry of the profile",   [CT_MONITOR_W_LINE] = "W Ka1, keV",
  [CT_MONITOR_W_FWHM] = "W lines' FWHM, keV",            [CT_MONITOR_PB_LINE] = "Pb Ka1, keV",
  [CT_MONITOR_PB_FWHM] = "Pb lines' FWHM, keV",          [CT_MONITOR_ELASTIC] = "elastic / Compton",
  [CT_MONITOR_MULTIPLICITY] = "doubles / singles",       [CT_MONITOR_RATE] = "photons/s",
  [CT_MONITOR_BRAGG] = "pixels in a Bragg flash",        [CT_MONITOR_BUBBLE] = "pixels that lost counts",
};

static void monitor_line(const struct ct_snapshot_monitor *m, enum ct_monitor which, struct ct_canvas canvas, int row)
{
  char value[CT_WORD] = "-", reference[CT_WORD] = "", limit[CT_WORD] = "";
  bool alarm = m->state == CT_MONITOR_ALARM, count = which == CT_MONITOR_BRAGG || which == CT_MONITOR_BUBBLE;
  if (count && isfinite(m->value))
    snprintf(value, sizeof value, "%.0f", m->value);
  else if (which == CT_MONITOR_RATE)
    ct_word_short(value, m->value);
  else if (isfinite(m->value))
    ct_word_measured(value, m->value, m->sigma);
  if (which == CT_MONITOR_RATE && isfinite(m->reference))
    ct_word_short(reference, m->reference), ct_word_short(limit, m->limit);
  else if (!count && isfinite(m->reference) && isfinite(m->limit))
    snprintf(reference, sizeof reference, "%.4g", m->reference), snprintf(limit, sizeof limit, "%.2g", m->limit);
  ct_canvas_text(canvas, row, 0, 0, "%-32s", names[which]);
  ct_canvas_text(canvas, row, 32, alarm ? CT_ATTR_BOLD : 0, "%s", value);
  if (count && m->x >= 0)
    ct_canvas_text(canvas, row, 50, 0, "around %d,%d", m->x, m->y);
  else
    ct_canvas_text(canvas, row, 50, 0, "%s", reference);
  ct_canvas_text(canvas, row, 60, 0, "%s", limit);
  ct_canvas_text(canvas, row, 68, alarm ? CT_ATTR_REVERSE : 0, "%s", ct_monitor_state_word(m->state));
}

/* "cathode  0.9210 ± 0.0004 since start   +0.12 ± 0.03 %/h   CUSUM 1.2   target in 14 min" */
static void change_line(const char *name, const struct ct_emf *run, const struct ct_change *change, double target_s,
                        struct ct_canvas canvas, int row)
{
  char word[CT_WORD], trend[CT_WORD] = "-", left[CT_WORD] = "-";
  if (isfinite(change->per_h) && run->emf > 0)
    ct_word_measured(trend, 100 * change->per_h / run->emf, 100 * change->sigma_per_h / run->emf);
  if (isfinite(target_s))
    ct_word_time(left, target_s);
  ct_canvas_text(canvas, row, 0, 0, "%-12.12s", name);
  ct_canvas_text(canvas, row, 13, 0, "%s", ct_word_measured(word, run->emf, run->sigma));
  ct_canvas_text(canvas, row, 32, 0, "%s", trend);
  ct_canvas_text(canvas, row, 50, change->alarm ? CT_ATTR_REVERSE : 0, "%.1f", fmax(change->up, change->down));
  ct_canvas_text(canvas, row, 60, 0, "%s", target_s > 0 ? left : isfinite(target_s) ? "reached" : "-");
}

void ct_panel_monitors(const struct ct_view *view, const struct ct_snapshot *snapshot, struct ct_canvas canvas)
{
  const struct ct_snapshot_core *core = &snapshot->core;
  const struct ct_snapshot_drift *drift = &core->drift;
  char word[CT_WORD];
  int row = 0;
  if (!core->xcs.present) {
    ct_panel_waiting(view, snapshot, ct_canvas_caption(canvas, "Instrument"), "a sample");
    return;
  }
  canvas = ct_canvas_caption(canvas, "Instrument  sample of %s", ct_word_time(word, core->monitors.live_s));
  ct_canvas_coloured(canvas, row++, 0, CT_GREY, 0, "%-32s%-18s%-10s%-8s", "", "now", "expected", "+-");
  for (int i = 0; i < CT_MONITORS; i++)
    monitor_line(&core->monitors.list[i], (enum ct_monitor)i, canvas, row++);
  ct_canvas_coloured(canvas, row++, 0, CT_GREY, 0, "%-13s%-19s%-18s%-10s%s", "EMF", "since start", "% per hour", "CUSUM",
                     "target in");
  change_line("all pixels", &core->xcs.run, &core->xcs.change, core->xcs.target_s, canvas, row++);
  for (uint32_t i = 0; i < at_most(core->n_rois, CT_SNAPSHOT_ROIS); i++)
    change_line(core->rois[i].name, &core->rois[i].run, &core->rois[i].change, core->rois[i].target_s, canvas, row++);
  if (isfinite(drift->z_max))
    ct_canvas_text(canvas, row++, 0, drift->alarm ? CT_ATTR_REVERSE : 0, "drift map: at most %.1f errors, at %d,%d; limit %.1f "
                   "for %u cells", drift->z_max, drift->x, drift->y, drift->z_limit, drift->cells);
  ct_canvas_text(canvas, row, 0, 0, "scan %llu: %s", (unsigned long long)core->xcs.scan,
                 ct_word_measured(word, core->xcs.scan_emf.emf, core->xcs.scan_emf.sigma));
}
