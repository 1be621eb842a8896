/* Bitshuffle + LZ4, the framing of HDF5 filter 32008 (kiyo-masui/bitshuffle): 8 bytes big-endian size of the plain data,
 * 4 bytes big-endian block size in bytes, then each block as 4 bytes big-endian length and LZ4 of the bit-transposed
 * elements; what is left over below eight elements is appended as it is. */
#ifndef ARCHIVE_BSLZ4_H
#define ARCHIVE_BSLZ4_H

#include <stddef.h>

#include <comptop/core.h>

/* Room the packed form of <bytes> may need. */
size_t ct_bslz4_bound(size_t bytes);
/* Packs <bytes> (a multiple of <element_bytes>, 1, 2, 4 or 8) into <out> of at least ct_bslz4_bound: its length, or 0. */
size_t ct_bslz4_pack(const void *in, size_t bytes, size_t element_bytes, void *out);
/* The plain size a packed chunk announces; 0: not in this form. */
size_t ct_bslz4_plain_bytes(const void *in, size_t bytes);
/* Unpacks into <out> of exactly ct_bslz4_plain_bytes: 0 or CT_EFORMAT. */
int ct_bslz4_unpack(const void *in, size_t bytes, size_t element_bytes, void *out) CT_MUST_CHECK;

#endif
