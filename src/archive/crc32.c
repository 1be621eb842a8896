/* CRC-32: eight bytes a step from tables (Kounavis and Berry, "A systematic approach to building high performance,
 * software-based, CRC generators", 2005), or 64 bytes a step by carry-less multiplication where the machine has it
 * (Gopal et al., "Fast CRC computation for generic polynomials using PCLMULQDQ instruction", Intel, 2009). */
#include "archive/crc32.h"

#include <string.h>
#if defined __x86_64__
#include <immintrin.h>
#endif

static const uint32_t polynomial = UINT32_C(0xEDB88320);

void ct_crc32_init(struct ct_crc32 *crc)
{
  for (uint32_t i = 0; i < 256; i++) {
    uint32_t value = i;
    for (int bit = 0; bit < 8; bit++)
      value = value >> 1 ^ (value & 1 ? polynomial : 0);
    crc->table[0][i] = value;
  }
  for (int slice = 1; slice < 8; slice++)
    for (uint32_t i = 0; i < 256; i++) {
      uint32_t before = crc->table[slice - 1][i];
      crc->table[slice][i] = before >> 8 ^ crc->table[0][before & 255];
    }
}

#if defined __x86_64__
/* <x> times the two powers in <k>, onto <next>. */
__attribute__((target("pclmul,sse4.1")))
static __m128i fold(__m128i x, __m128i k, __m128i next)
{
  return _mm_xor_si128(_mm_xor_si128(_mm_clmulepi64_si128(x, k, 0x00), _mm_clmulepi64_si128(x, k, 0x11)), next);
}

__attribute__((target("pclmul,sse4.1")))
static __m128i load(const unsigned char *p)
{
  return _mm_loadu_si128((const __m128i *)(const void *)p);
}

/* At least 64 bytes, a multiple of 16. The constants are the paper's, for the reflected polynomial. */
__attribute__((target("pclmul,sse4.1")))
static uint32_t many_bytes(uint32_t value, const unsigned char *p, size_t bytes)
{
  const __m128i k12 = _mm_set_epi64x(0x01c6e41596, 0x0154442bd4), k34 = _mm_set_epi64x(0x00ccaa009e, 0x01751997d0);
  const __m128i k5 = _mm_set_epi64x(0, 0x0163cd6124), poly = _mm_set_epi64x(0x01f7011641, 0x01db710641);
  const __m128i low = _mm_set_epi32(0, -1, 0, -1);
  __m128i x = _mm_xor_si128(load(p), _mm_cvtsi32_si128((int)value));
  __m128i x1 = load(p + 16), x2 = load(p + 32), x3 = load(p + 48);
  for (p += 64, bytes -= 64; bytes >= 64; p += 64, bytes -= 64) {
    x = fold(x, k12, load(p));
    x1 = fold(x1, k12, load(p + 16));
    x2 = fold(x2, k12, load(p + 32));
    x3 = fold(x3, k12, load(p + 48));
  }
  x = fold(fold(fold(x, k34, x1), k34, x2), k34, x3);
  for (; bytes >= 16; p += 16, bytes -= 16)
    x = fold(x, k34, load(p));
  /* 128 bits to 64, to 32 by Barrett's reduction. */
  x = _mm_xor_si128(_mm_srli_si128(x, 8), _mm_clmulepi64_si128(x, k34, 0x10));
  x = _mm_xor_si128(_mm_srli_si128(x, 4), _mm_clmulepi64_si128(_mm_and_si128(x, low), k5, 0x00));
  __m128i q = _mm_and_si128(_mm_clmulepi64_si128(_mm_and_si128(x, low), poly, 0x10), low);
  return (uint32_t)_mm_extract_epi32(_mm_xor_si128(x, _mm_clmulepi64_si128(q, poly, 0x00)), 1);
}
#endif

uint32_t ct_crc32(const struct ct_crc32 *crc, const void *data, size_t bytes)
{
  const uint32_t (*t)[256] = crc->table;
  const unsigned char *p = data;
  uint32_t value = UINT32_MAX;
#if defined __x86_64__
  if (bytes >= 64 && __builtin_cpu_supports("pclmul") && __builtin_cpu_supports("sse4.1")) {
    value = many_bytes(value, p, bytes & ~(size_t)15);
    p += bytes & ~(size_t)15;
    bytes &= 15;
  }
#endif
  for (; bytes >= 8; bytes -= 8, p += 8) {
    uint32_t low, high;                  /* little-endian machines only, see configure.ac */
    memcpy(&low, p, 4);
    memcpy(&high, p + 4, 4);
    low ^= value;
    value = t[7][low & 255] ^ t[6][low >> 8 & 255] ^ t[5][low >> 16 & 255] ^ t[4][low >> 24] ^
            t[3][high & 255] ^ t[2][high >> 8 & 255] ^ t[1][high >> 16 & 255] ^ t[0][high >> 24];
  }
  for (; bytes > 0; bytes--, p++)
    value = value >> 8 ^ t[0][(value ^ *p) & 255];
  return ~value;
}
