/* A run being written: which file a chunk goes into, when files roll, what happens when the disk fails. */
#include "archive/run.h"

#include "archive/h5.h"
#include "archive/master.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/statvfs.h>
#include <unistd.h>

enum { BALLAST_BYTES = 16 << 20 };
static const int64_t flush_ns = 250000000, look_ns = CT_NS_PER_S, retry_ns = 5 * CT_NS_PER_S,
                     degraded_ns = 60 * CT_NS_PER_S;

/* ---- trouble ------------------------------------------------------------------------------------------- */

static void ct_run_trouble(struct ct_run *run, int64_t now_ns, const char *text)
{
  run->troubled_ns = now_ns;
  snprintf(run->reason, sizeof run->reason, "%s", text);
}

static void ballast_path(const struct ct_run *run, char path[CT_PATH])
{
  ct_folder_path(&run->folder, ".ballast", path);
}

/* Space that is given back when the disk is full, so that open files can still be closed. */
void ct_run_take_ballast(struct ct_run *run)
{
  char path[CT_PATH];
  ballast_path(run, path);
  int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0666);
  if (fd < 0)
    return;
  run->ballast = posix_fallocate(fd, 0, BALLAST_BYTES) == 0;
  close(fd);
  if (!run->ballast)
    unlink(path);
}

static void drop_ballast(struct ct_run *run)
{
  char path[CT_PATH];
  ballast_path(run, path);
  unlink(path);
  run->ballast = false;
}

void ct_run_look(struct ct_run *run, int64_t now_ns)
{
  struct statvfs status;
  if (statvfs(run->folder.path, &status) == 0)
    run->free_bytes = (uint64_t)status.f_bavail * status.f_frsize;
  run->looked_ns = now_ns;
}

/* ---- gaps ---------------------------------------------------------------------------------------------- */

static void write_gaps(struct ct_run *run)
{
  size_t done = 0;
  while (run->log_open && done < run->n_gaps && ct_log_gap(&run->log, &run->gaps[done]) == 0)
    done++;
  run->log_dirty |= done > 0;
  memmove(run->gaps, run->gaps + done, (run->n_gaps - done) * sizeof *run->gaps);
  run->n_gaps -= done;
}

void ct_run_gap(struct ct_run *run, size_t stream, uint64_t first, uint64_t last, enum ct_gap_reason reason,
                int64_t now_ns)
{
  assert(stream < run->n_streams && first <= last);
  if (reason == CT_GAP_MISSED) {
    run->missed += last - first + 1;
    if (!run->failed)
      ct_run_trouble(run, now_ns, "received frames were not archived: the disk does not keep up");
  }
  struct ct_gap *before = run->n_gaps > 0 ? &run->gaps[run->n_gaps - 1] : NULL;
  if (before != NULL && before->stream == stream && before->reason == reason && before->last + 1 == first) {
    before->last = last;
    return;
  }
  if (run->n_gaps == CT_RUN_GAPS)
    write_gaps(run);
  if (run->n_gaps == CT_RUN_GAPS) {
    /* The log cannot be written either: the oldest is given up, its frames stay counted. */
    memmove(run->gaps, run->gaps + 1, (CT_RUN_GAPS - 1) * sizeof *run->gaps);
    run->n_gaps--;
  }
  run->gaps[run->n_gaps++] = (struct ct_gap){ .time_ns = now_ns, .first = first, .last = last,
                                              .stream = (uint8_t)stream, .reason = (uint8_t)reason };
}

static void miss_chunk(struct ct_run *run, const struct ct_chunk *chunk, int64_t now_ns)
{
  for (uint32_t i = 0; i < chunk->count; i++)
    ct_run_gap(run, chunk->stream, chunk->frames[i].number, chunk->frames[i].number, CT_GAP_MISSED, now_ns);
}

/* ---- master ---------------------------------------------------------------------------------------------- */

static int by_stream(const void *a, const void *b)
{
  const struct ct_run_file *x = a, *y = b;
  int order = strcmp(x->stream, y->stream);
  return order ? order : (x->index > y->index) - (x->index < y->index);
}

void ct_run_remember(struct ct_run *run, const struct ct_run_file *file)
{
  if (run->n_files == run->files_room) {
    size_t room = run->files_room ? 2 * run->files_room : 64;
    struct ct_run_file *more = realloc(run->files, room * sizeof *more);
    if (more == NULL)
      return;
    run->files = more;
    run->files_room = room;
  }
  run->files[run->n_files++] = *file;
  qsort(run->files, run->n_files, sizeof *run->files, by_stream);
}

int ct_run_master(struct ct_run *run, int64_t end_ns, struct ct_err *err)
{
  const struct ct_master master = {
    .folder = &run->folder, .program = run->program, .configuration = run->configuration, .start_ns = run->start_ns,
    .end_ns = end_ns, .files = run->files, .n_files = run->n_files, .n_logs = run->log_index + 1,
    .n_results = run->results_index + 1, .counters = run->counters, .n_counters = run->n_counters,
    .rows = run->setup.rows, .cols = run->setup.cols,
    .emf = run->has_map ? run->emf : NULL, .sigma = run->sigma,
  };
  return ct_master_write(&master, err);
}

/* ---- frame files ------------------------------------------------------------------------------------------- */

static void describe_file(const struct ct_run *run, const struct ct_run_writer *stream, struct ct_run_file *file)
{
  *file = (struct ct_run_file){
    .index = stream->index, .n = stream->file.n, .first_number = stream->file.first_number,
    .last_number = stream->file.last_number, .bytes = stream->file.bytes, .rows = stream->file.rows,
    .cols = stream->file.cols, .type = stream->file.type, .role = stream->role, .closed = true,
    .first_arrival_ns = stream->first_arrival_ns, .last_arrival_ns = stream->last_arrival_ns,
  };
  memcpy(file->stream, stream->name, sizeof file->stream);
  ct_folder_file(&run->folder, stream->name, stream->index, file->path);
}

/* What was flushed since the last time now counts as safe. */
static void commit(struct ct_run *run, struct ct_run_writer *stream)
{
  run->committed += stream->file.n - stream->committed_here;
  run->stored_bytes += stream->file.bytes - stream->open_bytes_committed;
  stream->committed_here = stream->file.n;
  stream->open_bytes_committed = stream->file.bytes;
  stream->uncommitted = false;
}

static void close_file(struct ct_run *run, struct ct_run_writer *stream, int64_t now_ns)
{
  struct ct_run_file file;
  if (!stream->open)
    return;
  describe_file(run, stream, &file);
  stream->open = false;
  stream->index++;
  int rc = ct_data_flush(&stream->file);
  if (rc == 0)
    commit(run, stream);
  if (ct_data_close(&stream->file) != 0 || rc != 0) {
    ct_run_trouble(run, now_ns, "a file could not be closed; comptop-archive repair may help");
    file.n = stream->committed_here;
    if (stream->uncommitted)
      ct_run_gap(run, (size_t)(stream - run->streams), stream->uncommitted_number, file.last_number, CT_GAP_MISSED,
                 now_ns);
  }
  ct_run_remember(run, &file);
}

static int fail(struct ct_run *run, struct ct_run_writer *stream, int64_t now_ns, const char *text)
{
  drop_ballast(run);
  run->failed = true;
  run->failed_ns = now_ns;
  close_file(run, stream, now_ns);
  ct_run_trouble(run, now_ns, text);
  return CT_EARCHIVE;
}

static int open_file(struct ct_run *run, struct ct_run_writer *stream, const struct ct_chunk *first, int64_t now_ns)
{
  char path[CT_PATH];
  struct ct_err err = { "" };
  const struct ct_data_about about = {
    .run = run->folder.name, .stream = stream->name, .role = ct_role_word(stream->role), .program = run->program,
    .index = stream->index, .codec = run->setup.codec,
  };
  ct_folder_file(&run->folder, stream->name, stream->index, path);
  if (ct_data_create(&stream->file, path, first, &about, &err) != 0)
    return fail(run, stream, now_ns, err.text);
  stream->open = true;
  stream->opened_ns = now_ns;
  stream->committed_here = stream->open_bytes_committed = 0;
  stream->uncommitted = false;
  stream->first_arrival_ns = first->frames[0].arrival_ns;
  return 0;
}

static bool roll_due(const struct ct_run *run, const struct ct_run_writer *stream, int64_t now_ns)
{
  return stream->file.bytes >= run->setup.roll_bytes ||
         (double)(now_ns - stream->opened_ns) >= run->setup.roll_s * 1e9;
}

/* While writing fails nothing is tried for 5 s; below the reserve nothing until there is space again. */
static bool may_write(struct ct_run *run, int64_t now_ns)
{
  if (run->free_bytes < run->setup.reserve_bytes) {
    for (size_t i = 0; i < run->n_streams; i++)
      close_file(run, &run->streams[i], now_ns);
    run->failed = true;
    run->failed_ns = now_ns;
    ct_run_trouble(run, now_ns, "the disk is full but for the reserve; writing stopped, free space on it");
    return false;
  }
  if (!run->failed)
    return true;
  if (now_ns - run->failed_ns < retry_ns)
    return false;
  run->failed = false;
  return true;
}

int ct_run_write(struct ct_run *run, const struct ct_chunk *chunk, int64_t now_ns)
{
  assert(chunk->stream < run->n_streams && chunk->count > 0);
  struct ct_run_writer *stream = &run->streams[chunk->stream];
  struct ct_err err = { "" };
  int rc = may_write(run, now_ns) ? 0 : CT_EARCHIVE;
  if (rc == 0 && stream->open &&
      (!ct_data_fits(&stream->file, chunk) || (chunk->phase == 0 && roll_due(run, stream, now_ns)))) {
    close_file(run, stream, now_ns);
    if (ct_run_master(run, 0, &err) != 0)
      ct_run_trouble(run, now_ns, err.text);
  }
  if (rc == 0 && !stream->open)
    rc = open_file(run, stream, chunk, now_ns);
  if (rc == 0 && ct_data_append(&stream->file, chunk, &err) != 0)
    rc = fail(run, stream, now_ns, err.text);
  if (rc != 0) {
    miss_chunk(run, chunk, now_ns);
    return rc;
  }
  if (!stream->uncommitted)
    stream->uncommitted_number = chunk->frames[0].number;
  stream->uncommitted = true;
  stream->last_arrival_ns = chunk->frames[chunk->count - 1].arrival_ns;
  run->raw_bytes += chunk->count * chunk->frame_bytes;
  return 0;
}

/* ---- log and results ----------------------------------------------------------------------------------------- */

static void close_log(struct ct_run *run)
{
  if (run->log_open && ct_log_close(&run->log) != 0)
    ct_run_trouble(run, run->looked_ns, "the log could not be closed; comptop-archive repair may help");
  run->log_open = false;
}

void ct_run_scalar(struct ct_run *run, const char *name, int64_t time_ns, double value)
{
  if (run->log_open && ct_log_scalar(&run->log, name, time_ns, value) != 0)
    ct_run_trouble(run, time_ns, "a scalar could not be written to the log");
  run->log_dirty = true;
}

void ct_run_alarm(struct ct_run *run, const struct ct_snapshot_alarm *alarm, bool raised, int64_t now_ns)
{
  if (run->log_open && ct_log_alarm(&run->log, alarm, raised, now_ns) != 0)
    ct_run_trouble(run, now_ns, "an alarm could not be written to the log");
  run->log_dirty = true;
}

void ct_run_results(struct ct_run *run, const struct ct_run_results *results)
{
  const size_t pixels = (size_t)run->setup.rows * run->setup.cols;
  if (run->results_open && ct_results_append(&run->results, results) != 0)
    ct_run_trouble(run, results->time_ns, "results could not be written");
  run->results_dirty = true;
  if (results->emf == NULL || pixels == 0)
    return;
  memcpy(run->emf, results->emf, pixels * sizeof *run->emf);
  memcpy(run->sigma, results->sigma, pixels * sizeof *run->sigma);
  run->has_map = true;
}

void ct_run_counters(struct ct_run *run, const struct ct_snapshot_stream *streams, size_t n)
{
  run->n_counters = n < CT_SNAPSHOT_STREAMS ? n : CT_SNAPSHOT_STREAMS;
  memcpy(run->counters, streams, run->n_counters * sizeof *streams);
}

/* ---- time -------------------------------------------------------------------------------------------------- */

static void flush_all(struct ct_run *run, int64_t now_ns)
{
  for (size_t i = 0; i < run->n_streams; i++) {
    struct ct_run_writer *stream = &run->streams[i];
    if (!stream->open || !stream->uncommitted)
      continue;
    if (ct_data_flush(&stream->file) == 0)
      commit(run, stream);
    else
      fail(run, stream, now_ns, "written frames could not be flushed to the disk");
  }
  write_gaps(run);
  if (run->log_dirty && run->log_open && ct_log_flush(&run->log) != 0)
    ct_run_trouble(run, now_ns, "the log could not be flushed to the disk");
  if (run->results_dirty && run->results_open && ct_results_flush(&run->results) != 0)
    ct_run_trouble(run, now_ns, "results could not be flushed to the disk");
  run->log_dirty = run->results_dirty = false;
  run->flushed_ns = now_ns;
}

void ct_run_tick(struct ct_run *run, int64_t now_ns)
{
  ct_h5_begin();
  if (now_ns - run->looked_ns >= look_ns || now_ns < run->looked_ns)
    ct_run_look(run, now_ns);
  if (now_ns - run->flushed_ns >= flush_ns || now_ns < run->flushed_ns)
    flush_all(run, now_ns);
  if (!run->failed && !run->ballast)
    ct_run_take_ballast(run);
}

void ct_run_status(const struct ct_run *run, struct ct_snapshot_archive *archive, char *reason, size_t reason_bytes)
{
  bool degraded = run->reason[0] != '\0' && run->looked_ns - run->troubled_ns < degraded_ns;
  archive->state = run->failed ? CT_ARCHIVE_FAILED : degraded ? CT_ARCHIVE_DEGRADED : CT_ARCHIVE_OK;
  archive->committed_frames = run->committed;
  archive->missed_frames = run->missed;
  archive->bytes = run->stored_bytes;
  archive->raw_bytes = run->raw_bytes;
  archive->free_bytes = run->free_bytes;
  archive->ratio = run->stored_bytes > 0 ? (double)run->raw_bytes / (double)run->stored_bytes : (double)NAN;
  uint64_t usable = run->free_bytes > run->setup.reserve_bytes ? run->free_bytes - run->setup.reserve_bytes : 0;
  archive->left_s = archive->rate_Bps > 0 ? (double)usable / archive->rate_Bps : (double)NAN;
  snprintf(archive->folder, sizeof archive->folder, "%.255s", run->folder.path);
  snprintf(archive->codec, sizeof archive->codec, "%s", ct_codec_word(run->setup.codec));
  snprintf(reason, reason_bytes, "%s", archive->state == CT_ARCHIVE_OK ? "" : run->reason);
}

size_t ct_run_descriptors(const struct ct_run *run, int *descriptors, size_t max)
{
  size_t n = 0;
  for (size_t i = 0; i <= run->n_streams && n < max; i++) {
    const bool log = i == run->n_streams;
    int *fd;
    if (log ? !run->log_open : !run->streams[i].open)
      continue;
    if (H5Fget_vfd_handle(log ? run->log.file : run->streams[i].file.file, H5P_DEFAULT, (void **)&fd) < 0)
      continue;
    descriptors[n] = fcntl(*fd, F_DUPFD_CLOEXEC, 3);
    n += descriptors[n] >= 0;
  }
  return n;
}

const char *ct_run_folder(const struct ct_run *run) { return run->folder.path; }

int ct_run_close(struct ct_run *run, int64_t now_ns, struct ct_err *err)
{
  if (run == NULL)
    return 0;
  const uint64_t missed_before = run->missed;
  int rc = 0;
  ct_h5_begin();
  drop_ballast(run);
  for (size_t i = 0; i < run->n_streams; i++)
    close_file(run, &run->streams[i], now_ns);
  write_gaps(run);
  if (run->n_gaps > 0 || run->missed != missed_before)
    rc = ct_err_set(err, CT_EARCHIVE, "%s: the end of the run is not whole: %s", run->folder.path, run->reason);
  close_log(run);
  if (run->results_open && ct_results_close(&run->results) != 0)
    rc = ct_err_set(err, CT_EARCHIVE, "%s: the results could not be closed", run->folder.path);
  struct ct_err master_err = { "" };
  if (ct_run_master(run, now_ns, &master_err) != 0)
    rc = ct_err_set(err, CT_EARCHIVE, "%s", master_err.text);
  ct_run_free(run);
  return rc;
}
