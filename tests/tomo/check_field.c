/* Counts become -ln(transmission); what cannot is drawn between its neighbours. */
#include <comptop/tomo.h>

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "phantom.h"

enum { ROWS = 3, COLS = 37, PIXELS = ROWS * COLS };

static void assert_near(double value, double expected, double tolerance)
{
  if (!(fabs(value - expected) <= tolerance)) fail_msg("%g is not within %g of %g", value, tolerance, expected);
}

static struct ct_field *opened(float dark, float flat)
{
  struct ct_field *field;
  float image[PIXELS];
  assert_int_equal(ct_field_open(&field, ROWS, COLS, NULL), 0);
  assert_false(ct_field_state(field).ready);
  for (int i = 0; i < PIXELS; i++) image[i] = dark;
  ct_field_dark(field, image);
  for (int i = 0; i < PIXELS; i++) image[i] = flat + (float)i;
  ct_field_flat(field, image);
  for (int i = 0; i < PIXELS; i++) image[i] = flat - (float)i;
  ct_field_flat(field, image);
  assert_true(ct_field_state(field).ready);
  return field;
}

static void logarithms_are_right(void **state)
{
  (void)state;
  struct ct_field *field = opened(100, 10100);
  float image[PIXELS], row[PIXELS];
  uint64_t seed = 1;
  for (int i = 0; i < PIXELS; i++) image[i] = (float)(101 + 12000 * phantom_uniform(&seed));
  assert_int_equal(ct_field_log(field, row, image, 0, ROWS), 0);
  for (int i = 0; i < PIXELS; i++) {
    double expected = -log(((double)image[i] - 100) / 10000);
    assert_near((double)row[i], expected, 1e-6 * fmax(1, fabs(expected)));
  }
  /* Some rows alone, in place. */
  assert_int_equal(ct_field_log(field, image + COLS, image + COLS, 1, 2), 0);
  assert_memory_equal(image + COLS, row + COLS, 2 * COLS * sizeof *row);
  ct_field_close(field);
}

static void bad_values_are_drawn(void **state)
{
  (void)state;
  struct ct_field *field = opened(0, 1000);
  float image[PIXELS], row[PIXELS];
  for (int i = 0; i < PIXELS; i++) image[i] = 1000 * expf(-(float)(i % COLS) / 10);
  image[0] = NAN;                    /* at the edge: its neighbour */
  image[10] = image[11] = INFINITY;
  image[20] = 0;                     /* black is dense, not bad */
  image[COLS - 1] = -INFINITY;
  for (int i = 0; i < COLS; i++) image[2 * COLS + i] = NAN;
  assert_int_equal(ct_field_log(field, row, image, 0, ROWS), 4 + COLS);
  for (int i = 0; i < COLS; i++) {
    double expected = i == 0 ? 0.1 : i == 20 ? -log(1e-4) : i == COLS - 1 ? (COLS - 2) / 10.0 : i / 10.0;
    assert_near((double)row[i], expected, 1e-5);
    assert_near((double)row[2 * COLS + i], 0, 0);
  }
  ct_field_close(field);
}

static void saturated_pixels_are_marked_unless_white_is_so_bright(void **state)
{
  (void)state;
  float row[COLS];
  struct ct_field *field = opened(100, 30000);
  for (int i = 0; i < COLS; i++) row[i] = i % 5 == 2 ? 65535 : 40000;
  assert_int_equal(ct_field_mark(field, row, 65535), 7);
  for (int i = 0; i < COLS; i++) assert_int_equal(isnan(row[i]), i % 5 == 2);
  ct_field_close(field);
  field = opened(0, 64000);
  for (int i = 0; i < COLS; i++) row[i] = 65535;
  assert_int_equal(ct_field_mark(field, row, 65535), 0);
  assert_int_equal(ct_field_mark(field, row, INFINITY), 0);
  for (int i = 0; i < COLS; i++) assert_true(row[i] == 65535);
  ct_field_close(field);
}

static void flats_of_zero_are_drawn(void **state)
{
  (void)state;
  struct ct_field *field;
  float image[PIXELS], row[PIXELS];
  assert_int_equal(ct_field_open(&field, ROWS, COLS, NULL), 0);
  for (int i = 0; i < PIXELS; i++) image[i] = i == 5 ? 0 : i == 6 ? NAN : 10;
  assert_int_equal(ct_field_log(field, row, image, 0, ROWS), CT_ENODATA);
  ct_field_flat(field, image);       /* no dark: 0 */
  for (int i = 0; i < PIXELS; i++) image[i] = 5;
  assert_int_equal(ct_field_log(field, row, image, 0, ROWS), 2);
  for (int i = 0; i < PIXELS; i++) assert_near((double)row[i], log(2), 1e-6);

  /* Nothing but zeros. */
  struct ct_field *none;
  memset(image, 0, sizeof image);
  assert_int_equal(ct_field_open(&none, ROWS, COLS, NULL), 0);
  ct_field_flat(none, image);
  assert_int_equal(ct_field_log(none, row, image, 0, ROWS), PIXELS);
  for (int i = 0; i < PIXELS; i++) assert_near((double)row[i], 0, 0);
  ct_field_close(none);
  ct_field_close(field);
}

static void another_set_replaces_the_first(void **state)
{
  (void)state;
  struct ct_field *field = opened(100, 1100);
  float image[PIXELS], row[PIXELS];
  for (int i = 0; i < PIXELS; i++) image[i] = 600;
  assert_int_equal(ct_field_log(field, row, image, 0, ROWS), 0);
  assert_near((double)row[7], log(2), 1e-6);
  ct_field_end_sets(field);
  for (int i = 0; i < PIXELS; i++) image[i] = 2100;
  ct_field_flat(field, image);
  ct_field_flat(field, image);
  for (int i = 0; i < PIXELS; i++) image[i] = 200;
  ct_field_dark(field, image);
  for (int i = 0; i < PIXELS; i++) image[i] = 675;
  assert_int_equal(ct_field_log(field, row, image, 0, ROWS), 0);
  assert_near((double)row[7], log(4), 1e-6);
  ct_field_close(field);
}

/* Until a flat comes, a beam as bright as what is beside the sample. */
static void an_even_beam_stands_in_for_a_flat(void **state)
{
  (void)state;
  struct ct_field *field;
  float image[PIXELS], row[PIXELS], dark[PIXELS];
  assert_int_equal(ct_field_open(&field, ROWS, COLS, NULL), 0);
  for (int i = 0; i < PIXELS; i++) {
    dark[i] = 100;
    image[i] = i % COLS < COLS / 4 ? 1100 : 600;
  }
  ct_field_dark(field, dark);
  assert_false(ct_field_state(field).ready);
  for (int i = 0; i < PIXELS; i++) row[i] = NAN;
  assert_int_equal(ct_field_guess(field, row), CT_ENODATA);
  assert_int_equal(ct_field_guess(field, image), 0);
  assert_true(ct_field_state(field).ready);
  assert_int_equal(ct_field_state(field).flats, 0);
  assert_int_equal(ct_field_log(field, row, image, 0, ROWS), 0);
  for (int i = 0; i < PIXELS; i++) assert_near((double)row[i], i % COLS < COLS / 4 ? 0 : log(2), 1e-6);
  assert_int_equal(ct_field_guess(field, NULL), 0);
  assert_int_equal(ct_field_log(field, row, image, 0, ROWS), CT_ENODATA);
  ct_field_flat(field, image);
  assert_int_equal(ct_field_guess(field, image), CT_ENODATA);
  assert_int_equal(ct_field_log(field, row, image, 0, ROWS), 0);
  for (int i = 0; i < PIXELS; i++) assert_near((double)row[i], 0, 1e-6);
  ct_field_close(field);
}

static void bins_are_means(void **state)
{
  (void)state;
  enum { W = 1237, H = 30 };
  unsigned char *bytes = malloc(2 * W * H + 1);   /* unaligned on purpose */
  uint16_t *frame = malloc(2 * W * H);
  uint64_t seed = 9;
  for (int i = 0; i < W * H; i++) frame[i] = (uint16_t)(60000 * phantom_uniform(&seed));
  frame[3 * W + 700] = 65535;
  memcpy(bytes + 1, frame, 2 * W * H);
  for (uint32_t bin = 1; bin <= 7; bin++) {
    const struct ct_box box = { 11, 1200, 2, 29 };
    uint32_t rows = 27 / bin, cols = 1189 / bin;
    float *image = malloc(rows * cols * sizeof *image);
    ct_tomo_bin(image, bytes + 1, W, &box, bin, 65535);
    for (uint32_t r = 0; r < rows; r++) {
      for (uint32_t c = 0; c < cols; c++) {
        double sum = 0;
        bool full = false;
        for (uint32_t i = 0; i < bin * bin; i++) {
          uint16_t v = frame[(2 + r * bin + i / bin) * W + 11 + c * bin + i % bin];
          sum += v;
          full |= v == 65535;
        }
        if (full) assert_true(isnan(image[r * cols + c]));
        else assert_near((double)image[r * cols + c], sum / (bin * bin), 0.01);
      }
    }
    free(image);
  }
  free(bytes);
  free(frame);
}

int main(void)
{
  const struct CMUnitTest tests[] = {
    cmocka_unit_test(logarithms_are_right),
    cmocka_unit_test(bad_values_are_drawn),
    cmocka_unit_test(saturated_pixels_are_marked_unless_white_is_so_bright),
    cmocka_unit_test(flats_of_zero_are_drawn),
    cmocka_unit_test(another_set_replaces_the_first),
    cmocka_unit_test(an_even_beam_stands_in_for_a_flat),
    cmocka_unit_test(bins_are_means),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
