/* ring: one producer hands slots to several consumers; nobody waits, nothing is overwritten, all that is missed is counted.
 * Ownership: the ring owns its slots' memory; what a slot refers to belongs to the producer, which gets each slot back
 * through <dispose> once every consumer has passed it; a consumer borrows the slots between peek and release.
 *
 * Threads: reserve, commit and reclaim are called by one thread (the producer); peek and release of a consumer by one
 * thread each; stats by any thread. new and free stand outside all of that. No call but new and free allocates,
 * sleeps or spins. The proof of the memory orders is in src/ring/ring_private.h. */
#ifndef COMPTOP_RING_H
#define COMPTOP_RING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <comptop/core.h>

struct ct_ring;

enum { CT_RING_CONSUMERS = 8 };   /* the most a ring may have */

/* What a slot stands for: its items (frames) and its bytes. */
struct ct_ring_weight {
  uint64_t items, bytes;
};

struct ct_ring_config {
  size_t slots;                   /* a power of two, 1 .. 2^31 */
  size_t slot_bytes;              /* > 0; slots lie one after the other without gaps, the first one 64-byte aligned */
  unsigned consumers;             /* 1 .. CT_RING_CONSUMERS */
  /* The most that may wait for each consumer (what it has peeked no longer waits); 0: only the slots limit it.
   * A slot heavier than the budget never reaches that consumer. */
  struct ct_ring_weight budgets[CT_RING_CONSUMERS];
  bool lossless[CT_RING_CONSUMERS];   /* nothing is taken from this consumer: reserve finds no room instead. Budget 0 */
  /* Called by the producer's thread, once for each committed slot after every consumer has passed it and before it can
   * be reserved again; by ct_ring_free for the rest. May be NULL. */
  void (*dispose)(void *slot, void *arg);
  void *dispose_arg;
  uint64_t first_index;           /* 0, except to test the wrap-around of the indexes */
};

/* Makes a ring. CT_ERANGE (a figure above is outside its limits) or CT_ENOMEM. */
int ct_ring_new(struct ct_ring **out, const struct ct_ring_config *config, struct ct_err *err) CT_MUST_CHECK;
/* Disposes of every committed slot that has not been yet, and frees the ring. Nobody may use it any more. NULL is fine. */
void ct_ring_free(struct ct_ring *ring);

/* ---- producer ------------------------------------------------------------------------------------ */
/* Room for up to <want> slots: how many may be written, *slots the first of them. Fewer than asked where the array ends
 * (ask again after the commit), or where consumers are reading the slots needed or a lossless one has yet to (0
 * possible: try again later). If the ring is full the oldest slots are taken from the other consumers that have not
 * peeked them, and counted as skipped there.
 * The contents of the slots are undefined. A second reserve without commit replaces the first. */
size_t ct_ring_reserve(struct ct_ring *ring, size_t want, void **slots) CT_MUST_CHECK;
/* Publishes the first <n> reserved slots, all at once; weights[n], or NULL: one item of slot_bytes each. Then takes the
 * oldest slots from each consumer that is over its budget. */
void ct_ring_commit(struct ct_ring *ring, size_t n, const struct ct_ring_weight *weights);
/* Disposes of up to <max> slots that every consumer has passed; how many. reserve does it too, but only when it needs
 * room: call this to let go of memory early. */
size_t ct_ring_reclaim(struct ct_ring *ring, size_t max);

/* ---- consumers, 0 .. consumers-1 ------------------------------------------------------------------- */
struct ct_ring_batch {
  void *slots;                    /* the first of n slots one after the other; other consumers read them too: do not write */
  size_t n;
  uint64_t first_item;            /* items committed before this batch: the running number of its first item */
  uint64_t skipped;               /* items this consumer missed between its previous batch and this one */
};
/* Claims the next slots, at most <max> and only up to the array's end: how many; 0: nothing there. They stay readable,
 * and count as taken, until released. Everything peeked before must have been released. */
size_t ct_ring_peek(struct ct_ring *ring, unsigned consumer, size_t max, struct ct_ring_batch *batch) CT_MUST_CHECK;
/* Gives back the first <n> of the slots still held. */
void ct_ring_release(struct ct_ring *ring, unsigned consumer, size_t n);

/* ---- any thread ------------------------------------------------------------------------------------ */
/* For each consumer taken + skipped + waiting == committed, items and bytes alike. */
struct ct_ring_stats {
  struct ct_ring_weight committed, taken, skipped, waiting;
  double fill;                    /* 0..1: of the slots or of the budget, whichever is fuller */
  double high;                    /* the largest fill seen; looked at once in 1/64 of the slots or budget, and here */
};
void ct_ring_stats(const struct ct_ring *ring, unsigned consumer, struct ct_ring_stats *stats);

#endif
