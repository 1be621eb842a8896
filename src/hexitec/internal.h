/* Inside hexitec: the state of a detector and the steps of a frame: compare -> hit masks -> hit list -> sharing. */
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

/* ---- the odin-* rules (odin.c): an image of energies, 0 where no hit is ------------------------------------------ */
/* Energy in keV and the number of hits it is the sum of. */
typedef float ct_cell __attribute__((vector_size(8)));

struct ct_image {
  ct_cell *cells;
  uint32_t reach;     /* 1: windows of 3x3, 2: of 5x5 */
  uint32_t stride;    /* cells from row to row */
  uint32_t nowhere;   /* the middle of a window that stays 0 */
};
bool ct_image_init(struct ct_image *image, uint32_t rows, uint32_t cols, uint32_t reach);   /* false: no memory */
/* Which cell is that of a pixel. */
uint32_t ct_image_place(const struct ct_image *image, uint32_t row, uint32_t col);
/* Charge sharing addition and discrimination, upstream's raster scan: <place> are the cells of the hits, ascending. What
 * they leave in the image are the photons; _discard tallies what it drops. */
void ct_image_add(struct ct_image *image, const uint32_t *place, uint32_t n);
void ct_image_discard(struct ct_image *image, const uint32_t *place, uint32_t n, struct ct_hexitec_tally *tally);
/* Makes events of what is left, tallies them by the hits that went into each, and empties the image. */
uint32_t ct_image_take(struct ct_image *image, const uint32_t *pixel, const uint32_t *place, uint32_t n,
                       struct ct_event *events, struct ct_hexitec_tally *tally);

/* ---- the detector ---------------------------------------------------------------------------------------------- */
/* What turns a hit into an energy, side by side: one cache line a hit. */
struct ct_pixel {
  float gradient_keV, intercept_keV;    /* 1 and 0 where there is no calibration */
  uint16_t dark_ADU;
  int16_t raw_step;                     /* its place in the frame's order minus its number */
  uint32_t place;                       /* its cell in the image; odin-* rules */
};

struct ct_hexitec {
  uint32_t rows, cols, pixels, words;   /* words = pixels / 64, rounded up */
  enum ct_sharing sharing;
  bool next_frame;
  const struct ct_mask_ops *mask;
  struct ct_pixel *pixel;
  uint16_t *threshold_ADU;
  float threshold_keV;
  bool calibrated, asic_order;

  /* The compare of u16 frames, in the order of the frame: dark and threshold folded into one limit. */
  uint16_t *limit_ADU;
  uint64_t *live;                       /* 0: dead, or no ADU reaches the limit */
  uint64_t *alive;                      /* geometric order, for float frames; 0: dead */

  /* Scratch of one frame. */
  unsigned char *host;                  /* the frame in this machine's byte order */
  uint64_t *raw_hits, *hits;
  uint32_t *list;
  struct ct_clusters clusters;
  struct ct_image image;
  uint32_t *place;                      /* of the hits, in the image */

  uint64_t *last_hits;                  /* of the corrected frame before */
  uint64_t last_number;
  bool has_last;

  uint64_t *dark_sum, dark_frames;
};

/* Frame <index> in this machine's byte order: the caller's memory, or h->host. */
const unsigned char *ct_hexitec_pixels(struct ct_hexitec *h, const struct ct_frame *frame, uint32_t index);
/* Folds dark, threshold and dead pixels into limit_ADU and live. */
void ct_hexitec_fold(struct ct_hexitec *h);

/* Where a pixel's value lies in a u16 frame. */
static inline uint32_t ct_hexitec_raw(const struct ct_hexitec *h, uint32_t pixel)
{
  return (uint32_t)((int32_t)pixel + h->pixel[pixel].raw_step);
}

/* Whether the rule is one of the open detector software: zero is no signal for those. */
static inline bool ct_sharing_is_odin(enum ct_sharing sharing)
{
  return sharing != CT_SHARING_PAPER && sharing != CT_SHARING_NONE;
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
