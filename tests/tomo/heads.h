/* Scans of Shepp and Logan's head, and how far a slice is from it. */
#ifndef TESTS_TOMO_HEADS_H
#define TESTS_TOMO_HEADS_H

#include <comptop/tomo.h>

#include "phantom.h"

struct head_scan {
  uint32_t size, cols, views, rotation_deg;
  double axis_px, within;            /* of the field of view's radius */
  struct phantom_ellipse ellipse[10];
  float *rows, *truth, *picture;     /* [views][cols]; [size][size] */
};

/* The head fills a circle <head_cols> wide, whatever the field of view. */
void head_scan(struct head_scan *scan, uint32_t size, uint32_t cols, uint32_t views, uint32_t rotation_deg, double axis_px,
               double head_cols);
void head_free(struct head_scan *scan);
/* A slice of it, <size> pixels wide, with all projections. */
struct ct_tomo *head_opened(const struct head_scan *scan, uint32_t size, double smear_px);
void head_add(struct ct_tomo *tomo, const struct head_scan *scan);
/* After scale and offset, within the head's circle. */
double head_error(const struct ct_tomo *tomo, const struct head_scan *scan);

#endif
