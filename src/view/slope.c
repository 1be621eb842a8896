/* slope: whether the EMF changes, and how sure that is. */
#include "view/plot.h"

#include <math.h>

bool ct_trend_slope(const struct ct_trend_view *trend, double window_s, double *per_s, double *sigma_per_s)
{
  double w = 0, wt = 0, wy = 0, wtt = 0, wty = 0;
  unsigned n = 0;
  for (uint32_t i = 0; i < trend->head->n; i++) {
    double t = trend->t_s[i] - trend->t_s[0], y = trend->emf[i], weight = 1 / (trend->sigma[i] * trend->sigma[i]);
    if (!isfinite(t) || !isfinite(y) || !isfinite(weight))
      continue;
    w += weight;
    wt += weight * t;
    wy += weight * y;
    wtt += weight * t * t;
    wty += weight * t * y;
    n++;
  }
  double delta = w * wtt - wt * wt, shared = window_s / trend->head->interval_s;
  if (n < 3 || !(delta > 0) || !isfinite(shared))
    return false;
  *per_s = (w * wty - wt * wy) / delta;
  *sigma_per_s = sqrt(w / delta * fmax(shared, 1));
  return isfinite(*per_s) && isfinite(*sigma_per_s);
}
