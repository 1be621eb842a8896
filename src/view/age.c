/* age: how long ago what is shown was new. */
#include "view/panels.h"

/* The detector sends thousands of frames a second, the others now and then: their streams are stale after as long. */
static const double detector_stale_s = 2, slow_stale_s = 10;

/* The freshest of the streams of <role>; 0 where there is none, or it never brought anything. */
static double silent_s(const struct ct_snapshot_core *core, enum ct_role role)
{
  double least_s = -1;
  for (uint32_t i = 0; i < core->n_streams && i < CT_SNAPSHOT_STREAMS; i++) {
    double s = core->streams[i].silent_s;
    if (core->streams[i].role == role && s >= 0 && (least_s < 0 || s < least_s))
      least_s = s;
  }
  return least_s < 0 ? 0 : least_s;
}

double ct_age_detector(const struct ct_snapshot_core *core)
{
  double age_s = core->xcs.present ? silent_s(core, CT_ROLE_HEXITEC) : 0;
  return age_s > detector_stale_s ? age_s : 0;
}

double ct_age_cell(const struct ct_snapshot_core *core)
{
  return core->cell.present && core->cell.age_s > slow_stale_s ? core->cell.age_s : 0;
}

double ct_age_camera(const struct ct_snapshot_core *core)
{
  double age_s = core->ct.present ? silent_s(core, CT_ROLE_CAMERA) : 0;
  return age_s > slow_stale_s ? age_s : 0;
}
