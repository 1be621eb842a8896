/* The sheet of beam at one height: how many photons come from where. */
#include "sim/internal.h"

#include <math.h>
#include <stdlib.h>

/* Photons scattered twice come from all around: 2 mm (sigma) in the sample. */
#define TWICE_SPREAD_PX 8
enum { TWICE_REACH = 3 * TWICE_SPREAD_PX };

/* One direction of a gaussian blur over <n> values, <stride> apart, that keeps their sum. */
static void smear(const double *in, double *out, uint32_t n, size_t stride)
{
  for (uint32_t i = 0; i < n; i++) out[i * stride] = 0;
  for (uint32_t i = 0; i < n; i++) {
    uint32_t from = i > TWICE_REACH ? i - TWICE_REACH : 0, to = n - i > TWICE_REACH ? i + TWICE_REACH : n - 1;
    double weight[2 * TWICE_REACH + 1], sum = 0;
    for (uint32_t j = from; j <= to; j++) {
      double off = ((double)j - i) / TWICE_SPREAD_PX;
      sum += weight[j - from] = exp(-off * off / 2);
    }
    for (uint32_t j = from; j <= to; j++) out[j * stride] += in[i * stride] * weight[j - from] / sum;
  }
}

/* Photons scattered twice, from those scattered once. */
static int scatter_twice(const struct ct_sim *sim, double *weight)
{
  uint32_t rows = sim->config.rows, cols = sim->config.cols;
  double *once = calloc(2 * (size_t)sim->pixels, sizeof *once), *twice = weight + (size_t)CT_SIM_DOUBLE * sim->pixels;
  if (!once) return CT_ENOMEM;
  double *half = once + sim->pixels;
  for (size_t i = 0; i < (size_t)CT_SIM_MATERIALS * sim->pixels; i++) once[i % sim->pixels] += weight[i] * CT_TWICE_SHARE;
  for (uint32_t row = 0; row < rows; row++) smear(once + (size_t)row * cols, half + (size_t)row * cols, cols, 1);
  for (uint32_t col = 0; col < cols; col++) smear(half + col, twice + col, rows, cols);
  free(once);
  return 0;
}

/* The Poisson distribution of photons in a frame, up to where nothing is left of it. */
static int make_count(struct ct_alias *count, double mean)
{
  uint32_t n = mean > 0 ? (uint32_t)(mean + 12 * sqrt(mean) + 30) : 1;
  double *weights = calloc(n, sizeof *weights);
  if (!weights) return CT_ENOMEM;
  weights[0] = exp(-mean);
  for (uint32_t k = 1; k < n; k++) weights[k] = exp(k * log(mean) - mean - lgamma(k + 1.0));
  int rc = ct_alias_new(count, weights, n);
  free(weights);
  return rc;
}

/* Photons of the sample, in units of the emission; returns their sum, or less than 0 without memory. */
static double weigh_sample(const struct ct_sim *sim, const double *emission, double *weight)
{
  double sum = 0;
  for (size_t i = 0; i < (size_t)CT_SIM_MATERIALS * sim->pixels; i++) {
    size_t col = i % sim->pixels % sim->config.cols;
    weight[i] = emission[i] * sim->spectrum.yield[col * CT_SIM_MATERIALS + i / sim->pixels];
  }
  if (sim->config.effects.double_scatter && scatter_twice(sim, weight)) return -1;
  for (size_t i = 0; i < (size_t)CT_SIM_SOURCES * sim->pixels; i++) sum += weight[i];
  return sum;
}

int ct_scene_new(struct ct_scene *scene, const struct ct_sim *sim, const double *emission, const double *gradient,
                 double line_share, double *scale)
{
  const struct ct_sim_config *config = &sim->config;
  size_t all = (size_t)CT_SIM_SOURCES * sim->pixels;
  double *weight = scene->weight = calloc(all, sizeof *weight), sum = 0;
  scene->gradient = calloc(sim->pixels, sizeof *scene->gradient);
  if (!weight || !scene->gradient) return CT_ENOMEM;
  for (uint32_t p = 0; p < sim->pixels; p++) scene->gradient[p] = (float)gradient[p];
  double sample = weigh_sample(sim, emission, weight);
  if (sample < 0) return CT_ENOMEM;
  double from_sample = config->photons_per_s * (1 - line_share);
  if (*scale == 0 && sample > 0) *scale = from_sample / sample;
  for (size_t i = 0; i < all; i++) weight[i] *= *scale;
  /* Shielding is lit by what the sample scatters; an empty beam still has its halo. */
  double lit = sample > 0 && from_sample > 0 ? sample * *scale / from_sample : 1;
  for (uint32_t p = 0; p < sim->pixels; p++) {
    weight[(size_t)CT_SIM_LINES * sim->pixels + p] = lit * config->photons_per_s * line_share / sim->pixels;
    if (ct_sample_is_nuclide(config->sample))
      weight[(size_t)CT_SIM_NUCLIDE * sim->pixels + p] = config->photons_per_s / sim->pixels;
  }
  for (size_t i = 0; i < all; i++) sum += weight[i];
  int rc = make_count(&scene->count, sum / config->rate_hz);
  return rc || sum == 0 ? rc : ct_alias_new(&scene->origin, weight, (uint32_t)all);
}

void ct_scene_free(struct ct_scene *scene)
{
  ct_alias_free(&scene->count);
  ct_alias_free(&scene->origin);
  free(scene->weight);
  free(scene->gradient);
}
