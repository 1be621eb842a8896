/* The log of a run: what cannot be foreseen (names, texts) is rows too, because a file that readers follow cannot get
 * new data sets. */
#include "archive/logfile.h"

#include "archive/h5.h"

#include <stdio.h>
#include <string.h>

/* Every growing data set of the log, in the order of writing. */
#define LOG_SETS(X)                                                                                             \
  X(scalar_time, "scalars", "time", H5T_NATIVE_INT64) X(scalar_arrival, "scalars", "arrival", H5T_NATIVE_INT64)  \
  X(scalar_channel, "scalars", "channel", H5T_NATIVE_UINT16)                                                    \
  X(scalar_value, "scalars", "value", H5T_NATIVE_DOUBLE) X(channels, "scalars", "channel_name", log->name_type)  \
  X(alarm_time, "alarms", "time", H5T_NATIVE_INT64) X(alarm_severity, "alarms", "severity", H5T_NATIVE_UINT8)    \
  X(alarm_raised, "alarms", "raised", H5T_NATIVE_UINT8) X(alarm_id, "alarms", "id", log->id_type)                \
  X(alarm_text, "alarms", "text", log->text_type)                                                               \
  X(gap_time, "gaps", "time", H5T_NATIVE_INT64) X(gap_stream, "gaps", "stream", H5T_NATIVE_UINT8)                \
  X(gap_first, "gaps", "first", H5T_NATIVE_UINT64) X(gap_last, "gaps", "last", H5T_NATIVE_UINT64)                \
  X(gap_reason, "gaps", "reason", H5T_NATIVE_UINT8)                                                             \
  X(marker_time, "markers", "time", H5T_NATIVE_INT64) X(marker_text, "markers", "text", log->text_type)

static hid_t fixed_text(size_t bytes)
{
  hid_t type = H5Tcopy(H5T_C_S1);
  H5Tset_size(type, bytes);
  H5Tset_cset(type, H5T_CSET_UTF8);
  return type;
}

static const char *units_of(const char *name)
{
  return strcmp(name, "time") == 0 || strcmp(name, "arrival") == 0 ? "ns" : strcmp(name, "value") == 0 ? "as channel_name says" : "1";
}

static int create_sets(struct ct_log_file *log, const struct ct_run_setup *setup)
{
  const hsize_t chunk = 64;          /* with each flush one goes into the journal again */
  int rc = 0;
  hid_t entry = H5Gopen2(log->store->file, "entry", H5P_DEFAULT), group;
#define X(member, where, name, type)                                                   \
  group = H5Gopen2(entry, where, H5P_DEFAULT);                                         \
  if (rc == 0)                                                                         \
    rc = ct_grow_create(&log->member, group, name, type, 1, NULL, &chunk, CT_CODEC_NONE); \
  if (rc == 0)                                                                         \
    ct_h5_text(log->member.set, "units", units_of(name));                              \
  H5Gclose(group);
  LOG_SETS(X)
#undef X
  if (rc == 0)
    rc = ct_samples_create(&log->samples, entry, setup);
  H5Gclose(entry);
  return rc;
}

static void describe(struct ct_log_file *log, const struct ct_run_setup *setup)
{
  const char *names[256];
  for (size_t i = 0; i < setup->n_streams; i++)
    names[i] = setup->streams[i].name;
  hid_t entry = H5Gopen2(log->store->file, "entry", H5P_DEFAULT);
  ct_h5_text(entry, "run", setup->name);
  ct_h5_text(entry, "program", setup->program);
  ct_h5_text(entry, "time", "ns since 1970 UTC");
  ct_h5_group(entry, "scalars", "NXcollection");
  ct_h5_group(entry, "alarms", "NXcollection");
  ct_h5_group(entry, "gaps", "NXcollection");
  ct_h5_group(entry, "markers", "NXcollection");
  hid_t gaps = H5Gopen2(entry, "gaps", H5P_DEFAULT);
  ct_h5_text(gaps, "reasons", "0 lost: never received; 1 missed: received, not archived");
  ct_h5_texts(gaps, "streams", names, setup->n_streams);
  H5Gclose(gaps);
  H5Gclose(entry);
}

static void close_sets(struct ct_log_file *log)
{
#define X(member, where, name, type) ct_grow_close(&log->member);
  LOG_SETS(X)
#undef X
  ct_samples_close(&log->samples);
  H5Tclose(log->name_type);
  H5Tclose(log->id_type);
  H5Tclose(log->text_type);
}

int ct_log_create(struct ct_log_file *log, const char *path, const struct ct_run_setup *setup, bool plain,
                  struct ct_err *err)
{
  char why[CT_H5_WHY];
  ct_h5_begin();
  memset(log, 0, sizeof *log);
  int rc = ct_store_create(&log->store, path, CT_STORE_JOURNAL_ALL | (plain ? CT_STORE_PLAIN : 0), err);
  if (rc != 0)
    return rc;
  log->name_type = fixed_text(CT_LOG_NAME);
  log->id_type = fixed_text(sizeof ((struct ct_snapshot_alarm *)0)->id);
  log->text_type = fixed_text(sizeof ((struct ct_snapshot_alarm *)0)->text);
#define X(member, where, name, type) log->member.set = H5I_INVALID_HID;
  LOG_SETS(X)
#undef X
  log->samples.rows.set = log->samples.type = H5I_INVALID_HID;
  describe(log, setup);
  if (create_sets(log, setup) != 0)
    rc = ct_err_set(err, CT_EIO, "%s: cannot be made: %s", path,
                    log->store->why ? strerror(log->store->why) : ct_h5_why(why));
  else
    rc = ct_store_start(log->store, err);
  if (rc != 0) {
    close_sets(log);
    ct_store_remove(log->store);
    log->store = NULL;
  }
  return rc;
}

/* The place of a name, new ones appended; or negative. */
static int channel_of(struct ct_log_file *log, const char *name)
{
  char text[CT_LOG_NAME] = "";
  snprintf(text, sizeof text, "%s", name);
  for (size_t i = 0; i < log->n_names; i++)
    if (strcmp(log->names[i], text) == 0)
      return (int)i;
  if (log->n_names == CT_LOG_CHANNELS)
    return CT_ERANGE;
  int rc = ct_grow_append(&log->channels, 1, text);
  if (rc != 0)
    return rc;
  memcpy(log->names[log->n_names], text, sizeof text);
  return (int)log->n_names++;
}

int ct_log_scalar(struct ct_log_file *log, const struct ct_run_scalar *scalar)
{
  struct ct_grow *const columns[] = { &log->scalar_time, &log->scalar_arrival, &log->scalar_channel, &log->scalar_value };
  int place = channel_of(log, scalar->name);
  if (place < 0)
    return place;
  const uint16_t channel = (uint16_t)place;
  const void *const values[] = { &scalar->time_ns, &scalar->arrival_ns, &channel, &scalar->value };
  return ct_grow_append_row(columns, values, 4);
}

static int log_marker(struct ct_log_file *log, const char *text, int64_t now_ns)
{
  struct ct_grow *const columns[] = { &log->marker_time, &log->marker_text };
  const void *const values[] = { &now_ns, text };
  return ct_grow_append_row(columns, values, 2);
}

/* A marker is among the alarms too, where all that happened stands in its order. */
int ct_log_alarm(struct ct_log_file *log, const struct ct_snapshot_alarm *alarm, bool raised, int64_t now_ns)
{
  struct ct_grow *const columns[] = { &log->alarm_time, &log->alarm_severity, &log->alarm_raised, &log->alarm_id,
                                &log->alarm_text };
  const uint8_t severity = (uint8_t)alarm->severity, up = raised;
  const void *const values[] = { &now_ns, &severity, &up, alarm->id, alarm->text };
  int rc = ct_grow_append_row(columns, values, 5);
  return rc == 0 && strcmp(alarm->id, CT_MARKER_ID) == 0 ? log_marker(log, alarm->text, now_ns) : rc;
}

int ct_log_sample(struct ct_log_file *log, const struct ct_run_setup *setup, const struct ct_snapshot_core *core)
{
  return ct_samples_append(&log->samples, setup, core);
}

int ct_log_gap(struct ct_log_file *log, const struct ct_gap *gap)
{
  struct ct_grow *const columns[] = { &log->gap_time, &log->gap_stream, &log->gap_first, &log->gap_last, &log->gap_reason };
  const void *const values[] = { &gap->time_ns, &gap->stream, &gap->first, &gap->last, &gap->reason };
  return ct_grow_append_row(columns, values, 5);
}

int ct_log_flush(struct ct_log_file *log)
{
  int rc = 0;
#define X(member, where, name, type) rc |= ct_grow_flush(&log->member);
  LOG_SETS(X)
#undef X
  rc |= ct_grow_flush(&log->samples.rows);
  return rc ? CT_EIO : ct_store_checkpoint(log->store, 0);
}

int ct_log_close(struct ct_log_file *log, struct ct_run_sync *last, struct ct_err *err)
{
  close_sets(log);
  int rc = ct_store_close(log->store, last, err);
  log->store = NULL;
  return rc;
}
