/* Every way of comparing that this processor knows, against one comparison at a time. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "hexitec/internal.h"
#include "twin.h"

enum { WORDS = 5, PIXELS = 64 * WORDS };

static void test_u16(void **state)
{
  (void)state;
  uint64_t seed = 1, mask[WORDS], live[WORDS];
  unsigned char bytes[2 * PIXELS + 1];
  uint16_t limit_ADU[PIXELS];

  for (int round = 0; round < 200; round++) {
    uint64_t expected[WORDS] = { 0 }, odd[WORDS] = { 0 };
    uint32_t n_odd = 0;

    for (unsigned i = 0; i < PIXELS; i++) {
      static const uint16_t edge[] = { 0, 1, 0x7fff, 0x8000, 0x8001, 0xfffe, 0xffff };
      uint64_t r = twin_random(&seed);
      uint16_t value = r % 2 ? edge[r / 2 % 7] : (uint16_t)(r >> 20);

      limit_ADU[i] = r / 14 % 2 ? edge[r / 28 % 7] : (uint16_t)(r >> 40);
      memcpy(bytes + 1 + 2 * i, &value, 2);
      if (value >= limit_ADU[i])
        expected[i / 64] |= UINT64_C(1) << i % 64;
      if (value == 65535)
        odd[i / 64] |= UINT64_C(1) << i % 64;
    }
    for (int w = 0; w < WORDS; w++) {
      expected[w] &= live[w] = twin_random(&seed) | twin_random(&seed);
      n_odd += (uint32_t)__builtin_popcountll(odd[w] & live[w]);
    }
    for (size_t k = 0; ct_mask_ops_get(k); k++) {
      assert_int_equal(ct_mask_ops_get(k)->u16(mask, bytes + 1, limit_ADU, live, WORDS), n_odd);
      assert_memory_equal(mask, expected, sizeof mask);
    }
  }
}

static void test_f32(void **state)
{
  (void)state;
  const float edge[] = { 0, -0.0f, 1e-40f, 4, nextafterf(4, 5), nextafterf(4, 3), 3.4028234e38f, INFINITY,
                         -INFINITY, NAN };
  uint64_t seed = 2, mask[WORDS], live[WORDS];
  unsigned char bytes[4 * PIXELS + 1];

  for (int round = 0; round < 200; round++) {
    uint64_t expected[WORDS] = { 0 }, odd[WORDS] = { 0 };
    uint32_t n_odd = 0;
    float limit_keV = round % 2 ? 4.0f : 0.0f;

    for (unsigned i = 0; i < PIXELS; i++) {
      uint64_t r = twin_random(&seed);
      float value = r % 2 ? edge[r / 2 % 10] : (float)(r >> 40) / 1e5f - 20;

      memcpy(bytes + 1 + 4 * i, &value, 4);
      if (isfinite(value) && value > limit_keV)
        expected[i / 64] |= UINT64_C(1) << i % 64;
      if (!isfinite(value) || value < 0)
        odd[i / 64] |= UINT64_C(1) << i % 64;
    }
    for (int w = 0; w < WORDS; w++) {
      expected[w] &= live[w] = twin_random(&seed) | twin_random(&seed);
      n_odd += (uint32_t)__builtin_popcountll(odd[w] & live[w]);
    }
    for (size_t k = 0; ct_mask_ops_get(k); k++) {
      assert_int_equal(ct_mask_ops_get(k)->f32(mask, bytes + 1, limit_keV, live, WORDS), n_odd);
      assert_memory_equal(mask, expected, sizeof mask);
    }
  }
}

static void test_last_way_is_plain(void **state)
{
  (void)state;
  size_t n = 0;

  while (ct_mask_ops_get(n))
    n++;
  assert_true(n >= 1);
  assert_string_equal(ct_mask_ops_get(n - 1)->name, "plain");
}

int main(void)
{
  const struct CMUnitTest tests[] = {
    cmocka_unit_test(test_u16),
    cmocka_unit_test(test_f32),
    cmocka_unit_test(test_last_way_is_plain),
  };
  return cmocka_run_group_tests_name("hexitec mask", tests, NULL, NULL);
}
