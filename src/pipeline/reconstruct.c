/* The reconstruction thread: the ring of a camera, or its recorded frames -> its scan -> what is wanted of it in a partial snapshot, published whole
 * on its board. */
#include <comptop/pipeline.h>

#include <stdatomic.h>
#include <stdlib.h>
#include <time.h>

#include "camera.h"
#include "painter.h"
#include "reader.h"
#include "receive.h"
#include "slice_out.h"

enum { BATCH_SLOTS = 16 };
static const long nap_ns = 5000000, reader_nap_ns = 100000;

struct ct_reconstruction {
  struct ct_reader *reader;     /* or... */
  struct ct_ring *ring;
  unsigned consumer;
  int64_t now_ns;               /* of what was recorded: how far it is */
  struct ct_camera camera;
  struct ct_wants *wants;
  struct ct_painter painter;
  struct ct_slice_out *out;     /* NULL: the slice is published nowhere */
  _Atomic double axis_px, nudge_px;   /* as set (NaN: found), and moved; relaxed: each stands alone */
};

static bool take_batch(struct ct_reconstruction *r)
{
  struct ct_ring_batch batch;
  if (ct_ring_peek(r->ring, r->consumer, BATCH_SLOTS, &batch) == 0)
    return false;
  const struct ct_lot *lots = batch.slots;
  for (size_t i = 0; i < batch.n; i++) {
    ct_camera_take(&r->camera, &lots[i]);
    ct_ring_release(r->ring, r->consumer, 1);
  }
  return true;
}

/* Angles that scalars told before <until_ns>. */
static void take_recorded_angles(struct ct_reconstruction *r, int64_t until_ns)
{
  struct ct_reader_angle told;
  while (r->camera.angles && ct_reader_angle(r->reader, until_ns, &told)) {
    ct_camera_take_angles(&r->camera, told.arrival_ns);
    ct_angles_tell(r->camera.angles, told.trigger, told.angle_deg, told.key);
  }
  ct_camera_take_angles(&r->camera, until_ns);
}

/* Frames and angles in the order in which they came: false when it is where it may go. */
static bool take_recorded(struct ct_reconstruction *r)
{
  const struct ct_lot *lots;
  const int64_t until_ns = ct_painter_until_ns(&r->painter);
  size_t n = ct_reader_take(r->reader, until_ns, &lots);
  for (size_t i = 0; i < n; i++) {
    r->now_ns = lots[i].frame.arrival_ns;
    take_recorded_angles(r, r->now_ns);
    ct_camera_take(&r->camera, &lots[i]);
  }
  if (n > 0)
    return true;
  r->now_ns = until_ns > r->now_ns ? until_ns : r->now_ns;
  take_recorded_angles(r, ct_reader_has_ended(r->reader) ? INT64_MAX : r->now_ns);
  ct_painter_reach(&r->painter, until_ns);
  return false;
}

/* How far the frames are worked through: to now, unless some wait. While the thread is behind no scan has paused or ended. */
static int64_t reached_ns(const struct ct_reconstruction *r)
{
  struct ct_ring_stats stats;
  if (r->reader)
    return r->now_ns;
  ct_ring_stats(r->ring, r->consumer, &stats);
  return stats.waiting.items > 0 ? r->camera.arrival_ns : ct_time_wall_ns();
}

/* For other viewers. */
static void send_slice(struct ct_reconstruction *r)
{
  struct ct_camera *c = &r->camera;
  uint32_t n = c->scan ? ct_scan_state(c->scan).projections : 0;
  if (r->out == NULL || n == 0)
    return;
  ct_tomo_slice(ct_scan_tomo(c->scan), c->slice);
  ct_slice_out_send(r->out, c->slice, c->setup.slice.size, c->last_angle_deg, n);
}

/* <last>: no more frames come. */
static void publish(struct ct_reconstruction *r, uint64_t ticket, bool last)
{
  struct ct_snapshot_builder builder;
  uint64_t *note = ct_painter_begin(&r->painter, &builder);
  if (note == NULL)
    return;
  r->camera.setup.axis_px = atomic_load_explicit(&r->axis_px, memory_order_relaxed);
  r->camera.nudge_px = atomic_load_explicit(&r->nudge_px, memory_order_relaxed);
  if (last)
    ct_camera_settle(&r->camera);
  ct_camera_follow(&r->camera, reached_ns(r));
  const struct ct_wants_table *wants = ct_wants_acquire(r->wants);
  if (last)
    ct_camera_finish(&r->camera, wants);
  ct_camera_draw(&r->camera, &builder, wants);
  ct_wants_release(r->wants, wants);
  ct_snapshot_finish(&builder);
  *note = ticket;
  ct_painter_publish(&r->painter, ticket);
  send_slice(r);
}

/* Works through what is there: false when there was nothing. */
static bool take(struct ct_reconstruction *r)
{
  if (r->reader)
    return take_recorded(r);
  ct_camera_take_angles(&r->camera, ct_time_wall_ns());
  return take_batch(r);
}

/* Whether no frame comes just now. */
static bool is_quiet(const struct ct_reconstruction *r)
{
  return r->reader ? ct_reader_has_ended(r->reader) : reached_ns(r) - r->camera.arrival_ns > CT_NS_PER_S / 2;
}

static void *reconstruction_main(void *arg)
{
  struct ct_reconstruction *r = arg;
  uint64_t ticket;
  for (;;) {
    bool stop = ct_painter_is_stopped(&r->painter);
    if (stop && r->reader)
      break;
    bool worked = take(r);
    if (ct_painter_is_asked(&r->painter, &ticket))
      publish(r, ticket, r->reader && ct_reader_has_ended(r->reader));
    if (ct_camera_paint(&r->camera, is_quiet(r)) || worked)
      continue;
    if (stop)
      break;
    nanosleep(&(struct timespec){ .tv_nsec = r->reader ? reader_nap_ns : nap_ns }, NULL);
  }
  ct_camera_take_angles(&r->camera, INT64_MAX);
  ct_painter_is_asked(&r->painter, &ticket);
  publish(r, ticket, true);
  return NULL;
}

/* ---- opening and closing ------------------------------------------------------------------------------------------ */
size_t ct_reconstruction_bytes(const struct ct_reconstruction_setup *setup) { return ct_camera_bytes(setup); }

int ct_reconstruction_open(struct ct_reconstruction **out, const struct ct_reconstruction_setup *setup,
                           struct ct_receiver *receiver, struct ct_wants *wants, struct ct_err *err)
{
  struct ct_reconstruction *r = ct_xcalloc(1, sizeof *r);
  r->wants = wants;
  r->reader = setup->reader;
  atomic_init(&r->axis_px, setup->axis_px);
  if (r->reader == NULL)
    r->ring = ct_receiver_ring(receiver, CT_CONSUMER_ANALYSIS, &r->consumer);
  int code = ct_camera_init(&r->camera, setup, err);
  if (code == 0)
    code = ct_painter_init(&r->painter, sizeof(uint64_t), ct_camera_bytes(setup), setup->until_ns, err);
  if (code == 0 && *setup->publish != '\0')
    code = ct_slice_out_open(&r->out, setup->publish, err);
  if (code == 0)
    code = ct_painter_start(&r->painter, reconstruction_main, r, "reconstruction", err);
  if (code != 0) {
    ct_reconstruction_close(r);
    return code;
  }
  *out = r;
  return 0;
}

void ct_reconstruction_stop(struct ct_reconstruction *r) { ct_painter_stop(&r->painter); }

void ct_reconstruction_close(struct ct_reconstruction *r)
{
  if (r == NULL)
    return;
  ct_reconstruction_stop(r);
  ct_painter_fini(&r->painter);
  ct_camera_fini(&r->camera);
  ct_slice_out_close(r->out);
  free(r);
}

/* ---- the monitor's side -------------------------------------------------------------------------------------------- */
uint64_t ct_reconstruction_ask(struct ct_reconstruction *r) { return ct_painter_ask(&r->painter); }

void ct_reconstruction_go_on(struct ct_reconstruction *r, int64_t until_ns) { ct_painter_go_on(&r->painter, until_ns); }

bool ct_reconstruction_has_reached(const struct ct_reconstruction *r, int64_t until_ns)
{
  return ct_painter_has_reached(&r->painter, until_ns);
}

void ct_reconstruction_nudge(struct ct_reconstruction *r, double by_px)
{
  double now_px = atomic_load_explicit(&r->nudge_px, memory_order_relaxed);
  atomic_store_explicit(&r->nudge_px, now_px + by_px, memory_order_relaxed);
}

void ct_reconstruction_fix_axis(struct ct_reconstruction *r, double axis_px)
{
  atomic_store_explicit(&r->axis_px, axis_px, memory_order_relaxed);
  atomic_store_explicit(&r->nudge_px, 0, memory_order_relaxed);
}

void ct_reconstruction_angle(struct ct_reconstruction *r, double trigger, double angle_deg, double key)
{
  if (r->camera.angles)
    ct_angles_tell(r->camera.angles, trigger, angle_deg, key);
}

const struct ct_snapshot *ct_reconstruction_acquire(struct ct_reconstruction *r, uint64_t *ticket)
{
  const void *note;
  const struct ct_snapshot *snapshot = ct_painter_acquire(&r->painter, &note);
  if (snapshot != NULL)
    *ticket = *(const uint64_t *)note;
  return snapshot;
}

void ct_reconstruction_release(struct ct_reconstruction *r, const struct ct_snapshot *snapshot)
{
  ct_painter_release(&r->painter, snapshot);
}
