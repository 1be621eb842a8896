/* A sound snapshot with every kind of section, changed anywhere: what ct_snapshot_check lets through can be read to the
 * end. The input is a list of changes, two bytes of offset (modulo the size) and eight bytes to write there, and a cut: the
 * last bytes that make no change. A snapshot whole in the input would be more than libFuzzer finds. */
#include <stdlib.h>

#include "walk.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static size_t build(void *buffer, size_t capacity_bytes)
{
  struct ct_snapshot_builder builder;
  struct ct_map_parts map;
  struct ct_spectrum_parts spectrum;
  struct ct_profile_parts profile;
  struct ct_slice_parts slice;
  struct ct_trend_parts trend;
  if (ct_snapshot_begin(&builder, buffer, capacity_bytes) != 0 ||
      !ct_snapshot_add_map(&builder, &(struct ct_request){ .kind = CT_SECTION_MAP }, 3, 5, &map) ||
      !ct_snapshot_add_spectrum(&builder, &(struct ct_request){ .kind = CT_SECTION_SPECTRUM }, 7, &spectrum) ||
      !ct_snapshot_add_profile(&builder, &(struct ct_request){ .kind = CT_SECTION_PROFILE }, 6, &profile) ||
      !ct_snapshot_add_slice(&builder, &(struct ct_request){ .kind = CT_SECTION_SLICE }, 4, &slice) ||
      !ct_snapshot_add_trend(&builder, &(struct ct_request){ .kind = CT_SECTION_TREND }, 5, &trend))
    abort();
  size_t n = (size_t)ct_snapshot_finish(&builder)->size_bytes;
  if (ct_snapshot_check(buffer, n, NULL) != 0)
    abort();
  return n;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
  static _Alignas(8) unsigned char sound[sizeof(struct ct_snapshot) + 4096];
  static size_t n;
  if (n == 0)
    n = build(sound, sizeof sound);
  size_t left = n - size % 10;
  unsigned char *block = malloc(left);   /* of its own, so that nothing behind it can be read unnoticed */
  if (!block)
    return 0;
  memcpy(block, sound, left);
  for (; size >= 10; data += 10, size -= 10) {
    size_t offset = (data[0] | (size_t)data[1] << 8) % left;
    memcpy(block + offset, data + 2, left - offset < 8 ? left - offset : 8);
  }
  volatile double sum = 0;
  if (ct_snapshot_check(block, left, NULL) == 0)
    sum = walk_snapshot((const struct ct_snapshot *)(const void *)block);
  (void)sum;
  free(block);
  return 0;
}
