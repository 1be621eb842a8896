/* The terminal comes back as it was, whatever happens; and it never holds the program up. */
#include "../core/cmocka_all.h"

#include <signal.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>

#include "term.h"
#include "viewer.h"

static unsigned long relaxed(const atomic_ulong *figure)
{
  return atomic_load_explicit(figure, memory_order_relaxed);
}

static void assert_as_before(struct term *term)
{
  const struct termios now = term_modes(term), before = term_modes_before(term);
  assert_int_equal(now.c_iflag, before.c_iflag);
  assert_int_equal(now.c_oflag, before.c_oflag);
  assert_int_equal(now.c_cflag, before.c_cflag);
  assert_int_equal(now.c_lflag, before.c_lflag);
  assert_memory_equal(now.c_cc, before.c_cc, sizeof now.c_cc);
  assert_false(term_alternate(term));
  assert_true(term_cursor_visible(term));
}

static void assert_taken(struct term *term)
{
  assert_true(term_alternate(term));
  assert_false(term_cursor_visible(term));
  assert_int_equal(term_modes(term).c_lflag & (tcflag_t)(ICANON | ECHO | ISIG), ISIG);
}

/* Starts, types <keys>, waits for the end; the terminal must be restored. Its wait status. */
static int ends_with(const char *keys, const char *name)
{
  struct viewer_scene *scene = viewer_scene(VIEWER_TEXT);
  struct term *term = term_start(&(struct term_setup){ .name = name }, viewer, scene);
  assert_true(term_shows(term, "24 x 80"));
  if (!name)
    assert_taken(term);
  term_send(term, keys);
  const int status = term_wait(term, true);
  assert_as_before(term);
  term_free(term);
  viewer_free(scene);
  return status;
}

static void is_restored_at_the_end(void **state)
{
  (void)state;
  assert_int_equal(WEXITSTATUS(ends_with("q", NULL)), 0);
  assert_int_equal(WEXITSTATUS(ends_with("q", "vt100")), 0);
  assert_int_equal(WEXITSTATUS(ends_with("q", "linux")), 0);
  assert_int_equal(WEXITSTATUS(ends_with("x", NULL)), 3);
}

static void is_restored_after_ctrl_c(void **state)
{
  (void)state;
  const int status = ends_with("\003", NULL);
  assert_true(WIFEXITED(status));
  assert_int_equal(WEXITSTATUS(status), VIEWER_INTERRUPTED);
}

static void is_restored_after_a_crash(void **state)
{
  (void)state;
  static const struct { const char *key; int number; } crashes[] = { { "S", SIGSEGV }, { "F", SIGSEGV },
                                                                     { "A", SIGABRT } };
  for (size_t i = 0; i < sizeof crashes / sizeof *crashes; i++) {
    const int status = ends_with(crashes[i].key, NULL);
    assert_true(WIFSIGNALED(status));
    assert_int_equal(WTERMSIG(status), crashes[i].number);
  }
}

static void leaves_the_picture_where_there_is_one_screen(void **state)
{
  (void)state;
  struct viewer_scene *scene = viewer_scene(VIEWER_TEXT);
  struct term *term = term_start(&(struct term_setup){ .name = "vt100" }, viewer, scene);
  assert_true(term_shows(term, "24 x 80"));
  char second[4096];
  strcpy(second, term_row(term, 2));
  term_send(term, "q");
  assert_int_equal(term_wait(term, true), 0);
  assert_string_equal(term_row(term, 1), second);          /* one line up, the last free for the prompt */
  assert_string_equal(term_row(term, 23), "");
  term_free(term);
  viewer_free(scene);
}

static void is_lent_out_while_stopped(void **state)
{
  (void)state;
  struct viewer_scene *scene = viewer_scene(VIEWER_TEXT);
  struct term *term = term_start(&(struct term_setup){ 0 }, viewer, scene);
  assert_true(term_shows(term, "24 x 80"));
  term_send(term, "\032");
  assert_true(term_stopped(term));
  term_read(term, 50);
  assert_as_before(term);
  kill(term_pid(term), SIGCONT);
  term_send(term, "a");
  assert_true(term_shows(term, "key 61"));
  assert_taken(term);
  term_send(term, "q");
  assert_int_equal(term_wait(term, true), 0);
  assert_as_before(term);
  term_free(term);
  viewer_free(scene);
}

static void is_left_alone_in_the_background(void **state)
{
  (void)state;
  struct viewer_scene *scene = viewer_scene(VIEWER_TEXT);
  struct term *term = term_start(&(struct term_setup){ 0 }, viewer, scene);
  assert_true(term_shows(term, "24 x 80"));
  term_send(term, "B");
  const int status = term_wait(term, true);                /* a stopped child would never end */
  assert_true(WIFEXITED(status));
  assert_int_equal(WEXITSTATUS(status), VIEWER_BACKGROUND);
  assert_taken(term);
  term_free(term);
  viewer_free(scene);
}

static void is_noticed_when_it_vanishes(void **state)
{
  (void)state;
  struct viewer_scene *scene = viewer_scene(VIEWER_TEXT);
  struct term *term = term_start(&(struct term_setup){ 0 }, viewer, scene);
  assert_true(term_shows(term, "24 x 80"));
  term_hang_up(term);
  const int status = term_wait(term, false);
  assert_true(WIFEXITED(status));
  assert_int_equal(WEXITSTATUS(status), VIEWER_VANISHED);
  term_free(term);
  viewer_free(scene);
}

static void wait_for(const atomic_ulong *figure, unsigned long least)
{
  for (int i = 0; i < 2000 && relaxed(figure) < least; i++) {
    const struct timespec step = { .tv_nsec = 10 * 1000000 };
    nanosleep(&step, NULL);
  }
  assert_true(relaxed(figure) >= least);
}

static bool answered(struct term *term, const void *scene)
{
  (void)term;
  return relaxed(&((const struct viewer_scene *)scene)->answers) >= 3;
}

/* Nobody reads, and nothing is ever answered: frames go until the pseudo terminal is full, then none does. */
static void never_waits_for_a_silent_terminal(void **state)
{
  (void)state;
  struct viewer_scene *scene = viewer_scene(VIEWER_NOISE);
  struct term *term = term_start(&(struct term_setup){ .rows = 10, .cols = 20, .mute = true }, viewer, scene);
  wait_for(&scene->shown, 3);                              /* it was found to be silent */
  unsigned long bytes;
  do {
    bytes = relaxed(&scene->bytes);
    wait_for(&scene->skipped, relaxed(&scene->skipped) + 1000);
  } while (relaxed(&scene->bytes) != bytes);
  assert_true(relaxed(&scene->skipped) > relaxed(&scene->shown));
  term_send(term, "q");
  assert_int_equal(term_wait(term, false), 0);
  term_read(term, 10);
  assert_as_before(term);
  term_free(term);
  viewer_free(scene);
}

/* It has answered and now reads no more: at most the frame that had been on its way, and one after its answer. */
static void has_one_frame_on_the_way(void **state)
{
  (void)state;
  struct viewer_scene *scene = viewer_scene(VIEWER_NOISE);
  struct term *term = term_start(&(struct term_setup){ .rows = 10, .cols = 20 }, viewer, scene);
  assert_true(term_until(term, answered, scene));
  const unsigned long shown = relaxed(&scene->shown);
  wait_for(&scene->skipped, relaxed(&scene->skipped) + 100);
  assert_true(relaxed(&scene->shown) <= shown + 2);
  term_send(term, "q");
  assert_int_equal(term_wait(term, false), 0);
  term_read(term, 10);
  assert_as_before(term);
  term_free(term);
  viewer_free(scene);
}

int main(void)
{
  const struct CMUnitTest tests[] = {
    cmocka_unit_test(is_restored_at_the_end),
    cmocka_unit_test(is_restored_after_ctrl_c),
    cmocka_unit_test(is_restored_after_a_crash),
    cmocka_unit_test(leaves_the_picture_where_there_is_one_screen),
    cmocka_unit_test(is_lent_out_while_stopped),
    cmocka_unit_test(is_left_alone_in_the_background),
    cmocka_unit_test(is_noticed_when_it_vanishes),
    cmocka_unit_test(never_waits_for_a_silent_terminal),
    cmocka_unit_test(has_one_frame_on_the_way),
  };
  return cmocka_run_group_tests_name("ui: the terminal", tests, NULL, NULL);
}
