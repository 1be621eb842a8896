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

/* What does not depend on the material, for one theta: pz and cross section times efficiency of each bin. Without the
 * cross section energies follow J(pz) dpz with eq. 2's pz, so that its windows find exactly what J holds. */
static void kinematics(bool cross_section, double theta_rad, const double *efficiency, double *pz, double *factor)
{
  for (uint32_t i = 0; i < CT_SPECTRUM_BINS; i++) {
    double e2_keV = ct_spectrum_bin_keV(i);
    if (e2_keV >= CT_SIM_E1_KEV) {
      pz[i] = (double)INFINITY;
      factor[i] = 0;
      continue;
    }
    pz[i] = cross_section ? ct_compton_pz_exact(CT_SIM_E1_KEV, e2_keV, theta_rad) :
                            ct_compton_pz(CT_SIM_E1_KEV, e2_keV, theta_rad);
    /* Scattered upwards from a beam that is polarised horizontally. */
    factor[i] = efficiency[i] * CT_SPECTRUM_STEP_KEV *
                (cross_section ? ct_compton_cross_section(CT_SIM_E1_KEV, e2_keV, theta_rad, 1, 3.141592653589793 / 2) :
                                 ct_compton_dpz_dE(CT_SIM_E1_KEV, e2_keV, theta_rad));
  }
}

struct work {
  double profile[CT_SIM_MATERIALS][J_POINTS];
  double efficiency[CT_SPECTRUM_BINS], pz[CT_SPECTRUM_BINS], factor[CT_SPECTRUM_BINS];
  struct ct_windows windows[CT_SPECTRUM_BINS];
  double weight[CT_SPECTRUM_CELLS], twice[CT_SPECTRUM_BINS];
  struct ct_alias_scratch scratch[CT_SPECTRUM_CELLS];
};

/* Share of photons with these weights in the windows. */
static struct ct_windows share_in_windows(const struct work *work, const double *weight, double sum)
{
  struct ct_windows found = { 0, 0 };
  for (uint32_t i = 0; i < CT_SPECTRUM_BINS && sum > 0; i++) {
    found.low += weight[i] / sum * work->windows[i].low;
    found.high += weight[i] / sum * work->windows[i].high;
  }
  return found;
}

static double fill(struct work *work, enum ct_sim_source material, double elastic_efficiency, struct ct_alias_cell *cells,
                   struct ct_windows *windows)
{
  double sum = 0, compton = 0;
  for (uint32_t i = 0; i < CT_SPECTRUM_BINS; i++) {
    double w = work->weight[i] = work->factor[i] * interpolate(work->profile[material], work->pz[i]);
    sum += w;
    compton += w / work->efficiency[i];
  }
  work->weight[CT_SPECTRUM_BINS] = compton * ct_material_elastic(material) * elastic_efficiency;
  ct_alias_fill(cells, work->weight, CT_SPECTRUM_CELLS, work->scratch);
  *windows = share_in_windows(work, work->weight, sum + work->weight[CT_SPECTRUM_BINS]);
  return sum + work->weight[CT_SPECTRUM_BINS];
}

static void fill_work(struct work *work, const struct ct_sim_config *config, const bool used[CT_SIM_MATERIALS])
{
  for (int m = 0; m < CT_SIM_MATERIALS; m++)
    for (uint32_t i = 0; used[m] && i < J_POINTS; i++)
      work->profile[m][i] = ct_material_profile((enum ct_sim_source)m, config->effects.lithiation, i * J_STEP);
  for (uint32_t i = 0; i < CT_SPECTRUM_BINS; i++)
    work->efficiency[i] = config->effects.efficiency ? ct_sensor_efficiency(ct_spectrum_bin_keV(i)) : 1;
}

/* Windows of one column; of the lines, which are the same everywhere, too. */
static void fill_windows(struct work *work, const struct ct_sim_config *config, double theta_rad, const double *e_keV,
                         const double *share, uint32_t n, struct ct_windows *lines)
{
  static const double pz[] = { -5, -1, 1, 5 };
  double edges_keV[4], sum = 0;
  for (int i = 0; i < 4; i++) edges_keV[i] = ct_compton_e2_keV(CT_SIM_E1_KEV, theta_rad, pz[i]);
  for (uint32_t i = 0; i < CT_SPECTRUM_BINS; i++)
    work->windows[i] = ct_response_windows(&config->effects, ct_spectrum_bin_keV(i), edges_keV);
  for (uint32_t i = 0; i < n; i++) sum += share[i];
  for (uint32_t i = 0; i < n; i++) {
    struct ct_windows found = ct_response_windows(&config->effects, e_keV[i], edges_keV);
    lines->low += share[i] / sum * found.low;
    lines->high += share[i] / sum * found.high;
  }
}

int ct_spectrum_new(struct ct_spectrum *spectrum, const struct ct_sim_config *config, const double *theta_rad,
                    const bool used[CT_SIM_MATERIALS], const double *e_keV, const double *share, uint32_t n)
{
  size_t tables = (size_t)config->cols * CT_SIM_MATERIALS;
  spectrum->cells = calloc(tables * CT_SPECTRUM_CELLS, sizeof *spectrum->cells);
  spectrum->yield = calloc(tables, sizeof *spectrum->yield);
  spectrum->windows = calloc((size_t)config->cols * CT_SIM_SOURCES, sizeof *spectrum->windows);
  spectrum->twice = calloc(CT_SPECTRUM_BINS, sizeof *spectrum->twice);
  struct work *work = calloc(1, sizeof *work);
  if (!spectrum->cells || !spectrum->yield || !spectrum->windows || !spectrum->twice || !work) {
    free(work);
    return CT_ENOMEM;
  }
  fill_work(work, config, used);
  double elastic_efficiency = config->effects.efficiency ? ct_sensor_efficiency(CT_SIM_E1_KEV) : 1;
  if (!config->effects.elastic) elastic_efficiency = 0;
  if (config->effects.double_scatter) {
    double sum = 0;
    ct_twice_density(work->twice);
    for (uint32_t i = 0; i < CT_SPECTRUM_BINS; i++) sum += work->twice[i] *= work->efficiency[i];
    for (uint32_t i = 0; i < CT_SPECTRUM_BINS; i++) work->twice[i] /= sum;
    ct_alias_fill(spectrum->twice, work->twice, CT_SPECTRUM_BINS, work->scratch);
  }
  for (uint32_t col = 0; col < config->cols; col++) {
    struct ct_windows *windows = spectrum->windows + (size_t)col * CT_SIM_SOURCES;
    fill_windows(work, config, theta_rad[col], e_keV, share, n, &windows[CT_SIM_LINES]);
    windows[CT_SIM_DOUBLE] = share_in_windows(work, work->twice, 1);
    kinematics(config->effects.cross_section, theta_rad[col], work->efficiency, work->pz, work->factor);
    for (uint32_t m = 0; m < CT_SIM_MATERIALS; m++) {
      size_t table = (size_t)col * CT_SIM_MATERIALS + m;
      if (used[m])
        spectrum->yield[table] =
          fill(work, m, elastic_efficiency, spectrum->cells + table * CT_SPECTRUM_CELLS, &windows[m]);
    }
  }
  free(work);
  return 0;
}

void ct_spectrum_free(struct ct_spectrum *spectrum)
{
  free(spectrum->cells);
  free(spectrum->yield);
  free(spectrum->windows);
  free(spectrum->twice);
}

double ct_spectrum_pick(const struct ct_spectrum *spectrum, uint32_t col, uint32_t material, double shift_keV,
                        struct ct_random *random)
{
  const struct ct_alias_cell *cells = spectrum->cells + ((size_t)col * CT_SIM_MATERIALS + material) * CT_SPECTRUM_CELLS;
  uint32_t bin = ct_alias_pick(cells, CT_SPECTRUM_CELLS, ct_random_next(random));
  if (bin == CT_SPECTRUM_BINS) return CT_SIM_E1_KEV;
  return CT_SPECTRUM_START_KEV + (bin + ct_random_unit(random)) * CT_SPECTRUM_STEP_KEV + shift_keV;
}

double ct_spectrum_pick_twice(const struct ct_spectrum *spectrum, struct ct_random *random)
{
  uint32_t bin = ct_alias_pick(spectrum->twice, CT_SPECTRUM_BINS, ct_random_next(random));
  return CT_SPECTRUM_START_KEV + (bin + ct_random_unit(random)) * CT_SPECTRUM_STEP_KEV;
}
