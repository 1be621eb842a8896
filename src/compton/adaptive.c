/* adaptive: cells of different size, as small as their errors allow. */
#include <comptop/compton.h>

#include <math.h>
#include <string.h>

/* Sums over the live pixels of a block; how many there are. */
static uint32_t block_sums(const struct ct_adaptive *a, uint32_t x0, uint32_t y0, uint32_t edge, struct ct_sums *sum)
{
  uint32_t n = 0;
  *sum = (struct ct_sums){ 0 };
  for (uint32_t y = y0; y < y0 + edge && y < a->rows; y++)
    for (uint32_t x = x0; x < x0 + edge && x < a->cols; x++) {
      size_t i = (size_t)y * a->cols + x;
      if (!a->live[i])
        continue;
      ct_sums_add(sum, &a->sums[i]);
      n++;
    }
  return n;
}

static bool is_good(const struct ct_adaptive *a, uint32_t x, uint32_t y, uint32_t edge)
{
  struct ct_sums sum;
  struct ct_emf emf;
  if (block_sums(a, x, y, edge, &sum) == 0)
    return true;                   /* nothing there to be known */
  ct_compton_emf(a->compton, &sum, &emf);
  return sum.L + sum.H >= a->min_counts && emf.sigma <= a->target_sigma;
}

static void divide_block(const struct ct_adaptive *a, uint32_t x, uint32_t y, uint32_t edge, uint8_t *edges)
{
  uint32_t half = edge / 2;
  bool split = edge > 1;
  for (uint32_t k = 0; split && k < 4; k++)
    split = is_good(a, x + k % 2 * half, y + k / 2 * half, half);
  if (split) {
    for (uint32_t k = 0; k < 4; k++)
      divide_block(a, x + k % 2 * half, y + k / 2 * half, half, edges);
    return;
  }
  for (uint32_t j = y; j < y + edge && j < a->rows; j++)
    for (uint32_t i = x; i < x + edge && i < a->cols; i++)
      edges[(size_t)j * a->cols + i] = (uint8_t)edge;
}

void ct_adaptive_edges(const struct ct_adaptive *a, uint8_t *edges)
{
  for (uint32_t y = 0; y < a->rows; y += CT_ADAPTIVE_MAX)
    for (uint32_t x = 0; x < a->cols; x += CT_ADAPTIVE_MAX)
      divide_block(a, x, y, CT_ADAPTIVE_MAX, edges);
}

uint32_t ct_adaptive_cell(const struct ct_adaptive *a, uint32_t x, uint32_t y, uint32_t edge, struct ct_sums *sum)
{
  return block_sums(a, x / edge * edge, y / edge * edge, edge, sum);
}
