/* The master of a run. */
#include "archive/master.h"

#include "archive/datafile.h"
#include "archive/h5.h"
#include "archive/store.h"

#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static hid_t make_group(hid_t parent, const char *name, const char *class)
{
  ct_h5_group(parent, name, class);
  return H5Gopen2(parent, name, H5P_DEFAULT);
}

static void put_text(hid_t group, const char *name, const char *text)
{
  hid_t type = H5Tcopy(H5T_C_S1), space = H5Screate(H5S_SCALAR);
  H5Tset_size(type, H5T_VARIABLE);
  H5Tset_cset(type, H5T_CSET_UTF8);
  hid_t set = H5Dcreate2(group, name, type, space, H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT);
  H5Dwrite(set, type, H5S_ALL, H5S_ALL, H5P_DEFAULT, &text);
  H5Dclose(set);
  H5Sclose(space);
  H5Tclose(type);
}

static void put_time(hid_t group, const char *name, int64_t time_ns)
{
  char text[CT_TIME_TEXT];
  put_text(group, name, ct_time_text(time_ns, text));
}

static void put_numbers(hid_t group, const char *name, hid_t type, int rank, const hsize_t *dims, const void *values,
                        const char *units)
{
  hid_t space = rank ? H5Screate_simple(rank, dims, NULL) : H5Screate(H5S_SCALAR);
  hid_t set = H5Dcreate2(group, name, type, space, H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT);
  H5Dwrite(set, type, H5S_ALL, H5S_ALL, H5P_DEFAULT, values);
  if (units[0] != '\0')
    ct_h5_text(set, "units", units);
  H5Dclose(set);
  H5Sclose(space);
}

static void put_count(hid_t group, const char *name, uint64_t value)
{
  put_numbers(group, name, H5T_NATIVE_UINT64, 0, NULL, &value, "");
}

/* ---- frames ------------------------------------------------------------------------------------------- */

static const char *base_name(const char *path)
{
  const char *slash = strrchr(path, '/');
  return slash != NULL ? slash + 1 : path;
}

static bool same_kind(const struct ct_run_file *a, const struct ct_run_file *b)
{
  return a->rows == b->rows && a->cols == b->cols && a->type == b->type;
}

/* Of a stream's files the one whose kind has the most frames; its frames in *n. A scan of another shape stays by itself. */
static const struct ct_run_file *main_kind(const struct ct_run_file *files, size_t n_files, uint64_t *n)
{
  const struct ct_run_file *best = NULL;
  *n = 0;
  for (size_t i = 0; i < n_files; i++) {
    uint64_t sum = 0;
    for (size_t k = 0; k < n_files; k++)
      sum += same_kind(&files[k], &files[i]) ? files[k].n : 0;
    if (sum > *n) {
      *n = sum;
      best = &files[i];
    }
  }
  return best;
}

/* One data set out of <name> of all files of a kind; <rank> 3: frames, 1: a column. */
static void put_virtual(hid_t group, const char *name, hid_t type, int rank, const struct ct_run_file *kind, uint64_t n,
                        const struct ct_run_file *files, size_t n_files, const char *units)
{
  const hsize_t dims[] = { n, kind->rows, kind->cols };
  char inside[80];
  snprintf(inside, sizeof inside, "/entry/%s", name);
  hid_t space = H5Screate_simple(rank, dims, NULL), plist = H5Pcreate(H5P_DATASET_CREATE);
  hsize_t at = 0;
  for (size_t i = 0; i < n_files; i++) {
    if (!same_kind(&files[i], kind) || files[i].n == 0)
      continue;
    const hsize_t start[] = { at, 0, 0 }, count[] = { files[i].n, kind->rows, kind->cols };
    hid_t source = H5Screate_simple(rank, count, NULL);
    H5Sselect_hyperslab(space, H5S_SELECT_SET, start, NULL, count, NULL);
    H5Pset_virtual(plist, space, base_name(files[i].path), inside, source);
    H5Sclose(source);
    at += files[i].n;
  }
  hid_t set = H5Dcreate2(group, name, type, space, H5P_DEFAULT, plist, H5P_DEFAULT);
  if (units[0] != '\0')
    ct_h5_text(set, "units", units);
  H5Dclose(set);
  H5Pclose(plist);
  H5Sclose(space);
}

static void link_files(hid_t detector, const struct ct_run_file *files, size_t n)
{
  hid_t group = make_group(detector, "files", "NXcollection");
  for (size_t i = 0; i < n; i++) {
    char name[16];
    snprintf(name, sizeof name, "%06u", files[i].index);
    H5Lcreate_external(base_name(files[i].path), "/entry", group, name, H5P_DEFAULT, H5P_DEFAULT);
  }
  H5Gclose(group);
}

static void put_frames(hid_t detector, const struct ct_run_file *files, size_t n_files)
{
  uint64_t n;
  const struct ct_run_file *kind = main_kind(files, n_files, &n);
  if (kind == NULL)
    return;
  put_virtual(detector, "data", ct_h5_native(kind->type), 3, kind, n, files, n_files, "");
#define X(name, type, value, text) \
  put_virtual(detector, #name, ct_h5_native(CT_##type), 1, kind, n, files, n_files, \
              CT_COLUMN_##name == CT_COLUMN_rotation_angle ? "deg" : "");
  CT_DATA_COLUMNS(X)
#undef X
}

/* How many files belong to the stream of files[0]. */
static size_t stream_length(const struct ct_run_file *files, size_t n)
{
  size_t length = 1;
  while (length < n && strcmp(files[length].stream, files[0].stream) == 0)
    length++;
  return length;
}

static void soft(hid_t group, const char *name, const char *format, const char *stream)
{
  char target[200];
  snprintf(target, sizeof target, "/entry/instrument/%s/%s", stream, format);
  H5Lcreate_soft(target, group, name, H5P_DEFAULT, H5P_DEFAULT);
}

/* NXtomo as its readers want it; entry1/tomo_entry is where Savu's loader looks. */
static void put_tomo(hid_t file, const char *stream)
{
  static const char *const axes[] = { "rotation_angle", ".", "." };
  hid_t entry = make_group(file, "entry_tomo", "NXentry");
  put_text(entry, "definition", "NXtomo");
  put_text(entry, "title", stream);
  hid_t instrument = make_group(entry, "instrument", "NXinstrument");
  hid_t detector = make_group(instrument, "detector", "NXdetector");
  soft(detector, "data", "data", stream);
  soft(detector, "image_key", "image_key", stream);
  H5Gclose(detector);
  hid_t source = make_group(instrument, "source", "NXsource");
  put_text(source, "probe", "x-ray");
  H5Gclose(source);
  H5Gclose(instrument);
  hid_t sample = make_group(entry, "sample", "NXsample");
  soft(sample, "rotation_angle", "rotation_angle", stream);
  H5Gclose(sample);
  hid_t data = make_group(entry, "data", "NXdata");
  ct_h5_text(data, "signal", "data");
  ct_h5_texts(data, "axes", axes, 3);
  soft(data, "data", "data", stream);
  soft(data, "rotation_angle", "rotation_angle", stream);
  soft(data, "image_key", "image_key", stream);
  H5Gclose(data);
  H5Gclose(entry);
  H5Gclose(make_group(file, "entry1", "NXentry"));
  H5Lcreate_soft("/entry_tomo", file, "entry1/tomo_entry", H5P_DEFAULT, H5P_DEFAULT);
}

static void put_instrument(hid_t file, hid_t entry, const struct ct_master *master)
{
  bool tomo = false;
  hid_t instrument = make_group(entry, "instrument", "NXinstrument");
  for (size_t i = 0; i < master->n_files;) {
    const struct ct_run_file *files = &master->files[i];
    const size_t n = stream_length(files, master->n_files - i);
    hid_t detector = make_group(instrument, files->stream, "NXdetector");
    link_files(detector, files, n);
    if (master->end_ns != 0) {
      put_frames(detector, files, n);
      if (files->role == CT_ROLE_CAMERA && !tomo && H5Lexists(detector, "data", H5P_DEFAULT) > 0) {
        put_tomo(file, files->stream);
        tomo = true;
      }
    }
    H5Gclose(detector);
    i += n;
  }
  H5Gclose(instrument);
}

/* ---- results, scalars, provenance ------------------------------------------------------------------------ */

static void link_numbered(hid_t entry, const struct ct_master *master, const char *kind, unsigned n)
{
  char path[CT_PATH], name[16];
  hid_t group = make_group(entry, kind, "NXcollection");
  for (unsigned i = 0; i < n; i++) {
    ct_folder_file(master->folder, kind, i, path);
    snprintf(name, sizeof name, "%06u", i);
    if (access(path, F_OK) == 0)
      H5Lcreate_external(base_name(path), "/entry", group, name, H5P_DEFAULT, H5P_DEFAULT);
  }
  H5Gclose(group);
}

/* Later analyses, as many as there are. */
static void link_processes(hid_t entry, const struct ct_folder *folder)
{
  char path[CT_PATH], name[32];
  for (unsigned i = 0;; i++) {
    ct_folder_file(folder, "process", i, path);
    if (access(path, F_OK) != 0)
      return;
    snprintf(name, sizeof name, "process_%06u", i);
    if (H5Lexists(entry, name, H5P_DEFAULT) <= 0)
      H5Lcreate_external(base_name(path), "/entry/process", entry, name, H5P_DEFAULT, H5P_DEFAULT);
  }
}

static void put_map(hid_t entry, const struct ct_master *master)
{
  static const char *const axes[] = { "y", "x" };
  const hsize_t dims[] = { master->rows, master->cols };
  if (master->emf == NULL || master->rows == 0)
    return;
  double *pixel = ct_xcalloc(master->rows > master->cols ? master->rows : master->cols, sizeof *pixel);
  for (uint32_t i = 0; i < master->rows || i < master->cols; i++)
    pixel[i] = i;
  hid_t group = make_group(entry, "emf", "NXdata");
  ct_h5_text(group, "signal", "emf");
  ct_h5_texts(group, "axes", axes, 2);
  put_numbers(group, "emf", H5T_NATIVE_FLOAT, 2, dims, master->emf, "");
  put_numbers(group, "emf_errors", H5T_NATIVE_FLOAT, 2, dims, master->sigma, "");
  put_numbers(group, "y", H5T_NATIVE_DOUBLE, 1, dims, pixel, "pixel");
  put_numbers(group, "x", H5T_NATIVE_DOUBLE, 1, dims + 1, pixel, "pixel");
  H5Gclose(group);
  free(pixel);
  ct_h5_text(entry, "default", "emf");
}

static void put_streams(hid_t entry, const struct ct_master *master)
{
  hid_t streams = make_group(entry, "streams", "NXcollection");
  for (size_t i = 0; i < master->n_counters; i++) {
    const struct ct_snapshot_stream *stream = &master->counters[i];
    hid_t group = make_group(streams, stream->name, "NXcollection");
    put_text(group, "endpoint", stream->endpoint);
    put_text(group, "role", ct_role_word(stream->role));
    put_text(group, "format", stream->format);
    put_text(group, "first_rejected", stream->first_rejected);
    put_count(group, "frames", stream->frames);
    put_count(group, "lost", stream->lost);
    put_count(group, "late", stream->late);
    put_count(group, "rejected", stream->rejected);
    put_count(group, "ignored", stream->ignored);
    put_count(group, "restarts", stream->restarts);
    put_count(group, "last_number", stream->last_number);
    H5Gclose(group);
  }
  H5Gclose(streams);
}

static void put_provenance(hid_t entry, const struct ct_master *master)
{
  char host[256] = "";
  gethostname(host, sizeof host - 1);
  hid_t group = make_group(entry, "provenance", "NXprocess");
  put_text(group, "program", master->program);
  put_text(group, "configuration", master->configuration);
  put_text(group, "host", host);
  H5Gclose(group);
}

/* Scalars as NXlog, one a channel, out of the closed logs. */
static void put_channel(hid_t group, const char *name, const double *time_s, const double *value, hsize_t n,
                        int64_t start_ns)
{
  char start[CT_TIME_TEXT];
  hid_t log = make_group(group, name, "NXlog");
  put_numbers(log, "time", H5T_NATIVE_DOUBLE, 1, &n, time_s, "s");
  put_numbers(log, "value", H5T_NATIVE_DOUBLE, 1, &n, value, "");
  hid_t set = H5Dopen2(log, "time", H5P_DEFAULT);
  ct_h5_text(set, "start", ct_time_text(start_ns, start));
  H5Dclose(set);
  H5Gclose(log);
}

static hsize_t length_of(hid_t file, const char *name)
{
  hsize_t n = 0;
  hid_t set = H5Dopen2(file, name, H5P_DEFAULT), space = H5Dget_space(set);
  if (H5Sget_simple_extent_ndims(space) == 1)
    H5Sget_simple_extent_dims(space, &n, NULL);
  H5Sclose(space);
  H5Dclose(set);
  return n;
}

static bool read_all(hid_t file, const char *name, hid_t type, void *out)
{
  hid_t set = H5Dopen2(file, name, H5P_DEFAULT);
  bool good = set >= 0 && H5Dread(set, type, H5S_ALL, H5S_ALL, H5P_DEFAULT, out) >= 0;
  H5Dclose(set);
  return good;
}

static void put_scalars_of(hid_t group, hid_t log, int64_t start_ns)
{
  const hsize_t n = length_of(log, "/entry/scalars/value"), n_names = length_of(log, "/entry/scalars/channel_name");
  if (n == 0 || n_names == 0 || length_of(log, "/entry/scalars/time") != n || length_of(log, "/entry/scalars/channel") != n)
    return;
  enum { NAME = 64 };
  char (*names)[NAME] = ct_xcalloc(n_names, NAME);
  int64_t *time_ns = ct_xcalloc(n, sizeof *time_ns);
  uint16_t *channel = ct_xcalloc(n, sizeof *channel);
  double *value = ct_xcalloc(n, sizeof *value), *times = ct_xcalloc(n, sizeof *times),
         *values = ct_xcalloc(n, sizeof *values);
  hid_t type = H5Tcopy(H5T_C_S1);
  H5Tset_size(type, NAME);
  H5Tset_cset(type, H5T_CSET_UTF8);
  bool good = read_all(log, "/entry/scalars/time", H5T_NATIVE_INT64, time_ns) &&
              read_all(log, "/entry/scalars/channel", H5T_NATIVE_UINT16, channel) &&
              read_all(log, "/entry/scalars/value", H5T_NATIVE_DOUBLE, value) &&
              read_all(log, "/entry/scalars/channel_name", type, names);
  for (hsize_t c = 0; good && c < n_names; c++) {
    hsize_t count = 0;
    for (hsize_t i = 0; i < n; i++)
      if (channel[i] == c) {
        times[count] = (double)(time_ns[i] - start_ns) / 1e9;
        values[count++] = value[i];
      }
    names[c][NAME - 1] = '\0';
    for (char *slash; (slash = strchr(names[c], '/')) != NULL;)
      *slash = '_';
    if (count > 0 && names[c][0] != '\0' && strcmp(names[c], ".") != 0)
      put_channel(group, names[c], times, values, count, start_ns);
  }
  H5Tclose(type);
  free(values);
  free(times);
  free(value);
  free(channel);
  free(time_ns);
  free(names);
}

static void put_scalars(hid_t entry, const struct ct_master *master)
{
  char path[CT_PATH], name[24];
  hid_t group = make_group(entry, "electrochemistry", "NXcollection"), part, log;
  for (unsigned i = 0; i < master->n_logs; i++) {
    ct_folder_file(master->folder, "log", i, path);
    if (ct_h5_open_file(&log, path, NULL) != 0)
      continue;
    /* One session after another; of a run without interruption there is one. */
    snprintf(name, sizeof name, "session_%u", i);
    part = i == 0 ? group : make_group(group, name, "NXcollection");
    put_scalars_of(part, log, master->start_ns);
    if (part != group)
      H5Gclose(part);
    H5Fclose(log);
  }
  H5Gclose(group);
}

static void put_entry(hid_t file, hid_t entry, const struct ct_master *master)
{
  put_text(entry, "title", master->folder->name);
  put_text(entry, "entry_identifier", master->folder->name);
  put_time(entry, "start_time", master->start_ns);
  if (master->end_ns != 0)
    put_time(entry, "end_time", master->end_ns);
  put_instrument(file, entry, master);
  link_numbered(entry, master, "results", master->n_results);
  link_numbered(entry, master, "log", master->n_logs);
  link_processes(entry, master->folder);
  put_streams(entry, master);
  put_provenance(entry, master);
  put_map(entry, master);
  if (master->end_ns != 0)
    put_scalars(entry, master);
}

static int sync_folder(const char *path)
{
  int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (fd < 0)
    return CT_EIO;
  int rc = fsync(fd) == 0 ? 0 : CT_EIO;
  close(fd);
  return rc;
}

int ct_master_write(const struct ct_master *master, struct ct_err *err)
{
  char path[CT_PATH], temporary[CT_PATH];
  struct ct_store *store;
  ct_folder_path(master->folder, ".nxs", path);
  ct_folder_path(master->folder, ".nxs.new", temporary);
  unlink(temporary);
  int rc = ct_store_create(&store, temporary, 0, err);
  if (rc != 0)
    return rc;
  hid_t entry = H5Gopen2(store->file, "entry", H5P_DEFAULT);
  put_entry(store->file, entry, master);
  H5Gclose(entry);
  rc = ct_store_close(store, NULL, err);
  if (rc != 0) {
    unlink(temporary);
    return rc;
  }
  if (rename(temporary, path) != 0 || sync_folder(master->folder->path) != 0)
    return ct_err_set(err, CT_EIO, "%s: cannot be written: %s", path, strerror(errno));
  return 0;
}

/* ---- later ------------------------------------------------------------------------------------------------- */

static int copy_file(const char *from, const char *to)
{
  char bytes[1 << 16];
  size_t n;
  FILE *in = fopen(from, "rb"), *out = in != NULL ? fopen(to, "wb") : NULL;
  bool good = out != NULL;
  while (good && (n = fread(bytes, 1, sizeof bytes, in)) > 0)
    good = fwrite(bytes, 1, n, out) == n;
  good = good && !ferror(in);
  if (in != NULL)
    fclose(in);
  if (out != NULL && fclose(out) != 0)
    good = false;
  return good ? 0 : CT_EIO;
}

static int sync_file(const char *path)
{
  int fd = open(path, O_RDONLY | O_CLOEXEC);
  int rc = fd >= 0 && fsync(fd) == 0 ? 0 : CT_EIO;
  if (fd >= 0)
    close(fd);
  return rc;
}

int ct_master_link_processes(const struct ct_folder *folder, struct ct_err *err)
{
  char path[CT_PATH], temporary[CT_PATH];
  ct_h5_begin();
  ct_folder_path(folder, ".nxs", path);
  ct_folder_path(folder, ".nxs.new", temporary);
  if (copy_file(path, temporary) != 0)
    return ct_err_set(err, CT_EIO, "%s: cannot be written: %s", temporary, strerror(errno));
  hid_t file = H5Fopen(temporary, H5F_ACC_RDWR, H5P_DEFAULT), entry = H5Gopen2(file, "entry", H5P_DEFAULT);
  if (entry >= 0)
    link_processes(entry, folder);
  bool good = entry >= 0 && H5Gclose(entry) >= 0;
  good = H5Fclose(file) >= 0 && good;
  if (good && sync_file(temporary) == 0 && rename(temporary, path) == 0 && sync_folder(folder->path) == 0)
    return 0;
  unlink(temporary);
  return ct_err_set(err, CT_EIO, "%s: cannot be written anew; comptop-archive repair may help", path);
}
