/* Maps from wherever they may come: a number, a text file, an HDF5 data set. And what a run says of its settings. */
#include "archive/folder.h"
#include "archive/h5.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static bool is_hdf5(const char *path)
{
  static const unsigned char signature[8] = { 0x89, 'H', 'D', 'F', '\r', '\n', 0x1a, '\n' };
  unsigned char head[8];
  FILE *file = fopen(path, "rb");
  if (file == NULL)
    return false;
  bool yes = fread(head, 1, sizeof head, file) == sizeof head && memcmp(head, signature, sizeof head) == 0;
  fclose(file);
  return yes;
}

int ct_map_read(const char *spec, uint32_t rows, uint32_t cols, bool whole, double *out, struct ct_err *err)
{
  const size_t pixels = (size_t)rows * cols;
  const char *dataset;
  double number;
  if (ct_parse_real(spec, &number) == 0) {
    for (size_t i = 0; i < pixels; i++)
      out[i] = number;
    return 0;
  }
  if (ct_parse_dataset(spec, &dataset) > 0 || is_hdf5(spec))
    return ct_h5_read_map(spec, rows, cols, whole, out, err);
  return ct_core_map_read(spec, pixels, out, err);
}

static void configuration_path(const struct ct_folder *folder, unsigned index, char path[CT_PATH])
{
  char suffix[32];
  snprintf(suffix, sizeof suffix, "_config_%06u.conf", index);
  ct_folder_path(folder, suffix, path);
}

/* A log that was begun after a failure of the disk, or by a repair, is of no new session and has no settings. */
unsigned ct_folder_last_session(const struct ct_folder *folder, unsigned n_logs)
{
  char path[CT_PATH];
  while (n_logs > 0) {
    configuration_path(folder, --n_logs, path);
    if (access(path, F_OK) == 0)
      return n_logs;
  }
  return 0;
}

char *ct_folder_configuration(const struct ct_folder *folder, unsigned index)
{
  enum { MOST_BYTES = 1 << 18 };
  char path[CT_PATH], *text = ct_xcalloc(MOST_BYTES, 1);
  configuration_path(folder, index, path);
  FILE *file = fopen(path, "r");
  if (file != NULL) {
    text[fread(text, 1, MOST_BYTES - 1, file)] = '\0';
    fclose(file);
  }
  return text;
}

static void map_path(const struct ct_folder *folder, const char *name, unsigned index, char path[CT_PATH])
{
  char suffix[80];
  snprintf(suffix, sizeof suffix, "_%.40s_%06u.txt", name, index);
  ct_folder_path(folder, suffix, path);
}

bool ct_folder_finish_text(FILE *file)
{
  bool good = file != NULL && fflush(file) == 0 && fsync(fileno(file)) == 0;
  if (file != NULL && fclose(file) != 0)
    good = false;
  return good;
}

int ct_folder_write_maps(const struct ct_folder *folder, unsigned index, const struct ct_run_map *maps, size_t n,
                         struct ct_err *err)
{
  for (size_t i = 0; i < n; i++) {
    char path[CT_PATH];
    map_path(folder, maps[i].name, index, path);
    FILE *file = fopen(path, "w");
    bool good = file != NULL;
    for (size_t p = 0; good && p < (size_t)maps[i].rows * maps[i].cols; p++)
      good = fprintf(file, "%.17g\n", maps[i].values[p]) > 0;
    if (!ct_folder_finish_text(file) || !good)
      return ct_err_set(err, CT_EIO, "%s: cannot be written: %s", path, strerror(errno));
  }
  return 0;
}

/* The last session of a run. */
static int last_session(struct ct_folder *folder, const char *run, unsigned *index, struct ct_err *err)
{
  struct ct_folder_entry *entries = NULL;
  size_t n;
  int rc = ct_folder_find(folder, run, err);
  if (rc == 0)
    rc = ct_folder_list(folder, &entries, &n, err);
  if (rc != 0)
    return rc;
  *index = ct_folder_last_session(folder, ct_folder_next(entries, n, "log"));
  free(entries);
  return 0;
}

bool ct_run_name(const char *run, char *name, size_t name_bytes)
{
  struct ct_folder folder;
  return ct_folder_find(&folder, run, NULL) == 0 && snprintf(name, name_bytes, "%s", folder.name) < (int)name_bytes;
}

bool ct_run_map(const char *run, const char *name, char *path, size_t path_bytes)
{
  struct ct_folder folder;
  char found[CT_PATH];
  unsigned index;
  if (last_session(&folder, run, &index, NULL) != 0)
    return false;
  map_path(&folder, name, index, found);
  return access(found, R_OK) == 0 && snprintf(path, path_bytes, "%s", found) < (int)path_bytes;
}

int ct_run_configuration(const char *run, char **text, char *path, size_t path_bytes, struct ct_err *err)
{
  struct ct_folder folder;
  char found[CT_PATH];
  unsigned index;
  *text = NULL;
  int rc = last_session(&folder, run, &index, err);
  if (rc != 0)
    return rc;
  *text = ct_folder_configuration(&folder, index);
  configuration_path(&folder, index, found);
  if (path != NULL)
    snprintf(path, path_bytes, "%s", found);
  return 0;
}

void ct_run_stream_format(const char *run, const char *stream, char *format, size_t format_bytes)
{
  char path[CT_PATH], name[CT_PATH], *text = NULL;
  struct ct_folder folder;
  hid_t file;
  format[0] = '\0';
  if (ct_folder_find(&folder, run, NULL) != 0)
    return;
  ct_folder_path(&folder, ".nxs", path);
  if (ct_h5_open_file(&file, path, NULL) != 0)
    return;
  snprintf(name, sizeof name, "/entry/streams/%s/format", stream);
  hid_t set = H5Dopen2(file, name, H5P_DEFAULT), type = H5Dget_type(set);
  if (H5Tis_variable_str(type) > 0 && H5Dread(set, type, H5S_ALL, H5S_ALL, H5P_DEFAULT, &text) >= 0 && text != NULL) {
    snprintf(format, format_bytes, "%s", text);
    H5free_memory(text);
  }
  H5Tclose(type);
  H5Dclose(set);
  H5Fclose(file);
}
