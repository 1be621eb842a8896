/* The numbers of a sample as one row of a table: a compound data set with a field for each, named as in a line of -o tsv. */
#ifndef ARCHIVE_SAMPLES_H
#define ARCHIVE_SAMPLES_H

#include "archive/grow.h"

struct ct_samples {
  struct ct_grow rows;
  hid_t type;
};
int ct_samples_create(struct ct_samples *samples, hid_t entry, const struct ct_run_setup *setup) CT_MUST_CHECK;
int ct_samples_append(struct ct_samples *samples, const struct ct_run_setup *setup,
                      const struct ct_snapshot_core *core) CT_MUST_CHECK;
void ct_samples_close(struct ct_samples *samples);

#endif
