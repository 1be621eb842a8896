/* The ring's inside, and why it is right.
 *
 * An index counts slots for ever (mod 2^64; only differences are looked at); slot i lies at i mod slots. In order of age:
 *
 *   reclaimed <= passed <= every hold, every next <= head <= reclaimed + slots
 *
 * and slots below <reclaimed> (one turn later: head .. reclaimed + slots) are the producer's to write. Who writes what:
 *
 *   head          producer       one past the last committed slot
 *   next          consumer and producer, by compare-and-swap only, and only forward: the next slot to claim
 *   hold          consumer       lowest slot it may be reading, or HOLD_NONE
 *   taken         consumer       sums of what it claimed
 *   skipped       producer       sums of what was taken away from that consumer
 *   sums[]        producer       sums_at(i) weighs everything committed before slot i. Twice as many as slots, so that the
 *                                entries reclaimed .. head, one more than there can be slots, are all alive.
 *
 * The order pairs, each named where it is used:
 *
 *   (A) head: store-release in commit -- load-acquire in peek. A consumer that sees the head sees slots and sums.
 *   (B) next: the consumer's compare-and-swap (release) -- the producer's load or compare-and-swap (acquire). peek
 *       stores hold = t before it moves next from t; a producer that sees next beyond t sees hold = t or what the
 *       consumer stored after it.
 *   (C) hold: store-release in release and peek -- load-acquire in the producer. A producer that sees hold beyond slot i
 *       (or none, under (B)) knows that the consumer's reads of slot i are over.
 *   (D) next: the producer's compare-and-swap (release) -- the consumer's load (acquire). A consumer that sees slots
 *       taken away also sees a head not below them, so head - next is never negative.
 *   (E) taken, skipped: store-release -- load-acquire in stats, which then loads committed (stored before the head that
 *       made the claim possible, (A)): what is waiting never comes out negative.
 *
 * A slot i may be reused when for each consumer i < N and i < H, where the producer has loaded N = next first and then
 * H = hold (H = none counts as beyond everything). Proof. To read slot i the consumer must win a compare-and-swap of next
 * from some t <= i to beyond i.
 * Next never goes back, so with i < N that swap lies before N in next's order of changes, or never happens: a
 * swap yet to come starts at N or later. If it was won, the value N comes from it or from a later swap (of the consumer,
 * or of the producer, whose own swap acquired it), so by (B) the load of hold returns t or something stored later. If
 * that is t or another position inside the batch at or below i, i < H fails and the slot stays. Otherwise it is a value
 * stored when slot i had been released, and by (C) the reads are over.
 * A peek that has stored hold = t and then loses its swap, or stands still between the two, leaves H lower than need be:
 * room comes later, never too early. What was once proven passed stays so: <passed> never goes back. */
#ifndef CT_RING_PRIVATE_H
#define CT_RING_PRIVATE_H

#include <stdalign.h>
#include <stdatomic.h>

#include <comptop/ring.h>

enum { LINE = 64, LOOKS = 64 };

/* hold: twice the index, plus one, so that every index differs from "none". */
#define HOLD_NONE UINT64_C(0)
#define HOLD(index) (2 * (index) + 1)

struct shared_weight {
  _Atomic uint64_t items, bytes;
};

struct consumer {
  alignas(LINE) _Atomic uint64_t next;
  _Atomic uint64_t hold;
  struct shared_weight taken;

  alignas(LINE) uint64_t head_seen;   /* from here on private to the consumer's thread */
  uint64_t held_first, held;
  uint64_t end;                       /* where its last batch ended */
  struct ct_ring_weight missed;       /* in gaps before its batches: taken + missed are the sums at end */

  alignas(LINE) struct shared_weight skipped;   /* from here on written by the producer */
  _Atomic double high;
  struct ct_ring_weight budget;       /* constant; UINT64_MAX: none */
  bool lossless;                      /* constant */
};

struct ct_ring {
  /* constant */
  unsigned char *slots;
  struct ct_ring_weight *sums;
  size_t n_slots, slot_bytes;
  uint64_t slot_mask, sum_mask;
  unsigned consumers;
  void (*dispose)(void *slot, void *arg);
  void *dispose_arg;

  alignas(LINE) _Atomic uint64_t head;
  struct shared_weight committed;     /* for stats */

  alignas(LINE) uint64_t head_own;    /* from here on private to the producer's thread */
  uint64_t reclaimed, passed, reserved;
  struct ct_ring_weight total;        /* committed */
  uint64_t look_at;                   /* look at the consumers when the head or ... */
  struct ct_ring_weight look_above;   /* ... the total gets beyond these */

  struct consumer consumer[CT_RING_CONSUMERS];
};

/* Whether index a comes before b, both less than 2^63 apart. */
static inline bool before(uint64_t a, uint64_t b)
{
  return (int64_t)(a - b) < 0;
}

static inline unsigned char *slot_at(const struct ct_ring *ring, uint64_t index)
{
  return ring->slots + (index & ring->slot_mask) * ring->slot_bytes;
}

/* What was committed before slot <index> is kept at index - 1: for a batch that ends with a cache line, the consumer then
 * reads a finished line, not the one that the producer writes next. */
static inline struct ct_ring_weight sums_at(const struct ct_ring *ring, uint64_t index)
{
  return ring->sums[(index - 1) & ring->sum_mask];
}

static inline struct ct_ring_weight minus(struct ct_ring_weight a, struct ct_ring_weight b)
{
  return (struct ct_ring_weight){a.items - b.items, a.bytes - b.bytes};
}

static inline struct ct_ring_weight plus(struct ct_ring_weight a, struct ct_ring_weight b)
{
  return (struct ct_ring_weight){a.items + b.items, a.bytes + b.bytes};
}

/* Adds to a counter that only the caller's thread writes; release: pair (E). */
static inline void count(struct shared_weight *counter, struct ct_ring_weight more)
{
  uint64_t items = atomic_load_explicit(&counter->items, memory_order_relaxed);
  uint64_t bytes = atomic_load_explicit(&counter->bytes, memory_order_relaxed);
  atomic_store_explicit(&counter->items, items + more.items, memory_order_release);
  atomic_store_explicit(&counter->bytes, bytes + more.bytes, memory_order_release);
}

/* 0..1: how full slots or budget are. */
double ct_ring_fill_(const struct ct_ring *ring, unsigned consumer, uint64_t slots, struct ct_ring_weight waiting);
/* Disposes of up to <max> slots that have been passed. */
size_t ct_ring_dispose_(struct ct_ring *ring, size_t max);

#endif
