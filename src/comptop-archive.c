/* comptop-archive: look into, check, repair and calibrate archived runs. Only options and wiring. */
#include <comptop/archive.h>
#include <comptop/core.h>
#include <comptop/pipeline.h>

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const struct ct_option rows[] = {
  { .key = "source", .flag = "source", .kind = CT_OPTION_TEXT, .value = "", .argument = "NAME[,NAME...]",
    .help = "calibrate: what shone on the detector: Am-241, Co-57, W, Pb, ..." },
  { .key = "to", .flag = "to", .kind = CT_OPTION_TEXT, .value = ".", .argument = "DIR",
    .help = "calibrate, export: where files are written" },
  { .key = "as", .flag = "as", .kind = CT_OPTION_WORDS, .value = "", .words = "hxt|csv|tsv|png|nxtomo|bdf|plain|events",
    .argument = "FORMAT[,FORMAT...]", .help = "export: what is made of the run" },
  { .key = "fwhm_keV", .flag = "fwhm", .kind = CT_OPTION_REAL, .value = "1", .min = 0.1, .max = 10, .argument = "KEV",
    .help = "calibrate: about how wide a line is" },
  { .key = "dark", .flag = "dark", .kind = CT_OPTION_FILE, .value = "", .argument = "FILE",
    .help = "calibrate: offsets in ADU, or measure (as the run had it)" },
  { .key = "threshold", .flag = "threshold", .kind = CT_OPTION_REAL_OR_FILE, .value = "80", .min = 0, .max = 65535,
    .argument = "ADU|FILE", .help = "calibrate: kept when >= (as the run had it)" },
  { .key = "readout", .flag = "readout", .kind = CT_OPTION_WORD, .value = "geometric", .words = "geometric|asic",
    .argument = "ORDER", .help = "calibrate: order of the pixels in a frame (as the run had it)" },
  { .key = "stream", .flag = "stream", .kind = CT_OPTION_TEXT, .value = "", .argument = "NAME",
    .help = "calibrate: of a run, this stream (the HEXITEC one)" },
  CT_OPTIONS_COMMON,
};

static void say(void *context, const char *line)
{
  (void)context;
  printf("%s\n", line);
}

/* On a terminal only: how far it is. */
static void show_progress(void *context, const char *what, uint64_t done, uint64_t all)
{
  static int last_percent = -1;
  const int percent = all > 0 ? (int)(100 * done / all) : 0;
  (void)context;
  if (percent == last_percent)
    return;
  last_percent = percent;
  fprintf(stderr, "\r%s: %3d %%\033[K%s", what, percent, done >= all ? "\r\033[K" : "");
}

static void tell_when(const struct ct_run_file *files, size_t n)
{
  int64_t first_ns = INT64_MAX, last_ns = 0;
  char first[CT_TIME_TEXT], last[CT_TIME_TEXT];
  for (size_t i = 0; i < n; i++)
    if (files[i].n > 0) {
      first_ns = files[i].first_arrival_ns < first_ns ? files[i].first_arrival_ns : first_ns;
      last_ns = files[i].last_arrival_ns > last_ns ? files[i].last_arrival_ns : last_ns;
    }
  if (last_ns > 0)
    printf("from %s to %s, %.1f s\n", ct_time_text(first_ns, first), ct_time_text(last_ns, last),
           (double)(last_ns - first_ns) / 1e9);
}

static int tell_summary(const char *run, struct ct_err *err)
{
  struct ct_run_summary summary;
  int rc = ct_run_summarise(run, &summary, err);
  if (rc != 0)
    return rc;
  printf("%s: %u sessions, %llu frames lost, %llu missed\n", summary.name, summary.sessions,
         (unsigned long long)summary.lost, (unsigned long long)summary.missed);
  if (summary.emf_lines > 0)
    printf("EMF %.4f, mean of %llu results over time; the last one %.4f +- %.4f\n", summary.emf_mean,
           (unsigned long long)summary.emf_lines, summary.emf_last, summary.emf_last_sigma);
  return 0;
}

static void show_marker(void *context, int64_t time_ns, const char *text)
{
  char time[CT_TIME_TEXT];
  (void)context;
  printf("marker %s  %s\n", ct_time_text(time_ns, time), text);
}

static int info(const struct ct_settings *settings, const char *run, struct ct_err *err)
{
  struct ct_run_file *files;
  size_t n;
  uint64_t frames = 0, bytes = 0;
  (void)settings;
  int rc = ct_run_files(run, &files, &n, err);
  if (rc != 0)
    return rc;
  printf("%-16s %6s %10s %-22s %-8s %20s %12s  %s\n", "stream", "file", "frames", "numbers", "type", "shape", "bytes",
         "received");
  for (size_t i = 0; i < n; i++) {
    const struct ct_run_file *file = &files[i];
    char numbers[48], shape[32], start[CT_TIME_TEXT];
    if (!file->closed) {
      printf("%-16s %06u %10s\n", file->stream, file->index, "open");
      continue;
    }
    snprintf(numbers, sizeof numbers, "%llu-%llu", (unsigned long long)file->first_number,
             (unsigned long long)file->last_number);
    snprintf(shape, sizeof shape, "%ux%u", file->rows, file->cols);
    printf("%-16s %06u %10llu %-22s %-8s %20s %12llu  %s\n", file->stream, file->index, (unsigned long long)file->n,
           file->n ? numbers : "", file->n ? ct_type_text(file->type) : "", file->n ? shape : "",
           (unsigned long long)file->bytes, file->n ? ct_time_text(file->first_arrival_ns, start) : "");
    frames += file->n;
    bytes += file->bytes;
  }
  printf("%zu files, %llu frames, %llu bytes\n", n, (unsigned long long)frames, (unsigned long long)bytes);
  tell_when(files, n);
  free(files);
  rc = tell_summary(run, err);
  return rc != 0 ? rc : ct_run_markers(run, show_marker, NULL, err);
}

static int verify(const struct ct_settings *settings, const char *run, struct ct_err *err)
{
  (void)settings;
  struct ct_run_check check;
  const struct ct_run_watch watch = { .say = say, .progress = isatty(STDERR_FILENO) ? show_progress : NULL };
  int rc = ct_run_verify(run, &watch, &check, err);
  printf("%s: %llu files, %llu frames read, %llu differ from their checksum, %llu files not readable; "
         "%llu frames listed as lost, %llu as missed, %llu neither there nor listed\n", run, (unsigned long long)check.files,
         (unsigned long long)check.frames, (unsigned long long)check.bad_frames, (unsigned long long)check.bad_files,
         (unsigned long long)check.lost, (unsigned long long)check.missed, (unsigned long long)check.unlisted);
  return rc;
}

static int repair(const struct ct_settings *settings, const char *run, struct ct_err *err)
{
  (void)settings;
  return ct_run_repair(run, say, NULL, err);
}

static int export(const struct ct_settings *settings, const char *run, struct ct_err *err)
{
  const unsigned formats = ct_settings_words(settings, "as");
  int rc = 0;
  for (int what = CT_EXPORT_HXT; what < CT_EXPORTS && rc == 0; what++) {
    const struct ct_run_export job = { .run = run, .to = ct_settings_text(settings, "to"), .what = (enum ct_export)what,
                                       .say = say, .progress = isatty(STDERR_FILENO) ? show_progress : NULL };
    if (formats & 1u << what)
      rc = ct_run_export(&job, err);
  }
  return rc;
}

/* ---- calibrate ------------------------------------------------------------------------------------------------ */
/* What the run was collected with: of the HEXITEC detector, the order of its pixels, darks and threshold. */
static struct ct_settings *collected_with(const char *run)
{
  struct ct_settings *settings = NULL;
  struct ct_err err = { "" };
  char *text;
  if (ct_run_configuration(run, &text, NULL, 0, NULL) != 0 || text[0] == '\0')
    return NULL;
  if (ct_settings_parse(&settings, &ct_comptop_options, "its settings", text, strlen(text), &err) != 0)
    fprintf(stderr, "comptop-archive: %s: %s; going on without them: give --dark, --threshold and --readout\n", run, err.text);
  free(text);
  return settings;
}

static const char *setting(const struct ct_settings *given, const char *key, const struct ct_settings *collected,
                           const char *path)
{
  return collected == NULL || ct_settings_is_set(given, key) ? ct_settings_text(given, key)
                                                             : ct_settings_text(collected, path);
}

static void tell_result(const struct ct_calibrate_run *run, const struct ct_calibrate_result *result)
{
  enum { NAMED = 20 };
  unsigned named = 0;
  printf("%" PRIu64 " frames, %" PRIu64 " photons in single pixels; typical gradient %.4g keV/ADU\n", result->frames,
         result->singles, result->gradient_keV);
  for (int v = 0; v < CT_CALIBRATION_VERDICTS; v++)
    if (result->verdicts[v] > 0)
      printf("%-14s %7zu pixels\n", ct_calibration_word((enum ct_calibration_verdict)v), result->verdicts[v]);
  const size_t good = result->verdicts[CT_CALIBRATION_OK] + result->verdicts[CT_CALIBRATION_TWO];
  if (2 * good < result->pixels - result->verdicts[CT_CALIBRATION_EMPTY])
    printf("fewer than half of the pixels could be calibrated: is the source %s, and were there enough photons?\n",
           run->sources);
  for (size_t i = 0; i < result->pixels && named <= NAMED; i++) {
    const struct ct_calibration *pixel = &result->calibrations[i];
    if (pixel->gradient_keV != 0)
      continue;
    if (named++ == NAMED)
      printf("... and more: see quality.tsv\n");
    else
      printf("not calibrated: pixel %zu (row %zu, column %zu): %s\n", i, i / result->cols, i % result->cols,
             ct_calibration_word(pixel->verdict));
  }
  printf("written: %s/gradients.txt, intercepts.txt, quality.tsv\n", run->folder);
}

static int calibrate(const struct ct_settings *given, struct ct_err *err)
{
  size_t n;
  const char *const *arguments = ct_settings_arguments(given, &n);
  struct ct_settings *collected = collected_with(arguments[1]);
  struct ct_calibrate_result result;
  struct ct_calibrate_run run = {
    .specs = arguments + 1, .n_specs = n - 1,
    .stream = ct_settings_text(given, "stream"),
    .sources = ct_settings_text(given, "source"),
    .fwhm_keV = ct_settings_real(given, "fwhm_keV"),
    .dark = setting(given, "dark", collected, "hexitec.dark"),
    .threshold = setting(given, "threshold", collected, "hexitec.threshold"),
    .asic_order = strcmp(setting(given, "readout", collected, "hexitec.readout"), "asic") == 0,
    .next_frame = collected != NULL && ct_settings_bool(collected, "hexitec.next_frame"),
    .folder = ct_settings_text(given, "to"),
    .progress = isatty(STDERR_FILENO) ? show_progress : NULL,
  };
  run.measure_dark = strcmp(run.dark, "measure") == 0;
  int rc = ct_calibrate_frames(&run, &result, err);
  if (rc == 0)
    tell_result(&run, &result);
  free(result.calibrations);
  ct_settings_close(collected);
  return rc;
}

/* ---- commands -------------------------------------------------------------------------------------------------- */
static const struct {
  const char *name;
  int (*act)(const struct ct_settings *settings, const char *run, struct ct_err *err);
} commands[] = { { "info", info }, { "verify", verify }, { "repair", repair }, { "export", export } };
enum { COMMANDS = sizeof commands / sizeof *commands };

static const char *command_of(const struct ct_settings *settings)
{
  size_t n;
  return ct_settings_arguments(settings, &n)[0];
}

static size_t place_of(const char *command)
{
  size_t i = 0;
  while (i < COMMANDS && strcmp(commands[i].name, command) != 0)
    i++;
  return i;
}

static bool is_calibrate(const struct ct_settings *settings) { return strcmp(command_of(settings), "calibrate") == 0; }

static int check(const struct ct_settings *settings, struct ct_err *err)
{
  if (place_of(command_of(settings)) == COMMANDS && !is_calibrate(settings))
    return ct_err_set(err, CT_EUSAGE, "%.60s: no such command; there are info, verify, repair, export and calibrate",
                      command_of(settings));
  if (strcmp(command_of(settings), "export") == 0 && ct_settings_words(settings, "as") == 0)
    return ct_err_set(err, CT_EUSAGE, "export: needs --as FORMAT: hxt, csv, tsv, png, nxtomo, bdf, plain, events");
  if (is_calibrate(settings) && !ct_settings_is_set(settings, "source"))
    return ct_err_set(err, CT_EUSAGE, "calibrate: needs --source NAME: what shone on the detector (Am-241, Co-57, W,Pb, ...)");
  return 0;
}

/* One run after the other; the worst of what became of them. */
static int act_on_each(const struct ct_settings *settings, struct ct_err *err)
{
  size_t n;
  int worst = 0;
  const char *const *arguments = ct_settings_arguments(settings, &n);
  for (size_t i = 1; i < n; i++) {
    int rc = commands[place_of(arguments[0])].act(settings, arguments[i], err);
    if (rc != 0) {
      fprintf(stderr, "comptop-archive: %s\n", err->text);
      worst = rc;
    }
  }
  return worst;
}

static const struct ct_option_table table = {
  .program = "comptop-archive",
  .purpose = "look into, check, repair, export and calibrate archived runs",
  .arguments = "info|verify|repair|export|calibrate RUN...",
  .min_arguments = 2,
  .max_arguments = SIZE_MAX,
  .rows = rows,
  .count = sizeof rows / sizeof *rows,
  .check = check,
};

int main(int argc, char **argv)
{
  struct ct_err err = { "" };
  struct ct_settings *settings;
  ct_open_standard();
  int rc = ct_settings_open(&settings, &table, argc, argv, stdout, &err);
  if (rc == CT_SETTINGS_DONE)
    return 0;
  if (rc == 0) {
    rc = is_calibrate(settings) ? calibrate(settings, &err) : act_on_each(settings, &err);
    if (rc != 0 && is_calibrate(settings))
      fprintf(stderr, "comptop-archive: %s\n", err.text);
  } else {
    fprintf(stderr, "comptop-archive: %s\n", err.text);
  }
  ct_settings_close(settings);
  if (fflush(stdout) != 0 || ferror(stdout)) {
    fprintf(stderr, "comptop-archive: standard output cannot be written\n");
    return 1;
  }
  return ct_err_exit(rc);
}
