/* What the files of sim share. */
#ifndef CT_SIM_INTERNAL_H
#define CT_SIM_INTERNAL_H

#include <comptop/sim.h>

#include "sim/random.h"

#define CT_MM_PER_CM 10.0

/* ---- materials.c ------------------------------------------------------------------------------------- */
enum { CT_SIM_NOTHING = -1, CT_SIM_MATERIALS = CT_SIM_LINES };   /* the sources before LINES are matter */
/* Formula units per cm3. */
double ct_material_density(enum ct_sim_source source);
/* ct_sim_profile, with the lithium that <lithiation> means. */
double ct_material_profile(enum ct_sim_source source, enum ct_sim_lithiation lithiation, double pz);
/* Elastic photons per Compton photon at 90 degrees. */
double ct_material_elastic(enum ct_sim_source source);
/* Of 2 mm of CdZnTe: the share of photons that interact. */
double ct_sensor_efficiency(double e_keV);
/* The K lines of W and Pb: energies and shares of all photons detected. Returns how many. */
enum { CT_SIM_LINES_MAX = 100 };
uint32_t ct_shielding_lines(double e_keV[CT_SIM_LINES_MAX], double share[CT_SIM_LINES_MAX]);
/* Lines of a radioactive source between 5 and 200 keV, photons per decay (xraylib's table of radionuclides). */
uint32_t ct_nuclide_lines(enum ct_sim_sample sample, double e_keV[CT_SIM_LINES_MAX], double share[CT_SIM_LINES_MAX]);
static inline bool ct_sample_is_nuclide(enum ct_sim_sample sample) { return sample >= CT_SIM_AM241; }

/* ---- phantom.c: the sample as layers of discs ---------------------------------------------------------- */
/* A disc replaces what it lies on; <around> is the material of the disc it lies in. */
struct ct_disc {
  double x, y, r;
  int material, around;      /* enum ct_sim_source or CT_SIM_NOTHING */
};
struct ct_layer {
  double from_mm, to_mm;     /* in z */
  const struct ct_disc *discs;
  uint32_t n;
};
/* The layers of <sample>, from z = 0 upwards without gaps. */
const struct ct_layer *ct_phantom(enum ct_sim_sample sample, uint32_t *n);
int ct_layer_material(const struct ct_layer *layer, double x, double y);
/* Attenuation along +x from outside to (x, y); mu_cm as ct_phantom_attenuation fills it. */
double ct_layer_depth(const struct ct_layer *layer, double x, double y, const double mu_cm[CT_SIM_MATERIALS]);
/* Attenuation of the whole layer for n rays, the i-th first_mm + i step_mm to the right of the axis, the sample turned
 * by (cos, sin), into depth[n]. */
void ct_layer_chords(const struct ct_layer *layer, double first_mm, double step_mm, uint32_t n, double cosine, double sine,
                     const double mu_cm[CT_SIM_MATERIALS], double *depth);
/* 1/cm of every material at <e_keV>; the cathode's holds its lithium at x = 1. */
void ct_phantom_attenuation(double e_keV, double mu_cm[CT_SIM_MATERIALS]);
/* How much faster than the mean the cathode gives lithium at (y, z): the local x is 1 - (1 - mean) (1 + this). */
double ct_phantom_gradient(const struct ct_sim_effects *effects, double y, double z);

/* What grows: discs of gas (NOTHING) and of lithium, from nothing to r_mm while the cell lives its first ten hours. */
struct ct_growing {
  uint32_t layer;            /* of the cell */
  double x, y, r_mm;
  int material, around;
};
const struct ct_growing *ct_phantom_growing(uint32_t *n);
/* The sample with what has grown to <growth> of its size. */
enum { CT_LAYERS_MAX = 7, CT_DISCS_MAX = 32 };
struct ct_grown {
  struct ct_layer layers[CT_LAYERS_MAX];
  uint32_t n;
  struct ct_disc discs[CT_LAYERS_MAX][CT_DISCS_MAX];
};
void ct_phantom_grown(enum ct_sim_sample sample, double growth, bool gas, bool lithium, struct ct_grown *grown);
/* How far they have grown, 0..1, at <t_s> of a clock that is sped up. */
double ct_phantom_growth(double t_s, double speedup);
#define CT_CATHODE_FROM_MM 0.25
#define CT_CATHODE_TO_MM 1.25
#define CT_SHEET_MM 0.25               /* height of the beam */

/* ---- image.c: what the pinhole camera sees ------------------------------------------------------------- */
/* Into emission[CT_SIM_MATERIALS][pixels]: formula units seen by each pixel with the sheet at <z_mm>, weighted with
 * attenuation, solid angle and vignetting, in units of its own; into gradient[pixels]: the mean ct_phantom_gradient over
 * the lithium seen, NaN where there is none. 0 or CT_ENOMEM. */
int ct_image(const struct ct_sim_config *config, const struct ct_geometry *geometry, double z_mm, double *emission,
             double *gradient) CT_MUST_CHECK;

/* ---- spectrum.c: energies of photons scattered once ------------------------------------------------------ */
#define CT_SPECTRUM_START_KEV 40.0
#define CT_SPECTRUM_STEP_KEV 0.05
/* Up to 114.65 keV; one more cell for the elastic line. */
enum { CT_SPECTRUM_BINS = 1493, CT_SPECTRUM_CELLS = CT_SPECTRUM_BINS + 1 };
/* Shares of photons that are found in the windows of EMF. */
struct ct_windows {
  double low, high;
};
/* One alias table a column and material. */
struct ct_spectrum {
  struct ct_alias_cell *cells;         /* [cols][CT_SIM_MATERIALS][CT_SPECTRUM_CELLS] */
  double *yield;                       /* [cols][CT_SIM_MATERIALS]: photons per formula unit seen, elastic included */
  struct ct_windows *windows;          /* [cols][CT_SIM_SOURCES] */
  struct ct_alias_cell *twice;         /* [CT_SPECTRUM_BINS]: photons scattered twice, for all columns */
};
/* theta_rad[cols]; tables are made for the materials with used[material]; windows of LINES from the <n> lines.
 * 0 or CT_ENOMEM. */
int ct_spectrum_new(struct ct_spectrum *spectrum, const struct ct_sim_config *config, const double *theta_rad,
                    const bool used[CT_SIM_MATERIALS], const double *e_keV, const double *share, uint32_t n) CT_MUST_CHECK;
void ct_spectrum_free(struct ct_spectrum *spectrum);
static inline double ct_spectrum_bin_keV(uint32_t bin)
{
  return CT_SPECTRUM_START_KEV + (bin + 0.5) * CT_SPECTRUM_STEP_KEV;
}
/* A photon's energy; <shift_keV> is added unless it was scattered elastically. */
double ct_spectrum_pick(const struct ct_spectrum *spectrum, uint32_t col, uint32_t material, double shift_keV,
                        struct ct_random *random);
double ct_spectrum_pick_twice(const struct ct_spectrum *spectrum, struct ct_random *random);

/* ---- twice.c: photons scattered twice ------------------------------------------------------------------ */
/* Photons scattered twice per photon scattered once (compton.md's estimate for the cell). */
#define CT_TWICE_SHARE 0.08
/* Their energies before the sensor: into density[CT_SPECTRUM_BINS], summing to 1. */
void ct_twice_density(double density[CT_SPECTRUM_BINS]);

/* ---- response.c: the widths of what the sensor finds ------------------------------------------------------- */
#define CT_SIM_FWHM_PER_SIGMA 2.354820045
#define CT_SIM_STATISTICS_KEV 0.505    /* FWHM at 93.6 keV */
/* Shares of photons of <e_keV> that come to 1, 2, 3, 4 pixels with more than 5 keV. */
void ct_response_shares(double e_keV, double share[4]);
/* sigma of the sum of <n> pixels' energies. */
double ct_response_sigma_keV(const struct ct_sim_effects *effects, double e_keV, unsigned n);
/* A photon of <e_keV> in the windows with these edges (pz = -5, -1, 1, 5), found as a single or double hit. */
struct ct_windows ct_response_windows(const struct ct_sim_effects *effects, double e_keV, const double edges_keV[4]);

/* ---- changes.c: what changes while the cell lives ---------------------------------------------------------- */
/* Share of a pixel's cathode and electrolyte that gas has replaced at <t_s>, sheet at <z_mm>. */
double ct_bubble_cover(const struct ct_sim_config *config, double t_s, double z_mm, uint32_t pixel);
/* The sources that gas replaces. */
static inline bool ct_source_gives_way(uint32_t source)
{
  return source == CT_SIM_CATHODE || source == CT_SIM_LITHIATION || source == CT_SIM_ELECTROLYTE;
}
/* A Bragg flash at <t_s>: its middle pixel in *pixel, or false. */
bool ct_flash(const struct ct_sim_config *config, double t_s, uint32_t *pixel);
#define CT_FLASH_SHARE 0.1             /* of all photons */

/* ---- sensor.c: where a photon leaves its energy -------------------------------------------------------------- */
struct ct_sensor;
/* NULL when nothing in <effects> needs it, too. 0 or CT_ENOMEM. */
int ct_sensor_new(struct ct_sensor **out, const struct ct_sim_effects *effects) CT_MUST_CHECK;
void ct_sensor_free(struct ct_sensor *sensor);
enum { CT_DEPOSITS = 8 };
struct ct_deposit {
  double x_mm, y_mm, z_mm;   /* from the middle of the photon's pixel; depth below the face that the photon entered */
  double e_keV;
};
/* Follows a photon that will interact; returns how many deposits it makes. */
uint32_t ct_sensor_follow(const struct ct_sensor *sensor, double e_keV, struct ct_random *random,
                          struct ct_deposit deposits[CT_DEPOSITS]);
#define CT_SENSOR_MM 2.0
#define CT_PITCH_MM 0.25

/* ---- sim.c and detector.c ------------------------------------------------------------------------------- */
enum { CT_SIM_BLOCK = 64 };            /* pixels that loops over a frame take at a time */
/* The sheet at one height. Photons are those of a full cathode, a full beam and no gas. */
struct ct_scene {
  struct ct_alias count;               /* photons in a frame */
  struct ct_alias origin;              /* [source][pixel] */
  double *weight;                      /* [source][pixel] photons/s */
  float *gradient;                     /* [pixel], NaN where no lithium is seen */
};
struct ct_sim {
  struct ct_sim_config config;
  uint32_t pixels, padded;             /* padded: pixels rounded up to CT_SIM_BLOCK */
  /* the source */
  struct ct_spectrum spectrum;
  struct ct_scene *scenes;             /* [config.heights] */
  float *shift_keV;                    /* [pixel]: Compton energy less that of the column's table */
  double lines_keV[CT_SIM_LINES_MAX];  /* of shielding or nuclide */
  struct ct_alias lines;
  double no_flash;                     /* exp(-photons of a flash in a frame) */
  uint32_t photons_max;                /* in a frame */
  /* the detector */
  struct ct_sensor *sensor;            /* NULL: every photon leaves all its energy in its pixel */
  uint32_t *dead, *noisy;              /* pixels, config.effects' numbers of them */
  int16_t *noise;                      /* a pool in ADU: a frame is a run of it that begins anywhere */
  uint32_t noise_starts;
  double *gain_keV, *intercept_keV;    /* [pixel]: the calibration */
  double *true_gain_keV;               /* [pixel]: what it misses is in here */
  int16_t *pedestal;                   /* [padded] ADU; NULL: none */
  int16_t *frame;                      /* [padded] being made */
  uint32_t *asic;                      /* [cols]: geometric column of the k-th value read; NULL: geometric order */
  struct ct_sim_photon *photons;
};
/* ---- scene.c: the sheet at one height -------------------------------------------------------------------- */
/* From ct_image's emission and gradient; *scale, photons/s per unit of emission, is 0 for the first scene, which finds
 * it, and is kept by the others: the beam is the same. 0 or CT_ENOMEM. */
int ct_scene_new(struct ct_scene *scene, const struct ct_sim *sim, const double *emission, const double *gradient,
                 double line_share, double *scale) CT_MUST_CHECK;
void ct_scene_free(struct ct_scene *scene);
/* Lithium left in what pixel <p> sees, given how much the mean has lost. */
static inline double ct_scene_lithium(const struct ct_scene *scene, uint32_t p, double taken)
{
  return 1 - taken * (1 + (double)scene->gradient[p]);
}
/* What the mean of the cathode has lost at <t_s>. */
double ct_sim_taken(const struct ct_sim_config *config, double t_s);

int ct_detector_new(struct ct_sim *sim) CT_MUST_CHECK;
void ct_detector_free(struct ct_sim *sim);

#endif
