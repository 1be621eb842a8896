/* What propagation does to a smooth sample, in closed form, is undone. */
#include <comptop/tomo.h>

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

enum { ROWS = 90, COLS = 121 };

/* Thickness t = A exp(-r^2 / 2 s^2); behind it I = (1 - alpha laplace) exp(-t), laplace exp(-t) = exp(-t) (|grad t|^2 -
 * laplace t). */
static void gaussian_comes_back(void **state)
{
  (void)state;
  static const double alphas[] = { 0, 1, 12 };
  const double height = 0.8, s = 9;
  for (int i = 0; i < 3; i++) {
    struct ct_paganin *paganin;
    float image[ROWS * COLS];
    double truth[ROWS * COLS], changed = 0;
    for (int k = 0; k < ROWS * COLS; k++) {
      double x = k % COLS - 62.3, y = k / COLS - 43.1, rr = x * x + y * y, t = height * exp(-rr / (2 * s * s));
      double laplace = exp(-t) * (t * t * rr / pow(s, 4) - t * (rr / pow(s, 4) - 2 / (s * s)));
      truth[k] = t;
      image[k] = (float)-log(exp(-t) - alphas[i] * laplace);
      changed = fmax(changed, fabs((double)image[k] - t));
    }
    if (i == 2) assert_true(changed > 0.1);
    assert_int_equal(ct_paganin_open(&paganin, ROWS, COLS, alphas[i], NULL), 0);
    ct_paganin_run(paganin, image);
    for (int k = 0; k < ROWS * COLS; k++)
      if (!(fabs((double)image[k] - truth[k]) < 2e-4)) fail_msg("alpha %g, pixel %d: %g, not %g", alphas[i], k, (double)image[k], truth[k]);
    ct_paganin_close(paganin);
  }
}

/* Half of an image lets less through: the edge becomes exp(-|x| / sqrt(alpha)) wide on both sides, the only bounded solution
 * of (1 - alpha laplace) f = step. */
static void edges_have_their_width(void **state)
{
  (void)state;
  enum { WIDE = 160, HIGH = 9 };
  struct ct_paganin *paganin;
  float image[HIGH * WIDE];
  const double alpha = 50, through = 0.6;

  for (int i = 0; i < HIGH * WIDE; i++) image[i] = i % WIDE < WIDE / 2 ? 0 : (float)-log(through);
  assert_int_equal(ct_paganin_open(&paganin, HIGH, WIDE, alpha, NULL), 0);
  ct_paganin_run(paganin, image);
  for (int c = 20; c < WIDE - 20; c++) {
    double x = c - WIDE / 2 + 0.5, far = 0.5 * exp(-fabs(x) / sqrt(alpha));
    double expected = x < 0 ? 1 + (through - 1) * far : through - (through - 1) * far;
    assert_true(fabs(exp(-(double)image[4 * WIDE + c]) - expected) < 1e-3);
  }
  ct_paganin_close(paganin);
}

/* A level stays, up to the edges; a row alone works, too. */
static void levels_stay(void **state)
{
  (void)state;
  for (uint32_t rows = 1; rows <= 40; rows += 39) {
    struct ct_paganin *paganin;
    float image[40 * COLS];
    for (uint32_t k = 0; k < rows * COLS; k++) image[k] = 1.25f;
    assert_int_equal(ct_paganin_open(&paganin, rows, COLS, 1e5, NULL), 0);
    ct_paganin_run(paganin, image);
    for (uint32_t k = 0; k < rows * COLS; k++) assert_true(fabsf(image[k] - 1.25f) < 1e-5f);
    ct_paganin_close(paganin);
  }
}

static void alpha_has_the_units(void **state)
{
  (void)state;
  /* 12.39842 keV is 1 Angstrom: 1e-4 um x 1e5 um x 1000 / 4 pi / 1 um^2. */
  assert_true(fabs(ct_paganin_alpha(12.39841984, 100, 1000, 1) - 1e4 / (4 * acos(-1))) < 1e-6);
  struct ct_paganin *paganin;
  struct ct_err err;
  assert_int_equal(ct_paganin_open(&paganin, 10, 4, 1, &err), CT_ERANGE);
  assert_int_equal(ct_paganin_open(&paganin, 10, 40, (double)NAN, &err), CT_ERANGE);
  assert_null(paganin);
  ct_paganin_close(NULL);
}

int main(void)
{
  const struct CMUnitTest tests[] = {
    cmocka_unit_test(gaussian_comes_back),
    cmocka_unit_test(edges_have_their_width),
    cmocka_unit_test(levels_stay),
    cmocka_unit_test(alpha_has_the_units),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
