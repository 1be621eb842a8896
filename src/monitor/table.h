/* Small text files that comptop writes and reads again: "#comptop-KIND 1", "# key number" lines, then rows of numbers.
 * Internal to monitor. Ownership: a table owns its values; table_free gives them back. */
#ifndef MONITOR_TABLE_H
#define MONITOR_TABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#include <comptop/core.h>

enum { TABLE_KEYS = 16 };

struct table {
  struct { char name[24]; double value; } keys[TABLE_KEYS];
  unsigned n_keys, columns;
  size_t rows;
  double *values;             /* [rows][columns]; "nan" is NaN */
};

/* CT_EIO: cannot be read; CT_EFORMAT: not of this kind, or a line that is not <columns> numbers. */
int table_read(struct table *out, const char *path, const char *kind, unsigned columns, struct ct_err *err) CT_MUST_CHECK;
bool table_key(const struct table *table, const char *name, double *value);
void table_free(struct table *table);

/* 0 where a new file can be made at <path>; CT_EEXISTS or CT_EIO, with the reason. */
int table_check_new(const char *path, struct ct_err *err) CT_MUST_CHECK;
/* A new file, with its first line: write the rest to ->file. It appears under its name when table_finish has returned 0. */
struct table_writer {
  FILE *file;
  char path[1024];
};
int table_begin(struct table_writer *writer, const char *path, const char *kind, struct ct_err *err) CT_MUST_CHECK;
int table_finish(struct table_writer *writer, struct ct_err *err) CT_MUST_CHECK;

#endif
