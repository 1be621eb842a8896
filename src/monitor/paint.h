/* paint: a view as pixels, beside what its viewer shows. Internal to monitor.
 * Ownership: pixels->colour is the caller's to free; all else is borrowed for the call. */
#ifndef MONITOR_PAINT_H
#define MONITOR_PAINT_H

#include <comptop/view.h>

/* The viewer's own choices on another screen: a copy to render with, to be freed. What a view remembers of the last picture
 * belongs to its terminal. */
struct ct_view *paint_copy(const struct ct_view *view);
/* A grid of blanks; its glyphs are to be freed. */
struct ct_grid paint_grid(int rows, int cols);
/* <pixels> has its cell size. In UTF-8 and colours, whatever the terminal has. */
void paint_view(const struct ct_view *view, const struct ct_snapshot *snapshot, int rows, int cols, struct ct_pixels *pixels);

#endif
