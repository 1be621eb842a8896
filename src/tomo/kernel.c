/* Back projection without gathers: |step| <= 1, so the pixels of a vector see at most as many samples as it has lanes,
 * which a load and a permutation bring to them. */
#include "tomo/kernel.h"

#include <math.h>
#include <stdbool.h>
#include <string.h>

#if defined __x86_64__
#define CT_TOMO_X86 1
#include <immintrin.h>
#else
#define CT_TOMO_X86 0
#endif

#define PART_BITS 27
#define PART_MASK ((UINT32_C(1) << PART_BITS) - 1)
#define PART_UNIT 0x1p-27f

static uint32_t part_of(int64_t place)
{
  return (uint32_t)((uint64_t)place >> (32 - PART_BITS)) & PART_MASK;
}

static void plain_add(float *picture, size_t stride, const struct ct_span *spans, uint32_t rows,
                      const struct ct_curve *curve, const struct ct_ray *ray)
{
  for (uint32_t row = 0; row < rows; row++, picture += stride) {
    int64_t place = ray->first + (int64_t)row * ray->row_step + spans[row].from * CT_LANES * ray->step;
    for (size_t i = spans[row].from * (size_t)CT_LANES; i < spans[row].to * (size_t)CT_LANES; i++, place += ray->step) {
      int64_t k = place >> 32;
      float part = (float)part_of(place);
      picture[i] += curve->value[k] + (curve->slope[k] + curve->bend[k] * part) * part;
    }
  }
}

static void plain_merge(float *even, float *odd, size_t len, const struct ct_shifted *lines, uint32_t n)
{
  for (size_t i = 0; i < len; i++) even[i] = odd[i] = 0;
  for (uint32_t k = 0; k < n; k++) {
    const float *a = lines[k].a, *b = lines[k].b, near = lines[k].near, far = lines[k].far;
    for (size_t i = 0; i < len; i++) {
      even[i] += near * a[i] + far * b[i];
      odd[i] += near * b[i] + far * a[i + 1];
    }
  }
}

static void plain_bend(const struct ct_curve *curve, const float *even, const float *odd, float weight, size_t len)
{
  for (size_t k = 0; k < len; k++) {
    float rise = even[k + 1] - even[k], bend = 2 * (even[k] + even[k + 1]) - 4 * odd[k];
    curve->value[k] = weight * even[k];
    curve->slope[k] = weight * PART_UNIT * (rise - bend);
    curve->bend[k] = weight * (PART_UNIT * PART_UNIT) * bend;
  }
}

static void plain_log(float *out, const float *in, size_t len)
{
  for (size_t i = 0; i < len; i++) out[i] = -logf(in[i]);
}

static bool plain_sum(uint32_t *sum, const unsigned char *pixels, size_t stride, uint32_t rows, uint16_t saturated, size_t len)
{
  bool full = false;
  for (size_t i = 0; i < len; i++) {
    sum[i] = 0;
    for (uint32_t row = 0; row < rows; row++) {
      uint16_t pixel;
      memcpy(&pixel, pixels + 2 * (row * stride + i), sizeof pixel);
      sum[i] += pixel;
      full |= pixel >= saturated;
    }
  }
  return full;
}

#if CT_TOMO_X86

#define AVX512 __attribute__((target("avx512f,avx512vl,avx512dq,avx2,fma")))
#define AVX2 __attribute__((target("avx2,fma")))

/* What the lanes add to the place of the one that sees the lowest sample, and how far that one is from lane 0. */
static int64_t lanes_of(int32_t *lanes, int32_t width, int64_t step)
{
  int32_t lowest = step < 0 ? width - 1 : 0;
  for (int32_t i = 0; i < width; i++) lanes[i] = (int32_t)((i - lowest) * step >> (32 - PART_BITS));
  return lowest * step;
}

AVX512 static void avx512_add(float *picture, size_t stride, const struct ct_span *spans, uint32_t rows,
                              const struct ct_curve *curve, const struct ct_ray *ray)
{
  int32_t lanes_at[16];
  const int64_t lowest = lanes_of(lanes_at, 16, ray->step), step = 16 * ray->step;
  const __m512i lanes = _mm512_loadu_si512(lanes_at), mask = _mm512_set1_epi32((int)PART_MASK);
  const float *values = curve->value, *slopes = curve->slope, *bends = curve->bend;

  int64_t row_place = ray->first + lowest;

  for (uint32_t row = 0; row < rows; row++, picture += stride, row_place += ray->row_step) {
    int64_t place = row_place + spans[row].from * step;
    float *to = picture + spans[row].from * 16, *end = picture + spans[row].to * 16;

    for (; to < end; to += 16, place += step) {
      int64_t k = place >> 32;
      __m512i at = _mm512_add_epi32(_mm512_set1_epi32((int)part_of(place)), lanes);
      __m512i index = _mm512_srli_epi32(at, PART_BITS);
      __m512 part = _mm512_cvtepi32_ps(_mm512_and_si512(at, mask));
      __m512 value = _mm512_permutexvar_ps(index, _mm512_loadu_ps(values + k));
      __m512 slope = _mm512_permutexvar_ps(index, _mm512_loadu_ps(slopes + k));
      __m512 bend = _mm512_permutexvar_ps(index, _mm512_loadu_ps(bends + k));
      __m512 sum = _mm512_add_ps(_mm512_loadu_ps(to), value);
      _mm512_storeu_ps(to, _mm512_fmadd_ps(_mm512_fmadd_ps(bend, part, slope), part, sum));
    }
  }
}

AVX512 static void avx512_merge(float *even, float *odd, size_t len, const struct ct_shifted *lines, uint32_t n)
{
  for (size_t i = 0; i < len; i += 16) {
    __m512 e = _mm512_setzero_ps(), e_far = e, o = e, o_far = e;
    for (uint32_t k = 0; k < n; k++) {
      __m512 a = _mm512_loadu_ps(lines[k].a + i), b = _mm512_loadu_ps(lines[k].b + i);
      __m512 next = _mm512_loadu_ps(lines[k].a + i + 1);
      __m512 near = _mm512_set1_ps(lines[k].near), far = _mm512_set1_ps(lines[k].far);
      e = _mm512_fmadd_ps(near, a, e);
      o = _mm512_fmadd_ps(near, b, o);
      e_far = _mm512_fmadd_ps(far, b, e_far);
      o_far = _mm512_fmadd_ps(far, next, o_far);
    }
    _mm512_storeu_ps(even + i, _mm512_add_ps(e, e_far));
    _mm512_storeu_ps(odd + i, _mm512_add_ps(o, o_far));
  }
}

AVX2 static void avx2_add(float *picture, size_t stride, const struct ct_span *spans, uint32_t rows,
                          const struct ct_curve *curve, const struct ct_ray *ray)
{
  int32_t lanes_at[8];
  const int64_t lowest = lanes_of(lanes_at, 8, ray->step), step = 8 * ray->step;
  const __m256i lanes = _mm256_loadu_si256((const void *)lanes_at), mask = _mm256_set1_epi32((int)PART_MASK);
  const float *values = curve->value, *slopes = curve->slope, *bends = curve->bend;

  int64_t row_place = ray->first + lowest;

  for (uint32_t row = 0; row < rows; row++, picture += stride, row_place += ray->row_step) {
    int64_t place = row_place + 2 * spans[row].from * step;
    float *to = picture + spans[row].from * 16, *end = picture + spans[row].to * 16;

    for (; to < end; to += 8, place += step) {
      int64_t k = place >> 32;
      __m256i at = _mm256_add_epi32(_mm256_set1_epi32((int)part_of(place)), lanes);
      __m256i index = _mm256_srli_epi32(at, PART_BITS);
      __m256 part = _mm256_cvtepi32_ps(_mm256_and_si256(at, mask));
      __m256 value = _mm256_permutevar8x32_ps(_mm256_loadu_ps(values + k), index);
      __m256 slope = _mm256_permutevar8x32_ps(_mm256_loadu_ps(slopes + k), index);
      __m256 bend = _mm256_permutevar8x32_ps(_mm256_loadu_ps(bends + k), index);
      __m256 sum = _mm256_add_ps(_mm256_loadu_ps(to), value);
      _mm256_storeu_ps(to, _mm256_fmadd_ps(_mm256_fmadd_ps(bend, part, slope), part, sum));
    }
  }
}

AVX2 static void avx2_merge(float *even, float *odd, size_t len, const struct ct_shifted *lines, uint32_t n)
{
  for (size_t i = 0; i < len; i += 8) {
    __m256 e = _mm256_setzero_ps(), e_far = e, o = e, o_far = e;
    for (uint32_t k = 0; k < n; k++) {
      __m256 a = _mm256_loadu_ps(lines[k].a + i), b = _mm256_loadu_ps(lines[k].b + i);
      __m256 next = _mm256_loadu_ps(lines[k].a + i + 1);
      __m256 near = _mm256_set1_ps(lines[k].near), far = _mm256_set1_ps(lines[k].far);
      e = _mm256_fmadd_ps(near, a, e);
      o = _mm256_fmadd_ps(near, b, o);
      e_far = _mm256_fmadd_ps(far, b, e_far);
      o_far = _mm256_fmadd_ps(far, next, o_far);
    }
    _mm256_storeu_ps(even + i, _mm256_add_ps(e, e_far));
    _mm256_storeu_ps(odd + i, _mm256_add_ps(o, o_far));
  }
}

AVX2 static void avx2_bend(const struct ct_curve *curve, const float *even, const float *odd, float weight, size_t len)
{
  const __m256 two = _mm256_set1_ps(2), value_unit = _mm256_set1_ps(weight);
  const __m256 slope_unit = _mm256_set1_ps(weight * PART_UNIT);
  const __m256 bend_unit = _mm256_set1_ps(2 * weight * (PART_UNIT * PART_UNIT));

  for (size_t k = 0; k < len; k += 8) {
    __m256 a = _mm256_loadu_ps(even + k), b = _mm256_loadu_ps(odd + k), next = _mm256_loadu_ps(even + k + 1);
    __m256 half_bend = _mm256_sub_ps(_mm256_add_ps(a, next), _mm256_mul_ps(two, b));
    __m256 slope = _mm256_sub_ps(_mm256_sub_ps(next, a), _mm256_mul_ps(two, half_bend));
    _mm256_storeu_ps(curve->value + k, _mm256_mul_ps(a, value_unit));
    _mm256_storeu_ps(curve->slope + k, _mm256_mul_ps(slope, slope_unit));
    _mm256_storeu_ps(curve->bend + k, _mm256_mul_ps(half_bend, bend_unit));
  }
}

/* ln(x) = e ln 2 + 2 artanh(s), s = (m - 1) / (m + 1), m in [sqrt(1/2), sqrt(2)): |s| <= 0.1716, five odd terms leave
 * 7e-10. */
AVX2 static void avx2_log(float *out, const float *in, size_t len)
{
  const __m256 one = _mm256_set1_ps(1);
  const __m256i half_root = _mm256_set1_epi32(0x3f3504f3);
  size_t i = 0;

  for (; i + 8 <= len; i += 8) {
    __m256i above = _mm256_sub_epi32(_mm256_castps_si256(_mm256_loadu_ps(in + i)), half_root);
    __m256 e = _mm256_cvtepi32_ps(_mm256_srai_epi32(above, 23));
    __m256 m = _mm256_castsi256_ps(_mm256_add_epi32(_mm256_and_si256(above, _mm256_set1_epi32(0x007fffff)), half_root));
    __m256 s = _mm256_div_ps(_mm256_sub_ps(m, one), _mm256_add_ps(m, one));
    __m256 s2 = _mm256_mul_ps(s, s);
    __m256 sum = _mm256_fmadd_ps(s2, _mm256_set1_ps(-2.0f / 9), _mm256_set1_ps(-2.0f / 7));
    sum = _mm256_fmadd_ps(s2, sum, _mm256_set1_ps(-2.0f / 5));
    sum = _mm256_fmadd_ps(s2, sum, _mm256_set1_ps(-2.0f / 3));
    sum = _mm256_fmadd_ps(s2, sum, _mm256_set1_ps(-2.0f));
    sum = _mm256_fmadd_ps(s, sum, _mm256_mul_ps(e, _mm256_set1_ps(-0.693147181f)));
    _mm256_storeu_ps(out + i, sum);
  }
  plain_log(out + i, in + i, len - i);
}

AVX2 static bool avx2_sum(uint32_t *sum, const unsigned char *pixels, size_t stride, uint32_t rows, uint16_t saturated,
                         size_t len)
{
  const __m256i limit = _mm256_set1_epi16((short)saturated);
  __m256i full = _mm256_setzero_si256();
  size_t i = 0;

  for (; i + 16 <= len; i += 16) {
    __m256i low = _mm256_setzero_si256(), high = low;
    for (uint32_t row = 0; row < rows; row++) {
      __m256i pixel = _mm256_loadu_si256((const void *)(pixels + 2 * (row * stride + i)));
      full = _mm256_or_si256(full, _mm256_cmpeq_epi16(_mm256_max_epu16(pixel, limit), pixel));
      low = _mm256_add_epi32(low, _mm256_cvtepu16_epi32(_mm256_castsi256_si128(pixel)));
      high = _mm256_add_epi32(high, _mm256_cvtepu16_epi32(_mm256_extracti128_si256(pixel, 1)));
    }
    _mm256_storeu_si256((void *)(sum + i), low);
    _mm256_storeu_si256((void *)(sum + i + 8), high);
  }
  bool rest = plain_sum(sum + i, pixels + 2 * i, stride, rows, saturated, len - i);
  return rest || !_mm256_testz_si256(full, full);
}

#endif

const struct ct_tomo_ops *ct_tomo_ops_get(size_t i)
{
  static const struct ct_tomo_ops plain = { "plain", plain_add, plain_merge, plain_bend, plain_log, plain_sum };
  const struct ct_tomo_ops *known[3];
  size_t n = 0;
#if CT_TOMO_X86
  static const struct ct_tomo_ops avx512 = { "avx512", avx512_add, avx512_merge, avx2_bend, avx2_log, avx2_sum };
  static const struct ct_tomo_ops avx2 = { "avx2", avx2_add, avx2_merge, avx2_bend, avx2_log, avx2_sum };
  bool has_avx2 = __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");

  if (has_avx2 && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512vl") &&
      __builtin_cpu_supports("avx512dq"))
    known[n++] = &avx512;
  if (has_avx2)
    known[n++] = &avx2;
#endif
  known[n++] = &plain;
  return i < n ? known[i] : NULL;
}
