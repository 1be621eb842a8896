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
/* Elastic photons per Compton photon at 90 degrees. */
double ct_material_elastic(enum ct_sim_source source);
/* Of 2 mm of CdZnTe: the share of photons that interact. */
double ct_sensor_efficiency(double e_keV);
/* The K lines of W and Pb: energies and shares of all photons detected. Returns how many. */
enum { CT_SIM_LINES_MAX = 16 };
uint32_t ct_shielding_lines(double e_keV[CT_SIM_LINES_MAX], double share[CT_SIM_LINES_MAX]);

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
/* Attenuation of the whole layer for a ray <across_mm> to the right of the axis, the sample turned by (cos, sin). */
double ct_layer_chord(const struct ct_layer *layer, double across_mm, double cosine, double sine,
                      const double mu_cm[CT_SIM_MATERIALS]);
/* 1/cm of every material at <e_keV>; the cathode's holds its lithium at x = 1. */
void ct_phantom_attenuation(double e_keV, double mu_cm[CT_SIM_MATERIALS]);
/* How much faster than the mean the cathode gives lithium at y: the local x is 1 - (1 - mean) (1 + this). */
double ct_phantom_gradient(double y);

/* ---- image.c: what the pinhole camera sees ------------------------------------------------------------- */
/* Into emission[CT_SIM_MATERIALS][pixels]: formula units seen by each pixel, weighted with attenuation, solid angle and
 * vignetting, in units of its own; into gradient[pixels]: the mean ct_phantom_gradient over the lithium seen, NaN where
 * there is none. 0 or CT_ENOMEM. */
int ct_image(const struct ct_sim_config *config, const struct ct_geometry *geometry, double *emission, double *gradient)
  CT_MUST_CHECK;

/* ---- spectrum.c: energies of Compton photons ------------------------------------------------------------- */
#define CT_SPECTRUM_START_KEV 40.0
#define CT_SPECTRUM_STEP_KEV 0.05
/* Up to 114.65 keV; one more cell for the elastic line. */
enum { CT_SPECTRUM_BINS = 1493, CT_SPECTRUM_CELLS = CT_SPECTRUM_BINS + 1 };
/* One alias table a column and material. */
struct ct_spectrum {
  struct ct_alias_cell *cells;         /* [cols][CT_SIM_MATERIALS][CT_SPECTRUM_CELLS] */
  double *yield;                       /* [cols][CT_SIM_MATERIALS]: photons per formula unit seen, elastic included */
};
/* theta_rad[cols]; tables are made for the materials with used[material]. 0 or CT_ENOMEM. */
int ct_spectrum_new(struct ct_spectrum *spectrum, const double *theta_rad, uint32_t cols,
                    const bool used[CT_SIM_MATERIALS]) CT_MUST_CHECK;
void ct_spectrum_free(struct ct_spectrum *spectrum);
/* A photon's energy; <shift_keV> is added unless it was scattered elastically. */
double ct_spectrum_pick(const struct ct_spectrum *spectrum, uint32_t col, uint32_t material, double shift_keV,
                        struct ct_random *random);

/* ---- sim.c and detector.c ------------------------------------------------------------------------------- */
enum { CT_SIM_BLOCK = 64 };            /* pixels that loops over a frame take at a time */
struct ct_sim {
  struct ct_sim_config config;
  uint32_t pixels, padded;             /* padded: pixels rounded up to CT_SIM_BLOCK */
  /* the source */
  struct ct_spectrum spectrum;
  struct ct_alias count;               /* photons in a frame, with all lithium in the cathode */
  struct ct_alias origin;              /* [source][pixel] */
  double *weight;                      /* [source][pixel] photons/s, with all lithium in the cathode */
  float *gradient;                     /* [pixel], 0 where no lithium is seen */
  float *shift_keV;                    /* [pixel]: Compton energy less that of the column's table */
  double lines_keV[CT_SIM_LINES_MAX];
  struct ct_alias lines;
  /* the detector */
  uint32_t dead;
  int16_t *noise;                      /* a pool in ADU: a frame is a run of it that begins anywhere */
  uint32_t noise_starts;
  double *gain_keV, *intercept_keV;    /* [pixel] */
  int16_t *pedestal;                   /* [padded] ADU; NULL: none */
  int16_t *frame;                      /* [padded] being made */
  uint32_t *asic;                      /* [cols]: geometric column of the k-th value read; NULL: geometric order */
  struct ct_sim_photon *photons;
};
int ct_detector_new(struct ct_sim *sim) CT_MUST_CHECK;
void ct_detector_free(struct ct_sim *sim);

#endif
