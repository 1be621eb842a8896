/* What a playlist is made of: stretches of data sets, found in files and runs, opened when it is their turn. Internal to
 * pipeline. Ownership: the clips own what is open; one thread uses them. */
#ifndef PIPELINE_CLIPS_H
#define PIPELINE_CLIPS_H

#include <comptop/archive.h>
#include <comptop/pipeline.h>

enum { CT_CLIP_SPEC = 1200 };
enum ct_clip_column { CT_CLIP_ANGLE, CT_CLIP_KEY, CT_CLIP_COLUMNS };

/* A stretch of one data set. */
struct ct_clip {
  char spec[CT_CLIP_SPEC];
  char angles[CT_SCAN_PATH], image_key[CT_SCAN_PATH];       /* where the file's format has them, or "" */
  bool extra;                                               /* darks or flats */
  int key;                                                  /* of all its frames; -1: the column's, if there is one */
  struct ct_h5_info info;
  uint64_t first, count;
  struct ct_h5_frames *frames, *columns[CT_CLIP_COLUMNS];   /* while it is open; absent columns are NULL */
  struct ct_run_columns *recorded;                          /* of an archived run, else NULL */
};

struct ct_clips {
  char angles[CT_CLIP_SPEC], image_key[CT_CLIP_SPEC];       /* as given, for all clips; or "" */
  struct ct_clip *list, *open;                              /* NULL: none is open */
  size_t n, room;
  int64_t first_ns;                                         /* recorded time of the first frame of a run, or 0 */
};

/* What a replay plays, in order. Errors of what cannot be read; CT_ENOTFOUND, CT_ERANGE. ct_clips_fini after either. */
int ct_clips_find(struct ct_clips *clips, const struct ct_replay *replay, struct ct_err *err) CT_MUST_CHECK;
void ct_clips_fini(struct ct_clips *clips);
/* Opens one, in place of the one that was open. CT_EIO also where it is no longer what it was when it was found. */
int ct_clips_open(struct ct_clips *clips, struct ct_clip *clip, struct ct_err *err) CT_MUST_CHECK;
size_t ct_clip_frame_bytes(const struct ct_clip *clip);

#endif
