/* canvas: a rectangle of a grid that clips whatever is drawn on it.
 * Ownership: a canvas borrows the grid and is passed by value; it owns nothing. */
#ifndef VIEW_CANVAS_H
#define VIEW_CANVAS_H

#include <comptop/view.h>

struct ct_canvas {
  struct ct_grid *grid;
  int row, col, rows, cols;        /* rows, cols <= 0: nothing is drawn */
  bool utf8, colours;
  enum ct_theme theme;
};

/* Axes and notes; curves and warnings; second curves; what is well; what is not; the curves of ROIs. */
enum { CT_GREY = 256, CT_ACCENT, CT_QUIET, CT_GOOD, CT_BAD, CT_REGION, CT_REGIONS = 6, CT_ROLES = CT_REGION - CT_GREY + CT_REGIONS };
/* The palette's colour for one of these; others are what they are. */
int ct_theme_colour(enum ct_theme theme, int colour);

struct ct_canvas ct_canvas_part(struct ct_canvas canvas, int row, int col, int rows, int cols);
/* One glyph; colours become CT_COLOUR_DEFAULT on a canvas without. A code the terminal cannot show becomes '?'. */
void ct_canvas_put(struct ct_canvas canvas, int row, int col, uint32_t code, int fg, int bg, unsigned attributes);
/* Formats one line from (row, col), cut at the canvas's edge with an ellipsis; returns the column after it. UTF-8 in,
 * one column a character: characters that might be wider, combine or control are shown as '?'. */
int ct_canvas_text(struct ct_canvas canvas, int row, int col, unsigned attributes, const char *fmt, ...) CT_PRINTF(5, 6);
int ct_canvas_coloured(struct ct_canvas canvas, int row, int col, int fg, unsigned attributes, const char *fmt, ...)
  CT_PRINTF(6, 7);
/* <text> from (row, col) on over as many rows as it needs, broken between words, or within one that is longer than a row;
 * rows after the first begin at <indent>, which is left of the edge. Returns the row after it. */
int ct_canvas_paragraph(struct ct_canvas canvas, int row, int col, int indent, unsigned attributes, const char *text);
/* What is on it steps back: dim and no longer bold; what is in reverse stays. */
void ct_canvas_dim(struct ct_canvas canvas);
void ct_canvas_reverse(struct ct_canvas canvas);
/* Columns <text> takes in ct_canvas_text. */
int ct_text_columns(const char *text);
/* Signs of lines that go from the middle of their cell in the directions of <arms>, a square where there are none; and back,
 * 0 where <code> is no such sign. */
enum { CT_ARM_UP = 1, CT_ARM_DOWN = 2, CT_ARM_LEFT = 4, CT_ARM_RIGHT = 8 };
uint32_t ct_line_code(unsigned arms, bool heavy);
unsigned ct_line_arms(uint32_t code, bool *heavy);
/* A caption with a rule to the right edge in row 0; returns the canvas below it. */
struct ct_canvas ct_canvas_caption(struct ct_canvas canvas, const char *fmt, ...) CT_PRINTF(2, 3);

#endif
