/* The snapshots a viewer saw lately, to step back through. Internal to monitor.
 * Ownership: the past keeps packed copies; what it hands out is a copy in the caller's block. */
#ifndef MONITOR_PAST_H
#define MONITOR_PAST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <comptop/snapshot.h>

enum { PAST_SNAPSHOTS = 1200 };          /* ten minutes at 2 Hz */

struct past {
  struct past_item {
    char *bytes;                         /* LZ4 */
    int packed_bytes, whole_bytes;
  } items[PAST_SNAPSHOTS];
  uint64_t added;                        /* item k is in items[k % PAST_SNAPSHOTS] */
  uint64_t oldest;                       /* items before it are gone */
  size_t bytes, bytes_max;
};

/* At most <bytes_max> of memory for the copies. */
void past_init(struct past *past, size_t bytes_max);
void past_fini(struct past *past);
/* Keeps a copy as the newest; what no longer fits goes, oldest first. */
void past_add(struct past *past, const struct ct_snapshot *snapshot);
/* Item <number>, oldest <= number < added, into *block, which grows as needed (of malloc, *block_bytes long). False: there
 * is no such item. */
bool past_get(const struct past *past, uint64_t number, struct ct_snapshot **block, size_t *block_bytes);

#endif
