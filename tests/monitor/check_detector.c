/* Alarms about the detector: raised when there is cause, over when it is well past, and every mask is told once. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "monitor/detector.h"

struct bench {
  struct alarms alarms;
  struct detector_memory memory;
  struct ct_snapshot_core core;
  struct ct_snapshot_health health;
  int64_t now_ns;
  char notes[8][256];                /* texts of pixels-masked */
  int n_notes;
};

static void take_change(void *arg, const struct ct_snapshot_alarm *alarm, bool raised, int64_t now_ns)
{
  struct bench *b = arg;
  assert_int_equal(now_ns, b->now_ns);
  if (strcmp(alarm->id, "pixels-masked") != 0)
    return;
  assert_true(raised && b->n_notes < 8);
  strcpy(b->notes[b->n_notes++], alarm->text);
}

static struct bench *new_bench(void)
{
  struct bench *b = ct_xcalloc(1, sizeof *b);
  b->alarms.changed = take_change;
  b->alarms.changed_arg = b;
  b->now_ns = 1000 * CT_NS_PER_S;
  b->health = (struct ct_snapshot_health){ .present = true, .drift_median_ADU = (double)NAN, .flooded_row = CT_ABSENT,
                                           .flooded_frame = CT_ABSENT, .jump_frame = CT_ABSENT };
  return b;
}

/* One second later: the text of alarm <id>, or NULL where it is not in force. */
static const char *look(struct bench *b, const char *id)
{
  b->now_ns += CT_NS_PER_S;
  alarms_begin(&b->alarms);
  detector_raise(&b->alarms, &b->memory, "det", &b->health, b->now_ns);
  alarms_end(&b->alarms, b->now_ns, &b->core);
  for (uint32_t i = 0; i < b->core.n_alarms; i++)
    if (strcmp(b->core.alarms[i].id, id) == 0)
      return b->core.alarms[i].text;
  return NULL;
}

static void nothing_is_wrong(void **state)
{
  (void)state;
  struct bench *b = new_bench();
  assert_null(look(b, "dark-drift"));
  assert_int_equal(b->core.n_alarms, 0);
  b->health = (struct ct_snapshot_health){ .present = false, .hot_unmasked = 3, .row_floods = 7 };
  assert_null(look(b, "pixels-hot"));
  assert_int_equal(b->core.n_alarms, 0);
  free(b);
}

static void drift_has_hysteresis(void **state)
{
  (void)state;
  struct bench *b = new_bench();
  const struct { double drift_ADU; bool raised; } steps[] = {
    { 2.9, false }, { -3.1, true }, { -2.9, true }, { -2.1, true }, { -1.9, false }, { -2.9, false }, { 3.1, true },
    { (double)NAN, false },          /* new darks */
  };
  for (size_t i = 0; i < sizeof steps / sizeof *steps; i++) {
    b->health.drift_median_ADU = steps[i].drift_ADU;
    assert_int_equal(look(b, "dark-drift") != NULL, steps[i].raised);
  }
  free(b);
}

static void events_are_shown_for_a_while(void **state)
{
  (void)state;
  struct bench *b = new_bench();
  b->health.row_floods = 3, b->health.flooded_row = 12, b->health.flooded_frame = 99;
  const char *text = look(b, "row-flood");
  assert_non_null(text);
  assert_non_null(strstr(text, "row 12"));
  assert_non_null(strstr(text, "frame 99"));
  for (int s = 0; s < 9; s++)
    assert_non_null(look(b, "row-flood"));
  assert_null(look(b, "row-flood"));
  b->health.row_floods++;
  assert_non_null(look(b, "row-flood"));
  assert_null(look(b, "level-jump"));
  b->health.jumps = 1, b->health.jump_frame = 5, b->health.jump_ADU = -7.25;
  text = look(b, "level-jump");
  assert_non_null(text);
  assert_non_null(strstr(text, "-7.2 ADU in frame 5"));
  free(b);
}

static void hot_pixels_are_named_until_masked(void **state)
{
  (void)state;
  struct bench *b = new_bench();
  b->health.hot = b->health.hot_unmasked = 40;
  b->health.n_pixels = 41;
  for (uint32_t i = 0; i < 41; i++)
    b->health.pixels[i] = (struct ct_snapshot_pixel){ .x = 100 + i, .y = 200, .fault = i == 3 ? CT_FAULT_DEAD : CT_FAULT_HOT };
  const char *text = look(b, "pixels-hot");
  assert_non_null(text);
  assert_non_null(strstr(text, "40"));
  assert_non_null(strstr(text, "102,200 104,200"));      /* 103 is dead */
  assert_non_null(strstr(text, "..."));
  assert_non_null(strstr(text, "hexitec.mask = auto"));
  b->health.hot_unmasked = 0;
  b->health.masked = 41;
  b->health.mask_generation = 1;
  for (uint32_t i = 0; i < 41; i++)
    b->health.pixels[i].masked = true;
  assert_null(look(b, "pixels-hot"));
  assert_int_equal(b->core.n_alarms, 0);                 /* a mask is no alarm */
  /* All of them are told, over several notes, each once. */
  for (uint32_t i = 0; i < 41; i++) {
    char pixel[16];
    int told = 0;
    snprintf(pixel, sizeof pixel, "%u,200", 100 + i);
    for (int n = 0; n < b->n_notes; n++)
      told += strstr(b->notes[n], pixel) != NULL;
    assert_int_equal(told, 1);
  }
  int before = b->n_notes;
  look(b, "");
  assert_int_equal(b->n_notes, before);
  b->health.masked = b->health.n_pixels = 0;
  b->health.mask_generation = 2;
  look(b, "");
  assert_int_equal(b->n_notes, before + 1);
  assert_non_null(strstr(b->notes[before], "let in again"));
  free(b);
}

int main(void)
{
  const struct CMUnitTest tests[] = {
    cmocka_unit_test(nothing_is_wrong),
    cmocka_unit_test(drift_has_hysteresis),
    cmocka_unit_test(events_are_shown_for_a_while),
    cmocka_unit_test(hot_pixels_are_named_until_masked),
  };
  return cmocka_run_group_tests_name("detector alarms", tests, NULL, NULL);
}
