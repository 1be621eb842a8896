/* lithium: the straight line through the references, and nothing where there is none. */
#include <comptop/compton.h>

#include <math.h>

static int check_reference(const struct ct_lithium_reference *r, uint32_t i, struct ct_err *err)
{
  if (!isfinite(r->x) || !isfinite(r->emf))
    return ct_err_set(err, CT_ERANGE, "reference %u is no number", i + 1);
  if (!(r->sigma > 0) || !isfinite(r->sigma))
    return ct_err_set(err, CT_ERANGE, "reference %u: the error of its EMF is %g; it must be above 0", i + 1, r->sigma);
  return 0;
}

static double chi2_of(const struct ct_lithium *line, const struct ct_lithium_reference *r, uint32_t n)
{
  double chi2 = 0;
  for (uint32_t i = 0; i < n; i++) {
    double d = (r[i].emf - line->emf0 - line->slope * (r[i].x - line->x0)) / r[i].sigma;
    chi2 += d * d;
  }
  return chi2;
}

int ct_lithium_fit(struct ct_lithium *out, const struct ct_lithium_reference *r, uint32_t n, struct ct_err *err)
{
  struct ct_lithium line = { .references = n, .x_low = (double)INFINITY, .x_high = -(double)INFINITY };
  double sum_w = 0, sum_wx = 0, sum_wy = 0, spread = 0, rise = 0;
  *out = (struct ct_lithium){ 0 };
  if (n < 2)
    return ct_err_set(err, CT_ERANGE, "%u reference%s; a line takes at least 2 with different x", n, n == 1 ? "" : "s");
  for (uint32_t i = 0; i < n; i++) {
    int code = check_reference(&r[i], i, err);
    if (code != 0)
      return code;
    double w = 1 / (r[i].sigma * r[i].sigma);
    sum_w += w;
    sum_wx += w * r[i].x;
    sum_wy += w * r[i].emf;
    line.x_low = fmin(line.x_low, r[i].x);
    line.x_high = fmax(line.x_high, r[i].x);
  }
  if (line.x_low == line.x_high)
    return ct_err_set(err, CT_ERANGE, "all references have the same x = %g, and no line has a slope from one point; "
                      "measure at another state of charge", line.x_low);
  line.x0 = sum_wx / sum_w;
  line.emf0 = sum_wy / sum_w;
  for (uint32_t i = 0; i < n; i++) {
    double w = 1 / (r[i].sigma * r[i].sigma), dx = r[i].x - line.x0;
    spread += w * dx * dx;
    rise += w * dx * (r[i].emf - line.emf0);
  }
  line.slope = rise / spread;
  line.emf0_sigma = 1 / sqrt(sum_w);
  line.slope_sigma = 1 / sqrt(spread);
  line.chi2 = chi2_of(&line, r, n);
  if (!isfinite(line.chi2) || !isfinite(line.slope_sigma))
    return ct_err_set(err, CT_ERANGE, "the references are too large or too small to compute with");
  if (line.slope == 0)
    return ct_err_set(err, CT_ERANGE, "the references have no slope: the same EMF whatever x");
  *out = line;
  return 0;
}
