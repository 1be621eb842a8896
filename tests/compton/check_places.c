/* Bragg flashes and bubbles on maps of Poisson counts: found where they are, and nowhere else. */
#include "common.h"

enum { EDGE = 80, PIXELS = EDGE * EDGE };

static struct {
  double elastic[PIXELS], compton[PIXELS], before[PIXELS];
  uint8_t live[PIXELS], mark[PIXELS];
  uint32_t stack[PIXELS];
} bed;

static struct ct_places places(void)
{
  return (struct ct_places){ EDGE, EDGE, bed.live, bed.mark, bed.stack };
}

static double count(uint64_t *seed, double mean)
{
  if (mean < 500)
    return poisson(seed, mean);
  double gauss = sqrt(-2 * log(uniform(seed))) * cos(2 * M_PI * uniform(seed));
  return floor(mean + sqrt(mean) * gauss + 0.5);
}

/* A vignetted image with <middle> Compton counts in its middle pixel and 1.9 % of elastic ones; <scale>: of the beam now. */
static void light(uint64_t *seed, double middle, double scale)
{
  for (int i = 0; i < PIXELS; i++) {
    double r = hypot(i % EDGE - 39.5, i / EDGE - 39.5) / 40, mean = middle * fmax(0, 1 - 0.8 * r * r);
    bed.live[i] = i != 1234;
    bed.before[i] = count(seed, 5 * mean);
    bed.compton[i] = count(seed, scale * mean);
    bed.elastic[i] = count(seed, 0.019 * scale * mean);
  }
}

static void nothing_is_seen_where_nothing_is(void **state)
{
  (void)state;
  static const double middle[] = { 3, 60, 600, 60000 };
  uint64_t seed = 3;
  struct ct_places p = places();
  for (int k = 0; k < 40; k++) {
    struct ct_place place;
    light(&seed, middle[k % 4], k < 20 ? 1 : 0.6);
    ct_places_bragg(&p, bed.elastic, bed.compton, 5, &place);
    assert_int_equal(place.pixels, 0);
    assert_int_equal(place.x, -1);
    ct_places_bubble(&p, bed.compton, bed.before, 0.2, &place);
    assert_int_equal(place.pixels, 0);
    assert_true(isnan(place.strength));
  }
}

static void a_flash_is_found(void **state)
{
  (void)state;
  uint64_t seed = 5;
  struct ct_places p = places();
  struct ct_place place;
  light(&seed, 600, 1);
  for (int y = 20; y < 23; y++)
    for (int x = 50; x < 53; x++)
      bed.elastic[y * EDGE + x] += x == 51 && y == 21 ? 900 : 500;
  bed.elastic[1234] = 1e6;             /* masked */
  ct_places_bragg(&p, bed.elastic, bed.compton, 5, &place);
  assert_int_equal(place.pixels, 9);
  assert_int_equal(place.x, 51);
  assert_int_equal(place.y, 21);
  assert_near(place.strength, 0.019, 0.001);
  for (int i = 0; i < PIXELS; i++)
    assert_int_equal(bed.mark[i], i % EDGE >= 50 && i % EDGE < 53 && i / EDGE >= 20 && i / EDGE < 23);
}

static void bubbles_are_found_whatever_the_beam_does(void **state)
{
  (void)state;
  static const double beam[] = { 1, 0.5, 1.1 };
  struct ct_places p = places();
  for (int k = 0; k < 3; k++) {
    uint64_t seed = 7 + (uint64_t)k;
    struct ct_place place;
    light(&seed, 600, beam[k]);
    for (int i = 0; i < PIXELS; i++)
      if (hypot(i % EDGE - 30, i / EDGE - 55) <= 4)
        bed.compton[i] = floor(bed.compton[i] * 0.3);
      else if (hypot(i % EDGE - 60, i / EDGE - 30) <= 2)
        bed.compton[i] = 0;              /* a smaller one */
    ct_places_bubble(&p, bed.compton, bed.before, 0.2, &place);
    assert_true(place.pixels >= 49 && place.pixels <= 90);
    assert_true(abs(place.x - 30) <= 1 && abs(place.y - 55) <= 1);
    assert_true(place.strength > 0.4 && place.strength < 0.72);
  }
}

static void three_pixels_are_no_bubble_and_corners_do_no_harm(void **state)
{
  (void)state;
  uint64_t seed = 11;
  struct ct_places p = places();
  struct ct_place place;
  for (int i = 0; i < PIXELS; i++) {
    bed.live[i] = i / EDGE == 0 && i % EDGE < 3;
    bed.before[i] = 1e5;
    bed.compton[i] = i == 0 ? 2e5 : 1e3;
    bed.elastic[i] = 1;
  }
  ct_places_bubble(&p, bed.compton, bed.before, 0.2, &place);
  assert_int_equal(place.pixels, 0);
  light(&seed, 60000, 1);
  for (int i = 0; i < PIXELS; i++)
    if (i % EDGE > 75 && i / EDGE > 75)
      bed.before[i] = 5e4, bed.compton[i] = 0;
  ct_places_bubble(&p, bed.compton, bed.before, 0.2, &place);
  assert_true(place.pixels >= 9 && place.x > 75 && place.y > 75);
  memset(bed.live, 0, sizeof bed.live);
  ct_places_bubble(&p, bed.compton, bed.before, 0.2, &place);
  assert_int_equal(place.pixels, 0);
  ct_places_bragg(&p, bed.elastic, bed.compton, 5, &place);
  assert_true(place.pixels == 0 && isnan(place.strength));
}

int main(void)
{
  const struct CMUnitTest tests[] = {
    cmocka_unit_test(nothing_is_seen_where_nothing_is),
    cmocka_unit_test(a_flash_is_found),
    cmocka_unit_test(bubbles_are_found_whatever_the_beam_does),
    cmocka_unit_test(three_pixels_are_no_bubble_and_corners_do_no_harm),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
