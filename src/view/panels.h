/* panels: the parts a screen is made of. Each draws into the canvas it is given, as much as fits, and says in words
 * what is not there. Ownership: everything is borrowed for the call. */
#ifndef VIEW_PANELS_H
#define VIEW_PANELS_H

#include "view/canvas.h"

/* The sections a view's choices call for. */
struct ct_request ct_view_map_request(const struct ct_view *view);
struct ct_request ct_view_curve_request(const struct ct_view *view, enum ct_section_kind kind);
struct ct_request ct_view_trend_request(const struct ct_view *view);

struct ct_request ct_view_marks_request(void);
struct ct_request ct_view_roi_request(enum ct_section_kind kind, uint32_t roi);

/* What a ROI is called where its name is too long, 'A', 'B', ...; and the colour of its curves. */
uint32_t ct_roi_letter(uint32_t roi);
int ct_roi_colour(uint32_t roi);
/* The ROIs whose curves are drawn over that of the scope, which is none of them: how many. */
enum { CT_OVERLAY_MAX = CT_REGIONS };
uint32_t ct_view_overlay(const struct ct_view *view, uint32_t rois[CT_OVERLAY_MAX]);

/* Seconds since what is shown was new, where that makes it stale; else 0: the detector's figures, the cell's, the camera's. */
double ct_age_detector(const struct ct_snapshot_core *core);
double ct_age_cell(const struct ct_snapshot_core *core);
double ct_age_camera(const struct ct_snapshot_core *core);

/* Whose curves are shown: "all pixels", "pixel 39,40", or the ROI's name. */
const char *ct_view_scope_word(const struct ct_view *view, const struct ct_snapshot_core *core, char out[CT_NAME + 16]);

/* Map with caption and colour bar. Returns the rows and columns it took. */
struct ct_extent {
  int rows, cols;
};
struct ct_extent ct_panel_map(struct ct_view *view, const struct ct_snapshot *snapshot, struct ct_canvas canvas);
/* How the colours of the map are chosen, from row <row> on; returns the row after it. */
int ct_panel_range(const struct ct_view *view, struct ct_canvas canvas, int row);
/* Why there is no picture: no detector, or <what> ("a profile") is still to come, or not in a frozen picture. */
void ct_panel_waiting(const struct ct_view *view, const struct ct_snapshot *snapshot, struct ct_canvas canvas, const char *what);
/* Nuisance monitors, change of EMF, time to the target. */
void ct_panel_monitors(struct ct_view *view, const struct ct_snapshot *snapshot, struct ct_canvas canvas);
void ct_panel_profile(const struct ct_view *view, const struct ct_snapshot *snapshot, struct ct_canvas canvas);
void ct_panel_spectrum(const struct ct_view *view, const struct ct_snapshot *snapshot, struct ct_canvas canvas);
/* EMF, or voltage, over time. */
void ct_panel_trend(const struct ct_view *view, const struct ct_snapshot *snapshot, struct ct_canvas canvas);
void ct_panel_voltage(const struct ct_view *view, const struct ct_snapshot *snapshot, struct ct_canvas canvas);
/* EMF over the charge, points with error bars; and whether there is a charge that has moved. */
bool ct_panel_has_charge(const struct ct_view *view, const struct ct_snapshot *snapshot);
void ct_panel_charge(const struct ct_view *view, const struct ct_snapshot *snapshot, struct ct_canvas canvas);
/* In row 0 of <canvas>: what happened last, the newest first. */
void ct_panel_marks(const struct ct_snapshot *snapshot, struct ct_canvas canvas);
/* Keys of the planes: through the cursor of the picture; to the side of the plane shown; the oblique one, turned and tilted. */
void ct_view_point_here(struct ct_view *view);
void ct_view_point_move(struct ct_view *view, int steps);
void ct_view_point_turn(struct ct_view *view, int turn_deg, int tilt_deg);
struct ct_request ct_view_tomo_request(const struct ct_view *view, int rows, int cols);
void ct_panel_tomo(struct ct_view *view, const struct ct_snapshot *snapshot, struct ct_canvas canvas);
/* What of <lines> fits <canvas> is shown from view->scroll on, which is kept within; returns the canvas less a last row
 * that says what is left out where they do not all fit. */
struct ct_canvas ct_view_scroll(struct ct_view *view, struct ct_canvas canvas, int lines);
void ct_panel_health(struct ct_view *view, const struct ct_snapshot *snapshot, struct ct_canvas canvas);
/* Lines of the health panel from row *row on, which it moves behind them. */
void ct_panel_detector(const struct ct_snapshot_health *health, struct ct_canvas canvas, int *row);

/* Single lines, at most as many as the canvas has rows: the cell, the camera, ROIs; how many. */
int ct_panel_figures(const struct ct_snapshot *snapshot, struct ct_canvas canvas);
/* The same, and last what the cursor reads. */
void ct_panel_numbers(const struct ct_view *view, const struct ct_snapshot *snapshot, struct ct_canvas canvas);
/* "39,40 EMF 0.93 ± 0.05, 118 counts" in row <row>; what does not fit there is in the next one. */
void ct_panel_readout(const struct ct_view *view, const struct ct_snapshot *snapshot, struct ct_canvas canvas, int row);
/* "EMF 0.9302 ± 0.0031" in row <row>, and how old where it is stale. */
void ct_panel_emf(const struct ct_snapshot_core *core, struct ct_canvas canvas, int row);
/* For screens too small for pictures: the figures that matter most, one a line. */
void ct_panel_lines(const struct ct_view *view, const struct ct_snapshot *snapshot, struct ct_canvas canvas);
/* Row 0 of <canvas>: the state of everything in words; what is wrong comes first. */
void ct_panel_verdict(const struct ct_view *view, const struct ct_snapshot *snapshot, struct ct_canvas canvas);

/* In row 0 of <canvas>: how fast the screen itself is. */
void ct_panel_link(const struct ct_view *view, struct ct_canvas canvas);

/* All settings; and what a key does there. */
struct ct_request ct_view_settings_request(void);
void ct_panel_settings(struct ct_view *view, struct ct_canvas canvas);
enum ct_key_result ct_view_settings_key(struct ct_view *view, uint32_t key);

/* The key table, for the help and for the last line of the screen. */
void ct_panel_help(struct ct_view *view, struct ct_canvas canvas);
void ct_panel_keys(struct ct_canvas canvas);

#endif
