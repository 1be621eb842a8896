/* What the workers of this room see of a receiver. Internal to pipeline. */
#ifndef PIPELINE_RECEIVE_H
#define PIPELINE_RECEIVE_H

#include <comptop/pipeline.h>
#include <comptop/ring.h>

/* The ring and the consumer's number in it, or NULL where the receiver was opened without that consumer. */
struct ct_ring *ct_receiver_ring(struct ct_receiver *receiver, unsigned consumer, unsigned *number);

/* The header of the first accepted message as it came, what is not printable as a dot; false before it. Any thread. */
bool ct_receiver_first_header(const struct ct_receiver *receiver, char text[1024]);

/* Where the analysis puts its spectra for the archiver, or NULL. */
struct ct_spectra_box *ct_analysis_box(struct ct_analysis *analysis);

#endif
