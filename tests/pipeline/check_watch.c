/* Samples and scans, cut out of a stream of photons that is made here. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "pipeline/watch.h"

enum { EDGE = 16, PIXELS = EDGE * EDGE };
#define L_KEV 93.6f
#define H_KEV 96.0f

struct bed {
  struct ct_analysis_setup setup;
  struct ct_compton *compton;
  struct ct_spectra *spectra;
  struct ct_watch watch;
  uint8_t live[PIXELS], roi[PIXELS];
  const uint8_t *rois[1];
  struct ct_roi roi_setup;
  uint64_t frames;
};

static void open_bed(struct bed *b, double sample_s, uint32_t cusum_samples)
{
  memset(b, 0, sizeof *b);
  memset(b->live, 1, PIXELS);
  memset(b->roi, 1, PIXELS / 2);
  b->rois[0] = b->roi;
  b->setup.hexitec.rows = b->setup.hexitec.cols = EDGE;
  b->setup.n_rois = 1;
  b->setup.frame_hz = 10;
  b->setup.watch = (struct ct_watch_setup){ .sample_s = sample_s, .cusum_samples = cusum_samples, .cusum_k = 0.5,
    .cusum_h = 5, .bin = 8, .false_alarm = 0.05, .target_sigma = 0.001,
    .monitors = { .reference_samples = 2, .peak_keV = 0.05, .tilt_keV = 0.1, .line_keV = 0.05, .fwhm_keV = 0.02,
                  .asymmetry_sigmas = 3, .elastic = 5, .multiplicity = 0.05, .rate = 0.5, .bragg = 5, .bubble = 0.2,
                  .w = { 59.3182, 3.6, { 1, { 0 }, { 1 } } }, .pb = { 74.9693, 4.4, { 1, { 0 }, { 1 } } } } };
  b->setup.spectra = (struct ct_spectra_setup){ PIXELS, { 0, 0.2, 1000 }, CT_SPECTRA_SCAN, 64 << 20 };
  b->setup.compton = (struct ct_compton_setup){ .e1_keV = 114.64,
    .geometry = { .theta_deg = 90, .object_mm = 160, .detector_mm = 160, .pitch_mm = 0.25, .beam = CT_BEAM_PLUS_X,
                  .centre_x_px = 7.5, .centre_y_px = 7.5, .theta_map = false },
    .rows = EDGE, .cols = EDGE, .axis = { 0, 0.2, 1000 }, .p_low = 1, .p_high = 5, .order = 1 };
  assert_int_equal(ct_compton_new(&b->compton, &b->setup.compton, NULL), 0);
  assert_int_equal(ct_spectra_new(&b->spectra, &b->setup.spectra, NULL), 0);
  ct_watch_init(&b->watch, &b->setup, b->spectra, &b->compton, b->live, b->rois);
}

static void close_bed(struct bed *b)
{
  ct_watch_fini(&b->watch);
  ct_spectra_free(b->spectra);
  ct_compton_free(b->compton);
}

/* A frame at <t_s> in which every pixel has <l> photons of L and <h> of H; those of the upper half of rows, <more> of L. */
static void frame(struct bed *b, double t_s, const struct ct_attributes *at, int l, int h, int more)
{
  struct ct_event events[PIXELS];
  struct ct_frame f = { .count = 1, .rows = EDGE, .cols = EDGE, .arrival_ns = (int64_t)(t_s * 1e9) };
  struct ct_hexitec_tally tally = { .frames = 1 }, none = { 0 };
  if (at)
    f.attributes = *at;
  ct_watch_take(&b->watch, &f);
  for (int k = 0; k < l + h + more; k++) {
    uint32_t n = 0;
    for (uint32_t i = 0; i < (k < l + h ? PIXELS : PIXELS / 2); i++)
      events[n++] = (struct ct_event){ .pixel = i, .energy_keV = k < l || k >= l + h ? L_KEV : H_KEV };
    ct_spectra_add(b->spectra, f.arrival_ns, events, n, k == 0 ? &tally : &none);
  }
  b->frames++;
}

static struct ct_snapshot_core *draw(struct bed *b)
{
  static struct ct_snapshot_core core;
  memset(&core, 0, sizeof core);
  core.xcs.total_frames = b->frames;
  core.xcs.live_s = 1;
  core.xcs.emf.sigma = core.rois[0].emf.sigma = 0.01;
  ct_watch_draw(&b->watch, &core);
  return &core;
}

static void samples_are_disjoint_and_complete(void **state)
{
  (void)state;
  struct bed b;
  open_bed(&b, 10, 2);
  for (int i = 0; i < 1001; i++)     /* 100 s: ten samples, five steps */
    frame(&b, 1e6 + i / 10.0, NULL, 9, 10, 0);
  const struct ct_snapshot_core *core = draw(&b);
  assert_int_equal(core->xcs.change.samples, 10);
  assert_int_equal(core->xcs.change.steps, 5);
  assert_true(fabs(core->xcs.run.emf - 0.9) < 1e-9);
  assert_true(core->xcs.run.L == 1001.0 * 9 * PIXELS);
  assert_true(core->rois[0].run.L == 1001.0 * 9 * PIXELS / 2);
  assert_true(fabs(core->xcs.change.per_h) < 1e-6);          /* no noise here, and no change */
  assert_true(core->xcs.change.up == 0 && core->xcs.change.down == 0);
  assert_int_equal(core->drift.cells, 4);
  assert_false(core->drift.alarm);
  close_bed(&b);
}

static void a_change_in_half_of_the_sensor_is_told(void **state)
{
  (void)state;
  struct bed b;
  open_bed(&b, 10, 1);
  for (int i = 0; i < 3001; i++)
    frame(&b, i / 10.0, NULL, 9, 10, i > 1500 ? 1 : 0);
  const struct ct_snapshot_core *core = draw(&b);
  assert_true(core->rois[0].change.alarm);
  assert_true(core->rois[0].change.up > 5 && core->rois[0].change.per_h > 5 * core->rois[0].change.sigma_per_h);
  assert_true(core->drift.alarm);
  assert_int_equal(core->drift.beyond, 2);
  assert_true(core->drift.y == 0 && core->drift.z_max > core->drift.z_limit);
  close_bed(&b);
}

static void scans_begin_after_xct_and_at_triggers(void **state)
{
  (void)state;
  struct bed b;
  struct ct_attributes xcs = { .present = CT_HAS_MODE | CT_HAS_TRIGGER, .mode = CT_MODE_XCS, .trigger = 1 };
  struct ct_frame xct = { .count = 1, .attributes = { .present = CT_HAS_MODE, .mode = CT_MODE_XCT } };
  open_bed(&b, (double)INFINITY, 1);
  for (int i = 0; i < 30; i++)
    frame(&b, i / 10.0, &xcs, 9, 10, 0);
  ct_watch_other(&b.watch, &xct);
  for (int i = 0; i < 20; i++)
    frame(&b, 60 + i / 10.0, &xcs, 8, 10, 0);
  const struct ct_snapshot_core *core = draw(&b);
  assert_int_equal(core->xcs.scan, 2);
  assert_true(fabs(core->xcs.scan_emf.emf - 0.8) < 1e-9);
  assert_true(fabs(core->xcs.scan_live_s - 2) < 1e-9);
  assert_true(fabs(core->xcs.run.emf - (30 * 9 + 20 * 8) / 500.0) < 1e-9);
  assert_int_equal(core->xcs.change.samples, 1);            /* the first scan; the second is still open */
  assert_int_equal(ct_spectra_window_tally(b.spectra)->hexitec.frames, 20);
  xcs.trigger = 2;
  for (int i = 0; i < 15; i++)
    frame(&b, 62 + i / 10.0, &xcs, 7, 10, 0);
  core = draw(&b);
  assert_int_equal(core->xcs.scan, 3);
  assert_true(fabs(core->xcs.scan_emf.emf - 0.7) < 1e-9);
  assert_int_equal(core->xcs.change.samples, 2);
  close_bed(&b);
}

static void a_trigger_that_counts_frames_makes_no_scans(void **state)
{
  (void)state;
  struct bed b;
  struct ct_attributes at = { .present = CT_HAS_TRIGGER };
  open_bed(&b, 10, 1);
  for (int i = 0; i < 200; i++) {
    at.trigger = (uint64_t)i;
    frame(&b, i / 10.0, &at, 9, 10, 0);
  }
  assert_int_equal(draw(&b)->xcs.scan, 1);
  close_bed(&b);
}

static void another_depth_is_another_sample(void **state)
{
  (void)state;
  struct bed b;
  struct ct_attributes at = { .present = CT_HAS_Z, .z_mm = 0.75 };
  open_bed(&b, 1, 1);
  for (int i = 0; i < 300; i++) {
    if (i == 150)
      at.z_mm = 1.0;
    frame(&b, i / 10.0, &at, i < 150 ? 9 : 6, 10, 0);
  }
  const struct ct_snapshot_core *core = draw(&b);
  assert_int_equal(core->xcs.scan, 2);
  assert_int_equal(core->xcs.change.samples, 14);
  assert_false(core->xcs.change.alarm);
  close_bed(&b);
}

static void a_clock_set_back_stops_nothing(void **state)
{
  (void)state;
  struct bed b;
  open_bed(&b, 1, 1);
  for (int i = 0; i < 100; i++)
    frame(&b, (i < 50 ? 1e6 : 1e3) + i / 10.0, NULL, 9, 10, 0);
  assert_int_equal(draw(&b)->xcs.change.samples, 9);
  close_bed(&b);
}

static void time_to_target_follows_the_counts(void **state)
{
  (void)state;
  struct bed b;
  open_bed(&b, 10, 1);
  for (int i = 0; i < 100; i++)
    frame(&b, i / 10.0, NULL, 9, 10, 0);
  struct ct_snapshot_core *core = draw(&b);
  /* sigma/E = (1+E)/sqrt(N E): the error of a second of window is 0.01 by the bed, so 0.001 needs 100 s in all */
  double N = 100 * 19.0 * PIXELS, sigma = 0.9 * 1.9 / sqrt(N * 0.9);
  assert_true(fabs(core->xcs.run.sigma - sigma) < 1e-9);
  assert_true(fabs(core->xcs.target_s - (1e6 - 1 / (sigma * sigma)) / 1e4) < 1e-6);
  close_bed(&b);
}

/* One photon for every pixel, at <e_keV>. */
static void shine(struct bed *b, int64_t time_ns, double e_keV, uint32_t from, uint32_t to)
{
  struct ct_event events[PIXELS];
  struct ct_hexitec_tally tally = { .single = to - from };
  for (uint32_t i = from; i < to; i++)
    events[i - from] = (struct ct_event){ .pixel = i, .energy_keV = (float)e_keV };
  ct_spectra_add(b->spectra, time_ns, events, to - from, &tally);
}

/* A second of the instrument: Compton light, a line of W that is <shift> off, elastic light. */
static void second(struct bed *b, int at_s, double shift_keV, double beam, bool flash, bool bubble)
{
  struct ct_hexitec_tally doubles = { .dbl = (uint64_t)(300 * beam) };
  int64_t time_ns = (int64_t)at_s * CT_NS_PER_S;
  uint64_t noise = (uint64_t)at_s + 1;
  frame(b, at_s, NULL, 0, 0, 0);
  struct ct_hexitec_tally tally = { .frames = 10 };
  ct_spectra_add(b->spectra, time_ns, NULL, 0, &tally);
  ct_spectra_add(b->spectra, time_ns, NULL, 0, &doubles);
  for (int k = 0; k < (int)(50 * beam); k++) {
    noise = noise * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    shine(b, time_ns, k % 2 ? (double)L_KEV : (double)H_KEV, bubble ? 6 * EDGE : 0, PIXELS);
    shine(b, time_ns, 59.3182 + shift_keV + 0.4 * ((double)(noise >> 40) / (1 << 23) - 1), 0, PIXELS);
  }
  shine(b, time_ns, 114.6, 0, PIXELS);
  for (int k = 0; flash && k < 100; k++)
    shine(b, time_ns, 114.6, 8 * EDGE + 3, 8 * EDGE + 6);
}

static enum ct_monitor_state state_of(struct bed *b, enum ct_monitor which)
{
  return draw(b)->monitors.list[which].state;
}

static void monitors_learn_judge_and_let_go(void **state)
{
  (void)state;
  struct bed b;
  int t = 0;
  open_bed(&b, 10, 1);
  for (; t < 5; t++)
    second(&b, t, 0, 1, false, false);
  assert_int_equal(state_of(&b, CT_MONITOR_W_LINE), CT_MONITOR_LEARNING);     /* shown before the first sample is full */
  assert_int_equal(state_of(&b, CT_MONITOR_PB_LINE), CT_MONITOR_UNKNOWN);     /* there is none */
  for (; t < 41; t++)
    second(&b, t, 0, 1, false, false);
  for (int i = 0; i < CT_MONITORS; i++)
    if (i != CT_MONITOR_PB_LINE && i != CT_MONITOR_PB_FWHM && i != CT_MONITOR_PEAK && i != CT_MONITOR_TILT)
      assert_int_equal(state_of(&b, (enum ct_monitor)i), CT_MONITOR_FINE);
  const struct ct_snapshot_monitors *m = &draw(&b)->monitors;
  assert_true(fabs(m->list[CT_MONITOR_W_LINE].value - 59.3182) < 5 * m->list[CT_MONITOR_W_LINE].sigma);
  assert_true(m->list[CT_MONITOR_W_LINE].sigma < 0.01);
  assert_true(m->list[CT_MONITOR_ASYMMETRY].reference > 0.9);                 /* all of H is above the peak here */
  for (; t < 51; t++)
    second(&b, t, 0.1, 1, false, false);
  assert_int_equal(state_of(&b, CT_MONITOR_W_LINE), CT_MONITOR_FINE);         /* once is not enough */
  for (; t < 61; t++)
    second(&b, t, 0.1, 1, t < 60, true);     /* the frame of second 60 begins the next sample */
  assert_int_equal(state_of(&b, CT_MONITOR_W_LINE), CT_MONITOR_ALARM);
  m = &draw(&b)->monitors;
  assert_true(fabs(m->list[CT_MONITOR_W_LINE].moved - 0.1) < 5 * m->list[CT_MONITOR_W_LINE].moved_sigma);
  assert_int_equal(m->list[CT_MONITOR_BRAGG].state, CT_MONITOR_ALARM);        /* a flash is */
  assert_int_equal(m->list[CT_MONITOR_BRAGG].y, 8);
  for (; t < 71; t++)
    second(&b, t, 0, 0.4, false, true);
  m = &draw(&b)->monitors;
  assert_int_equal(m->list[CT_MONITOR_W_LINE].state, CT_MONITOR_FINE);
  assert_int_equal(m->list[CT_MONITOR_BRAGG].state, CT_MONITOR_FINE);
  assert_int_equal(m->list[CT_MONITOR_RATE].state, CT_MONITOR_ALARM);
  assert_int_equal(m->list[CT_MONITOR_BUBBLE].state, CT_MONITOR_ALARM);       /* the second sample with it */
  assert_true(m->list[CT_MONITOR_BUBBLE].y < 6 && m->bubble_loss > 0.9);
  close_bed(&b);
}

static void nothing_gives_no_number(void **state)
{
  (void)state;
  struct bed b;
  open_bed(&b, 10, 1);
  const struct ct_snapshot_core *core = draw(&b);
  assert_true(isnan(core->xcs.run.emf) && isnan(core->xcs.target_s) && isnan(core->xcs.change.per_h));
  assert_true(isnan(core->drift.z_max) && core->drift.x == -1);
  assert_int_equal(core->xcs.scan, 0);
  for (int i = 0; i < 300; i++)
    frame(&b, i, NULL, 0, 0, 0);
  core = draw(&b);
  assert_true(isnan(core->xcs.scan_emf.emf) && isnan(core->xcs.change.per_h) && !core->xcs.change.alarm);
  close_bed(&b);
}

int main(void)
{
  const struct CMUnitTest tests[] = {
    cmocka_unit_test(samples_are_disjoint_and_complete),
    cmocka_unit_test(a_change_in_half_of_the_sensor_is_told),
    cmocka_unit_test(scans_begin_after_xct_and_at_triggers),
    cmocka_unit_test(a_trigger_that_counts_frames_makes_no_scans),
    cmocka_unit_test(another_depth_is_another_sample),
    cmocka_unit_test(a_clock_set_back_stops_nothing),
    cmocka_unit_test(time_to_target_follows_the_counts),
    cmocka_unit_test(monitors_learn_judge_and_let_go),
    cmocka_unit_test(nothing_gives_no_number),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
