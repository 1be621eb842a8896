/* plot: curves with axes and error bars, in braille dots or ASCII.
 * Ownership: arrays are borrowed for the call; a plot is a value that borrows the grid. */
#ifndef VIEW_PLOT_H
#define VIEW_PLOT_H

#include "view/canvas.h"

struct ct_plot {
  struct ct_canvas area;           /* where curves go; no rows: too small */
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
};

/* The interval of round numbers around [low, high], never empty. */
void ct_plot_round(double *low, double *high);
/* Smallest and largest y -+ sigma of the curve into *low, *high; false where there is no finite point. Error bars of more
 * than three times the smallest may leave the plot: the first points of a run would squeeze all that follow. */
bool ct_plot_extent(const struct ct_curve *curve, double *low, double *high);
/* Draws the axes with labels of round numbers and the unit of x at its end, and returns the plot inside. */
struct ct_plot ct_plot_axes(struct ct_canvas canvas, double x_low, double x_high, double y_low, double y_high, bool log_y,
                            const char *x_unit);
void ct_plot_curve(const struct ct_plot *plot, const struct ct_curve *curve, int colour);
/* A labelled dotted line from bottom to top at <x>. */
void ct_plot_mark(const struct ct_plot *plot, double x, const char *text);

#endif
