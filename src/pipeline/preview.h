/* Whole frames of a camera, averaged down to a size a screen can show. Internal to pipeline.
 * Ownership: a preview owns its pictures; frames are borrowed for the call. */
#ifndef PIPELINE_PREVIEW_H
#define PIPELINE_PREVIEW_H

#include <comptop/frame.h>

enum { CT_PREVIEW_EDGE = 512 };          /* values an edge has at most */

struct ct_preview {
  uint32_t rows, cols, factor;           /* factor x factor pixels become one value */
  uint32_t frame_rows, frame_cols;
  float *dark, *flat, *latest, *row;     /* [rows * cols]; row: of a frame */
  uint32_t darks, flats, n;              /* frames in the means of dark and flat; projections seen */
  bool dark_closed, flat_closed;         /* a projection came since: the next begins a new mean */
  double angle_deg;
};

void ct_preview_init(struct ct_preview *preview, uint32_t rows, uint32_t cols);
void ct_preview_fini(struct ct_preview *preview);        /* of one never made too */
void ct_preview_dark(struct ct_preview *preview, const struct ct_frame *frame, uint32_t index);
void ct_preview_flat(struct ct_preview *preview, const struct ct_frame *frame, uint32_t index);
/* A projection came; ct_preview_projection: and is shown. */
void ct_preview_close_means(struct ct_preview *preview);
void ct_preview_projection(struct ct_preview *preview, const struct ct_frame *frame, uint32_t index, double angle_deg);
/* Transmission of the newest projection, rows x cols; counts without a flat. */
void ct_preview_draw(const struct ct_preview *preview, float *values);

/* The mean of what lies in each value of out[out_rows * out_cols]; NaN counts for nothing. No edge grows. */
void ct_preview_shrink(const float *in, uint32_t rows, uint32_t cols, float *out, uint32_t out_rows, uint32_t out_cols);

#endif
