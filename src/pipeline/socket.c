/* A receiving socket: options, one message at a time, revival. One context and so one I/O thread a stream: a camera's
 * gigabytes never queue before a detector's frames, and closing one stream waits for no other. */
#include "socket.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

/* A single part above this makes libzmq drop the connection, and with it whatever the publisher had queued for us: only
 * absurd announcements may cost that. A gigabyte of rubbish is received, rejected by its size, and costs no other frame. */
static const int64_t part_limit_bytes = INT64_C(1) << 30 | INT64_C(1) << 28;

/* libzmq announces a retry within its reconnect interval (100 ms); a connection that broke without one stays dead. */
static const int64_t revive_after_ns = CT_NS_PER_S / 2;

static int set_int(void *socket, int option, int value) { return zmq_setsockopt(socket, option, &value, sizeof value); }

static int hwm_messages(uint64_t queue_bytes, uint64_t message_bytes)
{
  uint64_t messages = queue_bytes / (message_bytes ? message_bytes : 1);
  return messages < 16 ? 16 : messages > 200000 ? 200000 : (int)messages;
}

static void set_options(struct ct_socket *s, const struct ct_socket_setup *setup)
{
  void *socket = s->socket;
  set_int(socket, ZMQ_LINGER, 0);
  set_int(socket, ZMQ_RCVHWM, hwm_messages(setup->queue_bytes, setup->typical_bytes));
  zmq_setsockopt(socket, ZMQ_MAXMSGSIZE, &part_limit_bytes, sizeof part_limit_bytes);
  set_int(socket, ZMQ_HANDSHAKE_IVL, 3000);
  /* A silent network is otherwise never noticed by a subscriber. Not libzmq's heartbeats: they abort the process (4.3,
   * out_event asserts !_io_error) where one is due on a connection whose peer has gone while our queue was full, and they
   * cut off a publisher that was only stopped for a while, with all it had queued. */
  set_int(socket, ZMQ_TCP_KEEPALIVE, 1);
  set_int(socket, ZMQ_TCP_KEEPALIVE_IDLE, 2);
  set_int(socket, ZMQ_TCP_KEEPALIVE_INTVL, 1);
  set_int(socket, ZMQ_TCP_KEEPALIVE_CNT, 3);
  set_int(socket, ZMQ_RECONNECT_IVL, 100);
  set_int(socket, ZMQ_RECONNECT_IVL_MAX, 5000);
  set_int(socket, ZMQ_IPV6, 1);
  if (!setup->pull)
    zmq_setsockopt(socket, ZMQ_SUBSCRIBE, "", 0);
}

static int open_events(struct ct_socket *s)
{
  char name[64];
  snprintf(name, sizeof name, "inproc://events-%p", (void *)s);
  if (zmq_socket_monitor(s->socket, name, ZMQ_EVENT_ALL) != 0)
    return -1;
  s->events = zmq_socket(s->context, ZMQ_PAIR);
  if (s->events == NULL)
    return -1;
  set_int(s->events, ZMQ_LINGER, 0);
  return zmq_connect(s->events, name);
}

int ct_socket_open(struct ct_socket *s, const struct ct_socket_setup *setup, struct ct_err *err)
{
  memset(s, 0, sizeof *s);
  if (strlen(setup->endpoint) >= sizeof s->endpoint)
    return ct_err_set(err, CT_ERANGE, "endpoint '%.60s...' is longer than %zu characters", setup->endpoint,
                      sizeof s->endpoint - 1);
  strcpy(s->endpoint, setup->endpoint);
  s->queue_bytes = setup->queue_bytes;
  s->context = zmq_ctx_new();
  s->socket = s->context ? zmq_socket(s->context, setup->pull ? ZMQ_PULL : ZMQ_SUB) : NULL;
  if (s->socket == NULL || (set_options(s, setup), open_events(s)) != 0) {
    int why = errno;
    ct_socket_close(s);
    return ct_err_set(err, CT_EIO, "no ZeroMQ socket for %s: %s", setup->endpoint, zmq_strerror(why));
  }
  if (zmq_connect(s->socket, s->endpoint) != 0) {
    int why = errno;
    ct_socket_close(s);
    return ct_err_set(err, CT_ECONFIG, "cannot connect to '%s': %s; an endpoint looks like tcp://host:5555 or ipc://path",
                      setup->endpoint, zmq_strerror(why));
  }
  return 0;
}

void ct_socket_close(struct ct_socket *s)
{
  if (s->socket)
    zmq_socket_monitor(s->socket, NULL, 0);
  if (s->events)
    zmq_close(s->events);
  if (s->socket)
    zmq_close(s->socket);
  if (s->context)
    while (zmq_ctx_term(s->context) != 0 && errno == EINTR)
      ;
  s->context = s->socket = s->events = NULL;
}

static int receive_part(void *socket, zmq_msg_t *part)
{
  int got;
  do
    got = zmq_msg_recv(part, socket, ZMQ_DONTWAIT);
  while (got < 0 && errno == EINTR);
  return got;
}

int ct_socket_receive(struct ct_socket *s, struct ct_message *message)
{
  message->n = 0;
  message->bytes = 0;
  for (bool more = true; more; message->n++) {
    zmq_msg_t part;
    zmq_msg_init(&part);
    if (receive_part(s->socket, &part) < 0) {
      /* Parts of one message arrive together: this can only be the first one. */
      zmq_msg_close(&part);
      break;
    }
    more = zmq_msg_more(&part) != 0;
    message->bytes += zmq_msg_size(&part);
    if (message->n < message->capacity) {
      zmq_msg_init(&message->parts[message->n]);
      zmq_msg_move(&message->parts[message->n], &part);
    }
    zmq_msg_close(&part);
  }
  return message->n > 0;
}

void ct_message_close(struct ct_message *message)
{
  for (int i = 0; i < message->n && i < message->capacity; i++)
    zmq_msg_close(&message->parts[i]);
  message->n = 0;
}

/* The next event of the connection, or 0. */
static int next_event(struct ct_socket *s)
{
  zmq_msg_t part;
  zmq_msg_init(&part);
  int event = 0;
  if (receive_part(s->events, &part) >= 0) {
    uint16_t number = 0;
    if (zmq_msg_size(&part) >= sizeof number)
      memcpy(&number, zmq_msg_data(&part), sizeof number);
    event = number;
    bool more = zmq_msg_more(&part) != 0;
    zmq_msg_close(&part);
    zmq_msg_init(&part);
    if (more)
      receive_part(s->events, &part);
  }
  zmq_msg_close(&part);
  return event;
}

static void take_event(struct ct_socket *s, int event, int64_t mono_ns)
{
  switch (event) {
  case ZMQ_EVENT_HANDSHAKE_SUCCEEDED:
    s->broken_ns = 0;
    s->connections++;
    atomic_store_explicit(&s->connected, true, memory_order_relaxed);
    return;
  case ZMQ_EVENT_CONNECT_DELAYED:
  case ZMQ_EVENT_CONNECT_RETRIED:
  case ZMQ_EVENT_CONNECTED:
    s->broken_ns = 0;
    return;
  case ZMQ_EVENT_DISCONNECTED:
  case ZMQ_EVENT_CLOSED:
  case ZMQ_EVENT_HANDSHAKE_FAILED_PROTOCOL:
  case ZMQ_EVENT_HANDSHAKE_FAILED_NO_DETAIL:
  case ZMQ_EVENT_HANDSHAKE_FAILED_AUTH:
    s->broken_ns = mono_ns;
    atomic_store_explicit(&s->connected, false, memory_order_relaxed);
    return;
  }
}

static void revive(struct ct_socket *s)
{
  zmq_disconnect(s->socket, s->endpoint);
  zmq_connect(s->socket, s->endpoint);
  s->broken_ns = 0;
}

void ct_socket_watch(struct ct_socket *s, int64_t mono_ns)
{
  for (int event; (event = next_event(s)) != 0;)
    take_event(s, event, mono_ns);
  if (s->broken_ns != 0 && mono_ns - s->broken_ns > revive_after_ns)
    revive(s);
}

void ct_socket_sized(struct ct_socket *s, uint64_t message_bytes)
{
  /* Never again later: libzmq (4.3) gives the sending side of a pipe new credit whenever as many messages have been read as
   * half of the mark. Where the mark changes in between, the sender may have used up its credit while the reader waits for
   * a message, and nothing comes any more. */
  if (s->sized)
    return;
  s->sized = true;
  set_int(s->socket, ZMQ_RCVHWM, hwm_messages(s->queue_bytes, message_bytes));
}

int ct_socket_fd(struct ct_socket *s)
{
  int fd = -1;
  size_t size = sizeof fd;
  return zmq_getsockopt(s->socket, ZMQ_FD, &fd, &size) == 0 ? fd : -1;
}
