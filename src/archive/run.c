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

static const int64_t flush_ns = 250000000, look_ns = CT_NS_PER_S, degraded_ns = 60 * CT_NS_PER_S;

/* What was not flushed of a file that failed; after ct_run_mend() it is not in it. */
static void miss_uncommitted(struct ct_run *run, const struct ct_run_writer *stream, int64_t now_ns)
{
  const size_t place = (size_t)(stream - run->streams), begin = stream->n_committed > 0 ? stream->n_committed - 1 : 0;
  for (size_t i = begin; i < stream->n_ranges; i++) {
    const struct ct_range *range = &stream->ranges[i];
    const bool begun = i + 1 == stream->n_committed;
    if (!begun || stream->committed_last < range->last)
      ct_run_gap(run, place, begun ? stream->committed_last + 1 : range->first, range->last, CT_GAP_MISSED, now_ns);
  }
}

static void miss_chunk(struct ct_run *run, const struct ct_chunk *chunk, int64_t now_ns)
{
  for (uint32_t i = 0; i < chunk->count; i++)
    ct_run_gap(run, chunk->stream, chunk->frames[i].number, chunk->frames[i].number, CT_GAP_MISSED, now_ns);
}

static void add_numbers(struct ct_run_writer *stream, const struct ct_chunk *chunk)
{
  for (uint32_t i = 0; i < chunk->count; i++) {
    const uint64_t number = chunk->frames[i].number;
    struct ct_range *last = stream->n_ranges > 0 ? &stream->ranges[stream->n_ranges - 1] : NULL;
    /* Full: the file rolls with the next chunk; until then gaps within are not told apart. */
    if (last != NULL && (last->last + 1 == number || (stream->n_ranges == CT_RUN_RANGES && number > last->last)))
      last->last = number;
    else if (stream->n_ranges < CT_RUN_RANGES)
      stream->ranges[stream->n_ranges++] = (struct ct_range){ number, number };
  }
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

/* What a master says as soon as it is known: that there is a map, that there are counters, which streams are sampled, and
 * which have had a first header. */
static uint32_t what_is_known(const struct ct_run *run)
{
  uint32_t known = (uint32_t)run->has_map | (run->n_counters > 0 ? 2U : 0);
  for (size_t i = 0; i < run->n_counters; i++)
    known |= (uint32_t)run->counters[i].sampled << (8 + i) | (run->first_headers[i][0] != '\0' ? 1U : 0) << (16 + i);
  return known;
}

_Static_assert(CT_SNAPSHOT_STREAMS <= 8, "what is known fits its bits");

int ct_run_master(struct ct_run *run, int64_t end_ns, struct ct_err *err)
{
  run->told = what_is_known(run);
  const struct ct_master master = {
    .folder = &run->folder, .program = run->program, .configuration = run->configuration, .start_ns = run->start_ns,
    .end_ns = end_ns, .files = run->files, .n_files = run->n_files, .n_logs = run->log_index + run->log_open,
    .n_results = run->results_index + run->results_open, .counters = run->counters, .first_headers = (const char (*)[1024])run->first_headers,
    .n_counters = run->n_counters, .about = run->setup.about, .streams = run->setup.streams, .n_streams = run->n_streams,
    .rows = run->setup.rows, .cols = run->setup.cols,
    .emf = run->has_map ? run->emf : NULL, .sigma = run->sigma,
  };
  return ct_master_write(&master, err);
}

void ct_run_counters(struct ct_run *run, const struct ct_snapshot_stream *streams, size_t n)
{
  struct ct_err err = { "" };
  run->n_counters = n < CT_SNAPSHOT_STREAMS ? n : CT_SNAPSHOT_STREAMS;
  memcpy(run->counters, streams, run->n_counters * sizeof *streams);
  if (!run->failed && what_is_known(run) != run->told && ct_run_master(run, 0, &err) != 0)
    ct_run_trouble(run, run->looked_ns, err.text);
}

/* ---- frame files ------------------------------------------------------------------------------------------- */

static void describe_file(const struct ct_run *run, const struct ct_run_writer *stream, struct ct_run_file *file)
{
  *file = (struct ct_run_file){
    .index = stream->index, .n = stream->file.n, .first_number = stream->file.first_number,
    .last_number = stream->file.last_number, .bytes = stream->file.bytes, .rows = stream->file.rows,
    .cols = stream->file.cols, .type = stream->file.type, .events = stream->file.codec == CT_CODEC_EVENTS,
    .role = stream->role, .closed = true,
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
  stream->n_committed = stream->n_ranges;
  if (stream->n_ranges > 0)
    stream->committed_last = stream->ranges[stream->n_ranges - 1].last;
}

static bool uncommitted(const struct ct_run_writer *stream)
{
  return stream->open && stream->committed_here < stream->file.n;
}

struct ct_run_sync *ct_run_sync_room(struct ct_run *run)
{
  return run->n_syncs < CT_RUN_SYNCS ? &run->syncs[run->n_syncs] : NULL;
}

void ct_run_close_stream(struct ct_run *run, struct ct_run_writer *stream, int64_t now_ns)
{
  struct ct_run_file file;
  struct ct_err err = { "" };
  if (!stream->open)
    return;
  describe_file(run, stream, &file);
  stream->open = false;
  stream->index++;
  int rc = ct_data_flush(&stream->file, &err);
  if (rc == 0)
    commit(run, stream);
  else
    ct_store_abandon(stream->file.store);
  struct ct_run_sync *room = ct_run_sync_room(run);
  int closed = ct_data_close(&stream->file, room, rc == 0 ? &err : NULL);
  run->n_syncs += closed == 0 && room != NULL;
  if (rc != 0)
    miss_uncommitted(run, stream, now_ns);
  if (rc != 0 || closed != 0) {
    ct_run_trouble(run, now_ns, err.text);
    file.closed = ct_run_mend(&file);
  }
  if (access(file.path, F_OK) == 0)
    ct_run_remember(run, &file);
}

static int open_file(struct ct_run *run, struct ct_run_writer *stream, const struct ct_chunk *first, int64_t now_ns)
{
  char path[CT_PATH];
  struct ct_err err = { "" };
  const struct ct_data_about about = {
    .run = run->folder.name, .stream = stream->name, .role = ct_role_word(stream->role), .program = run->program,
    .index = stream->index, .session = run->session, .store = CT_STORE_JOURNAL | (run->plain ? CT_STORE_PLAIN : 0),
    .units = stream->role == CT_ROLE_CAMERA ? "counts" : first->type == CT_F32 ? "keV" : "ADU",
  };
  ct_folder_file(&run->folder, stream->name, stream->index, path);
  if (ct_data_create(&stream->file, path, first, &about, &err) != 0)
    return ct_run_fail(run, stream, now_ns, err.text);
  stream->open = true;
  stream->opened_ns = now_ns;
  stream->committed_here = stream->open_bytes_committed = 0;
  stream->n_ranges = stream->n_committed = 0;
  stream->first_arrival_ns = first->frames[0].arrival_ns;
  return 0;
}

static bool roll_due(const struct ct_run *run, const struct ct_run_writer *stream, int64_t now_ns)
{
  return stream->file.bytes >= run->setup.roll_bytes || stream->n_ranges == CT_RUN_RANGES ||
         (double)(now_ns - stream->opened_ns) >= run->setup.roll_s * 1e9;
}

int ct_run_write(struct ct_run *run, const struct ct_chunk *chunk, int64_t now_ns)
{
  assert(chunk->stream < run->n_streams && chunk->count > 0);
  struct ct_run_writer *stream = &run->streams[chunk->stream];
  struct ct_err err = { "" };
  int rc = ct_run_may_write(run, now_ns) ? 0 : CT_EARCHIVE;
  if (rc == 0 && stream->open &&
      (!ct_data_fits(&stream->file, chunk) || (chunk->phase == 0 && roll_due(run, stream, now_ns)))) {
    ct_run_close_stream(run, stream, now_ns);
    if (ct_run_master(run, 0, &err) != 0)
      ct_run_trouble(run, now_ns, err.text);
  }
  if (rc == 0 && !stream->open)
    rc = open_file(run, stream, chunk, now_ns);
  const uint64_t bytes_before = stream->open ? stream->file.bytes : 0;
  if (rc == 0 && ct_data_append(&stream->file, chunk, &err) != 0)
    rc = ct_run_fail(run, stream, now_ns, err.text);
  if (rc != 0) {
    miss_chunk(run, chunk, now_ns);
    return rc;
  }
  add_numbers(stream, chunk);
  stream->written = true;
  stream->last_arrival_ns = chunk->frames[chunk->count - 1].arrival_ns;
  run->raw_bytes += chunk->count * chunk->frame_bytes;
  stream->raw_bytes += chunk->count * chunk->frame_bytes;
  stream->stored_bytes += stream->file.bytes - bytes_before;
  return 0;
}

/* ---- time -------------------------------------------------------------------------------------------------- */

static void flush_all(struct ct_run *run, int64_t now_ns)
{
  for (size_t i = 0; i < run->n_streams; i++) {
    struct ct_run_writer *stream = &run->streams[i];
    struct ct_err err = { "" };
    if (!uncommitted(stream))
      continue;
    if (ct_data_flush(&stream->file, &err) == 0)
      commit(run, stream);
    else
      (void)!ct_run_fail(run, stream, now_ns, err.text);
  }
  ct_run_flush_logs(run, now_ns);
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

/* "bslz4", or "bslz4+none" */
static void codec_words(const struct ct_run *run, char *text, size_t bytes)
{
  text[0] = '\0';
  for (size_t i = 0; i < run->n_streams; i++) {
    const char *word = ct_codec_word(run->streams[i].file.codec);
    const size_t used = strlen(text);
    if (run->streams[i].written && strstr(text, word) == NULL)
      snprintf(text + used, bytes - used, "%s%s", used > 0 ? "+" : "", word);
  }
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
  codec_words(run, archive->codec, sizeof archive->codec);
  snprintf(reason, reason_bytes, "%s", archive->state == CT_ARCHIVE_OK ? "" : run->reason);
}

struct ct_run_packing ct_run_packing(const struct ct_run *run, size_t stream)
{
  const struct ct_run_writer *writer = &run->streams[stream];
  return (struct ct_run_packing){
    .codec = writer->written ? ct_codec_word(writer->file.codec) : "",
    .ratio = writer->stored_bytes > 0 ? (double)writer->raw_bytes / (double)writer->stored_bytes : (double)NAN,
  };
}

size_t ct_run_syncs(struct ct_run *run, struct ct_run_sync *syncs, size_t max)
{
  size_t n = 0;
  while (n < max && run->n_syncs > 0)
    syncs[n++] = run->syncs[--run->n_syncs];
  for (size_t i = 0; i < run->n_streams && n < max; i++)
    n += run->streams[i].open && ct_store_sync(run->streams[i].file.store, &syncs[n]);
  if (n < max)
    n += run->log_open && ct_store_sync(run->log.store, &syncs[n]);
  if (n < max)
    n += run->results_open && ct_store_sync(run->results.store, &syncs[n]);
  return n;
}

void ct_run_sync_failed(struct ct_run *run, int why, int64_t now_ns)
{
  char text[160];
  for (size_t i = 0; i < run->n_streams; i++) {
    ct_run_close_stream(run, &run->streams[i], now_ns);
    ct_run_doubt(run, &run->streams[i]);
  }
  snprintf(text, sizeof text, "the disk did not keep what was written (%s); the frames of the last seconds may be damaged, "
           "see comptop-archive verify", strerror(why));
  ct_run_trouble(run, now_ns, text);
}

const char *ct_run_folder(const struct ct_run *run) { return run->folder.path; }

int ct_run_close(struct ct_run *run, int64_t now_ns, struct ct_err *err)
{
  if (run == NULL)
    return 0;
  const uint64_t missed_before = run->missed;
  int rc = 0;
  ct_h5_begin();
  ct_run_drop_ballast(run);
  for (size_t i = 0; i < run->n_streams; i++)
    ct_run_close_stream(run, &run->streams[i], now_ns);
  ct_run_flush_logs(run, now_ns);
  if (run->n_gaps > 0 || run->missed != missed_before)
    rc = ct_err_set(err, CT_EARCHIVE, "%s: the end of the run is not whole: %s", run->folder.path, run->reason);
  if (ct_run_close_logs(run, err) != 0)
    rc = CT_EARCHIVE;
  while (run->n_syncs > 0)
    if (ct_run_sync(&run->syncs[--run->n_syncs]) != 0)
      rc = ct_err_set(err, CT_EARCHIVE, "%s: the disk did not keep what was written last", run->folder.path);
  ct_run_mend_files(run, now_ns);
  for (size_t i = 0; i < run->n_files; i++)
    if (!run->files[i].closed)
      rc = ct_err_set(err, CT_EARCHIVE, "%s: was left open by a failing disk; see comptop-archive repair",
                      run->files[i].path);
  if (ct_run_master(run, now_ns, rc == 0 ? err : NULL) != 0)
    rc = CT_EARCHIVE;
  ct_run_free(run);
  return rc;
}
