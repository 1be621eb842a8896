/* A run being written, for the two files that write and open it. */
#ifndef ARCHIVE_RUN_H
#define ARCHIVE_RUN_H

#include "archive/datafile.h"
#include "archive/folder.h"
#include "archive/logfile.h"

enum { CT_RUN_GAPS = 1024 };

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
  bool uncommitted;
  uint64_t uncommitted_number;        /* the first one since the last flush */
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
  unsigned log_index, results_index;
  struct ct_run_file *files;          /* finished ones */
  size_t n_files, files_room;
  struct ct_snapshot_stream counters[CT_SNAPSHOT_STREAMS];
  size_t n_counters;
  float *emf, *sigma;                 /* the last maps */
  bool has_map;
  struct ct_gap gaps[CT_RUN_GAPS];   /* not yet in the log */
  size_t n_gaps;
  uint64_t committed, missed, stored_bytes, raw_bytes, free_bytes;
  int64_t start_ns, flushed_ns, looked_ns, failed_ns, troubled_ns;
  bool failed, ballast;
  char reason[256];
};

void ct_run_take_ballast(struct ct_run *run);
void ct_run_look(struct ct_run *run, int64_t now_ns);                     /* at the free space */
void ct_run_remember(struct ct_run *run, const struct ct_run_file *file); /* for the master */
int ct_run_master(struct ct_run *run, int64_t end_ns, struct ct_err *err) CT_MUST_CHECK;
void ct_run_free(struct ct_run *run);

#endif
