#include "aim.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The fit takes over when its centre is known to this many pixels and its distance to this part of it, and again whenever
 * both errors have halved: the angles change a few times in a run, not with every breath of the data. */
static const double centre_px = 1, distance_part = 0.05, better = 0.5;

static int make(const struct ct_aim *aim, struct ct_compton **out, const struct ct_compton_setup *setup, struct ct_err *err)
{
  int code = ct_compton_new(out, setup, err);
  if (code == 0 && aim->flat != NULL)
    code = ct_compton_set_flat(*out, aim->flat, err);
  if (code == 0 && aim->reference != NULL)
    code = ct_compton_set_reference(*out, aim->reference, err);
  return code;
}

enum { FLAT_MAPS = 4 };
static size_t flat_pixels(const struct ct_flat *flat) { return (size_t)flat->rows * flat->cols; }

/* With its maps behind it. */
static struct ct_flat *copy_flat(const struct ct_flat *flat)
{
  const size_t n = flat_pixels(flat);
  const double *maps[FLAT_MAPS] = { flat->emf, flat->emf_sigma, flat->rate, flat->rate_sigma };
  struct ct_flat *copy = ct_xcalloc(1, sizeof *copy + FLAT_MAPS * n * sizeof(double));
  double *values = (double *)(copy + 1);
  for (size_t i = 0; i < FLAT_MAPS; i++)
    memcpy(values + i * n, maps[i], n * sizeof *values);
  *copy = (struct ct_flat){ flat->rows, flat->cols, values, values + n, values + 2 * n, values + 3 * n };
  return copy;
}

int ct_aim_init(struct ct_aim *aim, struct ct_compton **compton, const struct ct_analysis_setup *setup, struct ct_err *err)
{
  uint32_t most = setup->compton.rows > setup->compton.cols ? setup->compton.rows : setup->compton.cols;
  *aim = (struct ct_aim){ .configured = setup->compton, .wanted = setup->theta_fit };
  if (setup->flat != NULL)
    aim->flat = copy_flat(setup->flat);
  if (setup->reference != NULL) {
    aim->reference = ct_xcalloc(1, sizeof *aim->reference);
    *aim->reference = *setup->reference;
  }
  aim->e2_keV = ct_xcalloc(most, sizeof *aim->e2_keV);
  aim->sigma_keV = ct_xcalloc(most, sizeof *aim->sigma_keV);
  return make(aim, compton, &setup->compton, err);
}

void ct_aim_fini(struct ct_aim *aim)
{
  free(aim->flat);
  free(aim->reference);
  free(aim->e2_keV);
  free(aim->sigma_keV);
}

bool ct_aim_measures_alike(const struct ct_aim *a, const struct ct_aim *b)
{
  struct ct_compton_setup setup = a->configured;
  setup.normalisation = b->configured.normalisation;   /* of the profile alone */
  if (memcmp(&setup, &b->configured, sizeof setup) != 0 || a->wanted != b->wanted || (a->flat == NULL) != (b->flat == NULL))
    return false;
  return a->flat == NULL ||
         memcmp(a->flat + 1, b->flat + 1, FLAT_MAPS * flat_pixels(a->flat) * sizeof(double)) == 0;
}

static bool is_good(const struct ct_aim *aim)
{
  const struct ct_geometry_fit *fit = &aim->fit, *used = &aim->used;
  double centre = aim->in_use ? better * used->centre_sigma_px : centre_px;
  double distance = aim->in_use ? better * used->detector_sigma_mm : distance_part * fit->detector_mm;
  return fit->centre_sigma_px <= centre && fit->detector_sigma_mm <= distance;
}

static void adopt(struct ct_aim *aim, struct ct_compton **compton)
{
  struct ct_compton_setup setup = aim->configured;
  struct ct_compton *made = NULL;
  struct ct_err ignored;
  ct_geometry_take(&setup.geometry, &aim->fit);
  /* A geometry that cannot be measured with these bins stays a finding. */
  if (make(aim, &made, &setup, &ignored) != 0) {
    ct_compton_free(made);
    return;
  }
  ct_compton_free(*compton);
  *compton = made;
  aim->used = aim->fit;
  aim->in_use = true;
}

void ct_aim_look(struct ct_aim *aim, struct ct_compton **compton, const uint32_t *cube, const uint8_t *live)
{
  ct_compton_peaks(*compton, cube, live, aim->e2_keV, aim->sigma_keV);
  aim->columns = ct_compton_groups(*compton);
  aim->found = ct_compton_fit_geometry(*compton, aim->e2_keV, aim->sigma_keV, &aim->fit);
  if (aim->wanted && aim->found && is_good(aim))
    adopt(aim, compton);
}

void ct_aim_tell(const struct ct_aim *aim, struct ct_snapshot_geometry *out)
{
  static const char *const words[] = { "+x", "-x", "+y", "-y" };
  const struct ct_geometry_fit *fit = &aim->fit;
  *out = (struct ct_snapshot_geometry){ .in_use = aim->in_use, .peaks = fit->groups, .centre_px = fit->centre_px,
                                        .centre_sigma_px = fit->centre_sigma_px, .detector_mm = fit->detector_mm,
                                        .detector_sigma_mm = fit->detector_sigma_mm, .chi2 = fit->chi2 };
  if (!aim->found)
    return;
  snprintf(out->beam, sizeof out->beam, "%s", words[fit->beam]);
  if (!aim->in_use)
    out->contradicts = ct_geometry_contradictions(&aim->configured.geometry, fit);
}
