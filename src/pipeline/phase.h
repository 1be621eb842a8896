/* phase: one row of a camera's frames without what propagation adds to its contrast, by way of the rows around it. Internal to
 * pipeline. Ownership: a phase owns copies of what it needs; frames are borrowed for the call. */
#ifndef PIPELINE_PHASE_H
#define PIPELINE_PHASE_H

#include <comptop/frame.h>
#include <comptop/tomo.h>

struct ct_phase;
/* For row <row> of frames of rows x cols; alpha in square pixels (ct_paganin_alpha). Errors of ct_paganin_open. */
int ct_phase_open(struct ct_phase **out, uint32_t rows, uint32_t cols, uint32_t row, double alpha_px2, struct ct_err *err) CT_MUST_CHECK;
void ct_phase_close(struct ct_phase *phase);             /* NULL is fine */
void ct_phase_dark(struct ct_phase *phase, const struct ct_frame *frame, uint32_t index);
void ct_phase_flat(struct ct_phase *phase, const struct ct_frame *frame, uint32_t index);
/* counts[cols] of the row in that frame become what they would be at no distance. */
void ct_phase_row(struct ct_phase *phase, const struct ct_frame *frame, uint32_t index, float *counts);

#endif
