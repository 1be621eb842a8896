/* Photons in 2 mm of CdZnTe: absorption, fluorescence, Compton scattering, escape. */
#include "sim/internal.h"

#include <math.h>
#include <stdlib.h>

#include <xraylib.h>

enum { ELEMENTS = 3, LINES = 4, STEPS = 820, IN_FLIGHT = 8 };
#define STEP_KEV 0.25
#define DENSITY_G_CM3 5.8

struct at_energy {
  double mu_mm;              /* interactions per mm; elastic scattering, which loses nothing, is none */
  double photo;              /* share of interactions that are absorption */
  double k[ELEMENTS];        /* share of absorptions that an element's K fluorescence follows */
};
struct ct_sensor {
  struct ct_sim_effects effects;
  struct at_energy at[STEPS];
  struct { double e_keV[LINES], share[LINES]; } lines[ELEMENTS];
};

static const struct { int z; double n; } czt[ELEMENTS] = { { 48, 0.9 }, { 30, 0.1 }, { 52, 1.0 } };
static const int k_lines[LINES] = { KL3_LINE, KL2_LINE, KM3_LINE, KN3_LINE };

static void tabulate(struct at_energy *at, double e_keV)
{
  double photo = 0, compton = 0, g_mol = 0;
  for (int i = 0; i < ELEMENTS; i++) {
    double g = czt[i].n * AtomicWeight(czt[i].z, NULL), absorbed = g * CS_Photo(czt[i].z, e_keV, NULL);
    bool above = e_keV > EdgeEnergy(czt[i].z, K_SHELL, NULL);
    /* Of what the shells absorb, the K shell's part is the jump at its edge. */
    double jump = JumpFactor(czt[i].z, K_SHELL, NULL);
    at->k[i] = above ? absorbed * (1 - 1 / jump) * FluorYield(czt[i].z, K_SHELL, NULL) : 0;
    photo += absorbed;
    compton += g * CS_Compt(czt[i].z, e_keV, NULL);
    g_mol += g;
  }
  at->mu_mm = DENSITY_G_CM3 * (photo + compton) / g_mol / CT_MM_PER_CM;
  at->photo = photo / (photo + compton);
  for (int i = 0; i < ELEMENTS; i++) at->k[i] /= photo;
}

int ct_sensor_new(struct ct_sensor **out, const struct ct_sim_effects *effects)
{
  *out = NULL;
  if (effects->sharing != CT_SIM_SHARING_CLOUD && !effects->fluorescence && !effects->sensor_compton) return 0;
  struct ct_sensor *sensor = calloc(1, sizeof *sensor);
  if (!sensor) return CT_ENOMEM;
  sensor->effects = *effects;
  for (int i = 0; i < STEPS; i++) tabulate(&sensor->at[i], fmax((i + 0.5) * STEP_KEV, 1));
  for (int i = 0; i < ELEMENTS; i++) {
    double sum = 0;
    for (int j = 0; j < LINES; j++) {
      sensor->lines[i].e_keV[j] = LineEnergy(czt[i].z, k_lines[j], NULL);
      sum += sensor->lines[i].share[j] = RadRate(czt[i].z, k_lines[j], NULL);
    }
    for (int j = 0; j < LINES; j++) sensor->lines[i].share[j] /= sum;
  }
  *out = sensor;
  return 0;
}

void ct_sensor_free(struct ct_sensor *sensor) { free(sensor); }

struct flight {
  double at_mm[3], along[3], e_keV;    /* z of both: into the sensor */
};

static void isotropic(double along[3], struct ct_random *random)
{
  double cosine = 2 * ct_random_unit(random) - 1, sine = sqrt(1 - cosine * cosine);
  double around = 2 * PI * ct_random_unit(random);
  along[0] = sine * cos(around);
  along[1] = sine * sin(around);
  along[2] = cosine;
}

/* Turns <along> by an angle of this cosine, into any plane. */
static void turn(double along[3], double cosine, struct ct_random *random)
{
  double other[3], dot = 0, square = 0;
  isotropic(other, random);
  for (int i = 0; i < 3; i++) dot += other[i] * along[i];
  for (int i = 0; i < 3; i++) {
    other[i] -= dot * along[i];
    square += other[i] * other[i];
  }
  double across = square > 0 ? sqrt((1 - cosine * cosine) / square) : 0;
  for (int i = 0; i < 3; i++) along[i] = cosine * along[i] + across * other[i];
}

/* Klein and Nishina, by rejection: cosine of the scattering angle; *e_keV becomes the scattered photon's. */
static double scatter(double *e_keV, struct ct_random *random)
{
  for (;;) {
    double cosine = 2 * ct_random_unit(random) - 1, left = 1 / (1 + *e_keV / CT_ELECTRON_KEV * (1 - cosine));
    double share = left * left * (left + 1 / left - 1 + cosine * cosine) / 2;
    if (ct_random_unit(random) >= share) continue;
    *e_keV *= left;
    return cosine;
  }
}

static const struct at_energy *at_energy(const struct ct_sensor *sensor, double e_keV)
{
  double i = e_keV / STEP_KEV;
  return &sensor->at[i < STEPS - 1 ? (int)i : STEPS - 1];
}

/* To where the photon interacts: true; false where it leaves the sensor, at its face. */
static bool fly(struct flight *photon, double mu_mm, struct ct_random *random)
{
  double far_mm = -log(1 - ct_random_unit(random)) / mu_mm, z_mm = photon->at_mm[2] + far_mm * photon->along[2];
  bool stays = z_mm >= 0 && z_mm <= CT_SENSOR_MM;
  if (!stays) far_mm = ((z_mm < 0 ? 0 : CT_SENSOR_MM) - photon->at_mm[2]) / photon->along[2];
  for (int i = 0; i < 3; i++) photon->at_mm[i] += far_mm * photon->along[i];
  return stays;
}

static void leave(const struct flight *photon, double e_keV, struct ct_deposit *deposits, uint32_t *n)
{
  if (*n == CT_DEPOSITS) {
    deposits[CT_DEPOSITS - 1].e_keV += e_keV;
    return;
  }
  deposits[(*n)++] = (struct ct_deposit){ photon->at_mm[0], photon->at_mm[1], photon->at_mm[2], e_keV };
}

/* Interacts where it is; what flies on is left in *photon: true, or false when there is nothing. */
static bool interact(const struct ct_sensor *sensor, struct flight *photon, struct ct_random *random,
                     struct ct_deposit *deposits, uint32_t *n)
{
  const struct at_energy *at = at_energy(sensor, photon->e_keV);
  double before_keV = photon->e_keV;
  if (sensor->effects.sensor_compton && ct_random_unit(random) >= at->photo) {
    turn(photon->along, scatter(&photon->e_keV, random), random);
    leave(photon, before_keV - photon->e_keV, deposits, n);
    return true;
  }
  double u = sensor->effects.fluorescence ? ct_random_unit(random) : 1;
  for (int i = 0; i < ELEMENTS; i++) {
    if (u >= at->k[i]) {
      u -= at->k[i];
      continue;
    }
    int line = 0;
    for (u = ct_random_unit(random); line < LINES - 1 && u >= sensor->lines[i].share[line]; line++)
      u -= sensor->lines[i].share[line];
    photon->e_keV = fmin(sensor->lines[i].e_keV[line], before_keV);
    leave(photon, before_keV - photon->e_keV, deposits, n);
    isotropic(photon->along, random);
    return true;
  }
  leave(photon, before_keV, deposits, n);
  return false;
}

uint32_t ct_sensor_follow(const struct ct_sensor *sensor, double e_keV, struct ct_random *random,
                          struct ct_deposit deposits[CT_DEPOSITS])
{
  uint32_t n = 0;
  /* It will interact: its depth is exponential, cut off at the back. */
  double mu_mm = at_energy(sensor, e_keV)->mu_mm;
  double z_mm = -log(1 - ct_random_unit(random) * (1 - exp(-mu_mm * CT_SENSOR_MM))) / mu_mm;
  struct flight photon = { { (ct_random_unit(random) - 0.5) * CT_PITCH_MM, (ct_random_unit(random) - 0.5) * CT_PITCH_MM, z_mm },
                           { 0, 0, 1 }, e_keV };
  while (interact(sensor, &photon, random, deposits, &n)) {
    if (fly(&photon, at_energy(sensor, photon.e_keV)->mu_mm, random)) continue;
    if (!sensor->effects.escape) leave(&photon, photon.e_keV, deposits, &n);
    break;
  }
  return n;
}
