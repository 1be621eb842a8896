#include "compton/internal.h"

#include <math.h>

/* All terms in one pass over the group's bins. The order of additions within a term is that of the bins: results do
 * not depend on how the compiler packs the terms. */
static void sum_pixel(const struct ct_group *group, const uint32_t *spectrum, struct ct_sums *out)
{
  double sum[CT_TERMS] = { 0 };
  const double *w = group->weights;
  for (uint32_t bin = group->lo; bin < group->hi; bin++, w += CT_TERMS) {
    double counts = spectrum[bin];
    /* Unrolled, the sums stay in registers, two or more to one. */
#pragma GCC unroll 12
    for (int term = 0; term < CT_TERMS; term++)
      sum[term] += w[term] * counts;
  }
  *out = (struct ct_sums){
    .L = sum[CT_TERM_L],
    .H = sum[CT_TERM_H],
    .var_L = sum[CT_TERM_VAR_L],
    .var_H = sum[CT_TERM_VAR_H],
    .cov_LH = sum[CT_TERM_COV],
    .L_plus = sum[CT_TERM_L_PLUS],
    .H_plus = sum[CT_TERM_H_PLUS],
    .var_L_plus = sum[CT_TERM_VAR_L_PLUS],
    .var_H_plus = sum[CT_TERM_VAR_H_PLUS],
    .cov_LH_plus = sum[CT_TERM_COV_PLUS],
    .cov_HH_plus = sum[CT_TERM_COV_HH_PLUS],
    .counts = sum[CT_TERM_COUNTS],
  };
}

void ct_sums_add(struct ct_sums *sum, const struct ct_sums *other)
{
  sum->L += other->L;
  sum->H += other->H;
  sum->var_L += other->var_L;
  sum->var_H += other->var_H;
  sum->cov_LH += other->cov_LH;
  sum->L_plus += other->L_plus;
  sum->H_plus += other->H_plus;
  sum->var_L_plus += other->var_L_plus;
  sum->var_H_plus += other->var_H_plus;
  sum->cov_LH_plus += other->cov_LH_plus;
  sum->cov_HH_plus += other->cov_HH_plus;
  sum->counts += other->counts;
}

void ct_compton_sums(const struct ct_compton *c, uint32_t pixel, const uint32_t *spectrum, struct ct_sums *out)
{
  sum_pixel(&c->groups[ct_group_of_(c, pixel)], spectrum, out);
}

void ct_compton_map(const struct ct_compton *c, const uint32_t *cube, const uint8_t *select, struct ct_sums *out)
{
  uint32_t pixels = c->setup.rows * c->setup.cols;
  for (uint32_t pixel = 0; pixel < pixels; pixel++) {
    if (select != NULL && select[pixel] == 0)
      out[pixel] = (struct ct_sums){ 0 };
    else
      ct_compton_sums(c, pixel, cube + (size_t)pixel * c->setup.axis.n, &out[pixel]);
  }
}

/* top/bottom and its error; NaN, NaN unless bottom is positive and both are finite. */
static void ratio(double top, double bottom, double var_top, double var_bottom, double cov, double *value,
                  double *sigma)
{
  *value = *sigma = CT_NAN;
  if (!(bottom > 0))
    return;
  double r = top / bottom;
  /* Rounding can take a variance of nothing just below zero. */
  double s = sqrt(fmax(0, var_top - 2 * r * cov + r * r * var_bottom)) / bottom;
  if (!isfinite(r) || !isfinite(s))
    return;
  *value = r;
  *sigma = s;
}

void ct_compton_emf(const struct ct_sums *s, struct ct_emf *out)
{
  *out = (struct ct_emf){ .L = s->L, .H = s->H };
  ratio(s->L, s->H, s->var_L, s->var_H, s->cov_LH, &out->emf, &out->sigma);
  ratio(s->L_plus, s->H_plus, s->var_L_plus, s->var_H_plus, s->cov_LH_plus, &out->emf_plus, &out->plus_sigma);
  /* (H+ - H-)/(H+ + H-) = 2 H+/H - 1 */
  double share, share_sigma;
  ratio(s->H_plus, s->H, s->var_H_plus, s->var_H, s->cov_HH_plus, &share, &share_sigma);
  out->asymmetry = 2 * share - 1;
  out->asymmetry_sigma = 2 * share_sigma;
}
