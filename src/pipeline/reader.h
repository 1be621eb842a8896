/* What the analysis, or the reconstruction, sees of a reader: all of it in one thread. Internal to pipeline. */
#ifndef PIPELINE_READER_H
#define PIPELINE_READER_H

#include <comptop/pipeline.h>

#include "lot.h"

/* The next lots, of frames received before <until_ns>, in the order in which they were: how many; they are lent until the
 * next call. 0: there are none before that time, or it has ended. */
size_t ct_reader_take(struct ct_reader *reader, int64_t until_ns, const struct ct_lot **lots);
bool ct_reader_has_ended(const struct ct_reader *reader);
/* What scalars that came before <until_ns> tell of triggers, in the order in which they came: false when there is no more. */
struct ct_reader_angle {
  int64_t arrival_ns;
  double trigger, angle_deg, key;      /* as ct_angles_tell wants them; NaN: has not been told */
};
bool ct_reader_angle(struct ct_reader *reader, int64_t until_ns, struct ct_reader_angle *out);
/* Of a histogram cube (.hxt), all it has, as photons in the middle of their bins; it has no frames. */
void ct_reader_pour(const struct ct_reader *reader, struct ct_spectra *spectra);

#endif
