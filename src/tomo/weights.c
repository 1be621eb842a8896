#include "tomo/internal.h"

#include <assert.h>
#include <math.h>
#include <string.h>

/* A gap as many times wider than the typical one is no lost projection, but a part of the turn that did not come yet. */
#define OPEN_GAP 8.0
/* And one as many times wider cannot be called covered, filled or not. */
#define WIDE_GAP 2.7

static double folded(const struct ct_tomo *t, uint32_t slot)
{
  double range = t->setup.rotation_deg, angle = fmod(t->projection[slot].angle_deg, range);
  if (angle < 0) angle += range;
  return angle < range ? angle : 0;
}

void ct_order_insert(struct ct_tomo *t, uint32_t slot)
{
  double angle = folded(t, slot);
  uint32_t from = 0, to = t->n;

  while (from < to) {
    uint32_t middle = from + (to - from) / 2;
    if (t->order_deg[middle] <= angle) from = middle + 1;
    else to = middle;
  }
  memmove(t->order + from + 1, t->order + from, (t->n - from) * sizeof *t->order);
  memmove(t->order_deg + from + 1, t->order_deg + from, (t->n - from) * sizeof *t->order_deg);
  t->order[from] = slot;
  t->order_deg[from] = angle;
  t->n++;
}

void ct_order_remove(struct ct_tomo *t, uint32_t slot)
{
  uint32_t i = 0;
  while (i < t->n && t->order[i] != slot) i++;
  assert(i < t->n);
  t->n--;
  memmove(t->order + i, t->order + i + 1, (t->n - i) * sizeof *t->order);
  memmove(t->order_deg + i, t->order_deg + i + 1, (t->n - i) * sizeof *t->order_deg);
}

static double gap_after(const struct ct_tomo *t, uint32_t i)
{
  return i + 1 < t->n ? t->order_deg[i + 1] - t->order_deg[i] : t->order_deg[0] + t->setup.rotation_deg - t->order_deg[i];
}

void ct_order_weigh(struct ct_tomo *t)
{
  double range = t->setup.rotation_deg, widest = 0, squares = 0;

  for (uint32_t i = 0; i < t->n; i++) {
    double gap = gap_after(t, i);
    squares += gap * gap;
    widest = fmax(widest, gap);
  }
  /* The gap that an angle lies in, on average, which is small only where projections are; the widest one is left out. */
  double typical = range > widest ? fmax(squares - widest * widest, 0) / (range - widest) : 0;
  double limit = typical > 0 ? OPEN_GAP * typical : range;
  double before = t->n ? gap_after(t, t->n - 1) : 0;

  t->covered_deg = 0;
  for (uint32_t i = 0; i < t->n; i++) {
    double after = gap_after(t, i);
    t->covered_deg += after > WIDE_GAP * typical ? typical : after;
    double share = (before > limit ? typical : before) + (after > limit ? typical : after);
    t->projection[t->order[i]].weight_rad = share / 2 * CT_PI / 180;
    before = after;
  }
}
