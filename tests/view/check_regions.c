/* ROIs on maps and curves, what happened on the time axis, and how old what is shown is. */
#include <comptop/view.h>

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "samples.h"
#include "screen.h"

/* ---- regions ------------------------------------------------------------------------------------------------------- */
/* An outline takes the characters at the edge of its region and no others, and leaves their colour. */
static void outlines_do_not_hide_the_map(void **state)
{
  (void)state;
  static struct ct_glyph plain[24 * 80];
  for (int colours = 0; colours < 2; colours++) {
    ct_view_init(&view, colours, colours, 0.05);
    ct_view_key(&view, '1');
    view.smooth = false;
    ct_view_key(&view, 'o');
    render(ct_make_sample(CT_SAMPLE_CELL, &view, 24, 80, 0), 24, 80);
    memcpy(plain, grid.glyphs, sizeof plain);
    ct_view_key(&view, 'o');
    render(ct_make_sample(CT_SAMPLE_CELL, &view, 24, 80, 0), 24, 80);
    int changed = 0, names = 0;
    for (int row = 0; row < 24; row++)
      for (int col = 0; col < 80; col++) {
        const struct ct_glyph *now = &grid.glyphs[row * 80 + col], *then = &plain[row * 80 + col];
        if (memcmp(now, then, sizeof *now) == 0)
          continue;
        changed++;
        names += now->code == 'A' || now->code == 'B';
        assert_in_range(row, 3, 22);
        assert_in_range(col, 0, 39);
        /* A character is 2 x 4 pixels; the rectangle is 28..51, 50..63, the cathode a half disc of radius 30 above row 37. */
        double x = col * 2 + 0.5, y = (row - 3) * 4 + 1.5, r = hypot(x - 39.5, y - 39.5);
        bool rectangle = x > 26 && x < 54 && y > 47 && y < 66 && !(x > 31 && x < 49 && y > 54 && y < 60);
        bool cathode = y < 39 && r < 33 && !(r < 24 && y < 31);
        assert_true(rectangle || cathode);
        if (colours)
          assert_true(now->bg != CT_COLOUR_DEFAULT && now->fg != now->bg);
        else
          assert_true(now->attributes & CT_ATTR_REVERSE && (now->code == then->code || now->code == 'A' || now->code == 'B'));
      }
    assert_in_range(changed, 40, 120);
    assert_int_equal(names, 2);
    assert_true(screen_has("A cathode") && screen_has("B Anode"));
  }
}

/* One pixel of a large sensor has its letter where it is, too. */
static void a_small_region_is_seen(void **state)
{
  (void)state;
  static _Alignas(64) unsigned char block[1 << 20];
  struct ct_snapshot_builder builder;
  struct ct_request request[CT_VIEW_REQUESTS];
  struct ct_map_parts map;
  struct ct_rois_parts rois;
  ct_view_init(&view, false, false, 0.05);
  view.panel = CT_PANEL_MAP;
  assert_int_equal(ct_snapshot_begin(&builder, block, sizeof block), 0);
  builder.snapshot->core.xcs.present = true;
  assert_int_equal(ct_view_requests(&view, 24, 80, request, CT_VIEW_REQUESTS), 2);
  assert_true(ct_snapshot_add_map(&builder, &request[0], 80, 80, &map));
  map.head->bin = 1;
  assert_int_equal(request[1].kind, CT_SECTION_ROIS);
  assert_true(ct_snapshot_add_rois(&builder, &request[1], 80, 80, &rois));
  rois.rois[41 * 80 + 21] = 4;
  render(ct_snapshot_finish(&builder), 24, 80);
  assert_int_equal(grid.glyphs[(3 + 10) * 80 + 10].code, 'C');
}

/* Curves of ROIs over that of all pixels, told apart by letters alone, with error bars. */
static void regions_are_laid_over_one_another(void **state)
{
  (void)state;
  for (int utf8 = 0; utf8 < 2; utf8++)
    for (char panel = '2'; panel <= '5'; panel = (char)(panel + 3)) {
      ct_view_init(&view, utf8, false, 0.05);
      ct_view_key(&view, (uint32_t)panel);
      render(ct_make_sample(CT_SAMPLE_CELL, &view, 40, 100, 0), 40, 100);
      ct_view_key(&view, 'R');
      struct ct_request request[CT_VIEW_REQUESTS];
      size_t n = ct_view_requests(&view, 40, 100, request, CT_VIEW_REQUESTS), of_rois = 0;
      for (size_t i = 0; i < n; i++)
        of_rois += request[i].scope == CT_SCOPE_ROI;
      assert_int_equal(of_rois, 2);
      render(ct_make_sample(CT_SAMPLE_CELL, &view, 40, 100, 0), 40, 100);
      int letters[2] = { 0, 0 };
      for (int row = 4; row < 38; row++)
        for (int col = 30; col < 100; col++)
          if (grid.glyphs[row * 100 + col].code - 'A' < 2)
            letters[grid.glyphs[row * 100 + col].code - 'A']++;
      assert_true(letters[0] > 3 && letters[1] > 3);
      assert_true(screen_has("A cathode") && screen_has("B Anode"));
      view.scope = CT_SCOPE_ROI;      /* its own curve is not laid over itself */
      n = ct_view_requests(&view, 40, 100, request, CT_VIEW_REQUESTS);
      for (size_t i = 0; i < n; i++)
        for (size_t k = 0; k < i; k++)
          assert_false(ct_request_equal(&request[i], &request[k]));
    }
}

/* Scans, changes of mode and words stand where they were on the time axis: the newest 10 minutes ago, of 60. */
static void what_happened_is_on_the_time_axis(void **state)
{
  (void)state;
  ct_view_init(&view, true, true, 0.05);
  ct_view_key(&view, '5');
  render(ct_make_sample(CT_SAMPLE_CELL, &view, 30, 107, 0), 30, 107);
  assert_true(screen_has("cycle 2 charge") && screen_has("xct") && screen_has("xcs"));
  assert_true(screen_has("03:04:07Z cycle 2 charge  02:49:17Z scan 2"));
  int triangles = 0;
  for (int i = 0; i < 30 * 107; i++)
    if (grid.glyphs[i].code == 0x25b2) {
      assert_in_range(i % 107, 7 + 100 * 49 / 60 - 1, 7 + 100 * 50 / 60 + 1);
      triangles++;
    }
  assert_int_equal(triangles, 2);      /* voltage and EMF */
}

/* ---- ages ---------------------------------------------------------------------------------------------------------- */
/* What the detector has not renewed for 2 s is said to be old, and steps back. */
static void stale_data_says_its_age(void **state)
{
  (void)state;
  ct_view_init(&view, true, true, 0.05);
  render(ct_make_sample(CT_SAMPLE_CELL, &view, 24, 80, 0), 24, 80);
  assert_false(screen_has("old"));
  /* Beside the large map stands how it is coloured, which does not age. */
  for (char key = '0'; key <= '3'; key++) {
    ct_view_key(&view, (uint32_t)key);
    render(ct_make_sample(CT_SAMPLE_ALARM, &view, 24, 80, 0), 24, 80);
    assert_non_null(strstr(row_text(0), "data 14 s old"));
    for (int row = 2; row < 23; row++)
      for (int col = 0; col < (key == '1' ? 47 : 80) && strstr(row_text(row), "3.901 V") == NULL; col++) {
        const struct ct_glyph *glyph = &grid.glyphs[row * 80 + col];
        if (glyph->code != ' ' && !(glyph->attributes & (CT_ATTR_DIM | CT_ATTR_REVERSE)))
          fail_msg("view %c: not dim: %s", key, row_text(row));
      }
  }
}

/* The cell's figures have an age of their own, wherever they stand; so have the camera's. */
static void the_cell_and_the_camera_have_their_own_age(void **state)
{
  (void)state;
  static const int sizes[][2] = { { 5, 20 }, { 16, 40 }, { 24, 80 }, { 30, 100 }, { 60, 200 } };
  for (int i = 0; i < 5; i++)
    for (char panel = '0'; panel <= '5'; panel = (char)(panel + 5)) {
      int rows = sizes[i][0], cols = sizes[i][1];
      ct_view_init(&view, true, true, 0.05);
      ct_view_key(&view, (uint32_t)panel);
      struct ct_snapshot *snapshot = (struct ct_snapshot *)(uintptr_t)ct_make_sample(CT_SAMPLE_CELL, &view, rows, cols, 0);
      snapshot->core.cell.age_s = 9;
      render(snapshot, rows, cols);
      assert_false(screen_has("old"));
      snapshot->core.cell.age_s = 34;
      render(snapshot, rows, cols);
      assert_true(screen_has("3.901 V") && screen_has("34 s old"));
    }
  ct_view_init(&view, true, true, 0.05);
  ct_view_key(&view, '4');
  struct ct_snapshot *snapshot = (struct ct_snapshot *)(uintptr_t)ct_make_sample(CT_SAMPLE_CELL, &view, 24, 80, 0);
  snapshot->core.streams[1].role = CT_ROLE_CAMERA;
  snapshot->core.streams[1].silent_s = 300;
  render(snapshot, 24, 80);
  assert_non_null(strstr(row_text(0), "data 5 min old"));
  const char *row = row_text(3), *angle = strstr(row, "206.0 of 360");
  assert_non_null(angle);
  assert_true(grid.glyphs[3 * 80 + (angle - row)].attributes & CT_ATTR_DIM);
}

int main(void)
{
  const struct CMUnitTest tests[] = {
    cmocka_unit_test(outlines_do_not_hide_the_map),
    cmocka_unit_test(a_small_region_is_seen),
    cmocka_unit_test(regions_are_laid_over_one_another),
    cmocka_unit_test(what_happened_is_on_the_time_axis),
    cmocka_unit_test(stale_data_says_its_age),
    cmocka_unit_test(the_cell_and_the_camera_have_their_own_age),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
