/* How often change detection is wrong, and how long it takes to be right: days of simulated counts.
 * Samples of 60 s, steps of 12, as by default; 1e4 photons/s on 2463 of 6400 pixels for the region, half of them within
 * |pz| < 5, EMF 0.92, and 100 cells that share the whole sensor's counts for the map. */
#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <comptop/compton.h>

enum { MINUTES = 24 * 60, STEP = 12, CELLS = 100, DAYS = 400, MAP_DAYS = 400, RUNS = 200, HOURS_MOST = 72 };

static double uniform(uint64_t *seed)
{
  *seed = *seed * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
  return ((double)(*seed >> 11) + 0.5) * 0x1p-53;
}

static double count(uint64_t *seed, double mean)
{
  double gauss = sqrt(-2 * log(uniform(seed))) * cos(2 * M_PI * uniform(seed));
  return floor(mean + sqrt(mean) * gauss + 0.5);
}

static struct ct_sums sample(uint64_t *seed, double counts, double emf)
{
  double L = count(seed, counts * emf / (1 + emf)), H = count(seed, counts / (1 + emf));
  return (struct ct_sums){ .L = L, .H = H, .var_L = L, .var_H = H, .counts = L + H };
}

static double false_cusum(uint64_t *seed, double counts)
{
  uint64_t alarms = 0;
  for (int day = 0; day < DAYS; day++) {
    struct ct_drift drift;
    ct_drift_init(&drift, 0.5, 5);
    for (int i = 0; i < MINUTES; i++) {
      struct ct_sums one = sample(seed, counts, 0.92);
      ct_drift_add(&drift, 60.0 * i, &one, i % STEP == STEP - 1);
    }
    alarms += drift.alarms;
  }
  return (double)alarms / DAYS;
}

/* Days on which any cell passed the limit at any sample, as a part of all. */
static double false_map(uint64_t *seed, double counts)
{
  static struct ct_drift cells[CELLS];
  double limit = ct_family_z(0.05, CELLS * 120.0);
  int days = 0;
  for (int day = 0; day < MAP_DAYS; day++) {
    bool alarm = false;
    for (int c = 0; c < CELLS; c++)
      ct_drift_init(&cells[c], 0.5, 5);
    for (int i = 0; i < MINUTES; i++)
      for (int c = 0; c < CELLS; c++) {
        struct ct_change change;
        struct ct_sums one = sample(seed, counts, 0.92);
        ct_drift_add(&cells[c], 60.0 * i, &one, i % STEP == STEP - 1);
        ct_drift_report(&cells[c], &change);
        alarm = alarm || fabs(change.per_h) > limit * change.sigma_per_h;
      }
    days += alarm;
  }
  return (double)days / MAP_DAYS;
}

/* Hours until the CUSUM tells of a drift that began with the run. */
static double delay_h(uint64_t *seed, double step_error, double drift_per_h)
{
  double counts = (1 + 0.92) * (1 + 0.92) / 0.92 / (step_error * step_error) / STEP, sum_h = 0;
  for (int run = 0; run < RUNS; run++) {
    struct ct_drift drift;
    int i = 0;
    ct_drift_init(&drift, 0.5, 5);
    for (; i < HOURS_MOST * 60 && !drift.alarm; i++) {
      struct ct_sums one = sample(seed, counts, 0.92 * (1 + drift_per_h * i / 60));
      ct_drift_add(&drift, 60.0 * i, &one, i % STEP == STEP - 1);
    }
    sum_h += i / 60.0;
  }
  return sum_h / RUNS;
}

/* Scans of 12 minutes to a trend of 5 of its errors, as hours: the reference. */
static double ideal_h(double step_error, double drift_per_h)
{
  for (int n = 3; n < 5 * HOURS_MOST; n++) {
    double spread = n * ((double)n * n - 1) / 12 / 25;      /* sum of (t - mean)^2 in hours^2, steps of 1/5 h */
    if (drift_per_h * sqrt(spread) / step_error >= 5)
      return n / 5.0;
  }
  return HOURS_MOST;
}

int main(void)
{
  static const double errors[] = { 0.0013, 0.004, 0.02 };
  uint64_t seed = 2026;
  double region = 60 * 1e4 / 2 * 2463 / 6400, cell = 60 * 1e4 / 2 / CELLS, literature = MINUTES / STEP / 465.0;
  double cusum = false_cusum(&seed, region), map = false_map(&seed, cell);
  printf("false CUSUM alarms of a region\t%.3f\t1/day\taverage run length 465\t%.3f\t%.2f\n", cusum, literature,
         cusum / literature);
  printf("days with a false alarm of the drift map\t%.3f\t-\tas asked for\t0.050\t%.2f\n", map, map / 0.05);
  for (int i = 0; i < 3; i++) {
    double hours = delay_h(&seed, errors[i], 0.0048), ideal = ideal_h(errors[i], 0.0048);
    printf("CUSUM tells of 0.48 %%/h, %.2g %% a step\t%.2f\th\ttrend of 5 errors\t%.2f\t%.2f\n", 100 * errors[i], hours, ideal,
           hours / ideal);
  }
  return 0;
}
