#include "archive/nexus.h"

#include "archive/h5.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

hid_t ct_nx_group(hid_t parent, const char *name, const char *class)
{
  ct_h5_group(parent, name, class);
  return H5Gopen2(parent, name, H5P_DEFAULT);
}

void ct_nx_text(hid_t group, const char *name, const char *text)
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

void ct_nx_time(hid_t group, const char *name, int64_t time_ns)
{
  char text[CT_TIME_TEXT];
  ct_nx_text(group, name, ct_time_text(time_ns, text));
}

void ct_nx_values(hid_t group, const char *name, hid_t type, int rank, const hsize_t *dims, const void *values,
                  const char *units)
{
  hid_t space = rank ? H5Screate_simple(rank, dims, NULL) : H5Screate(H5S_SCALAR);
  hid_t set = H5Dcreate2(group, name, type, space, H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT);
  H5Dwrite(set, type, H5S_ALL, H5S_ALL, H5P_DEFAULT, values);
  ct_h5_text(set, "units", units);
  H5Dclose(set);
  H5Sclose(space);
}

void ct_nx_count(hid_t group, const char *name, uint64_t value)
{
  ct_nx_values(group, name, H5T_NATIVE_UINT64, 0, NULL, &value, "1");
}

void ct_nx_real(hid_t group, const char *name, double value, const char *units)
{
  if (!isnan(value))
    ct_nx_values(group, name, H5T_NATIVE_DOUBLE, 0, NULL, &value, units);
}

void ct_nx_soft(hid_t group, const char *name, const char *target)
{
  if (H5Oexists_by_name(group, target, H5P_DEFAULT) > 0)
    H5Lcreate_soft(target, group, name, H5P_DEFAULT, H5P_DEFAULT);
}

const char *ct_nx_base_name(const char *path)
{
  const char *slash = strrchr(path, '/');
  return slash != NULL ? slash + 1 : path;
}

/* ---- frames of many files ------------------------------------------------------------------------------------- */

static bool same_kind(const struct ct_run_file *a, const struct ct_run_file *b)
{
  return a->rows == b->rows && a->cols == b->cols && a->type == b->type && a->events == b->events;
}

struct ct_run_file *ct_nx_main_kind(const struct ct_run_file *files, size_t n_files, size_t *n, uint64_t *n_frames)
{
  const struct ct_run_file *best = NULL;
  struct ct_run_file *list = ct_xcalloc(n_files + 1, sizeof *list);
  *n = 0;
  *n_frames = 0;
  for (size_t i = 0; i < n_files; i++) {
    uint64_t sum = 0;
    if (i > 0 && same_kind(&files[i], &files[i - 1]))
      continue;                          /* counted with the one before */
    for (size_t k = 0; k < n_files; k++)
      sum += same_kind(&files[k], &files[i]) ? files[k].n : 0;
    if (sum > *n_frames) {
      *n_frames = sum;
      best = &files[i];
    }
  }
  for (size_t i = 0; best != NULL && i < n_files; i++)
    if (same_kind(&files[i], best) && files[i].n > 0)
      list[(*n)++] = files[i];
  return list;
}

void ct_nx_virtual(hid_t group, const char *name, const char *inside, hid_t type, int rank, const struct ct_run_file *files,
                   size_t n_files, const char *units)
{
  hsize_t dims[] = { 0, files->rows, files->cols }, at = 0;
  for (size_t i = 0; i < n_files; i++)
    dims[0] += files[i].n;
  hid_t space = H5Screate_simple(rank, dims, NULL), plist = H5Pcreate(H5P_DATASET_CREATE);
  for (size_t i = 0; i < n_files; i++) {
    const hsize_t start[] = { at, 0, 0 }, count[] = { files[i].n, files->rows, files->cols };
    hid_t source = H5Screate_simple(rank, count, NULL);
    H5Sselect_hyperslab(space, H5S_SELECT_SET, start, NULL, count, NULL);
    H5Pset_virtual(plist, space, ct_nx_base_name(files[i].path), inside, source);
    H5Sclose(source);
    at += files[i].n;
  }
  H5Sselect_all(space);
  hid_t set = H5Dcreate2(group, name, type, space, H5P_DEFAULT, plist, H5P_DEFAULT);
  ct_h5_text(set, "units", units);
  H5Dclose(set);
  H5Pclose(plist);
  H5Sclose(space);
}
