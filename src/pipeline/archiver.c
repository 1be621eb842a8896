/* Frames on their way to disk. Three kinds of threads, so that none waits for another's work:
 *   packer   one a stream: ring -> chunk (copied, checksummed, compressed)
 *   writer   one: the only one that meets HDF5, which blocks when the disk does
 *   syncer   one: fdatasync, which blocks longest
 * While the disk blocks, chunks run out, the packers wait, and frames pile up in the receivers' rings up to
 * run.buffer_MB; beyond it the oldest are taken from the archive's share and counted as missed. Reception and analysis
 * go on. */
#include <comptop/pipeline.h>

#include <errno.h>
#include <math.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <comptop/archive.h>

#include "box.h"
#include "packer.h"
#include "receive.h"

enum {
  NOTES = 16384,              /* from the monitor to the writer: what 500 scalars a second become while a disk blocks for 30 s */
  SAMPLES = 64,
  REASON_BYTES = 128,
  SYNC_FILES = 32
};
static const int64_t sync_every_ns = CT_NS_PER_S / 2;

static void nap(void) { nanosleep(&(struct timespec){ .tv_nsec = 2000000 }, NULL); }

/* From the monitor to the writer. */
enum note_kind { NOTE_SCALAR, NOTE_ALARM };
struct note {
  enum note_kind kind;
  bool raised;
  int64_t time_ns, arrival_ns;
  double value;
  char name[64];
  struct ct_snapshot_alarm alarm;
};

/* What is too large for a note; filled by the monitor when empty, emptied by the writer. */
struct results {
  _Atomic bool full;          /* release by the monitor, acquire by the writer; and back */
  struct ct_snapshot_core core;
  float *emf, *sigma, *counts;
  bool has_map;
};

struct status {
  struct ct_snapshot_archive archive;
  char reason[REASON_BYTES];
  struct ct_run_packing packing[CT_SNAPSHOT_STREAMS];
  int64_t newest_ns;          /* arrival of the newest frame that the writer is done with */
};

struct ct_archiver {
  struct ct_run *run;         /* the writer's, once the threads run */
  struct ct_packer packers[CT_SNAPSHOT_STREAMS];
  size_t n_packers, n_streams;
  struct ct_receiver *receivers[CT_SNAPSHOT_STREAMS];
  struct ct_scalars *scalars[CT_SNAPSHOT_STREAMS];
  struct ct_ring *notes, *samples;
  struct results results;
  struct ct_spectra_box *box;
  struct ct_board *status;
  struct status seen;         /* the monitor's copy */
  int64_t newest_ns;          /* the writer's */
  _Atomic int64_t cpu_ns;     /* of the writer; relaxed: a number to show */
  int64_t cpu_before_ns, cpu_since_ns;   /* the monitor's: what all took, at which time */
  double cores;
  pthread_t writer, syncer;
  bool writer_running, syncer_running;
  _Atomic bool packed;        /* release by stop after the packers were joined, acquire by the writer */
  _Atomic bool written;       /* release by stop after the writer was joined, acquire by the syncer */
  /* Files for the syncer: written by the writer while 0, taken by the syncer while not (release / acquire). */
  _Atomic size_t n_sync;
  struct ct_run_sync sync[SYNC_FILES];
  _Atomic int sync_why;       /* errno of a sync that failed, for the writer; 0: none. Relaxed: it stands for itself */
  int close_code;             /* of the run; the writer's, read after it was joined */
  struct ct_err close_err;
};

/* ---- the writer ------------------------------------------------------------------------------------------ */
static bool write_parcel(struct ct_archiver *a, struct ct_packer *p)
{
  struct ct_parcel parcel;
  if (!ct_packer_take(p, &parcel))
    return false;
  int64_t now_ns = ct_time_wall_ns();
  if (parcel.chunk == NULL) {
    ct_run_gap(a->run, p->stream, parcel.first, parcel.last, parcel.reason, now_ns);
    return true;
  }
  (void)!ct_run_write(a->run, parcel.chunk, now_ns);   /* what fails is counted by the run, and waits no more */
  if (parcel.newest_ns > a->newest_ns)
    a->newest_ns = parcel.newest_ns;
  ct_packer_give_back(p, parcel.chunk);
  return true;
}

static void write_results(struct ct_archiver *a)
{
  struct results *r = &a->results;
  if (!atomic_load_explicit(&r->full, memory_order_acquire))
    return;
  const uint32_t *spectra = a->box ? ct_spectra_box_take(a->box) : NULL;
  ct_run_results(a->run, &(struct ct_run_results){ .time_ns = r->core.wall_ns, .core = &r->core,
                 .emf = r->has_map ? r->emf : NULL, .sigma = r->has_map ? r->sigma : NULL,
                 .counts = r->has_map ? r->counts : NULL, .spectra = spectra });
  if (spectra)
    ct_spectra_box_give_back(a->box);
  for (size_t i = 0; i < a->n_streams; i++) {
    const char *header = a->receivers[i] != NULL ? ct_receiver_first_header(a->receivers[i])
                       : a->scalars[i] != NULL ? ct_scalars_first_header(a->scalars[i]) : NULL;
    if (header != NULL)
      ct_run_first_header(a->run, i, header);
  }
  ct_run_counters(a->run, r->core.streams, r->core.n_streams);
  atomic_store_explicit(&r->full, false, memory_order_release);
}

static bool write_note(struct ct_archiver *a)
{
  struct ct_ring_batch batch;
  if (ct_ring_peek(a->notes, 0, 1, &batch) == 0)
    return false;
  struct note note = *(const struct note *)batch.slots;
  ct_ring_release(a->notes, 0, 1);
  if (note.kind == NOTE_SCALAR)
    ct_run_scalar(a->run, &(struct ct_run_scalar){ note.name, note.time_ns, note.arrival_ns, note.value });
  else if (note.kind == NOTE_ALARM)
    ct_run_alarm(a->run, &note.alarm, note.raised, note.time_ns);
  return true;
}

static bool write_sample(struct ct_archiver *a)
{
  struct ct_ring_batch batch;
  if (ct_ring_peek(a->samples, 0, 1, &batch) == 0)
    return false;
  ct_run_sample(a->run, batch.slots);
  ct_ring_release(a->samples, 0, 1);
  return true;
}

static void publish_status(struct ct_archiver *a)
{
  struct status *status = ct_board_begin(a->status);
  if (status == NULL)
    return;
  memset(status, 0, sizeof *status);
  ct_run_status(a->run, &status->archive, status->reason, sizeof status->reason);
  for (size_t i = 0; i < a->n_streams; i++)
    status->packing[i] = ct_run_packing(a->run, i);
  status->newest_ns = a->newest_ns;
  ct_board_publish(a->status);
  atomic_store_explicit(&a->cpu_ns, ct_time_cpu_ns(), memory_order_relaxed);
}

static void offer_syncs(struct ct_archiver *a)
{
  int why = atomic_exchange_explicit(&a->sync_why, 0, memory_order_relaxed);
  if (why != 0)
    ct_run_sync_failed(a->run, why, ct_time_wall_ns());
  if (atomic_load_explicit(&a->n_sync, memory_order_acquire) != 0)
    return;   /* the syncer is still at the last ones */
  size_t n = ct_run_syncs(a->run, a->sync, SYNC_FILES);
  atomic_store_explicit(&a->n_sync, n, memory_order_release);
}

static bool write_some(struct ct_archiver *a)
{
  bool worked = write_note(a);
  worked |= write_sample(a);
  for (size_t i = 0; i < a->n_packers; i++)
    worked |= write_parcel(a, &a->packers[i]);
  return worked;
}

static void *writer_main(void *arg)
{
  struct ct_archiver *a = arg;
  int64_t synced_ns = 0;
  for (;;) {
    bool packed = atomic_load_explicit(&a->packed, memory_order_acquire);
    bool worked = write_some(a);
    write_results(a);
    ct_run_tick(a->run, ct_time_wall_ns());
    publish_status(a);
    int64_t mono_ns = ct_time_mono_ns();
    if (mono_ns - synced_ns > sync_every_ns) {
      offer_syncs(a);
      synced_ns = mono_ns;
    }
    if (!worked && packed)
      break;
    if (!worked)
      nap();
  }
  /* What is written counts as committed a moment later; the last word on the run includes it. */
  ct_run_tick(a->run, ct_time_wall_ns() + CT_NS_PER_S);
  publish_status(a);
  a->close_code = ct_run_close(a->run, ct_time_wall_ns(), &a->close_err);
  return NULL;
}

static void *syncer_main(void *arg)
{
  struct ct_archiver *a = arg;
  for (;;) {
    bool written = atomic_load_explicit(&a->written, memory_order_acquire);
    size_t n = atomic_load_explicit(&a->n_sync, memory_order_acquire);
    for (size_t i = 0; i < n; i++) {
      int why = ct_run_sync(&a->sync[i]);
      if (why != 0)
        atomic_store_explicit(&a->sync_why, why, memory_order_relaxed);
    }
    if (n > 0)
      atomic_store_explicit(&a->n_sync, 0, memory_order_release);
    else if (written)
      return NULL;
    else
      nanosleep(&(struct timespec){ .tv_nsec = 20000000 }, NULL);
  }
}

/* ---- opening and closing ------------------------------------------------------------------------------------ */
static int start_threads(struct ct_archiver *a, struct ct_err *err)
{
  a->writer_running = pthread_create(&a->writer, NULL, writer_main, a) == 0;
  a->syncer_running = pthread_create(&a->syncer, NULL, syncer_main, a) == 0;
  bool all = a->writer_running && a->syncer_running;
  for (size_t i = 0; i < a->n_packers; i++)
    all &= ct_packer_start(&a->packers[i]);
  return all ? 0 : ct_err_set(err, CT_ENOMEM, "no threads for the archive");
}

int ct_archiver_open(struct ct_archiver **out, const struct ct_run_setup *run, struct ct_receiver *const *receivers,
                     struct ct_scalars *const *scalars, struct ct_analysis *analysis,
                     const struct ct_analysis_setup *about, struct ct_err *err)
{
  struct ct_archiver *a = ct_xcalloc(1, sizeof *a);
  size_t pixels = (size_t)run->rows * run->cols;
  a->n_streams = run->n_streams;
  a->box = analysis ? ct_analysis_box(analysis) : NULL;
  a->results.emf = ct_xcalloc(pixels, sizeof(float));
  a->results.sigma = ct_xcalloc(pixels, sizeof(float));
  a->results.counts = ct_xcalloc(pixels, sizeof(float));
  int code = ct_run_open(&a->run, run, ct_time_wall_ns(), err);
  struct ct_ring_config notes = { .slots = NOTES, .slot_bytes = sizeof(struct note), .consumers = 1 };
  struct ct_ring_config samples = { .slots = SAMPLES, .slot_bytes = sizeof(struct ct_snapshot_core), .consumers = 1 };
  if (code == 0)
    code = ct_ring_new(&a->notes, &notes, err);
  if (code == 0)
    code = ct_ring_new(&a->samples, &samples, err);
  if (code == 0)
    code = ct_board_new(&a->status, 1, sizeof(struct status), err);
  for (size_t i = 0; i < run->n_streams && code == 0; i++) {
    a->receivers[i] = receivers[i];
    a->scalars[i] = scalars[i];
    if (receivers[i])
      code = ct_packer_open(&a->packers[a->n_packers++], run, i, receivers[i], about, err);
  }
  if (code == 0)
    code = start_threads(a, err);
  if (code != 0) {
    struct ct_err ignored;
    (void)ct_archiver_close(a, &ignored);
    return code;
  }
  *out = a;
  return 0;
}

int ct_archiver_stop(struct ct_archiver *a, struct ct_err *err)
{
  for (size_t i = 0; i < a->n_packers; i++)
    ct_packer_stop(&a->packers[i]);
  atomic_store_explicit(&a->packed, true, memory_order_release);
  if (a->writer_running) {
    pthread_join(a->writer, NULL);
    a->writer_running = false;
    a->run = NULL;   /* the writer closed it */
  }
  atomic_store_explicit(&a->written, true, memory_order_release);
  if (a->syncer_running) {
    pthread_join(a->syncer, NULL);
    a->syncer_running = false;
  }
  if (a->close_code != 0 && err)
    *err = a->close_err;
  return a->close_code;
}

int ct_archiver_close(struct ct_archiver *a, struct ct_err *err)
{
  if (a == NULL)
    return 0;
  int code = ct_archiver_stop(a, err);
  struct ct_err ignored;
  if (a->run)
    (void)ct_run_close(a->run, ct_time_wall_ns(), &ignored);
  for (size_t i = 0; i < a->n_packers; i++)
    ct_packer_close(&a->packers[i]);
  ct_ring_free(a->notes);
  ct_ring_free(a->samples);
  ct_board_free(a->status);
  free(a->results.emf);
  free(a->results.sigma);
  free(a->results.counts);
  free(a);
  return code;
}

/* ---- the monitor's side --------------------------------------------------------------------------------------- */
/* Nothing waits for the disk: of what it is behind with, the newest is left out. */
static void send(struct ct_ring *ring, const void *what, size_t bytes)
{
  void *slot;
  if (ct_ring_reserve(ring, 1, &slot) == 0)
    return;
  memcpy(slot, what, bytes);
  ct_ring_commit(ring, 1, NULL);
}

static void send_note(struct ct_archiver *a, const struct note *note)
{
  send(a->notes, note, sizeof *note);
}

void ct_archiver_sample(struct ct_archiver *a, const struct ct_snapshot_core *core)
{
  send(a->samples, core, sizeof *core);
}

void ct_archiver_scalar(struct ct_archiver *a, const struct ct_run_scalar *scalar)
{
  struct note note = { .kind = NOTE_SCALAR, .time_ns = scalar->time_ns, .arrival_ns = scalar->arrival_ns, .value = scalar->value };
  snprintf(note.name, sizeof note.name, "%s", scalar->name);
  send_note(a, &note);
}

void ct_archiver_alarm(struct ct_archiver *a, const struct ct_snapshot_alarm *alarm, bool raised, int64_t now_ns)
{
  send_note(a, &(struct note){ .kind = NOTE_ALARM, .raised = raised, .time_ns = now_ns, .alarm = *alarm });
}

bool ct_archiver_results(struct ct_archiver *a, const struct ct_snapshot_core *core, const struct ct_map_view *map)
{
  struct results *r = &a->results;
  if (atomic_load_explicit(&r->full, memory_order_acquire))
    return false;
  r->core = *core;
  r->has_map = map != NULL;
  if (map) {
    size_t bytes = (size_t)map->head->rows * map->head->cols * sizeof(float);
    memcpy(r->emf, map->emf, bytes);
    memcpy(r->sigma, map->sigma, bytes);
    ct_map_photons(map, r->counts);
  }
  atomic_store_explicit(&r->full, true, memory_order_release);
  return true;
}

bool ct_archiver_results_pending(const struct ct_archiver *a)
{
  return atomic_load_explicit(&a->results.full, memory_order_acquire);
}

static uint64_t missed_in_rings(const struct ct_archiver *a)
{
  uint64_t missed = 0;
  for (size_t i = 0; i < a->n_packers; i++) {
    const struct ct_packer *p = &a->packers[i];
    struct ct_ring_stats stats;
    ct_ring_stats(p->lots, p->consumer, &stats);
    missed += stats.skipped.items - atomic_load_explicit(&p->told_missed, memory_order_relaxed);
  }
  return missed;
}

/* Over the last two seconds or more. */
static double measure_cores(struct ct_archiver *a)
{
  const int64_t now_ns = ct_time_mono_ns();
  int64_t cpu_ns = atomic_load_explicit(&a->cpu_ns, memory_order_relaxed);
  if (a->cpu_since_ns != 0 && now_ns - a->cpu_since_ns < 2 * CT_NS_PER_S)
    return a->cores;
  for (size_t i = 0; i < a->n_packers; i++) {
    struct ct_packer *p = &a->packers[i];
    const int64_t packer_ns = atomic_load_explicit(&p->cpu_ns, memory_order_relaxed);
    if (a->cpu_since_ns != 0)
      p->cores = (double)(packer_ns - p->cpu_before_ns) / (double)(now_ns - a->cpu_since_ns);
    p->cpu_before_ns = packer_ns;
    cpu_ns += packer_ns;
  }
  a->cores = a->cpu_since_ns != 0 ? (double)(cpu_ns - a->cpu_before_ns) / (double)(now_ns - a->cpu_since_ns) : (double)NAN;
  a->cpu_before_ns = cpu_ns;
  a->cpu_since_ns = now_ns;
  return a->cores;
}

void ct_archiver_packing(const struct ct_archiver *a, struct ct_snapshot_stream *streams, size_t n)
{
  for (size_t i = 0; i < n && i < a->n_streams; i++) {
    const struct ct_run_packing *packing = &a->seen.packing[i];
    snprintf(streams[i].codec, sizeof streams[i].codec, "%s", packing->codec != NULL ? packing->codec : "");
    streams[i].ratio = packing->codec != NULL ? packing->ratio : (double)NAN;
  }
  for (size_t i = 0; i < a->n_packers; i++)
    if (a->packers[i].stream < n)
      streams[a->packers[i].stream].packing_cores = a->packers[i].cores;
}

void ct_archiver_status(struct ct_archiver *a, struct ct_snapshot_archive *out, char *reason, size_t reason_bytes)
{
  const struct status *status = ct_board_acquire(a->status);
  if (status)
    a->seen = *status;
  ct_board_release(a->status, status);
  *out = a->seen.archive;
  out->cores = measure_cores(a);
  snprintf(reason, reason_bytes, "%s", a->seen.reason);
  /* Missed frames that the packer has not come across yet: a blocked disk shows them as they happen. */
  out->missed_frames += missed_in_rings(a);
  uint64_t waiting = 0;
  for (size_t i = 0; i < a->n_packers; i++) {
    struct ct_ring_stats stats;
    ct_ring_stats(a->packers[i].lots, a->packers[i].consumer, &stats);
    waiting += stats.waiting.items;
  }
  out->lag_s = waiting > 0 && a->seen.newest_ns ? (double)(ct_time_wall_ns() - a->seen.newest_ns) / 1e9 : 0;
}
