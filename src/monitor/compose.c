/* Streams, analysis, reconstruction and cell -> one snapshot. */
#include "collector.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "settings_change.h"

static const double forecast_after_s = 5;
static const int64_t change_shown_ns = 20 * CT_NS_PER_S;
static const struct ct_emf no_emf = { NAN, NAN, NAN, NAN, NAN, NAN, NAN, NAN };

/* Both are asked each time, so their tickets are the same. */
uint64_t collector_ask(struct collector *c)
{
  uint64_t ticket = c->analysis ? ct_analysis_ask(c->analysis) : 0;
  return c->reconstruction ? ct_reconstruction_ask(c->reconstruction) : ticket;
}

static bool slice_is_ready(struct collector *c, uint64_t ticket)
{
  uint64_t answered = 0;
  if (c->reconstruction == NULL)
    return true;
  const struct ct_snapshot *picture = ct_reconstruction_acquire(c->reconstruction, &answered);
  ct_reconstruction_release(c->reconstruction, picture);
  return answered >= ticket;
}

void collector_mask(struct collector *c, bool on)
{
  if (c->analysis)
    ct_analysis_mask(c->analysis, on);
}

bool collector_ready(struct collector *c, uint64_t ticket)
{
  struct ct_analysis_note note;
  if (!slice_is_ready(c, ticket))
    return false;
  if (c->analysis == NULL)
    return true;
  const struct ct_snapshot *picture = ct_analysis_acquire(c->analysis, &note);
  bool ready = picture != NULL && note.ticket >= ticket;
  ct_analysis_release(c->analysis, picture);
  return ready;
}

/* Every section as it is. */
static void take_sections(struct ct_snapshot_builder *builder, const struct ct_snapshot *picture)
{
  for (uint32_t i = 0; i < picture->n_sections; i++) {
    const struct ct_section_entry *entry = &picture->sections[i];
    void *payload = ct_snapshot_add(builder, &entry->request, (size_t)entry->size_bytes);
    if (payload)
      memcpy(payload, (const char *)picture + entry->offset_bytes, (size_t)entry->size_bytes);
  }
}

/* The analysis's part: totals, ROIs, sections. */
static void take_picture(struct ct_snapshot_builder *builder, const struct ct_snapshot *picture)
{
  struct ct_snapshot_core *core = &builder->snapshot->core;
  core->xcs = picture->core.xcs;
  core->drift = picture->core.drift;
  core->health = picture->core.health;
  core->monitors = picture->core.monitors;
  core->n_rois = picture->core.n_rois;
  memcpy(core->rois, picture->core.rois, sizeof core->rois);
  take_sections(builder, picture);
}

/* EMF -> x, where there are references to say what that means. */
static void compose_lithium(const struct collector *c, struct ct_snapshot_core *core)
{
  core->lithium = c->setup.lithium;
  if (core->lithium.references == 0)
    core->lithium = (struct ct_lithium){ 0, 0, NAN, NAN, NAN, NAN, NAN, NAN, NAN, NAN };
  ct_lithium_x(&core->lithium, core->xcs.emf.emf, core->xcs.emf.sigma, &core->xcs.x, &core->xcs.x_sigma);
  for (uint32_t i = 0; i < core->n_rois; i++)
    ct_lithium_x(&core->lithium, core->rois[i].emf.emf, core->rois[i].emf.sigma, &core->rois[i].x, &core->rois[i].x_sigma);
}

/* Before the first picture: there they are, without a number. */
static void name_rois(const struct collector *c, struct ct_snapshot_core *core)
{
  core->n_rois = c->setup.analysis.n_rois;
  for (uint32_t i = 0; i < core->n_rois; i++) {
    memcpy(core->rois[i].name, c->setup.rois[i].name, CT_NAME);
    struct ct_snapshot_roi *roi = &core->rois[i];
    roi->emf = roi->run = roi->scan_emf = no_emf;
    roi->target_s = roi->change.per_h = roi->change.sigma_per_h = NAN;
  }
}

static void compose_analysis(struct collector *c, struct ct_snapshot_builder *builder, struct ct_analysis_note *note)
{
  struct ct_snapshot_core *core = &builder->snapshot->core;
  const struct ct_snapshot *picture = ct_analysis_acquire(c->analysis, note);
  core->n_rings = c->setup.from == NULL;
  if (c->setup.from == NULL)
    ct_receiver_ring_stats(c->streams[c->setup.hexitec].receiver, CT_CONSUMER_ANALYSIS, &core->rings[0]);
  if (picture == NULL) {
    name_rois(c, core);
    return;
  }
  take_picture(builder, picture);
  ct_analysis_release(c->analysis, picture);
  struct ct_snapshot_stream *stream = &core->streams[c->setup.hexitec];
  stream->not_analysed = note->not_analysed;
  if (note->seen > 0)
    stream->lag_s = note->lag_s;
}

static void compose_cell(const struct collector *c, struct ct_snapshot_core *core)
{
  int64_t time_ns;
  core->cell.v_V = core->cell.i_A = core->cell.q_Ah = core->cell.age_s = NAN;
  if (!ct_cell_time(&c->cell, &time_ns))
    return;
  core->cell.present = true;
  core->cell.v_V = c->cell.latest[CT_CELL_VOLTAGE].value;
  core->cell.i_A = c->cell.latest[CT_CELL_CURRENT].value;
  core->cell.q_Ah = c->cell.latest[CT_CELL_CHARGE].value;
  core->cell.age_s = (double)(core->wall_ns - time_ns) / 1e9;
}

/* The share of the camera's ring that waits for the reconstruction, behind that of the analysis. */
static void compose_camera_ring(const struct collector *c, struct ct_snapshot_core *core)
{
  if (c->reconstruction && c->setup.from == NULL)
    ct_receiver_ring_stats(c->streams[c->setup.camera].receiver, CT_CONSUMER_ANALYSIS, &core->rings[core->n_rings++]);
}

static void compose_ct(const struct collector *c, struct ct_snapshot_builder *builder)
{
  struct ct_snapshot_core *core = &builder->snapshot->core;
  uint64_t ticket;
  core->ct.angle_deg = core->ct.axis_px = core->ct.axis_sigma_px = core->ct.covered_deg = core->ct.rotation_deg = NAN;
  core->ct.tilt_deg = core->ct.tilt_sigma_deg = NAN;
  const struct ct_snapshot *picture = c->reconstruction ? ct_reconstruction_acquire(c->reconstruction, &ticket) : NULL;
  if (picture) {
    core->ct = picture->core.ct;
    take_sections(builder, picture);
    ct_reconstruction_release(c->reconstruction, picture);
  }
  compose_camera_ring(c, core);
  for (uint32_t i = 0; i < c->n_streams; i++) {
    const struct ct_snapshot_stream *now = &c->streams[i].now;
    if (now->role != CT_ROLE_CAMERA)
      continue;
    core->ct.present = true;
    core->ct.projections += now->projections;
    core->ct.lost += now->lost;
    if (isfinite(now->angle_deg))
      core->ct.angle_deg = now->angle_deg;   /* else as the reconstruction knows it */
  }
}

static void compose_archive(struct collector *c, struct ct_snapshot_core *core, char *reason, size_t reason_bytes)
{
  reason[0] = '\0';
  for (uint32_t i = 0; i < core->n_streams; i++)
    core->streams[i].ratio = core->streams[i].packing_cores = (double)NAN;
  if (c->archiver == NULL)
    return;
  ct_archiver_status(c->archiver, &core->archive, reason, reason_bytes);
  ct_archiver_packing(c->archiver, core->streams, core->n_streams);
  uint64_t reserve_bytes = c->setup.archive.reserve_bytes, free_bytes = core->archive.free_bytes;
  uint64_t usable = free_bytes > reserve_bytes ? free_bytes - reserve_bytes : 0;
  core->archive.rate_Bps = meter_rate(&c->archive_meter, ct_time_mono_ns(), core->archive.bytes);
  /* From the mean rate: a forecast that jumps with every flush is none. */
  double mean_Bps = core->uptime_s > forecast_after_s ? (double)core->archive.bytes / core->uptime_s : 0;
  core->archive.left_s = mean_Bps > 0 ? (double)usable / mean_Bps : (double)NAN;
}
/* Trends, marks and settings that somebody wants come from here, everything else from the analysis. */
static void compose_own(struct collector *c, struct ct_snapshot_builder *builder)
{
  const struct ct_wants_table *wants = ct_wants_acquire(c->wants);
  for (uint32_t i = 0; i < wants->n; i++)
    if (wants->requests[i].kind == CT_SECTION_TREND)
      history_draw(&c->history, builder, &wants->requests[i]);
    else if (wants->requests[i].kind == CT_SECTION_MARKS)
      history_draw_marks(&c->history, builder, &wants->requests[i]);
    else if (wants->requests[i].kind == CT_SECTION_SETTINGS)
      settings_draw(c->settings, builder, &wants->requests[i]);
  ct_wants_release(c->wants, wants);
}

/* Of an archived run: gives the cell the scalars that came before <until_ns>. */
static void take_recorded(struct collector *c, int64_t until_ns)
{
  struct ct_run_scalar scalar;
  while (c->scalars != NULL && ct_run_scalars_next(c->scalars, until_ns, &scalar))
    ct_cell_update(&c->cell, scalar.name, scalar.value, scalar.time_ns);
}

/* The time that the numbers are of, and since when: now, or then, with the cell as it was. */
static void tell_time(struct collector *c, struct ct_snapshot_core *core)
{
  struct ct_reader_progress progress;
  if (c->setup.from == NULL) {
    core->wall_ns = ct_time_wall_ns();
    core->uptime_s = (double)(ct_time_mono_ns() - c->started_ns) / 1e9;
    return;
  }
  collector_progress(c, &progress);
  core->wall_ns = progress.now_ns > progress.first_ns ? progress.now_ns : progress.first_ns;
  core->uptime_s = (double)(core->wall_ns - progress.first_ns) / 1e9;
  take_recorded(c, progress.ended ? INT64_MAX : core->wall_ns);
}

/* Everything absent until somebody says otherwise: a zero would look like a measurement. */
static void compose_absent(struct ct_snapshot_core *core)
{
  struct ct_snapshot_xcs *xcs = &core->xcs;
  xcs->window_s = NAN;
  xcs->geometry.centre_px = xcs->geometry.centre_sigma_px = xcs->geometry.chi2 = NAN;
  xcs->geometry.detector_mm = xcs->geometry.detector_sigma_mm = xcs->reference_chi2 = NAN;
  xcs->emf = xcs->run = xcs->scan_emf = no_emf;
  xcs->target_s = xcs->change.per_h = xcs->change.sigma_per_h = NAN;
  core->drift = (struct ct_snapshot_drift){ .sample_s = NAN, .z_limit = NAN, .z_max = NAN, .x = -1, .y = -1 };
  core->monitors.live_s = core->monitors.bubble_loss = NAN;
  for (int i = 0; i < CT_MONITORS; i++)
    core->monitors.list[i] = (struct ct_snapshot_monitor){ NAN, NAN, NAN, NAN, NAN, NAN, -1, -1, CT_MONITOR_UNKNOWN, 0 };
  core->archive.rate_Bps = core->archive.left_s = core->archive.lag_s = core->archive.ratio = core->archive.cores = NAN;
}

/* Who looks elsewhere sees why the numbers are others now. */
static void compose_change(const struct collector *c, struct ct_snapshot_core *core)
{
  if (c->change.id[0] != '\0' && core->wall_ns - c->change.since_ns < change_shown_ns && core->n_alarms < CT_SNAPSHOT_ALARMS)
    core->alarms[core->n_alarms++] = c->change;
}

struct ct_snapshot *collector_compose(struct collector *c)
{
  struct ct_snapshot_builder builder;
  struct ct_analysis_note note = { 0 };
  if (ct_snapshot_begin(&builder, c->buffer, c->buffer_bytes) != 0)
    return NULL;   /* never: the buffer was made large enough */
  struct ct_snapshot_core *core = &builder.snapshot->core;
  collector_tick(c);
  tell_time(c, core);
  core->demo = c->demo;
  core->headless = c->headless;
  snprintf(core->run, sizeof core->run, "%s", c->setup.run);
  compose_absent(core);
  core->n_streams = c->n_streams;
  for (uint32_t i = 0; i < c->n_streams; i++)
    core->streams[i] = c->streams[i].now;
  if (c->analysis)
    compose_analysis(c, &builder, &note);
  compose_lithium(c, core);
  compose_own(c, &builder);
  compose_cell(c, core);
  char reason[128];
  compose_archive(c, core, reason, sizeof reason);
  compose_ct(c, &builder);
  snprintf(core->mode, sizeof core->mode, "%s",
           note.mode == CT_MODE_XCT || (!c->analysis && core->ct.present) ? "xct" : c->analysis ? "xcs" : "");
  collector_raise_alarms(c, core, &note, reason);
  compose_change(c, core);
  return ct_snapshot_finish(&builder);
}
