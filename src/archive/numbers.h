/* The numbers of a stream's frames, in the order in which they were received, and those that are not among them. Its owner
 * gives it back with ct_numbers_free(). */
#ifndef ARCHIVE_NUMBERS_H
#define ARCHIVE_NUMBERS_H

#include "archive/folder.h"

/* Ascending numbers without a gap. */
struct ct_number_span {
  uint64_t first, last;
  int64_t arrival_ns;                  /* of the first */
  unsigned file;                       /* all are out of it; or they are not there, but listed as gone */
};
enum { CT_NUMBERS_LISTED = 1000000 };     /* above every number of a file */

struct ct_numbers {                    /* { 0 } is an empty one */
  struct ct_number_span *spans;
  size_t n, room;
  uint64_t reach;                      /* the highest */
};

/* Whether the source began to count anew with this frame (comptop-streams(7)): gaps are looked for within one count only,
 * so the holes before it are asked for, and the numbers cleared, before it is added. */
bool ct_numbers_restart(const struct ct_numbers *numbers, uint64_t number, bool late);
void ct_numbers_add(struct ct_numbers *numbers, uint64_t number, int64_t arrival_ns, unsigned file);
/* Each run of numbers that are neither there nor among the <gaps> of <stream>, between those that are there. <before> and
 * <after> are the span before it and the next one that is there. */
typedef void ct_hole_fn(void *context, uint64_t first, uint64_t last, const struct ct_number_span *before,
                        const struct ct_number_span *after);
/* Sorts the numbers: no more may be added before they are cleared. */
void ct_numbers_holes(struct ct_numbers *numbers, const char *stream, const struct ct_listed *gaps, size_t n_gaps,
                      ct_hole_fn *each, void *context);
void ct_numbers_clear(struct ct_numbers *numbers);
void ct_numbers_free(struct ct_numbers *numbers);

#endif
