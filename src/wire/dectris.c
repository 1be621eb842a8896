/* DECTRIS Stream V2 (dectris/documentation, stream_v2): one part, one CBOR map. "start" says once what holds for a series, each
 * "image" has the pixels of its channels, "end" ends the series. Typed arrays are those of RFC 8746. */
#include "wire/decoder.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#include "wire/cbor.h"

enum { LABEL_DATE = 0, LABEL_ROW_MAJOR = 40, LABEL_PACKED = 56500 };

/* What the message is behind the mark of CBOR that describes itself (RFC 8949, 3.4.6), which the detectors send. */
static struct cbor unmark(const struct ct_wire_part *part)
{
  static const unsigned char mark[] = { 0xD9, 0xD9, 0xF7 };
  const unsigned char *at = part->data, *end = at + part->bytes;
  bool marked = part->bytes >= sizeof mark && memcmp(at, mark, sizeof mark) == 0;
  return (struct cbor){ marked ? at + sizeof mark : at, end };
}

bool dectris_is(const struct ct_wire_part *part)
{
  const struct cbor cbor = unmark(part);
  return cbor.at < cbor.end && (*cbor.at & 0xE0) == 0xA0;
}

/* ---- pixels -------------------------------------------------------------------------------------- */
struct typed_array {
  enum ct_type type;
  bool big_endian;
  enum ct_packing packing;
  struct ct_wire_part blob;
};

/* RFC 8746, 2.1: the label of a typed array of numbers. */
static bool read_type(uint64_t label, struct typed_array *out)
{
  static const struct {
    uint8_t label, type;
    bool big_endian;
  } table[] = {
    { 64, CT_U8, false }, { 65, CT_U16, true }, { 66, CT_U32, true }, { 67, CT_U64, true }, { 68, CT_U8, false },
    { 69, CT_U16, false }, { 70, CT_U32, false }, { 71, CT_U64, false }, { 72, CT_I8, false }, { 73, CT_I16, true },
    { 74, CT_I32, true }, { 75, CT_I64, true }, { 77, CT_I16, false }, { 78, CT_I32, false }, { 79, CT_I64, false },
    { 81, CT_F32, true }, { 82, CT_F64, true }, { 85, CT_F32, false }, { 86, CT_F64, false },
  };
  for (size_t i = 0; i < sizeof table / sizeof *table; i++)
    if (table[i].label == label) {
      out->type = (enum ct_type)table[i].type;
      out->big_endian = table[i].big_endian;
      return true;
    }
  return false;
}

/* Bytes of a known length, plain or under the label of packed ones. */
static bool read_bytes(const struct cbor_value *value, struct typed_array *out, struct ct_wire_message *message)
{
  struct cbor_value list, word, bytes = *value;
  out->packing = CT_PLAIN;
  if (value->item.kind == CBOR_LABEL && value->item.whole == LABEL_PACKED) {
    if (!cbor_item_at(value, 0, &list) || !cbor_item_at(&list, 0, &word) || !cbor_item_at(&list, 2, &bytes) ||
        word.item.kind != CBOR_TEXT || word.item.open) {
      wire_reject(message, CT_REJECT_KEY, "packed data are not [algorithm, size, bytes]");
      return false;
    }
    const struct value text = { VALUE_STRING, true, (const char *)word.item.bytes, word.item.n };
    if (!packing_read(&text, &out->packing) || out->packing == CT_PLAIN) {
      wire_reject(message, CT_REJECT_COMPRESSED, "compressed with \"%.*s\", which is not read here (lz4 and bslz4 are)",
                  SHOW(&text));
      return false;
    }
  }
  if (bytes.item.kind != CBOR_BYTES || bytes.item.open) {
    wire_reject(message, CT_REJECT_KEY, "the pixels are not a string of bytes");
    return false;
  }
  out->blob = (struct ct_wire_part){ bytes.item.bytes, bytes.item.n };
  return true;
}

static bool read_shape(const struct cbor_value *dims, struct shape *shape)
{
  struct cbor_value size;
  for (shape->n = 0; cbor_item_at(dims, (size_t)shape->n, &size); shape->n++) {
    if (shape->n == 2 || size.item.kind != CBOR_WHOLE)
      return false;
    shape->dim[shape->n] = size.item.whole;
  }
  return shape->n == 2 && shape_is_sane(shape);
}

/* RFC 8746, 3.1: label 40 around [dimensions, typed array]. */
static void take_channel(const struct ct_wire *wire, const struct cbor_value *channel, struct ct_wire_message *out)
{
  struct cbor_value pair, dims, array, bytes;
  struct typed_array typed;
  struct shape shape;
  if (channel->item.kind != CBOR_LABEL || channel->item.whole != LABEL_ROW_MAJOR || !cbor_item_at(channel, 0, &pair) ||
      !cbor_item_at(&pair, 0, &dims) || !cbor_item_at(&pair, 1, &array) || array.item.kind != CBOR_LABEL ||
      !cbor_item_at(&array, 0, &bytes)) {
    wire_reject(out, CT_REJECT_KEY, "channel \"%s\" is not an array of rows and columns", out->dataset);
    return;
  }
  if (!read_shape(&dims, &shape)) {
    wire_reject(out, CT_REJECT_SHAPE, "the dimensions of channel \"%s\" are not [rows,cols], each 1 to %d", out->dataset,
                CT_WIRE_DIM);
    return;
  }
  if (!read_type(array.item.whole, &typed)) {
    wire_reject(out, CT_REJECT_TYPE, "typed array %llu of channel \"%s\" is not known", (unsigned long long)array.item.whole,
                out->dataset);
    return;
  }
  if (!read_bytes(&bytes, &typed, out))
    return;
  out->frame.big_endian = typed.big_endian;
  pixels_take(wire, &shape, typed.type, typed.packing, &typed.blob, out);
}

/* ---- what rides beside ----------------------------------------------------------------------------- */
/* A date and time of RFC 3339, seconds of UTC. */
static bool read_date(const struct cbor_item *text, double *time_s)
{
  char copy[48];
  if (text->kind != CBOR_TEXT || text->open || text->n >= sizeof copy)
    return false;
  memcpy(copy, text->bytes, text->n);
  copy[text->n] = '\0';
  struct tm tm = { 0 };
  const char *at = strptime(copy, "%Y-%m-%dT%H:%M:%S", &tm);
  if (at == NULL)
    return false;
  *time_s = (double)timegm(&tm);
  if (*at == '.')
    for (double digit_s = 0.1; *++at >= '0' && *at <= '9'; digit_s /= 10)
      *time_s += (*at - '0') * digit_s;
  unsigned hours, minutes;
  char sign;
  if (sscanf(at, "%c%2u:%2u", &sign, &hours, &minutes) == 3 && (sign == '+' || sign == '-'))
    *time_s -= (sign == '+' ? 60.0 : -60.0) * (60 * hours + minutes);
  else if (strcmp(at, "Z") != 0 && strcmp(at, "z") != 0)
    return false;
  return true;
}

/* [numerator, denominator] of "start_time", seconds after "series_date". */
static bool read_time(const struct cbor_value *image, double *time_s)
{
  struct cbor_value label, date, ratio, over, under;
  double begin_s, numerator, denominator;
  if (!cbor_find(image, "series_date", &label) || label.item.kind != CBOR_LABEL || label.item.whole != LABEL_DATE ||
      !cbor_item_at(&label, 0, &date) || !read_date(&date.item, &begin_s))
    return false;
  if (!cbor_find(image, "start_time", &ratio) || !cbor_item_at(&ratio, 0, &over) || !cbor_item_at(&ratio, 1, &under) ||
      !cbor_real(&over.item, &numerator) || !cbor_real(&under.item, &denominator) || !(denominator > 0))
    return false;
  *time_s = begin_s + numerator / denominator;
  return true;
}

static bool find_number(const struct cbor_value *map, const char *key, double *number)
{
  struct cbor_value value;
  return cbor_find(map, key, &value) && cbor_real(&value.item, number);
}

/* What the beamline has put into "image_appendix", under the names of ndattr. */
static void read_user_data(const struct ct_wire *wire, const struct cbor_value *user, struct ct_attributes *attributes)
{
  const struct field_name *names = wire->names;
  struct cbor_value value;
  char word[8];
  if (find_number(user, names[FIELD_ANGLE].text, &attributes->angle_deg))
    attributes->present |= CT_HAS_ANGLE;
  if (find_number(user, names[FIELD_Z].text, &attributes->z_mm))
    attributes->present |= CT_HAS_Z;
  if (cbor_find(user, names[FIELD_MODE].text, &value) && value.item.kind == CBOR_TEXT && value.item.n < sizeof word) {
    memcpy(word, value.item.bytes, value.item.n);
    word[value.item.n] = '\0';
    attributes_set_mode(attributes, word);
  }
  if (cbor_find(user, names[FIELD_TRIGGER].text, &value) && value.item.kind == CBOR_WHOLE) {
    attributes->trigger = value.item.whole;
    attributes->present |= CT_HAS_TRIGGER;
  }
  if (cbor_find(user, names[FIELD_IMAGE_KEY].text, &value) && value.item.kind == CBOR_WHOLE &&
      value.item.whole <= INT32_MAX) {
    attributes->image_key = (int)value.item.whole;
    attributes->present |= CT_HAS_KEY;
  }
}

/* ---- messages ---------------------------------------------------------------------------------------- */
/* The axis that is named as the angle is, else "omega", else the first. */
static void read_goniometer(struct ct_wire *wire, const struct cbor_value *start)
{
  struct dectris *d = &wire->dectris;
  struct cbor_value goniometer, axis;
  if (!cbor_find(start, "goniometer", &goniometer))
    return;
  if (cbor_find(&goniometer, wire->names[FIELD_ANGLE].text, &axis) || cbor_find(&goniometer, "omega", &axis) ||
      cbor_find(&goniometer, NULL, &axis))
    d->has_axis = find_number(&axis, "start", &d->start_deg) && find_number(&axis, "increment", &d->step_deg);
}

/* A series that was not known: what the last one said holds no more. */
static void see_series(struct ct_wire *wire, uint64_t series, struct ct_wire_message *out)
{
  struct dectris *d = &wire->dectris;
  if (d->known && d->series == series)
    return;
  *d = (struct dectris){ .known = true, .series = series };
  out->begins = true;
}

static void take_image(struct ct_wire *wire, const struct cbor_value *image, struct ct_wire_message *out)
{
  const struct dectris *d = &wire->dectris;
  struct ct_attributes *attributes = &out->frame.attributes;
  struct cbor_value number, data, channel, user;
  if (!cbor_find(image, "image_id", &number) || number.item.kind != CBOR_WHOLE) {
    wire_reject(out, CT_REJECT_KEY, "the image has no \"image_id\" that is a number");
    return;
  }
  out->frame.number = number.item.whole;
  const bool named = wire->dataset[0] != '\0';
  if (!cbor_find(image, "data", &data) || !cbor_find(&data, named ? wire->dataset : NULL, &channel)) {
    wire_reject(out, CT_REJECT_KEY, "the image has no channel \"%s\" in \"data\"", named ? wire->dataset : "");
    return;
  }
  snprintf(out->dataset, sizeof out->dataset, "%s", wire->dataset);
  if (d->has_axis) {
    attributes->angle_deg = d->start_deg + (double)number.item.whole * d->step_deg;
    attributes->present |= CT_HAS_ANGLE;
  }
  if (read_time(image, &attributes->time_s))
    attributes->present |= CT_HAS_TIME;
  if (cbor_find(image, "user_data", &user))
    read_user_data(wire, &user, attributes);
  take_channel(wire, &channel, out);
}

void dectris_decode(struct ct_wire *wire, const struct ct_wire_part *part, struct ct_wire_message *out)
{
  struct cbor cbor = unmark(part);
  struct cbor_value message, type, series;
  if (!cbor_read(&cbor, &message) || cbor.at != cbor.end) {
    wire_reject(out, CT_REJECT_HEADER, "not one whole CBOR map");
    return;
  }
  if (!cbor_find(&message, "type", &type) || !cbor_find(&message, "series_id", &series) || series.item.kind != CBOR_WHOLE) {
    wire_reject(out, CT_REJECT_KEY, "the CBOR map has no \"type\" or no \"series_id\" that is a number");
    return;
  }
  if (cbor_is(&type.item, "image")) {
    see_series(wire, series.item.whole, out);
    take_image(wire, &message, out);
  } else if (cbor_is(&type.item, "start")) {
    wire->dectris.known = false;   /* also one that comes a second time under its number */
    see_series(wire, series.item.whole, out);
    read_goniometer(wire, &message);
    out->verdict = CT_WIRE_IGNORE;
  } else if (cbor_is(&type.item, "end")) {
    out->verdict = CT_WIRE_IGNORE;
  } else {
    wire_reject(out, CT_REJECT_FORMAT, "a DECTRIS message that is neither start, image nor end");
  }
}
