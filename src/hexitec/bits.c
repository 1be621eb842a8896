/* Passes over hit masks: 64 pixels a word, a few hundred bytes a frame, so what they find out costs next to nothing
 * beside looking at one hit after the other. One body of plain C per pass, compiled once for each kind of processor. */
#include "hexitec/internal.h"

#if defined __x86_64__
#define CT_BITS_X86 1
#include <immintrin.h>
#else
#define CT_BITS_X86 0
#endif

/* ---- neighbours ------------------------------------------------------------------------------------------------ */
typedef uint64_t words8 __attribute__((vector_size(64), aligned(8), may_alias));
#define BODY static inline __attribute__((always_inline)) void
#define EACH_8(w) for (size_t w = 0; w < grid->words; w += 8)
#define AT(bits, w) (*(words8 *)(void *)((bits) + (w)))
#define LOOK(bits, w) (*(const words8 *)(const void *)((bits) + (w)))
/* Bit p of the result is bit p - 1, p + 1, p - n, p + n; the first two do not run on over the ends of rows. */
#define WEST(bits, w) ((LOOK(bits, w) << 1 | LOOK((bits) - 1, w) >> 63) & LOOK(grid->has_west, w))
#define EAST(bits, w) ((LOOK(bits, w) >> 1 | LOOK((bits) + 1, w) << 63) & LOOK(grid->has_east, w))
#define NORTH(bits, w, n) (LOOK((bits) - (n) / 64, w) << (n) % 64 | LOOK((bits) - (n) / 64 - 1, w) >> 1 >> (63 - (n) % 64))
#define SOUTH(bits, w, n) (LOOK((bits) + (n) / 64, w) >> (n) % 64 | LOOK((bits) + (n) / 64 + 1, w) << 1 << (63 - (n) % 64))

/* Of a pixel and the two beside it: whether any is a hit. */
BODY rows_of_three(const struct ct_grid *grid, uint64_t *any, const uint64_t *hits)
{
  EACH_8(w)
    AT(any, w) = LOOK(hits, w) | WEST(hits, w) | EAST(hits, w);
}

BODY later(const struct ct_grid *grid, uint64_t *out, const uint64_t *hits)
{
  uint64_t *any = grid->scratch[0], *wide = grid->scratch[1], *east = grid->scratch[2];

  rows_of_three(grid, any, hits);
  if (grid->reach < 2) {
    EACH_8(w)
      AT(out, w) = LOOK(hits, w) & (EAST(hits, w) | SOUTH(any, w, grid->cols));
    return;
  }
  rows_of_three(grid, wide, any);
  EACH_8(w)
    AT(east, w) = EAST(hits, w);
  EACH_8(w)
    AT(out, w) = LOOK(hits, w) & (LOOK(east, w) | EAST(east, w) | SOUTH(wide, w, grid->cols) |
                                  SOUTH(wide, w, 2 * grid->cols));
}

/* A cluster of two is a hit with one neighbour that has no other. */
BODY small_clusters(const struct ct_grid *grid, uint64_t *first, uint64_t *pair, uint64_t *larger, const uint64_t *hits)
{
  uint64_t *any = grid->scratch[0], *two = grid->scratch[1], *one = grid->scratch[2];
  uint64_t *beside = pair, *both = larger;   /* hits on either side, on both; until what they are for is known */

  EACH_8(w) {
    words8 here = LOOK(hits, w), west = WEST(hits, w), east = EAST(hits, w);
    AT(beside, w) = west | east;
    AT(both, w) = west & east;
    AT(any, w) = here | west | east;
    AT(two, w) = (here & (west | east)) | (west & east);
  }
  EACH_8(w) {
    words8 here = LOOK(hits, w), side = LOOK(beside, w);
    words8 north = NORTH(any, w, grid->cols), south = SOUTH(any, w, grid->cols);
    words8 more = LOOK(both, w) | (side & (north | south)) | (north & south) | NORTH(two, w, grid->cols) |
                  SOUTH(two, w, grid->cols);
    AT(first, w) = here & ~(side | north | south);   /* the singles, until the pairs are known */
    AT(one, w) = here & (side | north | south) & ~more;
  }
  rows_of_three(grid, any, one);
  EACH_8(w) {
    words8 with_later = LOOK(one, w) & (EAST(one, w) | SOUTH(any, w, grid->cols));
    words8 with_earlier = LOOK(one, w) & (WEST(one, w) | NORTH(any, w, grid->cols));
    AT(larger, w) = LOOK(hits, w) & ~(LOOK(first, w) | with_later | with_earlier);
    AT(first, w) |= with_later;
    AT(pair, w) = with_later | with_earlier;
  }
}

static void plain_later(const struct ct_grid *grid, uint64_t *out, const uint64_t *hits)
{
  later(grid, out, hits);
}

static void plain_small_clusters(const struct ct_grid *grid, uint64_t *first, uint64_t *pair, uint64_t *larger,
                                 const uint64_t *hits)
{
  small_clusters(grid, first, pair, larger, hits);
}

/* ---- next-frame correction -------------------------------------------------------------------------------------- */
static inline __attribute__((always_inline)) uint32_t remove_hits(uint64_t *hits, const uint64_t *other, size_t words)
{
  uint64_t removed = 0;

  for (size_t w = 0; w < words; w++) {
    removed += (uint64_t)__builtin_popcountll(hits[w] & other[w]);
    hits[w] &= ~other[w];
  }
  return (uint32_t)removed;
}

static uint32_t plain_remove(uint64_t *hits, const uint64_t *other, size_t words)
{
  return remove_hits(hits, other, words);
}

static inline __attribute__((always_inline)) uint32_t count(const uint64_t *bits, size_t words)
{
  uint64_t n = 0;

  for (size_t w = 0; w < words; w++)
    n += (uint64_t)__builtin_popcountll(bits[w]);
  return (uint32_t)n;
}

static uint32_t plain_count(const uint64_t *bits, size_t words)
{
  return count(bits, words);
}

static inline __attribute__((always_inline)) uint32_t fullest(const uint64_t *bits, size_t words)
{
  int most = 0;

  for (size_t w = 0; w < words; w++) {
    int n = __builtin_popcountll(bits[w]);
    most = n > most ? n : most;
  }
  return (uint32_t)most;
}

static uint32_t plain_fullest(const uint64_t *bits, size_t words)
{
  return fullest(bits, words);
}

/* ---- from bits to numbers, and from the ASIC's order to the geometric one ---------------------------------------- */
static inline uint32_t list_word(uint32_t *list, uint64_t word, uint32_t base)
{
  uint32_t n = 0;

  for (; word; word &= word - 1)
    list[n++] = base + (uint32_t)__builtin_ctzll(word);
  return n;
}

static uint32_t plain_list(uint32_t *list, const uint64_t *bits, size_t words)
{
  uint32_t n = 0;

  for (size_t w = 0; w < words; w++)
    n += list_word(list + n, bits[w], (uint32_t)w * 64);
  return n;
}

static void plain_deal(uint64_t *geometric, const uint64_t *raw, size_t words)
{
  memset(geometric, 0, words * sizeof *geometric);
  for (size_t w = 0; w < words; w++) {
    for (uint64_t m = raw[w]; m; m &= m - 1) {
      size_t i = w * 64 + (size_t)__builtin_ctzll(m), k = i % CT_HEXITEC_BLOCK_COLS, p = i - k + k % 4 * 20 + k / 4;
      geometric[p / 64] |= UINT64_C(1) << p % 64;
    }
  }
}

#if CT_BITS_X86

#define AVX2 __attribute__((target("avx2,bmi,bmi2,popcnt")))
#define AVX512 __attribute__((target("avx512f,avx512bw,avx512vl,avx512vbmi2,bmi,bmi2,popcnt")))

AVX2 static void avx2_later(const struct ct_grid *grid, uint64_t *out, const uint64_t *hits)
{
  later(grid, out, hits);
}

AVX2 static void avx2_small_clusters(const struct ct_grid *grid, uint64_t *first, uint64_t *pair, uint64_t *larger,
                                     const uint64_t *hits)
{
  small_clusters(grid, first, pair, larger, hits);
}

AVX2 static uint32_t popcnt_remove(uint64_t *hits, const uint64_t *other, size_t words)
{
  return remove_hits(hits, other, words);
}

AVX2 static uint32_t popcnt_count(const uint64_t *bits, size_t words)
{
  return count(bits, words);
}

AVX2 static uint32_t popcnt_fullest(const uint64_t *bits, size_t words)
{
  return fullest(bits, words);
}

AVX512 static void avx512_later(const struct ct_grid *grid, uint64_t *out, const uint64_t *hits)
{
  later(grid, out, hits);
}

AVX512 static void avx512_small_clusters(const struct ct_grid *grid, uint64_t *first, uint64_t *pair, uint64_t *larger,
                                         const uint64_t *hits)
{
  small_clusters(grid, first, pair, larger, hits);
}

AVX512 static inline uint32_t avx512_list_word(uint32_t *list, const uint64_t *bits, size_t w)
{
  static const uint8_t iota[64] = {
    0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30,
    31, 32, 33, 34, 35, 36, 37, 38, 39, 40, 41, 42, 43, 44, 45, 46, 47, 48, 49, 50, 51, 52, 53, 54, 55, 56, 57, 58, 59,
    60, 61, 62, 63
  };
  const __m512i numbers = _mm512_loadu_si512(iota);
  uint32_t found = (uint32_t)_mm_popcnt_u64(bits[w]);
  unsigned char packed[64];
  __m512i base = _mm512_set1_epi32((int)(w * 64)), inside = _mm512_maskz_compress_epi8(bits[w], numbers);

  _mm512_storeu_si512(list, _mm512_add_epi32(base, _mm512_cvtepu8_epi32(_mm512_castsi512_si128(inside))));
  if (found > 16)
    _mm512_storeu_si512(packed, inside);
  for (uint32_t i = 16; i < found; i += 16) {
    __m512i next = _mm512_cvtepu8_epi32(_mm_loadu_si128((const void *)(packed + i)));
    _mm512_storeu_si512(list + i, _mm512_add_epi32(base, next));
  }
  return found;
}

AVX512 static uint32_t avx512_list(uint32_t *list, const uint64_t *bits, size_t words)
{
  uint32_t n = 0;

  for (size_t first = 0; first < words; first += 8) {
    /* Most words of a frame with few hits are empty: their branches would cost more than their bits. */
    __mmask8 lanes = (__mmask8)(words - first < 8 ? (1u << (words - first)) - 1 : 0xff);
    __m512i eight = _mm512_maskz_loadu_epi64(lanes, bits + first);
    for (unsigned filled = _mm512_test_epi64_mask(eight, eight); filled; filled &= filled - 1)
      n += avx512_list_word(list + n, bits, first + (size_t)__builtin_ctz(filled));
  }
  return n;
}

/* A module's row is 80 bits, four interleaved blocks of 20: ten bytes. */
AVX2 static void bmi2_deal(uint64_t *geometric, const uint64_t *raw, size_t words)
{
  const unsigned char *from = (const unsigned char *)raw;
  unsigned char *to = (unsigned char *)geometric;
  size_t blocks = words * 64 / CT_HEXITEC_BLOCK_COLS;

  for (size_t b = 0; b < blocks; b++, from += 10, to += 10) {
    const uint64_t every_fourth = UINT64_C(0x1111111111111111);
    uint64_t low, block[4];
    uint16_t high;

    memcpy(&low, from, 8);
    memcpy(&high, from + 8, 2);
    if (low | high) {
      for (int k = 0; k < 4; k++)
        block[k] = _pext_u64(low, every_fourth << k) | _pext_u64(high, every_fourth << k) << 16;
      low = block[0] | block[1] << 20 | block[2] << 40 | block[3] << 60;
      high = (uint16_t)(block[3] >> 4);
    }
    memcpy(to, &low, 8);
    memcpy(to + 8, &high, 2);
  }
}

#endif

const struct ct_bit_ops *ct_bit_ops_get(size_t i)
{
  static const struct ct_bit_ops plain = { "plain", plain_list, plain_deal, plain_remove, plain_count, plain_fullest,
                                           plain_later, plain_small_clusters };
  const struct ct_bit_ops *known[3];
  size_t n = 0;
#if CT_BITS_X86
  static const struct ct_bit_ops avx2 = { "avx2", plain_list, bmi2_deal, popcnt_remove, popcnt_count, popcnt_fullest,
                                          avx2_later, avx2_small_clusters };
  static const struct ct_bit_ops avx512 = { "avx512", avx512_list, bmi2_deal, popcnt_remove, popcnt_count, popcnt_fullest,
                                            avx512_later, avx512_small_clusters };
  bool has_avx2 = __builtin_cpu_supports("avx2") && __builtin_cpu_supports("bmi") && __builtin_cpu_supports("bmi2") &&
                  __builtin_cpu_supports("popcnt");

  if (has_avx2 && __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512vl") &&
      __builtin_cpu_supports("avx512vbmi2"))
    known[n++] = &avx512;
  if (has_avx2)
    known[n++] = &avx2;
#endif
  known[n++] = &plain;
  return i < n ? known[i] : NULL;
}
