/* The screen: a view of a feed on a terminal, and its keys. Internal to monitor. */
#ifndef MONITOR_SCREEN_H
#define MONITOR_SCREEN_H

#include <uv.h>

#include "feed.h"

/* How a screen ended. */
enum screen_end {
  SCREEN_LEFT,        /* q of an attached viewer, or of an owner without an archive */
  SCREEN_DETACHED,    /* the owner leaves, the run goes on */
  SCREEN_ENDED,       /* the owner ends the run; also Ctrl-C and SIGTERM */
  SCREEN_LOST         /* the terminal is gone */
};
struct screen_setup {
  struct ct_settings *settings;
  bool owner;         /* q ends the run; with an archive it asks first */
  bool archive;
  /* Asked a few times a second: whether the collector that this screen owns is still there. NULL: not ours. */
  bool (*alive)(void *arg);
  void *arg;
};

/* Shows the feed until somebody or something ends it. CT_EUSAGE (no terminal for it), CT_EIO, CT_ENOMEM. */
int screen_run(uv_loop_t *loop, struct feed *feed, const struct screen_setup *setup, enum screen_end *end,
               struct ct_err *err) CT_MUST_CHECK;

#endif
