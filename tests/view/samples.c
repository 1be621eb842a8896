#include "samples.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define WALL_NS (INT64_C(1795317247) * CT_NS_PER_S + 250000000)   /* 2026-11-22T03:14:07.250Z */

const char *const ct_sample_names[CT_SAMPLE_COUNT] = { "empty", "cell", "faint", "alarm", "stale", "extreme", "nan" };

/* ---- noise: the same on every machine ----------------------------------------------------------------------- */
static double uniform(uint64_t *state)
{
  *state = *state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
  return (double)(*state >> 11) * 0x1p-53;
}

static double normal(uint64_t *state)
{
  double sum = -6;
  for (int i = 0; i < 12; i++)
    sum += uniform(state);
  return sum;
}

/* ---- the cell seen from the detector: a steel ring, in it cathode above, lithium below, electrolyte between --- */
static double true_emf(double x, double y, double *brightness)
{
  double r = hypot(x - 39.5, y - 39.5);
  *brightness = r < 36 ? 1 : r < 37 ? 0.3 : 0.002;
  if (r > 31)
    return 0.76;                   /* casing */
  if (y < 38) {
    *brightness = 0.8;
    return 0.92;                   /* cathode */
  }
  *brightness = y < 46 ? 0.5 : 0.25;
  return y < 46 ? 1.1 : 2.0;       /* separator and electrolyte, lithium */
}

/* <photons>: useful counts a pixel has where it is bright; the error of a ratio of two Poisson counts. */
static void fill_map(struct ct_map_parts *map, double photons, unsigned frame)
{
  uint64_t state = 12345 + frame;
  uint32_t rows = map->head->rows, cols = map->head->cols, bin = map->head->bin;
  double sum = 0;
  uint32_t good = 0;
  for (uint32_t i = 0; i < rows * cols; i++) {
    double brightness, x = (i % cols + 0.5) * bin - 0.5, y = (i / cols + 0.5) * bin - 0.5;
    double emf = true_emf(x, y, &brightness), counts = photons * brightness * bin * bin;
    double sigma = (1 + emf) * sqrt(emf / counts), noise = normal(&state);
    map->counts[i] = (float)floor(counts + 0.5);
    map->photons[i] = (float)floor(9 * counts + 0.5);     /* the bands of L and H are the smaller part of a spectrum */
    map->intensity[i] = (float)(brightness * 2.5);
    map->cell[i] = counts < 50 ? CT_CELL_LOW : CT_CELL_OK;
    if (x > 60 && x < 63 && y > 10 && y < 14)
      map->cell[i] = CT_CELL_MASKED;
    bool ok = map->cell[i] == CT_CELL_OK;
    map->emf[i] = ok ? (float)(emf + sigma * noise) : (float)NAN;
    map->sigma[i] = ok ? (float)sigma : (float)NAN;
    if (ok) {
      sum += sigma;
      good++;
    }
  }
  map->head->median_sigma = good ? sum / good : (double)NAN;
}

/* <roi>: 0 all pixels; 1, 2: regions whose narrow part is larger, or smaller. */
static void fill_profile(struct ct_profile_parts *profile, double photons, int roi)
{
  uint64_t state = 99 + (uint64_t)roi;
  double narrow = roi == 2 ? 0.6 : roi == 1 ? 0.78 : 0.75;
  for (uint32_t i = 0; i < profile->head->n; i++) {
    double pz = -10 + 20.0 * i / (profile->head->n - 1);
    double J = narrow / (1 + pz * pz / 0.6) + (1 - narrow) * exp(-pz * pz / 18);
    profile->sigma[i] = sqrt(J / photons);
    profile->pz[i] = pz;
    profile->J[i] = J + profile->sigma[i] * normal(&state);
  }
}

static void fill_reference(struct ct_profile_parts *profile)
{
  snprintf(profile->head->reference, sizeof profile->head->reference, "LiNi0.8Mn0.1Co0.1O2");
  profile->head->chi2 = 231.4;
  profile->head->dof = 32;
  for (uint32_t i = 0; i < profile->head->n; i++) {
    double pz = profile->pz[i];
    profile->reference[i] = 0.7 / (1 + pz * pz / 0.6) + 0.3 * exp(-pz * pz / 18);
    profile->reference_sigma[i] = profile->sigma[i];
  }
}

static void fill_spectrum(struct ct_spectrum_parts *spectrum, double photons)
{
  uint64_t state = 7;
  spectrum->head->width_keV = 0.2;
  for (uint32_t i = 0; i < spectrum->head->n; i++) {
    double e = (i + 0.5) * 0.2, w = 0;
    static const double lines[][3] = { { 93.6, 2.2, 1 }, { 114.64, 0.5, 0.12 }, { 74.2, 0.5, 0.15 }, { 59.3, 0.5, 0.1 } };
    for (int k = 0; k < 4; k++)
      w += lines[k][2] * exp(-0.5 * (e - lines[k][0]) * (e - lines[k][0]) / (lines[k][1] * lines[k][1]));
    w += e > 8 && e < 116 ? 0.01 * (1 + exp(-e / 30)) : 0;
    double counts = w * photons;
    spectrum->counts[i] = fmax(0, floor(counts + sqrt(counts) * normal(&state) + 0.5));
  }
}

static void fill_trend(struct ct_trend_parts *trend, int roi)
{
  uint64_t state = 4711 + (uint64_t)roi;
  trend->head->interval_s = 30;
  uint32_t n = trend->head->n;
  for (uint32_t i = 0; i < n; i++) {
    double age_s = 30.0 * (n - 1 - i);
    trend->t_s[i] = (double)WALL_NS / 1e9 - age_s;
    trend->sigma[i] = 0.003;
    trend->emf[i] = (roi == 2 ? 1.05 : roi == 1 ? 0.92 : 0.93) - 0.02 * age_s / 3600 + 0.003 * normal(&state);
    trend->v_V[i] = 3.2 + 0.7 * sqrt(1 - age_s / 3700);
    trend->i_A[i] = 0.0021;
    trend->q_Ah[i] = 0.0021 * (3600 - age_s) / 3600;
  }
}

/* A casing, a hole that is off the middle, nothing beyond the field of view; a little noise. */
static void fill_slice(float *values, uint32_t rows, uint32_t cols, unsigned frame)
{
  for (uint32_t y = 0; y < rows; y++)
    for (uint32_t x = 0; x < cols; x++) {
      double u = (x + 0.5) / cols * 2 - 1, v = (y + 0.5) / rows * 2 - 1, r = hypot(u, v);
      double value = hypot(u - 0.3, v + 0.2) < 0.15 ? 0.1 : r < 0.6 ? 2 + u : r < 0.75 ? 6 : 0;
      uint32_t noise = (y * 7919 + x * 104729 + frame * 31) * 2654435761u;
      values[(size_t)y * cols + x] = r > 1 ? NAN : (float)(value + 0.1 * ((double)(noise >> 16) / 65536 - 0.5));
    }
}

/* The cathode, and a rectangle in the lithium. */
static void fill_rois(struct ct_rois_parts *rois)
{
  for (uint32_t y = 0; y < rois->head->rows; y++)
    for (uint32_t x = 0; x < rois->head->cols; x++) {
      bool cathode = hypot(x - 39.5, y - 39.5) < 30 && y < 37, anode = x >= 28 && x < 52 && y >= 50 && y < 64;
      rois->rois[y * rois->head->cols + x] = (uint16_t)(cathode | anode << 1);
    }
}

static void fill_marks(struct ct_marks_parts *marks)
{
  static const struct ct_snapshot_mark all[] = { { .t_s = 3000, .kind = CT_MARK_SCAN, .text = "scan 1" },
    { .t_s = 1980, .kind = CT_MARK_XCT, .text = "xct" }, { .t_s = 1500, .kind = CT_MARK_XCS, .text = "xcs" },
    { .t_s = 1490, .kind = CT_MARK_SCAN, .text = "scan 2" }, { .t_s = 600, .kind = CT_MARK_TEXT, .text = "cycle 2 charge" } };
  for (uint32_t i = 0; i < marks->head->n; i++) {
    marks->marks[i] = all[i];
    marks->marks[i].t_s = (double)WALL_NS / 1e9 - all[i].t_s;
  }
}

static void add_settings(struct ct_snapshot_builder *builder, const struct ct_request *request)
{
  static const char text[] = "[geometry]\nbeam = -x\nobject_mm = 158.2\n[hexitec]\nmask = hot.txt\n[roi cathode]\ndisc = 40,40,28\n";
  static char packed[CT_SETTINGS_BYTES];
  struct ct_settings *settings;
  struct ct_settings_parts parts;
  if (ct_settings_parse(&settings, &ct_comptop_options, "i12.conf", text, sizeof text - 1, NULL) != 0 ||
      ct_settings_change(settings, "geometry.centre_px", "39.2,39.5", WALL_NS, NULL) != 0)
    abort();
  size_t bytes = ct_settings_pack(settings, NULL, packed, sizeof packed);
  if (!ct_snapshot_add_settings(builder, request, (uint32_t)bytes, &parts))
    abort();
  memcpy(parts.packed, packed, bytes);
  ct_settings_close(settings);
}

static void add_section(struct ct_snapshot_builder *builder, const struct ct_request *request, double photons,
                        unsigned frame)
{
  struct ct_map_parts map;
  struct ct_profile_parts profile;
  struct ct_spectrum_parts spectrum;
  struct ct_trend_parts trend;
  struct ct_slice_parts slice;
  struct ct_image_parts image;
  struct ct_rois_parts rois;
  struct ct_marks_parts marks;
  uint32_t bin = request->bin;
  if (request->kind == CT_SECTION_MAP) {
    for (bin = bin ? bin : 1; request->bin == 0 && bin < 8 && 3.8 / sqrt(photons * bin * bin) > request->target_sigma;)
      bin *= 2;
    bin = request->of == CT_MAP_DRIFT ? 8 : request->of == CT_MAP_HITS ? 1 : bin;
    if (!ct_snapshot_add_map(builder, request, 80 / bin, 80 / bin, &map))
      abort();
    map.head->bin = bin;
    fill_map(&map, photons, frame);
    map.head->of = request->of;
    for (uint32_t i = 0; request->of == CT_MAP_HITS && i < 6400; i++)
      map.intensity[i] *= 8, map.emf[i] = map.sigma[i] = (float)NAN;
    for (uint32_t i = 0; request->of == CT_MAP_DRIFT && i < 100; i++)
      map.emf[i] = (float)(0.02 * ((double)(i % 10) - 4.5)), map.sigma[i] *= 2;      /* a ramp along the columns */
  } else if (request->kind == CT_SECTION_PROFILE && ct_snapshot_add_profile(builder, request, 201, &profile)) {
    fill_profile(&profile, photons * (request->scope == CT_SCOPE_ALL ? 100 : 5), request->scope == CT_SCOPE_ROI ? 1 + request->x : 0);
    if (request->scope == CT_SCOPE_ROI)      /* one of them beside a reference */
      fill_reference(&profile);
  } else if (request->kind == CT_SECTION_SPECTRUM && ct_snapshot_add_spectrum(builder, request, 1000, &spectrum)) {
    fill_spectrum(&spectrum, photons * 200);
  } else if (request->kind == CT_SECTION_TREND && ct_snapshot_add_trend(builder, request, request->size, &trend)) {
    fill_trend(&trend, request->scope == CT_SCOPE_ROI ? 1 + request->x : 0);
  } else if (request->kind == CT_SECTION_SLICE && ct_snapshot_add_slice(builder, request, request->size, &slice)) {
    slice.head->projections = 412;
    slice.head->pixel_um = 16000.0 / request->size;
    fill_slice(slice.values, request->size, request->size, frame);
  } else if (request->kind == CT_SECTION_IMAGE && ct_snapshot_add_image(builder, request, 120, 160, &image)) {
    image.head->pixel_um = 100;
    image.head->angle_deg = 41.2;
    image.head->projections = 206;
    fill_slice(image.values, 120, 160, frame);
  } else if (request->kind == CT_SECTION_ROIS && ct_snapshot_add_rois(builder, request, 80, 80, &rois)) {
    fill_rois(&rois);
  } else if (request->kind == CT_SECTION_MARKS && ct_snapshot_add_marks(builder, request, 5, &marks)) {
    fill_marks(&marks);
  } else if (request->kind == CT_SECTION_SETTINGS) {
    add_settings(builder, request);
  } else {
    abort();
  }
}

static void fill_core(struct ct_snapshot_core *core, enum ct_sample sample, double photons)
{
  core->wall_ns = WALL_NS;
  core->seq = 71;
  core->uptime_s = 3720;
  strcpy(core->run, "charge-02");
  strcpy(core->mode, "xcs");
  core->n_streams = core->n_rings = 2;
  core->streams[0] = (struct ct_snapshot_stream){ .name = "hexitec", .format = "array-1.0", .role = CT_ROLE_HEXITEC,
    .state = CT_STREAM_LIVE, .frames = 540000, .rate_hz = 9118.9, .lag_s = 0.02, .silent_s = 0.1 };
  core->streams[1] = (struct ct_snapshot_stream){ .name = "scalars", .format = "bsread", .role = CT_ROLE_SCALARS,
    .state = CT_STREAM_LIVE, .frames = 3712, .rate_hz = 1, .lag_s = 0.01, .silent_s = 0.4 };
  core->rings[0] = (struct ct_snapshot_ring){ .name = "hexitec", .fill = 0.02, .high = 0.11 };
  core->rings[1] = (struct ct_snapshot_ring){ .name = "scalars" };
  core->archive = (struct ct_snapshot_archive){ .state = CT_ARCHIVE_OK, .committed_frames = 539904,
    .bytes = UINT64_C(4710000000), .free_bytes = UINT64_C(812000000000), .rate_Bps = 7.9e6, .left_s = 102784, .lag_s = 0.4,
    .ratio = 31.5, .folder = "/data/cm33870/charge-02" };
  core->xcs = (struct ct_snapshot_xcs){ .present = true, .window_s = 60, .covered_s = 60, .frames = 540000, .live_s = 60, .rows = 80,
    .cols = 80, .counts = (uint64_t)(photons * 16000), .e1_keV = 114.64, .e2_keV = 93.63, .p_low = 1, .p_high = 5,
    .background_keV = { { 104, 111 } }, .n_background = 1,
    .emf = { .emf = 0.9302, .sigma = 0.0031, .emf_plus = 0.9411, .plus_sigma = 0.0044 } };
  core->xcs.change = (struct ct_change){ .samples = 60, .steps = 5, .per_h = 0.0212, .sigma_per_h = 0.0013, .up = 6.1 };
  core->health = (struct ct_snapshot_health){ .present = true, .single = 0.49, .dbl = 0.45, .multiple = 0.06, .window_s = 28.7,
    .hits_per_frame = 11.24, .hits_spread = 3.41, .rate_median_hz = 16.3, .hot = 2, .dead = 1, .off = 1, .hot_unmasked = 1,
    .masked = 3, .row_floods = 3, .flooded_row = 7, .flooded_frame = 123456, .jumps = 1, .jump_frame = 99000,
    .jump_ADU = -20.13, .level_ADU = 0.2, .drift_median_ADU = 0.12, .drift_max_ADU = -7.25, .drift_x = 12, .drift_y = 40,
    .n_pixels = 4, .pixels = { { 60, 24, CT_FAULT_DEAD, true, 0 }, { 12, 40, CT_FAULT_HOT, true, 1534.2 },
      { 13, 41, CT_FAULT_HOT, false, 153.1 }, { 2, 77, CT_FAULT_PAST, true, 15.2 } } };
  core->xcs.run = (struct ct_emf){ .emf = 0.9288, .sigma = 0.0004 };
  core->xcs.target_s = 0;
  core->xcs.scan = 3;
  core->xcs.scan_emf = (struct ct_emf){ .emf = 0.9312, .sigma = 0.0009 };
  core->drift = (struct ct_snapshot_drift){ .cells = 88, .z_limit = 4.2, .z_max = 2.7, .x = 32, .y = 48 };
  static const double monitors[CT_MONITORS][4] = { { -0.011, 0.001, 0, 0.05 }, { 0.039, 0.005, 0, 0.1 },
    { 0.0127, 0.0028, 0.0131, 0.0064 }, { 59.314, 0.008, 59.3182, 0.05 }, { 1.096, 0.006, 1.051, 0.02 },
    { 74.98, 0.01, 74.9693, 0.05 }, { 1.06, 0.02, 1.07, 0.02 }, { 0.0148, 0.0002, 0.0146, 0.058 },
    { 0.927, 0.003, 0.93, 0.046 }, { 86600, 120, 86800, 43400 }, { 9, 0, 0, 0 }, { 0, 0, 0, 0 } };
  core->monitors.live_s = 60;
  for (int i = 0; i < CT_MONITORS; i++)
    core->monitors.list[i] = (struct ct_snapshot_monitor){ monitors[i][0], monitors[i][1], monitors[i][2], monitors[i][3],
      (double)NAN, (double)NAN, i == CT_MONITOR_BRAGG ? 51 : -1, i == CT_MONITOR_BRAGG ? 21 : -1,
      i == CT_MONITOR_BRAGG || i == CT_MONITOR_W_FWHM ? CT_MONITOR_ALARM : CT_MONITOR_FINE, 0 };
  core->n_rois = 2;
  core->rois[0] = (struct ct_snapshot_roi){ .name = "cathode", .pixels = 2463, .emf = { .emf = 0.921, .sigma = 0.004 } };
  core->rois[1] = (struct ct_snapshot_roi){ .name = "Anode-Süd", .pixels = 900, .emf = { .emf = 2.012, .sigma = 0.021 } };
  core->rois[0].change = (struct ct_change){ .samples = 60, .steps = 5, .per_h = 0.001, .sigma_per_h = 0.002 };
  core->rois[0].run = (struct ct_emf){ .emf = 0.9206, .sigma = 0.0006 };
  core->rois[0].target_s = 840;
  core->rois[1].run = (struct ct_emf){ .emf = (double)NAN, .sigma = (double)NAN };
  core->rois[1].target_s = (double)NAN;
  core->rois[1].change = (struct ct_change){ .per_h = (double)NAN, .sigma_per_h = (double)NAN };
  if (sample == CT_SAMPLE_CELL) {
    core->lithium = (struct ct_lithium){ .references = 2, .x0 = 0.6, .emf0 = 0.918, .emf0_sigma = 0.001, .slope = 0.023,
      .slope_sigma = 0.002, .x_low = 0.2, .x_high = 1 };
    core->xcs.x = 1.13, core->xcs.x_sigma = 0.15;
    core->rois[0].x = 0.73, core->rois[0].x_sigma = 0.18;
    core->rois[1].x = core->rois[1].x_sigma = (double)NAN;
  }
  core->ct = (struct ct_snapshot_ct){ .present = true, .projections = 824, .angle_deg = 41.2, .axis_px = 543.31,
    .axis_sigma_px = 0.05, .axis_method = "pairs", .tilt_deg = -0.0312, .tilt_sigma_deg = 0.0041, .tilt_rows = 11,
    .in_slice = 412, .rows = 1024, .cols = 1280, .slice_row = 512,
    .slice_size = 512, .flats = 20, .darks = 10, .rotation_deg = 360, .covered_deg = 206, .lost = 3, .scans = 2 };
  core->cell = (struct ct_snapshot_cell){ .present = true, .v_V = 3.9012, .i_A = 0.0021, .q_Ah = 0.0021 };
  if (sample != CT_SAMPLE_ALARM)
    return;
  core->streams[0].state = CT_STREAM_STALE;
  core->streams[0].silent_s = 14.2;
  core->streams[0].lost = 17;
  strcpy(core->streams[0].first_rejected, "shape: {\"htype\":\"array-1.0\",\"shape\":[81,80]}");
  core->n_alarms = 2;
  core->alarms[0] = (struct ct_snapshot_alarm){ .id = "disk", .severity = CT_NOTICE, .since_ns = WALL_NS - 3000 * CT_NS_PER_S,
    .text = "/data has space for 28 h" };
  core->alarms[1] = (struct ct_snapshot_alarm){ .id = "stream-stale", .severity = CT_WARNING, .since_ns = WALL_NS - 14 * CT_NS_PER_S,
    .text = "stream hexitec: no data for 14 s from tcp://det:5555; is the detector running?" };
}

/* ---- the other ends ---------------------------------------------------------------------------------------------- */
/* Nothing new from anywhere for minutes. */
static void make_stale(struct ct_snapshot_core *core)
{
  for (uint32_t i = 0; i < core->n_streams; i++) {
    core->streams[i].state = CT_STREAM_STALE;
    core->streams[i].silent_s = 312;
    core->streams[i].rate_hz = 0;
  }
  core->streams[1].role = CT_ROLE_CAMERA;
  core->cell.age_s = 312;
}

/* As much as there is room for, as large as numbers are, with names as long as they may be. */
static void make_extreme(struct ct_snapshot_core *core)
{
  core->wall_ns = INT64_MAX;
  core->seq = UINT64_MAX;
  memset(core->run, 'R', sizeof core->run - 1);
  core->n_streams = core->n_rings = CT_SNAPSHOT_STREAMS;
  for (int i = 0; i < CT_SNAPSHOT_STREAMS; i++) {
    core->streams[i] = (struct ct_snapshot_stream){ .role = (enum ct_role)(i % 3), .state = (enum ct_stream_state)(i % 5),
      .frames = UINT64_MAX, .lost = UINT64_MAX, .late = UINT64_MAX, .rejected = UINT64_MAX, .rate_hz = 1e300, .lag_s = 1e300,
      .silent_s = 1e300 };
    memset(core->streams[i].name, 'a' + i, CT_NAME - 1);
    memset(core->streams[i].first_rejected, '{', sizeof core->streams[i].first_rejected - 1);
    core->rings[i] = (struct ct_snapshot_ring){ .fill = 1e300, .high = -1e300, .skipped = UINT64_MAX };
    memset(core->rings[i].name, 'z', CT_NAME - 1);
  }
  core->n_rois = CT_SNAPSHOT_ROIS;
  for (int i = 0; i < CT_SNAPSHOT_ROIS; i++) {
    struct ct_snapshot_roi *roi = &core->rois[i];
    *roi = (struct ct_snapshot_roi){ .pixels = UINT32_MAX, .counts = UINT64_MAX, .emf = { .emf = -1e300, .sigma = 1e300 }, .x = 1e300,
      .x_sigma = 1e-300, .run = { .emf = 1e300, .sigma = 1e-300 }, .target_s = 1e300,
      .change = { .samples = UINT32_MAX, .per_h = -1e300, .sigma_per_h = 1e-300, .up = 1e300, .alarm = true } };
    for (int k = 0; k + 2 < CT_NAME; k += 2)
      memcpy(roi->name + k, "\xc3\xa4", 2);      /* as many umlauts as fit */
  }
  core->n_alarms = CT_SNAPSHOT_ALARMS;
  for (int i = 0; i < CT_SNAPSHOT_ALARMS; i++) {
    core->alarms[i] = (struct ct_snapshot_alarm){ .severity = (enum ct_severity)(i % 3), .since_ns = INT64_MIN / 2 };
    memset(core->alarms[i].text, 'w', sizeof core->alarms[i].text - 1);
  }
  core->archive = (struct ct_snapshot_archive){ .state = CT_ARCHIVE_DEGRADED, .committed_frames = UINT64_MAX,
    .missed_frames = UINT64_MAX, .bytes = UINT64_MAX, .free_bytes = UINT64_MAX, .rate_Bps = 1e300, .left_s = 1e300, .lag_s = 1e300,
    .ratio = 1e300, .cores = 1e300, .codec = "bslz4" };
  memset(core->archive.folder, '/', sizeof core->archive.folder - 1);
  core->xcs.counts = UINT64_MAX;
  core->xcs.emf = (struct ct_emf){ .emf = 1e300, .sigma = 1e-300, .emf_plus = -1e300, .plus_sigma = 1e300 };
  core->xcs.change = core->rois[0].change;
  core->xcs.e1_keV = 1e300;
  core->cell = (struct ct_snapshot_cell){ .present = true, .v_V = -1e300, .i_A = 1e-300, .q_Ah = 1e300, .age_s = 1e300 };
  core->uptime_s = 1e300;
}

/* Everything that may be absent is. */
static void make_nan(struct ct_snapshot_core *core)
{
  const double nan = (double)NAN;
  const struct ct_emf none = { nan, nan, nan, nan, nan, nan, nan, nan };
  for (uint32_t i = 0; i < core->n_streams; i++)
    core->streams[i].rate_hz = core->streams[i].lag_s = core->streams[i].silent_s = core->streams[i].angle_deg = nan;
  core->archive.rate_Bps = core->archive.left_s = core->archive.lag_s = core->archive.ratio = core->archive.cores = nan;
  struct ct_snapshot_xcs *xcs = &core->xcs;
  xcs->window_s = xcs->covered_s = xcs->live_s = xcs->e1_keV = xcs->e2_keV = xcs->x = xcs->x_sigma = xcs->target_s = nan;
  xcs->p_low = xcs->p_high = xcs->change.per_h = xcs->change.sigma_per_h = xcs->change.up = xcs->change.down = nan;
  for (int i = 0; i < 4; i++)
    xcs->windows_keV[i] = xcs->background_keV[i / 2][i % 2] = nan;
  xcs->emf = xcs->run = xcs->scan_emf = none;
  for (uint32_t i = 0; i < core->n_rois; i++) {
    core->rois[i].emf = core->rois[i].run = none;
    core->rois[i].x = core->rois[i].x_sigma = core->rois[i].target_s = core->rois[i].change.per_h = nan;
  }
  core->lithium = (struct ct_lithium){ 0, 0, nan, nan, nan, nan, nan, nan, nan, nan };
  core->cell = (struct ct_snapshot_cell){ .present = true, .v_V = nan, .i_A = nan, .q_Ah = nan, .age_s = nan };
  core->ct.angle_deg = core->ct.axis_px = core->ct.axis_sigma_px = core->ct.covered_deg = core->ct.rotation_deg = nan;
  core->ct.tilt_deg = core->ct.tilt_sigma_deg = nan;
  core->health.single = core->health.dbl = core->health.multiple = core->health.window_s = core->health.hits_per_frame = nan;
  core->health.hits_spread = core->health.rate_median_hz = core->health.jump_ADU = core->health.drift_median_ADU = nan;
  core->drift.z_max = core->drift.z_limit = core->monitors.live_s = core->uptime_s = nan;
  for (int i = 0; i < CT_MONITORS; i++)
    core->monitors.list[i] = (struct ct_snapshot_monitor){ nan, nan, nan, nan, nan, nan, -1, -1, CT_MONITOR_UNKNOWN, 0 };
}

/* All floats of the sections become <value>, with a different one now and then. */
static void overwrite(struct ct_snapshot *snapshot, double value, double other)
{
  struct ct_map_view map;
  struct ct_profile_view profile;
  struct ct_spectrum_view spectrum;
  struct ct_trend_view trend;
  for (uint32_t s = 0; s < snapshot->n_sections; s++) {
    const struct ct_request *request = &snapshot->sections[s].request;
    if (ct_snapshot_map(snapshot, request, &map))
      for (size_t i = 0; i < 5 * (size_t)map.head->rows * map.head->cols; i++)      /* emf to intensity */
        ((float *)(uintptr_t)map.emf)[i] = (float)(i % 7 == 0 ? other : value);
    if (ct_snapshot_profile(snapshot, request, &profile))
      for (size_t i = 0; i < 2 * (size_t)profile.head->n; i++)                      /* J and sigma */
        ((double *)(uintptr_t)profile.J)[i] = i % 7 == 0 ? other : value;
    if (ct_snapshot_spectrum(snapshot, request, &spectrum))
      for (size_t i = 0; i < spectrum.head->n; i++)
        ((double *)(uintptr_t)spectrum.counts)[i] = i % 7 == 0 ? other : value;
    if (ct_snapshot_trend(snapshot, request, &trend))
      for (size_t i = 0; i < 5 * (size_t)trend.head->n; i++)                        /* emf to q_Ah */
        ((double *)(uintptr_t)trend.emf)[i] = i % 7 == 0 ? other : value;
  }
}

const struct ct_snapshot *ct_make_sample(enum ct_sample sample, const struct ct_view *view, int rows, int cols,
                                         unsigned frame)
{
  static _Alignas(64) unsigned char memory[4 << 20];
  struct ct_snapshot_builder builder;
  if (ct_snapshot_begin(&builder, memory, sizeof memory) != 0)
    abort();
  if (sample == CT_SAMPLE_EMPTY)
    return ct_snapshot_finish(&builder);
  /* 5e2 useful counts a pixel: 60 s at 1e5 photons/s; a tenth of it when faint. */
  double photons = sample == CT_SAMPLE_FAINT ? 50 : 500;
  fill_core(&builder.snapshot->core, sample, photons);
  struct ct_request request[CT_VIEW_REQUESTS];
  size_t n = ct_view_requests(view, rows, cols, request, CT_VIEW_REQUESTS);
  for (size_t i = 0; i < n; i++)
    add_section(&builder, &request[i], photons, frame);
  struct ct_snapshot *snapshot = ct_snapshot_finish(&builder);
  if (sample == CT_SAMPLE_STALE)
    make_stale(&snapshot->core);
  if (sample == CT_SAMPLE_EXTREME) {
    make_extreme(&snapshot->core);
    overwrite(snapshot, 3e38, -1e30);
  }
  if (sample == CT_SAMPLE_NAN) {
    make_nan(&snapshot->core);
    overwrite(snapshot, (double)NAN, (double)NAN);
  }
  return snapshot;
}
