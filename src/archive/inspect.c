/* Archived runs: what is in them, whether it is whole, and making it readable after a crash. */
#include <config.h>

#include "archive/chunk.h"
#include "archive/datafile.h"
#include "archive/folder.h"
#include "archive/h5.h"
#include "archive/master.h"
#include "archive/repair.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct teller {
  void (*say)(void *context, const char *line);
  void *context;
};

static void tell(const struct teller *teller, const char *format, ...) CT_PRINTF(2, 3);
static void tell(const struct teller *teller, const char *format, ...)
{
  char line[700];
  va_list args;
  va_start(args, format);
  vsnprintf(line, sizeof line, format, args);
  va_end(args);
  if (teller->say != NULL)
    teller->say(teller->context, line);
}

/* ---- listing ------------------------------------------------------------------------------------------------ */

static int list_files(const struct ct_folder *folder, struct ct_run_file **files, size_t *n, struct ct_err *err)
{
  struct ct_folder_entry *entries;
  size_t n_entries;
  int rc = ct_folder_list(folder, &entries, &n_entries, err);
  *files = ct_xcalloc(n_entries, sizeof **files);
  *n = 0;
  for (size_t i = 0; i < n_entries; i++) {
    if (!ct_folder_holds_frames(entries[i].kind))
      continue;
    struct ct_run_file *file = &(*files)[(*n)++];
    snprintf(file->stream, sizeof file->stream, "%.31s", entries[i].kind);
    file->index = entries[i].index;
    ct_folder_file(folder, entries[i].kind, entries[i].index, file->path);
    if (ct_folder_look(file->path, file, NULL) != 0) {
      struct ct_run_file kept = { .index = file->index };
      memcpy(kept.path, file->path, sizeof kept.path);
      memcpy(kept.stream, file->stream, sizeof kept.stream);
      *file = kept;
    }
  }
  free(entries);
  if (rc != 0) {
    free(*files);
    *files = NULL;
  }
  return rc;
}

int ct_run_files(const char *run, struct ct_run_file **files, size_t *n, struct ct_err *err)
{
  struct ct_folder folder;
  *files = NULL;
  *n = 0;
  int rc = ct_folder_find(&folder, run, err);
  return rc != 0 ? rc : list_files(&folder, files, n, err);
}

/* ---- verifying ----------------------------------------------------------------------------------------------- */

struct verifier {
  struct teller teller;
  struct ct_run_check *check;
  struct ct_crc32 crc;
};

static void verify_part(struct verifier *v, const char *path, const unsigned char *pixels, const uint32_t *sums,
                        uint64_t first, uint64_t n, size_t frame_bytes)
{
  for (uint64_t k = 0; k < n; k++)
    if (ct_crc32(&v->crc, pixels + k * frame_bytes, frame_bytes) != sums[k]) {
      if (v->check->bad_frames++ < 20)
        tell(&v->teller, "%s: frame in row %llu differs from its checksum", path, (unsigned long long)(first + k));
    }
}

static int verify_frames(struct verifier *v, const char *path, struct ct_err *err)
{
  char spec[CT_PATH + 64];
  struct ct_h5_frames *frames = NULL, *sums = NULL;
  unsigned char *pixels = NULL;
  uint32_t *expected = NULL;
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
  if (rc != 0)
    goto out;
  pixels = ct_xcalloc(step, frame_bytes);
  expected = ct_xcalloc(step, sizeof *expected);
  for (uint64_t k = 0; k < info->n && rc == 0; k += step) {
    uint64_t n = info->n - k < step ? info->n - k : step;
    rc = ct_h5_read_frames(frames, k, n, pixels, err);
    if (rc == 0)
      rc = ct_h5_read_as(sums, k, n, CT_U32, expected, err);
    if (rc == 0)
      verify_part(v, path, pixels, expected, k, n, frame_bytes);
  }
  v->check->frames += info->n;
  v->check->bytes += info->n * frame_bytes;
out:
  free(expected);
  free(pixels);
  ct_h5_close_frames(sums);
  ct_h5_close_frames(frames);
  return rc;
}

static uint64_t *read_column(const char *path, const char *name, uint64_t n)
{
  char spec[CT_PATH + 64];
  struct ct_h5_frames *column;
  uint64_t *values = ct_xcalloc(n, sizeof *values);
  snprintf(spec, sizeof spec, "%s:/entry/gaps/%s", path, name);
  if (ct_h5_open_column(&column, spec, n, NULL) == 0) {
    if (ct_h5_read_as(column, 0, n, CT_U64, values, NULL) != 0)
      memset(values, 0, n * sizeof *values);
    ct_h5_close_frames(column);
  }
  return values;
}

static void count_gaps(struct verifier *v, const char *path)
{
  hid_t file;
  hsize_t n = 0;
  if (ct_h5_open_file(&file, path, NULL) != 0)
    return;
  hid_t set = H5Dopen2(file, "/entry/gaps/reason", H5P_DEFAULT), space = H5Dget_space(set);
  if (H5Sget_simple_extent_ndims(space) == 1)
    H5Sget_simple_extent_dims(space, &n, NULL);
  H5Sclose(space);
  H5Dclose(set);
  H5Fclose(file);
  uint64_t *first = read_column(path, "first", n), *last = read_column(path, "last", n),
           *reason = read_column(path, "reason", n);
  for (hsize_t i = 0; i < n; i++)
    *(reason[i] == CT_GAP_MISSED ? &v->check->missed : &v->check->lost) += last[i] - first[i] + 1;
  free(reason);
  free(last);
  free(first);
}

int ct_run_verify(const char *run, void (*say)(void *context, const char *line), void *context,
                  struct ct_run_check *check, struct ct_err *err)
{
  struct verifier v = { .teller = { say, context }, .check = check };
  struct ct_folder folder;
  struct ct_folder_entry *entries;
  size_t n;
  *check = (struct ct_run_check){ 0 };
  ct_crc32_init(&v.crc);
  int rc = ct_folder_find(&folder, run, err);
  if (rc == 0)
    rc = ct_folder_list(&folder, &entries, &n, err);
  if (rc != 0)
    return rc;
  for (size_t i = 0; i < n; i++) {
    char path[CT_PATH];
    struct ct_err file_err = { "" };
    ct_folder_file(&folder, entries[i].kind, entries[i].index, path);
    if (!ct_folder_holds_frames(entries[i].kind)) {
      if (strcmp(entries[i].kind, "log") == 0)
        count_gaps(&v, path);
      continue;
    }
    check->files++;
    int file_rc = verify_frames(&v, path, &file_err);
    if (file_rc == CT_ESHAPE)         /* closed before the first frame */
      continue;
    if (file_rc != 0) {
      check->bad_files++;
      tell(&v.teller, "%s", file_err.text);
    }
  }
  free(entries);
  if (check->bad_frames + check->bad_files > 0)
    return ct_err_set(err, CT_EARCHIVE, "%s: %llu frames and %llu files are not as they were written", run,
                      (unsigned long long)check->bad_frames, (unsigned long long)check->bad_files);
  return 0;
}

/* ---- repair ---------------------------------------------------------------------------------------------------- */

static float *last_map(const struct ct_folder *folder, unsigned n_results, const char *name, uint32_t *rows,
                       uint32_t *cols)
{
  char path[CT_PATH], spec[CT_PATH + 64];
  struct ct_h5_frames *maps;
  float *map = NULL;
  if (n_results == 0)
    return NULL;
  ct_folder_file(folder, "results", n_results - 1, path);
  snprintf(spec, sizeof spec, "%s:/entry/maps/%s", path, name);
  if (ct_h5_open_frames(&maps, spec, NULL) != 0)
    return NULL;
  const struct ct_h5_info *info = ct_h5_info(maps);
  *rows = info->rows;
  *cols = info->cols;
  map = ct_xcalloc((size_t)info->rows * info->cols, sizeof *map);
  if (ct_h5_read_as(maps, info->n - 1, 1, CT_F32, map, NULL) != 0) {
    free(map);
    map = NULL;
  }
  ct_h5_close_frames(maps);
  return map;
}

static int rebuild_master(const struct ct_folder *folder, const struct ct_folder_entry *entries, size_t n,
                          struct ct_err *err)
{
  struct ct_run_file *files;
  size_t n_files;
  int rc = list_files(folder, &files, &n_files, err);
  if (rc != 0)
    return rc;
  struct ct_master master = {
    .folder = folder, .program = "comptop-archive " PACKAGE_VERSION, .files = files, .n_files = n_files,
    .n_logs = ct_folder_next(entries, n, "log"), .n_results = ct_folder_next(entries, n, "results"),
  };
  for (size_t i = 0; i < n_files; i++) {
    if (files[i].n == 0)
      continue;
    if (master.start_ns == 0 || files[i].first_arrival_ns < master.start_ns)
      master.start_ns = files[i].first_arrival_ns;
    if (files[i].last_arrival_ns > master.end_ns)
      master.end_ns = files[i].last_arrival_ns;
  }
  if (master.end_ns == 0)
    master.start_ns = master.end_ns = ct_time_wall_ns();
  char *configuration = ct_folder_configuration(folder, master.n_logs > 0 ? master.n_logs - 1 : 0);
  float *emf = last_map(folder, master.n_results, "emf", &master.rows, &master.cols);
  float *sigma = last_map(folder, master.n_results, "emf_errors", &master.rows, &master.cols);
  master.configuration = configuration;
  master.emf = sigma != NULL ? emf : NULL;
  master.sigma = sigma;
  rc = ct_master_write(&master, err);
  free(sigma);
  free(emf);
  free(configuration);
  free(files);
  return rc;
}

static void tell_mended(const struct teller *teller, const char *path, const char *kind)
{
  struct ct_run_file file = { 0 };
  if (access(path, F_OK) != 0)
    tell(teller, "%s: was just being made and holds nothing; it is %s.unfinished now", path, path);
  else if (ct_folder_holds_frames(kind) && ct_folder_look(path, &file, NULL) == 0)
    tell(teller, "%s: was left open, is readable again: %llu frames", path, (unsigned long long)file.n);
  else
    tell(teller, "%s: was left open, is readable again", path);
}

int ct_run_repair(const char *run, void (*say)(void *context, const char *line), void *context, struct ct_err *err)
{
  const struct teller teller = { say, context };
  struct ct_folder folder;
  struct ct_folder_entry *entries = NULL;
  size_t n = 0, broken = 0, mended = 0;
  int rc = ct_folder_find(&folder, run, err);
  if (rc == 0)
    rc = ct_folder_lock(&folder, err);
  if (rc != 0)
    return rc;
  rc = ct_folder_list(&folder, &entries, &n, err);
  for (size_t i = 0; i < n && rc == 0; i++) {
    char path[CT_PATH];
    struct ct_err file_err = { "" };
    ct_folder_file(&folder, entries[i].kind, entries[i].index, path);
    int file_rc = ct_repair_file(path, &file_err);
    mended += file_rc == 1;
    broken += file_rc < 0;
    if (file_rc == 1)
      tell_mended(&teller, path, entries[i].kind);
    else if (file_rc < 0)
      tell(&teller, "%s", file_err.text);
  }
  if (rc == 0)
    rc = rebuild_master(&folder, entries, n, err);
  if (rc == 0)
    tell(&teller, "%zu files, %zu repaired, %zu beyond repair; master written anew", n, mended, broken);
  free(entries);
  ct_folder_unlock(&folder);
  if (rc == 0 && broken > 0)
    rc = ct_err_set(err, CT_EARCHIVE, "%s: %zu files are beyond repair", run, broken);
  return rc;
}
