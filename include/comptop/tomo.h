/* tomo: rows of parallel-beam projections -> a slice that sharpens with each of them.
 * Ownership: memory in, memory out; nothing here keeps what a caller passes in, everything is copied. */
#ifndef COMPTOP_TOMO_H
#define COMPTOP_TOMO_H

#include <stdbool.h>

#include <comptop/core.h>

/* The window the ramp is multiplied with; x is the frequency over the highest one there is.
 * shepp-logan sin(pi x/2)/(pi x/2), hann 0.5 + 0.5 cos(pi x), hamming 0.54 + 0.46 cos(pi x), cosine cos(pi x/2), parzen
 * 1 - 6 x^2 (1 - x) up to 0.5, then 2 (1 - x)^3, butterworth 1/sqrt(1 + (2 x)^8). */
enum ct_window { CT_WINDOW_RAMP, CT_WINDOW_SHEPP_LOGAN, CT_WINDOW_HANN, CT_WINDOW_HAMMING, CT_WINDOW_COSINE,
                 CT_WINDOW_PARZEN, CT_WINDOW_BUTTERWORTH, CT_WINDOWS };

/* ---- a slice ---------------------------------------------------------------------------------------------------
 * Filtered back projection (Kak and Slaney, Principles of Computerized Tomographic Imaging, 1988, ch. 3). Pixels are
 * square, in rows from the top; at angle 0 x runs along the columns of the detector, and the sample turns
 * counter-clockwise: a point x to the right of and y above the axis is seen at column axis_px + x cos a - y sin a. */
struct ct_tomo_setup {
  uint32_t cols;             /* of a row: 8..32768 */
  uint32_t size;             /* pixels per edge: 16..16384; they cover the whole field of view */
  uint32_t projections;      /* kept, 1..1000000; one more, and the oldest one leaves (dynamic scans) */
  uint32_t rotation_deg;     /* 180: a projection says the same as its opposite, the field of view is as wide as the
                                detector. 360: opposite ones complete each other, the field of view reaches from the axis
                                to the farther edge of the detector (extended field of view) */
  double axis_px;            /* in columns, the first one's centre is 0; 0..cols-1 */
  double pixel_cm;           /* width of a column; 0: the slice is per column instead of 1/cm */
  enum ct_window window;
  double smear_px;           /* ct_tomo_rebuild: by how much projections are moved, at most, to share a back projection:
                                0: none is; 0.25 is hardly seen and several times faster */
};

struct ct_tomo;
/* 0, CT_ERANGE, CT_ENOMEM. Plans transforms (FFTW): not while another thread does. */
int ct_tomo_open(struct ct_tomo **out, const struct ct_tomo_setup *setup, struct ct_err *err) CT_MUST_CHECK;
void ct_tomo_close(struct ct_tomo *tomo);   /* NULL is fine */
/* A changed knob: all of the setup but cols and projections may be another; what is kept is reconstructed anew, the ring
 * correction stays. As ct_tomo_open; on an error everything is as before. */
int ct_tomo_change(struct ct_tomo **tomo, const struct ct_tomo_setup *setup, struct ct_err *err) CT_MUST_CHECK;
const struct ct_tomo_setup *ct_tomo_setup(const struct ct_tomo *tomo);

/* Adds a projection: row[cols] of -ln(transmission) at <angle_deg>, in any order. It counts as much as half of the
 * angles between it and its neighbours, and theirs are corrected when they are off by more than 0.5 %; a gap many times
 * wider than the others is not filled. 0; CT_ERANGE: the angle or a value is not finite, and nothing is changed. */
int ct_tomo_add(struct ct_tomo *tomo, const float *row, double angle_deg);
/* Takes the <n> oldest projections away again; all of them: a new scan. */
void ct_tomo_forget(struct ct_tomo *tomo, uint32_t n);
/* Subtracts ring[cols] from every row from now on, and from those that came; NULL: nothing any more. False: that is what it
 * does already. True: rebuild it, or change a knob, before a row comes or goes or its slice is asked for. */
bool ct_tomo_ring(struct ct_tomo *tomo, const float *ring) CT_MUST_CHECK;
/* The slice from the kept projections anew, by merging those that are neighbours in small tiles (Basu and Bresler, IEEE
 * Trans. Image Process. 9 (2000) 1760); weights are exact then, and what rounding has left is gone. */
void ct_tomo_rebuild(struct ct_tomo *tomo);

/* values[size * size], row-major, NaN outside the circle that is the field of view. Until a turn is complete the mean
 * level is right all the same. All NaN without projections. */
void ct_tomo_slice(const struct ct_tomo *tomo, float *values);

struct ct_tomo_state {
  uint32_t projections;
  double covered_deg;        /* of rotation_deg, without gaps where projections are missing */
  double last_deg;           /* NaN without projections */
  double fov_px, pixel_px;   /* the slice's and its pixel's width in columns */
};
struct ct_tomo_state ct_tomo_state(const struct ct_tomo *tomo);
/* The row of projection <i>, 0 is the oldest, as it came; *angle_deg may be NULL. */
const float *ct_tomo_row(const struct ct_tomo *tomo, uint32_t i, double *angle_deg);

/* ---- from counts to rows ---------------------------------------------------------------------------------------- */
/* Means of bin x bin pixels of a box of a frame (u16, this machine's byte order, any alignment): image[rows * cols] with
 * rows = (y1 - y0) / bin and cols = (x1 - x0) / bin, what is left over is not used. A mean that a pixel at or above
 * <saturated> went into is NaN; 0: none is too bright. bin 1..64. */
void ct_tomo_bin(float *image, const void *pixels, uint32_t frame_cols, const struct ct_box *box, uint32_t bin,
                 uint16_t saturated);

/* The field without a sample: means of darks and flats, of whole images or of one row. */
struct ct_field;
/* 0, CT_ENOMEM */
int ct_field_open(struct ct_field **out, uint32_t rows, uint32_t cols, struct ct_err *err) CT_MUST_CHECK;
void ct_field_close(struct ct_field *field);   /* NULL is fine */
void ct_field_dark(struct ct_field *field, const float *image);
void ct_field_flat(struct ct_field *field, const float *image);
/* Whether image[rows * cols] can be a flat: above the dark, and not only as often as below it. */
bool ct_field_is_lit(const struct ct_field *field, const float *image);
/* A projection came: the next dark or flat begins another set in place of its own, which counts until then. */
void ct_field_end_sets(struct ct_field *field);
/* As long as there is no flat: an even beam, as bright as the brightest twentieth of image[rows * cols] is above the dark.
 * NULL: nothing again. CT_ENODATA: there is a flat, or hardly a number in it; CT_ENOMEM. */
int ct_field_guess(struct ct_field *field, const float *image);
/* Values of row[cols], the field's first, that are at least <most>, the largest a pixel can be, become NaN: they are saturated
 * and say nothing. Unless the flat is nearly that bright there, as where white was scaled to the largest. How many. */
uint32_t ct_field_mark(const struct ct_field *field, float *row, float most);
struct ct_field_state {
  uint32_t darks, flats;   /* in use */
  bool ready;              /* has a flat, or the guess of one; without a dark that is 0 */
};
struct ct_field_state ct_field_state(const struct ct_field *field);
/* -ln((image - dark) / (flat - dark)) of <rows> rows from <row> on: out[rows * cols], image[rows * cols] are those rows
 * alone and may be the same. Where the flat is not above the dark, or the image is not a number, the value is a line
 * between its neighbours in the row; a transmission below 1e-4 is 1e-4. How many values were drawn so; a row that has
 * no good one is 0. CT_ENODATA: no flat yet. */
int64_t ct_field_log(const struct ct_field *field, float *out, const float *image, uint32_t row, uint32_t rows);

/* ---- a scan ----------------------------------------------------------------------------------------------------
 * One row of a camera's frames, as they come: darks, flats and projections in any order. The newest darks and flats count
 * for every projection kept, whenever they came. A scan begins with a projection at another height, or with one at an angle
 * that was seen already, after darks, flats or a pause; without those a full turn slides on, the oldest projection giving
 * way where the stage comes by it again. Projections may come in any order. Rows are [cols]. */
struct ct_scan;
/* As ct_tomo_open; takes projections x cols floats more. */
int ct_scan_open(struct ct_scan **out, const struct ct_tomo_setup *setup, struct ct_err *err) CT_MUST_CHECK;
void ct_scan_close(struct ct_scan *scan);   /* NULL is fine */
void ct_scan_dark(struct ct_scan *scan, const float *row);
/* CT_ERANGE: no beam in it, and nothing is changed. */
int ct_scan_flat(struct ct_scan *scan, const float *row);
/* A projection at <angle_deg>, the sample at <z_mm> (0 where nobody says), <paused>: after a silence that ends a scan.
 * Transmission below 1e-4 counts as that; columns without a finite value or with a flat not above the dark are taken from
 * their neighbours. Without a flat the brightest twentieth of the scan's first projection is taken for open beam.
 * CT_ERANGE: no finite angle, or half of the row says nothing; it is left out. */
int ct_scan_projection(struct ct_scan *scan, const float *row, double angle_deg, double z_mm, bool paused);
/* ct_field_mark for a row that is to be a projection. */
uint32_t ct_scan_mark(const struct ct_scan *scan, float *row, float most);
/* Forgets the projections, not darks and flats. */
void ct_scan_restart(struct ct_scan *scan);
int ct_scan_change(struct ct_scan *scan, const struct ct_tomo_setup *setup, struct ct_err *err) CT_MUST_CHECK;
/* ct_tomo_clean, until the next projection comes: all are as they came then. */
int ct_scan_clean(struct ct_scan *scan);
/* The slice from what came, as the next projection would make it: with all stripes, and darks and flats that came since. */
void ct_scan_refresh(struct ct_scan *scan);
struct ct_tomo *ct_scan_tomo(const struct ct_scan *scan);   /* its slice; valid until the next change */
struct ct_scan_state {
  uint32_t projections, darks, flats;   /* in use */
  uint64_t scans;                       /* begun */
  bool behind;                          /* the slice is without the newest darks or flats, until the next projection */
};
struct ct_scan_state ct_scan_state(const struct ct_scan *scan);

/* ---- where the axis is ------------------------------------------------------------------------------------------ */
enum ct_axis_method { CT_AXIS_NONE, CT_AXIS_PAIRS, CT_AXIS_CENTRE_OF_MASS, CT_AXIS_WEDGE, CT_AXIS_ROWS };
const char *ct_axis_method_word(enum ct_axis_method method);   /* "none", "pairs", "centre-of-mass", "wedge", "rows" */

struct ct_tomo_axis {
  enum ct_axis_method method;
  double axis_px, sigma_px;
  uint32_t pairs;            /* opposite ones that were compared */
};
struct ct_axis_finder;
/* For rows of <cols> columns, 8..32768. 0, CT_ERANGE, CT_ENOMEM; plans transforms as ct_tomo_open does. */
int ct_axis_open(struct ct_axis_finder **out, uint32_t cols, struct ct_err *err) CT_MUST_CHECK;
void ct_axis_close(struct ct_axis_finder *finder);   /* NULL is fine */

/* The axis from what a slice has kept, whatever axis it is reconstructed with.
 * Whole turns: from opposite projections, from the first pair on, anywhere on the detector (correlation where both see the
 * sample: Vo et al., Opt. Express 29 (2021) 17849); of up to 64 pairs together, so that noise of single ones does not hide it
 * where the sample reaches beyond the detector; from eight on without what they have in common, which the beam may have, too, if
 * that is enough. Half turns: at the end from the double wedge that the spectrum of a whole turn is confined to (Vo et al., Opt.
 * Express 22 (2014) 19078), about the middle half of the detector. Before, from 45 degrees on, from the centre of mass, which
 * moves on a sine. Both only of a sample that lies inside the detector; of one that does not, and where the beam has changed so
 * that they disagree, half a turn has its two ends, which are opposite. What ct_tomo_ring was told is subtracted. sigma_px
 * is one standard deviation, of noise and of what is wrong with columns and levels as far as it shows. 0; CT_ENODATA: none
 * of them can say, *axis is {CT_AXIS_NONE, NaN, NaN, 0}. */
int ct_axis_find(struct ct_axis_finder *finder, const struct ct_tomo *tomo, struct ct_tomo_axis *axis);
/* From one row and the same one half a turn later. CT_ENODATA: they have nothing in common. */
int ct_axis_pair(struct ct_axis_finder *finder, const float *row, const float *opposite, struct ct_tomo_axis *axis);
struct ct_tomo_tilt {
  double tilt_deg, sigma_deg;   /* positive where the axis moves to higher columns further down; one standard deviation */
  uint32_t rows;                /* that say so */
  double row, axis_px, axis_sigma_px;   /* the axis at <row>, the middle of them, where its error does not depend on the tilt's */
};
/* How the axis leans, from the axes of <n> detector rows y[n], 3..64: a weighted line. Those without a method are left out, and
 * of five or more those that are far off the line of most. CT_ENODATA: fewer than 3, or one row; all NaN. */
int ct_axis_tilt(const struct ct_tomo_axis *axis, const double *y, uint32_t n, struct ct_tomo_tilt *tilt);
/* The axis at detector row <row> as the others say, CT_AXIS_ROWS; CT_AXIS_NONE where fewer than five do. */
struct ct_tomo_axis ct_axis_at_row(const struct ct_tomo_tilt *tilt, double row);

/* ---- rings ------------------------------------------------------------------------------------------------------ */
/* What ct_tomo_ring may subtract: ring[cols], by how much the mean of all projections is off from its neighbourhood, the median
 * of what lies in the middle between columns 1, 2, 3 and 4 to the left and to the right, where that is more than three times
 * its noise, else 0. What turns with the sample is none of it: less and less is subtracted where eight parts of the turn differ by
 * more than 0.3 of it, nothing from 0.6 on; nor is what the mean has within 4 columns of the same distance on the other side of the
 * axis, too, as a wall does that is round about it. <axis_px> is NaN where nobody knows. CT_ENODATA: fewer than 16 projections
 * or 9 columns; CT_ENOMEM. */
int ct_ring_estimate(const struct ct_tomo *tomo, double axis_px, float *ring);
/* Removes stripes from sinogram[rows * cols], rows by angle: unresponsive and fluctuating columns, large stripes, all
 * others by sorting (Vo et al., Opt. Express 26 (2018) 28396, algorithms 6, 5, 3). Not for the frame path: 0.2 s for
 * 1500 x 1024. CT_ENODATA: fewer than 16 rows or 51 columns; CT_ENOMEM: nothing was changed. */
int ct_stripes_remove(float *sinogram, uint32_t rows, uint32_t cols);
/* The same with what a slice has kept, for good, and the slice anew without a ring correction. What the mean has on both sides of
 * the slice's axis is taken out before and put back: a wall that is round about it is no stripe. */
int ct_tomo_clean(struct ct_tomo *tomo);

/* ---- a volume: planes through it in any direction --------------------------------------------------------------- */
struct ct_volume_setup {
  uint32_t rows, cols;       /* of the images that will be added: frames, binned */
  uint32_t size;             /* pixels per edge that cover the field of view, about: ct_volume_state says how many do */
  uint32_t rotation_deg;     /* these as for a slice */
  double axis_px, pixel_cm;  /* the axis at row <lean_row>... */
  double lean, lean_row;     /* ...and by how many columns it moves from row to row, -0.1..0.1 */
  enum ct_window window;
  bool rings;                /* each row is corrected by ct_ring_estimate of it, about this axis */
  uint64_t memory_bytes;     /* for projections, at most 1024, or two a pixel and half turn; when a whole turn has more, those are taken
                                that are far enough apart: images of 128 x 128 take 15 MB for 400 */
};
struct ct_volume;
/* 0, CT_ERANGE (also: memory_bytes hold no two projections), CT_ENOMEM; plans transforms as ct_tomo_open does. */
int ct_volume_open(struct ct_volume **out, const struct ct_volume_setup *setup, struct ct_err *err) CT_MUST_CHECK;
void ct_volume_close(struct ct_volume *volume);   /* NULL is fine */
/* Another axis, lean, window, size or width of a pixel; what is kept stays. As ct_volume_open; on an error everything is as before. */
int ct_volume_change(struct ct_volume *volume, const struct ct_volume_setup *setup, struct ct_err *err) CT_MUST_CHECK;
const struct ct_volume_setup *ct_volume_setup(const struct ct_volume *volume);
/* image[rows * cols] of -ln(transmission) at <angle_deg>, kept to a 65535th of its range. 0, taken or too near to another one
 * (ct_volume_takes says which); CT_ERANGE as ct_tomo_add. */
int ct_volume_add(struct ct_volume *volume, const float *image, double angle_deg);
bool ct_volume_takes(const struct ct_volume *volume, double angle_deg);
/* Adds change[rows * cols], finite, to every image kept: another flat is another constant in every pixel. 0; CT_ENOMEM. */
int ct_volume_correct(struct ct_volume *volume, const float *change);
void ct_volume_restart(struct ct_volume *volume);   /* without projections */

/* A plane's middle lies x to the right of and y above the axis, in columns, at detector row <row>. Its rows are horizontal,
 * turned counter-clockwise by turn_deg; its columns stand up by tilt_deg: 0 is a slice, 90 upright, its first row on top. */
struct ct_plane {
  double x, y, row;
  double turn_deg, tilt_deg;
};
/* values[height * width] in pixels of pixel_px, NaN outside the field of view or the rows; all NaN without projections.
 * Linear between samples and rows. width and height at most 16384. */
void ct_volume_plane(struct ct_volume *volume, const struct ct_plane *plane, uint32_t width, uint32_t height, float *values);
/* Some lines of it, of every so many projections (1: all): values[lines * width]. One row of each of these is filtered for a
 * line; another line, of this plane or another, that lies on the same row finds that done. */
void ct_volume_lines(struct ct_volume *volume, const struct ct_plane *plane, uint32_t width, uint32_t height, uint32_t every,
                     uint32_t from_line, uint32_t lines, float *values);

/* How the axis leans, from the axes of 12 rows, whatever the setup says of the lean; rows that show no sample do not count.
 * <finder> is one for its columns. CT_ENODATA, CT_ENOMEM: all NaN. */
int ct_volume_tilt(const struct ct_volume *volume, struct ct_axis_finder *finder, struct ct_tomo_tilt *tilt);

/* The axis at <row> from others as well, CT_AXIS_ROWS: closer than that of a row alone, and where a row says nothing. Opposite
 * projections of a whole turn: of up to 64 rows around it together, their lean allowed for. Before there are any, and of half a
 * turn: what most of twelve rows say, where five do. <finder> is one for its columns. CT_ENODATA, CT_ENOMEM: as ct_axis_find. */
int ct_volume_axis(const struct ct_volume *volume, struct ct_axis_finder *finder, double row, struct ct_tomo_axis *axis);

struct ct_volume_state {
  uint32_t projections, projections_max;
  uint32_t size;             /* pixels across the field of view */
  double pixel_px;           /* in columns */
  uint64_t changes;          /* another number: planes are others than they were */
};
struct ct_volume_state ct_volume_state(const struct ct_volume *volume);

/* ---- phase ------------------------------------------------------------------------------------------------------ */
/* What propagation adds to the contrast of a sample of one material is taken away again, image by image (Paganin et al.,
 * J. Microsc. 206 (2002) 33): transmission is filtered with 1/(1 + alpha k^2), k in radians per pixel. */
struct ct_paganin;
/* alpha in square pixels: wavelength x distance x (delta/beta) / (4 pi pixel^2). */
double ct_paganin_alpha(double e_keV, double distance_mm, double delta_over_beta, double pixel_um);
/* For images of rows x cols, alpha 0..10^8. 0, CT_ERANGE, CT_ENOMEM; plans transforms as ct_tomo_open does. */
int ct_paganin_open(struct ct_paganin **out, uint32_t rows, uint32_t cols, double alpha_px2, struct ct_err *err) CT_MUST_CHECK;
void ct_paganin_close(struct ct_paganin *paganin);   /* NULL is fine */
/* image[rows * cols] of finite -ln(transmission), in place: the same without the phase. */
void ct_paganin_run(struct ct_paganin *paganin, float *image);

#endif
