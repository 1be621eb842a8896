/* A terminal for tests: a program or a function on a pseudo terminal, its output through libvterm into cells.
 * Ownership: term_start hands out a terminal, term_free ends its child (if it still runs) and frees it. */
#ifndef TESTS_UI_TERM_H
#define TESTS_UI_TERM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>
#include <termios.h>

struct term_setup {
  int rows, cols;                        /* 0: 24 x 80 */
  const char *name;                      /* TERM, NULL: xterm-256color */
  const char *locale;                    /* LC_ALL, NULL: C.UTF-8 */
  const char *const *environment;        /* more of it: "NAME=value", ended by NULL; may be NULL */
  bool mute;                             /* does not answer the program's questions to the terminal */
};
struct term_cell {
  uint32_t code;                         /* ' ' where nothing is */
  int fg, bg;                            /* palette index; -1: default; RGB: 0x1000000 + 0xRRGGBB */
  bool bold, reverse, underline;
};

struct term;
/* Runs child(arg), whose value is the exit code, in a process of its own with the terminal as its controlling one and
 * as its standard files; signals at their defaults. */
struct term *term_start(const struct term_setup *setup, int (*child)(void *), void *arg);
/* A child for term_start that becomes a program: <argv> is its argument vector, ended by NULL. */
int term_exec(void *argv);
void term_free(struct term *term);

/* Feeds the terminal what came, until nothing came for <quiet_ms>; returns the bytes. */
size_t term_read(struct term *term, int quiet_ms);
/* Reads until done(term, arg) holds, for at most 20 s. */
bool term_until(struct term *term, bool (*done)(struct term *, const void *), const void *arg);
/* Reads until <text> stands somewhere in a row. */
bool term_shows(struct term *term, const char *text);
/* Reads (where <reading>) until the child ends, for at most 20 s: its wait status, or -1. */
int term_wait(struct term *term, bool reading);
/* Waits until the child is stopped, for at most 20 s. */
bool term_stopped(struct term *term);

void term_send(struct term *term, const char *keys);
/* Another size, the child hears SIGWINCH. */
void term_resize(struct term *term, int rows, int cols);
/* The connection breaks: nothing can be read or sent after this. */
void term_hang_up(struct term *term);

struct term_cell term_at(struct term *term, int row, int col);
/* Row as UTF-8 without blanks at its end, in a buffer that the next call uses again. */
const char *term_row(struct term *term, int row);
pid_t term_pid(const struct term *term);
uint64_t term_bytes(const struct term *term);        /* all that came so far */
/* Whether <bytes> were among the last kilobytes that came. */
bool term_got(struct term *term, const char *bytes);
bool term_alternate(const struct term *term);
bool term_cursor_visible(const struct term *term);
/* Modes of the terminal as they are now; those before the child ran. */
struct termios term_modes(const struct term *term);
struct termios term_modes_before(const struct term *term);

#endif
