/* One receiving ZeroMQ socket, watched and revived. Internal to pipeline.
 * Ownership: the socket and its context belong to struct ct_socket; received parts belong to the caller. */
#ifndef PIPELINE_SOCKET_H
#define PIPELINE_SOCKET_H

#include <stdatomic.h>
#include <zmq.h>

#include <comptop/core.h>

struct ct_socket_setup {
  const char *endpoint;
  bool pull;
  uint64_t queue_bytes;         /* what libzmq may hold before it drops (SUB) or pushes back (PULL) */
  uint64_t typical_bytes;       /* of one message, until the first one tells */
};

struct ct_socket {
  void *context, *socket, *events;
  char endpoint[128];
  uint64_t queue_bytes;
  bool sized;
  unsigned connections;         /* made so far, as far as ct_socket_watch has read */
  int64_t broken_ns;            /* when the connection broke and nobody retried; 0: all is well */
  _Atomic bool connected;       /* written by the thread that watches, read by any: relaxed, it is only shown */
};

struct ct_message {
  zmq_msg_t *parts;             /* <capacity> of them, the caller's */
  int capacity;
  int n;                        /* parts that came; only the first <capacity> are kept */
  uint64_t bytes;               /* of all that came */
};

int ct_socket_open(struct ct_socket *s, const struct ct_socket_setup *setup, struct ct_err *err) CT_MUST_CHECK;
void ct_socket_close(struct ct_socket *s);
/* One whole message without waiting: 1, or 0 when there is none. The caller closes it with ct_message_close. */
int ct_socket_receive(struct ct_socket *s, struct ct_message *message);
void ct_message_close(struct ct_message *message);
/* Reads what the connection has to tell and revives a subscriber that libzmq has given up (libzmq issue 4196). Call it a
 * few times a second from the thread that receives. */
void ct_socket_watch(struct ct_socket *s, int64_t mono_ns);
/* Tells how large messages really are, so that the high-water mark in messages keeps to the budget in bytes. The first
 * message decides. */
void ct_socket_sized(struct ct_socket *s, uint64_t message_bytes);
/* The descriptor that becomes readable when something happened (edge-triggered; see monitor). */
int ct_socket_fd(struct ct_socket *s);

#endif
