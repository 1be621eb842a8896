/* Every interval: ask, and write what comes. */
#include "batch.h"

#include <langinfo.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "setup.h"

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

/* A line that a full disk or a crash cut short ends here, so that ours begins one. */
static void end_cut_line(FILE *old, FILE *out)
{
  if (old != NULL && fseek(old, -1, SEEK_END) == 0 && fgetc(old) != '\n')
    fputc('\n', out);
}

/* Before the first sample into a file: what it holds already decides how to begin. */
static void begin_file(struct batch *b, FILE *out)
{
  FILE *old = outlet_content(&b->outlet);
  ct_report_behind(b->report, old);
  end_cut_line(old, out);
  if (old)
    fclose(old);
  b->begun = true;
}

int batch_write(struct batch *b, struct ct_snapshot *snapshot)
{
  char *bytes = NULL;
  size_t length = 0;
  snapshot->core.seq = b->seq + 1;
  int code = b->report ? 0 : make_report(b, &snapshot->core, NULL);
  if (code != 0)
    return code;
  FILE *out = open_memstream(&bytes, &length);
  if (out == NULL)
    return CT_ENOMEM;
  if (!b->begun)
    begin_file(b, out);
  code = ct_report_write(b->report, snapshot, out);
  if (fclose(out) != 0 || code != 0) {
    free(bytes);
    return code != 0 ? code : CT_ENOMEM;
  }
  b->seq++;
  return outlet_put(&b->outlet, bytes, length);
}

static void finish(struct batch *b, int code)
{
  uv_timer_stop(&b->timer);
  b->done(b->arg, code);
}

/* The last sample ends the batch, but only when it has left. */
static void on_out(void *arg, int code)
{
  struct batch *b = arg;
  if (code != 0 || b->samples_left == 0)
    finish(b, code);
}

static void take(void *arg, struct ct_snapshot *snapshot)
{
  struct batch *b = arg;
  if (!b->waiting)
    return;
  b->waiting = false;
  int code = snapshot ? batch_write(b, snapshot) : CT_ENODATA;
  if (code == 0 && b->samples_left > 0)
    b->samples_left--;
  if (code != 0 || !outlet_busy(&b->outlet))
    on_out(b, code);
}

static void on_timer(uv_timer_t *timer)
{
  struct batch *b = timer->data;
  if (b->waiting || outlet_busy(&b->outlet) || b->samples_left == 0)
    return;   /* the sample before waits for its picture, or for a slow reader */
  b->waiting = true;
  b->feed->ask(b->feed, b->requests, b->n_requests);
}

/* The log was moved away, or will be: the next sample begins the file that now has its name. */
static void on_rotate(uv_signal_t *handle, int number)
{
  struct batch *b = handle->data;
  (void)number;
  if (outlet_reopen(&b->outlet))
    b->begun = false;
}

static void read_setup(struct batch *b, const struct ct_settings *settings)
{
  static const enum ct_report_format formats[] = { CT_REPORT_TSV, CT_REPORT_JSON, CT_REPORT_TEXT, CT_REPORT_ANSI };
  static const uint32_t bins[] = { 0, 1, 2, 4, 8, CT_VIEW_ADAPTIVE };
  memset(b, 0, sizeof *b);
  b->settings = settings;
  b->setup = (struct ct_report_setup){ .format = formats[ct_settings_word(settings, "output")],
    .fields = ct_settings_words(settings, "fields"), .utf8 = strcmp(nl_langinfo(CODESET), "UTF-8") == 0,
    .bin = bins[ct_settings_word(settings, "screen.binning")],
    .target_sigma = ct_settings_real(settings, "screen.target_sigma"), .point = ct_setup_point(settings) };
}

int batch_check(const struct ct_settings *settings, struct ct_err *err)
{
  struct batch trial;
  read_setup(&trial, settings);
  int code = make_report(&trial, NULL, err);
  ct_report_free(trial.report);
  return code;
}

int batch_begin(struct batch *b, uv_loop_t *loop, const struct ct_settings *settings, FILE *out, struct ct_err *err)
{
  int code = batch_check(settings, err);
  if (code != 0)
    return code;
  read_setup(b, settings);
  b->loop = loop;
  outlet_open(&b->outlet, loop, fileno(out));
  b->n_requests = ct_report_requests(&b->setup, b->requests, CT_REPORT_REQUESTS);
  b->samples_left = ct_settings_is_set(settings, "samples") ? ct_settings_int(settings, "samples") : -1;
  return 0;
}

int batch_open(struct batch *b, uv_loop_t *loop, struct feed *feed, const struct ct_settings *settings, FILE *out,
               struct ct_err *err)
{
  int code = batch_begin(b, loop, settings, out, err);
  if (code != 0)
    return code;
  b->feed = feed;
  b->outlet.done = on_out;
  b->outlet.arg = b;
  feed->take = take;
  feed->arg = b;
  uv_signal_init(loop, &b->rotate);
  b->rotate.data = b;
  uv_signal_start(&b->rotate, on_rotate, SIGUSR2);
  uv_timer_init(loop, &b->timer);
  b->timer.data = b;
  uint64_t interval_ms = (uint64_t)(ct_settings_real(settings, "interval_s") * 1000 + 0.5);
  uv_timer_start(&b->timer, on_timer, interval_ms, interval_ms);
  /* Nobody waits for this one; it makes the wants known, for a last sample that comes before the first. */
  feed->ask(feed, b->requests, b->n_requests);
  return 0;
}

int batch_flush(struct batch *b, int wait_ms) { return outlet_flush(&b->outlet, wait_ms); }

void batch_close(struct batch *b)
{
  outlet_close(&b->outlet);
  ct_report_free(b->report);
}
