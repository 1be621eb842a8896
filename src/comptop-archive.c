/* comptop-archive: look into, check and repair archived runs. Only options and wiring. */
#include <comptop/archive.h>
#include <comptop/core.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct ct_option rows[] = { CT_OPTIONS_COMMON };

static void say(void *context, const char *line)
{
  (void)context;
  printf("%s\n", line);
}

static int info(const char *run, struct ct_err *err)
{
  struct ct_run_file *files;
  size_t n;
  uint64_t frames = 0, bytes = 0;
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
  free(files);
  return 0;
}

static int verify(const char *run, struct ct_err *err)
{
  struct ct_run_check check;
  int rc = ct_run_verify(run, say, NULL, &check, err);
  printf("%s: %llu files, %llu frames read, %llu differ from their checksum, %llu files not readable; "
         "%llu frames listed as lost, %llu as missed\n", run, (unsigned long long)check.files,
         (unsigned long long)check.frames, (unsigned long long)check.bad_frames, (unsigned long long)check.bad_files,
         (unsigned long long)check.lost, (unsigned long long)check.missed);
  return rc;
}

static int repair(const char *run, struct ct_err *err)
{
  return ct_run_repair(run, say, NULL, err);
}

static int export(const char *run, struct ct_err *err)
{
  (void)run;
  return ct_err_set(err, CT_EUNSUPPORTED, "export: not yet in this version");
}

static const struct {
  const char *name;
  int (*act)(const char *run, struct ct_err *err);
} commands[] = { { "info", info }, { "verify", verify }, { "repair", repair }, { "export", export } };
enum { COMMANDS = sizeof commands / sizeof *commands };

static size_t command_of(const struct ct_settings *settings)
{
  size_t n, i = 0;
  const char *name = ct_settings_arguments(settings, &n)[0];
  while (i < COMMANDS && strcmp(commands[i].name, name) != 0)
    i++;
  return i;
}

static int check(const struct ct_settings *settings, struct ct_err *err)
{
  size_t n;
  const char *const *arguments = ct_settings_arguments(settings, &n);
  if (command_of(settings) == COMMANDS)
    return ct_err_set(err, CT_EUSAGE, "%.60s: no such command; there are info, verify and repair", arguments[0]);
  return 0;
}

static const struct ct_option_table table = {
  .program = "comptop-archive",
  .purpose = "look into, check and repair archived runs",
  .arguments = "info|verify|repair RUN...",
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
  int worst = 0, rc = ct_settings_open(&settings, &table, argc, argv, stdout, &err);
  if (rc == CT_SETTINGS_DONE)
    return 0;
  if (rc != 0) {
    fprintf(stderr, "comptop-archive: %s\n", err.text);
    return ct_err_exit(rc);
  }
  size_t n;
  const char *const *arguments = ct_settings_arguments(settings, &n);
  for (size_t i = 1; i < n; i++) {
    rc = commands[command_of(settings)].act(arguments[i], &err);
    if (rc != 0) {
      fprintf(stderr, "comptop-archive: %s\n", err.text);
      worst = rc;
    }
  }
  ct_settings_close(settings);
  if (fflush(stdout) != 0 || ferror(stdout)) {
    fprintf(stderr, "comptop-archive: standard output cannot be written\n");
    return 1;
  }
  return ct_err_exit(worst);
}
