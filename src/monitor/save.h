/* save: the slice of a snapshot into files of the current folder. Internal to monitor.
 * Ownership: borrows the snapshot for the call. */
#ifndef MONITOR_SAVE_H
#define MONITOR_SAVE_H

#include <stdbool.h>

#include <comptop/snapshot.h>

/* The section to ask for: the whole slice. */
struct ct_request save_request(void);
/* Writes NAME.tif and NAME.png, NAME comptop-RUN-slice-TIME in UTC, and says in <said> which, or why not; false: the snapshot
 * has no such section (yet), and nothing was said. */
bool save_slice(const struct ct_snapshot *snapshot, char *said, size_t bytes);

#endif
