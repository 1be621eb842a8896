/* What goes beside the frames of a run: gaps, scalars, alarms, results. Each in a file of its own, begun anew when the
 * disk has failed it. */
#include "archive/run.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

static const int64_t retry_ns = 5 * CT_NS_PER_S;

int ct_run_open_log(struct ct_run *run, struct ct_err *err)
{
  char path[CT_PATH];
  ct_folder_file(&run->folder, "log", run->log_index, path);
  int rc = ct_log_create(&run->log, path, &run->setup, run->plain, err);
  run->log_open = rc == 0;
  return rc;
}

int ct_run_open_results(struct ct_run *run, struct ct_err *err)
{
  char path[CT_PATH];
  ct_folder_file(&run->folder, "results", run->results_index, path);
  int rc = ct_results_create(&run->results, path, &run->setup, run->plain, ct_time_wall_ns(), err);
  run->results_open = rc == 0;
  return rc;
}

static int close_log(struct ct_run *run, struct ct_err *err)
{
  struct ct_run_file file = { .index = run->log_index };
  if (!run->log_open)
    return 0;
  ct_folder_file(&run->folder, "log", run->log_index++, file.path);
  run->log_open = false;
  int rc = ct_log_close(&run->log, ct_run_sync_room(run), err);
  run->n_syncs += rc == 0 && run->n_syncs < CT_RUN_SYNCS;
  if (rc != 0)
    ct_run_mend(&file);
  return rc;
}

static int close_results(struct ct_run *run, struct ct_err *err)
{
  struct ct_run_file file = { .index = run->results_index };
  if (!run->results_open)
    return 0;
  ct_folder_file(&run->folder, "results", run->results_index++, file.path);
  run->results_open = false;
  int rc = ct_results_close(&run->results, ct_run_sync_room(run), err);
  run->n_syncs += rc == 0 && run->n_syncs < CT_RUN_SYNCS;
  if (rc != 0)
    ct_run_mend(&file);
  return rc;
}

void ct_run_fail_log(struct ct_run *run, int64_t now_ns)
{
  struct ct_err err = { "the log cannot be written" };
  ct_run_drop_ballast(run);
  ct_store_abandon(run->log.store);
  run->log_failed_ns = now_ns;
  (void)!close_log(run, &err);
  if (!run->failed)
    ct_run_trouble(run, now_ns, err.text);
}

void ct_run_fail_results(struct ct_run *run, int64_t now_ns)
{
  struct ct_err err = { "results cannot be written" };
  ct_run_drop_ballast(run);
  ct_store_abandon(run->results.store);
  run->results_failed_ns = now_ns;
  (void)!close_results(run, &err);
  if (!run->failed)
    ct_run_trouble(run, now_ns, err.text);
}

/* In a new file when the old one has failed, a while ago. */
static bool have_log(struct ct_run *run, int64_t now_ns)
{
  if (run->log_open || run->folder.lock < 0 || now_ns - run->log_failed_ns < retry_ns)
    return run->log_open;
  run->log_failed_ns = now_ns;
  return ct_run_open_log(run, NULL) == 0;
}

static bool have_results(struct ct_run *run, int64_t now_ns)
{
  if (run->results_open || run->folder.lock < 0 || now_ns - run->results_failed_ns < retry_ns)
    return run->results_open;
  run->results_failed_ns = now_ns;
  return ct_run_open_results(run, NULL) == 0;
}

/* ---- gaps ---------------------------------------------------------------------------------------------------- */

void ct_run_write_gaps(struct ct_run *run, int64_t now_ns)
{
  size_t done = 0;
  if (run->n_gaps == 0 || !have_log(run, now_ns))
    return;
  while (done < run->n_gaps && ct_log_gap(&run->log, &run->gaps[done]) == 0)
    done++;
  if (done < run->n_gaps || ct_log_flush(&run->log) != 0) {
    ct_run_fail_log(run, now_ns);
    return;   /* all of them again in the next log: a file that failed ends where it was flushed before */
  }
  run->n_gaps = 0;
}

void ct_run_gap(struct ct_run *run, size_t stream, uint64_t first, uint64_t last, enum ct_gap_reason reason,
                int64_t now_ns)
{
  assert(stream < run->n_streams && first <= last);
  if (reason == CT_GAP_MISSED) {
    run->missed += last - first + 1;
    if (!run->failed)
      ct_run_trouble(run, now_ns, "received frames were not archived: the disk does not keep up");
  }
  struct ct_gap *before = run->n_gaps > 0 ? &run->gaps[run->n_gaps - 1] : NULL;
  if (before != NULL && before->stream == stream && before->reason == reason && before->last + 1 == first) {
    before->last = last;
    return;
  }
  if (run->n_gaps == CT_RUN_GAPS)
    ct_run_write_gaps(run, now_ns);
  if (run->n_gaps == CT_RUN_GAPS) {
    /* The log cannot be written either: the oldest is given up, its frames stay counted. */
    memmove(run->gaps, run->gaps + 1, (CT_RUN_GAPS - 1) * sizeof *run->gaps);
    run->n_gaps--;
  }
  run->gaps[run->n_gaps++] = (struct ct_gap){ .time_ns = now_ns, .first = first, .last = last,
                                              .stream = (uint8_t)stream, .reason = (uint8_t)reason };
}

/* ---- scalars, alarms, results ---------------------------------------------------------------------------------- */

void ct_run_scalar(struct ct_run *run, const struct ct_run_scalar *scalar)
{
  if (!have_log(run, scalar->arrival_ns))
    return;
  int rc = ct_log_scalar(&run->log, scalar);
  run->log_dirty = true;
  if (rc == CT_EIO)
    ct_run_fail_log(run, scalar->arrival_ns);
  else if (rc != 0)
    ct_run_trouble(run, scalar->arrival_ns, "more than 256 scalars: the later ones are not archived");
}

void ct_run_sample(struct ct_run *run, const struct ct_snapshot_core *core)
{
  if (!have_log(run, core->wall_ns))
    return;
  run->log_dirty = true;
  if (ct_log_sample(&run->log, &run->setup, core) != 0)
    ct_run_fail_log(run, core->wall_ns);
}

static void write_alarms(struct ct_run *run, int64_t now_ns)
{
  size_t done = 0;
  if (run->n_alarms == 0 || !have_log(run, now_ns))
    return;
  while (done < run->n_alarms && ct_log_alarm(&run->log, &run->alarms[done].alarm, run->alarms[done].raised,
                                              run->alarms[done].time_ns) == 0)
    done++;
  if (done < run->n_alarms || ct_log_flush(&run->log) != 0) {
    ct_run_fail_log(run, now_ns);
    return;
  }
  run->n_alarms = 0;
}

void ct_run_alarm(struct ct_run *run, const struct ct_snapshot_alarm *alarm, bool raised, int64_t now_ns)
{
  if (run->n_alarms == CT_RUN_ALARMS) {
    memmove(run->alarms, run->alarms + 1, (CT_RUN_ALARMS - 1) * sizeof *run->alarms);
    run->n_alarms--;
  }
  run->alarms[run->n_alarms++] = (struct ct_run_alarm){ .alarm = *alarm, .time_ns = now_ns, .raised = raised };
}

void ct_run_results(struct ct_run *run, const struct ct_run_results *results)
{
  const size_t pixels = (size_t)run->setup.rows * run->setup.cols;
  if (have_results(run, results->time_ns)) {
    run->results_dirty = true;
    if (ct_results_append(&run->results, results) != 0)
      ct_run_fail_results(run, results->time_ns);
  }
  if (results->emf == NULL || pixels == 0)
    return;
  memcpy(run->emf, results->emf, pixels * sizeof *run->emf);
  memcpy(run->sigma, results->sigma, pixels * sizeof *run->sigma);
  run->has_map = true;
}

void ct_run_first_header(struct ct_run *run, size_t stream, const char *text)
{
  if (stream < CT_SNAPSHOT_STREAMS)
    snprintf(run->first_headers[stream], sizeof run->first_headers[stream], "%s", text);
}

void ct_run_flush_logs(struct ct_run *run, int64_t now_ns)
{
  write_alarms(run, now_ns);
  ct_run_write_gaps(run, now_ns);
  if (run->log_dirty && run->log_open && ct_log_flush(&run->log) != 0)
    ct_run_fail_log(run, now_ns);
  if (run->results_dirty && run->results_open && ct_results_flush(&run->results) != 0)
    ct_run_fail_results(run, now_ns);
  run->log_dirty = run->results_dirty = false;
}

int ct_run_close_logs(struct ct_run *run, struct ct_err *err)
{
  int log = close_log(run, err), results = close_results(run, err);
  return log != 0 ? log : results;
}
