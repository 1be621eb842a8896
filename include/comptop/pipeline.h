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
/* Waits until somebody has subscribed (PUB) or connected (PUSH): 0, or CT_ENODATA after <timeout_ms> (-1: for ever). */
int ct_publisher_wait(struct ct_publisher *publisher, int timeout_ms) CT_MUST_CHECK;
/* Sends one message of <n> parts, copying them. PUB never blocks; PUSH waits for room. 0 or CT_EIO. */
struct ct_publisher_part {
  const void *data;
  size_t bytes;
};
int ct_publisher_send(struct ct_publisher *publisher, const struct ct_publisher_part *parts, size_t n) CT_MUST_CHECK;
/* Lets queued messages leave for at most <linger_ms>, then closes. NULL is fine. */
void ct_publisher_close(struct ct_publisher *publisher, int linger_ms);

#endif
