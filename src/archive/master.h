/* The master of a run: small, written anew as a whole, NeXus. */
#ifndef ARCHIVE_MASTER_H
#define ARCHIVE_MASTER_H

#include "archive/folder.h"

struct ct_master {
  const struct ct_folder *folder;
  const char *program, *configuration;        /* "" when not known */
  int64_t start_ns, end_ns;                   /* end 0: the run goes on */
  const struct ct_run_file *files;            /* frame files by stream and index */
  size_t n_files;
  unsigned n_logs, n_results;
  const struct ct_snapshot_stream *counters;  /* of the streams, may be none */
  const char (*first_headers)[1024];          /* of as many */
  size_t n_counters;
  const struct ct_run_stream *streams;        /* with <about> */
  size_t n_streams;
  const struct ct_run_about *about;           /* NULL: what the master before this one says is kept */
  /* The last maps, or NULL. */
  uint32_t rows, cols;
  const float *emf, *sigma;
};

/* Into a temporary file first, then in the place of the old one. The frames of all finished files are one virtual data set
 * a stream, and a camera has its NXtomo entry. */
int ct_master_write(const struct ct_master *master, struct ct_err *err) CT_MUST_CHECK;
/* Adds links to later analyses that it does not have yet. */
int ct_master_link_processes(const struct ct_folder *folder, struct ct_err *err) CT_MUST_CHECK;

#endif
