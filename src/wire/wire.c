/* One message of a frame stream: which format, which dataset, and whether it is what it says. Cheap checks come first
 * and nothing is computed from a number before it was checked; each rejection names what was wrong. */
#include <comptop/wire.h>

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "wire/header.h"

struct ct_wire {
  enum ct_role role;
  uint32_t rows, cols;
  enum ct_wire_format format;
  uint64_t max_message_bytes;
  locale_t c_locale;
  struct field_name names[FIELD_COUNT];
  char dataset[CT_WIRE_NAME];                       /* the one taken; "" while not chosen */
  char candidates[CT_WIRE_HELD][CT_WIRE_NAME];      /* came once, in this order, and wait */
  unsigned n_candidates;
  struct header header;                             /* of the message being decoded */
};

const char *ct_wire_format_word(enum ct_wire_format format)
{
  static const char *const words[CT_WIRE_FORMAT_COUNT] = {
#define X(name, word) [CT_WIRE_##name] = word,
    CT_WIRE_FORMATS(X)
#undef X
  };
  return (unsigned)format < CT_WIRE_FORMAT_COUNT ? words[format] : "?";
}

/* ---- set-up ---------------------------------------------------------------------------------- */
static int check_setup(const struct ct_wire_setup *setup, const char *const attributes[], struct ct_err *err)
{
  if (setup->role == CT_ROLE_SCALARS || setup->format == CT_WIRE_BSREAD)
    return ct_err_set(err, CT_EUSAGE, "a frame decoder cannot read scalars (format bsread)");
  if (setup->format == CT_WIRE_DECTRIS)
    return ct_err_set(err, CT_EUNSUPPORTED, "format dectris is not yet in this version; use array-1.0 or odin");
  if (setup->dataset != NULL && (setup->dataset[0] == '\0' || strlen(setup->dataset) >= CT_WIRE_NAME))
    return ct_err_set(err, CT_ERANGE, "dataset \"%.80s\" must have 1 to %d bytes", setup->dataset, CT_WIRE_NAME - 1);
  for (int i = 0; i < FIELD_COUNT - FIELD_ANGLE; i++)
    if (attributes[i][0] == '\0' || strlen(attributes[i]) >= CT_WIRE_NAME)
      return ct_err_set(err, CT_ERANGE, "attribute name \"%.80s\" must have 1 to %d bytes", attributes[i],
                        CT_WIRE_NAME - 1);
  return 0;
}

static const char *or_default(const char *name, const char *usual) { return name != NULL ? name : usual; }

int ct_wire_new(struct ct_wire **out, const struct ct_wire_setup *setup, struct ct_err *err)
{
  const char *const attributes[FIELD_COUNT - FIELD_ANGLE] = {
    or_default(setup->names.angle, "RotationAngle"), or_default(setup->names.z, "SampleZ"),
    or_default(setup->names.mode, "Mode"), or_default(setup->names.trigger, "Trigger"),
    or_default(setup->names.image_key, "ImageKey"),
  };
  int rc = check_setup(setup, attributes, err);
  if (rc < 0)
    return rc;
  locale_t c_locale = newlocale(LC_ALL_MASK, "C", (locale_t)0);
  if (c_locale == (locale_t)0)
    return ct_err_set(err, CT_ENOMEM, "no memory for a decoder");
  struct ct_wire *wire = ct_xcalloc(1, sizeof *wire);
  wire->role = setup->role;
  wire->rows = setup->rows;
  wire->cols = setup->cols;
  wire->format = setup->format;
  wire->max_message_bytes = setup->max_message_bytes > 0 ? setup->max_message_bytes : UINT64_MAX;
  wire->c_locale = c_locale;
  if (setup->dataset != NULL)
    strcpy(wire->dataset, setup->dataset);
  field_names_init(wire->names, attributes);
  wire->header.names = wire->names;
  *out = wire;
  return 0;
}

void ct_wire_free(struct ct_wire *wire)
{
  if (wire == NULL)
    return;
  freelocale(wire->c_locale);
  free(wire);
}

/* ---- verdicts -------------------------------------------------------------------------------- */
static void reject(struct ct_wire_message *out, enum ct_reject kind, const char *fmt, ...) CT_PRINTF(3, 4);
static void reject(struct ct_wire_message *out, enum ct_reject kind, const char *fmt, ...)
{
  va_list args;
  va_start(args, fmt);
  vsnprintf(out->reason, sizeof out->reason, fmt, args);
  va_end(args);
  reason_clean(out->reason);
  out->verdict = CT_WIRE_REJECT;
  out->reject = kind;
}

/* The beginning of a value as it stands in the header, for "%.*s". */
#define SHOW(value) (int)((value)->bytes < 40 ? (value)->bytes : 40), ((value)->at != NULL ? (value)->at : "")

/* ---- shape ----------------------------------------------------------------------------------- */
struct shape {
  const struct value *text;
  int n;                         /* dimensions; 0: not readable */
  uint64_t dim[8];
};

static void read_shape(const struct ct_wire *wire, const struct value *value, bool fastest_first, struct shape *shape)
{
  struct value members[8];
  int n = value_members(value, members, 8);
  shape->text = value;
  shape->n = 0;
  for (int i = 0; i < n; i++) {
    bool negative;
    uint64_t size;
    if (!value_integer(&members[i], wire->c_locale, &negative, &size) || (negative && size > 0))
      return;
    shape->dim[fastest_first ? n - 1 - i : i] = size;
  }
  shape->n = n > 0 ? n : 0;
}

/* [rows, cols] or [count, rows, cols], each 1 to CT_WIRE_DIM. */
static bool shape_is_sane(const struct shape *shape)
{
  if (shape->n != 2 && shape->n != 3)
    return false;
  for (int i = 0; i < shape->n; i++)
    if (shape->dim[i] < 1 || shape->dim[i] > CT_WIRE_DIM)
      return false;
  return true;
}

static bool shape_is_as_configured(const struct ct_wire *wire, const struct shape *shape)
{
  if (wire->role != CT_ROLE_HEXITEC)
    return true;
  return (wire->rows == 0 || shape->dim[shape->n - 2] == wire->rows) &&
         (wire->cols == 0 || shape->dim[shape->n - 1] == wire->cols);
}

/* ---- what both formats have in common -------------------------------------------------------- */
static bool read_type(const struct value *value, bool odin, enum ct_type *type)
{
  for (int i = 0; i < CT_TYPE_COUNT; i++)
    if (value_is_text(value, ct_type_text((enum ct_type)i))) {
      *type = (enum ct_type)i;
      return true;
    }
  *type = CT_F32;
  return odin && value_is_text(value, "float");
}

/* Type, size and shape of the pixels: from here on the formats are the same. */
static void check_frame(const struct ct_wire *wire, const struct shape *shape, const struct value *type,
                        const struct value *compression, bool compressed, const struct ct_wire_part *blob,
                        struct ct_wire_message *out)
{
  struct ct_frame *frame = &out->frame;
  if (!shape_is_sane(shape)) {
    reject(out, CT_REJECT_SHAPE, "shape %.*s; frames are [rows,cols] or [n,rows,cols], each 1 to %d",
           SHOW(shape->text), CT_WIRE_DIM);
    return;
  }
  bool odin = out->format == CT_WIRE_ODIN;
  if (!read_type(type, odin, &frame->type)) {
    reject(out, CT_REJECT_TYPE, "pixel type \"%.*s\" is not known", SHOW(type));
    return;
  }
  if (wire->role == CT_ROLE_HEXITEC && frame->type != CT_U16 && frame->type != CT_F32) {
    reject(out, CT_REJECT_TYPE, "pixel type %s; HEXITEC frames are uint16 or float32", ct_type_text(frame->type));
    return;
  }
  frame->count = shape->n == 3 ? (uint32_t)shape->dim[0] : 1;
  frame->rows = (uint32_t)shape->dim[shape->n - 2];
  frame->cols = (uint32_t)shape->dim[shape->n - 1];
  if (compressed) {
    reject(out, CT_REJECT_COMPRESSED, "compressed with \"%.*s\", not yet in this version; turn it off at the source",
           SHOW(compression));
    return;
  }
  /* At most 2^14 * 2^14 * 2^14 * 8 bytes: no overflow. */
  uint64_t bytes = (uint64_t)frame->count * frame->rows * frame->cols * ct_type_bytes(frame->type);
  if (bytes != blob->bytes) {
    reject(out, CT_REJECT_SIZE, "%zu bytes of pixels where %u x %u x %u %s are %llu", blob->bytes, frame->count,
           frame->rows, frame->cols, ct_type_text(frame->type), (unsigned long long)bytes);
    return;
  }
  if (bytes > wire->max_message_bytes) {
    reject(out, CT_REJECT_SIZE, "%llu bytes of pixels; at most %llu are allowed", (unsigned long long)bytes,
           (unsigned long long)wire->max_message_bytes);
    return;
  }
  if (!shape_is_as_configured(wire, shape)) {
    reject(out, CT_REJECT_SHAPE, "frames of %u x %u where %u x %u is configured (hexitec.rows, hexitec.cols)",
           frame->rows, frame->cols, wire->rows, wire->cols);
    return;
  }
  if (frame->number > UINT64_MAX - frame->count) {
    reject(out, CT_REJECT_KEY, "frame number %llu is too large", (unsigned long long)frame->number);
    return;
  }
  frame->pixels = blob->data;
  frame->bytes = blob->bytes;
  out->verdict = CT_WIRE_TAKE;
}

/* ---- attributes ------------------------------------------------------------------------------ */
static void read_double(const struct ct_wire *wire, enum field field, unsigned has, double *number,
                        struct ct_attributes *attributes)
{
  if (wire->header.values[field].kind != VALUE_ABSENT &&
      value_double(&wire->header.values[field], wire->c_locale, number))
    attributes->present |= has;
}

static void read_mode(const struct value *value, struct ct_attributes *attributes)
{
  char word[8];
  if (!value_text(value, word, sizeof word))
    return;
  if (strcasecmp(word, "xcs") == 0)
    attributes->mode = CT_MODE_XCS;
  else if (strcasecmp(word, "xct") == 0)
    attributes->mode = CT_MODE_XCT;
  else
    return;
  attributes->present |= CT_HAS_MODE;
}

static void read_attributes(const struct ct_wire *wire, struct ct_attributes *attributes)
{
  bool negative;
  uint64_t magnitude;
  const struct value *values = wire->header.values;
  read_double(wire, FIELD_TIME, CT_HAS_TIME, &attributes->time_s, attributes);
  read_double(wire, FIELD_ANGLE, CT_HAS_ANGLE, &attributes->angle_deg, attributes);
  read_double(wire, FIELD_Z, CT_HAS_Z, &attributes->z_mm, attributes);
  read_mode(&values[FIELD_MODE], attributes);
  if (value_integer(&values[FIELD_TRIGGER], wire->c_locale, &negative, &magnitude) && !negative) {
    attributes->trigger = magnitude;
    attributes->present |= CT_HAS_TRIGGER;
  }
  if (value_integer(&values[FIELD_IMAGE_KEY], wire->c_locale, &negative, &magnitude) && magnitude <= INT32_MAX) {
    attributes->image_key = negative ? -(int)magnitude : (int)magnitude;
    attributes->present |= CT_HAS_KEY;
  }
}

/* ---- array-1.0 (paulscherrerinstitute/htypes, array-1.0.md; ADZMQ's NDPluginZMQ) --------------- */
/* areaDetector numbers frames in int32: after 2^31-1 come negative ones. */
static bool read_array_number(const struct ct_wire *wire, const struct value *value, uint64_t *number)
{
  bool negative;
  uint64_t magnitude;
  if (value->kind != VALUE_NUMBER || !value_integer(value, wire->c_locale, &negative, &magnitude))
    return false;
  if (negative && magnitude > UINT64_C(0x80000000))
    return false;
  *number = negative ? UINT64_C(0x100000000) - magnitude : magnitude;
  return true;
}

static bool read_endianness(const struct value *values, bool *big)
{
  const struct value *value = &values[FIELD_ENDIANNESS];
  if (value->kind == VALUE_ABSENT)
    value = &values[FIELD_ENDIANESS];   /* the specification's own example spells it so */
  *big = value_is_text(value, "big");
  return *big || value->kind == VALUE_ABSENT || value_is_text(value, "little");
}

/* "array-1.0", or as ADZMQ before 1.4 wrote it ["array-1.0"] with the shape fastest first. */
static bool read_htype(const struct value *value, struct value *htype, bool *list)
{
  *htype = *value;
  *list = value->kind == VALUE_ARRAY;
  return (*list ? value_members(value, htype, 1) == 1 : true) && htype->kind == VALUE_STRING;
}

static void decode_array(struct ct_wire *wire, bool list, const struct ct_wire_part *blob, struct ct_wire_message *out)
{
  const struct value *values = wire->header.values;
  static const enum field needed[] = { FIELD_SHAPE, FIELD_TYPE, FIELD_FRAME };
  for (size_t i = 0; i < sizeof needed / sizeof *needed; i++)
    if (values[needed[i]].kind == VALUE_ABSENT) {
      reject(out, CT_REJECT_KEY, "the array-1.0 header has no \"%s\"", wire->names[needed[i]].text);
      return;
    }
  if (!read_array_number(wire, &values[FIELD_FRAME], &out->frame.number)) {
    reject(out, CT_REJECT_KEY, "\"frame\" is not a frame number: %.*s", SHOW(&values[FIELD_FRAME]));
    return;
  }
  if (values[FIELD_TYPE].kind != VALUE_STRING || values[FIELD_SHAPE].kind != VALUE_ARRAY) {
    reject(out, CT_REJECT_KEY, "\"type\" must be a string and \"shape\" an array");
    return;
  }
  if (!read_endianness(values, &out->frame.big_endian)) {
    reject(out, CT_REJECT_KEY, "\"endianness\" is neither big nor little");
    return;
  }
  struct shape shape;
  read_shape(wire, &values[FIELD_SHAPE], list, &shape);
  const struct value *encoding = &values[FIELD_ENCODING];
  bool compressed = encoding->kind != VALUE_ABSENT && !value_is_text(encoding, "") && !value_is_text(encoding, "none");
  read_attributes(wire, &out->frame.attributes);
  check_frame(wire, &shape, &values[FIELD_TYPE], encoding, compressed, blob, out);
}

/* ---- odin-data LiveView (odin-data's LiveViewPlugin.cpp as it is, not as its document says) ------ */
static void settle_on(struct ct_wire *wire, const char *dataset, bool *settled)
{
  memmove(wire->dataset, dataset, strlen(dataset) + 1);
  *settled = wire->n_candidates > 0;
  wire->n_candidates = 0;
}

/* Is <dataset> the one taken? TAKE, IGNORE or WAIT; see ct_wire_decode. */
static enum ct_wire_verdict choose_dataset(struct ct_wire *wire, const char *dataset, bool fits, bool *settled)
{
  if (wire->dataset[0] != '\0')
    return strcmp(wire->dataset, dataset) == 0 ? CT_WIRE_TAKE : CT_WIRE_IGNORE;
  if (strcmp(dataset, "raw_frames") == 0) {
    settle_on(wire, dataset, settled);
    return CT_WIRE_TAKE;
  }
  if (!fits)
    return CT_WIRE_IGNORE;
  for (unsigned i = 0; i < wire->n_candidates; i++)
    if (strcmp(wire->candidates[i], dataset) == 0) {
      settle_on(wire, dataset, settled);
      return CT_WIRE_TAKE;
    }
  if (wire->n_candidates == CT_WIRE_HELD)
    return CT_WIRE_IGNORE;
  strcpy(wire->candidates[wire->n_candidates++], dataset);
  return CT_WIRE_WAIT;
}

bool ct_wire_settle(struct ct_wire *wire)
{
  bool settled = false;
  if (wire->n_candidates > 0)
    settle_on(wire, wire->candidates[0], &settled);
  return settled;
}

const char *ct_wire_dataset(const struct ct_wire *wire) { return wire->dataset; }

static void decode_odin(struct ct_wire *wire, const struct ct_wire_part *blob, struct ct_wire_message *out)
{
  const struct value *values = wire->header.values;
  static const enum field needed[] = { FIELD_FRAME_NUM, FIELD_DTYPE, FIELD_DATASET, FIELD_SHAPE };
  for (size_t i = 0; i < sizeof needed / sizeof *needed; i++)
    if (values[needed[i]].kind == VALUE_ABSENT) {
      reject(out, CT_REJECT_KEY, "the odin header has no \"%s\"", wire->names[needed[i]].text);
      return;
    }
  bool negative;
  if (values[FIELD_FRAME_NUM].kind != VALUE_NUMBER ||
      !value_integer(&values[FIELD_FRAME_NUM], wire->c_locale, &negative, &out->frame.number) || negative) {
    reject(out, CT_REJECT_KEY, "\"frame_num\" is not a frame number: %.*s", SHOW(&values[FIELD_FRAME_NUM]));
    return;
  }
  if (!value_text(&values[FIELD_DATASET], out->dataset, sizeof out->dataset) || out->dataset[0] == '\0') {
    reject(out, CT_REJECT_KEY, "\"dataset\" is not a name of 1 to %d bytes", CT_WIRE_NAME - 1);
    return;
  }
  if (values[FIELD_DTYPE].kind != VALUE_STRING || values[FIELD_SHAPE].kind != VALUE_ARRAY) {
    reject(out, CT_REJECT_KEY, "\"dtype\" must be a string and \"shape\" an array");
    return;
  }
  struct shape shape;
  read_shape(wire, &values[FIELD_SHAPE], false, &shape);
  bool fits = shape_is_sane(&shape) && shape_is_as_configured(wire, &shape);
  out->verdict = choose_dataset(wire, out->dataset, fits, &out->settled);
  if (out->verdict != CT_WIRE_TAKE)
    return;
  const struct value *compression = &values[FIELD_COMPRESSION];
  bool compressed = compression->kind != VALUE_ABSENT && !value_is_text(compression, "none") &&
                    !value_is_text(compression, "unknown") && !value_is_text(compression, "");
  check_frame(wire, &shape, &values[FIELD_DTYPE], compression, compressed, blob, out);
}

/* ---- the door -------------------------------------------------------------------------------- */
/* The format a header is in; AUTO with a rejection when it is none that is read here. */
static enum ct_wire_format recognise(const struct ct_wire *wire, bool *list, struct ct_wire_message *out)
{
  const struct value *values = wire->header.values;
  struct value htype;
  if (values[FIELD_HTYPE].kind == VALUE_ABSENT) {
    if (values[FIELD_FRAME_NUM].kind != VALUE_ABSENT)
      return CT_WIRE_ODIN;
    reject(out, CT_REJECT_KEY, "the header has neither \"htype\" (array-1.0) nor \"frame_num\" (odin)");
    return CT_WIRE_AUTO;
  }
  if (!read_htype(&values[FIELD_HTYPE], &htype, list)) {
    reject(out, CT_REJECT_KEY, "\"htype\" is not a string: %.*s", SHOW(&values[FIELD_HTYPE]));
    return CT_WIRE_AUTO;
  }
  if (value_is_text(&htype, "array-1.0"))
    return CT_WIRE_ARRAY;
  reject(out, CT_REJECT_FORMAT, "htype \"%.*s\" is not read on a frame stream; array-1.0 is", SHOW(&htype));
  return CT_WIRE_AUTO;
}

/* CBOR maps (major type 5) are what DECTRIS Stream V2 sends, in one part. */
static bool is_cbor_map(const struct ct_wire_part *part)
{
  return part->bytes > 0 && (*(const unsigned char *)part->data & 0xE0) == 0xA0;
}

static bool check_parts(const struct ct_wire_part *parts, size_t n_parts, struct ct_wire_message *out)
{
  if (n_parts == 1 && is_cbor_map(parts))
    reject(out, CT_REJECT_FORMAT, "a DECTRIS Stream V2 (CBOR) message: not yet in this version");
  else if (n_parts != 2)
    reject(out, CT_REJECT_PARTS, "%zu message parts where 2 are expected: header, pixels", n_parts);
  else if (parts[0].bytes > CT_WIRE_HEADER_BYTES)
    reject(out, CT_REJECT_HEADER_SIZE, "a header of %zu bytes; at most %d are read", parts[0].bytes,
           CT_WIRE_HEADER_BYTES);
  else
    return true;
  return false;
}

static void decode_header(struct ct_wire *wire, const struct ct_wire_part *blob, struct ct_wire_message *out)
{
  bool list = false;
  out->format = recognise(wire, &list, out);
  if (out->format == CT_WIRE_AUTO)
    return;
  if (wire->format != CT_WIRE_AUTO && wire->format != out->format) {
    reject(out, CT_REJECT_FORMAT, "an %s message where format = %s is configured", ct_wire_format_word(out->format),
           ct_wire_format_word(wire->format));
    return;
  }
  if (out->format == CT_WIRE_ARRAY)
    decode_array(wire, list, blob, out);
  else
    decode_odin(wire, blob, out);
}

void ct_wire_decode(struct ct_wire *wire, const struct ct_wire_part *parts, size_t n_parts, struct ct_wire_message *out)
{
  memset(out, 0, offsetof(struct ct_wire_message, reason));
  out->reason[0] = out->dataset[0] = '\0';
  memset(&out->frame, 0, sizeof out->frame);
  if (!check_parts(parts, n_parts, out))
    return;
  const char *text = parts[0].bytes > 0 ? parts[0].data : "";
  enum header_result read = header_read(&wire->header, text, parts[0].bytes);
  if (read == HEADER_BAD)
    reject(out, CT_REJECT_HEADER, "the header is not a JSON object");
  else if (read == HEADER_DEEP)
    reject(out, CT_REJECT_HEADER, "the header is nested deeper than %d", CT_WIRE_DEPTH);
  else
    decode_header(wire, &parts[1], out);
  if (read != HEADER_LOOSE)
    return;
  out->tolerated = out->verdict != CT_WIRE_REJECT;
  if (out->verdict == CT_WIRE_REJECT && out->reject == CT_REJECT_KEY)
    out->reject = CT_REJECT_HEADER;   /* of something that is not JSON nothing can be said to be missing */
}
