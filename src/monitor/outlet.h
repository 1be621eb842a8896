/* Where samples go: a file, a pipe or a terminal whose reader may stop reading. Internal to monitor.
 * Ownership: the outlet belongs to its opener; it borrows the loop and the descriptor, and owns the sample on its way. */
#ifndef MONITOR_OUTLET_H
#define MONITOR_OUTLET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#include <limits.h>
#include <uv.h>

#include <comptop/core.h>

struct outlet {
  uv_timer_t pump;            /* runs while a sample is on its way to somebody who is slow */
  int fd;
  int own_fd;                 /* -1: fd is the opener's */
  char path[PATH_MAX];        /* of a regular file, as it was named at the start; "" for all else */
  char *bytes;                /* the sample on its way */
  size_t length, sent;
  /* The sample is out (0), or nobody takes it any more (CT_EIO, errno says why). Not called from within outlet_put. */
  void (*done)(void *arg, int code);
  void *arg;
};

void outlet_open(struct outlet *outlet, uv_loop_t *loop, int fd);
bool outlet_busy(const struct outlet *outlet);
/* Takes over <bytes> (of malloc) and sends what can be sent without waiting; must not be busy. 0, CT_EIO. */
int outlet_put(struct outlet *outlet, char *bytes, size_t length) CT_MUST_CHECK;
/* Waits until all is out, or nothing could be sent for <wait_ms> (-1: for ever). 0, CT_EIO. */
int outlet_flush(struct outlet *outlet, int wait_ms) CT_MUST_CHECK;
/* The file's content so far, from its start; NULL where there is none, or it cannot be read. The caller closes it. */
FILE *outlet_content(const struct outlet *outlet);
/* Opens the file of that name again, made anew where it was moved away: what a log rotation asks for. False where samples
 * do not go into a file, where one is on its way, or the file cannot be opened: then the old one stays in use. */
bool outlet_reopen(struct outlet *outlet);
void outlet_close(struct outlet *outlet);

#endif
