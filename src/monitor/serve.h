/* Serves snapshots of the collector to attached viewers over a private socket. Internal to monitor.
 * Ownership: the server belongs to its opener; it borrows loop and desk.
 *
 * A viewer asks, and gets one snapshot with the sections it asked for; then it asks again. So a viewer that is stopped or
 * slow has at most one answer on its way and costs nothing more. */
#ifndef MONITOR_SERVE_H
#define MONITOR_SERVE_H

#include <uv.h>

#include "desk.h"

/* What a viewer wants. */
enum serve_action {
  SERVE_PICTURE,                           /* a snapshot with the sections of the n requests that follow */
  SERVE_MARK,                              /* a marker: n bytes of text follow */
  SERVE_MASK,                              /* n 1: leave out the pixels listed as hot or dead, 0: let them in again */
  SERVE_NUDGE                              /* the rotation axis by n hundredths of a column, two's complement */
};
enum { SERVE_TEXT = 200 };                 /* of a marker, bytes */
/* An ask on the wire. */
#define SERVE_MAGIC UINT32_C(0x4b415443)   /* "CTAK" */
struct serve_ask {
  uint32_t magic, version, n;
  uint32_t action;                         /* enum serve_action */
};

struct server;
/* What is done for viewers besides pictures: nothing that a run could not go on from. */
struct serve_doings {
  void (*mark)(void *arg, const char *text);   /* UTF-8 or not, without control characters */
  void (*mask)(void *arg, bool on);
  void (*nudge)(void *arg, double by_px);
  void *arg;
};
/* Binds <endpoint>. */
int serve_open(struct server **out, uv_loop_t *loop, struct desk *desk, const char *endpoint,
               const struct serve_doings *doings, struct ct_err *err) CT_MUST_CHECK;
/* Before the loop's last turn; NULL is fine. */
void serve_close(struct server *server);

#endif
