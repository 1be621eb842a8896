/* Inside hexitec: the state of a detector and the steps of a frame: compare -> hit masks -> hit list -> clusters. */
#ifndef CT_HEXITEC_INTERNAL_H
#define CT_HEXITEC_INTERNAL_H

#include <comptop/hexitec.h>

#include <string.h>

/* ---- compare passes (mask.c): 64 pixels become one word, bit i for pixel i ------------------------------------- */
struct ct_mask_ops {
  const char *name;
  /* pixel >= limit; <pixels> may be unaligned, <limit_ADU> has 64 * words values. */
  void (*u16)(uint64_t *mask, const unsigned char *pixels, const uint16_t *limit_ADU, size_t words);
  /* limit < pixel < infinity */
  void (*f32)(uint64_t *mask, const unsigned char *pixels, float limit_keV, size_t words);
};
/* The ways this build and this processor know, fastest first; NULL beyond the last, which is plain C. */
const struct ct_mask_ops *ct_mask_ops_get(size_t i);

/* ---- clusters (cluster.c): a union-find forest over the hit list ----------------------------------------------- */
struct ct_clusters {
  uint32_t *parent;   /* of hit i; its own parent where it is the first hit of a cluster */
  uint32_t *size;     /* at a first hit: hits in its cluster */
  uint32_t *mate;     /* at the first hit of a cluster of two: the other one */
};
/* Joins the 8-connected ones of <n> hits, ascending row-major pixel indices of a sensor <cols> wide. The first hit of
 * a cluster represents it. Time is near-linear in <n> whatever the pattern. */
void ct_clusters_join(struct ct_clusters *clusters, const uint32_t *pixel, uint32_t n, uint32_t cols);

/* ---- the detector ---------------------------------------------------------------------------------------------- */
struct ct_hexitec {
  uint32_t rows, cols, pixels, words;   /* words = pixels / 64, rounded up */
  enum ct_sharing sharing;
  bool next_frame;
  const struct ct_mask_ops *mask;
  uint16_t *dark_ADU, *threshold_ADU;
  float *gradient_keV, *intercept_keV;  /* NULL: not calibrated */
  float threshold_keV;
  uint32_t *raw_of, *geometric_of;      /* NULL: frames come in geometric order */

  /* The compare of u16 frames, in the order of the frame: dark and threshold folded into one limit. */
  uint16_t *limit_ADU;
  uint64_t *live;                       /* 0: dead, or no ADU reaches the limit */
  uint64_t *alive;                      /* geometric order, for float frames; 0: dead */

  /* Scratch of one frame. */
  unsigned char *host;                  /* the frame in this machine's byte order */
  uint64_t *raw_hits, *hits;
  uint32_t *list;
  struct ct_clusters clusters;

  uint64_t *last_hits;                  /* of the corrected frame before */
  uint64_t last_number;
  bool has_last;

  uint64_t *dark_sum, dark_frames;
};

/* Frame <index> in this machine's byte order: the caller's memory, or h->host. */
const unsigned char *ct_hexitec_pixels(struct ct_hexitec *h, const struct ct_frame *frame, uint32_t index);
/* Folds dark, threshold and dead pixels into limit_ADU and live. */
void ct_hexitec_fold(struct ct_hexitec *h);

static inline uint32_t ct_hexitec_raw(const struct ct_hexitec *h, uint32_t pixel)
{
  return h->raw_of ? h->raw_of[pixel] : pixel;
}

static inline uint16_t ct_load_u16(const unsigned char *pixels, uint32_t i)
{
  uint16_t v;
  memcpy(&v, pixels + (size_t)i * sizeof v, sizeof v);
  return v;
}

static inline float ct_load_f32(const unsigned char *pixels, uint32_t i)
{
  float v;
  memcpy(&v, pixels + (size_t)i * sizeof v, sizeof v);
  return v;
}

#endif
