/* What viewers are told of the sensor beside its figures: where ROIs lie, where the windows are, how often pixels are hit. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "pipeline/faults.h"
#include "pipeline/picture.h"

enum { ROWS = 8, COLS = 12, PIXELS = ROWS * COLS, ROOM = 1 << 20 };

static struct ct_analysis_setup setup_of(const uint8_t *live, struct ct_roi rois[2])
{
  return (struct ct_analysis_setup){ .jobs = 1, .live = live, .rois = rois, .n_rois = 2, .frame_hz = 10, .min_counts = 50,
    .hexitec = { .rows = ROWS, .cols = COLS },
    .spectra = { PIXELS, { 0, 0.2, 1000 }, 60, 64 << 20 },
    .watch = { .sample_s = (double)INFINITY, .cusum_samples = 1, .bin = 8, .false_alarm = 0.05, .target_sigma = 0.001 },
    .compton = { .e1_keV = 114.64, .rows = ROWS, .cols = COLS, .axis = { 0, 0.2, 1000 }, .p_low = 1, .p_high = 5, .order = 1,
      .geometry = { .theta_deg = 90, .object_mm = 160, .detector_mm = 160, .pitch_mm = 0.25, .beam = CT_BEAM_PLUS_X,
                    .centre_x_px = 5.5, .centre_y_px = 3.5, .theta_map = false } } };
}

/* As configured, whatever is masked; two ROIs may share pixels. */
static void rois_are_where_they_are_configured(void **state)
{
  (void)state;
  static uint8_t live[PIXELS], left[PIXELS], top[PIXELS];
  static _Alignas(8) unsigned char block[ROOM];
  for (int i = 0; i < PIXELS; i++) {
    live[i] = i != 3;
    left[i] = i % COLS < 4;
    top[i] = i / COLS < 2;
  }
  struct ct_roi rois[2] = { { "left", left }, { "top", top } };
  struct ct_analysis_setup setup = setup_of(live, rois);
  struct ct_picture picture;
  struct ct_snapshot_builder builder;
  struct ct_wants_table wants = { .n = 1, .requests = { { .kind = CT_SECTION_ROIS } } };
  struct ct_rois_view view;
  assert_int_equal(ct_picture_init(&picture, &setup, NULL), 0);
  assert_int_equal(ct_snapshot_begin(&builder, block, sizeof block), 0);
  ct_picture_draw(&picture, &builder, &wants);
  const struct ct_snapshot *snapshot = ct_snapshot_finish(&builder);
  assert_true(ct_snapshot_rois(snapshot, &wants.requests[0], &view));
  assert_int_equal(view.head->rows, ROWS);
  assert_int_equal(view.head->cols, COLS);
  for (int i = 0; i < PIXELS; i++)
    assert_int_equal(view.rois[i], left[i] | top[i] << 1);
  assert_int_equal(snapshot->core.rois[0].pixels, 31);     /* one of its pixels is masked */
  ct_picture_fini(&picture);
}

/* Eq. 1 of the paper at 90 degrees, solved for E2 by bisection: pz = (E2 - E1 + E1 E2 / mc2) mc2 / (hbar c q), in atomic units. */
static double pz_of(double e2_keV)
{
  const double e1_keV = 114.64, mc2_keV = 510.99895, alpha = 0.0072973525693;
  double q_keV = sqrt(e1_keV * e1_keV + e2_keV * e2_keV);
  return (e1_keV * e2_keV / mc2_keV - (e1_keV - e2_keV)) / q_keV / alpha;
}

static void windows_are_at_the_energies_of_their_momenta(void **state)
{
  (void)state;
  static uint8_t live[PIXELS], all[PIXELS];
  static _Alignas(8) unsigned char block[ROOM];
  memset(live, 1, sizeof live);
  memset(all, 1, sizeof all);
  struct ct_roi rois[2] = { { "a", all }, { "b", all } };
  struct ct_analysis_setup setup = setup_of(live, rois);
  struct ct_picture picture;
  struct ct_snapshot_builder builder;
  struct ct_wants_table wants = { .n = 0 };
  static const double edges[4] = { -5, -1, 1, 5 };
  assert_int_equal(ct_picture_init(&picture, &setup, NULL), 0);
  assert_int_equal(ct_snapshot_begin(&builder, block, sizeof block), 0);
  ct_picture_draw(&picture, &builder, &wants);
  const struct ct_snapshot *snapshot = ct_snapshot_finish(&builder);
  for (int i = 0; i < 4; i++)
    assert_true(fabs(pz_of(snapshot->core.xcs.windows_keV[i]) - edges[i]) < 1e-3);
  ct_picture_fini(&picture);
}

/* Pixel p is hit in every (p % 7 + 1)th frame. */
static void hits_a_second_are_of_every_pixel(void **state)
{
  (void)state;
  enum { FRAMES = 840 * CT_HEALTH_EVERY };
  static const double frame_hz = 1000;
  static uint16_t pixels[PIXELS], dark[PIXELS], threshold[PIXELS];
  static double gradient[PIXELS], intercept[PIXELS];
  static uint8_t given[PIXELS];
  static _Alignas(8) unsigned char block[ROOM];
  for (int i = 0; i < PIXELS; i++) {
    dark[i] = 100;
    threshold[i] = 80;
    gradient[i] = 0.03;
    given[i] = i != 5;
  }
  struct ct_hexitec_setup setup = { .rows = ROWS, .cols = COLS, .dark_ADU = dark, .threshold_ADU = threshold, .gradient_keV = gradient,
                                    .intercept_keV = intercept };
  struct ct_hexitec *hexitec;
  struct ct_faults faults;
  struct ct_event events[PIXELS];
  assert_int_equal(ct_hexitec_new(&hexitec, &setup, NULL), 0);
  assert_int_equal(ct_faults_init(&faults, ROWS, COLS, given, frame_hz, false, NULL), 0);
  struct ct_frame frame = { .type = CT_U16, .rows = ROWS, .cols = COLS, .count = 1, .pixels = (const unsigned char *)pixels,
                            .bytes = sizeof pixels };
  for (uint64_t n = 0; n < FRAMES; n++) {
    struct ct_hexitec_tally tally = { 0 };
    uint64_t look = n / CT_HEALTH_EVERY;                   /* the same hits in all frames of which one is looked at */
    for (unsigned i = 0; i < PIXELS; i++)
      pixels[i] = look % (i % 7 + 1) == 0 ? 500 : 100;
    frame.number = n;
    ct_hexitec_find(hexitec, &frame, 0, 1);
    ct_hexitec_correct(hexitec, NULL);
    (void)ct_hexitec_events(hexitec, &frame, 0, events, &tally);
    ct_health_add(faults.health, hexitec, &frame, 0, tally.hits);
  }
  ct_faults_judge(&faults);
  struct ct_snapshot_builder builder;
  struct ct_request request = { .kind = CT_SECTION_MAP, .of = CT_MAP_HITS, .min_counts = (double)NAN };
  struct ct_map_view map;
  assert_int_equal(ct_snapshot_begin(&builder, block, sizeof block), 0);
  ct_faults_draw_hits(&faults, &builder, &request);
  assert_true(ct_snapshot_map(ct_snapshot_finish(&builder), &request, &map));
  assert_true(map.head->bin == 1 && map.head->of == CT_MAP_HITS);
  for (unsigned i = 0; i < PIXELS; i++) {
    double hits = 840.0 / (i % 7 + 1);
    if (i == 5) {
      assert_int_equal(map.cell[i], CT_CELL_MASKED);
      assert_true(isnan(map.intensity[i]));
      continue;
    }
    assert_true(fabs((double)map.intensity[i] / (frame_hz / (i % 7 + 1)) - 1) < 1e-5);
    assert_true(fabs((double)map.intensity_sigma[i] / (double)map.intensity[i] - 1 / sqrt(hits)) < 1e-5);
    assert_true(isnan(map.emf[i]));
  }
  ct_faults_fini(&faults);
  ct_hexitec_free(hexitec);
}

int main(void)
{
  const struct CMUnitTest tests[] = {
    cmocka_unit_test(rois_are_where_they_are_configured),
    cmocka_unit_test(windows_are_at_the_energies_of_their_momenta),
    cmocka_unit_test(hits_a_second_are_of_every_pixel),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
