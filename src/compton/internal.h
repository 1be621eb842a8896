/* Inside compton: how the weights are laid out. */
#ifndef COMPTON_INTERNAL_H
#define COMPTON_INTERNAL_H

#include <comptop/compton.h>

#include <math.h>

#define CT_NAN ((double)NAN)      /* NAN itself is a float, which -Wdouble-promotion minds */

/* A point on the energy axis as the bin it falls into and how far. */
struct ct_edge {
  uint32_t bin;
  double fraction;            /* 0 <= fraction < 1 */
};

/* The background below one window is the sum over channels of share[channel] * (mean[channel] . spectrum), counts.
 * Flat: one channel, all windows together; linear: one channel a window. */
enum { CT_CHANNELS = 2 };

/* Sums of one pixel, in the order in which struct ct_sums has them. */
enum ct_term {
  CT_TERM_L, CT_TERM_H, CT_TERM_VAR_L, CT_TERM_VAR_H, CT_TERM_COV,
  CT_TERM_L_PLUS, CT_TERM_H_PLUS, CT_TERM_VAR_L_PLUS, CT_TERM_VAR_H_PLUS, CT_TERM_COV_PLUS,
  CT_TERM_COV_HH_PLUS, CT_TERM_COUNTS,
  CT_TERMS
};

/* Pixels of one theta. weights[i - lo][term] belongs to bin i, lo <= i < hi. */
struct ct_group {
  double theta_rad;
  uint32_t lo, hi;
  double *weights;
  double *cells_keV;          /* edges of the profile's cells: points + 1 */
};

struct ct_compton {
  struct ct_compton_setup setup;
  uint32_t n_groups, n_points;
  struct ct_group *groups;
  uint32_t n_channels;
  double *mean[CT_CHANNELS];  /* [axis.n]: weights whose sum over counts is the channel's mean density, counts/keV */
  double centre_keV[CT_CHANNELS];
  uint64_t *total;            /* [axis.n]: one group's summed spectrum, scratch of ct_compton_profile */
};

/* geometry.c */
bool ct_compton_along_x_(enum ct_beam beam);

/* weights.c */
struct ct_edge ct_edge_at_(const struct ct_axis *axis, double e_keV);
/* The weight of <bin> in the counts below <edge>. */
double ct_edge_weight_(const struct ct_edge *edge, int order, uint32_t bin);
/* The background's share of each channel under [from, to]. */
void ct_background_share_(const struct ct_compton *compton, double from_keV, double to_keV, double share[CT_CHANNELS]);

/* Fills group->weights for the group's theta and bins. */
void ct_group_weights_(const struct ct_compton *compton, struct ct_group *group);

/* setup.c */
uint32_t ct_group_of_(const struct ct_compton *compton, uint32_t pixel);
/* Every group has as many pixels as any other; the <k>th one of <group>. */
uint32_t ct_group_pixels_(const struct ct_compton *compton);
uint32_t ct_group_pixel_(const struct ct_compton *compton, uint32_t group, uint32_t k);

#endif
