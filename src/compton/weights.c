#include "compton/internal.h"

#include <math.h>

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

void ct_background_share_(const struct ct_compton *c, double from_keV, double to_keV, double share[CT_CHANNELS])
{
  double width = to_keV - from_keV;
  share[0] = c->n_channels > 0 ? width : 0;
  share[1] = 0;
  if (c->n_channels < 2)
    return;
  /* A line integrates to its middle value times the width. */
  double along = ((from_keV + to_keV) / 2 - c->centre_keV[0]) / (c->centre_keV[1] - c->centre_keV[0]);
  share[0] = width * (1 - along);
  share[1] = width * along;
}

/* An energy window with its edges placed in the bins and its share of the background. */
struct window {
  struct ct_edge from, to;
  double share[CT_CHANNELS];
};

static struct window window_of(const struct ct_compton *c, double theta_rad, double p_from, double p_to)
{
  double from_keV = ct_compton_e2_keV(c->setup.e1_keV, theta_rad, p_from);
  double to_keV = ct_compton_e2_keV(c->setup.e1_keV, theta_rad, p_to);
  struct window w = { .from = ct_edge_at_(&c->setup.axis, from_keV), .to = ct_edge_at_(&c->setup.axis, to_keV) };
  ct_background_share_(c, from_keV, to_keV, w.share);
  return w;
}

static double counts_weight(const struct window *w, int order, uint32_t bin)
{
  return ct_edge_weight_(&w->to, order, bin) - ct_edge_weight_(&w->from, order, bin);
}

/* What one count in <bin> adds to the window's content after background. */
static double net_weight(const struct ct_compton *c, const struct window *w, uint32_t bin)
{
  double weight = counts_weight(w, c->setup.order, bin);
  for (uint32_t channel = 0; channel < c->n_channels; channel++)
    weight -= w->share[channel] * c->mean[channel][bin];
  return weight;
}

void ct_group_weights_(const struct ct_compton *c, struct ct_group *group)
{
  double low = c->setup.p_low, high = c->setup.p_high, theta = group->theta_rad;
  struct window l_minus = window_of(c, theta, -low, 0), l_plus = window_of(c, theta, 0, low);
  struct window h_minus = window_of(c, theta, -high, -low), h_plus = window_of(c, theta, low, high);
  struct window all = window_of(c, theta, -high, high);
  for (uint32_t bin = group->lo; bin < group->hi; bin++) {
    double lp = net_weight(c, &l_plus, bin), hp = net_weight(c, &h_plus, bin);
    double l = net_weight(c, &l_minus, bin) + lp, h = net_weight(c, &h_minus, bin) + hp;
    double *w = group->weights + (size_t)(bin - group->lo) * CT_TERMS;
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
