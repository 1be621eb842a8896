#include "viewer.h"

#include <locale.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

static volatile sig_atomic_t interrupted, resized, stopping;

static void note(int number)
{
  if (number == SIGINT)
    interrupted = 1;
  else if (number == SIGWINCH)
    resized = 1;
  else
    stopping = 1;
}

struct viewer_scene *viewer_scene(enum viewer_picture picture)
{
  struct viewer_scene *scene =
    mmap(NULL, sizeof *scene, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  if (scene == MAP_FAILED)
    abort();
  scene->picture = picture;
  return scene;
}

void viewer_free(struct viewer_scene *scene)
{
  munmap(scene, sizeof *scene);
}

struct ct_glyph viewer_glyph(int row, int col)
{
  static const uint32_t codes[] = { 'a', 'Z', '0', '~', ' ', '.', '#', 0x2580, 0x2584, 0x3c3, 0x2502, 0xb1 };
  const unsigned n = (unsigned)row * 131U + (unsigned)col;
  struct ct_glyph glyph = { .code = codes[n * 7U % (sizeof codes / sizeof *codes)],
                            .fg = CT_COLOUR_DEFAULT, .bg = CT_COLOUR_DEFAULT };
  if (n % 3 != 0)
    glyph.fg = (int16_t)(16 + n * 5 % 240);
  if (n % 5 > 2)
    glyph.bg = (int16_t)(16 + n * 11 % 240);
  if (n % 4 == 1)
    glyph.attributes |= CT_ATTR_BOLD;
  if (n % 6 == 2)
    glyph.attributes |= CT_ATTR_REVERSE;
  if (n % 7 == 3)
    glyph.attributes |= CT_ATTR_UNDERLINE;
  return glyph;
}

static void text_at(struct ct_grid *grid, int row, const char *text)
{
  for (int col = 0; row < grid->rows && col < grid->cols && *text; col++, text++)
    grid->glyphs[row * grid->cols + col] =
      (struct ct_glyph){ .code = (unsigned char)*text, .fg = CT_COLOUR_DEFAULT, .bg = CT_COLOUR_DEFAULT };
}

static void draw_still(struct ct_grid *grid)
{
  for (int row = 0; row < grid->rows; row++)
    for (int col = 0; col < grid->cols; col++)
      grid->glyphs[row * grid->cols + col] = viewer_glyph(row, col);
}

/* 16 levels of a ramp in half blocks, 80 x 40 pixels at most. */
static void draw_noise(struct ct_grid *grid)
{
  static const int16_t ramp[] = { 16, 233, 18, 53, 54, 89, 125, 161, 131, 166, 202, 208, 214, 220, 191, 229 };
  static uint32_t random_state = 1;
  for (int i = 0; i < grid->rows * grid->cols; i++) {
    random_state = random_state * 1664525U + 1013904223U;
    grid->glyphs[i] = (struct ct_glyph){ .code = 0x2580, .fg = ramp[random_state >> 28],
                                         .bg = ramp[random_state >> 20 & 15] };
  }
}

static void draw(const struct viewer_scene *scene, struct ct_grid *grid, const char *keys)
{
  char size[64];
  if (scene->picture == VIEWER_NOISE) {
    draw_noise(grid);
    return;
  }
  draw_still(grid);
  if (scene->picture == VIEWER_STILL)
    return;
  snprintf(size, sizeof size, "%d x %d ", grid->rows, grid->cols);
  text_at(grid, 0, size);
  text_at(grid, 1, keys);
}

/* Another group becomes the terminal's foreground: now nothing may touch it, or we would be stopped. */
static int go_background(struct ct_ui *ui)
{
  const pid_t other = fork();
  if (other == 0) {
    setpgid(0, 0);
    for (;;)
      pause();
  }
  setpgid(other, other);
  if (other < 0 || tcsetpgrp(ct_ui_fd(ui), other) != 0)
    return VIEWER_WRONG;
  uint32_t key;
  struct ct_glyph glyph = viewer_glyph(0, 0);
  const struct ct_grid grid = { .rows = 1, .cols = 1, .glyphs = &glyph };
  const bool left_alone =
    ct_ui_resume(ui) == CT_EBUSY && ct_ui_show(ui, &grid, true) == 0 && ct_ui_key(ui, &key) == 0;
  ct_ui_close(ui);
  kill(other, SIGKILL);
  waitpid(other, NULL, 0);
  return left_alone ? VIEWER_BACKGROUND : VIEWER_WRONG;
}

/* A write where nothing may be written; not through NULL, which a sanitizer would catch before the machine does. */
static void fault(void)
{
  volatile char *forbidden = mmap(NULL, 1, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  *forbidden = 1;
}

/* The exit code, or -1 to go on. Repaint: *full. */
static int obey(struct ct_ui *ui, uint32_t key, bool *full)
{
  switch (key) {
  case 'q': ct_ui_close(ui); return 0;
  case 'x': exit(3);
  case 'A': abort();
  case 'S': raise(SIGSEGV); return VIEWER_WRONG;
  case 'F': fault(); return VIEWER_WRONG;
  case 'B': return go_background(ui);
  case 'l': *full = true; return -1;
  default: return -1;
  }
}

static void obey_signals(struct ct_ui *ui)
{
  if (resized) {
    resized = 0;
    ct_ui_resize(ui);
  }
  if (stopping) {
    stopping = 0;
    ct_ui_suspend(ui);
    raise(SIGSTOP);
    if (ct_ui_resume(ui) != 0)
      _exit(VIEWER_WRONG);
  }
}

static void publish(const struct ct_ui *ui, struct viewer_scene *scene)
{
  static double last_lag_s = -1;
  struct ct_ui_stats stats;
  ct_ui_stats(ui, &stats);
  if (stats.lag_s != last_lag_s)                 /* bitwise the same unless a new answer came */
    atomic_fetch_add_explicit(&scene->answers, 1, memory_order_relaxed);
  last_lag_s = stats.lag_s;
  atomic_store_explicit(&scene->shown, stats.shown, memory_order_relaxed);
  atomic_store_explicit(&scene->skipped, stats.skipped, memory_order_relaxed);
  atomic_store_explicit(&scene->bytes, stats.bytes, memory_order_relaxed);
}

static void listen(void)
{
  const int numbers[] = { SIGINT, SIGWINCH, SIGTSTP };
  struct sigaction action = { .sa_handler = note };
  sigemptyset(&action.sa_mask);
  for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++)
    sigaction(numbers[i], &action, NULL);
  signal(SIGHUP, SIG_IGN);
}

static void note_click(const struct ct_ui *ui, char click[32])
{
  int row, col;
  ct_ui_click(ui, &row, &col);
  snprintf(click, 32, "click %d %d ", row, col);
}

static int run(struct ct_ui *ui, struct viewer_scene *scene)
{
  static struct ct_glyph glyphs[CT_UI_MAX_ROWS * CT_UI_MAX_COLS];
  char keys[128] = "key", click[32] = "";
  bool mouse = false;
  for (;;) {
    struct pollfd terminal = { .fd = ct_ui_fd(ui), .events = POLLIN };
    if (ct_ui_pending(ui) > 0)
      terminal.events |= POLLOUT;
    poll(&terminal, 1, scene->picture == VIEWER_NOISE ? 0 : 5);
    if (interrupted) {
      ct_ui_close(ui);
      return VIEWER_INTERRUPTED;
    }
    obey_signals(ui);
    uint32_t key;
    bool full = false;
    int got, code = -1;
    while (code < 0 && (got = ct_ui_key(ui, &key)) > 0) {
      const size_t used = strlen(keys);
      snprintf(keys + used, sizeof keys - used, " %x", key);
      if (key == 'M')
        mouse = ct_ui_mouse(ui, !mouse) && !mouse;
      if (key == CT_PRESS_CLICK)
        note_click(ui, click);
      code = obey(ui, key, &full);
    }
    if (code >= 0)
      return code;
    struct ct_grid grid = { .glyphs = glyphs };
    ct_ui_size(ui, &grid.rows, &grid.cols);
    draw(scene, &grid, keys);
    text_at(&grid, 2, click);
    if (got < 0 || ct_ui_show(ui, &grid, full) < 0) {
      ct_ui_close(ui);
      return VIEWER_VANISHED;
    }
    publish(ui, scene);
  }
}

int viewer(void *shared)
{
  struct viewer_scene *scene = shared;
  struct ct_ui *ui, *second;
  setlocale(LC_CTYPE, "");
  listen();
  if (ct_ui_open(&ui, STDOUT_FILENO, &scene->options, &scene->err) != 0)
    return VIEWER_REFUSED;
  if (ct_ui_open(&second, STDOUT_FILENO, &scene->options, NULL) != CT_EBUSY)
    return VIEWER_WRONG;
  ct_ui_close(ui);                               /* it can be opened again */
  if (ct_ui_open(&ui, STDOUT_FILENO, &scene->options, &scene->err) != 0)
    return VIEWER_WRONG;
  scene->utf8 = ct_ui_utf8(ui);
  scene->colours = ct_ui_colours(ui);
  scene->accents = ct_ui_accents(ui);
  return run(ui, scene);
}
