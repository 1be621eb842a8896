#include <comptop/sim.h>

#include <math.h>
#include <stdlib.h>

#include "sim/internal.h"


void ct_sim_defaults(struct ct_sim_config *config)
{
  *config = (struct ct_sim_config){ .seed = 1, .rows = 80, .cols = 80, .rate_hz = 9118.87, .photons_per_s = 1e5,
                                    .speedup = 1, .z_mm = 0.75, .sample = CT_SIM_CELL };
}

void ct_sim_geometry(const struct ct_sim_config *config, struct ct_geometry *geometry)
{
  *geometry = (struct ct_geometry){ .theta_deg = 90, .object_mm = 160, .detector_mm = 160, .pitch_mm = 0.25,
                                    .beam = CT_BEAM_PLUS_X, .centre_x_px = (config->cols - 1) / 2.0,
                                    .centre_y_px = (config->rows - 1) / 2.0, .theta_map = true };
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
  if (!(c->z_mm >= 0 && c->z_mm <= 3.2))
    return ct_err_set(err, CT_ERANGE, "z = %g mm is outside the cell: 0..3.2 mm", c->z_mm);
  return 0;
}

/* Angles of the columns' tables, and each pixel's small difference (less than 2 eV at 80 x 80) as a shift. */
static int make_spectra(struct ct_sim *sim, const struct ct_geometry *geometry, const double *emission, struct ct_err *err)
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
  bool used[CT_SIM_MATERIALS] = { false };
  for (size_t i = 0; i < (size_t)CT_SIM_MATERIALS * sim->pixels; i++) used[i / sim->pixels] |= emission[i] > 0;
  rc = ct_spectrum_new(&sim->spectrum, middle, cols, used);
out:
  free(theta_rad);
  return rc;
}

/* Photons/s by origin: what the pixels see of each material, and the shielding's lines all over the detector. */
static int make_origins(struct ct_sim *sim, const double *emission, struct ct_err *err)
{
  double share[CT_SIM_LINES_MAX], line_share = 0, total = 0;
  uint32_t n_lines = ct_shielding_lines(sim->lines_keV, share);
  for (uint32_t i = 0; i < n_lines; i++) line_share += share[i];
  size_t matter = (size_t)CT_SIM_MATERIALS * sim->pixels, all = (size_t)CT_SIM_SOURCES * sim->pixels;
  sim->weight = calloc(all, sizeof *sim->weight);
  if (!sim->weight) return CT_ENOMEM;
  for (size_t i = 0; i < matter; i++) {
    size_t col = i % sim->pixels % sim->config.cols;
    sim->weight[i] = emission[i] * sim->spectrum.yield[col * CT_SIM_MATERIALS + i / sim->pixels];
    total += sim->weight[i];
  }
  if (!(total > 0)) return ct_err_set(err, CT_ERANGE, "no matter in the sheet at z = %g mm", sim->config.z_mm);
  for (size_t i = 0; i < matter; i++) sim->weight[i] *= sim->config.photons_per_s * (1 - line_share) / total;
  for (size_t i = matter; i < all; i++) sim->weight[i] = sim->config.photons_per_s * line_share / sim->pixels;
  int rc = ct_alias_new(&sim->lines, share, n_lines);
  if (rc || sim->config.photons_per_s == 0) return rc;
  return ct_alias_new(&sim->origin, sim->weight, (uint32_t)all);
}

/* The Poisson distribution of photons in a frame, up to where nothing is left of it. */
static int make_count(struct ct_sim *sim)
{
  double mean = sim->config.photons_per_s / sim->config.rate_hz;
  uint32_t n = mean > 0 ? (uint32_t)(mean + 12 * sqrt(mean) + 30) : 1;
  double *weights = calloc(n, sizeof *weights);
  sim->photons = calloc(n, sizeof *sim->photons);
  if (!weights || !sim->photons) {
    free(weights);
    return CT_ENOMEM;
  }
  weights[0] = exp(-mean);
  for (uint32_t k = 1; k < n; k++) weights[k] = exp(k * log(mean) - mean - lgamma(k + 1.0));
  int rc = ct_alias_new(&sim->count, weights, n);
  free(weights);
  return rc;
}

static int build(struct ct_sim *sim, struct ct_err *err)
{
  struct ct_geometry geometry;
  ct_sim_geometry(&sim->config, &geometry);
  double *emission = calloc((size_t)CT_SIM_MATERIALS * sim->pixels, sizeof *emission);
  double *gradient = calloc(sim->pixels, sizeof *gradient);
  sim->gradient = calloc(sim->pixels, sizeof *sim->gradient);
  int rc = emission && gradient && sim->gradient ? 0 : CT_ENOMEM;
  if (!rc) rc = ct_image(&sim->config, &geometry, emission, gradient);
  for (uint32_t p = 0; !rc && p < sim->pixels; p++) sim->gradient[p] = (float)gradient[p];
  if (!rc) rc = make_spectra(sim, &geometry, emission, err);
  if (!rc) rc = make_origins(sim, emission, err);
  if (!rc) rc = make_count(sim);
  if (!rc) rc = ct_detector_new(sim);
  free(emission);
  free(gradient);
  return rc;
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
  sim->dead = config->rows * 3 / 10 * config->cols + config->cols * 3 / 4;
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
  ct_alias_free(&sim->count);
  ct_alias_free(&sim->origin);
  ct_alias_free(&sim->lines);
  ct_detector_free(sim);
  free(sim->weight);
  free(sim->gradient);
  free(sim->shift_keV);
  free(sim->photons);
  free(sim);
}

/* Lithium left in what pixel <p> sees, given how much the mean has lost. */
static double lithium(const struct ct_sim *sim, uint32_t p, double taken)
{
  return 1 - taken * (1 + (double)sim->gradient[p]);
}

static double taken_at(const struct ct_sim *sim, double t_s)
{
  struct ct_sim_cell cell;
  ct_sim_cell(&sim->config, t_s, &cell);
  return 1 - cell.lithium;
}

uint32_t ct_sim_photons(const struct ct_sim *sim, uint64_t k, struct ct_sim_photon *photons, uint32_t max)
{
  struct ct_random random;
  ct_random_seed(&random, sim->config.seed, k);
  uint32_t drawn = ct_alias_pick(sim->count.cells, sim->count.n, ct_random_next(&random)), n = 0;
  double taken = taken_at(sim, (double)k / sim->config.rate_hz);
  for (uint32_t i = 0; i < drawn && n < max; i++) {
    uint32_t origin = ct_alias_pick(sim->origin.cells, sim->origin.n, ct_random_next(&random));
    struct ct_sim_photon *photon = &photons[n];
    photon->source = origin / sim->pixels;
    photon->pixel = origin % sim->pixels;
    /* The tables are those of a full cathode: lithium that has left scatters nothing. */
    if (photon->source == CT_SIM_LITHIATION && ct_random_unit(&random) >= lithium(sim, photon->pixel, taken)) continue;
    if (photon->source == CT_SIM_LINES)
      photon->e_keV = sim->lines_keV[ct_alias_pick(sim->lines.cells, sim->lines.n, ct_random_next(&random))];
    else
      photon->e_keV = ct_spectrum_pick(&sim->spectrum, photon->pixel % sim->config.cols, photon->source,
                                       (double)sim->shift_keV[photon->pixel], &random);
    n++;
  }
  return n;
}

void ct_sim_truth(const struct ct_sim *sim, double t_s, double *rate, double *x, double *mix)
{
  double taken = taken_at(sim, t_s);
  for (uint32_t p = 0; p < sim->pixels; p++) {
    double local = lithium(sim, p, taken), of[CT_SIM_SOURCES], sum = 0;
    for (uint32_t s = 0; s < CT_SIM_SOURCES; s++) {
      of[s] = sim->weight[(size_t)s * sim->pixels + p];
      if (s == CT_SIM_LITHIATION) of[s] = of[s] > 0 ? of[s] * local : 0;
      sum += of[s];
    }
    if (rate) rate[p] = sum;
    if (x) x[p] = local;
    for (uint32_t s = 0; mix && s < CT_SIM_SOURCES; s++) mix[(size_t)p * CT_SIM_SOURCES + s] = sum > 0 ? of[s] / sum : 0;
  }
}

uint32_t ct_sim_dead_pixel(const struct ct_sim *sim) { return sim->dead; }
