/* Spectra -> a partial snapshot. Everything in it comes from the same cube at the same moment, so its numbers agree. */
#include "picture.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { SECTIONS_ROOM = 16 };

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
    if (request->kind == CT_SECTION_MAP)
      ct_picture_draw_map(p, builder, request);
    else if (request->kind == CT_SECTION_ROIS)
      draw_membership(p, builder, request);
    else if (request->kind == CT_SECTION_SPECTRUM)
      draw_spectrum(p, builder, request);
    else if (request->kind == CT_SECTION_PROFILE)
      draw_profile(p, builder, request);
  }
}
