#include <comptop/sim.h>

#include <math.h>
#include <stdlib.h>

#include "sim/internal.h"

enum { HEIGHTS_MAX = 200 };
void ct_sim_effects(enum ct_sim_effects_set set, struct ct_sim_effects *effects)
{
  const bool on = set != CT_SIM_EFFECTS_NONE;
  *effects = (struct ct_sim_effects){
    .attenuation_in = on, .attenuation_out = on, .lateral = on, .depth = on, .elastic = on, .lines = on,
    .vignetting = on, .blur = on, .theta_map = on, .cross_section = on, .efficiency = on, .statistics = on, .noise = on,
    .sharing = on ? CT_SIM_SHARING_TABLE : CT_SIM_SHARING_OFF, .dead_pixels = on
  };
  if (set != CT_SIM_EFFECTS_ALL) return;
  effects->double_scatter = effects->bubbles = true;
  effects->bragg_per_h = 6;
  effects->top_up = 0.02;
  effects->centre_error_px = 0.5;
  effects->sharing = CT_SIM_SHARING_CLOUD;
  effects->fluorescence = effects->escape = effects->sensor_compton = true;
  effects->tail = 0.05;
  effects->gain_error_permil = 1;
  effects->gain_drift_permil_h = 1;
  effects->fwhm_drift_keV_h = 0.02;
  effects->noisy_pixels = 3;
  effects->row_floods_per_h = 6;
  effects->level_jumps_per_h = 2;
  effects->dark_drift_ADU_h = 1;
}

void ct_sim_defaults(struct ct_sim_config *config)
{
  *config = (struct ct_sim_config){ .seed = 1, .rows = 80, .cols = 80, .rate_hz = 9118.87, .photons_per_s = 1e5,
                                    .speedup = 1, .z_mm = 0.75, .sample = CT_SIM_CELL, .heights = 1, .dwell_s = 1 };
  ct_sim_effects(CT_SIM_EFFECTS_DEFAULT, &config->effects);
}

void ct_sim_geometry(const struct ct_sim_config *config, struct ct_geometry *geometry)
{
  *geometry = (struct ct_geometry){ .theta_deg = 90, .object_mm = 160, .detector_mm = 160, .pitch_mm = CT_PITCH_MM,
                                    .beam = CT_BEAM_PLUS_X,
                                    .centre_x_px = (config->cols - 1) / 2.0 + config->effects.centre_error_px,
                                    .centre_y_px = (config->rows - 1) / 2.0, .theta_map = config->effects.theta_map };
}

static int check_effects(const struct ct_sim_config *c, struct ct_err *err)
{
  const struct ct_sim_effects *e = &c->effects;
  if (!(e->top_up >= 0 && e->top_up < 1) || !(e->tail >= 0 && e->tail <= 1))
    return ct_err_set(err, CT_ERANGE, "a beam that loses %g of itself or %g of photons with a tail are out of range: 0..1",
                      e->top_up, e->tail);
  if (!(e->bragg_per_h >= 0 && e->bragg_per_h <= 360))
    return ct_err_set(err, CT_ERANGE, "%g Bragg flashes an hour are out of range: 0..360", e->bragg_per_h);
  if (!(fabs(e->centre_error_px) <= 10))
    return ct_err_set(err, CT_ERANGE, "a centre that is off by %g pixels is out of range: -10..10", e->centre_error_px);
  if (!(e->gain_error_permil >= 0 && e->gain_error_permil <= 100) || !(fabs(e->gain_drift_permil_h) <= 1000) ||
      !(e->fwhm_drift_keV_h >= 0 && e->fwhm_drift_keV_h <= 100))
    return ct_err_set(err, CT_ERANGE, "gain errors of %g permil with drifts of %g permil/h and %g keV/h are out of range",
                      e->gain_error_permil, e->gain_drift_permil_h, e->fwhm_drift_keV_h);
  if (!(e->row_floods_per_h >= 0 && e->row_floods_per_h <= 1e6) ||
      !(e->level_jumps_per_h >= 0 && e->level_jumps_per_h <= 360) || !(fabs(e->dark_drift_ADU_h) <= 1e6))
    return ct_err_set(err, CT_ERANGE, "%g row floods (0..1e6) and %g jumps (0..360) an hour with a dark drift of %g ADU/h "
                      "(-1e6..1e6) are out of range", e->row_floods_per_h, e->level_jumps_per_h, e->dark_drift_ADU_h);
  if ((uint64_t)e->dead_pixels + e->noisy_pixels > c->rows * c->cols)
    return ct_err_set(err, CT_ERANGE, "%u dead and %u noisy pixels are more than the sensor has", e->dead_pixels,
                      e->noisy_pixels);
  return 0;
}

static int check(const struct ct_sim_config *c, struct ct_err *err)
{
  if (c->rows < 1 || c->rows > 1024 || c->cols < 1 || c->cols > 1024)
    return ct_err_set(err, CT_ERANGE, "a sensor of %u x %u pixels cannot be simulated: 1..1024 each", c->rows, c->cols);
  if (c->asic && c->cols % 80)
    return ct_err_set(err, CT_ERANGE, "ASIC order needs a multiple of 80 columns, not %u", c->cols);
  if (!(c->rate_hz > 0 && c->rate_hz <= 1e9))
    return ct_err_set(err, CT_ERANGE, "a frame rate of %g Hz is out of range: above 0, at most 1e9", c->rate_hz);
  if (!(c->photons_per_s >= 0 && c->photons_per_s <= 1e4 * c->rate_hz))
    return ct_err_set(err, CT_ERANGE, "%g photons/s are out of range: at most 10000 a frame", c->photons_per_s);
  if (!(c->speedup >= 0 && c->speedup <= 1e6))
    return ct_err_set(err, CT_ERANGE, "a speed-up of %g is out of range: 0..1e6", c->speedup);
  if (c->heights < 1 || c->heights > HEIGHTS_MAX || !(c->dwell_s > 0))
    return ct_err_set(err, CT_ERANGE, "a depth scan of %u heights with %g s each is out of range: 1..%d heights, above 0 s",
                      c->heights, c->dwell_s, HEIGHTS_MAX);
  double last_mm = c->z_mm + (c->heights - 1) * c->height_step_mm;
  if (!(c->z_mm >= 0 && c->z_mm <= 3.2) || !(last_mm >= -1e-9 && last_mm <= 3.2 + 1e-9))
    return ct_err_set(err, CT_ERANGE, "z = %g..%g mm is outside the cell: 0..3.2 mm", c->z_mm, last_mm);
  return check_effects(c, err);
}

/* Angles of the columns' tables, and each pixel's small difference (less than 2 eV at 80 x 80) as a shift. */
static int make_spectra(struct ct_sim *sim, const struct ct_geometry *geometry, const bool used[CT_SIM_MATERIALS],
                        const double *share, uint32_t n_lines, struct ct_err *err)
{
  uint32_t rows = sim->config.rows, cols = sim->config.cols;
  double *theta_rad = calloc(sim->pixels, sizeof *theta_rad);
  sim->shift_keV = calloc(sim->pixels, sizeof *sim->shift_keV);
  int rc = theta_rad && sim->shift_keV ? ct_compton_theta_map(geometry, rows, cols, theta_rad, err) : CT_ENOMEM;
  if (rc) goto out;
  const double *middle = theta_rad + (size_t)(rows / 2) * cols;
  for (uint32_t p = 0; p < sim->pixels; p++)
    sim->shift_keV[p] = (float)(ct_compton_e2_keV(CT_SIM_E1_KEV, theta_rad[p], 0) -
                                ct_compton_e2_keV(CT_SIM_E1_KEV, middle[p % cols], 0));
  rc = ct_spectrum_new(&sim->spectrum, &sim->config, middle, used, sim->lines_keV, share, n_lines);
out:
  free(theta_rad);
  return rc;
}

/* Lines of the shielding or of the source, with the share of photons that they are. */
static uint32_t make_lines(struct ct_sim *sim, double share[CT_SIM_LINES_MAX], double *line_share)
{
  *line_share = 0;
  if (ct_sample_is_nuclide(sim->config.sample)) {
    uint32_t n = ct_nuclide_lines(sim->config.sample, sim->lines_keV, share);
    for (uint32_t i = 0; i < n; i++)
      share[i] *= sim->config.effects.efficiency ? ct_sensor_efficiency(sim->lines_keV[i]) : 1;
    return n;
  }
  uint32_t n = ct_shielding_lines(sim->lines_keV, share);
  for (uint32_t i = 0; i < n && sim->config.effects.lines; i++) *line_share += share[i];
  return n;
}

/* Materials that any height of the sample holds. */
static void find_used(const struct ct_sim_config *config, bool used[CT_SIM_MATERIALS])
{
  uint32_t n;
  const struct ct_layer *layers = ct_phantom(config->sample, &n);
  for (uint32_t i = 0; i < n; i++)
    for (uint32_t j = 0; j < layers[i].n; j++)
      if (layers[i].discs[j].material != CT_SIM_NOTHING) used[layers[i].discs[j].material] = true;
  used[CT_SIM_LITHIATION] = used[CT_SIM_CATHODE];
}

static int make_scenes(struct ct_sim *sim, const struct ct_geometry *geometry, double line_share)
{
  const struct ct_sim_config *config = &sim->config;
  double *emission = calloc((size_t)CT_SIM_MATERIALS * sim->pixels, sizeof *emission), scale = 0;
  double *gradient = calloc(sim->pixels, sizeof *gradient);
  sim->scenes = calloc(config->heights, sizeof *sim->scenes);
  int rc = emission && gradient && sim->scenes ? 0 : CT_ENOMEM;
  for (uint32_t i = 0; !rc && i < config->heights; i++) {
    rc = ct_image(config, geometry, fmax(config->z_mm + i * config->height_step_mm, 0), emission, gradient);
    if (!rc) rc = ct_scene_new(&sim->scenes[i], sim, emission, gradient, line_share, &scale);
    if (!rc && sim->scenes[i].count.n > sim->photons_max) sim->photons_max = sim->scenes[i].count.n;
  }
  free(emission);
  free(gradient);
  return rc;
}

static int build(struct ct_sim *sim, struct ct_err *err)
{
  struct ct_geometry geometry;
  bool used[CT_SIM_MATERIALS] = { false };
  double share[CT_SIM_LINES_MAX], line_share;
  ct_sim_geometry(&sim->config, &geometry);
  find_used(&sim->config, used);
  uint32_t n_lines = make_lines(sim, share, &line_share);
  int rc = ct_alias_new(&sim->lines, share, n_lines);
  if (!rc) rc = make_spectra(sim, &geometry, used, share, n_lines, err);
  if (!rc) rc = make_scenes(sim, &geometry, line_share);
  double flash = sim->config.effects.bragg_per_h > 0 ? CT_FLASH_SHARE * sim->config.photons_per_s / sim->config.rate_hz : 0;
  sim->no_flash = exp(-flash);
  sim->photons_max += (uint32_t)(flash + 12 * sqrt(flash) + 30);
  return rc ? rc : ct_detector_new(sim);
}

int ct_sim_new(struct ct_sim **out, const struct ct_sim_config *config, struct ct_err *err)
{
  *out = NULL;
  int rc = check(config, err);
  if (rc) return rc;
  struct ct_sim *sim = calloc(1, sizeof *sim);
  if (!sim) return ct_err_set(err, CT_ENOMEM, "no memory for the simulated cell");
  sim->config = *config;
  sim->pixels = config->rows * config->cols;
  sim->padded = (sim->pixels + CT_SIM_BLOCK - 1) / CT_SIM_BLOCK * CT_SIM_BLOCK;
  rc = build(sim, err);
  if (rc == CT_ENOMEM)
    ct_err_set(err, rc, "no memory for the simulated cell of %u x %u pixels", config->rows, config->cols);
  if (rc) {
    ct_sim_free(sim);
    return rc;
  }
  *out = sim;
  return 0;
}

void ct_sim_free(struct ct_sim *sim)
{
  if (!sim) return;
  ct_spectrum_free(&sim->spectrum);
  for (uint32_t i = 0; sim->scenes && i < sim->config.heights; i++) ct_scene_free(&sim->scenes[i]);
  ct_alias_free(&sim->lines);
  ct_detector_free(sim);
  free(sim->scenes);
  free(sim->shift_keV);
  free(sim);
}

/* Photons of a Bragg flash: on the flash's pixel and the eight around it. */
static uint32_t flash(const struct ct_sim *sim, double t_s, struct ct_random *random, struct ct_sim_photon *photons,
                      uint32_t max)
{
  uint32_t middle, n = 0;
  if (!ct_flash(&sim->config, t_s, &middle)) return 0;
  uint32_t cols = sim->config.cols, row = middle / cols, col = middle % cols;
  /* Knuth's way to Poisson numbers: small ones, made rarely. Large means underflow and are cut by <max>. */
  for (double left = ct_random_unit(random); left > sim->no_flash && n < max; left *= ct_random_unit(random)) {
    uint32_t y = row + ct_random_below(random, 3), x = col + ct_random_below(random, 3);
    if (y < 1 || y > sim->config.rows || x < 1 || x > cols) continue;
    photons[n++] = (struct ct_sim_photon){ (y - 1) * cols + x - 1, CT_SIM_BRAGG, CT_SIM_E1_KEV };
  }
  return n;
}

/* The tables are those of a full cathode without gas: what has left scatters nothing. */
static bool is_gone(const struct ct_sim *sim, const struct ct_scene *scene, const struct ct_sim_photon *photon, double t_s,
                    double z_mm, double taken, struct ct_random *random)
{
  if (photon->source == CT_SIM_LITHIATION && ct_random_unit(random) >= ct_scene_lithium(scene, photon->pixel, taken))
    return true;
  if (!sim->config.effects.bubbles || !ct_source_gives_way(photon->source)) return false;
  return ct_random_unit(random) < ct_bubble_cover(&sim->config, t_s, z_mm, photon->pixel);
}

uint32_t ct_sim_photons(const struct ct_sim *sim, uint64_t k, struct ct_sim_photon *photons, uint32_t max)
{
  double t_s = (double)k / sim->config.rate_hz, taken = ct_sim_taken(&sim->config, t_s);
  struct ct_sim_state state;
  ct_sim_state(&sim->config, t_s, &state);
  const struct ct_scene *scene = &sim->scenes[state.step % sim->config.heights];
  struct ct_random random;
  ct_random_seed(&random, sim->config.seed, k);
  uint32_t drawn = ct_alias_pick(scene->count.cells, scene->count.n, ct_random_next(&random)), n = 0;
  for (uint32_t i = 0; i < drawn && n < max; i++) {
    uint32_t origin = ct_alias_pick(scene->origin.cells, scene->origin.n, ct_random_next(&random));
    struct ct_sim_photon *photon = &photons[n];
    photon->source = origin / sim->pixels;
    photon->pixel = origin % sim->pixels;
    if (is_gone(sim, scene, photon, t_s, state.z_mm, taken, &random)) continue;
    if (state.beam < 1 && photon->source != CT_SIM_NUCLIDE && ct_random_unit(&random) >= state.beam) continue;
    if (photon->source == CT_SIM_LINES || photon->source == CT_SIM_NUCLIDE)
      photon->e_keV = sim->lines_keV[ct_alias_pick(sim->lines.cells, sim->lines.n, ct_random_next(&random))];
    else if (photon->source == CT_SIM_DOUBLE)
      photon->e_keV = ct_spectrum_pick_twice(&sim->spectrum, &random);
    else
      photon->e_keV = ct_spectrum_pick(&sim->spectrum, photon->pixel % sim->config.cols, photon->source,
                                       (double)sim->shift_keV[photon->pixel], &random);
    n++;
  }
  return n + flash(sim, t_s, &random, photons + n, max - n);
}

uint32_t ct_sim_dead_pixel(const struct ct_sim *sim)
{
  return sim->config.effects.dead_pixels ? sim->dead[0] : UINT32_MAX;
}
