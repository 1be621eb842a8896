/* Slices as files, read back with the libraries that other programs read them with. */
#include <comptop/report.h>

#include <math.h>
#include <png.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <tiffio.h>
#include <unistd.h>

#include <cmocka.h>

static const float values[6] = { -1, 0, 0.25f, 0.5f, 1, NAN };
static const struct ct_picture_file picture = { .values = values, .rows = 2, .cols = 3, .pixel_um = 5, .low = 0, .high = 1,
                                                .text = "attenuation 1/cm" };

static void tiff_keeps_every_value(void **state)
{
  char path[] = "/tmp/comptop-picture-XXXXXX", *text = NULL;
  struct ct_err err;
  (void)state;
  close(mkstemp(path));
  assert_int_equal(ct_picture_tiff(&picture, path, &err), 0);
  TIFF *tiff = TIFFOpen(path, "r");
  assert_non_null(tiff);
  float line[3], per_cm = 0;
  for (uint32_t r = 0; r < 2; r++) {
    assert_int_equal(TIFFReadScanline(tiff, line, r, 0), 1);
    assert_memory_equal(line, values + 3 * r, sizeof line);
  }
  assert_int_equal(TIFFGetField(tiff, TIFFTAG_XRESOLUTION, &per_cm), 1);
  assert_true(fabsf(per_cm - 2000) < 0.01f);
  assert_int_equal(TIFFGetField(tiff, TIFFTAG_IMAGEDESCRIPTION, &text), 1);
  assert_string_equal(text, "attenuation 1/cm");
  TIFFClose(tiff);
  unlink(path);
}

static void png_goes_from_black_to_white(void **state)
{
  static const unsigned char expected[12] = { 0, 255, 0, 255, 64, 255, 128, 255, 255, 255, 0, 0 };
  char path[] = "/tmp/comptop-picture-XXXXXX";
  unsigned char got[12];
  struct ct_err err;
  (void)state;
  close(mkstemp(path));
  assert_int_equal(ct_picture_png(&picture, path, &err), 0);
  png_image image = { .version = PNG_IMAGE_VERSION };
  assert_int_equal(png_image_begin_read_from_file(&image, path), 1);
  assert_int_equal(image.width, 3);
  assert_int_equal(image.height, 2);
  image.format = PNG_FORMAT_GA;
  assert_int_equal(png_image_finish_read(&image, NULL, got, 6, NULL), 1);
  assert_memory_equal(got, expected, sizeof got);
  unlink(path);
}

static void png_of_a_screen_has_its_colours(void **state)
{
  static uint8_t colours[6] = { 16, 231, 208, 109, 255, 232 };
  static const unsigned char expected[18] = { 0, 0, 0, 255, 255, 255, 255, 135, 0, 135, 175, 175, 238, 238, 238, 8, 8, 8 };
  const struct ct_pixels pixels = { .cell_width = 3, .cell_height = 2, .width = 3, .height = 2, .colour = colours };
  char path[] = "/tmp/comptop-picture-XXXXXX";
  unsigned char got[18];
  struct ct_err err;
  (void)state;
  close(mkstemp(path));
  assert_int_equal(ct_picture_pixels(&pixels, "comptop", path, &err), 0);
  png_image image = { .version = PNG_IMAGE_VERSION };
  assert_int_equal(png_image_begin_read_from_file(&image, path), 1);
  assert_int_equal(image.width, 3);
  assert_int_equal(image.height, 2);
  image.format = PNG_FORMAT_RGB;
  assert_int_equal(png_image_finish_read(&image, NULL, got, 9, NULL), 1);
  assert_memory_equal(got, expected, sizeof got);
  assert_int_equal(ct_picture_pixels(&pixels, "comptop", "/dev/null/screen.png", &err), CT_EIO);
  unlink(path);
}

static void says_where_nothing_can_be_written(void **state)
{
  struct ct_err err;
  (void)state;
  assert_int_equal(ct_picture_tiff(&picture, "/dev/null/slice.tif", &err), CT_EIO);
  assert_non_null(strstr(err.text, "/dev/null/slice.tif"));
  assert_int_equal(ct_picture_png(&picture, "/dev/null/slice.png", &err), CT_EIO);
  assert_non_null(strstr(err.text, "/dev/null/slice.png"));
}

int main(void)
{
  const struct CMUnitTest tests[] = { cmocka_unit_test(tiff_keeps_every_value), cmocka_unit_test(png_goes_from_black_to_white),
                                      cmocka_unit_test(png_of_a_screen_has_its_colours),
                                      cmocka_unit_test(says_where_nothing_can_be_written) };
  return cmocka_run_group_tests_name("picture", tests, NULL, NULL);
}
