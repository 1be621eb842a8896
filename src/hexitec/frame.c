/* One frame: find the hits, correct them, join them, give out events. */
#include "hexitec/internal.h"

#include <assert.h>

enum { FEW = 32 };   /* hits in a frame: about where passes over the masks begin to pay */

/* ---- byte order ------------------------------------------------------------------------------------------------ */
static void swap_u16(unsigned char *to, const unsigned char *from, uint32_t n)
{
  for (uint32_t i = 0; i < n; i++, to += 2, from += 2) {
    to[0] = from[1];
    to[1] = from[0];
  }
}

static void swap_u32(unsigned char *to, const unsigned char *from, uint32_t n)
{
  for (uint32_t i = 0; i < n; i++, to += 4, from += 4) {
    to[0] = from[3];
    to[1] = from[2];
    to[2] = from[1];
    to[3] = from[0];
  }
}

/* The pixels of a frame in this machine's byte order: the caller's memory, or h->host. */
static const unsigned char *host_pixels(struct ct_hexitec *h, const struct ct_frame *frame, uint32_t index)
{
  const unsigned char *pixels = ct_hexitec_pixels(h, frame, index);

  if (!frame->big_endian)
    return pixels;
  if (frame->type == CT_U16)
    swap_u16(h->host, pixels, h->pixels);
  else
    swap_u32(h->host, pixels, h->pixels);
  return h->host;
}

const unsigned char *ct_hexitec_pixels(const struct ct_hexitec *h, const struct ct_frame *frame, uint32_t index)
{
  assert(ct_hexitec_takes(frame->type));
  assert(frame->rows == h->rows && frame->cols == h->cols && index < frame->count);

  return frame->pixels + (size_t)index * h->pixels * (frame->type == CT_U16 ? 2 : 4);
}

/* ---- hits ------------------------------------------------------------------------------------------------------ */
static uint32_t compare(const struct ct_hexitec *h, uint64_t *mask, const unsigned char *pixels, enum ct_type type,
                        uint32_t word, uint32_t words)
{
  if (type == CT_U16)
    return h->mask->u16(mask + word, pixels, h->limit_ADU + (size_t)word * 64, h->live + word, words);
  return h->mask->f32(mask + word, pixels, h->threshold_keV, h->alive + word, words);
}

/* Returns the number of odd pixels. */
static uint32_t find_hits(struct ct_hexitec *h, const unsigned char *pixels, enum ct_type type, uint64_t *hits)
{
  bool deal = type == CT_U16 && h->asic_order;
  uint64_t *mask = deal ? h->raw_hits : hits;
  uint32_t whole = h->pixels / 64, odd;
  size_t pixel_bytes = type == CT_U16 ? 2 : 4;

  odd = compare(h, mask, pixels, type, 0, whole);
  if (whole < h->words) {   /* the frame ends inside the last word: never read beyond it */
    unsigned char rest[64 * 4] = { 0 };
    memcpy(rest, pixels + whole * 64 * pixel_bytes, h->pixels % 64 * pixel_bytes);
    odd += compare(h, mask, rest, type, whole, 1);
  }
  if (deal)
    h->bits->deal(hits, h->raw_hits, h->grid.words);
  return odd;
}

void ct_hexitec_find(struct ct_hexitec *h, const struct ct_frame *frame, uint32_t first, uint32_t count)
{
  assert(count <= CT_HEXITEC_BLOCK);

  h->block_first = first;
  h->block_count = count;
  h->block_number = frame->number + first;
  for (uint32_t i = 0; i < count; i++) {
    h->odd[i] = find_hits(h, host_pixels(h, frame, first + i), frame->type, h->hits[i]);
    h->removed[i] = 0;
  }
}

void ct_hexitec_correct(struct ct_hexitec *h, const struct ct_hexitec *before)
{
  if (!h->next_frame || h->block_count == 0)
    return;
  if (before->has_last && h->block_number - before->last_number == 1)
    h->removed[0] = h->bits->remove(h->hits[0], before->last_hits, h->grid.words);
  for (uint32_t i = 1; i < h->block_count; i++)
    h->removed[i] = h->bits->remove(h->hits[i], h->hits[i - 1], h->grid.words);
  memcpy(h->last_hits, h->hits[h->block_count - 1], h->grid.words * sizeof *h->last_hits);
  h->last_number = h->block_number + h->block_count - 1;
  h->has_last = true;
}

/* ---- events ---------------------------------------------------------------------------------------------------- */
struct source {
  struct ct_hexitec *h;
  const unsigned char *pixels;
  const uint64_t *hits;
  enum ct_type type;
  bool big_endian;
};

static inline float energy_u16_keV(const struct source *s, uint32_t pixel)
{
  const struct ct_pixel *p = &s->h->pixel[pixel];
  int adu = ct_load_u16(s->pixels, ct_hexitec_raw(s->h, pixel), s->big_endian) - p->dark_ADU;
  float scaled_keV = (float)adu * p->gradient_keV;
  return scaled_keV + p->intercept_keV;
}

/* One event for each of <n> pixels. */
static void read_energies(const struct source *s, const uint32_t *list, uint32_t n, struct ct_event *events)
{
  if (s->type == CT_U16)
    for (uint32_t i = 0; i < n; i++)
      events[i] = (struct ct_event){ list[i], energy_u16_keV(s, list[i]) };
  else
    for (uint32_t i = 0; i < n; i++)
      events[i] = (struct ct_event){ list[i], ct_load_f32(s->pixels, list[i], s->big_endian) };
}

static uint32_t share_none(const struct source *s, struct ct_event *events, struct ct_hexitec_tally *tally)
{
  struct ct_hexitec *h = s->h;
  uint32_t n = h->bits->list(h->list, s->hits, h->grid.words);

  tally->hits += n;
  tally->single += n;
  read_energies(s, h->list, n, events);
  return n;
}

static inline bool has_bit(const uint64_t *mask, uint32_t i)
{
  return mask[i / 64] >> i % 64 & 1;
}

/* The other one of a cluster of two. */
static uint32_t mate_of(const struct ct_hexitec *h, uint32_t first)
{
  if (has_bit(h->grid.has_east, first) && has_bit(h->pair, first + 1))
    return first + 1;
  if (has_bit(h->grid.has_west, first) && has_bit(h->pair, first + h->cols - 1))
    return first + h->cols - 1;
  return first + h->cols + !has_bit(h->pair, first + h->cols);
}

/* Makes the event of <first> that of a cluster of two. */
static void add_mate(const struct source *s, struct ct_event *first, uint32_t mate)
{
  struct ct_event other;

  read_energies(s, &mate, 1, &other);
  float sum_keV = first->energy_keV + other.energy_keV;
  *first = (struct ct_event){ other.energy_keV > first->energy_keV ? mate : first->pixel, sum_keV };
}

/* Of many hits: by passes over the masks. */
static uint32_t share_paper_many(const struct source *s, struct ct_event *events, struct ct_hexitec_tally *tally)
{
  struct ct_hexitec *h = s->h;

  h->bits->small_clusters(&h->grid, h->first, h->pair, h->larger, s->hits);
  uint32_t n = h->bits->list(h->list, h->first, h->grid.words);
  read_energies(s, h->list, n, events);
  uint32_t pairs = 0;
  for (uint32_t i = 0; i < n; i++) {
    if (!has_bit(h->pair, h->list[i]))
      continue;
    add_mate(s, &events[i], mate_of(h, h->list[i]));
    pairs++;
  }
  uint32_t larger = h->bits->list(h->list_larger, h->larger, h->grid.words);
  tally->hits += n + pairs + larger;
  tally->single += n - pairs;
  tally->dbl += pairs;
  tally->multiple += ct_clusters_count(h->runs, h->list_larger, larger, h->cols);
  return n;
}

static bool touch(const struct ct_hexitec *h, uint32_t first, uint32_t later)
{
  uint32_t down = later / h->cols - first / h->cols, right = later % h->cols - first % h->cols;
  return down <= 1 && right + 1 <= 2;
}

/* Of few hits, sooner done: one hit after the other. Its later neighbours are among the next in the list. */
static uint32_t share_paper_few(const struct source *s, struct ct_event *events, struct ct_hexitec_tally *tally)
{
  struct ct_hexitec *h = s->h;
  const uint32_t *list = h->list, n = h->bits->list(h->list, s->hits, h->grid.words);
  uint32_t neighbours[FEW] = { 0 }, mate[FEW] = { 0 }, made = 0, larger = 0;

  for (uint32_t i = 0; i < n; i++) {
    for (uint32_t j = i + 1; j < n && list[j] - list[i] <= h->cols + 1; j++) {
      if (!touch(h, list[i], list[j]))
        continue;
      neighbours[i]++;
      neighbours[j]++;
      mate[i] = j;
      mate[j] = i;
    }
  }
  for (uint32_t i = 0; i < n; i++) {
    bool pair = neighbours[i] == 1 && neighbours[mate[i]] == 1;
    if (neighbours[i] > 0 && !pair) {
      h->list_larger[larger++] = list[i];
      continue;
    }
    if (pair && mate[i] < i)
      continue;
    read_energies(s, &list[i], 1, &events[made]);
    if (pair)
      add_mate(s, &events[made], list[mate[i]]);
    made++;
    tally->dbl += pair;
    tally->single += !pair;
  }
  tally->hits += n;
  tally->multiple += ct_clusters_count(h->runs, h->list_larger, larger, h->cols);
  return made;
}

static uint32_t share_paper(const struct source *s, struct ct_event *events, struct ct_hexitec_tally *tally)
{
  bool few = s->h->bits->count(s->hits, s->h->grid.words) <= FEW;
  return few ? share_paper_few(s, events, tally) : share_paper_many(s, events, tally);
}

uint32_t ct_hexitec_singles(struct ct_hexitec *h, const struct ct_frame *frame, uint32_t index, struct ct_event *events)
{
  uint32_t slot = index - h->block_first, singles = 0;
  assert(slot < h->block_count);
  struct source source = { h, ct_hexitec_pixels(h, frame, index), h->hits[slot], frame->type, frame->big_endian };

  h->bits->small_clusters(&h->grid, h->first, h->pair, h->larger, source.hits);
  uint32_t n = h->bits->list(h->list, h->first, h->grid.words);
  for (uint32_t i = 0; i < n; i++)
    if (!has_bit(h->pair, h->list[i]))
      h->list[singles++] = h->list[i];
  read_energies(&source, h->list, singles, events);
  return singles;
}

static void fill_image(const struct ct_hexitec *h, const struct ct_event *events, uint32_t n)
{
  for (uint32_t i = 0; i < n; i++) {
    bool positive = events[i].energy_keV > 0;

    h->place[i] = ct_image_place(&h->image, events[i].pixel);
    h->image.cells[h->place[i]] = (ct_cell){ positive ? events[i].energy_keV : 0, positive };
  }
}

static uint32_t share_odin(const struct source *s, struct ct_event *events, struct ct_hexitec_tally *tally)
{
  struct ct_hexitec *h = s->h;
  uint32_t n = h->bits->list(h->list, s->hits, h->grid.words);

  tally->hits += n;
  read_energies(s, h->list, n, events);
  fill_image(h, events, n);
  h->bits->later(&h->grid, h->first, s->hits);
  uint32_t scan = h->bits->list(h->list, h->first, h->grid.words);
  if (h->sharing == CT_SHARING_ODIN_CSA3 || h->sharing == CT_SHARING_ODIN_CSA5)
    ct_image_add(&h->image, h->list, scan);
  else
    ct_image_discard(&h->image, h->list, scan, tally);
  return ct_image_take(&h->image, h->place, n, events, tally);
}

uint32_t ct_hexitec_events(struct ct_hexitec *h, const struct ct_frame *frame, uint32_t index, struct ct_event *events,
                           struct ct_hexitec_tally *tally)
{
  uint32_t slot = index - h->block_first, n;
  assert(slot < h->block_count);
  struct source source = { h, ct_hexitec_pixels(h, frame, index), h->hits[slot], frame->type, frame->big_endian };

  tally->frames++;
  tally->next_frame += h->removed[slot];
  *(frame->type == CT_U16 ? &tally->saturated : &tally->no_energy) += h->odd[slot];
  if (h->sharing == CT_SHARING_NONE)
    n = share_none(&source, events, tally);
  else if (h->sharing == CT_SHARING_PAPER)
    n = share_paper(&source, events, tally);
  else
    n = share_odin(&source, events, tally);
  if (h->dither && frame->type == CT_U16)
    ct_dither_(h, frame->number + index, events, n);
  return frame->type == CT_F32 || h->calibrated ? n : 0;
}

uint32_t ct_hexitec_frame(struct ct_hexitec *h, const struct ct_frame *frame, uint32_t index, struct ct_event *events,
                          struct ct_hexitec_tally *tally)
{
  ct_hexitec_find(h, frame, index, 1);
  ct_hexitec_correct(h, h);
  return ct_hexitec_events(h, frame, index, events, tally);
}
