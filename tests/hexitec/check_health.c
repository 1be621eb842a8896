/* A detector with known faults: they are found, and nothing else is. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <comptop/hexitec.h>

#include "twin.h"

enum { ROWS = 20, COLS = 80, PIXELS = ROWS * COLS };

struct bench {
  uint16_t adu[PIXELS], dark[PIXELS], threshold[PIXELS];
  double gradient[PIXELS], intercept[PIXELS];
  struct ct_hexitec *hexitec;
  struct ct_health *health;
  uint64_t number, seed;
  double rate[PIXELS];                /* hits a frame */
  struct ct_event events[PIXELS];
};

static struct bench *new_bench(bool asic_order)
{
  struct bench *b = ct_xcalloc(1, sizeof *b);

  b->seed = 1;
  for (int p = 0; p < PIXELS; p++) {
    b->dark[p] = (uint16_t)(1000 + p % 50);
    b->threshold[p] = 80;
    b->gradient[p] = 0.03;
    b->rate[p] = 0.05;
  }
  b->gradient[77] = 0;
  struct ct_hexitec_setup setup = { .rows = ROWS, .cols = COLS, .asic_order = asic_order, .dark_ADU = b->dark,
                                    .threshold_ADU = b->threshold, .gradient_keV = b->gradient,
                                    .intercept_keV = b->intercept };
  assert_int_equal(ct_hexitec_new(&b->hexitec, &setup, NULL), 0);
  assert_int_equal(ct_health_new(&b->health, ROWS, COLS, NULL), 0);
  return b;
}

static void free_bench(struct bench *b)
{
  ct_health_free(b->health);
  ct_hexitec_free(b->hexitec);
  free(b);
}

static size_t raw_place(bool asic_order, size_t p)
{
  size_t col = p % 80;
  return asic_order ? p - col + col % 20 * 4 + col / 20 : p;
}

/* Frames of hits at the pixels' rates on a noise of -8 to 8 ADU; those that are not looked at show the one before. */
static void run(struct bench *b, int frames, int offset_ADU, bool asic_order)
{
  struct ct_frame frame = { .pixels = (const unsigned char *)b->adu, .bytes = sizeof b->adu, .type = CT_U16, .count = 1,
                            .rows = ROWS, .cols = COLS };

  for (int f = 0; f < frames; f++) {
    for (size_t p = 0; p < PIXELS && b->number % CT_HEALTH_EVERY == 0; p++) {
      int noise = (int)(twin_random(&b->seed) % 17) - 8 + offset_ADU;
      int signal = twin_uniform(&b->seed) < b->rate[p] ? 500 : 0;
      b->adu[raw_place(asic_order, p)] = (uint16_t)(b->dark[p] + noise + signal);
    }
    struct ct_hexitec_tally tally = { 0 };
    frame.number = b->number++;
    ct_hexitec_frame(b->hexitec, &frame, 0, b->events, &tally);
    ct_health_add(b->health, b->hexitec, &frame, 0);
  }
}

static void test_nothing_yet(void **state)
{
  (void)state;
  struct bench *b = new_bench(false);
  struct ct_health_report report;

  ct_health_judge(b->health, NULL, &report);
  assert_int_equal(report.looks, 0);
  assert_true(isnan(report.hits_per_frame) && isnan(report.rate_median) && isnan(report.common_ADU));
  assert_true(isnan(report.drift_median_ADU) && isnan(report.drift_max_ADU));
  assert_int_equal(report.hot + report.dead, 0);
  free_bench(b);
}

static void test_hot_and_dead(void **state)
{
  (void)state;
  for (int asic_order = 0; asic_order < 2; asic_order++) {
    struct bench *b = new_bench(asic_order);
    struct ct_health_report report;
    uint8_t verdict[PIXELS];

    for (int p = 0; p < PIXELS; p++)       /* an image: 1 to 5 % from left to right */
      b->rate[p] = 0.01 + 0.04 * (p % COLS) / COLS;
    b->rate[5] = b->rate[1200] = 0.6;
    b->rate[300] = b->rate[PIXELS - 1] = 0;
    b->rate[77] = 1;
    run(b, 8 * 6000, 0, asic_order);
    ct_health_judge(b->health, verdict, &report);
    assert_int_equal(report.looks, 6000);
    assert_int_equal(report.hot, 2);
    assert_int_equal(report.dead, 2);
    assert_int_equal(report.off, 1);
    for (int p = 0; p < PIXELS; p++)
      assert_int_equal(verdict[p], p == 5 || p == 1200 ? CT_PIXEL_HOT : p == 300 || p == PIXELS - 1 ? CT_PIXEL_DEAD :
                       p == 77 ? CT_PIXEL_OFF : CT_PIXEL_FINE);
    double expected = 0;
    for (int p = 0; p < PIXELS; p++)
      expected += p == 77 ? 0 : b->rate[p];
    assert_true(fabs(report.hits_per_frame - expected) < 5 * sqrt(expected / 6000));
    assert_true(fabs(report.rate_median - 0.0298) < 0.002);
    assert_int_equal(report.row_floods, 0);
    assert_int_equal(report.common_jumps, 0);
    free_bench(b);
  }
}

static void test_few_hits_accuse_nobody(void **state)
{
  (void)state;
  struct bench *b = new_bench(false);
  struct ct_health_report report;

  for (int p = 0; p < PIXELS; p++)
    b->rate[p] = 0.0017;
  for (int k = 0; k < 6; k++) {
    run(b, 8 * 500, 0, false);
    ct_health_judge(b->health, NULL, &report);
    assert_int_equal(report.hot + report.dead, 0);
  }
  free_bench(b);
}

static void test_row_flood(void **state)
{
  (void)state;
  struct bench *b = new_bench(false);
  struct ct_health_report report;

  run(b, 8 * 10, 0, false);
  for (int c = 0; c < COLS; c++)
    b->rate[7 * COLS + c] = c % 2 == 0;    /* half of the row */
  run(b, 8 * 3, 0, false);
  ct_health_judge(b->health, NULL, &report);
  assert_int_equal(report.row_floods, 3);
  assert_int_equal(report.flooded_row, 7);
  free_bench(b);
}

static void test_common_mode_jump(void **state)
{
  (void)state;
  struct bench *b = new_bench(false);
  struct ct_health_report report;
  const int one_quiet_look = 8 * 64;

  run(b, 40 * one_quiet_look, 0, false);
  ct_health_judge(b->health, NULL, &report);
  assert_true(fabs(report.common_ADU) < 1);
  assert_int_equal(report.common_jumps, 0);
  run(b, one_quiet_look, 20, false);
  ct_health_judge(b->health, NULL, &report);
  assert_true(fabs(report.common_ADU - 20) < 1);
  assert_int_equal(report.common_jumps, 1);
  free_bench(b);
}

static void test_drift(void **state)
{
  (void)state;
  struct bench *b = new_bench(true);
  struct ct_health_report report;

  for (int p = 0; p < PIXELS; p++)
    b->rate[p] = 0.01;
  run(b, 8 * 64 * 70, 0, true);
  ct_health_judge(b->health, NULL, &report);
  assert_true(fabs(report.drift_median_ADU) < 0.3);
  assert_true(fabs(report.drift_max_ADU) < 2);
  b->dark[123] += 10;                      /* what comes, not what is subtracted: that was copied */
  run(b, 8 * 64 * 700, 1, true);
  ct_health_judge(b->health, NULL, &report);
  assert_true(fabs(report.drift_median_ADU - 1) < 0.3);
  assert_int_equal(report.drift_pixel, 123);
  assert_true(fabs(report.drift_max_ADU - 11) < 2);
  ct_health_restart(b->health);
  ct_health_judge(b->health, NULL, &report);
  assert_int_equal(report.looks, 0);
  assert_true(isnan(report.drift_median_ADU));
  free_bench(b);
}

static void test_old_looks_fade(void **state)
{
  (void)state;
  struct bench *b = new_bench(false);
  struct ct_health_report report;
  struct ct_frame frame = { .pixels = (const unsigned char *)b->adu, .bytes = sizeof b->adu, .type = CT_U16, .count = 1,
                            .rows = ROWS, .cols = COLS };
  struct ct_hexitec_tally tally = { 0 };

  for (int p = 0; p < PIXELS; p++)
    b->adu[p] = p == 40 ? 5000 : b->dark[p];
  for (int f = 0; f < 8 * 5 * CT_HEALTH_WINDOW / 2; f++) {
    if (f == 8 * CT_HEALTH_WINDOW)
      b->adu[40] = b->dark[40];
    if (f % CT_HEALTH_EVERY == 0)
      ct_hexitec_frame(b->hexitec, &frame, 0, b->events, &tally);
    ct_health_add(b->health, b->hexitec, &frame, 0);
  }
  ct_health_judge(b->health, NULL, &report);
  assert_int_equal(report.looks, CT_HEALTH_WINDOW);
  assert_true(report.hits_per_frame == 0.125);   /* halved at 1, 1.5 and 2 windows */
  assert_int_equal(report.hot, 1);
  free_bench(b);
}

int main(void)
{
  const struct CMUnitTest tests[] = {
    cmocka_unit_test(test_nothing_yet),
    cmocka_unit_test(test_hot_and_dead),
    cmocka_unit_test(test_few_hits_accuse_nobody),
    cmocka_unit_test(test_row_flood),
    cmocka_unit_test(test_common_mode_jump),
    cmocka_unit_test(test_drift),
    cmocka_unit_test(test_old_looks_fade),
  };
  return cmocka_run_group_tests_name("hexitec health", tests, NULL, NULL);
}
