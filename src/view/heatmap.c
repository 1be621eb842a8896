#include "view/heatmap.h"

#include <math.h>
#include <string.h>


static uint32_t max_u32(uint32_t a, uint32_t b) { return a > b ? a : b; }
static uint32_t parts_of(uint32_t whole, uint32_t part) { return whole / part + (whole % part != 0); }

bool ct_heatmap_usable(const struct ct_map_view *map)
{
  const struct ct_section_map *head = map->head;
  return head->bin >= 1 && head->bin <= 64 && head->rows <= 1u << 20 && head->cols <= 1u << 20;
}

/* ---- geometry ------------------------------------------------------------------------------------------ */
struct ct_scale ct_heatmap_scale(const struct ct_view *view, const struct ct_map_view *map, int rows, int cols)
{
  struct ct_scale scale = { .half = view->utf8 && view->colours, .dx = 1, .kx = 1, .ky = 1,
                            .pixel_rows = map->head->rows * map->head->bin,
                            .pixel_cols = map->head->cols * map->head->bin };
  if (rows <= 0 || cols <= 0)
    return scale;
  uint32_t room_x = (uint32_t)cols, room_y = (uint32_t)rows * 2;
  while (parts_of(scale.pixel_cols, scale.dx) > room_x || parts_of(scale.pixel_rows, scale.dx) > room_y)
    scale.dx *= 2;
  while (scale.dx == 1 && scale.pixel_cols * scale.kx * 2 <= room_x && scale.pixel_rows * scale.kx * 2 <= room_y)
    scale.kx *= 2;
  scale.dy = scale.dx;
  scale.ky = scale.kx;
  if (!scale.half) {       /* a character is twice as high as wide: half as many samples down */
    if (scale.ky > 1)
      scale.ky /= 2;
    else
      scale.dy *= 2;
  }
  uint32_t samples_y = parts_of(scale.pixel_rows * scale.ky, scale.dy);
  scale.rows = (int)(scale.half ? parts_of(samples_y, 2) : samples_y);
  scale.cols = (int)parts_of(scale.pixel_cols * scale.kx, scale.dx);
  return scale;
}

/* ---- aggregation ------------------------------------------------------------------------------------------ */
/* L and H come back from the ratio and the sum, so that cells add up as the counts do, not as ratios. The error of the
 * sum's ratio: var E = sum of sigma^2 H^2 over (sum of H)^2, the cells being independent and of nearly the same E. */
struct sum {
  double L, H, photons, variance, shared, intensity;
  unsigned good, faint, lit;
};

static void add_cell(struct sum *sum, const struct ct_map_view *map, size_t i)
{
  if (map->cell[i] == CT_CELL_MASKED)
    return;
  double counts = (double)map->counts[i], emf = (double)map->emf[i], sigma = (double)map->sigma[i];
  double photons = (double)map->photons[i];
  sum->photons += isfinite(photons) ? photons : 0;
  if (isfinite(map->intensity[i])) {
    sum->intensity += (double)map->intensity[i];
    sum->lit++;
  }
  if (map->cell[i] != CT_CELL_OK || !(counts > 0)) {
    sum->faint++;
    return;
  }
  double H = counts / (1 + emf);
  sum->L += counts - H;
  sum->H += H;
  if (map->edge[i] > map->head->bin)
    sum->shared += sigma * fabs(H);     /* pixels of one cell have one error, not each its own */
  else
    sum->variance += sigma * sigma * H * H;
  sum->good++;
}

/* Trends do not add up like counts: the mean, by the errors. */
static struct ct_reading aggregate_trends(const struct ct_map_view *map, uint32_t row0, uint32_t row1, uint32_t col0,
                                          uint32_t col1)
{
  struct ct_reading reading = { CT_CELL_MASKED, (double)NAN, (double)NAN, 0, (double)NAN };
  double weights = 0, sum = 0;
  for (uint32_t row = row0; row < row1 && row < map->head->rows; row++)
    for (uint32_t col = col0; col < col1 && col < map->head->cols; col++) {
      size_t i = (size_t)row * map->head->cols + col;
      double sigma = (double)map->sigma[i];
      if (map->cell[i] != CT_CELL_MASKED && reading.cell == CT_CELL_MASKED)
        reading.cell = CT_CELL_LOW;
      if (map->cell[i] != CT_CELL_OK || !(sigma > 0))
        continue;
      weights += 1 / (sigma * sigma);
      sum += (double)map->emf[i] / (sigma * sigma);
    }
  if (weights > 0) {
    reading.cell = CT_CELL_OK;
    reading.emf = sum / weights;
    reading.sigma = 1 / sqrt(weights);
  }
  return reading;
}

static struct ct_reading aggregate(const struct ct_map_view *map, uint32_t row0, uint32_t row1, uint32_t col0, uint32_t col1)
{
  struct sum sum = { 0 };
  if (map->head->of == CT_MAP_DRIFT)
    return aggregate_trends(map, row0, row1, col0, col1);
  for (uint32_t row = row0; row < row1 && row < map->head->rows; row++)
    for (uint32_t col = col0; col < col1 && col < map->head->cols; col++)
      add_cell(&sum, map, (size_t)row * map->head->cols + col);
  struct ct_reading reading = { .cell = sum.good ? CT_CELL_OK : sum.faint ? CT_CELL_LOW : CT_CELL_MASKED,
                                .emf = (double)NAN, .sigma = (double)NAN, .photons = sum.photons,
                                .intensity = sum.lit ? sum.intensity / sum.lit : (double)NAN };
  if (sum.good > 0) {
    reading.emf = sum.L / sum.H;
    reading.sigma = (sqrt(sum.variance) + sum.shared) / fabs(sum.H);
  }
  return reading;
}

struct ct_reading ct_heatmap_read(const struct ct_map_view *map, int32_t x, int32_t y)
{
  uint32_t col = (uint32_t)(x < 0 ? 0 : x) / map->head->bin, row = (uint32_t)(y < 0 ? 0 : y) / map->head->bin;
  return aggregate(map, row, row + 1, col, col + 1);
}

/* Counts say what they are, however few. */
static bool is_counted(enum ct_quantity quantity)
{
  return quantity == CT_SHOW_COUNTS || quantity == CT_SHOW_INTENSITY || quantity == CT_SHOW_HITS;
}

/* The number to show, or the level that says why there is none. */
static int value_of(const struct ct_view *view, const struct ct_reading *reading, float *value)
{
  enum ct_quantity quantity = view->quantity;
  double x = (double)NAN, x_sigma;
  if (quantity == CT_SHOW_LITHIUM)
    ct_lithium_x(&view->lithium, reading->emf, reading->sigma, &x, &x_sigma);
  const double values[] = { reading->emf, reading->sigma, reading->photons, reading->intensity, reading->emf / reading->sigma,
                            reading->emf / reading->sigma, reading->intensity, x };
  *value = (float)values[quantity];
  if (reading->cell == CT_CELL_MASKED)
    return CT_LEVEL_MASKED;
  if (!is_counted(quantity) && reading->cell == CT_CELL_LOW)
    return CT_LEVEL_FAINT;
  if (!isfinite(*value))
    return CT_LEVEL_NAN;
  bool of_emf = quantity == CT_SHOW_EMF || quantity == CT_SHOW_LITHIUM;
  return of_emf && !(reading->emf >= 2 * reading->sigma) ? CT_LEVEL_FAINT : 0;
}

/* ---- the reference ------------------------------------------------------------------------------------------- */
enum ct_ramp ct_heatmap_ramp(const struct ct_view *view)
{
  return ct_range_signed(view->memory.quantity, view->memory.difference) ? CT_RAMP_DIVERGING : view->ramp;
}

bool ct_heatmap_differs(const struct ct_view *view)
{
  return view->difference && view->reference.rows > 0 && view->quantity != CT_SHOW_DRIFT && view->quantity != CT_SHOW_HITS;
}

void ct_heatmap_take(struct ct_view *view, const struct ct_map_view *map, int64_t wall_ns)
{
  struct ct_view_reference *reference = &view->reference;
  const struct ct_section_map *head = map->head;
  if (!view->take_reference || head->of == CT_MAP_DRIFT || head->of == CT_MAP_HITS ||
      (uint64_t)head->rows * head->cols > CT_VIEW_CELLS)
    return;
  size_t n = (size_t)head->rows * head->cols;
  view->take_reference = false;
  reference->rows = head->rows;
  reference->cols = head->cols;
  reference->bin = head->bin;
  reference->wall_ns = wall_ns;
  memcpy(reference->emf, map->emf, n * sizeof *map->emf);
  memcpy(reference->sigma, map->sigma, n * sizeof *map->sigma);
  memcpy(reference->counts, map->counts, n * sizeof *map->counts);
  memcpy(reference->photons, map->photons, n * sizeof *map->photons);
  memcpy(reference->intensity, map->intensity, n * sizeof *map->intensity);
  memcpy(reference->cell, map->cell, n);
  memcpy(reference->edge, map->edge, n);
}

/* The reference as a map, with <head> for its head. */
static struct ct_map_view reference_map(const struct ct_view *view, struct ct_section_map *head)
{
  const struct ct_view_reference *from = &view->reference;
  *head = (struct ct_section_map){ .rows = from->rows, .cols = from->cols, .bin = from->bin };
  return (struct ct_map_view){ .head = head, .emf = from->emf, .sigma = from->sigma, .counts = from->counts,
                               .photons = from->photons, .intensity = from->intensity, .cell = from->cell, .edge = from->edge };
}

/* Now less then, with the error of both, into *now; value and level as value_of. */
static int subtract(const struct ct_view *view, struct ct_reading *now, const struct ct_reading *then, float *value)
{
  double emf = now->emf - then->emf, sigma = hypot(now->sigma, then->sigma);
  const double values[] = { emf, sigma, now->photons - then->photons, now->intensity - then->intensity, (double)NAN,
                            emf / sigma, (double)NAN, emf / view->lithium.slope };
  now->sigma = sigma;
  *value = (float)values[view->quantity];
  if (now->cell == CT_CELL_MASKED || then->cell == CT_CELL_MASKED)
    return CT_LEVEL_MASKED;
  if (!is_counted(view->quantity) && (now->cell == CT_CELL_LOW || then->cell == CT_CELL_LOW))
    return CT_LEVEL_FAINT;
  return isfinite(*value) ? 0 : CT_LEVEL_NAN;
}

/* ---- levels -------------------------------------------------------------------------------------------------- */
static enum ct_map_scale scale_for(const struct ct_view *view)
{
  return ct_range_signed(view->quantity, ct_heatmap_differs(view)) ? CT_SCALE_LINEAR : view->map_scale;
}

static void set_lattice(struct ct_view *view, const struct ct_map_view *map, const struct ct_scale *scale)
{
  struct ct_view_memory *memory = &view->memory;
  uint32_t bin = ct_heatmap_differs(view) ? max_u32(map->head->bin, view->reference.bin) : map->head->bin;
  uint32_t edge_x = max_u32(bin, scale->dx), edge_y = max_u32(bin, scale->dy), rows, cols;
  for (;; edge_x *= 2, edge_y *= 2) {
    rows = parts_of(scale->pixel_rows, edge_y);
    cols = parts_of(scale->pixel_cols, edge_x);
    if ((uint64_t)rows * cols <= CT_VIEW_CELLS)
      break;
  }
  bool same = memory->rows == rows && memory->cols == cols && memory->edge_x == edge_x && memory->edge_y == edge_y &&
              memory->quantity == view->quantity && memory->difference == ct_heatmap_differs(view) &&
              memory->scale == scale_for(view) && view->smooth;
  if (!same) {
    memory->low = memory->high = 0;
    memset(memory->level, CT_LEVEL_NAN, sizeof memory->level);
  }
  memory->rows = rows;
  memory->cols = cols;
  memory->edge_x = edge_x;
  memory->edge_y = edge_y;
  memory->quantity = view->quantity;
  memory->difference = ct_heatmap_differs(view);
  memory->scale = scale_for(view);
  view->step = max_u32(edge_x, 1);
}

static struct ct_reading read_lattice(const struct ct_map_view *map, const struct ct_view_memory *memory, uint32_t row,
                                      uint32_t col)
{
  uint32_t bin = map->head->bin, y = row * memory->edge_y, x = col * memory->edge_x;
  return aggregate(map, y / bin, parts_of(y + memory->edge_y, bin), x / bin, parts_of(x + memory->edge_x, bin));
}

void ct_heatmap_update(struct ct_view *view, const struct ct_map_view *map, const struct ct_scale *scale)
{
  enum { NEW = CT_LEVELS };        /* coloured from now on: no level to hold on to */
  const double share = view->frozen ? 0 : 0.3;      /* of a new value in the smoothed one */
  struct ct_view_memory *memory = &view->memory;
  set_lattice(view, map, scale);
  struct ct_section_map head;
  struct ct_map_view before = reference_map(view, &head);
  double noise = 0;
  size_t good = 0, i = 0;
  for (uint32_t row = 0; row < memory->rows; row++)
    for (uint32_t col = 0; col < memory->cols; col++, i++) {
      struct ct_reading reading = read_lattice(map, memory, row, col);
      float value;
      int level = value_of(view, &reading, &value), old = memory->level[i];
      if (memory->difference) {
        struct ct_reading then = read_lattice(&before, memory, row, col);
        level = subtract(view, &reading, &then, &value);
      }
      bool had = old >= 0;
      memory->level[i] = (int8_t)(level < 0 ? level : had ? old : NEW);
      memory->value[i] = had && level >= 0 ? (float)((double)memory->value[i] +
                                                     share * ((double)value - (double)memory->value[i])) : value;
      if (level >= 0 && isfinite(reading.sigma)) {
        noise += reading.sigma;
        good++;
      }
    }
  double low = memory->low, high = memory->high;
  noise = good > 0 ? noise / (double)good : 0;
  if (view->quantity == CT_SHOW_LITHIUM)
    noise /= fabs(view->lithium.slope);
  ct_range_update(view, view->quantity == CT_SHOW_EMF || view->quantity == CT_SHOW_LITHIUM ? noise : 0);
  bool moved = memory->low != low || memory->high != high;      /* exact: kept or set anew */
  for (i = 0; i < (size_t)memory->rows * memory->cols; i++)
    if (memory->level[i] >= 0) {
      int old = moved || memory->level[i] == NEW ? -1 : memory->level[i];
      memory->level[i] = ct_range_level(memory, (double)memory->value[i], old);
    }
}

/* ---- drawing -------------------------------------------------------------------------------------------------- */
int ct_heatmap_level(const struct ct_view_memory *memory, const struct ct_scale *scale, uint32_t i, uint32_t j)
{
  uint32_t col = i * scale->dx / scale->kx / memory->edge_x, row = j * scale->dy / scale->ky / memory->edge_y;
  return row < memory->rows && col < memory->cols ? memory->level[(size_t)row * memory->cols + col] : CT_LEVEL_MASKED;
}

/* Signs for what has no colour: sparse, so that they read as texture and never as a shade. */
static void draw_sign(struct ct_canvas canvas, int row, int col, int level)
{
  uint32_t code = ' ';
  if (level == CT_LEVEL_NAN)
    code = 'x';
  else if (level == CT_LEVEL_FAINT && row % 2 == 0 && (col + 2 * row) % 8 == 0)
    code = '?';
  else if (level == CT_LEVEL_MASKED && (col + 3 * row) % 6 == 0)
    code = canvas.utf8 ? 0xb7 : '.';
  ct_canvas_put(canvas, row, col, code, CT_GREY, CT_COLOUR_DEFAULT, code == ' ' ? 0 : CT_ATTR_DIM);
}

static void draw_halves(const struct ct_view *view, struct ct_canvas canvas, int row, int col, int top, int bottom)
{
  int none = CT_COLOUR_DEFAULT;
  int upper = top >= 0 ? ct_ramp_colour(ct_heatmap_ramp(view), top) : none;
  int lower = bottom >= 0 ? ct_ramp_colour(ct_heatmap_ramp(view), bottom) : none;
  if (upper == none && lower == none)
    draw_sign(canvas, row, col, top < bottom ? top : bottom);
  else if (upper == lower)
    ct_canvas_put(canvas, row, col, ' ', none, upper, 0);
  else if (upper == none)
    ct_canvas_put(canvas, row, col, 0x2584, lower, none, 0);
  else
    ct_canvas_put(canvas, row, col, 0x2580, upper, lower, 0);
}

int ct_heatmap_ink(const struct ct_view *view, int level)
{
  bool dark = ct_heatmap_ramp(view) == CT_RAMP_DIVERGING ? level < 3 || level > 12 : level < CT_LEVELS / 2;
  return dark ? 231 : 16;
}

void ct_heatmap_cursor(const struct ct_view *view, const struct ct_scale *scale, struct ct_canvas canvas)
{
  if (!view->cursor || view->cursor_x < 0 || view->cursor_y < 0)
    return;
  uint32_t i = (uint32_t)view->cursor_x * scale->kx / scale->dx, j = (uint32_t)view->cursor_y * scale->ky / scale->dy;
  int level = ct_heatmap_level(&view->memory, scale, i, j);
  int bg = level >= 0 ? ct_ramp_colour(ct_heatmap_ramp(view), level) : CT_COLOUR_DEFAULT;
  int fg = level < 0 ? CT_COLOUR_DEFAULT : ct_heatmap_ink(view, level);
  ct_canvas_put(canvas, (int)(scale->half ? j / 2 : j), (int)i, '+', fg, bg,
                CT_ATTR_BOLD | (view->colours ? 0u : CT_ATTR_REVERSE));
}

void ct_heatmap_draw(const struct ct_view *view, const struct ct_scale *scale, struct ct_canvas canvas)
{
  const struct ct_view_memory *memory = &view->memory;
  for (int row = 0; row < scale->rows; row++)
    for (int col = 0; col < scale->cols; col++) {
      uint32_t i = (uint32_t)col, j = (uint32_t)row;
      if (scale->half) {
        draw_halves(view, canvas, row, col, ct_heatmap_level(memory, scale, i, 2 * j), ct_heatmap_level(memory, scale, i, 2 * j + 1));
        continue;
      }
      int level = ct_heatmap_level(memory, scale, i, j);
      if (level < 0)
        draw_sign(canvas, row, col, level);
      else if (view->colours)
        ct_canvas_put(canvas, row, col, ' ', CT_COLOUR_DEFAULT, ct_ramp_colour(ct_heatmap_ramp(view), level), 0);
      else
        ct_canvas_put(canvas, row, col, ct_ramp_shade(level), CT_COLOUR_DEFAULT, CT_COLOUR_DEFAULT, 0);
    }
}
