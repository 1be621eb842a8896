/* Screens as pixels: letters, curves and slices are where and what they should be. */
#include <comptop/view.h>

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "samples.h"
#include "view/plot.h"
#include "view/raster.h"

enum { ROWS = 24, COLS = 80, WIDTH = 12, HEIGHT = 24, BEYOND = 64 };
static struct ct_glyph glyphs[ROWS * COLS];
static uint8_t memory[ROWS * HEIGHT * COLS * WIDTH + BEYOND];
static struct ct_view view;

static struct ct_pixels paint(enum ct_sample sample, const char *keys, int rows, int cols, int width, int height)
{
  struct ct_grid grid = { .rows = rows, .cols = cols, .glyphs = glyphs };
  struct ct_pixels pixels = { .cell_width = width, .cell_height = height, .colour = memory };
  ct_view_init(&view, true, true, 0.05);
  memset(memory, 7, sizeof memory);
  for (;; keys++) {
    ct_view_paint(&view, ct_make_sample(sample, &view, rows, cols, 0), &grid, &pixels);
    if (*keys == '\0')
      break;
    assert_int_equal(ct_view_key(&view, (uint32_t)(unsigned char)*keys), CT_KEY_DONE);
  }
  assert_null(grid.fine);
  return pixels;
}

static int at(const struct ct_pixels *pixels, int x, int y) { return pixels->colour[y * pixels->width + x]; }

static void every_pixel_has_a_colour_and_none_lies_outside(void **state)
{
  static const char *const panels[] = { "", "1", "2", "3", "4", "5", "6", "7", "?", "2rr", "1u", "4uu" };
  static const int sizes[][4] = { { 24, 80, 12, 24 }, { 24, 80, 8, 16 }, { 24, 80, 7, 13 }, { 5, 20, 10, 20 }, { 1, 1, 6, 11 } };
  (void)state;
  for (size_t s = 0; s < sizeof sizes / sizeof *sizes; s++)
    for (int sample = 0; sample < CT_SAMPLE_COUNT; sample++)
      for (size_t p = 0; p < sizeof panels / sizeof *panels; p++) {
        struct ct_pixels pixels = paint((enum ct_sample)sample, panels[p], sizes[s][0], sizes[s][1], sizes[s][2], sizes[s][3]);
        size_t all = (size_t)pixels.width * (size_t)pixels.height;
        assert_int_equal(pixels.width, sizes[s][1] * sizes[s][2]);
        assert_int_equal(pixels.height, sizes[s][0] * sizes[s][3]);
        for (size_t i = 0; i < all; i++)
          assert_true(memory[i] >= 16);
        for (size_t i = all; i < all + BEYOND; i++)
          assert_int_equal(memory[i], 7);
      }
}

/* The title begins with a bold c, twice as large as its dots, and an o. */
static void letters_are_what_they_are(void **state)
{
  static const char *const shape[] = { "..........", "..........", ".###..###.", "#....#...#", "#....#...#", "#...##...#", ".###..###." };
  struct ct_pixels pixels = paint(CT_SAMPLE_CELL, "", ROWS, COLS, WIDTH, HEIGHT);
  (void)state;
  for (int row = 0; row < 7; row++)
    for (int letter = 0; letter < 2; letter++)
      for (int dot = 0; dot < 5; dot++)
        for (int part = 0; part < 4; part++) {
          int x = letter * WIDTH + 1 + 2 * dot + part % 2, y = 3 + 2 * row + part / 2;
          assert_int_equal(at(&pixels, x, y), shape[row][5 * letter + dot] == '#' ? 231 : 16);
        }
}

/* Every letter of ASCII has dots of its own, and none is that of what is not known. */
static void letters_differ(void **state)
{
  (void)state;
  for (uint32_t a = 0x20; a <= 0x7f; a++)
    for (uint32_t b = a + 1; b <= 0x7f; b++) {
      bool same = true;
      for (int row = 0; row < CT_FONT_HEIGHT; row++)
        same = same && ct_font_row(a, row) == ct_font_row(b, row);
      assert_false(same);
    }
}

/* The signs of lines by their names in Unicode: each reaches those edges of its cell that its arms point to, and no other. */
static void lines_reach_their_neighbours(void **state)
{
  enum { U = 1, D = 2, L = 4, R = 8, W = 12, H = 24 };
  static const struct { uint32_t light, heavy; unsigned arms; } signs[] = {
    { 0x2500, 0x2501, L | R }, { 0x2502, 0x2503, U | D }, { 0x250c, 0x250f, D | R }, { 0x2510, 0x2513, D | L },
    { 0x2514, 0x2517, U | R }, { 0x2518, 0x251b, U | L }, { 0x251c, 0x2523, U | D | R }, { 0x2524, 0x252b, U | D | L },
    { 0x252c, 0x2533, D | L | R }, { 0x2534, 0x253b, U | L | R }, { 0x253c, 0x254b, U | D | L | R },
  };
  (void)state;
  for (size_t i = 0; i < 2 * sizeof signs / sizeof *signs; i++) {
    uint32_t code = i % 2 ? signs[i / 2].heavy : signs[i / 2].light;
    struct ct_grid grid = { .rows = 1, .cols = 1, .glyphs = glyphs };
    struct ct_pixels pixels = { .cell_width = W, .cell_height = H, .width = W, .height = H, .colour = memory };
    glyphs[0] = (struct ct_glyph){ code, 100, CT_COLOUR_DEFAULT, 0 };
    memset(memory, 0, W * H);
    ct_raster_glyphs(&grid, &pixels);
    unsigned arms = (at(&pixels, W / 2, 0) == 100 ? U : 0) | (at(&pixels, W / 2, H - 1) == 100 ? D : 0) |
                    (at(&pixels, 0, H / 2) == 100 ? L : 0) | (at(&pixels, W - 1, H / 2) == 100 ? R : 0);
    assert_int_equal(arms, signs[i / 2].arms);
    assert_int_equal(at(&pixels, W / 2, H / 2), 100);
  }
}

/* A parabola: each column of pixels has the curve within the thickness of its line. */
static void curves_are_as_fine_as_pixels(void **state)
{
  enum { N = 961 };
  static double x[N], y[N];
  struct ct_grid grid = { .rows = ROWS, .cols = COLS, .glyphs = glyphs };
  struct ct_pixels pixels = { .cell_width = WIDTH, .cell_height = HEIGHT, .width = COLS * WIDTH, .height = ROWS * HEIGHT,
                              .colour = memory };
  struct ct_canvas canvas = { &grid, 0, 0, ROWS, COLS, true, true, CT_THEME_DARK };
  (void)state;
  for (int i = 0; i < N; i++) {
    x[i] = i / 480.0 - 1;
    y[i] = x[i] * x[i];
  }
  for (int i = 0; i < ROWS * COLS; i++)
    glyphs[i] = (struct ct_glyph){ ' ', CT_COLOUR_DEFAULT, CT_COLOUR_DEFAULT, 0 };
  memset(memory, 0, sizeof memory);
  grid.fine = &pixels;
  struct ct_plot plot = ct_plot_axes(canvas, &(struct ct_axes){ .x_low = -1, .x_high = 1, .y_high = 1, .x_unit = "" });
  ct_plot_curve(&plot, &(struct ct_curve){ .x = x, .y = y, .n = N, .x_scale = 1, .joined = true }, 208);
  int left = plot.area.col * WIDTH, width = plot.area.cols * WIDTH, height = plot.area.rows * HEIGHT, seen = 0;
  for (int column = 2; column < width - 2; column++) {
    double expected = -1 + 2 * (column + 0.5) / width, steep = 2 * fabs(expected) * 2 / width;
    expected *= expected;
    for (int row = 0; row < height; row++)
      if (at(&pixels, left + column, row) == 208) {
        assert_true(fabs(1 - (row + 0.5) / height - expected) < 3 * steep + 3.0 / height);
        seen++;
      }
  }
  assert_true(seen >= width - 4);
}

/* EMF over a charge that goes down again: the points on the way back have their errors, too. */
static void bars_stand_on_the_way_back_too(void **state)
{
  enum { N = 100 };
  static double x[N], y[N], sigma[N];
  struct ct_grid grid = { .rows = ROWS, .cols = COLS, .glyphs = glyphs };
  struct ct_canvas canvas = { &grid, 0, 0, ROWS, COLS, true, true, CT_THEME_DARK };
  (void)state;
  for (int i = 0; i < N; i++) {
    x[i] = i < N / 2 ? i : N - 1 - i;
    y[i] = i < N / 2 ? 0.25 : 0.75;
    sigma[i] = 0.15;
  }
  for (int i = 0; i < ROWS * COLS; i++)
    glyphs[i] = (struct ct_glyph){ ' ', CT_COLOUR_DEFAULT, CT_COLOUR_DEFAULT, 0 };
  struct ct_plot plot = ct_plot_axes(canvas, &(struct ct_axes){ .x_high = N / 2, .y_high = 1, .x_unit = "" });
  ct_plot_curve(&plot, &(struct ct_curve){ .x = x, .y = y, .sigma = sigma, .n = N, .x_scale = 1 }, 208);
  int drawn[2] = { 0 };
  for (int row = 0; row < plot.area.rows; row++)
    for (int col = plot.area.col; col < COLS; col++)
      drawn[row < plot.area.rows / 2] += glyphs[row * COLS + col].code != ' ';
  assert_true(drawn[0] > 5 * N / 2 && drawn[1] > 5 * N / 2);
}

/* The slice is drawn value by value: finer than two samples a character. */
static void slices_are_as_fine_as_pixels(void **state)
{
  struct ct_pixels pixels = paint(CT_SAMPLE_CELL, "4", ROWS, COLS, WIDTH, HEIGHT);
  int odd = 0;
  (void)state;
  for (int y = 4 * HEIGHT; y < 20 * HEIGHT; y++)
    for (int x = 1; x < 20 * WIDTH; x++)
      odd += x % WIDTH != 0 && at(&pixels, x, y) != at(&pixels, x - 1, y);
  assert_true(odd > 100);
}

int main(void)
{
  const struct CMUnitTest tests[] = {
    cmocka_unit_test(every_pixel_has_a_colour_and_none_lies_outside), cmocka_unit_test(letters_are_what_they_are),
    cmocka_unit_test(letters_differ), cmocka_unit_test(lines_reach_their_neighbours),
    cmocka_unit_test(curves_are_as_fine_as_pixels),
    cmocka_unit_test(bars_stand_on_the_way_back_too), cmocka_unit_test(slices_are_as_fine_as_pixels),
  };
  return cmocka_run_group_tests_name("paint", tests, NULL, NULL);
}
