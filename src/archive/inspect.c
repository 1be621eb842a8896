/* Archived runs: what is in them, whether it is whole, and making it readable after a crash. */
#include <config.h>

#include "archive/chunk.h"
#include "archive/datafile.h"
#include "archive/folder.h"
#include "archive/h5.h"
#include "archive/master.h"
#include "archive/repair.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* ---- listing ------------------------------------------------------------------------------------------------ */

int ct_folder_files(const struct ct_folder *folder, struct ct_run_file **files, size_t *n, struct ct_err *err)
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
  return rc != 0 ? rc : ct_folder_files(&folder, files, n, err);
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
  int rc = ct_folder_files(folder, &files, &n_files, err);
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
  char *configuration = ct_folder_configuration(folder, ct_folder_last_session(folder, master.n_logs));
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

static void tell_mended(const struct ct_teller *teller, const char *path, const char *kind)
{
  struct ct_run_file file = { 0 };
  if (access(path, F_OK) != 0)
    ct_tell(teller, "%s: was just being made and holds nothing; it is %s.unfinished now", path, path);
  else if (ct_folder_holds_frames(kind) && ct_folder_look(path, &file, NULL) == 0)
    ct_tell(teller, "%s: was left open, is readable again: %llu frames", path, (unsigned long long)file.n);
  else
    ct_tell(teller, "%s: was left open, is readable again", path);
}

int ct_run_repair(const char *run, void (*say)(void *context, const char *line), void *context, struct ct_err *err)
{
  const struct ct_teller teller = { say, context };
  struct ct_folder folder;
  struct ct_folder_entry *entries = NULL;
  size_t n = 0, broken = 0, mended = 0;
  int rc = ct_folder_find(&folder, run, err);
  if (rc == 0)
    rc = ct_folder_lock(&folder, err);
  if (rc != 0)
    return rc;
  char ballast[CT_PATH];
  ct_folder_path(&folder, ".ballast", ballast);
  unlink(ballast);                   /* of a collector that is no more */
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
      ct_tell(&teller, "%s", file_err.text);
  }
  struct ct_err why = { "" };
  if (rc == 0 && mended > 0 && ct_folder_settle(&folder, &teller, &why) != 0)
    ct_tell(&teller, "%s", why.text);
  free(entries);
  entries = NULL;
  size_t n_now = 0;
  if (rc == 0)
    rc = ct_folder_list(&folder, &entries, &n_now, err);
  if (rc == 0)
    rc = rebuild_master(&folder, entries, n_now, err);
  if (rc == 0)
    ct_tell(&teller, "%zu files, %zu repaired, %zu beyond repair; master written anew", n, mended, broken);
  free(entries);
  ct_folder_unlock(&folder);
  if (rc == 0 && broken > 0)
    rc = ct_err_set(err, CT_EARCHIVE, "%s: %zu files are beyond repair", run, broken);
  return rc;
}
