/* The lines of calibration sources, from xraylib. */
#include <comptop/hexitec.h>

#include <ctype.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <xraylib.h>

static const double least_keV = 5, most_keV = 200, least_weight = 0.01, apart_fwhm = 2.2;
enum { SOURCE_LINES = 512, NAME_BYTES = 16 };

/* All lines of one source, unsorted. */
struct gathered {
  struct ct_line lines[SOURCE_LINES];
  uint32_t n;
};

static void gather(struct gathered *all, double energy_keV, double weight)
{
  if (all->n < SOURCE_LINES && energy_keV >= least_keV && energy_keV <= most_keV && weight > 0)
    all->lines[all->n++] = (struct ct_line){ energy_keV, weight };
}

/* "Am-241" is xraylib's "241Am". */
static bool gather_nuclide(struct gathered *all, const char *name)
{
  char theirs[2 * NAME_BYTES];
  const char *dash = strchr(name, '-');
  if (dash == NULL || dash == name || !isdigit((unsigned char)dash[1]))
    return false;
  snprintf(theirs, sizeof theirs, "%s%.*s", dash + 1, (int)(dash - name), name);
  struct radioNuclideData *nuclide = GetRadioNuclideDataByName(theirs, NULL);
  if (nuclide == NULL)
    return false;
  for (int i = 0; i < nuclide->nXrays; i++)
    gather(all, LineEnergy(nuclide->Z_xray, nuclide->XrayLines[i], NULL), nuclide->XrayIntensities[i]);
  for (int i = 0; i < nuclide->nGammas; i++)
    gather(all, nuclide->GammaEnergies[i], nuclide->GammaIntensities[i]);
  FreeRadioNuclideData(nuclide);
  return true;
}

static bool gather_element(struct gathered *all, const char *name)
{
  static const int lines[] = { KL2_LINE, KL3_LINE, KM2_LINE, KM3_LINE, KN2_LINE, KN3_LINE };
  const int z = SymbolToAtomicNumber(name, NULL);
  for (size_t i = 0; z > 0 && i < sizeof lines / sizeof *lines; i++)
    gather(all, LineEnergy(z, lines[i], NULL), RadRate(z, lines[i], NULL));
  return z > 0;
}

static int by_energy(const void *a, const void *b)
{
  const struct ct_line *left = a, *right = b;
  return (left->energy_keV > right->energy_keV) - (left->energy_keV < right->energy_keV);
}

/* The strong ones of a source join those of the others. */
static int add_source(struct ct_lines *out, const char *name, struct ct_err *err)
{
  struct gathered all = { .n = 0 };
  double strongest = 0;
  if (!gather_nuclide(&all, name) && !gather_element(&all, name))
    return ct_err_set(err, CT_EUSAGE, "%s: no source of that name; there are nuclides (Am-241, Co-57, Cd-109, Ba-133, Gd-153, "
                      "Cs-137, Cm-244, Pu-238, I-125, Fe-55) and the K lines of elements (W, Pb, ...)", name);
  for (uint32_t i = 0; i < all.n; i++)
    strongest = fmax(strongest, all.lines[i].weight);
  if (strongest <= 0)
    return ct_err_set(err, CT_EUSAGE, "%s: has no lines of %g to %g keV", name, least_keV, most_keV);
  for (uint32_t i = 0; i < all.n; i++) {
    if (all.lines[i].weight < least_weight * strongest)
      continue;
    if (out->n == CT_LINES_MAX)
      return ct_err_set(err, CT_EUSAGE, "%s: with the sources before it more than %d lines", name, CT_LINES_MAX);
    out->lines[out->n++] = all.lines[i];
  }
  return 0;
}

static void finish_group(const struct ct_lines *lines, struct ct_line_group *group)
{
  double weight = 0, mean = 0, square = 0;
  for (uint32_t i = group->first; i < group->first + group->n; i++) {
    weight += lines->lines[i].weight;
    mean += lines->lines[i].weight * lines->lines[i].energy_keV;
  }
  group->energy_keV = mean / weight;
  for (uint32_t i = group->first; i < group->first + group->n; i++) {
    const double off_keV = lines->lines[i].energy_keV - group->energy_keV;
    square += lines->lines[i].weight * off_keV * off_keV;
  }
  group->spread_keV = sqrt(square / weight);
}

static void make_groups(struct ct_lines *out, double fwhm_keV)
{
  for (uint32_t i = 0; i < out->n; i++) {
    if (i == 0 || out->lines[i].energy_keV - out->lines[i - 1].energy_keV > apart_fwhm * fwhm_keV)
      out->groups[out->n_groups++] = (struct ct_line_group){ .first = i };
    out->groups[out->n_groups - 1].n++;
  }
  for (uint32_t i = 0; i < out->n_groups; i++)
    finish_group(out, &out->groups[i]);
}

int ct_lines_of(struct ct_lines *out, const char *sources, double fwhm_keV, struct ct_err *err)
{
  memset(out, 0, sizeof *out);
  for (const char *at = sources;; at++) {
    char name[NAME_BYTES];
    const size_t length = strcspn(at, ",");
    if (length == 0 || length >= sizeof name)
      return ct_err_set(err, CT_EUSAGE, "\"%.60s\": needs sources like Am-241 or W,Pb", sources);
    memcpy(name, at, length);
    name[length] = '\0';
    int code = add_source(out, name, err);
    if (code != 0)
      return code;
    at += length;
    if (*at == '\0')
      break;
  }
  qsort(out->lines, out->n, sizeof *out->lines, by_energy);
  make_groups(out, fwhm_keV);
  return 0;
}
