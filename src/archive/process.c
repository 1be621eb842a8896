/* Results of a later analysis of a run, beside those it was collected with: RUN_process_000000.h5, an NXprocess that the
 * master links to. */
#include "archive/folder.h"
#include "archive/h5.h"
#include "archive/logfile.h"
#include "archive/master.h"
#include "archive/nexus.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct ct_run_process {
  struct ct_folder folder;
  struct ct_results_file results;
  char path[CT_PATH], temporary[CT_PATH + 8];
  struct ct_run_slice slice;           /* size 0: none */
  float *slice_values;
  char axis_method[24];
};

static void free_process(struct ct_run_process *process)
{
  ct_folder_unlock(&process->folder);
  free(process->slice_values);
  free(process);
}

static void remove_temporary(const struct ct_run_process *process)
{
  char journal[CT_STORE_PATH + 16];
  ct_store_journal_path(process->temporary, journal);
  unlink(process->temporary);
  unlink(journal);
}

int ct_run_process_open(struct ct_run_process **out, const char *run, const struct ct_run_setup *setup, struct ct_err *err)
{
  struct ct_run_process *process = ct_xcalloc(1, sizeof *process);
  struct ct_folder_entry *entries = NULL;
  size_t n = 0;
  *out = NULL;
  process->folder.lock = -1;
  int rc = ct_folder_find(&process->folder, run, err);
  if (rc == 0)
    rc = ct_folder_lock(&process->folder, err);
  if (rc == 0)
    rc = ct_folder_list(&process->folder, &entries, &n, err);
  if (rc == 0) {
    struct ct_run_setup mine = *setup;
    mine.name = process->folder.name;
    ct_folder_file(&process->folder, "process", ct_folder_next(entries, n, "process"), process->path);
    snprintf(process->temporary, sizeof process->temporary, "%s.new", process->path);
    remove_temporary(process);         /* of one that was interrupted: we hold the lock */
    rc = ct_results_create(&process->results, process->temporary, &mine, true, ct_time_wall_ns(), err);
  }
  free(entries);
  if (rc != 0) {
    free_process(process);
    return rc;
  }
  *out = process;
  return 0;
}

int ct_run_process_append(struct ct_run_process *process, const struct ct_run_results *results)
{
  return ct_results_append(&process->results, results) == 0 ? 0 : CT_EARCHIVE;
}

int ct_run_process_slice(struct ct_run_process *process, const struct ct_run_slice *slice)
{
  const size_t bytes = (size_t)slice->size * slice->size * sizeof *slice->values;
  float *values = malloc(bytes);
  if (values == NULL)
    return CT_ENOMEM;
  memcpy(values, slice->values, bytes);
  free(process->slice_values);
  snprintf(process->axis_method, sizeof process->axis_method, "%s", slice->axis_method);
  process->slice = *slice;
  process->slice.values = process->slice_values = values;
  process->slice.axis_method = process->axis_method;
  return 0;
}

/* An edge of the slice: where its pixels' centres are, from the axis. */
static void put_edge(hid_t group, const char *name, const struct ct_run_slice *slice, double sign)
{
  const hsize_t n = slice->size;
  const bool known = isfinite(slice->pixel_um);
  double *centre = ct_xcalloc(n, sizeof *centre);
  for (hsize_t i = 0; i < n; i++)
    centre[i] = sign * ((double)i - ((double)n - 1) / 2) * (known ? slice->pixel_um : 1);
  ct_nx_values(group, name, H5T_NATIVE_DOUBLE, 1, &n, centre, known ? "um" : "pixel");
  free(centre);
}

static void put_slice(hid_t entry, const struct ct_run_slice *slice)
{
  static const char *const axes[] = { "y", "x" };
  const hsize_t dims[] = { slice->size, slice->size };
  hid_t group = ct_nx_group(entry, "slice", "NXdata");
  ct_h5_text(group, "signal", "attenuation");
  ct_h5_texts(group, "axes", axes, 2);
  ct_nx_values(group, "attenuation", H5T_NATIVE_FLOAT, 2, dims, slice->values, isfinite(slice->pixel_um) ? "1/cm" : "1/pixel");
  put_edge(group, "y", slice, -1);
  put_edge(group, "x", slice, 1);
  ct_nx_count(group, "projections", slice->projections);
  ct_nx_real(group, "axis", slice->axis_px, "pixel");
  ct_nx_real(group, "axis_errors", slice->axis_sigma_px, "pixel");
  ct_nx_text(group, "axis_method", slice->axis_method);
  ct_nx_real(group, "tilt", slice->tilt_deg, "deg");
  ct_nx_real(group, "tilt_errors", slice->tilt_sigma_deg, "deg");
  ct_nx_real(group, "rotation", slice->rotation_deg, "deg");
  H5Gclose(group);
}

/* What the numbers came from, and the numbers again, under one roof. */
static int describe(const struct ct_run_process *process, struct ct_err *err)
{
  static const char *const parts[] = { "totals", "maps", "spectra", "slice" };
  char why[CT_H5_WHY];
  hid_t file = H5Fopen(process->temporary, H5F_ACC_RDWR, H5P_DEFAULT);
  if (file < 0)
    return ct_err_set(err, CT_EIO, "%s: cannot be opened: %s", process->temporary, ct_h5_why(why));
  hid_t entry = H5Gopen2(file, "entry", H5P_DEFAULT), group = H5Gopen2(entry, "process", H5P_DEFAULT);
  const char *first = process->results.maps ? "maps" : process->slice.size > 0 ? "slice" : "totals";
  if (process->slice.size > 0)
    put_slice(entry, &process->slice);
  for (size_t i = 0; i < sizeof parts / sizeof *parts; i++) {
    char path[40];
    snprintf(path, sizeof path, "/entry/%s", parts[i]);
    if (H5Lexists(file, path, H5P_DEFAULT) > 0)
      H5Lcreate_hard(file, path, group, parts[i], H5P_DEFAULT, H5P_DEFAULT);
  }
  ct_h5_text(group, "default", first);
  if (!process->results.maps && process->slice.size > 0) {
    H5Adelete(entry, "default");
    ct_h5_text(entry, "default", first);
  }
  bool good = H5Gclose(group) >= 0 && H5Gclose(entry) >= 0;
  return H5Fclose(file) >= 0 && good ? 0 : ct_err_set(err, CT_EIO, "%s: cannot be written: %s", process->temporary,
                                                     ct_h5_why(why));
}

int ct_run_process_close(struct ct_run_process *process, bool keep, char *path, size_t path_bytes, struct ct_err *err)
{
  if (process == NULL)
    return 0;
  int rc = ct_results_close(&process->results, NULL, err);
  if (rc == 0 && keep)
    rc = describe(process, err);
  if (rc == 0 && keep && rename(process->temporary, process->path) != 0)
    rc = ct_err_set(err, CT_EIO, "%s: cannot be named so: %s", process->path, strerror(errno));
  if (rc == 0 && keep)
    rc = ct_master_link_processes(&process->folder, err);
  if (rc != 0 || !keep)
    remove_temporary(process);
  if (path != NULL)
    snprintf(path, path_bytes, "%s", process->path);
  free_process(process);
  return rc;
}
