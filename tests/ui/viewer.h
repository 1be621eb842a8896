/* A small program around ui, as a child of term_start: shows grids made by hand, obeys keys and signals.
 * Ownership: the scene is memory shared with the child, of viewer_scene until viewer_free. */
#ifndef TESTS_UI_VIEWER_H
#define TESTS_UI_VIEWER_H

#include <stdatomic.h>
#include <stdbool.h>

#include <comptop/ui.h>

enum viewer_picture {
  VIEWER_TEXT,             /* row 0 "rows x cols", row 1 "key HEX" of the last keys, then viewer_glyph */
  VIEWER_STILL,            /* viewer_glyph everywhere */
  VIEWER_NOISE             /* a new random map each frame, as fast as it goes */
};
enum { VIEWER_REFUSED = 10, VIEWER_INTERRUPTED, VIEWER_VANISHED, VIEWER_BACKGROUND, VIEWER_WRONG };
struct viewer_scene {
  /* set before the start */
  enum viewer_picture picture;
  struct ct_ui_options options;
  /* set by the child; atomics are relaxed: each is a figure of its own */
  bool utf8, colours, accents;
  struct ct_err err;
  atomic_ulong shown, skipped, bytes, answers;
};
struct viewer_scene *viewer_scene(enum viewer_picture picture);
void viewer_free(struct viewer_scene *scene);

/* What stands in the still picture: characters, colours and attributes in all their mixtures. */
struct ct_glyph viewer_glyph(int row, int col);

/* The child. Keys: M the mouse on or off, a click says "click ROW COL" in row 2; q close and exit 0; x exit(3) without closing; A abort; S a SIGSEGV sent; F a real fault;
 * l repaint; B to the background: exits VIEWER_BACKGROUND if the terminal was left alone. SIGINT: VIEWER_INTERRUPTED;
 * SIGTSTP and SIGWINCH as a shell user expects; vanished terminal: VIEWER_VANISHED; no ui: VIEWER_REFUSED. */
int viewer(void *scene);

#endif
