/* cell: picks its three channels, keeps the newest, derives nothing. */
#include <comptop/cell.h>

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void starts_with_nothing(void **state)
{
  (void)state;
  struct ct_cell cell;
  int64_t time_ns;
  assert_int_equal(ct_cell_init(&cell, NULL, NULL, NULL, NULL), 0);
  for (int i = 0; i < CT_CELL_QUANTITIES; i++)
    assert_true(isnan(cell.latest[i].value));
  assert_false(ct_cell_time(&cell, &time_ns));
}

static void takes_its_channels_only(void **state)
{
  (void)state;
  struct ct_cell cell;
  int64_t time_ns = 0;
  assert_int_equal(ct_cell_init(&cell, NULL, "current", NULL, NULL), 0);
  assert_true(ct_cell_update(&cell, "Ewe_V", 3.9, 100));
  assert_false(ct_cell_update(&cell, "I_A", 0.002, 100));
  assert_true(ct_cell_update(&cell, "current", -0.002, 120));
  assert_false(ct_cell_update(&cell, "", 1, 100));
  assert_true(cell.latest[CT_CELL_VOLTAGE].value == 3.9);
  assert_true(cell.latest[CT_CELL_CURRENT].value == -0.002);
  assert_true(isnan(cell.latest[CT_CELL_CHARGE].value));
  assert_true(ct_cell_time(&cell, &time_ns));
  assert_int_equal(time_ns, 120);
}

static void keeps_the_newest_finite_value(void **state)
{
  (void)state;
  struct ct_cell cell;
  assert_int_equal(ct_cell_init(&cell, NULL, NULL, NULL, NULL), 0);
  assert_true(ct_cell_update(&cell, "Q_Ah", 1, -50));
  assert_true(ct_cell_update(&cell, "Q_Ah", 2, -50));
  assert_false(ct_cell_update(&cell, "Q_Ah", 3, -51));
  assert_false(ct_cell_update(&cell, "Q_Ah", (double)NAN, 100));
  assert_false(ct_cell_update(&cell, "Q_Ah", (double)INFINITY, 100));
  assert_true(cell.latest[CT_CELL_CHARGE].value == 2);
  assert_int_equal(cell.latest[CT_CELL_CHARGE].time_ns, -50);
}

static void refuses_bad_names(void **state)
{
  (void)state;
  struct ct_cell cell;
  struct ct_err err = { "" };
  char name[CT_CELL_NAME + 1];
  memset(name, 'x', sizeof name);
  name[CT_CELL_NAME] = '\0';
  assert_int_equal(ct_cell_init(&cell, NULL, name, NULL, &err), CT_ERANGE);
  assert_non_null(strstr(err.text, "scalars.current"));
  assert_int_equal(ct_cell_init(&cell, "", NULL, NULL, NULL), CT_ERANGE);
  name[CT_CELL_NAME - 1] = '\0';
  assert_int_equal(ct_cell_init(&cell, NULL, name, NULL, NULL), 0);
  assert_true(ct_cell_update(&cell, name, 7, 0));
}

int main(void)
{
  const struct CMUnitTest tests[] = {
    cmocka_unit_test(starts_with_nothing),
    cmocka_unit_test(takes_its_channels_only),
    cmocka_unit_test(keeps_the_newest_finite_value),
    cmocka_unit_test(refuses_bad_names),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
