/* What is kept about the health of a detector. All of it adds up, but for the level of the sensor. */
#ifndef CT_HEXITEC_HEALTH_H
#define CT_HEXITEC_HEALTH_H

#include "hexitec/internal.h"

enum {
  LEVEL_WORDS = 4,         /* of 64 pixels: those whose mean is the level of the sensor */
  LEVEL_MEMORY = 1024,     /* levels: mean and spread follow those */
  LEVEL_KNOWN = 64,        /* levels before the first verdict */
  LEVEL_STAYS = 256        /* outliers in a row are the new level */
};

/* The mean of some pixels without a hit, looked at often; ADU above the dark. */
struct ct_level {
  uint64_t n;
  double last_ADU, mean_ADU, spread_ADU;   /* spread: mean absolute deviation */
  uint32_t out;                            /* outliers in a row */
  uint64_t jumps, jump_frame;              /* since the start; of the last one */
  double jump_ADU;
};

/* ADU above the dark of a pixel without a hit, summed. */
struct ct_quiet {
  int64_t sum_ADU, first_ADU;              /* first: of the first CT_HEALTH_FIRST looks */
  uint32_t n, n_first;
};

struct ct_health {
  uint32_t rows, cols, pixels, words;
  uint64_t frames;                         /* seen since the start: when it is time for a look */

  /* Of the window, halved together. */
  uint64_t looks, window_frames, hits, hits_square;
  uint32_t *count;                         /* hits of each pixel in the looks */

  uint64_t row_floods, flooded_frame;      /* since the start; of the last one */
  uint32_t flooded_row;

  struct ct_level level;
  uint64_t quiet_looks;                    /* since the darks */
  struct ct_quiet *quiet;                  /* [words * 64], in the order of the frame */

  /* Read from the detector when <stale>. */
  bool stale;
  uint32_t *raw;                           /* place in the frame of each pixel */
  uint8_t *off;
  uint32_t *row_need;                      /* hits that make a flood of each row */
  uint32_t least_need;                     /* of a frame, of a word: fewer and there is no flood */
  uint32_t least_in_word;
  uint16_t *dark_ADU, *limit_ADU;          /* [words * 64], in the order of the frame; below the limit there is no hit,
                                              and it is 0 where the pixel is off */

  double *scratch;                         /* [pixels] */
};

#endif
