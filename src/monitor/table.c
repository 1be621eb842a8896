#include "table.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { LINE_BYTES = 1024 };
static const size_t rows_max = 1 << 22;

/* ---- reading ---------------------------------------------------------------------------------------------- */
static void take_key(struct table *t, const char *text)
{
  char name[24], value[64];
  if (t->n_keys < TABLE_KEYS && sscanf(text, "# %23s %63s", name, value) == 2 &&
      ct_parse_real(value, &t->keys[t->n_keys].value) == 0)
    snprintf(t->keys[t->n_keys++].name, sizeof t->keys[0].name, "%s", name);
}

static bool parse_number(const char *word, double *value)
{
  if (strcmp(word, "nan") == 0) {
    *value = NAN;
    return true;
  }
  return ct_parse_real(word, value) == 0;
}

static int take_row(struct table *t, size_t *room, char *text, const char *path, unsigned line, struct ct_err *err)
{
  if (t->rows == *room) {
    size_t more = *room ? 2 * *room : 256;
    double *values = more <= rows_max ? realloc(t->values, more * t->columns * sizeof *values) : NULL;
    if (values == NULL)
      return ct_err_set(err, CT_ENOMEM, "%s: too long for this memory", path);
    t->values = values;
    *room = more;
  }
  unsigned n = 0;
  char *save;
  for (char *word = strtok_r(text, " \t\r\n", &save); word != NULL; word = strtok_r(NULL, " \t\r\n", &save), n++)
    if (n == t->columns || !parse_number(word, &t->values[t->rows * t->columns + n]))
      return ct_err_set(err, CT_EFORMAT, "%s:%u: '%.20s' where a line is %u numbers", path, line, word, t->columns);
  if (n > 0 && n < t->columns)
    return ct_err_set(err, CT_EFORMAT, "%s:%u: %u numbers where a line is %u", path, line, n, t->columns);
  t->rows += n > 0;
  return 0;
}

static int read_lines(struct table *t, FILE *file, const char *path, const char *kind, struct ct_err *err)
{
  char text[LINE_BYTES], first[64];
  size_t room = 0;
  snprintf(first, sizeof first, "#comptop-%s 1", kind);
  if (fgets(text, sizeof text, file) == NULL || strncmp(text, first, strlen(first)) != 0 ||
      strcspn(text, "\r\n") != strlen(first))
    return ct_err_set(err, CT_EFORMAT, "%s: does not begin with '%s'", path, first);
  for (unsigned line = 2; fgets(text, sizeof text, file) != NULL; line++) {
    if (strchr(text, '\n') == NULL && !feof(file))
      return ct_err_set(err, CT_EFORMAT, "%s:%u: the line is too long, or the file is not text", path, line);
    if (text[0] == '#') {
      take_key(t, text);
      continue;
    }
    int code = take_row(t, &room, text, path, line, err);
    if (code != 0)
      return code;
  }
  return 0;
}

int table_read(struct table *out, const char *path, const char *kind, unsigned columns, struct ct_err *err)
{
  *out = (struct table){ .columns = columns };
  FILE *file = fopen(path, "r");
  if (file == NULL)
    return ct_err_set(err, CT_EIO, "%s: %s", path, strerror(errno));
  int code = read_lines(out, file, path, kind, err);
  if (code == 0 && ferror(file))
    code = ct_err_set(err, CT_EIO, "%s: cannot be read", path);
  fclose(file);
  if (code != 0)
    table_free(out);
  return code;
}

bool table_key(const struct table *t, const char *name, double *value)
{
  for (unsigned i = 0; i < t->n_keys; i++)
    if (strcmp(t->keys[i].name, name) == 0) {
      *value = t->keys[i].value;
      return true;
    }
  return false;
}

void table_free(struct table *t)
{
  free(t->values);
  *t = (struct table){ 0 };
}

/* ---- writing ---------------------------------------------------------------------------------------------- */
int table_check_new(const char *path, struct ct_err *err)
{
  char folder[1000];
  const char *slash = strrchr(path, '/');
  if (strlen(path) >= sizeof folder)
    return ct_err_set(err, CT_EIO, "the name is longer than %zu bytes", sizeof folder - 1);
  if (access(path, F_OK) == 0)
    return ct_err_set(err, CT_EEXISTS, "exists already; choose another name, or remove it");
  snprintf(folder, sizeof folder, "%.*s", slash == NULL ? 1 : (int)(slash - path) + 1, slash == NULL ? "." : path);
  if (access(folder, W_OK) != 0)
    return ct_err_set(err, CT_EIO, "cannot be written: %s", strerror(errno));
  return 0;
}

int table_begin(struct table_writer *w, const char *path, const char *kind, struct ct_err *err)
{
  char part[sizeof w->path + 8];
  snprintf(w->path, sizeof w->path, "%s", path);
  snprintf(part, sizeof part, "%s.part", w->path);
  w->file = fopen(part, "w");
  if (w->file == NULL)
    return ct_err_set(err, CT_EIO, "%s: %s", part, strerror(errno));
  fprintf(w->file, "#comptop-%s 1\n", kind);
  return 0;
}

int table_finish(struct table_writer *w, struct ct_err *err)
{
  char part[sizeof w->path + 8];
  snprintf(part, sizeof part, "%s.part", w->path);
  bool good = fflush(w->file) == 0 && fsync(fileno(w->file)) == 0;
  good = fclose(w->file) == 0 && good;
  /* link and not rename: what has come under this name meanwhile is not replaced. */
  good = good && link(part, w->path) == 0;
  int reason = errno;
  unlink(part);
  return good ? 0 : ct_err_set(err, reason == EEXIST ? CT_EEXISTS : CT_EIO, "%s: %s", w->path, strerror(reason));
}
