/* Inside hexitec: the state of a detector and the steps of a frame: compare -> hit masks -> hit list -> sharing. */
#ifndef CT_HEXITEC_INTERNAL_H
#define CT_HEXITEC_INTERNAL_H

#include <comptop/hexitec.h>

#include <string.h>

/* ---- compare passes (mask.c): 64 pixels become one word, bit i for pixel i ------------------------------------- */
struct ct_mask_ops {
  const char *name;
  /* <live> pixels >= limit; <pixels> may be unaligned, <limit_ADU> has 64 * words values. Returns how many <live> ones
   * are at the end of the scale, 65535. */
  uint32_t (*u16)(uint64_t *mask, const unsigned char *pixels, const uint16_t *limit_ADU, const uint64_t *live, size_t words);
  /* <live> pixels with limit < pixel < infinity. Returns how many <live> ones are no energies: not finite, or < 0. */
  uint32_t (*f32)(uint64_t *mask, const unsigned char *pixels, float limit_keV, const uint64_t *live, size_t words);
};
/* The ways this build and this processor know, fastest first; NULL beyond the last, which is plain C. */
const struct ct_mask_ops *ct_mask_ops_get(size_t i);

/* ---- passes over hit masks (bits.c) ----------------------------------------------------------------------------- */
/* The sensor as masks see it. A mask has <words> words (whole vectors, all bits beyond the pixels 0), and as many words
 * of 0 before and behind as two rows need, so that a look at the neighbours never leaves it. */
struct ct_grid {
  uint32_t cols, reach;
  size_t words;
  uint64_t *has_west, *has_east;   /* not in the first, not in the last column */
  uint64_t *scratch[3];
};

enum { CT_LIST_SLACK = 64 };
struct ct_bit_ops {
  const char *name;
  /* The numbers of the bits that are set, ascending; may write CT_LIST_SLACK numbers more than it returns. */
  uint32_t (*list)(uint32_t *list, const uint64_t *bits, size_t words);
  /* From the ASIC's order into the geometric one. */
  void (*deal)(uint64_t *geometric, const uint64_t *raw, size_t words);
  /* Removes from <hits> those that <other> has, too; how many that were. */
  uint32_t (*remove)(uint64_t *hits, const uint64_t *other, size_t words);
  /* How many bits are set. */
  uint32_t (*count)(const uint64_t *bits, size_t words);
  /* The most bits set in any word. */
  uint32_t (*fullest)(const uint64_t *bits, size_t words);
  /* Hits with another one in the part of their window (grid->reach) that comes after them row by row. */
  void (*later)(const struct ct_grid *grid, uint64_t *out, const uint64_t *hits);
  /* The first hits of the clusters of one and of two, all hits of those of two, and all of those of more. */
  void (*small_clusters)(const struct ct_grid *grid, uint64_t *first, uint64_t *pair, uint64_t *larger,
                         const uint64_t *hits);
};
const struct ct_bit_ops *ct_bit_ops_get(size_t i);   /* as ct_mask_ops_get */

/* ---- clusters (cluster.c): a union-find forest over the runs of a hit list --------------------------------------- */
struct ct_run {
  uint32_t first, last;   /* pixels, side by side in a row */
  uint32_t row, parent;
};
/* How many 8-connected clusters <n> hits form, ascending row-major pixel indices of a sensor <cols> wide; <runs> is
 * scratch for as many. Time is near-linear in <n> whatever the pattern. */
uint32_t ct_clusters_count(struct ct_run *runs, const uint32_t *pixel, uint32_t n, uint32_t cols);

/* ---- the odin-* rules (odin.c): an image of energies, 0 where no hit is ------------------------------------------ */
/* Energy in keV and the number of hits it is the sum of. */
typedef float ct_cell __attribute__((vector_size(8)));

struct ct_image {
  ct_cell *cells;
  uint32_t reach;     /* 1: windows of 3x3, 2: of 5x5 */
  uint32_t stride;    /* cells from row to row */
  uint32_t nowhere;   /* the middle of a window that stays 0 */
  uint64_t per_col;   /* 2^40 / cols, rounded up: exact for all pixels below CT_HEXITEC_PIXELS_MAX = 2^20 */
};
bool ct_image_init(struct ct_image *image, uint32_t rows, uint32_t cols, uint32_t reach);   /* false: no memory */
/* Which cell is that of a pixel. */
static inline uint32_t ct_image_place(const struct ct_image *image, uint32_t pixel)
{
  return pixel + (uint32_t)(pixel * image->per_col >> 40) * image->reach + image->reach;
}
/* Charge sharing addition and discrimination, upstream's raster scan, of the hits that have company after them,
 * ascending. What they leave in the image are the photons; _discard tallies what it drops. */
void ct_image_add(struct ct_image *image, const uint32_t *pixel, uint32_t n);
void ct_image_discard(struct ct_image *image, const uint32_t *pixel, uint32_t n, struct ct_hexitec_tally *tally);
/* Leaves of <n> events, one a hit, those that are still in the image, with what they are the sum of; tallies them by
 * the hits that went into each, empties the image, returns how many there are. */
uint32_t ct_image_take(struct ct_image *image, const uint32_t *place, uint32_t n, struct ct_event *events,
                       struct ct_hexitec_tally *tally);

/* ---- the detector ---------------------------------------------------------------------------------------------- */
/* What turns a hit into an energy, side by side: one cache line a hit. */
struct ct_pixel {
  float gradient_keV, intercept_keV;    /* 1 and 0 where there is no calibration */
  uint16_t dark_ADU;
  int16_t raw_step;                     /* its place in the frame's order minus its number */
};

struct ct_hexitec {
  uint32_t rows, cols, pixels;
  uint32_t words;                       /* of 64 pixels, the last one may be part of one */
  enum ct_sharing sharing;
  bool next_frame, calibrated, asic_order, dither;
  float threshold_keV;
  const struct ct_mask_ops *mask;
  const struct ct_bit_ops *bits;
  struct ct_pixel *pixel;
  uint16_t *threshold_ADU;

  /* The compare of u16 frames, in the order of the frame: dark and threshold folded into one limit. */
  uint16_t *limit_ADU;
  uint64_t *live;                       /* 0: dead, or no ADU reaches the limit */
  uint64_t *alive;                      /* 1 where the pixel is not dead: what f32 frames have for <live> */

  struct ct_grid grid;
  uint64_t *mask_memory;                /* of all masks but <live> and <alive> */

  /* The block of frames found last. */
  uint32_t block_first, block_count;
  uint64_t block_number;                /* of its first frame */
  uint64_t *hits[CT_HEXITEC_BLOCK];
  uint32_t odd[CT_HEXITEC_BLOCK];       /* pixels: u16 saturated, f32 no energies */
  uint32_t removed[CT_HEXITEC_BLOCK];   /* by next-frame correction */

  /* Scratch of one frame. */
  unsigned char *host;                  /* the frame in this machine's byte order */
  uint64_t *raw_hits;
  uint64_t *first, *pair, *larger;      /* odin-* rules: <first> are those with company after them */
  uint32_t *list, *list_larger;
  struct ct_run *runs;
  uint32_t *place;                      /* in the image */
  struct ct_image image;

  uint64_t *last_hits;                  /* of the frame corrected last */
  uint64_t last_number;
  bool has_last;

  uint64_t *dark_sum, dark_frames;
};

/* The bytes of frame <index> of a batch. */
const unsigned char *ct_hexitec_pixels(const struct ct_hexitec *h, const struct ct_frame *frame, uint32_t index);
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

static inline uint16_t ct_load_u16(const unsigned char *pixels, uint32_t i, bool big_endian)
{
  uint16_t v;
  memcpy(&v, pixels + (size_t)i * sizeof v, sizeof v);
  return big_endian ? __builtin_bswap16(v) : v;
}

static inline float ct_load_f32(const unsigned char *pixels, uint32_t i, bool big_endian)
{
  uint32_t bits;
  float v;
  memcpy(&bits, pixels + (size_t)i * sizeof bits, sizeof bits);
  bits = big_endian ? __builtin_bswap32(bits) : bits;
  memcpy(&v, &bits, sizeof v);
  return v;
}

/* dither.c: spreads the energies of frame <frame> over their steps of one ADU. */
void ct_dither_(const struct ct_hexitec *h, uint64_t frame, struct ct_event *events, uint32_t n);

#endif
