#include "tests/archive/scratch.h"

#include <stdio.h>
#include <stdlib.h>

char folder[64];

int make_folder(void **state)
{
  (void)state;
  snprintf(folder, sizeof folder, "/tmp/check_archive.XXXXXX");
  return mkdtemp(folder) == NULL;
}

int remove_folder(void **state)
{
  (void)state;
  char command[128];
  snprintf(command, sizeof command, "rm -r '%s'", folder);
  return system(command);
}

const char *in_folder(const char *name)
{
  static char text[4][160];
  static unsigned turn;
  char *out = text[turn++ % 4];
  snprintf(out, sizeof text[0], "%s/%s", folder, name);
  return out;
}
