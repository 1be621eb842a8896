/* Stripes of all kinds in a whole sinogram: what is left of rings when a scan has ended. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "tomo/internal.h"

/* Windows of medians, in columns: Vo's for 1000 columns and more, narrower where the sample is. A stripe of the dead that is
 * wider than DEAD_WIDTH is the sample's edge. */
enum { SMALL = 21, LARGE = 51, DEAD_WIDTH = 10, LEAST_ROWS = 16, LEAST_COLS = 51 };
#define SIGNIFICANT 3.0

static uint32_t window_of(uint32_t cols, uint32_t most, uint32_t least)
{
  uint32_t window = cols * most / 1024 | 1;
  return window > most ? most : window < least ? least : window;
}

/* ---- medians ------------------------------------------------------------------------------------------------------ */
/* out[i] = the median of row[i - window / 2 .. i + window / 2], <window> odd; at the ends the row is mirrored. */
static void median_filter(float *out, const float *row, uint32_t n, uint32_t window)
{
  float sorted[LARGE];
  int64_t half = window / 2, last = (int64_t)n - 1;
  uint32_t filled = 0;

  for (int64_t i = -half; i <= last + half; i++) {
    int64_t at = i < 0 ? -i - 1 : i > last ? 2 * last + 1 - i : i, gone = i - window;
    float value = row[at < 0 ? 0 : at > last ? last : at];
    uint32_t k;
    if (filled == window) {
      int64_t old = gone < 0 ? -gone - 1 : gone;
      float leaving = row[old > last ? last : old];
      for (k = 0; k + 1 < filled && sorted[k] != leaving; k++) continue;
      memmove(sorted + k, sorted + k + 1, (filled - k - 1) * sizeof *sorted);
      filled--;
    }
    for (k = filled; k > 0 && sorted[k - 1] > value; k--) sorted[k] = sorted[k - 1];
    sorted[k] = value;
    filled++;
    if (i >= half) out[i - half] = sorted[filled / 2];
  }
}

/* ---- in a sinogram ------------------------------------------------------------------------------------------------ */
struct stripes {
  uint32_t rows, cols;
  float *sorted, *smooth;       /* [rows][cols]: every column ascending; its median across columns */
  uint32_t *from;               /* [rows][cols]: the row that a sorted value came from */
  uint64_t *key, *other;        /* [rows] */
  float *list, *median, *scratch;   /* [cols] */
  bool *bad;
};

/* Floats as unsigned numbers in the same order. */
static uint32_t ordered(float value)
{
  uint32_t bits;
  memcpy(&bits, &value, sizeof bits);
  return bits & 0x80000000u ? ~bits : bits | 0x80000000u;
}

static void sort_column(struct stripes *s, const float *sinogram, uint32_t col)
{
  enum { BITS = 11, BINS = 1 << BITS };
  uint64_t *key = s->key, *other = s->other;

  for (uint32_t r = 0; r < s->rows; r++) key[r] = (uint64_t)ordered(sinogram[(size_t)r * s->cols + col]) << 32 | r;
  for (uint32_t shift = 32; shift < 64; shift += BITS) {
    uint32_t count[BINS + 1] = { 0 };
    for (uint32_t r = 0; r < s->rows; r++) count[(key[r] >> shift & (BINS - 1)) + 1]++;
    for (uint32_t i = 0; i < BINS; i++) count[i + 1] += count[i];
    for (uint32_t r = 0; r < s->rows; r++) other[count[key[r] >> shift & (BINS - 1)]++] = key[r];
    uint64_t *was = key;
    key = other;
    other = was;
  }
  for (uint32_t r = 0; r < s->rows; r++) {
    uint32_t from = (uint32_t)key[r];
    s->from[(size_t)r * s->cols + col] = from;
    s->sorted[(size_t)r * s->cols + col] = sinogram[(size_t)from * s->cols + col];
  }
}

static void sort_columns(struct stripes *s, const float *sinogram, uint32_t window)
{
  for (uint32_t c = 0; c < s->cols; c++) sort_column(s, sinogram, c);
  for (uint32_t r = 0; r < s->rows; r++)
    median_filter(s->smooth + (size_t)r * s->cols, s->sorted + (size_t)r * s->cols, s->cols, window);
}

/* Marks columns whose value in <list> is an outlier: sorted, the middle half lies on a line, whose ends say how far the
 * others may be (Vo's rule). Neighbours are marked, too. What is wider than <widest> is the sample's edge. */
static void mark(struct stripes *s, uint32_t widest)
{
  uint32_t n = s->cols, from = n / 4, to = n - n / 4;
  double x = 0, y = 0, xx = 0, xy = 0, used = to - from;
  float *sorted = s->scratch;

  memcpy(sorted, s->list, n * sizeof *sorted);
  qsort(sorted, n, sizeof *sorted, ct_by_float);
  for (uint32_t i = from; i < to; i++)
    x += i, y += (double)sorted[i], xx += (double)i * i, xy += i * (double)sorted[i];
  double slope = (used * xy - x * y) / (used * xx - x * x), low = (y - slope * x) / used, high = low + slope * (n - 1);
  double noise = fmax(fabs(high - low), 0.02);
  bool any_low = (low - (double)sorted[0]) / noise >= SIGNIFICANT;
  bool any_high = ((double)sorted[n - 1] - high) / noise >= SIGNIFICANT;
  memset(s->bad, 0, n * sizeof *s->bad);
  for (uint32_t i = 0; i < n; i++) {
    double value = (double)s->list[i];
    if (!(any_low && value < low - noise * SIGNIFICANT / 2) && !(any_high && value > high + noise * SIGNIFICANT / 2)) continue;
    s->bad[i] = true;
    if (i > 0) s->bad[i - 1] = true;
    if (i + 1 < n) s->bad[i + 1] = true;
  }
  for (uint32_t i = 0, end; i < n; i = end + 1) {
    for (end = i; end < n && s->bad[end]; end++) continue;
    if (end - i > widest) memset(s->bad + i, 0, (end - i) * sizeof *s->bad);
  }
}

/* Unresponsive and fluctuating columns: how much they change from row to row, against their neighbours. */
static void remove_dead(struct stripes *s, float *sinogram)
{
  enum { RUN = 10 };
  for (uint32_t c = 0; c < s->cols; c++) {
    double change = 0, run = 0;
    for (uint32_t r = 0; r < s->rows; r++) {
      run += (double)sinogram[(size_t)r * s->cols + c];
      if (r >= RUN) run -= (double)sinogram[(size_t)(r - RUN) * s->cols + c];
      if (r + 1 >= RUN) change += fabs((double)sinogram[(size_t)(r - RUN / 2) * s->cols + c] - run / RUN);
    }
    s->list[c] = (float)change;
  }
  median_filter(s->median, s->list, s->cols, window_of(s->cols, LARGE, 2 * DEAD_WIDTH + 1));
  for (uint32_t c = 0; c < s->cols; c++) s->list[c] = s->median[c] > 0 ? s->list[c] / s->median[c] : 1;
  mark(s, DEAD_WIDTH);
  for (uint32_t c = 0, end; c < s->cols; c = end + 1) {
    for (end = c; end < s->cols && s->bad[end]; end++) continue;
    if (end == c || (c == 0 && end == s->cols)) continue;
    for (uint32_t r = 0; r < s->rows; r++) {
      float *row = sinogram + (size_t)r * s->cols;
      float before = row[c > 0 ? c - 1 : end], after = row[end < s->cols ? end : c - 1];
      for (uint32_t k = c; k < end; k++) row[k] = before + (after - before) * (float)(k - c + 1) / (float)(end - c + 1);
    }
  }
}

/* Large stripes: a column's values, sorted, against what its neighbours have at the same rank. */
static void remove_large(struct stripes *s, float *sinogram)
{
  uint32_t drop = s->rows / 20;
  uint32_t window = window_of(s->cols, LARGE, 11);
  float most = 0;

  sort_columns(s, sinogram, window);
  memset(s->list, 0, s->cols * sizeof *s->list);
  memset(s->median, 0, s->cols * sizeof *s->median);
  for (uint32_t r = drop; r < s->rows - drop; r++) {
    for (uint32_t c = 0; c < s->cols; c++) {
      s->list[c] += s->sorted[(size_t)r * s->cols + c];
      s->median[c] += s->smooth[(size_t)r * s->cols + c];
    }
  }
  for (uint32_t c = 0; c < s->cols; c++) most = fmaxf(most, fabsf(s->median[c]));
  /* Where there is next to nothing a ratio says nothing. */
  for (uint32_t c = 0; c < s->cols; c++)
    s->list[c] = s->median[c] > 0.02f * most && s->list[c] > 0 ? s->list[c] / s->median[c] : 1;
  mark(s, window / 2);
  for (uint32_t r = 0; r < s->rows; r++) {
    for (uint32_t c = 0; c < s->cols; c++) {
      size_t at = (size_t)r * s->cols + c;
      if (s->bad[c]) sinogram[(size_t)s->from[at] * s->cols + c] = s->smooth[at];
      else sinogram[at] /= s->list[c];
    }
  }
}

static void remove_small(struct stripes *s, float *sinogram)
{
  sort_columns(s, sinogram, window_of(s->cols, SMALL, 11));
  for (size_t at = 0; at < (size_t)s->rows * s->cols; at++)
    sinogram[(size_t)s->from[at] * s->cols + at % s->cols] = s->smooth[at];
}

int ct_stripes_remove(float *sinogram, uint32_t rows, uint32_t cols)
{
  size_t n = (size_t)rows * cols;
  if (rows < LEAST_ROWS || cols < LEAST_COLS) return CT_ENODATA;
  struct stripes s = { .rows = rows, .cols = cols, .sorted = calloc(n, sizeof *s.sorted),
                       .smooth = calloc(n, sizeof *s.smooth), .from = calloc(n, sizeof *s.from),
                       .key = calloc(rows, sizeof *s.key), .other = calloc(rows, sizeof *s.other),
                       .list = calloc(cols, sizeof *s.list), .median = calloc(cols, sizeof *s.median),
                       .scratch = calloc(cols, sizeof *s.scratch), .bad = calloc(cols, sizeof *s.bad) };
  bool ok = s.sorted && s.smooth && s.from && s.key && s.other && s.list && s.median && s.scratch && s.bad;

  if (ok) {
    remove_dead(&s, sinogram);
    remove_large(&s, sinogram);
    remove_small(&s, sinogram);
  }
  free(s.sorted);
  free(s.smooth);
  free(s.from);
  free(s.key);
  free(s.other);
  free(s.list);
  free(s.median);
  free(s.scratch);
  free(s.bad);
  return ok ? 0 : CT_ENOMEM;
}

/* Walls about the axis stand still like stripes, and are none. */
int ct_tomo_clean(struct ct_tomo *t)
{
  uint32_t cols = t->setup.cols, n = t->n;
  float *sinogram = calloc(n ? n : 1, cols * sizeof *sinogram), *ring = calloc(cols, sizeof *ring);
  struct ct_rings r;
  int rc = ct_rings_init(&r, cols) || !sinogram || !ring ? CT_ENOMEM : 0;

  if (rc) goto out;
  ct_rings_begin(&r, n);
  for (uint32_t i = 0; i < n; i++) ct_rings_take(&r, t->rows + (size_t)t->order[i] * cols);
  rc = ct_rings_end(&r, t->setup.axis_px, ring);
  if (rc) goto out;
  for (size_t i = 0; i < n; i++)
    for (uint32_t c = 0; c < cols; c++) sinogram[i * cols + c] = t->rows[t->order[i] * (size_t)cols + c] - r.wall[c];
  rc = ct_stripes_remove(sinogram, n, cols);
  if (rc) goto out;
  for (size_t i = 0; i < n; i++)
    for (uint32_t c = 0; c < cols; c++) t->rows[t->order[i] * (size_t)cols + c] = sinogram[i * cols + c] + r.wall[c];
  t->has_ring = false;
  ct_tomo_rebuild(t);
out:
  ct_rings_free(&r);
  free(sinogram);
  free(ring);
  return rc;
}
