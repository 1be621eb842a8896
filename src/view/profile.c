/* profile: J(pz) with its windows, what it is compared with, and the ROIs over it. */
#include "view/panels.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "view/plot.h"
#include "view/words.h"

/* What the reference leaves, in errors of both: a strip of its own below the profile. */
enum { MARKS_FROM_COLS = 50, STRIP_ROWS = 5, STRIP_FROM_ROWS = 13, STRIP_LEFT = 5, PROFILE_POINTS = 512 };

static void draw_residuals(const struct ct_profile_view *profile, int left, struct ct_canvas canvas)
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
  struct ct_plot plot = ct_plot_axes(canvas, &(struct ct_axes){
    .x_low = profile->pz[0], .x_high = profile->pz[profile->head->n - 1], .y_low = low, .y_high = high, .x_unit = "a.u.",
    .y_unit = "σ", .left = left });
  ct_plot_curve(&plot, &curve, CT_QUIET);
  ct_canvas_coloured(plot.area, 0, 1, CT_GREY, 0, "less the reference");
}

/* Where L and H are counted; each label belongs to what is right of its line. */
static bool has_windows(const struct ct_snapshot_xcs *xcs, struct ct_canvas canvas)
{
  return canvas.cols >= MARKS_FROM_COLS && xcs->p_low > 0 && xcs->p_high > xcs->p_low;
}

static void shade_windows(const struct ct_plot *plot, const struct ct_snapshot_xcs *xcs)
{
  const double edges[] = { -xcs->p_high, -xcs->p_low, xcs->p_low, xcs->p_high };
  for (int i = 0; i < 3; i++)
    ct_plot_shade(plot, edges[i], edges[i + 1], i == 1 ? 2 : 4);
  for (int i = 0; i < 4; i++)
    ct_plot_line(plot, edges[i]);
  ct_plot_label(plot, edges[0], "H");
  ct_plot_label(plot, edges[1], "L");
  ct_plot_label(plot, edges[2], "H");
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

/* The ROIs' curves, each with letter, errors and, on the left where profiles are low, its name. */
static void draw_overlay(const struct ct_view *view, const struct ct_snapshot *snapshot, const struct ct_plot *plot, int row)
{
  uint32_t rois[CT_OVERLAY_MAX], n = view->panel == CT_PANEL_PROFILE ? ct_view_overlay(view, rois) : 0;
  for (uint32_t i = 0; i < n; i++) {
    struct ct_request request = ct_view_roi_request(CT_SECTION_PROFILE, rois[i]);
    struct ct_profile_view profile;
    if (!ct_snapshot_profile(snapshot, &request, &profile) || rois[i] >= snapshot->core.n_rois)
      continue;
    struct ct_curve curve = { .x = profile.pz, .y = profile.J, .sigma = profile.sigma, .n = profile.head->n, .x_scale = 1,
                              .joined = true, .letter = ct_roi_letter(rois[i]), .phase = (int)i, .phases = (int)n };
    ct_plot_curve(plot, &curve, ct_roi_colour(rois[i]));
    if (plot->area.rows >= 2 * CT_OVERLAY_MAX)
      ct_canvas_coloured(ct_canvas_part(plot->area, row + (int)i, 1, 1, plot->area.cols / 4), 0, 0, ct_roi_colour(rois[i]), 0,
                         "%c %.*s", (int)ct_roi_letter(rois[i]), CT_NAME - 1, snapshot->core.rois[rois[i]].name);
  }
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
  int rows = strip ? canvas.rows - STRIP_ROWS : canvas.rows, named = 1;
  struct ct_plot plot = ct_plot_axes(ct_canvas_part(canvas, 0, 0, rows, canvas.cols), &(struct ct_axes){
    .x_low = x_low, .x_high = x_high, .y_low = low, .y_high = high, .x_unit = "a.u.", .left = strip ? STRIP_LEFT : 0 });
  struct ct_curve reference = { .x = profile.pz, .y = profile.reference, .n = n, .x_scale = 1, .joined = true };
  if (has_windows(&snapshot->core.xcs, canvas))
    shade_windows(&plot, &snapshot->core.xcs);
  if (view->scope != CT_SCOPE_ALL && view->panel == CT_PANEL_PROFILE && draw_all_pixels(&plot, snapshot))
    ct_canvas_coloured(plot.area, named++, 1, CT_GREY, 0, "dots: all pixels");
  if (compared)
    ct_plot_curve(&plot, &reference, CT_QUIET);
  ct_plot_curve(&plot, &curve, CT_ACCENT);
  draw_overlay(view, snapshot, &plot, named);
  if (strip)
    draw_residuals(&profile, plot.left, ct_canvas_part(canvas, rows, 0, STRIP_ROWS, canvas.cols));
}
