#include "tomo/axis.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "tomo/internal.h"

/* What a sample may have at the edges of the detector, of its mean, to lie inside. */
#define CUT_SHARE 0.015
/* And by how much the beam may be weaker than its flat, and that more so at one side. */
#define LEVEL_SHARE 1.0
#define LEAN_SHARE 0.3
/* Of a turn, for the centre of mass. */
#define ENOUGH_DEG 45

static const struct ct_tomo_axis nowhere = { CT_AXIS_NONE, NAN, NAN, 0 };

const char *ct_axis_method_word(enum ct_axis_method method)
{
  static const char *const word[] = { "none", "pairs", "centre-of-mass", "wedge", "rows" };
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
  f->most = cols > CT_FACING_COLS ? CT_PAIRS_MAX : CT_FACING_MAX;
  for (uint32_t i = 0; i < f->most; i++) {
    struct ct_facing *p = &f->facing[i];
    p->row = ct_floats(cols);
    p->mirror = ct_floats(cols);
    p->coarse_row = ct_floats(cols);
    p->coarse_mirror = ct_floats(cols);
    ok = ok && p->row && p->mirror && p->coarse_row && p->coarse_mirror;
  }
  size_t coarse_sums = (size_t)f->most * 4 * (f->coarse_cols + 1), fine_sums = 4 * ((size_t)cols + 1);
  f->sums = calloc(coarse_sums > fine_sums ? coarse_sums : fine_sums, sizeof *f->sums);
  f->scratch = ct_floats(cols + 4);
  f->beyond = ct_floats(cols);
  f->mean = calloc(cols, sizeof *f->mean);
  f->wedge_row = fftwf_alloc_real(f->wedge_len);
  f->spectra = fftwf_alloc_complex((size_t)rows * half);
  f->column = fftwf_alloc_complex(2 * rows);
  f->turned = fftwf_alloc_complex(2 * rows);
  f->cross = fftwf_alloc_complex(half);
  f->response = fftwf_alloc_complex(half);
  f->line[0] = fftwf_alloc_complex(half);
  f->line[1] = fftwf_alloc_complex(half);
  if (!ok || !f->sums || !f->scratch || !f->beyond || !f->mean || !f->wedge_row || !f->spectra || !f->column || !f->turned ||
      !f->cross || !f->response || !f->line[0] || !f->line[1])
    goto no_memory;
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
  for (int i = 0; i < CT_FACING_MAX; i++) {
    free(f->facing[i].row);
    free(f->facing[i].mirror);
    free(f->facing[i].coarse_row);
    free(f->facing[i].coarse_mirror);
  }
  free(f->sums);
  free(f->scratch);
  free(f->beyond);
  free(f->mean);
  fftwf_free(f->wedge_row);
  fftwf_free(f->spectra);
  fftwf_free(f->column);
  fftwf_free(f->turned);
  fftwf_free(f->cross);
  fftwf_free(f->response);
  fftwf_free(f->line[0]);
  fftwf_free(f->line[1]);
  if (f->along) fftwf_destroy_plan(f->along);
  for (int i = 0; i < CT_WEDGE_PLANS; i++)
    if (f->across[i]) fftwf_destroy_plan(f->across[i]);
  free(f);
}

void ct_axis_take(const struct ct_axis_finder *f, float *out, const float *row)
{
  for (uint32_t c = 0; c < f->cols; c++) out[c] = f->ring ? row[c] - f->ring[c] : row[c];
}

/* ---- what there is to find it by ---------------------------------------------------------------------------------- */
/* Noise, what rows have alike from column to column, and whether all of the sample is seen: one that reaches beyond the
 * detector shows at its edges, values rise there, or change as it turns, or are large. Beams that are somewhat weaker than the
 * flat, on one side too, do not. */
void ct_axis_look_over(struct ct_axis_finder *f, const float *const *rows, uint32_t n)
{
  uint32_t width = f->cols / 128 + 2, last = f->cols - 1, every = n / CT_PAIRS_MAX + 1;
  double rises = 0, leans = 0, level = 0, energy = 0, steps = 0, used = 0;

  f->noise = f->lean = 0;
  memset(f->mean, 0, f->cols * sizeof *f->mean);
  for (uint32_t i = 0; i < n; i++) {
    double end[4] = { 0 }, squares = 0;
    if (i % every == 0) f->noise += ct_axis_noise(rows[i], f->cols), used++;
    ct_axis_take(f, f->scratch, rows[i]);
    for (uint32_t c = 0; c < 2 * width; c++) {
      end[c / width] += (double)f->scratch[c] / width;
      end[2 + c / width] += (double)f->scratch[last - c] / width;
    }
    double apart = end[0] - end[2];
    for (uint32_t c = 0; c < f->cols; c++) {
      double above = (double)f->scratch[c] - end[0] + apart * c / last;
      f->mean[c] += (double)f->scratch[c] / n;
      squares += above * above;
    }
    rises += ((end[1] - end[0]) * (end[1] - end[0]) + (end[3] - end[2]) * (end[3] - end[2])) / n;
    f->lean += apart / n;
    level += (end[0] + end[2]) / (2 * n);
    leans += apart * apart / n;
    energy += squares / f->cols / n;
  }
  f->noise /= used;
  energy = fmax(energy - f->noise, 0);
  f->cut = rises + leans - f->lean * f->lean - 6 * f->noise / width > CUT_SHARE * CUT_SHARE * energy ||
           level * level > LEVEL_SHARE * LEVEL_SHARE * energy || f->lean * f->lean > LEAN_SHARE * LEAN_SHARE * energy;
  /* Fourth differences of the mean: the sample's own are small, those of independent columns of variance v have 70 v. */
  for (uint32_t c = 2; c + 2 < f->cols; c++) {
    double step = f->mean[c - 2] + f->mean[c + 2] - 4 * (f->mean[c - 1] + f->mean[c + 1]) + 6 * f->mean[c];
    steps += step * step / 70 / (f->cols - 4);
  }
  f->shared = fmax(steps - f->noise / n, 0);
  f->noise = fmax(f->noise - f->shared, 0);
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

uint32_t ct_axis_pairs(struct ct_axis_finder *f, const struct ct_tomo *t, uint32_t most)
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
        f->first[taken] = i;
        f->second[taken++] = j;
      }
      seen++;
    }
    found = seen;
    every = (found + most - 1) / most;
  }
  return taken;
}

static int by_angle(const void *a, const void *b)
{
  const struct ct_axis_view *x = a, *y = b;
  return (x->angle_deg > y->angle_deg) - (x->angle_deg < y->angle_deg);
}

/* At most CT_AXIS_VIEWS projections in the order in which the stage turned, from behind the widest gap on. */
static uint32_t rows_of(struct ct_axis_finder *f, const struct ct_tomo *t)
{
  uint32_t every = (t->n + CT_AXIS_VIEWS - 1) / CT_AXIS_VIEWS, n = 0, start = 0;
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

/* After half a turn the first projection comes again, mirrored. The stage stopped short of it by a step or so: the line, or if
 * <bent> the parabola, through the first ones goes on to what is opposite to the last. */
static int from_ends(struct ct_axis_finder *f, uint32_t n, bool bent, struct ct_tomo_axis *axis)
{
  double gap = f->angle_deg[0] + 180 - f->angle_deg[n - 1], far = (double)INFINITY;
  uint32_t next = 0;
  *axis = nowhere;
  while (!(far < 1.5) && ++next < 4 && 2 * next < n) far = gap / (f->angle_deg[next] - f->angle_deg[0]);
  if (!(far >= 0 && far < 1.5)) return CT_ENODATA;
  const float *first = f->rows[0], *second = f->rows[next], *third = f->rows[2 * next], *last = f->rows[n - 1], *beyond = f->beyond;
  double later = f->angle_deg[next] - f->angle_deg[0], latest = f->angle_deg[2 * next] - f->angle_deg[0];
  double bend = bent ? gap * (gap + later) / (latest * (latest - later)) : 0;
  for (uint32_t c = 0; c < f->cols; c++) {
    double line = (double)first[c] + far * (double)(first[c] - second[c]);
    double off = (double)(third[c] - first[c]) - latest / later * (double)(second[c] - first[c]);
    f->beyond[c] = (float)(line + bend * off);
  }
  return ct_axis_from_pairs(f, &last, &beyond, 1, axis);
}

static bool disagree(const struct ct_tomo_axis *one, const struct ct_tomo_axis *other)
{
  return fabs(one->axis_px - other->axis_px) > 2.5 * hypot(one->sigma_px, other->sigma_px);
}

/* From <n> rows within half a turn, <complete> or not, of <seen> altogether. All of them say more than its two ends, if all of the
 * sample is there; but where the beam is not what it was for the flat they are the more misled: where they disagree the ends
 * are right, unless that is from how they go on. */
static int from_half(struct ct_axis_finder *f, uint32_t n, bool complete, uint32_t seen, struct ct_tomo_axis *axis)
{
  struct ct_tomo_axis ends, bent;
  int rc = CT_ENODATA;
  if (complete && !f->cut) rc = ct_axis_from_wedge(f, f->rows, f->angle_deg, n, axis);
  if (rc && !f->cut && f->angle_deg[seen - 1] - f->angle_deg[0] >= ENOUGH_DEG)
    rc = ct_axis_from_mass(f, f->rows, f->angle_deg, seen, axis);
  if (!complete || from_ends(f, n, false, &ends)) return rc;
  if (rc || (disagree(axis, &ends) && !from_ends(f, n, true, &bent) && disagree(axis, &bent))) *axis = ends;
  return 0;
}

int ct_axis_find(struct ct_axis_finder *f, const struct ct_tomo *t, struct ct_tomo_axis *axis)
{
  *axis = nowhere;
  if (t->n < 2 || t->setup.cols != f->cols) return CT_ENODATA;
  f->ring = t->has_ring ? t->ring : NULL;
  uint32_t n = rows_of(f, t), half;
  bool complete = half_turn(f, n, &half), enough = f->angle_deg[n - 1] - f->angle_deg[0] >= ENOUGH_DEG;
  ct_axis_look_over(f, f->rows, n);

  if (t->setup.rotation_deg == 180 && !from_half(f, half, complete, n, axis)) return 0;
  uint32_t pairs = ct_axis_pairs(f, t, CT_PAIRS_MAX);
  for (uint32_t i = 0; i < pairs; i++) {
    f->rows[i] = row_of(t, f->first[i]);
    f->opposite[i] = row_of(t, f->second[i]);
  }
  if (pairs && !ct_axis_from_pairs(f, f->rows, f->opposite, pairs, axis)) return 0;
  if (!enough || f->cut || t->setup.rotation_deg == 180) return CT_ENODATA;
  n = rows_of(f, t);
  return ct_axis_from_mass(f, f->rows, f->angle_deg, n, axis);
}

int ct_axis_pair(struct ct_axis_finder *f, const float *row, const float *opposite, struct ct_tomo_axis *axis)
{
  return ct_axis_from_pairs(f, &row, &opposite, 1, axis);
}
