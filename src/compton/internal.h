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

enum { CT_ELEMENTS = 16 };

/* A layer photons cross: mass fractions and g/cm2. */
struct ct_matter {
  uint32_t n;
  int z[CT_ELEMENTS];
  double fraction[CT_ELEMENTS], areal_g_cm2;
};

/* The background below one window is the sum over channels of share[channel] * (mean[channel] . spectrum), counts.
 * Flat: one channel, all windows together; linear: one channel a window; last, double scattering: one channel that
 * measures the peak. */
enum { CT_CHANNELS = 3 };

/* Sums of one pixel, in the order in which struct ct_sums has them. */
enum ct_term {
  CT_TERM_L, CT_TERM_H, CT_TERM_VAR_L, CT_TERM_VAR_H, CT_TERM_COV,
  CT_TERM_L_PLUS, CT_TERM_H_PLUS, CT_TERM_VAR_L_PLUS, CT_TERM_VAR_H_PLUS, CT_TERM_COV_PLUS,
  CT_TERM_COV_HH_PLUS, CT_TERM_COUNTS,
  CT_TERMS
};
enum ct_slope { CT_SLOPE_L, CT_SLOPE_H, CT_SLOPE_L_PLUS, CT_SLOPE_H_PLUS, CT_SLOPES };

/* Neighbouring bins of equal weights: their counts are added up as integers and weighted once. Bins of no weight are in
 * no run, so the weights of a window's inside and of a whole background window cost as much as one bin's. */
struct ct_runs {
  uint32_t n;
  struct ct_run { uint32_t from, to; } *run;
  double *weights;            /* [n][terms] */
};

/* Pixels of one theta. Bins lo <= i < hi are looked at. */
struct ct_group {
  double theta_rad;
  uint32_t lo, hi;
  struct ct_runs terms;       /* of CT_TERMS */
  struct ct_runs slopes;      /* of CT_SLOPES: per keV by which the energy scale is off; none without energy errors */
  double *mean[CT_CHANNELS];  /* [axis.n]: weights whose sum over counts is the channel's mean density, counts/keV */
  double *worth;              /* [axis.n]: of a count in each bin */
  double *cells_keV;          /* edges of the profile's cells: points + 1 */
};

/* The flat field of one pixel: L is multiplied by factor; variance: of the factor's logarithm; share: in the mean. Rate:
 * relative to the mean, and the variance of its logarithm. */
struct ct_flat_pixel {
  double factor, variance, share, rate, rate_variance;
};

/* The terms of one spectrum: out[CT_TERMS]. */
typedef void ct_sum_terms_(const struct ct_runs *runs, const uint32_t *spectrum, double *restrict out);

struct ct_compton {
  ct_sum_terms_ *sum_terms;   /* the fastest this processor has */
  struct ct_compton_setup setup;
  struct ct_matter sensor, layers[CT_LAYERS];
  uint32_t n_groups, n_points;
  struct ct_group *groups;
  uint32_t n_windows;         /* channels of background; the double scattering's, if any, is the next */
  uint32_t n_channels;
  double window_centre_keV[2];
  struct ct_flat_pixel *flat; /* [rows*cols] or NULL */
  double flat_mean_variance;  /* of the logarithm of the flat field's mean */
  struct ct_reference *reference;   /* or NULL; with it, of the last profile: */
  double *made, *covariance;        /* [n_points] net counts, [n_points][n_points], */
  double per_count;                 /* and J of a count */
  double *seen;               /* [axis.n]: of the photons of each bin, through the layers and by the sensor */
  uint64_t *total;            /* [axis.n]: one group's summed spectrum, scratch of ct_compton_profile */
};

/* kinematics.c */
double ct_dpz_dE_exact_(double e1_keV, double e2_keV, double theta_rad);

/* geometry.c */
bool ct_compton_along_x_(enum ct_beam beam);
double ct_pixel_theta_rad_(const struct ct_geometry *geometry, double col, double row);

/* corrections.c */
/* A formula as xraylib reads it, to be freed with FreeCompoundData; NULL where it is none. */
struct compoundData;
struct compoundData *ct_parse_formula_(const char *formula);
int ct_matter_init_(struct ct_matter *matter, const struct ct_absorber *layer, const char *what, struct ct_err *err);
/* Fraction of photons that cross it. */
double ct_matter_passage_(const struct ct_matter *matter, double e_keV);
/* What a count is worth beside one at pz = 0. */
double ct_worth_(const struct ct_compton *compton, double theta_rad, double e_keV);
/* The part of photons that pass the layers and that the sensor, if it is known, stops. */
double ct_seen_(const struct ct_compton *compton, double e_keV);
double ct_bin_worth_(const struct ct_compton *compton, double theta_rad, uint32_t bin);

/* weights.c */
struct ct_edge ct_edge_at_(const struct ct_axis *axis, double e_keV);
/* The weight of <bin> in the counts below <edge>. */
double ct_edge_weight_(const struct ct_edge *edge, int order, uint32_t bin);
/* The energy of <pz>, by eq. 2 or exactly, as configured. */
double ct_energy_(const struct ct_compton *compton, double theta_rad, double pz);
/* The background's share of each channel under [from, to]. */
void ct_background_share_(const struct ct_compton *compton, double theta_rad, double from_keV, double to_keV,
                          double share[CT_CHANNELS]);
/* Half width of the window in pz where double scattering takes the height of the peak from. */
#define CT_PEAK_PZ 0.5
/* Fills mean, worth, terms and slopes for the group's theta and bins: 0 or CT_ENOMEM. */
int ct_group_weights_(const struct ct_compton *compton, struct ct_group *group);
void ct_runs_free_(struct ct_runs *runs);

/* sums.c */
ct_sum_terms_ *ct_best_sum_terms_(void);
void ct_plain_terms_(const struct ct_runs *runs, const uint32_t *spectrum, double *restrict out);

/* setup.c */
uint32_t ct_group_of_(const struct ct_compton *compton, uint32_t pixel);
/* Every group has as many pixels as any other; the <k>th one of <group>. */
uint32_t ct_group_pixels_(const struct ct_compton *compton);
uint32_t ct_group_pixel_(const struct ct_compton *compton, uint32_t group, uint32_t k);

#endif
