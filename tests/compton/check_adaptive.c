/* Adaptive binning: cells tile the sensor, are as small as the target allows, and carry the sums of their pixels. */
#include "common.h"

enum { ROWS = 40, COLS = 72, PIXELS = ROWS * COLS };

static struct ct_sums sums[PIXELS];
static uint8_t live[PIXELS], edges[PIXELS];

/* Bright on the left, dark on the right; pixel i has Poisson counts. */
static void light_up(uint64_t *seed, double left, double right)
{
  for (int i = 0; i < PIXELS; i++) {
    double mean = i % COLS < COLS / 2 ? left : right;
    double L = mean < 400 ? poisson(seed, mean) : mean, H = mean < 400 ? poisson(seed, 1.1 * mean) : 1.1 * mean;
    live[i] = i % 97 != 0;
    sums[i] = (struct ct_sums){ .L = L, .H = H, .var_L = L, .var_H = H, .counts = L + H };
  }
}

static double sigma_of(const struct ct_adaptive *a, uint32_t x, uint32_t y, uint32_t edge)
{
  struct ct_sums sum;
  struct ct_emf emf;
  if (x >= COLS || y >= ROWS || ct_adaptive_cell(a, x, y, edge, &sum) == 0)
    return 0;
  ct_compton_emf(a->compton, &sum, &emf);
  return sum.L + sum.H < a->min_counts || isnan(emf.sigma) ? (double)INFINITY : emf.sigma;
}

static void check_tiling(const struct ct_adaptive *a)
{
  for (uint32_t y = 0; y < ROWS; y++)
    for (uint32_t x = 0; x < COLS; x++) {
      uint32_t edge = edges[y * COLS + x];
      assert_true(edge == 1 || edge == 2 || edge == 4 || edge == 8 || edge == 16);
      /* The whole cell has the same edge. */
      for (uint32_t j = y / edge * edge; j < y / edge * edge + edge && j < ROWS; j++)
        for (uint32_t i = x / edge * edge; i < x / edge * edge + edge && i < COLS; i++)
          assert_int_equal(edges[j * COLS + i], edge);
      if (edge < 16)                   /* made by a division that was allowed */
        assert_true(sigma_of(a, x, y, edge) <= a->target_sigma);
      if (edge > 1) {                  /* and could not be divided */
        uint32_t x0 = x / edge * edge, y0 = y / edge * edge, half = edge / 2;
        double worst = fmax(fmax(sigma_of(a, x0, y0, half), sigma_of(a, x0 + half, y0, half)),
                            fmax(sigma_of(a, x0, y0 + half, half), sigma_of(a, x0 + half, y0 + half, half)));
        assert_true(worst > a->target_sigma);
      }
    }
}

static void cells_tile_and_are_minimal(void **state)
{
  (void)state;
  struct ct_compton_setup setup = pixel_setup(90, 0.2);
  struct ct_compton *compton = make(&setup);
  static const double targets[] = { 0.5, 0.1, 0.05, 0.02, 0.005 };
  uint64_t seed = 41;
  for (int k = 0; k < 5; k++) {
    light_up(&seed, 300, 5);
    struct ct_adaptive a = { compton, sums, live, ROWS, COLS, targets[k], 50 };
    ct_adaptive_edges(&a, edges);
    check_tiling(&a);
    assert_true(edges[1] <= edges[COLS - 2]);      /* never coarser where it is brighter */
  }
  ct_compton_free(compton);
}

/* Without noise the edge is known: sigma = EMF sqrt(1/L + 1/H), and four times the counts halve it. */
static void the_edge_is_what_counting_asks_for(void **state)
{
  (void)state;
  struct ct_compton_setup setup = pixel_setup(90, 0.2);
  struct ct_compton *compton = make(&setup);
  uint64_t seed = 43;
  light_up(&seed, 1000, 1000);
  memset(live, 1, sizeof live);
  double one = 1 / 1.1 * sqrt(1 / 1000.0 + 1 / 1100.0);
  for (uint32_t edge = 1; edge <= 8; edge *= 2) {
    struct ct_adaptive a = { compton, sums, live, ROWS, COLS, 1.01 * one / edge, 50 };
    ct_adaptive_edges(&a, edges);
    assert_int_equal(edges[0], edge);
    assert_int_equal(edges[20 * COLS + 30], edge);
  }
  struct ct_sums sum;
  struct ct_adaptive a = { compton, sums, live, ROWS, COLS, 1, 50 };
  assert_int_equal(ct_adaptive_cell(&a, 70, 39, 16, &sum), 8 * 8);      /* cut by the corner of the sensor */
  assert_true(sum.L == 64 * 1000.0);
  ct_compton_free(compton);
}

static void what_is_dark_or_masked_stays_whole(void **state)
{
  (void)state;
  struct ct_compton_setup setup = pixel_setup(90, 0.2);
  struct ct_compton *compton = make(&setup);
  struct ct_adaptive a = { compton, sums, live, ROWS, COLS, 0.05, 50 };
  memset(sums, 0, sizeof sums);
  memset(live, 1, sizeof live);
  ct_adaptive_edges(&a, edges);
  for (int i = 0; i < PIXELS; i++)
    assert_int_equal(edges[i], 16);
  memset(live, 0, sizeof live);
  ct_adaptive_edges(&a, edges);        /* must only come to an end, with edges that are some */
  for (int i = 0; i < PIXELS; i++)
    assert_in_range(edges[i], 1, 16);
  ct_compton_free(compton);
}

int main(void)
{
  const struct CMUnitTest tests[] = {
    cmocka_unit_test(cells_tile_and_are_minimal),
    cmocka_unit_test(the_edge_is_what_counting_asks_for),
    cmocka_unit_test(what_is_dark_or_masked_stays_whole),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
