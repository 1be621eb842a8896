/* The run so far, thinned as it grows. */
#include "history.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static void thin(struct history *h)
{
  for (uint32_t i = 0; i < HISTORY_POINTS / 2; i++)
    h->points[i] = h->points[2 * i];
  h->n = HISTORY_POINTS / 2;
  h->stride *= 2;
}

/* Scans may follow one another by the second: they shall not drive out what a person wrote. */
static void drop_mark(struct history *h)
{
  uint32_t drop = 0;
  while (drop < h->n_marks && h->marks[drop].kind != CT_MARK_SCAN)
    drop++;
  drop = drop < h->n_marks ? drop : 0;
  memmove(&h->marks[drop], &h->marks[drop + 1], (--h->n_marks - drop) * sizeof *h->marks);
}

static void add_mark(struct history *h, int64_t wall_ns, enum ct_mark kind, const char *fmt, ...) CT_PRINTF(4, 5);
static void add_mark(struct history *h, int64_t wall_ns, enum ct_mark kind, const char *fmt, ...)
{
  va_list args;
  if (h->n_marks == CT_SNAPSHOT_MARKS)
    drop_mark(h);
  struct ct_snapshot_mark *mark = &h->marks[h->n_marks++];
  *mark = (struct ct_snapshot_mark){ .t_s = (double)wall_ns / 1e9, .kind = kind };
  va_start(args, fmt);
  vsnprintf(mark->text, sizeof mark->text, fmt, args);
  va_end(args);
}

void history_mark(struct history *h, int64_t wall_ns, const char *text)
{
  add_mark(h, wall_ns, CT_MARK_TEXT, "%s", text);
}

/* The mode in which a run begins is no change; its first scan is a beginning. */
static void note_changes(struct history *h, const struct ct_snapshot_core *core)
{
  bool changed = h->mode[0] != '\0' && core->mode[0] != '\0' && strcmp(h->mode, core->mode) != 0;
  if (changed)
    add_mark(h, core->wall_ns, strcmp(core->mode, "xct") == 0 ? CT_MARK_XCT : CT_MARK_XCS, "%s", core->mode);
  if (core->mode[0] != '\0')
    memcpy(h->mode, core->mode, sizeof h->mode);
  if (core->xcs.scan > h->scan)
    add_mark(h, core->wall_ns, CT_MARK_SCAN, "scan %llu", (unsigned long long)core->xcs.scan);
  if (core->ct.scans > h->camera_scans)
    add_mark(h, core->wall_ns, CT_MARK_SCAN, "camera scan %llu", (unsigned long long)core->ct.scans);
  h->scan = core->xcs.scan;
  h->camera_scans = core->ct.scans;
}

void history_add(struct history *h, const struct ct_snapshot_core *core)
{
  note_changes(h, core);
  if (h->stride == 0)
    h->stride = 1;
  if (h->calls++ % h->stride != 0)
    return;
  if (h->n == HISTORY_POINTS)
    thin(h);
  struct history_point *point = &h->points[h->n++];
  *point = (struct history_point){ .t_s = (double)core->wall_ns / 1e9, .emf = core->xcs.emf.emf, .sigma = core->xcs.emf.sigma,
                                   .v_V = core->cell.v_V, .i_A = core->cell.i_A, .q_Ah = core->cell.q_Ah };
  for (uint32_t i = 0; i < CT_SNAPSHOT_ROIS; i++) {
    bool there = i < core->n_rois;
    point->roi_emf[i] = there ? (float)core->rois[i].emf.emf : NAN;
    point->roi_sigma[i] = there ? (float)core->rois[i].emf.sigma : NAN;
  }
}

void history_draw(const struct history *h, struct ct_snapshot_builder *builder, const struct ct_request *request)
{
  struct ct_trend_parts trend;
  bool roi = request->scope == CT_SCOPE_ROI;
  if (request->size == 0 || request->size > HISTORY_POINTS || (roi && (request->x < 0 || request->x >= CT_SNAPSHOT_ROIS)))
    return;
  uint32_t step = (h->n + request->size - 1) / request->size;
  uint32_t n = step ? (h->n + step - 1) / step : 0;
  if (!ct_snapshot_add_trend(builder, request, n, &trend))
    return;
  trend.head->interval_s = (double)(h->stride * (step ? step : 1));
  for (uint32_t i = 0; i < n; i++) {
    const struct history_point *point = &h->points[h->n - 1 - (n - 1 - i) * step];
    trend.t_s[i] = point->t_s;
    trend.emf[i] = roi ? (double)point->roi_emf[request->x] : point->emf;
    trend.sigma[i] = roi ? (double)point->roi_sigma[request->x] : point->sigma;
    trend.v_V[i] = point->v_V;
    trend.i_A[i] = point->i_A;
    trend.q_Ah[i] = point->q_Ah;
  }
}

void history_draw_marks(const struct history *h, struct ct_snapshot_builder *builder, const struct ct_request *request)
{
  struct ct_marks_parts parts;
  if (ct_snapshot_add_marks(builder, request, h->n_marks, &parts))
    memcpy(parts.marks, h->marks, h->n_marks * sizeof *h->marks);
}
