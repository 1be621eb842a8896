/* Inside tomo: a slice and what it is made of. */
#ifndef CT_TOMO_INTERNAL_H
#define CT_TOMO_INTERNAL_H

#include <comptop/tomo.h>

#include "tomo/filter.h"
#include "tomo/kernel.h"

#define CT_PI 3.14159265358979323846

enum { CT_TILE = 2 * CT_LANES, CT_GROUP_MAX = 64 };

struct ct_projection {
  double angle_deg, cosine, sine;
  double weight_rad;         /* that it should have */
  double applied_rad;        /* that it has in the pictures */
};

/* A projection as the tiles see it: 32.32 half samples, at the middle of the picture and per pixel to the right of and
 * below it. */
struct ct_tile_line {
  double angle_deg;
  const float *line;
  float weight;
  int64_t middle, right, down;
  double cosine, sine;
};

/* Neighbours that share a back projection. */
struct ct_group {
  uint32_t first, n;
  struct ct_ray ray;         /* over a tile whose middle is sample <reach> */
  bool transposed;
};

/* What ct_tomo_rebuild works in. */
struct ct_rebuild {
  struct ct_filter filter;
  float *lines;              /* [projections][2 * filter.stride] */
  struct ct_tile_line *line;
  struct ct_group *group;
  float *even, *odd;
  struct ct_curve curve;
  int32_t reach;             /* samples from the middle of a tile to its corner */
  size_t len;                /* of merged lines */
};

struct ct_tomo {
  struct ct_tomo_setup setup;
  const struct ct_tomo_ops *ops;
  struct ct_filter filter;
  double fov_cols, pixel_cols;
  double applied_rad;        /* sum of the weights in the pictures */

  /* The projections kept, <n> of them from <oldest> on, a ring of setup.projections. */
  float *rows;
  struct ct_projection *projection;
  uint32_t n, oldest;
  uint32_t *order;           /* by angle, modulo setup.rotation_deg */
  double *order_deg;
  double covered_deg;        /* of the turn, without wide gaps */

  /* The sum of all back projections: those that are flat enough row by row, the others transposed. */
  float *picture[2];
  size_t stride;
  struct ct_span *span;      /* inside the field of view, which is the same transposed */

  float *line;
  struct ct_curve curve;
  float *edge;               /* [cols]: weights where the field of view is extended */
  float *ring;
  bool has_ring;
  struct ct_rebuild rebuild;
};

/* A projection into the angular order, out of it, and the weights of all from the gaps between them (weights.c). */
void ct_order_insert(struct ct_tomo *tomo, uint32_t slot);
void ct_order_remove(struct ct_tomo *tomo, uint32_t slot);
void ct_order_weigh(struct ct_tomo *tomo);

/* Back-projects a kept one with <weight_rad> into the pictures (slice.c). */
void ct_tomo_put(struct ct_tomo *tomo, uint32_t slot, double weight_rad);

/* edge[cols]: how much a column of a whole turn counts, the axis at <axis_px> (slice.c). */
void ct_edge_weights(float *edge, uint32_t cols, double axis_px);

int ct_rebuild_init(struct ct_tomo *tomo);   /* 0, CT_ENOMEM */
void ct_rebuild_free(struct ct_rebuild *rebuild);
/* The pictures from all projections that count, into empty ones. */
void ct_rebuild_run(struct ct_tomo *tomo);

/* What stands still in the rows of a detector, taken in by angle, is a ring (rings.c). */
enum { CT_RING_SECTORS = 8 };
struct ct_rings {
  uint32_t cols, rows, n;    /* rows that will come; that came */
  double *sum;               /* [CT_RING_SECTORS][cols] */
  double *steps;             /* [cols]: squares of the differences of neighbours in angle */
  double *first, *second;    /* [cols] */
  float *before, *mean, *off, *noise, *list;   /* [cols] */
  float *wall;               /* [cols]: what both sides of the axis have, of the latest ct_rings_end */
};
int ct_rings_init(struct ct_rings *rings, uint32_t cols);   /* 0, CT_ENOMEM; free it in any case */
void ct_rings_free(struct ct_rings *rings);
void ct_rings_begin(struct ct_rings *rings, uint32_t rows);
void ct_rings_take(struct ct_rings *rings, const float *row);
/* ct_ring_estimate of these rows; CT_ENODATA: nothing is said. */
int ct_rings_end(struct ct_rings *rings, double axis_px, float *ring);

/* Memory for SIMD, set to 0; released with free. */
float *ct_floats(size_t n);

#endif
