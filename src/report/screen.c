/* screen: the 80x24 screen as text, plain or with colours. */
#include "report/formats.h"

/* The attributes and colours of a glyph as one SGR sequence from a reset state. */
static void add_style(struct ct_buffer *out, const struct ct_glyph *glyph)
{
  static const struct {
    unsigned bit;
    const char *code;
  } attributes[] = { { CT_ATTR_BOLD, ";1" }, { CT_ATTR_DIM, ";2" }, { CT_ATTR_UNDERLINE, ";4" }, { CT_ATTR_REVERSE, ";7" } };
  ct_buffer_text(out, "\033[0");
  for (size_t i = 0; i < sizeof attributes / sizeof *attributes; i++)
    if (glyph->attributes & attributes[i].bit)
      ct_buffer_text(out, attributes[i].code);
  if (glyph->fg != CT_COLOUR_DEFAULT)
    ct_buffer_printf(out, ";38;5;%d", glyph->fg);
  if (glyph->bg != CT_COLOUR_DEFAULT)
    ct_buffer_printf(out, ";48;5;%d", glyph->bg);
  ct_buffer_text(out, "m");
}

static bool same_style(const struct ct_glyph *a, const struct ct_glyph *b)
{
  return a->fg == b->fg && a->bg == b->bg && a->attributes == b->attributes;
}

void ct_screen_write(struct ct_buffer *out, const struct ct_grid *grid, bool styles)
{
  static const struct ct_glyph plain = { ' ', CT_COLOUR_DEFAULT, CT_COLOUR_DEFAULT, 0 };
  for (int row = 0; row < grid->rows; row++) {
    const struct ct_glyph *glyph = grid->glyphs + (size_t)row * (size_t)grid->cols, *last = &plain;
    for (int col = 0; col < grid->cols; col++, last = glyph++) {
      char bytes[4];
      if (styles && !same_style(glyph, last))
        add_style(out, glyph);
      ct_buffer_add(out, bytes, ct_view_utf8(glyph->code, bytes));
    }
    ct_buffer_text(out, styles && !same_style(last, &plain) ? "\033[0m\n" : "\n");
  }
}
