/* plot: curves with axes and error bars, in braille dots or ASCII.
 * Ownership: arrays are borrowed for the call; a plot is a value that borrows the grid. */
#ifndef VIEW_PLOT_H
#define VIEW_PLOT_H

#include "view/canvas.h"

struct ct_axes {
  double x_low, x_high, y_low, y_high;
  bool log_y;                      /* y_low and y_high are then logarithms to base 10 */
  const char *x_unit, *y_unit;     /* at the end of the axis; behind every label of y, or NULL */
  int left;                        /* columns left of the area at least, so that it lies below another */
};
struct ct_plot {
  struct ct_canvas area;           /* where curves go; no rows: too small */
  struct ct_canvas axis;           /* the row below it */
  int left;                        /* columns that the labels of y take */
  double x_low, x_high, y_low, y_high;
  bool log_y;                      /* y_low and y_high are then logarithms to base 10 */
};

/* n points in rising x; a NaN in y leaves a gap, a NaN in sigma (or NULL) no error bar. */
struct ct_curve {
  const double *x, *y, *sigma;
  size_t n;
  double x_scale, x_shift;         /* shown at (x - x_shift) * x_scale */
  bool joined;                     /* neighbouring points by a line */
  bool summed;                     /* points that share a column add up (counts); else they average */
  uint32_t letter;                 /* on the curve now and then, with its error bar there only; 0: none, and bars everywhere */
  int phase, phases;               /* of <phases> curves, this one's letters are on the columns of <phase> */
};

/* The interval of round numbers around [low, high], never empty. */
void ct_plot_round(double *low, double *high);
/* Smallest and largest y -+ sigma of the curve into *low, *high; false where there is no finite point. Error bars of more
 * than three times the smallest may leave the plot: the first points of a run would squeeze all that follow. */
bool ct_plot_extent(const struct ct_curve *curve, double *low, double *high);
/* Draws the axes with labels of round numbers and the unit of x at its end, and returns the plot inside. */
struct ct_plot ct_plot_axes(struct ct_canvas canvas, const struct ct_axes *axes);
void ct_plot_curve(const struct ct_plot *plot, const struct ct_curve *curve, int colour);
/* A dotted line from bottom to top at <x>, to be drawn before curves; its label, to be drawn after them, in the first row
 * that has room for it; and both of what only matters where the curve is: the line ends there, and without room for its
 * label there is none. */
void ct_plot_line(const struct ct_plot *plot, double x);
void ct_plot_label(const struct ct_plot *plot, double x, const char *text);
void ct_plot_pointer(const struct ct_plot *plot, double x, const char *text);
/* A sign on the x axis at <x>, or above it where a number stands. */
void ct_plot_tick(const struct ct_plot *plot, double x, uint32_t utf8, char ascii);
/* A texture of dots between x0 and x1, every <every>th column, behind what is drawn later. */
void ct_plot_shade(const struct ct_plot *plot, double x0, double x1, int every);

#endif
