/* Which pixels of a detector's frames are photon events, for an archive that keeps nothing else: those that the analysis takes
 * for hits, with the offsets it has at that frame. Frames that it does not look at are kept whole. Internal to pipeline.
 * Ownership: the filter is its maker's, for one thread. */
#ifndef PIPELINE_EVENTS_H
#define PIPELINE_EVENTS_H

#include <comptop/archive.h>
#include <comptop/pipeline.h>

#include "lot.h"

struct ct_event_filter;
/* Errors of ct_hexitec_new. */
int ct_event_filter_new(struct ct_event_filter **out, const struct ct_analysis_setup *analysis, struct ct_err *err) CT_MUST_CHECK;
void ct_event_filter_free(struct ct_event_filter *filter);   /* NULL is fine */
/* To be asked for every lot, in order: dark frames change the limits. NULL: the frames are kept whole. Valid until the next
 * call. */
const struct ct_chunk_limits *ct_event_filter_of(struct ct_event_filter *filter, const struct ct_lot *lot);

#endif
