/* A small deterministic run for the tests of the archive. */
#ifndef TESTS_ARCHIVE_RUN_WRITER_H
#define TESTS_ARCHIVE_RUN_WRITER_H

#include <comptop/archive.h>

enum { RUN_ROWS = 80, RUN_COLS = 80, CAM_ROWS = 30, CAM_COLS = 40 };

/* Pixel <i> of frame <k>: noise over a pedestal, so that it packs as detector data does. */
uint16_t run_pixel(uint64_t k, size_t i);
struct ct_run_setup run_setup(const char *folder, const char *name, enum ct_codec codec);
/* Of EVENTS only pixels of RUN_LIMIT or more are kept, one in 97. */
enum { RUN_LIMIT = 2000 };
/* Frames first..first+n-1 of stream 0 (hexitec, in batches of <batch>) or 1 (camera, with angles and keys), through
 * chunks, ticks between them. Returns how many chunks failed. */
unsigned run_frames(struct ct_run *run, size_t stream, uint64_t first, uint64_t n, uint32_t batch, enum ct_codec codec,
                    int64_t *now_ns);
/* Scalars, an alarm, gaps, results. */
void run_extras(struct ct_run *run, int64_t now_ns);

#endif
