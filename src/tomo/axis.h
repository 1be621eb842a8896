/* Inside tomo: the ways to find an axis. All give 0 or CT_ENODATA. */
#ifndef CT_TOMO_AXIS_H
#define CT_TOMO_AXIS_H

#include <comptop/tomo.h>

#include <fftw3.h>

enum { CT_COARSE_COLS = 384, CT_WEDGE_COLS = 512, CT_WEDGE_PLANS = 5, CT_WEDGE_LEAST = 45, CT_PAIRS_MAX = 64,
       CT_FACING_MAX = 256, CT_FACING_COLS = 512, CT_AXIS_VIEWS = 1440 };

/* What interpolation leaves of an error where there is no noise. */
#define CT_AXIS_SIGMA_LEAST_PX 0.008

/* A row and the mirrored one half a turn later, made ready for comparison. */
struct ct_facing {
  float *row, *mirror;              /* [cols] */
  float *coarse_row, *coarse_mirror;   /* [coarse_cols] */
  double down;                      /* rows of the detector below the one whose axis is looked for */
};

/* What there is of <n> facings: the same number of pairs of each of <rows> detector rows. */
struct ct_facings {
  uint32_t n, rows;
  double noise, shared;             /* variance of a value's noise; the part of it that all pairs of a row have alike */
};

struct ct_axis_view {
  double angle_deg;
  const float *row;
};

struct ct_axis_finder {
  uint32_t cols;
  const float *ring;                /* [cols]: what is subtracted from every row; NULL: nothing */
  float *beyond;                    /* [cols]: a row that was never taken */
  double *mean;                     /* [cols] of all rows */
  double noise, shared;             /* variance of a value's noise, and of what all rows have alike */
  double lean;                      /* level at the left less that at the right */
  bool cut;                         /* the sample reaches beyond the detector */
  /* What is looked at of a slice's projections. */
  struct ct_axis_view view[CT_AXIS_VIEWS];
  const float *rows[CT_AXIS_VIEWS], *opposite[CT_PAIRS_MAX];
  uint32_t first[CT_PAIRS_MAX], second[CT_PAIRS_MAX];   /* of pairs, in the order of angles */
  double angle_deg[CT_AXIS_VIEWS];

  /* pairs.c */
  uint32_t coarse_bin, coarse_cols;
  uint32_t most;                    /* facings there is room for: CT_PAIRS_MAX of more than CT_FACING_COLS columns */
  struct ct_facing facing[CT_FACING_MAX];
  float *scratch;                   /* [cols + 4] */
  double *sums;                     /* 4 x [cols + 1] */

  /* wedge.c: rows of <wedge_cols> columns, padded to <wedge_len>; CT_WEDGE_LEAST << i rows by plan i */
  uint32_t wedge_bin, wedge_cols, wedge_len;
  float *wedge_row;
  double level[2], drift[2];        /* of the first and the last columns */
  double height;                    /* the most that rows have above */
  double cot[CT_WEDGE_LEAST << (CT_WEDGE_PLANS - 1)];
  double energy, terms;             /* of half a turn, outside the wedge: of how many coefficients */
  double with_energy, with_noise;   /* how much noise moves the slope of what is outside, squared, with signal and with noise */
  fftwf_complex *spectra;           /* [rows][wedge_len / 2 + 1] */
  fftwf_complex *column, *turned;   /* [2 * rows] */
  fftwf_complex *cross;             /* [wedge_len / 2 + 1] */
  fftwf_complex *response;          /* [wedge_len / 2 + 1]: what the same in all rows does to that */
  fftwf_complex *line[2];           /* [wedge_len / 2 + 1]: spectra of a level that is wrong at the left, at the right */
  fftwf_plan along, across[CT_WEDGE_PLANS];
};

/* Noise, what rows have alike from column to column, and whether all of the sample is seen. */
void ct_axis_look_over(struct ct_axis_finder *finder, const float *const *rows, uint32_t n);
/* Up to <most> opposite ones, spread over all there are, into finder->first and ->second. */
uint32_t ct_axis_pairs(struct ct_axis_finder *finder, const struct ct_tomo *tomo, uint32_t most);
/* Adds facings of <n> pairs of a row of the detector, <down> as there, whose noise counts alike whatever it is. Of what is
 * <turning>: without what they have in common, which is as symmetric about the axis as the rest, but not where beam or columns
 * have changed since the flat. */
void ct_axis_face(struct ct_axis_finder *finder, struct ct_facings *facings, const float *const *rows, const float *const *opposite,
                  uint32_t n, bool turning, double down);
/* The axis that they are opposite about. */
int ct_axis_from_facings(struct ct_axis_finder *finder, const struct ct_facings *facings, struct ct_tomo_axis *axis);
/* What is <turning> says, where that is surer than <all> there is, or says something else. */
struct ct_tomo_axis ct_axis_agreed(const struct ct_tomo_axis *turning, const struct ct_tomo_axis *all);
bool ct_axis_is_good(const struct ct_tomo_axis *axis);   /* its error cannot be seen */
/* rows[i] and opposite[i] are those of the same detector row, half a turn apart. */
int ct_axis_from_pairs(struct ct_axis_finder *finder, const float *const *rows, const float *const *opposite, uint32_t n,
                       struct ct_tomo_axis *axis);
/* rows[n] at angle_deg[n], ascending over half a turn. */
int ct_axis_from_wedge(struct ct_axis_finder *finder, const float *const *rows, const double *angle_deg, uint32_t n,
                       struct ct_tomo_axis *axis);
int ct_axis_from_mass(struct ct_axis_finder *finder, const float *const *rows, const double *angle_deg, uint32_t n,
                      struct ct_tomo_axis *axis);

/* Variance of the noise of a row's values. */
double ct_axis_noise(const float *row, uint32_t cols);
/* out[cols] = the row less the finder's ring. */
void ct_axis_take(const struct ct_axis_finder *finder, float *out, const float *row);

/* The mean of every <bin> columns. */
void ct_axis_bin(float *out, const float *row, uint32_t bin, uint32_t cols);
/* Where the parabola through (-1, before), (0, at), (1, after) has its extreme, within -1..1; 0 if it is a line. */
double ct_axis_vertex(double before, double at, double after);

#endif
