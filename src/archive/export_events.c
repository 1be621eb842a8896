/* Frames that are mostly zero as lists of events, in a file of its own: a frame file as a run with codec = events has them.
 * Nothing is lost, as only zeros are left out. */
#include "archive/datafile.h"
#include "archive/export.h"
#include "archive/h5.h"
#include "archive/nexus.h"
#include "archive/store.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { PART = 64 };                /* frames that are read at once */

struct events {
  const struct ct_run_export *job;
  const char *run, *path;
  struct ct_chunk *chunk;
  struct ct_data_file file;
  bool open;
  uint64_t done, all;
};

static int put_chunk(struct events *e, const struct ct_run_file *from, struct ct_err *err)
{
  const struct ct_data_about about = { .run = e->run, .stream = from->stream, .role = ct_role_word(from->role),
    .program = "comptop-archive", .units = from->type == CT_F32 ? "keV" : "ADU", .store = CT_STORE_PLAIN };
  if (ct_chunk_count(e->chunk) == 0)
    return 0;
  ct_chunk_pack(e->chunk, CT_CODEC_EVENTS);
  if (e->chunk->codec != CT_CODEC_EVENTS)
    return ct_err_set(err, CT_EFORMAT, "%s: most pixels are not zero: frames that were not thresholded have no events",
                      from->path);
  int rc = e->open ? 0 : ct_data_create(&e->file, e->path, e->chunk, &about, err);
  e->open = rc == 0;
  if (rc == 0)
    rc = ct_data_append(&e->file, e->chunk, err);
  ct_chunk_begin(e->chunk, 0, NAN, e->chunk);
  return rc;
}

static int put_frames(struct events *e, const struct ct_run_file *from, const struct ct_run_rows *rows, uint32_t n,
                      unsigned char *pixels, struct ct_err *err)
{
  const size_t bytes = (size_t)from->rows * from->cols * ct_type_bytes(from->type);
  int rc = 0;
  for (uint32_t i = 0; i < n && rc == 0; i++) {
    const struct ct_frame frame = { .pixels = pixels + i * bytes, .bytes = bytes, .type = from->type, .count = 1,
      .rows = from->rows, .cols = from->cols, .number = rows->numbers[i], .arrival_ns = rows->arrival_ns[i],
      .attributes = rows->attributes[i], .late = rows->late[i] };
    if (ct_chunk_full(e->chunk) || ct_chunk_add(e->chunk, &frame, 0) == 0) {
      rc = put_chunk(e, from, err);
      if (rc == 0 && ct_chunk_add(e->chunk, &frame, 0) == 0)
        rc = ct_err_set(err, CT_ESHAPE, "%s: its frames are too large", from->path);
    }
  }
  return rc;
}

static int put_file(struct events *e, const struct ct_run_file *from, struct ct_err *err)
{
  uint64_t numbers[PART];
  int64_t arrival_ns[PART];
  uint8_t late[PART];
  struct ct_attributes attributes[PART];
  const struct ct_run_rows rows = { .numbers = numbers, .attributes = attributes, .arrival_ns = arrival_ns, .late = late };
  char spec[CT_PATH + 16];
  struct ct_h5_frames *frames;
  struct ct_run_columns *columns = NULL;
  snprintf(spec, sizeof spec, "%s:/entry/data", from->path);
  int rc = ct_h5_open_frames(&frames, spec, err);
  if (rc != 0)
    return rc;
  unsigned char *pixels = ct_xcalloc((size_t)from->rows * from->cols * ct_type_bytes(from->type), PART);
  rc = ct_run_columns_open(&columns, frames, err);
  for (uint64_t k = 0; rc == 0 && k < from->n; k += PART) {
    const uint32_t n = from->n - k < PART ? (uint32_t)(from->n - k) : PART;
    rc = ct_h5_read_frames(frames, k, n, pixels, err);
    if (rc == 0)
      rc = ct_run_columns_read(columns, k, n, &rows, err);
    if (rc == 0)
      rc = put_frames(e, from, &rows, n, pixels, err);
    e->done += n;
    if (e->job->progress != NULL)
      e->job->progress(e->job->context, "frames", e->done, e->all);
  }
  free(pixels);
  ct_run_columns_close(columns);
  ct_h5_close_frames(frames);
  return rc;
}

/* What is known at the end only. */
static void put_about(const struct events *e, const struct ct_run_file *files)
{
  hid_t entry = H5Gopen2(e->file.store->file, "entry", H5P_DEFAULT), group = H5Gopen2(entry, "events", H5P_DEFAULT);
  ct_nx_text(entry, "title", e->run);
  ct_nx_time(entry, "start_time", files->first_arrival_ns);
  ct_nx_count(group, "total_counts", e->file.events.id.dims[0]);
  H5Gclose(group);
  H5Gclose(entry);
}

static int write_events(struct events *e, const struct ct_run_file *files, size_t n, struct ct_err *err)
{
  const size_t frame_bytes = (size_t)files->rows * files->cols * ct_type_bytes(files->type);
  int rc = 0;
  e->chunk = ct_chunk_new(frame_bytes > 1 << 20 ? frame_bytes : 1 << 20);
  ct_chunk_begin(e->chunk, 0, NAN, NULL);
  for (size_t i = 0; i < n && rc == 0; i++)
    rc = put_file(e, &files[i], err);
  if (rc == 0)
    rc = put_chunk(e, &files[n - 1], err);
  ct_chunk_free(e->chunk);
  if (!e->open)
    return rc;
  put_about(e, files);
  int closed = ct_data_close(&e->file, NULL, rc == 0 ? err : NULL);
  return rc != 0 ? rc : closed;
}

int ct_export_events(const struct ct_run_export *job, const struct ct_folder *folder, const char *path, struct ct_err *err)
{
  struct ct_run_file *files, *kind;
  char part[CT_EXPORT_PART];
  struct events events = { .job = job, .run = folder->name, .path = part };
  size_t n_files, n = 0, n_kind;
  int rc = ct_run_files(job->run, &files, &n_files, err);
  if (rc != 0)
    return rc;
  for (size_t i = 0; i < n_files; i++)
    if (files[i].role == CT_ROLE_HEXITEC && files[i].closed && (n == 0 || strcmp(files[i].stream, files[0].stream) == 0))
      files[n++] = files[i];
  kind = ct_nx_main_kind(files, n, &n_kind, &events.all);
  if (n_kind == 0)
    rc = ct_err_set(err, CT_ENODATA, "%s: the run holds no finished frames of a HEXITEC detector", job->run);
  else
    rc = ct_export_prepare(path, part, err);
  if (rc == 0)
    rc = ct_export_finish(path, write_events(&events, kind, n_kind, err), err);
  free(kind);
  free(files);
  return rc;
}
