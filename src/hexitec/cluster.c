/* Clusters of 8-connected hits, from the hit list alone: no label image to clear, nothing per pixel. */
#include "hexitec/internal.h"

static uint32_t first_of(uint32_t *parent, uint32_t i)
{
  while (parent[i] != i) {
    parent[i] = parent[parent[i]];   /* halving keeps chains short for the next one */
    i = parent[i];
  }
  return i;
}

/* Returns the number of clusters that this makes less: 1 or 0. */
static uint32_t join(uint32_t *parent, uint32_t a, uint32_t b)
{
  a = first_of(parent, a);
  b = first_of(parent, b);
  if (a < b)
    parent[b] = a;
  else
    parent[a] = b;
  return a != b;
}

uint32_t ct_clusters_count(uint32_t *parent, const uint32_t *pixel, uint32_t n, uint32_t cols)
{
  uint32_t above = 0;   /* the first hit not before the upper left neighbour of hit i; only moves forward */
  uint32_t clusters = n;

  for (uint32_t i = 0; i < n; i++) {
    uint32_t here = pixel[i], col = here % cols;

    parent[i] = i;
    if (i > 0 && pixel[i - 1] + 1 == here && col != 0)
      clusters -= join(parent, i - 1, i);
    while (pixel[above] + cols + 1 < here)
      above++;
    for (uint32_t j = above; j < i && pixel[j] + cols <= here + 1; j++) {
      uint32_t step = here - pixel[j];

      /* Indices run on over the edges of the sensor, neighbourhood does not. */
      if ((step == cols + 1 && col == 0) || (step + 1 == cols && col + 1 == cols))
        continue;
      clusters -= join(parent, j, i);
    }
  }
  return clusters;
}
