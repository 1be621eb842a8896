/* What the logs of a run list as lost or missed. */
#include "archive/folder.h"
#include "archive/h5.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static uint64_t *read_column(const char *path, const char *name, uint64_t n)
{
  char spec[CT_PATH + 64];
  struct ct_h5_frames *column;
  uint64_t *values = ct_xcalloc(n + 1, sizeof *values);
  snprintf(spec, sizeof spec, "%s:/entry/gaps/%s", path, name);
  if (n > 0 && ct_h5_open_column(&column, spec, n, NULL) == 0) {
    if (ct_h5_read_as(column, 0, n, CT_U64, values, NULL) != 0)
      memset(values, 0, n * sizeof *values);
    ct_h5_close_frames(column);
  }
  return values;
}

/* How many gaps a log lists, and the names of the streams it counts by; *names is to be reclaimed. */
static hsize_t open_gaps(const char *path, char (**names)[CT_NAME], size_t *n_names)
{
  hid_t file;
  hsize_t count = 0;
  *names = NULL;
  *n_names = 0;
  if (ct_h5_open_file(&file, path, NULL) != 0)
    return 0;
  hid_t set = H5Dopen2(file, "/entry/gaps/reason", H5P_DEFAULT);
  const hsize_t n = ct_h5_length(set);
  H5Dclose(set);
  hid_t attribute = H5Aopen_by_name(file, "/entry/gaps", "streams", H5P_DEFAULT, H5P_DEFAULT);
  hid_t type = H5Aget_type(attribute), all = H5Aget_space(attribute);
  if (attribute >= 0 && H5Tis_variable_str(type) > 0 && H5Sget_simple_extent_ndims(all) == 1 &&
      H5Sget_simple_extent_dims(all, &count, NULL) > 0 && count <= 256) {
    char *texts[256] = { NULL };
    *names = ct_xcalloc(count, sizeof **names);
    if (H5Aread(attribute, type, texts) >= 0) {
      *n_names = count;
      for (hsize_t i = 0; i < count; i++)
        snprintf((*names)[i], CT_NAME, "%s", texts[i] != NULL ? texts[i] : "");
      H5Dvlen_reclaim(type, all, H5P_DEFAULT, texts);
    }
  }
  H5Sclose(all);
  H5Tclose(type);
  H5Aclose(attribute);
  H5Fclose(file);
  return n;
}

struct ct_listed *ct_folder_gaps(const struct ct_folder *folder, size_t *n)
{
  struct ct_folder_entry *entries;
  struct ct_listed *gaps = NULL;
  size_t n_entries;
  *n = 0;
  if (ct_folder_list(folder, &entries, &n_entries, NULL) != 0)
    return NULL;
  for (size_t i = 0; i < n_entries; i++) {
    char path[CT_PATH], (*names)[CT_NAME];
    size_t n_names;
    if (strcmp(entries[i].kind, "log") != 0)
      continue;
    ct_folder_file(folder, "log", entries[i].index, path);
    const hsize_t here = open_gaps(path, &names, &n_names);
    uint64_t *first = read_column(path, "first", here), *last = read_column(path, "last", here),
             *reason = read_column(path, "reason", here), *stream = read_column(path, "stream", here);
    struct ct_listed *more = realloc(gaps, (*n + here + 1) * sizeof *more);
    gaps = more != NULL ? more : gaps;
    for (hsize_t k = 0; more != NULL && k < here; k++)
      if (last[k] >= first[k] && stream[k] < n_names) {
        struct ct_listed *gap = &gaps[(*n)++];
        *gap = (struct ct_listed){ .first = first[k], .last = last[k],
                                   .reason = reason[k] == CT_GAP_MISSED ? CT_GAP_MISSED : CT_GAP_LOST };
        memcpy(gap->stream, names[stream[k]], CT_NAME);
      }
    free(stream);
    free(reason);
    free(last);
    free(first);
    free(names);
  }
  free(entries);
  return gaps;
}
