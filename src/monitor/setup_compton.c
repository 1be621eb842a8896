/* [beam], [geometry] and [emf] -> the setup of the Compton analysis. */
#include "setup.h"

#include <stdio.h>
#include <string.h>

static void read_geometry(struct ct_geometry *g, const struct ct_settings *s)
{
  double centre[2] = { 0, 0 };
  if (ct_parse_numbers(ct_settings_text(s, "geometry.centre_px"), ',', centre, 2) != 0)
    return;   /* the option table has checked it */
  g->theta_deg = ct_settings_real(s, "geometry.theta_deg");
  g->object_mm = ct_settings_real(s, "geometry.object_mm");
  g->detector_mm = ct_settings_real(s, "geometry.detector_mm");
  g->pitch_mm = ct_settings_real(s, "geometry.pitch_mm");
  g->beam = (enum ct_beam)ct_settings_word(s, "geometry.beam");
  g->centre_x_px = centre[0];
  g->centre_y_px = centre[1];
  g->theta_map = ct_settings_bool(s, "geometry.theta_map");
}

static int read_background(struct ct_compton_setup *c, const struct ct_settings *s, struct ct_err *err)
{
  c->background = (enum ct_background)ct_settings_word(s, "emf.background");
  c->double_scatter = ct_settings_real(s, "emf.double_scatter");
  if (c->background == CT_BACKGROUND_NONE)
    return 0;
  int n = ct_parse_intervals(ct_settings_text(s, "emf.background_keV"), c->windows_keV, 2);
  if (n < 0)
    return ct_settings_refuse(s, "emf.background_keV", err, "needs one or two windows, from:to[,from:to]");
  c->n_windows = (uint32_t)n;
  return 0;
}

/* "Fe0.733Cr0.191Ni0.076:7.9:0.5" of <length> characters: formula, g/cm3, mm. */
static int read_absorber(const char *text, size_t length, struct ct_absorber *out)
{
  char numbers[64];
  double values[2];
  size_t formula = strcspn(text, ":");
  if (formula == 0 || formula >= length || formula >= sizeof out->formula || length - formula > sizeof numbers)
    return CT_ERANGE;
  snprintf(out->formula, sizeof out->formula, "%.*s", (int)formula, text);
  snprintf(numbers, sizeof numbers, "%.*s", (int)(length - formula - 1), text + formula + 1);
  if (ct_parse_numbers(numbers, ':', values, 2) != 0)
    return CT_ERANGE;
  out->g_cm3 = values[0];
  out->mm = values[1];
  return 0;
}

static int read_absorption(struct ct_compton_setup *c, const struct ct_settings *s, struct ct_err *err)
{
  const char *text = ct_settings_text(s, "emf.absorption");
  while (*text != '\0') {
    size_t length = strcspn(text, ",");
    if (c->n_layers == CT_LAYERS)
      return ct_settings_refuse(s, "emf.absorption", err, "more than %d layers", CT_LAYERS);
    if (read_absorber(text, length, &c->layers[c->n_layers++]) != 0)
      return ct_settings_refuse(s, "emf.absorption", err, "needs FORMULA:g/cm3:mm[,FORMULA:g/cm3:mm...]");
    text += length + (text[length] == ',');
  }
  return 0;
}

static int read_corrections(struct ct_compton_setup *c, const struct ct_settings *s, struct ct_err *err)
{
  const char *sensor = ct_settings_text(s, "hexitec.sensor");
  if (strlen(sensor) >= sizeof c->sensor.formula)
    return ct_settings_refuse(s, "hexitec.sensor", err, "longer than %zu characters", sizeof c->sensor.formula - 1);
  snprintf(c->sensor.formula, sizeof c->sensor.formula, "%s", sensor);
  c->sensor.g_cm3 = ct_settings_real(s, "hexitec.sensor_g_cm3");
  c->sensor.mm = ct_settings_real(s, "hexitec.sensor_mm");
  c->pz_exact = ct_settings_word(s, "emf.pz") == 1;
  c->jacobian = ct_settings_bool(s, "emf.jacobian");
  c->cross_section = ct_settings_bool(s, "emf.cross_section");
  c->efficiency = ct_settings_bool(s, "emf.efficiency");
  c->polarisation = ct_settings_real(s, "beam.polarisation");
  c->phi_deg = ct_settings_real(s, "beam.polarisation_deg");
  c->unbias = ct_settings_word(s, "emf.bias") == 1;
  c->energy_sigma_keV = ct_settings_real(s, "emf.energy_sigma_keV");
  c->normalisation = (enum ct_normalisation)ct_settings_word(s, "emf.normalisation");
  c->flat_exponent = ct_settings_real(s, "emf.flat_exponent");
  c->pixel_sigma_keV = ct_settings_real(s, "emf.pixel_sigma_keV");
  return read_absorption(c, s, err);
}

/* Refuses what <why> is about, with the place of the setting that asks for it. */
static int refuse(const struct ct_settings *s, const struct ct_err *why, struct ct_err *err)
{
  static const struct { const char *word, *path; } places[] = {
    { "background_keV", "emf.background_keV" }, { "background", "emf.background" }, { "p_high", "emf.p_high" },
    { "p_low", "emf.p_low" },                   { "pz", "emf.p_high" },             { "e1_keV", "beam.e1_keV" },
    { "double_scatter", "emf.double_scatter" }, { "sensor", "hexitec.sensor" },     { "absorption", "emf.absorption" },
    { "theta", "geometry.theta_deg" },          { "object_mm", "geometry.object_mm" },
    { "scattering angle", "geometry.theta_deg" }, { "detector_mm", "geometry.detector_mm" },
    { "pitch_mm", "geometry.pitch_mm" },        { "rows", "hexitec.rows" },
  };
  for (size_t i = 0; i < sizeof places / sizeof *places; i++)
    if (strstr(why->text, places[i].word) != NULL)
      return ct_settings_refuse(s, places[i].path, err, "%s", why->text);
  return ct_settings_refuse(s, "hexitec.bins", err, "%s", why->text);
}

static int check_edges(const struct ct_compton_setup *c, const struct ct_settings *s, struct ct_err *err)
{
  struct ct_err why = { "" };
  const char *elements = ct_settings_text(s, "beam.k_edges");
  if (strcmp(elements, "none") == 0 || ct_compton_check_edges(c->e1_keV, elements, &why) == 0)
    return 0;
  return ct_settings_refuse(s, strstr(why.text, "e1_keV") ? "beam.e1_keV" : "beam.k_edges", err, "%s%s", why.text,
                            strstr(why.text, "e1_keV") ? "; take it out of beam.k_edges (or say none) if it is of no interest" : "");
}

/* Tries the analysis, so that what cannot be measured is found now. */
static int try_compton(const struct ct_compton_setup *setup, const struct ct_settings *s, struct ct_err *err)
{
  struct ct_err why = { "" };
  struct ct_compton *compton = NULL;
  int code = ct_compton_new(&compton, setup, &why);
  ct_compton_free(compton);
  return code == 0 ? 0 : refuse(s, &why, err);
}

int ct_setup_compton(struct run_setup *setup, const struct ct_settings *s, struct ct_err *err)
{
  struct ct_compton_setup *c = &setup->analysis.compton;
  c->e1_keV = ct_settings_real(s, "beam.e1_keV");
  read_geometry(&c->geometry, s);
  setup->centre_by_default = strcmp(ct_settings_origin(s, "geometry.centre_px"), "default") == 0;
  c->rows = setup->analysis.hexitec.rows;
  c->cols = setup->analysis.hexitec.cols;
  c->axis = setup->analysis.spectra.axis;
  c->p_low = ct_settings_real(s, "emf.p_low");
  c->p_high = ct_settings_real(s, "emf.p_high");
  c->order = (int)ct_settings_int(s, "emf.order");
  ct_setup_watch(&setup->analysis.watch, s);
  setup->analysis.min_counts = (double)ct_settings_int(s, "emf.min_counts");
  setup->analysis.theta_fit = ct_settings_bool(s, "geometry.theta_fit");
  if (setup->analysis.theta_fit && !c->geometry.theta_map)
    return ct_settings_refuse(s, "geometry.theta_fit", err, "needs geometry.theta_map on");
  int code = read_background(c, s, err);
  if (code == 0)
    code = read_corrections(c, s, err);
  if (code == 0)
    code = check_edges(c, s, err);
  return code == 0 ? try_compton(c, s, err) : code;
}
