/* save: what a viewer sees into files. Internal to monitor.
 * Ownership: everything is borrowed for the call. */
#ifndef MONITOR_SAVE_H
#define MONITOR_SAVE_H

#include <stdbool.h>

#include <comptop/snapshot.h>
#include <comptop/view.h>

struct save {
  const struct ct_view *view;
  const struct ct_snapshot *snapshot;
  int rows, cols;              /* of the screen */
  const char *folder;          /* "": the current one */
};

/* The sections to ask for: what the view shows on a screen not smaller than 24 x 80, the whole slice in tomography, and the
 * settings of the run. */
enum { SAVE_REQUESTS = CT_VIEW_REQUESTS + 2 };
size_t save_requests(const struct ct_view *view, int rows, int cols, struct ct_request out[SAVE_REQUESTS]);
/* Writes NAME.tsv, .json, .ansi and .png, and of the camera's pictures .tif; NAME is comptop-RUN-VIEW-TIME in UTC, and never
 * that of a file that is there. Says in <said> which, or why not. */
void save_view(const struct save *save, char *said, size_t bytes);

#endif
