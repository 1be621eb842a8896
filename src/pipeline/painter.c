#include "painter.h"

#include <string.h>

/* A block of the board: the note, then the snapshot. */
static size_t snapshot_at(const struct ct_painter *p)
{
  return (p->note_bytes + 63) / 64 * 64;
}

int ct_painter_init(struct ct_painter *p, size_t note_bytes, size_t snapshot_bytes, int64_t until_ns, struct ct_err *err)
{
  atomic_init(&p->until_ns, until_ns);
  atomic_init(&p->reached_ns, INT64_MIN);
  p->note_bytes = note_bytes;
  return ct_board_new(&p->board, 1, snapshot_at(p) + snapshot_bytes, err);
}

int ct_painter_start(struct ct_painter *p, void *(*work)(void *), void *arg, const char *what, struct ct_err *err)
{
  if (pthread_create(&p->thread, NULL, work, arg) != 0)
    return ct_err_set(err, CT_ENOMEM, "no thread for the %s", what);
  p->running = true;
  return 0;
}

void ct_painter_stop(struct ct_painter *p)
{
  if (!p->running)
    return;
  ct_painter_ask(p);
  atomic_store_explicit(&p->stop, true, memory_order_release);
  pthread_join(p->thread, NULL);
  p->running = false;
}

void ct_painter_fini(struct ct_painter *p)
{
  ct_board_free(p->board);
  p->board = NULL;
}

bool ct_painter_is_asked(struct ct_painter *p, uint64_t *ticket)
{
  *ticket = atomic_load_explicit(&p->ticket, memory_order_acquire);
  return *ticket != p->answered;
}

bool ct_painter_is_stopped(const struct ct_painter *p)
{
  return atomic_load_explicit(&p->stop, memory_order_acquire);
}

void *ct_painter_begin(struct ct_painter *p, struct ct_snapshot_builder *builder)
{
  char *block = ct_board_begin(p->board);
  size_t at = snapshot_at(p);
  if (block == NULL || ct_snapshot_begin(builder, block + at, ct_board_capacity_bytes(p->board) - at) != 0)
    return NULL;   /* more readers than promised */
  return block;
}

void ct_painter_publish(struct ct_painter *p, uint64_t ticket)
{
  ct_board_publish(p->board);
  p->answered = ticket;
}

int64_t ct_painter_until_ns(const struct ct_painter *p)
{
  return atomic_load_explicit(&p->until_ns, memory_order_acquire);
}

void ct_painter_reach(struct ct_painter *p, int64_t until_ns)
{
  atomic_store_explicit(&p->reached_ns, until_ns, memory_order_release);
}

void ct_painter_go_on(struct ct_painter *p, int64_t until_ns)
{
  atomic_store_explicit(&p->until_ns, until_ns, memory_order_release);
}

bool ct_painter_has_reached(const struct ct_painter *p, int64_t until_ns)
{
  return atomic_load_explicit(&p->reached_ns, memory_order_acquire) == until_ns;
}

uint64_t ct_painter_ask(struct ct_painter *p)
{
  atomic_store_explicit(&p->ticket, ++p->asked, memory_order_release);
  return p->asked;
}

const struct ct_snapshot *ct_painter_acquire(struct ct_painter *p, const void **note)
{
  const char *block = ct_board_acquire(p->board);
  *note = block;
  return block != NULL ? (const struct ct_snapshot *)(const void *)(block + snapshot_at(p)) : NULL;
}

void ct_painter_release(struct ct_painter *p, const struct ct_snapshot *snapshot)
{
  if (snapshot)
    ct_board_release(p->board, (const char *)snapshot - snapshot_at(p));
}
