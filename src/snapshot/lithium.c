#include <comptop/snapshot.h>

#include <math.h>

void ct_lithium_x(const struct ct_lithium *line, double emf, double sigma, double *x, double *x_sigma)
{
  *x = *x_sigma = (double)NAN;
  if (line->references == 0 || !isfinite(emf) || !isfinite(sigma))
    return;
  double dx = (emf - line->emf0) / line->slope, tilt = dx * line->slope_sigma;
  *x = line->x0 + dx;
  *x_sigma = sqrt(sigma * sigma + line->emf0_sigma * line->emf0_sigma + tilt * tilt) / fabs(line->slope);
}
