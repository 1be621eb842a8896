/* bar: the colour bar beside a heatmap. */
#include "view/heatmap.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "view/words.h"

static const struct {
  int level;
  const char *ascii, *utf8;
} signs[] = {
  { CT_LEVEL_MASKED, ". mask", "· mask" },
  { CT_LEVEL_FAINT, "? few", "? few" },
  { CT_LEVEL_NAN, "x nan", "x nan" },
};

struct seen {
  bool coloured, below, above, sign[3];
};

static struct seen look(const struct ct_view_memory *memory)
{
  struct seen seen = { 0 };
  for (size_t i = 0; i < (size_t)memory->rows * memory->cols; i++) {
    if (memory->level[i] < 0)
      seen.sign[-memory->level[i] - 1] = true;
    else
      seen.coloured = true;
    if (memory->level[i] < 0)
      continue;
    if ((double)memory->value[i] < ct_range_value(memory, 0))
      seen.below = true;
    else if ((double)memory->value[i] > memory->high)
      seen.above = true;
  }
  return seen;
}

static void label(struct ct_canvas canvas, int row, double value, double span, const char *mark)
{
  char word[CT_WORD];
  int decimals = span >= 40 ? 0 : span >= 4 ? 1 : span >= 0.04 ? 2 : 3;
  const char *text = fabs(value) >= 10000 ? ct_word_brief(word, value) : ct_word_tick(word, value, decimals);
  bool tight = 2 + ct_text_columns(mark) + ct_text_columns(text) > CT_BAR_COLS;
  if (tight && strncmp(text, "-0.", 3) == 0)
    ct_canvas_text(canvas, row, 2, 0, "%s-%s", mark, text + 2);
  else
    ct_canvas_text(canvas, row, 2, 0, "%s%s", mark, text);
}

void ct_heatmap_bar(const struct ct_view *view, struct ct_canvas canvas)
{
  static const char *const units[CT_QUANTITIES] = { "L/H", "± L/H", "counts", "1/s", "σ", "σ", "hits/s", "x" };
  const struct ct_view_memory *memory = &view->memory;
  struct seen seen = look(memory);
  enum ct_range policy = view->range[memory->quantity][memory->difference].policy;
  int room = canvas.rows - 1 - (policy != CT_RANGE_AUTO), height = 1;
  for (size_t i = 0; i < sizeof signs / sizeof *signs; i++)
    room -= seen.sign[i];
  while (height * 2 <= room && height < 2 * CT_LEVELS)
    height *= 2;
  if (room < 4)
    return;
  double span = memory->high - memory->low;
  if (!seen.coloured)
    height = -1;                   /* no value, no scale: only what the signs mean */
  else
    ct_canvas_text(canvas, 0, 0, 0, "%s", units[view->quantity]);
  for (int row = 0; row < height; row++) {
    int level = CT_LEVELS - 1 - row * CT_LEVELS / height;
    for (int col = 0; col < 2; col++)
      if (view->colours)
        ct_canvas_put(canvas, 1 + row, col, ' ', CT_COLOUR_DEFAULT, ct_ramp_colour(ct_heatmap_ramp(view), level), 0);
      else
        ct_canvas_put(canvas, 1 + row, col, ct_ramp_shade(level), CT_COLOUR_DEFAULT, CT_COLOUR_DEFAULT, 0);
  }
  if (height > 0) {
    label(canvas, 1, memory->high, span, seen.above ? ">" : "");
    label(canvas, height, ct_range_value(memory, 0), span, seen.below ? "<" : "");
  }
  if (height >= 4)
    label(canvas, 1 + height / 2, ct_range_value(memory, 0.5), span, "");
  int row = 1 + height;
  if (policy != CT_RANGE_AUTO && height > 0)
    ct_canvas_text(canvas, row++, 0, policy == CT_RANGE_LOCKED ? CT_ATTR_REVERSE : 0, policy == CT_RANGE_LOCKED ? "LOCKED" : "SHARED");
  for (size_t i = 0; i < sizeof signs / sizeof *signs; i++)
    if (seen.sign[i])
      ct_canvas_coloured(canvas, row++, 0, CT_GREY, CT_ATTR_DIM, "%s", view->utf8 ? signs[i].utf8 : signs[i].ascii);
}
