/* Is a run what was written? Every frame against its checksum, every number against the next, gaps against their table. */
#include "archive/chunk.h"
#include "archive/datafile.h"
#include "archive/folder.h"
#include "archive/h5.h"

#include <math.h>
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

/* ---- gaps ----------------------------------------------------------------------------------------------------- */

static uint64_t *read_column(const char *path, const char *name, uint64_t n)
{
  char spec[CT_PATH + 64];
  struct ct_h5_frames *column;
  uint64_t *values = ct_xcalloc(n + 1, sizeof *values);
  snprintf(spec, sizeof spec, "%s:/entry/gaps/%s", path, name);
  if (n > 0 && ct_h5_open_column(&column, spec, n, NULL) == 0) {
    if (ct_h5_read_as(column, 0, n, CT_U64, values, NULL) != 0)
      memset(values, 0, n * sizeof *values);
    ct_h5_close_frames(column);
  }
  return values;
}

/* How many gaps a log lists, and the names of the streams it counts by; *names is to be reclaimed. */
static hsize_t open_gaps(const char *path, char (**names)[CT_NAME], size_t *n_names)
{
  hid_t file;
  hsize_t count = 0;
  *names = NULL;
  *n_names = 0;
  if (ct_h5_open_file(&file, path, NULL) != 0)
    return 0;
  hid_t set = H5Dopen2(file, "/entry/gaps/reason", H5P_DEFAULT);
  const hsize_t n = ct_h5_length(set);
  H5Dclose(set);
  hid_t attribute = H5Aopen_by_name(file, "/entry/gaps", "streams", H5P_DEFAULT, H5P_DEFAULT);
  hid_t type = H5Aget_type(attribute), all = H5Aget_space(attribute);
  if (attribute >= 0 && H5Tis_variable_str(type) > 0 && H5Sget_simple_extent_ndims(all) == 1 &&
      H5Sget_simple_extent_dims(all, &count, NULL) > 0 && count <= 256) {
    char *texts[256] = { NULL };
    *names = ct_xcalloc(count, sizeof **names);
    if (H5Aread(attribute, type, texts) >= 0) {
      *n_names = count;
      for (hsize_t i = 0; i < count; i++)
        snprintf((*names)[i], CT_NAME, "%s", texts[i] != NULL ? texts[i] : "");
      H5Dvlen_reclaim(type, all, H5P_DEFAULT, texts);
    }
  }
  H5Sclose(all);
  H5Tclose(type);
  H5Aclose(attribute);
  H5Fclose(file);
  return n;
}

struct ct_listed *ct_folder_gaps(const struct ct_folder *folder, size_t *n)
{
  struct ct_folder_entry *entries;
  struct ct_listed *gaps = NULL;
  size_t n_entries;
  *n = 0;
  if (ct_folder_list(folder, &entries, &n_entries, NULL) != 0)
    return NULL;
  for (size_t i = 0; i < n_entries; i++) {
    char path[CT_PATH], (*names)[CT_NAME];
    size_t n_names;
    if (strcmp(entries[i].kind, "log") != 0)
      continue;
    ct_folder_file(folder, "log", entries[i].index, path);
    const hsize_t here = open_gaps(path, &names, &n_names);
    uint64_t *first = read_column(path, "first", here), *last = read_column(path, "last", here),
             *reason = read_column(path, "reason", here), *stream = read_column(path, "stream", here);
    struct ct_listed *more = realloc(gaps, (*n + here + 1) * sizeof *more);
    gaps = more != NULL ? more : gaps;
    for (hsize_t k = 0; more != NULL && k < here; k++)
      if (last[k] >= first[k] && stream[k] < n_names) {
        struct ct_listed *gap = &gaps[(*n)++];
        *gap = (struct ct_listed){ .first = first[k], .last = last[k],
                                   .reason = reason[k] == CT_GAP_MISSED ? CT_GAP_MISSED : CT_GAP_LOST };
        memcpy(gap->stream, names[stream[k]], CT_NAME);
      }
    free(stream);
    free(reason);
    free(last);
    free(first);
    free(names);
  }
  free(entries);
  return gaps;
}

/* ---- frames ----------------------------------------------------------------------------------------------------- */

struct span {
  uint64_t first, last;
  uint32_t session;                /* of the collector; 0: a gap of the list */
};

struct verifier {
  struct ct_teller teller;
  void (*progress)(void *context, const char *what, uint64_t done, uint64_t all);
  struct ct_run_check *check;
  struct ct_crc32 crc;
  uint64_t done, all;              /* frames */
  struct span *spans;              /* of one stream: numbers that are there, numbers that are listed */
  size_t n_spans, room;
};

static void add_span(struct verifier *v, uint64_t first, uint64_t last, uint32_t session)
{
  struct span *before = v->n_spans > 0 ? &v->spans[v->n_spans - 1] : NULL;
  if (before != NULL && before->session == session && before->last + 1 == first) {
    before->last = last;
    return;
  }
  if (v->n_spans == v->room) {
    size_t room = v->room ? 2 * v->room : 1024;
    struct span *more = realloc(v->spans, room * sizeof *more);
    if (more == NULL)
      return;
    v->spans = more;
    v->room = room;
  }
  v->spans[v->n_spans++] = (struct span){ first, last, session };
}

static void verify_part(struct verifier *v, const char *path, const unsigned char *pixels, const uint32_t *sums,
                        uint64_t first, uint64_t n, size_t frame_bytes)
{
  for (uint64_t k = 0; k < n; k++)
    if (ct_crc32(&v->crc, pixels + k * frame_bytes, frame_bytes) != sums[k]) {
      if (v->check->bad_frames++ < 20)
        ct_tell(&v->teller, "%s: frame in row %llu differs from its checksum", path, (unsigned long long)(first + k));
    }
  v->done += n;
  if (v->progress != NULL)
    v->progress(v->teller.context, "frames", v->done, v->all);
}

static int verify_frames(struct verifier *v, const char *path, uint32_t session, struct ct_err *err)
{
  char spec[CT_PATH + 64];
  struct ct_h5_frames *frames = NULL, *sums = NULL, *numbers = NULL;
  unsigned char *pixels = NULL;
  uint32_t *expected = NULL;
  uint64_t *number = NULL;
  snprintf(spec, sizeof spec, "%s:/entry/data", path);
  int rc = ct_h5_open_frames(&frames, spec, err);
  if (rc != 0)
    goto out;
  const struct ct_h5_info *info = ct_h5_info(frames);
  const size_t frame_bytes = (size_t)info->rows * info->cols * ct_type_bytes(info->type);
  /* A multiple of every chunk's length, so that none is unpacked twice. */
  const uint64_t step = ct_chunk_frames(frame_bytes, 0);
  snprintf(spec, sizeof spec, "%s:/entry/%s", path, ct_data_column_name(CT_COLUMN_crc32));
  rc = ct_h5_open_column(&sums, spec, info->n, err);
  snprintf(spec, sizeof spec, "%s:/entry/%s", path, ct_data_column_name(CT_COLUMN_frame_number));
  if (rc == 0)
    rc = ct_h5_open_column(&numbers, spec, info->n, err);
  if (rc != 0)
    goto out;
  pixels = ct_xcalloc(step, frame_bytes);
  expected = ct_xcalloc(step, sizeof *expected);
  number = ct_xcalloc(step, sizeof *number);
  for (uint64_t k = 0; k < info->n && rc == 0; k += step) {
    const uint64_t n = info->n - k < step ? info->n - k : step;
    rc = ct_h5_read_frames(frames, k, n, pixels, err);
    if (rc == 0)
      rc = ct_h5_read_as(sums, k, n, CT_U32, expected, err);
    if (rc == 0)
      rc = ct_h5_read_as(numbers, k, n, CT_U64, number, err);
    if (rc == 0)
      verify_part(v, path, pixels, expected, k, n, frame_bytes);
    for (uint64_t i = 0; rc == 0 && i < n; i++)
      add_span(v, number[i], number[i], session);
  }
  v->check->frames += info->n;
  v->check->bytes += info->n * frame_bytes;
out:
  free(number);
  free(expected);
  free(pixels);
  ct_h5_close_frames(numbers);
  ct_h5_close_frames(sums);
  ct_h5_close_frames(frames);
  return rc;
}

/* ---- continuity --------------------------------------------------------------------------------------------------- */

static int by_first(const void *a, const void *b)
{
  const struct span *x = a, *y = b;
  return (x->first > y->first) - (x->first < y->first);
}

/* Numbers between those that are there which no gap explains: a restart of the source is no gap, nor is the time between
 * two sessions, nor what a crash took from the end of one. */
static void verify_numbers(struct verifier *v, const char *stream)
{
  const uint64_t restart = 1000000;   /* a jump of more than so many is one (DESIGN 1.4) */
  uint64_t unlisted = 0, open = 0, from = 0, reach = 0;
  uint32_t session = 0;               /* of the last frames that are there */
  if (v->n_spans > 0)
    qsort(v->spans, v->n_spans, sizeof *v->spans, by_first);
  for (size_t i = 0; i < v->n_spans; i++) {
    const struct span *next = &v->spans[i];
    if (session != 0 && next->first > reach + 1 && next->first - reach - 1 <= restart) {
      from = unlisted + open == 0 ? reach + 1 : from;
      open += next->first - reach - 1;
    }
    if (next->session != 0) {
      unlisted += next->session == session ? open : 0;
      session = next->session;
      open = 0;
    }
    reach = next->last > reach ? next->last : reach;
  }
  if (unlisted == 0)
    return;
  v->check->unlisted += unlisted;
  ct_tell(&v->teller, "%s: %llu frames, the first of them %llu, are neither there nor listed as lost or missed", stream,
          (unsigned long long)unlisted, (unsigned long long)from);
}

/* A number of a file that is not there, where no missed frames explain it. */
static void verify_index(struct verifier *v, const struct ct_run_file *before, const struct ct_run_file *file,
                         const struct ct_listed *gaps, size_t n_gaps)
{
  const unsigned wanted = before != NULL ? before->index + 1 : 0;
  if (file->index == wanted || file->n == 0)
    return;
  for (size_t i = 0; i < n_gaps; i++)
    if (strcmp(gaps[i].stream, file->stream) == 0 && gaps[i].reason == CT_GAP_MISSED &&
        gaps[i].last < file->first_number && (before == NULL || gaps[i].first > before->last_number))
      return;
  v->check->bad_files++;
  ct_tell(&v->teller, "%s: a file before this one is missing (%06u): its frames are neither there nor listed", file->path,
          wanted);
}

static double number_attribute(const char *path, const char *name)
{
  hid_t file;
  double value = NAN;
  if (ct_h5_open_file(&file, path, NULL) != 0)
    return value;
  if (H5Aexists_by_name(file, "entry", name, H5P_DEFAULT) > 0) {
    hid_t attribute = H5Aopen_by_name(file, "entry", name, H5P_DEFAULT, H5P_DEFAULT);
    H5Aread(attribute, H5T_NATIVE_DOUBLE, &value);
    H5Aclose(attribute);
  }
  H5Fclose(file);
  return value;
}

static bool is_sampled(const struct ct_folder *folder, const char *stream)
{
  char path[CT_PATH], inside[128];
  hid_t file;
  uint64_t value = 0;
  ct_folder_path(folder, ".nxs", path);
  if (ct_h5_open_file(&file, path, NULL) != 0)
    return false;
  snprintf(inside, sizeof inside, "/entry/streams/%s/sampled", stream);
  hid_t set = H5Dopen2(file, inside, H5P_DEFAULT);
  if (set >= 0) {
    H5Dread(set, H5T_NATIVE_UINT64, H5S_ALL, H5S_ALL, H5P_DEFAULT, &value);
    H5Dclose(set);
  }
  H5Fclose(file);
  return value != 0;
}

static void verify_file(struct verifier *v, const struct ct_run_file *file)
{
  struct ct_err err = { "" };
  const double session = number_attribute(file->path, "session");
  v->check->files++;
  int rc = verify_frames(v, file->path, session >= 0 ? (uint32_t)session + 1 : 1, &err);
  if (rc != 0 && rc != CT_ESHAPE) {    /* CT_ESHAPE: closed before the first frame */
    v->check->bad_files++;
    ct_tell(&v->teller, "%s", err.text);
  }
}

static void verify_streams(struct verifier *v, const struct ct_folder *folder, const struct ct_run_file *files, size_t n,
                           const struct ct_listed *gaps, size_t n_gaps)
{
  for (size_t i = 0; i < n; i++) {
    const bool begins = i == 0 || strcmp(files[i].stream, files[i - 1].stream) != 0;
    const bool ends = i + 1 == n || strcmp(files[i].stream, files[i + 1].stream) != 0;
    if (begins)
      v->n_spans = 0;
    verify_index(v, begins ? NULL : &files[i - 1], &files[i], gaps, n_gaps);
    verify_file(v, &files[i]);
    if (!ends || is_sampled(folder, files[i].stream))
      continue;
    for (size_t k = 0; k < n_gaps; k++)
      if (strcmp(gaps[k].stream, files[i].stream) == 0)
        add_span(v, gaps[k].first, gaps[k].last, 0);
    verify_numbers(v, files[i].stream);
  }
}

int ct_run_verify(const char *run, const struct ct_run_watch *watch, struct ct_run_check *check, struct ct_err *err)
{
  struct verifier v = { .check = check };
  struct ct_folder folder;
  struct ct_run_file *files = NULL;
  size_t n = 0, n_gaps = 0;
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
  struct ct_listed *gaps = ct_folder_gaps(&folder, &n_gaps);
  for (size_t i = 0; i < n_gaps; i++)
    *(gaps[i].reason == CT_GAP_MISSED ? &check->missed : &check->lost) += gaps[i].last - gaps[i].first + 1;
  for (size_t i = 0; i < n; i++)
    v.all += files[i].n;
  verify_streams(&v, &folder, files, n, gaps, n_gaps);
  free(v.spans);
  free(gaps);
  free(files);
  if (check->bad_frames + check->bad_files + check->unlisted > 0)
    return ct_err_set(err, CT_EARCHIVE, "%s: %llu frames and %llu files are not as they were written, %llu frames are neither "
                      "there nor listed", run, (unsigned long long)check->bad_frames, (unsigned long long)check->bad_files,
                      (unsigned long long)check->unlisted);
  return 0;
}
