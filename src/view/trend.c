/* trend: EMF and the cell's voltage over time, EMF over charge; scans, changes of mode and markers on the time axis. */
#include "view/panels.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "view/plot.h"
#include "view/words.h"

/* Columns of y's labels, the same for plots below one another, "3.95 V" and "0.9305", where there is room for that. */
static int left_of(struct ct_canvas canvas) { return canvas.cols >= 60 ? 7 : 0; }

/* ---- the time axis ---------------------------------------------------------------------------------------------- */
/* It ends now, in the unit that suits its length. */
static const char *time_unit(double span_s, double *unit_s)
{
  *unit_s = span_s < 300 ? 1 : span_s < 4 * 3600 ? 60 : 3600;
  return span_s < 300 ? "s" : span_s < 4 * 3600 ? "min" : "h";
}

struct ct_request ct_view_marks_request(void) { return (struct ct_request){ .kind = CT_SECTION_MARKS }; }

/* Before the curves: lines where somebody wrote a marker or the mode changed, ticks where a scan began. */
static void draw_marks(const struct ct_marks_view *marks, const struct ct_plot *plot, double last_s, double unit_s)
{
  for (uint32_t i = 0; i < marks->head->n; i++) {
    double x = (marks->marks[i].t_s - last_s) / unit_s;
    bool text = marks->marks[i].kind == CT_MARK_TEXT, scan = marks->marks[i].kind == CT_MARK_SCAN;
    if (!scan)
      ct_plot_line(plot, x);
    ct_plot_tick(plot, x, text ? 0x25b2 : scan ? 0x2534 : 0x253c, text ? '^' : '+');
  }
}

/* After them; the newest has its word first. */
static void name_marks(const struct ct_marks_view *marks, const struct ct_plot *plot, double last_s, double unit_s)
{
  for (uint32_t i = marks->head->n; i-- > 0;)
    if (marks->marks[i].kind != CT_MARK_SCAN)
      ct_plot_label(plot, (marks->marks[i].t_s - last_s) / unit_s, marks->marks[i].text);
}

void ct_panel_marks(const struct ct_snapshot *snapshot, struct ct_canvas canvas)
{
  struct ct_request request = ct_view_marks_request();
  struct ct_marks_view marks;
  char clock[CT_WORD];
  int col = 0;
  if (!ct_snapshot_marks(snapshot, &request, &marks) || marks.head->n == 0) {
    ct_canvas_coloured(canvas, 0, 0, CT_GREY, 0, "no scans or markers yet");
    return;
  }
  for (uint32_t i = marks.head->n; i-- > 0 && col < canvas.cols;) {
    const struct ct_snapshot_mark *mark = &marks.marks[i];
    if (!(fabs(mark->t_s) < 9e9) || mark->kind > CT_MARK_TEXT)
      continue;
    ct_word_clock(clock, (int64_t)mark->t_s * CT_NS_PER_S);
    col = ct_canvas_coloured(canvas, 0, col, CT_GREY, 0, "%s ", clock);
    col = ct_canvas_text(canvas, 0, col, mark->kind == CT_MARK_TEXT ? CT_ATTR_BOLD : 0, "%.*s", (int)sizeof mark->text - 1, mark->text) + 2;
  }
}

/* ---- over time --------------------------------------------------------------------------------------------------- */
static void trend_waiting(const struct ct_view *view, const struct ct_snapshot *snapshot, struct ct_canvas canvas, bool voltage)
{
  if (voltage)
    ct_canvas_coloured(canvas, canvas.rows / 2, 1, CT_GREY, 0, "waiting for the cell's voltage");
  else
    ct_panel_waiting(view, snapshot, canvas, "an EMF");
}

/* The curves of a panel: the scope's, and over it those of ROIs. */
struct curves {
  struct ct_curve curve[1 + CT_OVERLAY_MAX];
  int colour[1 + CT_OVERLAY_MAX];
  uint32_t n;
};

static void find_curves(const struct ct_view *view, const struct ct_snapshot *snapshot, const struct ct_trend_view *trend,
                        struct curves *out)
{
  uint32_t rois[CT_OVERLAY_MAX], n = view->panel == CT_PANEL_CELL ? ct_view_overlay(view, rois) : 0;
  out->curve[0] = (struct ct_curve){ .y = trend->emf, .sigma = trend->sigma, .n = trend->head->n, .x = trend->t_s };
  out->colour[0] = CT_ACCENT;
  out->n = 1;
  for (uint32_t i = 0; i < n; i++) {
    struct ct_request request = ct_view_roi_request(CT_SECTION_TREND, rois[i]);
    struct ct_trend_view other;
    if (!ct_snapshot_trend(snapshot, &request, &other) || other.head->n != trend->head->n)
      continue;
    out->curve[out->n] = (struct ct_curve){ .y = other.emf, .sigma = other.sigma, .n = other.head->n, .x = other.t_s,
                                            .letter = ct_roi_letter(rois[i]), .phase = (int)i, .phases = (int)n };
    out->colour[out->n++] = ct_roi_colour(rois[i]);
  }
}

/* The extent of them all; false where there is no finite point. */
static bool extent(const struct curves *curves, double *low, double *high)
{
  *low = (double)INFINITY;
  *high = -(double)INFINITY;
  for (uint32_t i = 0; i < curves->n; i++) {
    double from, to;
    if (!ct_plot_extent(&curves->curve[i], &from, &to))
      continue;
    *low = fmin(*low, from);
    *high = fmax(*high, to);
  }
  return *low <= *high;
}

static void draw_trend(const struct ct_view *view, const struct ct_snapshot *snapshot, struct ct_canvas canvas, bool voltage)
{
  struct ct_request request = ct_view_trend_request(view), marks_request = ct_view_marks_request();
  struct ct_trend_view trend;
  struct ct_marks_view marks;
  struct curves curves = { .n = 1, .colour = { CT_QUIET } };
  if (!ct_snapshot_trend(snapshot, &request, &trend) || trend.head->n == 0) {
    trend_waiting(view, snapshot, canvas, voltage);
    return;
  }
  uint32_t n = trend.head->n;
  double last_s = trend.t_s[n - 1], span_s = fmax(last_s - trend.t_s[0], 10), unit_s, low, high;
  const char *unit = time_unit(span_s, &unit_s);
  if (voltage)
    curves.curve[0] = (struct ct_curve){ .x = trend.t_s, .y = trend.v_V, .n = n };
  else
    find_curves(view, snapshot, &trend, &curves);
  if (!isfinite(span_s) || !extent(&curves, &low, &high)) {
    trend_waiting(view, snapshot, canvas, voltage);
    return;
  }
  ct_plot_round(&low, &high);
  struct ct_plot plot = ct_plot_axes(canvas, &(struct ct_axes){ .x_low = -span_s / unit_s, .y_low = low, .y_high = high,
    .x_unit = unit, .y_unit = voltage ? "V" : NULL, .left = left_of(canvas) });
  bool marked = ct_snapshot_marks(snapshot, &marks_request, &marks);
  if (marked)
    draw_marks(&marks, &plot, last_s, unit_s);
  for (uint32_t i = 0; i < curves.n; i++) {
    struct ct_curve *curve = &curves.curve[i];
    curve->x_scale = 1 / unit_s;
    curve->x_shift = last_s;
    curve->joined = true;
    ct_plot_curve(&plot, curve, curves.colour[i]);
  }
  if (marked && (voltage || view->panel != CT_PANEL_CELL))      /* once is enough */
    name_marks(&marks, &plot, last_s, unit_s);
}

/* ", rising 0.020 ± 0.003 per hour": the trend of disjoint samples beyond three of its errors; "" where there is none. */
static const char *course(const struct ct_change *change, bool wide, char out[2 * CT_WORD])
{
  char word[CT_WORD];
  out[0] = '\0';
  if (change->samples < 3 || !isfinite(change->per_h) || !isfinite(change->sigma_per_h))
    return out;
  ct_word_measured(word, fabs(change->per_h), change->sigma_per_h);
  if (!(fabs(change->per_h) > 3 * change->sigma_per_h))
    snprintf(out, 2 * CT_WORD, wide ? ", no change seen above the noise" : ", steady");
  else
    snprintf(out, 2 * CT_WORD, wide ? ", %s %s per hour" : ", %s", change->per_h > 0 ? "rising" : "falling", word);
  return out;
}

/* "  A cathode  B anode": whose letters are on the curves. */
static void overlay_names(const struct ct_view *view, const struct ct_snapshot_core *core, char *out, size_t size)
{
  uint32_t rois[CT_OVERLAY_MAX], n = view->panel == CT_PANEL_CELL ? ct_view_overlay(view, rois) : 0;
  size_t length = 0;
  out[0] = '\0';
  for (uint32_t i = 0; i < n && rois[i] < core->n_rois && length < size; i++)
    length += (size_t)snprintf(out + length, size - length, "  %c %.*s", (int)ct_roi_letter(rois[i]), CT_NAME - 1,
                               core->rois[rois[i]].name);
}

void ct_panel_trend(const struct ct_view *view, const struct ct_snapshot *snapshot, struct ct_canvas canvas)
{
  char word[CT_WORD], change[2 * CT_WORD], names[CT_OVERLAY_MAX * (CT_NAME + 4)];
  const struct ct_snapshot_core *core = &snapshot->core;
  bool roi = view->scope == CT_SCOPE_ROI && view->roi < core->n_rois && view->roi < CT_SNAPSHOT_ROIS;
  const struct ct_emf *emf = roi ? &core->rois[view->roi].emf : &core->xcs.emf;
  ct_word_measured(word, core->xcs.present ? emf->emf : (double)NAN, emf->sigma);
  overlay_names(view, core, names, sizeof names);
  canvas = ct_canvas_caption(canvas, "EMF %s%s%s%.*s%s", word,
                             course(roi ? &core->rois[view->roi].change : &core->xcs.change, canvas.cols >= 56, change),
                             roi ? "  " : "", roi ? CT_NAME - 1 : 0, roi ? core->rois[view->roi].name : "", names);
  draw_trend(view, snapshot, canvas, false);
}

void ct_panel_voltage(const struct ct_view *view, const struct ct_snapshot *snapshot, struct ct_canvas canvas)
{
  const struct ct_snapshot_cell *cell = &snapshot->core.cell;
  char v[CT_WORD], i[CT_WORD], q[CT_WORD], age[CT_WORD];
  if (!cell->present) {
    ct_canvas_coloured(ct_canvas_caption(canvas, "Cell"), 0, 1, CT_GREY, 0, "no potentiostat is configured");
    return;
  }
  double age_s = ct_age_cell(&snapshot->core);
  struct ct_canvas whole = canvas;
  canvas = ct_canvas_caption(canvas, "Cell  %s%s%s  %s  %s", age_s > 0 ? ct_word_age(age, age_s) : "", age_s > 0 ? "  " : "",
                             ct_word_unit(v, cell->v_V, 4, false, "V"), ct_word_unit(i, cell->i_A, 3, true, "A"),
                             ct_word_unit(q, cell->q_Ah, 3, false, "Ah"));
  if (age_s > 0)
    ct_canvas_text(whole, 0, (int)strlen("Cell  "), CT_ATTR_REVERSE, "%s", age);
  draw_trend(view, snapshot, canvas, true);
}

/* ---- over charge ---------------------------------------------------------------------------------------------------- */
/* Charge is in the trend and moves: there is something to draw EMF against. */
static bool find_charge(const struct ct_view *view, const struct ct_snapshot *snapshot, struct ct_trend_view *trend, double *low,
                        double *high)
{
  struct ct_request request = ct_view_trend_request(view);
  if (!ct_snapshot_trend(snapshot, &request, trend))
    return false;
  struct ct_curve charge = { .x = trend->t_s, .y = trend->q_Ah, .n = trend->head->n };
  return ct_plot_extent(&charge, low, high) && *high > *low && isfinite(*high - *low);
}

bool ct_panel_has_charge(const struct ct_view *view, const struct ct_snapshot *snapshot)
{
  struct ct_trend_view trend;
  double low, high;
  return find_charge(view, snapshot, &trend, &low, &high);
}

void ct_panel_charge(const struct ct_view *view, const struct ct_snapshot *snapshot, struct ct_canvas canvas)
{
  char scope[CT_NAME + 16], names[CT_OVERLAY_MAX * (CT_NAME + 4)];
  struct ct_trend_view trend;
  struct curves curves;
  double q_low, q_high, low, high;
  bool roi = view->scope == CT_SCOPE_ROI;      /* no history is kept per pixel */
  overlay_names(view, &snapshot->core, names, sizeof names);
  canvas = ct_canvas_caption(canvas, "EMF against charge  %s%s", roi ? ct_view_scope_word(view, &snapshot->core, scope) : "all pixels",
                             names);
  if (!find_charge(view, snapshot, &trend, &q_low, &q_high))
    return;
  find_curves(view, snapshot, &trend, &curves);
  if (!extent(&curves, &low, &high))
    return;
  bool milli = fmax(fabs(q_low), fabs(q_high)) < 1;
  double scale = milli ? 1000 : 1;
  ct_plot_round(&low, &high);
  struct ct_plot plot = ct_plot_axes(canvas, &(struct ct_axes){ .x_low = q_low * scale, .x_high = q_high * scale, .y_low = low,
    .y_high = high, .x_unit = milli ? "mAh" : "Ah", .left = left_of(canvas) });
  for (uint32_t i = 0; i < curves.n; i++) {
    curves.curve[i].x = trend.q_Ah;
    curves.curve[i].x_scale = scale;
    ct_plot_curve(&plot, &curves.curve[i], curves.colour[i]);
  }
}
