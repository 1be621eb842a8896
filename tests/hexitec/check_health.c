/* A detector with known faults: they are found, and nothing else is. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <comptop/hexitec.h>

#include "hexitec/health.h"
#include "twin.h"

enum { ROWS = 20, COLS = 80, PIXELS = ROWS * COLS };

struct bench {
  uint16_t adu[PIXELS], dark[PIXELS], threshold[PIXELS];
  double gradient[PIXELS], intercept[PIXELS];
  struct ct_hexitec *hexitec;
  struct ct_health *health;
  uint64_t number, seed;
  double rate[PIXELS];                /* hits a frame */
  uint8_t state[PIXELS];              /* verdicts */
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

/* Frames of hits at the pixels' rates on a noise of -8 to 8 ADU; those whose hits are not counted show the one before. */
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
    ct_health_add(b->health, b->hexitec, &frame, 0, tally.hits);
  }
}

static void test_nothing_yet(void **state)
{
  (void)state;
  struct bench *b = new_bench(false);
  struct ct_health_report report;

  ct_health_judge(b->health, b->state, &report);
  assert_int_equal(report.looks, 0);
  assert_true(isnan(report.hits_per_frame) && isnan(report.hits_spread) && isnan(report.rate_median) && isnan(report.level_ADU));
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

    for (int p = 0; p < PIXELS; p++)       /* an image: 1 to 5 % from left to right */
      b->rate[p] = 0.01 + 0.04 * (p % COLS) / COLS;
    b->rate[5] = b->rate[1200] = 0.6;
    b->rate[300] = b->rate[PIXELS - 1] = 0;
    b->rate[77] = 1;
    run(b, CT_HEALTH_EVERY * 6000, 0, asic_order);
    ct_health_judge(b->health, b->state, &report);
    assert_int_equal(report.looks, 6000);
    assert_int_equal(report.hot, 2);
    assert_int_equal(report.dead, 2);
    assert_int_equal(report.off, 1);
    for (int p = 0; p < PIXELS; p++)
      assert_int_equal(b->state[p], p == 5 || p == 1200 ? CT_PIXEL_HOT : p == 300 || p == PIXELS - 1 ? CT_PIXEL_DEAD :
                       p == 77 ? CT_PIXEL_OFF : CT_PIXEL_FINE);
    double expected = 0;
    for (int p = 0; p < PIXELS; p++)
      expected += p == 77 ? 0 : b->rate[p];
    assert_true(fabs(report.hits_per_frame - expected) < 5 * sqrt(expected / 6000));
    assert_true(fabs(report.rate_median - 0.0298) < 0.002);
    double variance = 0;                   /* of independent pixels; every frame comes several times */
    for (int p = 0; p < PIXELS; p++)
      variance += p == 77 ? 0 : b->rate[p] * (1 - b->rate[p]);
    assert_true(fabs(report.hits_spread - sqrt(variance)) < 5 * sqrt(variance / 2 / 6000));
    assert_int_equal(report.row_floods, 0);
    assert_int_equal(report.jumps, 0);
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
    run(b, CT_HEALTH_EVERY * 500, 0, false);
    ct_health_judge(b->health, b->state, &report);
    assert_int_equal(report.hot + report.dead, 0);
  }
  free_bench(b);
}

/* Every frame is looked at, whichever it is, and with the row anywhere in a word of the mask. */
static void test_row_flood(void **state)
{
  (void)state;
  struct bench *b = new_bench(false);
  struct ct_health_report report;

  run(b, 83, 0, false);
  for (int n = 1; n <= 9; n++) {
    struct ct_frame frame = { .pixels = (const unsigned char *)b->adu, .bytes = sizeof b->adu, .type = CT_U16, .count = 1,
                              .rows = ROWS, .cols = COLS, .number = b->number++ };
    struct ct_hexitec_tally tally = { 0 };
    int row = 2 * n, hit = n % 2 ? COLS / 2 : COLS / 2 - 1;     /* half of a row is a flood, one less is none */
    for (int p = 0; p < PIXELS; p++)
      b->adu[p] = (uint16_t)(b->dark[p] + (p / COLS == row && p % COLS < hit ? 500 : p % COLS == 3 && p / COLS % 2 ? 300 : 0));
    ct_hexitec_frame(b->hexitec, &frame, 0, b->events, &tally);
    ct_health_add(b->health, b->hexitec, &frame, 0, tally.hits);
    ct_health_judge(b->health, b->state, &report);
    assert_int_equal(report.row_floods, (n + 1) / 2);
    assert_int_equal(report.flooded_row, 2 * (n - (n + 1) % 2));
    assert_int_equal(report.flooded_frame, 83 + (uint64_t)(n - 1 - (n + 1) % 2));
  }
  free_bench(b);
}

static void test_jump_of_the_whole_sensor(void **state)
{
  (void)state;
  struct bench *b = new_bench(false);
  struct ct_health_report report;

  run(b, 4096, 0, false);
  ct_health_judge(b->health, b->state, &report);
  assert_true(fabs(report.level_ADU) < 2);
  assert_int_equal(report.jumps, 0);
  assert_true(isnan(report.jump_ADU));
  run(b, 8, 20, false);                    /* there and back: one */
  run(b, 4096, 0, false);
  ct_health_judge(b->health, b->state, &report);
  assert_int_equal(report.jumps, 1);
  assert_int_equal(report.jump_frame, 4096);
  assert_true(fabs(report.jump_ADU - 20) < 2);
  run(b, 3 * 4096, -15, false);            /* for good: one, and then it is the new normal */
  ct_health_judge(b->health, b->state, &report);
  assert_int_equal(report.jumps, 2);
  assert_in_range(report.jump_frame, 2 * 4096 + 8, 2 * 4096 + 8 + CT_HEALTH_LEVEL_EVERY - 1);
  assert_true(fabs(report.level_ADU + 15) < 2);
  run(b, 4096, 0, false);
  ct_health_judge(b->health, b->state, &report);
  assert_int_equal(report.jumps, 3);
  free_bench(b);
}

static void test_drift(void **state)
{
  (void)state;
  struct bench *b = new_bench(true);
  struct ct_health_report report;

  for (int p = 0; p < PIXELS; p++)
    b->rate[p] = 0.01;
  run(b, CT_HEALTH_FIRST * CT_HEALTH_FIRST_EVERY + CT_HEALTH_QUIET_EVERY, 0, true);
  ct_health_judge(b->health, b->state, &report);
  assert_true(fabs(report.drift_median_ADU) < 0.3);
  assert_true(fabs(report.drift_max_ADU) < 3);
  b->dark[123] += 10;                      /* what comes, not what is subtracted: that was copied */
  run(b, 6 * CT_HEALTH_QUIET * CT_HEALTH_QUIET_EVERY / 4, 1, true);
  ct_health_judge(b->health, b->state, &report);
  assert_true(fabs(report.drift_median_ADU - 1) < 0.3);
  assert_int_equal(report.drift_pixel, 123);
  assert_true(fabs(report.drift_max_ADU - 11) < 3);
  uint64_t looks = report.looks;
  ct_health_new_dark(b->health);
  ct_health_judge(b->health, b->state, &report);
  assert_true(isnan(report.drift_median_ADU));
  assert_int_equal(report.looks, looks);   /* rates have nothing to do with darks */
  free_bench(b);
}

static void test_old_looks_fade(void **state)
{
  (void)state;
  enum { STEPS = 64 };
  struct bench *b = new_bench(false);
  struct ct_health_report report;
  uint16_t (*adu)[PIXELS] = ct_xcalloc(2 * STEPS, sizeof *adu);   /* then once more with pixel 40 always hit */
  struct ct_hexitec_tally tally = { 0 };

  /* Enough light for the short window: every pixel is hit in one frame of 64. */
  for (int k = 0; k < 2 * STEPS; k++)
    for (int p = 0; p < PIXELS; p++)
      adu[k][p] = (uint16_t)(b->dark[p] + ((p * 7 + k) % STEPS == 0 || (p == 40 && k >= STEPS) ? 500 : 0));
  for (int look = 0; look < 5 * CT_HEALTH_WINDOW / 2; look++) {
    bool hot = look < CT_HEALTH_WINDOW;
    struct ct_frame frame = { .pixels = (const unsigned char *)adu[look % STEPS + hot * STEPS], .bytes = sizeof *adu,
                              .type = CT_U16, .count = 1, .rows = ROWS, .cols = COLS };
    tally.hits = 0;
    ct_hexitec_frame(b->hexitec, &frame, 0, b->events, &tally);
    for (int i = 0; i < CT_HEALTH_EVERY; i++)
      ct_health_add(b->health, b->hexitec, &frame, 0, tally.hits);
  }
  ct_health_judge(b->health, b->state, &report);
  assert_int_equal(report.looks, CT_HEALTH_WINDOW);
  assert_in_range(report.frames, CT_HEALTH_WINDOW * CT_HEALTH_EVERY - 4, CT_HEALTH_WINDOW * CT_HEALTH_EVERY);
  /* Hit in all of the first window, halved at 1, 1.5 and 2 windows, beside its 1 in 64 since. */
  double expected = CT_HEALTH_WINDOW * (1 / 8.0 + (1 / 4.0 + 1 / 2.0 + 1) / 128);
  assert_true(fabs(ct_health_count(b->health, 40) - expected) < 4);
  assert_int_equal(report.hot, 1);
  free(adu);
  free_bench(b);
}

/* ---- images, and nothing wrong with the detector ------------------------------------------------------------------ */
static double poisson(uint64_t *seed, double mean)
{
  if (mean > 60) {
    double u = twin_uniform(seed), v = twin_uniform(seed);
    return fmax(0, round(mean + sqrt(mean) * sqrt(-2 * log(1 - u)) * cos(6.283185307179586 * v)));
  }
  double n = 0, p = exp(-mean), sum = p, u = twin_uniform(seed);
  for (; u > sum && n < 400; sum += p)
    p *= mean / ++n;
  return n;
}

enum { SIDE = 80 };

/* Vignetting that leaves a fortieth in the corners; a disc with nothing around it; a bright field with corners and one of
 * its edges a thin line; a bright spot in the middle; a steep ramp. */
static double image(int which, int row, int col)
{
  double y = row - 39.5, x = col - 39.5, r = sqrt(x * x + y * y);
  switch (which) {
  case 0: return exp(-r * r / 850);
  case 1: return r < 30 ? 1 : 0.002;
  case 2: return (abs(col - 40) < 22 && abs(row - 40) < 14) || row == 60 || row == 61 ? 1 : 0.05;
  case 3: return 0.05 + exp(-r * r / 18);
  default: return exp(-x / 12) / 30;
  }
}

static void judge_images(bool faulty)
{
  uint64_t seed = 3;
  struct ct_health *health;
  uint8_t *state = ct_xcalloc(SIDE * SIDE, 1);
  assert_int_equal(ct_health_new(&health, SIDE, SIDE, NULL), 0);
  health->looks = health->window_frames = 1000;
  for (int which = 0; which < 5; which++) {
    for (double most = 0.3; most < 50000; most *= 3) {
      struct ct_health_report report;
      for (int p = 0; p < SIDE * SIDE; p++)
        health->count[p] = (uint32_t)poisson(&seed, most * image(which, p / SIDE, p % SIDE));
      const int at = 33 * SIDE + 36, row = 45;
      if (faulty) {
        health->count[at] = (uint32_t)(8 * health->count[at] + 40);
        for (int c = 0; c < SIDE; c++)
          health->count[row * SIDE + c] = 0;
      }
      memset(state, CT_PIXEL_FINE, SIDE * SIDE);
      ct_health_judge(health, state, &report);
      assert_int_equal(report.hot, faulty);
      if (!faulty)
        assert_int_equal(report.dead, 0);
      else
        assert_int_equal(state[at], CT_PIXEL_HOT);
      /* A row that is dead is known where there is light. */
      for (int c = 0; c < SIDE && faulty; c++)
        if (most * image(which, row, c) > 300 && most * image(which, row - 1, c) > 300 && most * image(which, row + 2, c) > 300 &&
            c > 1 && c < SIDE - 2 && most * image(which, row + 2, c - 2) > 300 && most * image(which, row + 2, c + 2) > 300)
          assert_int_equal(state[row * SIDE + c], CT_PIXEL_DEAD);
    }
  }
  ct_health_free(health);
  free(state);
}

/* 55 images of 6400 pixels: no pixel of 3.5 * 10^5 is accused. */
static void test_images_are_no_faults(void **state)
{
  (void)state;
  judge_images(false);
}

static void test_faults_in_images(void **state)
{
  (void)state;
  judge_images(true);
}

static void test_verdicts_do_not_flicker(void **state)
{
  (void)state;
  struct ct_health *health;
  struct ct_health_report report;
  uint8_t verdict[25] = { 0 };
  assert_int_equal(ct_health_new(&health, 5, 5, NULL), 0);
  health->looks = 1;
  const struct { uint32_t count; int state; } steps[] = {   /* of 900: hot above 3786, dead below 12 */
    { 3780, CT_PIXEL_FINE }, { 3790, CT_PIXEL_HOT }, { 3780, CT_PIXEL_HOT }, { 1900, CT_PIXEL_HOT }, { 1890, CT_PIXEL_FINE },
    { 12, CT_PIXEL_FINE }, { 11, CT_PIXEL_DEAD }, { 20, CT_PIXEL_DEAD }, { 24, CT_PIXEL_DEAD }, { 25, CT_PIXEL_FINE },
  };
  for (size_t i = 0; i < sizeof steps / sizeof *steps; i++) {
    for (int p = 0; p < 25; p++)
      health->count[p] = p == 12 ? steps[i].count : 900;
    ct_health_judge(health, verdict, &report);
    assert_int_equal(verdict[12], steps[i].state);
  }
  ct_health_free(health);
}

/* Two workers who share the frames know together what one knows alone. */
static void test_workers_add_up(void **state)
{
  (void)state;
  struct bench *b = new_bench(true), *c = new_bench(true);
  struct ct_health *sum;
  struct ct_health_report one, other, both;

  b->rate[200] = c->rate[200] = 0.9;
  c->seed = 77;
  run(b, CT_HEALTH_EVERY * 3000, 0, true);
  run(c, CT_HEALTH_EVERY * 2000, 0, true);
  assert_int_equal(ct_health_new(&sum, ROWS, COLS, NULL), 0);
  for (int again = 0; again < 2; again++) {
    ct_health_clear(sum);
    ct_health_merge(sum, b->health);
    ct_health_merge(sum, c->health);
  }
  ct_health_judge(b->health, b->state, &one);
  ct_health_judge(c->health, c->state, &other);
  ct_health_judge(sum, c->state, &both);
  assert_int_equal(both.frames, one.frames + other.frames);
  assert_int_equal(both.looks, 5000);
  assert_true(fabs(both.hits_per_frame - (3 * one.hits_per_frame + 2 * other.hits_per_frame) / 5) < 1e-9);
  for (uint32_t p = 0; p < PIXELS; p++)
    assert_int_equal(ct_health_count(sum, p), ct_health_count(b->health, p) + ct_health_count(c->health, p));
  assert_int_equal(both.hot, 1);
  assert_true(fabs(both.drift_median_ADU) < 0.3);
  ct_health_free(sum);
  free_bench(b);
  free_bench(c);
}

int main(void)
{
  const struct CMUnitTest tests[] = {
    cmocka_unit_test(test_nothing_yet),
    cmocka_unit_test(test_hot_and_dead),
    cmocka_unit_test(test_few_hits_accuse_nobody),
    cmocka_unit_test(test_row_flood),
    cmocka_unit_test(test_jump_of_the_whole_sensor),
    cmocka_unit_test(test_drift),
    cmocka_unit_test(test_old_looks_fade),
    cmocka_unit_test(test_images_are_no_faults),
    cmocka_unit_test(test_faults_in_images),
    cmocka_unit_test(test_verdicts_do_not_flicker),
    cmocka_unit_test(test_workers_add_up),
  };
  return cmocka_run_group_tests_name("hexitec health", tests, NULL, NULL);
}
