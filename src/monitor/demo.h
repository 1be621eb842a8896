/* The private simulator behind --demo. Internal to monitor.
 * Ownership: the child belongs to struct demo; it ends when told to, and by itself when this process is gone. */
#ifndef MONITOR_DEMO_H
#define MONITOR_DEMO_H

#include <stdbool.h>
#include <sys/types.h>

#include <comptop/core.h>

struct demo {
  pid_t child;
};

/* Starts comptop-sim on endpoints of its own (abstract, so nothing is left in any folder). */
int demo_start(struct demo *demo, struct ct_err *err) CT_MUST_CHECK;
/* Called in a new process: it ends when <parent>, which it was forked from, does, however that ends. */
void demo_end_with_parent(pid_t parent);
/* Ends it and waits for it; NULL or never started is fine. */
void demo_stop(struct demo *demo);
/* The arguments that make comptop watch it, put before the user's: a new NULL-terminated array, to be freed. A run that is <archived> gets a name of its own, so that the next one is another. */
char **demo_arguments(const struct demo *demo, bool archived, int argc, char **argv, int *new_argc);

#endif
