/* odin-data LiveView (odin-data's LiveViewPlugin.cpp as it is, not as its document says): several datasets under one number,
 * of which one is taken. */
#include "wire/decoder.h"

#include <string.h>

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

void odin_decode(struct ct_wire *wire, const struct ct_wire_part *blob, struct ct_wire_message *out)
{
  const struct value *values = wire->header.values;
  static const enum field needed[] = { FIELD_FRAME_NUM, FIELD_DTYPE, FIELD_DATASET, FIELD_SHAPE };
  for (size_t i = 0; i < sizeof needed / sizeof *needed; i++)
    if (values[needed[i]].kind == VALUE_ABSENT) {
      wire_reject(out, CT_REJECT_KEY, "the odin header has no \"%s\"", wire->names[needed[i]].text);
      return;
    }
  bool negative;
  if (values[FIELD_FRAME_NUM].kind != VALUE_NUMBER ||
      !value_integer(&values[FIELD_FRAME_NUM], wire->c_locale, &negative, &out->frame.number) || negative) {
    wire_reject(out, CT_REJECT_KEY, "\"frame_num\" is not a frame number: %.*s", SHOW(&values[FIELD_FRAME_NUM]));
    return;
  }
  if (!value_text(&values[FIELD_DATASET], out->dataset, sizeof out->dataset) || out->dataset[0] == '\0') {
    wire_reject(out, CT_REJECT_KEY, "\"dataset\" is not a name of 1 to %d bytes", CT_WIRE_NAME - 1);
    return;
  }
  if (values[FIELD_DTYPE].kind != VALUE_STRING || values[FIELD_SHAPE].kind != VALUE_ARRAY) {
    wire_reject(out, CT_REJECT_KEY, "\"dtype\" must be a string and \"shape\" an array");
    return;
  }
  struct shape shape;
  shape_read(wire, &values[FIELD_SHAPE], false, &shape);
  bool fits = shape_is_sane(&shape) && shape_is_as_configured(wire, &shape);
  out->verdict = choose_dataset(wire, out->dataset, fits, &out->settled);
  if (out->verdict != CT_WIRE_TAKE)
    return;
  pixels_take_values(wire, &values[FIELD_SHAPE], &shape, &values[FIELD_DTYPE], &values[FIELD_COMPRESSION], blob, out);
}
