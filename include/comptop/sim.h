/* sim: a coin cell on a beamline, seen by a HEXITEC behind a pinhole, and its potentiostat.
 * Ownership: a struct ct_sim belongs to whoever made it; arrays passed in are the caller's and are not kept.
 * Memory in, memory out: no files, no clock, no output. One thread at a time per struct ct_sim.
 *
 * The same configuration gives the same bytes: frame k is a function of the configuration and k alone, whatever frames
 * were made before it (on one machine; another mathematics library may round differently).
 *
 * Lengths in mm. The sheet of beam is the plane z = z_mm of the cell, x along the beam, y across it, the origin on the
 * cell's axis; the pinhole is above the origin. It inverts: column 0 sees +x, the downstream end, and row 0 sees +y. */
#ifndef COMPTOP_SIM_H
#define COMPTOP_SIM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <comptop/compton.h>
#include <comptop/core.h>
#include <comptop/frame.h>

/* Where photons come from: X(NAME, "word"). LITHIATION is what one Li per formula unit adds to the cathode's
 * Compton profile: Li 1s2, and its 2s electron in O 2p (the ionic picture of Suzuki et al. 2015). LINES are the K lines
 * of W and Pb of collimator and shielding, the same for every pixel. */
#define CT_SIM_SOURCES_(X)                                                                                \
  X(STEEL, "steel") X(GASKET, "gasket") X(ELECTROLYTE, "electrolyte") X(LITHIUM, "lithium")               \
  X(PTFE, "ptfe") X(CATHODE, "cathode") X(LITHIATION, "lithiation") X(LINES, "lines")
enum ct_sim_source {
#define X(name, word) CT_SIM_##name,
  CT_SIM_SOURCES_(X)
#undef X
  CT_SIM_SOURCES
};
const char *ct_sim_source_word(enum ct_sim_source source);

/* What lies in the beam: the coin cell, or a slab of 20 x 20 x 1 mm of one material (PTFE: flat field and calibration). */
enum ct_sim_sample { CT_SIM_CELL, CT_SIM_SLAB_PTFE, CT_SIM_SLAB_LITHIUM, CT_SIM_SLAB_CATHODE, CT_SIM_SLAB_STEEL };

#define CT_SIM_GAIN_KEV 0.0288         /* nominal keV/ADU */
#define CT_SIM_NOISE_KEV 0.84          /* FWHM of one pixel's electronic noise */
#define CT_SIM_CHARGE_ADU_MAX 16383    /* the ADC's 14 bits */

struct ct_sim_config {
  uint64_t seed;
  uint32_t rows, cols;       /* 1..1024; cols a multiple of 80 in ASIC order */
  double rate_hz;            /* frames a second: frame k is at k / rate_hz */
  double photons_per_s;      /* detected, mean over the whole detector at the start; at most 10^4 a frame */
  double speedup;            /* of the electrochemistry: lithium changes by 0.08 * speedup per hour */
  double z_mm;               /* height of the sheet in the cell, 0..3.2; 0.75 is the middle of the cathode */
  enum ct_sim_sample sample;
  bool asic;                 /* pixels in the order the ASIC reads them, else geometric */
  bool pedestal;             /* uncorrected readout: a pedestal of about 1005 ADU and a gain of each pixel's own.
                                false: what a camera with offset correction sends, clipped at 0, gain CT_SIM_GAIN_KEV.
                                A gain common to all pixels beats with bins of 0.2 keV (6.9 codes): EMF shifts by
                                up to 1 %, which pixels with gains of their own average out */
};
/* 80 x 80, 9118.87 Hz, 10^5 photons/s, the cell at z = 0.75 mm, seed 1, speedup 1. */
void ct_sim_defaults(struct ct_sim_config *config);
/* The beamline that is simulated: 114.64 keV, beam +x, pinhole 160 mm from sample and detector. */
void ct_sim_geometry(const struct ct_sim_config *config, struct ct_geometry *geometry);
#define CT_SIM_E1_KEV 114.64

struct ct_sim;
/* Computes images and spectra (some 0.1 s). CT_ERANGE names what cannot be, CT_ENOMEM. */
int ct_sim_new(struct ct_sim **out, const struct ct_sim_config *config, struct ct_err *err) CT_MUST_CHECK;
void ct_sim_free(struct ct_sim *sim);   /* NULL is fine */

/* Frame <k> into pixels[rows*cols]; returns how many photons were detected in it. Never allocates. */
uint32_t ct_sim_frame(struct ct_sim *sim, uint64_t k, uint16_t *pixels);

/* The photons of frame <k> before the detector touches them, geometric order: at most <max>; returns how many there
 * are. A photon's own pixel gets the largest share of its charge. */
struct ct_sim_photon {
  uint32_t pixel;            /* row * cols + col */
  uint32_t source;           /* enum ct_sim_source */
  double e_keV;
};
uint32_t ct_sim_photons(const struct ct_sim *sim, uint64_t k, struct ct_sim_photon *photons, uint32_t max);

/* Charge of a photon as it arrives at the pixels: <n> of them, at most 4, in one 8-connected cluster; the energies sum
 * to the photon's after the sensor's own statistics (FWHM 0.505 keV at 93.6 keV, growing with the square root), before
 * electronic noise. <random> is any number. Shares of hits above 5 keV: compton.md's detector model. */
struct ct_sim_charge {
  uint32_t n;
  uint32_t pixel[4];
  double e_keV[4];
};
void ct_sim_share(const struct ct_sim *sim, const struct ct_sim_photon *photon, uint64_t random,
                  struct ct_sim_charge *charge);

/* What is true at time <t_s>: rate[pixels] photons/s, lithium[pixels] x of the cathode seen by the pixel (NaN where
 * there is none), mix[pixels][CT_SIM_SOURCES] share of the photons. Any may be NULL. */
void ct_sim_truth(const struct ct_sim *sim, double t_s, double *rate, double *lithium, double *mix);
/* The pixel that is always 0. */
uint32_t ct_sim_dead_pixel(const struct ct_sim *sim);

/* Calibration in force, each [pixels], geometric order: keV/ADU and keV (both 0 for the dead pixel), the dark in ADU. */
void ct_sim_calibration(const struct ct_sim *sim, double *gradient_keV, double *intercept_keV, double *dark_ADU);

/* The potentiostat at <t_s>: charge at constant current to x = 0.2, discharge, and so on. Current and charge are those
 * of the cell's own, sped-up clock: 8.8 mA whatever the speedup. */
struct ct_sim_cell {
  double lithium;            /* mean x of LixNi0.8Mn0.1Co0.1O2 */
  double voltage_V, current_A, charge_Ah;   /* positive while charging */
};
void ct_sim_cell(const struct ct_sim_config *config, double t_s, struct ct_sim_cell *cell);

/* ---- the camera: parallel-beam projections of the same sample ---------------------------------------------
 * The beam is 114.64 keV, the rotation axis that of the cell and parallel to the columns of pixels. A point (x, y) of the
 * sample is seen x cos(angle) - y sin(angle) mm to the right of the axis: at angle 0 x runs along the columns, and the
 * sample turns counter-clockwise. Row 0 is the top. Scan follows scan: darks, flats, projections over half a turn. */
struct ct_sim_camera_config {
  uint64_t seed;
  uint32_t rows, cols;       /* 1..4096 */
  double pixel_mm, axis_px;  /* axis: the centre of the first pixel is 0 */
  uint32_t darks, flats, projections;   /* in a scan; at least one projection */
  double photons;            /* a pixel in the middle of a flat, at most 60000; noise is Poisson's */
  enum ct_sim_sample sample;
};
#define CT_SIM_CAMERA_DARK_ADU 100     /* a count is one photon, on top of this */
/* 64 x 256 pixels of 0.085 mm, axis at 129.8, 5 darks, 5 flats, 180 projections, 20000 photons. */
void ct_sim_camera_defaults(struct ct_sim_camera_config *config);
struct ct_sim_camera;
int ct_sim_camera_new(struct ct_sim_camera **out, const struct ct_sim_camera_config *config,
                      struct ct_err *err) CT_MUST_CHECK;
void ct_sim_camera_free(struct ct_sim_camera *camera);   /* NULL is fine */
/* Frame <k> (a function of configuration and k alone) into pixels[rows*cols]; *angle_deg is where the sample stands.
 * Returns its enum ct_image_key. */
int ct_sim_camera_frame(struct ct_sim_camera *camera, uint64_t k, uint16_t *pixels, double *angle_deg);

/* ---- physics, for those who compare ----------------------------------------------------------------------- */
/* The Compton profile J(pz) of a material's formula unit, 1/a.u.: integrates to its electrons. From xraylib (Biggs,
 * Mendelsohn and Mann, At. Data Nucl. Data Tables 16 (1975) 201). LINES has none: 0. */
double ct_sim_profile(enum ct_sim_source source, double pz);
/* Linear attenuation, 1/cm, from xraylib. */
double ct_sim_attenuation(enum ct_sim_source source, double e_keV);

#endif
