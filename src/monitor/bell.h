/* bell: when the terminal's bell is due. Internal to monitor.
 * Ownership: a bell belongs to one viewer; zeroed it has heard nothing yet. */
#ifndef MONITOR_BELL_H
#define MONITOR_BELL_H

#include <comptop/snapshot.h>

struct bell {
  bool listening;                  /* a snapshot was seen: what was wrong before is no news */
  uint32_t n;
  struct bell_known {
    char id[CT_NAME];
    unsigned which;                /* of several with this id */
    int64_t seen_ns;               /* wall clock, when it was last there */
  } known[CT_SNAPSHOT_ALARMS];
};

/* Whether <core> has a critical alarm that is new: not there in the last minute, so that one that comes and goes rings
 * once. One ring for all that are new. */
bool bell_rings(struct bell *bell, const struct ct_snapshot_core *core);

#endif
