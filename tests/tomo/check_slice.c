/* Slices against exact phantoms: whatever the order, the turn, the axis and what was lost. */
#include <comptop/tomo.h>

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "phantom.h"

enum { SIZE = 128, VIEWS = 200 };

static void assert_near(double value, double expected, double tolerance)
{
  if (!(fabs(value - expected) <= tolerance)) fail_msg("%g is not within %g of %g", value, tolerance, expected);
}

static struct ct_tomo_setup setup_of(uint32_t cols, uint32_t views, uint32_t rotation_deg)
{
  return (struct ct_tomo_setup){ .cols = cols, .size = SIZE, .projections = views, .rotation_deg = rotation_deg,
                                 .axis_px = (cols - 1) / 2.0 };
}

static struct ct_tomo *opened(const struct ct_tomo_setup *setup)
{
  struct ct_err err;
  struct ct_tomo *tomo;
  int rc = ct_tomo_open(&tomo, setup, &err);
  if (rc) fail_msg("%s", err.text);
  return tomo;
}

/* The circle of the phantom is as wide as the field of view of a detector with the axis in its middle. */
static void add(struct ct_tomo *tomo, const struct phantom *phantom, double angle_deg)
{
  const struct ct_tomo_setup *s = ct_tomo_setup(tomo);
  float *row = calloc(s->cols, sizeof *row);
  phantom_row(phantom, angle_deg, s->cols, s->axis_px, ct_tomo_state(tomo).fov_px / 2, row);
  assert_int_equal(ct_tomo_add(tomo, row, angle_deg), 0);
  free(row);
}

static float *slice_of(const struct ct_tomo *tomo)
{
  float *values = malloc(SIZE * SIZE * sizeof *values);
  ct_tomo_slice(tomo, values);
  return values;
}

static double rmse_of(const struct ct_tomo *tomo, const struct phantom *phantom)
{
  float *picture = slice_of(tomo), *truth = malloc(SIZE * SIZE * sizeof *truth);
  phantom_picture(phantom, SIZE, 6, truth);
  struct phantom_fit fit = phantom_compare(picture, truth, SIZE, 0.99);
  free(picture);
  free(truth);
  return fit.rmse;
}

/* Largest difference of two slices in the field of view. */
static double difference(const float *a, const float *b)
{
  double most = 0;
  for (int i = 0; i < SIZE * SIZE; i++) {
    assert_int_equal(isnan(a[i]), isnan(b[i]));
    if (!isnan(a[i])) most = fmax(most, fabs((double)a[i] - (double)b[i]));
  }
  return most;
}

/* The slice from all that is kept, back-projected one by one with the weights they have in the end. */
static void assert_is_batch(struct ct_tomo *tomo, double tolerance)
{
  float *incremental = slice_of(tomo);
  ct_tomo_rebuild(tomo);
  float *batch = slice_of(tomo);
  double most = difference(incremental, batch);
  if (!(most <= tolerance)) fail_msg("incremental and batch differ by %g, more than %g", most, tolerance);
  free(incremental);
  free(batch);
}

static void half_turn_is_sharp(void **state)
{
  (void)state;
  struct ct_tomo_setup setup = setup_of(SIZE, VIEWS, 180);
  struct ct_tomo *tomo = opened(&setup);
  for (int i = 0; i < VIEWS; i++) add(tomo, &phantom_head, 180.0 * i / VIEWS);
  assert_true(rmse_of(tomo, &phantom_head) < 0.028);
  assert_is_batch(tomo, 2e-5);

  /* Merged, the slice is as good. */
  setup.smear_px = 0.25;
  assert_int_equal(ct_tomo_change(&tomo, &setup, NULL), 0);
  assert_true(rmse_of(tomo, &phantom_head) < 0.028);
  ct_tomo_close(tomo);
}

static void whole_turn_is_sharp(void **state)
{
  (void)state;
  struct ct_tomo_setup setup = setup_of(SIZE, 2 * VIEWS, 360);
  struct ct_tomo *tomo = opened(&setup);
  for (int i = 0; i < 2 * VIEWS; i++) add(tomo, &phantom_head, 360.0 * i / (2 * VIEWS));
  assert_true(rmse_of(tomo, &phantom_head) < 0.028);
  assert_is_batch(tomo, 2e-5);
  ct_tomo_close(tomo);
}

static void turns_the_way_it_says(void **state)
{
  (void)state;
  struct ct_tomo_setup setup = setup_of(SIZE, VIEWS, 180);
  struct ct_tomo *tomo = opened(&setup);
  for (int i = 0; i < VIEWS; i++) add(tomo, &phantom_disc, 30 + 180.0 * i / VIEWS);
  float *slice = slice_of(tomo);
  assert_near(phantom_mean(slice, SIZE, 0.5, 0.25, 0.15), 1, 0.005);    /* right of and above the axis */
  assert_near(phantom_mean(slice, SIZE, 0.5, -0.25, 0.15), 0, 0.01);
  free(slice);
  ct_tomo_close(tomo);
}

static void attenuation_is_right_everywhere(void **state)
{
  (void)state;
  /* A disc of 1 per column is 1/pixel per cm. */
  struct ct_tomo_setup setup = setup_of(SIZE, VIEWS, 180);
  setup.pixel_cm = 0.000324;
  for (int pass = 0; pass < 2; pass++) {
    setup.smear_px = pass ? 0.25 : 0;
    struct ct_tomo *tomo = opened(&setup);
    for (int i = 0; i < VIEWS; i++) add(tomo, &phantom_middle, 180.0 * i / VIEWS);
    if (pass) ct_tomo_rebuild(tomo);
    float *slice = slice_of(tomo);
    for (int i = 0; i < 16; i++) {
      double x = 0.68 * i / 15 * cos(i), y = 0.68 * i / 15 * sin(i);
      assert_near(phantom_mean(slice, SIZE, x, y, 0.06), 1 / setup.pixel_cm, 0.005 / setup.pixel_cm);
    }
    free(slice);
    ct_tomo_close(tomo);
  }
}

/* Columns much narrower than pixels, and much wider. */
static void size_is_free(void **state)
{
  (void)state;
  static const uint32_t cols[] = { 640, 333, 127, 60 };
  for (int i = 0; i < 4; i++) {
    struct ct_tomo_setup setup = setup_of(cols[i], VIEWS, 180);
    struct ct_tomo *tomo = opened(&setup);
    for (int k = 0; k < VIEWS; k++) add(tomo, &phantom_middle, 180.0 * k / VIEWS);
    float *slice = slice_of(tomo);
    assert_near(phantom_mean(slice, SIZE, 0, 0, 0.5), 1, 0.005);
    assert_near(phantom_mean(slice, SIZE, -0.5, 0.4, 0.1), 1, 0.005);
    free(slice);
    setup.smear_px = 0.25;
    assert_int_equal(ct_tomo_change(&tomo, &setup, NULL), 0);
    slice = slice_of(tomo);
    assert_near(phantom_mean(slice, SIZE, 0, 0, 0.5), 1, 0.005);
    assert_near(phantom_mean(slice, SIZE, -0.5, 0.4, 0.1), 1, 0.005);
    free(slice);
    ct_tomo_close(tomo);
  }
}

static void extended_field_is_sharp(void **state)
{
  (void)state;
  /* The axis near the right edge, then near the left one: 128 columns of field seen by 72. */
  for (int side = 0; side < 2; side++) {
    struct ct_tomo_setup setup = setup_of(72, 2 * VIEWS, 360);
    setup.axis_px = side ? 63.5 - 56 : 63.5;
    for (int merged = 0; merged < 2; merged++) {
      setup.smear_px = merged ? 0.25 : 0;
      struct ct_tomo *tomo = opened(&setup);
      assert_near(ct_tomo_state(tomo).fov_px, 128, 1e-9);
      for (int i = 0; i < 2 * VIEWS; i++) add(tomo, &phantom_head, 360.0 * i / (2 * VIEWS));
      if (merged) ct_tomo_rebuild(tomo);
      assert_true(rmse_of(tomo, &phantom_head) < 0.030);
      float *slice = slice_of(tomo);
      assert_near(phantom_mean(slice, SIZE, 0, 0.75, 0.04), 0.2, 0.01);
      free(slice);
      ct_tomo_close(tomo);
    }
  }
}

static void order_does_not_matter(void **state)
{
  (void)state;
  struct ct_tomo_setup setup = setup_of(SIZE, VIEWS, 180);
  struct ct_tomo *sorted = opened(&setup), *shuffled = opened(&setup);
  int order[VIEWS];
  uint64_t seed = 5;

  for (int i = 0; i < VIEWS; i++) order[i] = i;
  for (int i = VIEWS - 1; i > 0; i--) {
    int j = (int)(phantom_uniform(&seed) * (i + 1)), was = order[i];
    order[i] = order[j];
    order[j] = was;
  }
  for (int i = 0; i < VIEWS; i++) {
    add(sorted, &phantom_head, 180.0 * i / VIEWS);
    add(shuffled, &phantom_head, 180.0 * order[i] / VIEWS);
  }
  float *a = slice_of(sorted), *b = slice_of(shuffled);
  assert_true(difference(a, b) < 1e-4);
  assert_is_batch(shuffled, 1e-4);
  free(a);
  free(b);
  ct_tomo_close(sorted);
  ct_tomo_close(shuffled);
}

static void golden_angle_sharpens(void **state)
{
  (void)state;
  struct ct_tomo_setup setup = setup_of(SIZE, VIEWS, 180);
  struct ct_tomo *tomo = opened(&setup);
  double before = 1;
  for (int i = 0; i < VIEWS; i++) {
    add(tomo, &phantom_head, 111.246117975 * i);
    if (i != 24 && i != 74 && i != VIEWS - 1) continue;
    double now = rmse_of(tomo, &phantom_head);
    assert_true(now < 0.7 * before);
    before = now;
  }
  assert_true(before < 0.03);
  assert_is_batch(tomo, 5e-3);
  ct_tomo_close(tomo);
}

static void lost_ones_cost_only_themselves(void **state)
{
  (void)state;
  struct ct_tomo_setup setup = setup_of(SIZE, VIEWS, 180);
  struct ct_tomo *tomo = opened(&setup);
  /* One in ten is lost, three in a row, too; two come late. */
  for (int i = 0; i < VIEWS; i++)
    if (i % 10 != 7 && (i < 90 || i > 92)) add(tomo, &phantom_head, 180.0 * i / VIEWS);
  float *slice = slice_of(tomo);
  assert_near(phantom_mean(slice, SIZE, 0, 0.75, 0.04), 0.2, 0.004);
  free(slice);
  assert_true(rmse_of(tomo, &phantom_head) < 0.040);
  assert_near(ct_tomo_state(tomo).covered_deg, 180 - 3 * 0.9, 0.5);
  add(tomo, &phantom_head, 180.0 * 91 / VIEWS);
  add(tomo, &phantom_head, 180.0 * 7 / VIEWS);
  assert_is_batch(tomo, 2e-3);
  ct_tomo_close(tomo);
}

/* What is shown before the turn is complete has the right level already. */
static void part_of_a_turn_has_the_level(void **state)
{
  (void)state;
  struct ct_tomo_setup setup = setup_of(SIZE, VIEWS, 180);
  struct ct_tomo *tomo = opened(&setup);
  for (int i = 0; i < VIEWS; i++) {
    add(tomo, &phantom_middle, 180.0 * i / VIEWS);
    assert_near(ct_tomo_state(tomo).covered_deg, 180.0 * (i + 1) / VIEWS, 1);
    if (i < 10) continue;
    float *slice = slice_of(tomo);
    assert_near(phantom_mean(slice, SIZE, 0, 0, 0.3), 1, 0.02);
    free(slice);
  }
  ct_tomo_close(tomo);
}

/* A stage that goes on turning: after the sample has changed, half a turn later nothing is left of what was. */
static void window_slides(void **state)
{
  (void)state;
  struct ct_tomo_setup setup = setup_of(SIZE, VIEWS, 180);
  struct ct_tomo *tomo = opened(&setup), *fresh = opened(&setup);
  for (int i = 0; i < 3 * VIEWS; i++)
    add(tomo, i < 2 * VIEWS ? &phantom_disc : &phantom_head, 180.0 * i / VIEWS);
  for (int i = 2 * VIEWS; i < 3 * VIEWS; i++) add(fresh, &phantom_head, 180.0 * i / VIEWS);
  float *a = slice_of(tomo), *b = slice_of(fresh);
  assert_int_equal(ct_tomo_state(tomo).projections, VIEWS);
  assert_true(difference(a, b) < 1e-3);
  assert_is_batch(tomo, 1e-3);
  free(a);
  free(b);

  /* And the half of them that is oldest can be taken away. */
  ct_tomo_forget(tomo, VIEWS / 2);
  assert_int_equal(ct_tomo_state(tomo).projections, VIEWS / 2);
  assert_is_batch(tomo, 1e-2);
  ct_tomo_forget(tomo, VIEWS);
  a = slice_of(tomo);
  for (int i = 0; i < SIZE * SIZE; i++) assert_true(isnan(a[i]));
  free(a);
  ct_tomo_close(tomo);
  ct_tomo_close(fresh);
}

static void rings_are_subtracted(void **state)
{
  (void)state;
  struct ct_tomo_setup setup = setup_of(SIZE, VIEWS, 180);
  struct ct_tomo *clean = opened(&setup), *ringed = opened(&setup);
  float row[SIZE], ring[SIZE];
  uint64_t seed = 3;
  for (int i = 0; i < SIZE; i++) ring[i] = (float)(2 * phantom_normal(&seed));
  for (int i = 0; i < VIEWS; i++) {
    phantom_row(&phantom_head, 180.0 * i / VIEWS, SIZE, setup.axis_px, SIZE / 2.0, row);
    assert_int_equal(ct_tomo_add(clean, row, 180.0 * i / VIEWS), 0);
    for (int k = 0; k < SIZE; k++) row[k] += ring[k];
    assert_int_equal(ct_tomo_add(ringed, row, 180.0 * i / VIEWS), 0);
  }
  float *a = slice_of(clean), *b = slice_of(ringed);
  assert_true(difference(a, b) > 0.1);
  free(b);
  assert_true(ct_tomo_ring(ringed, ring));
  ct_tomo_rebuild(ringed);
  b = slice_of(ringed);
  assert_true(difference(a, b) < 1e-3);
  free(a);
  free(b);
  ct_tomo_close(clean);
  ct_tomo_close(ringed);
}

/* All windows keep the mean level, and smooth ones are smoother. */
static void windows_smooth(void **state)
{
  (void)state;
  double ramp = 0;
  for (int w = CT_WINDOW_RAMP; w < CT_WINDOWS; w++) {
    struct ct_tomo_setup setup = setup_of(SIZE, VIEWS, 180);
    uint64_t seed = 11;
    float row[SIZE];
    setup.window = (enum ct_window)w;
    struct ct_tomo *tomo = opened(&setup);
    for (int i = 0; i < VIEWS; i++) {
      phantom_row(&phantom_middle, 180.0 * i / VIEWS, SIZE, setup.axis_px, SIZE / 2.0, row);
      for (int k = 0; k < SIZE; k++) row[k] += (float)phantom_normal(&seed);
      assert_int_equal(ct_tomo_add(tomo, row, 180.0 * i / VIEWS), 0);
    }
    float *slice = slice_of(tomo);
    assert_near(phantom_mean(slice, SIZE, 0, 0, 0.6), 1, 0.005);
    for (int i = 0; i < SIZE * SIZE; i++) slice[i] = (slice[i] - 1) * (slice[i] - 1);
    double noise = sqrt(phantom_mean(slice, SIZE, 0, 0, 0.6));
    if (w == CT_WINDOW_RAMP) ramp = noise;
    else assert_true(noise < 0.97 * ramp);
    free(slice);
    ct_tomo_close(tomo);
  }
}

static void bad_input_is_refused(void **state)
{
  (void)state;
  struct ct_err err;
  struct ct_tomo *tomo;
  const struct ct_tomo_setup good = setup_of(SIZE, 8, 180);
  struct ct_tomo_setup bad[] = { good, good, good, good, good, good, good, good, good };
  bad[0].cols = 0;
  bad[1].size = 1000000;
  bad[2].projections = 0;
  bad[3].rotation_deg = 270;
  bad[4].axis_px = SIZE;
  bad[5].axis_px = (double)NAN;
  bad[6].pixel_cm = -1;
  bad[7].window = CT_WINDOWS;
  bad[8].smear_px = (double)NAN;
  for (int i = 0; i < 9; i++) {
    assert_int_equal(ct_tomo_open(&tomo, &bad[i], &err), CT_ERANGE);
    assert_null(tomo);
    assert_true(strlen(err.text) > 10);
  }
  tomo = opened(&good);
  float row[SIZE] = { 0 };
  assert_int_equal(ct_tomo_add(tomo, row, (double)NAN), CT_ERANGE);
  row[77] = INFINITY;
  assert_int_equal(ct_tomo_add(tomo, row, 0), CT_ERANGE);
  assert_int_equal(ct_tomo_state(tomo).projections, 0);
  struct ct_tomo *same = tomo;
  assert_int_equal(ct_tomo_change(&tomo, &bad[4], &err), CT_ERANGE);
  assert_ptr_equal(tomo, same);
  ct_tomo_close(tomo);
  ct_tomo_close(NULL);
}

/* An angle that never changes, an empty beam, one projection: finite pictures. */
static void odd_scans_have_pictures(void **state)
{
  (void)state;
  for (int kind = 0; kind < 4; kind++) {
    struct ct_tomo_setup setup = setup_of(SIZE, 64, kind == 3 ? 360 : 180);
    struct ct_tomo *tomo = opened(&setup);
    for (int i = 0; i < (kind == 2 ? 1 : 100); i++) {
      float row[SIZE] = { 0 };
      if (kind != 1) phantom_row(&phantom_head, 0, SIZE, setup.axis_px, SIZE / 2.0, row);
      assert_int_equal(ct_tomo_add(tomo, row, kind == 1 ? 1e9 + i : kind == 3 ? 1e-9 * i : 12), 0);
    }
    float *slice = slice_of(tomo);
    for (int i = 0; i < SIZE * SIZE; i++) assert_true(!isinf(slice[i]));
    assert_true(!isnan(slice[SIZE * SIZE / 2 + SIZE / 2]));
    if (kind == 1)
      for (int i = 0; i < SIZE * SIZE; i++) assert_true(isnan(slice[i]) || fabsf(slice[i]) < 1e-6f);
    free(slice);
    ct_tomo_close(tomo);
  }
}

int main(void)
{
  const struct CMUnitTest tests[] = {
    cmocka_unit_test(half_turn_is_sharp),
    cmocka_unit_test(whole_turn_is_sharp),
    cmocka_unit_test(turns_the_way_it_says),
    cmocka_unit_test(attenuation_is_right_everywhere),
    cmocka_unit_test(size_is_free),
    cmocka_unit_test(extended_field_is_sharp),
    cmocka_unit_test(order_does_not_matter),
    cmocka_unit_test(golden_angle_sharpens),
    cmocka_unit_test(lost_ones_cost_only_themselves),
    cmocka_unit_test(part_of_a_turn_has_the_level),
    cmocka_unit_test(window_slides),
    cmocka_unit_test(rings_are_subtracted),
    cmocka_unit_test(windows_smooth),
    cmocka_unit_test(bad_input_is_refused),
    cmocka_unit_test(odd_scans_have_pictures),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
