/* What the workers of this room see of a receiver. Internal to pipeline. */
#ifndef PIPELINE_RECEIVE_H
#define PIPELINE_RECEIVE_H

#include <stdatomic.h>

#include <comptop/pipeline.h>
#include <comptop/ring.h>

/* The ring and the consumer's number in it, or NULL where the receiver was opened without that consumer. */
struct ct_ring *ct_receiver_ring(struct ct_receiver *receiver, unsigned consumer, unsigned *number);

/* The header of the first accepted message as it came, what is not printable as a dot. */
struct ct_first_header {
  char text[1024];               /* written once, before... */
  _Atomic bool there;            /* ...this is set: release in _keep, acquire in _text */
};
void ct_first_header_keep(struct ct_first_header *header, const struct ct_wire_part *parts, size_t n_parts);
const char *ct_first_header_text(const struct ct_first_header *header);   /* NULL before it came. Any thread */
const char *ct_receiver_first_header(const struct ct_receiver *receiver);
const char *ct_scalars_first_header(const struct ct_scalars *scalars);

/* Where the analysis puts its spectra for the archiver, or NULL. */
struct ct_spectra_box *ct_analysis_box(struct ct_analysis *analysis);

#endif
