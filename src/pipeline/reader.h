/* What the analysis thread sees of a reader. Internal to pipeline. */
#ifndef PIPELINE_READER_H
#define PIPELINE_READER_H

#include <comptop/pipeline.h>

#include "lot.h"

/* The next lots, of frames received before <until_ns>, in the order in which they were: how many; they are lent until the
 * next call. 0: there are none before that time, or it has ended. */
size_t ct_reader_take(struct ct_reader *reader, int64_t until_ns, const struct ct_lot **lots);
/* Of a histogram cube (.hxt), all it has, as photons in the middle of their bins; it has no frames. */
void ct_reader_pour(const struct ct_reader *reader, struct ct_spectra *spectra);

#endif
