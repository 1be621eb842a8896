#include "sim/internal.h"

#include <math.h>
#include <stdlib.h>

/* The sample is cut into SUB x SUB points a pixel; the pinhole's blur reaches REACH points beyond a pixel's edge. */
enum { SUB = 4, REACH_MAX = 8, KERNEL_MAX = SUB + 2 * REACH_MAX };
#define PINHOLE_MM 0.2
#define PINHOLE_LENGTH_MM 2.0

struct grid {
  uint32_t rows, cols, margin;         /* points; margin: REACH on every side */
  double step_mm, x0_mm, y0_mm;        /* of point (0, 0); x falls with the column, y with the row */
};

struct planes {
  double *points[CT_SIM_MATERIALS + 1];   /* the last: lithium times its gradient */
};

/* Share of a straight bore that an oblique ray leaves open: two circles shifted against each other. */
static double bore(double tan_angle)
{
  double u = PINHOLE_LENGTH_MM * tan_angle / PINHOLE_MM;
  return u >= 1 ? 0 : 2 / 3.14159265358979 * (acos(u) - u * sqrt(1 - u * u));
}

/* Attenuation upwards from z to outside. Rays to the pinhole, 160 mm away, are all but vertical. */
static double depth_up(const struct ct_layer *layers, uint32_t n, double x, double y, double z, const double *mu_cm)
{
  double depth = 0;
  for (uint32_t i = 0; i < n; i++) {
    double through = layers[i].to_mm - fmax(layers[i].from_mm, z);
    if (through <= 0) continue;
    int material = ct_layer_material(&layers[i], x, y);
    if (material != CT_SIM_NOTHING) depth += through / CT_MM_PER_CM * mu_cm[material];
  }
  return depth;
}

/* Adds what the sheet lights up in one layer. */
static void light(const struct ct_layer *layers, uint32_t n, uint32_t lit, double z_mm, const struct grid *grid,
                  double e2_keV, const struct ct_sim_effects *effects, struct planes *planes)
{
  double from = fmax(layers[lit].from_mm, z_mm - CT_SHEET_MM / 2), to = fmin(layers[lit].to_mm, z_mm + CT_SHEET_MM / 2);
  if (from >= to) return;
  double mu_in[CT_SIM_MATERIALS] = { 0 }, mu_out[CT_SIM_MATERIALS] = { 0 }, density[CT_SIM_MATERIALS];
  if (effects->attenuation_in) ct_phantom_attenuation(CT_SIM_E1_KEV, mu_in);
  if (effects->attenuation_out) ct_phantom_attenuation(e2_keV, mu_out);
  for (int m = 0; m < CT_SIM_MATERIALS; m++) density[m] = ct_material_density((enum ct_sim_source)m) * 1e-22;
  for (uint32_t i = 0; i < grid->rows; i++) {
    double y = grid->y0_mm - i * grid->step_mm;
    for (uint32_t j = 0; j < grid->cols; j++) {
      double x = grid->x0_mm - j * grid->step_mm;
      int material = ct_layer_material(&layers[lit], x, y);
      if (material == CT_SIM_NOTHING) continue;
      double light = (to - from) * exp(-ct_layer_depth(&layers[lit], x, y, mu_in) -
                                       depth_up(layers, n, x, y, (from + to) / 2, mu_out));
      size_t at = (size_t)i * grid->cols + j;
      planes->points[material][at] += light * density[material];
      if (material != CT_SIM_CATHODE) continue;
      planes->points[CT_SIM_LITHIATION][at] += light * density[CT_SIM_LITHIATION];
      planes->points[CT_SIM_MATERIALS][at] += light * density[CT_SIM_LITHIATION] *
                                                ct_phantom_gradient(effects, y, (from + to) / 2);
    }
  }
}

/* What one pixel collects of the points around it: its square blurred by the pinhole's disc. Returns its edge. */
static uint32_t make_kernel(double step_mm, double blur_mm, double kernel[KERNEL_MAX * KERNEL_MAX], uint32_t *margin)
{
  enum { FINE = 32 };                  /* places inside the pixel, per edge */
  /* A hole of no size still collects the point in whose square it lands. */
  double radius = fmax(blur_mm / 2 / step_mm, 0.5), sum = 0;
  *margin = (uint32_t)fmin(ceil(radius), REACH_MAX);
  uint32_t edge = SUB + 2 * *margin;
  for (uint32_t i = 0; i < edge; i++) {
    for (uint32_t j = 0; j < edge; j++) {
      double hits = 0;
      for (int k = 0; k < FINE * FINE; k++) {
        double dy = *margin + (k / FINE + 0.5) * SUB / FINE - (i + 0.5);
        double dx = *margin + (k % FINE + 0.5) * SUB / FINE - (j + 0.5);
        hits += dx * dx + dy * dy <= radius * radius;
      }
      kernel[i * edge + j] = hits;
      sum += hits;
    }
  }
  for (uint32_t i = 0; i < edge * edge; i++) kernel[i] /= sum;
  return edge;
}

/* The hole is open as far as its bore lets rays through; it looks smaller and is farther away by its cosine. */
static double open_share(const struct ct_sim_effects *effects, double tan_angle)
{
  return effects->vignetting ? bore(tan_angle) * pow(1 + tan_angle * tan_angle, -1.5) : 1;
}

static void collect(const struct ct_sim_config *config, const struct ct_geometry *geometry, const struct grid *grid,
                    const double *kernel, uint32_t edge, const double *points, double *image)
{
  double scale = geometry->object_mm / geometry->detector_mm * geometry->pitch_mm;
  for (uint32_t row = 0; row < config->rows; row++) {
    for (uint32_t col = 0; col < config->cols; col++) {
      double sum = 0;
      for (uint32_t i = 0; i < edge; i++) {
        const double *line = points + (size_t)(row * SUB + i) * grid->cols + (size_t)col * SUB;
        for (uint32_t j = 0; j < edge; j++) sum += kernel[i * edge + j] * line[j];
      }
      double tan_angle = hypot(col - geometry->centre_x_px, row - geometry->centre_y_px) * scale / geometry->object_mm;
      image[(size_t)row * config->cols + col] = sum * open_share(&config->effects, tan_angle);
    }
  }
}

int ct_image(const struct ct_sim_config *config, const struct ct_geometry *geometry, double z_mm, double *emission,
             double *gradient)
{
  double inverse = geometry->object_mm / geometry->detector_mm, kernel[KERNEL_MAX * KERNEL_MAX];
  size_t pixels = (size_t)config->rows * config->cols;
  struct grid grid = { .step_mm = geometry->pitch_mm * inverse / SUB };
  uint32_t edge = make_kernel(grid.step_mm, config->effects.blur ? PINHOLE_MM * (1 + inverse) : 0, kernel, &grid.margin);
  grid.rows = config->rows * SUB + 2 * grid.margin;
  grid.cols = config->cols * SUB + 2 * grid.margin;
  grid.x0_mm = ((geometry->centre_x_px + 0.5) * SUB + grid.margin - 0.5) * grid.step_mm;
  grid.y0_mm = ((geometry->centre_y_px + 0.5) * SUB + grid.margin - 0.5) * grid.step_mm;

  struct planes planes = { { NULL } };
  double *memory = calloc((CT_SIM_MATERIALS + 1) * (size_t)grid.rows * grid.cols, sizeof *memory);
  if (!memory) return CT_ENOMEM;
  for (int m = 0; m <= CT_SIM_MATERIALS; m++) planes.points[m] = memory + (size_t)m * grid.rows * grid.cols;

  uint32_t n;
  const struct ct_layer *layers = ct_phantom(config->sample, &n);
  double e2_keV = ct_compton_e2_keV(CT_SIM_E1_KEV, geometry->theta_deg * 3.141592653589793 / 180, 0);
  for (uint32_t lit = 0; lit < n; lit++) light(layers, n, lit, z_mm, &grid, e2_keV, &config->effects, &planes);
  for (int m = 0; m < CT_SIM_MATERIALS; m++)
    collect(config, geometry, &grid, kernel, edge, planes.points[m], emission + (size_t)m * pixels);
  collect(config, geometry, &grid, kernel, edge, planes.points[CT_SIM_MATERIALS], gradient);
  const double *lithium = emission + CT_SIM_LITHIATION * pixels;
  for (size_t p = 0; p < pixels; p++) gradient[p] = lithium[p] > 0 ? gradient[p] / lithium[p] : (double)NAN;
  free(memory);
  return 0;
}
