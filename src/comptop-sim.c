/* comptop-sim: a simulated coin cell on a simulated beamline. Only options and wiring. */
#include <comptop/core.h>
#include <comptop/pipeline.h>
#include <comptop/sim.h>

#include <signal.h>
#include <stdio.h>
#include <unistd.h>

static atomic_bool stop;

static void on_signal(int number)
{
  (void)number;
  atomic_store_explicit(&stop, true, memory_order_relaxed);   /* lock-free, so a handler may */
}

static const struct ct_option rows[] = {
  { .key = "hexitec", .flag = "hexitec", .kind = CT_OPTION_ENDPOINT, .value = "tcp://127.0.0.1:5555",
    .argument = "ENDPOINT", .help = "bind and publish detector frames here" },
  { .key = "scalars", .flag = "scalars", .kind = CT_OPTION_ENDPOINT, .value = "tcp://127.0.0.1:5557",
    .argument = "ENDPOINT", .help = "bind and publish voltage, current and charge here" },
  { .key = "no-scalars", .flag = "no-scalars", .kind = CT_OPTION_SWITCH, .value = "off",
    .help = "publish no voltage, current and charge" },
  { .key = "camera", .flag = "camera", .kind = CT_OPTION_ENDPOINT, .value = "", .argument = "ENDPOINT",
    .help = "bind and publish projections of the turning cell here (default none)" },
  { .key = "camera-rate", .flag = "camera-rate", .kind = CT_OPTION_REAL, .value = "10", .min = 0.001, .max = 1000,
    .argument = "HZ", .help = "projections a second" },
  { .key = "alternate", .flag = "alternate", .kind = CT_OPTION_REAL, .value = "0", .min = 0, .max = 1e6, .argument = "SEC",
    .help = "change between Mode xcs and xct every SEC; 0: always xcs" },
  { .key = "push", .flag = "push", .kind = CT_OPTION_SWITCH, .value = "off",
    .help = "PUSH detector frames instead of PUB: waits for a slow receiver, loses nothing" },
  { .key = "rate", .flag = "rate", .kind = CT_OPTION_REAL, .value = "9118.87", .min = 0.001, .max = 1e7, .argument = "HZ",
    .help = "frames a second" },
  { .key = "photons", .flag = "photons", .kind = CT_OPTION_REAL, .value = "1e5", .min = 0, .max = 1e11,
    .argument = "PER_S", .help = "photons detected a second" },
  { .key = "batch", .flag = "batch", .kind = CT_OPTION_INTEGER, .value = "1", .min = 1, .max = 4096, .argument = "N",
    .help = "frames a message" },
  { .key = "speedup", .flag = "speedup", .kind = CT_OPTION_REAL, .value = "1", .min = 0, .max = 1e6, .argument = "X",
    .help = "let the cell charge X times as fast" },
  { .key = "sample", .flag = "sample", .kind = CT_OPTION_WORD, .value = "cell", .words = "cell|ptfe|lithium|cathode|steel",
    .argument = "WORD", .help = "what is in the beam: the cell, or a slab of one material" },
  { .key = "height", .flag = "height", .kind = CT_OPTION_REAL, .value = "0.75", .min = 0, .max = 3.2, .argument = "MM",
    .help = "height of the beam in the cell: 0.25-1.25 cathode, 1.27-1.52 lithium" },
  { .key = "rows", .flag = "rows", .kind = CT_OPTION_INTEGER, .value = "80", .min = 1, .max = 1024, .argument = "N",
    .help = "rows of the detector" },
  { .key = "cols", .flag = "cols", .kind = CT_OPTION_INTEGER, .value = "80", .min = 1, .max = 1024, .argument = "N",
    .help = "columns of the detector" },
  { .key = "asic", .flag = "asic", .kind = CT_OPTION_SWITCH, .value = "off",
    .help = "pixels in the order the ASIC reads them" },
  { .key = "pedestal", .flag = "pedestal", .kind = CT_OPTION_SWITCH, .value = "off",
    .help = "readout without offset correction, every pixel with a gain of its own" },
  { .key = "calibration", .flag = "calibration", .kind = CT_OPTION_FILE, .value = "", .argument = "DIR",
    .help = "write gradients.txt, intercepts.txt and dark.txt to DIR" },
  { .key = "seed", .flag = "seed", .kind = CT_OPTION_INTEGER, .value = "1", .min = 0, .max = 9e15, .argument = "N",
    .help = "the same seed gives the same frames" },
  { .key = "frames", .flag = "frames", .kind = CT_OPTION_INTEGER, .value = "", .min = 1, .max = 9e15, .argument = "N",
    .help = "stop after N frames" },
  { .key = "wait", .flag = "wait", .kind = CT_OPTION_SWITCH, .value = "off", .help = "wait for the first subscriber" },
  { .key = "child", .flag = "child", .kind = CT_OPTION_SWITCH, .value = "off",
    .help = "end when the process that started this one does" },
  CT_OPTIONS_COMMON,
};

static const struct ct_option_table table = {
  .program = "comptop-sim",
  .purpose = "publish the streams of a simulated coin cell on a simulated beamline",
  .rows = rows,
  .count = sizeof rows / sizeof *rows,
};

static void tell(const char *line) { fprintf(stderr, "comptop-sim: %s\n", line); }

static struct ct_simulate simulation(const struct ct_settings *settings)
{
  return (struct ct_simulate){
    .cell = {
      .seed = (uint64_t)ct_settings_int(settings, "seed"),
      .rows = (uint32_t)ct_settings_int(settings, "rows"),
      .cols = (uint32_t)ct_settings_int(settings, "cols"),
      .rate_hz = ct_settings_real(settings, "rate"),
      .photons_per_s = ct_settings_real(settings, "photons"),
      .speedup = ct_settings_real(settings, "speedup"),
      .z_mm = ct_settings_real(settings, "height"),
      .sample = (enum ct_sim_sample)ct_settings_word(settings, "sample"),
      .asic = ct_settings_bool(settings, "asic"),
      .pedestal = ct_settings_bool(settings, "pedestal"),
    },
    .hexitec = ct_settings_text(settings, "hexitec"),
    .scalars = ct_settings_bool(settings, "no-scalars") ? NULL : ct_settings_text(settings, "scalars"),
    .kind = ct_settings_bool(settings, "push") ? CT_PUBLISH_PUSH : CT_PUBLISH_PUB,
    .batch = (uint32_t)ct_settings_int(settings, "batch"),
    .frames = (uint64_t)ct_settings_int(settings, "frames"),
    .wait = ct_settings_bool(settings, "wait"),
    .camera = ct_settings_text(settings, "camera"),
    .camera_hz = ct_settings_real(settings, "camera-rate"),
    .alternate_s = ct_settings_real(settings, "alternate"),
    .calibration = ct_settings_text(settings, "calibration"),
  };
}

int main(int argc, char **argv)
{
  const pid_t parent = getppid();   /* first thing: the parent may be gone any time */
  struct ct_err err = { "" };
  struct ct_settings *settings;
  int rc = ct_settings_open(&settings, &table, argc, argv, stdout, &err);
  if (rc == CT_SETTINGS_DONE)
    return 0;
  if (rc != 0)
    goto out;
  struct ct_simulate simulate = simulation(settings);
  if (ct_settings_bool(settings, "child"))
    simulate.parent = parent;
  const struct sigaction action = { .sa_handler = on_signal };
  sigaction(SIGINT, &action, NULL);
  sigaction(SIGTERM, &action, NULL);
  struct ct_simulate_result result;
  rc = ct_simulate_run(&simulate, &stop, tell, &result, &err);
  if (result.frames > 0)
    fprintf(stderr, "comptop-sim: %llu frames with %llu photons in %.1f s, at most %.1f ms late\n",
            (unsigned long long)result.frames, (unsigned long long)result.photons, result.seconds,
            1e3 * result.worst_late_s);
  ct_settings_close(settings);
out:
  if (rc < 0)
    fprintf(stderr, "comptop-sim: %s\n", err.text);
  return ct_err_exit(rc);
}
