/* The snapshots a viewer keeps: what comes out is what went in, the newest stay, memory stays bounded. */
#include "../core/cmocka_all.h"

#include <stdlib.h>
#include <string.h>

#include "monitor/past.h"

enum { ROOM = 1 << 20 };
static uint64_t block[ROOM / 8];

/* Snapshot <number>, with a spectrum whose size and content follow from it. */
static struct ct_snapshot *make(uint64_t number)
{
  struct ct_snapshot_builder builder;
  struct ct_spectrum_parts spectrum;
  struct ct_request request = { .kind = CT_SECTION_SPECTRUM };
  memset(block, 0, sizeof block);
  assert_int_equal(ct_snapshot_begin(&builder, block, sizeof block), 0);
  builder.snapshot->core.seq = number;
  uint32_t n = 1 + (uint32_t)(number * 7919 % 500);
  assert_true(ct_snapshot_add_spectrum(&builder, &request, n, &spectrum));
  uint64_t random = number * 0x9e3779b97f4a7c15u;
  for (uint32_t i = 0; i < n; i++)
    spectrum.counts[i] = (double)((random = random * 6364136223846793005u + 1) >> 20);
  return ct_snapshot_finish(&builder);
}

static void is_as_made(const struct past *past, uint64_t number, uint64_t from)
{
  struct ct_snapshot *got = NULL;
  size_t bytes = 0;
  assert_true(past_get(past, number, &got, &bytes));
  const struct ct_snapshot *made = make(from);
  assert_int_equal(got->size_bytes, made->size_bytes);
  assert_memory_equal(got, made, (size_t)made->size_bytes);
  free(got);
}

static void newest_are_kept_whole(void **state)
{
  (void)state;
  static struct past past;
  past_init(&past, (size_t)1 << 30);
  for (uint64_t k = 0; k < 2 * PAST_SNAPSHOTS + 17; k++)
    past_add(&past, make(k));
  assert_int_equal(past.added, 2 * PAST_SNAPSHOTS + 17);
  assert_int_equal(past.added - past.oldest, PAST_SNAPSHOTS);
  for (uint64_t k = past.oldest; k < past.added; k += 97)
    is_as_made(&past, k, k);
  is_as_made(&past, past.oldest, past.oldest);
  is_as_made(&past, past.added - 1, past.added - 1);
  struct ct_snapshot *got = NULL;
  size_t bytes = 0;
  assert_false(past_get(&past, past.oldest - 1, &got, &bytes));
  assert_false(past_get(&past, past.added, &got, &bytes));
  assert_null(got);
  past_fini(&past);
}

static void memory_is_bounded_and_the_last_always_there(void **state)
{
  (void)state;
  static struct past past;
  past_init(&past, 20000);
  for (uint64_t k = 0; k < 200; k++) {
    past_add(&past, make(k));
    assert_true(past.bytes <= 20000);
    is_as_made(&past, k, k);
  }
  assert_true(past.added - past.oldest > 1);
  past_fini(&past);
  past_init(&past, 1);
  past_add(&past, make(1));
  past_add(&past, make(2));
  assert_int_equal(past.added - past.oldest, 1);
  is_as_made(&past, 1, 2);
  past_fini(&past);
  assert_int_equal(past.bytes, 0);
}

int main(void)
{
  const struct CMUnitTest tests[] = {
    cmocka_unit_test(newest_are_kept_whole),
    cmocka_unit_test(memory_is_bounded_and_the_last_always_there),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
