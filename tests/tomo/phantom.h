/* Phantoms of ellipses: their exact projections, averaged over the width of a column, and pictures. */
#ifndef TESTS_TOMO_PHANTOM_H
#define TESTS_TOMO_PHANTOM_H

#include <stdint.h>

/* Coordinates in a circle of radius 1: x to the right, y up. Half axes <a> along x and <b> along y before it is turned
 * counter-clockwise. */
struct phantom_ellipse {
  double value, a, b, x, y, turned_deg;
};
struct phantom {
  const struct phantom_ellipse *ellipse;
  int n;
};
/* Shepp and Logan's head (IEEE Trans. Nucl. Sci. 21 (1974) 21) with Toft's contrasts: skull 1, brain 0.2. */
extern const struct phantom phantom_head;
/* One disc off the centre, and one in the middle. */
extern const struct phantom phantom_disc, phantom_middle;

/* row[cols]: line integrals in columns, where the circle's radius is <radius_cols>. */
void phantom_row(const struct phantom *phantom, double angle_deg, uint32_t cols, double axis_px, double radius_cols,
                 float *row);
/* picture[size * size]: means over pixels (<sub> x <sub> points), of which size / 2 are the circle's radius. */
void phantom_picture(const struct phantom *phantom, uint32_t size, int sub, float *picture);

/* Root mean square difference inside the circle of radius <within> after the best scale and offset of <picture>; these, too. NaN
 * where a value inside is. */
struct phantom_fit {
  double rmse, scale, offset;
};
struct phantom_fit phantom_compare(const float *picture, const float *truth, uint32_t size, double within);
/* Mean of the picture's pixels that lie within <r> of (x, y). */
double phantom_mean(const float *picture, uint32_t size, double x, double y, double r);

/* Uniform in 0..1, normal; xorshift. */
double phantom_uniform(uint64_t *seed);
double phantom_normal(uint64_t *seed);

#endif
