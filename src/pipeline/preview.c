#include "preview.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

int ct_preview_init(struct ct_preview *p, uint32_t rows, uint32_t cols, struct ct_err *err)
{
  uint32_t edge = rows > cols ? rows : cols;
  memset(p, 0, sizeof *p);
  p->factor = (edge + CT_PREVIEW_EDGE - 1) / CT_PREVIEW_EDGE;
  p->rows = rows / p->factor;
  p->cols = cols / p->factor;
  if (p->rows == 0 || p->cols == 0)
    return ct_err_set(err, CT_ERANGE, "frames of %u x %u pixels are too narrow to be shown", rows, cols);
  size_t n = (size_t)p->rows * p->cols;
  p->counts = ct_xcalloc(n, sizeof *p->counts);
  p->through = ct_xcalloc(n, sizeof *p->through);
  p->change = ct_xcalloc(n, sizeof *p->change);
  p->row = ct_xcalloc(cols, sizeof *p->row);
  return ct_field_open(&p->field, p->rows, p->cols, err);
}

void ct_preview_fini(struct ct_preview *p)
{
  ct_field_close(p->field);
  free(p->counts);
  free(p->through);
  free(p->change);
  free(p->row);
  memset(p, 0, sizeof *p);
}

/* Pixels of any type. */
static void average(struct ct_preview *p, const struct ct_frame *frame, uint32_t index, float *into)
{
  float share = 1 / (float)(p->factor * p->factor);
  memset(into, 0, (size_t)p->rows * p->cols * sizeof *into);
  for (uint32_t row = 0; row < p->rows * p->factor; row++) {
    float *line = into + (size_t)(row / p->factor) * p->cols;
    ct_frame_row(frame, index, row, p->row);
    for (uint32_t x = 0; x < p->cols; x++)
      for (uint32_t i = 0; i < p->factor; i++)
        line[x] += share * p->row[x * p->factor + i];
  }
}

static void reduce(struct ct_preview *p, const struct ct_frame *frame, uint32_t index, float *into)
{
  const struct ct_box all = { .x1 = p->cols * p->factor, .y1 = p->rows * p->factor };
  size_t frame_bytes = (size_t)frame->rows * frame->cols * ct_type_bytes(frame->type);
  if (frame->type == CT_U16 && !frame->big_endian && p->factor <= 64)
    ct_tomo_bin(into, frame->pixels + index * frame_bytes, frame->cols, &all, p->factor, 0);   /* flats may fill the scale */
  else
    average(p, frame, index, into);
}

void ct_preview_dark(struct ct_preview *p, const struct ct_frame *frame, uint32_t index)
{
  reduce(p, frame, index, p->change);
  ct_field_dark(p->field, p->change);
  p->keyed = true;
}

void ct_preview_flat(struct ct_preview *p, const struct ct_frame *frame, uint32_t index)
{
  reduce(p, frame, index, p->change);
  ct_field_flat(p->field, p->change);
  p->keyed = p->has_flat = true;
}

static void take_log(struct ct_preview *p, float *out)
{
  ct_field_log(p->field, out, p->counts, 0, p->rows);
}

void ct_preview_pass(struct ct_preview *p)
{
  ct_field_end_sets(p->field);
}

const float *ct_preview_refresh(struct ct_preview *p)
{
  if (!p->keyed || p->n == 0)
    return NULL;
  take_log(p, p->change);
  for (size_t i = 0; i < (size_t)p->rows * p->cols; i++) {
    p->change[i] -= p->through[i];
    p->through[i] += p->change[i];
  }
  p->keyed = false;
  return p->change;
}

const float *ct_preview_projection(struct ct_preview *p, const struct ct_frame *frame, uint32_t index, double angle_deg)
{
  const float *change = ct_preview_refresh(p);
  reduce(p, frame, index, p->counts);
  ct_field_end_sets(p->field);
  if (!ct_field_state(p->field).ready)
    ct_field_guess(p->field, p->counts);
  take_log(p, p->through);
  p->keyed = false;
  p->n++;
  p->angle_deg = angle_deg;
  return change;
}

void ct_preview_draw(const struct ct_preview *p, float *values)
{
  for (size_t i = 0; i < (size_t)p->rows * p->cols; i++)
    values[i] = expf(-p->through[i]);
}

void ct_preview_shrink(const float *in, uint32_t rows, uint32_t cols, float *out, uint32_t out_rows, uint32_t out_cols)
{
  for (uint32_t y = 0; y < out_rows; y++)
    for (uint32_t x = 0; x < out_cols; x++) {
      uint32_t top = (uint32_t)((uint64_t)y * rows / out_rows), bottom = (uint32_t)((uint64_t)(y + 1) * rows / out_rows);
      uint32_t left = (uint32_t)((uint64_t)x * cols / out_cols), right = (uint32_t)((uint64_t)(x + 1) * cols / out_cols);
      double sum = 0;
      uint32_t n = 0;
      for (uint32_t row = top; row < bottom; row++)
        for (uint32_t col = left; col < right; col++)
          if (isfinite(in[(size_t)row * cols + col])) {
            sum += (double)in[(size_t)row * cols + col];
            n++;
          }
      out[(size_t)y * out_cols + x] = n ? (float)(sum / n) : NAN;
    }
}
