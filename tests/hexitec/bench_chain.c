/* The whole chain on one core: u16 frames of 80 x 80 -> events -> spectra of 1000 bins, beside a memcpy of the same bytes
 * from a buffer larger than the caches. CPU time, medians. Rows with window `run` do what the open detector software's
 * chain does (order, threshold, next frame, calibration, sharing, one histogram a pixel); the others have photons leave a
 * rolling window, too. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <comptop/spectra.h>

#include "twin.h"

enum { SIDE = 80, PIXELS = SIDE * SIDE, FRAMES = 6144, BATCH = 64, RUNS = 15 };
#define FRAME_BYTES ((size_t)PIXELS * 2)

static double normal(uint64_t *seed)
{
  return sqrt(-2 * log(1 - twin_uniform(seed))) * cos(2 * acos(-1) * twin_uniform(seed));
}

/* Half of the photons in lines, half in a continuum, in ADU at 0.03 keV/ADU. */
static double photon_ADU(uint64_t *seed)
{
  static const double line_keV[] = { 59, 67, 93, 114.6 };
  uint64_t r = twin_random(seed);
  double keV = r % 2 ? line_keV[r / 2 % 4] + 0.6 * normal(seed) : 10 + 130 * twin_uniform(seed);
  return keV / 0.03;
}

static void deposit(uint16_t *frame, int row, int col, double adu)
{
  if (row < 0 || row >= SIDE || col < 0 || col >= SIDE)
    return;
  double sum = frame[row * SIDE + col] + adu;
  frame[row * SIDE + col] = (uint16_t)fmin(fmax(sum, 0), 65535);
}

/* Noise N(0, 9) clipped at 0, on a pedestal above the threshold where everything is to be hit; photons until <occupancy> of the pixels are hit on average, 35 % of them shared with one
 * neighbour. */
static void make_frame(uint16_t *frame, double occupancy, uint64_t *seed)
{
  double photons = occupancy * PIXELS / 1.35;

  for (int p = 0; p < PIXELS; p++)
    frame[p] = (uint16_t)fmax(0, round((occupancy < 1 ? 0 : 1000) + 9 * normal(seed)));
  for (int left = (int)floor(photons + twin_uniform(seed)); left > 0; left--) {
    static const int step[4][2] = { { 0, 1 }, { 1, 0 }, { 0, -1 }, { -1, 0 } };
    int row = (int)(twin_random(seed) % SIDE), col = (int)(twin_random(seed) % SIDE), to = (int)(twin_random(seed) % 4);
    double adu = photon_ADU(seed), away = twin_uniform(seed) < 0.35 ? 0.1 + 0.4 * twin_uniform(seed) : 0;

    deposit(frame, row, col, adu * (1 - away));
    deposit(frame, row + step[to][0], col + step[to][1], adu * away);
  }
}

static double median(double *values)
{
  qsort(values, RUNS, sizeof *values, ct_by_double);
  return values[RUNS / 2];
}

struct bench_case {
  double occupancy;
  bool asic_order;               /* and next-frame correction */
  enum ct_sharing sharing;
  double window_s;
  bool health;
};

static struct ct_hexitec *new_hexitec(const struct bench_case *c)
{
  static uint16_t threshold_ADU[PIXELS], dark_ADU[PIXELS];
  static double gradient_keV[PIXELS], intercept_keV[PIXELS];
  struct ct_hexitec_setup setup = { .rows = SIDE, .cols = SIDE, .asic_order = c->asic_order, .dark_ADU = dark_ADU,
                                    .next_frame = c->asic_order, .sharing = c->sharing,
                                    .threshold_ADU = threshold_ADU, .gradient_keV = gradient_keV,
                                    .intercept_keV = intercept_keV };
  struct ct_hexitec *hexitec;
  struct ct_err err;

  for (int p = 0; p < PIXELS; p++) {
    threshold_ADU[p] = 80;
    gradient_keV[p] = 0.03 + 1e-6 * (p % 100);
    intercept_keV[p] = 0.01 * (p % 7);
  }
  if (ct_hexitec_new(&hexitec, &setup, &err) < 0) {
    fprintf(stderr, "bench_chain: %s\n", err.text);
    exit(1);
  }
  return hexitec;
}

static struct ct_spectra *new_spectra(double window_s)
{
  struct ct_spectra_setup setup = { PIXELS, { 0, 0.2, 1000 }, window_s, 1 << 30 };
  struct ct_spectra *spectra;
  struct ct_err err;

  if (ct_spectra_new(&spectra, &setup, &err) < 0) {
    fprintf(stderr, "bench_chain: %s\n", err.text);
    exit(1);
  }
  return spectra;
}

/* CPU time of all frames, in us a frame. */
static double run_chain(struct ct_hexitec *hexitec, struct ct_health *health, struct ct_spectra *spectra, const unsigned char *frames, int64_t *time_ns)
{
  static struct ct_event events[PIXELS];
  int64_t begin_ns = ct_time_cpu_ns();

  for (int f = 0; f < FRAMES; f += BATCH) {
    struct ct_frame frame = { .pixels = frames + (size_t)f * FRAME_BYTES, .bytes = BATCH * FRAME_BYTES, .type = CT_U16,
                              .count = BATCH, .rows = SIDE, .cols = SIDE, .number = (uint64_t)f };
    for (uint32_t i = 0; i < BATCH; i++) {
      struct ct_hexitec_tally tally = { 0 };
      if (i % CT_HEXITEC_BLOCK == 0) {
        ct_hexitec_find(hexitec, &frame, i, CT_HEXITEC_BLOCK);
        ct_hexitec_correct(hexitec, hexitec);
      }
      uint32_t n = ct_hexitec_events(hexitec, &frame, i, events, &tally);
      ct_spectra_add(spectra, *time_ns, events, n, &tally);
      if (health)
        ct_health_add(health, hexitec, &frame, i, tally.hits);
      *time_ns += 109663;   /* 9118.87 Hz */
    }
  }
  return (double)(ct_time_cpu_ns() - begin_ns) / 1e3 / FRAMES;
}

static double run_memcpy(unsigned char *to, const unsigned char *from)
{
  int64_t begin_ns = ct_time_cpu_ns();
  memcpy(to, from, FRAMES * FRAME_BYTES);
  return (double)(ct_time_cpu_ns() - begin_ns) / 1e3 / FRAMES;
}

static void bench(const struct bench_case *c, unsigned char *frames, unsigned char *copy)
{
  struct ct_hexitec *hexitec = new_hexitec(c);
  struct ct_spectra *spectra = new_spectra(c->window_s);
  struct ct_health *health = NULL;
  double chain_us[RUNS], memcpy_us[RUNS], ratio[RUNS];
  uint64_t seed = 1;
  int64_t time_ns = 0;

  if (c->health && ct_health_new(&health, SIDE, SIDE, NULL) < 0)
    exit(1);
  for (int f = 0; f < FRAMES; f++)
    make_frame((uint16_t *)(void *)(frames + (size_t)f * FRAME_BYTES), c->occupancy, &seed);
  run_chain(hexitec, health, spectra, frames, &time_ns);
  for (int r = 0; r < RUNS; r++) {
    memcpy_us[r] = run_memcpy(copy, frames);
    chain_us[r] = run_chain(hexitec, health, spectra, frames, &time_ns);
    ratio[r] = chain_us[r] / memcpy_us[r];
  }
  const struct ct_hexitec_tally *tally = &ct_spectra_total_tally(spectra)->hexitec;
  double hit_percent = 100.0 * (double)(tally->hits + tally->next_frame) / (double)tally->frames / PIXELS;
  printf("chain %s %s %s %.2f %%\t%.3f\tus/frame\tmemcpy\t%.3f\t%.3f\n", ct_sharing_word(c->sharing),
         c->asic_order ? "asic,next-frame" : "geometric", isinf(c->window_s) ? c->health ? "run,health" : "run" : "rolling", hit_percent,
         median(chain_us), median(memcpy_us), median(ratio));
  ct_spectra_free(spectra);
  ct_health_free(health);
  ct_hexitec_free(hexitec);
}

int main(int argc, char **argv)
{
  const double run = (double)INFINITY, rolling_s = 0.6;
  const struct bench_case cases[] = {
    { 0.0017, false, CT_SHARING_PAPER, rolling_s, false }, { 0.02, false, CT_SHARING_PAPER, rolling_s, false },
    { 0.05, false, CT_SHARING_PAPER, rolling_s, false }, { 0.15, false, CT_SHARING_PAPER, rolling_s, false },
    { 0.0017, true, CT_SHARING_ODIN_CSA3, run, false }, { 0.02, true, CT_SHARING_ODIN_CSA3, run, false },
    { 0.05, true, CT_SHARING_ODIN_CSA3, run, false }, { 0.15, true, CT_SHARING_ODIN_CSA3, run, false },
    { 0.0017, true, CT_SHARING_ODIN_CSA3, run, true }, { 0.05, true, CT_SHARING_ODIN_CSA3, run, true },
    { 0.02, false, CT_SHARING_ODIN_CSA3, rolling_s, false }, { 0.15, false, CT_SHARING_ODIN_CSA3, rolling_s, false },
    { 0.05, false, CT_SHARING_ODIN_CSA5, run, false }, { 0.05, false, CT_SHARING_ODIN_CSD3, run, false },
    { 1, false, CT_SHARING_PAPER, run, false }, { 1, false, CT_SHARING_ODIN_CSA3, run, false },
    { 1, false, CT_SHARING_ODIN_CSA5, run, false }, { 1, false, CT_SHARING_NONE, run, false },
  };
  unsigned char *frames = ct_xcalloc(FRAMES, FRAME_BYTES), *copy = ct_xcalloc(FRAMES, FRAME_BYTES);
  size_t first = argc > 1 ? (size_t)atoi(argv[1]) : 0, last = argc > 1 ? first : sizeof cases / sizeof *cases - 1;

  for (size_t i = first; i <= last; i++)
    bench(&cases[i], frames, copy);
  free(frames);
  free(copy);
  return 0;
}
