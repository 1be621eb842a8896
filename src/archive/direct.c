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

/* ---- parcels ----------------------------------------------------------------------------------------- */
struct parcel {
  unsigned char *packed, *out;
  size_t bytes, room;
};

struct ct_h5_parcels {
  struct parcel *list;
  size_t n, room, chunk_bytes, element_bytes;
};

struct ct_h5_parcels *ct_h5_parcels_new(void) { return ct_xcalloc(1, sizeof(struct ct_h5_parcels)); }

void ct_h5_parcels_free(struct ct_h5_parcels *parcels)
{
  if (parcels == NULL)
    return;
  for (size_t i = 0; i < parcels->room; i++)
    free(parcels->list[i].packed);
  free(parcels->list);
  free(parcels);
}

void ct_direct_begin(struct ct_h5_parcels *parcels)
{
  if (parcels != NULL)
    parcels->n = 0;
}

size_t ct_h5_parcels_n(const struct ct_h5_parcels *parcels) { return parcels->n; }

static int unpack(const unsigned char *packed, size_t bytes, size_t chunk_bytes, size_t element_bytes, unsigned char *out)
{
  return ct_bslz4_plain_bytes(packed, bytes) == chunk_bytes && ct_bslz4_unpack(packed, bytes, element_bytes, out) == 0
         ? 0 : CT_EFORMAT;
}

int ct_h5_unpack(const struct ct_h5_parcels *parcels, size_t i)
{
  const struct parcel *parcel = &parcels->list[i];
  return unpack(parcel->packed, parcel->bytes, parcels->chunk_bytes, parcels->element_bytes, parcel->out);
}

static struct parcel *add_parcel(struct ct_h5_parcels *parcels, const struct ct_direct *direct)
{
  if (parcels->n == parcels->room)
    parcels->list = ct_xgrow(parcels->list, &parcels->room, sizeof *parcels->list);
  parcels->chunk_bytes = direct->chunk_bytes;
  parcels->element_bytes = direct->element_bytes;
  return &parcels->list[parcels->n++];
}

/* ---- reading ----------------------------------------------------------------------------------------- */
static bool fetch(hid_t set, const hsize_t at[RANK], hsize_t stored, struct parcel *parcel)
{
  uint32_t unfiltered = 0;
  if (parcel->room < stored) {
    free(parcel->packed);
    parcel->room = (size_t)stored + (size_t)stored / 8;
    parcel->packed = ct_xcalloc(parcel->room, 1);
  }
  parcel->bytes = (size_t)stored;
  return H5Dread_chunk(set, H5P_DEFAULT, at, &unfiltered, parcel->packed) >= 0 && unfiltered == 0;
}

/* A whole chunk into <out>, now or by whoever unpacks the parcel. */
static bool take(struct ct_direct *direct, hid_t set, uint64_t chunk, unsigned char *out, struct ct_h5_parcels *parcels)
{
  const hsize_t at[] = { chunk * direct->chunk_frames, 0, 0 };
  hsize_t stored = 0;
  uint32_t unfiltered = 0;
  if (H5Dget_chunk_storage_size(set, at, &stored) < 0 || stored == 0 || stored > 2 * (hsize_t)CHUNK_BYTES_MAX)
    return false;
  if (!direct->packed)
    return stored == direct->chunk_bytes && H5Dread_chunk(set, H5P_DEFAULT, at, &unfiltered, out) >= 0;
  if (parcels != NULL) {
    struct parcel *parcel = add_parcel(parcels, direct);
    parcel->out = out;
    return fetch(set, at, stored, parcel);
  }
  struct parcel now = { .packed = direct->raw, .room = direct->raw_room };
  const bool good = fetch(set, at, stored, &now) &&
                    unpack(now.packed, now.bytes, direct->chunk_bytes, direct->element_bytes, out) == 0;
  direct->raw = now.packed;
  direct->raw_room = now.room;
  return good;
}

bool ct_direct_read(struct ct_direct *direct, hid_t set, uint64_t first, uint64_t count, unsigned char *out,
                    struct ct_h5_parcels *parcels)
{
  const size_t frame_bytes = direct->possible ? direct->chunk_bytes / direct->chunk_frames : 0;
  while (direct->possible && count > 0) {
    const uint64_t chunk = first / direct->chunk_frames, skip = first % direct->chunk_frames;
    const uint64_t left = direct->chunk_frames - skip, n = left < count ? left : count;
    const bool whole = n == direct->chunk_frames;
    if (!whole && direct->plain == NULL)
      direct->plain = ct_xcalloc(direct->chunk_bytes, 1);
    if (!take(direct, set, chunk, whole ? out : direct->plain, whole ? parcels : NULL))
      return false;
    if (!whole)
      memcpy(out, direct->plain + skip * frame_bytes, n * frame_bytes);
    out += n * frame_bytes;
    first += n;
    count -= n;
  }
  return direct->possible;
}
