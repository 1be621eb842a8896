/* The screen that tests of view draw on. */
#ifndef TESTS_VIEW_SCREEN_H
#define TESTS_VIEW_SCREEN_H

#include <comptop/view.h>

enum { ROWS_MAX = 70, COLS_MAX = 220 };
extern struct ct_view view;
extern struct ct_grid grid;

/* Renders with <view> at this size. */
void render(const struct ct_snapshot *snapshot, int rows, int cols);
/* The text of one row in ASCII; anything else as '?'. Valid until the next call. */
const char *row_text(int row);
bool screen_has(const char *text);
/* Every glyph is one that the terminal can show, and none was written outside. */
void assert_glyphs(void);

#endif
