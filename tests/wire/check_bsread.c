/* bsread messages, byte by byte as the specification has them, and our own there and back. */
#include <comptop/wire.h>

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "samples.h"

static struct ct_wire_bsread *bsread;
static struct ct_wire_scalars scalars;

static int set_up(void **state)
{
  (void)state;
  return ct_wire_bsread_new(&bsread, NULL);
}
static int tear_down(void **state)
{
  (void)state;
  ct_wire_bsread_free(bsread);
  return 0;
}

/* ---- a message in parts ---------------------------------------------------------------------- */
static struct ct_wire_part parts[16];
static char main_header[300], data_header[600];
static const unsigned char stamp_little[16] = { 0x00, 0xca, 0x9a, 0x3b, 0, 0, 0, 0, 5, 0, 0, 0, 0, 0, 0, 0 };
static const unsigned char stamp_big[16] = { 0, 0, 0, 0, 0x3b, 0x9a, 0xca, 0x00, 0, 0, 0, 0, 0, 0, 0, 6 };

static void headers(const char *hash, const char *channels)
{
  snprintf(main_header, sizeof main_header,
           "{\"htype\":\"bsr_m-1.1\",\"hash\":\"%s\",\"pulse_id\":42,\"global_timestamp\":{\"sec\":1000000000,\"ns\":7},"
           "\"dh_compression\":\"none\"}", hash);
  snprintf(data_header, sizeof data_header, "{\"htype\":\"bsr_d-1.1\",\"channels\":[%s]}", channels);
  parts[0] = (struct ct_wire_part){ main_header, strlen(main_header) };
  parts[1] = (struct ct_wire_part){ data_header, strlen(data_header) };
}

static void channel(size_t index, const void *value, size_t bytes, const unsigned char stamp[16])
{
  parts[2 + 2 * index] = (struct ct_wire_part){ value, bytes };
  parts[3 + 2 * index] = (struct ct_wire_part){ stamp, stamp != NULL ? 16 : 0 };
}

static void decode(size_t n_channels) { ct_wire_bsread_decode(bsread, parts, 2 + 2 * n_channels, &scalars); }

static void rejected(enum ct_reject kind, const char *word)
{
  assert_int_equal(scalars.verdict, CT_WIRE_REJECT);
  assert_int_equal(scalars.reject, kind);
  assert_int_equal(scalars.n, 0);
  if (strstr(scalars.reason, word) == NULL)
    fail_msg("\"%s\" does not name %s", scalars.reason, word);
}

static void every_type_in_both_orders(void **state)
{
  (void)state;
  static const struct {
    const char *type;
    unsigned char little[8];
    size_t bytes;
    double value;
  } table[] = {
    { "uint8", { 0xff }, 1, 255 }, { "int8", { 0xff }, 1, -1 }, { "bool", { 1 }, 1, 1 },
    { "uint16", { 0xfe, 0xff }, 2, 65534 }, { "int16", { 0xfe, 0xff }, 2, -2 },
    { "uint32", { 0, 0, 0, 0x80 }, 4, 2147483648.0 }, { "int32", { 0, 0, 0, 0x80 }, 4, -2147483648.0 },
    { "uint64", { 0, 0, 0, 0, 0, 0, 0, 0x80 }, 8, 9223372036854775808.0 },
    { "int64", { 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff }, 8, -1 },
    { "float32", { 0, 0, 0x20, 0xc0 }, 4, -2.5 }, { "float64", { 0, 0, 0, 0, 0, 0, 0x04, 0xc0 }, 8, -2.5 },
  };
  for (size_t i = 0; i < sizeof table / sizeof *table; i++)
    for (int big = 0; big < 2; big++) {
      unsigned char value[8];
      char description[200];
      for (size_t k = 0; k < table[i].bytes; k++)
        value[k] = table[i].little[big ? table[i].bytes - 1 - k : k];
      snprintf(description, sizeof description, "{\"name\":\"x\",\"type\":\"%s\",\"shape\":[1],\"encoding\":\"%s\"}",
               table[i].type, big ? "big" : "little");
      headers("", description);
      channel(0, value, table[i].bytes, big ? stamp_big : stamp_little);
      decode(1);
      assert_string_equal(scalars.reason, "");
      assert_int_equal(scalars.n, 1);
      assert_string_equal(scalars.values[0].name, "x");
      assert_true(scalars.values[0].value == table[i].value);
      assert_int_equal(scalars.values[0].time_ns, 1000000000000000005 + big);
      channel(0, value, table[i].bytes + 1, NULL);
      decode(1);
      rejected(CT_REJECT_SIZE, "channel x");
    }
}

static void defaults_and_absences(void **state)
{
  (void)state;
  static const double value = 3.9;
  headers("h1", "{\"name\":\"Ewe_V\"},{\"name\":\"I_A\",\"shape\":[1],\"compression\":null},"
                "{\"name\":\"picture\",\"type\":\"uint16\",\"shape\":[4,2]},{\"name\":\"note\",\"type\":\"string\"}");
  channel(0, &value, 8, NULL);
  channel(1, NULL, 0, NULL);
  channel(2, "0123456789abcdef", 16, stamp_little);
  channel(3, "text", 4, stamp_little);
  decode(4);
  assert_int_equal(scalars.verdict, CT_WIRE_TAKE);
  assert_int_equal(scalars.pulse_id, 42);
  assert_int_equal(scalars.time_ns, 1000000000000000007);
  assert_int_equal(scalars.n, 1);
  assert_true(scalars.values[0].value == 3.9);
  assert_int_equal(scalars.values[0].time_ns, scalars.time_ns);
}

static void the_data_header_is_read_when_its_hash_changes(void **state)
{
  (void)state;
  static const double value = 1;
  channel(0, &value, 8, stamp_little);
  channel(1, &value, 8, stamp_little);
  headers("h1", "{\"name\":\"a\"}");
  decode(1);
  assert_string_equal(scalars.values[0].name, "a");
  headers("h1", "{\"name\":\"b\"}");
  decode(1);
  assert_string_equal(scalars.values[0].name, "a");
  headers("h2", "{\"name\":\"b\"},{\"name\":\"c\"}");
  decode(1);
  rejected(CT_REJECT_PARTS, "2 channels");
  decode(2);
  assert_int_equal(scalars.n, 2);
  assert_string_equal(scalars.values[1].name, "c");
  headers("h3", "{\"name\":7}");
  decode(1);
  rejected(CT_REJECT_KEY, "name");
  headers("h2", "{\"name\":\"d\"}");      /* h3 was no good: nothing is known any more */
  decode(1);
  assert_string_equal(scalars.values[0].name, "d");
}

static void rejections_name_what_is_wrong(void **state)
{
  (void)state;
  static const struct {
    const char *channel;
    enum ct_reject kind;
    const char *word;
  } table[] = {
    { "{}", CT_REJECT_KEY, "name" }, { "7", CT_REJECT_KEY, "name" },
    { "{\"name\":\"x\",\"type\":\"float128\"}", CT_REJECT_TYPE, "float128" },
    { "{\"name\":\"x\",\"type\":8}", CT_REJECT_TYPE, "channel x" },
    { "{\"name\":\"x\",\"shape\":1}", CT_REJECT_SHAPE, "channel x" },
    { "{\"name\":\"x\",\"encoding\":\"pdp\"}", CT_REJECT_KEY, "encoding" },
    { "{\"name\":\"x\",\"compression\":\"bitshuffle_lz4\"}", CT_REJECT_COMPRESSED, "bitshuffle_lz4" },
    { "{\"name\":\"x\"},", CT_REJECT_HEADER, "data header" },
  };
  for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
    headers("", table[i].channel);
    channel(0, NULL, 0, NULL);
    decode(1);
    rejected(table[i].kind, table[i].word);
  }
  headers("", "{\"name\":\"x\"}");
  ct_wire_bsread_decode(bsread, parts, 0, &scalars);
  rejected(CT_REJECT_PARTS, "0 message parts");
  ct_wire_bsread_decode(bsread, parts, 3, &scalars);
  rejected(CT_REJECT_PARTS, "3 message parts");
  channel(0, NULL, 0, NULL);
  parts[3].bytes = 8;
  parts[3].data = stamp_little;
  decode(1);
  rejected(CT_REJECT_SIZE, "time stamp");
  static const unsigned char no_stamp[16] = { 0, 0, 0, 0, 0, 0, 0, 0x80 };
  static const double value = 1;
  channel(0, &value, 8, no_stamp);
  decode(1);
  assert_int_equal(scalars.verdict, CT_WIRE_TAKE);
  assert_int_equal(scalars.n, 1);
  assert_int_equal(scalars.values[0].time_ns, scalars.time_ns);
}

static void main_headers_that_are_none(void **state)
{
  (void)state;
#define STAMP "\"global_timestamp\":{\"sec\":1,\"ns\":0}"
  static const struct {
    const char *header;
    enum ct_reject kind;
    const char *word;
  } table[] = {
    { "", CT_REJECT_HEADER, "main header" }, { "[1]", CT_REJECT_HEADER, "main header" },
    { "{\"htype\":\"array-1.0\"}", CT_REJECT_FORMAT, "bsr_m" },
    { "{\"htype\":\"bsr_m-1.1\",\"dh_compression\":\"lz4\"}", CT_REJECT_COMPRESSED, "lz4" },
    { "{\"htype\":\"bsr_m-1.1\"," STAMP "}", CT_REJECT_KEY, "pulse_id" },
    { "{\"htype\":\"bsr_m-1.1\"," STAMP ",\"pulse_id\":-1}", CT_REJECT_KEY, "pulse_id" },
    { "{\"htype\":\"bsr_m-1.1\",\"pulse_id\":1}", CT_REJECT_KEY, "global_timestamp" },
    { "{\"htype\":\"bsr_m-1.1\",\"pulse_id\":1,\"global_timestamp\":{\"sec\":9223372036854775807,\"ns\":0}}", CT_REJECT_KEY,
      "global_timestamp" },
  };
  headers("", "");
  for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
    parts[0] = (struct ct_wire_part){ table[i].header, strlen(table[i].header) };
    decode(0);
    rejected(table[i].kind, table[i].word);
  }
  parts[0] = (struct ct_wire_part){ "{\"htype\":\"bsr_m-1.2\",\"pulse_id\":1,\"global_timestamp\":{\"epoch\":1,\"ns\":2}}", 0 };
  parts[0].bytes = strlen(parts[0].data);
  decode(0);
  assert_int_equal(scalars.verdict, CT_WIRE_TAKE);
  assert_int_equal(scalars.time_ns, 1000000002);
}

static void messages_read_back(void **state)
{
  (void)state;
  for (int i = 0; i < 500; i++) {
    struct ct_wire_scalar channels[20];
    char channel_names[20][16];
    unsigned char buffer[4000];
    struct ct_wire_part made[42];
    size_t n = sample_pick(21), values = 0;
    for (size_t k = 0; k < n; k++) {
      snprintf(channel_names[k], sizeof channel_names[k], "n\"%zu", k);
      channels[k] = (struct ct_wire_scalar){ channel_names[k], sample_pick(5) ? (double)sample_pick(1000) / 7 : (double)NAN,
                                             (int64_t)sample_pick(1000000) * 3000000007 - (int64_t)sample_pick(2) * 4000000000 };
    }
    int64_t time_ns = (int64_t)sample_pick(UINT64_C(1) << 30) * 1000000007;
    int made_parts = ct_wire_bsread_encode(buffer, sizeof buffer, made, 42, (uint64_t)i, time_ns, channels, n);
    assert_int_equal(made_parts, 2 + 2 * n);
    ct_wire_bsread_decode(bsread, made, (size_t)made_parts, &scalars);
    assert_string_equal(scalars.reason, "");
    assert_int_equal(scalars.pulse_id, i);
    assert_int_equal(scalars.time_ns, time_ns);
    for (size_t k = 0; k < n; k++) {
      if (isnan(channels[k].value))
        continue;
      assert_string_equal(scalars.values[values].name, channel_names[k]);
      assert_true(scalars.values[values].value == channels[k].value);
      assert_int_equal(scalars.values[values++].time_ns, channels[k].time_ns);
    }
    assert_int_equal(scalars.n, values);
    size_t needed = (size_t)((const unsigned char *)made[0].data - buffer) + made[0].bytes;
    assert_int_equal(ct_wire_bsread_encode(buffer, needed, made, 42, (uint64_t)i, time_ns, channels, n), CT_ERANGE);
    assert_int_equal(ct_wire_bsread_encode(buffer, sizeof buffer, made, 1 + 2 * n, 0, 0, channels, n), CT_ERANGE);
  }
}

static void any_bytes(void **state)
{
  (void)state;
  unsigned taken = 0, refused = 0;
  static const double value = 1;
  for (int i = 0; i < 5000; i++) {
    headers(sample_pick(2) ? "h" : "", "{\"name\":\"a\",\"type\":\"float64\",\"shape\":[1],\"encoding\":\"little\"}");
    size_t which = sample_pick(2), bytes[2] = { parts[0].bytes, parts[1].bytes };
    char *header[2] = { main_header, data_header };
    bytes[which] = sample_mutate(header[which], bytes[which]);
    char *exact[2] = { sample_exact(main_header, bytes[0]), sample_exact(data_header, bytes[1]) };
    parts[0] = (struct ct_wire_part){ exact[0], bytes[0] };
    parts[1] = (struct ct_wire_part){ exact[1], bytes[1] };
    channel(0, &value, sizeof value, stamp_little);
    decode(1);
    taken += scalars.verdict == CT_WIRE_TAKE;
    refused += scalars.verdict == CT_WIRE_REJECT && scalars.reason[0] != '\0';
    free(exact[0]);
    free(exact[1]);
  }
  assert_int_equal(taken + refused, 5000);
  assert_true(taken > 100 && refused > 1000);
}

int main(void)
{
#define EACH(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)
  const struct CMUnitTest tests[] = {
    EACH(every_type_in_both_orders), EACH(defaults_and_absences), EACH(the_data_header_is_read_when_its_hash_changes),
    EACH(rejections_name_what_is_wrong), EACH(main_headers_that_are_none), EACH(messages_read_back), EACH(any_bytes),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
