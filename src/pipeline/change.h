/* Another way to look at the spectra of a running analysis: made by the monitor's thread, where it may fail and take its time,
 * put in place by the analysis. Internal to pipeline.
 * Ownership: a change owns all it holds; once applied it holds what was in place before. */
#ifndef PIPELINE_CHANGE_H
#define PIPELINE_CHANGE_H

#include "picture.h"

struct ct_change_order;
/* Errors of ct_compton_new and of what is set in it. */
int ct_change_order_new(struct ct_change_order **out, const struct ct_analysis_setup *setup, struct ct_err *err) CT_MUST_CHECK;
/* Gives it another window for the spectra, made by ct_spectra_new. */
void ct_change_order_window(struct ct_change_order *order, struct ct_spectra *fresh);
/* Takes over what <other>, which was never applied, was to do besides, and frees it. */
void ct_change_order_merge(struct ct_change_order *order, struct ct_change_order *other);
/* Photons stay as they are. <masked>: as of ct_picture_mask. */
void ct_change_order_apply(struct ct_change_order *order, struct ct_picture *picture, const uint8_t *masked);
void ct_change_order_free(struct ct_change_order *order);   /* NULL is fine */

#endif
