/* Stripes go, and the sample stays. */
#include <comptop/tomo.h>

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "phantom.h"

enum { COLS = 256, VIEWS = 240, PIXELS = COLS * VIEWS };

static float *sinogram(const struct phantom *phantom, double noise)
{
  float *rows = malloc(PIXELS * sizeof *rows);
  uint64_t seed = 21;
  for (int i = 0; i < VIEWS; i++) {
    phantom_row(phantom, 180.0 * i / VIEWS, COLS, 127.5, 110, rows + (size_t)i * COLS);
    for (int c = 0; c < COLS; c++) rows[i * COLS + c] += (float)(noise * phantom_normal(&seed));
  }
  return rows;
}

/* Root mean square of a minus b over some columns. */
static double distance(const float *a, const float *b, int from, int to)
{
  double sum = 0;
  for (int r = 0; r < VIEWS; r++)
    for (int c = from; c < to; c++) sum += pow((double)a[r * COLS + c] - (double)b[r * COLS + c], 2);
  return sqrt(sum / VIEWS / (to - from));
}

static void stripes_go(void **state)
{
  (void)state;
  float *clean = sinogram(&phantom_head, 0.1), *striped = sinogram(&phantom_head, 0.1);
  for (int r = 0; r < VIEWS; r++) {
    float *row = striped + (size_t)r * COLS;
    row[60] += 3;                        /* a full stripe */
    if (r > 40) row[90] -= 3;            /* a partial one */
    for (int c = 150; c < 156; c++) row[c] *= 1.3f;   /* a large one */
    row[200] = 40;                       /* a column that does not answer */
  }
  double before[] = { distance(striped, clean, 60, 61), distance(striped, clean, 90, 91),
                      distance(striped, clean, 150, 156), distance(striped, clean, 199, 202) };
  assert_int_equal(ct_stripes_remove(striped, VIEWS, COLS), 0);
  double after[] = { distance(striped, clean, 60, 61), distance(striped, clean, 90, 91),
                     distance(striped, clean, 150, 156), distance(striped, clean, 199, 202) };
  for (int i = 0; i < 4; i++)
    if (!(after[i] < (i % 2 ? 0.6 : 0.4) * before[i])) fail_msg("stripe %d: %g of %g left", i, after[i], before[i]);
  free(clean);
  free(striped);
}

/* Without stripes next to nothing happens. */
static void samples_stay(void **state)
{
  (void)state;
  float *clean = sinogram(&phantom_head, 0.05), *same = sinogram(&phantom_head, 0.05);
  float most = 0;
  for (int i = 0; i < PIXELS; i++) most = fmaxf(most, clean[i]);
  assert_int_equal(ct_stripes_remove(same, VIEWS, COLS), 0);
  if (!(distance(clean, same, 0, COLS) < 0.035 * (double)most)) fail_msg("changed by %g of %g", distance(clean, same, 0, COLS), (double)most);
  for (int i = 0; i < PIXELS; i++) assert_true(isfinite(same[i]) != 0);

  memset(same, 0, PIXELS * sizeof *same);
  assert_int_equal(ct_stripes_remove(same, VIEWS, COLS), 0);
  for (int i = 0; i < PIXELS; i++) assert_true(fabsf(same[i]) <= 0);
  assert_int_equal(ct_stripes_remove(same, 3, COLS), CT_ENODATA);
  assert_int_equal(ct_stripes_remove(same, VIEWS, 20), CT_ENODATA);
  free(clean);
  free(same);
}

static struct ct_tomo *opened(const float *rows)
{
  const struct ct_tomo_setup setup = { .cols = COLS, .size = COLS, .projections = VIEWS, .rotation_deg = 180,
                                       .axis_px = 127.5, .smear_px = 0.25 };
  struct ct_tomo *tomo;
  assert_int_equal(ct_tomo_open(&tomo, &setup, NULL), 0);
  for (int i = 0; i < VIEWS; i++)
    assert_int_equal(ct_tomo_add(tomo, rows + (size_t)i * COLS, 180.0 * i / VIEWS), 0);
  return tomo;
}

/* Root mean square of the difference of two slices. */
static double apart(const struct ct_tomo *a, const struct ct_tomo *b)
{
  float *x = malloc(COLS * COLS * sizeof *x), *y = malloc(COLS * COLS * sizeof *y);
  double sum = 0, n = 0;
  ct_tomo_slice(a, x);
  ct_tomo_slice(b, y);
  for (int i = 0; i < COLS * COLS; i++)
    if (!isnan(x[i])) sum += pow((double)(x[i] - y[i]), 2), n++;
  free(x);
  free(y);
  return sqrt(sum / n);
}

/* Every column a little off: most of the rings go at once, with the running mean. */
static void rings_go(void **state)
{
  (void)state;
  /* Sorting needs values that neighbours share at the same rank: a sample much larger than the window. */
  static const struct phantom_ellipse large[] = { { 1, .75, .6, .1, .05, 30 }, { -.5, .4, .3, -.1, 0, 0 } };
  static const struct phantom two = { large, 2 };
  const struct phantom *samples[] = { &phantom_head, &two };
  for (int which = 0; which < 2; which++) {
    const struct phantom *sample = samples[which];
    float *clean = sinogram(sample, 0.2), *ringed = sinogram(sample, 0.2), ring[COLS];
    uint64_t seed = 6;
    for (int c = 0; c < COLS; c++) {
      float off = (float)((which ? 3 : 0.5) * phantom_normal(&seed));
      for (int r = 0; r < VIEWS; r++) ringed[r * COLS + c] += off;
    }
    struct ct_tomo *good = opened(clean), *bad = opened(ringed);
    double before = apart(good, bad);
    assert_int_equal(ct_ring_estimate(bad, 127.5, ring), 0);
    assert_true(ct_tomo_ring(bad, ring));
    ct_tomo_rebuild(bad);
    double with = apart(good, bad);
    if (!(with < 0.75 * before)) fail_msg("sample %d: %g -> %g with the running mean", which, before, with);
    if (which == 1) {
      assert_int_equal(ct_tomo_clean(bad), 0);
      double cleaned = apart(good, bad);
      if (!(cleaned < 0.6 * before)) fail_msg("sample %d: %g -> %g with sorting", which, before, cleaned);
    }
    ct_tomo_forget(bad, VIEWS);
    assert_int_equal(ct_ring_estimate(bad, 127.5, ring), CT_ENODATA);
    assert_int_equal(ct_tomo_clean(bad), CT_ENODATA);
    ct_tomo_close(good);
    ct_tomo_close(bad);
    free(clean);
    free(ringed);
  }
}

/* Columns that are off by a percent, that do not answer and that fluctuate: after the scan, the attenuation is what it was to 0.5 %. */
static void attenuation_stays(void **state)
{
  (void)state;
  float *rows = sinogram(&phantom_middle, 0.2), *slice = malloc(COLS * COLS * sizeof *slice);
  uint64_t seed = 12;

  for (int c = 0; c < COLS; c++) {
    float off = phantom_uniform(&seed) < 0.2 ? (float)(2 * phantom_normal(&seed)) : 0;
    for (int r = 0; r < VIEWS; r++) {
      float *value = &rows[r * COLS + c];
      *value = c == 90 || c == 140 ? 3 : c == 170 ? (float)(40 * phantom_uniform(&seed)) : *value + off;
    }
  }
  struct ct_tomo *tomo = opened(rows);
  assert_int_equal(ct_tomo_clean(tomo), 0);
  ct_tomo_slice(tomo, slice);
  /* Within the disc, 0.69 of the picture wide, as a whole and in parts. */
  double whole = phantom_mean(slice, COLS, 0, 0, 0.55);
  if (!(fabs(whole - 1) < 0.005)) fail_msg("attenuation 1 is %g", whole);
  for (int i = 0; i < 8; i++) {
    double angle = 0.785 * i, x = 0.4 * cos(angle), y = 0.4 * sin(angle), mean = phantom_mean(slice, COLS, x, y, 0.12);
    if (!(fabs(mean - 1) < 0.0075)) fail_msg("attenuation 1 is %g at %g, %g", mean, x, y);   /* 0.25 % is noise */
  }
  ct_tomo_close(tomo);
  free(slice);
  free(rows);
}

/* ---- walls round about the axis ----------------------------------------------------------------------------------- */
struct walled {
  uint32_t rotation_deg;
  double radius, thick_px, off_px;   /* of half the field; of the axis */
};

/* A wall with something in it that is not round about the axis, 2 in the middle of the wall's edge; sets value of the wall. */
static float *walled_rows(const struct walled *w, double axis_px, double noise, double *wall)
{
  double r = w->radius * COLS / 2, part = 1.0 / (COLS / 2), x = 0.6 * w->off_px * part, y = 0.8 * w->off_px * part;
  *wall = 1 / sqrt(2 * r * w->thick_px);
  const struct phantom_ellipse parts[] = {
    { *wall, r * part, r * part, x, y, 0 }, { -*wall, (r - w->thick_px) * part, (r - w->thick_px) * part, x, y, 0 },
    { 0.3 / r, 0.35 * r * part, 0.3 * r * part, 0.4 * r * part, 0.1 * r * part, 30 },
    { 0.6 / r, 0.2 * r * part, 0.25 * r * part, -0.5 * r * part, -0.3 * r * part, 0 } };
  const struct phantom sample = { parts, 4 };
  float *rows = malloc(PIXELS * sizeof *rows);
  uint64_t seed = 33;
  for (int i = 0; i < VIEWS; i++) {
    float *row = rows + (size_t)i * COLS;
    phantom_row(&sample, (double)w->rotation_deg * i / VIEWS, COLS, axis_px, COLS / 2.0, row);
    for (int c = 0; c < COLS; c++) row[c] += (float)(noise * phantom_normal(&seed));
  }
  return rows;
}

enum correction { AS_IT_CAME, CORRECTED, CLEANED };

static struct ct_tomo *walled_slice(const struct walled *w, double axis_px, const float *rows, enum correction correction)
{
  const struct ct_tomo_setup setup = { .cols = COLS, .size = COLS, .projections = VIEWS, .rotation_deg = w->rotation_deg,
                                       .axis_px = axis_px, .smear_px = 0.25 };
  struct ct_tomo *tomo;
  float ring[COLS];
  assert_int_equal(ct_tomo_open(&tomo, &setup, NULL), 0);
  for (int i = 0; i < VIEWS; i++)
    assert_int_equal(ct_tomo_add(tomo, rows + (size_t)i * COLS, (double)w->rotation_deg * i / VIEWS), 0);
  if (correction == CLEANED) assert_int_equal(ct_tomo_clean(tomo), 0);
  if (correction == CORRECTED) {
    assert_int_equal(ct_ring_estimate(tomo, axis_px, ring), 0);
    assert_true(ct_tomo_ring(tomo, ring));
  }
  ct_tomo_rebuild(tomo);
  return tomo;
}

/* How much less the wall is in the mean of what <with> has of it, of what it should be. */
static double lost_wall(const struct walled *w, const struct ct_tomo *plain, const struct ct_tomo *with, double wall)
{
  static float a[COLS * COLS], b[COLS * COLS];
  double lost = 0, n = 0, pitch = ct_tomo_state(plain).pixel_px, middle = (COLS - 1) / 2.0;
  ct_tomo_slice(plain, a);
  ct_tomo_slice(with, b);
  for (int p = 0; p < COLS * COLS; p++) {
    double x = (p % COLS - middle) * pitch - 0.6 * w->off_px, y = (middle - p / COLS) * pitch - 0.8 * w->off_px;
    double inwards = w->radius * COLS / 2 - hypot(x, y);
    if (isnan(a[p]) || inwards < 0 || inwards > w->thick_px) continue;
    lost += (double)(a[p] - b[p]) / wall;
    n++;
  }
  assert_true(n > 100);
  return lost / n;
}

/* The wall is as high with corrected rings as without, and nearly so without stripes of any kind. */
static void walls_stay(void **state)
{
  (void)state;
  static const double radii[] = { 0.3, 0.6, 0.9 }, thick[] = { 2, 4, 6 }, offs[] = { 0, 0.4, 1, 2, 3 };
  const double axis_px = 128.2;
  for (int i = 0; i < 2 * 3 * 3 * 5; i++) {
    const struct walled w = { i % 2 ? 360 : 180, radii[i / 2 % 3], thick[i / 6 % 3], offs[i / 18] };
    double noise = i % 4 < 2 ? 0 : 0.02, wall;
    float *rows = walled_rows(&w, axis_px, noise, &wall);
    struct ct_tomo *plain = walled_slice(&w, axis_px, rows, AS_IT_CAME);
    for (enum correction how = CORRECTED; how <= CLEANED; how++) {
      if (how == CLEANED && w.off_px > 1) continue;   /* sorting needs what stands still */
      struct ct_tomo *with = walled_slice(&w, axis_px, rows, how);
      double lost = lost_wall(&w, plain, with, wall);
      if (!(fabs(lost) < (how == CORRECTED ? 0.015 : 0.2)))
        fail_msg("%u degrees, radius %g, %g thick, %g beside the axis, noise %g, %s: lost %g", w.rotation_deg, w.radius,
                 w.thick_px, w.off_px, noise, how == CORRECTED ? "corrected" : "cleaned", lost);
      ct_tomo_close(with);
    }
    ct_tomo_close(plain);
    free(rows);
  }
}

/* And rings go, beside a wall that is round about the axis and within it: columns of another gain, and one that does not
 * answer. */
static void rings_beside_walls_go(void **state)
{
  (void)state;
  static const double gains[] = { 0.005, 0.02, 0.1 };
  static const int at[] = { 31, 57, 90, 121, 149, 175, 203, 222 };
  const double axis_px = 128.2;
  for (int i = 0; i < 2 * 2 * 4; i++) {
    const struct walled w = { i % 2 ? 360 : 180, 0.9, 4, i / 2 % 2 };
    double wall, gain = i / 4 < 3 ? gains[i / 4] : 0;
    float *rows = walled_rows(&w, axis_px, 0.005, &wall);
    struct ct_tomo *good = walled_slice(&w, axis_px, rows, AS_IT_CAME);
    for (int r = 0; r < VIEWS; r++) {
      for (int k = 0; k < 8; k++) rows[r * COLS + at[k]] -= (float)log(1 + (k % 2 ? gain : -gain));
      if (gain <= 0) rows[r * COLS + 100] = 3;
    }
    struct ct_tomo *bad = walled_slice(&w, axis_px, rows, AS_IT_CAME), *mended = walled_slice(&w, axis_px, rows, CORRECTED);
    double before = apart(good, bad), with = apart(good, mended);
    double most = i / 4 == 0 ? 0.9 : i / 4 == 1 ? 0.3 : 0.08;   /* what noise leaves */
    if (!(with < most * before))
      fail_msg("%u degrees, %g beside the axis, gain %g: %g -> %g", w.rotation_deg, w.off_px, gain, before, with);
    ct_tomo_close(good);
    ct_tomo_close(bad);
    ct_tomo_close(mended);
    free(rows);
  }
}

int main(void)
{
  const struct CMUnitTest tests[] = {
    cmocka_unit_test(stripes_go),
    cmocka_unit_test(samples_stay),
    cmocka_unit_test(rings_go),
    cmocka_unit_test(attenuation_stays),
    cmocka_unit_test(walls_stay),
    cmocka_unit_test(rings_beside_walls_go),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
