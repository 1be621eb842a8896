/* Slices and screens as files that other programs open. */
#include <comptop/report.h>

#include <errno.h>
#include <math.h>
#include <png.h>
#include <stdlib.h>
#include <string.h>
#include <tiffio.h>

/* ---- TIFF ---------------------------------------------------------------------------------------------------------- */
static bool tag(TIFF *tiff, const struct ct_picture_file *p)
{
  bool ok = TIFFSetField(tiff, TIFFTAG_IMAGEWIDTH, p->cols) && TIFFSetField(tiff, TIFFTAG_IMAGELENGTH, p->rows) &&
            TIFFSetField(tiff, TIFFTAG_SAMPLESPERPIXEL, 1) && TIFFSetField(tiff, TIFFTAG_BITSPERSAMPLE, 32) &&
            TIFFSetField(tiff, TIFFTAG_SAMPLEFORMAT, SAMPLEFORMAT_IEEEFP) &&
            TIFFSetField(tiff, TIFFTAG_PHOTOMETRIC, PHOTOMETRIC_MINISBLACK) &&
            TIFFSetField(tiff, TIFFTAG_PLANARCONFIG, PLANARCONFIG_CONTIG) &&
            TIFFSetField(tiff, TIFFTAG_ROWSPERSTRIP, 1) && TIFFSetField(tiff, TIFFTAG_IMAGEDESCRIPTION, p->text);
  double per_cm = 1e4 / p->pixel_um;
  if (ok && isfinite(per_cm) && per_cm > 0)
    ok = TIFFSetField(tiff, TIFFTAG_RESOLUTIONUNIT, RESUNIT_CENTIMETER) && TIFFSetField(tiff, TIFFTAG_XRESOLUTION, per_cm) &&
         TIFFSetField(tiff, TIFFTAG_YRESOLUTION, per_cm);
  return ok;
}

static uint32_t pages_of(const struct ct_picture_file *p)
{
  return p->pages > 0 ? p->pages : 1;
}

static bool write_lines(TIFF *tiff, const struct ct_picture_file *p, uint32_t page, float *line)
{
  bool ok = true;
  for (uint32_t r = 0; r < p->rows && ok; r++) {
    memcpy(line, p->values + ((size_t)page * p->rows + r) * p->cols, p->cols * sizeof *line);
    ok = TIFFWriteScanline(tiff, line, r, 0) == 1;
  }
  return ok;
}

int ct_picture_tiff(const struct ct_picture_file *p, const char *path, struct ct_err *err)
{
  TIFFErrorHandler before = TIFFSetErrorHandler(NULL);   /* it would write over the screen */
  errno = 0;
  TIFF *tiff = TIFFOpen(path, "w");
  bool ok = tiff != NULL;
  float *line = ct_xcalloc(p->cols, sizeof *line);
  for (uint32_t page = 0; page < pages_of(p) && ok; page++)
    ok = (page == 0 || TIFFWriteDirectory(tiff)) && tag(tiff, p) && write_lines(tiff, p, page, line);
  ok = ok && TIFFFlush(tiff);
  int why = errno;
  free(line);
  if (tiff)
    TIFFClose(tiff);
  TIFFSetErrorHandler(before);
  return ok ? 0 : ct_err_set(err, CT_EIO, "%s: %s", path, why ? strerror(why) : "cannot be written");
}

/* ---- PNG ----------------------------------------------------------------------------------------------------------- */
/* Grey and transparency of one row. */
static void shade(const struct ct_picture_file *p, uint32_t r, unsigned char *line)
{
  const float *row = p->values + ((size_t)(pages_of(p) / 2) * p->rows + r) * p->cols;
  for (uint32_t c = 0; c < p->cols; c++) {
    double at = ((double)row[c] - p->low) / (p->high - p->low);
    line[2 * c] = !isfinite(at) || at <= 0 ? 0 : at >= 1 ? 255 : (unsigned char)(255 * at + 0.5);
    line[2 * c + 1] = isfinite(row[c]) ? 255 : 0;
  }
}

static void quiet(png_structp png, png_const_charp text)
{
  (void)png;
  (void)text;
}

/* One of the two is there. */
struct png {
  const struct ct_picture_file *grey;
  const struct ct_pixels *pixels;
  char text[256];
};

static void head_of_grey(png_structp png, png_infop info, const struct ct_picture_file *p)
{
  png_set_IHDR(png, info, p->cols, p->rows, 8, PNG_COLOR_TYPE_GRAY_ALPHA, PNG_INTERLACE_NONE, PNG_COMPRESSION_TYPE_DEFAULT,
               PNG_FILTER_TYPE_DEFAULT);
  if (p->pixel_um > 0 && 1e6 / p->pixel_um < 1e9)
    png_set_pHYs(png, info, (png_uint_32)(1e6 / p->pixel_um + 0.5), (png_uint_32)(1e6 / p->pixel_um + 0.5), PNG_RESOLUTION_METER);
}

/* The palette as it is: the first 16, which are the terminal's own, are in no picture. */
static void head_of_pixels(png_structp png, png_infop info, const struct ct_pixels *pixels)
{
  png_color palette[256] = { 0 };
  for (int i = 16; i < 256; i++) {
    uint8_t rgb[3];
    ct_palette_rgb(i, rgb);
    palette[i] = (png_color){ rgb[0], rgb[1], rgb[2] };
  }
  png_set_IHDR(png, info, (png_uint_32)pixels->width, (png_uint_32)pixels->height, 8, PNG_COLOR_TYPE_PALETTE, PNG_INTERLACE_NONE,
               PNG_COMPRESSION_TYPE_DEFAULT, PNG_FILTER_TYPE_DEFAULT);
  png_set_PLTE(png, info, palette, 256);
}

static bool write_png(struct png *p, FILE *file, unsigned char *line)
{
  png_structp png = png_create_write_struct(PNG_LIBPNG_VER_STRING, NULL, NULL, quiet);
  png_infop info = png != NULL ? png_create_info_struct(png) : NULL;
  char key[] = "Description";
  if (info == NULL || setjmp(png_jmpbuf(png)) != 0) {
    png_destroy_write_struct(&png, &info);
    return false;
  }
  png_init_io(png, file);
  if (p->grey != NULL)
    head_of_grey(png, info, p->grey);
  else
    head_of_pixels(png, info, p->pixels);
  png_set_text(png, info, &(png_text){ .compression = PNG_TEXT_COMPRESSION_NONE, .key = key, .text = p->text }, 1);
  png_write_info(png, info);
  for (uint32_t r = 0; p->grey != NULL && r < p->grey->rows; r++) {
    shade(p->grey, r, line);
    png_write_row(png, line);
  }
  for (int r = 0; p->pixels != NULL && r < p->pixels->height; r++)
    png_write_row(png, p->pixels->colour + (size_t)r * (size_t)p->pixels->width);
  png_write_end(png, info);
  png_destroy_write_struct(&png, &info);
  return true;
}

static int png_file(struct png *p, const char *path, struct ct_err *err)
{
  errno = 0;
  FILE *file = fopen(path, "wb");
  if (file == NULL)
    return ct_err_set(err, CT_EIO, "%s: %s", path, strerror(errno));
  unsigned char *line = ct_xcalloc(p->grey != NULL ? p->grey->cols : 1, 2);
  bool ok = write_png(p, file, line);
  free(line);
  if (fclose(file) != 0 || !ok)
    return ct_err_set(err, CT_EIO, "%s: %s", path, errno ? strerror(errno) : "cannot be written");
  return 0;
}

int ct_picture_png(const struct ct_picture_file *p, const char *path, struct ct_err *err)
{
  struct png png = { .grey = p };
  snprintf(png.text, sizeof png.text, "%s; %.6g black, %.6g white, transparent: no value", p->text, p->low, p->high);
  return png_file(&png, path, err);
}

int ct_picture_pixels(const struct ct_pixels *pixels, const char *text, const char *path, struct ct_err *err)
{
  struct png png = { .pixels = pixels };
  snprintf(png.text, sizeof png.text, "%s", text);
  return png_file(&png, path, err);
}
