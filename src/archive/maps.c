/* Maps from wherever they may come: a number, a text file, an HDF5 data set. And the settings a run was made with. */
#include "archive/folder.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

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

char *ct_folder_configuration(const struct ct_folder *folder, unsigned index)
{
  enum { MOST_BYTES = 1 << 18 };
  char path[CT_PATH], suffix[32], *text = ct_xcalloc(MOST_BYTES, 1);
  snprintf(suffix, sizeof suffix, "_config_%06u.conf", index);
  ct_folder_path(folder, suffix, path);
  FILE *file = fopen(path, "r");
  if (file != NULL) {
    text[fread(text, 1, MOST_BYTES - 1, file)] = '\0';
    fclose(file);
  }
  return text;
}

int ct_run_configuration(const char *run, char **text, struct ct_err *err)
{
  struct ct_folder folder;
  struct ct_folder_entry *entries = NULL;
  size_t n;
  *text = NULL;
  int rc = ct_folder_find(&folder, run, err);
  if (rc == 0)
    rc = ct_folder_list(&folder, &entries, &n, err);
  if (rc != 0)
    return rc;
  const unsigned sessions = ct_folder_next(entries, n, "log");
  free(entries);
  *text = ct_folder_configuration(&folder, sessions > 0 ? sessions - 1 : 0);
  return 0;
}
