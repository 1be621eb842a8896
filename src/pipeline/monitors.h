/* Nuisance monitors: what the samples of the run say about the instrument. Internal to pipeline.
 * Ownership: spectra, maps and peaks are lent; the analysis thread alone uses monitors. */
#ifndef PIPELINE_MONITORS_H
#define PIPELINE_MONITORS_H

#include <comptop/pipeline.h>

/* Sums since start at one moment, over the live pixels, and per pixel. */
struct ct_moment {
  double *spectrum;              /* [bins] */
  double *elastic, *compton;     /* [pixels] counts of the elastic line, of |pz| < p_high */
  struct ct_sums sum;
  struct ct_hexitec_tally tally;
};

struct ct_monitors {
  struct ct_monitor_setup setup;
  struct ct_spectra *spectra;
  struct ct_compton *const *compton;
  const uint8_t *live;
  uint32_t pixels, bins;
  uint32_t elastic_from, elastic_to;   /* bins */
  double frame_hz, e1_keV;
  /* Where the peaks of the columns are, by whoever looked last. */
  const double *e2_keV, *sigma_keV;
  const uint32_t *columns;

  struct ct_moment now, base, step, origin;  /* of the sample, of the CUSUM's step, of the reference */
  double *scratch, *map, *reference_map;   /* [bins], [pixels] twice */
  uint8_t *flashed;                    /* [pixels]: in a Bragg flash in the beginning */
  struct ct_places places;
  uint32_t samples;
  bool learned;
  unsigned strikes[CT_MONITORS];
  double first[CT_MONITORS], first_sigma[CT_MONITORS];   /* in the beginning */
  struct ct_snapshot_monitors last;    /* as of the last sample */
};

void ct_monitors_init(struct ct_monitors *monitors, const struct ct_analysis_setup *setup, struct ct_spectra *spectra,
                      struct ct_compton *const *compton, const uint8_t *live);
void ct_monitors_fini(struct ct_monitors *monitors);
/* Other limits, and another beam. */
void ct_monitors_change(struct ct_monitors *monitors, const struct ct_monitor_setup *setup, double e1_keV);
/* Learns anew. <pixels> here and below: ct_compton_counts of now. */
void ct_monitors_restart(struct ct_monitors *monitors, const struct ct_sums *pixels);
void ct_monitors_end_sample(struct ct_monitors *monitors, const struct ct_sums *pixels, bool ends_step);
/* As of the last sample; of the one in progress while there is none. */
void ct_monitors_draw(struct ct_monitors *monitors, const struct ct_sums *pixels, struct ct_snapshot_monitors *out);

#endif
