/* Edits the text of a configuration file: one value, and nothing else of what somebody wrote there. Lines mean what they mean
 * to settings_file.c. */
#include "core/settings_store.h"

#include <stdlib.h>
#include <string.h>

/* Where in the text a thing was found. */
struct place {
  const char *line, *value, *value_end;   /* of the key's line; NULL: no line sets it */
  const char *behind;                     /* the end of the last line of its section that says something; NULL: no section */
  size_t indent;                          /* of that line */
};

static const char *line_end(const char *line)
{
  const char *end = strchr(line, '\n');
  return end ? end : line + strlen(line);
}

static const char *skip_blanks(const char *at) { return at + strspn(at, " \t\r\v\f"); }

/* Whether "[kind name]" at <heading> is the one that is meant. */
static bool is_heading(const char *heading, const char *kind, const char *name)
{
  const char *at = skip_blanks(heading + 1);
  size_t len = strlen(kind);
  if (strncmp(at, kind, len) != 0)
    return false;
  at = skip_blanks(at + len);
  len = strlen(name);
  return strncmp(at, name, len) == 0 && *skip_blanks(at + len) == ']';
}

/* The value on "key = value ; comment": libinih's comment begins with a blank and ';' or '#'. */
static bool find_value(const char *line, const char *key, struct place *place)
{
  const char *at = skip_blanks(line), *end = line_end(line);
  size_t len = strlen(key);
  if (strncmp(at, key, len) != 0)
    return false;
  at = skip_blanks(at + len);
  if (*at != '=' && *at != ':')
    return false;
  while (end > at + 1 && strchr(" \t\r\v\f", end[-1]) != NULL)
    end--;
  place->line = line;
  place->value = skip_blanks(at + 1);
  if (place->value > end)
    place->value = end;
  const char *stop = place->value;
  while (stop < end && !((*stop == ';' || *stop == '#') && strchr(" \t", stop[-1]) != NULL))
    stop++;
  while (stop > place->value && strchr(" \t\r\v\f", stop[-1]) != NULL)
    stop--;
  place->value_end = stop;
  return true;
}

static void find(const char *text, const char *kind, const char *name, const char *key, struct place *place)
{
  bool inside = false;
  if (strncmp(text, "\xef\xbb\xbf", 3) == 0)
    text += 3;
  for (const char *line = text; *line != '\0';) {
    const char *first = skip_blanks(line), *end = line_end(line);
    if (*first == '[')
      inside = is_heading(first, kind, name);
    if (inside && first < end && *first != ';' && *first != '#') {
      place->behind = end;
      if (*first != '[')
        place->indent = (size_t)(first - line);
      find_value(line, key, place);       /* the last one counts */
    }
    line = *end == '\n' ? end + 1 : end;
  }
}

/* <text> with the bytes from <from> to <to> replaced by <pieces>, up to a NULL. */
static char *splice(const char *text, const char *from, const char *to, const char *const *pieces)
{
  size_t size = strlen(text) + 1;
  for (size_t i = 0; pieces[i] != NULL; i++)
    size += strlen(pieces[i]);
  char *out = ct_xcalloc(size, 1), *at = out + (from - text);
  memcpy(out, text, (size_t)(from - text));
  for (size_t i = 0; pieces[i] != NULL; i++)
    at = stpcpy(at, pieces[i]);
  strcpy(at, to);
  return out;
}

char *ct_config_edit(const char *text, const char *kind, const char *name, const char *key, const char *value,
                     const char *otherwise)
{
  struct place place = { NULL, NULL, NULL, NULL, 0 };
  const char *first_end = line_end(text), *end = text + strlen(text);
  const char *eol = first_end > text && *first_end == '\n' && first_end[-1] == '\r' ? "\r\n" : "\n";
  char indent[32] = "";
  find(text, kind, name, key, &place);
  if (place.line != NULL) {
    const char *blank = place.value[-1] == '=' || place.value[-1] == ':' ? " " : "";
    return splice(text, place.value, place.value_end, (const char *const[]){ blank, value ? value : otherwise, NULL });
  }
  if (value == NULL)
    return splice(text, end, end, (const char *const[]){ NULL });
  if (place.behind != NULL) {
    snprintf(indent, sizeof indent, "%*s", (int)(place.indent < sizeof indent ? place.indent : 0), "");
    const char *behind = place.behind;
    if (behind > text && behind[-1] == '\r')
      behind--;                           /* before the end of that line, so that the new one gets it */
    return splice(text, behind, behind, (const char *const[]){ eol, indent, key, " = ", value, NULL });
  }
  const char *gap = end == text ? "" : end[-1] == '\n' ? eol : eol[1] ? "\r\n\r\n" : "\n\n";
  return splice(text, end, end, (const char *const[]){ gap, "[", kind, *name ? " " : "", name, "]", eol, key, " = ", value, eol,
                                                       NULL });
}
