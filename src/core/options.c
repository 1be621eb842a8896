/* The option table: finding rows and words, checking values, guessing what was meant. */
#include "core/options.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

bool ct_word_next(const char **cursor, struct ct_word *word)
{
  if (*cursor == NULL)
    return false;
  const char *end = strchr(*cursor, '|');
  *word = (struct ct_word){ .text = *cursor, .len = end ? (size_t)(end - *cursor) : strlen(*cursor) };
  word->later = word->len > 0 && word->text[word->len - 1] == '!';
  word->len -= word->later;
  *cursor = end ? end + 1 : NULL;
  return true;
}

int ct_word_find(const char *words, const char *text, size_t len)
{
  struct ct_word word;
  for (int i = 0; ct_word_next(&words, &word); i++)
    if (word.len == len && memcmp(word.text, text, len) == 0)
      return i;
  return -1;
}

static bool same(const char *a, const char *b)
{
  return a == NULL || b == NULL ? a == b : strcmp(a, b) == 0;
}

const struct ct_option *ct_option_find(const struct ct_option_table *table, const char *section, const char *key)
{
  for (size_t i = 0; i < table->count; i++)
    if (same(table->rows[i].section, section) && same(table->rows[i].key, key))
      return &table->rows[i];
  return NULL;
}

const struct ct_option *ct_option_by_getopt(const struct ct_option_table *table, int value)
{
  if (value >= CT_OPTION_LONG)
    return &table->rows[value - CT_OPTION_LONG];
  for (size_t i = 0; i < table->count; i++)
    if (table->rows[i].letter != 0 && table->rows[i].letter == value)
      return &table->rows[i];
  return NULL;
}

bool ct_option_has_section(const struct ct_option_table *table, const char *section, bool named)
{
  for (size_t i = 0; i < table->count; i++)
    if (same(table->rows[i].section, section))
      return named == ((table->rows[i].marks & CT_OPTION_NAMED) != 0);
  return false;
}

bool ct_option_takes_argument(const struct ct_option *row)
{
  switch (row->kind) {
  case CT_OPTION_SWITCH: case CT_OPTION_PRINT_CONFIG: case CT_OPTION_HELP: case CT_OPTION_VERSION: case CT_OPTION_DUMP:
    return false;
  default:
    return true;
  }
}

bool ct_option_is_setting(const struct ct_option *row)
{
  return row->kind < CT_OPTION_STREAM;
}

const struct ct_option *ct_option_at(const struct ct_option_table *table, const char *path)
{
  const char *dot = strchr(path, '.'), *last = strrchr(path, '.');
  char section[64];
  if (dot == NULL || (size_t)(dot - path) >= sizeof section)
    return NULL;
  snprintf(section, sizeof section, "%.*s", (int)(dot - path), path);
  const struct ct_option *row = ct_option_find(table, section, last + 1);
  return row != NULL && ((row->marks & CT_OPTION_NAMED) != 0) == (dot < last) ? row : NULL;
}

/* ---- checking a value --------------------------------------------------------------------------------- */

/* "a, b or c" of the words this version knows. */
static void list_words(const char *words, char *list, size_t size)
{
  size_t used = 0;
  struct ct_word word;
  list[0] = '\0';
  while (ct_word_next(&words, &word)) {
    if (word.later)
      continue;
    int wrote = snprintf(list + used, size - used, "%s%.*s", used ? ", " : "", (int)word.len, word.text);
    if (wrote < 0 || (size_t)wrote >= size - used)
      return;
    used += (size_t)wrote;
  }
}

static int check_word(const struct ct_option *row, const char *text, size_t len, struct ct_err *err)
{
  char given[64];
  snprintf(given, sizeof given, "%.*s", (int)(len < sizeof given ? len : sizeof given), text);
  struct ct_guess guess = { .text = given };
  const char *cursor = row->words;
  struct ct_word word;
  while (ct_word_next(&cursor, &word)) {
    if (word.len == len && memcmp(word.text, text, len) == 0)
      return word.later ? ct_err_set(err, CT_EUNSUPPORTED, "%.*s: not yet in this version", (int)len, text) : 0;
    if (!word.later)
      ct_guess_offer(&guess, word.text, word.len);
  }
  char list[200], hint[CT_GUESS_HINT];
  list_words(row->words, list, sizeof list);
  return ct_err_set(err, CT_ECONFIG, "not one of %s%s", list, ct_guess_hint(&guess, hint));
}

static int check_words(const struct ct_option *row, const char *text, struct ct_err *err)
{
  for (;;) {
    size_t len = strcspn(text, ",");
    int code = check_word(row, text, len, err);
    if (code || text[len] == '\0')
      return code;
    text += len + 1;
  }
}

static int check_limits(const struct ct_option *row, double value, struct ct_err *err)
{
  if (row->min < row->max && (value < row->min || value > row->max))
    return ct_err_set(err, CT_ECONFIG, "not within %.12g to %.12g", row->min, row->max);
  return 0;
}

static int check_number(const struct ct_option *row, const char *text, struct ct_err *err)
{
  bool whole = row->kind == CT_OPTION_INTEGER;
  int64_t integer;
  double real;
  int code = whole ? ct_parse_int(text, &integer) : ct_parse_real(text, &real);
  if (code == 0)
    return check_limits(row, whole ? (double)integer : real, err);
  if (row->words != NULL && check_word(row, text, strlen(text), NULL) != CT_ECONFIG)
    return check_word(row, text, strlen(text), err);
  if (code == CT_ERANGE)
    return ct_err_set(err, CT_ECONFIG, "too large a number");
  char list[100];
  list_words(row->words, list, sizeof list);
  return ct_err_set(err, CT_ECONFIG, "not a%s number%s%s", whole ? " whole" : "", row->words ? " and not " : "", list);
}

/* How values of several numbers are written. */
static const char *form_of(enum ct_option_kind kind)
{
  switch (kind) {
  case CT_OPTION_RANGE: return "start:end:width with start < end and width > 0";
  case CT_OPTION_INTERVALS: return "a:b[,c:d...] with a < b, at most 8 of them";
  case CT_OPTION_POINT: return "x,y";
  case CT_OPTION_BOX: return "x0:x1,y0:y1 in whole pixels with x0 < x1 and y0 < y1";
  case CT_OPTION_RING: return "x,y,r_in,r_out with 0 <= r_in < r_out";
  case CT_OPTION_DISC: return "x,y,radius with radius > 0";
  case CT_OPTION_ENDPOINT: return "tcp://HOST:PORT or ipc://PATH";
  default: return "";
  }
}

static int check_endpoint(const char *text, struct ct_err *err)
{
  if (strncmp(text, "ipc://", 6) == 0 || strncmp(text, "inproc://", 9) == 0) {
    if (strchr(text, ':')[3] != '\0')
      return 0;
  } else if (strncmp(text, "tcp://", 6) == 0) {
    const char *port = strrchr(text, ':') + 1;
    int64_t number;
    if (port - text > 7 && (strcmp(port, "*") == 0 ||
                            (ct_parse_int(port, &number) == 0 && number >= 1 && number <= 65535)))
      return 0;
  }
  return ct_err_set(err, CT_ECONFIG, "not an endpoint: %s", form_of(CT_OPTION_ENDPOINT));
}

static int check_form(const struct ct_option *row, const char *text, struct ct_err *err)
{
  double v[4], intervals[8][2];
  struct ct_box box;
  int code;
  switch (row->kind) {
  case CT_OPTION_RANGE:
    code = ct_parse_range(text, &v[0], &v[1], &v[2]);
    break;
  case CT_OPTION_INTERVALS:
    code = ct_parse_intervals(text, intervals, sizeof intervals / sizeof *intervals);
    break;
  case CT_OPTION_POINT:
    code = ct_parse_numbers(text, ',', v, 2);
    break;
  case CT_OPTION_BOX:
    code = ct_parse_box(text, &box);
    break;
  case CT_OPTION_RING:
    code = ct_parse_numbers(text, ',', v, 4);
    if (code == 0 && !(v[2] >= 0 && v[3] > v[2]))
      code = CT_ERANGE;
    break;
  default:
    code = ct_parse_numbers(text, ',', v, 3);
    if (code == 0 && v[2] <= 0)
      code = CT_ERANGE;
  }
  return code < 0 ? ct_err_set(err, CT_ECONFIG, "not of the form %s", form_of(row->kind)) : 0;
}

/* What could not stand in a configuration file, and so not be printed by --print-config. */
static int check_text(const struct ct_option *row, const char *text, struct ct_err *err)
{
  for (const char *c = text; *c != '\0'; c++)
    if ((unsigned char)*c < 0x20 || *c == 0x7f)
      return ct_err_set(err, CT_ECONFIG, "has a control character");
  if (row->section == NULL || *text == '\0')
    return 0;
  if (*text == ' ' || text[strlen(text) - 1] == ' ')
    return ct_err_set(err, CT_ECONFIG, "begins or ends with a blank");
  for (const char *c = text; *c != '\0'; c++)
    if ((*c == ';' || *c == '#') && (c == text || c[-1] == ' '))
      return ct_err_set(err, CT_ECONFIG, "' %c' would begin a comment in a configuration file", *c);
  return 0;
}

int ct_option_check(const struct ct_option *row, const char *text, struct ct_err *err)
{
  int code = check_text(row, text, err);
  if (code)
    return code;
  bool flag;
  double real;
  switch (row->kind) {
  case CT_OPTION_SWITCH:
    return ct_parse_bool(text, &flag) ? ct_err_set(err, CT_ECONFIG, "neither on nor off") : 0;
  case CT_OPTION_INTEGER: case CT_OPTION_REAL:
    return check_number(row, text, err);
  case CT_OPTION_WORD: case CT_OPTION_COMPLETION:
    return check_word(row, text, strlen(text), err);
  case CT_OPTION_WORDS:
    return check_words(row, text, err);
  case CT_OPTION_REAL_OR_FILE:
    return ct_parse_real(text, &real) == 0 ? check_limits(row, real, err) : 0;
  case CT_OPTION_ENDPOINT:
    return check_endpoint(text, err);
  case CT_OPTION_RANGE: case CT_OPTION_INTERVALS: case CT_OPTION_POINT: case CT_OPTION_BOX: case CT_OPTION_DISC:
  case CT_OPTION_RING:
    return check_form(row, text, err);
  default:
    return 0;
  }
}

/* ---- telling of values ----------------------------------------------------------------------------------- */
static const char *words_of(const struct ct_option *row)
{
  return row->kind == CT_OPTION_SWITCH ? "on|off" : row->words;
}

const char *ct_option_range(const struct ct_option *row, char *out, size_t size)
{
  size_t used = 0;
  snprintf(out, size, "%s", form_of(row->kind));
  if (row->min < row->max)
    used = (size_t)snprintf(out, size, "%.12g to %.12g%s", row->min, row->max, row->words != NULL ? ", " : "");
  if (words_of(row) != NULL && used < size)
    list_words(words_of(row), out + used, size - used);
  return out;
}

const char *ct_option_turn(const struct ct_option *row, const char *text, int by, char *out, size_t size)
{
  const char *cursor = row->kind == CT_OPTION_WORDS ? NULL : words_of(row);
  struct ct_word words[24];
  int n = 0, at = -1;
  while (n < 24 && ct_word_next(&cursor, &words[n]))
    if (!words[n].later) {
      if (words[n].len == strlen(text) && memcmp(words[n].text, text, words[n].len) == 0)
        at = n;
      n++;
    }
  if (n == 0)
    return NULL;
  at = at < 0 && by < 0 ? 0 : at;      /* from no word: forth to the first, back to the last */
  at = ((at + by) % n + n) % n;
  snprintf(out, size, "%.*s", (int)words[at].len, words[at].text);
  return out;
}

int ct_err_prefix(struct ct_err *err, int code, const char *fmt, ...)
{
  if (err == NULL)
    return code;
  struct ct_err reason = *err;
  va_list args;
  va_start(args, fmt);
  int used = vsnprintf(err->text, sizeof err->text, fmt, args);
  va_end(args);
  if (used >= 0 && (size_t)used < sizeof err->text)
    snprintf(err->text + used, sizeof err->text - (size_t)used, "%s", reason.text);
  /* Values come from outside, and the message is one line on a terminal. */
  for (char *c = err->text; *c != '\0'; c++)
    if ((unsigned char)*c < 0x20 || *c == 0x7f)
      *c = '?';
  return code;
}

/* ---- guessing ------------------------------------------------------------------------------------------ */

/* Levenshtein's distance, one row at a time; both shorter than 64. */
static size_t edit_distance(const char *a, size_t a_len, const char *b, size_t b_len)
{
  size_t row[64];
  for (size_t j = 0; j <= b_len; j++)
    row[j] = j;
  for (size_t i = 1; i <= a_len; i++) {
    size_t diagonal = row[0];
    row[0] = i;
    for (size_t j = 1; j <= b_len; j++) {
      size_t replaced = diagonal + (a[i - 1] != b[j - 1]);
      size_t removed = row[j] + 1, added = row[j - 1] + 1;
      diagonal = row[j];
      row[j] = replaced < removed ? replaced : removed;
      if (added < row[j])
        row[j] = added;
    }
  }
  return row[b_len];
}

void ct_guess_offer(struct ct_guess *guess, const char *candidate, size_t len)
{
  size_t text_len = strlen(guess->text);
  if (len >= sizeof guess->best || text_len >= sizeof guess->best)
    return;
  size_t distance = edit_distance(guess->text, text_len, candidate, len);
  if (distance > 2 || distance * 2 >= text_len || (guess->best[0] != '\0' && distance >= guess->distance))
    return;
  memcpy(guess->best, candidate, len);
  guess->best[len] = '\0';
  guess->distance = distance;
}

const char *ct_guess_hint(const struct ct_guess *guess, char hint[CT_GUESS_HINT])
{
  hint[0] = '\0';
  if (guess->best[0] != '\0')
    snprintf(hint, CT_GUESS_HINT, "; did you mean '%s'?", guess->best);
  return hint;
}
