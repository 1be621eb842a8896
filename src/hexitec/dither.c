/* Energies come in steps of one ADU, and bins of the spectra hold now one step more, now one less: with 0.03 keV a step and
 * 0.2 keV a bin six or seven, the same bins of a pixel in every frame. Spreading each energy evenly over its step takes
 * that away and broadens a line by a step/sqrt(12) in quadrature, which nobody sees. */
#include "hexitec/internal.h"

/* A number from 0 to 1 that frame and pixel decide, whoever analyses them and when: the finaliser of splitmix64 (Steele,
 * Lea, Flood, OOPSLA 2014). */
static float share_of(uint64_t frame, uint32_t pixel)
{
  uint64_t z = (frame ^ (uint64_t)pixel << 40) + UINT64_C(0x9e3779b97f4a7c15);
  z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
  z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
  return (float)((z ^ (z >> 31)) >> 40) * 0x1p-24f;
}

void ct_dither_(const struct ct_hexitec *h, uint64_t frame, struct ct_event *events, uint32_t n)
{
  for (uint32_t i = 0; i < n; i++)
    events[i].energy_keV += (share_of(frame, events[i].pixel) - 0.5f) * h->pixel[events[i].pixel].gradient_keV;
}
