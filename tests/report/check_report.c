/* Samples as JSON and TSV, read back with jansson and by counting. With an argument ("json" or "tsv") it writes every
 * sample to stdout, for the script that reads them with jq. */
#include <comptop/report.h>

#include <jansson.h>
#include <math.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "samples.h"

#define ALL_FIELDS (CT_REPORT_MAP | CT_REPORT_SPECTRUM | CT_REPORT_PROFILE)

static const char *const stream_names[] = { "hexitec", "camera" };
static const char *const roi_names[] = { "cathode" };

static struct ct_report *new_report(enum ct_report_format format, unsigned fields)
{
  struct ct_report_setup setup = { .format = format, .fields = fields, .streams = stream_names, .n_streams = 2,
                                   .rois = roi_names, .n_rois = 1 };
  struct ct_report *report;
  struct ct_err err;
  int rc = ct_report_new(&report, &setup, &err);
  if (rc != 0)
    fail_msg("%s", err.text);
  return report;
}

/* What <report> writes for <n> samples, as a string the caller frees. */
static char *written(struct ct_report *report, const enum sample *samples, size_t n)
{
  char *text = NULL;
  size_t length;
  FILE *out = open_memstream(&text, &length);
  assert_non_null(out);
  for (size_t i = 0; i < n; i++)
    assert_int_equal(ct_report_write(report, make_sample(samples[i]), out), 0);
  fclose(out);
  assert_int_equal(strlen(text), length);
  return text;
}

static char *json_text(enum sample sample, unsigned fields)
{
  struct ct_report *report = new_report(CT_REPORT_JSON, fields);
  char *text = written(report, &sample, 1);
  ct_report_free(report);
  return text;
}

static json_t *json_sample(enum sample sample)
{
  char *text = json_text(sample, ALL_FIELDS);
  json_error_t error;
  json_t *object = json_loads(text, JSON_REJECT_DUPLICATES, &error);
  if (object == NULL)
    fail_msg("sample %d, byte %d: %s", sample, error.position, error.text);
  free(text);
  return object;
}

/* The member at a path like "streams.0.name"; the test fails where there is none. */
static const json_t *at(const json_t *value, const char *path)
{
  while (*path != '\0') {
    char key[64];
    size_t length = strcspn(path, ".");
    snprintf(key, sizeof key, "%.*s", (int)length, path);
    value = json_is_array(value) ? json_array_get(value, strtoul(key, NULL, 10)) : json_object_get(value, key);
    if (value == NULL)
      fail_msg("no \"%s\"", key);
    path += length + (path[length] == '.');
  }
  return value;
}

static void json_is_one_line(void **state)
{
  (void)state;
  for (int sample = 0; sample < SAMPLE_COUNT; sample++) {
    char *text = json_text((enum sample)sample, ALL_FIELDS);
    assert_ptr_equal(strchr(text, '\n'), text + strlen(text) - 1);
    free(text);
    json_decref(json_sample((enum sample)sample));
  }
}

static void json_has_the_schema(void **state)
{
  (void)state;
  static const char *const keys[] = { "v", "t", "seq", "run", "mode", "streams", "rings", "archive", "xcs", "lithium", "drift", "health", "monitors",
                                      "roi", "ct",
                                      "cell", "alarms", "map", "spectrum", "profile" };
  json_t *sample = json_sample(SAMPLE_NORMAL);
  const char *key;
  json_t *value;
  size_t n = 0;
  json_object_foreach(sample, key, value)
    assert_string_equal(key, keys[n++]);
  assert_int_equal(n, sizeof keys / sizeof *keys);
  assert_int_equal(json_integer_value(at(sample, "v")), 1);
  assert_string_equal(json_string_value(at(sample, "t")), "2026-11-22T03:14:07.250Z");
  assert_string_equal(json_string_value(at(sample, "streams.0.role")), "hexitec");
  assert_string_equal(json_string_value(at(sample, "streams.0.state")), "live");
  assert_int_equal(json_integer_value(at(sample, "streams.0.rejected_kinds.shape")), 2);
  assert_int_equal(json_object_size(at(sample, "streams.0.rejected_kinds")), 1);
  assert_int_equal(json_integer_value(at(sample, "archive.bytes")), 4710000000);
  assert_string_equal(json_string_value(at(sample, "archive.state")), "ok");
  assert_int_equal(json_integer_value(at(sample, "xcs.events.double")), 1500032);
  assert_true(json_real_value(at(sample, "xcs.L")) == 812345.1);
  assert_true(json_is_null(at(sample, "ct")));
  assert_string_equal(json_string_value(at(sample, "lithium.state")), "not calibrated");
  assert_int_equal(json_integer_value(at(sample, "health.hot")), 2);
  assert_int_equal(json_integer_value(at(sample, "health.flooded_frame")), 123456);
  assert_true(json_is_null(at(sample, "health.jump_frame")));
  assert_true(json_is_null(at(sample, "health.drift_max_ADU")));
  assert_string_equal(json_string_value(at(sample, "health.pixels.1.fault")), "dead");
  assert_true(json_is_true(at(sample, "health.pixels.1.masked")));
  assert_int_equal(json_array_size(at(sample, "health.pixels")), 2);
  assert_string_equal(json_string_value(at(sample, "alarms.0.severity")), "warning");
  assert_string_equal(json_string_value(at(sample, "alarms.0.since")), "2026-11-22T03:14:07.250Z");
  json_decref(sample);
  char *text = json_text(SAMPLE_NORMAL, 0);
  assert_non_null(strstr(text, ",\"emf\":0.2,"));
  assert_non_null(strstr(text, "\"window_s\":60.0,"));
  assert_null(strstr(text, "\"map\""));
  free(text);
}

static void json_of_nothing(void **state)
{
  (void)state;
  json_t *sample = json_sample(SAMPLE_EMPTY);
  assert_int_equal(json_array_size(at(sample, "streams")), 0);
  assert_string_equal(json_string_value(at(sample, "archive.state")), "off");
  assert_true(json_is_null(at(sample, "xcs")));
  assert_true(json_is_null(at(sample, "health")));
  assert_true(json_is_null(at(sample, "run")));
  assert_true(json_is_null(at(sample, "map")));      /* asked for, not in the snapshot */
  json_decref(sample);
}

static void json_nan_is_null(void **state)
{
  (void)state;
  json_t *sample = json_sample(SAMPLE_NAN);
  static const char *const nulls[] = { "streams.0.rate_hz", "rings.0.fill", "archive.rate_Bps", "xcs.window_s", "xcs.emf",
    "xcs.emf_sigma", "roi.0.L", "xcs.run.emf",
    "xcs.trend.per_h", "roi.0.target_s", "drift.z_max", "drift.x", "ct.axis_px", "cell.v_V", "map.emf.0", "map.counts.0", "spectrum.counts.2", "profile.J.1" };
  for (size_t i = 0; i < sizeof nulls / sizeof *nulls; i++)
    assert_true(json_is_null(at(sample, nulls[i])));
  assert_int_equal(json_integer_value(at(sample, "xcs.counts")), 3312094);
  json_decref(sample);
}

static void json_counts_are_exact(void **state)
{
  (void)state;
  json_t *sample = json_sample(SAMPLE_HUGE);
  assert_int_equal(json_integer_value(at(sample, "streams.0.frames")), 9007199254740993);
  assert_int_equal(json_integer_value(at(sample, "xcs.counts")), INT64_MAX);
  assert_int_equal(json_integer_value(at(sample, "seq")), INT64_MAX);
  for (int i = 0; i < 4; i++) {
    const json_t *count = json_array_get(at(sample, "spectrum.counts"), (size_t)i);
    assert_true(json_is_integer(count));
    assert_int_equal(json_integer_value(count), INT64_C(9007199254740992) * i);
  }
  assert_true(fabs(json_real_value(at(sample, "xcs.L")) / 1.7e308 - 1) < 1e-9);
  json_decref(sample);
}

static void json_map_blanks(void **state)
{
  (void)state;
  json_t *sample = json_sample(SAMPLE_NORMAL);
  assert_int_equal(json_integer_value(at(sample, "map.rows")), 2);
  assert_int_equal(json_integer_value(at(sample, "map.cols")), 3);
  for (size_t i = 0; i < 6; i++) {
    const json_t *emf = json_array_get(at(sample, "map.emf"), i), *sigma = json_array_get(at(sample, "map.sigma"), i);
    const json_t *counts = json_array_get(at(sample, "map.counts"), i);
    bool good = i != 1 && i != 5;      /* 1 is faint, 5 is masked */
    assert_int_equal(json_is_real(emf), good);
    assert_int_equal(json_is_real(sigma), good);
    assert_int_equal(json_is_real(counts), i != 5);
    if (good)
      assert_true((float)json_real_value(emf) == (float)(0.1 * (double)(i + 1)));
  }
  json_decref(sample);
  char *text = json_text(SAMPLE_NORMAL, CT_REPORT_MAP);
  assert_non_null(strstr(text, "\"emf\":[0.1,null,0.3,0.4,0.5,null]"));
  free(text);
}

static const char *shortest(float value, char text[32])
{
  for (int digits = 6; digits <= 9; digits++) {
    snprintf(text, 32, "%.*g", digits, (double)value);
    if (strtof(text, NULL) == value)
      break;
  }
  return text;
}

/* Of floats of all sizes that pictures have: those they were, in as few digits as printf needs. */
static void json_pictures_are_exact_and_short(void **state)
{
  (void)state;
  enum { SIDE = 128, N = SIDE * SIDE };
  static _Alignas(8) char memory[1 << 20];
  struct ct_snapshot_builder builder;
  struct ct_map_parts map;
  struct ct_request request;
  struct ct_report *report = new_report(CT_REPORT_JSON, CT_REPORT_MAP);
  const struct ct_report_setup setup = { .format = CT_REPORT_JSON, .fields = CT_REPORT_MAP };
  char *text = NULL, text_of_it[32];
  size_t length;
  uint64_t seed = 3;
  assert_int_equal(ct_report_requests(&setup, &request, 1), 1);
  assert_int_equal(ct_snapshot_begin(&builder, memory, sizeof memory), 0);
  assert_true(ct_snapshot_add_map(&builder, &request, SIDE, SIDE, &map));
  for (int i = 0; i < N; i++) {
    seed = seed * 6364136223846793005u + 1442695040888963407u;
    float digits = (float)(seed >> 40), size = powf(10, (float)(i % 24) - 16);
    map.emf[i] = i % 3 ? digits * size : (float)((double)(seed >> 50) * (double)size);
    map.emf[i] *= i % 2 ? -1.0f : 1.0f;
  }
  FILE *out = open_memstream(&text, &length);
  assert_int_equal(ct_report_write(report, ct_snapshot_finish(&builder), out), 0);
  fclose(out);
  json_t *sample = json_loads(text, 0, NULL);
  for (int i = 0; i < N; i++) {
    double number = json_real_value(json_array_get(at(sample, "map.emf"), (size_t)i));
    assert_true((float)number == map.emf[i]);
    if (fabsf(map.emf[i]) >= 1e-13f)
      assert_true(number == strtod(shortest(map.emf[i], text_of_it), NULL));
  }
  json_decref(sample);
  free(text);
  ct_report_free(report);
}

static void json_strings_stay_valid(void **state)
{
  (void)state;
  json_t *sample = json_sample(SAMPLE_STRINGS);
  assert_string_equal(json_string_value(at(sample, "run")), "q\"uo\\te\ttab\n\x01\x7f");
  assert_string_equal(json_string_value(at(sample, "streams.0.name")), "Zelle-\xc3\xa4\xe2\x82\xac\xf0\x9f\x94\x8b");
#define FFFD "\xef\xbf\xbd"
  assert_string_equal(json_string_value(at(sample, "roi.0.name")), "bad" FFFD FFFD "(" FFFD FFFD FFFD FFFD FFFD);
  assert_int_equal(json_string_length(at(sample, "rings.0.name")), CT_NAME);
  assert_int_equal(json_string_length(at(sample, "alarms.0.text")), 256 * strlen(FFFD));
  json_decref(sample);
}

/* Cells of line <number> (from 0) of <text>; copies column <column> into <cell>. */
static size_t tsv_cells(const char *text, int number, size_t column, char cell[128])
{
  while (number-- > 0)
    text = strchr(text, '\n') + 1;
  size_t n = 0;
  for (;; text++) {
    size_t length = strcspn(text, "\t\n");
    if (n++ == column)
      snprintf(cell, 128, "%.*s", (int)length, text);
    text += length;
    if (*text != '\t')
      return n;
  }
}

static void tsv_columns_stay(void **state)
{
  (void)state;
  static const enum sample samples[] = { SAMPLE_EMPTY, SAMPLE_NORMAL, SAMPLE_NAN, SAMPLE_HUGE, SAMPLE_STRINGS };
  struct ct_report *report = new_report(CT_REPORT_TSV, 0);
  char *text = written(report, samples, 5), *more = written(report, samples, 1);
  ct_report_free(report);
  assert_memory_equal(text, "#comptop-tsv 1\n#units\t", 22);
  assert_null(strchr(more, '#'));
  size_t lines = 0;
  for (const char *at_line = text; (at_line = strchr(at_line, '\n')) != NULL; at_line++)
    lines++;
  assert_int_equal(lines, 3 + 5);
  char cell[128];
  size_t n = tsv_cells(text, 2, 0, cell);
  assert_true(n > 50);
  for (int line = 1; line < 8; line++)
    assert_int_equal(tsv_cells(text, line, 0, cell), n);
  assert_int_equal(tsv_cells(more, 0, 0, cell), n);
  for (size_t i = 0; i < n; i++) {      /* column names are not empty and not twice there */
    char other[128];
    tsv_cells(text, 2, i, cell);
    assert_int_not_equal(cell[0], '\0');
    for (size_t k = 0; k < i; k++) {
      tsv_cells(text, 2, k, other);
      assert_string_not_equal(cell, other);
    }
  }
  free(text);
  free(more);
}

static void assert_cell(const char *text, int line, const char *column, const char *unit, const char *expected)
{
  char cell[128];
  size_t n = tsv_cells(text, 2, 0, cell), i = 0;
  while (i < n && strcmp(cell, column) != 0)
    tsv_cells(text, 2, ++i, cell);
  if (i == n)
    fail_msg("no column %s", column);
  tsv_cells(text, 1, i, cell);
  assert_string_equal(cell, unit);
  tsv_cells(text, line, i, cell);
  assert_string_equal(cell, expected);
}

static void tsv_has_the_scalars(void **state)
{
  (void)state;
  static const enum sample samples[] = { SAMPLE_NORMAL, SAMPLE_NAN, SAMPLE_HUGE, SAMPLE_STRINGS };
  struct ct_report *report = new_report(CT_REPORT_TSV, 0);
  char *text = written(report, samples, 4);
  ct_report_free(report);
  assert_cell(text, 3, "t", "#units", "2026-11-22T03:14:07.250Z");
  assert_cell(text, 3, "seq", "-", "71");
  assert_cell(text, 3, "run", "-", "charge-02");
  assert_cell(text, 3, "xcs.emf", "-", "0.2");
  assert_cell(text, 3, "xcs.L", "counts", "812345.1");
  assert_cell(text, 3, "xcs.events.single", "-", "1630211");
  assert_cell(text, 3, "streams.hexitec.frames", "frames", "540000");
  assert_cell(text, 3, "streams.hexitec.rate_hz", "Hz", "9000.1");
  assert_cell(text, 3, "streams.camera.frames", "frames", "nan");      /* not in the snapshot */
  assert_cell(text, 3, "rings.hexitec.high", "-", "0.11");
  assert_cell(text, 3, "roi.cathode.emf", "-", "0.79");
  assert_cell(text, 3, "archive.state", "-", "ok");
  assert_cell(text, 3, "ct.axis_px", "px", "nan");
  assert_cell(text, 3, "cell.v_V", "V", "3.91");
  assert_cell(text, 4, "xcs.emf", "-", "nan");
  assert_cell(text, 4, "archive.rate_Bps", "B/s", "nan");
  assert_cell(text, 5, "streams.hexitec.frames", "frames", "9007199254740993");
  assert_cell(text, 5, "seq", "-", "18446744073709551615");
  assert_cell(text, 6, "run", "-", "q\"uo\\te_tab___");
  free(text);
}

static void output_that_fails(void **state)
{
  (void)state;
  struct ct_report *report = new_report(CT_REPORT_TSV, 0);
  int ends[2];
  assert_int_equal(pipe(ends), 0);
  close(ends[0]);
  signal(SIGPIPE, SIG_IGN);
  FILE *closed = fdopen(ends[1], "w");
  assert_non_null(closed);
  assert_int_equal(ct_report_write(report, make_sample(SAMPLE_NORMAL), closed), CT_EIO);
  fclose(closed);
  FILE *full = fopen("/dev/full", "w");
  assert_non_null(full);
  assert_int_equal(ct_report_write(report, make_sample(SAMPLE_NORMAL), full), CT_EIO);
  fclose(full);
  enum sample sample = SAMPLE_NORMAL;
  char *text = written(report, &sample, 1);      /* nothing got out: the head is still to come */
  assert_memory_equal(text, "#comptop-tsv 1\n", 15);
  free(text);
  ct_report_free(report);
}

/* The lines of a screen: their number, and that each is <columns> characters wide without escapes. */
static void assert_screens(const char *text, size_t screens, size_t columns)
{
  size_t line = 0, column = 0;
  for (const char *c = text; *c != '\0'; c++) {
    if (*c == '\f') {
      assert_int_equal(column, 0);
      assert_int_equal(line % 24, 0);
    } else if (*c == '\n') {
      assert_int_equal(column, columns);
      column = 0;
      line++;
    } else if (*c == '\033') {
      c += strcspn(c, "m");
    } else if ((*c & 0xc0) != 0x80) {
      column++;
    }
  }
  assert_int_equal(line, 24 * screens);
}

static void screens_as_text(void **state)
{
  (void)state;
  static const enum sample samples[] = { SAMPLE_NORMAL, SAMPLE_STRINGS, SAMPLE_EMPTY, SAMPLE_NAN, SAMPLE_HUGE };
  for (int ansi = 0; ansi < 2; ansi++)
    for (int utf8 = 0; utf8 < 2; utf8++) {
      struct ct_report_setup setup = { .format = ansi ? CT_REPORT_ANSI : CT_REPORT_TEXT, .utf8 = utf8 };
      struct ct_request request[CT_REPORT_REQUESTS];
      struct ct_report *report;
      assert_int_equal(ct_report_new(&report, &setup, NULL), 0);
      char *text = written(report, samples, 5), *again = written(report, samples, 1);
      assert_screens(text, 5, 80);
      const char *start = ansi ? "\033[0;1mcomptop" : "comptop charge-02 ";
      assert_memory_equal(text, start, strlen(start));
      assert_int_equal(again[0], '\f');
      assert_true((strchr(text, '\033') != NULL) == ansi);
      for (const char *c = text; *c != '\0' && !utf8; c++)
        assert_in_range(*c, 0, 0x7e);
      size_t n = ct_report_requests(&setup, request, CT_REPORT_REQUESTS);
      assert_in_range(n, 3, CT_REPORT_REQUESTS);      /* map, profile, trend at least */
      ct_report_free(report);
      free(text);
      free(again);
    }
}

static void refused_setups(void **state)
{
  (void)state;
  struct ct_err err;
  struct ct_report *report;
  struct ct_report_setup setup = { .format = CT_REPORT_TSV, .fields = CT_REPORT_MAP };
  assert_int_equal(ct_report_new(&report, &setup, &err), CT_EUSAGE);
  assert_null(report);
  assert_non_null(strstr(err.text, "-o json"));
  setup = (struct ct_report_setup){ .format = CT_REPORT_JSON, .n_streams = CT_SNAPSHOT_STREAMS + 1 };
  assert_int_equal(ct_report_new(&report, &setup, &err), CT_ERANGE);
}

static void words(void **state)
{
  (void)state;
  struct ct_err err;
  enum ct_report_format format;
  assert_int_equal(ct_report_format_parse("json", &format, &err), 0);
  assert_int_equal(format, CT_REPORT_JSON);
  assert_int_equal(ct_report_format_parse("xml", &format, &err), CT_EUSAGE);
  unsigned fields = 0;
  assert_int_equal(ct_report_fields_parse("map,profile", &fields, &err), 0);
  assert_int_equal(ct_report_fields_parse("spectrum", &fields, &err), 0);
  assert_int_equal(fields, ALL_FIELDS);
  static const char *const wrong[] = { "", "map,", ",map", "maps", "map profile", "ma" };
  for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
    assert_int_equal(ct_report_fields_parse(wrong[i], &fields, &err), CT_EUSAGE);
  struct ct_request request[1];
  struct ct_report_setup setup = { .format = CT_REPORT_JSON, .fields = ALL_FIELDS };
  assert_int_equal(ct_report_requests(&setup, request, 1), 3);
  assert_int_equal(request[0].kind, CT_SECTION_MAP);
  assert_int_equal(request[0].bin, 1);
  setup.fields = 0;
  assert_int_equal(ct_report_requests(&setup, request, 1), 0);
}

static int write_all(enum ct_report_format format)
{
  struct ct_report *report = new_report(format, format == CT_REPORT_JSON ? ALL_FIELDS : 0);
  for (int sample = 0; sample < SAMPLE_COUNT; sample++)
    if (ct_report_write(report, make_sample((enum sample)sample), stdout) != 0)
      return 1;
  ct_report_free(report);
  return 0;
}

int main(int argc, char **argv)
{
  if (argc > 1)
    return write_all(strcmp(argv[1], "json") == 0 ? CT_REPORT_JSON : CT_REPORT_TSV);
  const struct CMUnitTest tests[] = {
    cmocka_unit_test(json_is_one_line), cmocka_unit_test(json_has_the_schema), cmocka_unit_test(json_of_nothing),
    cmocka_unit_test(json_nan_is_null), cmocka_unit_test(json_counts_are_exact), cmocka_unit_test(json_map_blanks), cmocka_unit_test(json_pictures_are_exact_and_short),
    cmocka_unit_test(json_strings_stay_valid), cmocka_unit_test(tsv_columns_stay),
    cmocka_unit_test(tsv_has_the_scalars), cmocka_unit_test(output_that_fails), cmocka_unit_test(screens_as_text), cmocka_unit_test(refused_setups),
    cmocka_unit_test(words),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
