/* Any bytes as a histogram cube: refused with a reason, or every count of it can be read. */
#include <comptop/spectra.h>

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "../core/fuzz.h"

/* Seeds are texts; the bytes of a head that the mutations may reach are put before them. */
const char *const fuzz_seeds[] = { "HEXITECH", "1 1 2 and counts", "3 2 2 and more counts than there are bins in the cube" };
const size_t fuzz_seed_count = sizeof fuzz_seeds / sizeof *fuzz_seeds;

static void use(const uint8_t *data, size_t size)
{
  struct ct_hxt hxt;
  struct ct_err err = { "" };
  uint8_t *exact = malloc(size + 1);
  memcpy(exact, data, size);
  int code = ct_hxt_parse(&hxt, exact, size, &err);
  if (code == 0) {
    uint64_t sum = 0;
    for (size_t p = 0; p < (size_t)hxt.rows * hxt.cols; p++)
      for (uint32_t i = 0; i < hxt.axis.n; i++)
        sum += ct_hxt_count(&hxt, p, i);
    if (!(hxt.axis.width_keV > 0) || !isfinite(hxt.axis.start_keV) || sum > (uint64_t)hxt.rows * hxt.cols * hxt.axis.n * UINT32_MAX)
      abort();
  } else if ((code != CT_EFORMAT && code != CT_ESHAPE && code != CT_EUNSUPPORTED) || err.text[0] == '\0') {
    abort();
  }
  free(exact);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
  /* As it is; and with a good head of version 1, for 1 x 1 pixels and as many bins as the rest has. */
  use(data, size);
  uint8_t cube[28 + 1024] = "HEXITECH\1";
  const size_t rest = size < 1024 ? size / 16 * 16 : 1024;
  cube[16] = cube[20] = 1;
  cube[24] = (uint8_t)(rest / 16);
  memcpy(cube + 28, data, rest);
  use(cube, 28 + rest);
  return 0;
}
