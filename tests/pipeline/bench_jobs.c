/* Frames of 80 x 80 in messages of 64 through a crew of 1, 2, 4 workers: wall time of one stretch, each beside that of one
 * worker in the same run; and how much more processor time the sharing takes. Wall time on a machine that does something
 * else as well says little, so the times are those that a tenth of the stretches stay below. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "pipeline/crew.h"
#include "tests/hexitec/twin.h"

enum { SIDE = 80, PIXELS = SIDE * SIDE, BATCH = 64, LOTS = 96, STRETCH = 32, RUNS = 150, SIZES = 3 };
static const unsigned sizes[SIZES] = { 1, 2, 4 };

static void make_frames(unsigned char *frames, double occupancy)
{
  uint16_t *pixel = (uint16_t *)(void *)frames;
  uint64_t seed = 1;
  for (size_t i = 0; i < (size_t)LOTS * BATCH * PIXELS; i++) {
    uint64_t r = twin_random(&seed);
    pixel[i] = (uint16_t)((double)(r >> 40) * 0x1p-24 < occupancy ? 80 + r % 4000 : r % 30);
  }
}

static double low(double *values)
{
  qsort(values, RUNS, sizeof *values, ct_by_double);
  return values[RUNS / 10];
}

static double process_s(void)
{
  struct timespec t;
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
  return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void bench(enum ct_sharing sharing, double occupancy, unsigned char *frames)
{
  static uint16_t threshold_ADU[PIXELS];
  static double gradient_keV[PIXELS], intercept_keV[PIXELS];
  struct ct_hexitec_setup setup = { .rows = SIDE, .cols = SIDE, .sharing = sharing, .next_frame = true,
                                    .asic_order = true, .threshold_ADU = threshold_ADU, .gradient_keV = gradient_keV,
                                    .intercept_keV = intercept_keV };
  struct ct_spectra_setup axes = { PIXELS, { 0, 0.2, 1000 }, (double)INFINITY, 1 << 30 };
  struct ct_crew *crew[SIZES];
  struct ct_spectra *spectra[SIZES];
  static struct ct_lot lots[LOTS];
  double wall_us[SIZES][RUNS], cpu_us[SIZES][RUNS];

  make_frames(frames, occupancy);
  for (int p = 0; p < PIXELS; p++) {
    threshold_ADU[p] = 80;
    gradient_keV[p] = 0.03;
  }
  for (int s = 0; s < SIZES; s++)
    if (ct_spectra_new(&spectra[s], &axes, NULL) != 0 || ct_crew_open(&crew[s], sizes[s], &setup, spectra[s], NULL) != 0)
      exit(1);
  for (int run = -1; run < RUNS; run++) {
    for (int s = 0; s < SIZES; s++) {
      for (size_t l = 0; l < LOTS; l++)
        lots[l].frame = (struct ct_frame){ .pixels = frames + l * BATCH * PIXELS * 2, .bytes = BATCH * PIXELS * 2,
                                           .type = CT_U16, .count = BATCH, .rows = SIDE, .cols = SIDE,
                                           .number = l * BATCH };
      double cpu_s = process_s();
      int64_t begin_ns = ct_time_mono_ns();
      ct_crew_analyse(crew[s], lots + (size_t)(run + 1) * STRETCH % LOTS, STRETCH);
      if (run < 0)
        continue;
      wall_us[s][run] = (double)(ct_time_mono_ns() - begin_ns) / 1e3 / (STRETCH * BATCH);
      cpu_us[s][run] = (process_s() - cpu_s) * 1e6 / (STRETCH * BATCH);
    }
  }
  const struct ct_hexitec_tally *tally = &ct_spectra_total_tally(spectra[0])->hexitec;
  double percent = 100 * (double)tally->hits / (double)tally->frames / PIXELS;
  double alone_us = low(wall_us[0]), alone_cpu_us = low(cpu_us[0]);
  for (int s = 0; s < SIZES; s++) {
    double us = low(wall_us[s]);
    printf("crew -j %u %s %.2f %%\t%.3f\tus/frame\t-j 1\t%.3f\t%.3f\n", sizes[s], ct_sharing_word(sharing),
           percent, us, alone_us, us / alone_us);
    printf("crew -j %u processor time\t%.3f\tus/frame\t-j 1\t%.3f\t%.3f\n", sizes[s], low(cpu_us[s]), alone_cpu_us,
           low(cpu_us[s]) / alone_cpu_us);
    ct_crew_close(crew[s]);
    ct_spectra_free(spectra[s]);
  }
}

int main(void)
{
  unsigned char *frames = ct_xcalloc((size_t)LOTS * BATCH * PIXELS, 2);
  bench(CT_SHARING_PAPER, 0.0017, frames);
  bench(CT_SHARING_ODIN_CSA3, 0.02, frames);
  bench(CT_SHARING_ODIN_CSA3, 0.05, frames);
  bench(CT_SHARING_PAPER, 0.15, frames);
  free(frames);
  return 0;
}
