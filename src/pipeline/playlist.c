/* Blocks of recorded frames, read ahead. A list that fits into memory is read once and then played from there. */
#include "pipeline/playlist.h"

#include <comptop/archive.h>

#include <math.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

enum {
  BLOCK_BYTES = 8 << 20,
  MEMORY_BYTES = 256 << 20,
  COLUMN_COUNT = 2,
  SPEC_BYTES = 1200
};

enum column { COLUMN_ANGLE, COLUMN_KEY };

/* A stretch of one data set, opened when it is its turn. */
struct clip {
  char spec[SPEC_BYTES];
  bool extra;                                            /* darks or flats */
  int key;                                               /* of all its frames; -1: the column's, if there is one */
  struct ct_h5_info info;
  uint64_t first, count, first_number;
  struct ct_h5_frames *frames, *columns[COLUMN_COUNT];   /* absent columns are NULL */
  struct ct_run_columns *recorded;                       /* of an archived run, else NULL */
};

struct found_scan {
  struct ct_h5_scan scan;
  char spec[SPEC_BYTES];                                 /* of the frames; "": as given */
  const char *darks, *flats;
};

struct part {                                            /* what a block is made of */
  size_t clip;
  uint64_t first;
  uint32_t count;
};

struct slot {
  struct ct_block block;
  size_t part;                                           /* held now; SIZE_MAX: none */
  int rc;
  struct ct_err err;
  int64_t *arrival_ns;                                   /* the block's, when there are any */
  uint8_t *late;
  double *scratch;
};

struct ct_playlist {
  char angles[SPEC_BYTES], image_key[SPEC_BYTES];        /* as given */
  struct clip *clips, *open;                             /* <open>: the reader's; NULL: none */
  struct part *parts;
  struct slot *slots;
  size_t n_clips, clips_room, n_parts, n_slots, frame_bytes;
  int64_t first_ns;                                      /* recorded time of the first frame of a run, or 0 */
  uint64_t blocks;                                       /* to play in all loops; UINT64_MAX: for ever */
  pthread_t reader;
  bool running;
  pthread_mutex_t lock;
  pthread_cond_t changed;
  /* Under the lock: blocks filled and blocks given back, ever; and that reading shall end. */
  uint64_t filled, returned, lent;
  bool end;
};

/* ---- clips ------------------------------------------------------------------------------------------- */

/* "/path" is in the file that is played; FILE:/path is elsewhere. */
static int spec_beside(char spec[SPEC_BYTES], const char *file, const char *given, struct ct_err *err)
{
  int length = given[0] == '/' && strstr(given, ":/") == NULL ? snprintf(spec, SPEC_BYTES, "%s:%s", file, given)
                                                              : snprintf(spec, SPEC_BYTES, "%s", given);
  return length < SPEC_BYTES ? 0 : ct_err_set(err, CT_ERANGE, "%.60s...: the name is too long", given);
}

static int open_column(struct clip *clip, enum column column, const char *given, struct ct_err *err)
{
  char spec[SPEC_BYTES];
  if (given[0] == '\0' || clip->extra)
    return 0;
  int rc = spec_beside(spec, ct_h5_file(clip->frames), given, err);
  return rc != 0 ? rc : ct_h5_open_column(&clip->columns[column], spec, ct_h5_info(clip->frames)->n, err);
}

static void close_clip(struct ct_playlist *list)
{
  struct clip *clip = list->open;
  if (clip == NULL)
    return;
  ct_h5_close_frames(clip->frames);
  ct_run_columns_close(clip->recorded);
  clip->frames = NULL;
  clip->recorded = NULL;
  for (int column = 0; column < COLUMN_COUNT; column++) {
    ct_h5_close_frames(clip->columns[column]);
    clip->columns[column] = NULL;
  }
  list->open = NULL;
}

/* A run may have more files than a process may have open, so one is open at a time. */
static int open_clip(struct ct_playlist *list, struct clip *clip, struct ct_err *err)
{
  if (list->open == clip)
    return 0;
  close_clip(list);
  list->open = clip;
  int rc = ct_h5_open_frames(&clip->frames, clip->spec, err);
  if (rc != 0)
    return rc;
  rc = open_column(clip, COLUMN_ANGLE, list->angles, err);
  if (rc == 0)
    rc = open_column(clip, COLUMN_KEY, list->image_key, err);
  if (rc == 0 && ct_run_columns_open(&clip->recorded, clip->frames, NULL) != 0)
    clip->recorded = NULL;
  return rc;
}

static struct clip *add_clip(struct ct_playlist *list)
{
  if (list->n_clips == list->clips_room) {
    const size_t room = list->clips_room ? 2 * list->clips_room : 16;
    struct clip *more = ct_xcalloc(room, sizeof *more);
    if (list->n_clips > 0)
      memcpy(more, list->clips, list->n_clips * sizeof *more);
    if (list->open != NULL)
      list->open = more + (list->open - list->clips);
    free(list->clips);
    list->clips = more;
    list->clips_room = room;
  }
  return &list->clips[list->n_clips++];
}

static int add_extra(struct ct_playlist *list, const char *file, const char *given, int key, struct ct_err *err)
{
  if (given[0] == '\0')
    return 0;
  struct clip *clip = add_clip(list);
  clip->extra = true;
  clip->key = key;
  int rc = spec_beside(clip->spec, file, given, err);
  if (rc == 0)
    rc = open_clip(list, clip, err);
  if (rc != 0)
    return rc;
  clip->info = *ct_h5_info(clip->frames);
  clip->count = clip->info.n;
  return 0;
}

/* FILE alone, of a tomography format: what was not said is where the format has it. */
static void find_scan(struct ct_playlist *list, const struct ct_replay *replay, const char *spec, struct found_scan *out)
{
  const char *dataset;
  *out = (struct found_scan){ .darks = replay->darks, .flats = replay->flats };
  if (ct_parse_dataset(spec, &dataset) > 0 || !ct_h5_scan_find(spec, &out->scan))
    return;
  snprintf(out->spec, sizeof out->spec, "%.900s:%s", spec, out->scan.frames);
  if (list->angles[0] == '\0')
    snprintf(list->angles, sizeof list->angles, "%s", out->scan.angles);
  if (list->image_key[0] == '\0')
    snprintf(list->image_key, sizeof list->image_key, "%s", out->scan.image_key);
  if (out->darks[0] == '\0')
    out->darks = out->scan.darks;
  if (out->flats[0] == '\0')
    out->flats = out->scan.flats;
}

static int add_frames(struct ct_playlist *list, const struct ct_replay *replay, const char *given, struct ct_err *err)
{
  struct found_scan found;
  find_scan(list, replay, given, &found);
  const char *spec = found.spec[0] != '\0' ? found.spec : given;
  struct clip *clip = add_clip(list);
  char file[SPEC_BYTES];
  if (snprintf(clip->spec, sizeof clip->spec, "%s", spec) >= SPEC_BYTES)
    return ct_err_set(err, CT_ERANGE, "%.60s...: the name is too long", spec);
  int rc = open_clip(list, clip, err);
  if (rc != 0)
    return rc;
  clip->info = *ct_h5_info(clip->frames);
  if (replay->first >= clip->info.n)
    return ct_err_set(err, CT_ERANGE, "%s: has %llu frames, so --first %llu is beyond its end", spec,
                      (unsigned long long)clip->info.n, (unsigned long long)replay->first);
  /* With separate darks and flats, what is left are the projections. */
  const bool extras = found.darks[0] != '\0' || found.flats[0] != '\0';
  clip->key = extras && clip->columns[COLUMN_KEY] == NULL ? CT_KEY_PROJECTION : -1;
  clip->first = replay->first;
  clip->count = (replay->last < clip->info.n ? replay->last + 1 : clip->info.n) - replay->first;
  if (!extras)
    return 0;
  /* They come first, though the data set was needed to find them. */
  const size_t place = list->n_clips - 1;
  snprintf(file, sizeof file, "%s", ct_h5_file(clip->frames));
  rc = add_extra(list, file, found.darks, CT_KEY_DARK, err);
  if (rc == 0)
    rc = add_extra(list, file, found.flats, CT_KEY_FLAT, err);
  close_clip(list);
  const struct clip data = list->clips[place];
  memmove(&list->clips[place], &list->clips[place + 1], (list->n_clips - 1 - place) * sizeof data);
  list->clips[list->n_clips - 1] = data;
  return rc;
}

/* Files of an archived run that end before the replay begins, or begin after its end, are not even opened. */
static bool in_time(const struct ct_playlist *list, const struct ct_replay *replay, const struct ct_run_file *file)
{
  return (double)(file->last_arrival_ns - list->first_ns) / 1e9 >= replay->begin_s &&
         (double)(file->first_arrival_ns - list->first_ns) / 1e9 <= replay->end_s;
}

/* All frame files of one stream of an archived run, one after the other; empty ones are passed over. */
static int add_run(struct ct_playlist *list, const struct ct_replay *replay, const char *run, struct ct_err *err)
{
  struct ct_run_file *files;
  size_t n, added = 0;
  int rc = ct_run_files(run, &files, &n, err);
  for (size_t i = 0; i < n && rc == 0; i++) {
    bool wanted = replay->stream[0] != '\0' ? strcmp(files[i].stream, replay->stream) == 0
                                            : files[i].role == CT_ROLE_HEXITEC;
    if (wanted && !files[i].closed)
      rc = ct_err_set(err, CT_EBUSY, "%s: cannot be read; if the run is not being written any more, comptop-archive "
                      "repair may help", files[i].path);
    if (rc != 0 || !wanted || files[i].n == 0)
      continue;
    if (list->first_ns == 0)
      list->first_ns = files[i].first_arrival_ns;
    if (!in_time(list, replay, &files[i]))
      continue;
    rc = add_frames(list, replay, files[i].path, err);
    added++;
  }
  free(files);
  if (rc == 0 && added == 0)
    rc = ct_err_set(err, CT_ENOTFOUND, "%s: has no frames of %s %s", run, replay->stream[0] ? "stream" : "a HEXITEC stream",
                    replay->stream);
  return rc;
}

/* A folder, or a master with frame files beside it; any other file that ends in .nxs is a file. */
static bool names_run(const char *spec)
{
  struct stat status;
  struct ct_run_file *files;
  size_t n = 0;
  const size_t length = strlen(spec);
  if (stat(spec, &status) != 0)
    return false;
  if (S_ISDIR(status.st_mode))
    return true;
  if (length > 4 && strcmp(spec + length - 4, ".nxs") == 0 && ct_run_files(spec, &files, &n, NULL) == 0)
    free(files);
  return n > 0;
}

/* ---- blocks ------------------------------------------------------------------------------------------ */

static size_t clip_frame_bytes(const struct clip *clip)
{
  return (size_t)clip->info.rows * clip->info.cols * ct_type_bytes(clip->info.type);
}

/* A multiple of a message, so that only a data set's last message is short. */
static uint64_t frames_per_block(const struct clip *clip, uint32_t batch)
{
  uint64_t messages = BLOCK_BYTES / clip_frame_bytes(clip) / batch;
  return (messages ? messages : 1) * batch;
}

static void cut_parts(struct ct_playlist *list, uint32_t batch, uint64_t *most_frames, size_t *most_bytes)
{
  uint64_t number = 0, n_parts = 0;
  for (size_t c = 0; c < list->n_clips; c++)
    n_parts += list->clips[c].count / frames_per_block(&list->clips[c], batch) + 1;
  list->parts = ct_xcalloc(n_parts, sizeof *list->parts);
  for (size_t c = 0; c < list->n_clips; c++) {
    struct clip *clip = &list->clips[c];
    const uint64_t step = frames_per_block(clip, batch);
    clip->first_number = number;
    number += clip->count;
    if (clip_frame_bytes(clip) > list->frame_bytes)
      list->frame_bytes = clip_frame_bytes(clip);
    for (uint64_t k = 0; k < clip->count; k += step) {
      uint64_t count = clip->count - k < step ? clip->count - k : step;
      list->parts[list->n_parts++] = (struct part){ .clip = c, .first = k, .count = (uint32_t)count };
      *most_frames = count > *most_frames ? count : *most_frames;
      *most_bytes = count * clip_frame_bytes(clip) > *most_bytes ? (size_t)count * clip_frame_bytes(clip) : *most_bytes;
    }
  }
}

static void make_slots(struct ct_playlist *list, uint64_t frames, size_t bytes)
{
  size_t n = MEMORY_BYTES / bytes > 2 ? MEMORY_BYTES / bytes : 2;
  list->n_slots = n < list->n_parts ? n : list->n_parts;
  list->slots = ct_xcalloc(list->n_slots, sizeof *list->slots);
  for (size_t i = 0; i < list->n_slots; i++) {
    struct slot *slot = &list->slots[i];
    slot->part = SIZE_MAX;
    slot->block.pixels = ct_xcalloc(bytes, 1);
    slot->block.numbers = ct_xcalloc(frames, sizeof *slot->block.numbers);
    slot->block.attributes = ct_xcalloc(frames, sizeof *slot->block.attributes);
    slot->arrival_ns = ct_xcalloc(frames, sizeof *slot->arrival_ns);
    slot->late = ct_xcalloc(frames, sizeof *slot->late);
    slot->scratch = ct_xcalloc(frames, sizeof *slot->scratch);
  }
}

static int fill_columns(struct slot *slot, struct clip *clip, uint64_t first)
{
  struct ct_block *block = &slot->block;
  for (uint32_t i = 0; i < block->count; i++) {
    block->numbers[i] = clip->first_number + (first - clip->first) + i;
    block->attributes[i] = (struct ct_attributes){ .present = clip->key < 0 ? 0 : CT_HAS_KEY, .image_key = clip->key };
  }
  block->arrival_ns = clip->recorded != NULL ? slot->arrival_ns : NULL;
  block->late = clip->recorded != NULL ? slot->late : NULL;
  if (clip->recorded != NULL) {
    const struct ct_run_rows rows = { block->numbers, block->attributes, block->arrival_ns, block->late };
    int rc = ct_run_columns_read(clip->recorded, first, block->count, &rows, &slot->err);
    if (rc != 0)
      return rc;
  }
  for (int column = 0; column < COLUMN_COUNT; column++) {
    if (clip->columns[column] == NULL)
      continue;
    int rc = ct_h5_read_as(clip->columns[column], first, block->count, CT_F64, slot->scratch, &slot->err);
    if (rc != 0)
      return rc;
    for (uint32_t i = 0; i < block->count; i++) {
      struct ct_attributes *attributes = &block->attributes[i];
      if (!isfinite(slot->scratch[i]))
        continue;
      attributes->present |= column == COLUMN_ANGLE ? CT_HAS_ANGLE : CT_HAS_KEY;
      if (column == COLUMN_ANGLE)
        attributes->angle_deg = slot->scratch[i];
      else
        attributes->image_key = fabs(slot->scratch[i]) < 1e9 ? (int)slot->scratch[i] : CT_KEY_INVALID;
    }
  }
  return 0;
}

/* Buffers were made for what the file held at the start. */
static int check_unchanged(const struct clip *clip, struct ct_err *err)
{
  const struct ct_h5_info *now = ct_h5_info(clip->frames), *then = &clip->info;
  if (now->n == then->n && now->rows == then->rows && now->cols == then->cols && now->type == then->type)
    return 0;
  return ct_err_set(err, CT_EIO, "%s: changed while it was played", clip->spec);
}

static void fill(struct ct_playlist *list, struct slot *slot, uint64_t turn)
{
  const size_t wanted = (size_t)(turn % list->n_parts);
  const struct part *part = &list->parts[wanted];
  struct clip *clip = &list->clips[part->clip];
  struct ct_block *block = &slot->block;
  const uint64_t first = clip->first + part->first;
  block->restarts = wanted == 0;
  if (slot->part == wanted)
    return;
  block->count = part->count;
  block->rows = clip->info.rows;
  block->cols = clip->info.cols;
  block->type = clip->info.type;
  slot->rc = open_clip(list, clip, &slot->err);
  if (slot->rc == 0)
    slot->rc = check_unchanged(clip, &slot->err);
  if (slot->rc == 0)
    slot->rc = ct_h5_read_frames(clip->frames, first, part->count, block->pixels, &slot->err);
  if (slot->rc == 0)
    slot->rc = fill_columns(slot, clip, first);
  slot->part = wanted;
}

static void *read_ahead(void *context)
{
  struct ct_playlist *list = context;
  for (uint64_t turn = 0; turn < list->blocks; turn++) {
    pthread_mutex_lock(&list->lock);
    while (!list->end && turn - list->returned >= list->n_slots)
      pthread_cond_wait(&list->changed, &list->lock);
    bool end = list->end;
    pthread_mutex_unlock(&list->lock);
    if (end)
      break;
    struct slot *slot = &list->slots[turn % list->n_slots];
    fill(list, slot, turn);
    pthread_mutex_lock(&list->lock);
    list->filled = turn + 1;
    pthread_cond_signal(&list->changed);
    end = slot->rc != 0;
    pthread_mutex_unlock(&list->lock);
    if (end)
      break;
  }
  return NULL;
}

/* Signals are for the thread that plays. */
static int start_reader(struct ct_playlist *list, struct ct_err *err)
{
  sigset_t all, before;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &before);
  int failed = pthread_create(&list->reader, NULL, read_ahead, list);
  pthread_sigmask(SIG_SETMASK, &before, NULL);
  if (failed)
    return ct_err_set(err, CT_ENOMEM, "no thread to read files with: %s", strerror(failed));
  list->running = true;
  return 0;
}

static int keep_names(struct ct_playlist *list, const struct ct_replay *replay, struct ct_err *err)
{
  int angles = snprintf(list->angles, SPEC_BYTES, "%s", replay->angles);
  int image_key = snprintf(list->image_key, SPEC_BYTES, "%s", replay->image_key);
  return angles < SPEC_BYTES && image_key < SPEC_BYTES ? 0 : ct_err_set(err, CT_ERANGE, "a data set's name is too long");
}

int ct_playlist_open(struct ct_playlist **out, const struct ct_replay *replay, struct ct_err *err)
{
  struct ct_playlist *list = ct_xcalloc(1, sizeof *list);
  uint64_t most_frames = 0;
  size_t most_bytes = 0;
  *out = NULL;
  pthread_mutex_init(&list->lock, NULL);
  pthread_cond_init(&list->changed, NULL);
  int rc = keep_names(list, replay, err);
  for (size_t i = 0; i < replay->n_specs && rc == 0; i++) {
    const char *spec = replay->specs[i];
    rc = names_run(spec) ? add_run(list, replay, spec, err) : add_frames(list, replay, spec, err);
  }
  if (rc == 0) {
    cut_parts(list, replay->batch, &most_frames, &most_bytes);
    make_slots(list, most_frames, most_bytes);
    bool finite = replay->loops > 0 && replay->loops < UINT64_MAX / list->n_parts;
    list->blocks = finite ? replay->loops * list->n_parts : UINT64_MAX;
    rc = start_reader(list, err);
  }
  if (rc != 0) {
    ct_playlist_close(list);
    return rc;
  }
  *out = list;
  return 0;
}

void ct_playlist_shape(const struct ct_playlist *list, uint32_t *rows, uint32_t *cols, enum ct_type *type)
{
  const struct clip *clip = list->clips;
  while (clip->extra)
    clip++;
  *rows = clip->info.rows;
  *cols = clip->info.cols;
  *type = clip->info.type;
}

int64_t ct_playlist_first_ns(const struct ct_playlist *list) { return list->first_ns; }

uint64_t ct_playlist_frames(const struct ct_playlist *list)
{
  uint64_t n = 0;
  for (size_t i = 0; i < list->n_clips; i++)
    n += list->clips[i].count;
  return n;
}

uint64_t ct_playlist_bytes(const struct ct_playlist *list)
{
  uint64_t bytes = 0;
  for (size_t i = 0; i < list->n_clips; i++)
    bytes += list->clips[i].count * clip_frame_bytes(&list->clips[i]);
  return bytes;
}

size_t ct_playlist_frame_bytes(const struct ct_playlist *list) { return list->frame_bytes; }

int ct_playlist_next(struct ct_playlist *list, const struct ct_block **block, struct ct_err *err)
{
  if (list->lent == list->blocks)
    return CT_ENODATA;
  pthread_mutex_lock(&list->lock);
  list->returned = list->lent;
  pthread_cond_signal(&list->changed);
  while (list->filled == list->lent)
    pthread_cond_wait(&list->changed, &list->lock);
  pthread_mutex_unlock(&list->lock);
  const struct slot *slot = &list->slots[list->lent++ % list->n_slots];
  if (slot->rc != 0)
    return ct_err_set(err, slot->rc, "%s", slot->err.text);
  *block = &slot->block;
  return 0;
}

void ct_playlist_close(struct ct_playlist *list)
{
  if (list == NULL)
    return;
  if (list->running) {
    pthread_mutex_lock(&list->lock);
    list->end = true;
    pthread_cond_signal(&list->changed);
    pthread_mutex_unlock(&list->lock);
    pthread_join(list->reader, NULL);
  }
  for (size_t i = 0; i < list->n_slots; i++) {
    free(list->slots[i].block.pixels);
    free(list->slots[i].block.numbers);
    free(list->slots[i].block.attributes);
    free(list->slots[i].arrival_ns);
    free(list->slots[i].late);
    free(list->slots[i].scratch);
  }
  close_clip(list);
  pthread_cond_destroy(&list->changed);
  pthread_mutex_destroy(&list->lock);
  free(list->slots);
  free(list->parts);
  free(list->clips);
  free(list);
}
