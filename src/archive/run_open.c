/* Opening a run: names, locks, space, what an earlier session left. */
#include "archive/run.h"

#include "archive/repair.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const uint64_t default_roll_bytes = UINT64_C(8) << 30;
static const double default_roll_s = 60;

static int check_name(const char *what, const char *name, size_t max, struct ct_err *err)
{
  static const char allowed[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.";
  size_t length = strlen(name);
  if (length == 0 || length >= max || strspn(name, allowed) != length || name[0] == '.')
    return ct_err_set(err, CT_ERANGE, "%s \"%.80s\": use 1 to %zu letters, digits, - _ and .", what, name, max - 1);
  return 0;
}

static int check_setup(const struct ct_run_setup *setup, struct ct_err *err)
{
  int rc = check_name("run", setup->name, CT_FOLDER_NAME, err);
  for (size_t i = 0; i < setup->n_streams && rc == 0; i++) {
    rc = check_name("stream", setup->streams[i].name, CT_NAME, err);
    if (rc == 0 && !ct_folder_holds_frames(setup->streams[i].name))
      rc = ct_err_set(err, CT_ERANGE, "stream \"%s\": this name is taken by the archive", setup->streams[i].name);
  }
  if (rc == 0 && strlen(setup->folder) >= CT_FOLDER_PATH - CT_FOLDER_NAME - 1)
    rc = ct_err_set(err, CT_ERANGE, "%.60s...: the folder's name is too long", setup->folder);
  if (rc == 0 && setup->n_streams > 255)
    rc = ct_err_set(err, CT_ERANGE, "too many streams for one archive");
  return rc;
}

/* Makes and locks FOLDER/RUN. What has a master is a run; a folder without one is taken. */
static int enter_folder(struct ct_run *run, struct ct_err *err)
{
  struct stat status;
  char master[CT_PATH];
  const char *folder = run->setup.folder;
  int made = ct_folder_make(folder, err);
  if (made != 0)
    return made;
  if (stat(folder, &status) != 0)
    return ct_err_set(err, CT_EIO, "%s: %s; name a folder that can be written", folder, strerror(errno));
  if (!S_ISDIR(status.st_mode))
    return ct_err_set(err, CT_EIO, "%s: not a folder; an archive needs one", folder);
  snprintf(run->folder.path, sizeof run->folder.path, "%s/%s", folder, run->setup.name);
  snprintf(run->folder.name, sizeof run->folder.name, "%s", run->setup.name);
  run->device = status.st_dev;
  if (mkdir(run->folder.path, 0777) != 0 && errno != EEXIST)
    return ct_err_set(err, CT_EIO, "%s: cannot be made: %s", run->folder.path, strerror(errno));
  run->plain = ct_store_is_remote(run->folder.path);
  int rc = ct_folder_lock(&run->folder, err);
  ct_folder_path(&run->folder, ".nxs", master);
  if (rc == 0 && !run->setup.resume && access(master, F_OK) == 0)
    rc = ct_err_set(err, CT_EEXISTS, "run %s exists in %s and is never overwritten; choose another name, or go on in it "
                    "with --resume", run->setup.name, folder);
  return rc;
}

static int check_space(struct ct_run *run, int64_t now_ns, struct ct_err *err)
{
  const uint64_t minute_bytes = UINT64_C(64) << 20;
  ct_run_look(run, now_ns);
  if (run->free_bytes < run->setup.reserve_bytes + minute_bytes)
    return ct_err_set(err, CT_ERANGE, "%s: only %llu MB are free, with a reserve of %llu MB; free space, choose another "
                      "disk or lower run.reserve_MB", run->folder.path, (unsigned long long)(run->free_bytes >> 20),
                      (unsigned long long)(run->setup.reserve_bytes >> 20));
  return 0;
}

int ct_run_write_configuration(struct ct_run *run, struct ct_err *err)
{
  char path[CT_PATH], suffix[32];
  snprintf(suffix, sizeof suffix, "_config_%06u.conf", run->log_index);
  ct_folder_path(&run->folder, suffix, path);
  FILE *file = fopen(path, "w");
  const bool good = file != NULL && fputs(run->configuration, file) >= 0;
  if (!ct_folder_finish_text(file) || !good)
    return ct_err_set(err, CT_EIO, "%s: cannot be written: %s", path, strerror(errno));
  return ct_folder_write_maps(&run->folder, run->log_index, run->setup.maps, run->setup.n_maps, err);
}

/* What is there already, of a run that goes on: files that a crash left open are repaired, all are remembered. */
static int take_over(struct ct_run *run, struct ct_err *err)
{
  struct ct_folder_entry *entries;
  const struct ct_teller silent = { NULL, NULL };
  bool crashed = false;
  size_t n;
  int rc = ct_folder_list(&run->folder, &entries, &n, err);
  for (size_t i = 0; i < n && rc == 0; i++) {
    struct ct_run_file file = { .index = entries[i].index };
    ct_folder_file(&run->folder, entries[i].kind, entries[i].index, file.path);
    snprintf(file.stream, sizeof file.stream, "%.31s", entries[i].kind);
    int mended = ct_repair_file(file.path, NULL);
    crashed |= mended == 1;
    if (mended < 0 || !ct_folder_holds_frames(entries[i].kind))
      continue;
    if (ct_folder_look(file.path, &file, NULL) == 0) {
      ct_run_remember(run, &file);
      if (file.first_arrival_ns > 0 && file.first_arrival_ns < run->start_ns)
        run->start_ns = file.first_arrival_ns;
    }
  }
  /* Verify would say what could not be listed; it is no reason not to go on. */
  if (crashed && ct_folder_settle(&run->folder, &silent, NULL) == 0) {
    free(entries);
    rc = ct_folder_list(&run->folder, &entries, &n, err);
  }
  for (size_t i = 0; i < run->n_streams; i++)
    run->streams[i].index = ct_folder_next(entries, n, run->streams[i].name);
  run->log_index = ct_folder_next(entries, n, "log");
  run->results_index = ct_folder_next(entries, n, "results");
  run->session = run->log_index;
  free(entries);
  return rc;
}

static void copy_setup(struct ct_run *run, const struct ct_run_setup *setup)
{
  run->setup = *setup;
  if (run->setup.roll_bytes == 0)
    run->setup.roll_bytes = default_roll_bytes;
  if (!(run->setup.roll_s > 0))
    run->setup.roll_s = default_roll_s;
  snprintf(run->program, sizeof run->program, "%s", setup->program);
  run->configuration = ct_xcalloc(strlen(setup->configuration) + 1, 1);
  memcpy(run->configuration, setup->configuration, strlen(setup->configuration));
  run->n_streams = setup->n_streams;
  run->streams = ct_xcalloc(setup->n_streams, sizeof *run->streams);
  run->setup_streams = ct_xcalloc(setup->n_streams, sizeof *run->setup_streams);
  for (size_t i = 0; i < setup->n_streams; i++) {
    snprintf(run->streams[i].name, sizeof run->streams[i].name, "%s", setup->streams[i].name);
    run->streams[i].ranges = ct_xcalloc(CT_RUN_RANGES, sizeof(struct ct_range));
    run->streams[i].role = setup->streams[i].role;
    run->streams[i].frame_hz = setup->streams[i].frame_hz;
    run->setup_streams[i] = setup->streams[i];
    run->setup_streams[i].name = run->streams[i].name;
  }
  run->setup.streams = run->setup_streams;
  run->setup.name = run->folder.name;
  run->setup.program = run->program;
  run->setup.configuration = run->configuration;
  run->emf = ct_xcalloc((size_t)setup->rows * setup->cols, sizeof *run->emf);
  run->sigma = ct_xcalloc((size_t)setup->rows * setup->cols, sizeof *run->sigma);
}

void ct_run_free(struct ct_run *run)
{
  ct_folder_unlock(&run->folder);
  free(run->configuration);
  for (size_t i = 0; i < run->n_streams; i++)
    free(run->streams[i].ranges);
  free(run->streams);
  free(run->setup_streams);
  free(run->files);
  free(run->emf);
  free(run->sigma);
  free(run);
}

int ct_run_open(struct ct_run **out, const struct ct_run_setup *setup, int64_t now_ns, struct ct_err *err)
{
  *out = NULL;
  int rc = check_setup(setup, err);
  if (rc != 0)
    return rc;
  struct ct_run *run = ct_xcalloc(1, sizeof *run);
  run->folder.lock = -1;
  run->setup = *setup;
  run->start_ns = now_ns;
  rc = enter_folder(run, err);
  if (rc == 0) {
    copy_setup(run, setup);
    rc = check_space(run, now_ns, err);
  }
  if (rc == 0)
    rc = take_over(run, err);
  if (rc == 0)
    rc = ct_run_write_configuration(run, err);
  if (rc == 0)
    rc = ct_run_open_log(run, err);
  if (rc == 0)
    rc = ct_run_open_results(run, err);
  if (rc == 0)
    rc = ct_run_master(run, 0, err);
  if (rc != 0) {
    (void)!ct_run_close_logs(run, NULL);
    ct_run_free(run);
    return rc;
  }
  ct_run_take_ballast(run);
  *out = run;
  return 0;
}

