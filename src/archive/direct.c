/* See direct.h. */
#include "archive/direct.h"

#include "archive/h5.h"

#include <stdlib.h>
#include <string.h>

enum { RANK = 3, CHUNK_BYTES_MAX = 256 << 20 };
enum { FILTER_BSLZ4 = 32008, BSLZ4_LZ4 = 2 };   /* as of archive/codec.c */

static bool is_native(hid_t set, enum ct_type type)
{
  hid_t stored = H5Dget_type(set);
  bool native = H5Tequal(stored, ct_h5_native(type)) > 0;
  H5Tclose(stored);
  return native;
}

/* No filter, or bitshuffle with LZ4 of these elements alone. */
static bool knows_packing(struct ct_direct *direct, hid_t plist)
{
  unsigned flags, config, values[8];
  size_t n_values = 8;
  const int n = H5Pget_nfilters(plist);
  direct->packed = n == 1;
  return n == 0 || (n == 1 && H5Pget_filter2(plist, 0, &flags, &n_values, values, 0, NULL, &config) == FILTER_BSLZ4 &&
                    n_values >= 5 && values[2] == direct->element_bytes && values[4] == BSLZ4_LZ4);
}

void ct_direct_init(struct ct_direct *direct, hid_t set, const struct ct_h5_info *info)
{
  hsize_t dims[RANK] = { 0 };
  hid_t plist = H5Dget_create_plist(set);
  direct->element_bytes = ct_type_bytes(info->type);
  const bool whole = H5Pget_layout(plist) == H5D_CHUNKED && H5Pget_chunk(plist, RANK, dims) == RANK &&
                     dims[1] == info->rows && dims[2] == info->cols;
  direct->possible = whole && is_native(set, info->type) && knows_packing(direct, plist);
  H5Pclose(plist);
  const size_t frame_bytes = (size_t)info->rows * info->cols * direct->element_bytes;
  direct->possible = direct->possible && dims[0] <= CHUNK_BYTES_MAX / frame_bytes;
  direct->chunk_frames = dims[0];
  direct->chunk_bytes = direct->possible ? (size_t)dims[0] * frame_bytes : 0;
}

void ct_direct_fini(struct ct_direct *direct)
{
  free(direct->raw);
  free(direct->plain);
}

static bool unpack(const struct ct_direct *direct, size_t stored, unsigned char *out)
{
  return ct_bslz4_plain_bytes(direct->raw, stored) == direct->chunk_bytes &&
         ct_bslz4_unpack(direct->raw, stored, direct->element_bytes, out) == 0;
}

static bool fetch(struct ct_direct *direct, hid_t set, uint64_t chunk, unsigned char *out)
{
  const hsize_t at[] = { chunk * direct->chunk_frames, 0, 0 };
  hsize_t stored = 0;
  uint32_t unfiltered = 0;
  if (H5Dget_chunk_storage_size(set, at, &stored) < 0 || stored == 0 || stored > 2 * (hsize_t)CHUNK_BYTES_MAX)
    return false;
  if (!direct->packed)
    return stored == direct->chunk_bytes && H5Dread_chunk(set, H5P_DEFAULT, at, &unfiltered, out) >= 0;
  if (direct->raw_room < stored) {
    free(direct->raw);
    direct->raw_room = (size_t)stored + direct->chunk_bytes / 8;
    direct->raw = ct_xcalloc(direct->raw_room, 1);
  }
  return H5Dread_chunk(set, H5P_DEFAULT, at, &unfiltered, direct->raw) >= 0 && unfiltered == 0 &&
         unpack(direct, (size_t)stored, out);
}

bool ct_direct_read(struct ct_direct *direct, hid_t set, uint64_t first, uint64_t count, unsigned char *out)
{
  const size_t frame_bytes = direct->possible ? direct->chunk_bytes / direct->chunk_frames : 0;
  while (direct->possible && count > 0) {
    const uint64_t chunk = first / direct->chunk_frames, skip = first % direct->chunk_frames;
    const uint64_t left = direct->chunk_frames - skip, n = left < count ? left : count;
    const bool whole = n == direct->chunk_frames;
    if (!whole && direct->plain == NULL)
      direct->plain = ct_xcalloc(direct->chunk_bytes, 1);
    if (!fetch(direct, set, chunk, whole ? out : direct->plain))
      return false;
    if (!whole)
      memcpy(out, direct->plain + skip * frame_bytes, n * frame_bytes);
    out += n * frame_bytes;
    first += n;
    count -= n;
  }
  return direct->possible;
}
