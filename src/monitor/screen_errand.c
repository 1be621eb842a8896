/* Errands: a picture that is asked for once, with all its sections, to be saved or shown in pixels. */
#include "screen_state.h"

#include <stdlib.h>

#include "paint.h"

enum { SAVED_MS = 8000, ERRAND_PICTURES = 4 };

/* The sections that what is done with the next picture needs. */
size_t screen_errand_requests(const struct screen *s, struct ct_request requests[SAVE_REQUESTS])
{
  switch (s->errand) {
  case SAVING: return save_requests(s->view, s->grid.rows, s->grid.cols, requests);
  case PIXELS: return ct_view_requests(s->view, ct_ui_picture_rows(s->ui), s->grid.cols, requests, CT_VIEW_REQUESTS);
  case NO_ERRAND: break;
  }
  return 0;
}

static void save_picture(struct screen *s, const struct ct_snapshot *snapshot)
{
  const struct save save = { .view = s->view, .snapshot = snapshot, .rows = s->grid.rows, .cols = s->grid.cols,
                             .folder = ct_settings_text(s->setup->settings, "screen.folder") };
  save_view(&save, s->said, sizeof s->said);
  s->said_until_ms = uv_now(s->loop) + SAVED_MS;
}

static void show_pixels(struct screen *s, const struct ct_snapshot *snapshot)
{
  struct ct_pixels pixels;
  int rows = ct_ui_picture_rows(s->ui);
  ct_ui_cell(s->ui, &pixels.cell_width, &pixels.cell_height);
  if (rows < 1)
    return;
  paint_view(s->view, snapshot, rows, s->grid.cols, &pixels);
  ct_ui_picture_begin(s->ui, &pixels);
  free(pixels.colour);
  s->pixels = true;
}

void screen_end_pixels(struct screen *s)
{
  ct_ui_picture_end(s->ui);
  s->pixels = false;
}

/* A picture with all sections does not come where there is nothing yet to make one of. */
void screen_do_errand(struct screen *s, const struct ct_snapshot *snapshot)
{
  struct ct_request requests[SAVE_REQUESTS];
  size_t n = screen_errand_requests(s, requests), found = 0;
  while (found < n && ct_snapshot_find(snapshot, &requests[found], 0, NULL) != NULL)
    found++;
  if (--s->errand_pictures > 0 && found < n)
    return;
  if (s->errand == SAVING)
    save_picture(s, snapshot);
  else if (s->errand == PIXELS)
    show_pixels(s, snapshot);
  s->errand = NO_ERRAND;
}

void screen_begin_errand(struct screen *s, int errand)
{
  const char *refused = s->snapshot == NULL ? "there is no picture yet" : errand == PIXELS ? ct_ui_picture_refused(s->ui) : NULL;
  if (refused != NULL) {
    screen_tell(s, refused);
    return;
  }
  s->errand = errand;
  s->errand_pictures = s->view->frozen ? 1 : ERRAND_PICTURES;
  if (s->view->frozen)
    screen_do_errand(s, s->snapshot);
  else
    screen_ask(s);
}
