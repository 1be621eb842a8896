/* What a run is collected by: opened, kept going, ended. */
#include "collector.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "keepsakes.h"

static const int64_t results_every_ns = 10 * CT_NS_PER_S;

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
    reader.image_key = c->setup.key_name;
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
  struct ct_scalars *scalars[CT_SNAPSHOT_STREAMS];
  if (c->setup.archive.folder == NULL)
    return 0;
  for (uint32_t i = 0; i < c->n_streams; i++) {
    receivers[i] = c->streams[i].receiver;
    scalars[i] = c->streams[i].scalars;
  }
  c->alarms.changed = archive_alarm;
  c->alarms.changed_arg = c;
  return ct_archiver_open(&c->archiver, &c->setup.archive, receivers, scalars, c->analysis, &c->setup.analysis, err);
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

/* An angle, an image key and the trigger they belong to come in one message. */
static void take_angle(struct collector *c, const struct ct_wire_scalars *scalars)
{
  const struct ct_wire_scalar *trigger = find_scalar(scalars, c->setup.trigger_name);
  const struct ct_wire_scalar *angle = find_scalar(scalars, c->setup.angle_name);
  const struct ct_wire_scalar *key = find_scalar(scalars, c->setup.key_name);
  if (trigger != NULL)
    ct_reconstruction_angle(c->reconstruction, trigger->value, angle ? angle->value : (double)NAN, key ? key->value : (double)NAN);
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
