/* The strict reader: one pass, no memory, UTF-8 checked. */
#include "wire/header.h"

#include <string.h>

#include <comptop/wire.h>

void field_names_init(struct field_name names[FIELD_COUNT], const char *const attributes[FIELD_COUNT - FIELD_ANGLE])
{
  static const char *const top[FIELD_ANGLE] = { "htype", "shape", "type", "endianness", "endianess", "frame", "encoding",
                                                "timeStamp", "frame_num", "dtype", "dataset", "compression" };
  for (int i = 0; i < FIELD_COUNT; i++) {
    const char *text = i < FIELD_ANGLE ? top[i] : attributes[i - FIELD_ANGLE];
    names[i].bytes = strlen(text);
    memcpy(names[i].text, text, names[i].bytes + 1);
  }
}

void scan_space(struct scan *scan)
{
  while (scan->at < scan->end && (*scan->at == ' ' || *scan->at == '\t' || *scan->at == '\n' || *scan->at == '\r'))
    scan->at++;
}

static bool accept(struct scan *scan, char wanted)
{
  if (scan->at == scan->end || *scan->at != wanted)
    return false;
  scan->at++;
  return true;
}

/* ---- keys ------------------------------------------------------------------------------------ */
static bool key_is(const struct value *key, const char *text, size_t bytes)
{
  if (key->bytes == bytes && memcmp(key->at, text, bytes) == 0)
    return true;
  return key->bytes > bytes && memchr(key->at, '\\', key->bytes) != NULL && value_is_text(key, text);
}

void scan_keep(struct scan *scan, enum place place, const struct value *key, const struct value *value)
{
  if (place == PLACE_ELSEWHERE)
    return;
  bool null = value->kind == VALUE_OTHER && value->bytes == 4 && memcmp(value->at, "null", 4) == 0;
  int first = place == PLACE_TOP ? 0 : FIELD_ANGLE, end = place == PLACE_TOP ? FIELD_ANGLE : FIELD_COUNT;
  for (int i = first; i < end; i++)
    if (key_is(key, scan->header->names[i].text, scan->header->names[i].bytes))
      scan->header->values[i] = null ? (struct value){ .kind = VALUE_ABSENT } : *value;
}

enum place scan_place(struct scan *scan, enum place place, const struct value *key)
{
  if (place != PLACE_TOP || !key_is(key, "ndattr", 6))
    return PLACE_ELSEWHERE;
  memset(&scan->header->values[FIELD_ANGLE], 0, (FIELD_COUNT - FIELD_ANGLE) * sizeof *scan->header->values);
  return PLACE_ATTRIBUTES;
}

/* ---- strings --------------------------------------------------------------------------------- */
/* The four hexadecimal digits after \u. */
static bool scan_hex4(struct scan *scan, unsigned *unit)
{
  *unit = 0;
  for (int i = 0; i < 4; i++, scan->at++) {
    if (scan->at == scan->end)
      return false;
    char c = *scan->at;
    unsigned digit;
    if (c >= '0' && c <= '9')
      digit = (unsigned)(c - '0');
    else if (c >= 'a' && c <= 'f')
      digit = (unsigned)(c - 'a') + 10;
    else if (c >= 'A' && c <= 'F')
      digit = (unsigned)(c - 'A') + 10;
    else
      return false;
    *unit = *unit << 4 | digit;
  }
  return true;
}

/* After the backslash. */
static bool scan_escape(struct scan *scan)
{
  if (scan->at == scan->end)
    return false;
  char c = *scan->at++;
  if (c != 'u')
    return c != '\0' && strchr("\"\\/bfnrt", c) != NULL;
  unsigned unit, low;
  if (!scan_hex4(scan, &unit) || (unit >= 0xDC00 && unit <= 0xDFFF))
    return false;
  if (unit < 0xD800 || unit > 0xDBFF)
    return true;
  return accept(scan, '\\') && accept(scan, 'u') && scan_hex4(scan, &low) && low >= 0xDC00 && low <= 0xDFFF;
}

/* One character of several bytes (RFC 3629: no overlong forms, no surrogates, nothing above U+10FFFF). */
static bool scan_utf8(struct scan *scan)
{
  unsigned lead = (unsigned char)*scan->at++;
  unsigned lowest = 0x80, highest = 0xBF;
  int more;
  if (lead >= 0xC2 && lead <= 0xDF) {
    more = 1;
  } else if (lead >= 0xE0 && lead <= 0xEF) {
    more = 2;
    lowest = lead == 0xE0 ? 0xA0 : lowest;
    highest = lead == 0xED ? 0x9F : highest;
  } else if (lead >= 0xF0 && lead <= 0xF4) {
    more = 3;
    lowest = lead == 0xF0 ? 0x90 : lowest;
    highest = lead == 0xF4 ? 0x8F : highest;
  } else {
    return false;
  }
  for (; more > 0; more--, lowest = 0x80, highest = 0xBF) {
    if (scan->at == scan->end || (unsigned char)*scan->at < lowest || (unsigned char)*scan->at > highest)
      return false;
    scan->at++;
  }
  return true;
}

/* After the opening quote. */
static bool scan_string(struct scan *scan, struct value *value)
{
  *value = (struct value){ .kind = VALUE_STRING, .at = scan->at };
  while (scan->at < scan->end) {
    unsigned char c = (unsigned char)*scan->at;
    if (c == '"') {
      value->bytes = (size_t)(scan->at++ - value->at);
      return true;
    }
    if (c < 0x20)
      return false;
    if (c >= 0x80) {
      if (!scan_utf8(scan))
        return false;
      continue;
    }
    scan->at++;
    if (c == '\\' && !scan_escape(scan))
      return false;
  }
  return false;
}

/* ---- the rest -------------------------------------------------------------------------------- */
static bool scan_digits(struct scan *scan)
{
  const char *begin = scan->at;
  while (scan->at < scan->end && *scan->at >= '0' && *scan->at <= '9')
    scan->at++;
  return scan->at > begin;
}

static bool scan_number(struct scan *scan, struct value *value)
{
  *value = (struct value){ .kind = VALUE_NUMBER, .at = scan->at };
  accept(scan, '-');
  if (!accept(scan, '0') && !scan_digits(scan))
    return false;
  if (accept(scan, '.') && !scan_digits(scan))
    return false;
  if (accept(scan, 'e') || accept(scan, 'E')) {
    if (!accept(scan, '+'))
      accept(scan, '-');
    if (!scan_digits(scan))
      return false;
  }
  value->bytes = (size_t)(scan->at - value->at);
  return true;
}

static bool scan_word(struct scan *scan, const char *word, struct value *value)
{
  size_t bytes = strlen(word);
  if ((size_t)(scan->end - scan->at) < bytes || memcmp(scan->at, word, bytes) != 0)
    return false;
  *value = (struct value){ .kind = VALUE_OTHER, .at = scan->at, .bytes = bytes };
  scan->at += bytes;
  return true;
}

/* After the '['. */
static bool scan_array(struct scan *scan, unsigned depth, struct value *value)
{
  *value = (struct value){ .kind = VALUE_ARRAY, .at = scan->at - 1 };
  scan_space(scan);
  if (!accept(scan, ']')) {
    do {
      struct value member;
      scan_space(scan);
      if (!scan_value(scan, depth + 1, PLACE_ELSEWHERE, &member))
        return false;
      scan_space(scan);
    } while (accept(scan, ','));
    if (!accept(scan, ']'))
      return false;
  }
  value->bytes = (size_t)(scan->at - value->at);
  return true;
}

/* After the '{'; <place> is where its members are. */
static bool scan_object(struct scan *scan, unsigned depth, enum place place, struct value *value)
{
  *value = (struct value){ .kind = VALUE_OTHER, .at = scan->at - 1 };
  scan_space(scan);
  if (!accept(scan, '}')) {
    do {
      struct value key, member;
      scan_space(scan);
      if (!accept(scan, '"') || !scan_string(scan, &key))
        return false;
      scan_space(scan);
      if (!accept(scan, ':'))
        return false;
      scan_space(scan);
      if (!scan_value(scan, depth + 1, scan_place(scan, place, &key), &member))
        return false;
      scan_keep(scan, place, &key, &member);
      scan_space(scan);
    } while (accept(scan, ','));
    if (!accept(scan, '}'))
      return false;
  }
  value->bytes = (size_t)(scan->at - value->at);
  return true;
}

bool scan_value(struct scan *scan, unsigned depth, enum place place, struct value *value)
{
  if (scan->at == scan->end)
    return false;
  char c = *scan->at;
  if ((c == '{' || c == '[') && depth > CT_WIRE_DEPTH) {
    scan->deep = true;
    return false;
  }
  switch (c) {
  case '{': scan->at++; return scan_object(scan, depth, place, value);
  case '[': scan->at++; return scan_array(scan, depth, value);
  case '"': scan->at++; return scan_string(scan, value);
  case 't': return scan_word(scan, "true", value);
  case 'f': return scan_word(scan, "false", value);
  case 'n': return scan_word(scan, "null", value);
  default: return scan_number(scan, value);
  }
}

/* Leaves out a byte order mark in front and the end mark of a C string behind: true where there was one. */
static bool unwrap(struct scan *scan)
{
  const char *begin = scan->at, *end = scan->end;
  while (scan->end > scan->at && scan->end[-1] == '\0')
    scan->end--;
  if (scan->end - scan->at >= 3 && memcmp(scan->at, "\xEF\xBB\xBF", 3) == 0)
    scan->at += 3;
  return scan->at != begin || scan->end != end;
}

enum header_result header_read(struct header *header, const char *text, size_t bytes)
{
  struct scan scan = { .at = text, .end = text + bytes, .header = header };
  struct value whole;
  bool wrapped = unwrap(&scan);
  memset(header->values, 0, sizeof header->values);
  scan_space(&scan);
  if (scan.at == scan.end || *scan.at != '{')
    return HEADER_BAD;
  const char *members = scan.at + 1;
  if (scan_value(&scan, 1, PLACE_TOP, &whole)) {
    scan_space(&scan);
    if (scan.at == scan.end)
      return wrapped ? HEADER_LOOSE : HEADER_STRICT;
  }
  if (scan.deep)
    return HEADER_DEEP;
  memset(header->values, 0, sizeof header->values);
  scan.at = members;
  scan_loose_members(&scan, 1, PLACE_TOP);
  return scan.deep ? HEADER_DEEP : HEADER_LOOSE;
}
