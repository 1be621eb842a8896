/* To set a descriptor non-blocking would set it so for everybody who has it, the shell's own terminal included. So pipes and
 * terminals are opened once more; where that cannot be done (sockets) the pieces are of a size that is taken at once. */
#include "outlet.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
  PIECE_BYTES = 512,
  PUMP_MS = 10
};

static void drop(struct outlet *outlet)
{
  free(outlet->bytes);
  outlet->bytes = NULL;
  outlet->length = outlet->sent = 0;
}

/* Sends while the reader takes it: 0 (perhaps with a rest) or CT_EIO. <wait_ms> is how long to wait for it, -1: for ever. */
static int send_pieces(struct outlet *outlet, int wait_ms)
{
  while (outlet->sent < outlet->length) {
    struct pollfd ready = { .fd = outlet->fd, .events = POLLOUT };
    int n = poll(&ready, 1, wait_ms);
    if (n == 0)
      return 0;
    size_t piece = outlet->length - outlet->sent;
    if (piece > PIECE_BYTES && outlet->path[0] == '\0')
      piece = PIECE_BYTES;
    ssize_t written = n < 0 ? -1 : write(outlet->fd, outlet->bytes + outlet->sent, piece);
    if (written >= 0) {
      outlet->sent += (size_t)written;
    } else if (errno == EAGAIN && wait_ms == 0) {
      return 0;
    } else if (errno != EINTR && errno != EAGAIN) {
      int why = errno;
      drop(outlet);
      errno = why;
      return CT_EIO;
    }
  }
  drop(outlet);
  return 0;
}

static void on_pump(uv_timer_t *timer)
{
  struct outlet *outlet = timer->data;
  int code = send_pieces(outlet, 0);
  if (outlet_busy(outlet))
    return;
  uv_timer_stop(timer);
  outlet->done(outlet->arg, code);
}

void outlet_open(struct outlet *outlet, uv_loop_t *loop, int fd)
{
  struct stat info;
  memset(outlet, 0, sizeof *outlet);
  outlet->fd = fd;
  outlet->own_fd = -1;
  uv_timer_init(loop, &outlet->pump);
  outlet->pump.data = outlet;
  char link[64];
  snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
  if (fstat(fd, &info) == 0 && S_ISREG(info.st_mode)) {
    ssize_t length = readlink(link, outlet->path, sizeof outlet->path - 1);
    outlet->path[length > 0 ? length : 0] = '\0';
    return;
  }
  outlet->own_fd = open(link, O_WRONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
  if (outlet->own_fd >= 0)
    outlet->fd = outlet->own_fd;
}

bool outlet_busy(const struct outlet *outlet) { return outlet->bytes != NULL; }

int outlet_put(struct outlet *outlet, char *bytes, size_t length)
{
  outlet->bytes = bytes;
  outlet->length = length;
  outlet->sent = 0;
  int code = send_pieces(outlet, 0);
  if (outlet_busy(outlet))
    uv_timer_start(&outlet->pump, on_pump, PUMP_MS, PUMP_MS);
  return code;
}

int outlet_flush(struct outlet *outlet, int wait_ms) { return outlet_busy(outlet) ? send_pieces(outlet, wait_ms) : 0; }

/* Whether <fd> is open on what now has that name. */
static bool is_named(int fd, const char *path)
{
  struct stat here, there;
  return fstat(fd, &here) == 0 && stat(path, &there) == 0 && here.st_ino == there.st_ino && here.st_dev == there.st_dev;
}

FILE *outlet_content(const struct outlet *outlet)
{
  if (outlet->path[0] == '\0' || !is_named(outlet->fd, outlet->path))
    return NULL;
  return fopen(outlet->path, "r");
}

bool outlet_reopen(struct outlet *outlet)
{
  if (outlet->path[0] == '\0' || outlet_busy(outlet))
    return false;
  int fd = open(outlet->path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0666);
  if (fd < 0)
    return false;
  bool taken = dup2(fd, outlet->fd) >= 0;
  close(fd);
  return taken;
}

void outlet_close(struct outlet *outlet)
{
  drop(outlet);
  if (outlet->own_fd >= 0)
    close(outlet->own_fd);
}
