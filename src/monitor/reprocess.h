/* --from in batch: a whole archived run through the analysis, as fast as it goes. Internal to monitor. */
#ifndef MONITOR_REPROCESS_H
#define MONITOR_REPROCESS_H

#include <stdio.h>

#include <comptop/core.h>

/* Samples to <out> (NULL: none) at intervals of recorded time and at the end, results beside those of the run. 0, or an
 * error with its message. */
int reprocess_run(struct ct_settings *settings, FILE *out, struct ct_err *err);

#endif
