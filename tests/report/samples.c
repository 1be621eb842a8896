#include "samples.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define WALL_NS (INT64_C(1795317247) * CT_NS_PER_S + 250000000)   /* 2026-11-22T03:14:07.250Z */

static void fill_core(struct ct_snapshot_core *core)
{
  core->wall_ns = WALL_NS;
  core->seq = 71;
  strcpy(core->run, "charge-02");
  strcpy(core->mode, "xcs");
  core->n_streams = core->n_rings = core->n_rois = core->n_alarms = 1;
  core->streams[0] = (struct ct_snapshot_stream){
    .name = "hexitec", .endpoint = "tcp://det:5555", .format = "array-1.0", .role = CT_ROLE_HEXITEC,
    .state = CT_STREAM_LIVE, .frames = 540000, .lost = 3, .rejected = 2, .rate_hz = 9000.1, .lag_s = 0.02,
    .angle_deg = (double)NAN, .silent_s = 0.2 };
  core->streams[0].rejected_kind[CT_REJECT_SHAPE] = 2;
  core->rings[0] = (struct ct_snapshot_ring){ .name = "hexitec", .fill = 0.02, .high = 0.11 };
  core->archive = (struct ct_snapshot_archive){ .state = CT_ARCHIVE_OK, .committed_frames = 539904,
    .bytes = UINT64_C(4710000000), .rate_Bps = 7.9e7, .left_s = 22320, .lag_s = 0.4, .ratio = 31.5 };
  core->xcs = (struct ct_snapshot_xcs){ .present = true, .window_s = 60, .frames = 540000, .live_s = 60.0,
    .counts = 3312094, .single = 1630211, .dbl = 1500032, .multiple = 380011, .e1_keV = 114.64, .e2_keV = 93.63,
    .emf = { .L = 812345.1, .H = 1012345.9, .emf = 0.2, .sigma = 0.0012, .emf_plus = 0.8312, .plus_sigma = 0.0017,
             .asymmetry = 0.0151, .asymmetry_sigma = 0.002 } };
  core->health = (struct ct_snapshot_health){ .present = true, .single = 0.5, .hits_per_frame = 11.5, .hot = 2,
    .row_floods = 1, .flooded_frame = 123456, .flooded_row = 7, .jump_frame = CT_ABSENT, .jump_ADU = (double)NAN,
    .drift_max_ADU = (double)NAN, .drift_x = CT_ABSENT, .drift_y = CT_ABSENT, .n_pixels = 2,
    .pixels = { { 12, 40, CT_FAULT_HOT, false, 153 }, { 60, 24, CT_FAULT_DEAD, true, 0 } } };
  core->rois[0] = (struct ct_snapshot_roi){ .name = "cathode", .pixels = 2463, .counts = 12345,
    .emf = { .L = 1, .H = 1, .emf = 0.79, .sigma = 0.001 } };
  core->cell = (struct ct_snapshot_cell){ .present = true, .v_V = 3.91, .i_A = 0.0021, .q_Ah = 0.0042 };
  core->alarms[0] = (struct ct_snapshot_alarm){ .id = "stream-stale", .severity = CT_WARNING, .since_ns = WALL_NS,
    .text = "stream camera: no data for 12 s; is the detector running?" };
}

/* A 2 x 3 map with a good, a faint and a masked cell, a spectrum of 4 bins, a profile of 3 points. */
static void add_sections(struct ct_snapshot_builder *builder, double value)
{
  struct ct_request request[3];
  struct ct_report_setup setup = { .format = CT_REPORT_JSON,
                                   .fields = CT_REPORT_MAP | CT_REPORT_SPECTRUM | CT_REPORT_PROFILE };
  if (ct_report_requests(&setup, request, 3) != 3)
    abort();
  struct ct_map_parts map;
  struct ct_spectrum_parts spectrum;
  struct ct_profile_parts profile;
  if (!ct_snapshot_add_map(builder, &request[0], 2, 3, &map) ||
      !ct_snapshot_add_spectrum(builder, &request[1], 4, &spectrum) ||
      !ct_snapshot_add_profile(builder, &request[2], 3, &profile))
    abort();
  for (int i = 0; i < 6; i++) {
    map.emf[i] = (float)(0.1 * (i + 1) * value);
    map.sigma[i] = (float)(0.01 * value);
    map.counts[i] = 7;
    map.photons[i] = (float)(100.5 * value);
  }
  map.cell[1] = CT_CELL_LOW;
  map.cell[5] = CT_CELL_MASKED;
  spectrum.head->width_keV = 0.2;
  for (int i = 0; i < 4; i++)
    spectrum.counts[i] = i * value * 0x1p51;
  for (int i = 0; i < 3; i++) {
    profile.pz[i] = (i - 1) * 0.1;
    profile.J[i] = value;
    profile.sigma[i] = 0.125 * value;
  }
}

static void set_nan(struct ct_snapshot_core *core)
{
  double nan = (double)NAN;
  core->streams[0].rate_hz = core->streams[0].lag_s = core->streams[0].silent_s = nan;
  core->rings[0].fill = core->rings[0].high = nan;
  core->archive.rate_Bps = core->archive.left_s = core->archive.lag_s = core->archive.ratio = (double)INFINITY;
  struct ct_emf emf = { nan, nan, nan, -(double)INFINITY, nan, nan, nan, nan };
  core->xcs.emf = core->rois[0].emf = emf;
  core->xcs.x = core->xcs.x_sigma = core->rois[0].x = core->rois[0].x_sigma = nan;
  core->xcs.run = core->xcs.scan_emf = core->rois[0].run = core->rois[0].scan_emf = emf;
  core->xcs.target_s = core->rois[0].target_s = core->xcs.change.per_h = core->rois[0].change.per_h = nan;
  core->drift.z_max = core->drift.z_limit = core->drift.sample_s = nan;
  core->drift.x = core->drift.y = -1;
  core->xcs.window_s = core->xcs.live_s = core->xcs.covered_s = core->xcs.e1_keV = core->xcs.e2_keV = nan;
  core->ct = (struct ct_snapshot_ct){ .present = true, .angle_deg = nan, .axis_px = nan, .axis_sigma_px = nan, .tilt_deg = nan,
                                       .tilt_sigma_deg = nan };
  core->cell = (struct ct_snapshot_cell){ .present = true, .v_V = nan, .i_A = nan, .q_Ah = nan };
}

static void set_strings(struct ct_snapshot_core *core)
{
  strcpy(core->run, "q\"uo\\te\ttab\n\x01\x7f");
  strcpy(core->streams[0].name, "Zelle-\xc3\xa4\xe2\x82\xac\xf0\x9f\x94\x8b");
  strcpy(core->rois[0].name, "bad\xff\xc3(\xed\xa0\x80\xc0\xaf");
  memset(core->rings[0].name, 'r', sizeof core->rings[0].name);   /* not terminated */
  memset(core->alarms[0].text, 0xe2, sizeof core->alarms[0].text);
}

const struct ct_snapshot *make_sample(enum sample sample)
{
  static _Alignas(64) unsigned char memory[SAMPLE_COUNT][2 * sizeof(struct ct_snapshot)];
  struct ct_snapshot_builder builder;
  if (ct_snapshot_begin(&builder, memory[sample], sizeof memory[sample]) != 0)
    abort();
  struct ct_snapshot_core *core = &builder.snapshot->core;
  if (sample == SAMPLE_EMPTY)
    return ct_snapshot_finish(&builder);
  fill_core(core);
  if (sample == SAMPLE_NAN)
    set_nan(core);
  if (sample == SAMPLE_STRINGS)
    set_strings(core);
  if (sample == SAMPLE_HUGE) {
    core->seq = UINT64_MAX;
    core->streams[0].frames = (UINT64_C(1) << 53) + 1;
    core->xcs.counts = INT64_MAX;
    core->xcs.emf.L = 1.7e308;
  }
  add_sections(&builder, sample == SAMPLE_NAN ? (double)NAN : sample == SAMPLE_HUGE ? 4.0 : 1.0);
  return ct_snapshot_finish(&builder);
}
