/* From photons to the charge that pixels collect. */
#include "sim/internal.h"

#include <math.h>

#define SHARE_LEAST_KEV 5.0
#define TAIL_KEV 4.0
/* Electrons drift to the pixels at the back: diffusion over all of the sensor. */
#define DIFFUSION_MM 0.014
/* sigma of the charge where it was made, the range of electrons: of 93.6 keV, in proportion to the energy. About
 * half of Kanaya and Okayama's range (J. Phys. D 5 (1972) 43; 0.034 mm), such that hits above 5 keV come in compton.md's
 * shares. */
#define RANGE_MM 0.018

/* The neighbour of <at> on the side the charge went to, or on the other side where the sensor ends. */
static uint32_t beside(uint32_t at, bool after, uint32_t count)
{
  if (count == 1) return at;
  if (at == 0) return 1;
  if (at == count - 1) return at - 1;
  return after ? at + 1 : at - 1;
}

static void add(struct ct_sim_charge *charge, uint32_t pixel, double e_keV)
{
  uint32_t i = 0;
  while (i < charge->n && charge->pixel[i] != pixel) i++;
  if (i == CT_SIM_CHARGE_PIXELS) i = 0;   /* the crumbs of a wide shower */
  if (i == charge->n) {
    charge->pixel[i] = pixel;
    charge->e_keV[i] = 0;
    charge->n++;
  }
  charge->e_keV[i] += e_keV;
}

/* Into 1 to 4 pixels, the one where it was made first. */
static void share_by_table(const struct ct_sim *sim, uint32_t pixel, double photon_keV, double e_keV,
                           struct ct_random *random, struct ct_sim_charge *charge)
{
  double share[4], u = ct_random_unit(random);
  uint32_t rows = sim->config.rows, cols = sim->config.cols, n = 1;
  ct_response_shares(photon_keV, share);
  while (n < 4 && u >= share[n - 1]) u -= share[n++ - 1];
  if (e_keV < n * SHARE_LEAST_KEV || rows == 1 || cols == 1) n = 1;
  uint64_t sides = ct_random_next(random);
  uint32_t row = pixel / cols, col = pixel % cols;
  uint32_t other_row = beside(row, sides & 1, rows), other_col = beside(col, sides & 2, cols);
  uint32_t across = row * cols + other_col, along = other_row * cols + col;
  uint32_t beside_it[] = { n == 2 && sides & 4 ? along : across, along, other_row * cols + other_col };
  add(charge, pixel, e_keV);
  for (uint32_t i = 1; i < n; i++) {
    double part_keV = SHARE_LEAST_KEV + (e_keV / n - SHARE_LEAST_KEV) * ct_random_unit(random);
    add(charge, beside_it[i - 1], part_keV);
    add(charge, pixel, -part_keV);
  }
}

/* The shares of a gaussian at <off> from a pixel's middle that fall before, into and behind the pixel. */
static void split(double off_mm, double sigma_mm, double share[3])
{
  double scale = 1 / (sigma_mm * sqrt(2));
  share[0] = 0.5 * erfc((off_mm + CT_PITCH_MM / 2) * scale);
  share[2] = 0.5 * erfc((CT_PITCH_MM / 2 - off_mm) * scale);
  share[1] = 1 - share[0] - share[2];
}

static void share_by_cloud(const struct ct_sim *sim, uint32_t row, uint32_t col, const struct ct_deposit *deposit,
                           double e_keV, struct ct_sim_charge *charge)
{
  double drift = sqrt(fmax(CT_SENSOR_MM - deposit->z_mm, 0) / CT_SENSOR_MM) * DIFFUSION_MM;
  double range = RANGE_MM * deposit->e_keV / 93.6;
  double across[3], along[3], sigma_mm = sqrt(drift * drift + range * range);
  split(deposit->x_mm - CT_PITCH_MM * rint(deposit->x_mm / CT_PITCH_MM), sigma_mm, across);
  split(deposit->y_mm - CT_PITCH_MM * rint(deposit->y_mm / CT_PITCH_MM), sigma_mm, along);
  uint32_t rows = sim->config.rows, cols = sim->config.cols;
  for (int j = 0; j < 9; j++) {
    int i = (j + 4) % 9;   /* the middle first */
    double part = across[i % 3] * along[i / 3];
    if (part < 1e-3) continue;
    /* Beyond the edge the last pixels' field takes it. */
    uint32_t y = row + (uint32_t)(i / 3), x = col + (uint32_t)(i % 3);
    y = y < 1 ? 0 : y > rows ? rows - 1 : y - 1;
    x = x < 1 ? 0 : x > cols ? cols - 1 : x - 1;
    add(charge, y * cols + x, part * e_keV);
  }
}

/* Charge of <e_keV> with the sensor's statistics. */
static double collected_keV(const struct ct_sim *sim, double e_keV, struct ct_random *random)
{
  if (!sim->config.effects.statistics) return e_keV;
  double sigma_keV = CT_SIM_STATISTICS_KEV / CT_SIM_FWHM_PER_SIGMA * sqrt(e_keV / 93.6);
  return e_keV + sigma_keV * ct_random_normal(random);
}

static void share_deposit(const struct ct_sim *sim, uint32_t pixel, const struct ct_deposit *deposit,
                          struct ct_random *random, struct ct_sim_charge *charge)
{
  double e_keV = collected_keV(sim, deposit->e_keV, random);
  double row = pixel / sim->config.cols + rint(deposit->y_mm / CT_PITCH_MM);
  double col = pixel % sim->config.cols + rint(deposit->x_mm / CT_PITCH_MM);
  if (row < 0 || col < 0 || row >= sim->config.rows || col >= sim->config.cols) return;   /* left through its side */
  pixel = (uint32_t)row * sim->config.cols + (uint32_t)col;
  switch (sim->config.effects.sharing) {
  case CT_SIM_SHARING_OFF: add(charge, pixel, e_keV); break;
  case CT_SIM_SHARING_TABLE: share_by_table(sim, pixel, deposit->e_keV, e_keV, random, charge); break;
  case CT_SIM_SHARING_CLOUD: share_by_cloud(sim, (uint32_t)row, (uint32_t)col, deposit, e_keV, charge); break;
  }
}

void ct_sim_share(const struct ct_sim *sim, const struct ct_sim_photon *photon, uint64_t random_seed,
                  struct ct_sim_charge *charge)
{
  struct ct_random random;
  ct_random_seed(&random, random_seed, 0);
  struct ct_deposit deposits[CT_DEPOSITS] = { { .e_keV = photon->e_keV } };
  uint32_t n = sim->sensor ? ct_sensor_follow(sim->sensor, photon->e_keV, &random, deposits) : 1;
  double tail = sim->config.effects.tail;
  if (tail > 0 && ct_random_unit(&random) < tail) {
    double left = fmax(1 + TAIL_KEV * log(1 - ct_random_unit(&random)) / photon->e_keV, 0);
    for (uint32_t i = 0; i < n; i++) deposits[i].e_keV *= left;
  }
  charge->n = 0;
  for (uint32_t i = 0; i < n; i++) share_deposit(sim, photon->pixel, &deposits[i], &random, charge);
}
