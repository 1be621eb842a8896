/* The rules by hand-made frames, darks, and what a wrong setup is told. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include <comptop/hexitec.h>

enum { ROWS = 5, COLS = 6, PIXELS = ROWS * COLS };

struct bench {
  uint16_t adu[PIXELS], dark[PIXELS], threshold[PIXELS];
  double gradient[PIXELS], intercept[PIXELS];
  struct ct_hexitec_setup setup;
  struct ct_hexitec *hexitec;
  struct ct_event events[PIXELS];
  struct ct_hexitec_tally tally;
};

/* Threshold 80, 0.5 keV/ADU + 1 keV, no dark. */
static void lay_out(struct bench *b)
{
  memset(b, 0, sizeof *b);
  for (int p = 0; p < PIXELS; p++) {
    b->threshold[p] = 80;
    b->gradient[p] = 0.5;
    b->intercept[p] = 1;
  }
  b->setup = (struct ct_hexitec_setup){ .rows = ROWS, .cols = COLS, .dark_ADU = b->dark, .threshold_ADU = b->threshold,
                                        .gradient_keV = b->gradient, .intercept_keV = b->intercept };
}

static uint32_t run(struct bench *b, uint64_t number)
{
  struct ct_frame frame = { .pixels = (const unsigned char *)b->adu, .bytes = sizeof b->adu, .type = CT_U16, .count = 1,
                            .rows = ROWS, .cols = COLS, .number = number };
  return ct_hexitec_frame(b->hexitec, &frame, 0, b->events, &b->tally);
}

static uint32_t run_once(struct bench *b)
{
  assert_int_equal(ct_hexitec_new(&b->hexitec, &b->setup, NULL), 0);
  uint32_t n = run(b, 0);
  ct_hexitec_free(b->hexitec);
  return n;
}

static void assert_event(const struct ct_event *event, uint32_t pixel, float energy_keV)
{
  assert_int_equal(event->pixel, pixel);
  assert_true(event->energy_keV == energy_keV);
}

#define AT(row, col) ((row) * COLS + (col))

static void test_single_double_multiple(void **state)
{
  (void)state;
  struct bench b;

  lay_out(&b);
  b.adu[AT(0, 0)] = 100;                           /* alone: 51 keV */
  b.adu[AT(0, 3)] = 80, b.adu[AT(1, 4)] = 120;     /* touching at a corner: 41 + 61 at the larger */
  b.adu[AT(3, 0)] = b.adu[AT(4, 0)] = 90;          /* equal: at the earlier */
  b.adu[AT(3, 3)] = b.adu[AT(4, 4)] = b.adu[AT(3, 5)] = 300;   /* a chain longer than 3 x 3: dropped */
  assert_int_equal(run_once(&b), 3);
  assert_event(&b.events[0], AT(0, 0), 51);
  assert_event(&b.events[1], AT(1, 4), 102);
  assert_event(&b.events[2], AT(3, 0), 92);
  assert_int_equal(b.tally.frames, 1);
  assert_int_equal(b.tally.hits, 8);
  assert_int_equal(b.tally.single, 1);
  assert_int_equal(b.tally.dbl, 2);
  assert_int_equal(b.tally.multiple, 1);
}

static void test_larger_energy_decides_not_larger_ADU(void **state)
{
  (void)state;
  struct bench b;

  lay_out(&b);
  b.gradient[AT(2, 2)] = 1;
  b.adu[AT(2, 1)] = 150, b.adu[AT(2, 2)] = 100;    /* 76 and 101 keV */
  assert_int_equal(run_once(&b), 1);
  assert_event(&b.events[0], AT(2, 2), 177);
}

static void test_edges_do_not_touch(void **state)
{
  (void)state;
  struct bench b;

  lay_out(&b);
  b.adu[AT(0, COLS - 1)] = b.adu[AT(1, 0)] = 100;  /* next to each other in memory only */
  b.adu[AT(2, 0)] = b.adu[AT(3, COLS - 1)] = 100;
  assert_int_equal(run_once(&b), 3);
  assert_int_equal(b.tally.single, 2);
  assert_int_equal(b.tally.dbl, 1);                /* (1,0) and (2,0) do touch */
}

static void test_threshold_dark_dead(void **state)
{
  (void)state;
  struct bench b;

  lay_out(&b);
  b.adu[AT(0, 0)] = 79;
  b.adu[AT(0, 2)] = 80;                            /* kept when equal */
  b.dark[AT(2, 0)] = 1000, b.adu[AT(2, 0)] = 500;  /* below the dark: no wrap */
  b.dark[AT(2, 2)] = 1000, b.adu[AT(2, 2)] = 1080;
  b.gradient[AT(4, 0)] = 0, b.adu[AT(4, 0)] = 5000;
  b.gradient[AT(4, 3)] = 0, b.adu[AT(4, 3)] = 5000, b.adu[AT(4, 4)] = 100;   /* a dead neighbour is none */
  b.dark[AT(0, 4)] = 40000, b.threshold[AT(0, 4)] = 40000, b.adu[AT(0, 4)] = 65535;
  assert_int_equal(run_once(&b), 3);
  assert_event(&b.events[0], AT(0, 2), 41);
  assert_event(&b.events[1], AT(2, 2), 41);
  assert_event(&b.events[2], AT(4, 4), 51);
}

static void test_energy_is_rounded_twice(void **state)
{
  (void)state;
  struct bench b;
  float gradient = 0.0288123f, intercept = 1.6054321f;
  uint32_t differ = 0;

  lay_out(&b);
  b.setup.sharing = CT_SHARING_NONE;
  for (int p = 0; p < PIXELS; p++) {
    b.gradient[p] = (double)gradient;
    b.intercept[p] = (double)intercept;
    b.adu[p] = (uint16_t)(2000 + 37 * p);
  }
  assert_int_equal(run_once(&b), PIXELS);
  for (int p = 0; p < PIXELS; p++) {
    volatile float product = (float)b.adu[p] * gradient;
    assert_event(&b.events[p], (uint32_t)p, product + intercept);
    differ += fmaf((float)b.adu[p], gradient, intercept) != b.events[p].energy_keV;
  }
  assert_true(differ > 0);   /* the frame can tell a fused operation from two */
}

static void test_asic_order(void **state)
{
  (void)state;
  static const uint32_t first_columns[] = { 0, 20, 40, 60, 1, 21, 41, 61 };
  static uint16_t adu[2 * 160], threshold[2 * 160];
  struct ct_event events[320];
  struct ct_hexitec_tally tally = { 0 };
  struct ct_hexitec_setup setup = { .rows = 2, .cols = 160, .asic_order = true, .sharing = CT_SHARING_NONE,
                                    .threshold_ADU = threshold };
  struct ct_frame frame = { .pixels = (const unsigned char *)adu, .bytes = sizeof adu, .type = CT_U16, .count = 1,
                            .rows = 2, .cols = 160 };
  struct ct_hexitec *hexitec;
  double gradient[320], intercept[320];

  for (int p = 0; p < 320; p++) {
    threshold[p] = 1;
    gradient[p] = 1;
    intercept[p] = p;   /* geometric: the energy tells which pixel's calibration was taken */
  }
  setup.gradient_keV = gradient;
  setup.intercept_keV = intercept;
  assert_int_equal(ct_hexitec_new(&hexitec, &setup, NULL), 0);
  for (uint32_t k = 0; k < 8; k++) {
    for (uint32_t block = 0; block < 4; block++) {   /* row 0, row 1; module 0, module 1 */
      memset(adu, 0, sizeof adu);
      adu[block * 80 + k] = 1;
      assert_int_equal(ct_hexitec_frame(hexitec, &frame, 0, events, &tally), 1);
      assert_event(&events[0], block * 80 + first_columns[k], (float)(block * 80 + first_columns[k] + 1));
    }
  }
  ct_hexitec_free(hexitec);
}

static void test_next_frame_keeps_every_other(void **state)
{
  (void)state;
  static const uint64_t number[] = { 7, 8, 9, 10, 12, 13, 3, 4 };
  static const uint32_t kept[] = { 1, 0, 1, 0, 1, 0, 1, 0 };   /* a gap or a step back starts again */
  struct bench b;

  lay_out(&b);
  b.setup.next_frame = true;
  b.adu[AT(2, 2)] = 100;
  assert_int_equal(ct_hexitec_new(&b.hexitec, &b.setup, NULL), 0);
  for (int i = 0; i < 8; i++)
    assert_int_equal(run(&b, number[i]), kept[i]);
  assert_int_equal(b.tally.hits, 4);
  assert_int_equal(b.tally.next_frame, 4);
  ct_hexitec_free(b.hexitec);
}

static void test_full_frame(void **state)
{
  (void)state;
  struct bench b;

  lay_out(&b);
  memset(b.adu, 0xff, sizeof b.adu);
  assert_int_equal(run_once(&b), 0);
  assert_int_equal(b.tally.hits, PIXELS);
  assert_int_equal(b.tally.multiple, 1);
  assert_int_equal(b.tally.saturated, PIXELS);
}

/* ---- the open detector software's rules, step by step ---------------------------------------------------------- */
static uint32_t run_odin(struct bench *b, enum ct_sharing sharing)
{
  for (int p = 0; p < PIXELS; p++) {
    b->gradient[p] = 1;
    b->intercept[p] = 0;
  }
  b->setup.sharing = sharing;
  return run_once(b);
}

static void assert_tally(const struct bench *b, unsigned single, unsigned dbl, unsigned multiple)
{
  assert_int_equal(b->tally.single, single);
  assert_int_equal(b->tally.dbl, dbl);
  assert_int_equal(b->tally.multiple, multiple);
}

static void test_addition_prefers_the_later_of_equals(void **state)
{
  (void)state;
  struct bench b;

  lay_out(&b);
  b.adu[AT(0, 0)] = 300;
  b.adu[AT(2, 1)] = b.adu[AT(3, 0)] = 200;
  assert_int_equal(run_odin(&b, CT_SHARING_ODIN_CSA3), 2);
  assert_event(&b.events[0], AT(0, 0), 300);
  assert_event(&b.events[1], AT(3, 0), 400);
  assert_tally(&b, 1, 1, 0);
}

/* 150 takes in 100 on its right; 200 below is then smaller than the 250 it would have beaten alone. */
static void test_addition_compares_with_the_running_sum(void **state)
{
  (void)state;
  struct bench b;

  lay_out(&b);
  b.adu[AT(1, 1)] = 150, b.adu[AT(1, 2)] = 100, b.adu[AT(2, 1)] = 200;
  assert_int_equal(run_odin(&b, CT_SHARING_ODIN_CSA3), 1);
  assert_event(&b.events[0], AT(1, 1), 450);
  assert_tally(&b, 0, 0, 1);
}

/* The sum moves from (1,1) to (1,2), but the window stays: (1,3) is not in it and comes when the scan is at (1,2). */
static void test_addition_keeps_its_window_and_chains(void **state)
{
  (void)state;
  struct bench b;

  lay_out(&b);
  b.adu[AT(1, 1)] = 100, b.adu[AT(1, 2)] = 150, b.adu[AT(1, 3)] = 260, b.adu[AT(2, 0)] = 90;
  assert_int_equal(run_odin(&b, CT_SHARING_ODIN_CSA3), 1);
  assert_event(&b.events[0], AT(1, 2), 600);   /* 100 -> 250 at (1,2), takes in 90, then 340 > 260 */
  assert_tally(&b, 0, 0, 1);

  lay_out(&b);
  b.adu[AT(1, 1)] = 100, b.adu[AT(1, 3)] = 150, b.adu[AT(3, 5)] = 260;
  assert_int_equal(run_odin(&b, CT_SHARING_ODIN_CSA5), 1);
  assert_event(&b.events[0], AT(3, 5), 510);
  assert_tally(&b, 0, 0, 1);
  b.tally = (struct ct_hexitec_tally){ 0 };
  assert_int_equal(run_odin(&b, CT_SHARING_ODIN_CSA3), 3);
  assert_tally(&b, 3, 0, 0);
}

/* In a chain the first takes the second along, and the third stays. */
static void test_discrimination_depends_on_the_order(void **state)
{
  (void)state;
  struct bench b;

  lay_out(&b);
  b.adu[AT(0, 0)] = 100, b.adu[AT(1, 1)] = 100, b.adu[AT(2, 2)] = 130;
  assert_int_equal(run_odin(&b, CT_SHARING_ODIN_CSD3), 1);
  assert_event(&b.events[0], AT(2, 2), 130);
  assert_tally(&b, 1, 1, 0);
  b.tally = (struct ct_hexitec_tally){ 0 };
  assert_int_equal(run_odin(&b, CT_SHARING_ODIN_CSD5), 0);
  assert_tally(&b, 0, 0, 1);
}

static void test_odin_edges_do_not_touch(void **state)
{
  (void)state;
  struct bench b;

  for (int sharing = CT_SHARING_ODIN_CSA3; sharing < CT_SHARING_COUNT; sharing++) {
    lay_out(&b);
    b.adu[AT(0, COLS - 1)] = b.adu[AT(1, 0)] = b.adu[AT(2, COLS - 1)] = b.adu[AT(4, 0)] = b.adu[AT(4, COLS - 1)] = 100;
    bool five = sharing == CT_SHARING_ODIN_CSA5 || sharing == CT_SHARING_ODIN_CSD5;
    bool addition = sharing == CT_SHARING_ODIN_CSA3 || sharing == CT_SHARING_ODIN_CSA5;
    /* Within two rows of each other: the three at the right edge. The first takes in the second, or both go. */
    assert_int_equal(run_odin(&b, (enum ct_sharing)sharing), five ? 3 : 5);
    assert_int_equal(b.tally.dbl, five && !addition);
    assert_int_equal(b.tally.multiple, five && addition);
  }
}

/* What is no signal upstream is no hit: zero even without a threshold; and no energy, no photon. */
static void test_odin_takes_zero_for_nothing(void **state)
{
  (void)state;
  struct bench b;

  lay_out(&b);
  b.setup.threshold_ADU = NULL;
  b.adu[AT(0, 0)] = 1;
  b.adu[AT(2, 2)] = 10;
  b.setup.sharing = CT_SHARING_ODIN_CSA3;
  b.gradient[AT(2, 2)] = 1, b.intercept[AT(2, 2)] = -10;
  assert_int_equal(run_once(&b), 1);
  assert_event(&b.events[0], 0, 1.5f);
  assert_int_equal(b.tally.hits, 2);
  assert_tally(&b, 1, 0, 0);
}

static void test_without_calibration(void **state)
{
  (void)state;
  struct bench b;

  lay_out(&b);
  b.setup.gradient_keV = b.setup.intercept_keV = NULL;
  b.adu[AT(0, 0)] = b.adu[AT(3, 3)] = b.adu[AT(3, 4)] = 100;
  assert_int_equal(ct_hexitec_new(&b.hexitec, &b.setup, NULL), 0);
  assert_false(ct_hexitec_has_calibration(b.hexitec));
  assert_int_equal(run(&b, 0), 0);
  assert_int_equal(b.tally.single, 1);
  assert_int_equal(b.tally.dbl, 1);
  ct_hexitec_free(b.hexitec);
}

static void test_dark_frames(void **state)
{
  (void)state;
  struct bench b;
  float zeros[PIXELS] = { 0 };
  struct ct_frame dark = { .pixels = (const unsigned char *)b.adu, .bytes = sizeof b.adu, .type = CT_U16, .count = 1,
                           .rows = ROWS, .cols = COLS };
  struct ct_frame no_dark = dark;

  lay_out(&b);
  no_dark.type = CT_F32;
  no_dark.pixels = (const unsigned char *)zeros;
  assert_int_equal(ct_hexitec_new(&b.hexitec, &b.setup, NULL), 0);
  assert_int_equal(ct_hexitec_dark_apply(b.hexitec), 0);
  b.adu[0] = 10, b.adu[3] = 65535;
  ct_hexitec_dark_add(b.hexitec, &dark, 0);
  b.adu[0] = 11;
  ct_hexitec_dark_add(b.hexitec, &dark, 0);
  ct_hexitec_dark_add(b.hexitec, &no_dark, 0);
  b.adu[0] = 90, b.adu[3] = 65535;
  assert_int_equal(run(&b, 0), 2);                 /* not before it is applied */
  assert_int_equal(ct_hexitec_dark_apply(b.hexitec), 2);
  assert_int_equal(run(&b, 1), 0);                 /* 10.5 is 11: 79 is below the threshold */
  b.adu[0] = 91;
  assert_int_equal(run(&b, 2), 1);
  assert_event(&b.events[0], 0, 41);
  assert_int_equal(ct_hexitec_dark_apply(b.hexitec), 0);
  assert_int_equal(run(&b, 3), 1);                 /* nothing came, nothing changed */
  ct_hexitec_free(b.hexitec);
}

static void test_float_threshold(void **state)
{
  (void)state;
  struct bench b;
  float energy_keV[PIXELS] = { [0] = 0.1f, [7] = 60 };   /* 0.1f is just above 0.1 */
  struct ct_frame frame = { .pixels = (const unsigned char *)energy_keV, .bytes = sizeof energy_keV, .type = CT_F32,
                            .count = 1, .rows = ROWS, .cols = COLS };

  lay_out(&b);
  b.setup.threshold_keV = 0.1;
  assert_int_equal(ct_hexitec_new(&b.hexitec, &b.setup, NULL), 0);
  assert_int_equal(ct_hexitec_frame(b.hexitec, &frame, 0, b.events, &b.tally), 1);
  assert_int_equal(b.tally.dbl, 1);
  assert_event(&b.events[0], 7, 60.0f + 0.1f);
  ct_hexitec_free(b.hexitec);
  b.setup.threshold_keV = (double)0.1f;
  assert_int_equal(ct_hexitec_new(&b.hexitec, &b.setup, NULL), 0);
  b.tally = (struct ct_hexitec_tally){ 0 };
  assert_int_equal(ct_hexitec_frame(b.hexitec, &frame, 0, b.events, &b.tally), 1);
  assert_int_equal(b.tally.single, 1);
  ct_hexitec_free(b.hexitec);
}

static void test_dead_pixels_of_float_frames(void **state)
{
  (void)state;
  struct bench b;
  float energy_keV[PIXELS] = { [3] = 60, [4] = 30, [PIXELS - 1] = 90 };   /* 4 would make a double of 3 */
  struct ct_frame frame = { .pixels = (const unsigned char *)energy_keV, .bytes = sizeof energy_keV, .type = CT_F32,
                            .count = 1, .rows = ROWS, .cols = COLS };

  lay_out(&b);
  b.gradient[4] = b.gradient[PIXELS - 1] = 0;
  b.threshold[3] = b.dark[3] = UINT16_MAX;   /* what no ADU reaches is nothing to a frame in keV */
  assert_int_equal(ct_hexitec_new(&b.hexitec, &b.setup, NULL), 0);
  assert_int_equal(ct_hexitec_frame(b.hexitec, &frame, 0, b.events, &b.tally), 1);
  assert_event(&b.events[0], 3, 60);
  assert_int_equal(b.tally.hits, 1);
  assert_int_equal(b.tally.single, 1);
  ct_hexitec_free(b.hexitec);
}

static void assert_refused(const struct ct_hexitec_setup *setup, int code, const char *words)
{
  struct ct_hexitec *hexitec;
  struct ct_err err = { "" };

  assert_int_equal(ct_hexitec_new(&hexitec, setup, &err), code);
  assert_null(hexitec);
  assert_non_null(strstr(err.text, words));
}

static void test_wrong_setup(void **state)
{
  (void)state;
  struct bench b;
  struct ct_hexitec_setup setup;

  lay_out(&b);
  setup = b.setup, setup.rows = 0;
  assert_refused(&setup, CT_ECONFIG, "hexitec.rows");
  setup = b.setup, setup.rows = setup.cols = 1u << 16;
  assert_refused(&setup, CT_ECONFIG, "65536 x 65536");
  setup = b.setup, setup.asic_order = true;
  assert_refused(&setup, CT_ECONFIG, "hexitec.readout");
  setup = b.setup, setup.intercept_keV = NULL;
  assert_refused(&setup, CT_ECONFIG, "hexitec.intercepts");
  setup = b.setup, setup.threshold_keV = (double)NAN;
  assert_refused(&setup, CT_ERANGE, "threshold_keV");
  b.gradient[7] = 1e40;
  assert_refused(&b.setup, CT_ERANGE, "hexitec.gradients: the value of pixel 7");
  b.gradient[7] = 1, b.intercept[8] = (double)NAN;
  assert_refused(&b.setup, CT_ERANGE, "hexitec.intercepts: the value of pixel 8");
}

static void test_words(void **state)
{
  (void)state;
  assert_string_equal(ct_sharing_word(CT_SHARING_PAPER), "paper");
  assert_string_equal(ct_sharing_word(CT_SHARING_ODIN_CSD5), "odin-csd5");
  assert_true(ct_hexitec_takes(CT_U16) && ct_hexitec_takes(CT_F32));
  assert_false(ct_hexitec_takes(CT_F64) || ct_hexitec_takes(CT_I16));
}

/* Same photons, evenly over their step, the same for everybody who looks at the same frames. */
static void test_dither(void **state)
{
  struct bench b;
  enum { FRAMES = 20000, PARTS = 10 };
  unsigned parts[PARTS] = { 0 };
  (void)state;
  lay_out(&b);
  b.adu[AT(1, 1)] = 100;
  b.adu[AT(3, 3)] = 120;
  b.adu[AT(3, 4)] = 90;
  assert_int_equal(run_once(&b), 2);
  struct ct_event plain[2] = { b.events[0], b.events[1] };
  b.setup.dither = true;
  assert_int_equal(ct_hexitec_new(&b.hexitec, &b.setup, NULL), 0);
  for (uint64_t number = 0; number < FRAMES; number++) {
    assert_int_equal(run(&b, number), 2);
    for (int i = 0; i < 2; i++) {
      double steps = (double)(b.events[i].energy_keV - plain[i].energy_keV) / 0.5;
      assert_int_equal(b.events[i].pixel, plain[i].pixel);
      assert_true(steps >= -0.501 && steps <= 0.501);
      if (i == 0)
        parts[(int)fmin(fmax((steps + 0.5) * PARTS, 0), PARTS - 1)]++;
    }
  }
  for (int i = 0; i < PARTS; i++)      /* 2000 each, 6 standard deviations */
    assert_in_range(parts[i], FRAMES / PARTS - 270, FRAMES / PARTS + 270);
  struct ct_event last = b.events[0];
  run(&b, 7);
  assert_true(b.events[0].energy_keV < last.energy_keV || b.events[0].energy_keV > last.energy_keV);
  run(&b, FRAMES - 1);
  assert_event(&b.events[0], last.pixel, last.energy_keV);
  ct_hexitec_free(b.hexitec);
}

int main(void)
{
  const struct CMUnitTest tests[] = {
    cmocka_unit_test(test_dither),
    cmocka_unit_test(test_single_double_multiple),
    cmocka_unit_test(test_larger_energy_decides_not_larger_ADU),
    cmocka_unit_test(test_edges_do_not_touch),
    cmocka_unit_test(test_threshold_dark_dead),
    cmocka_unit_test(test_energy_is_rounded_twice),
    cmocka_unit_test(test_asic_order),
    cmocka_unit_test(test_next_frame_keeps_every_other),
    cmocka_unit_test(test_full_frame),
    cmocka_unit_test(test_addition_prefers_the_later_of_equals),
    cmocka_unit_test(test_addition_compares_with_the_running_sum),
    cmocka_unit_test(test_addition_keeps_its_window_and_chains),
    cmocka_unit_test(test_discrimination_depends_on_the_order),
    cmocka_unit_test(test_odin_edges_do_not_touch),
    cmocka_unit_test(test_odin_takes_zero_for_nothing),
    cmocka_unit_test(test_without_calibration),
    cmocka_unit_test(test_dark_frames),
    cmocka_unit_test(test_float_threshold),
    cmocka_unit_test(test_dead_pixels_of_float_frames),
    cmocka_unit_test(test_wrong_setup),
    cmocka_unit_test(test_words),
  };
  return cmocka_run_group_tests_name("hexitec", tests, NULL, NULL);
}
