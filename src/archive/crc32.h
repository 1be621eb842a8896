/* CRC-32 as of ISO 3309, Ethernet and zlib, so that python's zlib.crc32 can check an archive. */
#ifndef ARCHIVE_CRC32_H
#define ARCHIVE_CRC32_H

#include <stddef.h>
#include <stdint.h>

struct ct_crc32 {
  uint32_t table[8][256];
};
void ct_crc32_init(struct ct_crc32 *crc);
uint32_t ct_crc32(const struct ct_crc32 *crc, const void *data, size_t bytes);

#endif
