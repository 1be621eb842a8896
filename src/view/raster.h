/* raster: a grid as pixels. Ownership: everything is borrowed for the call. */
#ifndef VIEW_RASTER_H
#define VIEW_RASTER_H

#include "view/canvas.h"

enum { CT_FONT_WIDTH = 5, CT_FONT_HEIGHT = 9 };
/* The dots of row 0..8 of a letter, bit 4 leftmost. */
unsigned ct_font_row(uint32_t code, int row);

/* Colours the square of <size> pixels whose first is (x, y) of the canvas, where that is on the canvas. */
void ct_raster_dot(struct ct_canvas canvas, int x, int y, int size, int colour);
/* What no dot was put on becomes what the glyphs show; letters stand before dots. */
void ct_raster_glyphs(const struct ct_grid *grid, struct ct_pixels *pixels);

#endif
