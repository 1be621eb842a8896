/* See clips.h. */
#include "pipeline/clips.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

struct found_scan {
  struct ct_h5_scan scan;
  char spec[CT_CLIP_SPEC];                                 /* of the frames; "": as given */
  const char *darks, *flats;
};

/* ---- opening ----------------------------------------------------------------------------------------- */
/* "/path" is in the file that is played; FILE:/path is elsewhere. */
static int spec_beside(char spec[CT_CLIP_SPEC], const char *file, const char *given, struct ct_err *err)
{
  int length = given[0] == '/' && strstr(given, ":/") == NULL ? snprintf(spec, CT_CLIP_SPEC, "%s:%s", file, given)
                                                              : snprintf(spec, CT_CLIP_SPEC, "%s", given);
  return length < CT_CLIP_SPEC ? 0 : ct_err_set(err, CT_ERANGE, "%.60s...: the name is too long", given);
}

static int open_column(struct ct_clip *clip, enum ct_clip_column column, const char *given, const char *found,
                       struct ct_err *err)
{
  char spec[CT_CLIP_SPEC];
  const char *name = given[0] != '\0' ? given : found;
  if (name[0] == '\0' || clip->extra)
    return 0;
  int rc = spec_beside(spec, ct_h5_file(clip->frames), name, err);
  return rc != 0 ? rc : ct_h5_open_column(&clip->columns[column], spec, ct_h5_info(clip->frames)->n, err);
}

static void close_clip(struct ct_clips *clips)
{
  struct ct_clip *clip = clips->open;
  if (clip == NULL)
    return;
  ct_h5_close_frames(clip->frames);
  ct_run_columns_close(clip->recorded);
  clip->frames = NULL;
  clip->recorded = NULL;
  for (int column = 0; column < CT_CLIP_COLUMNS; column++) {
    ct_h5_close_frames(clip->columns[column]);
    clip->columns[column] = NULL;
  }
  clips->open = NULL;
}

/* A run may have more files than a process may have open, so one is open at a time. */
static int open_clip(struct ct_clips *clips, struct ct_clip *clip, struct ct_err *err)
{
  if (clips->open == clip)
    return 0;
  close_clip(clips);
  clips->open = clip;
  int rc = ct_h5_open_frames(&clip->frames, clip->spec, err);
  if (rc != 0)
    return rc;
  rc = open_column(clip, CT_CLIP_ANGLE, clips->angles, clip->angles, err);
  if (rc == 0)
    rc = open_column(clip, CT_CLIP_KEY, clips->image_key, clip->image_key, err);
  if (rc == 0 && ct_run_columns_open(&clip->recorded, clip->frames, NULL) != 0)
    clip->recorded = NULL;
  return rc;
}

static struct ct_clip *add_clip(struct ct_clips *clips)
{
  if (clips->n == clips->room) {
    const size_t open = clips->open != NULL ? (size_t)(clips->open - clips->list) : 0;
    clips->list = ct_xgrow(clips->list, &clips->room, sizeof *clips->list);
    clips->open = clips->open != NULL ? clips->list + open : NULL;
  }
  return &clips->list[clips->n++];
}

static int add_extra(struct ct_clips *clips, const char *file, const char *given, int key, struct ct_err *err)
{
  if (given[0] == '\0')
    return 0;
  struct ct_clip *clip = add_clip(clips);
  clip->extra = true;
  clip->key = key;
  int rc = spec_beside(clip->spec, file, given, err);
  if (rc == 0)
    rc = open_clip(clips, clip, err);
  if (rc != 0)
    return rc;
  clip->info = *ct_h5_info(clip->frames);
  clip->count = clip->info.n;
  return 0;
}

/* FILE alone, of a tomography format: what was not said is where the format has it. */
static void find_scan(const struct ct_replay *replay, const char *spec, struct found_scan *out)
{
  const char *dataset;
  *out = (struct found_scan){ .darks = replay->darks, .flats = replay->flats };
  if (ct_parse_dataset(spec, &dataset) > 0 || !ct_h5_scan_find(spec, &out->scan))
    return;
  snprintf(out->spec, sizeof out->spec, "%.900s:%s", spec, out->scan.frames);
  if (out->darks[0] == '\0')
    out->darks = out->scan.darks;
  if (out->flats[0] == '\0')
    out->flats = out->scan.flats;
}

static int add_frames(struct ct_clips *clips, const struct ct_replay *replay, const char *given, struct ct_err *err)
{
  struct found_scan found;
  find_scan(replay, given, &found);
  const char *spec = found.spec[0] != '\0' ? found.spec : given;
  struct ct_clip *clip = add_clip(clips);
  char file[CT_CLIP_SPEC];
  if (snprintf(clip->spec, sizeof clip->spec, "%s", spec) >= CT_CLIP_SPEC)
    return ct_err_set(err, CT_ERANGE, "%.60s...: the name is too long", spec);
  if (found.spec[0] != '\0') {
    memcpy(clip->angles, found.scan.angles, sizeof clip->angles);
    memcpy(clip->image_key, found.scan.image_key, sizeof clip->image_key);
  }
  int rc = open_clip(clips, clip, err);
  if (rc != 0)
    return rc;
  clip->info = *ct_h5_info(clip->frames);
  if (replay->first >= clip->info.n)
    return ct_err_set(err, CT_ERANGE, "%s: has %llu frames, so --first %llu is beyond its end", spec,
                      (unsigned long long)clip->info.n, (unsigned long long)replay->first);
  /* With separate darks and flats, what is left are the projections. */
  const bool extras = found.darks[0] != '\0' || found.flats[0] != '\0';
  clip->key = extras && clip->columns[CT_CLIP_KEY] == NULL ? CT_KEY_PROJECTION : -1;
  clip->first = replay->first;
  clip->count = (replay->last < clip->info.n ? replay->last + 1 : clip->info.n) - replay->first;
  if (!extras)
    return 0;
  /* They come first, though the data set was needed to find them. */
  const size_t place = clips->n - 1;
  snprintf(file, sizeof file, "%s", ct_h5_file(clip->frames));
  rc = add_extra(clips, file, found.darks, CT_KEY_DARK, err);
  if (rc == 0)
    rc = add_extra(clips, file, found.flats, CT_KEY_FLAT, err);
  close_clip(clips);
  const struct ct_clip data = clips->list[place];
  memmove(&clips->list[place], &clips->list[place + 1], (clips->n - 1 - place) * sizeof data);
  clips->list[clips->n - 1] = data;
  return rc;
}

/* Files of an archived run that end before the replay begins, or begin after its end, are not even opened. */
static bool in_time(const struct ct_clips *clips, const struct ct_replay *replay, const struct ct_run_file *file)
{
  return (double)(file->last_arrival_ns - clips->first_ns) / 1e9 >= replay->begin_s &&
         (double)(file->first_arrival_ns - clips->first_ns) / 1e9 <= replay->end_s;
}

/* All frame files of one stream of an archived run, one after the other; empty ones are passed over. */
static int add_run(struct ct_clips *clips, const struct ct_replay *replay, const char *run, struct ct_err *err)
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
    if (clips->first_ns == 0)
      clips->first_ns = files[i].first_arrival_ns;
    if (!in_time(clips, replay, &files[i]))
      continue;
    rc = add_frames(clips, replay, files[i].path, err);
    added++;
  }
  free(files);
  if (rc == 0 && added == 0)
    rc = ct_err_set(err, CT_ENOTFOUND, "%s: has no frames of %s %s%s", run,
                    replay->stream[0] ? "stream" : "a HEXITEC stream", replay->stream,
                    clips->first_ns != 0 ? " between --begin and --end" : "");
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

/* ---- the door ---------------------------------------------------------------------------------------- */
size_t ct_clip_frame_bytes(const struct ct_clip *clip)
{
  return (size_t)clip->info.rows * clip->info.cols * ct_type_bytes(clip->info.type);
}

/* Buffers were made for what the file held at the start. */
static int check_unchanged(const struct ct_clip *clip, struct ct_err *err)
{
  const struct ct_h5_info *now = ct_h5_info(clip->frames), *then = &clip->info;
  if (now->n == then->n && now->rows == then->rows && now->cols == then->cols && now->type == then->type)
    return 0;
  return ct_err_set(err, CT_EIO, "%s: changed while it was played", clip->spec);
}

int ct_clips_open(struct ct_clips *clips, struct ct_clip *clip, struct ct_err *err)
{
  int rc = open_clip(clips, clip, err);
  return rc == 0 ? check_unchanged(clip, err) : rc;
}

int ct_clips_find(struct ct_clips *clips, const struct ct_replay *replay, struct ct_err *err)
{
  int angles = snprintf(clips->angles, CT_CLIP_SPEC, "%s", replay->angles);
  int image_key = snprintf(clips->image_key, CT_CLIP_SPEC, "%s", replay->image_key);
  int rc = angles < CT_CLIP_SPEC && image_key < CT_CLIP_SPEC ? 0 : ct_err_set(err, CT_ERANGE, "a data set's name is too long");
  for (size_t i = 0; i < replay->n_specs && rc == 0; i++) {
    const char *spec = replay->specs[i];
    rc = names_run(spec) ? add_run(clips, replay, spec, err) : add_frames(clips, replay, spec, err);
  }
  return rc;
}

void ct_clips_fini(struct ct_clips *clips)
{
  close_clip(clips);
  free(clips->list);
}
