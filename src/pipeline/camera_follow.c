/* What a scan says of itself while it grows: axis, tilt and rings, and the slice anew where they change. */
#include "camera.h"

#include <math.h>
#include <string.h>

static const int64_t axis_every_ns = CT_NS_PER_S / 2;
/* An axis that moves by less changes nothing one could see. */
static const double axis_step_px = 0.1;
/* Nor does one that is as well known as this. */
static const double good_axis_px = 0.05;
static const struct ct_tomo_tilt no_tilt = { .tilt_deg = NAN, .sigma_deg = NAN };

/* ---- the axis --------------------------------------------------------------------------------------------------- */
double ct_camera_axis_px(const struct ct_camera *c)
{
  double axis_px = isfinite(c->setup.axis_px) ? c->setup.axis_px :
                   c->axis.method != CT_AXIS_NONE ? c->axis.axis_px : (c->cols - 1) / 2.0;
  axis_px += c->nudge_px;
  return fmin(fmax(axis_px, 0), c->cols - 1.0);
}

double ct_camera_lean(const struct ct_camera *c)
{
  bool sure = fabs(c->tilt.tilt_deg) > 4 * c->tilt.sigma_deg;
  return sure ? fmin(fmax(tan(c->tilt.tilt_deg * M_PI / 180), -0.1), 0.1) : 0;
}

/* What a row shows of a sample that is not upright may have no axis, or another one: the others outvote it. */
static struct ct_tomo_axis outvoted(const struct ct_camera *c, struct ct_tomo_axis found)
{
  struct ct_tomo_axis voted = ct_axis_at_row(&c->tilt, c->slice_row);
  bool old = c->tilt_scan != ct_scan_state(c->scan).scans;
  bool inside = voted.axis_px >= 0 && voted.axis_px <= c->cols - 1.0;
  if (old || voted.method == CT_AXIS_NONE || !inside)
    return found;
  double off_px = fabs(voted.axis_px - found.axis_px), alike_px = fmax(4 * hypot(voted.sigma_px, found.sigma_px), 1);
  return found.method == CT_AXIS_NONE || off_px > alike_px ? voted : found;
}

/* Where the slice's row alone is not sure enough, others are asked as well; if they say something else it is theirs. */
static struct ct_tomo_axis joined(struct ct_camera *c, struct ct_tomo_axis found)
{
  struct ct_tomo_axis rows;
  bool sure = c->setup.slice.rotation_deg == 360 && found.method == CT_AXIS_PAIRS && found.sigma_px < good_axis_px;
  if (sure || c->planes == NULL || ct_planes_find_axis(c->planes, &rows) != 0)
    return found;
  bool other = !(fabs(rows.axis_px - found.axis_px) < 4 * hypot(rows.sigma_px, found.sigma_px));
  return other || rows.sigma_px < found.sigma_px ? rows : found;
}

static void find_axis(struct ct_camera *c)
{
  struct ct_tomo_axis found;
  if (c->finder == NULL || isfinite(c->setup.axis_px))
    return;
  c->axis_placed = c->placed;
  ct_axis_find(c->finder, ct_scan_tomo(c->scan), &found);
  found = outvoted(c, joined(c, found));
  if (found.method != CT_AXIS_NONE)
    c->axis = found;
}

/* Twice a second; of many projections, which take their time, when there are an eighth more, or no more come. */
static void find_axis_now_and_then(struct ct_camera *c, int64_t now_ns)
{
  const bool soon = now_ns >= c->axis_ns && now_ns - c->axis_ns < axis_every_ns;   /* the clock may be set back */
  uint64_t more = c->placed - c->axis_placed;
  bool due = 8 * more >= ct_scan_state(c->scan).projections || now_ns - c->arrival_ns > CT_NS_PER_S;
  if (soon || more == 0 || !due)
    return;
  c->axis_ns = now_ns;
  find_axis(c);
}

static void find_tilt(struct ct_camera *c)
{
  struct ct_tomo_tilt found;
  c->tilt_placed = c->placed;
  if (c->planes == NULL || ct_planes_tilt(c->planes, &found) != 0)
    return;
  c->tilt = found;
  c->tilt_scan = ct_scan_state(c->scan).scans;
  find_axis(c);
}

/* Whether no more come: a scan that is not whole may only be slow. */
static bool has_ended(const struct ct_camera *c, int64_t now_ns)
{
  bool whole = ct_tomo_state(ct_scan_tomo(c->scan)).covered_deg > 0.98 * c->setup.slice.rotation_deg;
  return now_ns - c->arrival_ns > (whole ? CT_NS_PER_S : CT_CAMERA_PAUSE_NS);
}

/* It takes longer than between two frames: whenever the scan has twice as many projections, or a turn that goes on is another,
 * from where rows can tell an axis; after a quarter of a turn; and when no more come. */
static void follow_tilt(struct ct_camera *c, int64_t now_ns)
{
  uint64_t more = c->placed - c->tilt_placed;
  double covered_deg = ct_tomo_state(ct_scan_tomo(c->scan)).covered_deg;
  int quarter = (int)(covered_deg / 90 + 0.05);
  bool ended = more > 0 && has_ended(c, now_ns);
  bool turned = quarter != c->tilt_quarter, doubled = 2 * more >= ct_scan_state(c->scan).projections && covered_deg > 45;
  if (!ended && (more < 16 || (!turned && !doubled)))
    return;
  c->tilt_quarter = quarter;
  find_tilt(c);
}

/* ---- rings ------------------------------------------------------------------------------------------------------- */
static uint32_t count_columns(const float *stripes, uint32_t cols)
{
  uint32_t n = 0;
  for (uint32_t i = 0; i < cols; i++)
    n += stripes[i] > 0 || stripes[i] < 0;
  return n;
}

/* About the axis at <axis_px>; NaN: nobody knows it. True: the slice has to be reconstructed anew. */
static bool estimate_rings(struct ct_camera *c, double axis_px)
{
  struct ct_scan_state state = ct_scan_state(c->scan);
  c->ring_placed = c->placed;
  c->ring_means = state.darks + state.flats;
  if (ct_ring_estimate(ct_scan_tomo(c->scan), axis_px, c->stripes) != 0)
    memset(c->stripes, 0, c->cols * sizeof *c->stripes);
  c->ring_columns = count_columns(c->stripes, c->cols);
  return ct_tomo_ring(ct_scan_tomo(c->scan), c->ring_columns > 0 ? c->stripes : NULL);
}

static double known_axis_px(const struct ct_camera *c)
{
  bool known = isfinite(c->setup.axis_px) || c->axis.method != CT_AXIS_NONE || fabs(c->nudge_px) > 0;
  return known ? ct_camera_axis_px(c) : (double)NAN;
}

/* A slice about another axis is another slice: what is kept is reconstructed anew. What a wall about the axis is, and no ring,
 * depends on where that is. */
static void move_axis(struct ct_camera *c, double least_px)
{
  struct ct_tomo_setup slice = *ct_tomo_setup(ct_scan_tomo(c->scan));
  double axis_px = ct_camera_axis_px(c);
  if (c->planes)
    ct_planes_axis(c->planes, axis_px, ct_camera_lean(c));
  if (!(fabs(axis_px - slice.axis_px) > least_px))
    return;
  bool stale = c->setup.rings != CT_RINGS_OFF && !c->cleaned && estimate_rings(c, known_axis_px(c));
  slice.axis_px = axis_px;
  if (ct_scan_change(c->scan, &slice, NULL) == 0)
    return;
  c->axis.method = CT_AXIS_NONE;
  if (stale)
    ct_tomo_rebuild(ct_scan_tomo(c->scan));
}

static void clean(struct ct_camera *c)
{
  c->clean_placed = c->placed;
  c->cleaned = ct_scan_clean(c->scan) == 0;
}

/* Anew with every quarter more of projections, so that a scan costs a few times and not always; when other darks or flats
 * are in use, or another axis; and once when no more come. What is cleaned has none. */
static void follow_rings(struct ct_camera *c, int64_t now_ns)
{
  struct ct_scan_state state = ct_scan_state(c->scan);
  uint64_t more = c->placed - c->ring_placed;
  bool quiet = more > 0 && now_ns - c->arrival_ns > CT_NS_PER_S;
  bool other = state.darks + state.flats != c->ring_means;
  bool due = quiet || other || (more >= 16 && more >= state.projections / 5);
  if (!c->cleaned && due && estimate_rings(c, known_axis_px(c)))
    ct_tomo_rebuild(ct_scan_tomo(c->scan));
  if (c->setup.rings == CT_RINGS_FULL && c->clean_placed != c->placed && has_ended(c, now_ns))
    clean(c);
}

/* ---- all of it --------------------------------------------------------------------------------------------------- */
void ct_camera_forget(struct ct_camera *c)
{
  c->axis = (struct ct_tomo_axis){ .axis_px = (double)NAN, .sigma_px = (double)NAN };
  c->axis_placed = c->placed;
  c->tilt = no_tilt;
  c->ring_placed = c->clean_placed = c->placed;
  c->ring_columns = 0;
}

/* Darks and flats behind the last projection make another slice of what is kept. */
static void refresh(struct ct_camera *c)
{
  ct_scan_refresh(c->scan);
  c->cleaned = false;
  ct_camera_correct(c, c->has_preview ? ct_preview_refresh(&c->preview) : NULL);
}

static void follow_means(struct ct_camera *c, int64_t now_ns)
{
  if (!ct_scan_state(c->scan).behind || now_ns - c->arrival_ns < CT_NS_PER_S)
    return;
  refresh(c);
  c->clean_placed = UINT64_MAX;
  find_axis(c);
  c->ring_means = UINT32_MAX;
}

void ct_camera_follow(struct ct_camera *c, int64_t now_ns)
{
  if (c->scan == NULL)
    return;
  follow_means(c, now_ns);
  find_axis_now_and_then(c, now_ns);
  follow_tilt(c, now_ns);
  move_axis(c, axis_step_px);
  if (c->setup.rings != CT_RINGS_OFF)
    follow_rings(c, now_ns);
}

void ct_camera_settle(struct ct_camera *c)
{
  if (c->settled || c->scan == NULL || ct_scan_state(c->scan).projections == 0)
    return;
  c->settled = true;
  refresh(c);
  /* The axis is looked for in corrected rows, wherever it was thought to be on the way here. */
  if (c->setup.rings != CT_RINGS_OFF)
    estimate_rings(c, (double)NAN);
  c->tilt = no_tilt;
  find_axis(c);
  find_tilt(c);
  move_axis(c, 0);
  if (c->setup.rings != CT_RINGS_OFF)
    estimate_rings(c, known_axis_px(c));
  ct_tomo_rebuild(ct_scan_tomo(c->scan));
  if (c->setup.rings == CT_RINGS_FULL)
    clean(c);
}
