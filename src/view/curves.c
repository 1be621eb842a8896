/* curves: whose they are, and what stands where there are none. */
#include "view/panels.h"

#include <stdio.h>

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
    ct_canvas_coloured(canvas, row, 1, CT_GREY, 0, "no detector is configured");
  else if (view->frozen)           /* it has only what was on the screen when it was frozen */
    ct_canvas_coloured(canvas, row, 1, CT_GREY, 0, "not in the frozen picture");
  else
    ct_canvas_coloured(canvas, row, 1, CT_GREY, 0, "waiting for %s", what);
}

uint32_t ct_roi_letter(uint32_t roi) { return 'A' + roi % 26; }

int ct_roi_colour(uint32_t roi) { return CT_REGION + (int)(roi % CT_REGIONS); }

uint32_t ct_view_overlay(const struct ct_view *view, uint32_t rois[CT_OVERLAY_MAX])
{
  uint32_t n = 0;
  for (uint32_t i = 0; view->overlay && i < view->n_rois && n < CT_OVERLAY_MAX; i++)
    if (view->scope != CT_SCOPE_ROI || i != view->roi)
      rois[n++] = i;
  return n;
}

struct ct_request ct_view_roi_request(enum ct_section_kind kind, uint32_t roi)
{
  return (struct ct_request){ .kind = kind, .scope = CT_SCOPE_ROI, .x = (int32_t)roi,
                              .size = kind == CT_SECTION_TREND ? CT_VIEW_TREND_POINTS : 0 };
}
