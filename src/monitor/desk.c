/* One picture for many askers. */
#include "desk.h"

#include <string.h>

enum {
  POLL_MS = 4,               /* between two looks whether the picture is there */
  PATIENCE_MS = 1000,        /* answered with the last picture when the analysis is that far behind */
  PATIENT_MS = 200           /* between two pictures that only patient askers want */
};

static void start(struct desk *desk);

static void answer(struct desk *desk)
{
  struct ct_snapshot *snapshot = collector_compose(desk->collector);
  for (size_t i = 0; i < DESK_ASKERS; i++) {
    struct asker *asker = &desk->askers[i];
    if (!asker->used || !asker->asked)
      continue;
    asker->pending = asker->asked = false;
    asker->feed.take(asker->feed.arg, snapshot);
  }
}

static void on_poll(uv_timer_t *timer)
{
  struct desk *desk = timer->data;
  if (!desk->in_flight) {
    start(desk);
    return;
  }
  bool patience = uv_now(desk->loop) - desk->asked_ms < PATIENCE_MS;
  if (patience && !collector_ready(desk->collector, desk->ticket))
    return;
  desk->in_flight = false;
  uv_timer_stop(timer);
  answer(desk);
  start(desk);
}

/* Asks the collector for those who wait, unless they can wait a little more. */
static void start(struct desk *desk)
{
  bool waiting = false, hurry = false;
  for (size_t i = 0; i < DESK_ASKERS; i++) {
    waiting |= desk->askers[i].used && desk->askers[i].pending;
    hurry |= desk->askers[i].used && desk->askers[i].pending && !desk->askers[i].patient;
  }
  if (!waiting || desk->in_flight)
    return;
  uint64_t now_ms = uv_now(desk->loop);
  if (!hurry && now_ms < desk->patient_ms + PATIENT_MS) {
    uv_timer_start(&desk->poll, on_poll, desk->patient_ms + PATIENT_MS - now_ms, 0);
    return;
  }
  desk->ticket = collector_ask(desk->collector);
  for (size_t i = 0; i < DESK_ASKERS; i++)
    desk->askers[i].asked = desk->askers[i].used && desk->askers[i].pending;
  desk->in_flight = true;
  desk->asked_ms = desk->patient_ms = now_ms;
  uv_timer_start(&desk->poll, on_poll, 1, POLL_MS);
}

static bool is_in(const struct ct_request *request, const struct ct_request *list, size_t n)
{
  for (size_t i = 0; i < n; i++)
    if (ct_request_equal(request, &list[i]))
      return true;
  return false;
}

/* Wants what is new, drops what is no longer wanted. A request that finds no room in the table is not remembered, so
 * that it is tried again with the next ask. */
static void change_wants(struct asker *asker, const struct ct_request *requests, size_t n)
{
  struct ct_wants *wants = asker->desk->collector->wants;
  struct ct_request kept[DESK_REQUESTS];
  size_t n_kept = 0;
  for (size_t i = 0; i < n && n_kept < DESK_REQUESTS; i++)
    if (!is_in(&requests[i], kept, n_kept) &&
        (is_in(&requests[i], asker->requests, asker->n_requests) || ct_wants_add(wants, &requests[i]) == 0))
      kept[n_kept++] = requests[i];
  for (size_t i = 0; i < asker->n_requests; i++)
    if (!is_in(&asker->requests[i], kept, n_kept) && ct_wants_drop(wants, &asker->requests[i]) == CT_EBUSY && n_kept < DESK_REQUESTS)
      kept[n_kept++] = asker->requests[i];
  memcpy(asker->requests, kept, n_kept * sizeof *kept);
  asker->n_requests = n_kept;
}

static void ask(struct feed *feed, const struct ct_request *requests, size_t n)
{
  struct asker *asker = (struct asker *)feed;
  change_wants(asker, requests, n);
  asker->pending = true;
  asker->asked = false;   /* the picture in flight may lack what is asked for now */
  start(asker->desk);
}

void desk_open(struct desk *desk, uv_loop_t *loop, struct collector *collector)
{
  memset(desk, 0, sizeof *desk);
  desk->loop = loop;
  desk->collector = collector;
  uv_timer_init(loop, &desk->poll);
  desk->poll.data = desk;
}

struct asker *desk_join(struct desk *desk, bool patient)
{
  for (size_t i = 0; i < DESK_ASKERS; i++) {
    struct asker *asker = &desk->askers[i];
    if (asker->used)
      continue;
    memset(asker, 0, sizeof *asker);
    asker->feed.ask = ask;
    asker->desk = desk;
    asker->used = true;
    asker->patient = patient;
    return asker;
  }
  return NULL;
}

void desk_leave(struct asker *asker)
{
  for (size_t i = 0; i < asker->n_requests; i++)
    ct_wants_drop(asker->desk->collector->wants, &asker->requests[i]);
  asker->used = false;
}
