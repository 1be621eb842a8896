/* Inside tomo: what is kept of a volume, row by row. */
#ifndef CT_TOMO_VOLUME_H
#define CT_TOMO_VOLUME_H

#include "tomo/internal.h"

/* Its projections and their order; nothing else of it is in use. */
const struct ct_tomo *ct_volume_angles(const struct ct_volume *volume);
/* out[cols]: of the projection in <slot> what is at detector row <row> at column <col>, and on one height of a sample whose axis
 * leans by <lean> columns a row. Linear between rows. */
void ct_volume_row(const struct ct_volume *volume, uint32_t slot, double row, double col, double lean, float *out);
/* What most of the rows say that it is at <row>, each for itself: a row that cuts the layers of a sample at a slant may seem to turn
 * about anything. As ct_volume_axis (tilt.c). */
int ct_volume_vote(const struct ct_volume *volume, struct ct_axis_finder *finder, double row, struct ct_tomo_axis *axis);

#endif
