/* Draws what the spectra hold into a partial snapshot: totals, ROIs and the sections that are wanted. Internal to
 * pipeline. Ownership: ct_picture_init copies the setup's maps; one thread uses a picture. */
#ifndef PIPELINE_PICTURE_H
#define PIPELINE_PICTURE_H

#include <comptop/pipeline.h>

#include "aim.h"
#include "watch.h"

/* What is told beside the values, of the setup in force. */
struct ct_picture_numbers {
  double min_counts, e1_keV, theta_deg, window_s;
  double p_low, p_high, background_keV[2][2];
  uint32_t n_background;
};

struct ct_picture {
  struct ct_spectra *spectra;
  struct ct_compton *compton;
  struct ct_aim aim;
  struct ct_sums *sums;              /* [pixels] of the window, drawn anew each time */
  uint8_t *given, *live, *select;    /* [pixels]; live is what is given and not masked since; select is scratch */
  uint64_t *photons;                 /* [pixels] of the window; 0 where not live */
  float *scratch;                    /* [pixels] */
  struct ct_watch watch;
  uint8_t *roi_given[CT_SNAPSHOT_ROIS], *roi_select[CT_SNAPSHOT_ROIS];
  char roi_name[CT_SNAPSHOT_ROIS][CT_NAME];
  uint32_t n_rois, rows, cols, live_pixels;
  double frame_hz;
  struct ct_picture_numbers numbers;
};

int ct_picture_init(struct ct_picture *picture, const struct ct_analysis_setup *setup, struct ct_err *err) CT_MUST_CHECK;
void ct_picture_fini(struct ct_picture *picture);
/* Leaves out pixels with masked[] 1, beside those the setup leaves out: from the next picture on, past photons included. */
void ct_picture_mask(struct ct_picture *picture, const uint8_t *masked);
void ct_picture_numbers(struct ct_picture_numbers *numbers, const struct ct_analysis_setup *setup);
/* Which pixels the setup lets in: given[pixels]. */
void ct_picture_given(uint8_t *given, const struct ct_analysis_setup *setup, const struct ct_compton *compton);
/* Lets the monitors look where the picture's aim looks, after it has come from elsewhere. */
void ct_picture_aim(struct ct_picture *picture);
/* The largest snapshot ct_picture_draw makes. */
size_t ct_picture_bytes(const struct ct_picture *picture);
void ct_picture_draw(struct ct_picture *picture, struct ct_snapshot_builder *builder, const struct ct_wants_table *wants);
/* One map of those, from the sums of the last ct_picture_draw; none for hits, which faults.h draws. picture_maps.c. */
void ct_picture_draw_map(const struct ct_picture *picture, struct ct_snapshot_builder *builder, const struct ct_request *request);

#endif
