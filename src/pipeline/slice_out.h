/* slice_out: the slice as a stream that other viewers show. Internal to pipeline.
 * Ownership: owns its publisher; used by one thread at a time. */
#ifndef PIPELINE_SLICE_OUT_H
#define PIPELINE_SLICE_OUT_H

#include <comptop/pipeline.h>

struct ct_slice_out;
/* Errors of ct_publisher_open. */
int ct_slice_out_open(struct ct_slice_out **out, const char *endpoint, struct ct_err *err) CT_MUST_CHECK;
void ct_slice_out_close(struct ct_slice_out *out);   /* NULL is fine */
/* values[size * size] as one float32 frame of array-1.0, with the angle of the latest projection and how many there are. Waits
 * for nobody: who is slow misses it. */
void ct_slice_out_send(struct ct_slice_out *out, const float *values, uint32_t size, double angle_deg, uint32_t projections);

#endif
