/* The disk of the crash harness: every call with which a program changes files comes through here and may be its last, may
 * fail, or may turn out never to have reached the disk. Linked into a program it takes the place of libc's calls. */
#ifndef TESTS_ARCHIVE_CRASH_H
#define TESTS_ARCHIVE_CRASH_H

#include <stdint.h>

enum crash_kind {
  CRASH_NEVER,
  CRASH_KILL,        /* the process is killed at call <step>, in the middle of it when it writes bytes */
  CRASH_ENOSPC,      /* calls <step> and the following fail, <calls> of them */
  CRASH_EIO,
  CRASH_EROFS,
  CRASH_POWER        /* the process is killed, and of what was not synced any part is on the disk */
};
struct crash {
  enum crash_kind kind;
  uint64_t step, calls, seed;
};
/* From now on, in this process; *steps counts calls (in memory that the parent shares, say). */
void crash_arm(const struct crash *crash, uint64_t *steps);

#endif
