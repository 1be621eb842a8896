/* monitor: the libuv loop that owns the process: streams, timers, signals, samples, alarms.
 * Ownership: everything belongs to the one call of ct_monitor_run, from start to end. */
#ifndef COMPTOP_MONITOR_H
#define COMPTOP_MONITOR_H

#include <stdio.h>

#include <comptop/core.h>

/* The program comptop: reads options, runs until it is told to end, and returns the exit code. Samples go to <out>. */
int ct_monitor_main(int argc, char **argv, FILE *out);

#endif
