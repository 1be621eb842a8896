#include <comptop/sim.h>

#include <math.h>
#include <stdlib.h>

#include "sim/internal.h"

enum { SUBCOLUMNS = 4, DIMENSION_MAX = 4096 };
#define CELL_MIDDLE_MM 1.6
#define GAIN_SPREAD 0.02
#define STREAM_GAINS (UINT64_C(3) << 62)

struct ct_sim_camera {
  struct ct_sim_camera_config config;
  const struct ct_layer *layers;
  uint32_t n_layers;
  double mu_cm[CT_SIM_MATERIALS];
  double *flat;              /* [pixel]: photons without a sample */
  double *covered;           /* [row][layer]: share of the row's height */
  double *transmission;      /* [layer][col] of the projection being made */
};

void ct_sim_camera_defaults(struct ct_sim_camera_config *config)
{
  *config = (struct ct_sim_camera_config){ .seed = 1, .rows = 64, .cols = 256, .pixel_mm = 0.085, .axis_px = 129.8,
                                           .darks = 5, .flats = 5, .projections = 180, .photons = 20000,
                                           .sample = CT_SIM_CELL };
}

static int check(const struct ct_sim_camera_config *c, struct ct_err *err)
{
  if (c->rows < 1 || c->rows > DIMENSION_MAX || c->cols < 1 || c->cols > DIMENSION_MAX)
    return ct_err_set(err, CT_ERANGE, "a camera of %u x %u pixels cannot be simulated: 1..%d each", c->rows, c->cols,
                      DIMENSION_MAX);
  if (!(c->pixel_mm > 0 && c->pixel_mm < 10) || !(fabs(c->axis_px) <= DIMENSION_MAX))
    return ct_err_set(err, CT_ERANGE, "camera pixels of %g mm with the axis at %g are out of range", c->pixel_mm,
                      c->axis_px);
  if (!(c->photons > 0 && c->photons <= 60000))
    return ct_err_set(err, CT_ERANGE, "%g photons a camera pixel are out of range: above 0, at most 60000", c->photons);
  if (c->projections < 1 || c->projections > 1000000 || c->flats > 1000000 || c->darks > 1000000)
    return ct_err_set(err, CT_ERANGE, "a scan of %u darks, %u flats and %u projections is out of range: at most 10^6 each",
                      c->darks, c->flats, c->projections);
  return 0;
}

/* A beam brighter in the middle, on pixels that are not quite alike. */
static void make_flat(struct ct_sim_camera *camera)
{
  const struct ct_sim_camera_config *c = &camera->config;
  struct ct_random random;
  ct_random_seed(&random, c->seed, STREAM_GAINS);
  for (uint32_t row = 0; row < c->rows; row++) {
    for (uint32_t col = 0; col < c->cols; col++) {
      double x = 2 * (col + 0.5) / c->cols - 1, y = 2 * (row + 0.5) / c->rows - 1;
      double gain = fmin(fmax(1 + GAIN_SPREAD * ct_random_normal(&random), 0.9), 1.05);
      camera->flat[row * c->cols + col] = c->photons * (1 - 0.15 * x * x - 0.1 * y * y) * gain;
    }
  }
}

static void make_covered(struct ct_sim_camera *camera)
{
  const struct ct_sim_camera_config *c = &camera->config;
  for (uint32_t row = 0; row < c->rows; row++) {
    double top = CELL_MIDDLE_MM + (c->rows / 2.0 - row) * c->pixel_mm, bottom = top - c->pixel_mm;
    for (uint32_t i = 0; i < camera->n_layers; i++) {
      double height = fmin(top, camera->layers[i].to_mm) - fmax(bottom, camera->layers[i].from_mm);
      camera->covered[row * camera->n_layers + i] = fmax(height, 0) / c->pixel_mm;
    }
  }
}

int ct_sim_camera_new(struct ct_sim_camera **out, const struct ct_sim_camera_config *config, struct ct_err *err)
{
  *out = NULL;
  int rc = check(config, err);
  if (rc) return rc;
  struct ct_sim_camera *camera = calloc(1, sizeof *camera);
  if (!camera) return ct_err_set(err, CT_ENOMEM, "no memory for the simulated camera");
  camera->config = *config;
  camera->layers = ct_phantom(config->sample, &camera->n_layers);
  camera->flat = calloc((size_t)config->rows * config->cols, sizeof *camera->flat);
  camera->covered = calloc((size_t)config->rows * camera->n_layers, sizeof *camera->covered);
  camera->transmission = calloc((size_t)config->cols * camera->n_layers, sizeof *camera->transmission);
  if (!camera->flat || !camera->covered || !camera->transmission) {
    ct_sim_camera_free(camera);
    return ct_err_set(err, CT_ENOMEM, "no memory for a camera of %u x %u pixels", config->rows, config->cols);
  }
  ct_phantom_attenuation(CT_SIM_E1_KEV, camera->mu_cm);
  make_flat(camera);
  make_covered(camera);
  *out = camera;
  return 0;
}

void ct_sim_camera_free(struct ct_sim_camera *camera)
{
  if (!camera) return;
  free(camera->flat);
  free(camera->covered);
  free(camera->transmission);
  free(camera);
}

static void project(struct ct_sim_camera *camera, double angle_deg)
{
  const struct ct_sim_camera_config *c = &camera->config;
  double cosine = cos(angle_deg * 3.141592653589793 / 180), sine = sin(angle_deg * 3.141592653589793 / 180);
  for (uint32_t i = 0; i < camera->n_layers; i++) {
    for (uint32_t col = 0; col < c->cols; col++) {
      double sum = 0;
      for (int sub = 0; sub < SUBCOLUMNS; sub++) {
        double across_mm = (col - c->axis_px - 0.5 + (sub + 0.5) / SUBCOLUMNS) * c->pixel_mm;
        sum += exp(-ct_layer_chord(&camera->layers[i], across_mm, cosine, sine, camera->mu_cm));
      }
      camera->transmission[i * c->cols + col] = sum / SUBCOLUMNS;
    }
  }
}

/* What the layers of a row let through, and the air above and below the sample. */
static double seen(const struct ct_sim_camera *camera, uint32_t row, uint32_t col)
{
  double through = 1;
  for (uint32_t i = 0; i < camera->n_layers; i++)
    through -= camera->covered[row * camera->n_layers + i] * (1 - camera->transmission[i * camera->config.cols + col]);
  return through;
}

int ct_sim_camera_frame(struct ct_sim_camera *camera, uint64_t k, uint16_t *pixels, double *angle_deg)
{
  const struct ct_sim_camera_config *c = &camera->config;
  uint64_t at = k % ((uint64_t)c->darks + c->flats + c->projections);
  int key = at < c->darks ? CT_KEY_DARK : at < (uint64_t)c->darks + c->flats ? CT_KEY_FLAT : CT_KEY_PROJECTION;
  *angle_deg = key == CT_KEY_PROJECTION ? 180.0 * (double)(at - c->darks - c->flats) / c->projections : 0;
  if (key == CT_KEY_PROJECTION) project(camera, *angle_deg);
  struct ct_random random;
  ct_random_seed(&random, c->seed, k);
  for (uint32_t row = 0; row < c->rows; row++) {
    for (uint32_t col = 0; col < c->cols; col++) {
      double photons = key == CT_KEY_DARK ? 0 : camera->flat[row * c->cols + col];
      if (key == CT_KEY_PROJECTION) photons *= seen(camera, row, col);
      /* Electronic noise of 3 photons; for hundreds of photons and more Poisson's noise is Gauss's. */
      double counts = photons + sqrt(photons + 9) * ct_random_normal(&random) + CT_SIM_CAMERA_DARK_ADU;
      pixels[row * c->cols + col] = (uint16_t)fmin(fmax(rint(counts), 0), UINT16_MAX);
    }
  }
  return key;
}
