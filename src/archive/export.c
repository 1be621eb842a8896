/* Archived runs in the formats of other programs: which goes where; tables, cubes and cell logs. */
#include "archive/export.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* A file, or a folder of files; where a link leads to nothing is touched. */
static void remove_part(const char *part)
{
  const int fd = open(part, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
  DIR *dir = fd >= 0 ? fdopendir(fd) : NULL;
  for (struct dirent *entry; dir != NULL && (entry = readdir(dir)) != NULL;)
    unlinkat(dirfd(dir), entry->d_name, 0);
  if (dir != NULL)
    closedir(dir);
  remove(part);
}

int ct_export_prepare(const char *path, char part[CT_EXPORT_PART], struct ct_err *err)
{
  struct stat status;
  snprintf(part, CT_EXPORT_PART, "%s.part", path);
  if (lstat(path, &status) == 0)
    return ct_err_set(err, CT_EEXISTS, "%s: is there already and is not overwritten", path);
  remove_part(part);
  return 0;
}

int ct_export_finish(const char *path, int rc, struct ct_err *err)
{
  char part[CT_EXPORT_PART];
  snprintf(part, sizeof part, "%s.part", path);
  if (rc == 0 && rename(part, path) != 0)
    rc = ct_err_set(err, CT_EIO, "%s: cannot be made: %s", path, strerror(errno));
  if (rc != 0)
    remove_part(part);
  return rc;
}

int ct_export_begin(FILE **file, const char *path, struct ct_err *err)
{
  char part[CT_EXPORT_PART];
  *file = NULL;
  int rc = ct_export_prepare(path, part, err);
  if (rc != 0)
    return rc;
  int fd = open(part, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
  if (fd < 0)
    return ct_err_set(err, CT_EIO, "%s: cannot be made: %s", path, strerror(errno));
  *file = fdopen(fd, "wb");
  return *file != NULL ? 0 : ct_err_set(err, CT_EIO, "%s: %s", path, strerror(errno));
}

int ct_export_end(FILE *file, const char *path, int rc, struct ct_err *err)
{
  bool good = !ferror(file);
  good = fclose(file) == 0 && good;
  if (!good && rc == 0)
    rc = ct_err_set(err, CT_EIO, "%s: cannot be written: %s", path, strerror(errno));
  return ct_export_finish(path, rc, err);
}

/* ---- .hxt, version 3: the histogram cube of the HEXITEC software (hxtitem.h of stfc-detectors/hexitec), little-endian - */

int ct_export_hxt(const struct ct_findings *f, const char *run, const char *path, struct ct_err *err)
{
  enum { HEAD = 184, POSITIONS = 16, PREFIX_BYTES = 52, PREFIX = 56, STAMP = 156, SHAPE = 172, UNAVAILABLE = 1111111 };
  unsigned char head[HEAD] = "HEXITECH";
  const uint64_t version = 3;
  const uint32_t shape[] = { f->rows, f->cols, f->bins };
  FILE *file;
  memcpy(head + 8, &version, sizeof version);
  for (int i = 0; i < 9; i++)
    memcpy(head + POSITIONS + 4 * i, &(const int32_t){ UNAVAILABLE }, 4);
  const int32_t length = (int32_t)(strlen(run) < 99 ? strlen(run) : 99);
  memcpy(head + PREFIX_BYTES, &length, 4);
  memcpy(head + PREFIX, run, (size_t)length);
  memcpy(head + SHAPE, shape, sizeof shape);
  int rc = ct_export_begin(&file, path, err);
  if (rc != 0)
    return rc;
  fwrite(head, 1, sizeof head, file);
  fwrite(f->edge_keV, sizeof *f->edge_keV, f->bins, file);          /* where each bin starts */
  for (size_t i = 0; i < (size_t)f->rows * f->cols * f->bins; i++) {
    const double count = (double)f->counts[i];
    fwrite(&count, sizeof count, 1, file);
  }
  return ct_export_end(file, path, 0, err);
}

/* ---- tables ------------------------------------------------------------------------------------------------------- */

static int put_spectrum(const struct ct_findings *f, const char *path, char between, struct ct_err *err)
{
  FILE *file;
  int rc = ct_export_begin(&file, path, err);
  if (rc != 0)
    return rc;
  fprintf(file, "energy_keV%ccounts\n", between);
  for (uint32_t b = 0; b < f->bins; b++) {
    uint64_t sum = 0;
    for (size_t p = 0; p < (size_t)f->rows * f->cols; p++)
      sum += f->counts[p * f->bins + b];
    fprintf(file, "%.9g%c%llu\n", (f->edge_keV[b] + f->edge_keV[b + 1]) / 2, between, (unsigned long long)sum);
  }
  return ct_export_end(file, path, 0, err);
}

/* A line a bin, a column a pixel: row-major, named by row and column. */
static int put_spectra(const struct ct_findings *f, const char *path, char between, struct ct_err *err)
{
  const size_t pixels = (size_t)f->rows * f->cols;
  FILE *file;
  int rc = ct_export_begin(&file, path, err);
  if (rc != 0)
    return rc;
  fprintf(file, "energy_keV");
  for (size_t p = 0; p < pixels; p++)
    fprintf(file, "%cr%zuc%zu", between, p / f->cols, p % f->cols);
  for (uint32_t b = 0; b < f->bins; b++) {
    fprintf(file, "\n%.9g", (f->edge_keV[b] + f->edge_keV[b + 1]) / 2);
    for (size_t p = 0; p < pixels; p++)
      fprintf(file, "%c%llu", between, (unsigned long long)f->counts[p * f->bins + b]);
  }
  fputc('\n', file);
  return ct_export_end(file, path, 0, err);
}

/* A line a row of the sensor. */
static int put_map(const struct ct_findings *f, const float *map, const char *path, char between, struct ct_err *err)
{
  FILE *file;
  int rc = ct_export_begin(&file, path, err);
  if (rc != 0)
    return rc;
  for (uint32_t r = 0; r < f->rows; r++)
    for (uint32_t c = 0; c < f->cols; c++)
      fprintf(file, "%.9g%c", (double)map[(size_t)r * f->cols + c], c + 1 < f->cols ? between : '\n');
  return ct_export_end(file, path, 0, err);
}

/* ---- the cell: Battery Data Format, a table with fixed names and units -------------------------------------------- */

struct cell_row {
  int64_t time_ns;
  double voltage_V, current_A;
};

static void put_cell_row(FILE *file, const struct cell_row *row, int64_t start_ns)
{
  if (isfinite(row->voltage_V) && isfinite(row->current_A))
    fprintf(file, "%.6f,%.9g,%.9g,%.6f\n", (double)(row->time_ns - start_ns) / 1e9, row->voltage_V, row->current_A,
            (double)row->time_ns / 1e9);
}

/* What the settings of the run call voltage and current. */
static void cell_names(const char *run, char voltage[64], char current[64])
{
  struct ct_settings *settings = NULL;
  char *text = NULL;
  snprintf(voltage, 64, "Ewe_V");
  snprintf(current, 64, "I_A");
  if (ct_run_configuration(run, &text, NULL, 0, NULL) == 0 &&
      ct_settings_parse(&settings, &ct_comptop_options, "settings", text, strlen(text), NULL) == 0) {
    snprintf(voltage, 64, "%s", ct_settings_text(settings, "scalars.voltage"));
    snprintf(current, 64, "%s", ct_settings_text(settings, "scalars.current"));
  }
  ct_settings_close(settings);
  free(text);
}

int ct_export_bdf(const char *run, const char *path, struct ct_err *err)
{
  struct ct_run_scalars *scalars;
  struct cell_row row = { .voltage_V = NAN, .current_A = NAN };
  char voltage[64], current[64];
  struct ct_run_scalar scalar;
  int64_t start_ns = 0;
  uint64_t rows = 0;
  FILE *file;
  int rc = ct_run_scalars_open(&scalars, run, err);
  if (rc != 0)
    return rc;
  cell_names(run, voltage, current);
  rc = ct_export_begin(&file, path, err);
  if (rc != 0) {
    ct_run_scalars_close(scalars);
    return rc;
  }
  fprintf(file, "Test Time / s,Voltage / V,Current / A,Unix Time / s\n");
  /* Values of one time are one row; of a row that lacks one nothing is known, and it is left out. */
  while (ct_run_scalars_next(scalars, INT64_MAX, &scalar)) {
    const bool is_voltage = strcmp(scalar.name, voltage) == 0, is_current = strcmp(scalar.name, current) == 0;
    if (!is_voltage && !is_current)
      continue;
    if (rows == 0 && start_ns == 0)
      start_ns = scalar.time_ns;
    if (scalar.time_ns != row.time_ns) {
      put_cell_row(file, &row, start_ns);
      row = (struct cell_row){ .time_ns = scalar.time_ns, .voltage_V = NAN, .current_A = NAN };
    }
    *(is_voltage ? &row.voltage_V : &row.current_A) = scalar.value;
    rows++;
  }
  put_cell_row(file, &row, start_ns);
  ct_run_scalars_close(scalars);
  if (rows == 0)
    rc = ct_err_set(err, CT_ENODATA, "%s: the run holds no scalars %s and %s", run, voltage, current);
  return ct_export_end(file, path, rc, err);
}

/* ---- which goes where ----------------------------------------------------------------------------------------------- */

static void tell(const struct ct_run_export *job, const char *path)
{
  if (job->say != NULL)
    job->say(job->context, path);
}

/* DIR/RUN<end>; DIR is no longer than CT_EXPORT_TO. */
enum { CT_EXPORT_TO = 400 };
static void path_of(const struct ct_run_export *job, const struct ct_folder *folder, char path[CT_PATH], const char *end)
{
  snprintf(path, CT_PATH, "%.400s/%s%s", job->to, folder->name, end);
}

static int put_tables(const struct ct_run_export *job, const struct ct_folder *folder, const struct ct_findings *f,
                      struct ct_err *err)
{
  const char between = job->what == CT_EXPORT_CSV ? ',' : '\t';
  const char *suffix = job->what == CT_EXPORT_CSV ? "csv" : "tsv";
  const struct { const char *name; const float *map; } maps[] = { { "emf", f->emf }, { "emf_errors", f->sigma },
                                                                  { "counts", f->map_counts } };
  char path[CT_PATH], end[32];
  int rc = 0;
  for (int i = 0; i < 2 && f->counts != NULL && rc == 0; i++) {
    snprintf(end, sizeof end, "_%s.%s", i == 0 ? "spectrum" : "spectra", suffix);
    path_of(job, folder, path, end);
    rc = i == 0 ? put_spectrum(f, path, between, err) : put_spectra(f, path, between, err);
    if (rc == 0)
      tell(job, path);
  }
  for (size_t i = 0; i < sizeof maps / sizeof *maps && f->emf != NULL && rc == 0; i++) {
    snprintf(end, sizeof end, "_%s.%s", maps[i].name, suffix);
    path_of(job, folder, path, end);
    rc = put_map(f, maps[i].map, path, between, err);
    if (rc == 0)
      tell(job, path);
  }
  return rc;
}

static int put_findings(const struct ct_run_export *job, const struct ct_folder *folder, struct ct_err *err)
{
  struct ct_findings f;
  char path[CT_PATH];
  int rc = ct_findings_read(&f, folder, err);
  if (rc != 0)
    return rc;
  path_of(job, folder, path, job->what == CT_EXPORT_HXT ? ".hxt" : "_emf.png");
  if (job->what == CT_EXPORT_HXT)
    rc = f.counts != NULL ? ct_export_hxt(&f, folder->name, path, err)
                          : ct_err_set(err, CT_ENODATA, "%s: the run holds no spectra", job->run);
  else if (job->what == CT_EXPORT_PNG)
    rc = f.emf != NULL ? ct_export_png(&f, path, err) : ct_err_set(err, CT_ENODATA, "%s: the run holds no map", job->run);
  else
    rc = put_tables(job, folder, &f, err);
  if (rc == 0 && (job->what == CT_EXPORT_HXT || job->what == CT_EXPORT_PNG))
    tell(job, path);
  ct_findings_free(&f);
  return rc;
}

int ct_run_export(const struct ct_run_export *job, struct ct_err *err)
{
  struct ct_folder folder;
  char path[CT_PATH];
  int rc = ct_folder_find(&folder, job->run, err);
  if (rc != 0)
    return rc;
  if (strlen(job->to) > CT_EXPORT_TO)
    return ct_err_set(err, CT_ERANGE, "%.60s...: the folder's name is too long", job->to);
  rc = ct_folder_make(job->to, err);
  if (rc != 0)
    return rc;
  switch (job->what) {
  case CT_EXPORT_NXTOMO:
    path_of(job, &folder, path, "_tomo.nxs");
    rc = ct_export_tomo(job, &folder, path, err);
    break;
  case CT_EXPORT_EVENTS:
    path_of(job, &folder, path, "_events.nxs");
    rc = ct_export_events(job, &folder, path, err);
    break;
  case CT_EXPORT_BDF:
    path_of(job, &folder, path, ".bdf.csv");
    rc = ct_export_bdf(job->run, path, err);
    break;
  case CT_EXPORT_PLAIN:
    path_of(job, &folder, path, "_plain");
    rc = ct_export_plain(job, &folder, path, err);
    break;
  default:
    return put_findings(job, &folder, err);
  }
  if (rc == 0)
    tell(job, path);
  return rc;
}
