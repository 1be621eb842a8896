/* Factorised back projection. Seen from a small tile, projections at neighbouring angles differ by a shift: they are
 * shifted to what the middle of the tile sees, summed, and back-projected as one. */
#include "tomo/internal.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Tiles are worked on a block of as many at a time, with as many projections at a time: what they see of those lines, and
 * the block, stay near the processor. */
enum { BLOCK = 8 * CT_TILE, AT_A_TIME = 256 };

static int64_t fixed(double samples)
{
  return llrint(samples * CT_FIXED_ONE);
}

int ct_rebuild_init(struct ct_tomo *t)
{
  struct ct_rebuild *r = &t->rebuild;
  size_t n = t->setup.projections, stride = r->filter.stride;

  /* Half a tile along its diagonal, and one sample for the shift. */
  r->reach = (int32_t)ceil((CT_TILE - 1) * sqrt(0.5) * t->pixel_cols / r->filter.pitch) + 1;
  r->len = (size_t)(2 * r->reach + 2 * CT_LANES) / CT_LANES * CT_LANES;
  r->lines = t->setup.smear_px > 0 ? calloc(n, 2 * stride * sizeof *r->lines) : NULL;
  r->line = calloc(n, sizeof *r->line);
  r->group = calloc(n, sizeof *r->group);
  r->even = ct_floats(r->len + CT_LANES);
  r->odd = ct_floats(r->len + CT_LANES);
  r->curve = (struct ct_curve){ ct_floats(r->len + CT_LANES), ct_floats(r->len + CT_LANES), ct_floats(r->len + CT_LANES) };
  return (r->lines || t->setup.smear_px == 0) && r->line && r->group && r->even && r->odd && r->curve.value &&
         r->curve.slope && r->curve.bend ? 0 : CT_ENOMEM;
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
  double scale = t->pixel_cols / r->filter.pitch, corner = CT_TILE * sqrt(0.5) * scale;
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
    g->ray = (struct ct_ray){ .first = fixed(r->reach - (CT_TILE - 1) / 2.0 * (right + down)),
                              .step = fixed(g->transposed ? down : right), .row_step = fixed(g->transposed ? right : down) };
  }
  return groups;
}

/* Adds a group to the tile from <row> and <col> on. */
static void add_group(struct ct_tomo *t, const struct ct_group *g, uint32_t row, uint32_t col, const struct ct_span *spans)
{
  struct ct_rebuild *r = &t->rebuild;
  struct ct_shifted shifted[CT_GROUP_MAX];
  /* Half pixels from the middle of the picture to that of the tile. */
  int64_t right = 2 * (int64_t)col + CT_TILE - t->setup.size, down = 2 * (int64_t)row + CT_TILE - t->setup.size;
  uint32_t from_row = g->transposed ? col : row, from_col = g->transposed ? row : col, rows = t->setup.size - from_row;

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
  t->ops->add(t->picture[g->transposed] + from_row * t->stride + from_col, t->stride, spans, rows < CT_TILE ? rows : CT_TILE,
              &r->curve, &g->ray);
}

/* Whether any of a square is inside the field of view. */
static bool is_inside(const struct ct_tomo *t, uint32_t row, uint32_t col, uint32_t side)
{
  double right = 2.0 * col + side - t->setup.size, down = 2.0 * row + side - t->setup.size;
  return hypot(right, down) <= t->setup.size + side * sqrt(2);
}

static void add_block(struct ct_tomo *t, uint32_t from_row, uint32_t from_col, const struct ct_group *group, uint32_t groups,
                      const struct ct_span *spans)
{
  for (uint32_t row = from_row; row < t->setup.size && row < from_row + BLOCK; row += CT_TILE)
    for (uint32_t col = from_col; col < t->setup.size && col < from_col + BLOCK; col += CT_TILE)
      if (is_inside(t, row, col, CT_TILE))
        for (uint32_t g = 0; g < groups; g++) add_group(t, &group[g], row, col, spans);
}

void ct_rebuild_run(struct ct_tomo *t)
{
  struct ct_rebuild *r = &t->rebuild;
  struct ct_span spans[CT_TILE];
  uint32_t groups = group_all(t, filter_all(t)), size = t->setup.size;

  for (uint32_t i = 0; i < CT_TILE; i++) spans[i] = (struct ct_span){ 0, CT_TILE / CT_LANES };
  for (uint32_t row = 0; row < size; row += BLOCK) {
    for (uint32_t col = 0; col < size; col += BLOCK) {
      if (!is_inside(t, row, col, BLOCK)) continue;
      for (uint32_t from = 0, to, n; from < groups; from = to) {
        for (to = from, n = 0; to < groups && n < AT_A_TIME; to++) n += r->group[to].n;
        add_block(t, row, col, &r->group[from], to - from, spans);
      }
    }
  }
}
