/* painter: what threads that draw partial snapshots have in common. They work, draw when they are asked, and end when they
 * are told; whoever asks takes the latest drawing. Internal to pipeline.
 * Ownership: a painter owns its thread and its board, which owns the drawings; what the thread works with is the user's. */
#ifndef PIPELINE_PAINTER_H
#define PIPELINE_PAINTER_H

#include <pthread.h>
#include <stdatomic.h>

#include <comptop/snapshot.h>

struct ct_painter {
  struct ct_board *board;
  size_t note_bytes;            /* beside each snapshot, of the user's own */
  uint64_t asked;               /* who asks has it to himself */
  _Atomic uint64_t ticket;      /* release by ask, acquire by the thread: relaxed would do, nothing hangs on it */
  _Atomic bool stop;            /* release by stop, acquire by the thread: what it works on came before */
  uint64_t answered;            /* the thread's: ticket of the latest drawing */
  /* Where it works on what was recorded: the time it may go on to (release by who asks, acquire by the thread), and the one
   * it has reached (back again): while they are equal what it works with is the asker's. */
  _Atomic int64_t until_ns, reached_ns;
  pthread_t thread;
  bool running;
};

/* Errors of ct_board_new. <snapshot_bytes>: of the largest drawing; <until_ns>: the time it may go on to. */
int ct_painter_init(struct ct_painter *painter, size_t note_bytes, size_t snapshot_bytes, int64_t until_ns,
                    struct ct_err *err) CT_MUST_CHECK;
/* CT_ENOMEM: no thread for <what>. */
int ct_painter_start(struct ct_painter *painter, void *(*work)(void *), void *arg, const char *what,
                     struct ct_err *err) CT_MUST_CHECK;
/* Asks for a last drawing and waits for the end of the thread; also where none was started. */
void ct_painter_stop(struct ct_painter *painter);
void ct_painter_fini(struct ct_painter *painter);        /* after ct_painter_stop; of one never made too */

/* The thread's side. Whether a drawing is asked for that is not there; <ticket> is the latest either way. */
bool ct_painter_is_asked(struct ct_painter *painter, uint64_t *ticket);
bool ct_painter_is_stopped(const struct ct_painter *painter);
/* Begins a drawing: its note, to be filled in; NULL: there is no room now, the next ask tries again. */
void *ct_painter_begin(struct ct_painter *painter, struct ct_snapshot_builder *builder);
/* It is whole, and the answer to <ticket>. */
void ct_painter_publish(struct ct_painter *painter, uint64_t ticket);

/* The time it may go on to; and that it has come there. */
int64_t ct_painter_until_ns(const struct ct_painter *painter);
void ct_painter_reach(struct ct_painter *painter, int64_t until_ns);

/* Who asks: lets it go on to a time; whether it has come there. */
void ct_painter_go_on(struct ct_painter *painter, int64_t until_ns);
bool ct_painter_has_reached(const struct ct_painter *painter, int64_t until_ns);
/* Who asks: the ticket that says when the answer is there. */
uint64_t ct_painter_ask(struct ct_painter *painter);
/* The latest drawing and its note, until it is released; NULL before the first. */
const struct ct_snapshot *ct_painter_acquire(struct ct_painter *painter, const void **note);
void ct_painter_release(struct ct_painter *painter, const struct ct_snapshot *snapshot);   /* NULL is fine */

#endif
