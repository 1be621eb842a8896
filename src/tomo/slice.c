#include "tomo/internal.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* A weight off by less is left as it is. */
#define WEIGHT_TOLERANCE 0.005
enum { CORRECTIONS_MAX = 8 };   /* a projection; what is left comes with the next ones */

float *ct_floats(size_t n)
{
  size_t size_bytes = (n * sizeof(float) + 63) / 64 * 64;
  float *memory = aligned_alloc(64, size_bytes);
  if (memory) memset(memory, 0, size_bytes);
  return memory;
}

static int check(const struct ct_tomo_setup *s, struct ct_err *err)
{
  if (s->cols < 8 || s->cols > 32768)
    return ct_err_set(err, CT_ERANGE, "rows of %u columns cannot be reconstructed: 8 to 32768", s->cols);
  if (s->size < 16 || s->size > 16384)
    return ct_err_set(err, CT_ERANGE, "a slice of %u pixels per edge is out of range: 16 to 16384", s->size);
  if (s->projections < 1 || s->projections > 1000000)
    return ct_err_set(err, CT_ERANGE, "%u projections cannot be kept: 1 to 1000000", s->projections);
  if (s->rotation_deg != 180 && s->rotation_deg != 360)
    return ct_err_set(err, CT_ERANGE, "a turn of %u degrees is neither 180 nor 360", s->rotation_deg);
  if (!(s->axis_px >= 0 && s->axis_px <= s->cols - 1.0))
    return ct_err_set(err, CT_ERANGE, "the axis at column %g is outside the detector: 0 to %u", s->axis_px, s->cols - 1);
  if (!(s->pixel_cm >= 0 && s->pixel_cm < 1e3))
    return ct_err_set(err, CT_ERANGE, "columns of %g cm are out of range", s->pixel_cm);
  if ((unsigned)s->window >= CT_WINDOWS)
    return ct_err_set(err, CT_ERANGE, "there is no window %u", (unsigned)s->window);
  if (!(s->smear_px >= 0 && s->smear_px <= 1))
    return ct_err_set(err, CT_ERANGE, "projections cannot be moved by %g pixels: 0 to 1", s->smear_px);
  return 0;
}

/* Opposite projections share what both see: their weights at the same distance from the axis add up to 1. Where only one
 * of them sees it, that is everything; between lies a straight line, as wide as the part seen twice allows. */
void ct_edge_weights(float *edge, uint32_t cols, double axis_px)
{
  double left = axis_px + 0.5, right = cols - axis_px - 0.5;
  double near = fmin(left, right), far = fmax(left, right), width = fmin(near, 32 + far - near);

  for (uint32_t i = 0; i < cols; i++) {
    double out = (i - axis_px) * (right >= left ? 1 : -1);   /* positive on the farther side */
    double rise = (fabs(out) - (near - width)) / width;
    edge[i] = (float)(0.5 + 0.5 * copysign(fmin(fmax(rise, 0), 1), out));
  }
}

static void make_spans(struct ct_tomo *t)
{
  double middle = (t->setup.size - 1) / 2.0, radius = t->setup.size / 2.0;

  for (uint32_t row = 0; row < t->setup.size; row++) {
    double half = sqrt(fmax(radius * radius - (row - middle) * (row - middle), 0));
    uint32_t from = (uint32_t)ceil(middle - half), to = (uint32_t)floor(middle + half) + 1;
    t->span[row] = (struct ct_span){ (uint16_t)(from / CT_LANES), (uint16_t)((to + CT_LANES - 1) / CT_LANES) };
  }
}

static int make(struct ct_tomo *t)
{
  const struct ct_tomo_setup *s = &t->setup;
  double far = fmax(s->axis_px, s->cols - 1 - s->axis_px) + 0.5;

  t->fov_cols = s->rotation_deg == 360 ? 2 * far : s->cols;
  t->pixel_cols = t->fov_cols / s->size;
  struct ct_filter_setup filter = {
    .cols = s->cols, .from_col = s->axis_px - t->fov_cols / 2, .to_col = s->axis_px + t->fov_cols / 2,
    .pixel_cols = t->pixel_cols, .window = s->window, .scale = s->pixel_cm > 0 ? 1 / s->pixel_cm : 1 };
  if (ct_filter_init(&t->filter, &filter)) return CT_ENOMEM;
  filter.shifted = true;
  if (ct_filter_init(&t->rebuild.filter, &filter)) return CT_ENOMEM;
  /* Whole tiles, and an odd number of cache lines so that a column of pixels does not compete for the same few of them. */
  t->stride = (size_t)((s->size + CT_TILE - 1) / CT_TILE * CT_TILE) + CT_LANES;
  t->rows = calloc(s->projections, s->cols * sizeof *t->rows);
  t->projection = calloc(s->projections, sizeof *t->projection);
  t->order = calloc(s->projections + 1, sizeof *t->order);
  t->order_deg = calloc(s->projections + 1, sizeof *t->order_deg);
  t->picture[0] = ct_floats(t->stride * s->size);
  t->picture[1] = ct_floats(t->stride * s->size);
  t->span = calloc(s->size, sizeof *t->span);
  t->line = ct_floats(2 * t->filter.stride + CT_LANES);
  t->curve = (struct ct_curve){ ct_floats(t->filter.stride), ct_floats(t->filter.stride), ct_floats(t->filter.stride) };
  t->ring = ct_floats(s->cols);
  if (!t->rows || !t->projection || !t->order || !t->order_deg || !t->picture[0] || !t->picture[1] || !t->span ||
      !t->line || !t->curve.value || !t->curve.slope || !t->curve.bend || !t->ring)
    return CT_ENOMEM;
  make_spans(t);
  if (s->rotation_deg == 360) {
    t->edge = ct_floats(s->cols);
    if (!t->edge) return CT_ENOMEM;
    ct_edge_weights(t->edge, s->cols, s->axis_px);
  }
  return ct_rebuild_init(t);
}

int ct_tomo_open(struct ct_tomo **out, const struct ct_tomo_setup *setup, struct ct_err *err)
{
  *out = NULL;
  int rc = check(setup, err);
  if (rc) return rc;
  struct ct_tomo *t = calloc(1, sizeof *t);
  if (!t) return ct_err_set(err, CT_ENOMEM, "no memory for a slice");
  t->setup = *setup;
  t->ops = ct_tomo_ops_get(0);
  rc = make(t);
  if (rc) {
    ct_tomo_close(t);
    return ct_err_set(err, rc, "no memory for a slice of %u x %u pixels from %u rows of %u columns: keep fewer projections",
                      setup->size, setup->size, setup->projections, setup->cols);
  }
  *out = t;
  return 0;
}

void ct_tomo_close(struct ct_tomo *t)
{
  if (!t) return;
  ct_filter_free(&t->filter);
  ct_rebuild_free(&t->rebuild);
  free(t->rows);
  free(t->projection);
  free(t->order);
  free(t->order_deg);
  free(t->picture[0]);
  free(t->picture[1]);
  free(t->span);
  free(t->line);
  free(t->curve.value);
  free(t->curve.slope);
  free(t->curve.bend);
  free(t->edge);
  free(t->ring);
  free(t);
}

#define SWAP(a, b) do { void *was = (a); (a) = (b); (b) = was; } while (0)

int ct_tomo_change(struct ct_tomo **tomo, const struct ct_tomo_setup *setup, struct ct_err *err)
{
  struct ct_tomo *old = *tomo, *t;
  if (setup->cols != old->setup.cols || setup->projections != old->setup.projections)
    return ct_err_set(err, CT_ERANGE, "rows of another width or another number of them need a new slice");
  int rc = ct_tomo_open(&t, setup, err);
  if (rc) return rc;
  SWAP(t->rows, old->rows);
  SWAP(t->projection, old->projection);
  SWAP(t->ring, old->ring);
  t->has_ring = old->has_ring;
  t->oldest = old->oldest;
  for (uint32_t i = 0; i < old->n; i++) ct_order_insert(t, (t->oldest + i) % setup->projections);
  ct_tomo_close(old);
  *tomo = t;
  ct_tomo_rebuild(t);
  return 0;
}

const struct ct_tomo_setup *ct_tomo_setup(const struct ct_tomo *t)
{
  return &t->setup;
}

static int64_t fixed(double samples)
{
  return llrint(samples * CT_FIXED_ONE);
}

void ct_tomo_put(struct ct_tomo *t, uint32_t slot, double weight_rad)
{
  struct ct_projection *p = &t->projection[slot];
  size_t len = t->filter.stride - CT_LANES;

  ct_filter_run(&t->filter, t->line, t->rows + (size_t)slot * t->setup.cols, t->has_ring ? t->ring : NULL, t->edge);
  t->ops->bend(&t->curve, t->line, t->line + t->filter.stride, (float)weight_rad, len);

  double scale = t->pixel_cols / t->filter.pitch, middle = (t->setup.size - 1) / 2.0;
  double right = p->cosine * scale, down = p->sine * scale;
  bool transposed = fabs(right) > fabs(down);
  const struct ct_curve curve = { t->curve.value + CT_MARGIN, t->curve.slope + CT_MARGIN, t->curve.bend + CT_MARGIN };
  const struct ct_ray ray = {
    .first = fixed((t->setup.axis_px - t->filter.first_col) / t->filter.pitch - middle * (right + down)),
    .step = fixed(transposed ? down : right), .row_step = fixed(transposed ? right : down) };
  t->ops->add(t->picture[transposed], t->stride, t->span, t->setup.size, &curve, &ray);
  p->applied_rad += weight_rad;
  t->applied_rad += weight_rad;
}

/* Brings weights to what they should be, <most> of them at the most. */
static void correct(struct ct_tomo *t, uint32_t most)
{
  ct_order_weigh(t);
  for (uint32_t i = 0; i < t->n && most; i++) {
    struct ct_projection *p = &t->projection[t->order[i]];
    double change = p->weight_rad - p->applied_rad;
    if (fabs(change) <= WEIGHT_TOLERANCE * p->weight_rad) continue;
    ct_tomo_put(t, t->order[i], change);
    most--;
  }
}

static void drop_oldest(struct ct_tomo *t)
{
  struct ct_projection *p = &t->projection[t->oldest];
  if (p->applied_rad != 0) ct_tomo_put(t, t->oldest, -p->applied_rad);
  ct_order_remove(t, t->oldest);
  t->oldest = (t->oldest + 1) % t->setup.projections;
}

static bool all_finite(const float *row, uint32_t n)
{
  float sum = 0;
  for (uint32_t i = 0; i < n; i++) sum += row[i] * 0;   /* 0, or NaN */
  return sum == 0;
}

int ct_tomo_add(struct ct_tomo *t, const float *row, double angle_deg)
{
  if (!isfinite(angle_deg) || !all_finite(row, t->setup.cols)) return CT_ERANGE;
  if (t->n == t->setup.projections) drop_oldest(t);
  uint32_t slot = (t->oldest + t->n) % t->setup.projections;
  /* Whole turns taken away first keep the sine exact for a stage that never stops. */
  double angle_rad = fmod(angle_deg, 360) * CT_PI / 180;
  memcpy(t->rows + (size_t)slot * t->setup.cols, row, t->setup.cols * sizeof *row);
  t->projection[slot] = (struct ct_projection){ .angle_deg = angle_deg, .cosine = cos(angle_rad), .sine = sin(angle_rad) };
  ct_order_insert(t, slot);
  correct(t, CORRECTIONS_MAX);
  return 0;
}

static void clear(struct ct_tomo *t)
{
  for (int i = 0; i < 2; i++) memset(t->picture[i], 0, t->stride * t->setup.size * sizeof *t->picture[i]);
  for (uint32_t i = 0; i < t->n; i++) t->projection[t->order[i]].applied_rad = 0;
  t->applied_rad = 0;
}

void ct_tomo_forget(struct ct_tomo *t, uint32_t n)
{
  if (n >= t->n) {
    clear(t);
    t->n = 0;
    t->covered_deg = 0;
    return;
  }
  while (n--) drop_oldest(t);
  correct(t, CORRECTIONS_MAX);
}

bool ct_tomo_ring(struct ct_tomo *t, const float *ring)
{
  bool same = t->has_ring == (ring != NULL) && (!ring || !memcmp(t->ring, ring, t->setup.cols * sizeof *ring));
  if (same) return false;
  t->has_ring = ring;
  if (ring) memcpy(t->ring, ring, t->setup.cols * sizeof *ring);
  return true;
}

void ct_tomo_rebuild(struct ct_tomo *t)
{
  clear(t);
  ct_order_weigh(t);
  if (t->setup.smear_px > 0) {
    ct_rebuild_run(t);
    return;
  }
  for (uint32_t i = 0; i < t->n; i++) {
    uint32_t slot = (t->oldest + i) % t->setup.projections;
    if (t->projection[slot].weight_rad > 0) ct_tomo_put(t, slot, t->projection[slot].weight_rad);
  }
}

/* What the sum of back projections is multiplied with so that its mean is right whatever part of the turn has come. */
static double level(const struct ct_tomo *t)
{
  double turn = t->setup.rotation_deg * CT_PI / 180;
  if (t->setup.rotation_deg == 180) return turn / t->applied_rad;
  /* Where most is seen by both of opposite projections each counts half; else half a turn shows half of the sample. */
  double near = t->setup.cols - t->fov_cols / 2;
  return near > t->fov_cols / 4 ? turn / t->applied_rad : fmax(turn / 2 / t->applied_rad, 1);
}

void ct_tomo_slice(const struct ct_tomo *t, float *values)
{
  enum { BLOCK = 16 };
  uint32_t size = t->setup.size;
  float scale = t->applied_rad > 0 ? (float)level(t) : NAN;
  double middle = (size - 1) / 2.0, radius = size / 2.0;

  for (uint32_t from_row = 0; from_row < size; from_row += BLOCK) {
    for (uint32_t from_col = 0; from_col < size; from_col += BLOCK) {
      for (uint32_t row = from_row; row < size && row < from_row + BLOCK; row++) {
        double half = sqrt(fmax(radius * radius - (row - middle) * (row - middle), 0));
        for (uint32_t col = from_col; col < size && col < from_col + BLOCK; col++)
          values[(size_t)row * size + col] = fabs(col - middle) <= half
            ? scale * (t->picture[0][row * t->stride + col] + t->picture[1][col * t->stride + row]) : NAN;
      }
    }
  }
}

struct ct_tomo_state ct_tomo_state(const struct ct_tomo *t)
{
  uint32_t last = (t->oldest + t->n + t->setup.projections - 1) % t->setup.projections;
  return (struct ct_tomo_state){ .projections = t->n, .covered_deg = t->covered_deg,
                                 .last_deg = t->n ? t->projection[last].angle_deg : (double)NAN,
                                 .fov_px = t->fov_cols, .pixel_px = t->pixel_cols };
}

const float *ct_tomo_row(const struct ct_tomo *t, uint32_t i, double *angle_deg)
{
  uint32_t slot = (t->oldest + i) % t->setup.projections;
  if (angle_deg) *angle_deg = t->projection[slot].angle_deg;
  return t->rows + (size_t)slot * t->setup.cols;
}
