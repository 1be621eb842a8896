#include <config.h>

#include "term.h"

#include <stdio.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pty.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#include <utmp.h>
#include <vterm.h>

enum { PATIENCE_MS = 20000, STEP_MS = 10 };

struct term {
  int master, slave;                     /* the slave stays open: its modes outlive the child */
  pid_t pid;
  bool ended, mute, alternate, cursor_visible;
  int status;
  int rows, cols;
  uint64_t bytes;
  char last[8192];                       /* what came, the newest at the end */
  struct termios before;
  VTerm *vt;
  VTermScreen *screen;
  char row[4096];
};

static void must(bool fine, const char *what)
{
  if (!fine) {
    perror(what);
    abort();
  }
}

static void answer(const char *bytes, size_t len_bytes, void *user)
{
  const struct term *term = user;
  if (!term->mute && write(term->master, bytes, len_bytes) < 0)
    must(errno == EIO || errno == EAGAIN, "answer");
}

static int property(VTermProp name, VTermValue *value, void *user)
{
  struct term *term = user;
  if (name == VTERM_PROP_ALTSCREEN)
    term->alternate = value->boolean;
  else if (name == VTERM_PROP_CURSORVISIBLE)
    term->cursor_visible = value->boolean;
  return 1;
}

static void open_emulator(struct term *term)
{
  static const VTermScreenCallbacks callbacks = { .settermprop = property };
  term->vt = vterm_new(term->rows, term->cols);
  must(term->vt != NULL, "vterm_new");
  vterm_set_utf8(term->vt, 1);
  vterm_output_set_callback(term->vt, answer, term);
  term->screen = vterm_obtain_screen(term->vt);
  vterm_screen_set_callbacks(term->screen, &callbacks, term);
  vterm_screen_enable_altscreen(term->screen, 1);
  vterm_screen_reset(term->screen, 1);
}

static void become_child(const struct term *term, const struct term_setup *setup)
{
  static const int defaults[] = { SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGABRT, SIGSYS, SIGPIPE, SIGTSTP, SIGALRM };
  for (size_t i = 0; i < sizeof defaults / sizeof *defaults; i++)
    signal(defaults[i], SIG_DFL);
  close(term->master);
  if (login_tty(term->slave) != 0)
    _exit(126);
  setenv("TERM", setup->name ? setup->name : "xterm-256color", 1);
  setenv("LC_ALL", setup->locale ? setup->locale : "C.UTF-8", 1);
  unsetenv("NO_COLOR");
  for (size_t i = 0; setup->environment && setup->environment[i]; i++) {
    char *copy = strdup(setup->environment[i]);
    if (!copy || putenv(copy) != 0)
      _exit(126);
  }
}

struct term *term_start(const struct term_setup *setup, int (*child)(void *), void *arg)
{
  struct term *term = calloc(1, sizeof *term);
  must(term != NULL, "calloc");
  term->rows = setup->rows ? setup->rows : 24;
  term->cols = setup->cols ? setup->cols : 80;
  term->mute = setup->mute;
  term->cursor_visible = true;
  open_emulator(term);
  const struct winsize size = { .ws_row = (unsigned short)term->rows, .ws_col = (unsigned short)term->cols };
  must(openpty(&term->master, &term->slave, NULL, NULL, &size) == 0, "openpty");
  must(tcgetattr(term->slave, &term->before) == 0, "tcgetattr");
  must(fcntl(term->master, F_SETFL, O_NONBLOCK) == 0, "fcntl");
  term->pid = fork();
  must(term->pid >= 0, "fork");
  if (term->pid == 0) {
    become_child(term, setup);
    _exit(child(arg));
  }
  return term;
}

int term_exec(void *argv)
{
  char **words = argv;
  execvp(words[0], words);
  return 127;
}

static void look_for_end(struct term *term)
{
  if (!term->ended && waitpid(term->pid, &term->status, WNOHANG) == term->pid)
    term->ended = true;
}

void term_free(struct term *term)
{
  look_for_end(term);
  if (!term->ended) {
    kill(term->pid, SIGKILL);
    waitpid(term->pid, &term->status, 0);
  }
  if (term->master >= 0)
    close(term->master);
  close(term->slave);
  vterm_free(term->vt);
  free(term);
}

static size_t read_some(struct term *term, int wait_ms)
{
  char bytes[4096];
  struct pollfd master = { .fd = term->master, .events = POLLIN };
  if (poll(&master, 1, wait_ms) <= 0)
    return 0;
  const ssize_t n = read(term->master, bytes, sizeof bytes);
  if (n <= 0)
    return 0;
  vterm_input_write(term->vt, bytes, (size_t)n);
  term->bytes += (uint64_t)n;
  memmove(term->last, term->last + n, sizeof term->last - (size_t)n);
  memcpy(term->last + sizeof term->last - n, bytes, (size_t)n);
  return (size_t)n;
}

bool term_got(struct term *term, const char *bytes)
{
  return memmem(term->last, sizeof term->last, bytes, strlen(bytes)) != NULL;
}

size_t term_read(struct term *term, int quiet_ms)
{
  size_t all = 0, n;
  while ((n = read_some(term, quiet_ms)) > 0)
    all += n;
  return all;
}

static int64_t now_ms(void)
{
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return now.tv_sec * INT64_C(1000) + now.tv_nsec / 1000000;
}

/* The program may be writing all the time: so one piece, then a look. */
bool term_until(struct term *term, bool (*done)(struct term *, const void *), const void *arg)
{
  const int64_t end_ms = now_ms() + PATIENCE_MS;
  do {
    if (done(term, arg))
      return true;
    read_some(term, STEP_MS);
  } while (now_ms() < end_ms);
  return false;
}

static bool some_row_has(struct term *term, const void *text)
{
  for (int row = 0; row < term->rows; row++) {
    if (strstr(term_row(term, row), text))
      return true;
  }
  return false;
}

bool term_shows(struct term *term, const char *text)
{
  return term_until(term, some_row_has, text);
}

static void rest(void)
{
  const struct timespec step = { .tv_nsec = STEP_MS * 1000000 };
  nanosleep(&step, NULL);
}

int term_wait(struct term *term, bool reading)
{
  const int64_t end_ms = now_ms() + PATIENCE_MS;
  for (look_for_end(term); !term->ended && now_ms() < end_ms; look_for_end(term)) {
    if (!reading || read_some(term, STEP_MS) == 0)
      rest();
  }
  if (reading)
    term_read(term, STEP_MS);
  return term->ended ? term->status : -1;
}

bool term_stopped(struct term *term)
{
  const int64_t end_ms = now_ms() + PATIENCE_MS;
  while (now_ms() < end_ms) {
    int status;
    read_some(term, STEP_MS);
    if (waitpid(term->pid, &status, WNOHANG | WUNTRACED) == term->pid)
      return WIFSTOPPED(status);
  }
  return false;
}

void term_send(struct term *term, const char *keys)
{
  must(write(term->master, keys, strlen(keys)) == (ssize_t)strlen(keys), "send");
}

void term_resize(struct term *term, int rows, int cols)
{
  const struct winsize size = { .ws_row = (unsigned short)rows, .ws_col = (unsigned short)cols };
  term->rows = rows;
  term->cols = cols;
  vterm_set_size(term->vt, rows, cols);
  must(ioctl(term->master, TIOCSWINSZ, &size) == 0, "TIOCSWINSZ");
}

void term_hang_up(struct term *term)
{
  close(term->master);
  term->master = -1;                     /* poll passes over it */
}

static int colour(const VTermColor *c)
{
  if (VTERM_COLOR_IS_DEFAULT_FG(c) || VTERM_COLOR_IS_DEFAULT_BG(c))
    return -1;
  if (VTERM_COLOR_IS_INDEXED(c))
    return c->indexed.idx;
  return 0x1000000 + (c->rgb.red << 16 | c->rgb.green << 8 | c->rgb.blue);
}

struct term_cell term_at(struct term *term, int row, int col)
{
  VTermScreenCell cell;
  memset(&cell, 0, sizeof cell);
  vterm_screen_get_cell(term->screen, (VTermPos){ .row = row, .col = col }, &cell);
  return (struct term_cell){ .code = cell.chars[0] ? cell.chars[0] : ' ',
                             .fg = colour(&cell.fg), .bg = colour(&cell.bg), .bold = cell.attrs.bold,
                             .reverse = cell.attrs.reverse, .underline = cell.attrs.underline != 0 };
}

const char *term_row(struct term *term, int row)
{
  const VTermRect rect = { .start_row = row, .end_row = row + 1, .start_col = 0, .end_col = term->cols };
  size_t n = vterm_screen_get_text(term->screen, term->row, sizeof term->row - 1, rect);
  while (n > 0 && term->row[n - 1] == ' ')
    n--;
  term->row[n] = '\0';
  return term->row;
}

pid_t term_pid(const struct term *term)
{
  return term->pid;
}

uint64_t term_bytes(const struct term *term)
{
  return term->bytes;
}

bool term_alternate(const struct term *term)
{
  return term->alternate;
}

bool term_cursor_visible(const struct term *term)
{
  return term->cursor_visible;
}

struct termios term_modes(const struct term *term)
{
  struct termios modes;
  must(tcgetattr(term->slave, &modes) == 0, "tcgetattr");
  return modes;
}

struct termios term_modes_before(const struct term *term)
{
  return term->before;
}
