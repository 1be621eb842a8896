#include "planes.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "preview.h"

enum { JOBS = 8, SLICE_LINES = 64, STRIDE = 16, HURRY_PROJECTIONS = 128 };
/* A line that takes longer than this is painted all the same. */
static const double least_axis_move_px = 0.1;

/* A picture that somebody wants. */
struct job {
  struct ct_request request;
  bool used, wanted;
  struct ct_volume *volume;
  struct ct_plane plane;
  uint32_t width, height;     /* of a plane; of the coarse volume height slabs of width x width */
  float *values;
  uint32_t *order;            /* [height]: lines far apart first */
  uint32_t next;              /* of them, in this round */
  uint64_t begun;             /* changes of the volume when the round began */
  bool hurried;               /* of some of the projections only */
  uint32_t taken;             /* projections, of those there were */
  uint64_t rounds;            /* begun, the latest one of them with those that were behind then */
  bool whole;                 /* a round has come to its end */
  uint32_t projections;       /* of the last one that has */
};

struct ct_planes {
  struct ct_planes_setup setup;
  struct ct_volume *fine, *coarse;
  struct ct_axis_finder *finder;  /* of the fine one */
  uint32_t coarse_rows, coarse_cols;
  double coarse_factor;       /* of the images to those of the coarse volume */
  float *small;               /* [coarse_rows * coarse_cols] */
  float *slab;                /* [CT_PLANES_COARSE ^ 2] */
  struct job jobs[JOBS];
};

/* ---- opening and closing ------------------------------------------------------------------------------------------- */
/* Columns of an image of <factor> pixels of the camera to one. */
static double axis_of(double axis_px, double factor, uint32_t cols)
{
  return fmin(fmax((axis_px + 0.5) / factor - 0.5, 0), cols - 1.0);
}

static struct ct_volume_setup volume_setup(const struct ct_planes *p, bool coarse)
{
  const struct ct_planes_setup *s = &p->setup;
  uint32_t rows = coarse ? p->coarse_rows : s->rows, cols = coarse ? p->coarse_cols : s->cols;
  double factor = s->factor * (coarse ? p->coarse_factor : 1), axis_px = axis_of(s->axis_px, factor, cols);
  double fov = s->rotation_deg == 360 ? 2 * fmax(axis_px + 0.5, cols - 0.5 - axis_px) : cols;
  uint32_t size = coarse ? CT_PLANES_COARSE : s->size < CT_PREVIEW_EDGE ? s->size : CT_PREVIEW_EDGE;
  return (struct ct_volume_setup){ .rows = rows, .cols = cols, .size = fov < size ? (uint32_t)fmax(fov, 16) : size,
    .rotation_deg = s->rotation_deg, .axis_px = axis_px, .lean = s->lean,
    .lean_row = (s->slice_row + 0.5) * rows / ((double)s->rows * s->factor) - 0.5, .window = s->window, .rings = s->rings,
    .pixel_cm = factor * (isfinite(s->pixel_um) ? s->pixel_um * 1e-4 : 1),
    .memory_bytes = coarse ? s->memory_bytes / 16 : s->memory_bytes };
}

int ct_planes_open(struct ct_planes **out, const struct ct_planes_setup *setup, struct ct_err *err)
{
  struct ct_planes *p = ct_xcalloc(1, sizeof *p);
  uint32_t edge = setup->rows > setup->cols ? setup->rows : setup->cols;
  p->setup = *setup;
  p->coarse_factor = fmax((double)edge / CT_PLANES_COARSE, 1);
  p->coarse_rows = (uint32_t)fmax(setup->rows / p->coarse_factor, 1);
  p->coarse_cols = (uint32_t)fmax(setup->cols / p->coarse_factor, 1);
  p->small = ct_xcalloc((size_t)p->coarse_rows * p->coarse_cols, sizeof *p->small);
  p->slab = ct_xcalloc((size_t)CT_PLANES_COARSE * CT_PLANES_COARSE, sizeof *p->slab);
  const struct ct_volume_setup fine = volume_setup(p, false), coarse = volume_setup(p, true);
  int code = ct_volume_open(&p->fine, &fine, err);
  if (code == 0)
    code = ct_volume_open(&p->coarse, &coarse, err);
  if (code == 0)
    code = ct_axis_open(&p->finder, setup->cols, err);
  if (code != 0) {
    ct_planes_close(p);
    return code;
  }
  *out = p;
  return 0;
}

static void drop(struct job *job)
{
  free(job->values);
  free(job->order);
  *job = (struct job){ 0 };
}

void ct_planes_close(struct ct_planes *p)
{
  if (p == NULL)
    return;
  for (int i = 0; i < JOBS; i++)
    drop(&p->jobs[i]);
  ct_volume_close(p->fine);
  ct_volume_close(p->coarse);
  ct_axis_close(p->finder);
  free(p->small);
  free(p->slab);
  free(p);
}

/* ---- where it lies ------------------------------------------------------------------------------------------------- */
bool ct_planes_serves(const struct ct_request *request)
{
  return request->kind == CT_SECTION_IMAGE && request->x >= CT_IMAGE_XY && request->x <= CT_IMAGE_VOLUME;
}

static bool is_volume(const struct ct_request *request)
{
  return request->x == CT_IMAGE_OVERVIEW || request->x == CT_IMAGE_VOLUME;
}

static uint32_t at_most(double n, uint32_t limit)
{
  return n < 1 ? 1 : n > limit ? limit : (uint32_t)n;
}

/* Where a plane lies, in columns and rows of its volume. */
static struct ct_plane plane_of(const struct ct_planes *p, const struct ct_request *request, bool coarse)
{
  double factor = p->setup.factor * (coarse ? p->coarse_factor : 1), row = request->at.row;
  double rows = (coarse ? p->coarse_rows : p->setup.rows), middle = (rows - 1) / 2;
  if (request->at.row == CT_ROW_OF_SLICE)
    row = p->setup.slice_row;
  struct ct_plane plane = { .x = request->at.x / factor, .y = request->at.y / factor,
                            .row = fmin(fmax((row + 0.5) / factor - 0.5, 0), rows - 1) };
  switch (request->x) {
  case CT_IMAGE_XY: plane.x = plane.y = 0; break;
  case CT_IMAGE_XZ: plane.x = 0; plane.row = middle; plane.tilt_deg = 90; break;
  case CT_IMAGE_YZ: plane.y = 0; plane.row = middle; plane.tilt_deg = plane.turn_deg = 90; break;
  default: plane.turn_deg = request->at.turn_deg; plane.tilt_deg = request->at.tilt_deg; break;
  }
  return plane;
}

/* Which volume, and where in it. */
static void lay_out(const struct ct_planes *p, struct job *job, const struct ct_request *request)
{
  bool coarse = is_volume(request) || (request->size > 0 && request->size <= CT_PLANES_COARSE);
  *job = (struct job){ .request = *request, .used = true, .volume = coarse ? p->coarse : p->fine,
                       .plane = plane_of(p, request, coarse) };
  struct ct_volume_state state = ct_volume_state(job->volume);
  uint32_t edge = coarse ? CT_PLANES_COARSE : CT_PREVIEW_EDGE;
  double high = floor((ct_volume_setup(job->volume)->rows - 1) / state.pixel_px + 1e-9) + 1;
  bool upright = request->x == CT_IMAGE_XZ || request->x == CT_IMAGE_YZ || is_volume(request);
  job->width = at_most(state.size, edge);
  job->height = upright ? at_most(high, edge) : job->width;
}

/* ---- projections ----------------------------------------------------------------------------------------------------- */
bool ct_planes_takes(const struct ct_planes *p, double angle_deg)
{
  return ct_volume_takes(p->fine, angle_deg) || ct_volume_takes(p->coarse, angle_deg);
}

static void reduce(struct ct_planes *p, const float *image)
{
  ct_preview_shrink(image, p->setup.rows, p->setup.cols, p->small, p->coarse_rows, p->coarse_cols);
}

void ct_planes_add(struct ct_planes *p, const float *image, double angle_deg)
{
  ct_volume_add(p->fine, image, angle_deg);
  if (!ct_volume_takes(p->coarse, angle_deg))
    return;
  reduce(p, image);
  ct_volume_add(p->coarse, p->small, angle_deg);
}

void ct_planes_correct(struct ct_planes *p, const float *change)
{
  reduce(p, change);
  if (ct_volume_correct(p->fine, change) != 0 || ct_volume_correct(p->coarse, p->small) != 0)
    ct_planes_restart(p);       /* half of a correction is worse than a new beginning */
}

void ct_planes_restart(struct ct_planes *p)
{
  ct_volume_restart(p->fine);
  ct_volume_restart(p->coarse);
}

/* About another axis a wider or narrower field of view may be seen, which is another number of pixels. */
static bool still_fits(const struct ct_planes *p, const struct job *job)
{
  struct job now = { 0 };
  lay_out(p, &now, &job->request);
  return now.width == job->width && now.height == job->height;
}

void ct_planes_axis(struct ct_planes *p, double axis_px, double lean)
{
  double moved_px = fabs(axis_px - p->setup.axis_px), turned_px = fabs(lean - p->setup.lean) * p->setup.rows * p->setup.factor;
  if (fmax(moved_px, turned_px) < least_axis_move_px)
    return;
  p->setup.axis_px = axis_px;
  p->setup.lean = lean;
  const struct ct_volume_setup fine = volume_setup(p, false), coarse = volume_setup(p, true);
  if (ct_volume_change(p->fine, &fine, NULL) != 0 || ct_volume_change(p->coarse, &coarse, NULL) != 0)
    return;
  for (int i = 0; i < JOBS; i++)
    if (p->jobs[i].used && !still_fits(p, &p->jobs[i]))
      drop(&p->jobs[i]);
}

int ct_planes_tilt(struct ct_planes *p, struct ct_tomo_tilt *tilt)
{
  double factor = p->setup.factor;
  int code = ct_volume_tilt(p->fine, p->finder, tilt);
  tilt->row = (tilt->row + 0.5) * factor - 0.5;
  tilt->axis_px = (tilt->axis_px + 0.5) * factor - 0.5;
  tilt->axis_sigma_px *= factor;
  return code;
}

int ct_planes_find_axis(struct ct_planes *p, struct ct_tomo_axis *axis)
{
  double factor = p->setup.factor;
  int code = ct_volume_axis(p->fine, p->finder, (p->setup.slice_row + 0.5) / factor - 0.5, axis);
  axis->axis_px = (axis->axis_px + 0.5) * factor - 0.5;
  axis->sigma_px *= factor;
  return code;
}

/* ---- what is wanted ------------------------------------------------------------------------------------------------- */
/* Every 16th line, those half-way between, and so on. */
static void make_order(struct job *job)
{
  uint32_t n = 0;
  for (uint32_t line = 0; line < job->height; line += STRIDE)
    job->order[n++] = line;
  for (uint32_t step = STRIDE; step > 1; step /= 2)
    for (uint32_t line = step / 2; line < job->height; line += step)
      job->order[n++] = line;
}

static bool is_flat(const struct job *job)
{
  return !is_volume(&job->request) && fabs(job->plane.tilt_deg) < 1e-9;
}

/* How far apart in the order of angles those projections are that a line is made of now: 1 is all. More come in a round. */
static uint32_t stride_of(const struct job *job)
{
  uint32_t n = ct_volume_state(job->volume).projections;
  return job->hurried && n > 0 ? (n + HURRY_PROJECTIONS - 1) / HURRY_PROJECTIONS : 1;
}

static void begin_round(struct job *job, bool hurry)
{
  struct ct_volume_state state = ct_volume_state(job->volume);
  job->next = 0;
  job->begun = state.changes;
  job->hurried = hurry;
  job->taken = (state.projections + stride_of(job) - 1) / stride_of(job);
  job->rounds++;
}

static void begin(const struct ct_planes *p, struct job *job, const struct ct_request *request)
{
  lay_out(p, job, request);
  size_t n = (size_t)job->width * job->height * (request->x == CT_IMAGE_VOLUME ? job->width : 1);
  job->values = ct_xcalloc(n, sizeof *job->values);
  job->order = ct_xcalloc(job->height, sizeof *job->order);
  for (size_t i = 0; i < n; i++)
    job->values[i] = NAN;
  make_order(job);
  job->next = job->height;
}

static struct job *find(struct ct_planes *p, const struct ct_request *request)
{
  for (int i = 0; i < JOBS; i++)
    if (p->jobs[i].used && ct_request_equal(&p->jobs[i].request, request))
      return &p->jobs[i];
  return NULL;
}

/* Pictures that nobody wants now stay until there is no room, for those who look from one to the other. */
static struct job *place_for(struct ct_planes *p)
{
  struct job *place = NULL;
  for (int i = 0; i < JOBS; i++) {
    if (!p->jobs[i].used)
      return &p->jobs[i];
    if (!p->jobs[i].wanted)
      place = &p->jobs[i];
  }
  if (place != NULL)
    drop(place);
  return place;
}

void ct_planes_want(struct ct_planes *p, const struct ct_wants_table *wants)
{
  for (int i = 0; i < JOBS; i++)
    p->jobs[i].wanted = false;
  for (uint32_t i = 0; i < wants->n; i++) {
    struct job *job = ct_planes_serves(&wants->requests[i]) ? find(p, &wants->requests[i]) : NULL;
    if (job != NULL)
      job->wanted = true;
  }
  for (uint32_t i = 0; i < wants->n; i++) {
    const struct ct_request *request = &wants->requests[i];
    if (!ct_planes_serves(request) || find(p, request) != NULL)
      continue;
    struct job *job = place_for(p);
    if (job == NULL)
      return;
    begin(p, job, request);
    job->wanted = true;
  }
}

/* ---- painting ---------------------------------------------------------------------------------------------------------- */
/* Slabs of the coarse volume lie as far apart as its pixels. */
static void paint_slab(struct ct_planes *p, struct job *job, uint32_t z)
{
  size_t cells = (size_t)job->width * job->width;
  bool all = job->request.x == CT_IMAGE_VOLUME;
  float *slab = all ? job->values + z * cells : p->slab;
  const struct ct_plane plane = { .row = z * ct_volume_state(job->volume).pixel_px };
  ct_volume_lines(job->volume, &plane, job->width, job->width, stride_of(job), 0, job->width, slab);
  for (uint32_t x = 0; !all && x < job->width; x++) {
    float most = NAN;
    for (size_t i = x; i < cells; i += job->width)
      most = fmaxf(most, slab[i]);
    job->values[(size_t)z * job->width + x] = most;
  }
}

/* Lines of a slice are all on one row of the detector and are painted together. */
static void paint_step(struct ct_planes *p, struct job *job)
{
  if (is_flat(job)) {
    uint32_t lines = job->height - job->next < SLICE_LINES ? job->height - job->next : SLICE_LINES;
    ct_volume_lines(job->volume, &job->plane, job->width, job->height, stride_of(job), job->next, lines,
                    job->values + (size_t)job->next * job->width);
    job->next += lines;
    return;
  }
  uint32_t line = job->order[job->next++], cells = job->width * (job->request.x == CT_IMAGE_VOLUME ? job->width : 1);
  if (is_volume(&job->request))
    paint_slab(p, job, line);
  else
    ct_volume_lines(job->volume, &job->plane, job->width, job->height, stride_of(job), line, 1,
                    job->values + (size_t)line * job->width);
  /* Until its neighbours are painted it stands for them. */
  uint32_t step = line % STRIDE == 0 ? STRIDE : line & -line;
  for (uint32_t i = 1; i < step && line + i < job->height && !job->whole; i++)
    memcpy(job->values + (size_t)(line + i) * cells, job->values + (size_t)line * cells, cells * sizeof *job->values);
}

/* Whether all is painted of what there is now. */
static bool is_done(const struct job *job, bool hurry)
{
  bool same = job->begun == ct_volume_state(job->volume).changes;
  return job->next == job->height && same && (hurry || stride_of(job) == 1);
}

/* Whether <a> comes before <b>: nobody begins a round before the others have ended theirs. Slices are quick; of upright planes
 * the one that is behind, so that they take turns on the same rows. */
static bool comes_first(const struct job *a, const struct job *b)
{
  uint64_t a_rounds = a->rounds + (a->next == a->height), b_rounds = b->rounds + (b->next == b->height);
  if (a_rounds != b_rounds)
    return a_rounds < b_rounds;
  if (is_flat(a) != is_flat(b))
    return is_flat(a);
  return (uint64_t)(a->next % a->height) * b->height < (uint64_t)(b->next % b->height) * a->height;
}

static struct job *choose(struct ct_planes *p, bool hurry)
{
  struct job *best = NULL;
  for (int i = 0; i < JOBS; i++) {
    struct job *job = &p->jobs[i];
    if (job->wanted && !is_done(job, hurry) && (best == NULL || comes_first(job, best)))
      best = job;
  }
  if (best != NULL && best->next == best->height)
    begin_round(best, hurry);
  return best;
}

bool ct_planes_paint(struct ct_planes *p, int64_t for_ns, bool hurry)
{
  int64_t until_ns = ct_time_mono_ns() + for_ns;
  struct job *job;
  while ((job = choose(p, hurry)) != NULL && ct_time_mono_ns() < until_ns) {
    paint_step(p, job);
    if (job->next < job->height)
      continue;
    job->whole = job->taken > 0;
    job->projections = job->taken;
  }
  return job != NULL;
}

/* ---- drawing ------------------------------------------------------------------------------------------------------------ */
void ct_planes_draw(const struct ct_planes *p, struct ct_snapshot_builder *builder, const struct ct_request *request)
{
  const struct job *job = NULL;
  for (int i = 0; i < JOBS; i++)
    if (p->jobs[i].used && ct_request_equal(&p->jobs[i].request, request))
      job = &p->jobs[i];
  bool begun = job != NULL && (job->whole || job->next < job->height);
  if (!begun || (request->size == 0 && !job->whole))
    return;
  bool all = request->x == CT_IMAGE_VOLUME;
  uint32_t cols = request->size == 0 || request->size > job->width || all ? job->width : request->size;
  uint32_t rows = all ? job->height * job->width : cols == job->width ? job->height : (uint32_t)((uint64_t)job->height * cols / job->width);
  struct ct_image_parts out;
  if (!ct_snapshot_add_image(builder, request, rows ? rows : 1, cols, &out))
    return;
  double factor = p->setup.factor * (job->volume == p->coarse ? p->coarse_factor : 1);
  out.head->pixel_um = p->setup.pixel_um * factor * ct_volume_state(job->volume).pixel_px * job->width / cols;
  out.head->angle_deg = (double)NAN;
  out.head->projections = job->projections;
  if (all)
    memcpy(out.values, job->values, (size_t)rows * cols * sizeof *out.values);
  else
    ct_preview_shrink(job->values, job->height, job->width, out.values, rows ? rows : 1, cols);
}

size_t ct_planes_bytes(void)
{
  return (JOBS - 1) * ct_section_image_bytes(CT_PREVIEW_EDGE, CT_PREVIEW_EDGE) +
         ct_section_image_bytes(CT_PLANES_COARSE * CT_PLANES_COARSE, CT_PLANES_COARSE);
}
