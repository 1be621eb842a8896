/* Any bytes at all: what ct_snapshot_check lets through can be read to the end. */
#include <stdlib.h>

#include "walk.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
  void *block = malloc(size ? size : 1);
  if (!block)
    return 0;
  memcpy(block, data, size);
  struct ct_snapshot *snapshot = block;
  if (size >= sizeof *snapshot) { /* so that the fuzzer need not guess these */
    snapshot->magic = CT_SNAPSHOT_MAGIC;
    snapshot->version = CT_SNAPSHOT_VERSION;
    snapshot->size_bytes = size;
  }
  volatile double sum = 0;
  if (ct_snapshot_check(block, size, NULL) == 0)
    sum = walk_snapshot(snapshot);
  (void)sum;
  free(block);
  return 0;
}
