/* The simulated beamline as live streams: one thread that makes frames and sends them when they are due. */
#include <comptop/pipeline.h>

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <comptop/frame.h>
#include <comptop/wire.h>

#include "pipeline/truth.h"

#define SCALARS_HZ 10
#define QUEUE_BYTES (UINT64_C(256) << 20)
#define LINGER_MS 2000
#define LATE_NS CT_NS_PER_S

struct run {
  const struct ct_simulate *setup;
  const atomic_bool *stop;
  void (*tell)(const char *line);
  struct ct_sim *sim;
  struct ct_sim_camera *camera;
  struct ct_sim_camera_config camera_config;
  struct ct_publisher *hexitec, *scalars, *projections;
  struct ct_truth *truth;
  uint16_t *pixels, *camera_pixels;
  size_t frame_bytes, camera_bytes;
  struct ct_pace pace;
  int64_t start_wall_ns;
  uint64_t scalars_sent;
  uint64_t camera_phase, camera_sent;  /* frames of the camera sent or dropped in its phase */
  uint64_t camera_number;              /* of the next one */
  bool told_late;
};

static bool wanted(const char *endpoint) { return endpoint && *endpoint; }

/* Which stretch of one mode frame <k> of <rate_hz> is in: even ones are xcs, odd ones xct. */
static uint64_t phase_at(const struct ct_simulate *setup, double k, double rate_hz)
{
  return setup->alternate_s > 0 ? (uint64_t)(k / (rate_hz * setup->alternate_s)) : 0;
}

static double elapsed_s(const struct run *run) { return (double)(ct_time_mono_ns() - run->pace.start_ns) * 1e-9; }

/* What both frame streams say of themselves. */
static struct ct_attributes attributes(const struct run *run, uint64_t phase, double t_s)
{
  struct ct_sim_state state;
  ct_sim_state(&run->setup->cell, t_s, &state);
  bool alternates = run->setup->alternate_s > 0, scans = run->setup->cell.heights > 1;
  return (struct ct_attributes){
    .present = CT_HAS_Z | CT_HAS_MODE | CT_HAS_TIME | (alternates || scans ? CT_HAS_TRIGGER : 0),
    .mode = phase % 2 ? CT_MODE_XCT : CT_MODE_XCS, .trigger = alternates ? phase : state.step, .z_mm = state.z_mm,
    .time_s = (double)run->start_wall_ns * 1e-9 + t_s
  };
}

static bool stopped(const struct run *run)
{
  /* Relaxed: the flag is the whole message. */
  return atomic_load_explicit(run->stop, memory_order_relaxed) || (run->setup->parent && getppid() != run->setup->parent);
}

/* ---- calibration files -------------------------------------------------------------------------------- */
static int write_map(const char *folder, const char *name, const double *values, size_t n, struct ct_err *err)
{
  char path[4096];
  if ((size_t)snprintf(path, sizeof path, "%s/%s", folder, name) >= sizeof path)
    return ct_err_set(err, CT_ERANGE, "the folder name %.80s... is too long", folder);
  FILE *file = fopen(path, "w");
  if (!file) return ct_err_set(err, CT_EIO, "%s cannot be written: %s", path, strerror(errno));
  for (size_t i = 0; i < n; i++) fprintf(file, "%.9g\n", values[i]);
  bool good = !ferror(file);
  if (fclose(file) || !good) return ct_err_set(err, CT_EIO, "%s cannot be written: %s", path, strerror(errno));
  return 0;
}

static int write_calibration(const struct run *run, struct ct_err *err)
{
  const char *folder = run->setup->calibration;
  if (!wanted(folder)) return 0;
  size_t n = (size_t)run->setup->cell.rows * run->setup->cell.cols;
  if (mkdir(folder, 0777) && errno != EEXIST)
    return ct_err_set(err, CT_EIO, "the folder %s cannot be made: %s", folder, strerror(errno));
  double *maps = ct_xcalloc(3 * n, sizeof *maps);
  ct_sim_calibration(run->sim, maps, maps + n, maps + 2 * n);
  int rc = write_map(folder, "gradients.txt", maps, n, err);
  if (!rc) rc = write_map(folder, "intercepts.txt", maps + n, n, err);
  if (!rc) rc = write_map(folder, "dark.txt", maps + 2 * n, n, err);
  free(maps);
  return rc;
}

/* ---- sending -------------------------------------------------------------------------------------------- */
/* PUSH returns CT_EBUSY while there is no room: then again, until told to stop. */
static int send_all(const struct run *run, struct ct_publisher *publisher, const struct ct_publisher_part *parts, size_t n)
{
  int rc;
  while ((rc = ct_publisher_send(publisher, parts, n)) == CT_EBUSY && !stopped(run)) {}
  return rc;
}

static int send_frame(const struct run *run, struct ct_publisher *publisher, const struct ct_frame *frame)
{
  char header[1000];
  int length = ct_wire_array_header(header, sizeof header, frame, "comptop-sim", NULL);
  if (length < 0) return length;
  const struct ct_publisher_part parts[] = { { header, (size_t)length }, { frame->pixels, frame->bytes } };
  return send_all(run, publisher, parts, 2);
}

static int send_frames(const struct run *run, uint64_t first, uint32_t count)
{
  const struct ct_sim_config *cell = &run->setup->cell;
  uint64_t phase = phase_at(run->setup, (double)first, cell->rate_hz);
  const struct ct_frame frame = {
    .pixels = (const unsigned char *)run->pixels, .bytes = count * run->frame_bytes, .type = CT_U16,
    .count = count, .rows = cell->rows, .cols = cell->cols, .number = first,
    .attributes = attributes(run, phase, (double)first / cell->rate_hz),
  };
  return send_frame(run, run->hexitec, &frame);
}

/* When the camera's next frame is due, in seconds since the start; infinity while it rests. */
static double projection_due_s(struct run *run)
{
  const struct ct_simulate *setup = run->setup;
  const struct ct_sim_camera_config *config = &run->camera_config;
  double alternate_s = setup->alternate_s;
  uint64_t phase = phase_at(setup, elapsed_s(run), 1), scan = (uint64_t)config->darks + config->flats + config->projections;
  if (phase != run->camera_phase) {
    run->camera_phase = phase;
    run->camera_sent = 0;
  }
  if (alternate_s > 0 && (phase % 2 == 0 || run->camera_sent == scan)) return (double)INFINITY;
  return (double)phase * alternate_s + (double)run->camera_sent / setup->camera_hz;
}

/* At most one frame of the camera, when one is due; tells the pace when to come back for the next. */
static int send_projection(struct run *run, struct ct_simulate_result *result)
{
  if (!run->camera) return 0;
  const struct ct_simulate *setup = run->setup;
  const struct ct_sim_camera_config *config = &run->camera_config;
  double due_s = projection_due_s(run), now_s = elapsed_s(run);
  run->pace.wake_ns = run->pace.start_ns + (int64_t)(fmin(due_s, now_s + 1) * 1e9);
  if (now_s < due_s) return 0;
  uint64_t scan = (uint64_t)config->darks + config->flats + config->projections;
  uint64_t k = run->camera_phase / 2 * scan + run->camera_sent++, number = run->camera_number++;
  if (ct_sim_camera_drops(config, k)) return 0;
  struct ct_frame frame = {
    .pixels = (const unsigned char *)run->camera_pixels, .bytes = run->camera_bytes, .type = CT_U16,
    .count = 1, .rows = config->rows, .cols = config->cols, .number = number,
    .attributes = attributes(run, setup->alternate_s > 0 ? run->camera_phase : 1, due_s),
  };
  frame.attributes.image_key = ct_sim_camera_frame(run->camera, k, due_s, run->camera_pixels, &frame.attributes.angle_deg);
  frame.attributes.present |= CT_HAS_ANGLE | CT_HAS_KEY;
  int rc = send_frame(run, run->projections, &frame);
  if (!rc) result->projections++;
  return rc;
}

/* Sends what has become due since the start; the cell is as old as the frames are. */
static int send_scalars(struct run *run, uint64_t frame)
{
  if (!run->scalars || elapsed_s(run) * SCALARS_HZ < (double)run->scalars_sent) return 0;
  struct ct_sim_cell cell;
  ct_sim_cell(&run->setup->cell, (double)frame / run->setup->cell.rate_hz, &cell);
  int64_t now_ns = ct_time_wall_ns();
  const struct ct_wire_scalar channels[] = {
    { "Ewe_V", cell.voltage_V, now_ns }, { "I_A", cell.current_A, now_ns }, { "Q_Ah", cell.charge_Ah, now_ns }
  };
  unsigned char buffer[4096];
  struct ct_wire_part parts[8];
  int n = ct_wire_bsread_encode(buffer, sizeof buffer, parts, 8, run->scalars_sent++, now_ns, channels, 3);
  if (n < 0) return n;
  struct ct_publisher_part out[8];
  for (int i = 0; i < n; i++) out[i] = (struct ct_publisher_part){ parts[i].data, parts[i].bytes };
  return send_all(run, run->scalars, out, (size_t)n);
}

/* ---- the run -------------------------------------------------------------------------------------------- */
static void tell_start(const struct run *run)
{
  const struct ct_sim_config *cell = &run->setup->cell;
  char line[768], scalars[200] = "", camera[200] = "";
  if (run->scalars)
    snprintf(scalars, sizeof scalars, ", voltage, current and charge on %s", ct_publisher_endpoint(run->scalars));
  if (run->projections)
    snprintf(camera, sizeof camera, ", projections at %g Hz on %s", run->setup->camera_hz,
             ct_publisher_endpoint(run->projections));
  snprintf(line, sizeof line, "%u x %u frames at %g Hz, %g photons/s on %s%s%s", cell->rows, cell->cols, cell->rate_hz,
           cell->photons_per_s, ct_publisher_endpoint(run->hexitec), scalars, camera);
  run->tell(line);
}

static void tell_late(struct run *run)
{
  if (run->told_late || run->pace.late_ns < LATE_NS) return;
  run->told_late = true;
  run->tell("more than 1 s behind: this machine or the receiver is too slow; no frame will be left out");
}

static int wait_for_subscriber(const struct run *run)
{
  int rc = 0;
  while (run->setup->wait && !stopped(run)) {
    rc = ct_publisher_wait(run->hexitec, 200);
    if (rc != CT_ENODATA && rc != CT_EBUSY) return rc;
  }
  return rc == CT_ENODATA || rc == CT_EBUSY ? 0 : rc;
}

static uint64_t height_at(const struct ct_simulate *setup, uint64_t frame)
{
  struct ct_sim_state state;
  ct_sim_state(&setup->cell, (double)frame / setup->cell.rate_hz, &state);
  return state.step;
}

/* Frames of the next message: what is left of the run, of one mode and of one height. */
static uint32_t next_count(const struct ct_simulate *setup, uint64_t first)
{
  uint32_t count = setup->batch;
  if (setup->frames && setup->frames - first < count) count = (uint32_t)(setup->frames - first);
  double rate_hz = setup->cell.rate_hz;
  uint64_t phase = phase_at(setup, (double)first, rate_hz);
  while (phase_at(setup, (double)(first + count - 1), rate_hz) != phase) count--;
  while (height_at(setup, first + count - 1) != height_at(setup, first)) count--;
  return count;
}

static int play(struct run *run, struct ct_simulate_result *result)
{
  const struct ct_simulate *setup = run->setup;
  int rc = 0;
  ct_pace_start(&run->pace, setup->cell.rate_hz);
  run->start_wall_ns = ct_time_wall_ns();
  while (!rc && !stopped(run) && (setup->frames == 0 || result->frames < setup->frames)) {
    uint64_t first = result->frames;
    uint32_t count = next_count(setup, first);
    for (uint32_t i = 0; i < count; i++)
      result->photons += ct_sim_frame(run->sim, first + i, run->pixels + i * (run->frame_bytes / sizeof *run->pixels));
    bool due = false;
    while (!rc && !due && !stopped(run)) {
      due = ct_pace_wait(&run->pace, first + count - 1) == 0;
      rc = send_scalars(run, first);
      if (!rc) rc = send_projection(run, result);
    }
    if (rc || !due) break;
    tell_late(run);
    rc = send_frames(run, first, count);
    if (rc) break;
    result->frames += count;
    rc = ct_truth_until(run->truth, (double)(result->frames - 1) / setup->cell.rate_hz);
  }
  result->seconds = elapsed_s(run);
  result->worst_late_s = (double)run->pace.worst_late_ns * 1e-9;
  return rc == CT_EBUSY ? 0 : rc;   /* stopped while there was no room */
}

static int open_camera(struct run *run, struct ct_err *err)
{
  const struct ct_simulate *setup = run->setup;
  run->camera_config = setup->projections;
  run->camera_config.seed = setup->cell.seed;
  run->camera_config.sample = setup->cell.sample;
  run->camera_config.bubbles = setup->cell.effects.bubbles;
  run->camera_config.speedup = setup->cell.speedup;
  if (!wanted(setup->camera)) return 0;
  int rc = ct_sim_camera_new(&run->camera, &run->camera_config, err);
  if (!rc && wanted(setup->slice_truth)) rc = ct_truth_slice(setup->slice_truth, run->camera, &run->camera_config, setup->cell.z_mm, err);
  if (rc) return rc;
  run->camera_bytes = (size_t)run->camera_config.rows * run->camera_config.cols * sizeof *run->camera_pixels;
  run->camera_pixels = ct_xcalloc(1, run->camera_bytes);
  return ct_publisher_open(&run->projections, setup->camera, CT_PUBLISH_PUB, QUEUE_BYTES, run->camera_bytes, err);
}

static int open_streams(struct run *run, struct ct_err *err)
{
  const struct ct_simulate *setup = run->setup;
  int rc = ct_publisher_open(&run->hexitec, setup->hexitec, setup->kind, QUEUE_BYTES, setup->batch * run->frame_bytes, err);
  if (!rc && wanted(setup->scalars))
    rc = ct_publisher_open(&run->scalars, setup->scalars, CT_PUBLISH_PUB, 1 << 20, 1024, err);
  return rc ? rc : open_camera(run, err);
}

int ct_simulate_run(const struct ct_simulate *setup, const atomic_bool *stop, void (*tell)(const char *line),
                    struct ct_simulate_result *result, struct ct_err *err)
{
  struct run run = { .setup = setup, .stop = stop, .tell = tell };
  *result = (struct ct_simulate_result){ 0 };
  int rc = ct_sim_new(&run.sim, &setup->cell, err);
  if (rc) return rc;
  run.frame_bytes = (size_t)setup->cell.rows * setup->cell.cols * sizeof *run.pixels;
  run.pixels = ct_xcalloc(setup->batch, run.frame_bytes);
  rc = write_calibration(&run, err);
  if (!rc && wanted(setup->truth)) rc = ct_truth_open(&run.truth, setup->truth, run.sim, &setup->cell, setup->truth_step_s, err);
  if (!rc) rc = open_streams(&run, err);
  if (rc) goto out;
  tell_start(&run);
  rc = wait_for_subscriber(&run);
  if (!rc) rc = play(&run, result);
  if (rc == CT_EIO && ct_truth_failed(run.truth))
    ct_err_set(err, rc, "%s cannot be written after %llu frames", setup->truth, (unsigned long long)result->frames);
  else if (rc)
    ct_err_set(err, rc, "publishing failed after %llu frames: %s", (unsigned long long)result->frames, ct_err_text(rc));
out:
  ct_truth_close(run.truth);
  ct_publisher_close(run.hexitec, LINGER_MS);
  ct_publisher_close(run.scalars, LINGER_MS);
  ct_publisher_close(run.projections, LINGER_MS);
  free(run.pixels);
  free(run.camera_pixels);
  ct_sim_camera_free(run.camera);
  ct_sim_free(run.sim);
  return rc;
}
