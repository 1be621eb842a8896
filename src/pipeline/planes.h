/* planes: slices in any direction through any point, and the sample as a whole in coarse cubes, from reduced projections.
 * They are painted line by line in the time that is left, a rough one soon and all of it by and by, and anew when there are
 * more projections. Internal to pipeline.
 * Ownership: owns copies of everything. One thread uses it. */
#ifndef PIPELINE_PLANES_H
#define PIPELINE_PLANES_H

#include <comptop/snapshot.h>
#include <comptop/tomo.h>

enum { CT_PLANES_COARSE = 128 };         /* cubes an edge of the coarse volume has at most */

struct ct_planes_setup {
  uint32_t rows, cols, factor;           /* of the images; pixels of the camera to a value of theirs */
  uint32_t size;                         /* pixels across the field of view, about and at most */
  uint32_t rotation_deg;
  double axis_px;                        /* in columns of the camera, at slice_row */
  double lean;                           /* by how many columns it moves from row to row */
  double pixel_um;                       /* of the camera; NaN: not known, and values are per column of the camera */
  enum ct_window window;
  bool rings;                            /* corrected */
  uint32_t slice_row;                    /* of the camera: where planes are whose row nobody says */
  uint64_t memory_bytes;
};

struct ct_planes;
/* As ct_volume_open. */
int ct_planes_open(struct ct_planes **out, const struct ct_planes_setup *setup, struct ct_err *err) CT_MUST_CHECK;
void ct_planes_close(struct ct_planes *planes);          /* NULL is fine */
/* As ct_volume_takes, _add, _correct and _restart. */
bool ct_planes_takes(const struct ct_planes *planes, double angle_deg);
void ct_planes_add(struct ct_planes *planes, const float *image, double angle_deg);
void ct_planes_correct(struct ct_planes *planes, const float *change);
void ct_planes_restart(struct ct_planes *planes);
/* Where the axis ought to be; a move that nobody could see changes nothing. */
void ct_planes_axis(struct ct_planes *planes, double axis_px, double lean);
/* As ct_volume_tilt, in rows and columns of the camera: 0.1 s, and three times as long where that gives no good answer. */
int ct_planes_tilt(struct ct_planes *planes, struct ct_tomo_tilt *tilt);

/* As ct_volume_axis at slice_row, in columns of the camera: 10 to 30 ms, 3 ms of a single pair. */
int ct_planes_find_axis(struct ct_planes *planes, struct ct_tomo_axis *axis);

/* What somebody looks at now, of all that is wanted. */
void ct_planes_want(struct ct_planes *planes, const struct ct_wants_table *wants);
/* Paints for about so long, in a <hurry> of some of the projections; false: all that is wanted is as it should be. */
bool ct_planes_paint(struct ct_planes *planes, int64_t for_ns, bool hurry);
/* Adds a picture as far as it has got; one of unlimited size (files, scripts) only when it has been whole. */
void ct_planes_draw(const struct ct_planes *planes, struct ct_snapshot_builder *builder, const struct ct_request *request);
/* Whether a request is one of these. */
bool ct_planes_serves(const struct ct_request *request);
/* The largest they add to a snapshot. */
size_t ct_planes_bytes(void);

#endif
