/* Photons scattered twice, on the way from the beam to the camera that looks down on it. */
#include "sim/internal.h"

#include <math.h>

enum { POLAR = 150, AROUND = 300 };
#define PI 3.141592653589793
/* What the electrons' own motion makes of the sharp ends. */
#define DOPPLER_KEV 1.0

static double compton_keV(double e_keV, double cosine) { return e_keV / (1 + e_keV / CT_ELECTRON_KEV * (1 - cosine)); }

/* First scattering into (cosine along the beam, angle around it from the polarisation), then up. */
static void scatter(double cosine, double around, double *density)
{
  double sine = sqrt(1 - cosine * cosine), up = sine * sin(around);
  double once_keV = compton_keV(CT_SIM_E1_KEV, cosine), twice_keV = compton_keV(once_keV, up);
  double weight = ct_klein_nishina(CT_SIM_E1_KEV, acos(cosine), 1, around) * ct_klein_nishina(once_keV, acos(up), 0, 0);
  int bin = (int)((twice_keV - CT_SPECTRUM_START_KEV) / CT_SPECTRUM_STEP_KEV);
  if (bin >= 0 && bin < CT_SPECTRUM_BINS) density[bin] += weight;
}

void ct_twice_density(double density[CT_SPECTRUM_BINS])
{
  double sharp[CT_SPECTRUM_BINS] = { 0 }, sum = 0;
  for (int i = 0; i < POLAR; i++)
    for (int j = 0; j < AROUND; j++) scatter(2 * (i + 0.5) / POLAR - 1, 2 * PI * (j + 0.5) / AROUND, sharp);
  const int reach = (int)(5 * DOPPLER_KEV / CT_SPECTRUM_STEP_KEV);
  for (int i = 0; i < CT_SPECTRUM_BINS; i++) {
    density[i] = 0;
    for (int j = i > reach ? i - reach : 0; j <= i + reach && j < CT_SPECTRUM_BINS; j++) {
      double off = (j - i) * CT_SPECTRUM_STEP_KEV / DOPPLER_KEV;
      if (sharp[j] > 0) density[i] += sharp[j] * exp(-off * off / 2);
    }
    sum += density[i];
  }
  for (int i = 0; i < CT_SPECTRUM_BINS; i++) density[i] /= sum;
}
