/* settings_view: every setting with its value and where that came from; a search, and a line to change one. */
#include "view/panels.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "view/words.h"

struct ct_request ct_view_settings_request(void) { return (struct ct_request){ .kind = CT_SECTION_SETTINGS }; }

void ct_view_settings_take(struct ct_view *view, const struct ct_snapshot *snapshot)
{
  struct ct_request request = ct_view_settings_request();
  struct ct_settings_view found;
  if (!ct_snapshot_settings(snapshot, &request, &found) || found.head->bytes > sizeof view->settings.run)
    return;
  memcpy(view->settings.run, found.packed, found.head->bytes);
  view->settings.run_bytes = found.head->bytes;
}

void ct_view_settings_own(struct ct_view *view, const struct ct_settings *settings)
{
  view->settings.own_bytes = ct_settings_pack(settings, "screen", view->settings.own, sizeof view->settings.own);
}

/* ---- the list ------------------------------------------------------------------------------------------------ */
struct item {
  struct ct_packed_setting setting;
  const struct ct_option *row;
};
/* First what may change: the run's, the viewer's own; then the rest of both. */
enum { PASSES = 4 };
struct steps {
  const struct ct_view_settings *settings;
  int pass;
  size_t at;
};

static bool contains(const char *text, const char *word, size_t len)
{
  for (; *text != '\0'; text++)
    if (strncasecmp(text, word, len) == 0)
      return true;
  return false;
}

/* Every word of the filter is in its path or its help. */
static bool matches(const struct item *item, const char *filter)
{
  while (*(filter += strspn(filter, " ")) != '\0') {
    size_t len = strcspn(filter, " ");
    if (!contains(item->setting.path, filter, len) && !contains(item->row->help, filter, len))
      return false;
    filter += len;
  }
  return true;
}

static bool may_change(const struct item *item) { return (item->row->marks & CT_OPTION_LIVE) != 0; }
static bool is_changed(const struct item *item) { return strncmp(item->setting.origin, "changed", 7) == 0; }

static bool next(struct steps *steps, struct item *item)
{
  const struct ct_view_settings *s = steps->settings;
  for (; steps->pass < PASSES; steps->pass++, steps->at = 0) {
    bool own = steps->pass % 2 == 1, live = steps->pass < 2;
    while (ct_settings_unpack(own ? s->own : s->run, own ? s->own_bytes : s->run_bytes, &steps->at, &item->setting)) {
      bool of_screen = strncmp(item->setting.path, "screen.", 7) == 0;
      item->row = ct_option_at(&ct_comptop_options, item->setting.path);
      if (item->row != NULL && of_screen == own && may_change(item) == live && matches(item, s->filter))
        return true;
    }
  }
  return false;
}

static bool find(const struct ct_view_settings *settings, int index, struct item *item)
{
  struct steps steps = { settings, 0, 0 };
  while (next(&steps, item))
    if (index-- == 0)
      return true;
  return false;
}

static int count(const struct ct_view_settings *settings, int *changeable)
{
  struct steps steps = { settings, 0, 0 };
  struct item item;
  int n = 0;
  *changeable = 0;
  for (; next(&steps, &item); n++)
    *changeable += may_change(&item);
  return n;
}

/* ---- drawing --------------------------------------------------------------------------------------------------- */
enum { NARROW_COLS = 60, WIDE_COLS = 110, DETAIL_ROWS = 4, LIST_LEAST = 2 };

/* Columns of path, value and origin. */
static void split_columns(int cols, int *value, int *origin, int *help)
{
  *value = cols < NARROW_COLS ? cols * 11 / 20 : 29;
  *origin = cols < NARROW_COLS ? cols : *value + 24;
  *help = cols < WIDE_COLS ? cols : *origin + 24;
}

static void draw_item(struct ct_canvas canvas, int row, const struct item *item, bool selected)
{
  int value, origin, help;
  unsigned attributes = selected ? CT_ATTR_REVERSE : is_changed(item) ? CT_ATTR_BOLD : may_change(item) ? 0 : CT_ATTR_DIM;
  const char *text = item->setting.text, *path = item->setting.path;
  split_columns(canvas.cols, &value, &origin, &help);
  if (selected)
    ct_canvas_text(canvas, row, 0, attributes, "%*s", canvas.cols, "");
  ct_canvas_text(ct_canvas_part(canvas, row, 0, 1, value - 1), 0, 0, attributes, "%c%s",
                 selected ? '>' : is_changed(item) ? '*' : ' ', ct_text_columns(path) > value - 2 ? strrchr(path, '.') + 1 : path);
  ct_canvas_text(ct_canvas_part(canvas, row, 0, 1, origin - 1), 0, value, attributes, "%s", *text ? text : "-");
  if (origin < canvas.cols)
    ct_canvas_text(ct_canvas_part(canvas, row, 0, 1, help - 1), 0, origin, attributes, "%s",
                   may_change(item) ? item->setting.origin : "next run only");
  if (help < canvas.cols)
    ct_canvas_text(canvas, row, help, attributes, "%s", item->row->help);
}

static void draw_list(const struct ct_view_settings *s, struct ct_canvas canvas, int n)
{
  struct steps steps = { s, 0, 0 };
  struct item item;
  /* The selected one stays in the middle, but for the ends. */
  int top = s->selected - canvas.rows / 2;
  top = top > n - canvas.rows ? n - canvas.rows : top;
  top = top < 0 ? 0 : top;
  for (int i = 0; i < top + canvas.rows && next(&steps, &item); i++)
    if (i >= top)
      draw_item(canvas, i - top, &item, i == s->selected);
}

static void draw_detail(const struct ct_view_settings *s, const struct item *item, struct ct_canvas canvas)
{
  char text[600], range[200];
  const char *standard = item->row->value;
  ct_option_range(item->row, range, sizeof range);
  snprintf(text, sizeof text, "%s. %s%sDefault %s.%s", item->row->help, range, *range ? ". " : "",
           standard != NULL && *standard ? standard : "nothing",
           may_change(item) ? "" : " Changes with the next run: set it in the configuration file.");
  if (isalpha((unsigned char)text[1]))     /* a word, and no form such as x0:x1 */
    text[0] = (char)toupper((unsigned char)text[0]);
  int row = s->answer[0] != '\0' ? ct_canvas_paragraph(canvas, 0, 0, 0, s->refused ? CT_ATTR_REVERSE : CT_ATTR_BOLD, s->answer) : 0;
  ct_canvas_paragraph(ct_canvas_part(canvas, 0, 0, canvas.rows - 1, canvas.cols), row, 0, 0, 0, text);
}

/* The line that is typed: its end, where it is longer than the row. */
static void draw_typing(const struct ct_view_settings *s, struct ct_canvas canvas)
{
  int room = canvas.cols - 2, col = 0;
  if (room > ct_text_columns(s->path) + 12)
    col = ct_canvas_text(canvas, 0, 0, CT_ATTR_BOLD, "%s = ", s->path);
  const char *text = s->text;
  while (ct_text_columns(text) > room - col && *text != '\0')
    for (text++; ((unsigned char)*text & 0xc0) == 0x80; text++)
      ;
  col = ct_canvas_text(canvas, 0, col, CT_ATTR_REVERSE, "%s ", text);
  static const char hint[] = "Enter sets it, Esc does not";
  if (col + 2 + (int)sizeof hint <= canvas.cols)
    ct_canvas_coloured(canvas, 0, col + 2, CT_GREY, CT_ATTR_DIM, "%s", hint);
}

static void draw_keys(const struct ct_view_settings *s, struct ct_canvas canvas)
{
  const char *keys = canvas.cols < 76 ? "Enter edit  D default  W save  Esc back"
                                      : "up down   left right: choose   Enter: edit   D: default   W: save   Esc: back";
  if (s->typing)
    draw_typing(s, canvas);
  else
    ct_canvas_coloured(canvas, 0, 0, CT_GREY, CT_ATTR_DIM, "%s", keys);
}

/* What a key will be about. */
static void learn(struct ct_view_settings *s, int n, struct item *item)
{
  s->selected = s->selected >= n ? n - 1 : s->selected < 0 ? 0 : s->selected;
  s->selected = s->selected < 0 ? 0 : s->selected;
  if (s->typing)
    return;                        /* the list may change meanwhile, the line is about what it was begun for */
  snprintf(s->path, sizeof s->path, "%s", n > 0 && find(s, s->selected, item) ? item->setting.path : "");
}

void ct_panel_settings(struct ct_view *view, struct ct_canvas canvas)
{
  struct ct_view_settings *s = &view->settings;
  struct item item = { { "", "", "" }, NULL };
  int changeable, n = count(s, &changeable), detail = canvas.rows >= 1 + LIST_LEAST + DETAIL_ROWS ? DETAIL_ROWS : 1;
  learn(s, n, &item);
  const char *waiting = s->run_bytes == 0 ? "  waiting for the run's" : "";
  struct ct_canvas list = *s->filter != '\0'
    ? ct_canvas_caption(canvas, "Set-up  %d with \"%s\"%s", n, s->filter, waiting)
    : ct_canvas_caption(canvas, "Set-up  %d of %d can change now%s  type to search", changeable, n, waiting);
  list.rows -= detail;
  if (list.rows > 0)
    draw_list(s, list, n);
  s->page = list.rows > 1 ? list.rows - 1 : 1;
  if (detail > 1 && find(s, s->selected, &item))
    draw_detail(s, &item, ct_canvas_part(canvas, canvas.rows - detail, 0, detail - 1, canvas.cols));
  draw_keys(s, ct_canvas_part(canvas, canvas.rows - 1, 0, 1, canvas.cols));
}

/* ---- keys -------------------------------------------------------------------------------------------------------- */
bool ct_view_type(char *text, size_t size, uint32_t key)
{
  size_t length = strlen(text);
  if (key == '\b' || key == 0x7f) {
    while (length > 0 && ((unsigned char)text[length - 1] & 0xc0) == 0x80)
      length--;                    /* a character of several bytes */
    text[length > 0 ? length - 1 : 0] = '\0';
    return true;
  }
  if (key == CT_PRESS_CTRL_U) {
    text[0] = '\0';
    return true;
  }
  if (key < 0x20 || key >= CT_PRESS_UP || length + 4 >= size)
    return false;
  length += ct_view_utf8(key, text + length);
  text[length] = '\0';
  return true;
}

static enum ct_key_result refuse(struct ct_view_settings *s, const char *what)
{
  snprintf(s->answer, sizeof s->answer, "%s: %s", s->path, what);
  s->refused = true;
  return CT_KEY_DONE;
}

static enum ct_key_result turn(struct ct_view_settings *s, const struct item *item, int by)
{
  if (!may_change(item))
    return refuse(s, "changes with the next run; set it in the configuration file");
  if (ct_option_turn(item->row, item->setting.text, by, s->text, sizeof s->text) == NULL)
    return refuse(s, "has no words to choose from; Enter edits it");
  return CT_KEY_CHANGE;
}

static enum ct_key_result edit(struct ct_view_settings *s, const struct item *item)
{
  if (!may_change(item))
    return refuse(s, "changes with the next run; set it in the configuration file");
  if (strlen(item->setting.text) >= sizeof s->text)
    return refuse(s, "is too long to be edited here");
  snprintf(s->text, sizeof s->text, "%s", item->setting.text);
  s->typing = true;
  return CT_KEY_DONE;
}

static enum ct_key_result type_value(struct ct_view_settings *s, uint32_t key)
{
  if (key == CT_PRESS_ESCAPE)
    s->typing = false;
  else if (key == '\n' || key == '\r') {
    s->typing = false;
    return CT_KEY_CHANGE;
  } else if (!ct_view_type(s->text, sizeof s->text, key))
    return CT_KEY_UNKNOWN;
  return CT_KEY_DONE;
}

static enum ct_key_result act_on(struct ct_view_settings *s, uint32_t key)
{
  struct item item;
  if (!find(s, s->selected, &item))
    return CT_KEY_DONE;
  switch (key) {
  case CT_PRESS_LEFT: return turn(s, &item, -1);
  case CT_PRESS_RIGHT: return turn(s, &item, 1);
  case 'D': return may_change(&item) ? CT_KEY_DEFAULT : turn(s, &item, 1);
  default: return edit(s, &item);
  }
}

static enum ct_key_result leave(struct ct_view *view)
{
  struct ct_view_settings *s = &view->settings;
  if (*s->filter != '\0')
    s->filter[0] = '\0';
  else
    view->panel = s->back;
  s->selected = 0;
  return CT_KEY_DONE;
}

enum ct_key_result ct_view_settings_key(struct ct_view *view, uint32_t key)
{
  struct ct_view_settings *s = &view->settings;
  s->answer[0] = '\0';
  s->refused = false;
  if (s->typing)
    return type_value(s, key);
  switch (key) {
  case CT_PRESS_UP: s->selected--; return CT_KEY_DONE;
  case CT_PRESS_DOWN: s->selected++; return CT_KEY_DONE;
  case CT_PRESS_PAGE_UP: s->selected -= s->page; return CT_KEY_DONE;
  case CT_PRESS_PAGE_DOWN: s->selected += s->page; return CT_KEY_DONE;
  case CT_PRESS_LEFT: case CT_PRESS_RIGHT: case '\n': case '\r': case 'D': return act_on(s, key);
  case 'W': return CT_KEY_KEEP;
  case CT_PRESS_ESCAPE: return leave(view);
  case CT_PRESS_CTRL_L: return CT_KEY_REDRAW;
  case CT_PRESS_F10: return CT_KEY_QUIT;
  case 'q': if (*s->filter == '\0') return CT_KEY_QUIT; break;
  default: break;
  }
  if (!ct_view_type(s->filter, sizeof s->filter, key))
    return CT_KEY_UNKNOWN;
  s->selected = 0;
  return CT_KEY_DONE;
}
