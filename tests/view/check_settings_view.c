/* The set-up screen: what it lists and finds, what keys ask for, and that it keeps within every size; themes. */
#include <comptop/view.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "samples.h"

enum { ROWS_MAX = 60, COLS_MAX = 200, GUARD = 64 };
static struct ct_view view;
static struct ct_glyph glyphs[GUARD + ROWS_MAX * COLS_MAX + GUARD];
static struct ct_grid grid;

static void draw(int rows, int cols)
{
  const struct ct_snapshot *sample = ct_make_sample(CT_SAMPLE_CELL, &view, rows, cols, 0);
  ct_view_settings_take(&view, sample);
  grid = (struct ct_grid){ .rows = rows, .cols = cols, .glyphs = glyphs + GUARD };
  ct_view_render(&view, sample, &grid);
}

static void open_screen(int rows, int cols, bool utf8)
{
  ct_view_init(&view, utf8, utf8, 0.05);
  draw(rows, cols);
  assert_int_equal(ct_view_key(&view, 'S'), CT_KEY_DONE);
  draw(rows, cols);
  draw(rows, cols);                        /* the first asked for the settings */
}

static enum ct_key_result press(uint32_t key)
{
  enum ct_key_result result = ct_view_key(&view, key);
  draw(grid.rows, grid.cols);
  return result;
}

static void type(const char *text)
{
  for (; *text != '\0'; text++)
    assert_int_equal(press((unsigned char)*text), CT_KEY_DONE);
}

static const char *row_text(int row)
{
  static char text[COLS_MAX * 4 + 1];
  size_t n = 0;
  for (int col = 0; col < grid.cols; col++)
    n += ct_view_utf8(grid.glyphs[row * grid.cols + col].code, text + n);
  while (n > 0 && text[n - 1] == ' ')
    n--;
  text[n] = '\0';
  return text;
}

static bool shows(const char *text)
{
  for (int row = 0; row < grid.rows; row++)
    if (strstr(row_text(row), text) != NULL)
      return true;
  return false;
}

/* Down the whole list: every setting of the table that a run has is there, once, and only what may change comes first. */
static void every_setting_is_listed(void **state)
{
  (void)state;
  open_screen(24, 80, false);
  char before[128] = "";
  int n = 0, changeable = 0;
  bool live_before = true;
  for (; strcmp(before, view.settings.path) != 0; n++) {
    const struct ct_option *row = ct_option_at(&ct_comptop_options, view.settings.path);
    assert_non_null(row);
    bool live = (row->marks & CT_OPTION_LIVE) != 0;
    assert_true(live_before || !live);
    live_before = live;
    changeable += live;
    assert_true(shows(view.settings.path));
    snprintf(before, sizeof before, "%s", view.settings.path);
    press(CT_PRESS_DOWN);
  }
  int expected = 0, expected_live = 0;
  for (size_t i = 0; i < ct_comptop_options.count; i++) {
    const struct ct_option *row = &ct_comptop_options.rows[i];
    /* the sample has one region and no stream; the viewer has told nothing of its own */
    if (row->section == NULL || (row->marks & CT_OPTION_LATER) || strcmp(row->section, "stream") == 0 ||
        strcmp(row->section, "screen") == 0)
      continue;
    expected++;
    expected_live += (row->marks & CT_OPTION_LIVE) != 0;
  }
  assert_int_equal(n, expected);
  assert_int_equal(changeable, expected_live);
  char caption[80];
  snprintf(caption, sizeof caption, "Set-up  %d of %d can change now", changeable, n);
  assert_true(shows(caption));
}

static void own_settings_are_the_viewers(void **state)
{
  (void)state;
  static const char text[] = "[screen]\ntheme = safe\n[emf]\np_low = 3\n";
  struct ct_settings *own;
  assert_int_equal(ct_settings_parse(&own, &ct_comptop_options, "my.conf", text, sizeof text - 1, NULL), 0);
  open_screen(24, 80, true);
  ct_view_settings_own(&view, own);
  type("theme");
  assert_true(shows(">screen.theme                safe                    my.conf:2"));
  press(CT_PRESS_ESCAPE);
  type("p_low");                           /* the run's */
  assert_true(shows(">emf.p_low                   1                       default"));
  ct_settings_close(own);
}

static void typing_searches_names_and_help(void **state)
{
  (void)state;
  open_screen(24, 80, true);
  type("geometry px");
  assert_string_equal(view.settings.path, "geometry.centre_px");
  assert_true(shows("Set-up  1 with \"geometry px\""));
  type("zz");
  assert_string_equal(view.settings.path, "");
  assert_int_equal(press('\n'), CT_KEY_DONE);
  assert_int_equal(press(CT_PRESS_LEFT), CT_KEY_DONE);
  assert_int_equal(press('\b'), CT_KEY_DONE);
  assert_int_equal(press('\b'), CT_KEY_DONE);
  assert_string_equal(view.settings.path, "geometry.centre_px");
  assert_int_equal(press(CT_PRESS_ESCAPE), CT_KEY_DONE);
  type("PINHOLE");                         /* of its help; D and W are no letters of a search */
  assert_int_equal(view.panel, CT_PANEL_SETTINGS);
  assert_string_equal(view.settings.path, "geometry.object_mm");
  press(CT_PRESS_ESCAPE);
  assert_int_equal(view.panel, CT_PANEL_SETTINGS);
  press(CT_PRESS_ESCAPE);
  assert_int_equal(view.panel, CT_PANEL_OVERVIEW);
}

static void keys_ask_for_changes(void **state)
{
  (void)state;
  open_screen(24, 80, true);
  type("emf.background");
  assert_string_equal(view.settings.path, "emf.background");
  assert_int_equal(press(CT_PRESS_RIGHT), CT_KEY_CHANGE);
  assert_string_equal(view.settings.text, "flat");
  assert_int_equal(press(CT_PRESS_LEFT), CT_KEY_CHANGE);
  assert_string_equal(view.settings.text, "linear");
  assert_int_equal(press('D'), CT_KEY_DEFAULT);
  assert_int_equal(press('W'), CT_KEY_KEEP);
  press(CT_PRESS_ESCAPE);
  type("geometry.object");
  assert_int_equal(press(CT_PRESS_RIGHT), CT_KEY_DONE);                /* no words */
  assert_true(view.settings.refused && shows("Enter edits it"));
  assert_int_equal(press('\n'), CT_KEY_DONE);
  assert_true(view.settings.typing && shows("geometry.object_mm = 158.2"));
  assert_int_equal(press('q'), CT_KEY_DONE);                           /* into the line, as W and D and ? */
  assert_int_equal(press(CT_PRESS_CTRL_U), CT_KEY_DONE);
  type("160\xc3");
  press('\b');
  assert_int_equal(press('\n'), CT_KEY_CHANGE);
  assert_string_equal(view.settings.text, "160");
  assert_string_equal(view.settings.path, "geometry.object_mm");
  press('\n');
  assert_int_equal(press(CT_PRESS_ESCAPE), CT_KEY_DONE);
  assert_false(view.settings.typing);
  press(CT_PRESS_ESCAPE);
  type("hexitec.rows");
  static const uint32_t keys[] = { '\n', CT_PRESS_LEFT, CT_PRESS_RIGHT, 'D' };
  for (size_t i = 0; i < 4; i++) {
    assert_int_equal(press(keys[i]), CT_KEY_DONE);
    assert_true(view.settings.refused && !view.settings.typing);
    assert_true(shows("hexitec.rows: changes with the next run"));
  }
  press(CT_PRESS_ESCAPE);
  assert_int_equal(press('q'), CT_KEY_QUIT);
  assert_int_equal(press(CT_PRESS_F10), CT_KEY_QUIT);
  assert_int_equal(press(CT_PRESS_CTRL_L), CT_KEY_REDRAW);
}

/* Any keys at any size: nothing outside the grid, every glyph printable, no key is of a setting that is not there. */
static void keeps_within_every_size(void **state)
{
  (void)state;
  static const uint32_t keys[] = { 'e', 'm', 'f', '.', ' ', '\b', '\n', 'D', 'W', CT_PRESS_UP, CT_PRESS_DOWN, CT_PRESS_LEFT,
    CT_PRESS_RIGHT, CT_PRESS_PAGE_UP, CT_PRESS_PAGE_DOWN, CT_PRESS_ESCAPE, 'S', 0x3c3, 0x10ffff, CT_PRESS_CTRL_U, '_', 'x' };
  static const int sizes[][2] = { { 1, 1 }, { 2, 7 }, { 3, 3 }, { 5, 20 }, { 12, 40 }, { 24, 80 }, { 7, 200 }, { 60, 200 }, { 60, 9 } };
  uint32_t random = 1;
  for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
    memset(glyphs, 0xa5, sizeof glyphs);
    open_screen(sizes[i][0], sizes[i][1], i % 2 == 0);
    for (int k = 0; k < 600; k++) {
      random = random * 1664525 + 1013904223;
      if (view.panel != CT_PANEL_SETTINGS)
        press('S');
      press(keys[(random >> 8) % (sizeof keys / sizeof *keys)]);
      assert_true(view.settings.selected >= 0 && view.settings.page >= 1);
      assert_true(view.settings.path[0] == '\0' || ct_option_at(&ct_comptop_options, view.settings.path) != NULL);
    }
    for (int k = 0; k < GUARD; k++)
      assert_true(glyphs[k].code == 0xa5a5a5a5 && glyphs[GUARD + sizes[i][0] * sizes[i][1] + k].code == 0xa5a5a5a5);
    for (int k = 0; k < sizes[i][0] * sizes[i][1]; k++)
      assert_true(grid.glyphs[k].code >= 0x20 && grid.glyphs[k].fg < 256);
  }
}

/* The colours in use, but for those of a map. */
static bool has_colour(int fg)
{
  for (int i = 0; i < grid.rows * grid.cols; i++)
    if (grid.glyphs[i].fg == fg)
      return true;
  return false;
}

static void a_theme_gives_the_colours(void **state)
{
  (void)state;
  static const struct { enum ct_theme theme; enum ct_ramp ramp; int good, grey; } themes[] = {
    { CT_THEME_DARK, CT_RAMP_INFERNO, 71, 245 }, { CT_THEME_LIGHT, CT_RAMP_VIRIDIS, 28, 242 }, { CT_THEME_SAFE, CT_RAMP_CIVIDIS, 45, 245 },
    { CT_THEME_MONO, CT_RAMP_GREY, CT_COLOUR_DEFAULT, CT_COLOUR_DEFAULT },
  };
  for (size_t i = 0; i < sizeof themes / sizeof *themes; i++) {
    ct_view_init(&view, true, true, 0.05);
    view.theme = themes[i].theme;
    view.panel = CT_PANEL_HEALTH;
    draw(24, 80);
    assert_true(has_colour(themes[i].good) && has_colour(themes[i].grey));
    assert_int_equal(ct_view_theme_ramp(themes[i].theme), themes[i].ramp);
    for (size_t k = 0; k < sizeof themes / sizeof *themes; k++)
      assert_true(themes[k].good == themes[i].good || !has_colour(themes[k].good) || themes[k].good < 0);
  }
}

int main(void)
{
  const struct CMUnitTest tests[] = {
    cmocka_unit_test(every_setting_is_listed),
    cmocka_unit_test(own_settings_are_the_viewers),
    cmocka_unit_test(typing_searches_names_and_help),
    cmocka_unit_test(keys_ask_for_changes),
    cmocka_unit_test(keeps_within_every_size),
    cmocka_unit_test(a_theme_gives_the_colours),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
