/* comptop-replay: recorded frames as live streams. Only options and wiring. */
#include <comptop/core.h>
#include <comptop/pipeline.h>

#include <math.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

static atomic_bool stop;

static void on_signal(int number)
{
  (void)number;
  atomic_store_explicit(&stop, true, memory_order_relaxed);   /* lock-free, so a handler may */
}

static const struct ct_option rows[] = {
  { .key = "to", .flag = "to", .kind = CT_OPTION_ENDPOINT, .value = "tcp://127.0.0.1:5555", .argument = "ENDPOINT",
    .help = "bind and publish here" },
  { .key = "push", .flag = "push", .kind = CT_OPTION_SWITCH, .value = "off",
    .help = "PUSH instead of PUB: waits for a slow receiver, loses nothing" },
  { .key = "rate", .flag = "rate", .kind = CT_OPTION_REAL, .value = "", .min = 1e-6, .max = 1e9, .argument = "HZ",
    .help = "frames a second (9118.87 for HEXITEC shapes, 10 for others)" },
  { .key = "speed", .flag = "speed", .kind = CT_OPTION_REAL, .value = "1", .min = 1e-6, .max = 1e6, .argument = "X",
    .help = "X times as fast as it was recorded" },
  { .key = "full-speed", .flag = "full-speed", .kind = CT_OPTION_SWITCH, .value = "off",
    .help = "as fast as it goes; without --push subscribers lose frames" },
  { .key = "loop", .flag = "loop", .kind = CT_OPTION_SWITCH, .value = "off",
    .help = "play for ever; frame numbers go on" },
  { .key = "times", .flag = "times", .kind = CT_OPTION_INTEGER, .value = "1", .min = 1, .max = 1e15, .argument = "N",
    .help = "play N times; frame numbers go on" },
  { .key = "batch", .flag = "batch", .kind = CT_OPTION_INTEGER, .value = "1", .min = 1, .max = 4096, .argument = "N",
    .help = "frames a message" },
  { .key = "first", .flag = "first", .kind = CT_OPTION_INTEGER, .value = "0", .min = 0, .max = 1e15, .argument = "N",
    .help = "begin with frame N of each data set, counted from 0" },
  { .key = "last", .flag = "last", .kind = CT_OPTION_INTEGER, .value = "", .min = 0, .max = 1e15, .argument = "N",
    .help = "end with frame N of each data set" },
  { .key = "begin", .flag = "begin", .kind = CT_OPTION_REAL, .value = "0", .min = 0, .max = 1e9, .argument = "SEC",
    .help = "leave out what came before SEC after the first frame" },
  { .key = "end", .flag = "end", .kind = CT_OPTION_REAL, .value = "", .min = 0, .max = 1e9, .argument = "SEC",
    .help = "leave out what came later than SEC" },
  { .key = "scalars", .flag = "scalars", .kind = CT_OPTION_ENDPOINT, .value = "", .argument = "ENDPOINT",
    .help = "bind and publish the cell's scalars here, in step with the frames" },
  { .key = "mpt", .flag = "mpt", .kind = CT_OPTION_FILE, .value = "", .argument = "FILE",
    .help = "text file of EC-Lab that the scalars are in (those of the run)" },
  { .key = "start-number", .flag = "start-number", .kind = CT_OPTION_INTEGER, .value = "", .min = 0, .max = 1e15,
    .argument = "N", .help = "number of the first frame sent (as recorded, else 0)" },
  { .key = "wait", .flag = "wait", .kind = CT_OPTION_SWITCH, .value = "off", .help = "wait for the first subscriber" },
  { .key = "stream", .flag = "stream", .kind = CT_OPTION_TEXT, .value = "", .argument = "NAME",
    .help = "of an archived run, play this stream (the HEXITEC one)" },
  { .key = "angles", .flag = "angles", .kind = CT_OPTION_TEXT, .value = "", .argument = "DATASET",
    .help = "one rotation angle a frame, sent as RotationAngle" },
  { .key = "image-key", .flag = "image-key", .kind = CT_OPTION_TEXT, .value = "", .argument = "DATASET",
    .help = "one NXtomo image key a frame, sent as ImageKey" },
  { .key = "darks", .flag = "darks", .kind = CT_OPTION_TEXT, .value = "", .argument = "DATASET",
    .help = "dark frames, sent first with ImageKey 2" },
  { .key = "flats", .flag = "flats", .kind = CT_OPTION_TEXT, .value = "", .argument = "DATASET",
    .help = "flat frames, sent first with ImageKey 1" },
  CT_OPTIONS_COMMON,
};

static int check(const struct ct_settings *settings, struct ct_err *err)
{
  if (ct_settings_is_set(settings, "rate") && ct_settings_bool(settings, "full-speed"))
    return ct_err_set(err, CT_EUSAGE, "--rate and --full-speed exclude each other");
  if (ct_settings_is_set(settings, "speed") &&
      (ct_settings_is_set(settings, "rate") || ct_settings_bool(settings, "full-speed")))
    return ct_err_set(err, CT_EUSAGE, "--speed and %s exclude each other",
                      ct_settings_is_set(settings, "rate") ? "--rate" : "--full-speed");
  if (ct_settings_is_set(settings, "end") && ct_settings_real(settings, "end") < ct_settings_real(settings, "begin"))
    return ct_err_set(err, CT_EUSAGE, "--end is before --begin");
  if (ct_settings_is_set(settings, "mpt") && !ct_settings_is_set(settings, "scalars"))
    return ct_err_set(err, CT_EUSAGE, "--mpt needs --scalars ENDPOINT: where they are published");
  if (ct_settings_is_set(settings, "times") && ct_settings_bool(settings, "loop"))
    return ct_err_set(err, CT_EUSAGE, "--loop and --times exclude each other");
  if (ct_settings_is_set(settings, "last") && ct_settings_int(settings, "last") < ct_settings_int(settings, "first"))
    return ct_err_set(err, CT_EUSAGE, "--last is before --first");
  return 0;
}

static const struct ct_option_table table = {
  .program = "comptop-replay",
  .purpose = "play recorded frames as a live stream",
  .arguments = "FILE[:/DATASET]|RUN...",
  .min_arguments = 1,
  .max_arguments = SIZE_MAX,
  .rows = rows,
  .count = sizeof rows / sizeof *rows,
  .check = check,
};

static double rate(const struct ct_settings *settings)
{
  if (ct_settings_bool(settings, "full-speed"))
    return 0;
  return ct_settings_is_set(settings, "rate") ? ct_settings_real(settings, "rate") : (double)NAN;
}

static void tell(const char *endpoint, double rate_hz)
{
  if (rate_hz > 0)
    fprintf(stderr, "comptop-replay: publishing on %s, %g frames/s\n", endpoint, rate_hz);
  else
    fprintf(stderr, "comptop-replay: publishing on %s, full speed\n", endpoint);
}

int main(int argc, char **argv)
{
  struct ct_err err = { "" };
  struct ct_settings *settings;
  ct_open_standard();
  int rc = ct_settings_open(&settings, &table, argc, argv, stdout, &err);
  if (rc == CT_SETTINGS_DONE)
    return 0;
  if (rc != 0)
    goto out;
  struct ct_replay replay = {
    .endpoint = ct_settings_text(settings, "to"),
    .kind = ct_settings_bool(settings, "push") ? CT_PUBLISH_PUSH : CT_PUBLISH_PUB,
    .image_key = ct_settings_text(settings, "image-key"),
    .angles = ct_settings_text(settings, "angles"),
    .darks = ct_settings_text(settings, "darks"),
    .flats = ct_settings_text(settings, "flats"),
    .rate_hz = rate(settings),
    .speed = ct_settings_real(settings, "speed"),
    .begin_s = ct_settings_real(settings, "begin"),
    .end_s = ct_settings_is_set(settings, "end") ? ct_settings_real(settings, "end") : (double)INFINITY,
    .scalars = ct_settings_text(settings, "scalars"),
    .mpt = ct_settings_text(settings, "mpt"),
    .loops = ct_settings_bool(settings, "loop") ? 0 : (uint64_t)ct_settings_int(settings, "times"),
    .batch = (uint32_t)ct_settings_int(settings, "batch"),
    .first = (uint64_t)ct_settings_int(settings, "first"),
    .last = ct_settings_is_set(settings, "last") ? (uint64_t)ct_settings_int(settings, "last") : UINT64_MAX,
    .start_number = ct_settings_is_set(settings, "start-number") ? (uint64_t)ct_settings_int(settings, "start-number")
                                                                 : UINT64_MAX,
    .stream = ct_settings_text(settings, "stream"),
    .wait = ct_settings_bool(settings, "wait"),
  };
  replay.specs = ct_settings_arguments(settings, &replay.n_specs);
  const struct sigaction action = { .sa_handler = on_signal };
  sigaction(SIGINT, &action, NULL);
  sigaction(SIGTERM, &action, NULL);
  struct ct_replay_result result;
  rc = ct_replay_run(&replay, &stop, tell, &result, &err);
  if (result.frames > 0)
    fprintf(stderr, "comptop-replay: %llu frames in %llu messages, %.1f s, %.1f frames/s, at most %.1f ms late\n",
            (unsigned long long)result.frames, (unsigned long long)result.messages, result.seconds,
            (double)result.frames / result.seconds, 1e3 * result.worst_late_s);
  ct_settings_close(settings);
out:
  if (rc < 0)
    fprintf(stderr, "comptop-replay: %s\n", err.text);
  return ct_err_exit(rc);
}
