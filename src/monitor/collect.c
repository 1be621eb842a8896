/* One loop for a run. What is watched is the collector's, what is shown is answered at the desk. */
#include "collect.h"

#include <errno.h>
#include <math.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <uv.h>

#include "batch.h"
#include "collector.h"
#include "desk.h"
#include "follow.h"
#include "rundir.h"
#include "serve.h"

enum {
  TICK_MS = 100,              /* rates, states, idle, and a look at sockets whose edge may have been missed */
  KEEP_MS = 1000,             /* history, and results for the archive */
  LAST_WORD_MS = 1000,        /* for a reader that takes nothing of a sample that was begun before the end */
  N_SIGNALS = 3
};

struct collect {
  const struct collect_setup *setup;
  uv_loop_t loop;
  uv_timer_t tick, keep;
  uv_signal_t signals[N_SIGNALS];
  uv_poll_t polls[CT_SNAPSHOT_STREAMS];
  uv_idle_t idle;               /* runs while scalars are left in a socket whose descriptor will not tell again */
  uint32_t n_polls;
  struct collector collector;
  struct follow *follow;        /* the file of [cell] mpt, or NULL */
  struct desk desk;
  struct asker *keeper;
  struct batch batch;
  bool batch_open;
  struct server *server;
  char endpoint[RUNDIR_PATH + 8];
  int lock_fd;                  /* -1: not registered */
  double exit_on_idle_s;        /* NaN: never */
  bool last_sample;             /* one more when everything has been analysed */
  int code;
  struct ct_err why;            /* the message of <code> */
};

/* ---- ending ------------------------------------------------------------------------------------------------ */
static void leave(struct collect *c, bool last_sample)
{
  c->last_sample = last_sample;
  uv_stop(&c->loop);
}

static bool archives(const struct collect *c) { return c->collector.archiver != NULL; }

/* A lost terminal ends a demo that archives nothing; any other run goes on. */
static bool needs_terminal(const struct collect *c) { return c->setup->demo && !archives(c); }

static void on_signal(uv_signal_t *handle, int number)
{
  struct collect *c = handle->data;
  if (number == SIGHUP && !needs_terminal(c))
    return;
  leave(c, false);
}

/* A reader that went away has seen enough; but a run that is being archived does not end for that. */
static void on_batch_done(void *arg, int code)
{
  struct collect *c = arg;
  int why = errno;
  if (code == CT_EIO && archives(c)) {
    fprintf(stderr, "comptop: nobody reads the samples any more (%s); the archive goes on\n", strerror(why));
    return;
  }
  if (code != 0 && !(code == CT_EIO && why == EPIPE))
    c->code = ct_err_set(&c->why, code, "cannot write the sample: %s", code == CT_EIO ? strerror(why) : ct_err_text(code));
  leave(c, false);
}

/* ---- timers and scalars --------------------------------------------------------------------------------------- */
static void on_idle(uv_idle_t *idle);

/* ZeroMQ's descriptor tells once: whatever is left must be fetched without being told. */
static void drain_scalars(struct collect *c)
{
  bool more = false;
  for (uint32_t i = 0; i < c->collector.n_streams; i++)
    if (c->collector.streams[i].scalars)
      more |= ct_scalars_drain(c->collector.streams[i].scalars, collector_take_scalars, &c->collector);
  if (more)
    uv_idle_start(&c->idle, on_idle);
  else
    uv_idle_stop(&c->idle);
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
  struct collect *c = timer->data;
  drain_scalars(c);
  collector_tick(&c->collector);
  double silent_s = collector_silent_s(&c->collector);
  if (silent_s > c->exit_on_idle_s)   /* false while either is NaN */
    leave(c, true);
}

static void on_keep(uv_timer_t *timer)
{
  struct collect *c = timer->data;
  struct ct_request map = collector_map_request();
  c->keeper->feed.ask(&c->keeper->feed, &map, archives(c) ? 1 : 0);
}

static void mask(void *arg, bool on)
{
  struct collect *c = arg;
  collector_mask(&c->collector, on);
}

static void mark(void *arg, const char *text)
{
  struct collect *c = arg;
  collector_mark(&c->collector, text);
}

static void nudge(void *arg, double by_px)
{
  struct collect *c = arg;
  if (c->collector.reconstruction)
    ct_reconstruction_nudge(c->collector.reconstruction, by_px);
}

static int change(void *arg, const char *path, const char *text, struct ct_err *answer)
{
  struct collect *c = arg;
  return collector_change(&c->collector, path, text, answer);
}

static int save_settings(void *arg, const char *texts, size_t bytes, struct ct_err *answer)
{
  struct collect *c = arg;
  return collector_save_settings(&c->collector, texts, bytes, answer);
}

static void keep(void *arg, struct ct_snapshot *snapshot)
{
  struct collect *c = arg;
  collector_keep(&c->collector, snapshot);
}

/* ---- start ------------------------------------------------------------------------------------------------------ */
static void watch_scalars(struct collect *c)
{
  for (uint32_t i = 0; i < c->collector.n_streams; i++) {
    int fd = c->collector.streams[i].scalars ? ct_scalars_fd(c->collector.streams[i].scalars) : -1;
    if (fd < 0)
      continue;
    uv_poll_t *poll = &c->polls[c->n_polls++];
    uv_poll_init(&c->loop, poll, fd);
    poll->data = c;
    uv_poll_start(poll, UV_READABLE, on_scalars);
  }
  drain_scalars(c);
}

static void start_handles(struct collect *c)
{
  static const int numbers[N_SIGNALS] = { SIGINT, SIGTERM, SIGHUP };
  uv_timer_init(&c->loop, &c->tick);
  uv_timer_init(&c->loop, &c->keep);
  uv_idle_init(&c->loop, &c->idle);
  c->tick.data = c->keep.data = c->idle.data = c;
  uv_timer_start(&c->tick, on_tick, TICK_MS, TICK_MS);
  uv_timer_start(&c->keep, on_keep, KEEP_MS, KEEP_MS);
  for (int i = 0; i < N_SIGNALS; i++) {
    uv_signal_init(&c->loop, &c->signals[i]);
    c->signals[i].data = c;
    uv_signal_start(&c->signals[i], on_signal, numbers[i]);
  }
  watch_scalars(c);
}

/* Two runs begun in one second have the same name, where nobody gave them one: the later gets a number. */
static int register_run(struct collect *c, struct ct_err *err)
{
  struct run_setup *setup = &c->collector.setup;
  size_t length = strlen(setup->run);
  int code = rundir_register(setup->run, c->endpoint, &c->lock_fd, err);
  for (int number = 2; code == CT_EBUSY && !setup->named && number < 100; number++) {
    snprintf(setup->run + length, sizeof setup->run - length, "-%d", number);
    code = rundir_register(setup->run, c->endpoint, &c->lock_fd, err);
  }
  return code;
}

/* A demo that archives nothing is private, and so is a look at an old run: it leaves no file, whatever becomes of it. */
static int find_endpoint(struct collect *c, struct ct_err *err)
{
  const struct run_setup *run = &c->collector.setup;
  if (run->from == NULL && (!c->setup->demo || run->archive.folder))
    return register_run(c, err);
  snprintf(c->endpoint, sizeof c->endpoint, "ipc://@comptop-view-%ld", (long)getpid());
  return 0;
}

static int open_all(struct collect *c, struct ct_err *err)
{
  const struct collect_setup *setup = c->setup;
  int code = collector_prepare(&c->collector, setup->settings, err);
  /* Whatever can be refused is, before a run on disk is begun. */
  if (code == 0 && setup->batch)
    code = batch_check(setup->settings, err);
  const char *cell_log = ct_settings_text(setup->settings, "cell.mpt");
  if (code == 0 && *cell_log != '\0' && c->collector.setup.from == NULL)
    code = follow_open(&c->follow, &c->loop, cell_log, &c->collector, err);
  if (code == 0)
    code = find_endpoint(c, err);
  if (code == 0)
    code = collector_open(&c->collector, err);
  if (code != 0)
    return code;
  c->collector.demo = setup->demo;
  c->collector.headless = !setup->batch;
  c->collector.alarms.log = setup->served_to_parent ? NULL : stderr;
  desk_open(&c->desk, &c->loop, &c->collector);
  c->keeper = desk_join(&c->desk, true);
  c->keeper->feed.take = keep;
  c->keeper->feed.arg = c;
  struct serve_doings doings = { .mark = mark, .nudge = nudge, .mask = mask, .change = change,
                                  .keep = save_settings, .arg = c };
  code = serve_open(&c->server, &c->loop, &c->desk, c->endpoint, &doings, err);
  if (code == 0 && setup->batch) {
    code = batch_open(&c->batch, &c->loop, &desk_join(&c->desk, false)->feed, setup->settings, setup->out, err);
    c->batch.done = on_batch_done;
    c->batch.arg = c;
    c->batch_open = true;
  }
  return code;
}

/* ---- end --------------------------------------------------------------------------------------------------------- */
static void close_handle(uv_handle_t *handle, void *arg)
{
  (void)arg;
  if (!uv_is_closing(handle))
    uv_close(handle, NULL);
}

static void summarise(struct collect *c)
{
  if (c->setup->report_fd < 0)
    return;
  const struct ct_snapshot *last = collector_compose(&c->collector);
  const struct ct_snapshot_core *core = &last->core;
  uint64_t frames = 0, lost = 0;
  for (uint32_t i = 0; i < core->n_streams; i++)
    if (core->streams[i].role != CT_ROLE_SCALARS) {
      frames += core->streams[i].frames;
      lost += core->streams[i].lost;
    }
  dprintf(c->setup->report_fd, "run %s ended after %.0f s: %llu frames received, %llu lost\n", core->run, core->uptime_s,
          (unsigned long long)frames, (unsigned long long)lost);
  if (archives(c))
    dprintf(c->setup->report_fd, "%llu frames archived in %s, %llu missed\n", (unsigned long long)core->archive.committed_frames,
            core->archive.folder, (unsigned long long)core->archive.missed_frames);
}

/* The run is safe; what is left is a reader that may be slow, and from here on a signal ends the process at once. */
static int write_last(struct collect *c)
{
  for (int i = 0; i < N_SIGNALS; i++)
    uv_signal_stop(&c->signals[i]);
  int wait_ms = c->last_sample ? -1 : LAST_WORD_MS;
  int code = batch_flush(&c->batch, wait_ms);
  if (code == 0 && c->last_sample)
    code = batch_write(&c->batch, collector_compose(&c->collector));
  return code == 0 ? batch_flush(&c->batch, wait_ms) : code;
}

static int finish(struct collect *c, struct ct_err *err)
{
  int code = collector_stop(&c->collector, err);
  if (c->batch_open) {
    int written = write_last(c);
    if (written != 0 && !(written == CT_EIO && errno == EPIPE))
      code = ct_err_set(err, written, "cannot write the sample: %s", strerror(errno));
  }
  summarise(c);
  return code;
}

static void tell(const struct collect_setup *setup, int code, const char *text)
{
  if (setup->report_fd >= 0)
    dprintf(setup->report_fd, "%c%d %s\n", code == 0 ? '+' : '-', ct_err_exit(code), text);
}

int collect_run(const struct collect_setup *setup, struct ct_err *err)
{
  struct collect *c = ct_xcalloc(1, sizeof *c);
  c->setup = setup;
  c->lock_fd = -1;
  c->exit_on_idle_s = ct_settings_real(setup->settings, "exit_on_idle_s");
  uv_loop_init(&c->loop);
  int code = open_all(c, err);
  tell(setup, code, code == 0 ? c->endpoint : err->text);
  if (code == 0) {
    start_handles(c);
    uv_run(&c->loop, UV_RUN_DEFAULT);
    follow_stop(c->follow);
    code = finish(c, err);
    if (code == 0 && c->code != 0) {
      code = c->code;
      *err = c->why;
    }
  }
  serve_close(c->server);
  uv_walk(&c->loop, close_handle, NULL);
  uv_run(&c->loop, UV_RUN_DEFAULT);
  uv_loop_close(&c->loop);
  follow_close(c->follow);
  if (c->batch_open)
    batch_close(&c->batch);
  collector_close(&c->collector);
  if (c->lock_fd >= 0)
    rundir_unregister(c->collector.setup.run, c->lock_fd);
  free(c);
  return code;
}
