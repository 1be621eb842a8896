/* Whole frames of a camera, averaged down to a size that a screen can show and a volume can be made of. Internal to pipeline.
 * Ownership: a preview owns its pictures; frames are borrowed for the call. */
#ifndef PIPELINE_PREVIEW_H
#define PIPELINE_PREVIEW_H

#include <comptop/frame.h>
#include <comptop/tomo.h>

enum { CT_PREVIEW_EDGE = 512 };          /* values an edge has at most */

struct ct_preview {
  uint32_t rows, cols, factor;           /* factor x factor pixels become one value */
  struct ct_field *field;
  float *counts, *through;               /* [rows * cols] of the newest projection: as it came; -ln(transmission) */
  float *change;                         /* [rows * cols] */
  float *row;                            /* of a frame */
  bool keyed, has_flat;                  /* darks or flats came since the newest projection; a flat ever */
  uint32_t n;                            /* projections taken */
  double angle_deg;                      /* of the newest */
};

/* CT_ERANGE: frames of fewer pixels than that; CT_ENOMEM. */
int ct_preview_init(struct ct_preview *preview, uint32_t rows, uint32_t cols, struct ct_err *err) CT_MUST_CHECK;
void ct_preview_fini(struct ct_preview *preview);        /* of one never made too */
void ct_preview_dark(struct ct_preview *preview, const struct ct_frame *frame, uint32_t index);
void ct_preview_flat(struct ct_preview *preview, const struct ct_frame *frame, uint32_t index);
/* A projection came and is not taken: those darks and flats are complete. */
void ct_preview_pass(struct ct_preview *preview);
/* By how much -ln(transmission) of those that came is another with the darks and flats that came since [rows * cols]; NULL: none
 * did. preview->through is as it ought to be then. */
const float *ct_preview_refresh(struct ct_preview *preview);
/* It is taken, into preview->through; without a flat the brightest twentieth of the first one is taken for open beam. Refreshes
 * before. */
const float *ct_preview_projection(struct ct_preview *preview, const struct ct_frame *frame, uint32_t index, double angle_deg);
/* Transmission of the newest projection, rows x cols. */
void ct_preview_draw(const struct ct_preview *preview, float *values);

/* The mean of what lies in each value of out[out_rows * out_cols]; NaN counts for nothing. No edge grows. */
void ct_preview_shrink(const float *in, uint32_t rows, uint32_t cols, float *out, uint32_t out_rows, uint32_t out_cols);

#endif
