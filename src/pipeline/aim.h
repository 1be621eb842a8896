/* Where the detector looks: the geometry that the data show, beside the configured one or in its place. Internal to
 * pipeline. Ownership: the aim owns its copies, of the flat field and the reference too. One thread uses an aim. */
#ifndef PIPELINE_AIM_H
#define PIPELINE_AIM_H

#include <comptop/pipeline.h>

struct ct_aim {
  struct ct_compton_setup configured;
  struct ct_flat *flat;                  /* or NULL */
  struct ct_reference *reference;        /* or NULL */
  bool wanted;                           /* the fit is to be used once it is good enough */
  bool in_use;
  struct ct_geometry_fit fit, used;
  bool found;                            /* fit holds one */
  double *e2_keV, *sigma_keV;            /* the columns' peaks at the last look */
  uint32_t columns;
};

int ct_aim_init(struct ct_aim *aim, struct ct_compton **compton, const struct ct_analysis_setup *setup,
                struct ct_err *err) CT_MUST_CHECK;
void ct_aim_fini(struct ct_aim *aim);
/* Whether both make the same sums of the same spectra. */
bool ct_aim_measures_alike(const struct ct_aim *a, const struct ct_aim *b);
/* Looks at the peaks of <cube>; may put another analysis in the place of *compton, with the angles found. */
void ct_aim_look(struct ct_aim *aim, struct ct_compton **compton, const uint32_t *cube, const uint8_t *live);
void ct_aim_tell(const struct ct_aim *aim, struct ct_snapshot_geometry *out);

#endif
