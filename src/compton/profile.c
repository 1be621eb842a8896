#include "compton/internal.h"

#include <math.h>
#include <string.h>

uint32_t ct_compton_profile_points(const struct ct_compton *c)
{
  return c->n_points;
}

/* The group's selected pixels summed into c->total; false when there is none. */
static bool total_group(struct ct_compton *c, uint32_t group, const uint32_t *cube, const uint8_t *select)
{
  uint32_t members = ct_group_pixels_(c), n = c->setup.axis.n;
  bool any = false;
  memset(c->total, 0, n * sizeof *c->total);
  for (uint32_t k = 0; k < members; k++) {
    uint32_t pixel = ct_group_pixel_(c, group, k);
    if (select != NULL && select[pixel] == 0)
      continue;
    any = true;
    const uint32_t *spectrum = cube + (size_t)pixel * n;
    for (uint32_t bin = 0; bin < n; bin++)
      c->total[bin] += spectrum[bin];
  }
  return any;
}

/* Mean background densities of c->total and their covariance. */
struct background {
  double density[CT_CHANNELS];
  double cov[CT_CHANNELS][CT_CHANNELS];
};

static struct background background_of(const struct ct_compton *c, const struct ct_group *group)
{
  struct background b = { 0 };
  for (uint32_t i = 0; i < c->n_channels; i++) {
    for (uint32_t bin = 0; bin < c->setup.axis.n; bin++) {
      b.density[i] += group->mean[i][bin] * (double)c->total[bin];
      for (uint32_t j = 0; j < c->n_channels; j++)
        b.cov[i][j] += group->mean[i][bin] * group->mean[j][bin] * (double)c->total[bin];
    }
  }
  return b;
}

/* Net counts between two energies and their variance, added to *counts and *variance. */
static void add_cell(const struct ct_compton *c, const struct ct_group *group, const struct background *b, double from_keV,
                     double to_keV, double *counts, double *variance)
{
  int order = c->setup.order;
  struct ct_edge from = ct_edge_at_(&c->setup.axis, from_keV), to = ct_edge_at_(&c->setup.axis, to_keV);
  double share[CT_CHANNELS];
  ct_background_share_(c, group->theta_rad, from_keV, to_keV, share);
  for (uint32_t i = 0; i < c->n_channels; i++)
    share[i] *= group->worth[ct_edge_at_(&c->setup.axis, (from_keV + to_keV) / 2).bin];
  for (uint32_t bin = from.bin - 1; bin <= to.bin + 1; bin++) {
    double w = (ct_edge_weight_(&to, order, bin) - ct_edge_weight_(&from, order, bin)) * group->worth[bin];
    double both = 0;      /* the background's weight in the same bin: profile cells may reach into its windows */
    for (uint32_t i = 0; i < c->n_channels; i++)
      both += share[i] * group->mean[i][bin];
    *counts += w * (double)c->total[bin];
    *variance += (w * w - 2 * w * both) * (double)c->total[bin];
  }
  for (uint32_t i = 0; i < c->n_channels; i++) {
    *counts -= share[i] * b->density[i];
    for (uint32_t j = 0; j < c->n_channels; j++)
      *variance += share[i] * share[j] * b->cov[i][j];
  }
}

static void normalise(uint32_t n, double *J, double *sigma, double *norm)
{
  double centre = J[n / 2];
  *norm = centre / CT_PROFILE_STEP;
  double scale = CT_NAN;
  if (centre > 0)
    scale = 1 / centre;
  for (uint32_t j = 0; j < n; j++) {
    J[j] *= scale;
    sigma[j] = sqrt(fmax(0, sigma[j])) * scale;
  }
  if (centre > 0)
    J[n / 2] = 1;
}

void ct_compton_profile(struct ct_compton *c, const uint32_t *cube, const uint8_t *select, double *pz, double *J,
                        double *sigma, double *norm)
{
  uint32_t n = c->n_points;
  for (uint32_t j = 0; j < n; j++) {
    pz[j] = ((double)j - n / 2) * CT_PROFILE_STEP;
    J[j] = sigma[j] = 0;      /* counts and variance until they are normalised */
  }
  for (uint32_t g = 0; g < c->n_groups; g++) {
    if (!total_group(c, g, cube, select))
      continue;
    const struct ct_group *group = &c->groups[g];
    struct background b = background_of(c, group);
    const double *edge_keV = group->cells_keV;
    for (uint32_t j = 0; j < n; j++)
      add_cell(c, group, &b, edge_keV[j], edge_keV[j + 1], &J[j], &sigma[j]);
  }
  normalise(n, J, sigma, norm);
}
