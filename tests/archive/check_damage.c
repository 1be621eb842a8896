/* Finished runs that were damaged afterwards: what is wrong is said, and what is good stays readable. */
#include "tests/archive/run_writer.h"
#include "tests/archive/scratch.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cmocka.h>

/* The library itself leaks when it gives up on a damaged file. */
const char *__lsan_default_suppressions(void);
const char *__lsan_default_suppressions(void) { return "leak:libhdf5"; }

/* 512 frames in packed chunks of 64, in files of 256. */
static void write_run(const char *name)
{
  struct ct_run_setup setup = run_setup(folder, name, CT_CODEC_BSLZ4);
  struct ct_run *run;
  int64_t now_ns = ct_time_wall_ns();
  setup.roll_s = 0.025;
  assert_int_equal(ct_run_open(&run, &setup, now_ns, NULL), 0);
  run_extras(run, now_ns);
  assert_int_equal(run_frames(run, 0, 0, 512, 64, CT_CODEC_BSLZ4, &now_ns), 0);
  assert_int_equal(ct_run_close(run, now_ns, NULL), 0);
}

static struct ct_run_check verify(const char *name, int wanted)
{
  struct ct_run_check check;
  assert_int_equal(ct_run_verify(in_folder(name), NULL, &check, NULL), wanted);
  return check;
}

/* Behind a chunk that cannot be unpacked the others are still looked at. */
static void test_one_chunk(void **state)
{
  (void)state;
  write_run("chunk");
  assert_int_equal(verify("chunk", 0).frames, 512);
  const char *path = in_folder("chunk/chunk_hexitec_000001.h5");
  struct stat status;
  assert_int_equal(stat(path, &status), 0);
  FILE *file = fopen(path, "r+b");
  for (int i = 0; i < 64; i++) {
    fseek(file, status.st_size / 2 + i, SEEK_SET);
    fputc(0xFF, file);
  }
  fclose(file);
  const struct ct_run_check check = verify("chunk", CT_EARCHIVE);
  assert_int_equal(check.frames, 512);
  assert_int_equal(check.bad_files, 0);
  assert_true(check.bad_frames >= 1 && check.bad_frames <= 128);
  assert_int_equal(check.unlisted, 0);
}

/* The last file of a stream, which no later number betrays. */
static void test_file_that_is_gone(void **state)
{
  (void)state;
  write_run("gone");
  assert_int_equal(unlink(in_folder("gone/gone_hexitec_000001.h5")), 0);
  assert_int_equal(verify("gone", CT_EARCHIVE).bad_files, 1);
}

/* Cut off anywhere, without a journal: repair does not call it good, and nobody falls over it. */
static void test_cut_off(void **state)
{
  (void)state;
  struct stat status;
  char name[32];
  for (int i = 0; i < 12; i++) {
    snprintf(name, sizeof name, "cut%d", i);
    write_run(name);
    char path[160], out[160];
    snprintf(path, sizeof path, "%s/%s/%s_hexitec_000000.h5", folder, name, name);
    snprintf(out, sizeof out, "%s/out%d", folder, i);
    assert_int_equal(stat(path, &status), 0);
    const off_t left = i == 0 ? status.st_size - 1 : i == 11 ? 100 : status.st_size * i / 11;
    assert_int_equal(truncate(path, left), 0);
    verify(name, CT_EARCHIVE);
    assert_int_equal(ct_run_repair(in_folder(name), NULL, NULL, NULL), CT_EARCHIVE);
    assert_true(stat(path, &status) == 0 && status.st_size >= left);
    verify(name, CT_EARCHIVE);
    const struct ct_run_export job = { .run = in_folder(name), .to = out, .what = CT_EXPORT_PLAIN };
    assert_true(ct_run_export(&job, NULL) < 0);
  }
}

static void test_master_that_is_gone(void **state)
{
  (void)state;
  write_run("headless");
  assert_int_equal(unlink(in_folder("headless/headless.nxs")), 0);
  assert_int_equal(verify("headless", CT_EARCHIVE).bad_files, 1);
  assert_int_equal(ct_run_repair(in_folder("headless"), NULL, NULL, NULL), 0);
  assert_int_equal(verify("headless", 0).frames, 512);
  assert_int_equal(access(in_folder("headless/headless.nxs"), F_OK), 0);
}

int main(void)
{
  const struct CMUnitTest tests[] = {
    cmocka_unit_test(test_one_chunk),
    cmocka_unit_test(test_file_that_is_gone),
    cmocka_unit_test(test_cut_off),
    cmocka_unit_test(test_master_that_is_gone),
  };
  return cmocka_run_group_tests_name("damage", tests, make_folder, remove_folder);
}
