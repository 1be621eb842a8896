/* Whole screens against files that a person has looked at. After a wanted change of the picture:
 * `check_golden write DIR` writes all of them anew; look at the difference before it is committed. */
#include <comptop/view.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "samples.h"

enum { ASCII, UTF8, MONO };        /* UTF8: with colours; MONO: UTF-8 without */

static const struct golden {
  const char *name;
  enum ct_sample sample;
  int rows, cols, terminal;
  const char *keys;                /* pressed before; U D L R: arrows; T: D, with other noise from then on; O: R */
} goldens[] = {
  { "overview-20x5", CT_SAMPLE_CELL, 5, 20, UTF8, "" },
  { "overview-40x16", CT_SAMPLE_CELL, 16, 40, UTF8, "" },
  { "overview-80x24", CT_SAMPLE_CELL, 24, 80, UTF8, "" },
  { "overview-100x30", CT_SAMPLE_CELL, 30, 100, UTF8, "" },
  { "overview-200x60", CT_SAMPLE_CELL, 60, 200, UTF8, "" },
  { "ascii-20x5", CT_SAMPLE_CELL, 5, 20, ASCII, "" },
  { "ascii-40x16", CT_SAMPLE_CELL, 16, 40, ASCII, "" },
  { "ascii-80x24", CT_SAMPLE_CELL, 24, 80, ASCII, "" },
  { "ascii-100x30", CT_SAMPLE_CELL, 30, 100, ASCII, "" },
  { "ascii-200x60", CT_SAMPLE_CELL, 60, 200, ASCII, "" },
  { "faint-80x24", CT_SAMPLE_FAINT, 24, 80, ASCII, "bb" },
  { "alarm-80x24", CT_SAMPLE_ALARM, 24, 80, ASCII, "" },
  { "alarm-20x5", CT_SAMPLE_ALARM, 5, 20, ASCII, "" },
  { "empty-80x24", CT_SAMPLE_EMPTY, 24, 80, ASCII, "" },
  { "frozen-80x24", CT_SAMPLE_CELL, 24, 80, UTF8, " " },
  { "cursor-80x24", CT_SAMPLE_CELL, 24, 80, UTF8, "ULLLDDD" },
  { "map-80x24", CT_SAMPLE_CELL, 24, 80, UTF8, "1bb" },
  { "error-map-80x24", CT_SAMPLE_CELL, 24, 80, ASCII, "1bbu" },
  { "counts-map-80x24", CT_SAMPLE_CELL, 24, 80, ASCII, "1buu" },
  { "lithium-map-80x24", CT_SAMPLE_CELL, 24, 80, ASCII, "1uuuuuuu" },
  { "difference-80x24", CT_SAMPLE_CELL, 24, 80, UTF8, "1Td" },
  { "drift-map-80x24", CT_SAMPLE_CELL, 24, 80, UTF8, "1uuuuL" },
  { "density-map-80x24", CT_SAMPLE_CELL, 24, 80, ASCII, "1buuu" },
  { "profile-80x24", CT_SAMPLE_CELL, 24, 80, UTF8, "2" },
  { "reference-80x24", CT_SAMPLE_CELL, 24, 80, UTF8, "2rr" },
  { "spectrum-80x24", CT_SAMPLE_CELL, 24, 80, UTF8, "3" },
  { "spectrum-linear-80x24", CT_SAMPLE_CELL, 24, 80, ASCII, "3l" },
  { "tomography-80x24", CT_SAMPLE_CELL, 24, 80, ASCII, "4" },
  { "plane-80x24", CT_SAMPLE_CELL, 24, 80, UTF8, "4uuuu" },
  { "slice-80x24", CT_SAMPLE_CELL, 24, 80, UTF8, "4DU" },
  { "slice-200x60", CT_SAMPLE_CELL, 60, 200, UTF8, "4" },
  { "slice-40x16", CT_SAMPLE_CELL, 16, 40, UTF8, "4" },
  { "cell-80x24", CT_SAMPLE_CELL, 24, 80, UTF8, "5" },
  { "detector-80x24", CT_SAMPLE_CELL, 24, 80, UTF8, "6" },
  { "health-80x24", CT_SAMPLE_ALARM, 24, 80, UTF8, "6" },
  { "instrument-80x24", CT_SAMPLE_CELL, 24, 80, UTF8, "7" },
  { "help-80x24", CT_SAMPLE_CELL, 24, 80, UTF8, "?" },
  { "help-40x16", CT_SAMPLE_CELL, 16, 40, ASCII, "?" },
  { "rois-profile-100x30", CT_SAMPLE_CELL, 30, 100, UTF8, "2O" },
  { "rois-profile-ascii-80x24", CT_SAMPLE_CELL, 24, 80, ASCII, "2O" },
  { "rois-cell-100x30", CT_SAMPLE_CELL, 30, 100, UTF8, "5O" },
  { "hits-map-80x24", CT_SAMPLE_CELL, 24, 80, ASCII, "1uuuuuuo" },
  { "map-200x60", CT_SAMPLE_CELL, 60, 200, UTF8, "1brrrr" },
  { "settings-80x24", CT_SAMPLE_CELL, 24, 80, UTF8, "SgeometryDD" },
  { "settings-edit-40x16", CT_SAMPLE_ALARM, 16, 40, ASCII, "Sgeometry\n7" },
  { "settings-refused-80x24", CT_SAMPLE_CELL, 24, 80, ASCII, "Shexitec.rows\n" },
  { "settings-20x5", CT_SAMPLE_CELL, 5, 20, ASCII, "SgeometryD" },
  { "settings-100x30", CT_SAMPLE_CELL, 30, 100, UTF8, "Scathode" },
  { "empty-20x5", CT_SAMPLE_EMPTY, 5, 20, ASCII, "" },
  { "empty-mono-80x24", CT_SAMPLE_EMPTY, 24, 80, MONO, "" },
  { "empty-100x30", CT_SAMPLE_EMPTY, 30, 100, MONO, "" },
  { "empty-200x60", CT_SAMPLE_EMPTY, 60, 200, ASCII, "" },
  { "stale-20x5", CT_SAMPLE_STALE, 5, 20, ASCII, "" },
  { "stale-80x24", CT_SAMPLE_STALE, 24, 80, UTF8, "" },
  { "stale-100x30", CT_SAMPLE_STALE, 30, 100, MONO, "" },
  { "stale-200x60", CT_SAMPLE_STALE, 60, 200, ASCII, "" },
  { "extreme-20x5", CT_SAMPLE_EXTREME, 5, 20, ASCII, "" },
  { "extreme-80x24", CT_SAMPLE_EXTREME, 24, 80, UTF8, "" },
  { "extreme-100x30", CT_SAMPLE_EXTREME, 30, 100, MONO, "" },
  { "extreme-200x60", CT_SAMPLE_EXTREME, 60, 200, ASCII, "" },
  { "nan-20x5", CT_SAMPLE_NAN, 5, 20, ASCII, "" },
  { "nan-80x24", CT_SAMPLE_NAN, 24, 80, UTF8, "" },
  { "nan-100x30", CT_SAMPLE_NAN, 30, 100, MONO, "" },
  { "nan-200x60", CT_SAMPLE_NAN, 60, 200, ASCII, "" },
  { "extreme-map-80x24", CT_SAMPLE_EXTREME, 24, 80, ASCII, "1" },
  { "extreme-profile-80x24", CT_SAMPLE_EXTREME, 24, 80, ASCII, "2O" },
  { "extreme-spectrum-80x24", CT_SAMPLE_EXTREME, 24, 80, ASCII, "3" },
  { "extreme-cell-80x24", CT_SAMPLE_EXTREME, 24, 80, ASCII, "5O" },
  { "extreme-health-80x24", CT_SAMPLE_EXTREME, 24, 80, ASCII, "6" },
  { "extreme-instrument-80x24", CT_SAMPLE_EXTREME, 24, 80, ASCII, "7" },
  { "nan-map-80x24", CT_SAMPLE_NAN, 24, 80, ASCII, "1" },
  { "nan-profile-80x24", CT_SAMPLE_NAN, 24, 80, ASCII, "2O" },
  { "nan-spectrum-80x24", CT_SAMPLE_NAN, 24, 80, ASCII, "3" },
  { "nan-cell-80x24", CT_SAMPLE_NAN, 24, 80, ASCII, "5O" },
  { "nan-health-80x24", CT_SAMPLE_NAN, 24, 80, ASCII, "6" },
  { "nan-instrument-80x24", CT_SAMPLE_NAN, 24, 80, ASCII, "7" },
  { "stale-cell-80x24", CT_SAMPLE_STALE, 24, 80, UTF8, "5O" },
  { "stale-health-80x24", CT_SAMPLE_STALE, 24, 80, UTF8, "6" },
  { "map-40x16", CT_SAMPLE_CELL, 16, 40, MONO, "1" },
  { "profile-40x16", CT_SAMPLE_CELL, 16, 40, MONO, "2" },
  { "spectrum-40x16", CT_SAMPLE_CELL, 16, 40, MONO, "3" },
  { "cell-40x16", CT_SAMPLE_CELL, 16, 40, MONO, "5" },
  { "health-40x16", CT_SAMPLE_CELL, 16, 40, MONO, "6" },
  { "instrument-40x16", CT_SAMPLE_CELL, 16, 40, MONO, "7" },
  { "profile-100x30", CT_SAMPLE_CELL, 30, 100, MONO, "2" },
  { "profile-200x60", CT_SAMPLE_CELL, 60, 200, UTF8, "2" },
  { "spectrum-100x30", CT_SAMPLE_CELL, 30, 100, MONO, "3" },
  { "spectrum-200x60", CT_SAMPLE_CELL, 60, 200, UTF8, "3" },
  { "cell-100x30", CT_SAMPLE_CELL, 30, 100, MONO, "5" },
  { "cell-200x60", CT_SAMPLE_CELL, 60, 200, UTF8, "5" },
  { "health-100x30", CT_SAMPLE_CELL, 30, 100, MONO, "6" },
  { "health-200x60", CT_SAMPLE_CELL, 60, 200, UTF8, "6" },
  { "instrument-100x30", CT_SAMPLE_CELL, 30, 100, MONO, "7" },
  { "instrument-200x60", CT_SAMPLE_CELL, 60, 200, UTF8, "7" },
  { "focus-80x24", CT_SAMPLE_CELL, 24, 80, UTF8, "\t\t" },
  { "shared-map-80x24", CT_SAMPLE_CELL, 24, 80, UTF8, "1a" },
  { "overview-40x10", CT_SAMPLE_CELL, 10, 40, UTF8, "" },
  { "profile-40x10", CT_SAMPLE_CELL, 10, 40, UTF8, "2" },
  { "cell-40x10", CT_SAMPLE_CELL, 10, 40, ASCII, "5" },
  { "slice-40x10", CT_SAMPLE_CELL, 10, 40, ASCII, "4" },
  { "health-20x5", CT_SAMPLE_ALARM, 5, 20, UTF8, "6" },
  { "plane-60x20", CT_SAMPLE_CELL, 20, 60, ASCII, "4u" },
  { "roi-100x30", CT_SAMPLE_CELL, 30, 100, UTF8, "rrr" },
};
enum { GOLDENS = sizeof goldens / sizeof *goldens };

static uint32_t key_of(char c)
{
  return c == 'U' ? CT_PRESS_UP : c == 'D' ? CT_PRESS_DOWN : c == 'L' ? CT_PRESS_LEFT : c == 'R' ? CT_PRESS_RIGHT : c == 'T' ? 'D' : c == 'O' ? 'R' :
         (uint32_t)(unsigned char)c;
}

/* Every row between bars; then, with colours, every row's runs of one style as count:fg/bg/attributes. */
static char *picture(const struct ct_grid *grid, bool styles)
{
  char *text = NULL;
  size_t length;
  FILE *out = open_memstream(&text, &length);
  if (out == NULL)
    abort();
  for (int row = 0; row < grid->rows; row++) {
    fputc('|', out);
    for (int col = 0; col < grid->cols; col++) {
      char bytes[4];
      fwrite(bytes, 1, ct_view_utf8(grid->glyphs[row * grid->cols + col].code, bytes), out);
    }
    fputs("|\n", out);
  }
  for (int row = 0; row < grid->rows && styles; row++) {
    const struct ct_glyph *glyph = grid->glyphs + row * grid->cols;
    for (int col = 0, start = 0; col < grid->cols; col++) {
      const struct ct_glyph *next = glyph + col + 1;
      if (col + 1 < grid->cols && next->fg == glyph[col].fg && next->bg == glyph[col].bg &&
          next->attributes == glyph[col].attributes)
        continue;
      fprintf(out, "%s%d:%d/%d/%d", start ? " " : "", col + 1 - start, glyph[col].fg, glyph[col].bg, glyph[col].attributes);
      start = col + 1;
    }
    fputc('\n', out);
  }
  fclose(out);
  return text;
}

static char *render(const struct golden *golden)
{
  static struct ct_view view;
  static struct ct_glyph glyphs[60 * 200];
  struct ct_grid grid = { .rows = golden->rows, .cols = golden->cols, .glyphs = glyphs };
  bool colours = golden->terminal == UTF8;
  ct_view_init(&view, golden->terminal != ASCII, colours, 0.05);
  view.n_xray = 3;
  view.xray[0] = (struct ct_view_line){ "W Ka1", 59.3182 };
  view.xray[1] = (struct ct_view_line){ "Pb Ka1", 74.9693 };
  view.xray[2] = (struct ct_view_line){ "Cd Ka1", 23.1728 };
  unsigned frame = 0;
  for (const char *key = golden->keys;; key++) {
    const struct ct_snapshot *sample = ct_make_sample(golden->sample, &view, golden->rows, golden->cols, frame);
    ct_view_settings_take(&view, sample);
    ct_view_render(&view, sample, &grid);
    frame += view.reference.rows > 0;
    if (*key == '\0')
      break;
    if (ct_view_key(&view, key_of(*key)) != CT_KEY_DONE)
      abort();
  }
  return picture(&grid, golden->terminal != ASCII && golden->cols <= 80);
}

static char *read_file(const char *name)
{
  char path[1024], *text = NULL;
  size_t length;
  snprintf(path, sizeof path, "%s/tests/view/golden/%s.exp", getenv("top_srcdir") ? getenv("top_srcdir") : ".", name);
  FILE *in = fopen(path, "r"), *out = open_memstream(&text, &length);
  if (in == NULL || out == NULL)
    fail_msg("cannot read %s", path);
  for (int c; (c = fgetc(in)) != EOF;)
    fputc(c, out);
  fclose(in);
  fclose(out);
  return text;
}

/* Names the first line that differs. */
static void assert_same(const char *name, const char *got, const char *expected)
{
  for (int line = 1; *got != '\0' || *expected != '\0'; line++) {
    size_t n = strcspn(got, "\n"), m = strcspn(expected, "\n");
    if (n != m || memcmp(got, expected, n) != 0)
      fail_msg("%s line %d\n  expected: %.*s\n  got:      %.*s", name, line, (int)m, expected, (int)n, got);
    got += n + (got[n] == '\n');
    expected += m + (expected[m] == '\n');
  }
}

static void screens_are_as_they_were(void **state)
{
  (void)state;
  for (int i = 0; i < GOLDENS; i++) {
    char *got = render(&goldens[i]), *expected = read_file(goldens[i].name);
    assert_same(goldens[i].name, got, expected);
    free(got);
    free(expected);
  }
}

static int write_all(const char *folder)
{
  for (int i = 0; i < GOLDENS; i++) {
    char path[1024], *text = render(&goldens[i]);
    snprintf(path, sizeof path, "%s/%s.exp", folder, goldens[i].name);
    FILE *out = fopen(path, "w");
    if (out == NULL || fputs(text, out) < 0 || fclose(out) != 0)
      return 1;
    free(text);
  }
  return 0;
}

int main(int argc, char **argv)
{
  if (argc == 3 && strcmp(argv[1], "write") == 0)
    return write_all(argv[2]);
  const struct CMUnitTest tests[] = { cmocka_unit_test(screens_are_as_they_were) };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
