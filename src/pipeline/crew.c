/* Frames go to the workers in blocks, next block to whoever is free. A block has two steps that need all blocks before
 * it to have done the same: next-frame correction, and the adding of its events to the spectra and of its frames to the
 * health. Each of the two has a
 * turn, the number of the block that may take it now. Everything else, which is most of the work, needs nobody. */
#include "crew.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>

enum {
  MODULE_PIXELS = 80 * 80,
  BLOCK_PIXELS = CT_HEXITEC_BLOCK * MODULE_PIXELS,   /* the masks and events of a block stay in the caches */
  SHARED_PIXELS = 4 * BLOCK_PIXELS,                  /* less than that is done before a second worker has woken up */
  SPINS = 1000                                       /* looks at a turn, some us, before a worker goes to sleep */
};

struct block {
  const struct ct_frame *frame;
  const int64_t *arrivals_ns;   /* of all frames of the lot, or NULL */
  uint32_t first, count;
  uint64_t number;              /* counts all blocks since the beginning */
};

struct worker {
  struct ct_crew *crew;
  struct ct_hexitec *hexitec;
  /* What came of the frames of a block, frame after frame. */
  struct ct_event *events;
  uint32_t n[CT_HEXITEC_BLOCK];
  struct ct_hexitec_tally tally[CT_HEXITEC_BLOCK];
  pthread_t thread;
};

struct ct_crew {
  struct worker *workers;
  unsigned n_workers, n_threads;   /* the first worker has no thread of its own */
  struct ct_spectra *spectra;
  struct ct_health *health;
  uint32_t pixels, block_frames;

  pthread_mutex_t lock;         /* of the next seven */
  pthread_cond_t work;          /* there are blocks, or it is over */
  const struct ct_lot *lots;
  size_t n_lots, lot;           /* the next block begins in this lot, */
  uint32_t frame;               /* with this frame of it */
  uint64_t blocks;              /* given out */
  bool quit;

  const struct ct_hexitec *before;   /* the detector that corrected last; whose turn it is to correct, has it */

  /* Turns. Whoever waits for one acquires what the worker that passes it on has released: <before> and the detector
   * that it is, respectively spectra and health. Passing a turn and looking for sleepers, going to sleep and looking at the
   * turn are sequentially consistent, so that one of the two sees the other. */
  _Atomic uint64_t may_correct, may_add;
  _Atomic unsigned sleepers;
  pthread_cond_t passed;        /* a turn, while there were sleepers; with the lock */
};

/* ---- turns ----------------------------------------------------------------------------------------------- */
/* Whoever has the turn is at work on it or about to be, unless its processor was taken away: then leave it ours. */
static void wait_for(struct ct_crew *crew, const _Atomic uint64_t *turn, uint64_t number)
{
  for (unsigned spins = 0; spins < SPINS; spins++)
    if (atomic_load_explicit(turn, memory_order_acquire) == number)
      return;
  pthread_mutex_lock(&crew->lock);
  atomic_fetch_add_explicit(&crew->sleepers, 1, memory_order_seq_cst);
  while (atomic_load_explicit(turn, memory_order_seq_cst) != number)
    pthread_cond_wait(&crew->passed, &crew->lock);
  atomic_fetch_sub_explicit(&crew->sleepers, 1, memory_order_relaxed);
  pthread_mutex_unlock(&crew->lock);
}

static void pass(struct ct_crew *crew, _Atomic uint64_t *turn, uint64_t number)
{
  atomic_store_explicit(turn, number + 1, memory_order_seq_cst);
  if (atomic_load_explicit(&crew->sleepers, memory_order_seq_cst) == 0)
    return;
  pthread_mutex_lock(&crew->lock);
  pthread_cond_broadcast(&crew->passed);
  pthread_mutex_unlock(&crew->lock);
}

/* ---- a block --------------------------------------------------------------------------------------------- */
static void make_events(struct worker *w, const struct block *block)
{
  struct ct_event *events = w->events;
  for (uint32_t i = 0; i < block->count; i++) {
    w->tally[i] = (struct ct_hexitec_tally){ 0 };
    w->n[i] = ct_hexitec_events(w->hexitec, block->frame, block->first + i, events, &w->tally[i]);
    events += w->n[i];
  }
}

static void add_events(const struct worker *w, const struct block *block)
{
  const struct ct_event *events = w->events;
  for (uint32_t i = 0; i < block->count; i++) {
    int64_t arrival_ns = block->arrivals_ns ? block->arrivals_ns[block->first + i] : block->frame->arrival_ns;
    ct_spectra_add(w->crew->spectra, arrival_ns, events, w->n[i], &w->tally[i]);
    ct_health_add(w->crew->health, w->hexitec, block->frame, block->first + i, w->tally[i].hits);
    events += w->n[i];
  }
}

static void analyse(struct worker *w, const struct block *block)
{
  struct ct_crew *crew = w->crew;
  ct_hexitec_find(w->hexitec, block->frame, block->first, block->count);
  wait_for(crew, &crew->may_correct, block->number);
  ct_hexitec_correct(w->hexitec, crew->before);
  crew->before = w->hexitec;
  pass(crew, &crew->may_correct, block->number);
  make_events(w, block);
  wait_for(crew, &crew->may_add, block->number);
  add_events(w, block);
  pass(crew, &crew->may_add, block->number);
}

/* The next block, if there is one. With the lock. */
static bool take_block(struct ct_crew *crew, struct block *block)
{
  if (crew->lot == crew->n_lots)
    return false;
  const struct ct_lot *lot = &crew->lots[crew->lot];
  const struct ct_frame *frame = &lot->frame;
  uint32_t left = frame->count - crew->frame, count = left < crew->block_frames ? left : crew->block_frames;
  *block = (struct block){ frame, lot->arrivals_ns, crew->frame, count, crew->blocks++ };
  crew->frame += count;
  if (count == left) {
    crew->lot++;
    crew->frame = 0;
  }
  return true;
}

/* ---- workers --------------------------------------------------------------------------------------------- */
static void *worker_main(void *arg)
{
  struct worker *w = arg;
  struct ct_crew *crew = w->crew;
  struct block block;
  for (;;) {
    bool taken;
    pthread_mutex_lock(&crew->lock);
    while (!(taken = take_block(crew, &block)) && !crew->quit)
      pthread_cond_wait(&crew->work, &crew->lock);
    pthread_mutex_unlock(&crew->lock);
    if (!taken)
      return NULL;
    analyse(w, &block);
  }
}

void ct_crew_analyse(struct ct_crew *crew, const struct ct_lot *lots, size_t n)
{
  uint64_t frames = 0;
  struct block block;
  for (size_t i = 0; i < n; i++)
    frames += lots[i].frame.count;
  pthread_mutex_lock(&crew->lock);
  crew->lots = lots;
  crew->n_lots = n;
  crew->lot = 0;
  crew->frame = 0;
  if (frames * crew->pixels >= SHARED_PIXELS)
    pthread_cond_broadcast(&crew->work);
  while (take_block(crew, &block)) {
    pthread_mutex_unlock(&crew->lock);
    analyse(&crew->workers[0], &block);
    pthread_mutex_lock(&crew->lock);
  }
  uint64_t blocks = crew->blocks;
  pthread_mutex_unlock(&crew->lock);
  wait_for(crew, &crew->may_add, blocks);   /* the others' last blocks */
}

/* ---- opening and closing --------------------------------------------------------------------------------- */
static int open_worker(struct ct_crew *crew, const struct ct_hexitec_setup *setup, struct ct_err *err)
{
  struct worker *w = &crew->workers[crew->n_workers];
  int code = ct_hexitec_new(&w->hexitec, setup, err);
  if (code != 0)
    return code;
  w->crew = crew;
  w->events = ct_xcalloc((size_t)crew->pixels * crew->block_frames, sizeof *w->events);
  crew->n_workers++;
  return 0;
}

int ct_crew_open(struct ct_crew **out, unsigned workers, const struct ct_hexitec_setup *setup,
                 struct ct_spectra *spectra, struct ct_err *err)
{
  struct ct_crew *crew = ct_xcalloc(1, sizeof *crew);
  int code = 0;
  *out = NULL;
  pthread_mutex_init(&crew->lock, NULL);
  pthread_cond_init(&crew->work, NULL);
  pthread_cond_init(&crew->passed, NULL);
  crew->spectra = spectra;
  crew->workers = ct_xcalloc(workers, sizeof *crew->workers);
  crew->pixels = setup->rows * setup->cols;
  crew->block_frames = CT_HEXITEC_BLOCK;
  while (crew->block_frames > 1 && (uint64_t)crew->block_frames * crew->pixels > BLOCK_PIXELS)
    crew->block_frames /= 2;
  while (code == 0 && crew->n_workers < workers)
    code = open_worker(crew, setup, err);
  if (code == 0)
    code = ct_health_new(&crew->health, setup->rows, setup->cols, err);
  if (code == 0)
    crew->before = crew->workers[0].hexitec;
  for (; code == 0 && crew->n_threads < workers - 1; crew->n_threads += code == 0) {
    struct worker *w = &crew->workers[crew->n_threads + 1];
    if (pthread_create(&w->thread, NULL, worker_main, w) != 0)
      code = ct_err_set(err, CT_ENOMEM, "no thread for analysis worker %u; give a smaller -j", crew->n_threads + 2);
  }
  if (code != 0) {
    ct_crew_close(crew);
    return code;
  }
  *out = crew;
  return 0;
}

void ct_crew_close(struct ct_crew *crew)
{
  if (crew == NULL)
    return;
  pthread_mutex_lock(&crew->lock);
  crew->quit = true;
  pthread_cond_broadcast(&crew->work);
  pthread_mutex_unlock(&crew->lock);
  for (unsigned i = 1; i <= crew->n_threads; i++)
    pthread_join(crew->workers[i].thread, NULL);
  for (unsigned i = 0; i < crew->n_workers; i++) {
    ct_hexitec_free(crew->workers[i].hexitec);
    free(crew->workers[i].events);
  }
  free(crew->workers);
  ct_health_free(crew->health);
  pthread_cond_destroy(&crew->passed);
  pthread_cond_destroy(&crew->work);
  pthread_mutex_destroy(&crew->lock);
  free(crew);
}

/* ---- everybody's detector -------------------------------------------------------------------------------- */
void ct_crew_health(const struct ct_crew *crew, struct ct_health *sum)
{
  ct_health_merge(sum, crew->health);
}

bool ct_crew_has_calibration(const struct ct_crew *crew)
{
  return ct_hexitec_has_calibration(crew->workers[0].hexitec);
}

void ct_crew_dark_add(struct ct_crew *crew, const struct ct_frame *frame)
{
  for (uint32_t i = 0; i < frame->count; i++)
    ct_hexitec_dark_add(crew->workers[0].hexitec, frame, i);
}

uint64_t ct_crew_dark_apply(struct ct_crew *crew)
{
  uint64_t used = ct_hexitec_dark_apply(crew->workers[0].hexitec);
  for (unsigned i = 1; used > 0 && i < crew->n_workers; i++)
    ct_hexitec_dark_copy(crew->workers[i].hexitec, crew->workers[0].hexitec);
  if (used > 0)
    ct_health_new_dark(crew->health);
  return used;
}
