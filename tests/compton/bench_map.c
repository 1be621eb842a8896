/* Time of one full 80x80 map of sums with their errors, beside a memcpy of the same cube. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <comptop/compton.h>

enum { ROWS = 80, COLS = 80, BINS = 1000, ROUNDS = 15 };

static struct ct_compton *make(enum ct_background background, uint32_t n_windows)
{
  struct ct_compton_setup setup = {
    .e1_keV = 114.64,
    .geometry = { .theta_deg = 90, .object_mm = 160, .detector_mm = 160, .pitch_mm = 0.25, .centre_x_px = 39.5,
                  .centre_y_px = 39.5, .theta_map = true },
    .rows = ROWS, .cols = COLS, .axis = { 0, 0.2, BINS }, .p_low = 1, .p_high = 5, .order = 2,
    .background = background, .windows_keV = { { 104, 111 }, { 77.5, 83 } }, .n_windows = n_windows,
  };
  struct ct_compton *c;
  struct ct_err err;
  if (ct_compton_new(&c, &setup, &err) != 0) {
    fprintf(stderr, "bench_map: %s\n", err.text);
    exit(1);
  }
  return c;
}

static void print(const char *figure, double value_ms, double memcpy_ms)
{
  printf("%s\t%.3f\tms\tmemcpy of the cube\t%.3f\t%.2f\n", figure, value_ms, memcpy_ms, value_ms / memcpy_ms);
}

/* The shortest of a few rounds: what the machine can do when nobody disturbs it. */
static double time_map_ms(const struct ct_compton *c, const uint32_t *cube, struct ct_sums *sums)
{
  int64_t best = INT64_MAX;
  for (int i = 0; i < ROUNDS; i++) {
    int64_t start = ct_time_cpu_ns();
    ct_compton_map(c, cube, NULL, sums);
    int64_t took = ct_time_cpu_ns() - start;
    best = took < best ? took : best;
  }
  return (double)best * 1e-6;
}

static double time_memcpy_ms(uint32_t *to, const uint32_t *cube, size_t bytes)
{
  int64_t best = INT64_MAX;
  for (int i = 0; i < ROUNDS; i++) {
    int64_t start = ct_time_cpu_ns();
    memcpy(to, cube, bytes);
    int64_t took = ct_time_cpu_ns() - start;
    best = took < best ? took : best;
    if (to[i] != cube[i])
      exit(1);
  }
  return (double)best * 1e-6;
}

static double time_profile_ms(struct ct_compton *c, const uint32_t *cube)
{
  double pz[CT_PROFILE_POINTS], J[CT_PROFILE_POINTS], sigma[CT_PROFILE_POINTS], norm;
  int64_t best = INT64_MAX;
  for (int i = 0; i < ROUNDS; i++) {
    int64_t start = ct_time_cpu_ns();
    ct_compton_profile(c, cube, NULL, pz, J, sigma, &norm);
    int64_t took = ct_time_cpu_ns() - start;
    best = took < best ? took : best;
  }
  return (double)best * 1e-6;
}

static double time_peaks_ms(struct ct_compton *c, const uint32_t *cube)
{
  double e2_keV[COLS], sigma_keV[COLS];
  int64_t best = INT64_MAX;
  for (int i = 0; i < ROUNDS; i++) {
    int64_t start = ct_time_cpu_ns();
    ct_compton_peaks(c, cube, NULL, e2_keV, sigma_keV);
    int64_t took = ct_time_cpu_ns() - start;
    best = took < best ? took : best;
  }
  return (double)best * 1e-6;
}

/* A peak on a ground, so that there is something to find. */
static void fill_cube(uint32_t *cube, size_t n)
{
  for (size_t i = 0; i < n; i++) {
    double d = (0.2 * (double)(i % BINS) - 93.6) / 2;
    cube[i] = (uint32_t)(i * UINT32_C(2654435761) >> 28) + (uint32_t)(d > -4 && d < 4 ? 100 / (1 + d * d) : 0);
  }
}

int main(void)
{
  size_t n = (size_t)ROWS * COLS * BINS;
  uint32_t *cube = ct_xcalloc(n, sizeof *cube), *copy = ct_xcalloc(n, sizeof *copy);
  struct ct_sums *sums = ct_xcalloc((size_t)ROWS * COLS, sizeof *sums);
  fill_cube(cube, n);
  struct ct_compton *none = make(CT_BACKGROUND_NONE, 0), *linear = make(CT_BACKGROUND_LINEAR, 2);
  double memcpy_ms = time_memcpy_ms(copy, cube, n * sizeof *cube);
  print("EMF map 80x80, no background", time_map_ms(none, cube, sums), memcpy_ms);
  print("EMF map 80x80, linear background", time_map_ms(linear, cube, sums), memcpy_ms);
  print("Compton peaks of 80 columns", time_peaks_ms(none, cube), memcpy_ms);
  print("Compton profile of 80x80 pixels", time_profile_ms(linear, cube), memcpy_ms);
  ct_compton_free(none);
  ct_compton_free(linear);
  free(cube);
  free(copy);
  free(sums);
  return 0;
}
