/* Every way of binning that this processor knows, against one f64 division after the other. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "spectra/cells.h"

enum { EVENTS = 64, PIXELS = 76800 };

static uint64_t random_bits(uint64_t *state)   /* xorshift64, Marsaglia 2003 */
{
  *state ^= *state << 13;
  *state ^= *state >> 7;
  *state ^= *state << 17;
  return *state;
}

/* Anywhere, on edges and next to them, and what is no energy at all. */
static float energy(const struct ct_axis *axis, uint64_t *seed)
{
  static const float odd[] = { NAN, INFINITY, -INFINITY, 0, -0.0f, 3.4028234e38f, -3.4028234e38f, 1e-45f };
  uint64_t r = random_bits(seed);
  float edge = (float)(axis->start_keV + axis->width_keV * (double)(r / 8 % (axis->n + 2)));

  switch (r % 8) {
  case 0: return odd[r / 8 % 8];
  case 1: return edge;
  case 2: return nextafterf(edge, -INFINITY);
  case 3: return nextafterf(edge, INFINITY);
  default: return (float)(axis->start_keV + axis->width_keV * axis->n * ((double)(r >> 40) * 0x1p-24 * 1.2 - 0.1));
  }
}

static void test_cells(void **state)
{
  (void)state;
  static const struct ct_axis axes[] = { { 0, 0.2, 1000 }, { 0, 0.1, 2000 }, { 20, 0.3, 333 }, { -16, 0.25, 1024 },
                                         { 0, 7, 3 }, { 5.5, 1, 1 } };
  uint64_t seed = 1;

  for (int round = 0; round < 20000; round++) {
    const struct ct_axis *axis = &axes[round % 6];
    struct ct_event events[EVENTS];
    uint32_t expected[EVENTS], n = (uint32_t)(random_bits(&seed) % (EVENTS + 1)), made = 0;

    for (uint32_t i = 0; i < n; i++) {
      events[i] = (struct ct_event){ (uint32_t)(random_bits(&seed) % PIXELS), energy(axis, &seed) };
      volatile double offset = (double)events[i].energy_keV - axis->start_keV;
      double position = floor(offset / axis->width_keV);
      if (position >= 0 && position <= axis->n - 1.0)
        expected[made++] = events[i].pixel * axis->n + (uint32_t)position;
    }
    for (size_t way = 0; ct_cell_ops_get(way); way++) {
      uint32_t cells[EVENTS + CT_CELLS_SLACK];
      assert_int_equal(ct_cell_ops_get(way)->find(cells, axis, events, n), made);
      assert_memory_equal(cells, expected, made * sizeof *cells);
    }
  }
}

static void test_last_way_is_plain(void **state)
{
  (void)state;
  size_t n = 0;

  while (ct_cell_ops_get(n))
    n++;
  assert_true(n >= 1);
  assert_string_equal(ct_cell_ops_get(n - 1)->name, "plain");
}

int main(void)
{
  const struct CMUnitTest tests[] = {
    cmocka_unit_test(test_cells),
    cmocka_unit_test(test_last_way_is_plain),
  };
  return cmocka_run_group_tests_name("spectra cells", tests, NULL, NULL);
}
