#include <comptop/ring.h>

#include <stdlib.h>
#include <string.h>

#include "ring_private.h"

static void *alloc_lines(size_t count, size_t bytes)
{
  if (count > (SIZE_MAX - LINE) / bytes)
    return NULL;
  size_t size = (count * bytes + LINE - 1) / LINE * LINE;
  void *memory = aligned_alloc(LINE, size);
  if (memory)
    memset(memory, 0, size);
  return memory;
}

static int check(const struct ct_ring_config *config, struct ct_err *err)
{
  size_t slots = config->slots;
  if (slots == 0 || (slots & (slots - 1)) || slots > (size_t)1 << 31)
    return ct_err_set(err, CT_ERANGE, "ring: %zu slots are not a power of two of at most 2^31", slots);
  if (config->slot_bytes == 0)
    return ct_err_set(err, CT_ERANGE, "ring: slots of no bytes");
  if (config->consumers < 1 || config->consumers > CT_RING_CONSUMERS)
    return ct_err_set(err, CT_ERANGE, "ring: %u consumers, must be 1 to %d", config->consumers, CT_RING_CONSUMERS);
  for (unsigned c = 0; c < config->consumers; c++)
    if (config->lossless[c] && (config->budgets[c].items || config->budgets[c].bytes))
      return ct_err_set(err, CT_ERANGE, "ring: consumer %u is lossless and has a budget", c);
  return 0;
}

static uint64_t budget(uint64_t configured)
{
  return configured ? configured : UINT64_MAX;
}

static void set_up(struct ct_ring *ring, const struct ct_ring_config *config)
{
  uint64_t first = config->first_index;
  ring->n_slots = config->slots;
  ring->slot_bytes = config->slot_bytes;
  ring->slot_mask = config->slots - 1;
  ring->sum_mask = 2 * config->slots - 1;
  ring->consumers = config->consumers;
  ring->dispose = config->dispose;
  ring->dispose_arg = config->dispose_arg;
  atomic_init(&ring->head, first);
  ring->head_own = ring->reclaimed = ring->passed = ring->look_at = first;
  for (unsigned c = 0; c < ring->consumers; c++) {
    struct consumer *consumer = &ring->consumer[c];
    atomic_init(&consumer->next, first);
    atomic_init(&consumer->hold, HOLD_NONE);
    atomic_init(&consumer->high, 0);
    consumer->head_seen = consumer->end = first;
    consumer->budget = (struct ct_ring_weight){budget(config->budgets[c].items), budget(config->budgets[c].bytes)};
    consumer->lossless = config->lossless[c];
  }
}

int ct_ring_new(struct ct_ring **out, const struct ct_ring_config *config, struct ct_err *err)
{
  *out = NULL;
  int rc = check(config, err);
  if (rc)
    return rc;
  struct ct_ring *ring = alloc_lines(1, sizeof *ring);
  if (!ring)
    goto nomem;
  ring->slots = alloc_lines(config->slots, config->slot_bytes);
  if (ring->slots)
    ring->sums = alloc_lines(2 * config->slots, sizeof *ring->sums);
  if (!ring->sums)
    goto nomem;
  set_up(ring, config);
  *out = ring;
  return 0;
nomem:
  if (ring) {
    free(ring->slots);
    free(ring->sums);
    free(ring);
  }
  return ct_err_set(err, CT_ENOMEM, "ring: no memory for %zu slots of %zu bytes", config->slots, config->slot_bytes);
}

void ct_ring_free(struct ct_ring *ring)
{
  if (!ring)
    return;
  ring->passed = ring->head_own;
  ct_ring_dispose_(ring, SIZE_MAX);
  free(ring->slots);
  free(ring->sums);
  free(ring);
}

double ct_ring_fill_(const struct ct_ring *ring, unsigned consumer, uint64_t slots, struct ct_ring_weight waiting)
{
  struct ct_ring_weight limit = ring->consumer[consumer].budget;
  double fill = (double)slots / (double)ring->n_slots;
  double items = (double)waiting.items / (double)limit.items;
  double bytes = (double)waiting.bytes / (double)limit.bytes;
  if (items > fill)
    fill = items;
  if (bytes > fill)
    fill = bytes;
  return fill < 1 ? fill : 1;
}

/* acquire: pair (E) */
static struct ct_ring_weight load(const struct shared_weight *counter)
{
  return (struct ct_ring_weight){atomic_load_explicit(&counter->items, memory_order_acquire),
                                 atomic_load_explicit(&counter->bytes, memory_order_acquire)};
}

void ct_ring_stats(const struct ct_ring *ring, unsigned consumer, struct ct_ring_stats *stats)
{
  const struct consumer *c = &ring->consumer[consumer];
  stats->taken = load(&c->taken);
  stats->skipped = load(&c->skipped);
  /* next before head, acquire: so that the difference is not negative (D) */
  uint64_t next = atomic_load_explicit(&c->next, memory_order_acquire);
  uint64_t head = atomic_load_explicit(&ring->head, memory_order_acquire);
  stats->committed = load(&ring->committed);
  stats->waiting = minus(minus(stats->committed, stats->taken), stats->skipped);
  stats->fill = ct_ring_fill_(ring, consumer, head - next, stats->waiting);
  stats->high = atomic_load_explicit(&c->high, memory_order_relaxed); /* a figure alone, pairs with nothing */
  if (stats->high < stats->fill)
    stats->high = stats->fill;
}
