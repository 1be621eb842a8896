/* Values as people write them, and text maps. */
#include <comptop/core.h>

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cmocka_all.h"

static void reals(void **state)
{
  (void)state;
  static const struct {
    const char *text;
    int code;
    double value;
  } cases[] = {
    { "0", 0, 0 }, { "-2.5", 0, -2.5 }, { "+1e3", 0, 1000 }, { ".5", 0, 0.5 }, { "5.", 0, 5 }, { "1e-400", 0, 0 },
    { "9118.87", 0, 9118.87 }, { "1e400", CT_ERANGE, 0 }, { "", CT_EFORMAT, 0 }, { "-", CT_EFORMAT, 0 },
    { "nan", CT_EFORMAT, 0 }, { "inf", CT_EFORMAT, 0 }, { "0x10", CT_EFORMAT, 0 }, { "1e", CT_EFORMAT, 0 },
    { "1 ", CT_EFORMAT, 0 }, { " 1", CT_EFORMAT, 0 }, { "1,5", CT_EFORMAT, 0 }, { "1-2", CT_EFORMAT, 0 },
    { "e", CT_EFORMAT, 0 }, { "1.2.3", CT_EFORMAT, 0 },
  };
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    double value = 77;
    int code = ct_parse_real(cases[i].text, &value);
    if (code != cases[i].code)
      print_message("# '%s'\n", cases[i].text);
    assert_int_equal(code, cases[i].code);
    assert_true(value == (code ? 77 : cases[i].value));
  }
}

/* Every double that %.17g writes is read back exactly. */
static void reals_round_trip(void **state)
{
  (void)state;
  uint64_t bits = 88172645463325252u;
  for (int i = 0; i < 20000; i++) {
    bits ^= bits << 13;
    bits ^= bits >> 7;
    bits ^= bits << 17;
    double value, back;
    memcpy(&value, &bits, sizeof value);
    if (!isfinite(value))
      continue;
    char text[64];
    snprintf(text, sizeof text, "%.17g", value);
    assert_int_equal(ct_parse_real(text, &back), 0);
    assert_true(value == back);
  }
}

static void integers(void **state)
{
  (void)state;
  int64_t value = 77;
  assert_int_equal(ct_parse_int("-9223372036854775808", &value), 0);
  assert_true(value == INT64_MIN);
  assert_int_equal(ct_parse_int("9223372036854775807", &value), 0);
  assert_true(value == INT64_MAX);
  assert_int_equal(ct_parse_int("9223372036854775808", &value), CT_ERANGE);
  static const char *const wrong[] = { "", "1.0", "1e3", "0x1", "1 ", " 1", "--1", "+", "1-" };
  for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
    assert_int_equal(ct_parse_int(wrong[i], &value), CT_EFORMAT);
  assert_true(value == INT64_MAX);
}

static void booleans(void **state)
{
  (void)state;
  static const char *const yes[] = { "on", "yes", "true", "1", "ON" }, *const no[] = { "off", "no", "false", "0", "Off" };
  for (size_t i = 0; i < 5; i++) {
    bool value = false;
    assert_int_equal(ct_parse_bool(yes[i], &value), 0);
    assert_true(value);
    assert_int_equal(ct_parse_bool(no[i], &value), 0);
    assert_false(value);
  }
  bool value;
  assert_int_equal(ct_parse_bool("", &value), CT_EFORMAT);
  assert_int_equal(ct_parse_bool("2", &value), CT_EFORMAT);
}

static void lists_of_numbers(void **state)
{
  (void)state;
  double v[3] = { 0 };
  assert_int_equal(ct_parse_numbers("39.5, 40", ',', v, 2), 0);
  assert_true(v[0] == 39.5 && v[1] == 40);
  assert_int_equal(ct_parse_numbers("7", ',', v, 1), 0);
  static const char *const wrong[] = { "", "1", "1,", ",1", "1,2,3", "1;2", "1,2 3", "1,,2" };
  for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
    assert_int_equal(ct_parse_numbers(wrong[i], ',', v, 2), CT_EFORMAT);
}

static void ranges(void **state)
{
  (void)state;
  double start, end, width;
  assert_int_equal(ct_parse_range("0:200:0.2", &start, &end, &width), 0);
  assert_true(start == 0 && end == 200 && width == 0.2);
  assert_int_equal(ct_parse_range("0:200", &start, &end, &width), CT_EFORMAT);
  assert_int_equal(ct_parse_range("0:200:0.2:1", &start, &end, &width), CT_EFORMAT);
  assert_int_equal(ct_parse_range("200:0:0.2", &start, &end, &width), CT_ERANGE);
  assert_int_equal(ct_parse_range("0:200:0", &start, &end, &width), CT_ERANGE);
  assert_int_equal(ct_parse_range("0:200:-1", &start, &end, &width), CT_ERANGE);
}

static void intervals(void **state)
{
  (void)state;
  double v[2][2];
  assert_int_equal(ct_parse_intervals("104:111", v, 2), 1);
  assert_true(v[0][0] == 104 && v[0][1] == 111);
  assert_int_equal(ct_parse_intervals("104:111,77.5:83", v, 2), 2);
  assert_true(v[1][0] == 77.5 && v[1][1] == 83);
  assert_int_equal(ct_parse_intervals("104:111,77.5:83,1:2", v, 2), CT_EFORMAT);
  assert_int_equal(ct_parse_intervals("104:104", v, 2), CT_ERANGE);
  static const char *const wrong[] = { "", "104", "104:", ":111", "104:111,", "104:111:112", "104,111" };
  for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
    assert_int_equal(ct_parse_intervals(wrong[i], v, 2), CT_EFORMAT);
}

static void boxes(void **state)
{
  (void)state;
  struct ct_box box;
  assert_int_equal(ct_parse_box("10:20,30:4294967295", &box), 0);
  assert_true(box.x0 == 10 && box.x1 == 20 && box.y0 == 30 && box.y1 == UINT32_MAX);
  static const char *const out[] = { "-1:20,0:1", "10:10,0:1", "0:1,5:4", "0.5:1,0:1", "0:4294967296,0:1" };
  for (size_t i = 0; i < sizeof out / sizeof *out; i++)
    assert_int_equal(ct_parse_box(out[i], &box), CT_ERANGE);
  assert_int_equal(ct_parse_box("1:2", &box), CT_EFORMAT);
  assert_int_equal(ct_parse_box("1:2,3:4,5:6", &box), CT_EFORMAT);
}

static void datasets(void **state)
{
  (void)state;
  const char *dataset;
  assert_int_equal(ct_parse_dataset("a.h5:/entry/data", &dataset), 4);
  assert_string_equal(dataset, "/entry/data");
  assert_int_equal(ct_parse_dataset("odd:/a.h5:/raw", &dataset), 9);
  assert_string_equal(dataset, "/raw");
  assert_int_equal(ct_parse_dataset("a.txt", &dataset), 0);
  assert_int_equal(ct_parse_dataset("a.h5:/", &dataset), 0);
  assert_int_equal(ct_parse_dataset(":/raw", &dataset), 0);
}

/* ---- maps ---- */

static int parse_map(const char *text, size_t count, double *values, struct ct_err *err)
{
  return ct_core_map_parse(text, strlen(text), count, values, "map.txt", err);
}

static void maps_take_lf_and_crlf(void **state)
{
  (void)state;
  struct ct_err err;
  double v[4];
  static const char *const same[] = { "1 2\n3 4\n", "1 2\r\n3 4\r\n", "\n 1\t2 3 4", "1\n2\n3\n4", "1e0 2.0 +3 4.\n\n" };
  for (size_t i = 0; i < sizeof same / sizeof *same; i++) {
    memset(v, 0, sizeof v);
    assert_int_equal(parse_map(same[i], 4, v, &err), 0);
    assert_true(v[0] == 1 && v[1] == 2 && v[2] == 3 && v[3] == 4);
  }
}

static void maps_name_file_line_and_token(void **state)
{
  (void)state;
  struct ct_err err;
  double v[4];
  assert_int_equal(parse_map("1 2\r\n3 x4\n", 4, v, &err), CT_EFORMAT);
  assert_string_equal(err.text, "map.txt:2: 'x4' is not a finite number");
  assert_int_equal(parse_map("1 2\n\n3 nan", 4, v, &err), CT_EFORMAT);
  assert_string_equal(err.text, "map.txt:3: 'nan' is not a finite number");
  assert_int_equal(parse_map("1 1e999", 2, v, &err), CT_EFORMAT);
  assert_int_equal(ct_core_map_parse("1\0 2", 4, 2, v, "map.txt", &err), CT_EFORMAT);
  assert_int_equal(parse_map("1 0000000000000000000000000000000000000000000000000000000000000000002", 2, v, &err),
                   CT_EFORMAT);
}

static void maps_need_the_exact_count(void **state)
{
  (void)state;
  struct ct_err err;
  double v[4];
  assert_int_equal(parse_map("1 2\n3\n", 4, v, &err), CT_ESHAPE);
  assert_string_equal(err.text, "map.txt:2: too few numbers: the file has 3, one a pixel makes 4");
  assert_int_equal(parse_map("1 2\n3 4\n5 6\n", 4, v, &err), CT_ESHAPE);
  assert_string_equal(err.text, "map.txt:3: too many numbers: the file has 6, one a pixel makes 4");
  assert_int_equal(parse_map("", 4, v, &err), CT_ESHAPE);
  assert_int_equal(parse_map("", 0, v, &err), 0);
}

static void maps_are_read_from_files(void **state)
{
  (void)state;
  enum { PIXELS = 160 * 480 };
  char path[] = "check_parse_XXXXXX";
  int fd = mkstemp(path);
  assert_true(fd >= 0);
  FILE *file = fdopen(fd, "w");
  assert_non_null(file);
  for (int i = 0; i < PIXELS; i++)
    fprintf(file, "%.17g%s", i / 7.0, i % 480 == 479 ? "\r\n" : " ");
  fclose(file);
  double *v = ct_xcalloc(PIXELS, sizeof *v);
  struct ct_err err;
  assert_int_equal(ct_core_map_read(path, PIXELS, v, &err), 0);
  for (int i = 0; i < PIXELS; i++)
    assert_true(v[i] == i / 7.0);
  unlink(path);
  assert_int_equal(ct_core_map_read(path, PIXELS, v, &err), CT_EIO);
  assert_non_null(strstr(err.text, path));
  assert_int_equal(ct_core_map_read(".", PIXELS, v, &err), CT_EIO);
  free(v);
}

int main(void)
{
  const struct CMUnitTest tests[] = {
    cmocka_unit_test(reals), cmocka_unit_test(reals_round_trip), cmocka_unit_test(integers), cmocka_unit_test(booleans),
    cmocka_unit_test(lists_of_numbers), cmocka_unit_test(ranges), cmocka_unit_test(intervals), cmocka_unit_test(boxes),
    cmocka_unit_test(datasets), cmocka_unit_test(maps_take_lf_and_crlf),
    cmocka_unit_test(maps_name_file_line_and_token), cmocka_unit_test(maps_need_the_exact_count),
    cmocka_unit_test(maps_are_read_from_files),
  };
  return cmocka_run_group_tests_name("parse", tests, NULL, NULL);
}
