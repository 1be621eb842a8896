/* Passes over hit masks, every way that this processor knows, against one look at one neighbour at a time. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "hexitec/internal.h"
#include "twin.h"

enum { ROWS_MAX = 40, COLS_MAX = 240, WORDS_MAX = ROWS_MAX * COLS_MAX / 64 + 8, MARGIN = COLS_MAX / 32 + 2, MASKS = 9 };

struct sensor {
  long rows, cols;
  struct ct_grid grid;
  uint64_t memory[MASKS][MARGIN + WORDS_MAX];
  uint64_t last_margin[MARGIN];
};

static uint64_t *mask_of(struct sensor *s, int i) { return s->memory[i] + MARGIN; }

static bool get(const uint64_t *mask, long i) { return mask[i / 64] >> i % 64 & 1; }
static void set(uint64_t *mask, long i) { mask[i / 64] |= UINT64_C(1) << i % 64; }

static struct sensor *new_sensor(long rows, long cols, uint32_t reach)
{
  struct sensor *s = ct_xcalloc(1, sizeof *s);

  s->rows = rows, s->cols = cols;
  s->grid = (struct ct_grid){ .cols = (uint32_t)cols, .reach = reach, .words = (size_t)(rows * cols + 511) / 512 * 8,
                              .has_west = mask_of(s, 0), .has_east = mask_of(s, 1),
                              .scratch = { mask_of(s, 2), mask_of(s, 3), mask_of(s, 4) } };
  for (long p = 0; p < rows * cols; p++) {
    if (p % cols != 0)
      set(s->grid.has_west, p);
    if (p % cols != cols - 1)
      set(s->grid.has_east, p);
  }
  return s;
}

/* The hits within <reach> of pixel p, itself left out: how many, and how many of them later; the last one seen. */
static int neighbours(const struct sensor *s, const uint64_t *hits, long p, long reach, int *after, long *other)
{
  int n = 0;

  *after = 0;
  for (long r = p / s->cols - reach; r <= p / s->cols + reach; r++) {
    for (long c = p % s->cols - reach; c <= p % s->cols + reach; c++) {
      long q = r * s->cols + c;
      if (r < 0 || c < 0 || r >= s->rows || c >= s->cols || q == p || !get(hits, q))
        continue;
      n++;
      *after += q > p;
      *other = q;
    }
  }
  return n;
}

static void assert_neighbours(struct sensor *s, const struct ct_bit_ops *ops, const uint64_t *hits)
{
  uint64_t *later = mask_of(s, 5), *first = mask_of(s, 6), *pair = mask_of(s, 7), *larger = mask_of(s, 8);

  ops->later(&s->grid, later, hits);
  for (long p = 0; p < s->rows * s->cols; p++) {
    int after;
    long other;
    neighbours(s, hits, p, s->grid.reach, &after, &other);
    assert_int_equal(get(later, p), get(hits, p) && after > 0);
  }
  ops->small_clusters(&s->grid, first, pair, larger, hits);
  for (long p = 0; p < s->rows * s->cols; p++) {
    int after, ignored;
    long other = p;
    int n = neighbours(s, hits, p, 1, &after, &other);
    bool paired = n == 1 && neighbours(s, hits, other, 1, &ignored, &(long){ 0 }) == 1;
    assert_int_equal(get(pair, p), get(hits, p) && paired);
    assert_int_equal(get(first, p), get(hits, p) && (n == 0 || (paired && after == 1)));
    assert_int_equal(get(larger, p), get(hits, p) && n > 0 && !paired);
  }
}

static const double occupancies[] = { 0, 0.002, 0.03, 0.15, 0.4, 0.8, 1 };

static void fill(uint64_t *mask, long pixels, double occupancy, uint64_t *seed)
{
  for (long p = 0; p < pixels; p++)
    if (twin_uniform(seed) < occupancy)
      set(mask, p);
}

static void test_neighbours(void **state)
{
  (void)state;
  static const long shape[][2] = { { 40, 80 }, { 1, 1 }, { 1, 200 }, { 40, 1 }, { 30, 2 }, { 9, 3 }, { 7, 64 }, { 7, 32 },
                                   { 5, 63 }, { 5, 65 }, { 40, 160 }, { 3, 240 } };
  uint64_t seed = 1;

  for (size_t i = 0; i < sizeof shape / sizeof *shape; i++) {
    for (int k = 0; k < 14; k++) {
      struct sensor *s = new_sensor(shape[i][0], shape[i][1], k < 7 ? 1 : 2);
      uint64_t memory[2 * MARGIN + WORDS_MAX] = { 0 }, *hits = memory + MARGIN;

      fill(hits, s->rows * s->cols, occupancies[k % 7], &seed);
      for (size_t way = 0; ct_bit_ops_get(way); way++)
        assert_neighbours(s, ct_bit_ops_get(way), hits);
      free(s);
    }
  }
}

static void test_list(void **state)
{
  (void)state;
  enum { WORDS = 104 };
  static uint32_t list[WORDS * 64 + CT_LIST_SLACK];
  uint64_t seed = 2;

  for (int k = 0; k < 70; k++) {
    uint64_t mask[WORDS] = { 0 };
    fill(mask, WORDS * 64, occupancies[k % 7], &seed);
    for (size_t way = 0; ct_bit_ops_get(way); way++) {
      uint32_t n = ct_bit_ops_get(way)->list(list, mask, WORDS), i = 0;
      for (uint32_t p = 0; p < WORDS * 64; p++)
        if (get(mask, p))
          assert_int_equal(list[i++], p);
      assert_int_equal(n, i);
    }
  }
}

static void test_deal(void **state)
{
  (void)state;
  enum { WORDS = 104 };
  uint64_t seed = 3;

  for (int k = 0; k < 14; k++) {
    uint64_t raw[WORDS] = { 0 }, expected[WORDS] = { 0 };
    fill(raw, 6400, occupancies[k % 7], &seed);
    for (long row = 0, i = 0; row < 80; row++)
      for (long col = 0; col < 20; col++)
        for (long block = 0; block < 4; block++, i++)
          if (get(raw, i))
            set(expected, row * 80 + block * 20 + col);
    for (size_t way = 0; ct_bit_ops_get(way); way++) {
      uint64_t geometric[WORDS] = { 0 };
      ct_bit_ops_get(way)->deal(geometric, raw, WORDS);
      assert_memory_equal(geometric, expected, sizeof expected);
    }
  }
}

static void test_counts(void **state)
{
  (void)state;
  enum { WORDS = 104 };
  uint64_t seed = 4;

  for (int k = 0; k < 70; k++) {
    uint64_t mask[WORDS] = { 0 };
    uint32_t most = 0, all = 0;
    fill(mask, WORDS * 64, occupancies[k % 7], &seed);
    for (int w = 0; w < WORDS; w++) {
      uint32_t n = 0;
      for (int i = 0; i < 64; i++)
        n += get(&mask[w], i);
      most = n > most ? n : most;
      all += n;
    }
    for (size_t way = 0; ct_bit_ops_get(way); way++) {
      assert_int_equal(ct_bit_ops_get(way)->fullest(mask, WORDS), most);
      assert_int_equal(ct_bit_ops_get(way)->count(mask, WORDS), all);
    }
  }
}

int main(void)
{
  const struct CMUnitTest tests[] = {
    cmocka_unit_test(test_neighbours),
    cmocka_unit_test(test_list),
    cmocka_unit_test(test_deal),
    cmocka_unit_test(test_counts),
  };
  return cmocka_run_group_tests_name("hexitec bits", tests, NULL, NULL);
}
