/* archive: frames and results to NeXus/HDF5 files and back; the only room with HDF5.
 * Ownership: every handle belongs to whoever opened it; buffers are the caller's and are not kept after a call.
 * No threads here: one handle is used by one thread at a time. */
#ifndef COMPTOP_ARCHIVE_H
#define COMPTOP_ARCHIVE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <comptop/core.h>
#include <comptop/frame.h>
#include <comptop/snapshot.h>

/* ---- reading any HDF5 file -------------------------------------------------------------------------
 * A data set is written "FILE:/path"; FILE alone is enough where only one in it fits, else the error lists them.
 * Errors of opening: CT_EIO (no such file, damaged), CT_EFORMAT (no HDF5 file), CT_ENOTFOUND (no such data set),
 * CT_ETYPE (no plain numbers), CT_ESHAPE, CT_EUNSUPPORTED (a filter is missing; the error names it).
 * Filter 32008 (bitshuffle) with LZ4 is built in. Of several data sets one named raw_frames is taken (odin-data).
 * FILE.bin is no HDF5 file but headerless frames of 80 x 80 uint16 in the order of the ASIC, as the GigE software of the
 * single-ASIC camera writes them. */
struct ct_h5_frames;
struct ct_h5_info {
  uint64_t n;                     /* frames; [rows, cols] counts as one */
  uint32_t rows, cols;
  enum ct_type type;
  uint64_t chunk;                 /* frames that are stored together, at least 1 */
};
/* Opens [n,rows,cols] or [rows,cols] of 1..16384 rows and columns of integers (1, 2, 4, 8 bytes) or floats (4, 8). */
int ct_h5_open_frames(struct ct_h5_frames **out, const char *spec, struct ct_err *err) CT_MUST_CHECK;
const struct ct_h5_info *ct_h5_info(const struct ct_h5_frames *frames);
/* The data set's full name in its file, "/entry/data", and the file; live as long as <frames>. */
const char *ct_h5_dataset(const struct ct_h5_frames *frames);
const char *ct_h5_file(const struct ct_h5_frames *frames);
/* A column [n] of exactly <n> numbers, read like frames of one pixel. */
int ct_h5_open_column(struct ct_h5_frames **out, const char *spec, uint64_t n, struct ct_err *err) CT_MUST_CHECK;
/* Frames first..first+count-1 into <buffer>, row-major, native byte order; CT_ERANGE outside 0..n, CT_EIO.
 * read_as converts to <type>; as CT_F64, data whose attribute `units` says radians become degrees. */
int ct_h5_read_frames(struct ct_h5_frames *frames, uint64_t first, uint64_t count, void *buffer,
                      struct ct_err *err) CT_MUST_CHECK;
/* The same in two steps: what is packed is only fetched, into parcels, and the frames are there when each of them has been
 * unpacked: 0 or CT_EFORMAT; by any thread, several at once, until the next fetch into them. */
struct ct_h5_parcels;
struct ct_h5_parcels *ct_h5_parcels_new(void);
void ct_h5_parcels_free(struct ct_h5_parcels *parcels);    /* NULL is fine */
int ct_h5_fetch_frames(struct ct_h5_frames *frames, uint64_t first, uint64_t count, void *buffer,
                       struct ct_h5_parcels *parcels, struct ct_err *err) CT_MUST_CHECK;
size_t ct_h5_parcels_n(const struct ct_h5_parcels *parcels);
int ct_h5_unpack(const struct ct_h5_parcels *parcels, size_t i) CT_MUST_CHECK;
int ct_h5_read_as(struct ct_h5_frames *frames, uint64_t first, uint64_t count, enum ct_type type, void *buffer,
                  struct ct_err *err) CT_MUST_CHECK;
void ct_h5_close_frames(struct ct_h5_frames *frames);      /* NULL is fine */

/* Where a tomography file keeps things: Data Exchange (/exchange/data, data_dark, data_white, theta) or NXtomo
 * (ENTRY/instrument/detector/data, image_key, ENTRY/sample/rotation_angle). "" for what is not there. False: neither. */
enum { CT_SCAN_PATH = 256 };
struct ct_h5_scan {
  char frames[CT_SCAN_PATH], darks[CT_SCAN_PATH], flats[CT_SCAN_PATH], angles[CT_SCAN_PATH], image_key[CT_SCAN_PATH];
};
bool ct_h5_scan_find(const char *path, struct ct_h5_scan *out);

/* rows*cols finite numbers, row-major, from [rows,cols], from [rows*cols], or the mean of a stack [n,rows,cols].
 * <whole> rounds each to an integer, half up (the mean dark frame in ADU, DESIGN 1.6). */
int ct_h5_read_map(const char *spec, uint32_t rows, uint32_t cols, bool whole, double *out,
                   struct ct_err *err) CT_MUST_CHECK;

/* The same from what a setting says: one number for all pixels, a text map of core.h, or any of the above. */
int ct_map_read(const char *spec, uint32_t rows, uint32_t cols, bool whole, double *out,
                struct ct_err *err) CT_MUST_CHECK;

/* ---- a run on disk (comptop-run(5)) ---------------------------------------------------------------------
 * FOLDER/RUN/RUN.nxs               the master, small, replaced as a whole
 * FOLDER/RUN/RUN_STREAM_000000.h5  frames of a stream, rolling; readable while written (SWMR)
 * FOLDER/RUN/RUN_log_000000.h5     scalars, alarms, gaps
 * FOLDER/RUN/RUN_results_000000.h5 maps, spectra and totals over time
 * One thread at a time may use a struct ct_run (HDF5 blocks for seconds when the disk does); chunks are filled and
 * packed by any thread and never refer to the run. */
enum ct_codec { CT_CODEC_NONE, CT_CODEC_BSLZ4, CT_CODEC_LZ4, CT_CODEC_ZSTD, CT_CODEC_AUTO, CT_CODEC_EVENTS };
const char *ct_codec_word(enum ct_codec codec);         /* "none", "bslz4", "lz4", "zstd", "auto", "events" */

/* ---- chunks: frames of one stream on their way to the disk; all memory is taken by ct_chunk_new */
struct ct_chunk;
/* Room for <bytes> of pixels: at least the largest frame that may come, and 1 MB for whole chunks. */
struct ct_chunk *ct_chunk_new(size_t bytes);
void ct_chunk_free(struct ct_chunk *chunk);             /* NULL is fine */
/* Frames of <frame_bytes> that make one chunk in a file: about 1 MB, or what comes in 0.25 s at <frame_hz> (0 or NaN: not
 * known), at least 1. */
uint32_t ct_chunk_frames(size_t frame_bytes, double frame_hz);
/* Empties it for frames of stream <stream> (its place in ct_run_setup). <previous> is the chunk of the same stream that
 * was filled before, or NULL: after one that was written short the next is short too, so that the file stays aligned. */
void ct_chunk_begin(struct ct_chunk *chunk, size_t stream, double frame_hz, const struct ct_chunk *previous);
/* Copies frames <first>... of a batch into it, in native byte order: how many it took. Fewer than there are: it is
 * full, or they have another shape or type than those in it: write it, begin another and go on. 0 from an empty chunk:
 * the frames are larger than its room. */
uint32_t ct_chunk_add(struct ct_chunk *chunk, const struct ct_frame *frame, uint32_t first);
/* Makes 0 what is no event in the last <count> frames: of u16 a pixel below its limit (rows*cols, in the order of the
 * frames), of f32 one from 0 up to a limit. Other types stay as they are. For CT_CODEC_EVENTS, which leaves out zeros. */
struct ct_chunk_limits {
  const uint16_t *least_ADU;
  float above_keV;
};
void ct_chunk_suppress(struct ct_chunk *chunk, uint32_t count, const struct ct_chunk_limits *limits);
uint32_t ct_chunk_count(const struct ct_chunk *chunk);
size_t ct_chunk_stream(const struct ct_chunk *chunk);
bool ct_chunk_full(const struct ct_chunk *chunk);
/* Checksums and, when it is full, packing: the expensive part, once, after the last frame was added. EVENTS: lists of the
 * pixels that are not 0; while frames would not become smaller so, and a second longer, BSLZ4. */
void ct_chunk_pack(struct ct_chunk *chunk, enum ct_codec codec);

/* ---- the run */
struct ct_run_stream {
  const char *name, *endpoint;    /* name: letters, digits, - and _ */
  enum ct_role role;              /* scalars have no files of their own */
  enum ct_codec codec;            /* of its frames; AUTO: what packs them best, tried on them */
  double frame_hz;                /* NaN: not known */
};
/* A map that the settings name as a file, kept with them: hexitec.<name>. */
struct ct_run_map {
  const char *name;
  const double *values;           /* rows*cols, row-major */
  uint32_t rows, cols;
};
/* What is told about a run beside its frames; all of it may be missing (NaN, NULL). The arrays must outlive the run. */
struct ct_run_about {
  double e1_keV, theta_deg, object_mm, detector_mm, pitch_mm;
  double camera_um;               /* edge of a camera pixel at the sample */
  uint32_t rows, cols;            /* of the arrays: per pixel, row-major */
  const double *gradient_keV, *intercept_keV;
  const uint16_t *dark_ADU, *threshold_ADU;
  const uint8_t *live;            /* 0: dead or masked */
  const char *voltage, *current, *charge;   /* names of scalars, in V, A, Ah */
};
struct ct_run_setup {
  const char *folder, *name;      /* run.archive, run.name */
  bool resume;                    /* go on in an existing run, after repairing it */
  enum ct_codec codec;            /* of maps and spectra */
  uint64_t reserve_bytes;         /* free space never used */
  uint64_t roll_bytes;            /* a new file after so much, 0: 8 GB; or after <roll_s>, 0: 60 s */
  double roll_s;
  const struct ct_run_stream *streams;
  size_t n_streams;
  const char *const *rois;        /* names of regions, for samples; must outlive the run */
  size_t n_rois;
  const char *program, *configuration;   /* "comptop 0.1.0"; the settings in force as text */
  const struct ct_run_map *maps;  /* copied */
  size_t n_maps;
  const struct ct_run_about *about;      /* NULL: nothing is known */
  uint32_t rows, cols, bins;      /* of maps and spectra; 0: none are kept */
  double start_keV, width_keV;
};
struct ct_run;
/* Makes or resumes the run. CT_EEXISTS: there is one of that name; CT_EBUSY: another collector writes it; CT_EIO: the
 * folder cannot be written; CT_ERANGE: less space is free than the reserve and a minute of data need. All are told what
 * to do. */
int ct_run_open(struct ct_run **out, const struct ct_run_setup *setup, int64_t now_ns, struct ct_err *err) CT_MUST_CHECK;
const char *ct_run_folder(const struct ct_run *run);

/* Appends a chunk. 0, or CT_EARCHIVE: its frames are counted and listed as missed, the file they should have gone into
 * is closed with what was good in it, and writing begins again in a new file when there is hope. */
int ct_run_write(struct ct_run *run, const struct ct_chunk *chunk, int64_t now_ns) CT_MUST_CHECK;
/* Frames first..last of a stream that never came (LOST), or came and were not archived (MISSED). */
enum ct_gap_reason { CT_GAP_LOST, CT_GAP_MISSED };
void ct_run_gap(struct ct_run *run, size_t stream, uint64_t first, uint64_t last, enum ct_gap_reason reason,
                int64_t now_ns);
/* A scalar of any name (at most 63 bytes), at most 256 names. */
struct ct_run_scalar {
  const char *name;
  int64_t time_ns;                   /* its own, UTC */
  int64_t arrival_ns;                /* when it was received, UTC: the same for those of one message, and of no other */
  double value;
};
void ct_run_scalar(struct ct_run *run, const struct ct_run_scalar *scalar);
/* One with the id CT_MARKER_ID is a marker. */
#define CT_MARKER_ID "marker"
void ct_run_alarm(struct ct_run *run, const struct ct_snapshot_alarm *alarm, bool raised, int64_t now_ns);
/* What is shown at core->wall_ns: a row of the log's snapshots. */
void ct_run_sample(struct ct_run *run, const struct ct_snapshot_core *core);
/* A line of results over time; NULL: without. Maps are rows*cols, spectra rows*cols*bins, row-major. */
struct ct_run_results {
  int64_t time_ns;
  const struct ct_snapshot_core *core;      /* totals and cell */
  const float *emf, *sigma, *counts;        /* of core->xcs.window_s */
  const uint32_t *spectra;                  /* since the line before that had spectra */
};
void ct_run_results(struct ct_run *run, const struct ct_run_results *results);
/* The first header of a stream as it came, for the master. */
void ct_run_first_header(struct ct_run *run, size_t stream, const char *text);
/* The latest stream counters, for the master. */
void ct_run_counters(struct ct_run *run, const struct ct_snapshot_stream *streams, size_t n);

/* Several times a second: what was written is made visible to readers and counted as committed (every 0.25 s), files
 * roll, free space is looked at. */
void ct_run_tick(struct ct_run *run, int64_t now_ns);
/* The archive's part of a snapshot (lag_s and left_s excepted: left_s from <rate_Bps>, lag_s stays), and why it is
 * degraded or failed ("" when ok). */
void ct_run_status(const struct ct_run *run, struct ct_snapshot_archive *archive, char *reason, size_t reason_bytes);
/* How the frames of a stream were packed last ("" before the first), and how many times smaller all of them are (NaN). */
struct ct_run_packing {
  const char *codec;
  double ratio;
};
struct ct_run_packing ct_run_packing(const struct ct_run *run, size_t stream);
/* What has to be synced, for another thread: at most <max> files, each to be given to ct_run_sync() once, soon. */
enum { CT_RUN_MARK = 48, CT_RUN_PATH = 528 };
struct ct_run_mark {
  unsigned char bytes[CT_RUN_MARK];
};
struct ct_run_sync {
  int data, journal;              /* descriptors of its own */
  bool closed;                    /* the file was finished: its journal goes when it is on the disk */
  struct ct_run_mark mark;
  char journal_path[CT_RUN_PATH];
};
size_t ct_run_syncs(struct ct_run *run, struct ct_run_sync *syncs, size_t max);
/* Waits for the disk: 0, or the errno of what went wrong, for ct_run_sync_failed(). Any thread, without the run. */
int ct_run_sync(struct ct_run_sync *sync);
/* The disk did not take what was written: files are finished and writing goes on in new ones. */
void ct_run_sync_failed(struct ct_run *run, int why, int64_t now_ns);
/* Closes all files and writes the final master. 0 or CT_EARCHIVE. NULL is fine. */
int ct_run_close(struct ct_run *run, int64_t now_ns, struct ct_err *err);

/* ---- archived runs ---------------------------------------------------------------------------------------
 * A run is named by its folder or its master. <say> gets one line of plain text at a time. */
struct ct_run_file {
  char path[512], stream[CT_NAME];
  unsigned index;
  bool closed;                       /* properly; if not, all that follows is 0 */
  uint64_t n, first_number, last_number, bytes;
  int64_t first_arrival_ns, last_arrival_ns;
  enum ct_role role;
  uint32_t rows, cols;
  enum ct_type type;
  bool events;                       /* kept as such (NXevent_data): pixels without one are 0 */
};
/* The frame files of a run by stream and index; *files is the caller's to free(). */
int ct_run_files(const char *run, struct ct_run_file **files, size_t *n, struct ct_err *err) CT_MUST_CHECK;
/* The name of a run, as it was collected: its folder may have been renamed, or be ".". false: it is no run. */
bool ct_run_name(const char *run, char *name, size_t name_bytes);
/* The settings the run was collected with (of its last session), as configuration text; "" where it holds none. The
 * caller's to free(). <path> (may be NULL): the file they are in. */
int ct_run_configuration(const char *run, char **text, char *path, size_t path_bytes, struct ct_err *err) CT_MUST_CHECK;
/* The file of a map that was kept with them: true when there is one. */
bool ct_run_map(const char *run, const char *name, char *path, size_t path_bytes);
/* The wire format that a stream of the run came in, as in its master; "" when that does not say. */
void ct_run_stream_format(const char *run, const char *stream, char *format, size_t format_bytes);
/* Scalars that were archived, in the order in which they came. Older runs do not say when: there each came at its own time. */
struct ct_run_scalars;
int ct_run_scalars_open(struct ct_run_scalars **out, const char *run, struct ct_err *err) CT_MUST_CHECK;
/* The next one that came before <until_ns>: false when there is none. Its name lives until the next call. */
bool ct_run_scalars_next(struct ct_run_scalars *scalars, int64_t until_ns, struct ct_run_scalar *out);
void ct_run_scalars_close(struct ct_run_scalars *scalars);     /* NULL is fine */

/* Results of a later analysis of a run: RUN_process_000000.h5, the next free number, which the master links to as an
 * NXprocess; older ones are not touched. Of the setup: program, configuration, codec, and what describes maps and spectra.
 * CT_EBUSY: the run is being collected; CT_EIO: its folder cannot be written. */
struct ct_run_process;
int ct_run_process_open(struct ct_run_process **out, const char *run, const struct ct_run_setup *setup,
                        struct ct_err *err) CT_MUST_CHECK;
int ct_run_process_append(struct ct_run_process *process, const struct ct_run_results *results) CT_MUST_CHECK;
/* The slice of the camera, the latest: size*size values, row by row from the top, copied. <pixel_um> NaN: not known, and the
 * values are per column of the detector instead of 1/cm. CT_ENOMEM. */
struct ct_run_slice {
  uint32_t size, projections;
  const float *values;
  double pixel_um, rotation_deg;
  double axis_px, axis_sigma_px, tilt_deg, tilt_sigma_deg;   /* NaN: not known; the axis may have been given */
  const char *axis_method;           /* where the axis comes from, a word */
};
int ct_run_process_slice(struct ct_run_process *process, const struct ct_run_slice *slice) CT_MUST_CHECK;
/* <keep> false: leaves nothing of it. <path> (may be NULL): where it is. 0, CT_EIO. NULL <process> is fine. */
int ct_run_process_close(struct ct_run_process *process, bool keep, char *path, size_t path_bytes,
                         struct ct_err *err) CT_MUST_CHECK;

/* What rode beside the frames of a frame file. CT_ENOTFOUND: <frames> is not out of one. */
struct ct_run_columns;
int ct_run_columns_open(struct ct_run_columns **out, const struct ct_h5_frames *frames, struct ct_err *err) CT_MUST_CHECK;
/* Of each frame; the last two may be NULL. */
struct ct_run_rows {
  uint64_t *numbers;
  struct ct_attributes *attributes;
  int64_t *arrival_ns;               /* UTC when it was received */
  uint8_t *late;                     /* 1: it came after its gap was noticed */
};
int ct_run_columns_read(struct ct_run_columns *columns, uint64_t first, uint32_t count, const struct ct_run_rows *out,
                        struct ct_err *err) CT_MUST_CHECK;
void ct_run_columns_close(struct ct_run_columns *columns);     /* NULL is fine */
/* A run in the formats of other programs, into files of <to> that are not there yet; they are named after the run. */
enum ct_export {
  CT_EXPORT_HXT,                     /* RUN.hxt: spectra of all pixels, the cube of the HEXITEC software, version 3 */
  CT_EXPORT_CSV, CT_EXPORT_TSV,      /* RUN_spectrum, _spectra, _emf, _emf_errors, _counts: .csv or .tsv */
  CT_EXPORT_PNG,                     /* RUN_emf.png: the last map */
  CT_EXPORT_NXTOMO,                  /* RUN_tomo.nxs: the camera's frames alone */
  CT_EXPORT_BDF,                     /* RUN.bdf.csv: voltage and current, Battery Data Format */
  CT_EXPORT_PLAIN,                   /* RUN_plain/: the run again, unpacked */
  CT_EXPORT_EVENTS,                  /* RUN_events.nxs: thresholded frames as NXevent_data */
  CT_EXPORTS
};
struct ct_run_export {
  const char *run, *to;
  enum ct_export what;
  void (*say)(void *context, const char *line);          /* each file that was made */
  /* NULL, or how far it is. */
  void (*progress)(void *context, const char *what, uint64_t done, uint64_t all);
  void *context;
};
/* CT_EEXISTS, CT_ENODATA: the run does not hold it, CT_EIO. What was begun and not finished is removed. */
int ct_run_export(const struct ct_run_export *job, struct ct_err *err) CT_MUST_CHECK;

struct ct_run_check {
  uint64_t files, frames, bytes, bad_frames, bad_files, lost, missed;
  uint64_t unlisted;                 /* neither there nor listed as lost or missed */
};
struct ct_run_watch {
  void (*say)(void *context, const char *line);
  /* NULL, or how far it is. */
  void (*progress)(void *context, const char *what, uint64_t done, uint64_t all);
  void *context;
};
/* A run in a few numbers; NaN where there is none. */
struct ct_run_summary {
  char name[64];
  unsigned sessions;
  uint64_t lost, missed;             /* as the logs list them */
  uint64_t emf_lines;                /* results over time */
  double emf_mean, emf_last, emf_last_sigma;   /* of all unmasked pixels, over the window of each line */
};
int ct_run_summarise(const char *run, struct ct_run_summary *out, struct ct_err *err) CT_MUST_CHECK;
/* The markers of a run, in the order of its logs. */
int ct_run_markers(const char *run, void (*each)(void *context, int64_t time_ns, const char *text), void *context,
                   struct ct_err *err) CT_MUST_CHECK;
/* Reads every frame and compares it with its checksum, the numbers of the frames with each other, and what is not there
 * with what is listed. 0, or CT_EARCHIVE when something is wrong (and was said). <watch> may be NULL. */
int ct_run_verify(const char *run, const struct ct_run_watch *watch, struct ct_run_check *check,
                  struct ct_err *err) CT_MUST_CHECK;
/* Makes files that a crash left open readable again and writes the master anew. Changes nothing in files that are fine.
 * CT_EBUSY: a collector is writing the run. */
int ct_run_repair(const char *run, void (*say)(void *context, const char *line), void *context,
                  struct ct_err *err) CT_MUST_CHECK;

#endif
