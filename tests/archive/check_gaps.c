/* Numbers that are not there: which of them are gaps, and what a crash left undecided. */
#include "archive/numbers.h"
#include "tests/archive/run_writer.h"
#include "tests/archive/scratch.h"

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cmocka.h>

static struct ct_run *open_run(const char *name, bool resume)
{
  struct ct_run_setup setup = run_setup(folder, name, CT_CODEC_NONE);
  struct ct_run *run;
  struct ct_err err = { "" };
  setup.resume = resume;
  if (ct_run_open(&run, &setup, ct_time_wall_ns(), &err) != 0)
    fail_msg("%s", err.text);
  return run;
}

static void write_frames(struct ct_run *run, uint64_t first, uint64_t n, int64_t *now_ns)
{
  assert_int_equal(run_frames(run, 0, first, n, 8, CT_CODEC_NONE, now_ns), 0);
}

static struct ct_run_check verify(const char *name, int wanted)
{
  struct ct_run_check check;
  struct ct_err err = { "" };
  if (ct_run_verify(in_folder(name), NULL, &check, &err) != wanted)
    fail_msg("%s: %s", name, err.text);
  return check;
}

/* ---- the list ------------------------------------------------------------------------------------------------- */

enum { NUMBERS = 400, ABSENT = 0, THERE, LATE, LISTED };
static unsigned char holes[NUMBERS];
static void mark_hole(void *context, uint64_t first, uint64_t last, const struct ct_number_span *before,
                      const struct ct_number_span *after)
{
  assert_null(context);
  assert_true(first <= last && last < NUMBERS);
  assert_int_equal(before->last + 1, first);
  assert_true(after->first > last && after->file == 3);
  for (uint64_t i = first; i <= last; i++) {
    assert_int_equal(holes[i], 0);
    holes[i] = 1;
  }
}

/* Against the same said number by number. */
static void test_holes(void **state)
{
  (void)state;
  srand(7);
  for (int round = 0; round < 300; round++) {
    struct ct_numbers numbers = { 0 };
    struct ct_listed gaps[NUMBERS + 1];
    unsigned char kinds[NUMBERS];
    size_t n_gaps = 0, first = NUMBERS, last = 0;
    for (size_t i = 0; i < NUMBERS; i++) {
      const bool goes_on = i > 0 && rand() % 8 != 0;
      kinds[i] = (unsigned char)(goes_on ? kinds[i - 1] : rand() % 4);
      const bool joins = kinds[i] == LISTED && goes_on && n_gaps > 0 && gaps[n_gaps - 1].last + 1 == i && rand() % 4 != 0;
      if (joins)
        gaps[n_gaps - 1].last = i;
      else if (kinds[i] == LISTED)
        gaps[n_gaps++] = (struct ct_listed){ "hexitec", i, i, CT_GAP_LOST };
      first = first == NUMBERS && (kinds[i] == THERE || kinds[i] == LATE) ? i : first;
      last = kinds[i] == THERE || kinds[i] == LATE ? i : last;
    }
    gaps[n_gaps] = (struct ct_listed){ "camera", 0, NUMBERS, CT_GAP_LOST };
    for (int kind = THERE; kind <= LATE; kind++)
      for (size_t i = 0; i < NUMBERS; i++)
        if (kinds[i] == kind) {
          assert_false(ct_numbers_restart(&numbers, i, kind == LATE));
          ct_numbers_add(&numbers, i, 0, 3);
        }
    memset(holes, 0, sizeof holes);
    ct_numbers_holes(&numbers, "hexitec", gaps, n_gaps + 1, mark_hole, NULL);
    for (size_t i = 0; i < NUMBERS; i++)
      assert_int_equal(holes[i], kinds[i] == ABSENT && i > first && i < last);
    ct_numbers_free(&numbers);
  }
}

/* ---- runs ------------------------------------------------------------------------------------------------------ */

/* What is between the numbers of two counts of a source never was. */
static void test_restart_is_no_gap(void **state)
{
  (void)state;
  int64_t now_ns = ct_time_wall_ns();
  struct ct_run *run = open_run("restart", false);
  write_frames(run, 5000, 128, &now_ns);
  write_frames(run, 100, 128, &now_ns);
  write_frames(run, 3000000, 64, &now_ns);
  assert_int_equal(ct_run_close(run, now_ns, NULL), 0);
  verify("restart", 0);
  run = open_run("within", false);
  write_frames(run, 5000, 64, &now_ns);
  write_frames(run, 5070, 64, &now_ns);
  write_frames(run, 100, 128, &now_ns);
  assert_int_equal(ct_run_close(run, now_ns, NULL), 0);
  assert_int_equal(verify("within", CT_EARCHIVE).unlisted, 6);
}

/* Frames 0..127, a listed gap, 150..277, <pause_s>, then a gap that nobody has given up, 300..427, and the end. */
static void write_and_die(const char *name, double pause_s, bool sampled)
{
  fflush(NULL);
  pid_t pid = fork();
  if (pid == 0) {
    struct ct_snapshot_stream counters = { .name = "hexitec", .role = CT_ROLE_HEXITEC, .sampled = sampled };
    int64_t now_ns = ct_time_wall_ns();
    struct ct_run *run = open_run(name, false);
    ct_run_counters(run, &counters, 1);
    write_frames(run, 0, 128, &now_ns);
    ct_run_gap(run, 0, 128, 149, CT_GAP_LOST, now_ns);
    write_frames(run, 150, 128, &now_ns);
    write_frames(run, 290, 64, &now_ns);
    now_ns += (int64_t)(pause_s * 1e9);
    write_frames(run, 354, 64, &now_ns);
    ct_run_tick(run, now_ns + CT_NS_PER_S);
    raise(SIGKILL);
  }
  int status = 0;
  assert_int_equal(waitpid(pid, &status, 0), pid);
  assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
}

static void expect_settings(const char *name)
{
  char *text;
  assert_int_equal(ct_run_configuration(in_folder(name), &text, NULL, 0, NULL), 0);
  assert_string_equal(text, "[run]\nname = test\n");
  free(text);
}

static unsigned waited;
static void count_waited(void *context, const char *line)
{
  assert_null(context);
  waited += strstr(line, "hexitec: 12 frames were waited for") != NULL;
}

static void test_repair_settles(void **state)
{
  (void)state;
  write_and_die("killed", 1, false);
  assert_int_equal(ct_run_repair(in_folder("killed"), count_waited, NULL, NULL), 0);
  assert_int_equal(waited, 1);
  assert_int_equal(verify("killed", 0).lost, 22 + 12);
  expect_settings("killed");
  assert_int_equal(ct_run_repair(in_folder("killed"), count_waited, NULL, NULL), 0);
  assert_int_equal(waited, 1);
  assert_int_equal(verify("killed", 0).lost, 22 + 12);
  struct ct_run *run = open_run("killed", true);
  int64_t now_ns = ct_time_wall_ns();
  write_frames(run, 600, 64, &now_ns);
  assert_int_equal(ct_run_close(run, now_ns, NULL), 0);
  assert_int_equal(verify("killed", 0).lost, 22 + 12);
  expect_settings("killed");
}

static void test_resume_settles(void **state)
{
  (void)state;
  write_and_die("resumed", 1, false);
  struct ct_run *run = open_run("resumed", true);
  int64_t now_ns = ct_time_wall_ns();
  write_frames(run, 600, 64, &now_ns);
  assert_int_equal(ct_run_close(run, now_ns, NULL), 0);
  assert_int_equal(verify("resumed", 0).lost, 22 + 12);
}

/* A gap that was given up long before and is not listed is a fault of the archive, and no crash explains it. */
static void test_old_holes_stay(void **state)
{
  (void)state;
  write_and_die("old", 10, false);
  assert_int_equal(ct_run_repair(in_folder("old"), NULL, NULL, NULL), 0);
  const struct ct_run_check check = verify("old", CT_EARCHIVE);
  assert_int_equal(check.unlisted, 12);
  assert_int_equal(check.lost, 22);
}

/* Of a sampled stream nothing is lost, and a crash in the first minute does not hide that it was one. */
static void test_sampled(void **state)
{
  (void)state;
  write_and_die("sampled", 1, true);
  assert_int_equal(ct_run_repair(in_folder("sampled"), NULL, NULL, NULL), 0);
  assert_int_equal(verify("sampled", 0).lost, 22);
}

/* A folder may be called anything; its run is called what it was. */
static void test_name(void **state)
{
  (void)state;
  char name[64], renamed[160];
  int64_t now_ns = ct_time_wall_ns();
  assert_int_equal(ct_run_close(open_run("named", false), now_ns, NULL), 0);
  snprintf(renamed, sizeof renamed, "%s/another", folder);
  assert_int_equal(rename(in_folder("named"), renamed), 0);
  assert_true(ct_run_name(renamed, name, sizeof name));
  assert_string_equal(name, "named");
  assert_false(ct_run_name(renamed, name, 5));
  assert_false(ct_run_name(folder, name, sizeof name));
}

int main(void)
{
  const struct CMUnitTest tests[] = {
    cmocka_unit_test(test_holes),
    cmocka_unit_test(test_restart_is_no_gap),
    cmocka_unit_test(test_repair_settles),
    cmocka_unit_test(test_resume_settles),
    cmocka_unit_test(test_old_holes_stay),
    cmocka_unit_test(test_sampled),
    cmocka_unit_test(test_name),
  };
  return cmocka_run_group_tests_name("gaps", tests, make_folder, remove_folder);
}
