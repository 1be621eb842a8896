/* The master of a run. */
#include "archive/master.h"

#include "archive/datafile.h"
#include "archive/h5.h"
#include "archive/nexus.h"
#include "archive/store.h"

#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* While the run goes on its frames are one data set as long as that is quickly made. */
enum { LIVE_FILES = 200 };

/* ---- detectors ---------------------------------------------------------------------------------------------- */

static void link_files(hid_t detector, const struct ct_run_file *files, size_t n)
{
  hid_t group = ct_nx_group(detector, "files", "NXcollection");
  for (size_t i = 0; i < n; i++) {
    char name[16];
    snprintf(name, sizeof name, "%06u", files[i].index);
    H5Lcreate_external(ct_nx_base_name(files[i].path), "/entry", group, name, H5P_DEFAULT, H5P_DEFAULT);
  }
  H5Gclose(group);
}

static const char *pixel_units(const struct ct_run_file *file)
{
  return file->role == CT_ROLE_CAMERA ? "counts" : file->type == CT_F32 ? "keV" : "ADU";
}

/* Lists cannot be joined to one: each file's are linked to, and how many events each frame has is a column. */
static void put_events(hid_t detector, const struct ct_run_file *files, size_t n)
{
  ct_nx_virtual(detector, "event_count", "/entry/events/event_count", H5T_NATIVE_UINT32, 1, files, n, "1");
  for (size_t i = 0; i < n; i++) {
    char name[32];
    snprintf(name, sizeof name, "events_%06u", files[i].index);
    H5Lcreate_external(ct_nx_base_name(files[i].path), "/entry/events", detector, name, H5P_DEFAULT, H5P_DEFAULT);
  }
}

static void put_frames(hid_t detector, const struct ct_run_file *files, size_t n)
{
  static const enum ct_type types[] = {
#define X(name, type, value, unit, text) CT_##type,
    CT_DATA_COLUMNS(X)
#undef X
  };
  if (files->events)
    put_events(detector, files, n);
  else
    ct_nx_virtual(detector, "data", "/entry/data", ct_h5_native(files->type), 3, files, n, pixel_units(files));
  for (int i = 0; i < CT_COLUMN_COUNT; i++) {
    const enum ct_data_column column = (enum ct_data_column)i;
    char inside[80];
    snprintf(inside, sizeof inside, "/entry/%s", ct_data_column_name(column));
    ct_nx_virtual(detector, ct_data_column_name(column), inside, ct_h5_native(types[i]), 1, files, n,
                  ct_data_column_units(column));
  }
  ct_nx_count(detector, "frame_start_number", files->first_number);
  H5Lcreate_hard(detector, "image_key", detector, "image_key_control", H5P_DEFAULT, H5P_DEFAULT);
}

/* What a detector is and how it was set: fields that a master written anew takes from the one before. */
static const char *const kept_fields[] = { "description", "type", "count_time", "x_pixel_size", "y_pixel_size", "distance",
                                           "polar_angle", "pixel_mask", "calibration", "dark_offset", "threshold" };

static void put_map(hid_t group, const struct ct_run_about *about, const char *name, hid_t type, const void *values,
                    const char *units)
{
  const hsize_t dims[] = { about->rows, about->cols };
  if (values != NULL && about->rows > 0)
    ct_nx_values(group, name, type, 2, dims, values, units);
}

static void put_mask(hid_t detector, const struct ct_run_about *about)
{
  const size_t pixels = (size_t)about->rows * about->cols;
  if (about->live == NULL || pixels == 0)
    return;
  /* NXdetector: bit 0 of pixel_mask says "gap or dead", 0 is a good pixel. */
  uint32_t *mask = ct_xcalloc(pixels, sizeof *mask);
  for (size_t i = 0; i < pixels; i++)
    mask[i] = !about->live[i];
  put_map(detector, about, "pixel_mask", H5T_NATIVE_UINT32, mask, "1");
  free(mask);
}

static void put_hexitec(hid_t detector, const struct ct_run_about *about, double frame_hz)
{
  ct_nx_text(detector, "description", "HEXITEC, CdTe, energy-resolving");
  ct_nx_text(detector, "type", "pixel");
  ct_nx_real(detector, "count_time", frame_hz > 0 ? 1 / frame_hz : (double)NAN, "s");
  ct_nx_real(detector, "x_pixel_size", about->pitch_mm, "mm");
  ct_nx_real(detector, "y_pixel_size", about->pitch_mm, "mm");
  ct_nx_real(detector, "distance", about->object_mm + about->detector_mm, "mm");
  ct_nx_real(detector, "polar_angle", about->theta_deg, "deg");
  put_mask(detector, about);
  put_map(detector, about, "dark_offset", H5T_NATIVE_UINT16, about->dark_ADU, "ADU");
  put_map(detector, about, "threshold", H5T_NATIVE_UINT16, about->threshold_ADU, "ADU");
  if (about->gradient_keV == NULL)
    return;
  hid_t calibration = ct_nx_group(detector, "calibration", "NXcalibration");
  put_map(calibration, about, "gradient", H5T_NATIVE_DOUBLE, about->gradient_keV, "keV/ADU");
  put_map(calibration, about, "intercept", H5T_NATIVE_DOUBLE, about->intercept_keV, "keV");
  H5Gclose(calibration);
}

static void put_camera(hid_t detector, const struct ct_run_about *about)
{
  ct_nx_text(detector, "description", "camera");
  ct_nx_text(detector, "type", "pixel");
  ct_nx_real(detector, "x_pixel_size", about->camera_um, "um");
  ct_nx_real(detector, "y_pixel_size", about->camera_um, "um");
}

static void copy_field(hid_t from, const char *path, hid_t to, const char *name)
{
  char whole[200];
  snprintf(whole, sizeof whole, "%s/%s", path, name);
  if (from >= 0 && H5Lexists(from, path, H5P_DEFAULT) > 0 && H5Lexists(from, whole, H5P_DEFAULT) > 0)
    H5Ocopy(from, whole, to, name, H5P_DEFAULT, H5P_DEFAULT);
}

static void put_detector(const struct ct_master *master, hid_t detector, const char *stream, enum ct_role role, hid_t before)
{
  char path[120];
  if (master->about != NULL) {
    double frame_hz = NAN;
    for (size_t i = 0; i < master->n_streams; i++)
      if (strcmp(master->streams[i].name, stream) == 0)
        frame_hz = master->streams[i].frame_hz;
    if (role == CT_ROLE_CAMERA)
      put_camera(detector, master->about);
    else
      put_hexitec(detector, master->about, frame_hz);
    return;
  }
  snprintf(path, sizeof path, "entry/instrument/%s", stream);
  for (size_t i = 0; i < sizeof kept_fields / sizeof *kept_fields; i++)
    copy_field(before, path, detector, kept_fields[i]);
}

/* How many files belong to the stream of files[0]. */
static size_t stream_length(const struct ct_run_file *files, size_t n)
{
  size_t length = 1;
  while (length < n && strcmp(files[length].stream, files[0].stream) == 0)
    length++;
  return length;
}

static void put_source(hid_t instrument, const struct ct_run_about *about, hid_t before)
{
  copy_field(about == NULL ? before : H5I_INVALID_HID, "entry/instrument", instrument, "source");
  copy_field(about == NULL ? before : H5I_INVALID_HID, "entry/instrument", instrument, "beam");
  if (H5Lexists(instrument, "source", H5P_DEFAULT) > 0)
    return;
  hid_t group = ct_nx_group(instrument, "source", "NXsource");
  ct_nx_text(group, "probe", "x-ray");
  H5Gclose(group);
  group = ct_nx_group(instrument, "beam", "NXbeam");
  ct_nx_real(group, "incident_energy", about != NULL ? about->e1_keV : (double)NAN, "keV");
  H5Gclose(group);
}

/* The angles of the sample are those of the camera where there is one. */
static void put_sample(const struct ct_master *master, hid_t entry, const char *stream)
{
  char target[200];
  hid_t sample = ct_nx_group(entry, "sample", "NXsample");
  ct_nx_text(sample, "name", master->folder->name);
  if (stream != NULL) {
    snprintf(target, sizeof target, "/entry/instrument/%s/rotation_angle", stream);
    ct_nx_soft(sample, "rotation_angle", target);
    snprintf(target, sizeof target, "/entry/instrument/%s/sample_z", stream);
    ct_nx_soft(sample, "z_translation", target);
  }
  H5Gclose(sample);
}

static void put_first_plot(hid_t entry, const char *stream, bool events)
{
  static const char *const axes[] = { "frame_number", ".", "." };
  const char *const names[] = { events ? "event_count" : "data", "frame_number" };
  hid_t group = ct_nx_group(entry, "frames", "NXdata");
  ct_h5_text(group, "signal", names[0]);
  ct_h5_texts(group, "axes", axes, events ? 1 : 3);
  for (size_t i = 0; i < 2; i++) {
    char target[200];
    snprintf(target, sizeof target, "/entry/instrument/%s/%s", stream, names[i]);
    ct_nx_soft(group, names[i], target);
  }
  H5Gclose(group);
}

static void put_instrument(hid_t file, hid_t entry, const struct ct_master *master, hid_t before)
{
  const char *turning = NULL, *first = NULL;
  bool tomo = false, events = false;
  hid_t instrument = ct_nx_group(entry, "instrument", "NXinstrument");
  ct_nx_text(instrument, "name", "comptop");
  put_source(instrument, master->about, before);
  for (size_t i = 0; i < master->n_files;) {
    const struct ct_run_file *files = &master->files[i];
    const size_t n = stream_length(files, master->n_files - i);
    size_t n_kind;
    uint64_t n_frames;
    struct ct_run_file *kind = ct_nx_main_kind(files, n, &n_kind, &n_frames);
    hid_t detector = ct_nx_group(instrument, files->stream, "NXdetector");
    put_detector(master, detector, files->stream, files->role, before);
    link_files(detector, files, n);
    if (n_kind > 0 && (master->end_ns != 0 || n_kind <= LIVE_FILES)) {
      put_frames(detector, kind, n_kind);
      if (first == NULL) {
        first = files->stream;
        events = kind->events;
      }
      if (files->role == CT_ROLE_CAMERA && !tomo) {
        ct_nx_tomo(file, master->folder->name, files->stream, kind, n_kind);
        tomo = true;
        turning = files->stream;
      }
    }
    H5Gclose(detector);
    free(kind);
    i += n;
  }
  H5Gclose(instrument);
  put_sample(master, entry, turning != NULL ? turning : first);
  if (first != NULL)
    put_first_plot(entry, first, events);
}

/* ---- results, scalars, provenance ------------------------------------------------------------------------------ */

static void link_numbered(hid_t entry, const struct ct_master *master, const char *kind, unsigned n)
{
  char path[CT_PATH], name[16];
  hid_t group = ct_nx_group(entry, kind, "NXcollection");
  for (unsigned i = 0; i < n; i++) {
    ct_folder_file(master->folder, kind, i, path);
    snprintf(name, sizeof name, "%06u", i);
    if (access(path, F_OK) == 0)
      H5Lcreate_external(ct_nx_base_name(path), "/entry", group, name, H5P_DEFAULT, H5P_DEFAULT);
  }
  H5Gclose(group);
}

/* Each session's results and what made them; the first ones also under the names that viewers look for. */
static void put_live(hid_t entry, const struct ct_master *master)
{
  static const char *const names[] = { "spectra", "maps", "totals" };
  char path[CT_PATH], name[32];
  for (unsigned i = 0; i < master->n_results; i++) {
    ct_folder_file(master->folder, "results", i, path);
    if (access(path, F_OK) != 0)
      continue;
    snprintf(name, sizeof name, "live_%06u", i);
    H5Lcreate_external(ct_nx_base_name(path), "/entry/process", entry, name, H5P_DEFAULT, H5P_DEFAULT);
    for (size_t k = 0; k < sizeof names / sizeof *names; k++) {
      char inside[32];
      snprintf(inside, sizeof inside, "/entry/%s", names[k]);
      if (H5Lexists(entry, names[k], H5P_DEFAULT) <= 0)
        H5Lcreate_external(ct_nx_base_name(path), inside, entry, names[k], H5P_DEFAULT, H5P_DEFAULT);
    }
  }
}

/* Later analyses, as many as there are. */
static void link_processes(hid_t entry, const struct ct_folder *folder)
{
  char path[CT_PATH], name[32];
  for (unsigned i = 0;; i++) {
    ct_folder_file(folder, "process", i, path);
    if (access(path, F_OK) != 0)
      return;
    snprintf(name, sizeof name, "process_%06u", i);
    if (H5Lexists(entry, name, H5P_DEFAULT) <= 0)
      H5Lcreate_external(ct_nx_base_name(path), "/entry/process", entry, name, H5P_DEFAULT, H5P_DEFAULT);
  }
}

static void put_emf(hid_t entry, const struct ct_master *master)
{
  static const char *const axes[] = { "y", "x" };
  const hsize_t dims[] = { master->rows, master->cols };
  const uint32_t longest = master->rows > master->cols ? master->rows : master->cols;
  if (master->emf == NULL || master->rows == 0) {
    if (H5Lexists(entry, "frames", H5P_DEFAULT) > 0)
      ct_h5_text(entry, "default", "frames");
    return;
  }
  double *pixel = ct_xcalloc(longest, sizeof *pixel);
  for (uint32_t i = 0; i < longest; i++)
    pixel[i] = i;
  hid_t group = ct_nx_group(entry, "emf", "NXdata");
  ct_h5_text(group, "signal", "emf");
  ct_h5_texts(group, "axes", axes, 2);
  ct_nx_values(group, "emf", H5T_NATIVE_FLOAT, 2, dims, master->emf, "1");
  ct_nx_values(group, "emf_errors", H5T_NATIVE_FLOAT, 2, dims, master->sigma, "1");
  ct_nx_values(group, "y", H5T_NATIVE_DOUBLE, 1, dims, pixel, "pixel");
  ct_nx_values(group, "x", H5T_NATIVE_DOUBLE, 1, dims + 1, pixel, "pixel");
  H5Gclose(group);
  free(pixel);
  ct_h5_text(entry, "default", "emf");
}

static void put_stream(hid_t streams, const struct ct_snapshot_stream *stream, const char *first_header)
{
  hid_t group = ct_nx_group(streams, stream->name, "NXcollection");
  ct_nx_text(group, "endpoint", stream->endpoint);
  ct_nx_text(group, "role", ct_role_word(stream->role));
  ct_nx_text(group, "format", stream->format);
  ct_nx_text(group, "first_header", first_header);
  ct_nx_text(group, "first_rejected", stream->first_rejected);
  ct_nx_count(group, "frames", stream->frames);
  ct_nx_count(group, "lost", stream->lost);
  ct_nx_count(group, "late", stream->late);
  ct_nx_count(group, "rejected", stream->rejected);
  ct_nx_count(group, "ignored", stream->ignored);
  ct_nx_count(group, "restarts", stream->restarts);
  ct_nx_count(group, "sampled", stream->sampled);
  ct_nx_count(group, "last_number", stream->last_number);
  H5Gclose(group);
}

static void put_streams(hid_t entry, const struct ct_master *master, hid_t before)
{
  if (master->n_counters == 0 && before >= 0 && H5Lexists(before, "entry/streams", H5P_DEFAULT) > 0) {
    copy_field(before, "entry", entry, "streams");
    return;
  }
  hid_t streams = ct_nx_group(entry, "streams", "NXcollection");
  for (size_t i = 0; i < master->n_counters; i++)
    put_stream(streams, &master->counters[i], master->first_headers != NULL ? master->first_headers[i] : "");
  H5Gclose(streams);
}

static void put_provenance(hid_t entry, const struct ct_master *master)
{
  char host[256] = "", name[64];
  const char *version = strchr(master->program, ' ');
  gethostname(host, sizeof host - 1);
  snprintf(name, sizeof name, "%.*s", (int)strcspn(master->program, " "), master->program);
  hid_t group = ct_nx_group(entry, "provenance", "NXprocess");
  ct_nx_text(group, "program", name);
  ct_nx_text(group, "version", version != NULL ? version + 1 : "");
  ct_nx_time(group, "date", ct_time_wall_ns());
  ct_nx_text(group, "configuration", master->configuration);
  ct_nx_text(group, "host", host);
  H5Gclose(group);
  ct_nx_text(entry, "program_name", name);
}

static void put_entry(hid_t file, hid_t entry, const struct ct_master *master, hid_t before)
{
  ct_nx_text(entry, "title", master->folder->name);
  ct_nx_text(entry, "entry_identifier", master->folder->name);
  ct_nx_text(entry, "experiment_identifier", ct_nx_base_name(master->folder->path));
  ct_nx_time(entry, "start_time", master->start_ns);
  if (master->end_ns != 0)
    ct_nx_time(entry, "end_time", master->end_ns);
  ct_nx_real(entry, "duration", master->end_ns != 0 ? (double)(master->end_ns - master->start_ns) / 1e9 : (double)NAN, "s");
  put_instrument(file, entry, master, before);
  link_numbered(entry, master, "results", master->n_results);
  link_numbered(entry, master, "log", master->n_logs);
  put_live(entry, master);
  link_processes(entry, master->folder);
  put_streams(entry, master, before);
  put_provenance(entry, master);
  put_emf(entry, master);
  if (master->end_ns != 0)
    ct_nx_cell(entry, master);
}

static int sync_folder(const char *path)
{
  int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (fd < 0)
    return CT_EIO;
  int rc = fsync(fd) == 0 ? 0 : CT_EIO;
  close(fd);
  return rc;
}

int ct_master_write(const struct ct_master *master, struct ct_err *err)
{
  char path[CT_PATH], temporary[CT_PATH];
  struct ct_store *store;
  hid_t before = H5I_INVALID_HID;
  ct_h5_begin();
  ct_folder_path(master->folder, ".nxs", path);
  ct_folder_path(master->folder, ".nxs.new", temporary);
  unlink(temporary);
  int rc = ct_store_create(&store, temporary, 0, err);
  if (rc != 0)
    return rc;
  hid_t entry = H5Gopen2(store->file, "entry", H5P_DEFAULT);
  if (master->about == NULL && ct_h5_open_file(&before, path, NULL) != 0)
    before = H5I_INVALID_HID;
  put_entry(store->file, entry, master, before);
  if (before >= 0)
    H5Fclose(before);
  H5Gclose(entry);
  rc = ct_store_close(store, NULL, err);
  if (rc != 0) {
    unlink(temporary);
    return rc;
  }
  if (rename(temporary, path) != 0 || sync_folder(master->folder->path) != 0)
    return ct_err_set(err, CT_EIO, "%s: cannot be written: %s", path, strerror(errno));
  return 0;
}

/* ---- later ------------------------------------------------------------------------------------------------- */

static int copy_file(const char *from, const char *to)
{
  char bytes[1 << 16];
  size_t n;
  FILE *in = fopen(from, "rb"), *out = in != NULL ? fopen(to, "wb") : NULL;
  bool good = out != NULL;
  while (good && (n = fread(bytes, 1, sizeof bytes, in)) > 0)
    good = fwrite(bytes, 1, n, out) == n;
  good = good && !ferror(in);
  if (in != NULL)
    fclose(in);
  if (out != NULL && fclose(out) != 0)
    good = false;
  return good ? 0 : CT_EIO;
}

static int sync_file(const char *path)
{
  int fd = open(path, O_RDONLY | O_CLOEXEC);
  int rc = fd >= 0 && fsync(fd) == 0 ? 0 : CT_EIO;
  if (fd >= 0)
    close(fd);
  return rc;
}

int ct_master_link_processes(const struct ct_folder *folder, struct ct_err *err)
{
  char path[CT_PATH], temporary[CT_PATH];
  ct_h5_begin();
  ct_folder_path(folder, ".nxs", path);
  ct_folder_path(folder, ".nxs.new", temporary);
  if (copy_file(path, temporary) != 0)
    return ct_err_set(err, CT_EIO, "%s: cannot be written: %s", temporary, strerror(errno));
  hid_t file = H5Fopen(temporary, H5F_ACC_RDWR, H5P_DEFAULT), entry = H5Gopen2(file, "entry", H5P_DEFAULT);
  if (entry >= 0)
    link_processes(entry, folder);
  bool good = entry >= 0 && H5Gclose(entry) >= 0;
  good = H5Fclose(file) >= 0 && good;
  if (good && sync_file(temporary) == 0 && rename(temporary, path) == 0 && sync_folder(folder->path) == 0)
    return 0;
  unlink(temporary);
  return ct_err_set(err, CT_EIO, "%s: cannot be written anew; comptop-archive repair may help", path);
}
