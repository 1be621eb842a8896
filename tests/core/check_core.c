/* Errors and time. */
#include <comptop/core.h>

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "cmocka_all.h"

static void codes_are_negative_and_named(void **state)
{
  (void)state;
#define X(name, text, exit_code)                        \
  assert_true(CT_E##name < 0);                          \
  assert_string_equal(ct_err_name(CT_E##name), "CT_E" #name); \
  assert_string_equal(ct_err_text(CT_E##name), text);   \
  assert_int_equal(ct_err_exit(CT_E##name), exit_code);
  CT_ERRORS(X)
#undef X
  assert_string_equal(ct_err_name(0), "ok");
  assert_int_equal(ct_err_exit(0), 0);
}

/* DESIGN's contract with monitoring systems. */
static void exit_codes_are_the_documented_ones(void **state)
{
  (void)state;
  assert_int_equal(ct_err_exit(CT_EUSAGE), 1);
  assert_int_equal(ct_err_exit(CT_ENODATA), 2);
  assert_int_equal(ct_err_exit(CT_ESTALE), 3);
  assert_int_equal(ct_err_exit(CT_EARCHIVE), 4);
}

static void unknown_codes_do_not_read_past_the_table(void **state)
{
  (void)state;
  const int codes[] = { 1, 1000, -1000, INT32_MAX, INT32_MIN };
  for (size_t i = 0; i < sizeof codes / sizeof *codes; i++)
    assert_non_null(ct_err_name(codes[i]));
}

static void message_is_formatted_and_cut(void **state)
{
  (void)state;
  struct ct_err err;
  assert_int_equal(ct_err_set(&err, CT_EIO, "%s:%d", "file", 7), CT_EIO);
  assert_string_equal(err.text, "file:7");
  char longer[2000];
  memset(longer, 'x', sizeof longer - 1);
  longer[sizeof longer - 1] = '\0';
  assert_int_equal(ct_err_set(&err, CT_EIO, "%s", longer), CT_EIO);
  assert_int_equal(strlen(err.text), sizeof err.text - 1);
  assert_int_equal(ct_err_set(NULL, CT_EIO, "%s", longer), CT_EIO);
}

static void time_text_is_iso_8601(void **state)
{
  (void)state;
  static const struct {
    int64_t ns;
    const char *text;
  } cases[] = {
    { 0, "1970-01-01T00:00:00.000Z" },
    { INT64_C(951782400) * CT_NS_PER_S, "2000-02-29T00:00:00.000Z" },
    { INT64_C(1795317247250999999), "2026-11-22T03:14:07.250Z" },
    { -1, "1969-12-31T23:59:59.999Z" },
    { INT64_MAX, "2262-04-11T23:47:16.854Z" },
    { INT64_MIN, "1677-09-21T00:12:43.145Z" },
  };
  char text[CT_TIME_TEXT];
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
    assert_string_equal(ct_time_text(cases[i].ns, text), cases[i].text);
}

static void clocks_go_forward(void **state)
{
  (void)state;
  int64_t mono = ct_time_mono_ns(), cpu = ct_time_cpu_ns();
  assert_true(ct_time_mono_ns() >= mono);
  assert_true(ct_time_cpu_ns() >= cpu);
  time_t before = time(NULL);
  int64_t wall_s = ct_time_wall_ns() / CT_NS_PER_S;
  /* time() may lag behind by a tick, and the clock may be set meanwhile: only the epoch and the unit are looked at. */
  assert_in_range(wall_s, (uintmax_t)before - 86400, (uintmax_t)before + 86400);
}

static void memory_is_zero_and_never_null(void **state)
{
  (void)state;
  unsigned char *memory = ct_xcalloc(3, 5), *nothing = ct_xcalloc(0, 0);
  for (size_t i = 0; i < 15; i++)
    assert_int_equal(memory[i], 0);
  assert_non_null(nothing);
  free(memory);
  free(nothing);
}

int main(void)
{
  const struct CMUnitTest tests[] = {
    cmocka_unit_test(codes_are_negative_and_named),
    cmocka_unit_test(exit_codes_are_the_documented_ones),
    cmocka_unit_test(unknown_codes_do_not_read_past_the_table),
    cmocka_unit_test(message_is_formatted_and_cut),
    cmocka_unit_test(time_text_is_iso_8601),
    cmocka_unit_test(clocks_go_forward),
    cmocka_unit_test(memory_is_zero_and_never_null),
  };
  return cmocka_run_group_tests_name("core", tests, NULL, NULL);
}
