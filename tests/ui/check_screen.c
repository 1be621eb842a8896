/* ui on an emulated terminal: every cell, every key, every size. */
#include "../core/cmocka_all.h"

#include <math.h>
#include <signal.h>
#include <string.h>
#include <sys/wait.h>

#include "term.h"
#include "viewer.h"

static void quit(struct term *term, struct viewer_scene *scene)
{
  term_send(term, "q");
  const int status = term_wait(term, true);
  assert_true(WIFEXITED(status));
  assert_int_equal(WEXITSTATUS(status), 0);
  term_free(term);
  viewer_free(scene);
}

struct look {
  int first_row, rows, cols;
  bool utf8, colours, accents;
  bool console;                    /* it cannot underline in colour, and has one screen only */
};

/* Of the eight colours the one of the nearest hue, by the hue's own formula; no hue, no colour. */
static int nearest_hue(int colour)
{
  static const int around[] = { 1, 3, 2, 6, 4, 5 };        /* red yellow green cyan blue magenta */
  static const double levels[] = { 0, 95, 135, 175, 215, 255 };
  if (colour < 16 || colour > 231)
    return -1;
  const double r = levels[(colour - 16) / 36], g = levels[(colour - 16) / 6 % 6], b = levels[(colour - 16) % 6];
  const double most = fmax(r, fmax(g, b)), chroma = most - fmin(r, fmin(g, b));
  if (chroma <= 0)
    return -1;
  const double hue = most <= r ? fmod((g - b) / chroma + 6, 6) : most <= g ? (b - r) / chroma + 2 : (r - g) / chroma + 4;
  if (fabs(hue - floor(hue) - 0.5) < 1e-9)
    return -2;                                             /* between two: either will do */
  return around[(int)floor(hue + 0.5) % 6];
}

static bool colour_is(int got, int16_t wanted, const struct look *look)
{
  const int basic = look->accents ? nearest_hue(wanted) : -1;
  return look->colours ? got == wanted : basic == -2 ? got >= 1 && got <= 6 : got == basic;
}

static bool cell_is(struct term_cell cell, struct ct_glyph glyph, const struct look *look)
{
  const uint32_t code = look->utf8 || glyph.code < 0x7f ? glyph.code : '?';
  return cell.code == code && colour_is(cell.fg, glyph.fg, look) && colour_is(cell.bg, glyph.bg, look) && cell.bold == !!(glyph.attributes & CT_ATTR_BOLD) &&
         cell.reverse == !!(glyph.attributes & CT_ATTR_REVERSE) &&
         (look->console || cell.underline == !!(glyph.attributes & CT_ATTR_UNDERLINE));
}

static bool all_cells_are(struct term *term, const void *arg)
{
  const struct look *look = arg;
  for (int row = look->first_row; row < look->rows; row++)
    for (int col = 0; col < look->cols; col++)
      if (!cell_is(term_at(term, row, col), viewer_glyph(row, col), look))
        return false;
  return true;
}

static void look_for(const struct term_setup *setup, const struct ct_ui_options *options, const struct look *look)
{
  struct viewer_scene *scene = viewer_scene(VIEWER_STILL);
  scene->options = *options;
  struct term *term = term_start(setup, viewer, scene);
  assert_true(term_until(term, all_cells_are, look));
  assert_int_equal(scene->utf8, look->utf8);
  assert_int_equal(scene->colours, look->colours);
  assert_int_equal(scene->accents, look->accents);
  assert_false(term_cursor_visible(term));
  assert_true(term_alternate(term) || look->console);
  quit(term, scene);
}

static void look_at(const struct term_setup *setup, const struct ct_ui_options *options, bool utf8, bool colours)
{
  const struct look look = { .rows = setup->rows, .cols = setup->cols, .utf8 = utf8, .colours = colours };
  look_for(setup, options, &look);
}

/* 8 and 16 colours. */
static void look_at_few(const struct term_setup *setup, const struct ct_ui_options *options, bool utf8)
{
  const struct look look = { .rows = setup->rows, .cols = setup->cols, .utf8 = utf8, .accents = true, .console = !utf8 };
  look_for(setup, options, &look);
}

static const struct ct_ui_options no_options;

static void shows_every_cell_at_every_size(void **state)
{
  (void)state;
  static const int sizes[][2] = { { 24, 80 }, { 5, 20 }, { 60, 200 }, { 1, 1 }, { 1, 80 }, { 24, 1 } };
  for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++)
    look_at(&(struct term_setup){ .rows = sizes[i][0], .cols = sizes[i][1] }, &no_options, true, true);
}

static void keeps_to_what_the_terminal_has(void **state)
{
  (void)state;
  static const char *const no_colour[] = { "NO_COLOR=1", NULL }, *const empty[] = { "NO_COLOR=", NULL };
  const struct ct_ui_options ascii = { .ascii = true }, mono = { .colour = CT_UI_COLOUR_NONE },
                             colours = { .colour = CT_UI_COLOUR_256 };
  look_at(&(struct term_setup){ .rows = 24, .cols = 80, .locale = "C" }, &no_options, false, true);
  look_at(&(struct term_setup){ .rows = 24, .cols = 80, .environment = no_colour }, &no_options, true, false);
  look_at(&(struct term_setup){ .rows = 24, .cols = 80, .environment = empty }, &no_options, true, true);
  look_at(&(struct term_setup){ .rows = 24, .cols = 80, .environment = no_colour }, &colours, true, true);
  look_at(&(struct term_setup){ .rows = 24, .cols = 80 }, &ascii, false, true);
  look_at(&(struct term_setup){ .rows = 24, .cols = 80 }, &mono, true, false);
  look_at(&(struct term_setup){ .rows = 24, .cols = 80, .name = "xterm" }, &colours, true, true);
  look_at_few(&(struct term_setup){ .rows = 24, .cols = 80, .name = "screen" }, &no_options, true);
  look_at_few(&(struct term_setup){ .rows = 24, .cols = 80, .name = "xterm" }, &no_options, true);
  look_at_few(&(struct term_setup){ .rows = 24, .cols = 80, .name = "linux" }, &no_options, false);
  look_at(&(struct term_setup){ .rows = 24, .cols = 80, .name = "tmux-256color" }, &no_options, true, true);
}

static void takes_an_unknown_terminal_for_xterm(void **state)
{
  (void)state;
  look_at(&(struct term_setup){ .rows = 24, .cols = 80, .name = "no-such-terminal" }, &no_options, true, true);
  look_at(&(struct term_setup){ .rows = 24, .cols = 80, .name = "" }, &no_options, true, true);
  static const char *const unset[] = { "TERM", NULL };      /* putenv without = takes it away */
  look_at(&(struct term_setup){ .rows = 24, .cols = 80, .environment = unset }, &no_options, true, true);
}

static void shows_ascii_without_colour_on_a_vt100(void **state)
{
  (void)state;
  static const char *const names[] = { "vt100", "vt220" };
  const struct look look = { .rows = 24, .cols = 80 };
  for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
    struct viewer_scene *scene = viewer_scene(VIEWER_STILL);
    struct term *term = term_start(&(struct term_setup){ .name = names[i] }, viewer, scene);
    assert_true(term_until(term, all_cells_are, &look));
    assert_false(scene->utf8 || scene->colours);
    quit(term, scene);
  }
}

static void refuses_a_terminal_that_cannot_move(void **state)
{
  (void)state;
  struct viewer_scene *scene = viewer_scene(VIEWER_STILL);
  struct term *term = term_start(&(struct term_setup){ .name = "dumb" }, viewer, scene);
  assert_int_equal(WEXITSTATUS(term_wait(term, true)), VIEWER_REFUSED);
  assert_non_null(strstr(scene->err.text, "TERM=dumb"));
  assert_int_equal(term_bytes(term), 0);
  term_free(term);
  viewer_free(scene);
}

static void refuses_what_is_no_terminal(void **state)
{
  (void)state;
  struct ct_ui *ui;
  struct ct_err err;
  assert_int_equal(ct_ui_open(&ui, -1, &no_options, &err), CT_EUSAGE);
  assert_null(ui);
  assert_non_null(strstr(err.text, "not a terminal"));
  ct_ui_close(ui);
}

/* Keys are typed as a terminal sends them; the codes are those of view.h. */
static void tells_keys(void **state)
{
  (void)state;
  static const struct { const char *typed, *shown; } keys[] = {
    { "a", "key 61" }, { "\033OA", "61 110000" }, { "\033[B", "110000 110001" }, { "\033OD\033[C", "110002 110003" },
    { "\033", "110003 110004" }, { "\033OP", "110004 110005" }, { "\033[21~", "110005 110006" },
    { "\x0c", "110006 c" }, { "\r", "c a" }, { "\177", "a 8" }, { " ", "8 20" },
  };
  static const struct { const char *typed, *shown; } more[] = {
    { "\xcf\x83", "key 3c3" },                   /* sigma */
    { "\033[200~v", "3c3 76" },                  /* a paste mark is no key */
    { "\033[99;99Xw", "76 77" }, { "\033[1;5Ay", "77 79" },
    { "\033\033[A", "79 110004 110000" }, { "\033z", "110000 110004 7a" },
  };
  struct viewer_scene *scene = viewer_scene(VIEWER_TEXT);
  struct term *term = term_start(&(struct term_setup){ 0 }, viewer, scene);
  assert_true(term_shows(term, "24 x 80"));
  for (size_t i = 0; i < sizeof keys / sizeof *keys; i++) {
    term_send(term, keys[i].typed);
    assert_true(term_shows(term, keys[i].shown));
  }
  quit(term, scene);
  scene = viewer_scene(VIEWER_TEXT);
  term = term_start(&(struct term_setup){ 0 }, viewer, scene);
  assert_true(term_shows(term, "24 x 80"));
  for (size_t i = 0; i < sizeof more / sizeof *more; i++) {
    term_send(term, more[i].typed);
    assert_true(term_shows(term, more[i].shown));
  }
  quit(term, scene);
}

static bool hears_z(struct term *term, const void *unused)
{
  (void)unused;
  term_send(term, "z");
  term_read(term, 10);
  return strstr(term_row(term, 1), "7a") != NULL;
}

/* Bytes that are no UTF-8, sequences without an end: no keys, and the next real key is heard. */
static bool got(struct term *term, const void *bytes) { return term_got(term, bytes); }

static void shows_frames_at_once_where_the_terminal_can(void **state)
{
  (void)state;
  struct viewer_scene *scene = viewer_scene(VIEWER_TEXT);
  struct term *term = term_start(&(struct term_setup){ 0 }, viewer, scene);
  assert_true(term_shows(term, "24 x 80"));
  assert_true(term_got(term, "\033[?2026$p"));
  term_send(term, "a");
  assert_true(term_shows(term, "key 61"));
  assert_false(term_got(term, "\033[?2026h"));             /* it has not said that it can */
  term_send(term, "\033[?2026;2$y");
  term_send(term, "b");
  assert_true(term_shows(term, "key 61 62"));              /* the answer is no key */
  assert_true(term_until(term, got, "\033[?2026h"));
  assert_true(term_until(term, got, "\033[?2026l"));
  quit(term, scene);
}

static void takes_clicks_only_when_asked(void **state)
{
  (void)state;
  struct viewer_scene *scene = viewer_scene(VIEWER_TEXT);
  struct term *term = term_start(&(struct term_setup){ 0 }, viewer, scene);
  assert_true(term_shows(term, "24 x 80"));
  assert_false(term_got(term, "1000h"));
  term_send(term, "M");
  assert_true(term_until(term, got, "1000h"));
  term_send(term, "\033[<0;11;6M\033[<0;11;6m");
  assert_true(term_shows(term, "click 5 10"));
  term_send(term, "M");
  assert_true(term_until(term, got, "1000l"));
  quit(term, scene);
}

static void is_not_deafened_by_rubbish(void **state)
{
  (void)state;
  static const char *const rubbish[] = { "\xff\xfe\x80\xc0", "\xe2\x94", "\033[9;9;9", "\033]0;", "\033P" };
  for (size_t i = 0; i < sizeof rubbish / sizeof *rubbish; i++) {
    struct viewer_scene *scene = viewer_scene(VIEWER_TEXT);
    struct term *term = term_start(&(struct term_setup){ 0 }, viewer, scene);
    assert_true(term_shows(term, "24 x 80"));
    term_send(term, rubbish[i]);
    assert_true(term_until(term, hears_z, NULL));
    quit(term, scene);
  }
}

static void follows_the_size(void **state)
{
  (void)state;
  const struct look look = { .first_row = 2, .rows = 30, .cols = 100, .utf8 = true, .colours = true };
  struct viewer_scene *scene = viewer_scene(VIEWER_TEXT);
  struct term *term = term_start(&(struct term_setup){ 0 }, viewer, scene);
  assert_true(term_shows(term, "24 x 80"));
  term_resize(term, 5, 20);
  assert_true(term_shows(term, "5 x 20"));
  term_resize(term, 1, 1);
  assert_true(term_shows(term, "1"));
  for (int i = 0; i < 200; i++)                  /* a storm */
    term_resize(term, 1 + i * 7 % 60, 1 + i * 13 % 200);
  term_resize(term, 30, 100);
  assert_true(term_shows(term, "30 x 100"));
  assert_true(term_until(term, all_cells_are, &look));
  quit(term, scene);
}

struct progress {
  const struct viewer_scene *scene;
  unsigned long from;
};

static unsigned long shown(const struct viewer_scene *scene)
{
  return atomic_load_explicit(&scene->shown, memory_order_relaxed);
}

static bool twenty_more(struct term *term, const void *arg)
{
  (void)term;
  const struct progress *progress = arg;
  return shown(progress->scene) > progress->from + 20;
}

static bool has_come(struct term *term, const void *bytes)
{
  return term_bytes(term) >= *(const uint64_t *)bytes;
}

static void writes_nothing_where_nothing_changed(void **state)
{
  (void)state;
  const struct look look = { .rows = 24, .cols = 80, .utf8 = true, .colours = true };
  struct viewer_scene *scene = viewer_scene(VIEWER_STILL);
  struct term *term = term_start(&(struct term_setup){ 0 }, viewer, scene);
  assert_true(term_until(term, all_cells_are, &look));
  const uint64_t bytes = term_bytes(term);
  const struct progress progress = { scene, shown(scene) };
  assert_true(term_until(term, twenty_more, &progress));
  assert_int_equal(term_bytes(term), bytes);
  term_send(term, "l");                          /* but all of it when asked */
  const uint64_t all = bytes + 24 * 80;
  assert_true(term_until(term, has_come, &all));
  assert_true(term_until(term, all_cells_are, &look));
  quit(term, scene);
}

static void pays_for_what_changed(void **state)
{
  (void)state;
  struct viewer_scene *scene = viewer_scene(VIEWER_TEXT);
  struct term *term = term_start(&(struct term_setup){ 0 }, viewer, scene);
  const struct look look = { .first_row = 2, .rows = 24, .cols = 80, .utf8 = true, .colours = true };
  assert_true(term_until(term, all_cells_are, &look));
  const uint64_t bytes = term_bytes(term);
  term_send(term, "a");
  assert_true(term_shows(term, "key 61"));
  assert_in_range(term_bytes(term) - bytes, 3, 80);        /* three cells, each with what sets its colours */
  quit(term, scene);
}

int main(void)
{
  const struct CMUnitTest tests[] = {
    cmocka_unit_test(shows_every_cell_at_every_size),
    cmocka_unit_test(keeps_to_what_the_terminal_has),
    cmocka_unit_test(takes_an_unknown_terminal_for_xterm),
    cmocka_unit_test(shows_ascii_without_colour_on_a_vt100),
    cmocka_unit_test(refuses_a_terminal_that_cannot_move),
    cmocka_unit_test(refuses_what_is_no_terminal),
    cmocka_unit_test(tells_keys),
    cmocka_unit_test(shows_frames_at_once_where_the_terminal_can),
    cmocka_unit_test(takes_clicks_only_when_asked),
    cmocka_unit_test(is_not_deafened_by_rubbish),
    cmocka_unit_test(follows_the_size),
    cmocka_unit_test(writes_nothing_where_nothing_changed),
    cmocka_unit_test(pays_for_what_changed),
  };
  return cmocka_run_group_tests_name("ui: the screen", tests, NULL, NULL);
}
