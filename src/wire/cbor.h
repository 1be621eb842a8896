/* Walks CBOR (RFC 8949) item by item over libcbor's streaming decoder, which neither allocates nor copies. Internal to the
 * room. */
#ifndef COMPTOP_SRC_WIRE_CBOR_H
#define COMPTOP_SRC_WIRE_CBOR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum cbor_kind {
  CBOR_NOTHING, CBOR_WHOLE, CBOR_NEGATIVE, CBOR_REAL, CBOR_BYTES, CBOR_TEXT, CBOR_LIST, CBOR_MAP, CBOR_LABEL, CBOR_SIMPLE,
  CBOR_BREAK
};
struct cbor_item {
  enum cbor_kind kind;
  bool open;                     /* bytes, text, list or map whose end is a break; its .n is then SIZE_MAX */
  uint64_t whole;                /* a whole number; a negative one is -1 - whole; a label (tag) */
  double real;
  const unsigned char *bytes;    /* of bytes and text: [n] */
  size_t n;                      /* of a list: items; of a map: pairs */
};
struct cbor {
  const unsigned char *at, *end;
};

/* An item with what belongs to it. */
struct cbor_value {
  struct cbor_item item;
  struct cbor inside;            /* where the contents of a list, map or label begin */
};

/* The next value, whole; false: cut off, not CBOR, or nested deeper than CT_WIRE_DEPTH. */
bool cbor_read(struct cbor *cbor, struct cbor_value *value);
/* The <i>-th item of a list, counted from 0; the value of a label is its item 0. Of values that cbor_read has read. */
bool cbor_item_at(const struct cbor_value *list, size_t i, struct cbor_value *found);
/* The value of <key> in a map; NULL: the first, whatever its key. */
bool cbor_find(const struct cbor_value *map, const char *key, struct cbor_value *found);
/* A text of a known length that says <text>. */
bool cbor_is(const struct cbor_item *item, const char *text);
/* Any number as a double; false when it is none. */
bool cbor_real(const struct cbor_item *item, double *real);

#endif
