/* view: a snapshot -> a grid of character cells. Pure: no curses, no clock, no I/O, no allocation.
 * Ownership: the caller owns the view, the grid and its glyphs, and lends the snapshot for the length of a call; a
 * view belongs to one viewer (its choices, its cursor, what it showed last) and to one thread. */
#ifndef COMPTOP_VIEW_H
#define COMPTOP_VIEW_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <comptop/core.h>
#include <comptop/snapshot.h>

/* ---- the grid ---------------------------------------------------------------------------------------- */
enum { CT_ATTR_BOLD = 1, CT_ATTR_DIM = 2, CT_ATTR_REVERSE = 4, CT_ATTR_UNDERLINE = 8 };
enum { CT_COLOUR_DEFAULT = -1 };   /* the terminal's own; all other colours are 16..255 of the xterm palette */

struct ct_glyph {
  uint32_t code;                   /* one printable Unicode code point, one column wide; never 0 */
  int16_t fg, bg;
  uint16_t attributes;             /* CT_ATTR_* */
};
/* The same as a picture. */
struct ct_pixels {
  int cell_width, cell_height;     /* of a character; at least 6 x 11 */
  int width, height;               /* set by ct_view_paint */
  uint8_t *colour;                 /* [height * width], row-major: of the xterm palette, 16..255 */
};
struct ct_grid {
  int rows, cols;                  /* at least 1 x 1 */
  struct ct_glyph *glyphs;         /* [rows * cols], row-major */
  struct ct_pixels *fine;          /* ct_view_paint's: where curves and slices are drawn; else NULL */
};

/* ---- what a viewer chose, and what was shown last ------------------------------------------------------ */
enum ct_panel { CT_PANEL_OVERVIEW, CT_PANEL_MAP, CT_PANEL_PROFILE, CT_PANEL_SPECTRUM, CT_PANEL_TOMO, CT_PANEL_CELL,
                CT_PANEL_HEALTH, CT_PANEL_MONITORS, CT_PANEL_SETTINGS };
const char *ct_panel_word(enum ct_panel panel);   /* "overview", "map", ... */
enum ct_quantity { CT_SHOW_EMF, CT_SHOW_SIGMA, CT_SHOW_COUNTS, CT_SHOW_INTENSITY, CT_SHOW_DRIFT, CT_SHOW_SIGNIFICANCE,
                   CT_SHOW_HITS, CT_SHOW_LITHIUM, CT_QUANTITIES };
enum ct_ramp { CT_RAMP_INFERNO, CT_RAMP_GREY, CT_RAMP_VIRIDIS, CT_RAMP_CIVIDIS, CT_RAMP_COUNT,
               CT_RAMP_DIVERGING = CT_RAMP_COUNT };   /* for what is signed: not chosen, zero is its middle */
enum ct_map_scale { CT_SCALE_LINEAR, CT_SCALE_SQRT, CT_SCALE_LOG, CT_SCALES };

/* Colours of all but maps, and the ramp that goes with them. */
enum ct_theme { CT_THEME_DARK, CT_THEME_LIGHT, CT_THEME_MONO, CT_THEME_SAFE, CT_THEMES };
enum ct_ramp ct_view_theme_ramp(enum ct_theme theme);

enum { CT_VIEW_ADAPTIVE = 16 };    /* each place with the smallest cell that reaches target_sigma */
/* Points a trend is asked for: the same for every size of screen, so that viewers share the section. */
enum { CT_VIEW_TREND_POINTS = 120 };
#define CT_VIEW_NUDGE_PX 0.25
/* Cells of a map a view remembers; a larger map is shown coarser. 160 x 480 fit. */
enum { CT_VIEW_CELLS = 160 * 480, CT_VIEW_LINES = 32 };

/* How the last map came onto the screen; kept so that noise does not repaint it (hysteresis). */
struct ct_view_memory {
  uint32_t rows, cols;             /* lattice of display cells; 0: nothing shown yet */
  uint32_t edge_x, edge_y;         /* pixels per display cell */
  enum ct_quantity quantity;
  enum ct_map_scale scale;
  bool difference;
  double low, high;                /* range of the colours */
  int row, col, map_rows, map_cols;   /* where it is on the screen; 0 rows: not at all */
  double pixels_x, pixels_y;       /* of a character there */
  float value[CT_VIEW_CELLS];      /* smoothed for display only */
  int8_t level[CT_VIEW_CELLS];     /* 0..15, or < 0: no colour (enum in src/view/heatmap.h) */
  uint16_t rois[CT_VIEW_CELLS];    /* scratch: of every character of the map */
};

/* A map that others are compared with: its cells, as they were in the snapshot when it was taken. */
struct ct_view_reference {
  uint32_t rows, cols, bin;        /* 0 rows: none */
  int64_t wall_ns;
  float emf[CT_VIEW_CELLS], sigma[CT_VIEW_CELLS], counts[CT_VIEW_CELLS], photons[CT_VIEW_CELLS], intensity[CT_VIEW_CELLS];
  uint8_t cell[CT_VIEW_CELLS], edge[CT_VIEW_CELLS];
};

/* Ends of the colours: for the picture shown; those of a moment; or for all pictures since this was chosen, so that a colour
 * means the same in each of them. */
enum ct_range { CT_RANGE_AUTO, CT_RANGE_LOCKED, CT_RANGE_SHARED };
struct ct_view_range {
  enum ct_range policy;
  double low, high;                /* of a locked one; of a shared one so far */
};

/* From the planes on in the order of enum ct_image. */
enum ct_picture { CT_PICTURE_SLICE, CT_PICTURE_PROJECTION, CT_PICTURE_SINOGRAM, CT_PICTURE_XY, CT_PICTURE_XZ, CT_PICTURE_YZ,
                  CT_PICTURE_OBLIQUE, CT_PICTURE_OVERVIEW, CT_PICTURES };
/* The same for the camera's picture. */
struct ct_view_tomo {
  int screen_rows, screen_cols;    /* of the screen it is for */
  int rows, cols;                  /* samples; 0: nothing shown yet */
  enum ct_picture shown;
  double low, high;                /* range of the colours */
  bool below, above;               /* there are values beyond it */
  int8_t level[CT_VIEW_CELLS];
};

/* The set-up screen: settings of the run and the viewer's own (screen.*), packed (ct_settings_pack). */
enum { CT_VIEW_SETTING = 768 };    /* bytes of a value that can be edited */
struct ct_view_settings {
  char run[CT_SETTINGS_BYTES], own[4096];
  size_t run_bytes, own_bytes;
  char filter[32];
  int selected;                    /* of those the filter lets through */
  int page;                        /* rows a page key moves; learnt */
  char path[128];                  /* of the selected one; learnt */
  bool typing;                     /* its value, into <text> */
  char text[CT_VIEW_SETTING];
  char answer[512];                /* to the last change, set by the owner; gone with the next key */
  bool refused;
  enum ct_panel back;              /* the panel before */
};

/* About 2 MB; zeroed by ct_view_init. The first part may be read and set by the owner at any time. */
struct ct_view {
  /* the terminal */
  bool utf8;                       /* else ASCII only */
  bool colours;                    /* 256 colours */
  bool accents;                    /* 8 or 16: for words, while maps are shades of ASCII; the owner sets it after init */
  bool smooth;                     /* hysteresis and smoothing of the map between calls; off: every picture for itself */
  struct ct_view_link {            /* what the owner knows of the way to the terminal */
    double refresh_hz;             /* 0: not a terminal */
    double lag_s;                  /* until a frame has arrived; < 0: the terminal does not say */
    uint64_t shown, skipped, bytes;   /* frames, and bytes of all those shown */
    bool slowed;                   /* refreshed less often than asked for, as the link is slow */
  } link;
  /* choices */
  enum ct_panel panel;
  bool chosen;                     /* a key was pressed; before, a run without a detector shows what it has */
  enum ct_panel focus;             /* of the overview: what Enter shows in full size; CT_PANEL_OVERVIEW: not chosen yet */
  bool help, frozen;
  int scroll;                      /* lines of health or help that are above the screen */
  bool silent;                     /* nobody sends pictures any more */
  double behind_s;                 /* of a picture that is frozen, or the last one: its age */
  uint32_t back, kept;             /* and how many newer ones there are, of how many kept */
  enum ct_theme theme;             /* CT_THEME_MONO: the owner clears <colours> and <accents> too */
  enum ct_ramp ramp;
  enum ct_quantity quantity;
  bool log_scale;                  /* of the spectrum */
  enum ct_map_scale map_scale;     /* of the colours of what is never negative */
  bool difference;                 /* of the map to the reference, where there is one */
  bool outlines;                   /* of ROIs on the map */
  bool overlay;                    /* curves of all ROIs over that of <scope> */
  bool take_reference;             /* the next map rendered becomes the reference */
  struct ct_view_range range[CT_QUANTITIES][2];      /* [1]: of differences */
  uint32_t bin;                    /* of the map: 1 2 4 8, 0: until target_sigma is reached; CT_VIEW_ADAPTIVE */
  double target_sigma;
  enum ct_scope scope;             /* whose profile and spectrum: all pixels, the cursor's pixel, a ROI */
  uint32_t roi;                    /* its index */
  enum ct_picture picture;         /* of the camera */
  struct ct_point point;           /* of the planes */
  bool spot;                       /* the cursor on it, in values of the section shown */
  int32_t spot_x, spot_y;
  struct ct_view_line {
    char name[12];
    double e_keV;
  } xray[CT_VIEW_LINES];           /* marked in the spectrum, by the owner's choice */
  uint32_t n_xray;
  bool cursor;                     /* shown */
  int32_t cursor_x, cursor_y;      /* pixel: column, row */
  /* learnt from the last snapshot rendered */
  uint32_t pixel_rows, pixel_cols, n_rois;
  struct ct_lithium lithium;
  unsigned shown;                  /* panels on the overview, 1 << enum ct_panel */
  uint32_t step;                   /* pixels an arrow key moves */
  uint32_t spot_rows, spot_cols, spot_step;
  struct ct_view_camera {          /* pixels: rows of a frame, the slice's, and what a value of the picture is across */
    uint32_t rows, slice_row;
    double value_px;
  } camera;
  int scroll_max;
  struct ct_view_memory memory;
  struct ct_view_tomo tomo;
  struct ct_view_reference reference;
  struct ct_view_settings settings;
};

/* Overview, inferno, automatic bin for <target_sigma> (0.05 where it is not positive), linear spectrum, smooth. */
void ct_view_init(struct ct_view *view, bool utf8, bool colours, double target_sigma);

/* ---- rendering ------------------------------------------------------------------------------------------ */
/* Fills every glyph of <grid>. Row 0 begins with "comptop" and names the run, in every panel and in help, as far as it
 * is wide enough. NULL <snapshot>: says that it waits for one. Whatever the size, nothing wraps, overlaps or is
 * written outside; what does not fit is left out. */
void ct_view_render(struct ct_view *view, const struct ct_snapshot *snapshot, struct ct_grid *grid);

/* The same into <grid> and into <pixels>, whose cell size is set and whose colours hold grid->rows * grid->cols such cells:
 * letters as in the grid, curves and the camera's pictures as fine as the pixels are. For a view with UTF-8 and colours. */
void ct_view_paint(struct ct_view *view, const struct ct_snapshot *snapshot, struct ct_grid *grid, struct ct_pixels *pixels);
/* Red, green and blue of a colour 16..255. */
void ct_palette_rgb(int colour, uint8_t rgb[3]);

/* After it: a line in reverse over the last row. <typed> not NULL: <text> is being typed, so that its end is seen, and what
 * <typed> says behind it where there is room. */
void ct_view_say(const struct ct_view *view, struct ct_grid *grid, const char *text, const char *typed);

/* The sections ct_view_render shows at this size with these choices: writes at most <max>, returns how many. */
enum { CT_VIEW_REQUESTS = 12 };     /* there are never more */
size_t ct_view_requests(const struct ct_view *view, int rows, int cols, struct ct_request *out, size_t max);

/* Takes the run's settings from a snapshot that has them, or the viewer's own: the set-up screen shows what was taken last. */
void ct_view_settings_take(struct ct_view *view, const struct ct_snapshot *snapshot);
void ct_view_settings_own(struct ct_view *view, const struct ct_settings *settings);

/* The camera's picture that is shown, with all values there are, for files; of an overview the whole volume. False: it is not
 * shown, or what is on the screen is all there is of it. */
bool ct_view_whole(const struct ct_view *view, struct ct_request *out);

/* UTF-8 of a code point into <out>, not terminated: its bytes, 1 to 4. */
size_t ct_view_utf8(uint32_t code, char out[4]);

/* ---- keys ------------------------------------------------------------------------------------------------- */
/* Keys are characters, or one of these. */
enum { CT_PRESS_UP = 0x110000, CT_PRESS_DOWN, CT_PRESS_LEFT, CT_PRESS_RIGHT, CT_PRESS_ESCAPE, CT_PRESS_F1, CT_PRESS_F10,
       CT_PRESS_CLICK,   /* of the mouse: the owner knows where, see ct_view_click */
       CT_PRESS_F2, CT_PRESS_PAGE_UP, CT_PRESS_PAGE_DOWN,
       CT_PRESS_CTRL_L = 0x0c, CT_PRESS_CTRL_U = 0x15 };
/* What a key asks of the owner of the screen beyond the view itself. */
enum ct_key_result { CT_KEY_UNKNOWN, CT_KEY_DONE /* render again */, CT_KEY_QUIT, CT_KEY_REDRAW /* repaint all */,
                     CT_KEY_OLDER, CT_KEY_NEWER /* a picture, of those kept */, CT_KEY_MARK /* ask for a marker's text */,
                     CT_KEY_MOUSE /* take clicks, or take them no more */,
                     CT_KEY_AXIS_LEFT, CT_KEY_AXIS_RIGHT /* move the rotation axis by CT_VIEW_NUDGE_PX */,
                     CT_KEY_MASK /* mask the pixels listed as hot or dead; where all are, let them in again */,
                     CT_KEY_SAVE /* write what is seen into files */,
                     CT_KEY_PIXELS /* show it in pixels, once */,
                     CT_KEY_CHANGE, CT_KEY_DEFAULT /* settings.path to settings.text, or to its default */,
                     CT_KEY_KEEP /* changed settings into the configuration file */ };
/* Changes the view's choices as the key table (which the help shows) says. Space only sets <frozen>: the owner keeps
 * rendering the snapshot of that moment until it is cleared, and says by <behind_s>, <back> and <kept> which one it is. */
enum ct_key_result ct_view_key(struct ct_view *view, uint32_t key);
/* A key into a line of text of <size> bytes: adds a character, rubs one out, or (Ctrl-U) all. False: it is none of these. */
bool ct_view_type(char *text, size_t size, uint32_t key);
/* A click on character (row, col): puts the cursor on the map there. False: there is no map. */
bool ct_view_click(struct ct_view *view, int row, int col);

#endif
