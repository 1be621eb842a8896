/* What is true of every pixel at any time. */
#include "sim/internal.h"

#include <math.h>
#include <stdlib.h>

/* Photons/s of every source in pixel <p>; returns their sum. */
static double sources(const struct ct_sim *sim, const struct ct_scene *scene, double t_s, const struct ct_sim_state *state,
                      double taken, uint32_t p, double of[CT_SIM_SOURCES])
{
  double cover = ct_bubble_cover(&sim->config, t_s, state->z_mm, p), sum = 0;
  for (uint32_t s = 0; s < CT_SIM_SOURCES; s++) {
    of[s] = scene->weight[(size_t)s * sim->pixels + p];
    if (s == CT_SIM_LITHIATION) of[s] = of[s] > 0 ? of[s] * ct_scene_lithium(scene, p, taken) : 0;
    if (ct_source_gives_way(s)) of[s] *= 1 - cover;
    if (s != CT_SIM_NUCLIDE) of[s] *= state->beam;
    sum += of[s];
  }
  return sum;
}

/* The flash is shared by the pixel it is on and the eight around it. */
static bool in_flash(const struct ct_sim *sim, double t_s, uint32_t p)
{
  uint32_t middle, cols = sim->config.cols;
  if (!ct_flash(&sim->config, t_s, &middle)) return false;
  return abs((int)(middle / cols) - (int)(p / cols)) <= 1 && abs((int)(middle % cols) - (int)(p % cols)) <= 1;
}

void ct_sim_truth(const struct ct_sim *sim, double t_s, double *rate, double *x, double *mix)
{
  double taken = ct_sim_taken(&sim->config, t_s);
  struct ct_sim_state state;
  ct_sim_state(&sim->config, t_s, &state);
  const struct ct_scene *scene = &sim->scenes[state.step % sim->config.heights];
  for (uint32_t p = 0; p < sim->pixels; p++) {
    double of[CT_SIM_SOURCES], sum = sources(sim, scene, t_s, &state, taken, p, of);
    if (in_flash(sim, t_s, p)) sum += of[CT_SIM_BRAGG] = CT_FLASH_SHARE * sim->config.photons_per_s / 9;
    if (rate) rate[p] = sum;
    if (x) x[p] = ct_scene_lithium(scene, p, taken);
    for (uint32_t s = 0; mix && s < CT_SIM_SOURCES; s++) mix[(size_t)p * CT_SIM_SOURCES + s] = sum > 0 ? of[s] / sum : 0;
  }
}

void ct_sim_truth_emf(const struct ct_sim *sim, double t_s, double *emf, double *emf_seen)
{
  double taken = ct_sim_taken(&sim->config, t_s);
  struct ct_sim_state state;
  ct_sim_state(&sim->config, t_s, &state);
  const struct ct_scene *scene = &sim->scenes[state.step % sim->config.heights];
  for (uint32_t p = 0; p < sim->pixels; p++) {
    double of[CT_SIM_SOURCES], low[2] = { 0 }, high[2] = { 0 };
    const struct ct_windows *windows = sim->spectrum.windows + (size_t)(p % sim->config.cols) * CT_SIM_SOURCES;
    sources(sim, scene, t_s, &state, taken, p, of);
    for (uint32_t s = 0; s < CT_SIM_SOURCES; s++) {
      int once = s < CT_SIM_MATERIALS ? 0 : 1;
      for (int i = once; i < 2; i++) {
        low[i] += of[s] * windows[s].low;
        high[i] += of[s] * windows[s].high;
      }
    }
    emf[p] = high[0] > 0 ? low[0] / high[0] : (double)NAN;
    emf_seen[p] = high[1] > 0 ? low[1] / high[1] : (double)NAN;
  }
}

void ct_sim_truth_mask(const struct ct_sim *sim, double t_s, uint8_t *mask)
{
  struct ct_sim_state state;
  ct_sim_state(&sim->config, t_s, &state);
  for (uint32_t p = 0; p < sim->pixels; p++) {
    mask[p] = ct_bubble_cover(&sim->config, t_s, state.z_mm, p) >= 0.5 ? CT_SIM_IN_BUBBLE : 0;
    if (in_flash(sim, t_s, p)) mask[p] |= CT_SIM_IN_FLASH;
  }
  for (uint32_t i = 0; i < sim->config.effects.noisy_pixels; i++) mask[sim->noisy[i]] |= CT_SIM_IS_NOISY;
  for (uint32_t i = 0; i < sim->config.effects.dead_pixels; i++) mask[sim->dead[i]] |= CT_SIM_IS_DEAD;
}
