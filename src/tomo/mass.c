/* The axis from the centre of mass, which moves on a sine about it. */
#include "tomo/axis.h"

#include <math.h>
#include <string.h>

#include "tomo/internal.h"

/* Mass and centre of a row above the straight line between its edges; false where there is none. */
static bool mass_of(const float *row, uint32_t cols, uint32_t edge, double *mass, double *centre)
{
  double left = 0, right = 0, sum = 0, moment = 0;

  for (uint32_t i = 0; i < edge; i++) {
    left += (double)row[i] / edge;
    right += (double)row[cols - 1 - i] / edge;
  }
  for (uint32_t i = 0; i < cols; i++) {
    double v = (double)row[i] - left - (right - left) * i / (cols - 1);
    sum += v;
    moment += v * i;
  }
  *mass = sum;
  *centre = moment / sum;
  return sum > 0 && isfinite(*centre);
}

/* Inverts a symmetric matrix in place; false where it is singular. */
static bool invert3(double m[3][3])
{
  double a[3][3], det;
  memcpy(a, m, sizeof a);
  for (int i = 0; i < 3; i++)
    for (int j = 0; j < 3; j++) {
      int i1 = (i + 1) % 3, i2 = (i + 2) % 3, j1 = (j + 1) % 3, j2 = (j + 2) % 3;
      m[j][i] = a[i1][j1] * a[i2][j2] - a[i1][j2] * a[i2][j1];
    }
  det = a[0][0] * m[0][0] + a[0][1] * m[1][0] + a[0][2] * m[2][0];
  if (!(fabs(det) > 1e-12 * a[0][0] * a[0][0] * a[0][0])) return false;
  for (int i = 0; i < 9; i++) m[i / 3][i % 3] /= det;
  return true;
}

/* centre(angle) = axis + X cos(angle) - Y sin(angle), least squares. */
int ct_axis_from_mass(struct ct_axis_finder *f, const float *const *rows, const double *angle_deg, uint32_t n,
                      struct ct_tomo_axis *axis)
{
  double m[3][3] = { { 0 } }, b[3] = { 0 }, centres = 0, mass_sum = 0, mass_squares = 0, x[3];
  uint32_t edge = f->cols / 256 + 2;

  if (n < 5) return CT_ENODATA;
  for (uint32_t i = 0; i < n; i++) {
    double mass, centre, term[3] = { 1, cos(angle_deg[i] * CT_PI / 180), -sin(angle_deg[i] * CT_PI / 180) };
    ct_axis_take(f, f->scratch, rows[i]);
    if (!mass_of(f->scratch, f->cols, edge, &mass, &centre)) return CT_ENODATA;
    mass_sum += mass;
    mass_squares += mass * mass;
    centres += centre * centre;
    for (int r = 0; r < 3; r++) {
      b[r] += term[r] * centre;
      for (int c = 0; c < 3; c++) m[r][c] += term[r] * term[c];
    }
  }
  /* What lies inside the detector weighs the same from all sides. */
  double mean = mass_sum / n, spread = mass_squares / n - mean * mean;
  if (!(spread < 0.03 * 0.03 * mean * mean) || !invert3(m)) return CT_ENODATA;
  double rest = centres;
  for (int r = 0; r < 3; r++) {
    x[r] = m[r][0] * b[0] + m[r][1] * b[1] + m[r][2] * b[2];
    rest -= x[r] * b[r];
  }
  if (!(x[0] >= 0 && x[0] <= f->cols - 1.0)) return CT_ENODATA;
  /* More change of the mass than noise makes is something that was not the sample's, at a quarter of the detector. */
  double line = f->cols + pow(f->cols, 2) / 2 / edge, excess = fmax(spread - f->noise * line, 0) / (mean * mean);
  /* What all rows have alike moves the centre by its lever, and most at the edges that the line is drawn between; a level
   * that is not the same at both need not be a line. */
  double lever = pow(f->cols, 3) / 12 + 2.0 / edge * pow(f->cols, 4) / 144, bent = f->lean * f->lean / 12 * pow(f->cols, 4) / 144;
  double variance = fmax(rest, 0) / (n - 3) * m[0][0] + (f->shared * lever + bent) / (mean * mean) +
                    excess * f->cols * f->cols / 16;
  if (!(sqrt(variance) < f->cols / 16.0)) return CT_ENODATA;   /* the middle of the detector is as good */
  *axis = (struct ct_tomo_axis){ CT_AXIS_CENTRE_OF_MASS, x[0], hypot(sqrt(variance), CT_AXIS_SIGMA_LEAST_PX), 0 };
  return 0;
}
