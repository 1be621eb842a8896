/* Spectra of real materials for tests: free-atom Compton profiles of xraylib (Biggs, Mendelsohn, Mann 1975) turned into
 * spectra by the exact cross section, blurred by a Gaussian in energy, and integrated finely. */
#ifndef COMPTON_TEST_BIGGS_H
#define COMPTON_TEST_BIGGS_H

#include "common.h"

#include <xraylib/xraylib.h>

/* A grid fine enough that its sums are integrals: 0.01 keV, a twentieth of a bin. */
enum { FINE = 6000, PER_BIN = 20, BINS = 700 };
static const double fine_start_keV = 70, fine_width_keV = 0.01;

struct atoms {
  const char *name;
  struct { int Z; double n; } part[6];
  double metal_electrons, fermi;      /* free electrons a formula unit, and their Fermi momentum, a.u. */
  double raw, blurred_093, blurred_140;      /* EMF known for no blur, 0.93 and 1.40 keV FWHM */
};

/* The known values were computed with another program from the same profiles; EMF given to four (three) decimals. */
static const struct atoms materials[] = {
  { "Li", { { 3, 1 } }, 0, 0, 2.4543, 2.0892, 1.619 },
  { "Li metal", { { 0, 0 } }, 1, .589, 2.5508, 2.1228, 1.632 },
  { "Li0.2 NMC811", { { 3, .2 }, { 28, .8 }, { 25, .1 }, { 27, .1 }, { 8, 2 } }, 0, 0, 1.0056, .9156, .820 },
  { "Li1.0 NMC811", { { 3, 1. }, { 28, .8 }, { 25, .1 }, { 27, .1 }, { 8, 2 } }, 0, 0, 1.0563, .9594, .853 },
  { "PTFE", { { 6, 2 }, { 9, 4 } }, 0, 0, 1.4765, 1.2633, 1.079 },
  { "Al", { { 13, 1 } }, 0, 0, 1.1125, 1.0160, .889 },
  { "Fe", { { 26, 1 } }, 0, 0, .8021, .7587, .698 },
};
enum { N_MATERIALS = sizeof materials / sizeof *materials };

static inline double profile_of(const struct atoms *a, double pz)
{
  double p = fabs(pz), J = 0;
  for (int i = 0; i < 6 && a->part[i].Z != 0; i++)
    J += a->part[i].n * ComptonProfile(a->part[i].Z, p, NULL);
  if (a->metal_electrons > 0) {
    J += 2 * ComptonProfile_Partial(3, K_SHELL, p, NULL);
    if (p < a->fermi)
      J += a->metal_electrons * 3 / (4 * pow(a->fermi, 3)) * (a->fermi * a->fermi - p * p);
  }
  return J;
}

/* Counts of every fine cell; the peak of a 0.2 keV bin is some 10^7, so that rounding to whole counts does not matter. */
static inline void fine_spectrum(const struct atoms *a, double theta_rad, double fwhm_keV, double *counts)
{
  static double sharp[FINE];
  double top = 0;
  for (int i = 0; i < FINE; i++) {
    double e = fine_start_keV + (i + 0.5) * fine_width_keV;
    sharp[i] = profile_of(a, ct_compton_pz_exact(E1_KEV, e, theta_rad)) *
               ct_compton_cross_section(E1_KEV, e, theta_rad, 1, 90 * DEG);
    top = fmax(top, sharp[i]);
  }
  double sd = fwhm_keV / (2 * sqrt(2 * log(2))) / fine_width_keV;
  enum { KERNEL = 400 };
  double kernel[KERNEL + 1], area = 0;
  for (int k = 0; k <= KERNEL; k++) {
    kernel[k] = sd > 0 ? exp(-k * k / (2 * sd * sd)) : k == 0;
    area += k == 0 ? kernel[k] : 2 * kernel[k];
  }
  for (int i = 0; i < FINE; i++) {
    double sum = 0;
    for (int k = i < KERNEL ? -i : -KERNEL; k <= KERNEL && i + k < FINE; k++)
      sum += kernel[abs(k)] * sharp[i + k];
    counts[i] = sum / area * 1e6 / top;
  }
}

/* The integral from the grid's start to e, linear inside a fine cell. */
static inline double below(const double *counts, double e_keV)
{
  double position = (e_keV - fine_start_keV) / fine_width_keV, sum = 0;
  int whole = (int)position;
  for (int i = 0; i < whole; i++)
    sum += counts[i];
  return sum + (position - whole) * counts[whole];
}

/* L/H by fine integration between the energies where eq. 2 has -5, -1, 1, 5 (found by bisection). */
static inline double fine_emf(const double *counts, double theta_rad)
{
  static const double p[] = { -5, -1, 1, 5 };
  double n[4];
  for (int i = 0; i < 4; i++) {
    double low = 75, high = 114;
    for (int step = 0; step < 60; step++) {
      double e = (low + high) / 2;
      *(ct_compton_pz(E1_KEV, e, theta_rad) < p[i] ? &low : &high) = e;
    }
    n[i] = below(counts, low);
  }
  return (n[2] - n[1]) / (n[3] - n[2] + n[1] - n[0]);
}

static inline void rebin(const double *counts, uint32_t *spectrum)
{
  memset(spectrum, 0, BINS * sizeof *spectrum);
  for (int bin = 0; bin < FINE / PER_BIN; bin++) {
    double sum = 0;
    for (int k = 0; k < PER_BIN; k++)
      sum += counts[bin * PER_BIN + k];
    spectrum[350 + bin] = (uint32_t)llround(sum);      /* 70 keV is bin 350 */
  }
}

#endif
