/* What the monitor remembers: the trend of a run of any length, and alarms with their beginning. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "monitor/alarms.h"
#include "monitor/history.h"

static const double start_s = 1e9;

static void add_seconds(struct history *history, uint32_t from, uint32_t to)
{
  struct ct_snapshot_core *core = calloc(1, sizeof *core);
  assert_non_null(core);
  core->n_rois = 1;
  for (uint32_t second = from; second < to; second++) {
    core->wall_ns = (int64_t)((start_s + second) * 1e9);
    core->xcs.emf.emf = second;
    core->rois[0].emf.emf = 2.0 * second;
    history_add(history, core);
  }
  free(core);
}

/* A run of <seconds>, asked for <size> points. */
static void run_of(uint32_t seconds, uint32_t size)
{
  size_t bytes = sizeof(struct ct_snapshot) + 65536 * 8;
  void *buffer = calloc(1, bytes);
  struct history *history = calloc(1, sizeof *history);
  struct ct_snapshot_builder builder;
  struct ct_request all = { .kind = CT_SECTION_TREND, .size = size };
  struct ct_request roi = { .kind = CT_SECTION_TREND, .scope = CT_SCOPE_ROI, .size = size };
  struct ct_trend_view trend;
  add_seconds(history, 0, seconds);
  assert_int_equal(ct_snapshot_begin(&builder, buffer, bytes), 0);
  history_draw(history, &builder, &all);
  history_draw(history, &builder, &roi);
  const struct ct_snapshot *snapshot = ct_snapshot_finish(&builder);
  assert_true(ct_snapshot_trend(snapshot, &all, &trend));
  uint32_t n = trend.head->n;
  assert_in_range(n, seconds < size ? seconds : size / 2, size);
  for (uint32_t i = 0; i < n; i++) {
    /* Each point is a second that was: its value says which. */
    assert_true(trend.t_s[i] == start_s + trend.emf[i]);
    if (i > 0)
      assert_true(fabs(trend.t_s[i] - trend.t_s[i - 1] - trend.head->interval_s) < 1e-6);
  }
  /* It ends with the latest that is kept and spans the run. */
  assert_true(start_s + seconds - trend.t_s[n - 1] <= trend.head->interval_s + 1);
  assert_true(trend.t_s[0] - start_s <= 2 * trend.head->interval_s);
  assert_true(ct_snapshot_trend(snapshot, &roi, &trend));
  assert_true(trend.emf[n - 1] == 2 * (trend.t_s[n - 1] - start_s));
  free(history);
  free(buffer);
}

static void a_trend_spans_the_run(void **state)
{
  (void)state;
  run_of(1, 120);
  run_of(50, 120);
  run_of(121, 120);
  run_of(HISTORY_POINTS, 120);
  run_of(HISTORY_POINTS + 1, 120);
  run_of(100000, 120);
  run_of(100000, HISTORY_POINTS);
}

static void an_absurd_trend_is_not_drawn(void **state)
{
  (void)state;
  size_t bytes = sizeof(struct ct_snapshot) + 65536;
  void *buffer = calloc(1, bytes);
  struct history *history = calloc(1, sizeof *history);
  struct ct_snapshot_builder builder;
  add_seconds(history, 0, 10);
  assert_int_equal(ct_snapshot_begin(&builder, buffer, bytes), 0);
  history_draw(history, &builder, &(struct ct_request){ .kind = CT_SECTION_TREND, .size = 0 });
  history_draw(history, &builder, &(struct ct_request){ .kind = CT_SECTION_TREND, .size = UINT32_MAX });
  history_draw(history, &builder, &(struct ct_request){ .kind = CT_SECTION_TREND, .scope = CT_SCOPE_ROI, .x = -1, .size = 9 });
  history_draw(history, &builder,
               &(struct ct_request){ .kind = CT_SECTION_TREND, .scope = CT_SCOPE_ROI, .x = CT_SNAPSHOT_ROIS, .size = 9 });
  assert_int_equal(ct_snapshot_finish(&builder)->n_sections, 0);
  free(history);
  free(buffer);
}

/* ---- marks ---- */
static struct ct_marks_view draw_marks(const struct history *history, void *buffer, size_t bytes)
{
  struct ct_snapshot_builder builder;
  struct ct_request request = { .kind = CT_SECTION_MARKS };
  struct ct_marks_view marks;
  assert_int_equal(ct_snapshot_begin(&builder, buffer, bytes), 0);
  history_draw_marks(history, &builder, &request);
  const struct ct_snapshot *snapshot = ct_snapshot_finish(&builder);
  assert_int_equal(ct_snapshot_check(snapshot, (size_t)snapshot->size_bytes, NULL), 0);
  assert_true(ct_snapshot_marks(snapshot, &request, &marks));
  return marks;
}

static void scans_modes_and_words_are_marked(void **state)
{
  (void)state;
  static const char *const modes[] = { "", "xcs", "xcs", "xct", "xct", "xcs" };
  size_t bytes = sizeof(struct ct_snapshot) + 65536;
  void *buffer = calloc(1, bytes);
  struct history *history = calloc(1, sizeof *history);
  struct ct_snapshot_core *core = calloc(1, sizeof *core);
  assert_int_equal(draw_marks(history, buffer, bytes).head->n, 0);
  for (int i = 0; i < 6; i++) {      /* a scan begins at 1, the mode changes at 3 and 5 */
    core->wall_ns = (int64_t)(i + 1) * CT_NS_PER_S;
    core->xcs.scan = i >= 1;
    strcpy(core->mode, modes[i]);
    history_add(history, core);
  }
  history_mark(history, 7 * CT_NS_PER_S, "heater on");
  struct ct_marks_view marks = draw_marks(history, buffer, bytes);
  static const struct { double t_s; uint32_t kind; } expected[] = { { 2, CT_MARK_SCAN }, { 4, CT_MARK_XCT }, { 6, CT_MARK_XCS },
                                                                    { 7, CT_MARK_TEXT } };
  assert_int_equal(marks.head->n, 4);
  for (int i = 0; i < 4; i++)
    assert_true(marks.marks[i].t_s == expected[i].t_s && marks.marks[i].kind == expected[i].kind);
  assert_string_equal(marks.marks[0].text, "scan 1");
  assert_string_equal(marks.marks[1].text, "xct");
  assert_string_equal(marks.marks[3].text, "heater on");
  for (int i = 0; i < 200; i++) {    /* scans upon scans: what was written stays */
    core->wall_ns += CT_NS_PER_S;
    core->xcs.scan++;
    history_add(history, core);
  }
  marks = draw_marks(history, buffer, bytes);
  assert_int_equal(marks.head->n, CT_SNAPSHOT_MARKS);
  assert_string_equal(marks.marks[2].text, "heater on");
  assert_string_equal(marks.marks[CT_SNAPSHOT_MARKS - 1].text, "scan 201");
  for (int i = 0; i < 100; i++)
    history_mark(history, (int64_t)(300 + i) * CT_NS_PER_S, "again, and at such length that it does not fit into the room that a mark has");
  marks = draw_marks(history, buffer, bytes);
  assert_int_equal(marks.head->n, CT_SNAPSHOT_MARKS);
  assert_true(marks.marks[0].t_s == 300 + 100 - CT_SNAPSHOT_MARKS);
  free(core);
  free(history);
  free(buffer);
}

/* ---- alarms ---- */
static int changes;

static void count_changes(void *arg, const struct ct_snapshot_alarm *alarm, bool raised, int64_t now_ns)
{
  (void)now_ns;
  assert_ptr_equal(arg, &changes);
  assert_string_equal(alarm->id, "frames-lost");
  changes += raised ? 1 : 100;
}

static void an_alarm_keeps_its_beginning(void **state)
{
  (void)state;
  struct alarms *alarms = calloc(1, sizeof *alarms);
  struct ct_snapshot_core *core = calloc(1, sizeof *core);
  alarms->changed = count_changes;
  alarms->changed_arg = &changes;
  for (int64_t now_ns = 10; now_ns < 13; now_ns++) {
    alarms_begin(alarms);
    alarms_raise(alarms, now_ns, "frames-lost", "a", CT_WARNING, "%d lost", (int)now_ns);
    if (now_ns > 10)
      alarms_raise(alarms, now_ns, "frames-lost", "b", CT_CRITICAL, "of another stream");
    alarms_end(alarms, now_ns, core);
  }
  assert_int_equal(changes, 2);
  assert_int_equal(core->n_alarms, 2);
  assert_string_equal(core->alarms[0].text, "of another stream");   /* the worst first */
  assert_int_equal(core->alarms[0].since_ns, 11);
  assert_int_equal(core->alarms[1].since_ns, 10);
  assert_string_equal(core->alarms[1].text, "12 lost");
  alarms_begin(alarms);
  alarms_end(alarms, 20, core);
  assert_int_equal(changes, 202);
  assert_int_equal(core->n_alarms, 0);
  free(core);
  free(alarms);
}

static void more_alarms_than_there_is_room_for(void **state)
{
  (void)state;
  struct alarms *alarms = calloc(1, sizeof *alarms);
  struct ct_snapshot_core *core = calloc(1, sizeof *core);
  char id[CT_NAME];
  alarms_begin(alarms);
  for (int i = 0; i < 2 * CT_SNAPSHOT_ALARMS; i++) {
    snprintf(id, sizeof id, "alarm-%d", i);
    alarms_raise(alarms, 1, id, "", CT_NOTICE, "text");
  }
  alarms_end(alarms, 1, core);
  assert_int_equal(core->n_alarms, CT_SNAPSHOT_ALARMS);
  free(core);
  free(alarms);
}

int main(void)
{
  const struct CMUnitTest tests[] = {
    cmocka_unit_test(a_trend_spans_the_run),
    cmocka_unit_test(an_absurd_trend_is_not_drawn),
    cmocka_unit_test(scans_modes_and_words_are_marked),
    cmocka_unit_test(an_alarm_keeps_its_beginning),
    cmocka_unit_test(more_alarms_than_there_is_room_for),
  };
  return cmocka_run_group_tests_name("keeping", tests, NULL, NULL);
}
