/* Planes through the sample: filtered lines of all rows are kept, as many projections as memory allows. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "tomo/internal.h"

struct ct_volume {
  struct ct_volume_setup setup;
  const struct ct_tomo_ops *ops;
  struct ct_filter filter;
  double fov_cols;
  uint32_t most;              /* projections kept */
  double least_gap_deg;       /* between projections, since they had to be thinned */
  struct ct_tomo angles;      /* only its projections and their order are in use */
  uint32_t *vacant, vacancies;    /* slots */
  float *lines;               /* [most][rows][samples] */
  float *edge;                /* [cols], NULL: half a turn */
  float *line;                /* what the filter writes */
  float *even, *odd;          /* a line between two rows */
  struct ct_curve curve;
  float *row;                 /* of a plane, whole vectors */
};

enum { WIDTH_MAX = 16384 };

int ct_volume_open(struct ct_volume **out, const struct ct_volume_setup *s, struct ct_err *err)
{
  *out = NULL;
  const struct ct_tomo_setup like = { .cols = s->cols, .size = s->size, .projections = 1, .rotation_deg = s->rotation_deg,
                                      .axis_px = s->axis_px, .pixel_cm = s->pixel_cm, .window = s->window };
  struct ct_tomo *probe;
  int rc = s->rows < 1 || s->rows > 32768 ? ct_err_set(err, CT_ERANGE, "no volume of %u rows: 1 to 32768", s->rows)
                                          : ct_tomo_open(&probe, &like, err);
  if (rc) return rc;
  struct ct_volume *v = calloc(1, sizeof *v);
  if (!v) {
    ct_tomo_close(probe);
    return ct_err_set(err, CT_ENOMEM, "no memory for a volume");
  }
  v->setup = *s;
  v->ops = probe->ops;
  v->fov_cols = probe->fov_cols;
  /* What a single slice is made with serves all rows. */
  v->filter = probe->filter;
  v->edge = probe->edge;
  memset(&probe->filter, 0, sizeof probe->filter);
  probe->edge = NULL;
  ct_tomo_close(probe);

  size_t line = v->filter.samples, stride = v->filter.stride, each = line * s->rows * sizeof(float);
  uint64_t most = s->memory_bytes / each;
  v->most = most > 100000 ? 100000 : (uint32_t)most;
  if (v->most < 2) {
    ct_volume_close(v);
    return ct_err_set(err, CT_ERANGE, "%llu bytes hold no volume: a projection takes %zu; bin frames more",
                      (unsigned long long)s->memory_bytes, each);
  }
  v->angles.setup.rotation_deg = s->rotation_deg;
  v->angles.projection = calloc(v->most, sizeof *v->angles.projection);
  v->angles.order = calloc(v->most + 1, sizeof *v->angles.order);
  v->angles.order_deg = calloc(v->most + 1, sizeof *v->angles.order_deg);
  v->vacant = calloc(v->most, sizeof *v->vacant);
  v->lines = calloc(v->most, each);
  v->line = ct_floats(2 * stride);
  v->even = ct_floats(stride + CT_LANES);
  v->odd = ct_floats(stride + CT_LANES);
  v->curve = (struct ct_curve){ ct_floats(stride), ct_floats(stride), ct_floats(stride) };
  v->row = ct_floats(WIDTH_MAX + CT_LANES);
  if (!v->angles.projection || !v->angles.order || !v->angles.order_deg || !v->vacant || !v->lines || !v->line ||
      !v->even || !v->odd || !v->curve.value || !v->curve.slope || !v->curve.bend || !v->row) {
    ct_volume_close(v);
    return ct_err_set(err, CT_ENOMEM, "no memory for a volume of %u projections of %zu bytes", (uint32_t)most, each);
  }
  ct_volume_restart(v);
  *out = v;
  return 0;
}

void ct_volume_close(struct ct_volume *v)
{
  if (!v) return;
  ct_filter_free(&v->filter);
  free(v->angles.projection);
  free(v->angles.order);
  free(v->angles.order_deg);
  free(v->vacant);
  free(v->lines);
  free(v->edge);
  free(v->line);
  free(v->even);
  free(v->odd);
  free(v->curve.value);
  free(v->curve.slope);
  free(v->curve.bend);
  free(v->row);
  free(v);
}

void ct_volume_restart(struct ct_volume *v)
{
  v->angles.n = 0;
  v->least_gap_deg = 0;
  v->vacancies = v->most;
  for (uint32_t i = 0; i < v->most; i++) v->vacant[i] = v->most - 1 - i;
}

/* Every other projection leaves, and those to come keep as much distance. */
static void thin(struct ct_volume *v)
{
  for (uint32_t i = v->angles.n; i-- > 0;) {
    if (i % 2 == 0) continue;
    uint32_t slot = v->angles.order[i];
    ct_order_remove(&v->angles, slot);
    v->vacant[v->vacancies++] = slot;
  }
  ct_order_weigh(&v->angles);
  v->least_gap_deg = 0.75 * v->angles.covered_deg / v->angles.n;
}

static bool has_neighbour(const struct ct_volume *v, double angle_deg)
{
  double range = v->setup.rotation_deg;
  for (uint32_t i = 0; i < v->angles.n; i++) {
    double apart = fabs(fmod(angle_deg - v->angles.order_deg[i], range));
    if (fmin(apart, range - apart) < v->least_gap_deg) return true;
  }
  return false;
}

int ct_volume_add(struct ct_volume *v, const float *image, double angle_deg)
{
  if (!isfinite(angle_deg)) return CT_ERANGE;
  float sum = 0;
  for (size_t i = 0; i < (size_t)v->setup.rows * v->setup.cols; i++) sum += image[i] * 0;   /* 0, or NaN */
  if (!(sum >= 0)) return CT_ERANGE;
  if (v->least_gap_deg > 0 && has_neighbour(v, angle_deg)) return 0;
  if (!v->vacancies) thin(v);

  uint32_t slot = v->vacant[--v->vacancies];
  double angle_rad = fmod(angle_deg, 360) * CT_PI / 180;
  v->angles.projection[slot] = (struct ct_projection){ .angle_deg = angle_deg, .cosine = cos(angle_rad), .sine = sin(angle_rad) };
  for (uint32_t row = 0; row < v->setup.rows; row++) {
    ct_filter_run(&v->filter, v->line, image + (size_t)row * v->setup.cols, NULL, v->edge);
    memcpy(v->lines + ((size_t)slot * v->setup.rows + row) * v->filter.samples, v->line + CT_MARGIN,
           v->filter.samples * sizeof *v->lines);
  }
  ct_order_insert(&v->angles, slot);
  ct_order_weigh(&v->angles);
  return 0;
}

/* The curve of projection <slot> at <row>, linearly between rows and samples. */
static void make_curve(struct ct_volume *v, uint32_t slot, double row, float weight)
{
  uint32_t samples = v->filter.samples, above = (uint32_t)row, last = v->setup.rows - 1;
  float part = (float)(row - above);
  const float *a = v->lines + ((size_t)slot * v->setup.rows + above) * samples;
  const float *b = above < last ? a + samples : a;

  for (uint32_t i = 0; i < samples; i++) v->even[CT_MARGIN + i] = a[i] + part * (b[i] - a[i]);
  for (size_t i = 0; i + 1 < v->filter.stride; i++) v->odd[i] = 0.5f * (v->even[i] + v->even[i + 1]);
  v->ops->bend(&v->curve, v->even, v->odd, weight, v->filter.stride - CT_LANES);
}

/* A row of a plane is a horizontal line through the sample: pixel i lies at x + i dx, y + i dy columns from the axis. */
static void add_row(struct ct_volume *v, uint32_t width, double x, double y, double dx, double dy, double row)
{
  const struct ct_span span = { 0, (uint16_t)((width + CT_LANES - 1) / CT_LANES) };
  const struct ct_curve curve = { v->curve.value + CT_MARGIN, v->curve.slope + CT_MARGIN, v->curve.bend + CT_MARGIN };

  memset(v->row, 0, (size_t)span.to * CT_LANES * sizeof *v->row);
  for (uint32_t i = 0; i < v->angles.n; i++) {
    const struct ct_projection *p = &v->angles.projection[v->angles.order[i]];
    if (!(p->weight_rad > 0)) continue;
    double step = (dx * p->cosine - dy * p->sine) / v->filter.pitch;
    double first = (v->setup.axis_px + x * p->cosine - y * p->sine - v->filter.first_col) / v->filter.pitch;
    const struct ct_ray ray = { llrint(first * CT_FIXED_ONE), llrint(fmin(fmax(step, -1), 1) * CT_FIXED_ONE), 0 };
    make_curve(v, v->angles.order[i], row, (float)p->weight_rad);
    v->ops->add(v->row, 0, &span, 1, &curve, &ray);
  }
}

void ct_volume_plane(struct ct_volume *v, const struct ct_plane *plane, uint32_t width, uint32_t height, float *values)
{
  double turn = plane->turn_deg * CT_PI / 180, tilt = plane->tilt_deg * CT_PI / 180, pitch = v->filter.pitch;
  double right_x = cos(turn), right_y = sin(turn);
  double up_x = -sin(turn) * cos(tilt), up_y = cos(turn) * cos(tilt), up_z = sin(tilt), radius = v->fov_cols / 2;
  double whole = v->setup.rotation_deg * CT_PI / 180, total = 0;

  for (uint32_t i = 0; i < v->angles.n; i++) total += v->angles.projection[v->angles.order[i]].weight_rad;
  float scale = (float)(whole / total);
  for (uint32_t j = 0; j < height; j++, values += width) {
    double up = ((height - 1) / 2.0 - j) * pitch, row = plane->row - up * up_z;
    double x = plane->x + up * up_x, y = plane->y + up * up_y;
    /* The part of this line that lies in the field of view. */
    double along = -(x * right_x + y * right_y) / pitch, off = x * right_y - y * right_x;
    double half = sqrt(fmax(radius * radius - off * off, 0)) / pitch, middle = (width - 1) / 2.0;
    double from = fmax(ceil(middle + along - half), 0), to = fmin(floor(middle + along + half) + 1, width);

    for (uint32_t i = 0; i < width; i++) values[i] = NAN;
    if (!(row >= 0 && row <= v->setup.rows - 1.0) || fabs(off) > radius || !(from < to) || !(total > 0)) continue;
    uint32_t first = (uint32_t)from, n = (uint32_t)to - first;
    add_row(v, n, x + (first - middle) * pitch * right_x, y + (first - middle) * pitch * right_y, pitch * right_x,
            pitch * right_y, row);
    for (uint32_t i = 0; i < n; i++) values[first + i] = v->row[i] * scale;
  }
}

struct ct_volume_state ct_volume_state(const struct ct_volume *v)
{
  return (struct ct_volume_state){ .projections = v->angles.n, .projections_max = v->most, .pixel_px = v->filter.pitch,
                                   .size = (uint32_t)ceil(v->fov_cols / v->filter.pitch) };
}
