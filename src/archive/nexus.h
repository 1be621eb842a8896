/* NeXus groups and fields in a file that is written as a whole. Every number has units: "1" for a number that has none
 * (UDUNITS). Failures show when the file is closed. */
#ifndef ARCHIVE_NEXUS_H
#define ARCHIVE_NEXUS_H

#include "archive/grow.h"
#include "archive/master.h"

hid_t ct_nx_group(hid_t parent, const char *name, const char *class);       /* made and open */
void ct_nx_text(hid_t group, const char *name, const char *text);
void ct_nx_time(hid_t group, const char *name, int64_t time_ns);
void ct_nx_values(hid_t group, const char *name, hid_t type, int rank, const hsize_t *dims, const void *values,
                  const char *units);
void ct_nx_count(hid_t group, const char *name, uint64_t value);
void ct_nx_real(hid_t group, const char *name, double value, const char *units);   /* left out where it is NaN */
void ct_nx_soft(hid_t group, const char *name, const char *target);          /* left out where there is no target */
const char *ct_nx_base_name(const char *path);

/* Of a stream's files those of the kind that has the most frames, *n of them in *n_frames together; a scan of another
 * shape stays by itself, and so do events and whole frames. The result is the caller's to free(). */
struct ct_run_file *ct_nx_main_kind(const struct ct_run_file *files, size_t n_files, size_t *n, uint64_t *n_frames);
/* What is <inside> each of the files, "/entry/data", as one data set; rank 3: frames, 1: a column. */
void ct_nx_virtual(hid_t group, const char *name, const char *inside, hid_t type, int rank, const struct ct_run_file *files,
                   size_t n_files, const char *units);
/* /entry/electrochemistry. */
void ct_nx_cell(hid_t entry, const struct ct_master *master);
/* /entry_tomo (NXtomo), /entry1/tomo_entry (where Savu looks) and /exchange (Data Exchange) of a camera's files. */
void ct_nx_tomo(hid_t file, const char *run, const char *stream, const struct ct_run_file *files, size_t n_files);

#endif
