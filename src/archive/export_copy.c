/* Frames again in other files: a camera's alone, or a whole run unpacked. */
#include "archive/datafile.h"
#include "archive/export.h"
#include "archive/h5.h"
#include "archive/nexus.h"
#include "archive/store.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static void show(const struct ct_run_export *job, const char *what, uint64_t done, uint64_t all)
{
  if (job->progress != NULL)
    job->progress(job->context, what, done, all);
}

/* ---- NXtomo ------------------------------------------------------------------------------------------------------ */

/* Creates [n,rows,cols] or [n], to be filled by put_part(). */
static hid_t make_set(hid_t group, const char *name, hid_t type, int rank, const hsize_t *dims, const char *units)
{
  const hsize_t chunk[] = { rank == 3 ? 1 : dims[0], dims[1], dims[2] };
  hid_t space = H5Screate_simple(rank, dims, NULL), plist = H5Pcreate(H5P_DATASET_CREATE);
  if (rank == 3)
    H5Pset_chunk(plist, rank, chunk);
  hid_t set = H5Dcreate2(group, name, type, space, H5P_DEFAULT, plist, H5P_DEFAULT);
  ct_h5_text(set, "units", units);
  H5Pclose(plist);
  H5Sclose(space);
  return set;
}

static bool put_part(hid_t set, int rank, hsize_t at, const hsize_t *count, hid_t type, const void *values)
{
  const hsize_t start[] = { at, 0, 0 };
  hid_t space = H5Dget_space(set), memory = H5Screate_simple(rank, count, NULL);
  bool good = H5Sselect_hyperslab(space, H5S_SELECT_SET, start, NULL, count, NULL) >= 0 &&
              H5Dwrite(set, type, memory, space, H5P_DEFAULT, values) >= 0;
  H5Sclose(memory);
  H5Sclose(space);
  return good;
}

struct tomo {
  const struct ct_run_export *job;
  hid_t data, keys, angles;
  uint64_t n, done;
};

static int copy_camera_file(struct tomo *tomo, const struct ct_run_file *file, struct ct_err *err)
{
  char spec[CT_PATH + 16];
  struct ct_h5_frames *frames;
  struct ct_run_columns *columns = NULL;
  const hsize_t one[] = { 1, file->rows, file->cols };
  snprintf(spec, sizeof spec, "%s:/entry/data", file->path);
  int rc = ct_h5_open_frames(&frames, spec, err);
  if (rc != 0)
    return rc;
  void *pixels = ct_xcalloc((size_t)file->rows * file->cols, ct_type_bytes(file->type));
  rc = ct_run_columns_open(&columns, frames, err);
  for (uint64_t k = 0; rc == 0 && k < file->n; k++, tomo->done++) {
    uint64_t number;
    struct ct_attributes attributes;
    const struct ct_run_rows row = { .numbers = &number, .attributes = &attributes };
    rc = ct_h5_read_frames(frames, k, 1, pixels, err);
    if (rc == 0)
      rc = ct_run_columns_read(columns, k, 1, &row, err);
    const int32_t key = attributes.image_key;
    if (rc == 0 && !(put_part(tomo->data, 3, tomo->done, one, ct_h5_native(file->type), pixels) &&
                     put_part(tomo->keys, 1, tomo->done, one, H5T_NATIVE_INT32, &key) &&
                     put_part(tomo->angles, 1, tomo->done, one, H5T_NATIVE_DOUBLE, &attributes.angle_deg)))
      rc = CT_EIO;
    show(tomo->job, "frames", tomo->done + 1, tomo->n);
  }
  free(pixels);
  ct_run_columns_close(columns);
  ct_h5_close_frames(frames);
  return rc;
}

/* The tree of NXtomo; its large data sets are left open in <tomo>. */
static void make_tree(hid_t entry, const char *run, const struct ct_run_file *kind, int64_t start_ns, struct tomo *tomo)
{
  static const char *const axes[] = { "rotation_angle", ".", "." };
  const hsize_t dims[] = { tomo->n, kind->rows, kind->cols };
  ct_nx_text(entry, "definition", "NXtomo");
  ct_nx_text(entry, "title", run);
  ct_nx_time(entry, "start_time", start_ns);
  ct_h5_text(entry, "default", "data");
  hid_t instrument = ct_nx_group(entry, "instrument", "NXinstrument"), source = ct_nx_group(instrument, "source", "NXsource");
  ct_nx_text(source, "probe", "x-ray");
  H5Gclose(source);
  hid_t detector = ct_nx_group(instrument, "detector", "NXdetector");
  tomo->data = make_set(detector, "data", ct_h5_native(kind->type), 3, dims, "counts");
  tomo->keys = make_set(detector, "image_key", H5T_NATIVE_INT32, 1, dims, "1");
  H5Gclose(detector);
  H5Gclose(instrument);
  hid_t sample = ct_nx_group(entry, "sample", "NXsample");
  ct_nx_text(sample, "name", run);
  tomo->angles = make_set(sample, "rotation_angle", H5T_NATIVE_DOUBLE, 1, dims, "deg");
  H5Gclose(sample);
  hid_t data = ct_nx_group(entry, "data", "NXdata");
  ct_h5_text(data, "signal", "data");
  ct_h5_texts(data, "axes", axes, 3);
  ct_nx_soft(data, "data", "/entry/instrument/detector/data");
  ct_nx_soft(data, "image_key", "/entry/instrument/detector/image_key");
  ct_nx_soft(data, "rotation_angle", "/entry/sample/rotation_angle");
  H5Gclose(data);
}

int ct_export_tomo(const struct ct_run_export *job, const struct ct_folder *folder, const char *path, struct ct_err *err)
{
  struct ct_run_file *files, *cameras;
  struct tomo tomo = { .job = job };
  struct ct_store *store;
  char part[CT_EXPORT_PART];
  size_t n_files, n_cameras = 0, n_kind;
  int rc = ct_run_files(job->run, &files, &n_files, err);
  if (rc != 0)
    return rc;
  for (size_t i = 0; i < n_files; i++)
    if (files[i].role == CT_ROLE_CAMERA && files[i].closed &&
        (n_cameras == 0 || strcmp(files[i].stream, files[0].stream) == 0))
      files[n_cameras++] = files[i];
  cameras = ct_nx_main_kind(files, n_cameras, &n_kind, &tomo.n);
  if (n_kind == 0)
    rc = ct_err_set(err, CT_ENODATA, "%s: the run holds no finished frames of a camera", job->run);
  else
    rc = ct_export_prepare(path, part, err);
  if (rc == 0)
    rc = ct_store_create(&store, part, CT_STORE_PLAIN, err);
  if (rc != 0)
    goto out;
  hid_t entry = H5Gopen2(store->file, "entry", H5P_DEFAULT);
  make_tree(entry, folder->name, cameras, cameras->first_arrival_ns, &tomo);
  for (size_t i = 0; i < n_kind && rc == 0; i++)
    rc = copy_camera_file(&tomo, &cameras[i], err);
  H5Dclose(tomo.data);
  H5Dclose(tomo.keys);
  H5Dclose(tomo.angles);
  H5Gclose(entry);
  int closed = ct_store_close(store, NULL, err);
  rc = ct_export_finish(path, rc != 0 ? rc : closed, err);
out:
  free(cameras);
  free(files);
  return rc;
}

/* ---- a run unpacked ------------------------------------------------------------------------------------------------ */

static herr_t copy_attribute(hid_t from, const char *name, const H5A_info_t *info, void *context)
{
  const hid_t to = *(hid_t *)context;
  (void)info;
  if (H5Aexists(to, name) > 0)
    return 0;
  hid_t attribute = H5Aopen(from, name, H5P_DEFAULT), type = H5Aget_type(attribute), space = H5Aget_space(attribute);
  hid_t copy = H5Acreate2(to, name, type, space, H5P_DEFAULT, H5P_DEFAULT);
  const size_t bytes = (size_t)H5Sget_simple_extent_npoints(space) * H5Tget_size(type);
  void *value = ct_xcalloc(bytes + 1, 1);
  herr_t rc = H5Aread(attribute, type, value) >= 0 && H5Awrite(copy, type, value) >= 0 ? 0 : -1;
  if (H5Tis_variable_str(type) > 0)
    H5Dvlen_reclaim(type, space, H5P_DEFAULT, value);
  free(value);
  H5Aclose(copy);
  H5Sclose(space);
  H5Tclose(type);
  H5Aclose(attribute);
  return rc;
}

static bool copy_values(hid_t from, hid_t to, hid_t type, hid_t memory, hid_t space, void *values)
{
  const bool good = H5Dread(from, type, memory, space, H5P_DEFAULT, values) >= 0;
  const bool put = good && H5Dwrite(to, type, memory, space, H5P_DEFAULT, values) >= 0;
  if (good && H5Tis_variable_str(type) > 0)
    H5Dvlen_reclaim(type, memory == H5S_ALL ? space : memory, H5P_DEFAULT, values);
  return put;
}

/* A chunk's rows at a time; <chunk> 0: all at once, of what is no larger than a map. */
static bool copy_rows(hid_t from, hid_t to, hid_t type, hid_t space, hsize_t chunk)
{
  hsize_t dims[4] = { 1 };
  const int rank = H5Sget_simple_extent_ndims(space);
  size_t row_bytes = H5Tget_size(type);
  if (rank > 0)
    H5Sget_simple_extent_dims(space, dims, NULL);
  for (int i = 1; i < rank; i++)
    row_bytes *= dims[i];
  const hsize_t step = chunk > 0 ? chunk : dims[0];
  void *values = ct_xcalloc(step, row_bytes);
  bool good = chunk > 0 || dims[0] == 0 || copy_values(from, to, type, H5S_ALL, space, values);
  for (hsize_t at = 0; chunk > 0 && good && at < dims[0]; at += step) {
    hsize_t start[4] = { at }, count[4];
    memcpy(count, dims, sizeof count);
    count[0] = dims[0] - at < step ? dims[0] - at : step;
    hid_t memory = H5Screate_simple(rank, count, NULL);
    good = H5Sselect_hyperslab(space, H5S_SELECT_SET, start, NULL, count, NULL) >= 0 &&
           copy_values(from, to, type, memory, space, values);
    H5Sclose(memory);
  }
  free(values);
  return good;
}

/* A data set without its filters. H5Ocopy() would crash on one that is damaged. */
static bool copy_set(hid_t from, hid_t to_group, const char *name)
{
  hsize_t chunk[4] = { 0 };
  hid_t plist = H5Dget_create_plist(from), space = H5Dget_space(from), type = H5Dget_type(from), to = H5I_INVALID_HID;
  const int rank = H5Sget_simple_extent_ndims(space);
  const bool chunked = H5Pget_layout(plist) == H5D_CHUNKED;
  bool good = rank >= 0 && rank <= 4 && (!chunked || (rank >= 1 && H5Pget_chunk(plist, rank, chunk) == rank));
  if (good && H5Pget_nfilters(plist) > 0)
    good = H5Premove_filter(plist, H5Z_FILTER_ALL) >= 0;
  if (good)
    to = H5Dcreate2(to_group, name, type, space, H5P_DEFAULT, plist, H5P_DEFAULT);
  good = to >= 0 && H5Aiterate2(from, H5_INDEX_NAME, H5_ITER_INC, NULL, copy_attribute, &to) >= 0 &&
         copy_rows(from, to, type, space, chunk[0]);
  if (to >= 0)
    H5Dclose(to);
  H5Tclose(type);
  H5Sclose(space);
  H5Pclose(plist);
  return good;
}

static herr_t copy_link(hid_t from, const char *name, const H5L_info_t *info, void *context)
{
  const hid_t to = *(hid_t *)context;
  if (info->type != H5L_TYPE_HARD)
    return H5Lcopy(from, name, to, name, H5P_DEFAULT, H5P_DEFAULT);
  hid_t object = H5Oopen(from, name, H5P_DEFAULT);
  herr_t rc = -1;
  if (H5Iget_type(object) == H5I_GROUP) {
    hid_t group = H5Gcreate2(to, name, H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT);
    if (group >= 0 && H5Aiterate2(object, H5_INDEX_NAME, H5_ITER_INC, NULL, copy_attribute, &group) >= 0)
      rc = H5Literate(object, H5_INDEX_NAME, H5_ITER_INC, NULL, copy_link, &group);
    H5Gclose(group);
  } else if (H5Iget_type(object) == H5I_DATASET)
    rc = copy_set(object, to, name) ? 0 : -1;
  H5Oclose(object);
  return rc;
}

static int copy_h5(const char *from, const char *to, struct ct_err *err)
{
  struct ct_store *store;
  char why[CT_H5_WHY] = "";
  hid_t file, in = H5I_INVALID_HID, out = H5I_INVALID_HID;
  int rc = ct_h5_open_file(&file, from, err);
  if (rc != 0)
    return rc;
  rc = ct_store_create(&store, to, 0, err);
  if (rc == 0) {
    in = H5Gopen2(file, "entry", H5P_DEFAULT);
    out = H5Gopen2(store->file, "entry", H5P_DEFAULT);
    if (H5Aiterate2(in, H5_INDEX_NAME, H5_ITER_INC, NULL, copy_attribute, &out) < 0 ||
        H5Literate(in, H5_INDEX_NAME, H5_ITER_INC, NULL, copy_link, &out) < 0)
      rc = ct_err_set(err, CT_EIO, "%s: cannot be copied: %s", from, store->why ? strerror(store->why) : ct_h5_why(why));
    H5Gclose(out);
    H5Gclose(in);
    int closed = ct_store_close(store, NULL, rc == 0 ? err : NULL);
    rc = rc != 0 ? rc : closed;
  }
  H5Fclose(file);
  return rc;
}

static int copy_text(const char *from, const char *to, struct ct_err *err)
{
  char bytes[1 << 14];
  size_t n;
  FILE *out, *in = fopen(from, "rb");
  if (in == NULL)
    return ct_err_set(err, CT_EIO, "%s: %s", from, strerror(errno));
  int rc = ct_export_begin(&out, to, err);
  while (rc == 0 && (n = fread(bytes, 1, sizeof bytes, in)) > 0)
    fwrite(bytes, 1, n, out);
  if (rc == 0)
    rc = ct_export_end(out, to, ferror(in) ? CT_EIO : 0, err);
  fclose(in);
  return rc;
}

static bool ends_in(const char *name, const char *end)
{
  const size_t a = strlen(name), b = strlen(end);
  return a >= b && strcmp(name + a - b, end) == 0;
}

/* Files of the run and no others: HDF5 unpacked, settings, maps and the master as they are. */
static int copy_one(const struct ct_folder *folder, const char *name, const char *to_folder, struct ct_err *err)
{
  char from[CT_PATH + 260], to[CT_EXPORT_PART + 260];
  if (strncmp(name, folder->name, strlen(folder->name)) != 0)
    return 0;
  snprintf(from, sizeof from, "%s/%s", folder->path, name);
  snprintf(to, sizeof to, "%s/%s", to_folder, name);
  if (ends_in(name, ".h5"))
    return copy_h5(from, to, err);
  return ends_in(name, ".nxs") || ends_in(name, ".conf") || ends_in(name, ".txt") ? copy_text(from, to, err) : 0;
}

int ct_export_plain(const struct ct_run_export *job, const struct ct_folder *folder, const char *path, struct ct_err *err)
{
  struct dirent **names;
  char part[CT_EXPORT_PART];
  int rc = ct_export_prepare(path, part, err);
  if (rc == 0 && mkdir(part, 0777) != 0)
    rc = ct_err_set(err, CT_EIO, "%s: cannot be made: %s", path, strerror(errno));
  if (rc != 0)
    return rc;
  int n = scandir(folder->path, &names, NULL, alphasort);
  if (n < 0)
    return ct_export_finish(path, ct_err_set(err, CT_EIO, "%s: %s", folder->path, strerror(errno)), err);
  for (int i = 0; i < n; i++) {
    if (rc == 0)
      rc = copy_one(folder, names[i]->d_name, part, err);
    show(job, "files", (uint64_t)i + 1, (uint64_t)n);
    free(names[i]);
  }
  free(names);
  if (rc == 0)
    rc = ct_run_repair(part, NULL, NULL, err);   /* the master, with the new files */
  return ct_export_finish(path, rc, err);
}
