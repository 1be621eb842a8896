/* What comptop-replay plays: recorded frames in order, read ahead by a thread of its own into bounded memory. */
#ifndef PIPELINE_PLAYLIST_H
#define PIPELINE_PLAYLIST_H

#include <comptop/frame.h>
#include <comptop/pipeline.h>

/* A run of frames of one data set. Lent by ct_playlist_next until the next call of it. */
struct ct_block {
  uint32_t count, rows, cols;
  enum ct_type type;
  unsigned char *pixels;
  uint64_t *numbers;                     /* as recorded, else counted from 0 through the whole list */
  struct ct_attributes *attributes;
  int64_t *arrival_ns;                   /* of frames out of archived runs, or NULL */
  uint8_t *late;                         /* with it */
  bool restarts;                         /* the list begins anew with this block */
};

struct ct_playlist;
/* Reads ahead into at most <memory_bytes>, or two blocks of about 8 MB. */
int ct_playlist_open(struct ct_playlist **out, const struct ct_replay *replay, size_t memory_bytes, struct ct_err *err) CT_MUST_CHECK;
/* Shape and type of the first data set that is neither darks nor flats. */
void ct_playlist_shape(const struct ct_playlist *list, uint32_t *rows, uint32_t *cols, enum ct_type *type);
int64_t ct_playlist_first_ns(const struct ct_playlist *list);        /* recorded, of the run; 0: not known */
uint64_t ct_playlist_frames(const struct ct_playlist *list);         /* of one loop */
uint64_t ct_playlist_bytes(const struct ct_playlist *list);          /* of all pixels, in one loop */
size_t ct_playlist_frame_bytes(const struct ct_playlist *list);      /* of the largest frame */
/* 0 and a block; CT_ENODATA: all loops are played; or what reading failed with. */
int ct_playlist_next(struct ct_playlist *list, const struct ct_block **block, struct ct_err *err) CT_MUST_CHECK;
void ct_playlist_close(struct ct_playlist *list);                    /* NULL is fine */

#endif
