/* Maps of a picture: binned, of cells that are as large as their error needs, and of the drift. */
#include "picture.h"

#include <math.h>
#include <stdlib.h>

enum { BIN_MAX = 8 };

/* Sums over the live pixels of one cell of bin x bin; how many there are. */
static uint32_t cell_sums(const struct ct_picture *p, uint32_t bin, uint32_t row, uint32_t col, struct ct_sums *sum)
{
  const struct ct_adaptive all = { .sums = p->sums, .live = p->live, .rows = p->rows, .cols = p->cols };
  return ct_adaptive_cell(&all, col * bin, row * bin, bin, sum);
}

/* All photons in the spectra of those pixels. */
static uint64_t cell_photons(const struct ct_picture *p, uint32_t bin, uint32_t row, uint32_t col)
{
  uint64_t sum = 0;
  for (uint32_t y = row * bin; y < (row + 1) * bin && y < p->rows; y++)
    for (uint32_t x = col * bin; x < (col + 1) * bin && x < p->cols; x++)
      sum += p->photons[(size_t)y * p->cols + x];
  return sum;
}

/* Mean over the live pixels of the cell, with its error. */
static void cell_intensity(const struct ct_picture *p, uint32_t bin, uint32_t row, uint32_t col, float *value, float *sigma)
{
  double live_s = (double)ct_spectra_window_tally(p->spectra)->hexitec.frames / p->frame_hz, sum = 0, variance = 0;
  uint32_t pixels = 0;
  for (uint32_t y = row * bin; y < (row + 1) * bin && y < p->rows; y++)
    for (uint32_t x = col * bin; x < (col + 1) * bin && x < p->cols; x++) {
      uint32_t pixel = y * p->cols + x;
      double one, one_variance;
      if (!p->live[pixel])
        continue;
      ct_compton_intensity(p->compton, pixel, &p->sums[pixel], live_s, &one, &one_variance);
      sum += one;
      variance += one_variance;
      pixels++;
    }
  bool known = pixels > 0 && isfinite(sum) && isfinite(variance);
  *value = known ? (float)(sum / pixels) : NAN;
  *sigma = known ? (float)(sqrt(variance) / pixels) : NAN;
}

/* Of the sigmas of the cells that are shown. <scratch> has room for as many cells. */
static double median_sigma(const struct ct_map_parts *map, size_t cells, float *scratch)
{
  size_t n = 0;
  for (size_t i = 0; i < cells; i++)
    if (map->cell[i] == CT_CELL_OK)
      scratch[n++] = map->sigma[i];
  if (n == 0)
    return NAN;
  qsort(scratch, n, sizeof *scratch, ct_by_float);
  return (double)scratch[n / 2];
}

static void fill_map(const struct ct_picture *p, uint32_t bin, double min_counts, struct ct_map_parts *map)
{
  struct ct_section_map *head = map->head;
  head->bin = bin;
  for (uint32_t row = 0; row < head->rows; row++)
    for (uint32_t col = 0; col < head->cols; col++) {
      size_t i = (size_t)row * head->cols + col;
      struct ct_sums sum;
      struct ct_emf emf;
      uint32_t pixels = cell_sums(p, bin, row, col, &sum);
      ct_compton_emf(p->compton, &sum, &emf);
      /* L + H after background: what min_counts is compared with. */
      map->counts[i] = (float)(sum.L + sum.H);
      map->photons[i] = (float)cell_photons(p, bin, row, col);
      cell_intensity(p, bin, row, col, &map->intensity[i], &map->intensity_sigma[i]);
      map->cell[i] = CT_CELL_OK;
      if (pixels == 0)
        map->cell[i] = CT_CELL_MASKED;
      else if (!(sum.L + sum.H >= min_counts) || isnan(emf.emf) || isnan(emf.sigma))
        map->cell[i] = CT_CELL_LOW;
      map->emf[i] = map->cell[i] == CT_CELL_OK ? (float)emf.emf : NAN;
      map->sigma[i] = map->cell[i] == CT_CELL_OK ? (float)emf.sigma : NAN;
    }
}

/* The median sigma of a map binned by <bin>, from the sums alone: shown cells of half the sensor at least decide. */
static double sigma_of_bin(const struct ct_picture *p, uint32_t bin, double min_counts, float *scratch)
{
  size_t n = 0;
  for (uint32_t row = 0; row < (p->rows + bin - 1) / bin; row++)
    for (uint32_t col = 0; col < (p->cols + bin - 1) / bin; col++) {
      struct ct_sums sum;
      struct ct_emf emf;
      if (cell_sums(p, bin, row, col, &sum) == 0 || sum.L + sum.H < min_counts)
        continue;
      ct_compton_emf(p->compton, &sum, &emf);
      if (!isnan(emf.sigma))
        scratch[n++] = (float)emf.sigma;
    }
  if (n == 0)
    return INFINITY;
  qsort(scratch, n, sizeof *scratch, ct_by_float);
  return (double)scratch[n / 2];
}

static uint32_t choose_bin(const struct ct_picture *p, double target_sigma, double min_counts, float *scratch)
{
  for (uint32_t bin = 1; bin < BIN_MAX; bin *= 2)
    if (sigma_of_bin(p, bin, min_counts, scratch) <= target_sigma)
      return bin;
  return BIN_MAX;
}

static void draw_drift(const struct ct_picture *p, struct ct_snapshot_builder *builder, const struct ct_request *request)
{
  uint32_t bin = p->watch.setup.bin;
  struct ct_map_parts map;
  if (!ct_snapshot_add_map(builder, request, p->watch.cell_rows, p->watch.cell_cols, &map))
    return;
  map.head->bin = bin;
  map.head->of = CT_MAP_DRIFT;
  for (uint32_t i = 0; i < p->watch.cell_rows * p->watch.cell_cols; i++) {
    struct ct_change change;
    uint32_t row = i / p->watch.cell_cols, col = i % p->watch.cell_cols;
    struct ct_sums sum;
    ct_watch_cell(&p->watch, col * bin, row * bin, &change);
    bool known = isfinite(change.per_h) && isfinite(change.sigma_per_h);
    map.cell[i] = cell_sums(p, bin, row, col, &sum) == 0 ? CT_CELL_MASKED : known ? CT_CELL_OK : CT_CELL_LOW;
    map.emf[i] = known ? (float)change.per_h : NAN;
    map.sigma[i] = known ? (float)change.sigma_per_h : NAN;
    map.counts[i] = (float)(sum.L + sum.H);
    map.photons[i] = (float)cell_photons(p, bin, row, col);
  }
  map.head->median_sigma = median_sigma(&map, (size_t)map.head->rows * map.head->cols, p->scratch);
}

/* One cell of the adaptive map, into all its pixels. */
static void fill_cell(const struct ct_picture *p, const struct ct_adaptive *a, uint32_t x0, uint32_t y0, uint32_t edge,
                      struct ct_map_parts *map)
{
  struct ct_sums sum;
  struct ct_emf emf;
  uint32_t pixels = ct_adaptive_cell(a, x0, y0, edge, &sum);
  ct_compton_emf(p->compton, &sum, &emf);
  bool known = sum.L + sum.H >= a->min_counts && !isnan(emf.emf) && !isnan(emf.sigma);
  for (uint32_t y = y0; y < y0 + edge && y < p->rows; y++)
    for (uint32_t x = x0; x < x0 + edge && x < p->cols; x++) {
      size_t i = (size_t)y * p->cols + x;
      map->cell[i] = !p->live[i] ? CT_CELL_MASKED : known ? CT_CELL_OK : CT_CELL_LOW;
      map->emf[i] = map->cell[i] == CT_CELL_OK ? (float)emf.emf : NAN;
      map->sigma[i] = map->cell[i] == CT_CELL_OK ? (float)emf.sigma : NAN;
      map->counts[i] = p->live[i] ? (float)((sum.L + sum.H) / pixels) : 0;
      map->photons[i] = (float)p->photons[i];
      cell_intensity(p, 1, y, x, &map->intensity[i], &map->intensity_sigma[i]);
    }
}

static void draw_adaptive(const struct ct_picture *p, struct ct_snapshot_builder *builder, const struct ct_request *request)
{
  double min_counts = isnan(request->min_counts) ? p->numbers.min_counts : request->min_counts;
  struct ct_adaptive adaptive = { p->compton, p->sums, p->live, p->rows, p->cols, request->target_sigma, min_counts };
  struct ct_map_parts map;
  if (!ct_snapshot_add_map(builder, request, p->rows, p->cols, &map))
    return;
  map.head->bin = 1;
  map.head->of = CT_MAP_ADAPTIVE;
  ct_adaptive_edges(&adaptive, map.edge);
  for (uint32_t y = 0; y < p->rows; y++)
    for (uint32_t x = 0; x < p->cols; x++) {
      uint32_t edge = map.edge[(size_t)y * p->cols + x];
      if (x % edge == 0 && y % edge == 0)
        fill_cell(p, &adaptive, x, y, edge, &map);
    }
  map.head->median_sigma = median_sigma(&map, (size_t)p->rows * p->cols, p->scratch);
}

static void draw_binned(const struct ct_picture *p, struct ct_snapshot_builder *builder, const struct ct_request *request)
{
  float *scratch = p->scratch;
  double min_counts = isnan(request->min_counts) ? p->numbers.min_counts : request->min_counts;
  uint32_t bin = request->bin;
  if (bin > BIN_MAX)
    return;
  if (bin == 0)
    bin = choose_bin(p, request->target_sigma, min_counts, scratch);
  struct ct_map_parts map;
  uint32_t rows = (p->rows + bin - 1) / bin, cols = (p->cols + bin - 1) / bin;
  if (!ct_snapshot_add_map(builder, request, rows, cols, &map))
    return;
  fill_map(p, bin, min_counts, &map);
  map.head->median_sigma = median_sigma(&map, (size_t)rows * cols, scratch);
}

void ct_picture_draw_map(const struct ct_picture *p, struct ct_snapshot_builder *builder, const struct ct_request *request)
{
  if (request->of == CT_MAP_DRIFT)
    draw_drift(p, builder, request);
  else if (request->of == CT_MAP_ADAPTIVE)
    draw_adaptive(p, builder, request);
  else if (request->of != CT_MAP_HITS)
    draw_binned(p, builder, request);
}
