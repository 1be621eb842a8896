/* Frames: the same seed gives the same bytes, and what the detector reports is what came to it. */
#include "common.h"

enum { N = 80, PIXELS = N * N };

static struct ct_sim_config defaults(void)
{
  struct ct_sim_config config;
  ct_sim_defaults(&config);
  return config;
}

static struct ct_sim *make(struct ct_sim_config config)
{
  struct ct_sim *sim;
  struct ct_err err;
  assert_int_equal(ct_sim_new(&sim, &config, &err), 0);
  return sim;
}

static void same_seed_same_bytes(void **state)
{
  (void)state;
  struct ct_sim_config config = defaults();
  struct ct_sim *a = make(config), *b = make(config);
  config.seed = 2;
  struct ct_sim *c = make(config);
  static uint16_t forward[50][PIXELS], one[PIXELS];
  for (uint64_t k = 0; k < 50; k++) ct_sim_frame(a, k, forward[k]);
  for (uint64_t k = 50; k-- > 0;) {
    ct_sim_frame(b, k, one);
    assert_memory_equal(one, forward[k], sizeof one);
  }
  ct_sim_frame(c, 0, one);
  assert_memory_not_equal(one, forward[0], sizeof one);
  assert_memory_not_equal(forward[1], forward[0], sizeof one);
  ct_sim_free(a);
  ct_sim_free(b);
  ct_sim_free(c);
}

/* Photons come from pixels and materials as the truth says, and their number in a frame is Poisson's. */
static void photons_follow_the_truth(void **state)
{
  (void)state;
  struct ct_sim_config config = defaults();
  config.speedup = 1000;   /* x falls from 0.93 to 0.83 meanwhile, linearly */
  struct ct_sim *sim = make(config);
  static struct ct_sim_photon photons[256];
  static double rate[PIXELS], mix[PIXELS][CT_SIM_SOURCES];
  static uint32_t seen[PIXELS];
  double source[CT_SIM_SOURCES] = { 0 }, sum = 0, sum2 = 0;
  enum { FRAMES = 40000 };
  uint64_t first = 30000;
  for (uint64_t k = first; k < first + FRAMES; k++) {
    uint32_t n = ct_sim_photons(sim, k, photons, 256);
    sum += n;
    sum2 += (double)n * n;
    for (uint32_t i = 0; i < n; i++) {
      seen[photons[i].pixel]++;
      source[photons[i].source]++;
    }
  }
  double duration_s = FRAMES / config.rate_hz, mean_expected = 0, chi2 = 0, source_expected[CT_SIM_SOURCES] = { 0 };
  ct_sim_truth(sim, (double)first / config.rate_hz + duration_s / 2, rate, NULL, &mix[0][0]);
  for (int p = 0; p < PIXELS; p++) {
    double expected = rate[p] * duration_s;
    mean_expected += expected;
    chi2 += (seen[p] - expected) * (seen[p] - expected) / expected;
    for (int s = 0; s < CT_SIM_SOURCES; s++) source_expected[s] += expected * mix[p][s];
  }
  assert_true(fabs(sum - mean_expected) < 4 * sqrt(mean_expected));
  assert_near(chi2, PIXELS, 5 * sqrt(2.0 * PIXELS));
  for (int s = 0; s < CT_SIM_SOURCES; s++)
    assert_true(fabs(source[s] - source_expected[s]) <= 4.5 * sqrt(source_expected[s]));
  double mean = sum / FRAMES, variance = sum2 / FRAMES - mean * mean;
  assert_near(variance / mean, 1, 5 * sqrt(2.0 / FRAMES));
  ct_sim_free(sim);
}

/* No charge is lost between the pixels; clusters are 8-connected, the photon's own pixel has most, and as many have
 * 1, 2, 3, 4 hits as the detector model says. */
static void sharing_conserves_charge(void **state)
{
  (void)state;
  struct ct_sim *sim = make(defaults());
  enum { PHOTONS = 200000 };
  double classes[5] = { 0 }, sum = 0, sum2 = 0;
  for (uint64_t i = 0; i < PHOTONS; i++) {
    struct ct_sim_photon photon = { .pixel = (uint32_t)(i * 7919 % PIXELS), .e_keV = 93.6 };
    struct ct_sim_charge charge;
    ct_sim_share(sim, &photon, i, &charge);
    assert_in_range(charge.n, 1, 4);
    assert_int_equal(charge.pixel[0], photon.pixel);
    double e_keV = 0;
    for (uint32_t j = 0; j < charge.n; j++) {
      int dy = (int)(charge.pixel[j] / N) - (int)(photon.pixel / N);
      int dx = (int)(charge.pixel[j] % N) - (int)(photon.pixel % N);
      assert_true(charge.pixel[j] < PIXELS && abs(dx) <= 1 && abs(dy) <= 1);
      assert_true(charge.e_keV[j] >= 5 && charge.e_keV[j] <= charge.e_keV[0]);
      for (uint32_t l = 0; l < j; l++) assert_int_not_equal(charge.pixel[l], charge.pixel[j]);
      e_keV += charge.e_keV[j];
    }
    classes[charge.n]++;
    sum += e_keV;
    sum2 += (e_keV - 93.6) * (e_keV - 93.6);
  }
  static const double expected[] = { 0, 0.46, 0.43, 0.08, 0.03 };
  for (int n = 1; n <= 4; n++)
    assert_near(classes[n] / PHOTONS, expected[n], 5 * sqrt(expected[n] / PHOTONS));
  assert_near(sum / PHOTONS, 93.6, 0.003);
  assert_near(2.3548 * sqrt(sum2 / PHOTONS), 0.505, 0.005);
  ct_sim_free(sim);
}

/* The sum of all hits, calibrated as its user would, is the energy of all photons: for the corrected readout with the
 * nominal gain alone, for the uncorrected one with its calibration. */
static void frames_hold_the_energy(struct ct_sim_config config)
{
  config.photons_per_s = 4e4;
  struct ct_sim *sim = make(config);
  static double gradient[PIXELS], intercept[PIXELS], dark[PIXELS];
  static uint16_t pixels[PIXELS];
  static struct ct_sim_photon photons[256];
  ct_sim_calibration(sim, gradient, intercept, dark);
  uint32_t dead = ct_sim_dead_pixel(sim);
  double came = 0, found = 0;
  uint32_t n_came = 0;
  for (uint64_t k = 0; k < 4000; k++) {
    uint32_t n = ct_sim_photons(sim, k, photons, 256);
    assert_int_equal(ct_sim_frame(sim, k, pixels), n);
    assert_int_equal(pixels[dead], 0);
    for (uint32_t i = 0; i < n; i++) came += photons[i].e_keV;
    n_came += n;
    for (uint32_t p = 0; p < PIXELS; p++) {
      double adu = pixels[p] - dark[p];
      if (adu < 80) continue;
      found += config.pedestal ? adu * gradient[p] + intercept[p] : adu * CT_SIM_GAIN_KEV;
    }
  }
  /* Noise: 0.36 keV a hit, some 30000 hits; the dead pixel takes 1/6400 or, in the bright middle, four times that. */
  assert_true(n_came > 15000);
  assert_near(found / came, 1, 0.001);
  ct_sim_free(sim);
}

static void corrected_frames_hold_the_energy(void **state)
{
  (void)state;
  frames_hold_the_energy(defaults());
}

static void uncorrected_frames_hold_the_energy(void **state)
{
  (void)state;
  struct ct_sim_config config = defaults();
  config.pedestal = true;
  frames_hold_the_energy(config);
}

static void noise_is_as_stated(void **state)
{
  (void)state;
  struct ct_sim_config config = defaults();
  config.photons_per_s = 0;
  struct ct_sim *clipped = make(config);
  config.pedestal = true;
  struct ct_sim *raw = make(config);
  static double gradient[PIXELS], intercept[PIXELS], dark[PIXELS], sum[PIXELS];
  static uint16_t pixels[PIXELS];
  ct_sim_calibration(raw, gradient, intercept, dark);
  double sum2 = 0, zeros = 0;
  enum { FRAMES = 1000 };
  for (uint64_t k = 0; k < FRAMES; k++) {
    assert_int_equal(ct_sim_frame(raw, k, pixels), 0);
    for (int p = 0; p < PIXELS; p++) {
      double off = pixels[p] - dark[p];
      sum[p] += off;
      sum2 += off * off;
    }
    ct_sim_frame(clipped, k, pixels);
    for (int p = 0; p < PIXELS; p++) zeros += pixels[p] == 0;
  }
  double sigma_ADU = CT_SIM_NOISE_KEV / 2.35482 / CT_SIM_GAIN_KEV, n = (double)FRAMES * PIXELS;
  assert_near(sqrt(sum2 / n) / sigma_ADU, 1, 0.01);
  for (int p = 0; p < PIXELS; p++) assert_true(fabs(sum[p] / FRAMES) < 6 * sigma_ADU / sqrt(FRAMES));
  /* Half of all noise is below 0, and so is half of what rounds to 0. */
  assert_near(zeros / n, 0.5 + 0.5 * erf(0.5 / sigma_ADU / sqrt(2)), 0.005);
  ct_sim_free(clipped);
  ct_sim_free(raw);
}

static void asic_order(void **state)
{
  (void)state;
  struct ct_sim_config config = defaults();
  config.rows = 10;
  config.cols = 160;
  struct ct_sim *geometric = make(config);
  config.asic = true;
  struct ct_sim *asic = make(config);
  static uint16_t a[10 * 160], b[10 * 160];
  uint32_t photons = 0;
  for (uint64_t k = 0; k < 20; k++) {
    photons += ct_sim_frame(geometric, k, a);
    ct_sim_frame(asic, k, b);
    /* First values read of a module: columns 0, 20, 40, 60, 1, 21, ... */
    for (int row = 0; row < 10; row++)
      for (int module = 0; module < 160; module += 80)
        for (int i = 0; i < 80; i++)
          assert_int_equal(b[row * 160 + module + i], a[row * 160 + module + i % 4 * 20 + i / 4]);
  }
  assert_true(photons > 100);
  ct_sim_free(geometric);
  ct_sim_free(asic);
}

/* More photons than fit must not write beyond the array; tiny sensors must not share charge beyond their edge. */
static void edges_hold(void **state)
{
  (void)state;
  struct ct_sim_config config = defaults();
  config.photons_per_s = 1e4 * config.rate_hz;
  struct ct_sim *sim = make(config);
  struct ct_sim_photon photons[4] = { { 0 } };
  photons[3].pixel = 12345678;
  assert_int_equal(ct_sim_photons(sim, 0, photons, 3), 3);
  assert_int_equal(photons[3].pixel, 12345678);
  static uint16_t pixels[PIXELS];
  ct_sim_frame(sim, 0, pixels);
  for (int p = 0; p < PIXELS; p++) assert_true(pixels[p] <= CT_SIM_CHARGE_ADU_MAX);
  ct_sim_free(sim);
  static const uint32_t shapes[][2] = { { 1, 1 }, { 1, 7 }, { 7, 1 }, { 2, 2 } };
  for (int i = 0; i < 4; i++) {
    config.rows = shapes[i][0];
    config.cols = shapes[i][1];
    sim = make(config);
    assert_true(ct_sim_frame(sim, 0, pixels) > 9000);
    ct_sim_free(sim);
  }
}

int main(void)
{
  const struct CMUnitTest tests[] = {
    cmocka_unit_test(same_seed_same_bytes),
    cmocka_unit_test(photons_follow_the_truth),
    cmocka_unit_test(sharing_conserves_charge),
    cmocka_unit_test(corrected_frames_hold_the_energy),
    cmocka_unit_test(uncorrected_frames_hold_the_energy),
    cmocka_unit_test(noise_is_as_stated),
    cmocka_unit_test(asic_order),
    cmocka_unit_test(edges_hold),
  };
  return cmocka_run_group_tests_name("sim frames", tests, NULL, NULL);
}
