/* A queue of 32-bit words in fixed memory that touches no more of it than the longest queue so far needed: chunks that
 * ran empty are used again first. A plain ring would walk through all of its memory whatever it holds.
 * Ownership: ct_fifo_init takes the memory, ct_fifo_free gives it back. */
#ifndef CT_SPECTRA_FIFO_H
#define CT_SPECTRA_FIFO_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { CT_FIFO_CHUNK = 4096 };                          /* words */
#define CT_FIFO_CHUNK_BYTES ((uint64_t)(CT_FIFO_CHUNK + 1) * 4) /* with its link */

struct ct_fifo {
  uint32_t *words, *next;      /* of a chunk: the one behind it, in the queue or in the free list */
  uint32_t free;               /* first free chunk, or none */
  uint32_t first, first_used;  /* oldest chunk, words already taken from it */
  uint32_t last, last_used;    /* newest chunk, words already put into it */
};

bool ct_fifo_init(struct ct_fifo *fifo, uint32_t chunks);   /* at least 1; false: no memory */
void ct_fifo_free(struct ct_fifo *fifo);
/* Whether there is room for <n> words, at most CT_FIFO_CHUNK; put them only then. */
bool ct_fifo_takes(const struct ct_fifo *fifo, uint32_t n);
void ct_fifo_put(struct ct_fifo *fifo, const uint32_t *words, uint32_t n);
/* The oldest words, as many as lie side by side; *n is 0 when the queue is empty. Drop at most that many at once. */
const uint32_t *ct_fifo_peek(const struct ct_fifo *fifo, uint32_t *n);
void ct_fifo_drop(struct ct_fifo *fifo, uint32_t n);

#endif
