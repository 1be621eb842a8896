#include "paint.h"

#include <stdlib.h>

struct ct_view *paint_copy(const struct ct_view *view)
{
  struct ct_view *copy = ct_xcalloc(1, sizeof *copy);
  *copy = *view;
  return copy;
}

struct ct_grid paint_grid(int rows, int cols)
{
  return (struct ct_grid){ .rows = rows, .cols = cols,
                           .glyphs = ct_xcalloc((size_t)rows * (size_t)cols, sizeof(struct ct_glyph)) };
}

void paint_view(const struct ct_view *view, const struct ct_snapshot *snapshot, int rows, int cols, struct ct_pixels *pixels)
{
  struct ct_grid grid = paint_grid(rows, cols);
  struct ct_view *copy = paint_copy(view);
  size_t cell = (size_t)pixels->cell_width * (size_t)pixels->cell_height;
  pixels->colour = ct_xcalloc((size_t)rows * (size_t)cols, cell);
  copy->utf8 = copy->colours = true;
  copy->accents = false;
  copy->link.refresh_hz = 0;         /* how fast the terminal is belongs to none of it */
  ct_view_paint(copy, snapshot, &grid, pixels);
  free(copy);
  free(grid.glyphs);
}
