/* The alarms in force, and since when. Internal to monitor; plain memory of the owner's. */
#ifndef MONITOR_ALARMS_H
#define MONITOR_ALARMS_H

#include <stdio.h>

#include <comptop/snapshot.h>

/* An alarm is known by its id and what it is about (a stream's name, or ""); it is raised anew for every snapshot. */
struct alarm {
  char about[CT_NAME];
  bool raised;
  struct ct_snapshot_alarm shown;
};
struct alarms {
  struct alarm list[CT_SNAPSHOT_ALARMS];
  uint32_t n;
  FILE *log;                 /* where changes are told, a line each; NULL: nowhere */
  /* Called with every change; may be NULL. */
  void (*changed)(void *arg, const struct ct_snapshot_alarm *alarm, bool raised, int64_t now_ns);
  void *changed_arg;
};

void alarms_begin(struct alarms *alarms);
void alarms_raise(struct alarms *alarms, int64_t now_ns, const char *id, const char *about, enum ct_severity severity,
                  const char *fmt, ...) CT_PRINTF(6, 7);
/* Raises what the snapshot tells of changes of EMF and of the instrument, and of the references of lithium. */
void alarms_change(struct alarms *alarms, const struct ct_snapshot_core *core);
/* Tells of something that has happened and needs no attention: it is logged and archived, and no alarm. */
void alarms_note(const struct alarms *alarms, int64_t now_ns, const char *id, const char *text);
/* Drops those that were not raised since alarms_begin and copies the rest into the snapshot, the worst first. */
void alarms_end(struct alarms *alarms, int64_t now_ns, struct ct_snapshot_core *core);

#endif
