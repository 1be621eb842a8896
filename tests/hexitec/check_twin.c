/* Random frames of every kind: the detector and its slow twin give the same events, bit for bit and in order. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <comptop/hexitec.h>

#include "twin.h"

struct maps {
  uint16_t *dark_ADU, *threshold_ADU;
  double *gradient_keV, *intercept_keV;
};

static struct maps make_maps(size_t pixels, uint64_t *seed)
{
  struct maps maps = { ct_xcalloc(pixels, 2), ct_xcalloc(pixels, 2), ct_xcalloc(pixels, 8), ct_xcalloc(pixels, 8) };

  for (size_t p = 0; p < pixels; p++) {
    maps.dark_ADU[p] = (uint16_t)(twin_random(seed) % 40);
    maps.threshold_ADU[p] = (uint16_t)(60 + twin_random(seed) % 40);
    maps.gradient_keV[p] = 0.02 + 0.02 * twin_uniform(seed);
    maps.intercept_keV[p] = 2 * twin_uniform(seed) - 0.5;
    if (twin_random(seed) % 20 == 0)
      maps.gradient_keV[p] = maps.intercept_keV[p] = 0;
    if (twin_random(seed) % 50 == 0)
      maps.dark_ADU[p] = maps.threshold_ADU[p] = 40000;   /* together beyond any ADU */
  }
  return maps;
}

static void free_maps(struct maps maps)
{
  free(maps.dark_ADU);
  free(maps.threshold_ADU);
  free(maps.gradient_keV);
  free(maps.intercept_keV);
}

static void put(unsigned char *at, uint64_t value, size_t bytes, bool big_endian)
{
  for (size_t b = 0; b < bytes; b++)
    at[big_endian ? bytes - 1 - b : b] = (unsigned char)(value >> 8 * b);
}

static void put_u16(unsigned char *at, double occupancy, bool big_endian, uint64_t *seed)
{
  uint64_t r = twin_random(seed);
  uint64_t adu = r % 60;                                   /* noise */
  if (twin_uniform(seed) < occupancy)
    adu = r % 7 == 0 ? 140 : r % 31 == 0 ? 65535 : 80 + r % 5000;   /* many equal, some saturated */
  put(at, adu, 2, big_endian);
}

static void put_f32(unsigned char *at, double occupancy, bool big_endian, uint64_t *seed)
{
  static const float odd[] = { NAN, INFINITY, -INFINITY, -5, -0.0f, 1e-40f, 3.0e38f, 4 };
  uint64_t r = twin_random(seed);
  float energy_keV = 0;
  uint32_t bits;

  if (r % 200 == 0)
    energy_keV = odd[r / 200 % 8];
  else if (twin_uniform(seed) < occupancy)
    energy_keV = r % 7 == 0 ? 60 : (float)(r % 100000) / 500;
  memcpy(&bits, &energy_keV, sizeof bits);
  put(at, bits, 4, big_endian);
}

/* Compares <frames> batches of three; a number is skipped now and then. */
static uint64_t compare(const struct ct_hexitec_setup *setup, enum ct_type type, double occupancy, int frames,
                        uint64_t *seed)
{
  size_t pixels = (size_t)setup->rows * setup->cols, pixel_bytes = type == CT_U16 ? 2 : 4;
  unsigned char *bytes = ct_xcalloc(3 * pixels * pixel_bytes + 1, 1);
  struct ct_event *got = ct_xcalloc(pixels, sizeof *got), *expected = ct_xcalloc(pixels, sizeof *expected);
  struct ct_hexitec_tally got_tally = { 0 }, expected_tally = { 0 };
  struct twin *twin = twin_new(setup);
  struct ct_hexitec *hexitec;
  struct ct_frame frame = { .pixels = bytes + 1, .bytes = 3 * pixels * pixel_bytes, .type = type, .count = 3,
                            .rows = setup->rows, .cols = setup->cols, .number = UINT64_MAX - 4 };

  assert_int_equal(ct_hexitec_new(&hexitec, setup, NULL), 0);
  for (int f = 0; f < frames; f++) {
    frame.big_endian = twin_random(seed) % 4 == 0;
    for (size_t i = 0; i < 3 * pixels; i++) {
      unsigned char *at = bytes + 1 + i * pixel_bytes;
      if (type == CT_U16)
        put_u16(at, occupancy, frame.big_endian, seed);
      else
        put_f32(at, occupancy, frame.big_endian, seed);
    }
    for (uint32_t i = 0; i < frame.count; i++) {
      uint32_t n = ct_hexitec_frame(hexitec, &frame, i, got, &got_tally);
      assert_int_equal(n, twin_frame(twin, &frame, i, expected, &expected_tally));
      assert_memory_equal(got, expected, n * sizeof *got);
      assert_memory_equal(&got_tally, &expected_tally, sizeof got_tally);
    }
    frame.number += twin_random(seed) % 8 == 0 ? 5 : 3;
  }
  ct_hexitec_free(hexitec);
  twin_free(twin);
  free(bytes);
  free(got);
  free(expected);
  return got_tally.hits;
}

static const double occupancies[] = { 0, 0.002, 0.05, 0.15, 0.5, 1 };

static uint64_t compare_all(uint32_t rows, uint32_t cols, bool asic_order, uint64_t seed)
{
  struct maps maps = make_maps((size_t)rows * cols, &seed);
  uint64_t hits = 0;

  for (unsigned variant = 0; variant < CT_SHARING_COUNT * 48; variant++) {
    unsigned bits = variant / CT_SHARING_COUNT;
    struct ct_hexitec_setup setup = {
      .rows = rows, .cols = cols, .asic_order = asic_order,
      .sharing = (enum ct_sharing)(variant % CT_SHARING_COUNT), .next_frame = bits & 1,
      .dark_ADU = bits & 2 ? maps.dark_ADU : NULL, .threshold_ADU = bits & 4 ? NULL : maps.threshold_ADU,
      .threshold_keV = bits & 2 ? 3.9 : bits & 4 ? -7 : 0,
    };
    if (bits % 3 != 2) {
      setup.gradient_keV = maps.gradient_keV;
      setup.intercept_keV = maps.intercept_keV;
    }
    enum ct_type type = bits & 8 ? CT_F32 : CT_U16;
    hits += compare(&setup, type, occupancies[bits % 6], 4, &seed);
  }
  free_maps(maps);
  return hits;
}

/* TWIN_ROUNDS in the environment: so many times the hits, each time others. */
static uint64_t rounds(void)
{
  const char *text = getenv("TWIN_ROUNDS");
  return text ? strtoull(text, NULL, 10) : 1;
}

static void test_one_module(void **state)
{
  (void)state;
  for (uint64_t round = 0; round < rounds(); round++)
    assert_true(compare_all(80, 80, false, 1 + 1000 * round) > 5000000);
}

static void test_asic_order(void **state)
{
  (void)state;
  for (uint64_t round = 0; round < rounds(); round++)
    assert_true(compare_all(80, 80, true, 2 + 1000 * round) > 5000000);
  assert_true(compare_all(3, 240, true, 3) > 400000);
}

static void test_odd_shapes(void **state)
{
  (void)state;
  static const uint32_t shape[][2] = { { 1, 1 }, { 1, 9 }, { 9, 1 }, { 2, 2 }, { 7, 2 }, { 5, 3 }, { 7, 5 }, { 8, 8 },
                                       { 5, 13 }, { 1, 64 }, { 3, 43 } };
  for (size_t i = 0; i < sizeof shape / sizeof *shape; i++)
    compare_all(shape[i][0], shape[i][1], false, 10 + i);
}

static void test_several_modules(void **state)
{
  (void)state;
  uint64_t seed = 5, hits = 0;
  struct maps maps = make_maps(160 * 480, &seed);
  struct ct_hexitec_setup setup = { .rows = 160, .cols = 480, .next_frame = true, .threshold_ADU = maps.threshold_ADU,
                                    .gradient_keV = maps.gradient_keV, .intercept_keV = maps.intercept_keV };

  hits += compare(&setup, CT_U16, 0.1, 2, &seed);
  setup.asic_order = true;
  hits += compare(&setup, CT_U16, 0.1, 2, &seed);
  assert_true(hits > 50000);
  free_maps(maps);
}

/* Three workers take blocks in turn; all look for hits before any corrects, as late as can be. What they make of it is
 * what one makes of it, dark frames included. */
static void test_workers_share_the_frames(void **state)
{
  (void)state;
  enum { WORKERS = 3, FRAMES = 32, SIDE = 40, SMALL = SIDE * SIDE };
  static unsigned char bytes[FRAMES * SMALL * 2];
  static struct ct_event got[SMALL], expected[SMALL];
  uint64_t seed = 8;
  struct maps maps = make_maps(SMALL, &seed);
  struct ct_hexitec_setup setup = { .rows = SIDE, .cols = SIDE, .next_frame = true, .sharing = CT_SHARING_ODIN_CSA3,
                                    .threshold_ADU = maps.threshold_ADU, .gradient_keV = maps.gradient_keV,
                                    .intercept_keV = maps.intercept_keV };
  struct ct_frame frame = { .pixels = bytes, .bytes = sizeof bytes, .type = CT_U16, .count = FRAMES, .rows = SIDE,
                            .cols = SIDE };
  struct ct_hexitec *alone, *worker[WORKERS];
  struct ct_hexitec_tally sum = { 0 }, expected_sum = { 0 };

  assert_int_equal(ct_hexitec_new(&alone, &setup, NULL), 0);
  for (int w = 0; w < WORKERS; w++)
    assert_int_equal(ct_hexitec_new(&worker[w], &setup, NULL), 0);
  ct_hexitec_dark_add(alone, &frame, 0);   /* zeros, then something to tell old from new */
  for (size_t p = 0; p < SMALL; p++)
    put(bytes + 2 * p, p % 30, 2, false);
  ct_hexitec_dark_add(alone, &frame, 0);
  assert_int_equal(ct_hexitec_dark_apply(alone), 2);
  for (int w = 0; w < WORKERS; w++)
    ct_hexitec_dark_copy(worker[w], alone);

  const struct ct_hexitec *before = worker[0];
  for (int round = 0; round < 200; round++) {
    uint32_t first[WORKERS + 1] = { 0 };
    for (size_t i = 0; i < (size_t)FRAMES * SMALL; i++)
      put_u16(bytes + 2 * i, round % 2 ? 0.3 : 0.02, false, &seed);
    for (int w = 0; w < WORKERS; w++) {
      first[w + 1] = first[w] + 1 + (uint32_t)(twin_random(&seed) % (FRAMES / WORKERS));
      ct_hexitec_find(worker[w], &frame, first[w], first[w + 1] - first[w]);
    }
    for (int w = 0; w < WORKERS; w++) {
      ct_hexitec_correct(worker[w], before);
      before = worker[w];
    }
    for (int w = WORKERS - 1; w >= 0; w--) {   /* in any order, once corrected */
      for (uint32_t i = first[w]; i < first[w + 1]; i++)
        ct_hexitec_events(worker[w], &frame, i, got, &sum);
    }
    for (int w = 0; w < WORKERS; w++) {
      for (uint32_t i = first[w]; i < first[w + 1]; i++) {
        struct ct_hexitec_tally ignored = { 0 };
        uint32_t n = ct_hexitec_frame(alone, &frame, i, expected, &expected_sum);
        assert_int_equal(ct_hexitec_events(worker[w], &frame, i, got, &ignored), n);
        assert_memory_equal(got, expected, n * sizeof *got);
      }
    }
    assert_memory_equal(&sum, &expected_sum, sizeof sum);
    frame.number += first[WORKERS] + (round % 5 == 0);
  }
  assert_true(sum.next_frame > 10000);
  for (int w = 0; w < WORKERS; w++)
    ct_hexitec_free(worker[w]);
  ct_hexitec_free(alone);
  free_maps(maps);
}

int main(void)
{
  const struct CMUnitTest tests[] = {
    cmocka_unit_test(test_one_module),
    cmocka_unit_test(test_asic_order),
    cmocka_unit_test(test_odd_shapes),
    cmocka_unit_test(test_several_modules),
    cmocka_unit_test(test_workers_share_the_frames),
  };
  return cmocka_run_group_tests_name("hexitec twin", tests, NULL, NULL);
}
