/* figures: single lines of numbers, for the cell, the ROIs and small screens. */
#include "view/panels.h"

#include <math.h>
#include <string.h>

#include "view/words.h"

static uint32_t at_most(uint32_t n, uint32_t limit) { return n < limit ? n : limit; }

static void cell_line(const struct ct_snapshot_core *core, struct ct_canvas canvas, int row)
{
  enum { ALL_COLS = 44 };
  const struct ct_snapshot_cell *cell = &core->cell;
  char v[CT_WORD], i[CT_WORD], q[CT_WORD];
  double age_s = ct_age_cell(core);
  unsigned attributes = age_s > 0 ? CT_ATTR_DIM : 0;
  if (!cell->present) {
    ct_canvas_coloured(canvas, row, 0, CT_GREY, 0, "no potentiostat");
    return;
  }
  int col = ct_canvas_text(canvas, row, 0, attributes, "%s", ct_word_unit(v, cell->v_V, 4, false, "V"));
  if (age_s == 0 || canvas.cols >= ALL_COLS)
    col = ct_canvas_text(canvas, row, col, attributes, "  %s  %s", ct_word_unit(i, cell->i_A, 3, true, "A"),
                         ct_word_unit(q, cell->q_Ah, 3, false, "Ah"));
  if (age_s > 0)
    ct_canvas_text(canvas, row, col + 2, CT_ATTR_REVERSE, "%s", ct_word_age(v, age_s));
}

/* "206.0 of 360°, 412 projections, axis 543.310 ± 0.050 px", where there is a camera and room to speak of it. */
static int camera_line(const struct ct_snapshot_core *core, struct ct_canvas canvas, int row)
{
  enum { LEAST_ROWS = 5, LEAST_COLS = 44 };
  const struct ct_snapshot_ct *ct = &core->ct;
  char word[CT_WORD];
  if (!ct->present || canvas.rows < LEAST_ROWS || canvas.cols < LEAST_COLS || !isfinite(ct->covered_deg))
    return row;
  int col = ct_canvas_text(canvas, row, 0, 0, "CT %.1f of %g°, ", ct->covered_deg, ct->rotation_deg);
  if (ct_age_camera(core) > 0)
    col = ct_canvas_text(canvas, row, col, CT_ATTR_REVERSE, "%s", ct_word_age(word, ct_age_camera(core))) + 1;
  col = ct_canvas_text(canvas, row, col, 0, "%u projections", (unsigned)ct->in_slice);
  if (ct->lost > 0)
    col = ct_canvas_text(canvas, row, col, CT_ATTR_BOLD, ", %s lost", ct_word_short(word, (double)ct->lost));
  if (isfinite(ct->axis_px) && col + (int)strlen(", axis  px") +
                                 ct_text_columns(ct_word_measured(word, ct->axis_px, ct->axis_sigma_px)) <= canvas.cols)
    ct_canvas_text(canvas, row, col, 0, ", axis %s px", word);
  return row + 1;
}

/* From row <row> on; returns the row after them. */
static int region_lines(const struct ct_snapshot_core *core, struct ct_canvas canvas, int row)
{
  char word[CT_WORD];
  for (uint32_t i = 0; i < at_most(core->n_rois, CT_SNAPSHOT_ROIS) && row < canvas.rows; i++, row++) {
    const struct ct_snapshot_roi *roi = &core->rois[i];
    int col = ct_canvas_text(canvas, row, 0, 0, "%c %.*s  EMF %s", (int)ct_roi_letter(i), CT_NAME - 1, roi->name,
                             ct_word_measured(word, roi->emf.emf, roi->emf.sigma));
    ct_word_measured(word, roi->x, roi->x_sigma);
    if (isfinite(roi->x) && core->lithium.references > 0 && col + 4 + ct_text_columns(word) <= canvas.cols)
      ct_canvas_text(canvas, row, col + 2, 0, "x %s", word);
  }
  if (row < canvas.rows && core->xcs.present)
    ct_canvas_text(canvas, row++, 0, 0, "pz > 0 only: %s", ct_word_measured(word, core->xcs.emf.emf_plus, core->xcs.emf.plus_sigma));
  return row;
}

int ct_panel_figures(const struct ct_snapshot *snapshot, struct ct_canvas canvas)
{
  const struct ct_snapshot_core *core = &snapshot->core;
  cell_line(core, canvas, 0);
  int row = region_lines(core, canvas, camera_line(core, canvas, 1));
  if (ct_age_detector(core) > 0)
    ct_canvas_dim(ct_canvas_part(canvas, 1, 0, canvas.rows - 1, canvas.cols));      /* all but the cell's */
  return row;
}

void ct_panel_numbers(const struct ct_view *view, const struct ct_snapshot *snapshot, struct ct_canvas canvas)
{
  int last = canvas.rows > 1 ? canvas.rows - 1 : 1;      /* the cell comes before what the cursor reads */
  int row = ct_panel_figures(snapshot, ct_canvas_part(canvas, 0, 0, last, canvas.cols));
  struct ct_canvas rest = ct_canvas_part(canvas, row < last ? row : last, 0, canvas.rows, canvas.cols);
  ct_panel_readout(view, snapshot, rest, 0);
  if (ct_age_detector(&snapshot->core) > 0)
    ct_canvas_dim(rest);
}

void ct_panel_link(const struct ct_view *view, struct ct_canvas canvas)
{
  const struct ct_view_link *link = &view->link;
  char lag[CT_WORD], bytes[CT_WORD];
  int col = ct_canvas_coloured(canvas, 0, 0, CT_GREY, 0, "screen         %.3g Hz", link->refresh_hz);
  if (link->slowed)
    col = ct_canvas_text(canvas, 0, col + 1, CT_ATTR_REVERSE, "slowed for the link");
  if (link->lag_s >= 0)
    col = ct_canvas_coloured(canvas, 0, col + 2, CT_GREY, 0, "lag %s", ct_word_time(lag, link->lag_s));
  if (link->shown > 0)
    col = ct_canvas_coloured(canvas, 0, col + 2, CT_GREY, 0, "%s a frame",
                             ct_word_unit(bytes, (double)link->bytes / (double)link->shown, 3, false, "B"));
  if (link->skipped > 0)
    ct_canvas_coloured(canvas, 0, col + 2, CT_GREY, 0, "%s skipped", ct_word_short(lag, (double)link->skipped));
}

/* "EMF 0.9302 ± 0.0031", and how old where it is. */
void ct_panel_emf(const struct ct_snapshot_core *core, struct ct_canvas canvas, int row)
{
  char word[CT_WORD];
  double age_s = ct_age_detector(core);
  if (!core->xcs.present)
    return;
  ct_word_measured(word, core->xcs.emf.emf, core->xcs.emf.sigma);
  int col = ct_canvas_text(canvas, row, 0, age_s > 0 ? CT_ATTR_DIM : CT_ATTR_BOLD, "EMF %s", word);
  if (age_s > 0)
    ct_canvas_text(canvas, row, col + 1, CT_ATTR_REVERSE, "%s", ct_word_age(word, age_s));
}

void ct_panel_lines(const struct ct_view *view, const struct ct_snapshot *snapshot, struct ct_canvas canvas)
{
  const struct ct_snapshot_core *core = &snapshot->core;
  char word[CT_WORD];
  double age_s = ct_age_detector(core);
  ct_panel_emf(core, canvas, 0);
  ct_panel_verdict(view, snapshot, ct_canvas_part(canvas, 1, 0, 1, canvas.cols));
  cell_line(core, canvas, 2);
  if (core->xcs.present && age_s > 0)
    ct_canvas_text(canvas, 3, 0, CT_ATTR_REVERSE, "data %s", ct_word_age(word, age_s));
  else if (core->xcs.present)
    ct_canvas_text(canvas, 3, 0, 0, "%s photons", ct_word_short(word, (double)core->xcs.counts));
  struct ct_canvas rest = ct_canvas_part(canvas, 4, 0, canvas.rows, canvas.cols);
  region_lines(core, rest, 0);
  if (age_s > 0)
    ct_canvas_dim(rest);
}
