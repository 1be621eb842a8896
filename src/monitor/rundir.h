/* Where this user's collectors can be found: $XDG_RUNTIME_DIR/comptop/, else /tmp/comptop-UID/ (mode 0700). Internal to
 * monitor. A collector holds RUN.lock locked as long as it lives and listens on RUN.sock. */
#ifndef MONITOR_RUNDIR_H
#define MONITOR_RUNDIR_H

#include <comptop/core.h>

enum { RUNDIR_PATH = 108, RUNDIR_NAME = 128 };    /* bytes of a socket's path and of a run's name, NUL included */

/* Registers the collector of <run>: a descriptor to keep open, and the endpoint to bind. CT_EBUSY: another process
 * collects a run of that name; CT_EIO. */
int rundir_register(const char *run, char endpoint[RUNDIR_PATH + 8], int *lock_fd, struct ct_err *err) CT_MUST_CHECK;
void rundir_unregister(const char *run, int lock_fd);
/* The runs that are being collected, at most <max>: how many. */
int rundir_list(char (*runs)[RUNDIR_NAME], int max);
/* The endpoint of the collector of <run>, "" for the only one there is. A text with "://" is an endpoint as it stands.
 * CT_ENOTFOUND: none, or more than one, which the error lists. */
int rundir_find(const char *run, char endpoint[RUNDIR_PATH + 8], struct ct_err *err) CT_MUST_CHECK;

#endif
