/* Big-endian numbers of the packed forms. Internal to the room. */
#ifndef COMPTOP_SRC_FRAME_BYTES_H
#define COMPTOP_SRC_FRAME_BYTES_H

#include <stdint.h>

static inline void put_be(unsigned char *out, uint64_t value, int bytes)
{
  for (int i = bytes; i-- > 0; value >>= 8)
    out[i] = (unsigned char)value;
}

static inline uint64_t get_be(const unsigned char *in, int bytes)
{
  uint64_t value = 0;
  for (int i = 0; i < bytes; i++)
    value = value << 8 | in[i];
  return value;
}

#endif
