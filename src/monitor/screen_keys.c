/* What keys do that is more than a choice of the view. */
#include "screen_state.h"

#include "viewer_settings.h"

static void take_answer(struct screen *s, uint32_t key)
{
  if (key == 'd')
    screen_leave(s, SCREEN_DETACHED);
  else if (key == 'e')
    screen_leave(s, SCREEN_ENDED);
  else if (key == CT_PRESS_ESCAPE || key == 'q' || key == 'n')
    s->asking = false;
}

static void take_quit(struct screen *s)
{
  if (!s->setup->owner)
    screen_leave(s, SCREEN_LEFT);
  else if (s->setup->archive)
    s->asking = true;
  else
    screen_leave(s, SCREEN_ENDED);
}

static void begin_mark(struct screen *s)
{
  if (s->snapshot == NULL || s->snapshot->core.archive.state == CT_ARCHIVE_OFF) {
    screen_tell(s, "this run has no archive that could keep a marker");
    return;
  }
  s->typing = true;
  s->text[0] = '\0';
}

static void type_mark(struct screen *s, uint32_t key)
{
  if (key == CT_PRESS_ESCAPE) {
    s->typing = false;
  } else if (key == '\r' || key == '\n') {
    s->typing = false;
    screen_tell(s, s->feed->mark(s->feed, s->text) ? "the marker is on its way into the archive" :
                                              "NOT written: there is no collector to take the marker");
  } else {
    ct_view_type(s->text, sizeof s->text, key);
  }
}

static void take_click(struct screen *s)
{
  int row, col;
  ct_ui_click(s->ui, &row, &col);
  if (ct_view_click(s->view, row, col))
    screen_ask(s);
}

static void turn_mouse(struct screen *s)
{
  s->mouse = ct_ui_mouse(s->ui, !s->mouse) && !s->mouse;
  screen_tell(s, s->mouse ? "mouse on: a click puts the cursor on the map" : "mouse off");
}

/* What is listed is masked; where nothing is left to mask, all that is masked is let in. */
static void order_mask(struct screen *s)
{
  const struct ct_snapshot *shown = s->snapshot;
  if (shown == NULL)
    return;
  const struct ct_snapshot_health *health = &shown->core.health;
  s->feed->mask(s->feed, health->hot_unmasked + health->dead_unmasked > 0);
  screen_ask(s);
}

static void change_setting(struct screen *s, bool to_default)
{
  viewer_settings_change(s->view, s->ui, s->setup->settings, s->feed, to_default);
  screen_suit_link(s);
  uv_timer_again(&s->refresh);   /* at the rate that may be new */
  screen_ask(s);
}

void screen_take_key(struct screen *s, uint32_t key)
{
  if (s->pixels) {
    screen_end_pixels(s);
    return;
  }
  if (s->asking) {
    take_answer(s, key);
    return;
  }
  if (s->typing) {
    type_mark(s, key);
    return;
  }
  if (key == CT_PRESS_CLICK) {
    take_click(s);
    return;
  }
  switch (ct_view_key(s->view, key)) {
  case CT_KEY_QUIT:
    take_quit(s);
    break;
  case CT_KEY_REDRAW:
    s->full = true;
    break;
  case CT_KEY_DONE:
    if (!s->view->frozen)
      screen_go_to(s, s->past.added - 1);
    screen_ask(s);   /* another view may need other sections */
    break;
  case CT_KEY_OLDER:
    screen_go_to(s, s->shown_number > 0 ? s->shown_number - 1 : 0);
    break;
  case CT_KEY_NEWER:
    screen_go_to(s, s->shown_number + 1);
    break;
  case CT_KEY_MOUSE:
    turn_mouse(s);
    break;
  case CT_KEY_AXIS_LEFT:
    s->feed->nudge(s->feed, -CT_VIEW_NUDGE_PX);
    break;
  case CT_KEY_AXIS_RIGHT:
    s->feed->nudge(s->feed, CT_VIEW_NUDGE_PX);
    break;
  case CT_KEY_MARK:
    begin_mark(s);
    break;
  case CT_KEY_SAVE:
    screen_begin_errand(s, SAVING);
    break;
  case CT_KEY_PIXELS:
    screen_begin_errand(s, PIXELS);
    break;
  case CT_KEY_MASK:
    order_mask(s);
    break;
  case CT_KEY_CHANGE:
    change_setting(s, false);
    break;
  case CT_KEY_DEFAULT:
    change_setting(s, true);
    break;
  case CT_KEY_KEEP:
    viewer_settings_keep(s->setup->settings, s->feed);
    screen_ask(s);
    break;
  case CT_KEY_UNKNOWN:
    break;
  }
}
