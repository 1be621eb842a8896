#include "sim/internal.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { NOISE_POOL = 1 << 20, ASIC_COLS = 80, ASIC_BLOCK = 20, ASIC_BLOCKS = 4 };
#define PEDESTAL_ADU 1005
#define PEDESTAL_SPREAD_ADU 25
#define GAIN_SPREAD 0.02
#define INTERCEPT_SPREAD_KEV 0.2
/* Streams of random numbers: the photons of frame k have stream k. */
#define STREAM_DETECTOR (UINT64_C(1) << 63)
#define STREAM_NOISE (UINT64_C(3) << 62)
#define STREAM_PIXELS (STREAM_NOISE + 1)
#define STREAM_FAULTS (STREAM_NOISE + 2)
#define STREAM_TROUBLE (UINT64_C(9) << 60)
#define STREAM_JUMPS (UINT64_C(11) << 60)
#define FLOOD_ADU 300
#define JUMP_ADU 20
#define JUMP_S 1.0
#define JUMP_SLOT_S 10.0
#define NOISE_ADU (CT_SIM_NOISE_KEV / CT_SIM_FWHM_PER_SIGMA / CT_SIM_GAIN_KEV)
#define NOISY 10

static int make_pixels(struct ct_sim *sim)
{
  sim->gain_keV = calloc(sim->pixels, sizeof *sim->gain_keV);
  sim->true_gain_keV = calloc(sim->pixels, sizeof *sim->true_gain_keV);
  sim->intercept_keV = calloc(sim->pixels, sizeof *sim->intercept_keV);
  if (!sim->gain_keV || !sim->true_gain_keV || !sim->intercept_keV) return CT_ENOMEM;
  for (uint32_t p = 0; p < sim->pixels; p++) sim->gain_keV[p] = CT_SIM_GAIN_KEV;
  if (!sim->config.pedestal) return 0;
  sim->pedestal = calloc(sim->padded, sizeof *sim->pedestal);
  if (!sim->pedestal) return CT_ENOMEM;
  struct ct_random random;
  ct_random_seed(&random, sim->config.seed, STREAM_PIXELS);
  for (uint32_t p = 0; p < sim->pixels; p++) {
    sim->gain_keV[p] *= 1 + GAIN_SPREAD * ct_random_normal(&random);
    sim->intercept_keV[p] = INTERCEPT_SPREAD_KEV * ct_random_normal(&random);
    sim->pedestal[p] = (int16_t)lrint(PEDESTAL_ADU + PEDESTAL_SPREAD_ADU * ct_random_normal(&random));
  }
  return 0;
}

/* Any <n> pixels, each once, none of which is in taken[]: into list. */
static void draw_pixels(const struct ct_sim *sim, struct ct_random *random, bool *taken, uint32_t *list, uint32_t n)
{
  for (uint32_t i = 0; i < n; i++) {
    uint32_t p = ct_random_below(random, sim->pixels);
    while (taken[p]) p = (p + 1) % sim->pixels;
    taken[p] = true;
    list[i] = p;
  }
}

/* Pixels that are dead or noisy, and what the calibration does not know of the others. */
static int make_faults(struct ct_sim *sim)
{
  const struct ct_sim_effects *effects = &sim->config.effects;
  uint32_t n_dead = effects->dead_pixels, n_noisy = effects->noisy_pixels;
  bool *taken = calloc(sim->pixels, sizeof *taken);
  sim->dead = calloc((size_t)n_dead + 1, sizeof *sim->dead);
  sim->noisy = calloc((size_t)n_noisy + 1, sizeof *sim->noisy);
  if (!taken || !sim->dead || !sim->noisy) {
    free(taken);
    return CT_ENOMEM;
  }
  struct ct_random random;
  ct_random_seed(&random, sim->config.seed, STREAM_FAULTS);
  if (n_dead > 0) {
    sim->dead[0] = sim->config.rows * 3 / 10 * sim->config.cols + sim->config.cols * 3 / 4;
    taken[sim->dead[0]] = true;
    draw_pixels(sim, &random, taken, sim->dead + 1, n_dead - 1);
  }
  draw_pixels(sim, &random, taken, sim->noisy, n_noisy);
  free(taken);
  for (uint32_t p = 0; p < sim->pixels; p++) {
    double error = effects->gain_error_permil > 0 ? effects->gain_error_permil * 1e-3 * ct_random_normal(&random) : 0;
    sim->true_gain_keV[p] = sim->gain_keV[p] / (1 + error);
  }
  return 0;
}

int ct_detector_new(struct ct_sim *sim)
{
  int rc = make_pixels(sim);
  if (!rc) rc = make_faults(sim);
  if (!rc) rc = ct_sensor_new(&sim->sensor, &sim->config.effects);
  if (rc) return rc;
  sim->photons = calloc(sim->photons_max, sizeof *sim->photons);
  if (!sim->photons) return CT_ENOMEM;
  sim->noise_starts = NOISE_POOL;
  sim->noise = calloc((size_t)NOISE_POOL + sim->padded, sizeof *sim->noise);
  sim->frame = calloc(sim->padded, sizeof *sim->frame);
  sim->asic = sim->config.asic ? calloc(sim->config.cols, sizeof *sim->asic) : NULL;
  if (!sim->noise || !sim->frame || (sim->config.asic && !sim->asic)) return CT_ENOMEM;
  struct ct_random random;
  ct_random_seed(&random, sim->config.seed, STREAM_NOISE);
  double sigma_ADU = sim->config.effects.noise ? NOISE_ADU : 0;
  for (size_t i = 0; i < (size_t)NOISE_POOL + sim->padded; i++)
    sim->noise[i] = (int16_t)lrint(sigma_ADU * ct_random_normal(&random));
  for (uint32_t col = 0; sim->asic && col < sim->config.cols; col++) {
    uint32_t k = col % ASIC_COLS;
    sim->asic[col] = col - k + k % ASIC_BLOCKS * ASIC_BLOCK + k / ASIC_BLOCKS;
  }
  return 0;
}

void ct_detector_free(struct ct_sim *sim)
{
  ct_sensor_free(sim->sensor);
  free(sim->dead);
  free(sim->noisy);
  free(sim->photons);
  free(sim->gain_keV);
  free(sim->true_gain_keV);
  free(sim->intercept_keV);
  free(sim->pedestal);
  free(sim->noise);
  free(sim->frame);
  free(sim->asic);
}

static void add_charge(struct ct_sim *sim, const struct ct_sim_charge *charge, double gain)
{
  for (uint32_t i = 0; i < charge->n; i++) {
    uint32_t p = charge->pixel[i];
    double adu = sim->frame[p] + (gain * charge->e_keV[i] - sim->intercept_keV[p]) / sim->true_gain_keV[p];
    sim->frame[p] = (int16_t)lrint(fmin(adu, CT_SIM_CHARGE_ADU_MAX));
  }
}

/* Adds the pedestal and clips, in blocks whose length the compiler knows. */
static void digitise(struct ct_sim *sim)
{
  for (uint32_t at = 0; at < sim->padded; at += CT_SIM_BLOCK) {
    int16_t *v = sim->frame + at;
    if (sim->pedestal)
      for (int i = 0; i < CT_SIM_BLOCK; i++) v[i] = (int16_t)(v[i] + sim->pedestal[at + (uint32_t)i]);
    for (int i = 0; i < CT_SIM_BLOCK; i++) {
      int16_t low = v[i] < 0 ? 0 : v[i];
      v[i] = low > CT_SIM_CHARGE_ADU_MAX ? CT_SIM_CHARGE_ADU_MAX : low;
    }
  }
  for (uint32_t i = 0; i < sim->config.effects.dead_pixels; i++) sim->frame[sim->dead[i]] = 0;
}

/* What electronics add that was not there at the start: to a photon's energy, in keV. */
static double drift_sigma_keV(const struct ct_sim *sim, const struct ct_sim_state *state)
{
  if (!(sim->config.effects.fwhm_drift_keV_h > 0)) return 0;
  double start_keV = ct_response_sigma_keV(&sim->config.effects, 93.6, 1) * CT_SIM_FWHM_PER_SIGMA;
  return sqrt(state->fwhm_keV * state->fwhm_keV - start_keV * start_keV) / CT_SIM_FWHM_PER_SIGMA;
}

static void add_noise(struct ct_sim *sim, struct ct_random *random)
{
  for (uint32_t i = 0; i < sim->config.effects.noisy_pixels; i++)
    sim->frame[sim->noisy[i]] = (int16_t)lrint(NOISY * NOISE_ADU * ct_random_normal(random));
}

static void lift(struct ct_sim *sim, uint32_t first, uint32_t n, int adu)
{
  for (uint32_t p = first; p < first + n; p++) sim->frame[p] = (int16_t)(sim->frame[p] + adu);
}

/* What goes wrong with many pixels at once. */
static void disturb(struct ct_sim *sim, uint64_t k)
{
  const struct ct_sim_effects *effects = &sim->config.effects;
  double t_s = (double)k / sim->config.rate_hz;
  struct ct_random random;
  ct_random_seed(&random, sim->config.seed, STREAM_TROUBLE + k);
  if (ct_random_unit(&random) < effects->row_floods_per_h / 3600 / sim->config.rate_hz)
    lift(sim, ct_random_below(&random, sim->config.rows) * sim->config.cols, sim->config.cols, FLOOD_ADU);
  /* A drift of less than one ADU is one ADU in some of the frames. */
  if (effects->dark_drift_ADU_h != 0)
    lift(sim, 0, sim->pixels, (int)fmin(fmax(floor(effects->dark_drift_ADU_h * t_s / 3600 + ct_random_unit(&random)), -8000), 8000));
  ct_random_seed(&random, sim->config.seed, STREAM_JUMPS + (uint64_t)(t_s / JUMP_SLOT_S));
  if (ct_random_unit(&random) < effects->level_jumps_per_h * JUMP_SLOT_S / 3600 &&
      fmod(t_s, JUMP_SLOT_S) >= JUMP_SLOT_S / 2 && fmod(t_s, JUMP_SLOT_S) < JUMP_SLOT_S / 2 + JUMP_S)
    lift(sim, 0, sim->pixels, JUMP_ADU);
}

uint32_t ct_sim_frame(struct ct_sim *sim, uint64_t k, uint16_t *pixels)
{
  struct ct_random random;
  struct ct_sim_state state;
  ct_sim_state(&sim->config, (double)k / sim->config.rate_hz, &state);
  ct_random_seed(&random, sim->config.seed, STREAM_DETECTOR | k);
  memcpy(sim->frame, sim->noise + ct_random_below(&random, sim->noise_starts), sim->padded * sizeof *sim->frame);
  add_noise(sim, &random);
  uint32_t n = ct_sim_photons(sim, k, sim->photons, sim->photons_max);
  double sigma_keV = drift_sigma_keV(sim, &state);
  for (uint32_t i = 0; i < n; i++) {
    struct ct_sim_charge charge;
    ct_sim_share(sim, &sim->photons[i], ct_random_next(&random), &charge);
    if (sigma_keV > 0 && charge.n > 0) charge.e_keV[0] += sigma_keV * ct_random_normal(&random);
    add_charge(sim, &charge, state.gain);
  }
  disturb(sim, k);
  digitise(sim);
  if (!sim->asic) {
    memcpy(pixels, sim->frame, sim->pixels * sizeof *pixels);
    return n;
  }
  uint32_t cols = sim->config.cols;
  for (uint32_t row = 0; row < sim->config.rows; row++)
    for (uint32_t col = 0; col < cols; col++)
      pixels[row * cols + col] = (uint16_t)sim->frame[row * cols + sim->asic[col]];
  return n;
}

void ct_sim_calibration(const struct ct_sim *sim, double *gradient_keV, double *intercept_keV, double *dark_ADU)
{
  for (uint32_t p = 0; p < sim->pixels; p++) {
    gradient_keV[p] = sim->gain_keV[p];
    intercept_keV[p] = sim->intercept_keV[p];
    dark_ADU[p] = sim->pedestal ? sim->pedestal[p] : 0;
  }
  for (uint32_t i = 0; i < sim->config.effects.dead_pixels; i++) {
    uint32_t p = sim->dead[i];
    gradient_keV[p] = intercept_keV[p] = dark_ADU[p] = 0;
  }
}
