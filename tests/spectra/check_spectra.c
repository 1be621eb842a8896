/* Rolling spectra against a model that keeps every photon and counts anew each time. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <comptop/spectra.h>

#define NO_NUMBER ((double)NAN)
#define ENDLESS ((double)INFINITY)

enum { PIXELS = 12, BINS = 10, CELLS = PIXELS * BINS, PHOTONS_MAX = 400000, ADDS_MAX = 20000 };

static uint64_t random_bits(uint64_t *state)   /* xorshift64, Marsaglia 2003 */
{
  *state ^= *state << 13;
  *state ^= *state >> 7;
  *state ^= *state << 17;
  return *state;
}

/* ---- axis ------------------------------------------------------------------------------------------------------ */
static void test_axis(void **state)
{
  (void)state;
  struct ct_axis axis;

  assert_int_equal(ct_axis_init(&axis, 0, 200, 0.2, NULL), 0);
  assert_int_equal(axis.n, 1000);
  assert_int_equal(ct_axis_bin(&axis, 0), 0);
  assert_int_equal(ct_axis_bin(&axis, -0.0), 0);
  assert_int_equal(ct_axis_bin(&axis, nextafter(0, -1)), -1);
  assert_int_equal(ct_axis_bin(&axis, 100), 500);
  assert_int_equal(ct_axis_bin(&axis, nextafter(100, 0)), 499);
  assert_int_equal(ct_axis_bin(&axis, nextafter(200, 0)), 999);
  assert_int_equal(ct_axis_bin(&axis, 200), -1);
  assert_int_equal(ct_axis_bin(&axis, NO_NUMBER), -1);
  assert_int_equal(ct_axis_bin(&axis, ENDLESS), -1);
  assert_int_equal(ct_axis_bin(&axis, -ENDLESS), -1);
  assert_int_equal(ct_axis_init(&axis, 20, 120, 0.1, NULL), 0);   /* the start counts */
  assert_int_equal(axis.n, 1000);
  assert_int_equal(ct_axis_bin(&axis, 19.99), -1);
  assert_int_equal(ct_axis_bin(&axis, 20.05), 0);
  assert_int_equal(ct_axis_bin(&axis, 119.95), 999);
}

/* Powers of two divide exactly, so integers can tell the bin. */
static void test_axis_edges_are_exact(void **state)
{
  (void)state;
  struct ct_axis axis;

  assert_int_equal(ct_axis_init(&axis, -16, 240, 0.25, NULL), 0);
  for (int i = -100; i < 5000; i++) {
    int expected = i / 4 - (i % 4 < 0);   /* i sixteenths above the start */
    assert_int_equal(ct_axis_bin(&axis, -16 + i / 16.0), expected >= 0 && expected < 1024 ? expected : -1);
  }
}

static void test_axis_refusals(void **state)
{
  (void)state;
  static const double wrong[][3] = { { 0, 200, 0.3 }, { 0, 200, 0 }, { 0, 200, -1 }, { 10, 10, 1 }, { 10, 0, 1 },
                                     { 0, 200, NO_NUMBER }, { 0, ENDLESS, 1 }, { NO_NUMBER, 1, 1 }, { 0, 0.1, 0.2 },
                                     { 0, 1, 1e-10 }, { 0, 1e300, 1e-300 } };
  for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
    struct ct_axis axis;
    struct ct_err err = { "" };
    assert_int_equal(ct_axis_init(&axis, wrong[i][0], wrong[i][1], wrong[i][2], &err), CT_ERANGE);
    assert_non_null(strstr(err.text, "hexitec.bins"));
  }
}

/* ---- the model ------------------------------------------------------------------------------------------------- */
struct model {
  uint32_t cell[PHOTONS_MAX];
  int64_t step_of_photon[PHOTONS_MAX];
  size_t photons;
  struct { int64_t step; struct ct_hexitec_tally tally; uint64_t below, above; } add[ADDS_MAX];
  size_t adds;
};

static struct ct_spectra *new_spectra(double window_s, uint64_t memory_bytes)
{
  struct ct_spectra_setup setup = { PIXELS, { 20, 0.5, BINS }, window_s, memory_bytes };
  struct ct_spectra *spectra;

  assert_int_equal(ct_spectra_new(&spectra, &setup, NULL), 0);
  return spectra;
}

/* Adds <n> random events to both at a time whose slice is <step>. */
static void add(struct ct_spectra *spectra, struct model *model, int64_t time_ns, int64_t step, size_t n,
                uint64_t *seed)
{
  struct ct_event *events = ct_xcalloc(n + 1, sizeof *events);
  struct ct_hexitec_tally tally = { random_bits(seed) % 9, random_bits(seed) % 99, random_bits(seed) % 9,
                                    random_bits(seed) % 9, random_bits(seed) % 9, random_bits(seed) % 9,
                                    random_bits(seed) % 9, random_bits(seed) % 9 };

  assert_true(model->adds < ADDS_MAX && model->photons + n <= PHOTONS_MAX);
  model->add[model->adds].step = step;
  model->add[model->adds].tally = tally;
  for (size_t i = 0; i < n; i++) {
    uint32_t pixel = (uint32_t)(random_bits(seed) % PIXELS);
    int eighth = (int)(random_bits(seed) % (8 * 10)) - 20;   /* eighths of a keV above 20: bins of 4 */

    events[i] = (struct ct_event){ pixel, 20 + (float)eighth / 8 };
    if (eighth < 0) {
      model->add[model->adds].below++;
    } else if (eighth >= 4 * BINS) {
      model->add[model->adds].above++;
    } else {
      model->cell[model->photons] = pixel * BINS + (uint32_t)eighth / 4;
      model->step_of_photon[model->photons++] = step;
    }
  }
  model->adds++;
  ct_spectra_add(spectra, time_ns, events, n, &tally);
  free(events);
}

static void assert_cube(const uint32_t *cube, const struct model *model, size_t first_photon)
{
  uint32_t expected[CELLS] = { 0 };

  for (size_t i = first_photon; i < model->photons; i++)
    expected[model->cell[i]]++;
  assert_memory_equal(cube, expected, sizeof expected);
}

/* Both cubes and tallies, where the window holds the steps above <after>. */
static void assert_agree(struct ct_spectra *spectra, const struct model *model, int64_t after)
{
  struct ct_spectra_tally total = { .photons = model->photons }, window = { 0 };
  size_t first = model->photons;

  while (first > 0 && model->step_of_photon[first - 1] > after)
    first--;
  window.photons = model->photons - first;
  for (size_t i = 0; i < model->adds; i++) {
    struct ct_spectra_tally *sums[] = { &total, model->add[i].step > after ? &window : NULL };
    for (int k = 0; k < 2 && sums[k]; k++) {
      const struct ct_hexitec_tally *t = &model->add[i].tally;
      struct ct_hexitec_tally *sum = &sums[k]->hexitec;
      sum->frames += t->frames, sum->hits += t->hits, sum->single += t->single;
      sum->dbl += t->dbl, sum->multiple += t->multiple, sum->next_frame += t->next_frame;
      sum->saturated += t->saturated, sum->no_energy += t->no_energy;
      sums[k]->below += model->add[i].below, sums[k]->above += model->add[i].above;
    }
  }
  assert_cube(ct_spectra_total(spectra), model, 0);
  assert_cube(ct_spectra_window(spectra), model, first);
  assert_memory_equal(ct_spectra_total_tally(spectra), &total, sizeof total);
  assert_memory_equal(ct_spectra_window_tally(spectra), &window, sizeof window);
}

static const int64_t ms = 1000000, start_ns = INT64_C(1795316047) * CT_NS_PER_S;

/* ---- the window ------------------------------------------------------------------------------------------------ */
static void test_window_follows_the_model(void **state)
{
  (void)state;
  struct model *model = ct_xcalloc(1, sizeof *model);
  struct ct_spectra *spectra = new_spectra(6, 10 << 20);   /* slices of 10 ms, 600 of them */
  uint64_t seed = 42;
  int64_t time_ns = start_ns;

  for (int i = 0; i < 3000; i++) {
    uint64_t r = random_bits(&seed);
    time_ns += r % 100 == 0 ? 5000 * ms : r % 777 == 0 ? 60000 * ms : (int64_t)(r % 20) * ms + 12345;
    int64_t step = time_ns / (10 * ms);
    add(spectra, model, time_ns, step, random_bits(&seed) % 200, &seed);
    if (i % 10 == 0)
      assert_agree(spectra, model, step - 600);
  }
  assert_true(ct_spectra_window_tally(spectra)->photons < model->photons / 2);
  assert_true(ct_spectra_window_s(spectra) == 6);
  assert_false(ct_spectra_shortened(spectra));
  assert_int_equal(ct_spectra_saturated(spectra), 0);
  ct_spectra_free(spectra);
  free(model);
}

static void test_covered_grows_to_the_window(void **state)
{
  (void)state;
  struct ct_spectra *spectra = new_spectra(6, 10 << 20);
  struct ct_hexitec_tally none = { 0 };

  assert_true(ct_spectra_window_s(spectra) == 0);
  ct_spectra_add(spectra, start_ns, NULL, 0, &none);
  assert_true(ct_spectra_window_s(spectra) == 0);
  ct_spectra_add(spectra, start_ns + 2500 * ms, NULL, 0, &none);
  assert_true(ct_spectra_window_s(spectra) == 2.5);
  ct_spectra_add(spectra, start_ns + 9000 * ms, NULL, 0, &none);
  assert_true(ct_spectra_window_s(spectra) == 6);
  assert_false(ct_spectra_shortened(spectra));
  ct_spectra_free(spectra);
}

/* The clock is set back an hour: the window goes on rolling as if it had not been. */
static void test_clock_set_back(void **state)
{
  (void)state;
  struct model *model = ct_xcalloc(1, sizeof *model);
  struct ct_spectra *spectra = new_spectra(6, 10 << 20);
  uint64_t seed = 7;

  for (int i = 0; i < 2000; i++) {
    int64_t true_ns = start_ns + i * 10 * ms, back_ns = i < 1000 ? 0 : 3600000 * ms;
    /* At the step back time stands still once, from then on it is one step behind. */
    int64_t step = true_ns / (10 * ms) - (i >= 1000);
    add(spectra, model, true_ns - back_ns, step, 20, &seed);
    if (i % 50 == 0)
      assert_agree(spectra, model, step - 600);
  }
  ct_spectra_free(spectra);
  free(model);
}

static void test_run_window(void **state)
{
  (void)state;
  struct model *model = ct_xcalloc(1, sizeof *model);
  struct ct_spectra *spectra = new_spectra(ENDLESS, CELLS * 5);   /* needs the one cube only */
  uint64_t seed = 3;

  for (int i = 0; i < 500; i++)
    add(spectra, model, start_ns + i * 100000 * ms, 1, 50, &seed);
  assert_agree(spectra, model, 0);
  assert_ptr_equal(ct_spectra_window(spectra), ct_spectra_total(spectra));
  assert_true(ct_spectra_window_s(spectra) == 49900);
  assert_false(ct_spectra_shortened(spectra));
  ct_spectra_free(spectra);
  free(model);
}

/* Memory for two or three chunks of events only: the newest photons stay, and it is said that the window is short. */
static void test_memory_ends(void **state)
{
  (void)state;
  struct model *model = ct_xcalloc(1, sizeof *model);
  const uint64_t memory_bytes = 2 * CELLS * 5 + 600 * 128 + 3 * 4 * 4097;
  struct ct_spectra *spectra = new_spectra(6, memory_bytes);
  uint64_t seed = 11;
  int64_t time_ns = start_ns;

  for (int i = 0; i < 1500; i++) {
    size_t n = i % 500 == 499 ? 40000 : random_bits(&seed) % 400;   /* now and then more than fits at all */
    time_ns += 7 * ms;
    add(spectra, model, time_ns, 0, n, &seed);
    size_t kept = ct_spectra_window_tally(spectra)->photons;
    assert_true(kept <= model->photons && kept <= memory_bytes / 4);
    assert_cube(ct_spectra_window(spectra), model, model->photons - kept);
    if (i > 200) {
      assert_true(ct_spectra_shortened(spectra));
      assert_true(ct_spectra_window_s(spectra) < 6);
    }
  }
  assert_true(ct_spectra_window_tally(spectra)->photons > 2048);
  assert_cube(ct_spectra_total(spectra), model, 0);
  struct ct_hexitec_tally none = { 0 };
  ct_spectra_add(spectra, time_ns + 3000 * ms, NULL, 0, &none);
  assert_true(ct_spectra_shortened(spectra));
  ct_spectra_add(spectra, time_ns + 7000 * ms, NULL, 0, &none);   /* quiet again: the window recovers */
  assert_false(ct_spectra_shortened(spectra));
  assert_int_equal(ct_spectra_window_tally(spectra)->photons, 0);
  ct_spectra_free(spectra);
  free(model);
}

static void test_odd_energies(void **state)
{
  (void)state;
  struct ct_spectra *spectra = new_spectra(60, 10 << 20);
  const struct ct_event events[] = { { 0, NAN }, { 1, INFINITY }, { 2, -INFINITY }, { 3, -1 }, { 4, 25 }, { 5, 20 } };
  struct ct_hexitec_tally none = { 0 };

  ct_spectra_add(spectra, start_ns, events, 6, &none);
  assert_int_equal(ct_spectra_window_tally(spectra)->photons, 1);
  assert_int_equal(ct_spectra_window_tally(spectra)->below, 3);
  assert_int_equal(ct_spectra_window_tally(spectra)->above, 2);
  assert_int_equal(ct_spectra_window(spectra)[5 * BINS], 1);
  ct_spectra_free(spectra);
}

static void test_full_counter(void **state)
{
  (void)state;
  struct ct_spectra *spectra = new_spectra(ENDLESS, 10 << 20);
  const struct ct_event events[] = { { 2, 20.25f }, { 2, 20.25f }, { 2, 20.75f } };
  uint32_t *counter = (uint32_t *)(uintptr_t)ct_spectra_total(spectra) + 2 * BINS;   /* years in a moment */
  struct ct_hexitec_tally none = { 0 };

  *counter = UINT32_MAX - 1;
  ct_spectra_add(spectra, start_ns, events, 3, &none);
  assert_ptr_equal(ct_spectra_total(spectra) + 2 * BINS, counter);
  assert_int_equal(counter[0], UINT32_MAX);
  assert_int_equal(counter[1], 1);
  assert_int_equal(ct_spectra_saturated(spectra), 1);
  assert_int_equal(ct_spectra_total_tally(spectra)->photons, 2);
  ct_spectra_free(spectra);
}

static void assert_refused(struct ct_spectra_setup setup, const char *words)
{
  struct ct_spectra *spectra;
  struct ct_err err = { "" };

  assert_int_equal(ct_spectra_new(&spectra, &setup, &err), CT_ERANGE);
  assert_null(spectra);
  assert_non_null(strstr(err.text, words));
}

static void test_refusals(void **state)
{
  (void)state;
  const struct ct_axis axis = { 0, 0.2, 1000 };
  const uint64_t gigabyte = 1 << 30;

  assert_refused((struct ct_spectra_setup){ 0, axis, 60, gigabyte }, "0 pixels");
  assert_refused((struct ct_spectra_setup){ 1 << 20, { 0, 0.01, 4096 }, 60, UINT64_MAX }, "2^32");
  assert_refused((struct ct_spectra_setup){ UINT32_MAX, { 0, 0.01, UINT32_MAX }, 60, UINT64_MAX }, "2^32");
  assert_refused((struct ct_spectra_setup){ 6400, axis, 60, 40 << 20 }, "run.memory_MB");
  assert_refused((struct ct_spectra_setup){ 160 * 480, axis, 60, 500 << 20 }, "at least 733 MB, 500 are allowed");
  assert_refused((struct ct_spectra_setup){ 6400, axis, ENDLESS, 24 << 20 }, "run.memory_MB");
  assert_refused((struct ct_spectra_setup){ 6400, axis, 3e9, gigabyte }, "run.memory_MB");
  assert_refused((struct ct_spectra_setup){ 6400, axis, 0, gigabyte }, "run.window");
  assert_refused((struct ct_spectra_setup){ 6400, axis, NO_NUMBER, gigabyte }, "run.window");
  assert_refused((struct ct_spectra_setup){ 6400, axis, -ENDLESS, gigabyte }, "run.window");
  assert_refused((struct ct_spectra_setup){ 6400, axis, 1e300, gigabyte }, "run.window");
}

/* The largest sensor with the default memory. */
static void test_160x480_fits_a_gigabyte(void **state)
{
  (void)state;
  struct ct_spectra_setup setup = { 160 * 480, { 0, 0.2, 1000 }, 60, 1 << 30 };
  const struct ct_event event = { 160 * 480 - 1, 199.9f };
  struct ct_hexitec_tally none = { 0 };
  struct ct_spectra *spectra;

  assert_int_equal(ct_spectra_new(&spectra, &setup, NULL), 0);
  assert_int_equal(ct_spectra_pixels(spectra), 160 * 480);
  assert_int_equal(ct_spectra_axis(spectra)->n, 1000);
  ct_spectra_add(spectra, start_ns, &event, 1, &none);
  assert_int_equal(ct_spectra_window(spectra)[160 * 480 * 1000 - 1], 1);
  ct_spectra_free(spectra);
}

/* ---- a window that begins anew --------------------------------------------------------------------------------- */
static void test_restarting_window(void **state)
{
  (void)state;
  struct ct_spectra *s;
  struct ct_spectra_setup setup = { PIXELS, { 0, 1, BINS }, CT_SPECTRA_SCAN, 64 << 20 };
  struct ct_hexitec_tally one = { .frames = 1, .single = 1 };
  struct ct_event event = { .pixel = 3, .energy_keV = 4.5f };

  assert_int_equal(ct_spectra_new(&s, &setup, NULL), 0);
  for (int i = 0; i < 1000; i++)
    ct_spectra_add(s, i * CT_NS_PER_S, &event, 1, &one);
  assert_int_equal(ct_spectra_window(s)[3 * BINS + 4], 1000);
  ct_spectra_restart(s);
  assert_int_equal(ct_spectra_window(s)[3 * BINS + 4], 0);
  assert_int_equal(ct_spectra_window_tally(s)->hexitec.frames, 0);
  for (int i = 1000; i < 1300; i++)
    ct_spectra_add(s, i * CT_NS_PER_S, &event, 1, &one);
  assert_int_equal(ct_spectra_window(s)[3 * BINS + 4], 300);
  assert_int_equal(ct_spectra_window_tally(s)->photons, 300);
  assert_int_equal(ct_spectra_window_tally(s)->hexitec.single, 300);
  assert_int_equal(ct_spectra_total(s)[3 * BINS + 4], 1300);
  assert_int_equal(ct_spectra_total_tally(s)->photons, 1300);
  assert_true(ct_spectra_window_s(s) == 299);
  assert_false(ct_spectra_shortened(s));
  ct_spectra_free(s);
}

int main(void)
{
  const struct CMUnitTest tests[] = {
    cmocka_unit_test(test_axis), cmocka_unit_test(test_restarting_window),
    cmocka_unit_test(test_axis_edges_are_exact),
    cmocka_unit_test(test_axis_refusals),
    cmocka_unit_test(test_window_follows_the_model),
    cmocka_unit_test(test_covered_grows_to_the_window),
    cmocka_unit_test(test_clock_set_back),
    cmocka_unit_test(test_run_window),
    cmocka_unit_test(test_memory_ends),
    cmocka_unit_test(test_odd_energies),
    cmocka_unit_test(test_full_counter),
    cmocka_unit_test(test_refusals),
    cmocka_unit_test(test_160x480_fits_a_gigabyte),
  };
  return cmocka_run_group_tests_name("spectra", tests, NULL, NULL);
}
