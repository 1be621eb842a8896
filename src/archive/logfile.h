/* Scalars, alarms, markers, gaps and samples of a run (RUN_log_000000.h5), and its results over time (RUN_results_000000.h5). */
#ifndef ARCHIVE_LOGFILE_H
#define ARCHIVE_LOGFILE_H

#include "archive/grow.h"
#include "archive/samples.h"
#include "archive/store.h"

enum { CT_LOG_CHANNELS = 256, CT_LOG_NAME = 64 };

struct ct_gap {
  int64_t time_ns;
  uint64_t first, last;
  uint8_t stream, reason;
};

struct ct_log_file {
  struct ct_store *store;
  hid_t name_type, id_type, text_type;
  struct ct_samples samples;
  struct ct_grow marker_time, marker_text;
  struct ct_grow scalar_time, scalar_arrival, scalar_channel, scalar_value, channels;
  struct ct_grow alarm_time, alarm_severity, alarm_raised, alarm_id, alarm_text;
  struct ct_grow gap_time, gap_stream, gap_first, gap_last, gap_reason;
  char names[CT_LOG_CHANNELS][CT_LOG_NAME];
  size_t n_names;
};

int ct_log_create(struct ct_log_file *log, const char *path, const struct ct_run_setup *setup, bool plain,
                  struct ct_err *err) CT_MUST_CHECK;
int ct_log_scalar(struct ct_log_file *log, const struct ct_run_scalar *scalar) CT_MUST_CHECK;
int ct_log_alarm(struct ct_log_file *log, const struct ct_snapshot_alarm *alarm, bool raised,
                 int64_t now_ns) CT_MUST_CHECK;
int ct_log_sample(struct ct_log_file *log, const struct ct_run_setup *setup, const struct ct_snapshot_core *core) CT_MUST_CHECK;
int ct_log_gap(struct ct_log_file *log, const struct ct_gap *gap) CT_MUST_CHECK;
int ct_log_flush(struct ct_log_file *log) CT_MUST_CHECK;
/* As ct_store_close(). */
int ct_log_close(struct ct_log_file *log, struct ct_run_sync *last, struct ct_err *err) CT_MUST_CHECK;

/* The totals, in the order of the columns in the file. X(name, "units", expression of x, core) */
#define CT_TOTALS(X)                                                                                             \
  X(frames, "1", (double)x->frames) X(counts, "counts", (double)x->counts) X(live_s, "s", x->live_s)                    \
  X(L, "counts", x->emf.L) X(H, "counts", x->emf.H) X(emf, "1", x->emf.emf) X(emf_errors, "1", x->emf.sigma)                   \
  X(emf_plus, "1", x->emf.emf_plus) X(emf_plus_errors, "1", x->emf.plus_sigma)                                     \
  X(asymmetry, "1", x->emf.asymmetry) X(voltage, "V", core->cell.v_V) X(current, "A", core->cell.i_A)             \
  X(charge, "A h", core->cell.q_Ah)
enum ct_total {
#define X(name, units, value) CT_TOTAL_##name,
  CT_TOTALS(X)
#undef X
  CT_TOTAL_COUNT
};

struct ct_results_file {
  struct ct_store *store;
  bool maps, spectra;
  struct ct_grow total_time, totals[CT_TOTAL_COUNT];
  struct ct_grow map_time, window, emf, sigma, counts;
  struct ct_grow spectra_time, spectrum;
};

int ct_results_create(struct ct_results_file *results, const char *path, const struct ct_run_setup *setup, bool plain,
                      int64_t now_ns, struct ct_err *err) CT_MUST_CHECK;
int ct_results_append(struct ct_results_file *results, const struct ct_run_results *line) CT_MUST_CHECK;
int ct_results_flush(struct ct_results_file *results) CT_MUST_CHECK;
int ct_results_close(struct ct_results_file *results, struct ct_run_sync *last, struct ct_err *err) CT_MUST_CHECK;

#endif
