/* Runs on disk: refusals, resuming, rolling, a disk that fails, damage. What a stranger reads in them is checked by
 * run.sh, which also uses this program as a writer:
 *   check_run write FOLDER RUN none|bslz4|events FRAMES close|kill|hold [resume]      check_run repair FOLDER/RUN */
#include "archive/chunk.h"
#include "archive/crc32.h"
#include "archive/repair.h"
#include "tests/archive/run_writer.h"
#include "tests/archive/scratch.h"

#include <errno.h>
#include <math.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <unistd.h>
#include <cmocka.h>

/* The disk of this program: HDF5 writes through here. Files may grow by <space_bytes> more; negative: without limit. */
static int64_t space_bytes = -1;
ssize_t pwrite(int fd, const void *data, size_t bytes, off_t offset)
{
  struct stat status;
  int64_t growth = fstat(fd, &status) == 0 ? (int64_t)offset + (int64_t)bytes - (int64_t)status.st_size : 0;
  if (space_bytes >= 0 && growth > space_bytes) {
    errno = ENOSPC;
    return -1;
  }
  if (space_bytes >= 0 && growth > 0)
    space_bytes -= growth;
  return (ssize_t)syscall(SYS_pwrite64, fd, data, bytes, offset);
}

static struct ct_run *open_run(const char *name, enum ct_codec codec, double roll_s, bool resume)
{
  struct ct_run_setup setup = run_setup(folder, name, codec);
  struct ct_run *run;
  struct ct_err err = { "" };
  setup.roll_s = roll_s;
  setup.resume = resume;
  if (ct_run_open(&run, &setup, ct_time_wall_ns(), &err) != 0)
    fail_msg("%s", err.text);
  return run;
}

static void expect_frames(const char *name, const char *stream, uint64_t frames, size_t files)
{
  struct ct_run_file *list;
  size_t n, mine = 0;
  uint64_t sum = 0;
  assert_int_equal(ct_run_files(in_folder(name), &list, &n, NULL), 0);
  for (size_t i = 0; i < n; i++)
    if (strcmp(list[i].stream, stream) == 0) {
      assert_true(list[i].closed);
      assert_int_equal(list[i].index, mine++);
      sum += list[i].n;
    }
  free(list);
  assert_int_equal(sum, frames);
  if (files > 0)
    assert_int_equal(mine, files);
}

static void expect_whole(const char *name)
{
  struct ct_run_check check;
  struct ct_err err = { "" };
  if (ct_run_verify(in_folder(name), NULL, &check, &err) != 0)
    fail_msg("%s", err.text);
}

/* ---- parts ------------------------------------------------------------------------------------------------- */

static void test_checksums(void **state)
{
  (void)state;
  static struct ct_crc32 crc;
  ct_crc32_init(&crc);
  assert_int_equal(ct_crc32(&crc, "123456789", 9), 0xCBF43926);     /* the check value of the CRC catalogues */
  assert_int_equal(ct_crc32(&crc, "", 0), 0);
  /* Any length and alignment, against the definition bit by bit. */
  static unsigned char bytes[700];
  for (size_t i = 0; i < sizeof bytes; i++)
    bytes[i] = (unsigned char)run_pixel(i, 1);
  for (size_t n = 0; n < 650; n++) {
    uint32_t value = UINT32_MAX;
    for (size_t i = 0; i < 8 * n; i++) {
      uint32_t bit = (value ^ (uint32_t)bytes[n % 50 + i / 8] >> i % 8) & 1;
      value = value >> 1 ^ (bit ? UINT32_C(0xEDB88320) : 0);
    }
    assert_int_equal(ct_crc32(&crc, bytes + n % 50, n), ~value);
  }
  /* The examples in lookup3.c itself. */
  assert_int_equal(ct_lookup3("", 0, 0), 0xdeadbeef);
  assert_int_equal(ct_lookup3("", 0, 0xdeadbeef), 0xbd5b7dde);
  assert_int_equal(ct_lookup3("Four score and seven years ago", 30, 0), 0x17770551);
  assert_int_equal(ct_lookup3("Four score and seven years ago", 30, 1), 0xcd628161);
}

static void test_chunk_lengths(void **state)
{
  (void)state;
  assert_int_equal(ct_chunk_frames(12800, 9118.87), 64);
  assert_int_equal(ct_chunk_frames(12800, 0), 64);
  assert_int_equal(ct_chunk_frames(12800, 20), 4);
  assert_int_equal(ct_chunk_frames(10 << 20, 100), 1);
  assert_int_equal(ct_chunk_frames(1, 1e9), 4096);
}

/* A short chunk is followed by one that ends at the file's chunk border; big-endian pixels are turned. */
static void test_chunks_align(void **state)
{
  (void)state;
  static uint16_t pixels[200 * 6400];
  for (size_t i = 0; i < 6400; i++)
    pixels[i] = (uint16_t)(i << 8 | i >> 8);
  struct ct_frame frame = { .pixels = (unsigned char *)pixels, .type = CT_U16, .big_endian = true, .count = 200,
                            .rows = 80, .cols = 80, .number = 5 };
  struct ct_chunk *chunk = ct_chunk_new(1 << 20), *next = ct_chunk_new(1 << 20);
  ct_chunk_begin(chunk, 0, 9118.87, NULL);
  frame.count = 10;
  assert_int_equal(ct_chunk_add(chunk, &frame, 0), 10);
  assert_false(ct_chunk_full(chunk));
  uint16_t third;
  memcpy(&third, chunk->pixels + 2 * 3, sizeof third);
  assert_int_equal(third, 3);
  ct_chunk_begin(next, 0, 9118.87, chunk);
  frame.count = 200;
  assert_int_equal(ct_chunk_add(next, &frame, 0), 54);
  assert_true(ct_chunk_full(next));
  assert_int_equal(ct_chunk_add(next, &frame, 54), 0);
  ct_chunk_begin(next, 0, 9118.87, next);
  assert_int_equal(ct_chunk_add(next, &frame, 54), 64);
  assert_int_equal(next->frames[0].number, 5 + 54);
  /* Another shape does not go into it, but begins the next one. */
  ct_chunk_begin(next, 0, 9118.87, next);
  assert_int_equal(ct_chunk_add(next, &frame, 190), 10);
  frame.rows = 40;
  assert_int_equal(ct_chunk_add(next, &frame, 0), 0);
  ct_chunk_begin(next, 0, 9118.87, next);
  assert_int_equal(ct_chunk_add(next, &frame, 0), 128);
  ct_chunk_free(chunk);
  ct_chunk_free(next);
}

/* ---- runs -------------------------------------------------------------------------------------------------- */

static void expect_refused(const struct ct_run_setup *setup, int code, const char *word)
{
  struct ct_run *run;
  struct ct_err err = { "" };
  assert_int_equal(ct_run_open(&run, setup, ct_time_wall_ns(), &err), code);
  assert_null(run);
  if (strstr(err.text, word) == NULL)
    fail_msg("\"%s\" lacks \"%s\"", err.text, word);
}

static void test_refusals(void **state)
{
  (void)state;
  struct ct_run_setup setup = run_setup(folder, "first", CT_CODEC_NONE);
  struct ct_run *run = open_run("first", CT_CODEC_NONE, 0, false);
  expect_refused(&setup, CT_EBUSY, "another collector");
  assert_int_equal(ct_run_close(run, ct_time_wall_ns(), NULL), 0);
  expect_refused(&setup, CT_EEXISTS, "--resume");
  setup.name = "a/b";
  expect_refused(&setup, CT_ERANGE, "a/b");
  setup = run_setup("/dev/null/at/all", "x", CT_CODEC_NONE);
  expect_refused(&setup, CT_EIO, "/dev/null/at/all");
  setup.folder = "/dev/null";
  expect_refused(&setup, CT_EIO, "not a folder");
  setup = run_setup(folder, "second", CT_CODEC_NONE);
  setup.reserve_bytes = UINT64_MAX / 2;
  expect_refused(&setup, CT_ERANGE, "reserve");
  setup.reserve_bytes = 0;
  run = open_run("second", CT_CODEC_NONE, 0, false);      /* what was refused left nothing in the way */
  assert_int_equal(ct_run_close(run, ct_time_wall_ns(), NULL), 0);
}

static void roll_and_resume(const char *name, enum ct_codec codec)
{
  int64_t now_ns = ct_time_wall_ns();
  struct ct_run *run = open_run(name, codec, 0.05, false);
  assert_int_equal(run_frames(run, 0, 0, 1400, 7, codec, &now_ns), 0);
  assert_int_equal(run_frames(run, 1, 0, 50, 1, codec, &now_ns), 0);
  run_extras(run, now_ns);
  ct_run_tick(run, now_ns + CT_NS_PER_S);
  struct ct_snapshot_archive status = { 0 };
  char reason[256];
  ct_run_status(run, &status, reason, sizeof reason);
  assert_int_equal(status.state, CT_ARCHIVE_OK);
  assert_int_equal(status.committed_frames, 1450);
  assert_int_equal(status.missed_frames, 0);
  assert_string_equal(status.codec, ct_codec_word(codec));
  assert_int_equal(ct_run_close(run, now_ns, NULL), 0);
  expect_frames(name, "hexitec", 1400, 3);         /* 22 chunks, 7 ms apart, rolled after 50 ms */
  run = open_run(name, codec, 0, true);
  assert_int_equal(run_frames(run, 0, 1400, 700, 7, codec, &now_ns), 0);
  assert_int_equal(ct_run_close(run, now_ns, NULL), 0);
  expect_frames(name, "hexitec", 2100, 4);
  expect_frames(name, "camera", 50, 0);
  expect_whole(name);
}

static void test_roll_and_resume_plain(void **state) { (void)state; roll_and_resume("plain", CT_CODEC_NONE); }
static void test_roll_and_resume_packed(void **state) { (void)state; roll_and_resume("packed", CT_CODEC_BSLZ4); }

static void test_roll_and_resume_lz4(void **state) { (void)state; roll_and_resume("lz4", CT_CODEC_LZ4); }
static void test_roll_and_resume_zstd(void **state) { (void)state; roll_and_resume("zstd", CT_CODEC_ZSTD); }

/* One chunk of <frame>s, packed as <codec> says, after <previous>. */
static void pack_one(struct ct_chunk *chunk, const struct ct_frame *frame, const struct ct_chunk *previous)
{
  ct_chunk_begin(chunk, 0, 9118.87, previous);
  assert_int_equal(ct_chunk_add(chunk, frame, 0), frame->count);
  ct_chunk_pack(chunk, CT_CODEC_AUTO);
}

/* What is tried on the frames: noise wants its bits sorted, mostly zero pixels do not, and chance cannot be packed. */
static void test_codec_is_chosen_by_trying(void **state)
{
  (void)state;
  static uint16_t pixels[64 * 6400];
  struct ct_frame frame = { .pixels = (unsigned char *)pixels, .bytes = sizeof pixels, .type = CT_U16, .count = 64, .rows = 80,
                            .cols = 80, .arrival_ns = CT_NS_PER_S };
  struct ct_chunk *chunk = ct_chunk_new(1 << 20);
  for (size_t i = 0; i < 64 * 6400; i++)
    pixels[i] = run_pixel(i / 6400, i % 6400);
  pack_one(chunk, &frame, NULL);
  assert_int_equal(chunk->codec, CT_CODEC_BSLZ4);
  assert_true(chunk->ready_bytes < sizeof pixels / 2);
  for (size_t i = 0; i < 64 * 6400; i++)
    pixels[i] = i % 173 == 0 ? run_pixel(i / 6400, i) : 0;
  frame.arrival_ns += 10 * CT_NS_PER_S;
  pack_one(chunk, &frame, chunk);                       /* not tried again so soon */
  assert_int_equal(chunk->codec, CT_CODEC_BSLZ4);
  frame.arrival_ns += 60 * CT_NS_PER_S;
  pack_one(chunk, &frame, chunk);
  assert_int_equal(chunk->codec, CT_CODEC_LZ4);
  for (size_t i = 0; i < 64 * 6400; i++) {
    uint64_t x = (i + 1) * UINT64_C(0x9E3779B97F4A7C15);
    x = (x ^ x >> 30) * UINT64_C(0xBF58476D1CE4E5B9);
    pixels[i] = (uint16_t)(x >> 40);
  }
  frame.arrival_ns += 61 * CT_NS_PER_S;
  pack_one(chunk, &frame, chunk);
  assert_int_equal(chunk->codec, CT_CODEC_NONE);
  ct_chunk_free(chunk);
}

/* Each mode has files of its own; modes that change faster than every second share one. */
static void test_modes_roll(void **state)
{
  (void)state;
  static const struct { unsigned frames; int64_t later_ns; } parts[] = {
    { 100, 2 * CT_NS_PER_S }, { 100, 2 * CT_NS_PER_S }, { 100, CT_NS_PER_S / 10 }, { 100, CT_NS_PER_S / 10 }, { 100, 0 } };
  static uint16_t pixels[6400];
  struct ct_run *run = open_run("modes", CT_CODEC_BSLZ4, 0, false);
  struct ct_chunk *chunk = ct_chunk_new(1 << 20);
  int64_t now_ns = ct_time_wall_ns();
  uint64_t number = 0;
  ct_chunk_begin(chunk, 0, 9118.87, NULL);
  for (size_t part = 0; part < sizeof parts / sizeof *parts; part++) {
    for (unsigned k = 0; k < parts[part].frames;) {
      for (size_t i = 0; i < 6400; i++)
        pixels[i] = run_pixel(number, i);
      const struct ct_frame frame = { .pixels = (unsigned char *)pixels, .bytes = sizeof pixels, .type = CT_U16, .count = 1,
        .rows = 80, .cols = 80, .number = number, .arrival_ns = now_ns,
        .attributes = { .present = CT_HAS_MODE, .mode = part % 2 ? CT_MODE_XCT : CT_MODE_XCS } };
      const uint32_t took = ct_chunk_add(chunk, &frame, 0);
      k += took;
      number += took;
      if (took == 0 || ct_chunk_full(chunk)) {
        ct_chunk_pack(chunk, CT_CODEC_BSLZ4);
        assert_int_equal(ct_run_write(run, chunk, now_ns), 0);
        ct_chunk_begin(chunk, 0, 9118.87, chunk);
      }
    }
    now_ns += parts[part].later_ns;
  }
  ct_chunk_pack(chunk, CT_CODEC_BSLZ4);
  assert_int_equal(ct_run_write(run, chunk, now_ns), 0);
  ct_chunk_free(chunk);
  assert_int_equal(ct_run_close(run, now_ns, NULL), 0);
  expect_frames("modes", "hexitec", 500, 3);
  expect_whole("modes");
}

/* Slow streams: chunks are written before they are full, and the file is whole nevertheless. */
static void test_short_chunks(void **state)
{
  (void)state;
  int64_t now_ns = ct_time_wall_ns();
  struct ct_run *run = open_run("short", CT_CODEC_BSLZ4, 0, false);
  struct ct_chunk *chunk = ct_chunk_new(1 << 20);
  static uint16_t pixels[6400];
  ct_chunk_begin(chunk, 0, 9118.87, NULL);
  for (uint64_t k = 0; k < 300; k++) {
    for (size_t i = 0; i < 6400; i++)
      pixels[i] = run_pixel(k, i);
    const struct ct_frame frame = { .pixels = (unsigned char *)pixels, .bytes = sizeof pixels, .type = CT_U16, .count = 1,
                                    .rows = 80, .cols = 80, .number = k, .arrival_ns = now_ns };
    assert_int_equal(ct_chunk_add(chunk, &frame, 0), 1);
    if (!ct_chunk_full(chunk) && k % 10 != 9)
      continue;
    ct_chunk_pack(chunk, CT_CODEC_BSLZ4);
    assert_int_equal(ct_run_write(run, chunk, now_ns), 0);
    ct_chunk_begin(chunk, 0, 9118.87, chunk);
  }
  ct_chunk_free(chunk);
  assert_int_equal(ct_run_close(run, now_ns, NULL), 0);
  expect_frames("short", "hexitec", 300, 1);
  expect_whole("short");
}

/* The disk refuses to write in the middle of a run: what was there stays good, what came meanwhile is counted, and
 * writing goes on in a new file. */
static void failing_disk(const char *name, enum ct_codec codec)
{
  int64_t now_ns = ct_time_wall_ns();
  struct ct_snapshot_archive status = { 0 };
  char reason[256];
  struct ct_run *run = open_run(name, codec, 0, false);
  space_bytes = 5 << 20;
  unsigned failures = run_frames(run, 0, 0, 2100, 7, codec, &now_ns);
  ct_run_status(run, &status, reason, sizeof reason);
  space_bytes = -1;
  assert_true(failures > 0);
  assert_int_equal(status.state, CT_ARCHIVE_FAILED);
  assert_non_null(strstr(reason, "No space left"));
  assert_true(status.missed_frames > 0);
  assert_int_equal(status.committed_frames + status.missed_frames, 2100);
  const uint64_t kept = status.committed_frames;
  now_ns += 6 * CT_NS_PER_S;
  assert_int_equal(run_frames(run, 0, 2100, 700, 7, codec, &now_ns), 0);
  ct_run_tick(run, now_ns + CT_NS_PER_S);
  ct_run_status(run, &status, reason, sizeof reason);
  assert_int_equal(status.state, CT_ARCHIVE_DEGRADED);
  assert_int_equal(status.committed_frames, kept + 700);
  assert_int_equal(ct_run_close(run, now_ns, NULL), 0);
  expect_frames(name, "hexitec", kept + 700, 0);
  struct ct_run_check check;
  assert_int_equal(ct_run_verify(in_folder(name), NULL, &check, NULL), 0);
  assert_int_equal(check.frames, kept + 700);
  assert_int_equal(check.missed, 2100 - kept);
}

static void test_failing_disk_plain(void **state) { (void)state; failing_disk("fails", CT_CODEC_NONE); }
static void test_failing_disk_packed(void **state) { (void)state; failing_disk("fails2", CT_CODEC_BSLZ4); }

static unsigned lines;
static void count_line(void *context, const char *line)
{
  assert_null(context);
  assert_true(line[0] != '\0');
  lines++;
}

static void test_verify_finds_one_bit(void **state)
{
  (void)state;
  int64_t now_ns = ct_time_wall_ns();
  struct ct_run *run = open_run("bit", CT_CODEC_NONE, 0, false);
  assert_int_equal(run_frames(run, 0, 0, 128, 7, CT_CODEC_NONE, &now_ns), 0);
  assert_int_equal(ct_run_close(run, now_ns, NULL), 0);
  expect_whole("bit");
  static unsigned char bytes[4 << 20];
  FILE *file = fopen(in_folder("bit/bit_hexitec_000000.h5"), "r+b");
  size_t n = fread(bytes, 1, sizeof bytes, file), at = 0;
  uint16_t wanted[64];
  for (size_t i = 0; i < 64; i++)
    wanted[i] = run_pixel(77, i);
  while (at < n && memcmp(bytes + at, wanted, sizeof wanted) != 0)
    at++;
  assert_true(at < n);
  fseek(file, (long)at, SEEK_SET);
  fputc(bytes[at] ^ 1, file);
  fclose(file);
  struct ct_run_check check;
  struct ct_err err = { "" };
  lines = 0;
  assert_int_equal(ct_run_verify(in_folder("bit"), &(struct ct_run_watch){ .say = count_line }, &check, &err), CT_EARCHIVE);
  assert_int_equal(check.bad_frames, 1);
  assert_int_equal(lines, 1);
}

/* Numbers that are not there have to be listed, unless the collector was not there either. */
static void test_verify_knows_gaps(void **state)
{
  (void)state;
  struct ct_run_check check;
  int64_t now_ns = ct_time_wall_ns();
  struct ct_run *run = open_run("gaps", CT_CODEC_NONE, 0, false);
  assert_int_equal(run_frames(run, 0, 0, 128, 7, CT_CODEC_NONE, &now_ns), 0);
  assert_int_equal(run_frames(run, 0, 200, 128, 7, CT_CODEC_NONE, &now_ns), 0);
  ct_run_gap(run, 0, 128, 189, CT_GAP_LOST, now_ns);
  assert_int_equal(ct_run_close(run, now_ns, NULL), 0);
  lines = 0;
  assert_int_equal(ct_run_verify(in_folder("gaps"), &(struct ct_run_watch){ .say = count_line }, &check, NULL), CT_EARCHIVE);
  assert_int_equal(check.unlisted, 10);
  assert_int_equal(check.lost, 62);
  assert_int_equal(lines, 1);
  run = open_run("gaps", CT_CODEC_NONE, 0, true);
  ct_run_gap(run, 0, 190, 199, CT_GAP_MISSED, now_ns);
  assert_int_equal(run_frames(run, 0, 400, 128, 7, CT_CODEC_NONE, &now_ns), 0);      /* 328 to 399 came between sessions */
  assert_int_equal(run_frames(run, 0, 5000000, 64, 7, CT_CODEC_NONE, &now_ns), 0);   /* a restart */
  assert_int_equal(ct_run_close(run, now_ns, NULL), 0);
  expect_whole("gaps");
}

/* Frames of which one pixel in 173 is hit become a list of those; raw ones are refused. */
static void test_events(void **state)
{
  (void)state;
  static uint16_t pixels[6400], back[4 * 6400];
  int64_t now_ns = ct_time_wall_ns();
  uint64_t hits = 0;
  struct ct_run *run = open_run("sparse", CT_CODEC_LZ4, 0, false);
  struct ct_chunk *chunk = ct_chunk_new(1 << 20);
  ct_chunk_begin(chunk, 0, 9118.87, NULL);
  for (uint64_t k = 0; k < 4; k++) {
    for (size_t i = 0; i < 6400; i++)
      hits += (pixels[i] = (i + k) % 173 == 0 ? run_pixel(k, i) : 0) != 0;
    const struct ct_frame frame = { .pixels = (unsigned char *)pixels, .bytes = sizeof pixels, .type = CT_U16, .count = 1,
                                    .rows = 80, .cols = 80, .number = k, .arrival_ns = now_ns };
    assert_int_equal(ct_chunk_add(chunk, &frame, 0), 1);
  }
  ct_chunk_pack(chunk, CT_CODEC_LZ4);
  assert_int_equal(ct_run_write(run, chunk, now_ns), 0);
  ct_chunk_free(chunk);
  assert_int_equal(ct_run_close(run, now_ns, NULL), 0);
  struct ct_run_export job = { .run = in_folder("sparse"), .to = folder, .what = CT_EXPORT_EVENTS };
  assert_int_equal(ct_run_export(&job, NULL), 0);
  assert_int_equal(ct_run_export(&job, NULL), CT_EEXISTS);
  struct ct_h5_frames *ids, *values;
  char spec[200];
  snprintf(spec, sizeof spec, "%s:/entry/events/event_id", in_folder("sparse_events.nxs"));
  assert_int_equal(ct_h5_open_column(&ids, spec, hits, NULL), 0);
  snprintf(spec, sizeof spec, "%s:/entry/events/event_value", in_folder("sparse_events.nxs"));
  assert_int_equal(ct_h5_open_column(&values, spec, hits, NULL), 0);
  uint32_t id = 0;
  for (uint64_t i = 0, k = 0; i < hits; i++) {
    uint32_t next;
    uint16_t value;
    assert_int_equal(ct_h5_read_as(ids, i, 1, CT_U32, &next, NULL), 0);
    assert_int_equal(ct_h5_read_as(values, i, 1, CT_U16, &value, NULL), 0);
    k += i > 0 && next < id;
    id = next;
    assert_int_equal(value, run_pixel(k, id));
    back[k * 6400 + id] = value;
  }
  ct_h5_close_frames(values);
  ct_h5_close_frames(ids);
  for (size_t i = 0; i < 4 * 6400; i++)
    assert_int_equal(back[i], (i % 6400 + i / 6400) % 173 == 0 ? run_pixel(i / 6400, i % 6400) : 0);
  job.run = in_folder("plain");                 /* of a test before */
  struct ct_err err = { "" };
  assert_int_equal(ct_run_export(&job, &err), CT_EFORMAT);
  assert_non_null(strstr(err.text, "thresholded"));
}

/* One by one and all at once, frames come back as they were but for what is below the limit. */
static void expect_limited(const struct ct_run_file *file, uint64_t least)
{
  static uint16_t one[6400], many[300 * 6400];
  static double as[6400];
  char spec[600];
  struct ct_h5_frames *frames;
  struct ct_run_columns *columns;
  uint64_t numbers[300];
  struct ct_attributes attributes[300];
  snprintf(spec, sizeof spec, "%s:/entry/data", file->path);
  assert_int_equal(ct_h5_open_frames(&frames, spec, NULL), 0);
  assert_int_equal(ct_h5_info(frames)->type, CT_U16);
  const uint32_t n = file->n < 300 ? (uint32_t)file->n : 300;
  assert_int_equal(ct_run_columns_open(&columns, frames, NULL), 0);
  assert_int_equal(ct_run_columns_read(columns, 0, n, &(struct ct_run_rows){ .numbers = numbers, .attributes = attributes }, NULL), 0);
  assert_int_equal(ct_h5_read_frames(frames, 0, n, many, NULL), 0);
  for (uint32_t k = 0; k < n; k++) {
    assert_int_equal(ct_h5_read_frames(frames, k, 1, one, NULL), 0);
    assert_memory_equal(one, many + k * 6400, sizeof one);
    for (size_t i = 0; i < 6400; i++) {
      const uint16_t sent = run_pixel(numbers[k], i);
      assert_int_equal(one[i], sent >= least ? sent : 0);
    }
  }
  assert_int_equal(ct_h5_read_as(frames, n - 1, 1, CT_F64, as, NULL), 0);
  for (size_t i = 0; i < 6400; i++)
    assert_true(as[i] == one[i]);
  assert_int_equal(ct_h5_read_frames(frames, n, file->n, many, NULL), CT_ERANGE);
  ct_run_columns_close(columns);
  ct_h5_close_frames(frames);
}

static void test_events_instead_of_frames(void **state)
{
  (void)state;
  struct ct_run_file *files;
  struct ct_snapshot_archive status = { 0 };
  char reason[256];
  size_t n;
  int64_t now_ns = ct_time_wall_ns();
  struct ct_run *run = open_run("hits", CT_CODEC_EVENTS, 0.5, false);
  assert_int_equal(run_frames(run, 0, 0, 10000, 7, CT_CODEC_EVENTS, &now_ns), 0);
  ct_run_tick(run, now_ns + CT_NS_PER_S);
  ct_run_status(run, &status, reason, sizeof reason);
  assert_int_equal(status.committed_frames, 10000);
  assert_string_equal(status.codec, "events");
  assert_true(status.ratio > 20);                   /* 12.8 kB of which 66 pixels are left, at 6 bytes */
  assert_int_equal(ct_run_close(run, now_ns, NULL), 0);
  expect_frames("hits", "hexitec", 10000, 3);
  expect_whole("hits");
  assert_int_equal(ct_run_files(in_folder("hits"), &files, &n, NULL), 0);
  for (size_t i = 0; i < n; i++) {
    assert_true(files[i].events);
    expect_limited(&files[i], RUN_LIMIT);
  }
  free(files);
}

/* What no analysis may want is left out, and nothing else: numbers from 0 to the limit. */
static void test_float_events(void **state)
{
  (void)state;
  static float pixels[6400], back[6400];
  static const float special[] = { 3, 2.9999998f, 3.0000002f, 0, -0.0f, -1, (float)INFINITY, (float)-INFINITY, (float)NAN, 1e-30f };
  char spec[200];
  struct ct_h5_frames *frames;
  for (size_t i = 0; i < sizeof special / sizeof *special; i++)
    pixels[i * 600] = special[i];
  int64_t now_ns = ct_time_wall_ns();
  struct ct_run *run = open_run("float", CT_CODEC_EVENTS, 0, false);
  struct ct_chunk *chunk = ct_chunk_new(1 << 20);
  ct_chunk_begin(chunk, 0, 9118.87, NULL);
  const struct ct_frame frame = { .pixels = (unsigned char *)pixels, .bytes = sizeof pixels, .type = CT_F32, .count = 1,
                                  .rows = 80, .cols = 80, .number = 5, .arrival_ns = now_ns };
  assert_int_equal(ct_chunk_add(chunk, &frame, 0), 1);
  ct_chunk_suppress(chunk, 1, &(struct ct_chunk_limits){ .above_keV = 3 });
  ct_chunk_pack(chunk, CT_CODEC_EVENTS);
  assert_int_equal(ct_run_write(run, chunk, now_ns), 0);
  ct_chunk_free(chunk);
  assert_int_equal(ct_run_close(run, now_ns, NULL), 0);
  expect_whole("float");
  snprintf(spec, sizeof spec, "%s:/entry/data", in_folder("float/float_hexitec_000000.h5"));
  assert_int_equal(ct_h5_open_frames(&frames, spec, NULL), 0);
  assert_int_equal(ct_h5_read_frames(frames, 0, 1, back, NULL), 0);
  ct_h5_close_frames(frames);
  const float left[] = { 0, 0, 3.0000002f, 0, 0, -1, (float)INFINITY, (float)-INFINITY, (float)NAN, 0 };
  for (size_t i = 0; i < 6400; i++) {
    const float wanted = i % 600 == 0 && i / 600 < sizeof left / sizeof *left ? left[i / 600] : 0;
    assert_memory_equal(&back[i], &wanted, sizeof wanted);
  }
}

/* Dark frames among the others: whole, in files of their own, and for a second after them everything is. */
static void test_full_frames_are_kept_whole(void **state)
{
  (void)state;
  struct ct_run_file *files;
  struct ct_run_columns *columns;
  struct ct_h5_frames *frames;
  size_t n;
  int64_t now_ns = ct_time_wall_ns();
  struct ct_run *run = open_run("mixed", CT_CODEC_EVENTS, 60, false);
  static uint16_t pixels[6400], least_ADU[6400], back[6400];
  struct ct_chunk *chunk = ct_chunk_new(1 << 20);
  memset(least_ADU, 0x07, sizeof least_ADU);        /* 1799 */
  ct_chunk_begin(chunk, 0, 1000, NULL);
  for (uint64_t k = 0; k < 6000; k++) {             /* 6 s; darks come in the third */
    const bool dark = k >= 2000 && k < 3000;
    for (size_t i = 0; i < 6400; i++)
      pixels[i] = run_pixel(k, i);
    const struct ct_frame frame = { .pixels = (unsigned char *)pixels, .bytes = sizeof pixels, .type = CT_U16, .count = 1,
      .rows = 80, .cols = 80, .number = k, .arrival_ns = now_ns,
      .attributes = { .present = CT_HAS_KEY, .image_key = dark ? CT_KEY_DARK : CT_KEY_PROJECTION } };
    assert_int_equal(ct_chunk_add(chunk, &frame, 0), 1);
    if (!dark)
      ct_chunk_suppress(chunk, 1, &(struct ct_chunk_limits){ .least_ADU = least_ADU });
    now_ns += CT_NS_PER_S / 1000;
    if (!ct_chunk_full(chunk) && k != 5999)
      continue;
    ct_chunk_pack(chunk, CT_CODEC_EVENTS);
    assert_int_equal(ct_run_write(run, chunk, now_ns), 0);
    ct_run_tick(run, now_ns);
    ct_chunk_begin(chunk, 0, 1000, chunk);
  }
  ct_chunk_free(chunk);
  assert_int_equal(ct_run_close(run, now_ns, NULL), 0);
  expect_frames("mixed", "hexitec", 6000, 3);
  expect_whole("mixed");
  assert_int_equal(ct_run_files(in_folder("mixed"), &files, &n, NULL), 0);
  assert_int_equal(n, 3);
  assert_true(files[0].events && !files[1].events && files[2].events);
  assert_true(files[1].n >= 1900 && files[1].n < 2200);
  for (size_t i = 0; i < n; i++) {
    char spec[600];
    snprintf(spec, sizeof spec, "%s:/entry/data", files[i].path);
    assert_int_equal(ct_h5_open_frames(&frames, spec, NULL), 0);
    assert_int_equal(ct_run_columns_open(&columns, frames, NULL), 0);
    for (uint64_t k = 0; k < files[i].n; k += 37) {
      uint64_t number;
      struct ct_attributes attributes;
      assert_int_equal(ct_run_columns_read(columns, k, 1, &(struct ct_run_rows){ .numbers = &number, .attributes = &attributes }, NULL), 0);
      assert_int_equal(ct_h5_read_frames(frames, k, 1, back, NULL), 0);
      for (size_t p = 0; p < 6400; p++) {
        const uint16_t sent = run_pixel(number, p);
        assert_int_equal(back[p], sent >= 0x0707 || attributes.image_key == CT_KEY_DARK ? sent : 0);
      }
    }
    ct_run_columns_close(columns);
    ct_h5_close_frames(frames);
  }
  free(files);
}

/* ---- as a writer for run.sh ------------------------------------------------------------------------------------ */

static int write_run(char **argv, bool resume)
{
  enum ct_codec codec = CT_CODEC_EVENTS;
  while (codec > 0 && strcmp(argv[2], ct_codec_word(codec)) != 0)
    codec--;
  struct ct_run_setup setup = run_setup(argv[0], argv[1], codec);
  int64_t now_ns = ct_time_wall_ns();
  struct ct_run *run;
  struct ct_err err = { "" };
  const uint64_t frames = strtoull(argv[3], NULL, 10);
  setup.resume = resume;
  setup.roll_s = 0.2;
  int rc = ct_run_open(&run, &setup, now_ns, &err);
  if (rc != 0)
    goto out;
  if (!resume) {
    run_extras(run, now_ns);
    rc = (int)run_frames(run, 1, 0, 50, 1, codec == CT_CODEC_EVENTS ? CT_CODEC_NONE : codec, &now_ns);
  }
  rc += (int)run_frames(run, 0, resume ? frames : 0, frames, 7, codec, &now_ns);
  if (strcmp(argv[4], "kill") == 0)
    raise(SIGKILL);
  ct_run_tick(run, now_ns + CT_NS_PER_S);
  printf("written\n");
  fflush(stdout);
  if (strcmp(argv[4], "hold") == 0)
    (void)getchar();
  rc += ct_run_close(run, now_ns, &err);
out:
  if (rc != 0)
    fprintf(stderr, "%s\n", err.text);
  return rc != 0;
}

static void print_line(void *context, const char *line)
{
  (void)context;
  printf("%s\n", line);
}

static int repair_run(const char *run)
{
  struct ct_run_check check;
  struct ct_err err = { "" };
  int rc = ct_run_repair(run, print_line, NULL, &err);
  if (rc == 0)
    rc = ct_run_verify(run, &(struct ct_run_watch){ .say = print_line }, &check, &err);
  if (rc != 0)
    fprintf(stderr, "%s\n", err.text);
  return rc != 0;
}

int main(int argc, char **argv)
{
  if (argc >= 7 && strcmp(argv[1], "write") == 0)
    return write_run(argv + 2, argc > 7);
  if (argc == 3 && strcmp(argv[1], "repair") == 0)
    return repair_run(argv[2]);
  const struct CMUnitTest tests[] = {
    cmocka_unit_test(test_checksums),
    cmocka_unit_test(test_chunk_lengths),
    cmocka_unit_test(test_chunks_align),
    cmocka_unit_test(test_refusals),
    cmocka_unit_test(test_roll_and_resume_plain),
    cmocka_unit_test(test_roll_and_resume_packed),
    cmocka_unit_test(test_roll_and_resume_lz4),
    cmocka_unit_test(test_roll_and_resume_zstd),
    cmocka_unit_test(test_codec_is_chosen_by_trying),
    cmocka_unit_test(test_modes_roll),
    cmocka_unit_test(test_short_chunks),
    cmocka_unit_test(test_failing_disk_plain),
    cmocka_unit_test(test_failing_disk_packed),
    cmocka_unit_test(test_verify_finds_one_bit),
    cmocka_unit_test(test_verify_knows_gaps),
    cmocka_unit_test(test_events),
    cmocka_unit_test(test_events_instead_of_frames),
    cmocka_unit_test(test_float_events),
    cmocka_unit_test(test_full_frames_are_kept_whole),
  };
  return cmocka_run_group_tests_name("run", tests, make_folder, remove_folder);
}
