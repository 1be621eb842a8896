/* Inside tomo: the loops in which reconstruction spends its time, in as many ways as processors know. */
#ifndef CT_TOMO_KERNEL_H
#define CT_TOMO_KERNEL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
  CT_LANES = 16,            /* rows of a picture are whole vectors of as many pixels */
  CT_MARGIN = 9 * CT_LANES  /* samples of a line that may be read before its first and behind its last one */
};
#define CT_FIXED_ONE 0x1p32

/* A filtered projection between its samples: at k + part it is value[k] + (slope[k] + bend[k] * part) * part, where
 * <part> counts in 2^-27 of a sample. */
struct ct_curve {
  float *value, *slope, *bend;
};

/* A curve laid over a picture: pixel (i, row) sees it at first + i * step + row * row_step samples, in 32.32 fixed point
 * so that all ways find the same places; |step| <= 1. */
struct ct_ray {
  int64_t first, step, row_step;
};

/* The vectors of a row that matter: [from, to). */
struct ct_span {
  uint16_t from, to;
};

/* A line with every other sample in one of two arrays, to be seen a part of half a sample later: at i lies
 * near * a[i] + far * b[i], half a sample behind it near * b[i] + far * a[i + 1]; near + far is its weight. */
struct ct_shifted {
  const float *a, *b;
  float near, far;
};

struct ct_tomo_ops {
  const char *name;
  /* picture[row * stride + i] += the curve where that pixel sees it; <stride> in pixels. */
  void (*add)(float *picture, size_t stride, const struct ct_span *spans, uint32_t rows, const struct ct_curve *curve,
              const struct ct_ray *ray);
  /* even[i], odd[i] = the sum of <n> shifted lines, 0 <= i < len, a multiple of CT_LANES. */
  void (*merge)(float *even, float *odd, size_t len, const struct ct_shifted *lines, uint32_t n);
  /* The parabolas through the samples and those half-way behind them, times <weight>: curve [0, len), len a multiple of
   * CT_LANES, from even [0, len] and odd [0, len). */
  void (*bend)(const struct ct_curve *curve, const float *even, const float *odd, float weight, size_t len);
  /* out[i] = -ln(in[i]); <in> is normal and above 0 */
  void (*log)(float *out, const float *in, size_t len);
  /* sum[i] = pixel i of <rows> rows, <stride> pixels apart; whether any is >= saturated. <pixels> are u16, unaligned. */
  bool (*sum)(uint32_t *sum, const unsigned char *pixels, size_t stride, uint32_t rows, uint16_t saturated, size_t len);
};
/* The ways this build and this processor know, fastest first; NULL beyond the last, which is plain C. */
const struct ct_tomo_ops *ct_tomo_ops_get(size_t i);

#endif
