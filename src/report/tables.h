/* tables: a section of a snapshot as columns with units, whatever it is of.
 * Ownership: a table borrows from the snapshot it is made of. */
#ifndef REPORT_TABLES_H
#define REPORT_TABLES_H

#include <comptop/snapshot.h>
#include <comptop/view.h>

enum ct_column_kind { CT_COLUMN_FLOAT, CT_COLUMN_DOUBLE, CT_COLUMN_EDGE, CT_COLUMN_CELL /* a word */,
                      CT_COLUMN_X, CT_COLUMN_Y, CT_COLUMN_AXIS, CT_COLUMN_TIME };
struct ct_column {
  const char *key, *unit;           /* unit "-": none */
  enum ct_column_kind kind;
  const void *values;               /* X, Y, AXIS: made of the row's number */
};
struct ct_section_fact {            /* what is true of all rows */
  const char *key;
  double value;
};
enum { CT_COLUMNS_MAX = 12, CT_FACTS_MAX = 6 };
struct ct_section_table {
  const char *name;                 /* "map" */
  char of[CT_NAME + 16];            /* "all pixels", "pixel 39,40", a ROI, "drift" */
  char note[64];                    /* a name that belongs to it, or "" */
  size_t rows;
  uint32_t cols, step;              /* of a map or picture: values a line; pixels from one to the next */
  double start, width;              /* AXIS: of value i start + i * width */
  size_t n_columns, n_facts;
  struct ct_column columns[CT_COLUMNS_MAX];
  struct ct_section_fact facts[CT_FACTS_MAX];
};

/* <reference>: columns beside those of a map of EMF, where it has the same cells; may be NULL. False: no such section. */
bool ct_section_tabulate(const struct ct_snapshot *snapshot, const struct ct_request *request,
                         const struct ct_view_reference *reference, struct ct_section_table *out);
/* A number of the table; NaN where there is none. Not for CELL, whose word is the other. */
double ct_column_value(const struct ct_section_table *table, const struct ct_column *column, size_t row);
const char *ct_column_word(const struct ct_column *column, size_t row);

#endif
