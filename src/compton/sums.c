#include "compton/internal.h"

#include <math.h>
#include <string.h>

/* Inlined into the function for each instruction set, which decides how many lanes a register has. */
#define INLINE static inline __attribute__((always_inline))

INLINE uint64_t run_counts(const uint32_t *spectrum, struct ct_run run)
{
  uint64_t counts = 0, lane[4] = { 0 };
  uint32_t bin = run.from;
  for (; run.to - bin >= 4; bin += 4)
#pragma GCC unroll 4
    for (int i = 0; i < 4; i++)
      lane[i] += spectrum[bin + (uint32_t)i];
  for (; bin < run.to; bin++)
    counts += spectrum[bin];
  return counts + lane[0] + lane[1] + lane[2] + lane[3];
}

/* All terms in one pass over the runs. The order of additions within a term is that of the runs, and none is fused with a
 * multiplication: results do not depend on how the compiler packs the terms, nor on the instruction set. */
INLINE void sum_terms(const struct ct_runs *runs, const uint32_t *spectrum, double *restrict out)
{
  const double *w = runs->weights;
  double sum[CT_TERMS] = { 0 };
  for (uint32_t run = 0; run < runs->n; run++, w += CT_TERMS) {
    double counts = (double)run_counts(spectrum, runs->run[run]);
    /* Unrolled, the sums stay in registers, two or more to one. */
#pragma GCC unroll 12
    for (int term = 0; term < CT_TERMS; term++)
      sum[term] += w[term] * counts;
  }
  memcpy(out, sum, sizeof sum);
}

void ct_plain_terms_(const struct ct_runs *runs, const uint32_t *spectrum, double *restrict out)
{
  sum_terms(runs, spectrum, out);
}

#if defined __x86_64__ && defined __GNUC__
__attribute__((target("avx2"))) static void avx2_terms(const struct ct_runs *runs, const uint32_t *spectrum,
                                                       double *restrict out)
{
  sum_terms(runs, spectrum, out);
}
#endif

ct_sum_terms_ *ct_best_sum_terms_(void)
{
#if defined __x86_64__ && defined __GNUC__
  if (__builtin_cpu_supports("avx2"))
    return avx2_terms;
#endif
  return ct_plain_terms_;
}

static void sum_slopes(const struct ct_runs *runs, const uint32_t *spectrum, double sum[CT_SLOPES])
{
  const double *w = runs->weights;
  for (uint32_t run = 0; run < runs->n; run++, w += CT_SLOPES) {
    double counts = (double)run_counts(spectrum, runs->run[run]);
    for (int i = 0; i < CT_SLOPES; i++)
      sum[i] += w[i] * counts;
  }
}

static void sum_pixel(const struct ct_compton *c, const struct ct_group *group, const uint32_t *spectrum, struct ct_sums *out)
{
  double sum[CT_TERMS], slope[CT_SLOPES] = { 0 };
  c->sum_terms(&group->terms, spectrum, sum);
  sum_slopes(&group->slopes, spectrum, slope);
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
    .slope_L = slope[CT_SLOPE_L],
    .slope_H = slope[CT_SLOPE_H],
    .slope_L_plus = slope[CT_SLOPE_L_PLUS],
    .slope_H_plus = slope[CT_SLOPE_H_PLUS],
  };
}

/* The variances that an error of the energy scale brings. */
static void add_energy_errors(double sigma_keV, struct ct_sums *s)
{
  double v = sigma_keV * sigma_keV;
  s->var_L += s->slope_L * s->slope_L * v;
  s->var_H += s->slope_H * s->slope_H * v;
  s->cov_LH += s->slope_L * s->slope_H * v;
  s->var_L_plus += s->slope_L_plus * s->slope_L_plus * v;
  s->var_H_plus += s->slope_H_plus * s->slope_H_plus * v;
  s->cov_LH_plus += s->slope_L_plus * s->slope_H_plus * v;
  s->cov_HH_plus += s->slope_H * s->slope_H_plus * v;
}

static void apply_flat(const struct ct_flat_pixel *flat, struct ct_sums *s)
{
  if (!(flat->factor > 0)) {
    *s = (struct ct_sums){ 0 };
    return;
  }
  s->L *= flat->factor;
  s->slope_L *= flat->factor;
  s->cov_LH *= flat->factor;
  s->var_L = s->var_L * flat->factor * flat->factor + s->L * s->L * flat->variance;
  s->flat_share = s->L * flat->share * flat->variance;
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
  sum->slope_L += other->slope_L;
  sum->slope_H += other->slope_H;
  sum->slope_L_plus += other->slope_L_plus;
  sum->slope_H_plus += other->slope_H_plus;
  sum->flat_share += other->flat_share;
  sum->counts += other->counts;
}

void ct_sums_since(struct ct_sums *out, const struct ct_sums *later, const struct ct_sums *earlier)
{
  *out = (struct ct_sums){
    .L = later->L - earlier->L,
    .H = later->H - earlier->H,
    .var_L = later->var_L - earlier->var_L,
    .var_H = later->var_H - earlier->var_H,
    .cov_LH = later->cov_LH - earlier->cov_LH,
    .L_plus = later->L_plus - earlier->L_plus,
    .H_plus = later->H_plus - earlier->H_plus,
    .var_L_plus = later->var_L_plus - earlier->var_L_plus,
    .var_H_plus = later->var_H_plus - earlier->var_H_plus,
    .cov_LH_plus = later->cov_LH_plus - earlier->cov_LH_plus,
    .cov_HH_plus = later->cov_HH_plus - earlier->cov_HH_plus,
    .slope_L = later->slope_L - earlier->slope_L,
    .slope_H = later->slope_H - earlier->slope_H,
    .slope_L_plus = later->slope_L_plus - earlier->slope_L_plus,
    .slope_H_plus = later->slope_H_plus - earlier->slope_H_plus,
    .counts = later->counts - earlier->counts,
  };
}

void ct_sums_settle(const struct ct_compton *c, uint32_t pixel, struct ct_sums *sums)
{
  if (c->setup.pixel_sigma_keV > 0)
    add_energy_errors(c->setup.pixel_sigma_keV, sums);
  if (c->flat != NULL)
    apply_flat(&c->flat[pixel], sums);
}

void ct_compton_sums(const struct ct_compton *c, uint32_t pixel, const uint32_t *spectrum, struct ct_sums *out)
{
  sum_pixel(c, &c->groups[ct_group_of_(c, pixel)], spectrum, out);
  ct_sums_settle(c, pixel, out);
}

/* The bins looked at are a tenth of a spectrum: too far apart for the processor to guess the next pixel's. */
static void fetch(const struct ct_compton *c, const uint32_t *cube, uint32_t pixel)
{
  enum { AHEAD = 2, BINS_A_LINE = 16 };
  if (pixel + AHEAD >= c->setup.rows * c->setup.cols)
    return;
  const struct ct_runs *runs = &c->groups[ct_group_of_(c, pixel + AHEAD)].terms;
  const uint32_t *spectrum = cube + (size_t)(pixel + AHEAD) * c->setup.axis.n;
  uint32_t next = 0;
  for (uint32_t run = 0; run < runs->n; run++)
    for (uint32_t bin = runs->run[run].from > next ? runs->run[run].from : next; bin < runs->run[run].to; bin = next) {
      __builtin_prefetch(spectrum + bin);
      next = bin + BINS_A_LINE;
    }
}

void ct_compton_counts(const struct ct_compton *c, const uint32_t *cube, struct ct_sums *out)
{
  for (uint32_t pixel = 0; pixel < c->setup.rows * c->setup.cols; pixel++) {
    fetch(c, cube, pixel);
    sum_pixel(c, &c->groups[ct_group_of_(c, pixel)], cube + (size_t)pixel * c->setup.axis.n, &out[pixel]);
  }
}

void ct_compton_map(const struct ct_compton *c, const uint32_t *cube, const uint8_t *select, struct ct_sums *out)
{
  uint32_t pixels = c->setup.rows * c->setup.cols;
  for (uint32_t pixel = 0; pixel < pixels; pixel++) {
    fetch(c, cube, pixel);
    if (select != NULL && select[pixel] == 0)
      out[pixel] = (struct ct_sums){ 0 };
    else
      ct_compton_sums(c, pixel, cube + (size_t)pixel * c->setup.axis.n, &out[pixel]);
  }
}

/* A ratio with the variances of its parts. */
struct ratio {
  double top, bottom, var_top, var_bottom, cov;
};

/* *value and its error; NaN, NaN unless the bottom is positive and both are finite. */
static void divide(const struct ct_compton *c, const struct ratio *r, double *value, double *sigma)
{
  *value = *sigma = CT_NAN;
  if (!(r->bottom > 0))
    return;
  if (c->n_channels > 0 && (r->top < 0 || !(r->bottom * r->bottom > 9 * r->var_bottom)))
    return;
  double top = r->top, bottom = r->bottom;
  if (c->setup.unbias) {
    top += r->cov / r->bottom;
    bottom += r->var_bottom / r->bottom;
  }
  double q = top / bottom;
  /* Rounding can take a variance of nothing just below zero. */
  double s = sqrt(fmax(0, r->var_top - 2 * q * r->cov + q * q * r->var_bottom)) / bottom;
  if (!isfinite(q) || !isfinite(s))
    return;
  *value = q;
  *sigma = s;
}

void ct_compton_emf(const struct ct_compton *c, const struct ct_sums *sums, struct ct_emf *out)
{
  struct ct_sums s = *sums;
  add_energy_errors(c->setup.energy_sigma_keV, &s);
  /* Every L goes with the flat field's mean, and so with every pixel of it. */
  if (c->flat != NULL)
    s.var_L += s.L * s.L * c->flat_mean_variance - 2 * s.L * s.flat_share;
  *out = (struct ct_emf){ .L = s.L, .H = s.H };
  divide(c, &(struct ratio){ s.L, s.H, s.var_L, s.var_H, s.cov_LH }, &out->emf, &out->sigma);
  divide(c, &(struct ratio){ s.L_plus, s.H_plus, s.var_L_plus, s.var_H_plus, s.cov_LH_plus }, &out->emf_plus,
         &out->plus_sigma);
  /* (H+ - H-)/(H+ + H-) = 2 H+/H - 1 */
  double share, share_sigma;
  divide(c, &(struct ratio){ s.H_plus, s.H, s.var_H_plus, s.var_H, s.cov_HH_plus }, &share, &share_sigma);
  out->asymmetry = 2 * share - 1;
  out->asymmetry_sigma = 2 * share_sigma;
}
