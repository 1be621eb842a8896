#include <comptop/ring.h>

#include <assert.h>

#include "ring_private.h"

static size_t least(uint64_t a, uint64_t b)
{
  return (size_t)(a < b ? a : b);
}

/* Claims slots from *first on: how many. */
static size_t claim(struct ct_ring *ring, struct consumer *c, size_t max, uint64_t *first)
{
  uint64_t t = atomic_load_explicit(&c->next, memory_order_acquire); /* (D) */
  bool tried = false;
  for (;;) {
    size_t want = least(max, ring->n_slots - (t & ring->slot_mask));
    if (before(c->head_seen, t + want))
      c->head_seen = atomic_load_explicit(&ring->head, memory_order_acquire); /* (A) */
    size_t n = least(want, c->head_seen - t);
    if (n == 0) {
      if (tried)
        atomic_store_explicit(&c->hold, HOLD_NONE, memory_order_release); /* (C) */
      return 0;
    }
    atomic_store_explicit(&c->hold, HOLD(t), memory_order_release); /* (C); before the swap for (B) */
    *first = t;
    if (c->lossless) {
      atomic_store_explicit(&c->next, t + n, memory_order_release); /* (B); the producer never moves it */
      return n;
    }
    /* (B) where it succeeds; where the producer was faster, t is where it moved next to (D) */
    if (atomic_compare_exchange_strong_explicit(&c->next, &t, t + n, memory_order_acq_rel, memory_order_acquire))
      return n;
    tried = true;
  }
}

size_t ct_ring_peek(struct ct_ring *ring, unsigned consumer, size_t max, struct ct_ring_batch *batch)
{
  assert(consumer < ring->consumers);
  struct consumer *c = &ring->consumer[consumer];
  assert(c->held == 0);
  uint64_t first = 0;
  size_t n = claim(ring, c, max, &first);
  if (n == 0)
    return 0;
  struct ct_ring_weight start = {atomic_load_explicit(&c->taken.items, memory_order_relaxed) + c->missed.items,
                                 atomic_load_explicit(&c->taken.bytes, memory_order_relaxed) + c->missed.bytes};
  uint64_t skipped = 0;
  if (first != c->end) {
    struct ct_ring_weight gap = minus(sums_at(ring, first), start);
    skipped = gap.items;
    c->missed = plus(c->missed, gap);
    start = plus(start, gap);
  }
  *batch = (struct ct_ring_batch){slot_at(ring, first), n, start.items, skipped};
  count(&c->taken, minus(sums_at(ring, first + n), start));
  c->end = first + n;
  c->held_first = first;
  c->held = n;
  return n;
}

void ct_ring_release(struct ct_ring *ring, unsigned consumer, size_t n)
{
  assert(consumer < ring->consumers);
  struct consumer *c = &ring->consumer[consumer];
  assert(n <= c->held);
  c->held_first += n;
  c->held -= n;
  atomic_store_explicit(&c->hold, c->held ? HOLD(c->held_first) : HOLD_NONE, memory_order_release); /* (C) */
}
