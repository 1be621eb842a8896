/* Blocks of recorded frames, read ahead by a thread. What is packed is unpacked by that thread and by whoever waits for a
 * block, chunk by chunk, so that neither has to be idle. A list that fits into its memory is read once and then played from
 * there. */
#include "pipeline/playlist.h"

#include "pipeline/clips.h"

#include <math.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { BLOCK_BYTES = 8 << 20 };

struct part {                                            /* what a block is made of */
  size_t clip;
  uint64_t first, first_number;
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
  struct ct_h5_parcels *parcels;
};

struct ct_playlist {
  struct ct_clips clips;
  struct part *parts;
  struct slot *slots;
  size_t n_parts, n_slots, frame_bytes;
  uint64_t blocks;                                       /* to play in all loops; UINT64_MAX: for ever */
  pthread_t reader;
  bool running;
  pthread_mutex_t lock;
  pthread_cond_t changed;
  /* Under the lock: blocks filled and blocks given back, ever; and that reading shall end. */
  uint64_t filled, returned, lent;
  bool end;
  /* Under the lock too: the slot that is being unpacked, or NULL, how many of its parcels somebody has begun with, has done,
   * and the first failure. */
  struct slot *unpacking;
  size_t begun, done;
  int failed;
};

/* ---- blocks ------------------------------------------------------------------------------------------ */

/* A multiple of a message, so that only a data set's last message is short; and of what is stored together, so that nothing
 * is unpacked twice, where both is possible. */
static uint64_t frames_per_block(const struct ct_clip *clip, uint32_t batch)
{
  const uint64_t most = BLOCK_BYTES / ct_clip_frame_bytes(clip), chunk = clip->info.chunk;
  const uint64_t step = chunk % batch == 0 && most >= chunk ? chunk : batch;
  return most >= step ? most - most % step : step;
}

static void cut_parts(struct ct_playlist *list, uint32_t batch, uint64_t *most_frames, size_t *most_bytes)
{
  uint64_t number = 0, n_parts = 0;
  for (size_t c = 0; c < list->clips.n; c++)
    n_parts += list->clips.list[c].count / frames_per_block(&list->clips.list[c], batch) + 1;
  list->parts = ct_xcalloc(n_parts, sizeof *list->parts);
  for (size_t c = 0; c < list->clips.n; c++) {
    const struct ct_clip *clip = &list->clips.list[c];
    const uint64_t step = frames_per_block(clip, batch);
    const size_t frame_bytes = ct_clip_frame_bytes(clip);
    list->frame_bytes = frame_bytes > list->frame_bytes ? frame_bytes : list->frame_bytes;
    for (uint64_t k = 0; k < clip->count; k += step) {
      const uint64_t count = clip->count - k < step ? clip->count - k : step;
      list->parts[list->n_parts++] = (struct part){ .clip = c, .first = clip->first + k, .first_number = number + k, .count = (uint32_t)count };
      *most_frames = count > *most_frames ? count : *most_frames;
      *most_bytes = count * frame_bytes > *most_bytes ? (size_t)count * frame_bytes : *most_bytes;
    }
    number += clip->count;
  }
}

static void make_slots(struct ct_playlist *list, uint64_t frames, size_t bytes, size_t memory_bytes)
{
  const size_t n = memory_bytes / bytes > 2 ? memory_bytes / bytes : 2;
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
    slot->parcels = ct_h5_parcels_new();
  }
}

static int fill_columns(struct slot *slot, struct ct_clip *clip, const struct part *part)
{
  struct ct_block *block = &slot->block;
  for (uint32_t i = 0; i < block->count; i++) {
    block->numbers[i] = part->first_number + i;
    block->attributes[i] = (struct ct_attributes){ .present = clip->key < 0 ? 0 : CT_HAS_KEY, .image_key = clip->key };
  }
  block->arrival_ns = clip->recorded != NULL ? slot->arrival_ns : NULL;
  block->late = clip->recorded != NULL ? slot->late : NULL;
  if (clip->recorded != NULL) {
    const struct ct_run_rows rows = { block->numbers, block->attributes, block->arrival_ns, block->late };
    int rc = ct_run_columns_read(clip->recorded, part->first, block->count, &rows, &slot->err);
    if (rc != 0)
      return rc;
  }
  for (int column = 0; column < CT_CLIP_COLUMNS; column++) {
    if (clip->columns[column] == NULL)
      continue;
    int rc = ct_h5_read_as(clip->columns[column], part->first, block->count, CT_F64, slot->scratch, &slot->err);
    if (rc != 0)
      return rc;
    for (uint32_t i = 0; i < block->count; i++) {
      struct ct_attributes *attributes = &block->attributes[i];
      if (!isfinite(slot->scratch[i]))
        continue;
      attributes->present |= column == CT_CLIP_ANGLE ? CT_HAS_ANGLE : CT_HAS_KEY;
      if (column == CT_CLIP_ANGLE)
        attributes->angle_deg = slot->scratch[i];
      else
        attributes->image_key = fabs(slot->scratch[i]) < 1e9 ? (int)slot->scratch[i] : CT_KEY_INVALID;
    }
  }
  return 0;
}

/* ---- unpacking --------------------------------------------------------------------------------------- */
/* One parcel of the slot that is being unpacked, if one is left. Under the lock, which it gives back meanwhile. */
static bool unpack_one(struct ct_playlist *list)
{
  const struct slot *slot = list->unpacking;
  if (slot == NULL || list->begun == ct_h5_parcels_n(slot->parcels))
    return false;
  const size_t mine = list->begun++;
  pthread_mutex_unlock(&list->lock);
  int rc = ct_h5_unpack(slot->parcels, mine);
  pthread_mutex_lock(&list->lock);
  list->failed = list->failed != 0 ? list->failed : rc;
  list->done++;
  pthread_cond_broadcast(&list->changed);
  return true;
}

static int unpack(struct ct_playlist *list, struct slot *slot)
{
  pthread_mutex_lock(&list->lock);
  list->unpacking = slot;
  list->begun = list->done = 0;
  list->failed = 0;
  pthread_cond_broadcast(&list->changed);
  while (unpack_one(list))
    continue;
  while (list->done < list->begun)
    pthread_cond_wait(&list->changed, &list->lock);
  list->unpacking = NULL;
  const int failed = list->failed;
  pthread_mutex_unlock(&list->lock);
  return failed;
}

/* ---- reading ----------------------------------------------------------------------------------------- */
static void fill(struct ct_playlist *list, struct slot *slot, uint64_t turn)
{
  const size_t wanted = (size_t)(turn % list->n_parts);
  const struct part *part = &list->parts[wanted];
  struct ct_clip *clip = &list->clips.list[part->clip];
  struct ct_block *block = &slot->block;
  block->restarts = wanted == 0;
  if (slot->part == wanted)
    return;
  block->count = part->count;
  block->rows = clip->info.rows;
  block->cols = clip->info.cols;
  block->type = clip->info.type;
  slot->rc = ct_clips_open(&list->clips, clip, &slot->err);
  if (slot->rc == 0)
    slot->rc = ct_h5_fetch_frames(clip->frames, part->first, part->count, block->pixels, slot->parcels, &slot->err);
  if (slot->rc == 0)
    slot->rc = fill_columns(slot, clip, part);
  if (slot->rc == 0 && unpack(list, slot) != 0)
    slot->rc = ct_err_set(&slot->err, CT_EIO, "%s: cannot be unpacked between frames %llu and %llu: damaged?", clip->spec,
                          (unsigned long long)part->first, (unsigned long long)(part->first + part->count - 1));
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
    pthread_cond_broadcast(&list->changed);
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

int ct_playlist_open(struct ct_playlist **out, const struct ct_replay *replay, size_t memory_bytes, struct ct_err *err)
{
  struct ct_playlist *list = ct_xcalloc(1, sizeof *list);
  uint64_t most_frames = 0;
  size_t most_bytes = 0;
  *out = NULL;
  pthread_mutex_init(&list->lock, NULL);
  pthread_cond_init(&list->changed, NULL);
  int rc = ct_clips_find(&list->clips, replay, err);
  if (rc == 0) {
    cut_parts(list, replay->batch, &most_frames, &most_bytes);
    make_slots(list, most_frames, most_bytes, memory_bytes);
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
  const struct ct_clip *clip = list->clips.list;
  while (clip->extra)
    clip++;
  *rows = clip->info.rows;
  *cols = clip->info.cols;
  *type = clip->info.type;
}

int64_t ct_playlist_first_ns(const struct ct_playlist *list) { return list->clips.first_ns; }

uint64_t ct_playlist_frames(const struct ct_playlist *list)
{
  uint64_t n = 0;
  for (size_t i = 0; i < list->clips.n; i++)
    n += list->clips.list[i].count;
  return n;
}

uint64_t ct_playlist_bytes(const struct ct_playlist *list)
{
  uint64_t bytes = 0;
  for (size_t i = 0; i < list->clips.n; i++)
    bytes += list->clips.list[i].count * ct_clip_frame_bytes(&list->clips.list[i]);
  return bytes;
}

size_t ct_playlist_frame_bytes(const struct ct_playlist *list) { return list->frame_bytes; }

int ct_playlist_next(struct ct_playlist *list, const struct ct_block **block, struct ct_err *err)
{
  if (list->lent == list->blocks)
    return CT_ENODATA;
  pthread_mutex_lock(&list->lock);
  list->returned = list->lent;
  pthread_cond_broadcast(&list->changed);
  while (list->filled == list->lent)
    if (!unpack_one(list))
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
    pthread_cond_broadcast(&list->changed);
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
    ct_h5_parcels_free(list->slots[i].parcels);
  }
  ct_clips_fini(&list->clips);
  pthread_cond_destroy(&list->changed);
  pthread_mutex_destroy(&list->lock);
  free(list->slots);
  free(list->parts);
  free(list);
}
