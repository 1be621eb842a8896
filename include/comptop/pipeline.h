/* pipeline: who runs where. Receivers, publishers, workers; the only room with threads, and with monitor the only one
 * with ZeroMQ. Ownership: handles belong to whoever opened them and are closed by the thread that opened them. */
#ifndef COMPTOP_PIPELINE_H
#define COMPTOP_PIPELINE_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <comptop/archive.h>
#include <comptop/compton.h>
#include <comptop/core.h>
#include <comptop/frame.h>
#include <comptop/hexitec.h>
#include <comptop/sim.h>
#include <comptop/snapshot.h>
#include <comptop/spectra.h>
#include <comptop/tomo.h>
#include <comptop/wire.h>

/* ---- receivers: one thread a frame stream ------------------------------------------------------------
 * A receiver takes messages off its socket, decodes and accounts for them (DESIGN 1.4) and hands them on through its
 * ring without a copy. It never waits for those who read the ring. */
enum { CT_CONSUMER_ANALYSIS, CT_CONSUMER_ARCHIVE, CT_CONSUMERS };

struct ct_receiver_setup {
  const char *name;             /* of the stream; kept as a copy, like every text here */
  const char *endpoint;
  bool pull;                    /* PULL, else SUB */
  struct ct_wire_setup wire;
  enum ct_sampled sampled;
  double frame_hz;              /* nominal rate of frames, for "late" */
  bool consumers[CT_CONSUMERS];
  uint64_t budget_bytes[CT_CONSUMERS];
};
struct ct_receiver;
/* Connects and starts receiving. CT_ECONFIG (endpoint, name), CT_EUNSUPPORTED (format), CT_ENOMEM, CT_EIO. */
int ct_receiver_open(struct ct_receiver **out, const struct ct_receiver_setup *setup, struct ct_err *err) CT_MUST_CHECK;
/* Takes what has already arrived, settles what is open (gaps become lost) and ends the thread. Its ring stays readable. */
void ct_receiver_stop(struct ct_receiver *receiver);
void ct_receiver_close(struct ct_receiver *receiver);   /* stops it first; NULL is fine */
/* Everything that is counted, for the snapshot; any thread. rate_hz and state are the caller's to fill. */
void ct_receiver_stats(const struct ct_receiver *receiver, struct ct_snapshot_stream *out);
/* Fill and losses of one consumer's share of the ring; any thread. */
void ct_receiver_ring_stats(const struct ct_receiver *receiver, unsigned consumer, struct ct_snapshot_ring *out);
bool ct_receiver_connected(const struct ct_receiver *receiver);
/* Seconds since the last message, good or bad; NaN before the first; any thread. */
double ct_receiver_quiet_s(const struct ct_receiver *receiver);

/* ---- readers: an archived run, or frames in files, in place of a receiver ------------------------------------
 * Frames come as fast as somebody takes them, with the times at which they were received: out of an archived run as
 * recorded, else the first when the file was written and the others at the frame rate. */
struct ct_reader_setup {
  const char *run;              /* a spec of a replay; or, for HEXITEC, FILE.hxt: spectra without frames */
  const char *name;             /* of the stream; kept as a copy, like every text here */
  enum ct_role role;            /* HEXITEC or camera */
  uint32_t rows, cols;          /* of HEXITEC: frames of another shape are rejected; a camera's may have any */
  double frame_hz;
  const char *angle, *trigger, *image_key;   /* scalars of the run that tell angle and key of a trigger; NULL: none do */
};
struct ct_reader;
/* A histogram cube (.hxt) as a whole: *file is the caller's to free(). Errors of ct_hxt_parse, CT_EIO; each names the file. */
int ct_cube_read(const char *path, char **file, struct ct_hxt *cube, struct ct_err *err) CT_MUST_CHECK;
/* Errors of what cannot be read; CT_ESHAPE, CT_ETYPE. */
int ct_reader_open(struct ct_reader **out, const struct ct_reader_setup *setup, struct ct_err *err) CT_MUST_CHECK;
void ct_reader_close(struct ct_reader *reader);   /* after the analysis that takes from it; NULL is fine */
void ct_reader_stats(const struct ct_reader *reader, struct ct_snapshot_stream *out);   /* any thread */
struct ct_reader_progress {
  uint64_t frames, bytes, all_bytes;
  bool ended;
  const char *failure;          /* why it ended before its end, or NULL; lives as long as the reader */
  int64_t first_ns, now_ns, next_ns;   /* of the first frame, the last that was taken, the next one; INT64_MAX: not known, INT64_MIN */
};
void ct_reader_progress(const struct ct_reader *reader, struct ct_reader_progress *out);   /* any thread */

/* ---- the analysis: threads that turn a HEXITEC stream into spectra, EMF and profile ------------------ */
struct ct_roi {
  char name[CT_NAME];
  uint8_t *select;              /* rows*cols, row-major; copied */
};
/* A group of K lines that does not depend on the sample, and what is expected of it. */
struct ct_line_setup {
  double main_keV, half_width_keV;       /* of the first line; of the stretch that is fitted */
  struct ct_multiplet lines;
};
/* How far monitors may be from their references; see comptop.conf(5), [monitors]. */
struct ct_monitor_setup {
  uint32_t reference_samples;
  double peak_keV, tilt_keV, line_keV, fwhm_keV, asymmetry_sigmas, elastic, multiplicity, rate, bragg, bubble;
  struct ct_line_setup w, pb;
};
/* Disjoint samples of the run, and what is made of them: trends, CUSUM, comparisons with the beginning. */
struct ct_watch_setup {
  double sample_s;              /* INFINITY: one a scan */
  uint32_t cusum_samples;       /* in a step of the CUSUM */
  double cusum_k, cusum_h;
  uint32_t bin;                 /* pixels per edge of a cell of the drift map */
  double false_alarm;           /* chance of a false alarm of that map a day */
  double target_sigma;          /* of EMF, for the time until it is reached */
  struct ct_monitor_setup monitors;
};
struct ct_analysis_setup {
  unsigned jobs;                /* workers that share the frames, at least 1; the results do not depend on it */
  struct ct_hexitec_setup hexitec;
  struct ct_spectra_setup spectra;
  struct ct_compton_setup compton;
  const uint8_t *live;          /* rows*cols: 1 analysed, 0 masked or dead; copied */
  const struct ct_flat *flat;   /* of EMF and intensity; copied; NULL: none */
  const struct ct_reference *reference;   /* beside every profile; copied; NULL: none */
  bool theta_fit;               /* the geometry is fitted from the data once they suffice */
  bool mask_found;              /* pixels found hot or dead are left out from then on */
  const struct ct_roi *rois;
  uint32_t n_rois;
  struct ct_watch_setup watch;
  double frame_hz, min_counts;
  bool wait_for_dark;           /* dark = measure: frames before the first darks are not analysed */
  struct ct_reader *reader;     /* NULL: frames come from a receiver */
  int64_t until_ns;             /* of a reader: takes frames that came before this time; INT64_MAX: all */
  bool archived;                /* spectra are handed to an archiver too: costs two more cubes of memory */
};
struct ct_analysis;
/* <receiver> NULL: frames come from setup->reader. */
int ct_analysis_open(struct ct_analysis **out, const struct ct_analysis_setup *setup, struct ct_receiver *receiver,
                     struct ct_wants *wants, struct ct_err *err) CT_MUST_CHECK;
/* Asks for a fresh picture: published as soon as the batch in work is done; tickets grow. Monitor's thread only. */
uint64_t ct_analysis_ask(struct ct_analysis *analysis);
/* What else the picture says of itself, beside the snapshot it is. */
struct ct_analysis_note {
  uint64_t ticket;              /* the latest ask it answers */
  uint64_t seen;                /* frames taken from the ring, analysed or not */
  uint64_t not_analysed;        /* of them: suspect, in another mode, keyed, of an unusable type, waiting for darks */
  uint64_t uncalibrated;        /* analysed without a calibration: they gave no photons */
  uint64_t darks;               /* dark frames that went into the offsets in force */
  bool waiting_for_dark, shortened;
  uint64_t saturated;
  double lag_s;                 /* age of the newest frame when it had been analysed */
  enum ct_mode mode;            /* of the newest frame that said one */
};
/* Leaves out the pixels that are listed as hot or dead now, or (false) lets them in again and no longer leaves out what is
 * found. It shows in the next picture: spectra stay as they are, and the choice of pixels changes. Monitor's thread only. */
void ct_analysis_mask(struct ct_analysis *analysis, bool on);
/* Another way to look at the same spectra, from the next picture on, past photons included: compton, theta_fit, flat,
 * reference, rois (the same number), watch, min_counts and the window of <setup>, whose other parts must be those of the open. Scans, samples
 * and what monitors have learnt begin anew where they would not compare. Copies all; errors as of the open, and then nothing
 * changes. Monitor's thread only. */
int ct_analysis_change(struct ct_analysis *analysis, const struct ct_analysis_setup *setup, struct ct_err *err) CT_MUST_CHECK;
/* The latest picture: a partial snapshot (xcs, health, rois and sections filled) with its note; NULL before the first. Give it
 * back with _release. One reader at a time. */
const struct ct_snapshot *ct_analysis_acquire(struct ct_analysis *analysis, struct ct_analysis_note *note);
void ct_analysis_release(struct ct_analysis *analysis, const struct ct_snapshot *snapshot);
/* Of a reader. Lets it go on to another time; whether all frames before <until_ns> have been analysed, or there are no more.
 * Then, until it may go on, the analysis stands still. Monitor's thread only. */
void ct_analysis_go_on(struct ct_analysis *analysis, int64_t until_ns);
bool ct_analysis_has_reached(const struct ct_analysis *analysis, int64_t until_ns);
/* While it stands still: what the spectra since start have grown by since the last call [pixels][bins], valid until the
 * next. Needs setup.archived. */
const uint32_t *ct_analysis_grown(struct ct_analysis *analysis);
/* Analyses what is left in the ring of a stopped receiver, publishes a last picture and ends the thread. */
void ct_analysis_stop(struct ct_analysis *analysis);
void ct_analysis_close(struct ct_analysis *analysis);   /* NULL is fine */

/* ---- the reconstruction: a thread that turns a camera stream into a slice ------------------------------- */
/* What is done about columns that answer otherwise than their neighbours: what stands out of the mean of all projections is
 * subtracted; when a scan has ended stripes of all kinds are removed, too; nothing. */
enum ct_rings { CT_RINGS_ON, CT_RINGS_FULL, CT_RINGS_OFF };
struct ct_reconstruction_setup {
  struct ct_tomo_setup slice;   /* cols and axis_px are found later */
  double axis_px;               /* NaN: found from the data, and until then the middle */
  int64_t slice_row;            /* -1: the middle of the frames */
  double pixel_um;              /* NaN: not known */
  /* Of frames that say no angle: projection k of a scan is at start + k * step; NaN: they are in no slice. */
  double angle_start_deg, angle_step_deg;
  const char *publish;          /* endpoint bound for the slice as array-1.0, with every picture; "": none */
  enum ct_rings rings;
  double phase_px2;             /* of ct_paganin_alpha; 0: no phase is retrieved */
  uint64_t planes_bytes;        /* memory for projections that planes and the coarse volume are made of; 0: there are none */
  bool join_angles;             /* ct_reconstruction_angle tells those of frames that say a trigger and no angle, or the reader */
  struct ct_reader *reader;     /* NULL: frames come from a receiver; the rest as of the analysis */
  int64_t until_ns;
};
struct ct_reconstruction;
/* <receiver> was opened with CT_CONSUMER_ANALYSIS. Memory for a scan is taken with the first frame, and with each of
 * another shape. */
int ct_reconstruction_open(struct ct_reconstruction **out, const struct ct_reconstruction_setup *setup,
                           struct ct_receiver *receiver, struct ct_wants *wants, struct ct_err *err) CT_MUST_CHECK;
/* As of the analysis: ask, and look for a picture whose ticket is as high; it has core.ct and sections. */
uint64_t ct_reconstruction_ask(struct ct_reconstruction *reconstruction);
const struct ct_snapshot *ct_reconstruction_acquire(struct ct_reconstruction *reconstruction, uint64_t *ticket);
void ct_reconstruction_release(struct ct_reconstruction *reconstruction, const struct ct_snapshot *snapshot);
/* The angle and the image key of the frames with <trigger>, before they come or after: a frame waits for 5 s, one of the
 * newest 1024, then it is unplaced. NaN: nothing is said; what is no trigger is passed over. Monitor's thread only. */
void ct_reconstruction_angle(struct ct_reconstruction *reconstruction, double trigger, double angle_deg, double key);
/* As of the analysis. When its reader has ended, or it is stopped, the slice is reconstructed from all that is kept, so that
 * the same frames give the same slice, bit by bit, however they came. */
void ct_reconstruction_go_on(struct ct_reconstruction *reconstruction, int64_t until_ns);
bool ct_reconstruction_has_reached(const struct ct_reconstruction *reconstruction, int64_t until_ns);
/* Moves the axis, wherever it comes from; the slice of the next picture has it. */
void ct_reconstruction_nudge(struct ct_reconstruction *reconstruction, double by_px);
/* Puts it at <axis_px>, NaN: where the data say; what it was moved by is forgotten. */
void ct_reconstruction_fix_axis(struct ct_reconstruction *reconstruction, double axis_px);
/* The largest of its pictures. */
size_t ct_reconstruction_bytes(const struct ct_reconstruction_setup *setup);
/* Takes what is left in the ring of a stopped receiver, publishes a last picture and ends the thread. */
void ct_reconstruction_stop(struct ct_reconstruction *reconstruction);
void ct_reconstruction_close(struct ct_reconstruction *reconstruction);   /* NULL is fine */

/* ---- the archiver: threads between the receivers' rings and the run on disk ------------------------------ */
struct ct_archiver;
struct ct_scalars;
/* Makes or resumes the run (errors of ct_run_open) and starts archiving. receivers[i] or scalars[i] belongs to
 * run->streams[i], the other is NULL; receivers were opened with CT_CONSUMER_ARCHIVE. All outlive the archiver. <analysis>
 * may be NULL; <about> is what it was opened with, and says what an event is, for streams of which nothing else is kept. */
int ct_archiver_open(struct ct_archiver **out, const struct ct_run_setup *run, struct ct_receiver *const *receivers,
                     struct ct_scalars *const *scalars, struct ct_analysis *analysis,
                     const struct ct_analysis_setup *about, struct ct_err *err) CT_MUST_CHECK;
/* The rest is for the monitor's thread. None of it waits for the disk. */
void ct_archiver_scalar(struct ct_archiver *archiver, const struct ct_run_scalar *scalar);
void ct_archiver_alarm(struct ct_archiver *archiver, const struct ct_snapshot_alarm *alarm, bool raised, int64_t now_ns);
/* What is shown now, once a second. */
void ct_archiver_sample(struct ct_archiver *archiver, const struct ct_snapshot_core *core);
/* A line of results; <map> (per pixel, of the whole sensor) may be NULL. False: the one before is still on its way. */
bool ct_archiver_results(struct ct_archiver *archiver, const struct ct_snapshot_core *core, const struct ct_map_view *map);
bool ct_archiver_results_pending(const struct ct_archiver *archiver);
void ct_archiver_status(struct ct_archiver *archiver, struct ct_snapshot_archive *out, char *reason, size_t reason_bytes);
/* What it says of each stream, as of the last status: codec, ratio, packing_cores of streams[n], which are in the order of
 * the run's setup. */
void ct_archiver_packing(const struct ct_archiver *archiver, struct ct_snapshot_stream *streams, size_t n);
/* Writes what is left in the rings of stopped receivers and closes the run: 0 or CT_EARCHIVE with the reason. */
int ct_archiver_stop(struct ct_archiver *archiver, struct ct_err *err);
int ct_archiver_close(struct ct_archiver *archiver, struct ct_err *err);   /* NULL is fine */

/* ---- scalars: for the monitor's loop, no thread -------------------------------------------------------- */
int ct_scalars_open(struct ct_scalars **out, const char *name, const char *endpoint, bool pull,
                    struct ct_err *err) CT_MUST_CHECK;
/* Readable when there may be something: edge-triggered, so after it call ct_scalars_drain until it returns false. */
int ct_scalars_fd(struct ct_scalars *scalars);
/* Takes at most 64 messages, calling <take> with the channels of each good one; true when there may be more. */
bool ct_scalars_drain(struct ct_scalars *scalars, void (*take)(void *arg, const struct ct_wire_scalars *scalars), void *arg);
void ct_scalars_stats(const struct ct_scalars *scalars, struct ct_snapshot_stream *out);
bool ct_scalars_connected(const struct ct_scalars *scalars);
double ct_scalars_quiet_s(const struct ct_scalars *scalars);
void ct_scalars_close(struct ct_scalars *scalars);   /* NULL is fine */

/* ---- publishers: what comptop-sim and comptop-replay speak through ---------------------------------- */
struct ct_publisher;
enum ct_publisher_kind { CT_PUBLISH_PUB, CT_PUBLISH_PUSH };
/* Binds <endpoint> (tcp://127.0.0.1:5555, ipc://@name, ...). <queue_bytes> / <message_bytes> sets the high-water mark. */
int ct_publisher_open(struct ct_publisher **out, const char *endpoint, enum ct_publisher_kind kind,
                      uint64_t queue_bytes, uint64_t message_bytes, struct ct_err *err) CT_MUST_CHECK;
/* What it is bound to, with the port in place of tcp://...:*; lives as long as the publisher. */
const char *ct_publisher_endpoint(const struct ct_publisher *publisher);
/* Waits until somebody has subscribed (PUB) or connected (PUSH): 0; CT_ENODATA after <timeout_ms> (-1: for ever);
 * CT_EBUSY when a signal came first: look at your stop flag, then ask again; CT_EIO. */
int ct_publisher_wait(struct ct_publisher *publisher, int timeout_ms) CT_MUST_CHECK;
/* Sends one message of <n> parts, copying them: 0 or CT_EIO. PUB never blocks (a subscriber whose queue is full misses
 * the message). PUSH waits for room; after 200 ms, or when a signal comes, it returns CT_EBUSY and nothing was sent:
 * look at your stop flag, then send the same again. */
struct ct_publisher_part {
  const void *data;
  size_t bytes;
};
int ct_publisher_send(struct ct_publisher *publisher, const struct ct_publisher_part *parts, size_t n) CT_MUST_CHECK;
/* Lets queued messages leave for at most <linger_ms>, then closes. NULL is fine. */
void ct_publisher_close(struct ct_publisher *publisher, int linger_ms);

/* ---- pacing: frame k is due at start + k / rate_hz, without drift --------------------------------------- */
struct ct_pace {
  double rate_hz;             /* 0: full speed, nothing waits */
  int64_t start_ns;           /* monotonic clock */
  int64_t late_ns;            /* of the frame last asked for; at high rates up to 3 ms are normal, see below */
  int64_t worst_late_ns;
  int64_t wake_ns;            /* no sleep lasts longer than this; 0: there is nothing else to do */
  uint64_t last;              /* frame that left */
  int64_t earliest_ns;        /* when the next one may, however late it is */
};
void ct_pace_start(struct ct_pace *pace, double rate_hz);
/* 0: frame <k>, counted from 0 at the start, is due. CT_EBUSY: slept for a while (at most 0.2 s, or until a signal
 * came): look at your stop flag, then ask again. Above 333 Hz it sleeps 3 ms longer than asked and lets the frames
 * that became due meanwhile go in a burst. What is late is made up for at twice the rate at most: more at once would not
 * fit into the queues of those who receive. */
int ct_pace_wait(struct ct_pace *pace, uint64_t k) CT_MUST_CHECK;
/* The same for what is due so long after the start, whatever the rate. */
int ct_pace_wait_for(struct ct_pace *pace, double elapsed_s) CT_MUST_CHECK;

/* ---- replay: recorded frames as an array-1.0 stream ---------------------------------------------------- */
struct ct_replay {
  const char *endpoint;
  enum ct_publisher_kind kind;
  const char *const *specs;   /* "FILE:/dataset", FILE, or an archived run (folder or master), one after the other */
  size_t n_specs;             /* at least 1 */
  /* "" where there is none; "/path" is in the file being played, FILE:/path elsewhere. */
  const char *image_key, *angles;   /* columns, one number a frame */
  const char *stream;               /* of archived runs; "": the HEXITEC stream */
  const char *darks, *flats;        /* frames, played before each data set with ImageKey 2 and 1 */
  double rate_hz;             /* frames a second; 0: full speed; NaN: frames of archived runs at the times at which they
                               * were received, others at 9118.87 for HEXITEC shapes, 10 for other ones */
  double speed;               /* so many times that fast */
  double begin_s, end_s;      /* frames outside, by those times, are left out; INFINITY: to the end */
  const char *scalars;        /* endpoint bound for scalars in step with the frames; "": none */
  const char *mpt;            /* file of EC-Lab that they are in; "": of the run that is played (the first spec) */
  uint64_t loops;             /* 0: for ever */
  uint32_t batch;             /* frames a message, at least 1 */
  uint64_t first, last;       /* of each data set, from 0; last included */
  uint64_t start_number;      /* of the first frame; UINT64_MAX: as recorded, 0 where no numbers were. The numbers go on
                               * from loop to loop and file to file, with the gaps that were recorded. */
  bool wait;                  /* for the first subscriber */
};
struct ct_replay_result {
  uint64_t frames, messages, bytes;
  double seconds, worst_late_s;
};
/* Plays until the end or until *stop is set by a signal handler or another thread, then lets queued messages leave. <ready> (may be NULL)
 * is told the endpoint and the rate before the first frame. Reads ahead in a thread of its own, in at most 256 MB (or
 * two messages). 0, or what went wrong: files that cannot be read, an endpoint that cannot be bound. */
int ct_replay_run(const struct ct_replay *replay, const atomic_bool *stop,
                  void (*ready)(const char *endpoint, double rate_hz), struct ct_replay_result *result,
                  struct ct_err *err) CT_MUST_CHECK;

/* ---- calibration: recorded frames of a source become gradient and intercept maps --------------------------- */
struct ct_calibrate_run {
  const char *const *specs;   /* as of a replay */
  size_t n_specs;             /* at least 1 */
  const char *stream;         /* of archived runs; "": the HEXITEC stream */
  const char *sources;        /* of ct_lines_of */
  double fwhm_keV;            /* about what the detector has */
  const char *threshold;      /* of ct_map_read: ADU after dark subtraction */
  const char *dark;           /* of ct_map_read; "": none was subtracted that would be needed */
  bool measure_dark;          /* from the frames with image key 2, and nothing before the first */
  bool asic_order, next_frame;
  const char *folder;         /* for gradients.txt, intercepts.txt, quality.tsv: made where it is not there */
  void (*progress)(void *context, const char *what, uint64_t done, uint64_t all);   /* may be NULL */
  void *context;
};
struct ct_calibrate_result {
  uint64_t frames, singles;
  size_t pixels, verdicts[CT_CALIBRATION_VERDICTS];   /* how many pixels of each */
  uint32_t cols;
  double gradient_keV;        /* typical; 0: found in no pixel */
  struct ct_calibration *calibrations;                /* one a pixel, row-major; the caller's to free(); may be NULL */
};
/* Reads all frames, fits all pixels, writes the files; never over files that are there (CT_EEXISTS). CT_ENOTFOUND: no
 * pixel shows two lines of the source. */
int ct_calibrate_frames(const struct ct_calibrate_run *run, struct ct_calibrate_result *result,
                        struct ct_err *err) CT_MUST_CHECK;

/* ---- simulate: what comptop-sim does --------------------------------------------------------------------- */
struct ct_simulate {
  struct ct_sim_config cell;
  const char *hexitec;        /* endpoint bound for array-1.0 frames */
  const char *scalars;        /* endpoint bound for bsread scalars at 10 Hz (Ewe_V, I_A, Q_Ah); "" or NULL: none */
  enum ct_publisher_kind kind;   /* of the detector's frames; the other streams are PUB */
  uint32_t batch;             /* frames a message, 1..4096 */
  uint64_t frames;            /* stop after so many; 0: never */
  bool wait;                  /* for the first subscriber of the frames */
  const char *calibration;    /* folder for gradients.txt, intercepts.txt, dark.txt; "" or NULL: none */
  const char *truth;          /* file for what is true, see comptop-sim(1); "" or NULL: none */
  double truth_step_s;        /* of the frames' time, from record to record */
  const char *camera;         /* endpoint bound for array-1.0 projections with ImageKey and RotationAngle; "" or NULL: none */
  struct ct_sim_camera_config projections;   /* seed, sample, bubbles and speedup are those of the cell */
  double camera_hz;
  const char *slice_truth;    /* file for the true slice at the sheet's height at the start; "" or NULL: none */
  double alternate_s;         /* Mode changes between xcs and xct so often; 0: always xcs, and the camera runs all the time */
  int parent;                 /* process id: ends when this is no longer the parent; 0: does not look */
};
struct ct_simulate_result {
  uint64_t frames, photons, projections;   /* projections: all frames that the camera sent */
  double seconds, worst_late_s;
};
/* Publishes until the end, or until *stop is set by a signal handler or another thread. Frame k leaves at start + k / rate_hz (a batch with
 * its last frame); a simulator that falls behind catches up without leaving out a frame, and says so once when it is
 * more than 1 s late. Where modes alternate the camera makes one scan in each xct phase and rests in xcs, Trigger counts
 * the phases on both streams; else in a depth scan it counts the heights. No batch holds two modes or heights. <tell> is given lines for people: where things are published, and that. */
int ct_simulate_run(const struct ct_simulate *simulate, const atomic_bool *stop, void (*tell)(const char *line),
                    struct ct_simulate_result *result, struct ct_err *err) CT_MUST_CHECK;

#endif
