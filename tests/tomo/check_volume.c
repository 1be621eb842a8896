/* Planes in any direction through two cylinders, one above the other. */
#include <comptop/tomo.h>

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "phantom.h"

enum { COLS = 96, ROWS = 40, VIEWS = 150, SIZE = 96 };

/* Rows above the middle see the disc off the centre, those below the central one. <faults>[ROWS * COLS] is added to all images;
 * NULL: nothing is. */
static struct ct_volume *opened_with(uint32_t rotation_deg, uint64_t memory_bytes, bool rings, const float *faults)
{
  const struct ct_volume_setup setup = { .rows = ROWS, .cols = COLS, .size = SIZE, .rotation_deg = rotation_deg,
                                         .axis_px = (COLS - 1) / 2.0, .rings = rings, .memory_bytes = memory_bytes };
  struct ct_volume *volume;
  struct ct_err err;
  if (ct_volume_open(&volume, &setup, &err)) fail_msg("%s", err.text);
  float image[ROWS * COLS];
  for (int i = 0; i < VIEWS; i++) {
    double angle = (double)rotation_deg * i / VIEWS;
    for (int r = 0; r < ROWS; r++)
      phantom_row(r < ROWS / 2 ? &phantom_disc : &phantom_middle, angle, COLS, setup.axis_px, COLS / 2.0, image + r * COLS);
    for (int k = 0; faults && k < ROWS * COLS; k++) image[k] += faults[k];
    assert_int_equal(ct_volume_add(volume, image, angle), 0);
  }
  return volume;
}

static struct ct_volume *opened(uint32_t rotation_deg, uint64_t memory_bytes)
{
  return opened_with(rotation_deg, memory_bytes, false, NULL);
}

/* What is at a place, in columns from the axis and detector rows. */
static double truth(double x, double y, double row)
{
  double r = COLS / 2.0;
  if (row < ROWS / 2 - 0.5) return hypot(x - 0.5 * r, y - 0.25 * r) <= 0.2 * r;
  return hypot(x, y) <= 0.8 * r;
}

/* Root mean square error of a plane, and that it is NaN exactly outside. */
static double error_of(struct ct_volume *volume, const struct ct_plane *plane)
{
  enum { W = 101, H = 90 };
  float values[W * H];
  double sum = 0, n = 0, turn = plane->turn_deg * acos(-1) / 180, tilt = plane->tilt_deg * acos(-1) / 180;
  double pitch = ct_volume_state(volume).pixel_px;

  ct_volume_plane(volume, plane, W, H, values);
  for (int j = 0; j < H; j++) {
    for (int i = 0; i < W; i++) {
      double right = (i - (W - 1) / 2.0) * pitch, up = ((H - 1) / 2.0 - j) * pitch;
      double x = plane->x + right * cos(turn) - up * sin(turn) * cos(tilt);
      double y = plane->y + right * sin(turn) + up * cos(turn) * cos(tilt), row = plane->row - up * sin(tilt);
      double edge = fmax(hypot(x, y) - COLS / 2.0, fmax(-row, row - (ROWS - 1)));
      if (edge > 1e-6) assert_true(isnan(values[j * W + i]));
      if (edge > -1e-6) continue;
      assert_true(isfinite(values[j * W + i]) != 0);
      sum += pow((double)values[j * W + i] - truth(x, y, row), 2);
      n++;
    }
  }
  assert_true(n > 100);
  return sqrt(sum / n);
}

static void planes_are_right(void **state)
{
  (void)state;
  const struct ct_plane planes[] = {
    { 0, 0, 10, 0, 0 }, { 0, 0, 30, 0, 0 }, { 0, 0, 20, 0, 90 }, { 24, 12, 20, 90, 90 }, { 24, 12, 15, 30, 90 },
    { 5, -3, 20, 40, 55 }, { 20, 10, 12, -120, 20 } };
  for (uint32_t rotation = 180; rotation <= 360; rotation += 180) {
    struct ct_volume *volume = opened(rotation, 100000000);
    assert_int_equal(ct_volume_state(volume).projections, VIEWS);
    for (int i = 0; i < 7; i++) {
      double error = error_of(volume, &planes[i]);
      if (!(error < 0.13)) fail_msg("plane %d of %u degrees: %g", i, rotation, error);
    }
    ct_volume_close(volume);
  }
}

/* A horizontal plane is the slice. */
static void slices_agree(void **state)
{
  (void)state;
  const struct ct_tomo_setup setup = { .cols = COLS, .size = SIZE, .projections = VIEWS, .rotation_deg = 180,
                                       .axis_px = (COLS - 1) / 2.0 };
  struct ct_volume *volume = opened(180, 100000000);
  struct ct_tomo *tomo;
  float row[COLS], *slice = malloc(SIZE * SIZE * sizeof *slice), *plane = malloc(SIZE * SIZE * sizeof *plane);
  assert_int_equal(ct_tomo_open(&tomo, &setup, NULL), 0);
  for (int i = 0; i < VIEWS; i++) {
    phantom_row(&phantom_disc, 180.0 * i / VIEWS, COLS, setup.axis_px, COLS / 2.0, row);
    assert_int_equal(ct_tomo_add(tomo, row, 180.0 * i / VIEWS), 0);
  }
  ct_tomo_slice(tomo, slice);
  ct_volume_plane(volume, &(struct ct_plane){ 0, 0, 10, 0, 0 }, SIZE, SIZE, plane);
  double sum = 0, n = 0;
  for (int i = 0; i < SIZE * SIZE; i++) {
    assert_int_equal(isnan(slice[i]) != 0, isnan(plane[i]) != 0);
    if (!isnan(slice[i])) sum += pow((double)slice[i] - (double)plane[i], 2), n++;
  }
  assert_true(sqrt(sum / n) < 0.01);
  free(slice);
  free(plane);
  ct_tomo_close(tomo);
  ct_volume_close(volume);
}

/* With little memory there are fewer projections, spread over the whole turn, and the same values. */
static void memory_is_bounded(void **state)
{
  (void)state;
  struct ct_volume *volume = opened(180, 60 * (COLS * ROWS * 2 + 12 * (SIZE + 352)));
  struct ct_volume_state s = ct_volume_state(volume);
  float plane[SIZE * SIZE];
  assert_true(s.projections <= s.projections_max && s.projections_max <= 61 && s.projections >= 25);
  ct_volume_plane(volume, &(struct ct_plane){ 0, 0, 30, 0, 0 }, SIZE, SIZE, plane);
  assert_true(fabs(phantom_mean(plane, SIZE, 0, 0, 0.5) - 1) < 0.02);
  ct_volume_restart(volume);
  ct_volume_plane(volume, &(struct ct_plane){ 0, 0, 30, 0, 0 }, SIZE, SIZE, plane);
  for (int i = 0; i < SIZE * SIZE; i++) assert_true(isnan(plane[i]));
  ct_volume_close(volume);
}

static void is_the_same(struct ct_volume *a, struct ct_volume *b, const struct ct_plane *plane, double tolerance)
{
  static float values[2][SIZE * SIZE];
  ct_volume_plane(a, plane, SIZE, SIZE, values[0]);
  ct_volume_plane(b, plane, SIZE, SIZE, values[1]);
  uint32_t n = 0;
  for (int i = 0; i < SIZE * SIZE; i++) {
    assert_int_equal(isnan(values[0][i]) != 0, isnan(values[1][i]) != 0);
    if (isnan(values[0][i])) continue;
    n++;
    if (!(fabs((double)(values[0][i] - values[1][i])) <= tolerance)) fail_msg("%g and %g", (double)values[0][i], (double)values[1][i]);
  }
  assert_true(n > 100);
}

/* A volume that was moved to another axis and back, and one that had a wrong flat for a while, are what they were. */
static void another_axis_and_another_flat_cost_nothing(void **state)
{
  (void)state;
  const struct ct_plane plane = { 3, 0, 17, 20, 70 };
  for (uint32_t rotation = 180; rotation <= 360; rotation += 180) {
    struct ct_volume *volume = opened(rotation, 100000000), *other = opened(rotation, 100000000);
    struct ct_volume_setup setup = *ct_volume_setup(other);
    float flat[ROWS * COLS], values[SIZE * SIZE];
    uint64_t changes = ct_volume_state(other).changes;
    setup.axis_px += 7;
    setup.window = CT_WINDOW_HANN;
    assert_int_equal(ct_volume_change(other, &setup, NULL), 0);
    assert_true(ct_volume_state(other).changes != changes);
    ct_volume_plane(other, &plane, SIZE, SIZE, values);
    assert_int_equal(ct_volume_change(other, ct_volume_setup(volume), NULL), 0);
    is_the_same(volume, other, &plane, 1e-5);
    for (int i = 0; i < ROWS * COLS; i++) flat[i] = 0.3f * (float)sin(i);
    for (int sign = 1; sign >= -1; sign -= 2) {
      assert_int_equal(ct_volume_correct(other, flat), 0);
      for (int i = 0; i < ROWS * COLS; i++) flat[i] = -flat[i];
      if (sign < 0) is_the_same(volume, other, &plane, 3e-3);
    }
    setup.rows++;
    assert_int_equal(ct_volume_change(other, &setup, NULL), CT_ERANGE);
    ct_volume_close(volume);
    ct_volume_close(other);
  }
}

/* Lines drawn one at a time, those of two planes in turn, are those of the planes drawn at once. */
static void lines_make_planes(void **state)
{
  (void)state;
  const struct ct_plane planes[] = { { 0, 4, (ROWS - 1) / 2.0, 0, 90 }, { 9, 0, (ROWS - 1) / 2.0, 90, 90 } };
  struct ct_volume *volume = opened(360, 100000000);
  float whole[SIZE * ROWS], line[2][SIZE * ROWS];
  for (uint32_t j = 0; j < ROWS; j++)
    for (int i = 0; i < 2; i++) ct_volume_lines(volume, &planes[i], SIZE, ROWS, 1, j, 1, line[i] + (size_t)j * SIZE);
  for (int i = 0; i < 2; i++) {
    ct_volume_plane(volume, &planes[i], SIZE, ROWS, whole);
    assert_memory_equal(whole, line[i], sizeof whole);
  }
  ct_volume_close(volume);
}

/* Root mean square difference of a plane of two volumes. */
static double apart(struct ct_volume *a, struct ct_volume *b, const struct ct_plane *plane)
{
  static float values[2][SIZE * SIZE];
  double sum = 0, n = 0;
  ct_volume_plane(a, plane, SIZE, SIZE, values[0]);
  ct_volume_plane(b, plane, SIZE, SIZE, values[1]);
  for (int i = 0; i < SIZE * SIZE; i++)
    if (!isnan(values[0][i])) sum += pow((double)(values[0][i] - values[1][i]), 2), n++;
  assert_true(n > 100);
  return sqrt(sum / n);
}

/* Pixels that are off draw rings into all planes, and they go from all of them as they do from a slice; what has none stays. */
static void rings_go_from_all_planes(void **state)
{
  (void)state;
  const struct ct_plane planes[] = { { 0, 0, 10, 0, 0 }, { 0, 4, (ROWS - 1) / 2.0, 0, 90 }, { 9, 0, (ROWS - 1) / 2.0, 90, 90 },
                                     { 5, -3, 20.3, 40, 55 } };
  float faults[ROWS * COLS] = { 0 };
  uint64_t seed = 5;
  for (int i = 0; i < ROWS * COLS; i++)
    if (phantom_uniform(&seed) < 0.05) faults[i] = (float)(4 * phantom_normal(&seed));
  for (uint32_t rotation = 180; rotation <= 360; rotation += 180) {
    struct ct_volume *good = opened(rotation, 100000000), *same = opened_with(rotation, 100000000, true, NULL);
    struct ct_volume *bad = opened_with(rotation, 100000000, false, faults), *mended = opened_with(rotation, 100000000, true, faults);
    double all_before = 0, all_with = 0;
    for (int i = 0; i < 4; i++) {
      double before = apart(good, bad, &planes[i]), with = apart(good, mended, &planes[i]), changed = apart(good, same, &planes[i]);
      all_before += before;
      all_with += with;
      if (!(with < 0.8 * before)) fail_msg("plane %d of %u degrees: %g -> %g", i, rotation, before, with);
      if (!(changed < 1e-3)) fail_msg("plane %d of %u degrees has no rings and is changed by %g", i, rotation, changed);
    }
    if (!(all_with < 0.4 * all_before)) fail_msg("planes of %u degrees: %g -> %g", rotation, all_before, all_with);
    struct ct_volume_setup setup = *ct_volume_setup(mended);
    setup.rings = false;
    assert_int_equal(ct_volume_change(mended, &setup, NULL), CT_ERANGE);
    ct_volume_close(good);
    ct_volume_close(same);
    ct_volume_close(bad);
    ct_volume_close(mended);
  }
}

static void bad_input_is_refused(void **state)
{
  (void)state;
  struct ct_volume_setup setup = { .rows = 4, .cols = 32, .size = 32, .rotation_deg = 180, .axis_px = 16, .memory_bytes = 100 };
  struct ct_volume *volume;
  struct ct_err err;
  float image[4 * 32] = { 0 };
  assert_int_equal(ct_volume_open(&volume, &setup, &err), CT_ERANGE);
  setup.memory_bytes = 1000000;
  setup.rows = 0;
  assert_int_equal(ct_volume_open(&volume, &setup, &err), CT_ERANGE);
  setup.rows = 4;
  setup.axis_px = 99;
  assert_int_equal(ct_volume_open(&volume, &setup, &err), CT_ERANGE);
  setup.axis_px = 16;
  assert_int_equal(ct_volume_open(&volume, &setup, &err), 0);
  assert_int_equal(ct_volume_add(volume, image, (double)NAN), CT_ERANGE);
  image[100] = NAN;
  assert_int_equal(ct_volume_add(volume, image, 0), CT_ERANGE);
  ct_volume_close(volume);
  ct_volume_close(NULL);
}

int main(void)
{
  const struct CMUnitTest tests[] = {
    cmocka_unit_test(planes_are_right),
    cmocka_unit_test(slices_agree),
    cmocka_unit_test(memory_is_bounded),
    cmocka_unit_test(another_axis_and_another_flat_cost_nothing),
    cmocka_unit_test(lines_make_planes),
    cmocka_unit_test(rings_go_from_all_planes),
    cmocka_unit_test(bad_input_is_refused),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
