/* Samples and scans: cuts the run into disjoint pieces as its frames come by and follows EMF from piece to piece.
 * Internal to pipeline. Ownership: ct_watch_init copies the setup's maps; spectra and compton stay the picture's; the
 * analysis thread alone uses a watch. */
#ifndef PIPELINE_WATCH_H
#define PIPELINE_WATCH_H

#include <comptop/pipeline.h>

#include "monitors.h"

struct ct_watch {
  struct ct_watch_setup setup;
  struct ct_spectra *spectra;
  struct ct_compton *const *compton;  /* the picture's, which may come to another geometry */
  uint32_t rows, cols;
  const uint8_t *live;                /* [pixels] */
  const uint8_t *const *rois;         /* [n_rois][pixels] */
  uint32_t n_rois;
  double frame_hz;

  /* [pixels], of ct_compton_counts: since start, and what it was when the sample and the scan began. */
  struct ct_sums *now, *sample_base, *scan_base;
  uint64_t scan_base_frames;
  struct ct_drift total, roi[CT_SNAPSHOT_ROIS], *cells;
  struct ct_sums *cell_sums;          /* [cells] scratch */
  uint32_t cell_rows, cell_cols;
  uint32_t samples;                   /* since the last step of the CUSUM */
  bool map_alarm;
  struct ct_monitors monitors;

  /* Time is arrival plus shift, which grows when the clock is set back. */
  bool started, after_xct, trigger_counts_frames;
  int64_t shift_ns, latest_ns, sample_ns, scan_ns;
  uint64_t scan, trigger;
  bool has_trigger, has_z;
  double z_mm;
};

void ct_watch_init(struct ct_watch *watch, const struct ct_analysis_setup *setup, struct ct_spectra *spectra,
                   struct ct_compton *const *compton, const uint8_t *live, const uint8_t *const *rois);
void ct_watch_fini(struct ct_watch *watch);

/* Other limits, and another beam. True where samples of before do not compare any more: ct_watch_restart is owed. */
bool ct_watch_change(struct ct_watch *watch, const struct ct_watch_setup *setup, double e1_keV) CT_MUST_CHECK;
/* After the mask has changed: samples of before do not compare any more. */
void ct_watch_restart(struct ct_watch *watch);
/* After the analysis has taken another geometry: nor does what the scan brought. */
void ct_watch_aimed(struct ct_watch *watch);

/* Whether a sample or a scan ends before this frame of the analysis. */
bool ct_watch_due(const struct ct_watch *watch, const struct ct_frame *frame);
/* For every frame that is analysed, in order; where one is due the spectra hold all frames before it and none after. */
void ct_watch_take(struct ct_watch *watch, const struct ct_frame *frame);
/* For a frame that is not analysed. */
void ct_watch_other(struct ct_watch *watch, const struct ct_frame *frame);

/* What follows from samples, scans and the whole run, into the core; <core> has the window's EMFs. */
void ct_watch_draw(struct ct_watch *watch, struct ct_snapshot_core *core);
/* The trend of the cell that pixel (x, y) is in. */
void ct_watch_cell(const struct ct_watch *watch, uint32_t x, uint32_t y, struct ct_change *out);

#endif
