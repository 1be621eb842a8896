/* spectrum: counts over energy, with the lines and windows that matter. */
#include "view/panels.h"

#include <math.h>
#include <stdio.h>

#include "view/plot.h"
#include "view/words.h"

enum { NAMED_FROM_COLS = 48, MARKS_FROM_COLS = 50, WORDS_FROM_COLS = 160 };

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

/* Before the curve: where L, H and the background are counted, elastic and Compton peak. */
static void draw_windows(const struct ct_plot *plot, const struct ct_snapshot_xcs *xcs)
{
  for (int i = 0; i < 3; i++)
    ct_plot_shade(plot, xcs->windows_keV[i], xcs->windows_keV[i + 1], i == 1 ? 1 : 2);
  for (uint32_t i = 0; i < xcs->n_background && i < 2; i++) {
    ct_plot_shade(plot, xcs->background_keV[i][0], xcs->background_keV[i][1], 2);
    ct_plot_line(plot, xcs->background_keV[i][0]);
    ct_plot_line(plot, xcs->background_keV[i][1]);
  }
  ct_plot_line(plot, xcs->e1_keV);
  ct_plot_line(plot, xcs->e2_keV);
}

/* After it: what they are, the most important first, as long as there is room; and the lines that the viewer asks for. */
static void name_lines(const struct ct_view *view, const struct ct_plot *plot, const struct ct_snapshot_xcs *xcs, bool wide)
{
  char word[CT_WORD];
  if (isfinite(xcs->e1_keV) && isfinite(xcs->e2_keV)) {
    snprintf(word, sizeof word, wide ? "%.1f keV elastic" : "%.1f el", xcs->e1_keV);
    ct_plot_label(plot, xcs->e1_keV, word);
    snprintf(word, sizeof word, wide ? "%.1f keV Compton" : "%.1f C", xcs->e2_keV);
    ct_plot_label(plot, xcs->e2_keV, word);
  }
  for (uint32_t i = 0; i < xcs->n_background && i < 2; i++)
    ct_plot_label(plot, xcs->background_keV[i][0], wide ? "back" : "b");
  for (uint32_t i = 0; i < view->n_xray && i < CT_VIEW_LINES; i++) {
    snprintf(word, sizeof word, "%.*s", (int)sizeof view->xray[i].name - 1, view->xray[i].name);
    ct_plot_pointer(plot, view->xray[i].e_keV, word);
  }
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
  bool named = canvas.cols >= NAMED_FROM_COLS;
  canvas = ct_canvas_caption(canvas, "%s%s, counts%s%.3g keV%s", named ? "Spectrum  " : "", scope, named ? " per " : "/", width_keV,
                             view->log_scale ? ", log" : "");
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
  struct ct_plot plot = ct_plot_axes(canvas, &(struct ct_axes){
    .x_low = spectrum.head->start_keV, .x_high = end_keV, .y_low = low, .y_high = high, .log_y = view->log_scale, .x_unit = "keV" });
  bool marked = canvas.cols >= MARKS_FROM_COLS && snapshot->core.xcs.present;
  if (marked)
    draw_windows(&plot, &snapshot->core.xcs);
  ct_plot_curve(&plot, &curve, CT_ACCENT);
  if (marked)
    name_lines(view, &plot, &snapshot->core.xcs, canvas.cols >= WORDS_FROM_COLS);
}
