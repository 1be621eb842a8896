/* The flat field of EMF: what a uniform scatterer showed of each pixel's own tails, resolution and gain. */
#include "compton/internal.h"

#include <math.h>
#include <stdlib.h>

/* With a larger error than this part of it a pixel's flat EMF is none. */
static const double error_max = 0.5;

static bool usable(const struct ct_flat *flat, size_t pixel)
{
  double emf = flat->emf[pixel], sigma = flat->emf_sigma[pixel], rate = flat->rate[pixel];
  return emf > 0 && isfinite(emf) && sigma >= 0 && sigma < error_max * emf && rate > 0 && isfinite(rate);
}

/* H of a pixel, up to the flat field's live time. */
static double part_h(const struct ct_flat *flat, size_t pixel)
{
  return flat->rate[pixel] / (1 + flat->emf[pixel]);
}

static double sum_h(const struct ct_flat *flat)
{
  double sum = 0;
  for (size_t i = 0; i < (size_t)flat->rows * flat->cols; i++)
    if (usable(flat, i))
      sum += part_h(flat, i);
  return sum;
}

static double mean_emf(const struct ct_flat *flat, double all_h)
{
  double sum = 0;
  for (size_t i = 0; i < (size_t)flat->rows * flat->cols; i++)
    if (usable(flat, i))
      sum += part_h(flat, i) / all_h * flat->emf[i];
  return sum;
}

static double mean_rate(const struct ct_flat *flat)
{
  double sum = 0;
  size_t n = 0;
  for (size_t i = 0; i < (size_t)flat->rows * flat->cols; i++)
    if (usable(flat, i)) {
      sum += flat->rate[i];
      n++;
    }
  return sum / (double)n;
}

int ct_compton_set_flat(struct ct_compton *c, const struct ct_flat *flat, struct ct_err *err)
{
  if (flat->rows != c->setup.rows || flat->cols != c->setup.cols)
    return ct_err_set(err, CT_ERANGE, "the flat field has %u rows of %u columns, the sensor %u of %u", flat->rows, flat->cols,
                      c->setup.rows, c->setup.cols);
  size_t pixels = (size_t)flat->rows * flat->cols;
  double all_h = sum_h(flat), exponent = c->setup.flat_exponent;
  if (!(all_h > 0))
    return ct_err_set(err, CT_ERANGE, "the flat field has no pixel with an EMF of less than %g %% error", error_max * 100);
  c->flat = calloc(pixels, sizeof *c->flat);
  if (c->flat == NULL)
    return ct_err_set(err, CT_ENOMEM, "no memory for the flat field of %zu pixels", pixels);
  double mean = mean_emf(flat, all_h), rate = mean_rate(flat);
  for (size_t i = 0; i < pixels; i++) {
    if (!usable(flat, i))
      continue;
    /* The mean is sum of h E, so a pixel's share in an error of log mean is h E / mean. */
    double error = exponent * flat->emf_sigma[i] / flat->emf[i], share = part_h(flat, i) / all_h * flat->emf[i] / mean;
    double rate_error = flat->rate_sigma[i] / flat->rate[i];
    c->flat[i] = (struct ct_flat_pixel){ pow(flat->emf[i] / mean, -exponent), error * error, share, flat->rate[i] / rate,
                                         rate_error * rate_error };
    c->flat_mean_variance += share * share * error * error;
  }
  return 0;
}

void ct_compton_intensity(const struct ct_compton *c, uint32_t pixel, const struct ct_sums *s, double live_s, double *value,
                          double *variance)
{
  struct ct_flat_pixel flat = { .factor = 1, .rate = 1 };
  if (c->flat != NULL)
    flat = c->flat[pixel];
  *value = *variance = CT_NAN;
  if (!(live_s > 0 && flat.factor > 0 && flat.rate > 0))
    return;
  /* Density does not care for the correction of the shape. */
  double f = flat.factor, scale = 1 / (live_s * flat.rate), var_L = (s->var_L - s->L * s->L * flat.variance) / (f * f);
  *value = (s->L / f + s->H) * scale;
  *variance = (var_L + s->var_H + 2 * s->cov_LH / f) * scale * scale + *value * *value * flat.rate_variance;
}

bool ct_compton_flat_ok(const struct ct_compton *c, uint32_t pixel)
{
  return c->flat == NULL || c->flat[pixel].factor > 0;
}
