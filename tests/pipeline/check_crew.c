/* Whatever the number of workers: spectra, windows, tallies and health are those of one detector that sees one frame after the
 * other. Random streams in lots of odd sizes, with gaps in the numbers and dark frames between, all sharing rules. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "pipeline/crew.h"
#include "tests/hexitec/twin.h"

enum { LOTS = 12, LOT_FRAMES = 37, BINS = 100, WORKERS_MAX = 7 };
static const unsigned workers[] = { 1, 2, 3, WORKERS_MAX };
enum { CREWS = sizeof workers / sizeof *workers };

struct sensor {
  struct ct_hexitec_setup setup;
  uint16_t *dark_ADU, *threshold_ADU;
  double *gradient_keV, *intercept_keV;
  unsigned char *pixels;
  size_t n;                      /* pixels */
};

static struct sensor make_sensor(uint32_t rows, uint32_t cols, uint64_t *seed)
{
  size_t n = (size_t)rows * cols;
  struct sensor s = { { 0 }, ct_xcalloc(n, 2), ct_xcalloc(n, 2), ct_xcalloc(n, 8), ct_xcalloc(n, 8),
                      ct_xcalloc(n * LOTS * LOT_FRAMES, 2), n };
  for (size_t p = 0; p < n; p++) {
    s.dark_ADU[p] = (uint16_t)(twin_random(seed) % 40);
    s.threshold_ADU[p] = (uint16_t)(60 + twin_random(seed) % 40);
    s.gradient_keV[p] = p % 97 == 0 ? 0 : 0.02 + 0.02 * twin_uniform(seed);
    s.intercept_keV[p] = p % 97 == 0 ? 0 : twin_uniform(seed) - 0.5;
  }
  s.setup = (struct ct_hexitec_setup){ .rows = rows, .cols = cols, .next_frame = true, .dark_ADU = s.dark_ADU,
                                       .threshold_ADU = s.threshold_ADU, .gradient_keV = s.gradient_keV,
                                       .intercept_keV = s.intercept_keV };
  return s;
}

static void free_sensor(struct sensor *s)
{
  free(s->dark_ADU);
  free(s->threshold_ADU);
  free(s->gradient_keV);
  free(s->intercept_keV);
  free(s->pixels);
}

/* Lots of frames that follow one another in memory; their sizes, numbers and times are random. */
static void make_lots(struct sensor *s, struct ct_lot *lots, uint32_t frames_max, uint64_t *number, int64_t *time_ns,
                      uint64_t *seed)
{
  size_t at = 0;
  for (size_t l = 0; l < LOTS; l++) {
    uint32_t count = 1 + (uint32_t)(twin_random(seed) % frames_max);
    lots[l] = (struct ct_lot){ .kind = CT_LOT_FRAMES };
    lots[l].frame = (struct ct_frame){ .pixels = s->pixels + at, .bytes = count * s->n * 2, .type = CT_U16, .count = count,
                                       .rows = s->setup.rows, .cols = s->setup.cols, .number = *number,
                                       .arrival_ns = *time_ns };
    double occupancy = twin_random(seed) % 8 == 0 ? 0.5 : 0.03;
    for (size_t i = 0; i < count * s->n; i++, at += 2) {
      uint64_t r = twin_random(seed);
      uint16_t adu = (uint16_t)((double)(r >> 40) * 0x1p-24 < occupancy ? r % 7 == 0 ? 140 : 80 + r % 3000 : r % 60);
      memcpy(s->pixels + at, &adu, sizeof adu);
    }
    *number += count + (twin_random(seed) % 4 == 0 ? 3 : 0);
    *time_ns += (int64_t)(twin_random(seed) % 40000000);
  }
}

static struct ct_spectra *new_spectra(const struct sensor *s, double window_s)
{
  struct ct_spectra_setup setup = { (uint32_t)s->n, { 0, 1, BINS }, window_s, 1 << 28 };
  struct ct_spectra *spectra;
  assert_int_equal(ct_spectra_new(&spectra, &setup, NULL), 0);
  return spectra;
}

static void assert_equal_spectra(struct ct_spectra *got, struct ct_spectra *expected, const struct sensor *s)
{
  size_t bytes = s->n * BINS * sizeof(uint32_t);
  assert_memory_equal(ct_spectra_window_tally(got), ct_spectra_window_tally(expected), sizeof(struct ct_spectra_tally));
  assert_memory_equal(ct_spectra_total_tally(got), ct_spectra_total_tally(expected), sizeof(struct ct_spectra_tally));
  assert_int_equal(memcmp(ct_spectra_window(got), ct_spectra_window(expected), bytes), 0);
  assert_int_equal(memcmp(ct_spectra_total(got), ct_spectra_total(expected), bytes), 0);
}

static void assert_equal_health(const struct ct_crew *crew, const struct ct_health *expected, const struct sensor *s)
{
  struct ct_health *sum;
  struct ct_health_report report[2];
  uint8_t *state = ct_xcalloc(2 * s->n, 1);

  memset(report, 0, sizeof report);
  assert_int_equal(ct_health_new(&sum, s->setup.rows, s->setup.cols, NULL), 0);
  ct_crew_health(crew, sum);
  for (uint32_t p = 0; p < s->n; p++)
    assert_int_equal(ct_health_count(sum, p), ct_health_count(expected, p));
  ct_health_judge(sum, state, &report[0]);
  ct_health_clear(sum);
  ct_health_merge(sum, expected);
  ct_health_judge(sum, state + s->n, &report[1]);
  assert_true(report[1].row_floods > 0);
  assert_memory_equal(&report[0], &report[1], sizeof report[0]);
  assert_memory_equal(state, state + s->n, s->n);
  ct_health_free(sum);
  free(state);
}

/* One detector, one frame after the other. */
static void analyse_alone(struct ct_hexitec *hexitec, struct ct_spectra *spectra, struct ct_health *health,
                          struct ct_event *events, const struct ct_lot *lots, size_t n)
{
  for (size_t l = 0; l < n; l++) {
    for (uint32_t i = 0; i < lots[l].frame.count; i++) {
      struct ct_hexitec_tally tally = { 0 };
      uint32_t made = ct_hexitec_frame(hexitec, &lots[l].frame, i, events, &tally);
      ct_spectra_add(spectra, lots[l].frame.arrival_ns, events, made, &tally);
      ct_health_add(health, hexitec, &lots[l].frame, i, tally.hits);
    }
  }
}

static void compare(struct sensor *s, uint32_t frames_max, int rounds, double window_s, uint64_t seed)
{
  struct ct_crew *crews[CREWS];
  struct ct_spectra *spectra[CREWS], *expected = new_spectra(s, window_s);
  struct ct_hexitec *alone;
  struct ct_health *health;
  struct ct_event *events = ct_xcalloc(s->n, sizeof *events);
  struct ct_lot lots[LOTS];
  uint64_t number = 100;
  int64_t time_ns = CT_NS_PER_S;

  assert_int_equal(ct_hexitec_new(&alone, &s->setup, NULL), 0);
  assert_int_equal(ct_health_new(&health, s->setup.rows, s->setup.cols, NULL), 0);
  for (int c = 0; c < CREWS; c++) {
    spectra[c] = new_spectra(s, window_s);
    assert_int_equal(ct_crew_open(&crews[c], workers[c], &s->setup, spectra[c], NULL), 0);
    assert_true(ct_crew_has_calibration(crews[c]));
  }
  for (int round = 0; round < rounds; round++) {
    make_lots(s, lots, frames_max, &number, &time_ns, &seed);
    size_t part = twin_random(&seed) % (LOTS + 1);   /* a stretch may be empty */
    analyse_alone(alone, expected, health, events, lots, part);
    for (int c = 0; c < CREWS; c++)
      ct_crew_analyse(crews[c], lots, part);
    if (round % 3 == 2) {   /* the first frames of the rest are darks, too */
      ct_hexitec_dark_add(alone, &lots[0].frame, 0);
      assert_int_equal(ct_hexitec_dark_apply(alone), 1);
      ct_health_new_dark(health);
      struct ct_frame dark = lots[0].frame;
      dark.count = 1;
      for (int c = 0; c < CREWS; c++) {
        ct_crew_dark_add(crews[c], &dark);
        assert_int_equal(ct_crew_dark_apply(crews[c]), 1);
        assert_int_equal(ct_crew_dark_apply(crews[c]), 0);
      }
    }
    analyse_alone(alone, expected, health, events, lots + part, LOTS - part);
    for (int c = 0; c < CREWS; c++)
      ct_crew_analyse(crews[c], lots + part, LOTS - part);
  }
  assert_true(ct_spectra_total_tally(expected)->photons > 10000);
  assert_true(ct_spectra_total_tally(expected)->hexitec.next_frame > 1000);
  if (!isinf(window_s))
    assert_true(ct_spectra_window_tally(expected)->photons < ct_spectra_total_tally(expected)->photons);
  for (int c = 0; c < CREWS; c++) {
    assert_equal_spectra(spectra[c], expected, s);
    assert_equal_health(crews[c], health, s);
    ct_crew_close(crews[c]);
    ct_spectra_free(spectra[c]);
  }
  ct_spectra_free(expected);
  ct_health_free(health);
  ct_hexitec_free(alone);
  free(events);
}

static void test_all_rules(void **state)
{
  (void)state;
  uint64_t seed = 1;
  struct sensor s = make_sensor(80, 80, &seed);
  for (int rule = 0; rule < CT_SHARING_COUNT; rule++) {
    s.setup.sharing = (enum ct_sharing)rule;
    s.setup.asic_order = rule % 2;
    compare(&s, LOT_FRAMES, 6, rule % 3 ? 0.2 : (double)INFINITY, seed + (uint64_t)rule);
  }
  free_sensor(&s);
}

static void test_single_frames(void **state)
{
  (void)state;
  uint64_t seed = 2;
  struct sensor s = make_sensor(80, 80, &seed);
  compare(&s, 1, 60, 0.2, seed);
  free_sensor(&s);
}

static void test_modules(void **state)
{
  (void)state;
  uint64_t seed = 3;
  struct sensor four = make_sensor(160, 160, &seed), twelve = make_sensor(160, 480, &seed);
  four.setup.sharing = CT_SHARING_ODIN_CSA3;
  compare(&four, 9, 6, 0.2, seed);
  twelve.setup.asic_order = true;
  compare(&twelve, 3, 4, 0.2, seed);
  free_sensor(&four);
  free_sensor(&twelve);
}

static void test_refusals(void **state)
{
  (void)state;
  struct ct_hexitec_setup setup = { .rows = 80, .cols = 90, .asic_order = true };
  struct ct_crew *crew;
  struct ct_err err;
  assert_int_equal(ct_crew_open(&crew, 3, &setup, NULL, &err), CT_ECONFIG);
  assert_non_null(strstr(err.text, "modules of 80"));
  assert_null(crew);
  ct_crew_close(NULL);
}

int main(void)
{
  const struct CMUnitTest tests[] = {
    cmocka_unit_test(test_all_rules),
    cmocka_unit_test(test_single_frames),
    cmocka_unit_test(test_modules),
    cmocka_unit_test(test_refusals),
  };
  return cmocka_run_group_tests_name("crew", tests, NULL, NULL);
}
