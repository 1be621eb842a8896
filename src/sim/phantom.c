/* A CR2032 lying flat: every layer is a pile of discs, so that path lengths have a closed form. */
#include "sim/internal.h"

#include <math.h>

#define STEEL CT_SIM_STEEL
#define GASKET CT_SIM_GASKET
#define LIQUID CT_SIM_ELECTROLYTE
#define CATHODE CT_SIM_CATHODE
/* Can (outer), gasket, cap (inner wall), and what fills the cell. */
#define WALLS                                                                   \
  { 0, 0, 10.0, STEEL, CT_SIM_NOTHING }, { 0, 0, 9.75, GASKET, STEEL },         \
  { 0, 0, 9.25, STEEL, GASKET }, { 0, 0, 9.0, LIQUID, STEEL }

static const struct ct_disc can[] = { { 0, 0, 10.0, STEEL, CT_SIM_NOTHING } };
/* Pores large enough to be seen, filled with electrolyte. */
static const struct ct_disc cathode[] = {
  WALLS, { 0, 0, 7.0, CATHODE, LIQUID },
  { -3.4, 2.6, 0.90, LIQUID, CATHODE }, { 2.9, 3.7, 0.60, LIQUID, CATHODE }, { 4.3, -1.2, 0.75, LIQUID, CATHODE },
  { -1.1, -4.4, 0.65, LIQUID, CATHODE }, { 0.6, 0.9, 0.50, LIQUID, CATHODE }, { -5.1, -1.6, 0.55, LIQUID, CATHODE },
  { 2.2, -4.9, 0.45, LIQUID, CATHODE },
};
static const struct ct_disc separator[] = { WALLS, { 0, 0, 8.0, GASKET, LIQUID } };
static const struct ct_disc anode[] = { WALLS, { 0, 0, 8.0, CT_SIM_LITHIUM, LIQUID } };
static const struct ct_disc spacer[] = { WALLS, { 0, 0, 8.0, STEEL, LIQUID } };
static const struct ct_disc spring[] = { WALLS, { 0, 0, 8.0, CT_SIM_NOTHING, LIQUID } };
static const struct ct_disc cap[] = {
  { 0, 0, 10.0, STEEL, CT_SIM_NOTHING }, { 0, 0, 9.75, GASKET, STEEL }, { 0, 0, 9.25, STEEL, GASKET }
};

#define LAYER(from, to, discs) { from, to, discs, sizeof(discs) / sizeof((discs)[0]) }
static const struct ct_layer cell[] = {
  LAYER(0, CT_CATHODE_FROM_MM, can),
  LAYER(CT_CATHODE_FROM_MM, CT_CATHODE_TO_MM, cathode),
  LAYER(CT_CATHODE_TO_MM, 1.27, separator), LAYER(1.27, 1.52, anode), LAYER(1.52, 2.02, spacer),
  LAYER(2.02, 2.95, spring), LAYER(2.95, 3.2, cap),
};

#define SLAB(name, material)                                                            \
  static const struct ct_disc name##_disc[] = { { 0, 0, 15, material, CT_SIM_NOTHING } }; \
  static const struct ct_layer name[] = { LAYER(0, 3.2, name##_disc) };
SLAB(slab_ptfe, CT_SIM_PTFE)
SLAB(slab_lithium, CT_SIM_LITHIUM)
SLAB(slab_cathode, CT_SIM_CATHODE)
SLAB(slab_steel, CT_SIM_STEEL)

/* Where there is room for them: none touches a pore or another. */
static const struct ct_bubble bubbles[] = {
  { -0.3, 4.6, 1.00, CATHODE }, { 1.9, -1.9, 0.80, CATHODE }, { -2.6, -1.2, 0.60, CATHODE }, { 5.4, 1.6, 0.45, CATHODE },
  { -5.2, 1.1, 0.25, CATHODE }, { 0, -8.0, 0.90, LIQUID },
};

const struct ct_bubble *ct_phantom_bubbles(uint32_t *n)
{
  *n = sizeof bubbles / sizeof bubbles[0];
  return bubbles;
}

double ct_phantom_growth(double t_s, double speedup) { return fmin(t_s * speedup / 36000, 1); }

const struct ct_layer *ct_phantom(enum ct_sim_sample sample, uint32_t *n)
{
  *n = 1;
  switch (sample) {
  case CT_SIM_SLAB_PTFE: return slab_ptfe;
  case CT_SIM_SLAB_LITHIUM: return slab_lithium;
  case CT_SIM_SLAB_CATHODE: return slab_cathode;
  case CT_SIM_SLAB_STEEL: return slab_steel;
  case CT_SIM_EMPTY: case CT_SIM_AM241: case CT_SIM_CO57: *n = 0; return cell;
  case CT_SIM_CELL: break;
  }
  *n = sizeof cell / sizeof cell[0];
  return cell;
}

int ct_layer_material(const struct ct_layer *layer, double x, double y)
{
  for (uint32_t i = layer->n; i-- > 0;) {
    const struct ct_disc *d = &layer->discs[i];
    if ((x - d->x) * (x - d->x) + (y - d->y) * (y - d->y) < d->r * d->r) return d->material;
  }
  return CT_SIM_NOTHING;
}

static double mu_of(int material, const double *mu_cm) { return material == CT_SIM_NOTHING ? 0 : mu_cm[material]; }

double ct_layer_depth(const struct ct_layer *layer, double x, double y, const double mu_cm[CT_SIM_MATERIALS])
{
  double depth = 0;
  for (uint32_t i = 0; i < layer->n; i++) {
    const struct ct_disc *d = &layer->discs[i];
    double half2 = d->r * d->r - (y - d->y) * (y - d->y);
    if (half2 <= 0) continue;
    double half = sqrt(half2), inside = fmin(fmax(x - d->x + half, 0), 2 * half);
    depth += inside / CT_MM_PER_CM * (mu_of(d->material, mu_cm) - mu_of(d->around, mu_cm));
  }
  return depth;
}

double ct_layer_chord(const struct ct_layer *layer, double across_mm, double cosine, double sine,
                      const double mu_cm[CT_SIM_MATERIALS])
{
  double depth = 0;
  for (uint32_t i = 0; i < layer->n; i++) {
    const struct ct_disc *d = &layer->discs[i];
    double off = across_mm - (d->x * cosine - d->y * sine), half2 = d->r * d->r - off * off;
    if (half2 > 0) depth += 2 * sqrt(half2) / CT_MM_PER_CM * (mu_of(d->material, mu_cm) - mu_of(d->around, mu_cm));
  }
  return depth;
}

void ct_phantom_attenuation(double e_keV, double mu_cm[CT_SIM_MATERIALS])
{
  for (int i = 0; i < CT_SIM_MATERIALS; i++) mu_cm[i] = ct_sim_attenuation((enum ct_sim_source)i, e_keV);
  mu_cm[CT_SIM_CATHODE] += mu_cm[CT_SIM_LITHIATION];
}

double ct_phantom_gradient(const struct ct_sim_effects *effects, double y, double z)
{
  double lateral = effects->lateral ? fmin(fmax(0.15 * y / 7.0, -0.15), 0.15) : 0;
  double depth = effects->depth ? 0.1 * (z - (CT_CATHODE_FROM_MM + CT_CATHODE_TO_MM) / 2) : 0;
  return lateral + depth;
}
