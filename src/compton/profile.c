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

/* The cells of one group, placed in the bins, with their shares of the background. */
struct cells {
  struct ct_edge edge[CT_PROFILE_POINTS + 1];
  double share[CT_PROFILE_POINTS][CT_CHANNELS];
};

static void place_cells(const struct ct_compton *c, const struct ct_group *group, struct cells *cells)
{
  const double *e = group->cells_keV;
  for (uint32_t j = 0; j <= c->n_points; j++)
    cells->edge[j] = ct_edge_at_(&c->setup.axis, e[j]);
  for (uint32_t j = 0; j < c->n_points; j++) {
    double worth = group->worth[ct_edge_at_(&c->setup.axis, (e[j] + e[j + 1]) / 2).bin];
    ct_background_share_(c, group->theta_rad, e[j], e[j + 1], cells->share[j]);
    for (uint32_t i = 0; i < c->n_channels; i++)
      cells->share[j][i] *= worth;
  }
}

/* What a count in <bin> adds to cell <j> before background. */
static double cell_weight(const struct ct_compton *c, const struct ct_group *group, const struct cells *cells, uint32_t j,
                          uint32_t bin)
{
  int order = c->setup.order;
  return (ct_edge_weight_(&cells->edge[j + 1], order, bin) - ct_edge_weight_(&cells->edge[j], order, bin)) * group->worth[bin];
}

/* Covariance of the counts of two cells before background; j <= k. */
static double shared(const struct ct_compton *c, const struct ct_group *group, const struct cells *cells, uint32_t j, uint32_t k)
{
  double sum = 0;
  for (uint32_t bin = cells->edge[k].bin - 1; bin <= cells->edge[j + 1].bin + 1; bin++)
    sum += cell_weight(c, group, cells, j, bin) * cell_weight(c, group, cells, k, bin) * (double)c->total[bin];
  return sum;
}

/* Counts of a cell, and what they share with each channel of the background: cells may reach into its windows. */
static double cell_counts(const struct ct_compton *c, const struct ct_group *group, const struct cells *cells, uint32_t j,
                          double with[CT_CHANNELS])
{
  double counts = 0;
  memset(with, 0, CT_CHANNELS * sizeof *with);
  for (uint32_t bin = cells->edge[j].bin - 1; bin <= cells->edge[j + 1].bin + 1; bin++) {
    double part = cell_weight(c, group, cells, j, bin) * (double)c->total[bin];
    counts += part;
    for (uint32_t i = 0; i < c->n_channels; i++)
      with[i] += part * group->mean[i][bin];
  }
  return counts;
}

/* Covariance of two cells that comes with the background. */
static double background_part(const struct ct_compton *c, const struct background *b, const double *share_j,
                              const double *share_k, const double *with_j, const double *with_k)
{
  double sum = 0;
  for (uint32_t i = 0; i < c->n_channels; i++) {
    sum -= share_j[i] * with_k[i] + share_k[i] * with_j[i];
    for (uint32_t l = 0; l < c->n_channels; l++)
      sum += share_j[i] * share_k[l] * b->cov[i][l];
  }
  return sum;
}

/* Adds the net counts of c->total in every cell, their variances, and with a reference their covariances. */
static void add_group(struct ct_compton *c, const struct ct_group *group, double *counts, double *variance)
{
  struct cells cells;
  double with[CT_PROFILE_POINTS][CT_CHANNELS];
  uint32_t n = c->n_points;
  struct background b = background_of(c, group);
  place_cells(c, group, &cells);
  for (uint32_t j = 0; j < n; j++) {
    counts[j] += cell_counts(c, group, &cells, j, with[j]);
    for (uint32_t i = 0; i < c->n_channels; i++)
      counts[j] -= cells.share[j][i] * b.density[i];
    variance[j] += shared(c, group, &cells, j, j) +
                   background_part(c, &b, cells.share[j], cells.share[j], with[j], with[j]);
  }
  for (uint32_t j = 0; c->reference != NULL && j < n; j++)
    for (uint32_t k = j; k < n; k++) {
      double cov = background_part(c, &b, cells.share[j], cells.share[k], with[j], with[k]);
      if (cells.edge[k].bin <= cells.edge[j + 1].bin + 2)
        cov += shared(c, group, &cells, j, k);
      c->covariance[(size_t)j * n + k] += cov;
      if (k > j)
        c->covariance[(size_t)k * n + j] += cov;
    }
}

/* J of one count; NaN where there is nothing to normalise by. */
static double j_per_count(const struct ct_compton *c, const double *counts)
{
  uint32_t n = c->n_points;
  double area = 0;
  for (uint32_t j = 0; j < n; j++)
    if (fabs((double)j - n / 2) * CT_PROFILE_STEP < c->setup.p_high)
      area += counts[j];
  if (!(counts[n / 2] > 0 && area > 0))
    return CT_NAN;
  switch (c->setup.normalisation) {
  case CT_NORMALISE_AREA: return 1 / (area * CT_PROFILE_STEP);
  case CT_NORMALISE_NONE: return 1 / CT_PROFILE_STEP;
  case CT_NORMALISE_PEAK: break;
  }
  return 1 / counts[n / 2];
}

static void normalise(struct ct_compton *c, double *J, double *sigma, double *norm)
{
  uint32_t n = c->n_points;
  *norm = J[n / 2] / CT_PROFILE_STEP;
  c->per_count = j_per_count(c, J);
  for (uint32_t j = 0; j < n; j++) {
    J[j] *= c->per_count;
    sigma[j] = sqrt(fmax(0, sigma[j])) * c->per_count;
  }
  if (c->setup.normalisation == CT_NORMALISE_PEAK && isfinite(J[n / 2]))
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
  if (c->reference != NULL)
    memset(c->covariance, 0, (size_t)n * n * sizeof *c->covariance);
  for (uint32_t g = 0; g < c->n_groups; g++)
    if (total_group(c, g, cube, select))
      add_group(c, &c->groups[g], J, sigma);
  if (c->reference != NULL)
    memcpy(c->made, J, n * sizeof *J);
  normalise(c, J, sigma, norm);
}
