/* The analysis thread: ring -> (with its crew of workers) photon events -> rolling spectra -> (when asked) L, H, EMF,
 * maps, profile. Between two stretches of frames nobody else touches the spectra, so it also draws the picture of them:
 * a partial snapshot, published whole on its board. */
#include <comptop/pipeline.h>

#include <math.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "box.h"
#include "change.h"
#include "crew.h"
#include "faults.h"
#include "lot.h"
#include "painter.h"
#include "picture.h"
#include "reader.h"
#include "receive.h"

enum {
  BATCH_SLOTS = 256,            /* between two looks at the stop flag */
  STRETCH_PIXELS = 1 << 24      /* between two looks at tickets: some ms at the rates of real experiments */
};
static const long nap_ns = 2000000, reader_nap_ns = 100000;
static const int64_t box_every_ns = 60 * CT_NS_PER_S;

struct ct_analysis {
  struct ct_reader *reader;     /* or... */
  struct ct_ring *ring;
  unsigned consumer;
  struct ct_crew *crew;
  struct ct_faults faults;
  struct ct_picture picture;    /* spectra, compton, ROIs: what the picture is drawn from */
  struct ct_wants *wants;
  struct ct_painter painter;
  bool archived;
  struct ct_spectra_box box;
  int64_t boxed_ns;
  bool wait_for_dark;
  uint64_t darks_pending;       /* dark frames not yet applied */
  struct ct_analysis_note note;

  _Atomic int mask_order;       /* enum mask_order; relaxed: the order is all there is to it */
  _Atomic(struct ct_change_order *) change;   /* release by the monitor, acquire by the thread, and back when one replaces it */
  double window_s;              /* the monitor's: as last asked for */
};

/* ---- frames -------------------------------------------------------------------------------------------- */
static bool is_analysed(const struct ct_analysis *a, const struct ct_lot *lot)
{
  return ct_lot_is_for_analysis(lot) && (!a->wait_for_dark || a->note.darks > 0 || lot->frame.type != CT_U16);
}

static void apply_darks(struct ct_analysis *a)
{
  if (a->darks_pending == 0)
    return;
  uint64_t used = ct_crew_dark_apply(a->crew);
  if (used > 0)
    a->note.darks = used;
  a->darks_pending = 0;
}

/* One of the frames of a lot whose times are known each. */
static struct ct_frame frame_at(const struct ct_lot *lot, uint32_t i)
{
  struct ct_frame one = lot->frame;
  one.count = 1;
  one.arrival_ns = lot->arrivals_ns[i];
  return one;
}

static void watch_frames(struct ct_analysis *a, const struct ct_lot *lot)
{
  if (lot->arrivals_ns == NULL)
    ct_watch_take(&a->picture.watch, &lot->frame);
  for (uint32_t i = 0; lot->arrivals_ns != NULL && i < lot->frame.count; i++) {
    const struct ct_frame one = frame_at(lot, i);
    ct_watch_take(&a->picture.watch, &one);
  }
}

/* Notes that frames have been taken; whether they are for the crew. */
static bool take_frames(struct ct_analysis *a, const struct ct_lot *lot)
{
  const struct ct_frame *frame = &lot->frame;
  if (!ct_frame_is_dark(frame))
    apply_darks(a);
  a->note.seen += frame->count;
  if (frame->attributes.present & CT_HAS_MODE)
    a->note.mode = frame->attributes.mode;
  if (is_analysed(a, lot)) {
    if (frame->type == CT_U16 && !ct_crew_has_calibration(a->crew))
      a->note.uncalibrated += frame->count;
    watch_frames(a, lot);
    return true;
  }
  ct_watch_other(&a->picture.watch, frame);
  a->note.not_analysed += frame->count;
  if (ct_lot_is_dark(lot)) {
    ct_crew_dark_add(a->crew, frame);
    a->darks_pending += frame->count;
  }
  return false;
}

/* Takes the first of <n> lots: those that can be analysed in one go, and the one behind them that cannot. How many. */
static size_t take_stretch(struct ct_analysis *a, const struct ct_lot *lots, size_t n)
{
  size_t taken = 0, analysed = 0;
  int64_t arrival_ns = 0;
  for (uint64_t pixels = 0; taken < n && taken == analysed && pixels < STRETCH_PIXELS; taken++) {
    const struct ct_frame *frame = &lots[taken].frame;
    if (lots[taken].kind != CT_LOT_FRAMES)
      continue;
    /* Where a sample or a scan ends, the frames before go into the spectra first. */
    if (analysed > 0 && is_analysed(a, &lots[taken]) && ct_watch_due(&a->picture.watch, frame))
      break;
    analysed += take_frames(a, &lots[taken]);
    pixels += (uint64_t)frame->count * frame->rows * frame->cols;
    arrival_ns = frame->arrival_ns;
  }
  ct_crew_analyse(a->crew, lots, analysed);
  if (a->reader != NULL)
    a->note.lag_s = (double)NAN;
  else if (arrival_ns != 0)
    a->note.lag_s = (double)(ct_time_wall_ns() - arrival_ns) / 1e9;
  return taken;
}

/* ---- faults ------------------------------------------------------------------------------------------------ */
enum mask_order { MASK_AS_IT_IS, MASK_LISTED, MASK_NONE };

static void judge_detector(struct ct_analysis *a)
{
  int order = atomic_exchange_explicit(&a->mask_order, MASK_AS_IT_IS, memory_order_relaxed);
  ct_health_clear(a->faults.health);
  ct_crew_health(a->crew, a->faults.health);
  bool changed = ct_faults_judge(&a->faults);
  if (order != MASK_AS_IT_IS)
    changed = ct_faults_mask(&a->faults, order == MASK_LISTED) || changed;
  if (!changed)
    return;
  ct_picture_mask(&a->picture, a->faults.masked);
  ct_watch_restart(&a->picture.watch);
}

/* ---- changes ----------------------------------------------------------------------------------------------- */
static void apply_change(struct ct_analysis *a)
{
  struct ct_change_order *order = atomic_exchange_explicit(&a->change, NULL, memory_order_acq_rel);
  if (order != NULL)
    ct_change_order_apply(order, &a->picture, a->faults.masked);
  ct_change_order_free(order);
}

/* ---- the picture ------------------------------------------------------------------------------------------ */
static void publish(struct ct_analysis *a, uint64_t ticket)
{
  struct ct_snapshot_builder builder;
  struct ct_analysis_note *note = ct_painter_begin(&a->painter, &builder);
  if (note == NULL)
    return;
  apply_change(a);
  judge_detector(a);
  const struct ct_wants_table *wants = ct_wants_acquire(a->wants);
  ct_picture_draw(&a->picture, &builder, wants);
  for (uint32_t i = 0; i < wants->n; i++)
    if (wants->requests[i].kind == CT_SECTION_MAP && wants->requests[i].of == CT_MAP_HITS)
      ct_faults_draw_hits(&a->faults, &builder, &wants->requests[i]);
  ct_wants_release(a->wants, wants);
  ct_faults_draw(&a->faults, &builder.snapshot->core.xcs, &builder.snapshot->core.health);
  ct_snapshot_finish(&builder);
  a->note.ticket = ticket;
  a->note.waiting_for_dark = a->wait_for_dark && a->note.darks == 0;
  a->note.shortened = ct_spectra_shortened(a->picture.spectra);
  a->note.saturated = ct_spectra_saturated(a->picture.spectra);
  *note = a->note;
  ct_painter_publish(&a->painter, ticket);
}

static void publish_if_asked(struct ct_analysis *a)
{
  uint64_t ticket;
  if (ct_painter_is_asked(&a->painter, &ticket))
    publish(a, ticket);
}

static void box_spectra(struct ct_analysis *a, bool last)
{
  int64_t mono_ns = ct_time_mono_ns();
  if (a->archived && a->reader == NULL && (last || mono_ns - a->boxed_ns > box_every_ns) &&
      ct_spectra_box_put(&a->box, ct_spectra_total(a->picture.spectra)))
    a->boxed_ns = mono_ns;
}

/* ---- the thread --------------------------------------------------------------------------------------------- */
/* Works through what is there, up to a batch: false when there was nothing. */
static bool take_batch(struct ct_analysis *a)
{
  struct ct_ring_batch batch;
  if (ct_ring_peek(a->ring, a->consumer, BATCH_SLOTS, &batch) == 0)
    return false;
  for (size_t done = 0, taken; done < batch.n; done += taken) {
    taken = take_stretch(a, (const struct ct_lot *)batch.slots + done, batch.n - done);
    ct_ring_release(a->ring, a->consumer, taken);
    publish_if_asked(a);
  }
  return true;
}

/* How many frames of a lot come before one where a sample or a scan ends; that one may be the first. */
static uint32_t frames_until_due(const struct ct_analysis *a, const struct ct_lot *lot)
{
  struct ct_frame last = frame_at(lot, lot->frame.count - 1);
  if (!is_analysed(a, lot) || !ct_watch_due(&a->picture.watch, &last))
    return lot->frame.count;
  for (uint32_t i = 1; i < lot->frame.count; i++) {
    const struct ct_frame one = frame_at(lot, i);
    if (ct_watch_due(&a->picture.watch, &one))
      return i;
  }
  return lot->frame.count;
}

/* A lot of a reader, in parts: live, each message would have been a lot of its own. */
static void take_parts(struct ct_analysis *a, struct ct_lot lot)
{
  const size_t frame_bytes = lot.frame.bytes / lot.frame.count;
  for (uint32_t left = lot.frame.count, n; left > 0; left -= n) {
    struct ct_lot part = lot;
    n = frames_until_due(a, &lot);
    part.frame.count = n;
    part.frame.bytes = n * frame_bytes;
    take_stretch(a, &part, 1);
    publish_if_asked(a);
    lot.frame.count -= n;
    lot.frame.number += n;
    lot.frame.pixels += n * frame_bytes;
    lot.frame.bytes -= n * frame_bytes;
    lot.arrivals_ns += n;
    lot.frame.arrival_ns = lot.frame.count > 0 ? lot.arrivals_ns[0] : 0;
  }
}

/* The same from a reader: false when it is where it may go. */
static bool take_recorded(struct ct_analysis *a)
{
  const struct ct_lot *lots;
  int64_t until_ns = ct_painter_until_ns(&a->painter);
  size_t n = ct_reader_take(a->reader, until_ns, &lots);
  for (size_t i = 0; i < n; i++)
    take_parts(a, lots[i]);
  if (n == 0)
    ct_painter_reach(&a->painter, until_ns);
  return n > 0;
}

static void *analysis_main(void *arg)
{
  struct ct_analysis *a = arg;
  uint64_t ticket;
  if (a->reader != NULL)
    ct_reader_pour(a->reader, a->picture.spectra);
  for (;;) {
    bool stop = ct_painter_is_stopped(&a->painter);
    if (stop && a->reader != NULL)
      break;
    bool worked = a->reader ? take_recorded(a) : take_batch(a);
    publish_if_asked(a);
    box_spectra(a, false);
    if (worked)
      continue;
    if (stop)
      break;
    nanosleep(&(struct timespec){ .tv_nsec = a->reader ? reader_nap_ns : nap_ns }, NULL);
  }
  apply_darks(a);
  box_spectra(a, true);
  ct_painter_is_asked(&a->painter, &ticket);
  publish(a, ticket);
  return NULL;
}

/* ---- opening and closing ------------------------------------------------------------------------------------ */
int ct_analysis_open(struct ct_analysis **out, const struct ct_analysis_setup *setup, struct ct_receiver *receiver,
                     struct ct_wants *wants, struct ct_err *err)
{
  struct ct_analysis *a = ct_xcalloc(1, sizeof *a);
  a->wants = wants;
  a->wait_for_dark = setup->wait_for_dark;
  a->window_s = setup->spectra.window_s;
  a->reader = setup->reader;
  if (a->reader == NULL)
    a->ring = ct_receiver_ring(receiver, CT_CONSUMER_ANALYSIS, &a->consumer);
  int code = ct_picture_init(&a->picture, setup, err);
  if (code == 0)
    code = ct_faults_init(&a->faults, setup->hexitec.rows, setup->hexitec.cols, setup->live, setup->frame_hz,
                          setup->mask_found, err);
  if (code == 0)
    code = ct_crew_open(&a->crew, setup->jobs, &setup->hexitec, a->picture.spectra, err);
  if (code == 0 && (a->archived = setup->archived))
    ct_spectra_box_init(&a->box, (size_t)setup->spectra.pixels * setup->spectra.axis.n);
  a->boxed_ns = ct_time_mono_ns();
  if (code == 0)
    code = ct_painter_init(&a->painter, sizeof a->note, ct_picture_bytes(&a->picture), setup->until_ns, err);
  if (code == 0)
    code = ct_painter_start(&a->painter, analysis_main, a, "analysis", err);
  if (code != 0) {
    ct_analysis_close(a);
    return code;
  }
  *out = a;
  return 0;
}

void ct_analysis_stop(struct ct_analysis *a) { ct_painter_stop(&a->painter); }

void ct_analysis_close(struct ct_analysis *a)
{
  if (a == NULL)
    return;
  ct_analysis_stop(a);
  ct_painter_fini(&a->painter);
  ct_spectra_box_fini(&a->box);
  ct_crew_close(a->crew);
  ct_change_order_free(atomic_load_explicit(&a->change, memory_order_relaxed));   /* the thread has ended */
  ct_faults_fini(&a->faults);
  ct_picture_fini(&a->picture);
  free(a);
}

struct ct_spectra_box *ct_analysis_box(struct ct_analysis *a) { return a->archived ? &a->box : NULL; }

/* ---- the monitor's side -------------------------------------------------------------------------------------- */
uint64_t ct_analysis_ask(struct ct_analysis *a) { return ct_painter_ask(&a->painter); }

void ct_analysis_mask(struct ct_analysis *a, bool on)
{
  atomic_store_explicit(&a->mask_order, on ? MASK_LISTED : MASK_NONE, memory_order_relaxed);
}

int ct_analysis_change(struct ct_analysis *a, const struct ct_analysis_setup *setup, struct ct_err *err)
{
  struct ct_change_order *order;
  struct ct_spectra *window = NULL;
  const bool another = memcmp(&setup->spectra.window_s, &a->window_s, sizeof a->window_s) != 0;
  int code = another ? ct_spectra_new(&window, &setup->spectra, err) : 0;
  if (code == 0)
    code = ct_change_order_new(&order, setup, err);
  if (code != 0) {
    ct_spectra_free(window);
    return code;
  }
  ct_change_order_window(order, window);
  ct_change_order_merge(order, atomic_exchange_explicit(&a->change, NULL, memory_order_acq_rel));
  atomic_store_explicit(&a->change, order, memory_order_release);
  a->window_s = setup->spectra.window_s;
  return 0;
}

void ct_analysis_go_on(struct ct_analysis *a, int64_t until_ns) { ct_painter_go_on(&a->painter, until_ns); }

bool ct_analysis_has_reached(const struct ct_analysis *a, int64_t until_ns)
{
  return ct_painter_has_reached(&a->painter, until_ns);
}

const uint32_t *ct_analysis_grown(struct ct_analysis *a)
{
  ct_spectra_box_give_back(&a->box);
  ct_spectra_box_put(&a->box, ct_spectra_total(a->picture.spectra));
  return ct_spectra_box_take(&a->box);
}

const struct ct_snapshot *ct_analysis_acquire(struct ct_analysis *a, struct ct_analysis_note *note)
{
  const void *at;
  const struct ct_snapshot *snapshot = ct_painter_acquire(&a->painter, &at);
  if (snapshot != NULL)
    *note = *(const struct ct_analysis_note *)at;
  return snapshot;
}

void ct_analysis_release(struct ct_analysis *a, const struct ct_snapshot *snapshot)
{
  ct_painter_release(&a->painter, snapshot);
}
