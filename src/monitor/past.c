/* A snapshot is mostly room for streams and alarms that are not there, so it packs well. */
#include "past.h"

#include <stdlib.h>
#include <string.h>

#include <lz4.h>

void past_init(struct past *past, size_t bytes_max)
{
  memset(past, 0, sizeof *past);
  past->bytes_max = bytes_max;
}

static void drop_oldest(struct past *past)
{
  struct past_item *item = &past->items[past->oldest++ % PAST_SNAPSHOTS];
  past->bytes -= (size_t)item->packed_bytes;
  free(item->bytes);
  *item = (struct past_item){ 0 };
}

void past_fini(struct past *past)
{
  while (past->oldest < past->added)
    drop_oldest(past);
}

void past_add(struct past *past, const struct ct_snapshot *snapshot)
{
  if (snapshot->size_bytes > LZ4_MAX_INPUT_SIZE)
    return;
  int whole_bytes = (int)snapshot->size_bytes, room_bytes = LZ4_compressBound(whole_bytes);
  char *bytes = malloc((size_t)room_bytes);
  int packed_bytes = bytes ? LZ4_compress_default((const char *)snapshot, bytes, whole_bytes, room_bytes) : 0;
  char *kept = packed_bytes > 0 ? realloc(bytes, (size_t)packed_bytes) : NULL;
  if (kept == NULL) {
    free(bytes);
    return;
  }
  if (past->added - past->oldest == PAST_SNAPSHOTS)
    drop_oldest(past);
  past->items[past->added++ % PAST_SNAPSHOTS] = (struct past_item){ kept, packed_bytes, whole_bytes };
  past->bytes += (size_t)packed_bytes;
  while (past->bytes > past->bytes_max && past->added - past->oldest > 1)
    drop_oldest(past);
}

bool past_get(const struct past *past, uint64_t number, struct ct_snapshot **block, size_t *block_bytes)
{
  if (number < past->oldest || number >= past->added)
    return false;
  const struct past_item *item = &past->items[number % PAST_SNAPSHOTS];
  if (*block_bytes < (size_t)item->whole_bytes) {
    void *grown = realloc(*block, (size_t)item->whole_bytes);
    if (grown == NULL)
      return false;
    *block = grown;
    *block_bytes = (size_t)item->whole_bytes;
  }
  return LZ4_decompress_safe(item->bytes, (char *)*block, item->packed_bytes, item->whole_bytes) == item->whole_bytes;
}
