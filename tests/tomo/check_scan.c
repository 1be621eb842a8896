/* Camera rows in any order: what arrives in the slice is -ln of the transmission, whenever darks and flats came. */
#include "../core/cmocka_all.h"

#include <math.h>
#include <string.h>

#include <comptop/tomo.h>

enum { COLS = 96, N = 60 };
static const struct ct_tomo_setup setup = { .cols = COLS, .size = 64, .projections = N, .rotation_deg = 180, .axis_px = 47.5 };

/* Attenuation of two discs seen at <angle_deg>: exact chords. */
static double attenuation(int col, double angle_deg)
{
  static const double discs[][4] = { { 0, 0, 30, 0.02 }, { 12, 5, 6, 0.05 } };
  double a = angle_deg * M_PI / 180, sum = 0;
  for (int i = 0; i < 2; i++) {
    double u = col - 47.5 - (discs[i][0] * cos(a) - discs[i][1] * sin(a)), r = discs[i][2];
    sum += fabs(u) < r ? 2 * sqrt(r * r - u * u) * discs[i][3] : 0;
  }
  return sum;
}

static double dark_of(int col) { return 100 + col % 7; }
static double flat_of(int col) { return 4000 + 500 * sin(col / 5.0); }

static void make_row(float row[COLS], double angle_deg)
{
  for (int i = 0; i < COLS; i++)
    row[i] = (float)(dark_of(i) + (flat_of(i) - dark_of(i)) * exp(-attenuation(i, angle_deg)));
}

static void send_key(struct ct_scan *scan, bool flat, double error)
{
  float row[COLS];
  for (int k = 0; k < 4; k++) {
    for (int i = 0; i < COLS; i++)
      row[i] = (float)((flat ? flat_of(i) : dark_of(i)) + error * (k % 2 ? 1 : -1));
    if (flat)
      assert_int_equal(ct_scan_flat(scan, row), 0);
    else
      ct_scan_dark(scan, row);
  }
}

static struct ct_scan *open_scan_of(uint32_t projections)
{
  struct ct_scan *scan;
  struct ct_tomo_setup other = setup;
  other.projections = projections;
  assert_int_equal(ct_scan_open(&scan, &other, NULL), 0);
  return scan;
}

static struct ct_scan *open_scan(void)
{
  return open_scan_of(N);
}

static int send(struct ct_scan *scan, double angle_deg)
{
  float row[COLS];
  make_row(row, angle_deg);
  return ct_scan_projection(scan, row, angle_deg, 0, false);
}

/* Every line kept is the closed form's. */
static void lines_are_right(struct ct_scan *scan, uint32_t n, double tolerance)
{
  const struct ct_tomo *tomo = ct_scan_tomo(scan);
  assert_int_equal(ct_tomo_state(tomo).projections, n);
  for (uint32_t k = 0; k < n; k++) {
    double angle_deg;
    const float *line = ct_tomo_row(tomo, k, &angle_deg);
    for (int i = 0; i < COLS; i++)
      assert_true(fabs((double)line[i] - attenuation(i, angle_deg)) < tolerance);
  }
}

static void darks_and_flats_may_come_first_last_or_between(void **state)
{
  (void)state;
  for (int when = 0; when < 3; when++) {
    struct ct_scan *scan = open_scan();
    for (int k = 0; k < N; k++) {
      if (k == (when == 0 ? 0 : when == 1 ? N / 2 : -1)) {
        send_key(scan, false, 2);
        send_key(scan, true, 3);
      }
      assert_int_equal(send(scan, 3.0 * k), 0);
    }
    if (when == 2) {
      send_key(scan, false, 2);
      send_key(scan, true, 3);
      assert_int_equal(send(scan, 180.5), 0);              /* what follows makes them count; a new scan, as 0.5 was seen */
      assert_int_equal(ct_scan_state(scan).scans, 2);
      lines_are_right(scan, 1, 1e-4);
    } else {
      assert_int_equal(ct_scan_state(scan).scans, 1);
      lines_are_right(scan, N, 1e-4);
    }
    assert_int_equal(ct_scan_state(scan).darks, 4);
    assert_int_equal(ct_scan_state(scan).flats, 4);
    ct_scan_close(scan);
  }
}

static void darks_and_flats_behind_the_last_projection_count_when_refreshed(void **state)
{
  (void)state;
  struct ct_scan *scan = open_scan();
  for (int k = 0; k < N; k++)
    assert_int_equal(send(scan, 3.0 * k), 0);
  assert_false(ct_scan_state(scan).behind);
  send_key(scan, false, 2);
  send_key(scan, true, 3);
  assert_true(ct_scan_state(scan).behind);
  ct_scan_refresh(scan);
  assert_false(ct_scan_state(scan).behind);
  lines_are_right(scan, N, 1e-4);
  assert_int_equal(ct_scan_state(scan).scans, 1);
  assert_int_equal(send(scan, 3), 0);                       /* they still end a scan */
  assert_int_equal(ct_scan_state(scan).scans, 2);
  ct_scan_close(scan);
}

/* Whatever the order, none gives way to another that is not the same. */
static void every_projection_of_a_scan_is_kept_in_any_order(void **state)
{
  (void)state;
  unsigned random = 1;
  for (int order = 0; order < 4; order++) {
    struct ct_scan *scan = open_scan();
    double angle_deg[N];
    for (int k = 0; k < N; k++) {
      double jitter_deg = 0.02 * sin(7.0 * k);
      int level = 1;
      while (2 * level <= k)
        level *= 2;
      angle_deg[k] = order == 0 ? 3.0 * k : order == 1 ? fmod(k * 111.246117975, 180) :   /* (1), the golden section */
                     order == 2 ? (k == 0 ? 0 : 180 * (k - level + 0.5) / level) + jitter_deg :      /* halves of halves */
                     k < N / 2 ? 6.0 * k : 6.0 * (N - 1 - k) + 0.1;                      /* and back again */
    }
    for (int k = N - 1; order == 0 && k > 0; k--) {         /* (0), any */
      random = random * 1103515245u + 12345u;
      int other = (int)(random / 65536 % (unsigned)(k + 1));
      double was = angle_deg[k];
      angle_deg[k] = angle_deg[other];
      angle_deg[other] = was;
    }
    send_key(scan, false, 0);
    send_key(scan, true, 0);
    for (int k = 0; k < N; k++)
      assert_int_equal(send(scan, angle_deg[k]), 0);
    lines_are_right(scan, N, 1e-4);
    assert_int_equal(ct_scan_state(scan).scans, 1);
    ct_scan_close(scan);
  }
}

static void newer_flats_replace_older_ones(void **state)
{
  (void)state;
  struct ct_scan *scan = open_scan();
  float row[COLS];
  send_key(scan, false, 0);
  for (int i = 0; i < COLS; i++)
    row[i] = 9000;
  ct_scan_flat(scan, row);                                  /* of another beam */
  for (int k = 0; k < 10; k++)
    assert_int_equal(send(scan, 3.0 * k), 0);
  send_key(scan, true, 0);
  assert_int_equal(send(scan, 30), 0);
  assert_int_equal(ct_scan_state(scan).scans, 1);           /* 30 degrees is news */
  lines_are_right(scan, 11, 1e-4);
  ct_scan_close(scan);
}

static void without_a_flat_the_open_beam_is_the_reference(void **state)
{
  (void)state;
  struct ct_scan *scan = open_scan();
  float row[COLS];
  for (int k = 0; k < 5; k++) {
    for (int i = 0; i < COLS; i++)
      row[i] = (float)(5000 * exp(-attenuation(i, 3.0 * k)));
    assert_int_equal(ct_scan_projection(scan, row, 3.0 * k, 0, false), 0);
  }
  lines_are_right(scan, 5, 1e-5);
  ct_scan_close(scan);
}

/* A shutter that stays shut: no flat, and the one before goes on. */
static void flats_without_beam_are_left_out(void **state)
{
  (void)state;
  struct ct_scan *scan = open_scan();
  float row[COLS];
  send_key(scan, false, 0);
  for (int k = 0; k < N; k++) {
    for (int i = 0; i < COLS; i++)
      row[i] = (float)(dark_of(i) + 3 * sin(17.0 * i * i + k));
    if (k % 20 == 0)
      assert_int_equal(ct_scan_flat(scan, row), CT_ERANGE);
    if (k == 0)
      send_key(scan, true, 0);
    assert_int_equal(send(scan, 3.0 * k), 0);
  }
  memset(row, 0, sizeof row);
  assert_int_equal(ct_scan_flat(scan, row), CT_ERANGE);
  for (int i = 0; i < COLS; i++)
    row[i] = NAN;
  assert_int_equal(ct_scan_flat(scan, row), CT_ERANGE);
  assert_int_equal(ct_scan_state(scan).flats, 4);
  assert_false(ct_scan_state(scan).behind);
  lines_are_right(scan, N, 1e-4);
  ct_scan_close(scan);
}

static void bad_columns_cost_only_themselves(void **state)
{
  (void)state;
  struct ct_scan *scan = open_scan();
  float row[COLS];
  for (int i = 0; i < COLS; i++)                            /* one dead column: its flat is its dark */
    row[i] = (float)(i == 40 ? dark_of(i) : flat_of(i));
  send_key(scan, false, 0);
  ct_scan_flat(scan, row);
  make_row(row, 0);
  row[0] = NAN;
  row[10] = INFINITY;
  row[95] = -INFINITY;
  assert_int_equal(ct_scan_projection(scan, row, 0, 0, false), 0);
  const float *line = ct_tomo_row(ct_scan_tomo(scan), 0, NULL);
  for (int i = 0; i < COLS; i++) {
    assert_true(isfinite(line[i]));
    assert_true(fabs((double)line[i] - attenuation(i, 0)) < (i == 40 || i == 10 ? 0.05 : 1e-4));
  }
  for (int i = 0; i < COLS; i++)
    row[i] = i % 3 ? NAN : row[i];
  assert_int_equal(ct_scan_projection(scan, row, 3, 0, false), CT_ERANGE);
  make_row(row, 3);
  assert_int_equal(ct_scan_projection(scan, row, NAN, 0, false), CT_ERANGE);
  assert_int_equal(ct_scan_projection(scan, row, 3, 0, false), 0);
  memset(row, 0, sizeof row);                               /* a beam that is off: opaque, not infinite */
  assert_int_equal(ct_scan_projection(scan, row, 6, 0, false), 0);
  line = ct_tomo_row(ct_scan_tomo(scan), 2, NULL);
  for (int i = 0; i < COLS; i++)
    assert_true(fabs((double)line[i] + log(1e-4)) < 1e-4);
  ct_scan_close(scan);
}

/* Stripes removed from a scan that seemed to have ended are no part of what it goes on with. */
static void a_cleaned_scan_goes_on_with_what_came(void **state)
{
  (void)state;
  struct ct_scan *scan = open_scan();
  float row[COLS];
  send_key(scan, false, 0);
  send_key(scan, true, 0);
  for (int k = 0; k < N; k++) {
    make_row(row, 3.0 * k);
    row[40] = (float)(dark_of(40) + 0.8 * ((double)row[40] - dark_of(40)));
    assert_int_equal(ct_scan_projection(scan, row, 3.0 * k, 0, false), 0);
    if (k != N - 2)
      continue;
    const double stripe = -log(0.8);
    assert_true(fabs((double)ct_tomo_row(ct_scan_tomo(scan), 7, NULL)[40] - attenuation(40, 21) - stripe) < 1e-4);
    assert_int_equal(ct_scan_clean(scan), 0);
    assert_true(fabs((double)ct_tomo_row(ct_scan_tomo(scan), 7, NULL)[40] - attenuation(40, 21)) < 0.3 * stripe);
  }
  for (uint32_t k = 0; k < N; k++) {
    const float *line = ct_tomo_row(ct_scan_tomo(scan), k, NULL);
    for (int i = 0; i < COLS; i++)
      assert_true(fabs((double)line[i] - attenuation(i, 3.0 * k) - (i == 40 ? -log(0.8) : 0)) < 1e-4);
  }
  assert_int_equal(ct_scan_state(scan).scans, 1);
  ct_scan_close(scan);
}

static void scans_begin_where_something_is_seen_again(void **state)
{
  (void)state;
  struct ct_scan *scan = open_scan();
  float row[COLS];
  send_key(scan, false, 0);
  send_key(scan, true, 0);
  for (int k = 0; k < N + 25; k++)                          /* the stage goes on: the oldest give way */
    assert_int_equal(send(scan, 3.0 * k), 0);
  assert_int_equal(ct_scan_state(scan).scans, 1);
  assert_int_equal(ct_scan_state(scan).projections, N);
  double oldest;
  ct_tomo_row(ct_scan_tomo(scan), 0, &oldest);
  assert_true(fabs(oldest - 75) < 1e-9);
  make_row(row, 0);
  assert_int_equal(ct_scan_projection(scan, row, 0, 0, true), 0);      /* after a pause */
  assert_int_equal(ct_scan_state(scan).scans, 2);
  assert_int_equal(ct_scan_state(scan).projections, 1);
  for (int k = 1; k < 20; k++)
    assert_int_equal(send(scan, 3.0 * k), 0);
  make_row(row, 60);
  assert_int_equal(ct_scan_projection(scan, row, 60, 0, true), 0);     /* a pause in mid scan: it goes on */
  assert_int_equal(ct_scan_state(scan).scans, 2);
  assert_int_equal(ct_scan_projection(scan, row, 63, 1.5, false), 0);  /* another height */
  assert_int_equal(ct_scan_state(scan).scans, 3);
  assert_int_equal(ct_scan_state(scan).projections, 1);
  ct_scan_close(scan);
}

/* Encoders never read the same twice: both ends of half a turn, what is exposed several times, the next scan. */
static void the_next_scan_is_seen_through_jitter(void **state)
{
  (void)state;
  for (int repeats = 1; repeats <= 3; repeats++)
    for (int covered = 30; covered <= N + 1; covered += 31) {
      struct ct_scan *scan = open_scan_of(1000);
      for (unsigned n = 1, i = 0; n <= 3; n++) {
        send_key(scan, false, 0);
        send_key(scan, true, 0);
        for (int k = 0; k < covered * repeats; k++, i++)
          assert_int_equal(send(scan, 3.0 * (k / repeats) + 0.004 * sin(1.7 * i * i)), 0);
        assert_int_equal(ct_scan_state(scan).scans, n);
        assert_in_range(ct_scan_state(scan).projections, (covered - 1) * repeats, covered * repeats);
      }
      ct_scan_close(scan);
    }
}

/* Four passes of a stage that turns on, each between the steps of the others; and flats in the middle of any order. */
static void passes_and_any_order_are_one_scan(void **state)
{
  (void)state;
  struct ct_scan *scan = open_scan_of(1000);
  static const int first[] = { 0, 2, 1, 3 };
  send_key(scan, false, 0);
  send_key(scan, true, 0);
  for (int k = 0; k < 4 * 45; k++)
    assert_int_equal(send(scan, 4.0 * (k % 45) + first[k / 45] + 180 * (k / 45 % 2) + 0.01 * sin(1.7 * k * k)), 0);
  assert_int_equal(ct_scan_state(scan).projections, 180);
  ct_scan_restart(scan);
  for (int k = 0; k < 180; k++) {
    if (k % 47 == 0)                                        /* 3 degrees lie between two at the least, and 1 comes now */
      send_key(scan, true, 0);
    assert_int_equal(send(scan, k * 23 % 180), 0);
  }
  assert_int_equal(ct_scan_state(scan).projections, 180);
  ct_scan_close(scan);
}

/* However the steps fit into a turn, and whatever the encoder reads, the oldest give way: at once, or where a turn lies between
 * the steps of the one before after a few. */
static void a_stage_that_turns_on_slides(void **state)
{
  (void)state;
  static const struct { double step_deg, jitter_deg; unsigned turns; } cases[] = {
    { 3, 0, 1 }, { 3, 1e-4, 1 }, { 3, 0.05, 1 }, { -3, 0.01, 1 }, { 3.008, 0, 1 }, { 2.992, 1e-3, 1 }, { 3.04, 0.01, 4 },
    { 180 / 59.5, 0.01, 2 }, { 180 / 60.33, 0, 4 }, { -2.7183, 1e-3, 4 } };
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    struct ct_scan *scan = open_scan_of(1000);
    const unsigned n = (unsigned)(180 / fabs(cases[i].step_deg)) + 1, last = 9 * n;
    send_key(scan, false, 0);
    send_key(scan, true, 0);
    for (unsigned k = 0; k < last; k++)
      assert_int_equal(send(scan, fmod(cases[i].step_deg * k, 360) + cases[i].jitter_deg * sin(1.7 * k * k)), 0);
    assert_int_equal(ct_scan_state(scan).scans, 1);
    assert_in_range(ct_scan_state(scan).projections, n - 2, cases[i].turns * n + 2);
    double oldest_deg, want_deg = cases[i].step_deg * (last - ct_scan_state(scan).projections);
    ct_tomo_row(ct_scan_tomo(scan), 0, &oldest_deg);
    assert_true(fabs(remainder(oldest_deg - want_deg, 360)) < 0.1);          /* those that stay are the newest */
    ct_scan_close(scan);
  }
}

static void what_says_nothing_begins_nothing(void **state)
{
  (void)state;
  struct ct_scan *scan = open_scan();
  float row[COLS];
  for (int i = 0; i < COLS; i++)
    row[i] = NAN;
  assert_int_equal(ct_scan_projection(scan, row, 0, 0, false), CT_ERANGE);
  send_key(scan, false, 0);
  send_key(scan, true, 0);
  for (int k = 0; k < 3; k++)
    assert_int_equal(ct_scan_projection(scan, row, 0, 0, false), CT_ERANGE);
  assert_int_equal(ct_scan_state(scan).scans, 0);
  for (int k = 0; k < 20; k++)
    assert_int_equal(send(scan, 3.0 * k), 0);
  send_key(scan, true, 0);
  assert_int_equal(ct_scan_projection(scan, row, 0, 0, false), CT_ERANGE);   /* after flats, at an angle that was seen */
  assert_int_equal(ct_scan_projection(scan, row, 90, 7, false), CT_ERANGE);  /* at another height */
  assert_int_equal(ct_scan_state(scan).scans, 1);
  assert_int_equal(ct_scan_state(scan).projections, 20);
  assert_int_equal(send(scan, 60), 0);                                       /* the scan goes on */
  assert_int_equal(ct_scan_state(scan).projections, 21);
  assert_int_equal(ct_scan_projection(scan, row, 0, 0, true), CT_ERANGE);    /* after a pause */
  assert_int_equal(ct_scan_state(scan).projections, 21);
  assert_int_equal(send(scan, 3), 0);                                        /* which is not forgotten */
  assert_int_equal(ct_scan_state(scan).scans, 2);
  assert_int_equal(ct_scan_state(scan).projections, 1);
  ct_scan_close(scan);
}

int main(void)
{
  const struct CMUnitTest tests[] = {
    cmocka_unit_test(darks_and_flats_may_come_first_last_or_between),
    cmocka_unit_test(darks_and_flats_behind_the_last_projection_count_when_refreshed),
    cmocka_unit_test(every_projection_of_a_scan_is_kept_in_any_order),
    cmocka_unit_test(newer_flats_replace_older_ones),
    cmocka_unit_test(without_a_flat_the_open_beam_is_the_reference),
    cmocka_unit_test(flats_without_beam_are_left_out),
    cmocka_unit_test(bad_columns_cost_only_themselves),
    cmocka_unit_test(a_cleaned_scan_goes_on_with_what_came),
    cmocka_unit_test(scans_begin_where_something_is_seen_again),
    cmocka_unit_test(the_next_scan_is_seen_through_jitter),
    cmocka_unit_test(passes_and_any_order_are_one_scan),
    cmocka_unit_test(a_stage_that_turns_on_slides),
    cmocka_unit_test(what_says_nothing_begins_nothing),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
