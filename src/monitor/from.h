/* --from RUN: the settings that an archived run was collected with come before the user's own. Internal to monitor.
 * Ownership: the caller closes the settings and frees the arguments; texts in them belong to the struct. */
#ifndef MONITOR_FROM_H
#define MONITOR_FROM_H

#include <stdio.h>

#include <comptop/core.h>

enum { FROM_ARGUMENTS = 16, FROM_TEXT = 640 };
struct from {
  char text[FROM_ARGUMENTS][FROM_TEXT];
  char **argv;
  int argc;
};

/* Reads the settings again: those of the run, then what the command line says. */
int from_settings(struct ct_settings **out, struct from *from, const char *run, int argc, char **argv, FILE *output,
                  struct ct_err *err) CT_MUST_CHECK;

#endif
