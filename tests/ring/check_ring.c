/* The ring in one thread: its door, the wrap-around of its indexes, and random use against a model of plain counters. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include <comptop/ring.h>

static struct ct_ring *ring_of(struct ct_ring_config config)
{
  struct ct_ring *ring = NULL;
  struct ct_err err = {""};
  if (config.slot_bytes == 0)
    config.slot_bytes = sizeof(uint64_t);
  assert_int_equal(ct_ring_new(&ring, &config, &err), 0);
  assert_string_equal(err.text, "");
  return ring;
}

/* Commits the numbers from <first> on, one item each of <bytes>; how many found room. */
static size_t put(struct ct_ring *ring, uint64_t first, size_t n, uint64_t bytes)
{
  size_t done = 0;
  while (done < n) {
    void *slots;
    size_t got = ct_ring_reserve(ring, 1, &slots);
    if (got == 0)
      break;
    *(uint64_t *)slots = first + done;
    ct_ring_commit(ring, 1, &(struct ct_ring_weight){1, bytes});
    done++;
  }
  return done;
}

static struct ct_ring_stats stats_of(const struct ct_ring *ring, unsigned consumer)
{
  struct ct_ring_stats stats;
  ct_ring_stats(ring, consumer, &stats);
  return stats;
}

static void refuses_wrong_figures(void **state)
{
  (void)state;
  static const struct ct_ring_config wrong[] = {
    {.slots = 0, .slot_bytes = 8, .consumers = 1},
    {.slots = 12, .slot_bytes = 8, .consumers = 1},
    {.slots = (size_t)1 << 32, .slot_bytes = 8, .consumers = 1},
    {.slots = 8, .slot_bytes = 0, .consumers = 1},
    {.slots = 8, .slot_bytes = 8, .consumers = 0},
    {.slots = 8, .slot_bytes = 8, .consumers = CT_RING_CONSUMERS + 1},
    {.slots = 8, .slot_bytes = 8, .consumers = 2, .budgets = {{0, 0}, {0, 1}}, .lossless = {false, true}},
  };
  for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
    struct ct_ring *ring = NULL;
    struct ct_err err = {""};
    assert_int_equal(ct_ring_new(&ring, &wrong[i], &err), CT_ERANGE);
    assert_null(ring);
    assert_memory_equal(err.text, "ring: ", 6);
  }
  struct ct_ring_config huge = {.slots = (size_t)1 << 31, .slot_bytes = SIZE_MAX / 2, .consumers = 1};
  struct ct_ring *ring = NULL;
  assert_int_equal(ct_ring_new(&ring, &huge, NULL), CT_ENOMEM);
  assert_null(ring);
  ct_ring_free(NULL);
}

static void hands_over_in_order_up_to_the_end_of_the_array(void **state)
{
  (void)state;
  struct ct_ring *ring = ring_of((struct ct_ring_config){.slots = 8, .consumers = 1});
  struct ct_ring_batch batch;
  void *slots;
  assert_int_equal(ct_ring_peek(ring, 0, 8, &batch), 0);
  assert_int_equal(ct_ring_reserve(ring, 5, &slots), 5);
  assert_int_equal((uintptr_t)slots % 64, 0);
  assert_int_equal(ct_ring_peek(ring, 0, 8, &batch), 0);
  for (uint64_t i = 0; i < 5; i++)
    ((uint64_t *)slots)[i] = i;
  ct_ring_commit(ring, 5, NULL);
  assert_int_equal(ct_ring_peek(ring, 0, 0, &batch), 0);
  assert_int_equal(ct_ring_peek(ring, 0, 8, &batch), 5);
  for (uint64_t i = 0; i < 5; i++)
    assert_int_equal(((uint64_t *)batch.slots)[i], i);
  ct_ring_release(ring, 0, 5);
  assert_int_equal(ct_ring_reserve(ring, 8, &slots), 3);
  ct_ring_commit(ring, 2, NULL); /* fewer than reserved: the third is still free */
  assert_int_equal(ct_ring_reserve(ring, 8, &slots), 1);
  ct_ring_commit(ring, 1, NULL);
  assert_int_equal(ct_ring_reserve(ring, 4, &slots), 4);
  ct_ring_commit(ring, 4, NULL);
  assert_int_equal(ct_ring_peek(ring, 0, 8, &batch), 3);
  assert_int_equal(batch.first_item, 5);
  ct_ring_release(ring, 0, 3);
  assert_int_equal(ct_ring_peek(ring, 0, 8, &batch), 4);
  assert_int_equal(batch.first_item, 8);
  assert_int_equal(stats_of(ring, 0).taken.items, 12);
  assert_int_equal(stats_of(ring, 0).taken.bytes, 12 * sizeof(uint64_t));
  ct_ring_free(ring);
}

static void full_ring_takes_the_oldest_from_the_slow_only(void **state)
{
  (void)state;
  struct ct_ring *ring = ring_of((struct ct_ring_config){.slots = 4, .consumers = 2});
  struct ct_ring_batch batch;
  assert_int_equal(put(ring, 0, 4, 10), 4);
  assert_int_equal(ct_ring_peek(ring, 0, 4, &batch), 4);
  ct_ring_release(ring, 0, 4);
  assert_int_equal(put(ring, 4, 2, 10), 2);
  struct ct_ring_stats slow = stats_of(ring, 1);
  assert_int_equal(slow.skipped.items, 2);
  assert_int_equal(slow.skipped.bytes, 20);
  assert_int_equal(slow.waiting.items, 4);
  assert_true(slow.fill == 1 && slow.high == 1);
  assert_int_equal(stats_of(ring, 0).skipped.items, 0);
  assert_int_equal(ct_ring_peek(ring, 1, 1, &batch), 1);
  assert_int_equal(*(uint64_t *)batch.slots, 2);
  assert_int_equal(batch.skipped, 2);
  assert_int_equal(batch.first_item, 2);
  ct_ring_release(ring, 1, 1);
  assert_int_equal(ct_ring_peek(ring, 1, 1, &batch), 1);
  assert_int_equal(batch.skipped, 0);
  ct_ring_free(ring);
}

static void what_is_being_read_is_never_reused(void **state)
{
  (void)state;
  struct ct_ring *ring = ring_of((struct ct_ring_config){.slots = 4, .consumers = 2});
  struct ct_ring_batch batch;
  assert_int_equal(put(ring, 0, 4, 1), 4);
  assert_int_equal(ct_ring_peek(ring, 0, 2, &batch), 2);
  assert_int_equal(put(ring, 4, 1, 1), 0);
  assert_int_equal(stats_of(ring, 1).skipped.items, 0); /* taking from the other one would not have made room */
  assert_int_equal(((uint64_t *)batch.slots)[0], 0);
  ct_ring_release(ring, 0, 1);
  assert_int_equal(put(ring, 4, 4, 1), 1);
  assert_int_equal(((uint64_t *)batch.slots)[1], 1);
  ct_ring_release(ring, 0, 1);
  assert_int_equal(put(ring, 5, 4, 1), 4);
  ct_ring_free(ring);
}

static void a_lossless_consumer_stops_the_producer(void **state)
{
  (void)state;
  struct ct_ring *ring = ring_of((struct ct_ring_config){.slots = 4, .consumers = 2, .lossless = {true, false}});
  struct ct_ring_batch batch;
  assert_int_equal(put(ring, 0, 9, 1), 4);
  assert_int_equal(stats_of(ring, 0).waiting.items, 4);
  assert_int_equal(stats_of(ring, 1).skipped.items, 0);
  assert_int_equal(ct_ring_peek(ring, 0, 3, &batch), 3);
  ct_ring_release(ring, 0, 3);
  assert_int_equal(put(ring, 4, 9, 1), 3);
  assert_int_equal(stats_of(ring, 0).skipped.items, 0);
  assert_int_equal(stats_of(ring, 1).skipped.items, 3);
  ct_ring_free(ring);
}

static void budgets_in_items_and_bytes(void **state)
{
  (void)state;
  struct ct_ring *ring =
    ring_of((struct ct_ring_config){.slots = 256, .consumers = 3, .budgets = {{10, 0}, {0, 1000}, {0, 0}}});
  struct ct_ring_batch batch;
  assert_int_equal(put(ring, 0, 20, 90), 20);
  assert_int_equal(stats_of(ring, 0).skipped.items, 10);
  assert_int_equal(stats_of(ring, 1).skipped.items, 9); /* 11 * 90 <= 1000 < 12 * 90 */
  assert_int_equal(stats_of(ring, 2).skipped.items, 0);
  assert_float_equal(stats_of(ring, 1).fill, 0.99, 1e-12);
  assert_float_equal(stats_of(ring, 2).fill, 20. / 256, 1e-12);
  assert_int_equal(ct_ring_peek(ring, 1, 1, &batch), 1);
  assert_int_equal(*(uint64_t *)batch.slots, 9);
  /* one slot beyond the whole budget never reaches that consumer; a batch of frames is one slot of many items */
  void *slots;
  assert_int_equal(ct_ring_reserve(ring, 1, &slots), 1);
  ct_ring_commit(ring, 1, &(struct ct_ring_weight){11, 1});
  assert_int_equal(stats_of(ring, 0).waiting.items, 0);
  assert_int_equal(stats_of(ring, 0).skipped.items, 31);
  assert_int_equal(stats_of(ring, 2).waiting.items, 31);
  ct_ring_free(ring);
}

struct disposed {
  uint64_t n;
  bool in_order;
};

static void note_disposed(void *slot, void *arg)
{
  struct disposed *disposed = arg;
  disposed->in_order = disposed->in_order && *(uint64_t *)slot == disposed->n;
  disposed->n++;
}

static void disposes_once_after_all_have_passed(void **state)
{
  (void)state;
  struct disposed disposed = {0, true};
  struct ct_ring *ring = ring_of((struct ct_ring_config){
    .slots = 8, .consumers = 2, .dispose = note_disposed, .dispose_arg = &disposed});
  struct ct_ring_batch batch;
  assert_int_equal(put(ring, 0, 6, 1), 6);
  assert_int_equal(ct_ring_peek(ring, 0, 6, &batch), 6);
  ct_ring_release(ring, 0, 6);
  assert_int_equal(ct_ring_reclaim(ring, 8), 0);
  assert_int_equal(ct_ring_peek(ring, 1, 4, &batch), 4);
  assert_int_equal(ct_ring_reclaim(ring, 8), 0);
  ct_ring_release(ring, 1, 3);
  assert_int_equal(ct_ring_reclaim(ring, 2), 2);
  assert_int_equal(disposed.n, 2);
  assert_int_equal(ct_ring_reclaim(ring, 8), 1);
  ct_ring_free(ring);
  assert_int_equal(disposed.n, 6);
  assert_true(disposed.in_order);
}

static void high_water_mark(void **state)
{
  (void)state;
  struct ct_ring *ring = ring_of((struct ct_ring_config){.slots = 1024, .consumers = 1});
  struct ct_ring_batch batch;
  assert_int_equal(put(ring, 0, 512, 1), 512);
  assert_int_equal(ct_ring_peek(ring, 0, 512, &batch), 512);
  ct_ring_release(ring, 0, 512);
  struct ct_ring_stats stats = stats_of(ring, 0);
  assert_true(stats.fill == 0);
  assert_in_range((uint64_t)(stats.high * 64), 31, 32);
  ct_ring_free(ring);
}

/* ---- against a model ------------------------------------------------------------------------------ */
enum { MODEL_ITEMS = 1 << 16 };

struct model_consumer {
  uint64_t next, held_first, held, end;
  struct ct_ring_weight budget;
  bool lossless;
  struct ct_ring_weight taken, skipped;
};

/* Everything counts from zero and nothing wraps. */
struct model {
  uint64_t slots, head, reclaimed, first;
  unsigned consumers;
  struct model_consumer consumer[CT_RING_CONSUMERS];
  struct ct_ring_weight weights[MODEL_ITEMS];
};

static uint64_t random_state;
static uint64_t random_below(uint64_t n)
{
  random_state ^= random_state << 13;
  random_state ^= random_state >> 7;
  random_state ^= random_state << 17;
  return (random_state >> 11) % n;
}

static struct ct_ring_weight weigh(const struct model *model, uint64_t from, uint64_t to)
{
  struct ct_ring_weight sum = {0, 0};
  for (; from < to; from++) {
    sum.items += model->weights[from].items;
    sum.bytes += model->weights[from].bytes;
  }
  return sum;
}

static void add(struct ct_ring_weight *sum, struct ct_ring_weight more)
{
  sum->items += more.items;
  sum->bytes += more.bytes;
}

static void model_skip(struct model *model, struct model_consumer *c, uint64_t to)
{
  if (c->next >= to)
    return;
  add(&c->skipped, weigh(model, c->next, to));
  c->next = to;
}

static uint64_t model_passed(const struct model *model)
{
  uint64_t passed = model->head;
  for (unsigned i = 0; i < model->consumers; i++) {
    const struct model_consumer *c = &model->consumer[i];
    uint64_t at = c->held ? c->held_first : c->next;
    if (at < passed)
      passed = at;
  }
  return passed;
}

static uint64_t model_reserve(struct model *model, uint64_t want)
{
  uint64_t to_end = model->slots - (model->first + model->head) % model->slots;
  if (want > to_end)
    want = to_end;
  if (model->head + want > model->reclaimed + model->slots) {
    uint64_t to = model->head + want > model->slots ? model->head + want - model->slots : 0;
    for (unsigned i = 0; i < model->consumers; i++) {
      const struct model_consumer *c = &model->consumer[i];
      if (c->held && c->held_first < to)
        to = c->held_first;
      if (c->lossless && c->next < to)
        to = c->next;
    }
    for (unsigned i = 0; i < model->consumers; i++)
      model_skip(model, &model->consumer[i], to);
    model->reclaimed = model_passed(model);
  }
  uint64_t room = model->slots - (model->head - model->reclaimed);
  return want < room ? want : room;
}

static void model_budgets(struct model *model)
{
  for (unsigned i = 0; i < model->consumers; i++) {
    struct model_consumer *c = &model->consumer[i];
    struct ct_ring_weight waiting = weigh(model, c->next, model->head);
    while ((c->budget.items && waiting.items > c->budget.items) || (c->budget.bytes && waiting.bytes > c->budget.bytes)) {
      model_skip(model, c, c->next + 1);
      waiting = weigh(model, c->next, model->head);
    }
  }
}

static void produce(struct ct_ring *ring, struct model *model)
{
  uint64_t want = random_below(model->slots + 3);
  void *slots = NULL;
  size_t got = ct_ring_reserve(ring, (size_t)want, &slots);
  assert_int_equal(got, model_reserve(model, want));
  size_t n = got ? (size_t)random_below(got + 1) : 0;
  for (size_t i = 0; i < n; i++) {
    ((uint64_t *)slots)[i] = model->head + i;
    model->weights[model->head + i] = (struct ct_ring_weight){random_below(4), random_below(1000)};
  }
  ct_ring_commit(ring, n, &model->weights[model->head]);
  model->head += n;
  model_budgets(model);
}

static void consume(struct ct_ring *ring, struct model *model, unsigned consumer)
{
  struct model_consumer *c = &model->consumer[consumer];
  struct ct_ring_batch batch;
  uint64_t max = random_below(model->slots + 1);
  size_t got = ct_ring_peek(ring, consumer, (size_t)max, &batch);
  uint64_t waiting = model->head - c->next, to_end = model->slots - (model->first + c->next) % model->slots;
  uint64_t expected = waiting < max ? waiting : max;
  assert_int_equal(got, expected < to_end ? expected : to_end);
  if (got == 0)
    return;
  assert_int_equal(batch.n, got);
  assert_int_equal(batch.first_item, weigh(model, 0, c->next).items);
  assert_int_equal(batch.skipped, weigh(model, c->end, c->next).items);
  for (size_t i = 0; i < got; i++)
    assert_int_equal(((uint64_t *)batch.slots)[i], c->next + i);
  add(&c->taken, weigh(model, c->next, c->next + got));
  c->held_first = c->next;
  c->held = got;
  c->next += got;
  c->end = c->next;
}

static void release(struct ct_ring *ring, struct model_consumer *c, unsigned consumer)
{
  uint64_t n = random_below(3) ? c->held : random_below(c->held + 1);
  ct_ring_release(ring, consumer, (size_t)n);
  c->held_first += n;
  c->held -= n;
}

static void compare(const struct ct_ring *ring, const struct model *model)
{
  struct ct_ring_weight committed = weigh(model, 0, model->head);
  for (unsigned i = 0; i < model->consumers; i++) {
    const struct model_consumer *c = &model->consumer[i];
    struct ct_ring_weight waiting = weigh(model, c->next, model->head);
    struct ct_ring_stats stats = stats_of(ring, i);
    assert_memory_equal(&stats.committed, &committed, sizeof committed);
    assert_memory_equal(&stats.taken, &c->taken, sizeof committed);
    assert_memory_equal(&stats.skipped, &c->skipped, sizeof committed);
    assert_memory_equal(&stats.waiting, &waiting, sizeof committed);
    assert_true(stats.fill >= 0 && stats.fill <= stats.high && stats.high <= 1);
  }
}

static void random_use(struct model *model, uint64_t seed, uint64_t first_index)
{
  random_state = seed * UINT64_C(0x9e3779b97f4a7c15) + 1;
  memset(model, 0, sizeof *model);
  model->slots = UINT64_C(1) << random_below(6);
  model->first = first_index;
  model->consumers = 1 + (unsigned)random_below(4);
  struct disposed disposed = {0, true};
  struct ct_ring_config config = {.slots = (size_t)model->slots, .consumers = model->consumers,
                                  .dispose = note_disposed, .dispose_arg = &disposed, .first_index = first_index};
  for (unsigned i = 0; i < model->consumers; i++) {
    struct model_consumer *c = &model->consumer[i];
    c->lossless = random_below(5) == 0;
    if (!c->lossless && random_below(2))
      c->budget = (struct ct_ring_weight){random_below(2) * (1 + random_below(40)), random_below(2) * random_below(9000)};
    config.budgets[i] = c->budget;
    config.lossless[i] = c->lossless;
  }
  struct ct_ring *ring = ring_of(config);
  for (int step = 0; step < 600; step++) {
    unsigned i = (unsigned)random_below(model->consumers + 2);
    if (i > model->consumers) {
      size_t max = (size_t)random_below(8);
      uint64_t passed = model_passed(model) - model->reclaimed;
      assert_int_equal(ct_ring_reclaim(ring, max), passed < max ? passed : max);
      model->reclaimed += passed < max ? passed : max;
    } else if (i == model->consumers) {
      produce(ring, model);
    } else if (model->consumer[i].held) {
      release(ring, &model->consumer[i], i);
    } else {
      consume(ring, model, i);
    }
    assert_int_equal(disposed.n, model->reclaimed);
    if (step % 16 == 0)
      compare(ring, model);
  }
  compare(ring, model);
  ct_ring_free(ring);
  assert_int_equal(disposed.n, model->head);
  assert_true(disposed.in_order);
}

static void behaves_like_the_model(void **state)
{
  (void)state;
  struct model *model = malloc(sizeof *model);
  assert_non_null(model);
  for (uint64_t seed = 1; seed <= 60; seed++)
    random_use(model, seed, 0);
  free(model);
}

/* 2^63 is where doubled indexes wrap, 2^64 where indexes do. */
static void behaves_like_the_model_at_the_index_limit(void **state)
{
  (void)state;
  struct model *model = malloc(sizeof *model);
  assert_non_null(model);
  for (uint64_t seed = 1; seed <= 60; seed++) {
    random_use(model, seed, UINT64_MAX - seed * 3);
    random_use(model, seed, (UINT64_C(1) << 63) - seed * 3);
  }
  free(model);
}

int main(void)
{
  const struct CMUnitTest tests[] = {
    cmocka_unit_test(refuses_wrong_figures),
    cmocka_unit_test(hands_over_in_order_up_to_the_end_of_the_array),
    cmocka_unit_test(full_ring_takes_the_oldest_from_the_slow_only),
    cmocka_unit_test(what_is_being_read_is_never_reused),
    cmocka_unit_test(a_lossless_consumer_stops_the_producer),
    cmocka_unit_test(budgets_in_items_and_bytes),
    cmocka_unit_test(disposes_once_after_all_have_passed),
    cmocka_unit_test(high_water_mark),
    cmocka_unit_test(behaves_like_the_model),
    cmocka_unit_test(behaves_like_the_model_at_the_index_limit),
  };
  return cmocka_run_group_tests_name("ring", tests, NULL, NULL);
}
