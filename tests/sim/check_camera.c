/* Projections against path lengths worked out by hand, and the order of a scan. */
#include "common.h"

#include <comptop/frame.h>

enum { ROWS = 64, COLS = 256, PIXELS = ROWS * COLS };

static struct ct_sim_camera *make(struct ct_sim_camera_config config)
{
  struct ct_sim_camera *camera;
  assert_int_equal(ct_sim_camera_new(&camera, &config, NULL), 0);
  return camera;
}

static struct ct_sim_camera_config defaults(void)
{
  struct ct_sim_camera_config config;
  ct_sim_camera_defaults(&config);
  return config;
}

static void scan_has_its_order(void **state)
{
  (void)state;
  struct ct_sim_camera *a = make(defaults()), *b = make(defaults());
  static uint16_t one[PIXELS], other[PIXELS];
  double angle_deg, unused;
  for (uint64_t k = 0; k < 200; k++) {
    int expected = k % 190 < 5 ? CT_KEY_DARK : k % 190 < 10 ? CT_KEY_FLAT : CT_KEY_PROJECTION;
    assert_int_equal(ct_sim_camera_frame(a, k, one, &angle_deg), expected);
    assert_near(angle_deg, k % 190 < 10 ? 0.0 : (double)(k % 190) - 10, 1e-12);
  }
  ct_sim_camera_frame(b, 199, other, &unused);
  assert_memory_equal(one, other, sizeof one);
  ct_sim_camera_free(a);
  ct_sim_camera_free(b);
}

/* Mean attenuation of flat-corrected projections at one angle, over some scans, of a row at height z and the columns around
 * <across> mm. */
static double attenuation(struct ct_sim_camera *camera, uint32_t angle, double z_mm, double across_mm)
{
  static uint16_t pixels[PIXELS];
  double sum[3] = { 0 }, angle_deg;
  uint32_t row = (uint32_t)(ROWS / 2.0 - (z_mm - 1.6) / 0.085), col = (uint32_t)lround(129.8 + across_mm / 0.085);
  static const uint32_t of_key[3] = { 10, 5, 0 };
  for (uint64_t scan = 0; scan < 20; scan++) {
    for (int i = 0; i < 3; i++) {
      int key = ct_sim_camera_frame(camera, scan * 190 + of_key[i] + (i == 0 ? angle : 0), pixels, &angle_deg);
      for (uint32_t c = col - 1; c <= col + 1; c++) sum[key] += pixels[row * COLS + c];
    }
  }
  return -log((sum[CT_KEY_PROJECTION] - sum[CT_KEY_DARK]) / (sum[CT_KEY_FLAT] - sum[CT_KEY_DARK]));
}

static void path_lengths(void **state)
{
  (void)state;
  struct ct_sim_camera *camera = make(defaults());
  double steel = ct_sim_attenuation(CT_SIM_STEEL, 114.64), gasket = ct_sim_attenuation(CT_SIM_GASKET, 114.64);
  double liquid = ct_sim_attenuation(CT_SIM_ELECTROLYTE, 114.64), lithium = ct_sim_attenuation(CT_SIM_LITHIUM, 114.64);
  double cathode = ct_sim_attenuation(CT_SIM_CATHODE, 114.64) + ct_sim_attenuation(CT_SIM_LITHIATION, 114.64);
  assert_near(steel, 2.3, 0.05);
  assert_near(cathode, 0.66, 0.01);
  assert_near(lithium, 0.067, 0.003);
  double walls = 0.05 * steel + 0.1 * gasket + 0.05 * steel;
  /* Anode layer, through the middle: 16 mm of lithium. Above the cell: nothing. */
  assert_near(attenuation(camera, 0, 1.4, 0.1), walls + 1.6 * lithium + 0.2 * liquid, 0.01);
  assert_near(attenuation(camera, 0, 4.0, 0.1), 0, 0.01);
  /* Cathode, 6.5 mm from the axis, where at angle 0 no pore lies: chords of circles. */
  double chord_cm[6], r[] = { 10, 9.75, 9.25, 9, 7 };
  for (int i = 0; i < 5; i++) chord_cm[i] = 2 * sqrt(r[i] * r[i] - 6.5 * 6.5) / 10;
  chord_cm[5] = 0;
  double mu[] = { steel, gasket, steel, liquid, cathode }, depth = 0;
  for (int i = 0; i < 5; i++) depth += mu[i] * (chord_cm[i] - chord_cm[i + 1]);
  assert_near(attenuation(camera, 0, 0.75, 6.5), depth, 0.02);
  ct_sim_camera_free(camera);
}

/* The pore of 0.9 mm at (-3.4, 2.6): at angle 0 it is 3.4 mm left, turned by 90 degrees 2.6 mm left (y to the left).
 * Seen beside the mirrored place, which no pore of its own comes near. */
static void sample_turns_counter_clockwise(void **state)
{
  (void)state;
  struct ct_sim_camera *camera = make(defaults());
  double cathode = ct_sim_attenuation(CT_SIM_CATHODE, 114.64) + ct_sim_attenuation(CT_SIM_LITHIATION, 114.64);
  double missing = 0.18 * (cathode - ct_sim_attenuation(CT_SIM_ELECTROLYTE, 114.64));
  assert_near(attenuation(camera, 0, 0.75, 3.5) - attenuation(camera, 0, 0.75, -3.5), missing, 0.02);
  assert_near(attenuation(camera, 90, 0.75, 2.5) - attenuation(camera, 90, 0.75, -2.5), missing, 0.02);
  ct_sim_camera_free(camera);
}

/* The variance of a flat is its mean, and 9 of electronics. */
static void noise_is_poissons(void **state)
{
  (void)state;
  struct ct_sim_camera_config config = defaults();
  config.flats = 400;
  struct ct_sim_camera *camera = make(config);
  static uint16_t pixels[PIXELS];
  static double sum[PIXELS], sum2[PIXELS];
  double ratio = 0, angle_deg;
  enum { FRAMES = 60 };
  for (uint64_t k = 5; k < 5 + FRAMES; k++) {
    assert_int_equal(ct_sim_camera_frame(camera, k, pixels, &angle_deg), CT_KEY_FLAT);
    for (int p = 0; p < PIXELS; p++) {
      sum[p] += pixels[p];
      sum2[p] += (double)pixels[p] * pixels[p];
    }
  }
  for (int p = 0; p < PIXELS; p++) {
    double mean = sum[p] / FRAMES;
    ratio += (sum2[p] - sum[p] * mean) / (FRAMES - 1) / (mean - CT_SIM_CAMERA_DARK_ADU + 9) / PIXELS;
  }
  assert_near(ratio, 1, 5 * sqrt(2.0 / FRAMES / PIXELS));
  ct_sim_camera_free(camera);
}

static void nonsense_is_refused(void **state)
{
  (void)state;
  struct ct_sim_camera_config bad[5];
  for (int i = 0; i < 5; i++) bad[i] = defaults();
  bad[0].rows = 0;
  bad[1].cols = 5000;
  bad[2].pixel_mm = 0;
  bad[3].photons = 1e6;
  bad[4].projections = 0;
  for (int i = 0; i < 5; i++) {
    struct ct_sim_camera *camera;
    struct ct_err err = { "" };
    assert_int_equal(ct_sim_camera_new(&camera, &bad[i], &err), CT_ERANGE);
    assert_null(camera);
    assert_non_null(strstr(err.text, i < 2 ? "1..4096" : "out of range"));
  }
}

int main(void)
{
  const struct CMUnitTest tests[] = {
    cmocka_unit_test(scan_has_its_order),
    cmocka_unit_test(path_lengths),
    cmocka_unit_test(sample_turns_counter_clockwise),
    cmocka_unit_test(noise_is_poissons),
    cmocka_unit_test(nonsense_is_refused),
  };
  return cmocka_run_group_tests_name("sim camera", tests, NULL, NULL);
}
