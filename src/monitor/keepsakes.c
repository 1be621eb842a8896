#include "keepsakes.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "table.h"

/* ---- the flat field -------------------------------------------------------------------------------------------- */
enum { FLAT_COLUMNS = 6 };      /* column row emf emf_sigma rate_Hz rate_sigma_Hz */

/* The settings a flat field is only good for. */
static const char *const flat_keys[] = { "rows", "cols", "e1_keV", "theta_deg", "p_low", "p_high" };
enum { FLAT_KEYS = sizeof flat_keys / sizeof *flat_keys };

static void flat_values(const struct ct_compton_setup *c, double values[FLAT_KEYS])
{
  const double all[FLAT_KEYS] = { c->rows, c->cols, c->e1_keV, c->geometry.theta_deg, c->p_low, c->p_high };
  memcpy(values, all, sizeof all);
}

static int check_flat(const struct table *t, const struct ct_compton_setup *c, struct ct_err *err)
{
  double values[FLAT_KEYS], was;
  flat_values(c, values);
  for (size_t i = 0; i < FLAT_KEYS; i++) {
    if (!table_key(t, flat_keys[i], &was))
      return ct_err_set(err, CT_EFORMAT, "does not say '# %s NUMBER'", flat_keys[i]);
    if (!(fabs(was - values[i]) <= 1e-6 * fabs(values[i])))
      return ct_err_set(err, CT_EFORMAT, "was measured with %s = %g, now it is %g", flat_keys[i], was, values[i]);
  }
  return 0;
}

static int place_flat(struct run_setup *setup, const struct table *t, struct ct_err *err)
{
  uint32_t rows = setup->analysis.hexitec.rows, cols = setup->analysis.hexitec.cols;
  size_t pixels = (size_t)rows * cols;
  setup->flat_values = ct_xcalloc(4 * pixels, sizeof *setup->flat_values);
  for (size_t i = 0; i < 4 * pixels; i++)
    setup->flat_values[i] = NAN;
  setup->flat = (struct ct_flat){ rows, cols, setup->flat_values, setup->flat_values + pixels, setup->flat_values + 2 * pixels,
                                  setup->flat_values + 3 * pixels };
  for (size_t i = 0; i < t->rows; i++) {
    const double *row = t->values + i * FLAT_COLUMNS;
    bool whole = row[0] == floor(row[0]) && row[1] == floor(row[1]);
    if (!(whole && row[0] >= 0 && row[0] < cols && row[1] >= 0 && row[1] < rows))
      return ct_err_set(err, CT_EFORMAT, "column %g, row %g is outside the sensor, or no whole number", row[0], row[1]);
    size_t pixel = (size_t)row[1] * cols + (size_t)row[0];
    if (!isnan(setup->flat_values[pixel]))
      return ct_err_set(err, CT_EFORMAT, "column %g, row %g comes twice", row[0], row[1]);
    for (size_t k = 0; k < 4; k++)
      setup->flat_values[k * pixels + pixel] = row[2 + k];
  }
  setup->analysis.flat = &setup->flat;
  return 0;
}

/* Tries it, so that a flat field without a usable pixel is found now. */
static int try_flat(const struct run_setup *setup, struct ct_err *err)
{
  struct ct_compton *compton = NULL;
  int code = ct_compton_new(&compton, &setup->analysis.compton, err);
  if (code == 0)
    code = ct_compton_set_flat(compton, &setup->flat, err);
  ct_compton_free(compton);
  return code;
}

static int read_flat(struct run_setup *setup, const struct ct_settings *s, struct ct_err *err)
{
  const char *path = ct_settings_text(s, "emf.flat_field");
  struct table table;
  struct ct_err why = { "" };
  if (*path == '\0')
    return 0;
  int code = table_read(&table, path, "flat", FLAT_COLUMNS, &why);
  if (code == 0) {
    code = check_flat(&table, &setup->analysis.compton, &why);
    if (code == 0)
      code = place_flat(setup, &table, &why);
    if (code == 0)
      code = try_flat(setup, &why);
    table_free(&table);
  }
  return code == 0 ? 0 : ct_settings_refuse(s, "emf.flat_field", err, "%s", why.text);
}

static int write_flat(const struct run_setup *setup, const struct ct_snapshot *snapshot, const struct ct_map_view *map,
                      struct ct_err *err)
{
  struct table_writer w;
  double values[FLAT_KEYS];
  int code = table_begin(&w, setup->write_flat, "flat", err);
  if (code != 0)
    return code;
  flat_values(&setup->analysis.compton, values);
  for (size_t i = 0; i < FLAT_KEYS; i++)
    fprintf(w.file, "# %s %.10g\n", flat_keys[i], values[i]);
  fprintf(w.file, "# live_s %.6g\n# run: %s\n# column row emf emf_sigma rate_Hz rate_sigma_Hz\n", snapshot->core.xcs.live_s,
          setup->run);
  for (uint32_t row = 0; row < map->head->rows; row++)
    for (uint32_t col = 0; col < map->head->cols; col++) {
      size_t i = (size_t)row * map->head->cols + col;
      if (map->cell[i] == CT_CELL_OK)
        fprintf(w.file, "%u %u %.7g %.5g %.7g %.5g\n", col, row, (double)map->emf[i], (double)map->sigma[i],
                (double)map->intensity[i], (double)map->intensity_sigma[i]);
    }
  return table_finish(&w, err);
}

/* ---- the reference of the profile ------------------------------------------------------------------------------- */
static int read_points(struct ct_reference *out, const char *path, struct ct_err *err)
{
  struct table table;
  int code = table_read(&table, path, "profile", 3, err);
  if (code != 0)
    return code;
  struct ct_err why = { "" };
  code = ct_reference_points(out, path, table.rows, table.values, &why);
  table_free(&table);
  return code == 0 ? 0 : ct_err_set(err, code, "%s: %s", path, why.text);
}

/* What is no formula is a file. */
static int read_reference(struct run_setup *setup, const struct ct_settings *s, struct ct_err *err)
{
  const char *text = ct_settings_text(s, "emf.reference");
  struct ct_compton *compton = NULL;
  struct ct_err why = { "" }, file = { "" };
  if (*text == '\0')
    return 0;
  int code = ct_compton_new(&compton, &setup->analysis.compton, &why);
  if (code == 0)
    code = ct_reference_formula(&setup->reference, compton, text, ct_settings_real(s, "emf.fwhm_keV"), &why);
  ct_compton_free(compton);
  if (code == CT_EFORMAT && (code = read_points(&setup->reference, text, &file)) != 0)
    return ct_settings_refuse(s, "emf.reference", err, "neither a chemical formula nor a profile: %s", file.text);
  if (code != 0)
    return ct_settings_refuse(s, "emf.reference", err, "%s", why.text);
  setup->analysis.reference = &setup->reference;
  return 0;
}

static int write_profile(const struct run_setup *setup, const struct ct_profile_view *profile, struct ct_err *err)
{
  struct table_writer w;
  int code = table_begin(&w, setup->write_profile, "profile", err);
  if (code != 0)
    return code;
  fprintf(w.file, "# norm %.10g\n# run: %s\n# pz J sigma\n", profile->head->norm, setup->run);
  for (uint32_t j = 0; j < profile->head->n; j++)
    if (isfinite(profile->J[j]) && isfinite(profile->sigma[j]))
      fprintf(w.file, "%.1f %.9g %.5g\n", profile->pz[j], profile->J[j], profile->sigma[j]);
  return table_finish(&w, err);
}

/* ---- all of them --------------------------------------------------------------------------------------------------- */
static int check_new(const char **out, const struct ct_settings *s, const char *path, struct ct_err *err)
{
  struct ct_err why = { "" };
  *out = ct_settings_text(s, path);
  if (**out == '\0' || table_check_new(*out, &why) == 0)
    return 0;
  return ct_settings_refuse(s, path, err, "%s", why.text);
}

int keepsakes_read(struct run_setup *setup, const struct ct_settings *s, struct ct_err *err)
{
  int code = read_flat(setup, s, err);
  setup->write_profile = setup->write_flat = "";
  if (code == 0)
    code = read_reference(setup, s, err);
  if (ct_settings_bool(s, "check"))
    return code;                   /* a look, which writes nothing */
  if (code == 0)
    code = check_new(&setup->write_profile, s, "write_profile", err);
  if (code == 0)
    code = check_new(&setup->write_flat, s, "write_flat", err);
  if (code != 0 || *setup->write_flat == '\0')
    return code;
  if (setup->analysis.flat != NULL)
    return ct_settings_refuse(s, "write_flat", err, "emf.flat_field is set: a flat field is measured without one");
  if (!isinf(setup->analysis.spectra.window_s))
    return ct_settings_refuse(s, "write_flat", err, "needs --window run: a flat field is made of all that came");
  return 0;
}

static struct ct_request flat_request(void)
{
  return (struct ct_request){ .kind = CT_SECTION_MAP, .bin = 1, .min_counts = 0 };
}

static struct ct_request profile_request(void)
{
  return (struct ct_request){ .kind = CT_SECTION_PROFILE, .scope = CT_SCOPE_ALL };
}

size_t keepsakes_requests(const struct run_setup *setup, struct ct_request requests[2])
{
  size_t n = 0;
  if (*setup->write_flat != '\0')
    requests[n++] = flat_request();
  if (*setup->write_profile != '\0')
    requests[n++] = profile_request();
  return n;
}

int keepsakes_write(const struct run_setup *setup, const struct ct_snapshot *snapshot, struct ct_err *err)
{
  struct ct_map_view map;
  struct ct_profile_view profile;
  struct ct_request flat = flat_request(), request = profile_request();
  bool has_frames = snapshot->core.xcs.frames > 0;
  int code = 0;
  if (*setup->write_flat != '\0')
    code = has_frames && ct_snapshot_map(snapshot, &flat, &map)
             ? write_flat(setup, snapshot, &map, err)
             : ct_err_set(err, CT_ENODATA, "%s: not written, because no frame was analysed", setup->write_flat);
  if (*setup->write_profile == '\0' || code != 0)
    return code;
  if (!has_frames || !ct_snapshot_profile(snapshot, &request, &profile) || !(profile.head->norm > 0))
    return ct_err_set(err, CT_ENODATA, "%s: not written, because there is no profile", setup->write_profile);
  return write_profile(setup, &profile, err);
}
