/* Every interval: ask, and write what comes. */
#include "batch.h"

#include <langinfo.h>
#include <math.h>
#include <string.h>

static int make_report(struct batch *b, const struct ct_snapshot_core *core, struct ct_err *err)
{
  const char *streams[CT_SNAPSHOT_STREAMS], *rois[CT_SNAPSHOT_ROIS];
  struct ct_report_setup setup = b->setup;
  setup.streams = streams;
  setup.rois = rois;
  for (; core && setup.n_streams < core->n_streams; setup.n_streams++)
    streams[setup.n_streams] = core->streams[setup.n_streams].name;
  for (; core && setup.n_rois < core->n_rois; setup.n_rois++)
    rois[setup.n_rois] = core->rois[setup.n_rois].name;
  return ct_report_new(&b->report, &setup, err);
}

int batch_write(struct batch *b, struct ct_snapshot *snapshot)
{
  snapshot->core.seq = ++b->seq;
  int code = b->report ? 0 : make_report(b, &snapshot->core, NULL);
  return code == 0 ? ct_report_write(b->report, snapshot, b->out) : code;
}

static void finish(struct batch *b, int code)
{
  uv_timer_stop(&b->timer);
  b->done(b->arg, code);
}

static void take(void *arg, struct ct_snapshot *snapshot)
{
  struct batch *b = arg;
  if (!b->waiting)
    return;
  b->waiting = false;
  int code = snapshot ? batch_write(b, snapshot) : CT_ENODATA;
  if (code != 0)
    finish(b, code);
  else if (b->samples_left > 0 && --b->samples_left == 0)
    finish(b, 0);
}

static void on_timer(uv_timer_t *timer)
{
  struct batch *b = timer->data;
  if (b->waiting)
    return;   /* the sample before is still waiting for its picture */
  b->waiting = true;
  b->feed->ask(b->feed, b->requests, b->n_requests);
}

static void read_setup(struct batch *b, const struct ct_settings *settings)
{
  static const enum ct_report_format formats[] = { CT_REPORT_TSV, CT_REPORT_JSON, CT_REPORT_TEXT, CT_REPORT_ANSI };
  static const uint32_t bins[] = { 0, 1, 2, 4, 8 };
  memset(b, 0, sizeof *b);
  b->settings = settings;
  b->setup = (struct ct_report_setup){ .format = formats[ct_settings_word(settings, "output")],
    .fields = ct_settings_words(settings, "fields"), .utf8 = strcmp(nl_langinfo(CODESET), "UTF-8") == 0,
    .bin = bins[ct_settings_word(settings, "screen.binning")],
    .target_sigma = ct_settings_real(settings, "screen.target_sigma") };
}

int batch_check(const struct ct_settings *settings, struct ct_err *err)
{
  struct batch trial;
  read_setup(&trial, settings);
  int code = make_report(&trial, NULL, err);
  ct_report_free(trial.report);
  return code;
}

int batch_open(struct batch *b, uv_loop_t *loop, struct feed *feed, const struct ct_settings *settings, FILE *out,
               struct ct_err *err)
{
  int code = batch_check(settings, err);
  if (code != 0)
    return code;
  read_setup(b, settings);
  b->loop = loop;
  b->feed = feed;
  b->out = out;
  b->n_requests = ct_report_requests(&b->setup, b->requests, CT_REPORT_REQUESTS);
  b->samples_left = ct_settings_is_set(settings, "samples") ? ct_settings_int(settings, "samples") : -1;
  feed->take = take;
  feed->arg = b;
  uv_timer_init(loop, &b->timer);
  b->timer.data = b;
  uint64_t interval_ms = (uint64_t)(ct_settings_real(settings, "interval_s") * 1000 + 0.5);
  uv_timer_start(&b->timer, on_timer, interval_ms, interval_ms);
  /* Nobody waits for this one; it makes the wants known, for a last sample that comes before the first. */
  feed->ask(feed, b->requests, b->n_requests);
  return 0;
}

void batch_close(struct batch *b) { ct_report_free(b->report); }
