/* snapshot: the one picture of the run that screen, log line, JSON and attached viewers all show.
 * Ownership: a snapshot is one flat block of memory without pointers (it can be sent as one message); whoever
 * allocated the block owns it; the board lends published blocks to readers until they give them back. */
#ifndef COMPTOP_SNAPSHOT_H
#define COMPTOP_SNAPSHOT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <comptop/core.h>
#include <comptop/frame.h>

/* In every double and float of a snapshot NaN means "absent"; reports print null or nan for it. */

#define CT_ABSENT UINT64_MAX   /* the same for a whole number that says so */

enum {
  CT_NAME = 32,              /* bytes of a name, NUL included */
  CT_SNAPSHOT_STREAMS = 8,
  CT_SNAPSHOT_ROIS = 16,
  CT_SNAPSHOT_ALARMS = 48,
  CT_SNAPSHOT_PIXELS = 64,
  CT_SNAPSHOT_SECTIONS = 64,
  CT_SNAPSHOT_VERSION = 7
};

/* Why messages of a stream were not taken. X(NAME, "word used in JSON and messages") */
#define CT_REJECTS(X)                                                                          \
  X(PARTS, "parts") X(HEADER_SIZE, "header-size") X(HEADER, "header") X(KEY, "key")            \
  X(FORMAT, "format") X(SHAPE, "shape") X(TYPE, "type") X(SIZE, "size")                        \
  X(COMPRESSED, "compressed") X(DUPLICATE, "duplicate") X(TOO_LATE, "too-late")
enum ct_reject {
#define X(name, word) CT_REJECT_##name,
  CT_REJECTS(X)
#undef X
  CT_REJECT_COUNT
};
const char *ct_reject_word(enum ct_reject reject);

enum ct_stream_state { CT_STREAM_DOWN, CT_STREAM_LIVE, CT_STREAM_LATE, CT_STREAM_STALE, CT_STREAM_IDLE };
const char *ct_stream_state_word(enum ct_stream_state state);   /* "down", "live", ... */
const char *ct_role_word(enum ct_role role);                    /* "hexitec", ... */

struct ct_snapshot_stream {
  char name[CT_NAME];
  char endpoint[128];
  char format[16];            /* "array-1.0", "odin", "bsread"; "" while unknown */
  enum ct_role role;
  enum ct_stream_state state;
  bool sampled;               /* known to be decimated: no losses are counted */
  uint64_t frames;            /* accepted frames (scalars: messages) */
  uint64_t lost, late, rejected, ignored;
  uint64_t rejected_kind[CT_REJECT_COUNT];
  uint64_t tolerated;         /* headers that were not quite JSON and were used all the same */
  uint64_t restarts;
  uint64_t bytes;
  uint64_t last_number;       /* highest frame number */
  uint64_t projections, flats, darks;   /* by image key; hexitec: frames with Mode xct or a key are here too */
  uint64_t not_analysed;      /* accepted but kept out of the analysis: late odin frames, xct mode, keyed */
  double angle_deg;           /* of the last frame that had one */
  double rate_hz;             /* accepted frames a second over the last seconds */
  double lag_s;               /* receive to analysed, now */
  double silent_s;            /* since the last accepted frame; NaN before the first */
  char codec[8];              /* that its frames are archived with now; "" none are */
  double ratio;               /* what they are against what of them is written, since the start */
  double packing_cores;       /* that packing takes; these two NaN while not known */
  char first_rejected[256];   /* the kind, and the header text of the first rejected message */
};

struct ct_snapshot_ring {
  char name[CT_NAME];
  double fill, high;          /* 0..1 */
  uint64_t skipped;           /* frames the analysis missed */
};

enum ct_archive_state { CT_ARCHIVE_OFF, CT_ARCHIVE_OK, CT_ARCHIVE_DEGRADED, CT_ARCHIVE_FAILED };
const char *ct_archive_state_word(enum ct_archive_state state);
struct ct_snapshot_archive {
  enum ct_archive_state state;
  uint64_t committed_frames, missed_frames, bytes, raw_bytes, free_bytes;
  double rate_Bps, left_s, lag_s, ratio;
  double cores;               /* that packing and writing take */
  char folder[256];
  char codec[16];             /* in use: "bslz4", of several streams "bslz4+none" */
};

/* An EMF with its error. L, H and their variances are sums over pixels in pz space; v* have the covariance. */
struct ct_emf {
  double L, H, emf, sigma;
  double emf_plus, plus_sigma;          /* pz > 0 half only */
  double asymmetry, asymmetry_sigma;    /* (H+ - H-)/(H+ + H-) */
};

/* The calibration of lithium: EMF = emf0 + slope (x - x0); the errors of emf0 and slope are uncorrelated, because x0 is
 * the weighted mean of the references. Without references (0 of them) there is none, and no x. */
struct ct_lithium {
  uint32_t references, reserved;
  double x0, emf0, emf0_sigma, slope, slope_sigma;
  double x_low, x_high;                 /* where the references are */
  double chi2;                          /* of the line, with references - 2 degrees of freedom */
};
/* x of an EMF and its error, sigma_x^2 = (sigma_EMF^2 + sigma_emf0^2 + (x - x0)^2 sigma_slope^2) / slope^2; NaN where
 * there is no calibration or no EMF. */
void ct_lithium_x(const struct ct_lithium *lithium, double emf, double sigma, double *x, double *x_sigma);

/* What the Compton peaks of the columns say of the geometry, along the beam; NaN where nothing. */
struct ct_snapshot_geometry {
  char beam[4];               /* "+x"; "" while there is no slope */
  bool in_use;                /* the angles are from this fit and not from the configuration */
  uint32_t peaks;             /* columns (rows for a beam along y) that had one */
  double centre_px, centre_sigma_px, detector_mm, detector_sigma_mm;
  double chi2;                /* columns - 2 degrees of freedom */
  uint32_t contradicts;       /* the configuration: 1 the sign, 2 the centre, 4 the distance */
};

/* How an EMF changes, from disjoint samples. NaN: not known yet. */
struct ct_change {
  uint32_t samples, steps;
  double per_h, sigma_per_h;            /* trend, EMF per hour */
  double up, down;                      /* CUSUM, in standard errors */
  bool alarm;                           /* of the CUSUM, with hysteresis */
};

struct ct_snapshot_xcs {
  bool present;               /* a hexitec stream is configured */
  double window_s;            /* NaN: since start, or this scan */
  char window[8];             /* "run", "scan", or "" for window_s */
  double covered_s;           /* of the window, how much is there: live time of the frames in it */
  uint64_t frames;            /* analysed frames in the window */
  double live_s;              /* frames / frame rate */
  uint64_t counts;            /* photons in the spectra (0-200 keV) of the unmasked pixels */
  uint64_t single, dbl, multiple, next_frame;
  uint64_t saturated, no_energy;   /* pixels: see struct ct_hexitec_tally */
  uint64_t below, above;      /* photons outside the spectra */
  double e1_keV, e2_keV, theta_deg;
  double p_low, p_high;       /* L is within p_low, H from there to p_high, atomic units */
  double windows_keV[4];      /* energies of pz = -p_high, -p_low, p_low, p_high at theta_deg */
  double background_keV[2][2];   /* [window][from, to] */
  uint32_t n_background, reserved_background;   /* windows in use */
  uint32_t rows, cols, live_pixels;
  struct ct_emf emf;
  double x, x_sigma;          /* lithium */
  struct ct_emf run;          /* since start, whatever the window */
  uint64_t scan;              /* number of the scan, from 1; 0: none yet */
  double scan_live_s;
  struct ct_emf scan_emf;
  double target_s;            /* until the error of <run> is at emf.target_sigma, at the present rate; 0: it is */
  struct ct_change change;
  uint64_t total_frames;      /* analysed since start */
  uint64_t total_counts;
  double total_live_s;
  struct ct_snapshot_geometry geometry;
  char reference[64];         /* what the profile of all pixels is compared with; "" nothing */
  double reference_chi2;      /* NaN where there is none */
  uint32_t reference_dof;
};

struct ct_snapshot_roi {
  char name[CT_NAME];
  uint32_t pixels;            /* unmasked ones */
  uint64_t counts;
  struct ct_emf emf;
  double x, x_sigma;          /* lithium */
  struct ct_emf run, scan_emf;   /* since start, of the scan */
  double target_s;            /* as of the whole */
  struct ct_change change;
};

/* What changes when the instrument does, and not the sample. X(NAME, "key", "unit") */
#define CT_MONITORS_(X)                                                                                    \
  X(PEAK, "peak_keV", "keV") X(TILT, "tilt_keV", "keV") X(ASYMMETRY, "asymmetry", "-")                     \
  X(W_LINE, "w_line_keV", "keV") X(W_FWHM, "w_fwhm_keV", "keV") X(PB_LINE, "pb_line_keV", "keV")           \
  X(PB_FWHM, "pb_fwhm_keV", "keV") X(ELASTIC, "elastic_ratio", "-") X(MULTIPLICITY, "multiplicity", "-")   \
  X(RATE, "rate_Hz", "Hz") X(BRAGG, "bragg_pixels", "pixels") X(BUBBLE, "bubble_pixels", "pixels")
enum ct_monitor {
#define X(name, key, unit) CT_MONITOR_##name,
  CT_MONITORS_(X)
#undef X
  CT_MONITORS
};
const char *ct_monitor_word(enum ct_monitor monitor);   /* its key */
/* unknown: nothing measured; learning: no reference yet */
enum ct_monitor_state { CT_MONITOR_UNKNOWN, CT_MONITOR_LEARNING, CT_MONITOR_FINE, CT_MONITOR_ALARM };
const char *ct_monitor_state_word(enum ct_monitor_state state);
struct ct_snapshot_monitor {
  double value, sigma;
  double reference, limit;    /* what it is compared with; how far it may be from there */
  double moved, moved_sigma;  /* over the last step of the CUSUM, against the beginning: for what EMF does meanwhile */
  int32_t x, y;               /* where; -1: nowhere in particular */
  enum ct_monitor_state state;
  uint32_t reserved;
};
struct ct_snapshot_monitors {
  double live_s;              /* of the sample they are from */
  double bubble_loss;         /* part of its counts */
  struct ct_snapshot_monitor list[CT_MONITORS];
};

/* The trend of every cell of a map, as one family of tests. */
struct ct_snapshot_drift {
  double sample_s;            /* NaN: a scan */
  uint32_t bin, cells;        /* cells with a trend */
  uint32_t beyond;            /* of them beyond z_limit */
  bool alarm;
  double z_limit, z_max;      /* |trend| / error */
  int32_t x, y;               /* first pixel of the cell of z_max, -1: none */
};

/* A pixel that is wrong, or was when it was masked. */
enum ct_fault { CT_FAULT_HOT, CT_FAULT_DEAD, CT_FAULT_PAST };
const char *ct_fault_word(enum ct_fault fault);   /* "hot", "dead", "past" */
struct ct_snapshot_pixel {
  uint32_t x, y;              /* column, row */
  enum ct_fault fault;
  bool masked;
  double rate_hz;             /* hits/s */
};

/* How the detector is. What is counted since the start says so, the rest is about the last window_s. */
struct ct_snapshot_health {
  bool present;               /* a hexitec stream is configured */
  bool automatic;             /* hot and dead pixels are masked when they are found */
  double single, dbl, multiple;   /* share of the clusters in the analysis window */
  double window_s;            /* how much time the rates are from */
  double hits_per_frame, hits_spread;   /* mean, standard deviation */
  double rate_median_hz;      /* hits/s of the median pixel */
  uint32_t hot, dead;         /* found now; pixels masked by a file are none of them */
  uint32_t off;               /* never a hit: gradient 0, or a limit beyond any ADU */
  uint32_t hot_unmasked, dead_unmasked;
  uint32_t masked;            /* because they were found, now or before */
  uint64_t mask_generation;   /* changes with the mask */
  uint64_t row_floods;        /* rows with half of their pixels hit in one frame, since the start */
  uint64_t flooded_frame, flooded_row;   /* the last one, CT_ABSENT: none */
  uint64_t jumps, jump_frame; /* of the whole sensor's level, since the start; the last one, CT_ABSENT: none */
  double jump_ADU, level_ADU; /* its size; the level now */
  double drift_median_ADU, drift_max_ADU;   /* of the pixels without a hit since the darks; the largest, and where */
  uint64_t drift_x, drift_y;  /* CT_ABSENT with drift_max_ADU */
  uint32_t n_pixels;
  struct ct_snapshot_pixel pixels[CT_SNAPSHOT_PIXELS];   /* masked or found, row by row; of more the first ones */
};

struct ct_snapshot_ct {
  bool present;
  uint64_t projections;       /* received since start */
  double angle_deg, axis_px, axis_sigma_px;
  char axis_method[16];       /* how it was found: "fixed", "middle", "pairs", "centre-of-mass", "wedge", "rows", "moved" */
  double tilt_deg, tilt_sigma_deg;   /* of the axis; positive: further right further down; NaN: not known */
  double lean_px;             /* by how many columns it moves over the height, as planes follow it; 0: by none for sure */
  uint32_t tilt_rows;         /* whose axes say so */
  uint32_t in_slice;          /* projections of the slice */
  uint32_t rows, cols;        /* of a frame; 0 before the first */
  uint32_t slice_row, slice_size;
  uint32_t flats, darks;      /* frames of the flat and dark in use */
  double rotation_deg;        /* of a full scan */
  double covered_deg;         /* of it, without gaps */
  uint64_t lost;              /* frames of the camera that never came */
  uint64_t unplaced;          /* projections without an angle: in no slice */
  uint64_t unusable;          /* of a type or values that cannot be used */
  uint64_t saturated;         /* flats and projections that are so in a twentieth of the slice's row */
  uint64_t scans;             /* begun since start */
  uint32_t waiting;           /* projections that wait for their angle */
  uint32_t ring_columns;      /* detector columns that are corrected */
  char ring_method[8];        /* "live", "full"; "" where nothing is corrected */
};

struct ct_snapshot_cell {
  bool present;
  double v_V, i_A, q_Ah;
  double age_s;
};

enum ct_severity { CT_NOTICE, CT_WARNING, CT_CRITICAL };
const char *ct_severity_word(enum ct_severity severity);
struct ct_snapshot_alarm {
  char id[CT_NAME];           /* stable word: "stream-stale" */
  enum ct_severity severity;
  int64_t since_ns;
  char text[256];             /* what is wrong, where, what to do */
};

/* Health, totals, ROIs, cell: always there. */
struct ct_snapshot_core {
  int64_t wall_ns;
  uint64_t seq;
  char run[64];
  char mode[8];               /* "xcs", "xct" or "" */
  bool demo, headless;
  double uptime_s;
  uint32_t n_streams, n_rings, n_rois, n_alarms;
  struct ct_snapshot_stream streams[CT_SNAPSHOT_STREAMS];
  struct ct_snapshot_ring rings[CT_SNAPSHOT_STREAMS];
  struct ct_snapshot_archive archive;
  struct ct_snapshot_xcs xcs;
  struct ct_snapshot_health health;
  struct ct_lithium lithium;
  struct ct_snapshot_drift drift;
  struct ct_snapshot_monitors monitors;
  struct ct_snapshot_roi rois[CT_SNAPSHOT_ROIS];
  struct ct_snapshot_ct ct;
  struct ct_snapshot_cell cell;
  struct ct_snapshot_alarm alarms[CT_SNAPSHOT_ALARMS];
};

/* ---- sections: built when someone asks ---------------------------------------------------------- */
enum ct_section_kind { CT_SECTION_NONE, CT_SECTION_MAP, CT_SECTION_SPECTRUM, CT_SECTION_PROFILE, CT_SECTION_SLICE,
                       CT_SECTION_TREND, CT_SECTION_IMAGE, CT_SECTION_ROIS, CT_SECTION_MARKS, CT_SECTION_SETTINGS };
/* What a map is of: EMF; its trend, EMF per hour in place of emf, for the cells of the drift map; or EMF of cells of different
 * size, each as small as target_sigma allows: one value a pixel, emf and sigma those of its cell, counts its share of them;
 * or hits a second of every pixel, over health.window_s, as intensity (counts and photons are then hits, emf is NaN). */
enum ct_map_of { CT_MAP_EMF, CT_MAP_DRIFT, CT_MAP_ADAPTIVE, CT_MAP_HITS };
enum ct_scope { CT_SCOPE_ALL, CT_SCOPE_PIXEL, CT_SCOPE_ROI };

/* Where planes lie: a point in pixels of the camera, right of and above the axis at angle 0, and a row of it; how the oblique one is
 * turned about the upright and tilted about its own rows, which stay level (struct ct_plane of tomo.h). */
struct ct_point {
  int32_t x, y, row, turn_deg, tilt_deg, reserved;
};
#define CT_ROW_OF_SLICE INT32_MIN   /* for row */

/* What is asked for; two equal requests share one section. Zero what does not apply (ct_request_equal is memcmp). */
struct ct_request {
  uint32_t kind;              /* enum ct_section_kind */
  uint32_t scope;             /* spectrum, profile, trend: enum ct_scope */
  int32_t x, y;               /* pixel: column, row; ROI: x = its index; slice: plane's row in x */
  uint32_t bin;               /* map: pixels summed per edge, 1 2 4 8; 0: chosen so that target_sigma is met */
  uint32_t size;              /* slice: pixels per edge; trend: points wanted */
  uint32_t of, reserved;      /* map: enum ct_map_of */
  double target_sigma;        /* map with bin 0 */
  double min_counts;          /* map: a cell with L+H below this has CT_CELL_LOW; NaN: as configured */
  struct ct_point at;         /* planes */
};
bool ct_request_equal(const struct ct_request *a, const struct ct_request *b);

/* Row-major arrays of rows*cols follow the struct in this order: float emf[], float sigma[], float counts[]
 * (L+H after background), float photons[] (all in the spectra), float intensity[], float intensity_sigma[] (counts a second
 * and pixel, over the flat field's relative rate where there is one: electron density), uint8_t cell[] (enum ct_map_cell).
 * emf and sigma are NaN unless the cell is CT_CELL_OK, intensity and its sigma where the cell is masked. */
enum ct_map_cell { CT_CELL_OK, CT_CELL_LOW, CT_CELL_MASKED };
struct ct_section_map {
  uint32_t rows, cols, bin;
  uint32_t of;                /* as asked for */
  double median_sigma;        /* over the CT_CELL_OK cells; NaN if none */
};
/* double counts[n] follow. */
struct ct_section_spectrum {
  double start_keV, width_keV;
  uint32_t n, pixels;
};
/* What a profile is divided by: its value at pz = 0; its integral over the windows of L and H; nothing, counts per a.u. */
enum ct_normalisation { CT_NORMALISE_PEAK, CT_NORMALISE_AREA, CT_NORMALISE_NONE };

/* double pz[n], J[n], sigma[n], reference[n], reference_sigma[n] follow; J is normalised, the reference scaled to J. Without a reference its name is "" and its arrays mean nothing. */
struct ct_section_profile {
  uint32_t n, pixels;
  double norm;                /* counts per a.u. at pz = 0 */
  char reference[64];
  double chi2;
  uint32_t dof;
  uint32_t normalisation;     /* enum ct_normalisation */
};
/* float values[size*size] follow, row-major; NaN outside the field of view. */
struct ct_section_slice {
  uint32_t size, projections;
  double pixel_um;
};
/* Pictures of the camera's own, beside the slice: request.x says which, request.size how many values an edge has at most.
 * float values[rows*cols] follow, row-major. */
enum ct_image {
  CT_IMAGE_PROJECTION,        /* transmission of the newest projection (counts without a flat), averaged down */
  CT_IMAGE_SINOGRAM,          /* attenuation of the reconstructed row: a line a projection, in the order of their angles */
  /* Attenuation in planes through the request's point, of many projections, averaged down; NaN outside: along the slice;
   * upright, to the right and up; upright, from the front to the back and up; oblique. */
  CT_IMAGE_XY, CT_IMAGE_XZ, CT_IMAGE_YZ, CT_IMAGE_OBLIQUE,
  CT_IMAGE_OVERVIEW,          /* a coarse volume from the front: the highest attenuation behind each point */
  CT_IMAGE_VOLUME             /* all of it, cols x cols values in each of rows / cols slices, the first on top */
};
const char *ct_image_word(enum ct_image image);   /* "projection", "sinogram", "plane-xy", ... */
struct ct_section_image {
  uint32_t rows, cols;
  double pixel_um;            /* along the columns; NaN: not known */
  double angle_deg;           /* of the projection; NaN: not known */
  uint32_t projections;       /* that a plane is made of; 0: not whole yet, what is missing is filled with its neighbours */
  uint32_t reserved;
};
/* double t_s[n] (wall clock, s since the epoch), emf[n], sigma[n], v_V[n], i_A[n], q_Ah[n] follow. */
struct ct_section_trend {
  uint32_t n, reserved;
  double interval_s;
};
/* uint16_t rois[rows*cols] follow, row-major: bit i of a pixel that lies in core.rois[i], masked or not. */
struct ct_section_rois {
  uint32_t rows, cols;
};
/* What happened, for the time axes of trends: at most CT_SNAPSHOT_MARKS of the latest, oldest first. struct
 * ct_snapshot_mark marks[n] follow. */
enum ct_mark { CT_MARK_SCAN, CT_MARK_XCS, CT_MARK_XCT, CT_MARK_TEXT };
enum { CT_SNAPSHOT_MARKS = 64 };
struct ct_snapshot_mark {
  double t_s;                 /* wall clock, s since the epoch */
  uint32_t kind;              /* enum ct_mark: a scan began; the mode changed to xcs, to xct; somebody wrote <text> */
  uint32_t reserved;
  char text[64];              /* "scan 3", "camera scan 1", "xct", or what was written */
};
struct ct_section_marks {
  uint32_t n, reserved;
};

/* char packed[bytes] follow, of ct_settings_pack: the settings in force in the run. */
enum { CT_SETTINGS_BYTES = 1 << 16 };   /* at most */
struct ct_section_settings {
  uint32_t bytes, reserved;
};

struct ct_section_entry {
  struct ct_request request;
  uint64_t offset_bytes, size_bytes;   /* from the start of the snapshot; multiples of 8 */
};

struct ct_snapshot {
  uint32_t magic, version;
  uint64_t size_bytes;        /* of the whole block */
  uint32_t n_sections, reserved;
  struct ct_section_entry sections[CT_SNAPSHOT_SECTIONS];
  struct ct_snapshot_core core;
  /* sections follow */
};

/* ==== building =====================================================================================
 * One thread fills a block that it owns: begin, the core's fields, sections, finish. Nothing allocates. */
#define CT_SNAPSHOT_MAGIC UINT32_C(0x4e535443)   /* "CTSN" */

struct ct_snapshot_builder {
  struct ct_snapshot *snapshot;
  size_t capacity_bytes;
  uint32_t refused;           /* sections that found no room */
};
/* Starts a snapshot in buffer[capacity_bytes] (8-byte aligned): header set, core zeroed. CT_ERANGE: not even the core fits. */
int ct_snapshot_begin(struct ct_snapshot_builder *builder, void *buffer, size_t capacity_bytes) CT_MUST_CHECK;
/* Adds a section of <bytes>, zeroed, for <request>: its start, 8-byte aligned; NULL if it does not fit (counted). */
void *ct_snapshot_add(struct ct_snapshot_builder *builder, const struct ct_request *request, size_t bytes);
/* Sets the size; the snapshot may now be published or sent as its first size_bytes bytes. */
struct ct_snapshot *ct_snapshot_finish(struct ct_snapshot_builder *builder);

/* Bytes of a section of each kind, head and arrays; SIZE_MAX where that overflows (no buffer holds it). */
size_t ct_section_map_bytes(uint32_t rows, uint32_t cols);
size_t ct_section_spectrum_bytes(uint32_t n);
size_t ct_section_profile_bytes(uint32_t n);
size_t ct_section_slice_bytes(uint32_t size);
size_t ct_section_trend_bytes(uint32_t n);
size_t ct_section_image_bytes(uint32_t rows, uint32_t cols);
size_t ct_section_rois_bytes(uint32_t rows, uint32_t cols);
size_t ct_section_marks_bytes(uint32_t n);
size_t ct_section_settings_bytes(uint32_t bytes);

/* Adds a section of each kind with its dimensions set, all else zeroed; *out points at its parts. False: no room (counted). */
struct ct_map_parts {
  struct ct_section_map *head;
  float *emf, *sigma, *counts, *photons, *intensity, *intensity_sigma;   /* [rows*cols] */
  uint8_t *cell;                      /* [rows*cols], enum ct_map_cell */
  uint8_t *edge;                      /* [rows*cols], pixels: of the cell that the value is of; 0: head->bin */
};
struct ct_spectrum_parts {
  struct ct_section_spectrum *head;
  double *counts;                     /* [n] */
};
struct ct_profile_parts {
  struct ct_section_profile *head;
  double *pz, *J, *sigma, *reference, *reference_sigma;   /* [n] */
};
struct ct_slice_parts {
  struct ct_section_slice *head;
  float *values;                      /* [size*size] */
};
struct ct_trend_parts {
  struct ct_section_trend *head;
  double *t_s, *emf, *sigma, *v_V, *i_A, *q_Ah;   /* [n] */
};
struct ct_image_parts {
  struct ct_section_image *head;
  float *values;                      /* [rows*cols] */
};
struct ct_rois_parts {
  struct ct_section_rois *head;
  uint16_t *rois;                     /* [rows*cols] */
};
struct ct_marks_parts {
  struct ct_section_marks *head;
  struct ct_snapshot_mark *marks;     /* [n] */
};
bool ct_snapshot_add_map(struct ct_snapshot_builder *builder, const struct ct_request *request, uint32_t rows,
                         uint32_t cols, struct ct_map_parts *out);
bool ct_snapshot_add_spectrum(struct ct_snapshot_builder *builder, const struct ct_request *request, uint32_t n,
                              struct ct_spectrum_parts *out);
bool ct_snapshot_add_profile(struct ct_snapshot_builder *builder, const struct ct_request *request, uint32_t n,
                             struct ct_profile_parts *out);
bool ct_snapshot_add_slice(struct ct_snapshot_builder *builder, const struct ct_request *request, uint32_t size,
                           struct ct_slice_parts *out);
bool ct_snapshot_add_trend(struct ct_snapshot_builder *builder, const struct ct_request *request, uint32_t n,
                           struct ct_trend_parts *out);

bool ct_snapshot_add_image(struct ct_snapshot_builder *builder, const struct ct_request *request, uint32_t rows,
                           uint32_t cols, struct ct_image_parts *out);
bool ct_snapshot_add_rois(struct ct_snapshot_builder *builder, const struct ct_request *request, uint32_t rows,
                          uint32_t cols, struct ct_rois_parts *out);
bool ct_snapshot_add_marks(struct ct_snapshot_builder *builder, const struct ct_request *request, uint32_t n,
                           struct ct_marks_parts *out);
struct ct_settings_parts {
  struct ct_section_settings *head;
  char *packed;                       /* [bytes] */
};
bool ct_snapshot_add_settings(struct ct_snapshot_builder *builder, const struct ct_request *request, uint32_t bytes,
                              struct ct_settings_parts *out);

/* ==== reading ====================================================================================== */
/* The payload of the section for exactly <request>, at least <min_bytes> long; NULL if there is none. *size_bytes (may be
 * NULL) is its whole size. The table is not trusted: nothing outside the snapshot's size_bytes is returned. */
const void *ct_snapshot_find(const struct ct_snapshot *snapshot, const struct ct_request *request, size_t min_bytes,
                             size_t *size_bytes);

/* The parts of a section payload[size_bytes]; false if the arrays do not lie inside it or a map or slice has no cells.
 * <payload> is 8-byte aligned, as ct_snapshot_find returns it; NULL gives false. */
struct ct_map_view {
  const struct ct_section_map *head;
  const float *emf, *sigma, *counts, *photons, *intensity, *intensity_sigma;
  const uint8_t *cell, *edge;
};
struct ct_spectrum_view {
  const struct ct_section_spectrum *head;
  const double *counts;
};
struct ct_profile_view {
  const struct ct_section_profile *head;
  const double *pz, *J, *sigma, *reference, *reference_sigma;
};
struct ct_slice_view {
  const struct ct_section_slice *head;
  const float *values;
};
struct ct_trend_view {
  const struct ct_section_trend *head;
  const double *t_s, *emf, *sigma, *v_V, *i_A, *q_Ah;
};
struct ct_image_view {
  const struct ct_section_image *head;
  const float *values;
};
struct ct_rois_view {
  const struct ct_section_rois *head;
  const uint16_t *rois;
};
struct ct_marks_view {
  const struct ct_section_marks *head;
  const struct ct_snapshot_mark *marks;
};
struct ct_settings_view {
  const struct ct_section_settings *head;
  const char *packed;
};
bool ct_section_map(const void *payload, size_t size_bytes, struct ct_map_view *out);
bool ct_section_spectrum(const void *payload, size_t size_bytes, struct ct_spectrum_view *out);
bool ct_section_profile(const void *payload, size_t size_bytes, struct ct_profile_view *out);
bool ct_section_slice(const void *payload, size_t size_bytes, struct ct_slice_view *out);
bool ct_section_trend(const void *payload, size_t size_bytes, struct ct_trend_view *out);
bool ct_section_image(const void *payload, size_t size_bytes, struct ct_image_view *out);
bool ct_section_rois(const void *payload, size_t size_bytes, struct ct_rois_view *out);
bool ct_section_marks(const void *payload, size_t size_bytes, struct ct_marks_view *out);
bool ct_section_settings(const void *payload, size_t size_bytes, struct ct_settings_view *out);

/* A map's photons into out[rows * cols]; NaN where a cell is masked. */
void ct_map_photons(const struct ct_map_view *map, float *out);

/* find and the view in one: the section for <request> (whose kind must be the function's), or false. */
bool ct_snapshot_map(const struct ct_snapshot *snapshot, const struct ct_request *request, struct ct_map_view *out);
bool ct_snapshot_spectrum(const struct ct_snapshot *snapshot, const struct ct_request *request,
                          struct ct_spectrum_view *out);
bool ct_snapshot_profile(const struct ct_snapshot *snapshot, const struct ct_request *request,
                         struct ct_profile_view *out);
bool ct_snapshot_slice(const struct ct_snapshot *snapshot, const struct ct_request *request, struct ct_slice_view *out);
bool ct_snapshot_trend(const struct ct_snapshot *snapshot, const struct ct_request *request, struct ct_trend_view *out);
bool ct_snapshot_image(const struct ct_snapshot *snapshot, const struct ct_request *request, struct ct_image_view *out);
bool ct_snapshot_rois(const struct ct_snapshot *snapshot, const struct ct_request *request, struct ct_rois_view *out);
bool ct_snapshot_marks(const struct ct_snapshot *snapshot, const struct ct_request *request, struct ct_marks_view *out);
bool ct_snapshot_settings(const struct ct_snapshot *snapshot, const struct ct_request *request, struct ct_settings_view *out);

/* Whether bytes[n], from a stranger, is exactly one snapshot that every reader may use without further checks: magic,
 * version, size (== n), counts, enums, bools, NUL-terminated strings, sections and the arrays in them. <bytes> must be
 * 8-byte aligned (else CT_ERANGE). CT_EFORMAT with the first thing wrong in <err> (may be NULL). Numbers are not judged. */
int ct_snapshot_check(const void *bytes, size_t n, struct ct_err *err) CT_MUST_CHECK;

/* ==== the board: publishes the latest whole block =====================================================
 * One writer, up to readers_max readers that each hold at most one block at a time; nobody ever waits for anybody, and a
 * block lent to a reader does not change. Blocks are plain memory of one size: snapshots, analysis results, tables. */
struct ct_board;
/* CT_ERANGE (readers_max outside 1..64, capacity 0 or absurd) or CT_ENOMEM. Blocks are 64-byte aligned and zeroed. */
int ct_board_new(struct ct_board **out, unsigned readers_max, size_t capacity_bytes, struct ct_err *err) CT_MUST_CHECK;
void ct_board_free(struct ct_board *board);
size_t ct_board_capacity_bytes(const struct ct_board *board);
/* Writer: a block nobody reads, with whatever an earlier use left in it. Again without publish: the same block. NULL only
 * if readers hold more blocks than promised. */
void *ct_board_begin(struct ct_board *board);
/* Writer: makes the block of the last begin the latest. */
void ct_board_publish(struct ct_board *board);
/* Readers: the latest block, lent until released; NULL before the first publish. */
const void *ct_board_acquire(struct ct_board *board);
/* NULL is fine. */
void ct_board_release(struct ct_board *board, const void *block);

/* ==== wants: which sections somebody looks at now =====================================================
 * The monitor adds and drops requests (equal ones share an entry and are counted); workers read the table as a whole. */
enum { CT_WANTS = CT_SNAPSHOT_SECTIONS };
struct ct_wants_table {
  uint64_t generation;        /* grows with every change of the table */
  uint32_t n, reserved;
  struct ct_request requests[CT_WANTS];
};
struct ct_wants;
/* <readers_max>: workers that may hold a table at once. Errors as ct_board_new. */
int ct_wants_new(struct ct_wants **out, unsigned readers_max, struct ct_err *err) CT_MUST_CHECK;
void ct_wants_free(struct ct_wants *wants);
/* Writer: one more who wants <request>. CT_ERANGE: the table is full. CT_EBUSY: workers hold more tables than promised. */
int ct_wants_add(struct ct_wants *wants, const struct ct_request *request) CT_MUST_CHECK;
/* Writer: one less. CT_ENOTFOUND: nobody wanted it. CT_EBUSY as above (nothing changed: try again). */
int ct_wants_drop(struct ct_wants *wants, const struct ct_request *request);
/* Workers: the generation of the latest table, for the price of one load; 0 before the first change. */
uint64_t ct_wants_generation(const struct ct_wants *wants);
/* Workers: the latest table, lent until released; never NULL. */
const struct ct_wants_table *ct_wants_acquire(struct ct_wants *wants);
void ct_wants_release(struct ct_wants *wants, const struct ct_wants_table *table);

#endif
