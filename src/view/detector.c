/* detector: how it is, in the lines of the health panel. */
#include "view/panels.h"

#include <math.h>
#include <stdio.h>

#include "view/words.h"

/* With <decimals>, or "-". */
static const char *figure(char out[CT_WORD], double value, int decimals)
{
  if (isfinite(value) && fabs(value) < 1e9)
    snprintf(out, CT_WORD, "%.*f", decimals, value);
  else
    snprintf(out, CT_WORD, "-");
  return out;
}

static void draw_rates(const struct ct_snapshot_health *health, struct ct_canvas canvas, int *row)
{
  char a[CT_WORD], b[CT_WORD], c[CT_WORD], d[CT_WORD], e[CT_WORD];
  if (!isfinite(health->hits_per_frame)) {
    ct_canvas_text(canvas, (*row)++, 0, 0, "detector no frames yet");
    return;
  }
  ct_canvas_text(canvas, (*row)++, 0, 0, "detector %s ± %s hits a frame; %s %% single, %s %% double, %s %% more",
                 figure(a, health->hits_per_frame, 1), figure(b, health->hits_spread, 1), figure(c, 100 * health->single, 0),
                 figure(d, 100 * health->dbl, 0), figure(e, 100 * health->multiple, 0));
}

/* What is not masked stands out: it is what x would mask. */
static void draw_pixels(const struct ct_snapshot_health *health, struct ct_canvas canvas, int *row)
{
  char a[CT_WORD], b[CT_WORD];
  bool open = health->hot_unmasked + health->dead_unmasked > 0;
  int col = ct_canvas_text(canvas, *row, 0, open ? CT_ATTR_BOLD : 0, "  pixels %u hot, %u dead, %u off, %u masked%s%s",
                           (unsigned)health->hot, (unsigned)health->dead, (unsigned)health->off, (unsigned)health->masked,
                           health->automatic ? " (auto)" : "",
                           open ? ", x masks them" : health->masked > 0 ? ", x lets them in" : "");
  ct_canvas_text(canvas, (*row)++, col, 0, "; median %s hits/s in %s", ct_word_short(a, health->rate_median_hz),
                 ct_word_time(b, health->window_s));
  if (health->n_pixels == 0)
    return;
  col = 2;
  for (uint32_t i = 0; i < health->n_pixels && i < CT_SNAPSHOT_PIXELS && col < canvas.cols; i++) {
    const struct ct_snapshot_pixel *pixel = &health->pixels[i];
    col = ct_canvas_text(canvas, *row, col, pixel->masked ? CT_ATTR_DIM : CT_ATTR_BOLD, "%u,%u %s %s/s%s  ",
                         (unsigned)pixel->x, (unsigned)pixel->y, ct_fault_word(pixel->fault),
                         ct_word_short(a, pixel->rate_hz), pixel->masked ? " masked" : "");
  }
  ++*row;
}

static void draw_events(const struct ct_snapshot_health *health, struct ct_canvas canvas, int *row)
{
  char a[CT_WORD];
  int col = ct_canvas_text(canvas, *row, 0, 0, "  row floods %s", ct_word_short(a, (double)health->row_floods));
  if (health->flooded_row != CT_ABSENT)
    col = ct_canvas_text(canvas, *row, col, 0, " (row %llu, frame %llu)", (unsigned long long)health->flooded_row,
                         (unsigned long long)health->flooded_frame);
  col = ct_canvas_text(canvas, *row, col, 0, "; level jumps %s", ct_word_short(a, (double)health->jumps));
  if (health->jump_frame != CT_ABSENT && isfinite(health->jump_ADU))
    ct_canvas_text(canvas, *row, col, 0, " (%+.1f ADU, frame %llu)", health->jump_ADU,
                   (unsigned long long)health->jump_frame);
  ++*row;
  if (!isfinite(health->drift_median_ADU) || health->drift_x == CT_ABSENT)
    return;
  ct_canvas_text(canvas, (*row)++, 0, 0, "  darks have drifted by %+.2f ADU (median), most by %+.1f ADU at %llu,%llu",
                 fabs(health->drift_median_ADU) < 0.005 ? 0.0 : health->drift_median_ADU, health->drift_max_ADU,
                 (unsigned long long)health->drift_x, (unsigned long long)health->drift_y);
}

void ct_panel_detector(const struct ct_snapshot_health *health, struct ct_canvas canvas, int *row)
{
  if (!health->present)
    return;
  draw_rates(health, canvas, row);
  draw_pixels(health, canvas, row);
  draw_events(health, canvas, row);
}
