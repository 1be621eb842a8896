/* Bitshuffle + LZ4 (HDF5 filter 32008, kiyo-masui/bitshuffle): 8 bytes size of the plain data, 4 bytes block size in bytes, then
 * each block as 4 bytes length and LZ4 of the bit-transposed elements, all big-endian; what is left over below eight elements
 * is appended as it is. */
#include <comptop/frame.h>

#include <assert.h>
#include <lz4.h>
#include <stdlib.h>
#include <string.h>
#if defined __x86_64__
#include <immintrin.h>
#endif

#include "frame/bytes.h"

enum {
  HEAD_BYTES = 12,
  LENGTH_BYTES = 4,
  BLOCK_BYTES = 8192,            /* the reference's own choice for elements up to 8 bytes */
  BLOCK_BYTES_USUAL = 1 << 16,   /* up to here no memory is asked for */
  BLOCK_BYTES_MAX = 1 << 26      /* what a foreign chunk may ask for */
};

/* ---- the bit transposition of a block ------------------------------------------------------------------
 * n elements (a multiple of 8) of e bytes become 8*e rows of n/8 bytes; row 8*b+i has bit i of byte b of all elements. */

/* Byte i, bit j becomes byte j, bit i (Warren, Hacker's Delight, 2nd ed., 7-3). */
static uint64_t transpose_8x8(uint64_t x)
{
  uint64_t t = (x ^ (x >> 7)) & UINT64_C(0x00AA00AA00AA00AA);
  x ^= t ^ (t << 7);
  t = (x ^ (x >> 14)) & UINT64_C(0x0000CCCC0000CCCC);
  x ^= t ^ (t << 14);
  t = (x ^ (x >> 28)) & UINT64_C(0x00000000F0F0F0F0);
  return x ^ t ^ (t << 28);
}

static void shuffle_groups(const unsigned char *in, unsigned char *out, size_t n, size_t e, size_t from)
{
  const size_t row = n / 8;
  for (size_t k = from; k < row; k++)
    for (size_t b = 0; b < e; b++) {
      uint64_t x = 0;
      for (size_t j = 0; j < 8; j++)
        x |= (uint64_t)in[(8 * k + j) * e + b] << 8 * j;
      x = transpose_8x8(x);
      for (size_t i = 0; i < 8; i++)
        out[(8 * b + i) * row + k] = (unsigned char)(x >> 8 * i);
    }
}

static void unshuffle_groups(const unsigned char *in, unsigned char *out, size_t n, size_t e, size_t from)
{
  const size_t row = n / 8;
  for (size_t k = from; k < row; k++)
    for (size_t b = 0; b < e; b++) {
      uint64_t x = 0;
      for (size_t i = 0; i < 8; i++)
        x |= (uint64_t)in[(8 * b + i) * row + k] << 8 * i;
      x = transpose_8x8(x);
      for (size_t j = 0; j < 8; j++)
        out[(8 * k + j) * e + b] = (unsigned char)(x >> 8 * j);
    }
}

#if defined __x86_64__
__attribute__((target("avx2")))
static void put_rows_avx2(__m256i plane, unsigned char *out, size_t row)
{
  for (size_t i = 8; i-- > 0;) {
    uint32_t bits = (uint32_t)_mm256_movemask_epi8(plane);
    memcpy(out + i * row, &bits, sizeof bits);
    plane = _mm256_add_epi8(plane, plane);
  }
}

/* Two-byte elements, 32 at a time; returns the groups of eight done. */
__attribute__((target("avx2")))
static size_t shuffle_u16_avx2(const unsigned char *in, unsigned char *out, size_t n)
{
  const size_t row = n / 8;
  const __m256i low = _mm256_set1_epi16(0xff);
  size_t k = 0;
  for (; k + 4 <= row; k += 4) {
    __m256i first, second;
    memcpy(&first, in + 16 * k, sizeof first);
    memcpy(&second, in + 16 * k + sizeof first, sizeof second);
    __m256i lows = _mm256_packus_epi16(_mm256_and_si256(first, low), _mm256_and_si256(second, low));
    __m256i highs = _mm256_packus_epi16(_mm256_srli_epi16(first, 8), _mm256_srli_epi16(second, 8));
    put_rows_avx2(_mm256_permute4x64_epi64(lows, 0xd8), out + k, row);
    put_rows_avx2(_mm256_permute4x64_epi64(highs, 0xd8), out + 8 * row + k, row);
  }
  return k;
}

/* Two-byte elements, 16 at a time: of each row 16 bits, spread over the elements. Returns the groups of eight done. */
__attribute__((target("avx2")))
static size_t unshuffle_u16_avx2(const unsigned char *in, unsigned char *out, size_t n)
{
  const size_t row = n / 8;
  const __m256i place = _mm256_setr_epi16(1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024, 2048, 4096, 8192, 16384, INT16_MIN);
  size_t k = 0;
  for (; k + 2 <= row; k += 2) {
    __m256i elements = _mm256_setzero_si256();
    for (size_t i = 0; i < 16; i++) {
      int16_t bits;
      memcpy(&bits, in + i * row + k, sizeof bits);
      const __m256i set = _mm256_cmpeq_epi16(_mm256_and_si256(_mm256_set1_epi16(bits), place), place);
      elements = _mm256_or_si256(elements, _mm256_and_si256(set, _mm256_set1_epi16((int16_t)(UINT16_C(1) << i))));
    }
    memcpy(out + 16 * k, &elements, sizeof elements);
  }
  return k;
}

/* The same, 32 at a time: the bits of a row are the mask of an addition. */
__attribute__((target("avx512f,avx512bw")))
static size_t unshuffle_u16_avx512(const unsigned char *in, unsigned char *out, size_t n)
{
  const size_t row = n / 8;
  size_t k = 0;
  for (; k + 4 <= row; k += 4) {
    __m512i elements = _mm512_setzero_si512();
    for (size_t i = 0; i < 16; i++) {
      uint32_t bits;
      memcpy(&bits, in + i * row + k, sizeof bits);
      elements = _mm512_mask_add_epi16(elements, bits, elements, _mm512_set1_epi16((int16_t)(UINT16_C(1) << i)));
    }
    memcpy(out + 16 * k, &elements, sizeof elements);
  }
  return k;
}
#endif

static void unshuffle(const unsigned char *in, unsigned char *out, size_t n, size_t e)
{
  size_t done = 0;
#if defined __x86_64__
  if (e == 2 && __builtin_cpu_supports("avx512bw"))
    done = unshuffle_u16_avx512(in, out, n);
  else if (e == 2 && __builtin_cpu_supports("avx2"))
    done = unshuffle_u16_avx2(in, out, n);
#endif
  unshuffle_groups(in, out, n, e, done);
}

static void shuffle(const unsigned char *in, unsigned char *out, size_t n, size_t e)
{
  size_t done = 0;
#if defined __x86_64__
  if (e == 2 && __builtin_cpu_supports("avx2"))
    done = shuffle_u16_avx2(in, out, n);
#endif
  shuffle_groups(in, out, n, e, done);
}

/* ---- chunks ----------------------------------------------------------------------------------------- */

size_t ct_bslz4_bound(size_t bytes)
{
  size_t blocks = bytes / BLOCK_BYTES + 1;
  return HEAD_BYTES + blocks * (LENGTH_BYTES + (size_t)LZ4_compressBound(BLOCK_BYTES)) + 64;
}

size_t ct_bslz4_pack(const void *in, size_t bytes, size_t element_bytes, void *out)
{
  assert(element_bytes == 1 || element_bytes == 2 || element_bytes == 4 || element_bytes == 8);
  assert(bytes % element_bytes == 0);
  const unsigned char *from = in;
  unsigned char *to = out, block[BLOCK_BYTES];
  put_be(to, bytes, 8);
  put_be(to + 8, BLOCK_BYTES, 4);
  to += HEAD_BYTES;
  size_t left = bytes;
  while (left >= 8 * element_bytes) {
    size_t size = left < BLOCK_BYTES ? left / (8 * element_bytes) * (8 * element_bytes) : BLOCK_BYTES;
    shuffle(from, block, size / element_bytes, element_bytes);
    int length = LZ4_compress_default((const char *)block, (char *)to + LENGTH_BYTES, (int)size,
                                      LZ4_compressBound(BLOCK_BYTES));
    if (length <= 0)
      return 0;
    put_be(to, (uint64_t)length, LENGTH_BYTES);
    to += LENGTH_BYTES + length;
    from += size;
    left -= size;
  }
  memcpy(to, from, left);
  return (size_t)(to + left - (unsigned char *)out);
}

size_t ct_bslz4_plain_bytes(const void *in, size_t bytes)
{
  if (bytes < HEAD_BYTES)
    return 0;
  uint64_t plain = get_be(in, 8);
  /* LZ4 expands at most 255 times: more is a lie that would only cost memory. */
  return plain / 255 <= bytes ? (size_t)plain : 0;
}

static int unpack_blocks(const unsigned char *in, const unsigned char *end, size_t block_bytes, size_t e,
                         unsigned char *out, size_t left, unsigned char *block)
{
  while (left >= 8 * e) {
    size_t size = left < block_bytes ? left / (8 * e) * (8 * e) : block_bytes;
    if (end - in < LENGTH_BYTES)
      return CT_EFORMAT;
    uint64_t length = get_be(in, LENGTH_BYTES);
    in += LENGTH_BYTES;
    if (length > (uint64_t)(end - in) ||
        LZ4_decompress_safe((const char *)in, (char *)block, (int)length, (int)size) != (int)size)
      return CT_EFORMAT;
    unshuffle(block, out, size / e, e);
    in += length;
    out += size;
    left -= size;
  }
  if ((size_t)(end - in) < left)
    return CT_EFORMAT;
  memcpy(out, in, left);
  return 0;
}

int ct_bslz4_unpack(const void *in, size_t bytes, size_t element_bytes, void *out)
{
  if (bytes < HEAD_BYTES || element_bytes == 0)
    return CT_EFORMAT;
  size_t plain = ct_bslz4_plain_bytes(in, bytes);
  size_t block_bytes = (size_t)get_be((const unsigned char *)in + 8, 4);
  if (block_bytes == 0 || block_bytes > BLOCK_BYTES_MAX || block_bytes % (8 * element_bytes) != 0)
    return CT_EFORMAT;
  const unsigned char *from = in;
  unsigned char usual[BLOCK_BYTES_USUAL];
  unsigned char *block = block_bytes <= sizeof usual ? usual : malloc(block_bytes);
  if (block == NULL)
    return CT_ENOMEM;
  int rc = unpack_blocks(from + HEAD_BYTES, from + bytes, block_bytes, element_bytes, out, plain, block);
  if (block != usual)
    free(block);
  return rc;
}

int ct_bslz4_unpack_bare(const void *in, size_t bytes, size_t element_bytes, void *out, size_t plain_bytes)
{
  unsigned char block[BLOCK_BYTES];
  const unsigned char *from = in;
  return unpack_blocks(from, from + bytes, sizeof block, element_bytes, out, plain_bytes, block);
}
