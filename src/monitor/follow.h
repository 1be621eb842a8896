/* [cell] mpt: a potentiostat's text file, followed while it grows. Internal to monitor.
 * Ownership: owns its handles and the open file; borrows loop, path and collector. */
#ifndef MONITOR_FOLLOW_H
#define MONITOR_FOLLOW_H

#include <uv.h>

#include "collector.h"

struct follow;
/* Begins. CT_EIO, CT_EFORMAT: the file is not there, or not of EC-Lab. What goes wrong later is told in
 * collector->cell_log, an alarm, and is tried again. */
int follow_open(struct follow **out, uv_loop_t *loop, const char *path, struct collector *collector,
                struct ct_err *err) CT_MUST_CHECK;
/* Takes nothing any more; then, when the loop has ended and its handles are closed, _close. NULL is fine for both. */
void follow_stop(struct follow *follow);
void follow_close(struct follow *follow);

#endif
