/* The configuration file, through libinih.
 *
 * libinih splits "key = value ; comment"; lines reach it through a reader of ours, because by itself it takes an
 * indented key for a continuation, cuts lines at 200 bytes, tells its handler no line number and passes over empty
 * sections. The switches for all this are variables of the library; they are set before each use. */
#include "core/settings_store.h"

#include <ini.h>
#include <stdlib.h>
#include <string.h>

#include "core/file.h"

enum { LINE_MAX_BYTES = 8192, FILE_MAX_BYTES = 1024 * 1024 };

struct reader {
  struct ct_settings *settings;
  const char *name;
  const char *at, *end;      /* what is left of the text */
  size_t line;               /* of the line last given to libinih */
  char kind[64];             /* of the section we are in; "" before the first */
  size_t section;
  int code;                  /* the first error, with its reason in err */
  struct ct_err *err;
};

static bool is_blank(char c) { return c == ' ' || c == '\t' || c == '\r' || c == '\n' || c == '\v' || c == '\f'; }

static char *trim(char *text)
{
  while (is_blank(*text))
    text++;
  size_t len = strlen(text);
  while (len > 0 && is_blank(text[len - 1]))
    len--;
  text[len] = '\0';
  return text;
}

static const char *origin(const struct reader *reader, char text[300])
{
  snprintf(text, 300, "%.270s:%zu", reader->name, reader->line);
  return text;
}

/* "[kind]" or "[kind name]". */
static int enter_section(struct reader *reader, const char *line)
{
  char heading[256], place[300];
  const char *close = strchr(line, ']');
  if (close == NULL)
    return ct_err_set(reader->err, CT_ECONFIG, "']' is missing at the end of '%.60s'", line);
  const char *after = close + 1;
  while (is_blank(*after))
    after++;
  if (*after != '\0' && *after != ';' && *after != '#')
    return ct_err_set(reader->err, CT_ECONFIG, "'%.60s' behind a section heading", after);
  size_t len = (size_t)(close - line) - 1;
  if (len >= sizeof heading)
    return ct_err_set(reader->err, CT_ECONFIG, "unknown section '%.60s...'", line + 1);
  memcpy(heading, line + 1, len);
  heading[len] = '\0';
  char *kind = trim(heading), *name = NULL;
  size_t kind_len = strcspn(kind, " \t");
  if (kind[kind_len] != '\0') {
    kind[kind_len] = '\0';
    name = trim(kind + kind_len + 1);
  }
  int code = ct_store_section(reader->settings, kind, name, origin(reader, place), &reader->section, reader->err);
  if (code == 0)
    snprintf(reader->kind, sizeof reader->kind, "%s", kind);
  return code;
}

/* fgets as libinih wants it: one whole line, without its indent. NULL at the end, and at an error. */
static char *next_line(char *line, int size, void *user)
{
  struct reader *reader = user;
  if (reader->code || reader->at == reader->end)
    return NULL;
  reader->line++;
  const char *start = reader->at;
  const char *stop = memchr(start, '\n', (size_t)(reader->end - start));
  reader->at = stop ? stop + 1 : reader->end;
  const char *end = stop ? stop : reader->end;
  while (start < end && is_blank(*start))
    start++;
  size_t len = (size_t)(end - start);
  if (memchr(start, '\0', len) != NULL) {
    reader->code = ct_err_set(reader->err, CT_ECONFIG, "a NUL byte; this is not a text file");
    return NULL;
  }
  if (len > LINE_MAX_BYTES || len + 2 > (size_t)size) {
    reader->code = ct_err_set(reader->err, CT_ECONFIG, "a line of more than %d bytes", LINE_MAX_BYTES);
    return NULL;
  }
  memcpy(line, start, len);
  line[len] = '\0';
  if (*line == '[')
    reader->code = enter_section(reader, line);
  line[len] = '\n';
  line[len + 1] = '\0';
  return reader->code ? NULL : line;
}

/* 1: go on; 0: an error. libinih's own idea of the section is cut at 49 bytes: ours is used. */
static int take(void *user, const char *section, const char *key, const char *text)
{
  (void)section;
  struct reader *reader = user;
  if (reader->kind[0] == '\0') {
    reader->code = ct_err_set(reader->err, CT_ECONFIG, "key '%.60s' stands before the first [section]", key);
    return 0;
  }
  const struct ct_option *row;
  reader->code = ct_store_find(reader->settings, reader->kind, key, &row, reader->err);
  if (reader->code)
    return 0;
  char place[300];
  reader->code = ct_store_set(reader->settings, reader->section, row, text, origin(reader, place), reader->err);
  if (reader->code)
    ct_err_prefix(reader->err, reader->code, "%s.%s = %.100s: ", reader->kind, key, text);
  return reader->code == 0;
}

int ct_store_read_text(struct ct_settings *settings, const char *name, const char *text, size_t len_bytes,
                       struct ct_err *err)
{
  struct ct_err reason = { "" };
  struct reader reader = { .settings = settings, .name = name, .at = text, .end = text + len_bytes, .err = &reason };
  if (len_bytes >= 3 && memcmp(text, "\xef\xbb\xbf", 3) == 0)
    reader.at += 3;
  ini_use_stack = false;
  ini_allow_realloc = false;
  ini_initial_alloc = ini_max_line = LINE_MAX_BYTES + 8;
  ini_allow_multiline = false;
  ini_allow_bom = false;
  ini_allow_no_value = false;
  ini_allow_inline_comments = true;
  static char comments[] = ";#";
  ini_start_comment_prefixes = ini_inline_comment_prefixes = comments;
  ini_stop_on_first_error = true;
  int result = ini_parse_stream(next_line, &reader, take, &reader);
  if (result == -2)
    return ct_err_set(err, CT_ENOMEM, "%s: no memory to read it", name);
  if (reader.code == 0 && result != 0)
    reader.code = ct_err_set(&reason, CT_ECONFIG, "neither 'key = value' nor a [section]");
  if (reader.code == 0)
    return 0;
  if (err != NULL)
    *err = reason;
  return ct_err_prefix(err, reader.code, "%.200s:%zu: ", name, reader.line);
}

static int read_path(struct ct_settings *settings, const char *path, bool must_exist, struct ct_err *err)
{
  char *text;
  size_t len_bytes;
  int code = ct_file_read(path, FILE_MAX_BYTES, &text, &len_bytes, err);
  if (code == CT_ENOTFOUND && !must_exist)
    return code;
  if (code)
    return ct_err_prefix(err, CT_ECONFIG, "configuration file ");
  code = ct_store_read_text(settings, path, text, len_bytes, err);
  settings->file_text = text;
  settings->file = ct_store_copy(path);
  return code;
}

/* The XDG Base Directory Specification: a relative path in the variable is to be ignored. */
bool ct_store_usual_file(char *path, size_t size)
{
  const char *base = getenv("XDG_CONFIG_HOME"), *home = getenv("HOME");
  int len = 0;
  if (base != NULL && *base == '/')
    len = snprintf(path, size, "%s/comptop/comptop.conf", base);
  else if (home != NULL && *home != '\0')
    len = snprintf(path, size, "%s/.config/comptop/comptop.conf", home);
  return len > 0 && (size_t)len < size;
}

int ct_store_read_file(struct ct_settings *settings, const char *path, struct ct_err *err)
{
  const char *variable = getenv("COMPTOP_CONFIG");
  if (path == NULL && variable != NULL && *variable != '\0')
    path = variable;
  if (path != NULL)
    return read_path(settings, path, true, err);
  char usual[4096];
  if (ct_store_usual_file(usual, sizeof usual)) {
    int code = read_path(settings, usual, false, err);
    if (code != CT_ENOTFOUND)
      return code;
  }
  int code = read_path(settings, SYSCONFDIR "/comptop/comptop.conf", false, err);
  return code == CT_ENOTFOUND ? 0 : code;
}
