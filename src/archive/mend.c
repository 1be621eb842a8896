/* One file that was being written when its process, its disk or the power failed, made readable again. */
#include "archive/chunk.h"
#include "archive/datafile.h"
#include "archive/folder.h"
#include "archive/h5.h"
#include "archive/repair.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static bool rows_of(hid_t file, const char *name, hsize_t dims[3])
{
  char path[80];
  snprintf(path, sizeof path, "/entry/%s", name);
  if (H5Lexists(file, path, H5P_DEFAULT) <= 0)
    return false;
  hid_t set = H5Dopen2(file, path, H5P_DEFAULT), space = H5Dget_space(set);
  const int rank = H5Sget_simple_extent_ndims(space);
  bool good = rank >= 1 && rank <= 3 && H5Sget_simple_extent_dims(space, dims, NULL) > 0;
  H5Sclose(space);
  H5Dclose(set);
  return good;
}

static void cut_rows(hid_t file, const char *name, hsize_t rows)
{
  char path[80];
  hsize_t dims[3];
  if (!rows_of(file, name, dims) || dims[0] == rows)
    return;
  snprintf(path, sizeof path, "/entry/%s", name);
  hid_t set = H5Dopen2(file, path, H5P_DEFAULT);
  dims[0] = rows;
  H5Dset_extent(set, dims);
  H5Dclose(set);
}

/* Cuts frames and columns to <rows>, and to what all of them have. */
static int cut_file(const char *path, hsize_t rows, struct ct_err *err)
{
  hsize_t dims[3];
  struct ct_store *store;
  int rc = ct_store_open(&store, path, err);
  if (rc != 0)
    return rc;
  if (H5Lexists(store->file, "/entry", H5P_DEFAULT) <= 0)
    rc = ct_err_set(err, CT_EIO, "%s: can be opened again, but there is nothing in it that can be read", path);
  const bool dense = rows_of(store->file, "data", dims), events = !dense && H5Lexists(store->file, "/entry/events", H5P_DEFAULT) > 0;
  if (dense || events) {
    rows = events ? ct_events_whole(store->file, rows) : dims[0] < rows ? dims[0] : rows;
    for (int i = 0; i < CT_COLUMN_COUNT; i++) {
      bool there = rows_of(store->file, ct_data_column_name((enum ct_data_column)i), dims);
      rows = !there ? 0 : dims[0] < rows ? dims[0] : rows;
    }
    if (events && !ct_events_cut(store->file, rows))
      rc = ct_err_set(err, CT_EIO, "%s: its events cannot be cut to %llu frames", path, (unsigned long long)rows);
    else if (dense)
      cut_rows(store->file, "data", rows);
    for (int i = 0; i < CT_COLUMN_COUNT; i++)
      cut_rows(store->file, ct_data_column_name((enum ct_data_column)i), rows);
  }
  int closed = ct_store_close(store, NULL, rc == 0 ? err : NULL);
  return rc != 0 ? rc : closed;
}

/* The first frame from <first> on that is not what its checksum says; n when all are. */
static uint64_t first_bad(const char *path, uint64_t first)
{
  char spec[CT_STORE_PATH + 64];
  struct ct_h5_frames *frames, *sums = NULL;
  struct ct_crc32 crc;
  snprintf(spec, sizeof spec, "%s:/entry/data", path);
  if (ct_h5_open_frames(&frames, spec, NULL) != 0)
    return UINT64_MAX;              /* none in it, or no frame file */
  const struct ct_h5_info *info = ct_h5_info(frames);
  const size_t bytes = (size_t)info->rows * info->cols * ct_type_bytes(info->type);
  unsigned char *pixels = ct_xcalloc(1, bytes);
  uint64_t k = first < info->n ? first : info->n;
  ct_crc32_init(&crc);
  bool good = ct_data_open_column(&sums, path, CT_COLUMN_crc32, info->n, NULL) == 0;
  for (; good && k < info->n; k++) {
    uint32_t sum;
    good = ct_h5_read_frames(frames, k, 1, pixels, NULL) == 0 && ct_h5_read_as(sums, k, 1, CT_U32, &sum, NULL) == 0 &&
           ct_crc32(&crc, pixels, bytes) == sum;
    if (!good)
      break;
  }
  k = good ? UINT64_MAX : k;
  free(pixels);
  ct_h5_close_frames(sums);
  ct_h5_close_frames(frames);
  return k;
}

/* Created, but nothing of it, nor of its journal, had reached the disk when the power failed: it is empty or zeros. */
static bool never_began(const char *path)
{
  unsigned char head[64] = { 0 }, zeros[64] = { 0 };
  int fd = open(path, O_RDONLY | O_CLOEXEC);
  if (fd < 0)
    return false;
  ssize_t n = read(fd, head, sizeof head);
  close(fd);
  return n >= 0 && memcmp(head, zeros, sizeof head) == 0;
}

static int set_aside(const char *path, const char *journal, struct ct_err *err)
{
  char aside[CT_STORE_PATH + 16];
  snprintf(aside, sizeof aside, "%s.unfinished", path);
  if (rename(path, aside) != 0)
    return ct_err_set(err, CT_EIO, "%s: cannot be set aside: %s", path, strerror(errno));
  unlink(journal);
  return 1;
}

static int after_redo(const char *path, const struct ct_journal_state *state, int patched, struct ct_err *err)
{
  if (state->closed && !state->changed && patched == 0)
    return 0;
  const uint64_t bad = first_bad(path, state->synced_rows);
  int rc = bad == UINT64_MAX ? 0 : cut_file(path, bad, err);
  return rc != 0 ? rc : 1;
}

/* Only the file was copied, or its end is gone: what is in it is all that there is. Frames are not cut off, as good ones may
 * stand behind a bad one. */
static int after_patch(const char *path, struct ct_err *err)
{
  struct ct_run_file file = { 0 };
  int rc = cut_file(path, UINT64_MAX, err);
  if (rc == 0 && ct_folder_look(path, &file, err) == CT_EFORMAT)
    rc = CT_EIO;                    /* no frame file has no columns */
  const uint64_t bad = rc == 0 ? first_bad(path, 0) : UINT64_MAX;
  if (bad != UINT64_MAX)
    rc = ct_err_set(err, CT_EIO, "%s: can be opened again, but frames in it are damaged, the first of them in row %llu", path,
                    (unsigned long long)bad);
  return rc != 0 ? rc : 1;
}

int ct_repair_file(const char *path, struct ct_err *err)
{
  char journal[CT_STORE_PATH + 16];
  struct ct_journal_state state;
  struct ct_err why = { "" };
  ct_store_journal_path(path, journal);
  int redone = ct_journal_redo(path, journal, &state, err);
  if (redone == CT_EIO)
    return redone;
  /* Its journal had not come to the first checkpoint: the file was being made. */
  if (redone != 0 && access(journal, F_OK) == 0)
    return set_aside(path, journal, err);
  /* A journal knows the file as it was, and a full disk has no room for a copy. */
  int rc = ct_repair_superblock(path, redone != 0, &why);
  if (rc < 0 && redone != 0 && never_began(path))
    return set_aside(path, journal, err);
  if (rc < 0)
    return ct_err_set(err, rc, "%s", why.text);
  if (redone == 0)
    rc = after_redo(path, &state, rc, err);
  else if (rc == 1)
    rc = after_patch(path, err);
  if (rc >= 0)
    unlink(journal);
  return rc;
}
