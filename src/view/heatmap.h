/* heatmap: the EMF map as coloured half blocks or ASCII shades.
 * Ownership: works in the view's memory; sections are borrowed for the call. */
#ifndef VIEW_HEATMAP_H
#define VIEW_HEATMAP_H

#include "view/canvas.h"

enum { CT_LEVELS = 16 };
/* Levels below 0 are no colour of the map. */
enum { CT_LEVEL_MASKED = -1, CT_LEVEL_FAINT = -2 /* too few counts, or below 2 sigma */, CT_LEVEL_NAN = -3 };

/* How the sensor is laid onto characters: a sample is a character, or half of one with half blocks. Sample (i, j) shows
 * pixel column i * dx / kx and row j * dy / ky; whole and powers of two, so that no picture has uneven steps. */
struct ct_scale {
  bool half;
  uint32_t pixel_rows, pixel_cols;
  uint32_t dx, kx, dy, ky;
  int rows, cols;                  /* characters the picture takes */
};

/* What the map says of one place, aggregated as on the screen. */
struct ct_reading {
  enum ct_map_cell cell;
  double emf, sigma;
  double photons;                  /* all in the spectra, as in "map.counts" of a sample */
  double intensity;                /* mean of the cells; NaN where none is known */
};

/* Whether the section can be shown: sizes and bin within reason. */
bool ct_heatmap_usable(const struct ct_map_view *map);
/* The largest square-pixel picture that fits rows x cols characters. */
struct ct_scale ct_heatmap_scale(const struct ct_view *view, const struct ct_map_view *map, int rows, int cols);
/* Brings the view's memory up to date: aggregation, range, levels with hysteresis. */
void ct_heatmap_update(struct ct_view *view, const struct ct_map_view *map, const struct ct_scale *scale);
/* Whether the difference to the reference is shown: chosen, there is one, and the quantity has a difference. */
bool ct_heatmap_differs(const struct ct_view *view);
/* Makes <map> the reference where the view asks for that. */
void ct_heatmap_take(struct ct_view *view, const struct ct_map_view *map, int64_t wall_ns);
/* The ramp of what is shown: the one chosen, or the diverging one. */
enum ct_ramp ct_heatmap_ramp(const struct ct_view *view);
void ct_heatmap_draw(const struct ct_view *view, const struct ct_scale *scale, struct ct_canvas canvas);
void ct_heatmap_cursor(const struct ct_view *view, const struct ct_scale *scale, struct ct_canvas canvas);
/* The level of sample (i, j), masked beyond the sensor's edge; and black or white, whichever is seen on a level's colour. */
int ct_heatmap_level(const struct ct_view_memory *memory, const struct ct_scale *scale, uint32_t i, uint32_t j);
int ct_heatmap_ink(const struct ct_view *view, int level);

/* The section the outlines of ROIs are drawn from; draws them over the map, where they are wanted. */
struct ct_request ct_outline_request(void);
void ct_outline_draw(struct ct_view *view, const struct ct_snapshot *snapshot, const struct ct_scale *scale,
                     struct ct_canvas canvas);
/* The colour bar with unit, labels, marks where values lie beyond, and what the signs mean; 7 columns wide. */
enum { CT_BAR_COLS = 7 };
void ct_heatmap_bar(const struct ct_view *view, struct ct_canvas canvas);
/* The map's own cell at pixel (x, y). */
struct ct_reading ct_heatmap_read(const struct ct_map_view *map, int32_t x, int32_t y);

/* Whether values lie on both sides of zero, which is then the middle of the range. */
bool ct_range_signed(enum ct_quantity quantity, bool difference);
/* Ends of the range: locked, or for the values and levels in the view's memory, whose mean error is <noise>, or 0. */
void ct_range_update(struct ct_view *view, double noise);
/* Where <value> is between the ends, 0 to 1 and beyond, on the scale shown; and back. */
double ct_range_fraction(const struct ct_view_memory *memory, double value);
double ct_range_value(const struct ct_view_memory *memory, double fraction);
/* The level of <value>. An <old> one (< 0: none) stays until the value is more than one bin from the middle of its bin:
 * noise of half a bin repaints nothing. */
int8_t ct_range_level(const struct ct_view_memory *memory, double value, int old);

/* The palette colour of a level. */
int ct_ramp_colour(enum ct_ramp ramp, int level);
/* Its ASCII shade: one of ten that are neither blank, dot, x nor question mark. */
uint32_t ct_ramp_shade(int level);

#endif
