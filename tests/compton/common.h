/* What the tests of compton share: the default setup, a reproducible random source, approximate comparison. */
#ifndef COMPTON_TEST_COMMON_H
#define COMPTON_TEST_COMMON_H

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <comptop/compton.h>

#define DEG (M_PI / 180)
#define E1_KEV 114.64

#define assert_near(value, expected, tolerance) assert_near_(value, expected, tolerance, __FILE__, __LINE__)
static inline void assert_near_(double value, double expected, double tolerance, const char *file, int line)
{
  if (!(fabs(value - expected) <= tolerance)) {
    print_error("%.12g is not within %g of %.12g\n", value, tolerance, expected);
    _fail(file, line);
  }
}

/* The analysis as configured by default: 80x80, pinhole at 160 mm, 0-200 keV in 0.2 keV. */
static inline struct ct_compton_setup default_setup(void)
{
  return (struct ct_compton_setup){
    .e1_keV = E1_KEV,
    .geometry = { .theta_deg = 90, .object_mm = 160, .detector_mm = 160, .pitch_mm = 0.25, .beam = CT_BEAM_PLUS_X,
                  .centre_x_px = 39.5, .centre_y_px = 39.5, .theta_map = true },
    .rows = 80, .cols = 80, .axis = { 0, 0.2, 1000 }, .p_low = 1, .p_high = 5, .order = 1,
    .windows_keV = { { 104, 111 }, { 77.5, 83 } },
  };
}

/* One pixel at exactly theta_deg. */
static inline struct ct_compton_setup pixel_setup(double theta_deg, double width_keV)
{
  struct ct_compton_setup s = default_setup();
  s.geometry.theta_deg = theta_deg;
  s.geometry.theta_map = false;
  s.rows = s.cols = 1;
  s.axis.width_keV = width_keV;
  s.axis.n = (uint32_t)(200 / width_keV + 0.5);
  return s;
}

static inline struct ct_compton *make(const struct ct_compton_setup *setup)
{
  struct ct_compton *c;
  struct ct_err err;
  if (ct_compton_new(&c, setup, &err) != 0)
    fail_msg("%s", err.text);
  return c;
}

static inline struct ct_emf emf_of(const struct ct_compton_setup *setup, const uint32_t *spectrum)
{
  struct ct_compton *c = make(setup);
  struct ct_sums sums;
  struct ct_emf emf;
  ct_compton_sums(c, 0, spectrum, &sums);
  ct_compton_emf(c, &sums, &emf);
  ct_compton_free(c);
  return emf;
}

/* splitmix64 (Steele, Lea, Flood 2014) */
static inline double uniform(uint64_t *state)
{
  uint64_t z = (*state += UINT64_C(0x9e3779b97f4a7c15));
  z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
  z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
  return (double)((z ^ (z >> 31)) >> 11) * 0x1p-53;
}

static inline uint32_t poisson(uint64_t *state, double mean)
{
  double limit = exp(-mean), product = uniform(state);
  uint32_t n = 0;
  for (; product > limit; n++)
    product *= uniform(state);
  return n;
}

static inline double normal(uint64_t *state)
{
  double r = sqrt(-2 * log(1 - uniform(state)));
  return r * cos(2 * M_PI * uniform(state));
}

/* Any mean in bounded time: Hoermann's transformed rejection PTRS, Insurance: Mathematics and Economics 12 (1993) 39. */
static inline uint32_t poisson_of(uint64_t *state, double mean)
{
  if (mean < 12)
    return poisson(state, mean);
  double b = 0.931 + 2.53 * sqrt(mean), a = -0.059 + 0.02483 * b, v_r = 0.9277 - 3.6224 / (b - 2);
  double inverse_alpha = 1.1239 + 1.1328 / (b - 3.4), log_mean = log(mean);
  for (;;) {
    double u = uniform(state) - 0.5, v = uniform(state), us = 0.5 - fabs(u);
    double k = floor((2 * a / us + b) * u + mean + 0.43);
    if (us >= 0.07 && v <= v_r)
      return (uint32_t)k;
    if (k < 0 || (us < 0.013 && v > us))
      continue;
    if (log(v * inverse_alpha / (a / (us * us) + b)) <= k * log_mean - mean - lgamma(k + 1))
      return (uint32_t)k;
  }
}

/* The n(E) dE of a density given by its cumulative, as whole counts: rounding error at most 1/2 a bin. */
static inline void fill(const struct ct_axis *axis, uint32_t *spectrum, double (*below)(double e_keV, const void *arg),
                        const void *arg)
{
  for (uint32_t i = 0; i < axis->n; i++)
    spectrum[i] = (uint32_t)llround(below(axis->start_keV + (i + 1) * axis->width_keV, arg) -
                                    below(axis->start_keV + i * axis->width_keV, arg));
}

#endif
