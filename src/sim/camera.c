#include <comptop/sim.h>

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "sim/internal.h"

enum { SUBCOLUMNS = 4, DIMENSION_MAX = 4096, NOISE_POOL = 1 << 17, BLOCK = CT_SIM_BLOCK };
#define CELL_MIDDLE_MM 1.6
#define GAIN_SPREAD 0.02
#define NOISE_COUNTS 3.0f
#define DEGREE (3.141592653589793 / 180)
/* Below this mean Poisson's distribution is drawn, above it is Gauss's. */
#define FEW_PHOTONS 64.0f
#define GOLDEN_TURN 0.6180339887498949
#define STREAM_GAINS (UINT64_C(3) << 62)
#define STREAM_NOISE (STREAM_GAINS + 1)
#define STREAM_RINGS (STREAM_GAINS + 2)
#define STREAM_DEAD (STREAM_GAINS + 3)
#define STREAM_DROPS (UINT64_C(1) << 62)

struct ct_sim_camera {
  struct ct_sim_camera_config config;
  uint32_t stride;           /* cols rounded up to BLOCK */
  struct ct_grown sample;    /* of the projection being made */
  double mu_cm[CT_SIM_MATERIALS];
  float *flat;               /* [row][stride]: photons without a sample */
  float *seen;               /* the same as projections see it; flat itself without rings */
  double *covered;           /* [row][layer]: share of the row's height */
  double *depth;             /* [SUBCOLUMNS * cols] */
  double *transmission;      /* [layer][col] of the projection being made */
  float *row;                /* [stride]: transmission of the row being made */
  float *noise;              /* a pool of Gauss's numbers: a row's noise is a run of it that begins anywhere */
  uint32_t *dead;            /* columns */
};

void ct_sim_camera_defaults(struct ct_sim_camera_config *config)
{
  *config = (struct ct_sim_camera_config){ .seed = 1, .rows = 64, .cols = 256, .pixel_mm = 0.085, .axis_px = 129.8,
                                           .darks = 5, .flats = 5, .projections = 180, .turn_deg = 180, .photons = 20000,
                                           .speedup = 1, .sample = CT_SIM_CELL };
}

static int check(const struct ct_sim_camera_config *c, struct ct_err *err)
{
  if (c->rows < 1 || c->rows > DIMENSION_MAX || c->cols < 1 || c->cols > DIMENSION_MAX)
    return ct_err_set(err, CT_ERANGE, "a camera of %u x %u pixels cannot be simulated: 1..%d each", c->rows, c->cols,
                      DIMENSION_MAX);
  if (!(c->pixel_mm > 0 && c->pixel_mm < 10) || !(fabs(c->axis_px) <= DIMENSION_MAX))
    return ct_err_set(err, CT_ERANGE, "camera pixels of %g mm with the axis at %g are out of range", c->pixel_mm,
                      c->axis_px);
  if (!(fabs(c->tilt_deg) <= 10))
    return ct_err_set(err, CT_ERANGE, "an axis that leans by %g degrees is out of range: -10 to 10", c->tilt_deg);
  if (!(c->photons > 0 && c->photons <= 60000))
    return ct_err_set(err, CT_ERANGE, "%g photons a camera pixel are out of range: above 0, at most 60000", c->photons);
  if (c->projections < 1 || c->projections > 1000000 || c->flats > 1000000 || c->darks > 1000000)
    return ct_err_set(err, CT_ERANGE, "a scan of %u darks, %u flats and %u projections is out of range: at most 10^6 each",
                      c->darks, c->flats, c->projections);
  if (c->turn_deg != 180 && c->turn_deg != 360)
    return ct_err_set(err, CT_ERANGE, "a scan over %g degrees is out of range: 180 or 360", c->turn_deg);
  if (!(c->rings >= 0 && c->rings <= 0.5) || !(c->drop >= 0 && c->drop <= 0.9) || c->dead_columns > c->cols)
    return ct_err_set(err, CT_ERANGE, "rings of %g, %g of frames dropped and %u dead columns are out of range: "
                      "0..0.5, 0..0.9, at most all", c->rings, c->drop, c->dead_columns);
  if (!(c->speedup >= 0 && c->speedup <= 1e6))
    return ct_err_set(err, CT_ERANGE, "a speed-up of %g is out of range: 0..1e6", c->speedup);
  return 0;
}

/* A beam brighter in the middle, on pixels that are not quite alike. */
static void make_flat(struct ct_sim_camera *camera)
{
  const struct ct_sim_camera_config *c = &camera->config;
  struct ct_random gains, rings;
  ct_random_seed(&gains, c->seed, STREAM_GAINS);
  ct_random_seed(&rings, c->seed, STREAM_RINGS);
  for (uint32_t row = 0; row < c->rows; row++) {
    for (uint32_t col = c->cols; col < camera->stride; col++)
      camera->flat[(size_t)row * camera->stride + col] = camera->seen[(size_t)row * camera->stride + col] = 2 * FEW_PHOTONS;
    for (uint32_t col = 0; col < c->cols; col++) {
      double x = 2 * (col + 0.5) / c->cols - 1, y = 2 * (row + 0.5) / c->rows - 1;
      double gain = fmin(fmax(1 + GAIN_SPREAD * ct_random_normal(&gains), 0.9), 1.05);
      size_t at = (size_t)row * camera->stride + col;
      camera->flat[at] = (float)(c->photons * (1 - 0.15 * x * x - 0.1 * y * y) * gain);
      if (camera->seen != camera->flat)
        camera->seen[at] = camera->flat[at] * (float)fmax(1 + c->rings * ct_random_normal(&rings), 0);
    }
  }
}

/* How much of a pixel's height a layer covers. */
static double covered_by(const struct ct_layer *layer, double top_mm, double pixel_mm)
{
  return fmax(fmin(top_mm, layer->to_mm) - fmax(top_mm - pixel_mm, layer->from_mm), 0) / pixel_mm;
}

static void make_covered(struct ct_sim_camera *camera)
{
  const struct ct_sim_camera_config *c = &camera->config;
  uint32_t n = camera->sample.n;
  for (uint32_t row = 0; row < c->rows; row++) {
    double top_mm = CELL_MIDDLE_MM + (c->rows / 2.0 - row) * c->pixel_mm;
    for (uint32_t i = 0; i < n; i++)
      camera->covered[row * n + i] = covered_by(&camera->sample.layers[i], top_mm, c->pixel_mm);
  }
}

/* Gauss's numbers whose mean is 0 and whose square's is 1 over the whole pool, so that nothing is biased by it. */
static void make_noise(struct ct_sim_camera *camera)
{
  struct ct_random random;
  double sum = 0, sum2 = 0;
  ct_random_seed(&random, camera->config.seed, STREAM_NOISE);
  for (size_t i = 0; i < NOISE_POOL; i++) {
    double value = ct_random_normal(&random);
    camera->noise[i] = (float)value;
    sum += value;
    sum2 += value * value;
  }
  double mean = sum / NOISE_POOL, scale = 1 / sqrt(sum2 / NOISE_POOL - mean * mean);
  for (size_t i = 0; i < NOISE_POOL; i++) camera->noise[i] = (float)(((double)camera->noise[i] - mean) * scale);
  memcpy(camera->noise + NOISE_POOL, camera->noise, camera->stride * sizeof *camera->noise);
}

static void make_dead(struct ct_sim_camera *camera)
{
  const struct ct_sim_camera_config *c = &camera->config;
  struct ct_random random;
  ct_random_seed(&random, c->seed, STREAM_DEAD);
  /* Floyd's way to draw each column once, without memory (Comm. ACM 30 (1987) 754). */
  for (uint32_t i = 0; i < c->dead_columns; i++) {
    uint32_t last = c->cols - c->dead_columns + i, drawn = ct_random_below(&random, last + 1);
    for (uint32_t j = 0; j < i; j++)
      if (camera->dead[j] == drawn) drawn = last;
    camera->dead[i] = drawn;
  }
}

static int allocate(struct ct_sim_camera *camera)
{
  const struct ct_sim_camera_config *c = &camera->config;
  size_t pixels = (size_t)c->rows * camera->stride, layers = camera->sample.n + 1;
  camera->flat = calloc(pixels, sizeof *camera->flat);
  camera->seen = c->rings > 0 ? calloc(pixels, sizeof *camera->seen) : camera->flat;
  camera->covered = calloc(c->rows * layers, sizeof *camera->covered);
  camera->depth = calloc((size_t)SUBCOLUMNS * c->cols, sizeof *camera->depth);
  camera->transmission = calloc(c->cols * layers, sizeof *camera->transmission);
  camera->row = calloc(camera->stride, sizeof *camera->row);
  camera->noise = calloc((size_t)NOISE_POOL + camera->stride, sizeof *camera->noise);
  camera->dead = calloc((size_t)c->dead_columns + 1, sizeof *camera->dead);
  return camera->flat && camera->seen && camera->covered && camera->depth && camera->transmission && camera->row &&
           camera->noise && camera->dead ? 0 : CT_ENOMEM;
}

int ct_sim_camera_new(struct ct_sim_camera **out, const struct ct_sim_camera_config *config, struct ct_err *err)
{
  *out = NULL;
  int rc = check(config, err);
  if (rc) return rc;
  struct ct_sim_camera *camera = calloc(1, sizeof *camera);
  if (!camera) return ct_err_set(err, CT_ENOMEM, "no memory for the simulated camera");
  camera->config = *config;
  camera->stride = (config->cols + BLOCK - 1) / BLOCK * BLOCK;
  ct_phantom_grown(config->sample, 0, false, false, &camera->sample);
  rc = allocate(camera);
  if (rc) {
    ct_sim_camera_free(camera);
    return ct_err_set(err, rc, "no memory for a camera of %u x %u pixels", config->rows, config->cols);
  }
  ct_phantom_attenuation(CT_SIM_E1_KEV, camera->mu_cm);
  make_flat(camera);
  make_covered(camera);
  make_noise(camera);
  make_dead(camera);
  *out = camera;
  return 0;
}

void ct_sim_camera_free(struct ct_sim_camera *camera)
{
  if (!camera) return;
  if (camera->seen != camera->flat) free(camera->seen);
  free(camera->flat);
  free(camera->covered);
  free(camera->depth);
  free(camera->transmission);
  free(camera->row);
  free(camera->noise);
  free(camera->dead);
  free(camera);
}

static void grow(const struct ct_sim_camera *camera, double t_s, struct ct_grown *sample)
{
  const struct ct_sim_camera_config *c = &camera->config;
  ct_phantom_grown(c->sample, ct_phantom_growth(t_s, c->speedup), c->bubbles, c->dendrites, sample);
}

/* Exact line integrals through a layer, the axis at <axis_px>; a pixel's transmission is the mean over its width. */
static void project(struct ct_sim_camera *camera, uint32_t layer, double axis_px, double pixel_mm, double angle_deg)
{
  double cosine = cos(angle_deg * DEGREE), sine = sin(angle_deg * DEGREE);
  double step_mm = pixel_mm / SUBCOLUMNS, first_mm = (-axis_px - 0.5 + 0.5 / SUBCOLUMNS) * pixel_mm;
  uint32_t cols = camera->config.cols;
  ct_layer_chords(&camera->sample.layers[layer], first_mm, step_mm, SUBCOLUMNS * cols, cosine, sine, camera->mu_cm,
                  camera->depth);
  for (uint32_t col = 0; col < cols; col++) {
    double sum = 0;
    for (int sub = 0; sub < SUBCOLUMNS; sub++) sum += exp(-camera->depth[SUBCOLUMNS * col + (uint32_t)sub]);
    camera->transmission[layer * cols + col] = sum / SUBCOLUMNS;
  }
}

/* What the layers of a row let through, and the air above and below the sample. Rows of one layer are alike. */
static void make_row(struct ct_sim_camera *camera, uint32_t row)
{
  uint32_t n = camera->sample.n, cols = camera->config.cols;
  const double *covered = camera->covered + (size_t)row * n;
  if (row > 0 && memcmp(covered, covered - n, n * sizeof *covered) == 0) return;
  for (uint32_t col = 0; col < cols; col++) {
    double through = 1;
    for (uint32_t i = 0; i < n; i++)
      if (covered[i] > 0) through -= covered[i] * (1 - camera->transmission[i * cols + col]);
    camera->row[col] = (float)through;
  }
}

/* The same where the axis leans: it is elsewhere in every row, and a row is not one height of the sample. */
static void make_leaning_row(struct ct_sim_camera *camera, uint32_t row, double angle_deg)
{
  const struct ct_sim_camera_config *c = &camera->config;
  double cosine = cos(c->tilt_deg * DEGREE), sine = sin(c->tilt_deg * DEGREE), down = row - (c->rows - 1) / 2.0;
  for (uint32_t col = 0; col < c->cols; col++) camera->row[col] = 1;
  for (uint32_t i = 0; i < camera->sample.n; i++) {
    bool projected = false;
    for (uint32_t col = 0; col < c->cols; col++) {
      double from_middle = (col - c->axis_px) * sine + down * cosine;
      double top_mm = CELL_MIDDLE_MM + (0.5 - from_middle) * c->pixel_mm;
      double share = covered_by(&camera->sample.layers[i], top_mm, c->pixel_mm);
      if (!(share > 0)) continue;
      if (!projected) project(camera, i, c->axis_px + down * sine / cosine, c->pixel_mm * cosine, angle_deg);
      projected = true;
      camera->row[col] -= (float)(share * (1 - camera->transmission[i * c->cols + col]));
    }
  }
}

/* Counts of a row; blocks have a length that the compiler knows. Returns whether any pixel has few photons. */
static inline __attribute__((always_inline)) bool detect_in_blocks(const float *flat, const float *through,
                                                                    const float *noise, uint32_t cols, uint16_t *pixels)
{
  int few = 0;
  for (uint32_t at = 0; at < cols; at += BLOCK, flat += BLOCK, through += BLOCK, noise += BLOCK) {
    uint16_t counts[BLOCK];
    for (int i = 0; i < BLOCK; i++) {
      float photons = flat[i] * through[i];
      few |= photons < FEW_PHOTONS;
      float value = photons + sqrtf(photons + NOISE_COUNTS * NOISE_COUNTS) * noise[i] + (CT_SIM_CAMERA_DARK_ADU + 0.5f);
      value = value > 0 ? value : 0;
      counts[i] = (uint16_t)(int32_t)(value < UINT16_MAX ? value : UINT16_MAX);
    }
    memcpy(pixels + at, counts, (cols - at < BLOCK ? cols - at : BLOCK) * sizeof *counts);
  }
  return few;
}

/* The same for processors that do more at once: chosen at run time and not by target_clones, whose resolvers run before
 * the sanitizers do. */
#if defined __x86_64__
__attribute__((target("avx2"))) static bool detect_avx2(const float *flat, const float *through, const float *noise,
                                                        uint32_t cols, uint16_t *pixels)
{
  return detect_in_blocks(flat, through, noise, cols, pixels);
}
#endif

static bool detect(const float *flat, const float *through, const float *noise, uint32_t cols, uint16_t *pixels)
{
#if defined __x86_64__
  if (__builtin_cpu_supports("avx2")) return detect_avx2(flat, through, noise, cols, pixels);
#endif
  return detect_in_blocks(flat, through, noise, cols, pixels);
}

/* Once more where photons are few: their number is Poisson's, by multiplying uniform numbers (Knuth). */
static void count_few(const float *flat, const float *through, const float *noise, uint32_t cols, struct ct_random *random,
                      uint16_t *pixels)
{
  for (uint32_t col = 0; col < cols; col++) {
    float mean = flat[col] * through[col];
    if (mean >= FEW_PHOTONS || mean <= 0) continue;
    int32_t n = 0;
    double least = exp(-(double)mean);
    for (double left = ct_random_unit(random); left > least; left *= ct_random_unit(random)) n++;
    float value = (float)n + NOISE_COUNTS * noise[col] + CT_SIM_CAMERA_DARK_ADU;
    pixels[col] = (uint16_t)lrintf(fmaxf(value, 0));
  }
}

static int where(const struct ct_sim_camera_config *c, uint64_t k, double *angle_deg)
{
  uint64_t at = k % ((uint64_t)c->darks + c->flats + c->projections), still = (uint64_t)c->darks + c->flats;
  *angle_deg = 0;
  if (at < still) return at < c->darks ? CT_KEY_DARK : CT_KEY_FLAT;
  double turns = c->golden ? fmod((double)(at - still) * GOLDEN_TURN, 1) : (double)(at - still) / c->projections;
  *angle_deg = c->turn_deg * turns;
  return CT_KEY_PROJECTION;
}

int ct_sim_camera_frame(struct ct_sim_camera *camera, uint64_t k, double t_s, uint16_t *pixels, double *angle_deg)
{
  const struct ct_sim_camera_config *c = &camera->config;
  int key = where(c, k, angle_deg);
  bool leans = fabs(c->tilt_deg) > 0;
  if (key == CT_KEY_PROJECTION) {
    grow(camera, t_s, &camera->sample);
    for (uint32_t i = 0; i < camera->sample.n && !leans; i++) project(camera, i, c->axis_px, c->pixel_mm, *angle_deg);
  }
  for (uint32_t col = 0; col < camera->stride; col++) camera->row[col] = key == CT_KEY_DARK ? 0 : 1;
  struct ct_random random;
  ct_random_seed(&random, c->seed, k);
  for (uint32_t row = 0; row < c->rows; row++) {
    const float *flat = (key == CT_KEY_PROJECTION ? camera->seen : camera->flat) + (size_t)row * camera->stride;
    const float *noise = camera->noise + ct_random_below(&random, NOISE_POOL);
    uint16_t *out = pixels + (size_t)row * c->cols;
    if (key == CT_KEY_PROJECTION && leans) make_leaning_row(camera, row, *angle_deg);
    else if (key == CT_KEY_PROJECTION) make_row(camera, row);
    bool few = detect(flat, camera->row, noise, c->cols, out);
    if (few && key != CT_KEY_DARK) count_few(flat, camera->row, noise, c->cols, &random, out);
    for (uint32_t i = 0; i < c->dead_columns; i++) out[camera->dead[i]] = 0;
  }
  return key;
}

bool ct_sim_camera_drops(const struct ct_sim_camera_config *config, uint64_t k)
{
  struct ct_random random;
  ct_random_seed(&random, config->seed, STREAM_DROPS | k);
  return config->drop > 0 && ct_random_unit(&random) < config->drop;
}

uint32_t ct_sim_camera_slice_size(const struct ct_sim_camera_config *config)
{
  if (config->turn_deg == 180) return config->cols;
  return (uint32_t)ceil(2 * fmax(config->axis_px + 0.5, config->cols - 0.5 - config->axis_px));
}

void ct_sim_camera_slice(const struct ct_sim_camera *camera, double t_s, double z_mm, uint32_t size, float *values)
{
  struct ct_grown sample;
  const struct ct_layer *layer = NULL;
  double pixel_mm = camera->config.pixel_mm;
  grow(camera, t_s, &sample);
  for (uint32_t i = 0; i < sample.n; i++)
    if (z_mm >= sample.layers[i].from_mm && z_mm < sample.layers[i].to_mm) layer = &sample.layers[i];
  for (uint32_t p = 0; p < size * size; p++) {
    double left_mm = (p % size - size / 2.0) * pixel_mm, top_mm = (size / 2.0 - p / size) * pixel_mm, sum = 0;
    for (uint32_t sub = 0; layer && sub < SUBCOLUMNS * SUBCOLUMNS; sub++) {
      double x = left_mm + (sub % SUBCOLUMNS + 0.5) / SUBCOLUMNS * pixel_mm;
      double y = top_mm - (sub / SUBCOLUMNS + 0.5) / SUBCOLUMNS * pixel_mm;
      int material = ct_layer_material(layer, x, y);
      if (material != CT_SIM_NOTHING) sum += camera->mu_cm[material];
    }
    values[p] = (float)(sum / (SUBCOLUMNS * SUBCOLUMNS));
  }
}
