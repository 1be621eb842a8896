/* One look at a run, for a monitoring system. Asking comes first: a second client of a PULL stream would steal frames. */
#include "check.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "attach.h"
#include "collector.h"
#include "rundir.h"

static const double look_s = 1;

/* ---- the verdict --------------------------------------------------------------------------------------------- */
static bool all_have_data(const struct ct_snapshot_core *core)
{
  for (uint32_t i = 0; i < core->n_streams; i++)
    if (core->streams[i].frames == 0)
      return false;
  return core->n_streams > 0;
}

static int judge(const struct ct_snapshot_core *core)
{
  if (!all_have_data(core))
    return CT_ENODATA;
  for (uint32_t i = 0; i < core->n_streams; i++) {
    enum ct_stream_state state = core->streams[i].state;
    if (state == CT_STREAM_STALE || state == CT_STREAM_DOWN || state == CT_STREAM_LATE || core->streams[i].lost > 0)
      return CT_ESTALE;
  }
  return core->archive.state >= CT_ARCHIVE_DEGRADED || core->archive.missed_frames > 0 ? CT_EARCHIVE : 0;
}

static void print_line(const struct ct_snapshot_core *core, int code, FILE *out)
{
  fprintf(out, "comptop %s",
          code == 0 ? "OK" : code == CT_ENODATA ? "NO DATA" : code == CT_ESTALE ? "STALE OR LOST" : "ARCHIVE UNHEALTHY");
  for (uint32_t i = 0; i < core->n_streams; i++) {
    const struct ct_snapshot_stream *s = &core->streams[i];
    fprintf(out, "%s %s %s %.6g/s frames %llu lost %llu", i ? "," : ":", s->name, ct_stream_state_word(s->state), s->rate_hz,
            (unsigned long long)s->frames, (unsigned long long)s->lost);
  }
  if (core->archive.state != CT_ARCHIVE_OFF)
    fprintf(out, ", archive %s missed %llu", ct_archive_state_word(core->archive.state),
            (unsigned long long)core->archive.missed_frames);
  fputc('\n', out);
  fflush(out);
}

/* ---- asking a collector ---------------------------------------------------------------------------------------- */
struct question {
  uv_loop_t loop;
  const struct ct_settings *settings;
  FILE *out;
  bool ours;                 /* the answer is about our streams */
  int code;
};

/* Whether a stream of the collector is one of those that were configured; without any configured, it is. */
static bool is_ours(const struct ct_settings *settings, const struct ct_snapshot_core *core)
{
  size_t n = ct_settings_sections(settings, "stream");
  for (size_t i = 0; i < n; i++) {
    char path[128];
    snprintf(path, sizeof path, "stream.%s.endpoint", ct_settings_section_name(settings, "stream", i));
    for (uint32_t j = 0; j < core->n_streams; j++)
      if (strcmp(ct_settings_text(settings, path), core->streams[j].endpoint) == 0)
        return true;
  }
  return n == 0;
}

static void take(void *arg, struct ct_snapshot *snapshot)
{
  struct question *q = arg;
  q->ours = snapshot && is_ours(q->settings, &snapshot->core);
  if (q->ours) {
    q->code = judge(&snapshot->core);
    print_line(&snapshot->core, q->code, q->out);
  }
  uv_stop(&q->loop);
}

static bool ask(struct question *q, const char *run)
{
  char endpoint[RUNDIR_PATH + 8];
  struct feed *feed;
  q->ours = false;
  if (rundir_find(run, endpoint, NULL) != 0)
    return false;
  uv_loop_init(&q->loop);
  if (attach_open(&feed, &q->loop, endpoint, NULL) == 0) {
    feed->take = take;
    feed->arg = q;
    feed->ask(feed, NULL, 0);
    uv_run(&q->loop, UV_RUN_DEFAULT);
    attach_close(feed);
    uv_run(&q->loop, UV_RUN_DEFAULT);
  }
  uv_loop_close(&q->loop);
  return q->ours;
}

/* ---- looking for oneself ----------------------------------------------------------------------------------------- */
static void tick(struct collector *c)
{
  for (uint32_t i = 0; i < c->n_streams; i++)
    while (c->streams[i].scalars && ct_scalars_drain(c->streams[i].scalars, collector_take_scalars, c))
      ;
}

static int watch(struct collector *c, double timeout_s, FILE *out)
{
  int64_t start_ns = ct_time_mono_ns(), complete_ns = 0;
  for (;;) {
    usleep(50000);
    tick(c);
    const struct ct_snapshot *snapshot = collector_compose(c);
    int64_t now_ns = ct_time_mono_ns();
    if (complete_ns == 0 && all_have_data(&snapshot->core))
      complete_ns = now_ns;
    if (complete_ns != 0 ? now_ns - complete_ns >= (int64_t)(look_s * 1e9) : now_ns - start_ns >= (int64_t)(timeout_s * 1e9))
      break;
  }
  /* Judged while still connected; then the gaps that are open count as lost. */
  struct ct_snapshot_core *core = ct_xcalloc(1, sizeof *core);
  struct ct_err ignored;
  *core = collector_compose(c)->core;
  int code = judge(core);
  (void)collector_stop(c, &ignored);
  for (uint32_t i = 0; i < core->n_streams; i++)
    core->streams[i].lost = c->streams[i].now.lost;
  if (code == 0)
    code = judge(core);
  print_line(core, code, out);
  free(core);
  return code;
}

int check_run(struct ct_settings *settings, FILE *out, struct ct_err *err)
{
  struct question question = { .settings = settings, .out = out };
  char runs[16][RUNDIR_NAME];
  int n = rundir_list(runs, 16);
  for (int i = 0; i < n; i++)
    if (ask(&question, runs[i]))
      return question.code;
  struct collector *c = ct_xcalloc(1, sizeof *c);
  int code = collector_prepare(c, settings, err);
  if (code == 0)
    code = collector_open(c, err);
  if (code == 0)
    code = watch(c, ct_settings_real(settings, "timeout_s"), out);
  collector_close(c);
  free(c);
  return code;
}
