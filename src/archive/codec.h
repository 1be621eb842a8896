/* How chunks are packed: each codec is a filter of HDF5 that other readers have as a plugin.
 *   bslz4  32008, bitshuffle and LZ4: detector data with noise
 *   lz4    32004, LZ4 in blocks (HDF Group): frames that are mostly zero
 *   zstd   32015, one Zstandard frame (HDF Group): smaller, but a plugin that is not everywhere */
#ifndef ARCHIVE_CODEC_H
#define ARCHIVE_CODEC_H

#include <hdf5.h>

#include <comptop/archive.h>
#include <comptop/frame.h>

/* Room that the packed form of <bytes> may need, whatever the codec. */
size_t ct_codec_bound(size_t bytes);
/* Packs <bytes> of elements of 1, 2, 4 or 8 bytes into <out> of ct_codec_bound(bytes): its length, or 0. */
size_t ct_codec_pack(enum ct_codec codec, const void *in, size_t bytes, size_t element_bytes, void *out);
/* Sets the filter of a data set's creation list. */
void ct_codec_filter(enum ct_codec codec, hid_t plist, size_t element_bytes);
/* Whether there is a plugin for it beside what is built in here, so that other programs on this machine can read it. */
bool ct_codec_has_plugin(enum ct_codec codec);
/* Makes HDF5 know the filters. */
void ct_codec_register(void);

#endif
