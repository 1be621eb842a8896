/* LZ4 in blocks (HDF5 filter 32004, HDF Group): 8 bytes size of the plain data, 4 bytes block size, then each block as 4 bytes
 * length and LZ4, all big-endian; a block that did not shrink stands as it is. */
#include <comptop/frame.h>

#include <limits.h>
#include <lz4.h>
#include <string.h>

#include "frame/bytes.h"

enum { HEAD_BYTES = 12, LENGTH_BYTES = 4 };
static const uint64_t plain_bytes_max = UINT64_C(1) << 32;

size_t ct_lz4_bound(size_t bytes)
{
  const size_t blocks = bytes / CT_LZ4_BLOCK_BYTES + 1;
  return HEAD_BYTES + blocks * (LENGTH_BYTES + 16) + bytes + bytes / 255;
}

size_t ct_lz4_pack(const void *in, size_t bytes, void *out)
{
  const size_t block = bytes < CT_LZ4_BLOCK_BYTES ? bytes : CT_LZ4_BLOCK_BYTES;
  const unsigned char *from = in;
  unsigned char *to = out;
  put_be(to, bytes, 8);
  put_be(to + 8, block, 4);
  to += HEAD_BYTES;
  for (size_t left = bytes; left > 0;) {
    const size_t n = left < block ? left : block;
    int packed = LZ4_compress_default((const char *)from, (char *)to + LENGTH_BYTES, (int)n, LZ4_compressBound((int)n));
    if (packed <= 0 || (size_t)packed >= n) {
      memcpy(to + LENGTH_BYTES, from, n);
      packed = (int)n;
    }
    put_be(to, (uint64_t)packed, LENGTH_BYTES);
    to += LENGTH_BYTES + packed;
    from += n;
    left -= n;
  }
  return (size_t)(to - (unsigned char *)out);
}

size_t ct_lz4_plain_bytes(const void *in, size_t bytes)
{
  const uint64_t plain = bytes >= HEAD_BYTES ? get_be(in, 8) : 0;
  return plain <= plain_bytes_max && plain / 255 <= bytes ? (size_t)plain : 0;
}

int ct_lz4_unpack(const void *in, size_t bytes, void *out)
{
  if (bytes < HEAD_BYTES)
    return CT_EFORMAT;
  const unsigned char *from = in, *end = from + bytes;
  unsigned char *to = out;
  const size_t block = (size_t)get_be(from + 8, 4);
  from += HEAD_BYTES;
  for (size_t left = ct_lz4_plain_bytes(in, bytes); left > 0;) {
    const size_t n = left < block ? left : block;
    if (n == 0 || n > LZ4_MAX_INPUT_SIZE || end - from < LENGTH_BYTES)
      return CT_EFORMAT;
    const uint64_t packed = get_be(from, LENGTH_BYTES);
    from += LENGTH_BYTES;
    if (packed > (uint64_t)(end - from) || packed > n)
      return CT_EFORMAT;
    if (packed == n)
      memcpy(to, from, n);
    else if (LZ4_decompress_safe((const char *)from, (char *)to, (int)packed, (int)n) != (int)n)
      return CT_EFORMAT;
    from += packed;
    to += n;
    left -= n;
  }
  return 0;
}

int ct_lz4_unpack_bare(const void *in, size_t bytes, void *out, size_t plain_bytes)
{
  if (bytes > INT_MAX || plain_bytes > LZ4_MAX_INPUT_SIZE)
    return CT_EFORMAT;
  return LZ4_decompress_safe(in, out, (int)bytes, (int)plain_bytes) == (int)plain_bytes ? 0 : CT_EFORMAT;
}
