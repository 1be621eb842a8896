/* The receiver thread: socket -> decoder -> tracker -> ring. What a message goes through, in order:
 *   decode    rejected and ignored messages end here; an odin message whose dataset is not chosen yet waits in <waiting>
 *   track     duplicates and frames that come too late end here; what may be a restart is kept in <held>
 *   push      the frames that are taken go into the ring, with a reference to the message they lie in */
#include <comptop/pipeline.h>

#include <math.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <comptop/ring.h>

#include "keys.h"
#include "lot.h"
#include "receive.h"
#include "socket.h"

enum {
  MESSAGE_PARTS = 3,        /* header and pixels; the third only shows that there are too many */
  BURST_MESSAGES = 256,     /* between two looks at the clock, the connection and the stop flag */
  SLOTS_MIN = 1024,
  SLOTS_MAX = 1 << 18
};
/* How long the thread sleeps when nothing is there. libzmq's own thread receives meanwhile; taking its messages in
 * bursts costs a third of what a wake-up for each would. */
static const long nap_ns = 2000000;
static const int64_t settle_after_ns = CT_NS_PER_S;
/* libzmq's queue bridges moments in which the thread does not run at all; what waits longer waits in the ring. */
static const uint64_t queue_bytes = UINT64_C(256) << 20;

/* Written by the receiver thread, read by any: relaxed, each is a number to show and orders nothing. */
struct counters {
  _Atomic uint64_t frames, lost, late, restarts, highest, ignored, tolerated, bytes;
  _Atomic uint64_t rejected[CT_REJECT_COUNT];
  struct ct_keys keys;
  _Atomic int64_t last_mono_ns, message_mono_ns;   /* of the last accepted frame, of the last message */
  _Atomic int format;
  _Atomic bool sampled;
};

struct kept {
  zmq_msg_t header, pixels;
  int64_t arrival_ns, mono_ns;
};
struct held {
  zmq_msg_t pixels;
  struct ct_frame frame;
  bool odin;
};

struct ct_receiver {
  char name[CT_NAME];
  enum ct_role role;
  struct ct_socket socket;
  struct ct_wire *wire;
  struct ct_ring *ring;             /* NULL: nobody reads the frames */
  int consumer[CT_CONSUMERS];       /* its number in the ring, -1: not there */
  struct counters counters;

  /* The receiver thread's own. */
  struct ct_track track;
  enum ct_sampled sampled;
  unsigned connections;             /* that the tracker has been told of */
  bool tracking;                    /* the first frame has shown the format, and the tracker was told */
  struct kept waiting[CT_WIRE_HELD];
  unsigned n_waiting;
  struct held held[CT_TRACK_HELD];
  unsigned n_held;
  struct ct_wire_message decoded, again;

  pthread_t thread;
  bool running;                     /* the opener's */
  _Atomic bool stop;                /* release by stop, acquire by the thread */
  char first_rejected[256];         /* written once, before... */
  _Atomic bool has_rejected;        /* ...this is set: release by the thread, acquire in ct_receiver_stats */
  struct ct_first_header first_header;
};

static void add(_Atomic uint64_t *counter, uint64_t n)
{
  /* One writer: no read-modify-write needed. */
  atomic_store_explicit(counter, atomic_load_explicit(counter, memory_order_relaxed) + n, memory_order_relaxed);
}

static uint64_t get(const _Atomic uint64_t *counter) { return atomic_load_explicit(counter, memory_order_relaxed); }

/* ---- counting -------------------------------------------------------------------------------------- */
static void remember_rejected(struct ct_receiver *r, const struct ct_wire_message *decoded, const struct ct_wire_part *parts,
                              size_t n_parts)
{
  if (atomic_load_explicit(&r->has_rejected, memory_order_relaxed))
    return;
  int header_bytes = n_parts > 0 ? (int)(parts[0].bytes < 160 ? parts[0].bytes : 160) : 0;
  char header[161];
  for (int i = 0; i < header_bytes; i++) {
    unsigned char byte = ((const unsigned char *)parts[0].data)[i];
    header[i] = byte >= ' ' && byte < 127 ? (char)byte : '.';
  }
  header[header_bytes] = '\0';
  snprintf(r->first_rejected, sizeof r->first_rejected, "%.90s; header: %.150s", decoded->reason, header);
  atomic_store_explicit(&r->has_rejected, true, memory_order_release);
}

void ct_first_header_keep(struct ct_first_header *header, const struct ct_wire_part *parts, size_t n_parts)
{
  if (n_parts == 0 || atomic_load_explicit(&header->there, memory_order_relaxed))
    return;
  const size_t bytes = parts[0].bytes < sizeof header->text ? parts[0].bytes : sizeof header->text - 1;
  for (size_t i = 0; i < bytes; i++) {
    unsigned char byte = ((const unsigned char *)parts[0].data)[i];
    header->text[i] = byte >= ' ' && byte < 127 ? (char)byte : '.';
  }
  atomic_store_explicit(&header->there, true, memory_order_release);
}

const char *ct_first_header_text(const struct ct_first_header *header)
{
  return atomic_load_explicit(&header->there, memory_order_acquire) ? header->text : NULL;
}

const char *ct_receiver_first_header(const struct ct_receiver *r) { return ct_first_header_text(&r->first_header); }

static void publish_track(struct ct_receiver *r)
{
  const struct ct_track_counts *now = &r->track.counts;
  struct counters *c = &r->counters;
  atomic_store_explicit(&c->frames, now->frames, memory_order_relaxed);
  atomic_store_explicit(&c->lost, now->lost, memory_order_relaxed);
  atomic_store_explicit(&c->late, now->late, memory_order_relaxed);
  atomic_store_explicit(&c->restarts, now->restarts, memory_order_relaxed);
  atomic_store_explicit(&c->highest, now->highest, memory_order_relaxed);
  atomic_store_explicit(&c->rejected[CT_REJECT_DUPLICATE], now->duplicate, memory_order_relaxed);
  atomic_store_explicit(&c->rejected[CT_REJECT_TOO_LATE], now->too_late, memory_order_relaxed);
  atomic_store_explicit(&c->sampled, now->sampled, memory_order_relaxed);
}

/* ---- into the ring ----------------------------------------------------------------------------------- */
/* A slot. Consumers sit on slots only for the moment in which they use them or take references, so that one comes free
 * soon; meanwhile libzmq's queue receives. */
static struct ct_lot *next_lot(struct ct_receiver *r)
{
  void *slot;
  while (ct_ring_reserve(r->ring, 1, &slot) == 0)
    nanosleep(&(struct timespec){ .tv_nsec = 100000 }, NULL);
  return slot;
}

/* Hands frames [offset, offset + count) of <frame> on; takes a reference to <pixels>. */
static void push(struct ct_receiver *r, zmq_msg_t *pixels, const struct ct_frame *frame, uint32_t offset, uint32_t count,
                 bool late, bool odin)
{
  struct ct_frame part = *frame;
  part.count = count;
  part.number += offset;
  part.late = late;
  size_t skip_bytes = frame->bytes / frame->count * offset;
  part.bytes = frame->bytes / frame->count * count;
  ct_keys_count(&r->counters.keys, &part);
  if (r->ring == NULL)
    return;
  struct ct_lot *lot = next_lot(r);
  size_t start = (size_t)(frame->pixels - (const unsigned char *)zmq_msg_data(pixels)) + skip_bytes;
  lot->kind = CT_LOT_FRAMES;
  lot->suspect = late && odin;
  lot->arrivals_ns = NULL;
  zmq_msg_init(&lot->message);
  zmq_msg_copy(&lot->message, pixels);
  lot->frame = part;
  lot->frame.pixels = (const unsigned char *)zmq_msg_data(&lot->message) + start;
  ct_ring_commit(r->ring, 1, &(struct ct_ring_weight){ .items = count, .bytes = part.bytes });
}

static void push_losses(struct ct_receiver *r)
{
  uint64_t first, last;
  while (ct_track_lost_next(&r->track, &first, &last)) {
    if (r->consumer[CT_CONSUMER_ARCHIVE] < 0)
      continue;
    struct ct_lot *lot = next_lot(r);
    lot->kind = CT_LOT_LOST;
    lot->first = first;
    lot->last = last;
    ct_ring_commit(r->ring, 1, &(struct ct_ring_weight){ .items = 0, .bytes = 0 });
  }
}

static void dispose(void *slot, void *arg)
{
  (void)arg;
  struct ct_lot *lot = slot;
  if (lot->kind == CT_LOT_FRAMES)
    zmq_msg_close(&lot->message);
}

/* ---- tracking ----------------------------------------------------------------------------------------- */
static void decide_held(struct ct_receiver *r, enum ct_held decision)
{
  if (decision == CT_HELD_KEEP)
    return;
  for (unsigned i = 0; i < r->n_held; i++) {
    struct held *h = &r->held[i];
    if (decision == CT_HELD_TAKE)
      push(r, &h->pixels, &h->frame, 0, h->frame.count, false, h->odin);
    zmq_msg_close(&h->pixels);
  }
  r->n_held = 0;
}

static void hold(struct ct_receiver *r, zmq_msg_t *pixels, const struct ct_frame *frame, bool odin)
{
  struct held *h = &r->held[r->n_held++];
  size_t start = (size_t)(frame->pixels - (const unsigned char *)zmq_msg_data(pixels));
  zmq_msg_init(&h->pixels);
  zmq_msg_copy(&h->pixels, pixels);
  h->frame = *frame;
  h->frame.pixels = (const unsigned char *)zmq_msg_data(&h->pixels) + start;
  h->odin = odin;
}

/* Only odin decimates by itself; of a stream in another format a gap is a loss unless it is configured otherwise. */
static void begin_tracking(struct ct_receiver *r, bool odin)
{
  ct_track_init(&r->track, r->sampled == CT_SAMPLED_AUTO && !odin ? CT_SAMPLED_OFF : r->sampled);
  r->tracking = true;
}

static void watch(struct ct_receiver *r, int64_t mono_ns)
{
  ct_socket_watch(&r->socket, mono_ns);
  if (r->socket.connections > 1 && r->socket.connections != r->connections)
    ct_track_rejoin(&r->track);
  r->connections = r->socket.connections;
}

static void admit(struct ct_receiver *r, zmq_msg_t *pixels, const struct ct_frame *frame, bool odin, int64_t mono_ns)
{
  struct ct_track_result result;
  if (!r->tracking)
    begin_tracking(r, odin);
  else if (frame->number <= r->track.counts.highest)
    watch(r, mono_ns);              /* of a connection that is new we are told before its first message comes */
  if (ct_track_add(&r->track, frame->number, frame->count, mono_ns, &result) != 0) {
    add(&r->counters.rejected[CT_REJECT_KEY], 1);
    return;
  }
  decide_held(r, result.held);
  bool taken = false;
  for (unsigned i = 0; i < result.n_spans; i++) {
    const struct ct_span *span = &result.spans[i];
    if (span->verdict == CT_HOLD)
      hold(r, pixels, frame, odin);
    else if (span->verdict == CT_TAKE || span->verdict == CT_TAKE_LATE) {
      push(r, pixels, frame, span->offset, span->count, span->verdict == CT_TAKE_LATE, odin);
      taken = true;
    }
  }
  if (taken || result.held == CT_HELD_TAKE)
    atomic_store_explicit(&r->counters.last_mono_ns, mono_ns, memory_order_relaxed);
  push_losses(r);
}

/* ---- decoding ------------------------------------------------------------------------------------------ */
/* The pixels of a packed frame get a message of their own. */
static bool unpack(struct ct_wire_message *decoded, zmq_msg_t *plain)
{
  if (zmq_msg_init_size(plain, decoded->frame.bytes) != 0) {
    decoded->verdict = CT_WIRE_REJECT;
    decoded->reject = CT_REJECT_COMPRESSED;
    snprintf(decoded->reason, sizeof decoded->reason, "no memory to unpack %zu bytes", decoded->frame.bytes);
    return false;
  }
  if (ct_wire_unpack(decoded, zmq_msg_data(plain)))
    return true;
  zmq_msg_close(plain);
  return false;
}

static void take(struct ct_receiver *r, struct ct_wire_message *decoded, const struct ct_wire_part *parts, size_t n_parts,
                 zmq_msg_t *pixels, int64_t arrival_ns, int64_t mono_ns)
{
  ct_first_header_keep(&r->first_header, parts, n_parts);
  if (decoded->tolerated)
    add(&r->counters.tolerated, 1);
  decoded->frame.arrival_ns = arrival_ns;
  decoded->frame.late = false;
  admit(r, pixels, &decoded->frame, decoded->format == CT_WIRE_ODIN, mono_ns);
}

static void act(struct ct_receiver *r, struct ct_wire_message *decoded, const struct ct_wire_part *parts, size_t n_parts,
                zmq_msg_t *pixels, int64_t arrival_ns, int64_t mono_ns)
{
  struct counters *c = &r->counters;
  zmq_msg_t plain;
  const bool packed = decoded->verdict == CT_WIRE_TAKE && decoded->packed.form != CT_PLAIN;
  const bool unpacked = packed && unpack(decoded, &plain);
  if (decoded->format != CT_WIRE_AUTO)
    atomic_store_explicit(&c->format, (int)decoded->format, memory_order_relaxed);
  if (decoded->begins)
    ct_track_anew(&r->track);
  switch (decoded->verdict) {
  case CT_WIRE_REJECT:
    add(&c->rejected[decoded->reject], 1);
    remember_rejected(r, decoded, parts, n_parts);
    break;
  case CT_WIRE_IGNORE:
    add(&c->ignored, 1);
    break;
  case CT_WIRE_WAIT:
    break;
  case CT_WIRE_TAKE:
    take(r, decoded, parts, n_parts, unpacked ? &plain : pixels, arrival_ns, mono_ns);
    break;
  }
  if (unpacked)
    zmq_msg_close(&plain);
}

static void use_waiting(struct ct_receiver *r)
{
  for (unsigned i = 0; i < r->n_waiting; i++) {
    struct kept *k = &r->waiting[i];
    struct ct_wire_part parts[2] = { { zmq_msg_data(&k->header), zmq_msg_size(&k->header) },
                                     { zmq_msg_data(&k->pixels), zmq_msg_size(&k->pixels) } };
    ct_wire_decode(r->wire, parts, 2, &r->again);
    act(r, &r->again, parts, 2, &k->pixels, k->arrival_ns, k->mono_ns);
    zmq_msg_close(&k->header);
    zmq_msg_close(&k->pixels);
  }
  r->n_waiting = 0;
}

static void take_message(struct ct_receiver *r, struct ct_message *message, int64_t mono_ns)
{
  struct ct_wire_part parts[MESSAGE_PARTS];
  size_t n_kept = message->n < message->capacity ? (size_t)message->n : (size_t)message->capacity;
  for (size_t i = 0; i < n_kept; i++)
    parts[i] = (struct ct_wire_part){ zmq_msg_data(&message->parts[i]), zmq_msg_size(&message->parts[i]) };
  int64_t arrival_ns = ct_time_wall_ns();
  add(&r->counters.bytes, message->bytes);
  atomic_store_explicit(&r->counters.message_mono_ns, mono_ns, memory_order_relaxed);
  ct_wire_decode(r->wire, parts, n_kept, &r->decoded);
  if (r->decoded.settled)
    use_waiting(r);
  if (r->decoded.verdict == CT_WIRE_WAIT && r->n_waiting < CT_WIRE_HELD) {
    struct kept *k = &r->waiting[r->n_waiting++];
    zmq_msg_init(&k->header);
    zmq_msg_init(&k->pixels);
    zmq_msg_move(&k->header, &message->parts[0]);
    zmq_msg_move(&k->pixels, &message->parts[1]);
    k->arrival_ns = arrival_ns;
    k->mono_ns = mono_ns;
    return;
  }
  act(r, &r->decoded, parts, n_kept, &message->parts[n_kept > 0 ? n_kept - 1 : 0], arrival_ns, mono_ns);
  if (r->decoded.verdict == CT_WIRE_TAKE)
    ct_socket_sized(&r->socket, message->bytes);
}

/* ---- the thread ----------------------------------------------------------------------------------------- */
/* At most BURST_MESSAGES messages: how many there were. */
static unsigned receive_burst(struct ct_receiver *r)
{
  zmq_msg_t parts[MESSAGE_PARTS];
  struct ct_message message = { .parts = parts, .capacity = MESSAGE_PARTS };
  unsigned n = 0;
  for (; n < BURST_MESSAGES && ct_socket_receive(&r->socket, &message); n++) {
    take_message(r, &message, ct_time_mono_ns());
    ct_message_close(&message);
  }
  return n;
}

static void tick(struct ct_receiver *r, int64_t mono_ns)
{
  if (r->n_waiting > 0 && mono_ns - r->waiting[0].mono_ns > settle_after_ns && ct_wire_settle(r->wire))
    use_waiting(r);
  decide_held(r, ct_track_tick(&r->track, mono_ns));
  push_losses(r);
  publish_track(r);
  if (r->ring)
    ct_ring_reclaim(r->ring, SIZE_MAX);
}

static void finish(struct ct_receiver *r)
{
  int64_t until_ns = ct_time_mono_ns() + CT_NS_PER_S;
  while (receive_burst(r) > 0 && ct_time_mono_ns() < until_ns)
    ;
  if (ct_wire_settle(r->wire))
    use_waiting(r);
  decide_held(r, ct_track_end(&r->track));
  push_losses(r);
  publish_track(r);
}

static void *receiver_main(void *arg)
{
  struct ct_receiver *r = arg;
  int64_t watched_ns = 0;
  while (!atomic_load_explicit(&r->stop, memory_order_acquire)) {
    unsigned n = receive_burst(r);
    int64_t mono_ns = ct_time_mono_ns();
    tick(r, mono_ns);
    if (mono_ns - watched_ns > CT_NS_PER_S / 20) {
      watch(r, mono_ns);
      watched_ns = mono_ns;
    }
    if (n < BURST_MESSAGES)
      nanosleep(&(struct timespec){ .tv_nsec = nap_ns }, NULL);
  }
  finish(r);
  return NULL;
}

/* ---- opening and closing ---------------------------------------------------------------------------------- */
static size_t slots_for(uint64_t budget_bytes, uint64_t frame_bytes)
{
  uint64_t want = budget_bytes / (frame_bytes ? frame_bytes : 1);
  size_t slots = SLOTS_MIN;
  while (slots < want && slots < SLOTS_MAX)
    slots *= 2;
  return slots;
}

static int open_ring(struct ct_receiver *r, const struct ct_receiver_setup *setup, uint64_t frame_bytes, struct ct_err *err)
{
  struct ct_ring_config config = { .slot_bytes = sizeof(struct ct_lot), .dispose = dispose };
  uint64_t most_bytes = 0;
  for (int i = 0; i < CT_CONSUMERS; i++) {
    r->consumer[i] = -1;
    if (!setup->consumers[i])
      continue;
    config.budgets[config.consumers].bytes = setup->budget_bytes[i];
    r->consumer[i] = (int)config.consumers++;
    if (setup->budget_bytes[i] > most_bytes)
      most_bytes = setup->budget_bytes[i];
  }
  if (config.consumers == 0)
    return 0;
  config.slots = slots_for(most_bytes, frame_bytes);
  return ct_ring_new(&r->ring, &config, err);
}

int ct_receiver_open(struct ct_receiver **out, const struct ct_receiver_setup *setup, struct ct_err *err)
{
  struct ct_receiver *r = ct_xcalloc(1, sizeof *r);
  uint64_t frame_bytes = (uint64_t)setup->wire.rows * setup->wire.cols * 2;
  uint64_t message_bytes = frame_bytes;
  /* A camera's are not known. Of a PUSH that goes while our queue is full libzmq loses what is still in the kernel, so the
   * queue is long until the first message tells. */
  if (frame_bytes == 0) {
    frame_bytes = UINT64_C(2) << 20;
    message_bytes = UINT64_C(1) << 16;
  }
  snprintf(r->name, sizeof r->name, "%s", setup->name);
  r->role = setup->wire.role;
  r->sampled = setup->sampled;
  ct_track_init(&r->track, setup->sampled);
  int code = ct_wire_new(&r->wire, &setup->wire, err);
  if (code == 0)
    code = open_ring(r, setup, frame_bytes, err);
  if (code == 0)
    code = ct_socket_open(&r->socket, &(struct ct_socket_setup){ .endpoint = setup->endpoint, .pull = setup->pull,
                          .queue_bytes = queue_bytes, .typical_bytes = message_bytes }, err);
  if (code == 0 && pthread_create(&r->thread, NULL, receiver_main, r) != 0)
    code = ct_err_set(err, CT_ENOMEM, "no thread for stream %s", setup->name);
  if (code != 0) {
    ct_receiver_close(r);
    return code;
  }
  r->running = true;
  *out = r;
  return 0;
}

void ct_receiver_stop(struct ct_receiver *r)
{
  if (!r->running)
    return;
  atomic_store_explicit(&r->stop, true, memory_order_release);
  pthread_join(r->thread, NULL);
  r->running = false;
}

void ct_receiver_close(struct ct_receiver *r)
{
  if (r == NULL)
    return;
  ct_receiver_stop(r);
  ct_ring_free(r->ring);
  ct_socket_close(&r->socket);
  ct_wire_free(r->wire);
  free(r);
}

/* ---- for others to read ------------------------------------------------------------------------------------- */
void ct_receiver_stats(const struct ct_receiver *r, struct ct_snapshot_stream *out)
{
  const struct counters *c = &r->counters;
  memset(out, 0, sizeof *out);
  snprintf(out->name, sizeof out->name, "%s", r->name);
  snprintf(out->endpoint, sizeof out->endpoint, "%s", r->socket.endpoint);
  int format = atomic_load_explicit(&c->format, memory_order_relaxed);
  if (format != CT_WIRE_AUTO)
    snprintf(out->format, sizeof out->format, "%s", ct_wire_format_word((enum ct_wire_format)format));
  out->role = r->role;
  out->sampled = atomic_load_explicit(&c->sampled, memory_order_relaxed);
  out->frames = get(&c->frames);
  out->lost = get(&c->lost);
  out->late = get(&c->late);
  out->restarts = get(&c->restarts);
  out->last_number = get(&c->highest);
  out->ignored = get(&c->ignored);
  out->tolerated = get(&c->tolerated);
  out->bytes = get(&c->bytes);
  ct_keys_stats(&c->keys, out);
  for (int i = 0; i < CT_REJECT_COUNT; i++)
    out->rejected += out->rejected_kind[i] = get(&c->rejected[i]);
  int64_t last_ns = atomic_load_explicit(&c->last_mono_ns, memory_order_relaxed);
  out->silent_s = last_ns ? (double)(ct_time_mono_ns() - last_ns) / 1e9 : (double)NAN;
  out->rate_hz = out->lag_s = NAN;
  if (atomic_load_explicit(&r->has_rejected, memory_order_acquire))
    memcpy(out->first_rejected, r->first_rejected, sizeof out->first_rejected);
}

void ct_receiver_ring_stats(const struct ct_receiver *r, unsigned consumer, struct ct_snapshot_ring *out)
{
  memset(out, 0, sizeof *out);
  snprintf(out->name, sizeof out->name, "%s", r->name);
  if (r->consumer[consumer] < 0)
    return;
  struct ct_ring_stats stats;
  ct_ring_stats(r->ring, (unsigned)r->consumer[consumer], &stats);
  out->fill = stats.fill;
  out->high = stats.high;
  out->skipped = stats.skipped.items;
}

double ct_receiver_quiet_s(const struct ct_receiver *r)
{
  int64_t last_ns = atomic_load_explicit(&r->counters.message_mono_ns, memory_order_relaxed);
  return last_ns ? (double)(ct_time_mono_ns() - last_ns) / 1e9 : (double)NAN;
}

bool ct_receiver_connected(const struct ct_receiver *r)
{
  return atomic_load_explicit(&r->socket.connected, memory_order_relaxed);
}

struct ct_ring *ct_receiver_ring(struct ct_receiver *r, unsigned consumer, unsigned *number)
{
  if (r->consumer[consumer] < 0)
    return NULL;
  *number = (unsigned)r->consumer[consumer];
  return r->ring;
}
