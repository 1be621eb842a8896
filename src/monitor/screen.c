/* Keys first, then pictures: a frame is drawn when a snapshot or a key comes, and skipped while the terminal is behind. */
#include "screen.h"

#include <math.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <comptop/ui.h>
#include <comptop/view.h>

#include "bell.h"
#include "paint.h"
#include "past.h"
#include "save.h"
#include "serve.h"
#include "setup.h"
#include "viewer_settings.h"
#include "xray.h"

enum { N_SIGNALS = 7, SAID_MS = 3000, SAVED_MS = 8000, ERRAND_PICTURES = 4 };
static const double slowest_s = 4;
static const size_t past_bytes = (size_t)128 << 20;

struct screen {
  uv_loop_t *loop;
  struct feed *feed;
  const struct screen_setup *setup;
  struct ct_ui *ui;
  struct ct_view *view;
  struct ct_grid grid;
  struct ct_snapshot *snapshot;      /* a copy of what is shown; stands still while frozen */
  size_t snapshot_bytes;
  struct past past;
  struct bell bell;
  uint64_t shown_number;             /* its place there */
  int64_t newest_ns;                 /* the time of the last picture, which may be that of a run long ago */
  bool silent;                       /* the collector does not answer */
  bool asking;                       /* q was pressed by the owner: detach, end, or stay */
  bool mouse;                        /* clicks are taken */
  bool typing;                       /* a marker's text */
  char text[SERVE_TEXT + 1];
  enum { NO_ERRAND, SAVING, PIXELS } errand;   /* what the next picture with all its sections is for */
  int errand_pictures;               /* within so many */
  bool pixels;                       /* shown instead of frames */
  char said[512];                    /* an answer to a key, shown until said_until_ms */
  uint64_t said_until_ms;
  bool full, shown;                  /* the next frame repaints; the last one reached the terminal */
  uv_poll_t poll;
  bool polling;
  uv_timer_t refresh;
  uv_signal_t signals[N_SIGNALS];
  enum screen_end end;
};

static void leave(struct screen *s, enum screen_end end)
{
  s->end = end;
  uv_stop(s->loop);
}

/* ---- drawing ------------------------------------------------------------------------------------------------ */
static void on_terminal(uv_poll_t *poll, int status, int events);

static void watch_terminal(struct screen *s)
{
  uv_poll_start(&s->poll, UV_READABLE | (ct_ui_pending(s->ui) ? UV_WRITABLE : 0), on_terminal);
  s->polling = true;
}

/* Which picture a frozen one is, and that there are no new ones. */
static void tell_age(struct screen *s)
{
  struct ct_view *view = s->view;
  view->silent = s->silent;
  if (!(view->frozen || s->silent) || s->snapshot == NULL)
    return;
  view->behind_s = (double)((s->silent ? ct_time_wall_ns() : s->newest_ns) - s->snapshot->core.wall_ns) / 1e9;
  view->kept = (uint32_t)(s->past.added - s->past.oldest);
  view->back = (uint32_t)(s->past.added - 1 - s->shown_number);
}

/* A question, an answer to a key, or that nobody answers. */
static void say(struct screen *s)
{
  char line[SERVE_TEXT + 16];
  if (s->asking) {
    ct_view_say(s->view, &s->grid, s->grid.cols < 75 ? "d detach  e end  Esc stay" :
                "d detach: the run goes on, look with --attach   e end the run   Esc stay", NULL);
  } else if (s->typing) {
    snprintf(line, sizeof line, "marker: %s_", s->text);
    ct_view_say(s->view, &s->grid, line, "Enter writes it into the archive, Esc does not");
  } else if (uv_now(s->loop) < s->said_until_ms) {
    ct_view_say(s->view, &s->grid, s->said, NULL);
  } else if (s->silent && !(s->view->panel == CT_PANEL_SETTINGS && s->view->settings.typing)) {
    ct_view_say(s->view, &s->grid, "NO ANSWER from the collector: this is an old picture. Trying again.", NULL);
  }
}

static void draw(struct screen *s)
{
  if (s->pixels) {
    if (ct_ui_picture_more(s->ui) < 0)
      leave(s, SCREEN_LOST);
    else
      watch_terminal(s);
    return;
  }
  tell_age(s);
  ct_view_render(s->view, s->snapshot, &s->grid);
  say(s);
  int shown = ct_ui_show(s->ui, &s->grid, s->full);
  if (shown < 0) {
    leave(s, SCREEN_LOST);
    return;
  }
  s->shown = shown > 0;
  if (s->shown)
    s->full = false;
  watch_terminal(s);
}

static int fit(struct screen *s)
{
  int rows, cols;
  ct_ui_size(s->ui, &rows, &cols);
  struct ct_glyph *glyphs = realloc(s->grid.glyphs, (size_t)rows * (size_t)cols * sizeof *glyphs);
  if (glyphs == NULL)
    return CT_ENOMEM;
  s->grid = (struct ct_grid){ .rows = rows, .cols = cols, .glyphs = glyphs };
  return 0;
}

/* ---- snapshots ------------------------------------------------------------------------------------------------ */
/* The sections that what is done with the next picture needs. */
static size_t errand_requests(const struct screen *s, struct ct_request requests[SAVE_REQUESTS])
{
  switch (s->errand) {
  case SAVING: return save_requests(s->view, s->grid.rows, s->grid.cols, requests);
  case PIXELS: return ct_view_requests(s->view, ct_ui_picture_rows(s->ui), s->grid.cols, requests, CT_VIEW_REQUESTS);
  case NO_ERRAND: break;
  }
  return 0;
}

static void ask(struct screen *s)
{
  struct ct_request requests[CT_VIEW_REQUESTS + SAVE_REQUESTS];
  size_t all = errand_requests(s, requests), n = all;
  struct ct_request shown[CT_VIEW_REQUESTS];
  size_t seen = ct_view_requests(s->view, s->grid.rows, s->grid.cols, shown, CT_VIEW_REQUESTS);
  for (size_t i = 0; i < seen; i++) {
    size_t k = 0;
    while (k < all && !ct_request_equal(&shown[i], &requests[k]))
      k++;
    if (k == all)
      requests[n++] = shown[i];
  }
  s->feed->ask(s->feed, requests, n);
}

static void keep(struct screen *s, const struct ct_snapshot *snapshot)
{
  if (s->snapshot_bytes < snapshot->size_bytes) {
    free(s->snapshot);
    s->snapshot_bytes = (size_t)snapshot->size_bytes * 2;
    s->snapshot = ct_xcalloc(1, s->snapshot_bytes);
  }
  memcpy(s->snapshot, snapshot, (size_t)snapshot->size_bytes);
}

static void save_picture(struct screen *s, const struct ct_snapshot *snapshot)
{
  const struct save save = { .view = s->view, .snapshot = snapshot, .rows = s->grid.rows, .cols = s->grid.cols,
                             .folder = ct_settings_text(s->setup->settings, "screen.folder") };
  save_view(&save, s->said, sizeof s->said);
  s->said_until_ms = uv_now(s->loop) + SAVED_MS;
}

static void show_pixels(struct screen *s, const struct ct_snapshot *snapshot)
{
  struct ct_pixels pixels;
  int rows = ct_ui_picture_rows(s->ui);
  ct_ui_cell(s->ui, &pixels.cell_width, &pixels.cell_height);
  if (rows < 1)
    return;
  paint_view(s->view, snapshot, rows, s->grid.cols, &pixels);
  ct_ui_picture_begin(s->ui, &pixels);
  free(pixels.colour);
  s->pixels = true;
}

static void end_pixels(struct screen *s)
{
  ct_ui_picture_end(s->ui);
  s->pixels = false;
}

/* A picture with all sections does not come where there is nothing yet to make one of. */
static void do_errand(struct screen *s, const struct ct_snapshot *snapshot)
{
  struct ct_request requests[SAVE_REQUESTS];
  size_t n = errand_requests(s, requests), found = 0;
  while (found < n && ct_snapshot_find(snapshot, &requests[found], 0, NULL) != NULL)
    found++;
  if (--s->errand_pictures > 0 && found < n)
    return;
  if (s->errand == SAVING)
    save_picture(s, snapshot);
  else if (s->errand == PIXELS)
    show_pixels(s, snapshot);
  s->errand = NO_ERRAND;
}

/* Shows the kept picture <number>, or the one nearest to it that is still there. */
static void go_to(struct screen *s, uint64_t number)
{
  if (s->past.added == 0)
    return;
  number = number < s->past.oldest ? s->past.oldest : number >= s->past.added ? s->past.added - 1 : number;
  if (past_get(&s->past, number, &s->snapshot, &s->snapshot_bytes))
    s->shown_number = number;
}

static void take(void *arg, struct ct_snapshot *snapshot)
{
  struct screen *s = arg;
  s->silent = snapshot == NULL;
  if (snapshot && s->errand != NO_ERRAND)
    do_errand(s, snapshot);
  if (snapshot) {
    ct_view_settings_take(s->view, snapshot);
    if (bell_rings(&s->bell, &snapshot->core) && ct_settings_bool(s->setup->settings, "screen.bell"))
      ct_ui_bell(s->ui);
    past_add(&s->past, snapshot);
    s->newest_ns = snapshot->core.wall_ns;
    if (!s->view->frozen) {
      keep(s, snapshot);
      s->shown_number = s->past.added - 1;
    }
  }
  draw(s);
}

static void told(void *arg, bool kept, int code, const char *text)
{
  struct screen *s = arg;
  viewer_settings_told(s->view, s->setup->settings, kept, code, text);
  draw(s);
}

/* Answers that come after the end. */
static void ignore(void *arg, struct ct_snapshot *snapshot)
{
  (void)arg;
  (void)snapshot;
}

/* A link that needs longer for a frame than the time to the next is given fewer, down to one in some seconds; keys stay
 * as quick as it lets them. */
static void suit_link(struct screen *s)
{
  struct ct_ui_stats stats;
  struct ct_view_link *link = &s->view->link;
  ct_ui_stats(s->ui, &stats);
  double asked_s = 1 / ct_settings_real(s->setup->settings, "screen.refresh_hz"), period_s = 1 / link->refresh_hz;
  if (stats.lag_s > period_s && period_s < slowest_s)
    period_s = fmin(2 * period_s, slowest_s);
  else if (stats.lag_s < period_s / 4 && period_s > asked_s)
    period_s = fmax(period_s / 2, asked_s);
  uv_timer_set_repeat(&s->refresh, (uint64_t)(1000 * period_s));
  *link = (struct ct_view_link){ .refresh_hz = 1 / period_s, .lag_s = stats.lag_s, .shown = stats.shown,
                                 .skipped = stats.skipped, .bytes = stats.bytes, .slowed = period_s > 1.01 * asked_s };
}

static void on_refresh(uv_timer_t *timer)
{
  struct screen *s = timer->data;
  suit_link(s);
  if (s->setup->alive && !s->setup->alive(s->setup->arg)) {
    leave(s, SCREEN_LEFT);
    return;
  }
  if (!s->shown || s->pixels)
    draw(s);
  ask(s);
}

/* ---- keys ------------------------------------------------------------------------------------------------------- */
static void take_answer(struct screen *s, uint32_t key)
{
  if (key == 'd')
    leave(s, SCREEN_DETACHED);
  else if (key == 'e')
    leave(s, SCREEN_ENDED);
  else if (key == CT_PRESS_ESCAPE || key == 'q' || key == 'n')
    s->asking = false;
}

static void take_quit(struct screen *s)
{
  if (!s->setup->owner)
    leave(s, SCREEN_LEFT);
  else if (s->setup->archive)
    s->asking = true;
  else
    leave(s, SCREEN_ENDED);
}

static void tell(struct screen *s, const char *text)
{
  snprintf(s->said, sizeof s->said, "%s", text);
  s->said_until_ms = uv_now(s->loop) + SAID_MS;
}

static void begin_errand(struct screen *s, int errand)
{
  const char *refused = s->snapshot == NULL ? "there is no picture yet" : errand == PIXELS ? ct_ui_picture_refused(s->ui) : NULL;
  if (refused != NULL) {
    tell(s, refused);
    return;
  }
  s->errand = errand;
  s->errand_pictures = s->view->frozen ? 1 : ERRAND_PICTURES;
  if (s->view->frozen)
    do_errand(s, s->snapshot);
  else
    ask(s);
}

static void begin_mark(struct screen *s)
{
  if (s->snapshot == NULL || s->snapshot->core.archive.state == CT_ARCHIVE_OFF) {
    tell(s, "this run has no archive that could keep a marker");
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
    tell(s, s->feed->mark(s->feed, s->text) ? "the marker is on its way into the archive" :
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
    ask(s);
}

static void turn_mouse(struct screen *s)
{
  s->mouse = ct_ui_mouse(s->ui, !s->mouse) && !s->mouse;
  tell(s, s->mouse ? "mouse on: a click puts the cursor on the map" : "mouse off");
}

/* What is listed is masked; where nothing is left to mask, all that is masked is let in. */
static void order_mask(struct screen *s)
{
  const struct ct_snapshot *shown = s->snapshot;
  if (shown == NULL)
    return;
  const struct ct_snapshot_health *health = &shown->core.health;
  s->feed->mask(s->feed, health->hot_unmasked + health->dead_unmasked > 0);
  ask(s);
}

static void change_setting(struct screen *s, bool to_default)
{
  viewer_settings_change(s->view, s->ui, s->setup->settings, s->feed, to_default);
  suit_link(s);
  uv_timer_again(&s->refresh);   /* at the rate that may be new */
  ask(s);
}

static void take_key(struct screen *s, uint32_t key)
{
  if (s->pixels) {
    end_pixels(s);
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
      go_to(s, s->past.added - 1);
    ask(s);   /* another view may need other sections */
    break;
  case CT_KEY_OLDER:
    go_to(s, s->shown_number > 0 ? s->shown_number - 1 : 0);
    break;
  case CT_KEY_NEWER:
    go_to(s, s->shown_number + 1);
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
    begin_errand(s, SAVING);
    break;
  case CT_KEY_PIXELS:
    begin_errand(s, PIXELS);
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
    ask(s);
    break;
  case CT_KEY_UNKNOWN:
    break;
  }
}

static void on_terminal(uv_poll_t *poll, int status, int events)
{
  struct screen *s = poll->data;
  uint32_t key;
  int got = status < 0 ? CT_EIO : 0;
  bool pressed = false;
  while (got >= 0 && (got = ct_ui_key(s->ui, &key)) > 0) {
    take_key(s, key);
    pressed = true;
  }
  if (got < 0 || (events & UV_WRITABLE && ct_ui_flush(s->ui) < 0)) {
    uv_poll_stop(&s->poll);
    leave(s, SCREEN_LOST);
    return;
  }
  if (pressed || !s->shown || s->pixels)
    draw(s);
  else
    watch_terminal(s);
}

/* ---- signals ------------------------------------------------------------------------------------------------------ */
static void resume(struct screen *s)
{
  if (ct_ui_resume(s->ui) != 0) {
    uv_poll_stop(&s->poll);   /* in the background: the terminal is somebody else's */
    return;
  }
  s->full = true;
  if (fit(s) == 0)
    draw(s);
}

static void on_signal(uv_signal_t *handle, int number)
{
  struct screen *s = handle->data;
  switch (number) {
  case SIGWINCH:
    end_pixels(s);
    ct_ui_resize(s->ui);
    s->full = true;
    if (fit(s) == 0)
      draw(s);
    ask(s);
    return;
  case SIGTSTP:
    end_pixels(s);
    ct_ui_suspend(s->ui);
    raise(SIGSTOP);
    resume(s);
    return;
  case SIGCONT:
    resume(s);
    return;
  case SIGHUP:
    leave(s, SCREEN_LOST);
    return;
  default:
    leave(s, s->setup->owner ? SCREEN_ENDED : SCREEN_LEFT);
    return;
  }
}

/* ---- the whole ------------------------------------------------------------------------------------------------------ */
static void open_handles(struct screen *s)
{
  static const int numbers[N_SIGNALS] = { SIGINT, SIGTERM, SIGHUP, SIGWINCH, SIGTSTP, SIGCONT, SIGQUIT };
  uv_poll_init(s->loop, &s->poll, ct_ui_fd(s->ui));
  uv_timer_init(s->loop, &s->refresh);
  s->poll.data = s->refresh.data = s;
  for (int i = 0; i < N_SIGNALS; i++) {
    uv_signal_init(s->loop, &s->signals[i]);
    s->signals[i].data = s;
    uv_signal_start(&s->signals[i], on_signal, numbers[i]);
  }
  uint64_t period_ms = (uint64_t)(1000 / ct_settings_real(s->setup->settings, "screen.refresh_hz"));
  uv_timer_start(&s->refresh, on_refresh, period_ms, period_ms);
}

static void close_handles(struct screen *s)
{
  uv_close((uv_handle_t *)&s->poll, NULL);
  uv_close((uv_handle_t *)&s->refresh, NULL);
  for (int i = 0; i < N_SIGNALS; i++)
    uv_close((uv_handle_t *)&s->signals[i], NULL);
  uv_run(s->loop, UV_RUN_NOWAIT);
}

int screen_run(uv_loop_t *loop, struct feed *feed, const struct screen_setup *setup, enum screen_end *end,
               struct ct_err *err)
{
  struct screen *s = ct_xcalloc(1, sizeof *s);
  s->loop = loop;
  s->feed = feed;
  s->setup = setup;
  s->view = ct_xcalloc(1, sizeof *s->view);
  past_init(&s->past, past_bytes);
  int code = ct_ui_open(&s->ui, STDOUT_FILENO, &(struct ct_ui_options){ .colour = CT_UI_COLOUR_AUTO }, err);
  if (code != 0)
    goto out;
  ct_view_init(s->view, ct_ui_utf8(s->ui), ct_ui_colours(s->ui), ct_settings_real(setup->settings, "screen.target_sigma"));
  const char *const elements[] = { ct_settings_text(setup->settings, "beam.k_edges"), ct_settings_text(setup->settings, "hexitec.sensor") };
  xray_mark(s->view, elements, 2);
  s->view->point = ct_setup_point(setup->settings);
  viewer_settings_apply(s->view, s->ui, setup->settings, NULL);
  code = fit(s);
  if (code != 0)
    goto out;
  feed->take = take;
  feed->told = told;
  feed->arg = s;
  open_handles(s);
  draw(s);
  ask(s);
  uv_run(loop, UV_RUN_DEFAULT);
  *end = s->end;
  feed->take = ignore;
  feed->told = NULL;
  close_handles(s);
out:
  ct_ui_close(s->ui);
  free(s->grid.glyphs);
  past_fini(&s->past);
  free(s->snapshot);
  free(s->view);
  free(s);
  return code;
}
