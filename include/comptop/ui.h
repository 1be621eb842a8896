/* ui: a grid of glyphs onto a terminal, keys from it. The only room with curses; no loop, no clock tick, no thread.
 * Ownership: ct_ui_open hands out the one ui a process may have, and the caller closes it; the grid is lent for a call.
 *
 * Nothing here waits for the terminal: a frame is written as the terminal takes it, and a frame that comes before the
 * last one has arrived is skipped and counted. Where the terminal has synchronised output (DEC mode 2026), a frame is
 * shown at once. Behind each frame goes a question (DSR, CSI 5 n) whose answer says that
 * the terminal has read so far, also behind ssh; terminals that never answer are not waited for.
 * The caller's loop polls ct_ui_fd: for reading always, for writing while ct_ui_pending. All calls come from one
 * thread. The program has set LC_CTYPE from the environment before.
 *
 * Signals stay the caller's, and they end here: SIGINT, SIGTERM, SIGHUP in ct_ui_close; SIGWINCH in ct_ui_resize;
 * SIGTSTP in ct_ui_suspend, then raise(SIGSTOP); SIGCONT in ct_ui_resume. Crash signals (SEGV, BUS, ILL, FPE, ABRT) are
 * taken while the ui is open: they restore the terminal and go on to who had them before. */
#ifndef COMPTOP_UI_H
#define COMPTOP_UI_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <comptop/core.h>
#include <comptop/view.h>

/* Larger screens are used up to here. */
enum { CT_UI_MAX_ROWS = 500, CT_UI_MAX_COLS = 1000 };

enum ct_ui_colour { CT_UI_COLOUR_AUTO, CT_UI_COLOUR_NONE, CT_UI_COLOUR_256 };
struct ct_ui_options {
  enum ct_ui_colour colour;        /* AUTO: 256 where the terminal has them and NO_COLOR is unset or empty */
  bool ascii;                      /* never UTF-8; else where the locale has it and TERM does not speak against it */
};

struct ct_ui;
/* Takes the terminal <tty_fd> is open on: opens it anew (nothing is changed on <tty_fd>), no echo, alternate screen,
 * cursor hidden; Ctrl-C stays a signal. A TERM that terminfo does not know is taken for xterm-256color.
 * CT_EUSAGE: not a terminal, or one that cannot move its cursor; CT_EBUSY: open already; CT_EIO, CT_ENOMEM. */
int ct_ui_open(struct ct_ui **out, int tty_fd, const struct ct_ui_options *options, struct ct_err *err) CT_MUST_CHECK;
/* Gives the terminal back as it was; at most some tenths of a second on a slow line. NULL is allowed. The same is done
 * by exit(3). */
void ct_ui_close(struct ct_ui *ui);

/* The descriptor to poll; valid until ct_ui_close. */
int ct_ui_fd(const struct ct_ui *ui);
/* What the view may use. */
bool ct_ui_utf8(const struct ct_ui *ui);
bool ct_ui_colours(const struct ct_ui *ui);
bool ct_ui_accents(const struct ct_ui *ui);      /* 8 or 16 colours: enough for words, not for maps */
/* Rows and columns, each at least 1. */
void ct_ui_size(const struct ct_ui *ui, int *rows, int *cols);
/* After SIGWINCH: asks the terminal for its size; the next frame repaints everything, also where it is the same. */
void ct_ui_resize(struct ct_ui *ui);

/* The next key (a character or CT_PRESS_*) into *key: 1; 0: none now; CT_EIO: the terminal is gone. Sequences that are
 * no key are swallowed. Call until it gives 0. A lone ESC takes 25 ms to be told from the start of a sequence. */
int ct_ui_key(struct ct_ui *ui, uint32_t *key);

/* Takes clicks as keys (CT_PRESS_CLICK), or leaves the mouse to the terminal, which then can select text: whether they are
 * taken now. ct_ui_click: where the last one was. */
bool ct_ui_mouse(struct ct_ui *ui, bool on);
void ct_ui_click(const struct ct_ui *ui, int *row, int *col);

/* Shows <grid>; what does not fit is cut, what it leaves is blank. <full>: repaints everything, else only what
 * changed. 1: taken; 0: skipped, as earlier output is still on its way or the terminal is not ours at the moment;
 * CT_EIO: the terminal is gone. */
int ct_ui_show(struct ct_ui *ui, const struct ct_grid *grid, bool full);
/* Rings the terminal's bell, behind what is on its way; not while the terminal is not ours. */
void ct_ui_bell(struct ct_ui *ui);
/* Bytes the terminal has not yet taken; when it can: ct_ui_flush writes on. 0, or CT_EIO: the terminal is gone. */
size_t ct_ui_pending(const struct ct_ui *ui);
int ct_ui_flush(struct ct_ui *ui);

/* ---- a picture in pixels, instead of frames ----------------------------------------------------------------------- */
/* Why there can be none, as a sentence; NULL: there can. The terminal is asked for sixels when it is taken; kitty's
 * graphics are used where the environment names a terminal that has them. */
const char *ct_ui_picture_refused(const struct ct_ui *ui);
/* The pixels of a character; false: the terminal does not say, and they are small. How many rows of the screen a picture
 * may have, from the top. */
bool ct_ui_cell(const struct ct_ui *ui, int *width, int *height);
int ct_ui_picture_rows(const struct ct_ui *ui);
/* Begins one, of which a copy is kept: no frame is shown until its end. Its cells are those of ct_ui_cell, its rows at most
 * ct_ui_picture_rows. Not where it is refused. */
void ct_ui_picture_begin(struct ct_ui *ui, const struct ct_pixels *pixels);
/* Sends on, as the terminal takes it: call it as often as a frame would be shown. 1: there is more; 0; CT_EIO. */
int ct_ui_picture_more(struct ct_ui *ui);
/* Whether or not all of it was sent; the next frame repaints. */
void ct_ui_picture_end(struct ct_ui *ui);

/* Gives the terminal back for a while; between suspend and resume there are no keys and frames are skipped. */
void ct_ui_suspend(struct ct_ui *ui);
/* Takes it again and repaints, also when it was not suspended. CT_EBUSY: the process is in the background: the terminal
 * belongs to someone else, and the ui stays suspended. */
int ct_ui_resume(struct ct_ui *ui);

struct ct_ui_stats {
  uint64_t shown, skipped;         /* frames */
  uint64_t bytes;                  /* written to the terminal */
  double lag_s;                    /* from a frame sent to the terminal's word that it has it; < 0: it never said so */
};
void ct_ui_stats(const struct ct_ui *ui, struct ct_ui_stats *stats);

#endif
