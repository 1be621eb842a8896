/* raster: glyphs -> pixels of the xterm palette. Dots of curves and slices come first, and are 0 where there is none. */
#include "view/raster.h"

#include <stdlib.h>
#include <string.h>

enum { PAPER = 16, INK = 252, INK_BOLD = 231, INK_DIM = 243 };

void ct_palette_rgb(int colour, uint8_t rgb[3])
{
  static const uint8_t steps[6] = { 0, 95, 135, 175, 215, 255 };
  int cube = colour - 16;
  if (colour >= 232) {
    rgb[0] = rgb[1] = rgb[2] = (uint8_t)(8 + 10 * (colour - 232));
    return;
  }
  rgb[0] = steps[cube / 36 % 6];
  rgb[1] = steps[cube / 6 % 6];
  rgb[2] = steps[cube % 6];
}

void ct_raster_dot(struct ct_canvas canvas, int x, int y, int size, int colour)
{
  struct ct_pixels *pixels = canvas.grid->fine;
  int width = canvas.cols * pixels->cell_width, height = canvas.rows * pixels->cell_height;
  colour = ct_theme_colour(canvas.theme, colour);
  for (int py = y; py < y + size; py++)
    for (int px = x; px < x + size; px++)
      if (px >= 0 && py >= 0 && px < width && py < height)
        pixels->colour[(size_t)(canvas.row * pixels->cell_height + py) * (size_t)pixels->width +
                       (size_t)(canvas.col * pixels->cell_width + px)] = (uint8_t)(colour < 16 ? INK : colour);
}

/* The colours of a glyph as they are seen. */
static void choose_colours(const struct ct_glyph *glyph, uint8_t *ink, uint8_t *paper)
{
  bool bold = glyph->attributes & CT_ATTR_BOLD, dim = glyph->attributes & CT_ATTR_DIM;
  *ink = glyph->fg >= 16 ? (uint8_t)glyph->fg : bold ? INK_BOLD : dim ? INK_DIM : INK;
  *paper = glyph->bg >= 16 ? (uint8_t)glyph->bg : PAPER;
  if (glyph->attributes & CT_ATTR_REVERSE) {
    uint8_t was = *ink;
    *ink = *paper;
    *paper = was;
  }
}

/* Lines and blocks reach to the edges of their cell, where the next one goes on: whether (x, y) of w x h belongs to one. */
static bool in_drawing(uint32_t code, int x, int y, int w, int h)
{
  bool heavy = false;
  unsigned arms = ct_line_arms(code, &heavy);
  int right = x - w / 2, low = y - h / 2;      /* of the middle */
  switch (code) {
  case 0x250a: return right == 0 && y * 8 / h % 2 == 0;
  case 0x2580: return low < 0;
  case 0x2584: return low >= 0;
  case 0x25a0: return abs(right) < w / 3 && abs(low) < w / 3;
  case 0x25a1: return abs(right) < w / 3 && abs(low) < w / 3 && (abs(right) == w / 3 - 1 || abs(low) == w / 3 - 1);
  case 0x25b2: return abs(low) <= w / 2 && 2 * abs(right) <= low + w / 2;
  default: break;
  }
  return (abs(low) <= heavy && ((arms & CT_ARM_LEFT && right <= 0) || (arms & CT_ARM_RIGHT && right >= 0))) ||
         (abs(right) <= heavy && ((arms & CT_ARM_UP && low <= 0) || (arms & CT_ARM_DOWN && low >= 0)));
}

/* A braille dot is a quarter of the cell's height and half its width. */
static bool in_braille(uint32_t code, int x, int y, int w, int h)
{
  static const uint8_t bits[4][2] = { { 0x01, 0x08 }, { 0x02, 0x10 }, { 0x04, 0x20 }, { 0x40, 0x80 } };
  int row = y * 4 / h, col = x * 2 / w;
  return code & bits[row > 3 ? 3 : row][col > 1 ? 1 : col];
}

/* Letters are as large as whole multiples of their dots fit, in the middle. */
static bool in_letter(uint32_t code, int x, int y, int w, int h)
{
  int sx = w / (CT_FONT_WIDTH + 1), sy = h / (CT_FONT_HEIGHT + 2);
  sx = sx < 1 ? 1 : sx;
  sy = sy < 1 ? 1 : sy > 2 * sx ? 2 * sx : sy;
  x -= (w - sx * CT_FONT_WIDTH) / 2;
  y -= (h - sy * CT_FONT_HEIGHT) / 2;
  if (x < 0 || y < 0 || x >= sx * CT_FONT_WIDTH || y >= sy * CT_FONT_HEIGHT)
    return false;
  return ct_font_row(code, y / sy) >> (CT_FONT_WIDTH - 1 - x / sx) & 1;
}

static bool inked(const struct ct_glyph *glyph, int x, int y, int w, int h)
{
  if (glyph->attributes & CT_ATTR_UNDERLINE && y == h - 1)
    return true;
  if (glyph->code == ' ')
    return false;
  if (glyph->code >= 0x2500 && glyph->code < 0x2600)
    return in_drawing(glyph->code, x, y, w, h);
  if (glyph->code >= 0x2800 && glyph->code < 0x2900)
    return in_braille(glyph->code, x, y, w, h);
  return in_letter(glyph->code, x, y, w, h);
}

void ct_raster_glyphs(const struct ct_grid *grid, struct ct_pixels *pixels)
{
  int w = pixels->cell_width, h = pixels->cell_height;
  for (int row = 0; row < grid->rows; row++)
    for (int col = 0; col < grid->cols; col++) {
      const struct ct_glyph *glyph = &grid->glyphs[(size_t)row * (size_t)grid->cols + (size_t)col];
      uint8_t ink, paper;
      choose_colours(glyph, &ink, &paper);
      for (int y = 0; y < h; y++) {
        uint8_t *at = pixels->colour + (size_t)(row * h + y) * (size_t)pixels->width + (size_t)(col * w);
        for (int x = 0; x < w; x++)
          at[x] = inked(glyph, x, y, w, h) ? ink : at[x] != 0 ? at[x] : paper;
      }
    }
}

void ct_view_paint(struct ct_view *view, const struct ct_snapshot *snapshot, struct ct_grid *grid, struct ct_pixels *pixels)
{
  pixels->width = grid->cols * pixels->cell_width;
  pixels->height = grid->rows * pixels->cell_height;
  memset(pixels->colour, 0, (size_t)pixels->width * (size_t)pixels->height);
  grid->fine = pixels;
  ct_view_render(view, snapshot, grid);
  grid->fine = NULL;
  ct_raster_glyphs(grid, pixels);
}
