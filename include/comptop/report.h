/* report: snapshots -> lines a script can read (TSV, JSON) and the screen as text.
 * Ownership: a report owns its buffers and copies the names it is given; it borrows the snapshot and the FILE for
 * the length of a call. Not for several threads at once. The program must leave LC_NUMERIC at "C". */
#ifndef COMPTOP_REPORT_H
#define COMPTOP_REPORT_H

#include <stdio.h>

#include <comptop/core.h>
#include <comptop/snapshot.h>
#include <comptop/view.h>

/* What -o can ask for. X(NAME, "word") */
#define CT_REPORT_FORMATS(X) X(TSV, "tsv") X(JSON, "json") X(TEXT, "text") X(ANSI, "ansi")
enum ct_report_format {
#define X(name, word) CT_REPORT_##name,
  CT_REPORT_FORMATS(X)
#undef X
  CT_REPORT_FORMAT_COUNT
};

/* What -f can add to a JSON sample: a bit each. X(NAME, bit, "word") */
#define CT_REPORT_FIELDS(X) X(MAP, 1, "map") X(SPECTRUM, 2, "spectrum") X(PROFILE, 4, "profile") X(SLICE, 8, "slice") \
  X(ADAPTIVE, 16, "adaptive") X(SLICES, 32, "slices") X(VOLUME, 64, "volume")
enum {
#define X(name, bit, word) CT_REPORT_##name = bit,
  CT_REPORT_FIELDS(X)
#undef X
};

struct ct_report_setup {
  enum ct_report_format format;
  unsigned fields;                  /* bits CT_REPORT_MAP, ...; JSON only */
  /* TSV columns are fixed at the start by these names, in this order; other formats ignore them. */
  const char *const *streams, *const *rois;
  size_t n_streams, n_rois;
  /* The screen of text and ansi; other formats ignore these. ansi always has colours. */
  bool utf8;
  uint32_t bin;                     /* screen.binning: 0 automatic */
  double target_sigma;
  struct ct_point point;            /* of the planes; -f slices and volume need it */
};

struct ct_report;

/* The words of -o and -f. The first gives CT_EUSAGE for another word; the second reads a comma-separated LIST and adds
 * its bits to <fields>, CT_EUSAGE naming the word that is none. */
int ct_report_format_parse(const char *word, enum ct_report_format *format, struct ct_err *err) CT_MUST_CHECK;
int ct_report_fields_parse(const char *list, unsigned *fields, struct ct_err *err) CT_MUST_CHECK;

/* CT_EUSAGE: fields with a format other than JSON (arrays do not fit into columns);
 * CT_ERANGE: more streams or ROIs than a snapshot holds. */
int ct_report_new(struct ct_report **out, const struct ct_report_setup *setup, struct ct_err *err) CT_MUST_CHECK;
void ct_report_free(struct ct_report *report);   /* NULL is fine */

/* The sections a snapshot must carry for this setup's samples; map: per pixel, spectrum and profile: of all unmasked
 * pixels. Writes at most <max> requests, returns how many there are. */
enum { CT_REPORT_REQUESTS = 12 };                /* there are never more */
size_t ct_report_requests(const struct ct_report_setup *setup, struct ct_request *out, size_t max);

/* Samples will follow what <old> holds, read from its start (NULL: nothing). Call it before the first one, and when another
 * file takes over: TSV writes its head unless the last one in the file is the same, text and ansi their form feed. */
void ct_report_behind(struct ct_report *report, FILE *old);

/* One sample of schema v 1 (comptop(1), JSON and TSV), composed whole in memory, then one fwrite and a flush.
 * JSON: one object and a newline; NaN, infinity and what is absent are null. A section that was asked for and is not
 * in the snapshot is null. Counters above 2^63-1 are written as 2^63-1. Strings that are not UTF-8 get U+FFFD for
 * every offending byte. TSV: before the first row "#comptop-tsv 1", the units ("#units" stands in the place of the
 * first column, t, ISO 8601 UTC) and the header; reals as %.9g, integers exact, absent values nan. text and ansi: the
 * 80x24 screen as 24 lines, every sample for itself (no smoothing), a form feed between samples.
 * CT_EIO: <out> could not take it (a closed pipe; the caller ignores SIGPIPE). CT_ENOMEM: nothing was written. */
int ct_report_write(struct ct_report *report, const struct ct_snapshot *snapshot, FILE *out) CT_MUST_CHECK;

/* ---- a view kept: what is seen, as data ------------------------------------------------------------------------ */
struct ct_kept {
  const struct ct_view *view;
  const struct ct_snapshot *snapshot;
  const struct ct_request *requests;    /* the sections that are seen; those the snapshot has not are left out */
  size_t n_requests;
  const char *settings;                 /* that made it, as a configuration file; NULL: not known */
};
/* TSV: '#' lines that say what it is, of which run, when and of which analysis; then a table a section: its name, the units
 * of its columns behind a '#', their names, the rows; two empty lines between tables (an index of gnuplot). A view without
 * sections: the scalars, as ct_report_write gives them. JSON: one sample of schema v 1 and in it "view": the same tables,
 * a column an array (NaN is null), with units, facts and settings. 0, CT_EIO, CT_ENOMEM. */
int ct_keep_tsv(const struct ct_kept *kept, FILE *out) CT_MUST_CHECK;
int ct_keep_json(const struct ct_kept *kept, FILE *out) CT_MUST_CHECK;
/* The grid as text for a terminal with 256 colours. */
int ct_keep_ansi(const struct ct_grid *grid, FILE *out) CT_MUST_CHECK;

/* ---- pictures: files that other programs open --------------------------------------------------------------- */
struct ct_picture_file {
  const float *values;              /* [rows * cols], row-major; NaN: no value */
  uint32_t rows, cols;
  uint32_t pages;                   /* so many pictures, one after the other; 0 is 1. The PNG is the middle one */
  double pixel_um;                  /* NaN: not known */
  double low, high;                 /* of the PNG: black and white; high > low */
  const char *text;                 /* what it is: kept in the file */
};
/* TIFF of 32-bit floats, the values as they are; PNG of 8 bits grey, transparent where there is no value. In place of a file
 * of that name. CT_EIO with the reason. */
int ct_picture_tiff(const struct ct_picture_file *picture, const char *path, struct ct_err *err) CT_MUST_CHECK;
int ct_picture_png(const struct ct_picture_file *picture, const char *path, struct ct_err *err) CT_MUST_CHECK;
/* PNG of a screen in its palette; <text> is kept in the file. */
int ct_picture_pixels(const struct ct_pixels *pixels, const char *text, const char *path, struct ct_err *err) CT_MUST_CHECK;

#endif
