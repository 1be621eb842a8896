/* The ring between threads: a fast consumer, a slow one with a budget, one that stops for a while and a lossless one.
 * What they read is right, in order, and every item ends in exactly one counter. Meant to run under ThreadSanitizer too. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <string.h>

#include <comptop/ring.h>

enum { SLOTS = 256, COMMITS = 100000, WORDS = 3, CONSUMERS = 3 };

/* Three copies of one number: a torn or reused slot shows. */
struct payload {
  uint64_t words[WORDS];
};

struct table {
  struct ct_ring *ring;
  atomic_bool done;
  uint64_t disposed, order_errors;   /* producer's */
};

struct reader {
  struct table *table;
  unsigned consumer;
  size_t max;
  unsigned yields;        /* after each batch */
  uint64_t rest_at;       /* stops after so many slots until the producer is done; 0: never */
  uint64_t slots, items, skipped, errors, expected_item;
};

/* Slot number i weighs i mod 3 + 1 items and i mod 7 bytes. */
static struct ct_ring_weight weight_of(uint64_t i)
{
  return (struct ct_ring_weight){i % 3 + 1, i % 7};
}

static void dispose(void *slot, void *arg)
{
  struct table *table = arg;
  struct payload *payload = slot;
  table->order_errors += payload->words[0] != table->disposed++;
  memset(payload, 0xff, sizeof *payload);
}

static void read_batch(struct reader *reader, const struct ct_ring_batch *batch)
{
  const struct payload *payload = batch->slots;
  reader->skipped += batch->skipped;
  reader->errors += batch->first_item != reader->expected_item + batch->skipped;
  reader->expected_item = batch->first_item;
  for (size_t i = 0; i < batch->n; i++) {
    uint64_t number = payload[i].words[0];
    for (int w = 1; w < WORDS; w++)
      reader->errors += payload[i].words[w] != number;
    reader->errors += number != payload[0].words[0] + i;
    reader->expected_item += weight_of(number).items;
    reader->items += weight_of(number).items;
  }
  reader->slots += batch->n;
}

static void *consume(void *arg)
{
  struct reader *reader = arg;
  struct table *table = reader->table;
  for (;;) {
    bool done = atomic_load_explicit(&table->done, memory_order_acquire); /* partner: produce */
    struct ct_ring_batch batch;
    size_t n = ct_ring_peek(table->ring, reader->consumer, reader->max, &batch);
    if (n == 0 && done)
      return NULL;
    if (n == 0) {
      sched_yield();
      continue;
    }
    read_batch(reader, &batch);
    ct_ring_release(table->ring, reader->consumer, n);
    for (unsigned i = 0; i < reader->yields; i++)
      sched_yield();
    while (reader->rest_at && reader->slots >= reader->rest_at &&
           !atomic_load_explicit(&table->done, memory_order_acquire)) /* partner: produce */
      sched_yield();
  }
}

static uint64_t produce(struct table *table)
{
  uint64_t number = 0, items = 0;
  for (int i = 0; i < COMMITS; i++) {
    void *slots;
    size_t n = ct_ring_reserve(table->ring, 1 + (size_t)i % 7, &slots);
    struct ct_ring_weight weights[7];
    for (size_t k = 0; k < n; k++, number++) {
      weights[k] = weight_of(number);
      items += weights[k].items;
      ((struct payload *)slots)[k] = (struct payload){{number, number, number}};
    }
    if (n)
      ct_ring_commit(table->ring, n, weights);
    else
      sched_yield();
    if (i % 5 == 0)
      ct_ring_reclaim(table->ring, 16);
  }
  atomic_store_explicit(&table->done, true, memory_order_release); /* partner: consume */
  return items;
}

static uint64_t run(struct table *table, struct reader *readers, bool lossless)
{
  struct ct_ring_config config = {.slots = SLOTS, .slot_bytes = sizeof(struct payload), .consumers = CONSUMERS,
                                  .budgets = {{0, 0}, {100, 300}, {0, 0}}, .lossless = {lossless, false, false},
                                  .dispose = dispose, .dispose_arg = table, .first_index = UINT64_MAX - 1000};
  assert_int_equal(ct_ring_new(&table->ring, &config, NULL), 0);
  atomic_init(&table->done, false);
  pthread_t threads[CONSUMERS];
  for (unsigned i = 0; i < CONSUMERS; i++) {
    readers[i].table = table;
    readers[i].consumer = i;
    assert_int_equal(pthread_create(&threads[i], NULL, consume, &readers[i]), 0);
  }
  uint64_t items = produce(table);
  for (unsigned i = 0; i < CONSUMERS; i++)
    assert_int_equal(pthread_join(threads[i], NULL), 0);
  return items;
}

static void check(bool lossless)
{
  struct table table = {.ring = NULL};
  struct reader readers[CONSUMERS] = {{.max = 64}, {.max = 3, .yields = 20}, {.max = 16, .rest_at = 500}};
  uint64_t items = run(&table, readers, lossless);
  for (unsigned i = 0; i < CONSUMERS; i++) {
    struct ct_ring_stats stats;
    ct_ring_stats(table.ring, i, &stats);
    assert_int_equal(readers[i].errors, 0);
    assert_int_equal(stats.committed.items, items);
    assert_int_equal(stats.taken.items, readers[i].items);
    assert_int_equal(stats.skipped.items + stats.taken.items, items);
    assert_int_equal(stats.waiting.items, 0);
    assert_int_equal(stats.waiting.bytes, 0);
    /* what was skipped after the last batch is not seen by the reader: here the last slot is always read */
    assert_int_equal(readers[i].skipped, stats.skipped.items);
  }
  if (lossless)
    assert_int_equal(readers[0].items, items);
  ct_ring_free(table.ring);
  assert_int_equal(table.order_errors, 0);
}

static void sums_add_up_when_items_are_lost(void **state)
{
  (void)state;
  check(false);
}

static void nothing_is_lost_to_a_lossless_consumer(void **state)
{
  (void)state;
  check(true);
}

int main(void)
{
  const struct CMUnitTest tests[] = {
    cmocka_unit_test(sums_add_up_when_items_are_lost),
    cmocka_unit_test(nothing_is_lost_to_a_lossless_consumer),
  };
  return cmocka_run_group_tests_name("ring threads", tests, NULL, NULL);
}
