/* Hands spectra from the analysis to the archive: one cube at a time, whoever has it owns it. Internal to pipeline.
 * Ownership: the box owns its cubes; put and take lend nothing, they pass the delta cube from one thread to the other. */
#ifndef PIPELINE_BOX_H
#define PIPELINE_BOX_H

#include <stdatomic.h>

#include <comptop/core.h>

struct ct_spectra_box {
  size_t cells;
  uint32_t *delta;             /* the analysis's while empty, the writer's while full */
  uint32_t *before;            /* the analysis's: the cube at the last put */
  _Atomic bool full;           /* release by whoever passes the delta on, acquire by the other */
};

void ct_spectra_box_init(struct ct_spectra_box *box, size_t cells);
void ct_spectra_box_fini(struct ct_spectra_box *box);
/* Analysis: puts what <total> grew by since the last put; false when the last one has not been taken yet. */
bool ct_spectra_box_put(struct ct_spectra_box *box, const uint32_t *total);
/* Writer: the delta, or NULL while there is none. */
const uint32_t *ct_spectra_box_take(struct ct_spectra_box *box);
void ct_spectra_box_give_back(struct ct_spectra_box *box);

#endif
