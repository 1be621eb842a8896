/* Alarms about the measurement itself: what changes in it, and whether the instrument explains that. */
#include "alarms.h"

#include <math.h>
#include <stdio.h>

static void raise_drift(struct alarms *alarms, int64_t now_ns, const char *name, const struct ct_emf *run,
                        const struct ct_change *change)
{
  char trend[64] = "";
  if (!change->alarm)
    return;
  if (isfinite(change->per_h) && run->emf > 0)
    snprintf(trend, sizeof trend, ", trend %+.2f +- %.2f %%/h", 100 * change->per_h / run->emf,
             100 * change->sigma_per_h / run->emf);
  alarms_raise(alarms, now_ns, "emf-drift", name, CT_WARNING, "%.32s: EMF is %s than before (CUSUM %.1f%s)", name,
               change->up > change->down ? "higher" : "lower", fmax(change->up, change->down), trend);
}

void alarms_change(struct alarms *alarms, const struct ct_snapshot_core *core)
{
  const struct ct_snapshot_drift *drift = &core->drift;
  int64_t now_ns = core->wall_ns;
  raise_drift(alarms, now_ns, "all pixels", &core->xcs.run, &core->xcs.change);
  for (uint32_t i = 0; i < core->n_rois; i++)
    raise_drift(alarms, now_ns, core->rois[i].name, &core->rois[i].run, &core->rois[i].change);
  if (drift->alarm)
    alarms_raise(alarms, now_ns, "emf-drift-map", "", CT_WARNING,
                 "EMF changes in %u of %u cells of the map, most at column %d, row %d (%.1f errors; the limit is %.1f)",
                 drift->beyond, drift->cells, drift->x, drift->y, drift->z_max, drift->z_limit);
}
