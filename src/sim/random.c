#include "sim/random.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>

/* Box and Muller 1958. */
double ct_random_normal(struct ct_random *r)
{
  double radius = sqrt(-2 * log(1 - ct_random_unit(r)));
  return radius * cos(6.283185307179586 * ct_random_unit(r));
}

void ct_alias_fill(struct ct_alias_cell *cells, const double *weights, uint32_t n, struct ct_alias_scratch *scratch)
{
  double sum = 0;
  for (uint32_t i = 0; i < n; i++) sum += weights[i];
  assert(n > 0 && sum > 0);
  /* One array holds both work lists: the small grow from the front, the large from the back. */
  uint32_t small = 0, large = n;
  for (uint32_t i = 0; i < n; i++) {
    scratch[i].p = weights[i] / sum * n;
    cells[i] = (struct ct_alias_cell){ UINT32_MAX, i };
    if (scratch[i].p < 1) scratch[small++].stack = i;
    else scratch[--large].stack = i;
  }
  while (small > 0 && large < n) {
    uint32_t few = scratch[--small].stack, many = scratch[large].stack;
    cells[few] = (struct ct_alias_cell){ (uint32_t)(scratch[few].p * 0x1p32), many };
    scratch[many].p -= 1 - scratch[few].p;
    if (scratch[many].p < 1) {
      large++;
      scratch[small++].stack = many;
    }
  }
}

int ct_alias_new(struct ct_alias *alias, const double *weights, uint32_t n)
{
  struct ct_alias_scratch *scratch = calloc(n, sizeof *scratch);
  alias->cells = calloc(n, sizeof *alias->cells);
  alias->n = n;
  if (scratch && alias->cells) ct_alias_fill(alias->cells, weights, n, scratch);
  int rc = scratch && alias->cells ? 0 : CT_ENOMEM;
  free(scratch);
  if (rc) ct_alias_free(alias);
  return rc;
}

void ct_alias_free(struct ct_alias *alias)
{
  free(alias->cells);
  alias->cells = NULL;
  alias->n = 0;
}
