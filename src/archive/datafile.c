/* A rolling file of frames. */
#include "archive/datafile.h"

#include "archive/codec.h"
#include "archive/h5.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *const column_names[] = {
#define X(name, type, value, unit, text) #name,
  CT_DATA_COLUMNS(X)
#undef X
};
static const char *const column_texts[] = {
#define X(name, type, value, unit, text) text,
  CT_DATA_COLUMNS(X)
#undef X
};
static const char *const column_units[] = {
#define X(name, type, value, unit, text) unit,
  CT_DATA_COLUMNS(X)
#undef X
};
static const enum ct_type column_types[] = {
#define X(name, type, value, unit, text) CT_##type,
  CT_DATA_COLUMNS(X)
#undef X
};

const char *ct_data_column_name(enum ct_data_column column) { return column_names[column]; }

const char *ct_data_column_units(enum ct_data_column column) { return column_units[column]; }

static double attribute_or_nan(const struct ct_chunk_frame *frame, unsigned bit, double value)
{
  return frame->attributes.present & bit ? value : (double)NAN;
}

int ct_data_open_column(struct ct_h5_frames **out, const char *path, enum ct_data_column column, uint64_t n,
                        struct ct_err *err)
{
  char spec[CT_STORE_PATH + 64];
  snprintf(spec, sizeof spec, "%s:/entry/%s", path, ct_data_column_name(column));
  return ct_h5_open_column(out, spec, n, err);
}

static void write_about(hid_t file, const struct ct_data_about *about)
{
  hid_t entry = H5Gopen2(file, "entry", H5P_DEFAULT);
  ct_h5_text(entry, "default", "frames");
  ct_h5_text(entry, "run", about->run);
  ct_h5_text(entry, "stream", about->stream);
  ct_h5_text(entry, "role", about->role);
  ct_h5_text(entry, "program", about->program);
  ct_h5_number(entry, "index", about->index);
  ct_h5_number(entry, "session", about->session);
  H5Gclose(entry);
}

/* What a NeXus viewer shows first. */
static void put_plot(hid_t entry, hid_t data, const char *units)
{
  static const char *const axes[] = { "frame_number", ".", "." };
  ct_h5_text(data, "units", units);
  ct_h5_group(entry, "frames", "NXdata");
  hid_t group = H5Gopen2(entry, "frames", H5P_DEFAULT);
  ct_h5_text(group, "signal", "data");
  ct_h5_texts(group, "axes", axes, 3);
  H5Lcreate_soft("/entry/data", group, "data", H5P_DEFAULT, H5P_DEFAULT);
  H5Lcreate_soft("/entry/frame_number", group, "frame_number", H5P_DEFAULT, H5P_DEFAULT);
  H5Gclose(group);
}

static int create_sets(struct ct_data_file *file, const char *units)
{
  const hsize_t frame[] = { file->rows, file->cols }, chunk[] = { file->whole, file->rows, file->cols };
  const hsize_t column_chunk = file->whole > 16 ? 1024 : 256;
  int rc = 0;
  hid_t entry = H5Gopen2(file->store->file, "entry", H5P_DEFAULT);
  if (file->codec == CT_CODEC_EVENTS)
    rc = ct_events_create(&file->events, entry, file->rows, file->cols, file->type, units);
  else
    rc = ct_grow_create(&file->data, entry, "data", ct_h5_native(file->type), 3, frame, chunk, file->codec);
  for (int i = 0; i < CT_COLUMN_COUNT && rc == 0; i++) {
    rc = ct_grow_create(&file->columns[i], entry, column_names[i], ct_h5_native(column_types[i]), 1, NULL, &column_chunk,
                        CT_CODEC_NONE);
    if (rc == 0) {
      ct_h5_text(file->columns[i].set, "long_name", column_texts[i]);
      ct_h5_text(file->columns[i].set, "units", column_units[i]);
    }
  }
  if (rc == 0)
    ct_h5_text(file->columns[CT_COLUMN_arrival].set, "offset", "1970-01-01T00:00:00Z");
  if (rc == 0 && file->codec == CT_CODEC_EVENTS)
    ct_events_link(entry);
  else if (rc == 0)
    put_plot(entry, file->data.set, units);
  H5Gclose(entry);
  return rc;
}

static void close_all(struct ct_data_file *file)
{
  ct_grow_close(&file->data);
  ct_events_close(&file->events);
  for (int i = 0; i < CT_COLUMN_COUNT; i++)
    ct_grow_close(&file->columns[i]);
  free(file->tail);
  free(file->packed);
  file->tail = file->packed = NULL;
}

int ct_data_create(struct ct_data_file *file, const char *path, const struct ct_chunk *first,
                   const struct ct_data_about *about, struct ct_err *err)
{
  char why[CT_H5_WHY];
  ct_h5_begin();
  *file = (struct ct_data_file){ .rows = first->rows, .cols = first->cols, .type = first->type, .whole = first->whole,
                                 .codec = first->codec, .mode = first->mode };
  file->data.set = H5I_INVALID_HID;
  ct_events_clear(&file->events);
  for (int i = 0; i < CT_COLUMN_COUNT; i++)
    file->columns[i].set = H5I_INVALID_HID;
  int rc = ct_store_create(&file->store, path, about->store, err);
  if (rc != 0)
    return rc;
  write_about(file->store->file, about);
  if (create_sets(file, about->units) != 0)
    rc = ct_err_set(err, CT_EIO, "%s: cannot be made: %s", path,
                    file->store->why ? strerror(file->store->why) : ct_h5_why(why));
  else
    rc = ct_store_start(file->store, err);
  if (rc != 0) {
    close_all(file);
    ct_store_remove(file->store);
    file->store = NULL;
  }
  return rc;
}

bool ct_data_fits(const struct ct_data_file *file, const struct ct_chunk *chunk)
{
  return file->rows == chunk->rows && file->cols == chunk->cols && file->type == chunk->type &&
         file->codec == chunk->codec && file->mode == chunk->mode && file->whole == chunk->whole && file->n % file->whole == chunk->phase;
}

static int append_columns(struct ct_data_file *file, const struct ct_chunk *chunk)
{
  int rc = 0;
  union {
    uint8_t u8[CT_CHUNK_FRAMES_MAX];
    uint32_t u32[CT_CHUNK_FRAMES_MAX];
    int32_t i32[CT_CHUNK_FRAMES_MAX];
    uint64_t u64[CT_CHUNK_FRAMES_MAX];
    int64_t i64[CT_CHUNK_FRAMES_MAX];
    double f64[CT_CHUNK_FRAMES_MAX];
  } v;
#define ELEMENT_U8 v.u8
#define ELEMENT_U32 v.u32
#define ELEMENT_I32 v.i32
#define ELEMENT_U64 v.u64
#define ELEMENT_I64 v.i64
#define ELEMENT_F64 v.f64
#define X(name, type, value, unit, text)                                            \
  for (uint32_t i = 0; i < chunk->count; i++) {                               \
    const struct ct_chunk_frame *f = &chunk->frames[i];                       \
    ELEMENT_##type[i] = value;                                                \
  }                                                                           \
  if (rc == 0)                                                                \
    rc = ct_grow_append(&file->columns[CT_COLUMN_##name], chunk->count, &v);
  CT_DATA_COLUMNS(X)
#undef X
  return rc;
}

/* Part of a chunk: what is there of it is written again, unpacked until it is whole. HDF5 would pack it over and over,
 * and put it elsewhere in the file or in the same place, as it happens. */
static int append_part(struct ct_data_file *file, const struct ct_chunk *chunk)
{
  const size_t bytes = file->whole * chunk->frame_bytes;
  if (file->tail == NULL) {
    file->tail = ct_xcalloc(file->whole, chunk->frame_bytes);
    file->packed = ct_xcalloc(ct_codec_bound(bytes), 1);
  }
  const uint32_t phase = (uint32_t)(file->n % file->whole);
  if (phase == 0)
    memset(file->tail, 0, bytes);
  memcpy(file->tail + phase * chunk->frame_bytes, chunk->pixels, chunk->count * chunk->frame_bytes);
  const bool whole = phase + chunk->count == file->whole;
  size_t packed = whole ? ct_codec_pack(file->codec, file->tail, bytes, ct_type_bytes(file->type), file->packed) : 0;
  if (packed > 0 && packed < bytes)
    return ct_grow_append_chunk(&file->data, file->n - phase, chunk->count, false, file->packed, packed);
  return ct_grow_append_chunk(&file->data, file->n - phase, chunk->count, true, file->tail, bytes);
}

static int append_frames(struct ct_data_file *file, const struct ct_chunk *chunk)
{
  if (file->codec == CT_CODEC_EVENTS)
    return ct_events_append(&file->events, chunk);
  return chunk->ready != NULL ? ct_grow_append_chunk(&file->data, file->n, chunk->count, chunk->plain, chunk->ready,
                                                     chunk->ready_bytes)
                              : append_part(file, chunk);
}

static int failed(const struct ct_data_file *file, struct ct_err *err)
{
  char why[CT_H5_WHY];
  return ct_err_set(err, CT_EIO, "%s: writing failed: %s", file->store->path,
                    file->store->why ? strerror(file->store->why) : ct_h5_why(why));
}

int ct_data_append(struct ct_data_file *file, const struct ct_chunk *chunk, struct ct_err *err)
{
  ct_h5_begin();
  int rc = append_frames(file, chunk);
  if (rc == 0)
    rc = append_columns(file, chunk);
  if (rc != 0 || file->store->why != 0)
    return failed(file, err);
  if (file->n == 0)
    file->first_number = chunk->frames[0].number;
  file->last_number = chunk->frames[chunk->count - 1].number;
  file->n += chunk->count;
  file->bytes += chunk->ready != NULL ? chunk->ready_bytes : chunk->count * chunk->frame_bytes;
  return 0;
}

int ct_data_flush(const struct ct_data_file *file, struct ct_err *err)
{
  int rc = file->codec == CT_CODEC_EVENTS ? ct_events_flush(&file->events) : ct_grow_flush(&file->data);
  for (int i = 0; i < CT_COLUMN_COUNT && rc == 0; i++)
    rc = ct_grow_flush(&file->columns[i]);
  if (rc == 0)
    rc = ct_store_checkpoint(file->store, file->n);
  return rc == 0 ? 0 : failed(file, err);
}

int ct_data_close(struct ct_data_file *file, struct ct_run_sync *last, struct ct_err *err)
{
  close_all(file);
  int rc = ct_store_close(file->store, last, err);
  file->store = NULL;
  return rc;
}

/* ---- and back -------------------------------------------------------------------------------------------------- */

/* Those a struct ct_attributes is made of. X(column, ct_type, C type, member) */
#define ATTRIBUTES(X)                                                                                            \
  X(present, U8, uint8_t, present) X(mode, U8, uint8_t, mode) X(image_key, I32, int32_t, image_key)              \
  X(trigger, U64, uint64_t, trigger) X(rotation_angle, F64, double, angle_deg) X(sample_z, F64, double, z_mm)    \
  X(timestamp, F64, double, time_s)

struct ct_run_columns {
  struct ct_h5_frames *sets[CT_COLUMN_COUNT];
};

void ct_run_columns_close(struct ct_run_columns *columns)
{
  if (columns == NULL)
    return;
  for (int i = 0; i < CT_COLUMN_COUNT; i++)
    ct_h5_close_frames(columns->sets[i]);
  free(columns);
}

int ct_run_columns_open(struct ct_run_columns **out, const struct ct_h5_frames *frames, struct ct_err *err)
{
  struct ct_run_columns *columns = ct_xcalloc(1, sizeof *columns);
  *out = NULL;
  for (int i = 0; i < CT_COLUMN_COUNT; i++) {
    char spec[1200];
    snprintf(spec, sizeof spec, "%s:/entry/%s", ct_h5_file(frames), column_names[i]);
    if (strcmp(ct_h5_dataset(frames), "/entry/data") != 0 ||
        ct_h5_open_column(&columns->sets[i], spec, ct_h5_info(frames)->n, err) != 0) {
      ct_run_columns_close(columns);
      return ct_err_set(err, CT_ENOTFOUND, "%s: not a frame file of an archived run", ct_h5_file(frames));
    }
  }
  *out = columns;
  return 0;
}

int ct_run_columns_read(struct ct_run_columns *columns, uint64_t first, uint32_t count, const struct ct_run_rows *out,
                        struct ct_err *err)
{
  enum { STEP = 256 };
  int rc = ct_h5_read_as(columns->sets[CT_COLUMN_frame_number], first, count, CT_U64, out->numbers, err);
  if (rc == 0 && out->arrival_ns != NULL)
    rc = ct_h5_read_as(columns->sets[CT_COLUMN_arrival], first, count, CT_I64, out->arrival_ns, err);
  if (rc == 0 && out->late != NULL)
    rc = ct_h5_read_as(columns->sets[CT_COLUMN_late], first, count, CT_U8, out->late, err);
#define X(name, type, c_type, member)                                                                            \
  for (uint32_t k = 0; k < count && rc == 0; k += STEP) {                                                        \
    c_type values[STEP];                                                                                         \
    const uint32_t n = count - k < STEP ? count - k : STEP;                                                      \
    rc = ct_h5_read_as(columns->sets[CT_COLUMN_##name], first + k, n, CT_##type, values, err);                   \
    for (uint32_t i = 0; i < n && rc == 0; i++)                                                                  \
      out->attributes[k + i].member = values[i];                                                                 \
  }
  ATTRIBUTES(X)
#undef X
  return rc;
}
