/* Errors against what they claim, for every option: thousands of Poisson spectra, (value - truth)/sigma must have mean 0
 * and sd 1 within their own errors. The low-count bias is removed in all of them, as it would shift the mean. */
#include "common.h"

enum { TRIALS = 3000, BINS = 1000, FIRST = 310, LAST = 560, SCALE = 4000 };      /* 62-112 keV: all that any window reaches */

/* A peak over a sloping ground, off the middle by shift_keV. */
struct source {
  double height, sd_keV, ground, shift_keV;
};
static const struct source usual = { .height = 3000, .sd_keV = 1.9, .ground = 120 };

static double expected(const struct source *s, uint32_t bin)
{
  double e = 0.2 * (bin + 0.5) - s->shift_keV, d = (e - 93.63) / s->sd_keV;
  return s->height * exp(-d * d / 2) + s->ground * (1 - (e - 90) / 60);
}

static void draw(const struct source *s, uint64_t *seed, uint32_t *spectrum)
{
  for (uint32_t i = FIRST; i < LAST; i++)
    spectrum[i] = poisson_of(seed, expected(s, i));
}

/* So many counts that they are the expectation, and no bias is left. */
static void draw_truth(const struct source *s, uint32_t *spectrum)
{
  memset(spectrum, 0, BINS * sizeof *spectrum);
  for (uint32_t i = FIRST; i < LAST; i++)
    spectrum[i] = (uint32_t)llround(expected(s, i) * SCALE);
}

struct pull {
  double sum, sum2;
  int n;
};

static void add(struct pull *p, double value, double truth, double sigma)
{
  double z = (value - truth) / sigma;
  assert_true(isfinite(z));
  p->sum += z;
  p->sum2 += z * z;
  p->n++;
}

static void judge(const char *option, const char *name, const struct pull *p)
{
  double mean = p->sum / p->n, sd = sqrt(p->sum2 / p->n - mean * mean);
  print_message("# %-28s %-10s mean %+.3f sd %.3f (+- %.3f, %.3f)\n", option, name, mean, sd, 1 / sqrt(p->n),
                1 / sqrt(2.0 * p->n));
  assert_near(mean, 0, 4 / sqrt(p->n));
  assert_near(sd, 1, 4 / sqrt(2.0 * p->n));
}

struct pulls {
  struct pull all, plus, asymmetry;
};

static void add_all(struct pulls *p, const struct ct_emf *emf, const struct ct_emf *truth)
{
  add(&p->all, emf->emf, truth->emf, emf->sigma);
  add(&p->plus, emf->emf_plus, truth->emf_plus, emf->plus_sigma);
  add(&p->asymmetry, emf->asymmetry, truth->asymmetry, emf->asymmetry_sigma);
}

static void judge_all(const char *option, const struct pulls *p)
{
  judge(option, "EMF", &p->all);
  judge(option, "EMF+", &p->plus);
  judge(option, "asymmetry", &p->asymmetry);
}

static struct ct_compton_setup setup_with(enum ct_background background, uint32_t n_windows, int order)
{
  struct ct_compton_setup s = pixel_setup(90, 0.2);
  s.background = background;
  s.n_windows = n_windows;
  s.order = order;
  s.unbias = true;
  s.polarisation = 1;
  s.phi_deg = 90;
  s.sensor = (struct ct_absorber){ "Cd0.9Zn0.1Te", 5.78, 2 };
  return s;
}

static void counting(const char *option, const struct ct_compton_setup *s, uint64_t seed)
{
  static uint32_t spectrum[BINS];
  draw_truth(&usual, spectrum);
  struct ct_emf truth = emf_of(s, spectrum), emf;
  memset(spectrum, 0, sizeof spectrum);
  struct ct_compton *c = make(s);
  struct pulls p = { 0 };
  for (int t = 0; t < TRIALS; t++) {
    struct ct_sums sums;
    draw(&usual, &seed, spectrum);
    ct_compton_sums(c, 0, spectrum, &sums);
    ct_compton_emf(c, &sums, &emf);
    add_all(&p, &emf, &truth);
  }
  ct_compton_free(c);
  judge_all(option, &p);
}

static void backgrounds_and_orders(void **state)
{
  (void)state;
  static const struct { const char *option; enum ct_background background; uint32_t n_windows; int order; } cases[] = {
    { "no background, order 1", CT_BACKGROUND_NONE, 0, 1 },
    { "no background, order 2", CT_BACKGROUND_NONE, 0, 2 },
    { "flat background", CT_BACKGROUND_FLAT, 1, 1 },
    { "flat, two windows, order 2", CT_BACKGROUND_FLAT, 2, 2 },
    { "linear background", CT_BACKGROUND_LINEAR, 2, 1 },
    { "linear, order 2", CT_BACKGROUND_LINEAR, 2, 2 },
  };
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    struct ct_compton_setup s = setup_with(cases[i].background, cases[i].n_windows, cases[i].order);
    counting(cases[i].option, &s, 11 + i);
  }
}

static void corrections(void **state)
{
  (void)state;
  struct ct_compton_setup s = setup_with(CT_BACKGROUND_FLAT, 1, 2);
#define CASE(option, seed, ...)                                            \
  do {                                                                     \
    struct ct_compton_setup one = setup_with(CT_BACKGROUND_NONE, 0, 1);    \
    __VA_ARGS__;                                                           \
    counting(option, &one, seed);                                          \
  } while (0)
  CASE("exact pz", 21, one.pz_exact = true);
  CASE("Jacobian", 22, one.jacobian = true);
  CASE("cross section", 23, one.cross_section = true);
  CASE("efficiency", 24, one.efficiency = true);
  CASE("absorption", 25, one.n_layers = 1, one.layers[0] = (struct ct_absorber){ "Fe", 7.9, 0.8 });
  CASE("double scattering", 26, one.double_scatter = 0.02);
#undef CASE
  s.background = CT_BACKGROUND_LINEAR;
  s.n_windows = 2;
  s.pz_exact = s.jacobian = s.cross_section = s.efficiency = true;
  s.double_scatter = 0.02;
  counting("all of them, linear, order 2", &s, 27);
}

/* ---- errors of the energy scale ------------------------------------------------------------------------------- */
/* <pixels> pixels, each trial with an error of the scale that all share and one of its own. */
static void energy_errors(const char *option, double common_keV, double own_keV, uint64_t seed)
{
  enum { PIXELS = 6 };
  static uint32_t spectrum[BINS];
  struct ct_compton_setup s = setup_with(CT_BACKGROUND_NONE, 0, 2);
  s.cols = PIXELS;
  s.energy_sigma_keV = common_keV;
  s.pixel_sigma_keV = own_keV;
  draw_truth(&usual, spectrum);
  struct ct_compton *c = make(&s);
  struct ct_sums sums;
  struct ct_emf truth, emf;
  ct_compton_sums(c, 0, spectrum, &sums);
  ct_compton_emf(c, &sums, &truth);
  struct pulls one = { 0 }, all = { 0 };
  memset(spectrum, 0, sizeof spectrum);
  for (int t = 0; t < TRIALS / 2; t++) {
    struct ct_sums total = { 0 };
    double shift_keV = common_keV * normal(&seed);
    for (uint32_t pixel = 0; pixel < PIXELS; pixel++) {
      struct source shifted = usual;
      shifted.shift_keV = shift_keV + own_keV * normal(&seed);
      draw(&shifted, &seed, spectrum);
      ct_compton_sums(c, pixel, spectrum, &sums);
      ct_sums_add(&total, &sums);
      if (pixel == 0) {
        ct_compton_emf(c, &sums, &emf);
        add_all(&one, &emf, &truth);
      }
    }
    ct_compton_emf(c, &total, &emf);
    add_all(&all, &emf, &truth);
  }
  ct_compton_free(c);
  char name[64];
  snprintf(name, sizeof name, "%s, a pixel", option);
  judge_all(name, &one);
  snprintf(name, sizeof name, "%s, 6 pixels", option);
  judge_all(name, &all);
}

static void calibration(void **state)
{
  (void)state;
  energy_errors("common energy error", 0.03, 0, 31);
  energy_errors("own energy errors", 0, 0.04, 32);
}

/* ---- flat field ---------------------------------------------------------------------------------------------------- */
enum { WIDE = 5 };

/* Pixels that differ in resolution, tails and rate. */
static struct source of_pixel(uint32_t pixel, double height, double sd_keV)
{
  return (struct source){ .height = height * (1 - 0.12 * pixel), .sd_keV = sd_keV * (1 + 0.03 * pixel), .ground = 20 + 30 * pixel };
}

struct flat_values {
  double emf[WIDE], emf_sigma[WIDE], rate[WIDE], rate_sigma[WIDE];
};

/* What a flat field measured with <seed> holds; NULL: the truth. */
static void measure_flat(const struct ct_compton *c, uint64_t *seed, struct flat_values *out)
{
  static uint32_t spectrum[BINS];
  for (uint32_t pixel = 0; pixel < WIDE; pixel++) {
    struct source s = of_pixel(pixel, 1500, 1.6);
    struct ct_sums sums;
    struct ct_emf emf;
    double variance;
    if (seed != NULL)
      draw(&s, seed, spectrum);
    else
      draw_truth(&s, spectrum);
    ct_compton_sums(c, pixel, spectrum, &sums);
    ct_compton_emf(c, &sums, &emf);
    out->emf[pixel] = emf.emf;
    out->emf_sigma[pixel] = emf.sigma;
    ct_compton_intensity(c, pixel, &sums, seed ? 1 : SCALE, &out->rate[pixel], &variance);
    out->rate_sigma[pixel] = sqrt(variance);
  }
}

static struct ct_compton *with_flat(const struct ct_compton_setup *s, const struct flat_values *values)
{
  struct ct_compton *c = make(s);
  struct ct_flat flat = { 1, WIDE, values->emf, values->emf_sigma, values->rate, values->rate_sigma };
  struct ct_err err;
  assert_int_equal(ct_compton_set_flat(c, &flat, &err), 0);
  return c;
}

/* EMF and intensity of pixel 1, and EMF of pixels 1 and 2 and of all. */
struct flat_result {
  struct ct_emf one, two, all;
  double intensity, intensity_sigma;
};

static void apply_flat(const struct ct_compton *c, uint64_t *seed, struct flat_result *out)
{
  static uint32_t spectrum[BINS];
  struct ct_sums two = { 0 }, all = { 0 };
  for (uint32_t pixel = 0; pixel < WIDE; pixel++) {
    struct source s = of_pixel(pixel, 2500, 2.1);
    struct ct_sums sums;
    if (seed != NULL)
      draw(&s, seed, spectrum);
    else
      draw_truth(&s, spectrum);
    ct_compton_sums(c, pixel, spectrum, &sums);
    ct_sums_add(&all, &sums);
    if (pixel == 1 || pixel == 2)
      ct_sums_add(&two, &sums);
    if (pixel == 1) {
      double variance;
      ct_compton_emf(c, &sums, &out->one);
      ct_compton_intensity(c, pixel, &sums, seed ? 1 : SCALE, &out->intensity, &variance);
      out->intensity_sigma = sqrt(variance);
    }
  }
  ct_compton_emf(c, &two, &out->two);
  ct_compton_emf(c, &all, &out->all);
}

static double mean_rate(const struct flat_values *values)
{
  double sum = 0;
  for (int i = 0; i < WIDE; i++)
    sum += values->rate[i];
  return sum / WIDE;
}

static void flat_field(void **state)
{
  (void)state;
  enum { FLAT_TRIALS = 3000 };
  struct ct_compton_setup s = setup_with(CT_BACKGROUND_FLAT, 1, 1);
  s.cols = WIDE;
  s.flat_exponent = 0.73;
  uint64_t seed = 141;
  struct flat_values values;
  struct flat_result truth, result;
  struct ct_compton *plain = make(&s), *c;
  measure_flat(plain, NULL, &values);
  double true_mean = mean_rate(&values);
  c = with_flat(&s, &values);
  apply_flat(c, NULL, &truth);
  ct_compton_free(c);
  struct pull one = { 0 }, two = { 0 }, all = { 0 }, intensity = { 0 };
  for (int t = 0; t < FLAT_TRIALS; t++) {
    measure_flat(plain, &seed, &values);
    c = with_flat(&s, &values);
    apply_flat(c, &seed, &result);
    ct_compton_free(c);
    add(&one, result.one.emf, truth.one.emf, result.one.sigma);
    add(&two, result.two.emf, truth.two.emf, result.two.sigma);
    add(&all, result.all.emf, truth.all.emf, result.all.sigma);
    /* The error of the rate's mean is left out by contract: take the mean out of both. */
    double mean = mean_rate(&values);
    add(&intensity, result.intensity / mean, truth.intensity / true_mean, result.intensity_sigma / mean);
  }
  ct_compton_free(plain);
  judge("flat field, a pixel", "EMF", &one);
  judge("flat field, 2 pixels", "EMF", &two);
  judge("flat field, all pixels", "EMF", &all);
  judge("flat field, a pixel", "intensity", &intensity);
}

int main(void)
{
  const struct CMUnitTest tests[] = {
    cmocka_unit_test(backgrounds_and_orders),
    cmocka_unit_test(corrections),
    cmocka_unit_test(calibration),
    cmocka_unit_test(flat_field),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
