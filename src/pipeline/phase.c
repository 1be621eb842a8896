#include "phase.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { REACH_MAX = 128 };

struct ct_phase {
  struct ct_paganin *paganin;
  struct ct_field *field;
  uint32_t first_row, rows, cols, at;   /* of the band; the row's place in it */
  float *band, *before;                 /* [rows * cols]; [cols]: -ln(transmission) as it came */
  double *dark;                         /* [cols], sum of the row's darks */
  uint32_t darks;
  bool ended;                           /* a projection came: the next dark begins another set */
};

int ct_phase_open(struct ct_phase **out, uint32_t rows, uint32_t cols, uint32_t row, double alpha_px2, struct ct_err *err)
{
  /* Beyond four times its width the filter's response is 2 % of what it was. */
  uint32_t reach = (uint32_t)fmin(ceil(4 * sqrt(alpha_px2)) + 4, REACH_MAX);
  uint32_t first = row > reach ? row - reach : 0, last = row + reach < rows ? row + reach : rows - 1;
  struct ct_phase *p = ct_xcalloc(1, sizeof *p);
  *p = (struct ct_phase){ .first_row = first, .rows = last - first + 1, .cols = cols, .at = row - first };
  p->band = ct_xcalloc((size_t)p->rows * cols, sizeof *p->band);
  p->before = ct_xcalloc(cols, sizeof *p->before);
  p->dark = ct_xcalloc(cols, sizeof *p->dark);
  int code = ct_field_open(&p->field, p->rows, cols, err);
  if (code == 0)
    code = ct_paganin_open(&p->paganin, p->rows, cols, alpha_px2, err);
  if (code != 0) {
    ct_phase_close(p);
    return code;
  }
  *out = p;
  return 0;
}

void ct_phase_close(struct ct_phase *p)
{
  if (p == NULL)
    return;
  ct_paganin_close(p->paganin);
  ct_field_close(p->field);
  free(p->band);
  free(p->before);
  free(p->dark);
  free(p);
}

static void load(struct ct_phase *p, const struct ct_frame *frame, uint32_t index)
{
  for (uint32_t r = 0; r < p->rows; r++)
    ct_frame_row(frame, index, p->first_row + r, p->band + (size_t)r * p->cols);
}

void ct_phase_dark(struct ct_phase *p, const struct ct_frame *frame, uint32_t index)
{
  load(p, frame, index);
  ct_field_dark(p->field, p->band);
  for (uint32_t i = 0; i < p->cols; i++)
    p->dark[i] = (double)p->band[(size_t)p->at * p->cols + i] + (p->ended ? 0 : p->dark[i]);
  p->darks = p->ended ? 1 : p->darks + 1;
  p->ended = false;
}

void ct_phase_flat(struct ct_phase *p, const struct ct_frame *frame, uint32_t index)
{
  load(p, frame, index);
  ct_field_flat(p->field, p->band);
}

void ct_phase_row(struct ct_phase *p, const struct ct_frame *frame, uint32_t index, float *counts)
{
  load(p, frame, index);
  ct_field_end_sets(p->field);
  p->ended = true;
  if (!ct_field_state(p->field).ready)
    ct_field_guess(p->field, p->band);
  if (ct_field_log(p->field, p->band, p->band, 0, p->rows) < 0)
    return;
  const float *after = p->band + (size_t)p->at * p->cols;
  memcpy(p->before, after, p->cols * sizeof *p->before);
  ct_paganin_run(p->paganin, p->band);
  for (uint32_t i = 0; i < p->cols; i++) {
    double dark = p->darks > 0 ? p->dark[i] / p->darks : 0;
    counts[i] = (float)(dark + ((double)counts[i] - dark) * exp((double)(p->before[i] - after[i])));
  }
}
