/* Calibration against spectra of which the truth is known: gains come back within their errors, and what cannot be
 * calibrated is said to be so. The lines are those of the decay tables, not the ones the code took from xraylib. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <comptop/hexitec.h>

#include "twin.h"

enum { BINS = 4096, PIXELS = 120 };
static const double bin_ADU = 2, fwhm_keV = 0.93;

struct truth_line {
  double energy_keV, weight;
};
/* keV and photons per 100 decays: LNE-LNHB tables of Am-241 (with Np L X rays) and Co-57 (with Fe K). */
static const struct truth_line am241[] = {
  { 11.871, 0.66 }, { 13.761, 1.07 }, { 13.946, 9.6 }, { 16.816, 2.5 }, { 17.061, 1.5 }, { 17.505, 0.65 },
  { 17.751, 5.7 },  { 17.992, 1.37 }, { 20.784, 1.39 }, { 21.099, 0.65 }, { 21.342, 0.59 }, { 21.491, 0.29 },
  { 26.3446, 2.4 }, { 59.5409, 35.9 },
};
static const struct truth_line co57[] = {
  { 6.3909, 16.8 }, { 6.4039, 33.2 }, { 7.058, 5.9 }, { 14.4129, 9.15 }, { 122.0607, 85.51 }, { 136.4736, 10.71 },
};

static double normal(uint64_t *seed)
{
  return sqrt(-2 * log(1 - twin_uniform(seed))) * cos(6.283185307179586 * twin_uniform(seed));
}

static double pick_keV(const struct truth_line *lines, size_t n, uint64_t *seed)
{
  double all = 0;
  for (size_t i = 0; i < n; i++)
    all += lines[i].weight;
  double at = twin_uniform(seed) * all;
  size_t i = 0;
  while (i + 1 < n && (at -= lines[i].weight) > 0)
    i++;
  return lines[i].energy_keV;
}

/* One pixel's spectrum: <photons>, a fifth of them a flat background of 4 to 70 keV. */
static void shine(uint32_t *counts, const struct truth_line *lines, size_t n, int photons, double gradient,
                  double intercept_keV, uint64_t *seed)
{
  memset(counts, 0, BINS * sizeof *counts);
  for (int i = 0; i < photons; i++) {
    double energy_keV = twin_uniform(seed) < 0.2 ? 4 + 66 * twin_uniform(seed)
                                                 : pick_keV(lines, n, seed) + fwhm_keV / 2.3548 * normal(seed);
    double adu = floor((energy_keV - intercept_keV) / gradient + 0.5);
    if (adu >= 80 && adu < BINS * bin_ADU)
      counts[(size_t)(adu / bin_ADU)]++;
  }
}

static struct ct_calibrate with(struct ct_lines *lines, const char *sources)
{
  assert_int_equal(ct_lines_of(lines, sources, 1, NULL), 0);
  return (struct ct_calibrate){ .lines = lines, .fwhm_keV = 1, .bin_ADU = bin_ADU, .bins = BINS };
}

/* ---- sources ---------------------------------------------------------------------------------------------------- */
static const struct ct_line_group *group_at(const struct ct_lines *lines, double energy_keV)
{
  for (uint32_t i = 0; i < lines->n_groups; i++)
    if (fabs(lines->groups[i].energy_keV - energy_keV) < 0.02)
      return &lines->groups[i];
  return NULL;
}

static void test_sources(void **state)
{
  (void)state;
  struct ct_lines lines;
  struct ct_err err = { "" };
  assert_int_equal(ct_lines_of(&lines, "Am-241", 1, &err), 0);
  assert_non_null(group_at(&lines, 59.5409));
  assert_non_null(group_at(&lines, 26.3446));
  assert_int_equal(ct_lines_of(&lines, "Co-57", 1, &err), 0);
  assert_non_null(group_at(&lines, 122.0607));
  assert_non_null(group_at(&lines, 136.4736));
  assert_non_null(group_at(&lines, 14.4129));
  /* Bearden (1967): W Ka1 59.3182, Ka2 57.9817; Pb Ka1 74.9694, Ka2 72.8042 keV; Ka2/Ka1 0.58 and 0.60 (Scofield). */
  assert_int_equal(ct_lines_of(&lines, "W,Pb", 1, &err), 0);
  assert_non_null(group_at(&lines, (59.3182 + 0.58 * 57.9817) / 1.58));
  assert_non_null(group_at(&lines, (74.9694 + 0.60 * 72.8042) / 1.60));
  for (uint32_t i = 1; i < lines.n; i++)
    assert_true(lines.lines[i].energy_keV >= lines.lines[i - 1].energy_keV);
  static const char *const wrong[] = { "", ",", "Am-241,", "Am241", "-241", "Am-999", "Xx", "Li", "W;Pb",
                                       "a name that is much too long for any source" };
  for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
    err.text[0] = '\0';
    assert_int_equal(ct_lines_of(&lines, wrong[i], 1, &err), CT_EUSAGE);
    assert_int_not_equal(err.text[0], '\0');
  }
}

/* ---- gains ------------------------------------------------------------------------------------------------------ */
struct pulls {
  double sum, square, worst;
  int n;
};
static void pull(struct pulls *p, double value)
{
  p->sum += value;
  p->square += value * value;
  p->worst = fmax(p->worst, fabs(value));
  p->n++;
}
/* Of n standard normal numbers: mean within 4 / sqrt(n), variance within 4 sqrt(2 / n), none beyond 5. */
static void assert_normal(const struct pulls *p)
{
  assert_true(fabs(p->sum / p->n) < 4 / sqrt(p->n));
  assert_true(fabs(p->square / p->n - 1) < 4 * sqrt(2.0 / p->n) + 0.1);
  assert_true(p->worst < 5);
}

static void gains(const char *source, const struct truth_line *truth, size_t n, double typical, int photons)
{
  struct ct_lines lines;
  struct ct_calibrate setup = with(&lines, source);
  uint32_t *counts = ct_xcalloc((size_t)PIXELS * BINS, sizeof *counts);
  uint16_t threshold[PIXELS];
  double gradient[PIXELS], intercept_keV[PIXELS];
  struct pulls gradients = { 0 }, intercepts = { 0 };
  uint64_t seed = 7;
  for (int p = 0; p < PIXELS; p++) {
    threshold[p] = 80;
    gradient[p] = typical * (1 + 0.04 * normal(&seed));
    intercept_keV[p] = 1.5 + 0.4 * normal(&seed);
    shine(counts + (size_t)p * BINS, truth, n, photons, gradient[p], intercept_keV[p], &seed);
  }
  setup.gradient_keV = ct_calibrate_gradient(&setup, counts, threshold, PIXELS);
  assert_true(fabs(setup.gradient_keV / typical - 1) < 0.05);
  for (int p = 0; p < PIXELS; p++) {
    struct ct_calibration got;
    ct_calibrate_pixel(&setup, counts + (size_t)p * BINS, threshold[p], &got);
    assert_int_equal(got.verdict, CT_CALIBRATION_OK);
    assert_true(got.lines >= 3);
    assert_true(fabs(got.fwhm_keV - fwhm_keV) < 0.2);
    pull(&gradients, (got.gradient_keV - gradient[p]) / got.gradient_sigma_keV);
    pull(&intercepts, (got.intercept_keV - intercept_keV[p]) / got.intercept_sigma_keV);
  }
  assert_normal(&gradients);
  assert_normal(&intercepts);
  free(counts);
}

#define COUNT(array) (sizeof(array) / sizeof *(array))
static void test_gains_of_am241(void **state)
{
  (void)state;
  gains("Am-241", am241, COUNT(am241), 0.0288, 4000);
}
static void test_gains_of_co57(void **state)
{
  (void)state;
  gains("Co-57", co57, COUNT(co57), 0.0288, 4000);
}
/* Nobody has said what gain the detector has. */
static void test_another_gain(void **state)
{
  (void)state;
  gains("Am-241", am241, COUNT(am241), 0.012, 4000);
}

/* ---- pixels that cannot be calibrated ---------------------------------------------------------------------------- */
static enum ct_calibration_verdict verdict_of(const char *source, const uint32_t *counts)
{
  struct ct_lines lines;
  struct ct_calibrate setup = with(&lines, source);
  struct ct_calibration got;
  setup.gradient_keV = 0.0288;
  ct_calibrate_pixel(&setup, counts, 80, &got);
  if (got.verdict != CT_CALIBRATION_OK && got.verdict != CT_CALIBRATION_TWO) {
    assert_true(got.gradient_keV == 0 && got.intercept_keV == 0);
    assert_true(got.gradient_sigma_keV == 0 && got.intercept_sigma_keV == 0);
  } else {
    assert_true(got.gradient_keV > 0 && isfinite(got.intercept_keV));
  }
  return got.verdict;
}

static void test_verdicts(void **state)
{
  (void)state;
  uint32_t *counts = ct_xcalloc(BINS, sizeof *counts);
  uint64_t seed = 3;
  assert_int_equal(verdict_of("Am-241", counts), CT_CALIBRATION_EMPTY);
  shine(counts, am241, COUNT(am241), 90, 0.0288, 1.5, &seed);
  assert_int_equal(verdict_of("Am-241", counts), CT_CALIBRATION_FEW);
  /* Noise only, falling from the threshold on; and a flat spectrum. */
  memset(counts, 0, BINS * sizeof *counts);
  for (int i = 0; i < 20000; i++)
    counts[40 + (int)(-30 * log(1 - twin_uniform(&seed)))]++;
  assert_int_equal(verdict_of("Am-241", counts), CT_CALIBRATION_MISSING);
  for (int i = 0; i < BINS; i++)
    counts[i] = 5;
  assert_int_equal(verdict_of("Am-241", counts), CT_CALIBRATION_MISSING);
  /* One line gives no straight line. */
  shine(counts, &am241[13], 1, 5000, 0.0288, 1.5, &seed);
  assert_int_equal(verdict_of("Am-241", counts), CT_CALIBRATION_MISSING);
  /* Two give one that nothing checks. */
  static const struct truth_line two[] = { { 26.3446, 0.5 }, { 59.5409, 1 } };
  shine(counts, two, 2, 5000, 0.0288, 1.5, &seed);
  assert_int_equal(verdict_of("Am-241", counts), CT_CALIBRATION_TWO);
  /* Am-241 with its lines in the wrong places: 26.3 keV is 1 keV too high. */
  static const struct truth_line bent[] = { { 13.9, 1 }, { 27.0, 1 }, { 59.5409, 2 } };
  shine(counts, bent, 3, 8000, 0.0288, 1.5, &seed);
  assert_int_equal(verdict_of("Am-241", counts), CT_CALIBRATION_CROOKED);
  /* A stronger line where the source has none. */
  static const struct truth_line other[] = { { 13.946, 1 }, { 26.3446, 1 }, { 59.5409, 1 }, { 45, 9 } };
  shine(counts, other, 4, 12000, 0.0288, 1.5, &seed);
  assert_int_equal(verdict_of("Am-241", counts), CT_CALIBRATION_FOREIGN);
  /* Counters near their end overflow nothing. */
  for (int i = 0; i < BINS; i++)
    counts[i] = UINT32_MAX;
  assert_int_equal(verdict_of("Am-241", counts), CT_CALIBRATION_MISSING);
  free(counts);
}

static void test_wrong_source(void **state)
{
  (void)state;
  uint32_t *counts = ct_xcalloc(8 * BINS, sizeof *counts);
  uint16_t threshold[8];
  struct ct_lines lines;
  uint64_t seed = 5;
  for (int p = 0; p < 8; p++) {
    threshold[p] = 80;
    shine(counts + p * BINS, am241, COUNT(am241), 5000, 0.0288, 1.5, &seed);
  }
  static const char *const wrong[] = { "Co-57", "W", "Pb", "W,Pb", "Cd-109" };
  for (size_t i = 0; i < COUNT(wrong); i++) {
    struct ct_calibrate setup = with(&lines, wrong[i]);
    setup.gradient_keV = ct_calibrate_gradient(&setup, counts, threshold, 8);
    for (int p = 0; p < 8; p++) {
      struct ct_calibration got;
      ct_calibrate_pixel(&setup, counts + p * BINS, threshold[p], &got);
      assert_true(got.gradient_keV == 0);
    }
  }
  free(counts);
}

/* ---- photons of one pixel ------------------------------------------------------------------------------------------ */
static void test_singles(void **state)
{
  (void)state;
  enum { ROWS = 20, COLS = 80, N = ROWS * COLS };
  static uint16_t adu[N];
  static double gradient[N], intercept[N];
  static struct ct_event events[N];
  uint64_t seed = 11;
  for (int i = 0; i < N; i++)
    gradient[i] = 1;
  static uint16_t threshold[N];
  for (int i = 0; i < N; i++)
    threshold[i] = 100;
  struct ct_hexitec_setup setup = { .rows = ROWS, .cols = COLS, .sharing = CT_SHARING_ODIN_CSA3, .threshold_ADU = threshold,
                                    .gradient_keV = gradient, .intercept_keV = intercept };
  struct ct_hexitec *hexitec;
  assert_int_equal(ct_hexitec_new(&hexitec, &setup, NULL), 0);
  struct ct_frame frame = { .pixels = (const unsigned char *)adu, .bytes = sizeof adu, .type = CT_U16, .count = 1,
                            .rows = ROWS, .cols = COLS };
  for (int round = 0; round < 200; round++) {
    const double share = round % 20 / 19.0;
    uint32_t expected = 0, n;
    for (int i = 0; i < N; i++)
      adu[i] = twin_uniform(&seed) < share * share ? (uint16_t)(100 + twin_random(&seed) % 1000) : 0;
    ct_hexitec_find(hexitec, &frame, 0, 1);
    ct_hexitec_correct(hexitec, hexitec);
    n = ct_hexitec_singles(hexitec, &frame, 0, events);
    for (int y = 0; y < ROWS; y++)
      for (int x = 0; x < COLS; x++) {
        bool alone = adu[y * COLS + x] != 0;
        for (int v = y - 1; v <= y + 1; v++)
          for (int u = x - 1; u <= x + 1; u++)
            if ((u != x || v != y) && u >= 0 && u < COLS && v >= 0 && v < ROWS && adu[v * COLS + u] != 0)
              alone = false;
        if (!alone)
          continue;
        assert_true(expected < n);
        assert_int_equal(events[expected].pixel, y * COLS + x);
        assert_true(events[expected].energy_keV == (float)adu[y * COLS + x]);
        expected++;
      }
    assert_int_equal(n, expected);
  }
  ct_hexitec_free(hexitec);
}

int main(void)
{
  const struct CMUnitTest tests[] = {
    cmocka_unit_test(test_sources),      cmocka_unit_test(test_gains_of_am241), cmocka_unit_test(test_gains_of_co57),
    cmocka_unit_test(test_another_gain), cmocka_unit_test(test_verdicts),       cmocka_unit_test(test_wrong_source),
    cmocka_unit_test(test_singles),
  };
  return cmocka_run_group_tests_name("calibrate", tests, NULL, NULL);
}
