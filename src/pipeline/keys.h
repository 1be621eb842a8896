/* How many frames of which image key a stream has brought, and the angle of the latest. Internal to pipeline.
 * Ownership: plain memory of the owner's, written by one thread, read by any. */
#ifndef PIPELINE_KEYS_H
#define PIPELINE_KEYS_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include <comptop/frame.h>
#include <comptop/snapshot.h>

/* Relaxed: each is a number to show and orders nothing. */
struct ct_keys {
  _Atomic uint64_t projections, flats, darks;
  _Atomic double angle_deg;
  _Atomic bool has_angle;
};

void ct_keys_count(struct ct_keys *keys, const struct ct_frame *frame);
/* Sets projections, flats, darks and angle_deg (NaN: none said one). */
void ct_keys_stats(const struct ct_keys *keys, struct ct_snapshot_stream *out);

#endif
