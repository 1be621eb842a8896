/* See box.h. */
#include "box.h"

#include <stdlib.h>
#include <string.h>

void ct_spectra_box_init(struct ct_spectra_box *box, size_t cells)
{
  memset(box, 0, sizeof *box);
  box->cells = cells;
  box->delta = ct_xcalloc(cells, sizeof *box->delta);
  box->before = ct_xcalloc(cells, sizeof *box->before);
}

void ct_spectra_box_fini(struct ct_spectra_box *box)
{
  free(box->delta);
  free(box->before);
}

bool ct_spectra_box_put(struct ct_spectra_box *box, const uint32_t *total)
{
  if (atomic_load_explicit(&box->full, memory_order_acquire))
    return false;
  for (size_t i = 0; i < box->cells; i++) {
    box->delta[i] = total[i] - box->before[i];
    box->before[i] = total[i];
  }
  atomic_store_explicit(&box->full, true, memory_order_release);
  return true;
}

const uint32_t *ct_spectra_box_take(struct ct_spectra_box *box)
{
  return atomic_load_explicit(&box->full, memory_order_acquire) ? box->delta : NULL;
}

void ct_spectra_box_give_back(struct ct_spectra_box *box)
{
  atomic_store_explicit(&box->full, false, memory_order_release);
}
