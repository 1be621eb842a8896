/* Setting up a detector: maps checked, copied and folded; everything a frame needs allocated here. */
#include "hexitec/internal.h"

#include <float.h>
#include <math.h>
#include <stdlib.h>

const char *ct_sharing_word(enum ct_sharing sharing)
{
  static const char *const word[] = {
#define X(name, text) text,
    CT_SHARINGS(X)
#undef X
  };
  return (unsigned)sharing < CT_SHARING_COUNT ? word[sharing] : "?";
}

void ct_hexitec_tally_add(struct ct_hexitec_tally *sum, const struct ct_hexitec_tally *delta)
{
  sum->frames += delta->frames;
  sum->hits += delta->hits;
  sum->single += delta->single;
  sum->dbl += delta->dbl;
  sum->multiple += delta->multiple;
  sum->next_frame += delta->next_frame;
  sum->saturated += delta->saturated;
  sum->no_energy += delta->no_energy;
}

bool ct_hexitec_takes(enum ct_type type)
{
  return type == CT_U16 || type == CT_F32;
}

bool ct_hexitec_has_calibration(const struct ct_hexitec *h)
{
  return h->calibrated;
}

/* ---- checks ---------------------------------------------------------------------------------------------------- */
static int check_map(const double *map, const char *name, uint32_t pixels, struct ct_err *err)
{
  for (uint32_t p = 0; map && p < pixels; p++)
    if (!(fabs(map[p]) <= (double)FLT_MAX))
      return ct_err_set(err, CT_ERANGE, "hexitec.%s: the value of pixel %u is not a finite number a float can hold; "
                        "a dead pixel has gradient 0", name, (unsigned)p);
  return 0;
}

static int check(const struct ct_hexitec_setup *setup, struct ct_err *err)
{
  uint64_t pixels = (uint64_t)setup->rows * setup->cols;

  if (pixels == 0 || pixels > CT_HEXITEC_PIXELS_MAX)
    return ct_err_set(err, CT_ECONFIG, "hexitec.rows and hexitec.cols: a sensor of %u x %u pixels; from 1 to %d pixels "
                      "are possible", (unsigned)setup->rows, (unsigned)setup->cols, CT_HEXITEC_PIXELS_MAX);
  if (setup->asic_order && setup->cols % CT_HEXITEC_BLOCK_COLS != 0)
    return ct_err_set(err, CT_ECONFIG, "hexitec.readout = asic: rows of %u pixels are not made of modules of %d; "
                      "use readout = geometric or correct hexitec.cols", (unsigned)setup->cols, CT_HEXITEC_BLOCK_COLS);
  if (!setup->gradient_keV != !setup->intercept_keV)
    return ct_err_set(err, CT_ECONFIG, "hexitec.gradients and hexitec.intercepts: one of the two is missing; give both "
                      "or none");
  if (!(fabs(setup->threshold_keV) <= (double)FLT_MAX))
    return ct_err_set(err, CT_ERANGE, "hexitec.threshold_keV: not a finite number");
  int rc = check_map(setup->gradient_keV, "gradients", (uint32_t)pixels, err);
  return rc ? rc : check_map(setup->intercept_keV, "intercepts", (uint32_t)pixels, err);
}

/* ---- copies ---------------------------------------------------------------------------------------------------- */
/* All masks with their margins side by side; see struct ct_grid. */
static bool allocate_masks(struct ct_hexitec *h)
{
  uint64_t **const masks[] = {
    &h->raw_hits, &h->last_hits, &h->first, &h->pair, &h->larger, &h->grid.has_west, &h->grid.has_east,
    &h->grid.scratch[0], &h->grid.scratch[1], &h->grid.scratch[2],
  };
  const size_t named = sizeof masks / sizeof *masks, margin = h->cols / 32 + 2, words = h->grid.words;

  h->mask_memory = calloc((named + CT_HEXITEC_BLOCK) * (words + margin) + margin, sizeof *h->mask_memory);
  if (!h->mask_memory)
    return false;
  for (size_t i = 0; i < named + CT_HEXITEC_BLOCK; i++)
    *(i < named ? masks[i] : &h->hits[i - named]) = h->mask_memory + margin + i * (words + margin);
  return true;
}

static bool allocate(struct ct_hexitec *h)
{
  size_t n = h->pixels, words = h->words;
  bool ok = allocate_masks(h);

#define TAKE(pointer, count) ok = ((pointer) = calloc((count), sizeof *(pointer))) != NULL && ok
  TAKE(h->pixel, n);
  TAKE(h->threshold_ADU, n);
  TAKE(h->limit_ADU, words * 64);
  TAKE(h->live, words);
  TAKE(h->alive, words);
  TAKE(h->host, n * sizeof(float));
  TAKE(h->list, n + CT_LIST_SLACK);
  TAKE(h->list_larger, n + CT_LIST_SLACK);
  TAKE(h->runs, n);
  TAKE(h->dark_sum, n);
  TAKE(h->place, n);
  if (ct_sharing_is_odin(h->sharing))
    ok = ct_image_init(&h->image, h->rows, h->cols, h->grid.reach) && ok;
#undef TAKE
  return ok;
}

static void set_bit(uint64_t *mask, uint32_t i)
{
  mask[i / 64] |= UINT64_C(1) << i % 64;
}

static void draw_grid(struct ct_hexitec *h)
{
  for (uint32_t p = 0; p < h->pixels; p++) {
    if (h->pixel[p].gradient_keV != 0)
      set_bit(h->alive, p);
    if (p % h->cols != 0)
      set_bit(h->grid.has_west, p);
    if ((p + 1) % h->cols != 0)
      set_bit(h->grid.has_east, p);
  }
}

/* The largest float not above: a float is above the one exactly where it is above the other. */
static float float_not_above(double value)
{
  float f = (float)value;
  return (double)f > value ? nextafterf(f, -INFINITY) : f;
}

/* The place in the ASIC's order of a pixel: rows are whole blocks of 80, and blocks stay where they are. */
static int16_t asic_step(uint32_t pixel)
{
  int col = (int)(pixel % CT_HEXITEC_BLOCK_COLS);
  return (int16_t)(col % 20 * 4 + col / 20 - col);
}

static void copy_maps(struct ct_hexitec *h, const struct ct_hexitec_setup *setup)
{
  if (setup->threshold_ADU)
    memcpy(h->threshold_ADU, setup->threshold_ADU, h->pixels * sizeof *h->threshold_ADU);
  for (uint32_t p = 0; p < h->pixels; p++) {
    h->pixel[p] = (struct ct_pixel){
      .gradient_keV = setup->gradient_keV ? (float)setup->gradient_keV[p] : 1,
      .intercept_keV = setup->intercept_keV ? (float)setup->intercept_keV[p] : 0,
      .dark_ADU = setup->dark_ADU ? setup->dark_ADU[p] : 0,
      .raw_step = setup->asic_order ? asic_step(p) : 0,
    };
  }
}

void ct_hexitec_fold(struct ct_hexitec *h)
{
  memset(h->live, 0, h->words * sizeof *h->live);
  for (uint32_t p = 0; p < h->pixels; p++) {
    const struct ct_pixel *pixel = &h->pixel[p];
    uint32_t raw = ct_hexitec_raw(h, p), threshold_ADU = h->threshold_ADU[p];

    if (pixel->gradient_keV == 0)
      continue;
    if (threshold_ADU == 0 && ct_sharing_is_odin(h->sharing))
      threshold_ADU = 1;
    uint32_t limit_ADU = pixel->dark_ADU + threshold_ADU;
    if (limit_ADU > UINT16_MAX)
      continue;
    h->limit_ADU[raw] = (uint16_t)limit_ADU;
    set_bit(h->live, raw);
  }
}

void ct_hexitec_limits(const struct ct_hexitec *h, uint16_t *least_ADU, float *above_keV)
{
  for (uint32_t p = 0; p < h->pixels; p++) {
    const uint32_t least = (uint32_t)h->pixel[p].dark_ADU + h->threshold_ADU[p];
    least_ADU[ct_hexitec_raw(h, p)] = least < UINT16_MAX ? (uint16_t)least : UINT16_MAX;
  }
  *above_keV = h->threshold_keV;
}

int ct_hexitec_new(struct ct_hexitec **out, const struct ct_hexitec_setup *setup, struct ct_err *err)
{
  struct ct_hexitec *h;

  *out = NULL;
  int rc = check(setup, err);
  if (rc < 0)
    return rc;
  h = calloc(1, sizeof *h);
  if (!h)
    return ct_err_set(err, CT_ENOMEM, "hexitec: no memory");
  h->rows = setup->rows;
  h->cols = setup->cols;
  h->pixels = setup->rows * setup->cols;
  h->words = (h->pixels + 63) / 64;
  h->sharing = setup->sharing;
  h->dither = setup->dither;
  h->next_frame = setup->next_frame;
  h->mask = ct_mask_ops_get(0);
  h->bits = ct_bit_ops_get(0);
  h->grid.cols = h->cols;
  h->grid.reach = setup->sharing == CT_SHARING_ODIN_CSA5 || setup->sharing == CT_SHARING_ODIN_CSD5 ? 2 : 1;
  h->grid.words = (h->words + 7) / 8 * 8;
  h->calibrated = setup->gradient_keV;
  h->asic_order = setup->asic_order;
  h->threshold_keV = float_not_above(setup->threshold_keV);
  if (ct_sharing_is_odin(h->sharing) && h->threshold_keV < 0)
    h->threshold_keV = 0;
  if (!allocate(h)) {
    ct_hexitec_free(h);
    return ct_err_set(err, CT_ENOMEM, "hexitec: no memory for a sensor of %u x %u pixels", (unsigned)setup->rows,
                      (unsigned)setup->cols);
  }
  copy_maps(h, setup);
  draw_grid(h);   /* knows dead pixels from the maps */
  ct_hexitec_fold(h);
  *out = h;
  return 0;
}

void ct_hexitec_free(struct ct_hexitec *h)
{
  if (!h)
    return;
  free(h->mask_memory);
  free(h->pixel);
  free(h->threshold_ADU);
  free(h->limit_ADU);
  free(h->live);
  free(h->alive);
  free(h->host);
  free(h->list);
  free(h->list_larger);
  free(h->runs);
  free(h->dark_sum);
  free(h->place);
  free(h->image.cells);
  free(h);
}
