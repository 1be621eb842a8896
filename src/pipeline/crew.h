/* The analysis workers of a HEXITEC stream: they share its frames, and what they make of them is the same, photon by
 * photon and in the same order, whatever their number. Internal to pipeline.
 * Ownership: the crew owns its threads and detectors; the spectra are its user's, who leaves them alone during
 * ct_crew_analyse. All functions are called by one thread. */
#ifndef PIPELINE_CREW_H
#define PIPELINE_CREW_H

#include <comptop/hexitec.h>
#include <comptop/spectra.h>

#include "lot.h"

struct ct_crew;
/* <workers> of them, at least 1, the caller of ct_crew_analyse being one. Errors of ct_hexitec_new; CT_ENOMEM (no
 * thread). */
int ct_crew_open(struct ct_crew **out, unsigned workers, const struct ct_hexitec_setup *setup,
                 struct ct_spectra *spectra, struct ct_err *err) CT_MUST_CHECK;
void ct_crew_close(struct ct_crew *crew);   /* NULL is fine */
/* Makes events of all frames of <n> lots, in the order of time, and adds them to the spectra; then everybody rests. */
void ct_crew_analyse(struct ct_crew *crew, const struct ct_lot *lots, size_t n);

/* Adds what has been seen of the detector's health to <sum>. */
void ct_crew_health(const struct ct_crew *crew, struct ct_health *sum);
bool ct_crew_has_calibration(const struct ct_crew *crew);
/* As ct_hexitec_dark_add of a whole batch, and ct_hexitec_dark_apply for all workers. */
void ct_crew_dark_add(struct ct_crew *crew, const struct ct_frame *frame);
uint64_t ct_crew_dark_apply(struct ct_crew *crew);

#endif
