/* The simulated beamline as live streams: one thread that makes frames and sends them when they are due. */
#include <comptop/pipeline.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <comptop/frame.h>
#include <comptop/wire.h>

#define SCALARS_HZ 10
#define QUEUE_BYTES (UINT64_C(256) << 20)
#define LINGER_MS 2000
#define LATE_NS CT_NS_PER_S

struct run {
  const struct ct_simulate *setup;
  const volatile sig_atomic_t *stop;
  void (*tell)(const char *line);
  struct ct_sim *sim;
  struct ct_publisher *hexitec, *scalars;
  uint16_t *pixels;
  size_t frame_bytes;
  struct ct_pace pace;
  int64_t start_wall_ns;
  uint64_t scalars_sent;
  bool told_late;
};

static bool stopped(const struct run *run)
{
  return *run->stop || (run->setup->parent && getppid() != run->setup->parent);
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
  if (!folder || !*folder) return 0;
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

static int send_frames(const struct run *run, uint64_t first, uint32_t count)
{
  const struct ct_sim_config *cell = &run->setup->cell;
  struct ct_frame frame = {
    .pixels = (const unsigned char *)run->pixels, .bytes = count * run->frame_bytes, .type = CT_U16,
    .count = count, .rows = cell->rows, .cols = cell->cols, .number = first,
    .attributes = { .present = CT_HAS_Z | CT_HAS_MODE | CT_HAS_TIME, .mode = CT_MODE_XCS, .z_mm = cell->z_mm,
                    .time_s = (double)run->start_wall_ns * 1e-9 + (double)first / cell->rate_hz },
  };
  char header[1000];
  int length = ct_wire_array_header(header, sizeof header, &frame, "comptop-sim", NULL);
  if (length < 0) return length;
  const struct ct_publisher_part parts[] = { { header, (size_t)length }, { frame.pixels, frame.bytes } };
  return send_all(run, run->hexitec, parts, 2);
}

/* Sends what has become due since the start; the cell is as old as the frames are. */
static int send_scalars(struct run *run, uint64_t frame)
{
  double elapsed_s = (double)(ct_time_mono_ns() - run->pace.start_ns) * 1e-9;
  if (!run->scalars || elapsed_s * SCALARS_HZ < (double)run->scalars_sent) return 0;
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
  char line[512], scalars[200] = "";
  if (run->scalars)
    snprintf(scalars, sizeof scalars, ", voltage, current and charge on %s", ct_publisher_endpoint(run->scalars));
  snprintf(line, sizeof line, "%u x %u frames at %g Hz, %g photons/s on %s%s", cell->rows, cell->cols, cell->rate_hz,
           cell->photons_per_s, ct_publisher_endpoint(run->hexitec), scalars);
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

static int play(struct run *run, struct ct_simulate_result *result)
{
  const struct ct_simulate *setup = run->setup;
  int rc = 0;
  ct_pace_start(&run->pace, setup->cell.rate_hz);
  run->start_wall_ns = ct_time_wall_ns();
  while (!rc && !stopped(run) && (setup->frames == 0 || result->frames < setup->frames)) {
    uint64_t first = result->frames;
    uint32_t count = setup->batch;
    if (setup->frames && setup->frames - first < count) count = (uint32_t)(setup->frames - first);
    for (uint32_t i = 0; i < count; i++)
      result->photons += ct_sim_frame(run->sim, first + i, run->pixels + i * (run->frame_bytes / sizeof *run->pixels));
    bool due = false;
    while (!rc && !due && !stopped(run)) {
      due = ct_pace_wait(&run->pace, first + count - 1) == 0;
      rc = send_scalars(run, first);
    }
    if (rc || !due) break;
    tell_late(run);
    rc = send_frames(run, first, count);
    if (!rc) result->frames += count;
  }
  result->seconds = (double)(ct_time_mono_ns() - run->pace.start_ns) * 1e-9;
  result->worst_late_s = (double)run->pace.worst_late_ns * 1e-9;
  return rc == CT_EBUSY ? 0 : rc;   /* stopped while there was no room */
}

static int open_streams(struct run *run, struct ct_err *err)
{
  const struct ct_simulate *setup = run->setup;
  int rc = ct_publisher_open(&run->hexitec, setup->hexitec, setup->kind, QUEUE_BYTES, setup->batch * run->frame_bytes, err);
  if (rc || !setup->scalars || !*setup->scalars) return rc;
  return ct_publisher_open(&run->scalars, setup->scalars, CT_PUBLISH_PUB, 1 << 20, 1024, err);
}

int ct_simulate_run(const struct ct_simulate *setup, const volatile sig_atomic_t *stop, void (*tell)(const char *line),
                    struct ct_simulate_result *result, struct ct_err *err)
{
  struct run run = { .setup = setup, .stop = stop, .tell = tell };
  *result = (struct ct_simulate_result){ 0 };
  int rc = ct_sim_new(&run.sim, &setup->cell, err);
  if (rc) return rc;
  run.frame_bytes = (size_t)setup->cell.rows * setup->cell.cols * sizeof *run.pixels;
  run.pixels = ct_xcalloc(setup->batch, run.frame_bytes);
  rc = write_calibration(&run, err);
  if (!rc) rc = open_streams(&run, err);
  if (rc) goto out;
  tell_start(&run);
  rc = wait_for_subscriber(&run);
  if (!rc) rc = play(&run, result);
  if (rc) ct_err_set(err, rc, "publishing failed after %llu frames: %s", (unsigned long long)result->frames, ct_err_text(rc));
out:
  ct_publisher_close(run.hexitec, LINGER_MS);
  ct_publisher_close(run.scalars, LINGER_MS);
  free(run.pixels);
  ct_sim_free(run.sim);
  return rc;
}
