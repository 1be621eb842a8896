/* One f64 division an event: the dearest single instruction of the chain, so eight are done at once where that is
 * possible. The quotients are the same: IEEE 754 leaves no choice. */
#include "spectra/cells.h"

#if defined __x86_64__
#define CT_CELLS_X86 1
#include <immintrin.h>
#else
#define CT_CELLS_X86 0
#endif

static uint32_t plain_find(uint32_t *cells, const struct ct_axis *axis, const struct ct_event *events, uint32_t n)
{
  uint32_t found = 0;

  for (uint32_t i = 0; i < n; i++) {
    int32_t bin = ct_axis_bin(axis, (double)events[i].energy_keV);

    cells[found] = events[i].pixel * axis->n + (uint32_t)bin;
    found += bin >= 0;
  }
  return found;
}

#if CT_CELLS_X86

__attribute__((target("avx512f,avx512vl,popcnt")))
static uint32_t avx512_find(uint32_t *cells, const struct ct_axis *axis, const struct ct_event *events, uint32_t n)
{
  const __m512d start = _mm512_set1_pd(axis->start_keV), width = _mm512_set1_pd(axis->width_keV);
  const __m512d end = _mm512_set1_pd((double)axis->n);
  const __m256i bins = _mm256_set1_epi32((int)axis->n);
  uint32_t found = 0;

  for (uint32_t i = 0; i < n; i += 8) {
    uint32_t lanes = n - i < 8 ? n - i : 8;
    __mmask8 present = (__mmask8)(0xffu >> (8 - lanes));
    __m512i event = _mm512_maskz_loadu_epi64(present, events + i);   /* pixel below, energy above */
    __m256 energy_keV = _mm256_castsi256_ps(_mm512_cvtepi64_epi32(_mm512_srli_epi64(event, 32)));
    __m512d position = _mm512_div_pd(_mm512_sub_pd(_mm512_cvtps_pd(energy_keV), start), width);
    __mmask8 inside = _mm512_mask_cmp_pd_mask(present, position, _mm512_setzero_pd(), _CMP_GE_OQ);
    inside = _mm512_mask_cmp_pd_mask(inside, position, end, _CMP_LT_OQ);
    __m256i bin = _mm512_maskz_cvttpd_epi32(inside, position);
    __m256i cell = _mm256_add_epi32(_mm256_mullo_epi32(_mm512_cvtepi64_epi32(event), bins), bin);

    _mm256_storeu_si256((void *)(cells + found), _mm256_maskz_compress_epi32(inside, cell));
    found += (uint32_t)_mm_popcnt_u32(inside);
  }
  return found;
}

#endif

const struct ct_cell_ops *ct_cell_ops_get(size_t i)
{
  static const struct ct_cell_ops plain = { "plain", plain_find };
  const struct ct_cell_ops *known[2];
  size_t n = 0;
#if CT_CELLS_X86
  static const struct ct_cell_ops avx512 = { "avx512", avx512_find };

  if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("popcnt"))
    known[n++] = &avx512;
#endif
  known[n++] = &plain;
  return i < n ? known[i] : NULL;
}
