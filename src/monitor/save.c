#include "save.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <comptop/report.h>

struct ct_request save_request(void) { return (struct ct_request){ .kind = CT_SECTION_SLICE }; }

static int by_value(const void *a, const void *b)
{
  float x = *(const float *)a, y = *(const float *)b;
  return (x > y) - (x < y);
}

/* What is black and what is white: the 1st and the 99th of a hundred. False: no value at all. */
static bool set_range(struct ct_picture_file *picture)
{
  size_t all = (size_t)picture->rows * picture->cols, n = 0;
  float *sorted = ct_xcalloc(all, sizeof *sorted);
  for (size_t i = 0; i < all; i++)
    if (isfinite(picture->values[i]))
      sorted[n++] = picture->values[i];
  if (n > 0) {
    qsort(sorted, n, sizeof *sorted, by_value);
    picture->low = (double)sorted[n / 100];
    picture->high = (double)sorted[n - 1 - n / 100];
    if (!(picture->high > picture->low))
      picture->high = picture->low + 1;
  }
  free(sorted);
  return n > 0;
}

/* Without an ending; a run may be called anything. */
static void name_it(char *name, size_t bytes, const struct ct_snapshot_core *core)
{
  char when[32];
  time_t now = (time_t)(core->wall_ns / CT_NS_PER_S);
  struct tm utc;
  gmtime_r(&now, &utc);
  strftime(when, sizeof when, "%Y%m%dT%H%M%S", &utc);
  snprintf(name, bytes, "comptop-%s-slice-%s.%03dZ", core->run, when, (int)(core->wall_ns % CT_NS_PER_S / 1000000));
  for (char *c = name; *c != '\0'; c++)
    if (*c == '/' || (unsigned char)*c < 0x20)
      *c = '_';
}

static int write_files(const struct ct_picture_file *picture, const char *name, struct ct_err *err)
{
  char path[160];
  snprintf(path, sizeof path, "%s.tif", name);
  int code = ct_picture_tiff(picture, path, err);
  snprintf(path, sizeof path, "%s.png", name);
  return code == 0 ? ct_picture_png(picture, path, err) : code;
}

bool save_slice(const struct ct_snapshot *snapshot, char *said, size_t bytes)
{
  const struct ct_request request = save_request();
  const struct ct_snapshot_ct *ct = &snapshot->core.ct;
  struct ct_slice_view slice;
  struct ct_err err;
  char name[128], text[160];
  if (!ct_snapshot_slice(snapshot, &request, &slice))
    return false;
  struct ct_picture_file picture = { .values = slice.values, .rows = slice.head->size, .cols = slice.head->size,
                                     .pixel_um = slice.head->pixel_um, .text = text };
  if (!set_range(&picture)) {
    snprintf(said, bytes, "no projections yet: there is nothing to save");
    return true;
  }
  snprintf(text, sizeof text, "attenuation %s, row %u, %u projections, %.1f of %g degrees, axis %.2f px",
           isfinite(picture.pixel_um) ? "1/cm" : "per pixel", (unsigned)ct->slice_row, (unsigned)slice.head->projections,
           ct->covered_deg, ct->rotation_deg, ct->axis_px);
  name_it(name, sizeof name, &snapshot->core);
  if (write_files(&picture, name, &err) != 0)
    snprintf(said, bytes, "%s", err.text);
  else
    snprintf(said, bytes, "%s.tif and .png", name);
  return true;
}
