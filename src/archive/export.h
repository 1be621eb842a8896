/* Archived runs in the formats of other programs: what the files that write them share. */
#ifndef ARCHIVE_EXPORT_H
#define ARCHIVE_EXPORT_H

#include "archive/folder.h"

#include <stdio.h>

/* What the sessions of a run have found: spectra summed over all of them, the last map. */
struct ct_findings {
  uint32_t rows, cols, bins;
  double *edge_keV;                /* bins + 1 */
  uint64_t *counts;                /* [rows][cols][bins]; NULL: no spectra */
  float *emf, *sigma, *map_counts; /* [rows][cols]; NULL: no map */
};
/* CT_ENODATA: the run holds neither. */
int ct_findings_read(struct ct_findings *out, const struct ct_folder *folder, struct ct_err *err) CT_MUST_CHECK;
void ct_findings_free(struct ct_findings *findings);

/* An export is written as PATH.part, so that nobody takes one that was broken off for a whole one. CT_EEXISTS: PATH is there.
 * What an export that was broken off has left is removed. */
#define CT_EXPORT_PART (CT_PATH + 8)
int ct_export_prepare(const char *path, char part[CT_EXPORT_PART], struct ct_err *err) CT_MUST_CHECK;
/* PATH.part becomes PATH. <rc> not 0: it is removed instead, and rc is given back. */
int ct_export_finish(const char *path, int rc, struct ct_err *err) CT_MUST_CHECK;
/* The same for a file of text or bytes, opened and closed. */
int ct_export_begin(FILE **file, const char *path, struct ct_err *err) CT_MUST_CHECK;
int ct_export_end(FILE *file, const char *path, int rc, struct ct_err *err) CT_MUST_CHECK;

int ct_export_hxt(const struct ct_findings *findings, const char *run, const char *path, struct ct_err *err) CT_MUST_CHECK;
int ct_export_png(const struct ct_findings *findings, const char *path, struct ct_err *err) CT_MUST_CHECK;
int ct_export_bdf(const char *run, const char *path, struct ct_err *err) CT_MUST_CHECK;
int ct_export_tomo(const struct ct_run_export *job, const struct ct_folder *folder, const char *path,
                   struct ct_err *err) CT_MUST_CHECK;
int ct_export_events(const struct ct_run_export *job, const struct ct_folder *folder, const char *path,
                     struct ct_err *err) CT_MUST_CHECK;
int ct_export_plain(const struct ct_run_export *job, const struct ct_folder *folder, const char *path,
                    struct ct_err *err) CT_MUST_CHECK;

#endif
