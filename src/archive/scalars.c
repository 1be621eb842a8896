/* Scalars out of the logs of a run, one after the other. */
#include "archive/folder.h"
#include "archive/h5.h"
#include "archive/logfile.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { STEP = 4096 };

struct ct_run_scalars {
  struct ct_folder folder;
  unsigned next_log, n_logs;
  struct ct_h5_frames *times, *arrivals, *channels, *values;   /* of the log being read; NULL: none. An older one has no arrivals */
  char (*names)[CT_LOG_NAME];
  size_t n_names;
  uint64_t n, at, first;                            /* of the log; first: that of what was read */
  uint32_t held;
  int64_t time_ns[STEP], arrival_ns[STEP];
  uint16_t channel[STEP];
  double value[STEP];
};

static void close_log(struct ct_run_scalars *s)
{
  ct_h5_close_frames(s->times);
  ct_h5_close_frames(s->arrivals);
  ct_h5_close_frames(s->channels);
  ct_h5_close_frames(s->values);
  free(s->names);
  s->times = s->arrivals = s->channels = s->values = NULL;
  s->names = NULL;
  s->n = s->at = s->first = s->n_names = 0;
  s->held = 0;
}

/* The names of the channels, and how many scalars there are. */
static bool read_names(struct ct_run_scalars *s, const char *path)
{
  hid_t file, type = H5Tcopy(H5T_C_S1);
  H5Tset_size(type, CT_LOG_NAME);
  H5Tset_cset(type, H5T_CSET_UTF8);
  if (ct_h5_open_file(&file, path, NULL) != 0) {
    H5Tclose(type);
    return false;
  }
  hid_t names = H5Dopen2(file, "/entry/scalars/channel_name", H5P_DEFAULT);
  hid_t times = H5Dopen2(file, "/entry/scalars/time", H5P_DEFAULT);
  s->n_names = names >= 0 ? ct_h5_length(names) : 0;
  s->n = times >= 0 ? ct_h5_length(times) : 0;
  bool good = s->n > 0 && s->n_names > 0 && s->n_names <= CT_LOG_CHANNELS;
  if (good) {
    s->names = ct_xcalloc(s->n_names, CT_LOG_NAME);
    good = H5Dread(names, type, H5S_ALL, H5S_ALL, H5P_DEFAULT, s->names) >= 0;
  }
  for (size_t i = 0; good && i < s->n_names; i++)
    s->names[i][CT_LOG_NAME - 1] = '\0';
  H5Dclose(times);
  H5Dclose(names);
  H5Fclose(file);
  H5Tclose(type);
  return good;
}

static bool open_set(struct ct_run_scalars *s, struct ct_h5_frames **set, const char *path, const char *name)
{
  char spec[CT_PATH + 40];
  snprintf(spec, sizeof spec, "%s:/entry/scalars/%s", path, name);
  return ct_h5_open_column(set, spec, s->n, NULL) == 0;
}

/* The next log that has scalars; logs that a crash left open hold none that can be read. */
static bool open_log(struct ct_run_scalars *s)
{
  while (s->next_log < s->n_logs) {
    char path[CT_PATH];
    close_log(s);
    ct_folder_file(&s->folder, "log", s->next_log++, path);
    if (!read_names(s, path) || !open_set(s, &s->times, path, "time") || !open_set(s, &s->channels, path, "channel") ||
        !open_set(s, &s->values, path, "value"))
      continue;
    if (!open_set(s, &s->arrivals, path, "arrival"))
      s->arrivals = NULL;
    return true;
  }
  close_log(s);
  return false;
}

/* Fills the buffers from scalar <at> on. */
static bool fill(struct ct_run_scalars *s)
{
  while (s->at == s->n)
    if (!open_log(s))
      return false;
  if (s->at < s->first + s->held)
    return true;
  s->first = s->at;
  s->held = s->n - s->at < STEP ? (uint32_t)(s->n - s->at) : STEP;
  if (ct_h5_read_as(s->times, s->at, s->held, CT_I64, s->time_ns, NULL) == 0 &&
      ct_h5_read_as(s->arrivals != NULL ? s->arrivals : s->times, s->at, s->held, CT_I64, s->arrival_ns, NULL) == 0 &&
      ct_h5_read_as(s->channels, s->at, s->held, CT_U16, s->channel, NULL) == 0 &&
      ct_h5_read_as(s->values, s->at, s->held, CT_F64, s->value, NULL) == 0)
    return true;
  close_log(s);
  return fill(s);
}

int ct_run_scalars_open(struct ct_run_scalars **out, const char *run, struct ct_err *err)
{
  struct ct_run_scalars *s = ct_xcalloc(1, sizeof *s);
  struct ct_folder_entry *entries = NULL;
  size_t n = 0;
  *out = NULL;
  int rc = ct_folder_find(&s->folder, run, err);
  if (rc == 0)
    rc = ct_folder_list(&s->folder, &entries, &n, err);
  if (rc != 0) {
    free(s);
    return rc;
  }
  s->n_logs = ct_folder_next(entries, n, "log");
  free(entries);
  *out = s;
  return 0;
}

bool ct_run_scalars_next(struct ct_run_scalars *s, int64_t until_ns, struct ct_run_scalar *out)
{
  while (fill(s)) {
    const uint64_t i = s->at - s->first;
    if (s->arrival_ns[i] >= until_ns)
      return false;
    s->at++;
    if (s->channel[i] >= s->n_names)
      continue;
    *out = (struct ct_run_scalar){ s->names[s->channel[i]], s->time_ns[i], s->arrival_ns[i], s->value[i] };
    return true;
  }
  return false;
}

void ct_run_scalars_close(struct ct_run_scalars *s)
{
  if (s == NULL)
    return;
  close_log(s);
  free(s);
}
