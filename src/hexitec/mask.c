/* The compare pass over every pixel of a frame. Everything after it works on the few hits, so this is what a sparse
 * frame costs. Chosen at run time through a table and not by target_clones, whose resolvers run before the sanitizers
 * are ready. */
#include "hexitec/internal.h"

#include <float.h>

#if defined __x86_64__ && defined __GNUC__
#define CT_MASK_X86 1
#include <immintrin.h>
#else
#define CT_MASK_X86 0
#endif

/* Frames lie one after the other in memory, and the processor asks ahead within a page of 4 kB only: asking for what comes
 * two pages further on has it in the second cache in time. A request for what is not there is no fault. */
static inline __attribute__((always_inline)) void ask_ahead(const unsigned char *pixels, size_t len_bytes)
{
  const uintptr_t ahead_bytes = 8192, line_bytes = 64;

  for (uintptr_t at = (uintptr_t)pixels + ahead_bytes, end = at + len_bytes; at < end; at += line_bytes)
    __builtin_prefetch((const void *)at, 0, 2);
}

static uint32_t plain_u16(uint64_t *mask, const unsigned char *pixels, const uint16_t *limit_ADU, const uint64_t *live,
                          size_t words)
{
  uint32_t n = 0;

  for (size_t w = 0; w < words; w++) {
    uint16_t v[64];
    uint64_t m = 0, full = 0;

    ask_ahead(pixels + w * sizeof v, sizeof v);
    memcpy(v, pixels + w * sizeof v, sizeof v);
    for (unsigned i = 0; i < 64; i++) {
      m |= (uint64_t)(v[i] >= limit_ADU[w * 64 + i]) << i;
      full |= (uint64_t)(v[i] == UINT16_MAX) << i;
    }
    mask[w] = m & live[w];
    n += (uint32_t)__builtin_popcountll(full & live[w]);
  }
  return n;
}

static uint32_t plain_f32(uint64_t *mask, const unsigned char *pixels, float limit_keV, const uint64_t *live,
                          size_t words)
{
  uint32_t n = 0;

  for (size_t w = 0; w < words; w++) {
    float v[64];
    uint64_t m = 0, energies = 0;

    ask_ahead(pixels + w * sizeof v, sizeof v);
    memcpy(v, pixels + w * sizeof v, sizeof v);
    for (unsigned i = 0; i < 64; i++) {
      m |= (uint64_t)(v[i] > limit_keV && v[i] <= FLT_MAX) << i;
      energies |= (uint64_t)(v[i] >= 0 && v[i] <= FLT_MAX) << i;
    }
    mask[w] = m & live[w];
    n += (uint32_t)__builtin_popcountll(live[w] & ~energies);
  }
  return n;
}

#if CT_MASK_X86

#define AVX2 __attribute__((target("avx2,popcnt")))
#define AVX512 __attribute__((target("avx512f,avx512bw,popcnt")))

/* One bit for each of 32 words of 16 that are all ones or all zeros. */
AVX2 static uint64_t avx2_bits(__m256i a, __m256i b)
{
  /* The pack works in 128-bit lanes; 0xD8 puts its quarters back in order. */
  return (uint32_t)_mm256_movemask_epi8(_mm256_permute4x64_epi64(_mm256_packs_epi16(a, b), 0xD8));
}

AVX2 static uint32_t avx2_u16(uint64_t *mask, const unsigned char *pixels, const uint16_t *limit_ADU,
                              const uint64_t *live, size_t words)
{
  const __m256i highest = _mm256_set1_epi16(-1);
  uint32_t n = 0;

  for (size_t w = 0; w < words; w++, pixels += 128, limit_ADU += 64) {
    __m256i v[4], hit[4];

    ask_ahead(pixels, 128);
    for (int k = 0; k < 4; k++) {
      v[k] = _mm256_loadu_si256((const void *)(pixels + 32 * k));
      /* There is no unsigned >=: v >= limit where max(v, limit) is v. */
      hit[k] = _mm256_cmpeq_epi16(_mm256_max_epu16(v[k], _mm256_loadu_si256((const void *)(limit_ADU + 16 * k))), v[k]);
    }
    mask[w] = (avx2_bits(hit[0], hit[1]) | avx2_bits(hit[2], hit[3]) << 32) & live[w];
    __m256i most = _mm256_max_epu16(_mm256_max_epu16(v[0], v[1]), _mm256_max_epu16(v[2], v[3]));
    if (_mm256_movemask_epi8(_mm256_cmpeq_epi16(most, highest)) == 0)
      continue;
    for (int k = 0; k < 4; k++)
      v[k] = _mm256_cmpeq_epi16(v[k], highest);
    n += (uint32_t)_mm_popcnt_u64((avx2_bits(v[0], v[1]) | avx2_bits(v[2], v[3]) << 32) & live[w]);
  }
  return n;
}

AVX2 static uint32_t avx2_f32(uint64_t *mask, const unsigned char *pixels, float limit_keV, const uint64_t *live,
                              size_t words)
{
  const __m256 low = _mm256_set1_ps(limit_keV), high = _mm256_set1_ps(FLT_MAX);
  uint32_t n = 0;

  for (size_t w = 0; w < words; w++) {
    uint64_t m = 0, energies = 0;

    ask_ahead(pixels, 256);
    for (unsigned i = 0; i < 64; i += 8, pixels += 32) {
      __m256 v = _mm256_castsi256_ps(_mm256_loadu_si256((const void *)pixels));
      __m256 finite = _mm256_cmp_ps(v, high, _CMP_LE_OQ);
      __m256 hit = _mm256_and_ps(_mm256_cmp_ps(v, low, _CMP_GT_OQ), finite);
      __m256 energy = _mm256_and_ps(_mm256_cmp_ps(v, _mm256_setzero_ps(), _CMP_GE_OQ), finite);
      m |= (uint64_t)(uint32_t)_mm256_movemask_ps(hit) << i;
      energies |= (uint64_t)(uint32_t)_mm256_movemask_ps(energy) << i;
    }
    mask[w] = m & live[w];
    n += (uint32_t)_mm_popcnt_u64(live[w] & ~energies);
  }
  return n;
}

AVX512 static uint32_t avx512_u16(uint64_t *mask, const unsigned char *pixels, const uint16_t *limit_ADU,
                                  const uint64_t *live, size_t words)
{
  const __m512i highest = _mm512_set1_epi16(-1);
  uint32_t n = 0;

  for (size_t w = 0; w < words; w++, pixels += 128, limit_ADU += 64) {
    ask_ahead(pixels, 128);
    __m512i a = _mm512_loadu_si512(pixels), b = _mm512_loadu_si512(pixels + 64);
    uint64_t low = _mm512_cmpge_epu16_mask(a, _mm512_loadu_si512(limit_ADU));
    uint64_t high = _mm512_cmpge_epu16_mask(b, _mm512_loadu_si512(limit_ADU + 32));
    mask[w] = (low | high << 32) & live[w];
    if (_mm512_cmpeq_epu16_mask(_mm512_max_epu16(a, b), highest) == 0)
      continue;
    low = _mm512_cmpeq_epu16_mask(a, highest);
    high = _mm512_cmpeq_epu16_mask(b, highest);
    n += (uint32_t)_mm_popcnt_u64((low | high << 32) & live[w]);
  }
  return n;
}

AVX512 static uint32_t avx512_f32(uint64_t *mask, const unsigned char *pixels, float limit_keV, const uint64_t *live,
                                  size_t words)
{
  const __m512 low = _mm512_set1_ps(limit_keV), high = _mm512_set1_ps(FLT_MAX);
  uint32_t n = 0;

  for (size_t w = 0; w < words; w++) {
    uint64_t m = 0, energies = 0;

    ask_ahead(pixels, 256);
    for (unsigned i = 0; i < 64; i += 16, pixels += 64) {
      __m512 v = _mm512_castsi512_ps(_mm512_loadu_si512(pixels));
      __mmask16 finite = _mm512_cmp_ps_mask(v, high, _CMP_LE_OQ);
      m |= (uint64_t)_mm512_mask_cmp_ps_mask(finite, v, low, _CMP_GT_OQ) << i;
      energies |= (uint64_t)_mm512_mask_cmp_ps_mask(finite, v, _mm512_setzero_ps(), _CMP_GE_OQ) << i;
    }
    mask[w] = m & live[w];
    n += (uint32_t)_mm_popcnt_u64(live[w] & ~energies);
  }
  return n;
}

#endif

const struct ct_mask_ops *ct_mask_ops_get(size_t i)
{
  static const struct ct_mask_ops plain = { "plain", plain_u16, plain_f32 };
  const struct ct_mask_ops *known[3];
  size_t n = 0;
#if CT_MASK_X86
  static const struct ct_mask_ops avx2 = { "avx2", avx2_u16, avx2_f32 };
  static const struct ct_mask_ops avx512 = { "avx512", avx512_u16, avx512_f32 };

  if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("popcnt"))
    known[n++] = &avx512;
  if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("popcnt"))
    known[n++] = &avx2;
#endif
  known[n++] = &plain;
  return i < n ? known[i] : NULL;
}
