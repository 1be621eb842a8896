/* Serves snapshots of the collector to attached viewers over a private socket. Internal to monitor.
 * Ownership: the server belongs to its opener; it borrows loop and desk.
 *
 * A viewer asks, and gets one snapshot with the sections it asked for; then it asks again. So a viewer that is stopped or
 * slow has at most one answer on its way and costs nothing more. */
#ifndef MONITOR_SERVE_H
#define MONITOR_SERVE_H

#include <uv.h>

#include "desk.h"

/* An ask on the wire, followed by n requests. */
#define SERVE_MAGIC UINT32_C(0x4b415443)   /* "CTAK" */
struct serve_ask {
  uint32_t magic, version, n;
  uint32_t end_run;                        /* not 0: end the run, cleanly */
};

struct server;
/* Binds <endpoint>. <end_run> is called when a viewer asks for the end of the run. */
int serve_open(struct server **out, uv_loop_t *loop, struct desk *desk, const char *endpoint, void (*end_run)(void *arg),
               void *arg, struct ct_err *err) CT_MUST_CHECK;
/* Before the loop's last turn; NULL is fine. */
void serve_close(struct server *server);

#endif
