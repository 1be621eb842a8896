/* Frames that are mostly zero as lists of events (NXevent_data): nothing is lost, as only zeros are left out. */
#include "archive/chunk.h"
#include "archive/export.h"
#include "archive/h5.h"
#include "archive/nexus.h"
#include "archive/store.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { EVENT_CHUNK = 1 << 18, FRAME_CHUNK = 4096 };

struct events {
  const struct ct_run_export *job;
  struct ct_grow id, value, index, time, number;
  uint64_t n_events, done, all;
  uint32_t *ids;                   /* of one frame */
  unsigned char *values;
};

static bool is_zero(const unsigned char *element, size_t bytes)
{
  unsigned char any = 0;
  for (size_t i = 0; i < bytes; i++)
    any |= element[i];
  return any == 0;
}

static int make_sets(struct events *e, hid_t group, enum ct_type type)
{
  const hsize_t events = EVENT_CHUNK, frames = FRAME_CHUNK;
  int rc = ct_grow_create(&e->id, group, "event_id", H5T_NATIVE_UINT32, 1, NULL, &events, CT_CODEC_BSLZ4);
  if (rc == 0)
    rc = ct_grow_create(&e->value, group, "event_value", ct_h5_native(type), 1, NULL, &events, CT_CODEC_BSLZ4);
  if (rc == 0)
    rc = ct_grow_create(&e->index, group, "event_index", H5T_NATIVE_UINT64, 1, NULL, &frames, CT_CODEC_BSLZ4);
  if (rc == 0)
    rc = ct_grow_create(&e->time, group, "event_time_zero", H5T_NATIVE_INT64, 1, NULL, &frames, CT_CODEC_BSLZ4);
  if (rc == 0)
    rc = ct_grow_create(&e->number, group, "frame_number", H5T_NATIVE_UINT64, 1, NULL, &frames, CT_CODEC_BSLZ4);
  if (rc != 0)
    return rc;
  ct_h5_text(e->id.set, "units", "1");
  ct_h5_text(e->id.set, "long_name", "row * columns + column");
  ct_h5_text(e->value.set, "units", type == CT_F32 ? "keV" : "ADU");
  ct_h5_text(e->index.set, "units", "1");
  ct_h5_text(e->index.set, "long_name", "first event of each frame");
  ct_h5_text(e->time.set, "units", "ns");
  ct_h5_text(e->time.set, "offset", "1970-01-01T00:00:00Z");
  ct_h5_text(e->number.set, "units", "1");
  return 0;
}

static int put_frame(struct events *e, const unsigned char *pixels, size_t n_pixels, size_t bytes, uint64_t number,
                     int64_t arrival_ns)
{
  uint32_t n = 0;
  for (uint32_t p = 0; p < n_pixels; p++)
    if (!is_zero(pixels + p * bytes, bytes)) {
      e->ids[n] = p;
      memcpy(e->values + n++ * bytes, pixels + p * bytes, bytes);
    }
  int rc = n > 0 ? ct_grow_append(&e->id, n, e->ids) : 0;
  if (rc == 0 && n > 0)
    rc = ct_grow_append(&e->value, n, e->values);
  if (rc == 0)
    rc = ct_grow_append(&e->index, 1, &e->n_events);
  if (rc == 0)
    rc = ct_grow_append(&e->time, 1, &arrival_ns);
  if (rc == 0)
    rc = ct_grow_append(&e->number, 1, &number);
  e->n_events += n;
  return rc;
}

static int put_file(struct events *e, const struct ct_run_file *file, struct ct_err *err)
{
  const size_t n_pixels = (size_t)file->rows * file->cols, bytes = ct_type_bytes(file->type);
  char spec[CT_PATH + 16];
  struct ct_h5_frames *frames;
  struct ct_run_columns *columns = NULL;
  snprintf(spec, sizeof spec, "%s:/entry/data", file->path);
  int rc = ct_h5_open_frames(&frames, spec, err);
  if (rc != 0)
    return rc;
  unsigned char *pixels = ct_xcalloc(n_pixels, bytes);
  rc = ct_run_columns_open(&columns, frames, err);
  for (uint64_t k = 0; rc == 0 && k < file->n; k++) {
    uint64_t number;
    int64_t arrival_ns;
    struct ct_attributes attributes;
    const struct ct_run_rows row = { .numbers = &number, .attributes = &attributes, .arrival_ns = &arrival_ns };
    rc = ct_h5_read_frames(frames, k, 1, pixels, err);
    if (rc == 0)
      rc = ct_run_columns_read(columns, k, 1, &row, err);
    if (rc == 0)
      rc = put_frame(e, pixels, n_pixels, bytes, number, arrival_ns);
    e->done++;
    if (rc == 0 && e->done == 64 && e->n_events > 32 * n_pixels)
      rc = ct_err_set(err, CT_EFORMAT, "%s: most pixels are not zero: frames that were not thresholded have no events",
                      file->path);
    if (e->job->progress != NULL)
      e->job->progress(e->job->context, "frames", e->done, e->all);
  }
  free(pixels);
  ct_run_columns_close(columns);
  ct_h5_close_frames(frames);
  return rc;
}

static void close_sets(struct events *e)
{
  struct ct_grow *const sets[] = { &e->id, &e->value, &e->index, &e->time, &e->number };
  for (size_t i = 0; i < sizeof sets / sizeof *sets; i++)
    ct_grow_close(sets[i]);
}

static int write_events(struct events *e, const struct ct_run_file *files, size_t n, const char *run, const char *path,
                        struct ct_err *err)
{
  struct ct_store *store;
  int rc = ct_store_create(&store, path, CT_STORE_PLAIN, err);
  if (rc != 0)
    return rc;
  const size_t n_pixels = (size_t)files->rows * files->cols;
  hid_t entry = H5Gopen2(store->file, "entry", H5P_DEFAULT);
  ct_nx_text(entry, "title", run);
  ct_nx_time(entry, "start_time", files->first_arrival_ns);
  ct_nx_count(entry, "rows", files->rows);
  ct_nx_count(entry, "columns", files->cols);
  hid_t group = ct_nx_group(entry, "events", "NXevent_data");
  e->ids = ct_xcalloc(n_pixels, sizeof *e->ids);
  e->values = ct_xcalloc(n_pixels, ct_type_bytes(files->type));
  rc = make_sets(e, group, files->type);
  for (size_t i = 0; i < n && rc == 0; i++)
    rc = put_file(e, &files[i], err);
  close_sets(e);
  ct_nx_count(group, "total_counts", e->n_events);
  H5Gclose(group);
  H5Gclose(entry);
  free(e->values);
  free(e->ids);
  int closed = ct_store_close(store, NULL, rc == 0 ? err : NULL);
  rc = rc != 0 ? rc : closed;
  if (rc != 0)
    unlink(path);
  return rc;
}

int ct_export_events(const struct ct_run_export *job, const struct ct_folder *folder, const char *path, struct ct_err *err)
{
  struct ct_run_file *files, *kind;
  struct events events = { .job = job };
  events.id.set = events.value.set = events.index.set = events.time.set = events.number.set = H5I_INVALID_HID;
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
  else if (access(path, F_OK) == 0)
    rc = ct_err_set(err, CT_EEXISTS, "%s: is there already and is not overwritten", path);
  else
    rc = write_events(&events, kind, n_kind, folder->name, path, err);
  free(kind);
  free(files);
  return rc;
}
