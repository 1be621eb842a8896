/* Recorded frames of a calibration source -> gradient and intercept of each pixel -> text maps and a list. */
#include <comptop/pipeline.h>

#include "pipeline/playlist.h"

#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { BINS_BYTES = 512 << 20, AHEAD_BYTES = 32 << 20, ADU_RANGE = 16384, BIN_LEAST_ADU = 2, PATH_BYTES = 600 };

struct calibrator {
  const struct ct_calibrate_run *run;
  uint32_t rows, cols;
  size_t pixels;
  uint16_t *dark_ADU, *threshold_ADU;
  struct ct_hexitec *hexitec;
  struct ct_event *events;
  struct ct_calibrate fit;
  struct ct_lines lines;
  uint32_t *counts;                    /* [pixels][fit.bins] */
  uint64_t darks_pending, darks;
  struct ct_calibrate_result *result;
};

/* ---- settings ------------------------------------------------------------------------------------------------------- */
static int read_adu(const char *spec, const struct calibrator *c, const char *what, uint16_t **out, struct ct_err *err)
{
  double *values = ct_xcalloc(c->pixels, sizeof *values);
  struct ct_err why = { "" };
  *out = ct_xcalloc(c->pixels, sizeof **out);
  int rc = ct_map_read(spec, c->rows, c->cols, true, values, &why);
  if (rc != 0)
    ct_err_set(err, rc, "%s: %s", what, why.text);
  for (size_t i = 0; i < c->pixels && rc == 0; i++) {
    const double adu = floor(values[i] + 0.5);
    if (adu < 0 || adu > UINT16_MAX)
      rc = ct_err_set(err, CT_ERANGE, "%s: %s: pixel %zu is %g; ADU are 0 to 65535", what, spec, i, values[i]);
    else
      (*out)[i] = (uint16_t)adu;
  }
  free(values);
  return rc;
}

static int open_detector(struct calibrator *c, struct ct_err *err)
{
  const struct ct_calibrate_run *run = c->run;
  double *gradient = ct_xcalloc(c->pixels, sizeof *gradient), *intercept = ct_xcalloc(c->pixels, sizeof *intercept);
  for (size_t i = 0; i < c->pixels; i++)
    gradient[i] = 1;                   /* energies in ADU */
  const struct ct_hexitec_setup setup = {
    .rows = c->rows, .cols = c->cols, .asic_order = run->asic_order, .sharing = CT_SHARING_PAPER,
    .next_frame = run->next_frame, .dark_ADU = c->dark_ADU, .threshold_ADU = c->threshold_ADU,
    .gradient_keV = gradient, .intercept_keV = intercept,
  };
  int rc = ct_hexitec_new(&c->hexitec, &setup, err);
  free(gradient);
  free(intercept);
  return rc;
}

static int prepare(struct calibrator *c, const struct ct_playlist *list, struct ct_err *err)
{
  enum ct_type type;
  ct_playlist_shape(list, &c->rows, &c->cols, &type);
  c->pixels = (size_t)c->rows * c->cols;
  if (type != CT_U16)
    return ct_err_set(err, CT_ETYPE, "%s: holds %s; a calibration is made from raw uint16 frames (ADU)", c->run->specs[0],
                      ct_type_text(type));
  if (c->pixels > CT_HEXITEC_PIXELS_MAX)
    return ct_err_set(err, CT_ESHAPE, "%s: %u x %u pixels are no HEXITEC sensor", c->run->specs[0], c->rows, c->cols);
  int rc = read_adu(c->run->threshold, c, "threshold", &c->threshold_ADU, err);
  if (rc == 0 && c->run->dark[0] != '\0' && !c->run->measure_dark)
    rc = read_adu(c->run->dark, c, "dark", &c->dark_ADU, err);
  if (rc == 0)
    rc = ct_lines_of(&c->lines, c->run->sources, c->run->fwhm_keV, err);
  if (rc == 0)
    rc = open_detector(c, err);
  if (rc != 0)
    return rc;
  /* Fine bins, but not more memory than a workstation has. */
  c->fit = (struct ct_calibrate){ .lines = &c->lines, .fwhm_keV = c->run->fwhm_keV, .bin_ADU = BIN_LEAST_ADU,
                                  .bins = ADU_RANGE / BIN_LEAST_ADU };
  while (c->fit.bins > 256 && c->pixels * c->fit.bins * sizeof *c->counts > BINS_BYTES) {
    c->fit.bins /= 2;
    c->fit.bin_ADU *= 2;
  }
  c->counts = ct_xcalloc(c->pixels * c->fit.bins, sizeof *c->counts);
  c->events = ct_xcalloc(c->pixels, sizeof *c->events);
  return 0;
}

/* ---- frames -> spectra ------------------------------------------------------------------------------------------------ */
static void count_singles(struct calibrator *c, const struct ct_frame *frame, uint32_t index)
{
  const uint32_t n = ct_hexitec_singles(c->hexitec, frame, index, c->events);
  for (uint32_t i = 0; i < n; i++) {
    const double bin = (double)c->events[i].energy_keV / c->fit.bin_ADU;
    if (bin >= 0 && bin < c->fit.bins)
      c->counts[c->events[i].pixel * (size_t)c->fit.bins + (uint32_t)bin]++;
  }
  c->result->singles += n;
}

static bool is_dark(const struct ct_attributes *at) { return at->present & CT_HAS_KEY && at->image_key == CT_KEY_DARK; }

static void take_dark(struct calibrator *c, const struct ct_frame *frame, uint32_t index)
{
  ct_hexitec_dark_add(c->hexitec, frame, index);
  c->darks_pending++;
}

static bool is_used(const struct calibrator *c, const struct ct_attributes *at)
{
  return !(at->present & CT_HAS_KEY && at->image_key != CT_KEY_PROJECTION) &&
         !(at->present & CT_HAS_MODE && at->mode == CT_MODE_XCT) && (!c->run->measure_dark || c->darks > 0);
}

/* Frames from <at> on that follow each other and are alike: at most a block of the detector. */
static uint32_t alike(const struct calibrator *c, const struct ct_block *block, uint32_t at)
{
  uint32_t n = 1;
  while (n < CT_HEXITEC_BLOCK && at + n < block->count && block->numbers[at + n] == block->numbers[at] + n &&
         !is_dark(&block->attributes[at + n]) && is_used(c, &block->attributes[at + n]))
    n++;
  return n;
}

static void take_block(struct calibrator *c, const struct ct_block *block)
{
  const size_t frame_bytes = c->pixels * sizeof(uint16_t);
  for (uint32_t at = 0, n; at < block->count; at += n) {
    struct ct_frame frame = { .pixels = block->pixels + at * frame_bytes, .type = CT_U16, .rows = c->rows, .cols = c->cols,
                              .number = block->numbers[at], .attributes = block->attributes[at] };
    const bool dark = is_dark(&frame.attributes);
    if (!dark && c->darks_pending > 0) {
      c->darks = ct_hexitec_dark_apply(c->hexitec);
      c->darks_pending = 0;
    }
    const bool used = !dark && is_used(c, &frame.attributes);
    n = used ? alike(c, block, at) : 1;
    frame.count = n;
    frame.bytes = n * frame_bytes;
    c->result->frames += n;
    if (dark)
      take_dark(c, &frame, 0);
    if (!used)
      continue;
    ct_hexitec_find(c->hexitec, &frame, 0, n);
    ct_hexitec_correct(c->hexitec, c->hexitec);
    for (uint32_t i = 0; i < n; i++)
      count_singles(c, &frame, i);
  }
}

static int read_all(struct calibrator *c, struct ct_playlist *list, struct ct_err *err)
{
  const struct ct_block *block;
  const uint64_t all = ct_playlist_frames(list);
  int rc;
  while ((rc = ct_playlist_next(list, &block, err)) == 0) {
    if (block->rows != c->rows || block->cols != c->cols || block->type != CT_U16)
      return ct_err_set(err, CT_ESHAPE, "%s: its frames are not all of one shape and type", c->run->specs[0]);
    take_block(c, block);
    if (c->run->progress != NULL)
      c->run->progress(c->run->context, "reading frames", c->result->frames, all);
  }
  return rc == CT_ENODATA ? 0 : rc;
}

/* ---- spectra -> files --------------------------------------------------------------------------------------------------- */
static const char *const written[] = { "gradients.txt", "intercepts.txt", "quality.tsv" };

/* Never over a file that is there: it may be the only calibration somebody has. */
static int check_folder(const char *folder, struct ct_err *err)
{
  char path[PATH_BYTES];
  for (size_t i = 0; i < sizeof written / sizeof *written; i++)
    if (snprintf(path, sizeof path, "%s/%s", folder, written[i]) >= PATH_BYTES)
      return ct_err_set(err, CT_ERANGE, "%.60s...: the name is too long", folder);
    else if (access(path, F_OK) == 0)
      return ct_err_set(err, CT_EEXISTS, "%s: exists already; choose another folder", path);
  return 0;
}

static int open_new(FILE **out, const char *folder, const char *name, char path[PATH_BYTES], struct ct_err *err)
{
  snprintf(path, PATH_BYTES, "%s/%s", folder, name);
  *out = fopen(path, "wx");
  if (*out != NULL)
    return 0;
  return ct_err_set(err, errno == EEXIST ? CT_EEXISTS : CT_EIO, "%s: cannot be written: %s", path, strerror(errno));
}

static int close_written(FILE *file, const char *path, struct ct_err *err)
{
  const bool bad = ferror(file) != 0;
  return fclose(file) != 0 || bad ? ct_err_set(err, CT_EIO, "%s: cannot be written: %s", path, strerror(errno)) : 0;
}

static int write_map(const struct calibrator *c, const struct ct_calibration *all, const char *name, bool gradients,
                     struct ct_err *err)
{
  char path[PATH_BYTES];
  FILE *file;
  int rc = open_new(&file, c->run->folder, name, path, err);
  for (size_t i = 0; i < c->pixels && rc == 0; i++)
    fprintf(file, "%.9g\n", gradients ? all[i].gradient_keV : all[i].intercept_keV);
  return rc == 0 ? close_written(file, path, err) : rc;
}

static int write_list(const struct calibrator *c, const struct ct_calibration *all, struct ct_err *err)
{
  char path[PATH_BYTES];
  FILE *file;
  int rc = open_new(&file, c->run->folder, written[2], path, err);
  if (rc != 0)
    return rc;
  fputs("pixel\trow\tcolumn\tlines\tgradient_keV_per_ADU\tgradient_sigma_keV_per_ADU\tintercept_keV\t"
        "intercept_sigma_keV\tchi2_dof\tfwhm_keV\tcounts\tverdict\n", file);
  for (size_t i = 0; i < c->pixels; i++) {
    const struct ct_calibration *p = &all[i];
    fprintf(file, "%zu\t%zu\t%zu\t%u\t%.9g\t%.3g\t%.9g\t%.3g\t%.4g\t%.4g\t%" PRIu64 "\t%s\n", i, i / c->cols, i % c->cols,
            p->lines, p->gradient_keV, p->gradient_sigma_keV, p->intercept_keV, p->intercept_sigma_keV, p->chi2_dof,
            p->fwhm_keV, p->counts, ct_calibration_word(p->verdict));
  }
  return close_written(file, path, err);
}

static void fit_all(struct calibrator *c, struct ct_calibration *all)
{
  c->fit.gradient_keV = ct_calibrate_gradient(&c->fit, c->counts, c->threshold_ADU, c->pixels);
  for (size_t i = 0; i < c->pixels; i++) {
    ct_calibrate_pixel(&c->fit, c->counts + i * c->fit.bins, c->threshold_ADU[i], &all[i]);
    c->result->verdicts[all[i].verdict]++;
    if (c->run->progress != NULL && i % 64 == 63)
      c->run->progress(c->run->context, "fitting pixels", i + 1, c->pixels);
  }
  c->result->pixels = c->pixels;
  c->result->cols = c->cols;
  c->result->gradient_keV = c->fit.gradient_keV;
  c->result->calibrations = all;
}

/* Through two lines of another source there is a straight line as well, at a gain that no detector has. A wrong source
 * leaves most pixels without lines, or many with strong ones that it does not have; odd pixels are never that many. */
static int check_source(const struct calibrator *c, struct ct_err *err)
{
  const size_t *n = c->result->verdicts, good = n[CT_CALIBRATION_OK] + n[CT_CALIBRATION_TWO];
  const size_t enough = good + n[CT_CALIBRATION_MISSING] + n[CT_CALIBRATION_CROOKED] + n[CT_CALIBRATION_FOREIGN];
  if (good > 0 && 10 * good >= enough && 10 * n[CT_CALIBRATION_FOREIGN] <= enough)
    return 0;
  return ct_err_set(err, CT_ENOTFOUND, "%s: not calibrated with %s: %zu pixels fit, %zu lack two of its lines or have them off a "
                    "straight line, %zu have strong foreign lines, %zu too few photons (%" PRIu64 " photons in single pixels); "
                    "is the source right, are dark, threshold and readout?", c->run->specs[0], c->run->sources, good,
                    n[CT_CALIBRATION_MISSING] + n[CT_CALIBRATION_CROOKED], n[CT_CALIBRATION_FOREIGN],
                    n[CT_CALIBRATION_FEW] + n[CT_CALIBRATION_EMPTY], c->result->singles);
}

static int write_all(struct calibrator *c, const struct ct_calibration *all, struct ct_err *err)
{
  int rc = check_source(c, err);
  if (rc != 0)
    return rc;
  if (mkdir(c->run->folder, 0777) != 0 && errno != EEXIST)
    return ct_err_set(err, CT_EIO, "%s: cannot be made: %s", c->run->folder, strerror(errno));
  rc = write_map(c, all, written[0], true, err);
  if (rc == 0)
    rc = write_map(c, all, written[1], false, err);
  return rc == 0 ? write_list(c, all, err) : rc;
}

int ct_calibrate_frames(const struct ct_calibrate_run *run, struct ct_calibrate_result *result, struct ct_err *err)
{
  const struct ct_replay what = { .specs = run->specs, .n_specs = run->n_specs, .stream = run->stream, .image_key = "",
                                  .angles = "", .darks = "", .flats = "", .loops = 1,
                                  .batch = CT_HEXITEC_BLOCK, .last = UINT64_MAX, .end_s = (double)INFINITY };
  struct calibrator c = { .run = run, .result = result };
  struct ct_playlist *list;
  *result = (struct ct_calibrate_result){ 0 };
  int rc = check_folder(run->folder, err);
  if (rc == 0)
    rc = ct_playlist_open(&list, &what, AHEAD_BYTES, err);
  if (rc != 0)
    return rc;
  rc = prepare(&c, list, err);
  if (rc == 0)
    rc = read_all(&c, list, err);
  if (rc == 0 && run->measure_dark && c.darks == 0)
    rc = ct_err_set(err, CT_ENOTFOUND, "%s: dark = measure, but it holds no frame with image key 2 (before others); give "
                    "--dark FILE", run->specs[0]);
  if (rc == 0) {
    fit_all(&c, ct_xcalloc(c.pixels, sizeof *result->calibrations));
    rc = write_all(&c, result->calibrations, err);
  }
  ct_playlist_close(list);
  ct_hexitec_free(c.hexitec);
  free(c.events);
  free(c.counts);
  free(c.dark_ADU);
  free(c.threshold_ADU);
  return rc;
}
