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

#endif
