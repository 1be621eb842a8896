/* planeview: where the planes through the sample lie, and how keys move them. */
#include "view/panels.h"

#include <math.h>

static const double pi = 3.14159265358979323846;

static int32_t whole(double at)
{
  return (int32_t)fmin(fmax(round(at), -1e6), 1e6);
}

static int32_t row_of(const struct ct_view *view)
{
  return view->point.row == CT_ROW_OF_SLICE ? (int32_t)view->camera.slice_row : view->point.row;
}

static void set_row(struct ct_view *view, double row)
{
  view->point.row = whole(fmin(fmax(row, 0), fmax((double)view->camera.rows - 1, 0)));
}

void ct_view_point_here(struct ct_view *view)
{
  const struct ct_point at = view->point;
  double right = (view->spot_x - (view->spot_cols - 1.0) / 2) * view->camera.value_px;
  double up = ((view->spot_rows - 1.0) / 2 - view->spot_y) * view->camera.value_px;
  double row = (view->camera.rows - 1.0) / 2 - up, turn = at.turn_deg * pi / 180, tilt = at.tilt_deg * pi / 180;
  if (!view->spot)
    return;
  switch (view->picture) {
  case CT_PICTURE_SLICE:
    view->point.row = CT_ROW_OF_SLICE;
    view->point.x = whole(right);
    view->point.y = whole(up);
    break;
  case CT_PICTURE_XY:
    view->point.x = whole(right);
    view->point.y = whole(up);
    break;
  case CT_PICTURE_YZ:
    view->point.y = whole(right);
    set_row(view, row);
    break;
  case CT_PICTURE_XZ:
  case CT_PICTURE_OVERVIEW:
    view->point.x = whole(right);
    set_row(view, row);
    break;
  case CT_PICTURE_OBLIQUE:
    view->point.x = whole(at.x + right * cos(turn) - up * sin(turn) * cos(tilt));
    view->point.y = whole(at.y + right * sin(turn) + up * cos(turn) * cos(tilt));
    set_row(view, row_of(view) - up * sin(tilt));
    view->spot = false;              /* it is in the middle now */
    break;
  case CT_PICTURE_PROJECTION:
    set_row(view, row);
    break;
  case CT_PICTURE_SINOGRAM: case CT_PICTURES: break;
  }
}

/* A step is what an arrow moves the cursor by, and a pixel at least. */
void ct_view_point_move(struct ct_view *view, int steps)
{
  int32_t by = whole(steps * fmax(view->camera.value_px * view->spot_step, 1));
  if (view->picture == CT_PICTURE_XZ)
    view->point.y = whole((double)view->point.y + by);
  else if (view->picture == CT_PICTURE_YZ)
    view->point.x = whole((double)view->point.x + by);
  else if (view->picture == CT_PICTURE_XY || view->picture == CT_PICTURE_OBLIQUE)
    set_row(view, (double)row_of(view) - by);
}

void ct_view_point_turn(struct ct_view *view, int turn_deg, int tilt_deg)
{
  if (view->picture != CT_PICTURE_OBLIQUE)
    return;
  view->point.turn_deg = (view->point.turn_deg + turn_deg + 360) % 360;
  view->point.tilt_deg = (view->point.tilt_deg + tilt_deg + 180) % 180;
}

bool ct_view_whole(const struct ct_view *view, struct ct_request *out)
{
  if (view->panel != CT_PANEL_TOMO || view->picture == CT_PICTURE_PROJECTION)
    return false;
  *out = (struct ct_request){ .kind = CT_SECTION_IMAGE };
  if (view->picture == CT_PICTURE_SLICE)
    out->kind = CT_SECTION_SLICE;
  else if (view->picture == CT_PICTURE_SINOGRAM)
    out->x = CT_IMAGE_SINOGRAM;
  else if (view->picture == CT_PICTURE_OVERVIEW)
    out->x = CT_IMAGE_VOLUME;
  else
    *out = (struct ct_request){ .kind = CT_SECTION_IMAGE, .at = view->point,
                                .x = CT_IMAGE_XY + (int32_t)(view->picture - CT_PICTURE_XY) };
  return true;
}
