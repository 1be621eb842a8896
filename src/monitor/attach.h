/* A feed from another process's collector. Internal to monitor.
 * Ownership: the feed belongs to its opener; it borrows the loop. */
#ifndef MONITOR_ATTACH_H
#define MONITOR_ATTACH_H

#include <uv.h>

#include "feed.h"

int attach_open(struct feed **out, uv_loop_t *loop, const char *endpoint, struct ct_err *err) CT_MUST_CHECK;
/* Before the loop's last turn; NULL is fine. */
void attach_close(struct feed *feed);

#endif
