/* Streams, analysis and cell -> one snapshot. */
#include "collector.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "keepsakes.h"
#include "settings_change.h"

/* A stream is late after 1 s or three frame times without data, stale after ten seconds (DESIGN 1.4). */
static const double late_after_s = 1, stale_after_s = 10, late_frames = 3;
static const double rate_over_s = 3, forecast_after_s = 5, behind_s = 3;
static const int64_t results_every_ns = 10 * CT_NS_PER_S, change_shown_ns = 20 * CT_NS_PER_S;
static const struct ct_emf no_emf = { NAN, NAN, NAN, NAN, NAN, NAN, NAN, NAN };
/* A connection may take this long before it is worth an alarm. */
static const int64_t connect_ns = CT_NS_PER_S / 2;

/* ---- opening and closing -------------------------------------------------------------------------------- */
static int open_stream(struct collector *c, const struct stream_setup *setup, struct ct_err *err)
{
  struct stream *stream = &c->streams[c->n_streams++];
  stream->setup = setup;
  stream->opened_ns = ct_time_mono_ns();
  if (setup->role == CT_ROLE_SCALARS)
    return ct_scalars_open(&stream->scalars, setup->name, setup->endpoint, setup->pull, err);
  return ct_receiver_open(&stream->receiver, &setup->receiver, err);
}

static int open_recorded(struct collector *c, const struct stream_setup *setup, struct ct_err *err)
{
  struct stream *stream = &c->streams[c->n_streams++];
  const struct ct_hexitec_setup *hexitec = &c->setup.analysis.hexitec;
  struct ct_reader_setup reader = { .run = c->setup.from, .name = setup->name, .role = setup->role, .rows = hexitec->rows,
                                    .cols = hexitec->cols, .frame_hz = setup->receiver.frame_hz };
  if (setup->role == CT_ROLE_CAMERA && c->setup.reconstruction.join_angles) {
    reader.angle = c->setup.angle_name;
    reader.trigger = c->setup.trigger_name;
  }
  stream->setup = setup;
  return ct_reader_open(&stream->reader, &reader, err);
}

static int open_streams(struct collector *c, struct ct_err *err)
{
  const int hexitec = c->setup.hexitec, camera = c->setup.camera;
  int code = 0;
  for (uint32_t i = 0; i < c->setup.n_streams && code == 0; i++)
    code = (c->setup.from ? open_recorded : open_stream)(c, &c->setup.streams[i], err);
  /* An archived run without scalars, or a file of frames, is one without a cell. */
  if (code == 0 && c->setup.from != NULL && ct_run_scalars_open(&c->scalars, c->setup.from, NULL) != 0)
    c->scalars = NULL;
  if (code == 0 && camera >= 0) {
    c->setup.reconstruction.reader = c->streams[camera].reader;
    code = ct_reconstruction_open(&c->reconstruction, &c->setup.reconstruction, c->streams[camera].receiver, c->wants, err);
  }
  if (code != 0 || hexitec < 0)
    return code;
  c->setup.analysis.reader = c->streams[hexitec].reader;
  return ct_analysis_open(&c->analysis, &c->setup.analysis, c->streams[hexitec].receiver, c->wants, err);
}

/* ---- the archive ------------------------------------------------------------------------------------------- */
static void archive_alarm(void *arg, const struct ct_snapshot_alarm *alarm, bool raised, int64_t now_ns)
{
  struct collector *c = arg;
  if (c->archiver)
    ct_archiver_alarm(c->archiver, alarm, raised, now_ns);
}

void collector_mark(struct collector *c, const char *text)
{
  struct ct_snapshot_alarm marker = { .id = CT_MARKER_ID, .severity = CT_NOTICE };
  snprintf(marker.text, sizeof marker.text, "%s", text);
  int64_t wall_ns = ct_time_wall_ns();
  archive_alarm(c, &marker, true, wall_ns);
  history_mark(&c->history, wall_ns, text);
}

static int open_archiver(struct collector *c, struct ct_err *err)
{
  struct ct_receiver *receivers[CT_SNAPSHOT_STREAMS];
  if (c->setup.archive.folder == NULL)
    return 0;
  for (uint32_t i = 0; i < c->n_streams; i++)
    receivers[i] = c->streams[i].receiver;
  c->alarms.changed = archive_alarm;
  c->alarms.changed_arg = c;
  return ct_archiver_open(&c->archiver, &c->setup.archive, receivers, c->analysis, &c->setup.analysis, err);
}

/* The map that is archived, and that a log line with -f map shows: per pixel. */
struct ct_request collector_map_request(void)
{
  return (struct ct_request){ .kind = CT_SECTION_MAP, .bin = 1, .min_counts = NAN };
}

static bool archive_results(struct collector *c, const struct ct_snapshot *snapshot)
{
  struct ct_request request = collector_map_request();
  struct ct_map_view map;
  bool there = c->analysis && ct_snapshot_map(snapshot, &request, &map);
  return ct_archiver_results(c->archiver, &snapshot->core, there ? &map : NULL);
}

void collector_keep(struct collector *c, const struct ct_snapshot *snapshot)
{
  history_add(&c->history, &snapshot->core);
  int64_t mono_ns = ct_time_mono_ns();
  if (c->archiver)
    ct_archiver_sample(c->archiver, &snapshot->core);
  if (c->archiver && mono_ns - c->archived_ns > results_every_ns && archive_results(c, snapshot))
    c->archived_ns = mono_ns;
}

/* The writer may be at the results before, or blocked by the disk: then they wait a little, and are given up. */
static void wait_for_results(struct collector *c)
{
  for (int tries = 0; tries < 200 && ct_archiver_results_pending(c->archiver); tries++)
    nanosleep(&(struct timespec){ .tv_nsec = 10000000 }, NULL);
}

static void archive_last_results(struct collector *c)
{
  wait_for_results(c);
  const struct ct_snapshot *snapshot = collector_compose(c);
  archive_results(c, snapshot);
  wait_for_results(c);
}

int collector_prepare(struct collector *c, struct ct_settings *settings, struct ct_err *err)
{
  memset(c, 0, sizeof *c);
  c->started_ns = ct_time_mono_ns();
  c->settings = settings;
  int code = ct_setup_read(&c->setup, settings, err);
  if (code == 0)
    code = ct_cell_init(&c->cell, ct_settings_text(settings, "scalars.voltage"), ct_settings_text(settings, "scalars.current"),
                        ct_settings_text(settings, "scalars.charge"), err);
  return code;
}

int collector_open(struct collector *c, struct ct_err *err)
{
  struct ct_request kept[2];
  int code = ct_wants_new(&c->wants, 3, err);   /* read by analysis, reconstruction and compose_own */
  for (size_t i = 0, n = keepsakes_requests(&c->setup, kept); code == 0 && i < n; i++)
    code = ct_wants_add(c->wants, &kept[i]);
  if (code == 0)
    code = open_streams(c, err);
  if (code == 0)
    code = open_archiver(c, err);
  if (code != 0)
    return code;
  uint32_t pixels = c->setup.analysis.spectra.pixels;
  c->buffer_bytes = sizeof(struct ct_snapshot) + (UINT64_C(8) << 20) + (size_t)pixels * 40 + CT_SETTINGS_BYTES;
  if (c->reconstruction)
    c->buffer_bytes += ct_reconstruction_bytes(&c->setup.reconstruction);
  c->buffer = ct_xcalloc(1, c->buffer_bytes);
  collector_tick(c);
  return 0;
}

int collector_stop(struct collector *c, struct ct_err *err)
{
  if (c->archiver)
    archive_last_results(c);   /* makes room for the last spectra */
  for (uint32_t i = 0; i < c->n_streams; i++)
    if (c->streams[i].receiver)
      ct_receiver_stop(c->streams[i].receiver);
  if (c->analysis)
    ct_analysis_stop(c->analysis);
  if (c->reconstruction)
    ct_reconstruction_stop(c->reconstruction);
  collector_tick(c);
  const struct ct_snapshot *last = collector_compose(c);
  int code = keepsakes_write(&c->setup, last, err);
  if (c->archiver == NULL)
    return code;
  archive_last_results(c);
  int archived = ct_archiver_stop(c->archiver, err);
  return archived != 0 ? archived : code;
}

void collector_close(struct collector *c)
{
  struct ct_err ignored;
  (void)ct_archiver_close(c->archiver, &ignored);
  ct_analysis_close(c->analysis);
  ct_run_scalars_close(c->scalars);
  ct_reconstruction_close(c->reconstruction);
  for (uint32_t i = 0; i < c->n_streams; i++) {
    ct_receiver_close(c->streams[i].receiver);
    ct_reader_close(c->streams[i].reader);
    ct_scalars_close(c->streams[i].scalars);
  }
  ct_wants_free(c->wants);
  ct_setup_fini(&c->setup);
  free(c->buffer);
}

/* ---- streams ------------------------------------------------------------------------------------------------ */
static double measure(struct meter *m, int64_t mono_ns, uint64_t count)
{
  unsigned newest = (m->n + METER_SAMPLES - 1) % METER_SAMPLES;
  /* At most one sample a tick, however often somebody looks. */
  if (m->n == 0 || mono_ns - m->samples[newest].mono_ns >= CT_NS_PER_S / 12) {
    newest = m->n++ % METER_SAMPLES;
    m->samples[newest].mono_ns = mono_ns;
    m->samples[newest].count = count;
  }
  for (unsigned back = m->n < METER_SAMPLES ? m->n : METER_SAMPLES; back > 1; back--) {
    unsigned then = (m->n - back) % METER_SAMPLES;
    double span_s = (double)(mono_ns - m->samples[then].mono_ns) / 1e9;
    /* The time before the first one is no part of the rate. */
    if (span_s <= rate_over_s && span_s > 0 && m->samples[then].count > 0)
      return (double)(count - m->samples[then].count) / span_s;
  }
  return 0;
}

/* How long between two frames: what is configured for a detector that sends them all, else what was seen. */
static double frame_time_s(const struct stream *s, int64_t mono_ns)
{
  const struct ct_snapshot_stream *now = &s->now;
  if (now->role == CT_ROLE_HEXITEC && !now->sampled)
    return 1 / s->setup->receiver.frame_hz;
  return now->frames > 1 ? (double)(mono_ns - s->opened_ns) / 1e9 / (double)now->frames : 0;
}

static enum ct_stream_state judge(const struct stream *s, int64_t mono_ns, bool connected)
{
  if (!connected)
    return CT_STREAM_DOWN;
  double silent_s = isnan(s->now.silent_s) ? (double)(mono_ns - s->opened_ns) / 1e9 : s->now.silent_s;
  double frames_s = late_frames * frame_time_s(s, mono_ns);
  if (silent_s > fmax(stale_after_s, frames_s))
    return s->now.role == CT_ROLE_CAMERA ? CT_STREAM_IDLE : CT_STREAM_STALE;
  return silent_s > fmax(late_after_s, frames_s) ? CT_STREAM_LATE : CT_STREAM_LIVE;
}

static void tick_stream(struct stream *s, int64_t mono_ns)
{
  if (s->reader) {
    ct_reader_stats(s->reader, &s->now);
    return;
  }
  if (s->receiver)
    ct_receiver_stats(s->receiver, &s->now);
  else
    ct_scalars_stats(s->scalars, &s->now);
  s->now.rate_hz = measure(&s->meter, mono_ns, s->now.frames);
  s->now.state = judge(s, mono_ns, s->receiver ? ct_receiver_connected(s->receiver) : ct_scalars_connected(s->scalars));
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

void collector_tick(struct collector *c)
{
  int64_t mono_ns = ct_time_mono_ns();
  for (uint32_t i = 0; i < c->n_streams; i++)
    tick_stream(&c->streams[i], mono_ns);
}

/* ---- an archived run ------------------------------------------------------------------------------------------ */
void collector_progress(const struct collector *c, struct ct_reader_progress *out)
{
  *out = (struct ct_reader_progress){ .ended = true, .first_ns = INT64_MAX, .now_ns = INT64_MIN, .next_ns = INT64_MAX };
  for (uint32_t i = 0; i < c->n_streams; i++) {
    struct ct_reader_progress one;
    ct_reader_progress(c->streams[i].reader, &one);
    out->frames += one.frames;
    out->bytes += one.bytes;
    out->all_bytes += one.all_bytes;
    out->ended = out->ended && one.ended;
    out->failure = out->failure != NULL ? out->failure : one.failure;
    out->first_ns = one.first_ns < out->first_ns ? one.first_ns : out->first_ns;
    out->now_ns = one.now_ns > out->now_ns ? one.now_ns : out->now_ns;
    out->next_ns = one.next_ns < out->next_ns ? one.next_ns : out->next_ns;
  }
  if (out->first_ns == INT64_MAX)
    out->first_ns = 0;               /* no stream has been looked at yet */
}

void collector_go_on(struct collector *c, int64_t until_ns)
{
  if (c->analysis)
    ct_analysis_go_on(c->analysis, until_ns);
  if (c->reconstruction)
    ct_reconstruction_go_on(c->reconstruction, until_ns);
}

bool collector_has_reached(const struct collector *c, int64_t until_ns)
{
  return (c->analysis == NULL || ct_analysis_has_reached(c->analysis, until_ns)) &&
         (c->reconstruction == NULL || ct_reconstruction_has_reached(c->reconstruction, until_ns));
}

double collector_silent_s(const struct collector *c)
{
  double least_s = NAN;
  for (uint32_t i = 0; i < c->n_streams && c->setup.from == NULL; i++) {
    const struct stream *s = &c->streams[i];
    /* fmin passes over NaN */
    least_s = fmin(least_s, s->receiver ? ct_receiver_quiet_s(s->receiver) : ct_scalars_quiet_s(s->scalars));
  }
  return least_s;
}

static const struct ct_wire_scalar *find_scalar(const struct ct_wire_scalars *scalars, const char *name)
{
  for (size_t i = 0; i < scalars->n; i++)
    if (strcmp(scalars->values[i].name, name) == 0)
      return &scalars->values[i];
  return NULL;
}

/* An angle and the trigger it belongs to come in one message. */
static void take_angle(struct collector *c, const struct ct_wire_scalars *scalars)
{
  const struct ct_wire_scalar *trigger = find_scalar(scalars, c->setup.trigger_name);
  const struct ct_wire_scalar *angle = find_scalar(scalars, c->setup.angle_name);
  if (trigger != NULL && angle != NULL)
    ct_reconstruction_angle(c->reconstruction, trigger->value, angle->value);
}

/* Now, or a little later: no two messages came at once. */
int64_t collector_arrival_ns(struct collector *c)
{
  const int64_t now_ns = ct_time_wall_ns();
  return c->scalar_ns = now_ns > c->scalar_ns ? now_ns : c->scalar_ns + 1;
}

void collector_take_scalars(void *collector, const struct ct_wire_scalars *scalars)
{
  struct collector *c = collector;
  const int64_t arrival_ns = collector_arrival_ns(c);
  for (size_t i = 0; i < scalars->n; i++) {
    const struct ct_wire_scalar *scalar = &scalars->values[i];
    ct_cell_update(&c->cell, scalar->name, scalar->value, scalar->time_ns);
    if (c->archiver)
      ct_archiver_scalar(c->archiver, &(struct ct_run_scalar){ scalar->name, scalar->time_ns, arrival_ns, scalar->value });
  }
  if (c->reconstruction)
    take_angle(c, scalars);
}

/* ---- alarms ------------------------------------------------------------------------------------------------- */
static void raise_stream_alarms(struct collector *c, const struct stream *s, int64_t now_ns)
{
  const struct ct_snapshot_stream *now = &s->now;
  struct alarms *a = &c->alarms;
  if (now->state == CT_STREAM_DOWN && ct_time_mono_ns() - s->opened_ns > connect_ns)
    alarms_raise(a, now_ns, "stream-down", now->name, CT_CRITICAL,
                 "%s: not connected to %s, still trying; is the publisher running, are host and port right?", now->name,
                 now->endpoint);
  if (now->state == CT_STREAM_LATE)
    alarms_raise(a, now_ns, "stream-late", now->name, CT_WARNING, "%s: connected, but no data for more than %g s", now->name,
                 late_after_s);
  if (now->state == CT_STREAM_STALE)
    alarms_raise(a, now_ns, "stream-stale", now->name, CT_CRITICAL,
                 "%s: connected, but no data for more than %g s; is the source running, is the shutter open?", now->name,
                 stale_after_s);
  if (now->lost > 0)
    alarms_raise(a, now_ns, "frames-lost", now->name, CT_WARNING, "%s: %llu frames never came; see the source and the network",
                 now->name, (unsigned long long)now->lost);
  if (now->rejected > 0)
    alarms_raise(a, now_ns, "messages-rejected", now->name, CT_WARNING, "%s: %llu rejected; the first: %.180s", now->name,
                 (unsigned long long)now->rejected, now->first_rejected[0] ? now->first_rejected : "a frame number seen before");
}

static void raise_geometry_alarm(struct collector *c, int64_t now_ns)
{
  const struct ct_compton_setup *compton = &c->setup.analysis.compton;
  if (c->setup.centre_by_default && (compton->rows != 80 || compton->cols != 80))
    alarms_raise(&c->alarms, now_ns, "centre-default", "", CT_WARNING,
                 "geometry.centre_px is %g,%g by default; the middle of this sensor of %u columns, %u rows is %g,%g: set it",
                 compton->geometry.centre_x_px, compton->geometry.centre_y_px, compton->cols, compton->rows,
                 (compton->cols - 1) / 2.0, (compton->rows - 1) / 2.0);
}

/* The columns' peaks against geometry.beam, .centre_px and .detector_mm. */
static void raise_fit_alarm(struct collector *c, const struct ct_snapshot_geometry *found, int64_t now_ns)
{
  const struct ct_geometry *g = &c->setup.analysis.compton.geometry;
  if (found->contradicts == 0)
    return;
  alarms_raise(&c->alarms, now_ns, "geometry", "", CT_WARNING,
               "the peaks of %u columns say beam %s, centre %.2f +- %.2f px, detector_mm %.1f +- %.1f; configured are centre_px "
               "%g,%g and detector_mm %g; check the%s%s%s, or the energy scale",
               found->peaks, found->beam, found->centre_px, found->centre_sigma_px, found->detector_mm,
               found->detector_sigma_mm, g->centre_x_px, g->centre_y_px, g->detector_mm, found->contradicts & CT_WRONG_SIGN ?
               " direction of the beam" : "", found->contradicts & CT_WRONG_CENTRE ? " centre" : "",
               found->contradicts & CT_WRONG_DISTANCE ? " distance" : "");
}

static void raise_analysis_alarms(struct collector *c, const struct ct_snapshot_core *core,
                                  const struct ct_analysis_note *note, int64_t now_ns)
{
  struct alarms *a = &c->alarms;
  const char *stream = c->setup.streams[c->setup.hexitec].name;
  if (note->uncalibrated > 0)
    alarms_raise(a, now_ns, "no-calibration", stream, CT_CRITICAL,
                 "%s: frames are ADU and there is no calibration, so no energies; set hexitec.gradients and .intercepts", stream);
  if (note->waiting_for_dark && note->seen > 0)
    alarms_raise(a, now_ns, "no-dark", stream, CT_CRITICAL,
                 "%s: hexitec.dark = measure, and no frame with image key 2 has come yet; nothing is analysed", stream);
  if (core->rings[0].skipped > 0)
    alarms_raise(a, now_ns, "analysis-skipped", stream, CT_WARNING,
                 "%s: the analysis missed %llu frames; it cannot keep up with this machine and rate", stream,
                 (unsigned long long)core->rings[0].skipped);
  if (note->shortened)
    alarms_raise(a, now_ns, "window-short", stream, CT_WARNING,
                 "the window covers %.1f s only; give run.memory_MB more, or ask for a shorter run.window", core->xcs.covered_s);
  if (note->saturated > 0)
    alarms_raise(a, now_ns, "counter-full", stream, CT_WARNING, "%llu photons did not fit the counters of the run; start a new run",
                 (unsigned long long)note->saturated);
}

/* ---- the snapshot --------------------------------------------------------------------------------------------- */
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

static void compose_ct(const struct collector *c, struct ct_snapshot_builder *builder)
{
  struct ct_snapshot_core *core = &builder->snapshot->core;
  uint64_t ticket;
  core->ct.angle_deg = core->ct.axis_px = core->ct.axis_sigma_px = core->ct.covered_deg = core->ct.rotation_deg = NAN;
  const struct ct_snapshot *picture = c->reconstruction ? ct_reconstruction_acquire(c->reconstruction, &ticket) : NULL;
  if (picture) {
    core->ct = picture->core.ct;
    take_sections(builder, picture);
    ct_reconstruction_release(c->reconstruction, picture);
  }
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
  if (c->archiver == NULL)
    return;
  ct_archiver_status(c->archiver, &core->archive, reason, reason_bytes);
  uint64_t reserve_bytes = c->setup.archive.reserve_bytes, free_bytes = core->archive.free_bytes;
  uint64_t usable = free_bytes > reserve_bytes ? free_bytes - reserve_bytes : 0;
  core->archive.rate_Bps = measure(&c->archive_meter, ct_time_mono_ns(), core->archive.bytes);
  /* From the mean rate: a forecast that jumps with every flush is none. */
  double mean_Bps = core->uptime_s > forecast_after_s ? (double)core->archive.bytes / core->uptime_s : 0;
  core->archive.left_s = mean_Bps > 0 ? (double)usable / mean_Bps : (double)NAN;
}

static void raise_archive_alarms(struct collector *c, const struct ct_snapshot_archive *archive, const char *reason,
                                 int64_t now_ns)
{
  if (archive->state == CT_ARCHIVE_FAILED)
    alarms_raise(&c->alarms, now_ns, "archive-failed", "", CT_CRITICAL, "nothing is being archived in %.120s: %s", archive->folder,
                 reason);
  if (archive->state == CT_ARCHIVE_DEGRADED)
    alarms_raise(&c->alarms, now_ns, "archive-degraded", "", CT_CRITICAL, "the archive in %.120s: %s", archive->folder, reason);
  /* Where nothing is archived at all, that is the news, and the disk is not to blame for being slow. */
  bool failed = archive->state == CT_ARCHIVE_FAILED;
  if (archive->missed_frames > 0)
    alarms_raise(&c->alarms, now_ns, "archive-missed", "", failed ? CT_WARNING : CT_CRITICAL,
                 "%llu received frames are not in the archive%s", (unsigned long long)archive->missed_frames,
                 failed ? "" : "; the disk is too slow or too full, see run.buffer_MB");
  if (archive->lag_s > behind_s)
    alarms_raise(&c->alarms, now_ns, "archive-behind", "", CT_WARNING,
                 "the disk is %.0f s behind; frames wait in memory (run.buffer_MB), and none is lost as long as they fit",
                 archive->lag_s);
  if (archive->left_s < 3600)
    alarms_raise(&c->alarms, now_ns, "archive-space", "", CT_WARNING, "the disk is full in %.0f minutes at this rate",
                 archive->left_s / 60);
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
  alarms_begin(&c->alarms);
  for (uint32_t i = 0; i < c->n_streams; i++)
    raise_stream_alarms(c, &c->streams[i], core->wall_ns);
  if (c->analysis) {
    raise_analysis_alarms(c, core, &note, core->wall_ns);
    raise_geometry_alarm(c, core->wall_ns);
    raise_fit_alarm(c, &core->xcs.geometry, core->wall_ns);
    alarms_change(&c->alarms, core);
    detector_raise(&c->alarms, &c->detector, c->setup.streams[c->setup.hexitec].name, &core->health, core->wall_ns);
  }
  if (c->cell_log[0] != '\0')
    alarms_raise(&c->alarms, core->wall_ns, "cell-log", "", CT_WARNING, "%s", c->cell_log);
  if (c->archiver)
    raise_archive_alarms(c, &core->archive, reason, core->wall_ns);
  alarms_end(&c->alarms, core->wall_ns, core);
  compose_change(c, core);
  return ct_snapshot_finish(&builder);
}
