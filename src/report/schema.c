#include "report/schema.h"

#include <math.h>
#include <string.h>

#define AT(type, member) offsetof(struct type, member), sizeof ((struct type *)0)->member
#define END { NULL, NULL, CT_FIELD_U64, 0, 0 }

/* The first cell of the units line is what marks it as a comment; that t is UTC is said by its Z. */
const struct ct_field ct_schema_head[] = {
  { "t", "#units", CT_FIELD_TIME, AT(ct_snapshot_core, wall_ns) },
  { "seq", "-", CT_FIELD_U64, AT(ct_snapshot_core, seq) },
  { "run", "-", CT_FIELD_TEXT, AT(ct_snapshot_core, run) },
  { "mode", "-", CT_FIELD_TEXT, AT(ct_snapshot_core, mode) },
  END
};

const struct ct_field ct_schema_stream[] = {
  { "name", NULL, CT_FIELD_TEXT, AT(ct_snapshot_stream, name) },
  { "role", NULL, CT_FIELD_ROLE, AT(ct_snapshot_stream, role) },
  { "state", "-", CT_FIELD_STREAM_STATE, AT(ct_snapshot_stream, state) },
  { "format", NULL, CT_FIELD_TEXT, AT(ct_snapshot_stream, format) },
  { "frames", "frames", CT_FIELD_U64, AT(ct_snapshot_stream, frames) },
  { "lost", "frames", CT_FIELD_U64, AT(ct_snapshot_stream, lost) },
  { "late", "frames", CT_FIELD_U64, AT(ct_snapshot_stream, late) },
  { "rejected", "messages", CT_FIELD_U64, AT(ct_snapshot_stream, rejected) },
  { "rate_hz", "Hz", CT_FIELD_REAL, AT(ct_snapshot_stream, rate_hz) },
  { "lag_s", "s", CT_FIELD_REAL, AT(ct_snapshot_stream, lag_s) },
  { "ignored", "messages", CT_FIELD_U64, AT(ct_snapshot_stream, ignored) },
  { "tolerated", "messages", CT_FIELD_U64, AT(ct_snapshot_stream, tolerated) },
  { "sampled", "-", CT_FIELD_BOOL, AT(ct_snapshot_stream, sampled) },
  { "restarts", "-", CT_FIELD_U64, AT(ct_snapshot_stream, restarts) },
  { "not_analysed", "frames", CT_FIELD_U64, AT(ct_snapshot_stream, not_analysed) },
  { "projections", "frames", CT_FIELD_U64, AT(ct_snapshot_stream, projections) },
  { "flats", "frames", CT_FIELD_U64, AT(ct_snapshot_stream, flats) },
  { "darks", "frames", CT_FIELD_U64, AT(ct_snapshot_stream, darks) },
  { "angle_deg", "deg", CT_FIELD_REAL, AT(ct_snapshot_stream, angle_deg) },
  { "silent_s", "s", CT_FIELD_REAL, AT(ct_snapshot_stream, silent_s) },
  { "bytes", "B", CT_FIELD_U64, AT(ct_snapshot_stream, bytes) },
  { "codec", NULL, CT_FIELD_TEXT, AT(ct_snapshot_stream, codec) },
  { "ratio", "-", CT_FIELD_REAL, AT(ct_snapshot_stream, ratio) },
  { "packing_cores", "-", CT_FIELD_REAL, AT(ct_snapshot_stream, packing_cores) },
  { "endpoint", NULL, CT_FIELD_TEXT, AT(ct_snapshot_stream, endpoint) },
  { "first_rejected", NULL, CT_FIELD_TEXT, AT(ct_snapshot_stream, first_rejected) },
  END
};

const struct ct_field ct_schema_ring[] = {
  { "name", NULL, CT_FIELD_TEXT, AT(ct_snapshot_ring, name) },
  { "fill", "-", CT_FIELD_REAL, AT(ct_snapshot_ring, fill) },
  { "high", "-", CT_FIELD_REAL, AT(ct_snapshot_ring, high) },
  { "skipped", "frames", CT_FIELD_U64, AT(ct_snapshot_ring, skipped) },
  END
};

const struct ct_field ct_schema_archive[] = {
  { "state", "-", CT_FIELD_ARCHIVE_STATE, AT(ct_snapshot_archive, state) },
  { "committed_frames", "frames", CT_FIELD_U64, AT(ct_snapshot_archive, committed_frames) },
  { "missed_frames", "frames", CT_FIELD_U64, AT(ct_snapshot_archive, missed_frames) },
  { "bytes", "B", CT_FIELD_U64, AT(ct_snapshot_archive, bytes) },
  { "rate_Bps", "B/s", CT_FIELD_REAL, AT(ct_snapshot_archive, rate_Bps) },
  { "left_s", "s", CT_FIELD_REAL, AT(ct_snapshot_archive, left_s) },
  { "lag_s", "s", CT_FIELD_REAL, AT(ct_snapshot_archive, lag_s) },
  { "ratio", "-", CT_FIELD_REAL, AT(ct_snapshot_archive, ratio) },
  { "cores", "-", CT_FIELD_REAL, AT(ct_snapshot_archive, cores) },
  { "codec", NULL, CT_FIELD_TEXT, AT(ct_snapshot_archive, codec) },
  { "free_bytes", "B", CT_FIELD_U64, AT(ct_snapshot_archive, free_bytes) },
  { "folder", NULL, CT_FIELD_TEXT, AT(ct_snapshot_archive, folder) },
  END
};

const struct ct_field ct_schema_xcs[] = {
  { "window_s", "s", CT_FIELD_REAL, AT(ct_snapshot_xcs, window_s) },
  { "window", "-", CT_FIELD_TEXT, AT(ct_snapshot_xcs, window) },
  { "frames", "frames", CT_FIELD_U64, AT(ct_snapshot_xcs, frames) },
  { "live_s", "s", CT_FIELD_REAL, AT(ct_snapshot_xcs, live_s) },
  { "counts", "counts", CT_FIELD_U64, AT(ct_snapshot_xcs, counts) },
  { "events.single", "-", CT_FIELD_U64, AT(ct_snapshot_xcs, single) },
  { "events.double", "-", CT_FIELD_U64, AT(ct_snapshot_xcs, dbl) },
  { "events.multiple", "-", CT_FIELD_U64, AT(ct_snapshot_xcs, multiple) },
  { "events.next_frame", "-", CT_FIELD_U64, AT(ct_snapshot_xcs, next_frame) },
  { "events.saturated", "-", CT_FIELD_U64, AT(ct_snapshot_xcs, saturated) },
  { "events.no_energy", "-", CT_FIELD_U64, AT(ct_snapshot_xcs, no_energy) },
  { "events.below", "-", CT_FIELD_U64, AT(ct_snapshot_xcs, below) },
  { "events.above", "-", CT_FIELD_U64, AT(ct_snapshot_xcs, above) },
  { "e1_keV", "keV", CT_FIELD_REAL, AT(ct_snapshot_xcs, e1_keV) },
  { "e2_keV", "keV", CT_FIELD_REAL, AT(ct_snapshot_xcs, e2_keV) },
  { "L", "counts", CT_FIELD_REAL, AT(ct_snapshot_xcs, emf.L) },
  { "H", "counts", CT_FIELD_REAL, AT(ct_snapshot_xcs, emf.H) },
  { "emf", "-", CT_FIELD_REAL, AT(ct_snapshot_xcs, emf.emf) },
  { "emf_sigma", "-", CT_FIELD_REAL, AT(ct_snapshot_xcs, emf.sigma) },
  { "emf_plus", "-", CT_FIELD_REAL, AT(ct_snapshot_xcs, emf.emf_plus) },
  { "emf_plus_sigma", "-", CT_FIELD_REAL, AT(ct_snapshot_xcs, emf.plus_sigma) },
  { "asymmetry", "-", CT_FIELD_REAL, AT(ct_snapshot_xcs, emf.asymmetry) },
  { "asymmetry_sigma", "-", CT_FIELD_REAL, AT(ct_snapshot_xcs, emf.asymmetry_sigma) },
  { "covered_s", "s", CT_FIELD_REAL, AT(ct_snapshot_xcs, covered_s) },
  { "x", "-", CT_FIELD_REAL, AT(ct_snapshot_xcs, x) },
  { "x_sigma", "-", CT_FIELD_REAL, AT(ct_snapshot_xcs, x_sigma) },
  { "run.live_s", "s", CT_FIELD_REAL, AT(ct_snapshot_xcs, total_live_s) },
  { "run.emf", "-", CT_FIELD_REAL, AT(ct_snapshot_xcs, run.emf) },
  { "run.emf_sigma", "-", CT_FIELD_REAL, AT(ct_snapshot_xcs, run.sigma) },
  { "scan.number", "-", CT_FIELD_U64, AT(ct_snapshot_xcs, scan) },
  { "scan.live_s", "s", CT_FIELD_REAL, AT(ct_snapshot_xcs, scan_live_s) },
  { "scan.emf", "-", CT_FIELD_REAL, AT(ct_snapshot_xcs, scan_emf.emf) },
  { "scan.emf_sigma", "-", CT_FIELD_REAL, AT(ct_snapshot_xcs, scan_emf.sigma) },
  { "target_s", "s", CT_FIELD_REAL, AT(ct_snapshot_xcs, target_s) },
  { "trend.per_h", "1/h", CT_FIELD_REAL, AT(ct_snapshot_xcs, change.per_h) },
  { "trend.per_h_sigma", "1/h", CT_FIELD_REAL, AT(ct_snapshot_xcs, change.sigma_per_h) },
  { "trend.samples", "-", CT_FIELD_U32, AT(ct_snapshot_xcs, change.samples) },
  { "cusum.up", "-", CT_FIELD_REAL, AT(ct_snapshot_xcs, change.up) },
  { "cusum.down", "-", CT_FIELD_REAL, AT(ct_snapshot_xcs, change.down) },
  { "cusum.steps", "-", CT_FIELD_U32, AT(ct_snapshot_xcs, change.steps) },
  { "cusum.alarm", "-", CT_FIELD_BOOL, AT(ct_snapshot_xcs, change.alarm) },
  { "total_frames", "frames", CT_FIELD_U64, AT(ct_snapshot_xcs, total_frames) },
  { "total_counts", "counts", CT_FIELD_U64, AT(ct_snapshot_xcs, total_counts) },
  { "geometry.beam", "-", CT_FIELD_TEXT, AT(ct_snapshot_xcs, geometry.beam) },
  { "geometry.centre_px", "px", CT_FIELD_REAL, AT(ct_snapshot_xcs, geometry.centre_px) },
  { "geometry.centre_sigma_px", "px", CT_FIELD_REAL, AT(ct_snapshot_xcs, geometry.centre_sigma_px) },
  { "geometry.detector_mm", "mm", CT_FIELD_REAL, AT(ct_snapshot_xcs, geometry.detector_mm) },
  { "geometry.detector_sigma_mm", "mm", CT_FIELD_REAL, AT(ct_snapshot_xcs, geometry.detector_sigma_mm) },
  { "geometry.chi2", "-", CT_FIELD_REAL, AT(ct_snapshot_xcs, geometry.chi2) },
  { "geometry.peaks", "-", CT_FIELD_U32, AT(ct_snapshot_xcs, geometry.peaks) },
  { "geometry.in_use", "-", CT_FIELD_BOOL, AT(ct_snapshot_xcs, geometry.in_use) },
  { "reference.name", NULL, CT_FIELD_TEXT, AT(ct_snapshot_xcs, reference) },
  { "reference.chi2", "-", CT_FIELD_REAL, AT(ct_snapshot_xcs, reference_chi2) },
  { "reference.dof", "-", CT_FIELD_U32, AT(ct_snapshot_xcs, reference_dof) },
  END
};

const struct ct_field ct_schema_health[] = {
  { "single", "-", CT_FIELD_REAL, AT(ct_snapshot_health, single) },
  { "double", "-", CT_FIELD_REAL, AT(ct_snapshot_health, dbl) },
  { "multiple", "-", CT_FIELD_REAL, AT(ct_snapshot_health, multiple) },
  { "window_s", "s", CT_FIELD_REAL, AT(ct_snapshot_health, window_s) },
  { "hits_per_frame", "hits", CT_FIELD_REAL, AT(ct_snapshot_health, hits_per_frame) },
  { "hits_spread", "hits", CT_FIELD_REAL, AT(ct_snapshot_health, hits_spread) },
  { "rate_median_hz", "hits/s", CT_FIELD_REAL, AT(ct_snapshot_health, rate_median_hz) },
  { "hot", "pixels", CT_FIELD_U32, AT(ct_snapshot_health, hot) },
  { "dead", "pixels", CT_FIELD_U32, AT(ct_snapshot_health, dead) },
  { "off", "pixels", CT_FIELD_U32, AT(ct_snapshot_health, off) },
  { "masked", "pixels", CT_FIELD_U32, AT(ct_snapshot_health, masked) },
  { "automatic", "-", CT_FIELD_BOOL, AT(ct_snapshot_health, automatic) },
  { "row_floods", "rows", CT_FIELD_U64, AT(ct_snapshot_health, row_floods) },
  { "flooded_frame", "-", CT_FIELD_NUMBER, AT(ct_snapshot_health, flooded_frame) },
  { "flooded_row", "-", CT_FIELD_NUMBER, AT(ct_snapshot_health, flooded_row) },
  { "level_jumps", "-", CT_FIELD_U64, AT(ct_snapshot_health, jumps) },
  { "jump_frame", "-", CT_FIELD_NUMBER, AT(ct_snapshot_health, jump_frame) },
  { "jump_ADU", "ADU", CT_FIELD_REAL, AT(ct_snapshot_health, jump_ADU) },
  { "level_ADU", "ADU", CT_FIELD_REAL, AT(ct_snapshot_health, level_ADU) },
  { "drift_ADU", "ADU", CT_FIELD_REAL, AT(ct_snapshot_health, drift_median_ADU) },
  { "drift_max_ADU", "ADU", CT_FIELD_REAL, AT(ct_snapshot_health, drift_max_ADU) },
  { "drift_x", "px", CT_FIELD_NUMBER, AT(ct_snapshot_health, drift_x) },
  { "drift_y", "px", CT_FIELD_NUMBER, AT(ct_snapshot_health, drift_y) },
  END
};

const struct ct_field ct_schema_pixel[] = {
  { "x", NULL, CT_FIELD_U32, AT(ct_snapshot_pixel, x) },
  { "y", NULL, CT_FIELD_U32, AT(ct_snapshot_pixel, y) },
  { "fault", NULL, CT_FIELD_FAULT, AT(ct_snapshot_pixel, fault) },
  { "masked", NULL, CT_FIELD_BOOL, AT(ct_snapshot_pixel, masked) },
  { "rate_hz", NULL, CT_FIELD_REAL, AT(ct_snapshot_pixel, rate_hz) },
  END
};

const struct ct_field ct_schema_roi[] = {
  { "name", NULL, CT_FIELD_TEXT, AT(ct_snapshot_roi, name) },
  { "pixels", "pixels", CT_FIELD_U32, AT(ct_snapshot_roi, pixels) },
  { "emf", "-", CT_FIELD_REAL, AT(ct_snapshot_roi, emf.emf) },
  { "emf_sigma", "-", CT_FIELD_REAL, AT(ct_snapshot_roi, emf.sigma) },
  { "L", "counts", CT_FIELD_REAL, AT(ct_snapshot_roi, emf.L) },
  { "H", "counts", CT_FIELD_REAL, AT(ct_snapshot_roi, emf.H) },
  { "counts", "counts", CT_FIELD_U64, AT(ct_snapshot_roi, counts) },
  { "x", "-", CT_FIELD_REAL, AT(ct_snapshot_roi, x) },
  { "x_sigma", "-", CT_FIELD_REAL, AT(ct_snapshot_roi, x_sigma) },
  { "run.emf", "-", CT_FIELD_REAL, AT(ct_snapshot_roi, run.emf) },
  { "run.emf_sigma", "-", CT_FIELD_REAL, AT(ct_snapshot_roi, run.sigma) },
  { "scan.emf", "-", CT_FIELD_REAL, AT(ct_snapshot_roi, scan_emf.emf) },
  { "scan.emf_sigma", "-", CT_FIELD_REAL, AT(ct_snapshot_roi, scan_emf.sigma) },
  { "target_s", "s", CT_FIELD_REAL, AT(ct_snapshot_roi, target_s) },
  { "trend.per_h", "1/h", CT_FIELD_REAL, AT(ct_snapshot_roi, change.per_h) },
  { "trend.per_h_sigma", "1/h", CT_FIELD_REAL, AT(ct_snapshot_roi, change.sigma_per_h) },
  { "trend.samples", "-", CT_FIELD_U32, AT(ct_snapshot_roi, change.samples) },
  { "cusum.up", "-", CT_FIELD_REAL, AT(ct_snapshot_roi, change.up) },
  { "cusum.down", "-", CT_FIELD_REAL, AT(ct_snapshot_roi, change.down) },
  { "cusum.steps", "-", CT_FIELD_U32, AT(ct_snapshot_roi, change.steps) },
  { "cusum.alarm", "-", CT_FIELD_BOOL, AT(ct_snapshot_roi, change.alarm) },
  END
};

const struct ct_field ct_schema_lithium[] = {
  { "state", "-", CT_FIELD_CALIBRATED, AT(ct_lithium, references) },
  { "references", "-", CT_FIELD_U32, AT(ct_lithium, references) },
  { "x0", "-", CT_FIELD_REAL, AT(ct_lithium, x0) },
  { "emf0", "-", CT_FIELD_REAL, AT(ct_lithium, emf0) },
  { "emf0_sigma", "-", CT_FIELD_REAL, AT(ct_lithium, emf0_sigma) },
  { "slope", "-", CT_FIELD_REAL, AT(ct_lithium, slope) },
  { "slope_sigma", "-", CT_FIELD_REAL, AT(ct_lithium, slope_sigma) },
  { "x_low", "-", CT_FIELD_REAL, AT(ct_lithium, x_low) },
  { "x_high", "-", CT_FIELD_REAL, AT(ct_lithium, x_high) },
  { "chi2", "-", CT_FIELD_REAL, AT(ct_lithium, chi2) },
  END
};

const struct ct_field ct_schema_drift[] = {
  { "sample_s", "s", CT_FIELD_REAL, AT(ct_snapshot_drift, sample_s) },
  { "bin", "pixels", CT_FIELD_U32, AT(ct_snapshot_drift, bin) },
  { "cells", "-", CT_FIELD_U32, AT(ct_snapshot_drift, cells) },
  { "beyond", "-", CT_FIELD_U32, AT(ct_snapshot_drift, beyond) },
  { "z_limit", "-", CT_FIELD_REAL, AT(ct_snapshot_drift, z_limit) },
  { "z_max", "-", CT_FIELD_REAL, AT(ct_snapshot_drift, z_max) },
  { "x", "pixels", CT_FIELD_PLACE, AT(ct_snapshot_drift, x) },
  { "y", "pixels", CT_FIELD_PLACE, AT(ct_snapshot_drift, y) },
  { "alarm", "-", CT_FIELD_BOOL, AT(ct_snapshot_drift, alarm) },
  END
};

const struct ct_field ct_schema_monitors[] = {
  { "live_s", "s", CT_FIELD_REAL, AT(ct_snapshot_monitors, live_s) },
  { "bubble_loss", "-", CT_FIELD_REAL, AT(ct_snapshot_monitors, bubble_loss) },
  END
};

/* Units: those of the monitor, which its name says. */
const struct ct_field ct_schema_monitor[] = {
  { "value", "-", CT_FIELD_REAL, AT(ct_snapshot_monitor, value) },
  { "sigma", "-", CT_FIELD_REAL, AT(ct_snapshot_monitor, sigma) },
  { "reference", "-", CT_FIELD_REAL, AT(ct_snapshot_monitor, reference) },
  { "limit", "-", CT_FIELD_REAL, AT(ct_snapshot_monitor, limit) },
  { "moved", "-", CT_FIELD_REAL, AT(ct_snapshot_monitor, moved) },
  { "moved_sigma", "-", CT_FIELD_REAL, AT(ct_snapshot_monitor, moved_sigma) },
  { "x", "pixels", CT_FIELD_PLACE, AT(ct_snapshot_monitor, x) },
  { "y", "pixels", CT_FIELD_PLACE, AT(ct_snapshot_monitor, y) },
  { "state", "-", CT_FIELD_MONITOR_STATE, AT(ct_snapshot_monitor, state) },
  END
};

const struct ct_field ct_schema_ct[] = {
  { "projections", "frames", CT_FIELD_U64, AT(ct_snapshot_ct, projections) },
  { "angle_deg", "deg", CT_FIELD_REAL, AT(ct_snapshot_ct, angle_deg) },
  { "axis_px", "px", CT_FIELD_REAL, AT(ct_snapshot_ct, axis_px) },
  { "axis_sigma_px", "px", CT_FIELD_REAL, AT(ct_snapshot_ct, axis_sigma_px) },
  { "axis_method", "-", CT_FIELD_TEXT, AT(ct_snapshot_ct, axis_method) },
  { "tilt_deg", "deg", CT_FIELD_REAL, AT(ct_snapshot_ct, tilt_deg) },
  { "tilt_sigma_deg", "deg", CT_FIELD_REAL, AT(ct_snapshot_ct, tilt_sigma_deg) },
  { "tilt_rows", "px", CT_FIELD_U32, AT(ct_snapshot_ct, tilt_rows) },
  { "in_slice", "projections", CT_FIELD_U32, AT(ct_snapshot_ct, in_slice) },
  { "rotation_deg", "deg", CT_FIELD_REAL, AT(ct_snapshot_ct, rotation_deg) },
  { "covered_deg", "deg", CT_FIELD_REAL, AT(ct_snapshot_ct, covered_deg) },
  { "flats", "frames", CT_FIELD_U32, AT(ct_snapshot_ct, flats) },
  { "darks", "frames", CT_FIELD_U32, AT(ct_snapshot_ct, darks) },
  { "slice_row", "px", CT_FIELD_U32, AT(ct_snapshot_ct, slice_row) },
  { "scans", "-", CT_FIELD_U64, AT(ct_snapshot_ct, scans) },
  { "lost", "frames", CT_FIELD_U64, AT(ct_snapshot_ct, lost) },
  { "unplaced", "frames", CT_FIELD_U64, AT(ct_snapshot_ct, unplaced) },
  { "unusable", "frames", CT_FIELD_U64, AT(ct_snapshot_ct, unusable) },
  { "waiting", "frames", CT_FIELD_U32, AT(ct_snapshot_ct, waiting) },
  { "ring_columns", "px", CT_FIELD_U32, AT(ct_snapshot_ct, ring_columns) },
  { "ring_method", "-", CT_FIELD_TEXT, AT(ct_snapshot_ct, ring_method) },
  END
};

const struct ct_field ct_schema_cell[] = {
  { "v_V", "V", CT_FIELD_REAL, AT(ct_snapshot_cell, v_V) },
  { "i_A", "A", CT_FIELD_REAL, AT(ct_snapshot_cell, i_A) },
  { "q_Ah", "Ah", CT_FIELD_REAL, AT(ct_snapshot_cell, q_Ah) },
  END
};

const struct ct_field ct_schema_alarm[] = {
  { "id", NULL, CT_FIELD_TEXT, AT(ct_snapshot_alarm, id) },
  { "severity", NULL, CT_FIELD_SEVERITY, AT(ct_snapshot_alarm, severity) },
  { "since", NULL, CT_FIELD_TIME, AT(ct_snapshot_alarm, since_ns) },
  { "text", NULL, CT_FIELD_TEXT, AT(ct_snapshot_alarm, text) },
  END
};

static struct ct_value of_integer(uint64_t integer)
{
  return (struct ct_value){ .kind = CT_VALUE_INTEGER, .integer = integer };
}

/* A row or column; negative: none. */
static struct ct_value of_place(int32_t place)
{
  return place < 0 ? (struct ct_value){ 0 } : of_integer((uint64_t)place);
}

static struct ct_value of_real(double real)
{
  return isfinite(real) ? (struct ct_value){ .kind = CT_VALUE_REAL, .real = real } : (struct ct_value){ 0 };
}

static struct ct_value of_text(const char *text, size_t size)
{
  size_t length = strnlen(text, size);
  return length ? (struct ct_value){ .kind = CT_VALUE_TEXT, .text = text, .length = length } : (struct ct_value){ 0 };
}

static struct ct_value of_word(const char *word)
{
  return of_text(word, strlen(word));
}

struct ct_value ct_schema_value(const struct ct_field *field, const void *base, char scratch[CT_TIME_TEXT])
{
  if (base == NULL)
    return (struct ct_value){ 0 };
  const void *at = (const char *)base + field->offset;
  switch (field->kind) {
  case CT_FIELD_U64: return of_integer(*(const uint64_t *)at);
  case CT_FIELD_NUMBER: return *(const uint64_t *)at == CT_ABSENT ? (struct ct_value){ 0 } : of_integer(*(const uint64_t *)at);
  case CT_FIELD_U32: return of_integer(*(const uint32_t *)at);
  case CT_FIELD_PLACE: return of_place(*(const int32_t *)at);
  case CT_FIELD_REAL: return of_real(*(const double *)at);
  case CT_FIELD_BOOL: return (struct ct_value){ .kind = CT_VALUE_BOOL, .integer = *(const bool *)at };
  case CT_FIELD_TEXT: return of_text(at, field->size);
  case CT_FIELD_TIME: return of_word(ct_time_text(*(const int64_t *)at, scratch));
  case CT_FIELD_ROLE: return of_word(ct_role_word(*(const enum ct_role *)at));
  case CT_FIELD_STREAM_STATE: return of_word(ct_stream_state_word(*(const enum ct_stream_state *)at));
  case CT_FIELD_ARCHIVE_STATE: return of_word(ct_archive_state_word(*(const enum ct_archive_state *)at));
  case CT_FIELD_MONITOR_STATE: return of_word(ct_monitor_state_word(*(const enum ct_monitor_state *)at));
  case CT_FIELD_CALIBRATED: return of_word(*(const uint32_t *)at > 0 ? "calibrated" : "not calibrated");
  case CT_FIELD_FAULT: return of_word(ct_fault_word(*(const enum ct_fault *)at));
  case CT_FIELD_SEVERITY: return of_word(ct_severity_word(*(const enum ct_severity *)at));
  }
  return (struct ct_value){ 0 };
}
