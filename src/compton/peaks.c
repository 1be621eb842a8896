/* Where the Compton peak lies at each angle, and what that says about the geometry. */
#include "compton/internal.h"

#include <math.h>
#include <string.h>

/* The peak is looked at within this of its middle, a.u., and needs so many counts there. */
static const double reach_pz = 2, least_counts = 200;
enum { STEPS = 40, WHOLE_STEPS = 8, BOX_BINS = 5, LEAST_GROUPS = 5 };

/* The bins where the peaks can be: twice the configured spread of angles and two degrees more either way. */
struct range {
  uint32_t from, to;
};

static struct range search_range(const struct ct_compton *c)
{
  double theta0 = c->setup.geometry.theta_deg * M_PI / 180, spread = 0;
  for (uint32_t g = 0; g < c->n_groups; g++)
    spread = fmax(spread, fabs(c->groups[g].theta_rad - theta0));
  spread = 2 * spread + 2 * M_PI / 180;
  double low = ct_energy_(c, fmin(theta0 + spread, M_PI), 0), high = ct_energy_(c, fmax(theta0 - spread, 1e-3), 0);
  const struct ct_axis *axis = &c->setup.axis;
  double from = (low - axis->start_keV) / axis->width_keV, to = (high - axis->start_keV) / axis->width_keV;
  return (struct range){ (uint32_t)fmax(from, 0), (uint32_t)fmin(fmax(to, 0), axis->n) };
}

/* The middle of the box of bins with the most counts. */
static double highest_keV(const struct ct_compton *c, struct range range)
{
  uint64_t most = 0, sum = 0;
  uint32_t at = range.from;
  for (uint32_t bin = range.from; bin < range.to; bin++) {
    sum += c->total[bin];
    if (bin >= range.from + BOX_BINS)
      sum -= c->total[bin - BOX_BINS];
    if (sum > most) {
      most = sum;
      at = bin;
    }
  }
  return c->setup.axis.start_keV + ((double)at - BOX_BINS / 2.0 + 1) * c->setup.axis.width_keV;
}

double ct_compton_theta_of_rad(double e1_keV, double e2_keV)
{
  double omc = CT_ELECTRON_KEV * (1 / e2_keV - 1 / e1_keV);
  return omc >= 0 && omc <= 2 ? 2 * asin(sqrt(omc / 2)) : CT_NAN;
}

/* Moments of J(pz) around a trial peak: sums over |pz| < reach of J, pz J and pz^2 var(J); and J per a.u. at the two ends,
 * averaged over half an a.u. either way. */
struct moments {
  double zeroth, first, variance, edge;
};
static const double edge_pz = 0.5;

/* How much of [from, to] lies within [low, high], as a part of it. */
static double overlap(double from, double to, double low, double high)
{
  return fmax(0, fmin(to, high) - fmax(from, low)) / (to - from);
}

static struct moments moments_at(const struct ct_compton *c, double theta_rad)
{
  const struct ct_compton_setup *s = &c->setup;
  struct moments m = { 0 };
  double e1 = s->e1_keV, phi_rad = s->phi_deg * M_PI / 180, e0 = ct_energy_(c, theta_rad, 0);
  double f0 = ct_compton_cross_section(e1, e0, theta_rad, s->polarisation, phi_rad);
  double slope0 = ct_compton_dpz_dE(e1, e0, theta_rad), seen0 = c->seen[ct_edge_at_(&s->axis, e0).bin];
  uint32_t first = ct_edge_at_(&s->axis, ct_energy_(c, theta_rad, -reach_pz - edge_pz)).bin;
  uint32_t last = ct_edge_at_(&s->axis, ct_energy_(c, theta_rad, reach_pz + edge_pz)).bin;
  for (uint32_t bin = first; bin <= last; bin++) {
    double e = s->axis.start_keV + (bin + 0.5) * s->axis.width_keV;
    double pz = ct_compton_pz(e1, e, theta_rad), slope = ct_compton_dpz_dE(e1, e, theta_rad);
    double from = pz - slope * s->axis.width_keV / 2, to = pz + slope * s->axis.width_keV / 2;
    /* Counts are F J dE of which the sensor stops a part: left in, each would shift the peak by some 0.02 a.u. */
    double f = ct_compton_cross_section(e1, e, theta_rad, s->polarisation, phi_rad);
    double worth = slope / slope0 * f0 / f * (c->seen[bin] > 0 ? seen0 / c->seen[bin] : 0), counts = worth * (double)c->total[bin];
    double part = overlap(from, to, -reach_pz, reach_pz);
    double middle = (fmax(from, -reach_pz) + fmin(to, reach_pz)) / 2;
    m.zeroth += part * counts;
    m.first += part * middle * counts;
    m.variance += part * part * middle * middle * worth * counts;
    m.edge += (overlap(from, to, -reach_pz - edge_pz, edge_pz - reach_pz) +
               overlap(from, to, reach_pz - edge_pz, reach_pz + edge_pz)) * counts / (4 * edge_pz);
  }
  return m;
}

static bool inside(const struct ct_compton *c, double theta_rad)
{
  double from = ct_energy_(c, theta_rad, -reach_pz - edge_pz), to = ct_energy_(c, theta_rad, reach_pz + edge_pz);
  const struct ct_axis *axis = &c->setup.axis;
  return from >= axis->start_keV && to < axis->start_keV + (axis->n - 1) * axis->width_keV;
}

/* The symmetrical peak of c->total; false where there is none. */
static bool find_peak(const struct ct_compton *c, struct range range, double *e2_keV, double *sigma_keV)
{
  double e = highest_keV(c, range), e1 = c->setup.e1_keV;
  for (int step = 0; step < STEPS; step++) {
    double theta = ct_compton_theta_of_rad(e1, e);
    if (!(theta > 0) || !inside(c, theta))
      return false;
    struct moments m = moments_at(c, theta);
    /* The centroid of what lies within the reach follows the peak only as far as the peak stands out of its ends. */
    double firm = m.zeroth - 2 * reach_pz * m.edge, slope = ct_compton_dpz_dE(e1, e, theta);
    if (!(m.zeroth >= least_counts && firm > 0.1 * m.zeroth))
      return false;
    /* Noise at the ends can make whole steps jump to and fro. */
    double whole = fmin(fmax(m.first / firm, -1), 1) / slope;
    *sigma_keV = sqrt(m.variance) / firm / slope;
    *e2_keV = e += step < WHOLE_STEPS ? whole : whole / 2;
    if (fabs(whole) < 0.02 * *sigma_keV)
      return *sigma_keV < 1;
  }
  return false;
}

/* The selected pixels of one group, only where the peak can be. */
static void total_range(struct ct_compton *c, uint32_t group, const uint32_t *cube, const uint8_t *select, uint32_t from,
                        uint32_t to)
{
  memset(c->total + from, 0, (to - from) * sizeof *c->total);
  for (uint32_t k = 0; k < ct_group_pixels_(c); k++) {
    uint32_t pixel = ct_group_pixel_(c, group, k);
    const uint32_t *spectrum = cube + (size_t)pixel * c->setup.axis.n;
    for (uint32_t bin = from; bin < to && (select == NULL || select[pixel] != 0); bin++)
      c->total[bin] += spectrum[bin];
  }
}

uint32_t ct_compton_groups(const struct ct_compton *c)
{
  return c->n_groups;
}

double ct_compton_group_theta_rad(const struct ct_compton *c, uint32_t group)
{
  return c->groups[group].theta_rad;
}

void ct_compton_peaks(struct ct_compton *c, const uint32_t *cube, const uint8_t *select, double *e2_keV, double *sigma_keV)
{
  struct range range = search_range(c);
  /* The reach of a peak at either end of the range, generously: eq. 2 is steeper than 0.8 a.u./keV at any energy of use. */
  const struct ct_axis *axis = &c->setup.axis;
  uint32_t margin = (uint32_t)fmin(4 * reach_pz / axis->width_keV, axis->n);
  uint32_t from = range.from > margin ? range.from - margin : 0;
  uint32_t to = axis->n - range.to > margin ? range.to + margin : axis->n;
  memset(c->total, 0, axis->n * sizeof *c->total);
  for (uint32_t g = 0; g < c->n_groups; g++) {
    total_range(c, g, cube, select, from, to);
    if (!find_peak(c, range, &e2_keV[g], &sigma_keV[g]))
      e2_keV[g] = sigma_keV[g] = CT_NAN;
  }
}

/* ---- geometry ----------------------------------------------------------------------------------------------- */
/* tan(theta0 - theta) along the beam is a straight line over the columns: a + b (column - middle). */
struct line {
  double s, sx, sxx, sy, sxy, syy, middle;
  uint32_t n;
};

static struct line line_through(const struct ct_compton *c, const double *e2_keV, const double *sigma_keV)
{
  const struct ct_geometry *geometry = &c->setup.geometry;
  bool along_x = ct_compton_along_x_(geometry->beam);
  double theta0 = geometry->theta_deg * M_PI / 180;
  struct line line = { .middle = (c->n_groups - 1) / 2.0 };
  for (uint32_t g = 0; g < c->n_groups; g++) {
    double theta = ct_compton_theta_of_rad(c->setup.e1_keV, e2_keV[g]);
    if (!(isfinite(theta) && sigma_keV[g] > 0))
      continue;
    /* What the pixels beside the plane of the beam add to a column's mean angle, as configured: some 0.001 degrees. */
    double x = (double)g - line.middle;
    theta -= c->groups[g].theta_rad - ct_pixel_theta_rad_(geometry, along_x ? g : geometry->centre_x_px,
                                                          along_x ? geometry->centre_y_px : g);
    double y = tan(theta0 - theta);
    double dE = e2_keV[g] * e2_keV[g] / CT_ELECTRON_KEV * sin(theta);      /* |dE2/dtheta| */
    double sigma = sigma_keV[g] / dE * (1 + y * y), w = 1 / (sigma * sigma);
    line.s += w;
    line.sx += w * x;
    line.sxx += w * x * x;
    line.sy += w * y;
    line.sxy += w * x * y;
    line.syy += w * y * y;
    line.n++;
  }
  return line;
}

bool ct_compton_fit_geometry(const struct ct_compton *c, const double *e2_keV, const double *sigma_keV,
                             struct ct_geometry_fit *out)
{
  *out = (struct ct_geometry_fit){ .centre_px = CT_NAN, .centre_sigma_px = CT_NAN, .detector_mm = CT_NAN,
                                   .detector_sigma_mm = CT_NAN, .chi2 = CT_NAN };
  if (c->n_groups < LEAST_GROUPS)
    return false;
  struct line l = line_through(c, e2_keV, sigma_keV);
  double det = l.s * l.sxx - l.sx * l.sx;
  if (l.n < LEAST_GROUPS || !(det > 0))
    return false;
  double a = (l.sxx * l.sy - l.sx * l.sxy) / det, b = (l.s * l.sxy - l.sx * l.sy) / det;
  out->groups = l.n;
  out->chi2 = fmax(0, l.syy - a * l.sy - b * l.sxy);
  double worse = fmax(1, out->chi2 / (l.n - 2));
  double var_a = l.sxx / det * worse, var_b = l.s / det * worse, cov = -l.sx / det * worse;
  if (!(fabs(b) > 5 * sqrt(var_b)))
    return false;      /* no slope, no sign */
  double pitch_mm = c->setup.geometry.pitch_mm, x0 = -a / b;
  bool along_x = ct_compton_along_x_(c->setup.geometry.beam);
  out->beam = along_x ? (b > 0 ? CT_BEAM_PLUS_X : CT_BEAM_MINUS_X) : (b > 0 ? CT_BEAM_PLUS_Y : CT_BEAM_MINUS_Y);
  out->centre_px = l.middle + x0;
  out->centre_sigma_px = sqrt(fmax(0, var_a + 2 * x0 * cov + x0 * x0 * var_b)) / fabs(b);
  out->detector_mm = pitch_mm / fabs(b);
  out->detector_sigma_mm = out->detector_mm * sqrt(var_b) / fabs(b);
  return true;
}

unsigned ct_geometry_contradictions(const struct ct_geometry *g, const struct ct_geometry_fit *fit)
{
  double centre_px = ct_compton_along_x_(g->beam) ? g->centre_x_px : g->centre_y_px;
  double off_px = fabs(fit->centre_px - centre_px), off_mm = fabs(fit->detector_mm - g->detector_mm);
  unsigned bits = 0;
  if (fit->beam != g->beam)
    bits |= CT_WRONG_SIGN;
  if (off_px > 5 * fit->centre_sigma_px && off_px > 1)
    bits |= CT_WRONG_CENTRE;
  if (off_mm > 5 * fit->detector_sigma_mm && off_mm > 0.02 * g->detector_mm)
    bits |= CT_WRONG_DISTANCE;
  return bits;
}

void ct_geometry_take(struct ct_geometry *g, const struct ct_geometry_fit *fit)
{
  *(ct_compton_along_x_(g->beam) ? &g->centre_x_px : &g->centre_y_px) = fit->centre_px;
  g->beam = fit->beam;
  g->detector_mm = fit->detector_mm;
}
