/* What the files of ui share. */
#ifndef CT_UI_INTERNAL_H
#define CT_UI_INTERNAL_H

#include <stdio.h>

#define NCURSES_NOMACROS
#include <ncurses.h>

#include <comptop/ui.h>

/* Curses draws into memory (an unnamed file), from where the terminal is fed as it takes it: so no write waits. */
/* A picture in pixels that is on its way, or there. */
struct ct_ui_picture {
  bool shown, kitty;               /* kitty's graphics, else sixels */
  struct ct_pixels pixels;         /* a copy */
  int rows, strip, row;            /* of characters: all, those sent at a time, the next one */
};

struct ct_ui {
  int fd;                          /* the terminal, non-blocking */
  FILE *keys;                      /* the same, as curses wants it */
  FILE *frame;                     /* what curses writes */
  size_t queued, sent;             /* bytes of <frame> written, and of these taken by the terminal */
  SCREEN *screen;
  WINDOW *input;                   /* keys are read through a pad, which curses does not refresh */
  int rows, cols;
  bool utf8, colours;
  bool accents;                    /* 8 or 16 colours: words have them, maps do not */
  bool plain;                      /* by its name: too old for UTF-8, and for being asked what it knows beyond terminfo */
  bool synced;                     /* shows a frame at once, when told where it begins and ends */
  bool mouse;                      /* clicks are keys */
  int click_row, click_col;        /* the last one */
  bool sixel;                      /* it said that it shows sixels */
  struct ct_ui_picture picture;
  char sequence[64];               /* what came of a sequence that is no key */
  size_t sequence_length;
  bool in_sequence;
  bool repaint;                    /* owed since a resize or a resume */
  bool gone;
  /* Behind each frame goes the question "are you well?", answered by the terminal when it has read so far: the only
   * sign of a backlog in ssh and in the network. Some terminals never answer; those are not waited for. */
  enum { CT_UI_NOT_ASKABLE, CT_UI_UNKNOWN, CT_UI_SILENT, CT_UI_ANSWERS } manners;
  unsigned asked;                  /* questions without an answer */
  int64_t asked_ns;                /* the last one */
  struct ct_ui_stats stats;
};

/* The question, its answer, and the code that curses gives for the answer (no key has it). */
#define CT_UI_QUESTION "\033[5n"
#define CT_UI_ANSWER "\033[0n"
/* Whether the terminal knows synchronised output (DEC mode 2026): asked once; it answers set or reset, or not at all. */
#define CT_UI_SYNC_QUESTION "\033[?2026$p"
#define CT_UI_SYNC_SET "\033[?2026;1$y"
#define CT_UI_SYNC_RESET "\033[?2026;2$y"
#define CT_UI_FRAME_BEGIN "\033[?2026h"
#define CT_UI_FRAME_END "\033[?2026l"
enum { CT_UI_ANSWERED = 0x7000, CT_UI_SYNCS };

/* What the terminal is: asked once (DA1). */
#define CT_UI_ATTRIBUTES_QUESTION "\033[c"

/* Its answer, from the question mark on. */
void ct_ui_attributes(struct ct_ui *ui, const char *answer);
/* Has the last frame arrived, as far as that can be known? */
bool ct_ui_drained(struct ct_ui *ui);
/* Adds bytes behind what is queued; false if they find no room. */
bool ct_ui_queue(struct ct_ui *ui, const char *bytes, size_t length);
/* Asks, behind what is queued. */
void ct_ui_ask(struct ct_ui *ui);
void ct_ui_answered(struct ct_ui *ui);
/* Forgets what is queued and not yet sent. */
void ct_ui_drop(struct ct_ui *ui);

#endif
