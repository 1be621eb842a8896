#include "xray.h"

#include <ctype.h>
#include <stdio.h>

#include <xraylib.h>

/* Below this no spectrum of ours reaches. */
static const double least_keV = 2;

static void add_line(struct ct_view *view, const char *element, const char *name, int line)
{
  struct ct_view_line mark = { .e_keV = LineEnergy(SymbolToAtomicNumber(element, NULL), line, NULL) };
  snprintf(mark.name, sizeof mark.name, "%s %s", element, name);
  for (uint32_t i = 0; i < view->n_xray; i++)
    if (view->xray[i].e_keV == mark.e_keV)      /* the same line, of an element that was named twice */
      return;
  if (mark.e_keV > least_keV && view->n_xray < CT_VIEW_LINES)
    view->xray[view->n_xray++] = mark;
}

/* Symbols are a capital and at most one small letter, whatever stands between them. */
static void add_lines(struct ct_view *view, const char *text, const char *name, int line)
{
  for (; *text != '\0'; text++) {
    bool two = islower((unsigned char)text[1]);
    char element[3] = { text[0], two ? text[1] : '\0', '\0' };
    if (isupper((unsigned char)*text) && SymbolToAtomicNumber(element, NULL) > 0)
      add_line(view, element, name, line);
  }
}

void xray_mark(struct ct_view *view, const char *const *texts, size_t n)
{
  view->n_xray = 0;
  for (size_t i = 0; i < n; i++)
    add_lines(view, texts[i], "Ka1", KA1_LINE);
  for (size_t i = 0; i < n; i++)
    add_lines(view, texts[i], "Kb1", KB1_LINE);
}
