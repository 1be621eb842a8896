/* Histogram cubes, built byte by byte from the published layout. */
#include <comptop/spectra.h>

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static unsigned char file[8192];

static void put(size_t at, uint64_t value, size_t bytes)
{
  for (size_t i = 0; i < bytes; i++)
    file[at + i] = (unsigned char)(value >> 8 * i);
}

static void put_f64(size_t at, double value)
{
  uint64_t bits;
  memcpy(&bits, &value, sizeof bits);
  put(at, bits, 8);
}

/* Rows, columns and bins after the head of a version; count i of all is i + 0.25. Its length. */
static size_t build(unsigned version, uint32_t rows, uint32_t cols, uint32_t bins)
{
  const size_t head = version == 3 ? 184 : 28, shape = version == 3 ? 172 : 16;
  memset(file, 0x55, sizeof file);   /* what the software leaves as it is */
  memcpy(file, "HEXITECH", 8);
  put(8, version, 8);
  put(shape, rows, 4);
  put(shape + 4, cols, 4);
  put(shape + 8, bins, 4);
  for (uint32_t i = 0; i < bins; i++)
    put_f64(head + 8 * i, 10 + 0.5 * i);
  for (uint32_t i = 0; i < rows * cols * bins; i++)
    put_f64(head + 8 * (size_t)(bins + i), i + 0.25);
  return head + 8 * (size_t)(bins + rows * cols * bins);
}

static void test_both_versions(void **state)
{
  (void)state;
  for (unsigned version = 1; version <= 3; version += 2) {
    struct ct_hxt hxt;
    size_t n = build(version, 3, 5, 8);
    assert_int_equal(ct_hxt_parse(&hxt, file, n, NULL), 0);
    assert_int_equal(hxt.rows, 3);
    assert_int_equal(hxt.cols, 5);
    assert_int_equal(hxt.axis.n, 8);
    assert_true(hxt.axis.start_keV == 10 && fabs(hxt.axis.width_keV - 0.5) < 1e-12);
    for (uint32_t p = 0; p < 15; p++)
      for (uint32_t i = 0; i < 8; i++)
        assert_int_equal(ct_hxt_count(&hxt, p, i), p * 8 + i);
    assert_int_equal(ct_hxt_parse(&hxt, file, n - 1, NULL), CT_EFORMAT);
    assert_int_equal(ct_hxt_parse(&hxt, file, n + 8, NULL), CT_EFORMAT);
  }
}

static void test_odd_counts(void **state)
{
  (void)state;
  static const struct { double value; uint32_t count; } cases[] = {
    { 0, 0 }, { -3, 0 }, { 0.49, 0 }, { 0.5, 1 }, { 1e300, UINT32_MAX }, { 4294967294.0, UINT32_MAX - 1 },
  };
  struct ct_hxt hxt;
  size_t n = build(3, 1, 1, 8);
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
    put_f64(184 + 8 * (8 + i), cases[i].value);
  put_f64(184 + 8 * 14, (double)NAN);
  put_f64(184 + 8 * 15, -(double)INFINITY);
  assert_int_equal(ct_hxt_parse(&hxt, file, n, NULL), 0);
  for (uint32_t i = 0; i < sizeof cases / sizeof *cases; i++)
    assert_int_equal(ct_hxt_count(&hxt, 0, i), cases[i].count);
  assert_int_equal(ct_hxt_count(&hxt, 0, 6), 0);
  assert_int_equal(ct_hxt_count(&hxt, 0, 7), 0);
}

static int parse(size_t n)
{
  struct ct_hxt hxt;
  struct ct_err err = { "" };
  int code = ct_hxt_parse(&hxt, file, n, &err);
  assert_true(code == 0 || err.text[0] != '\0');
  return code;
}

static void test_other_files(void **state)
{
  (void)state;
  size_t n = build(3, 3, 5, 8);
  for (size_t length = 0; length < n; length++)
    assert_int_not_equal(parse(length), 0);
  put(8, 2, 8);
  assert_int_equal(parse(n), CT_EUNSUPPORTED);
  build(3, 3, 5, 8);
  put_f64(184 + 8 * 3, 11.6);
  assert_int_equal(parse(n), CT_EUNSUPPORTED);
  put_f64(184 + 8 * 7, 10);
  assert_int_equal(parse(n), CT_EFORMAT);
  build(3, 3, 5, 8);
  put_f64(184, (double)NAN);
  assert_int_equal(parse(n), CT_EFORMAT);
  for (int i = 0; i < 3; i++) {
    build(3, 3, 5, 8);
    put(172 + 4 * (size_t)i, 0, 4);
    assert_int_equal(parse(n), CT_ESHAPE);
    put(172 + 4 * (size_t)i, UINT32_MAX, 4);
    assert_int_equal(parse(n), CT_ESHAPE);
  }
  build(3, 3, 5, 8);
  file[0] = 'h';
  assert_int_equal(parse(n), CT_EFORMAT);
}

int main(void)
{
  const struct CMUnitTest tests[] = {
    cmocka_unit_test(test_both_versions), cmocka_unit_test(test_odd_counts), cmocka_unit_test(test_other_files),
  };
  return cmocka_run_group_tests_name("hxt", tests, NULL, NULL);
}
