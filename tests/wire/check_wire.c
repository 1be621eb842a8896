/* Frame messages: what is taken, what is said about what is not, and which odin dataset is the one. */
#include <comptop/wire.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <jansson.h>

#include "samples.h"

static unsigned char pixels[80 * 80 * 4 * 4];
static struct ct_wire_message message;

static struct ct_wire *decoder(const struct ct_wire_setup *setup)
{
  struct ct_wire *wire = NULL;
  assert_int_equal(ct_wire_new(&wire, setup, NULL), 0);
  return wire;
}

static struct ct_wire *hexitec(void)
{
  return decoder(&(struct ct_wire_setup){ .role = CT_ROLE_HEXITEC, .rows = 80, .cols = 80 });
}

static struct ct_wire *camera(void)
{
  return decoder(&(struct ct_wire_setup){ .role = CT_ROLE_CAMERA });
}

static void decode_bytes(struct ct_wire *wire, const char *header, size_t header_bytes, size_t pixel_bytes)
{
  char *exact = sample_exact(header, header_bytes);
  struct ct_wire_part parts[2] = { { exact, header_bytes }, { pixels, pixel_bytes } };
  ct_wire_decode(wire, parts, 2, &message);
  free(exact);
}

static void decode(struct ct_wire *wire, const char *header, size_t pixel_bytes)
{
  decode_bytes(wire, header, strlen(header), pixel_bytes);
}

static void taken(uint64_t number)
{
  assert_string_equal(message.reason, "");
  assert_int_equal(message.verdict, CT_WIRE_TAKE);
  assert_int_equal(message.frame.number, number);
}

static void rejected(enum ct_reject kind, const char *word)
{
  assert_int_equal(message.verdict, CT_WIRE_REJECT);
  assert_int_equal(message.reject, kind);
  if (strstr(message.reason, word) == NULL)
    fail_msg("\"%s\" does not name %s", message.reason, word);
}

/* ---- array-1.0 ------------------------------------------------------------------------------- */
static void an_array_message(void **state)
{
  (void)state;
  struct ct_wire *wire = hexitec();
  decode(wire, sample_array, 12800);
  taken(7);
  assert_int_equal(message.format, CT_WIRE_ARRAY);
  assert_false(message.tolerated);
  const struct ct_frame *frame = &message.frame;
  assert_ptr_equal(frame->pixels, pixels);
  assert_int_equal(frame->bytes, 12800);
  assert_int_equal(frame->type, CT_U16);
  assert_int_equal(frame->count, 1);
  assert_int_equal(frame->rows, 80);
  assert_int_equal(frame->cols, 80);
  assert_false(frame->big_endian);
  assert_int_equal(frame->attributes.present,
                   CT_HAS_ANGLE | CT_HAS_Z | CT_HAS_MODE | CT_HAS_TRIGGER | CT_HAS_KEY | CT_HAS_TIME);
  assert_true(frame->attributes.angle_deg == 12.5);
  assert_true(frame->attributes.z_mm == -0.25);
  assert_int_equal(frame->attributes.mode, CT_MODE_XCT);
  assert_int_equal(frame->attributes.trigger, 12345678901);
  assert_int_equal(frame->attributes.image_key, CT_KEY_DARK);
  assert_true(frame->attributes.time_s == 1164070447.25);
  ct_wire_free(wire);
}

static void forms_of_the_same(void **state)
{
  (void)state;
  struct ct_wire *wire = hexitec();
  decode(wire, "{\"htype\":\"array-1.0\",\"shape\":[3,80,80],\"type\":\"uint16\",\"endianess\":\"big\",\"frame\":0}", 38400);
  taken(0);
  assert_int_equal(message.frame.count, 3);
  assert_true(message.frame.big_endian);
  assert_int_equal(message.frame.attributes.present, 0);
  decode(wire, " {\"frame\" : 1e2, \"type\":\"float32\", \"shape\":[1,80,80],\"encoding\":\"none\",\"htype\":\"array-1.0\"}\n",
         25600);
  taken(100);
  assert_int_equal(message.frame.count, 1);
  assert_int_equal(message.frame.type, CT_F32);
  decode(wire, "{\"htype\":\"array-1.0\",\"shape\":[80,80],\"type\":\"uint16\",\"frame\":-2147483648,"
               "\"ndattr\":{\"RotationAngle\":\"12.5\",\"Mode\":\"XCS\",\"ImageKey\":\"1\",\"Trigger\":-1}}", 12800);
  taken(UINT64_C(0x80000000));
  assert_int_equal(message.frame.attributes.present, CT_HAS_ANGLE | CT_HAS_MODE | CT_HAS_KEY);
  assert_true(message.frame.attributes.angle_deg == 12.5);
  assert_int_equal(message.frame.attributes.mode, CT_MODE_XCS);
  assert_int_equal(message.frame.attributes.image_key, CT_KEY_FLAT);
  ct_wire_free(wire);

  wire = camera();   /* ADZMQ before 1.4: htype in a list, shape fastest first */
  decode(wire, "{\"htype\":[\"array-1.0\"], \"type\":\"uint8\", \"shape\":[64,48], \"frame\":5, \"ndattr\":{}}", 64 * 48);
  taken(5);
  assert_int_equal(message.frame.rows, 48);
  assert_int_equal(message.frame.cols, 64);
  decode(wire, "{\"htype\":\"array-1.0\",\"type\":\"float64\",\"shape\":[2,3],\"frame\":6}", 48);
  taken(6);
  ct_wire_free(wire);
}

static void configured_attribute_names(void **state)
{
  (void)state;
  struct ct_wire *wire = decoder(&(struct ct_wire_setup){ .role = CT_ROLE_CAMERA, .names = { .angle = "omega",
                                                                                             .image_key = "key" } });
  decode(wire, "{\"htype\":\"array-1.0\",\"type\":\"uint8\",\"shape\":[2,2],\"frame\":1,"
               "\"omega\":1,\"ndattr\":{\"RotationAngle\":2,\"omega\":3,\"key\":0,\"sub\":{\"omega\":4}}}", 4);
  taken(1);
  assert_true(message.frame.attributes.angle_deg == 3);
  assert_int_equal(message.frame.attributes.present, CT_HAS_ANGLE | CT_HAS_KEY);
  ct_wire_free(wire);
}

static void attributes_in_lists_of_one(void **state)
{
  (void)state;
  struct ct_wire *wire = decoder(&(struct ct_wire_setup){ .role = CT_ROLE_CAMERA });
#define WITH(ndattr) "{\"htype\":\"array-1.0\",\"type\":\"uint8\",\"shape\":[2,2],\"frame\":1,\"ndattr\":{" ndattr "}}"
  decode(wire, WITH("\"RotationAngle\":[-3.5],\"SampleZ\":[ \"0.25\" ],\"Mode\":[\"xct\"],\"Trigger\":[7],\"ImageKey\":[1.0]"), 4);
  taken(1);
  const struct ct_attributes *got = &message.frame.attributes;
  assert_true(got->angle_deg == -3.5 && got->z_mm == 0.25 && got->mode == CT_MODE_XCT && got->trigger == 7 && got->image_key == 1);
  assert_false(message.tolerated);
  decode(wire, WITH("\"RotationAngle\":[],\"SampleZ\":[1,2],\"Mode\":[[\"xct\"]],\"Trigger\":[{}],\"ImageKey\":[null]"), 4);
  taken(1);
  assert_int_equal(message.frame.attributes.present, 0);
#undef WITH
  ct_wire_free(wire);
}

/* ---- not quite JSON -------------------------------------------------------------------------- */
#define ADZMQ(ndattr) \
  "{\"htype\":\"array-1.0\", \"type\":\"uint16\", \"shape\":[80,80], \"frame\":7, \"timeStamp\":1164070447.25, " \
  "\"encoding\":\"\", \"ndattr\":{" ndattr "}}"

static void areadetector_headers(void **state)
{
  (void)state;
  static const char *const attributes[] = {
    "\"a\":\"C:\\data\\\",\"RotationAngle\":12.5",                       /* backslashes as they are */
    "\"a\":\"C:\\new\\q\",\"RotationAngle\":12.5,\"b\":\"x\\\"",
    "\"a\":\"he said \"hello\", twice\",\"RotationAngle\":12.5",         /* quotes as they are */
    "\"a\":\"\"\",\"RotationAngle\":12.5",
    "\"a\":nan,\"RotationAngle\":12.5", "\"RotationAngle\":12.5,\"a\":-nan", "\"a\":inf,\"b\":-inf,\"RotationAngle\":12.5",
    "\"a\":Undefined,\"RotationAngle\":12.5", "\"RotationAngle\":12.5,\"a\":Undefined",
    ",\"RotationAngle\":12.5", "\"RotationAngle\":12.5,", "\"a\":1,,,\"RotationAngle\":12.5",   /* undefined: a comma only */
    "\"a\":\",\"RotationAngle\":12.5",                                   /* int8 34 */
    "\"a\":,,\"RotationAngle\":12.5", "\"a\":},\"RotationAngle\":12.5", "\"a\":{,\"RotationAngle\":12.5",
    "\"a\":[,\"RotationAngle\":12.5", "\"a\":\n,\"RotationAngle\":12.5", "\"a\": ,\"RotationAngle\":12.5",
    "\"RotationAngle\":12.5,\"a\":}", "\"RotationAngle\":12.5,\"a\":\"", "\"RotationAngle\":12.5,\"a\":\n",
    "\"a\":\xff,\"RotationAngle\":12.5", "\"a\":\x01,\"RotationAngle\":12.5", "\"a\":\\,\"RotationAngle\":12.5",
    "\"a\":\"\xb5m\",\"RotationAngle\":12.5",                            /* Latin-1 */
    "\"a\":\"line\nbreak\",\"RotationAngle\":12.5",
    "\"a\":\" \"frame\":8 \",\"RotationAngle\":12.5",                    /* talks of a frame, is none */
    "\"a\":nan,\"frame\":8,\"RotationAngle\":12.5",
  };
  struct ct_wire *wire = hexitec();
  for (size_t i = 0; i < sizeof attributes / sizeof *attributes; i++) {
    char header[512];
    snprintf(header, sizeof header, ADZMQ("%s"), attributes[i]);
    json_t *json = json_loads(header, 0, NULL);
    assert_null(json);
    decode(wire, header, 12800);
    if (message.verdict != CT_WIRE_TAKE || !message.tolerated || message.frame.number != 7 ||
        !(message.frame.attributes.present & CT_HAS_ANGLE) || message.frame.attributes.angle_deg != 12.5)
      fail_msg("%s: %s", header, message.reason);
    assert_true(message.frame.attributes.time_s == 1164070447.25);
  }
  static const char nul[] = ADZMQ("\"a\":\0,\"RotationAngle\":12.5");
  decode_bytes(wire, nul, sizeof nul - 1, 12800);
  taken(7);
  assert_true(message.tolerated && message.frame.attributes.angle_deg == 12.5);
  decode(wire, ADZMQ("\"a\":1") "\n}", 12800);                           /* something behind the end */
  taken(7);
  assert_true(message.tolerated);
  ct_wire_free(wire);
}

static void attributes_that_are_none_are_absent(void **state)
{
  (void)state;
  struct ct_wire *wire = hexitec();
  decode(wire, ADZMQ("\"RotationAngle\":nan,\"SampleZ\":Undefined,\"Mode\":\"tomo\",\"ImageKey\":1.5"), 12800);
  taken(7);
  assert_int_equal(message.frame.attributes.present, CT_HAS_TIME);
  decode(wire, ADZMQ("\"RotationAngle\":\"0x10\",\"SampleZ\":1e999,\"Trigger\":18446744073709551616"), 12800);
  taken(7);
  assert_int_equal(message.frame.attributes.present, CT_HAS_TIME);
  ct_wire_free(wire);
}

static void strict_headers_cannot_be_fooled(void **state)
{
  (void)state;
  struct ct_wire *wire = hexitec();
  decode(wire, ADZMQ("\"a\":\"\\\",\\\"frame\\\":8,\\\"b\\\":\\\"\",\"c\":{\"frame\":9},\"frame\":10"), 12800);
  taken(7);
  assert_false(message.tolerated);
  decode(wire, "{\"htype\":\"array-1.0\",\"type\":\"uint8\",\"type\":\"uint16\",\"shape\":[80,80],\"frame\":1,"
               "\"\\u0066rame\":2}", 12800);
  taken(2);   /* the last of a key that comes twice */
  assert_int_equal(message.frame.type, CT_U16);
  ct_wire_free(wire);
}

/* ---- rejections ------------------------------------------------------------------------------ */
static void rejections_name_what_is_wrong(void **state)
{
  (void)state;
#define HEAD "{\"htype\":\"array-1.0\","
  static const struct {
    const char *header;
    size_t pixel_bytes;
    enum ct_reject kind;
    const char *word;
  } table[] = {
    { "", 4, CT_REJECT_HEADER, "JSON" },
    { "[]", 4, CT_REJECT_HEADER, "JSON" },
    { "GET / HTTP/1.1", 4, CT_REJECT_HEADER, "JSON" },
    { "{", 4, CT_REJECT_HEADER, "htype" },
    { "{\"a\":\"b", 4, CT_REJECT_HEADER, "htype" },
    { "{}", 4, CT_REJECT_KEY, "htype" },
    { "{\"htype\":\"dheader-1.0\"}", 4, CT_REJECT_FORMAT, "dheader-1.0" },
    { "{\"htype\":\"bsr_m-1.1\"}", 4, CT_REJECT_FORMAT, "bsr_m-1.1" },
    { "{\"htype\":7}", 4, CT_REJECT_KEY, "htype" },
    { HEAD "\"type\":\"uint16\",\"shape\":[80,80]}", 12800, CT_REJECT_KEY, "frame" },
    { HEAD "\"type\":\"uint16\",\"frame\":1}", 12800, CT_REJECT_KEY, "shape" },
    { HEAD "\"shape\":[80,80],\"frame\":1}", 12800, CT_REJECT_KEY, "type" },
    { HEAD "\"type\":\"uint16\",\"shape\":[80,80],\"frame\":\"1\"}", 12800, CT_REJECT_KEY, "frame" },
    { HEAD "\"type\":\"uint16\",\"shape\":[80,80],\"frame\":1.5}", 12800, CT_REJECT_KEY, "frame" },
    { HEAD "\"type\":\"uint16\",\"shape\":[80,80],\"frame\":-2147483649}", 12800, CT_REJECT_KEY, "frame" },
    { HEAD "\"type\":\"uint16\",\"shape\":[80,80],\"frame\":18446744073709551616}", 12800, CT_REJECT_KEY, "frame" },
    { HEAD "\"type\":\"uint16\",\"shape\":[80,80],\"frame\":18446744073709551615}", 12800, CT_REJECT_KEY, "too large" },
    { HEAD "\"type\":16,\"shape\":[80,80],\"frame\":1}", 12800, CT_REJECT_KEY, "type" },
    { HEAD "\"type\":\"uint16\",\"shape\":6400,\"frame\":1}", 12800, CT_REJECT_KEY, "shape" },
    { HEAD "\"type\":\"uint16\",\"shape\":[80,80],\"frame\":1,\"endianness\":\"middle\"}", 12800, CT_REJECT_KEY, "endian" },
    { HEAD "\"type\":\"uint16\",\"shape\":[],\"frame\":1}", 12800, CT_REJECT_SHAPE, "shape" },
    { HEAD "\"type\":\"uint16\",\"shape\":[6400],\"frame\":1}", 12800, CT_REJECT_SHAPE, "6400" },
    { HEAD "\"type\":\"uint16\",\"shape\":[1,1,80,80],\"frame\":1}", 12800, CT_REJECT_SHAPE, "shape" },
    { HEAD "\"type\":\"uint16\",\"shape\":[80,-80],\"frame\":1}", 12800, CT_REJECT_SHAPE, "-80" },
    { HEAD "\"type\":\"uint16\",\"shape\":[0,80,80],\"frame\":1}", 0, CT_REJECT_SHAPE, "shape" },
    { HEAD "\"type\":\"uint16\",\"shape\":[80,16385],\"frame\":1}", 12800, CT_REJECT_SHAPE, "16385" },
    { HEAD "\"type\":\"uint16\",\"shape\":[4294967296,4294967296],\"frame\":1}", 0, CT_REJECT_SHAPE, "4294967296" },
    { HEAD "\"type\":\"uint16\",\"shape\":[80,[80]],\"frame\":1}", 12800, CT_REJECT_SHAPE, "shape" },
    { HEAD "\"type\":\"float16\",\"shape\":[80,80],\"frame\":1}", 12800, CT_REJECT_TYPE, "float16" },
    { HEAD "\"type\":\"float\",\"shape\":[80,80],\"frame\":1}", 25600, CT_REJECT_TYPE, "float" },
    { HEAD "\"type\":\"uint8\",\"shape\":[80,80],\"frame\":1}", 6400, CT_REJECT_TYPE, "uint8" },
    { HEAD "\"type\":\"uint16\",\"shape\":[80,80],\"frame\":1,\"encoding\":\"jpeg\"}", 900, CT_REJECT_COMPRESSED, "jpeg" },
    { HEAD "\"type\":\"uint16\",\"shape\":[80,80],\"frame\":1}", 12799, CT_REJECT_SIZE, "12799" },
    { HEAD "\"type\":\"uint16\",\"shape\":[80,80],\"frame\":1}", 0, CT_REJECT_SIZE, "12800" },
    { HEAD "\"type\":\"uint16\",\"shape\":[4,80,80],\"frame\":1}", 51200, CT_REJECT_SIZE, "allowed" },
    { HEAD "\"type\":\"uint16\",\"shape\":[80,79],\"frame\":1}", 12640, CT_REJECT_SHAPE, "80 x 79" },
    { "{\"frame_num\":-1,\"dtype\":\"uint16\",\"dataset\":\"raw_frames\",\"shape\":[\"80\",\"80\"]}", 12800, CT_REJECT_KEY,
      "frame_num" },
    { "{\"frame_num\":1,\"dtype\":\"uint16\",\"shape\":[\"80\",\"80\"]}", 12800, CT_REJECT_KEY, "dataset" },
    { "{\"frame_num\":1,\"dtype\":\"unknown\",\"dataset\":\"raw_frames\",\"shape\":[\"80\",\"80\"]}", 12800, CT_REJECT_TYPE,
      "unknown" },
    { "{\"frame_num\":1,\"dtype\":\"uint16\",\"dataset\":\"raw_frames\",\"shape\":[\"eighty\",\"80\"]}", 12800,
      CT_REJECT_SHAPE, "eighty" },
    { "{\"frame_num\":1,\"dtype\":\"uint16\",\"dataset\":\"raw_frames\",\"shape\":[\"160\",\"480\"]}", 153600,
      CT_REJECT_SIZE, "allowed" },
  };
  struct ct_wire *wire = decoder(&(struct ct_wire_setup){ .role = CT_ROLE_HEXITEC, .rows = 80, .cols = 80,
                                                          .max_message_bytes = 3 * 12800 });
  for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
    struct ct_wire_part parts[2] = { { table[i].header, strlen(table[i].header) }, { pixels, table[i].pixel_bytes } };
    ct_wire_decode(wire, parts, 2, &message);
    if (message.verdict != CT_WIRE_REJECT || message.reject != table[i].kind || !strstr(message.reason, table[i].word))
      fail_msg("%s: verdict %d, kind %d, \"%s\"", table[i].header, message.verdict, message.reject, message.reason);
  }
  decode(wire, sample_array, 12800);
  taken(7);
  ct_wire_free(wire);
}

static void parts_and_sizes(void **state)
{
  (void)state;
  static const unsigned char cbor[] = { 0xa2, 0x64, 't', 'y', 'p', 'e' };
  static char large[CT_WIRE_HEADER_BYTES + 1];
  struct ct_wire *wire = hexitec();
  struct ct_wire_part parts[3] = { { sample_array, sizeof sample_array - 1 }, { pixels, 12800 }, { NULL, 0 } };
  ct_wire_decode(wire, parts, 0, &message);
  rejected(CT_REJECT_PARTS, "0 message parts");
  ct_wire_decode(wire, parts, 1, &message);
  rejected(CT_REJECT_PARTS, "1 message parts");
  ct_wire_decode(wire, parts, 3, &message);
  rejected(CT_REJECT_PARTS, "3 message parts");
  ct_wire_decode(wire, parts + 2, 1, &message);
  rejected(CT_REJECT_PARTS, "1 message parts");
  parts[0] = (struct ct_wire_part){ cbor, sizeof cbor };
  ct_wire_decode(wire, parts, 1, &message);
  rejected(CT_REJECT_HEADER, "CBOR");
  memset(large, ' ', sizeof large);
  memcpy(large, sample_array, sizeof sample_array - 1);
  decode_bytes(wire, large, CT_WIRE_HEADER_BYTES, 12800);
  taken(7);
  decode_bytes(wire, large, CT_WIRE_HEADER_BYTES + 1, 12800);
  rejected(CT_REJECT_HEADER_SIZE, "65537");
  ct_wire_free(wire);
}

static void depth_is_limited(void **state)
{
  (void)state;
  struct ct_wire *wire = hexitec();
  for (int depth = CT_WIRE_DEPTH - 2; depth <= CT_WIRE_DEPTH; depth++)
    for (int broken = 0; broken < 2; broken++) {
      char header[1024] = "{\"a\":";
      for (int i = 0; i < depth; i++)
        strcat(header, i % 2 ? "{\"x\":" : "[");
      strcat(header, "1");
      for (int i = depth - 1; i >= 0; i--)
        strcat(header, i % 2 ? "}" : "]");
      strcat(strcat(header, broken ? ",\"b\":nan," : ","), sample_array + 1);
      decode(wire, header, 12800);
      if (depth < CT_WIRE_DEPTH)
        taken(7);
      else
        rejected(CT_REJECT_HEADER, "nested");
    }
  static char bomb[CT_WIRE_HEADER_BYTES];
  for (int kind = 0; kind < 3; kind++) {
    static const char *const unit[] = { "[", "{\"\":", "\"\":," };
    size_t bytes = strlen(unit[kind]);
    for (size_t i = 0; i + bytes < sizeof bomb; i += bytes)
      memcpy(bomb + 1 + i, unit[kind], bytes);
    bomb[0] = '{';
    decode_bytes(wire, bomb, sizeof bomb - 8, 4);
    assert_int_equal(message.verdict, CT_WIRE_REJECT);
    assert_int_equal(message.reject, CT_REJECT_HEADER);
  }
  ct_wire_free(wire);
}

/* As areaDetector (without sizes in front) and odin's detectors (with them) pack their pixels. */
static void packed_pixels(void **state)
{
  (void)state;
  static unsigned char packed[20000], plain[12800], out[12800];
  struct ct_wire *wire = hexitec();
  for (size_t i = 0; i < sizeof plain; i++)
    plain[i] = (unsigned char)(i % 97 == 0);
  const struct {
    const char *header;
    bool bitshuffle;
    size_t skip;
  } table[] = {
    { "{\"htype\":\"array-1.0\",\"type\":\"uint16\",\"shape\":[80,80],\"frame\":5,\"encoding\":\"bslz4\"}", true, 12 },
    { "{\"htype\":\"array-1.0\",\"type\":\"uint16\",\"shape\":[80,80],\"frame\":5,\"encoding\":\"lz4\"}", false, 16 },
    { "{\"frame_num\":5,\"dtype\":\"uint16\",\"dataset\":\"raw_frames\",\"shape\":[80,80],\"compression\":\"BSLZ4\"}", true, 0 },
    { "{\"frame_num\":5,\"dtype\":\"uint16\",\"dataset\":\"raw_frames\",\"shape\":[80,80],\"compression\":\"LZ4\"}", false, 0 },
  };
  for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
    size_t n = table[i].bitshuffle ? ct_bslz4_pack(plain, sizeof plain, 2, packed) : ct_lz4_pack(plain, sizeof plain, packed);
    struct ct_wire_part parts[2] = { { table[i].header, strlen(table[i].header) },
                                     { packed + table[i].skip, n - table[i].skip } };
    ct_wire_decode(wire, parts, 2, &message);
    taken(5);
    assert_int_equal(message.frame.bytes, sizeof plain);
    memset(out, 0xa5, sizeof out);
    assert_true(ct_wire_unpack(&message, out));
    assert_memory_equal(out, plain, sizeof plain);
    memset(packed + table[i].skip, 0xff, 40);
    ct_wire_decode(wire, parts, 2, &message);
    assert_true(message.verdict == CT_WIRE_REJECT || !ct_wire_unpack(&message, out));
    assert_int_equal(message.verdict, CT_WIRE_REJECT);
  }
  ct_wire_free(wire);
}

static void a_configured_format_is_the_only_one(void **state)
{
  (void)state;
  struct ct_err err = { "" };
  struct ct_wire *wire = decoder(&(struct ct_wire_setup){ .role = CT_ROLE_HEXITEC, .format = CT_WIRE_ODIN });
  decode(wire, sample_array, 12800);
  rejected(CT_REJECT_FORMAT, "array-1.0");
  decode(wire, sample_odin, 12800);
  taken(7);
  ct_wire_free(wire);
  assert_int_equal(ct_wire_new(&wire, &(struct ct_wire_setup){ .role = CT_ROLE_SCALARS }, &err), CT_EUSAGE);
  assert_int_equal(ct_wire_new(&wire, &(struct ct_wire_setup){ .dataset = "" }, &err), CT_ERANGE);
  assert_int_equal(ct_wire_new(&wire, &(struct ct_wire_setup){ .names = { .z = "" } }, &err), CT_ERANGE);
  assert_string_equal(ct_wire_format_word(CT_WIRE_ODIN), "odin");
}

/* ---- odin ------------------------------------------------------------------------------------ */
static void odin(struct ct_wire *wire, unsigned number, const char *dataset, const char *rest, size_t pixel_bytes)
{
  char header[512];
  snprintf(header, sizeof header, "{\"frame_num\":%u,\"acquisition_id\":\"\",\"dataset\":\"%s\",%s}", number, dataset,
           rest);
  decode(wire, header, pixel_bytes);
}
#define RAW "\"dtype\":\"uint16\",\"dsize\":12800,\"compression\":\"none\",\"shape\":[\"80\",\"80\"]"
#define PROCESSED "\"dtype\":\"float\",\"dsize\":25600,\"compression\":\"unknown\",\"shape\":[\"80\",\"80\"]"
#define SPECTRA "\"dtype\":\"uint64\",\"dsize\":6400,\"compression\":\"none\",\"shape\":[\"800\"]"
#define BLOSC "\"dtype\":\"uint16\",\"dsize\":1139,\"compression\":\"blosc\",\"shape\":[\"80\",\"80\"]"

static void waits(void) { assert_int_equal(message.verdict, CT_WIRE_WAIT); assert_false(message.settled); }
static void ignored(void) { assert_int_equal(message.verdict, CT_WIRE_IGNORE); assert_string_equal(message.reason, ""); }

static void odin_raw_frames_are_preferred(void **state)
{
  (void)state;
  struct ct_wire *wire = hexitec();
  odin(wire, 0, "summed_spectra", SPECTRA, 6400);
  ignored();
  odin(wire, 0, "processed_frames", PROCESSED, 25600);
  waits();
  assert_string_equal(ct_wire_dataset(wire), "");
  odin(wire, 0, "raw_frames", RAW, 12800);
  taken(0);
  assert_true(message.settled);
  assert_string_equal(message.dataset, "raw_frames");
  assert_int_equal(message.format, CT_WIRE_ODIN);
  odin(wire, 0, "processed_frames", PROCESSED, 25600);   /* the one that was kept */
  ignored();
  odin(wire, 1, "processed_frames", PROCESSED, 25600);
  ignored();
  odin(wire, 1, "raw_frames", "\"dtype\":\"uint16\",\"shape\":[80,80]", 12800);   /* as its document says */
  taken(1);
  assert_false(message.settled);
  odin(wire, 2, "raw_frames", "\"dtype\":\"uint16\",\"shape\":[\"160\",\"80\"]", 25600);
  rejected(CT_REJECT_SHAPE, "160 x 80");
  assert_false(ct_wire_settle(wire));
  ct_wire_free(wire);
}

static void odin_else_the_first_that_comes_twice(void **state)
{
  (void)state;
  struct ct_wire *wire = hexitec();
  odin(wire, 8, "stacked_frames", RAW, 12800);
  waits();
  odin(wire, 8, "processed_frames", PROCESSED, 25600);
  waits();
  odin(wire, 9, "processed_frames", PROCESSED, 25600);
  taken(9);
  assert_true(message.settled);
  assert_int_equal(message.frame.type, CT_F32);
  odin(wire, 8, "stacked_frames", RAW, 12800);
  ignored();
  odin(wire, 8, "processed_frames", PROCESSED, 25600);
  taken(8);
  odin(wire, 10, "raw_frames", RAW, 12800);   /* too late: the choice is for good */
  ignored();
  ct_wire_free(wire);
}

static void odin_settles_when_told(void **state)
{
  (void)state;
  struct ct_wire *wire = hexitec();
  assert_false(ct_wire_settle(wire));
  odin(wire, 0, "dummy", BLOSC, 1139);
  waits();
  assert_true(ct_wire_settle(wire));
  assert_string_equal(ct_wire_dataset(wire), "dummy");
  odin(wire, 0, "dummy", BLOSC, 1139);
  rejected(CT_REJECT_COMPRESSED, "blosc");
  ct_wire_free(wire);
}

static void odin_takes_the_configured_dataset_only(void **state)
{
  (void)state;
  struct ct_wire *wire = decoder(&(struct ct_wire_setup){ .rows = 80, .cols = 80, .dataset = "processed_frames" });
  odin(wire, 0, "raw_frames", RAW, 12800);
  ignored();
  odin(wire, 0, "processed_frames", PROCESSED, 25600);
  taken(0);
  odin(wire, 1, "processed_frames", SPECTRA, 6400);
  rejected(CT_REJECT_SHAPE, "800");
  ct_wire_free(wire);
}

static void odin_never_waits_for_more_than_promised(void **state)
{
  (void)state;
  struct ct_wire *wire = hexitec();
  unsigned waiting = 0;
  for (unsigned i = 0; i < 50; i++) {
    char name[20];
    snprintf(name, sizeof name, "set%u", i);
    odin(wire, 0, name, RAW, 12800);
    waiting += message.verdict == CT_WIRE_WAIT;
    assert_true(message.verdict == CT_WIRE_WAIT || message.verdict == CT_WIRE_IGNORE);
  }
  assert_int_equal(waiting, CT_WIRE_HELD);
  ct_wire_free(wire);
}

/* ---- there and back -------------------------------------------------------------------------- */
static double any_double(void)
{
  return ((double)sample_pick(2000001) - 1e6) * (sample_pick(2) ? 1e-3 : 1.0 / 3) * (sample_pick(9) ? 1 : 1e100);
}

static struct ct_frame any_frame(void)
{
  struct ct_frame frame = { .pixels = pixels, .type = (enum ct_type)sample_pick(CT_TYPE_COUNT),
                            .big_endian = sample_pick(2), .count = (uint32_t)(1 + sample_pick(3)),
                            .rows = (uint32_t)(1 + sample_pick(40)), .cols = (uint32_t)(1 + sample_pick(40)),
                            .number = sample_pick(3) ? sample_pick(1000) : UINT64_MAX - 9 };
  frame.bytes = (size_t)frame.count * frame.rows * frame.cols * ct_type_bytes(frame.type);
  frame.attributes = (struct ct_attributes){ .present = (unsigned)sample_pick(64), .angle_deg = any_double(),
                                             .z_mm = any_double(), .mode = sample_pick(2) ? CT_MODE_XCS : CT_MODE_XCT,
                                             .image_key = (int)sample_pick(7) - 1,
                                             .trigger = sample_pick(2) ? UINT64_MAX : sample_pick(99),
                                             .time_s = 1e9 + any_double() };
  return frame;
}

static void same_attributes(const struct ct_attributes *a, const struct ct_attributes *b)
{
  assert_int_equal(a->present, b->present);
  assert_true(!(a->present & CT_HAS_ANGLE) || a->angle_deg == b->angle_deg);
  assert_true(!(a->present & CT_HAS_Z) || a->z_mm == b->z_mm);
  assert_true(!(a->present & CT_HAS_MODE) || a->mode == b->mode);
  assert_true(!(a->present & CT_HAS_TRIGGER) || a->trigger == b->trigger);
  assert_true(!(a->present & CT_HAS_KEY) || a->image_key == b->image_key);
  assert_true(!(a->present & CT_HAS_TIME) || a->time_s == b->time_s);
}

static void headers_read_back(void **state)
{
  (void)state;
  const struct ct_wire_names names = { .angle = "an\"gle", .mode = "m\\ode" };
  struct ct_wire *wire = decoder(&(struct ct_wire_setup){ .role = CT_ROLE_CAMERA, .names = names });
  for (int i = 0; i < 2000; i++) {
    char header[1000];
    struct ct_frame frame = any_frame();
    int bytes = ct_wire_array_header(header, sizeof header, &frame, "a \"source\"\n\x01", &names);
    assert_true(bytes > 0);
    assert_int_equal(strlen(header), (size_t)bytes);
    json_error_t error;
    json_t *json = json_loads(header, JSON_DECODE_INT_AS_REAL, &error);
    assert_non_null(json);
    assert_string_equal(json_string_value(json_object_get(json, "source")), "a \"source\"\n\x01");
    json_decref(json);
    decode(wire, header, frame.bytes);
    taken(frame.number);
    assert_false(message.tolerated);
    assert_int_equal(message.frame.type, frame.type);
    assert_int_equal(message.frame.big_endian, frame.big_endian);
    assert_int_equal(message.frame.count, frame.count);
    assert_int_equal(message.frame.rows, frame.rows);
    assert_int_equal(message.frame.cols, frame.cols);
    same_attributes(&message.frame.attributes, &frame.attributes);
    assert_int_equal(ct_wire_array_header(header, (size_t)bytes, &frame, "a \"source\"\n\x01", &names), CT_ERANGE);
  }
  ct_wire_free(wire);
}

/* Anything at all gets a verdict; what is taken keeps its promises. */
static void any_bytes(void **state)
{
  (void)state;
  struct ct_wire *wire = camera();
  unsigned tally[4] = { 0, 0, 0, 0 }, tolerated = 0;
  static const char adzmq[] = ADZMQ("\"a\":\"C:\\data\\\",\"RotationAngle\":12.5,\"b\":nan,\"c\":},\"Mode\":\"xcs\"");
  const struct { const char *text; size_t bytes; } samples[] = {
    { sample_array, sizeof sample_array - 1 }, { sample_odin, sizeof sample_odin - 1 }, { adzmq, sizeof adzmq - 1 } };
  for (int i = 0; i < 30000; i++) {
    char text[sizeof sample_array + 64];
    size_t which = sample_pick(4), bytes = sample_pick(200);
    if (which == 3) {
      for (size_t k = 0; k < bytes; k++)
        text[k] = (char)sample_pick(256);
      text[0] = '{';
    } else {
      memcpy(text, samples[which].text, samples[which].bytes);
      bytes = sample_mutate(text, samples[which].bytes);
    }
    decode_bytes(wire, text, bytes, 12800);
    assert_in_range(message.verdict, CT_WIRE_TAKE, CT_WIRE_WAIT);
    tally[message.verdict]++;
    tolerated += message.tolerated;
    if (message.verdict == CT_WIRE_REJECT)
      assert_true(message.reason[0] != '\0' && message.reject < CT_REJECT_COUNT);
    for (const char *c = message.reason; *c != '\0'; c++)
      assert_in_range(*c, ' ', '~');
    if (message.verdict == CT_WIRE_TAKE)
      assert_int_equal((uint64_t)message.frame.count * message.frame.rows * message.frame.cols *
                       ct_type_bytes(message.frame.type), 12800);
  }
  assert_true(tally[CT_WIRE_TAKE] > 5000 && tally[CT_WIRE_REJECT] > 5000 && tolerated > 2000);
  ct_wire_free(wire);
}

int main(void)
{
  const struct CMUnitTest tests[] = {
    cmocka_unit_test(an_array_message),
    cmocka_unit_test(forms_of_the_same),
    cmocka_unit_test(configured_attribute_names),
    cmocka_unit_test(attributes_in_lists_of_one),
    cmocka_unit_test(areadetector_headers),
    cmocka_unit_test(attributes_that_are_none_are_absent),
    cmocka_unit_test(strict_headers_cannot_be_fooled),
    cmocka_unit_test(rejections_name_what_is_wrong),
    cmocka_unit_test(parts_and_sizes),
    cmocka_unit_test(depth_is_limited),
    cmocka_unit_test(packed_pixels),
    cmocka_unit_test(a_configured_format_is_the_only_one),
    cmocka_unit_test(odin_raw_frames_are_preferred),
    cmocka_unit_test(odin_else_the_first_that_comes_twice),
    cmocka_unit_test(odin_settles_when_told),
    cmocka_unit_test(odin_takes_the_configured_dataset_only),
    cmocka_unit_test(odin_never_waits_for_more_than_promised),
    cmocka_unit_test(headers_read_back),
    cmocka_unit_test(any_bytes),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
