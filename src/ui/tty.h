/* The terminal itself: its modes, the texts that take and leave the screen, the way back after a crash.
 * Ownership: one a process, held in tty.c, because a signal handler finds nothing but globals. */
#ifndef CT_UI_TTY_H
#define CT_UI_TTY_H

#include <stdbool.h>

#include <comptop/core.h>

/* Opens the terminal of <lent_fd> anew, non-blocking: a descriptor of our own, so that the flag is not the shell's.
 * The descriptor, which ct_ui_tty_close closes; or CT_EUSAGE, CT_EBUSY, CT_EIO. */
int ct_ui_tty_open(int lent_fd, struct ct_err *err) CT_MUST_CHECK;
void ct_ui_tty_close(void);
/* Its size, within 1 x 1 and CT_UI_MAX; 24 x 80 where it does not say. */
void ct_ui_tty_size(int *rows, int *cols);
/* Prepares what take and leave write, from the terminfo entry that curses has in use. */
void ct_ui_tty_describe(int rows);
void ct_ui_tty_take(void);
void ct_ui_tty_leave(void);
bool ct_ui_tty_taken(void);
/* Another process group has the terminal: touching it would stop us, or disturb them. */
bool ct_ui_tty_background(void);

#endif
