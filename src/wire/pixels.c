/* What a message says of its pixels, and whether they are that: cheap checks, nothing computed from a number before it was
 * checked, each rejection naming what was wrong. */
#include "wire/decoder.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

void wire_reject(struct ct_wire_message *out, enum ct_reject kind, const char *fmt, ...)
{
  va_list args;
  va_start(args, fmt);
  reason_set(out->reason, fmt, args);
  va_end(args);
  out->verdict = CT_WIRE_REJECT;
  out->reject = kind;
}

/* ---- shape, type, packing ---------------------------------------------------------------------- */
void shape_read(const struct ct_wire *wire, const struct value *value, bool fastest_first, struct shape *shape)
{
  struct value members[8];
  int n = value_members(value, members, 8);
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

bool shape_is_sane(const struct shape *shape)
{
  if (shape->n != 2 && shape->n != 3)
    return false;
  for (int i = 0; i < shape->n; i++)
    if (shape->dim[i] < 1 || shape->dim[i] > CT_WIRE_DIM)
      return false;
  return true;
}

bool shape_is_as_configured(const struct ct_wire *wire, const struct shape *shape)
{
  if (wire->role != CT_ROLE_HEXITEC)
    return true;
  return (wire->rows == 0 || shape->dim[shape->n - 2] == wire->rows) &&
         (wire->cols == 0 || shape->dim[shape->n - 1] == wire->cols);
}

bool type_read(const struct value *value, enum ct_type *type)
{
  for (int i = 0; i < CT_TYPE_COUNT; i++)
    if (value_is_text(value, ct_type_text((enum ct_type)i))) {
      *type = (enum ct_type)i;
      return true;
    }
  return false;
}

bool packing_read(const struct value *value, enum ct_packing *packing)
{
  static const struct {
    const char *word;
    enum ct_packing packing;
  } table[] = { { "", CT_PLAIN }, { "none", CT_PLAIN }, { "unknown", CT_PLAIN }, { "bslz4", CT_PACKED_BSLZ4 },
                { "lz4", CT_PACKED_LZ4 } };
  char word[16];
  *packing = CT_PLAIN;
  if (value->kind == VALUE_ABSENT)
    return true;
  if (!value_text(value, word, sizeof word))
    return false;
  for (size_t i = 0; i < sizeof table / sizeof *table; i++)
    if (strcasecmp(word, table[i].word) == 0) {
      *packing = table[i].packing;
      return true;
    }
  return false;
}

/* ---- the pixels -------------------------------------------------------------------------------- */
/* Detectors send the framing of the HDF5 filters, whose first eight bytes are the plain size; areaDetector leaves it out. The
 * first length of a bare block is never zero, nor can bare LZ4 begin with four zeros, while plain sizes are below 2^32. */
static bool is_bare(const struct ct_wire_part *blob)
{
  static const unsigned char zeros[4];
  return blob->bytes < sizeof zeros || memcmp(blob->data, zeros, sizeof zeros) != 0;
}

/* The bytes of <blob> when unpacked; a lie about them is found here, before anybody makes room. 0: not in that form. */
static uint64_t plain_bytes(enum ct_packing packing, const struct ct_wire_part *blob, uint64_t expected)
{
  if (packing == CT_PLAIN)
    return blob->bytes;
  if (is_bare(blob))
    return blob->bytes > 0 ? expected : 0;
  return packing == CT_PACKED_BSLZ4 ? ct_bslz4_plain_bytes(blob->data, blob->bytes)
                                    : ct_lz4_plain_bytes(blob->data, blob->bytes);
}

void pixels_take(const struct ct_wire *wire, const struct shape *shape, enum ct_type type, enum ct_packing packing,
                 const struct ct_wire_part *blob, struct ct_wire_message *out)
{
  struct ct_frame *frame = &out->frame;
  frame->type = type;
  frame->count = shape->n == 3 ? (uint32_t)shape->dim[0] : 1;
  frame->rows = (uint32_t)shape->dim[shape->n - 2];
  frame->cols = (uint32_t)shape->dim[shape->n - 1];
  if (wire->role == CT_ROLE_HEXITEC && type != CT_U16 && type != CT_F32) {
    wire_reject(out, CT_REJECT_TYPE, "pixel type %s; HEXITEC frames are uint16 or float32", ct_type_text(type));
    return;
  }
  /* At most 2^14 * 2^14 * 2^14 * 8 bytes: no overflow. */
  uint64_t bytes = (uint64_t)frame->count * frame->rows * frame->cols * ct_type_bytes(type);
  const uint64_t have = plain_bytes(packing, blob, bytes);
  if (bytes != have) {
    wire_reject(out, CT_REJECT_SIZE, "%llu bytes of pixels%s where %u x %u x %u %s are %llu",
           (unsigned long long)have, packing != CT_PLAIN ? " when unpacked" : "", frame->count,
           frame->rows, frame->cols, ct_type_text(type), (unsigned long long)bytes);
    return;
  }
  if (bytes > wire->max_message_bytes) {
    wire_reject(out, CT_REJECT_SIZE, "%llu bytes of pixels; at most %llu are allowed", (unsigned long long)bytes,
           (unsigned long long)wire->max_message_bytes);
    return;
  }
  if (!shape_is_as_configured(wire, shape)) {
    wire_reject(out, CT_REJECT_SHAPE, "frames of %u x %u where %u x %u is configured (hexitec.rows, hexitec.cols)",
           frame->rows, frame->cols, wire->rows, wire->cols);
    return;
  }
  if (frame->number > UINT64_MAX - frame->count) {
    wire_reject(out, CT_REJECT_KEY, "frame number %llu is too large", (unsigned long long)frame->number);
    return;
  }
  frame->bytes = (size_t)bytes;
  if (packing == CT_PLAIN)
    frame->pixels = blob->data;
  else
    out->packed = (struct ct_wire_packed){ packing, *blob };
  out->verdict = CT_WIRE_TAKE;
}

void pixels_take_values(const struct ct_wire *wire, const struct value *shape_text, const struct shape *shape,
                        const struct value *type_text, const struct value *packing_text, const struct ct_wire_part *blob,
                        struct ct_wire_message *out)
{
  enum ct_type type = CT_F32;
  enum ct_packing packing;
  if (!shape_is_sane(shape))
    wire_reject(out, CT_REJECT_SHAPE, "shape %.*s; frames are [rows,cols] or [n,rows,cols], each 1 to %d", SHOW(shape_text),
                CT_WIRE_DIM);
  else if (!type_read(type_text, &type) && !(out->format == CT_WIRE_ODIN && value_is_text(type_text, "float")))
    wire_reject(out, CT_REJECT_TYPE, "pixel type \"%.*s\" is not known", SHOW(type_text));
  else if (!packing_read(packing_text, &packing))
    wire_reject(out, CT_REJECT_COMPRESSED, "compressed with \"%.*s\", which is not read here (lz4 and bslz4 are); turn it off"
                " at the source", SHOW(packing_text));
  else
    pixels_take(wire, shape, type, packing, blob, out);
}

/* ---- unpacking ----------------------------------------------------------------------------------- */
bool ct_wire_unpack(struct ct_wire_message *message, void *pixels)
{
  const struct ct_wire_part *blob = &message->packed.blob;
  struct ct_frame *frame = &message->frame;
  const size_t element_bytes = ct_type_bytes(frame->type);
  int rc;
  if (message->packed.form == CT_PACKED_BSLZ4)
    rc = is_bare(blob) ? ct_bslz4_unpack_bare(blob->data, blob->bytes, element_bytes, pixels, frame->bytes)
                       : ct_bslz4_unpack(blob->data, blob->bytes, element_bytes, pixels);
  else
    rc = is_bare(blob) ? ct_lz4_unpack_bare(blob->data, blob->bytes, pixels, frame->bytes)
                       : ct_lz4_unpack(blob->data, blob->bytes, pixels);
  if (rc == 0)
    frame->pixels = pixels;
  else
    wire_reject(message, CT_REJECT_COMPRESSED, "the packed pixels of frame %llu are damaged",
                (unsigned long long)frame->number);
  return rc == 0;
}
