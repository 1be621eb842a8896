#include <comptop/snapshot.h>

#include <string.h>

int ct_snapshot_begin(struct ct_snapshot_builder *builder, void *buffer, size_t capacity_bytes)
{
  *builder = (struct ct_snapshot_builder){NULL, capacity_bytes, 0};
  if (capacity_bytes < sizeof *builder->snapshot)
    return CT_ERANGE;
  struct ct_snapshot *snapshot = buffer;
  memset(snapshot, 0, sizeof *snapshot);
  snapshot->magic = CT_SNAPSHOT_MAGIC;
  snapshot->version = CT_SNAPSHOT_VERSION;
  snapshot->size_bytes = sizeof *snapshot;
  builder->snapshot = snapshot;
  return 0;
}

void *ct_snapshot_add(struct ct_snapshot_builder *builder, const struct ct_request *request, size_t bytes)
{
  struct ct_snapshot *snapshot = builder->snapshot;
  size_t room = builder->capacity_bytes - (size_t)snapshot->size_bytes;
  if (snapshot->n_sections == CT_SNAPSHOT_SECTIONS || bytes > room || (bytes + 7) / 8 * 8 > room) {
    builder->refused++;
    return NULL;
  }
  bytes = (bytes + 7) / 8 * 8;
  unsigned char *section = (unsigned char *)snapshot + snapshot->size_bytes;
  memset(section, 0, bytes);
  snapshot->sections[snapshot->n_sections++] = (struct ct_section_entry){*request, snapshot->size_bytes, bytes};
  snapshot->size_bytes += bytes;
  return section;
}

struct ct_snapshot *ct_snapshot_finish(struct ct_snapshot_builder *builder)
{
  return builder->snapshot;
}

const void *ct_snapshot_find(const struct ct_snapshot *snapshot, const struct ct_request *request, size_t min_bytes,
                             size_t *size_bytes)
{
  for (uint32_t i = 0; i < snapshot->n_sections && i < CT_SNAPSHOT_SECTIONS; i++) {
    const struct ct_section_entry *entry = &snapshot->sections[i];
    if (!ct_request_equal(&entry->request, request))
      continue;
    uint64_t offset = entry->offset_bytes, size = entry->size_bytes;
    if (offset % 8 || offset < sizeof *snapshot || offset > snapshot->size_bytes ||
        size > snapshot->size_bytes - offset || size < min_bytes)
      return NULL;
    if (size_bytes)
      *size_bytes = (size_t)size;
    return (const unsigned char *)snapshot + offset;
  }
  return NULL;
}
