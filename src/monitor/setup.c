/* Settings and the files they name -> the setup of a run. Everything that can be wrong is found here, before anything
 * is opened, and is named with the place the setting came from. */
#include "setup.h"

#include <config.h>

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <comptop/archive.h>

#include "keepsakes.h"

/* "stream.NAME.key"; names are at most CT_NAME - 1 long, checked before. */
static const char *path_of(char path[128], const char *kind, const char *name, const char *key)
{
  snprintf(path, 128, "%s.%s.%s", kind, name, key);
  return path;
}

/* ---- maps ---------------------------------------------------------------------------------------------- */
/* rows*cols numbers from a number, a text map or an HDF5 data set. */
static int read_map(const struct ct_settings *s, const char *path, uint32_t rows, uint32_t cols, bool whole, double *out,
                    struct ct_err *err)
{
  struct ct_err why = { "" };
  int code = ct_map_read(ct_settings_text(s, path), rows, cols, whole, out, &why);
  if (code != 0)
    return ct_settings_refuse(s, path, err, "%s", why.text);
  return 0;
}

/* The same as whole ADU. */
static int read_adu_map(const struct ct_settings *s, const char *path, uint32_t rows, uint32_t cols, uint16_t *out,
                        struct ct_err *err)
{
  size_t pixels = (size_t)rows * cols;
  double *values = ct_xcalloc(pixels, sizeof *values);
  int code = read_map(s, path, rows, cols, true, values, err);
  for (size_t i = 0; i < pixels && code == 0; i++) {
    double adu = floor(values[i] + 0.5);
    if (adu < 0 || adu > UINT16_MAX)
      code = ct_settings_refuse(s, path, err, "pixel %zu (row %zu, column %zu) is %g; ADU are 0 to 65535", i, i / cols,
                                i % cols, values[i]);
    else
      out[i] = (uint16_t)adu;
  }
  free(values);
  return code;
}

/* A mask file as 0/1 a pixel. */
static int read_mask(const struct ct_settings *s, const char *path, uint32_t rows, uint32_t cols, uint8_t *out,
                     struct ct_err *err)
{
  size_t pixels = (size_t)rows * cols;
  double *values = ct_xcalloc(pixels, sizeof *values);
  int code = read_map(s, path, rows, cols, false, values, err);
  for (size_t i = 0; i < pixels && code == 0; i++)
    out[i] = values[i] != 0;
  free(values);
  return code;
}

/* ---- the detector ------------------------------------------------------------------------------------------ */
static int read_calibration(struct run_setup *setup, const struct ct_settings *s, struct ct_err *err)
{
  struct ct_hexitec_setup *h = &setup->analysis.hexitec;
  size_t pixels = (size_t)h->rows * h->cols;
  bool gradients = *ct_settings_text(s, "hexitec.gradients") != '\0';
  bool intercepts = *ct_settings_text(s, "hexitec.intercepts") != '\0';
  if (intercepts && !gradients)
    return ct_settings_refuse(s, "hexitec.intercepts", err, "needs hexitec.gradients too");
  if (!gradients)
    return 0;
  setup->gradient_keV = ct_xcalloc(pixels, sizeof *setup->gradient_keV);
  setup->intercept_keV = ct_xcalloc(pixels, sizeof *setup->intercept_keV);
  h->gradient_keV = setup->gradient_keV;
  h->intercept_keV = setup->intercept_keV;
  int code = read_map(s, "hexitec.gradients", h->rows, h->cols, false, setup->gradient_keV, err);
  if (code == 0 && intercepts)
    code = read_map(s, "hexitec.intercepts", h->rows, h->cols, false, setup->intercept_keV, err);
  return code;
}

static int read_dark(struct run_setup *setup, const struct ct_settings *s, struct ct_err *err)
{
  struct ct_hexitec_setup *h = &setup->analysis.hexitec;
  const char *dark = ct_settings_text(s, "hexitec.dark");
  if (*dark == '\0')
    return 0;
  if (strcmp(dark, "measure") == 0) {
    setup->analysis.wait_for_dark = true;
    return 0;
  }
  setup->dark_ADU = ct_xcalloc((size_t)h->rows * h->cols, sizeof *setup->dark_ADU);
  h->dark_ADU = setup->dark_ADU;
  return read_adu_map(s, "hexitec.dark", h->rows, h->cols, setup->dark_ADU, err);
}

/* What is analysed: neither masked nor dead. */
static int read_live(struct run_setup *setup, const struct ct_settings *s, struct ct_err *err)
{
  const struct ct_hexitec_setup *h = &setup->analysis.hexitec;
  size_t pixels = (size_t)h->rows * h->cols;
  setup->live = ct_xcalloc(pixels, 1);
  setup->analysis.live = setup->live;
  const char *mask = ct_settings_text(s, "hexitec.mask");
  setup->analysis.mask_found = strcmp(mask, "auto") == 0;
  if (*mask != '\0' && !setup->analysis.mask_found) {
    int code = read_mask(s, "hexitec.mask", h->rows, h->cols, setup->live, err);
    if (code != 0)
      return code;
  }
  for (size_t i = 0; i < pixels; i++)
    setup->live[i] = !setup->live[i] && !(setup->gradient_keV && setup->gradient_keV[i] == 0);
  return 0;
}

static int read_hexitec(struct run_setup *setup, const struct ct_settings *s, struct ct_err *err)
{
  struct ct_hexitec_setup *h = &setup->analysis.hexitec;
  setup->analysis.jobs = (unsigned)ct_settings_int(s, "jobs");
  h->rows = (uint32_t)ct_settings_int(s, "hexitec.rows");
  h->cols = (uint32_t)ct_settings_int(s, "hexitec.cols");
  if ((uint64_t)h->rows * h->cols > CT_HEXITEC_PIXELS_MAX)
    return ct_settings_refuse(s, "hexitec.rows", err, "%u x %u pixels are more than %d", h->rows, h->cols,
                              CT_HEXITEC_PIXELS_MAX);
  h->asic_order = ct_settings_word(s, "hexitec.readout") == 1;
  h->sharing = (enum ct_sharing)ct_settings_word(s, "hexitec.sharing");
  h->dither = ct_settings_bool(s, "hexitec.dither");
  h->next_frame = ct_settings_bool(s, "hexitec.next_frame");
  h->threshold_keV = ct_settings_real(s, "hexitec.threshold_keV");
  setup->threshold_ADU = ct_xcalloc((size_t)h->rows * h->cols, sizeof *setup->threshold_ADU);
  h->threshold_ADU = setup->threshold_ADU;
  int code = read_adu_map(s, "hexitec.threshold", h->rows, h->cols, setup->threshold_ADU, err);
  if (code == 0)
    code = read_dark(setup, s, err);
  if (code == 0)
    code = read_calibration(setup, s, err);
  return code == 0 ? read_live(setup, s, err) : code;
}

/* ---- regions of interest -------------------------------------------------------------------------------------- */
/* Pixels whose centre is farther than <inner_px> (-1: wherever) and no farther than <outer_px> from the point. */
static void select_ring(struct ct_roi *roi, uint32_t rows, uint32_t cols, const double point[2], double inner_px,
                        double outer_px)
{
  for (uint32_t y = 0; y < rows; y++)
    for (uint32_t x = 0; x < cols; x++) {
      double dx = x - point[0], dy = y - point[1], distance2 = dx * dx + dy * dy;
      roi->select[(size_t)y * cols + x] =
        distance2 <= outer_px * outer_px && (inner_px < 0 || distance2 > inner_px * inner_px);
    }
}

static int select_box(struct ct_roi *roi, uint32_t rows, uint32_t cols, const struct ct_box *box)
{
  if (box->x1 > cols || box->y1 > rows)
    return CT_ERANGE;
  for (uint32_t y = box->y0; y < box->y1; y++)
    memset(roi->select + (size_t)y * cols + box->x0, 1, box->x1 - box->x0);
  return 0;
}

static int read_roi(struct run_setup *setup, const struct ct_settings *s, const char *name, struct ct_err *err)
{
  uint32_t rows = setup->analysis.hexitec.rows, cols = setup->analysis.hexitec.cols;
  struct ct_roi *roi = &setup->rois[setup->analysis.n_rois];
  char path[128];
  struct ct_box box;
  double disc[3], ring[4];
  snprintf(roi->name, sizeof roi->name, "%s", name);
  roi->select = ct_xcalloc((size_t)rows * cols, 1);
  setup->roi_names[setup->analysis.n_rois++] = roi->name;
  const char *shape = path_of(path, "roi", name, "mask");
  if (*ct_settings_text(s, shape) != '\0') {
    int code = read_mask(s, shape, rows, cols, roi->select, err);
    if (code != 0)
      return code;
  } else if (ct_parse_numbers(ct_settings_text(s, shape = path_of(path, "roi", name, "disc")), ',', disc, 3) == 0)
    select_ring(roi, rows, cols, disc, -1, disc[2]);
  else if (ct_parse_numbers(ct_settings_text(s, shape = path_of(path, "roi", name, "ring")), ',', ring, 4) == 0)
    select_ring(roi, rows, cols, ring, ring[2], ring[3]);
  else if (ct_parse_box(ct_settings_text(s, shape = path_of(path, "roi", name, "pixels")), &box) != 0 ||
           select_box(roi, rows, cols, &box) != 0)
    return ct_settings_refuse(s, shape, err, "reaches outside the sensor of %u columns, %u rows", cols, rows);
  if (memchr(roi->select, 1, (size_t)rows * cols) == NULL)
    return ct_settings_refuse(s, shape, err, "holds no pixel of the sensor of %u columns, %u rows", cols, rows);
  return 0;
}

static int read_rois(struct run_setup *setup, const struct ct_settings *s, struct ct_err *err)
{
  size_t n = ct_settings_sections(s, "roi");
  if (n > CT_SNAPSHOT_ROIS)
    return ct_err_set(err, CT_ECONFIG, "%zu regions of interest; there is room for %d", n, CT_SNAPSHOT_ROIS);
  int code = 0;
  for (size_t i = 0; i < n && code == 0; i++)
    code = read_roi(setup, s, ct_settings_section_name(s, "roi", i), err);
  setup->analysis.rois = setup->rois;
  return code;
}

/* ---- analysis ---------------------------------------------------------------------------------------------------- */
static int read_spectra(struct run_setup *setup, const struct ct_settings *s, struct ct_err *err)
{
  struct ct_spectra_setup *spectra = &setup->analysis.spectra;
  double start_keV, end_keV, width_keV, window_s = ct_settings_real(s, "run.window");
  struct ct_err why = { "needs start:end:width in keV" };
  if (ct_parse_range(ct_settings_text(s, "hexitec.bins"), &start_keV, &end_keV, &width_keV) != 0 ||
      ct_axis_init(&spectra->axis, start_keV, end_keV, width_keV, &why) != 0)
    return ct_settings_refuse(s, "hexitec.bins", err, "%s", why.text);
  spectra->pixels = setup->analysis.hexitec.rows * setup->analysis.hexitec.cols;
  spectra->window_s = window_s;
  if (isnan(window_s))
    spectra->window_s = strcmp(ct_settings_text(s, "run.window"), "scan") == 0 ? CT_SPECTRA_SCAN : (double)INFINITY;
  spectra->memory_bytes = (uint64_t)ct_settings_int(s, "run.memory_MB") << 20;
  return 0;
}

/* ---- streams ------------------------------------------------------------------------------------------------------- */
static enum ct_codec codec_of(const struct ct_settings *s, const char *stream, enum ct_codec otherwise)
{
  static const enum ct_codec codecs[] = { CT_CODEC_AUTO, CT_CODEC_NONE, CT_CODEC_BSLZ4, CT_CODEC_LZ4, CT_CODEC_ZSTD,
                                          CT_CODEC_EVENTS };
  char path[128];
  const int word = ct_settings_word(s, path_of(path, "stream", stream, "codec"));
  return word >= 0 ? codecs[word] : otherwise;
}

static int read_stream(struct run_setup *setup, const struct ct_settings *s, const char *name, struct ct_err *err)
{
  static const enum ct_role roles[] = { CT_ROLE_HEXITEC, CT_ROLE_CAMERA, CT_ROLE_SCALARS };
  struct stream_setup *stream = &setup->streams[setup->n_streams];
  struct ct_receiver_setup *r = &stream->receiver;
  char path[128];
  if (strlen(name) >= CT_NAME)
    return ct_err_set(err, CT_ECONFIG, "[stream %.40s...]: a name has at most %d characters", name, CT_NAME - 1);
  snprintf(stream->name, sizeof stream->name, "%s", name);
  stream->role = roles[ct_settings_word(s, path_of(path, "stream", name, "role"))];
  stream->endpoint = ct_settings_text(s, path_of(path, "stream", name, "endpoint"));
  stream->pull = ct_settings_word(s, path_of(path, "stream", name, "socket")) == 1;
  enum ct_wire_format format = (enum ct_wire_format)ct_settings_word(s, path_of(path, "stream", name, "format"));
  bool scalars = stream->role == CT_ROLE_SCALARS;
  if (format != CT_WIRE_AUTO && scalars != (format == CT_WIRE_BSREAD))
    return ct_settings_refuse(s, path_of(path, "stream", name, "format"), err, "does not carry %s",
                              scalars ? "scalars: use bsread" : "frames: use auto, array-1.0 or odin");
  setup->n_streams++;
  if (stream->role != CT_ROLE_HEXITEC && codec_of(s, name, CT_CODEC_NONE) == CT_CODEC_EVENTS)
    return ct_settings_refuse(s, path_of(path, "stream", name, "codec"), err, "is for HEXITEC streams: only they have "
                              "photon events");
  setup->scalars |= scalars;
  if (scalars)
    return 0;
  const char *dataset = ct_settings_text(s, path_of(path, "stream", name, "dataset"));
  r->name = stream->name;
  r->endpoint = stream->endpoint;
  r->pull = stream->pull;
  r->wire.role = stream->role;
  r->wire.format = format;
  r->wire.dataset = *dataset ? dataset : NULL;
  r->wire.names = (struct ct_wire_names){ .angle = ct_settings_text(s, "attributes.angle"),
    .z = ct_settings_text(s, "attributes.z"), .mode = ct_settings_text(s, "attributes.mode"),
    .trigger = ct_settings_text(s, "attributes.trigger"), .image_key = ct_settings_text(s, "attributes.image_key") };
  r->sampled = (enum ct_sampled)ct_settings_word(s, path_of(path, "stream", name, "sampled"));
  r->frame_hz = ct_settings_real(s, path_of(path, "stream", name, "frame_hz"));
  r->consumers[CT_CONSUMER_ARCHIVE] = setup->archive.folder != NULL;
  r->budget_bytes[CT_CONSUMER_ARCHIVE] = (uint64_t)ct_settings_int(s, "run.buffer_MB") << 20;
  if (stream->role == CT_ROLE_CAMERA && ct_settings_is_set(s, "camera.angle"))
    r->wire.names.angle = ct_settings_text(s, "camera.angle");
  if (stream->role == CT_ROLE_CAMERA && setup->camera < 0) {
    setup->camera = (int)setup->n_streams - 1;
    r->consumers[CT_CONSUMER_ANALYSIS] = true;
    r->budget_bytes[CT_CONSUMER_ANALYSIS] = (uint64_t)ct_settings_int(s, "run.buffer_MB") << 20;
  }
  if (stream->role != CT_ROLE_HEXITEC)
    return 0;
  if (setup->hexitec >= 0)
    return ct_err_set(err, CT_EUNSUPPORTED, "[stream %s]: a second HEXITEC detector (after %s) is not yet in this version",
                      name, setup->streams[setup->hexitec].name);
  setup->hexitec = (int)setup->n_streams - 1;
  r->wire.rows = setup->analysis.hexitec.rows;
  r->wire.cols = setup->analysis.hexitec.cols;
  r->consumers[CT_CONSUMER_ANALYSIS] = true;
  r->budget_bytes[CT_CONSUMER_ANALYSIS] = (uint64_t)ct_settings_int(s, "run.buffer_MB") << 20;
  setup->analysis.frame_hz = r->frame_hz;
  return 0;
}

static int read_streams(struct run_setup *setup, const struct ct_settings *s, struct ct_err *err)
{
  size_t n = ct_settings_sections(s, "stream");
  if (ct_settings_is_set(s, "from"))
    return ct_setup_from(setup, s, read_stream, err);
  if (n == 0)
    return ct_err_set(err, CT_EUSAGE, "nothing to watch: give --hexitec ENDPOINT, a configuration file with -c, or --demo");
  if (n > CT_SNAPSHOT_STREAMS)
    return ct_err_set(err, CT_ECONFIG, "%zu streams; there is room for %d", n, CT_SNAPSHOT_STREAMS);
  int code = 0;
  for (size_t i = 0; i < n && code == 0; i++)
    code = read_stream(setup, s, ct_settings_section_name(s, "stream", i), err);
  return code;
}

/* ---- the archive -------------------------------------------------------------------------------------------------- */
static int print_configuration(struct run_setup *setup, const struct ct_settings *s, struct ct_err *err)
{
  size_t size_bytes;
  FILE *text = open_memstream(&setup->configuration, &size_bytes);
  int code = text ? ct_settings_print(s, text) : CT_ENOMEM;
  if (text && fclose(text) != 0)
    code = CT_ENOMEM;
  return code == 0 ? 0 : ct_err_set(err, code, "no memory for the configuration");
}

static void read_archive(struct run_setup *setup, const struct ct_settings *s)
{
  struct ct_run_setup *a = &setup->archive;
  const char *folder = ct_settings_text(s, "run.archive");
  a->program = "comptop " PACKAGE_VERSION;
  if (*folder == '\0' || ct_settings_bool(s, "check"))      /* a look is no run, and leaves none that is refused later */
    return;
  a->folder = folder;
  a->name = setup->run;
  a->resume = ct_settings_bool(s, "resume");
  a->codec = CT_CODEC_BSLZ4;
  a->reserve_bytes = (uint64_t)ct_settings_int(s, "run.reserve_MB") << 20;
  a->streams = setup->archive_streams;
}

/* The instrument as the archive describes it. */
static void describe_instrument(struct run_setup *setup, const struct ct_settings *s)
{
  const struct ct_hexitec_setup *h = &setup->analysis.hexitec;
  struct ct_run_about *about = &setup->about;
  const bool detector = setup->hexitec >= 0;
  *about = (struct ct_run_about){ .e1_keV = NAN, .theta_deg = NAN, .object_mm = NAN, .detector_mm = NAN, .pitch_mm = NAN,
    .camera_um = ct_settings_real(s, "camera.pixel_um"), .voltage = ct_settings_text(s, "scalars.voltage"),
    .current = ct_settings_text(s, "scalars.current"), .charge = ct_settings_text(s, "scalars.charge") };
  if (!detector)
    return;
  about->e1_keV = ct_settings_real(s, "beam.e1_keV");
  about->theta_deg = ct_settings_real(s, "geometry.theta_deg");
  about->object_mm = ct_settings_real(s, "geometry.object_mm");
  about->detector_mm = ct_settings_real(s, "geometry.detector_mm");
  about->pitch_mm = ct_settings_real(s, "geometry.pitch_mm");
  about->rows = h->rows;
  about->cols = h->cols;
  about->gradient_keV = h->gradient_keV;
  about->intercept_keV = h->intercept_keV;
  about->dark_ADU = h->dark_ADU;
  about->threshold_ADU = h->threshold_ADU;
  about->live = setup->live;
}

static int finish_archive(struct run_setup *setup, const struct ct_settings *s, struct ct_err *err)
{
  struct ct_run_setup *a = &setup->archive;
  if (a->folder == NULL && setup->from == NULL)
    return 0;
  a->n_streams = a->folder != NULL ? setup->n_streams : 0;
  describe_instrument(setup, s);
  a->about = &setup->about;
  for (uint32_t i = 0; i < a->n_streams; i++) {
    const struct stream_setup *stream = &setup->streams[i];
    bool detector = stream->role == CT_ROLE_HEXITEC;
    setup->archive_streams[i] = (struct ct_run_stream){ .name = stream->name, .endpoint = stream->endpoint,
      .role = stream->role, .codec = codec_of(s, stream->name, detector ? CT_CODEC_AUTO : CT_CODEC_NONE),
      .frame_hz = detector ? stream->receiver.frame_hz : (double)NAN };
  }
  if (setup->hexitec >= 0) {
    a->rows = setup->analysis.hexitec.rows;
    a->cols = setup->analysis.hexitec.cols;
    a->bins = setup->analysis.spectra.axis.n;
    a->start_keV = setup->analysis.spectra.axis.start_keV;
    a->width_keV = setup->analysis.spectra.axis.width_keV;
    a->rois = setup->roi_names;
    a->n_rois = setup->analysis.n_rois;
    setup->analysis.archived = a->folder != NULL;
  }
  ct_setup_maps(setup, s);
  int code = print_configuration(setup, s, err);
  a->configuration = setup->configuration;
  return code;
}

static void read_run_name(struct run_setup *setup, const struct ct_settings *s)
{
  char now[CT_TIME_TEXT];
  const char *name = ct_settings_text(s, "run.name");
  setup->named = *name != '\0';
  if (setup->named) {
    snprintf(setup->run, sizeof setup->run, "%s", name);
    return;
  }
  /* run-20261122T031407Z: sorts by time and is a file name. */
  ct_time_text(ct_time_wall_ns(), now);
  snprintf(setup->run, sizeof setup->run, "run-%.4s%.2s%.2sT%.2s%.2s%.2sZ", now, now + 5, now + 8, now + 11, now + 14,
           now + 17);
}

/* What may change in a run: it needs the shape of the sensor, and nothing needs it. */
static int read_changeable(struct run_setup *setup, const struct ct_settings *s, struct ct_err *err)
{
  int code = read_rois(setup, s, err);
  if (code == 0)
    code = read_spectra(setup, s, err);
  if (code == 0)
    code = ct_setup_compton(setup, s, err);
  if (code == 0)
    code = keepsakes_read(setup, s, err);
  return code == 0 ? ct_setup_lithium(&setup->lithium, s, err) : code;
}

int ct_setup_read(struct run_setup *setup, const struct ct_settings *s, struct ct_err *err)
{
  memset(setup, 0, sizeof *setup);
  setup->hexitec = setup->camera = -1;
  if (ct_settings_bool(s, "resume") && (*ct_settings_text(s, "run.archive") == '\0' || *ct_settings_text(s, "run.name") == '\0'))
    return ct_err_set(err, CT_EUSAGE, "--resume needs --archive DIR and --run NAME: the run that goes on");
  if (ct_settings_is_set(s, "from") && *ct_settings_text(s, "run.archive") != '\0')
    return ct_err_set(err, CT_EUSAGE, "--from reads an archived run and keeps its results there; leave out --archive");
  setup->analysis.until_ns = setup->reconstruction.until_ns = INT64_MAX;
  read_run_name(setup, s);
  read_archive(setup, s);
  int code = read_hexitec(setup, s, err);
  if (code == 0)
    code = read_changeable(setup, s, err);
  if (code == 0)
    code = read_streams(setup, s, err);
  if (code == 0)
    code = ct_setup_camera(setup, s, err);   /* looks for a stream of scalars */
  return code == 0 ? finish_archive(setup, s, err) : code;
}

static void free_changeable(struct run_setup *setup)
{
  for (uint32_t i = 0; i < setup->analysis.n_rois; i++)
    free(setup->rois[i].select);
  free(setup->flat_values);
}

/* Takes over what <fresh> has read. */
static void move_changeable(struct run_setup *setup, struct run_setup *fresh)
{
  free_changeable(setup);
  memcpy(setup->rois, fresh->rois, sizeof setup->rois);
  setup->flat = fresh->flat;
  setup->flat_values = fresh->flat_values;
  setup->reference = fresh->reference;
  setup->lithium = fresh->lithium;
  setup->centre_by_default = fresh->centre_by_default;
  setup->analysis = fresh->analysis;
  setup->analysis.rois = setup->rois;
  setup->analysis.flat = fresh->analysis.flat ? &setup->flat : NULL;
  setup->analysis.reference = fresh->analysis.reference ? &setup->reference : NULL;
}

int ct_setup_change(struct run_setup *setup, const struct ct_settings *s, struct ct_analysis *analysis, struct ct_err *err)
{
  struct run_setup *fresh = ct_xcalloc(1, sizeof *fresh);
  fresh->analysis = setup->analysis;
  fresh->analysis.n_rois = 0;
  fresh->analysis.flat = NULL;
  fresh->analysis.reference = NULL;
  memset(&fresh->analysis.compton, 0, sizeof fresh->analysis.compton);
  int code = read_changeable(fresh, s, err);
  if (code == 0 && analysis != NULL)
    code = ct_analysis_change(analysis, &fresh->analysis, err);
  if (code == 0)
    move_changeable(setup, fresh);
  else
    free_changeable(fresh);
  free(fresh);
  return code;
}

void ct_setup_fini(struct run_setup *setup)
{
  free_changeable(setup);
  free(setup->dark_ADU);
  free(setup->threshold_ADU);
  free(setup->gradient_keV);
  free(setup->intercept_keV);
  free(setup->live);
  free(setup->configuration);
  for (size_t i = 0; i < setup->archive.n_maps; i++)
    free(setup->map_values[i]);
}
