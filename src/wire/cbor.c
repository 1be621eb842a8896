#include "wire/cbor.h"

#include <cbor.h>
#include <string.h>

#include <comptop/wire.h>

/* ---- what libcbor calls with what it found ---------------------------------------------------------- */
static void on_whole8(void *item, uint8_t n) { *(struct cbor_item *)item = (struct cbor_item){ .kind = CBOR_WHOLE, .whole = n }; }
static void on_whole16(void *item, uint16_t n) { *(struct cbor_item *)item = (struct cbor_item){ .kind = CBOR_WHOLE, .whole = n }; }
static void on_whole32(void *item, uint32_t n) { *(struct cbor_item *)item = (struct cbor_item){ .kind = CBOR_WHOLE, .whole = n }; }
static void on_whole64(void *item, uint64_t n) { *(struct cbor_item *)item = (struct cbor_item){ .kind = CBOR_WHOLE, .whole = n }; }
static void on_minus8(void *item, uint8_t n) { *(struct cbor_item *)item = (struct cbor_item){ .kind = CBOR_NEGATIVE, .whole = n }; }
static void on_minus16(void *item, uint16_t n) { *(struct cbor_item *)item = (struct cbor_item){ .kind = CBOR_NEGATIVE, .whole = n }; }
static void on_minus32(void *item, uint32_t n) { *(struct cbor_item *)item = (struct cbor_item){ .kind = CBOR_NEGATIVE, .whole = n }; }
static void on_minus64(void *item, uint64_t n) { *(struct cbor_item *)item = (struct cbor_item){ .kind = CBOR_NEGATIVE, .whole = n }; }
static void on_float(void *item, float x) { *(struct cbor_item *)item = (struct cbor_item){ .kind = CBOR_REAL, .real = (double)x }; }
static void on_double(void *item, double x) { *(struct cbor_item *)item = (struct cbor_item){ .kind = CBOR_REAL, .real = x }; }
static void on_simple(void *item) { *(struct cbor_item *)item = (struct cbor_item){ .kind = CBOR_SIMPLE }; }
static void on_truth(void *item, bool truth) { *(struct cbor_item *)item = (struct cbor_item){ .kind = CBOR_SIMPLE, .whole = truth }; }
static void on_break(void *item) { *(struct cbor_item *)item = (struct cbor_item){ .kind = CBOR_BREAK }; }
static void on_label(void *item, uint64_t n) { *(struct cbor_item *)item = (struct cbor_item){ .kind = CBOR_LABEL, .whole = n }; }
static void on_list(void *item, size_t n) { *(struct cbor_item *)item = (struct cbor_item){ .kind = CBOR_LIST, .n = n }; }
static void on_map(void *item, size_t n) { *(struct cbor_item *)item = (struct cbor_item){ .kind = CBOR_MAP, .n = n }; }

static void on_bytes(void *item, cbor_data bytes, size_t n)
{
  *(struct cbor_item *)item = (struct cbor_item){ .kind = CBOR_BYTES, .bytes = bytes, .n = n };
}

static void on_text(void *item, cbor_data bytes, size_t n)
{
  *(struct cbor_item *)item = (struct cbor_item){ .kind = CBOR_TEXT, .bytes = bytes, .n = n };
}

static void open_item(struct cbor_item *item, enum cbor_kind kind)
{
  *item = (struct cbor_item){ .kind = kind, .open = true, .n = SIZE_MAX };
}

static void on_open_bytes(void *item) { open_item(item, CBOR_BYTES); }
static void on_open_text(void *item) { open_item(item, CBOR_TEXT); }
static void on_open_list(void *item) { open_item(item, CBOR_LIST); }
static void on_open_map(void *item) { open_item(item, CBOR_MAP); }

/* The next item, of a list, map or label only its head. */
static bool next_item(struct cbor *cbor, struct cbor_item *item)
{
  static const struct cbor_callbacks callbacks = {
    .uint8 = on_whole8, .uint16 = on_whole16, .uint32 = on_whole32, .uint64 = on_whole64,
    .negint8 = on_minus8, .negint16 = on_minus16, .negint32 = on_minus32, .negint64 = on_minus64,
    .byte_string_start = on_open_bytes, .byte_string = on_bytes, .string = on_text, .string_start = on_open_text,
    .indef_array_start = on_open_list, .array_start = on_list, .indef_map_start = on_open_map, .map_start = on_map,
    .tag = on_label, .float2 = on_float, .float4 = on_float, .float8 = on_double,
    .undefined = on_simple, .null = on_simple, .boolean = on_truth, .indef_break = on_break,
  };
  item->kind = CBOR_NOTHING;
  struct cbor_decoder_result result = cbor_stream_decode(cbor->at, (size_t)(cbor->end - cbor->at), &callbacks, item);
  if (result.status != CBOR_DECODER_FINISHED || item->kind == CBOR_NOTHING)
    return false;
  cbor->at += result.read;
  return true;
}

/* Passes <n> items, or with SIZE_MAX those up to a break. */
static bool pass_items(struct cbor *cbor, size_t n, unsigned depth);

static bool pass_contents(struct cbor *cbor, const struct cbor_item *item, unsigned depth)
{
  if (depth == 0)
    return false;
  if (item->kind == CBOR_LABEL)
    return pass_items(cbor, 1, depth - 1);
  if (item->kind == CBOR_LIST || item->open)
    return pass_items(cbor, item->n, depth - 1);
  if (item->kind == CBOR_MAP)
    return item->n <= SIZE_MAX / 4 && pass_items(cbor, 2 * item->n, depth - 1);
  return true;
}

static bool pass_items(struct cbor *cbor, size_t n, unsigned depth)
{
  struct cbor_item item;
  for (size_t i = 0; i < n; i++) {
    if (!next_item(cbor, &item))
      return false;
    if (item.kind == CBOR_BREAK)
      return n == SIZE_MAX;
    if (!pass_contents(cbor, &item, depth))
      return false;
  }
  return true;
}

bool cbor_read(struct cbor *cbor, struct cbor_value *value)
{
  if (!next_item(cbor, &value->item))
    return false;
  value->inside = *cbor;
  return pass_contents(cbor, &value->item, CT_WIRE_DEPTH);
}

bool cbor_item_at(const struct cbor_value *list, size_t i, struct cbor_value *found)
{
  struct cbor cbor = list->inside;
  const enum cbor_kind kind = list->item.kind;
  if (kind != CBOR_LIST && kind != CBOR_LABEL)
    return false;
  if (i >= (kind == CBOR_LABEL ? 1 : list->item.n))
    return false;
  for (size_t k = 0; k <= i; k++)
    if (!cbor_read(&cbor, found) || found->item.kind == CBOR_BREAK)
      return false;
  return true;
}

bool cbor_find(const struct cbor_value *map, const char *key, struct cbor_value *found)
{
  struct cbor cbor = map->inside;
  struct cbor_value name;
  for (size_t i = 0; map->item.kind == CBOR_MAP && i < map->item.n; i++) {
    if (!cbor_read(&cbor, &name) || name.item.kind == CBOR_BREAK || !cbor_read(&cbor, found))
      return false;
    if (key == NULL || cbor_is(&name.item, key))
      return true;
  }
  return false;
}

bool cbor_is(const struct cbor_item *item, const char *text)
{
  const size_t n = strlen(text);
  return item->kind == CBOR_TEXT && !item->open && item->n == n && memcmp(item->bytes, text, n) == 0;
}

bool cbor_real(const struct cbor_item *item, double *real)
{
  switch (item->kind) {
  case CBOR_WHOLE: *real = (double)item->whole; return true;
  case CBOR_NEGATIVE: *real = -1 - (double)item->whole; return true;
  case CBOR_REAL: *real = item->real; return true;
  default: return false;
  }
}
