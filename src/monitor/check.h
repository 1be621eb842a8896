/* comptop --check: one line and an exit code. Internal to monitor. */
#ifndef MONITOR_CHECK_H
#define MONITOR_CHECK_H

#include <stdio.h>

#include "collector.h"

/* Watches the collector's streams until each has brought data and for a second more, at most <timeout_s>. Prints one line.
 * 0, CT_ENODATA or CT_ESTALE. */
int check_run(struct collector *collector, double timeout_s, FILE *out);

#endif
