/* Values as people write them: numbers, lists of numbers, ranges, boxes. */
#include <comptop/core.h>

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

int ct_parse_real(const char *text, double *value)
{
  /* strtod alone would also take hexadecimal, "inf" and "nan". */
  if (*text == '\0' || text[strspn(text, "0123456789+-.eE")] != '\0')
    return CT_EFORMAT;
  char *end;
  double number = strtod(text, &end);
  if (end == text || *end != '\0')
    return CT_EFORMAT;
  if (!isfinite(number))
    return CT_ERANGE;
  *value = number;
  return 0;
}

int ct_parse_int(const char *text, int64_t *value)
{
  if (*text == '\0' || text[strspn(text, "0123456789+-")] != '\0')
    return CT_EFORMAT;
  char *end;
  errno = 0;
  long long number = strtoll(text, &end, 10);
  if (end == text || *end != '\0')
    return CT_EFORMAT;
  if (errno == ERANGE)
    return CT_ERANGE;
  *value = number;
  return 0;
}

int ct_parse_bool(const char *text, bool *value)
{
  static const char *const words[] = { "off", "on", "no", "yes", "false", "true", "0", "1" };
  for (size_t i = 0; i < sizeof words / sizeof *words; i++)
    if (strcasecmp(text, words[i]) == 0) {
      *value = i % 2 == 1;
      return 0;
    }
  return CT_EFORMAT;
}

/* One number that ends at <stop> or at the end of the text; *rest is what follows, NULL at the end of the text. */
static int parse_piece(const char *text, char stop, double *value, const char **rest)
{
  char piece[64];
  const char *end = strchr(text, stop);
  size_t len = end ? (size_t)(end - text) : strlen(text);
  *rest = end && *end != '\0' ? end + 1 : NULL;
  while (len > 0 && *text == ' ') {
    text++;
    len--;
  }
  while (len > 0 && text[len - 1] == ' ')
    len--;
  if (len >= sizeof piece)
    return CT_EFORMAT;
  memcpy(piece, text, len);
  piece[len] = '\0';
  return ct_parse_real(piece, value);
}

/* As many numbers as there are separators, and one more. */
static int parse_pattern(const char *text, const char *separators, double *values)
{
  for (;; separators++) {
    const char *rest;
    int code = parse_piece(text, *separators, values++, &rest);
    if (code)
      return code;
    if (*separators == '\0')
      return 0;
    if (rest == NULL)
      return CT_EFORMAT;
    text = rest;
  }
}

int ct_parse_numbers(const char *text, char separator, double *values, size_t count)
{
  for (size_t i = 0; i < count; i++) {
    const char *rest;
    int code = parse_piece(text, separator, &values[i], &rest);
    if (code)
      return code;
    if ((rest != NULL) != (i + 1 < count))
      return CT_EFORMAT;
    text = rest;
  }
  return 0;
}

int ct_parse_range(const char *text, double *start, double *end, double *width)
{
  double values[3];
  int code = parse_pattern(text, "::", values);
  if (code)
    return code;
  if (values[0] >= values[1] || values[2] <= 0)
    return CT_ERANGE;
  *start = values[0];
  *end = values[1];
  *width = values[2];
  return 0;
}

int ct_parse_intervals(const char *text, double (*intervals)[2], size_t max)
{
  size_t count = 0;
  while (text != NULL) {
    double low, high;
    const char *rest;
    int code = parse_piece(text, ':', &low, &rest);
    if (code == 0 && rest == NULL)
      code = CT_EFORMAT;
    if (code == 0)
      code = parse_piece(rest, ',', &high, &text);
    if (code)
      return code;
    if (count == max)
      return CT_EFORMAT;
    if (low >= high)
      return CT_ERANGE;
    intervals[count][0] = low;
    intervals[count++][1] = high;
  }
  return (int)count;
}

int ct_parse_box(const char *text, struct ct_box *box)
{
  double v[4];
  int code = parse_pattern(text, ":,:", v);
  if (code)
    return code;
  for (int i = 0; i < 4; i++)
    if (v[i] < 0 || v[i] > UINT32_MAX || v[i] > floor(v[i]))
      return CT_ERANGE;
  if (v[0] >= v[1] || v[2] >= v[3])
    return CT_ERANGE;
  *box = (struct ct_box){ (uint32_t)v[0], (uint32_t)v[1], (uint32_t)v[2], (uint32_t)v[3] };
  return 0;
}

size_t ct_parse_dataset(const char *text, const char **dataset)
{
  /* The last ":/", so that a folder with a colon at its end does not hide the data set. */
  const char *found = NULL;
  for (const char *at = strstr(text, ":/"); at != NULL; at = strstr(at + 1, ":/"))
    found = at;
  if (found == NULL || found == text || found[2] == '\0')
    return 0;
  *dataset = found + 1;
  return (size_t)(found - text);
}
