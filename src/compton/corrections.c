/* What a photon of each energy is worth: everything smooth in energy that stands between J(pz) and the counts. */
#include "compton/internal.h"

#include <math.h>
#include <string.h>

#include <xraylib.h>

/* Below this xraylib has no cross sections; no window reaches there. */
static const double least_keV = 1;

/* Whether all that begins with a capital letter is an element. */
static bool has_elements(const char *formula)
{
  for (const char *at = formula; *at != '\0'; at++) {
    char name[4];
    if (*at < 'A' || *at > 'Z')
      continue;
    size_t n = 1 + strspn(at + 1, "abcdefghijklmnopqrstuvwxyz");
    if (n >= sizeof name)
      return false;
    memcpy(name, at, n);
    name[n] = '\0';
    if (SymbolToAtomicNumber(name, NULL) <= 0)
      return false;
  }
  return true;
}

struct compoundData *ct_parse_formula_(const char *formula)
{
  /* xraylib 4.1 loses memory over an unknown element. */
  return has_elements(formula) ? CompoundParser(formula, NULL) : NULL;
}

int ct_matter_init_(struct ct_matter *matter, const struct ct_absorber *layer, const char *what, struct ct_err *err)
{
  *matter = (struct ct_matter){ .areal_g_cm2 = layer->g_cm3 * layer->mm / 10 };
  if (!(layer->g_cm3 > 0 && layer->mm > 0 && matter->areal_g_cm2 < 1e6))
    return ct_err_set(err, CT_ERANGE, "%s %.60s: %g g/cm3 and %g mm must both be above 0", what, layer->formula, layer->g_cm3,
                      layer->mm);
  struct compoundData *compound = ct_parse_formula_(layer->formula);
  if (compound == NULL)
    return ct_err_set(err, CT_ERANGE, "%s %.60s: not a chemical formula", what, layer->formula);
  matter->n = (uint32_t)compound->nElements;
  for (int i = 0; i < compound->nElements && i < CT_ELEMENTS; i++) {
    matter->z[i] = compound->Elements[i];
    matter->fraction[i] = compound->massFractions[i];
  }
  FreeCompoundData(compound);
  if (matter->n > CT_ELEMENTS)
    return ct_err_set(err, CT_ERANGE, "%s %.60s: more than %d elements", what, layer->formula, CT_ELEMENTS);
  return 0;
}

double ct_matter_passage_(const struct ct_matter *matter, double e_keV)
{
  double cm2_g = 0;
  for (uint32_t i = 0; i < matter->n; i++)
    cm2_g += matter->fraction[i] * CS_Total(matter->z[i], e_keV, NULL);
  return exp(-cm2_g * matter->areal_g_cm2);
}

/* Counts per J dpz at one energy, up to a constant: what the corrections that are on divide by. */
static double response(const struct ct_compton *c, double theta_rad, double e_keV)
{
  const struct ct_compton_setup *s = &c->setup;
  double value = 1;
  if (s->jacobian)
    value /= s->pz_exact ? ct_dpz_dE_exact_(s->e1_keV, e_keV, theta_rad) : ct_compton_dpz_dE(s->e1_keV, e_keV, theta_rad);
  if (s->cross_section)
    value *= ct_compton_cross_section(s->e1_keV, e_keV, theta_rad, s->polarisation, s->phi_deg * M_PI / 180);
  if (s->efficiency)
    value *= 1 - ct_matter_passage_(&c->sensor, e_keV);
  for (uint32_t i = 0; i < s->n_layers; i++)
    value *= ct_matter_passage_(&c->layers[i], e_keV);
  return value;
}

double ct_seen_(const struct ct_compton *c, double e_keV)
{
  double e = fmax(least_keV, e_keV), seen = c->sensor.n > 0 ? 1 - ct_matter_passage_(&c->sensor, e) : 1;
  for (uint32_t i = 0; i < c->setup.n_layers; i++)
    seen *= ct_matter_passage_(&c->layers[i], e);
  return seen;
}

double ct_worth_(const struct ct_compton *c, double theta_rad, double e_keV)
{
  const struct ct_compton_setup *s = &c->setup;
  if (!s->jacobian && !s->cross_section && !s->efficiency && s->n_layers == 0)
    return 1;
  return response(c, theta_rad, ct_energy_(c, theta_rad, 0)) / response(c, theta_rad, fmax(least_keV, e_keV));
}

double ct_bin_worth_(const struct ct_compton *c, double theta_rad, uint32_t bin)
{
  return ct_worth_(c, theta_rad, c->setup.axis.start_keV + (bin + 0.5) * c->setup.axis.width_keV);
}

int ct_compton_check_edges(double e1_keV, const char *elements, struct ct_err *err)
{
  char name[4];
  for (const char *at = elements; *at != '\0';) {
    size_t n = 0;
    for (; *at != '\0' && *at != ','; at++)
      if (n + 1 < sizeof name && *at != ' ')
        name[n++] = *at;
    name[n] = '\0';
    at += *at == ',';
    int z = SymbolToAtomicNumber(name, NULL);
    double edge_keV = z > 0 ? EdgeEnergy(z, K_SHELL, NULL) : 0;
    if (z <= 0 || !(edge_keV > 0))
      return ct_err_set(err, CT_ERANGE, "%s is not the symbol of an element with a K edge", name[0] ? name : "nothing");
    if (!(e1_keV > edge_keV))
      return ct_err_set(err, CT_ERANGE, "e1_keV = %g is below the K edge of %s (%.2f keV): it cannot excite its lines", e1_keV,
                        name, edge_keV);
  }
  return 0;
}
