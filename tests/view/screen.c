#include "screen.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { GUARD = 64 };

struct ct_view view;
static struct ct_glyph memory[GUARD + ROWS_MAX * COLS_MAX + GUARD];
struct ct_grid grid = { .rows = 24, .cols = 80, .glyphs = memory + GUARD };

void render(const struct ct_snapshot *snapshot, int rows, int cols)
{
  memset(memory, 0xa5, sizeof memory);
  grid.rows = rows;
  grid.cols = cols;
  ct_view_render(&view, snapshot, &grid);
}

/* The text of one row in ASCII; anything else as '?'. */
const char *row_text(int row)
{
  static char text[COLS_MAX + 1];
  for (int col = 0; col < grid.cols; col++) {
    uint32_t code = grid.glyphs[row * grid.cols + col].code;
    text[col] = (char)(code < 0x7f ? code : '?');
  }
  text[grid.cols] = '\0';
  return text;
}

bool screen_has(const char *text)
{
  for (int row = 0; row < grid.rows; row++)
    if (strstr(row_text(row), text) != NULL)
      return true;
  return false;
}

void assert_glyphs(void)
{
  size_t n = (size_t)grid.rows * (size_t)grid.cols;
  for (size_t i = 0; i < n; i++) {
    const struct ct_glyph *glyph = &grid.glyphs[i];
    assert_true(glyph->code >= 0x20 && glyph->code != 0x7f && glyph->code < 0x110000);
    assert_true(view.utf8 || glyph->code < 0x7f);
    assert_true(glyph->fg == CT_COLOUR_DEFAULT || (view.colours && glyph->fg >= 16 && glyph->fg <= 255));
    assert_true(glyph->bg == CT_COLOUR_DEFAULT || (view.colours && glyph->bg >= 16 && glyph->bg <= 255));
    assert_int_equal(glyph->attributes & ~15u, 0);
  }
  const unsigned char *before = (const unsigned char *)memory, *after = (const unsigned char *)(grid.glyphs + n);
  for (size_t i = 0; i < GUARD * sizeof *memory; i++) {
    assert_int_equal(before[i], 0xa5);
    assert_int_equal(after[i], 0xa5);
  }
}
