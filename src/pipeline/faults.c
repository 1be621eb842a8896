#include "faults.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

int ct_faults_init(struct ct_faults *f, uint32_t rows, uint32_t cols, const uint8_t *given, double frame_hz,
                   bool automatic, struct ct_err *err)
{
  size_t pixels = (size_t)rows * cols;
  *f = (struct ct_faults){ .rows = rows, .cols = cols, .frame_hz = frame_hz, .automatic = automatic };
  f->given = ct_xcalloc(pixels, 1);
  f->state = ct_xcalloc(pixels, 1);
  f->masked = ct_xcalloc(pixels, 1);
  memcpy(f->given, given, pixels);
  return ct_health_new(&f->health, rows, cols, err);
}

void ct_faults_fini(struct ct_faults *f)
{
  ct_health_free(f->health);
  free(f->given);
  free(f->state);
  free(f->masked);
}

/* ---- masking ----------------------------------------------------------------------------------------------- */
static bool is_faulty(const struct ct_faults *f, size_t pixel)
{
  return f->given[pixel] && (f->state[pixel] == CT_PIXEL_HOT || f->state[pixel] == CT_PIXEL_DEAD);
}

static bool mask_faulty(struct ct_faults *f)
{
  uint32_t before = f->n_masked;
  for (size_t pixel = 0; pixel < (size_t)f->rows * f->cols; pixel++) {
    if (f->masked[pixel] || !is_faulty(f, pixel))
      continue;
    f->masked[pixel] = 1;
    f->n_masked++;
  }
  f->generation += f->n_masked != before;
  return f->n_masked != before;
}

bool ct_faults_mask(struct ct_faults *f, bool on)
{
  if (on)
    return mask_faulty(f);
  f->automatic = false;
  if (f->n_masked == 0)
    return false;
  memset(f->masked, 0, (size_t)f->rows * f->cols);
  f->n_masked = 0;
  f->generation++;
  return true;
}

bool ct_faults_judge(struct ct_faults *f)
{
  ct_health_judge(f->health, f->state, &f->report);
  return f->automatic && mask_faulty(f);
}

/* ---- the picture --------------------------------------------------------------------------------------------- */
static void list_pixel(const struct ct_faults *f, uint32_t pixel, struct ct_snapshot_health *out)
{
  bool hot = f->state[pixel] == CT_PIXEL_HOT, dead = f->state[pixel] == CT_PIXEL_DEAD;
  out->hot += hot;
  out->dead += dead;
  out->hot_unmasked += hot && !f->masked[pixel];
  out->dead_unmasked += dead && !f->masked[pixel];
  if (out->n_pixels == CT_SNAPSHOT_PIXELS)
    return;
  out->pixels[out->n_pixels++] = (struct ct_snapshot_pixel){
    .x = pixel % f->cols, .y = pixel / f->cols, .fault = hot ? CT_FAULT_HOT : dead ? CT_FAULT_DEAD : CT_FAULT_PAST,
    .masked = f->masked[pixel],
    .rate_hz = ct_health_count(f->health, pixel) / (double)f->report.looks * f->frame_hz,
  };
}

static double share_of(uint64_t part, uint64_t whole)
{
  return whole > 0 ? (double)part / (double)whole : (double)NAN;
}

void ct_faults_draw(const struct ct_faults *f, const struct ct_snapshot_xcs *xcs, struct ct_snapshot_health *out)
{
  const struct ct_health_report *r = &f->report;
  uint64_t clusters = xcs->single + xcs->dbl + xcs->multiple;
  *out = (struct ct_snapshot_health){
    .present = true, .automatic = f->automatic,
    .single = share_of(xcs->single, clusters), .dbl = share_of(xcs->dbl, clusters),
    .multiple = share_of(xcs->multiple, clusters),
    .window_s = (double)r->frames / f->frame_hz, .hits_per_frame = r->hits_per_frame, .hits_spread = r->hits_spread,
    .rate_median_hz = r->rate_median * f->frame_hz,
    .off = r->off, .masked = f->n_masked, .mask_generation = f->generation,
    .row_floods = r->row_floods, .flooded_frame = r->row_floods > 0 ? r->flooded_frame : CT_ABSENT,
    .flooded_row = r->row_floods > 0 ? r->flooded_row : CT_ABSENT,
    .jumps = r->jumps, .jump_frame = r->jumps > 0 ? r->jump_frame : CT_ABSENT, .jump_ADU = r->jump_ADU, .level_ADU = r->level_ADU,
    .drift_median_ADU = r->drift_median_ADU, .drift_max_ADU = r->drift_max_ADU,
    .drift_x = isnan(r->drift_max_ADU) ? CT_ABSENT : r->drift_pixel % f->cols,
    .drift_y = isnan(r->drift_max_ADU) ? CT_ABSENT : r->drift_pixel / f->cols,
  };
  for (uint32_t pixel = 0; pixel < f->rows * f->cols; pixel++)
    if (f->masked[pixel] || is_faulty(f, pixel))
      list_pixel(f, pixel, out);
}

void ct_faults_draw_hits(const struct ct_faults *f, struct ct_snapshot_builder *builder, const struct ct_request *request)
{
  struct ct_map_parts map;
  if (!ct_snapshot_add_map(builder, request, f->rows, f->cols, &map))
    return;
  map.head->bin = 1;
  map.head->of = CT_MAP_HITS;
  map.head->median_sigma = (double)NAN;
  double per_hit_hz = f->report.looks > 0 ? f->frame_hz / (double)f->report.looks : (double)NAN;
  for (uint32_t pixel = 0; pixel < f->rows * f->cols; pixel++) {
    double hits = ct_health_count(f->health, pixel);
    bool masked = !f->given[pixel] || f->masked[pixel];
    map.cell[pixel] = masked ? CT_CELL_MASKED : CT_CELL_OK;
    map.emf[pixel] = map.sigma[pixel] = NAN;
    map.counts[pixel] = map.photons[pixel] = masked ? 0 : (float)hits;
    map.intensity[pixel] = masked ? NAN : (float)(hits * per_hit_hz);
    map.intensity_sigma[pixel] = masked ? NAN : (float)(sqrt(hits) * per_hit_hz);
  }
}
