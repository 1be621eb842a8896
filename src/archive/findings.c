/* The results of a run, put together. */
#include "archive/export.h"
#include "archive/h5.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { RANK = 4 };

void ct_findings_free(struct ct_findings *f)
{
  free(f->edge_keV);
  free(f->counts);
  free(f->emf);
  free(f->sigma);
  free(f->map_counts);
  *f = (struct ct_findings){ 0 };
}

static int shape_of(hid_t set, hsize_t dims[RANK])
{
  hid_t space = H5Dget_space(set);
  int rank = H5Sget_simple_extent_ndims(space);
  if (rank < 1 || rank > RANK || H5Sget_simple_extent_dims(space, dims, NULL) < 0)
    rank = 0;
  H5Sclose(space);
  return rank;
}

/* Row <row> of a data set of rank <rank>, a slab of everything behind the first axis. */
static bool read_row(hid_t set, int rank, const hsize_t *dims, hsize_t row, hid_t type, void *out)
{
  hsize_t start[RANK] = { row }, count[RANK];
  memcpy(count, dims, sizeof count);
  count[0] = 1;
  hid_t space = H5Dget_space(set), memory = H5Screate_simple(rank, count, NULL);
  bool good = H5Sselect_hyperslab(space, H5S_SELECT_SET, start, NULL, count, NULL) >= 0 &&
              H5Dread(set, type, memory, space, H5P_DEFAULT, out) >= 0;
  H5Sclose(memory);
  H5Sclose(space);
  return good;
}

static bool read_edges(struct ct_findings *f, hid_t file)
{
  hsize_t dims[RANK] = { 0 };
  hid_t set = H5Dopen2(file, "/entry/spectra/energy", H5P_DEFAULT);
  bool good = set >= 0 && shape_of(set, dims) == 1 && dims[0] == f->bins;
  double *centre = ct_xcalloc((size_t)f->bins + 1, sizeof *centre);
  good = good && H5Dread(set, H5T_NATIVE_DOUBLE, H5S_ALL, H5S_ALL, H5P_DEFAULT, centre) >= 0;
  H5Dclose(set);
  /* Over all bins, so that no rounding of a step adds up: the first of 0:200:0.2 starts at 0. */
  const double width = f->bins > 1 ? (centre[f->bins - 1] - centre[0]) / (f->bins - 1) : 1, start = centre[0] - width / 2;
  for (uint32_t i = 0; i <= f->bins; i++)
    centre[i] = start + i * width;
  f->edge_keV = centre;
  return good;
}

/* Adds the spectra of one session; one of another shape than the first stays out. */
static bool add_spectra(struct ct_findings *f, hid_t file)
{
  hsize_t dims[RANK] = { 0 };
  hid_t set = H5Dopen2(file, "/entry/spectra/counts", H5P_DEFAULT);
  if (set < 0)
    return true;
  bool good = shape_of(set, dims) == RANK && dims[1] > 0 && dims[2] > 0 && dims[3] > 0 &&
              dims[1] <= 16384 && dims[2] <= 16384 && dims[3] <= UINT32_MAX / 16384 / 16384 + (1 << 20);
  if (good && dims[0] > 0 && f->counts == NULL) {
    f->rows = (uint32_t)dims[1];
    f->cols = (uint32_t)dims[2];
    f->bins = (uint32_t)dims[3];
    f->counts = ct_xcalloc((size_t)dims[1] * dims[2] * dims[3], sizeof *f->counts);
    good = read_edges(f, file);
  }
  if (good && dims[0] > 0 && dims[1] == f->rows && dims[2] == f->cols && dims[3] == f->bins) {
    const size_t n = (size_t)f->rows * f->cols * f->bins;
    uint32_t *line = ct_xcalloc(n, sizeof *line);
    for (hsize_t t = 0; good && t < dims[0]; t++) {
      good = read_row(set, RANK, dims, t, H5T_NATIVE_UINT32, line);
      for (size_t i = 0; good && i < n; i++)
        f->counts[i] += line[i];
    }
    free(line);
  }
  H5Dclose(set);
  return good;
}

static float *last_map(struct ct_findings *f, hid_t file, const char *path)
{
  hsize_t dims[RANK] = { 0 };
  float *map = NULL;
  hid_t set = H5Dopen2(file, path, H5P_DEFAULT);
  if (set >= 0 && shape_of(set, dims) == 3 && dims[0] > 0 && dims[1] <= 16384 && dims[2] <= 16384 &&
      (f->rows == 0 || (dims[1] == f->rows && dims[2] == f->cols))) {
    f->rows = (uint32_t)dims[1];
    f->cols = (uint32_t)dims[2];
    map = ct_xcalloc((size_t)f->rows * f->cols, sizeof *map);
    if (!read_row(set, 3, dims, dims[0] - 1, H5T_NATIVE_FLOAT, map)) {
      free(map);
      map = NULL;
    }
  }
  if (set >= 0)
    H5Dclose(set);
  return map;
}

static void take_map(struct ct_findings *f, hid_t file)
{
  float *emf = last_map(f, file, "/entry/maps/emf"), *sigma = last_map(f, file, "/entry/maps/emf_errors"),
        *counts = last_map(f, file, "/entry/maps/counts");
  if (emf != NULL && sigma != NULL && counts != NULL) {
    free(f->emf);
    free(f->sigma);
    free(f->map_counts);
    f->emf = emf;
    f->sigma = sigma;
    f->map_counts = counts;
    return;
  }
  free(emf);
  free(sigma);
  free(counts);
}

int ct_findings_read(struct ct_findings *f, const struct ct_folder *folder, struct ct_err *err)
{
  struct ct_folder_entry *entries;
  size_t n;
  *f = (struct ct_findings){ 0 };
  int rc = ct_folder_list(folder, &entries, &n, err);
  for (size_t i = 0; rc == 0 && i < n; i++) {
    char path[CT_PATH];
    hid_t file;
    if (strcmp(entries[i].kind, "results") != 0)
      continue;
    ct_folder_file(folder, "results", entries[i].index, path);
    rc = ct_h5_open_file(&file, path, err);
    if (rc != 0)
      break;
    if (!add_spectra(f, file))
      rc = ct_err_set(err, CT_EIO, "%s: its spectra cannot be read: damaged?", path);
    take_map(f, file);
    H5Fclose(file);
  }
  free(entries);
  if (rc == 0 && f->counts == NULL && f->emf == NULL)
    rc = ct_err_set(err, CT_ENODATA, "%s: the run holds no spectra and no map", folder->path);
  if (rc != 0)
    ct_findings_free(f);
  return rc;
}
