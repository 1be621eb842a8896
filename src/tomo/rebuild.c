/* Factorised back projection. Seen from a small tile, projections at neighbouring angles differ by a shift: they are
 * shifted to what the middle of the tile sees, summed, and back-projected as one. */
#include "tomo/internal.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Projections from which on shifting them into small tiles takes longer than back-projecting more of them. */
enum { MANY = 1000 };

static int64_t fixed(double samples)
{
  return llrint(samples * CT_FIXED_ONE);
}

static void set_side(struct ct_tomo *t, uint32_t side)
{
  struct ct_rebuild *r = &t->rebuild;

  r->side = side;
  /* Half a tile along its diagonal, and one sample for the shift. */
  r->reach = (int32_t)ceil((side - 1) * sqrt(0.5) * t->pixel_cols / r->filter.pitch) + 1;
  r->len = (size_t)(2 * r->reach + 2 * CT_LANES) / CT_LANES * CT_LANES;
  for (uint32_t i = 0; i < side; i++) r->span[i] = (struct ct_span){ 0, (uint16_t)(side / CT_LANES) };
}

int ct_rebuild_init(struct ct_tomo *t)
{
  struct ct_rebuild *r = &t->rebuild;
  size_t n = t->setup.projections, stride = r->filter.stride;

  set_side(t, CT_TILE_MAX);
  r->lines = t->setup.smear_px > 0 ? calloc(n, 2 * stride * sizeof *r->lines) : NULL;
  r->line = calloc(n, sizeof *r->line);
  r->group = calloc(n, sizeof *r->group);
  r->even = ct_floats(r->len + CT_LANES);
  r->odd = ct_floats(r->len + CT_LANES);
  r->curve = (struct ct_curve){ ct_floats(r->len + CT_LANES), ct_floats(r->len + CT_LANES), ct_floats(r->len + CT_LANES) };
  for (int i = 0; i < 2; i++) r->tile[i] = ct_floats(CT_TILE_MAX * CT_TILE_MAX);
  return (r->lines || t->setup.smear_px == 0) && r->line && r->group && r->even && r->odd && r->curve.value &&
         r->curve.slope && r->curve.bend && r->tile[0] && r->tile[1] ? 0 : CT_ENOMEM;
}

void ct_rebuild_free(struct ct_rebuild *r)
{
  ct_filter_free(&r->filter);
  free(r->lines);
  free(r->line);
  free(r->group);
  free(r->even);
  free(r->odd);
  free(r->curve.value);
  free(r->curve.slope);
  free(r->curve.bend);
  free(r->tile[0]);
  free(r->tile[1]);
}

static int by_angle(const void *a, const void *b)
{
  const struct ct_tile_line *x = a, *y = b;
  return (x->angle_deg > y->angle_deg) - (x->angle_deg < y->angle_deg);
}

/* Filters all projections that count, by angle within a turn; how many. */
static uint32_t filter_all(struct ct_tomo *t)
{
  struct ct_rebuild *r = &t->rebuild;
  double scale = 2 * t->pixel_cols / r->filter.pitch;
  uint32_t n = 0;

  for (uint32_t i = 0; i < t->n; i++) {
    struct ct_projection *p = &t->projection[t->order[i]];
    if (!(p->weight_rad > 0)) continue;
    float *line = r->lines + 2 * r->filter.stride * n;
    ct_filter_run(&r->filter, line, t->rows + (size_t)t->order[i] * t->setup.cols, t->has_ring ? t->ring : NULL, t->edge);
    double angle = fmod(p->angle_deg, 360);
    r->line[n++] = (struct ct_tile_line){ .weight = (float)p->weight_rad,
      .angle_deg = angle < 0 ? angle + 360 : angle, .line = line + CT_MARGIN,
      .middle = fixed(2 * (t->setup.axis_px - r->filter.first_col) / r->filter.pitch),
      .right = fixed(p->cosine * scale), .down = fixed(p->sine * scale), .cosine = p->cosine, .sine = p->sine };
    p->applied_rad = p->weight_rad;
    t->applied_rad += p->weight_rad;
  }
  qsort(r->line, n, sizeof *r->line, by_angle);
  return n;
}

/* Groups projections whose angles differ so little that none is moved by more than smear_px at a tile's corner. */
static uint32_t group_all(struct ct_tomo *t, uint32_t n)
{
  struct ct_rebuild *r = &t->rebuild;
  double scale = t->pixel_cols / r->filter.pitch, corner = r->side * sqrt(0.5) * scale;
  double most_deg = 2 * t->setup.smear_px / corner * 180 / CT_PI;
  uint32_t groups = 0;

  for (uint32_t i = 0; i < n; groups++) {
    struct ct_group *g = &r->group[groups];
    double cosine = 0, sine = 0;

    *g = (struct ct_group){ .first = i };
    for (; i < n && g->n < CT_GROUP_MAX && r->line[i].angle_deg - r->line[g->first].angle_deg <= most_deg; i++, g->n++) {
      cosine += r->line[i].cosine;
      sine += r->line[i].sine;
    }
    double length = hypot(cosine, sine), right = cosine / length * scale, down = sine / length * scale;
    g->transposed = fabs(right) > fabs(down);
    g->ray = (struct ct_ray){ .first = fixed(r->reach - (r->side - 1) / 2.0 * (right + down)),
                              .step = fixed(g->transposed ? down : right), .row_step = fixed(g->transposed ? right : down) };
  }
  return groups;
}

/* Adds a group to a tile whose middle lies <right> and <down> half pixels from that of the picture. */
static void add_group(struct ct_tomo *t, const struct ct_group *g, int64_t right, int64_t down)
{
  struct ct_rebuild *r = &t->rebuild;
  struct ct_shifted shifted[CT_GROUP_MAX];

  for (uint32_t i = 0; i < g->n; i++) {
    const struct ct_tile_line *line = &r->line[g->first + i];
    int64_t place = line->middle + (right * line->right + down * line->down) / 2;
    const float *even = line->line + (place >> 33) - r->reach, *odd = even + r->filter.stride;
    bool half = place >> 32 & 1;
    float far = (float)((uint32_t)place >> 8) * 0x1p-24f * line->weight;
    shifted[i] = (struct ct_shifted){ half ? odd : even, half ? even + 1 : odd, line->weight - far, far };
  }
  t->ops->merge(r->even, r->odd, r->len, shifted, g->n);
  t->ops->bend(&r->curve, r->even, r->odd, 1, r->len);
  t->ops->add(r->tile[g->transposed], r->side, r->span, r->side, &r->curve, &g->ray);
}

static void take_tile(struct ct_tomo *t, uint32_t from_row, uint32_t from_col)
{
  const float *tile = t->rebuild.tile[0], *transposed = t->rebuild.tile[1];
  uint32_t rows = t->setup.size - from_row, cols = t->setup.size - from_col, side = t->rebuild.side;
  if (rows > side) rows = side;
  if (cols > side) cols = side;

  for (uint32_t row = 0; row < rows; row++) {
    float *to = t->picture[0] + (from_row + row) * t->stride + from_col;
    for (uint32_t col = 0; col < cols; col++) to[col] = tile[row * side + col] + transposed[col * side + row];
  }
}

void ct_rebuild_run(struct ct_tomo *t)
{
  struct ct_rebuild *r = &t->rebuild;
  uint32_t n = filter_all(t), size = t->setup.size;

  set_side(t, n > MANY ? CT_TILE_MAX : CT_TILE_MAX / 2);
  uint32_t groups = group_all(t, n), side = r->side;
  for (uint32_t from_row = 0; from_row < size; from_row += side) {
    for (uint32_t from_col = 0; from_col < size; from_col += side) {
      int64_t right = 2 * (int64_t)from_col + side - size, down = 2 * (int64_t)from_row + side - size;
      if (hypot((double)right, (double)down) > size + side * sqrt(2)) continue;
      for (int i = 0; i < 2; i++) memset(r->tile[i], 0, side * side * sizeof *r->tile[i]);
      for (uint32_t g = 0; g < groups; g++) add_group(t, &r->group[g], right, down);
      take_tile(t, from_row, from_col);
    }
  }
}
