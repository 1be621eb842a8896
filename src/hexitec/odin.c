/* The sharing rules of the open detector software, over an image of energies that is 0 wherever no hit is.
 *
 * Upstream scans the image row by row and looks at the whole window around each hit. Two facts make that cheap:
 * a pixel that is 0 stays 0, and of a hit and a neighbour that are both in the image when the first of them is scanned
 * only one is left afterwards. So when a hit is scanned everything before it in its window is 0 already, and only the
 * later half of the window can matter; and in that half a pixel without a hit changes nothing, so none is asked for.
 * Each cell carries the number of hits that went into it beside the energy: one addition of pairs sums both. */
#include "hexitec/internal.h"

#include <stdlib.h>

/* d columns of zeros end each row and serve as the left margin of the next; d rows of zeros lie below. Behind that is
 * a window of zeros for pixels that were emptied before their turn: their scan happens there and changes nothing. */
bool ct_image_init(struct ct_image *image, uint32_t rows, uint32_t cols, uint32_t reach)
{
  size_t stride = (size_t)cols + reach, below = reach * stride + 2 * reach + 1;

  image->reach = reach;
  image->stride = (uint32_t)stride;
  image->per_col = ((UINT64_C(1) << 40) + cols - 1) / cols;
  image->nowhere = (uint32_t)(rows * stride + below);
  image->cells = calloc(image->nowhere + below, sizeof *image->cells);
  return image->cells;
}

/* ---- one scan -------------------------------------------------------------------------------------------------- */
/* Addition: the running sum moves to each neighbour at least as large as itself and takes in the others. */
static inline void absorb(ct_cell *at, uint32_t first, uint32_t last, ct_cell *sum, ct_cell **holder)
{
  for (uint32_t i = first; i <= last; i++) {
    ct_cell next = at[i];

    *holder = next[0] >= (*sum)[0] ? &at[i] : *holder;
    *sum += next;
    at[i] = (ct_cell){ 0, 0 };
  }
}

static inline void add_one(ct_cell *at, uint32_t stride, uint32_t reach)
{
  ct_cell sum = *at, *holder = at;

  *at = (ct_cell){ 0, 0 };
  absorb(at, 1, reach, &sum, &holder);
  for (uint32_t row = 1; row <= reach; row++)
    absorb(at, row * stride - reach, row * stride + reach, &sum, &holder);
  *holder = sum;
}

/* Discrimination: a hit with company goes, with all of it. Returns the number of hits that went. */
static inline float empty(ct_cell *at, uint32_t first, uint32_t last)
{
  float hits = 0;

  for (uint32_t i = first; i <= last; i++) {
    hits += at[i][1];
    at[i] = (ct_cell){ 0, 0 };
  }
  return hits;
}

static inline float discard_one(ct_cell *at, uint32_t stride, uint32_t reach)
{
  float company = empty(at, 1, reach);

  for (uint32_t row = 1; row <= reach; row++)
    company += empty(at, row * stride - reach, row * stride + reach);
  if (company == 0)
    return 0;
  company += (*at)[1];
  *at = (ct_cell){ 0, 0 };
  return company;
}

static inline ct_cell *cell_or_nowhere(const struct ct_image *image, uint32_t pixel)
{
  uint32_t place = ct_image_place(image, pixel);
  return image->cells + (image->cells[place][0] > 0 ? place : image->nowhere);
}

/* ---- a frame --------------------------------------------------------------------------------------------------- */
void ct_image_add(struct ct_image *image, const uint32_t *pixel, uint32_t n)
{
  if (image->reach == 1)
    for (uint32_t i = 0; i < n; i++)
      add_one(cell_or_nowhere(image, pixel[i]), image->stride, 1);
  else
    for (uint32_t i = 0; i < n; i++)
      add_one(cell_or_nowhere(image, pixel[i]), image->stride, 2);
}

void ct_image_discard(struct ct_image *image, const uint32_t *pixel, uint32_t n, struct ct_hexitec_tally *tally)
{
  for (uint32_t i = 0; i < n; i++) {
    ct_cell *at = cell_or_nowhere(image, pixel[i]);
    float went = image->reach == 1 ? discard_one(at, image->stride, 1) : discard_one(at, image->stride, 2);

    tally->dbl += went == 2;
    tally->multiple += went > 2;
  }
}

uint32_t ct_image_take(struct ct_image *image, const uint32_t *place, uint32_t n, struct ct_event *events,
                       struct ct_hexitec_tally *tally)
{
  static const float of_one = 1, of_two = 2;
  struct { uint32_t energy_bits, hits_bits; } cell;   /* as whole numbers: comparing floats takes twice as long */
  uint32_t made = 0, single = 0, dbl = 0, one_bits, two_bits;

  memcpy(&one_bits, &of_one, sizeof one_bits);
  memcpy(&two_bits, &of_two, sizeof two_bits);
  for (uint32_t i = 0; i < n; i++) {
    memcpy(&cell, &image->cells[place[i]], sizeof cell);
    image->cells[place[i]] = (ct_cell){ 0, 0 };
    events[made].pixel = events[i].pixel;
    memcpy(&events[made].energy_keV, &cell.energy_bits, sizeof cell.energy_bits);
    made += cell.hits_bits != 0;
    single += cell.hits_bits == one_bits;
    dbl += cell.hits_bits == two_bits;
  }
  tally->single += single;
  tally->dbl += dbl;
  tally->multiple += made - single - dbl;
  return made;
}
