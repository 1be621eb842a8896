/* The reader for headers that are not quite JSON.
 *
 * areaDetector's NDPluginZMQ writes attributes through a C++ stream: strings unescaped (quotes and backslashes as they
 * are), int8 and uint8 as one raw character (which may be a control character, a quote, a brace, a NUL), not-a-number
 * as nan, and for an undefined attribute nothing but its comma. So what ends a value here is not its own grammar but
 * what follows: the next member's name, or the end of the object. */
#include "wire/header.h"

#include <string.h>

#include <comptop/wire.h>

enum { NAME_REACH = 256 };   /* longest attribute name looked for: keeps bad headers from costing their length squared */

/* Where "name": ends that begins at <at>; NULL when there is none. *key is the name. */
static const char *name_end(const struct scan *scan, const char *at, struct value *key)
{
  if (at >= scan->end || *at != '"')
    return NULL;
  at++;
  size_t reach = (size_t)(scan->end - at) < NAME_REACH ? (size_t)(scan->end - at) : NAME_REACH;
  const char *quote = memchr(at, '"', reach);
  if (quote == NULL)
    return NULL;
  *key = (struct value){ .kind = VALUE_STRING, .raw = true, .at = at, .bytes = (size_t)(quote - at) };
  struct scan rest = { .at = quote + 1, .end = scan->end };
  scan_space(&rest);
  return rest.at < rest.end && *rest.at == ':' ? rest.at + 1 : NULL;
}

static void skip_commas(struct scan *scan)
{
  for (scan_space(scan); scan->at < scan->end && *scan->at == ','; scan_space(scan))
    scan->at++;
}

/* Does a value end before <at>: does the next member follow, or the end of the object or of the header? */
static bool member_ends(const struct scan *scan, const char *at)
{
  struct scan rest = { .at = at, .end = scan->end };
  struct value key;
  scan_space(&rest);
  if (rest.at == rest.end)
    return true;
  if (*rest.at == ',') {
    skip_commas(&rest);
    return rest.at == rest.end || *rest.at == '}' || name_end(&rest, rest.at, &key) != NULL;
  }
  if (*rest.at != '}')
    return false;
  rest.at++;
  scan_space(&rest);
  return rest.at == rest.end || *rest.at == ',' || *rest.at == '}';
}

/* One character that is no digit and is all there is. "{}" is an object. */
static bool is_raw_character(const struct scan *scan)
{
  if (scan->end - scan->at < 2 || (*scan->at >= '0' && *scan->at <= '9'))
    return false;
  if (scan->at[0] == '{' && scan->at[1] == '}')
    return false;
  return member_ends(scan, scan->at + 1);
}

static bool strict_value(struct scan *scan, unsigned depth, struct value *value)
{
  const char *begin = scan->at;
  if (scan_value(scan, depth, PLACE_ELSEWHERE, value) && member_ends(scan, scan->at))
    return true;
  scan->at = begin;
  return false;
}

/* Everything up to the end of the member; of a string, without its quotes. */
static void loose_value(struct scan *scan, struct value *value)
{
  bool string = *scan->at == '"';
  const char *begin = string ? ++scan->at : scan->at;
  *value = (struct value){ .kind = string ? VALUE_STRING : VALUE_OTHER, .raw = true, .at = begin };
  if (string) {
    for (; scan->at < scan->end; scan->at++)
      if (*scan->at == '"' && member_ends(scan, scan->at + 1))
        break;
  } else {
    while (scan->at < scan->end && !member_ends(scan, scan->at))
      scan->at++;
  }
  value->bytes = (size_t)(scan->at - begin);
  if (string && scan->at < scan->end)
    scan->at++;
}

/* The value of <key>, a member of an object at <place>. */
static void member_value(struct scan *scan, unsigned depth, enum place place, const struct value *key,
                         struct value *value)
{
  *value = (struct value){ .kind = VALUE_OTHER, .at = scan->at };
  enum place inside = scan_place(scan, place, key);
  for (int with_space = 0; with_space < 2; with_space++) {
    if (place == PLACE_ATTRIBUTES && is_raw_character(scan)) {
      scan->at++;
      return;
    }
    scan_space(scan);
  }
  if (member_ends(scan, scan->at))
    return;
  if (*scan->at == '{') {
    scan->at++;
    if (depth >= CT_WIRE_DEPTH)
      scan->deep = true;
    else
      scan_loose_members(scan, depth + 1, inside);
    return;
  }
  if (!strict_value(scan, depth + 1, value))
    loose_value(scan, value);
}

void scan_loose_members(struct scan *scan, unsigned depth, enum place place)
{
  while (!scan->deep) {
    struct value key, value;
    skip_commas(scan);
    if (scan->at == scan->end)
      return;
    const char *after = name_end(scan, scan->at, &key);
    if (after == NULL) {
      if (*scan->at++ == '}')
        return;
      continue;
    }
    scan->at = after;
    member_value(scan, depth, place, &key, &value);
    scan_keep(scan, place, &key, &value);
  }
}
