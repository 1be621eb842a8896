/* What the files of the screen share. A screen belongs to screen_run, and to its thread. */
#ifndef MONITOR_SCREEN_STATE_H
#define MONITOR_SCREEN_STATE_H

#include "screen.h"

#include <comptop/ui.h>
#include <comptop/view.h>

#include "bell.h"
#include "past.h"
#include "save.h"
#include "serve.h"

enum { SCREEN_SIGNALS = 7 };

struct screen {
  uv_loop_t *loop;
  struct feed *feed;
  const struct screen_setup *setup;
  struct ct_ui *ui;
  struct ct_view *view;
  struct ct_grid grid;
  struct ct_snapshot *snapshot;      /* a copy of what is shown; stands still while frozen */
  size_t snapshot_bytes;
  struct past past;
  struct bell bell;
  uint64_t shown_number;             /* its place there */
  int64_t newest_ns;                 /* the time of the last picture, which may be that of a run long ago */
  bool silent;                       /* the collector does not answer */
  bool asking;                       /* q was pressed by the owner: detach, end, or stay */
  bool mouse;                        /* clicks are taken */
  bool typing;                       /* a marker's text */
  char text[SERVE_TEXT + 1];
  enum { NO_ERRAND, SAVING, PIXELS } errand;   /* what the next picture with all its sections is for */
  int errand_pictures;               /* within so many */
  bool pixels;                       /* shown instead of frames */
  char said[512];                    /* an answer to a key, shown until said_until_ms */
  uint64_t said_until_ms;
  bool full, shown;                  /* the next frame repaints; the last one reached the terminal */
  uv_poll_t poll;
  bool polling;
  uv_timer_t refresh;
  uv_signal_t signals[SCREEN_SIGNALS];
  enum screen_end end;
};

void screen_leave(struct screen *s, enum screen_end end);
/* Shown on the last line for some seconds. */
void screen_tell(struct screen *s, const char *text);
/* For the sections that the next picture and what is done with it need. */
void screen_ask(struct screen *s);
/* Shows the kept picture <number>, or the one nearest to it that is still there. */
void screen_go_to(struct screen *s, uint64_t number);
/* How often to refresh, as the link and the settings are. */
void screen_suit_link(struct screen *s);

void screen_take_key(struct screen *s, uint32_t key);

/* To save the next picture that has all its sections, or to show it in pixels; the frozen one at once. */
void screen_begin_errand(struct screen *s, int errand);
size_t screen_errand_requests(const struct screen *s, struct ct_request requests[SAVE_REQUESTS]);
void screen_do_errand(struct screen *s, const struct ct_snapshot *snapshot);
void screen_end_pixels(struct screen *s);

#endif
