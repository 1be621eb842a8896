/* A ROUTER socket on the loop: asks come in, snapshots go out. */
#include "serve.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <zmq.h>

enum {
  VIEWERS = 64,
  IDENTITY = 32,
  BURST = 64,
  TICK_MS = 100,           /* ZeroMQ's descriptor tells only once: a look in between costs little */
  FORGET_MS = 10000        /* a viewer that asks no more is gone */
};

struct viewer {
  struct server *server;
  struct asker *asker;     /* NULL: free */
  unsigned char identity[IDENTITY];
  size_t identity_bytes;
  uint64_t asked_ms;
};
struct server {
  uv_loop_t *loop;
  struct desk *desk;
  void *context, *socket;
  uv_poll_t poll;
  uv_timer_t tick;
  unsigned handles;                  /* that are being closed */
  struct serve_doings doings;
  struct viewer viewers[VIEWERS];
  void *reply;             /* scratch for one answer */
  size_t reply_bytes;
};

/* ---- answers --------------------------------------------------------------------------------------------- */
/* The core, and of the sections those this viewer asked for. */
static const struct ct_snapshot *cut(struct server *server, const struct asker *asker, const struct ct_snapshot *whole)
{
  struct ct_snapshot_builder builder;
  if (server->reply_bytes < whole->size_bytes) {
    free(server->reply);
    server->reply_bytes = (size_t)whole->size_bytes * 2;
    server->reply = ct_xcalloc(1, server->reply_bytes);
  }
  if (ct_snapshot_begin(&builder, server->reply, server->reply_bytes) != 0)
    return NULL;
  builder.snapshot->core = whole->core;
  for (size_t i = 0; i < asker->n_requests; i++) {
    size_t bytes;
    const void *section = ct_snapshot_find(whole, &asker->requests[i], 0, &bytes);
    void *copy = section ? ct_snapshot_add(&builder, &asker->requests[i], bytes) : NULL;
    if (copy)
      memcpy(copy, section, bytes);
  }
  return ct_snapshot_finish(&builder);
}

static void answer(void *arg, struct ct_snapshot *snapshot)
{
  struct viewer *viewer = arg;
  struct server *server = viewer->server;
  const struct ct_snapshot *reply = cut(server, viewer->asker, snapshot);
  /* A peer whose queue is full is one that does not read: it will ask again if it is still there. */
  if (reply && zmq_send(server->socket, viewer->identity, viewer->identity_bytes, ZMQ_SNDMORE | ZMQ_DONTWAIT) >= 0)
    zmq_send(server->socket, reply, (size_t)reply->size_bytes, ZMQ_DONTWAIT);
}

/* ---- asks ------------------------------------------------------------------------------------------------- */
static void forget(struct viewer *viewer)
{
  desk_leave(viewer->asker);
  viewer->asker = NULL;
}

static struct viewer *find_viewer(struct server *server, const void *identity, size_t bytes)
{
  struct viewer *unused = NULL;
  for (size_t i = 0; i < VIEWERS; i++) {
    struct viewer *viewer = &server->viewers[i];
    if (viewer->asker && viewer->identity_bytes == bytes && memcmp(viewer->identity, identity, bytes) == 0)
      return viewer;
    if (!viewer->asker && !unused)
      unused = viewer;
  }
  if (unused == NULL || bytes > IDENTITY || (unused->asker = desk_join(server->desk, true)) == NULL)
    return NULL;
  unused->server = server;
  unused->asker->feed.take = answer;
  unused->asker->feed.arg = unused;
  memcpy(unused->identity, identity, bytes);
  unused->identity_bytes = bytes;
  return unused;
}

static void take_picture_ask(struct server *server, const void *identity, size_t identity_bytes, const void *rest, uint32_t n)
{
  struct ct_request requests[DESK_REQUESTS];
  struct viewer *viewer = find_viewer(server, identity, identity_bytes);
  if (viewer == NULL)
    return;
  memcpy(requests, rest, n * sizeof *requests);
  viewer->asked_ms = uv_now(server->loop);
  viewer->asker->feed.ask(&viewer->asker->feed, requests, n);
}

static void take_mark(struct server *server, const char *rest, uint32_t n)
{
  char text[SERVE_TEXT + 1];
  for (uint32_t i = 0; i < n; i++)
    text[i] = (unsigned char)rest[i] < 0x20 || rest[i] == 0x7f ? ' ' : rest[i];
  text[n] = '\0';
  server->doings.mark(server->doings.arg, text);
}

static void send_word(struct server *server, const void *identity, size_t identity_bytes, enum serve_action action, int code,
                      const struct ct_err *answer)
{
  char message[sizeof(struct serve_word) + SERVE_WORD_TEXT];
  struct serve_word word = { .magic = SERVE_WORD_MAGIC, .version = CT_SNAPSHOT_VERSION, .action = action, .code = code };
  word.n = (uint32_t)strnlen(answer->text, SERVE_WORD_TEXT);
  memcpy(message, &word, sizeof word);
  memcpy(message + sizeof word, answer->text, word.n);
  if (zmq_send(server->socket, identity, identity_bytes, ZMQ_SNDMORE | ZMQ_DONTWAIT) >= 0)
    zmq_send(server->socket, message, sizeof word + word.n, ZMQ_DONTWAIT);
}

/* "path=value"; of the path alone the default is meant. */
static void take_change(struct server *server, const void *identity, size_t identity_bytes, const char *rest, uint32_t n)
{
  char path[SERVE_SETTING + 1];
  struct ct_err answer = { "" };
  memcpy(path, rest, n);
  path[n] = '\0';
  char *text = strchr(path, '=');
  if (text != NULL)
    *text++ = '\0';
  int code = server->doings.change(server->doings.arg, path, text, &answer);
  send_word(server, identity, identity_bytes, SERVE_CHANGE, code, &answer);
}

static void take_keep(struct server *server, const void *identity, size_t identity_bytes, const char *rest, uint32_t n)
{
  struct ct_err answer = { "" };
  int code = server->doings.keep(server->doings.arg, rest, n, &answer);
  send_word(server, identity, identity_bytes, SERVE_KEEP, code, &answer);
}

static void take_ask(struct server *server, const void *identity, size_t identity_bytes, const void *data, size_t bytes)
{
  struct serve_ask ask;
  if (bytes < sizeof ask)
    return;
  memcpy(&ask, data, sizeof ask);
  if (ask.magic != SERVE_MAGIC || ask.version != CT_SNAPSHOT_VERSION)
    return;
  const char *rest = (const char *)data + sizeof ask;
  size_t rest_bytes = bytes - sizeof ask;
  switch ((enum serve_action)ask.action) {
  case SERVE_PICTURE:
    if (ask.n <= DESK_REQUESTS && rest_bytes == ask.n * sizeof(struct ct_request))
      take_picture_ask(server, identity, identity_bytes, rest, ask.n);
    break;
  case SERVE_NUDGE:
    server->doings.nudge(server->doings.arg, (double)(int32_t)ask.n / 100);
    break;
  case SERVE_MARK:
    if (ask.n <= SERVE_TEXT && rest_bytes == ask.n)
      take_mark(server, rest, ask.n);
    break;
  case SERVE_MASK:
    if (ask.n <= 1 && rest_bytes == 0)
      server->doings.mask(server->doings.arg, ask.n == 1);
    break;
  case SERVE_CHANGE:
    if (ask.n <= SERVE_SETTING && rest_bytes == ask.n)
      take_change(server, identity, identity_bytes, rest, ask.n);
    break;
  case SERVE_KEEP:
    if (ask.n > 0 && ask.n <= SERVE_KEPT && rest_bytes == ask.n && rest[ask.n - 1] == '\0')
      take_keep(server, identity, identity_bytes, rest, ask.n);
    break;
  }
}

/* One message: identity and ask; false when there is none. */
static bool receive(struct server *server)
{
  zmq_msg_t parts[2], more;
  int n = 0;
  zmq_msg_init(&parts[0]);
  zmq_msg_init(&parts[1]);
  zmq_msg_init(&more);
  for (bool rest = true; rest; n++) {
    zmq_msg_t *part = n < 2 ? &parts[n] : &more;
    if (zmq_msg_recv(part, server->socket, ZMQ_DONTWAIT) < 0)
      break;
    rest = zmq_msg_more(part) != 0;
  }
  if (n == 2)
    take_ask(server, zmq_msg_data(&parts[0]), zmq_msg_size(&parts[0]), zmq_msg_data(&parts[1]), zmq_msg_size(&parts[1]));
  zmq_msg_close(&parts[0]);
  zmq_msg_close(&parts[1]);
  zmq_msg_close(&more);
  return n > 0;
}

static void drain(struct server *server)
{
  for (int i = 0; i < BURST && receive(server); i++)
    ;
}

static void on_readable(uv_poll_t *poll, int status, int events)
{
  (void)status;
  (void)events;
  drain(poll->data);
}

static void on_tick(uv_timer_t *timer)
{
  struct server *server = timer->data;
  drain(server);
  uint64_t now_ms = uv_now(server->loop);
  for (size_t i = 0; i < VIEWERS; i++)
    if (server->viewers[i].asker && now_ms - server->viewers[i].asked_ms > FORGET_MS)
      forget(&server->viewers[i]);
}

/* ---- opening and closing -------------------------------------------------------------------------------------- */
int serve_open(struct server **out, uv_loop_t *loop, struct desk *desk, const char *endpoint,
               const struct serve_doings *doings, struct ct_err *err)
{
  /* Room is given back late: a queue as short as what one who waits for each answer needs would drop some of them. */
  static const int linger = 0, queue = 64, most_bytes = 65536;
  struct server *server = ct_xcalloc(1, sizeof *server);
  server->loop = loop;
  server->desk = desk;
  server->doings = *doings;
  server->context = zmq_ctx_new();
  server->socket = server->context ? zmq_socket(server->context, ZMQ_ROUTER) : NULL;
  int64_t limit = most_bytes;
  if (server->socket) {
    zmq_setsockopt(server->socket, ZMQ_LINGER, &linger, sizeof linger);
    zmq_setsockopt(server->socket, ZMQ_SNDHWM, &queue, sizeof queue);
    zmq_setsockopt(server->socket, ZMQ_MAXMSGSIZE, &limit, sizeof limit);
  }
  int fd = -1;
  size_t fd_bytes = sizeof fd;
  if (server->socket == NULL || zmq_bind(server->socket, endpoint) != 0 ||
      zmq_getsockopt(server->socket, ZMQ_FD, &fd, &fd_bytes) != 0) {
    int why = errno;
    if (server->socket)
      zmq_close(server->socket);
    if (server->context)
      zmq_ctx_term(server->context);
    free(server);
    return ct_err_set(err, CT_EIO, "cannot serve viewers on %s: %s", endpoint, zmq_strerror(why));
  }
  uv_poll_init(loop, &server->poll, fd);
  uv_timer_init(loop, &server->tick);
  server->poll.data = server->tick.data = server;
  uv_poll_start(&server->poll, UV_READABLE, on_readable);
  uv_timer_start(&server->tick, on_tick, TICK_MS, TICK_MS);
  drain(server);
  *out = server;
  return 0;
}

/* The loop closes handles in an order of its own. */
static void on_closed(uv_handle_t *handle)
{
  struct server *server = handle->data;
  if (--server->handles > 0)
    return;
  zmq_close(server->socket);
  zmq_ctx_term(server->context);
  free(server->reply);
  free(server);
}

void serve_close(struct server *server)
{
  if (server == NULL)
    return;
  for (size_t i = 0; i < VIEWERS; i++)
    if (server->viewers[i].asker)
      forget(&server->viewers[i]);
  server->handles = 2;
  uv_close((uv_handle_t *)&server->poll, on_closed);
  uv_close((uv_handle_t *)&server->tick, on_closed);
}
