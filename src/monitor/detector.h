/* Alarms about the health of the detector. Internal to monitor; the memory is its owner's, zeroed at first. */
#ifndef MONITOR_DETECTOR_H
#define MONITOR_DETECTOR_H

#include "alarms.h"

/* What was seen last: an event that lasts one frame is shown for a while, a drift until it is well back. */
struct detector_memory {
  uint64_t row_floods, jumps;
  int64_t flooded_ns, jumped_ns;     /* when they last grew; 0: never */
  bool drifted;
  uint64_t mask_generation;
};

/* Raises what <health> calls for, of the stream <name>. */
void detector_raise(struct alarms *alarms, struct detector_memory *memory, const char *name,
                    const struct ct_snapshot_health *health, int64_t now_ns);

#endif
