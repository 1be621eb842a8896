/* Reads the JSON header of a frame message without allocating: jansson would, twice for every key, and could not read
 * the headers areaDetector's publisher writes, which are not quite JSON. Internal to the room. */
#ifndef COMPTOP_SRC_WIRE_HEADER_H
#define COMPTOP_SRC_WIRE_HEADER_H

#include <locale.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The keys that are looked for: at top level, and (from FIELD_ANGLE on, under configured names) in "ndattr". */
enum field {
  FIELD_HTYPE, FIELD_SHAPE, FIELD_TYPE, FIELD_ENDIANNESS, FIELD_ENDIANESS, FIELD_FRAME, FIELD_ENCODING, FIELD_TIME,
  FIELD_FRAME_NUM, FIELD_DTYPE, FIELD_DATASET, FIELD_COMPRESSION,
  FIELD_ANGLE, FIELD_Z, FIELD_MODE, FIELD_TRIGGER, FIELD_IMAGE_KEY,
  FIELD_COUNT,
  FIELD_NONE = FIELD_COUNT
};

enum value_kind { VALUE_ABSENT, VALUE_STRING, VALUE_NUMBER, VALUE_ARRAY, VALUE_OTHER };
/* A stretch of the header: strings without their quotes, escapes as they stand; arrays with their brackets. */
struct value {
  enum value_kind kind;
  bool raw;              /* a string in which a backslash is just a backslash */
  const char *at;
  size_t bytes;
};

struct field_name {
  char text[64];
  size_t bytes;
};
/* The names of all fields; those of the attributes are the caller's. */
void field_names_init(struct field_name names[FIELD_COUNT], const char *const attributes[FIELD_COUNT - FIELD_ANGLE]);

struct header {
  const struct field_name *names;
  struct value values[FIELD_COUNT];
};

enum header_result { HEADER_STRICT, HEADER_LOOSE, HEADER_BAD, HEADER_DEEP };
/* Fills header->values (of a key that comes twice, the last). LOOSE: not JSON, but an object of which something could
 * be read; BAD: not an object at all; DEEP: nested deeper than CT_WIRE_DEPTH. */
enum header_result header_read(struct header *header, const char *text, size_t bytes);

/* ---- shared by the two readers (json.c, loose.c) ---- */
enum place { PLACE_TOP, PLACE_ATTRIBUTES, PLACE_ELSEWHERE };
struct scan {
  const char *at, *end;
  struct header *header;
  bool deep;
};
void scan_space(struct scan *scan);
/* One strict JSON value; false where it is none (scan->at is then anywhere). */
bool scan_value(struct scan *scan, unsigned depth, enum place place, struct value *value);
/* <key>'s value at <place>: keeps it when it is one of the fields. */
void scan_keep(struct scan *scan, enum place place, const struct value *key, const struct value *value);
/* Where the members of the value of <key> are: also forgets the attributes of an earlier "ndattr". */
enum place scan_place(struct scan *scan, enum place place, const struct value *key);
/* The members of an object after its '{', strict only as far as they are: always comes to an end. */
void scan_loose_members(struct scan *scan, unsigned depth, enum place place);

/* ---- what a value says (value.c) ---- */
bool value_is_text(const struct value *value, const char *text);              /* a string that equals <text> */
/* Copies a string's text, NUL-terminated; false when it is none or has no room. */
bool value_text(const struct value *value, char *text, size_t size);
/* The first <max> members of an array of numbers or strings without escapes; their number, or -1 when it is none. */
int value_members(const struct value *value, struct value *members, int max);
/* A number, or a string that holds one. */
bool value_double(const struct value *value, locale_t c_locale, double *number);
/* An integer, also written 12.0 or "12"; *negative with its magnitude. */
bool value_integer(const struct value *value, locale_t c_locale, bool *negative, uint64_t *magnitude);

/* A reason of CT_WIRE_REASON bytes, fit to be shown anywhere: whatever is not printable ASCII becomes '?'. */
void reason_set(char *reason, const char *fmt, va_list args);

#endif
