/* What the pinhole camera sees: geometry, attenuation, vignetting, against figures worked out by hand. */
#include "common.h"

enum { N = 80, PIXELS = N * N };

struct picture {
  double rate[PIXELS], lithium[PIXELS], mix[PIXELS][CT_SIM_SOURCES];
};

static struct picture *take(struct ct_sim_config config, double t_s)
{
  struct ct_sim *sim;
  struct ct_err err;
  assert_int_equal(ct_sim_new(&sim, &config, &err), 0);
  struct picture *picture = ct_xcalloc(1, sizeof *picture);
  ct_sim_truth(sim, t_s, picture->rate, picture->lithium, &picture->mix[0][0]);
  ct_sim_free(sim);
  return picture;
}

static struct ct_sim_config cell_config(void)
{
  struct ct_sim_config config;
  ct_sim_defaults(&config);
  return config;
}

/* The pixel that sees (x, y) mm: 0.25 mm a pixel, centre between 39 and 40, inverted. */
static int pixel_of(double x_mm, double y_mm)
{
  return (int)lround(39.5 - y_mm / 0.25) * N + (int)lround(39.5 - x_mm / 0.25);
}

static void rates_sum_to_what_was_asked(void **state)
{
  (void)state;
  struct picture *p = take(cell_config(), 0);
  double sum = 0, shares = 0;
  for (int i = 0; i < PIXELS; i++) sum += p->rate[i];
  assert_near(sum, 1e5, 1e-6);
  for (int i = 0; i < PIXELS; i++) {
    shares = 0;
    for (int s = 0; s < CT_SIM_SOURCES; s++) shares += p->mix[i][s];
    assert_near(shares, 1, 1e-12);
  }
  free(p);
}

static void materials_are_where_they_belong(void **state)
{
  (void)state;
  struct picture *p = take(cell_config(), 0);
  assert_true(p->mix[pixel_of(-3.4, 2.6)][CT_SIM_ELECTROLYTE] > 0.9);      /* a pore, seen inverted */
  assert_true(p->mix[pixel_of(3.4, -2.6)][CT_SIM_CATHODE] > 0.85);         /* not there */
  assert_true(p->mix[pixel_of(0, -2)][CT_SIM_CATHODE] > 0.85);
  assert_true(p->mix[pixel_of(-9.1, 0)][CT_SIM_STEEL] > 0.8);              /* the cap's wall */
  assert_true(p->mix[pixel_of(0, 8)][CT_SIM_ELECTROLYTE] > 0.9);           /* around the cathode */
  assert_true(p->mix[pixel_of(0, 9.5)][CT_SIM_GASKET] > 0.3);
  free(p);
}

/* Upstream, where the beam is fresh: the wall outshines the electrolyte beside it and the gasket behind it. A pixel of
 * cathode has 1.22/0.39 times the electrons of electrolyte. */
static void densities_show(void **state)
{
  (void)state;
  struct picture *p = take(cell_config(), 0);
  assert_true(p->rate[pixel_of(-9.125, 0.1)] > 1.5 * p->rate[pixel_of(-8, 0.1)]);
  assert_true(p->rate[pixel_of(-9.125, 0.1)] > 1.5 * p->rate[pixel_of(-9.6, 0.1)]);
  double contrast = p->rate[pixel_of(-4.8, 2.6)] / p->rate[pixel_of(-3.4, 2.6)];
  assert_true(contrast > 1.4 && contrast < 3);
  free(p);
}

static void slab_shows_attenuation_and_vignetting(void **state)
{
  (void)state;
  struct ct_sim_config config = cell_config();
  config.sample = CT_SIM_SLAB_CATHODE;
  struct picture *p = take(config, 0);
  /* Columns 0 and 79 are as far from the axis; the beam has gone 2 x 9.875 mm farther in the one, at 0.66/cm. Cross
   * section and efficiency differ by 2 % between their angles. */
  int up = 40 * N + 79, down = 40 * N;
  assert_near(log(p->rate[up] * p->mix[up][CT_SIM_CATHODE] / (p->rate[down] * p->mix[down][CT_SIM_CATHODE])),
              0.66 * 1.975, 0.04);
  free(p);
  config.sample = CT_SIM_SLAB_LITHIUM;   /* hardly absorbs */
  p = take(config, 0);
  /* Open fractions of a straight bore; the middle pixels are 0.18 mm off the axis, where 0.986 is open. */
  static const double open[][2] = { { 4, 0.68 }, { 8, 0.39 } };
  for (int i = 0; i < 2; i++) {
    double rate = 0;
    for (int j = 0; j < 4; j++) {
      int at = pixel_of(0.1, (j < 2 ? 1 : -1) * (open[i][0] + (j % 2 ? 0.125 : -0.125)));
      rate += p->rate[at] * p->mix[at][CT_SIM_LITHIUM] / 4;
    }
    int middle = pixel_of(0.1, 0.1);
    assert_near(rate / (p->rate[middle] * p->mix[middle][CT_SIM_LITHIUM]), open[i][1] / 0.986, 0.015);
  }
  free(p);
}

static void lithium_leaves_with_time(void **state)
{
  (void)state;
  struct ct_sim_config config = cell_config();
  config.speedup = 10;
  struct picture *full = take(config, 0), *half = take(config, 1800);   /* 0.4 of x taken */
  int low = pixel_of(0, -6), high = pixel_of(0, 6), middle = pixel_of(2, 0);
  assert_near(full->lithium[low], 1, 1e-6);
  assert_near(half->lithium[middle], 0.6, 0.005);
  assert_near(half->lithium[low] - half->lithium[high], 0.4 * 0.15 * 12 / 7, 0.005);
  assert_true(isnan(half->lithium[pixel_of(-9.1, 0)]));
  double lost = 1 - half->rate[middle] * half->mix[middle][CT_SIM_LITHIATION] /
                      (full->rate[middle] * full->mix[middle][CT_SIM_LITHIATION]);
  assert_near(lost, 1 - half->lithium[middle], 1e-6);
  assert_near(half->rate[middle] * half->mix[middle][CT_SIM_CATHODE],
                     full->rate[middle] * full->mix[middle][CT_SIM_CATHODE], 1e-9);
  free(full);
  free(half);
}

static void other_heights_and_sensors(void **state)
{
  (void)state;
  struct ct_sim_config config = cell_config();
  config.z_mm = 1.4;
  struct picture *p = take(config, 0);
  assert_true(p->mix[pixel_of(0, 2)][CT_SIM_LITHIUM] > 0.5);
  free(p);
  config = cell_config();
  config.rows = 20;
  config.cols = 160;
  struct ct_sim *sim;
  struct ct_err err;
  assert_int_equal(ct_sim_new(&sim, &config, &err), 0);
  double *rate = ct_xcalloc(20 * 160, sizeof *rate), sum = 0;
  ct_sim_truth(sim, 0, rate, NULL, NULL);
  for (int i = 0; i < 20 * 160; i++) sum += rate[i];
  assert_near(sum, 1e5, 1e-6);
  free(rate);
  ct_sim_free(sim);
}

static void nonsense_is_refused(void **state)
{
  (void)state;
  struct { struct ct_sim_config config; const char *word; } bad[8];
  for (int i = 0; i < 8; i++) bad[i].config = cell_config();
  bad[0].config.rows = 0, bad[0].word = "pixels";
  bad[1].config.cols = 1025, bad[1].word = "pixels";
  bad[2].config.asic = true, bad[2].config.cols = 81, bad[2].word = "ASIC";
  bad[3].config.rate_hz = 0, bad[3].word = "Hz";
  bad[4].config.photons_per_s = (double)NAN, bad[4].word = "photons";
  bad[5].config.photons_per_s = 1e9, bad[5].word = "photons";
  bad[6].config.speedup = -1, bad[6].word = "speed-up";
  bad[7].config.z_mm = 3.3, bad[7].word = "outside the cell";
  for (int i = 0; i < 8; i++) {
    struct ct_sim *sim;
    struct ct_err err = { "" };
    assert_int_equal(ct_sim_new(&sim, &bad[i].config, &err), CT_ERANGE);
    assert_null(sim);
    assert_non_null(strstr(err.text, bad[i].word));
  }
}

/* Charge is the integral of the current in the cell's own time, voltage rises with it, and all comes back. */
static void potentiostat(void **state)
{
  (void)state;
  struct ct_sim_config config = cell_config();
  config.speedup = 60;
  struct ct_sim_cell before, now;
  ct_sim_cell(&config, 0, &before);
  assert_near(before.lithium, 1, 0);
  assert_near(before.charge_Ah, 0, 0);
  for (double t_s = 1; t_s < 590; t_s++) {
    ct_sim_cell(&config, t_s, &now);
    assert_true(now.voltage_V > before.voltage_V);
    assert_near(now.charge_Ah - before.charge_Ah, now.current_A * 60 / 3600, 1e-12);
    assert_near(now.lithium, 1 - 0.08 * 60 * t_s / 3600, 1e-12);
    before = now;
  }
  assert_true(now.voltage_V > 4.1 && now.voltage_V < 4.4);
  ct_sim_cell(&config, 700, &now);
  assert_true(now.current_A < 0 && now.lithium > 0.2);
  ct_sim_cell(&config, 1200, &now);
  assert_near(now.lithium, 1, 1e-9);
}

int main(void)
{
  const struct CMUnitTest tests[] = {
    cmocka_unit_test(rates_sum_to_what_was_asked),
    cmocka_unit_test(materials_are_where_they_belong),
    cmocka_unit_test(densities_show),
    cmocka_unit_test(slab_shows_attenuation_and_vignetting),
    cmocka_unit_test(lithium_leaves_with_time),
    cmocka_unit_test(other_heights_and_sensors),
    cmocka_unit_test(nonsense_is_refused),
    cmocka_unit_test(potentiostat),
  };
  return cmocka_run_group_tests_name("sim image", tests, NULL, NULL);
}
