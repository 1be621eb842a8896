/* What archiving costs a frame of 80x80, uint16, noise on a pedestal: packing beside LZ4 alone, unpacking beside its own
 * packing, the checksum beside a copy, and all of it with the writing beside plain H5Dwrite() of single frames. */
#include "archive/codec.h"
#include "archive/crc32.h"
#include "tests/archive/run_writer.h"

#include <hdf5.h>
#include <lz4.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { FRAMES = 64, PIXELS = RUN_ROWS * RUN_COLS, BYTES = FRAMES * PIXELS * 2, ROUNDS = 100, REPEATS = 5 };

static uint16_t frames[FRAMES * PIXELS], back[FRAMES * PIXELS];
static unsigned char packed[2 * BYTES];
static size_t packed_bytes;
static struct ct_crc32 crc;
static char folder[64];

static void must(bool good, const char *what)
{
  if (good)
    return;
  fprintf(stderr, "bench_archive: %s failed\n", what);
  exit(1);
}

static uint16_t thresholded[FRAMES * PIXELS];
static const uint16_t *source = frames;
static enum ct_codec codec_in_use;

static void pack_any(void) { packed_bytes = ct_codec_pack(codec_in_use, source, BYTES, 2, packed); }

static void pack(void) { packed_bytes = ct_bslz4_pack(frames, BYTES, 2, packed); }
static void unpack(void) { must(ct_bslz4_unpack(packed, packed_bytes, 2, back) == 0, "unpacking"); }
static void checksum(void) { back[0] = (uint16_t)ct_crc32(&crc, frames, BYTES); }
static void copy(void) { memcpy(back, frames, BYTES); }
static void lz4(void)
{
  must(LZ4_compress_default((const char *)frames, (char *)packed, BYTES, sizeof packed) > 0, "LZ4");
}

/* CPU time in us a frame, the best of some repeats. */
static double cost_us(void (*act)(void))
{
  double best = 0;
  for (int repeat = 0; repeat < REPEATS; repeat++) {
    int64_t begin = ct_time_cpu_ns();
    for (int i = 0; i < ROUNDS; i++)
      act();
    double us = (double)(ct_time_cpu_ns() - begin) / 1e3 / ROUNDS / FRAMES;
    best = repeat == 0 || us < best ? us : best;
  }
  return best;
}

static double archive_once_us(enum ct_codec codec, int repeat)
{
  char name[32];
  snprintf(name, sizeof name, "%s-%d", ct_codec_word(codec), repeat);
  struct ct_run_setup setup = run_setup(folder, name, codec);
  struct ct_chunk *chunk = ct_chunk_new(BYTES);
  struct ct_run *run;
  int64_t now_ns = ct_time_wall_ns();
  must(ct_run_open(&run, &setup, now_ns, NULL) == 0, "opening a run");
  int64_t begin = ct_time_cpu_ns();
  for (uint64_t i = 0; i < ROUNDS; i++) {
    const struct ct_frame frame = { .pixels = (unsigned char *)frames, .bytes = BYTES, .type = CT_U16, .count = FRAMES,
                                    .rows = RUN_ROWS, .cols = RUN_COLS, .number = i * FRAMES, .arrival_ns = now_ns };
    ct_chunk_begin(chunk, 0, 9118.87, NULL);
    must(ct_chunk_add(chunk, &frame, 0) == FRAMES, "filling a chunk");
    ct_chunk_pack(chunk, codec);
    must(ct_run_write(run, chunk, now_ns) == 0, "writing");
    now_ns += 7018000;
    ct_run_tick(run, now_ns);
  }
  double us = (double)(ct_time_cpu_ns() - begin) / 1e3 / ROUNDS / FRAMES;
  must(ct_run_close(run, now_ns, NULL) == 0, "closing");
  ct_chunk_free(chunk);
  return us;
}

static double hdf5_once_us(void)
{
  char path[128];
  snprintf(path, sizeof path, "%s/plain.h5", folder);
  hsize_t dims[] = { 0, RUN_ROWS, RUN_COLS };
  const hsize_t limits[] = { H5S_UNLIMITED, RUN_ROWS, RUN_COLS }, chunk[] = { FRAMES, RUN_ROWS, RUN_COLS };
  const hsize_t one[] = { 1, RUN_ROWS, RUN_COLS };
  hid_t file = H5Fcreate(path, H5F_ACC_TRUNC, H5P_DEFAULT, H5P_DEFAULT), space = H5Screate_simple(3, dims, limits);
  hid_t plist = H5Pcreate(H5P_DATASET_CREATE), memory = H5Screate_simple(3, one, NULL);
  H5Pset_chunk(plist, 3, chunk);
  hid_t set = H5Dcreate2(file, "data", H5T_NATIVE_UINT16, space, H5P_DEFAULT, plist, H5P_DEFAULT);
  int64_t begin = ct_time_cpu_ns();
  for (hsize_t k = 0; k < ROUNDS * FRAMES; k++) {
    const hsize_t start[] = { k, 0, 0 };
    dims[0] = k + 1;
    H5Dset_extent(set, dims);
    hid_t part = H5Dget_space(set);
    H5Sselect_hyperslab(part, H5S_SELECT_SET, start, NULL, one, NULL);
    must(H5Dwrite(set, H5T_NATIVE_UINT16, memory, part, H5P_DEFAULT, frames) >= 0, "H5Dwrite");
    H5Sclose(part);
  }
  H5Fflush(file, H5F_SCOPE_LOCAL);
  double us = (double)(ct_time_cpu_ns() - begin) / 1e3 / ROUNDS / FRAMES;
  H5Dclose(set);
  H5Pclose(plist);
  H5Sclose(memory);
  H5Sclose(space);
  H5Fclose(file);
  return us;
}

static void figure(const char *name, double value, const char *reference, double reference_value)
{
  printf("%s\t%.3f\tus/frame\t%s\t%.3f\t%.2f\n", name, value, reference, reference_value, value / reference_value);
}

/* Every codec on frames as they are read out and on thresholded ones, beside a copy; and by how much they shrink. */
static void compare_codecs(const char *what, const uint16_t *pixels, double copy_us)
{
  static const enum ct_codec codecs[] = { CT_CODEC_BSLZ4, CT_CODEC_LZ4, CT_CODEC_ZSTD };
  source = pixels;
  for (size_t i = 0; i < sizeof codecs / sizeof *codecs; i++) {
    char name[64];
    codec_in_use = codecs[i];
    const double us = cost_us(pack_any);
    snprintf(name, sizeof name, "archive: %s, %s", what, ct_codec_word(codec_in_use));
    figure(name, us, "memcpy", copy_us);
    snprintf(name, sizeof name, "archive: %s, %s, size", what, ct_codec_word(codec_in_use));
    printf("%s\t%.3f\tkB/frame\tplain\t%.3f\t%.3f\n", name, (double)packed_bytes / 1e3 / FRAMES, BYTES / 1e3 / FRAMES,
           (double)packed_bytes / BYTES);
  }
}

/* The disk is the noisy part: both in turn, the best of each. */
static void compare_writing(const char *name, enum ct_codec codec)
{
  double ours = 0, plain = 0;
  for (int repeat = 0; repeat < REPEATS; repeat++) {
    double a = archive_once_us(codec, repeat), b = hdf5_once_us();
    ours = repeat == 0 || a < ours ? a : ours;
    plain = repeat == 0 || b < plain ? b : plain;
  }
  figure(name, ours, "H5Dwrite, no columns", plain);
}

int main(void)
{
  char command[128];
  for (size_t i = 0; i < FRAMES * PIXELS; i++)
    frames[i] = run_pixel(i / PIXELS, i % PIXELS);
  ct_crc32_init(&crc);
  const double lz4_us = cost_us(lz4), copy_us = cost_us(copy), pack_us = cost_us(pack);
  figure("archive: bitshuffle+LZ4", pack_us, "LZ4 alone", lz4_us);
  figure("archive: unpacking", cost_us(unpack), "packing", pack_us);
  figure("archive: checksum", cost_us(checksum), "memcpy", copy_us);
  snprintf(folder, sizeof folder, "/tmp/bench_archive.XXXXXX");
  must(mkdtemp(folder) != NULL, "a folder");
  for (size_t i = 0; i < FRAMES * PIXELS; i++)    /* two of a hundred pixels are hit */
    thresholded[i] = run_pixel(i / PIXELS + 7, i % PIXELS) % 50 == 0 ? frames[i] : 0;
  compare_codecs("raw", frames, copy_us);
  compare_codecs("thresholded", thresholded, copy_us);
  compare_writing("archive: all, plain", CT_CODEC_NONE);
  compare_writing("archive: all, bslz4", CT_CODEC_BSLZ4);
  compare_writing("archive: all, lz4", CT_CODEC_LZ4);
  compare_writing("archive: all, zstd", CT_CODEC_ZSTD);
  snprintf(command, sizeof command, "rm -r '%s'", folder);
  return system(command) != 0;
}
