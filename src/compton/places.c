/* places: where on the sensor something happens that a sum over all pixels hides. */
#include <comptop/compton.h>

#include <math.h>
#include <string.h>

/* Sums over the 3 x 3 pixels around (x, y), masked ones left out; how many were summed. */
static unsigned around(const struct ct_places *p, const double *map, uint32_t x, uint32_t y, double *sum)
{
  unsigned n = 0;
  *sum = 0;
  for (uint32_t j = y > 0 ? y - 1 : 0; j <= y + 1 && j < p->rows; j++)
    for (uint32_t i = x > 0 ? x - 1 : 0; i <= x + 1 && i < p->cols; i++)
      if (p->live[(size_t)j * p->cols + i]) {
        *sum += map[(size_t)j * p->cols + i];
        n++;
      }
  return n;
}

/* ---- Bragg flashes -------------------------------------------------------------------------------------------- */
enum { RATIO_BINS = 2000 };
#define RATIO_STEP 1.005

/* The median ratio of elastic to Compton counts, by a histogram of its logarithm from 1e-3 up; less counts as that. */
static double median_ratio(const struct ct_places *p, const double *elastic, const double *compton)
{
  uint32_t bins[RATIO_BINS] = { 0 }, all = 0, seen = 0, at = 0;
  for (uint32_t y = 0; y < p->rows; y++)
    for (uint32_t x = 0; x < p->cols; x++) {
      double e, c;
      if (!p->live[(size_t)y * p->cols + x] || around(p, elastic, x, y, &e) == 0)
        continue;
      around(p, compton, x, y, &c);
      if (!(c >= 50))
        continue;                  /* too dark to tell */
      double bin = log(fmax(e / c, 1e-3) / 1e-3) / log(RATIO_STEP);
      bins[bin < RATIO_BINS - 1 ? (uint32_t)bin : RATIO_BINS - 1]++;
      all++;
    }
  if (all == 0)
    return (double)NAN;
  while (at < RATIO_BINS - 1 && (seen += bins[at]) * 2 < all)
    at++;
  return 1e-3 * pow(RATIO_STEP, at + 0.5);
}

void ct_places_bragg(struct ct_places *p, const double *elastic, const double *compton, double factor,
                     struct ct_place *out)
{
  double median = median_ratio(p, elastic, compton), worst = 0;
  *out = (struct ct_place){ .x = -1, .y = -1, .strength = median };
  for (uint32_t y = 0; y < p->rows; y++)
    for (uint32_t x = 0; x < p->cols; x++) {
      size_t i = (size_t)y * p->cols + x;
      double expected = median * compton[i], excess = elastic[i] - expected;
      p->mark[i] = p->live[i] && elastic[i] > factor * expected && excess > 5 * sqrt(expected) + 10;
      if (!p->mark[i])
        continue;
      out->pixels++;
      if (excess > worst) {
        worst = excess;
        out->x = (int32_t)x;
        out->y = (int32_t)y;
      }
    }
}

/* ---- bubbles ------------------------------------------------------------------------------------------------------ */
enum { LEAST_PIXELS = 4 };

/* Whether the pixel and its neighbours lost counts: by more than <loss> and five standard errors. */
static bool lost(const struct ct_places *p, const double *now, const double *before, double scale, double loss, uint32_t x,
                 uint32_t y)
{
  double n, b;
  if (around(p, now, x, y, &n) == 0)
    return false;
  around(p, before, x, y, &b);
  double expected = scale * b;
  return n < (1 - loss) * expected && expected - n > 5 * sqrt(expected + scale * expected);
}

/* Marks the region that holds <start> as seen, without recursion: <stack> has room for every pixel. */
static void fill(struct ct_places *p, const double *now, const double *before, double scale, uint32_t start,
                 struct ct_place *region)
{
  uint32_t n = 0;
  double x_sum = 0, y_sum = 0, counts = 0, expected = 0;
  *region = (struct ct_place){ .x = -1, .y = -1 };
  p->stack[n++] = start;
  p->mark[start] = 0;
  while (n > 0) {
    uint32_t at = p->stack[--n], x = at % p->cols, y = at / p->cols;
    const uint32_t next[] = { at - 1, at + 1, at - p->cols, at + p->cols };
    const bool there[] = { x > 0, x + 1 < p->cols, y > 0, y + 1 < p->rows };
    region->pixels++;
    x_sum += x;
    y_sum += y;
    counts += now[at];
    expected += scale * before[at];
    for (int k = 0; k < 4; k++)
      if (there[k] && p->mark[next[k]]) {
        p->mark[next[k]] = 0;
        p->stack[n++] = next[k];
      }
  }
  region->x = (int32_t)(x_sum / region->pixels + 0.5);
  region->y = (int32_t)(y_sum / region->pixels + 0.5);
  region->strength = expected > 0 ? 1 - counts / expected : (double)NAN;
}

void ct_places_bubble(struct ct_places *p, const double *now, const double *before, double loss, struct ct_place *out)
{
  size_t pixels = (size_t)p->rows * p->cols;
  double sum_now = 0, sum_before = 0;
  *out = (struct ct_place){ .x = -1, .y = -1, .strength = (double)NAN };
  for (size_t i = 0; i < pixels; i++)
    if (p->live[i]) {
      sum_now += now[i];
      sum_before += before[i];
    }
  if (!(sum_now > 0) || !(sum_before > 0))
    return;
  double scale = sum_now / sum_before;     /* the beam may have changed */
  for (size_t i = 0; i < pixels; i++)
    p->mark[i] = p->live[i] && lost(p, now, before, scale, loss, (uint32_t)(i % p->cols), (uint32_t)(i / p->cols));
  for (size_t i = 0; i < pixels; i++) {
    struct ct_place region;
    if (!p->mark[i])
      continue;
    fill(p, now, before, scale, (uint32_t)i, &region);
    if (region.pixels >= LEAST_PIXELS && region.pixels > out->pixels)
      *out = region;
  }
}
