/* Slices of the Shepp-Logan head on one core, CPU time and error of the same run: the whole curve from one back projection
 * a projection to many merged; one projection more, by every kernel; the axis. Medians; the reference is plain C, or what
 * the aim says. The largest is left out with an argument. */
#include <comptop/tomo.h>

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "heads.h"
#include "tomo/internal.h"

enum { RUNS = 9 };

static void print(const char *figure, double value, const char *unit, const char *reference, double reference_value)
{
  printf("%s\t%.5g\t%s\t%s\t%.5g\t%.3f\n", figure, value, unit, reference, reference_value, value / reference_value);
  fflush(stdout);
}

static double median(double *values, int n)
{
  qsort(values, (size_t)n, sizeof *values, ct_by_double);
  return values[n / 2];
}

static double cpu_ms(void)
{
  return (double)ct_time_cpu_ns() * 1e-6;
}

/* The whole slice, at several settings of the merge. */
static void whole_slices(const char *name, const struct head_scan *s, double aim_ms, double aim_rmse, int runs)
{
  static const double smear_px[] = { 0.125, 0.25, 0.35, 0.5, 0 };
  struct ct_tomo *tomo = head_opened(s, 16, 0);

  for (int i = 0; i < 5; i++) {
    struct ct_tomo_setup setup = *ct_tomo_setup(tomo);
    int n = smear_px[i] > 0 ? runs : 1;
    double ms[RUNS];
    char figure[96];
    setup.size = s->size;
    setup.smear_px = smear_px[i];
    if (ct_tomo_change(&tomo, &setup, NULL)) exit(1);
    for (int run = 0; run < n; run++) {
      double from = cpu_ms();
      ct_tomo_rebuild(tomo);
      ms[run] = cpu_ms() - from;
    }
    snprintf(figure, sizeof figure, "slice %s smear %g", name, smear_px[i]);
    print(figure, median(ms, n), "ms", "aim", aim_ms);
    print(figure, head_error(tomo, s), "rmse", "aim", aim_rmse);
  }
  ct_tomo_close(tomo);
}

/* Another axis for all that is kept, as a key moves it. */
static void axis_change(const struct head_scan *s)
{
  struct ct_tomo *tomo = head_opened(s, s->size, 0.25);
  double ms[RUNS];

  for (int run = 0; run < RUNS; run++) {
    struct ct_tomo_setup setup = *ct_tomo_setup(tomo);
    setup.axis_px += run % 2 ? -0.5 : 0.5;
    double from = cpu_ms();
    if (ct_tomo_change(&tomo, &setup, NULL)) exit(1);
    ms[run] = cpu_ms() - from;
  }
  print("another axis for 512x720", median(ms, RUNS), "ms", "aim", 100);
  ct_tomo_close(tomo);
}

/* What a frame of a camera costs: a row of it into a slice, and all of it, binned, into what planes are cut from. */
static void frames(void)
{
  enum { ROWS = 2160, COLS = 2560, BIN = 5, SIZE = 512, VIEWS = 200, H = ROWS / BIN, W = COLS / BIN };
  const struct ct_tomo_setup slice = { .cols = COLS, .size = SIZE, .projections = VIEWS, .rotation_deg = 180,
                                       .axis_px = (COLS - 1) / 2.0, .smear_px = 0.25 };
  const struct ct_volume_setup solid = { .rows = H, .cols = W, .size = SIZE, .rotation_deg = 180, .axis_px = (W - 1) / 2.0,
                                         .memory_bytes = UINT64_C(256) << 20 };
  const struct ct_box all = { .x1 = COLS, .y1 = ROWS };
  uint16_t *frame = ct_xcalloc((size_t)ROWS * COLS, sizeof *frame);
  float *image = ct_xcalloc((size_t)H * W, sizeof *image), *row = ct_xcalloc(COLS, sizeof *row);
  struct ct_scan *scan;
  struct ct_volume *volume;
  struct ct_field *field;
  double ms[VIEWS];
  uint64_t seed = 8;

  if (ct_scan_open(&scan, &slice, NULL) || ct_volume_open(&volume, &solid, NULL) || ct_field_open(&field, H, W, NULL)) exit(1);
  for (size_t i = 0; i < (size_t)ROWS * COLS; i++) frame[i] = (uint16_t)(20000 + 20000 * phantom_uniform(&seed));
  for (size_t i = 0; i < (size_t)H * W; i++) image[i] = 40000;
  ct_field_flat(field, image);
  for (uint32_t c = 0; c < COLS; c++) row[c] = 40000;
  ct_scan_flat(scan, row);
  for (int i = 0; i < VIEWS; i++) {
    double from = cpu_ms(), angle_deg = 180.0 * i / VIEWS;
    for (uint32_t c = 0; c < COLS; c++) row[c] = frame[(size_t)ROWS / 2 * COLS + c];
    ct_tomo_bin(image, frame, COLS, &all, BIN, UINT16_MAX);
    ct_field_log(field, image, image, 0, H);
    if (ct_scan_projection(scan, row, angle_deg, 0, false) || ct_volume_add(volume, image, angle_deg)) exit(1);
    ms[i] = cpu_ms() - from;
  }
  print("a frame of 2560x2160 into a 512 slice and planes", median(ms, VIEWS), "ms", "aim", 3);
  ct_scan_close(scan);
  ct_volume_close(volume);
  ct_field_close(field);
  free(frame);
  free(image);
  free(row);
}

/* A line of an upright plane, which is another row of all projections, as it came and without rings. */
static void lines(void)
{
  enum { H = 32, W = 512, VIEWS = 400 };
  struct ct_volume_setup solid = { .rows = H, .cols = W, .size = W, .rotation_deg = 180, .axis_px = (W - 1) / 2.0,
                                   .memory_bytes = UINT64_C(256) << 20 };
  float *image = ct_xcalloc((size_t)H * W, sizeof *image), *plane = ct_xcalloc((size_t)H * W, sizeof *plane);
  uint64_t seed = 9;

  for (int rings = 0; rings < 2; rings++) {
    struct ct_volume *volume;
    double ms[RUNS];
    solid.rings = rings;
    if (ct_volume_open(&volume, &solid, NULL)) exit(1);
    for (int i = 0; i < VIEWS; i++) {
      for (size_t k = 0; k < (size_t)H * W; k++) image[k] = (float)phantom_uniform(&seed);
      if (ct_volume_add(volume, image, 180.0 * i / VIEWS)) exit(1);
    }
    for (int run = 0; run < RUNS; run++) {
      double from = cpu_ms();
      ct_volume_plane(volume, &(struct ct_plane){ 0, 0, (H - 1) / 2.0, 0, 90 }, W, H, plane);
      ms[run] = (cpu_ms() - from) / H;
    }
    print(rings ? "a line of an upright plane, 400x512, without rings" : "a line of an upright plane, 400x512", median(ms, RUNS), "ms", "aim", 5);
    ct_volume_close(volume);
  }
  free(image);
  free(plane);
}

/* One projection more into the slice: filter and back projection, by every kernel. */
static void incremental(const char *name, const struct head_scan *s)
{
  double plain_us = 0;
  size_t ways = 0;

  while (ct_tomo_ops_get(ways)) ways++;
  for (size_t way = ways; way-- > 0;) {
    struct ct_tomo *tomo = head_opened(s, s->size, 0);
    double us[RUNS];
    char figure[96];
    tomo->ops = ct_tomo_ops_get(way);
    for (int run = 0; run < RUNS; run++) {
      ct_tomo_forget(tomo, s->views);
      double from = cpu_ms();
      head_add(tomo, s);
      us[run] = (cpu_ms() - from) / s->views * 1e3;
    }
    snprintf(figure, sizeof figure, "projection into %s %s", name, tomo->ops->name);
    double at = median(us, RUNS);
    if (way == ways - 1) plain_us = at;
    print(figure, at, "us", "plain C", plain_us);
    snprintf(figure, sizeof figure, "incremental %s %s", name, tomo->ops->name);
    print(figure, head_error(tomo, s), "rmse", "ASTRA CPU at 512x720", 0.0151);
    ct_tomo_close(tomo);
  }
}

/* The least error an axis can have from two rows, where the level between them is unknown: Cramer and Rao's, from how
 * much the columns that both see change with it. */
static double least_error(const float *row, int cols, double axis_px, double noise)
{
  double sum = 0, squares = 0;
  int from = (int)(2 * axis_px) - cols + 2, n = cols - 1 - from;
  for (int c = from; c < cols - 1; c++) {
    double steep = (double)(row[c + 1] - row[c - 1]) / 2;
    sum += steep;
    squares += steep * steep;
  }
  return 0.5 * sqrt(2 * noise * noise / (squares - sum * sum / n));
}

static void axes(void)
{
  enum { COLS = 576, TRIES = 64 };
  static const double noise[] = { 0, 0.5, 2 };
  struct ct_axis_finder *finder;
  struct ct_err err;
  float row[COLS], opposite[COLS];
  uint64_t seed = 99;

  if (ct_axis_open(&finder, COLS, &err)) exit(1);
  for (int i = 0; i < 3; i++) {
    double ms[TRIES], squares = 0, least = 0;
    char figure[96];
    for (int try = 0; try < TRIES; try++) {
      struct ct_tomo_axis axis;
      const double truth = 543.3;
      phantom_row(&phantom_head, 0, COLS, truth, 512, row);
      phantom_row(&phantom_head, 180, COLS, truth, 512, opposite);
      least = least_error(row, COLS, truth, noise[i]);
      for (int c = 0; c < COLS; c++) {
        row[c] += (float)(noise[i] * phantom_normal(&seed));
        opposite[c] += (float)(noise[i] * phantom_normal(&seed));
      }
      double from = cpu_ms();
      if (ct_axis_pair(finder, row, opposite, &axis)) exit(1);
      ms[try] = cpu_ms() - from;
      squares += (axis.axis_px - truth) * (axis.axis_px - truth);
    }
    snprintf(figure, sizeof figure, "axis from one pair, noise %g %% of the peak", noise[i] / 2.86);
    print(figure, median(ms, TRIES), "ms", "aim", 5);
    print(figure, sqrt(squares / TRIES), "px", "aim", 0.1);
    if (least > 0) print(figure, sqrt(squares / TRIES), "px", "least possible", least);
  }
  ct_axis_close(finder);
}

/* As it comes, and merged. */
static void extended_field(const struct head_scan *s)
{
  struct ct_tomo *tomo = head_opened(s, s->size, 0.25);
  print("extended field of view", head_error(tomo, s), "rmse", "aim", 0.0115);
  ct_tomo_rebuild(tomo);
  print("extended field of view, merged", head_error(tomo, s), "rmse", "aim", 0.0115);
  ct_tomo_close(tomo);
}

int main(int argc, char **argv)
{
  (void)argv;
  struct head_scan s;

  head_scan(&s, 512, 512, 720, 180, 255.5, 512);
  incremental("512", &s);
  whole_slices("512x720", &s, 13, 0.0151, RUNS);
  axis_change(&s);
  head_free(&s);
  head_scan(&s, 1024, 1024, 1500, 180, 511.5, 1024);
  whole_slices("1024x1500", &s, 80, 0.0111, 5);
  head_free(&s);
  head_scan(&s, 1088, 576, 1440, 360, 543.3, 1024);
  extended_field(&s);
  head_free(&s);
  axes();
  frames();
  lines();
  if (argc > 1) return 0;
  head_scan(&s, 2560, 2560, 1800, 180, 1279.5, 2560);
  whole_slices("2560x1800", &s, 450, 0.0079, 3);
  head_free(&s);
  return 0;
}
