/* Projections against path lengths worked out by hand, and the order of a scan. */
#include "common.h"

#include <comptop/frame.h>
#include <xraylib.h>

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
    assert_int_equal(ct_sim_camera_frame(a, k, 0, one, &angle_deg), expected);
    assert_near(angle_deg, k % 190 < 10 ? 0.0 : (double)(k % 190) - 10, 1e-12);
  }
  ct_sim_camera_frame(b, 199, 0, other, &unused);
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
      int key = ct_sim_camera_frame(camera, scan * 190 + of_key[i] + (i == 0 ? angle : 0), 0, pixels, &angle_deg);
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

/* Chords of circles through the cathode's layer, as far as a ray <across> mm from the axis meets them, turned. */
static double chords(double across_mm, double angle_deg, const double mu[5])
{
  enum { LIQUID, CATHODE, STEEL, GASKET, AIR };
  static const struct { double x, y, r; int in, around; } circles[] = {
    { 0, 0, 10, STEEL, AIR }, { 0, 0, 9.75, GASKET, STEEL }, { 0, 0, 9.25, STEEL, GASKET }, { 0, 0, 9, LIQUID, STEEL },
    { 0, 0, 7, CATHODE, LIQUID }, { -3.4, 2.6, 0.9, LIQUID, CATHODE }, { 2.9, 3.7, 0.6, LIQUID, CATHODE },
    { 4.3, -1.2, 0.75, LIQUID, CATHODE }, { -1.1, -4.4, 0.65, LIQUID, CATHODE }, { 0.6, 0.9, 0.5, LIQUID, CATHODE },
    { -5.1, -1.6, 0.55, LIQUID, CATHODE }, { 2.2, -4.9, 0.45, LIQUID, CATHODE },
  };
  double depth = 0, turn = angle_deg * 3.14159265358979 / 180;
  for (size_t i = 0; i < sizeof circles / sizeof *circles; i++) {
    double off = across_mm - (circles[i].x * cos(turn) - circles[i].y * sin(turn)), r = circles[i].r;
    if (fabs(off) < r) depth += 0.2 * sqrt(r * r - off * off) * (mu[circles[i].in] - mu[circles[i].around]);
  }
  return depth;
}

/* At any angle, pores at their places: the sample turns counter-clockwise. */
static void sample_turns_counter_clockwise(void **state)
{
  (void)state;
  struct ct_sim_camera *camera = make(defaults());
  const double mu[] = { ct_sim_attenuation(CT_SIM_ELECTROLYTE, 114.64),
                        ct_sim_attenuation(CT_SIM_CATHODE, 114.64) + ct_sim_attenuation(CT_SIM_LITHIATION, 114.64),
                        ct_sim_attenuation(CT_SIM_STEEL, 114.64), ct_sim_attenuation(CT_SIM_GASKET, 114.64), 0 };
  static const double across_mm[] = { -3.4, 3.4, -2.6, 2.6, 5.1, 0.1 };
  static const uint32_t angles_deg[] = { 0, 37, 90, 150 };
  for (int i = 0; i < 24; i++) {
    enum { RAYS = 99 };
    double first_mm = (round(129.8 + across_mm[i % 6] / 0.085) - 129.8 - 1.5) * 0.085, through = 0;
    for (int j = 0; j < RAYS; j++) through += exp(-chords(first_mm + 3 * 0.085 * (j + 0.5) / RAYS, angles_deg[i / 6], mu)) / RAYS;
    assert_near(attenuation(camera, angles_deg[i / 6], 0.75, across_mm[i % 6]), -log(through), 0.012);
  }
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
    assert_int_equal(ct_sim_camera_frame(camera, k, 0, pixels, &angle_deg), CT_KEY_FLAT);
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

/* Few photons are counted one by one: the mean and the variance of Poisson's distribution, and its share of zeros. */
static void few_photons_are_counted(void **state)
{
  (void)state;
  struct ct_sim_camera_config config = defaults();
  config.photons = 4;
  config.sample = CT_SIM_EMPTY;
  config.darks = config.flats = 0;
  struct ct_sim_camera *camera = make(config);
  static uint16_t pixels[PIXELS];
  double sum = 0, sum2 = 0, n = 0, angle_deg;
  for (uint64_t k = 0; k < 300; k++) {
    ct_sim_camera_frame(camera, k, 0, pixels, &angle_deg);
    /* The middle: flat to 1 % and 2 % of gains. */
    for (int row = 24; row < 40; row++) {
      for (int col = 96; col < 160; col++, n++) {
        double counts = pixels[row * COLS + col] - CT_SIM_CAMERA_DARK_ADU;
        sum += counts;
        sum2 += counts * counts;
      }
    }
  }
  double mean = sum / n, variance = sum2 / n - mean * mean;
  assert_near(mean, 4, 0.06);
  assert_near(variance, mean + 9 + 1 / 12.0, 0.02 * (mean + 9));
  ct_sim_camera_free(camera);
}

static void scans_turn_as_asked(void **state)
{
  (void)state;
  struct ct_sim_camera_config config = defaults();
  static uint16_t pixels[PIXELS];
  double angle_deg;
  config.turn_deg = 360;
  config.darks = 1;
  config.flats = 2;
  config.projections = 90;
  struct ct_sim_camera *camera = make(config);
  for (uint64_t k = 3; k < 93; k++) {
    assert_int_equal(ct_sim_camera_frame(camera, k, 0, pixels, &angle_deg), CT_KEY_PROJECTION);
    assert_near(angle_deg, ((double)k - 3) * 4, 1e-9);
  }
  assert_int_equal(ct_sim_camera_frame(camera, 93, 0, pixels, &angle_deg), CT_KEY_DARK);
  ct_sim_camera_free(camera);
  config.golden = true;
  camera = make(config);
  double fraction = (sqrt(5) - 1) / 2;
  bool seen[36] = { false };
  for (uint64_t k = 3; k < 93; k++) {
    ct_sim_camera_frame(camera, k, 0, pixels, &angle_deg);
    assert_near(fabs(remainder(angle_deg - 360 * fraction * ((double)k - 3), 360)), 0, 1e-6);
    seen[(int)(angle_deg / 10)] = true;
  }
  for (int i = 0; i < 36; i++) assert_true(seen[i]);
  ct_sim_camera_free(camera);
}

/* A whole turn with the axis at the edge sees the same ray twice: at x, and from behind at -x. */
static void opposite_views_are_mirrored(void **state)
{
  (void)state;
  struct ct_sim_camera_config config = defaults();
  config.turn_deg = 360;
  config.axis_px = 40;
  config.darks = config.flats = 0;
  config.photons = 60000;
  struct ct_sim_camera *camera = make(config);
  static uint16_t there[PIXELS], back[PIXELS];
  double at_deg, opposite_deg, difference = 0;
  for (uint64_t k = 0; k < 90; k += 7) {
    ct_sim_camera_frame(camera, k, 0, there, &at_deg);
    ct_sim_camera_frame(camera, k + 90, 0, back, &opposite_deg);
    assert_near(opposite_deg - at_deg, 180, 1e-9);
    for (int row = 38; row < 42; row++)   /* cathode: z = 0.75 is row 42 */
      for (int off = -30; off <= 30; off += 3)
        difference += log(there[row * COLS + 40 + off] - 100.0) - log(back[row * COLS + 40 - off] - 100.0);
  }
  assert_near(difference / (13 * 4 * 21), 0, 5e-3);
  assert_int_equal(ct_sim_camera_slice_size(&config), 2 * 215 + 1);
  ct_sim_camera_free(camera);
}

static bool is_dark(const uint16_t *there, const uint16_t *flat, int row, int col)
{
  return there[row * COLS + col] < 0.9 * flat[row * COLS + col];
}

/* The round casing's middle lies on the axis in every row, and its top is higher to one side and lower to the other. */
static void an_axis_may_lean(void **state)
{
  (void)state;
  struct ct_sim_camera_config config = defaults();
  config.darks = 0;
  config.flats = 1;
  config.photons = 60000;
  config.tilt_deg = 4;
  struct ct_sim_camera *camera = make(config);
  static uint16_t flat[PIXELS], there[PIXELS];
  double slope = tan(4 * 3.14159265358979 / 180), angle_deg;
  ct_sim_camera_frame(camera, 0, 0, flat, &angle_deg);
  ct_sim_camera_frame(camera, 21, 0, there, &angle_deg);
  for (int row = 24; row < 40; row += 3) {
    int left = 0, right = COLS - 1;
    while (!is_dark(there, flat, row, left)) left++;
    while (!is_dark(there, flat, row, right)) right--;
    assert_near((left + right) / 2.0, config.axis_px + slope * (row - (ROWS - 1) / 2.0), 0.8);
  }
  int top[2] = { 0 };
  for (int side = 0; side < 2; side++)
    while (!is_dark(there, flat, top[side], side ? 220 : 40)) top[side]++;
  assert_near(top[0] - top[1], 180 * slope, 2);
  ct_sim_camera_free(camera);
}

/* What projections see over what flats promise has the spread that was asked for, the same in every frame. */
static void rings_and_dead_columns(void **state)
{
  (void)state;
  struct ct_sim_camera_config config = defaults();
  config.sample = CT_SIM_EMPTY;
  config.rings = 0.02;
  config.dead_columns = 6;
  config.darks = 0;
  config.flats = config.projections = 60;
  config.photons = 60000;
  struct ct_sim_camera *camera = make(config);
  static uint16_t pixels[PIXELS];
  static double flat[PIXELS], late[PIXELS], early[PIXELS];
  double angle_deg, spread = 0, same = 0;
  for (uint64_t k = 0; k < 120; k++) {
    ct_sim_camera_frame(camera, k, 0, pixels, &angle_deg);
    for (int p = 0; p < PIXELS; p++) (k < 60 ? flat : k < 90 ? early : late)[p] += (pixels[p] - 100.0) / (k < 60 ? 60 : 30);
  }
  int dead = 0;
  for (int col = 0; col < COLS; col++) dead += flat[col] < -99 && late[63 * COLS + col] < -99;
  assert_int_equal(dead, 6);
  for (int p = 0; p < PIXELS; p++) {
    if (flat[p] < 0) continue;
    spread += pow(late[p] / flat[p] - 1, 2) / (PIXELS - 6 * ROWS);
    same += (late[p] / flat[p] - 1) * (early[p] / flat[p] - 1) / (PIXELS - 6 * ROWS);
  }
  assert_near(sqrt(spread), 0.02, 0.0005);
  assert_near(same / spread, 1, 0.01);
  ct_sim_camera_free(camera);
}

static void frames_are_dropped(void **state)
{
  (void)state;
  struct ct_sim_camera_config config = defaults();
  int dropped = 0, as_before = 0;
  assert_false(ct_sim_camera_drops(&config, 7));
  config.drop = 0.1;
  for (uint64_t k = 0; k < 10000; k++) {
    bool drops = ct_sim_camera_drops(&config, k);
    dropped += drops;
    as_before += drops == ct_sim_camera_drops(&config, k);
  }
  assert_int_equal(as_before, 10000);
  assert_near(dropped, 1000, 5 * 30);
}

/* Rows of the true slice, added up, are what the camera sees at angle 0; rows of pores show; what grows is in both. */
static void slices_are_what_is_seen(void **state)
{
  (void)state;
  struct ct_sim_camera_config config = defaults();
  config.bubbles = config.dendrites = true;
  config.speedup = 1000;
  config.axis_px = 127.5;
  config.photons = 60000;
  struct ct_sim_camera *camera = make(config);
  double steel = 7.9 * (0.733 * AtomicWeight(26, NULL) * CS_Total(26, 114.64, NULL) +
                        0.191 * AtomicWeight(24, NULL) * CS_Total(24, 114.64, NULL) +
                        0.076 * AtomicWeight(28, NULL) * CS_Total(28, 114.64, NULL)) /
                 (0.733 * AtomicWeight(26, NULL) + 0.191 * AtomicWeight(24, NULL) + 0.076 * AtomicWeight(28, NULL));
  double cathode = 2.6 * CS_Total_CP("LiNi0.8Mn0.1Co0.1O2", 114.64, NULL), lithium = 0.534 * CS_Total(3, 114.64, NULL);
  static float before[COLS * COLS], after[COLS * COLS];
  ct_sim_camera_slice(camera, 0, 0.75, COLS, before);
  ct_sim_camera_slice(camera, 36, 0.75, COLS, after);   /* ten hours */
  assert_int_equal(ct_sim_camera_slice_size(&config), COLS);
#define AT(slice, x_mm, y_mm) ((double)slice[(int)floor(COLS / 2.0 - (y_mm) / 0.085) * COLS + (int)floor(COLS / 2.0 + (x_mm) / 0.085)])
  assert_near(AT(before, 9.87, 0), steel, 1e-3);
  assert_near(AT(before, 0, -2), cathode, 1e-3);
  assert_near(AT(before, -3.4, 2.6), 1.3 * CS_Total_CP("C3H4O3", 114.64, NULL), 1e-3);
  assert_near(AT(after, -3.4, 2.6), lithium, 1e-3);      /* a dendrite in the pore */
  assert_near(AT(before, -0.3, 4.6), cathode, 1e-3);
  assert_near(AT(after, -0.3, 4.6 + 0.9), 0, 1e-6);      /* a bubble of 1 mm */
  assert_near(AT(after, -0.3, 4.6 + 1.1), cathode, 1e-3);
  assert_near(AT(before, 10.5, 0), 0, 1e-6);
  for (int grown = 0; grown < 2; grown++) {
    double angle_deg;
    static uint16_t pixels[PIXELS];
    static double seen[3][COLS];
    const float *slice = grown ? after : before;
    uint32_t row = (uint32_t)(ROWS / 2.0 - (0.75 - 1.6) / 0.085);
    memset(seen, 0, sizeof seen);
    for (uint64_t scan = 0; scan < 40; scan++)
      for (int key = 0; key < 3; key++) {
        static const uint64_t of_key[3] = { 10, 5, 0 };
        ct_sim_camera_frame(camera, scan * 190 + of_key[key], grown ? 36 : 0, pixels, &angle_deg);
        for (int col = 0; col < COLS; col++) seen[key][col] += pixels[row * COLS + (uint32_t)col];
      }
    double error2 = 0;
    for (int col = 20; col < 236; col++) {
      double sum = 0;
      for (int y = 0; y < COLS; y++) sum += (double)slice[y * COLS + col] * 0.0085;
      error2 += pow(sum + log((seen[0][col] - seen[2][col]) / (seen[1][col] - seen[2][col])), 2) / 216;
    }
    assert_true(sqrt(error2) < 0.01);
  }
  ct_sim_camera_free(camera);
}

/* Shapes that are no multiple of anything, and a large one. */
static void other_shapes(void **state)
{
  (void)state;
  static const uint32_t shapes[][2] = { { 1, 1 }, { 3, 65 }, { 2160, 2560 } };
  for (int i = 0; i < 3; i++) {
    struct ct_sim_camera_config config = defaults();
    config.rows = shapes[i][0];
    config.cols = shapes[i][1];
    config.pixel_mm = 22.0 / (config.cols + 3);
    config.axis_px = (config.cols - 1) / 2.0;
    config.bubbles = config.dendrites = true;
    struct ct_sim_camera *camera = make(config);
    uint16_t *pixels = malloc((size_t)config.rows * config.cols * sizeof *pixels);
    double angle_deg, sum = 0;
    assert_non_null(pixels);
    ct_sim_camera_frame(camera, 5, 1e6, pixels, &angle_deg);
    for (size_t p = 0; p < (size_t)config.rows * config.cols; p++) sum += pixels[p];
    /* Mean of 1 - 0.15 x^2 - 0.1 y^2, or its middle. */
    double mean = sum / config.rows / config.cols - 100, expected = i == 0 ? 20000 : 20000 * (1 - 0.25 / 3);
    assert_near(mean / expected, 1, i == 2 ? 0.002 : 0.1);
    free(pixels);
    ct_sim_camera_free(camera);
  }
}

static void nonsense_is_refused(void **state)
{
  (void)state;
  struct ct_sim_camera_config bad[10];
  for (int i = 0; i < 10; i++) bad[i] = defaults();
  bad[9].tilt_deg = 11;
  bad[0].rows = 0;
  bad[1].cols = 5000;
  bad[2].pixel_mm = 0;
  bad[3].photons = 1e6;
  bad[4].projections = 0;
  bad[5].turn_deg = 90;
  bad[6].rings = -1;
  bad[7].dead_columns = 257;
  bad[8].drop = (double)NAN;
  for (int i = 0; i < 10; i++) {
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
    cmocka_unit_test(few_photons_are_counted),
    cmocka_unit_test(scans_turn_as_asked),
    cmocka_unit_test(opposite_views_are_mirrored),
    cmocka_unit_test(an_axis_may_lean),
    cmocka_unit_test(rings_and_dead_columns),
    cmocka_unit_test(frames_are_dropped),
    cmocka_unit_test(slices_are_what_is_seen),
    cmocka_unit_test(other_shapes),
    cmocka_unit_test(nonsense_is_refused),
  };
  return cmocka_run_group_tests_name("sim camera", tests, NULL, NULL);
}
