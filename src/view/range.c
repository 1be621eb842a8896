/* range: which values the colours of a map span, and how they are spread between its ends. */
#include "view/heatmap.h"

#include <math.h>

#include "view/words.h"

bool ct_range_signed(enum ct_quantity quantity, bool difference)
{
  return quantity == CT_SHOW_DRIFT || (difference && quantity != CT_SHOW_SIGMA);
}

enum { BINS = 512 };

/* The values below which 1 and 99 % of the coloured cells lie, by histogram, once coarse and once within the result. */
static bool percentiles(const float *value, const int8_t *level, size_t n, double *low, double *high)
{
  double from = (double)INFINITY, to = -(double)INFINITY;
  for (size_t i = 0; i < n; i++)
    if (level[i] >= 0) {
      from = fmin(from, (double)value[i]);
      to = fmax(to, (double)value[i]);
    }
  if (!(from <= to))
    return false;
  for (int pass = 0; pass < 2 && to > from; pass++) {
    size_t counts[BINS] = { 0 }, all = 0, below = 0;
    double width = (to - from) / BINS;
    for (size_t i = 0; i < n; i++)
      if (level[i] >= 0) {
        double at = ((double)value[i] - from) / width;
        counts[at < 0 ? 0 : at >= BINS ? BINS - 1 : (size_t)at]++;
        all++;
      }
    size_t first = 0, last = BINS - 1;
    for (below = counts[0]; first < BINS - 1 && below * 100 < all; below += counts[++first])
      ;
    for (below = counts[BINS - 1]; last > first && below * 100 < all; below += counts[--last])
      ;
    to = from + ((double)last + 1) * width;
    from += (double)first * width;
  }
  *low = from;
  *high = to;
  return true;
}

/* Ends of the colour bar: round numbers around the middle 98 %, at least six times the noise apart, so that noise alone
 * never looks like structure. The old ends stay while they still suit: a bar that moves repaints the whole map. */
static void set_range(struct ct_view_memory *memory, const struct ct_view_range *shared, double noise)
{
  double low, high;
  size_t n = (size_t)memory->rows * memory->cols;
  if (!percentiles(memory->value, memory->level, n, &low, &high))
    low = 0, high = 1;
  double least = fmax(6 * noise, 1e-6 * fmax(fabs(low), fabs(high)));
  if (!(high - low > least)) {
    double middle = (low + high) / 2, span = least > 0 ? least : 1;
    low = middle - span / 2;
    high = middle + span / 2;
  }
  if (ct_range_signed(memory->quantity, memory->difference)) {
    bool errors = memory->quantity == CT_SHOW_DRIFT || memory->quantity == CT_SHOW_SIGNIFICANCE;
    high = fmax(fmax(fabs(low), fabs(high)), errors ? 4 : least / 2);     /* nothing below is worth a colour of its own */
    low = -high;
  } else if (memory->quantity == CT_SHOW_EMF)
    low -= 0.15 * (high - low);    /* the darkest levels are hard to tell from a dark terminal */
  else if (memory->quantity != CT_SHOW_LITHIUM)
    low = 0;                       /* an error, a count, an intensity reads from zero */
  if (shared != NULL) {
    low = fmin(low, shared->low);
    high = fmax(high, shared->high);
  }
  double span = high - low, old = memory->high - memory->low, slack = 0.06 * old;
  if (old > 0 && low >= memory->low - slack && high <= memory->high + slack && old <= 1.8 * span)
    return;
  double step = ct_round_step(span / 16);
  memory->low = floor(low / step) * step;
  memory->high = ceil(high / step) * step;
}

void ct_range_update(struct ct_view *view, double noise)
{
  struct ct_view_memory *memory = &view->memory;
  struct ct_view_range *range = &view->range[memory->quantity][memory->difference];
  if (range->policy == CT_RANGE_LOCKED) {
    memory->low = range->low;
    memory->high = range->high;
    return;
  }
  set_range(memory, range->policy == CT_RANGE_SHARED ? range : NULL, noise);
  if (range->policy == CT_RANGE_SHARED) {
    range->low = memory->low;
    range->high = memory->high;
  }
}

/* Where a logarithm begins: three decades below the end where the range reaches zero. */
static double log_from(const struct ct_view_memory *memory)
{
  return memory->low > 0 ? memory->low : memory->high / 1000;
}

static enum ct_map_scale scale_of(const struct ct_view_memory *memory)
{
  return memory->high > 0 ? memory->scale : CT_SCALE_LINEAR;
}

double ct_range_fraction(const struct ct_view_memory *memory, double value)
{
  double low = memory->low, high = memory->high;
  if (scale_of(memory) == CT_SCALE_SQRT) {
    low = sqrt(fmax(low, 0));
    return (sqrt(fmax(value, 0)) - low) / (sqrt(high) - low);
  }
  if (scale_of(memory) == CT_SCALE_LOG) {
    low = log_from(memory);
    return log(fmax(value, low) / low) / log(high / low);
  }
  return (value - low) / (high - low);
}

double ct_range_value(const struct ct_view_memory *memory, double fraction)
{
  double low = memory->low, high = memory->high;
  if (scale_of(memory) == CT_SCALE_SQRT) {
    low = sqrt(fmax(low, 0));
    double root = low + fraction * (sqrt(high) - low);
    return root * root;
  }
  if (scale_of(memory) == CT_SCALE_LOG)
    return log_from(memory) * pow(high / log_from(memory), fraction);
  return low + fraction * (high - low);
}

int8_t ct_range_level(const struct ct_view_memory *memory, double value, int old)
{
  double at = ct_range_fraction(memory, value) * CT_LEVELS;
  at = at < 0 ? 0 : at > CT_LEVELS - 0.001 ? CT_LEVELS - 0.001 : at;
  return (int8_t)(old >= 0 && fabs(at - (old + 0.5)) <= 1 ? old : (int)at);
}
