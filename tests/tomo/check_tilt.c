/* An axis that leans is found with its error, whatever rows are empty; and planes follow it. */
#include <comptop/tomo.h>

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

#include "phantom.h"

enum { ROWS = 72, COLS = 112, AXES = 16, SEEDS = 8 };
#define DEGREE (3.14159265358979323846 / 180)

/* What attenuates, in columns from the axis and rows from the middle of the detector: a cylinder that stands between two rows,
 * or a ball of half that height. */
struct body {
  double x, y, radius, from, to, value;
  bool ball;
};
static const struct body sample[] = {
  { 0, 0, 34, -24, 28, 0.6, false }, { 14, 8, 8, -20, 26, 1.5, false }, { -12, -15, 6, -24, 28, -0.6, false },
  { -16, 10, 9, -20, -2, 1.2, true }, { 6, -20, 8, 4, 20, 1.8, true }, { 21, -3, 6, 12, 24, 2, true } };

struct scan {
  const char *name;
  uint32_t rotation_deg;
  int views;
  double axis_px, noise;
  bool empty;
};

/* Length of a ray at (u, z) through a body seen from <angle>. */
static double length_of(const struct body *b, double u, double z, double angle)
{
  double off = u - (b->x * cos(angle) - b->y * sin(angle)), up = z - (b->from + b->to) / 2, share = 1;
  if (b->ball)
    return 2 * sqrt(fmax(b->radius * b->radius - off * off - up * up, 0));
  share = fmin(fmax((b->to - b->from) / 2 - fabs(up) + 0.5, 0), 1);
  return share * 2 * sqrt(fmax(b->radius * b->radius - off * off, 0));
}

/* A detector turned by the tilt sees what it would see upright at another place. */
static void project(float *image, const struct scan *s, double tilt_deg, double angle_deg, uint64_t *seed)
{
  double cosine = cos(tilt_deg * DEGREE), sine = sin(tilt_deg * DEGREE);
  for (int row = 0; row < ROWS; row++)
    for (int col = 0; col < COLS; col++) {
      double right = col - s->axis_px, down = row - (ROWS - 1) / 2.0, sum = s->noise * phantom_normal(seed);
      for (size_t i = 0; !s->empty && i < sizeof sample / sizeof *sample; i++)
        sum += 0.02 * sample[i].value * length_of(&sample[i], right * cosine - down * sine, right * sine + down * cosine, angle_deg * DEGREE);
      image[row * COLS + col] = (float)sum;
    }
}

static struct ct_volume *scanned(const struct scan *s, double tilt_deg, double lean, uint64_t seed)
{
  const struct ct_volume_setup setup = { .rows = ROWS, .cols = COLS, .size = COLS, .rotation_deg = s->rotation_deg,
    .axis_px = s->axis_px, .lean = lean, .lean_row = (ROWS - 1) / 2.0, .memory_bytes = 10000000 };
  static float image[ROWS * COLS];
  struct ct_volume *volume;
  assert_int_equal(ct_volume_open(&volume, &setup, NULL), 0);
  for (int i = 0; i < s->views; i++) {
    double angle_deg = (double)s->rotation_deg * i / s->views;
    project(image, s, tilt_deg, angle_deg, &seed);
    assert_int_equal(ct_volume_add(volume, image, angle_deg), 0);
  }
  return volume;
}

static int tilt_of(const struct ct_volume *volume, struct ct_tomo_tilt *tilt)
{
  struct ct_axis_finder *finder;
  assert_int_equal(ct_axis_open(&finder, COLS, NULL), 0);
  int rc = ct_volume_tilt(volume, finder, tilt);
  ct_axis_close(finder);
  return rc;
}

static void errors_are_as_large_as_said(void **state)
{
  (void)state;
  static const struct scan scans[] = {
    { "half a turn", 180, 90, 54.3, 0.005, false }, { "half a turn, much noise", 180, 90, 57.2, 0.05, false },
    { "a whole turn", 360, 72, 55.5, 0.01, false }, { "a whole turn, much noise", 360, 72, 55.5, 0.05, false },
    { "the axis at the side", 360, 90, 84.4, 0.01, false } };
  enum { SCANS = sizeof scans / sizeof *scans };
  double all = 0;
  for (size_t i = 0; i < SCANS; i++) {
    double squares = 0, worst = 0;
    for (int k = 0; k < SEEDS; k++) {
      double tilt_deg = 0.55 * (k - SEEDS / 2);
      struct ct_tomo_tilt found;
      struct ct_volume *volume = scanned(&scans[i], tilt_deg, 0, 0x9e3779b97f4a7c15u * (uint64_t)(k + 1));
      assert_int_equal(tilt_of(volume, &found), 0);
      ct_volume_close(volume);
      /* A fifth of the detector above the sample, and a seventh below, show nothing. */
      assert_in_range(found.rows, 5, 9);
      double pull = (found.tilt_deg - tilt_deg) / found.sigma_deg;
      squares += pull * pull;
      worst = fmax(worst, fabs(pull));
      if (scans[i].noise < 0.02 && !(found.sigma_deg < 0.1)) fail_msg("%s: said to be wrong by %g", scans[i].name, found.sigma_deg);
    }
    /* 8 errors scatter by 1 +- 0.25. */
    double scatter = sqrt(squares / SEEDS);
    if (!(scatter < 1.8 && worst < 4)) fail_msg("%s: scatter %g, worst %g", scans[i].name, scatter, worst);
    all += squares;
  }
  double scatter = sqrt(all / SEEDS / SCANS);
  if (!(scatter > 0.65 && scatter < 1.4)) fail_msg("errors scatter by %g of what is said of them", scatter);
}

static void nothing_does_not_lean(void **state)
{
  (void)state;
  struct ct_tomo_tilt found;
  for (uint32_t rotation = 180; rotation <= 360; rotation += 180) {
    const struct scan beam = { "nothing", rotation, 90, 54.3, 0.01, true }, few = { "few", rotation, 1, 54.3, 0.01, false };
    struct ct_volume *volume = scanned(&beam, 0.5, 0, 77);
    assert_int_equal(tilt_of(volume, &found), CT_ENODATA);
    assert_true(isnan(found.tilt_deg) && isnan(found.sigma_deg) && found.rows == 0);
    ct_volume_restart(volume);
    assert_int_equal(tilt_of(volume, &found), CT_ENODATA);
    ct_volume_close(volume);
    volume = scanned(&few, 0.5, 0, 78);
    assert_int_equal(tilt_of(volume, &found), CT_ENODATA);
    ct_volume_close(volume);
  }
}

/* Rows in which something else was taken for the axis do not turn the line, and a line is told of no fewer than three. */
static void rows_that_are_off_do_not_count(void **state)
{
  (void)state;
  struct ct_tomo_axis axis[10];
  struct ct_tomo_tilt found;
  double y[10];
  for (int i = 0; i < 10; i++) {
    y[i] = 20 * i;
    axis[i] = (struct ct_tomo_axis){ CT_AXIS_PAIRS, 70 - 0.01 * y[i] + 0.02 * (i % 3 - 1), 0.02, 1 };
  }
  assert_int_equal(ct_axis_tilt(axis, y, 10, &found), 0);
  assert_true(found.rows == 10 && fabs(found.tilt_deg + 0.01 / DEGREE) < 3 * found.sigma_deg);
  axis[0].axis_px += 30;
  axis[3].axis_px -= 0.5;
  axis[9].axis_px += 2;
  assert_int_equal(ct_axis_tilt(axis, y, 10, &found), 0);
  assert_true(found.rows == 7 && fabs(found.tilt_deg + 0.01 / DEGREE) < 3 * found.sigma_deg);
  for (int i = 2; i < 10; i++) axis[i].method = CT_AXIS_NONE;
  assert_int_equal(ct_axis_tilt(axis, y, 10, &found), CT_ENODATA);
  assert_true(isnan(found.tilt_deg));
}

/* An upright plane through a sample that leans is that of one that does not, if the setup says how much it leans. */
static void planes_follow_the_axis(void **state)
{
  (void)state;
  enum { CELLS = ROWS * COLS };
  static float upright[CELLS], leaning[CELLS], followed[CELLS];
  const struct ct_plane plane = { .row = (ROWS - 1) / 2.0, .turn_deg = 30, .tilt_deg = 90 };
  struct ct_err err;
  for (uint32_t rotation = 180; rotation <= 360; rotation += 180) {
    const struct scan scan = { "", rotation, 120, rotation == 180 ? 55.5 : 76.5, 0, false };
    struct ct_volume *volume = scanned(&scan, 0, 0, 1);
    struct ct_volume_setup setup = *ct_volume_setup(volume);
    ct_volume_plane(volume, &plane, COLS, ROWS, upright);
    ct_volume_close(volume);
    volume = scanned(&scan, 3, 0, 1);
    ct_volume_plane(volume, &plane, COLS, ROWS, leaning);
    setup.lean = tan(3 * DEGREE);
    assert_int_equal(ct_volume_change(volume, &setup, NULL), 0);
    ct_volume_plane(volume, &plane, COLS, ROWS, followed);
    double before = 0, after = 0, level = 0;
    for (int i = 0; i < CELLS; i++) {
      assert_int_equal(isnan(upright[i]) != 0, isnan(followed[i]) != 0);
      if (isnan(upright[i])) continue;
      before += pow((double)leaning[i] - (double)upright[i], 2);
      after += pow((double)followed[i] - (double)upright[i], 2);
      level += pow((double)upright[i], 2);
    }
    if (!(after < 0.3 * before && after < 0.01 * level))
      fail_msg("%u degrees: off by %g of it, followed by %g", rotation, sqrt(before / level), sqrt(after / level));
    setup.lean = 0.2;
    assert_int_equal(ct_volume_change(volume, &setup, &err), CT_ERANGE);
    setup.lean = (double)NAN;
    assert_int_equal(ct_volume_change(volume, &setup, &err), CT_ERANGE);
    setup.lean = 0.1;
    setup.lean_row = -1e7;   /* the axis far outside: a defined picture */
    assert_int_equal(ct_volume_change(volume, &setup, &err), 0);
    ct_volume_plane(volume, &plane, COLS, ROWS, followed);
    for (int i = 0; i < CELLS; i++) assert_int_equal(isnan(upright[i]) != 0, isnan(followed[i]) != 0);
    ct_volume_close(volume);
  }
}

int main(void)
{
  const struct CMUnitTest tests[] = {
    cmocka_unit_test(errors_are_as_large_as_said),
    cmocka_unit_test(nothing_does_not_lean),
    cmocka_unit_test(rows_that_are_off_do_not_count),
    cmocka_unit_test(planes_follow_the_axis),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
