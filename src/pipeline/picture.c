/* Spectra -> a partial snapshot. Everything in it comes from the same cube at the same moment, so its numbers agree. */
#include "picture.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { BIN_MAX = 8, SECTIONS_ROOM = 16 };

void ct_picture_numbers(struct ct_picture_numbers *n, const struct ct_analysis_setup *setup)
{
  const struct ct_compton_setup *compton = &setup->compton;
  *n = (struct ct_picture_numbers){ .min_counts = setup->min_counts, .e1_keV = compton->e1_keV,
    .theta_deg = compton->geometry.theta_deg, .window_s = setup->spectra.window_s, .p_low = compton->p_low,
    .p_high = compton->p_high, .n_background = compton->background == CT_BACKGROUND_NONE ? 0 : compton->n_windows };
  memcpy(n->background_keV, compton->windows_keV, sizeof n->background_keV);
}

void ct_picture_given(uint8_t *given, const struct ct_analysis_setup *setup, const struct ct_compton *compton)
{
  for (size_t i = 0; i < (size_t)setup->hexitec.rows * setup->hexitec.cols; i++)
    given[i] = setup->live[i] && ct_compton_flat_ok(compton, (uint32_t)i);
}

void ct_picture_aim(struct ct_picture *p)
{
  p->watch.monitors.e2_keV = p->aim.e2_keV;
  p->watch.monitors.sigma_keV = p->aim.sigma_keV;
  p->watch.monitors.columns = &p->aim.columns;
}

int ct_picture_init(struct ct_picture *p, const struct ct_analysis_setup *setup, struct ct_err *err)
{
  memset(p, 0, sizeof *p);
  p->rows = setup->hexitec.rows;
  p->cols = setup->hexitec.cols;
  size_t pixels = (size_t)p->rows * p->cols;
  p->frame_hz = setup->frame_hz;
  ct_picture_numbers(&p->numbers, setup);
  p->sums = ct_xcalloc(pixels, sizeof *p->sums);
  p->select = ct_xcalloc(pixels, 1);
  p->photons = ct_xcalloc(pixels, sizeof *p->photons);
  p->scratch = ct_xcalloc(pixels, sizeof *p->scratch);
  p->live = ct_xcalloc(pixels, 1);
  p->given = ct_xcalloc(pixels, 1);
  int code = ct_aim_init(&p->aim, &p->compton, setup, err);
  if (code != 0)
    return code;
  ct_picture_given(p->given, setup, p->compton);
  for (; p->n_rois < setup->n_rois; p->n_rois++) {
    const struct ct_roi *roi = &setup->rois[p->n_rois];
    memcpy(p->roi_name[p->n_rois], roi->name, CT_NAME);
    p->roi_select[p->n_rois] = ct_xcalloc(pixels, 1);
    p->roi_given[p->n_rois] = ct_xcalloc(pixels, 1);
    memcpy(p->roi_given[p->n_rois], roi->select, pixels);
  }
  ct_picture_mask(p, p->select);     /* nothing */
  code = ct_spectra_new(&p->spectra, &setup->spectra, err);
  if (code == 0)
    ct_watch_init(&p->watch, setup, p->spectra, &p->compton, p->live, (const uint8_t *const *)p->roi_select);
  ct_picture_aim(p);
  return code;
}

void ct_picture_fini(struct ct_picture *p)
{
  ct_watch_fini(&p->watch);
  ct_spectra_free(p->spectra);
  ct_compton_free(p->compton);
  ct_aim_fini(&p->aim);
  for (uint32_t i = 0; i < p->n_rois; i++)
    free(p->roi_select[i]), free(p->roi_given[i]);
  free(p->sums);
  free(p->select);
  free(p->scratch);
  free(p->photons);
  free(p->live);
  free(p->given);
}

void ct_picture_mask(struct ct_picture *p, const uint8_t *masked)
{
  size_t pixels = (size_t)p->rows * p->cols;
  p->live_pixels = 0;
  for (size_t i = 0; i < pixels; i++) {
    p->live[i] = p->given[i] && !masked[i];
    p->live_pixels += p->live[i];
  }
  for (uint32_t roi = 0; roi < p->n_rois; roi++)
    for (size_t i = 0; i < pixels; i++)
      p->roi_select[roi][i] = p->roi_given[roi][i] && p->live[i];
}

size_t ct_picture_bytes(const struct ct_picture *p)
{
  size_t map = ct_section_map_bytes(p->rows, p->cols);
  size_t spectrum = ct_section_spectrum_bytes(ct_spectra_axis(p->spectra)->n);
  size_t profile = ct_section_profile_bytes(CT_PROFILE_POINTS);
  return sizeof(struct ct_snapshot) + SECTIONS_ROOM * (map / 4 + spectrum + profile) + 3 * map;
}

/* ---- totals ------------------------------------------------------------------------------------------------ */
/* Photons in the spectrum of every live pixel, added up once for all that needs them. */
static void count_photons(struct ct_picture *p)
{
  uint32_t bins = ct_spectra_axis(p->spectra)->n;
  const uint32_t *spectrum = ct_spectra_window(p->spectra);
  for (size_t pixel = 0; pixel < (size_t)p->rows * p->cols; pixel++, spectrum += bins) {
    uint64_t sum = 0;
    for (uint32_t bin = 0; p->live[pixel] && bin < bins; bin++)
      sum += spectrum[bin];
    p->photons[pixel] = sum;
  }
}

static uint64_t photons(const struct ct_picture *p, const uint8_t *select)
{
  uint64_t sum = 0;
  for (size_t pixel = 0; pixel < (size_t)p->rows * p->cols; pixel++)
    if (select[pixel])
      sum += p->photons[pixel];
  return sum;
}

static struct ct_sums sum_over(const struct ct_picture *p, const uint8_t *select)
{
  struct ct_sums sum = { 0 };
  for (size_t pixel = 0; pixel < (size_t)p->rows * p->cols; pixel++)
    if (select[pixel])
      ct_sums_add(&sum, &p->sums[pixel]);
  return sum;
}

static void draw_totals(const struct ct_picture *p, struct ct_snapshot_xcs *xcs)
{
  const struct ct_spectra_tally *window = ct_spectra_window_tally(p->spectra);
  const struct ct_spectra_tally *total = ct_spectra_total_tally(p->spectra);
  bool run = isinf(p->numbers.window_s), scan = p->numbers.window_s < 0;
  xcs->present = true;
  xcs->window_s = run || scan ? (double)NAN : p->numbers.window_s;
  snprintf(xcs->window, sizeof xcs->window, "%s", scan ? "scan" : run ? "run" : "");
  xcs->covered_s = ct_spectra_window_s(p->spectra);
  xcs->frames = window->hexitec.frames;
  xcs->live_s = (double)xcs->frames / p->frame_hz;
  xcs->counts = photons(p, p->live);
  xcs->single = window->hexitec.single;
  xcs->dbl = window->hexitec.dbl;
  xcs->multiple = window->hexitec.multiple;
  xcs->next_frame = window->hexitec.next_frame;
  xcs->saturated = window->hexitec.saturated;
  xcs->no_energy = window->hexitec.no_energy;
  xcs->below = window->below;
  xcs->above = window->above;
  xcs->e1_keV = p->numbers.e1_keV;
  xcs->theta_deg = p->numbers.theta_deg;
  xcs->p_low = p->numbers.p_low;
  xcs->p_high = p->numbers.p_high;
  const double edges_pz[4] = { -p->numbers.p_high, -p->numbers.p_low, p->numbers.p_low, p->numbers.p_high };
  for (int i = 0; i < 4; i++)
    xcs->windows_keV[i] = ct_compton_e2_keV(p->numbers.e1_keV, p->numbers.theta_deg * M_PI / 180, edges_pz[i]);
  xcs->n_background = p->numbers.n_background;
  memcpy(xcs->background_keV, p->numbers.background_keV, sizeof xcs->background_keV);
  xcs->e2_keV = ct_compton_e2_keV(p->numbers.e1_keV, p->numbers.theta_deg * M_PI / 180, 0);
  xcs->rows = p->rows;
  xcs->cols = p->cols;
  xcs->live_pixels = p->live_pixels;
  xcs->total_frames = total->hexitec.frames;
  xcs->total_counts = total->photons;
  xcs->total_live_s = (double)xcs->total_frames / p->frame_hz;
  ct_aim_tell(&p->aim, &xcs->geometry);
  struct ct_sums sum = sum_over(p, p->live);
  ct_compton_emf(p->compton, &sum, &xcs->emf);
}

static void draw_rois(const struct ct_picture *p, struct ct_snapshot_core *core)
{
  core->n_rois = p->n_rois;
  for (uint32_t i = 0; i < p->n_rois; i++) {
    struct ct_snapshot_roi *roi = &core->rois[i];
    const uint8_t *select = p->roi_select[i];
    memcpy(roi->name, p->roi_name[i], CT_NAME);
    for (size_t pixel = 0; pixel < (size_t)p->rows * p->cols; pixel++)
      roi->pixels += select[pixel] != 0;
    roi->counts = photons(p, select);
    struct ct_sums sum = sum_over(p, select);
    ct_compton_emf(p->compton, &sum, &roi->emf);
  }
}

/* ---- maps --------------------------------------------------------------------------------------------------- */
/* Sums over the live pixels of one cell of bin x bin; how many there are. */
static uint32_t cell_sums(const struct ct_picture *p, uint32_t bin, uint32_t row, uint32_t col, struct ct_sums *sum)
{
  uint32_t pixels = 0;
  *sum = (struct ct_sums){ 0 };
  for (uint32_t y = row * bin; y < (row + 1) * bin && y < p->rows; y++)
    for (uint32_t x = col * bin; x < (col + 1) * bin && x < p->cols; x++) {
      size_t pixel = (size_t)y * p->cols + x;
      if (!p->live[pixel])
        continue;
      ct_sums_add(sum, &p->sums[pixel]);
      pixels++;
    }
  return pixels;
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

static int by_value(const void *a, const void *b)
{
  float x = *(const float *)a, y = *(const float *)b;
  return (x > y) - (x < y);
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
  qsort(scratch, n, sizeof *scratch, by_value);
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
  qsort(scratch, n, sizeof *scratch, by_value);
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

static void draw_map(struct ct_picture *p, struct ct_snapshot_builder *builder, const struct ct_request *request)
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

/* ---- spectra and profiles --------------------------------------------------------------------------------------- */
/* The pixels a request means, or NULL when it means none that exist. */
static const uint8_t *selected(struct ct_picture *p, const struct ct_request *request)
{
  switch (request->scope) {
  case CT_SCOPE_ALL:
    return p->live;
  case CT_SCOPE_ROI:
    return request->x >= 0 && (uint32_t)request->x < p->n_rois ? p->roi_select[request->x] : NULL;
  case CT_SCOPE_PIXEL:
    if (request->x < 0 || request->y < 0 || (uint32_t)request->x >= p->cols || (uint32_t)request->y >= p->rows)
      return NULL;
    memset(p->select, 0, (size_t)p->rows * p->cols);
    p->select[(size_t)request->y * p->cols + (size_t)request->x] = 1;
    return p->select;
  }
  return NULL;
}

static uint32_t count_selected(const struct ct_picture *p, const uint8_t *select)
{
  uint32_t n = 0;
  for (size_t pixel = 0; pixel < (size_t)p->rows * p->cols; pixel++)
    n += select[pixel] != 0;
  return n;
}

static void draw_spectrum(struct ct_picture *p, struct ct_snapshot_builder *builder, const struct ct_request *request)
{
  const struct ct_axis *axis = ct_spectra_axis(p->spectra);
  const uint32_t *cube = ct_spectra_window(p->spectra);
  const uint8_t *select = selected(p, request);
  struct ct_spectrum_parts spectrum;
  if (select == NULL || !ct_snapshot_add_spectrum(builder, request, axis->n, &spectrum))
    return;
  spectrum.head->start_keV = axis->start_keV;
  spectrum.head->width_keV = axis->width_keV;
  spectrum.head->pixels = count_selected(p, select);
  for (size_t pixel = 0; pixel < (size_t)p->rows * p->cols; pixel++)
    if (select[pixel])
      for (uint32_t bin = 0; bin < axis->n; bin++)
        spectrum.counts[bin] += (double)cube[pixel * axis->n + bin];
}

/* The reference beside the profile that was made last; name, chi2 and dof as in struct ct_section_profile. */
static void compare(const struct ct_picture *p, double *values, double *sigma, char name[64], double *chi2, uint32_t *dof)
{
  memcpy(name, p->aim.reference->name, sizeof p->aim.reference->name);
  (void)ct_compton_compare(p->compton, values, sigma, chi2, dof);
}

static void draw_profile(struct ct_picture *p, struct ct_snapshot_builder *builder, const struct ct_request *request)
{
  const uint8_t *select = selected(p, request);
  struct ct_profile_parts profile;
  if (select == NULL || !ct_snapshot_add_profile(builder, request, ct_compton_profile_points(p->compton), &profile))
    return;
  profile.head->pixels = count_selected(p, select);
  profile.head->chi2 = NAN;
  profile.head->normalisation = p->aim.configured.normalisation;
  ct_compton_profile(p->compton, ct_spectra_window(p->spectra), select, profile.pz, profile.J, profile.sigma,
                     &profile.head->norm);
  if (p->aim.reference != NULL)
    compare(p, profile.reference, profile.reference_sigma, profile.head->reference, &profile.head->chi2, &profile.head->dof);
}

/* All pixels beside the reference, for who reads no profile. */
static void draw_comparison(struct ct_picture *p, struct ct_snapshot_xcs *xcs)
{
  double pz[CT_PROFILE_POINTS], J[CT_PROFILE_POINTS], sigma[CT_PROFILE_POINTS], norm;
  xcs->reference_chi2 = NAN;
  if (p->aim.reference == NULL)
    return;
  ct_compton_profile(p->compton, ct_spectra_window(p->spectra), p->live, pz, J, sigma, &norm);
  compare(p, J, sigma, xcs->reference, &xcs->reference_chi2, &xcs->reference_dof);
}

static void draw_membership(const struct ct_picture *p, struct ct_snapshot_builder *builder, const struct ct_request *request)
{
  struct ct_rois_parts parts;
  if (!ct_snapshot_add_rois(builder, request, p->rows, p->cols, &parts))
    return;
  for (uint32_t roi = 0; roi < p->n_rois; roi++)
    for (size_t pixel = 0; pixel < (size_t)p->rows * p->cols; pixel++)
      if (p->roi_given[roi][pixel])
        parts.rois[pixel] |= (uint16_t)(1u << roi);
}

void ct_picture_draw(struct ct_picture *p, struct ct_snapshot_builder *builder, const struct ct_wants_table *wants)
{
  struct ct_snapshot_core *core = &builder->snapshot->core;
  const struct ct_compton *before = p->compton;
  ct_aim_look(&p->aim, &p->compton, ct_spectra_window(p->spectra), p->live);
  if (p->compton != before)
    ct_watch_aimed(&p->watch);
  ct_compton_map(p->compton, ct_spectra_window(p->spectra), p->live, p->sums);
  count_photons(p);
  draw_totals(p, &core->xcs);
  draw_comparison(p, &core->xcs);
  draw_rois(p, core);
  ct_watch_draw(&p->watch, core);
  for (uint32_t i = 0; i < wants->n; i++) {
    const struct ct_request *request = &wants->requests[i];
    if (request->kind == CT_SECTION_MAP && request->of == CT_MAP_DRIFT)
      draw_drift(p, builder, request);
    else if (request->kind == CT_SECTION_MAP && request->of == CT_MAP_ADAPTIVE)
      draw_adaptive(p, builder, request);
    else if (request->kind == CT_SECTION_MAP && request->of != CT_MAP_HITS)
      draw_map(p, builder, request);
    else if (request->kind == CT_SECTION_ROIS)
      draw_membership(p, builder, request);
    else if (request->kind == CT_SECTION_SPECTRUM)
      draw_spectrum(p, builder, request);
    else if (request->kind == CT_SECTION_PROFILE)
      draw_profile(p, builder, request);
  }
}
