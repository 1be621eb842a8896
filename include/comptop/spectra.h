/* spectra: photon events become one energy spectrum a pixel, since start and over a rolling window. Pure.
 * Ownership: the handle is the caller's, who frees it; the cubes it shows stay its own and may change with the next add.
 * One thread at a time may use a handle. All memory is taken by ct_spectra_new. */
#ifndef COMPTOP_SPECTRA_H
#define COMPTOP_SPECTRA_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <comptop/core.h>
#include <comptop/hexitec.h>

/* ---- the energy axis: n bins, bin i covers [start + i * width, start + (i + 1) * width) ------------------------ */
struct ct_axis {
  double start_keV, width_keV;
  uint32_t n;
};
/* From [hexitec] bins = start:end:width. CT_ERANGE unless all are finite, width > 0, and end lies a whole number of
 * widths (to 1e-6 of one) above start. */
int ct_axis_init(struct ct_axis *out, double start_keV, double end_keV, double width_keV, struct ct_err *err)
  CT_MUST_CHECK;
/* The bin of an energy, -1 outside or not a number. By f64 division: multiplying by 1/width moves events that lie on
 * an edge. */
static inline int32_t ct_axis_bin(const struct ct_axis *axis, double energy_keV)
{
  double position = (energy_keV - axis->start_keV) / axis->width_keV;
  return position >= 0 && position < (double)axis->n ? (int32_t)position : -1;
}

/* ---- lines: where a peak of a summed spectrum lies ------------------------------------------------------------- */
#define CT_PEAK_FWHM 2.3548200450309493    /* of a Gaussian, in sigma: 2 sqrt(2 ln 2) */
/* Every *_sigma is one standard deviation of counting statistics. */
struct ct_peak {
  double position_keV, position_sigma_keV;
  double width_keV, width_sigma_keV;       /* sigma of the Gaussian, the bin's own width not in it */
  double fwhm_keV, fwhm_sigma_keV;
  double area, area_sigma;                 /* counts in the line */
  double background_per_keV, background_sigma_per_keV;   /* counts/keV under its middle */
  double chi2;                             /* of the fit, by the model's variances (at least 1 count a bin) */
  uint32_t dof;
};
/* Fits a Gaussian, integrated over each bin, on a straight background to the bins that lie whole in near +- half_width:
 * at the maximum of the Poisson likelihood. It finds the line that stands out most there, so keep neighbouring lines out;
 * two or three FWHM on either side are enough. counts[axis->n] are sums of photons, not scaled. CT_ERANGE: the stretch is
 * not on the axis or less than ten bins, or a count is negative or not a number; CT_ENODATA: no line stands out of the
 * background by three standard deviations, or none of at most the stretch's width could be fitted. <out> is written
 * where it returns 0. */
int ct_peak_fit(const struct ct_axis *axis, const double *counts, double near_keV, double half_width_keV,
                struct ct_peak *out) CT_MUST_CHECK;
/* The same for lines of one width at known distances, such as Ka1 and Ka2: the position is that of the first, the area
 * that of all. */
enum { CT_MULTIPLET = 4 };
struct ct_multiplet {
  uint32_t n;                              /* 1 .. CT_MULTIPLET */
  double offset_keV[CT_MULTIPLET];         /* from the first, whose is 0 */
  double share[CT_MULTIPLET];              /* of the area; they add up to 1 */
};
int ct_multiplet_fit(const struct ct_axis *axis, const double *counts, const struct ct_multiplet *lines, double near_keV,
                     double half_width_keV, struct ct_peak *out) CT_MUST_CHECK;

/* ---- rolling spectra ------------------------------------------------------------------------------------------- */
#define CT_SPECTRA_SCAN (-1.0)
struct ct_spectra_setup {
  uint32_t pixels;
  struct ct_axis axis;
  double window_s;               /* INFINITY: run, everything since start; CT_SPECTRA_SCAN: since ct_spectra_restart */
  uint64_t memory_bytes;         /* for all of it; what the cubes leave holds the events of the window */
};

/* What the spectra were made from; energies outside the axis are events, but not in a cube. */
struct ct_spectra_tally {
  struct ct_hexitec_tally hexitec;
  uint64_t photons;              /* in the cube */
  uint64_t below, above;         /* the axis; not a number counts as below */
};

struct ct_spectra;
/* CT_ERANGE: no pixels, more than 2^32 cells, a window that is no time, or less memory than the cubes and a minimum of
 * events need (the message names run.memory_MB and the need). CT_ENOMEM: the system has not got it. */
int ct_spectra_new(struct ct_spectra **out, const struct ct_spectra_setup *setup, struct ct_err *err) CT_MUST_CHECK;
void ct_spectra_free(struct ct_spectra *spectra);   /* NULL is fine */

/* Adds the events of some frames, all < pixels, and what ct_hexitec_frame tallied for them; <time_ns> is their arrival.
 * The window follows the latest arrival, so a silent stream keeps its last window. It moves in slices of
 * window / 600 (0.01 to 1 s) and reaches back window_s to within one slice. A clock that was set back does not stop it:
 * time goes on from the latest arrival. */
void ct_spectra_add(struct ct_spectra *spectra, int64_t time_ns, const struct ct_event *events, size_t n,
                    const struct ct_hexitec_tally *delta);

/* Empties a window that restarts; does nothing to others. The total goes on. */
void ct_spectra_restart(struct ct_spectra *spectra);

/* Another window: that of <fresh>, which is as ct_spectra_new made it for the same pixels and axis, and which the caller frees.
 * The total goes on. A window that slides keeps what lies within it of one that slid, run has everything since start, any
 * other begins empty. */
void ct_spectra_take_window(struct ct_spectra *spectra, struct ct_spectra *fresh);

/* Counts [pixels][axis.n], brought up to date by the call (some ms for 80 x 80 x 1000), then still until the next add.
 * With the window `run` both are the same cube. */
const uint32_t *ct_spectra_window(struct ct_spectra *spectra);
const uint32_t *ct_spectra_total(struct ct_spectra *spectra);
const struct ct_spectra_tally *ct_spectra_window_tally(const struct ct_spectra *spectra);
const struct ct_spectra_tally *ct_spectra_total_tally(const struct ct_spectra *spectra);
const struct ct_axis *ct_spectra_axis(const struct ct_spectra *spectra);
uint32_t ct_spectra_pixels(const struct ct_spectra *spectra);

/* Of the window, how much is covered, in s: less than window_s in the beginning, and when memory ends. */
double ct_spectra_window_s(const struct ct_spectra *spectra);
/* True while the window is shorter than asked for because memory could not hold its events. */
bool ct_spectra_shortened(const struct ct_spectra *spectra);
/* Photons that a counter of the total cube at 2^32 - 1 could not take, up to the last look at a cube; they are then no
 * photons of the total tally any more. */
uint64_t ct_spectra_saturated(const struct ct_spectra *spectra);

/* ---- histogram cubes of the GigE software (.hxt): head, f64 starts of bins, f64 counts [rows][cols][bins], little-endian.
 * Facts from HexitecGigE's hxtitem.h and hxtfilereader.cpp (stfc-detectors/hexitec). */
struct ct_hxt {
  uint32_t rows, cols;
  struct ct_axis axis;               /* in the file's own unit: keV where it was calibrated */
  const unsigned char *counts;       /* in the file */
};
/* A whole file of <n> bytes, that <out> refers to. CT_EFORMAT, CT_ESHAPE; CT_EUNSUPPORTED: version, uneven bins. */
int ct_hxt_parse(struct ct_hxt *out, const void *file, size_t n, struct ct_err *err) CT_MUST_CHECK;
/* Rounded; 0 for what is negative or not a number. */
uint32_t ct_hxt_count(const struct ct_hxt *hxt, size_t pixel, uint32_t bin);

#endif
