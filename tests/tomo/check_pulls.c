/* What is said of an axis's error is true: over many scans, errors divided by what was said of them scatter by about 1,
 * whatever the sample, the noise and what is wrong with the columns; or nothing is said. */
#include <comptop/tomo.h>

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "phantom.h"

enum { COLS = 192, SEEDS = 16 };

static const struct phantom_ellipse parts[] = { { 1, .3, .2, .4, .3, 20 }, { .7, .25, .35, -.4, .1, 0 },
                                                { 1.5, .1, .1, .1, -.5, 0 }, { .5, .15, .1, -.2, -.6, 40 } };
static const struct phantom several = { parts, 4 };

struct scan {
  const char *name;
  uint32_t rotation_deg;
  int views, until;
  double axis_px, radius_cols;
  const struct phantom *sample;      /* NULL: nothing but beam */
  double noise, rings, drift, lost;  /* of the peak; of projections */
  double counts;                     /* photons through air, where noise is theirs; 0: it is normal */
};

static const struct scan scans[] = {
  { "inside, little noise", 180, 180, 180, 96.3, 80, &phantom_head, .003, 0, 0, 0, 0 },
  { "inside", 180, 180, 180, 96.3, 80, &phantom_head, .01, 0, 0, 0, 0 },
  { "inside, much noise", 180, 180, 180, 96.3, 80, &phantom_head, .05, 0, 0, 0, 0 },
  { "beside the axis", 180, 180, 180, 107.3, 70, &several, .01, 0, 0, 0, 0 },
  { "a disc", 180, 180, 180, 90.1, 80, &phantom_middle, .01, 0, 0, 0, 0 },
  { "few projections", 180, 60, 60, 96.3, 80, &phantom_head, .01, 0, 0, 0, 0 },
  { "lost projections", 180, 180, 180, 96.3, 80, &phantom_head, .01, 0, 0, .2, 0 },
  { "rings", 180, 180, 180, 96.3, 80, &phantom_head, .01, .03, 0, 0, 0 },
  { "the beam becomes weaker", 180, 180, 180, 96.3, 80, &phantom_head, .01, 0, .05, 0, 0 },
  { "hardly any light comes through", 180, 180, 180, 96.3, 80, &phantom_middle, 0, 0, 0, 0, 3000 },
  { "wider than the detector", 180, 180, 180, 96.3, 130, &phantom_head, .003, 0, 0, 0, 0 },
  { "several, wider than the detector", 180, 180, 180, 90.3, 190, &several, .01, 0, 0, 0, 0 },
  { "half of half a turn", 180, 360, 180, 96.3, 80, &phantom_head, .01, 0, 0, 0, 0 },
  { "half of it, rings", 180, 360, 180, 96.3, 80, &phantom_head, .01, .03, 0, 0, 0 },
  { "half of it, wider than the detector", 180, 360, 150, 96.3, 130, &several, .01, 0, 0, 0, 0 },
  { "the first pair", 360, 360, 181, 96.3, 80, &phantom_head, .01, 0, 0, 0, 0 },
  { "the first pair, much noise", 360, 360, 181, 96.3, 80, &phantom_head, .05, 0, 0, 0, 0 },
  { "the first pair at the edge", 360, 360, 181, 175.3, 170, &several, .01, 0, 0, 0, 0 },
  { "a whole turn", 360, 180, 180, 96.3, 80, &phantom_head, .03, 0, 0, 0, 0 },
  { "a whole turn at the edge", 360, 180, 180, 165.3, 170, &several, .01, 0, 0, 0, 0 },
  { "a whole turn at the edge, rings", 360, 180, 180, 165.3, 170, &several, .01, .03, 0, 0, 0 },
  { "a whole turn, wider than the detector", 360, 180, 180, 96.3, 140, &phantom_head, .01, 0, 0, 0, 0 },
  { "a whole turn, wider on both sides", 360, 180, 180, 60.3, 300, &several, .003, 0, 0, 0, 0 },
  { "a whole turn, wider on both sides, noise", 360, 180, 180, 60.3, 300, &several, .03, 0, 0, 0, 0 },
  { "a whole turn, wider on both sides, much noise", 360, 360, 360, 50.3, 280, &phantom_head, .04, 0, 0, 0, 0 },
  { "a whole turn, wider on both sides, rings", 360, 180, 180, 60.3, 300, &several, .01, .03, 0, 0, 0 },
  { "a third of a turn", 360, 360, 120, 96.3, 80, &phantom_head, .01, 0, 0, 0, 0 },
  { "an odd number of projections", 360, 45, 45, 96.3, 80, &phantom_head, .01, 0, 0, 0, 0 },
  { "nothing", 180, 180, 180, 96.3, 80, NULL, .01, 0, 0, 0, 0 },
  { "nothing but rings", 180, 180, 180, 96.3, 80, NULL, .01, .03, 0, 0, 0 },
  { "nothing in a whole turn", 360, 180, 180, 96.3, 80, NULL, .01, .03, 0, 0, 0 },
  { "nothing in half of half a turn", 180, 360, 180, 96.3, 80, NULL, .01, 0, .05, 0, 0 },
};

static double peak_of(const struct scan *s)
{
  float row[COLS];
  double peak = 0;
  for (int i = 0; s->sample && i < 180; i += 10) {
    phantom_row(s->sample, i, COLS, s->axis_px, s->radius_cols, row);
    for (int c = 0; c < COLS; c++) peak = fmax(peak, (double)row[c]);
  }
  return s->sample ? peak : 1;
}

/* Attenuation up to 7 as <counts> photons show it. */
static double counted(double share, double counts, uint64_t *seed)
{
  double expected = counts * exp(-7 * share), seen = expected + sqrt(expected) * phantom_normal(seed);
  return -log(fmax(seen / counts, 1e-4));
}

static void fill(struct ct_tomo *tomo, const struct scan *s, double axis_px, uint64_t *seed)
{
  float row[COLS] = { 0 };
  double peak = peak_of(s), ring[COLS], start_deg = 360 * phantom_uniform(seed);

  for (int c = 0; c < COLS; c++) ring[c] = phantom_uniform(seed) < 0.3 ? s->rings * peak * phantom_normal(seed) : 0;
  for (int i = 0; i < s->until; i++) {
    double angle_deg = (double)s->rotation_deg * i / s->views;
    if (phantom_uniform(seed) < s->lost) continue;
    if (s->sample) phantom_row(s->sample, angle_deg + start_deg, COLS, axis_px, s->radius_cols, row);
    else memset(row, 0, sizeof row);
    for (int c = 0; c < COLS; c++) {
      double value = (double)row[c] + peak * (s->noise * phantom_normal(seed) + s->drift * i / s->views) + ring[c];
      row[c] = (float)(s->counts > 0 ? counted((double)row[c] / peak, s->counts, seed) : value);
    }
    assert_int_equal(ct_tomo_add(tomo, row, angle_deg), 0);
  }
}

struct pulls {
  int n;
  double squares, worst;
};

static struct pulls pulls_of(struct ct_axis_finder *finder, const struct scan *s)
{
  const struct ct_tomo_setup setup = { .cols = COLS, .size = 16, .projections = (uint32_t)s->views,
                                       .rotation_deg = s->rotation_deg, .axis_px = (COLS - 1) / 2.0 };
  struct pulls pulls = { 0 };
  struct ct_tomo *tomo;

  assert_int_equal(ct_tomo_open(&tomo, &setup, NULL), 0);
  for (int i = 0; i < SEEDS; i++) {
    uint64_t seed = 0x9e3779b97f4a7c15u * (uint64_t)(i + 1);
    double axis_px = s->axis_px + 0.1 * (i % 10);
    struct ct_tomo_axis axis;
    ct_tomo_forget(tomo, (uint32_t)s->views);
    fill(tomo, s, axis_px, &seed);
    if (ct_axis_find(finder, tomo, &axis)) continue;
    assert_true(axis.sigma_px > 0);
    double pull = (axis.axis_px - axis_px) / axis.sigma_px;
    pulls.n++;
    pulls.squares += pull * pull;
    pulls.worst = fmax(pulls.worst, fabs(pull));
  }
  ct_tomo_close(tomo);
  return pulls;
}

static void errors_are_as_large_as_said(void **state)
{
  (void)state;
  struct ct_axis_finder *finder;
  double squares = 0;
  int n = 0;

  assert_int_equal(ct_axis_open(&finder, COLS, NULL), 0);
  for (size_t i = 0; i < sizeof scans / sizeof *scans; i++) {
    struct pulls p = pulls_of(finder, &scans[i]);
    double scatter = p.n ? sqrt(p.squares / p.n) : 0;
    if (!scans[i].sample && p.n > 0) fail_msg("%s has an axis", scans[i].name);
    /* 16 errors scatter by 1 +- 0.18. */
    if (p.n && (p.worst > 5 || (p.n > 8 && !(scatter < 1.8)))) fail_msg("%s: scatter %g, worst %g", scans[i].name, scatter, p.worst);
    squares += p.squares;
    n += p.n;
  }
  ct_axis_close(finder);
  assert_true(n > 24 * SEEDS);
  double scatter = sqrt(squares / n);
  if (!(scatter > 0.7 && scatter < 1.4)) fail_msg("errors scatter by %g of what is said of them", scatter);
}

int main(void)
{
  const struct CMUnitTest tests[] = { cmocka_unit_test(errors_are_as_large_as_said) };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
