/* comptop-sim: a simulated coin cell on a simulated beamline. Only options and wiring. */
#include <comptop/core.h>
#include <comptop/pipeline.h>
#include <comptop/sim.h>

#include <math.h>
#include <signal.h>
#include <stdio.h>
#include <unistd.h>

static atomic_bool stop;

static void on_signal(int number)
{
  (void)number;
  atomic_store_explicit(&stop, true, memory_order_relaxed);   /* lock-free, so a handler may */
}

#define EFFECT(key_, kind_, value_) .section = "effects", .key = key_, .kind = CT_OPTION_##kind_, .value = value_

#define PROJECTION(key_, kind_, value_) .section = "camera", .key = key_, .kind = CT_OPTION_##kind_, .value = value_

static const struct ct_option rows[] = {
  { .key = "hexitec", .flag = "hexitec", .kind = CT_OPTION_ENDPOINT, .value = "tcp://127.0.0.1:5555",
    .argument = "ENDPOINT", .help = "bind and publish detector frames here" },
  { .key = "scalars", .flag = "scalars", .kind = CT_OPTION_ENDPOINT, .value = "tcp://127.0.0.1:5557",
    .argument = "ENDPOINT", .help = "bind and publish voltage, current and charge here" },
  { .key = "no-scalars", .flag = "no-scalars", .kind = CT_OPTION_SWITCH, .value = "off",
    .help = "publish no voltage, current and charge" },
  { .key = "camera", .flag = "camera", .kind = CT_OPTION_ENDPOINT, .value = "", .argument = "ENDPOINT",
    .help = "bind and publish projections of the turning cell here (default none)" },
  { .key = "slice-truth", .flag = "slice-truth", .kind = CT_OPTION_FILE, .value = "", .argument = "FILE",
    .help = "write the camera's true slice at the height of the beam to FILE, for numpy.load" },
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
  { .key = "sample", .flag = "sample", .kind = CT_OPTION_WORD, .value = "cell", .argument = "WORD",
    .words = "cell|ptfe|lithium|cathode|steel|empty|am241|co57",
    .help = "what is in the beam: the cell, a slab of one material, nothing; or a radioactive source without beam" },
  { .key = "height", .flag = "height", .kind = CT_OPTION_REAL, .value = "0.75", .min = 0, .max = 3.2, .argument = "MM",
    .help = "height of the beam in the cell: 0.25-1.25 cathode, 1.27-1.52 lithium" },
  { .key = "scan", .flag = "scan", .kind = CT_OPTION_RANGE, .value = "", .argument = "Z0:Z1:DZ",
    .help = "depth scan: heights from Z0 to Z1 in steps of DZ mm, then from Z0 again" },
  { .key = "dwell", .flag = "dwell", .kind = CT_OPTION_REAL, .value = "60", .min = 0.001, .max = 1e6, .argument = "SEC",
    .help = "time at each height of a depth scan" },
  { .key = "effects", .flag = "effects", .kind = CT_OPTION_WORD, .value = "default", .words = "default|none|all",
    .argument = "WORD", .help = "what the keys of [effects] begin with: default, none or all" },
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
  { .key = "truth", .flag = "truth", .kind = CT_OPTION_FILE, .value = "", .argument = "FILE",
    .help = "write what is true of every pixel to FILE, for numpy.load" },
  { .key = "truth-step", .flag = "truth-step", .kind = CT_OPTION_REAL, .value = "60", .min = 0.001, .max = 1e6,
    .argument = "SEC", .help = "time from record to record of the truth" },
  { .key = "seed", .flag = "seed", .kind = CT_OPTION_INTEGER, .value = "1", .min = 0, .max = 9e15, .argument = "N",
    .help = "the same seed gives the same frames" },
  { .key = "frames", .flag = "frames", .kind = CT_OPTION_INTEGER, .value = "", .min = 1, .max = 9e15, .argument = "N",
    .help = "stop after N frames" },
  { .key = "wait", .flag = "wait", .kind = CT_OPTION_SWITCH, .value = "off", .help = "wait for the first subscriber" },
  { .key = "child", .flag = "child", .kind = CT_OPTION_SWITCH, .value = "off",
    .help = "end when the process that started this one does" },
  CT_OPTIONS_KEYS,
  CT_OPTIONS_COMMON,

  /* ---- effects: keys are the members of struct ct_sim_effects ---- */
  { EFFECT("attenuation_in", SWITCH, "on"), .help = "the beam is absorbed on its way in" },
  { EFFECT("attenuation_out", SWITCH, "on"), .help = "scattered photons are absorbed on their way out" },
  { EFFECT("lithiation", WORD, "ionic"), .words = "ionic|free|off", .help = "what a lithium brings to the profile" },
  { EFFECT("lateral", SWITCH, "on"), .help = "lithium leaves faster on one side" },
  { EFFECT("depth", SWITCH, "on"), .help = "lithium leaves faster near the separator" },
  { EFFECT("elastic", SWITCH, "on"), .help = "elastic scattering" },
  { EFFECT("lines", SWITCH, "on"), .help = "K lines of W and Pb" },
  { EFFECT("double_scatter", SWITCH, "off"), .help = "photons that scatter twice" },
  { EFFECT("bubbles", SWITCH, "off"), .help = "gas that grows in the cathode" },
  { EFFECT("bragg_per_h", REAL, "0"), .min = 0, .max = 360, .help = "Bragg flashes an hour" },
  { EFFECT("top_up", REAL, "0"), .min = 0, .max = 0.99, .help = "share of the beam that is lost until it is topped up" },
  { EFFECT("vignetting", SWITCH, "on"), .help = "the pinhole's bore" },
  { EFFECT("blur", SWITCH, "on"), .help = "the pinhole's width" },
  { EFFECT("theta_map", SWITCH, "on"), .help = "scattering angles differ over the sensor" },
  { EFFECT("cross_section", SWITCH, "on"), .help = "cross section over energy" },
  { EFFECT("centre_error_px", REAL, "0"), .min = -10, .max = 10, .help = "the axis is that far from the sensor's middle" },
  { EFFECT("efficiency", SWITCH, "on"), .help = "the sensor's efficiency over energy" },
  { EFFECT("statistics", SWITCH, "on"), .help = "width of the charge made" },
  { EFFECT("noise", SWITCH, "on"), .help = "width of the electronics" },
  { EFFECT("sharing", WORD, "table"), .words = "table|cloud|off", .help = "charge in several pixels" },
  { EFFECT("fluorescence", SWITCH, "off"), .help = "the sensor's own K lines" },
  { EFFECT("escape", SWITCH, "off"), .help = "photons leave the sensor again" },
  { EFFECT("sensor_compton", SWITCH, "off"), .help = "Compton scattering in the sensor" },
  { EFFECT("tail", REAL, "0"), .min = 0, .max = 1, .help = "share of photons that lose charge" },
  { EFFECT("gain_error_permil", REAL, "0"), .min = 0, .max = 100, .help = "spread of gains around the calibration" },
  { EFFECT("gain_drift_permil_h", REAL, "0"), .min = -1000, .max = 1000, .help = "drift of the gain" },
  { EFFECT("fwhm_drift_keV_h", REAL, "0"), .min = 0, .max = 100, .help = "drift of the resolution" },
  { EFFECT("dead_pixels", INTEGER, "1"), .min = 0, .max = 1000000, .help = "pixels that are always 0" },
  { EFFECT("noisy_pixels", INTEGER, "0"), .min = 0, .max = 1000000, .help = "pixels with ten times the noise" },
  { EFFECT("row_floods_per_h", REAL, "0"), .min = 0, .max = 1e6, .help = "rows that are hit for one frame, an hour" },
  { EFFECT("level_jumps_per_h", REAL, "0"), .min = 0, .max = 360, .help = "seconds in which all pixels are 20 ADU up, an hour" },
  { EFFECT("dark_drift_ADU_h", REAL, "0"), .min = -1e6, .max = 1e6, .help = "drift of all pixels" },

  /* ---- the camera and its scans ---- */
  { PROJECTION("rows", INTEGER, "64"), .min = 1, .max = 4096, .help = "rows of the camera" },
  { PROJECTION("cols", INTEGER, "256"), .min = 1, .max = 4096, .help = "columns of the camera" },
  { PROJECTION("pixel_um", REAL, "85"), .min = 0.01, .max = 9999, .help = "its pixels" },
  { PROJECTION("axis_px", REAL, ""), .min = -4096, .max = 4096, .help = "the rotation axis; the first column's centre is 0" },
  { PROJECTION("tilt_deg", REAL, "0"), .min = -10, .max = 10, .help = "how the axis leans" },
  { PROJECTION("darks", INTEGER, "5"), .min = 0, .max = 1000000, .help = "dark frames of a scan" },
  { PROJECTION("flats", INTEGER, "5"), .min = 0, .max = 1000000, .help = "flat frames of a scan" },
  { PROJECTION("projections", INTEGER, "180"), .min = 1, .max = 1000000, .help = "projections of a scan" },
  { PROJECTION("turn_deg", WORD, "180"), .words = "180|360", .help = "degrees of a scan" },
  { PROJECTION("order", WORD, "even"), .words = "even|golden", .help = "order of the angles" },
  { PROJECTION("photons", REAL, "20000"), .min = 1, .max = 60000, .help = "photons of a pixel in a flat" },
  { PROJECTION("rings", REAL, "0"), .min = 0, .max = 0.5, .help = "spread of the pixels' gains against the flats" },
  { PROJECTION("dead_columns", INTEGER, "0"), .min = 0, .max = 4096, .help = "columns that are always 0" },
  { PROJECTION("drop", REAL, "0"), .min = 0, .max = 0.9, .help = "share of frames that never come" },
  { PROJECTION("dendrites", SWITCH, "off"), .help = "lithium that grows" },
};

static const struct ct_option_table table = {
  .program = "comptop-sim",
  .purpose = "publish the streams of a simulated coin cell on a simulated beamline",
  .rows = rows,
  .count = sizeof rows / sizeof *rows,
};

static void tell(const char *line) { fprintf(stderr, "comptop-sim: %s\n", line); }

/* The set that --effects names, then the keys that were set; the keys' own defaults are those of the default set. */
static void take_effects(const struct ct_settings *settings, struct ct_sim_effects *effects)
{
  const enum ct_sim_effects_set set = (enum ct_sim_effects_set)ct_settings_word(settings, "effects");
  ct_sim_effects(set, effects);
#define TAKE(member, type, getter)                                                        \
  if (set == CT_SIM_EFFECTS_DEFAULT || ct_settings_is_set(settings, "effects." #member))  \
    effects->member = (type)ct_settings_##getter(settings, "effects." #member)
  TAKE(attenuation_in, bool, bool);
  TAKE(attenuation_out, bool, bool);
  TAKE(lithiation, enum ct_sim_lithiation, word);
  TAKE(lateral, bool, bool);
  TAKE(depth, bool, bool);
  TAKE(elastic, bool, bool);
  TAKE(lines, bool, bool);
  TAKE(double_scatter, bool, bool);
  TAKE(bubbles, bool, bool);
  TAKE(bragg_per_h, double, real);
  TAKE(top_up, double, real);
  TAKE(vignetting, bool, bool);
  TAKE(blur, bool, bool);
  TAKE(theta_map, bool, bool);
  TAKE(cross_section, bool, bool);
  TAKE(centre_error_px, double, real);
  TAKE(efficiency, bool, bool);
  TAKE(statistics, bool, bool);
  TAKE(noise, bool, bool);
  TAKE(sharing, enum ct_sim_sharing, word);
  TAKE(fluorescence, bool, bool);
  TAKE(escape, bool, bool);
  TAKE(sensor_compton, bool, bool);
  TAKE(tail, double, real);
  TAKE(gain_error_permil, double, real);
  TAKE(gain_drift_permil_h, double, real);
  TAKE(fwhm_drift_keV_h, double, real);
  TAKE(dead_pixels, uint32_t, int);
  TAKE(noisy_pixels, uint32_t, int);
  TAKE(row_floods_per_h, double, real);
  TAKE(level_jumps_per_h, double, real);
  TAKE(dark_drift_ADU_h, double, real);
#undef TAKE
}

static void take_scan(const struct ct_settings *settings, struct ct_sim_config *cell)
{
  double from_mm, to_mm, step_mm;
  cell->heights = 1;
  cell->dwell_s = ct_settings_real(settings, "dwell");
  if (ct_parse_range(ct_settings_text(settings, "scan"), &from_mm, &to_mm, &step_mm) != 0)
    return;
  cell->z_mm = from_mm;
  cell->height_step_mm = step_mm;
  cell->heights = (uint32_t)fmin((to_mm - from_mm) / step_mm + 1e-6, 1e6) + 1;
}

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
    .slice_truth = ct_settings_text(settings, "slice-truth"),
    .camera_hz = ct_settings_real(settings, "camera-rate"),
    .alternate_s = ct_settings_real(settings, "alternate"),
    .calibration = ct_settings_text(settings, "calibration"),
    .truth = ct_settings_text(settings, "truth"),
    .truth_step_s = ct_settings_real(settings, "truth-step"),
  };
}

static void take_camera(const struct ct_settings *settings, struct ct_sim_camera_config *camera)
{
  ct_sim_camera_defaults(camera);
  camera->rows = (uint32_t)ct_settings_int(settings, "camera.rows");
  camera->cols = (uint32_t)ct_settings_int(settings, "camera.cols");
  camera->pixel_mm = ct_settings_real(settings, "camera.pixel_um") * 1e-3;
  camera->axis_px = ct_settings_real(settings, "camera.axis_px");
  camera->tilt_deg = ct_settings_real(settings, "camera.tilt_deg");
  if (isnan(camera->axis_px))
    camera->axis_px = (camera->cols - 1) / 2.0 + 2.3;   /* never quite in the middle */
  camera->darks = (uint32_t)ct_settings_int(settings, "camera.darks");
  camera->flats = (uint32_t)ct_settings_int(settings, "camera.flats");
  camera->projections = (uint32_t)ct_settings_int(settings, "camera.projections");
  camera->turn_deg = ct_settings_word(settings, "camera.turn_deg") == 0 ? 180 : 360;
  camera->golden = ct_settings_word(settings, "camera.order") == 1;
  camera->photons = ct_settings_real(settings, "camera.photons");
  camera->rings = ct_settings_real(settings, "camera.rings");
  camera->dead_columns = (uint32_t)ct_settings_int(settings, "camera.dead_columns");
  camera->drop = ct_settings_real(settings, "camera.drop");
  camera->dendrites = ct_settings_bool(settings, "camera.dendrites");
}

int main(int argc, char **argv)
{
  const pid_t parent = getppid();   /* first thing: the parent may be gone any time */
  struct ct_err err = { "" };
  struct ct_settings *settings;
  ct_open_standard();
  int rc = ct_settings_open(&settings, &table, argc, argv, stdout, &err);
  if (rc == CT_SETTINGS_DONE)
    return 0;
  if (rc != 0)
    goto out;
  struct ct_simulate simulate = simulation(settings);
  take_effects(settings, &simulate.cell.effects);
  take_scan(settings, &simulate.cell);
  take_camera(settings, &simulate.projections);
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
