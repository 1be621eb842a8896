/* Where snapshots come from: this process's collector (desk.h), or another's through its socket (attach.h). Screen and
 * batch know only this. Internal to monitor.
 * Ownership: a feed belongs to whoever opened it; the snapshot it hands over is lent for the call (its core.seq is for the
 * user to fill). */
#ifndef MONITOR_FEED_H
#define MONITOR_FEED_H

#include <comptop/snapshot.h>

struct feed {
  /* Asks for one snapshot with these sections, as fresh as can be; take is called when it is there. An ask before that
   * replaces the one before. */
  void (*ask)(struct feed *feed, const struct ct_request *requests, size_t n);
  /* Writes a marker into the run's archive: false where nobody takes it. Only feeds of viewers have it. */
  bool (*mark)(struct feed *feed, const char *text);
  /* Moves the rotation axis for everybody. */
  void (*nudge)(struct feed *feed, double by_px);
  /* Leaves out the pixels listed as hot or dead, for everybody, or lets them in again. Only feeds of viewers have it. */
  void (*mask)(struct feed *feed, bool on);
  /* Changes a setting of the run, for everybody (NULL <text>: its default again); writes the changed ones into the run's
   * configuration file. told is called with the answer. Only feeds of viewers have them. */
  void (*change)(struct feed *feed, const char *path, const char *text);
  void (*keep)(struct feed *feed, const char *texts, size_t bytes);      /* see SERVE_KEEP */
  /* Set by the user of the feed, as take is: the answer, see struct serve_word; it may come before change or keep returns.
   * <kept>: of keep. NULL where neither is called. */
  void (*told)(void *arg, bool kept, int code, const char *text);
  /* Set by the user of the feed. NULL <snapshot>: the collector does not answer (any more), asked again it is tried. */
  void (*take)(void *arg, struct ct_snapshot *snapshot);
  void *arg;
};

#endif
