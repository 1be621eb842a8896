/* What is made of a camera's frames: the scan, its axis and rings, and pictures of it. Internal to pipeline.
 * Ownership: a camera owns its scan and copies; the setup's texts are lent for its life. One thread uses a camera. */
#ifndef PIPELINE_CAMERA_H
#define PIPELINE_CAMERA_H

#include <comptop/pipeline.h>

#include "angles.h"
#include "lot.h"
#include "phase.h"
#include "planes.h"
#include "preview.h"

/* A silence after which something already seen is a new scan. */
#define CT_CAMERA_PAUSE_NS (5 * CT_NS_PER_S)

struct ct_camera {
  struct ct_reconstruction_setup setup;
  struct ct_scan *scan;         /* NULL before the first frame, and where there is no memory for its shape */
  struct ct_axis_finder *finder;
  struct ct_tomo_axis axis;
  double nudge_px;              /* what keys have moved the axis by */
  int64_t axis_ns;              /* when it was last looked for */
  uint64_t axis_placed;         /* projections placed then */
  struct ct_tomo_tilt tilt;     /* of the axis; no rows: not known */
  uint64_t tilt_placed;         /* projections placed when it was last looked for */
  uint64_t tilt_scan;           /* that it is of */
  int tilt_quarter;             /* of a turn, covered then */
  float *stripes;               /* [cols], what is subtracted from every row */
  uint64_t placed;              /* projections placed since start */
  uint64_t scans;               /* begun with frames of earlier shapes */
  uint64_t ring_placed, clean_placed;   /* when rings were last looked for; when stripes were last removed */
  uint32_t ring_means;          /* darks and flats then */
  uint32_t ring_columns;        /* of stripes that are not 0 */
  bool cleaned;                 /* the slice is without stripes, by ct_scan_clean */
  struct ct_angles *angles;     /* that come with scalars; NULL: none do */
  struct ct_preview preview;
  bool has_preview;             /* frames are not too narrow for it */
  struct ct_phase *phase;       /* NULL: none is retrieved */
  struct ct_paganin *image_phase;   /* the same for images of the preview */
  float *image;                 /* [preview.rows * preview.cols] */
  struct ct_planes *planes;     /* NULL: none are wanted, or there is no memory for them */
  int64_t paint_ns;             /* when planes may be painted next, monotonic */
  bool show_projections;        /* somebody looks at them */
  uint32_t rows, cols, slice_row;
  float *row, *slice;           /* [cols]; [size * size] */
  double last_angle_deg;
  int64_t arrival_ns, preview_ns;   /* of the latest frame; of the latest that was averaged down */
  uint64_t first_number;        /* of the scan, where angles are counted */
  bool keyed;                   /* darks or flats came since the latest projection */
  uint64_t unplaced, unusable;
  uint64_t saturated;           /* flats and projections that are so in a twentieth of the row */
  bool settled;                 /* since the latest frame or angle */
};

/* CT_ENOMEM */
int ct_camera_init(struct ct_camera *camera, const struct ct_reconstruction_setup *setup, struct ct_err *err) CT_MUST_CHECK;
void ct_camera_fini(struct ct_camera *camera);           /* of one never made too */
void ct_camera_take(struct ct_camera *camera, const struct ct_lot *lot);
/* Places those whose angle has come, and gives up those that by <now_ns> have waited for too long; INT64_MAX: all that wait. */
void ct_camera_take_angles(struct ct_camera *camera, int64_t now_ns);
/* Nothing is known of axis, tilt and rings. */
void ct_camera_forget(struct ct_camera *camera);
/* Planes after other darks or flats, if they <change> anything; the few images that wait are made of the old ones. */
void ct_camera_correct(struct ct_camera *camera, const float *change);
/* Looks for axis and rings anew where it is time to. */
void ct_camera_follow(struct ct_camera *camera, int64_t now_ns);
/* No more frames come: axis, rings and slice from all that is kept, once, whenever they were looked for before. */
void ct_camera_settle(struct ct_camera *camera);
/* Paints planes that are wanted, in a tenth of the time, unless it is <quiet>: no frame comes just now. True: there is more to
 * paint, and no frame to wait for. */
bool ct_camera_paint(struct ct_camera *camera, bool quiet);
/* All that is left to paint. */
void ct_camera_finish(struct ct_camera *camera, const struct ct_wants_table *wants);
/* Where the slice's axis ought to be, and by how many columns it moves from row to row: 0 where that is not sure. */
double ct_camera_axis_px(const struct ct_camera *camera);
double ct_camera_lean(const struct ct_camera *camera);

/* The largest snapshot ct_camera_draw makes. */
size_t ct_camera_bytes(const struct ct_reconstruction_setup *setup);
void ct_camera_draw(struct ct_camera *camera, struct ct_snapshot_builder *builder, const struct ct_wants_table *wants);

#endif
