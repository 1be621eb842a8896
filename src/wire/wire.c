/* The door of the frame decoders: set-up, and which format a message is in. */
#include "wire/decoder.h"

#include <stdlib.h>
#include <string.h>

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

/* ---- the door -------------------------------------------------------------------------------- */
/* "array-1.0", or as ADZMQ before 1.4 wrote it ["array-1.0"] with the shape fastest first. */
static bool read_htype(const struct value *value, struct value *htype, bool *list)
{
  *htype = *value;
  *list = value->kind == VALUE_ARRAY;
  return (*list ? value_members(value, htype, 1) == 1 : true) && htype->kind == VALUE_STRING;
}

/* The format a header is in; AUTO with a rejection when it is none that is read here. */
static enum ct_wire_format recognise(const struct ct_wire *wire, bool *list, struct ct_wire_message *out)
{
  const struct value *values = wire->header.values;
  struct value htype;
  if (values[FIELD_HTYPE].kind == VALUE_ABSENT) {
    if (values[FIELD_FRAME_NUM].kind != VALUE_ABSENT)
      return CT_WIRE_ODIN;
    wire_reject(out, CT_REJECT_KEY, "the header has neither \"htype\" (array-1.0) nor \"frame_num\" (odin)");
    return CT_WIRE_AUTO;
  }
  if (!read_htype(&values[FIELD_HTYPE], &htype, list)) {
    wire_reject(out, CT_REJECT_KEY, "\"htype\" is not a string: %.*s", SHOW(&values[FIELD_HTYPE]));
    return CT_WIRE_AUTO;
  }
  if (value_is_text(&htype, "array-1.0"))
    return CT_WIRE_ARRAY;
  wire_reject(out, CT_REJECT_FORMAT, "htype \"%.*s\" is not read on a frame stream; array-1.0 is", SHOW(&htype));
  return CT_WIRE_AUTO;
}

static bool check_parts(const struct ct_wire_part *parts, size_t n_parts, struct ct_wire_message *out)
{
  if (n_parts != 2)
    wire_reject(out, CT_REJECT_PARTS, "%zu message parts where 2 are expected: header, pixels", n_parts);
  else if (parts[0].bytes > CT_WIRE_HEADER_BYTES)
    wire_reject(out, CT_REJECT_HEADER_SIZE, "a header of %zu bytes; at most %d are read", parts[0].bytes,
           CT_WIRE_HEADER_BYTES);
  else
    return true;
  return false;
}

static bool is_as_configured(const struct ct_wire *wire, struct ct_wire_message *out)
{
  if (wire->format == CT_WIRE_AUTO || wire->format == out->format)
    return true;
  wire_reject(out, CT_REJECT_FORMAT, "%s message where format = %s is configured",
              out->format == CT_WIRE_DECTRIS ? "a DECTRIS Stream V2" : out->format == CT_WIRE_ODIN ? "an odin" : "an array-1.0",
              ct_wire_format_word(wire->format));
  return false;
}

static void decode_header(struct ct_wire *wire, const struct ct_wire_part *blob, struct ct_wire_message *out)
{
  bool list = false;
  out->format = recognise(wire, &list, out);
  if (out->format == CT_WIRE_AUTO)
    return;
  if (!is_as_configured(wire, out))
    return;
  if (out->format == CT_WIRE_ARRAY)
    array_decode(wire, list, blob, out);
  else
    odin_decode(wire, blob, out);
}

void ct_wire_decode(struct ct_wire *wire, const struct ct_wire_part *parts, size_t n_parts, struct ct_wire_message *out)
{
  memset(out, 0, offsetof(struct ct_wire_message, reason));
  out->reason[0] = out->dataset[0] = '\0';
  memset(&out->frame, 0, sizeof out->frame);
  out->packed = (struct ct_wire_packed){ .form = CT_PLAIN };
  if (n_parts == 1 && dectris_is(parts)) {
    out->format = CT_WIRE_DECTRIS;
    if (is_as_configured(wire, out))
      dectris_decode(wire, parts, out);
    return;
  }
  if (!check_parts(parts, n_parts, out))
    return;
  const char *text = parts[0].bytes > 0 ? parts[0].data : "";
  enum header_result read = header_read(&wire->header, text, parts[0].bytes);
  if (read == HEADER_BAD)
    wire_reject(out, CT_REJECT_HEADER, "the header is not a JSON object");
  else if (read == HEADER_DEEP)
    wire_reject(out, CT_REJECT_HEADER, "the header is nested deeper than %d", CT_WIRE_DEPTH);
  else
    decode_header(wire, &parts[1], out);
  if (read != HEADER_LOOSE)
    return;
  out->tolerated = out->verdict != CT_WIRE_REJECT;
  if (out->verdict == CT_WIRE_REJECT && out->reject == CT_REJECT_KEY)
    out->reject = CT_REJECT_HEADER;   /* of something that is not JSON nothing can be said to be missing */
}
