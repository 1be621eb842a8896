/* Scans of the simulated camera, reconstructed: the slice that comes out is the one that the simulation says is there. */
#include "common.h"

#include <stdio.h>

#include <comptop/frame.h>
#include <comptop/tomo.h>
#include <xraylib.h>

enum { ROWS = 32, ROW = 27, COLS_MAX = 256, SIZE_MAX_PX = 400 };   /* the row sees z = 0.62 .. 0.71 mm: cathode */
#define Z_MM 0.6225

struct seen {
  double rms;                /* 1/cm, over the cell's inside */
  double cathode;            /* mean of its solid parts, 1/cm */
  double mirrored;           /* rms against the truth upside down */
};

static struct seen reconstruct(struct ct_sim_camera_config config, double mu_cm)
{
  struct ct_sim_camera *camera;
  struct ct_scan *scan;
  struct ct_err err = { "" };
  config.rows = ROWS;
  config.photons = 60000;
  config.darks = config.flats = 10;
  uint32_t size = ct_sim_camera_slice_size(&config);
  const struct ct_tomo_setup setup = { .cols = config.cols, .size = size, .projections = config.projections,
                                       .rotation_deg = (uint32_t)config.turn_deg, .axis_px = config.axis_px,
                                       .pixel_cm = config.pixel_mm / 10, .window = CT_WINDOW_HANN };
  assert_in_range(size, 16, SIZE_MAX_PX);
  assert_int_equal(ct_sim_camera_new(&camera, &config, &err), 0);
  if (ct_scan_open(&scan, &setup, &err)) fail_msg("%s", err.text);
  static uint16_t pixels[ROWS * COLS_MAX];
  float row[COLS_MAX];
  for (uint64_t k = 0; k < 20 + (uint64_t)config.projections; k++) {
    double angle_deg;
    if (ct_sim_camera_drops(&config, k)) continue;
    int key = ct_sim_camera_frame(camera, k, 0, pixels, &angle_deg);
    for (uint32_t col = 0; col < config.cols; col++) row[col] = pixels[ROW * config.cols + col];
    if (key == CT_KEY_DARK) ct_scan_dark(scan, row);
    else if (key == CT_KEY_FLAT) ct_scan_flat(scan, row);
    else assert_int_equal(ct_scan_projection(scan, row, angle_deg, 0, false), 0);
  }
  static float slice[SIZE_MAX_PX * SIZE_MAX_PX], truth[SIZE_MAX_PX * SIZE_MAX_PX];
  ct_tomo_slice(ct_scan_tomo(scan), slice);
  ct_sim_camera_slice(camera, 0, Z_MM, size, truth);
  struct seen seen = { 0 };
  double n = 0, solid = 0;
  for (uint32_t i = 0; i < size * size; i++) {
    double x_mm = (i % size + 0.5 - size / 2.0) * config.pixel_mm, y_mm = (size / 2.0 - i / size - 0.5) * config.pixel_mm;
    if (hypot(x_mm, y_mm) > 8.5) continue;
    double other = truth[(size - 1 - i / size) * size + i % size], value = slice[i];
    seen.rms += pow(value - (double)truth[i], 2);
    seen.mirrored += pow(value - other, 2);
    n++;
    if (hypot(x_mm, y_mm) > 6.5 || fabs((double)truth[i] - mu_cm) > 0.001) continue;
    seen.cathode += value;
    solid++;
  }
  ct_scan_close(scan);
  ct_sim_camera_free(camera);
  return (struct seen){ sqrt(seen.rms / n), seen.cathode / solid, sqrt(seen.mirrored / n) };
}

static void slices_are_the_truth(void **state)
{
  (void)state;
  struct ct_sim_camera_config config[5];
  static const char *const words[5] = { "half a turn", "whole, golden", "extended field", "frames lost", "rings" };
  for (int i = 0; i < 5; i++) {
    ct_sim_camera_defaults(&config[i]);
    config[i].projections = 360;
  }
  config[1].turn_deg = 360, config[1].golden = true, config[1].projections = 720;
  config[2].turn_deg = 360, config[2].cols = 150, config[2].axis_px = 20, config[2].projections = 720;
  config[3].drop = 0.1;
  config[4].rings = 0.01;
  const double mu = 2.6 * CS_Total_CP("LiNi0.8Mn0.1Co0.1O2", 114.64, NULL);
  double rms[5];
  for (int i = 0; i < 5; i++) {
    struct seen seen = reconstruct(config[i], mu);
    print_message("# %-16s rms %.4f 1/cm (upside down %.4f), cathode %.4f, true %.4f\n", words[i], seen.rms, seen.mirrored,
                  seen.cathode, mu);
    assert_near(seen.cathode / mu, 1, 0.005);
    rms[i] = seen.rms;
    if (i == 4) continue;
    assert_true(seen.rms < 0.08);
    assert_true(seen.mirrored > 1.2 * seen.rms);
  }
  assert_true(rms[4] > 1.1 * rms[0]);   /* rings are seen */
}

int main(void)
{
  const struct CMUnitTest tests[] = { cmocka_unit_test(slices_are_the_truth) };
  return cmocka_run_group_tests_name("sim slice", tests, NULL, NULL);
}
