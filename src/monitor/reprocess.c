/* The clock here is the run's own: the analysis is let go up to the time of the next sample or line of results, stands
 * still while that is taken, and goes on. So the same run gives the same samples, however fast it is read. */
#include "reprocess.h"

#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "batch.h"
#include "collector.h"
#include "keepsakes.h"

static const int64_t results_every_ns = 10 * CT_NS_PER_S, spectra_every_ns = 60 * CT_NS_PER_S;
static const int64_t progress_every_ns = CT_NS_PER_S / 4;

struct reprocess {
  uv_loop_t loop;                      /* the samples' way out needs one */
  struct collector collector;
  struct batch batch;
  bool samples;
  struct ct_run_process *process;      /* NULL: results are not kept */
  float *counts;                       /* the line's map of photons; NULL before the first */
  int64_t sample_ns, results_ns, spectra_ns;   /* when the next one is due */
  int64_t interval_ns;
  int64_t started_ns, told_ns;         /* monotonic */
};

static atomic_bool interrupted;        /* relaxed: the flag is the whole message */

static void on_signal(int number)
{
  (void)number;
  atomic_store_explicit(&interrupted, true, memory_order_relaxed);
}

static bool stopped(void) { return atomic_load_explicit(&interrupted, memory_order_relaxed); }

/* ---- for people ----------------------------------------------------------------------------------------------------- */
static void show_progress(struct reprocess *r, const struct ct_reader_progress *p, bool last)
{
  const int64_t now_ns = ct_time_mono_ns();
  if (!isatty(STDERR_FILENO) || (!last && now_ns - r->told_ns < progress_every_ns))
    return;
  r->told_ns = now_ns;
  const double spent_s = (double)(now_ns - r->started_ns) / 1e9, run_s = (double)(p->now_ns - p->first_ns) / 1e9;
  const double share = p->all_bytes ? (double)p->bytes / (double)p->all_bytes : 1;
  const double left_s = share > 0 ? spent_s / share - spent_s : 0;
  char bar[31] = "..............................";
  for (int i = 0; i < (int)(share * 30); i++)
    bar[i] = '#';
  fprintf(stderr, "\r[%s] %3.0f %%  %" PRIu64 " frames  %.1f x real time  %d:%02d left\033[K%s", bar, 100 * share, p->frames,
          spent_s > 0 ? run_s / spent_s : 0, (int)left_s / 60, (int)left_s % 60, last ? "\n" : "");
}

/* ---- samples and results -------------------------------------------------------------------------------------------- */
/* Lets the analysis go on to <until_ns> and waits for it; false when it was interrupted. */
static bool go_to(struct reprocess *r, int64_t until_ns)
{
  struct collector *c = &r->collector;
  struct ct_reader_progress progress;
  collector_go_on(c, until_ns);
  /* A short stretch is not waited for long, and a long one costs no processor. */
  for (long nap_ns = 50000; !collector_has_reached(c, until_ns) && !stopped(); nap_ns += nap_ns < 5000000 ? nap_ns / 2 : 0) {
    nanosleep(&(struct timespec){ .tv_nsec = nap_ns }, NULL);
    collector_progress(c, &progress);
    show_progress(r, &progress, false);
  }
  return !stopped();
}

static struct ct_snapshot *picture(struct reprocess *r)
{
  const uint64_t ticket = collector_ask(&r->collector);
  while (!collector_ready(&r->collector, ticket))
    nanosleep(&(struct timespec){ .tv_nsec = 50000 }, NULL);
  return collector_compose(&r->collector);
}

static int keep_results(struct reprocess *r, const struct ct_snapshot *snapshot, bool spectra, struct ct_err *err)
{
  struct ct_request request = collector_map_request();
  struct ct_run_results line = { .time_ns = snapshot->core.wall_ns, .core = &snapshot->core };
  struct ct_map_view map;
  if (ct_snapshot_map(snapshot, &request, &map)) {
    line.emf = map.emf;
    line.sigma = map.sigma;
    if (r->counts == NULL)
      r->counts = ct_xcalloc((size_t)map.head->rows * map.head->cols, sizeof *r->counts);
    ct_map_photons(&map, r->counts);
    line.counts = r->counts;
  }
  line.spectra = spectra && r->collector.analysis ? ct_analysis_grown(r->collector.analysis) : NULL;
  int code = ct_run_process_append(r->process, &line);
  return code == 0 ? 0 : ct_err_set(err, code, "the results cannot be written beside the run: is the disk full?");
}

/* The slice, whose pixels are found in the snapshot that was asked for with slice_request(). */
static struct ct_request slice_request(void) { return (struct ct_request){ .kind = CT_SECTION_SLICE }; }

static int keep_slice(struct reprocess *r, const struct ct_snapshot *snapshot, struct ct_err *err)
{
  const struct ct_request request = slice_request();
  const struct ct_snapshot_ct *ct = &snapshot->core.ct;
  struct ct_slice_view view;
  if (ct->in_slice == 0 || !ct_snapshot_slice(snapshot, &request, &view))
    return 0;
  const struct ct_run_slice slice = { .size = view.head->size, .projections = view.head->projections, .values = view.values,
                                      .pixel_um = view.head->pixel_um, .rotation_deg = ct->rotation_deg,
                                      .axis_px = ct->axis_px, .axis_sigma_px = ct->axis_sigma_px, .axis_method = ct->axis_method,
                                      .tilt_deg = ct->tilt_deg, .tilt_sigma_deg = ct->tilt_sigma_deg };
  return ct_run_process_slice(r->process, &slice) == 0 ? 0 : ct_err_set(err, CT_ENOMEM, "no memory for the slice");
}

static int write_sample(struct reprocess *r, struct ct_snapshot *snapshot, struct ct_err *err)
{
  int code = batch_write(&r->batch, snapshot);
  if (code == 0)
    code = batch_flush(&r->batch, -1);
  if (code == CT_EIO && errno == EPIPE) {
    atomic_store_explicit(&interrupted, true, memory_order_relaxed);   /* who read them has seen enough */
    return 0;
  }
  return code == 0 ? 0 : ct_err_set(err, code, "cannot write the sample: %s", strerror(errno));
}

/* What is due at the time where the analysis stands. */
static int take_due(struct reprocess *r, int64_t time_ns, bool last, struct ct_err *err)
{
  const bool sample = r->samples && (last || time_ns >= r->sample_ns);
  const bool spectra = r->process && (last || time_ns >= r->spectra_ns);
  const bool results = r->process && (last || spectra || time_ns >= r->results_ns);
  struct ct_snapshot *snapshot = picture(r);
  int code = results ? keep_results(r, snapshot, spectra, err) : 0;
  if (code == 0 && last && r->process)
    code = keep_slice(r, snapshot, err);
  if (code == 0 && sample) {
    code = write_sample(r, snapshot, err);
    r->batch.samples_left -= r->batch.samples_left > 0;
  }
  return code;
}

/* The first time of a grid from <start> that is after <time>: where nothing came for a while, nothing is due. */
static int64_t next_on_grid(int64_t start_ns, int64_t step_ns, int64_t time_ns)
{
  return start_ns + ((time_ns - start_ns) / step_ns + 1) * step_ns;
}

static int64_t earliest(const struct reprocess *r)
{
  int64_t next_ns = INT64_MAX;
  if (r->samples)
    next_ns = r->sample_ns;
  if (r->process && r->results_ns < next_ns)
    next_ns = r->results_ns;
  return next_ns;
}

static void set_due(struct reprocess *r, const struct ct_reader_progress *p)
{
  int64_t next_ns = p->now_ns > p->first_ns ? p->now_ns : p->first_ns;
  if (p->next_ns > next_ns && p->next_ns != INT64_MAX)
    next_ns = p->next_ns;
  r->sample_ns = next_on_grid(p->first_ns, r->interval_ns, next_ns);
  r->results_ns = next_on_grid(p->first_ns, results_every_ns, next_ns);
  r->spectra_ns = next_on_grid(p->first_ns, spectra_every_ns, next_ns);
}

static bool enough(const struct reprocess *r) { return r->samples && r->batch.samples_left == 0; }

static int analyse(struct reprocess *r, struct ct_err *err)
{
  struct ct_reader_progress progress;
  int code = 0;
  /* Nothing comes before the beginning of time, but the reader looks at its first frame. */
  if (!go_to(r, INT64_MIN + 1))
    return 0;
  collector_progress(&r->collector, &progress);
  set_due(r, &progress);
  for (bool last = false; !last && code == 0;) {
    const int64_t until_ns = earliest(r);
    if (!go_to(r, until_ns))
      break;
    collector_progress(&r->collector, &progress);
    if (progress.failure != NULL)
      return ct_err_set(err, CT_EIO, "%s", progress.failure);
    last = progress.ended;
    code = take_due(r, until_ns, last, err);
    last = last || enough(r) || stopped();
    if (!last)
      set_due(r, &progress);
  }
  show_progress(r, &progress, true);
  return code;
}

/* ---- opening and closing -------------------------------------------------------------------------------------------- */
/* Results need the run's folder; who may only read it gets the samples all the same. */
static void open_process(struct reprocess *r, const struct ct_settings *settings)
{
  struct run_setup *setup = &r->collector.setup;
  struct ct_err why = { "" };
  char *text;
  if (ct_run_configuration(setup->from, &text, NULL, 0, NULL) != 0)
    return;                            /* a file of frames: nothing to keep them in */
  free(text);
  if (ct_settings_is_set(settings, "samples")) {
    fprintf(stderr, "comptop: with -n the results are not kept\n");
    return;
  }
  if (ct_run_process_open(&r->process, setup->from, &setup->archive, &why) != 0)
    fprintf(stderr, "comptop: the results are not kept: %s\n", why.text);
}

static int open_all(struct reprocess *r, struct ct_settings *settings, FILE *out, struct ct_err *err)
{
  struct collector *c = &r->collector;
  const struct ct_request map = collector_map_request(), slice = slice_request();
  int code = collector_prepare(c, settings, err);
  if (code == 0 && r->samples)
    code = batch_begin(&r->batch, &r->loop, settings, out, err);
  if (code != 0)
    return code;
  open_process(r, settings);
  c->setup.analysis.archived = r->process != NULL && c->setup.hexitec >= 0;
  c->setup.analysis.until_ns = c->setup.reconstruction.until_ns = INT64_MIN;
  code = collector_open(c, err);
  for (size_t i = 0; code == 0 && r->samples && i < r->batch.n_requests; i++)
    code = ct_wants_add(c->wants, &r->batch.requests[i]);
  if (code == 0 && r->process != NULL && c->analysis != NULL)
    code = ct_wants_add(c->wants, &map);
  if (code == 0 && r->process != NULL && c->reconstruction != NULL)
    code = ct_wants_add(c->wants, &slice);
  return code;
}

static int close_process(struct reprocess *r, int code, struct ct_err *err)
{
  char path[600];
  const bool keep = code == 0 && !stopped();
  struct ct_err why = { "" };
  if (r->process == NULL)
    return code;
  int closed = ct_run_process_close(r->process, keep, path, sizeof path, &why);
  if (closed != 0 && keep)
    return ct_err_set(err, closed, "%s", why.text);
  if (keep)
    fprintf(stderr, "comptop: results in %s\n", path);
  else if (code == 0)
    fprintf(stderr, "comptop: interrupted: no results are kept\n");
  return code;
}

static void close_handle(uv_handle_t *handle, void *arg)
{
  (void)arg;
  if (!uv_is_closing(handle))
    uv_close(handle, NULL);
}

int reprocess_run(struct ct_settings *settings, FILE *out, struct ct_err *err)
{
  const struct sigaction action = { .sa_handler = on_signal };
  struct reprocess *r = ct_xcalloc(1, sizeof *r);
  r->samples = out != NULL;
  r->interval_ns = (int64_t)(ct_settings_real(settings, "interval_s") * 1e9 + 0.5);
  sigaction(SIGINT, &action, NULL);
  sigaction(SIGTERM, &action, NULL);
  uv_loop_init(&r->loop);
  int code = open_all(r, settings, out, err);
  r->started_ns = ct_time_mono_ns();
  if (code == 0)
    code = analyse(r, err);
  if (code == 0 && !stopped())
    code = keepsakes_write(&r->collector.setup, picture(r), err);
  code = close_process(r, code, err);
  uv_walk(&r->loop, close_handle, NULL);
  uv_run(&r->loop, UV_RUN_DEFAULT);
  uv_loop_close(&r->loop);
  if (r->batch.loop != NULL)
    batch_close(&r->batch);
  collector_close(&r->collector);
  free(r->counts);
  free(r);
  return code;
}
