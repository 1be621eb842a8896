/* The reconstruction thread: the ring of a camera -> one row of each frame -> a slice that sharpens with every projection;
 * and small copies of whole projections for those who look at them. It draws what is wanted into a partial snapshot,
 * published whole on its board. */
#include <comptop/pipeline.h>

#include <math.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "angles.h"
#include "lot.h"
#include "preview.h"
#include "receive.h"
#include "slice_out.h"

enum { BATCH_SLOTS = 16 };
static const long nap_ns = 5000000;
/* A silence after which something already seen is a new scan. */
static const int64_t pause_ns = 5 * CT_NS_PER_S;
/* A projection waits so long for its angle. */
static const int64_t patience_ns = 5 * CT_NS_PER_S;
static const int64_t axis_every_ns = CT_NS_PER_S / 2;
/* An axis that moves by less changes nothing one could see. */
static const double axis_step_px = 0.1;

struct block {
  uint64_t ticket;
  struct ct_snapshot snapshot;
};

struct ct_reconstruction {
  struct ct_reconstruction_setup setup;
  struct ct_ring *ring;
  unsigned consumer;
  struct ct_wants *wants;
  struct ct_board *board;

  struct ct_scan *scan;         /* NULL before the first frame, and where there is no memory for its shape */
  struct ct_axis_finder *finder;
  struct ct_tomo_axis axis;
  int64_t axis_ns;              /* when it was last looked for, monotonic */
  uint32_t axis_n;              /* projections then */
  float *stripes;                  /* [cols], what is subtracted from every row */
  uint64_t placed, ring_placed; /* projections placed since start; when rings were last looked for */
  uint32_t ring_means;          /* darks and flats then */
  struct ct_angles *angles;     /* that come with scalars; NULL: none do */
  struct ct_slice_out *out;     /* NULL: the slice is published nowhere */
  struct ct_preview preview;
  bool show_projections;        /* somebody looks at them */
  uint32_t rows, cols, slice_row;
  float *row, *slice;
  double last_angle_deg;
  int64_t arrival_ns, preview_ns;   /* of the latest frame; of the latest that was averaged down */
  uint64_t first_number;        /* of the scan, where angles are counted */
  uint64_t unplaced, unusable;
  uint64_t published;           /* ticket of the latest picture */

  uint64_t asked;               /* the monitor's */
  _Atomic uint64_t ticket;      /* release by ask, acquire by the thread: relaxed would do, nothing hangs on it */
  _Atomic double nudge_px;      /* what keys have moved the axis by; relaxed: it stands alone */
  _Atomic bool stop;            /* release by stop, acquire by the thread: the receiver's last commits came before */
  pthread_t thread;
  bool running;
};

/* ---- frames --------------------------------------------------------------------------------------------------- */
static double wanted_axis_px(const struct ct_reconstruction *r)
{
  double axis_px = isfinite(r->setup.axis_px) ? r->setup.axis_px :
                   r->axis.method != CT_AXIS_NONE ? r->axis.axis_px : (r->cols - 1) / 2.0;
  axis_px += atomic_load_explicit(&r->nudge_px, memory_order_relaxed);
  return fmin(fmax(axis_px, 0), r->cols - 1.0);
}

static void close_scan(struct ct_reconstruction *r)
{
  ct_axis_close(r->finder);
  ct_scan_close(r->scan);
  ct_preview_fini(&r->preview);
  free(r->row);
  free(r->stripes);
  r->scan = NULL;
  r->finder = NULL;
  r->row = NULL;
  r->stripes = NULL;
}

/* The camera has a shape, or another one. */
static void open_scan(struct ct_reconstruction *r, const struct ct_frame *frame)
{
  close_scan(r);
  r->rows = frame->rows;
  r->cols = frame->cols;
  r->slice_row = r->setup.slice_row >= 0 ? (uint32_t)r->setup.slice_row : frame->rows / 2;
  r->axis = (struct ct_tomo_axis){ .axis_px = (double)NAN, .sigma_px = (double)NAN };
  r->axis_n = 0;
  struct ct_tomo_setup slice = r->setup.slice;
  slice.cols = frame->cols;
  slice.axis_px = wanted_axis_px(r);
  if (r->slice_row >= frame->rows || ct_scan_open(&r->scan, &slice, NULL) != 0)
    return;
  if (ct_axis_open(&r->finder, frame->cols, NULL) != 0)
    r->finder = NULL;
  r->row = ct_xcalloc(frame->cols, sizeof *r->row);
  r->stripes = ct_xcalloc(frame->cols, sizeof *r->stripes);
  r->ring_placed = r->placed;
  if (r->angles)
    r->unplaced += ct_angles_reshape(r->angles, frame->cols);
  ct_preview_init(&r->preview, frame->rows, frame->cols);
}

static int key_of(const struct ct_attributes *at)
{
  return at->present & CT_HAS_KEY ? at->image_key : CT_KEY_PROJECTION;
}

/* Whether the projection in r->row waits for its angle now. */
static bool hold(struct ct_reconstruction *r, struct ct_waiting *projection, const struct ct_attributes *at)
{
  if (r->angles == NULL || !(at->present & CT_HAS_TRIGGER))
    return false;
  projection->trigger = at->trigger;
  r->unplaced += ct_angles_hold(r->angles, projection);
  return true;
}

/* As said by the frame, else by a scalar of its trigger, else counted from the first of the scan; NaN: nobody knows yet. */
static double angle_of(const struct ct_reconstruction *r, const struct ct_frame *frame, uint32_t i)
{
  const struct ct_attributes *at = &frame->attributes;
  double angle_deg;
  if (at->present & CT_HAS_ANGLE)
    return at->angle_deg;
  if (r->angles && at->present & CT_HAS_TRIGGER && ct_angles_find(r->angles, at->trigger, &angle_deg))
    return angle_deg;
  return r->setup.angle_start_deg + r->setup.angle_step_deg * (double)(frame->number + i - r->first_number);
}

static void place(struct ct_reconstruction *r, const struct ct_waiting *projection, double angle_deg)
{
  if (ct_scan_projection(r->scan, projection->row, angle_deg, projection->z_mm, projection->paused) != 0)
    r->unusable++;
  r->placed++;
  r->last_angle_deg = angle_deg;
}

static void take_projection(struct ct_reconstruction *r, const struct ct_frame *frame, uint32_t i)
{
  if (ct_scan_state(r->scan).projections == 0)
    r->first_number = frame->number + i;
  double angle_deg = angle_of(r, frame, i);
  struct ct_waiting projection = { .arrival_ns = frame->arrival_ns, .paused = frame->arrival_ns - r->arrival_ns > pause_ns, .row = r->row,
    .z_mm = frame->attributes.present & CT_HAS_Z && isfinite(frame->attributes.z_mm) ? frame->attributes.z_mm : 0 };
  ct_frame_row(frame, i, r->slice_row, r->row);
  if (isfinite(angle_deg)) {
    place(r, &projection, angle_deg);
  } else if (!hold(r, &projection, &frame->attributes)) {
    r->unplaced++;
    return;
  }
  ct_preview_close_means(&r->preview);
  int64_t every_ns = r->show_projections ? CT_NS_PER_S / 5 : CT_NS_PER_S;
  if (r->preview.n == 0 || frame->arrival_ns - r->preview_ns > every_ns) {
    ct_preview_projection(&r->preview, frame, i, angle_deg);
    r->preview_ns = frame->arrival_ns;
  }
}

/* Places those whose angle has come, and gives up those that have waited for too long. */
static void take_angles(struct ct_reconstruction *r)
{
  struct ct_waiting projection;
  double angle_deg;
  if (r->angles == NULL)
    return;
  ct_angles_take(r->angles);
  while (r->scan && ct_angles_next(r->angles, &projection, &angle_deg))
    place(r, &projection, angle_deg);
  r->unplaced += ct_angles_expire(r->angles, ct_time_wall_ns() - patience_ns);
}

static void take_frame(struct ct_reconstruction *r, const struct ct_frame *frame, uint32_t i)
{
  switch (key_of(&frame->attributes)) {
  case CT_KEY_PROJECTION:
    take_projection(r, frame, i);
    break;
  case CT_KEY_FLAT:
    ct_frame_row(frame, i, r->slice_row, r->row);
    ct_scan_flat(r->scan, r->row);
    ct_preview_flat(&r->preview, frame, i);
    break;
  case CT_KEY_DARK:
    ct_frame_row(frame, i, r->slice_row, r->row);
    ct_scan_dark(r->scan, r->row);
    ct_preview_dark(&r->preview, frame, i);
    break;
  default:
    break;                      /* marked invalid */
  }
}

static void take_lot(struct ct_reconstruction *r, const struct ct_lot *lot)
{
  const struct ct_frame *frame = &lot->frame;
  if (lot->kind != CT_LOT_FRAMES || lot->suspect)
    return;
  if (frame->attributes.present & CT_HAS_MODE && frame->attributes.mode == CT_MODE_XCS)
    return;
  if (frame->rows != r->rows || frame->cols != r->cols)
    open_scan(r, frame);
  if (r->scan == NULL) {
    r->unusable += frame->count;
    return;
  }
  for (uint32_t i = 0; i < frame->count; i++)
    take_frame(r, frame, i);
  r->arrival_ns = frame->arrival_ns;
}

static bool take_batch(struct ct_reconstruction *r)
{
  struct ct_ring_batch batch;
  if (ct_ring_peek(r->ring, r->consumer, BATCH_SLOTS, &batch) == 0)
    return false;
  const struct ct_lot *lots = batch.slots;
  for (size_t i = 0; i < batch.n; i++) {
    take_lot(r, &lots[i]);
    ct_ring_release(r->ring, r->consumer, 1);
  }
  return true;
}

/* ---- the axis --------------------------------------------------------------------------------------------------- */
static void find_axis(struct ct_reconstruction *r)
{
  int64_t now_ns = ct_time_mono_ns();
  uint32_t n = ct_scan_state(r->scan).projections;
  if (r->finder == NULL || n == r->axis_n || now_ns - r->axis_ns < axis_every_ns)
    return;
  r->axis_ns = now_ns;
  r->axis_n = n;
  struct ct_tomo_axis found;
  if (ct_axis_find(r->finder, ct_scan_tomo(r->scan), &found) == 0)
    r->axis = found;
}

/* A slice about another axis is another slice: what is kept is reconstructed anew. */
static void follow_axis(struct ct_reconstruction *r)
{
  if (r->scan == NULL)
    return;
  if (!isfinite(r->setup.axis_px))
    find_axis(r);
  struct ct_tomo_setup slice = *ct_tomo_setup(ct_scan_tomo(r->scan));
  double axis_px = wanted_axis_px(r);
  if (fabs(axis_px - slice.axis_px) < axis_step_px)
    return;
  slice.axis_px = axis_px;
  if (ct_scan_change(r->scan, &slice, NULL) != 0)
    r->axis.method = CT_AXIS_NONE;
}

/* ---- rings ------------------------------------------------------------------------------------------------------- */
static bool any(const float *ring, uint32_t cols)
{
  for (uint32_t c = 0; c < cols; c++)
    if (ring[c] > 0 || ring[c] < 0)
      return true;
  return false;
}

/* Anew with every quarter more of projections, so that a scan costs a few times and not always; when other darks or flats
 * are in use; and once when no more come. */
static void follow_rings(struct ct_reconstruction *r)
{
  if (r->scan == NULL || !r->setup.rings)
    return;
  struct ct_scan_state state = ct_scan_state(r->scan);
  uint64_t more = r->placed - r->ring_placed;
  bool quiet = more > 0 && ct_time_wall_ns() - r->arrival_ns > CT_NS_PER_S;
  bool other = state.darks + state.flats != r->ring_means;
  if (!quiet && !other && (more < 16 || more < state.projections / 5))
    return;
  r->ring_placed = r->placed;
  r->ring_means = state.darks + state.flats;
  bool before = any(r->stripes, r->cols);
  if (ct_ring_estimate(ct_scan_tomo(r->scan), r->stripes) != 0)
    memset(r->stripes, 0, r->cols * sizeof *r->stripes);
  bool now = any(r->stripes, r->cols);
  if (now || before)
    ct_tomo_ring(ct_scan_tomo(r->scan), now ? r->stripes : NULL);
}

/* ---- the picture ------------------------------------------------------------------------------------------------ */
static void draw_core(const struct ct_reconstruction *r, struct ct_snapshot_ct *ct)
{
  ct->present = true;
  ct->angle_deg = r->last_angle_deg;
  ct->axis_px = ct->axis_sigma_px = ct->covered_deg = (double)NAN;
  ct->rotation_deg = r->setup.slice.rotation_deg;
  ct->rows = r->rows;
  ct->cols = r->cols;
  ct->unplaced = r->unplaced;
  ct->unusable = r->unusable;
  if (r->scan == NULL)
    return;
  struct ct_scan_state state = ct_scan_state(r->scan);
  bool fixed = isfinite(r->setup.axis_px), found = r->axis.method != CT_AXIS_NONE;
  bool moved = fabs(atomic_load_explicit(&r->nudge_px, memory_order_relaxed)) > 1e-9;
  ct->slice_row = r->slice_row;
  ct->slice_size = r->setup.slice.size;
  ct->in_slice = state.projections;
  ct->flats = state.flats;
  ct->darks = state.darks;
  ct->scans = state.scans;
  ct->covered_deg = state.projections ? ct_tomo_state(ct_scan_tomo(r->scan)).covered_deg : 0;
  ct->axis_px = wanted_axis_px(r);
  ct->axis_sigma_px = fixed || moved || !found ? (double)NAN : r->axis.sigma_px;
  snprintf(ct->axis_method, sizeof ct->axis_method, "%s", moved ? "moved" : fixed ? "fixed" : found ? ct_axis_method_word(r->axis.method) : "middle");
}

static double slice_pixel_um(const struct ct_reconstruction *r, uint32_t size)
{
  return r->setup.pixel_um * ct_tomo_state(ct_scan_tomo(r->scan)).fov_px / size;
}

static void draw_slice(struct ct_reconstruction *r, struct ct_snapshot_builder *builder, const struct ct_request *request)
{
  uint32_t whole = r->setup.slice.size, size = request->size == 0 || request->size > whole ? whole : request->size;
  struct ct_slice_parts out;
  if (!ct_snapshot_add_slice(builder, request, size, &out))
    return;
  out.head->projections = ct_scan_state(r->scan).projections;
  out.head->pixel_um = slice_pixel_um(r, size);
  ct_tomo_slice(ct_scan_tomo(r->scan), size == whole ? out.values : r->slice);
  if (size != whole)
    ct_preview_shrink(r->slice, whole, whole, out.values, size, size);
}

static void draw_projection(const struct ct_reconstruction *r, struct ct_snapshot_builder *builder, const struct ct_request *request)
{
  const struct ct_preview *preview = &r->preview;
  struct ct_image_parts out;
  if (preview->n == 0 || !ct_snapshot_add_image(builder, request, preview->rows, preview->cols, &out))
    return;
  out.head->pixel_um = r->setup.pixel_um * preview->factor;
  out.head->angle_deg = preview->angle_deg;
  ct_preview_draw(preview, out.values);
}

static int by_angle(const void *a, const void *b)
{
  const struct { double angle_deg; uint32_t i; } *x = a, *y = b;
  return (x->angle_deg > y->angle_deg) - (x->angle_deg < y->angle_deg);
}

static void draw_sinogram(const struct ct_reconstruction *r, struct ct_snapshot_builder *builder, const struct ct_request *request)
{
  const struct ct_tomo *tomo = ct_scan_tomo(r->scan);
  uint32_t n = ct_scan_state(r->scan).projections, most = request->size && request->size < CT_PREVIEW_EDGE ? request->size : CT_PREVIEW_EDGE;
  uint32_t rows = n < most ? n : most, cols = r->cols < most ? r->cols : most;
  struct ct_image_parts out;
  struct { double angle_deg; uint32_t i; } *order = n ? malloc(n * sizeof *order) : NULL;
  if (order == NULL || !ct_snapshot_add_image(builder, request, rows, cols, &out)) {
    free(order);
    return;
  }
  for (uint32_t i = 0; i < n; i++) {
    ct_tomo_row(tomo, i, &order[i].angle_deg);
    order[i].i = i;
  }
  qsort(order, n, sizeof *order, by_angle);
  out.head->pixel_um = r->setup.pixel_um * r->cols / cols;
  out.head->angle_deg = (double)NAN;
  for (uint32_t k = 0; k < rows; k++)
    ct_preview_shrink(ct_tomo_row(tomo, order[(uint64_t)k * n / rows].i, NULL), 1, r->cols, out.values + (size_t)k * cols, 1, cols);
  free(order);
}

static void draw(struct ct_reconstruction *r, struct ct_snapshot_builder *builder, const struct ct_wants_table *wants)
{
  r->show_projections = false;
  draw_core(r, &builder->snapshot->core.ct);
  for (uint32_t i = 0; i < wants->n; i++) {
    const struct ct_request *request = &wants->requests[i];
    bool projection = request->kind == CT_SECTION_IMAGE && request->x == CT_IMAGE_PROJECTION;
    r->show_projections |= projection;
    if (r->scan == NULL)
      continue;
    if (request->kind == CT_SECTION_SLICE)
      draw_slice(r, builder, request);
    else if (projection)
      draw_projection(r, builder, request);
    else if (request->kind == CT_SECTION_IMAGE && request->x == CT_IMAGE_SINOGRAM)
      draw_sinogram(r, builder, request);
  }
}

/* For other viewers. */
static void send_slice(struct ct_reconstruction *r)
{
  uint32_t n = r->scan ? ct_scan_state(r->scan).projections : 0;
  if (r->out == NULL || n == 0)
    return;
  ct_tomo_slice(ct_scan_tomo(r->scan), r->slice);
  ct_slice_out_send(r->out, r->slice, r->setup.slice.size, r->last_angle_deg, n);
}

static void publish(struct ct_reconstruction *r, uint64_t ticket)
{
  struct block *block = ct_board_begin(r->board);
  struct ct_snapshot_builder builder;
  if (block == NULL)
    return;   /* more readers than promised: the next ask tries again */
  if (ct_snapshot_begin(&builder, &block->snapshot, ct_board_capacity_bytes(r->board) - offsetof(struct block, snapshot)) != 0)
    return;
  follow_axis(r);
  follow_rings(r);
  const struct ct_wants_table *wants = ct_wants_acquire(r->wants);
  draw(r, &builder, wants);
  ct_wants_release(r->wants, wants);
  ct_snapshot_finish(&builder);
  block->ticket = r->published = ticket;
  ct_board_publish(r->board);
  send_slice(r);
}

static void *reconstruction_main(void *arg)
{
  struct ct_reconstruction *r = arg;
  for (;;) {
    bool stop = atomic_load_explicit(&r->stop, memory_order_acquire);
    take_angles(r);
    bool worked = take_batch(r);
    uint64_t ticket = atomic_load_explicit(&r->ticket, memory_order_acquire);
    if (ticket != r->published)
      publish(r, ticket);
    if (worked)
      continue;
    if (stop)
      break;
    nanosleep(&(struct timespec){ .tv_nsec = nap_ns }, NULL);
  }
  if (r->angles)
    r->unplaced += ct_angles_expire(r->angles, INT64_MAX);
  publish(r, atomic_load_explicit(&r->ticket, memory_order_acquire));
  return NULL;
}

/* ---- opening and closing ------------------------------------------------------------------------------------------ */
size_t ct_reconstruction_bytes(const struct ct_reconstruction_setup *setup)
{
  size_t image = ct_section_image_bytes(CT_PREVIEW_EDGE, CT_PREVIEW_EDGE);
  return sizeof(struct ct_snapshot) + 4 * ct_section_slice_bytes(setup->slice.size) + 8 * image;
}

int ct_reconstruction_open(struct ct_reconstruction **out, const struct ct_reconstruction_setup *setup,
                           struct ct_receiver *receiver, struct ct_wants *wants, struct ct_err *err)
{
  struct ct_reconstruction *r = ct_xcalloc(1, sizeof *r);
  r->setup = *setup;
  r->wants = wants;
  r->last_angle_deg = (double)NAN;
  r->ring = ct_receiver_ring(receiver, CT_CONSUMER_ANALYSIS, &r->consumer);
  r->slice = ct_xcalloc((size_t)setup->slice.size * setup->slice.size, sizeof *r->slice);
  int code = ct_board_new(&r->board, 1, offsetof(struct block, snapshot) + ct_reconstruction_bytes(setup), err);
  if (code == 0 && setup->join_angles)
    code = ct_angles_open(&r->angles, err);
  if (code == 0 && *setup->publish != '\0')
    code = ct_slice_out_open(&r->out, setup->publish, err);
  if (code == 0 && pthread_create(&r->thread, NULL, reconstruction_main, r) != 0)
    code = ct_err_set(err, CT_ENOMEM, "no thread for the reconstruction");
  if (code != 0) {
    ct_reconstruction_close(r);
    return code;
  }
  r->running = true;
  *out = r;
  return 0;
}

void ct_reconstruction_stop(struct ct_reconstruction *r)
{
  if (!r->running)
    return;
  ct_reconstruction_ask(r);
  atomic_store_explicit(&r->stop, true, memory_order_release);
  pthread_join(r->thread, NULL);
  r->running = false;
}

void ct_reconstruction_close(struct ct_reconstruction *r)
{
  if (r == NULL)
    return;
  ct_reconstruction_stop(r);
  close_scan(r);
  ct_board_free(r->board);
  ct_angles_close(r->angles);
  ct_slice_out_close(r->out);
  free(r->slice);
  free(r);
}

/* ---- the monitor's side -------------------------------------------------------------------------------------------- */
uint64_t ct_reconstruction_ask(struct ct_reconstruction *r)
{
  atomic_store_explicit(&r->ticket, ++r->asked, memory_order_release);
  return r->asked;
}

void ct_reconstruction_nudge(struct ct_reconstruction *r, double by_px)
{
  double now_px = atomic_load_explicit(&r->nudge_px, memory_order_relaxed);
  atomic_store_explicit(&r->nudge_px, now_px + by_px, memory_order_relaxed);
}

void ct_reconstruction_angle(struct ct_reconstruction *r, uint64_t trigger, double angle_deg)
{
  if (r->angles)
    ct_angles_tell(r->angles, trigger, angle_deg);
}

const struct ct_snapshot *ct_reconstruction_acquire(struct ct_reconstruction *r, uint64_t *ticket)
{
  const struct block *block = ct_board_acquire(r->board);
  if (block == NULL)
    return NULL;
  *ticket = block->ticket;
  return &block->snapshot;
}

void ct_reconstruction_release(struct ct_reconstruction *r, const struct ct_snapshot *snapshot)
{
  if (snapshot)
    ct_board_release(r->board, (const char *)snapshot - offsetof(struct block, snapshot));
}
