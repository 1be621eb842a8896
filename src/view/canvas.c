#include "view/canvas.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

enum { TEXT_BYTES = 1024 };

struct ct_canvas ct_canvas_part(struct ct_canvas canvas, int row, int col, int rows, int cols)
{
  if (row < 0 || col < 0 || row >= canvas.rows || col >= canvas.cols) {
    canvas.rows = canvas.cols = 0;
    return canvas;
  }
  canvas.row += row;
  canvas.col += col;
  canvas.rows = rows < canvas.rows - row ? rows : canvas.rows - row;
  canvas.cols = cols < canvas.cols - col ? cols : canvas.cols - col;
  return canvas;
}

void ct_canvas_put(struct ct_canvas canvas, int row, int col, uint32_t code, int fg, int bg, unsigned attributes)
{
  if (row < 0 || col < 0 || row >= canvas.rows || col >= canvas.cols)
    return;
  struct ct_glyph *glyph = &canvas.grid->glyphs[(size_t)(canvas.row + row) * (size_t)canvas.grid->cols +
                                                (size_t)(canvas.col + col)];
  glyph->code = code < 0x20 || (code >= 0x7f && !canvas.utf8) ? '?' : code;
  glyph->fg = (int16_t)(canvas.colours ? ct_theme_colour(canvas.theme, fg) : CT_COLOUR_DEFAULT);
  glyph->bg = (int16_t)(canvas.colours ? bg : CT_COLOUR_DEFAULT);
  glyph->attributes = (uint16_t)attributes;
}

static const uint16_t lines[2][16] = {
  { 0x25a1, 0x2502, 0x2502, 0x2502, 0x2500, 0x2518, 0x2510, 0x2524, 0x2500, 0x2514, 0x250c, 0x251c, 0x2500, 0x2534, 0x252c, 0x253c },
  { 0x25a0, 0x2503, 0x2503, 0x2503, 0x2501, 0x251b, 0x2513, 0x252b, 0x2501, 0x2517, 0x250f, 0x2523, 0x2501, 0x253b, 0x2533, 0x254b },
};

uint32_t ct_line_code(unsigned arms, bool heavy) { return lines[heavy][arms & 15]; }

unsigned ct_line_arms(uint32_t code, bool *heavy)
{
  for (unsigned arms = 15; arms > 0; arms--)      /* of arms that look alike the most */
    for (int thick = 0; thick < 2; thick++)
      if (lines[thick][arms] == code) {
        *heavy = thick;
        return arms;
      }
  return 0;
}

/* Letters that every terminal shows one column wide: ASCII, Latin, Greek, Cyrillic, dashes and quotes; and the signs comptop itself
 * writes. */
static bool one_column(uint32_t code)
{
  return (code >= 0x20 && code < 0x7f) || (code >= 0xa1 && code < 0x300 && code != 0xad) ||
         (code >= 0x370 && code < 0x483) || (code >= 0x48a && code < 0x530) || (code >= 0x2010 && code < 0x2028) || code == 0x20ac || code == 0x2212 ||
         code == 0x2248 || code == 0x2264 || code == 0x2265 || code == 0x2500;
}

/* The code point at *text, which moves on; bytes that are not UTF-8 are U+FFFD, one by one. */
static uint32_t next_code(const char **text)
{
  const unsigned char *at = (const unsigned char *)*text;
  int more = at[0] < 0x80 ? 0 : (at[0] & 0xe0) == 0xc0 ? 1 : (at[0] & 0xf0) == 0xe0 ? 2 : (at[0] & 0xf8) == 0xf0 ? 3 : -1;
  uint32_t code = more == 0 ? at[0] : more > 0 ? at[0] & (0x3fu >> more) : 0xfffd;
  int i = 1;
  for (; i <= more && (at[i] & 0xc0) == 0x80; i++)
    code = code << 6 | (at[i] & 0x3fu);
  if (i <= more) {
    i = 1;
    code = 0xfffd;
  }
  *text += i;
  return code;
}

int ct_text_columns(const char *text)
{
  int n = 0;
  while (*text != '\0') {
    next_code(&text);
    n++;
  }
  return n;
}

/* Without UTF-8 a sign becomes the ASCII that stands for it. */
static const char *ascii_for(uint32_t code)
{
  switch (code) {
  case 0xb1: return "+-";
  case 0xb0: return "deg";
  case 0xb5: return "u";
  case 0xd7: return "x";
  case 0x3c3: return "sigma";
  case 0x3b8: return "theta";
  default: return NULL;
  }
}

/* One character of a text, or what stands for it; returns the column after it. */
static int draw_code(struct ct_canvas canvas, int row, int col, int fg, unsigned attributes, uint32_t code)
{
  const char *ascii = canvas.utf8 ? NULL : ascii_for(code);
  for (; ascii != NULL && ascii[0] != '\0' && ascii[1] != '\0'; ascii++)
    ct_canvas_put(canvas, row, col++, (unsigned char)ascii[0], fg, CT_COLOUR_DEFAULT, attributes);
  if (ascii != NULL)
    code = (unsigned char)ascii[0];
  ct_canvas_put(canvas, row, col++, one_column(code) ? code : '?', fg, CT_COLOUR_DEFAULT, attributes);
  return col;
}

static struct ct_glyph *glyph_of(struct ct_canvas canvas, int row, int col)
{
  return &canvas.grid->glyphs[(size_t)(canvas.row + row) * (size_t)canvas.grid->cols + (size_t)(canvas.col + col)];
}

static bool in_number(uint32_t code) { return code < 0x80 && code != 0 && strchr("0123456789.,:+-", (int)code) != NULL; }

/* Says that a text from column <from> on goes on beyond the canvas: not behind the first figures of a number, which would
 * read as another one, nor over what stands there already. */
static void draw_cut(struct ct_canvas canvas, int row, int from, int fg, unsigned attributes)
{
  int last = canvas.cols - 1, at = last;
  if (row < 0 || row >= canvas.rows || last < 0 || (from > last && glyph_of(canvas, row, last)->code != ' '))
    return;
  while (at > from && in_number(glyph_of(canvas, row, at - 1)->code))
    at--;
  if (at <= from || glyph_of(canvas, row, at - 1)->code != ' ')
    at = last;
  ct_canvas_put(canvas, row, at, canvas.utf8 ? 0x2026 : '~', fg, CT_COLOUR_DEFAULT, attributes);
  while (++at <= last)
    ct_canvas_put(canvas, row, at, ' ', fg, CT_COLOUR_DEFAULT, attributes);
}

static int draw_text(struct ct_canvas canvas, int row, int col, int fg, unsigned attributes, const char *text)
{
  int from = col;
  while (*text != '\0' && col < canvas.cols)
    col = draw_code(canvas, row, col, fg, attributes, next_code(&text));
  if (*text != '\0')
    draw_cut(canvas, row, from, fg, attributes);
  return col;
}

int ct_canvas_text(struct ct_canvas canvas, int row, int col, unsigned attributes, const char *fmt, ...)
{
  char text[TEXT_BYTES];
  va_list args;
  va_start(args, fmt);
  vsnprintf(text, sizeof text, fmt, args);
  va_end(args);
  return draw_text(canvas, row, col, CT_COLOUR_DEFAULT, attributes, text);
}

int ct_canvas_coloured(struct ct_canvas canvas, int row, int col, int fg, unsigned attributes, const char *fmt, ...)
{
  char text[TEXT_BYTES];
  va_list args;
  va_start(args, fmt);
  vsnprintf(text, sizeof text, fmt, args);
  va_end(args);
  return draw_text(canvas, row, col, fg, attributes, text);
}

/* Columns of the word at the start of <text> on this canvas. */
static int word_columns(struct ct_canvas canvas, const char *text)
{
  int n = 0;
  while (*text != '\0' && *text != ' ') {
    uint32_t code = next_code(&text);
    const char *ascii = canvas.utf8 ? NULL : ascii_for(code);
    n += ascii != NULL ? (int)strlen(ascii) : 1;
  }
  return n;
}

int ct_canvas_paragraph(struct ct_canvas canvas, int row, int col, int indent, unsigned attributes, const char *text)
{
  bool first = true;               /* of its row: stays there, however long */
  for (; *text != '\0'; text += *text == ' ') {
    if (!first && col + word_columns(canvas, text) > canvas.cols) {
      row++;
      col = indent;
    }
    while (*text != '\0' && *text != ' ') {
      if (col >= canvas.cols) {
        row++;
        col = indent;
      }
      col = draw_code(canvas, row, col, CT_COLOUR_DEFAULT, attributes, next_code(&text));
    }
    first = false;
    col++;
  }
  return row + 1;
}

void ct_canvas_dim(struct ct_canvas canvas)
{
  for (int row = 0; row < canvas.rows; row++)
    for (int col = 0; col < canvas.cols; col++) {
      struct ct_glyph *glyph = glyph_of(canvas, row, col);
      if (glyph->code != ' ' && !(glyph->attributes & CT_ATTR_REVERSE))
        glyph->attributes = (uint16_t)((glyph->attributes & ~(unsigned)CT_ATTR_BOLD) | CT_ATTR_DIM);
    }
}

void ct_canvas_reverse(struct ct_canvas canvas)
{
  for (int row = 0; row < canvas.rows; row++)
    for (int col = 0; col < canvas.cols; col++)
      glyph_of(canvas, row, col)->attributes |= CT_ATTR_REVERSE;
}

struct ct_canvas ct_canvas_caption(struct ct_canvas canvas, const char *fmt, ...)
{
  char text[TEXT_BYTES];
  va_list args;
  va_start(args, fmt);
  vsnprintf(text, sizeof text, fmt, args);
  va_end(args);
  int col = draw_text(canvas, 0, 0, CT_COLOUR_DEFAULT, CT_ATTR_BOLD, text);
  for (col++; col < canvas.cols; col++)
    ct_canvas_put(canvas, 0, col, canvas.utf8 ? 0x2500 : '-', CT_GREY, CT_COLOUR_DEFAULT, CT_ATTR_DIM);
  return ct_canvas_part(canvas, 1, 0, canvas.rows - 1, canvas.cols);
}
