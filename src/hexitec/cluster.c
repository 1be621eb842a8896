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

static void join(struct ct_clusters *clusters, uint32_t a, uint32_t b)
{
  a = first_of(clusters->parent, a);
  b = first_of(clusters->parent, b);
  if (a == b)
    return;
  uint32_t first = a < b ? a : b, other = a < b ? b : a;
  clusters->parent[other] = first;
  clusters->size[first] += clusters->size[other];
  clusters->mate[first] = other;
}

void ct_clusters_join(struct ct_clusters *clusters, const uint32_t *pixel, uint32_t n, uint32_t cols)
{
  uint32_t above = 0;   /* the first hit not before the upper left neighbour of hit i; only moves forward */

  for (uint32_t i = 0; i < n; i++) {
    uint32_t here = pixel[i];

    clusters->parent[i] = i;
    clusters->size[i] = 1;
    clusters->mate[i] = i;
    if (i > 0 && pixel[i - 1] + 1 == here && here % cols != 0)
      join(clusters, i - 1, i);
    while (pixel[above] + cols + 1 < here)
      above++;
    for (uint32_t j = above; j < i && pixel[j] + cols <= here + 1; j++) {
      uint32_t step = here - pixel[j], col = here % cols;

      /* Indices run on over the edges of the sensor, neighbourhood does not. */
      if ((step == cols + 1 && col == 0) || (step + 1 == cols && col + 1 == cols))
        continue;
      join(clusters, j, i);
    }
  }
}
