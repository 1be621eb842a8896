/* Where a tomography file keeps its frames, darks, flats, angles and keys: Data Exchange and NXtomo. */
#include "archive/h5.h"

#include <stdio.h>
#include <string.h>

static bool has(hid_t file, const char *path)
{
  char part[CT_SCAN_PATH];
  /* H5Lexists wants every group on the way to exist. */
  for (const char *slash = strchr(path + 1, '/'); slash != NULL; slash = strchr(slash + 1, '/')) {
    snprintf(part, sizeof part, "%.*s", (int)(slash - path), path);
    if (H5Lexists(file, part, H5P_DEFAULT) <= 0)
      return false;
  }
  return H5Lexists(file, path, H5P_DEFAULT) > 0 && H5Oexists_by_name(file, path, H5P_DEFAULT) > 0;
}

static void keep(hid_t file, char out[CT_SCAN_PATH], const char *before, const char *name)
{
  char path[CT_SCAN_PATH];
  if (snprintf(path, sizeof path, "%s%s", before, name) < (int)sizeof path && has(file, path))
    memcpy(out, path, sizeof path);
}

struct search {
  char entry[CT_SCAN_PATH];            /* what stands before "/instrument/detector/image_key" */
};

static herr_t look_at(hid_t file, const char *name, const H5O_info_t *info, void *context)
{
  static const char end[] = "/instrument/detector/image_key";
  struct search *search = context;
  const size_t n = strlen(name), m = sizeof end - 1;
  (void)file;
  if (info->type != H5O_TYPE_DATASET || n < m || n - m + 1 >= CT_SCAN_PATH || strcmp(name + n - m, end) != 0)
    return 0;
  snprintf(search->entry, sizeof search->entry, "/%.*s", (int)(n - m), name);
  return 1;
}

static void find_nxtomo(hid_t file, struct ct_h5_scan *out)
{
  struct search search = { "" };
  if (H5Ovisit2(file, H5_INDEX_NAME, H5_ITER_INC, look_at, &search, H5O_INFO_BASIC) <= 0)
    return;
  keep(file, out->frames, search.entry, "/instrument/detector/data");
  keep(file, out->image_key, search.entry, "/instrument/detector/image_key");
  keep(file, out->angles, search.entry, "/data/rotation_angle");
  keep(file, out->angles, search.entry, "/sample/rotation_angle");
}

bool ct_h5_scan_find(const char *path, struct ct_h5_scan *out)
{
  hid_t file;
  memset(out, 0, sizeof *out);
  if (ct_h5_open_file(&file, path, NULL) != 0)
    return false;
  keep(file, out->frames, "/exchange", "/data");
  if (out->frames[0] != '\0') {
    keep(file, out->darks, "/exchange", "/data_dark");
    keep(file, out->flats, "/exchange", "/data_white");
    keep(file, out->angles, "/exchange", "/theta");
  } else {
    find_nxtomo(file, out);
  }
  H5Fclose(file);
  return out->frames[0] != '\0';
}
