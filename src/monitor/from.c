/* See from.h. */
#include "from.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <comptop/archive.h>
#include <comptop/pipeline.h>

static void add(struct from *from, const char *before, const char *text)
{
  char *to = from->text[from->argc];
  snprintf(to, FROM_TEXT, "%s%s", before, text);
  from->argv[from->argc++] = to;
}

/* The run's name; of a file that is no run, what it is called. */
static void name_of(const char *run, char name[64])
{
  char path[600];
  if (ct_run_name(run, name, 64))
    return;
  snprintf(path, sizeof path, "%s", run);
  for (size_t n = strlen(path); n > 1 && path[n - 1] == '/'; n--)
    path[n - 1] = '\0';
  const char *base = strrchr(path, '/');
  base = base != NULL ? base + 1 : path;
  const char *suffix = strrchr(base, '.');
  size_t length = suffix != NULL && suffix != base ? (size_t)(suffix - base) : strlen(base);
  struct stat status;
  if (stat(path, &status) == 0 && S_ISDIR(status.st_mode))
    length = strlen(base);
  snprintf(name, 64, "%.*s", (int)(length < 63 ? length : 63), base);
}

/* Maps that the run kept, as its files may be gone. */
static void add_maps(struct from *from, const char *run)
{
  static const char *const names[] = { "dark", "gradients", "intercepts", "threshold", "mask" };
  for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
    char before[64], path[FROM_TEXT - 64];
    if (!ct_run_map(run, names[i], path, sizeof path))
      continue;
    snprintf(before, sizeof before, "-Shexitec.%s=", names[i]);
    add(from, before, path);
  }
}

static bool has_text(char *text)
{
  const bool has = text != NULL && text[0] != '\0';
  free(text);
  return has;
}

static bool ends_in(const char *text, const char *end)
{
  const size_t n = strlen(text), m = strlen(end);
  return n > m && strcmp(text + n - m, end) == 0;
}

/* A histogram cube has its own shape and bins, and no time. One that cannot be read is refused later, with the reason. */
static void add_cube(struct from *from, const char *path)
{
  char *file, text[128];
  struct ct_hxt cube;
  if (ct_cube_read(path, &file, &cube, NULL) != 0)
    return;
  snprintf(text, sizeof text, "%u", cube.rows);
  add(from, "-Shexitec.rows=", text);
  snprintf(text, sizeof text, "%u", cube.cols);
  add(from, "-Shexitec.cols=", text);
  snprintf(text, sizeof text, "%.12g:%.12g:%.12g", cube.axis.start_keV, cube.axis.start_keV + cube.axis.n * cube.axis.width_keV,
           cube.axis.width_keV);
  add(from, "-Shexitec.bins=", text);
  add(from, "-Srun.window=", "run");
  free(file);
}

int from_settings(struct ct_settings **out, struct from *from, const char *run, int argc, char **argv, FILE *output,
                  struct ct_err *err)
{
  char path[FROM_TEXT - 8], name[64], *text = NULL;
  memset(from, 0, sizeof *from);
  from->argv = ct_xcalloc((size_t)argc + FROM_ARGUMENTS + 1, sizeof *from->argv);
  from->argv[from->argc++] = argv[0];
  if (ct_run_configuration(run, &text, path, sizeof path, NULL) == 0 && has_text(text)) {
    add(from, "-c", path);
    add_maps(from, run);
  }
  name_of(run, name);
  if (ends_in(run, ".bin"))
    add(from, "-Shexitec.readout=", "asic");
  if (ends_in(run, ".hxt"))
    add_cube(from, run);
  add(from, "-Srun.archive=", "");
  add(from, "-Srun.name=", name[0] == '.' ? "" : name);
  for (int i = 1; i < argc; i++)
    from->argv[from->argc++] = argv[i];
  return ct_settings_open(out, &ct_comptop_options, from->argc, from->argv, output, err);
}
