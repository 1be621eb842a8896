/* comptop --check: one line and an exit code. Internal to monitor. */
#ifndef MONITOR_CHECK_H
#define MONITOR_CHECK_H

#include <stdio.h>

#include <comptop/core.h>

/* Asks the collector of this user that receives one of the configured streams (or, without any, the only one); where there
 * is none, watches the streams itself until each has brought data and for a second more, at most check's timeout. Prints
 * one line. 0, CT_ENODATA, CT_ESTALE, CT_EARCHIVE; set-up errors with <err>. */
int check_run(struct ct_settings *settings, FILE *out, struct ct_err *err);

#endif
