/* cell: the potentiostat's latest voltage, current and charge, picked from named scalars.
 * Ownership: a struct ct_cell is plain memory of the caller's; it copies the names it is given. Pure. */
#ifndef COMPTOP_CELL_H
#define COMPTOP_CELL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <comptop/core.h>

enum ct_cell_quantity { CT_CELL_VOLTAGE, CT_CELL_CURRENT, CT_CELL_CHARGE, CT_CELL_QUANTITIES };
enum { CT_CELL_NAME = 64 };   /* bytes of a channel's name, NUL included */

struct ct_cell_value {
  char channel[CT_CELL_NAME];
  double value;               /* V, A, Ah; NaN until it came: nothing is derived from the other quantities */
  int64_t time_ns;            /* UTC of the value; valid unless the value is NaN */
};
struct ct_cell {
  struct ct_cell_value latest[CT_CELL_QUANTITIES];
};

/* The names of the channels in [scalars]; NULL is the default: Ewe_V, I_A, Q_Ah. 0, or CT_ERANGE for a name that is
 * empty or longer than CT_CELL_NAME - 1. */
int ct_cell_init(struct ct_cell *cell, const char *voltage, const char *current, const char *charge,
                 struct ct_err *err) CT_MUST_CHECK;
/* One scalar as it came. True when it is one of the three, finite, and not older than what is known. */
bool ct_cell_update(struct ct_cell *cell, const char *channel, double value, int64_t time_ns);
/* When anything last came, UTC; false: nothing yet. */
bool ct_cell_time(const struct ct_cell *cell, int64_t *time_ns);

/* ---- EC-Lab text files (.mpt), read while they grow ---------------------------------------------------------------
 * "EC-Lab ASCII FILE" or "BT-Lab ASCII FILE", "Nb header lines : N", the rest of the head with "Acquisition started on :",
 * and in line N the names of the columns, with tabs between them and the units in the names; then rows. Line ends LF or
 * CRLF, decimal points or commas. Facts from published readers of the format (galvani). */
enum ct_mpt_quantity { CT_MPT_VOLTAGE, CT_MPT_CURRENT, CT_MPT_CHARGE, CT_MPT_TIME, CT_MPT_QUANTITIES };
enum { CT_MPT_LINE = 1 << 16, CT_MPT_COLUMNS = 512, CT_MPT_NONE = CT_MPT_COLUMNS };
enum ct_mpt_state { CT_MPT_HEAD, CT_MPT_ROWS };
struct ct_mpt_row {
  double value[CT_MPT_QUANTITIES];   /* V, A, Ah, and s since the start; NaN: not in the file, or no number */
  double wall_s;                     /* s since 1970 of the wall clock where it was written; NaN: not known */
};
/* Public only so that it can live inside other structs: read rows and bad_rows, leave the rest alone. About 70 kB. */
struct ct_mpt {
  uint64_t lines, rows, bad_rows;    /* bad: nothing in them could be read */
  enum ct_mpt_state state;
  int failed;
  uint32_t head_lines, n_columns;
  unsigned column[CT_MPT_QUANTITIES];
  double scale[CT_MPT_QUANTITIES], start_s;
  size_t length;
  char line[CT_MPT_LINE];
};
void ct_mpt_init(struct ct_mpt *mpt);
/* The next bytes of the file, in pieces of any size; a row is taken when its line ends. 0, or CT_EFORMAT (again from then
 * on): not such a file, or no column of it is known. */
int ct_mpt_feed(struct ct_mpt *mpt, const char *bytes, size_t n, void (*take)(void *arg, const struct ct_mpt_row *row),
                void *arg, struct ct_err *err) CT_MUST_CHECK;

#endif
