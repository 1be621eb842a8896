/* Is a run what was written? Every frame against its checksum, every number against the next, gaps against their table. */
#include "archive/chunk.h"
#include "archive/datafile.h"
#include "archive/folder.h"
#include "archive/h5.h"
#include "archive/numbers.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

void ct_tell(const struct ct_teller *teller, const char *format, ...)
{
  char line[700];
  va_list args;
  va_start(args, format);
  vsnprintf(line, sizeof line, format, args);
  va_end(args);
  if (teller->say != NULL)
    teller->say(teller->context, line);
}

/* ---- frames ----------------------------------------------------------------------------------------------------- */

struct verifier {
  struct ct_teller teller;
  void (*progress)(void *context, const char *what, uint64_t done, uint64_t all);
  struct ct_run_check *check;
  struct ct_crc32 crc;
  uint64_t done, all;              /* frames */
  const struct ct_listed *gaps;
  size_t n_gaps;
  /* Of the stream that is read: its numbers since the source began to count, and what is not among them. */
  const char *stream;
  struct ct_numbers numbers;
  uint64_t unlisted, first_unlisted;
};

/* ---- continuity --------------------------------------------------------------------------------------------------- */

static void count_hole(void *context, uint64_t first, uint64_t last, const struct ct_number_span *before, const struct ct_number_span *after)
{
  struct verifier *v = context;
  (void)before;
  (void)after;
  v->first_unlisted = v->unlisted == 0 ? first : v->first_unlisted;
  v->unlisted += last - first + 1;
}

static void count_unlisted(struct verifier *v)
{
  ct_numbers_holes(&v->numbers, v->stream, v->gaps, v->n_gaps, count_hole, v);
  ct_numbers_clear(&v->numbers);
}

static void verify_numbers(struct verifier *v, const uint64_t *numbers, const uint8_t *late, uint64_t n)
{
  for (uint64_t i = 0; i < n; i++) {
    if (ct_numbers_restart(&v->numbers, numbers[i], late[i] != 0))
      count_unlisted(v);
    ct_numbers_add(&v->numbers, numbers[i], 0, 0);
  }
}

/* Numbers between those that are there which no gap explains. A restart of the source is no gap, nor is the time between
 * two sessions, nor what a crash took from the end of one. */
static void judge_stream(struct verifier *v, bool sampled)
{
  count_unlisted(v);
  if (v->unlisted > 0 && !sampled) {
    v->check->unlisted += v->unlisted;
    ct_tell(&v->teller, "%s: %llu frames, the first of them %llu, are neither there nor listed as lost or missed", v->stream,
            (unsigned long long)v->unlisted, (unsigned long long)v->first_unlisted);
  }
  v->unlisted = 0;
}

/* ---- frames ----------------------------------------------------------------------------------------------------- */

static void show_progress(struct verifier *v, uint64_t frames)
{
  v->done += frames;
  if (v->progress != NULL)
    v->progress(v->teller.context, "frames", v->done, v->all);
}

static void verify_part(struct verifier *v, const char *path, const unsigned char *pixels, const uint32_t *sums,
                        uint64_t first, uint64_t n, size_t frame_bytes)
{
  for (uint64_t k = 0; k < n; k++)
    if (ct_crc32(&v->crc, pixels + k * frame_bytes, frame_bytes) != sums[k]) {
      if (v->check->bad_frames++ < 20)
        ct_tell(&v->teller, "%s: frame in row %llu differs from its checksum", path, (unsigned long long)(first + k));
    }
  show_progress(v, n);
}

static void refuse_part(struct verifier *v, const char *path, uint64_t first, uint64_t n)
{
  v->check->bad_frames += n;
  ct_tell(&v->teller, "%s: frames in rows %llu to %llu cannot be read: damaged", path, (unsigned long long)first,
          (unsigned long long)(first + n - 1));
  show_progress(v, n);
}

static int verify_frames(struct verifier *v, const char *path, struct ct_err *err)
{
  char spec[CT_PATH + 64];
  struct ct_h5_frames *frames = NULL, *sums = NULL, *numbers = NULL, *lates = NULL;
  unsigned char *pixels = NULL;
  uint32_t *expected = NULL;
  uint64_t *number = NULL;
  uint8_t *late = NULL;
  snprintf(spec, sizeof spec, "%s:/entry/data", path);
  int rc = ct_h5_open_frames(&frames, spec, err);
  if (rc != 0)
    goto out;
  const struct ct_h5_info *info = ct_h5_info(frames);
  const size_t frame_bytes = (size_t)info->rows * info->cols * ct_type_bytes(info->type);
  /* A multiple of every chunk's length, so that none is unpacked twice. */
  const uint64_t step = ct_chunk_frames(frame_bytes, 0);
  rc = ct_data_open_column(&sums, path, CT_COLUMN_crc32, info->n, err);
  if (rc == 0)
    rc = ct_data_open_column(&numbers, path, CT_COLUMN_frame_number, info->n, err);
  if (rc == 0)
    rc = ct_data_open_column(&lates, path, CT_COLUMN_late, info->n, err);
  if (rc != 0)
    goto out;
  pixels = ct_xcalloc(step, frame_bytes);
  expected = ct_xcalloc(step, sizeof *expected);
  number = ct_xcalloc(step, sizeof *number);
  late = ct_xcalloc(step, sizeof *late);
  for (uint64_t k = 0; k < info->n && rc == 0; k += step) {
    const uint64_t n = info->n - k < step ? info->n - k : step;
    const bool readable = ct_h5_read_frames(frames, k, n, pixels, NULL) == 0;
    rc = ct_h5_read_as(sums, k, n, CT_U32, expected, err);
    if (rc == 0)
      rc = ct_h5_read_as(numbers, k, n, CT_U64, number, err);
    if (rc == 0)
      rc = ct_h5_read_as(lates, k, n, CT_U8, late, err);
    if (rc != 0)
      break;
    if (readable)
      verify_part(v, path, pixels, expected, k, n, frame_bytes);
    else
      refuse_part(v, path, k, n);
    verify_numbers(v, number, late, n);
  }
  v->check->frames += info->n;
  v->check->bytes += info->n * frame_bytes;
out:
  free(late);
  free(number);
  free(expected);
  free(pixels);
  ct_h5_close_frames(lates);
  ct_h5_close_frames(numbers);
  ct_h5_close_frames(sums);
  ct_h5_close_frames(frames);
  return rc;
}

/* ---- files ------------------------------------------------------------------------------------------------------------ */

/* A number of a file that is not there, where no missed frames explain it. */
static void verify_index(struct verifier *v, const struct ct_run_file *before, const struct ct_run_file *file)
{
  const unsigned wanted = before != NULL ? before->index + 1 : 0;
  if (file->index == wanted || file->n == 0)
    return;
  for (size_t i = 0; i < v->n_gaps; i++)
    if (strcmp(v->gaps[i].stream, file->stream) == 0 && v->gaps[i].reason == CT_GAP_MISSED &&
        v->gaps[i].last < file->first_number && (before == NULL || v->gaps[i].first > before->last_number))
      return;
  v->check->bad_files++;
  ct_tell(&v->teller, "%s: a file before this one is missing (%06u): its frames are neither there nor listed", file->path,
          wanted);
}

static void verify_file(struct verifier *v, const struct ct_run_file *file)
{
  struct ct_err err = { "" };
  v->check->files++;
  int rc = verify_frames(v, file->path, &err);
  if (rc != 0 && rc != CT_ESHAPE) {    /* CT_ESHAPE: closed before the first frame */
    v->check->bad_files++;
    ct_tell(&v->teller, "%s", err.text);
  }
}

static void verify_streams(struct verifier *v, const struct ct_folder *folder, const struct ct_run_file *files, size_t n)
{
  uint32_t session = 0, before = 0;
  for (size_t i = 0; i < n; i++, before = session) {
    const bool begins = i == 0 || strcmp(files[i].stream, files[i - 1].stream) != 0;
    const bool ends = i + 1 == n || strcmp(files[i].stream, files[i + 1].stream) != 0;
    session = ct_folder_session(files[i].path);
    v->stream = files[i].stream;
    if (!begins && session != before)
      count_unlisted(v);
    verify_index(v, begins ? NULL : &files[i - 1], &files[i]);
    verify_file(v, &files[i]);
    if (ends)
      judge_stream(v, ct_folder_is_sampled(folder, v->stream));
  }
}

struct listing {
  struct verifier *v;
  const struct ct_folder *folder;
};

/* A frame file that the master links to: it was finished, and has to be there. */
static herr_t check_link(hid_t group, const char *name, const H5L_info_t *info, void *context)
{
  const struct listing *listing = context;
  char value[CT_PATH], path[CT_PATH + sizeof value];
  const char *file, *object;
  unsigned flags;
  if (info->type != H5L_TYPE_EXTERNAL || info->u.val_size > sizeof value ||
      H5Lget_val(group, name, value, sizeof value, H5P_DEFAULT) < 0 ||
      H5Lunpack_elink_val(value, info->u.val_size, &flags, &file, &object) < 0)
    return 0;
  snprintf(path, sizeof path, "%s/%s", listing->folder->path, file);
  if (access(path, F_OK) == 0)
    return 0;
  listing->v->check->bad_files++;
  ct_tell(&listing->v->teller, "%s: the master knows this file, and it is not there", path);
  return 0;
}

static herr_t check_detector(hid_t instrument, const char *name, const H5L_info_t *info, void *context)
{
  char files[CT_NAME + 64];
  (void)info;
  snprintf(files, sizeof files, "%.80s/files", name);
  if (H5Lexists(instrument, name, H5P_DEFAULT) > 0 && H5Lexists(instrument, files, H5P_DEFAULT) > 0)
    H5Literate_by_name(instrument, files, H5_INDEX_NAME, H5_ITER_INC, NULL, check_link, context, H5P_DEFAULT);
  return 0;
}

static void verify_listing(struct verifier *v, const struct ct_folder *folder)
{
  struct listing listing = { .v = v, .folder = folder };
  struct ct_err err = { "" };
  char path[CT_PATH];
  hid_t file;
  ct_folder_path(folder, ".nxs", path);
  if (ct_h5_open_file(&file, path, &err) != 0) {
    v->check->bad_files++;
    ct_tell(&v->teller, "%s", err.text);
    return;
  }
  if (H5Lexists(file, "entry", H5P_DEFAULT) > 0 && H5Lexists(file, "entry/instrument", H5P_DEFAULT) > 0)
    H5Literate_by_name(file, "entry/instrument", H5_INDEX_NAME, H5_ITER_INC, NULL, check_detector, &listing, H5P_DEFAULT);
  H5Fclose(file);
}

int ct_run_verify(const char *run, const struct ct_run_watch *watch, struct ct_run_check *check, struct ct_err *err)
{
  struct verifier v = { .check = check };
  struct ct_folder folder;
  struct ct_run_file *files = NULL;
  size_t n = 0;
  if (watch != NULL) {
    v.teller = (struct ct_teller){ watch->say, watch->context };
    v.progress = watch->progress;
  }
  *check = (struct ct_run_check){ 0 };
  ct_crc32_init(&v.crc);
  int rc = ct_folder_find(&folder, run, err);
  if (rc == 0)
    rc = ct_folder_files(&folder, &files, &n, err);
  if (rc != 0)
    return rc;
  struct ct_listed *gaps = ct_folder_gaps(&folder, &v.n_gaps);
  v.gaps = gaps;
  for (size_t i = 0; i < v.n_gaps; i++)
    *(gaps[i].reason == CT_GAP_MISSED ? &check->missed : &check->lost) += gaps[i].last - gaps[i].first + 1;
  for (size_t i = 0; i < n; i++)
    v.all += files[i].n;
  verify_listing(&v, &folder);
  verify_streams(&v, &folder, files, n);
  ct_numbers_free(&v.numbers);
  free(gaps);
  free(files);
  if (check->bad_frames + check->bad_files + check->unlisted > 0)
    return ct_err_set(err, CT_EARCHIVE, "%s: %llu frames and %llu files are not as they were written, %llu frames are neither "
                      "there nor listed", run, (unsigned long long)check->bad_frames, (unsigned long long)check->bad_files,
                      (unsigned long long)check->unlisted);
  return 0;
}
