/* Reads what a file has grown by, a piece at a time, in libuv's threads: a disk on the network may take its time. Rows that
 * were there at the start only tell what the cell's values are; later ones are of this run, and are archived. */
#include "follow.h"

#include <fcntl.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum {
  LOOK_MS = 100,
  PIECE_BYTES = 16 << 10,       /* rows of a piece are not more than the archive takes in one go */
  LOOKS_PER_STAT = 20,          /* between two looks whether it is still the same file */
  TAIL_BYTES = 64               /* read again with every piece: they tell whether it was written anew */
};

struct follow {
  struct collector *collector;
  uv_loop_t *loop;
  const char *path;
  uv_timer_t timer;
  uv_fs_t request;
  bool busy, stopped;
  bool trouble;                 /* the last read failed */
  uv_file file;
  int64_t changed_ns;           /* st_mtim at the last look at an idle file */
  uint64_t inode, backlog;      /* rows that end below <backlog> were there at the start */
  int64_t offset;
  unsigned idle_looks;
  struct ct_mpt mpt;
  size_t tail_n;
  char tail[TAIL_BYTES];        /* what stands before <offset> */
  char buffer[TAIL_BYTES + PIECE_BYTES];
};

static void tell(struct follow *f, const char *what)
{
  snprintf(f->collector->cell_log, sizeof f->collector->cell_log, "%s", what);
}

/* ---- rows ----------------------------------------------------------------------------------------------------------- */
/* The potentiostat writes the time of its wall clock and not its zone: it is taken for ours. */
static int64_t utc_of(double wall_s)
{
  if (isnan(wall_s))
    return ct_time_wall_ns();
  const time_t whole = (time_t)floor(wall_s);
  struct tm parts;
  gmtime_r(&whole, &parts);
  parts.tm_isdst = -1;
  const time_t utc = mktime(&parts);
  return utc == (time_t)-1 ? ct_time_wall_ns() : (int64_t)utc * CT_NS_PER_S + (int64_t)((wall_s - floor(wall_s)) * 1e9);
}

static void take(void *arg, const struct ct_mpt_row *row)
{
  static const enum ct_cell_quantity quantities[] = { [CT_MPT_VOLTAGE] = CT_CELL_VOLTAGE, [CT_MPT_CURRENT] = CT_CELL_CURRENT,
                                                      [CT_MPT_CHARGE] = CT_CELL_CHARGE };
  struct follow *f = arg;
  struct collector *c = f->collector;
  const int64_t time_ns = utc_of(row->wall_s), arrival_ns = collector_arrival_ns(c);
  for (int i = CT_MPT_VOLTAGE; i <= CT_MPT_CHARGE; i++) {
    if (isnan(row->value[i]))
      continue;
    const char *channel = c->cell.latest[quantities[i]].channel;
    ct_cell_update(&c->cell, channel, row->value[i], time_ns);
    if (c->archiver && (uint64_t)f->offset >= f->backlog)
      ct_archiver_scalar(c->archiver, &(struct ct_run_scalar){ channel, time_ns, arrival_ns, row->value[i] });
  }
}

/* ---- the file --------------------------------------------------------------------------------------------------------- */
static void close_file(struct follow *f)
{
  uv_fs_t request;
  if (f->file >= 0) {
    uv_fs_close(NULL, &request, f->file, NULL);
    uv_fs_req_cleanup(&request);
  }
  f->file = -1;
}

static int open_file(struct follow *f)
{
  uv_fs_t request;
  f->file = uv_fs_open(NULL, &request, f->path, O_RDONLY | O_CLOEXEC, 0, NULL);
  uv_fs_req_cleanup(&request);
  if (f->file < 0)
    return f->file;
  int code = uv_fs_fstat(NULL, &request, f->file, NULL);
  f->inode = request.statbuf.st_ino;
  f->backlog = request.statbuf.st_size;
  uv_fs_req_cleanup(&request);
  return code;
}

static void look(struct follow *f);

/* All of it is of this run. */
static void begin_anew(struct follow *f)
{
  f->offset = 0;
  f->tail_n = 0;
  f->backlog = 0;
  ct_mpt_init(&f->mpt);
}

static void keep_tail(struct follow *f, size_t n)
{
  f->tail_n = n < TAIL_BYTES ? n : TAIL_BYTES;
  memcpy(f->tail, f->buffer + n - f->tail_n, f->tail_n);
}

static void on_read(uv_fs_t *request)
{
  struct follow *f = request->data;
  struct ct_err why = { "" };
  const ssize_t n = request->result;
  char text[256];
  uv_fs_req_cleanup(request);
  f->busy = false;
  if (f->stopped)
    return;
  f->trouble = n < 0;
  if (n < 0) {
    snprintf(text, sizeof text, "%.120s: cannot be read: %s", f->path, uv_strerror((int)n));
    tell(f, text);
  }
  if (n <= (ssize_t)f->tail_n) {   /* not grown; one that became shorter is noticed by its size */
    f->idle_looks++;
    return;
  }
  f->idle_looks = 0;
  if (memcmp(f->buffer, f->tail, f->tail_n) != 0) {
    begin_anew(f);                 /* written anew, and longer */
    look(f);
    return;
  }
  const size_t news = (size_t)n - f->tail_n;
  int code = ct_mpt_feed(&f->mpt, f->buffer + f->tail_n, news, take, f, &why);
  f->offset += (int64_t)news;
  keep_tail(f, (size_t)n);
  snprintf(text, sizeof text, "%.120s: %.110s", f->path, why.text);
  tell(f, code == 0 ? "" : text);
  if (code == 0 && (uint64_t)f->offset < f->backlog)
    look(f);
}

/* Another file of that name, or the same cut short, begins anew, and all of it is of this run. After trouble it is
 * opened again, and goes on where it was. */
static void on_stat(uv_fs_t *request)
{
  struct follow *f = request->data;
  const bool there = request->result == 0;
  const uv_stat_t *now = &request->statbuf;
  const int64_t changed_ns = now->st_mtim.tv_sec * CT_NS_PER_S + now->st_mtim.tv_nsec;
  /* Written to and not grown, while nothing was read of it: as long as it was, but not the same. */
  const bool rewritten = f->idle_looks > LOOKS_PER_STAT && changed_ns != f->changed_ns;
  const bool other = rewritten || now->st_ino != f->inode || now->st_size < (uint64_t)f->offset;
  const bool idle = now->st_size == (uint64_t)f->offset;
  uv_fs_req_cleanup(request);
  f->busy = false;
  f->idle_looks = idle ? f->idle_looks : 0;
  f->changed_ns = changed_ns;
  if (f->stopped || !there || (!other && !f->trouble))
    return;
  close_file(f);
  f->idle_looks = 0;
  if (other)
    begin_anew(f);
  if (open_file(f) != 0)
    f->trouble = true;
  f->backlog = 0;
}

static void look(struct follow *f)
{
  if (f->busy)
    return;
  f->request.data = f;
  if (f->file < 0 || f->idle_looks % LOOKS_PER_STAT == 1) {
    f->idle_looks++;
    f->busy = uv_fs_stat(f->loop, &f->request, f->path, on_stat) == 0;
    return;
  }
  uv_buf_t buffer = uv_buf_init(f->buffer, sizeof f->buffer);
  f->busy = uv_fs_read(f->loop, &f->request, f->file, &buffer, 1, f->offset - (int64_t)f->tail_n, on_read) == 0;
}

static void on_timer(uv_timer_t *timer) { look(timer->data); }

/* ---- opening and closing -------------------------------------------------------------------------------------------- */
static void ignore(void *arg, const struct ct_mpt_row *row) { (void)arg, (void)row; }

/* What is there of its head must be right. */
static int check_head(struct follow *f, struct ct_err *err)
{
  uv_fs_t request;
  struct ct_err why = { "" };
  uv_buf_t buffer = uv_buf_init(f->buffer, sizeof f->buffer);
  const int n = uv_fs_read(NULL, &request, f->file, &buffer, 1, 0, NULL);
  uv_fs_req_cleanup(&request);
  int code = n < 0 ? CT_EIO : ct_mpt_feed(&f->mpt, f->buffer, (size_t)n, ignore, NULL, &why);
  ct_mpt_init(&f->mpt);
  return code == 0 ? 0 : ct_err_set(err, code, "cell.mpt = %.200s: %s", f->path, n < 0 ? uv_strerror(n) : why.text);
}

int follow_open(struct follow **out, uv_loop_t *loop, const char *path, struct collector *collector, struct ct_err *err)
{
  struct follow *f = ct_xcalloc(1, sizeof *f);
  f->collector = collector;
  f->loop = loop;
  f->path = path;
  ct_mpt_init(&f->mpt);
  int code = open_file(f);
  code = code < 0 ? ct_err_set(err, CT_EIO, "cell.mpt = %.200s: %s", path, uv_strerror(code)) : check_head(f, err);
  if (code != 0) {
    close_file(f);
    free(f);
    return code;
  }
  uv_timer_init(loop, &f->timer);
  f->timer.data = f;
  uv_timer_start(&f->timer, on_timer, 0, LOOK_MS);
  *out = f;
  return 0;
}

void follow_stop(struct follow *f)
{
  if (f != NULL)
    f->stopped = true;
}

void follow_close(struct follow *f)
{
  if (f == NULL)
    return;
  close_file(f);
  free(f);
}
