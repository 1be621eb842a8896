#include <config.h>

#include <comptop/ui.h>

#include <errno.h>
#include <langinfo.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <termios.h>
#include <unistd.h>

#include "ui/internal.h"
#include <term.h>
#include "ui/tty.h"

/* A known name for terminals that terminfo does not know: nearly all understand xterm's sequences. */
static const char common_terminal[] = "xterm-256color";

/* Colours of an entry; < 0: terminfo has no such entry. */
static int colours_of(const char *name)
{
  int found = 0;
  if (!name || !*name || setupterm(name, STDERR_FILENO, &found) != OK)
    return -1;
  const int colours = tigetnum("colors");
  del_curterm(cur_term);
  return colours > 0 ? colours : 0;
}

/* In entries with more than 256 colours (xterm-direct) a colour's number is its RGB; such terminals know the 256 too. */
static const char *choose_terminal(enum ct_ui_colour wanted)
{
  const char *name = getenv("TERM");
  const int colours = colours_of(name);
  if (colours < 0 || colours > 256 || (wanted == CT_UI_COLOUR_256 && colours < 256))
    return common_terminal;
  return name;
}

/* Terminals and consoles that have no UTF-8, or too few of its characters, whatever the locale says. */
static bool speaks_ascii_only(const char *name)
{
  static const char *const names[] = { "vt", "linux", "ansi", "cons25", "sun" };
  for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
    if (strncmp(name, names[i], strlen(names[i])) == 0)
      return true;
  }
  return false;
}

static void choose_colours(struct ct_ui *ui, enum ct_ui_colour wanted)
{
  const char *no_colour = getenv("NO_COLOR");
  if (wanted == CT_UI_COLOUR_NONE || (wanted == CT_UI_COLOUR_AUTO && no_colour && *no_colour))
    return;
  const int colours = tigetnum("colors");
  if (colours < 8 || start_color() != OK || use_default_colors() != OK)
    return;
  ui->colours = colours >= 256;
  ui->accents = !ui->colours;
}

/* Curses keeps its hands off signals that are not at their default when it starts. */
static const int kept_signals[] = { SIGINT, SIGTERM, SIGTSTP, SIGWINCH };
enum { KEPT_SIGNALS = sizeof kept_signals / sizeof *kept_signals };

static SCREEN *new_screen(const char *name, FILE *out, FILE *in)
{
  struct sigaction before[KEPT_SIGNALS];
  struct sigaction ignore = { .sa_handler = SIG_IGN };
  sigemptyset(&ignore.sa_mask);
  for (int i = 0; i < KEPT_SIGNALS; i++)
    sigaction(kept_signals[i], &ignore, &before[i]);
  set_escdelay(25);
  SCREEN *screen = newterm(name, out, in);
  for (int i = 0; i < KEPT_SIGNALS; i++)
    sigaction(kept_signals[i], &before[i], NULL);
  return screen;
}

static int open_streams(struct ct_ui *ui, struct ct_err *err)
{
  const int frame_fd = memfd_create("comptop-screen", MFD_CLOEXEC);
  ui->frame = frame_fd < 0 ? NULL : fdopen(frame_fd, "w");
  if (!ui->frame) {
    if (frame_fd >= 0)
      close(frame_fd);
    return ct_err_set(err, CT_ENOMEM, "no memory for the screen: %s", strerror(errno));
  }
  const int keys_fd = dup(ui->fd);
  ui->keys = keys_fd < 0 ? NULL : fdopen(keys_fd, "r");
  if (!ui->keys) {
    if (keys_fd >= 0)
      close(keys_fd);
    return ct_err_set(err, CT_EIO, "cannot read from the terminal: %s", strerror(errno));
  }
  return 0;
}

/* Beyond terminfo: the answer, and the arrows as either mode of the keypad sends them. */
static void define_keys(void)
{
  static const struct { const char *sequence; int code; } keys[] = {
    { CT_UI_ANSWER, CT_UI_ANSWERED }, { CT_UI_SYNC_SET, CT_UI_SYNCS }, { CT_UI_SYNC_RESET, CT_UI_SYNCS },
    { "\033[A", KEY_UP }, { "\033[B", KEY_DOWN }, { "\033[C", KEY_RIGHT }, { "\033[D", KEY_LEFT },
    { "\033OA", KEY_UP }, { "\033OB", KEY_DOWN }, { "\033OC", KEY_RIGHT }, { "\033OD", KEY_LEFT },
  };
  for (size_t i = 0; i < sizeof keys / sizeof *keys; i++)
    define_key(keys[i].sequence, keys[i].code);
}

static int open_curses(struct ct_ui *ui, const struct ct_ui_options *options, struct ct_err *err)
{
  const char *name = choose_terminal(options->colour);
  ui->screen = new_screen(name, ui->frame, ui->keys);
  if (!ui->screen)
    return ct_err_set(err, CT_EUSAGE, "no description of the terminal %s: set TERM (Debian: apt install ncurses-base)",
                      name);
  const char *move = tigetstr("cup");
  if (!move || move == (char *)-1)
    return ct_err_set(err, CT_EUSAGE, "TERM=%s cannot move its cursor: use -b, or set TERM", name);
  ui->manners = strncmp(move, "\033[", 2) == 0 ? CT_UI_UNKNOWN : CT_UI_NOT_ASKABLE;
  ui->plain = speaks_ascii_only(name);
  ui->utf8 = !options->ascii && strcmp(nl_langinfo(CODESET), "UTF-8") == 0 && !ui->plain;
  choose_colours(ui, options->colour);
  ui->input = newpad(1, 1);
  if (!ui->input)
    return ct_err_set(err, CT_ENOMEM, "no memory for the keys");
  cbreak();
  noecho();
  nonl();
  keypad(ui->input, TRUE);
  nodelay(ui->input, TRUE);
  typeahead(-1);
  leaveok(stdscr, TRUE);
  define_keys();
  return 0;
}

int ct_ui_open(struct ct_ui **out, int tty_fd, const struct ct_ui_options *options, struct ct_err *err)
{
  *out = NULL;
  const int fd = ct_ui_tty_open(tty_fd, err);
  if (fd < 0)
    return fd;
  struct ct_ui *ui = ct_xcalloc(1, sizeof *ui);
  ui->fd = fd;
  ui->stats.lag_s = -1;
  int failed = open_streams(ui, err);
  if (failed == 0)
    failed = open_curses(ui, options, err);
  if (failed != 0) {
    ct_ui_close(ui);
    return failed;
  }
  ct_ui_resize(ui);
  curs_set(0);
  ct_ui_drop(ui);                  /* what curses wrote to enter its screen: that is take's */
  ct_ui_tty_take();
  if (ui->manners != CT_UI_NOT_ASKABLE && !ui->plain)
    ct_ui_queue(ui, CT_UI_SYNC_QUESTION, sizeof CT_UI_SYNC_QUESTION - 1);
  if (ui->manners != CT_UI_NOT_ASKABLE)
    ct_ui_queue(ui, CT_UI_ATTRIBUTES_QUESTION, sizeof CT_UI_ATTRIBUTES_QUESTION - 1);
  ct_ui_ask(ui);
  if (ct_ui_flush(ui) != 0) {
    ct_ui_close(ui);
    return ct_err_set(err, CT_EIO, "the terminal is gone");
  }
  *out = ui;
  return 0;
}

/* A frame that is still on its way is of no use to the shell, and an answer to come would be typed into it. */
static void settle(struct ct_ui *ui)
{
  enum { WAIT_MS = 200 };
  const int64_t end_ns = ct_time_mono_ns() + WAIT_MS * INT64_C(1000000);
  struct pollfd terminal = { .fd = ui->fd, .events = POLLIN };
  uint32_t key;
  const bool comes = ui->manners != CT_UI_SILENT && ct_ui_pending(ui) == 0;
  while (comes && ui->asked > 0 && ct_time_mono_ns() < end_ns && poll(&terminal, 1, WAIT_MS) > 0) {
    if (ct_ui_key(ui, &key) < 0)
      break;
  }
  if (ui->asked > 0)
    tcflush(ui->fd, TCOFLUSH);
  ui->asked = 0;
  ct_ui_drop(ui);
}

void ct_ui_suspend(struct ct_ui *ui)
{
  ct_ui_picture_end(ui);
  if (ct_ui_tty_taken() && !ct_ui_tty_background())
    settle(ui);
  ct_ui_tty_leave();
}

void ct_ui_close(struct ct_ui *ui)
{
  if (!ui)
    return;
  ct_ui_suspend(ui);
  ct_ui_tty_close();
  if (ui->input)
    delwin(ui->input);
  if (ui->screen) {
    endwin();
    delscreen(ui->screen);
  }
  if (ui->frame)
    fclose(ui->frame);
  if (ui->keys)
    fclose(ui->keys);
  free(ui);
}

int ct_ui_fd(const struct ct_ui *ui)
{
  return ui->fd;
}

bool ct_ui_utf8(const struct ct_ui *ui)
{
  return ui->utf8;
}

bool ct_ui_colours(const struct ct_ui *ui)
{
  return ui->colours;
}

bool ct_ui_accents(const struct ct_ui *ui)
{
  return ui->accents;
}

bool ct_ui_mouse(struct ct_ui *ui, bool on)
{
  ui->mouse = mousemask(on ? BUTTON1_PRESSED : 0, NULL) != 0;
  mouseinterval(0);
  ui->queued = (size_t)lseek(fileno(ui->frame), 0, SEEK_CUR);
  return ui->mouse;
}

void ct_ui_click(const struct ct_ui *ui, int *row, int *col)
{
  *row = ui->click_row;
  *col = ui->click_col;
}

void ct_ui_size(const struct ct_ui *ui, int *rows, int *cols)
{
  *rows = ui->rows;
  *cols = ui->cols;
}

void ct_ui_resize(struct ct_ui *ui)
{
  ct_ui_tty_size(&ui->rows, &ui->cols);
  resize_term(ui->rows, ui->cols);
  ct_ui_tty_describe(ui->rows);
  ui->repaint = true;
}

int ct_ui_resume(struct ct_ui *ui)
{
  if (ct_ui_tty_background()) {
    ct_ui_tty_leave();
    return CT_EBUSY;
  }
  ct_ui_tty_take();
  ct_ui_resize(ui);
  if (ui->mouse) {                 /* curses believes it is on still */
    ct_ui_mouse(ui, false);
    ct_ui_mouse(ui, true);
  }
  return 0;
}

void ct_ui_stats(const struct ct_ui *ui, struct ct_ui_stats *stats)
{
  *stats = ui->stats;
}
