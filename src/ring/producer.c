#include <comptop/ring.h>

#include <assert.h>

#include "ring_private.h"

static bool heavier(struct ct_ring_weight a, struct ct_ring_weight b)
{
  return a.items > b.items || a.bytes > b.bytes;
}

/* Moves a consumer's next from <from> to <to>: false if the consumer was faster; *from is then where it has got to. */
static bool take_away(struct ct_ring *ring, struct consumer *c, uint64_t *from, uint64_t to)
{
  uint64_t t = *from;
  /* release (D), acquire (B) */
  if (!atomic_compare_exchange_strong_explicit(&c->next, from, to, memory_order_acq_rel, memory_order_acquire))
    return false;
  count(&c->skipped, minus(sums_at(ring, to), sums_at(ring, t)));
  atomic_store_explicit(&c->high, 1, memory_order_relaxed); /* a figure alone, pairs with nothing */
  *from = to;
  return true;
}

/* The first slot, from <next> on, behind which no more than the budget is waiting. */
static uint64_t within_budget(const struct ct_ring *ring, const struct consumer *c, uint64_t next)
{
  while (heavier(minus(ring->total, sums_at(ring, next)), c->budget))
    next++;
  return next;
}

/* How much more may be committed before this must be looked at again. */
static uint64_t look_after(uint64_t waiting, uint64_t budget)
{
  uint64_t room = budget - waiting, step = budget / LOOKS;
  return room < step ? room : step;
}

static void at_most(uint64_t *limit, uint64_t total, uint64_t more)
{
  if (more < UINT64_MAX - total && total + more < *limit)
    *limit = total + more;
}

/* Holds a consumer to its budget and notes how far behind it is. */
static void look_at(struct ct_ring *ring, unsigned consumer)
{
  struct consumer *c = &ring->consumer[consumer];
  uint64_t next = atomic_load_explicit(&c->next, memory_order_acquire); /* (B) */
  /* A lost swap means that the consumer has moved on; the head stands still meanwhile, so this ends. */
  for (;;) {
    uint64_t to = within_budget(ring, c, next);
    if (to == next || take_away(ring, c, &next, to))
      break;
  }
  struct ct_ring_weight waiting = minus(ring->total, sums_at(ring, next));
  double fill = ct_ring_fill_(ring, consumer, ring->head_own - next, waiting);
  if (fill > atomic_load_explicit(&c->high, memory_order_relaxed))
    atomic_store_explicit(&c->high, fill, memory_order_relaxed);
  at_most(&ring->look_above.items, ring->total.items, look_after(waiting.items, c->budget.items));
  at_most(&ring->look_above.bytes, ring->total.bytes, look_after(waiting.bytes, c->budget.bytes));
}

/* Rarely called: kept out of commit, which would save registers for it. */
__attribute__((noinline)) static void look(struct ct_ring *ring)
{
  ring->look_at = ring->head_own + ring->n_slots / LOOKS;
  ring->look_above = (struct ct_ring_weight){UINT64_MAX, UINT64_MAX};
  for (unsigned c = 0; c < ring->consumers; c++)
    look_at(ring, c);
}

/* The lowest slot the consumer may be reading; the head if none. */
static uint64_t held_from(const struct ct_ring *ring, const struct consumer *c)
{
  uint64_t hold = atomic_load_explicit(&c->hold, memory_order_acquire); /* (C) */
  return hold == HOLD_NONE ? ring->head_own : ring->head_own - (HOLD(ring->head_own) - hold) / 2;
}

/* Finds out how far every consumer has passed. */
static void update_passed(struct ct_ring *ring)
{
  uint64_t passed = ring->head_own;
  for (unsigned i = 0; i < ring->consumers; i++) {
    const struct consumer *c = &ring->consumer[i];
    uint64_t next = atomic_load_explicit(&c->next, memory_order_acquire); /* (B): before hold */
    uint64_t hold = held_from(ring, c);
    if (before(next, passed))
      passed = next;
    if (before(hold, passed))
      passed = hold;
  }
  if (before(ring->passed, passed))
    ring->passed = passed;
}

/* Takes the slots below <to> from all who have not claimed them, as far as that makes room. */
static void make_room(struct ct_ring *ring, uint64_t to)
{
  for (unsigned i = 0; i < ring->consumers; i++) {
    const struct consumer *c = &ring->consumer[i];
    uint64_t next = atomic_load_explicit(&c->next, memory_order_acquire); /* (B): before hold */
    uint64_t hold = held_from(ring, c);
    if (c->lossless && before(next, to))
      to = next;
    if (before(hold, to))
      to = hold;
  }
  for (unsigned i = 0; i < ring->consumers; i++) {
    struct consumer *c = &ring->consumer[i];
    uint64_t next = atomic_load_explicit(&c->next, memory_order_acquire); /* (B) */
    while (before(next, to) && !take_away(ring, c, &next, to)) {
      /* the consumer has claimed some of them: next is where it is now */
    }
  }
}

static size_t room(const struct ct_ring *ring, uint64_t tail)
{
  return ring->n_slots - (size_t)(ring->head_own - tail);
}

size_t ct_ring_dispose_(struct ct_ring *ring, size_t max)
{
  size_t n = (size_t)(ring->passed - ring->reclaimed);
  if (n > max)
    n = max;
  if (ring->dispose)
    for (size_t i = 0; i < n; i++)
      ring->dispose(slot_at(ring, ring->reclaimed + i), ring->dispose_arg);
  ring->reclaimed += n;
  return n;
}

/* Fetches the lines of the next reservation for writing, while this one is being filled: the consumers have read them
 * last, and to get them back one by one costs a batch more than all else. Single small slots gain nothing by it. */
static void fetch_ahead(const struct ct_ring *ring, size_t n)
{
  enum { MOST = 16 * LINE };
  const unsigned char *next = slot_at(ring, ring->head_own + n);
  size_t to_end = (size_t)(ring->slots + ring->n_slots * ring->slot_bytes - next);
  size_t bytes = n * ring->slot_bytes < to_end ? n * ring->slot_bytes : to_end;
  if (bytes > MOST)
    bytes = MOST;
  for (size_t i = LINE; i <= bytes; i += LINE)
    __builtin_prefetch(next + i - LINE, 1);
}

size_t ct_ring_reserve(struct ct_ring *ring, size_t want, void **slots)
{
  size_t to_end = ring->n_slots - (size_t)(ring->head_own & ring->slot_mask);
  if (want > to_end)
    want = to_end;
  if (room(ring, ring->reclaimed) < want) {
    update_passed(ring);
    if (room(ring, ring->passed) < want) {
      make_room(ring, ring->head_own + want - ring->n_slots);
      update_passed(ring);
    }
    ct_ring_dispose_(ring, SIZE_MAX);
    if (room(ring, ring->reclaimed) < want)
      want = room(ring, ring->reclaimed);
  }
  ring->reserved = want;
  fetch_ahead(ring, want);
  *slots = slot_at(ring, ring->head_own);
  return want;
}

void ct_ring_commit(struct ct_ring *ring, size_t n, const struct ct_ring_weight *weights)
{
  assert(n <= ring->reserved);
  struct ct_ring_weight total = ring->total;
  uint64_t head = ring->head_own;
  for (size_t i = 0; i < n; i++) {
    total.items += weights ? weights[i].items : 1;
    total.bytes += weights ? weights[i].bytes : ring->slot_bytes;
    ring->sums[head++ & ring->sum_mask] = total;
  }
  ring->total = total;
  ring->head_own = head;
  ring->reserved = 0;
  /* before the head: (E) */
  atomic_store_explicit(&ring->committed.items, total.items, memory_order_relaxed);
  atomic_store_explicit(&ring->committed.bytes, total.bytes, memory_order_relaxed);
  atomic_store_explicit(&ring->head, head, memory_order_release); /* (A) */
  if (!before(head, ring->look_at) || heavier(total, ring->look_above))
    look(ring);
}

size_t ct_ring_reclaim(struct ct_ring *ring, size_t max)
{
  update_passed(ring);
  return ct_ring_dispose_(ring, max);
}
