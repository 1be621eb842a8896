/* All ways of the kernels do what plain C does. */
#include "tomo/kernel.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "phantom.h"

enum { SIDE = 96, LEN = 400, RUNS = 60 };

static const struct ct_tomo_ops *plain(void)
{
  size_t i = 0;
  while (ct_tomo_ops_get(i + 1)) i++;
  assert_string_equal(ct_tomo_ops_get(i)->name, "plain");
  return ct_tomo_ops_get(i);
}

static void fill(float *values, size_t n, uint64_t *seed)
{
  for (size_t i = 0; i < n; i++) values[i] = (float)phantom_normal(seed);
}

static double difference(const float *a, const float *b, size_t n)
{
  double most = 0;
  for (size_t i = 0; i < n; i++) most = fmax(most, fabs((double)a[i] - (double)b[i]));
  return most;
}

static void adds_are_equal(void **state)
{
  (void)state;
  uint64_t seed = 1;
  float even[LEN + 1], odd[LEN], value[LEN], slope[LEN], bend[LEN], a[SIDE * SIDE], b[SIDE * SIDE];
  struct ct_span span[SIDE];
  const struct ct_curve curve = { value + 130, slope + 130, bend + 130 };

  for (int run = 0; run < RUNS; run++) {
    /* A curve without jumps: ways may see a place at either side of a sample. */
    fill(even, LEN + 1, &seed);
    fill(odd, LEN, &seed);
    plain()->bend(&(struct ct_curve){ value, slope, bend }, even, odd, 1, LEN);
    double step = run < 4 ? (run % 2 ? -1 : 1) * (run / 2) : 2 * phantom_uniform(&seed) - 1;
    double row_step = 2 * phantom_uniform(&seed) - 1;
    struct ct_ray ray = { llrint(90 * CT_FIXED_ONE - (step + row_step) * SIDE / 2 * CT_FIXED_ONE),
                          llrint(step * CT_FIXED_ONE), llrint(row_step * CT_FIXED_ONE) };
    for (int i = 0; i < SIDE; i++) {
      span[i].from = (uint16_t)(phantom_uniform(&seed) * 4);
      span[i].to = (uint16_t)(span[i].from + phantom_uniform(&seed) * 3);
    }
    for (size_t k = 0; ct_tomo_ops_get(k); k++) {
      memset(a, 0, sizeof a);
      memset(b, 0, sizeof b);
      plain()->add(a, SIDE, span, SIDE, &curve, &ray);
      ct_tomo_ops_get(k)->add(b, SIDE, span, SIDE, &curve, &ray);
      /* 2^-23 of a sample more or less where it is steep, and the order of three roundings. */
      assert_true(difference(a, b, SIDE * SIDE) < 1e-5);
    }
    /* And plain is what it says: a parabola, in double precision. */
    for (int row = 0; row < SIDE; row += 13) {
      for (int i = 16 * span[row].from; i < 16 * span[row].to; i++) {
        double at = (double)ray.first / CT_FIXED_ONE + i * step + row * row_step, k = floor(at), part = (at - k) * 0x1p27;
        const int j = (int)k + 130;
        if (at - k < 1e-6 || at - k > 1 - 1e-6) continue;
        double expected = (double)value[j] + ((double)slope[j] + (double)bend[j] * part) * part;
        assert_true(fabs((double)a[row * SIDE + i] - expected) < 1e-5);
      }
    }
  }
}

static void merges_are_equal(void **state)
{
  (void)state;
  uint64_t seed = 2;
  enum { N = 7, OUT = 96 };
  float line[N][2][OUT + 16], even[OUT], odd[OUT], e[OUT], o[OUT];
  struct ct_shifted shifted[N];

  for (uint32_t n = 0; n <= N; n++) {
    for (uint32_t i = 0; i < n; i++) {
      fill(line[i][0], 2 * (OUT + 16), &seed);
      shifted[i] = (struct ct_shifted){ line[i][0] + i, line[i][1] + 3, (float)phantom_uniform(&seed), (float)phantom_uniform(&seed) };
    }
    plain()->merge(even, odd, OUT, shifted, n);
    for (size_t k = 0; ct_tomo_ops_get(k); k++) {
      ct_tomo_ops_get(k)->merge(e, o, OUT, shifted, n);
      assert_true(difference(e, even, OUT) < 1e-5 && difference(o, odd, OUT) < 1e-5);
    }
    for (int i = 0; i < OUT; i++) {
      double sum = 0, half = 0;
      for (uint32_t k = 0; k < n; k++) {
        double near = (double)shifted[k].near, far = (double)shifted[k].far;
        sum += near * (double)shifted[k].a[i] + far * (double)shifted[k].b[i];
        half += near * (double)shifted[k].b[i] + far * (double)shifted[k].a[i + 1];
      }
      assert_true(fabs(sum - (double)even[i]) < 1e-5 && fabs(half - (double)odd[i]) < 1e-5);
    }
  }
}

/* The parabola goes through the samples and those half-way. */
static void bends_meet_samples(void **state)
{
  (void)state;
  uint64_t seed = 3;
  enum { OUT = 96 };
  float even[OUT + 8], odd[OUT + 8], value[OUT], slope[OUT], bend[OUT];
  const struct ct_curve curve = { value, slope, bend };

  fill(even, OUT + 8, &seed);
  fill(odd, OUT + 8, &seed);
  for (size_t k = 0; ct_tomo_ops_get(k); k++) {
    ct_tomo_ops_get(k)->bend(&curve, even, odd, 3, OUT);
    for (int i = 0; i < OUT; i++) {
      double v = (double)value[i], s = (double)slope[i] * 0x1p27, b = (double)bend[i] * 0x1p54;
      assert_true(fabs(v - 3 * (double)even[i]) < 1e-5);
      assert_true(fabs(v + s / 2 + b / 4 - 3 * (double)odd[i]) < 1e-5);
      assert_true(fabs(v + s + b - 3 * (double)even[i + 1]) < 2e-5);
    }
  }
}

static void logarithms_are_equal(void **state)
{
  (void)state;
  enum { N = 1003 };
  float in[N], out[N];
  for (int i = 0; i < N; i++) in[i] = 1e-4f * powf(1.0116f, (float)i);
  in[500] = 1;
  for (size_t k = 0; ct_tomo_ops_get(k); k++) {
    ct_tomo_ops_get(k)->log(out, in, N);
    for (int i = 0; i < N; i++) {
      double expected = -log((double)in[i]);
      assert_true(fabs((double)out[i] - expected) <= 3e-7 * fmax(1, fabs(expected)));
    }
    assert_true(out[500] == 0);
  }
}

static void sums_are_equal(void **state)
{
  (void)state;
  enum { N = 101, STRIDE = 107, ROWS = 3 };
  uint64_t seed = 4;
  unsigned char pixels[2 * ROWS * STRIDE + 1];
  uint16_t values[ROWS * STRIDE];
  for (int i = 0; i < ROWS * STRIDE; i++) values[i] = (uint16_t)(60000 * phantom_uniform(&seed));
  values[STRIDE - 1] = 65535;            /* beside what is summed */
  for (int brightest = 0; brightest < N; brightest += 25) {
    uint16_t was = values[STRIDE + brightest];
    values[STRIDE + brightest] = 61000;
    memcpy(pixels + 1, values, sizeof values);
    for (size_t k = 0; ct_tomo_ops_get(k); k++) {
      uint32_t sum[N];
      assert_true(ct_tomo_ops_get(k)->sum(sum, pixels + 1, STRIDE, ROWS, 61000, N));
      assert_true(ct_tomo_ops_get(k)->sum(sum, pixels + 1, STRIDE, ROWS, 0, N));
      assert_false(ct_tomo_ops_get(k)->sum(sum, pixels + 1, STRIDE, ROWS, 61001, N));
      for (int i = 0; i < N; i++) assert_int_equal(sum[i], values[i] + values[STRIDE + i] + values[2 * STRIDE + i]);
    }
    values[STRIDE + brightest] = was;
  }
}

int main(void)
{
  const struct CMUnitTest tests[] = {
    cmocka_unit_test(adds_are_equal),
    cmocka_unit_test(merges_are_equal),
    cmocka_unit_test(bends_meet_samples),
    cmocka_unit_test(logarithms_are_equal),
    cmocka_unit_test(sums_are_equal),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
