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
 * Compton profile: Li 1s2, and its 2s electron in O 2p (the ionic picture of Suzuki et al. 2015). After matter: LINES are
 * the K lines of W and Pb of collimator and shielding, the same for every pixel; DOUBLE was scattered twice in the
 * sample; NUCLIDE is a radioactive source that lights up all pixels alike; BRAGG is a grain that happens to reflect. */
#define CT_SIM_SOURCES_(X)                                                                                \
  X(STEEL, "steel") X(GASKET, "gasket") X(ELECTROLYTE, "electrolyte") X(LITHIUM, "lithium")               \
  X(PTFE, "ptfe") X(CATHODE, "cathode") X(LITHIATION, "lithiation") X(LINES, "lines") X(DOUBLE, "double") \
  X(NUCLIDE, "nuclide") X(BRAGG, "bragg")
enum ct_sim_source {
#define X(name, word) CT_SIM_##name,
  CT_SIM_SOURCES_(X)
#undef X
  CT_SIM_SOURCES
};
const char *ct_sim_source_word(enum ct_sim_source source);

/* What lies in the beam: the coin cell, or a slab of 3.2 mm of one material, 30 mm wide (PTFE: flat field and
 * calibration), or nothing; or the beam is off and a source before the sensor lights up its pixels alike. */
enum ct_sim_sample {
  CT_SIM_CELL, CT_SIM_SLAB_PTFE, CT_SIM_SLAB_LITHIUM, CT_SIM_SLAB_CATHODE, CT_SIM_SLAB_STEEL,
  CT_SIM_EMPTY, CT_SIM_AM241, CT_SIM_CO57
};

/* How charge comes to the pixels. TABLE: into 1 to 4 pixels by the shares of compton.md's detector model, none lost.
 * CLOUD: gaussian clouds of charge on the grid of pixels, at the depths at which photons interact. */
enum ct_sim_sharing { CT_SIM_SHARING_TABLE, CT_SIM_SHARING_CLOUD, CT_SIM_SHARING_OFF };
/* What a lithium brings: 1s2 and an electron in O 2p; a free atom; OFF: lithium stays in the cathode. */
enum ct_sim_lithiation { CT_SIM_IONIC, CT_SIM_FREE, CT_SIM_LITHIATION_OFF };

/* Everything that can be turned on and off. A zero turns off what has a size. */
struct ct_sim_effects {
  /* sample and beam */
  bool attenuation_in, attenuation_out;   /* on the way to and from the scattering */
  enum ct_sim_lithiation lithiation;
  bool lateral, depth;         /* lithium leaves faster at +y; higher up, where the separator is */
  bool elastic, lines, double_scatter;
  bool bubbles;                /* gas that grows in the cathode while it charges */
  double bragg_per_h;          /* flashes of a tenth of all photons onto one place, for 2 to 10 s */
  double top_up;               /* share of the beam that is lost in 600 s, then topped up in one step; 0..1 */
  /* pinhole camera */
  bool vignetting, blur;
  bool theta_map;              /* false: every pixel sees 90 degrees */
  bool cross_section;          /* false: energies follow J(pz) dpz alone */
  double centre_error_px;      /* the axis meets the sensor that much to the right of its middle */
  /* sensor */
  bool efficiency;             /* falls with energy; false: every photon is seen */
  bool statistics, noise;      /* widths: of the charge made, 0.505 keV FWHM at 93.6 keV; of electronics, CT_SIM_NOISE_KEV */
  enum ct_sim_sharing sharing;
  bool fluorescence, escape, sensor_compton;   /* of the sensor's own K lines; of what leaves it; scattering in it */
  double tail;                 /* share of photons that lose charge: 4 keV on average; 0..1 */
  double gain_error_permil;    /* sd of the pixels' gains around their calibration */
  double gain_drift_permil_h, fwhm_drift_keV_h;
  uint32_t dead_pixels, noisy_pixels;   /* noisy: ten times the noise */
  double row_floods_per_h;     /* a row gets 300 ADU more for one frame */
  double level_jumps_per_h;    /* every pixel gets 20 ADU more for a second */
  double dark_drift_ADU_h;     /* of every pixel */
};
enum ct_sim_effects_set { CT_SIM_EFFECTS_DEFAULT, CT_SIM_EFFECTS_NONE, CT_SIM_EFFECTS_ALL };
/* NONE: a perfect instrument, one photon in one pixel. ALL: what compton.md's simulator recipe has, with its drifts.
 * DEFAULT: ALL without what changes EMF in ways that comptop does not correct unless told to: double scattering, the
 * sensor's fluorescence, tails, bubbles, flashes, drifts. */
void ct_sim_effects(enum ct_sim_effects_set set, struct ct_sim_effects *effects);

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
  uint32_t heights;          /* of a depth scan: z_mm, z_mm + height_step_mm, ..., dwell_s each, and again; 1: none */
  double height_step_mm, dwell_s;
  struct ct_sim_effects effects;
};
/* 80 x 80, 9118.87 Hz, 10^5 photons/s, the cell at z = 0.75 mm, seed 1, speedup 1, default effects. */
void ct_sim_defaults(struct ct_sim_config *config);
/* The beamline that is simulated: 114.64 keV, beam +x, pinhole 160 mm from sample and detector; with its errors. */
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

/* Charge of a photon as it arrives at the pixels, its own first, after the sensor's statistics (FWHM 0.505 keV at
 * 93.6 keV, growing with the square root), before electronic noise. <random> is any number. TABLE: at most 4 pixels in
 * one 8-connected cluster, above 5 keV each; the energies sum to the photon's. CLOUD: what escapes is missing. */
enum { CT_SIM_CHARGE_PIXELS = 16 };
struct ct_sim_charge {
  uint32_t n;
  uint32_t pixel[CT_SIM_CHARGE_PIXELS];
  double e_keV[CT_SIM_CHARGE_PIXELS];
};
void ct_sim_share(const struct ct_sim *sim, const struct ct_sim_photon *photon, uint64_t random,
                  struct ct_sim_charge *charge);

/* What is true at time <t_s>: rate[pixels] photons/s, lithium[pixels] x of the cathode seen by the pixel (NaN where
 * there is none), mix[pixels][CT_SIM_SOURCES] share of the photons. Any may be NULL. */
void ct_sim_truth(const struct ct_sim *sim, double t_s, double *rate, double *lithium, double *mix);
/* EMF of what every pixel sees: L and H of eq. 2's windows |pz| < 1 and 1..5 a.u. at the pixel's true angle, photons
 * summed over the pixel's materials, broadened by the resolution of single and double hits in the shares of
 * compton.md's detector model (of single hits alone without sharing). emf: of photons scattered once; emf_seen: with
 * double scattering and lines. NaN where there is nothing. Drifts and the CLOUD model's losses are not in them. */
void ct_sim_truth_emf(const struct ct_sim *sim, double t_s, double *emf, double *emf_seen);
/* Bits of every pixel at <t_s>. */
enum { CT_SIM_IS_DEAD = 1, CT_SIM_IS_NOISY = 2, CT_SIM_IN_BUBBLE = 4, CT_SIM_IN_FLASH = 8 };
void ct_sim_truth_mask(const struct ct_sim *sim, double t_s, uint8_t *mask);
/* What all pixels have in common at <t_s>. */
struct ct_sim_state {
  double z_mm;
  uint64_t step;             /* of the depth scan, counted from 0 */
  double beam;               /* of 1 when topped up */
  double gain;               /* keV found per keV that came */
  double fwhm_keV;           /* of a single hit at 93.6 keV */
};
void ct_sim_state(const struct ct_sim_config *config, double t_s, struct ct_sim_state *state);
/* The first pixel that is always 0 (UINT32_MAX: there is none). */
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
 * sample turns counter-clockwise. Row 0 is the top. Scan follows scan: darks, flats, projections over half a turn or a
 * whole one. An axis far from the middle and a whole turn make an extended field of view. */
struct ct_sim_camera_config {
  uint64_t seed;
  uint32_t rows, cols;       /* 1..4096 */
  double pixel_mm, axis_px;  /* axis: the centre of the first pixel is 0 */
  double tilt_deg;           /* the axis is at axis_px half-way down, and leans to the right further down; -10..10 */
  uint32_t darks, flats, projections;   /* in a scan; at least one projection */
  double turn_deg;           /* of a scan: 180 or 360 */
  bool golden;               /* angles are multiples of 0.618... turns, in that order; else they grow evenly */
  double photons;            /* a pixel in the middle of a flat, at most 60000; noise is Poisson's and 3 counts more */
  double rings;              /* sd of what pixels see in projections over what the flats made one expect, 0..0.5 */
  uint32_t dead_columns;     /* always 0 */
  double drop;               /* share of frames that never come, 0..0.9 */
  bool bubbles, dendrites;   /* gas and lithium that grow while the cell lives its first ten hours */
  double speedup;            /* of its clock */
  enum ct_sim_sample sample;
};
#define CT_SIM_CAMERA_DARK_ADU 100     /* a count is one photon, on top of this */
/* 64 x 256 pixels of 0.085 mm, axis at 129.8, 5 darks, 5 flats, 180 projections over 180 degrees, 20000 photons, nothing
 * that grows or fails. */
void ct_sim_camera_defaults(struct ct_sim_camera_config *config);
struct ct_sim_camera;
int ct_sim_camera_new(struct ct_sim_camera **out, const struct ct_sim_camera_config *config,
                      struct ct_err *err) CT_MUST_CHECK;
void ct_sim_camera_free(struct ct_sim_camera *camera);   /* NULL is fine */
/* Frame <k> of the sample as it is at <t_s> (a function of configuration, k and t_s alone) into pixels[rows*cols];
 * *angle_deg is where the sample stands. Returns its enum ct_image_key. Never allocates. */
int ct_sim_camera_frame(struct ct_sim_camera *camera, uint64_t k, double t_s, uint16_t *pixels, double *angle_deg);
/* Whether frame <k> is one of those that never come. */
bool ct_sim_camera_drops(const struct ct_sim_camera_config *config, uint64_t k);
/* Pixels per edge of the slice that a scan covers: as wide as the detector for half a turn; for a whole one it reaches
 * from the axis to the farther edge. */
uint32_t ct_sim_camera_slice_size(const struct ct_sim_camera_config *config);
/* What is true of the slice at <z_mm>: 1/cm into values[size * size], pixels of pixel_mm, the axis in the middle, rows
 * from the top (+y), x along the columns of angle 0; means over the pixels. */
void ct_sim_camera_slice(const struct ct_sim_camera *camera, double t_s, double z_mm, uint32_t size, float *values);

/* ---- physics, for those who compare ----------------------------------------------------------------------- */
/* The Compton profile J(pz) of a material's formula unit, 1/a.u.: integrates to its electrons. From xraylib (Biggs,
 * Mendelsohn and Mann, At. Data Nucl. Data Tables 16 (1975) 201). LINES has none: 0. */
double ct_sim_profile(enum ct_sim_source source, double pz);
/* Linear attenuation, 1/cm, from xraylib. */
double ct_sim_attenuation(enum ct_sim_source source, double e_keV);

#endif
