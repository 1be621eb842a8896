/* pixels: a picture on a terminal that can show more than characters, through libchafa. It is sent in strips, each behind
 * the question whose answer says that the one before has arrived: so a slow link never has much of it on its way. */
#include <config.h>

#include "ui/internal.h"

#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>

#include "ui/tty.h"

enum { STRIP_ROWS = 6 /* at least */, SIXEL_HEIGHT = 6, LEAST_WIDTH = 6, LEAST_HEIGHT = 12, MOST = 64 };

/* The answer to DA1, "?62;4;22": what follows the first number are extensions, of which 4 is sixel graphics. */
void ct_ui_attributes(struct ct_ui *ui, const char *answer)
{
  for (const char *at = strchr(answer, ';'); at != NULL; at = strchr(at + 1, ';'))
    if (strtol(at + 1, NULL, 10) == 4)
      ui->sixel = true;
}

bool ct_ui_cell(const struct ct_ui *ui, int *width, int *height)
{
  struct winsize size = { 0 };
  ioctl(ui->fd, TIOCGWINSZ, &size);
  *width = size.ws_col ? size.ws_xpixel / size.ws_col : 0;
  *height = size.ws_row ? size.ws_ypixel / size.ws_row : 0;
  if (*width >= LEAST_WIDTH && *height >= LEAST_HEIGHT && *width <= MOST && *height <= MOST)
    return true;
  *width = LEAST_WIDTH;            /* smaller than most, so that it fits */
  *height = LEAST_HEIGHT;
  return false;
}

#ifdef HAVE_CHAFA
#include <chafa.h>

/* Within tmux and screen the terminal of the environment is not the one that draws. */
static bool in_multiplexer(void)
{
  const char *name = getenv("TERM");
  return getenv("TMUX") || getenv("STY") || (name && (strncmp(name, "tmux", 4) == 0 || strncmp(name, "screen", 6) == 0));
}

static bool speaks_kitty(void)
{
  gchar **environment = g_get_environ();
  ChafaTermInfo *info = chafa_term_db_detect(chafa_term_db_get_default(), environment);
  bool has = chafa_term_info_have_seq(info, CHAFA_TERM_SEQ_BEGIN_KITTY_IMMEDIATE_IMAGE_V1);
  chafa_term_info_unref(info);
  g_strfreev(environment);
  return has && !in_multiplexer();
}

const char *ct_ui_picture_refused(const struct ct_ui *ui)
{
  if (ui->sixel || speaks_kitty())
    return NULL;
  if (in_multiplexer())
    return "tmux and screen show no pixels: look from a terminal outside of them, or press w";
  return "this terminal shows no pixels (neither sixel nor kitty graphics); w saves them";
}

/* Rows <row>.. of the picture as the terminal wants them; to be freed with g_string_free. */
static GString *encode(const struct ct_ui_picture *picture, int row, int rows)
{
  const struct ct_pixels *pixels = &picture->pixels;
  int height = rows * pixels->cell_height;
  size_t n = (size_t)pixels->width * (size_t)height;
  const uint8_t *colour = pixels->colour + (size_t)row * (size_t)pixels->cell_height * (size_t)pixels->width;
  uint8_t *rgb = ct_xcalloc(n, 3);
  for (size_t i = 0; i < n; i++)
    ct_palette_rgb(colour[i], rgb + 3 * i);
  ChafaCanvasConfig *config = chafa_canvas_config_new();
  chafa_canvas_config_set_geometry(config, pixels->width / pixels->cell_width, rows);
  chafa_canvas_config_set_cell_geometry(config, pixels->cell_width, pixels->cell_height);
  chafa_canvas_config_set_pixel_mode(config, picture->kitty ? CHAFA_PIXEL_MODE_KITTY : CHAFA_PIXEL_MODE_SIXELS);
  /* The colours are those of this palette, so that rare ones are there too: only greys move, by one step. */
  chafa_canvas_config_set_canvas_mode(config, picture->kitty ? CHAFA_CANVAS_MODE_TRUECOLOR : CHAFA_CANVAS_MODE_INDEXED_240);
  chafa_canvas_config_set_dither_mode(config, CHAFA_DITHER_MODE_NONE);
  ChafaCanvas *canvas = chafa_canvas_new(config);
  chafa_canvas_draw_all_pixels(canvas, CHAFA_PIXEL_RGB8, rgb, pixels->width, height, 3 * pixels->width);
  ChafaTermInfo *info = chafa_term_db_get_fallback_info(chafa_term_db_get_default());
  GString *text = chafa_canvas_print(canvas, info);
  chafa_term_info_unref(info);
  chafa_canvas_unref(canvas);
  chafa_canvas_config_unref(config);
  free(rgb);
  return text;
}

/* A strip of sixels is a whole number of sixels and of rows high; what is left over stays empty. */
static int strip_rows(int cell_height)
{
  int unit = 1;
  while (unit * cell_height % SIXEL_HEIGHT != 0)
    unit++;
  return unit * ((STRIP_ROWS + unit - 1) / unit);
}

int ct_ui_picture_rows(const struct ct_ui *ui)
{
  int width, height, rows = ui->rows - 1;      /* a picture in the last row would scroll */
  ct_ui_cell(ui, &width, &height);
  while (ui->sixel && rows * height % SIXEL_HEIGHT != 0)
    rows--;
  return rows;
}

void ct_ui_picture_begin(struct ct_ui *ui, const struct ct_pixels *pixels)
{
  struct ct_ui_picture *picture = &ui->picture;
  int width, height;
  size_t n = (size_t)pixels->width * (size_t)pixels->height;
  chafa_set_n_threads(1);
  picture->pixels = *pixels;
  picture->pixels.colour = ct_xcalloc(n, 1);
  memcpy(picture->pixels.colour, pixels->colour, n);
  picture->rows = pixels->height / pixels->cell_height;
  picture->strip = ct_ui_cell(ui, &width, &height) ? strip_rows(height) : picture->rows;   /* strips of an unknown height would not meet */
  picture->row = 0;
  picture->kitty = !ui->sixel;
  picture->shown = true;
  ct_ui_queue(ui, "\033[0m\033[2J", 8);
}

int ct_ui_picture_more(struct ct_ui *ui)
{
  struct ct_ui_picture *picture = &ui->picture;
  char place[32];
  if (ct_ui_flush(ui) != 0)
    return CT_EIO;
  if (!picture->shown || picture->row >= picture->rows)
    return 0;
  if (!ct_ui_tty_taken() || !ct_ui_drained(ui))
    return 1;
  int rows = picture->rows - picture->row < picture->strip ? picture->rows - picture->row : picture->strip;
  GString *text = encode(picture, picture->row, rows);
  ct_ui_queue(ui, place, (size_t)snprintf(place, sizeof place, "\033[%d;1H", picture->row + 1));
  ct_ui_queue(ui, text->str, text->len);
  g_string_free(text, TRUE);
  picture->row += rows;
  if (picture->row >= picture->rows)
    ct_ui_queue(ui, place, (size_t)snprintf(place, sizeof place, "\033[%d;1Hany key goes back", ui->rows));
  ct_ui_ask(ui);
  return ct_ui_flush(ui) != 0 ? CT_EIO : picture->row < picture->rows;
}
#else
const char *ct_ui_picture_refused(const struct ct_ui *ui)
{
  (void)ui;
  return "comptop was built without libchafa: no pixels here; w saves them";
}

int ct_ui_picture_rows(const struct ct_ui *ui) { return ui->rows; }

void ct_ui_picture_begin(struct ct_ui *ui, const struct ct_pixels *pixels)
{
  (void)ui;
  (void)pixels;
}

int ct_ui_picture_more(struct ct_ui *ui) { return ct_ui_flush(ui); }
#endif

/* What is left of a strip is not sent; the string it is in is ended, whatever its kind. */
void ct_ui_picture_end(struct ct_ui *ui)
{
  struct ct_ui_picture *picture = &ui->picture;
  if (!picture->shown)
    return;
  if (ct_ui_pending(ui) > 0 && ui->asked > 0)
    ui->asked--;                   /* the question behind it is not sent either */
  ct_ui_drop(ui);
  ct_ui_queue(ui, "\033\\", 2);
  if (picture->kitty)
    ct_ui_queue(ui, "\033_Ga=d\033\\", 8);
  free(picture->pixels.colour);
  *picture = (struct ct_ui_picture){ .shown = false };
  ui->repaint = true;
}
