/* Planes through the sample: images of all rows are kept, as many projections as memory allows, and filtered row by row when
 * a plane is drawn, so that another axis or another window costs no more than another plane. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "tomo/internal.h"
#include "tomo/volume.h"

/* What is kept of an image: value = least + step * pixel. Half a step is a millionth of the image's range. */
struct kept {
  float least, step;
};

struct ct_volume {
  struct ct_volume_setup setup;
  const struct ct_tomo_ops *ops;
  struct ct_filter filter;
  float *edge;                /* [cols], of the latest row; NULL: half a turn */
  double fov_cols;
  uint32_t most;              /* projections kept */
  double least_gap_deg;       /* between projections, since they had to be thinned */
  struct ct_tomo angles;      /* only its projections and their order are in use */
  uint32_t *vacant, vacancies;    /* slots */
  uint16_t *pixels;           /* [most][rows][cols] */
  struct kept *kept;          /* [most] */
  uint64_t changes;
  /* The curves of one row of all projections, times their weights, in the order of their angles. */
  double row;                 /* NaN: of none */
  uint64_t row_changes;       /* then */
  uint32_t row_every;         /* of every so many projections */
  float *curves;              /* [most][3][stride] */
  float *raw, *line;          /* [cols]; what the filter writes */
  struct ct_rings rings;      /* of one row */
  float *ring;                /* [cols]: what stands still in it; NULL: nothing is corrected */
  float *sum;                 /* a row of a plane, whole vectors */
};

enum { WIDTH_MAX = 16384 };
#define LEAN_MAX 0.1

/* ---- opening and closing ------------------------------------------------------------------------------------------- */
/* What a single slice is made with serves all rows. */
static int make_filter(struct ct_volume *v, const struct ct_volume_setup *s, struct ct_err *err)
{
  const struct ct_tomo_setup like = { .cols = s->cols, .size = s->size, .projections = 1, .rotation_deg = s->rotation_deg,
                                      .axis_px = s->axis_px, .pixel_cm = s->pixel_cm, .window = s->window };
  struct ct_tomo *probe;
  int rc = s->rows < 1 || s->rows > 32768 ? ct_err_set(err, CT_ERANGE, "no volume of %u rows: 1 to 32768", s->rows)
                                          : ct_tomo_open(&probe, &like, err);
  if (!rc && !(fabs(s->lean) <= LEAN_MAX && isfinite(s->lean_row))) {
    ct_tomo_close(probe);
    rc = ct_err_set(err, CT_ERANGE, "an axis that leans by %g columns a row is out of range: at most %g", s->lean, LEAN_MAX);
  }
  if (rc) return rc;
  float *curves = v->most ? calloc((size_t)v->most * 3, probe->filter.stride * sizeof *curves) : NULL;
  float *line = ct_floats(2 * probe->filter.stride + CT_LANES);
  if ((v->most && !curves) || !line) {
    free(curves);
    free(line);
    ct_tomo_close(probe);
    return ct_err_set(err, CT_ENOMEM, "no memory for a volume");
  }
  ct_filter_free(&v->filter);
  free(v->edge);
  free(v->curves);
  free(v->line);
  v->ops = probe->ops;
  v->fov_cols = probe->fov_cols;
  v->filter = probe->filter;
  v->edge = probe->edge;
  v->curves = curves;
  v->line = line;
  v->setup = *s;
  v->changes++;
  memset(&probe->filter, 0, sizeof probe->filter);
  probe->edge = NULL;
  ct_tomo_close(probe);
  return 0;
}

static int make(struct ct_volume *v, const struct ct_volume_setup *s, struct ct_err *err)
{
  /* An image, and its part of the curves. */
  size_t image = (size_t)s->rows * s->cols * sizeof *v->pixels, each = image + 3 * sizeof(float) * (s->size + 2 * CT_MARGIN + 64);
  /* More projections than the field of view has pixels around it sharpen nothing and take their time; of small images, which
   * take little, they take noise away. */
  uint64_t most = s->memory_bytes / each, useful = 2 * (uint64_t)s->size * (s->rotation_deg / 180);
  useful = useful < 1024 ? 1024 : useful;
  v->most = (uint32_t)(most < useful ? most : useful);
  int rc = make_filter(v, s, err);
  if (rc) return rc;
  if (v->most < 2)
    return ct_err_set(err, CT_ERANGE, "%llu bytes hold no volume: a projection takes %zu; bin frames more",
                      (unsigned long long)s->memory_bytes, each);
  v->row = (double)NAN;
  v->angles.projection = calloc(v->most, sizeof *v->angles.projection);
  v->angles.order = calloc(v->most + 1, sizeof *v->angles.order);
  v->angles.order_deg = calloc(v->most + 1, sizeof *v->angles.order_deg);
  v->vacant = calloc(v->most, sizeof *v->vacant);
  v->kept = calloc(v->most, sizeof *v->kept);
  v->pixels = calloc(v->most, image);
  v->raw = ct_floats(s->cols);
  v->sum = ct_floats(WIDTH_MAX + CT_LANES);
  if (!v->angles.projection || !v->angles.order || !v->angles.order_deg || !v->vacant || !v->kept || !v->pixels || !v->raw ||
      !v->sum || (s->rings && (ct_rings_init(&v->rings, s->cols) || !(v->ring = ct_floats(s->cols)))))
    return ct_err_set(err, CT_ENOMEM, "no memory for a volume of %u projections of %zu bytes", v->most, each);
  v->angles.setup.rotation_deg = s->rotation_deg;
  ct_volume_restart(v);
  return 0;
}

int ct_volume_open(struct ct_volume **out, const struct ct_volume_setup *setup, struct ct_err *err)
{
  *out = NULL;
  struct ct_volume *v = calloc(1, sizeof *v);
  if (!v) return ct_err_set(err, CT_ENOMEM, "no memory for a volume");
  int rc = make(v, setup, err);
  if (rc) ct_volume_close(v);
  else *out = v;
  return rc;
}

int ct_volume_change(struct ct_volume *v, const struct ct_volume_setup *setup, struct ct_err *err)
{
  const struct ct_volume_setup *now = &v->setup;
  if (setup->rows != now->rows || setup->cols != now->cols || setup->memory_bytes != now->memory_bytes ||
      setup->rotation_deg != now->rotation_deg || setup->rings != now->rings)
    return ct_err_set(err, CT_ERANGE, "images of another shape, of another turn, or with other rings need a new volume");
  return make_filter(v, setup, err);
}

const struct ct_volume_setup *ct_volume_setup(const struct ct_volume *v)
{
  return &v->setup;
}

void ct_volume_close(struct ct_volume *v)
{
  if (!v) return;
  ct_filter_free(&v->filter);
  free(v->edge);
  free(v->angles.projection);
  free(v->angles.order);
  free(v->angles.order_deg);
  free(v->vacant);
  free(v->kept);
  free(v->pixels);
  free(v->curves);
  ct_rings_free(&v->rings);
  free(v->ring);
  free(v->raw);
  free(v->line);
  free(v->sum);
  free(v);
}

void ct_volume_restart(struct ct_volume *v)
{
  v->changes++;
  v->angles.n = 0;
  /* Never so near that there would be no room for the whole turn. */
  v->least_gap_deg = (double)v->setup.rotation_deg / v->most;
  v->vacancies = v->most;
  for (uint32_t i = 0; i < v->most; i++) v->vacant[i] = v->most - 1 - i;
}

/* ---- projections --------------------------------------------------------------------------------------------------- */
bool ct_volume_takes(const struct ct_volume *v, double angle_deg)
{
  double range = v->setup.rotation_deg;
  if (!v->vacancies) return false;
  for (uint32_t i = 0; i < v->angles.n; i++) {
    double apart = fmod(angle_deg - v->angles.order_deg[i], range);
    if (fmin(fabs(apart), range - fabs(apart)) < v->least_gap_deg * (1 - 1e-9)) return false;
  }
  return true;
}

/* False: not all of it is finite. */
static bool extent(const float *image, size_t n, float *low, float *high)
{
  float least[CT_LANES], most[CT_LANES], none[CT_LANES] = { 0 };
  for (int k = 0; k < CT_LANES; k++) least[k] = most[k] = image[0];
  for (size_t i = 0; i < n; i += CT_LANES) {
    const float *at = image + (i + CT_LANES < n ? i : n - CT_LANES);   /* some of the last ones twice */
    for (int k = 0; k < CT_LANES; k++) {
      none[k] += at[k] * 0;   /* 0, or NaN */
      least[k] = at[k] < least[k] ? at[k] : least[k];
      most[k] = at[k] > most[k] ? at[k] : most[k];
    }
  }
  *low = least[0];
  *high = most[0];
  for (int k = 1; k < CT_LANES; k++) {
    none[0] += none[k];
    *low = fminf(*low, least[k]);
    *high = fmaxf(*high, most[k]);
  }
  return none[0] >= 0;
}

/* False: not all of it is finite. */
static bool keep(struct ct_volume *v, uint32_t slot, const float *image)
{
  size_t n = (size_t)v->setup.rows * v->setup.cols;
  uint16_t *pixels = v->pixels + slot * n;
  float low, high;

  if (!extent(image, n, &low, &high)) return false;
  float step = (high - low) / 65535, per = step > 0 ? 1 / step : 0;
  for (size_t i = 0; i < n; i++) {
    float at = (image[i] - low) * per + 0.5f;
    pixels[i] = (uint16_t)(int32_t)(at < 65535 ? at : 65535);
  }
  v->kept[slot] = (struct kept){ low, step };
  return true;
}

int ct_volume_add(struct ct_volume *v, const float *image, double angle_deg)
{
  if (!isfinite(angle_deg)) return CT_ERANGE;
  if (!ct_volume_takes(v, angle_deg)) return 0;

  uint32_t slot = v->vacant[v->vacancies - 1];
  double angle_rad = fmod(angle_deg, 360) * CT_PI / 180;
  if (!keep(v, slot, image)) return CT_ERANGE;
  v->vacancies--;
  v->angles.projection[slot] = (struct ct_projection){ .angle_deg = angle_deg, .cosine = cos(angle_rad), .sine = sin(angle_rad) };
  ct_order_insert(&v->angles, slot);
  ct_order_weigh(&v->angles);
  v->changes++;
  return 0;
}

/* A row between others is on a line between them. */
static void load(const struct ct_volume *v, uint32_t slot, double row, float *out)
{
  uint32_t cols = v->setup.cols, above = (uint32_t)row;
  const uint16_t *pixels = v->pixels + ((size_t)slot * v->setup.rows + above) * cols;
  const struct kept kept = v->kept[slot];
  float part = (float)(row - above);
  for (uint32_t i = 0; i < cols; i++) out[i] = kept.least + kept.step * pixels[i];
  for (uint32_t i = 0; part > 0 && i < cols; i++) out[i] += part * (kept.least + kept.step * pixels[cols + i] - out[i]);
}

/* What was on one height of the sample lies higher the farther it is from an axis that leans to the right. */
void ct_volume_row(const struct ct_volume *v, uint32_t slot, double row, double col, double lean, float *out)
{
  uint32_t cols = v->setup.cols, last = v->setup.rows - 1;
  const uint16_t *pixels = v->pixels + (size_t)slot * v->setup.rows * cols;
  const struct kept kept = v->kept[slot];

  if (!(fabs(lean) > 0)) {
    load(v, slot, row, out);
    return;
  }
  for (uint32_t c = 0; c < cols; c++) {
    double at = fmin(fmax(row - (c - col) * lean, 0), last);
    uint32_t above = (uint32_t)at, below = above < last ? above + 1 : last;
    float part = (float)(at - above), high = pixels[(size_t)above * cols + c], low = pixels[(size_t)below * cols + c];
    out[c] = kept.least + kept.step * (high + part * (low - high));
  }
}

const struct ct_tomo *ct_volume_angles(const struct ct_volume *v)
{
  return &v->angles;
}

int ct_volume_correct(struct ct_volume *v, const float *change)
{
  uint32_t cols = v->setup.cols;
  float *image = calloc(v->setup.rows, cols * sizeof *image);
  int rc = image ? 0 : CT_ENOMEM;

  for (uint32_t i = 0; i < v->angles.n && !rc; i++) {
    for (uint32_t row = 0; row < v->setup.rows; row++) {
      float *to = image + (size_t)row * cols;
      load(v, v->angles.order[i], row, to);
      for (uint32_t c = 0; c < cols; c++) to[c] += change[(size_t)row * cols + c];
    }
    rc = keep(v, v->angles.order[i], image) ? 0 : CT_ERANGE;
  }
  v->changes++;
  free(image);
  return rc;
}

/* ---- planes --------------------------------------------------------------------------------------------------------- */
static struct ct_curve curve_at(const struct ct_volume *v, uint32_t i)
{
  float *at = v->curves + (size_t)i * 3 * v->filter.stride;
  return (struct ct_curve){ at, at + v->filter.stride, at + 2 * v->filter.stride };
}

/* By how many columns the axis is elsewhere in <row>; a line has samples in store for no more. */
static double lean_at(const struct ct_volume *v, double row)
{
  const struct ct_volume_setup *s = &v->setup;
  double most = CT_MARGIN / 3 * v->filter.pitch, off = s->lean * (row - s->lean_row);
  off = fmin(fmax(off, -most), most);
  return fmin(fmax(s->axis_px + off, 0), s->cols - 1.0) - s->axis_px;
}

static void load_height(struct ct_volume *v, uint32_t slot, double row)
{
  ct_volume_row(v, slot, row, v->setup.axis_px, v->setup.lean, v->raw);
}

/* The ring correction of the row, from the same projections as its curves; NULL: none. */
static const float *find_ring(struct ct_volume *v, double row, uint32_t every)
{
  if (!v->ring) return NULL;
  ct_rings_begin(&v->rings, (v->angles.n + every - 1) / every);
  for (uint32_t i = 0; i < v->angles.n; i += every) {
    load_height(v, v->angles.order[i], row);
    ct_rings_take(&v->rings, v->raw);
  }
  return ct_rings_end(&v->rings, v->setup.axis_px + lean_at(v, row), v->ring) ? NULL : v->ring;
}

/* The curves of all projections at <row>; those of the latest row are kept. */
static void make_curves(struct ct_volume *v, double row, uint32_t every)
{
  if (fabs(v->row - row) < 1e-9 && v->row_changes == v->changes && v->row_every == every) return;
  const float *ring = find_ring(v, row, every);
  v->row = row;
  v->row_changes = v->changes;
  v->row_every = every;
  if (v->edge) ct_edge_weights(v->edge, v->setup.cols, v->setup.axis_px + lean_at(v, row));
  for (uint32_t i = 0; i < v->angles.n; i += every) {
    uint32_t slot = v->angles.order[i];
    const struct ct_curve curve = curve_at(v, i);
    load_height(v, slot, row);
    ct_filter_run(&v->filter, v->line, v->raw, ring, v->edge);
    v->ops->bend(&curve, v->line, v->line + v->filter.stride, (float)v->angles.projection[slot].weight_rad,
                 v->filter.stride - CT_LANES);
  }
}

/* A row of a plane is a horizontal line through the sample: pixel i lies at x + i dx, y + i dy columns from the axis. */
static void add_row(struct ct_volume *v, uint32_t every, uint32_t width, double x, double y, double dx, double dy, double row)
{
  const struct ct_span span = { 0, (uint16_t)((width + CT_LANES - 1) / CT_LANES) };
  double axis_px = v->setup.axis_px + lean_at(v, row);

  memset(v->sum, 0, (size_t)span.to * CT_LANES * sizeof *v->sum);
  make_curves(v, row, every);
  for (uint32_t i = 0; i < v->angles.n; i += every) {
    const struct ct_projection *p = &v->angles.projection[v->angles.order[i]];
    if (!(p->weight_rad > 0)) continue;
    double step = (dx * p->cosine - dy * p->sine) / v->filter.pitch;
    double first = (axis_px + x * p->cosine - y * p->sine - v->filter.first_col) / v->filter.pitch;
    const struct ct_ray ray = { llrint(first * CT_FIXED_ONE), llrint(fmin(fmax(step, -1), 1) * CT_FIXED_ONE), 0 };
    const struct ct_curve whole = curve_at(v, i);
    const struct ct_curve curve = { whole.value + CT_MARGIN, whole.slope + CT_MARGIN, whole.bend + CT_MARGIN };
    v->ops->add(v->sum, 0, &span, 1, &curve, &ray);
  }
}

void ct_volume_lines(struct ct_volume *v, const struct ct_plane *plane, uint32_t width, uint32_t height, uint32_t every,
                     uint32_t from_line, uint32_t lines, float *values)
{
  double turn = plane->turn_deg * CT_PI / 180, tilt = plane->tilt_deg * CT_PI / 180, pitch = v->filter.pitch;
  double right_x = cos(turn), right_y = sin(turn);
  double up_x = -sin(turn) * cos(tilt), up_y = cos(turn) * cos(tilt), up_z = sin(tilt), radius = v->fov_cols / 2;
  double whole = v->setup.rotation_deg * CT_PI / 180, total = 0;

  for (uint32_t i = 0; i < v->angles.n; i += every) total += v->angles.projection[v->angles.order[i]].weight_rad;
  float scale = (float)(whole / total);
  for (uint32_t j = from_line; j < from_line + lines; j++, values += width) {
    double up = ((height - 1) / 2.0 - j) * pitch, row = plane->row - up * up_z;
    double x = plane->x + up * up_x, y = plane->y + up * up_y;
    /* The part of this line that lies in the field of view. */
    double along = -(x * right_x + y * right_y) / pitch, off = x * right_y - y * right_x;
    double half = sqrt(fmax(radius * radius - off * off, 0)) / pitch, middle = (width - 1) / 2.0;
    double from = fmax(ceil(middle + along - half), 0), to = fmin(floor(middle + along + half) + 1, width);

    for (uint32_t i = 0; i < width; i++) values[i] = NAN;
    if (!(row >= 0 && row <= v->setup.rows - 1.0) || fabs(off) > radius || !(from < to) || !(total > 0)) continue;
    uint32_t first = (uint32_t)from, n = (uint32_t)to - first;
    add_row(v, every, n, x + (first - middle) * pitch * right_x, y + (first - middle) * pitch * right_y, pitch * right_x,
            pitch * right_y, row);
    for (uint32_t i = 0; i < n; i++) values[first + i] = v->sum[i] * scale;
  }
}

void ct_volume_plane(struct ct_volume *v, const struct ct_plane *plane, uint32_t width, uint32_t height, float *values)
{
  ct_volume_lines(v, plane, width, height, 1, 0, height, values);
}

struct ct_volume_state ct_volume_state(const struct ct_volume *v)
{
  return (struct ct_volume_state){ .projections = v->angles.n, .projections_max = v->most, .pixel_px = v->filter.pitch,
                                   .size = (uint32_t)ceil(v->fov_cols / v->filter.pitch), .changes = v->changes };
}
