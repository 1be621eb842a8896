/* Snapshots the tests of report write: made here, small, one per kind of trouble. */
#ifndef TESTS_REPORT_SAMPLES_H
#define TESTS_REPORT_SAMPLES_H

#include <comptop/report.h>

enum sample { SAMPLE_NORMAL, SAMPLE_EMPTY, SAMPLE_NAN, SAMPLE_HUGE, SAMPLE_STRINGS, SAMPLE_COUNT };

/* A snapshot in memory that lives until the program ends; with the sections of all fields but slice. */
const struct ct_snapshot *make_sample(enum sample sample);

#endif
