/* The axis from many rows of whole images together: what a row of them has too little of shows in all. */
#include <math.h>
#include <stdlib.h>

#include "tomo/axis.h"
#include "tomo/internal.h"
#include "tomo/volume.h"

/* Rows to either side of the one that is asked for: with more of them an axis that leans would be off by too much. */
enum { AROUND = 32 };
/* And as many as a lean that is known leaves to a quarter of a column. */
#define APART_PX 0.25

/* Makes facings ready of <pairs> pairs of the detector row <down> below <row>; false: there is nothing in it. */
static bool face_row(const struct ct_volume *volume, struct ct_axis_finder *f, uint32_t pairs, double row, double down, float *lines,
                     struct ct_facings *facings)
{
  const struct ct_volume_setup *s = ct_volume_setup(volume);
  const struct ct_tomo *t = ct_volume_angles(volume);
  const float *rows[2 * CT_PAIRS_MAX];
  double noise = 0;

  for (uint32_t k = 0; k < 2 * pairs; k++) {
    uint32_t slot = t->order[k % 2 ? f->second[k / 2] : f->first[k / 2]];
    float *line = lines + (size_t)k * s->cols;
    ct_volume_row(volume, slot, row + down, s->axis_px, s->lean, line);
    rows[k] = line;
    noise += ct_axis_noise(line, s->cols) / (2 * pairs);
  }
  ct_axis_look_over(f, rows, 2 * pairs);
  double shared = pairs > 1 ? fmin(f->shared, noise) : 0, all = noise + (pairs - 1) * shared;
  if (!(all > 0)) return false;
  for (uint32_t k = 0; k < pairs; k++) ct_axis_face(f, facings->n + k, rows[2 * k], rows[2 * k + 1], 1 / sqrt(all), down);
  facings->n += pairs;
  facings->rows++;
  facings->noise += noise / all;
  facings->shared += shared / all;
  return true;
}

int ct_volume_axis(const struct ct_volume *volume, struct ct_axis_finder *f, double row, struct ct_tomo_axis *axis)
{
  const struct ct_volume_setup *s = ct_volume_setup(volume);
  const struct ct_tomo *t = ct_volume_angles(volume);
  struct ct_facings facings = { 0 };
  uint32_t reach = (uint32_t)fmin(AROUND, APART_PX / fmax(fabs(s->lean), 1e-9));
  uint32_t from = row > reach ? (uint32_t)row - reach : 0, to = (uint32_t)row + reach < s->rows ? (uint32_t)row + reach : s->rows;

  *axis = (struct ct_tomo_axis){ CT_AXIS_NONE, (double)NAN, (double)NAN, 0 };
  if (s->rotation_deg != 360 || t->n < 2 || to < from + 3) return CT_ENODATA;
  uint32_t most = CT_FACING_MAX / (to - from), pairs = ct_axis_pairs(f, t, most < CT_PAIRS_MAX ? most : CT_PAIRS_MAX);
  float *lines = pairs ? calloc(2 * pairs, s->cols * sizeof *lines) : NULL;
  if (!lines) return pairs ? CT_ENOMEM : CT_ENODATA;
  f->ring = NULL;
  for (uint32_t y = from; y < to; y++) face_row(volume, f, pairs, row, y - row, lines, &facings);
  free(lines);
  if (facings.rows < 3) return CT_ENODATA;
  facings.noise /= facings.rows;
  facings.shared /= facings.rows;
  int rc = ct_axis_from_facings(f, &facings, axis);
  if (!rc) axis->method = CT_AXIS_ROWS;
  return rc;
}
