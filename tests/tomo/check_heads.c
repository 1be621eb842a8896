/* Slices of full size: `make heads`, some minutes. Whole turns and half ones, an extended field of view, noise, lost
 * projections: errors within the circle, as good merged as one by one. */
#include "heads.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

static void assert_below(const char *what, double value, double limit)
{
  if (!(value <= limit)) fail_msg("%s: %g is more than %g", what, value, limit);
}

/* Incrementally, and all at once in two ways; <limit> is what the best one of others has at the same size. */
static void slices_are_sharp(const char *what, struct head_scan *s, double limit)
{
  struct ct_tomo *tomo = head_opened(s, s->size, 0.25);
  size_t pixels = (size_t)s->size * s->size;
  float *one_by_one = malloc(pixels * sizeof *one_by_one);
  double most = 0;

  assert_non_null(one_by_one);
  assert_below(what, head_error(tomo, s), limit);
  ct_tomo_slice(tomo, one_by_one);
  ct_tomo_rebuild(tomo);
  assert_below(what, head_error(tomo, s), limit);

  struct ct_tomo_setup setup = *ct_tomo_setup(tomo);
  setup.smear_px = 0;
  assert_int_equal(ct_tomo_change(&tomo, &setup, NULL), 0);
  assert_below(what, head_error(tomo, s), limit);
  for (size_t i = 0; i < pixels; i++)
    if (!isnan(one_by_one[i])) most = fmax(most, fabs((double)(one_by_one[i] - s->picture[i])));
  assert_below("incremental and batch", most, 1e-3);
  free(one_by_one);
  ct_tomo_close(tomo);
}

static void half_turns(void **state)
{
  (void)state;
  static const struct { uint32_t size, views; double limit; } of[] = { { 512, 720, .0151 }, { 1024, 1500, .0111 }, { 2560, 1800, .0079 } };
  for (int i = 0; i < 3; i++) {
    struct head_scan s;
    head_scan(&s, of[i].size, of[i].size, of[i].views, 180, (of[i].size - 1) / 2.0, of[i].size);
    slices_are_sharp("half a turn", &s, of[i].limit);
    head_free(&s);
  }
}

static void whole_turns(void **state)
{
  (void)state;
  struct head_scan s;
  head_scan(&s, 1024, 1024, 1500, 360, 511.5, 1024);
  slices_are_sharp("a whole turn", &s, 0.0111);
  head_free(&s);
  head_scan(&s, 1088, 576, 1440, 360, 543.3, 1024);
  slices_are_sharp("an extended field of view", &s, 0.0115);
  head_free(&s);
}

/* One projection in twenty is lost, the others are noisy. A ramp leaves 1/12 of white noise's variance, n projections have
 * weights of pi/n: a slice has pi^2/12n of it, less what interpolation takes. */
static void noise_and_losses(void **state)
{
  (void)state;
  struct head_scan s;
  double noise = 2;
  uint64_t seed = 17;

  head_scan(&s, 512, 512, 720, 180, 255.5, 512);
  for (size_t i = 0; i < (size_t)s.views * s.cols; i++) s.rows[i] += (float)(noise * phantom_normal(&seed));
  struct ct_tomo *tomo = head_opened(&s, 512, 0.25);
  double all = head_error(tomo, &s), expected = hypot(0.0132, 3.14159265 / sqrt(12.0 * s.views) * noise);
  assert_below("noise", all, expected);
  ct_tomo_forget(tomo, s.views);
  for (uint32_t i = 0; i < s.views; i++)
    if (i % 20 != 7)
      assert_int_equal(ct_tomo_add(tomo, s.rows + (size_t)i * s.cols, 180.0 * i / s.views), 0);
  assert_below("noise and losses", head_error(tomo, &s), 1.06 * all);
  ct_tomo_close(tomo);
  head_free(&s);
}

int main(void)
{
  const struct CMUnitTest tests[] = {
    cmocka_unit_test(half_turns),
    cmocka_unit_test(whole_turns),
    cmocka_unit_test(noise_and_losses),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
