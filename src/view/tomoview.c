/* tomoview: slice, planes, projection and sinogram of the camera, with a bar, a length to compare with, and what the row under the
 * cursor looks like. */
#include "view/panels.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "view/heatmap.h"
#include "view/plot.h"
#include "view/raster.h"
#include "view/words.h"

/* What is drawn, whichever section it comes from. */
struct source {
  const float *values;
  uint32_t rows, cols;
  double pixel_um;
  bool plane;
  uint32_t projections;            /* of a plane; 0: still being painted */
};

struct ct_request ct_view_tomo_request(const struct ct_view *view, int rows, int cols)
{
  uint32_t room = (uint32_t)(cols > 2 * rows ? cols : 2 * rows), size = 64;
  while (size < room && size < 512)
    size *= 2;                     /* few sizes, so that viewers share the section */
  struct ct_request request = { .kind = CT_SECTION_SLICE, .size = size };
  if (view->picture != CT_PICTURE_SLICE) {
    static const int32_t images[CT_PICTURES] = { 0, CT_IMAGE_PROJECTION, CT_IMAGE_SINOGRAM, CT_IMAGE_XY, CT_IMAGE_XZ, CT_IMAGE_YZ,
                                                 CT_IMAGE_OBLIQUE, CT_IMAGE_OVERVIEW };
    request.kind = CT_SECTION_IMAGE;
    request.x = images[view->picture];
    if (view->picture >= CT_PICTURE_XY && view->picture <= CT_PICTURE_OBLIQUE)
      request.at = view->point;
  }
  return request;
}

static bool find_source(const struct ct_view *view, const struct ct_snapshot *snapshot, struct source *source)
{
  struct ct_request request = ct_view_tomo_request(view, view->tomo.screen_rows, view->tomo.screen_cols);
  struct ct_slice_view slice;
  struct ct_image_view image;
  if (ct_snapshot_slice(snapshot, &request, &slice)) {
    *source = (struct source){ .values = slice.values, .rows = slice.head->size, .cols = slice.head->size,
                               .pixel_um = slice.head->pixel_um };
    return true;
  }
  if (!ct_snapshot_image(snapshot, &request, &image))
    return false;
  *source = (struct source){ .values = image.values, .rows = image.head->rows, .cols = image.head->cols,
                             .pixel_um = image.head->pixel_um, .plane = view->picture >= CT_PICTURE_XY,
                             .projections = image.head->projections };
  return true;
}

/* ---- range ------------------------------------------------------------------------------------------------------- */
/* From the 1st to the 99th of a hundred, of a sample of the values; the ends stay while they still suit, so that the
 * picture does not breathe. */
static bool set_range(struct ct_view_tomo *tomo, const struct source *source)
{
  enum { SAMPLE = 4096 };
  float sample[SAMPLE];
  size_t all = (size_t)source->rows * source->cols, step = all / SAMPLE + 1, n = 0;
  for (size_t i = 0; i < all && n < SAMPLE; i += step)
    if (isfinite(source->values[i]))
      sample[n++] = source->values[i];
  if (n == 0)
    return false;
  qsort(sample, n, sizeof *sample, ct_by_float);
  double low = (double)sample[n / 100], high = (double)sample[n - 1 - n / 100], span = high - low;
  double old = tomo->high - tomo->low;
  if (!(old > 0 && fabs(low - tomo->low) < 0.1 * old && fabs(high - tomo->high) < 0.1 * old)) {
    tomo->low = low;
    tomo->high = span > 1e-9 * fmax(fabs(low), fabs(high)) ? high : low + fmax(fabs(low), 1e-6);
  }
  tomo->below = (double)sample[0] < tomo->low;
  tomo->above = (double)sample[n - 1] > tomo->high;
  return true;
}

/* ---- the picture --------------------------------------------------------------------------------------------------- */
static float mean_of(const struct source *source, double top, double bottom, double left, double right)
{
  uint32_t y0 = (uint32_t)top, y1 = (uint32_t)ceil(bottom), x0 = (uint32_t)left, x1 = (uint32_t)ceil(right), n = 0;
  double sum = 0;
  for (uint32_t y = y0; y < y1 && y < source->rows; y++)
    for (uint32_t x = x0; x < x1 && x < source->cols; x++) {
      float value = source->values[(size_t)y * source->cols + x];
      if (isfinite(value)) {
        sum += (double)value;
        n++;
      }
    }
  return n ? (float)(sum / n) : NAN;
}

/* A level stays until the value is more than one bin from the middle of its own: noise repaints nothing. */
static int level_for(const struct ct_view_tomo *tomo, float value, int old)
{
  double at = ((double)value - tomo->low) / (tomo->high - tomo->low) * CT_LEVELS;
  if (!isfinite(value))
    return CT_LEVEL_NAN;
  at = at < 0 ? 0 : at > CT_LEVELS - 0.001 ? CT_LEVELS - 0.001 : at;
  return old >= 0 && fabs(at - (old + 0.5)) <= 1 ? old : (int)at;
}

/* Samples of the picture on the screen: rows x cols, one to a character across and one or two down. */
struct lattice {
  int rows, cols, down;            /* down: samples a character has */
  double edge_x, edge_y;           /* source values a sample has */
};

static struct lattice lattice_for(const struct ct_view *view, const struct source *source, int rows, int cols)
{
  struct lattice lattice = { .down = view->utf8 && view->colours ? 2 : 1 };
  /* Square on the screen, where a character is twice as high as wide; a sinogram fills what there is. */
  double scale = fmin((double)cols / source->cols, 2.0 * rows / source->rows);
  double scale_y = view->picture == CT_PICTURE_SINOGRAM ? fmin(2.0 * rows / source->rows, 4) : scale;
  double scale_x = view->picture == CT_PICTURE_SINOGRAM ? fmin((double)cols / source->cols, 4) : scale;
  lattice.cols = (int)fmax(1, floor(source->cols * scale_x));
  lattice.rows = (int)fmax(1, floor(source->rows * scale_y / 2)) * lattice.down;
  lattice.edge_x = (double)source->cols / lattice.cols;
  lattice.edge_y = (double)source->rows / lattice.rows;
  if ((int64_t)lattice.rows * lattice.cols > CT_VIEW_CELLS)
    lattice.rows = 0;              /* never: no terminal is so large */
  return lattice;
}

static void update(struct ct_view *view, const struct source *source, const struct lattice *lattice)
{
  struct ct_view_tomo *tomo = &view->tomo;
  double low = tomo->low, high = tomo->high;
  bool same = tomo->rows == lattice->rows && tomo->cols == lattice->cols && tomo->shown == view->picture && view->smooth;
  if (!same)
    tomo->low = tomo->high = 0;
  bool ranged = set_range(tomo, source);
  same = same && tomo->low == low && tomo->high == high;
  for (int y = 0; y < lattice->rows; y++)
    for (int x = 0; x < lattice->cols; x++) {
      size_t i = (size_t)y * (size_t)lattice->cols + (size_t)x;
      float value = mean_of(source, y * lattice->edge_y, (y + 1) * lattice->edge_y, x * lattice->edge_x, (x + 1) * lattice->edge_x);
      tomo->level[i] = (int8_t)(ranged ? level_for(tomo, value, same ? tomo->level[i] : -1) : CT_LEVEL_NAN);
    }
  tomo->rows = lattice->rows;
  tomo->cols = lattice->cols;
  tomo->shown = view->picture;
}

static int colour_of(const struct ct_view *view, int level)
{
  return level >= 0 ? ct_ramp_colour(view->ramp, level) : CT_COLOUR_DEFAULT;
}

/* In a picture every pixel has a colour of its own. */
static void draw_fine(const struct ct_view *view, const struct source *source, const struct lattice *lattice,
                      struct ct_canvas canvas)
{
  const struct ct_pixels *fine = canvas.grid->fine;
  int width = lattice->cols * fine->cell_width, height = lattice->rows / lattice->down * fine->cell_height;
  double edge_x = (double)source->cols / width, edge_y = (double)source->rows / height;
  for (int y = 0; y < height; y++)
    for (int x = 0; x < width; x++) {
      int level = level_for(&view->tomo, mean_of(source, y * edge_y, (y + 1) * edge_y, x * edge_x, (x + 1) * edge_x), -1);
      if (level >= 0)
        ct_raster_dot(canvas, x, y, 1, ct_ramp_colour(view->ramp, level));
    }
}

static void draw_coarse(const struct ct_view *view, const struct lattice *lattice, struct ct_canvas canvas)
{
  const int8_t *level = view->tomo.level;
  for (int y = 0; y < lattice->rows; y += lattice->down)
    for (int x = 0; x < lattice->cols; x++) {
      int upper = level[(size_t)y * (size_t)lattice->cols + (size_t)x];
      int lower = lattice->down == 2 ? level[(size_t)(y + 1) * (size_t)lattice->cols + (size_t)x] : upper;
      int row = y / lattice->down;
      if (!view->colours && upper >= 0)
        ct_canvas_put(canvas, row, x, ct_ramp_shade(upper), CT_COLOUR_DEFAULT, CT_COLOUR_DEFAULT, 0);
      else if (view->colours && lower == upper)
        ct_canvas_put(canvas, row, x, ' ', CT_COLOUR_DEFAULT, colour_of(view, upper), 0);
      else if (view->colours && upper < 0)
        ct_canvas_put(canvas, row, x, 0x2584, colour_of(view, lower), CT_COLOUR_DEFAULT, 0);
      else if (view->colours)
        ct_canvas_put(canvas, row, x, 0x2580, colour_of(view, upper), colour_of(view, lower), 0);
    }
}

static void draw(const struct ct_view *view, const struct source *source, const struct lattice *lattice, struct ct_canvas canvas)
{
  if (canvas.grid->fine != NULL)
    draw_fine(view, source, lattice, canvas);
  else
    draw_coarse(view, lattice, canvas);
  if (view->spot) {
    int row = (int)(view->spot_y / lattice->edge_y) / lattice->down, col = (int)(view->spot_x / lattice->edge_x);
    ct_canvas_put(canvas, row, col, '+', CT_COLOUR_DEFAULT, CT_COLOUR_DEFAULT, CT_ATTR_BOLD | CT_ATTR_REVERSE);
  }
}

/* ---- beside it ------------------------------------------------------------------------------------------------------ */
static const char *unit_of(const struct ct_view *view, const struct source *source)
{
  return view->picture == CT_PICTURE_PROJECTION ? "transmission" : view->picture == CT_PICTURE_SINOGRAM ? "-ln T" :
         isfinite(source->pixel_um) ? "1/cm" : "per pixel";
}

/* "<-0.71 ramp >2.28 1/cm"; where that is too wide, every other colour and the unit below. */
static int bar_line(const struct ct_view *view, const struct source *source, struct ct_canvas canvas, int row)
{
  const struct ct_view_tomo *tomo = &view->tomo;
  char low[CT_WORD], high[CT_WORD];
  double span = tomo->high - tomo->low;
  int decimals = span >= 40 ? 0 : span >= 4 ? 1 : span >= 0.4 ? 2 : span >= 0.04 ? 3 : 4;
  ct_word_tick(low, tomo->low, decimals);
  ct_word_tick(high, tomo->high, decimals);
  const char *unit = unit_of(view, source);
  int ends = tomo->below + ct_text_columns(low) + 2 + tomo->above + ct_text_columns(high);
  bool narrow = ends + CT_LEVELS + 1 + ct_text_columns(unit) > canvas.cols;
  int col = ct_canvas_text(canvas, row, 0, 0, "%s%s ", tomo->below ? "<" : "", low);
  for (int level = narrow; level < CT_LEVELS; level += 1 + narrow, col++)
    if (view->colours)
      ct_canvas_put(canvas, row, col, ' ', CT_COLOUR_DEFAULT, ct_ramp_colour(view->ramp, level), 0);
    else
      ct_canvas_put(canvas, row, col, ct_ramp_shade(level), CT_COLOUR_DEFAULT, CT_COLOUR_DEFAULT, 0);
  col = ct_canvas_text(canvas, row++, col, 0, " %s%s", tomo->above ? ">" : "", high);
  if (narrow)
    ct_canvas_text(canvas, row++, 0, 0, "%s", unit);
  else
    ct_canvas_text(canvas, row - 1, col + 1, 0, "%s", unit);
  return row;
}

/* "|-------| 2 mm": a round length of about a quarter of the picture. */
static int scale_line(const struct source *source, const struct lattice *lattice, struct ct_canvas canvas, int row)
{
  /* A round length is up to two and a half times what it is made from, and its name needs room. */
  double aim = fmin(lattice->cols / 4.0, (canvas.cols - 8) / 2.5);
  double char_mm = source->pixel_um * 1e-3 * lattice->edge_x, aim_mm = char_mm * fmax(aim, 3);
  if (!(aim_mm > 0))
    return row;
  double length_mm = ct_round_step(aim_mm);
  int chars = (int)floor(length_mm / char_mm + 0.5);
  for (int i = 0; i < chars && i < canvas.cols; i++)
    ct_canvas_put(canvas, row, i, i == 0 || i == chars - 1 ? '|' : canvas.utf8 ? 0x2500 : '-', CT_COLOUR_DEFAULT, CT_COLOUR_DEFAULT, 0);
  ct_canvas_text(canvas, row, chars + 1, 0, "%g mm", length_mm);
  return row + 1;
}

/* Whether the camera sends only some of its frames, so that nobody knows what is lost. */
static bool is_sampled(const struct ct_snapshot_core *core)
{
  for (uint32_t i = 0; i < core->n_streams && i < CT_SNAPSHOT_STREAMS; i++)
    if (core->streams[i].role == CT_ROLE_CAMERA)
      return core->streams[i].sampled;
  return false;
}

static int ring_line(const struct ct_snapshot_ct *ct, struct ct_canvas canvas, int row)
{
  if (strcmp(ct->ring_method, "full") == 0)
    ct_canvas_text(canvas, row, 0, 0, "stripes removed from the scan");
  else if (ct->ring_columns > 0)
    ct_canvas_text(canvas, row, 0, 0, "rings: %u columns corrected", (unsigned)ct->ring_columns);
  return row + (ct->ring_method[0] != '\0');
}

static int state_lines(const struct ct_snapshot_core *core, struct ct_canvas canvas, int row)
{
  const struct ct_snapshot_ct *ct = &core->ct;
  char word[CT_WORD];
  if (isfinite(ct->covered_deg))
    ct_canvas_text(canvas, row++, 0, CT_ATTR_BOLD, "%.1f of %g°", ct->covered_deg, ct->rotation_deg);
  if (isfinite(ct->axis_px))
    ct_canvas_text(canvas, row++, 0, 0, "axis %s px, %.*s", ct_word_measured(word, ct->axis_px, ct->axis_sigma_px),
                   (int)sizeof ct->axis_method, ct->axis_method);
  int col = ct_canvas_text(canvas, row, 0, 0, "%u projections, ", (unsigned)ct->in_slice);
  if (is_sampled(core))
    ct_canvas_text(canvas, row++, col, 0, "a sample");
  else
    ct_canvas_text(canvas, row++, col, ct->lost ? CT_ATTR_REVERSE : 0, "%s lost", ct_word_short(word, (double)ct->lost));
  if (ct->waiting > 0)
    ct_canvas_text(canvas, row++, 0, 0, "%u wait for their angle", (unsigned)ct->waiting);
  if (ct->unplaced > 0)
    ct_canvas_text(canvas, row++, 0, CT_ATTR_REVERSE, "%s without an angle", ct_word_short(word, (double)ct->unplaced));
  if (ct->unusable > 0)
    ct_canvas_text(canvas, row++, 0, CT_ATTR_REVERSE, "%s unusable", ct_word_short(word, (double)ct->unusable));
  if (ct->rows > 0 && ct->flats == 0)
    ct_canvas_text(canvas, row++, 0, CT_ATTR_REVERSE, "no flats: not quantitative");
  else
    ct_canvas_text(canvas, row++, 0, 0, "%u flats, %u darks", (unsigned)ct->flats, (unsigned)ct->darks);
  row = ring_line(ct, canvas, row);
  if (isfinite(ct->angle_deg))
    ct_canvas_text(canvas, row++, 0, 0, "at %.2f°, row %u", ct->angle_deg, (unsigned)ct->slice_row);
  if (ct->tilt_rows > 0) {
    col = ct_canvas_text(canvas, row, 0, 0, "tilt %s°", ct_word_measured(word, ct->tilt_deg, ct->tilt_sigma_deg));
    if (canvas.cols - col > 8)
      ct_canvas_text(canvas, row, col, 0, ", %u rows", (unsigned)ct->tilt_rows);
    row++;
  }
  return row;
}

/* Of how many projections a plane is, and where it lies. */
static int plane_lines(const struct ct_view *view, const struct source *source, const struct ct_snapshot_ct *ct,
                       struct ct_canvas canvas, int row)
{
  const struct ct_point *at = &view->point;
  if (!source->plane)
    return row;
  if (source->projections == 0)
    ct_canvas_coloured(canvas, row++, 0, CT_GREY, 0, "being painted");
  else
    ct_canvas_text(canvas, row++, 0, 0, "painted from %u projections", (unsigned)source->projections);
  if (view->picture == CT_PICTURE_OVERVIEW)
    return row;
  ct_canvas_text(canvas, row++, 0, 0, "x %d, y %d px, row %d", (int)at->x, (int)at->y,
                 at->row == CT_ROW_OF_SLICE ? (int)ct->slice_row : (int)at->row);
  if (view->picture == CT_PICTURE_OBLIQUE)
    ct_canvas_text(canvas, row++, 0, 0, "turned %d°, tilted %d°", (int)at->turn_deg, (int)at->tilt_deg);
  return row;
}

/* What keys need to know of the picture. */
static void learn(struct ct_view *view, const struct source *source, const struct ct_snapshot_ct *ct)
{
  double right = ct->cols - 0.5 - ct->axis_px, left = ct->axis_px + 0.5;
  double fov_px = ct->rotation_deg > 270 && isfinite(ct->axis_px) ? 2 * fmax(left, right) : ct->cols;
  bool across = view->picture == CT_PICTURE_PROJECTION || view->picture == CT_PICTURE_SINOGRAM;
  view->spot_cols = source->cols;
  view->spot_rows = source->rows;
  view->camera = (struct ct_view_camera){ ct->rows, ct->slice_row, (across ? ct->cols : fov_px) / source->cols };
}

/* The values along the cursor's row. */
static void draw_line(const struct ct_view *view, const struct source *source, struct ct_canvas canvas)
{
  enum { POINTS = 512 };
  double x[POINTS], y[POINTS], low, high;
  uint32_t n = source->cols < POINTS ? source->cols : POINTS, row = view->spot_y < (int32_t)source->rows ? (uint32_t)view->spot_y : 0;
  double mm = isfinite(source->pixel_um) ? source->pixel_um * 1e-3 : 1;
  for (uint32_t i = 0; i < n; i++) {
    x[i] = ((double)i - (source->cols - 1) / 2.0) * mm;
    y[i] = (double)source->values[(size_t)row * source->cols + i];
  }
  struct ct_curve curve = { .x = x, .y = y, .n = n, .x_scale = 1, .joined = true };
  if (!ct_plot_extent(&curve, &low, &high))
    return;
  low = fmin(low, 0);
  ct_plot_round(&low, &high);
  struct ct_plot plot = ct_plot_axes(canvas, &(struct ct_axes){ .x_low = x[0], .x_high = x[n - 1], .y_low = low, .y_high = high,
                                                                .x_unit = isfinite(source->pixel_um) ? "mm" : "px" });
  ct_plot_curve(&plot, &curve, CT_ACCENT);
}

static void draw_beside(const struct ct_view *view, const struct ct_snapshot *snapshot, const struct source *source,
                        const struct lattice *lattice, struct ct_canvas canvas)
{
  enum { LINE_ROWS = 7 };
  int row = state_lines(&snapshot->core, canvas, 0);
  row = plane_lines(view, source, &snapshot->core.ct, canvas, row);
  row = bar_line(view, source, canvas, row);
  row = scale_line(source, lattice, canvas, row);
  if (!view->spot) {
    ct_canvas_coloured(canvas, row, 0, CT_GREY, 0, "arrows: a line of it");
    return;
  }
  uint32_t x = (uint32_t)view->spot_x, y = (uint32_t)view->spot_y;
  if (x < source->cols && y < source->rows)
    ct_canvas_text(canvas, row++, 0, 0, "%u,%u: %.4g", (unsigned)x, (unsigned)y, (double)source->values[(size_t)y * source->cols + x]);
  if (canvas.rows - row >= LINE_ROWS)
    draw_line(view, source, ct_canvas_part(canvas, row, 0, canvas.rows - row, canvas.cols));
}

static const char *name_of(const struct ct_view *view)
{
  static const char *const names[] = { "Slice", "Projection", "Sinogram", "Plane along the slice", "Upright plane, from the front",
                                       "Upright plane, from the side", "Oblique plane", "Overview" };
  return names[view->picture];
}

void ct_panel_tomo(struct ct_view *view, const struct ct_snapshot *snapshot, struct ct_canvas canvas)
{
  enum { BESIDE_COLS = 32 };
  struct source source;
  bool wide = canvas.cols >= 60;
  canvas = ct_canvas_caption(canvas, "%s  u: other pictures", name_of(view));
  if (!snapshot->core.ct.present) {
    ct_canvas_coloured(canvas, canvas.rows / 2, 1, CT_GREY, 0, "no camera stream is configured");
    return;
  }
  if (!find_source(view, snapshot, &source)) {
    state_lines(&snapshot->core, canvas, 0);
    ct_canvas_coloured(canvas, canvas.rows / 2, 1, CT_GREY, 0, view->frozen ? "not in the frozen picture" : "waiting for projections");
    return;
  }
  int rows = wide ? canvas.rows : canvas.rows - 3, cols = wide ? canvas.cols - BESIDE_COLS - 1 : canvas.cols;
  if (rows <= 0 || cols <= 0)
    return;
  struct lattice lattice = lattice_for(view, &source, rows, cols);
  learn(view, &source, &snapshot->core.ct);
  view->spot_step = (uint32_t)fmax(1, lattice.edge_x);
  update(view, &source, &lattice);
  draw(view, &source, &lattice, ct_canvas_part(canvas, 0, 0, rows, cols));
  if (wide)
    draw_beside(view, snapshot, &source, &lattice, ct_canvas_part(canvas, 0, lattice.cols + 1, canvas.rows, canvas.cols - lattice.cols - 1));
  else
    state_lines(&snapshot->core, ct_canvas_part(canvas, rows, 0, 3, canvas.cols), 0);
}
