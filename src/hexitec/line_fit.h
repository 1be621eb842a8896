/* One group of lines in one pixel's ADU spectrum. Internal to hexitec. */
#ifndef HEXITEC_LINE_FIT_H
#define HEXITEC_LINE_FIT_H

#include <comptop/hexitec.h>

/* What is fitted: lines at (energy - intercept) / gradient, all moved together. */
struct ct_line_fit {
  const uint32_t *counts;              /* of the pixel */
  double bin_ADU;
  uint32_t first_bin, n_bins;          /* the stretch that is fitted */
  const struct ct_lines *lines;
  const struct ct_line_group *group;
  double gradient_keV;                 /* that the distances of the lines of a group are taken from */
};
struct ct_line_found {
  double position_ADU, position_sigma_ADU;   /* of the group's mean energy */
  double fwhm_ADU;
  double area, area_sigma;                   /* counts in the group */
};
/* Begins at a position and a width; false: it came to no end, or to none that makes sense. */
bool ct_line_fit(const struct ct_line_fit *fit, double position_ADU, double fwhm_ADU, struct ct_line_found *out);

#endif
