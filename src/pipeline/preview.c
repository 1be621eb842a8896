#include "preview.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

void ct_preview_init(struct ct_preview *p, uint32_t rows, uint32_t cols)
{
  uint32_t edge = rows > cols ? rows : cols;
  memset(p, 0, sizeof *p);
  p->factor = (edge + CT_PREVIEW_EDGE - 1) / CT_PREVIEW_EDGE;
  p->rows = (rows + p->factor - 1) / p->factor;
  p->cols = (cols + p->factor - 1) / p->factor;
  p->frame_rows = rows;
  p->frame_cols = cols;
  size_t n = (size_t)p->rows * p->cols;
  p->dark = ct_xcalloc(n, sizeof *p->dark);
  p->flat = ct_xcalloc(n, sizeof *p->flat);
  p->latest = ct_xcalloc(n, sizeof *p->latest);
  p->row = ct_xcalloc(cols, sizeof *p->row);
}

void ct_preview_fini(struct ct_preview *p)
{
  free(p->dark);
  free(p->flat);
  free(p->latest);
  free(p->row);
  memset(p, 0, sizeof *p);
}

/* into = (1 - share) * into + share * the frame, averaged down. */
static void blend(struct ct_preview *p, const struct ct_frame *frame, uint32_t index, float *into, float share)
{
  for (uint32_t y = 0; y < p->rows; y++) {
    float *line = into + (size_t)y * p->cols;
    uint32_t first = y * p->factor, last = first + p->factor < p->frame_rows ? first + p->factor : p->frame_rows;
    float down = share / (float)(last - first);
    for (uint32_t x = 0; x < p->cols; x++)
      line[x] *= 1 - share;
    for (uint32_t row = first; row < last; row++) {
      ct_frame_row(frame, index, row, p->row);
      for (uint32_t x = 0; x < p->cols; x++) {
        uint32_t from = x * p->factor, to = from + p->factor < p->frame_cols ? from + p->factor : p->frame_cols;
        float sum = 0;
        for (uint32_t i = from; i < to; i++)
          sum += p->row[i];
        line[x] += down * sum / (float)(to - from);
      }
    }
  }
}

static void add_mean(struct ct_preview *p, const struct ct_frame *frame, uint32_t index, float *mean, uint32_t *n, bool *closed)
{
  if (*closed)
    *n = 0;
  *closed = false;
  blend(p, frame, index, mean, 1 / (float)++*n);
}

void ct_preview_dark(struct ct_preview *p, const struct ct_frame *frame, uint32_t index)
{
  add_mean(p, frame, index, p->dark, &p->darks, &p->dark_closed);
}

void ct_preview_flat(struct ct_preview *p, const struct ct_frame *frame, uint32_t index)
{
  add_mean(p, frame, index, p->flat, &p->flats, &p->flat_closed);
}

void ct_preview_close_means(struct ct_preview *p) { p->dark_closed = p->flat_closed = true; }

void ct_preview_projection(struct ct_preview *p, const struct ct_frame *frame, uint32_t index, double angle_deg)
{
  p->angle_deg = angle_deg;
  p->n++;
  blend(p, frame, index, p->latest, 1);
}

void ct_preview_draw(const struct ct_preview *p, float *values)
{
  for (size_t i = 0; i < (size_t)p->rows * p->cols; i++) {
    float dark = p->darks ? p->dark[i] : 0, open = p->flat[i] - dark;
    values[i] = p->flats == 0 ? p->latest[i] : open > 0 ? (p->latest[i] - dark) / open : NAN;
  }
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
