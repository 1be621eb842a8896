/* Many rows of an image say together where the axis is, with the error they have: after one pair of opposite projections, of a
 * few columns that are seen twice, of a detector that leans; and nothing where there is nothing. */
#include <comptop/tomo.h>

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

#include "phantom.h"

enum { ROWS = 64, SEEDS = 12, COLS_MAX = 576 };

/* Round about the axis, a wall and what it holds, with two pores: like a cell, hardly anything turns. */
static const struct phantom_ellipse cell_parts[] = { { 1, .95, .95, 0, 0, 0 }, { -.6, .9, .9, 0, 0, 0 }, { .5, .7, .7, 0, 0, 0 },
                                                     { -.3, .06, .06, .3, .2, 0 }, { -.3, .05, .05, -.1, -.4, 0 } };
static const struct phantom cell = { cell_parts, 5 };

struct scan {
  const char *name;
  const struct phantom *sample;      /* NULL: nothing but beam */
  uint32_t cols;
  int views, until;                  /* of a whole turn */
  double axis_px, radius_cols;
  double noise, rings;               /* of the peak */
  double lean;                       /* columns a row */
  double most_px;                    /* its error is below that */
  uint32_t half_deg;                 /* 180: of half a turn; 0: a whole one */
  double wrong_px;                   /* rows 28 to 36 turn about something so far beside the axis */
};

/* Rows differ in what the sample weighs, and a fifth of them show none. */
static void project(float *image, const struct scan *s, double axis_px, double peak, double angle_deg, const float *ring,
                    uint64_t *seed)
{
  for (int y = 0; y < ROWS; y++) {
    float *row = image + (size_t)y * s->cols;
    double height = y < ROWS / 5 ? 0 : 0.6 + 0.4 * sin(0.4 * y);
    double at = axis_px + s->lean * (y - ROWS / 2) + (y >= 28 && y <= 36 ? s->wrong_px : 0);
    if (s->sample) phantom_row(s->sample, angle_deg + y, s->cols, at, s->radius_cols, row);
    for (uint32_t c = 0; c < s->cols; c++) {
      double sample = s->sample ? height * (double)row[c] : 0;
      row[c] = (float)(sample + peak * s->noise * phantom_normal(seed)) + ring[(size_t)y * s->cols + c];
    }
  }
}

static int find(const struct scan *s, double axis_px, uint64_t seed, struct ct_tomo_axis *axis)
{
  const struct ct_volume_setup setup = { .rows = ROWS, .cols = s->cols, .size = 64, .rotation_deg = s->half_deg ? s->half_deg : 360,
    .axis_px = (s->cols - 1) / 2.0, .memory_bytes = (uint64_t)400 * ROWS * s->cols * 2 };
  float *image = calloc((size_t)ROWS * s->cols, sizeof *image), *ring = calloc((size_t)ROWS * s->cols, sizeof *ring);
  float row[COLS_MAX];
  struct ct_axis_finder *finder;
  struct ct_volume *volume;
  double peak = s->sample ? 0 : 1;

  assert_true(image && ring);
  for (int i = 0; s->sample && i < 180; i += 30) {
    phantom_row(s->sample, i, s->cols, axis_px, s->radius_cols, row);
    for (uint32_t c = 0; c < s->cols; c++) peak = fmax(peak, (double)row[c]);
  }
  for (uint32_t i = 0; i < ROWS * s->cols; i++) ring[i] = (float)(s->rings * peak * phantom_normal(&seed));
  assert_int_equal(ct_volume_open(&volume, &setup, NULL), 0);
  assert_int_equal(ct_axis_open(&finder, s->cols, NULL), 0);
  for (int i = 0; i < s->until; i++) {
    double angle_deg = (s->half_deg ? 180.0 : 360.0) * i / s->views;
    /* Others are nobody's opposite. */
    if (!s->half_deg && s->until < s->views && i > 0 && i < s->views / 2) continue;
    project(image, s, axis_px, peak, angle_deg, ring, &seed);
    assert_int_equal(ct_volume_add(volume, image, angle_deg), 0);
  }
  int rc = ct_volume_axis(volume, finder, ROWS / 2, axis);
  ct_axis_close(finder);
  ct_volume_close(volume);
  free(image);
  free(ring);
  return rc;
}

static void errors_are_as_large_as_said(void **state)
{
  (void)state;
  static const struct scan scans[] = {
    { "the first pair", &phantom_head, 576, 360, 181, 543.3, 512, .007, 0, 0, 0.4, 0, 0 },
    { "the first pair, much noise", &phantom_head, 320, 360, 181, 160.3, 130, .05, 0, 0, 0.1, 0, 0 },
    { "a narrow overlap", &cell, 160, 8, 8, 60.3, 120, .01, .003, 0, 0.15, 0, 0 },
    { "a narrower one", &cell, 160, 8, 8, 120.3, 130, .01, .003, 0, 0.4, 0, 0 },
    { "one third of it", &cell, 160, 8, 8, 25.3, 150, .003, 0, 0, 0.2, 0, 0 },
    { "much noise", &phantom_head, 160, 8, 8, 60.3, 200, .06, 0, 0, 1, 0, 0 },
    { "it leans", &phantom_head, 160, 8, 8, 60.3, 140, .01, 0, 0.008, 0.05, 0, 0 },
    { "it leans the other way", &cell, 160, 8, 8, 60.3, 120, .01, 0, -0.004, 0.15, 0, 0 },
  };
  enum { SCANS = sizeof scans / sizeof *scans };
  double all = 0;
  for (size_t i = 0; i < SCANS; i++) {
    const struct scan *s = &scans[i];
    double squares = 0, worst = 0, error = 0;
    for (int k = 0; k < SEEDS; k++) {
      double axis_px = s->axis_px + 0.1 * (k % 10);
      struct ct_tomo_axis axis;
      if (find(s, axis_px, 0x9e3779b97f4a7c15u * (uint64_t)(k + 1), &axis)) fail_msg("%s: none", s->name);
      assert_int_equal(axis.method, CT_AXIS_ROWS);
      double pull = (axis.axis_px - axis_px) / axis.sigma_px;
      squares += pull * pull;
      worst = fmax(worst, fabs(pull));
      error = fmax(error, fabs(axis.axis_px - axis_px));
    }
    double scatter = sqrt(squares / SEEDS);
    if (!(scatter < 1.8 && worst < 4 && error < s->most_px))
      fail_msg("%s: scatter %g, worst %g, error %g", s->name, scatter, worst, error);
    all += squares;
  }
  double scatter = sqrt(all / SEEDS / SCANS);
  if (!(scatter > 0.7 && scatter < 1.4)) fail_msg("errors scatter by %g of what is said of them", scatter);
}

/* One row may seem to turn about anything, as where it cuts layers at a slant: most have to agree. */
static void most_rows_are_right(void **state)
{
  (void)state;
  const struct scan scans[] = {
    { "a third", &phantom_head, 160, 60, 40, 80.3, 60, .01, 0, 0.004, 0, 180, -15 },
    { "half a turn", &phantom_head, 160, 60, 60, 80.3, 60, .01, 0, 0.004, 0, 180, -15 },
    { "wider than the detector", &phantom_head, 160, 180, 180, 80.3, 120, .003, 0, 0, 0, 180, -15 },
  };
  for (size_t i = 0; i < sizeof scans / sizeof *scans; i++) {
    struct ct_tomo_axis axis;
    if (find(&scans[i], 80.3, 91 + i, &axis)) fail_msg("%s: none", scans[i].name);
    assert_int_equal(axis.method, CT_AXIS_ROWS);
    if (!(fabs(axis.axis_px - 80.3) < 4 * axis.sigma_px && axis.sigma_px < 0.4))
      fail_msg("%s: %g +- %g", scans[i].name, axis.axis_px, axis.sigma_px);
  }
}

static void nothing_has_no_axis(void **state)
{
  (void)state;
  static const struct scan scans[] = {
    { "nothing", NULL, 160, 8, 8, 60.3, 100, .01, 0, 0, 0, 0, 0 },
    { "nothing in a pair", NULL, 160, 8, 5, 60.3, 100, .01, 0, 0, 0, 0, 0 },
    { "nothing but rings", NULL, 160, 8, 8, 60.3, 100, .01, .03, 0, 0, 0, 0 },
    { "no pair", &phantom_head, 160, 8, 4, 60.3, 100, .01, 0, 0, 0, 0, 0 },
  };
  for (size_t i = 0; i < sizeof scans / sizeof *scans; i++) {
    struct ct_tomo_axis axis;
    if (find(&scans[i], 60.3, 77 + i, &axis) != CT_ENODATA) fail_msg("%s has an axis", scans[i].name);
    assert_true(axis.method == CT_AXIS_NONE && isnan(axis.axis_px) && isnan(axis.sigma_px));
  }
}

int main(void)
{
  const struct CMUnitTest tests[] = {
    cmocka_unit_test(errors_are_as_large_as_said),
    cmocka_unit_test(most_rows_are_right),
    cmocka_unit_test(nothing_has_no_axis),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
