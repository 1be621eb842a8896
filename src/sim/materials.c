/* Matter from xraylib: Schoonjans et al., Spectrochim. Acta B 66 (2011) 776. */
#include "sim/internal.h"

#include <math.h>

#include <xraylib.h>

enum { ATOMS = 4 };
struct atom {
  int z;
  double n;
};
/* A formula unit, its density in the sample, and elastic photons per Compton photon at 90 degrees with the polarisation
 * in the horizontal plane (form factors). The cathode's 2.6 g/cm3 include its fine pores; they are split between the
 * delithiated oxide and its lithium (97.28 g/mol together), because the number of formula units stays. */
struct material {
  struct atom atoms[ATOMS];
  double g_cm3, elastic;
};
static const struct material materials[CT_SIM_MATERIALS] = {
  [CT_SIM_STEEL] = { { { 26, 0.733 }, { 24, 0.191 }, { 28, 0.076 } }, 7.9, 0.028 },           /* SUS304 */
  [CT_SIM_GASKET] = { { { 6, 3 }, { 1, 6 } }, 0.9, 0 },                                       /* polypropylene */
  [CT_SIM_ELECTROLYTE] = { { { 6, 3 }, { 1, 4 }, { 8, 3 } }, 1.3, 0 },                        /* ethylene carbonate */
  [CT_SIM_LITHIUM] = { { { 3, 1 } }, 0.534, 0 },
  [CT_SIM_PTFE] = { { { 6, 2 }, { 9, 4 } }, 2.2, 0.0002 },
  [CT_SIM_CATHODE] = { { { 28, 0.8 }, { 25, 0.1 }, { 27, 0.1 }, { 8, 2 } }, 2.6 * 90.34 / 97.28, 0.019 },
  [CT_SIM_LITHIATION] = { { { 3, 1 } }, 2.6 * 6.94 / 97.28, 0 },
};

const char *ct_sim_source_word(enum ct_sim_source source)
{
  static const char *const words[] = {
#define X(name, word) word,
    CT_SIM_SOURCES_(X)
#undef X
  };
  return words[source];
}

double ct_material_density(enum ct_sim_source source)
{
  const struct material *m = &materials[source];
  double g_mol = 0;
  for (int i = 0; i < ATOMS && m->atoms[i].z; i++) g_mol += m->atoms[i].n * AtomicWeight(m->atoms[i].z, NULL);
  return m->g_cm3 / g_mol * 6.02214076e23;
}

double ct_material_elastic(enum ct_sim_source source) { return materials[source].elastic; }

double ct_material_profile(enum ct_sim_source source, enum ct_sim_lithiation lithiation, double pz)
{
  if (source >= CT_SIM_LINES) return 0;
  pz = fabs(pz);
  if (pz >= 100) return 0;   /* the tables end */
  if (source == CT_SIM_LITHIATION && lithiation != CT_SIM_FREE)
    return 2 * ComptonProfile_Partial(3, K_SHELL, pz, NULL) + ComptonProfile_Partial(8, L3_SHELL, pz, NULL);
  const struct material *m = &materials[source];
  double sum = 0;
  for (int i = 0; i < ATOMS && m->atoms[i].z; i++) sum += m->atoms[i].n * ComptonProfile(m->atoms[i].z, pz, NULL);
  return sum;
}

double ct_sim_profile(enum ct_sim_source source, double pz) { return ct_material_profile(source, CT_SIM_IONIC, pz); }

double ct_sim_attenuation(enum ct_sim_source source, double e_keV)
{
  if (source >= CT_SIM_LINES) return 0;
  const struct material *m = &materials[source];
  double per_formula = 0, g_mol = 0;
  for (int i = 0; i < ATOMS && m->atoms[i].z; i++) {
    double g = m->atoms[i].n * AtomicWeight(m->atoms[i].z, NULL);
    per_formula += g * CS_Total(m->atoms[i].z, e_keV, NULL);
    g_mol += g;
  }
  return m->g_cm3 * per_formula / g_mol;
}

double ct_sensor_efficiency(double e_keV)
{
  static const struct atom czt[] = { { 48, 0.9 }, { 30, 0.1 }, { 52, 1.0 } };
  double per_formula = 0, g_mol = 0;
  for (int i = 0; i < 3; i++) {
    double g = czt[i].n * AtomicWeight(czt[i].z, NULL);
    per_formula += g * CS_Total(czt[i].z, e_keV, NULL);
    g_mol += g;
  }
  return 1 - exp(-5.8 * per_formula / g_mol * 0.2);
}

uint32_t ct_shielding_lines(double e_keV[CT_SIM_LINES_MAX], double share[CT_SIM_LINES_MAX])
{
  static const int lines[] = { KL3_LINE, KL2_LINE, KM3_LINE, KM2_LINE, KN3_LINE, KN2_LINE };
  static const struct { int z; double share; } elements[] = { { 74, 0.025 }, { 82, 0.015 } };
  uint32_t n = 0;
  for (int i = 0; i < 2; i++) {
    for (int j = 0; j < 6; j++, n++) {
      e_keV[n] = LineEnergy(elements[i].z, lines[j], NULL);
      share[n] = elements[i].share * RadRate(elements[i].z, lines[j], NULL);
    }
  }
  return n;
}

uint32_t ct_nuclide_lines(enum ct_sim_sample sample, double e_keV[CT_SIM_LINES_MAX], double share[CT_SIM_LINES_MAX])
{
  struct radioNuclideData *nuclide = GetRadioNuclideDataByName(sample == CT_SIM_AM241 ? "241Am" : "57Co", NULL);
  if (!nuclide) return 0;
  uint32_t n = 0;
  for (int i = 0; i < nuclide->nXrays + nuclide->nGammas && n < CT_SIM_LINES_MAX; i++) {
    int gamma = i - nuclide->nXrays;
    double line_keV = gamma < 0 ? LineEnergy(nuclide->Z_xray, nuclide->XrayLines[i], NULL) : nuclide->GammaEnergies[gamma];
    if (line_keV < 5 || line_keV > 200) continue;
    e_keV[n] = line_keV;
    share[n++] = gamma < 0 ? nuclide->XrayIntensities[i] : nuclide->GammaIntensities[gamma];
  }
  FreeRadioNuclideData(nuclide);
  return n;
}
