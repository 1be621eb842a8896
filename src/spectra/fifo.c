#include "spectra/fifo.h"

#include <stdlib.h>
#include <string.h>

#define NONE UINT32_MAX

static uint32_t *word_at(const struct ct_fifo *fifo, uint32_t chunk, uint32_t i)
{
  return fifo->words + (size_t)chunk * CT_FIFO_CHUNK + i;
}

bool ct_fifo_init(struct ct_fifo *fifo, uint32_t chunks)
{
  *fifo = (struct ct_fifo){ .words = malloc((size_t)chunks * CT_FIFO_CHUNK * sizeof *fifo->words),
                            .next = malloc(chunks * sizeof *fifo->next) };
  if (!fifo->words || !fifo->next) {
    ct_fifo_free(fifo);
    return false;
  }
  for (uint32_t i = 0; i < chunks; i++)
    fifo->next[i] = i + 1 < chunks ? i + 1 : NONE;
  fifo->free = fifo->next[0];   /* chunk 0 is the queue */
  return true;
}

void ct_fifo_free(struct ct_fifo *fifo)
{
  free(fifo->words);
  free(fifo->next);
  *fifo = (struct ct_fifo){ 0 };
}

bool ct_fifo_takes(const struct ct_fifo *fifo, uint32_t n)
{
  return CT_FIFO_CHUNK - fifo->last_used >= n || fifo->free != NONE;
}

void ct_fifo_put(struct ct_fifo *fifo, const uint32_t *words, uint32_t n)
{
  uint32_t room = CT_FIFO_CHUNK - fifo->last_used, now = n < room ? n : room;

  memcpy(word_at(fifo, fifo->last, fifo->last_used), words, now * sizeof *words);
  fifo->last_used += now;
  if (now == n)
    return;
  uint32_t chunk = fifo->free;
  fifo->free = fifo->next[chunk];
  fifo->next[fifo->last] = chunk;
  fifo->last = chunk;
  fifo->last_used = n - now;
  memcpy(word_at(fifo, chunk, 0), words + now, (n - now) * sizeof *words);
}

const uint32_t *ct_fifo_peek(const struct ct_fifo *fifo, uint32_t *n)
{
  *n = (fifo->first == fifo->last ? fifo->last_used : CT_FIFO_CHUNK) - fifo->first_used;
  return word_at(fifo, fifo->first, fifo->first_used);
}

void ct_fifo_drop(struct ct_fifo *fifo, uint32_t n)
{
  fifo->first_used += n;
  if (fifo->first == fifo->last) {
    if (fifo->first_used == fifo->last_used)
      fifo->first_used = fifo->last_used = 0;
  } else if (fifo->first_used == CT_FIFO_CHUNK) {
    uint32_t chunk = fifo->first;

    fifo->first = fifo->next[chunk];
    fifo->first_used = 0;
    fifo->next[chunk] = fifo->free;
    fifo->free = chunk;
  }
}
