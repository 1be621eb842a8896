/* A CR2032 lying flat: every layer is a pile of discs, so that path lengths have a closed form. */
#include "sim/internal.h"

#include <assert.h>
#include <math.h>
#include <string.h>

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

/* Where there is room: none touches a pore's edge, another material or another disc. */
enum { CATHODE_LAYER = 1, ANODE_LAYER = 3 };
#define GAS CT_SIM_NOTHING
#define METAL CT_SIM_LITHIUM
static const struct ct_growing growing[] = {
  { CATHODE_LAYER, -0.3, 4.6, 1.00, GAS, CATHODE },  { CATHODE_LAYER, 1.9, -1.9, 0.80, GAS, CATHODE },
  { CATHODE_LAYER, -2.6, -1.2, 0.60, GAS, CATHODE }, { CATHODE_LAYER, 5.4, 1.6, 0.45, GAS, CATHODE },
  { CATHODE_LAYER, -5.2, 1.1, 0.25, GAS, CATHODE },  { CATHODE_LAYER, 0, -8.0, 0.90, GAS, LIQUID },
  /* Dendrites: around the rim of the anode, down beside the cathode, into pores. */
  { ANODE_LAYER, 8.5, 0.4, 0.40, METAL, LIQUID },    { ANODE_LAYER, -3.2, 7.85, 0.40, METAL, LIQUID },
  { ANODE_LAYER, -5.5, -6.5, 0.40, METAL, LIQUID },  { CATHODE_LAYER, 7.7, 1.5, 0.50, METAL, LIQUID },
  { CATHODE_LAYER, -7.5, -2.5, 0.50, METAL, LIQUID }, { CATHODE_LAYER, 2.0, 7.6, 0.50, METAL, LIQUID },
  { CATHODE_LAYER, -3.4, 2.6, 0.60, METAL, LIQUID }, { CATHODE_LAYER, 4.3, -1.2, 0.40, METAL, LIQUID },
};

const struct ct_growing *ct_phantom_growing(uint32_t *n)
{
  *n = sizeof growing / sizeof growing[0];
  return growing;
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

void ct_phantom_grown(enum ct_sim_sample sample, double growth, bool gas, bool lithium, struct ct_grown *grown)
{
  const struct ct_layer *layers = ct_phantom(sample, &grown->n);
  assert(grown->n <= CT_LAYERS_MAX);
  for (uint32_t i = 0; i < grown->n; i++) {
    assert(layers[i].n <= CT_DISCS_MAX);
    memcpy(grown->discs[i], layers[i].discs, layers[i].n * sizeof *layers[i].discs);
    grown->layers[i] = layers[i];
    grown->layers[i].discs = grown->discs[i];
  }
  for (uint32_t i = 0; sample == CT_SIM_CELL && growth > 0 && i < sizeof growing / sizeof *growing; i++) {
    const struct ct_growing *g = &growing[i];
    struct ct_layer *layer = &grown->layers[g->layer];
    if (!(g->material == CT_SIM_NOTHING ? gas : lithium)) continue;
    assert(layer->n < CT_DISCS_MAX);
    grown->discs[g->layer][layer->n++] = (struct ct_disc){ g->x, g->y, g->r_mm * growth, g->material, g->around };
  }
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

void ct_layer_chords(const struct ct_layer *layer, double first_mm, double step_mm, uint32_t n, double cosine, double sine,
                     const double mu_cm[CT_SIM_MATERIALS], double *depth)
{
  for (uint32_t i = 0; i < n; i++) depth[i] = 0;
  for (uint32_t j = 0; j < layer->n; j++) {
    const struct ct_disc *d = &layer->discs[j];
    double middle = (d->x * cosine - d->y * sine - first_mm) / step_mm, reach = d->r / step_mm;
    double from = ceil(fmax(middle - reach, 0)), to = floor(fmin(middle + reach, n - 1.0));
    if (from > to) continue;
    double scale = 2 * step_mm / CT_MM_PER_CM * (mu_of(d->material, mu_cm) - mu_of(d->around, mu_cm));
    for (uint32_t i = (uint32_t)from; i <= (uint32_t)to; i++) {
      double off = i - middle;
      depth[i] += scale * sqrt(fmax(reach * reach - off * off, 0));
    }
  }
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
