#include "tomo/axis.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "tomo/internal.h"

const char *ct_axis_method_word(enum ct_axis_method method)
{
  static const char *const word[] = { "none", "pairs", "centre-of-mass", "wedge" };
  return word[method];
}

int ct_axis_open(struct ct_axis_finder **out, uint32_t cols, struct ct_err *err)
{
  *out = NULL;
  if (cols < 8 || cols > 32768) return ct_err_set(err, CT_ERANGE, "no axis in rows of %u columns: 8 to 32768", cols);
  struct ct_axis_finder *f = calloc(1, sizeof *f);
  if (!f) return ct_err_set(err, CT_ENOMEM, "no memory to find the axis");
  *f = (struct ct_axis_finder){ .cols = cols, .coarse_bin = (cols + CT_COARSE_COLS - 1) / CT_COARSE_COLS,
                                .wedge_bin = (cols + CT_WEDGE_COLS - 1) / CT_WEDGE_COLS };
  f->coarse_cols = cols / f->coarse_bin;
  f->wedge_cols = cols / f->wedge_bin;
  f->wedge_len = 2 * CT_WEDGE_COLS;
  uint32_t half = f->wedge_len / 2 + 1, rows = CT_WEDGE_LEAST << (CT_WEDGE_PLANS - 1);
  bool ok = true;
  for (int i = 0; i < CT_PAIRS_MAX; i++) {
    struct ct_facing *p = &f->facing[i];
    p->row = ct_floats(cols);
    p->mirror = ct_floats(cols);
    p->coarse_row = ct_floats(cols);
    p->coarse_mirror = ct_floats(cols);
    ok = ok && p->row && p->mirror && p->coarse_row && p->coarse_mirror;
  }
  size_t coarse_sums = (size_t)CT_PAIRS_MAX * 4 * (f->coarse_cols + 1), fine_sums = 4 * ((size_t)cols + 1);
  f->sums = calloc(coarse_sums > fine_sums ? coarse_sums : fine_sums, sizeof *f->sums);
  f->scratch = ct_floats(cols);
  f->wedge_row = fftwf_alloc_real(f->wedge_len);
  f->spectra = fftwf_alloc_complex((size_t)rows * half);
  f->column = fftwf_alloc_complex(2 * rows);
  f->turned = fftwf_alloc_complex(2 * rows);
  f->cross = fftwf_alloc_complex(half);
  if (!ok || !f->sums || !f->scratch || !f->wedge_row || !f->spectra || !f->column || !f->turned || !f->cross) goto no_memory;
  f->along = fftwf_plan_dft_r2c_1d((int)f->wedge_len, f->wedge_row, f->spectra, FFTW_ESTIMATE | FFTW_UNALIGNED);
  ok = f->along;
  for (int i = 0; i < CT_WEDGE_PLANS; i++) {
    f->across[i] = fftwf_plan_dft_1d(2 * (CT_WEDGE_LEAST << i), f->column, f->turned, FFTW_FORWARD, FFTW_ESTIMATE);
    ok = ok && f->across[i];
  }
  if (!ok) goto no_memory;
  *out = f;
  return 0;
no_memory:
  ct_axis_close(f);
  return ct_err_set(err, CT_ENOMEM, "no memory to find the axis in rows of %u columns", cols);
}

void ct_axis_close(struct ct_axis_finder *f)
{
  if (!f) return;
  for (int i = 0; i < CT_PAIRS_MAX; i++) {
    free(f->facing[i].row);
    free(f->facing[i].mirror);
    free(f->facing[i].coarse_row);
    free(f->facing[i].coarse_mirror);
  }
  free(f->sums);
  free(f->scratch);
  fftwf_free(f->wedge_row);
  fftwf_free(f->spectra);
  fftwf_free(f->column);
  fftwf_free(f->turned);
  fftwf_free(f->cross);
  if (f->along) fftwf_destroy_plan(f->along);
  for (int i = 0; i < CT_WEDGE_PLANS; i++)
    if (f->across[i]) fftwf_destroy_plan(f->across[i]);
  free(f);
}

/* ---- the centre of mass ------------------------------------------------------------------------------------------- */
/* Mass and centre of a row above the straight line between its edges; false where there is no sample, or more than that. */
static bool mass_of(const float *row, uint32_t cols, double *mass, double *centre)
{
  uint32_t edge = cols / 256 + 2;
  double left = 0, right = 0, most = 0, sum = 0, moment = 0;

  for (uint32_t i = 0; i < edge; i++) {
    left += (double)row[i] / edge;
    right += (double)row[cols - 1 - i] / edge;
  }
  for (uint32_t i = 0; i < cols; i++) {
    double v = (double)row[i] - left - (right - left) * i / (cols - 1);
    most = fmax(most, (double)row[i]);
    sum += v;
    moment += v * i;
  }
  *mass = sum;
  *centre = moment / sum;
  return sum > 0 && fmax(left, right) < 0.3 * most && isfinite(*centre);
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
int ct_axis_from_mass(const float *const *rows, const double *angle_deg, uint32_t n, uint32_t cols, struct ct_tomo_axis *axis)
{
  double m[3][3] = { { 0 } }, b[3] = { 0 }, centres = 0, mass_sum = 0, mass_squares = 0, x[3];

  if (n < 5) return CT_ENODATA;
  for (uint32_t i = 0; i < n; i++) {
    double mass, centre, term[3] = { 1, cos(angle_deg[i] * CT_PI / 180), -sin(angle_deg[i] * CT_PI / 180) };
    if (!mass_of(rows[i], cols, &mass, &centre)) return CT_ENODATA;
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
  if (!(x[0] >= 0 && x[0] <= cols - 1.0)) return CT_ENODATA;
  *axis = (struct ct_tomo_axis){ CT_AXIS_CENTRE_OF_MASS, x[0], fmax(sqrt(fmax(rest, 0) / (n - 3) * m[0][0]), 0.02), 0 };
  return 0;
}

/* ---- from a slice's projections ----------------------------------------------------------------------------------- */
static const float *row_of(const struct ct_tomo *t, uint32_t order)
{
  return t->rows + (size_t)t->order[order] * t->setup.cols;
}

/* Whether two projections are half a turn apart, give or take <tolerance_deg>. */
static bool are_opposite(const struct ct_tomo *t, uint32_t a, uint32_t b, double tolerance_deg)
{
  double apart = fmod(fabs(t->projection[t->order[a]].angle_deg - t->projection[t->order[b]].angle_deg), 360);
  return fabs(apart - 180) <= tolerance_deg;
}

/* Place in the order of the projection nearest to what is opposite to <i>. */
static uint32_t facing(const struct ct_tomo *t, uint32_t i)
{
  if (t->setup.rotation_deg == 180) return (i + 1) % t->n;
  double at = fmod(t->order_deg[i] + 180, 360);
  uint32_t from = 0, to = t->n;
  while (from < to) {
    uint32_t middle = from + (to - from) / 2;
    if (t->order_deg[middle] < at) from = middle + 1;
    else to = middle;
  }
  uint32_t after = from % t->n, before = (from + t->n - 1) % t->n;
  double up = fmod(t->order_deg[after] - at + 360, 360), down = fmod(at - t->order_deg[before] + 360, 360);
  return up < down ? after : before;
}

/* Up to CT_PAIRS_MAX opposite ones, spread over all there are. */
static uint32_t pairs_of(struct ct_axis_finder *f, const struct ct_tomo *t)
{
  double tolerance_deg = fmin(0.5 * t->covered_deg / t->n, 1) + 1e-6;
  uint32_t found = 0, taken = 0, every = 1;

  for (int pass = 0; pass < 2; pass++) {
    uint32_t seen = 0;
    for (uint32_t i = 0; i < t->n; i++) {
      uint32_t j = facing(t, i);
      /* Those of the other half have been found from this one. */
      if (t->setup.rotation_deg == 360 && t->order_deg[i] >= 180) break;
      if (!are_opposite(t, i, j, tolerance_deg)) continue;
      if (pass && seen % every == 0) {
        f->rows[taken] = row_of(t, i);
        f->opposite[taken++] = row_of(t, j);
      }
      seen++;
    }
    found = seen;
    every = (found + CT_PAIRS_MAX - 1) / CT_PAIRS_MAX;
  }
  return taken;
}

static int by_angle(const void *a, const void *b)
{
  const struct ct_axis_view *x = a, *y = b;
  return (x->angle_deg > y->angle_deg) - (x->angle_deg < y->angle_deg);
}

/* At most CT_AXIS_ROWS projections in the order in which the stage turned, from behind the widest gap on. */
static uint32_t rows_of(struct ct_axis_finder *f, const struct ct_tomo *t)
{
  uint32_t every = (t->n + CT_AXIS_ROWS - 1) / CT_AXIS_ROWS, n = 0, start = 0;
  double widest = 0;

  for (uint32_t i = 0; i < t->n; i += every, n++) {
    double angle = fmod(t->projection[t->order[i]].angle_deg, 360);
    f->view[n] = (struct ct_axis_view){ angle < 0 ? angle + 360 : angle, row_of(t, i) };
  }
  qsort(f->view, n, sizeof *f->view, by_angle);
  for (uint32_t i = 0; i < n; i++) {
    double gap = f->view[i].angle_deg - (i ? f->view[i - 1].angle_deg : f->view[n - 1].angle_deg - 360);
    if (gap > widest) widest = gap, start = i;
  }
  for (uint32_t i = 0; i < n; i++) {
    const struct ct_axis_view *v = &f->view[(start + i) % n];
    f->rows[i] = v->row;
    f->angle_deg[i] = v->angle_deg + (start + i >= n ? 360 : 0);
  }
  return n;
}

/* How many rows lie within half a turn from the first, and whether they fill it. */
static bool half_turn(const struct ct_axis_finder *f, uint32_t n, uint32_t *rows)
{
  double turned = f->angle_deg[n - 1] - f->angle_deg[0], step = turned / (n - 1);
  *rows = n;
  while (*rows && f->angle_deg[*rows - 1] >= f->angle_deg[0] + 180 - 1e-6) --*rows;
  return turned > 180 - 3 * step;
}

int ct_axis_find(struct ct_axis_finder *f, const struct ct_tomo *t, struct ct_tomo_axis *axis)
{
  *axis = (struct ct_tomo_axis){ CT_AXIS_NONE, (double)NAN, (double)NAN, 0 };
  if (t->n < 2 || t->setup.cols != f->cols) return CT_ENODATA;
  uint32_t n = rows_of(f, t), half;
  double turned = f->angle_deg[n - 1] - f->angle_deg[0];
  bool complete = half_turn(f, n, &half);

  /* All of half a turn says more than its two ends; of a whole one, opposite projections say it all. */
  if (t->setup.rotation_deg == 180 && complete && !ct_axis_from_wedge(f, f->rows, f->angle_deg, half, axis)) return 0;
  if (turned >= 45 && t->setup.rotation_deg == 180 && !ct_axis_from_mass(f->rows, f->angle_deg, n, f->cols, axis)) return 0;
  uint32_t pairs = pairs_of(f, t);
  if (pairs && !ct_axis_from_pairs(f, f->rows, f->opposite, pairs, axis)) return 0;
  if (turned < 45 || t->setup.rotation_deg == 180) return CT_ENODATA;
  n = rows_of(f, t);
  return ct_axis_from_mass(f->rows, f->angle_deg, n, f->cols, axis);
}

int ct_axis_pair(struct ct_axis_finder *f, const float *row, const float *opposite, struct ct_tomo_axis *axis)
{
  *axis = (struct ct_tomo_axis){ CT_AXIS_NONE, (double)NAN, (double)NAN, 0 };
  return ct_axis_from_pairs(f, &row, &opposite, 1, axis);
}

int ct_axis_tilt(const struct ct_tomo_axis *axis, const double *y, uint32_t n, double *tilt_deg, double *sigma_deg)
{
  double w = 0, wy = 0, wyy = 0, wx = 0, wxy = 0, chi = 0;
  uint32_t used = 0;

  for (uint32_t i = 0; i < n; i++) {
    if (axis[i].method == CT_AXIS_NONE) continue;
    double weight = 1 / (axis[i].sigma_px * axis[i].sigma_px);
    w += weight, wy += weight * y[i], wyy += weight * y[i] * y[i];
    wx += weight * axis[i].axis_px, wxy += weight * axis[i].axis_px * y[i];
    used++;
  }
  double det = w * wyy - wy * wy;
  if (used < 3 || !(det > 1e-9 * w * wyy)) return CT_ENODATA;
  double slope = (w * wxy - wy * wx) / det, at = (wx - slope * wy) / w;
  for (uint32_t i = 0; i < n; i++) {
    if (axis[i].method == CT_AXIS_NONE) continue;
    double off = (axis[i].axis_px - at - slope * y[i]) / axis[i].sigma_px;
    chi += off * off;
  }
  /* Errors that turn out larger than was said count as such. */
  *tilt_deg = atan(slope) * 180 / CT_PI;
  *sigma_deg = sqrt(w / det * fmax(chi / (used - 2), 1)) * 180 / CT_PI;
  return 0;
}
