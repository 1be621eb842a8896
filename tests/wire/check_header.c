/* The strict reader against jansson: on headers made at random, and on the same a little broken. */
#include "wire/header.h"

#include <comptop/wire.h>

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <jansson.h>

#include "samples.h"

static const char *const attribute_names[] = { "RotationAngle", "SampleZ", "Mode", "Trigger", "ImageKey" };
static struct field_name names[FIELD_COUNT];
static locale_t c_locale;

/* ---- a generator of JSON --------------------------------------------------------------------- */
static char text[4000];
static size_t used;
static void put(const char *piece)
{
  assert_true(used + strlen(piece) < sizeof text);
  memcpy(text + used, piece, strlen(piece) + 1);
  used += strlen(piece);
}

static const char *any(const char *const from[], size_t n) { return from[sample_pick(n)]; }
#define ANY(list) any(list, sizeof(list) / sizeof *(list))

static void put_space(void)
{
  static const char *const spaces[] = { "", "", "", " ", "\n\t", "\r " };
  put(ANY(spaces));
}

static void put_string(void)
{
  static const char *const pieces[] = { "x", "frame", "\\\"", "\\\\", "\\u00b5", "\\ud83d\\ude00", "\xc3\xa9", "\xe2\x82\xac",
                                        "\xf0\x9f\x98\x80", "\\n", "\\/", "{", "}", ",", ":", "]", " ", "\\b\\f\\r\\t" };
  put("\"");
  for (uint64_t n = sample_pick(6); n > 0; n--)
    put(ANY(pieces));
  put("\"");
}

static void put_key(void)
{
  static const char *const keys[] = { "\"htype\"", "\"shape\"", "\"type\"", "\"endianness\"", "\"endianess\"", "\"frame\"",
                                      "\"encoding\"", "\"timeStamp\"", "\"frame_num\"", "\"dtype\"", "\"dataset\"",
                                      "\"compression\"", "\"RotationAngle\"", "\"SampleZ\"", "\"Mode\"", "\"Trigger\"",
                                      "\"ImageKey\"", "\"ndattr\"", "\"ndattr\"", "\"\\u0066rame\"", "\"nd\\u0061ttr\"" };
  if (sample_pick(8) == 0)
    put_string();
  else
    put(ANY(keys));
}

static void put_value(unsigned depth);
static void put_members(unsigned depth, bool object)
{
  put(object ? "{" : "[");
  for (uint64_t n = sample_pick(6), i = 0; i < n; i++) {
    put(i > 0 ? "," : "");
    put_space();
    if (object) {
      put_key();
      put_space();
      put(":");
      put_space();
    }
    put_value(depth + 1);
    put_space();
  }
  put_space();
  put(object ? "}" : "]");
}

static void put_value(unsigned depth)
{
  static const char *const plain[] = { "0", "-0", "7", "-12", "12.5", "1e3", "-1.25E-2", "0.1", "123456789012345678",
                                       "1e-400", "1700000000.123456789", "true", "false", "null" };
  uint64_t kind = sample_pick(10);
  if (kind < 2 && depth < 4)
    put_members(depth, kind == 0);
  else if (kind < 5)
    put_string();
  else
    put(ANY(plain));
}

/* ---- comparison ------------------------------------------------------------------------------ */
static void same_value(const struct value *ours, const json_t *theirs)
{
  char string[256];
  double number;
  switch (theirs == NULL ? -1 : (int)json_typeof(theirs)) {
  case -1: assert_int_equal(ours->kind, VALUE_ABSENT); break;
  case JSON_STRING:
    assert_true(value_text(ours, string, sizeof string));
    assert_string_equal(string, json_string_value(theirs));
    break;
  case JSON_INTEGER:
  case JSON_REAL:
    assert_int_equal(ours->kind, VALUE_NUMBER);
    assert_true(value_double(ours, c_locale, &number));
    assert_true(number == json_number_value(theirs));
    break;
  case JSON_NULL: assert_int_equal(ours->kind, VALUE_ABSENT); break;
  case JSON_ARRAY: assert_int_equal(ours->kind, VALUE_ARRAY); break;
  default: assert_int_equal(ours->kind, VALUE_OTHER); break;
  }
}

static void same_fields(const struct header *header, const json_t *root)
{
  const json_t *attributes = json_object_get(root, "ndattr");
  for (int i = 0; i < FIELD_COUNT; i++)
    same_value(&header->values[i], json_object_get(i < FIELD_ANGLE ? root : attributes, names[i].text));
}

/* What jansson refuses though it is JSON: numbers beyond its types, and NUL in strings. */
static bool is_its_own_limit(const json_error_t *error)
{
  enum json_error_code code = json_error_code(error);
  return code == json_error_numeric_overflow || code == json_error_null_character ||
         code == json_error_null_byte_in_key;
}

/* Whether both took it. */
static bool compare(const char *from, size_t bytes)
{
  struct header header = { .names = names };
  json_error_t error;
  char *exact = sample_exact(from, bytes);
  json_t *json = json_loadb(exact, bytes, 0, &error);
  enum header_result result = header_read(&header, exact, bytes);
  if (json_is_object(json)) {
    if (result != HEADER_STRICT)
      fail_msg("refused: %.*s", (int)bytes, exact);
    same_fields(&header, json);
  } else if (result == HEADER_STRICT && !is_its_own_limit(&error)) {
    fail_msg("accepted (%s): %.*s", error.text, (int)bytes, exact);
  }
  bool both = json_is_object(json);
  json_decref(json);
  free(exact);
  return both;
}

static void agrees_with_jansson(void **state)
{
  (void)state;
  unsigned accepted = 0;
  for (int i = 0; i < 20000; i++) {
    used = 0;
    put_space();
    put_members(0, true);
    put_space();
    accepted += compare(text, used);
  }
  assert_int_equal(accepted, 20000);
}

static void agrees_with_jansson_on_broken_ones(void **state)
{
  (void)state;
  unsigned accepted = 0;
  for (int i = 0; i < 40000; i++) {
    used = 0;
    put_members(0, true);
    size_t bytes = sample_mutate(text, used);
    for (char *nul = text; (nul = memchr(nul, '\0', bytes - (size_t)(nul - text))) != NULL;)
      *nul = '0';   /* jansson overlooks a NUL behind a number */
    accepted += compare(text, bytes);
  }
  assert_true(accepted > 1000 && accepted < 39000);
}

static void refuses_what_json_does_not_have(void **state)
{
  (void)state;
  static const char *const bad[] = {
    "{\"a\":01}", "{\"a\":1.}", "{\"a\":.5}", "{\"a\":+1}", "{\"a\":1e}", "{\"a\":-}", "{\"a\":0x1}", "{\"a\":nan}", "{\"a\":True}",
    "{\"a\":\"\\x\"}", "{\"a\":\"\\u12g4\"}", "{\"a\":\"\\ud800\"}", "{\"a\":\"\\udc00\"}", "{\"a\":\"\\ud800\\u0041\"}",
    "{\"a\":\"\t\"}", "{\"a\":\"\xc0\x80\"}", "{\"a\":\"\xe0\x80\x80\"}", "{\"a\":\"\xed\xa0\x80\"}", "{\"a\":\"\xf4\x90\x80\x80\"}",
    "{\"a\":\"\xff\"}", "{\"a\":\"\xc3\"}", "{\"a\" 1}", "{\"a\":1,}", "{,}", "{\"a\":[1,]}", "{\"a\":1}}", "{\"a\":1} x", "{a:1}",
    "{\"a\":1}\n\xEF\xBB\xBF", "{\"a\":\"\\", "{\"a\":\"\\u12", "{\"a\":t", "{\"a\":[", "{\"a\":\"\xf0\x9f" };
  for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
    struct header header = { .names = names };
    char *exact = sample_exact(bad[i], strlen(bad[i]));
    if (header_read(&header, exact, strlen(bad[i])) != HEADER_LOOSE)
      fail_msg("accepted: %s", bad[i]);
    free(exact);
  }
}

static void numbers_and_texts(void **state)
{
  (void)state;
  bool negative;
  uint64_t magnitude;
  double number;
  char string[8];
#define VALUE(type, chars) &(struct value){ .kind = type, .at = chars, .bytes = sizeof chars - 1 }
  assert_true(value_integer(VALUE(VALUE_NUMBER, "18446744073709551615"), c_locale, &negative, &magnitude));
  assert_true(magnitude == UINT64_MAX && !negative);
  assert_false(value_integer(VALUE(VALUE_NUMBER, "18446744073709551616"), c_locale, &negative, &magnitude));
  assert_true(value_integer(VALUE(VALUE_STRING, "-12.0"), c_locale, &negative, &magnitude));
  assert_true(magnitude == 12 && negative);
  assert_false(value_integer(VALUE(VALUE_NUMBER, "1e16"), c_locale, &negative, &magnitude));
  assert_false(value_integer(VALUE(VALUE_NUMBER, "0.5"), c_locale, &negative, &magnitude));
  assert_false(value_integer(VALUE(VALUE_STRING, ""), c_locale, &negative, &magnitude));
  assert_false(value_integer(VALUE(VALUE_STRING, "-"), c_locale, &negative, &magnitude));
  assert_false(value_integer(VALUE(VALUE_STRING, "12 "), c_locale, &negative, &magnitude));
  assert_false(value_double(VALUE(VALUE_STRING, "inf"), c_locale, &number));
  assert_false(value_double(VALUE(VALUE_STRING, "1,5"), c_locale, &number));
  assert_false(value_double(VALUE(VALUE_NUMBER, "1e999"), c_locale, &number));
  assert_false(value_double(VALUE(VALUE_OTHER, "1"), c_locale, &number));
  assert_true(value_double(VALUE(VALUE_STRING, "-1.5e1"), c_locale, &number) && number == -15);
  assert_true(value_text(VALUE(VALUE_STRING, "1234567"), string, sizeof string));
  assert_false(value_text(VALUE(VALUE_STRING, "12345678"), string, sizeof string));
  assert_false(value_text(VALUE(VALUE_STRING, "a\\u0000b"), string, sizeof string));
  assert_true(value_is_text(VALUE(VALUE_STRING, "\\u20AC\\ud83d\\ude00"), "\xe2\x82\xac\xf0\x9f\x98\x80"));
}

int main(void)
{
  c_locale = newlocale(LC_ALL_MASK, "C", (locale_t)0);
  field_names_init(names, attribute_names);
  const struct CMUnitTest tests[] = {
    cmocka_unit_test(agrees_with_jansson),
    cmocka_unit_test(agrees_with_jansson_on_broken_ones),
    cmocka_unit_test(refuses_what_json_does_not_have),
    cmocka_unit_test(numbers_and_texts),
  };
  int failed = cmocka_run_group_tests(tests, NULL, NULL);
  freelocale(c_locale);
  return failed;
}
