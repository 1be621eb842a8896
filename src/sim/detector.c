#include "sim/internal.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { NOISE_POOL = 1 << 20, ASIC_COLS = 80, ASIC_BLOCK = 20, ASIC_BLOCKS = 4 };
#define FWHM_PER_SIGMA 2.354820045
#define SHARE_LEAST_KEV 5.0
#define PEDESTAL_ADU 1005
#define PEDESTAL_SPREAD_ADU 25
#define GAIN_SPREAD 0.02
#define INTERCEPT_SPREAD_KEV 0.2
/* Streams of random numbers: the photons of frame k have stream k. */
#define STREAM_DETECTOR (UINT64_C(1) << 63)
#define STREAM_NOISE (UINT64_C(3) << 62)
#define STREAM_PIXELS (STREAM_NOISE + 1)

static int make_pixels(struct ct_sim *sim)
{
  sim->gain_keV = calloc(sim->pixels, sizeof *sim->gain_keV);
  sim->intercept_keV = calloc(sim->pixels, sizeof *sim->intercept_keV);
  if (!sim->gain_keV || !sim->intercept_keV) return CT_ENOMEM;
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

int ct_detector_new(struct ct_sim *sim)
{
  int rc = make_pixels(sim);
  if (rc) return rc;
  sim->noise_starts = NOISE_POOL;
  sim->noise = calloc((size_t)NOISE_POOL + sim->padded, sizeof *sim->noise);
  sim->frame = calloc(sim->padded, sizeof *sim->frame);
  sim->asic = sim->config.asic ? calloc(sim->config.cols, sizeof *sim->asic) : NULL;
  if (!sim->noise || !sim->frame || (sim->config.asic && !sim->asic)) return CT_ENOMEM;
  struct ct_random random;
  ct_random_seed(&random, sim->config.seed, STREAM_NOISE);
  double sigma_ADU = CT_SIM_NOISE_KEV / FWHM_PER_SIGMA / CT_SIM_GAIN_KEV;
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
  free(sim->gain_keV);
  free(sim->intercept_keV);
  free(sim->pedestal);
  free(sim->noise);
  free(sim->frame);
  free(sim->asic);
}

/* How many pixels see more than 5 keV of a photon (compton.md's detector model: 2 mm CdZnTe, 250 um pitch). */
static uint32_t multiplicity(double e_keV, double u)
{
  static const double at_keV[] = { 59.5, 93.6, 114.6 };
  static const double up_to[][3] = { { 0.52, 0.92, 0.98 }, { 0.46, 0.89, 0.97 }, { 0.43, 0.885, 0.965 } };
  int i = e_keV < at_keV[1] ? 0 : 1;
  double f = fmin(fmax((e_keV - at_keV[i]) / (at_keV[i + 1] - at_keV[i]), 0), 1);
  uint32_t n = 1;
  for (int j = 0; j < 3; j++) n += u >= up_to[i][j] + f * (up_to[i + 1][j] - up_to[i][j]);
  return n;
}

/* The neighbour of <at> on the side the charge went to, or on the other side where the sensor ends. */
static uint32_t beside(uint32_t at, bool after, uint32_t count)
{
  if (count == 1) return at;
  if (at == 0) return 1;
  if (at == count - 1) return at - 1;
  return after ? at + 1 : at - 1;
}

void ct_sim_share(const struct ct_sim *sim, const struct ct_sim_photon *photon, uint64_t random_seed,
                  struct ct_sim_charge *charge)
{
  struct ct_random random;
  ct_random_seed(&random, random_seed, 0);
  double sigma_keV = 0.505 / FWHM_PER_SIGMA * sqrt(photon->e_keV / 93.6);
  double e_keV = photon->e_keV + sigma_keV * ct_random_normal(&random);
  uint32_t rows = sim->config.rows, cols = sim->config.cols, n = multiplicity(photon->e_keV, ct_random_unit(&random));
  if (e_keV < n * SHARE_LEAST_KEV || rows == 1 || cols == 1) n = 1;
  uint64_t sides = ct_random_next(&random);
  uint32_t row = photon->pixel / cols, col = photon->pixel % cols;
  uint32_t other_row = beside(row, sides & 1, rows), other_col = beside(col, sides & 2, cols);
  uint32_t across = row * cols + other_col, along = other_row * cols + col;
  charge->n = n;
  charge->pixel[0] = photon->pixel;
  charge->pixel[1] = n == 2 && sides & 4 ? along : across;
  charge->pixel[2] = along;
  charge->pixel[3] = other_row * cols + other_col;
  charge->e_keV[0] = e_keV;
  for (uint32_t i = 1; i < n; i++) {
    double most = e_keV / n;
    charge->e_keV[i] = SHARE_LEAST_KEV + (most - SHARE_LEAST_KEV) * ct_random_unit(&random);
    charge->e_keV[0] -= charge->e_keV[i];
  }
}

static void add_charge(struct ct_sim *sim, const struct ct_sim_charge *charge)
{
  for (uint32_t i = 0; i < charge->n; i++) {
    uint32_t p = charge->pixel[i];
    double adu = sim->frame[p] + (charge->e_keV[i] - sim->intercept_keV[p]) / sim->gain_keV[p];
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
  sim->frame[sim->dead] = 0;
}

uint32_t ct_sim_frame(struct ct_sim *sim, uint64_t k, uint16_t *pixels)
{
  struct ct_random random;
  ct_random_seed(&random, sim->config.seed, STREAM_DETECTOR | k);
  memcpy(sim->frame, sim->noise + ct_random_below(&random, sim->noise_starts), sim->padded * sizeof *sim->frame);
  uint32_t n = ct_sim_photons(sim, k, sim->photons, sim->count.n);
  for (uint32_t i = 0; i < n; i++) {
    struct ct_sim_charge charge;
    ct_sim_share(sim, &sim->photons[i], ct_random_next(&random), &charge);
    add_charge(sim, &charge);
  }
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
    gradient_keV[p] = p == sim->dead ? 0 : sim->gain_keV[p];
    intercept_keV[p] = p == sim->dead ? 0 : sim->intercept_keV[p];
    dark_ADU[p] = sim->pedestal && p != sim->dead ? sim->pedestal[p] : 0;
  }
}
