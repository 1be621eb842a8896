/* archive: frames and results to NeXus/HDF5 files and back; the only room with HDF5.
 * Ownership: every handle belongs to whoever opened it; buffers are the caller's and are not kept after a call.
 * No threads here: one handle is used by one thread at a time. */
#ifndef COMPTOP_ARCHIVE_H
#define COMPTOP_ARCHIVE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <comptop/core.h>
#include <comptop/frame.h>

/* ---- reading any HDF5 file -------------------------------------------------------------------------
 * A data set is written "FILE:/path"; FILE alone is enough where only one in it fits, else the error lists them.
 * Errors of opening: CT_EIO (no such file, damaged), CT_EFORMAT (no HDF5 file), CT_ENOTFOUND (no such data set),
 * CT_ETYPE (no plain numbers), CT_ESHAPE, CT_EUNSUPPORTED (a filter is missing; the error names it).
 * Filter 32008 (bitshuffle) with LZ4 is built in. */
struct ct_h5_frames;
struct ct_h5_info {
  uint64_t n;                     /* frames; [rows, cols] counts as one */
  uint32_t rows, cols;
  enum ct_type type;
};
/* Opens [n,rows,cols] or [rows,cols] of 1..16384 rows and columns of integers (1, 2, 4, 8 bytes) or floats (4, 8). */
int ct_h5_open_frames(struct ct_h5_frames **out, const char *spec, struct ct_err *err) CT_MUST_CHECK;
const struct ct_h5_info *ct_h5_info(const struct ct_h5_frames *frames);
/* The data set's full name in its file, "/entry/data", and the file; live as long as <frames>. */
const char *ct_h5_dataset(const struct ct_h5_frames *frames);
const char *ct_h5_file(const struct ct_h5_frames *frames);
/* A column [n] of exactly <n> numbers, read like frames of one pixel. */
int ct_h5_open_column(struct ct_h5_frames **out, const char *spec, uint64_t n, struct ct_err *err) CT_MUST_CHECK;
/* Frames first..first+count-1 into <buffer>, row-major, native byte order; CT_ERANGE outside 0..n, CT_EIO.
 * read_as converts to <type>; as CT_F64, data whose attribute `units` says radians become degrees. */
int ct_h5_read_frames(struct ct_h5_frames *frames, uint64_t first, uint64_t count, void *buffer,
                      struct ct_err *err) CT_MUST_CHECK;
int ct_h5_read_as(struct ct_h5_frames *frames, uint64_t first, uint64_t count, enum ct_type type, void *buffer,
                  struct ct_err *err) CT_MUST_CHECK;
void ct_h5_close_frames(struct ct_h5_frames *frames);      /* NULL is fine */

/* rows*cols finite numbers, row-major, from [rows,cols], from [rows*cols], or the mean of a stack [n,rows,cols].
 * <whole> rounds each to an integer, half up (the mean dark frame in ADU, DESIGN 1.6). */
int ct_h5_read_map(const char *spec, uint32_t rows, uint32_t cols, bool whole, double *out,
                   struct ct_err *err) CT_MUST_CHECK;

#endif
