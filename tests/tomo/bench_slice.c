/* Slices of the Shepp-Logan head on one core, CPU time and error of the same run: the whole curve from one back projection
 * a projection to many merged; one projection more, by every kernel; the axis. Medians; the reference is plain C, or what
 * the aim says. With an argument also 2560 x 1800. */
#include <comptop/tomo.h>

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "phantom.h"
#include "tomo/internal.h"

enum { RUNS = 9, RUNS_MAX = 64 };

static void print(const char *figure, double value, const char *unit, const char *reference, double reference_value)
{
  printf("%s\t%.5g\t%s\t%s\t%.5g\t%.3f\n", figure, value, unit, reference, reference_value, value / reference_value);
  fflush(stdout);
}

static int by_value(const void *a, const void *b)
{
  double x = *(const double *)a, y = *(const double *)b;
  return (x > y) - (x < y);
}

static double median(double *values, int n)
{
  qsort(values, (size_t)n, sizeof *values, by_value);
  return values[n / 2];
}

static double cpu_ms(void)
{
  return (double)ct_time_cpu_ns() * 1e-6;
}

struct scan {
  uint32_t size, cols, views, rotation_deg;
  double axis_px, within;
  struct phantom_ellipse ellipse[10];
  struct phantom head;
  float *rows, *truth, *picture;
};

/* The head fills a circle <head_cols> wide, whatever the field of view. */
static void scan(struct scan *s, uint32_t size, uint32_t cols, uint32_t views, uint32_t rotation_deg, double axis_px,
                 double head_cols)
{
  *s = (struct scan){ .size = size, .cols = cols, .views = views, .rotation_deg = rotation_deg, .axis_px = axis_px };
  double fov = rotation_deg == 360 ? 2 * fmax(axis_px + 0.5, cols - 0.5 - axis_px) : cols;

  s->within = head_cols / fov;
  s->head = (struct phantom){ s->ellipse, phantom_head.n };
  for (int i = 0; i < phantom_head.n; i++) {
    s->ellipse[i] = phantom_head.ellipse[i];
    s->ellipse[i].a *= s->within;
    s->ellipse[i].b *= s->within;
    s->ellipse[i].x *= s->within;
    s->ellipse[i].y *= s->within;
  }
  s->rows = ct_xcalloc((size_t)views * cols, sizeof *s->rows);
  s->truth = ct_xcalloc((size_t)size * size, sizeof *s->truth);
  s->picture = ct_xcalloc((size_t)size * size, sizeof *s->picture);
  for (uint32_t i = 0; i < views; i++)
    phantom_row(&s->head, (double)rotation_deg * i / views, cols, axis_px, fov / 2, s->rows + (size_t)i * cols);
  phantom_picture(&s->head, size, size > 1100 ? 4 : 8, s->truth);
}

static void leave(struct scan *s)
{
  free(s->rows);
  free(s->truth);
  free(s->picture);
}

static struct ct_tomo *opened(const struct scan *s, double smear_px)
{
  const struct ct_tomo_setup setup = { .cols = s->cols, .size = s->size, .projections = s->views,
                                       .rotation_deg = s->rotation_deg, .axis_px = s->axis_px, .smear_px = smear_px };
  struct ct_tomo *tomo;
  struct ct_err err;
  if (ct_tomo_open(&tomo, &setup, &err)) {
    fprintf(stderr, "%s\n", err.text);
    exit(1);
  }
  return tomo;
}

static void add_all(struct ct_tomo *tomo, const struct scan *s)
{
  for (uint32_t i = 0; i < s->views; i++)
    if (ct_tomo_add(tomo, s->rows + (size_t)i * s->cols, (double)s->rotation_deg * i / s->views)) exit(1);
}

static double error_of(const struct ct_tomo *tomo, struct scan *s)
{
  ct_tomo_slice(tomo, s->picture);
  return phantom_compare(s->picture, s->truth, s->size, s->within).rmse;
}

/* The whole slice, at several settings of the merge. */
static void whole_slices(const char *name, struct scan *s, double aim_ms, double aim_rmse, int runs)
{
  static const double smear_px[] = { 0.125, 0.25, 0.35, 0.5, 0 };

  for (int i = 0; i < 5; i++) {
    struct ct_tomo *tomo = opened(s, smear_px[i]);
    double ms[RUNS_MAX];
    char figure[96];
    add_all(tomo, s);
    for (int run = 0; run < (smear_px[i] > 0 ? runs : 1); run++) {
      double from = cpu_ms();
      ct_tomo_rebuild(tomo);
      ms[run] = cpu_ms() - from;
    }
    snprintf(figure, sizeof figure, "slice %s smear %g", name, smear_px[i]);
    print(figure, median(ms, smear_px[i] > 0 ? runs : 1), "ms", "aim", aim_ms);
    print(figure, error_of(tomo, s), "rmse", "aim", aim_rmse);
    ct_tomo_close(tomo);
  }
}

/* One projection more into the slice: filter and back projection, by every kernel. */
static void incremental(const char *name, struct scan *s)
{
  double plain_us = 0;
  size_t ways = 0;

  while (ct_tomo_ops_get(ways)) ways++;
  for (size_t way = ways; way-- > 0;) {
    struct ct_tomo *tomo = opened(s, 0);
    double us[RUNS_MAX];
    char figure[96];
    tomo->ops = ct_tomo_ops_get(way);
    for (int run = 0; run < RUNS; run++) {
      ct_tomo_forget(tomo, s->views);
      double from = cpu_ms();
      add_all(tomo, s);
      us[run] = (cpu_ms() - from) / s->views * 1e3;
    }
    snprintf(figure, sizeof figure, "projection into %s %s", name, tomo->ops->name);
    double at = median(us, RUNS);
    if (way == ways - 1) plain_us = at;
    print(figure, at, "us", "plain C", plain_us);
    snprintf(figure, sizeof figure, "incremental %s %s", name, tomo->ops->name);
    print(figure, error_of(tomo, s), "rmse", "ASTRA CPU at 512x720", 0.0151);
    ct_tomo_close(tomo);
  }
}

static void axes(void)
{
  enum { COLS = 576, TRIES = 32 };
  static const double noise[] = { 0, 0.5, 2 };
  struct ct_axis_finder *finder;
  struct ct_err err;
  float row[COLS], opposite[COLS];
  uint64_t seed = 99;

  if (ct_axis_open(&finder, COLS, &err)) exit(1);
  for (int i = 0; i < 3; i++) {
    double ms[TRIES], squares = 0;
    char figure[96];
    for (int try = 0; try < TRIES; try++) {
      struct ct_tomo_axis axis;
      const double truth = 543.3;
      phantom_row(&phantom_head, 0, COLS, truth, 512, row);
      phantom_row(&phantom_head, 180, COLS, truth, 512, opposite);
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
  }
  ct_axis_close(finder);
}

int main(int argc, char **argv)
{
  (void)argv;
  struct scan small, large, extended;

  scan(&small, 512, 512, 720, 180, 255.5, 512);
  scan(&large, 1024, 1024, 1500, 180, 511.5, 1024);
  scan(&extended, 1088, 576, 1440, 360, 543.3, 1024);

  incremental("512", &small);
  whole_slices("512x720", &small, 13, 0.0151, RUNS);
  whole_slices("1024x1500", &large, 80, 0.0111, 5);
  struct ct_tomo *tomo = opened(&extended, 0);
  add_all(tomo, &extended);
  print("extended field of view", error_of(tomo, &extended), "rmse", "aim", 0.0115);
  ct_tomo_close(tomo);
  tomo = opened(&extended, 0.25);
  add_all(tomo, &extended);
  ct_tomo_rebuild(tomo);
  print("extended field of view, merged", error_of(tomo, &extended), "rmse", "aim", 0.0115);
  ct_tomo_close(tomo);
  axes();
  leave(&small);
  leave(&large);
  leave(&extended);
  if (argc > 1) {
    struct scan huge;
    scan(&huge, 2560, 2560, 1800, 180, 1279.5, 2560);
    whole_slices("2560x1800", &huge, 450, 0.0079, 3);
    leave(&huge);
  }
  return 0;
}
