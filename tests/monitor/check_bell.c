/* The bell: once for what is new and critical, never again for what comes and goes. */
#include "../core/cmocka_all.h"

#include <stdio.h>
#include <string.h>

#include "monitor/bell.h"

static struct ct_snapshot_core core;

/* The alarms "ID ID ..." <s> seconds after the start; a small letter in front: a warning. */
static const struct ct_snapshot_core *at(int s, const char *ids)
{
  memset(&core, 0, sizeof core);
  core.wall_ns = CT_NS_PER_S * (1700000000 + s);
  for (; *ids != '\0'; ids++, core.n_alarms++) {
    struct ct_snapshot_alarm *alarm = &core.alarms[core.n_alarms];
    alarm->severity = *ids >= 'a' ? CT_WARNING : CT_CRITICAL;
    snprintf(alarm->id, sizeof alarm->id, "alarm-%c", *ids);
    alarm->since_ns = core.wall_ns;
  }
  return &core;
}

static void rings_once_for_what_is_new(void **state)
{
  struct bell bell = { 0 };
  (void)state;
  assert_false(bell_rings(&bell, at(0, "A")));       /* it was there before this viewer */
  assert_false(bell_rings(&bell, at(1, "A")));
  assert_true(bell_rings(&bell, at(2, "AB")));
  assert_false(bell_rings(&bell, at(3, "BA")));
  assert_true(bell_rings(&bell, at(4, "CDAB")));     /* one for both */
  for (int s = 5; s < 500; s++)
    assert_false(bell_rings(&bell, at(s, "ABCD")));
}

static void never_rings_for_warnings(void **state)
{
  struct bell bell = { 0 };
  (void)state;
  assert_false(bell_rings(&bell, at(0, "")));
  assert_false(bell_rings(&bell, at(1, "ab")));
  assert_true(bell_rings(&bell, at(2, "Ab")));
}

static void rings_again_only_after_a_minute_of_peace(void **state)
{
  struct bell bell = { 0 };
  int rings = 0;
  (void)state;
  assert_false(bell_rings(&bell, at(0, "")));
  for (int s = 1; s < 600; s++)
    rings += bell_rings(&bell, at(s, s % 30 < 3 ? "A" : ""));
  assert_int_equal(rings, 1);
  assert_true(bell_rings(&bell, at(700, "A")));
}

static void a_second_of_the_same_kind_is_new(void **state)
{
  struct bell bell = { 0 };
  (void)state;
  assert_false(bell_rings(&bell, at(0, "A")));
  assert_true(bell_rings(&bell, at(1, "AA")));
  assert_false(bell_rings(&bell, at(2, "A")));
  assert_false(bell_rings(&bell, at(3, "AA")));
}

static void takes_as_many_as_there_can_be(void **state)
{
  struct bell bell = { 0 };
  char many[CT_SNAPSHOT_ALARMS + 1] = "";
  (void)state;
  memset(many, 'A', CT_SNAPSHOT_ALARMS);
  assert_false(bell_rings(&bell, at(0, "")));
  assert_true(bell_rings(&bell, at(1, many)));
  memset(many, 'B', CT_SNAPSHOT_ALARMS);
  assert_false(bell_rings(&bell, at(2, many)));      /* no room to know them: silence, not a ring a second */
  assert_true(bell_rings(&bell, at(100, many)));
}

int main(void)
{
  const struct CMUnitTest tests[] = {
    cmocka_unit_test(rings_once_for_what_is_new), cmocka_unit_test(never_rings_for_warnings),
    cmocka_unit_test(rings_again_only_after_a_minute_of_peace), cmocka_unit_test(a_second_of_the_same_kind_is_new),
    cmocka_unit_test(takes_as_many_as_there_can_be),
  };
  return cmocka_run_group_tests_name("bell", tests, NULL, NULL);
}
