/* A camera's frames as the readers of tomography want them. */
#include "archive/datafile.h"
#include "archive/h5.h"
#include "archive/nexus.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void soft(hid_t group, const char *name, const char *stream, const char *what)
{
  char target[200];
  snprintf(target, sizeof target, "/entry/instrument/%s/%s", stream, what);
  ct_nx_soft(group, name, target);
}

/* NXtomo wants a monitor for each frame; there is none here, and 1 says that nothing is to be corrected. */
static void put_control(hid_t entry, uint64_t n)
{
  const hsize_t dims = n;
  const double one = 1;
  hid_t group = ct_nx_group(entry, "control", "NXmonitor");
  hid_t space = H5Screate_simple(1, &dims, NULL), plist = H5Pcreate(H5P_DATASET_CREATE);
  H5Pset_fill_value(plist, H5T_NATIVE_DOUBLE, &one);
  hid_t set = H5Dcreate2(group, "data", H5T_NATIVE_DOUBLE, space, H5P_DEFAULT, plist, H5P_DEFAULT);
  ct_h5_text(set, "units", "1");
  ct_h5_text(set, "long_name", "no beam monitor: 1 for each frame");
  H5Dclose(set);
  H5Pclose(plist);
  H5Sclose(space);
  H5Gclose(group);
}

static void put_entry(hid_t file, const char *run, const char *stream, uint64_t n)
{
  static const char *const axes[] = { "rotation_angle", ".", "." };
  hid_t entry = ct_nx_group(file, "entry_tomo", "NXentry");
  ct_nx_text(entry, "definition", "NXtomo");
  ct_nx_text(entry, "title", run);
  ct_nx_soft(entry, "start_time", "/entry/start_time");
  ct_nx_soft(entry, "end_time", "/entry/end_time");
  ct_h5_text(entry, "default", "data");
  hid_t instrument = ct_nx_group(entry, "instrument", "NXinstrument");
  hid_t detector = ct_nx_group(instrument, "detector", "NXdetector");
  soft(detector, "data", stream, "data");
  soft(detector, "image_key", stream, "image_key");
  soft(detector, "image_key_control", stream, "image_key");
  soft(detector, "x_pixel_size", stream, "x_pixel_size");
  soft(detector, "y_pixel_size", stream, "y_pixel_size");
  H5Gclose(detector);
  ct_nx_soft(instrument, "source", "/entry/instrument/source");
  ct_nx_soft(instrument, "beam", "/entry/instrument/beam");
  H5Gclose(instrument);
  hid_t sample = ct_nx_group(entry, "sample", "NXsample");
  ct_nx_text(sample, "name", run);
  soft(sample, "rotation_angle", stream, "rotation_angle");
  H5Gclose(sample);
  put_control(entry, n);
  hid_t data = ct_nx_group(entry, "data", "NXdata");
  ct_h5_text(data, "signal", "data");
  ct_h5_texts(data, "axes", axes, 3);
  soft(data, "data", stream, "data");
  soft(data, "rotation_angle", stream, "rotation_angle");
  soft(data, "image_key", stream, "image_key");
  H5Gclose(data);
  H5Gclose(entry);
  H5Gclose(ct_nx_group(file, "entry1", "NXentry"));
  ct_nx_soft(file, "entry1/tomo_entry", "/entry_tomo");
}

/* ---- Data Exchange: projections, flats and darks apart ----------------------------------------------------------- */

/* Frames of one file with one image key. */
struct part {
  size_t file;
  uint64_t first, n;
  int32_t key;
};

static struct part *parts_of(const struct ct_run_file *files, size_t n_files, size_t *n)
{
  size_t room = 64;
  struct part *parts = ct_xcalloc(room, sizeof *parts);
  *n = 0;
  for (size_t i = 0; i < n_files; i++) {
    char spec[CT_PATH + 64];
    struct ct_h5_frames *column;
    int32_t *keys = ct_xcalloc(files[i].n, sizeof *keys);
    snprintf(spec, sizeof spec, "%s:/entry/%s", files[i].path, ct_data_column_name(CT_COLUMN_image_key));
    bool good = ct_h5_open_column(&column, spec, files[i].n, NULL) == 0;
    if (good) {
      good = ct_h5_read_as(column, 0, files[i].n, CT_I32, keys, NULL) == 0;
      ct_h5_close_frames(column);
    }
    for (uint64_t k = 0; good && k < files[i].n; k++) {
      struct part *last = *n > 0 ? &parts[*n - 1] : NULL;
      if (last != NULL && last->file == i && last->key == keys[k]) {
        last->n++;
        continue;
      }
      if (*n == room) {
        struct part *more = realloc(parts, 2 * room * sizeof *parts);
        if (more == NULL)
          break;
        parts = more;
        room *= 2;
      }
      parts[(*n)++] = (struct part){ .file = i, .first = k, .n = 1, .key = keys[k] };
    }
    free(keys);
  }
  return parts;
}

static void put_selected(hid_t group, const char *name, const char *source_name, hid_t type, int rank,
                         const struct ct_run_file *files, const struct part *parts, size_t n, int32_t key,
                         const char *units)
{
  hsize_t dims[] = { 0, files->rows, files->cols }, at = 0;
  char inside[80];
  for (size_t i = 0; i < n; i++)
    dims[0] += parts[i].key == key ? parts[i].n : 0;
  if (dims[0] == 0)
    return;
  snprintf(inside, sizeof inside, "/entry/%s", source_name);
  hid_t space = H5Screate_simple(rank, dims, NULL), plist = H5Pcreate(H5P_DATASET_CREATE);
  for (size_t i = 0; i < n; i++) {
    if (parts[i].key != key)
      continue;
    const hsize_t all[] = { files[parts[i].file].n, files->rows, files->cols }, from[] = { parts[i].first, 0, 0 };
    const hsize_t to[] = { at, 0, 0 }, count[] = { parts[i].n, files->rows, files->cols };
    hid_t source = H5Screate_simple(rank, all, NULL);
    H5Sselect_hyperslab(source, H5S_SELECT_SET, from, NULL, count, NULL);
    H5Sselect_hyperslab(space, H5S_SELECT_SET, to, NULL, count, NULL);
    H5Pset_virtual(plist, space, ct_nx_base_name(files[parts[i].file].path), inside, source);
    H5Sclose(source);
    at += parts[i].n;
  }
  H5Sselect_all(space);
  hid_t set = H5Dcreate2(group, name, type, space, H5P_DEFAULT, plist, H5P_DEFAULT);
  ct_h5_text(set, "units", units);
  H5Dclose(set);
  H5Pclose(plist);
  H5Sclose(space);
}

static void put_exchange(hid_t file, const struct ct_run_file *files, size_t n_files)
{
  static const struct { const char *name; int32_t key; } sets[] = {
    { "data", CT_KEY_PROJECTION }, { "data_white", CT_KEY_FLAT }, { "data_dark", CT_KEY_DARK } };
  size_t n;
  struct part *parts = parts_of(files, n_files, &n);
  hid_t group = ct_nx_group(file, "exchange", "NXcollection");
  for (size_t i = 0; i < sizeof sets / sizeof *sets; i++)
    put_selected(group, sets[i].name, "data", ct_h5_native(files->type), 3, files, parts, n, sets[i].key, "counts");
  put_selected(group, "theta", ct_data_column_name(CT_COLUMN_rotation_angle), H5T_NATIVE_DOUBLE, 1, files, parts, n,
               CT_KEY_PROJECTION, "deg");
  H5Gclose(group);
  free(parts);
}

void ct_nx_tomo(hid_t file, const char *run, const char *stream, const struct ct_run_file *files, size_t n_files)
{
  uint64_t n = 0;
  for (size_t i = 0; i < n_files; i++)
    n += files[i].n;
  put_entry(file, run, stream, n);
  put_exchange(file, files, n_files);
}
