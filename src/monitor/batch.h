/* Samples on a stream of lines, from any feed. Internal to monitor.
 * Ownership: the batch belongs to its opener; it borrows loop, feed and settings. */
#ifndef MONITOR_BATCH_H
#define MONITOR_BATCH_H

#include <stdio.h>
#include <uv.h>

#include <comptop/report.h>

#include "feed.h"
#include "outlet.h"

struct batch {
  uv_loop_t *loop;
  uv_timer_t timer;
  struct feed *feed;
  const struct ct_settings *settings;
  struct outlet outlet;
  uv_signal_t rotate;
  bool begun;                      /* something of ours is in the present file */
  struct ct_report *report;        /* made with the first snapshot, which knows the columns */
  struct ct_report_setup setup;
  struct ct_request requests[CT_REPORT_REQUESTS];
  size_t n_requests;
  bool waiting;
  uint64_t seq;
  int64_t samples_left;            /* -1: no end */
  /* Called once: all samples were written (0), nobody reads any more (CT_EIO with errno EPIPE or EIO), or CT_ENODATA:
   * the collector does not answer. */
  void (*done)(void *arg, int code);
  void *arg;
};

/* Whether samples can be made as the settings ask for them. CT_EUSAGE. */
int batch_check(const struct ct_settings *settings, struct ct_err *err) CT_MUST_CHECK;
/* Checks that, and makes ready for batch_write by whoever has a clock of his own. */
int batch_begin(struct batch *batch, uv_loop_t *loop, const struct ct_settings *settings, FILE *out,
                struct ct_err *err) CT_MUST_CHECK;
/* The same, and begins: the first sample after one interval. SIGUSR2 reopens the file that <out> goes to. */
int batch_open(struct batch *batch, uv_loop_t *loop, struct feed *feed, const struct ct_settings *settings, FILE *out,
               struct ct_err *err) CT_MUST_CHECK;
/* One sample now; the one before must be out. 0, CT_EIO (errno says why), CT_ENOMEM, CT_EUSAGE. */
int batch_write(struct batch *batch, struct ct_snapshot *snapshot);
/* Waits for a slow reader, but not when nothing could be sent for <wait_ms> (-1: for ever). 0, CT_EIO. */
int batch_flush(struct batch *batch, int wait_ms) CT_MUST_CHECK;
void batch_close(struct batch *batch);

#endif
