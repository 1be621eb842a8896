/* CRC-32, eight bytes a step (Kounavis and Berry, "A systematic approach to building high performance, software-based,
 * CRC generators", 2005). */
#include "archive/crc32.h"

#include <string.h>

static const uint32_t polynomial = UINT32_C(0xEDB88320);

void ct_crc32_init(struct ct_crc32 *crc)
{
  for (uint32_t i = 0; i < 256; i++) {
    uint32_t value = i;
    for (int bit = 0; bit < 8; bit++)
      value = value >> 1 ^ (value & 1 ? polynomial : 0);
    crc->table[0][i] = value;
  }
  for (int slice = 1; slice < 8; slice++)
    for (uint32_t i = 0; i < 256; i++) {
      uint32_t before = crc->table[slice - 1][i];
      crc->table[slice][i] = before >> 8 ^ crc->table[0][before & 255];
    }
}

uint32_t ct_crc32(const struct ct_crc32 *crc, const void *data, size_t bytes)
{
  const uint32_t (*t)[256] = crc->table;
  const unsigned char *p = data;
  uint32_t value = UINT32_MAX;
  for (; bytes >= 8; bytes -= 8, p += 8) {
    uint32_t low, high;                  /* little-endian machines only, see configure.ac */
    memcpy(&low, p, 4);
    memcpy(&high, p + 4, 4);
    low ^= value;
    value = t[7][low & 255] ^ t[6][low >> 8 & 255] ^ t[5][low >> 16 & 255] ^ t[4][low >> 24] ^
            t[3][high & 255] ^ t[2][high >> 8 & 255] ^ t[1][high >> 16 & 255] ^ t[0][high >> 24];
  }
  for (; bytes > 0; bytes--, p++)
    value = value >> 8 ^ t[0][(value ^ *p) & 255];
  return ~value;
}
