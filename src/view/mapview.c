/* mapview: the map with its caption and bar, and what the cursor reads on it. */
#include "view/panels.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "view/heatmap.h"
#include "view/words.h"

struct ct_request ct_view_map_request(const struct ct_view *view)
{
  struct ct_request request = { .kind = CT_SECTION_MAP, .bin = view->bin, .min_counts = (double)NAN };
  if (view->quantity == CT_SHOW_DRIFT)
    return (struct ct_request){ .kind = CT_SECTION_MAP, .of = CT_MAP_DRIFT, .min_counts = (double)NAN };
  if (view->quantity == CT_SHOW_HITS)
    return (struct ct_request){ .kind = CT_SECTION_MAP, .of = CT_MAP_HITS, .min_counts = (double)NAN };
  if (view->bin == 0 || view->bin == CT_VIEW_ADAPTIVE)
    request.target_sigma = view->target_sigma;
  if (view->bin == CT_VIEW_ADAPTIVE) {
    request.bin = 0;
    request.of = CT_MAP_ADAPTIVE;
  }
  return request;
}

/* What a caption takes. */
enum { CAPTION_COLS = 44, NARROW_COLS = 40 };

static bool find_map(const struct ct_view *view, const struct ct_snapshot *snapshot, struct ct_map_view *map)
{
  struct ct_request request = ct_view_map_request(view);
  return ct_snapshot_map(snapshot, &request, map) && ct_heatmap_usable(map);
}

/* The bin is the worker's, chosen for the error; a small screen may draw several bins as one. */
static struct ct_canvas map_caption(const struct ct_view *view, const struct ct_map_view *map, struct ct_canvas canvas)
{
  static const char *const names[] = { "EMF", "Error", "Count", "Density", "Drift", "Significance", "Hit rate", "Lithium" };
  unsigned bin = map->head->bin, x = view->memory.edge_x, y = view->memory.edge_y;
  char error[CT_WORD], aim[CT_WORD] = "", drawn[CT_WORD] = "";
  static const char *const scales[] = { "", ", sqrt", ", log" };
  const char *scale = scales[view->memory.scale];
  if (view->memory.difference)
    return ct_canvas_caption(canvas, "%s now - %s  per %ux%u%s", names[view->quantity],
                             ct_word_clock(error, view->reference.wall_ns), x, y, scale);
  if (view->quantity == CT_SHOW_COUNTS)
    return ct_canvas_caption(canvas, "Count map  per %ux%u pixels%s", x, y, scale);
  if (view->quantity == CT_SHOW_INTENSITY)
    return ct_canvas_caption(canvas, "Density map  L+H a second and pixel%s", scale);
  if (view->quantity == CT_SHOW_HITS)
    return ct_canvas_caption(canvas, "Hit rate map  hits a second and pixel%s", scale);
  if (view->quantity == CT_SHOW_DRIFT)
    return ct_canvas_caption(canvas, "Drift map  trend / its error, cells %ux%u", bin, bin);
  if (!isfinite(map->head->median_sigma))
    return ct_canvas_caption(canvas, "%s map  bin %ux%u, too few counts", names[view->quantity], bin, bin);
  ct_word_tick(error, map->head->median_sigma, 3);
  if (map->head->of == CT_MAP_ADAPTIVE)
    return ct_canvas_caption(canvas, "%s map  adaptive, error %s (aim %.3g)%s", names[view->quantity], error,
                             view->target_sigma, scale);
  if (canvas.cols <= NARROW_COLS && (x != bin || y != bin))
    return ct_canvas_caption(canvas, "%s map  %ux%u as %ux%u, error %s%s", names[view->quantity], bin, bin, x, y, error, scale);
  if (view->bin == 0 && canvas.cols > NARROW_COLS)
    snprintf(aim, sizeof aim, " (aim %.3g)", view->target_sigma);
  if (x != bin || y != bin)
    snprintf(drawn, sizeof drawn, ", drawn %ux%u", x, y);
  return ct_canvas_caption(canvas, "%s map  bin %ux%u, error %s%s%s%s", names[view->quantity], bin, bin, error, scale,
                           aim, drawn);
}

struct ct_extent ct_panel_map(struct ct_view *view, const struct ct_snapshot *snapshot, struct ct_canvas canvas)
{
  struct ct_map_view map;
  if (!find_map(view, snapshot, &map)) {
    struct ct_canvas body = ct_canvas_caption(canvas, "EMF map");
    ct_panel_waiting(view, snapshot, body, "a map");
    return (struct ct_extent){ canvas.rows, canvas.cols };
  }
  struct ct_scale scale = ct_heatmap_scale(view, &map, canvas.rows - 1, canvas.cols - CT_BAR_COLS - 1);
  int taken = scale.cols + 1 + CT_BAR_COLS, room = canvas.cols < CAPTION_COLS ? canvas.cols : CAPTION_COLS;
  struct ct_extent extent = { scale.rows + 1, taken > room ? taken : room };
  if (scale.rows <= 0)
    return extent;
  view->pixel_rows = scale.pixel_rows;
  view->pixel_cols = scale.pixel_cols;
  view->cursor_x = view->cursor_x < (int32_t)scale.pixel_cols ? view->cursor_x : (int32_t)scale.pixel_cols - 1;
  view->cursor_y = view->cursor_y < (int32_t)scale.pixel_rows ? view->cursor_y : (int32_t)scale.pixel_rows - 1;
  ct_heatmap_take(view, &map, snapshot->core.wall_ns);
  ct_heatmap_update(view, &map, &scale);
  struct ct_canvas body = map_caption(view, &map, ct_canvas_part(canvas, 0, 0, canvas.rows, extent.cols));
  ct_heatmap_draw(view, &scale, body);
  ct_outline_draw(view, snapshot, &scale, body);
  ct_heatmap_cursor(view, &scale, body);
  view->memory.row = body.row;
  view->memory.col = body.col;
  view->memory.map_rows = scale.rows;
  view->memory.map_cols = scale.cols;
  view->memory.pixels_x = (double)scale.dx / scale.kx;
  view->memory.pixels_y = (double)scale.dy / scale.ky * (scale.half ? 2 : 1);
  ct_heatmap_bar(view, ct_canvas_part(body, 0, scale.cols + 1, scale.rows, CT_BAR_COLS));
  return extent;
}

int ct_panel_range(const struct ct_view *view, struct ct_canvas canvas, int row)
{
  static const char *const scales[] = { "linear", "square root", "logarithmic" };
  const struct ct_view_memory *memory = &view->memory;
  char clock[CT_WORD];
  static const char *const policies[] = { "auto, p1-p99  A: lock", "locked  a: auto", "shared  a: auto" };
  ct_canvas_text(canvas, row++, 0, 0, "range %s", policies[view->range[memory->quantity][memory->difference].policy]);
  ct_canvas_text(canvas, row++, 0, 0, "colours %s%s", scales[memory->scale],
                 ct_range_signed(memory->quantity, memory->difference) ? "" : "  l: next");
  if (view->reference.rows == 0)
    ct_canvas_text(canvas, row++, 0, 0, view->difference ? "no reference yet: D takes it" : "D: take as reference");
  else
    ct_canvas_text(canvas, row++, 0, 0, "reference %s  d: %s", ct_word_clock(clock, view->reference.wall_ns),
                   memory->difference ? "map" : "differ");
  return row;
}

/* "lithium x 0.43 ± 0.05" of what is looked at; why there is none; and that it lies beyond all references. */
static void lithium_words(const struct ct_view *view, const struct ct_snapshot_core *core, struct ct_canvas canvas, int row)
{
  char word[CT_WORD];
  const struct ct_lithium *line = &core->lithium;
  bool roi = view->scope == CT_SCOPE_ROI && view->roi < core->n_rois && view->roi < CT_SNAPSHOT_ROIS;
  double x = roi ? core->rois[view->roi].x : core->xcs.x, sigma = roi ? core->rois[view->roi].x_sigma : core->xcs.x_sigma;
  if (!core->xcs.present)
    return;
  if (line->references == 0)
    ct_canvas_coloured(canvas, row, 0, CT_GREY, 0, "lithium: not calibrated");
  else
    ct_canvas_text(canvas, row, 0, 0, "lithium x %s%s", ct_word_measured(word, x, sigma),
                   x < line->x_low || x > line->x_high ? ", outside" : "");
}

/* "12,40 153 ± 4 hits/s": rates have no cells that are too few. */
static void rate_words(const struct ct_view *view, const struct ct_map_view *map, struct ct_canvas canvas, int row)
{
  char word[CT_WORD];
  uint32_t col = (uint32_t)view->cursor_x / map->head->bin, line = (uint32_t)view->cursor_y / map->head->bin;
  bool there = col < map->head->cols && line < map->head->rows;
  size_t i = there ? (size_t)line * map->head->cols + col : 0;
  ct_canvas_text(canvas, row, 0, 0, "%d,%d %s %s/s", (int)view->cursor_x, (int)view->cursor_y,
                 ct_word_measured(word, there ? (double)map->intensity[i] : (double)NAN, (double)map->intensity_sigma[i]),
                 map->head->of == CT_MAP_HITS ? "hits" : "L+H");
}

void ct_panel_readout(const struct ct_view *view, const struct ct_snapshot *snapshot, struct ct_canvas canvas, int row)
{
  struct ct_map_view map;
  if (!view->cursor || !find_map(view, snapshot, &map)) {
    lithium_words(view, &snapshot->core, canvas, row);
    return;
  }
  struct ct_reading reading = ct_heatmap_read(&map, view->cursor_x, view->cursor_y);
  char emf[CT_WORD], counts[CT_WORD];
  int x = (int)view->cursor_x, y = (int)view->cursor_y;
  ct_word_short(counts, reading.photons);
  if (reading.cell == CT_CELL_MASKED) {
    ct_canvas_text(canvas, row, 0, 0, "%d,%d masked", x, y);
  } else if (view->quantity == CT_SHOW_HITS || view->quantity == CT_SHOW_INTENSITY) {
    rate_words(view, &map, canvas, row);
  } else if (map.head->of == CT_MAP_DRIFT) {
    ct_canvas_text(canvas, row, 0, 0, "%d,%d trend %s /h", x, y, ct_word_measured(emf, reading.emf, reading.sigma));
  } else if (reading.cell == CT_CELL_LOW) {
    ct_canvas_text(canvas, row, 0, 0, "%d,%d too few: %s counts", x, y, counts);
  } else {
    int end = ct_canvas_text(canvas, row, 0, 0, "%d,%d EMF %s", x, y, ct_word_measured(emf, reading.emf, reading.sigma));
    bool fits = end + ct_text_columns(counts) + (int)strlen(",  counts") <= canvas.cols;
    ct_canvas_text(canvas, fits ? row : row + 1, fits ? end : 0, 0, "%s%s counts", fits ? ", " : "  ", counts);
  }
}
