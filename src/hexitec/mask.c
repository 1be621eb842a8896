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

static void plain_u16(uint64_t *mask, const unsigned char *pixels, const uint16_t *limit_ADU, const uint64_t *live,
                      size_t words)
{
  for (size_t w = 0; w < words; w++) {
    uint16_t v[64];
    uint64_t m = 0;

    memcpy(v, pixels + w * sizeof v, sizeof v);
    for (unsigned i = 0; i < 64; i++)
      m |= (uint64_t)(v[i] >= limit_ADU[w * 64 + i]) << i;
    mask[w] = m & live[w];
  }
}

static void plain_f32(uint64_t *mask, const unsigned char *pixels, float limit_keV, const uint64_t *live, size_t words)
{
  for (size_t w = 0; w < words; w++) {
    float v[64];
    uint64_t m = 0;

    memcpy(v, pixels + w * sizeof v, sizeof v);
    for (unsigned i = 0; i < 64; i++)
      m |= (uint64_t)(v[i] > limit_keV && v[i] <= FLT_MAX) << i;
    mask[w] = m & live[w];
  }
}

#if CT_MASK_X86

__attribute__((target("avx2")))
static uint64_t avx2_half_u16(const unsigned char *pixels, const uint16_t *limit_ADU)
{
  __m256i a = _mm256_loadu_si256((const void *)pixels), b = _mm256_loadu_si256((const void *)(pixels + 32));
  __m256i la = _mm256_loadu_si256((const void *)limit_ADU), lb = _mm256_loadu_si256((const void *)(limit_ADU + 16));
  /* There is no unsigned >=: v >= limit where max(v, limit) is v. */
  __m256i ha = _mm256_cmpeq_epi16(_mm256_max_epu16(a, la), a), hb = _mm256_cmpeq_epi16(_mm256_max_epu16(b, lb), b);
  /* The pack works in 128-bit lanes; 0xD8 puts its quarters back in order. */
  __m256i bytes = _mm256_permute4x64_epi64(_mm256_packs_epi16(ha, hb), 0xD8);

  return (uint32_t)_mm256_movemask_epi8(bytes);
}

__attribute__((target("avx2")))
static void avx2_u16(uint64_t *mask, const unsigned char *pixels, const uint16_t *limit_ADU, const uint64_t *live,
                     size_t words)
{
  for (size_t w = 0; w < words; w++, pixels += 128, limit_ADU += 64)
    mask[w] = (avx2_half_u16(pixels, limit_ADU) | avx2_half_u16(pixels + 64, limit_ADU + 32) << 32) & live[w];
}

__attribute__((target("avx2")))
static void avx2_f32(uint64_t *mask, const unsigned char *pixels, float limit_keV, const uint64_t *live, size_t words)
{
  const __m256 low = _mm256_set1_ps(limit_keV), high = _mm256_set1_ps(FLT_MAX);

  for (size_t w = 0; w < words; w++) {
    uint64_t m = 0;

    for (unsigned i = 0; i < 64; i += 8, pixels += 32) {
      __m256 v = _mm256_castsi256_ps(_mm256_loadu_si256((const void *)pixels));
      __m256 hit = _mm256_and_ps(_mm256_cmp_ps(v, low, _CMP_GT_OQ), _mm256_cmp_ps(v, high, _CMP_LE_OQ));
      m |= (uint64_t)(uint32_t)_mm256_movemask_ps(hit) << i;
    }
    mask[w] = m & live[w];
  }
}

__attribute__((target("avx512f,avx512bw")))
static void avx512_u16(uint64_t *mask, const unsigned char *pixels, const uint16_t *limit_ADU, const uint64_t *live,
                       size_t words)
{
  for (size_t w = 0; w < words; w++, pixels += 128, limit_ADU += 64) {
    uint64_t low = _mm512_cmpge_epu16_mask(_mm512_loadu_si512(pixels), _mm512_loadu_si512(limit_ADU));
    uint64_t high = _mm512_cmpge_epu16_mask(_mm512_loadu_si512(pixels + 64), _mm512_loadu_si512(limit_ADU + 32));
    mask[w] = (low | high << 32) & live[w];
  }
}

__attribute__((target("avx512f,avx512bw")))
static void avx512_f32(uint64_t *mask, const unsigned char *pixels, float limit_keV, const uint64_t *live, size_t words)
{
  const __m512 low = _mm512_set1_ps(limit_keV), high = _mm512_set1_ps(FLT_MAX);

  for (size_t w = 0; w < words; w++) {
    uint64_t m = 0;

    for (unsigned i = 0; i < 64; i += 16, pixels += 64) {
      __m512 v = _mm512_castsi512_ps(_mm512_loadu_si512(pixels));
      __mmask16 above = _mm512_cmp_ps_mask(v, low, _CMP_GT_OQ);
      m |= (uint64_t)_mm512_mask_cmp_ps_mask(above, v, high, _CMP_LE_OQ) << i;
    }
    mask[w] = m & live[w];
  }
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

  if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw"))
    known[n++] = &avx512;
  if (__builtin_cpu_supports("avx2"))
    known[n++] = &avx2;
#endif
  known[n++] = &plain;
  return i < n ? known[i] : NULL;
}
