#include "view/plot.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "view/raster.h"
#include "view/words.h"

/* ---- axes ----------------------------------------------------------------------------------------------- */
static int decimals_of(double step)
{
  double digits = -floor(log10(step) + 1e-9);
  return digits < 0 ? 0 : digits > 9 ? 9 : (int)digits;
}

void ct_plot_round(double *low, double *high)
{
  if (!(*high - *low > 1e-9 * fmax(fabs(*low), fabs(*high)))) {
    double room = *low != 0 ? 0.1 * fabs(*low) : 1;
    *low -= room;
    *high += room;
  }
  double step = ct_round_step((*high - *low) / 5);
  *low = floor(*low / step + 1e-6) * step;
  *high = ceil(*high / step - 1e-6) * step;
}

bool ct_plot_extent(const struct ct_curve *curve, double *low, double *high)
{
  double least = (double)INFINITY;
  *low = (double)INFINITY;
  *high = -(double)INFINITY;
  for (size_t i = 0; curve->sigma != NULL && i < curve->n; i++)
    if (curve->sigma[i] > 0)
      least = fmin(least, curve->sigma[i]);
  for (size_t i = 0; i < curve->n; i++) {
    double sigma = curve->sigma != NULL && curve->sigma[i] <= 3 * least ? curve->sigma[i] : 0;
    if (!isfinite(curve->y[i]))
      continue;
    *low = fmin(*low, curve->y[i] - sigma);
    *high = fmax(*high, curve->y[i] + sigma);
  }
  return *low <= *high;
}

static int row_of(const struct ct_plot *plot, double y, int rows)
{
  double at = (plot->y_high - y) / (plot->y_high - plot->y_low) * rows;
  return (int)fmin(fmax(floor(at), 0), rows - 1);
}

static void y_label(char word[CT_WORD], const struct ct_plot *plot, double tick, double step)
{
  if (plot->log_y)
    ct_word_brief(word, pow(10, tick));
  else if (fabs(plot->y_high) >= 10000)
    ct_word_brief(word, tick);
  else
    ct_word_tick(word, tick, decimals_of(step));
}

static void y_label_with_unit(char out[2 * CT_WORD], const struct ct_plot *plot, const struct ct_axes *axes, double tick,
                              double step)
{
  char word[CT_WORD];
  bool unit = axes->y_unit != NULL && axes->y_unit[0] != '\0';
  y_label(word, plot, tick, step);
  snprintf(out, 2 * CT_WORD, "%s%s%.*s", word, unit ? " " : "", CT_WORD - 2, unit ? axes->y_unit : "");
}

static int ticks_within(const struct ct_plot *plot, double step)
{
  return (int)(floor(plot->y_high / step + 1e-6) - ceil(plot->y_low / step - 1e-6)) + 1;
}

/* Ticks of y: every step that leaves three rows between labels, or less where there would be only one; whole decades
 * where logarithmic. */
static double y_step(const struct ct_plot *plot, int rows)
{
  double span = plot->y_high - plot->y_low, step = ct_round_step(span / (rows / 3 > 0 ? rows / 3 : 1));
  if (plot->log_y)
    return fmax(1, ceil(step));
  while (ticks_within(plot, step) < 2)
    step = ct_round_step(step / 2.6);      /* the next smaller of 1, 2, 5 */
  return step;
}

static int widest_label(const struct ct_plot *plot, const struct ct_axes *axes, struct ct_canvas canvas, double step)
{
  char word[2 * CT_WORD];
  canvas.rows = 0;                 /* only how wide it would be */
  int widest = 0;
  for (int i = 0; i <= 100; i++) {
    double tick = (ceil(plot->y_low / step - 1e-6) + i) * step;
    if (tick > plot->y_high + 1e-6 * step)
      break;
    y_label_with_unit(word, plot, axes, tick, step);
    int columns = ct_canvas_text(canvas, 0, 0, 0, "%s", word);
    widest = columns > widest ? columns : widest;
  }
  return widest;
}

static void draw_y_axis(const struct ct_plot *plot, const struct ct_axes *axes, struct ct_canvas canvas, int left, double step)
{
  int rows = plot->area.rows, last = -1;
  for (int row = 0; row < rows; row++)
    ct_canvas_put(canvas, row, left - 1, canvas.utf8 ? 0x2502 : '|', CT_GREY, CT_COLOUR_DEFAULT, 0);
  for (int i = 0; i <= 100; i++) {
    double tick = (ceil(plot->y_low / step - 1e-6) + i) * step;
    if (tick > plot->y_high + 1e-6 * step)
      break;
    char word[2 * CT_WORD];
    int row = row_of(plot, tick, rows);
    if (row == last)
      continue;
    last = row;
    y_label_with_unit(word, plot, axes, tick, step);
    struct ct_canvas blind = canvas;
    blind.rows = 0;
    int columns = ct_canvas_text(blind, row, 0, 0, "%s", word);
    ct_canvas_coloured(canvas, row, left - 1 - columns, CT_GREY, 0, "%s", word);
    ct_canvas_put(canvas, row, left - 1, canvas.utf8 ? 0x2524 : '+', CT_GREY, CT_COLOUR_DEFAULT, 0);
  }
}

/* The labels stand in the axis itself, which saves a row: "+-- -5 ----- 0 ----- 5 a.u." */
static void draw_x_axis(const struct ct_plot *plot, struct ct_canvas canvas, int left, const char *unit)
{
  int row = plot->area.rows, cols = plot->area.cols, unit_columns = ct_text_columns(unit);
  ct_canvas_put(canvas, row, left - 1, canvas.utf8 ? 0x2514 : '+', CT_GREY, CT_COLOUR_DEFAULT, 0);
  for (int col = 0; col < cols; col++)
    ct_canvas_put(canvas, row, left + col, canvas.utf8 ? 0x2500 : '-', CT_GREY, CT_COLOUR_DEFAULT, 0);
  double step = ct_round_step((plot->x_high - plot->x_low) / (cols / 7 > 0 ? cols / 7 : 1));
  int free_from = 0, free_to = cols - unit_columns - 1;
  for (int i = 0; i <= 100; i++) {
    double tick = (ceil(plot->x_low / step - 1e-6) + i) * step;
    if (tick > plot->x_high + 1e-6 * step)
      break;
    char word[CT_WORD];
    ct_word_tick(word, tick, decimals_of(step));
    int columns = ct_text_columns(word), sign = word[0] == '-';
    int col = (int)floor((tick - plot->x_low) / (plot->x_high - plot->x_low) * cols) - (columns - sign) / 2 - sign;
    col = col < 1 ? 1 : col;
    if (col < free_from + 1 || col + columns + 1 > free_to)
      continue;
    ct_canvas_coloured(canvas, row, left + col - 1, CT_GREY, 0, " %s ", word);
    free_from = col + columns + 1;
  }
  if (free_to > 0)
    ct_canvas_coloured(canvas, row, left + free_to, CT_GREY, 0, " %s", unit);
}

struct ct_plot ct_plot_axes(struct ct_canvas canvas, const struct ct_axes *axes)
{
  struct ct_plot plot = { .x_low = axes->x_low, .x_high = axes->x_high, .y_low = axes->y_low, .y_high = axes->y_high,
                          .log_y = axes->log_y };
  if (canvas.rows < 3 || canvas.cols < 12 || !(plot.x_high > plot.x_low) || !(plot.y_high > plot.y_low) ||
      !isfinite(plot.x_high - plot.x_low) || !isfinite(plot.y_high - plot.y_low))
    return plot;
  double step = y_step(&plot, canvas.rows - 1);
  int left = widest_label(&plot, axes, canvas, step) + 1;
  plot.left = left > axes->left ? left : axes->left;
  plot.area = ct_canvas_part(canvas, 0, plot.left, canvas.rows - 1, canvas.cols - plot.left);
  plot.axis = ct_canvas_part(canvas, canvas.rows - 1, plot.left, 1, canvas.cols - plot.left);
  if (plot.area.rows < 2 || plot.area.cols < 6)
    return (struct ct_plot){ 0 };
  draw_y_axis(&plot, axes, canvas, plot.left, step);
  draw_x_axis(&plot, canvas, plot.left, axes->x_unit);
  return plot;
}

/* ---- dots -------------------------------------------------------------------------------------------------- */
/* With UTF-8 a character holds 2 x 4 braille dots, without it is one dot itself; in a picture pixels are dots. */
static int dots_x(const struct ct_plot *plot)
{
  const struct ct_pixels *fine = plot->area.grid->fine;
  return plot->area.cols * (fine != NULL ? fine->cell_width : plot->area.utf8 ? 2 : 1);
}

static int dots_y(const struct ct_plot *plot)
{
  const struct ct_pixels *fine = plot->area.grid->fine;
  return plot->area.rows * (fine != NULL ? fine->cell_height : plot->area.utf8 ? 4 : 1);
}

static const struct ct_glyph *glyph_at(struct ct_canvas canvas, int row, int col)
{
  return &canvas.grid->glyphs[(size_t)(canvas.row + row) * (size_t)canvas.grid->cols + (size_t)(canvas.col + col)];
}

enum mark { MARK_BAR, MARK_POINT };

static void dot(const struct ct_plot *plot, int x, int y, enum mark mark, int colour)
{
  static const uint8_t bits[4][2] = { { 0x01, 0x08 }, { 0x02, 0x10 }, { 0x04, 0x20 }, { 0x40, 0x80 } };
  if (x < 0 || y < 0 || x >= dots_x(plot) || y >= dots_y(plot))
    return;
  if (plot->area.grid->fine != NULL) {
    ct_raster_dot(plot->area, x, y, mark == MARK_POINT ? 2 : 1, colour);
    return;
  }
  if (!plot->area.utf8) {
    ct_canvas_put(plot->area, y, x, mark == MARK_POINT ? '*' : ':', colour, CT_COLOUR_DEFAULT, 0);
    return;
  }
  uint32_t old = glyph_at(plot->area, y / 4, x / 2)->code;
  uint32_t code = (old >= 0x2800 && old < 0x2900 ? old : 0x2800) | bits[y % 4][x % 2];
  ct_canvas_put(plot->area, y / 4, x / 2, code, colour, CT_COLOUR_DEFAULT, 0);
}

static void line(const struct ct_plot *plot, int x0, int y0, int x1, int y1, enum mark mark, int colour)
{
  int dx = x1 > x0 ? x1 - x0 : x0 - x1, dy = y1 > y0 ? y1 - y0 : y0 - y1, n = dx > dy ? dx : dy;
  for (int i = 0; i <= n; i++)
    dot(plot, n ? x0 + (x1 - x0) * i / n : x0, n ? y0 + (y1 - y0) * i / n : y0, mark, colour);
}

/* ---- curves ------------------------------------------------------------------------------------------------- */
/* The points of one column of dots, as one. */
struct column {
  int x;                           /* -1: none */
  double y, sigma;
};

static int column_of(const struct ct_plot *plot, const struct ct_curve *curve, size_t i)
{
  double x = (curve->x[i] - curve->x_shift) * curve->x_scale;
  double at = (x - plot->x_low) / (plot->x_high - plot->x_low);
  if (!(at >= 0 && at <= 1))
    return -1;
  int dots = dots_x(plot), col = (int)(at * dots);
  return col < dots ? col : dots - 1;
}

/* Gathers the run of points from *i that fall into one column, and moves *i past it. */
static struct column next_column(const struct ct_plot *plot, const struct ct_curve *curve, size_t *i)
{
  struct column column = { column_of(plot, curve, *i), 0, 0 };
  double y = 0, variance = 0;
  unsigned n = 0;
  do {
    if (isfinite(curve->y[*i])) {
      double sigma = curve->sigma != NULL ? curve->sigma[*i] : (double)NAN;
      y += curve->y[*i];
      variance += sigma * sigma;
      n++;
    }
    ++*i;
  } while (*i < curve->n && column_of(plot, curve, *i) == column.x);
  double share = curve->summed || n == 0 ? 1 : 1.0 / n;
  column.y = n ? y * share : (double)NAN;
  column.sigma = sqrt(variance) * share;
  if (plot->log_y)
    column.y = column.y > 0 ? log10(column.y) : plot->y_low - 1;
  return column;
}

static int dot_of(const struct ct_plot *plot, double y)
{
  double rows = dots_y(plot), at = (plot->y_high - y) / (plot->y_high - plot->y_low) * rows;
  return (int)floor(fmin(fmax(at, -1), rows));      /* one beyond either end: drawn nowhere */
}

/* Where a curve has its letters: at the first point in each field of a grid that the curves share out, so that they neither
 * coincide nor move about with the points. A curve may turn back, as a charge does. */
struct letters {
  int field, period, offset;       /* the last one's; columns of dots */
};

static struct letters letters_of(const struct ct_plot *plot, const struct ct_curve *curve)
{
  int dots = plot->area.utf8 ? 2 : 1, apart = plot->area.utf8 && curve->joined ? 6 * dots : dots;
  int period = apart * (curve->phases > 0 ? curve->phases : 1), offset = apart * curve->phase + apart / 2;
  return (struct letters){ -1, period, offset };
}

static bool has_letter(struct letters *letters, int x)
{
  int field = x < letters->offset ? -1 : (x - letters->offset) / letters->period, last = letters->field;
  letters->field = field;
  return field >= 0 && field != last;
}

/* Bars first and far enough apart to be told from one another, so that they never hide the curve. */
static void draw_bars(const struct ct_plot *plot, const struct ct_curve *curve, int colour)
{
  int apart = plot->area.utf8 && curve->joined ? 4 : 1, last = -apart;
  struct letters letters = letters_of(plot, curve);
  for (size_t i = 0; i < curve->n;) {
    struct column column = next_column(plot, curve, &i);
    if (column.x < 0 || !isfinite(column.y) || (curve->letter != 0 ? !has_letter(&letters, column.x) : abs(column.x - last) < apart))
      continue;
    if (!isfinite(column.sigma))
      continue;
    last = column.x;
    line(plot, column.x, dot_of(plot, column.y + column.sigma), column.x, dot_of(plot, column.y - column.sigma), MARK_BAR,
         curve->letter != 0 ? colour : CT_GREY);
  }
}

static void draw_letters(const struct ct_plot *plot, const struct ct_curve *curve, int colour)
{
  int rows = plot->area.utf8 ? 4 : 1, cols = plot->area.utf8 ? 2 : 1;
  struct letters letters = letters_of(plot, curve);
  for (size_t i = 0; i < curve->n;) {
    struct column column = next_column(plot, curve, &i);
    if (column.x < 0 || !isfinite(column.y) || !has_letter(&letters, column.x))
      continue;
    int y = dot_of(plot, column.y);
    if (y >= 0)
      ct_canvas_put(plot->area, y / rows, column.x / cols, curve->letter, colour, CT_COLOUR_DEFAULT, CT_ATTR_BOLD);
  }
}

void ct_plot_curve(const struct ct_plot *plot, const struct ct_curve *curve, int colour)
{
  if (plot->area.rows <= 0)
    return;
  if (curve->sigma != NULL && !plot->log_y)
    draw_bars(plot, curve, colour);
  struct column last = { -1, 0, 0 };
  for (size_t i = 0; i < curve->n;) {
    struct column column = next_column(plot, curve, &i);
    if (column.x >= 0 && isfinite(column.y)) {
      int y = dot_of(plot, column.y);
      if (curve->joined && plot->area.utf8 && last.x >= 0)
        line(plot, last.x, dot_of(plot, last.y), column.x, y, MARK_POINT, colour);
      if (curve->letter == 0 || plot->area.utf8)
        dot(plot, column.x, y, MARK_POINT, colour);
    }
    last = isfinite(column.y) ? column : (struct column){ -1, 0, 0 };
  }
  if (curve->letter != 0)
    draw_letters(plot, curve, colour);
}

static bool is_written(const struct ct_plot *plot, int row, int col)
{
  const struct ct_glyph *glyph = col >= 0 && col < plot->area.cols ? glyph_at(plot->area, row, col) : NULL;
  return glyph != NULL && glyph->code >= '0' && glyph->code <= 'z' && !(glyph->attributes & CT_ATTR_DIM);
}

/* Whether there is nothing but texture and dotted lines, and no blank within a label. */
static bool is_free(const struct ct_plot *plot, int row, int col, int columns)
{
  for (int i = col; i < col + columns; i++) {
    const struct ct_glyph *glyph = glyph_at(plot->area, row, i);
    if (glyph->code != ' ' && !(glyph->attributes & CT_ATTR_DIM))
      return false;
    if (is_written(plot, row, i - 1) && is_written(plot, row, i + 1))
      return false;
  }
  return true;
}

static int column_at(const struct ct_plot *plot, double x)
{
  double at = (x - plot->x_low) / (plot->x_high - plot->x_low) * plot->area.cols;
  return plot->area.rows > 0 && at >= 0 && at < plot->area.cols ? (int)at : -1;
}

void ct_plot_line(const struct ct_plot *plot, double x)
{
  int col = column_at(plot, x);
  for (int row = 0; row < plot->area.rows && col >= 0; row++)
    ct_canvas_put(plot->area, row, col, plot->area.utf8 ? 0x250a : ':', CT_GREY, CT_COLOUR_DEFAULT, CT_ATTR_DIM);
}

/* Where the label goes: its row, or -1, and in *at its column. */
static int label_row(const struct ct_plot *plot, double x, const char *text, int *at)
{
  int col = column_at(plot, x), columns = ct_text_columns(text);
  *at = col + columns + 1 < plot->area.cols ? col + 1 : col - columns;
  for (int row = 0; row < plot->area.rows && col >= 0 && *at >= 0; row++)
    if (is_free(plot, row, *at, columns) && is_free(plot, row, col, 1))      /* beside its own line, not another's label */
      return row;
  return -1;
}

void ct_plot_label(const struct ct_plot *plot, double x, const char *text)
{
  int at, row = label_row(plot, x, text, &at);
  if (row >= 0)
    ct_canvas_coloured(plot->area, row, at, CT_GREY, 0, "%s", text);
}

void ct_plot_pointer(const struct ct_plot *plot, double x, const char *text)
{
  int col = column_at(plot, x), at, row = label_row(plot, x, text, &at);
  if (row < 0)
    return;
  for (int y = 0; y < plot->area.rows; y++)
    if (is_free(plot, y, col, 1))
      ct_canvas_put(plot->area, y, col, plot->area.utf8 ? 0x250a : ':', CT_GREY, CT_COLOUR_DEFAULT, CT_ATTR_DIM);
  ct_canvas_coloured(plot->area, row, at, CT_GREY, 0, "%s", text);
}

void ct_plot_tick(const struct ct_plot *plot, double x, uint32_t utf8, char ascii)
{
  int col = column_at(plot, x);
  if (col < 0)
    return;
  uint32_t code = plot->area.utf8 ? utf8 : (unsigned char)ascii, here = glyph_at(plot->axis, 0, col)->code;
  uint32_t next = col + 1 < plot->axis.cols ? glyph_at(plot->axis, 0, col + 1)->code : ' ';
  bool number = (here != 0x2500 && here != '-') || (next >= '0' && next <= '9');
  ct_canvas_put(number ? plot->area : plot->axis, number ? plot->area.rows - 1 : 0, col, code, CT_COLOUR_DEFAULT,
                CT_COLOUR_DEFAULT, CT_ATTR_BOLD);
}

void ct_plot_shade(const struct ct_plot *plot, double x0, double x1, int every)
{
  double cols = plot->area.cols / (plot->x_high - plot->x_low);
  if (plot->area.rows <= 0 || !(x1 > x0) || !isfinite(x0) || !isfinite(x1))
    return;
  int from = (int)fmin(fmax((x0 - plot->x_low) * cols, 0), plot->area.cols);
  int to = (int)fmin(fmax((x1 - plot->x_low) * cols, 0), plot->area.cols);
  for (int row = 1; row < plot->area.rows; row += 2)
    for (int col = from; col < to; col++)
      if ((col + row / 2) % every == 0)
        ct_canvas_put(plot->area, row, col, plot->area.utf8 ? 0xb7 : '.', CT_GREY, CT_COLOUR_DEFAULT, CT_ATTR_DIM);
}
