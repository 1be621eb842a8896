/* drift: whether EMF changes with time. Every sample is compared with the pooled ratio of those before it, not with its
 * own error: a weight that follows the value it weighs would pull the mean down. */
#include <comptop/compton.h>

#include <math.h>
#include <string.h>

enum { ENOUGH_COUNTS = 400 };      /* of L+H: from here a ratio of counts is near enough to normal */

void ct_drift_init(struct ct_drift *d, double k, double h)
{
  memset(d, 0, sizeof *d);
  d->k = k;
  d->h = h;
}

static bool is_enough(const struct ct_sums *s)
{
  return s->L + s->H >= ENOUGH_COUNTS && s->H > 3 * sqrt(s->var_H) && s->L > 0;
}

/* Variance of L - emf H. */
static double variance(const struct ct_sums *s, double emf)
{
  return fmax(s->var_L - 2 * emf * s->cov_LH + emf * emf * s->var_H, 0);
}

/* One point of the straight line, without the second-order bias of a ratio. */
static void add_point(struct ct_drift *d, double t_s, const struct ct_sums *s, double emf)
{
  double bias = (emf * s->var_H - s->cov_LH) / (s->H * s->H);
  double y = s->L / s->H - bias, w = s->H * s->H / variance(s, emf);
  if (!isfinite(y) || !isfinite(w))
    return;
  if (d->samples++ == 0) {
    d->first_s = t_s;
    d->first = y;
  }
  double t = t_s - d->first_s, dy = y - d->first;
  d->w += w;
  d->wt += w * t;
  d->wtt += w * t * t;
  d->wy += w * dy;
  d->wty += w * t * dy;
}

/* Deviation of a step from the pooled ratio of all steps before, in its standard errors: independent standard normal
 * numbers as long as nothing changes (recursive residuals: Brown, Durbin and Evans, J. R. Stat. Soc. B 37 (1975) 149). */
static double residual(const struct ct_drift *d, const struct ct_sums *s)
{
  double emf = d->pooled.L / d->pooled.H, pooled_variance = variance(&d->pooled, emf) / (d->pooled.H * d->pooled.H);
  return (s->L - emf * s->H) / sqrt(variance(s, emf) + s->H * s->H * pooled_variance);
}

static void end_step(struct ct_drift *d)
{
  if (!is_enough(&d->step))
    return;                        /* it goes on until there are enough counts */
  if (d->steps > 0) {
    double z = residual(d, &d->step);
    if (isfinite(z)) {
      d->up = fmax(0, d->up + z - d->k);
      d->down = fmax(0, d->down - z - d->k);
    }
  }
  double worst = fmax(d->up, d->down);
  if (worst > d->h && !d->alarm) {
    d->alarm = true;
    d->alarms++;
  } else if (worst < d->h / 2) {
    d->alarm = false;
  }
  d->steps++;
  ct_sums_add(&d->pooled, &d->step);
  d->step = (struct ct_sums){ 0 };
}

void ct_drift_add(struct ct_drift *d, double t_s, const struct ct_sums *sample, bool ends_step)
{
  ct_sums_add(&d->open, sample);
  d->open_t_s += t_s * sample->counts;
  ct_sums_add(&d->step, sample);
  if (is_enough(&d->open)) {
    struct ct_sums pooled = d->pooled;
    ct_sums_add(&pooled, &d->step);
    add_point(d, d->open_t_s / d->open.counts, &d->open, pooled.L / pooled.H);
    d->open = (struct ct_sums){ 0 };
    d->open_t_s = 0;
  }
  if (ends_step)
    end_step(d);
}

void ct_drift_report(const struct ct_drift *d, struct ct_change *out)
{
  double spread = d->wtt - d->wt * d->wt / d->w;
  *out = (struct ct_change){ .samples = d->samples, .steps = d->steps, .per_h = (double)NAN, .sigma_per_h = (double)NAN,
                             .up = d->up, .down = d->down, .alarm = d->alarm };
  if (d->samples < 3 || !(spread > 0))
    return;
  out->per_h = 3600 * (d->wty - d->wt * d->wy / d->w) / spread;
  out->sigma_per_h = 3600 / sqrt(spread);
}

double ct_family_z(double chance, double tests)
{
  double each = chance / tests / 2, low = 0, high = 40;      /* two-sided */
  for (int i = 0; i < 80; i++) {
    double z = (low + high) / 2;
    if (0.5 * erfc(z * M_SQRT1_2) > each)
      low = z;
    else
      high = z;
  }
  return (low + high) / 2;
}
