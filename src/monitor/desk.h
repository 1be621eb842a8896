/* The desk: takes asks for snapshots from many, lets the collector make one picture for all of them, and answers.
 * Internal to monitor. Ownership: the desk belongs to its opener and outlives its feeds; it borrows loop and collector. */
#ifndef MONITOR_DESK_H
#define MONITOR_DESK_H

#include <uv.h>

#include "collector.h"
#include "feed.h"

enum { DESK_ASKERS = 72, DESK_REQUESTS = 16 };

struct asker {
  struct feed feed;                  /* first: a feed is its asker */
  struct desk *desk;
  bool used, pending, patient;       /* patient: may wait for others, so that many cost as little as one */
  bool asked;                        /* the picture in flight answers it */
  struct ct_request requests[DESK_REQUESTS];
  size_t n_requests;
};
struct desk {
  uv_loop_t *loop;
  uv_timer_t poll;
  struct collector *collector;
  struct asker askers[DESK_ASKERS];
  uint64_t ticket, asked_ms, patient_ms;
  bool in_flight;
};

void desk_open(struct desk *desk, uv_loop_t *loop, struct collector *collector);
/* A place at the desk, or NULL when all are taken. */
struct asker *desk_join(struct desk *desk, bool patient);
/* Gives the place and its wants back. */
void desk_leave(struct asker *asker);

#endif
