/* outline: where the ROIs lie on the map. A line runs through the outermost characters of a region, on the map's own
 * colour; without colours the characters are those of the map, in reverse. */
#include "view/heatmap.h"

#include "view/panels.h"

/* On a smaller map there would be more outline than map. */
enum { LEAST_COLS = 30 };

/* Which ROIs a character of the picture belongs to: [rows][cols] bits, in the view's memory. */
struct lattice {
  uint16_t *cell;
  int rows, cols;
};

static uint16_t bits_at(const struct lattice *l, int row, int col)
{
  return row >= 0 && col >= 0 && row < l->rows && col < l->cols ? l->cell[(size_t)row * (size_t)l->cols + (size_t)col] : 0;
}

/* The pixels [from, to) under character <at> of <samples> samples. */
static void pixels_under(uint32_t at, uint32_t samples, uint32_t d, uint32_t k, uint32_t n, uint32_t *from, uint32_t *to)
{
  *from = at * samples * d / k;
  *to = (at + 1) * samples * d / k;
  *to = *to > *from ? *to : *from + 1;
  *to = *to < n ? *to : n;
}

/* In <most>: of which ROIs at least half the character's pixels are; in <any>: any. */
static void look_under(const struct ct_rois_view *rois, const struct ct_scale *scale, int row, int col, uint16_t *most,
                       uint16_t *any)
{
  uint32_t x0, x1, y0, y1, in[CT_SNAPSHOT_ROIS] = { 0 };
  *most = *any = 0;
  pixels_under((uint32_t)col, 1, scale->dx, scale->kx, rois->head->cols, &x0, &x1);
  pixels_under((uint32_t)row, scale->half ? 2 : 1, scale->dy, scale->ky, rois->head->rows, &y0, &y1);
  for (uint32_t y = y0; y < y1; y++)
    for (uint32_t x = x0; x < x1; x++)
      for (uint16_t bits = rois->rois[(size_t)y * rois->head->cols + x]; bits != 0; bits &= (uint16_t)(bits - 1))
        in[__builtin_ctz(bits)]++;
  for (int roi = 0; roi < CT_SNAPSHOT_ROIS; roi++) {
    uint16_t bit = (uint16_t)(1u << roi);
    *any |= in[roi] > 0 ? bit : 0;
    *most |= in[roi] > 0 && 2 * in[roi] >= (x1 - x0) * (y1 - y0) ? bit : 0;
  }
}

/* A region that is too small for its half of any character has those that it touches. */
static void fill(const struct lattice *l, const struct ct_rois_view *rois, const struct ct_scale *scale)
{
  uint16_t seen = 0, most, any;
  for (int pass = 0; pass < 2; pass++)
    for (int row = 0; row < l->rows; row++)
      for (int col = 0; col < l->cols; col++) {
        uint16_t *cell = &l->cell[(size_t)row * (size_t)l->cols + (size_t)col];
        look_under(rois, scale, row, col, &most, &any);
        if (pass == 0)
          seen |= *cell = most;
        else
          *cell |= (uint16_t)(any & ~seen);
      }
}

/* Of which regions the character is at the edge. */
static uint16_t edge_at(const struct lattice *l, int row, int col)
{
  uint16_t all = UINT16_MAX;
  for (int y = row - 1; y <= row + 1; y++)
    for (int x = col - 1; x <= col + 1; x++)
      all &= bits_at(l, y, x);
  return bits_at(l, row, col) & (uint16_t)~all;
}

/* Two neighbours at the edge are joined where the edge runs along them: on one side of the pair not both are inside. */
static bool joined(const struct lattice *l, int row, int col, int down, int right, uint16_t bit)
{
  if (!(edge_at(l, row + down, col + right) & bit))
    return false;
  for (int side = -1; side <= 1; side += 2) {
    int y = row + side * (right != 0), x = col + side * (down != 0);
    if (!(bits_at(l, y, x) & bits_at(l, y + down, x + right) & bit))
      return true;
  }
  return false;
}

static unsigned links_of(const struct lattice *l, int row, int col, uint16_t bit)
{
  return (joined(l, row, col, -1, 0, bit) ? CT_ARM_UP : 0u) | (joined(l, row, col, 1, 0, bit) ? CT_ARM_DOWN : 0u) |
         (joined(l, row, col, 0, -1, bit) ? CT_ARM_LEFT : 0u) | (joined(l, row, col, 0, 1, bit) ? CT_ARM_RIGHT : 0u);
}

static uint32_t line_code(const struct ct_view *view, unsigned links, bool chosen)
{
  if (view->utf8)
    return ct_line_code(links, chosen);
  return links == 0 || (links & (CT_ARM_UP | CT_ARM_DOWN) && links & (CT_ARM_LEFT | CT_ARM_RIGHT)) ? '+' : links & (CT_ARM_UP | CT_ARM_DOWN) ? '|' : '-';
}

/* The mean of what is under the character; none where nothing has a colour. */
static int level_under(const struct ct_view *view, const struct ct_scale *scale, int row, int col)
{
  uint32_t i = (uint32_t)col, j = (uint32_t)row;
  if (!scale->half)
    return ct_heatmap_level(&view->memory, scale, i, j);
  int top = ct_heatmap_level(&view->memory, scale, i, 2 * j);
  int bottom = ct_heatmap_level(&view->memory, scale, i, 2 * j + 1);
  return top < 0 ? bottom : bottom < 0 ? top : (top + bottom) / 2;
}

static void put(const struct ct_view *view, const struct ct_scale *scale, struct ct_canvas canvas, int row, int col,
                uint32_t code, bool name)
{
  int level = level_under(view, scale, row, col), bg = CT_COLOUR_DEFAULT;
  if (!view->colours) {
    ct_canvas_put(canvas, row, col, name ? code : level < 0 ? ' ' : ct_ramp_shade(level), CT_COLOUR_DEFAULT, CT_COLOUR_DEFAULT,
                  CT_ATTR_REVERSE | (name ? CT_ATTR_BOLD : 0u));
    return;
  }
  if (level >= 0)
    bg = ct_ramp_colour(ct_heatmap_ramp(view), level);
  ct_canvas_put(canvas, row, col, code, level < 0 ? CT_GREY : ct_heatmap_ink(view, level), bg, name ? CT_ATTR_BOLD : 0);
}

void ct_outline_draw(struct ct_view *view, const struct ct_snapshot *snapshot, const struct ct_scale *scale,
                     struct ct_canvas canvas)
{
  struct ct_request request = ct_outline_request();
  struct ct_rois_view rois;
  struct lattice l = { view->memory.rois, scale->rows, scale->cols };
  if (!view->outlines || scale->cols < LEAST_COLS || !ct_snapshot_rois(snapshot, &request, &rois) || rois.head->rows != scale->pixel_rows ||
      rois.head->cols != scale->pixel_cols || (size_t)l.rows * (size_t)l.cols > CT_VIEW_CELLS)
    return;
  fill(&l, &rois, scale);
  const unsigned chosen_bit = view->scope == CT_SCOPE_ROI ? 1u << view->roi : 0;
  uint16_t chosen = (uint16_t)chosen_bit, named = 0;
  for (int row = 0; row < l.rows; row++)
    for (int col = 0; col < l.cols; col++) {
      uint16_t edge = edge_at(&l, row, col), front = edge & chosen ? edge & chosen : edge;
      if (front == 0)
        continue;
      uint16_t bit = front & (uint16_t)-front;
      unsigned links = links_of(&l, row, col, bit);
      /* The name stands beside the first corner, or in it where the line goes no further. */
      bool name = !(named & bit) && (links & CT_ARM_LEFT || !(links & CT_ARM_RIGHT));
      named |= name ? bit : 0;
      uint32_t letter = ct_roi_letter((uint32_t)__builtin_ctz(bit));
      put(view, scale, canvas, row, col, name ? letter : line_code(view, links, bit == chosen), name);
    }
}

struct ct_request ct_outline_request(void) { return (struct ct_request){ .kind = CT_SECTION_ROIS }; }
