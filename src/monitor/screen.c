/* Keys first, then pictures: a frame is drawn when a snapshot or a key comes, and skipped while the terminal is behind. */
#include "screen_state.h"

#include <math.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "setup.h"
#include "viewer_settings.h"
#include "xray.h"

enum { SAID_MS = 3000 };
static const double slowest_s = 4;
static const size_t past_bytes = (size_t)128 << 20;

void screen_leave(struct screen *s, enum screen_end end)
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

void screen_tell(struct screen *s, const char *text)
{
  snprintf(s->said, sizeof s->said, "%s", text);
  s->said_until_ms = uv_now(s->loop) + SAID_MS;
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
      screen_leave(s, SCREEN_LOST);
    else
      watch_terminal(s);
    return;
  }
  tell_age(s);
  ct_view_render(s->view, s->snapshot, &s->grid);
  say(s);
  int shown = ct_ui_show(s->ui, &s->grid, s->full);
  if (shown < 0) {
    screen_leave(s, SCREEN_LOST);
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
void screen_ask(struct screen *s)
{
  struct ct_request requests[CT_VIEW_REQUESTS + SAVE_REQUESTS];
  size_t all = screen_errand_requests(s, requests), n = all;
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

void screen_go_to(struct screen *s, uint64_t number)
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
    screen_do_errand(s, snapshot);
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
void screen_suit_link(struct screen *s)
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
  screen_suit_link(s);
  if (s->setup->alive && !s->setup->alive(s->setup->arg)) {
    screen_leave(s, SCREEN_LEFT);
    return;
  }
  if (!s->shown || s->pixels)
    draw(s);
  screen_ask(s);
}

/* ---- the terminal ----------------------------------------------------------------------------------------------- */
static void on_terminal(uv_poll_t *poll, int status, int events)
{
  struct screen *s = poll->data;
  uint32_t key;
  int got = status < 0 ? CT_EIO : 0;
  bool pressed = false;
  while (got >= 0 && (got = ct_ui_key(s->ui, &key)) > 0) {
    screen_take_key(s, key);
    pressed = true;
  }
  if (got < 0 || (events & UV_WRITABLE && ct_ui_flush(s->ui) < 0)) {
    uv_poll_stop(&s->poll);
    screen_leave(s, SCREEN_LOST);
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
    screen_end_pixels(s);
    ct_ui_resize(s->ui);
    s->full = true;
    if (fit(s) == 0)
      draw(s);
    screen_ask(s);
    return;
  case SIGTSTP:
    screen_end_pixels(s);
    ct_ui_suspend(s->ui);
    raise(SIGSTOP);
    resume(s);
    return;
  case SIGCONT:
    resume(s);
    return;
  case SIGHUP:
    screen_leave(s, SCREEN_LOST);
    return;
  default:
    screen_leave(s, s->setup->owner ? SCREEN_ENDED : SCREEN_LEFT);
    return;
  }
}

/* ---- the whole ------------------------------------------------------------------------------------------------------ */
static void open_handles(struct screen *s)
{
  static const int numbers[SCREEN_SIGNALS] = { SIGINT, SIGTERM, SIGHUP, SIGWINCH, SIGTSTP, SIGCONT, SIGQUIT };
  uv_poll_init(s->loop, &s->poll, ct_ui_fd(s->ui));
  uv_timer_init(s->loop, &s->refresh);
  s->poll.data = s->refresh.data = s;
  for (int i = 0; i < SCREEN_SIGNALS; i++) {
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
  for (int i = 0; i < SCREEN_SIGNALS; i++)
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
  screen_ask(s);
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
