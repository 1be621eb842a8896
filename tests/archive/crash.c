#include "tests/archive/crash.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { PAGE = 4096, SECTOR = 512, FILES = 64 };

static struct crash armed;
static uint64_t *steps;

static uint64_t next_random(void)
{
  uint64_t x = armed.seed += UINT64_C(0x9E3779B97F4A7C15);
  x = (x ^ x >> 30) * UINT64_C(0xBF58476D1CE4E5B9);
  x = (x ^ x >> 27) * UINT64_C(0x94D049BB133111EB);
  return x ^ x >> 31;
}

/* ---- what is not on the disk yet: for each page that was written since the last sync, what it was then ---------- */

struct page {
  uint64_t index;
  unsigned char *before;      /* NULL: it was beyond the end of the file */
};
struct dirty {
  dev_t device;
  ino_t inode;
  int fd;                     /* of our own */
  uint64_t bytes;             /* of the file at the last sync */
  struct page *pages;
  size_t n, room;
};
static struct dirty dirty[FILES];
static size_t n_dirty;

static struct dirty *dirty_of(int fd)
{
  struct stat status;
  if (fstat(fd, &status) != 0 || !S_ISREG(status.st_mode))
    return NULL;
  for (size_t i = 0; i < n_dirty; i++)
    if (dirty[i].inode == status.st_ino && dirty[i].device == status.st_dev)
      return &dirty[i];
  char name[64];
  snprintf(name, sizeof name, "/proc/self/fd/%d", fd);
  int own = (int)syscall(SYS_openat, AT_FDCWD, name, O_RDWR | O_CLOEXEC, 0);
  if (n_dirty == FILES || own < 0)
    abort();
  dirty[n_dirty] = (struct dirty){ .device = status.st_dev, .inode = status.st_ino, .fd = own,
                                   .bytes = (uint64_t)status.st_size };
  return &dirty[n_dirty++];
}

static void keep_page(struct dirty *file, uint64_t index)
{
  for (size_t i = file->n; i-- > 0;)
    if (file->pages[i].index == index)
      return;
  if (file->n == file->room) {
    file->room = file->room ? 2 * file->room : 256;
    file->pages = realloc(file->pages, file->room * sizeof *file->pages);
    if (file->pages == NULL)
      abort();
  }
  struct page *page = &file->pages[file->n++];
  *page = (struct page){ .index = index };
  if (index * PAGE >= file->bytes)
    return;
  page->before = calloc(1, PAGE);
  if (page->before == NULL || pread(file->fd, page->before, PAGE, (off_t)(index * PAGE)) < 0)
    abort();
}

static void note_write(int fd, uint64_t at, size_t bytes)
{
  struct dirty *file = armed.kind == CRASH_POWER ? dirty_of(fd) : NULL;
  for (uint64_t i = at / PAGE; file != NULL && bytes > 0 && i <= (at + bytes - 1) / PAGE; i++)
    keep_page(file, i);
}

static void note_sync(int fd)
{
  struct stat status;
  struct dirty *file = armed.kind == CRASH_POWER ? dirty_of(fd) : NULL;
  if (file == NULL || fstat(fd, &status) != 0)
    return;
  for (size_t i = 0; i < file->n; i++)
    free(file->pages[i].before);
  file->n = 0;
  file->bytes = (uint64_t)status.st_size;
}

/* One page as the power left it: as it was, as it is, or part of each; what was never written is zeros. */
static void settle_page(struct dirty *file, const struct page *page)
{
  static const unsigned char zeros[PAGE];
  const unsigned char *before = page->before ? page->before : zeros;
  const uint64_t fate = next_random() % 8, torn = next_random();
  for (unsigned i = 0; i < PAGE / SECTOR; i++)
    if (fate < 4 || (fate == 4 && torn >> i & 1))
      syscall(SYS_pwrite64, file->fd, before + i * SECTOR, SECTOR, (off_t)(page->index * PAGE + i * SECTOR));
}

static void cut_power(void)
{
  for (size_t i = 0; i < n_dirty; i++) {
    struct dirty *file = &dirty[i];
    struct stat status;
    if (fstat(file->fd, &status) != 0)
      continue;
    for (size_t k = 0; k < file->n; k++)
      settle_page(file, &file->pages[k]);
    /* The length is metadata: any of those the file had. */
    const uint64_t now = (uint64_t)status.st_size, kept = next_random() % 3;
    const uint64_t length = kept == 0 || now <= file->bytes ? file->bytes
                          : kept == 1 ? now : file->bytes + next_random() % (now - file->bytes);
    syscall(SYS_ftruncate, file->fd, (off_t)length);
  }
}

/* ---- the calls ---------------------------------------------------------------------------------------------------- */

void crash_arm(const struct crash *crash, uint64_t *count)
{
  armed = *crash;
  steps = count;
}

static void die(void)
{
  if (armed.kind == CRASH_POWER)
    cut_power();
  raise(SIGKILL);
}

/* Whether this call fails, with errno set; does not come back when it is the last one. */
static bool fails(bool writes)
{
  if (steps == NULL)
    return false;
  const uint64_t step = (*steps)++;
  if (armed.kind == CRASH_NEVER || step < armed.step)
    return false;
  if (armed.kind == CRASH_KILL || armed.kind == CRASH_POWER) {
    if (!writes)
      die();
    return false;
  }
  if (step - armed.step >= armed.calls)
    return false;
  errno = armed.kind == CRASH_ENOSPC ? ENOSPC : armed.kind == CRASH_EROFS ? EROFS : EIO;
  return true;
}

static bool is_last(void)
{
  return steps != NULL && (armed.kind == CRASH_KILL || armed.kind == CRASH_POWER) && *steps > armed.step;
}

ssize_t pwrite(int fd, const void *data, size_t bytes, off_t at)
{
  if (fails(true))
    return -1;
  note_write(fd, (uint64_t)at, bytes);
  if (is_last()) {
    syscall(SYS_pwrite64, fd, data, bytes / 2, at);
    die();
  }
  return (ssize_t)syscall(SYS_pwrite64, fd, data, bytes, at);
}

ssize_t write(int fd, const void *data, size_t bytes)
{
  struct stat status;
  if (fstat(fd, &status) != 0 || !S_ISREG(status.st_mode))
    return (ssize_t)syscall(SYS_write, fd, data, bytes);
  if (fails(true))
    return -1;
  note_write(fd, (uint64_t)status.st_size, bytes);      /* files that are written so are appended to */
  if (is_last()) {
    syscall(SYS_write, fd, data, bytes / 2);
    die();
  }
  return (ssize_t)syscall(SYS_write, fd, data, bytes);
}

int ftruncate(int fd, off_t bytes)
{
  return fails(false) ? -1 : (int)syscall(SYS_ftruncate, fd, bytes);
}

int fdatasync(int fd)
{
  if (fails(false))
    return -1;
  note_sync(fd);
  return 0;                     /* a kill does not need it, and a power cut is ours */
}

int fsync(int fd) { return fdatasync(fd); }

int unlink(const char *path)
{
  return fails(false) ? -1 : (int)syscall(SYS_unlinkat, AT_FDCWD, path, 0);
}

int rename(const char *from, const char *to)
{
  return fails(false) ? -1 : (int)syscall(SYS_renameat, AT_FDCWD, from, AT_FDCWD, to);
}

int open(const char *path, int flags, ...)
{
  va_list args;
  va_start(args, flags);
  mode_t mode = flags & O_CREAT ? va_arg(args, mode_t) : 0;
  va_end(args);
  if (flags & O_CREAT && fails(false))
    return -1;
  return (int)syscall(SYS_openat, AT_FDCWD, path, flags, mode);
}
