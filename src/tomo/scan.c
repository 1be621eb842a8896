/* scan: what a camera sends, row by row, in whatever order -> attenuation for the slice. */
#include <comptop/tomo.h>

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* A mean of keyed rows; the first after a projection begins a new one, the old one is in use until then. */
struct mean {
  double *sum;
  float *row;
  uint32_t n;
  bool open;                  /* no projection came since */
};

static const double same_deg = 1e-5;
/* Fewer projections than that are no turn yet: what lies between them is news. */
enum { LEAST_TURN = 16 };

struct ct_scan {
  struct ct_tomo *tomo;
  uint32_t cols, projections;
  struct mean dark, flat;
  double open_level;          /* without a flat: what the brightest part of the first projection had */
  float *raw;                 /* [projections][cols]: as they came, in the order of the slice's own */
  double *angles;
  uint32_t first, n;
  float *line, *scratch;
  double z_mm;
  double step_deg;            /* the least between two projections of the scan; infinite before the second */
  bool keyed;                 /* darks or flats came since the last projection */
  bool behind;                /* what the slice keeps is of older darks or flats */
  bool cleaned;               /* what the slice keeps is not what came */
  uint64_t scans;
};

/* ---- darks and flats ------------------------------------------------------------------------------------------ */
static void mean_add(struct mean *mean, const float *row, uint32_t cols)
{
  if (!mean->open) {
    memset(mean->sum, 0, cols * sizeof *mean->sum);
    mean->n = 0;
    mean->open = true;
  }
  mean->n++;
  for (uint32_t i = 0; i < cols; i++) {
    mean->sum[i] += (double)row[i];
    mean->row[i] = (float)(mean->sum[i] / mean->n);
  }
}

void ct_scan_dark(struct ct_scan *scan, const float *row)
{
  scan->keyed = scan->behind = true;
  mean_add(&scan->dark, row, scan->cols);
}

void ct_scan_flat(struct ct_scan *scan, const float *row)
{
  scan->keyed = scan->behind = true;
  mean_add(&scan->flat, row, scan->cols);
}

/* ---- attenuation ---------------------------------------------------------------------------------------------- */
static int by_value(const void *a, const void *b)
{
  float x = *(const float *)a, y = *(const float *)b;
  return (x > y) - (x < y);
}

/* The mean of the brightest twentieth: open beam beside the sample, where there is any. */
static double brightest(struct ct_scan *scan, const float *row)
{
  uint32_t n = 0, part = scan->cols / 20 + 1;
  double sum = 0;
  for (uint32_t i = 0; i < scan->cols; i++)
    if (isfinite(row[i]))
      scan->scratch[n++] = row[i] - (scan->dark.n ? scan->dark.row[i] : 0);
  if (n < part)
    return 0;
  qsort(scan->scratch, n, sizeof *scan->scratch, by_value);
  for (uint32_t i = n - part; i < n; i++)
    sum += (double)scan->scratch[i];
  return sum / part;
}

/* Columns without a value get the mean of their neighbours to the left and right, weighted by nearness. */
static bool mend(float *line, uint32_t cols)
{
  uint32_t good = 0, last = UINT32_MAX;
  for (uint32_t i = 0; i < cols; i++)
    good += isnan(line[i]) ? 0 : 1u;
  if (2 * good < cols)
    return false;
  for (uint32_t i = 0; i <= cols; i++) {
    if (i < cols && isnan(line[i]))
      continue;
    for (uint32_t j = last + 1; j < i; j++)
      line[j] = last == UINT32_MAX ? line[i] : i == cols ? line[last] :
                line[last] + (line[i] - line[last]) * (float)(j - last) / (float)(i - last);
    last = i;
  }
  return true;
}

/* -ln of the transmission; at least 1e-4 of it is believed. False: half of the row says nothing. */
static bool attenuate(struct ct_scan *scan, const float *raw)
{
  static const double least = 1e-4;
  for (uint32_t i = 0; i < scan->cols; i++) {
    double dark = scan->dark.n ? (double)scan->dark.row[i] : 0;
    double open = scan->flat.n ? (double)scan->flat.row[i] - dark : scan->open_level;
    double through = ((double)raw[i] - dark) / open;
    scan->line[i] = open > 0 && isfinite(through) ? (float)-log(through > least ? through : least) : NAN;
  }
  return mend(scan->line, scan->cols);
}

/* ---- projections ---------------------------------------------------------------------------------------------- */
static float *raw_at(const struct ct_scan *scan, uint32_t i)
{
  return scan->raw + (size_t)((scan->first + i) % scan->projections) * scan->cols;
}

/* From <angle_deg> to the nearest projection kept, the <*place>th oldest. */
static double nearest_deg(const struct ct_scan *scan, double angle_deg, uint32_t *place)
{
  double period = (double)ct_tomo_setup(scan->tomo)->rotation_deg, least = (double)INFINITY;
  for (uint32_t i = 0; i < scan->n; i++) {
    double off = fabs(remainder(scan->angles[(scan->first + i) % scan->projections] - angle_deg, period));
    if (off < least) {
      least = off;
      *place = i;
    }
  }
  return least;
}

/* Whether a kept projection already says what one so near to it would. */
static bool is_seen(const struct ct_scan *scan, double near_deg)
{
  return near_deg < (isfinite(scan->step_deg) ? scan->step_deg / 2 : same_deg);
}

static void drop_oldest(struct ct_scan *scan, uint32_t n)
{
  ct_tomo_forget(scan->tomo, n);
  scan->first = (scan->first + n) % scan->projections;
  scan->n -= n;
}

void ct_scan_restart(struct ct_scan *scan)
{
  drop_oldest(scan, scan->n);
  scan->open_level = 0;
  scan->step_deg = (double)INFINITY;
}

/* Another height, or a place that was seen already after darks, flats or a pause: a scan begins. */
static bool begins_scan(const struct ct_scan *scan, double near_deg, double z_mm, bool paused)
{
  if (scan->n == 0)
    return true;
  if (fabs(z_mm - scan->z_mm) > 1e-3)
    return true;
  return (scan->keyed || paused) && is_seen(scan, near_deg);
}

/* The stage goes on turning: the oldest give way where they are what is seen again. In another order, or back the way it
 * came, they may be the only ones at their angles; and a pass between those of another lies half a step beside them. */
static bool follows_oldest(const struct ct_scan *scan, double near_deg, uint32_t place)
{
  return scan->n >= LEAST_TURN && place < scan->n / 2 && is_seen(scan, 2 * near_deg) &&
         ct_tomo_state(scan->tomo).covered_deg > 0.99 * ct_tomo_setup(scan->tomo)->rotation_deg;
}

/* New darks or flats count for what is kept too; and stripes are removed from all of a scan or from none of it. */
static void apply_anew(struct ct_scan *scan)
{
  uint32_t n = scan->n;
  bool same = !scan->behind && !scan->cleaned;
  scan->behind = scan->cleaned = false;
  if (same || n == 0)
    return;
  ct_tomo_forget(scan->tomo, n);
  for (uint32_t i = 0; i < n; i++)
    if (attenuate(scan, raw_at(scan, i)))
      ct_tomo_add(scan->tomo, scan->line, scan->angles[(scan->first + i) % scan->projections]);
}

int ct_scan_projection(struct ct_scan *scan, const float *row, double angle_deg, double z_mm, bool paused)
{
  if (!isfinite(angle_deg))
    return CT_ERANGE;
  uint32_t place = 0;
  double near_deg = nearest_deg(scan, angle_deg, &place);
  if (begins_scan(scan, near_deg, z_mm, paused)) {
    ct_scan_restart(scan);
    scan->scans++;
    near_deg = (double)INFINITY;
  }
  apply_anew(scan);
  scan->keyed = scan->dark.open = scan->flat.open = false;
  scan->z_mm = z_mm;
  if (scan->flat.n == 0 && !(scan->open_level > 0))
    scan->open_level = brightest(scan, row);
  if (!attenuate(scan, row))
    return CT_ERANGE;
  if (scan->n == scan->projections || follows_oldest(scan, near_deg, place))
    drop_oldest(scan, 1);
  int code = ct_tomo_add(scan->tomo, scan->line, angle_deg);
  if (code != 0)
    return code;
  if (near_deg > same_deg)
    scan->step_deg = fmin(scan->step_deg, near_deg);
  memcpy(raw_at(scan, scan->n), row, scan->cols * sizeof *row);
  scan->angles[(scan->first + scan->n++) % scan->projections] = angle_deg;
  return 0;
}

/* ---- the rest --------------------------------------------------------------------------------------------------- */
int ct_scan_change(struct ct_scan *scan, const struct ct_tomo_setup *setup, struct ct_err *err)
{
  return ct_tomo_change(&scan->tomo, setup, err);
}

int ct_scan_clean(struct ct_scan *scan)
{
  int code = ct_tomo_clean(scan->tomo);
  scan->cleaned |= code == 0;
  return code;
}

void ct_scan_refresh(struct ct_scan *scan) { apply_anew(scan); }

struct ct_tomo *ct_scan_tomo(const struct ct_scan *scan) { return scan->tomo; }

struct ct_scan_state ct_scan_state(const struct ct_scan *scan)
{
  return (struct ct_scan_state){ .projections = scan->n, .darks = scan->dark.n, .flats = scan->flat.n, .scans = scan->scans,
                                 .behind = scan->behind && scan->n > 0 };
}

int ct_scan_open(struct ct_scan **out, const struct ct_tomo_setup *setup, struct ct_err *err)
{
  struct ct_tomo *tomo;
  *out = NULL;
  int code = ct_tomo_open(&tomo, setup, err);
  if (code != 0)
    return code;
  struct ct_scan *scan = ct_xcalloc(1, sizeof *scan);
  scan->tomo = tomo;
  scan->cols = setup->cols;
  scan->projections = setup->projections;
  scan->step_deg = (double)INFINITY;
  scan->dark.sum = ct_xcalloc(scan->cols, sizeof *scan->dark.sum);
  scan->dark.row = ct_xcalloc(scan->cols, sizeof *scan->dark.row);
  scan->flat.sum = ct_xcalloc(scan->cols, sizeof *scan->flat.sum);
  scan->flat.row = ct_xcalloc(scan->cols, sizeof *scan->flat.row);
  scan->line = ct_xcalloc(scan->cols, sizeof *scan->line);
  scan->scratch = ct_xcalloc(scan->cols, sizeof *scan->scratch);
  scan->angles = ct_xcalloc(scan->projections, sizeof *scan->angles);
  scan->raw = ct_xcalloc((size_t)scan->projections * scan->cols, sizeof *scan->raw);
  *out = scan;
  return 0;
}

void ct_scan_close(struct ct_scan *scan)
{
  if (scan == NULL)
    return;
  ct_tomo_close(scan->tomo);
  free(scan->dark.sum);
  free(scan->dark.row);
  free(scan->flat.sum);
  free(scan->flat.row);
  free(scan->line);
  free(scan->scratch);
  free(scan->angles);
  free(scan->raw);
  free(scan);
}
