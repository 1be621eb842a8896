/* Collecting a run: collector, loop, viewers' socket and, in batch mode, samples. Internal to monitor. */
#ifndef MONITOR_COLLECT_H
#define MONITOR_COLLECT_H

#include <stdio.h>

#include <comptop/core.h>

struct collect_setup {
  struct ct_settings *settings;
  bool demo;
  bool batch;               /* samples to <out>; else headless */
  bool served_to_parent;    /* the screen's process started this one: it is told, through <report_fd> */
  int report_fd;            /* "+0 ENDPOINT\n" when it runs, "-CODE REASON\n" when it cannot, CODE being the exit code; at the
                               end lines of summary. -1: nobody listens */
  FILE *out;
};

/* Runs until it is told to end: 0, or an error with its message. */
int collect_run(const struct collect_setup *setup, struct ct_err *err);

#endif
