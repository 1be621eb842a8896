/* keys: one table says what a key does; the help and the last line of the screen are drawn from it. */
#include "view/panels.h"

enum action {
  PIXELS,
  QUIT, HELP, PANEL, MOVE, FREEZE, STEP, MARK, MASK, MOUSE, TOMO, COLOURS, QUANTITY, BINNING, SCOPE, LOG, BACK, REDRAW, RANGE,
  REFERENCE, SAVE, OUTLINES, OVERLAY, SETTINGS, ZOOM
};

static const struct {
  const char *name, *text, *brief;      /* in the help; at the foot of the screen, NULL: not there */
  uint32_t keys[8];
  enum action action;
} table[] = {
  { "1 2 3", "map, profile, spectrum", "1map 2prof 3spec", { '1', '2', '3', '4', '5', '6', '7' }, PANEL },
  { "4 5 6 7", "tomo, cell, health, instrument", "4tomo 5cell 6health 7instr", { 0 }, PANEL },
  { "0 Esc", "overview", "0all", { '0', CT_PRESS_ESCAPE }, BACK },
  { "Tab", "next panel; Enter: full size", NULL, { '\t', '\n' }, ZOOM },
  { "arrows", "cursor on the map; scroll", "arrows", { CT_PRESS_UP, CT_PRESS_DOWN, CT_PRESS_LEFT, CT_PRESS_RIGHT }, MOVE },
  { "r", "curves: all pixels, cursor, ROI", NULL, { 'r' }, SCOPE },
  { "R", "curves of all ROIs over it", NULL, { 'R' }, OVERLAY },
  { "o", "outlines of ROIs on the map", NULL, { 'o' }, OUTLINES },
  { "u", "map of EMF, error, counts, density, drift, EMF / error, hit rate, lithium", NULL, { 'u' }, QUANTITY },
  { "b", "bins: auto, 1 to 8, adaptive", NULL, { 'b' }, BINNING },
  { "c", "colours of the map", NULL, { 'c' }, COLOURS },
  { "l", "log or linear; map: sqrt, too", NULL, { 'l' }, LOG },
  { "a A", "range auto or shared; locked", NULL, { 'a', 'A' }, RANGE },
  { "D d", "take map as reference; differ", NULL, { 'D', 'd' }, REFERENCE },
  { "Space", "freeze picture; run goes on", "Spc:freeze", { ' ' }, FREEZE },
  { "[ ]", "step back and forth in time", NULL, { '[', ']' }, STEP },
  { "x", "mask hot, dead pixels, or not", NULL, { 'x' }, MASK },
  { "m", "marker with a text, archived", NULL, { 'm' }, MARK },
  { "M", "mouse sets cursor, or selects", NULL, { 'M' }, MOUSE },
  { ", . p", "tomo: axis; planes at cursor", NULL, { ',', '.', 'p' }, TOMO },
  { "{}<>tT", "tomo: move, turn, tilt plane", NULL, { '{', '}', '<', '>', 't', 'T' }, TOMO },
  { "w", "save it: TSV, JSON, ANSI, PNG", NULL, { 'w' }, SAVE },
  { "g", "picture in pixels; key: back", NULL, { 'g' }, PIXELS },
  { "S F2", "set-up: every setting", NULL, { 'S', CT_PRESS_F2 }, SETTINGS },
  { "Ctrl-L", "repaint the screen", NULL, { CT_PRESS_CTRL_L }, REDRAW },
  { "? h F1", "this help", "?help", { '?', 'h', CT_PRESS_F1 }, HELP },
  { "q F10", "leave", "q:quit", { 'q', CT_PRESS_F10 }, QUIT },
};
enum { ACTIONS = sizeof table / sizeof *table };

/* ---- the help ---------------------------------------------------------------------------------------------- */
enum { NAME_COLS = 9, COLUMN_COLS = 38, COLUMNS_MAX = 3 };

/* The keys in columns of <width>, at most <height> rows high, from row <top> on; returns how many columns they take. */
static int draw_actions(struct ct_canvas canvas, int width, int height, int top)
{
  int row = 0, columns = 1;
  for (int i = 0; i < ACTIONS; i++) {
    struct ct_canvas column = canvas, blind = canvas;
    blind.rows = 0;
    blind.cols = width - 1;
    int rows = ct_canvas_paragraph(blind, 0, NAME_COLS, NAME_COLS, 0, table[i].text);
    if (row > 0 && row + rows > height) {
      columns++;
      row = 0;
    }
    column.col += (columns - 1) * width;
    column.cols = width - 1;
    ct_canvas_text(column, top + row, 1, CT_ATTR_BOLD, "%s", table[i].name);
    ct_canvas_paragraph(column, top + row, NAME_COLS, NAME_COLS, 0, table[i].text);
    row += rows;
  }
  return columns;
}

/* As many columns as the screen is wide for, and no higher than they must be. */
void ct_panel_help(struct ct_view *view, struct ct_canvas canvas)
{
  static const char legend[] = "EMF = L / H: counts at low over counts at high momentum |pz|; lithium raises it. ± is one standard "
    "deviation. Map: . masked pixels, ? too few counts or below 2 σ, x not a number; > < beyond the bar.";
  canvas = ct_canvas_caption(canvas, "Help  any key goes back");
  if (canvas.rows <= 0 || canvas.cols <= NAME_COLS + 1)
    return;
  int columns = canvas.cols / COLUMN_COLS, height = 1;
  columns = columns < 1 ? 1 : columns > COLUMNS_MAX ? COLUMNS_MAX : columns;
  int width = canvas.cols / columns;
  struct ct_canvas blind = canvas;
  blind.rows = 0;
  while (draw_actions(blind, width, height, 0) > columns)
    height++;
  canvas = ct_view_scroll(view, canvas, ct_canvas_paragraph(blind, height + 1, 1, 1, 0, legend));
  draw_actions(canvas, width, height, -view->scroll);
  ct_canvas_paragraph(canvas, height + 1 - view->scroll, 1, 1, 0, legend);
}

/* Help and the way out come last and are always there: from help one finds the rest. */
static bool is_vital(enum action action) { return action == HELP || action == QUIT; }

void ct_panel_keys(struct ct_canvas canvas)
{
  int col = 0, vital = 0;
  for (int i = 0; i < ACTIONS; i++)
    if (is_vital(table[i].action))
      vital += ct_text_columns(table[i].brief) + 1;
  for (int i = 0; i < ACTIONS; i++)
    if (table[i].brief != NULL &&
        col + ct_text_columns(table[i].brief) <= canvas.cols - (is_vital(table[i].action) ? 0 : vital))
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

static void scroll(struct ct_view *view, uint32_t key)
{
  view->scroll = moved(view->scroll, key == CT_PRESS_DOWN ? 1 : key == CT_PRESS_UP ? -1 : 0, (uint32_t)view->scroll_max + 1);
}

static void move(struct ct_view *view, uint32_t key)
{
  if (view->panel == CT_PANEL_TOMO) {
    move_spot(view, key);
    return;
  }
  if (view->panel == CT_PANEL_HEALTH || view->panel == CT_PANEL_MONITORS) {
    scroll(view, key);
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
  enum ct_quantity last = view->lithium.references > 0 ? CT_SHOW_LITHIUM : CT_SHOW_HITS;
  view->quantity = view->quantity >= last ? CT_SHOW_EMF : (enum ct_quantity)(view->quantity + 1);
}

static void next_scale(struct ct_view *view)
{
  if (view->panel == CT_PANEL_MAP)
    view->map_scale = (enum ct_map_scale)((view->map_scale + 1) % CT_SCALES);
  else
    view->log_scale = !view->log_scale;
}

/* For the map that is seen: locks the ends; or lets them go, and then has all pictures from now on share them. */
static void set_range(struct ct_view *view, bool lock)
{
  const struct ct_view_memory *memory = &view->memory;
  struct ct_view_range *range = &view->range[memory->quantity][memory->difference];
  enum ct_range policy = lock ? CT_RANGE_LOCKED : range->policy == CT_RANGE_AUTO ? CT_RANGE_SHARED : CT_RANGE_AUTO;
  *range = (struct ct_view_range){ memory->high > memory->low ? policy : CT_RANGE_AUTO, memory->low, memory->high };
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

/* Tab goes round the panels that are there, Enter shows the chosen one, or the map, in full size. */
static enum ct_key_result zoom(struct ct_view *view, uint32_t key)
{
  if (view->panel != CT_PANEL_OVERVIEW)
    return CT_KEY_UNKNOWN;
  if (key == '\n') {
    view->panel = view->focus != CT_PANEL_OVERVIEW ? view->focus : CT_PANEL_MAP;
    return CT_KEY_DONE;
  }
  int focus = (int)view->focus;
  for (int i = 0; i <= CT_PANEL_MONITORS; i++) {
    focus = focus % CT_PANEL_MONITORS + 1;
    if (view->shown >> focus & 1)
      break;
  }
  view->focus = (enum ct_panel)focus;
  return CT_KEY_DONE;
}

static enum ct_key_result act_on_tomo(struct ct_view *view, uint32_t key)
{
  enum { STEP_DEG = 15 };
  switch (key) {
  case ',': return CT_KEY_AXIS_LEFT;
  case '.': return CT_KEY_AXIS_RIGHT;
  case 'p': ct_view_point_here(view); break;
  case '{': case '}': ct_view_point_move(view, key == '{' ? -1 : 1); break;
  case '<': case '>': ct_view_point_turn(view, key == '<' ? -STEP_DEG : STEP_DEG, 0); break;
  default: ct_view_point_turn(view, 0, key == 't' ? -STEP_DEG : STEP_DEG); break;
  }
  return CT_KEY_DONE;
}

static enum ct_key_result act(struct ct_view *view, enum action action, uint32_t key)
{
  switch (action) {
  case QUIT: return CT_KEY_QUIT;
  case REDRAW: return CT_KEY_REDRAW;
  case STEP: return step(view, key);
  case MARK: return CT_KEY_MARK;
  case TOMO: return view->panel == CT_PANEL_TOMO ? act_on_tomo(view, key) : CT_KEY_UNKNOWN;
  case SAVE: return CT_KEY_SAVE;
  case PIXELS: return CT_KEY_PIXELS;
  case MOUSE: return CT_KEY_MOUSE;
  case MASK: return CT_KEY_MASK;
  case HELP: view->help = true; view->scroll = 0; break;
  case PANEL: view->scroll = 0; view->panel = (enum ct_panel)(CT_PANEL_MAP + (int)(key - '1')); break;
  case SETTINGS: view->settings.back = view->panel; view->panel = CT_PANEL_SETTINGS; break;
  case BACK: view->panel = CT_PANEL_OVERVIEW; break;
  case MOVE: move(view, key); break;
  case FREEZE: view->frozen = !view->frozen; break;
  case COLOURS: view->ramp = (enum ct_ramp)((view->ramp + 1) % CT_RAMP_COUNT); break;
  case QUANTITY: next_quantity(view); break;
  case BINNING: view->bin = view->bin == 0 ? 1 : view->bin == CT_VIEW_ADAPTIVE ? 0 : view->bin * 2; break;
  case SCOPE: next_scope(view); break;
  case LOG: next_scale(view); break;
  case ZOOM: return zoom(view, key);
  case OUTLINES: view->outlines = !view->outlines; break;
  case OVERLAY: view->overlay = !view->overlay; break;
  case RANGE: set_range(view, key == 'A'); break;
  case REFERENCE: view->take_reference = view->take_reference || key == 'D'; view->difference ^= key == 'd'; break;
  }
  return CT_KEY_DONE;
}

enum ct_key_result ct_view_key(struct ct_view *view, uint32_t key)
{
  view->chosen = true;
  if (view->help && view->scroll_max > 0 && (key == CT_PRESS_UP || key == CT_PRESS_DOWN)) {
    scroll(view, key);
    return CT_KEY_DONE;
  }
  if (view->help && key != 'q' && key != CT_PRESS_F10 && key != CT_PRESS_CTRL_L) {
    view->help = false;
    view->scroll = 0;
    return CT_KEY_DONE;
  }
  if (view->panel == CT_PANEL_SETTINGS && key != CT_PRESS_F1)
    return ct_view_settings_key(view, key);
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
