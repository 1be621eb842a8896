/* DECTRIS Stream V2: messages put together byte by byte as RFC 8949 and RFC 8746 say. */
#include <comptop/wire.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "samples.h"

/* ---- a writer of CBOR ------------------------------------------------------------------------------ */
static unsigned char text[400000];
static size_t used;

static void put(const void *bytes, size_t n)
{
  assert_true(used + n <= sizeof text);
  memcpy(text + used, bytes, n);
  used += n;
}

static void head(unsigned major, uint64_t n)
{
  unsigned char out[9] = { (unsigned char)(major << 5) };
  const int size = n < 24 ? 0 : n < 256 ? 1 : n < 65536 ? 2 : n >> 32 == 0 ? 4 : 8;
  out[0] |= (unsigned char)(size == 0 ? n : size == 1 ? 24 : size == 2 ? 25 : size == 4 ? 26 : 27);
  for (int i = 0; i < size; i++)
    out[1 + i] = (unsigned char)(n >> 8 * (size - 1 - i));
  put(out, 1 + (size_t)size);
}

static void whole(uint64_t n) { head(0, n); }
static void bytes(const void *data, size_t n) { head(2, n), put(data, n); }
static void word(const char *s) { head(3, strlen(s)), put(s, strlen(s)); }
static void list(size_t n) { head(4, n); }
static void map(size_t n) { head(5, n); }
static void label(uint64_t n) { head(6, n); }

static void real(double x)
{
  uint64_t bits;
  memcpy(&bits, &x, sizeof bits);
  put("\xfb", 1);
  for (int i = 7; i >= 0; i--)
    put(&(unsigned char){ (unsigned char)(bits >> 8 * i) }, 1);
}

/* ---- messages ------------------------------------------------------------------------------------------ */
static unsigned char pixels[80 * 80 * 4];
static struct ct_wire_message message;

enum { MARK = 55799, MARK_BYTES = 3 };   /* "CBOR describes itself", in front of all that detectors send */

static void start_message(uint64_t series)
{
  used = 0;
  label(MARK), map(5);
  word("type"), word("start");
  word("series_id"), whole(series);
  word("number_of_images"), whole(1000);
  word("goniometer"), map(2);
  word("chi"), map(2), word("start"), real(5), word("increment"), real(0);
  word("omega"), map(2), word("start"), real(10.5), word("increment"), real(0.25);
  word("user_data"), put("\xf6", 1);
}

/* Up to the pixels, which have to follow. */
static void image_head(uint64_t series, uint64_t number, unsigned channels)
{
  used = 0;
  label(MARK), map(7);
  word("type"), word("image");
  word("series_id"), whole(series);
  word("series_unique_id"), word("01HBV3JPF0T4YDPADX2GD8Q3NK");
  word("image_id"), whole(number);
  word("series_date"), label(0), word("2026-11-22T04:14:07.25+01:00");
  word("start_time"), list(2), whole(50000000), whole(100000000);
  word("data"), map(channels);
}

static void channel(const char *name, uint64_t type_label, const void *data, size_t n)
{
  word(name), label(40), list(2), list(2), whole(80), whole(80), label(type_label), bytes(data, n);
}

static void packed_channel(const char *algorithm, uint64_t type_label, const void *data, size_t n)
{
  word("threshold_1"), label(40), list(2), list(2), whole(80), whole(80), label(type_label), label(56500), list(3);
  word(algorithm), whole(2), bytes(data, n);
}

static struct ct_wire *decoder(enum ct_role role, const char *dataset)
{
  struct ct_wire *wire = NULL;
  struct ct_wire_setup setup = { .role = role, .format = CT_WIRE_DECTRIS, .dataset = dataset };
  if (role == CT_ROLE_HEXITEC)
    setup.rows = setup.cols = 80;
  assert_int_equal(ct_wire_new(&wire, &setup, NULL), 0);
  return wire;
}

static unsigned char *exact;
static void decode(struct ct_wire *wire)
{
  free(exact);
  exact = (unsigned char *)sample_exact(text, used);
  ct_wire_decode(wire, &(struct ct_wire_part){ exact, used }, 1, &message);
}

static void rejected(struct ct_wire *wire, enum ct_reject kind, const char *what)
{
  decode(wire);
  assert_int_equal(message.verdict, CT_WIRE_REJECT);
  assert_int_equal(message.reject, kind);
  if (strstr(message.reason, what) == NULL)
    fail_msg("\"%s\" does not say \"%s\"", message.reason, what);
}

/* ---- tests ------------------------------------------------------------------------------------------------ */
static void messages_may_lack_the_mark(void **state)
{
  (void)state;
  struct ct_wire *wire = decoder(CT_ROLE_HEXITEC, NULL);
  image_head(7, 4, 1);
  channel("threshold_1", 69, pixels, 12800);
  memmove(text, text + MARK_BYTES, used -= MARK_BYTES);
  decode(wire);
  assert_int_equal(message.verdict, CT_WIRE_TAKE);
  used = 0;
  label(MARK);
  rejected(wire, CT_REJECT_PARTS, "parts");
  ct_wire_free(wire);
}

static void a_series(void **state)
{
  (void)state;
  struct ct_wire *wire = decoder(CT_ROLE_HEXITEC, NULL);
  start_message(7);
  decode(wire);
  assert_int_equal(message.verdict, CT_WIRE_IGNORE);
  assert_int_equal(message.format, CT_WIRE_DECTRIS);
  assert_true(message.begins);
  for (unsigned i = 0; i < sizeof pixels; i++)
    pixels[i] = (unsigned char)(i * 7);
  image_head(7, 4, 1);
  channel("threshold_1", 69, pixels, 12800);
  decode(wire);
  assert_string_equal(message.reason, "");
  assert_int_equal(message.verdict, CT_WIRE_TAKE);
  assert_false(message.begins);
  const struct ct_frame *frame = &message.frame;
  assert_int_equal(frame->number, 4);
  assert_int_equal(frame->type, CT_U16);
  assert_false(frame->big_endian);
  assert_int_equal(frame->count, 1);
  assert_int_equal(frame->rows, 80);
  assert_int_equal(frame->cols, 80);
  assert_int_equal(frame->bytes, 12800);
  assert_int_equal(message.packed.form, CT_PLAIN);
  assert_ptr_equal(frame->pixels, exact + used - 12800);
  assert_int_equal(frame->attributes.present, CT_HAS_ANGLE | CT_HAS_TIME);
  assert_true(frame->attributes.angle_deg == 11.5);
  assert_true(frame->attributes.time_s == 1795317247.75);   /* date -u -d 2026-11-22T03:14:07Z +%s, .25 and .5 s */
  used = 0;
  map(3), word("type"), word("end"), word("series_id"), whole(7), word("series_unique_id"), word("x");
  decode(wire);
  assert_int_equal(message.verdict, CT_WIRE_IGNORE);
  assert_false(message.begins);
  image_head(8, 0, 1);   /* its start went to somebody else: no angle, but a new series */
  channel("threshold_1", 69, pixels, 12800);
  decode(wire);
  assert_int_equal(message.verdict, CT_WIRE_TAKE);
  assert_true(message.begins);
  assert_int_equal(message.frame.attributes.present, CT_HAS_TIME);
  ct_wire_free(wire);
}

static void types_and_channels(void **state)
{
  (void)state;
  static const struct {
    unsigned label, type, bytes;
    bool big;
  } types[] = { { 64, CT_U8, 1, false }, { 65, CT_U16, 2, true }, { 70, CT_U32, 4, false }, { 66, CT_U32, 4, true },
                { 77, CT_I16, 2, false }, { 85, CT_F32, 4, false } };
  struct ct_wire *first = decoder(CT_ROLE_CAMERA, NULL), *second = decoder(CT_ROLE_CAMERA, "threshold_2");
  for (size_t i = 0; i < sizeof types / sizeof *types; i++) {
    image_head(1, i, 2);
    channel("threshold_1", types[i].label, pixels, 6400 * types[i].bytes);
    channel("threshold_2", 64, pixels, 6400);
    decode(first);
    assert_int_equal(message.verdict, CT_WIRE_TAKE);
    assert_int_equal(message.frame.type, types[i].type);
    assert_int_equal(message.frame.big_endian, types[i].big);
    assert_int_equal(message.frame.bytes, 6400 * types[i].bytes);
    decode(second);
    assert_int_equal(message.verdict, CT_WIRE_TAKE);
    assert_int_equal(message.frame.type, CT_U8);
    assert_string_equal(message.dataset, "threshold_2");
  }
  ct_wire_free(first);
  ct_wire_free(second);
}

static void what_the_beamline_adds(void **state)
{
  (void)state;
  struct ct_wire *wire = decoder(CT_ROLE_CAMERA, NULL);
  start_message(2);
  decode(wire);
  image_head(2, 3, 1);
  channel("a", 64, pixels, 6400);
  text[MARK_BYTES] = 0xa8;   /* one pair more */
  word("user_data");
  put("\xbf", 1);   /* a map that ends with a break */
  word("RotationAngle"), real(33.25);
  word("SampleZ"), head(1, 1);
  word("Other"), list(2), label(1), whole(1), put("\xf7", 1);
  word("Mode"), word("XCT");
  word("Trigger"), whole(UINT64_C(12345678901));
  word("ImageKey"), whole(2);
  put("\xff", 1);
  decode(wire);
  assert_string_equal(message.reason, "");
  const struct ct_attributes *a = &message.frame.attributes;
  assert_int_equal(a->present, CT_HAS_ANGLE | CT_HAS_Z | CT_HAS_MODE | CT_HAS_TRIGGER | CT_HAS_KEY | CT_HAS_TIME);
  assert_true(a->angle_deg == 33.25 && a->z_mm == -2);
  assert_int_equal(a->mode, CT_MODE_XCT);
  assert_true(a->trigger == UINT64_C(12345678901));
  assert_int_equal(a->image_key, CT_KEY_DARK);
  ct_wire_free(wire);
}

static void packed_pixels(void **state)
{
  (void)state;
  struct ct_wire *wire = decoder(CT_ROLE_HEXITEC, NULL);
  static unsigned char packed[40000], plain[12800];
  for (unsigned i = 0; i < 12800; i++)
    pixels[i] = i % 2 ? 0 : (unsigned char)sample_pick(5);
  for (int form = 0; form < 4; form++) {   /* each framed, then bare */
    size_t n = form < 2 ? ct_bslz4_pack(pixels, 12800, 2, packed) : ct_lz4_pack(pixels, 12800, packed);
    const size_t skip = form == 1 ? 12 : form == 3 ? 16 : 0;
    image_head(1, (uint64_t)form, 1);
    packed_channel(form < 2 ? "bslz4" : "lz4", 69, packed + skip, n - skip);
    decode(wire);
    assert_string_equal(message.reason, "");
    assert_int_equal(message.verdict, CT_WIRE_TAKE);
    assert_int_equal(message.packed.form, form < 2 ? CT_PACKED_BSLZ4 : CT_PACKED_LZ4);
    assert_null(message.frame.pixels);
    assert_int_equal(message.frame.bytes, 12800);
    memset(plain, 0x5a, sizeof plain);
    assert_true(ct_wire_unpack(&message, plain));
    assert_ptr_equal(message.frame.pixels, plain);
    assert_memory_equal(plain, pixels, sizeof plain);
    image_head(1, 0, 1);   /* cut off */
    packed_channel(form < 2 ? "bslz4" : "lz4", 69, packed + skip, n - skip - 40);
    decode(wire);
    assert_int_equal(message.verdict, CT_WIRE_TAKE);
    assert_false(ct_wire_unpack(&message, plain));
    assert_int_equal(message.reject, CT_REJECT_COMPRESSED);
  }
  const size_t n = ct_bslz4_pack(pixels, 6400, 2, packed);
  image_head(1, 9, 1);
  packed_channel("bslz4", 69, packed, n);
  rejected(wire, CT_REJECT_SIZE, "6400 bytes of pixels when unpacked");
  image_head(1, 9, 1);
  packed_channel("zstd", 69, packed, n);
  rejected(wire, CT_REJECT_COMPRESSED, "\"zstd\"");
  ct_wire_free(wire);
}

static void what_cannot_be(void **state)
{
  (void)state;
  struct ct_wire *wire = decoder(CT_ROLE_HEXITEC, NULL), *json = NULL;
  image_head(1, 1, 1), channel("a", 69, pixels, 12799);
  rejected(wire, CT_REJECT_SIZE, "12799");
  image_head(1, 1, 1), channel("a", 70, pixels, 25600);
  rejected(wire, CT_REJECT_TYPE, "uint32");
  image_head(1, 1, 1), channel("a", 84, pixels, 12800);
  rejected(wire, CT_REJECT_TYPE, "84");
  image_head(1, 1, 1), word("a"), label(40), list(2), list(2), whole(80), whole(81), label(69), bytes(pixels, 12960);
  rejected(wire, CT_REJECT_SHAPE, "80 x 81");
  image_head(1, 1, 1), word("a"), label(40), list(2), list(3), whole(1), whole(80), whole(80), label(69), bytes(pixels, 12800);
  rejected(wire, CT_REJECT_SHAPE, "[rows,cols]");
  image_head(1, 1, 1), word("a"), label(40), list(2), list(2), whole(UINT64_MAX), whole(80), label(69), bytes(pixels, 10);
  rejected(wire, CT_REJECT_SHAPE, "[rows,cols]");
  image_head(1, 1, 1), word("a"), bytes(pixels, 12800);
  rejected(wire, CT_REJECT_KEY, "\"\"");
  image_head(1, 1, 0);
  rejected(wire, CT_REJECT_KEY, "channel");
  used = 0, map(2), word("type"), word("image"), word("series_id"), whole(1);
  rejected(wire, CT_REJECT_KEY, "image_id");
  used = 0, map(1), word("type"), word("image");
  rejected(wire, CT_REJECT_KEY, "series_id");
  used = 0, map(2), word("type"), word("calibration"), word("series_id"), whole(1);
  rejected(wire, CT_REJECT_FORMAT, "neither");
  image_head(1, 1, 1), channel("a", 69, pixels, 12800), whole(1);
  rejected(wire, CT_REJECT_HEADER, "CBOR");
  used = 0, map(1), word("type");
  for (int i = 0; i < 100000; i++)
    list(1);
  whole(1);
  rejected(wire, CT_REJECT_HEADER, "CBOR");
  assert_int_equal(ct_wire_new(&json, &(struct ct_wire_setup){ .role = CT_ROLE_CAMERA, .format = CT_WIRE_ARRAY }, NULL), 0);
  image_head(1, 1, 1), channel("a", 69, pixels, 12800);
  rejected(json, CT_REJECT_FORMAT, "DECTRIS");
  ct_wire_free(wire);
  ct_wire_free(json);
}

/* Cut off at every byte it is rejected; altered, it is one thing or another, and nothing is read outside it. */
static void garbage(void **state)
{
  (void)state;
  struct ct_wire *wire = decoder(CT_ROLE_CAMERA, NULL);
  static unsigned char small[200], plain[1 << 16], good[2000];
  image_head(1, 1, 1);
  word("a"), label(40), list(2), list(2), whole(10), whole(10), label(69), label(56500), list(3), word("bslz4"), whole(2);
  bytes(small, ct_bslz4_pack(pixels, 200, 2, small));
  const size_t n = used;
  memcpy(good, text, n);
  decode(wire);
  assert_int_equal(message.verdict, CT_WIRE_TAKE);
  for (used = 1; used < n; used++) {
    decode(wire);
    assert_int_equal(message.verdict, CT_WIRE_REJECT);
  }
  unsigned taken = 0, refused = 0;
  for (int trial = 0; trial < 20000; trial++) {
    memcpy(text, good, n);
    used = n;
    for (uint64_t k = 1 + sample_pick(3); k > 0; k--)
      text[sample_pick(n)] = (unsigned char)sample_pick(256);
    decode(wire);
    refused += message.verdict == CT_WIRE_REJECT;
    if (message.verdict == CT_WIRE_TAKE && message.frame.bytes <= sizeof plain)
      taken += message.packed.form == CT_PLAIN || ct_wire_unpack(&message, plain);
  }
  assert_true(refused > 5000 && taken > 1000);
  ct_wire_free(wire);
}

int main(void)
{
  const struct CMUnitTest tests[] = {
    cmocka_unit_test(a_series),
    cmocka_unit_test(messages_may_lack_the_mark), cmocka_unit_test(types_and_channels), cmocka_unit_test(what_the_beamline_adds),
    cmocka_unit_test(packed_pixels), cmocka_unit_test(what_cannot_be), cmocka_unit_test(garbage),
  };
  int failed = cmocka_run_group_tests_name("dectris", tests, NULL, NULL);
  free(exact);
  return failed;
}
