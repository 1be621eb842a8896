/* libFuzzer: any bsread message. Parts are cut at every byte 0xFE, which JSON never has; the first byte says which of
 * the headers are good ones instead (the fuzzer cannot see into jansson to find them). */
#include <comptop/wire.h>

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
  static struct ct_wire_scalars scalars;
  struct ct_wire_part parts[64];
  struct ct_wire_bsread *bsread;
  static const char main_header[] = "{\"htype\":\"bsr_m-1.1\",\"hash\":\"\",\"pulse_id\":42,"
                                    "\"global_timestamp\":{\"sec\":1,\"ns\":7}}";
  static const char data_header[] = "{\"htype\":\"bsr_d-1.1\",\"channels\":[{\"name\":\"a\"},"
                                    "{\"name\":\"b\",\"type\":\"int16\",\"encoding\":\"big\",\"shape\":[1]},"
                                    "{\"name\":\"c\",\"type\":\"string\",\"shape\":[9]}]}";
  size_t n = 0;
  if (size == 0)
    return 0;
  if (ct_wire_bsread_new(&bsread, NULL) != 0)
    abort();
  for (const uint8_t *at = data + 1, *end = data + size; n < 64; n++) {
    const uint8_t *cut = at < end ? memchr(at, 0xFE, (size_t)(end - at)) : NULL;
    parts[n] = (struct ct_wire_part){ at, (size_t)((cut != NULL ? cut : end) - at) };
    if (cut == NULL)
      break;
    at = cut + 1;
  }
  if (data[0] & 1)
    parts[0] = (struct ct_wire_part){ main_header, sizeof main_header - 1 };
  if ((data[0] & 2) && n > 0)
    parts[1] = (struct ct_wire_part){ data_header, sizeof data_header - 1 };
  for (int i = 0; i < 2; i++) {
    ct_wire_bsread_decode(bsread, parts, n < 64 ? n + 1 : 64, &scalars);
    if (scalars.verdict == CT_WIRE_REJECT ? scalars.reason[0] == '\0' : scalars.n > CT_WIRE_CHANNELS)
      abort();
  }
  ct_wire_bsread_free(bsread);
  return 0;
}
