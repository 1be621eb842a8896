/* The loop: timers, signals, scalars, samples. What it watches is the collector's, what it prints is report's. */
#include <comptop/monitor.h>

#include <errno.h>
#include <math.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <uv.h>

#include <comptop/report.h>

#include "check.h"
#include "collector.h"
#include "demo.h"

enum {
  TICK_MS = 100,              /* rates, states, idle, and a look at sockets whose edge may have been missed */
  PICTURE_MS = 4,             /* between two looks whether the picture that was asked for is there */
  PICTURE_PATIENCE_MS = 1000  /* a sample is printed with the last picture when the analysis is that far behind */
};

struct monitor {
  uv_loop_t loop;
  uv_timer_t tick, sample, picture;
  uv_signal_t signals[3];
  uv_poll_t polls[CT_SNAPSHOT_STREAMS];
  uv_idle_t idle;               /* runs while scalars are left in a socket whose descriptor will not tell again */
  uint32_t n_polls;
  struct collector collector;
  struct ct_report *report;
  FILE *out;
  uint64_t ticket;
  uint64_t asked_ms;
  int64_t samples_left;         /* -1: no end */
  double exit_on_idle_s;        /* NaN: never */
  bool last_sample;             /* one more when everything has been analysed */
  int code;
};

/* ---- ending ------------------------------------------------------------------------------------------------ */
static void leave(struct monitor *m, bool last_sample, int code)
{
  m->last_sample = last_sample;
  m->code = code;
  uv_stop(&m->loop);
}

static void on_signal(uv_signal_t *handle, int signal_number)
{
  (void)signal_number;
  leave(handle->data, false, 0);
}

/* ---- samples ------------------------------------------------------------------------------------------------- */
/* A reader that went away is no error: it has seen enough. */
static void write_sample(struct monitor *m)
{
  int code = ct_report_write(m->report, collector_compose(&m->collector), m->out);
  if (code == 0)
    return;
  if (code == CT_EIO && errno == EPIPE) {
    leave(m, false, 0);
    return;
  }
  fprintf(stderr, "comptop: cannot write the sample: %s\n", code == CT_EIO ? strerror(errno) : ct_err_text(code));
  leave(m, false, ct_err_exit(code));
}

static void on_picture(uv_timer_t *timer)
{
  struct monitor *m = timer->data;
  bool patient = uv_now(&m->loop) - m->asked_ms < PICTURE_PATIENCE_MS;
  if (patient && !collector_ready(&m->collector, m->ticket))
    return;
  uv_timer_stop(timer);
  write_sample(m);
  if (m->samples_left > 0 && --m->samples_left == 0)
    leave(m, false, m->code);
}

static void on_sample(uv_timer_t *timer)
{
  struct monitor *m = timer->data;
  if (uv_is_active((uv_handle_t *)&m->picture))
    return;   /* the sample before is still waiting for its picture */
  m->ticket = collector_ask(&m->collector);
  m->asked_ms = uv_now(&m->loop);
  uv_timer_start(&m->picture, on_picture, 0, PICTURE_MS);
}

/* ---- scalars --------------------------------------------------------------------------------------------------- */
static void on_idle(uv_idle_t *idle);

/* ZeroMQ's descriptor tells once: whatever is left must be fetched without being told (streams and traps: the manual). */
static void drain_scalars(struct monitor *m)
{
  bool more = false;
  for (uint32_t i = 0; i < m->collector.n_streams; i++)
    if (m->collector.streams[i].scalars)
      more |= ct_scalars_drain(m->collector.streams[i].scalars, collector_take_scalars, &m->collector);
  if (more)
    uv_idle_start(&m->idle, on_idle);
  else
    uv_idle_stop(&m->idle);
}

static void on_idle(uv_idle_t *idle) { drain_scalars(idle->data); }

static void on_scalars(uv_poll_t *poll, int status, int events)
{
  (void)status;
  (void)events;
  drain_scalars(poll->data);
}

static void on_tick(uv_timer_t *timer)
{
  struct monitor *m = timer->data;
  drain_scalars(m);
  collector_tick(&m->collector);
  double silent_s = collector_silent_s(&m->collector);
  if (silent_s > m->exit_on_idle_s)   /* false while either is NaN */
    leave(m, true, 0);
}

/* ---- start ------------------------------------------------------------------------------------------------------ */
static void watch_scalars(struct monitor *m)
{
  for (uint32_t i = 0; i < m->collector.n_streams; i++) {
    int fd = m->collector.streams[i].scalars ? ct_scalars_fd(m->collector.streams[i].scalars) : -1;
    if (fd < 0)
      continue;
    uv_poll_t *poll = &m->polls[m->n_polls++];
    uv_poll_init(&m->loop, poll, fd);
    poll->data = m;
    uv_poll_start(poll, UV_READABLE, on_scalars);
  }
  drain_scalars(m);
}

static void watch_signals(struct monitor *m)
{
  static const int numbers[] = { SIGINT, SIGTERM, SIGHUP };
  for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++) {
    uv_signal_init(&m->loop, &m->signals[i]);
    m->signals[i].data = m;
    uv_signal_start(&m->signals[i], on_signal, numbers[i]);
  }
}

static void start_timers(struct monitor *m, double interval_s)
{
  uint64_t interval_ms = (uint64_t)(interval_s * 1000 + 0.5);
  uv_timer_t *timers[] = { &m->tick, &m->sample, &m->picture };
  for (size_t i = 0; i < sizeof timers / sizeof *timers; i++) {
    uv_timer_init(&m->loop, timers[i]);
    timers[i]->data = m;
  }
  uv_idle_init(&m->loop, &m->idle);
  m->idle.data = m;
  uv_timer_start(&m->tick, on_tick, TICK_MS, TICK_MS);
  uv_timer_start(&m->sample, on_sample, interval_ms, interval_ms);
}

static int open_report(struct monitor *m, const struct ct_settings *settings, struct ct_err *err)
{
  static const enum ct_report_format formats[] = { CT_REPORT_TSV, CT_REPORT_JSON, CT_REPORT_TEXT, CT_REPORT_ANSI };
  const char *streams[CT_SNAPSHOT_STREAMS], *rois[CT_SNAPSHOT_ROIS];
  struct ct_report_setup setup = { .format = formats[ct_settings_word(settings, "output")],
                                   .fields = ct_settings_words(settings, "fields"),
                                   .streams = streams, .rois = rois };
  const struct run_setup *run = &m->collector.setup;
  for (; setup.n_streams < run->n_streams; setup.n_streams++)
    streams[setup.n_streams] = run->streams[setup.n_streams].name;
  for (; setup.n_rois < run->analysis.n_rois; setup.n_rois++)
    rois[setup.n_rois] = run->rois[setup.n_rois].name;
  int code = ct_report_new(&m->report, &setup, err);
  struct ct_request requests[CT_REPORT_REQUESTS];
  size_t n = code == 0 ? ct_report_requests(&setup, requests, CT_REPORT_REQUESTS) : 0;
  for (size_t i = 0; i < n && code == 0; i++)
    code = ct_wants_add(m->collector.wants, &requests[i]);
  return code;
}

static void close_handle(uv_handle_t *handle, void *arg)
{
  (void)arg;
  if (!uv_is_closing(handle))
    uv_close(handle, NULL);
}

static int run_batch(struct monitor *m, const struct ct_settings *settings, struct ct_err *err)
{
  int code = open_report(m, settings, err);
  if (code != 0)
    return code;
  m->samples_left = ct_settings_is_set(settings, "samples") ? ct_settings_int(settings, "samples") : -1;
  m->exit_on_idle_s = ct_settings_real(settings, "exit_on_idle_s");
  m->collector.alarms.log = stderr;
  uv_loop_init(&m->loop);
  start_timers(m, ct_settings_real(settings, "interval_s"));
  watch_signals(m);
  watch_scalars(m);
  uv_run(&m->loop, UV_RUN_DEFAULT);
  collector_stop(&m->collector);
  if (m->last_sample)
    write_sample(m);
  uv_walk(&m->loop, close_handle, NULL);
  uv_run(&m->loop, UV_RUN_DEFAULT);
  uv_loop_close(&m->loop);
  return 0;
}

static int run(const struct ct_settings *settings, bool demo, FILE *out, struct ct_err *err)
{
  struct monitor *m = ct_xcalloc(1, sizeof *m);
  m->out = out;
  int code = collector_open(&m->collector, settings, err);
  m->collector.demo = demo;
  if (code == 0 && ct_settings_bool(settings, "check"))
    code = check_run(&m->collector, ct_settings_real(settings, "timeout_s"), out);
  else if (code == 0 && (ct_settings_bool(settings, "batch") || !isatty(fileno(out))))
    code = run_batch(m, settings, err);
  else if (code == 0)
    code = ct_err_set(err, CT_EUNSUPPORTED, "the screen is not yet in this version; use -b");
  collector_close(&m->collector);
  ct_report_free(m->report);
  if (code == 0 && m->code != 0)
    code = m->code;
  free(m);
  return code;
}

static int run_demo(int argc, char **argv, FILE *out, struct ct_err *err)
{
  struct demo demo;
  struct ct_settings *settings = NULL;
  int new_argc;
  int code = demo_start(&demo, err);
  if (code != 0)
    return code;
  char **arguments = demo_arguments(&demo, argc, argv, &new_argc);
  code = ct_settings_open(&settings, &ct_comptop_options, new_argc, arguments, out, err);
  if (code == 0)
    code = run(settings, true, out, err);
  ct_settings_close(settings);
  free(arguments);
  demo_stop(&demo);
  return code;
}

int ct_monitor_main(int argc, char **argv, FILE *out)
{
  struct ct_err err = { "" };
  struct ct_settings *settings;
  signal(SIGPIPE, SIG_IGN);
  int code = ct_settings_open(&settings, &ct_comptop_options, argc, argv, out, &err);
  if (code == CT_SETTINGS_DONE)
    return 0;
  if (code == 0 && ct_settings_bool(settings, "demo"))
    code = ct_settings_sections(settings, "stream") > 0
      ? ct_err_set(&err, CT_EUSAGE, "--demo brings its own streams; leave out the others")
      : run_demo(argc, argv, out, &err);
  else if (code == 0)
    code = run(settings, false, out, &err);
  ct_settings_close(settings);
  if (code != 0 && err.text[0])
    fprintf(stderr, "comptop: %s\n", err.text);
  return code < 0 ? ct_err_exit(code) : code;
}
