/* What the values of a header say. */
#include "wire/header.h"

#include <comptop/wire.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static unsigned hex4(const char *at)
{
  unsigned unit = 0;
  for (int i = 0; i < 4; i++)
    unit = unit << 4 | (unsigned)((at[i] <= '9' ? at[i] - '0' : (at[i] | 32) - 'a' + 10) & 15);
  return unit;
}

static size_t put_utf8(unsigned point, char out[4])
{
  if (point < 0x80) {
    out[0] = (char)point;
    return 1;
  }
  if (point < 0x800) {
    out[0] = (char)(0xC0 | point >> 6);
    out[1] = (char)(0x80 | (point & 63));
    return 2;
  }
  if (point < 0x10000) {
    out[0] = (char)(0xE0 | point >> 12);
    out[1] = (char)(0x80 | (point >> 6 & 63));
    out[2] = (char)(0x80 | (point & 63));
    return 3;
  }
  out[0] = (char)(0xF0 | point >> 18);
  out[1] = (char)(0x80 | (point >> 12 & 63));
  out[2] = (char)(0x80 | (point >> 6 & 63));
  out[3] = (char)(0x80 | (point & 63));
  return 4;
}

/* The character at *at of a string the strict reader has passed, as UTF-8; moves *at beyond it. */
static size_t next_character(const char **at, char out[4])
{
  if (**at != '\\') {
    out[0] = *(*at)++;
    return 1;
  }
  char c = (*at)[1];
  *at += 2;
  if (c != 'u') {
    static const char from[] = "bfnrt", to[] = "\b\f\n\r\t";
    const char *found = strchr(from, c);
    out[0] = found != NULL ? to[found - from] : c;
    return 1;
  }
  unsigned point = hex4(*at);
  *at += 4;
  if (point >= 0xD800 && point <= 0xDBFF) {
    point = 0x10000 + ((point - 0xD800) << 10) + (hex4(*at + 2) - 0xDC00);
    *at += 6;
  }
  return put_utf8(point, out);
}

bool value_text(const struct value *value, char *text, size_t size)
{
  if (value->kind != VALUE_STRING)
    return false;
  size_t used = 0;
  for (const char *at = value->at, *end = value->at + value->bytes; at < end;) {
    char character[4];
    size_t bytes = 1;
    if (value->raw)
      character[0] = *at++;
    else
      bytes = next_character(&at, character);
    if (used + bytes >= size || character[0] == '\0')
      return false;
    memcpy(text + used, character, bytes);
    used += bytes;
  }
  text[used] = '\0';
  return true;
}

void reason_set(char *reason, const char *fmt, va_list args)
{
  vsnprintf(reason, CT_WIRE_REASON, fmt, args);
  for (; *reason != '\0'; reason++)
    if (*reason < ' ' || *reason > '~')
      *reason = '?';
}

bool value_is_text(const struct value *value, const char *text)
{
  char buffer[64];
  return value_text(value, buffer, sizeof buffer) && strcmp(buffer, text) == 0;
}

int value_members(const struct value *value, struct value *members, int max)
{
  if (value->kind != VALUE_ARRAY)
    return -1;
  struct scan scan = { .at = value->at + 1, .end = value->at + value->bytes - 1 };
  int n = 0;
  for (scan_space(&scan); scan.at < scan.end; n++) {
    if (n == max || *scan.at == '{' || *scan.at == '[')
      return -1;
    if (!scan_value(&scan, 1, PLACE_ELSEWHERE, &members[n]))
      return -1;
    scan_space(&scan);
    if (scan.at < scan.end)
      scan.at++;   /* the comma */
    scan_space(&scan);
  }
  return n;
}

bool value_double(const struct value *value, locale_t c_locale, double *number)
{
  char text[64];
  if ((value->kind != VALUE_NUMBER && value->kind != VALUE_STRING) || value->bytes == 0 || value->bytes >= sizeof text)
    return false;
  memcpy(text, value->at, value->bytes);
  text[value->bytes] = '\0';
  /* No hexadecimal, no words: strtod knows more than JSON. */
  if (strspn(text, "0123456789+-.eE") != value->bytes)
    return false;
  char *end;
  locale_t theirs = uselocale(c_locale);   /* a decimal comma would stop strtod */
  *number = strtod(text, &end);
  uselocale(theirs);
  return *end == '\0' && isfinite(*number);
}

bool value_integer(const struct value *value, locale_t c_locale, bool *negative, uint64_t *magnitude)
{
  if ((value->kind != VALUE_NUMBER && value->kind != VALUE_STRING) || value->bytes == 0)
    return false;
  const char *at = value->at, *end = value->at + value->bytes;
  *negative = *at == '-';
  if (*negative)
    at++;
  const char *digits = at;
  for (*magnitude = 0; at < end && *at >= '0' && *at <= '9'; at++) {
    unsigned digit = (unsigned)(*at - '0');
    if (*magnitude > (UINT64_MAX - digit) / 10)
      return false;
    *magnitude = *magnitude * 10 + digit;
  }
  if (at == end)
    return at > digits;
  double number;
  if (!value_double(value, c_locale, &number) || rint(number) != number || fabs(number) > 9007199254740992.0)
    return false;
  *negative = number < 0;
  *magnitude = (uint64_t)fabs(number);
  return true;
}
