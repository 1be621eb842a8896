/* Reading HDF5 files that this test makes with the C library itself, whole ones and broken ones. */
#include <comptop/archive.h>

#include <hdf5.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>
#include "tests/archive/scratch.h"

/* The library itself leaks when it gives up on a damaged file. */
const char *__lsan_default_suppressions(void);
const char *__lsan_default_suppressions(void) { return "leak:libhdf5"; }

enum { N = 21, ROWS = 6, COLS = 5 };
static char path[128];

static void put(hid_t file, const char *name, int rank, const hsize_t *dims, hid_t stored, hid_t native, const void *data,
                bool packed)
{
  hid_t space = H5Screate_simple(rank, dims, NULL), plist = H5Pcreate(H5P_DATASET_CREATE);
  if (packed) {
    hsize_t chunk[] = { 4, ROWS, COLS };
    assert_true(H5Pset_chunk(plist, 3, chunk) >= 0);
    assert_true(H5Pset_shuffle(plist) >= 0);
    assert_true(H5Pset_deflate(plist, 6) >= 0);
  }
  hid_t set = H5Dcreate2(file, name, stored, space, H5P_DEFAULT, plist, H5P_DEFAULT);
  assert_true(set >= 0);
  assert_true(H5Dwrite(set, native, H5S_ALL, H5S_ALL, H5P_DEFAULT, data) >= 0);
  H5Dclose(set);
  H5Pclose(plist);
  H5Sclose(space);
}

static void units(hid_t file, const char *name, const char *text, bool variable)
{
  hid_t set = H5Dopen2(file, name, H5P_DEFAULT), type = H5Tcopy(H5T_C_S1), space = H5Screate(H5S_SCALAR);
  H5Tset_size(type, variable ? H5T_VARIABLE : strlen(text));
  hid_t attribute = H5Acreate2(set, "units", type, space, H5P_DEFAULT, H5P_DEFAULT);
  assert_true(H5Awrite(attribute, type, variable ? (const void *)&text : (const void *)text) >= 0);
  H5Aclose(attribute);
  H5Sclose(space);
  H5Tclose(type);
  H5Dclose(set);
}

static uint16_t value(size_t k, size_t i) { return (uint16_t)(1000 * k + 7 * i); }

static int make_files(void **state)
{
  if (make_folder(state) != 0)
    return -1;
  snprintf(path, sizeof path, "%s/a:file.h5", folder);
  uint16_t frames[N][ROWS * COLS];
  float floats[ROWS * COLS];
  double angle[N], wide[ROWS * COLS];
  for (size_t k = 0; k < N; k++) {
    angle[k] = (double)k * 0.1;
    for (size_t i = 0; i < ROWS * COLS; i++)
      frames[k][i] = value(k, i);
  }
  for (size_t i = 0; i < ROWS * COLS; i++) {
    floats[i] = (float)i + 0.5f;
    wide[i] = -1.25 * (double)i;
  }
  const hsize_t stack[] = { N, ROWS, COLS }, pair[] = { 2, ROWS, COLS }, cells[] = { ROWS * COLS }, cube[] = { 1, 1, ROWS, COLS };
  hid_t file = H5Fcreate(path, H5F_ACC_TRUNC, H5P_DEFAULT, H5P_DEFAULT);
  H5Gclose(H5Gcreate2(file, "entry", H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT));
  put(file, "entry/data", 3, stack, H5T_STD_U16BE, H5T_NATIVE_UINT16, frames, true);
  put(file, "map", 2, stack + 1, H5T_IEEE_F32LE, H5T_NATIVE_FLOAT, floats, false);
  put(file, "line", 1, cells, H5T_IEEE_F64LE, H5T_NATIVE_DOUBLE, wide, false);
  put(file, "pair", 3, pair, H5T_STD_U16LE, H5T_NATIVE_UINT16, frames, false);
  put(file, "cube", 4, cube, H5T_STD_U16LE, H5T_NATIVE_UINT16, frames, false);
  put(file, "angle", 1, stack, H5T_IEEE_F64LE, H5T_NATIVE_DOUBLE, angle, false);
  put(file, "radians", 1, stack, H5T_IEEE_F64BE, H5T_NATIVE_DOUBLE, angle, false);
  put(file, "radians2", 1, stack, H5T_IEEE_F64LE, H5T_NATIVE_DOUBLE, angle, false);
  units(file, "angle", "deg", true);
  units(file, "radians", "radian", true);
  units(file, "radians2", "rad", false);
  const double bad[ROWS * COLS] = { [7] = (double)NAN };
  put(file, "nan", 2, stack + 1, H5T_IEEE_F64LE, H5T_NATIVE_DOUBLE, bad, false);
  H5Fclose(file);
  file = H5Fcreate(in_folder("single.h5"), H5F_ACC_TRUNC, H5P_DEFAULT, H5P_DEFAULT);
  put(file, "frames", 3, stack, H5T_STD_U16LE, H5T_NATIVE_UINT16, frames, false);
  put(file, "ticks", 1, stack, H5T_IEEE_F64LE, H5T_NATIVE_DOUBLE, angle, false);
  H5Fclose(file);
  return 0;
}

static const char *set(const char *name)
{
  static char text[2][200];
  static unsigned turn;
  char *out = text[turn++ % 2];
  snprintf(out, sizeof text[0], "%s:%s", path, name);
  return out;
}

/* NXevent_data made by hand: three frames with 2, 0 and 3 events, and ways to break them. */
enum damage { WHOLE, NO_SUCH_PIXEL, BEYOND_THE_END, NOT_IN_ORDER, TOO_MANY, NO_COLUMNS, DAMAGES };

static void put_events(const char *name, enum damage damage)
{
  uint32_t ids[] = { 0, 29, 3, 4, 5 }, counts[] = { 2, 0, 3 };
  const uint16_t values[] = { 7, 65535, 300, 301, 302 };
  uint64_t index[] = { 0, 2, 2 }, rows = ROWS, cols = COLS;
  const hsize_t events = 5, frames = 3;
  if (damage == NO_SUCH_PIXEL)
    ids[4] = ROWS * COLS;
  if (damage == BEYOND_THE_END)
    counts[2] = 4;
  if (damage == NOT_IN_ORDER)
    index[2] = 1;
  if (damage == TOO_MANY)
    counts[2] = UINT32_MAX;
  if (damage == NO_COLUMNS)
    cols = 0;
  hid_t file = H5Fcreate(name, H5F_ACC_TRUNC, H5P_DEFAULT, H5P_DEFAULT);
  H5Gclose(H5Gcreate2(file, "entry", H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT));
  H5Gclose(H5Gcreate2(file, "entry/events", H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT));
  put(file, "entry/rows", 0, NULL, H5T_STD_U64LE, H5T_NATIVE_UINT64, &rows, false);
  put(file, "entry/columns", 0, NULL, H5T_STD_U64LE, H5T_NATIVE_UINT64, &cols, false);
  put(file, "entry/events/event_id", 1, &events, H5T_STD_U32LE, H5T_NATIVE_UINT32, ids, false);
  put(file, "entry/events/event_value", 1, &events, H5T_STD_U16BE, H5T_NATIVE_UINT16, values, false);
  put(file, "entry/events/event_index", 1, &frames, H5T_STD_U64LE, H5T_NATIVE_UINT64, index, false);
  put(file, "entry/events/event_count", 1, &frames, H5T_STD_U32LE, H5T_NATIVE_UINT32, counts, false);
  H5Fclose(file);
}

static void test_events(void **state)
{
  (void)state;
  struct ct_h5_frames *frames;
  uint16_t pixels[3][ROWS * COLS];
  double mean[ROWS * COLS];
  const char *name = in_folder("events.h5");
  put_events(name, WHOLE);
  assert_int_equal(ct_h5_open_frames(&frames, name, NULL), 0);
  assert_int_equal(ct_h5_info(frames)->n, 3);
  assert_int_equal(ct_h5_info(frames)->rows, ROWS);
  assert_int_equal(ct_h5_info(frames)->cols, COLS);
  assert_string_equal(ct_h5_dataset(frames), "/entry/data");
  memset(pixels, 0xAA, sizeof pixels);
  assert_int_equal(ct_h5_read_frames(frames, 0, 3, pixels, NULL), 0);
  for (size_t i = 0; i < ROWS * COLS; i++) {
    assert_int_equal(pixels[0][i], i == 0 ? 7 : i == 29 ? 65535 : 0);
    assert_int_equal(pixels[1][i], 0);
    assert_int_equal(pixels[2][i], i >= 3 && i <= 5 ? 297 + i : 0);
  }
  assert_int_equal(ct_h5_read_frames(frames, 1, 1, pixels, NULL), 0);
  assert_int_equal(pixels[0][0], 0);
  assert_int_equal(ct_h5_read_frames(frames, 2, 2, pixels, NULL), CT_ERANGE);
  ct_h5_close_frames(frames);
  assert_int_equal(ct_h5_read_map(name, ROWS, COLS, false, mean, NULL), 0);
  assert_true(mean[29] == 21845 && mean[4] == 301 / 3.0 && mean[6] == 0);
  for (enum damage damage = NO_SUCH_PIXEL; damage < DAMAGES; damage++) {
    struct ct_err err = { "" };
    put_events(name, damage);
    int rc = ct_h5_open_frames(&frames, name, &err);
    if (rc == 0) {
      rc = ct_h5_read_frames(frames, 0, 3, pixels, &err);
      ct_h5_close_frames(frames);
    }
    assert_int_equal(rc, damage == NO_COLUMNS ? CT_ENOTFOUND : CT_EIO);
    assert_true(err.text[0] != '\0');
  }
}

static void test_frames_in_parts(void **state)
{
  (void)state;
  struct ct_h5_frames *frames;
  struct ct_err err = { "" };
  assert_int_equal(ct_h5_open_frames(&frames, set("/entry/data"), &err), 0);
  const struct ct_h5_info *info = ct_h5_info(frames);
  assert_int_equal(info->n, N);
  assert_int_equal(info->rows, ROWS);
  assert_int_equal(info->cols, COLS);
  assert_int_equal(info->type, CT_U16);
  assert_string_equal(ct_h5_file(frames), path);
  assert_string_equal(ct_h5_dataset(frames), "/entry/data");
  for (size_t first = 0; first < N; first++)
    for (size_t count = 0; first + count <= N; count++) {
      uint16_t buffer[N * ROWS * COLS + 1] = { 0 };
      buffer[count * ROWS * COLS] = 0xbeef;
      assert_int_equal(ct_h5_read_frames(frames, first, count, buffer, &err), 0);
      for (size_t i = 0; i < count * ROWS * COLS; i++)
        assert_int_equal(buffer[i], value(first + i / (ROWS * COLS), i % (ROWS * COLS)));
      assert_int_equal(buffer[count * ROWS * COLS], 0xbeef);
    }
  uint16_t none;
  assert_int_equal(ct_h5_read_frames(frames, N, 1, &none, &err), CT_ERANGE);
  assert_int_equal(ct_h5_read_frames(frames, 1, UINT64_MAX, &none, &err), CT_ERANGE);
  ct_h5_close_frames(frames);
}

static void test_one_frame_and_only_set(void **state)
{
  (void)state;
  struct ct_h5_frames *frames;
  float map[ROWS * COLS];
  assert_int_equal(ct_h5_open_frames(&frames, set("/map"), NULL), 0);
  assert_int_equal(ct_h5_info(frames)->n, 1);
  assert_int_equal(ct_h5_info(frames)->type, CT_F32);
  assert_int_equal(ct_h5_read_frames(frames, 0, 1, map, NULL), 0);
  for (size_t i = 0; i < ROWS * COLS; i++)
    assert_true(map[i] == (float)i + 0.5f);
  ct_h5_close_frames(frames);
  assert_int_equal(ct_h5_open_frames(&frames, in_folder("single.h5"), NULL), 0);
  assert_string_equal(ct_h5_dataset(frames), "/frames");
  ct_h5_close_frames(frames);
}

static void expect_refused(const char *spec, int code, const char *word)
{
  struct ct_h5_frames *frames;
  struct ct_err err = { "" };
  assert_int_equal(ct_h5_open_frames(&frames, spec, &err), code);
  assert_null(frames);
  if (strstr(err.text, word) == NULL)
    fail_msg("\"%s\" lacks \"%s\"", err.text, word);
}

static void test_refusals_say_what_and_where(void **state)
{
  (void)state;
  expect_refused("/nowhere/x.h5:/data", CT_EIO, "/nowhere/x.h5");
  expect_refused(folder, CT_EFORMAT, "not a regular file");
  expect_refused(set("/absent"), CT_ENOTFOUND, "/absent");
  expect_refused(set("/entry"), CT_ENOTFOUND, "/entry");
  expect_refused(set("/cube"), CT_ESHAPE, "/cube");
  expect_refused(set("/angle"), CT_ESHAPE, "[21] float64");
  expect_refused(path, CT_ENOTFOUND, "/entry/data, ");
}

static void test_maps(void **state)
{
  (void)state;
  double map[ROWS * COLS];
  assert_int_equal(ct_h5_read_map(set("/map"), ROWS, COLS, false, map, NULL), 0);
  assert_true(map[9] == 9.5);
  assert_int_equal(ct_h5_read_map(set("/map"), ROWS, COLS, true, map, NULL), 0);
  assert_true(map[9] == 10);
  assert_int_equal(ct_h5_read_map(set("/line"), ROWS, COLS, false, map, NULL), 0);
  assert_true(map[9] == -11.25);
  assert_int_equal(ct_h5_read_map(set("/line"), ROWS, COLS, true, map, NULL), 0);
  assert_true(map[2] == -2);           /* -2.5, half up */
  assert_int_equal(ct_h5_read_map(set("/pair"), ROWS, COLS, true, map, NULL), 0);
  assert_true(map[3] == 521);          /* mean of 21 and 1021 */
  struct ct_err err = { "" };
  assert_int_equal(ct_h5_read_map(set("/map"), COLS, ROWS, false, map, &err), CT_ESHAPE);
  assert_non_null(strstr(err.text, "[6,5] float32"));
  assert_int_equal(ct_h5_read_map(set("/nan"), ROWS, COLS, false, map, &err), CT_EFORMAT);
  assert_non_null(strstr(err.text, "pixel 7"));
}

static void test_columns(void **state)
{
  (void)state;
  static const struct { const char *name; double scale; } columns[] = {
    { "/angle", 1 }, { "/radians", 57.295779513082320877 }, { "/radians2", 57.295779513082320877 },
  };
  for (size_t c = 0; c < 3; c++) {
    struct ct_h5_frames *column;
    double part[4];
    assert_int_equal(ct_h5_open_column(&column, set(columns[c].name), N, NULL), 0);
    assert_int_equal(ct_h5_read_as(column, 9, 4, CT_F64, part, NULL), 0);
    for (size_t i = 0; i < 4; i++)
      assert_true(fabs(part[i] - ((double)i + 9) * 0.1 * columns[c].scale) < 1e-12);
    ct_h5_close_frames(column);
  }
  struct ct_h5_frames *column;
  assert_int_equal(ct_h5_open_column(&column, set("/angle"), N + 1, NULL), CT_ESHAPE);
}

/* Cut off anywhere, or with a byte changed anywhere: an error or data, never a crash. */
static void test_damage(void **state)
{
  (void)state;
  static char bytes[1 << 20];
  FILE *whole = fopen(in_folder("single.h5"), "rb");
  size_t size = fread(bytes, 1, sizeof bytes, whole), refused = 0;
  fclose(whole);
  char copy[160];
  snprintf(copy, sizeof copy, "%s/broken.h5", folder);
  uint32_t random = 1;
  for (size_t trial = 0; trial < 300; trial++) {
    random = random * 1664525u + 1013904223u;
    bool cut = trial % 2 == 0;
    size_t at = random % (trial % 3 ? size : 800), length = cut ? at : size;
    char kept = bytes[at];
    bytes[at] = cut ? kept : (char)(random >> 24);
    FILE *file = fopen(copy, "wb");
    assert_int_equal(fwrite(bytes, 1, length, file), length);
    fclose(file);
    bytes[at] = kept;
    struct ct_h5_frames *frames;
    struct ct_err err = { "" };
    int rc = ct_h5_open_frames(&frames, copy, &err);
    if (rc == 0 && ct_h5_info(frames)->n <= N && ct_h5_info(frames)->rows <= ROWS && ct_h5_info(frames)->cols <= COLS) {
      uint64_t buffer[N * ROWS * COLS];
      rc = ct_h5_read_frames(frames, 0, ct_h5_info(frames)->n, buffer, &err);
    }
    ct_h5_close_frames(frames);
    refused += rc != 0;
    assert_true(rc == 0 || err.text[0] != '\0');
  }
  assert_true(refused > 100);
}

int main(void)
{
  const struct CMUnitTest tests[] = {
    cmocka_unit_test(test_frames_in_parts),
    cmocka_unit_test(test_events),
    cmocka_unit_test(test_one_frame_and_only_set),
    cmocka_unit_test(test_refusals_say_what_and_where),
    cmocka_unit_test(test_maps),
    cmocka_unit_test(test_columns),
    cmocka_unit_test(test_damage),
  };
  return cmocka_run_group_tests_name("read", tests, make_files, remove_folder);
}
