/* EC-Lab text files as its versions and their readers show them, whole and in every piece. */
#include <comptop/cell.h>

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { ROWS_MAX = 16 };
struct taken {
  struct ct_mpt_row rows[ROWS_MAX];
  size_t n;
};

static void take(void *arg, const struct ct_mpt_row *row)
{
  struct taken *taken = arg;
  assert_true(taken->n < ROWS_MAX);
  taken->rows[taken->n++] = *row;
}

/* Feeds the text in pieces of <step> bytes. */
static int feed(const char *text, size_t step, struct taken *taken, struct ct_mpt *mpt, struct ct_err *err)
{
  int code = 0;
  taken->n = 0;
  ct_mpt_init(mpt);
  for (size_t at = 0, n = strlen(text); at < n && code == 0; at += step)
    code = ct_mpt_feed(mpt, text + at, n - at < step ? n - at : step, take, taken, err);
  return code;
}

static void assert_row(const struct ct_mpt_row *row, double v_V, double i_A, double q_Ah, double time_s)
{
  const double expected[] = { [CT_MPT_VOLTAGE] = v_V, [CT_MPT_CURRENT] = i_A, [CT_MPT_CHARGE] = q_Ah, [CT_MPT_TIME] = time_s };
  for (int i = 0; i < CT_MPT_QUANTITIES; i++)
    if (isnan(expected[i]))
      assert_true(isnan(row->value[i]));
    else
      assert_true(fabs(row->value[i] - expected[i]) <= 1e-12 * fabs(expected[i]));
}

#define HEAD "EC-Lab ASCII FILE\r\nNb header lines : 6                          \r\n\r\n"                     \
             "Acquisition started on : 11/23/2026 02:03:04\r\nChannel : 1\r\n"
static const char usual[] =
  HEAD "mode\tox/red\terror\tNs\ttime/s\tcontrol/V/mA\tEwe/V\tI/mA\t(Q-Qo)/mA.h\tcycle number\t\r\n"
  "1\t1\t0\t0\t0.000000000000000E+000\t1.0\t3.7000000E+000\t2.100E+000\t0.0\t0\t\r\n"
  "1\t1\t0\t0\t6.050000000000000E+001\t1.0\t3.7100000E+000\t-2.100E+000\t1.05E-001\t0\t\r\n";

static void test_any_pieces(void **state)
{
  (void)state;
  static struct ct_mpt mpt;
  struct taken taken;
  for (size_t step = 1; step <= sizeof usual; step += step < 64 ? 1 : 97) {
    assert_int_equal(feed(usual, step, &taken, &mpt, NULL), 0);
    assert_int_equal(taken.n, 2);
    assert_row(&taken.rows[0], 3.7, 2.1e-3, 0, 0);
    assert_row(&taken.rows[1], 3.71, -2.1e-3, 1.05e-4, 60.5);
    /* date -u -d '2026-11-23 02:03:04' +%s */
    assert_true(taken.rows[1].wall_s == 1795399384 + 60.5);
  }
  /* A line that has not ended is not there yet. */
  char half[sizeof usual];
  memcpy(half, usual, sizeof usual);
  half[sizeof usual - 3] = '\0';
  assert_int_equal(feed(half, 7, &taken, &mpt, NULL), 0);
  assert_int_equal(taken.n, 1);
}

static void test_units_and_names(void **state)
{
  (void)state;
  static struct ct_mpt mpt;
  struct taken taken;
  assert_int_equal(feed(HEAD "time/h\t<I>/\xb5" "A\tEcell/mV\tCapacity/mA.h\tQ charge/discharge/C\n0,5\t1,5\t3700,25\t9\t36\n", 5,
                        &taken, &mpt, NULL), 0);
  assert_row(&taken.rows[0], 3.70025, 1.5e-6, 0.01, 1800);
  /* The voltage of the working electrode goes before that of the cell, wherever it stands; UTF-8. */
  assert_int_equal(feed(HEAD "Ecell/V\tEwe/V\tI/\xc2\xb5" "A\n1\t2\t3\n", 4, &taken, &mpt, NULL), 0);
  assert_row(&taken.rows[0], 2, 3e-6, (double)NAN, (double)NAN);
  assert_true(isnan(taken.rows[0].wall_s));
}

static void test_rows_with_faults(void **state)
{
  (void)state;
  static struct ct_mpt mpt;
  struct taken taken;
  assert_int_equal(feed(HEAD "time/s\tEwe/V\tI/mA\n1\tXXX\t2\n2\tnan\tinf\n\n3\n4\t0x10\t\n5\t3,5\t1.000,5\n6\t3.5\t1\textra\n", 9,
                        &taken, &mpt, NULL), 0);
  assert_int_equal(taken.n, 3);
  assert_row(&taken.rows[0], (double)NAN, 2e-3, (double)NAN, 1);
  assert_row(&taken.rows[1], 3.5, (double)NAN, (double)NAN, 5);
  assert_row(&taken.rows[2], 3.5, 1e-3, (double)NAN, 6);
  assert_int_equal(mpt.rows, 3);
  assert_int_equal(mpt.bad_rows, 3);
}

static void test_dates(void **state)
{
  (void)state;
  static struct ct_mpt mpt;
  struct taken taken;
  /* date -u -d '2019-12-25 12:25:53' +%s */
  const double then = 1577276753;
  static const char *const dates[] = { "12/25/2019 12:25:53", "12-25-2019 12:25:53.000", "12.25.2019 12:25:53", "25/12/2019 12:25:53",
    "25.12.2019 12:25:53,0", "2019-12-25 12:25:53", "2019/12/25 12:25:53", "12/25/2019 12:25:53 PM", "12/25/19 12:25:53" };
  for (size_t i = 0; i < sizeof dates / sizeof *dates; i++) {
    char text[300];
    snprintf(text, sizeof text, "BT-Lab ASCII FILE\nNb header lines : 4\nAcquisition started on : %s\ntime/s\tEwe/V\n10\t3\n", dates[i]);
    assert_int_equal(feed(text, 6, &taken, &mpt, NULL), 0);
    assert_true(fabs(taken.rows[0].wall_s - then - 10) < 1e-6);
    snprintf(text, sizeof text, "BT-Lab ASCII FILE\nNb header lines : 3\ntime/s\tEwe/V\n%s\t3\n", dates[i]);
    assert_int_equal(feed(text, 6, &taken, &mpt, NULL), 0);
    assert_true(fabs(taken.rows[0].wall_s - then) < 1e-6);
  }
  static const char *const none[] = { "yesterday", "13/13/2019 12:00:00", "12/25/2019", "12/25/2019 25:00:00", "00/00/0000 00:00:00",
                                      "99999999999/1/2019 1:1:1", "" };
  for (size_t i = 0; i < sizeof none / sizeof *none; i++) {
    char text[300];
    snprintf(text, sizeof text, "EC-Lab ASCII FILE\nNb header lines : 4\nAcquisition started on : %s\ntime/s\tEwe/V\n10\t3\n", none[i]);
    assert_int_equal(feed(text, 6, &taken, &mpt, NULL), 0);
    assert_true(isnan(taken.rows[0].wall_s));
  }
}

static void test_other_files(void **state)
{
  (void)state;
  static struct ct_mpt mpt;
  struct taken taken;
  static const char *const wrong[] = {
    "time,voltage\n1,2\n", "\x89HDF\r\n\x1a\n", "EC-Lab ASCII FILE\nmode\n", "EC-Lab ASCII FILE\nNb header lines : 2\n",
    "EC-Lab ASCII FILE\nNb header lines : 99999999999\n", "EC-Lab ASCII FILE\nNb header lines : 3\nmode\ttime/s\n1\t2\n",
  };
  for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
    struct ct_err err = { "" };
    assert_int_equal(feed(wrong[i], 3, &taken, &mpt, &err), CT_EFORMAT);
    assert_int_not_equal(err.text[0], '\0');
    assert_int_equal(taken.n, 0);
    assert_int_equal(ct_mpt_feed(&mpt, "x\n", 2, take, &taken, NULL), CT_EFORMAT);
  }
  ct_mpt_init(&mpt);
  assert_int_equal(ct_mpt_feed(&mpt, "EC-Lab\0", 7, take, &taken, NULL), CT_EFORMAT);
  ct_mpt_init(&mpt);
  int code = 0;
  for (int i = 0; i < CT_MPT_LINE && code == 0; i++)
    code = ct_mpt_feed(&mpt, "x", 1, take, &taken, NULL);
  assert_int_equal(code, CT_EFORMAT);
}

int main(void)
{
  const struct CMUnitTest tests[] = {
    cmocka_unit_test(test_any_pieces), cmocka_unit_test(test_units_and_names), cmocka_unit_test(test_rows_with_faults),
    cmocka_unit_test(test_dates), cmocka_unit_test(test_other_files),
  };
  return cmocka_run_group_tests_name("mpt", tests, NULL, NULL);
}
