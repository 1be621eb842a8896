/* array-1.0 (paulscherrerinstitute/htypes, array-1.0.md; ADZMQ's NDPluginZMQ). */
#include "wire/decoder.h"

#include <strings.h>

/* ---- attributes ------------------------------------------------------------------------------ */
/* Arrays of one value, as process variables may be, come as lists. */
static void unlist(struct value *value)
{
  struct value only;
  if (value_members(value, &only, 1) == 1)
    *value = only;
}

static void read_double(const struct ct_wire *wire, enum field field, unsigned has, double *number,
                        struct ct_attributes *attributes)
{
  if (wire->header.values[field].kind != VALUE_ABSENT &&
      value_double(&wire->header.values[field], wire->c_locale, number))
    attributes->present |= has;
}

void attributes_set_mode(struct ct_attributes *attributes, const char *word)
{
  if (strcasecmp(word, "xcs") == 0)
    attributes->mode = CT_MODE_XCS;
  else if (strcasecmp(word, "xct") == 0)
    attributes->mode = CT_MODE_XCT;
  else
    return;
  attributes->present |= CT_HAS_MODE;
}

static void read_attributes(struct ct_wire *wire, struct ct_attributes *attributes)
{
  bool negative;
  uint64_t magnitude;
  char word[8];
  struct value *values = wire->header.values;
  for (int field = FIELD_ANGLE; field < FIELD_COUNT; field++)
    unlist(&values[field]);
  read_double(wire, FIELD_TIME, CT_HAS_TIME, &attributes->time_s, attributes);
  read_double(wire, FIELD_ANGLE, CT_HAS_ANGLE, &attributes->angle_deg, attributes);
  read_double(wire, FIELD_Z, CT_HAS_Z, &attributes->z_mm, attributes);
  if (value_text(&values[FIELD_MODE], word, sizeof word))
    attributes_set_mode(attributes, word);
  if (value_integer(&values[FIELD_TRIGGER], wire->c_locale, &negative, &magnitude) && !negative) {
    attributes->trigger = magnitude;
    attributes->present |= CT_HAS_TRIGGER;
  }
  if (value_integer(&values[FIELD_IMAGE_KEY], wire->c_locale, &negative, &magnitude) && magnitude <= INT32_MAX) {
    attributes->image_key = negative ? -(int)magnitude : (int)magnitude;
    attributes->present |= CT_HAS_KEY;
  }
}

/* ---- the message ------------------------------------------------------------------------------ */
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

void array_decode(struct ct_wire *wire, bool list, const struct ct_wire_part *blob, struct ct_wire_message *out)
{
  const struct value *values = wire->header.values;
  static const enum field needed[] = { FIELD_SHAPE, FIELD_TYPE, FIELD_FRAME };
  for (size_t i = 0; i < sizeof needed / sizeof *needed; i++)
    if (values[needed[i]].kind == VALUE_ABSENT) {
      wire_reject(out, CT_REJECT_KEY, "the array-1.0 header has no \"%s\"", wire->names[needed[i]].text);
      return;
    }
  if (!read_array_number(wire, &values[FIELD_FRAME], &out->frame.number)) {
    wire_reject(out, CT_REJECT_KEY, "\"frame\" is not a frame number: %.*s", SHOW(&values[FIELD_FRAME]));
    return;
  }
  if (values[FIELD_TYPE].kind != VALUE_STRING || values[FIELD_SHAPE].kind != VALUE_ARRAY) {
    wire_reject(out, CT_REJECT_KEY, "\"type\" must be a string and \"shape\" an array");
    return;
  }
  if (!read_endianness(values, &out->frame.big_endian)) {
    wire_reject(out, CT_REJECT_KEY, "\"endianness\" is neither big nor little");
    return;
  }
  struct shape shape;
  shape_read(wire, &values[FIELD_SHAPE], list, &shape);
  read_attributes(wire, &out->frame.attributes);
  pixels_take_values(wire, &values[FIELD_SHAPE], &shape, &values[FIELD_TYPE], &values[FIELD_ENCODING], blob, out);
}
