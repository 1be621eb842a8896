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

/* A folder that was removed is made again, on the disk it was on: where that is not mounted any more, nothing is
 * written to the one beneath. */
static void keep_folder(struct ct_run *run)
{
  struct stat status;
  char path[CT_PATH];
  struct ct_err err;
  ct_folder_path(&run->folder, ".lock", path);
  nlink_t links;
  if (run->folder.lock >= 0 && in_place(path, run->folder.lock, &links))
    return;
  if (stat(run->setup.folder, &status) != 0 || status.st_dev != run->device)
    return;
  if (mkdir(run->folder.path, 0777) != 0 && errno != EEXIST)
    return;
  ct_folder_unlock(&run->folder);
  run->ballast = false;
  if (ct_folder_lock(&run->folder, &err) == 0)
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

/* Files that could not be finished when the disk failed. */
static void mend_files(struct ct_run *run)
{
  for (size_t i = 0; i < run->n_files; i++)
    if (!run->files[i].closed)
      ct_run_mend(&run->files[i]);
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
  mend_files(run);
  run->failed = false;
  return true;
}
