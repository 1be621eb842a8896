/* How the detector is: from hit masks that exist anyway, and now and then from the pixels without a hit. */
#include "hexitec/health.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>

/* ---- set-up ---------------------------------------------------------------------------------------------------- */
int ct_health_new(struct ct_health **out, uint32_t rows, uint32_t cols, struct ct_err *err)
{
  struct ct_health *h = calloc(1, sizeof *h);
  size_t pixels = (size_t)rows * cols, words = (pixels + 63) / 64;

  assert(pixels > 0 && pixels <= CT_HEXITEC_PIXELS_MAX);
  *out = NULL;
  if (!h)
    return ct_err_set(err, CT_ENOMEM, "hexitec: no memory");
  h->rows = rows;
  h->cols = cols;
  h->pixels = (uint32_t)pixels;
  h->words = (uint32_t)words;
  h->count = calloc(pixels, sizeof *h->count);
  h->quiet = calloc(words * 64, sizeof *h->quiet);
  h->raw = calloc(pixels, sizeof *h->raw);
  h->off = calloc(pixels, sizeof *h->off);
  h->row_need = calloc(rows, sizeof *h->row_need);
  h->dark_ADU = calloc(words * 64, sizeof *h->dark_ADU);
  h->limit_ADU = calloc(words * 64, sizeof *h->limit_ADU);
  h->scratch = calloc(pixels, sizeof *h->scratch);
  if (!h->count || !h->quiet || !h->raw || !h->off || !h->row_need || !h->dark_ADU || !h->limit_ADU || !h->scratch) {
    ct_health_free(h);
    return ct_err_set(err, CT_ENOMEM, "hexitec: no memory for the health of %u x %u pixels", (unsigned)rows,
                      (unsigned)cols);
  }
  ct_health_new_dark(h);
  *out = h;
  return 0;
}

void ct_health_free(struct ct_health *h)
{
  if (!h)
    return;
  free(h->count);
  free(h->quiet);
  free(h->raw);
  free(h->off);
  free(h->row_need);
  free(h->dark_ADU);
  free(h->limit_ADU);
  free(h->scratch);
  free(h);
}

void ct_health_new_dark(struct ct_health *h)
{
  h->stale = true;
  h->quiet_looks = 0;
  h->level = (struct ct_level){ .last_ADU = (double)NAN, .jumps = h->level.jumps, .jump_frame = h->level.jump_frame,
                                .jump_ADU = h->level.jump_ADU };
  memset(h->quiet, 0, (size_t)h->words * 64 * sizeof *h->quiet);
}

void ct_health_clear(struct ct_health *h)
{
  h->frames = h->looks = h->window_frames = h->hits = h->hits_square = 0;
  h->row_floods = h->flooded_frame = h->flooded_row = 0;
  h->level = (struct ct_level){ .jumps = 0 };
  memset(h->count, 0, h->pixels * sizeof *h->count);
  ct_health_new_dark(h);
}

/* ---- what the detector says of its pixels ------------------------------------------------------------------------ */
/* Half of the live pixels of a row, but fewer than four are no row. */
static uint32_t flood_of(uint32_t live)
{
  return live < 8 ? 4 : (live + 1) / 2;
}

static void read_detector(struct ct_health *h, const struct ct_hexitec *hexitec)
{
  memset(h->row_need, 0, h->rows * sizeof *h->row_need);
  for (uint32_t p = 0; p < h->pixels; p++) {
    uint32_t raw = ct_hexitec_raw(hexitec, p);
    h->raw[p] = raw;
    h->dark_ADU[raw] = hexitec->pixel[p].dark_ADU;
    h->off[p] = !(hexitec->live[raw / 64] >> raw % 64 & 1);
    h->limit_ADU[raw] = h->off[p] ? 0 : hexitec->limit_ADU[raw];
    h->row_need[p / h->cols] += !h->off[p];
  }
  h->least_need = UINT32_MAX;
  for (uint32_t r = 0; r < h->rows; r++) {
    h->row_need[r] = flood_of(h->row_need[r]);
    h->least_need = h->row_need[r] < h->least_need ? h->row_need[r] : h->least_need;
  }
  uint32_t row_words = h->cols / 64 + 2;     /* a row touches at most so many */
  h->least_in_word = (h->least_need + row_words - 1) / row_words;
  h->stale = false;
}

/* ---- hits -------------------------------------------------------------------------------------------------------- */
static void halve(struct ct_health *h)
{
  h->looks /= 2;
  h->window_frames /= 2;
  h->hits /= 2;
  h->hits_square /= 2;
  for (uint32_t p = 0; p < h->pixels; p++)
    h->count[p] /= 2;
}

static bool window_is_full(const struct ct_health *h)
{
  return h->looks >= CT_HEALTH_WINDOW &&
         (h->looks >= CT_HEALTH_WINDOW_MOST || h->hits / CT_HEALTH_EVERY >= CT_HEALTH_ENOUGH * (uint64_t)h->pixels);
}

static void look_at_hits(struct ct_health *h, const struct ct_hexitec *hexitec, const uint64_t *hits)
{
  if (window_is_full(h))
    halve(h);
  for (uint32_t w = 0; w < hexitec->words; w++)
    for (uint64_t m = hits[w]; m; m &= m - 1)
      h->count[w * 64 + (uint32_t)__builtin_ctzll(m)]++;
  h->looks++;
}

/* How many of <n> bits from <first> on are set. */
static uint32_t count_bits(const uint64_t *bits, uint32_t first, uint32_t n)
{
  uint32_t sum = 0;

  while (n > 0) {
    uint32_t here = 64 - first % 64 < n ? 64 - first % 64 : n;
    uint64_t part = bits[first / 64] >> first % 64;
    if (here < 64)
      part &= (UINT64_C(1) << here) - 1;
    sum += (uint32_t)__builtin_popcountll(part);
    first += here;
    n -= here;
  }
  return sum;
}

static void look_for_floods(struct ct_health *h, const struct ct_hexitec *hexitec, const uint64_t *hits, uint64_t number)
{
  if (hexitec->bits->fullest(hits, hexitec->words) < h->least_in_word)
    return;
  for (uint32_t row = 0; row < h->rows; row++) {
    if (count_bits(hits, row * h->cols, h->cols) < h->row_need[row])
      continue;
    h->row_floods++;
    h->flooded_row = row;
    h->flooded_frame = number;
  }
}

/* ---- pixels without a hit ---------------------------------------------------------------------------------------- */
/* 64 of them, in the order of the frame: ADU above the dark, 0 where there is a hit, or the pixel is off, or it says nothing:
 * what thresholds frames writes 0. Returns how many there are. In the form in which compilers see that it goes in vectors. */
static int32_t quiet_word(const struct ct_health *h, const unsigned char *pixels, uint32_t word, bool big_endian,
                          int32_t above_ADU[64], int32_t quiet[64])
{
  uint32_t first = word * 64, n = h->pixels - first < 64 ? h->pixels - first : 64;
  const uint16_t *limit_ADU = h->limit_ADU + first, *dark_ADU = h->dark_ADU + first;
  uint16_t v[64];
  int32_t sum = 0;

  if (n == 64) {
    memcpy(v, pixels + (size_t)first * sizeof *v, sizeof v);
  } else {
    memset(v, 0, sizeof v);
    memcpy(v, pixels + (size_t)first * sizeof *v, n * sizeof *v);
  }
  if (big_endian)
    for (int i = 0; i < 64; i++)
      v[i] = __builtin_bswap16(v[i]);
  for (int i = 0; i < 64; i++)
    quiet[i] = v[i] < limit_ADU[i] && v[i] != 0;
  for (int i = 0; i < 64; i++)
    sum += quiet[i];
  for (int i = 0; i < 64; i++)
    above_ADU[i] = -quiet[i] & (v[i] - dark_ADU[i]);
  return sum;
}

static void judge_level(struct ct_level *l, double level_ADU, uint64_t number)
{
  double off_ADU = level_ADU - l->mean_ADU, limit_ADU = fmax(CT_HEALTH_JUMP_SIGMA * 1.2533 * l->spread_ADU, CT_HEALTH_JUMP_ADU);

  l->last_ADU = level_ADU;
  /* Once out it has to come well back, so that one jump is counted once. */
  if (l->n >= LEVEL_KNOWN && fabs(off_ADU) > (l->out > 0 ? limit_ADU / 2 : limit_ADU)) {
    if (l->out++ == 0) {
      l->jumps++;
      l->jump_ADU = off_ADU;
      l->jump_frame = number;
    }
    if (l->out < LEVEL_STAYS)
      return;
    l->mean_ADU = level_ADU;
  }
  l->out = 0;
  double weight = 1.0 / (double)(l->n < LEVEL_MEMORY ? l->n + 1 : LEVEL_MEMORY);
  off_ADU = level_ADU - l->mean_ADU;
  l->mean_ADU += weight * off_ADU;
  l->spread_ADU += weight * (fabs(off_ADU) - l->spread_ADU);
  l->n++;
}

static void look_at_level(struct ct_health *h, const struct ct_frame *frame, uint32_t index, const unsigned char *pixels)
{
  uint32_t words = h->words < LEVEL_WORDS ? h->words : LEVEL_WORDS;
  int32_t sum_ADU = 0, n = 0;

  for (uint32_t k = 0; k < words; k++) {
    int32_t above_ADU[64], quiet[64];
    n += quiet_word(h, pixels, (2 * k + 1) * h->words / (2 * words), frame->big_endian, above_ADU, quiet);
    for (int i = 0; i < 64; i++)
      sum_ADU += above_ADU[i];
  }
  if (n > 0)
    judge_level(&h->level, (double)sum_ADU / n, frame->number + index);
}

static void look_at_quiet(struct ct_health *h, const unsigned char *pixels, bool big_endian)
{
  bool first = h->quiet_looks < CT_HEALTH_FIRST;

  for (uint32_t w = 0; w < h->words; w++) {
    int32_t above_ADU[64], quiet[64];
    quiet_word(h, pixels, w, big_endian, above_ADU, quiet);
    for (uint32_t i = 0; i < 64; i++) {
      struct ct_quiet *q = &h->quiet[w * 64 + i];
      if (q->n >= CT_HEALTH_QUIET) {
        q->n /= 2;
        q->sum_ADU /= 2;
      }
      q->sum_ADU += above_ADU[i];
      q->n += (uint32_t)quiet[i];
      if (first) {
        q->first_ADU += above_ADU[i];
        q->n_first += (uint32_t)quiet[i];
      }
    }
  }
  h->quiet_looks++;
}

/* ---- frames ------------------------------------------------------------------------------------------------------ */
void ct_health_add(struct ct_health *h, const struct ct_hexitec *hexitec, const struct ct_frame *frame, uint32_t index,
                   uint64_t hits)
{
  const uint64_t *mask = hexitec->hits[index - hexitec->block_first];
  uint64_t k = h->frames++, quiet_every = h->quiet_looks < CT_HEALTH_FIRST ? CT_HEALTH_FIRST_EVERY : CT_HEALTH_QUIET_EVERY;

  assert(h->rows == hexitec->rows && h->cols == hexitec->cols && index - hexitec->block_first < hexitec->block_count);
  if (h->stale)
    read_detector(h, hexitec);
  h->window_frames++;
  h->hits += hits;
  h->hits_square += hits * hits;
  if (hits >= h->least_need)
    look_for_floods(h, hexitec, mask, frame->number + index);
  if (k % CT_HEALTH_EVERY == 0)
    look_at_hits(h, hexitec, mask);
  if (frame->type != CT_U16)
    return;
  const unsigned char *pixels = ct_hexitec_pixels(hexitec, frame, index);
  if (k % CT_HEALTH_LEVEL_EVERY == 0)
    look_at_level(h, frame, index, pixels);
  if (k % quiet_every == 0)
    look_at_quiet(h, pixels, frame->big_endian);
}

void ct_health_merge(struct ct_health *sum, const struct ct_health *part)
{
  assert(sum->rows == part->rows && sum->cols == part->cols);
  sum->frames += part->frames;
  sum->looks += part->looks;
  sum->window_frames += part->window_frames;
  sum->hits += part->hits;
  sum->hits_square += part->hits_square;
  for (uint32_t p = 0; p < sum->pixels; p++)
    sum->count[p] += part->count[p];
  sum->row_floods += part->row_floods;
  if (part->row_floods > 0 && part->flooded_frame >= sum->flooded_frame) {
    sum->flooded_frame = part->flooded_frame;
    sum->flooded_row = part->flooded_row;
  }
  /* Every worker sees the same jumps, in its share of the frames. */
  if (sum->level.n == 0 || part->level.jumps > sum->level.jumps)
    sum->level = part->level;
  sum->quiet_looks += part->quiet_looks;
  for (uint32_t i = 0; i < sum->words * 64; i++) {
    struct ct_quiet *to = &sum->quiet[i];
    const struct ct_quiet *from = &part->quiet[i];
    to->sum_ADU += from->sum_ADU;
    to->first_ADU += from->first_ADU;
    to->n += from->n;
    to->n_first += from->n_first;
  }
  if (part->stale)
    return;                       /* no frame since the last darks: what it knows of the pixels is out of date */
  memcpy(sum->raw, part->raw, sum->pixels * sizeof *sum->raw);
  memcpy(sum->off, part->off, sum->pixels * sizeof *sum->off);
  sum->stale = false;
}
