/* In place of streams: those of an archived run that are analysed, as its settings describe them, or a file of frames. */
#include "setup.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <comptop/archive.h>

/* Of sources about which nobody has said another. */
static const double hexitec_hz = 9118.87, camera_hz = 10;

/* The frame files of the run; none where it is a file. */
struct recorded {
  struct ct_run_file *files;
  size_t n;
};

static const char *path_of(char path[128], const char *name, const char *key)
{
  snprintf(path, 128, "stream.%s.%s", name, key);
  return path;
}

/* Whether there is one in the place of that role already: the first is analysed, as it was live. */
static bool is_taken(const struct run_setup *setup, enum ct_role role)
{
  return (role == CT_ROLE_HEXITEC ? setup->hexitec : setup->camera) >= 0;
}

static bool has_frames(const struct recorded *recorded, const char *name)
{
  for (size_t i = 0; i < recorded->n; i++)
    if (strcmp(recorded->files[i].stream, name) == 0 && (recorded->files[i].n > 0 || !recorded->files[i].closed))
      return true;
  return false;
}

/* A stream that the settings say nothing of. */
static void add_stream(struct run_setup *setup, const char *name, enum ct_role role)
{
  struct stream_setup *stream = &setup->streams[setup->n_streams];
  snprintf(stream->name, sizeof stream->name, "%s", name);
  stream->role = role;
  stream->receiver.frame_hz = role == CT_ROLE_HEXITEC ? hexitec_hz : camera_hz;
  if (role == CT_ROLE_HEXITEC)
    setup->analysis.frame_hz = hexitec_hz;
  *(role == CT_ROLE_HEXITEC ? &setup->hexitec : &setup->camera) = (int)setup->n_streams++;
}

static int add_described(struct run_setup *setup, const struct ct_settings *s, const struct recorded *recorded,
                         int (*read)(struct run_setup *, const struct ct_settings *, const char *, struct ct_err *),
                         struct ct_err *err)
{
  static const enum ct_role roles[] = { CT_ROLE_HEXITEC, CT_ROLE_CAMERA, CT_ROLE_SCALARS };
  char path[128];
  int code = 0;
  for (size_t i = 0; code == 0 && i < ct_settings_sections(s, "stream"); i++) {
    const char *name = ct_settings_section_name(s, "stream", i);
    const enum ct_role role = roles[ct_settings_word(s, path_of(path, name, "role"))];
    if (strcmp(ct_settings_origin(s, path_of(path, name, "endpoint")), "command line") == 0)
      return ct_err_set(err, CT_EUSAGE, "--from reads an archived run; leave out --hexitec, --camera and --scalars");
    setup->scalars |= role == CT_ROLE_SCALARS;
    if (role == CT_ROLE_SCALARS || is_taken(setup, role))
      continue;
    if (recorded->n > 0 ? has_frames(recorded, name) : role == CT_ROLE_HEXITEC)
      code = read(setup, s, name, err);
  }
  return code;
}

int ct_setup_from(struct run_setup *setup, const struct ct_settings *s,
                  int (*read)(struct run_setup *, const struct ct_settings *, const char *, struct ct_err *),
                  struct ct_err *err)
{
  struct recorded recorded = { NULL, 0 };
  struct ct_h5_scan scan;
  setup->from = ct_settings_text(s, "from");
  if (ct_run_files(setup->from, &recorded.files, &recorded.n, NULL) != 0)
    recorded = (struct recorded){ NULL, 0 };
  const bool tomography = recorded.n == 0 && ct_h5_scan_find(setup->from, &scan);
  int code = tomography ? 0 : add_described(setup, s, &recorded, read, err);
  for (size_t i = 0; i < recorded.n; i++)
    if (!is_taken(setup, recorded.files[i].role))
      add_stream(setup, recorded.files[i].stream, recorded.files[i].role);
  free(recorded.files);
  if (tomography)
    add_stream(setup, "camera", CT_ROLE_CAMERA);
  else if (code == 0 && setup->n_streams == 0)
    add_stream(setup, "hexitec", CT_ROLE_HEXITEC);
  return code;
}
