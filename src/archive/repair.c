/* A SWMR writer keeps in the superblock the end of file of the moment it started; whoever opens the file after a crash
 * in the ordinary way cuts it off there. So the superblock is set right before anyone opens it: flags cleared, end of
 * file at the end of the file, checksum anew (HDF5 file format specification 3.0, II.A, superblock version 3). */
#include "archive/repair.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { SUPERBLOCK_BYTES = 48, AT_VERSION = 8, AT_OFFSET_BYTES = 9, AT_FLAGS = 11, AT_END = 28, AT_SUM = 44 };

static uint32_t rotate(uint32_t x, int k) { return x << k | x >> (32 - k); }

static uint32_t word(const unsigned char *p, size_t left)
{
  uint32_t value = 0;
  for (size_t i = 0; i < 4 && i < left; i++)
    value |= (uint32_t)p[i] << 8 * i;
  return value;
}

uint32_t ct_lookup3(const void *data, size_t bytes, uint32_t start)
{
  const unsigned char *p = data;
  uint32_t a = UINT32_C(0xdeadbeef) + (uint32_t)bytes + start, b = a, c = a;
  for (; bytes > 12; bytes -= 12, p += 12) {
    a += word(p, 4);
    b += word(p + 4, 4);
    c += word(p + 8, 4);
    a -= c; a ^= rotate(c, 4); c += b;
    b -= a; b ^= rotate(a, 6); a += c;
    c -= b; c ^= rotate(b, 8); b += a;
    a -= c; a ^= rotate(c, 16); c += b;
    b -= a; b ^= rotate(a, 19); a += c;
    c -= b; c ^= rotate(b, 4); b += a;
  }
  if (bytes == 0)
    return c;
  a += word(p, bytes);
  b += bytes > 4 ? word(p + 4, bytes - 4) : 0;
  c += bytes > 8 ? word(p + 8, bytes - 8) : 0;
  c ^= b; c -= rotate(b, 14);
  a ^= c; a -= rotate(c, 11);
  b ^= a; b -= rotate(a, 25);
  c ^= b; c -= rotate(b, 16);
  a ^= c; a -= rotate(c, 4);
  b ^= a; b -= rotate(a, 14);
  c ^= b; c -= rotate(b, 24);
  return c;
}

static void put_le(unsigned char *out, uint64_t value, int bytes)
{
  for (int i = 0; i < bytes; i++)
    out[i] = (unsigned char)(value >> 8 * i);
}

static uint64_t end_of_file(const unsigned char *block)
{
  return word(block + AT_END, 4) | (uint64_t)word(block + AT_END + 4, 4) << 32;
}

static int keep_original(const char *path, const unsigned char *block)
{
  char copy[600];
  snprintf(copy, sizeof copy, "%s.superblock", path);
  FILE *file = fopen(copy, "wb");
  if (file == NULL)
    return CT_EIO;
  bool good = fwrite(block, 1, SUPERBLOCK_BYTES, file) == SUPERBLOCK_BYTES;
  return fclose(file) == 0 && good ? 0 : CT_EIO;
}

static int patch(int fd, const char *path, bool keep, unsigned char *block, struct ct_err *err)
{
  struct stat status;
  const bool hdf5 = memcmp(block, "\211HDF\r\n\032\n", 8) == 0;
  if (hdf5 && block[AT_VERSION] == 0)        /* on a remote disk: no flags, and the journal has its end of file */
    return 0;
  if (!hdf5 || block[AT_VERSION] != 3 || block[AT_OFFSET_BYTES] != 8)
    return ct_err_set(err, CT_EFORMAT, "%s: not a file of an archived run", path);
  if (word(block + AT_SUM, 4) != ct_lookup3(block, AT_SUM, 0))
    return ct_err_set(err, CT_EFORMAT, "%s: its first 48 bytes are damaged", path);
  if (fstat(fd, &status) != 0)
    return ct_err_set(err, CT_EIO, "%s: %s", path, strerror(errno));
  /* Closed, but on a disk that did not take the last bytes, the end of file is beyond them: nobody would open it. */
  if (block[AT_FLAGS] == 0 && end_of_file(block) <= (uint64_t)status.st_size)
    return 0;
  if (keep && keep_original(path, block) != 0)
    return ct_err_set(err, CT_EIO, "%s: cannot be repaired: %s", path, strerror(errno));
  block[AT_FLAGS] = 0;
  put_le(block + AT_END, (uint64_t)status.st_size, 8);
  put_le(block + AT_SUM, ct_lookup3(block, AT_SUM, 0), 4);
  if (pwrite(fd, block, SUPERBLOCK_BYTES, 0) != SUPERBLOCK_BYTES || fsync(fd) != 0)
    return ct_err_set(err, CT_EIO, "%s: cannot be repaired: %s", path, strerror(errno));
  return 1;
}

int ct_repair_superblock(const char *path, bool keep, struct ct_err *err)
{
  unsigned char block[SUPERBLOCK_BYTES] = { 0 };
  int fd = open(path, O_RDWR | O_CLOEXEC), rc;
  if (fd < 0)
    return ct_err_set(err, CT_EIO, "%s: %s", path, strerror(errno));
  if (pread(fd, block, SUPERBLOCK_BYTES, 0) != SUPERBLOCK_BYTES)
    rc = ct_err_set(err, CT_EFORMAT, "%s: too short for an HDF5 file", path);
  else
    rc = patch(fd, path, keep, block, err);
  close(fd);
  return rc;
}
