#include "sim/internal.h"

#include <math.h>
#include <stdlib.h>

/* Profiles on a fine grid: linear interpolation is then good to some 1e-5. */
#define J_STEP 0.01
enum { J_POINTS = 10001 };

static double interpolate(const double *profile, double pz)
{
  double at = fabs(pz) / J_STEP;
  if (!(at < J_POINTS - 1)) return 0;
  uint32_t i = (uint32_t)at;
  return profile[i] + (at - i) * (profile[i + 1] - profile[i]);
}

static double bin_keV(uint32_t bin) { return CT_SPECTRUM_START_KEV + (bin + 0.5) * CT_SPECTRUM_STEP_KEV; }

/* What does not depend on the material, for one theta: pz and cross section times efficiency of each bin. */
static void kinematics(double theta_rad, const double *efficiency, double *pz, double *factor)
{
  for (uint32_t i = 0; i < CT_SPECTRUM_BINS; i++) {
    double e2_keV = bin_keV(i);
    bool possible = e2_keV < CT_SIM_E1_KEV;
    pz[i] = possible ? ct_compton_pz_exact(CT_SIM_E1_KEV, e2_keV, theta_rad) : (double)INFINITY;
    /* Scattered upwards from a beam that is polarised horizontally. */
    factor[i] = possible ? efficiency[i] * CT_SPECTRUM_STEP_KEV *
                             ct_compton_cross_section(CT_SIM_E1_KEV, e2_keV, theta_rad, 1, 3.141592653589793 / 2)
                         : 0;
  }
}

struct work {
  double profile[CT_SIM_MATERIALS][J_POINTS];
  double efficiency[CT_SPECTRUM_BINS], pz[CT_SPECTRUM_BINS], factor[CT_SPECTRUM_BINS];
  double weight[CT_SPECTRUM_CELLS];
  struct ct_alias_scratch scratch[CT_SPECTRUM_CELLS];
};

static double fill(struct work *work, enum ct_sim_source material, double elastic_efficiency, struct ct_alias_cell *cells)
{
  double sum = 0, compton = 0;
  for (uint32_t i = 0; i < CT_SPECTRUM_BINS; i++) {
    double w = work->weight[i] = work->factor[i] * interpolate(work->profile[material], work->pz[i]);
    sum += w;
    compton += w / work->efficiency[i];
  }
  work->weight[CT_SPECTRUM_BINS] = compton * ct_material_elastic(material) * elastic_efficiency;
  ct_alias_fill(cells, work->weight, CT_SPECTRUM_CELLS, work->scratch);
  return sum + work->weight[CT_SPECTRUM_BINS];
}

int ct_spectrum_new(struct ct_spectrum *spectrum, const double *theta_rad, uint32_t cols,
                    const bool used[CT_SIM_MATERIALS])
{
  size_t tables = (size_t)cols * CT_SIM_MATERIALS;
  spectrum->cells = calloc(tables * CT_SPECTRUM_CELLS, sizeof *spectrum->cells);
  spectrum->yield = calloc(tables, sizeof *spectrum->yield);
  struct work *work = calloc(1, sizeof *work);
  if (!spectrum->cells || !spectrum->yield || !work) {
    free(work);
    return CT_ENOMEM;
  }
  for (int m = 0; m < CT_SIM_MATERIALS; m++)
    for (uint32_t i = 0; used[m] && i < J_POINTS; i++)
      work->profile[m][i] = ct_sim_profile((enum ct_sim_source)m, i * J_STEP);
  for (uint32_t i = 0; i < CT_SPECTRUM_BINS; i++) work->efficiency[i] = ct_sensor_efficiency(bin_keV(i));
  double elastic_efficiency = ct_sensor_efficiency(CT_SIM_E1_KEV);
  for (uint32_t col = 0; col < cols; col++) {
    kinematics(theta_rad[col], work->efficiency, work->pz, work->factor);
    for (uint32_t m = 0; m < CT_SIM_MATERIALS; m++) {
      size_t table = (size_t)col * CT_SIM_MATERIALS + m;
      if (used[m])
        spectrum->yield[table] = fill(work, m, elastic_efficiency, spectrum->cells + table * CT_SPECTRUM_CELLS);
    }
  }
  free(work);
  return 0;
}

void ct_spectrum_free(struct ct_spectrum *spectrum)
{
  free(spectrum->cells);
  free(spectrum->yield);
}

double ct_spectrum_pick(const struct ct_spectrum *spectrum, uint32_t col, uint32_t material, double shift_keV,
                        struct ct_random *random)
{
  const struct ct_alias_cell *cells = spectrum->cells + ((size_t)col * CT_SIM_MATERIALS + material) * CT_SPECTRUM_CELLS;
  uint32_t bin = ct_alias_pick(cells, CT_SPECTRUM_CELLS, ct_random_next(random));
  if (bin == CT_SPECTRUM_BINS) return CT_SIM_E1_KEV;
  return CT_SPECTRUM_START_KEV + (bin + ct_random_unit(random)) * CT_SPECTRUM_STEP_KEV + shift_keV;
}
