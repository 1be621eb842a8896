/* What the trend is drawn from: totals of the whole run at growing intervals. Internal to monitor.
 * Ownership: plain memory of the owner's. */
#ifndef MONITOR_HISTORY_H
#define MONITOR_HISTORY_H

#include <comptop/snapshot.h>

enum { HISTORY_POINTS = 4096 };

struct history_point {
  double t_s, emf, sigma, v_V, i_A, q_Ah;
  float roi_emf[CT_SNAPSHOT_ROIS], roi_sigma[CT_SNAPSHOT_ROIS];
};
/* Every point stands for <stride> calls of history_add; when the table is full every second one goes and the stride
 * doubles, so that it always spans the run. */
struct history {
  struct history_point points[HISTORY_POINTS];
  uint32_t n, stride, calls;
};

/* Once a second, with the snapshot of the moment. */
void history_add(struct history *history, const struct ct_snapshot_core *core);
/* Adds the section for a trend request: at most request->size points, evenly over the run, ending with the latest. */
void history_draw(const struct history *history, struct ct_snapshot_builder *builder, const struct ct_request *request);

#endif
