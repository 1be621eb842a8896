/* Frames -> the scan: one row of each frame -> a slice that sharpens with every projection; and small copies of whole
 * projections for those who look at them. */
#include "camera.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* A projection waits so long for its angle. */
static const int64_t patience_ns = 5 * CT_NS_PER_S;

/* ---- frames --------------------------------------------------------------------------------------------------- */
static void close_scan(struct ct_camera *c)
{
  c->scans += c->scan ? ct_scan_state(c->scan).scans : 0;
  ct_axis_close(c->finder);
  ct_scan_close(c->scan);
  ct_preview_fini(&c->preview);
  ct_planes_close(c->planes);
  ct_phase_close(c->phase);
  ct_paganin_close(c->image_phase);
  free(c->image);
  c->planes = NULL;
  c->phase = NULL;
  c->image_phase = NULL;
  c->image = NULL;
  free(c->row);
  free(c->stripes);
  c->scan = NULL;
  c->finder = NULL;
  c->row = NULL;
  c->stripes = NULL;
}

static void open_planes(struct ct_camera *c)
{
  const struct ct_tomo_setup *slice = &c->setup.slice;
  const struct ct_planes_setup setup = { .rows = c->preview.rows, .cols = c->preview.cols, .factor = c->preview.factor,
    .size = slice->size, .rotation_deg = slice->rotation_deg, .axis_px = ct_camera_axis_px(c), .lean = ct_camera_lean(c),
    .pixel_um = c->setup.pixel_um, .window = slice->window, .rings = c->setup.rings != CT_RINGS_OFF, .slice_row = c->slice_row,
    .memory_bytes = c->setup.planes_bytes };
  if (setup.memory_bytes == 0 || ct_planes_open(&c->planes, &setup, NULL) != 0)
    c->planes = NULL;
}

/* Where there is no memory for it the phase stays in. */
static void open_phase(struct ct_camera *c)
{
  double factor = c->preview.factor, alpha_px2 = c->setup.phase_px2;
  if (!(alpha_px2 > 0))
    return;
  if (ct_phase_open(&c->phase, c->rows, c->cols, c->slice_row, alpha_px2, NULL) != 0)
    c->phase = NULL;
  if (c->planes && ct_paganin_open(&c->image_phase, c->preview.rows, c->preview.cols, alpha_px2 / (factor * factor), NULL) != 0)
    c->image_phase = NULL;
  c->image = ct_xcalloc((size_t)c->preview.rows * c->preview.cols, sizeof *c->image);
}

/* The camera has a shape, or another one. */
static void open_scan(struct ct_camera *c, const struct ct_frame *frame)
{
  close_scan(c);
  c->rows = frame->rows;
  c->cols = frame->cols;
  c->slice_row = c->setup.slice_row >= 0 ? (uint32_t)c->setup.slice_row : frame->rows / 2;
  ct_camera_forget(c);
  struct ct_tomo_setup slice = c->setup.slice;
  slice.cols = frame->cols;
  slice.axis_px = ct_camera_axis_px(c);
  if (c->slice_row >= frame->rows || ct_scan_open(&c->scan, &slice, NULL) != 0)
    return;
  if (ct_axis_open(&c->finder, frame->cols, NULL) != 0)
    c->finder = NULL;
  c->row = ct_xcalloc(frame->cols, sizeof *c->row);
  c->stripes = ct_xcalloc(frame->cols, sizeof *c->stripes);
  c->has_preview = ct_preview_init(&c->preview, frame->rows, frame->cols, NULL) == 0;
  if (c->has_preview)
    open_planes(c);
  if (c->has_preview)
    open_phase(c);
  size_t pixels = c->planes ? (size_t)c->preview.rows * c->preview.cols : 0;
  if (c->angles)
    c->unplaced += ct_angles_reshape(c->angles, frame->cols, pixels, c->setup.planes_bytes / 8);
}

static bool may_wait(const struct ct_camera *c, const struct ct_attributes *at)
{
  return c->angles != NULL && at->present & CT_HAS_TRIGGER;
}

/* As said by the frame, else by scalars of its trigger. */
static struct ct_told told_of(const struct ct_camera *c, const struct ct_attributes *at)
{
  struct ct_told told;
  if (!may_wait(c, at) || !ct_angles_find(c->angles, at->trigger, &told))
    told = (struct ct_told){ .angle_deg = (double)NAN, .key = -1 };
  if (at->present & CT_HAS_ANGLE)
    told.angle_deg = at->angle_deg;
  if (at->present & CT_HAS_KEY)
    told.key = at->image_key;
  return told;
}

/* As told, else counted from the first of the scan; NaN: nobody knows yet, or what it is of. */
static double angle_of(const struct ct_camera *c, const struct ct_frame *frame, uint32_t i, const struct ct_told *told)
{
  if (told->key < 0 && may_wait(c, &frame->attributes) && ct_angles_tell_keys(c->angles))
    return (double)NAN;
  if (isfinite(told->angle_deg))
    return told->angle_deg;
  return c->setup.angle_start_deg + c->setup.angle_step_deg * (double)(frame->number + i - c->first_number);
}

/* Whether the projection in c->row waits for its angle now. */
static bool hold(struct ct_camera *c, struct ct_waiting *projection, const struct ct_attributes *at)
{
  if (!may_wait(c, at))
    return false;
  projection->trigger = at->trigger;
  c->unplaced += ct_angles_hold(c->angles, projection);
  return true;
}

/* Behind darks, flats or a pause, when all of a turn was counted. */
static bool begins_to_count(const struct ct_camera *c, uint64_t number, bool paused)
{
  double step_deg = fabs(c->setup.angle_step_deg), counted_deg = step_deg * (double)(number - c->first_number);
  return (c->keyed || paused) && counted_deg > c->setup.slice.rotation_deg - step_deg / 2;
}

/* False: it says nothing. */
static bool place(struct ct_camera *c, const struct ct_waiting *projection, double angle_deg)
{
  uint64_t scans = ct_scan_state(c->scan).scans;
  bool usable = ct_scan_projection(c->scan, projection->row, angle_deg, projection->z_mm, projection->paused) == 0;
  c->unusable += !usable;
  if (c->planes && ct_scan_state(c->scan).scans != scans)
    ct_planes_restart(c->planes);
  c->placed++;
  c->cleaned = c->settled = false;
  c->last_angle_deg = angle_deg;
  return usable;
}

static const float *without_phase(struct ct_camera *c)
{
  const float *through = c->preview.through;
  if (c->image_phase == NULL)
    return through;
  memcpy(c->image, through, (size_t)c->preview.rows * c->preview.cols * sizeof *through);
  ct_paganin_run(c->image_phase, c->image);
  return c->image;
}

void ct_camera_correct(struct ct_camera *c, const float *change)
{
  if (c->planes == NULL || change == NULL)
    return;
  ct_planes_correct(c->planes, change);
  if (c->angles)
    ct_angles_forget_images(c->angles);
}

/* The whole frame, for those who look at it and for planes, which need fewer than the slice; one that <waits> for its angle is
 * kept for them. */
static void take_image(struct ct_camera *c, const struct ct_frame *frame, uint32_t i, double angle_deg, bool waits)
{
  int64_t every_ns = c->show_projections ? CT_NS_PER_S / 5 : CT_NS_PER_S;
  bool shown = c->preview.n == 0 || frame->arrival_ns - c->preview_ns > every_ns;
  bool kept = c->planes && isfinite(angle_deg) && ct_planes_takes(c->planes, angle_deg);
  waits &= c->planes != NULL;
  if (!shown && !kept && !waits) {
    ct_preview_pass(&c->preview);
    return;
  }
  const float *change = ct_preview_projection(&c->preview, frame, i, angle_deg);
  c->preview_ns = frame->arrival_ns;
  ct_camera_correct(c, change);
  if (kept)
    ct_planes_add(c->planes, without_phase(c), angle_deg);
  if (waits)
    ct_angles_hold_image(c->angles, without_phase(c));
}

static void count_saturated(struct ct_camera *c, uint32_t columns)
{
  c->saturated += columns > c->cols / 20;
}

static uint32_t count_at_least(const float *row, uint32_t cols, float most)
{
  uint32_t n = 0;
  for (uint32_t i = 0; i < cols; i++)
    n += row[i] >= most;
  return n;
}

static void take_projection(struct ct_camera *c, const struct ct_frame *frame, uint32_t i, const struct ct_told *told)
{
  bool paused = frame->arrival_ns - c->arrival_ns > CT_CAMERA_PAUSE_NS;
  if (ct_scan_state(c->scan).projections == 0 || begins_to_count(c, frame->number + i, paused))
    c->first_number = frame->number + i;
  c->keyed = false;
  double angle_deg = angle_of(c, frame, i, told);
  struct ct_waiting projection = { .arrival_ns = frame->arrival_ns, .paused = paused, .row = c->row,
    .angle_deg = told->angle_deg, .key = told->key,
    .z_mm = frame->attributes.present & CT_HAS_Z && isfinite(frame->attributes.z_mm) ? frame->attributes.z_mm : 0 };
  ct_frame_row(frame, i, c->slice_row, c->row);
  count_saturated(c, ct_scan_mark(c->scan, c->row, ct_type_most(frame->type)));
  if (c->phase)
    ct_phase_row(c->phase, frame, i, c->row);
  bool waits = !isfinite(angle_deg);
  if (!waits) {
    if (!place(c, &projection, angle_deg))
      angle_deg = (double)NAN;               /* what is in no slice is in no plane */
  } else if (!hold(c, &projection, &frame->attributes)) {
    c->unplaced++;
    return;
  }
  if (c->has_preview)
    take_image(c, frame, i, angle_deg, waits);
}

/* It is known now what the frame is. */
static void take_waiting(struct ct_camera *c, const struct ct_waiting *frame, const struct ct_told *told)
{
  double angle_deg = isfinite(frame->angle_deg) ? frame->angle_deg : told->angle_deg;
  int key = frame->key >= 0 ? frame->key : told->key;
  if (key == CT_KEY_FLAT)
    c->unusable += ct_scan_flat(c->scan, frame->row) != 0;
  else if (key == CT_KEY_DARK)
    ct_scan_dark(c->scan, frame->row);
  else if (key == CT_KEY_INVALID)
    return;
  else if (!isfinite(angle_deg))
    c->unplaced++;
  else if (place(c, frame, angle_deg) && frame->image && ct_planes_takes(c->planes, angle_deg))
    ct_planes_add(c->planes, frame->image, angle_deg);
}

void ct_camera_take_angles(struct ct_camera *c, int64_t now_ns)
{
  struct ct_waiting frame;
  struct ct_told told;
  if (c->angles == NULL)
    return;
  ct_angles_take(c->angles);
  while (c->scan && ct_angles_next(c->angles, &frame, &told))
    take_waiting(c, &frame, &told);
  c->unplaced += ct_angles_expire(c->angles, now_ns < INT64_MAX ? now_ns - patience_ns : INT64_MAX);
}

static void take_flat(struct ct_camera *c, const struct ct_frame *frame, uint32_t i)
{
  c->keyed = true;
  ct_frame_row(frame, i, c->slice_row, c->row);
  count_saturated(c, count_at_least(c->row, c->cols, ct_type_most(frame->type)));
  if (ct_scan_flat(c->scan, c->row) != 0) {
    c->unusable++;
    return;
  }
  if (c->has_preview)
    ct_preview_flat(&c->preview, frame, i);
  if (c->phase)
    ct_phase_flat(c->phase, frame, i);
}

static void take_frame(struct ct_camera *c, const struct ct_frame *frame, uint32_t i)
{
  const struct ct_told told = told_of(c, &frame->attributes);
  switch (told.key < 0 ? CT_KEY_PROJECTION : told.key) {
  case CT_KEY_PROJECTION:
    take_projection(c, frame, i, &told);
    break;
  case CT_KEY_FLAT:
    take_flat(c, frame, i);
    break;
  case CT_KEY_DARK:
    c->keyed = true;
    ct_frame_row(frame, i, c->slice_row, c->row);
    ct_scan_dark(c->scan, c->row);
    if (c->has_preview)
      ct_preview_dark(&c->preview, frame, i);
    if (c->phase)
      ct_phase_dark(c->phase, frame, i);
    break;
  default:
    break;                      /* marked invalid */
  }
}

void ct_camera_take(struct ct_camera *c, const struct ct_lot *lot)
{
  const struct ct_frame *frame = &lot->frame;
  if (lot->kind != CT_LOT_FRAMES || lot->suspect)
    return;
  if (frame->attributes.present & CT_HAS_MODE && frame->attributes.mode == CT_MODE_XCS)
    return;
  if (frame->rows != c->rows || frame->cols != c->cols)
    open_scan(c, frame);
  if (c->scan == NULL) {
    c->unusable += frame->count;
    return;
  }
  for (uint32_t i = 0; i < frame->count; i++) {
    take_frame(c, frame, i);
    c->arrival_ns = frame->arrival_ns;   /* a silence is before the first of a batch alone */
  }
  c->settled = false;
}

/* ---- planes ------------------------------------------------------------------------------------------------------ */
bool ct_camera_paint(struct ct_camera *c, bool quiet)
{
  static const int64_t short_ns = 2000000, long_ns = 20000000;
  int64_t now_ns = ct_time_mono_ns();
  if (c->planes == NULL || (!quiet && now_ns < c->paint_ns))
    return false;
  bool more = ct_planes_paint(c->planes, quiet ? long_ns : short_ns, !quiet);
  int64_t after_ns = ct_time_mono_ns();
  c->paint_ns = after_ns + 9 * (after_ns - now_ns);
  return more && quiet;
}

void ct_camera_finish(struct ct_camera *c, const struct ct_wants_table *wants)
{
  if (c->planes == NULL)
    return;
  ct_planes_want(c->planes, wants);
  while (ct_planes_paint(c->planes, CT_NS_PER_S, false))
    continue;
}

/* ---- opening and closing ------------------------------------------------------------------------------------------ */
int ct_camera_init(struct ct_camera *c, const struct ct_reconstruction_setup *setup, struct ct_err *err)
{
  c->setup = *setup;
  c->last_angle_deg = (double)NAN;
  c->slice = ct_xcalloc((size_t)setup->slice.size * setup->slice.size, sizeof *c->slice);
  return setup->join_angles ? ct_angles_open(&c->angles, err) : 0;
}

void ct_camera_fini(struct ct_camera *c)
{
  close_scan(c);
  ct_angles_close(c->angles);
  free(c->slice);
}
