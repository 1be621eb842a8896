/* The run so far, thinned as it grows. */
#include "history.h"

#include <math.h>

static void thin(struct history *h)
{
  for (uint32_t i = 0; i < HISTORY_POINTS / 2; i++)
    h->points[i] = h->points[2 * i];
  h->n = HISTORY_POINTS / 2;
  h->stride *= 2;
}

void history_add(struct history *h, const struct ct_snapshot_core *core)
{
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
