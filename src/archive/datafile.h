/* A rolling file of frames: /entry/data [n,rows,cols], or /entry/events, and beside it one column a quantity. Row k belongs
 * to frame k. */
#ifndef ARCHIVE_DATAFILE_H
#define ARCHIVE_DATAFILE_H

#include "archive/chunk.h"
#include "archive/events.h"
#include "archive/grow.h"
#include "archive/store.h"

/* X(column, ct_type, element of struct ct_chunk_frame or expression of f, units, description). The last column is the judge
 * of how many rows are there: it is written last. */
#define CT_DATA_COLUMNS(X)                                                                                       \
  X(arrival, I64, f->arrival_ns, "ns", "when it was received, since 1970 UTC")                                      \
  X(present, U8, (uint8_t)f->attributes.present,                                                                 \
    "1", "which attributes came with it: 1 angle, 2 z, 4 mode, 8 trigger, 16 image key, 32 time stamp")               \
  X(late, U8, f->late, "1", "1: came after its gap was noticed")                                                      \
  X(mode, U8, (uint8_t)f->attributes.mode, "1", "0 unknown, 1 xcs, 2 xct")                                            \
  X(image_key, I32, f->attributes.image_key, "1", "0 projection, 1 flat, 2 dark, 3 invalid")                          \
  X(trigger, U64, f->attributes.trigger, "1", "trigger number")                                                       \
  X(rotation_angle, F64, attribute_or_nan(f, CT_HAS_ANGLE, f->attributes.angle_deg), "deg", "angle of rotation")                          \
  X(sample_z, F64, attribute_or_nan(f, CT_HAS_Z, f->attributes.z_mm), "mm", "height of the sample")                                          \
  X(timestamp, F64, attribute_or_nan(f, CT_HAS_TIME, f->attributes.time_s), "s", "of the source, in its own epoch")    \
  X(crc32, U32, f->crc32, "1", "CRC-32 of the frame's bytes, little-endian, as zlib's")                               \
  X(frame_number, U64, f->number, "1", "of the source")

enum ct_data_column {
#define X(name, type, value, unit, text) CT_COLUMN_##name,
  CT_DATA_COLUMNS(X)
#undef X
  CT_COLUMN_COUNT
};
const char *ct_data_column_name(enum ct_data_column column);
const char *ct_data_column_units(enum ct_data_column column);
/* Of the finished file <path> of <n> frames; as ct_h5_open_column(). */
int ct_data_open_column(struct ct_h5_frames **out, const char *path, enum ct_data_column column, uint64_t n,
                        struct ct_err *err) CT_MUST_CHECK;

struct ct_data_file {
  struct ct_store *store;
  struct ct_grow data, columns[CT_COLUMN_COUNT];
  struct ct_events events;                 /* in place of <data> where the codec is EVENTS */
  uint64_t n, bytes;                       /* frames and stored bytes written */
  uint64_t first_number, last_number;
  uint32_t rows, cols, whole;
  enum ct_type type;
  enum ct_codec codec;
  enum ct_mode mode;
  unsigned char *tail, *packed;            /* the chunk under way, when frames come slower than they fill one */
};

struct ct_data_about {
  const char *run, *stream, *role, *program, *units;   /* units: of the pixels */
  unsigned index, session;
  unsigned store;                          /* CT_STORE_* */
};

/* For chunks of the shape of <first>. 0 or CT_EIO with the file gone again. */
int ct_data_create(struct ct_data_file *file, const char *path, const struct ct_chunk *first,
                   const struct ct_data_about *about, struct ct_err *err) CT_MUST_CHECK;
/* 0, or CT_EIO: the file takes no more, and is as it was at the last flush when it has been repaired. */
int ct_data_append(struct ct_data_file *file, const struct ct_chunk *chunk, struct ct_err *err) CT_MUST_CHECK;
/* 0: readers see what was written, and a crash keeps it; or CT_EIO, as above. */
int ct_data_flush(const struct ct_data_file *file, struct ct_err *err) CT_MUST_CHECK;
/* As ct_store_close(). */
int ct_data_close(struct ct_data_file *file, struct ct_run_sync *last, struct ct_err *err) CT_MUST_CHECK;
/* Whether it can go on in this file without losing its alignment. */
bool ct_data_fits(const struct ct_data_file *file, const struct ct_chunk *chunk);

#endif
