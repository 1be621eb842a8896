/* Any bytes as a text map: that many finite numbers, or a line of the file and why. */
#include <comptop/core.h>

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "fuzz.h"

const char *const fuzz_seeds[] = { "1 2\n3 4\n", "1e0\r\n2.5 -3 +4\r\n", "0.0288 0.0288 0.0288 0", "\t\n 1 2 3 4e5" };
const size_t fuzz_seed_count = sizeof fuzz_seeds / sizeof *fuzz_seeds;

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
  enum { COUNT = 4 };
  double values[COUNT];
  struct ct_err err = { "" };
  for (size_t i = 0; i < COUNT; i++)
    values[i] = (double)NAN;
  int code = ct_core_map_parse((const char *)data, size, COUNT, values, "fuzz.txt", &err);
  if (code == 0) {
    for (size_t i = 0; i < COUNT; i++)
      if (!isfinite(values[i]))
        abort();
    return 0;
  }
  if ((code != CT_EFORMAT && code != CT_ESHAPE) || strncmp(err.text, "fuzz.txt:", 9) != 0)
    abort();
  return 0;
}
