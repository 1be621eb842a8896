/* What is wrong with the detector, and the pixels left out because of it. Internal to pipeline.
 * Ownership: ct_faults_init copies what it is given; one thread uses a struct ct_faults. */
#ifndef PIPELINE_FAULTS_H
#define PIPELINE_FAULTS_H

#include <comptop/hexitec.h>
#include <comptop/snapshot.h>

struct ct_faults {
  struct ct_health *health;          /* the sum of all workers', for whoever judges next to fill */
  struct ct_health_report report;
  uint32_t rows, cols;
  double frame_hz;
  uint8_t *given;                    /* [pixels] 1: analysed if nothing is wrong with it, 0: masked by a file, or dead */
  uint8_t *state;                    /* [pixels] enum ct_pixel_state, verdicts */
  uint8_t *masked;                   /* [pixels] 1: left out because it was found hot or dead */
  uint32_t n_masked;
  bool automatic;                    /* what is found is masked at once */
  uint64_t generation;               /* counts the changes of masked[] */
};

int ct_faults_init(struct ct_faults *faults, uint32_t rows, uint32_t cols, const uint8_t *given, double frame_hz,
                   bool automatic, struct ct_err *err) CT_MUST_CHECK;
void ct_faults_fini(struct ct_faults *faults);
/* Judges what has been merged into faults->health, and masks what is found where that is automatic; true: masked[] has
 * changed. */
bool ct_faults_judge(struct ct_faults *faults);
/* Masks what is listed now, or lets all masked pixels in again (and is no longer automatic); true: masked[] has changed. */
bool ct_faults_mask(struct ct_faults *faults, bool on);
/* Fills <out>; xcs has the clusters of the window. */
void ct_faults_draw(const struct ct_faults *faults, const struct ct_snapshot_xcs *xcs, struct ct_snapshot_health *out);
/* Adds the map of hits that <request> is, of all pixels that are analysed. */
void ct_faults_draw_hits(const struct ct_faults *faults, struct ct_snapshot_builder *builder, const struct ct_request *request);

#endif
