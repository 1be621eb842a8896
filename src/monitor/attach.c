/* A DEALER socket on the loop: asks go out, snapshots come in and are checked before anybody reads them. */
#include "attach.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zmq.h>

#include "serve.h"

enum { TICK_MS = 50, SILENT_TICKS = 3000 / TICK_MS };

struct attachment {
  struct feed feed;            /* first: a feed is its attachment */
  void *context, *socket;
  uv_poll_t poll;
  uv_timer_t tick;
  bool waiting, sent;          /* for a picture; the ask for it has left */
  unsigned waited_ticks;       /* not the clock: a viewer that was stopped has not waited */
  struct ct_request requests[DESK_REQUESTS];
  size_t n_requests;
  void *block;                 /* the snapshot, aligned */
  size_t block_bytes;
};

/* An ask, and <bytes> of what follows it, n of something. False: there is no collector that would take it now. */
static bool send_ask(struct attachment *a, enum serve_action action, uint32_t n, const void *rest, size_t bytes)
{
  char message[sizeof(struct serve_ask) + SERVE_KEPT];   /* the longest */
  struct serve_ask ask = { .magic = SERVE_MAGIC, .version = CT_SNAPSHOT_VERSION, .n = n, .action = action };
  if (bytes > SERVE_KEPT)
    return false;
  memcpy(message, &ask, sizeof ask);
  memcpy(message + sizeof ask, rest, bytes);
  return zmq_send(a->socket, message, sizeof ask + bytes, ZMQ_DONTWAIT) >= 0;
}

static void send_picture_ask(struct attachment *a)
{
  a->sent = send_ask(a, SERVE_PICTURE, (uint32_t)a->n_requests, a->requests, a->n_requests * sizeof *a->requests);
}

static void take_reply(struct attachment *a, const void *data, size_t bytes)
{
  if (a->block_bytes < bytes) {
    free(a->block);
    a->block_bytes = bytes * 2;
    a->block = ct_xcalloc(1, a->block_bytes);
  }
  memcpy(a->block, data, bytes);   /* a message may lie anywhere, a snapshot may not */
  if (ct_snapshot_check(a->block, bytes, NULL) != 0)
    return;
  a->waiting = false;
  a->feed.take(a->feed.arg, a->block);
}

/* Whether it is one. */
static bool take_word(struct attachment *a, const void *data, size_t bytes)
{
  struct serve_word word;
  char text[SERVE_WORD_TEXT + 1];
  if (bytes < sizeof word)
    return false;
  memcpy(&word, data, sizeof word);
  if (word.magic != SERVE_WORD_MAGIC)
    return false;
  if (word.version != CT_SNAPSHOT_VERSION || word.n > SERVE_WORD_TEXT || bytes != sizeof word + word.n || a->feed.told == NULL)
    return true;
  memcpy(text, (const char *)data + sizeof word, word.n);
  text[word.n] = '\0';
  a->feed.told(a->feed.arg, word.action == SERVE_KEEP, word.code, text);
  return true;
}

static void drain(struct attachment *a)
{
  zmq_msg_t message;
  zmq_msg_init(&message);
  /* Of several pictures only the latest matters, but there is never more than one on its way. */
  while (zmq_msg_recv(&message, a->socket, ZMQ_DONTWAIT) >= 0)
    if (!zmq_msg_more(&message) && !take_word(a, zmq_msg_data(&message), zmq_msg_size(&message)))
      take_reply(a, zmq_msg_data(&message), zmq_msg_size(&message));
  zmq_msg_close(&message);
}

static void on_readable(uv_poll_t *poll, int status, int events)
{
  (void)status;
  (void)events;
  drain(poll->data);
}

static void on_tick(uv_timer_t *timer)
{
  struct attachment *a = timer->data;
  drain(a);
  if (a->waiting && !a->sent)
    send_picture_ask(a);
  if (!a->waiting || ++a->waited_ticks < SILENT_TICKS)
    return;
  a->waiting = false;
  a->feed.take(a->feed.arg, NULL);
}

static void ask(struct feed *feed, const struct ct_request *requests, size_t n)
{
  struct attachment *a = (struct attachment *)feed;
  n = n < DESK_REQUESTS ? n : DESK_REQUESTS;
  /* A collector that is behind is not asked twice for the same; and whoever asks again has waited since the first time. */
  if (a->waiting && a->sent && n == a->n_requests && memcmp(a->requests, requests, n * sizeof *requests) == 0)
    return;
  a->n_requests = n;
  memcpy(a->requests, requests, n * sizeof *requests);
  if (!a->waiting)
    a->waited_ticks = 0;
  a->waiting = true;
  send_picture_ask(a);
  drain(a);   /* sending may have eaten the descriptor's edge */
}

static void nudge(struct feed *feed, double by_px)
{
  send_ask((struct attachment *)feed, SERVE_NUDGE, (uint32_t)(int32_t)(by_px * 100), "", 0);
}

static bool mark(struct feed *feed, const char *text)
{
  size_t length = strnlen(text, SERVE_TEXT);
  return send_ask((struct attachment *)feed, SERVE_MARK, (uint32_t)length, text, length);
}

static void mask(struct feed *feed, bool on)
{
  send_ask((struct attachment *)feed, SERVE_MASK, on, "", 0);
}

static const char nobody[] = "there is no collector to take it: nothing has been changed";

static void change(struct feed *feed, const char *path, const char *text)
{
  char order[SERVE_SETTING];
  int length = snprintf(order, sizeof order, "%s%s%s", path, text ? "=" : "", text ? text : "");
  if (length >= (int)sizeof order)
    feed->told(feed->arg, false, CT_ERANGE, "too long a value");
  else if (!send_ask((struct attachment *)feed, SERVE_CHANGE, (uint32_t)length, order, (size_t)length))
    feed->told(feed->arg, false, CT_EIO, nobody);
}

static void keep(struct feed *feed, const char *texts, size_t bytes)
{
  if (!send_ask((struct attachment *)feed, SERVE_KEEP, (uint32_t)bytes, texts, bytes))
    feed->told(feed->arg, true, CT_EIO, nobody);
}

int attach_open(struct feed **out, uv_loop_t *loop, const char *endpoint, struct ct_err *err)
{
  static const int linger = 500, queue = 64, retry_ms = 100, retry_most_ms = 2000, immediate = 1;
  struct attachment *a = ct_xcalloc(1, sizeof *a);
  a->feed.ask = ask;
  a->feed.mark = mark;
  a->feed.nudge = nudge;
  a->feed.mask = mask;
  a->feed.change = change;
  a->feed.keep = keep;
  a->context = zmq_ctx_new();
  a->socket = a->context ? zmq_socket(a->context, ZMQ_DEALER) : NULL;
  if (a->socket) {
    zmq_setsockopt(a->socket, ZMQ_LINGER, &linger, sizeof linger);
    zmq_setsockopt(a->socket, ZMQ_SNDHWM, &queue, sizeof queue);
    zmq_setsockopt(a->socket, ZMQ_IMMEDIATE, &immediate, sizeof immediate);   /* orders are for now, not for the next collector */
    zmq_setsockopt(a->socket, ZMQ_RECONNECT_IVL, &retry_ms, sizeof retry_ms);
    zmq_setsockopt(a->socket, ZMQ_RECONNECT_IVL_MAX, &retry_most_ms, sizeof retry_most_ms);
  }
  int fd = -1;
  size_t fd_bytes = sizeof fd;
  if (a->socket == NULL || zmq_connect(a->socket, endpoint) != 0 ||
      zmq_getsockopt(a->socket, ZMQ_FD, &fd, &fd_bytes) != 0) {
    int why = errno;
    if (a->socket)
      zmq_close(a->socket);
    if (a->context)
      zmq_ctx_term(a->context);
    free(a);
    return ct_err_set(err, CT_EIO, "cannot attach to %s: %s", endpoint, zmq_strerror(why));
  }
  uv_poll_init(loop, &a->poll, fd);
  uv_timer_init(loop, &a->tick);
  a->poll.data = a->tick.data = a;
  uv_poll_start(&a->poll, UV_READABLE, on_readable);
  uv_timer_start(&a->tick, on_tick, TICK_MS, TICK_MS);
  *out = &a->feed;
  return 0;
}

static void on_closed(uv_handle_t *handle)
{
  struct attachment *a = handle->data;
  zmq_close(a->socket);
  zmq_ctx_term(a->context);
  free(a->block);
  free(a);
}

void attach_close(struct feed *feed)
{
  if (feed == NULL)
    return;
  struct attachment *a = (struct attachment *)feed;
  uv_close((uv_handle_t *)&a->poll, NULL);
  uv_close((uv_handle_t *)&a->tick, on_closed);
}
