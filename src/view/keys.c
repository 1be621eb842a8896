/* keys: one table says what a key does; the help and the last line of the screen are drawn from it. */
#include "view/panels.h"

enum action {
  QUIT, HELP, PANEL, MOVE, FREEZE, STEP, MARK, MASK, MOUSE, AXIS, COLOURS, QUANTITY, BINNING, SCOPE, LOG, BACK, REDRAW
};

static const struct {
  const char *name, *text, *brief;      /* in the help; at the foot of the screen, NULL: not there */
  uint32_t keys[8];
  enum action action;
} table[] = {
  { "1 2 3", "map, profile, spectrum", "1map 2prof 3spec 4tomo 5cell 6health 7instr", { '1', '2', '3', '4', '5', '6', '7' }, PANEL },
  { "4 5 6 7", "tomography, cell, health, instrument", NULL, { 0 }, PANEL },
  { "0 Esc", "overview", "0all", { '0', CT_PRESS_ESCAPE }, BACK },
  { "arrows", "read the map at a cursor", "arrows", { CT_PRESS_UP, CT_PRESS_DOWN, CT_PRESS_LEFT, CT_PRESS_RIGHT }, MOVE },
  { "r", "curves of all pixels, the cursor's pixel, each ROI", NULL, { 'r' }, SCOPE },
  { "u", "map of EMF, error, counts, density, drift, lithium", NULL, { 'u' }, QUANTITY },
  { "b", "bins: automatic, 1, 2, 4, 8 pixels, adaptive", NULL, { 'b' }, BINNING },
  { "c", "colours: inferno, grey, viridis, cividis", NULL, { 'c' }, COLOURS },
  { "l", "spectrum linear or logarithmic", NULL, { 'l' }, LOG },
  { "Space", "freeze the picture; the run goes on", "Spc:freeze", { ' ' }, FREEZE },
  { "[ ]", "step back and forth through the last minutes", NULL, { '[', ']' }, STEP },
  { "x", "leave out hot and dead pixels, or let them in again", NULL, { 'x' }, MASK },
  { "m", "write a marker with a text into the archive", NULL, { 'm' }, MARK },
  { "M", "mouse: a click sets the cursor; off: text can be selected", NULL, { 'M' }, MOUSE },
  { ", .", "tomography: move the rotation axis", NULL, { ',', '.' }, AXIS },
  { "Ctrl-L", "repaint the screen", NULL, { CT_PRESS_CTRL_L }, REDRAW },
  { "? h F1", "this help", "?help", { '?', 'h', CT_PRESS_F1 }, HELP },
  { "q F10", "leave", "q:quit", { 'q', CT_PRESS_F10 }, QUIT },
};
enum { ACTIONS = sizeof table / sizeof *table };

void ct_panel_help(struct ct_canvas canvas)
{
  canvas = ct_canvas_caption(canvas, "Help  any key goes back");
  bool wide = canvas.cols >= 40;
  for (int i = 0; i < ACTIONS; i++) {
    ct_canvas_text(canvas, i, 1, CT_ATTR_BOLD, "%s", table[i].name);
    ct_canvas_text(canvas, i, wide ? 10 : 8, 0, "%s", table[i].text);
  }
  static const char *const legend[] = {
    "EMF = L / H: counts at low over counts at high momentum |pz|; lithium",
    "raises it. ± is one standard deviation. Map: . masked pixels,",
    "? too few counts or below 2 σ, x not a number; > < beyond the bar.",
  };
  for (int i = 0; i < 3; i++)
    ct_canvas_text(canvas, ACTIONS + 1 + i, 1, 0, "%s", legend[i]);
}

void ct_panel_keys(struct ct_canvas canvas)
{
  int col = 0;
  for (int i = 0; i < ACTIONS; i++)
    if (table[i].brief != NULL && col + ct_text_columns(table[i].brief) <= canvas.cols)
      col = ct_canvas_coloured(canvas, 0, col, CT_GREY, CT_ATTR_DIM, "%s", table[i].brief) + 1;
}

/* It first appears in the middle. */
static void show_cursor(struct ct_view *view)
{
  if (view->cursor)
    return;
  view->cursor = true;
  view->cursor_x = (int32_t)(view->pixel_cols / 2);
  view->cursor_y = (int32_t)(view->pixel_rows / 2);
}

static int32_t moved(int32_t at, int32_t by, uint32_t n)
{
  at += by;
  return at < 0 ? 0 : at >= (int32_t)n ? (int32_t)n - 1 : at;
}

/* On the camera's picture. */
static void move_spot(struct ct_view *view, uint32_t key)
{
  int32_t step = (int32_t)(view->spot_step ? view->spot_step : 1);
  if (view->spot_cols == 0 || view->spot_rows == 0)
    return;
  if (!view->spot) {
    view->spot = true;
    view->spot_x = (int32_t)(view->spot_cols / 2);
    view->spot_y = (int32_t)(view->spot_rows / 2);
    return;
  }
  view->spot_x = moved(view->spot_x, key == CT_PRESS_RIGHT ? step : key == CT_PRESS_LEFT ? -step : 0, view->spot_cols);
  view->spot_y = moved(view->spot_y, key == CT_PRESS_DOWN ? step : key == CT_PRESS_UP ? -step : 0, view->spot_rows);
}

static void move(struct ct_view *view, uint32_t key)
{
  if (view->panel == CT_PANEL_TOMO) {
    move_spot(view, key);
    return;
  }
  int32_t step = (int32_t)(view->step ? view->step : 1);
  int32_t cols = (int32_t)view->pixel_cols, rows = (int32_t)view->pixel_rows;
  if (cols <= 0 || rows <= 0)
    return;
  if (!view->cursor) {             /* the first arrow only shows it */
    show_cursor(view);
    return;
  }
  int32_t x = view->cursor_x + (key == CT_PRESS_RIGHT ? step : key == CT_PRESS_LEFT ? -step : 0);
  int32_t y = view->cursor_y + (key == CT_PRESS_DOWN ? step : key == CT_PRESS_UP ? -step : 0);
  view->cursor_x = x < 0 ? 0 : x >= cols ? cols - 1 : x;
  view->cursor_y = y < 0 ? 0 : y >= rows ? rows - 1 : y;
}

/* There is a map of lithium only where there is a calibration. */
static void next_quantity(struct ct_view *view)
{
  if (view->panel == CT_PANEL_TOMO) {
    view->picture = (enum ct_picture)((view->picture + 1) % CT_PICTURES);
    view->spot = false;
    return;
  }
  enum ct_quantity last = view->lithium.references > 0 ? CT_SHOW_LITHIUM : CT_SHOW_DRIFT;
  view->quantity = view->quantity >= last ? CT_SHOW_EMF : (enum ct_quantity)(view->quantity + 1);
}

/* All pixels, the cursor's pixel, ROI 0, 1, ... and round again. */
static void next_scope(struct ct_view *view)
{
  if (view->scope == CT_SCOPE_ALL) {
    view->scope = CT_SCOPE_PIXEL;
    view->roi = 0;
    show_cursor(view);
  } else if (view->scope == CT_SCOPE_PIXEL && view->n_rois > 0) {
    view->scope = CT_SCOPE_ROI;
  } else if (view->scope == CT_SCOPE_PIXEL || ++view->roi >= view->n_rois) {
    view->scope = CT_SCOPE_ALL;
  }
}

/* Back freezes; there is nothing newer than a picture that moves. */
static enum ct_key_result step(struct ct_view *view, uint32_t key)
{
  if (key == ']')
    return view->frozen ? CT_KEY_NEWER : CT_KEY_UNKNOWN;
  view->frozen = true;
  return CT_KEY_OLDER;
}

static enum ct_key_result act(struct ct_view *view, enum action action, uint32_t key)
{
  switch (action) {
  case QUIT: return CT_KEY_QUIT;
  case REDRAW: return CT_KEY_REDRAW;
  case STEP: return step(view, key);
  case MARK: return CT_KEY_MARK;
  case AXIS: return view->panel != CT_PANEL_TOMO ? CT_KEY_UNKNOWN : key == ',' ? CT_KEY_AXIS_LEFT : CT_KEY_AXIS_RIGHT;
  case MOUSE: return CT_KEY_MOUSE;
  case MASK: return CT_KEY_MASK;
  case HELP: view->help = true; break;
  case PANEL: view->panel = (enum ct_panel)(CT_PANEL_MAP + (int)(key - '1')); break;
  case BACK: view->panel = CT_PANEL_OVERVIEW; break;
  case MOVE: move(view, key); break;
  case FREEZE: view->frozen = !view->frozen; break;
  case COLOURS: view->ramp = (enum ct_ramp)((view->ramp + 1) % CT_RAMP_COUNT); break;
  case QUANTITY: next_quantity(view); break;
  case BINNING: view->bin = view->bin == 0 ? 1 : view->bin == CT_VIEW_ADAPTIVE ? 0 : view->bin * 2; break;
  case SCOPE: next_scope(view); break;
  case LOG: view->log_scale = !view->log_scale; break;
  }
  return CT_KEY_DONE;
}

enum ct_key_result ct_view_key(struct ct_view *view, uint32_t key)
{
  if (view->help && key != 'q' && key != CT_PRESS_F10 && key != CT_PRESS_CTRL_L) {
    view->help = false;
    return CT_KEY_DONE;
  }
  for (int i = 0; i < ACTIONS; i++)
    for (int k = 0; k < 8 && table[i].keys[k] != 0; k++)
      if (table[i].keys[k] == key)
        return act(view, table[i].action, key);
  return CT_KEY_UNKNOWN;
}

bool ct_view_click(struct ct_view *view, int row, int col)
{
  const struct ct_view_memory *memory = &view->memory;
  int y = row - memory->row, x = col - memory->col;
  if (x < 0 || y < 0 || x >= memory->map_cols || y >= memory->map_rows)
    return false;
  view->cursor = true;
  view->cursor_x = (int32_t)((x + 0.5) * memory->pixels_x);
  view->cursor_y = (int32_t)((y + 0.5) * memory->pixels_y);
  return true;
}
