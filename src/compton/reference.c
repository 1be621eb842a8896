/* A profile to compare with: free atoms out of a table, or an earlier measurement. */
#include "compton/internal.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include <xraylib.h>

/* ---- free atoms ---------------------------------------------------------------------------------------------- */
static const double fine_keV = 0.02, table_end_pz = 100, blur_sds = 5;

/* The spectrum of the formula at the nominal angle on a fine grid of energies. */
struct spectrum {
  double start_keV;
  size_t n;
  double *density, *blurred;
};

static double free_atoms(const struct compoundData *compound, double pz)
{
  double sum = 0;
  for (int i = 0; i < compound->nElements && fabs(pz) < table_end_pz; i++)
    sum += compound->nAtoms[i] * ComptonProfile(compound->Elements[i], fabs(pz), NULL);
  return sum;
}

static void fill_density(const struct ct_compton *c, const struct compoundData *compound, const struct ct_matter *sensor,
                         double theta_rad, struct spectrum *s)
{
  const struct ct_compton_setup *setup = &c->setup;
  for (size_t i = 0; i < s->n; i++) {
    double e = s->start_keV + ((double)i + 0.5) * fine_keV;
    double d = free_atoms(compound, ct_compton_pz_exact(setup->e1_keV, e, theta_rad)) *
               ct_compton_cross_section(setup->e1_keV, e, theta_rad, setup->polarisation, setup->phi_deg * M_PI / 180) *
               (1 - ct_matter_passage_(sensor, e));
    for (uint32_t k = 0; k < setup->n_layers; k++)
      d *= ct_matter_passage_(&c->layers[k], e);
    s->density[i] = d;
  }
}

static void blur(struct spectrum *s, double fwhm_keV)
{
  double sd = fwhm_keV / (2 * sqrt(2 * log(2))) / fine_keV;
  long reach = (long)ceil(blur_sds * sd), n = (long)s->n;
  for (long i = 0; i < n; i++) {
    double sum = 0, area = 0;
    for (long k = i < reach ? -i : -reach; k <= reach && i + k < n; k++) {
      double w = sd > 0 ? exp(-(double)(k * k) / (2 * sd * sd)) : 1;
      sum += w * s->density[i + k];
      area += w;
    }
    s->blurred[i] = sum / area;
  }
}

/* The integral over one cell of the profile, each energy with what a count is worth there. */
static double cell_integral(const struct ct_compton *c, const struct spectrum *s, double theta_rad, double from_keV,
                            double to_keV)
{
  double sum = 0;
  size_t first = (size_t)((from_keV - s->start_keV) / fine_keV), last = (size_t)((to_keV - s->start_keV) / fine_keV);
  for (size_t i = first; i <= last && i < s->n; i++) {
    double low = s->start_keV + (double)i * fine_keV;
    double part = fmin(low + fine_keV, to_keV) - fmax(low, from_keV);
    sum += part * s->blurred[i] * ct_worth_(c, theta_rad, low + fine_keV / 2);
  }
  return sum;
}

static int fill_reference(const struct ct_compton *c, const struct compoundData *compound, double fwhm_keV,
                          struct ct_reference *out, struct ct_err *err)
{
  enum { HALF = CT_PROFILE_POINTS / 2 };
  double theta = c->setup.geometry.theta_deg * M_PI / 180, room = blur_sds * fwhm_keV + 1;
  double from = ct_energy_(c, theta, -(HALF + 0.5) * CT_PROFILE_STEP) - room;
  double to = ct_energy_(c, theta, (HALF + 0.5) * CT_PROFILE_STEP) + room;
  struct spectrum s = { .start_keV = fmax(from, 1), .n = (size_t)((to - fmax(from, 1)) / fine_keV) };
  struct ct_matter sensor;
  int rc = ct_matter_init_(&sensor, &c->setup.sensor, "sensor", err);
  if (rc != 0)
    return rc;
  s.density = calloc(s.n, sizeof *s.density);
  s.blurred = calloc(s.n, sizeof *s.blurred);
  if (s.density == NULL || s.blurred == NULL) {
    rc = ct_err_set(err, CT_ENOMEM, "no memory for the reference");
  } else {
    fill_density(c, compound, &sensor, theta, &s);
    blur(&s, fwhm_keV);
    for (int j = 0; j < CT_PROFILE_POINTS; j++)
      out->J[j] = cell_integral(c, &s, theta, ct_energy_(c, theta, (j - HALF - 0.5) * CT_PROFILE_STEP),
                                ct_energy_(c, theta, (j - HALF + 0.5) * CT_PROFILE_STEP));
    for (int j = 0; j < CT_PROFILE_POINTS; j++)
      out->J[j] /= j == HALF ? 1 : out->J[HALF];
    out->J[HALF] = 1;
  }
  free(s.density);
  free(s.blurred);
  return rc;
}

int ct_reference_formula(struct ct_reference *out, const struct ct_compton *c, const char *formula, double fwhm_keV,
                         struct ct_err *err)
{
  memset(out, 0, sizeof *out);
  if (!(fwhm_keV >= 0 && fwhm_keV < 20))
    return ct_err_set(err, CT_ERANGE, "fwhm_keV = %g: not within 0..20", fwhm_keV);
  struct compoundData *compound = strlen(formula) < sizeof out->name ? ct_parse_formula_(formula) : NULL;
  if (compound == NULL)
    return ct_err_set(err, CT_EFORMAT, "%.60s: not a chemical formula", formula);
  memcpy(out->name, formula, strlen(formula));
  int rc = 0;
  for (int i = 0; i < compound->nElements && rc == 0; i++) {
    double edge_keV = EdgeEnergy(compound->Elements[i], K_SHELL, NULL);
    if (!(c->setup.e1_keV > edge_keV))
      rc = ct_err_set(err, CT_ERANGE, "%.60s: e1_keV = %g is below the K edge of element %d (%.2f keV), whose K electrons do "
                      "not scatter then", formula, c->setup.e1_keV, compound->Elements[i], edge_keV);
    else if (!(ComptonProfile(compound->Elements[i], 0, NULL) > 0))
      rc = ct_err_set(err, CT_ERANGE, "%.60s: no Compton profile of element %d is known", formula, compound->Elements[i]);
  }
  if (rc == 0)
    rc = fill_reference(c, compound, fwhm_keV, out, err);
  FreeCompoundData(compound);
  return rc;
}

/* ---- an earlier measurement ----------------------------------------------------------------------------------- */
int ct_reference_points(struct ct_reference *out, const char *name, size_t n, const double *points, struct ct_err *err)
{
  const int half = CT_PROFILE_POINTS / 2;
  memset(out, 0, sizeof *out);
  size_t length = strlen(name), skip = length >= sizeof out->name ? length - sizeof out->name + 1 : 0;
  memcpy(out->name, name + skip, length - skip);
  for (int j = 0; j < CT_PROFILE_POINTS; j++)
    out->J[j] = out->sigma[j] = CT_NAN;
  for (size_t i = 0; i < n; i++) {
    double pz = points[3 * i], J = points[3 * i + 1], sigma = points[3 * i + 2], at = pz / CT_PROFILE_STEP;
    if (!(fabs(at - round(at)) < 1e-6 && fabs(at) < half + 0.5))
      return ct_err_set(err, CT_EFORMAT, "pz = %g is not a multiple of %g within +-%g a.u.", pz, CT_PROFILE_STEP,
                        CT_PROFILE_MAX);
    if (!(isfinite(J) && sigma >= 0 && isfinite(sigma)))
      continue;
    out->J[half + (int)round(at)] = J;
    out->sigma[half + (int)round(at)] = sigma;
  }
  return out->J[half] > 0 ? 0 : ct_err_set(err, CT_EFORMAT, "J at pz = 0 is missing or not above 0");
}

int ct_compton_set_reference(struct ct_compton *c, const struct ct_reference *reference, struct ct_err *err)
{
  c->reference = malloc(sizeof *c->reference);
  c->made = calloc(c->n_points, sizeof *c->made);
  c->covariance = calloc((size_t)c->n_points * c->n_points, sizeof *c->covariance);
  if (c->reference == NULL || c->made == NULL || c->covariance == NULL)
    return ct_err_set(err, CT_ENOMEM, "no memory for a reference of %u points", c->n_points);
  *c->reference = *reference;
  return 0;
}

/* ---- comparison -------------------------------------------------------------------------------------------------- */
/* Cells put together until they are two bins wide: finer, their errors would be those of the same bins. */
enum { MERGED_MAX = CT_PROFILE_POINTS };
static const double counts_min = 10;

struct merged {
  uint32_t n;
  double y[MERGED_MAX], r[MERGED_MAX], cov[MERGED_MAX * MERGED_MAX];
};

static uint32_t cells_together(const struct ct_compton *c)
{
  const double *edge = c->groups[0].cells_keV + c->n_points / 2;
  uint32_t m = 1;
  while (m * (edge[1] - edge[0]) < 2 * c->setup.axis.width_keV)
    m += 2;
  return m;
}

/* The reference on the measurement's own grid. */
static double reference_at(const struct ct_compton *c, const double *values, uint32_t j)
{
  return values[CT_PROFILE_POINTS / 2 + j - c->n_points / 2];
}

/* Covariance of two cells with that of a measured reference, whose neighbours are taken to go together as ours do. */
static double covariance_of(const struct ct_compton *c, uint32_t j, uint32_t k, double scale)
{
  const double *cov = c->covariance;
  double own = cov[(size_t)j * c->n_points + k];
  double spread = sqrt(cov[(size_t)j * (c->n_points + 1)] * cov[(size_t)k * (c->n_points + 1)]);
  double theirs = reference_at(c, c->reference->sigma, j) * reference_at(c, c->reference->sigma, k);
  return spread > 0 ? own + scale * scale * theirs * own / spread : own;
}

static bool is_usable(const struct ct_compton *c, uint32_t first, uint32_t together)
{
  double counts = 0;
  for (uint32_t j = first; j < first + together; j++) {
    counts += c->made[j];
    if (!isfinite(reference_at(c, c->reference->J, j)))
      return false;
  }
  return counts >= counts_min;
}

static void merge(const struct ct_compton *c, double scale, struct merged *out)
{
  uint32_t together = cells_together(c), first[MERGED_MAX];
  /* A group is centred on pz = 0, and the others follow it either way. */
  uint32_t start = (c->n_points - together) / 2 % together;
  out->n = 0;
  for (uint32_t j = start; j + together <= c->n_points; j += together)
    if (is_usable(c, j, together))
      first[out->n++] = j;
  for (uint32_t a = 0; a < out->n; a++) {
    out->y[a] = out->r[a] = 0;
    for (uint32_t j = first[a]; j < first[a] + together; j++) {
      out->y[a] += c->made[j];
      out->r[a] += reference_at(c, c->reference->J, j);
    }
    for (uint32_t b = 0; b <= a; b++) {
      double sum = 0;
      for (uint32_t j = first[a]; j < first[a] + together; j++)
        for (uint32_t k = first[b]; k < first[b] + together; k++)
          sum += covariance_of(c, j, k, scale);
      out->cov[a * MERGED_MAX + b] = sum;
    }
  }
}

/* The lower Cholesky factor in place of the covariance; false where it is not positive definite. */
static bool factorise(struct merged *m)
{
  for (uint32_t i = 0; i < m->n; i++)
    for (uint32_t j = 0; j <= i; j++) {
      double sum = m->cov[i * MERGED_MAX + j];
      for (uint32_t k = 0; k < j; k++)
        sum -= m->cov[i * MERGED_MAX + k] * m->cov[j * MERGED_MAX + k];
      if (i == j && !(sum > 0))
        return false;
      m->cov[i * MERGED_MAX + j] = i == j ? sqrt(sum) : sum / m->cov[j * MERGED_MAX + j];
    }
  return true;
}

static void whiten(const struct merged *m, double *v)
{
  for (uint32_t i = 0; i < m->n; i++) {
    for (uint32_t k = 0; k < i; k++)
      v[i] -= m->cov[i * MERGED_MAX + k] * v[k];
    v[i] /= m->cov[i * MERGED_MAX + i];
  }
}

static double dot(const double *a, const double *b, uint32_t n)
{
  double sum = 0;
  for (uint32_t i = 0; i < n; i++)
    sum += a[i] * b[i];
  return sum;
}

bool ct_compton_compare(const struct ct_compton *c, double *reference, double *sigma, double *chi2, uint32_t *dof)
{
  struct merged m;
  uint32_t n = c->n_points;
  *chi2 = CT_NAN;
  *dof = 0;
  double scale = c->made[n / 2];
  bool good = scale > 0;
  /* Twice, because the error of a measured reference takes part with the scale. */
  for (int pass = 0; good && pass < 2; pass++) {
    merge(c, scale, &m);
    good = m.n > 1 && factorise(&m);
    if (!good)
      break;
    whiten(&m, m.y);
    whiten(&m, m.r);
    double rr = dot(m.r, m.r, m.n), ry = dot(m.r, m.y, m.n);
    scale = ry / rr;
    *chi2 = fmax(0, dot(m.y, m.y, m.n) - ry * ry / rr);
    *dof = m.n - 1;
    good = scale > 0;
  }
  double relative = good ? scale * c->per_count : CT_NAN;
  for (uint32_t j = 0; j < n; j++) {
    reference[j] = relative * reference_at(c, c->reference->J, j);
    sigma[j] = relative * reference_at(c, c->reference->sigma, j);
  }
  if (!good)
    *chi2 = CT_NAN;
  return good;
}
