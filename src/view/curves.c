/* curves: profile, spectrum and the course of EMF and voltage. */
#include "view/panels.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "view/plot.h"
#include "view/words.h"

struct ct_request ct_view_curve_request(const struct ct_view *view, enum ct_section_kind kind)
{
  struct ct_request request = { .kind = kind, .scope = view->scope };
  if (view->scope == CT_SCOPE_PIXEL) {
    request.x = view->cursor_x;
    request.y = view->cursor_y;
  } else if (view->scope == CT_SCOPE_ROI) {
    request.x = (int32_t)view->roi;
  }
  return request;
}

/* No history is kept per pixel: the trend is then that of all pixels. */
struct ct_request ct_view_trend_request(const struct ct_view *view)
{
  struct ct_request request = { .kind = CT_SECTION_TREND, .scope = CT_SCOPE_ALL, .size = CT_VIEW_TREND_POINTS };
  if (view->scope == CT_SCOPE_ROI) {
    request.scope = CT_SCOPE_ROI;
    request.x = (int32_t)view->roi;
  }
  return request;
}

const char *ct_view_scope_word(const struct ct_view *view, const struct ct_snapshot_core *core, char out[CT_NAME + 16])
{
  const size_t size = CT_NAME + 16;
  if (view->scope == CT_SCOPE_PIXEL)
    snprintf(out, size, "pixel %d,%d", (int)view->cursor_x, (int)view->cursor_y);
  else if (view->scope == CT_SCOPE_ROI && view->roi < core->n_rois && view->roi < CT_SNAPSHOT_ROIS)
    snprintf(out, size, "%.*s", CT_NAME - 1, core->rois[view->roi].name);
  else
    snprintf(out, size, "all pixels");
  return out;
}

void ct_panel_waiting(const struct ct_view *view, const struct ct_snapshot *snapshot, struct ct_canvas canvas, const char *what)
{
  int row = canvas.rows / 2;
  if (!snapshot->core.xcs.present)
    ct_canvas_coloured(canvas, row, 1, CT_GREY, 0, "no detector stream is configured");
  else if (view->frozen)           /* it has only what was on the screen when it was frozen */
    ct_canvas_coloured(canvas, row, 1, CT_GREY, 0, "not in the frozen picture: %s", what);
  else
    ct_canvas_coloured(canvas, row, 1, CT_GREY, 0, "waiting for %s", what);
}

/* What the reference leaves, in errors of both: a strip of its own below the profile. */
enum { MARKS_FROM_COLS = 50, WORDS_FROM_COLS = 160, STRIP_ROWS = 5, STRIP_FROM_ROWS = 13, PROFILE_POINTS = 512 };

static void draw_residuals(const struct ct_profile_view *profile, struct ct_canvas canvas)
{
  double residual[PROFILE_POINTS], low, high;
  uint32_t n = profile->head->n < PROFILE_POINTS ? profile->head->n : PROFILE_POINTS;
  for (uint32_t i = 0; i < n; i++)
    residual[i] = (profile->J[i] - profile->reference[i]) / hypot(profile->sigma[i], profile->reference_sigma[i]);
  struct ct_curve curve = { .x = profile->pz, .y = residual, .n = n, .x_scale = 1, .joined = true };
  if (!ct_plot_extent(&curve, &low, &high))
    return;
  high = fmax(3, fmax(-low, high));
  low = -high;
  ct_plot_round(&low, &high);
  struct ct_plot plot = ct_plot_axes(canvas, profile->pz[0], profile->pz[profile->head->n - 1], low, high, false, "sigma");
  ct_plot_curve(&plot, &curve, CT_QUIET);
}

/* Where L and H are counted; each label belongs to what is right of its line. */
static void mark_windows(const struct ct_plot *plot, const struct ct_snapshot_xcs *xcs)
{
  if (!(xcs->p_low > 0) || !(xcs->p_high > xcs->p_low))
    return;
  ct_plot_mark(plot, -xcs->p_high, "H");
  ct_plot_mark(plot, -xcs->p_low, "L");
  ct_plot_mark(plot, xcs->p_low, "H");
  ct_plot_mark(plot, xcs->p_high, "");
}

/* The profile of all pixels in dots, to compare that of a ROI or pixel with. */
static bool draw_all_pixels(const struct ct_plot *plot, const struct ct_snapshot *snapshot)
{
  struct ct_request request = { .kind = CT_SECTION_PROFILE, .scope = CT_SCOPE_ALL };
  struct ct_profile_view profile;
  if (!ct_snapshot_profile(snapshot, &request, &profile))
    return false;
  struct ct_curve curve = { .x = profile.pz, .y = profile.J, .n = profile.head->n, .x_scale = 1 };
  ct_plot_curve(plot, &curve, CT_GREY);
  return true;
}

static struct ct_canvas profile_caption(const struct ct_view *view, const struct ct_snapshot *snapshot,
                                        const struct ct_profile_view *profile, struct ct_canvas canvas)
{
  static const char *const words[] = { "J(pz) / J(0)", "J(pz) / area", "J(pz), counts/a.u." };
  char scope[CT_NAME + 16], against[128] = "", chi2[CT_WORD];
  const char *what = words[profile != NULL ? profile->head->normalisation : 0];
  if (profile != NULL && profile->head->reference[0] != '\0') {
    const struct ct_section_profile *head = profile->head;
    ct_word_brief(chi2, head->chi2);
    snprintf(against, sizeof against, isfinite(head->chi2) ? ", %.63s: chi2 %s of %u" : ", %.63s", head->reference, chi2,
             head->dof);
  }
  return ct_canvas_caption(canvas, "%s%s  %s%s", canvas.cols >= 60 ? "Compton profile " : "Profile ",
                           canvas.cols >= 60 ? what : "J(pz)", ct_view_scope_word(view, &snapshot->core, scope), against);
}

void ct_panel_profile(const struct ct_view *view, const struct ct_snapshot *snapshot, struct ct_canvas canvas)
{
  struct ct_request request = ct_view_curve_request(view, CT_SECTION_PROFILE);
  struct ct_profile_view profile;
  bool found = ct_snapshot_profile(snapshot, &request, &profile) && profile.head->n >= 2;
  canvas = profile_caption(view, snapshot, found ? &profile : NULL, canvas);
  if (!found) {
    ct_panel_waiting(view, snapshot, canvas, "a profile");
    return;
  }
  uint32_t n = profile.head->n;
  struct ct_curve curve = { .x = profile.pz, .y = profile.J, .n = n, .x_scale = 1, .joined = true };
  double low, high, x_low = profile.pz[0], x_high = profile.pz[n - 1];
  /* The curve decides the range; the error bars of thin tails may leave it. */
  if (!ct_plot_extent(&curve, &low, &high) || !(x_high > x_low)) {
    ct_panel_waiting(view, snapshot, canvas, "enough photons");
    return;
  }
  curve.sigma = profile.sigma;
  low = fmin(low, 0);
  if (profile.head->normalisation == CT_NORMALISE_PEAK)
    high = fmax(high, 1);
  ct_plot_round(&low, &high);
  bool compared = profile.head->reference[0] != '\0', strip = compared && canvas.rows >= STRIP_FROM_ROWS;
  int rows = strip ? canvas.rows - STRIP_ROWS : canvas.rows;
  struct ct_plot plot = ct_plot_axes(ct_canvas_part(canvas, 0, 0, rows, canvas.cols), x_low, x_high, low, high, false, "a.u.");
  struct ct_curve reference = { .x = profile.pz, .y = profile.reference, .n = n, .x_scale = 1, .joined = true };
  if (canvas.cols >= MARKS_FROM_COLS)
    mark_windows(&plot, &snapshot->core.xcs);
  if (view->scope != CT_SCOPE_ALL && view->panel == CT_PANEL_PROFILE && draw_all_pixels(&plot, snapshot))
    ct_canvas_coloured(plot.area, plot.area.rows > 2 ? 1 : 0, 1, CT_GREY, 0, "dots: all pixels");
  if (compared)
    ct_plot_curve(&plot, &reference, CT_QUIET);
  ct_plot_curve(&plot, &curve, CT_ACCENT);
  if (strip)
    draw_residuals(&profile, ct_canvas_part(canvas, rows, 0, STRIP_ROWS, canvas.cols));
}

/* The spectrum summed over whole bins until there are no more bins than dots, so that every count is shown once. */
enum { SPECTRUM_POINTS = 512 };

static size_t sum_bins(const struct ct_spectrum_view *spectrum, size_t points, double x[SPECTRUM_POINTS],
                       double y[SPECTRUM_POINTS], double *width_keV)
{
  uint32_t n = spectrum->head->n;
  uint32_t together = points < n ? (uint32_t)(n / points + (n % points != 0)) : 1;
  size_t made = 0;
  *width_keV = spectrum->head->width_keV * together;
  for (uint32_t i = 0; i < n && made < SPECTRUM_POINTS; i += together, made++) {
    y[made] = 0;
    for (uint32_t k = i; k < n && k - i < together; k++)
      y[made] += spectrum->counts[k];
    x[made] = spectrum->head->start_keV + *width_keV * ((double)made + 0.5);
  }
  return made;
}

/* Fluorescence lines the detector is watched by, elastic and Compton peak, and where the background is measured. */
static void mark_lines(const struct ct_plot *plot, const struct ct_snapshot_core *core, bool wide)
{
  const struct ct_snapshot_xcs *xcs = &core->xcs;
  char word[CT_WORD];
  if (!xcs->present || !isfinite(xcs->e1_keV) || !isfinite(xcs->e2_keV))
    return;
  for (uint32_t i = 0; i < xcs->n_background && i < 2; i++) {
    ct_plot_mark(plot, xcs->background_keV[i][1], "");
    ct_plot_mark(plot, xcs->background_keV[i][0], wide ? "back" : "b");
  }
  ct_plot_mark(plot, core->monitors.list[CT_MONITOR_W_LINE].reference, wide ? "W Ka1" : "W");
  ct_plot_mark(plot, core->monitors.list[CT_MONITOR_PB_LINE].reference, wide ? "Pb Ka1" : "Pb");
  snprintf(word, sizeof word, "%.1f elastic", xcs->e1_keV);
  ct_plot_mark(plot, xcs->e1_keV, word);
  ct_plot_mark(plot, xcs->e2_keV, wide ? "Compton" : "C");
}

void ct_panel_spectrum(const struct ct_view *view, const struct ct_snapshot *snapshot, struct ct_canvas canvas)
{
  char scope[CT_NAME + 16];
  ct_view_scope_word(view, &snapshot->core, scope);
  struct ct_request request = ct_view_curve_request(view, CT_SECTION_SPECTRUM);
  struct ct_spectrum_view spectrum;
  if (!ct_snapshot_spectrum(snapshot, &request, &spectrum) || spectrum.head->n == 0 || !(spectrum.head->width_keV > 0)) {
    ct_panel_waiting(view, snapshot, ct_canvas_caption(canvas, "Spectrum  %s", scope), "a spectrum");
    return;
  }
  size_t points = (size_t)(canvas.cols > 20 ? canvas.cols - 8 : 12) * (view->utf8 ? 2 : 1);
  double x[SPECTRUM_POINTS], y[SPECTRUM_POINTS], width_keV, low, high;
  size_t n = sum_bins(&spectrum, points < SPECTRUM_POINTS ? points : SPECTRUM_POINTS, x, y, &width_keV);
  struct ct_curve curve = { .x = x, .y = y, .n = n, .x_scale = 1, .joined = true, .summed = true };
  canvas = ct_canvas_caption(canvas, "Spectrum  %s, counts per %.3g keV%s", scope, width_keV, view->log_scale ? ", log" : "");
  if (!ct_plot_extent(&curve, &low, &high) || !(high > 0)) {
    ct_panel_waiting(view, snapshot, canvas, "photons");
    return;
  }
  low = 0;
  if (view->log_scale)
    high = fmax(1, ceil(log10(high)));
  else
    ct_plot_round(&low, &high);
  double end_keV = spectrum.head->start_keV + spectrum.head->width_keV * spectrum.head->n;
  struct ct_plot plot = ct_plot_axes(canvas, spectrum.head->start_keV, end_keV, low, high, view->log_scale, "keV");
  if (canvas.cols >= MARKS_FROM_COLS)
    mark_lines(&plot, &snapshot->core, canvas.cols >= WORDS_FROM_COLS);
  ct_plot_curve(&plot, &curve, CT_ACCENT);
}

/* A time axis that ends now, in the unit that suits its length. */
static const char *time_unit(double span_s, double *unit_s)
{
  *unit_s = span_s < 300 ? 1 : span_s < 4 * 3600 ? 60 : 3600;
  return span_s < 300 ? "s" : span_s < 4 * 3600 ? "min" : "h";
}

static void trend_waiting(const struct ct_view *view, const struct ct_snapshot *snapshot, struct ct_canvas canvas, bool voltage)
{
  if (voltage)
    ct_canvas_coloured(canvas, canvas.rows / 2, 1, CT_GREY, 0, "waiting for the cell's voltage");
  else
    ct_panel_waiting(view, snapshot, canvas, "an EMF");
}

static void draw_trend(const struct ct_view *view, const struct ct_snapshot *snapshot, struct ct_canvas canvas, bool voltage)
{
  struct ct_request request = ct_view_trend_request(view);
  struct ct_trend_view trend;
  if (!ct_snapshot_trend(snapshot, &request, &trend) || trend.head->n == 0) {
    trend_waiting(view, snapshot, canvas, voltage);
    return;
  }
  uint32_t n = trend.head->n;
  double last_s = trend.t_s[n - 1], span_s = fmax(last_s - trend.t_s[0], 10), unit_s, low, high;
  const char *unit = time_unit(span_s, &unit_s);
  struct ct_curve curve = { .x = trend.t_s, .y = voltage ? trend.v_V : trend.emf, .sigma = voltage ? NULL : trend.sigma,
                            .n = n, .x_scale = 1 / unit_s, .x_shift = last_s, .joined = true };
  if (!isfinite(span_s) || !ct_plot_extent(&curve, &low, &high)) {
    trend_waiting(view, snapshot, canvas, voltage);
    return;
  }
  ct_plot_round(&low, &high);
  struct ct_plot plot = ct_plot_axes(canvas, -span_s / unit_s, 0, low, high, false, unit);
  ct_plot_curve(&plot, &curve, voltage ? CT_QUIET : CT_ACCENT);
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

void ct_panel_trend(const struct ct_view *view, const struct ct_snapshot *snapshot, struct ct_canvas canvas)
{
  char word[CT_WORD], change[2 * CT_WORD];
  const struct ct_snapshot_core *core = &snapshot->core;
  bool roi = view->scope == CT_SCOPE_ROI && view->roi < core->n_rois && view->roi < CT_SNAPSHOT_ROIS;
  const struct ct_emf *emf = roi ? &core->rois[view->roi].emf : &core->xcs.emf;
  ct_word_measured(word, core->xcs.present ? emf->emf : (double)NAN, emf->sigma);
  canvas = ct_canvas_caption(canvas, "EMF %s%s%s%.*s", word,
                             course(roi ? &core->rois[view->roi].change : &core->xcs.change, canvas.cols >= 56, change),
                             roi ? "  " : "", roi ? CT_NAME - 1 : 0, roi ? core->rois[view->roi].name : "");
  draw_trend(view, snapshot, canvas, false);
}

void ct_panel_voltage(const struct ct_view *view, const struct ct_snapshot *snapshot, struct ct_canvas canvas)
{
  const struct ct_snapshot_cell *cell = &snapshot->core.cell;
  char v[CT_WORD], i[CT_WORD], q[CT_WORD];
  if (!cell->present) {
    ct_canvas_coloured(ct_canvas_caption(canvas, "Cell"), 0, 1, CT_GREY, 0, "no potentiostat is configured");
    return;
  }
  canvas = ct_canvas_caption(canvas, "Cell  %s  %s  %s", ct_word_unit(v, cell->v_V, 4, false, "V"),
                             ct_word_unit(i, cell->i_A, 3, true, "A"), ct_word_unit(q, cell->q_Ah, 3, false, "Ah"));
  draw_trend(view, snapshot, canvas, true);
}

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
  char scope[CT_NAME + 16];
  struct ct_trend_view trend;
  double q_low, q_high, low, high;
  bool roi = view->scope == CT_SCOPE_ROI;      /* no history is kept per pixel */
  canvas = ct_canvas_caption(canvas, "EMF against charge  %s", roi ? ct_view_scope_word(view, &snapshot->core, scope) : "all pixels");
  if (!find_charge(view, snapshot, &trend, &q_low, &q_high))
    return;
  bool milli = fmax(fabs(q_low), fabs(q_high)) < 1;
  double scale = milli ? 1000 : 1;
  struct ct_curve curve = { .x = trend.q_Ah, .y = trend.emf, .sigma = trend.sigma, .n = trend.head->n, .x_scale = scale };
  if (!ct_plot_extent(&curve, &low, &high))
    return;
  ct_plot_round(&low, &high);
  struct ct_plot plot = ct_plot_axes(canvas, q_low * scale, q_high * scale, low, high, false, milli ? "mAh" : "Ah");
  ct_plot_curve(&plot, &curve, CT_ACCENT);
}
