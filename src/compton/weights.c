#include "compton/internal.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* ---- edges --------------------------------------------------------------------------------------------- */
struct ct_edge ct_edge_at_(const struct ct_axis *axis, double e_keV)
{
  double position = (e_keV - axis->start_keV) / axis->width_keV;
  double bin = floor(position);
  return (struct ct_edge){ (uint32_t)bin, position - bin };
}

double ct_edge_weight_(const struct ct_edge *edge, int order, uint32_t bin)
{
  double f = edge->fraction;
  double weight = bin < edge->bin ? 1 : bin == edge->bin ? f : 0;
  if (order < 2)
    return weight;
  /* Counts in the cut bin slope as its neighbours do, (n[i+1] - n[i-1])/2 a bin: the integral of the slope over the
   * part below the edge is (f^2 - f)/2 of it. */
  double slope = (f * f - f) / 4;
  if (bin == edge->bin + 1)
    return weight + slope;
  if (bin + 1 == edge->bin)
    return weight - slope;
  return weight;
}

double ct_energy_(const struct ct_compton *c, double theta_rad, double pz)
{
  const struct ct_compton_setup *s = &c->setup;
  return s->pz_exact ? ct_compton_e2_exact_keV(s->e1_keV, theta_rad, pz) : ct_compton_e2_keV(s->e1_keV, theta_rad, pz);
}

/* ---- double scattering ----------------------------------------------------------------------------------- */
/* The energy after two scatterings by the same angle. */
static double twice_keV(double e1_keV, double angle_rad)
{
  return e1_keV / (1 + 2 * e1_keV / CT_ELECTRON_KEV * (1 - cos(angle_rad)));
}

/* Integral of the ramp, which is 1 at the Compton energy. */
static double ramp_keV(const struct ct_compton *c, double theta_rad, double from_keV, double to_keV)
{
  double e1 = c->setup.e1_keV, peak = ct_energy_(c, theta_rad, 0);
  double low = twice_keV(e1, M_PI - theta_rad / 2), high = twice_keV(e1, theta_rad / 2);
  double a = fmin(fmax(from_keV, low), high), b = fmin(fmax(to_keV, low), high);
  return (b - a) * ((a + b) / 2 - low) / (peak - low);
}

/* ---- background ------------------------------------------------------------------------------------------- */
static void window_share(const struct ct_compton *c, double from_keV, double to_keV, double share[CT_CHANNELS])
{
  double width = to_keV - from_keV;
  share[0] = c->n_windows > 0 ? width : 0;
  share[1] = 0;
  if (c->n_windows < 2)
    return;
  /* A line integrates to its middle value times the width. */
  const double *centre = c->window_centre_keV;
  double along = ((from_keV + to_keV) / 2 - centre[0]) / (centre[1] - centre[0]);
  share[0] = width * (1 - along);
  share[1] = width * along;
}

/* Mean height of the ramp in the windows of one channel. */
static double ramp_in_channel(const struct ct_compton *c, double theta_rad, uint32_t channel)
{
  double sum = 0, width = 0;
  for (uint32_t i = 0; i < c->setup.n_windows; i++) {
    if (c->n_windows == 2 && i != channel)
      continue;
    const double *w = c->setup.windows_keV[i];
    sum += ramp_keV(c, theta_rad, w[0], w[1]);
    width += w[1] - w[0];
  }
  return sum / width;
}

void ct_background_share_(const struct ct_compton *c, double theta_rad, double from_keV, double to_keV,
                          double share[CT_CHANNELS])
{
  window_share(c, from_keV, to_keV, share);
  if (c->n_channels == c->n_windows)
    return;
  /* What the windows see of the ramp is in the background they measure already. */
  double ramp = ramp_keV(c, theta_rad, from_keV, to_keV);
  for (uint32_t i = 0; i < c->n_windows; i++)
    ramp -= share[i] * ramp_in_channel(c, theta_rad, i);
  share[c->n_windows] = c->setup.double_scatter * ramp;
}

/* Adds the weights of one window's mean density, counts/keV. */
static void add_mean(const struct ct_compton *c, const double window_keV[2], double width_keV, double *mean)
{
  const struct ct_compton_setup *s = &c->setup;
  struct ct_edge from = ct_edge_at_(&s->axis, window_keV[0]), to = ct_edge_at_(&s->axis, window_keV[1]);
  for (uint32_t bin = from.bin - 1; bin <= to.bin + 1; bin++)
    mean[bin] += (ct_edge_weight_(&to, s->order, bin) - ct_edge_weight_(&from, s->order, bin)) / width_keV;
}

static void make_means(const struct ct_compton *c, struct ct_group *group)
{
  const struct ct_compton_setup *s = &c->setup;
  double width_keV[2] = { 0 };
  for (uint32_t i = 0; c->n_windows > 0 && i < s->n_windows; i++)
    width_keV[c->n_windows == 2 ? i : 0] += s->windows_keV[i][1] - s->windows_keV[i][0];
  for (uint32_t i = 0; c->n_windows > 0 && i < s->n_windows; i++) {
    uint32_t channel = c->n_windows == 2 ? i : 0;
    add_mean(c, s->windows_keV[i], width_keV[channel], group->mean[channel]);
  }
  if (c->n_channels > c->n_windows) {
    double peak[2] = { ct_energy_(c, group->theta_rad, -CT_PEAK_PZ), ct_energy_(c, group->theta_rad, CT_PEAK_PZ) };
    add_mean(c, peak, peak[1] - peak[0], group->mean[c->n_windows]);
  }
}

/* ---- windows in momentum ------------------------------------------------------------------------------------- */
/* An energy window with its edges placed in the bins and its share of the background. */
struct window {
  struct ct_edge from, to;
  double share[CT_CHANNELS];
};

static struct window window_of(const struct ct_compton *c, const struct ct_group *group, double shift_keV, double p_from,
                               double p_to)
{
  double theta = group->theta_rad;
  double from_keV = ct_energy_(c, theta, p_from) + shift_keV, to_keV = ct_energy_(c, theta, p_to) + shift_keV;
  const struct ct_axis *axis = &c->setup.axis;
  struct window w = { .from = ct_edge_at_(axis, from_keV), .to = ct_edge_at_(axis, to_keV) };
  /* The background, too, is worth what it is where it lies. */
  for (uint32_t bin = w.from.bin; bin <= w.to.bin; bin++) {
    double share[CT_CHANNELS], start_keV = axis->start_keV + bin * axis->width_keV;
    ct_background_share_(c, theta, fmax(from_keV, start_keV), fmin(to_keV, start_keV + axis->width_keV), share);
    for (uint32_t i = 0; i < c->n_channels; i++)
      w.share[i] += group->worth[bin] * share[i];
  }
  return w;
}

static double counts_weight(const struct window *w, int order, uint32_t bin)
{
  return ct_edge_weight_(&w->to, order, bin) - ct_edge_weight_(&w->from, order, bin);
}

/* What one count in <bin> adds to the window's content after background. */
static double net_weight(const struct ct_compton *c, const struct ct_group *group, const struct window *w, uint32_t bin)
{
  double weight = counts_weight(w, c->setup.order, bin) * group->worth[bin];
  for (uint32_t channel = 0; channel < c->n_channels; channel++)
    weight -= w->share[channel] * group->mean[channel][bin];
  return weight;
}

/* The four windows that make L and H, all moved by <shift_keV>. */
struct windows {
  struct window l_minus, l_plus, h_minus, h_plus;
};

static struct windows windows_of(const struct ct_compton *c, const struct ct_group *group, double shift_keV)
{
  double low = c->setup.p_low, high = c->setup.p_high;
  return (struct windows){ window_of(c, group, shift_keV, -low, 0), window_of(c, group, shift_keV, 0, low),
                           window_of(c, group, shift_keV, -high, -low), window_of(c, group, shift_keV, low, high) };
}

static void four_weights(const struct ct_compton *c, const struct ct_group *group, const struct windows *w, uint32_t bin,
                         double out[CT_SLOPES])
{
  double lp = net_weight(c, group, &w->l_plus, bin), hp = net_weight(c, group, &w->h_plus, bin);
  out[CT_SLOPE_L] = net_weight(c, group, &w->l_minus, bin) + lp;
  out[CT_SLOPE_H] = net_weight(c, group, &w->h_minus, bin) + hp;
  out[CT_SLOPE_L_PLUS] = lp;
  out[CT_SLOPE_H_PLUS] = hp;
}

static void term_weights(const struct ct_compton *c, const struct ct_group *group, double *w)
{
  struct windows windows = windows_of(c, group, 0);
  struct window all = window_of(c, group, 0, -c->setup.p_high, c->setup.p_high);
  for (uint32_t bin = group->lo; bin < group->hi; bin++, w += CT_TERMS) {
    double four[CT_SLOPES];
    four_weights(c, group, &windows, bin, four);
    double l = four[CT_SLOPE_L], h = four[CT_SLOPE_H], lp = four[CT_SLOPE_L_PLUS], hp = four[CT_SLOPE_H_PLUS];
    w[CT_TERM_L] = l;
    w[CT_TERM_H] = h;
    w[CT_TERM_VAR_L] = l * l;
    w[CT_TERM_VAR_H] = h * h;
    w[CT_TERM_COV] = l * h;
    w[CT_TERM_L_PLUS] = lp;
    w[CT_TERM_H_PLUS] = hp;
    w[CT_TERM_VAR_L_PLUS] = lp * lp;
    w[CT_TERM_VAR_H_PLUS] = hp * hp;
    w[CT_TERM_COV_PLUS] = lp * hp;
    w[CT_TERM_COV_HH_PLUS] = h * hp;
    w[CT_TERM_COUNTS] = counts_weight(&all, c->setup.order, bin);
  }
}

/* The difference over one bin either way: finer, it would be the noise of the two bins at a window's edge. */
static void slope_weights(const struct ct_compton *c, const struct ct_group *group, double *w)
{
  double step_keV = c->setup.axis.width_keV;
  struct windows up = windows_of(c, group, step_keV), down = windows_of(c, group, -step_keV);
  for (uint32_t bin = group->lo; bin < group->hi; bin++, w += CT_SLOPES) {
    double high[CT_SLOPES], low[CT_SLOPES];
    four_weights(c, group, &up, bin, high);
    four_weights(c, group, &down, bin, low);
    for (int i = 0; i < CT_SLOPES; i++)
      w[i] = (high[i] - low[i]) / (2 * step_keV);
  }
}

/* ---- runs --------------------------------------------------------------------------------------------------- */
static bool is_zero(const double *w, uint32_t terms)
{
  for (uint32_t i = 0; i < terms; i++)
    if (w[i] < 0 || w[i] > 0)
      return false;
  return true;
}

/* weights[bins][terms] of the bins from <first> on, as runs. */
static int make_runs(struct ct_runs *runs, const double *weights, uint32_t first, uint32_t bins, uint32_t terms)
{
  size_t row_bytes = terms * sizeof *weights;
  runs->run = calloc(bins, sizeof *runs->run);
  runs->weights = calloc(bins, row_bytes);
  if (runs->run == NULL || runs->weights == NULL)
    return CT_ENOMEM;
  for (uint32_t i = 0; i < bins; i++) {
    const double *w = weights + (size_t)i * terms;
    if (is_zero(w, terms))
      continue;
    bool goes_on = runs->n > 0 && runs->run[runs->n - 1].to == first + i && memcmp(w - terms, w, row_bytes) == 0;
    if (!goes_on) {
      memcpy(runs->weights + (size_t)runs->n * terms, w, row_bytes);
      runs->run[runs->n++].from = first + i;
    }
    runs->run[runs->n - 1].to = first + i + 1;
  }
  return 0;
}

void ct_runs_free_(struct ct_runs *runs)
{
  free(runs->run);
  free(runs->weights);
}

int ct_group_weights_(const struct ct_compton *c, struct ct_group *group)
{
  uint32_t bins = group->hi - group->lo;
  double *scratch = calloc((size_t)bins * CT_TERMS, sizeof *scratch);
  if (scratch == NULL)
    return CT_ENOMEM;
  for (uint32_t bin = group->lo; bin < group->hi; bin++)
    group->worth[bin] = ct_bin_worth_(c, group->theta_rad, bin);
  make_means(c, group);
  term_weights(c, group, scratch);
  int rc = make_runs(&group->terms, scratch, group->lo, bins, CT_TERMS);
  if (rc == 0 && (c->setup.energy_sigma_keV > 0 || c->setup.pixel_sigma_keV > 0)) {
    slope_weights(c, group, scratch);
    rc = make_runs(&group->slopes, scratch, group->lo, bins, CT_SLOPES);
  }
  free(scratch);
  return rc;
}
