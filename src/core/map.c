/* Text maps: calibration and dark files, one number a pixel. */
#include <comptop/core.h>

#include <stdlib.h>
#include <string.h>

#include "core/file.h"

enum { MAP_MAX_BYTES = 64 * 1024 * 1024, TOKEN_MAX = 64 };

static bool is_space(char c)
{
  return c == ' ' || c == '\n' || c == '\r' || c == '\t' || c == '\v' || c == '\f';
}

int ct_core_map_parse(const char *text, size_t len_bytes, size_t count, double *values, const char *name,
                      struct ct_err *err)
{
  size_t line = 1, found = 0, at = 0;
  size_t told_line = 1;   /* of the last number, or of the first one too many */
  while (at < len_bytes) {
    if (is_space(text[at])) {
      line += text[at++] == '\n';
      continue;
    }
    size_t start = at;
    while (at < len_bytes && !is_space(text[at]))
      at++;
    char token[TOKEN_MAX];
    size_t len = at - start;
    if (len >= TOKEN_MAX)
      len = TOKEN_MAX - 1;
    memcpy(token, text + start, len);
    token[len] = '\0';
    double value;
    if (at - start >= TOKEN_MAX || memchr(token, '\0', len) != NULL || ct_parse_real(token, &value) != 0) {
      for (size_t i = 0; i < len; i++)
        if ((unsigned char)token[i] < 0x20 || (unsigned char)token[i] >= 0x7f)
          token[i] = '?';
      return ct_err_set(err, CT_EFORMAT, "%s:%zu: '%.40s' is not a finite number", name, line, token);
    }
    if (found < count)
      values[found] = value;
    if (found <= count)
      told_line = line;
    found++;
  }
  if (found != count)
    return ct_err_set(err, CT_ESHAPE, "%s:%zu: too %s numbers: the file has %zu, one a pixel makes %zu", name,
                      told_line, found < count ? "few" : "many", found, count);
  return 0;
}

int ct_core_map_read(const char *path, size_t count, double *values, struct ct_err *err)
{
  char *text;
  size_t len_bytes;
  int code = ct_file_read(path, MAP_MAX_BYTES, &text, &len_bytes, err);
  if (code)
    return code == CT_ENOTFOUND ? CT_EIO : code;
  code = ct_core_map_parse(text, len_bytes, count, values, path, err);
  free(text);
  return code;
}
