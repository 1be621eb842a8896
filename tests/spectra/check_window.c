/* A window that becomes another, against a model that keeps every photon with its slice and counts anew each time. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <comptop/spectra.h>

enum { PIXELS = 7, BINS = 5, CELLS = PIXELS * BINS, PHOTONS_MAX = 200000 };
#define ENDLESS ((double)INFINITY)

static struct { int64_t step; uint32_t cell; bool in; } photons[PHOTONS_MAX];
static size_t n_photons;
static uint64_t seed = 5;
static double window_s;
static int64_t now_ns;

static uint32_t random_below(uint32_t n)     /* Numerical Recipes' constants */
{
  seed = seed * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
  return (uint32_t)(seed >> 33) % n;
}

/* What spectra.h promises of slices. */
static int64_t slice_ns(double w_s) { return (int64_t)(fmin(fmax(w_s / 600, 0.01), 1) * 1e9); }
static int64_t slices(double w_s) { return ((int64_t)(w_s * 1e9) + slice_ns(w_s) / 2) / slice_ns(w_s); }
static bool slides(double w_s) { return w_s > 0 && !isinf(w_s); }

static struct ct_spectra *make(double w_s)
{
  struct ct_spectra *s = NULL;
  const struct ct_spectra_setup setup = { PIXELS, { 0, 1, BINS }, w_s, UINT64_C(8) << 20 };
  assert_int_equal(ct_spectra_new(&s, &setup, NULL), 0);
  return s;
}

static void add(struct ct_spectra *s, int64_t step_ns)
{
  struct ct_event events[100];
  struct ct_hexitec_tally tally = { .frames = 1 };
  uint32_t n = random_below(100);
  now_ns += step_ns;
  for (uint32_t i = 0; i < n; i++) {
    uint32_t cell = random_below(CELLS);
    events[i] = (struct ct_event){ .pixel = (uint16_t)(cell / BINS), .energy_keV = (float)(cell % BINS) + 0.5f };
    assert_true(n_photons < PHOTONS_MAX);
    photons[n_photons].step = slides(window_s) ? now_ns / slice_ns(window_s) : 0;
    photons[n_photons].cell = cell;
    photons[n_photons++].in = true;
  }
  ct_spectra_add(s, now_ns, events, n, &tally);
  for (size_t i = 0; i < n_photons && slides(window_s); i++)
    photons[i].in = photons[i].in && photons[i].step > now_ns / slice_ns(window_s) - slices(window_s);
}

static void change(struct ct_spectra *s, double to_s)
{
  struct ct_spectra *fresh = make(to_s);
  ct_spectra_take_window(s, fresh);
  ct_spectra_free(fresh);
  for (size_t i = 0; i < n_photons; i++) {
    if (slides(window_s) && slides(to_s)) {
      photons[i].step = photons[i].step * slice_ns(window_s) / slice_ns(to_s);
      photons[i].in = photons[i].in && photons[i].step > now_ns / slice_ns(to_s) - slices(to_s);
    } else {
      photons[i].in = isinf(to_s);
    }
  }
  window_s = to_s;
}

static void assert_as_modelled(struct ct_spectra *s)
{
  uint32_t window[CELLS] = { 0 }, total[CELLS] = { 0 };
  uint64_t in = 0;
  for (size_t i = 0; i < n_photons; i++) {
    total[photons[i].cell]++;
    window[photons[i].cell] += photons[i].in;
    in += photons[i].in;
  }
  assert_memory_equal(ct_spectra_total(s), total, sizeof total);
  assert_memory_equal(ct_spectra_window(s), window, sizeof window);
  assert_int_equal(ct_spectra_total_tally(s)->photons, n_photons);
  assert_int_equal(ct_spectra_window_tally(s)->photons, in);
}

static void windows_become_others(void **state)
{
  static const double windows[] = { 6, 3, 60, 0.5, ENDLESS, 6, 600, CT_SPECTRA_SCAN, 1, 0.5, 2, ENDLESS, CT_SPECTRA_SCAN, ENDLESS, 20, 20 };
  (void)state;
  n_photons = 0;
  now_ns = INT64_C(1000000000000);
  window_s = 6;
  struct ct_spectra *s = make(window_s);
  change(s, 3);                            /* before the first photon */
  for (size_t k = 0; k < sizeof windows / sizeof *windows; k++) {
    for (int i = 0; i < 80; i++) {
      add(s, (int64_t)random_below(40) * 3000000);
      if (i % 20 == 0)
        assert_as_modelled(s);
    }
    assert_as_modelled(s);
    change(s, windows[k]);
    assert_as_modelled(s);
  }
  ct_spectra_free(s);
}

static void it_says_how_much_is_covered(void **state)
{
  (void)state;
  n_photons = 0;
  now_ns = INT64_C(1000000000000);
  window_s = 6;
  struct ct_spectra *s = make(window_s);
  for (int i = 0; i < 101; i++)
    add(s, i == 0 ? 0 : 100000000);        /* 10 s */
  assert_float_equal(ct_spectra_window_s(s), 6, 1e-9);
  change(s, 20);                           /* grows from what there was */
  assert_float_equal(ct_spectra_window_s(s), 6, 1e-9);
  assert_false(ct_spectra_shortened(s));
  add(s, 1000000000);
  assert_float_equal(ct_spectra_window_s(s), 7, 1e-9);
  change(s, 2);
  assert_float_equal(ct_spectra_window_s(s), 2, 1e-9);
  change(s, ENDLESS);
  assert_float_equal(ct_spectra_window_s(s), 11, 1e-9);
  change(s, 4);                            /* begins with what comes */
  assert_float_equal(ct_spectra_window_s(s), 0, 1e-9);
  add(s, 500000000);
  add(s, 500000000);
  assert_float_equal(ct_spectra_window_s(s), 0.5, 1e-9);
  ct_spectra_free(s);
}

int main(void)
{
  const struct CMUnitTest tests[] = { cmocka_unit_test(windows_become_others), cmocka_unit_test(it_says_how_much_is_covered) };
  return cmocka_run_group_tests_name("spectra: another window", tests, NULL, NULL);
}
