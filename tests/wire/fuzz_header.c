/* libFuzzer: any header on every kind of decoder, any CBOR message, any packed pixels. The first byte chooses, the rest is the
 * header or the whole message. */
#include <comptop/wire.h>

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
  static const unsigned char pixels[12800];
  static struct ct_wire_message message;
  if (size == 0)
    return 0;
  struct ct_wire_setup setup = { .role = data[0] & 1 ? CT_ROLE_CAMERA : CT_ROLE_HEXITEC,
                                 .rows = data[0] & 2 ? 80 : 0, .cols = data[0] & 2 ? 80 : 0,
                                 .dataset = data[0] & 4 ? "processed_frames" : NULL };
  struct ct_wire *wire;
  if (ct_wire_new(&wire, &setup, NULL) != 0)
    abort();
  struct ct_wire_part parts[2] = { { data + 1, size - 1 }, { pixels, sizeof pixels } };
  for (int i = 0; i < 2; i++) {
    ct_wire_decode(wire, parts, data[0] & 8 ? 1 : 2, &message);
    if (message.verdict == CT_WIRE_TAKE && message.packed.form == CT_PLAIN && !(data[0] & 8) &&
        message.frame.bytes != sizeof pixels)
      abort();
    if (message.verdict == CT_WIRE_TAKE && message.packed.form != CT_PLAIN && message.frame.bytes < 1 << 22) {
      void *room = malloc(message.frame.bytes);
      if (room == NULL)
        abort();
      if (!ct_wire_unpack(&message, room) && message.verdict != CT_WIRE_REJECT)
        abort();
      free(room);
    }
    if (message.verdict == CT_WIRE_REJECT && (message.reason[0] == '\0' || message.reject >= CT_REJECT_COUNT))
      abort();
  }
  ct_wire_free(wire);
  return 0;
}
