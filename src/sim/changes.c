#include "sim/internal.h"

#include <math.h>

#define TOP_UP_S 600.0
#define FLASH_SLOT_S 10.0
#define FLASH_LEAST_S 2.0
#define STREAM_FLASHES (UINT64_C(5) << 61)
/* Over this length the edge of a bubble fades in the picture: the pinhole's blur. */
#define EDGE_MM 0.4

void ct_sim_state(const struct ct_sim_config *config, double t_s, struct ct_sim_state *state)
{
  const struct ct_sim_effects *effects = &config->effects;
  state->step = config->heights > 1 ? (uint64_t)(t_s / config->dwell_s) : 0;
  state->z_mm = config->z_mm + (double)(state->step % config->heights) * config->height_step_mm;
  state->beam = effects->top_up > 0 ? 1 - effects->top_up * fmod(t_s, TOP_UP_S) / TOP_UP_S : 1;
  state->gain = 1 + effects->gain_drift_permil_h * 1e-3 * t_s / 3600;
  state->fwhm_keV = ct_response_sigma_keV(effects, 93.6, 1) * CT_SIM_FWHM_PER_SIGMA + effects->fwhm_drift_keV_h * t_s / 3600;
}

double ct_sim_taken(const struct ct_sim_config *config, double t_s)
{
  struct ct_sim_cell cell;
  if (config->effects.lithiation == CT_SIM_LITHIATION_OFF) return 0;
  ct_sim_cell(config, t_s, &cell);
  return 1 - cell.lithium;
}

double ct_bubble_cover(const struct ct_sim_config *config, double t_s, double z_mm, uint32_t pixel)
{
  if (!config->effects.bubbles || config->sample != CT_SIM_CELL) return 0;
  if (z_mm + CT_SHEET_MM / 2 <= CT_CATHODE_FROM_MM || z_mm - CT_SHEET_MM / 2 >= CT_CATHODE_TO_MM) return 0;
  struct ct_geometry geometry;
  ct_sim_geometry(config, &geometry);
  double scale = geometry.object_mm / geometry.detector_mm * geometry.pitch_mm;
  double x = (geometry.centre_x_px - pixel % config->cols) * scale, y = (geometry.centre_y_px - pixel / config->cols) * scale;
  double growth = ct_phantom_growth(t_s, config->speedup), most = 0;
  uint32_t n;
  const struct ct_growing *growing = ct_phantom_growing(&n);
  for (uint32_t i = 0; i < n; i++) {
    if (growing[i].material != CT_SIM_NOTHING) continue;
    double radius = growing[i].r_mm * growth, inside = radius - hypot(x - growing[i].x, y - growing[i].y);
    /* A bubble smaller than the blur is seen as the share of the blur that it fills. */
    double fill = fmin(radius * radius / (EDGE_MM * EDGE_MM / 4), 1);
    most = fmax(most, fill * fmin(fmax(0.5 + inside / EDGE_MM, 0), 1));
  }
  return most;
}

bool ct_flash(const struct ct_sim_config *config, double t_s, uint32_t *pixel)
{
  if (!(config->effects.bragg_per_h > 0)) return false;
  double slot = floor(t_s / FLASH_SLOT_S);
  struct ct_random random;
  ct_random_seed(&random, config->seed, STREAM_FLASHES + (uint64_t)slot);
  if (ct_random_unit(&random) >= config->effects.bragg_per_h * FLASH_SLOT_S / 3600) return false;
  double length_s = FLASH_LEAST_S + (FLASH_SLOT_S - FLASH_LEAST_S) * ct_random_unit(&random);
  if (t_s - slot * FLASH_SLOT_S >= length_s) return false;
  *pixel = ct_random_below(&random, config->rows * config->cols);
  return true;
}
