/* libFuzzer: any bsread message. Parts are cut at every byte 0xFE, which JSON never has. */
#include <comptop/wire.h>

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
  static struct ct_wire_scalars scalars;
  struct ct_wire_part parts[64];
  struct ct_wire_bsread *bsread;
  size_t n = 0;
  if (ct_wire_bsread_new(&bsread, NULL) != 0)
    abort();
  for (const uint8_t *at = data, *end = data + size; n < 64; n++) {
    const uint8_t *cut = at < end ? memchr(at, 0xFE, (size_t)(end - at)) : NULL;
    parts[n] = (struct ct_wire_part){ at, (size_t)((cut != NULL ? cut : end) - at) };
    if (cut == NULL)
      break;
    at = cut + 1;
  }
  for (int i = 0; i < 2; i++) {
    ct_wire_bsread_decode(bsread, parts, n < 64 ? n + 1 : 64, &scalars);
    if (scalars.verdict == CT_WIRE_REJECT ? scalars.reason[0] == '\0' : scalars.n > CT_WIRE_CHANNELS)
      abort();
  }
  ct_wire_bsread_free(bsread);
  return 0;
}
