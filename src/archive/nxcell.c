/* What the potentiostat said, as NXlog: scalars out of the closed logs of a run. */
#include "archive/h5.h"
#include "archive/nexus.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Names end in their unit: Ewe_V, I_mA, Q_Ah, T_degC. */
static const char *units_of(const char *name)
{
  static const char *const units[][2] = { { "V", "V" }, { "mV", "mV" }, { "A", "A" }, { "mA", "mA" }, { "uA", "uA" },
    { "Ah", "A h" }, { "mAh", "mA h" }, { "degC", "degC" }, { "K", "K" }, { "s", "s" }, { "h", "h" }, { "mm", "mm" },
    { "um", "um" }, { "deg", "deg" }, { "Hz", "Hz" }, { "W", "W" }, { "keV", "keV" } };
  const char *end = strrchr(name, '_');
  for (size_t i = 0; end != NULL && i < sizeof units / sizeof *units; i++)
    if (strcmp(end + 1, units[i][0]) == 0)
      return units[i][1];
  return "1";
}

/* Scalars as NXlog, one a channel, out of the closed logs. */
static void put_channel(hid_t group, const char *name, const double *time_s, const double *value, hsize_t n,
                        int64_t start_ns)
{
  char start[CT_TIME_TEXT];
  hid_t log = ct_nx_group(group, name, "NXlog");
  ct_nx_values(log, "time", H5T_NATIVE_DOUBLE, 1, &n, time_s, "s");
  ct_nx_values(log, "value", H5T_NATIVE_DOUBLE, 1, &n, value, units_of(name));
  hid_t set = H5Dopen2(log, "time", H5P_DEFAULT);
  ct_h5_text(set, "start", ct_time_text(start_ns, start));
  H5Dclose(set);
  H5Gclose(log);
}

static hsize_t length_of(hid_t file, const char *name)
{
  hid_t set = H5Dopen2(file, name, H5P_DEFAULT);
  hsize_t n = ct_h5_length(set);
  H5Dclose(set);
  return n;
}

static bool read_all(hid_t file, const char *name, hid_t type, void *out)
{
  hid_t set = H5Dopen2(file, name, H5P_DEFAULT);
  bool good = set >= 0 && H5Dread(set, type, H5S_ALL, H5S_ALL, H5P_DEFAULT, out) >= 0;
  H5Dclose(set);
  return good;
}

static void put_scalars_of(hid_t group, hid_t log, int64_t start_ns)
{
  const hsize_t n = length_of(log, "/entry/scalars/value"), n_names = length_of(log, "/entry/scalars/channel_name");
  if (n == 0 || n_names == 0 || length_of(log, "/entry/scalars/time") != n || length_of(log, "/entry/scalars/channel") != n)
    return;
  enum { NAME = 64 };
  char (*names)[NAME] = ct_xcalloc(n_names, NAME);
  int64_t *time_ns = ct_xcalloc(n, sizeof *time_ns);
  uint16_t *channel = ct_xcalloc(n, sizeof *channel);
  double *value = ct_xcalloc(n, sizeof *value), *times = ct_xcalloc(n, sizeof *times),
         *values = ct_xcalloc(n, sizeof *values);
  hid_t type = H5Tcopy(H5T_C_S1);
  H5Tset_size(type, NAME);
  H5Tset_cset(type, H5T_CSET_UTF8);
  bool good = read_all(log, "/entry/scalars/time", H5T_NATIVE_INT64, time_ns) &&
              read_all(log, "/entry/scalars/channel", H5T_NATIVE_UINT16, channel) &&
              read_all(log, "/entry/scalars/value", H5T_NATIVE_DOUBLE, value) &&
              read_all(log, "/entry/scalars/channel_name", type, names);
  for (hsize_t c = 0; good && c < n_names; c++) {
    hsize_t count = 0;
    for (hsize_t i = 0; i < n; i++)
      if (channel[i] == c) {
        times[count] = (double)(time_ns[i] - start_ns) / 1e9;
        values[count++] = value[i];
      }
    names[c][NAME - 1] = '\0';
    for (char *slash; (slash = strchr(names[c], '/')) != NULL;)
      *slash = '_';
    if (count > 0 && names[c][0] != '\0' && strcmp(names[c], ".") != 0)
      put_channel(group, names[c], times, values, count, start_ns);
  }
  H5Tclose(type);
  free(values);
  free(times);
  free(value);
  free(channel);
  free(time_ns);
  free(names);
}

/* Under the names that NeXus gives them, whatever the potentiostat calls them. */
static void put_cell_names(hid_t group, const struct ct_run_about *about)
{
  if (about == NULL)
    return;
  const char *const names[][2] = { { "voltage", about->voltage }, { "current", about->current }, { "charge", about->charge } };
  for (size_t i = 0; i < 3; i++)
    if (names[i][1] != NULL && names[i][1][0] != '\0' && strchr(names[i][1], '/') == NULL &&
        H5Lexists(group, names[i][1], H5P_DEFAULT) > 0 && H5Lexists(group, names[i][0], H5P_DEFAULT) <= 0)
      H5Lcreate_hard(group, names[i][1], group, names[i][0], H5P_DEFAULT, H5P_DEFAULT);
}

void ct_nx_cell(hid_t entry, const struct ct_master *master)
{
  char path[CT_PATH], name[24];
  hid_t group = ct_nx_group(entry, "electrochemistry", "NXcollection"), part, log;
  for (unsigned i = 0; i < master->n_logs; i++) {
    ct_folder_file(master->folder, "log", i, path);
    if (ct_h5_open_file(&log, path, NULL) != 0)
      continue;
    /* One session after another; of a run without interruption there is one. */
    snprintf(name, sizeof name, "session_%u", i);
    part = i == 0 ? group : ct_nx_group(group, name, "NXcollection");
    put_scalars_of(part, log, master->start_ns);
    put_cell_names(part, master->about);
    if (part != group)
      H5Gclose(part);
    H5Fclose(log);
  }
  H5Gclose(group);
}
