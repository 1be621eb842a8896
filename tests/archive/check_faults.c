/* What becomes of a run when its folder, its files or its space go away under it; what a remote disk changes. Failing
 * calls are the crash harness's. */
#include "tests/archive/run_writer.h"
#include "tests/archive/scratch.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/vfs.h>
#include <unistd.h>
#include <cmocka.h>

static uint64_t free_bytes = UINT64_C(1) << 40;
static bool remote;

int statvfs(const char *path, struct statvfs *status)
{
  memset(status, 0, sizeof *status);
  status->f_frsize = 4096;
  status->f_bavail = free_bytes / 4096;
  return access(path, F_OK);
}

int statfs(const char *path, struct statfs *status)
{
  memset(status, 0, sizeof *status);
  status->f_type = remote ? 0x6969 : 0xEF53;
  return access(path, F_OK);
}

static struct ct_run *open_run(const char *name, uint64_t reserve_bytes)
{
  struct ct_run_setup setup = run_setup(folder, name, CT_CODEC_BSLZ4);
  struct ct_run *run;
  struct ct_err err = { "" };
  setup.reserve_bytes = reserve_bytes;
  if (ct_run_open(&run, &setup, ct_time_wall_ns(), &err) != 0)
    fail_msg("%s", err.text);
  return run;
}

static struct ct_snapshot_archive status_of(const struct ct_run *run, const char *word)
{
  struct ct_snapshot_archive status = { 0 };
  char reason[256];
  ct_run_status(run, &status, reason, sizeof reason);
  if (strstr(reason, word) == NULL)
    fail_msg("\"%s\" lacks \"%s\"", reason, word);
  return status;
}

static void close_run(struct ct_run *run, int64_t now_ns)
{
  struct ct_err err = { "" };
  if (ct_run_close(run, now_ns, &err) != 0)
    fail_msg("%s", err.text);
}

static void expect_run(const char *name, uint64_t frames, uint64_t missed)
{
  struct ct_run_check check;
  struct ct_err err = { "" };
  if (ct_run_verify(in_folder(name), NULL, &check, &err) != 0)
    fail_msg("%s", err.text);
  assert_int_equal(check.frames, frames);
  assert_int_equal(check.missed, missed);
  assert_int_equal(check.lost, 0);
}

/* The folder is removed: what was in it is missed, and the run goes on in a folder made anew. */
static void test_a_folder_that_vanishes(void **state)
{
  (void)state;
  char command[200];
  int64_t now_ns = ct_time_wall_ns();
  struct ct_run *run = open_run("gone", 0);
  assert_int_equal(run_frames(run, 0, 0, 640, 10, CT_CODEC_BSLZ4, &now_ns), 0);
  ct_run_tick(run, now_ns + CT_NS_PER_S / 2);
  assert_int_equal(status_of(run, "").committed_frames, 640);
  snprintf(command, sizeof command, "rm -r '%s/gone'", folder);
  assert_int_equal(system(command), 0);
  now_ns += 2 * CT_NS_PER_S;
  ct_run_tick(run, now_ns);
  struct ct_snapshot_archive status = status_of(run, "removed");
  assert_int_equal(status.state, CT_ARCHIVE_FAILED);
  assert_int_equal(status.committed_frames, 0);
  assert_int_equal(status.missed_frames, 640);
  now_ns += 6 * CT_NS_PER_S;
  assert_int_equal(run_frames(run, 0, 640, 1280, 10, CT_CODEC_BSLZ4, &now_ns), 0);
  ct_run_tick(run, now_ns + CT_NS_PER_S / 2);
  status = status_of(run, "");
  assert_int_equal(status.state, CT_ARCHIVE_DEGRADED);
  assert_int_equal(status.committed_frames, 1280);
  close_run(run, now_ns);
  expect_run("gone", 1280, 640);
}

/* A file is moved away while it is written: it is finished there, nothing is missed, the next one comes here. */
static void test_a_file_that_is_moved(void **state)
{
  (void)state;
  int64_t now_ns = ct_time_wall_ns();
  struct ct_run *run = open_run("moved", 0);
  assert_int_equal(run_frames(run, 0, 0, 640, 10, CT_CODEC_BSLZ4, &now_ns), 0);
  assert_int_equal(rename(in_folder("moved/moved_hexitec_000000.h5"), in_folder("elsewhere.h5")), 0);
  now_ns += 2 * CT_NS_PER_S;
  ct_run_tick(run, now_ns);
  struct ct_snapshot_archive status = status_of(run, "moved");
  assert_int_equal(status.committed_frames, 640);
  assert_int_equal(status.missed_frames, 0);
  assert_int_equal(run_frames(run, 0, 640, 640, 10, CT_CODEC_BSLZ4, &now_ns), 0);
  close_run(run, now_ns);
  struct ct_run_check check;
  assert_int_equal(ct_run_verify(in_folder("moved"), NULL, &check, NULL), CT_EARCHIVE);      /* which says that one is missing */
  assert_int_equal(check.frames, 640);
  assert_int_equal(check.bad_files, 1);
  struct ct_h5_frames *frames;
  char spec[200];
  snprintf(spec, sizeof spec, "%s:/entry/data", in_folder("elsewhere.h5"));
  assert_int_equal(ct_h5_open_frames(&frames, spec, NULL), 0);
  assert_int_equal(ct_h5_info(frames)->n, 640);
  ct_h5_close_frames(frames);
}

/* Below the reserve files are finished and frames are missed; with space again writing goes on. */
static void test_the_reserve(void **state)
{
  (void)state;
  const uint64_t reserve = UINT64_C(1) << 30;
  int64_t now_ns = ct_time_wall_ns();
  struct ct_run *run = open_run("reserve", reserve);
  assert_int_equal(run_frames(run, 0, 0, 640, 10, CT_CODEC_BSLZ4, &now_ns), 0);
  free_bytes = reserve - 1;
  now_ns += 2 * CT_NS_PER_S;
  ct_run_tick(run, now_ns);
  assert_int_equal(run_frames(run, 0, 640, 640, 10, CT_CODEC_BSLZ4, &now_ns), 10);
  struct ct_snapshot_archive status = status_of(run, "reserve");
  assert_int_equal(status.state, CT_ARCHIVE_FAILED);
  assert_int_equal(status.committed_frames, 640);
  assert_int_equal(status.missed_frames, 640);
  free_bytes = reserve + 1;                    /* not yet: files would be begun and ended at the edge */
  now_ns += 6 * CT_NS_PER_S;
  ct_run_tick(run, now_ns);
  assert_int_equal(run_frames(run, 0, 1280, 64, 10, CT_CODEC_BSLZ4, &now_ns), 1);
  free_bytes = UINT64_C(1) << 40;
  now_ns += 6 * CT_NS_PER_S;
  ct_run_tick(run, now_ns);
  assert_int_equal(run_frames(run, 0, 1344, 640, 10, CT_CODEC_BSLZ4, &now_ns), 0);
  close_run(run, now_ns);
  expect_run("reserve", 1280, 704);
}

/* On a remote disk files have the earliest format: superblock version 0, opened by anyone at any time. */
static void test_a_remote_disk(void **state)
{
  (void)state;
  unsigned char head[9] = { 0 };
  int64_t now_ns = ct_time_wall_ns();
  remote = true;
  struct ct_run *run = open_run("remote", 0);
  assert_int_equal(run_frames(run, 0, 0, 640, 10, CT_CODEC_BSLZ4, &now_ns), 0);
  ct_run_tick(run, now_ns + CT_NS_PER_S);
  struct ct_h5_frames *frames;
  char spec[200];
  snprintf(spec, sizeof spec, "%s:/entry/data", in_folder("remote/remote_hexitec_000000.h5"));
  assert_int_equal(ct_h5_open_frames(&frames, spec, NULL), 0);      /* while it is written */
  assert_int_equal(ct_h5_info(frames)->n, 640);
  ct_h5_close_frames(frames);
  close_run(run, now_ns);
  remote = false;
  expect_run("remote", 640, 0);
  FILE *file = fopen(in_folder("remote/remote_hexitec_000000.h5"), "rb");
  assert_int_equal(fread(head, 1, sizeof head, file), sizeof head);
  fclose(file);
  assert_memory_equal(head, "\211HDF\r\n\032\n", 9);
}

int main(void)
{
  const struct CMUnitTest tests[] = {
    cmocka_unit_test(test_a_folder_that_vanishes),
    cmocka_unit_test(test_a_file_that_is_moved),
    cmocka_unit_test(test_the_reserve),
    cmocka_unit_test(test_a_remote_disk),
  };
  return cmocka_run_group_tests_name("faults", tests, make_folder, remove_folder);
}
