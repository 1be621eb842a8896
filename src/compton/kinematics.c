#include "compton/internal.h"

#include <math.h>

/* r_e^2 in barn, r_e = 2.8179403262e-15 m (CODATA 2018). */
#define RADIUS2_BARN (2.8179403262 * 2.8179403262 * 1e-2)

static bool possible(double e1_keV, double e2_keV, double theta_rad)
{
  return e1_keV > 0 && e2_keV > 0 && isfinite(e1_keV) && isfinite(e2_keV) && theta_rad > 0 && theta_rad <= M_PI;
}

/* 1 - cos(theta) without cancellation at small angles. */
static double one_minus_cos(double theta_rad)
{
  double half = sin(theta_rad / 2);
  return 2 * half * half;
}

/* Length of the scattering vector, keV/c: sqrt(E1^2 + E2^2 - 2 E1 E2 cos). */
static double transfer_keV(double e1, double e2, double omc)
{
  return sqrt((e1 - e2) * (e1 - e2) + 2 * e1 * e2 * omc);
}

double ct_compton_pz(double e1_keV, double e2_keV, double theta_rad)
{
  if (!possible(e1_keV, e2_keV, theta_rad))
    return CT_NAN;
  double omc = one_minus_cos(theta_rad);
  return CT_AU_PER_MC * (e2_keV - e1_keV + e1_keV * e2_keV * omc / CT_ELECTRON_KEV) / transfer_keV(e1_keV, e2_keV, omc);
}

double ct_compton_e2_keV(double e1_keV, double theta_rad, double pz)
{
  if (!possible(e1_keV, e1_keV, theta_rad))
    return CT_NAN;
  double u = pz / CT_AU_PER_MC;
  double omc = one_minus_cos(theta_rad), c = cos(theta_rad), s = sin(theta_rad);
  double a = 1 + e1_keV / CT_ELECTRON_KEV * omc;
  if (!(u > -1 && u < a))
    return CT_NAN;
  double root = sqrt((a - 1) * (a - 1) + 2 * a * omc - u * u * s * s);
  /* The two roots' product is (1 - u^2)/(A^2 - u^2): of the two forms take the one that does not cancel. */
  if (u < 0)
    return e1_keV * (1 - u * u) / (a - u * u * c - u * root);
  return e1_keV * (a - u * u * c + u * root) / (a * a - u * u);
}

double ct_compton_dpz_dE(double e1_keV, double e2_keV, double theta_rad)
{
  if (!possible(e1_keV, e2_keV, theta_rad))
    return CT_NAN;
  double omc = one_minus_cos(theta_rad);
  double a = 1 + e1_keV / CT_ELECTRON_KEV * omc;
  double k = transfer_keV(e1_keV, e2_keV, omc);
  double top = e2_keV - e1_keV + e1_keV * e2_keV * omc / CT_ELECTRON_KEV;
  return CT_AU_PER_MC * (a / k - top * (e2_keV - e1_keV + e1_keV * omc) / (k * k * k));
}

/* sqrt(1/4 + mc2^2 / (2 E1 E2 (1-cos))) */
static double holm_root(double e1, double e2, double omc)
{
  return sqrt(0.25 + CT_ELECTRON_KEV * CT_ELECTRON_KEV / (2 * e1 * e2 * omc));
}

double ct_compton_pz_exact(double e1_keV, double e2_keV, double theta_rad)
{
  if (!possible(e1_keV, e2_keV, theta_rad))
    return CT_NAN;
  double omc = one_minus_cos(theta_rad);
  double p_keV = transfer_keV(e1_keV, e2_keV, omc) / 2 - (e1_keV - e2_keV) * holm_root(e1_keV, e2_keV, omc);
  return CT_AU_PER_MC * p_keV / CT_ELECTRON_KEV;
}

double ct_dpz_dE_exact_(double e1, double e2, double theta_rad)
{
  double omc = one_minus_cos(theta_rad), root = holm_root(e1, e2, omc);
  double slope = (e2 - e1 + e1 * omc) / (2 * transfer_keV(e1, e2, omc)) + root +
                 (e1 - e2) * CT_ELECTRON_KEV * CT_ELECTRON_KEV / (4 * e1 * e2 * e2 * omc * root);
  return CT_AU_PER_MC * slope / CT_ELECTRON_KEV;
}

double ct_compton_e2_exact_keV(double e1_keV, double theta_rad, double pz)
{
  enum { DOUBLINGS = 60, STEPS = 100 };
  if (!possible(e1_keV, e1_keV, theta_rad) || !isfinite(pz))
    return CT_NAN;
  /* The exact pz rises with E2 from minus to plus infinity: bracket, then Newton, halving where it would leave. */
  double low = e1_keV, high = e1_keV;
  for (int i = 0; i < DOUBLINGS && ct_compton_pz_exact(e1_keV, low, theta_rad) > pz; i++)
    low /= 2;
  for (int i = 0; i < DOUBLINGS && ct_compton_pz_exact(e1_keV, high, theta_rad) < pz; i++)
    high *= 2;
  double e2 = ct_compton_e2_keV(e1_keV, theta_rad, pz);
  if (!(e2 >= low && e2 <= high))
    e2 = (low + high) / 2;
  for (int i = 0; i < STEPS; i++) {
    double miss = ct_compton_pz_exact(e1_keV, e2, theta_rad) - pz;
    if (miss > 0)
      high = e2;
    else
      low = e2;
    double next = e2 - miss / ct_dpz_dE_exact_(e1_keV, e2, theta_rad);
    if (!(next >= low && next <= high))
      next = (low + high) / 2;
    if (fabs(next - e2) <= 2e-16 * e2)
      return next;
    e2 = next;
  }
  return e2;
}

double ct_compton_cross_section(double e1_keV, double e2_keV, double theta_rad, double polarisation, double phi_rad)
{
  if (!possible(e1_keV, e2_keV, theta_rad))
    return CT_NAN;
  double m = CT_ELECTRON_KEV, e1 = e1_keV, e2 = e2_keV;
  double omc = one_minus_cos(theta_rad), k = transfer_keV(e1, e2, omc);
  double p = ct_compton_pz_exact(e1, e2, theta_rad) * m / CT_AU_PER_MC;
  double en = sqrt(m * m + p * p);
  double along = ((e1 - e2) * en - e1 * e2 * omc) / k;
  double r = e1 * (en - (e1 - e2 + e2 * omc) * along / k);
  double r2 = r - e1 * e2 * omc;
  double g = m * m * (1 / r2 - 1 / r);
  double sin2 = g * (2 - g);      /* sin^2(theta) as the moving electron sees it */
  double x = r / r2 + r2 / r - sin2 * (1 + polarisation * cos(2 * phi_rad));
  return RADIUS2_BARN / 2 * (m / en) * e2 / (e1 * k) * x * CT_AU_PER_MC;
}

double ct_klein_nishina(double e1_keV, double theta_rad, double polarisation, double phi_rad)
{
  if (!possible(e1_keV, e1_keV, theta_rad))
    return CT_NAN;
  double ratio = 1 / (1 + e1_keV / CT_ELECTRON_KEV * one_minus_cos(theta_rad));
  double s = sin(theta_rad);
  double x = ratio + 1 / ratio - s * s * (1 + polarisation * cos(2 * phi_rad));
  return RADIUS2_BARN / 2 * ratio * ratio * x;
}
