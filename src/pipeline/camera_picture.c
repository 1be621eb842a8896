/* The scan as somebody wants to see it. */
#include "camera.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

static void draw_core(const struct ct_camera *c, struct ct_snapshot_ct *ct)
{
  ct->present = true;
  ct->angle_deg = c->last_angle_deg;
  ct->axis_px = ct->axis_sigma_px = ct->tilt_deg = ct->tilt_sigma_deg = ct->covered_deg = (double)NAN;
  ct->rotation_deg = c->setup.slice.rotation_deg;
  ct->rows = c->rows;
  ct->cols = c->cols;
  ct->unplaced = c->unplaced;
  ct->unusable = c->unusable;
  ct->saturated = c->saturated;
  ct->scans = c->scans;
  ct->waiting = c->angles ? ct_angles_waiting(c->angles) : 0;
  if (c->scan == NULL)
    return;
  struct ct_scan_state state = ct_scan_state(c->scan);
  bool fixed = isfinite(c->setup.axis_px), found = c->axis.method != CT_AXIS_NONE;
  bool moved = fabs(c->nudge_px) > 1e-9;
  ct->slice_row = c->slice_row;
  ct->slice_size = c->setup.slice.size;
  ct->in_slice = state.projections;
  ct->flats = state.flats;
  ct->darks = state.darks;
  ct->scans += state.scans;
  ct->ring_columns = c->ring_columns;
  snprintf(ct->ring_method, sizeof ct->ring_method, "%s", c->cleaned ? "full" : c->ring_columns > 0 ? "live" : "");
  ct->covered_deg = state.projections ? ct_tomo_state(ct_scan_tomo(c->scan)).covered_deg : 0;
  ct->axis_px = ct_camera_axis_px(c);
  ct->axis_sigma_px = fixed || moved || !found ? (double)NAN : c->axis.sigma_px;
  ct->tilt_deg = c->tilt.tilt_deg;
  ct->tilt_sigma_deg = c->tilt.sigma_deg;
  ct->tilt_rows = c->tilt.rows;
  ct->lean_px = ct_camera_lean(c) * c->rows;
  snprintf(ct->axis_method, sizeof ct->axis_method, "%s", moved ? "moved" : fixed ? "fixed" : found ? ct_axis_method_word(c->axis.method) : "middle");
}

static double slice_pixel_um(const struct ct_camera *c, uint32_t size)
{
  return c->setup.pixel_um * ct_tomo_state(ct_scan_tomo(c->scan)).fov_px / size;
}

static void draw_slice(struct ct_camera *c, struct ct_snapshot_builder *builder, const struct ct_request *request)
{
  uint32_t whole = c->setup.slice.size, size = request->size == 0 || request->size > whole ? whole : request->size;
  struct ct_slice_parts out;
  if (!ct_snapshot_add_slice(builder, request, size, &out))
    return;
  out.head->projections = ct_scan_state(c->scan).projections;
  out.head->pixel_um = slice_pixel_um(c, size);
  ct_tomo_slice(ct_scan_tomo(c->scan), size == whole ? out.values : c->slice);
  if (size != whole)
    ct_preview_shrink(c->slice, whole, whole, out.values, size, size);
}

static void draw_projection(const struct ct_camera *c, struct ct_snapshot_builder *builder, const struct ct_request *request)
{
  const struct ct_preview *preview = &c->preview;
  struct ct_image_parts out;
  if (preview->n == 0 || !ct_snapshot_add_image(builder, request, preview->rows, preview->cols, &out))
    return;
  out.head->pixel_um = c->setup.pixel_um * preview->factor;
  out.head->angle_deg = preview->angle_deg;
  ct_preview_draw(preview, out.values);
}

static int by_angle(const void *a, const void *b)
{
  const struct { double angle_deg; uint32_t i; } *x = a, *y = b;
  return (x->angle_deg > y->angle_deg) - (x->angle_deg < y->angle_deg);
}

static void draw_sinogram(const struct ct_camera *c, struct ct_snapshot_builder *builder, const struct ct_request *request)
{
  const struct ct_tomo *tomo = ct_scan_tomo(c->scan);
  uint32_t n = ct_scan_state(c->scan).projections, most = request->size && request->size < CT_PREVIEW_EDGE ? request->size : CT_PREVIEW_EDGE;
  uint32_t rows = n < most ? n : most, cols = c->cols < most ? c->cols : most;
  struct ct_image_parts out;
  struct { double angle_deg; uint32_t i; } *order = n ? malloc(n * sizeof *order) : NULL;
  if (order == NULL || !ct_snapshot_add_image(builder, request, rows, cols, &out)) {
    free(order);
    return;
  }
  for (uint32_t i = 0; i < n; i++) {
    ct_tomo_row(tomo, i, &order[i].angle_deg);
    order[i].i = i;
  }
  qsort(order, n, sizeof *order, by_angle);
  out.head->pixel_um = c->setup.pixel_um * c->cols / cols;
  out.head->angle_deg = (double)NAN;
  for (uint32_t k = 0; k < rows; k++)
    ct_preview_shrink(ct_tomo_row(tomo, order[(uint64_t)k * n / rows].i, NULL), 1, c->cols, out.values + (size_t)k * cols, 1, cols);
  free(order);
}

void ct_camera_draw(struct ct_camera *c, struct ct_snapshot_builder *builder, const struct ct_wants_table *wants)
{
  c->show_projections = false;
  draw_core(c, &builder->snapshot->core.ct);
  if (c->planes)
    ct_planes_want(c->planes, wants);
  for (uint32_t i = 0; i < wants->n; i++) {
    const struct ct_request *request = &wants->requests[i];
    bool projection = request->kind == CT_SECTION_IMAGE && request->x == CT_IMAGE_PROJECTION;
    c->show_projections |= projection;
    if (c->scan == NULL)
      continue;
    if (request->kind == CT_SECTION_SLICE)
      draw_slice(c, builder, request);
    else if (projection)
      draw_projection(c, builder, request);
    else if (request->kind == CT_SECTION_IMAGE && request->x == CT_IMAGE_SINOGRAM)
      draw_sinogram(c, builder, request);
    else if (c->planes && ct_planes_serves(request))
      ct_planes_draw(c->planes, builder, request);
  }
}

size_t ct_camera_bytes(const struct ct_reconstruction_setup *setup)
{
  size_t image = ct_section_image_bytes(CT_PREVIEW_EDGE, CT_PREVIEW_EDGE);
  return sizeof(struct ct_snapshot) + 4 * ct_section_slice_bytes(setup->slice.size) + 8 * image +
         (setup->planes_bytes > 0 ? ct_planes_bytes() : 0);
}
