#include "report/tables.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

static void add(struct ct_section_table *table, const char *key, const char *unit, enum ct_column_kind kind, const void *values)
{
  if (table->n_columns < CT_COLUMNS_MAX)
    table->columns[table->n_columns++] = (struct ct_column){ key, unit, kind, values };
}

static void fact(struct ct_section_table *table, const char *key, double value)
{
  if (table->n_facts < CT_FACTS_MAX)
    table->facts[table->n_facts++] = (struct ct_section_fact){ key, value };
}

/* Whose curve it is. */
static void name_scope(struct ct_section_table *table, const struct ct_snapshot_core *core, const struct ct_request *request)
{
  if (request->scope == CT_SCOPE_PIXEL)
    snprintf(table->of, sizeof table->of, "pixel %d,%d", (int)request->x, (int)request->y);
  else if (request->scope == CT_SCOPE_ROI && request->x >= 0 && request->x < (int32_t)core->n_rois && request->x < CT_SNAPSHOT_ROIS)
    snprintf(table->of, sizeof table->of, "%.*s", CT_NAME - 1, core->rois[request->x].name);
  else
    snprintf(table->of, sizeof table->of, "all pixels");
}

static bool of_map(const struct ct_snapshot *snapshot, const struct ct_request *request, struct ct_section_table *table)
{
  static const char *const kinds[] = { "EMF", "drift", "adaptive", "hits" };
  struct ct_map_view map;
  if (!ct_snapshot_map(snapshot, request, &map))
    return false;
  bool drift = map.head->of == CT_MAP_DRIFT;
  table->name = "map";
  snprintf(table->of, sizeof table->of, "%s", map.head->of < sizeof kinds / sizeof *kinds ? kinds[map.head->of] : "");
  table->rows = (size_t)map.head->rows * map.head->cols;
  table->cols = map.head->cols;
  table->step = map.head->bin;
  fact(table, "rows", map.head->rows);
  fact(table, "cols", map.head->cols);
  fact(table, "bin_px", map.head->bin);
  fact(table, "median_sigma", map.head->median_sigma);
  add(table, "x", "px", CT_COLUMN_X, NULL);
  add(table, "y", "px", CT_COLUMN_Y, NULL);
  add(table, drift ? "trend" : "emf", drift ? "1/h" : "-", CT_COLUMN_FLOAT, map.emf);
  add(table, "sigma", drift ? "1/h" : "-", CT_COLUMN_FLOAT, map.sigma);
  add(table, "LH_counts", "counts", CT_COLUMN_FLOAT, map.counts);
  add(table, "counts", "counts", CT_COLUMN_FLOAT, map.photons);
  add(table, "intensity", "1/s/px", CT_COLUMN_FLOAT, map.intensity);
  add(table, "intensity_sigma", "1/s/px", CT_COLUMN_FLOAT, map.intensity_sigma);
  add(table, "edge", "px", CT_COLUMN_EDGE, map.edge);
  add(table, "cell", "-", CT_COLUMN_CELL, map.cell);
  return true;
}

/* What the map is compared with on the screen, where the cells are the same. */
static void add_reference(struct ct_section_table *table, const struct ct_view_reference *reference)
{
  if (reference == NULL || reference->rows == 0 || table->cols != reference->cols || table->step != reference->bin ||
      table->rows != (size_t)reference->rows * reference->cols)
    return;
  add(table, "reference_emf", "-", CT_COLUMN_FLOAT, reference->emf);
  add(table, "reference_sigma", "-", CT_COLUMN_FLOAT, reference->sigma);
}

static bool of_profile(const struct ct_snapshot *snapshot, const struct ct_request *request, struct ct_section_table *table)
{
  static const char *const units[] = { "J(0)", "area", "counts/a.u." };
  struct ct_profile_view profile;
  if (!ct_snapshot_profile(snapshot, request, &profile))
    return false;
  const struct ct_section_profile *head = profile.head;
  const char *unit = head->normalisation < 3 ? units[head->normalisation] : "-";
  bool compared = head->reference[0] != '\0';
  table->name = "profile";
  name_scope(table, &snapshot->core, request);
  table->rows = head->n;
  fact(table, "norm", head->norm);
  fact(table, "pixels", head->pixels);
  add(table, "pz", "a.u.", CT_COLUMN_DOUBLE, profile.pz);
  add(table, "J", unit, CT_COLUMN_DOUBLE, profile.J);
  add(table, "sigma", unit, CT_COLUMN_DOUBLE, profile.sigma);
  if (!compared)
    return true;
  snprintf(table->note, sizeof table->note, "%.*s", (int)sizeof table->note - 1, head->reference);
  fact(table, "chi2", head->chi2);
  fact(table, "dof", head->dof);
  add(table, "reference", unit, CT_COLUMN_DOUBLE, profile.reference);
  add(table, "reference_sigma", unit, CT_COLUMN_DOUBLE, profile.reference_sigma);
  return true;
}

static bool of_spectrum(const struct ct_snapshot *snapshot, const struct ct_request *request, struct ct_section_table *table)
{
  struct ct_spectrum_view spectrum;
  if (!ct_snapshot_spectrum(snapshot, request, &spectrum))
    return false;
  table->name = "spectrum";
  name_scope(table, &snapshot->core, request);
  table->rows = spectrum.head->n;
  table->start = spectrum.head->start_keV;
  table->width = spectrum.head->width_keV;
  fact(table, "width_keV", spectrum.head->width_keV);
  fact(table, "pixels", spectrum.head->pixels);
  add(table, "start_keV", "keV", CT_COLUMN_AXIS, NULL);
  add(table, "counts", "counts", CT_COLUMN_DOUBLE, spectrum.counts);
  return true;
}

static bool of_trend(const struct ct_snapshot *snapshot, const struct ct_request *request, struct ct_section_table *table)
{
  struct ct_trend_view trend;
  if (!ct_snapshot_trend(snapshot, request, &trend))
    return false;
  table->name = "trend";
  name_scope(table, &snapshot->core, request);
  table->rows = trend.head->n;
  fact(table, "interval_s", trend.head->interval_s);
  add(table, "t", "UTC", CT_COLUMN_TIME, trend.t_s);
  add(table, "t_s", "s", CT_COLUMN_DOUBLE, trend.t_s);
  add(table, "emf", "-", CT_COLUMN_DOUBLE, trend.emf);
  add(table, "emf_sigma", "-", CT_COLUMN_DOUBLE, trend.sigma);
  add(table, "v_V", "V", CT_COLUMN_DOUBLE, trend.v_V);
  add(table, "i_A", "A", CT_COLUMN_DOUBLE, trend.i_A);
  add(table, "q_Ah", "Ah", CT_COLUMN_DOUBLE, trend.q_Ah);
  return true;
}

static void add_picture(struct ct_section_table *table, uint32_t rows, uint32_t cols, double pixel_um, const char *unit,
                        const float *values)
{
  table->rows = (size_t)rows * cols;
  table->cols = cols;
  table->step = 1;
  fact(table, "rows", rows);
  fact(table, "cols", cols);
  fact(table, "pixel_um", pixel_um);
  add(table, "x", "px", CT_COLUMN_X, NULL);
  add(table, "y", "px", CT_COLUMN_Y, NULL);
  add(table, "value", unit, CT_COLUMN_FLOAT, values);
}

static const char *attenuation_unit(double pixel_um) { return isfinite(pixel_um) ? "1/cm" : "1/px"; }

static bool of_slice(const struct ct_snapshot *snapshot, const struct ct_request *request, struct ct_section_table *table)
{
  struct ct_slice_view slice;
  if (!ct_snapshot_slice(snapshot, request, &slice))
    return false;
  table->name = "slice";
  fact(table, "projections", slice.head->projections);
  add_picture(table, slice.head->size, slice.head->size, slice.head->pixel_um,
              attenuation_unit(slice.head->pixel_um), slice.values);
  return true;
}

static bool of_image(const struct ct_snapshot *snapshot, const struct ct_request *request, struct ct_section_table *table)
{
  struct ct_image_view image;
  if (!ct_snapshot_image(snapshot, request, &image))
    return false;
  table->name = ct_image_word((enum ct_image)request->x);
  fact(table, "angle_deg", image.head->angle_deg);
  add_picture(table, image.head->rows, image.head->cols, image.head->pixel_um, request->x == CT_IMAGE_PROJECTION ? "T" :
              request->x == CT_IMAGE_SINOGRAM ? "-ln(T)" : attenuation_unit(image.head->pixel_um), image.values);
  return true;
}

bool ct_section_tabulate(const struct ct_snapshot *snapshot, const struct ct_request *request,
                         const struct ct_view_reference *reference, struct ct_section_table *table)
{
  *table = (struct ct_section_table){ .name = "" };
  switch (request->kind) {
  case CT_SECTION_MAP:
    if (!of_map(snapshot, request, table))
      return false;
    add_reference(table, request->of == CT_MAP_EMF ? reference : NULL);
    return true;
  case CT_SECTION_PROFILE: return of_profile(snapshot, request, table);
  case CT_SECTION_SPECTRUM: return of_spectrum(snapshot, request, table);
  case CT_SECTION_TREND: return of_trend(snapshot, request, table);
  case CT_SECTION_SLICE: return of_slice(snapshot, request, table);
  case CT_SECTION_IMAGE: return of_image(snapshot, request, table);
  default: return false;
  }
}

double ct_column_value(const struct ct_section_table *table, const struct ct_column *column, size_t row)
{
  switch (column->kind) {
  case CT_COLUMN_FLOAT: return (double)((const float *)column->values)[row];
  case CT_COLUMN_DOUBLE:
  case CT_COLUMN_TIME: return ((const double *)column->values)[row];
  case CT_COLUMN_EDGE: return ((const uint8_t *)column->values)[row] ? ((const uint8_t *)column->values)[row] : table->step;
  case CT_COLUMN_X: return (double)(row % table->cols * table->step);
  case CT_COLUMN_Y: return (double)(row / table->cols * table->step);
  case CT_COLUMN_AXIS: return table->start + (double)row * table->width;
  case CT_COLUMN_CELL: break;
  }
  return (double)NAN;
}

const char *ct_column_word(const struct ct_column *column, size_t row)
{
  static const char *const words[] = { "ok", "low", "masked" };
  uint8_t cell = ((const uint8_t *)column->values)[row];
  return cell < 3 ? words[cell] : "?";
}
