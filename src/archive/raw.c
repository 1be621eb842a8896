/* See raw.h. */
#include "archive/raw.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { EDGE = 80, FRAME_BYTES = EDGE * EDGE * 2 };

bool ct_raw_is(const char *spec)
{
  const size_t n = strlen(spec);
  return n > 4 && strcmp(spec + n - 4, ".bin") == 0;
}

int ct_raw_open(const char *path, struct ct_h5_info *info, struct ct_err *err)
{
  struct stat status;
  int fd = open(path, O_RDONLY | O_CLOEXEC);
  if (fd < 0 || fstat(fd, &status) != 0 || !S_ISREG(status.st_mode)) {
    ct_err_set(err, CT_EIO, "%s: %s", path, fd < 0 ? strerror(errno) : "not a file");
    if (fd >= 0)
      close(fd);
    return CT_EIO;
  }
  if (status.st_size == 0 || status.st_size % FRAME_BYTES != 0) {
    close(fd);
    return ct_err_set(err, CT_EFORMAT, "%s: %lld bytes are no whole number of frames of 80 x 80 uint16 (%d bytes)", path,
                      (long long)status.st_size, FRAME_BYTES);
  }
  *info = (struct ct_h5_info){ .n = (uint64_t)status.st_size / FRAME_BYTES, .rows = EDGE, .cols = EDGE, .type = CT_U16, .chunk = 1 };
  return fd;
}

bool ct_raw_read(int fd, uint64_t first, uint64_t count, void *buffer)
{
  unsigned char *to = buffer;
  off_t at = (off_t)(first * FRAME_BYTES);
  for (size_t left = (size_t)count * FRAME_BYTES; left > 0;) {
    ssize_t n = pread(fd, to, left, at);
    if (n < 0 && errno == EINTR)
      continue;
    if (n <= 0)
      return false;
    to += n;
    at += n;
    left -= (size_t)n;
  }
  return true;
}
