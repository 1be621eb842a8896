/* scan: what a camera sends, row by row, in whatever order -> attenuation for the slice. */
#include <comptop/tomo.h>

#include <math.h>
#include <stdlib.h>
#include <string.h>

static const double same_deg = 1e-5;
/* Of the mean step: projections so near to each other are of the same place, which an encoder reads differently every time. */
static const double same_place = 0.05;
/* Fewer projections than that are no turn yet: what lies between them is news. */
enum { LEAST_TURN = 16 };

/* How the stage has moved since it last went back or jumped. */
struct motion {
  double last_deg, turned_deg, farthest_deg;   /* signed; the most that was turned, without a sign */
  uint32_t steps;
};

struct ct_scan {
  struct ct_tomo *tomo;
  uint32_t cols, projections;
  struct ct_field *field;
  float *raw;                 /* [projections][cols]: as they came, in the order of the slice's own */
  double *angles;
  uint32_t first, n;
  float *line;
  double z_mm;
  double least_deg;           /* between two projections of the scan; infinite before the second */
  double step_deg;            /* the same between those at different places */
  struct motion motion;
  bool keyed;                 /* darks or flats came since the last projection, or a pause */
  bool behind;                /* what the slice keeps is of older darks or flats */
  bool cleaned;               /* what the slice keeps is not what came */
  uint64_t scans;
};

/* ---- darks and flats ------------------------------------------------------------------------------------------ */
void ct_scan_dark(struct ct_scan *scan, const float *row)
{
  scan->keyed = scan->behind = true;
  ct_field_dark(scan->field, row);
}

int ct_scan_flat(struct ct_scan *scan, const float *row)
{
  if (!ct_field_is_lit(scan->field, row))
    return CT_ERANGE;
  scan->keyed = scan->behind = true;
  ct_field_flat(scan->field, row);
  return 0;
}

/* False: half of the row says nothing. */
static bool attenuate(struct ct_scan *scan, const float *raw)
{
  int64_t drawn = ct_field_log(scan->field, scan->line, raw, 0, 1);
  return drawn >= 0 && 2 * drawn <= scan->cols;
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

/* A part of what lies between projections; at least what two may differ by that are at one angle. */
static double part_of(double step_deg, double part)
{
  return isfinite(step_deg) ? step_deg * part : same_deg;
}

static void note_step(struct ct_scan *scan, double near_deg)
{
  struct ct_tomo_state state = ct_tomo_state(scan->tomo);
  double mean_deg = state.projections > 0 ? state.covered_deg / state.projections : 0;
  if (near_deg > same_deg)
    scan->least_deg = fmin(scan->least_deg, near_deg);
  if (scan->step_deg < same_place * mean_deg)              /* the first two were of one place */
    scan->step_deg = (double)INFINITY;
  if (near_deg > fmax(same_deg, same_place * mean_deg))
    scan->step_deg = fmin(scan->step_deg, near_deg);
}

/* Small steps, forward on the whole, are the stage turning on. */
static void follow_stage(const struct ct_scan *scan, struct motion *m, double angle_deg)
{
  double step_deg = remainder(angle_deg - m->last_deg, 360), most_deg = ct_tomo_setup(scan->tomo)->rotation_deg / (double)LEAST_TURN;
  m->last_deg = angle_deg;
  m->turned_deg += step_deg;
  m->farthest_deg = fmax(m->farthest_deg, fabs(m->turned_deg));
  m->steps++;
  if (!(fabs(step_deg) < most_deg) || fabs(m->turned_deg) < m->farthest_deg - most_deg)
    *m = (struct motion){ .last_deg = angle_deg };
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
  ct_field_guess(scan->field, NULL);
  scan->least_deg = scan->step_deg = (double)INFINITY;
  scan->motion = (struct motion){ .last_deg = (double)NAN };
}

/* Another height, or a place that was seen already after darks, flats or a pause: a scan begins. It may begin between two steps of
 * the one before; but in the middle of one in any order, the least distance so far may not be the least of all. */
static bool begins_scan(const struct ct_scan *scan, double near_deg, double z_mm, bool paused)
{
  if (scan->n == 0)
    return true;
  if (fabs(z_mm - scan->z_mm) > 1e-3)
    return true;
  bool in_order = scan->motion.steps + 1 >= scan->n;
  return (scan->keyed || paused) && near_deg < part_of(scan->step_deg, in_order ? 0.5 : 0.2);
}

/* The stage goes on turning: the oldest give way where they are what is seen again, within nearly a quarter of its steps. In another
 * order, or back the way it came, they may be the only ones at their angles; and passes between those of others lie half a
 * step beside them, or a quarter. */
static bool follows_oldest(const struct ct_scan *scan, double near_deg, uint32_t place)
{
  double whole_deg = 0.99 * ct_tomo_setup(scan->tomo)->rotation_deg;
  const struct motion *m = &scan->motion;
  if (scan->n < LEAST_TURN || place >= scan->n / 2 || ct_tomo_state(scan->tomo).covered_deg < whole_deg)
    return false;
  return near_deg < part_of(m->farthest_deg > whole_deg ? m->farthest_deg / m->steps : scan->least_deg, 0.24);
}

/* New darks or flats count for what is kept too, even where they leave little of it; and stripes are removed from all of a scan
 * or from none of it. */
static void apply_anew(struct ct_scan *scan)
{
  uint32_t n = scan->n;
  bool same = !scan->behind && !scan->cleaned;
  scan->behind = scan->cleaned = false;
  if (same || n == 0)
    return;
  ct_tomo_forget(scan->tomo, n);
  for (uint32_t i = 0; i < n; i++) {
    (void)attenuate(scan, raw_at(scan, i));
    ct_tomo_add(scan->tomo, scan->line, scan->angles[(scan->first + i) % scan->projections]);
  }
}

int ct_scan_projection(struct ct_scan *scan, const float *row, double angle_deg, double z_mm, bool paused)
{
  if (!isfinite(angle_deg))
    return CT_ERANGE;
  ct_field_end_sets(scan->field);
  /* What says nothing begins nothing. */
  if (ct_field_state(scan->field).ready && !attenuate(scan, row)) {
    scan->keyed |= paused;
    return CT_ERANGE;
  }
  uint32_t place = 0;
  double near_deg = nearest_deg(scan, angle_deg, &place);
  bool begins = begins_scan(scan, near_deg, z_mm, paused);
  if (begins) {
    ct_scan_restart(scan);
    near_deg = (double)INFINITY;
  }
  apply_anew(scan);
  scan->keyed = false;
  scan->z_mm = z_mm;
  if (!ct_field_state(scan->field).ready)
    ct_field_guess(scan->field, row);
  if (!attenuate(scan, row))
    return CT_ERANGE;
  scan->scans += begins;
  follow_stage(scan, &scan->motion, angle_deg);
  if (scan->n == scan->projections || follows_oldest(scan, near_deg, place))
    drop_oldest(scan, 1);
  int code = ct_tomo_add(scan->tomo, scan->line, angle_deg);
  if (code != 0)
    return code;
  note_step(scan, near_deg);
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

uint32_t ct_scan_mark(const struct ct_scan *scan, float *row, float most) { return ct_field_mark(scan->field, row, most); }

struct ct_tomo *ct_scan_tomo(const struct ct_scan *scan) { return scan->tomo; }

struct ct_scan_state ct_scan_state(const struct ct_scan *scan)
{
  struct ct_field_state field = ct_field_state(scan->field);
  return (struct ct_scan_state){ .projections = scan->n, .darks = field.darks, .flats = field.flats, .scans = scan->scans,
                                 .behind = scan->behind && scan->n > 0 };
}

int ct_scan_open(struct ct_scan **out, const struct ct_tomo_setup *setup, struct ct_err *err)
{
  struct ct_tomo *tomo;
  struct ct_field *field;
  *out = NULL;
  int code = ct_tomo_open(&tomo, setup, err);
  if (code != 0)
    return code;
  code = ct_field_open(&field, 1, setup->cols, err);
  if (code != 0) {
    ct_tomo_close(tomo);
    return code;
  }
  struct ct_scan *scan = ct_xcalloc(1, sizeof *scan);
  scan->tomo = tomo;
  scan->field = field;
  scan->cols = setup->cols;
  scan->projections = setup->projections;
  scan->least_deg = scan->step_deg = (double)INFINITY;
  scan->line = ct_xcalloc(scan->cols, sizeof *scan->line);
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
  ct_field_close(scan->field);
  free(scan->line);
  free(scan->angles);
  free(scan->raw);
  free(scan);
}
