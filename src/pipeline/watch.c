/* Samples of the run are differences of sums since start, so that they cost nothing while frames come. */
#include "watch.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* A trigger that changes sooner counts frames or projections, not scans; phases shorter than the second are none. */
static const int64_t trigger_least_ns = CT_NS_PER_S, scan_least_ns = CT_NS_PER_S / 10;
static const double z_step_mm = 1e-3;
/* Trends are looked at with every sample, but change slowly: as if 120 times a day (tests/compton/bench_drift.c). */
enum { LOOKS_A_DAY = 120 };

static size_t pixels_of(const struct ct_watch *w) { return (size_t)w->rows * w->cols; }
static uint32_t cells_of(const struct ct_watch *w) { return w->cell_rows * w->cell_cols; }

/* ---- set-up ------------------------------------------------------------------------------------------------- */
static void restart_drift(struct ct_watch *w)
{
  ct_drift_init(&w->total, w->setup.cusum_k, w->setup.cusum_h);
  for (uint32_t i = 0; i < w->n_rois; i++)
    ct_drift_init(&w->roi[i], w->setup.cusum_k, w->setup.cusum_h);
  for (uint32_t i = 0; i < cells_of(w); i++)
    ct_drift_init(&w->cells[i], w->setup.cusum_k, w->setup.cusum_h);
  w->samples = 0;
  w->map_alarm = false;
}

static void make_cells(struct ct_watch *w)
{
  w->cell_rows = (w->rows + w->setup.bin - 1) / w->setup.bin;
  w->cell_cols = (w->cols + w->setup.bin - 1) / w->setup.bin;
  w->cells = ct_xcalloc(cells_of(w), sizeof *w->cells);
  w->cell_sums = ct_xcalloc(cells_of(w), sizeof *w->cell_sums);
}

void ct_watch_init(struct ct_watch *w, const struct ct_analysis_setup *setup, struct ct_spectra *spectra,
                   struct ct_compton *const *compton, const uint8_t *live, const uint8_t *const *rois)
{
  memset(w, 0, sizeof *w);
  w->setup = setup->watch;
  w->spectra = spectra;
  w->compton = compton;
  w->rows = setup->hexitec.rows;
  w->cols = setup->hexitec.cols;
  w->live = live;
  w->rois = rois;
  w->n_rois = setup->n_rois;
  w->frame_hz = setup->frame_hz;
  make_cells(w);
  w->now = ct_xcalloc(pixels_of(w), sizeof *w->now);
  w->sample_base = ct_xcalloc(pixels_of(w), sizeof *w->sample_base);
  w->scan_base = ct_xcalloc(pixels_of(w), sizeof *w->scan_base);
  ct_monitors_init(&w->monitors, setup, spectra, compton, live);
  ct_watch_restart(w);
}

void ct_watch_fini(struct ct_watch *w)
{
  free(w->now);
  free(w->sample_base);
  free(w->scan_base);
  free(w->cells);
  free(w->cell_sums);
  ct_monitors_fini(&w->monitors);
}

bool ct_watch_change(struct ct_watch *w, const struct ct_watch_setup *setup, double e1_keV)
{
  const struct ct_watch_setup before = w->setup;
  const double is[] = { setup->sample_s, setup->cusum_samples, setup->cusum_k, setup->cusum_h, setup->bin };
  const double was[] = { before.sample_s, before.cusum_samples, before.cusum_k, before.cusum_h, before.bin };
  w->setup = *setup;
  if (setup->bin != before.bin) {
    free(w->cells);
    free(w->cell_sums);
    make_cells(w);
  }
  ct_monitors_change(&w->monitors, &setup->monitors, e1_keV);
  return memcmp(is, was, sizeof is) != 0;
}

/* ---- pieces of the run -------------------------------------------------------------------------------------- */
static void refresh(struct ct_watch *w) { ct_compton_counts(*w->compton, ct_spectra_total(w->spectra), w->now); }

/* What a pixel brought since <base>; NULL: since start. */
static void since(const struct ct_watch *w, const struct ct_sums *base, size_t pixel, struct ct_sums *out)
{
  *out = w->now[pixel];
  if (base)
    ct_sums_since(out, &w->now[pixel], &base[pixel]);
}

static struct ct_sums sample_of(const struct ct_watch *w, const uint8_t *select)
{
  struct ct_sums sum = { 0 }, one;
  for (size_t i = 0; i < pixels_of(w); i++) {
    if (!select[i])
      continue;
    since(w, w->sample_base, i, &one);
    ct_sums_add(&sum, &one);
  }
  return sum;
}

static uint32_t cell_of(const struct ct_watch *w, uint32_t x, uint32_t y)
{
  return y / w->setup.bin * w->cell_cols + x / w->setup.bin;
}

static void sample_cells(struct ct_watch *w, double t_s, bool ends_step)
{
  memset(w->cell_sums, 0, cells_of(w) * sizeof *w->cell_sums);
  for (size_t i = 0; i < pixels_of(w); i++) {
    struct ct_sums one;
    if (!w->live[i])
      continue;
    since(w, w->sample_base, i, &one);
    ct_sums_add(&w->cell_sums[cell_of(w, (uint32_t)(i % w->cols), (uint32_t)(i / w->cols))], &one);
  }
  for (uint32_t i = 0; i < cells_of(w); i++)
    ct_drift_add(&w->cells[i], t_s, &w->cell_sums[i], ends_step);
}

/* The sample ends with the latest frame; the next begins with the one now at hand. */
static void end_sample(struct ct_watch *w)
{
  double t_s = ((double)w->sample_ns + (double)w->latest_ns) / 2e9;
  bool ends_step = ++w->samples >= w->setup.cusum_samples;
  struct ct_sums sum = sample_of(w, w->live);
  ct_drift_add(&w->total, t_s, &sum, ends_step);
  for (uint32_t i = 0; i < w->n_rois; i++) {
    sum = sample_of(w, w->rois[i]);
    ct_drift_add(&w->roi[i], t_s, &sum, ends_step);
  }
  sample_cells(w, t_s, ends_step);
  ct_monitors_end_sample(&w->monitors, w->now, ends_step);
  if (ends_step)
    w->samples = 0;
}

/* ---- frames --------------------------------------------------------------------------------------------------- */
static bool has(const struct ct_frame *frame, unsigned what) { return (frame->attributes.present & what) != 0; }

static int64_t time_of(const struct ct_watch *w, const struct ct_frame *frame)
{
  int64_t time_ns = frame->arrival_ns + w->shift_ns;
  return time_ns > w->latest_ns ? time_ns : w->latest_ns;
}

static bool moved(const struct ct_watch *w, const struct ct_frame *frame)
{
  return w->has_z && has(frame, CT_HAS_Z) && fabs(frame->attributes.z_mm - w->z_mm) > z_step_mm;
}

static bool begins_scan(const struct ct_watch *w, const struct ct_frame *frame)
{
  int64_t age_ns = time_of(w, frame) - w->scan_ns;
  if (age_ns < scan_least_ns)
    return false;
  if (w->after_xct || moved(w, frame))
    return true;
  return w->has_trigger && has(frame, CT_HAS_TRIGGER) && frame->attributes.trigger != w->trigger &&
         !w->trigger_counts_frames && age_ns >= trigger_least_ns;
}

static bool sample_over(const struct ct_watch *w, const struct ct_frame *frame)
{
  return (double)(time_of(w, frame) - w->sample_ns) / 1e9 >= w->setup.sample_s;
}

bool ct_watch_due(const struct ct_watch *w, const struct ct_frame *frame)
{
  return !w->started || sample_over(w, frame) || begins_scan(w, frame);
}

static void begin_scan(struct ct_watch *w, int64_t time_ns)
{
  memcpy(w->scan_base, w->now, pixels_of(w) * sizeof *w->now);
  w->scan_base_frames = ct_spectra_total_tally(w->spectra)->hexitec.frames;
  ct_spectra_restart(w->spectra);
  w->scan_ns = time_ns;
  w->scan++;
}

void ct_watch_restart(struct ct_watch *w)
{
  refresh(w);
  restart_drift(w);
  ct_monitors_restart(&w->monitors, w->now);
  memcpy(w->sample_base, w->now, pixels_of(w) * sizeof *w->now);
  w->sample_ns = w->latest_ns;
}

void ct_watch_aimed(struct ct_watch *w)
{
  ct_watch_restart(w);
  memcpy(w->scan_base, w->now, pixels_of(w) * sizeof *w->now);
  w->scan_base_frames = ct_spectra_total_tally(w->spectra)->hexitec.frames;
}

static void turn(struct ct_watch *w, const struct ct_frame *frame)
{
  int64_t time_ns = time_of(w, frame);
  bool scan = !w->started || begins_scan(w, frame);
  refresh(w);
  if (w->started)
    end_sample(w);
  if (moved(w, frame)) {
    restart_drift(w);              /* another depth is another sample */
    ct_monitors_restart(&w->monitors, w->now);
  }
  if (scan)
    begin_scan(w, time_ns);
  memcpy(w->sample_base, w->now, pixels_of(w) * sizeof *w->now);
  w->sample_ns = time_ns;
  w->started = true;
}

static void note(struct ct_watch *w, const struct ct_frame *frame)
{
  const struct ct_attributes *at = &frame->attributes;
  int64_t time_ns = time_of(w, frame);
  w->shift_ns = time_ns - frame->arrival_ns;
  w->latest_ns = time_ns;
  w->after_xct = false;
  if (has(frame, CT_HAS_TRIGGER)) {
    if (w->has_trigger && at->trigger != w->trigger && time_ns > w->scan_ns && time_ns - w->scan_ns < trigger_least_ns)
      w->trigger_counts_frames = true;
    w->has_trigger = true;
    w->trigger = at->trigger;
  }
  if (has(frame, CT_HAS_Z)) {
    w->has_z = true;
    w->z_mm = at->z_mm;
  }
}

void ct_watch_take(struct ct_watch *w, const struct ct_frame *frame)
{
  if (ct_watch_due(w, frame))
    turn(w, frame);
  note(w, frame);
}

void ct_watch_other(struct ct_watch *w, const struct ct_frame *frame)
{
  if (has(frame, CT_HAS_MODE) && frame->attributes.mode == CT_MODE_XCT)
    w->after_xct = w->started;
}

/* ---- what is known of it ---------------------------------------------------------------------------------------- */
/* The precision 1/sigma^2 grows with time at the rate that the window shows. */
static double time_to_target(double target, const struct ct_emf *run, const struct ct_emf *window, double window_live_s)
{
  double missing = 1 / (target * target) - 1 / (run->sigma * run->sigma);
  double rate_per_s = 1 / (window->sigma * window->sigma * window_live_s);
  if (!isfinite(missing) || !isfinite(rate_per_s) || !(rate_per_s > 0))
    return (double)NAN;
  return missing > 0 ? missing / rate_per_s : 0;
}

static void emf_since(const struct ct_watch *w, const struct ct_sums *base, const uint8_t *select, struct ct_emf *out)
{
  struct ct_sums sum = { 0 }, one;
  for (size_t i = 0; i < pixels_of(w); i++) {
    if (!select[i])
      continue;
    since(w, base, i, &one);
    ct_sums_settle(*w->compton, (uint32_t)i, &one);
    ct_sums_add(&sum, &one);
  }
  ct_compton_emf(*w->compton, &sum, out);
}

static void draw_map(struct ct_watch *w, struct ct_snapshot_drift *out)
{
  *out = (struct ct_snapshot_drift){ .sample_s = isinf(w->setup.sample_s) ? (double)NAN : w->setup.sample_s,
    .bin = w->setup.bin, .z_limit = (double)NAN, .z_max = (double)NAN, .x = -1, .y = -1 };
  struct ct_change change;
  for (uint32_t i = 0; i < cells_of(w); i++) {
    ct_drift_report(&w->cells[i], &change);
    out->cells += isfinite(change.per_h);
  }
  if (out->cells == 0)
    return;
  out->z_limit = ct_family_z(w->setup.false_alarm, (double)out->cells * LOOKS_A_DAY);
  for (uint32_t i = 0; i < cells_of(w); i++) {
    ct_drift_report(&w->cells[i], &change);
    double z = fabs(change.per_h) / change.sigma_per_h;
    out->beyond += z > out->z_limit;
    if (z > out->z_max || (isfinite(z) && isnan(out->z_max))) {
      out->z_max = z;
      out->x = (int32_t)(i % w->cell_cols * w->setup.bin);
      out->y = (int32_t)(i / w->cell_cols * w->setup.bin);
    }
  }
  w->map_alarm = out->z_max > (w->map_alarm ? 0.8 : 1) * out->z_limit;
  out->alarm = w->map_alarm;
}

void ct_watch_draw(struct ct_watch *w, struct ct_snapshot_core *core)
{
  struct ct_snapshot_xcs *xcs = &core->xcs;
  double target = w->setup.target_sigma;
  refresh(w);
  emf_since(w, NULL, w->live, &xcs->run);
  emf_since(w, w->scan_base, w->live, &xcs->scan_emf);
  xcs->scan = w->scan;
  xcs->scan_live_s = (double)(xcs->total_frames - w->scan_base_frames) / w->frame_hz;
  xcs->target_s = time_to_target(target, &xcs->run, &xcs->emf, xcs->live_s);
  ct_drift_report(&w->total, &xcs->change);
  for (uint32_t i = 0; i < w->n_rois; i++) {
    struct ct_snapshot_roi *roi = &core->rois[i];
    emf_since(w, NULL, w->rois[i], &roi->run);
    emf_since(w, w->scan_base, w->rois[i], &roi->scan_emf);
    roi->target_s = time_to_target(target, &roi->run, &roi->emf, xcs->live_s);
    ct_drift_report(&w->roi[i], &roi->change);
  }
  draw_map(w, &core->drift);
  ct_monitors_draw(&w->monitors, w->now, &core->monitors);
}

void ct_watch_cell(const struct ct_watch *w, uint32_t x, uint32_t y, struct ct_change *out)
{
  ct_drift_report(&w->cells[cell_of(w, x, y)], out);
}
