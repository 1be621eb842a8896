/* hexitec: detector frames become photon events. Pure: memory in, memory out.
 * Ownership: ct_hexitec_new copies what the setup points to; the handle is the caller's, who frees it; frames are
 * borrowed for one call, events are written into the caller's array. One thread at a time may use a handle. */
#ifndef COMPTOP_HEXITEC_H
#define COMPTOP_HEXITEC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <comptop/core.h>
#include <comptop/frame.h>

/* One photon. <pixel> is the geometric row-major index, whatever the readout order was. */
struct ct_event {
  uint32_t pixel;
  float energy_keV;
};

/* What happens to photons whose charge fell on several pixels. X(NAME, "word of [hexitec] sharing") */
#define CT_SHARINGS(X)                                                                       \
  X(PAPER, "paper") X(NONE, "none")                                                          \
  X(ODIN_CSA3, "odin-csa3") X(ODIN_CSA5, "odin-csa5")                                        \
  X(ODIN_CSD3, "odin-csd3") X(ODIN_CSD5, "odin-csd5")
enum ct_sharing {
#define X(name, word) CT_SHARING_##name,
  CT_SHARINGS(X)
#undef X
  CT_SHARING_COUNT
};
const char *ct_sharing_word(enum ct_sharing sharing);

enum {
  CT_HEXITEC_PIXELS_MAX = 1 << 20,
  CT_HEXITEC_BLOCK_COLS = 80     /* columns of one module: the unit of the ASIC readout order */
};

/* All maps have rows * cols values in geometric row-major order, also where the frames come in ASIC order. */
struct ct_hexitec_setup {
  uint32_t rows, cols;
  bool asic_order;               /* u16 frames: value k of each 80-column block belongs to column (k % 4) * 20 + k / 4
                                    of that block, rows stay (the single-ASIC readout, as in odin's reorder plugin and
                                    the GigE software). Float frames have been processed and are geometric always. */
  enum ct_sharing sharing;
  bool next_frame;               /* remove hits that the frame before, itself so corrected, had in the same pixel */
  const uint16_t *dark_ADU;      /* NULL: 0 everywhere */
  const uint16_t *threshold_ADU; /* after dark subtraction, kept when >=; NULL: 0 everywhere */
  const double *gradient_keV;    /* keV/ADU, 0: dead pixel, in float frames too. NULL (then both): not calibrated */
  const double *intercept_keV;
  double threshold_keV;          /* float frames: kept when above */
  bool dither;                   /* u16: energies of events are spread evenly over one ADU, by frame number and pixel */
};

/* What became of the frames; every field adds up over frames, batches, slices and workers. */
struct ct_hexitec_tally {
  uint64_t frames;
  uint64_t hits;                 /* pixels at or above threshold that next-frame correction left */
  uint64_t single, dbl, multiple;/* clusters of one, of two, of three or more hits; of odin-* see ct_hexitec_frame */
  uint64_t next_frame;           /* hits that next-frame correction removed */
  uint64_t saturated;            /* u16: values of 65535 above threshold, before that correction: hits like any other */
  uint64_t no_energy;            /* f32: values that are not finite, or negative, of pixels that are not dead: no hits,
                                    unless a negative one is above a negative threshold */
};
void ct_hexitec_tally_add(struct ct_hexitec_tally *sum, const struct ct_hexitec_tally *delta);

struct ct_hexitec;
/* CT_ECONFIG (sensor size, ASIC order without whole 80-column blocks, half a calibration), CT_ERANGE (a calibration
 * value that is not a finite float, a threshold that is not a number), CT_ENOMEM. */
int ct_hexitec_new(struct ct_hexitec **out, const struct ct_hexitec_setup *setup, struct ct_err *err) CT_MUST_CHECK;
void ct_hexitec_free(struct ct_hexitec *hexitec);   /* NULL is fine */

/* u16 (ADU) and f32 (keV). Frames of any other type or of another shape than the setup's are the caller's to reject. */
bool ct_hexitec_takes(enum ct_type type);
/* Without a calibration u16 frames are tallied in full but give no events. */
bool ct_hexitec_has_calibration(const struct ct_hexitec *hexitec);

/* Analyses frame <index> of a batch, adds to <tally> (required) and writes at most rows * cols events to <events>, in
 * the row-major order of the first hit of each cluster. Returns their number.
 *  hit     u16: a pixel with gradient not 0 and ADU - dark >= threshold; f32: a finite energy > threshold_keV.
 *          next_frame on: a hit of frame N is removed when frame N - 1 was the call before and still had that hit
 *          after its own correction, so of an uninterrupted run of hits every other one stays.
 *  energy  u16: (float)(ADU - dark) * (float)gradient + (float)intercept, in float32, each step rounded.
 *  paper   8-connected hits form a cluster. One: the event. Two: their energies are summed in float32 and given to the
 *          pixel with the larger one, the first of the two where they are equal. More: dropped and counted.
 *          (seed paper, Methods; made exact in the manual)
 *  none    every hit is an event and counts as single.
 *  odin-*  the open detector software's rules to the bit (odin's HexitecAdditionPlugin and HexitecDiscriminationPlugin;
 *          its histogram's fault that spills a count into the next pixel is not repeated). It marks the absence of a hit
 *          by 0, so ADU - dark = 0 is no hit whatever the threshold, and a hit whose energy is not above 0 is counted in
 *          hits and then gone. The scan goes through the hits row by row, with a window of 3x3 or 5x5 around each.
 *    csa   addition: the other hits of the window, row by row, are compared with the sum so far. One that is not
 *          smaller takes the sum over, a smaller one is added; what gave its charge away is no hit any more. The window
 *          stays where it is; a sum that was moved further on meets the scan again there. Events in the order of pixels.
 *          single, dbl, multiple are the events made of one, of two, of three or more hits: all of them are given out.
 *    csd   discrimination: of a hit that is not alone in its window the whole window is dropped. single are the events
 *          given out, dbl and multiple the windows dropped, of two and of three or more hits. */
uint32_t ct_hexitec_frame(struct ct_hexitec *hexitec, const struct ct_frame *frame, uint32_t index,
                          struct ct_event *events, struct ct_hexitec_tally *tally);

/* The same in steps, several frames at once: faster, and for several workers, each with a handle of the same setup.
 *  _find     looks for the hits of frames [first, first + count) of a batch, at most CT_HEXITEC_BLOCK. It reads every
 *            pixel and needs nobody.
 *  _correct  next-frame correction of what was found. <before> is the handle that corrected the block before this one
 *            and has not corrected another since; the same handle where there is one worker. This is the only step that
 *            workers must do in the order of the frames, one after the other, and by far the shortest.
 *  _events   as ct_hexitec_frame, for a frame of the block found last; needs nobody. The batch is the one given to _find. */
enum { CT_HEXITEC_BLOCK = 16 };
void ct_hexitec_find(struct ct_hexitec *hexitec, const struct ct_frame *frame, uint32_t first, uint32_t count);
void ct_hexitec_correct(struct ct_hexitec *hexitec, const struct ct_hexitec *before);
uint32_t ct_hexitec_events(struct ct_hexitec *hexitec, const struct ct_frame *frame, uint32_t index,
                           struct ct_event *events, struct ct_hexitec_tally *tally);

/* Dark frames (ImageKey 2): _add accumulates one frame of a batch (f32 frames are ignored: they have no offset),
 * _apply makes the mean of what came since the last apply, rounded half up, the new dark. It returns the number of
 * frames that went into it; 0: nothing came, nothing changed. */
void ct_hexitec_dark_add(struct ct_hexitec *hexitec, const struct ct_frame *frame, uint32_t index);
uint64_t ct_hexitec_dark_apply(struct ct_hexitec *hexitec);
/* Gives a detector of the same setup, another worker's, the dark of <from>. */
void ct_hexitec_dark_copy(struct ct_hexitec *to, const struct ct_hexitec *from);

/* What a pixel has at least to be a hit, dead ones alike: of u16 frames for each pixel in the order in which they come (65535
 * where more is needed), of f32 frames above a limit. */
void ct_hexitec_limits(const struct ct_hexitec *hexitec, uint16_t *least_ADU, float *above_keV);

/* ---- health of the detector ---------------------------------------------------------------------------------------
 * Every frame is counted; of every CT_HEALTH_EVERY-th the hits are counted for each pixel. All these counts are halved
 * when the window is full, so that older frames count less: after CT_HEALTH_WINDOW such looks (29 s at 9118.87 Hz), but
 * where there is little light not before the pixels have CT_HEALTH_ENOUGH hits on average, or CT_HEALTH_WINDOW_MOST
 * looks (15 minutes) have come. */
enum { CT_HEALTH_EVERY = 4, CT_HEALTH_WINDOW = 1 << 16, CT_HEALTH_WINDOW_MOST = 1 << 21, CT_HEALTH_ENOUGH = 600 };

/* A pixel is compared with the live ones in the 5x5 around it. It is hot above CT_HEALTH_HOT times their upper quartile q,
 * plus 6 sqrt(q) + 6 for the chance of few counts; dead below a CT_HEALTH_DEAD-th of their lower quartile, where that is
 * at least CT_HEALTH_DEAD_LEAST hits. So neither the dark corners of an image nor its bright middle, nor an edge or a
 * corner of a bright field, is an outlier; a dead or hot row or column is one, a block of 3x3 or more is not. A verdict
 * is taken back at half of the hot limit and at twice the dead one. */
enum { CT_HEALTH_HOT = 4, CT_HEALTH_DEAD = 75, CT_HEALTH_DEAD_LEAST = 150 };
enum ct_pixel_state { CT_PIXEL_FINE, CT_PIXEL_HOT, CT_PIXEL_DEAD, CT_PIXEL_OFF /* gradient 0, or beyond any ADU */ };

/* u16 frames only: ADU - dark of the live pixels without a hit; not of those that are 0, as thresholded frames have them.
 * Level: the mean of 256 such pixels in every CT_HEALTH_LEVEL_EVERY-th frame. A jump is a level CT_HEALTH_JUMP_SIGMA
 * standard deviations, and at least CT_HEALTH_JUMP_ADU, off the mean of the last thousand.
 * Drift: every pixel's mean over its last CT_HEALTH_QUIET / 2 to CT_HEALTH_QUIET looks, one every CT_HEALTH_QUIET_EVERY
 * frames, against that over the first CT_HEALTH_FIRST, one every CT_HEALTH_FIRST_EVERY frames. */
enum { CT_HEALTH_LEVEL_EVERY = 16, CT_HEALTH_JUMP_SIGMA = 8, CT_HEALTH_JUMP_ADU = 2, CT_HEALTH_FIRST = 128,
       CT_HEALTH_FIRST_EVERY = 64, CT_HEALTH_QUIET = 64, CT_HEALTH_QUIET_EVERY = 512 };

struct ct_health_report {
  uint64_t looks, frames;          /* in the window */
  double hits_per_frame;           /* NaN before the first frame, like all below that have nothing to go on */
  double hits_spread;              /* its standard deviation from frame to frame */
  double rate_median;              /* hits a frame of the median live pixel */
  uint32_t hot, dead, off;         /* pixels */
  uint64_t row_floods;             /* rows of a frame with at least half of their live pixels hit, since the start */
  uint64_t flooded_frame;          /* the last one; valid where there were any */
  uint32_t flooded_row;
  double level_ADU;                /* the last one */
  uint64_t jumps, jump_frame;      /* since the start; the last one */
  double jump_ADU;
  double drift_median_ADU;         /* over the pixels */
  double drift_max_ADU;            /* the largest of either sign, and where */
  uint32_t drift_pixel;
};

struct ct_health;
int ct_health_new(struct ct_health **out, uint32_t rows, uint32_t cols, struct ct_err *err) CT_MUST_CHECK;   /* CT_ENOMEM */
void ct_health_free(struct ct_health *health);   /* NULL is fine */
/* A frame of the block found last, of a detector of the same size, once corrected; call it for every frame. <hits> is
 * what ct_hexitec_events tallied for it. */
void ct_health_add(struct ct_health *health, const struct ct_hexitec *hexitec, const struct ct_frame *frame,
                   uint32_t index, uint64_t hits);
/* After new darks: levels and drift begin anew, everything else goes on. */
void ct_health_new_dark(struct ct_health *health);
/* For several workers: clear the sum, merge what each of them has, judge the sum. */
void ct_health_clear(struct ct_health *sum);
void ct_health_merge(struct ct_health *sum, const struct ct_health *part);
/* state[pixels] (enum ct_pixel_state) holds the verdicts of the last time, all CT_PIXEL_FINE at first, and is given the
 * new ones. Some ms for a sensor of 80 x 80: for the picture, not for every frame. */
void ct_health_judge(struct ct_health *health, uint8_t *state, struct ct_health_report *report);
/* Hits of a pixel in the looks of the window. */
uint32_t ct_health_count(const struct ct_health *health, uint32_t pixel);

/* ---- the lines of calibration sources ------------------------------------------------------------------------------
 * Lines too close to be told apart form a group, that is fitted as one, with the intensities of its lines as they are in
 * the source. Ascending in energy. Plain memory of the caller's. */
enum { CT_LINES_MAX = 64 };
struct ct_line {
  double energy_keV, weight;       /* photons, relative to the other lines */
};
struct ct_line_group {
  uint32_t first, n;               /* of lines[] */
  double energy_keV, spread_keV;   /* weighted mean, and standard deviation about it */
};
struct ct_lines {
  uint32_t n, n_groups;
  struct ct_line lines[CT_LINES_MAX];
  struct ct_line_group groups[CT_LINES_MAX];
};
/* <sources>: nuclides and elements, comma-separated: "Am-241", "Co-57", "W,Pb". Nuclides: X-ray and gamma lines with
 * their intensities; elements: K lines (both from xraylib, Schoonjans et al., Spectrochim. Acta B 66 (2011) 776).
 * Of 5 to 200 keV those with at least 1 % of the photons of the strongest. Lines nearer than 2.2 <fwhm_keV> are one
 * group. CT_EUSAGE: no such source, or one without such lines. */
int ct_lines_of(struct ct_lines *out, const char *sources, double fwhm_keV, struct ct_err *err) CT_MUST_CHECK;

/* ---- energy calibration from known lines -----------------------------------------------------------------------------
 * ADU spectra of photons that stayed in one pixel -> energy = gradient * ADU + intercept, pixel by pixel. */
#define CT_CALIBRATIONS(X)                                                                               \
  X(OK, "ok")                      /* three lines or more on a straight line */                           \
  X(TWO, "two-lines")              /* calibrated, but nothing checks the line through two points */       \
  X(EMPTY, "empty")                /* no photons; this and all below: gradient 0 */                       \
  X(FEW, "few-counts")             /* too few photons to find lines */                                    \
  X(MISSING, "no-lines")           /* fewer than two lines of the source were found */                    \
  X(CROOKED, "not-straight")       /* the lines do not lie on a straight line */                          \
  X(FOREIGN, "foreign-line")       /* a strong line is none of the source */
enum ct_calibration_verdict {
#define X(name, word) CT_CALIBRATION_##name,
  CT_CALIBRATIONS(X)
#undef X
  CT_CALIBRATION_VERDICTS
};
const char *ct_calibration_word(enum ct_calibration_verdict verdict);
struct ct_calibration {
  double gradient_keV, intercept_keV;               /* keV/ADU, keV; 0 and 0: not calibrated */
  double gradient_sigma_keV, intercept_sigma_keV;   /* statistical */
  double chi2_dof;                                  /* of the straight line; NaN with two lines or none */
  double fwhm_keV;                                  /* of the group with the most counts; NaN: none */
  uint64_t counts;                                  /* in the pixel's spectrum */
  uint32_t lines;                                   /* groups on the straight line */
  enum ct_calibration_verdict verdict;
};
struct ct_calibrate {
  const struct ct_lines *lines;
  double fwhm_keV;                 /* about what the detector has */
  double bin_ADU;                  /* bin i of a spectrum counts whole ADU in [i, i + 1) * bin_ADU */
  uint32_t bins;
  double gradient_keV;             /* about what the detector has: by ct_calibrate_gradient */
};
/* The typical gradient of a sensor, 0.005 to 0.2 keV/ADU: the median over pixels of the gradient at which the lines of
 * the source are found best; 0 when they are found in no pixel. <counts> is [pixels][bins]; below <threshold_ADU> (one
 * a pixel) nothing is looked for. */
double ct_calibrate_gradient(const struct ct_calibrate *setup, const uint32_t *counts, const uint16_t *threshold_ADU,
                             size_t pixels);
/* One pixel: finds the lines (gradient within 25 % of the typical one, intercept within 5 keV), fits each group by
 * Gaussians of one width on a step and a straight background with Poisson weights (GSL, Levenberg-Marquardt), and a
 * straight line through their positions. The result says in <verdict> when there is none. */
void ct_calibrate_pixel(const struct ct_calibrate *setup, const uint32_t *counts, uint16_t threshold_ADU,
                        struct ct_calibration *out);
/* As ct_hexitec_events, but only the hits without a neighbour (clusters of one by `paper`, whatever the rule). */
uint32_t ct_hexitec_singles(struct ct_hexitec *hexitec, const struct ct_frame *frame, uint32_t index,
                            struct ct_event *events);

#endif
