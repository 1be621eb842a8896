/* Maps that the settings name as files: the files may change or go, so a run keeps what was read from them. */
#include "setup.h"

#include <stdio.h>
#include <string.h>

static double *add(struct run_setup *setup, const struct ct_settings *s, const char *name)
{
  const char *const no_files[] = { "", "measure", "auto" };
  const struct ct_hexitec_setup *h = &setup->analysis.hexitec;
  struct ct_run_setup *archive = &setup->archive;
  char path[64];
  double number;
  snprintf(path, sizeof path, "hexitec.%s", name);
  const char *text = ct_settings_text(s, path);
  for (size_t i = 0; i < sizeof no_files / sizeof *no_files; i++)
    if (strcmp(text, no_files[i]) == 0)
      return NULL;
  if (ct_parse_real(text, &number) == 0)
    return NULL;
  double *values = ct_xcalloc((size_t)h->rows * h->cols, sizeof *values);
  setup->map_values[archive->n_maps] = values;
  setup->maps[archive->n_maps++] = (struct ct_run_map){ .name = name, .values = values, .rows = h->rows, .cols = h->cols };
  return values;
}

void ct_setup_maps(struct run_setup *setup, const struct ct_settings *s)
{
  const struct ct_hexitec_setup *h = &setup->analysis.hexitec;
  const size_t pixels = (size_t)h->rows * h->cols;
  double *dark = add(setup, s, "dark"), *gradients = add(setup, s, "gradients"), *intercepts = add(setup, s, "intercepts"),
         *threshold = add(setup, s, "threshold"), *mask = add(setup, s, "mask");
  for (size_t i = 0; i < pixels; i++) {
    if (dark != NULL)
      dark[i] = setup->dark_ADU[i];
    if (gradients != NULL)
      gradients[i] = setup->gradient_keV[i];
    if (intercepts != NULL)
      intercepts[i] = setup->intercept_keV[i];
    if (threshold != NULL)
      threshold[i] = setup->threshold_ADU[i];
    if (mask != NULL)
      mask[i] = setup->live[i] == 0;
  }
  setup->archive.maps = setup->maps;
}
