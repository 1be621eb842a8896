/* Recorded frames in place of a stream: blocks of the playlist, cut into lots that share one verdict; and what scalars tell
 * of their angles. */
#include "pipeline/reader.h"

#include "pipeline/keys.h"
#include "pipeline/playlist.h"

#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

struct ct_reader {
  char name[CT_NAME], endpoint[128], format[16];
  enum ct_role role;
  uint32_t rows, cols;
  double frame_hz;
  struct ct_playlist *list;
  uint64_t all_bytes;
  char *file;                          /* a histogram cube, in place of the list; or NULL */
  struct ct_hxt cube;

  /* The taking thread's. */
  const struct ct_block *block;
  uint32_t at;                         /* the next frame of it */
  int64_t start_ns;                    /* of frames that say nothing of when they came */
  struct ct_lot *lots;
  size_t lots_room;
  int64_t *arrival_ns;                 /* of a block that has none of its own */
  size_t arrival_room;
  uint64_t next_number;
  bool started;
  struct ct_run_scalars *scalars;      /* that tell angles, or NULL */
  char angle_name[64], trigger_name[64], key_name[64];
  struct ct_reader_angle message;      /* the latest of them so far */

  /* Written by the taking thread, read by any: relaxed, each is a number to show and orders nothing... */
  _Atomic uint64_t frames, bytes, lost, late, restarts, rejected, rejected_bytes, highest;
  struct ct_keys keys;
  _Atomic int64_t first_ns, now_ns, next_ns;
  _Atomic int ended;                   /* ...but this: released after <err> and all counts, acquired by ct_reader_progress */
  struct ct_err err;
};

enum { GOING, ENDED, FAILED };
/* Few enough that blocks are still in the processor's cache when they are taken. */
enum { AHEAD_BYTES = 32 << 20 };
#define CUBE_BYTES_MAX (INT64_C(4) << 30)

static void set(_Atomic uint64_t *counter, uint64_t value) { atomic_store_explicit(counter, value, memory_order_relaxed); }
static uint64_t get(const _Atomic uint64_t *counter) { return atomic_load_explicit(counter, memory_order_relaxed); }
static void add(_Atomic uint64_t *counter, uint64_t n) { set(counter, get(counter) + n); }

/* ---- counting ----------------------------------------------------------------------------------------------------- */
/* What was lost then is a gap now, and what filled a gap came late. */
static void count(struct ct_reader *r, const struct ct_frame *frame)
{
  const uint64_t number = frame->number, step = number - r->next_number;
  add(&r->frames, frame->count);
  add(&r->bytes, frame->bytes);
  ct_keys_count(&r->keys, frame);
  if (frame->late) {
    const uint64_t lost = get(&r->lost);
    add(&r->late, frame->count);
    set(&r->lost, lost > frame->count ? lost - frame->count : 0);
    return;
  }
  if (r->started && number >= r->next_number && step <= CT_TRACK_JUMP)
    add(&r->lost, step);
  else if (r->started)
    add(&r->restarts, 1);
  r->started = true;
  r->next_number = number + frame->count;
  set(&r->highest, r->next_number - 1);
}

/* ---- cutting ------------------------------------------------------------------------------------------------------ */
/* What the analysis treats alike: a time stamp of the source or an angle make no difference to it. The frames of a camera
 * have each their own. */
static bool alike(const struct ct_block *block, uint32_t a, uint32_t b)
{
  const struct ct_attributes *x = &block->attributes[a], *y = &block->attributes[b];
  const unsigned matters = CT_HAS_KEY | CT_HAS_MODE | CT_HAS_TRIGGER | CT_HAS_Z, has = x->present & matters;
  return has == (y->present & matters) && x->image_key == y->image_key && x->mode == y->mode && x->trigger == y->trigger &&
         (!(has & CT_HAS_Z) || memcmp(&x->z_mm, &y->z_mm, sizeof x->z_mm) == 0) &&
         block->numbers[b] == block->numbers[a] + (b - a) &&
         (block->late == NULL || (!block->late[a] && !block->late[b]));
}

static bool fits(const struct ct_reader *r, const struct ct_block *block)
{
  return r->role == CT_ROLE_CAMERA || (block->rows == r->rows && block->cols == r->cols);
}

static void give_times(struct ct_reader *r, const struct ct_block *block)
{
  if (block->arrival_ns != NULL)
    return;
  if (r->arrival_room < block->count) {
    free(r->arrival_ns);
    r->arrival_ns = ct_xcalloc(block->count, sizeof *r->arrival_ns);
    r->arrival_room = block->count;
  }
  for (uint32_t i = 0; i < block->count; i++)
    r->arrival_ns[i] = r->start_ns + (int64_t)((double)block->numbers[i] / r->frame_hz * 1e9);
}

static const int64_t *arrivals(const struct ct_reader *r)
{
  return r->block->arrival_ns != NULL ? r->block->arrival_ns : r->arrival_ns;
}

/* The lot that begins with frame <at>. */
static uint32_t cut(struct ct_reader *r, uint32_t at, int64_t until_ns, struct ct_lot *lot)
{
  const struct ct_block *block = r->block;
  const int64_t *arrival_ns = arrivals(r);
  const size_t frame_bytes = (size_t)block->rows * block->cols * ct_type_bytes(block->type);
  uint32_t n = 1;
  while (r->role == CT_ROLE_HEXITEC && at + n < block->count && alike(block, at, at + n) && arrival_ns[at + n] < until_ns)
    n++;
  *lot = (struct ct_lot){ .kind = CT_LOT_FRAMES, .arrivals_ns = arrival_ns + at };
  lot->frame = (struct ct_frame){
    .pixels = block->pixels + at * frame_bytes, .bytes = n * frame_bytes, .type = block->type, .count = n,
    .rows = block->rows, .cols = block->cols, .number = block->numbers[at], .arrival_ns = arrival_ns[at],
    .attributes = block->attributes[at], .late = block->late != NULL && block->late[at],
  };
  /* Late frames of odin may hold stale pixels, then as now. */
  lot->suspect = lot->frame.late && strcmp(r->format, "odin") == 0;
  count(r, &lot->frame);
  return n;
}

static void make_room(struct ct_reader *r, size_t n)
{
  if (n <= r->lots_room)
    return;
  free(r->lots);
  r->lots = ct_xcalloc(n, sizeof *r->lots);
  r->lots_room = n;
}

static void end(struct ct_reader *r, int how)
{
  atomic_store_explicit(&r->next_ns, INT64_MAX, memory_order_relaxed);
  atomic_store_explicit(&r->ended, how, memory_order_release);
}

/* The block that has frames left, NULL at the end. */
static const struct ct_block *current(struct ct_reader *r)
{
  while (r->block == NULL || r->at == r->block->count) {
    int rc = ct_playlist_next(r->list, &r->block, &r->err);
    r->at = 0;
    if (rc != 0) {
      r->block = NULL;
      end(r, rc == CT_ENODATA ? ENDED : FAILED);
      return NULL;
    }
    if (fits(r, r->block)) {
      give_times(r, r->block);
      make_room(r, r->block->count);
      if (atomic_load_explicit(&r->first_ns, memory_order_relaxed) == INT64_MAX)
        atomic_store_explicit(&r->first_ns, arrivals(r)[0], memory_order_relaxed);
    } else {
      add(&r->rejected, r->block->count);
      add(&r->rejected_bytes, (uint64_t)r->block->count * r->block->rows * r->block->cols * ct_type_bytes(r->block->type));
      r->at = r->block->count;
    }
  }
  return r->block;
}

size_t ct_reader_take(struct ct_reader *r, int64_t until_ns, const struct ct_lot **lots)
{
  size_t n = 0;
  if (ct_reader_has_ended(r))
    return 0;
  const struct ct_block *block = current(r);
  if (block == NULL)
    return 0;
  const int64_t *arrival_ns = arrivals(r);
  while (r->at < block->count && arrival_ns[r->at] < until_ns) {
    r->at += cut(r, r->at, until_ns, &r->lots[n++]);
    atomic_store_explicit(&r->now_ns, arrival_ns[r->at - 1], memory_order_relaxed);
  }
  if (r->at < block->count)
    atomic_store_explicit(&r->next_ns, arrival_ns[r->at], memory_order_relaxed);
  *lots = r->lots;
  return n;
}

/* ---- angles ------------------------------------------------------------------------------------------------------- */
/* Live, trigger, angle and image key belong together when one message brings them: so here. A second one of a name is of a
 * message that came at the same time. */
static double *place_of(struct ct_reader *r, const char *name)
{
  return strcmp(name, r->trigger_name) == 0 ? &r->message.trigger : strcmp(name, r->angle_name) == 0 ? &r->message.angle_deg :
         strcmp(name, r->key_name) == 0 ? &r->message.key : NULL;
}

/* The message so far, if it says something, and none of it any more. */
static bool take_message(struct ct_reader *r, struct ct_reader_angle *out)
{
  *out = r->message;
  r->message = (struct ct_reader_angle){ INT64_MIN, (double)NAN, (double)NAN, (double)NAN };
  return !isnan(out->trigger) && !(isnan(out->angle_deg) && isnan(out->key));
}

bool ct_reader_angle(struct ct_reader *r, int64_t until_ns, struct ct_reader_angle *out)
{
  struct ct_run_scalar scalar;
  while (r->scalars != NULL && ct_run_scalars_next(r->scalars, until_ns, &scalar)) {
    double *value = place_of(r, scalar.name);
    if (value == NULL)
      continue;
    bool other = scalar.arrival_ns != r->message.arrival_ns || !isnan(*value), whole = other && take_message(r, out);
    *value = scalar.value;
    r->message.arrival_ns = scalar.arrival_ns;
    if (whole)
      return true;
  }
  return take_message(r, out);
}

bool ct_reader_has_ended(const struct ct_reader *r) { return atomic_load_explicit(&r->ended, memory_order_relaxed) != GOING; }

/* ---- histogram cubes ------------------------------------------------------------------------------------------------ */
static bool is_cube(const char *spec)
{
  const size_t n = strlen(spec);
  return n > 4 && strcmp(spec + n - 4, ".hxt") == 0;
}

int ct_cube_read(const char *path, char **file, struct ct_hxt *cube, struct ct_err *err)
{
  struct ct_err why = { "" };
  struct stat status;
  FILE *in = fopen(path, "rb");
  *file = NULL;
  if (in == NULL || fstat(fileno(in), &status) != 0 || !S_ISREG(status.st_mode) || status.st_size > CUBE_BYTES_MAX) {
    const int code = ct_err_set(err, CT_EIO, "%s: %s", path, in == NULL ? strerror(errno) : "not a file that can be read whole");
    if (in != NULL)
      fclose(in);
    return code;
  }
  *file = ct_xcalloc((size_t)status.st_size + 1, 1);
  const size_t n = fread(*file, 1, (size_t)status.st_size, in);
  fclose(in);
  int rc = ct_hxt_parse(cube, *file, n, &why);
  if (rc == 0)
    return 0;
  free(*file);
  *file = NULL;
  return ct_err_set(err, rc, "%s: %s", path, why.text);
}

void ct_reader_pour(const struct ct_reader *r, struct ct_spectra *spectra)
{
  enum { TOGETHER = 1024 };
  struct ct_event events[TOGETHER];
  struct ct_hexitec_tally tally = { 0 };
  size_t n = 0;
  if (r->file == NULL)
    return;
  const struct ct_axis *axis = &r->cube.axis;
  for (size_t pixel = 0; pixel < (size_t)r->rows * r->cols; pixel++)
    for (uint32_t bin = 0; bin < axis->n; bin++)
      for (uint32_t left = ct_hxt_count(&r->cube, pixel, bin); left > 0; left--) {
        events[n++] = (struct ct_event){ (uint32_t)pixel, (float)(axis->start_keV + (bin + 0.5) * axis->width_keV) };
        tally.hits++;
        tally.single++;
        if (n == TOGETHER) {
          ct_spectra_add(spectra, r->start_ns, events, n, &tally);
          tally = (struct ct_hexitec_tally){ 0 };
          n = 0;
        }
      }
  ct_spectra_add(spectra, r->start_ns, events, n, &tally);
}

/* ---- opening and closing ------------------------------------------------------------------------------------------- */
/* Files that say nothing of when frames came: the first when the file was written, the others at the frame rate. */
static int64_t file_time_ns(const char *spec)
{
  char path[1200];
  const char *dataset;
  struct stat status;
  size_t length = ct_parse_dataset(spec, &dataset);
  snprintf(path, sizeof path, "%.*s", (int)(length > 0 ? length : strlen(spec)), spec);
  return stat(path, &status) == 0 ? (int64_t)status.st_mtim.tv_sec * CT_NS_PER_S : 0;
}

static int check_shape(const struct ct_reader *r, const char *run, struct ct_err *err)
{
  uint32_t rows = r->cube.rows, cols = r->cube.cols;
  enum ct_type type = CT_U16;
  if (r->role == CT_ROLE_CAMERA)
    return 0;
  if (r->file == NULL)
    ct_playlist_shape(r->list, &rows, &cols, &type);
  if (!ct_hexitec_takes(type))
    return ct_err_set(err, CT_ETYPE, "%s: holds %s frames; uint16 (ADU) and float32 (keV) can be analysed", run,
                      ct_type_text(type));
  if (rows != r->rows || cols != r->cols)
    return ct_err_set(err, CT_ESHAPE, "%s: its frames have %u rows and %u columns, not %u and %u: set hexitec.rows and "
                      "hexitec.cols", run, rows, cols, r->rows, r->cols);
  return 0;
}

int ct_reader_open(struct ct_reader **out, const struct ct_reader_setup *setup, struct ct_err *err)
{
  struct ct_reader *r = ct_xcalloc(1, sizeof *r);
  const bool camera = setup->role == CT_ROLE_CAMERA;
  const struct ct_replay what = { .specs = &setup->run, .n_specs = 1, .stream = camera ? setup->name : "", .image_key = "", .angles = "",
                                  .darks = "", .flats = "", .loops = 1, .batch = 1, .last = UINT64_MAX, .end_s = (double)INFINITY };
  *out = NULL;
  snprintf(r->name, sizeof r->name, "%s", setup->name);
  snprintf(r->endpoint, sizeof r->endpoint, "%s", setup->run);
  r->role = setup->role;
  r->rows = setup->rows;
  r->cols = setup->cols;
  r->frame_hz = setup->frame_hz;
  r->start_ns = file_time_ns(setup->run);
  r->first_ns = r->next_ns = INT64_MAX;
  r->now_ns = INT64_MIN;
  (void)take_message(r, &(struct ct_reader_angle){ 0 });
  ct_run_stream_format(setup->run, setup->name, r->format, sizeof r->format);
  int rc = !camera && is_cube(setup->run) ? ct_cube_read(setup->run, &r->file, &r->cube, err) : ct_playlist_open(&r->list, &what, AHEAD_BYTES, err);
  if (rc == 0)
    rc = check_shape(r, setup->run, err);
  if (rc != 0) {
    ct_reader_close(r);
    return rc;
  }
  if (r->file != NULL) {
    r->first_ns = r->now_ns = r->start_ns;
    r->ended = ENDED;
  } else {
    r->all_bytes = ct_playlist_bytes(r->list);
  }
  if (setup->angle != NULL && ct_run_scalars_open(&r->scalars, setup->run, NULL) == 0) {
    snprintf(r->angle_name, sizeof r->angle_name, "%s", setup->angle);
    snprintf(r->trigger_name, sizeof r->trigger_name, "%s", setup->trigger);
    snprintf(r->key_name, sizeof r->key_name, "%s", setup->image_key);
  }
  *out = r;
  return 0;
}

void ct_reader_close(struct ct_reader *r)
{
  if (r == NULL)
    return;
  ct_playlist_close(r->list);
  ct_run_scalars_close(r->scalars);
  free(r->file);
  free(r->lots);
  free(r->arrival_ns);
  free(r);
}

/* ---- for others to read -------------------------------------------------------------------------------------------- */
void ct_reader_stats(const struct ct_reader *r, struct ct_snapshot_stream *out)
{
  memset(out, 0, sizeof *out);
  snprintf(out->name, sizeof out->name, "%s", r->name);
  snprintf(out->endpoint, sizeof out->endpoint, "%s", r->endpoint);
  snprintf(out->format, sizeof out->format, "%s", r->format);
  out->role = r->role;
  out->state = ct_reader_has_ended(r) ? CT_STREAM_IDLE : CT_STREAM_LIVE;
  out->frames = get(&r->frames);
  ct_keys_stats(&r->keys, out);
  out->lost = get(&r->lost);
  out->late = get(&r->late);
  out->restarts = get(&r->restarts);
  out->bytes = get(&r->bytes);
  out->last_number = get(&r->highest);
  out->rejected = out->rejected_kind[CT_REJECT_SHAPE] = get(&r->rejected);
  const int64_t now_ns = atomic_load_explicit(&r->now_ns, memory_order_relaxed);
  const int64_t first_ns = atomic_load_explicit(&r->first_ns, memory_order_relaxed);
  out->rate_hz = now_ns > first_ns ? (double)out->frames / ((double)(now_ns - first_ns) / 1e9) : (double)NAN;
  out->silent_s = out->lag_s = (double)NAN;
}

void ct_reader_progress(const struct ct_reader *r, struct ct_reader_progress *out)
{
  const int ended = atomic_load_explicit(&r->ended, memory_order_acquire);
  *out = (struct ct_reader_progress){
    .frames = get(&r->frames) + get(&r->rejected), .bytes = get(&r->bytes) + get(&r->rejected_bytes), .all_bytes = r->all_bytes, .ended = ended != GOING,
    .failure = ended == FAILED ? r->err.text : NULL,
    .first_ns = atomic_load_explicit(&r->first_ns, memory_order_relaxed),
    .now_ns = atomic_load_explicit(&r->now_ns, memory_order_relaxed),
    .next_ns = atomic_load_explicit(&r->next_ns, memory_order_relaxed),
  };
}
