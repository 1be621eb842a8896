#include "sim/internal.h"

#include <math.h>

/* compton.md's detector model: 2 mm of CdZnTe, 250 um pitch, hits above 5 keV. */
void ct_response_shares(double e_keV, double share[4])
{
  static const double at_keV[] = { 59.5, 93.6, 114.6 };
  static const double up_to[][3] = { { 0.52, 0.92, 0.98 }, { 0.46, 0.89, 0.97 }, { 0.43, 0.885, 0.965 } };
  int i = e_keV < at_keV[1] ? 0 : 1;
  double f = fmin(fmax((e_keV - at_keV[i]) / (at_keV[i + 1] - at_keV[i]), 0), 1), below = 0;
  for (int j = 0; j < 3; j++) {
    double up = up_to[i][j] + f * (up_to[i + 1][j] - up_to[i][j]);
    share[j] = up - below;
    below = up;
  }
  share[3] = 1 - below;
}

double ct_response_sigma_keV(const struct ct_sim_effects *effects, double e_keV, unsigned n)
{
  double statistics = effects->statistics ? CT_SIM_STATISTICS_KEV * sqrt(e_keV / 93.6) : 0;
  double noise = effects->noise ? CT_SIM_NOISE_KEV : 0;
  return sqrt(statistics * statistics + n * noise * noise) / CT_SIM_FWHM_PER_SIGMA;
}

/* Without any width a photon is anywhere in its bin of the spectrum. */
static double below(double edge_keV, double e_keV, double sigma_keV)
{
  if (sigma_keV == 0) return fmin(fmax((edge_keV - e_keV) / CT_SPECTRUM_STEP_KEV + 0.5, 0), 1);
  return 0.5 * erfc((e_keV - edge_keV) / sigma_keV / sqrt(2));
}

struct ct_windows ct_response_windows(const struct ct_sim_effects *effects, double e_keV, const double edges_keV[4])
{
  struct ct_windows found = { 0, 0 };
  double share[4] = { 1, 0, 0, 0 };
  if (effects->sharing != CT_SIM_SHARING_OFF) ct_response_shares(e_keV, share);
  for (unsigned n = 1; n <= 2; n++) {
    double sigma_keV = ct_response_sigma_keV(effects, e_keV, n), up_to[4];
    if (e_keV < edges_keV[0] - 8 * sigma_keV - 1 || e_keV > edges_keV[3] + 8 * sigma_keV + 1) continue;
    for (int i = 0; i < 4; i++) up_to[i] = below(edges_keV[i], e_keV, sigma_keV);
    found.low += share[n - 1] * (up_to[2] - up_to[1]);
    found.high += share[n - 1] * (up_to[1] - up_to[0] + up_to[3] - up_to[2]);
  }
  return found;
}
