/* Properties of every picture at every size; aggregation, levels and colours against independent figures; the keys. */
#include <comptop/view.h>

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "samples.h"
#include "screen.h"
#include "view/heatmap.h"
#include "view/plot.h"
#include "view/words.h"

static void assert_title(enum ct_sample sample)
{
  const char *title = row_text(0);
  if (grid.cols >= 8)
    assert_memory_equal(title, "comptop", 7);
  if (grid.cols >= 18 && sample != CT_SAMPLE_EMPTY)
    assert_non_null(strstr(title, sample == CT_SAMPLE_EXTREME ? "RRRR" : "charge-02"));
}

static void every_size_is_whole(void **state)
{
  (void)state;
  uint32_t random = 1;
  for (int round = 0; round < 600; round++) {
    random = random * 1664525 + 1013904223;
    uint32_t bits = random >> 8;
    int rows = round < 80 ? round % 8 + 1 : (int)(bits % ROWS_MAX) + 1;
    int cols = round < 80 ? round + 1 : (int)(bits / ROWS_MAX % COLS_MAX) + 1;
    enum ct_sample sample = (enum ct_sample)(round % CT_SAMPLE_COUNT);
    ct_view_init(&view, round & 4, round & 8, 0.05);
    view.panel = (enum ct_panel)(round / 4 % (CT_PANEL_HEALTH + 1));
    view.help = round % 11 == 0;
    view.frozen = round % 13 == 0;
    view.cursor = round % 3 == 0;
    view.cursor_x = (int32_t)(bits % 100);
    view.quantity = (enum ct_quantity)(round / 5 % CT_QUANTITIES);
    view.bin = round % 7 == 0 ? 1 : 0;
    view.scope = (enum ct_scope)(round / 3 % 3);
    view.overlay = round % 9 == 0;
    view.n_rois = 2;
    render(ct_make_sample(sample, &view, rows, cols, 0), rows, cols);
    assert_glyphs();
    assert_title(sample);
  }
}

static void nothing_to_show(void **state)
{
  (void)state;
  ct_view_init(&view, true, true, 0.05);
  render(NULL, 24, 80);
  assert_glyphs();
  assert_true(screen_has("waiting for the run"));
  view.panel = CT_PANEL_TOMO;
  render(ct_make_sample(CT_SAMPLE_EMPTY, &view, 24, 80, 0), 24, 80);
  assert_true(screen_has("no camera stream"));
}

/* What ct_view_requests names is all a picture needs, and no less. */
static void requests_are_what_is_shown(void **state)
{
  (void)state;
  static const int all_rows[] = { 5, 12, 16, 24, 30, 31, 32, 45, 60 }, all_cols[] = { 20, 30, 40, 71, 72, 80, 100, 200 };
  for (int panel = CT_PANEL_OVERVIEW; panel <= CT_PANEL_HEALTH; panel++)
    for (int i = 0; i < 9 * 8; i++) {
      int rows = all_rows[i / 8], cols = all_cols[i % 8];
      struct ct_request request[CT_VIEW_REQUESTS];
      ct_view_init(&view, true, true, 0.05);
      view.panel = (enum ct_panel)panel;
      size_t n = ct_view_requests(&view, rows, cols, request, CT_VIEW_REQUESTS);
      assert_in_range(n, 0, CT_VIEW_REQUESTS);
      render(ct_make_sample(CT_SAMPLE_CELL, &view, rows, cols, 0), rows, cols);
      if (screen_has("waiting"))
        fail_msg("panel %d at %dx%d waits for what it has not asked for", panel, cols, rows);
      render(ct_make_sample(CT_SAMPLE_EMPTY, &view, rows, cols, 0), rows, cols);
      assert_int_equal(screen_has(panel == CT_PANEL_TOMO ? "no camera stream" : panel == CT_PANEL_CELL ? "no potentiostat is" : "no detector is"), n > 0);
      for (size_t k = 0; k < n; k++)
        for (size_t j = 0; j < k; j++)
          assert_false(ct_request_equal(&request[k], &request[j]));
    }
}

/* ---- the map ------------------------------------------------------------------------------------------------- */
struct map {
  struct ct_section_map head;
  float emf[64], sigma[64], counts[64], photons[64];
  uint8_t cell[64], edge[64];
};

static struct ct_map_view map_view(const struct map *map)
{
  return (struct ct_map_view){ &map->head, map->emf, map->sigma, map->counts, map->photons, map->photons, map->photons,
                               map->cell, map->edge };
}

/* Four pixels become one: the ratio of the sums, not the mean of the ratios; masked and faint ones stay out. */
static void cells_add_up_as_counts(void **state)
{
  (void)state;
  static const double L[4] = { 100, 300, 50, 900 }, H[4] = { 200, 150, 80, 1000 };
  static struct map map = { .head = { .rows = 2, .cols = 2, .bin = 1 } };
  for (int i = 0; i < 4; i++) {
    map.emf[i] = (float)(L[i] / H[i]);
    map.counts[i] = (float)(L[i] + H[i]);
    map.sigma[i] = (float)(L[i] / H[i] * sqrt(1 / L[i] + 1 / H[i]));
  }
  struct ct_map_view parts = map_view(&map);
  struct ct_scale scale = { .half = true, .pixel_rows = 2, .pixel_cols = 2, .dx = 2, .kx = 1, .dy = 2, .ky = 1 };
  for (int masked = 0; masked < 3; masked++) {
    map.cell[3] = (uint8_t)(masked == 1 ? CT_CELL_MASKED : masked == 2 ? CT_CELL_LOW : CT_CELL_OK);
    int n = masked ? 3 : 4;
    double sum_L = 0, sum_H = 0;
    for (int i = 0; i < n; i++) {
      sum_L += L[i];
      sum_H += H[i];
    }
    ct_view_init(&view, true, true, 0.05);
    ct_heatmap_update(&view, &parts, &scale);
    assert_int_equal(view.memory.rows * view.memory.cols, 1);
    assert_true(fabs((double)view.memory.value[0] / (sum_L / sum_H) - 1) < 1e-6);
  }
  map.cell[3] = CT_CELL_OK;
  /* Equal ratios: the error of the sum is that of the summed counts, L/H sqrt(1/L + 1/H). */
  for (int i = 0; i < 4; i++) {
    map.emf[i] = 0.8f;
    map.counts[i] = 1800;
    map.photons[i] = 5000 + (float)i;
    map.sigma[i] = (float)(0.8 * sqrt(1 / 800.0 + 1 / 1000.0));
  }
  view.quantity = CT_SHOW_SIGMA;
  ct_heatmap_update(&view, &parts, &scale);
  assert_true(fabs((double)view.memory.value[0] / (0.8 * sqrt(1 / 3200.0 + 1 / 4000.0)) - 1) < 1e-6);
  /* The counts of a place are all its photons, as in the samples, not those of the two bands. */
  assert_true(ct_heatmap_read(&parts, 1, 1).photons == 5003);
  view.quantity = CT_SHOW_COUNTS;
  ct_heatmap_update(&view, &parts, &scale);
  assert_true(view.memory.value[0] == 20006);
}

/* Noise well below a level's width repaints nothing; a real change goes through. */
static void noise_does_not_repaint(void **state)
{
  (void)state;
  static struct ct_glyph last[24 * 80];
  size_t cells = 0, changed = 0, unsteady = 0;
  for (int smooth = 0; smooth < 2; smooth++) {
    ct_view_init(&view, true, true, 0.05);
    view.smooth = smooth;
    for (unsigned frame = 0; frame < 30; frame++) {
      render(ct_make_sample(CT_SAMPLE_CELL, &view, 24, 80, frame), 24, 80);
      for (int row = 3; row < 23 && frame >= 10; row++)
        for (int col = 0; col < 40; col++) {
          int i = row * 80 + col;
          bool differs = memcmp(&grid.glyphs[i], &last[i], sizeof *last) != 0;
          cells += smooth ? 1 : 0;
          changed += smooth && differs;
          unsteady += !smooth && differs;
        }
      memcpy(last, grid.glyphs, sizeof last);
    }
  }
  assert_true(changed * 100 < cells);      /* below one in a hundred */
  assert_true(unsteady > 10 * changed);    /* and far more without */
}

static void levels_follow_a_real_change(void **state)
{
  (void)state;
  static struct map map = { .head = { .rows = 8, .cols = 8, .bin = 1 } };
  for (int i = 0; i < 64; i++) {
    map.emf[i] = (float)(0.5 + i / 64.0);
    map.sigma[i] = 0.001f;
    map.counts[i] = 1000;
  }
  struct ct_map_view parts = map_view(&map);
  struct ct_scale scale = { .half = true, .pixel_rows = 8, .pixel_cols = 8, .dx = 1, .kx = 1, .dy = 1, .ky = 1 };
  ct_view_init(&view, true, true, 0.05);
  ct_heatmap_update(&view, &parts, &scale);
  struct ct_view_memory *kept = &view.memory;
  double bin = (kept->high - kept->low) / CT_LEVELS;
  for (int i = 0; i < 64; i++) {      /* first: the level the value lies in */
    double at = ((double)map.emf[i] - kept->low) / bin;
    assert_int_equal(kept->level[i], at >= CT_LEVELS ? CT_LEVELS - 1 : at < 0 ? 0 : (int)at);
  }
  int8_t before = kept->level[32];
  double low = kept->low, centre = low + (before + 0.5) * bin;
  for (int step = 0; step < 40; step++) {      /* 0.9 of a bin off the centre: stays */
    map.emf[32] = (float)(centre + (step % 2 ? 0.9 : -0.9) * bin);
    ct_heatmap_update(&view, &parts, &scale);
    assert_int_equal(kept->level[32], before);
  }
  map.emf[32] = (float)(centre + 3 * bin);
  for (int step = 0; step < 40; step++)
    ct_heatmap_update(&view, &parts, &scale);
  assert_true(kept->low == low);
  assert_in_range(kept->level[32], before + 2, before + 4);
}

static void signs_are_not_colours(void **state)
{
  (void)state;
  static struct map map = { .head = { .rows = 8, .cols = 8, .bin = 1 } };
  for (int i = 0; i < 64; i++) {
    map.emf[i] = i < 32 ? 0.9f : (float)NAN;
    map.sigma[i] = 0.01f;
    map.counts[i] = 1000;
    map.cell[i] = (uint8_t)(i < 32 ? CT_CELL_OK : i < 48 ? CT_CELL_LOW : CT_CELL_MASKED);
  }
  map.emf[0] = (float)NAN;           /* good, yet not a number */
  map.sigma[1] = 0.6f;               /* below two sigma */
  struct ct_map_view parts = map_view(&map);
  struct ct_scale scale = { .half = true, .pixel_rows = 8, .pixel_cols = 8, .dx = 1, .kx = 1, .dy = 1, .ky = 1 };
  ct_view_init(&view, true, true, 0.05);
  ct_heatmap_update(&view, &parts, &scale);
  assert_int_equal(view.memory.level[0], CT_LEVEL_NAN);
  assert_int_equal(view.memory.level[1], CT_LEVEL_FAINT);
  for (int i = 2; i < 64; i++)
    if (i < 32)
      assert_in_range(view.memory.level[i], 0, CT_LEVELS - 1);
    else
      assert_int_equal(view.memory.level[i], i < 48 ? CT_LEVEL_FAINT : CT_LEVEL_MASKED);
}

/* Pictures keep square pixels, whole steps, and stay inside their room. */
static void scales_fit(void **state)
{
  (void)state;
  static const uint32_t sensors[][2] = { { 80, 80 }, { 160, 160 }, { 160, 480 }, { 1, 1 }, { 7, 13 }, { 80, 1 } };
  for (int utf8 = 0; utf8 < 2; utf8++)
    for (int s = 0; s < 6; s++)
      for (int rows = 1; rows < 70; rows += 3)
        for (int cols = 1; cols < 220; cols += 7) {
          struct ct_section_map head = { .rows = sensors[s][0], .cols = sensors[s][1], .bin = 1 };
          struct ct_map_view map = { .head = &head };
          ct_view_init(&view, utf8, utf8, 0.05);
          struct ct_scale scale = ct_heatmap_scale(&view, &map, rows, cols);
          assert_in_range(scale.rows, 1, rows);
          assert_in_range(scale.cols, 1, cols);
          /* pixels per sample: across, and down with a sample twice as high where it is a whole character */
          assert_int_equal(scale.dy * scale.kx, scale.dx * scale.ky * (utf8 ? 1 : 2));
        }
  struct ct_section_map head = { .rows = 80, .cols = 80, .bin = 1 };
  struct ct_map_view map = { .head = &head };
  ct_view_init(&view, true, true, 0.05);
  struct ct_scale scale = ct_heatmap_scale(&view, &map, 20, 40);      /* 80 x 80 in 40 x 20 exactly */
  assert_int_equal(scale.rows, 20);
  assert_int_equal(scale.cols, 40);
}

/* CIE L* of an xterm colour: sRGB to linear, luminance by Rec. 709, cube root. */
static double lightness(int colour)
{
  static const double steps[6] = { 0, 95, 135, 175, 215, 255 };
  double rgb[3];
  for (int i = 0; i < 3; i++) {
    int cube = colour - 16, part = i == 0 ? cube / 36 : i == 1 ? cube / 6 % 6 : cube % 6;
    double value = (colour >= 232 ? 8 + 10 * (colour - 232) : steps[part]) / 255;
    rgb[i] = value <= 0.04045 ? value / 12.92 : pow((value + 0.055) / 1.055, 2.4);
  }
  double y = 0.2126 * rgb[0] + 0.7152 * rgb[1] + 0.0722 * rgb[2];
  return y > 0.008856 ? 116 * cbrt(y) - 16 : 903.3 * y;
}

static void ramps_rise(void **state)
{
  (void)state;
  for (int ramp = 0; ramp < CT_RAMP_COUNT; ramp++)
    for (int level = 0; level < CT_LEVELS; level++) {
      int colour = ct_ramp_colour((enum ct_ramp)ramp, level);
      assert_in_range(colour, 16, 255);
      if (level == 0)
        continue;
      int before = ct_ramp_colour((enum ct_ramp)ramp, level - 1);
      if (ramp != CT_RAMP_CIVIDIS || before != colour)      /* twelve of its sixteen levels differ */
        assert_true(lightness(colour) > lightness(before));
    }
}

static void hostile_sections(void **state)
{
  (void)state;
  static _Alignas(64) unsigned char block[1 << 20];
  struct ct_snapshot_builder builder;
  struct ct_request request[CT_VIEW_REQUESTS];
  ct_view_init(&view, true, true, 0.05);
  view.cursor = true;
  view.cursor_x = view.cursor_y = INT32_MAX;
  for (uint32_t round = 0; round < 40; round++) {
    double odd[] = { (double)NAN, (double)INFINITY, -(double)INFINITY, 0, -1, 1e308, -1e308, 1e-308 };
    assert_int_equal(ct_snapshot_begin(&builder, block, sizeof block), 0);
    builder.snapshot->core.xcs.present = builder.snapshot->core.cell.present = builder.snapshot->core.ct.present = true;
    builder.snapshot->core.n_streams = builder.snapshot->core.n_rois = builder.snapshot->core.n_alarms = 99;
    size_t n = ct_view_requests(&view, 60, 200, request, CT_VIEW_REQUESTS);
    for (size_t i = 0; i < n; i++) {
      struct ct_map_parts map;
      struct ct_profile_parts profile;
      struct ct_spectrum_parts spectrum;
      struct ct_trend_parts trend;
      struct ct_slice_parts slice;
      struct ct_image_parts image;
      uint32_t size = round % 5 + 1;
      struct ct_rois_parts rois;
      struct ct_marks_parts marks;
      if (request[i].kind == CT_SECTION_ROIS && ct_snapshot_add_rois(&builder, &request[i], size * 3, 9, &rois))
        memset(rois.rois, (int)round, size * 27 * sizeof *rois.rois);
      if (request[i].kind == CT_SECTION_MARKS && ct_snapshot_add_marks(&builder, &request[i], size, &marks))
        for (uint32_t k = 0; k < size; k++) {
          marks.marks[k] = (struct ct_snapshot_mark){ .t_s = odd[(k + round) % 8], .kind = k % 6 };
          memset(marks.marks[k].text, 0x80 | (int)round, sizeof marks.marks[k].text - 1);
        }
      if (request[i].kind == CT_SECTION_SLICE && ct_snapshot_add_slice(&builder, &request[i], size, &slice))
        for (uint32_t k = 0; k < size * size; k++)
          slice.values[k] = (float)odd[(k + round) % 8];
      if (request[i].kind == CT_SECTION_IMAGE && ct_snapshot_add_image(&builder, &request[i], size, 7, &image))
        for (uint32_t k = 0; k < size * 7; k++)
          image.values[k] = (float)odd[(k * 3 + round) % 8];
      if (request[i].kind == CT_SECTION_MAP && ct_snapshot_add_map(&builder, &request[i], size, 3, &map)) {
        map.head->bin = round == 0 ? 0 : round == 1 ? UINT32_MAX : round;
        map.head->median_sigma = odd[round % 8];
        for (uint32_t k = 0; k < size * 3; k++) {
          map.emf[k] = (float)odd[(k + round) % 8];
          map.sigma[k] = (float)odd[(k + round / 2) % 8];
          map.counts[k] = (float)odd[(k + round / 3) % 8];
          map.photons[k] = (float)odd[(k + round / 5) % 8];
        }
      } else if (request[i].kind == CT_SECTION_PROFILE && ct_snapshot_add_profile(&builder, &request[i], size, &profile)) {
        for (uint32_t k = 0; k < size; k++) {
          profile.pz[k] = odd[(k + round) % 8];
          profile.J[k] = odd[(k + round / 2) % 8];
          profile.sigma[k] = odd[(k + round / 3) % 8];
        }
      } else if (request[i].kind == CT_SECTION_SPECTRUM && ct_snapshot_add_spectrum(&builder, &request[i], size, &spectrum)) {
        spectrum.head->width_keV = odd[round % 8];
        for (uint32_t k = 0; k < size; k++)
          spectrum.counts[k] = odd[(k + round) % 8];
      } else if (request[i].kind == CT_SECTION_TREND && ct_snapshot_add_trend(&builder, &request[i], size, &trend)) {
        for (uint32_t k = 0; k < size; k++) {
          trend.t_s[k] = odd[(k + round) % 8];
          trend.emf[k] = odd[(k + round / 2) % 8];
          trend.sigma[k] = odd[(k + round / 3) % 8];
          trend.v_V[k] = odd[(k + round) % 8];
        }
      }
    }
    render(ct_snapshot_finish(&builder), 60, 200);
    assert_glyphs();
  }
}

static void press(const char *keys)
{
  for (; *keys != '\0'; keys++) {
    uint32_t key = *keys == 'R' ? CT_PRESS_RIGHT : *keys == 'U' ? CT_PRESS_UP : (uint32_t)*keys;
    assert_int_equal(ct_view_key(&view, key), CT_KEY_DONE);
    render(ct_make_sample(CT_SAMPLE_CELL, &view, 24, 80, 0), 24, 80);
  }
}

/* Where the plane on the screen goes through. */
static struct ct_point point_wanted(void)
{
  struct ct_request requests[CT_VIEW_REQUESTS];
  size_t n = ct_view_requests(&view, 24, 80, requests, CT_VIEW_REQUESTS);
  for (size_t i = 0; i < n; i++)
    if (requests[i].kind == CT_SECTION_IMAGE)
      return requests[i].at;
  fail_msg("no plane is asked for");
  return (struct ct_point){ 0 };
}

/* Pictures of 120 x 160 values of a camera with so many columns: the cursor's place in pixels of the camera. */
static void planes_follow_the_keys(void **state)
{
  (void)state;
  const struct ct_snapshot_ct *ct = &ct_make_sample(CT_SAMPLE_CELL, &view, 24, 80, 0)->core.ct;
  double fov_px = ct->rotation_deg > 270 ? 2 * fmax(ct->axis_px + 0.5, ct->cols - 0.5 - ct->axis_px) : ct->cols, pixel = fov_px / 160;
  int32_t rows = (int32_t)ct->rows, slice_row = (int32_t)ct->slice_row;
  ct_view_init(&view, true, true, 0.05);
  press("4uuu");
  assert_int_equal(point_wanted().row, CT_ROW_OF_SLICE);
  press("RRRUU");                                           /* the first one shows it */
  double right = view.spot_x - 79.5, up = 59.5 - view.spot_y;
  assert_true(right > 0 && up > 0);
  press("p");
  assert_int_equal(point_wanted().x, lround(right * pixel));
  assert_int_equal(point_wanted().y, lround(up * pixel));
  assert_true(screen_has("206 projections"));
  int32_t step = (int32_t)lround(pixel * view.spot_step);
  press("}");                                               /* up, which is to lower rows */
  assert_int_equal(point_wanted().row, slice_row - step);
  struct ct_point at = point_wanted();
  press("uRRUUp");                                          /* from the front */
  right = view.spot_x - 79.5;
  up = 59.5 - view.spot_y;
  assert_int_equal(point_wanted().x, lround(right * pixel));
  assert_int_equal(point_wanted().y, at.y);
  int32_t row = (int32_t)lround((rows - 1) / 2.0 - up * pixel);
  assert_int_equal(point_wanted().row, row < 0 ? 0 : row);
  press("{");
  assert_int_equal(point_wanted().y, at.y - step);
  at = point_wanted();
  press("u}");                                              /* from the side */
  assert_int_equal(point_wanted().x, at.x + step);
  press("u><<tT");                                          /* oblique */
  assert_int_equal(point_wanted().turn_deg, 30);
  assert_int_equal(point_wanted().tilt_deg, 45);
  assert_true(screen_has("turned 30"));
  struct ct_request whole;
  assert_true(ct_view_whole(&view, &whole));
  assert_int_equal(whole.x, CT_IMAGE_OBLIQUE);
  assert_int_equal(whole.size, 0);
  press("u");
  assert_true(ct_view_whole(&view, &whole));
  assert_int_equal(whole.x, CT_IMAGE_VOLUME);
  press("uu");
  assert_false(ct_view_whole(&view, &whole));
}

static void health_tells_of_the_link(void **state)
{
  (void)state;
  ct_view_init(&view, true, true, 0.05);
  view.panel = CT_PANEL_HEALTH;
  render(ct_make_sample(CT_SAMPLE_CELL, &view, 24, 80, 0), 24, 80);
  assert_false(screen_has("B a frame"));                  /* a log line has no link */
  view.link = (struct ct_view_link){ .refresh_hz = 0.5, .lag_s = 2.5, .shown = 10, .skipped = 3, .bytes = 6500, .slowed = true };
  render(ct_make_sample(CT_SAMPLE_CELL, &view, 24, 80, 0), 24, 80);
  assert_true(screen_has("0.5 Hz slowed for the link  lag 2.5 s  650 B a frame  3 skipped"));
  assert_true(screen_has("link 2.5 s behind"));
}

/* The whole text of the screen, rows joined by one space where they were broken. */
static const char *flowing_text(void)
{
  static char text[ROWS_MAX * (COLS_MAX + 1) + 1];
  char *out = text;
  for (int row = 0; row < grid.rows; row++)
    for (const char *at = row_text(row); *at != '\0'; at++)
      if (*at != ' ' || (out > text && out[-1] != ' '))
        *out++ = *at;
  *out = '\0';
  return text;
}

/* Every alarm to its last word, the gravest first, at any width; what does not fit is a few arrows away. */
static void health_shows_alarms_whole(void **state)
{
  (void)state;
  static _Alignas(64) unsigned char block[1 << 20];
  struct ct_snapshot_builder builder;
  static const int sizes[][2] = { { 70, 220 }, { 40, 100 }, { 24, 80 }, { 14, 40 } };
  assert_int_equal(ct_snapshot_begin(&builder, block, sizeof block), 0);
  struct ct_snapshot_core *core = &builder.snapshot->core;
  core->wall_ns = 1000000 * CT_NS_PER_S;
  core->n_alarms = 12;
  for (uint32_t i = 0; i < core->n_alarms; i++) {
    struct ct_snapshot_alarm *alarm = &core->alarms[i];
    alarm->severity = i % 3 == 0 ? CT_WARNING : i % 3 == 1 ? CT_NOTICE : CT_CRITICAL;
    alarm->since_ns = core->wall_ns - (int64_t)(i % 2 ? i : 40 - i) * CT_NS_PER_S;
    int n = snprintf(alarm->text, sizeof alarm->text, "<%u", (unsigned)i);
    while (n < 240)
      n += snprintf(alarm->text + n, sizeof alarm->text - (size_t)n, " word%u-%d", (unsigned)i, n);
    strcat(alarm->text, "!");
  }
  const struct ct_snapshot *snapshot = ct_snapshot_finish(&builder);
  for (size_t k = 0; k < sizeof sizes / sizeof *sizes; k++) {
    bool begun[12] = { false }, ended[12] = { false };
    int order[12], n = 0;
    ct_view_init(&view, true, true, 0.05);
    ct_view_key(&view, '6');
    for (int step = 0; step < 200; step++) {
      render(snapshot, sizes[k][0], sizes[k][1]);
      assert_glyphs();
      const char *text = flowing_text();
      for (int i = 0; i < 12; i++) {
        char first[16], last[24], *at = strrchr(core->alarms[i].text, 'd');
        snprintf(first, sizeof first, "<%d ", i);
        snprintf(last, sizeof last, "wor%s", at);
        if (!begun[i] && strstr(text, first) != NULL)
          begun[i] = true;
        ended[i] = ended[i] || strstr(text, last) != NULL;
      }
      ct_view_key(&view, CT_PRESS_DOWN);
    }
    for (int i = 0; i < 12; i++)
      assert_true(begun[i] && ended[i]);
    view.scroll = 0;
    render(snapshot, 70, 220);
    for (int row = 2; row < grid.rows; row++) {      /* below the line that has the gravest one */
      const char *at = strchr(row_text(row), '<');
      if (at != NULL && n < 12 && at[1] >= '0' && at[1] <= '9')
        order[n++] = atoi(at + 1);
    }
    assert_int_equal(n, 12);
    for (int i = 1; i < n; i++) {
      const struct ct_snapshot_alarm *a = &core->alarms[order[i - 1]], *b = &core->alarms[order[i]];
      assert_true(a->severity > b->severity || (a->severity == b->severity && a->since_ns >= b->since_ns));
    }
    assert_true(screen_has("CRITICAL") && screen_has("for 38 s:"));
  }
}

/* All of the help can be read at every size, and at 80 x 24 at once. */
static void the_help_is_whole(void **state)
{
  (void)state;
  static const int sizes[][2] = { { 24, 80 }, { 60, 200 }, { 16, 40 }, { 8, 30 } };
  static const char *const words[] = { "map, profile,", "freeze", "adaptive", "q F10", "beyond the bar" };
  for (size_t k = 0; k < sizeof sizes / sizeof *sizes; k++) {
    bool found[5] = { false };
    ct_view_init(&view, true, true, 0.05);
    ct_view_key(&view, '?');
    for (int step = 0; step < 100; step++) {
      render(ct_make_sample(CT_SAMPLE_CELL, &view, sizes[k][0], sizes[k][1], 0), sizes[k][0], sizes[k][1]);
      assert_glyphs();
      for (int i = 0; i < 5; i++)
        found[i] = found[i] || strstr(flowing_text(), words[i]) != NULL;
      if (k < 2)
        assert_int_equal(view.scroll_max, 0);
      else
        assert_int_equal(ct_view_key(&view, CT_PRESS_DOWN), CT_KEY_DONE);
      assert_true(view.help);
    }
    for (int i = 0; i < 5; i++)
      assert_true(found[i]);
  }
}

/* ---- the range and the reference -------------------------------------------------------------------------- */
static void the_range_is_kept_where_it_is_locked(void **state)
{
  (void)state;
  ct_view_init(&view, true, true, 0.05);
  ct_view_key(&view, '1');
  render(ct_make_sample(CT_SAMPLE_CELL, &view, 24, 80, 0), 24, 80);
  assert_true(screen_has("range auto, p1-p99"));
  double low = view.memory.low, high = view.memory.high;
  ct_view_key(&view, 'A');
  ct_view_key(&view, 'u');
  render(ct_make_sample(CT_SAMPLE_CELL, &view, 24, 80, 1), 24, 80);
  assert_true(view.memory.high < high);                   /* errors have a range of their own, which is not locked */
  assert_true(screen_has("range auto"));
  for (int i = 1; i < CT_QUANTITIES; i++)
    ct_view_key(&view, 'u');
  for (uint32_t bin = 1; bin <= 8; bin *= 2) {
    view.bin = bin;
    render(ct_make_sample(CT_SAMPLE_CELL, &view, 30, 100, bin), 30, 100);
    assert_true(view.memory.low == low && view.memory.high == high);      /* exact */
    assert_true(screen_has("LOCKED") && screen_has("range locked"));
  }
  ct_view_key(&view, 'a');
  render(ct_make_sample(CT_SAMPLE_CELL, &view, 30, 100, 0), 30, 100);
  assert_false(screen_has("LOCKED"));
}

static void scales_spread_the_colours(void **state)
{
  (void)state;
  struct ct_view_memory *map = &view.memory;
  for (int scale = 0; scale < CT_SCALES; scale++) {
    map->scale = (enum ct_map_scale)scale;
    map->low = 4;
    map->high = 400;
    for (int i = 0; i <= 16; i++)
      assert_true(fabs(ct_range_fraction(map, ct_range_value(map, i / 16.0)) - i / 16.0) < 1e-12);
    assert_true(fabs(ct_range_value(map, 1) - 400) < 1e-9);
  }
  map->scale = CT_SCALE_LOG;
  assert_true(fabs(ct_range_value(map, 0.5) - 40) < 1e-9);        /* the geometric mean */
  map->low = 0;
  assert_true(fabs(ct_range_value(map, 0) - 0.4) < 1e-12);        /* three decades */
  assert_int_equal(ct_range_level(map, 0, -1), 0);
  assert_int_equal(ct_range_level(map, -5, -1), 0);
  map->scale = CT_SCALE_SQRT;
  assert_true(fabs(ct_range_value(map, 0.5) - 100) < 1e-9);
  map->scale = CT_SCALE_LOG;
  map->low = -2;
  map->high = -1;                                                 /* no logarithm: linear */
  assert_true(fabs(ct_range_fraction(map, -1.5) - 0.5) < 1e-12);
  ct_view_init(&view, true, true, 0.05);
  ct_view_key(&view, '1');
  static const char *const words[] = { "colours linear", "colours square root", "colours logarithmic" };
  for (int i = 0; i < 3; i++) {
    render(ct_make_sample(CT_SAMPLE_CELL, &view, 24, 80, 0), 24, 80);
    assert_true(screen_has(words[i]));
    ct_view_key(&view, 'l');
  }
  assert_true(view.log_scale);                                    /* that of the spectrum is another */
}

/* A shared range holds all pictures since it was chosen: it grows with a wider one and stays for a narrower one. */
static void a_shared_range_only_grows(void **state)
{
  (void)state;
  ct_view_init(&view, true, true, 0.05);
  ct_view_key(&view, '1');
  view.quantity = CT_SHOW_COUNTS;
  view.bin = 1;
  view.smooth = false;
  render(ct_make_sample(CT_SAMPLE_FAINT, &view, 24, 80, 0), 24, 80);
  double faint = view.memory.high;
  ct_view_key(&view, 'a');
  render(ct_make_sample(CT_SAMPLE_CELL, &view, 24, 80, 0), 24, 80);
  double bright = view.memory.high;
  assert_true(bright > 5 * faint && screen_has("SHARED") && screen_has("range shared"));
  render(ct_make_sample(CT_SAMPLE_FAINT, &view, 24, 80, 0), 24, 80);
  assert_true(view.memory.high == bright);      /* exact: not set anew */
  ct_view_key(&view, 'a');
  render(ct_make_sample(CT_SAMPLE_FAINT, &view, 24, 80, 0), 24, 80);
  assert_true(view.memory.high < bright / 5);
}

/* The difference of two known maps, with the error of both; zero is the middle of the range. */
static void the_difference_is_to_the_reference(void **state)
{
  (void)state;
  static _Alignas(64) unsigned char block[2][1 << 20];
  const struct ct_snapshot *snapshots[2];
  ct_view_init(&view, true, true, 0.05);
  view.panel = CT_PANEL_MAP;
  view.bin = 4;
  for (int k = 0; k < 2; k++) {
    struct ct_snapshot_builder builder;
    struct ct_map_parts map;
    struct ct_request request;
    assert_int_equal(ct_snapshot_begin(&builder, block[k], sizeof block[k]), 0);
    builder.snapshot->core.xcs.present = true;
    assert_int_equal(ct_view_requests(&view, 24, 80, &request, 1), 2);
    assert_true(ct_snapshot_add_map(&builder, &request, 20, 20, &map));
    map.head->bin = 4;
    for (int i = 0; i < 400; i++) {
      map.emf[i] = k == 0 ? 0.9f : i % 20 < 10 ? 0.8f : 1.0f;
      map.sigma[i] = k == 0 ? 0.03f : 0.04f;
      map.counts[i] = map.photons[i] = k == 0 ? 1000 : 1200;
      map.cell[i] = k == 0 && i == 45 ? CT_CELL_MASKED : k == 1 && i == 46 ? CT_CELL_LOW : CT_CELL_OK;
    }
    snapshots[k] = ct_snapshot_finish(&builder);
  }
  render(snapshots[0], 24, 80);
  ct_view_key(&view, 'd');
  render(snapshots[0], 24, 80);
  assert_true(screen_has("no reference yet"));
  ct_view_key(&view, 'D');
  render(snapshots[0], 24, 80);
  assert_int_equal(view.reference.rows, 20);
  assert_true(fabsf(view.memory.value[100]) < 1e-6f);
  view.smooth = false;
  static const struct { enum ct_quantity quantity; double left, right; } expected[] = {
    { CT_SHOW_EMF, -0.1, 0.1 }, { CT_SHOW_SIGMA, 0.05, 0.05 }, { CT_SHOW_SIGNIFICANCE, -2, 2 }, { CT_SHOW_COUNTS, 200, 200 } };
  for (size_t i = 0; i < sizeof expected / sizeof *expected; i++) {
    view.quantity = expected[i].quantity;
    render(snapshots[1], 24, 80);
    assert_glyphs();
    assert_true(fabs((double)view.memory.value[60] - expected[i].left) < 1e-4);
    assert_true(fabs((double)view.memory.value[75] - expected[i].right) < 1e-4);
    assert_int_equal(view.memory.level[45], CT_LEVEL_MASKED);
    if (view.quantity != CT_SHOW_COUNTS)
      assert_int_equal(view.memory.level[46], CT_LEVEL_FAINT);
    if (view.quantity != CT_SHOW_SIGMA)
      assert_true(view.memory.low == -view.memory.high);
  }
  ct_view_key(&view, 'd');
  view.quantity = CT_SHOW_EMF;
  render(snapshots[1], 24, 80);
  assert_true(fabs((double)view.memory.value[60] - 0.8) < 1e-5);
}

static void the_diverging_ramp_is_lightest_in_its_middle(void **state)
{
  (void)state;
  for (int level = 1; level < CT_LEVELS; level++) {
    double before = lightness(ct_ramp_colour(CT_RAMP_DIVERGING, level - 1)), now = lightness(ct_ramp_colour(CT_RAMP_DIVERGING, level));
    if (level < CT_LEVELS / 2)
      assert_true(now > before);
    else if (level > CT_LEVELS / 2)
      assert_true(now < before);
  }
}

static void windows_and_lines_are_marked(void **state)
{
  (void)state;
  ct_view_init(&view, true, true, 0.05);
  ct_view_key(&view, '3');
  view.n_xray = 2;
  view.xray[0] = (struct ct_view_line){ "W Ka1", 59.32 };
  view.xray[1] = (struct ct_view_line){ "Pb Ka1", 74.97 };
  render(ct_make_sample(CT_SAMPLE_CELL, &view, 30, 180, 0), 30, 180);
  assert_true(screen_has("W Ka1") && screen_has("Pb Ka1") && screen_has("back") && screen_has("93.6 keV Compton"));
  assert_true(screen_has("114.6 keV elastic"));
  ct_view_key(&view, '2');
  render(ct_make_sample(CT_SAMPLE_CELL, &view, 30, 120, 0), 30, 120);
  int marks = 0;
  for (int col = 0; col < 120; col++)
    marks += grid.glyphs[4 * 120 + col].code == 0x250a;
  assert_int_equal(marks, 4);
  assert_false(screen_has("dots: all pixels"));
  view.scope = CT_SCOPE_ROI;
  render(ct_make_sample(CT_SAMPLE_CELL, &view, 30, 120, 0), 30, 120);
  assert_true(screen_has("dots: all pixels") && screen_has("cathode"));
  ct_view_key(&view, '5');
  view.scope = CT_SCOPE_ALL;
  render(ct_make_sample(CT_SAMPLE_CELL, &view, 24, 80, 0), 24, 80);
  assert_true(screen_has("EMF against charge") && screen_has("mAh"));
}

static void a_run_without_a_detector_shows_what_it_has(void **state)
{
  (void)state;
  struct ct_snapshot *sample;
  ct_view_init(&view, true, true, 0.05);
  sample = (struct ct_snapshot *)(uintptr_t)ct_make_sample(CT_SAMPLE_CELL, &view, 24, 80, 0);
  sample->core.xcs.present = false;
  render(sample, 24, 80);
  assert_int_equal(view.panel, CT_PANEL_TOMO);
  assert_true(screen_has("of 360"));
  assert_int_equal(ct_view_key(&view, '0'), CT_KEY_DONE);
  render(sample, 24, 80);
  assert_int_equal(view.panel, CT_PANEL_OVERVIEW);
  ct_view_init(&view, true, true, 0.05);
  sample->core.ct.present = false;
  render(sample, 24, 80);
  assert_true(view.panel == CT_PANEL_CELL && screen_has("3.901 V") && !screen_has("EMF"));
}

static void a_silent_collector_is_not_ok(void **state)
{
  (void)state;
  ct_view_init(&view, true, true, 0.05);
  view.silent = true;
  view.behind_s = 75;
  for (int rows = 5; rows <= 60; rows += 5) {
    render(ct_make_sample(CT_SAMPLE_CELL, &view, rows, 80, 0), rows, 80);
    assert_true(screen_has("NO ANSWER from the collector, picture 75 s old") && !screen_has("OK "));
    for (int i = 3 * 80; i < (rows - 1) * 80; i++)
      assert_false(grid.glyphs[i].code != ' ' && grid.glyphs[i].attributes & CT_ATTR_BOLD);
  }
}

static void the_last_line_says_what_is_typed(void **state)
{
  (void)state;
  ct_view_init(&view, true, true, 0.05);
  render(ct_make_sample(CT_SAMPLE_CELL, &view, 24, 80, 0), 24, 80);
  ct_view_say(&view, &grid, "marker: Süd, ΔT – 3 °C_", "Enter writes it");
  assert_true(screen_has("marker: S?d, ?T ? 3 ?C_   Enter writes it") && !screen_has("q:quit"));
  const struct ct_glyph *last = grid.glyphs + 23 * 80;
  assert_true(last[9].code == 0xfc && last[13].code == 0x394 && last[16].code == 0x2013 && last[20].code == 0xb0);
  ct_view_say(&view, &grid, "marker: äääääääääääääääääääääääääääääääääääääääääääääääääääääääääääääääääääääääääää the end_", "Enter");
  assert_true(screen_has("?? the end_") && !screen_has("Enter") && !screen_has("marker"));
  ct_view_say(&view, &grid, "saved /data/aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", NULL);
  assert_true(screen_has("saved /data/aaa") && grid.glyphs[24 * 80 - 1].code == 0x2026);
  for (int col = 0; col < 80; col++)
    assert_true(last[col].attributes & CT_ATTR_REVERSE);
}

static void a_click_puts_the_cursor_where_the_map_is(void **state)
{
  (void)state;
  ct_view_init(&view, true, true, 0.05);
  assert_false(ct_view_click(&view, 10, 10));             /* nothing was shown yet */
  view.bin = 1;
  view.panel = CT_PANEL_MAP;
  render(ct_make_sample(CT_SAMPLE_CELL, &view, 60, 200, 0), 60, 200);
  for (int row = 0; row < 60; row++)
    for (int col = 0; col < 200; col++) {
      int32_t x = view.cursor_x, y = view.cursor_y;
      if (!ct_view_click(&view, row, col)) {
        assert_true(x == view.cursor_x && y == view.cursor_y);
        continue;
      }
      assert_in_range(view.cursor_x, 0, view.pixel_cols - 1);
      assert_in_range(view.cursor_y, 0, view.pixel_rows - 1);
      render(ct_make_sample(CT_SAMPLE_CELL, &view, 60, 200, 0), 60, 200);
      assert_int_equal(grid.glyphs[row * 200 + col].code, '+');   /* it is drawn where the click was */
    }
  ct_view_key(&view, '2');
  render(ct_make_sample(CT_SAMPLE_CELL, &view, 24, 80, 0), 24, 80);
  assert_false(ct_view_click(&view, 5, 5));               /* no map on this screen */
}

static void the_camera_has_several_pictures(void **state)
{
  (void)state;
  static const char *const names[] = { "Slice", "Projection", "Sinogram", "along the slice", "from the front", "from the side",
                                       "Oblique", "Overview", "Slice" };
  ct_view_init(&view, true, true, 0.05);
  ct_view_key(&view, '4');
  for (int i = 0; i < 9; i++) {
    render(ct_make_sample(CT_SAMPLE_CELL, &view, 24, 80, 0), 24, 80);
    assert_true(screen_has(names[i]));
    assert_true(screen_has("206.0 of 360"));
    assert_true(screen_has("axis 543.310 ") && screen_has("px, pairs"));
    assert_true(screen_has("412 projections") && screen_has("3 lost"));
    assert_true(screen_has("mm"));
    ct_view_key(&view, 'u');
  }
  assert_int_equal(ct_view_key(&view, ','), CT_KEY_AXIS_LEFT);
  assert_int_equal(ct_view_key(&view, '.'), CT_KEY_AXIS_RIGHT);
  ct_view_key(&view, '1');
  assert_int_equal(ct_view_key(&view, '.'), CT_KEY_UNKNOWN);  /* only where the slice is seen */
}

/* A noisy slice shown again changes next to nothing on the screen. */
static void a_noisy_slice_does_not_repaint(void **state)
{
  (void)state;
  static struct ct_glyph before[24 * 80];
  ct_view_init(&view, true, true, 0.05);
  ct_view_key(&view, '4');
  render(ct_make_sample(CT_SAMPLE_CELL, &view, 24, 80, 0), 24, 80);
  size_t changed = 0;
  for (unsigned frame = 1; frame < 20; frame++) {
    memcpy(before, grid.glyphs, sizeof before);
    render(ct_make_sample(CT_SAMPLE_CELL, &view, 24, 80, frame), 24, 80);
    for (int i = 0; i < 24 * 80; i++)
      changed += memcmp(&before[i], &grid.glyphs[i], sizeof *before) != 0;
  }
  assert_in_range(changed, 0, 19 * 10);
}

/* ---- keys, words --------------------------------------------------------------------------------------------------- */
static void keys_do_what_the_help_says(void **state)
{
  (void)state;
  ct_view_init(&view, true, true, 0.05);
  for (char key = '1'; key <= '7'; key++) {
    assert_int_equal(ct_view_key(&view, (uint32_t)key), CT_KEY_DONE);
    assert_int_equal(view.panel, key - '0');
  }
  assert_int_equal(ct_view_key(&view, CT_PRESS_ESCAPE), CT_KEY_DONE);
  assert_int_equal(view.panel, CT_PANEL_OVERVIEW);
  assert_int_equal(ct_view_key(&view, 'q'), CT_KEY_QUIT);
  assert_int_equal(ct_view_key(&view, CT_PRESS_CTRL_L), CT_KEY_REDRAW);
  assert_int_equal(ct_view_key(&view, 'Z'), CT_KEY_UNKNOWN);
  assert_int_equal(ct_view_key(&view, ']'), CT_KEY_UNKNOWN);    /* there is nothing newer than now */
  assert_int_equal(ct_view_key(&view, 'm'), CT_KEY_MARK);
  assert_int_equal(ct_view_key(&view, '['), CT_KEY_OLDER);
  assert_true(view.frozen);
  assert_int_equal(ct_view_key(&view, ']'), CT_KEY_NEWER);
  view.behind_s = 42;
  view.back = 12;
  view.kept = 600;
  render(ct_make_sample(CT_SAMPLE_CELL, &view, 24, 80, 0), 24, 80);
  assert_true(screen_has("FROZEN, 42 s old, 12 of 600 back"));
  assert_true(screen_has("the run goes on"));
  ct_view_key(&view, ' ');
  assert_false(view.frozen);
  ct_view_key(&view, ' ');
  assert_true(view.frozen);
  render(ct_make_sample(CT_SAMPLE_CELL, &view, 24, 80, 0), 24, 80);
  assert_true(screen_has("FROZEN"));
  ct_view_key(&view, '?');
  assert_true(view.help);
  render(ct_make_sample(CT_SAMPLE_CELL, &view, 24, 80, 0), 24, 80);
  assert_true(screen_has("freeze picture"));
  assert_int_equal(ct_view_key(&view, 'x'), CT_KEY_DONE);      /* any key ends help and does nothing else */
  assert_false(view.help);
  for (int i = 0; i < CT_RAMP_COUNT; i++)
    ct_view_key(&view, 'c');
  assert_int_equal(view.ramp, CT_RAMP_INFERNO);
  static const uint32_t bins[] = { 1, 2, 4, 8, CT_VIEW_ADAPTIVE, 0 };
  for (int i = 0; i < 6; i++) {
    ct_view_key(&view, 'b');
    assert_int_equal(view.bin, bins[i]);
  }
}

static void the_cursor_stays_on_the_sensor(void **state)
{
  (void)state;
  static const uint32_t arrows[] = { CT_PRESS_UP, CT_PRESS_DOWN, CT_PRESS_LEFT, CT_PRESS_RIGHT };
  ct_view_init(&view, true, true, 0.05);
  for (int way = 0; way < 4; way++)
    for (int i = 0; i < 100; i++) {
      render(ct_make_sample(CT_SAMPLE_CELL, &view, 24, 80, 0), 24, 80);
      ct_view_key(&view, arrows[way]);
      assert_in_range(view.cursor_x, 0, 79);
      assert_in_range(view.cursor_y, 0, 79);
    }
  assert_int_equal(view.cursor_x, 79);
  view.cursor_x = 40;
  view.cursor_y = 20;
  render(ct_make_sample(CT_SAMPLE_CELL, &view, 24, 80, 0), 24, 80);
  assert_true(screen_has("40,20 EMF 0."));
  view.panel = CT_PANEL_MAP;
  render(ct_make_sample(CT_SAMPLE_CELL, &view, 30, 100, 0), 30, 100);
  assert_true(screen_has("40,20 EMF 0.") && screen_has(" counts"));
}

static void scopes_go_round(void **state)
{
  (void)state;
  ct_view_init(&view, true, true, 0.05);
  view.n_rois = 2;
  static const struct {
    enum ct_scope scope;
    uint32_t roi;
  } expected[] = { { CT_SCOPE_PIXEL, 0 }, { CT_SCOPE_ROI, 0 }, { CT_SCOPE_ROI, 1 }, { CT_SCOPE_ALL, 2 }, { CT_SCOPE_PIXEL, 0 } };
  for (size_t i = 0; i < sizeof expected / sizeof *expected; i++) {
    ct_view_key(&view, 'r');
    assert_int_equal(view.scope, expected[i].scope);
    assert_int_equal(view.roi, expected[i].roi);
  }
  view.n_rois = 0;
  ct_view_key(&view, 'r');
  assert_int_equal(view.scope, CT_SCOPE_ALL);
}

static void figures_in_words(void **state)
{
  (void)state;
  char out[CT_WORD];
  assert_string_equal(ct_word_measured(out, 0.80214, 0.00123), "0.8021 ± 0.0012");
  assert_string_equal(ct_word_measured(out, 12.3, 4.5), "12.3 ± 4.5");
  assert_string_equal(ct_word_measured(out, 1234.5, 67), "1234 ± 67");
  assert_string_equal(ct_word_measured(out, -0.0012, 0.41), "0.00 ± 0.41");
  assert_string_equal(ct_word_measured(out, (double)NAN, 1), "no data");
  assert_string_equal(ct_word_short(out, 118), "118");
  assert_string_equal(ct_word_short(out, 999.6), "1.00k");
  assert_string_equal(ct_word_short(out, 12345), "12.3k");
  assert_string_equal(ct_word_short(out, 3312094), "3.31M");
  assert_string_equal(ct_word_short(out, (double)NAN), "-");
  assert_string_equal(ct_word_brief(out, 100), "100");
  assert_string_equal(ct_word_brief(out, 10000), "10k");
  assert_string_equal(ct_word_brief(out, 1.5e6), "1.5M");
  assert_string_equal(ct_word_time(out, 0.42), "0.4 s");
  assert_string_equal(ct_word_time(out, 22320), "6.2 h");
  assert_string_equal(ct_word_unit(out, 0.0021, 3, true, "A"), "+2.10 mA");
  assert_string_equal(ct_word_unit(out, 7.9e7, 3, false, "B/s"), "79.0 MB/s");
  assert_string_equal(ct_word_unit(out, 0, 3, true, "A"), "0.00 A");
  assert_string_equal(ct_word_clock(out, INT64_C(1795317247250000000)), "03:14:07Z");
  assert_string_equal(ct_word_tick(out, -0.0001, 2), "0.00");
}

static void code_points_as_utf8(void **state)
{
  (void)state;
  static const struct {
    uint32_t code;
    const char *bytes;
  } cases[] = { { 'a', "a" }, { 0xb1, "\xc2\xb1" }, { 0x7ff, "\xdf\xbf" }, { 0x800, "\xe0\xa0\x80" }, { 0x2580, "\xe2\x96\x80" },
                { 0xffff, "\xef\xbf\xbf" }, { 0x1f50b, "\xf0\x9f\x94\x8b" }, { 0x10ffff, "\xf4\x8f\xbf\xbf" } };
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    char out[4];
    size_t n = ct_view_utf8(cases[i].code, out);
    assert_int_equal(n, strlen(cases[i].bytes));
    assert_memory_equal(out, cases[i].bytes, n);
  }
}

int main(void)
{
  const struct CMUnitTest tests[] = {
    cmocka_unit_test(every_size_is_whole), cmocka_unit_test(nothing_to_show), cmocka_unit_test(requests_are_what_is_shown),
    cmocka_unit_test(cells_add_up_as_counts), cmocka_unit_test(noise_does_not_repaint),
    cmocka_unit_test(levels_follow_a_real_change), cmocka_unit_test(signs_are_not_colours), cmocka_unit_test(scales_fit),
    cmocka_unit_test(ramps_rise), cmocka_unit_test(health_shows_alarms_whole),
    cmocka_unit_test(the_help_is_whole), cmocka_unit_test(windows_and_lines_are_marked), cmocka_unit_test(a_shared_range_only_grows),
    cmocka_unit_test(the_range_is_kept_where_it_is_locked), cmocka_unit_test(scales_spread_the_colours),
    cmocka_unit_test(the_difference_is_to_the_reference), cmocka_unit_test(the_diverging_ramp_is_lightest_in_its_middle), cmocka_unit_test(hostile_sections),
    cmocka_unit_test(the_camera_has_several_pictures), cmocka_unit_test(a_noisy_slice_does_not_repaint),
    cmocka_unit_test(planes_follow_the_keys), cmocka_unit_test(health_tells_of_the_link),
    cmocka_unit_test(a_run_without_a_detector_shows_what_it_has), cmocka_unit_test(a_silent_collector_is_not_ok),
    cmocka_unit_test(the_last_line_says_what_is_typed), cmocka_unit_test(a_click_puts_the_cursor_where_the_map_is),
    cmocka_unit_test(keys_do_what_the_help_says),
    cmocka_unit_test(the_cursor_stays_on_the_sensor), cmocka_unit_test(scopes_go_round),
    cmocka_unit_test(figures_in_words), cmocka_unit_test(code_points_as_utf8),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
