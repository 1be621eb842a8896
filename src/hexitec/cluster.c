/* Clusters of 8-connected hits, from the hit list alone: no label image to clear, nothing per pixel. What is joined is
 * not hits but runs of them along a row, so a frame in which everything is hit has no more to join than one with few. */
#include "hexitec/internal.h"

static uint32_t first_of(struct ct_run *runs, uint32_t i)
{
  while (runs[i].parent != i) {
    runs[i].parent = runs[runs[i].parent].parent;   /* halving keeps chains short for the next one */
    i = runs[i].parent;
  }
  return i;
}

/* Returns the number of clusters that this makes less: 1 or 0. */
static uint32_t join(struct ct_run *runs, uint32_t a, uint32_t b)
{
  a = first_of(runs, a);
  b = first_of(runs, b);
  if (a < b)
    runs[b].parent = a;
  else
    runs[a].parent = b;
  return a != b;
}

static uint32_t find_runs(struct ct_run *runs, const uint32_t *pixel, uint32_t n, uint32_t cols)
{
  uint32_t made = 0, row_end = 0;   /* the pixel behind the row of the last run */

  for (uint32_t i = 0; i < n; i++) {
    if (made > 0 && pixel[i] == runs[made - 1].last + 1 && pixel[i] != row_end) {
      runs[made - 1].last = pixel[i];
      continue;
    }
    uint32_t row = pixel[i] / cols;
    row_end = (row + 1) * cols;
    runs[made] = (struct ct_run){ .first = pixel[i], .last = pixel[i], .row = row, .parent = made };
    made++;
  }
  return made;
}

uint32_t ct_clusters_count(struct ct_run *runs, const uint32_t *pixel, uint32_t n, uint32_t cols)
{
  uint32_t n_runs = find_runs(runs, pixel, n, cols), clusters = n_runs;
  uint32_t above = 0;   /* the first run that reaches to the upper left of run i, or comes later; only moves forward */

  for (uint32_t i = 0; i < n_runs; i++) {
    while (runs[above].last + cols + 1 < runs[i].first)
      above++;
    for (uint32_t j = above; j < i && runs[j].first + cols <= runs[i].last + 1; j++)
      if (runs[j].row + 1 == runs[i].row)   /* numbers run on over the edges of the sensor, neighbourhood does not */
        clusters -= join(runs, j, i);
  }
  return clusters;
}
