/* Synthetic snapshots of a coin cell for the tests of view and ui-less pictures: fixed, from a seeded generator. */
#ifndef TESTS_VIEW_SAMPLES_H
#define TESTS_VIEW_SAMPLES_H

#include <comptop/view.h>

enum ct_sample { CT_SAMPLE_EMPTY, CT_SAMPLE_CELL, CT_SAMPLE_FAINT, CT_SAMPLE_ALARM, CT_SAMPLE_STALE, CT_SAMPLE_EXTREME,
                 CT_SAMPLE_NAN, CT_SAMPLE_COUNT };
extern const char *const ct_sample_names[CT_SAMPLE_COUNT];

/* A snapshot with every section <view> asks for at this size; <frame> varies the noise only. Valid until the next call. */
const struct ct_snapshot *ct_make_sample(enum ct_sample sample, const struct ct_view *view, int rows, int cols,
                                         unsigned frame);

#endif
