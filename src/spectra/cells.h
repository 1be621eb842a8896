/* Events become counters of the cubes. */
#ifndef CT_SPECTRA_CELLS_H
#define CT_SPECTRA_CELLS_H

#include <comptop/spectra.h>

enum { CT_CELLS_SLACK = 8 };

struct ct_cell_ops {
  const char *name;
  /* Writes pixel * axis.n + bin (ct_axis_bin) of those of <n> events that lie on the axis, in their order, and returns
   * how many they are. May write CT_CELLS_SLACK more. */
  uint32_t (*find)(uint32_t *cells, const struct ct_axis *axis, const struct ct_event *events, uint32_t n);
};
/* The ways this build and this processor know, fastest first; NULL beyond the last, which is plain C. */
const struct ct_cell_ops *ct_cell_ops_get(size_t i);

#endif
