#include "save.h"

#include <errno.h>
#include <limits.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <comptop/report.h>

#include "paint.h"

enum { LEAST_ROWS = 24, LEAST_COLS = 80, CELL_WIDTH = 12, CELL_HEIGHT = 24, PATH_BYTES = PATH_MAX,
       NAME_BYTES = PATH_BYTES - 16 };

static const char *path_of(const char *name, const char *ending, char path[PATH_BYTES])
{
  snprintf(path, PATH_BYTES, "%.*s.%s", NAME_BYTES, name, ending);
  return path;
}

static int at_least(int n, int least) { return n < least ? least : n; }

size_t save_requests(const struct ct_view *view, int rows, int cols, struct ct_request out[SAVE_REQUESTS])
{
  size_t n = ct_view_requests(view, at_least(rows, LEAST_ROWS), at_least(cols, LEAST_COLS), out, CT_VIEW_REQUESTS);
  n += ct_view_whole(view, &out[n]);
  out[n++] = (struct ct_request){ .kind = CT_SECTION_SETTINGS };
  return n;
}

/* The settings that made the picture, as a configuration file; to be freed. NULL: they did not come with it. */
static char *settings_of(const struct ct_snapshot *snapshot)
{
  const struct ct_request request = { .kind = CT_SECTION_SETTINGS };
  struct ct_settings_view found;
  struct ct_packed_setting setting;
  char *text = NULL, section[64] = "";
  size_t bytes, at = 0;
  FILE *out = ct_snapshot_settings(snapshot, &request, &found) ? open_memstream(&text, &bytes) : NULL;
  while (out != NULL && ct_settings_unpack(found.packed, found.head->bytes, &at, &setting)) {
    const char *first = strchr(setting.path, '.'), *last = strrchr(setting.path, '.');
    if (first == NULL)
      continue;                    /* of the command line only */
    int length = (int)(last - setting.path);
    if (strncmp(section, setting.path, (size_t)length) != 0 || section[length] != '\0') {
      snprintf(section, sizeof section, "%.*s", length, setting.path);
      fprintf(out, "%s[%.*s", at > 0 ? "\n" : "", (int)(first - setting.path), setting.path);
      fprintf(out, first < last ? " %.*s]\n" : "]\n", (int)(last - first - 1), first + 1);
    }
    fprintf(out, *setting.text ? "%s = %s\n" : "%s =\n", last + 1, setting.text);
  }
  if (out != NULL && fclose(out) != 0) {
    free(text);
    text = NULL;
  }
  return text;
}

/* ---- the camera's pictures, value by value ------------------------------------------------------------------------ */
/* What is black and what is white: the 1st and the 99th of a hundred. False: no value at all. */
static bool set_range(struct ct_picture_file *picture)
{
  size_t all = (size_t)picture->rows * picture->cols * (picture->pages ? picture->pages : 1), n = 0;
  float *sorted = ct_xcalloc(all, sizeof *sorted);
  for (size_t i = 0; i < all; i++)
    if (isfinite(picture->values[i]))
      sorted[n++] = picture->values[i];
  if (n > 0) {
    qsort(sorted, n, sizeof *sorted, ct_by_float);
    picture->low = (double)sorted[n / 100];
    picture->high = (double)sorted[n - 1 - n / 100];
    if (!(picture->high > picture->low))
      picture->high = picture->low + 1;
  }
  free(sorted);
  return n > 0;
}

static struct ct_picture_file file_of(const struct ct_image_view *image, const struct ct_request *request)
{
  uint32_t rows = image->head->rows, cols = image->head->cols, pages = request->x == CT_IMAGE_VOLUME ? rows / cols : 1;
  return (struct ct_picture_file){ .values = image->values, .rows = rows / pages, .cols = cols, .pages = pages,
                                   .pixel_um = image->head->pixel_um };
}

/* Whether it is still being painted for the first time: where it is not, it is filled with what lies beside. */
static bool is_rough(const struct ct_image_view *image, const struct ct_request *request)
{
  return request->x >= CT_IMAGE_XY && image->head->projections == 0;
}

/* The whole slice where it came, else as on the screen; of how many projections it is. False: none. */
static bool find_picture(const struct save *save, struct ct_picture_file *picture, uint32_t *projections)
{
  struct ct_request requests[SAVE_REQUESTS];
  size_t n = save_requests(save->view, save->rows, save->cols, requests);
  if (save->view->panel != CT_PANEL_TOMO)
    return false;
  *projections = save->snapshot->core.ct.in_slice;
  while (n-- > 0) {
    struct ct_slice_view slice;
    struct ct_image_view image;
    if (ct_snapshot_slice(save->snapshot, &requests[n], &slice))
      *picture = (struct ct_picture_file){ .values = slice.values, .rows = slice.head->size, .cols = slice.head->size,
                                           .pixel_um = slice.head->pixel_um };
    else if (ct_snapshot_image(save->snapshot, &requests[n], &image) && !is_rough(&image, &requests[n])) {
      *picture = file_of(&image, &requests[n]);
      *projections = requests[n].x >= CT_IMAGE_XY ? image.head->projections : *projections;
    } else
      continue;
    return set_range(picture);
  }
  return false;
}

static int write_picture(const struct save *save, struct ct_picture_file *picture, uint32_t projections, const char *name,
                         struct ct_err *err)
{
  const struct ct_snapshot_ct *ct = &save->snapshot->core.ct;
  const enum ct_picture shown = save->view->picture;
  const char *what = shown == CT_PICTURE_PROJECTION ? "transmission" : shown == CT_PICTURE_SINOGRAM ? "-ln(transmission)" : "attenuation";
  bool reconstructed = shown != CT_PICTURE_PROJECTION && shown != CT_PICTURE_SINOGRAM;
  char path[PATH_BYTES], text[160];
  snprintf(text, sizeof text, "%s%s, row %u, %u projections, %.1f of %g degrees, axis %.2f px", what,
           !reconstructed ? "" : isfinite(picture->pixel_um) ? " 1/cm" : " per pixel", (unsigned)ct->slice_row,
           (unsigned)projections, ct->covered_deg, ct->rotation_deg, ct->axis_px);
  picture->text = text;
  int code = ct_picture_tiff(picture, path_of(name, "tif", path), err);
  return code == 0 ? ct_picture_png(picture, path_of(name, "png", path), err) : code;
}

/* ---- the screen ----------------------------------------------------------------------------------------------------- */
static int write_ansi(const struct save *save, FILE *out)
{
  struct ct_grid grid = paint_grid(save->rows, save->cols);
  struct ct_view *view = paint_copy(save->view);
  ct_view_render(view, save->snapshot, &grid);
  int code = ct_keep_ansi(&grid, out);
  free(view);
  free(grid.glyphs);
  return code;
}

static int write_png(const struct save *save, const char *name, struct ct_err *err)
{
  char path[PATH_BYTES], text[160], when[CT_TIME_TEXT];
  struct ct_pixels pixels = { .cell_width = CELL_WIDTH, .cell_height = CELL_HEIGHT };
  paint_view(save->view, save->snapshot, at_least(save->rows, LEAST_ROWS), at_least(save->cols, LEAST_COLS), &pixels);
  snprintf(text, sizeof text, "comptop %s, %s, %s", save->snapshot->core.run, ct_panel_word(save->view->panel),
           ct_time_text(save->snapshot->core.wall_ns, when));
  int code = ct_picture_pixels(&pixels, text, path_of(name, "png", path), err);
  free(pixels.colour);
  return code;
}

/* ---- the files --------------------------------------------------------------------------------------------------------- */
static const char *const endings[] = { "tsv", "json", "ansi", "png", "tif" };
enum { ENDINGS = sizeof endings / sizeof *endings };

static bool is_free(const char *name)
{
  char path[PATH_BYTES];
  for (int i = 0; i < ENDINGS; i++)
    if (access(path_of(name, endings[i], path), F_OK) == 0)
      return false;
  return true;
}

/* Without an ending. A run may be called anything. False: the folder's name is too long. */
static bool name_it(const struct save *save, char name[NAME_BYTES])
{
  const struct ct_snapshot_core *core = &save->snapshot->core;
  struct ct_request requests[SAVE_REQUESTS];
  (void)save_requests(save->view, save->rows, save->cols, requests);
  const char *view = save->view->panel != CT_PANEL_TOMO ? ct_panel_word(save->view->panel) :
                     requests[0].kind == CT_SECTION_IMAGE ? ct_image_word((enum ct_image)requests[0].x) : "slice";
  char folder[PATH_MAX], when[32];
  time_t second = (time_t)(core->wall_ns / CT_NS_PER_S);
  struct tm utc;
  gmtime_r(&second, &utc);
  strftime(when, sizeof when, "%Y%m%dT%H%M%S", &utc);
  if (realpath(*save->folder ? save->folder : ".", folder) == NULL)
    snprintf(folder, sizeof folder, "%s", save->folder);
  int base = snprintf(name, NAME_BYTES, "%s/comptop-%s-%s-%s.%03dZ", folder, core->run, view, when,
                      (int)(core->wall_ns % CT_NS_PER_S / 1000000));
  if (base < 0 || base > NAME_BYTES - 8)
    return false;
  for (char *c = name + strlen(folder) + 1; *c != '\0'; c++)
    if (*c == '/' || (unsigned char)*c < 0x20)
      *c = '_';
  for (unsigned i = 2; i < 1000 && !is_free(name); i++)     /* the picture of one moment, saved again */
    snprintf(name + base, NAME_BYTES - (size_t)base, "-%u", i);
  return true;
}

enum form { TSV, JSON, ANSI };

static int write_form(const struct save *save, enum form form, FILE *out)
{
  struct ct_request requests[SAVE_REQUESTS], whole;
  struct ct_kept kept = { .view = save->view, .snapshot = save->snapshot, .requests = requests };
  if (form == ANSI)
    return write_ansi(save, out);
  kept.n_requests = save_requests(save->view, save->rows, save->cols, requests) - 1 - ct_view_whole(save->view, &whole);
  if (form == TSV)
    return ct_keep_tsv(&kept, out);
  char *settings = settings_of(save->snapshot);
  kept.settings = settings;
  int code = ct_keep_json(&kept, out);
  free(settings);
  return code;
}

static int write_file(const struct save *save, enum form form, const char *name, struct ct_err *err)
{
  char path[PATH_BYTES];
  errno = 0;
  FILE *out = fopen(path_of(name, endings[form], path), "wx");
  if (out == NULL)
    return ct_err_set(err, CT_EIO, "%s: %s", path, strerror(errno));
  int code = write_form(save, form, out);
  if (fclose(out) != 0 && code == 0)
    code = CT_EIO;
  if (code == 0)
    return 0;
  ct_err_set(err, code, "%s: %s", path, errno ? strerror(errno) : "cannot be written");
  unlink(path);
  return code;
}

/* What was begun and not finished: nobody should take it for whole. */
static void remove_all(const char *name)
{
  char path[PATH_BYTES];
  for (int i = 0; i < ENDINGS; i++)
    unlink(path_of(name, endings[i], path));
}

static int write_all(const struct save *save, const char *name, bool *tiff, struct ct_err *err)
{
  struct ct_picture_file picture;
  uint32_t projections;
  int code = write_file(save, TSV, name, err);
  if (code != 0)
    return code;                   /* nothing of ours is there */
  for (enum form form = JSON; form <= ANSI && code == 0; form++)
    code = write_file(save, form, name, err);
  *tiff = find_picture(save, &picture, &projections);
  if (code == 0)
    code = *tiff ? write_picture(save, &picture, projections, name, err) : write_png(save, name, err);
  if (code != 0)
    remove_all(name);
  return code;
}

void save_view(const struct save *save, char *said, size_t bytes)
{
  char name[NAME_BYTES], line[NAME_BYTES + 64];
  struct ct_err err = { "" };
  bool tiff = false;
  if (!name_it(save, name)) {
    snprintf(said, bytes, "not saved: the name of the folder is too long");
    return;
  }
  if (write_all(save, name, &tiff, &err) != 0) {
    snprintf(said, bytes, "not saved: %s", err.text);
    return;
  }
  /* A path too long for the line is cut at its beginning. */
  bool rough = !tiff && save->view->panel == CT_PANEL_TOMO && save->view->picture >= CT_PICTURE_XY;
  snprintf(line, sizeof line, "saved %s .tsv .json .ansi .png%s", name, tiff ? " .tif" : rough ? ", no .tif: not yet painted" : "");
  size_t length = strlen(line), room = (size_t)save->cols < bytes - 1 ? (size_t)save->cols : bytes - 1;
  if (length > room && room > 12)
    snprintf(said, bytes, "saved ...%s", line + length - (room - 9));
  else
    snprintf(said, bytes, "%s", line);
}
