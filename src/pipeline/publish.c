/* Publishers: one bound socket that sends copies of messages. */
#include <comptop/pipeline.h>

#include <errno.h>
#include <limits.h>
#include <linux/sockios.h>
#include <poll.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <zmq.h>

enum { SEND_WAIT_MS = 200, LOOK_MS = 10, QUIET_LOOKS = 5, DESCRIPTORS = 1024 };

struct ct_publisher {
  void *context, *socket;
  enum ct_publisher_kind kind;
  unsigned topics;                /* subscribed at this moment; PUB only */
  char endpoint[256];
};

static int bind_error(const char *endpoint, struct ct_err *err)
{
  const char *advice;
  switch (errno) {
    case EINVAL:
      advice = "this is no endpoint; write tcp://127.0.0.1:5555 or ipc://PATH";
      break;
    case EPROTONOSUPPORT:
    case ENOCOMPATPROTO:
      advice = "this transport is not there; use tcp:// or ipc://";
      break;
    case EADDRINUSE:
      advice = "another program has it already; end that one or choose another port";
      break;
    case EADDRNOTAVAIL:
    case ENODEV:
      advice = "this machine has no such address; publishers bind an own one: tcp://127.0.0.1:PORT, or tcp://*:PORT for all";
      break;
    case EACCES:
      advice = "no permission; choose a port above 1023 or a folder of your own";
      break;
    default:
      advice = zmq_strerror(errno);
  }
  return ct_err_set(err, errno == EADDRINUSE ? CT_EBUSY : CT_EIO, "cannot publish on \"%s\": %s", endpoint, advice);
}

/* libzmq takes a port above 65535 modulo 65536, without a word. */
static bool port_too_high(const char *endpoint)
{
  const char *colon = strrchr(endpoint, ':');
  return strncmp(endpoint, "tcp://", 6) == 0 && colon != NULL && strtol(colon + 1, NULL, 10) > 65535;
}

/* libzmq counts messages, budgets count bytes. */
static int high_water(uint64_t queue_bytes, uint64_t message_bytes)
{
  uint64_t messages = queue_bytes / (message_bytes ? message_bytes : 1);
  if (messages > INT_MAX)
    return INT_MAX;
  return messages ? (int)messages : 1;     /* 0 would mean "no limit" */
}

static int set_up(struct ct_publisher *publisher, const char *endpoint, int hwm, struct ct_err *err)
{
  const int send_wait_ms = SEND_WAIT_MS, no_linger = 0;
  if (port_too_high(endpoint))
    return ct_err_set(err, CT_EIO, "cannot publish on \"%s\": ports end at 65535", endpoint);
  /* XPUB, because a PUB socket does not tell when somebody subscribes. */
  publisher->context = zmq_ctx_new();
  if (publisher->context != NULL)
    publisher->socket = zmq_socket(publisher->context, publisher->kind == CT_PUBLISH_PUB ? ZMQ_XPUB : ZMQ_PUSH);
  if (publisher->socket == NULL)
    return ct_err_set(err, CT_EIO, "cannot publish on \"%s\": no socket: %s", endpoint, zmq_strerror(errno));
  if (zmq_setsockopt(publisher->socket, ZMQ_SNDHWM, &hwm, sizeof hwm) != 0 ||
      zmq_setsockopt(publisher->socket, ZMQ_SNDTIMEO, &send_wait_ms, sizeof send_wait_ms) != 0 ||
      zmq_setsockopt(publisher->socket, ZMQ_LINGER, &no_linger, sizeof no_linger) != 0)
    return ct_err_set(err, CT_EIO, "cannot publish on \"%s\": %s", endpoint, zmq_strerror(errno));
  if (zmq_bind(publisher->socket, endpoint) != 0)
    return bind_error(endpoint, err);
  size_t size = sizeof publisher->endpoint;
  if (zmq_getsockopt(publisher->socket, ZMQ_LAST_ENDPOINT, publisher->endpoint, &size) != 0)
    return ct_err_set(err, CT_EIO, "cannot publish on \"%s\": %s", endpoint, zmq_strerror(errno));
  return 0;
}

int ct_publisher_open(struct ct_publisher **out, const char *endpoint, enum ct_publisher_kind kind,
                      uint64_t queue_bytes, uint64_t message_bytes, struct ct_err *err)
{
  *out = NULL;
  struct ct_publisher *publisher = ct_xcalloc(1, sizeof *publisher);
  publisher->kind = kind;
  int rc = set_up(publisher, endpoint, high_water(queue_bytes, message_bytes), err);
  if (rc != 0) {
    ct_publisher_close(publisher, 0);
    return rc;
  }
  *out = publisher;
  return 0;
}

const char *ct_publisher_endpoint(const struct ct_publisher *publisher)
{
  return publisher->endpoint;
}

/* Subscriptions come as messages, 1 TOPIC or 0 TOPIC; unread they would pile up. */
static void drain_subscriptions(struct ct_publisher *publisher)
{
  unsigned char news;
  for (int got; (got = zmq_recv(publisher->socket, &news, sizeof news, ZMQ_DONTWAIT)) >= 0;) {
    if (got > 0 && news == 1)
      publisher->topics++;
    else if (got > 0 && news == 0 && publisher->topics > 0)
      publisher->topics--;
  }
}

int ct_publisher_wait(struct ct_publisher *publisher, int timeout_ms)
{
  bool pub = publisher->kind == CT_PUBLISH_PUB;
  int64_t until_ns = ct_time_mono_ns() + (int64_t)timeout_ms * 1000000;
  for (;;) {
    if (pub)
      drain_subscriptions(publisher);
    if (pub && publisher->topics > 0)
      return 0;
    int64_t left_ms = timeout_ms < 0 ? -1 : (until_ns - ct_time_mono_ns()) / 1000000;
    zmq_pollitem_t item = { .socket = publisher->socket, .events = pub ? ZMQ_POLLIN : ZMQ_POLLOUT };
    int ready = zmq_poll(&item, 1, timeout_ms < 0 ? -1 : left_ms > 0 ? (long)left_ms : 0);
    if (ready < 0)
      return errno == EINTR ? CT_EBUSY : CT_EIO;
    if (ready > 0 && !pub)
      return 0;
    if (ready == 0 && timeout_ms >= 0 && left_ms <= 0)
      return CT_ENODATA;
  }
}

int ct_publisher_send(struct ct_publisher *publisher, const struct ct_publisher_part *parts, size_t n)
{
  if (publisher->kind == CT_PUBLISH_PUB)
    drain_subscriptions(publisher);
  for (size_t i = 0; i < n; i++) {
    int flags = i + 1 < n ? ZMQ_SNDMORE : 0;
    while (zmq_send(publisher->socket, parts[i].data, parts[i].bytes, flags) < 0) {
      bool again = errno == EAGAIN || errno == EINTR;
      if (!again)
        return CT_EIO;
      if (i == 0)
        return CT_EBUSY;       /* later parts never wait for room, but a message once begun is finished */
    }
  }
  return 0;
}

/* A connection that was accepted at ipc://PATH, or ipc://@NAME, has that for its own name. */
static bool is_connection(int fd, const char *path)
{
  struct sockaddr_un name = { .sun_family = AF_UNSPEC };
  socklen_t bytes = sizeof name;
  if (getsockname(fd, (struct sockaddr *)&name, &bytes) != 0 || name.sun_family != AF_UNIX)
    return false;
  const size_t length = strlen(path), room = bytes - offsetof(struct sockaddr_un, sun_path);
  return length <= room && length > 1 && (name.sun_path[0] != '\0' || path[0] == '@') &&
         memcmp(name.sun_path + (path[0] == '@'), path + (path[0] == '@'), length - (path[0] == '@')) == 0;
}

static bool is_handed_over(const char *path)
{
  for (int fd = 0; fd < DESCRIPTORS; fd++) {
    int unread_bytes = 0;
    if (is_connection(fd, path) && ioctl(fd, SIOCOUTQ, &unread_bytes) == 0 && unread_bytes > 0)
      return false;
  }
  return true;
}

/* A receiver whose queue is full takes the end of a connection over ipc for an error and never reads what the kernel
   still holds (libzmq issue 4660). So the connection stays until the kernel holds nothing any more. */
static int hand_over(const struct ct_publisher *publisher, int linger_ms)
{
  if (strncmp(publisher->endpoint, "ipc://", 6) != 0)
    return linger_ms;
  for (int quiet = 0; quiet < QUIET_LOOKS && linger_ms > 0; linger_ms -= LOOK_MS) {
    quiet = is_handed_over(publisher->endpoint + 6) ? quiet + 1 : 0;
    poll(NULL, 0, LOOK_MS);
  }
  return linger_ms > 0 ? linger_ms : 0;
}

void ct_publisher_close(struct ct_publisher *publisher, int linger_ms)
{
  if (publisher == NULL)
    return;
  if (publisher->socket != NULL) {
    linger_ms = hand_over(publisher, linger_ms);
    zmq_setsockopt(publisher->socket, ZMQ_LINGER, &linger_ms, sizeof linger_ms);
    zmq_close(publisher->socket);
  }
  if (publisher->context != NULL)
    while (zmq_ctx_term(publisher->context) != 0 && errno == EINTR)
      continue;
  free(publisher);
}
