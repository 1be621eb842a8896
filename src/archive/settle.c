/* A number that is missing is waited for before it is given up as lost; a process that dies meanwhile never says. What was
 * waited for at its end is found among the newest frames of each stream, and listed in a log of its own. */
#include <config.h>

#include "archive/datafile.h"
#include "archive/folder.h"
#include "archive/logfile.h"
#include "archive/numbers.h"

#include <stdlib.h>
#include <string.h>

/* A gap is given up after 2.5 s (comptop-streams(7)); it is in the log within the second after. */
static const int64_t undecided_ns = 4 * CT_NS_PER_S;
enum { STREAMS_MAX = 255 };

struct settlement {
  const struct ct_listed *listed;
  size_t n_listed;
  struct ct_run_stream streams[STREAMS_MAX];
  size_t n_streams;
  int64_t newest_ns;                     /* when the last frame of the stream came */
  struct ct_numbers numbers;             /* of it */
  struct ct_gap *gaps;                   /* found */
  size_t n, room;
};

static void keep_hole(void *context, uint64_t first, uint64_t last, const struct ct_number_span *before, const struct ct_number_span *after)
{
  struct settlement *s = context;
  if (after->arrival_ns < s->newest_ns - undecided_ns)
    return;                              /* decided long ago: that it is not listed is for verify to say */
  if (s->n == s->room)
    s->gaps = ct_xgrow(s->gaps, &s->room, sizeof *s->gaps);
  const bool cut = before->file != CT_NUMBERS_LISTED && before->file != after->file;
  s->gaps[s->n++] = (struct ct_gap){ .time_ns = ct_time_wall_ns(), .first = first, .last = last,
                                     .stream = (uint8_t)(s->n_streams - 1), .reason = cut ? CT_GAP_MISSED : CT_GAP_LOST };
}

static void find_holes(struct settlement *s, const char *stream)
{
  ct_numbers_holes(&s->numbers, stream, s->listed, s->n_listed, keep_hole, s);
  ct_numbers_clear(&s->numbers);
}

static int read_numbers(struct settlement *s, const struct ct_run_file *file, struct ct_err *err)
{
  enum { STEP = 4096 };
  static const struct { enum ct_data_column column; enum ct_type type; } wanted[] = {
    { CT_COLUMN_frame_number, CT_U64 }, { CT_COLUMN_arrival, CT_I64 }, { CT_COLUMN_late, CT_U8 } };
  struct ct_h5_frames *columns[3] = { NULL };
  struct { uint64_t numbers[STEP]; int64_t arrival_ns[STEP]; uint8_t late[STEP]; } *rows = ct_xcalloc(1, sizeof *rows);
  void *const buffers[] = { rows->numbers, rows->arrival_ns, rows->late };
  int rc = 0;
  for (int i = 0; i < 3 && rc == 0; i++)
    rc = ct_data_open_column(&columns[i], file->path, wanted[i].column, file->n, err);
  for (uint64_t k = 0; k < file->n && rc == 0; k += STEP) {
    const uint64_t n = file->n - k < STEP ? file->n - k : STEP;
    for (int i = 0; i < 3 && rc == 0; i++)
      rc = ct_h5_read_as(columns[i], k, n, wanted[i].type, buffers[i], err);
    for (uint64_t i = 0; i < n && rc == 0; i++) {
      if (ct_numbers_restart(&s->numbers, rows->numbers[i], rows->late[i] != 0))
        find_holes(s, file->stream);
      ct_numbers_add(&s->numbers, rows->numbers[i], rows->arrival_ns[i], file->index);
    }
  }
  for (int i = 0; i < 3; i++)
    ct_h5_close_frames(columns[i]);
  free(rows);
  return rc;
}

/* The files of one stream in the session that died; older ones than the last but one that may matter are not read. */
static int settle_stream(struct settlement *s, const struct ct_run_file *files, size_t n, const struct ct_teller *teller,
                         struct ct_err *err)
{
  size_t first = n - 1;
  uint64_t frames = 0;
  const size_t before = s->n;
  s->newest_ns = files[n - 1].last_arrival_ns;
  while (first > 0 && files[first].last_arrival_ns >= s->newest_ns - undecided_ns)
    first--;
  s->streams[s->n_streams++] = (struct ct_run_stream){ .name = files->stream, .role = files->role };
  for (size_t i = first; i < n; i++) {
    int rc = read_numbers(s, &files[i], err);
    if (rc != 0)
      return rc;
  }
  find_holes(s, files->stream);
  for (size_t i = before; i < s->n; i++)
    frames += s->gaps[i].last - s->gaps[i].first + 1;
  if (frames > 0)
    ct_tell(teller, "%s: %llu frames were waited for when the run was cut short; they are listed now", files->stream,
            (unsigned long long)frames);
  return 0;
}

/* A log that cannot be made whole is none. */
static int write_log(const struct settlement *s, const struct ct_folder *folder, struct ct_err *err)
{
  const struct ct_run_setup setup = { .name = folder->name, .program = "comptop " PACKAGE_VERSION, .streams = s->streams,
                                      .n_streams = s->n_streams };
  struct ct_folder_entry *entries;
  struct ct_log_file *log;
  char path[CT_PATH];
  size_t n;
  int rc = ct_folder_list(folder, &entries, &n, err);
  if (rc != 0)
    return rc;
  ct_folder_file(folder, "log", ct_folder_next(entries, n, "log"), path);
  free(entries);
  log = ct_xcalloc(1, sizeof *log);
  rc = ct_log_create(log, path, &setup, ct_store_is_remote(folder->path), err);
  const bool made = rc == 0;
  for (size_t i = 0; i < s->n && rc == 0; i++)
    rc = ct_log_gap(log, &s->gaps[i]);
  if (rc == 0)
    rc = ct_log_flush(log);
  if (made) {
    int closed = ct_log_close(log, NULL, err);
    rc = rc != 0 ? rc : closed;
  }
  free(log);
  return rc;
}

/* How many of files[0..n) are of the stream and session of the first. */
static size_t session_length(const struct ct_run_file *files, size_t n, uint32_t session)
{
  size_t length = 0;
  while (length < n && strcmp(files[length].stream, files->stream) == 0 && ct_folder_session(files[length].path) == session)
    length++;
  return length;
}

int ct_folder_settle(const struct ct_folder *folder, const struct ct_teller *teller, struct ct_err *err)
{
  struct settlement s = { .n_listed = 0 };
  struct ct_run_file *files;
  uint32_t last = 0;
  size_t all, n = 0;
  int rc = ct_folder_files(folder, &files, &all, err);
  if (rc != 0)
    return rc;
  struct ct_listed *listed = ct_folder_gaps(folder, &s.n_listed);
  s.listed = listed;
  for (size_t i = 0; i < all; i++) {
    const uint32_t session = files[i].n > 0 ? ct_folder_session(files[i].path) : 0;
    last = session > last ? session : last;
    if (files[i].n > 0)
      files[n++] = files[i];
  }
  for (size_t i = 0, length; i < n && rc == 0; i += length > 0 ? length : 1) {
    length = session_length(&files[i], n - i, last);
    if (length > 0 && s.n_streams < STREAMS_MAX && !ct_folder_is_sampled(folder, files[i].stream))
      rc = settle_stream(&s, &files[i], length, teller, err);
  }
  if (rc == 0 && s.n > 0)
    rc = write_log(&s, folder, err);
  ct_numbers_free(&s.numbers);
  free(s.gaps);
  free(listed);
  free(files);
  return rc;
}
