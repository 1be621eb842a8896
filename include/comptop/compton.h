/* compton: spectra -> electron momentum -> L, H, EMF with their errors, and the Compton profile.
 * Ownership: a struct ct_compton belongs to whoever made it and keeps nothing of what it was made from; every array
 * passed in or out stays the caller's. Pure: memory in, memory out.
 *
 * Units: energies keV, angles rad unless _deg, momenta atomic units (pz/mc * 137.036), lengths mm, cross sections barn.
 * "Eq. 2" is the one of Leung et al. 2024 (the paper behind this program); "exact" is the relativistic form of
 * Ribberfors, Phys. Rev. B 12 (1975) 2067, and Holm, Phys. Rev. A 37 (1988) 3706. */
#ifndef COMPTOP_COMPTON_H
#define COMPTOP_COMPTON_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <comptop/core.h>
#include <comptop/snapshot.h>
#include <comptop/spectra.h>

/* ---- kinematics of one scattering ------------------------------------------------------------------
 * e1: incident, e2: scattered energy, both > 0; theta: scattering angle in (0, pi]. Anything else gives NaN. */
#define CT_ELECTRON_KEV 510.99895          /* m c^2, CODATA 2018 */
#define CT_AU_PER_MC 137.035999084         /* one m c in atomic units of momentum: 1/alpha, CODATA 2018 */

/* Momentum along the scattering vector, eq. 2: 137.036 (E2 - E1 + E1 E2 (1-cos)/mc2) / sqrt(E1^2 + E2^2 - 2 E1 E2 cos). */
double ct_compton_pz(double e1_keV, double e2_keV, double theta_rad);
/* The exact inverse of eq. 2, in closed form; pz = 0 gives the Compton energy. NaN where no energy has that pz
 * (pz outside -137.036 .. 137.036 (1 + E1 (1-cos)/mc2)). */
double ct_compton_e2_keV(double e1_keV, double theta_rad, double pz);
/* d pz / d E2 of eq. 2, a.u. per keV. */
double ct_compton_dpz_dE(double e1_keV, double e2_keV, double theta_rad);
/* The exact momentum, Ribberfors and Holm; it differs from eq. 2 by 0.016 a.u. at -5 a.u., 0.0005 at +-1, 0.01 at +5 (114.64 keV, 90 deg). */
double ct_compton_pz_exact(double e1_keV, double e2_keV, double theta_rad);
/* Its inverse, by guarded Newton steps to the last bits. */
double ct_compton_e2_exact_keV(double e1_keV, double theta_rad, double pz);
/* F in d2sigma/(dOmega dE2) = F J(pz), barn/(sr keV) for J in 1/a.u. (Holm 1988, with the exact pz). <polarisation> is the
 * degree of linear polarisation 0..1, <phi_rad> the angle between the polarisation and the scattering plane:
 * pi/2 is scattering perpendicular to the polarisation. Integrates to Klein-Nishina times the electrons in J. */
double ct_compton_cross_section(double e1_keV, double e2_keV, double theta_rad, double polarisation, double phi_rad);
/* dsigma/dOmega of a free electron at rest, barn/sr (Klein and Nishina 1929); polarisation as above. */
double ct_klein_nishina(double e1_keV, double theta_rad, double polarisation, double phi_rad);

/* ---- geometry ---------------------------------------------------------------------------------------- */
/* Direction of the beam in the sample plane; x along columns, y along rows. */
enum ct_beam { CT_BEAM_PLUS_X, CT_BEAM_MINUS_X, CT_BEAM_PLUS_Y, CT_BEAM_MINUS_Y };

/* A pinhole camera looking at the sheet of beam in the sample. Its axis runs through the pinhole, lies in the plane of
 * beam and sheet normal, and leaves the beam at theta_deg; the detector is perpendicular to it. */
struct ct_geometry {
  double theta_deg;
  double object_mm, detector_mm;       /* pinhole to sample and to detector, along the axis; magnification = detector/object */
  double pitch_mm;
  enum ct_beam beam;
  double centre_x_px, centre_y_px;     /* where the axis meets the detector; the first pixel's centre is 0 */
  bool theta_map;                      /* false: theta_deg for every pixel */
};

/* Scattering angle of every pixel into theta_rad[rows*cols], row-major. The pinhole inverts: for CT_BEAM_PLUS_X column 0
 * sees the downstream end of the sample (larger angle). A ray through the pinhole that meets the detector at u mm along
 * the beam and v mm across it has cos(theta) = (d cos(theta0) + u sin(theta0)) / sqrt(d^2 + u^2 + v^2), d = detector_mm;
 * at 90 degrees and with x = -u object/detector this is -x / sqrt(x^2 + y^2 + object^2). object_mm cancels.
 * CT_ERANGE when the geometry has no such angles. */
int ct_compton_theta_map(const struct ct_geometry *geometry, uint32_t rows, uint32_t cols, double *theta_rad,
                         struct ct_err *err) CT_MUST_CHECK;

/* ---- analysis ------------------------------------------------------------------------------------------ */
enum ct_background { CT_BACKGROUND_NONE, CT_BACKGROUND_FLAT, CT_BACKGROUND_LINEAR };

/* Matter that photons cross. */
enum { CT_FORMULA = 64, CT_LAYERS = 4 };
struct ct_absorber {
  char formula[CT_FORMULA];            /* as xraylib reads it: Cd0.9Zn0.1Te */
  double g_cm3, mm;
};

/* What a uniform scatterer showed, per pixel, row-major; NaN where nothing is known. */
struct ct_flat {
  uint32_t rows, cols;
  const double *emf, *emf_sigma;
  const double *rate, *rate_sigma;     /* (L+H) a second */
};

/* Zero is off in everything from pz_exact on. */
struct ct_compton_setup {
  double e1_keV;
  struct ct_geometry geometry;
  uint32_t rows, cols;
  struct ct_axis axis;
  double p_low, p_high;                /* L: |pz| < p_low; H: p_low < |pz| < p_high; a.u., by eq. 2 */
  int order;                           /* inside a bin cut by a window edge: 1 uniform, 2 sloping */
  enum ct_background background;       /* flat: counts per keV of all windows; linear: line through two windows' means */
  double windows_keV[2][2];            /* [window][from, to] */
  uint32_t n_windows;
  bool pz_exact;                       /* pz of Ribberfors and Holm instead of eq. 2 */
  /* Each count is divided by what is on, relative to pz = 0: */
  bool jacobian;                       /* d E2 / d pz: L and H are then integrals over pz, not over energy */
  bool cross_section;                  /* F of ct_compton_cross_section */
  bool efficiency;                     /* of <sensor>: 1 - exp(-mu x) */
  double polarisation, phi_deg;        /* for F */
  struct ct_absorber sensor;
  struct ct_absorber layers[CT_LAYERS];   /* between sample and sensor: exp(-mu x) */
  uint32_t n_layers;
  /* Photons scattered twice, subtracted: a density that rises in a straight line from the lowest energy of two equal
   * scatterings, where it is 0, through <double_scatter> times the measured density at |pz| < 0.5 at the Compton energy,
   * to the highest, E1 / (1 + 2 E1 (1 - cos(theta/2)) / mc2), and ends there. Neither window sees it end. */
  double double_scatter;
  bool unbias;                         /* EMF without the low-count bias of a ratio */
  double energy_sigma_keV;             /* error of the energy scale common to all pixels */
  double pixel_sigma_keV;              /* error of each pixel's own, independent of the others */
  enum ct_normalisation normalisation; /* of the profile */
  double flat_exponent;                /* EMF = L/H (flat EMF of the pixel / mean flat EMF)^-exponent */
};

/* Precomputes the weights of every group of pixels that share a theta: the columns for a beam along x, the rows for one
 * along y, one group when theta_map is off; the group's theta is the mean over its pixels.
 * CT_ERANGE for anything that cannot be measured with these bins, naming the column (row) and the energies;
 * CT_ENOMEM. A ct_compton may be used by many threads at once, except for ct_compton_profile. */
struct ct_compton;
int ct_compton_new(struct ct_compton **out, const struct ct_compton_setup *setup, struct ct_err *err) CT_MUST_CHECK;
/* Takes a flat field of EMF into use, copying it; call it once, before any sums. L is multiplied by the pixel's factor,
 * H and the pz > 0 half are not. The mean is that of L over that of H; pixels without a usable flat EMF (not above 0, or
 * its error not below half of it) have no sums from then on. CT_ERANGE: another shape, or no usable pixel; CT_ENOMEM. */
int ct_compton_set_flat(struct ct_compton *compton, const struct ct_flat *flat, struct ct_err *err) CT_MUST_CHECK;
/* Whether the pixel has a usable flat field, or none is in use. */
bool ct_compton_flat_ok(const struct ct_compton *compton, uint32_t pixel);
/* 0, or CT_ERANGE where e1_keV is not above the K edge (xraylib) of one of the elements "W,Pb". */
int ct_compton_check_edges(double e1_keV, const char *elements, struct ct_err *err) CT_MUST_CHECK;
void ct_compton_free(struct ct_compton *compton);
/* The theta that pixel (row-major index) is analysed with. */
double ct_compton_theta_rad(const struct ct_compton *compton, uint32_t pixel);

/* What is needed of one or many pixels for EMF, EMF+ and asymmetry; every member is a sum over counts, so the sums of
 * pixels add: this is how pixels of different theta are summed in pz space. After background; minus = all - plus
 * where no flat field is in use. The variances are those of counting, of each pixel's own energy scale and of its flat
 * field; what all pixels share is kept apart until ct_compton_emf. */
struct ct_sums {
  double L, H, var_L, var_H, cov_LH;
  double L_plus, H_plus, var_L_plus, var_H_plus, cov_LH_plus;   /* pz > 0 half */
  double cov_HH_plus;                                           /* of H and H_plus */
  double slope_L, slope_H, slope_L_plus, slope_H_plus;          /* per keV of a common energy error */
  double flat_share;                                            /* covariance of log L with the flat field's mean, times L */
  double counts;                                                /* |pz| < p_high, background not subtracted */
};
void ct_sums_add(struct ct_sums *sum, const struct ct_sums *other);

/* The sums of one pixel from its <axis.n> counts. */
void ct_compton_sums(const struct ct_compton *compton, uint32_t pixel, const uint32_t *spectrum, struct ct_sums *out);
/* The sums of every pixel from cube[rows*cols][axis.n] into out[rows*cols]. Pixels with select[pixel] == 0 are zeroed;
 * select NULL: all pixels. */
void ct_compton_map(const struct ct_compton *compton, const uint32_t *cube, const uint8_t *select, struct ct_sums *out);
/* The same without flat field and errors of the energy scale, of all pixels: these follow the counts in proportion, so
 * what came between two moments is the difference of their sums, ct_sums_since. ct_sums_settle makes of them what
 * ct_compton_sums gives for the pixel. */
void ct_compton_counts(const struct ct_compton *compton, const uint32_t *cube, struct ct_sums *out);
void ct_sums_settle(const struct ct_compton *compton, uint32_t pixel, struct ct_sums *sums);
void ct_sums_since(struct ct_sums *out, const struct ct_sums *later, const struct ct_sums *earlier);
/* EMF = L/H as the paper has it with sigma^2 = (var_L - 2 EMF cov + EMF^2 var_H)/H^2, the errors all pixels share
 * included; the same of the pz > 0 half; asymmetry (H+ - H-)/(H+ + H-). NaN where the divisor is not positive or a result
 * is not finite, and, where a background is subtracted, where L is negative or H not above 3 of its sigma.
 * With <unbias> the ratio is (L + cov/H)/(H + var_H/H), which takes away the second-order bias (EMF var_H - cov)/H^2
 * and is L/(H + 1) for plain counts. */
void ct_compton_emf(const struct ct_compton *compton, const struct ct_sums *sums, struct ct_emf *out);
/* What is proportional to electron density: (L+H)/live_s of one pixel, over the flat field's rate relative to its mean
 * where one is in use, and its variance (the flat field's included, that of its mean left out). NaN without time or a
 * flat rate. */
void ct_compton_intensity(const struct ct_compton *compton, uint32_t pixel, const struct ct_sums *sums, double live_s,
                          double *value, double *variance);

/* ---- lithium: x = x0 + (EMF - EMF0)/S ------------------------------------------------------------------------
 * What EMF means for the lithium content is known only from references: EMFs measured in this very set-up at known x.
 * The line through them is a weighted least-squares fit (Bevington and Robinson, Data Reduction, ch. 6); x0 is the
 * weighted mean of the references' x, where the errors of EMF0 and slope are uncorrelated. */
struct ct_lithium_reference {
  double x, emf, sigma;
};
/* CT_ERANGE, and a line without references in *out: fewer than 2, all at the same x, the same EMF everywhere, an error
 * that is not positive. */
int ct_lithium_fit(struct ct_lithium *out, const struct ct_lithium_reference *references, uint32_t n,
                   struct ct_err *err) CT_MUST_CHECK;

/* ---- where the peaks lie ------------------------------------------------------------------------------------
 * A group is what shares an angle: a column for a beam along x, a row for one along y, everything without a theta map. */
uint32_t ct_compton_groups(const struct ct_compton *compton);
double ct_compton_group_theta_rad(const struct ct_compton *compton, uint32_t group);
/* The angle that puts pz = 0 at e2_keV; NaN where none does. */
double ct_compton_theta_of_rad(double e1_keV, double e2_keV);
/* The Compton peak of every group's selected pixels (select as above) and its counting error into e2_keV and
 * sigma_keV[ct_compton_groups()]: the energy around which J(pz) (counts over F, dE/dpz, layers and the efficiency of
 * <sensor>, if it has a formula) is symmetrical within 2 a.u., so that a level background hardly moves it; one-sided tails
 * do. It is looked for without the
 * configured angles, within twice their spread and 2 degrees more. NaN with fewer than 200 counts or without a peak. Not
 * to be called by two threads at once. */
void ct_compton_peaks(struct ct_compton *compton, const uint32_t *cube, const uint8_t *select, double *e2_keV,
                      double *sigma_keV);

/* What the peaks say of the geometry, at the configured theta_deg (which an error of the energy scale and one of the
 * centre are the same to: 0.03 keV a pixel). */
struct ct_geometry_fit {
  enum ct_beam beam;                     /* the sign, along the configured axis */
  double centre_px, centre_sigma_px;     /* along the beam */
  double detector_mm, detector_sigma_mm;
  double chi2;                           /* with groups - 2 degrees of freedom; errors are widened by its excess */
  uint32_t groups;                       /* that had a peak */
};
/* The straight line of tan(theta_deg - theta) over the columns, by weighted least squares; false (and NaN) with fewer than
 * 5 peaks, or no slope beyond 5 of its errors. */
bool ct_compton_fit_geometry(const struct ct_compton *compton, const double *e2_keV, const double *sigma_keV,
                             struct ct_geometry_fit *out);
/* What of <geometry> a fit contradicts by more than 5 of its errors and by 1 pixel or 2 % of the distance. */
enum { CT_WRONG_SIGN = 1, CT_WRONG_CENTRE = 2, CT_WRONG_DISTANCE = 4 };
unsigned ct_geometry_contradictions(const struct ct_geometry *geometry, const struct ct_geometry_fit *fit);
/* Puts the fit in the place of what was configured. */
void ct_geometry_take(struct ct_geometry *geometry, const struct ct_geometry_fit *fit);
/* ---- adaptive binning ------------------------------------------------------------------------------------------
 * Squares of CT_ADAPTIVE_MAX pixels, at multiples of that, are divided into four, and those again, as long as all four have an
 * EMF with an error of at most target_sigma and L+H of at least min_counts (or no live pixel): a quadtree, the same for the
 * same counts. A square that reaches neither stays whole. */
enum { CT_ADAPTIVE_MAX = 16 };
struct ct_adaptive {
  const struct ct_compton *compton;
  const struct ct_sums *sums;            /* [rows*cols] */
  const uint8_t *live;
  uint32_t rows, cols;
  double target_sigma, min_counts;
};
/* The edge, 1 to CT_ADAPTIVE_MAX, of the cell that each pixel is in, into edges[rows*cols]; a cell begins at multiples of
 * its edge. */
void ct_adaptive_edges(const struct ct_adaptive *adaptive, uint8_t *edges);
/* The sums of the cell of this edge that (x, y) is in, and its live pixels. */
uint32_t ct_adaptive_cell(const struct ct_adaptive *adaptive, uint32_t x, uint32_t y, uint32_t edge, struct ct_sums *sum);

/* ---- places: Bragg flashes and bubbles ------------------------------------------------------------------------
 * Maps are counts per pixel, row-major, rows*cols. mark and stack are scratch of rows*cols; all memory is the caller's. */
struct ct_places {
  uint32_t rows, cols;
  const uint8_t *live;
  uint8_t *mark;
  uint32_t *stack;
};
struct ct_place {
  uint32_t pixels;                       /* 0: nothing found */
  int32_t x, y;                          /* where; -1: nowhere */
  double strength;
};
/* Pixels whose elastic line is more than <factor> times what the median of elastic over Compton counts (of 3 x 3 pixels
 * with 50 Compton counts at least) makes expect, and beyond that by 5 sqrt(expected) + 10: a crystallite in reflection. x, y
 * is the strongest, strength the median, NaN where nothing is bright enough; they are marked in places->mark. */
void ct_places_bragg(struct ct_places *places, const double *elastic, const double *compton, double factor,
                     struct ct_place *out);
/* The largest connected region, of 4 pixels at least, in which the counts fell by more than <loss> and by 5 standard
 * errors (each with its 8 neighbours) against those of before, scaled so that both have the same sum: a bubble. x, y is its
 * middle, strength the part of its counts that is lost. */
void ct_places_bubble(struct ct_places *places, const double *now, const double *before, double loss,
                      struct ct_place *out);

/* ---- change: trend and CUSUM of one EMF ------------------------------------------------------------------------
 * Fed with disjoint samples in the order of time: the sums of what came since the sample before. A sample of too few
 * counts (L+H below 400, or H below 3 of its errors) goes on into the next.
 *   trend  the straight line through the samples, weighted least squares (Bevington and Robinson, ch. 6);
 *   CUSUM  over steps of one or more samples, two-sided, of the deviations from the pooled EMF of all steps before, in
 *          their standard errors (Page, Biometrika 41 (1954) 100; self-starting: Hawkins, J. Qual. Technol. 19 (1987)
 *          195): no reference has to be chosen. up and down are its sums; the alarm is on from more than h until both are
 *          below h/2. With k = 0.5, h = 5 one false alarm comes in 465 steps on average.
 * Only counting errors count here: what all samples share does not change. Public so that it can lie in other structs:
 * leave the members alone. */
struct ct_drift {
  double k, h;
  double first_s, first, w, wt, wtt, wy, wty;   /* the line, relative to its first point */
  uint32_t samples, steps, alarms;
  struct ct_sums open, step, pooled;
  double open_t_s;                              /* times its counts */
  double up, down;
  bool alarm;
};
void ct_drift_init(struct ct_drift *drift, double k, double h);
/* <t_s>: the middle of the sample; with <ends_step> the step ends with this sample, if it has enough counts. */
void ct_drift_add(struct ct_drift *drift, double t_s, const struct ct_sums *sample, bool ends_step);
/* The trend is NaN before the third sample. */
void ct_drift_report(const struct ct_drift *drift, struct ct_change *out);
/* The |z| that one of <tests> standard normal numbers, independent or not, exceeds with at most the probability <chance>
 * (Bonferroni): 4.47 for 6400 and 3.48 for 100 tests at a chance of 0.05. */
double ct_family_z(double chance, double tests);

/* ---- Compton profile ------------------------------------------------------------------------------------- */
#define CT_PROFILE_STEP 0.2            /* a.u. */
#define CT_PROFILE_MAX 10.0            /* a.u.; less where the bins do not reach that far for every theta */
#define CT_PROFILE_POINTS 101          /* at most */
/* Points of the profile: odd, the middle one at pz = 0. */
uint32_t ct_compton_profile_points(const struct ct_compton *compton);
/* The profile of the selected pixels (select as above) into pz, J, sigma of ct_compton_profile_points() each.
 * Every group's counts are shared out to cells of CT_PROFILE_STEP centred on pz[] with that group's theta and the
 * configured order, after background; then J(0) is made 1 (or as <normalisation> says). *norm is the counts per a.u. at
 * pz = 0 before that.
 * sigma is each point's own counting error (background included) on the scale of J; the error of the norm, common to
 * all points, is not in it, nor are the correlations of neighbours that share a bin. Not corrected for F or efficiency.
 * J and sigma are NaN where there is nothing to normalise by (counts at pz = 0, or their sum, not above 0). */
void ct_compton_profile(struct ct_compton *compton, const uint32_t *cube, const uint8_t *select, double *pz, double *J,
                        double *sigma, double *norm);

/* ---- a reference beside the profile ------------------------------------------------------------------------- */
/* On the grid pz = (j - CT_PROFILE_POINTS/2) CT_PROFILE_STEP; NaN where nothing is known, sigma 0 where it is exact. */
struct ct_reference {
  char name[64];
  double J[CT_PROFILE_POINTS], sigma[CT_PROFILE_POINTS];
};
/* Free atoms (xraylib: Biggs, Mendelsohn, Mann 1975) as this analysis would measure them at theta_deg: with the cross
 * section, the efficiency of <sensor> and the layers, blurred by a Gaussian of fwhm_keV, then corrected as configured.
 * CT_EFORMAT: not a formula; CT_ERANGE: an element whose K edge is above the beam, or without a profile; CT_ENOMEM. */
int ct_reference_formula(struct ct_reference *out, const struct ct_compton *compton, const char *formula, double fwhm_keV,
                         struct ct_err *err) CT_MUST_CHECK;
/* An earlier profile: n points of pz, J, sigma in points[3 * n]. CT_EFORMAT: off the grid, or nothing at pz = 0. */
int ct_reference_points(struct ct_reference *out, const char *name, size_t n, const double *points,
                        struct ct_err *err) CT_MUST_CHECK;
/* Every ct_compton_profile from now on can be compared; copies it; call it once. CT_ENOMEM. */
int ct_compton_set_reference(struct ct_compton *compton, const struct ct_reference *reference,
                             struct ct_err *err) CT_MUST_CHECK;
/* The reference beside the last profile made: scaled so that it fits best, and its error, on the profile's grid and scale;
 * chi2 with the full covariance of the points, in groups of cells at least two bins wide with 10 counts or more, and its
 * degrees of freedom (groups - 1). The errors of neighbours in a measured reference are taken to go together as the
 * profile's do. False, NaN and 0 where there are too few counts. Needs a reference. */
bool ct_compton_compare(const struct ct_compton *compton, double *reference, double *sigma, double *chi2, uint32_t *dof);

#endif
