/* json: one sample as one object of schema v 1. */
#include "report/formats.h"

#include <jansson.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "report/schema.h"
#include "report/tables.h"

/* Enough for every figure comptop measures, and 0.2 stays 0.2. */
#define REAL_DIGITS 12

/* Takes <value> whatever happens. A missing value or missing memory makes the whole sample fail, never a part. */
static void put(struct ct_buffer *out, json_t *object, const char *key, json_t *value)
{
  if (json_object_set_new(object, key, value) != 0)
    out->failed = true;
}

static void append(struct ct_buffer *out, json_t *array, json_t *value)
{
  if (json_array_append_new(array, value) != 0)
    out->failed = true;
}

/* Length of the UTF-8 sequence at <text> (RFC 3629: no overlong forms, no surrogates, at most U+10FFFF), 0 if none. */
static size_t utf8_length(const unsigned char *text, size_t length)
{
  unsigned char first = text[0];
  size_t n = first < 0x80 ? 1 : first >= 0xc2 && first < 0xe0 ? 2 : (first & 0xf0) == 0xe0 ? 3 :
             first >= 0xf0 && first < 0xf5 ? 4 : 0;
  if (n == 0 || n > length)
    return 0;
  for (size_t i = 1; i < n; i++)
    if ((text[i] & 0xc0) != 0x80)
      return 0;
  if ((first == 0xe0 && text[1] < 0xa0) || (first == 0xed && text[1] > 0x9f) ||
      (first == 0xf0 && text[1] < 0x90) || (first == 0xf4 && text[1] > 0x8f))
    return 0;
  return n;
}

static json_t *string(const char *text, size_t length)
{
  static const char replacement[] = "\xef\xbf\xbd";
  char *clean = malloc(length * 3 + 1);
  if (clean == NULL)
    return NULL;
  size_t used = 0;
  for (size_t i = 0; i < length;) {
    size_t n = utf8_length((const unsigned char *)text + i, length - i);
    memcpy(clean + used, n > 0 ? text + i : replacement, n > 0 ? n : 3);
    used += n > 0 ? n : 3;
    i += n > 0 ? n : 1;
  }
  json_t *value = json_stringn(clean, used);
  free(clean);
  return value;
}

static json_t *integer(uint64_t value)
{
  return json_integer(value > INT64_MAX ? INT64_MAX : (json_int_t)value);
}

static json_t *real(double value)
{
  return isfinite(value) ? json_real(value) : json_null();
}

/* The shortest decimal that is this float again: 0.8021, not 0.802100003. Pictures have a million of them: in powers of ten that
 * are exact, with one rounding, a decimal is the number that printing and reading it gives. */
static json_t *short_real(float value)
{
  static const double ten[] = { 1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16, 1e17,
                                1e18, 1e19, 1e20, 1e21, 1e22 };
  const double size = fabs((double)value);
  if (!isfinite(value))
    return json_null();
  if (!(size >= 1e-13 && size < 1e15))
    return json_real((double)value);
  const int first = (int)floor(log10(size));          /* digit; the others are behind it */
  for (int digits = 6; digits <= 9; digits++) {
    const int places = digits - 1 - first;
    const double whole = rint(places < 0 ? (double)value / ten[-places] : (double)value * ten[places]);
    const double decimal = places < 0 ? whole * ten[-places] : whole / ten[places];
    if ((float)decimal == value)
      return json_real(decimal);
  }
  return json_real((double)value);
}

static json_t *of_value(const struct ct_value *value)
{
  switch (value->kind) {
  case CT_VALUE_ABSENT: return json_null();
  case CT_VALUE_INTEGER: return integer(value->integer);
  case CT_VALUE_REAL: return json_real(value->real);
  case CT_VALUE_BOOL: return json_boolean(value->integer != 0);
  case CT_VALUE_TEXT: return string(value->text, value->length);
  }
  return NULL;
}

/* Adds the scalars of <table> to <object>; key "a.b" goes into object a. */
static void add_table(struct ct_buffer *out, json_t *object, const struct ct_field *table, const void *base)
{
  for (const struct ct_field *field = table; field->key != NULL; field++) {
    char scratch[CT_TIME_TEXT];
    struct ct_value value = ct_schema_value(field, base, scratch);
    json_t *into = object;
    const char *key = field->key, *dot = strchr(key, '.');
    if (dot != NULL) {
      char outer[32];
      snprintf(outer, sizeof outer, "%.*s", (int)(dot - key), key);
      if (json_object_get(object, outer) == NULL)
        put(out, object, outer, json_object());
      into = json_object_get(object, outer);
      key = dot + 1;
    }
    put(out, into, key, of_value(&value));
  }
}

static json_t *of_table(struct ct_buffer *out, const struct ct_field *table, const void *base)
{
  json_t *object = json_object();
  add_table(out, object, table, base);
  return object;
}

static json_t *rejected_kinds(struct ct_buffer *out, const struct ct_snapshot_stream *stream)
{
  json_t *kinds = json_object();
  for (int kind = 0; kind < CT_REJECT_COUNT; kind++)
    if (stream->rejected_kind[kind] > 0)
      put(out, kinds, ct_reject_word((enum ct_reject)kind), integer(stream->rejected_kind[kind]));
  return kinds;
}

static uint32_t at_most(uint32_t n, uint32_t limit)
{
  return n < limit ? n : limit;
}

static json_t *of_health(struct ct_buffer *out, const struct ct_snapshot_health *health)
{
  json_t *object = of_table(out, ct_schema_health, health), *pixels = json_array();
  for (uint32_t i = 0; i < at_most(health->n_pixels, CT_SNAPSHOT_PIXELS); i++)
    append(out, pixels, of_table(out, ct_schema_pixel, &health->pixels[i]));
  put(out, object, "pixels", pixels);
  return object;
}

static json_t *of_monitors(struct ct_buffer *out, const struct ct_snapshot_monitors *monitors)
{
  json_t *object = of_table(out, ct_schema_monitors, monitors);
  for (int i = 0; i < CT_MONITORS; i++)
    put(out, object, ct_monitor_word((enum ct_monitor)i), of_table(out, ct_schema_monitor, &monitors->list[i]));
  return object;
}

static void add_core(struct ct_buffer *out, json_t *sample, const struct ct_snapshot_core *core)
{
  add_table(out, sample, ct_schema_head, core);
  json_t *streams = json_array();
  for (uint32_t i = 0; i < at_most(core->n_streams, CT_SNAPSHOT_STREAMS); i++) {
    json_t *stream = of_table(out, ct_schema_stream, &core->streams[i]);
    put(out, stream, "rejected_kinds", rejected_kinds(out, &core->streams[i]));
    append(out, streams, stream);
  }
  put(out, sample, "streams", streams);
  json_t *rings = json_array();
  for (uint32_t i = 0; i < at_most(core->n_rings, CT_SNAPSHOT_STREAMS); i++)
    append(out, rings, of_table(out, ct_schema_ring, &core->rings[i]));
  put(out, sample, "rings", rings);
  put(out, sample, "archive", of_table(out, ct_schema_archive, &core->archive));
  put(out, sample, "xcs", core->xcs.present ? of_table(out, ct_schema_xcs, &core->xcs) : json_null());
  put(out, sample, "lithium", core->xcs.present ? of_table(out, ct_schema_lithium, &core->lithium) : json_null());
  put(out, sample, "drift", core->xcs.present ? of_table(out, ct_schema_drift, &core->drift) : json_null());
  put(out, sample, "health", core->health.present ? of_health(out, &core->health) : json_null());
  put(out, sample, "monitors", core->xcs.present ? of_monitors(out, &core->monitors) : json_null());
  json_t *rois = json_array();
  for (uint32_t i = 0; i < at_most(core->n_rois, CT_SNAPSHOT_ROIS); i++)
    append(out, rois, of_table(out, ct_schema_roi, &core->rois[i]));
  put(out, sample, "roi", rois);
  put(out, sample, "ct", core->ct.present ? of_table(out, ct_schema_ct, &core->ct) : json_null());
  put(out, sample, "cell", core->cell.present ? of_table(out, ct_schema_cell, &core->cell) : json_null());
  json_t *alarms = json_array();
  for (uint32_t i = 0; i < at_most(core->n_alarms, CT_SNAPSHOT_ALARMS); i++)
    append(out, alarms, of_table(out, ct_schema_alarm, &core->alarms[i]));
  put(out, sample, "alarms", alarms);
}

static json_t *of_doubles(struct ct_buffer *out, const double *values, uint32_t n)
{
  json_t *array = json_array();
  for (uint32_t i = 0; i < n; i++)
    append(out, array, real(values[i]));
  return array;
}

/* emf and sigma are numbers where the cell is good, counts everywhere but under the mask. */
static json_t *of_map(struct ct_buffer *out, const struct ct_map_view *map)
{
  json_t *emf = json_array(), *sigma = json_array(), *counts = json_array();
  json_t *intensity = json_array(), *intensity_sigma = json_array();
  size_t n = (size_t)map->head->rows * map->head->cols;
  for (size_t i = 0; i < n; i++) {
    append(out, emf, map->cell[i] == CT_CELL_OK ? short_real(map->emf[i]) : json_null());
    append(out, sigma, map->cell[i] == CT_CELL_OK ? short_real(map->sigma[i]) : json_null());
    append(out, counts, map->cell[i] == CT_CELL_MASKED ? json_null() : short_real(map->photons[i]));
    append(out, intensity, map->cell[i] == CT_CELL_MASKED ? json_null() : short_real(map->intensity[i]));
    append(out, intensity_sigma, map->cell[i] == CT_CELL_MASKED ? json_null() : short_real(map->intensity_sigma[i]));
  }
  json_t *object = json_object();
  put(out, object, "rows", integer(map->head->rows));
  put(out, object, "cols", integer(map->head->cols));
  put(out, object, "emf", emf);
  put(out, object, "sigma", sigma);
  put(out, object, "counts", counts);
  put(out, object, "intensity", intensity);
  put(out, object, "intensity_sigma", intensity_sigma);
  return object;
}

/* Per pixel: the EMF of the cell that it is in, and that cell's edge. */
static json_t *of_adaptive(struct ct_buffer *out, const struct ct_map_view *map, double target_sigma)
{
  json_t *emf = json_array(), *sigma = json_array(), *edge = json_array();
  size_t n = (size_t)map->head->rows * map->head->cols;
  for (size_t i = 0; i < n; i++) {
    append(out, emf, map->cell[i] == CT_CELL_OK ? short_real(map->emf[i]) : json_null());
    append(out, sigma, map->cell[i] == CT_CELL_OK ? short_real(map->sigma[i]) : json_null());
    append(out, edge, json_integer(map->edge[i]));
  }
  json_t *object = json_object();
  put(out, object, "rows", integer(map->head->rows));
  put(out, object, "cols", integer(map->head->cols));
  put(out, object, "target_sigma", real(target_sigma));
  put(out, object, "emf", emf);
  put(out, object, "sigma", sigma);
  put(out, object, "edge", edge);
  return object;
}

static json_t *of_spectrum(struct ct_buffer *out, const struct ct_spectrum_view *spectrum)
{
  json_t *counts = json_array();
  for (uint32_t i = 0; i < spectrum->head->n; i++) {
    double value = spectrum->counts[i];
    bool whole = value >= 0 && value < 0x1p63 && value == floor(value);
    append(out, counts, whole ? json_integer((json_int_t)value) : real(value));
  }
  json_t *object = json_object();
  put(out, object, "start_keV", real(spectrum->head->start_keV));
  put(out, object, "width_keV", real(spectrum->head->width_keV));
  put(out, object, "counts", counts);
  return object;
}

/* The reference and what is left of the profile without it. */
static void add_reference(struct ct_buffer *out, json_t *object, const struct ct_profile_view *profile)
{
  uint32_t n = profile->head->n;
  json_t *difference = json_array(), *sigma = json_array();
  for (uint32_t i = 0; i < n; i++) {
    append(out, difference, real(profile->J[i] - profile->reference[i]));
    append(out, sigma, real(hypot(profile->sigma[i], profile->reference_sigma[i])));
  }
  put(out, object, "reference_name", string(profile->head->reference, strlen(profile->head->reference)));
  put(out, object, "reference", of_doubles(out, profile->reference, n));
  put(out, object, "reference_sigma", of_doubles(out, profile->reference_sigma, n));
  put(out, object, "difference", difference);
  put(out, object, "difference_sigma", sigma);
  put(out, object, "chi2", real(profile->head->chi2));
  put(out, object, "dof", integer(profile->head->dof));
}

static json_t *of_profile(struct ct_buffer *out, const struct ct_profile_view *profile)
{
  json_t *object = json_object();
  put(out, object, "pz", of_doubles(out, profile->pz, profile->head->n));
  put(out, object, "J", of_doubles(out, profile->J, profile->head->n));
  put(out, object, "sigma", of_doubles(out, profile->sigma, profile->head->n));
  if (profile->head->reference[0] != '\0')
    add_reference(out, object, profile);
  return object;
}

static json_t *of_slice(struct ct_buffer *out, const struct ct_slice_view *slice)
{
  json_t *values = json_array(), *object = json_object();
  for (size_t i = 0; i < (size_t)slice->head->size * slice->head->size; i++)
    append(out, values, real((double)slice->values[i]));
  put(out, object, "size", integer(slice->head->size));
  put(out, object, "pixel_um", real(slice->head->pixel_um));
  put(out, object, "projections", integer(slice->head->projections));
  put(out, object, "values", values);
  return object;
}

static json_t *of_image(struct ct_buffer *out, const struct ct_image_view *image)
{
  bool volume = image->head->rows > image->head->cols;
  json_t *values = json_array(), *object = json_object();
  for (size_t i = 0; i < (size_t)image->head->rows * image->head->cols; i++)
    append(out, values, short_real(image->values[i]));
  if (volume)
    put(out, object, "slices", integer(image->head->rows / image->head->cols));
  put(out, object, "rows", integer(volume ? image->head->cols : image->head->rows));
  put(out, object, "cols", integer(image->head->cols));
  put(out, object, "pixel_um", real(image->head->pixel_um));
  put(out, object, "projections", integer(image->head->projections));
  put(out, object, "values", values);
  return object;
}

/* A plane into the object of all planes, which is made with the first one. */
static void add_plane(struct ct_buffer *out, json_t *sample, const struct ct_snapshot *snapshot, const struct ct_request *request)
{
  static const char *const names[] = { "xy", "xz", "yz", "oblique" };
  struct ct_image_view image;
  if (json_object_get(sample, "slices") == NULL) {
    json_t *object = json_object();
    int32_t row = request->at.row == CT_ROW_OF_SLICE ? (int32_t)snapshot->core.ct.slice_row : request->at.row;
    put(out, object, "x_px", json_integer(request->at.x));
    put(out, object, "y_px", json_integer(request->at.y));
    put(out, object, "row", snapshot->core.ct.rows > 0 ? json_integer(row) : json_null());
    put(out, object, "turn_deg", json_integer(request->at.turn_deg));
    put(out, object, "tilt_deg", json_integer(request->at.tilt_deg));
    put(out, sample, "slices", object);
  }
  put(out, json_object_get(sample, "slices"), names[request->x - CT_IMAGE_XY],
      ct_snapshot_image(snapshot, request, &image) ? of_image(out, &image) : json_null());
}

static void add_sections(struct ct_buffer *out, json_t *sample, const struct ct_snapshot *snapshot,
                         const struct ct_report_setup *setup)
{
  struct ct_request request[CT_REPORT_REQUESTS];
  size_t n = ct_report_requests(setup, request, CT_REPORT_REQUESTS);
  for (size_t i = 0; i < n; i++) {
    struct ct_map_view map;
    struct ct_spectrum_view spectrum;
    struct ct_profile_view profile;
    struct ct_slice_view slice;
    struct ct_image_view image;
    if (request[i].kind == CT_SECTION_MAP && request[i].of == CT_MAP_ADAPTIVE)
      put(out, sample, "adaptive",
          ct_snapshot_map(snapshot, &request[i], &map) ? of_adaptive(out, &map, request[i].target_sigma) : json_null());
    else if (request[i].kind == CT_SECTION_MAP)
      put(out, sample, "map", ct_snapshot_map(snapshot, &request[i], &map) ? of_map(out, &map) : json_null());
    if (request[i].kind == CT_SECTION_SPECTRUM)
      put(out, sample, "spectrum",
          ct_snapshot_spectrum(snapshot, &request[i], &spectrum) ? of_spectrum(out, &spectrum) : json_null());
    if (request[i].kind == CT_SECTION_PROFILE)
      put(out, sample, "profile",
          ct_snapshot_profile(snapshot, &request[i], &profile) ? of_profile(out, &profile) : json_null());
    if (request[i].kind == CT_SECTION_SLICE)
      put(out, sample, "slice", ct_snapshot_slice(snapshot, &request[i], &slice) ? of_slice(out, &slice) : json_null());
    if (request[i].kind == CT_SECTION_IMAGE && request[i].x <= CT_IMAGE_OBLIQUE)
      add_plane(out, sample, snapshot, &request[i]);
    if (request[i].kind == CT_SECTION_IMAGE && request[i].x == CT_IMAGE_VOLUME)
      put(out, sample, "volume", ct_snapshot_image(snapshot, &request[i], &image) ? of_image(out, &image) : json_null());
  }
}

/* ---- a view kept ---------------------------------------------------------------------------------------------- */
static json_t *of_column(struct ct_buffer *out, const struct ct_section_table *table, const struct ct_column *column)
{
  json_t *array = json_array();
  for (size_t row = 0; row < table->rows; row++) {
    char scratch[CT_TIME_TEXT];
    double value = ct_column_value(table, column, row);
    if (column->kind == CT_COLUMN_CELL)
      append(out, array, json_string(ct_column_word(column, row)));
    else if (column->kind == CT_COLUMN_TIME)
      append(out, array, isfinite(value) ? json_string(ct_time_text((int64_t)(value * 1e9), scratch)) : json_null());
    else if (column->kind == CT_COLUMN_FLOAT)
      append(out, array, short_real((float)value));
    else
      append(out, array, real(value));
  }
  return array;
}

static json_t *of_section(struct ct_buffer *out, const struct ct_section_table *table)
{
  json_t *object = json_object(), *units = json_object();
  put(out, object, "kind", json_string(table->name));
  if (table->of[0] != '\0')
    put(out, object, "of", string(table->of, strlen(table->of)));
  if (table->note[0] != '\0')
    put(out, object, "reference_name", string(table->note, strlen(table->note)));
  for (size_t i = 0; i < table->n_facts; i++)
    put(out, object, table->facts[i].key, real(table->facts[i].value));
  for (size_t i = 0; i < table->n_columns; i++)
    put(out, units, table->columns[i].key, json_string(table->columns[i].unit));
  put(out, object, "units", units);
  for (size_t i = 0; i < table->n_columns; i++)
    put(out, object, table->columns[i].key, of_column(out, table, &table->columns[i]));
  return object;
}

static json_t *of_view(struct ct_buffer *out, const struct ct_kept *kept)
{
  const struct ct_snapshot_xcs *xcs = &kept->snapshot->core.xcs;
  json_t *view = json_object(), *sections = json_array(), *background = json_array();
  for (uint32_t i = 0; i < at_most(xcs->n_background, 2); i++)
    append(out, background, of_doubles(out, xcs->background_keV[i], 2));
  put(out, view, "panel", json_string(ct_panel_word(kept->view->panel)));
  put(out, view, "frozen", json_boolean(kept->view->frozen));
  put(out, view, "theta_deg", real(xcs->theta_deg));
  put(out, view, "p_low_au", real(xcs->p_low));
  put(out, view, "p_high_au", real(xcs->p_high));
  put(out, view, "background_keV", background);
  put(out, view, "settings", kept->settings != NULL ? string(kept->settings, strlen(kept->settings)) : json_null());
  for (size_t i = 0; i < kept->n_requests; i++) {
    struct ct_section_table table;
    if (ct_section_tabulate(kept->snapshot, &kept->requests[i], &kept->view->reference, &table))
      append(out, sections, of_section(out, &table));
  }
  put(out, view, "sections", sections);
  return view;
}

/* ---- all of it -------------------------------------------------------------------------------------------------- */
static int take(const char *bytes, size_t length, void *buffer)
{
  ct_buffer_add(buffer, bytes, length);
  return ((struct ct_buffer *)buffer)->failed ? -1 : 0;
}

static json_t *begin_sample(struct ct_buffer *out, const struct ct_snapshot_core *core)
{
  json_t *sample = json_object();
  put(out, sample, "v", json_integer(1));
  add_core(out, sample, core);
  return sample;
}

static void end_sample(struct ct_buffer *out, json_t *sample)
{
  if (json_dump_callback(sample, take, out, JSON_COMPACT | JSON_REAL_PRECISION(REAL_DIGITS)) != 0)
    out->failed = true;
  ct_buffer_text(out, "\n");
  json_decref(sample);
}

void ct_json_write(struct ct_buffer *out, const struct ct_snapshot *snapshot, const struct ct_report_setup *setup)
{
  json_t *sample = begin_sample(out, &snapshot->core);
  add_sections(out, sample, snapshot, setup);
  end_sample(out, sample);
}

void ct_json_keep(struct ct_buffer *out, const struct ct_kept *kept)
{
  json_t *sample = begin_sample(out, &kept->snapshot->core);
  put(out, sample, "view", of_view(out, kept));
  end_sample(out, sample);
}
