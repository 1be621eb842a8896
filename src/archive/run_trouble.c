/* A run on a disk that fails, fills up or goes away. */
#include "archive/run.h"

#include "archive/repair.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

enum { BALLAST_BYTES = 64 << 20 };
static const int64_t retry_ns = 5 * CT_NS_PER_S;
/* Writing begins again when so much more is free than the reserve: not file after file at its edge. */
static const uint64_t relief_bytes = BALLAST_BYTES;

void ct_run_trouble(struct ct_run *run, int64_t now_ns, const char *text)
{
  run->troubled_ns = now_ns;
  snprintf(run->reason, sizeof run->reason, "%s", text);
}

/* ---- space ------------------------------------------------------------------------------------------------- */

static void ballast_path(const struct ct_run *run, char path[CT_PATH])
{
  ct_folder_path(&run->folder, ".ballast", path);
}

/* Space that is given back when the disk is full, so that files can still be finished and the master be written. */
void ct_run_take_ballast(struct ct_run *run)
{
  char path[CT_PATH];
  ballast_path(run, path);
  if (run->free_bytes < run->setup.reserve_bytes + 2 * (uint64_t)BALLAST_BYTES)
    return;
  int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0666);
  if (fd < 0)
    return;
  run->ballast = posix_fallocate(fd, 0, BALLAST_BYTES) == 0;
  close(fd);
  if (!run->ballast)
    unlink(path);
}

void ct_run_drop_ballast(struct ct_run *run)
{
  char path[CT_PATH];
  ballast_path(run, path);
  unlink(path);
  run->ballast = false;
}

/* ---- files and folders that go away ------------------------------------------------------------------------------ */

/* Whether <path> still leads to the open file; *links: how many names it has anywhere. */
static bool in_place(const char *path, int fd, nlink_t *links)
{
  struct stat here, there;
  *links = 0;
  if (fstat(fd, &here) != 0)
    return false;
  *links = here.st_nlink;
  return stat(path, &there) == 0 && there.st_ino == here.st_ino && there.st_dev == here.st_dev;
}

/* All frames of a file that was removed were received and are archived no more. */
static void miss_file(struct ct_run *run, struct ct_run_writer *stream, int64_t now_ns)
{
  run->committed -= stream->committed_here;
  stream->committed_here = 0;
  stream->n_committed = 0;
  ct_store_abandon(stream->file.store);
  (void)!ct_run_fail(run, stream, now_ns, "the file being written was removed, or its folder");
}

static void look_at_files(struct ct_run *run, int64_t now_ns)
{
  nlink_t links;
  for (size_t i = 0; i < run->n_streams; i++) {
    struct ct_run_writer *stream = &run->streams[i];
    if (!stream->open || in_place(stream->file.store->path, stream->file.store->fd, &links))
      continue;
    if (links == 0)
      miss_file(run, stream, now_ns);
    else {   /* moved elsewhere: it is finished there, and the next one is made here */
      ct_run_close_stream(run, stream, now_ns);
      ct_run_trouble(run, now_ns, "the file being written was moved away; writing goes on in a new one");
    }
  }
  if (run->log_open && !in_place(run->log.store->path, run->log.store->fd, &links))
    ct_run_fail_log(run, now_ns);
  if (run->results_open && !in_place(run->results.store->path, run->results.store->fd, &links))
    ct_run_fail_results(run, now_ns);
}

static bool writes_nothing(const struct ct_run *run)
{
  for (size_t i = 0; i < run->n_streams; i++)
    if (run->streams[i].open)
      return false;
  return run->failed && !run->log_open && !run->results_open;
}

/* Where a disk is not mounted any more, nothing is written to the one beneath: it is another, and has no such run. */
static bool on_its_disk(struct ct_run *run)
{
  struct stat status;
  char master[CT_PATH];
  ct_folder_path(&run->folder, ".nxs", master);
  if (stat(run->setup.folder, &status) != 0 || (status.st_dev != run->device && access(master, F_OK) != 0))
    return false;
  run->device = status.st_dev;       /* mounted again it may have another number */
  return true;
}

/* A folder that was removed is made again. The lock is no reason why a disk that failed cannot be unmounted: it is given
 * back, and taken again at once where that is possible. */
static void keep_folder(struct ct_run *run)
{
  char path[CT_PATH];
  struct ct_err err;
  ct_folder_path(&run->folder, ".lock", path);
  nlink_t links;
  const bool there = run->folder.lock >= 0 && in_place(path, run->folder.lock, &links);
  if (there && !writes_nothing(run))
    return;
  ct_folder_unlock(&run->folder);
  if (!on_its_disk(run) || (mkdir(run->folder.path, 0777) != 0 && errno != EEXIST))
    return;
  if (ct_folder_lock(&run->folder, &err) != 0 || there)
    return;
  run->ballast = false;
  (void)!ct_run_write_configuration(run, &err);
}

void ct_run_look(struct ct_run *run, int64_t now_ns)
{
  struct statvfs status;
  if (statvfs(run->folder.path, &status) == 0)
    run->free_bytes = (uint64_t)status.f_bavail * status.f_frsize;
  run->looked_ns = now_ns;
  look_at_files(run, now_ns);
  keep_folder(run);
}

/* What was committed of the stream's last file and is not in it any more, because it did not reach the disk. */
static void miss_rest(struct ct_run *run, struct ct_run_writer *stream, uint64_t kept, int64_t now_ns)
{
  uint64_t before = 0;
  for (size_t i = 0; i < stream->n_committed && before < stream->committed_here; i++) {
    const struct ct_range *range = &stream->ranges[i];
    const uint64_t all = range->last - range->first + 1, left = stream->committed_here - before, n = all < left ? all : left;
    const uint64_t skip = kept > before ? kept - before : 0;
    if (skip < n) {
      run->committed -= n - skip;
      ct_run_gap(run, (size_t)(stream - run->streams), range->first + skip, range->first + n - 1, CT_GAP_MISSED, now_ns);
    }
    before += n;
  }
  stream->committed_here = kept < stream->committed_here ? kept : stream->committed_here;
}

static void mend_logs(const struct ct_run *run, const char *kind, unsigned end)
{
  for (unsigned i = 0; i < end; i++) {
    char path[CT_PATH], journal[CT_STORE_PATH + 16];
    ct_folder_file(&run->folder, kind, i, path);
    ct_store_journal_path(path, journal);
    if (access(journal, F_OK) == 0)
      (void)!ct_repair_file(path, NULL);
  }
}

static bool is_last(const struct ct_run_writer *stream, const struct ct_run_file *file)
{
  return !stream->open && stream->index == file->index + 1 && strcmp(stream->name, file->stream) == 0;
}

void ct_run_doubt(struct ct_run *run, const struct ct_run_writer *stream)
{
  for (size_t i = 0; i < run->n_files; i++)
    if (is_last(stream, &run->files[i]))
      run->files[i].closed = false;
}

void ct_run_mend_files(struct ct_run *run, int64_t now_ns)
{
  mend_logs(run, "log", run->log_index);
  mend_logs(run, "results", run->results_index);
  for (size_t i = 0; i < run->n_files; i++) {
    struct ct_run_file *file = &run->files[i];
    if (file->closed || !ct_run_mend(file))
      continue;
    for (size_t k = 0; k < run->n_streams; k++)
      if (is_last(&run->streams[k], file))
        miss_rest(run, &run->streams[k], file->n, now_ns);
  }
}

bool ct_run_mend(struct ct_run_file *file)
{
  struct ct_run_file seen = { .index = file->index };
  memcpy(seen.stream, file->stream, sizeof seen.stream);
  memcpy(seen.path, file->path, sizeof seen.path);
  if (ct_repair_file(file->path, NULL) < 0 || ct_folder_look(file->path, &seen, NULL) != 0)
    return false;
  *file = seen;
  return true;
}

/* ---- failing and going on ------------------------------------------------------------------------------------------ */

int ct_run_fail(struct ct_run *run, struct ct_run_writer *stream, int64_t now_ns, const char *text)
{
  run->failed = true;
  run->failed_ns = now_ns;
  ct_run_drop_ballast(run);
  ct_run_close_stream(run, stream, now_ns);
  ct_run_trouble(run, now_ns, text);
  return CT_EARCHIVE;
}

bool ct_run_may_write(struct ct_run *run, int64_t now_ns)
{
  const uint64_t wanted = run->setup.reserve_bytes + (run->full ? relief_bytes : 0);
  if (run->setup.reserve_bytes > 0 && run->free_bytes < wanted) {
    for (size_t i = 0; i < run->n_streams; i++)
      ct_run_close_stream(run, &run->streams[i], now_ns);
    run->full = run->failed = true;
    run->failed_ns = now_ns;
    ct_run_trouble(run, now_ns, "the disk is full but for the reserve; writing stopped, free space on it");
    return false;
  }
  run->full = false;
  if (!run->failed)
    return true;
  if (now_ns - run->failed_ns < retry_ns)
    return false;
  run->failed_ns = now_ns;
  if (run->folder.lock < 0)
    return false;
  ct_run_mend_files(run, now_ns);
  run->failed = false;
  return true;
}
