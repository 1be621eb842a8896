/* Serves snapshots of the collector to attached viewers over a private socket. Internal to monitor.
 * Ownership: the server belongs to its opener; it borrows loop and desk.
 *
 * A viewer asks, and gets one snapshot with the sections it asked for; then it asks again. So a viewer that is stopped or
 * slow has at most one answer on its way and costs nothing more. */
#ifndef MONITOR_SERVE_H
#define MONITOR_SERVE_H

#include <uv.h>

#include "desk.h"

/* What a viewer wants. */
enum serve_action {
  SERVE_PICTURE,                           /* a snapshot with the sections of the n requests that follow */
  SERVE_MARK,                              /* a marker: n bytes of text follow */
  SERVE_MASK,                              /* n 1: leave out the pixels listed as hot or dead, 0: let them in again */
  SERVE_NUDGE,                              /* the rotation axis by n hundredths of a column, two's complement */
  SERVE_CHANGE,                            /* a setting: n bytes follow, "path=value", of "path" alone: its default again */
  SERVE_KEEP                               /* changed settings into the configuration file: n bytes follow, texts that end with
                                              NUL, the viewer's own file and its own changes "screen.theme=light", which are for
                                              the run's file where that is the same */
};
enum { SERVE_TEXT = 200,                   /* of a marker, bytes */
       SERVE_SETTING = 1024,               /* of a change */
       SERVE_KEPT = 8192 };                /* of a keep */
/* An ask on the wire. */
#define SERVE_MAGIC UINT32_C(0x4b415443)   /* "CTAK" */
struct serve_ask {
  uint32_t magic, version, n;
  uint32_t action;                         /* enum serve_action */
};
/* The answer to a change or a keep, to whoever asked: n bytes of text follow, a sentence, or of a keep that succeeded the
 * file's name. */
#define SERVE_WORD_MAGIC UINT32_C(0x44574b43)   /* "CKWD" */
struct serve_word {
  uint32_t magic, version, n;
  uint32_t action;                         /* what it answers */
  int32_t code;                            /* of a keep: how many settings; 0; or an error */
};
enum { SERVE_WORD_TEXT = sizeof((struct ct_err *)0)->text };

struct server;
/* What is done for viewers besides pictures: nothing that a run could not go on from. */
struct serve_doings {
  void (*mark)(void *arg, const char *text);   /* UTF-8 or not, without control characters */
  void (*mask)(void *arg, bool on);
  void (*nudge)(void *arg, double by_px);
  /* <text> NULL: its default. 0 or an error, with a sentence in <answer> either way. */
  int (*change)(void *arg, const char *path, const char *text, struct ct_err *answer);
  int (*keep)(void *arg, const char *texts, size_t bytes, struct ct_err *answer);   /* as above; texts end with NUL */
  void *arg;
};
/* Binds <endpoint>. */
int serve_open(struct server **out, uv_loop_t *loop, struct desk *desk, const char *endpoint,
               const struct serve_doings *doings, struct ct_err *err) CT_MUST_CHECK;
/* Before the loop's last turn; NULL is fine. */
void serve_close(struct server *server);

#endif
