/* The axis from many rows of whole images together: what a row of them has too little of shows in all. */
#include <math.h>
#include <stdlib.h>

#include "tomo/axis.h"
#include "tomo/internal.h"
#include "tomo/volume.h"

/* Rows to either side of the one that is asked for: with more of them an axis that leans would be off by too much. */
enum { AROUND = 32, FEW = 4 };
/* And as many as a lean that is known leaves to a quarter of a column. */
#define APART_PX 0.25

/* Pairs of rows from <from> on up to <to>. */
struct around {
  double row;
  uint32_t from, to, pairs;
  float *lines;              /* [2 * pairs][cols] */
};

static void find(const struct ct_volume *volume, struct ct_axis_finder *f, const struct around *around, bool turning,
                struct ct_tomo_axis *axis)
{
  const struct ct_volume_setup *s = ct_volume_setup(volume);
  const struct ct_tomo *t = ct_volume_angles(volume);
  const float *rows[2 * CT_PAIRS_MAX];
  struct ct_facings facings = { 0 };

  for (uint32_t y = around->from; y < around->to; y++) {
    for (uint32_t k = 0; k < 2 * around->pairs; k++) {
      uint32_t slot = t->order[k < around->pairs ? f->first[k] : f->second[k - around->pairs]];
      float *line = around->lines + (size_t)k * s->cols;
      ct_volume_row(volume, slot, y, s->axis_px, s->lean, line);
      rows[k] = line;
    }
    ct_axis_look_over(f, rows, 2 * around->pairs);
    ct_axis_face(f, &facings, rows, rows + around->pairs, around->pairs, turning, y - around->row);
  }
  if (!ct_axis_from_facings(f, &facings, axis)) axis->method = CT_AXIS_ROWS;
}

int ct_volume_axis(const struct ct_volume *volume, struct ct_axis_finder *f, double row, struct ct_tomo_axis *axis)
{
  const struct ct_volume_setup *s = ct_volume_setup(volume);
  const struct ct_tomo *t = ct_volume_angles(volume);
  struct ct_tomo_axis turning = { CT_AXIS_NONE, (double)NAN, (double)NAN, 0 };
  uint32_t reach = (uint32_t)fmin(AROUND, APART_PX / fmax(fabs(s->lean), 1e-9)), at = (uint32_t)fmin(fmax(row, 0), s->rows - 1.0);
  uint32_t from = at > reach ? at - reach : 0, to = at + reach < s->rows ? at + reach : s->rows;

  *axis = turning;
  if (t->n < 2 || to < from + 3) return CT_ENODATA;
  uint32_t most = f->most / (to - from);
  uint32_t pairs = s->rotation_deg == 360 ? ct_axis_pairs(f, t, most < CT_PAIRS_MAX ? most : CT_PAIRS_MAX) : 0;
  if (!pairs) return ct_volume_vote(volume, f, row, axis);
  float *lines = calloc(2 * pairs, s->cols * sizeof *lines);
  if (!lines) return CT_ENOMEM;
  const struct around around = { row, from, to, pairs, lines };
  f->ring = NULL;
  if (pairs >= FEW) find(volume, f, &around, true, &turning);
  *axis = turning;
  if (!ct_axis_is_good(&turning)) {
    find(volume, f, &around, false, axis);
    *axis = ct_axis_agreed(&turning, axis);
  }
  free(lines);
  return axis->method == CT_AXIS_NONE ? CT_ENODATA : 0;
}
