#include "archive/codec.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <zstd.h>

enum {
  FILTER_BSLZ4 = 32008, FILTER_LZ4 = 32004, FILTER_ZSTD = 32015,
  BSLZ4_KIND = 2,                  /* LZ4 among the compressions of bitshuffle's filter */
  ZSTD_LEVEL = 1
};
static const size_t plain_bytes_max = (size_t)1 << 32;

/* ---- all of them ------------------------------------------------------------------------------------------------ */

const char *ct_codec_word(enum ct_codec codec)
{
  static const char *const words[] = { "none", "bslz4", "lz4", "zstd", "auto", "events" };
  return words[codec];
}

size_t ct_codec_bound(size_t bytes)
{
  const size_t a = ct_bslz4_bound(bytes), b = ZSTD_compressBound(bytes), c = ct_lz4_bound(bytes);
  return a > b ? a > c ? a : c : b > c ? b : c;
}

size_t ct_codec_pack(enum ct_codec codec, const void *in, size_t bytes, size_t element_bytes, void *out)
{
  switch (codec) {
    case CT_CODEC_BSLZ4: return ct_bslz4_pack(in, bytes, element_bytes, out);
    case CT_CODEC_LZ4: return ct_lz4_pack(in, bytes, out);
    case CT_CODEC_ZSTD: {
      size_t packed = ZSTD_compress(out, ZSTD_compressBound(bytes), in, bytes, ZSTD_LEVEL);
      return ZSTD_isError(packed) ? 0 : packed;
    }
    default: return 0;
  }
}

void ct_codec_filter(enum ct_codec codec, hid_t plist, size_t element_bytes)
{
  /* Version 0.3, element size, default block, LZ4: the parameters as the reference filter stores them. */
  const unsigned bslz4[] = { 0, 3, (unsigned)element_bytes, 0, BSLZ4_KIND }, lz4[] = { CT_LZ4_BLOCK_BYTES }, zstd[] = { ZSTD_LEVEL };
  if (codec == CT_CODEC_BSLZ4)
    H5Pset_filter(plist, FILTER_BSLZ4, H5Z_FLAG_MANDATORY, 5, bslz4);
  else if (codec == CT_CODEC_LZ4)
    H5Pset_filter(plist, FILTER_LZ4, H5Z_FLAG_MANDATORY, 1, lz4);
  else if (codec == CT_CODEC_ZSTD)
    H5Pset_filter(plist, FILTER_ZSTD, H5Z_FLAG_MANDATORY, 1, zstd);
}

/* ---- as filters of HDF5 ------------------------------------------------------------------------------------------- */

static htri_t can_bitshuffle(hid_t plist, hid_t type, hid_t space)
{
  (void)plist, (void)space;
  size_t bytes = H5Tget_size(type);
  return bytes == 1 || bytes == 2 || bytes == 4 || bytes == 8;
}

/* Gives HDF5 <out> in place of its buffer. */
static size_t hand_back(void *out, size_t room, size_t used, size_t *buffer_bytes, void **buffer)
{
  if (used == 0) {
    free(out);
    return 0;
  }
  free(*buffer);
  *buffer = out;
  *buffer_bytes = room;
  return used;
}

static size_t pack_filter(enum ct_codec codec, size_t element_bytes, size_t bytes, size_t *buffer_bytes, void **buffer)
{
  const size_t room = ct_codec_bound(bytes);
  void *out = malloc(room);
  return out == NULL ? 0 : hand_back(out, room, ct_codec_pack(codec, *buffer, bytes, element_bytes, out), buffer_bytes, buffer);
}

/* Parameters of bitshuffle: two versions, element bytes, block elements (0: default), compression. */
static size_t bslz4_filter(unsigned flags, size_t n_values, const unsigned values[], size_t bytes, size_t *buffer_bytes,
                           void **buffer)
{
  if (n_values < 5 || values[4] != BSLZ4_KIND || values[2] == 0 || values[2] > 64)
    return 0;
  if (!(flags & H5Z_FLAG_REVERSE))
    return pack_filter(CT_CODEC_BSLZ4, values[2], bytes, buffer_bytes, buffer);
  const size_t room = ct_bslz4_plain_bytes(*buffer, bytes);
  void *out = room ? malloc(room) : NULL;
  if (out == NULL)
    return 0;
  return hand_back(out, room, ct_bslz4_unpack(*buffer, bytes, values[2], out) == 0 ? room : 0, buffer_bytes, buffer);
}

static size_t lz4_filter(unsigned flags, size_t n_values, const unsigned values[], size_t bytes, size_t *buffer_bytes,
                         void **buffer)
{
  (void)n_values, (void)values;
  if (!(flags & H5Z_FLAG_REVERSE))
    return pack_filter(CT_CODEC_LZ4, 1, bytes, buffer_bytes, buffer);
  const size_t room = ct_lz4_plain_bytes(*buffer, bytes);
  void *out = room ? malloc(room) : NULL;
  return out == NULL ? 0 : hand_back(out, room, ct_lz4_unpack(*buffer, bytes, out) == 0 ? room : 0, buffer_bytes, buffer);
}

static size_t zstd_filter(unsigned flags, size_t n_values, const unsigned values[], size_t bytes, size_t *buffer_bytes,
                          void **buffer)
{
  (void)n_values, (void)values;
  if (!(flags & H5Z_FLAG_REVERSE))
    return pack_filter(CT_CODEC_ZSTD, 1, bytes, buffer_bytes, buffer);
  const unsigned long long announced = ZSTD_getFrameContentSize(*buffer, bytes);
  const size_t room = announced <= plain_bytes_max ? (size_t)announced : 0;   /* "not known" and errors are huge */
  void *out = room ? malloc(room) : NULL;
  if (out == NULL)
    return 0;
  return hand_back(out, room, ZSTD_decompress(out, room, *buffer, bytes) == room ? room : 0, buffer_bytes, buffer);
}

/* Looked for before the built-in filters take their places. */
static _Atomic bool looked, zstd_plugin;   /* relaxed: each stands for itself, and is the same whoever looks */

bool ct_codec_has_plugin(enum ct_codec codec)
{
  return codec != CT_CODEC_ZSTD || atomic_load_explicit(&zstd_plugin, memory_order_relaxed);
}

void ct_codec_register(void)
{
  static const H5Z_class2_t classes[] = {
    { .version = H5Z_CLASS_T_VERS, .id = FILTER_BSLZ4, .encoder_present = 1, .decoder_present = 1,
      .name = "bitshuffle; see https://github.com/kiyo-masui/bitshuffle", .can_apply = can_bitshuffle,
      .filter = bslz4_filter },
    { .version = H5Z_CLASS_T_VERS, .id = FILTER_LZ4, .encoder_present = 1, .decoder_present = 1, .name = "lz4",
      .filter = lz4_filter },
    { .version = H5Z_CLASS_T_VERS, .id = FILTER_ZSTD, .encoder_present = 1, .decoder_present = 1, .name = "zstd",
      .filter = zstd_filter },
  };
  if (atomic_load_explicit(&looked, memory_order_relaxed))
    return;
  atomic_store_explicit(&zstd_plugin, H5Zfilter_avail(FILTER_ZSTD) > 0, memory_order_relaxed);
  for (size_t i = 0; i < sizeof classes / sizeof *classes; i++)
    H5Zregister(&classes[i]);
  atomic_store_explicit(&looked, true, memory_order_relaxed);
}
