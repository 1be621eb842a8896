/* view: which panel goes where. Sizes are met by leaving out, never by wrapping: every panel clips to its canvas. */
#include <comptop/view.h>

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "view/heatmap.h"
#include "view/panels.h"
#include "view/words.h"

void ct_view_init(struct ct_view *view, bool utf8, bool colours, double target_sigma)
{
  memset(view, 0, sizeof *view);
  view->utf8 = utf8;
  view->colours = colours;
  view->smooth = true;
  view->log_scale = true;
  view->point = (struct ct_point){ .row = CT_ROW_OF_SLICE, .turn_deg = 45, .tilt_deg = 45 };
  view->outlines = true;
  view->target_sigma = target_sigma > 0 ? target_sigma : 0.05;
}

const char *ct_panel_word(enum ct_panel panel)
{
  static const char *const words[] = { "overview", "map", "profile", "spectrum", "tomography", "cell", "health", "instrument",
                                      "settings" };
  return words[panel];
}

size_t ct_view_utf8(uint32_t code, char out[4])
{
  if (code < 0x80) {
    out[0] = (char)code;
    return 1;
  }
  static const uint8_t lead[] = { 0, 0xc0, 0xe0, 0xf0 };
  size_t more = code < 0x800 ? 1 : code < 0x10000 ? 2 : 3;
  out[0] = (char)(lead[more] | code >> (6 * more));
  for (size_t i = 1; i <= more; i++)
    out[i] = (char)(0x80 | (code >> (6 * (more - i)) & 0x3f));
  return more + 1;
}

struct ct_canvas ct_view_scroll(struct ct_view *view, struct ct_canvas canvas, int lines)
{
  int room = canvas.rows - 1;      /* the last row says what is left */
  view->scroll_max = lines > canvas.rows && room > 0 ? lines - room : 0;
  view->scroll = view->scroll > view->scroll_max ? view->scroll_max : view->scroll;
  if (view->scroll_max == 0)
    return canvas;
  int below = view->scroll_max - view->scroll;
  int hidden = below > 0 ? below : view->scroll;
  if (canvas.cols >= 36)
    ct_canvas_text(canvas, room, 0, CT_ATTR_REVERSE, " %d more line%s %s: arrow %s ", hidden, hidden == 1 ? "" : "s",
                   below > 0 ? "below" : "above", below > 0 ? "down" : "up");
  else
    ct_canvas_text(canvas, room, 0, CT_ATTR_REVERSE, " %d more: %s ", hidden, below > 0 ? "down" : "up");
  return ct_canvas_part(canvas, 0, 0, room, canvas.cols);
}

/* ---- the arrangement ------------------------------------------------------------------------------------ */
/* How a screen of this size is used. */
enum shape {
  SHAPE_LINES,                     /* figures only, one a line */
  SHAPE_COLUMN,                    /* the map above the figures */
  SHAPE_TWO,                       /* the map on the left, curves on the right */
};
enum { ROWS_TITLE = 1, ROWS_VERDICT = 1, ROWS_KEYS = 1, MAP_COLS_MIN = 40, NUMBERS_ROWS = 4, WALL_ROWS = 40, VIEW_ROWS = 8,
       SPECTRUM_ROWS = 9, SPECTRUM_SCREEN_ROWS = 32 };

static enum shape shape_of(int rows, int cols)
{
  return rows < 12 || cols < 30 ? SHAPE_LINES : cols < 72 || rows < 16 ? SHAPE_COLUMN : SHAPE_TWO;
}

/* Only figures: of a view of its own there is little to see on so few lines, but health has words. */
static bool shows_lines(enum ct_panel panel, int rows, enum shape shape)
{
  return shape == SHAPE_LINES && (panel == CT_PANEL_OVERVIEW || (rows < VIEW_ROWS && panel != CT_PANEL_HEALTH));
}

/* Rows of <whole> that <share> of <shares> takes. */
static int share_of(int whole, int share, int shares) { return whole * share / shares; }

/* On the overview: is there, and its caption in reverse where it is the chosen one. */
static void enter_panel(struct ct_view *view, struct ct_canvas canvas, enum ct_panel which)
{
  if (view->panel != CT_PANEL_OVERVIEW || canvas.rows <= 0)
    return;
  view->shown |= 1u << which;
  if (view->focus == which)
    ct_canvas_reverse(ct_canvas_part(canvas, 0, 0, 1, canvas.cols));
}

/* A panel, dim where what it shows is <age_s> old. */
static void draw_panel(struct ct_view *view, const struct ct_snapshot *snapshot, struct ct_canvas canvas, enum ct_panel which,
                       void (*draw)(const struct ct_view *, const struct ct_snapshot *, struct ct_canvas), double age_s)
{
  draw(view, snapshot, canvas);
  if (age_s > 0)
    ct_canvas_dim(canvas);
  enter_panel(view, canvas, which);
}

static void draw_curves(struct ct_view *view, const struct ct_snapshot *snapshot, struct ct_canvas canvas, enum ct_panel which)
{
  void (*const draw)(const struct ct_view *, const struct ct_snapshot *, struct ct_canvas) =
    which == CT_PANEL_PROFILE ? ct_panel_profile : which == CT_PANEL_SPECTRUM ? ct_panel_spectrum : ct_panel_trend;
  draw_panel(view, snapshot, canvas, which, draw, ct_age_detector(&snapshot->core));
}

static void draw_voltage(struct ct_view *view, const struct ct_snapshot *snapshot, struct ct_canvas canvas)
{
  draw_panel(view, snapshot, canvas, CT_PANEL_CELL, ct_panel_voltage, ct_age_cell(&snapshot->core));
}

static struct ct_extent draw_map(struct ct_view *view, const struct ct_snapshot *snapshot, struct ct_canvas canvas)
{
  struct ct_extent map = ct_panel_map(view, snapshot, canvas);
  struct ct_canvas taken = ct_canvas_part(canvas, 0, 0, map.rows, map.cols);
  if (ct_age_detector(&snapshot->core) > 0)
    ct_canvas_dim(taken);
  enter_panel(view, taken, CT_PANEL_MAP);
  return map;
}

static void draw_right(struct ct_view *view, const struct ct_snapshot *snapshot, struct ct_canvas canvas, bool numbers)
{
  int rows = canvas.rows, cols = canvas.cols;
  if (numbers) {
    rows -= 3;
    ct_panel_numbers(view, snapshot, ct_canvas_part(canvas, rows, 0, 3, cols));
  }
  if (rows < WALL_ROWS) {
    int half = share_of(rows, 1, 2);
    draw_curves(view, snapshot, ct_canvas_part(canvas, 0, 0, half, cols), CT_PANEL_PROFILE);
    draw_curves(view, snapshot, ct_canvas_part(canvas, half, 0, rows - half, cols), CT_PANEL_CELL);
    return;
  }
  int part = share_of(rows, 3, 11), row = 0;
  draw_curves(view, snapshot, ct_canvas_part(canvas, row, 0, part, cols), CT_PANEL_PROFILE);
  draw_curves(view, snapshot, ct_canvas_part(canvas, row += part, 0, part, cols), CT_PANEL_CELL);
  part = share_of(rows, 2, 11) + 1;
  draw_voltage(view, snapshot, ct_canvas_part(canvas, row += share_of(rows, 3, 11), 0, part, cols));
  row += part;
  ct_panel_health(view, snapshot, ct_canvas_part(canvas, row, 0, rows - row, cols));
  enter_panel(view, ct_canvas_part(canvas, row, 0, rows - row, cols), CT_PANEL_HEALTH);
}

static void draw_two(struct ct_view *view, const struct ct_snapshot *snapshot, struct ct_canvas body)
{
  int limit = body.cols * 3 / 5;
  struct ct_extent map = draw_map(view, snapshot, ct_canvas_part(body, 0, 0, body.rows, limit));
  int left = map.rows + body.rows / 30, rest = body.rows - left;      /* a row of air where there is plenty */
  if (rest >= NUMBERS_ROWS + 1 + SPECTRUM_ROWS && body.grid->rows >= SPECTRUM_SCREEN_ROWS) {
    int figures = rest >= 2 * NUMBERS_ROWS + 1 + SPECTRUM_ROWS ? 2 * NUMBERS_ROWS : NUMBERS_ROWS;
    ct_panel_numbers(view, snapshot, ct_canvas_part(body, left, 0, figures, map.cols));
    left += figures + 1;
    draw_curves(view, snapshot, ct_canvas_part(body, left, 0, body.rows - left, map.cols), CT_PANEL_SPECTRUM);
  } else if (rest >= 3) {
    ct_panel_numbers(view, snapshot, ct_canvas_part(body, left, 0, rest, map.cols));
  }
  draw_right(view, snapshot, ct_canvas_part(body, 0, map.cols + 1, body.rows, body.cols - map.cols - 1), rest < 3);
}

static void draw_column(struct ct_view *view, const struct ct_snapshot *snapshot, struct ct_canvas body)
{
  struct ct_extent map = draw_map(view, snapshot, ct_canvas_part(body, 0, 0, body.rows - 2, body.cols));
  int row = map.rows < body.rows - 2 ? map.rows : body.rows - 2;
  ct_panel_emf(&snapshot->core, body, row);
  ct_panel_numbers(view, snapshot, ct_canvas_part(body, row + 1, 0, body.rows - row - 1, body.cols));
}

/* Beside the large map: how it is coloured, the figures, and the curves of what is under the cursor where there is room. */
static void draw_beside(struct ct_view *view, const struct ct_snapshot *snapshot, struct ct_canvas canvas, bool curves)
{
  enum { FIGURES_ROWS = 14 };
  int top = view->memory.map_rows > 0 ? ct_panel_range(view, canvas, 0) + 1 : 0;
  int figures = curves ? FIGURES_ROWS : canvas.rows, half = share_of(canvas.rows - figures, 1, 2);
  ct_panel_numbers(view, snapshot, ct_canvas_part(canvas, top, 0, figures - top - curves, canvas.cols));
  if (!curves)
    return;
  draw_curves(view, snapshot, ct_canvas_part(canvas, figures, 0, half, canvas.cols), CT_PANEL_PROFILE);
  draw_curves(view, snapshot, ct_canvas_part(canvas, figures + half, 0, canvas.rows - figures - half, canvas.cols), CT_PANEL_SPECTRUM);
}

static bool has_curves_beside(int rows, int cols) { return rows >= WALL_ROWS && cols >= 130; }

/* A screen too narrow for figures beside the map may have them right of a small one. */
static void draw_large_map(struct ct_view *view, const struct ct_snapshot *snapshot, struct ct_canvas body)
{
  enum { BESIDE_COLS = 30, LEAST_COLS = 20 };
  bool wide = body.cols >= MAP_COLS_MIN + BESIDE_COLS;
  int rows = wide ? body.rows : body.rows - 1;
  struct ct_extent map = draw_map(view, snapshot, ct_canvas_part(body, 0, 0, rows, body.cols - (wide ? BESIDE_COLS : 0)));
  int left = view->memory.map_cols + CT_BAR_COLS + 2;
  if (wide) {
    struct ct_canvas beside = ct_canvas_part(body, 1, map.cols + 1, body.rows - 1, body.cols - map.cols - 1);
    draw_beside(view, snapshot, beside, has_curves_beside(body.grid->rows, body.grid->cols));
    return;
  }
  if (view->memory.map_rows > 0 && body.cols - left >= LEAST_COLS) {
    ct_panel_emf(&snapshot->core, ct_canvas_part(body, 1, left, 1, body.cols - left), 0);
    ct_panel_figures(snapshot, ct_canvas_part(body, 2, left, rows - 2, body.cols - left));
  }
  ct_panel_readout(view, snapshot, body, body.rows - 1);
}

static void draw_cell(struct ct_view *view, const struct ct_snapshot *snapshot, struct ct_canvas body)
{
  enum { PART_ROWS = 6, CURVE_ROWS = 4 };      /* fewer and a curve says little; nothing */
  if (body.rows >= 2 * PART_ROWS) {
    ct_panel_marks(snapshot, ct_canvas_part(body, body.rows - 1, 0, 1, body.cols));
    body.rows--;
  }
  if (!snapshot->core.xcs.present) {
    draw_voltage(view, snapshot, body);
    return;
  }
  bool charge = body.rows >= 3 * PART_ROWS && ct_panel_has_charge(view, snapshot);
  int part = share_of(body.rows, 1, charge ? 3 : 2), rest = body.rows - 2 * part;
  if (part < CURVE_ROWS)
    part = 1;                      /* its caption has the figures */
  draw_voltage(view, snapshot, ct_canvas_part(body, 0, 0, part, body.cols));
  draw_curves(view, snapshot, ct_canvas_part(body, part, 0, charge ? part : body.rows - part, body.cols), CT_PANEL_CELL);
  if (charge)
    draw_panel(view, snapshot, ct_canvas_part(body, 2 * part, 0, rest, body.cols), CT_PANEL_CELL, ct_panel_charge,
               ct_age_detector(&snapshot->core));
}

static void draw_health(struct ct_view *view, const struct ct_snapshot *snapshot, struct ct_canvas body)
{
  int rows = view->link.refresh_hz > 0 ? body.rows - 1 : body.rows;
  ct_panel_health(view, snapshot, ct_canvas_part(body, 0, 0, rows, body.cols));
  ct_panel_link(view, ct_canvas_part(body, rows, 0, 1, body.cols));
}

static void draw_monitors(struct ct_view *view, const struct ct_snapshot *snapshot, struct ct_canvas body)
{
  ct_panel_monitors(view, snapshot, body);
  if (ct_age_detector(&snapshot->core) > 0)
    ct_canvas_dim(body);
}

static void draw_tomo(struct ct_view *view, const struct ct_snapshot *snapshot, struct ct_canvas body)
{
  ct_panel_tomo(view, snapshot, body);
  if (ct_age_camera(&snapshot->core) > 0)
    ct_canvas_dim(body);
}

static void draw_overview(struct ct_view *view, const struct ct_snapshot *snapshot, struct ct_canvas body, enum shape shape)
{
  if (shape == SHAPE_TWO)
    draw_two(view, snapshot, body);
  else
    draw_column(view, snapshot, body);
}

static void draw_body(struct ct_view *view, const struct ct_snapshot *snapshot, struct ct_canvas body, enum shape shape)
{
  switch (view->panel) {
  case CT_PANEL_SETTINGS: break;   /* has the whole screen, see draw_settings */
  case CT_PANEL_OVERVIEW: draw_overview(view, snapshot, body, shape); break;
  case CT_PANEL_MAP: draw_large_map(view, snapshot, body); break;
  case CT_PANEL_PROFILE:
  case CT_PANEL_SPECTRUM: draw_curves(view, snapshot, body, view->panel); break;
  case CT_PANEL_TOMO: draw_tomo(view, snapshot, body); break;
  case CT_PANEL_CELL: draw_cell(view, snapshot, body); break;
  case CT_PANEL_HEALTH: draw_health(view, snapshot, body); break;
  case CT_PANEL_MONITORS: draw_monitors(view, snapshot, body); break;
  }
}

/* "60 s window"; "12 s of 60 s" while it fills, or where memory or frames are missing. */
static void window_words(const struct ct_snapshot_xcs *xcs, char out[2 * CT_WORD + 16])
{
  const size_t size = 2 * CT_WORD + 16;
  char whole[CT_WORD], covered[CT_WORD];
  if (!isfinite(xcs->window_s) && strcmp(xcs->window, "scan") == 0)
    snprintf(out, size, "scan %llu", (unsigned long long)xcs->scan);
  else if (!isfinite(xcs->window_s))
    snprintf(out, size, "since start");
  else if (xcs->covered_s < 0.95 * xcs->window_s)
    snprintf(out, size, "%s of %s", ct_word_time(covered, xcs->covered_s), ct_word_time(whole, xcs->window_s));
  else
    snprintf(out, size, "%s window", ct_word_time(whole, xcs->window_s));
}

/* Of what the panel shows, where that is from one stream; the cell's is said beside its figures. */
static double age_of(enum ct_panel panel, const struct ct_snapshot_core *core)
{
  return panel == CT_PANEL_TOMO ? ct_age_camera(core) : ct_age_detector(core);
}

/* "xcs 12 s of 60 s  3.31M photons", or as much of it as <room> columns hold. */
static const char *sample_words(const struct ct_snapshot_core *core, int room, char *out, size_t size)
{
  char window[2 * CT_WORD + 16], counts[CT_WORD];
  window_words(&core->xcs, window);
  snprintf(out, size, "%.*s %s  %s photons", (int)sizeof core->mode, core->mode, window,
           ct_word_short(counts, (double)core->xcs.counts));
  if (ct_text_columns(out) > room)
    snprintf(out, size, "%s", window);
  return ct_text_columns(out) > room ? "" : out;
}

/* "comptop  charge-02  xcs  60 s window  3.31M photons        03:14:07Z" */
static void draw_title(const struct ct_view *view, const struct ct_snapshot *snapshot, struct ct_canvas canvas)
{
  enum { CLOCK_FROM_COLS = 40 };   /* on a narrower screen the name matters more */
  int col = ct_canvas_text(canvas, 0, 0, CT_ATTR_BOLD, "comptop");
  if (snapshot == NULL)
    return;
  const struct ct_snapshot_core *core = &snapshot->core;
  const char *run = core->run[0] != '\0' ? core->run : core->demo ? "demo" : "(no name)";
  char clock[CT_WORD], age[CT_WORD], words[4 * CT_WORD];
  double age_s = age_of(view->panel, core);
  int right = canvas.cols - (view->frozen ? 17 : 9);
  struct ct_canvas before = canvas.cols >= CLOCK_FROM_COLS ? ct_canvas_part(canvas, 0, 0, 1, right - 1) : canvas;
  col = ct_canvas_text(before, 0, col + 1, CT_ATTR_BOLD, "%.*s", (int)sizeof core->run, run);
  struct ct_canvas middle = ct_canvas_part(canvas, 0, 0, 1, right - 1);
  if (col + 2 < right && age_s > 0)
    col = ct_canvas_text(middle, 0, col + 2, CT_ATTR_REVERSE, "data %s", ct_word_age(age, age_s));
  if (col + 2 < right && view->link.slowed && view->link.lag_s >= 1)   /* all that is seen is as old */
    col = ct_canvas_text(middle, 0, col + 2, CT_ATTR_REVERSE, "link %s behind", ct_word_time(age, view->link.lag_s));
  if (core->xcs.present)
    ct_canvas_text(middle, 0, col + 2, 0, "%s", sample_words(core, right - 1 - (col + 2), words, sizeof words));
  if (col < right) {
    ct_word_clock(clock, core->wall_ns);
    if (view->frozen)
      ct_canvas_text(canvas, 0, right, CT_ATTR_REVERSE, "FROZEN");
    ct_canvas_text(canvas, 0, canvas.cols - 9, 0, "%s", clock);
  }
}

/* Whether the run is fine stays in sight. */
static void draw_settings(struct ct_view *view, const struct ct_snapshot *snapshot, struct ct_canvas below)
{
  bool verdict = snapshot != NULL && below.rows > 6;
  if (verdict)
    ct_panel_verdict(view, snapshot, below);
  ct_panel_settings(view, ct_canvas_part(below, verdict, 0, below.rows - verdict, below.cols));
}

/* Of a run without a detector the overview is empty; it is shown to who asks for it. */
static void choose_panel(struct ct_view *view, const struct ct_snapshot_core *core)
{
  if (!view->chosen && view->panel == CT_PANEL_OVERVIEW && !core->xcs.present)
    view->panel = core->ct.present ? CT_PANEL_TOMO : core->cell.present ? CT_PANEL_CELL : CT_PANEL_OVERVIEW;
}

void ct_view_render(struct ct_view *view, const struct ct_snapshot *snapshot, struct ct_grid *grid)
{
  for (size_t i = 0; i < (size_t)grid->rows * (size_t)grid->cols; i++)
    grid->glyphs[i] = (struct ct_glyph){ ' ', CT_COLOUR_DEFAULT, CT_COLOUR_DEFAULT, 0 };
  struct ct_canvas screen = { grid, 0, 0, grid->rows, grid->cols, view->utf8, view->colours || view->accents, view->theme };
  view->memory.map_rows = 0;
  view->shown = 0;
  if (snapshot != NULL)
    choose_panel(view, &snapshot->core);
  draw_title(view, snapshot, screen);
  enum shape shape = shape_of(grid->rows, grid->cols);
  struct ct_canvas below = ct_canvas_part(screen, ROWS_TITLE, 0, grid->rows - ROWS_TITLE, grid->cols);
  if (view->help) {
    ct_panel_help(view, below);
    return;
  }
  if (view->panel == CT_PANEL_SETTINGS) {
    draw_settings(view, snapshot, below);
    return;
  }
  if (snapshot == NULL) {
    ct_canvas_text(below, 0, 0, 0, "waiting for the run");
    return;
  }
  view->lithium = snapshot->core.lithium;
  if (view->quantity == CT_SHOW_LITHIUM && view->lithium.references == 0)
    view->quantity = CT_SHOW_EMF;
  view->tomo.screen_rows = grid->rows;
  view->tomo.screen_cols = grid->cols;
  view->n_rois = snapshot->core.n_rois < CT_SNAPSHOT_ROIS ? snapshot->core.n_rois : CT_SNAPSHOT_ROIS;
  bool lines = shows_lines(view->panel, grid->rows, shape);
  int keys = grid->rows >= VIEW_ROWS ? ROWS_KEYS : 0, verdict = lines || grid->rows < VIEW_ROWS ? 0 : ROWS_VERDICT;
  struct ct_canvas body = ct_canvas_part(below, verdict, 0, below.rows - verdict - keys, grid->cols);
  if (verdict > 0)
    ct_panel_verdict(view, snapshot, below);
  if (keys > 0)
    ct_panel_keys(ct_canvas_part(screen, grid->rows - keys, 0, keys, grid->cols));
  if (lines)
    ct_panel_lines(view, snapshot, body);
  else
    draw_body(view, snapshot, body, shape);
  if (view->silent)
    ct_canvas_dim(body);
}

void ct_view_say(const struct ct_view *view, struct ct_grid *grid, const char *text, const char *typed)
{
  const struct ct_canvas row = { grid, grid->rows - 1, 0, 1, grid->cols, view->utf8, false, view->theme };
  while (typed != NULL && ct_text_columns(text) > grid->cols)      /* its end is seen */
    do
      text++;
    while (((unsigned char)*text & 0xc0) == 0x80);
  ct_canvas_text(row, 0, 0, CT_ATTR_REVERSE, "%*s", grid->cols, "");
  int col = ct_canvas_text(row, 0, 0, CT_ATTR_REVERSE, "%s", text) + 3;
  if (typed != NULL && col + ct_text_columns(typed) <= grid->cols)
    ct_canvas_text(row, 0, col, CT_ATTR_REVERSE, "%s", typed);
}

/* ---- requests --------------------------------------------------------------------------------------------------- */
size_t ct_view_requests(const struct ct_view *view, int rows, int cols, struct ct_request *out, size_t max)
{
  enum shape shape = shape_of(rows, cols);
  bool overview = view->panel == CT_PANEL_OVERVIEW, two = overview && shape == SHAPE_TWO;
  struct ct_request wanted[CT_VIEW_REQUESTS];
  size_t n = 0;
  if (view->panel == CT_PANEL_SETTINGS)
    wanted[n++] = ct_view_settings_request();
  else if (shows_lines(view->panel, rows, shape))
    return 0;
  if (overview || view->panel == CT_PANEL_MAP) {
    wanted[n++] = ct_view_map_request(view);
    wanted[n++] = ct_outline_request();
  }
  bool beside = view->panel == CT_PANEL_MAP && has_curves_beside(rows, cols);
  if (two || beside || view->panel == CT_PANEL_PROFILE)
    wanted[n++] = ct_view_curve_request(view, CT_SECTION_PROFILE);
  uint32_t rois[CT_OVERLAY_MAX], overlaid = ct_view_overlay(view, rois);
  for (uint32_t i = 0; i < overlaid && (view->panel == CT_PANEL_PROFILE || view->panel == CT_PANEL_CELL); i++)
    wanted[n++] = ct_view_roi_request(view->panel == CT_PANEL_CELL ? CT_SECTION_TREND : CT_SECTION_PROFILE, rois[i]);
  if (view->panel == CT_PANEL_PROFILE && view->scope != CT_SCOPE_ALL)
    wanted[n++] = (struct ct_request){ .kind = CT_SECTION_PROFILE, .scope = CT_SCOPE_ALL };
  if ((two && rows >= SPECTRUM_SCREEN_ROWS) || beside || view->panel == CT_PANEL_SPECTRUM)
    wanted[n++] = ct_view_curve_request(view, CT_SECTION_SPECTRUM);
  if (two || view->panel == CT_PANEL_CELL) {
    wanted[n++] = ct_view_trend_request(view);
    wanted[n++] = ct_view_marks_request();
  }
  if (view->panel == CT_PANEL_TOMO)
    wanted[n++] = ct_view_tomo_request(view, rows, cols);
  for (size_t i = 0; i < n && i < max; i++)
    out[i] = wanted[i];
  return n;
}
