/* Rolling spectra: every event of the window is kept as one 4-byte cell number, so that it can leave again. A window
 * of whole cubes, one a slice, would need 25.6 MB a slice at 80x80; at the rates of real experiments events are far
 * fewer than cells.
 *
 * Photons come at random places, and at each the processor would wait for memory: the two cubes are larger than the
 * caches. So they are first counted in bytes, a quarter the size and one place for both cubes, asked for some dozen
 * photons ahead; a byte that runs over carries 256 into the cubes, and the rest follows when somebody looks at them. */
#include <comptop/spectra.h>

#include "spectra/cells.h"
#include "spectra/fifo.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#if defined __GNUC__
#define CT_PREFETCH(address) __builtin_prefetch((address), 1)
#else
#define CT_PREFETCH(address) ((void)0)
#endif

enum {
  BLOCK = 64,                  /* events between two looks at the window's memory */
  PENDING = 256                /* photons; their counters fit the first cache */
};

/* What arrived within one step of time. Its photons lie in the queue right behind those of the slice before. */
struct slice {
  int64_t step;
  struct ct_spectra_tally tally;
};

struct ct_spectra {
  struct ct_axis axis;
  uint32_t pixels;
  const struct ct_cell_ops *ops;
  bool run;                    /* no window: <window> is <total> */
  bool slides;                 /* photons leave the window again: slices, queue */
  size_t cells_n;
  uint32_t *total, *window;    /* without what follows */
  uint8_t *entered, *left;     /* photons, mod 256: of both cubes, and of those that left the window again */
  uint32_t pending[PENDING + CT_CELLS_SLACK];   /* cells of photons not even in <entered> */
  uint32_t n_pending;
  struct ct_spectra_tally total_tally, window_tally;
  uint64_t saturated;

  /* Time: arrival plus shift, which grows when the clock is set back. */
  int64_t window_ns, slice_ns, shift_ns, latest_ns, since_ns, begun_ns;
  bool started, restarted;     /* restarted: the window begins with what comes next */
  bool left_early;             /* since_ns is where memory ended, not where data began */

  /* Slices, oldest first, steps ascending and within slice_count of the newest. */
  struct slice *slices, *newest;
  uint64_t slice_count, first, used;

  struct ct_fifo cells;        /* of the photons in the window, oldest first */
};

/* ---- set-up ---------------------------------------------------------------------------------------------------- */
static int64_t slice_length_ns(double window_s)
{
  return (int64_t)(fmin(fmax(window_s / 600, 0.01), 1) * (double)CT_NS_PER_S);
}

/* Lays out time; says how many chunks of events fit beside the cubes. */
static int size_window(struct ct_spectra *s, const struct ct_spectra_setup *setup, uint32_t *chunks,
                       struct ct_err *err)
{
  const uint64_t cube_bytes = (uint64_t)s->cells_n * (sizeof *s->total + sizeof *s->entered);
  uint64_t need = cube_bytes;

  if (!s->run)
    need = 2 * cube_bytes - s->cells_n * sizeof *s->entered;
  if (s->slides) {
    s->window_ns = (int64_t)(setup->window_s * (double)CT_NS_PER_S);
    s->slice_ns = slice_length_ns(setup->window_s);
    s->slice_count = (uint64_t)((s->window_ns + s->slice_ns / 2) / s->slice_ns);
    need = 2 * cube_bytes + s->slice_count * sizeof *s->slices + CT_FIFO_CHUNK_BYTES;
  }
  if (setup->memory_bytes < need)
    return ct_err_set(err, CT_ERANGE, "run.memory_MB: spectra of %u pixels x %u bins need at least %llu MB, %llu are "
                      "allowed; raise run.memory_MB%s widen hexitec.bins%s", (unsigned)setup->pixels,
                      (unsigned)setup->axis.n, (unsigned long long)((need + 0xfffff) >> 20),
                      (unsigned long long)(setup->memory_bytes >> 20), s->run ? " or" : ",", s->run ? "" : " or use window = run");
  /* Below 2^32 events, so that no counter of the window can overflow. */
  uint64_t fit = 1 + (setup->memory_bytes - need) / CT_FIFO_CHUNK_BYTES, most = UINT32_MAX / CT_FIFO_CHUNK;
  *chunks = (uint32_t)(fit < most ? fit : most);
  return 0;
}

/* The very constant, and nothing near it. */
static bool is_scan(double window_s) { return window_s >= CT_SPECTRA_SCAN && window_s <= CT_SPECTRA_SCAN; }

static int check(const struct ct_spectra_setup *setup, struct ct_err *err)
{
  const double century_s = 3.2e9;   /* keeps nanoseconds inside 64 bits */
  uint64_t cells = (uint64_t)setup->pixels * setup->axis.n;

  if (cells == 0 || cells > UINT32_MAX)
    return ct_err_set(err, CT_ERANGE, "spectra: %u pixels x %u bins; from 1 to 2^32 - 1 counters are possible",
                      (unsigned)setup->pixels, (unsigned)setup->axis.n);
  if ((!(setup->window_s >= 0.01) && !is_scan(setup->window_s)) || (setup->window_s > century_s && !isinf(setup->window_s)))
    return ct_err_set(err, CT_ERANGE, "run.window: %g s; give at least 0.01 s, or run", setup->window_s);
  return 0;
}

int ct_spectra_new(struct ct_spectra **out, const struct ct_spectra_setup *setup, struct ct_err *err)
{
  struct ct_spectra *s;
  size_t cells = (size_t)setup->pixels * setup->axis.n;
  uint32_t chunks = 0;

  *out = NULL;
  int rc = check(setup, err);
  if (rc < 0)
    return rc;
  s = calloc(1, sizeof *s);
  if (!s)
    return ct_err_set(err, CT_ENOMEM, "spectra: no memory");
  s->axis = setup->axis;
  s->ops = ct_cell_ops_get(0);
  s->pixels = setup->pixels;
  s->run = isinf(setup->window_s);
  s->slides = setup->window_s > 0 && !s->run;
  s->cells_n = cells;
  rc = size_window(s, setup, &chunks, err);
  if (rc < 0)
    goto fail;
  rc = CT_ENOMEM;
  s->total = calloc(cells, sizeof *s->total);
  s->window = s->run ? s->total : calloc(cells, sizeof *s->window);
  s->entered = calloc(cells, sizeof *s->entered);
  if (!s->total || !s->window || !s->entered)
    goto fail_memory;
  if (s->slides) {
    s->left = calloc(cells, sizeof *s->left);
    if (!s->left)
      goto fail_memory;
    s->slices = calloc(s->slice_count, sizeof *s->slices);
    if (!s->slices || !ct_fifo_init(&s->cells, chunks))
      goto fail_memory;
  }
  *out = s;
  return 0;

fail_memory:
  ct_err_set(err, rc, "spectra: the system has not got the memory that run.memory_MB allows (%llu MB)",
             (unsigned long long)(setup->memory_bytes >> 20));
fail:
  ct_spectra_free(s);
  return rc;
}

void ct_spectra_free(struct ct_spectra *s)
{
  if (!s)
    return;
  if (!s->run)
    free(s->window);
  free(s->total);
  free(s->entered);
  free(s->left);
  free(s->slices);
  ct_fifo_free(&s->cells);
  free(s);
}

/* ---- tallies --------------------------------------------------------------------------------------------------- */
static void tally_add(struct ct_spectra_tally *sum, const struct ct_spectra_tally *delta)
{
  ct_hexitec_tally_add(&sum->hexitec, &delta->hexitec);
  sum->photons += delta->photons;
  sum->below += delta->below;
  sum->above += delta->above;
}

static void tally_remove(struct ct_spectra_tally *sum, const struct ct_spectra_tally *delta)
{
  sum->hexitec.frames -= delta->hexitec.frames;
  sum->hexitec.hits -= delta->hexitec.hits;
  sum->hexitec.single -= delta->hexitec.single;
  sum->hexitec.dbl -= delta->hexitec.dbl;
  sum->hexitec.multiple -= delta->hexitec.multiple;
  sum->hexitec.next_frame -= delta->hexitec.next_frame;
  sum->hexitec.saturated -= delta->hexitec.saturated;
  sum->hexitec.no_energy -= delta->hexitec.no_energy;
  sum->photons -= delta->photons;
  sum->below -= delta->below;
  sum->above -= delta->above;
}

/* ---- counters -------------------------------------------------------------------------------------------------- */
static void total_count(struct ct_spectra *s, size_t cell, uint32_t photons)
{
  uint32_t room = UINT32_MAX - s->total[cell];

  if (photons > room) {
    s->saturated += photons - room;
    s->total_tally.photons -= photons - room;
    photons = room;
  }
  s->total[cell] += photons;
}

static void count_entered(struct ct_spectra *s, size_t cell, uint32_t photons)
{
  total_count(s, cell, photons);
  if (!s->run)
    s->window[cell] += photons;   /* may run over for now where more have left: it ends right, below 2^32 */
}

static void enter_pending(struct ct_spectra *s)
{
  for (uint32_t i = 0; i < s->n_pending; i++)
    if (++s->entered[s->pending[i]] == 0)
      count_entered(s, s->pending[i], 256);
  s->n_pending = 0;
}

static void leave(struct ct_spectra *s, const uint32_t *cells, uint32_t n)
{
  const uint32_t ahead = 32;

  for (uint32_t i = 0; i < n; i++) {
    CT_PREFETCH(&s->left[cells[i + ahead < n ? i + ahead : i]]);
    if (++s->left[cells[i]] == 0)
      s->window[cells[i]] -= 256;
  }
}

/* Brings the cubes up to date. */
static void settle(struct ct_spectra *s)
{
  enter_pending(s);
  for (size_t from = 0; from < s->cells_n; from += 8) {
    size_t n = s->cells_n - from < 8 ? s->cells_n - from : 8;
    uint64_t entered = 0, left = 0;

    memcpy(&entered, s->entered + from, n);
    if (s->left)
      memcpy(&left, s->left + from, n);
    if ((entered | left) == 0)
      continue;
    for (size_t cell = from; cell < from + n; cell++) {
      count_entered(s, cell, s->entered[cell]);
      s->entered[cell] = 0;
      if (s->left) {
        s->window[cell] -= s->left[cell];
        s->left[cell] = 0;
      }
    }
  }
}

/* ---- the window ------------------------------------------------------------------------------------------------ */
static struct slice *slice_at(struct ct_spectra *s, uint64_t i)
{
  return &s->slices[(s->first + i) % s->slice_count];
}

static void drop_oldest(struct ct_spectra *s)
{
  struct slice *oldest = slice_at(s, 0);

  for (uint64_t remaining = oldest->tally.photons; remaining > 0; ) {
    uint32_t n;
    const uint32_t *cells = ct_fifo_peek(&s->cells, &n);

    if (n > remaining)
      n = (uint32_t)remaining;
    leave(s, cells, n);
    ct_fifo_drop(&s->cells, n);
    remaining -= n;
  }
  tally_remove(&s->window_tally, &oldest->tally);
  s->first = (s->first + 1) % s->slice_count;
  s->used--;
}

/* Makes the slice of <step> the newest, opening it where it is new: what is a window older leaves. */
static void open_slice(struct ct_spectra *s, int64_t step)
{
  if (s->used > 0 && s->newest->step == step)
    return;
  while (s->used > 0 && slice_at(s, 0)->step <= step - (int64_t)s->slice_count)
    drop_oldest(s);
  s->newest = slice_at(s, s->used++);
  *s->newest = (struct slice){ .step = step };
}

/* Memory is full: the oldest slice leaves early, and should there be no other, the newest starts again. */
static void make_room(struct ct_spectra *s)
{
  int64_t step = s->newest->step, end_ns = (slice_at(s, 0)->step + 1) * s->slice_ns;

  drop_oldest(s);
  s->since_ns = end_ns < s->latest_ns ? end_ns : s->latest_ns;
  s->left_early = true;
  open_slice(s, step);
}

static void keep(struct ct_spectra *s, const uint32_t *cells, uint32_t n)
{
  while (!ct_fifo_takes(&s->cells, n))
    make_room(s);
  ct_fifo_put(&s->cells, cells, n);
  s->newest->tally.photons += n;
  s->window_tally.photons += n;
}

/* ---- adding ---------------------------------------------------------------------------------------------------- */
/* Moves latest_ns on and returns the step of time it lies in. */
static int64_t advance(struct ct_spectra *s, int64_t time_ns)
{
  if (!s->started) {
    s->started = true;
    s->latest_ns = s->since_ns = s->begun_ns = time_ns;
  }
  if (time_ns + s->shift_ns < s->latest_ns)
    s->shift_ns = s->latest_ns - time_ns;
  s->latest_ns = time_ns + s->shift_ns;
  if (s->restarted)
    s->since_ns = s->latest_ns;
  s->restarted = false;
  return s->slides ? s->latest_ns / s->slice_ns : 0;
}

static void count_outside(const struct ct_spectra *s, const struct ct_event *events, size_t n,
                          struct ct_spectra_tally *tally)
{
  for (size_t i = 0; i < n; i++) {
    double energy_keV = (double)events[i].energy_keV;

    if (ct_axis_bin(&s->axis, energy_keV) < 0)
      *(energy_keV > s->axis.start_keV ? &tally->above : &tally->below) += 1;
  }
}

void ct_spectra_add(struct ct_spectra *s, int64_t time_ns, const struct ct_event *events, size_t n,
                    const struct ct_hexitec_tally *delta)
{
  int64_t step = advance(s, time_ns);
  struct ct_spectra_tally tally = { .hexitec = *delta };   /* photons: as they are kept */

  if (s->slides)
    open_slice(s, step);
  for (size_t done = 0; done < n; done += BLOCK) {
    if (s->n_pending + BLOCK > PENDING)
      enter_pending(s);
    uint32_t *cells = s->pending + s->n_pending, block = (uint32_t)(n - done < BLOCK ? n - done : BLOCK);
    uint32_t found = s->ops->find(cells, &s->axis, events + done, block);
    if (found < block)
      count_outside(s, events + done, block, &tally);
    for (uint32_t i = 0; i < found; i++) {
      assert(cells[i] < s->cells_n);
      CT_PREFETCH(&s->entered[cells[i]]);
    }
    s->n_pending += found;
    s->total_tally.photons += found;
    if (s->slides)
      keep(s, cells, found);
    else if (!s->run)
      s->window_tally.photons += found;
  }
  tally_add(&s->total_tally, &tally);
  if (s->slides)
    tally_add(&s->newest->tally, &tally);
  if (!s->run)
    tally_add(&s->window_tally, &tally);
}

void ct_spectra_restart(struct ct_spectra *s)
{
  if (s->run || s->slides)
    return;
  settle(s);
  memset(s->window, 0, s->cells_n * sizeof *s->window);
  s->window_tally = (struct ct_spectra_tally){ { 0 }, 0, 0, 0 };
  s->since_ns = s->latest_ns;
  s->restarted = true;
}

/* The photons of one slice of <old>, from its queue: kept where they lie in the window, else dropped. */
static void move_slice(struct ct_spectra *s, struct ct_fifo *from, const struct slice *old, int64_t step, bool inside)
{
  struct ct_spectra_tally rest = old->tally;   /* of frames; keep counts the photons */
  rest.photons = 0;
  if (inside)
    open_slice(s, step);
  for (uint64_t remaining = old->tally.photons; remaining > 0; ) {
    uint32_t n;
    const uint32_t *cells = ct_fifo_peek(from, &n);

    if (n > remaining)
      n = (uint32_t)remaining;
    for (uint32_t i = 0; i < n && inside; i++)
      s->window[cells[i]]++;
    if (inside)
      keep(s, cells, n);
    ct_fifo_drop(from, n);
    remaining -= n;
  }
  if (!inside)
    return;
  tally_add(&s->newest->tally, &rest);
  tally_add(&s->window_tally, &rest);
}

/* Slices of another length: each goes into the one in which it begins. */
static void move_slices(struct ct_spectra *s, struct ct_spectra *old)
{
  const int64_t last = s->latest_ns / s->slice_ns;
  for (uint64_t i = 0; i < old->used; i++) {
    const struct slice *slice = slice_at(old, i);
    int64_t step = slice->step * old->slice_ns / s->slice_ns;
    move_slice(s, &old->cells, slice, step, step > last - (int64_t)s->slice_count);
  }
  int64_t reached_ns = s->latest_ns - old->window_ns;
  if (s->since_ns < reached_ns)
    s->since_ns = reached_ns;
}

void ct_spectra_take_window(struct ct_spectra *s, struct ct_spectra *fresh)
{
  settle(s);
  struct ct_spectra old = *s;
  s->run = fresh->run;
  s->slides = fresh->slides;
  s->window = fresh->run ? s->total : fresh->window;
  s->left = fresh->left;
  s->slices = fresh->slices;
  s->cells = fresh->cells;
  s->window_ns = fresh->window_ns;
  s->slice_ns = fresh->slice_ns;
  s->slice_count = fresh->slice_count;
  s->first = s->used = 0;
  s->newest = NULL;
  s->window_tally = (struct ct_spectra_tally){ { 0 }, 0, 0, 0 };
  s->left_early = false;
  if (s->slides && old.slides)
    move_slices(s, &old);
  else if (s->run)
    s->since_ns = s->begun_ns;
  else {
    s->since_ns = s->latest_ns;
    s->restarted = true;
  }
  fresh->run = old.run;
  fresh->window = old.run ? fresh->total : old.window;
  fresh->left = old.left;
  fresh->slices = old.slices;
  fresh->cells = old.cells;
}

/* ---- looking --------------------------------------------------------------------------------------------------- */
const uint32_t *ct_spectra_window(struct ct_spectra *s)
{
  settle(s);
  return s->window;
}

const uint32_t *ct_spectra_total(struct ct_spectra *s)
{
  settle(s);
  return s->total;
}

const struct ct_spectra_tally *ct_spectra_total_tally(const struct ct_spectra *s) { return &s->total_tally; }
const struct ct_axis *ct_spectra_axis(const struct ct_spectra *s) { return &s->axis; }
uint32_t ct_spectra_pixels(const struct ct_spectra *s) { return s->pixels; }
uint64_t ct_spectra_saturated(const struct ct_spectra *s) { return s->saturated; }

const struct ct_spectra_tally *ct_spectra_window_tally(const struct ct_spectra *s)
{
  return s->run ? &s->total_tally : &s->window_tally;
}

double ct_spectra_window_s(const struct ct_spectra *s)
{
  int64_t covered_ns = s->latest_ns - s->since_ns;

  if (s->slides && covered_ns > s->window_ns)
    covered_ns = s->window_ns;
  return (double)covered_ns / (double)CT_NS_PER_S;
}

bool ct_spectra_shortened(const struct ct_spectra *s)
{
  return s->left_early && s->latest_ns - s->since_ns < s->window_ns;
}
