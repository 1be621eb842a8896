/* How the axis leans: from row to row it is elsewhere. */
#include <math.h>
#include <stdlib.h>

#include "tomo/internal.h"
#include "tomo/volume.h"

enum { ROWS = 12, ROWS_MAX = 64, FEW = 4, HALF_TURN = 180, WHOLE_TURN = 48, STEPS_MAX = 4 };
/* A tilt that changes less than so much of what is measured cannot be told from the shape of the sample. */
#define LEAST_SHARE 0.3
/* Errors of a tilt that is not looked for any farther, and of one that says nothing. */
#define GOOD_DEG 0.2
#define USELESS_DEG 1

/* ---- the line through axes ------------------------------------------------------------------------------------------ */
struct seen {
  double y, axis_px, sigma_px;
};

struct line {
  double y, at, slope;          /* the axis at y, the middle of what it is from */
  double at_variance, slope_variance;
  uint32_t used;
};

static double off_line(const struct line *line, const struct seen *seen)
{
  return fabs(seen->axis_px - line->at - line->slope * (seen->y - line->y));
}

/* Whether it lies within 3 of its errors, or <reach>, of <near>; all do where that is NULL. */
static bool counts(const struct seen *seen, const struct line *near, double reach)
{
  return !near || off_line(near, seen) <= fmax(reach, 3 * seen->sigma_px);
}

/* The weighted line through those that count. */
static bool fit(const struct seen *seen, uint32_t n, const struct line *near, double reach, struct line *line)
{
  double w = 0, wyy = 0, wxy = 0, chi = 0;
  *line = (struct line){ 0 };

  for (uint32_t i = 0; i < n; i++) {
    if (!counts(&seen[i], near, reach)) continue;
    double weight = 1 / (seen[i].sigma_px * seen[i].sigma_px);
    w += weight, line->y += weight * seen[i].y, line->at += weight * seen[i].axis_px;
    line->used++;
  }
  if (line->used < 3) return false;
  line->y /= w, line->at /= w;
  for (uint32_t i = 0; i < n; i++) {
    if (!counts(&seen[i], near, reach)) continue;
    double weight = 1 / (seen[i].sigma_px * seen[i].sigma_px), y = seen[i].y - line->y;
    wyy += weight * y * y, wxy += weight * y * (seen[i].axis_px - line->at);
  }
  if (!(wyy > 1e-9 * w)) return false;
  line->slope = wxy / wyy;
  for (uint32_t i = 0; i < n; i++) {
    double off = off_line(line, &seen[i]) / seen[i].sigma_px;
    if (counts(&seen[i], near, reach)) chi += off * off;
  }
  /* Errors that turn out larger than was said count as such. */
  line->at_variance = fmax(chi / (line->used - 2), 1) / w;
  line->slope_variance = fmax(chi / (line->used - 2), 1) / wyy;
  return true;
}

/* Of the lines through any two the one that half of all are nearest to (least median of squares: Rousseeuw, J. Am. Stat.
 * Assoc. 79 (1984) 871); how near. */
static double find_most(const struct seen *seen, uint32_t n, struct line *best)
{
  double off[ROWS_MAX], least = (double)INFINITY;

  for (uint32_t i = 0; i < n; i++)
    for (uint32_t j = i + 1; j < n; j++) {
      double apart = seen[j].y - seen[i].y;
      if (!(fabs(apart) > 0)) continue;
      struct line line = { .y = seen[i].y, .at = seen[i].axis_px, .slope = (seen[j].axis_px - seen[i].axis_px) / apart };
      for (uint32_t k = 0; k < n; k++) off[k] = off_line(&line, &seen[k]);
      qsort(off, n, sizeof *off, ct_by_double);
      if (off[n / 2] < least) least = off[n / 2], *best = line;
    }
  return least;
}

static const struct ct_tomo_tilt unknown = { NAN, NAN, 0, NAN, NAN, NAN };

int ct_axis_tilt(const struct ct_tomo_axis *axis, const double *y, uint32_t n, struct ct_tomo_tilt *tilt)
{
  struct seen seen[ROWS_MAX] = { 0 };
  struct line most = { 0 }, line;
  uint32_t many = 0;

  *tilt = unknown;
  for (uint32_t i = 0; i < n && i < ROWS_MAX; i++)
    if (axis[i].method != CT_AXIS_NONE) seen[many++] = (struct seen){ y[i], axis[i].axis_px, axis[i].sigma_px };
  if (!fit(seen, many, NULL, 0, &line)) return CT_ENODATA;
  /* One row in which something else was taken for the axis must not turn the line; where rows are few none can be told. */
  if (many > FEW) {
    double reach = 4 * 1.48 * find_most(seen, many, &most);
    if (!fit(seen, many, &most, reach, &line)) return CT_ENODATA;
  }
  double steep = 1 + line.slope * line.slope;
  *tilt = (struct ct_tomo_tilt){ .tilt_deg = atan(line.slope) * 180 / CT_PI,
                                 .sigma_deg = sqrt(line.slope_variance) / steep * 180 / CT_PI, .rows = line.used,
                                 .row = line.y, .axis_px = line.at, .axis_sigma_px = sqrt(line.at_variance) };
  return 0;
}

static double lean_of(double tilt_deg)
{
  return tan(tilt_deg * CT_PI / 180);
}

struct ct_tomo_axis ct_axis_at_row(const struct ct_tomo_tilt *tilt, double row)
{
  double lean = lean_of(tilt->tilt_deg), away = row - tilt->row;
  if (tilt->rows <= FEW) return (struct ct_tomo_axis){ CT_AXIS_NONE, (double)NAN, (double)NAN, 0 };
  double turned_px = tilt->sigma_deg * CT_PI / 180 * (1 + lean * lean) * away;
  return (struct ct_tomo_axis){ CT_AXIS_ROWS, tilt->axis_px + lean * away, hypot(tilt->axis_sigma_px, turned_px), 0 };
}

/* ---- of a volume ------------------------------------------------------------------------------------------------------ */
/* Rows of it, one after the other, as a slice keeps its own. */
struct rows {
  const struct ct_volume *volume;
  struct ct_axis_finder *finder;
  struct ct_tomo one;        /* of so many projections as are needed; the row of slot <i> at rows + i * cols */
};

static int open_rows(struct rows *r, const struct ct_volume *volume, struct ct_axis_finder *finder)
{
  const struct ct_volume_setup *setup = ct_volume_setup(volume);
  uint32_t most = ct_volume_state(volume).projections_max;
  *r = (struct rows){ volume, finder, *ct_volume_angles(volume) };
  struct ct_tomo *one = &r->one;
  const uint32_t *order = one->order;
  const double *order_deg = one->order_deg;
  /* Of a whole turn the same ones of both halves, which are opposite: fewer, for pairs of them say it sooner. */
  bool whole = setup->rotation_deg == 360;
  uint32_t kept = one->n, half = whole ? (kept + 1) / 2 : kept, every = kept / (whole ? WHOLE_TURN : HALF_TURN) + 1;

  one->setup.cols = setup->cols;
  one->rows = calloc(most, setup->cols * sizeof *one->rows);
  one->order = calloc(kept + 1, sizeof *one->order);
  one->order_deg = calloc(kept + 1, sizeof *one->order_deg);
  if (!one->rows || !one->order || !one->order_deg) return CT_ENOMEM;
  one->n = 0;
  for (uint32_t i = 0; i < kept; i += i < half && i + every >= half ? half - i : every) {
    one->order[one->n] = order[i];
    one->order_deg[one->n++] = order_deg[i];
  }
  return 0;
}

static void close_rows(struct rows *r)
{
  free(r->one.rows);
  free(r->one.order);
  free(r->one.order_deg);
}

/* From rows that are as the sample's heights would be if the axis leaned by <lean>. */
static int measure(struct rows *r, double lean, struct ct_tomo_tilt *tilt)
{
  struct ct_tomo_axis axis[ROWS];
  struct ct_tomo *one = &r->one;
  uint32_t rows = ct_volume_setup(r->volume)->rows, n = rows < ROWS ? rows : ROWS;
  double y[ROWS], middle = (one->setup.cols - 1) / 2.0;

  for (uint32_t k = 0; k < n; k++) {
    y[k] = floor((k + 0.5) * rows / n);
    for (uint32_t i = 0; i < one->n; i++)
      ct_volume_row(r->volume, one->order[i], y[k], middle, lean, one->rows + (size_t)one->order[i] * one->setup.cols);
    ct_axis_find(r->finder, one, &axis[k]);
  }
  int rc = ct_axis_tilt(axis, y, n, tilt);
  tilt->row -= (tilt->axis_px - middle) * lean;   /* of the same height, where the axis is */
  return rc;
}

/* From where rows are put together as <at_deg> says, to where that is what is measured. */
static int approach(struct rows *r, double at_deg, double share, struct ct_tomo_tilt *tilt)
{
  double off_deg = (double)INFINITY;
  tilt->sigma_deg = 0;
  for (int i = 0; i < STEPS_MAX && fabs(off_deg) > 0.3 * tilt->sigma_deg; i++) {
    int rc = measure(r, lean_of(at_deg), tilt);
    if (rc) return rc;
    off_deg = tilt->tilt_deg - at_deg;
    at_deg += off_deg / share;
  }
  /* What does not settle is as wrong as it is off. */
  tilt->sigma_deg = hypot(tilt->sigma_deg, off_deg) / fmin(share, 1);
  return 0;
}

/* Where the sample is not the same in all rows, a row of one that leans sees other heights of it from opposite sides, and of
 * the tilt a share is measured that depends on the sample: all of it, if rows are put together as the tilt says. Two tilts tell
 * the share, and it the tilt. */
static int approach_by_share(struct rows *r, struct ct_tomo_tilt *tilt)
{
  struct ct_tomo_tilt up, down;
  const double step_deg = 1;
  if (measure(r, lean_of(-step_deg / 2), &up) || measure(r, lean_of(step_deg / 2), &down)) return CT_ENODATA;
  double share = 1 - (down.tilt_deg - up.tilt_deg) / step_deg;
  if (!(share > LEAST_SHARE)) return CT_ENODATA;
  return approach(r, (up.tilt_deg + down.tilt_deg) / 2 / share, share, tilt);
}

/* Of a flat sample, layer upon layer, a row that leans by more than a layer sees no axis at all: those put together rightly agree
 * best. */
static int approach_by_trying(struct rows *r, struct ct_tomo_tilt *tilt)
{
  double best_deg = 0, least_deg = (double)INFINITY;
  for (int i = -5; i <= 5; i++) {
    struct ct_tomo_tilt tried;
    if (measure(r, lean_of(0.5 * i), &tried) || !(tried.sigma_deg < least_deg)) continue;
    least_deg = tried.sigma_deg;
    best_deg = 0.5 * i;
  }
  return isfinite(least_deg) ? approach(r, best_deg, 1, tilt) : CT_ENODATA;
}

int ct_volume_tilt(const struct ct_volume *volume, struct ct_axis_finder *finder, struct ct_tomo_tilt *tilt)
{
  struct ct_tomo_tilt tried;
  struct rows r;
  int rc = open_rows(&r, volume, finder);

  *tilt = unknown;
  if (rc) goto out;
  rc = approach_by_share(&r, tilt);
  if (rc || tilt->sigma_deg > GOOD_DEG) {
    int tried_rc = approach_by_trying(&r, &tried);
    if (!tried_rc && (rc || tried.sigma_deg < tilt->sigma_deg)) *tilt = tried, rc = 0;
  }
  if (!rc && tilt->sigma_deg > USELESS_DEG) rc = CT_ENODATA;
  if (rc) *tilt = unknown;
out:
  close_rows(&r);
  return rc;
}

int ct_volume_vote(const struct ct_volume *volume, struct ct_axis_finder *finder, double row, struct ct_tomo_axis *axis)
{
  struct ct_tomo_tilt tilt = unknown;
  struct rows r;
  int rc = open_rows(&r, volume, finder);
  if (!rc) rc = measure(&r, ct_volume_setup(volume)->lean, &tilt);
  *axis = ct_axis_at_row(&tilt, row);
  close_rows(&r);
  return rc ? rc : axis->method == CT_AXIS_NONE ? CT_ENODATA : 0;
}
