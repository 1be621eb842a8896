#include "heads.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

void head_scan(struct head_scan *s, uint32_t size, uint32_t cols, uint32_t views, uint32_t rotation_deg, double axis_px,
               double head_cols)
{
  *s = (struct head_scan){ .size = size, .cols = cols, .views = views, .rotation_deg = rotation_deg, .axis_px = axis_px };
  double fov = rotation_deg == 360 ? 2 * fmax(axis_px + 0.5, cols - 0.5 - axis_px) : cols;
  const struct phantom head = { s->ellipse, phantom_head.n };

  s->within = head_cols / fov;
  for (int i = 0; i < phantom_head.n; i++) {
    s->ellipse[i] = phantom_head.ellipse[i];
    s->ellipse[i].a *= s->within;
    s->ellipse[i].b *= s->within;
    s->ellipse[i].x *= s->within;
    s->ellipse[i].y *= s->within;
  }
  s->rows = ct_xcalloc((size_t)views * cols, sizeof *s->rows);
  s->truth = ct_xcalloc((size_t)size * size, sizeof *s->truth);
  s->picture = ct_xcalloc((size_t)size * size, sizeof *s->picture);
  for (uint32_t i = 0; i < views; i++)
    phantom_row(&head, (double)rotation_deg * i / views, cols, axis_px, fov / 2, s->rows + (size_t)i * cols);
  phantom_picture(&head, size, size > 1100 ? 4 : 8, s->truth);
}

void head_free(struct head_scan *s)
{
  free(s->rows);
  free(s->truth);
  free(s->picture);
}

void head_add(struct ct_tomo *tomo, const struct head_scan *s)
{
  for (uint32_t i = 0; i < s->views; i++)
    if (ct_tomo_add(tomo, s->rows + (size_t)i * s->cols, (double)s->rotation_deg * i / s->views)) exit(1);
}

struct ct_tomo *head_opened(const struct head_scan *s, uint32_t size, double smear_px)
{
  const struct ct_tomo_setup setup = { .cols = s->cols, .size = size, .projections = s->views,
                                       .rotation_deg = s->rotation_deg, .axis_px = s->axis_px, .smear_px = smear_px };
  struct ct_tomo *tomo;
  struct ct_err err;
  if (ct_tomo_open(&tomo, &setup, &err)) {
    fprintf(stderr, "%s\n", err.text);
    exit(1);
  }
  head_add(tomo, s);
  return tomo;
}

double head_error(const struct ct_tomo *tomo, const struct head_scan *s)
{
  ct_tomo_slice(tomo, s->picture);
  return phantom_compare(s->picture, s->truth, s->size, s->within).rmse;
}
