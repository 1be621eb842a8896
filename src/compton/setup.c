#include "compton/internal.h"

#include <math.h>
#include <stdlib.h>

enum { BINS_MIN = 4, BINS_MAX = 100000, EDGE_MAX_PX = 4096, THETA_DOUBLE_MAX_DEG = 150 };

static double end_keV(const struct ct_axis *axis)
{
  return axis->start_keV + axis->n * axis->width_keV;
}

/* Both edges cut bins that have a neighbour on either side, as order 2 needs. */
static bool inside(const struct ct_axis *axis, double from_keV, double to_keV)
{
  return (from_keV - axis->start_keV) / axis->width_keV >= 1 &&
         (to_keV - axis->start_keV) / axis->width_keV < axis->n - 1.0;
}

static int check_axis(const struct ct_axis *axis, struct ct_err *err)
{
  if (axis->n < BINS_MIN || axis->n > BINS_MAX)
    return ct_err_set(err, CT_ERANGE, "bins: %u of them, not %d..%d", axis->n, BINS_MIN, BINS_MAX);
  if (!(axis->start_keV >= 0 && axis->width_keV > 0) || !isfinite(end_keV(axis)))
    return ct_err_set(err, CT_ERANGE, "bins start at %g keV with %g keV each: start below 0 or width not above 0",
                      axis->start_keV, axis->width_keV);
  return 0;
}

static int check_windows(const struct ct_compton_setup *s, struct ct_err *err)
{
  if (s->background == CT_BACKGROUND_NONE)
    return 0;
  if (s->background == CT_BACKGROUND_FLAT && s->n_windows != 1 && s->n_windows != 2)
    return ct_err_set(err, CT_ERANGE, "background flat needs 1 or 2 windows in background_keV, not %u", s->n_windows);
  if (s->background == CT_BACKGROUND_LINEAR && s->n_windows != 2)
    return ct_err_set(err, CT_ERANGE, "background linear needs 2 windows in background_keV, not %u", s->n_windows);
  for (uint32_t i = 0; i < s->n_windows; i++) {
    double from = s->windows_keV[i][0], to = s->windows_keV[i][1];
    if (!(to - from >= s->axis.width_keV))
      return ct_err_set(err, CT_ERANGE, "background_keV %g:%g is narrower than one bin (%g keV)", from, to,
                        s->axis.width_keV);
    if (!inside(&s->axis, from, to))
      return ct_err_set(err, CT_ERANGE, "background_keV %g:%g is outside the bins %g..%g keV (one bin to spare)", from,
                        to, s->axis.start_keV, end_keV(&s->axis));
  }
  const double (*w)[2] = s->windows_keV;
  if (s->n_windows == 2 && w[0][0] < w[1][1] && w[1][0] < w[0][1])
    return ct_err_set(err, CT_ERANGE, "background_keV %g:%g and %g:%g overlap", w[0][0], w[0][1], w[1][0], w[1][1]);
  return 0;
}

static int check_corrections(const struct ct_compton_setup *s, struct ct_err *err)
{
  if (!(s->polarisation >= 0 && s->polarisation <= 1))
    return ct_err_set(err, CT_ERANGE, "polarisation = %g: not within 0..1", s->polarisation);
  if (!isfinite(s->phi_deg))
    return ct_err_set(err, CT_ERANGE, "polarisation_deg = %g: not a number", s->phi_deg);
  if (s->n_layers > CT_LAYERS)
    return ct_err_set(err, CT_ERANGE, "absorption: %u layers, at most %d", s->n_layers, CT_LAYERS);
  if (!(s->double_scatter >= 0 && s->double_scatter < 1))
    return ct_err_set(err, CT_ERANGE, "double_scatter = %g: not within 0..1", s->double_scatter);
  if (!(s->energy_sigma_keV >= 0 && s->energy_sigma_keV <= 1))
    return ct_err_set(err, CT_ERANGE, "energy_sigma_keV = %g: not within 0..1", s->energy_sigma_keV);
  if (!(s->pixel_sigma_keV >= 0 && s->pixel_sigma_keV <= 1))
    return ct_err_set(err, CT_ERANGE, "pixel_sigma_keV = %g: not within 0..1", s->pixel_sigma_keV);
  if ((unsigned)s->normalisation > CT_NORMALISE_NONE)
    return ct_err_set(err, CT_ERANGE, "normalisation: none of peak, area, none");
  if (!isfinite(s->flat_exponent))
    return ct_err_set(err, CT_ERANGE, "flat_exponent = %g: not a number", s->flat_exponent);
  return 0;
}

static int check_setup(const struct ct_compton_setup *s, struct ct_err *err)
{
  if (!(s->e1_keV > 0 && isfinite(s->e1_keV)))
    return ct_err_set(err, CT_ERANGE, "e1_keV = %g: must be above 0", s->e1_keV);
  if (s->rows < 1 || s->cols < 1 || s->rows > EDGE_MAX_PX || s->cols > EDGE_MAX_PX)
    return ct_err_set(err, CT_ERANGE, "%u rows of %u columns: each must be 1..%d", s->rows, s->cols, EDGE_MAX_PX);
  if (!(s->p_low > 0 && s->p_high > s->p_low && isfinite(s->p_high)))
    return ct_err_set(err, CT_ERANGE, "p_low = %g, p_high = %g: need 0 < p_low < p_high", s->p_low, s->p_high);
  if (s->order != 1 && s->order != 2)
    return ct_err_set(err, CT_ERANGE, "order = %d: must be 1 or 2", s->order);
  if ((unsigned)s->background > CT_BACKGROUND_LINEAR)
    return ct_err_set(err, CT_ERANGE, "background: none of none, flat, linear");
  int rc = check_axis(&s->axis, err);
  if (rc == 0)
    rc = check_windows(s, err);
  return rc != 0 ? rc : check_corrections(s, err);
}

/* ---- groups -------------------------------------------------------------------------------------------- */

static bool groups_are_columns(const struct ct_compton *c)
{
  return ct_compton_along_x_(c->setup.geometry.beam);
}

uint32_t ct_group_pixels_(const struct ct_compton *c)
{
  return c->setup.rows * c->setup.cols / c->n_groups;
}

uint32_t ct_group_pixel_(const struct ct_compton *c, uint32_t group, uint32_t k)
{
  if (c->n_groups == 1)
    return k;
  return groups_are_columns(c) ? k * c->setup.cols + group : group * c->setup.cols + k;
}

uint32_t ct_group_of_(const struct ct_compton *c, uint32_t pixel)
{
  if (c->n_groups == 1)
    return 0;
  return groups_are_columns(c) ? pixel % c->setup.cols : pixel / c->setup.cols;
}

double ct_compton_theta_rad(const struct ct_compton *c, uint32_t pixel)
{
  return c->groups[ct_group_of_(c, pixel)].theta_rad;
}

static int find_thetas(struct ct_compton *c, struct ct_err *err)
{
  const struct ct_compton_setup *s = &c->setup;
  double *map = calloc((size_t)s->rows * s->cols, sizeof *map);
  if (map == NULL)
    return ct_err_set(err, CT_ENOMEM, "no memory for the theta map of %u x %u pixels", s->rows, s->cols);
  int rc = ct_compton_theta_map(&s->geometry, s->rows, s->cols, map, err);
  uint32_t members = ct_group_pixels_(c);
  for (uint32_t g = 0; rc == 0 && g < c->n_groups; g++) {
    double first = map[ct_group_pixel_(c, g, 0)], sum = 0;
    /* As differences from the first, so that the mean of equal angles is that angle. */
    for (uint32_t k = 1; k < members; k++)
      sum += map[ct_group_pixel_(c, g, k)] - first;
    c->groups[g].theta_rad = first + sum / members;
  }
  free(map);
  return rc;
}

static double energy(const struct ct_compton *c, uint32_t group, double pz)
{
  return ct_energy_(c, c->groups[group].theta_rad, pz);
}

/* "column 3 (theta 93.26 deg)" */
struct where {
  const char *word;
  double theta_deg;
};

static struct where where_is(const struct ct_compton *c, uint32_t group)
{
  return (struct where){ groups_are_columns(c) ? "column" : "row", c->groups[group].theta_rad * 180 / M_PI };
}

static int check_group(const struct ct_compton *c, uint32_t group, struct ct_err *err)
{
  const struct ct_compton_setup *s = &c->setup;
  struct where at = where_is(c, group);
  /* At least the middle cell of the profile has to fit, however small p_high is. */
  double reach = fmax(s->p_high, s->double_scatter > 0 ? CT_PEAK_PZ : CT_PROFILE_STEP / 2);
  double from = energy(c, group, -reach), to = energy(c, group, reach);
  if (isnan(from) || isnan(to))
    return ct_err_set(err, CT_ERANGE, "p_high = %g a.u. is beyond any energy at %s %u (theta %.2f deg)", reach,
                      at.word, group, at.theta_deg);
  if (!inside(&s->axis, from, to))
    return ct_err_set(err, CT_ERANGE, "pz %g..%g at %s %u (theta %.2f deg) is %.2f..%.2f keV, outside the bins "
                      "%g..%g keV (one bin to spare); widen bins or lower p_high",
                      -reach, reach, at.word, group, at.theta_deg, from, to, s->axis.start_keV,
                      end_keV(&s->axis));
  double edges[] = { -s->p_high, -s->p_low, 0, s->p_low, s->p_high };
  for (size_t i = 1; i < sizeof edges / sizeof *edges; i++) {
    double a = energy(c, group, edges[i - 1]), b = energy(c, group, edges[i]);
    if (!(b - a >= s->axis.width_keV))
      return ct_err_set(err, CT_ERANGE, "pz %g..%g at %s %u (theta %.2f deg) is %.3f..%.3f keV, less than one bin "
                        "(%g keV); use narrower bins or wider windows",
                        edges[i - 1], edges[i], at.word, group, at.theta_deg, a, b, s->axis.width_keV);
  }
  if (s->double_scatter > 0 && !(at.theta_deg <= THETA_DOUBLE_MAX_DEG))
    return ct_err_set(err, CT_ERANGE, "double_scatter: its range shrinks to nothing near 180 deg; %s %u is at theta %.2f deg, "
                      "not below %d", at.word, group, at.theta_deg, THETA_DOUBLE_MAX_DEG);
  for (uint32_t i = 0; s->background != CT_BACKGROUND_NONE && i < s->n_windows; i++) {
    if (s->windows_keV[i][0] < to && s->windows_keV[i][1] > from)
      return ct_err_set(err, CT_ERANGE, "background_keV %g:%g overlaps pz %g..%g at %s %u (theta %.2f deg), which is "
                        "%.2f..%.2f keV",
                        s->windows_keV[i][0], s->windows_keV[i][1], -reach, reach, at.word, group, at.theta_deg, from,
                        to);
  }
  return 0;
}

/* ---- weights ------------------------------------------------------------------------------------------- */

static int make_matter(struct ct_compton *c, struct ct_err *err)
{
  const struct ct_compton_setup *s = &c->setup;
  bool known = s->efficiency || s->sensor.formula[0] != '\0';
  int rc = known ? ct_matter_init_(&c->sensor, &s->sensor, "sensor", err) : 0;
  for (uint32_t i = 0; rc == 0 && i < s->n_layers; i++)
    rc = ct_matter_init_(&c->layers[i], &s->layers[i], "absorption", err);
  c->seen = calloc(s->axis.n, sizeof *c->seen);
  if (rc == 0 && c->seen == NULL)
    rc = ct_err_set(err, CT_ENOMEM, "no memory for %u bins", s->axis.n);
  for (uint32_t bin = 0; rc == 0 && bin < s->axis.n; bin++)
    c->seen[bin] = ct_seen_(c, s->axis.start_keV + (bin + 0.5) * s->axis.width_keV);
  return rc;
}

static void place_channels(struct ct_compton *c)
{
  const struct ct_compton_setup *s = &c->setup;
  c->n_windows = s->background == CT_BACKGROUND_NONE ? 0 : s->background == CT_BACKGROUND_LINEAR ? 2 : 1;
  c->n_channels = c->n_windows + (s->double_scatter > 0);
  for (uint32_t i = 0; i < c->n_windows; i++)
    c->window_centre_keV[i] = (s->windows_keV[i][0] + s->windows_keV[i][1]) / 2;
}

/* The largest symmetrical grid whose cells lie inside the bins for every theta. */
static uint32_t profile_points(const struct ct_compton *c)
{
  uint32_t half = (CT_PROFILE_POINTS - 1) / 2;
  for (uint32_t g = 0; g < c->n_groups; g++) {
    for (; half > 0; half--) {
      double from = energy(c, g, -(half + 0.5) * CT_PROFILE_STEP), to = energy(c, g, (half + 0.5) * CT_PROFILE_STEP);
      if (inside(&c->setup.axis, from, to))
        break;
    }
  }
  return 2 * half + 1;
}

/* Order 2 looks one bin beyond an edge, the slopes move the windows by another. */
static void widen(struct ct_group *group, const struct ct_axis *axis, double from_keV, double to_keV)
{
  uint32_t first = ct_edge_at_(axis, from_keV).bin, last = ct_edge_at_(axis, to_keV).bin;
  uint32_t lo = first > 2 ? first - 2 : 0, hi = last + 3 < axis->n ? last + 3 : axis->n;
  if (lo < group->lo)
    group->lo = lo;
  if (hi > group->hi)
    group->hi = hi;
}

static int make_group(struct ct_compton *c, uint32_t index)
{
  const struct ct_compton_setup *s = &c->setup;
  struct ct_group *group = &c->groups[index];
  /* What bins are worth is asked as far as the grid of the profile reaches. */
  double grid = fmax(s->p_high, (c->n_points / 2 + 0.5) * CT_PROFILE_STEP);
  group->lo = s->axis.n;
  widen(group, &s->axis, energy(c, index, -grid), energy(c, index, grid));
  for (uint32_t i = 0; c->n_windows > 0 && i < s->n_windows; i++)
    widen(group, &s->axis, s->windows_keV[i][0], s->windows_keV[i][1]);
  for (uint32_t i = 0; i < c->n_channels; i++)
    if ((group->mean[i] = calloc(s->axis.n, sizeof *group->mean[i])) == NULL)
      return CT_ENOMEM;
  group->worth = calloc(s->axis.n, sizeof *group->worth);
  group->cells_keV = calloc(c->n_points + 1, sizeof *group->cells_keV);
  if (group->worth == NULL || group->cells_keV == NULL)
    return CT_ENOMEM;
  for (uint32_t j = 0; j <= c->n_points; j++)
    group->cells_keV[j] = energy(c, index, ((double)j - c->n_points / 2.0) * CT_PROFILE_STEP);
  return ct_group_weights_(c, group);
}

static int make_weights(struct ct_compton *c)
{
  int rc = 0;
  c->n_points = profile_points(c);
  for (uint32_t g = 0; rc == 0 && g < c->n_groups; g++)
    rc = make_group(c, g);
  return rc;
}

int ct_compton_new(struct ct_compton **out, const struct ct_compton_setup *setup, struct ct_err *err)
{
  *out = NULL;
  int rc = check_setup(setup, err);
  if (rc != 0)
    return rc;
  struct ct_compton *c = calloc(1, sizeof *c);
  if (c == NULL)
    return ct_err_set(err, CT_ENOMEM, "no memory for the analysis");
  c->setup = *setup;
  c->sum_terms = ct_best_sum_terms_();
  bool columns = ct_compton_along_x_(setup->geometry.beam);
  uint32_t n_groups = !setup->geometry.theta_map ? 1 : columns ? setup->cols : setup->rows;
  c->n_groups = n_groups;
  c->groups = calloc(n_groups, sizeof *c->groups);
  c->total = calloc(setup->axis.n, sizeof *c->total);
  if (c->groups == NULL || c->total == NULL) {
    rc = ct_err_set(err, CT_ENOMEM, "no memory for %u thetas of %u bins", n_groups, setup->axis.n);
    goto out;
  }
  rc = make_matter(c, err);
  place_channels(c);
  if (rc == 0)
    rc = find_thetas(c, err);
  for (uint32_t g = 0; rc == 0 && g < n_groups; g++)
    rc = check_group(c, g, err);
  if (rc != 0)
    goto out;
  rc = make_weights(c);
  if (rc != 0)
    ct_err_set(err, rc, "no memory for the weights of %u thetas", n_groups);
out:
  if (rc == 0)
    *out = c;
  else
    ct_compton_free(c);
  return rc;
}

void ct_compton_free(struct ct_compton *c)
{
  if (c == NULL)
    return;
  for (uint32_t g = 0; c->groups != NULL && g < c->n_groups; g++) {
    ct_runs_free_(&c->groups[g].terms);
    ct_runs_free_(&c->groups[g].slopes);
    for (int i = 0; i < CT_CHANNELS; i++)
      free(c->groups[g].mean[i]);
    free(c->groups[g].worth);
    free(c->groups[g].cells_keV);
  }
  free(c->groups);
  free(c->seen);
  free(c->flat);
  free(c->reference);
  free(c->made);
  free(c->covariance);
  free(c->total);
  free(c);
}
