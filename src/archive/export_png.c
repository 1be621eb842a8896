/* A map as a picture. */
#include "archive/export.h"

#include <math.h>
#include <png.h>
#include <stdlib.h>
#include <string.h>

enum { ZOOM = 8 };                 /* picture pixels an edge of a map's pixel */

/* The 2nd and the 98th percentile of what is finite. */
static bool range_of(const float *map, size_t n, double *low, double *high)
{
  float *sorted = ct_xcalloc(n, sizeof *sorted);
  size_t used = 0;
  for (size_t i = 0; i < n; i++)
    if (isfinite(map[i]))
      sorted[used++] = map[i];
  if (used > 0) {
    qsort(sorted, used, sizeof *sorted, ct_by_float);
    *low = (double)sorted[used / 50];
    *high = (double)sorted[used - 1 - used / 50];
  }
  free(sorted);
  return used > 0;
}

static void describe(png_structp png, png_infop info, double low, double high)
{
  char title[] = "Title", range[] = "Description", what[] = "EMF map", text[96];
  snprintf(text, sizeof text, "EMF %.6g (black) to %.6g (white); transparent: no value", low, high);
  png_text texts[2] = { { .compression = PNG_TEXT_COMPRESSION_NONE, .key = title, .text = what },
                        { .compression = PNG_TEXT_COMPRESSION_NONE, .key = range, .text = text } };
  png_set_text(png, info, texts, 2);
}

/* Grey and transparency of one row of the map. */
static void shade(const float *row, uint32_t cols, double low, double high, unsigned char *line)
{
  for (uint32_t c = 0; c < cols; c++) {
    const double value = (double)row[c], x = high > low ? (value - low) / (high - low) : 0.5;
    const unsigned char grey = !isfinite(value) ? 0 : x <= 0 ? 0 : x >= 1 ? 255 : (unsigned char)(255 * x + 0.5);
    for (int z = 0; z < ZOOM; z++) {
      line[2 * (ZOOM * c + (unsigned)z)] = grey;
      line[2 * (ZOOM * c + (unsigned)z) + 1] = isfinite(value) ? 255 : 0;
    }
  }
}

static bool write_picture(const struct ct_findings *f, FILE *file, unsigned char *line, double low, double high)
{
  png_structp png = png_create_write_struct(PNG_LIBPNG_VER_STRING, NULL, NULL, NULL);
  png_infop info = png != NULL ? png_create_info_struct(png) : NULL;
  if (info == NULL || setjmp(png_jmpbuf(png)) != 0) {
    png_destroy_write_struct(&png, &info);
    return false;
  }
  png_init_io(png, file);
  png_set_IHDR(png, info, f->cols * ZOOM, f->rows * ZOOM, 8, PNG_COLOR_TYPE_GRAY_ALPHA, PNG_INTERLACE_NONE,
               PNG_COMPRESSION_TYPE_DEFAULT, PNG_FILTER_TYPE_DEFAULT);
  describe(png, info, low, high);
  png_write_info(png, info);
  for (uint32_t r = 0; r < f->rows; r++) {
    shade(f->emf + (size_t)r * f->cols, f->cols, low, high, line);
    for (int z = 0; z < ZOOM; z++)
      png_write_row(png, line);
  }
  png_write_end(png, info);
  png_destroy_write_struct(&png, &info);
  return true;
}

int ct_export_png(const struct ct_findings *f, const char *path, struct ct_err *err)
{
  double low = 0, high = 1;
  FILE *file;
  range_of(f->emf, (size_t)f->rows * f->cols, &low, &high);
  int rc = ct_export_begin(&file, path, err);
  if (rc != 0)
    return rc;
  unsigned char *line = ct_xcalloc((size_t)f->cols * ZOOM, 2);
  if (!write_picture(f, file, line, low, high))
    rc = ct_err_set(err, CT_EIO, "%s: cannot be written", path);
  free(line);
  return ct_export_end(file, path, rc, err);
}
