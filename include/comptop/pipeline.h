/* pipeline: who runs where. Receivers, publishers, workers; the only room with threads, and with monitor the only one
 * with ZeroMQ. Ownership: handles belong to whoever opened them and are closed by the thread that opened them. */
#ifndef COMPTOP_PIPELINE_H
#define COMPTOP_PIPELINE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <comptop/core.h>

/* ---- publishers: what comptop-sim and comptop-replay speak through ---------------------------------- */
struct ct_publisher;
enum ct_publisher_kind { CT_PUBLISH_PUB, CT_PUBLISH_PUSH };
/* Binds <endpoint> (tcp://127.0.0.1:5555, ipc://@name, ...). <queue_bytes> / <message_bytes> sets the high-water mark. */
int ct_publisher_open(struct ct_publisher **out, const char *endpoint, enum ct_publisher_kind kind,
                      uint64_t queue_bytes, uint64_t message_bytes, struct ct_err *err) CT_MUST_CHECK;
/* What it is bound to, with the port in place of tcp://...:*; lives as long as the publisher. */
const char *ct_publisher_endpoint(const struct ct_publisher *publisher);
/* Waits until somebody has subscribed (PUB) or connected (PUSH): 0; CT_ENODATA after <timeout_ms> (-1: for ever);
 * CT_EBUSY when a signal came first: look at your stop flag, then ask again; CT_EIO. */
int ct_publisher_wait(struct ct_publisher *publisher, int timeout_ms) CT_MUST_CHECK;
/* Sends one message of <n> parts, copying them: 0 or CT_EIO. PUB never blocks (a subscriber whose queue is full misses
 * the message). PUSH waits for room; after 200 ms, or when a signal comes, it returns CT_EBUSY and nothing was sent:
 * look at your stop flag, then send the same again. */
struct ct_publisher_part {
  const void *data;
  size_t bytes;
};
int ct_publisher_send(struct ct_publisher *publisher, const struct ct_publisher_part *parts, size_t n) CT_MUST_CHECK;
/* Lets queued messages leave for at most <linger_ms>, then closes. NULL is fine. */
void ct_publisher_close(struct ct_publisher *publisher, int linger_ms);

/* ---- pacing: frame k is due at start + k / rate_hz, without drift --------------------------------------- */
struct ct_pace {
  double rate_hz;             /* 0: full speed, nothing waits */
  int64_t start_ns;           /* monotonic clock */
  int64_t late_ns;            /* of the frame last asked for; at high rates up to 3 ms are normal, see below */
  int64_t worst_late_ns;
};
void ct_pace_start(struct ct_pace *pace, double rate_hz);
/* 0: frame <k>, counted from 0 at the start, is due. CT_EBUSY: slept for a while (at most 0.2 s, or until a signal
 * came): look at your stop flag, then ask again. Above 333 Hz it sleeps 3 ms longer than asked and lets the frames
 * that became due meanwhile go in a burst. */
int ct_pace_wait(struct ct_pace *pace, uint64_t k) CT_MUST_CHECK;

#endif
