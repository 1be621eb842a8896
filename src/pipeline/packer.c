#include "packer.h"

#include <math.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "events.h"
#include "lot.h"
#include "receive.h"

static const size_t chunk_bytes = 4 << 20;            /* enlarged where one frame of a stream is more */
static const int64_t partial_after_ns = CT_NS_PER_S / 4;

static void nap(void) { nanosleep(&(struct timespec){ .tv_nsec = 2000000 }, NULL); }

/* ---- the thread ----------------------------------------------------------------------------------------------- */
static struct ct_chunk *idle_chunk(struct ct_packer *p)
{
  struct ct_ring_batch batch;
  while (ct_ring_peek(p->idle, 0, 1, &batch) == 0)
    nap();   /* the disk is behind; frames wait in the ring meanwhile */
  struct ct_chunk *chunk = *(struct ct_chunk **)batch.slots;
  ct_ring_release(p->idle, 0, 1);
  return chunk;
}

static void send_parcel(struct ct_packer *p, const struct ct_parcel *parcel)
{
  void *slot;
  while (ct_ring_reserve(p->parcels, 1, &slot) == 0)
    nap();
  memcpy(slot, parcel, sizeof *parcel);
  ct_ring_commit(p->parcels, 1, NULL);
}

static void hand_over(struct ct_packer *p)
{
  if (p->filling == NULL)
    return;
  ct_chunk_pack(p->filling, p->codec);
  struct ct_chunk *full = p->filling;
  p->filling = NULL;
  p->before = full;
  send_parcel(p, &(struct ct_parcel){ .chunk = full, .newest_ns = p->newest_ns });
  atomic_store_explicit(&p->cpu_ns, ct_time_cpu_ns(), memory_order_relaxed);
}

/* <limits>: only what reaches them is kept; NULL: all of it. */
static void pack_frames(struct ct_packer *p, const struct ct_frame *frame, const struct ct_chunk_limits *limits)
{
  uint32_t done = 0;
  while (done < frame->count) {
    if (p->filling == NULL) {
      p->filling = idle_chunk(p);
      ct_chunk_begin(p->filling, p->stream, p->frame_hz, p->before);
      p->filling_since_ns = ct_time_mono_ns();
    }
    uint32_t taken = ct_chunk_add(p->filling, frame, done);
    if (limits)
      ct_chunk_suppress(p->filling, taken, limits);
    if (taken == 0 && ct_chunk_count(p->filling) == 0) {
      /* Larger than a chunk's room: cannot be archived, and is said so. */
      send_parcel(p, &(struct ct_parcel){ .first = frame->number + done, .last = frame->number + frame->count - 1,
                                       .reason = CT_GAP_MISSED });
      return;
    }
    done += taken;
    p->newest_ns = frame->arrival_ns;
    if (done < frame->count || ct_chunk_full(p->filling))
      hand_over(p);
  }
}

static void tell_missed(struct ct_packer *p, uint64_t frames)
{
  hand_over(p);
  send_parcel(p, &(struct ct_parcel){ .first = p->next_number, .last = p->next_number + frames - 1, .reason = CT_GAP_MISSED });
  atomic_store_explicit(&p->told_missed, atomic_load_explicit(&p->told_missed, memory_order_relaxed) + frames,
                        memory_order_relaxed);
}

/* The next lot, with a reference of our own to its message: the slot goes back at once, whatever the disk does. */
static bool next_lot(struct ct_packer *p, struct ct_lot *lot)
{
  struct ct_ring_batch batch;
  if (ct_ring_peek(p->lots, p->consumer, 1, &batch) == 0)
    return false;
  uint64_t skipped = batch.skipped;
  const struct ct_lot *slot = batch.slots;
  *lot = *slot;
  if (slot->kind == CT_LOT_FRAMES) {
    size_t start = (size_t)(slot->frame.pixels - (const unsigned char *)zmq_msg_data((zmq_msg_t *)(uintptr_t)&slot->message));
    zmq_msg_init(&lot->message);
    zmq_msg_copy(&lot->message, (zmq_msg_t *)(uintptr_t)&slot->message);
    lot->frame.pixels = (const unsigned char *)zmq_msg_data(&lot->message) + start;
  }
  ct_ring_release(p->lots, p->consumer, 1);
  if (skipped > 0)
    tell_missed(p, skipped);
  return true;
}

static void pack_lot(struct ct_packer *p, struct ct_lot *lot)
{
  if (lot->kind == CT_LOT_LOST) {
    send_parcel(p, &(struct ct_parcel){ .first = lot->first, .last = lot->last, .reason = CT_GAP_LOST });
    return;
  }
  pack_frames(p, &lot->frame, p->filter ? ct_event_filter_of(p->filter, lot) : NULL);
  p->next_number = lot->frame.number + lot->frame.count;
  zmq_msg_close(&lot->message);
}

static void *packer_main(void *arg)
{
  struct ct_packer *p = arg;
  struct ct_lot lot;
  for (;;) {
    bool stop = atomic_load_explicit(&p->stop, memory_order_acquire);
    if (next_lot(p, &lot)) {
      pack_lot(p, &lot);
      continue;
    }
    if (p->filling && (stop || ct_time_mono_ns() - p->filling_since_ns > partial_after_ns))
      hand_over(p);
    if (stop)
      break;
    nap();
  }
  return NULL;
}

/* ---- the writer's side ------------------------------------------------------------------------------------------- */
bool ct_packer_take(struct ct_packer *p, struct ct_parcel *parcel)
{
  struct ct_ring_batch batch;
  if (ct_ring_peek(p->parcels, 0, 1, &batch) == 0)
    return false;
  *parcel = *(const struct ct_parcel *)batch.slots;
  ct_ring_release(p->parcels, 0, 1);
  return true;
}

void ct_packer_give_back(struct ct_packer *p, struct ct_chunk *chunk)
{
  void *slot;
  while (ct_ring_reserve(p->idle, 1, &slot) == 0)
    nap();   /* never: the ring holds all chunks there are */
  memcpy(slot, &chunk, sizeof chunk);
  ct_ring_commit(p->idle, 1, NULL);
}

/* ---- opening and closing -------------------------------------------------------------------------------------------- */
static size_t room_of(const struct ct_run_setup *run, size_t stream)
{
  const size_t two_frames = (size_t)run->rows * run->cols * sizeof(float) * 2;
  if (run->streams[stream].role == CT_ROLE_CAMERA)
    return 64 << 20;   /* address space only: pages are touched when a frame needs them */
  return two_frames > chunk_bytes ? two_frames : chunk_bytes;
}

int ct_packer_open(struct ct_packer *p, const struct ct_run_setup *run, size_t stream, struct ct_receiver *receiver,
                   const struct ct_analysis_setup *analysis, struct ct_err *err)
{
  const struct ct_run_stream *about = &run->streams[stream];
  struct ct_ring_config parcels = { .slots = 64, .slot_bytes = sizeof(struct ct_parcel), .consumers = 1 };
  struct ct_ring_config idle = { .slots = CT_PACKER_CHUNKS, .slot_bytes = sizeof(struct ct_chunk *), .consumers = 1 };
  p->stream = stream;
  p->cores = (double)NAN;
  p->frame_hz = about->frame_hz;
  p->codec = about->codec;
  p->lots = ct_receiver_ring(receiver, CT_CONSUMER_ARCHIVE, &p->consumer);
  if (p->lots == NULL)
    return ct_err_set(err, CT_EUSAGE, "stream %s was opened without an archive", about->name);
  int code = about->codec == CT_CODEC_EVENTS ? ct_event_filter_new(&p->filter, analysis, err) : 0;
  if (code == 0)
    code = ct_ring_new(&p->parcels, &parcels, err);
  if (code == 0)
    code = ct_ring_new(&p->idle, &idle, err);
  for (int i = 0; i < CT_PACKER_CHUNKS && code == 0; i++) {
    p->chunks[i] = ct_chunk_new(room_of(run, stream));
    ct_packer_give_back(p, p->chunks[i]);
  }
  return code;
}

bool ct_packer_start(struct ct_packer *p)
{
  p->running = pthread_create(&p->thread, NULL, packer_main, p) == 0;
  return p->running;
}

void ct_packer_stop(struct ct_packer *p)
{
  atomic_store_explicit(&p->stop, true, memory_order_release);
  if (p->running)
    pthread_join(p->thread, NULL);
  p->running = false;
}

void ct_packer_close(struct ct_packer *p)
{
  for (int i = 0; i < CT_PACKER_CHUNKS; i++)
    ct_chunk_free(p->chunks[i]);
  ct_ring_free(p->parcels);
  ct_ring_free(p->idle);
  ct_event_filter_free(p->filter);
}
