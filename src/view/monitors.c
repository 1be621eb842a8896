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

/* On a narrower screen there is only room for the values; what is wrong is in reverse. */
enum { NARROW_COLS = 72, NAME_COLS = 32, VALUE_COLS = 18 };

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
  if (canvas.cols < NARROW_COLS) {
    int name = canvas.cols - VALUE_COLS < NAME_COLS ? canvas.cols - VALUE_COLS : NAME_COLS;
    ct_canvas_text(ct_canvas_part(canvas, row, 0, 1, name - 1), 0, 0, 0, "%s", names[which]);
    ct_canvas_text(canvas, row, name, alarm ? CT_ATTR_REVERSE : 0, "%s", value);
    return;
  }
  ct_canvas_text(canvas, row, 0, 0, "%s", names[which]);
  ct_canvas_text(canvas, row, NAME_COLS, alarm ? CT_ATTR_BOLD : 0, "%s", value);
  if (count && m->x >= 0)
    ct_canvas_text(canvas, row, 50, 0, "around %d,%d", m->x, m->y);
  else
    ct_canvas_text(canvas, row, 50, 0, "%s", reference);
  ct_canvas_text(canvas, row, 60, 0, "%s", limit);
  ct_canvas_text(canvas, row, 68, alarm ? CT_ATTR_REVERSE : 0, "%s", ct_monitor_state_word(m->state));
}

enum { CHANGE_RUN = 13, CHANGE_TREND = 34, CHANGE_CUSUM = 50, CHANGE_TARGET = 62, CHANGE_END = 74 };

static void cell(struct ct_canvas canvas, int row, int from, int to, unsigned attributes, const char *text)
{
  ct_canvas_text(ct_canvas_part(canvas, row, from, 1, to - from - 1), 0, 0, attributes, "%s", text);
}

/* "cathode  0.9210 ± 0.0004 since start   +0.12 ± 0.03 %/h   CUSUM 1.2   target in 14 min" */
static void change_line(const char *name, const struct ct_emf *run, const struct ct_change *change, double target_s,
                        struct ct_canvas canvas, int row)
{
  char word[CT_WORD], left[CT_WORD] = "-";
  double cusum = fmax(change->up, change->down);
  cell(canvas, row, 0, CHANGE_RUN, 0, name);
  cell(canvas, row, CHANGE_RUN, CHANGE_TREND, 0, ct_word_measured(word, run->emf, run->sigma));
  snprintf(word, sizeof word, "-");
  if (isfinite(change->per_h) && run->emf > 0)
    ct_word_measured(word, 100 * change->per_h / run->emf, 100 * change->sigma_per_h / run->emf);
  cell(canvas, row, CHANGE_TREND, CHANGE_CUSUM, 0, word);
  snprintf(word, sizeof word, cusum < 1e6 ? "%.1f" : isfinite(cusum) ? "%.1e" : "-", cusum);
  cell(canvas, row, CHANGE_CUSUM, CHANGE_TARGET, change->alarm ? CT_ATTR_REVERSE : 0, word);
  if (isfinite(target_s))
    ct_word_time(left, target_s);
  cell(canvas, row, CHANGE_TARGET, CHANGE_END, 0, target_s > 0 ? left : isfinite(target_s) ? "reached" : "-");
}

static int draw_lines(const struct ct_snapshot_core *core, struct ct_canvas canvas, int row)
{
  const struct ct_snapshot_drift *drift = &core->drift;
  char word[CT_WORD];
  if (canvas.cols >= NARROW_COLS)
    ct_canvas_coloured(canvas, row++, NAME_COLS, CT_GREY, 0, "%-18s%-10s%s", "now", "expected", "±");
  for (int i = 0; i < CT_MONITORS; i++)
    monitor_line(&core->monitors.list[i], (enum ct_monitor)i, canvas, row++);
  static const struct { int col; const char *text; } heads[] = { { 0, "EMF" }, { CHANGE_RUN, "since start" }, { CHANGE_TREND, "% per hour" },
    { CHANGE_CUSUM, "CUSUM/σ" }, { CHANGE_TARGET, "target in" } };
  for (size_t i = 0; i < sizeof heads / sizeof *heads; i++)
    if (heads[i].col + ct_text_columns(heads[i].text) <= canvas.cols)
      ct_canvas_coloured(canvas, row, heads[i].col, CT_GREY, 0, "%s", heads[i].text);
  row++;
  change_line("all pixels", &core->xcs.run, &core->xcs.change, core->xcs.target_s, canvas, row++);
  for (uint32_t i = 0; i < at_most(core->n_rois, CT_SNAPSHOT_ROIS); i++)
    change_line(core->rois[i].name, &core->rois[i].run, &core->rois[i].change, core->rois[i].target_s, canvas, row++);
  if (isfinite(drift->z_max))
    ct_canvas_text(canvas, row++, 0, drift->alarm ? CT_ATTR_REVERSE : 0, "drift map: at most %.1f errors, at %d,%d; limit %.1f "
                   "for %u cells", drift->z_max, drift->x, drift->y, drift->z_limit, drift->cells);
  ct_canvas_text(canvas, row++, 0, 0, "scan %llu: %s", (unsigned long long)core->xcs.scan,
                 ct_word_measured(word, core->xcs.scan_emf.emf, core->xcs.scan_emf.sigma));
  return row;
}

void ct_panel_monitors(struct ct_view *view, const struct ct_snapshot *snapshot, struct ct_canvas canvas)
{
  const struct ct_snapshot_core *core = &snapshot->core;
  char word[CT_WORD];
  if (!core->xcs.present) {
    ct_panel_waiting(view, snapshot, ct_canvas_caption(canvas, "Instrument"), "a sample");
    return;
  }
  canvas = ct_canvas_caption(canvas, "Instrument  sample of %s", ct_word_time(word, core->monitors.live_s));
  struct ct_canvas blind = canvas;
  blind.rows = 0;
  canvas = ct_view_scroll(view, canvas, draw_lines(core, blind, 0));
  draw_lines(core, canvas, -view->scroll);
}
