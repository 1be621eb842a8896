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
  struct ct_snapshot_mark marks[CT_SNAPSHOT_MARKS];   /* oldest first; full, the oldest scan gives way */
  uint32_t n_marks;
  uint64_t scan, camera_scans;         /* as of the last call */
  char mode[8];
};

/* Once a second, with the snapshot of the moment: scans that have begun since, and changes of mode, become marks. */
void history_add(struct history *history, const struct ct_snapshot_core *core);
/* Adds the section for a trend request: at most request->size points, evenly over the run, ending with the latest. */
void history_draw(const struct history *history, struct ct_snapshot_builder *builder, const struct ct_request *request);
/* Somebody's words of that moment. */
void history_mark(struct history *history, int64_t wall_ns, const char *text);
/* Adds the section for a request of marks. */
void history_draw_marks(const struct history *history, struct ct_snapshot_builder *builder, const struct ct_request *request);

#endif
