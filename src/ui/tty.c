#include "ui/tty.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

#define NCURSES_NOMACROS
#include <ncurses.h>
#include <term.h>

#include <comptop/ui.h>

static const int crash_signals[] = { SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGABRT };
enum { CRASH_SIGNALS = sizeof crash_signals / sizeof *crash_signals };

enum { TEXT_BYTES = 256 };
struct text {
  size_t len_bytes;
  char bytes[TEXT_BYTES];
};

static struct {
  bool open, at_exit;
  bool given_back;                         /* the modes are the shell's now */
  int fd;
  struct termios theirs, ours;             /* modes of the shell, and of the screen */
  struct text take, leave;
  struct sigaction before[CRASH_SIGNALS];
  /* The screen is ours. Set with release when fd, theirs and leave are ready; whoever exchanges it for false (with
   * acquire, maybe in a handler on another thread) is the one who restores. */
  atomic_bool taken;
} tty;

bool ct_ui_tty_background(void)
{
  const pid_t group = tcgetpgrp(tty.fd);
  return group > 0 && group != getpgrp();
}

/* Called in signal handlers too. Does not wait: where the terminal takes nothing, what it has not read is dropped,
 * because the shell's screen matters more than the rest of a frame. */
static void write_text(const struct text *text)
{
  size_t done = 0;
  bool flushed = false;
  while (done < text->len_bytes) {
    const ssize_t n = write(tty.fd, text->bytes + done, text->len_bytes - done);
    if (n > 0) {
      done += (size_t)n;
    } else if (n < 0 && errno == EAGAIN && !flushed) {
      tcflush(tty.fd, TCOFLUSH);
      flushed = true;
    } else if (n == 0 || errno != EINTR) {
      return;
    }
  }
}

/* Async-signal-safe: only tcgetpgrp, getpgrp, write, tcflush and tcsetattr. */
void ct_ui_tty_leave(void)
{
  if (!atomic_exchange_explicit(&tty.taken, false, memory_order_acquire)) /* pairs with the release in take */
    return;
  if (ct_ui_tty_background())
    return;
  write_text(&tty.leave);
  tcsetattr(tty.fd, TCSANOW, &tty.theirs);       /* not DRAIN: that would wait for a reader */
  tty.given_back = true;
}

/* What curses calls cbreak, noecho, nonl. Output is not processed: curses counts on a line feed being just that. */
static void make_modes(void)
{
  tty.ours = tty.theirs;
  tty.ours.c_lflag &= ~(tcflag_t)(ICANON | ECHO);
  tty.ours.c_oflag &= ~(tcflag_t)OPOST;
  tty.ours.c_cc[VMIN] = 1;
  tty.ours.c_cc[VTIME] = 0;
}

void ct_ui_tty_take(void)
{
  if (tty.given_back) {                          /* else the modes there are may be ours */
    tcgetattr(tty.fd, &tty.theirs);
    make_modes();
    tty.given_back = false;
  }
  tcsetattr(tty.fd, TCSANOW, &tty.ours);
  atomic_store_explicit(&tty.taken, true, memory_order_release); /* pairs with the acquire in leave */
  write_text(&tty.take);
}

bool ct_ui_tty_taken(void)
{
  return atomic_load_explicit(&tty.taken, memory_order_acquire); /* pairs with the release in take */
}

static void crash(int number, siginfo_t *info, void *context)
{
  (void)context;
  ct_ui_tty_leave();
  for (int i = 0; i < CRASH_SIGNALS; i++) {
    if (crash_signals[i] == number)
      sigaction(number, &tty.before[i], NULL);
  }
  if (info->si_code <= 0)
    raise(number);                               /* sent by a process; a fault happens again when we return */
}

static void watch_crashes(void)
{
  /* Own stack, so that an overflow of the main one is reported too; other threads use theirs. */
  static char stack_memory[64 * 1024];
  stack_t stack = { .ss_sp = stack_memory, .ss_size = sizeof stack_memory }, before;
  if (sigaltstack(NULL, &before) == 0 && (before.ss_flags & SS_DISABLE))
    sigaltstack(&stack, NULL);
  struct sigaction action = { .sa_sigaction = crash, .sa_flags = SA_SIGINFO | SA_ONSTACK };
  sigemptyset(&action.sa_mask);
  for (int i = 0; i < CRASH_SIGNALS; i++)
    sigaction(crash_signals[i], &action, &tty.before[i]);
}

/* /dev/tty can be opened where the device itself cannot: after su, or in a container without its /dev/pts. */
static int open_anew(int lent_fd)
{
  char name[PATH_MAX] = "/dev/tty";
  if (tcgetsid(lent_fd) != getsid(0) && ttyname_r(lent_fd, name, sizeof name) != 0)
    return -1;
  return open(name, O_RDWR | O_NOCTTY | O_NONBLOCK | O_CLOEXEC);
}

int ct_ui_tty_open(int lent_fd, struct ct_err *err)
{
  if (tty.open)
    return ct_err_set(err, CT_EBUSY, "the terminal is in use by this process");
  if (!isatty(lent_fd))
    return ct_err_set(err, CT_EUSAGE, "not a terminal: use -b for lines of text");
  tty.fd = open_anew(lent_fd);
  if (tty.fd < 0)
    return ct_err_set(err, CT_EIO, "cannot open the terminal: %s", strerror(errno));
  watch_crashes();
  if (!tty.at_exit)
    tty.at_exit = atexit(ct_ui_tty_leave) == 0;
  tty.open = tty.given_back = true;
  return tty.fd;
}

void ct_ui_tty_close(void)
{
  ct_ui_tty_leave();
  for (int i = 0; i < CRASH_SIGNALS; i++)
    sigaction(crash_signals[i], &tty.before[i], NULL);
  close(tty.fd);
  tty.open = false;
}

static int within(int value, int most, int otherwise)
{
  return value == 0 ? otherwise : value > most ? most : value;
}

void ct_ui_tty_size(int *rows, int *cols)
{
  struct winsize size = { 0 };
  ioctl(tty.fd, TIOCGWINSZ, &size);
  *rows = within(size.ws_row, CT_UI_MAX_ROWS, 24);
  *cols = within(size.ws_col, CT_UI_MAX_COLS, 80);
}

/* Without the padding ("$<5/>") of a terminfo string: terminals that needed it say xon now. */
static void add(struct text *text, const char *capability)
{
  if (!capability || capability == (char *)-1)   /* not a string, says terminfo */
    return;
  for (const char *c = capability; *c; c++) {
    const char *end = c[0] == '$' && c[1] == '<' ? strchr(c, '>') : NULL;
    if (end)
      c = end;
    else if (text->len_bytes < TEXT_BYTES)
      text->bytes[text->len_bytes++] = *c;
  }
}

static void make_texts(int rows, struct text *take, struct text *leave)
{
  *take = (struct text){ 0 };
  add(take, tigetstr("smcup"));
  add(take, tigetstr("smkx"));
  add(take, tigetstr("civis"));

  /* It may come in the middle of a frame, of a sequence even: an ESC first ends that. Where there is no second screen,
   * the picture stays and the prompt comes below it. */
  *leave = (struct text){ 0 };
  const char *move = tigetstr("cup");
  if (move && move != (char *)-1 && strncmp(move, "\033[", 2) == 0)
    add(leave, "\033\\\033[?2026l\033[?1006;1000l");   /* ends a picture, a frame, and the mouse; ignored where they are not known */
  add(leave, tigetstr("sgr0"));
  add(leave, tiparm(tigetstr("cup"), rows - 1, 0));
  add(leave, "\r\n");
  add(leave, tigetstr("rmkx"));
  add(leave, tigetstr("op"));
  add(leave, tigetstr("rmcup"));
  add(leave, tigetstr("cnorm"));   /* after rmcup, which in some terminals brings back the cursor as saved */
}

void ct_ui_tty_describe(int rows)
{
  /* A handler on another thread may be reading <leave>: hide it for the length of a copy, not of the making. */
  struct text take, leave;
  make_texts(rows, &take, &leave);
  const bool taken = atomic_exchange_explicit(&tty.taken, false, memory_order_acquire);
  tty.take = take;
  tty.leave = leave;
  atomic_store_explicit(&tty.taken, taken, memory_order_release); /* pairs with the acquire in leave */
}
