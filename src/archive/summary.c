/* A run in a few numbers. */
#include "archive/folder.h"
#include "archive/h5.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static double *read_totals(const char *path, const char *name, hsize_t *n)
{
  hid_t file;
  double *values = NULL;
  char inside[64];
  *n = 0;
  if (ct_h5_open_file(&file, path, NULL) != 0)
    return NULL;
  snprintf(inside, sizeof inside, "/entry/totals/%s", name);
  hid_t set = H5Dopen2(file, inside, H5P_DEFAULT);
  *n = ct_h5_length(set);
  if (*n > 0) {
    values = ct_xcalloc(*n, sizeof *values);
    if (H5Dread(set, H5T_NATIVE_DOUBLE, H5S_ALL, H5S_ALL, H5P_DEFAULT, values) < 0) {
      free(values);
      values = NULL;
      *n = 0;
    }
  }
  H5Dclose(set);
  H5Fclose(file);
  return values;
}

/* A column of texts of fixed length, each with an end; NULL: none. The caller's to free(). */
static char *read_texts(hid_t file, const char *name, size_t bytes, hsize_t *n)
{
  char *texts = NULL;
  hid_t type = H5Tcopy(H5T_C_S1), set = H5Dopen2(file, name, H5P_DEFAULT);
  H5Tset_size(type, bytes);
  H5Tset_cset(type, H5T_CSET_UTF8);
  *n = ct_h5_length(set);
  if (*n > 0) {
    texts = ct_xcalloc(*n, bytes);
    if (H5Dread(set, type, H5S_ALL, H5S_ALL, H5P_DEFAULT, texts) < 0)
      *n = 0;
  }
  for (hsize_t i = 0; i < *n; i++)
    texts[(i + 1) * bytes - 1] = '\0';
  H5Dclose(set);
  H5Tclose(type);
  return texts;
}

/* They are read among the alarms, where runs of every version have them. */
static void tell_markers(const char *path, void (*each)(void *context, int64_t time_ns, const char *text), void *context)
{
  const size_t id_bytes = sizeof ((struct ct_snapshot_alarm *)0)->id, text_bytes = sizeof ((struct ct_snapshot_alarm *)0)->text;
  char spec[CT_PATH + 32];
  struct ct_h5_frames *times;
  hsize_t n, n_texts;
  hid_t file;
  if (ct_h5_open_file(&file, path, NULL) != 0)
    return;
  char *ids = read_texts(file, "/entry/alarms/id", id_bytes, &n);
  char *texts = read_texts(file, "/entry/alarms/text", text_bytes, &n_texts);
  snprintf(spec, sizeof spec, "%s:/entry/alarms/time", path);
  if (n > 0 && n_texts == n && ct_h5_open_column(&times, spec, n, NULL) == 0) {
    for (hsize_t i = 0; i < n; i++) {
      int64_t time_ns;
      if (strcmp(ids + i * id_bytes, CT_MARKER_ID) == 0 && ct_h5_read_as(times, i, 1, CT_I64, &time_ns, NULL) == 0)
        each(context, time_ns, texts + i * text_bytes);
    }
    ct_h5_close_frames(times);
  }
  free(texts);
  free(ids);
  H5Fclose(file);
}

int ct_run_markers(const char *run, void (*each)(void *context, int64_t time_ns, const char *text), void *context,
                   struct ct_err *err)
{
  struct ct_folder folder;
  struct ct_folder_entry *entries;
  size_t n;
  int rc = ct_folder_find(&folder, run, err);
  if (rc == 0)
    rc = ct_folder_list(&folder, &entries, &n, err);
  if (rc != 0)
    return rc;
  for (size_t i = 0; i < n; i++) {
    char path[CT_PATH];
    ct_folder_file(&folder, entries[i].kind, entries[i].index, path);
    if (strcmp(entries[i].kind, "log") == 0)
      tell_markers(path, each, context);
  }
  free(entries);
  return 0;
}

static void add_results(const char *path, struct ct_run_summary *out, double *sum)
{
  hsize_t n, n_sigma;
  double *emf = read_totals(path, "emf", &n), *sigma = read_totals(path, "emf_errors", &n_sigma);
  for (hsize_t i = 0; emf != NULL && sigma != NULL && i < n && i < n_sigma; i++) {
    if (!isfinite(emf[i]))
      continue;
    *sum += emf[i];
    out->emf_lines++;
    out->emf_last = emf[i];
    out->emf_last_sigma = sigma[i];
  }
  free(sigma);
  free(emf);
}

int ct_run_summarise(const char *run, struct ct_run_summary *out, struct ct_err *err)
{
  struct ct_folder folder;
  struct ct_folder_entry *entries;
  size_t n, n_gaps;
  double sum = 0;
  *out = (struct ct_run_summary){ .emf_mean = NAN, .emf_last = NAN, .emf_last_sigma = NAN };
  int rc = ct_folder_find(&folder, run, err);
  if (rc == 0)
    rc = ct_folder_list(&folder, &entries, &n, err);
  if (rc != 0)
    return rc;
  snprintf(out->name, sizeof out->name, "%s", folder.name);
  for (size_t i = 0; i < n; i++) {
    char path[CT_PATH];
    ct_folder_file(&folder, entries[i].kind, entries[i].index, path);
    if (strcmp(entries[i].kind, "results") == 0)
      add_results(path, out, &sum);
    out->sessions += strcmp(entries[i].kind, "results") == 0;
  }
  free(entries);
  if (out->emf_lines > 0)
    out->emf_mean = sum / (double)out->emf_lines;
  struct ct_listed *gaps = ct_folder_gaps(&folder, &n_gaps);
  for (size_t i = 0; i < n_gaps; i++)
    *(gaps[i].reason == CT_GAP_MISSED ? &out->missed : &out->lost) += gaps[i].last - gaps[i].first + 1;
  free(gaps);
  return 0;
}
