/* A run being written, for the two files that write and open it. */
#ifndef ARCHIVE_RUN_H
#define ARCHIVE_RUN_H

#include "archive/datafile.h"
#include "archive/folder.h"
#include "archive/logfile.h"

#include <sys/types.h>

enum { CT_RUN_GAPS = 1024, CT_RUN_RANGES = 1024, CT_RUN_ALARMS = 64, CT_RUN_SYNCS = 16 };

/* Frame numbers of a file, ascending runs of them. */
struct ct_range {
  uint64_t first, last;
};

struct ct_run_writer {
  char name[CT_NAME];
  enum ct_role role;
  double frame_hz;
  struct ct_data_file file;
  bool open;
  unsigned index;                     /* of the open file, else of the next */
  int64_t opened_ns;
  uint64_t committed_here;            /* frames of the open file that are flushed */
  uint64_t open_bytes_committed;
  int64_t first_arrival_ns, last_arrival_ns;
  struct ct_range *ranges;            /* CT_RUN_RANGES, of the open file */
  size_t n_ranges, n_committed;       /* ranges that are flushed, the last of them up to ... */
  uint64_t committed_last;
  bool written;                       /* file.codec says how, of the last file too */
  uint64_t raw_bytes, stored_bytes;   /* of all of its frames, before and after packing */
};

struct ct_run_alarm {
  struct ct_snapshot_alarm alarm;
  int64_t time_ns;
  bool raised;
};

struct ct_run {
  struct ct_run_setup setup;          /* its pointers lead into this struct */
  struct ct_folder folder;
  char program[128], *configuration;
  struct ct_run_stream *setup_streams;
  struct ct_run_writer *streams;
  size_t n_streams;
  struct ct_log_file log;
  struct ct_results_file results;
  bool log_open, results_open, log_dirty, results_dirty;
  int64_t log_failed_ns, results_failed_ns;
  unsigned session;                   /* log_index at the start */
  unsigned log_index, results_index;  /* of the open files, else of the next */
  struct ct_run_file *files;          /* finished ones */
  size_t n_files, files_room;
  struct ct_snapshot_stream counters[CT_SNAPSHOT_STREAMS];
  size_t n_counters;
  char first_headers[CT_SNAPSHOT_STREAMS][1024];
  uint32_t told;                      /* what_is_known() when the master was written last */
  float *emf, *sigma;                 /* the last maps */
  bool has_map;
  struct ct_gap gaps[CT_RUN_GAPS];   /* not yet in the log */
  size_t n_gaps;
  struct ct_run_alarm alarms[CT_RUN_ALARMS];
  size_t n_alarms;                    /* not yet in the log */
  struct ct_run_sync syncs[CT_RUN_SYNCS];   /* finished files that are not yet known to be on the disk */
  size_t n_syncs;
  dev_t device;                       /* of the folder above the run's */
  bool plain;                         /* a remote disk: the earliest format, and no readers meanwhile */
  uint64_t committed, missed, stored_bytes, raw_bytes, free_bytes;
  int64_t start_ns, flushed_ns, looked_ns, failed_ns, troubled_ns;
  bool failed, full, ballast;
  char reason[256];
};

/* run.c */
void ct_run_remember(struct ct_run *run, const struct ct_run_file *file); /* for the master */
int ct_run_master(struct ct_run *run, int64_t end_ns, struct ct_err *err) CT_MUST_CHECK;
void ct_run_close_stream(struct ct_run *run, struct ct_run_writer *stream, int64_t now_ns);
/* Where a finished file waits for its sync; NULL: there is no room, it is to be synced at once. */
struct ct_run_sync *ct_run_sync_room(struct ct_run *run);
/* run_open.c */
int ct_run_write_configuration(struct ct_run *run, struct ct_err *err) CT_MUST_CHECK;
void ct_run_free(struct ct_run *run);
/* run_trouble.c */
void ct_run_trouble(struct ct_run *run, int64_t now_ns, const char *text);
void ct_run_take_ballast(struct ct_run *run);
void ct_run_drop_ballast(struct ct_run *run);
void ct_run_look(struct ct_run *run, int64_t now_ns);                     /* at the free space and at the files */
/* Whether writing makes sense now: not while it has just failed, nor below the reserve. */
bool ct_run_may_write(struct ct_run *run, int64_t now_ns);
int ct_run_fail(struct ct_run *run, struct ct_run_writer *stream, int64_t now_ns, const char *text);
/* The stream's last file may not be as it was written: it is looked at again. */
void ct_run_doubt(struct ct_run *run, const struct ct_run_writer *stream);
/* All that could not be finished, or is in doubt. */
void ct_run_mend_files(struct ct_run *run, int64_t now_ns);
/* Makes a file readable again that a failing disk left; true when <file> says what is in it. */
bool ct_run_mend(struct ct_run_file *file);
/* run_log.c */
int ct_run_open_log(struct ct_run *run, struct ct_err *err) CT_MUST_CHECK;
int ct_run_open_results(struct ct_run *run, struct ct_err *err) CT_MUST_CHECK;
/* It cannot be written any more, or is not there: finished as it is, and begun anew after a while. */
void ct_run_fail_log(struct ct_run *run, int64_t now_ns);
void ct_run_fail_results(struct ct_run *run, int64_t now_ns);
int ct_run_close_logs(struct ct_run *run, struct ct_err *err) CT_MUST_CHECK;
void ct_run_write_gaps(struct ct_run *run, int64_t now_ns);
void ct_run_flush_logs(struct ct_run *run, int64_t now_ns);

#endif
