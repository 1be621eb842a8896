/* The settings store: one value a row and section, its origin, and what is made of it. */
#include "core/settings_store.h"

#include <assert.h>
#include <math.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

char *ct_store_copy(const char *text)
{
  size_t size = strlen(text) + 1;
  return memcpy(ct_xcalloc(size, 1), text, size);
}

/* ---- filling ------------------------------------------------------------------------------------------- */

struct ct_settings *ct_store_new(const struct ct_option_table *table)
{
  struct ct_settings *settings = ct_xcalloc(1, sizeof *settings);
  settings->table = table;
  settings->n_sections = 1;
  settings->sections[0].values = ct_xcalloc(table->count, sizeof *settings->sections[0].values);
  return settings;
}

void ct_settings_close(struct ct_settings *settings)
{
  if (settings == NULL)
    return;
  for (size_t i = 0; i < settings->n_sections; i++) {
    struct ct_section *section = &settings->sections[i];
    for (size_t j = 0; j < settings->table->count; j++) {
      free(section->values[j].text);
      free(section->values[j].origin);
    }
    free(section->values);
    free(section->origin);
  }
  free(settings->file);
  free(settings->file_text);
  free(settings->last.before.text);
  free(settings->last.before.origin);
  free(settings);
}

static bool is_section(const struct ct_section *section, const char *kind, const char *name, size_t name_len)
{
  return section->kind != NULL && strcmp(section->kind, kind) == 0 && strlen(section->name) == name_len &&
         memcmp(section->name, name, name_len) == 0;
}

bool ct_store_split(char *path, char **kind, char **name, char **key)
{
  char *first = strchr(path, '.'), *last = strrchr(path, '.');
  if (last == NULL)
    return false;
  *first = *last = '\0';
  *kind = path;
  *name = first == last ? NULL : first + 1;
  *key = last + 1;
  return true;
}

/* Where the table first names the section; it does. */
static size_t first_row(const struct ct_option_table *table, const char *section)
{
  size_t i = 0;
  while (table->rows[i].section == NULL || strcmp(table->rows[i].section, section) != 0)
    i++;
  return i;
}

int ct_store_section(struct ct_settings *settings, const char *kind, const char *name, const char *origin,
                     size_t *index, struct ct_err *err)
{
  bool named = ct_option_has_section(settings->table, kind, true);
  if (!named && !ct_option_has_section(settings->table, kind, false))
    return ct_store_unknown_section(settings, kind, err);
  if (named && (name == NULL || *name == '\0'))
    return ct_err_set(err, CT_ECONFIG, "section '%s' needs a name: [%s NAME]", kind, kind);
  if (!named && name != NULL)
    return ct_err_set(err, CT_ECONFIG, "section '%s' takes no name", kind);
  *index = 0;
  if (!named)
    return 0;
  size_t len = strlen(name);
  for (size_t i = 1; i < settings->n_sections; i++)
    if (is_section(&settings->sections[i], kind, name, len)) {
      *index = i;
      return 0;
    }
  if (len >= CT_SECTION_NAME ||
      name[strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-")] != '\0')
    return ct_err_set(err, CT_ECONFIG, "'%.40s' is no name for a '%s': letters, digits, '-' and '_', at most %d", name,
                      kind, CT_SECTION_NAME - 1);
  if (settings->n_sections == 1 + CT_SECTIONS_MAX)
    return ct_err_set(err, CT_ECONFIG, "more than %d named sections", CT_SECTIONS_MAX);
  struct ct_section *section = &settings->sections[settings->n_sections];
  section->kind = settings->table->rows[first_row(settings->table, kind)].section;
  memcpy(section->name, name, len + 1);
  section->origin = ct_store_copy(origin);
  section->values = ct_xcalloc(settings->table->count, sizeof *section->values);
  *index = settings->n_sections++;
  return 0;
}

int ct_store_unknown_section(const struct ct_settings *settings, const char *section, struct ct_err *err)
{
  struct ct_guess guess = { .text = section };
  for (size_t i = 0; i < settings->table->count; i++)
    if (settings->table->rows[i].section != NULL)
      ct_guess_offer(&guess, settings->table->rows[i].section, strlen(settings->table->rows[i].section));
  char hint[CT_GUESS_HINT];
  return ct_err_set(err, CT_ECONFIG, "unknown section '%.60s'%s", section, ct_guess_hint(&guess, hint));
}

int ct_store_find(const struct ct_settings *settings, const char *section, const char *key,
                  const struct ct_option **row, struct ct_err *err)
{
  *row = ct_option_find(settings->table, section, key);
  if (*row != NULL)
    return 0;
  struct ct_guess guess = { .text = key };
  for (size_t i = 0; i < settings->table->count; i++) {
    const struct ct_option *candidate = &settings->table->rows[i];
    if (candidate->section != NULL && strcmp(candidate->section, section) == 0)
      ct_guess_offer(&guess, candidate->key, strlen(candidate->key));
  }
  char hint[CT_GUESS_HINT];
  return ct_err_set(err, CT_ECONFIG, "unknown key '%.60s' in [%s]%s", key, section, ct_guess_hint(&guess, hint));
}

static const char *row_default(const struct ct_option *row)
{
  return row->value != NULL ? row->value : "";
}

/* Has the row a meaning for "nothing"? Emptied names are their default again; everything else may only be nothing where
 * that is the default. */
static bool may_be_empty(const struct ct_option *row)
{
  return row->kind == CT_OPTION_TEXT || row->kind == CT_OPTION_FILE || *row_default(row) == '\0';
}

int ct_store_set(struct ct_settings *settings, size_t section, const struct ct_option *row, const char *text,
                 const char *origin, struct ct_err *err)
{
  if (row->marks & CT_OPTION_LATER)
    return ct_err_set(err, CT_EUNSUPPORTED, "not yet in this version");
  if (*text == '\0' && !may_be_empty(row))
    return ct_err_set(err, CT_ECONFIG, "needs a value");
  int code = *text == '\0' ? 0 : ct_option_check(row, text, err);
  if (code)
    return code;
  struct ct_value *value = &settings->sections[section].values[row - settings->table->rows];
  char *fresh = NULL;
  if (row->kind == CT_OPTION_WORDS && row->section == NULL && value->text != NULL) {
    size_t size = strlen(value->text) + strlen(text) + 2;
    fresh = ct_xcalloc(size, 1);
    snprintf(fresh, size, "%s,%s", value->text, text);
  } else if (*text != '\0' || (row->marks & CT_OPTION_OPTIONAL_ARG)) {
    fresh = ct_store_copy(text);
  }
  free(value->text);
  free(value->origin);
  value->text = fresh;
  value->origin = fresh ? ct_store_copy(origin) : NULL;
  return 0;
}

int ct_store_finish(const struct ct_settings *settings, struct ct_err *err)
{
  for (size_t i = 1; i < settings->n_sections; i++)
    for (size_t j = 0; j < settings->table->count; j++) {
      const struct ct_section *section = &settings->sections[i];
      const struct ct_option *row = &settings->table->rows[j];
      if ((row->marks & CT_OPTION_REQUIRED) && row->section != NULL && strcmp(row->section, section->kind) == 0 &&
          section->values[j].text == NULL)
        return ct_err_set(err, CT_ECONFIG, "%s: [%s %s] has no '%s'", section->origin, section->kind, section->name,
                          row->key);
    }
  return settings->table->check != NULL ? settings->table->check(settings, err) : 0;
}

/* ---- reading ------------------------------------------------------------------------------------------- */

/* The value at a path; asserts that there is such a place. */
static const struct ct_value *locate(const struct ct_settings *settings, const char *path, const struct ct_option **row)
{
  const struct ct_option_table *table = settings->table;
  const char *key = strrchr(path, '.');
  char kind[64] = "";
  size_t section = 0;
  if (key != NULL) {
    size_t len = strcspn(path, ".");
    assert(len < sizeof kind);
    memcpy(kind, path, len);
    if (path + len < key)
      for (section = 1; section < settings->n_sections; section++)
        if (is_section(&settings->sections[section], kind, path + len + 1, (size_t)(key - path) - len - 1))
          break;
  }
  *row = ct_option_find(table, key != NULL ? kind : NULL, key != NULL ? key + 1 : path);
  assert(*row != NULL && ct_option_is_setting(*row) && "no such key in the option table");
  assert(section < settings->n_sections && "no such named section");
  assert((section > 0) == (((*row)->marks & CT_OPTION_NAMED) != 0) && "path and row disagree about a section's name");
  return &settings->sections[section].values[*row - table->rows];
}

static const char *in_force(const struct ct_value *value, const struct ct_option *row)
{
  return value->text != NULL ? value->text : row_default(row);
}

static const char *text_of(const struct ct_settings *settings, const char *path, const struct ct_option **row)
{
  const struct ct_value *value = locate(settings, path, row);
  return in_force(value, *row);
}

const char *ct_settings_text(const struct ct_settings *settings, const char *path)
{
  const struct ct_option *row;
  return text_of(settings, path, &row);
}

bool ct_settings_bool(const struct ct_settings *settings, const char *path)
{
  const struct ct_option *row;
  const char *text = text_of(settings, path, &row);
  assert(row->kind == CT_OPTION_SWITCH);
  bool value = false;
  return ct_parse_bool(text, &value) == 0 && value;
}

int64_t ct_settings_int(const struct ct_settings *settings, const char *path)
{
  const struct ct_option *row;
  const char *text = text_of(settings, path, &row);
  assert(row->kind == CT_OPTION_INTEGER);
  int64_t value;
  return ct_parse_int(text, &value) == 0 ? value : 0;
}

double ct_settings_real(const struct ct_settings *settings, const char *path)
{
  const struct ct_option *row;
  const char *text = text_of(settings, path, &row);
  assert(row->kind == CT_OPTION_REAL || row->kind == CT_OPTION_REAL_OR_FILE);
  double value;
  return ct_parse_real(text, &value) == 0 ? value : (double)NAN;
}

int ct_settings_word(const struct ct_settings *settings, const char *path)
{
  const struct ct_option *row;
  const char *text = text_of(settings, path, &row);
  assert(row->words != NULL && row->kind != CT_OPTION_WORDS);
  return ct_word_find(row->words, text, strlen(text));
}

unsigned ct_settings_words(const struct ct_settings *settings, const char *path)
{
  const struct ct_option *row;
  const char *text = text_of(settings, path, &row);
  assert(row->kind == CT_OPTION_WORDS);
  unsigned set = 0;
  while (*text != '\0') {
    size_t len = strcspn(text, ",");
    int word = ct_word_find(row->words, text, len);
    if (word >= 0)
      set |= 1u << word;
    text += len + (text[len] == ',');
  }
  return set;
}

bool ct_settings_is_set(const struct ct_settings *settings, const char *path)
{
  const struct ct_option *row;
  return locate(settings, path, &row)->text != NULL;
}

const char *ct_settings_origin(const struct ct_settings *settings, const char *path)
{
  const struct ct_option *row;
  const struct ct_value *value = locate(settings, path, &row);
  return value->text != NULL ? value->origin : "default";
}

size_t ct_settings_sections(const struct ct_settings *settings, const char *kind)
{
  assert(ct_option_has_section(settings->table, kind, true));
  size_t count = 0;
  for (size_t i = 1; i < settings->n_sections; i++)
    count += strcmp(settings->sections[i].kind, kind) == 0;
  return count;
}

static const struct ct_section *nth_section(const struct ct_settings *settings, const char *kind, size_t index)
{
  size_t i = 1;
  while (i < settings->n_sections && (strcmp(settings->sections[i].kind, kind) != 0 || index-- > 0))
    i++;
  assert(i < settings->n_sections && "index of a named section out of range");
  return &settings->sections[i];
}

const char *ct_settings_section_name(const struct ct_settings *settings, const char *kind, size_t index)
{
  return nth_section(settings, kind, index)->name;
}

const char *ct_settings_section_origin(const struct ct_settings *settings, const char *kind, size_t index)
{
  return nth_section(settings, kind, index)->origin;
}

const char *const *ct_settings_arguments(const struct ct_settings *settings, size_t *count)
{
  *count = settings->n_arguments;
  return settings->arguments;
}

int ct_settings_refuse(const struct ct_settings *settings, const char *path, struct ct_err *err, const char *fmt, ...)
{
  if (err == NULL)
    return CT_ECONFIG;
  va_list args;
  va_start(args, fmt);
  vsnprintf(err->text, sizeof err->text, fmt, args);
  va_end(args);
  const struct ct_option *row;
  const bool changed = locate(settings, path, &row)->changed;   /* whoever did it knows where that was */
  return ct_err_prefix(err, CT_ECONFIG, "%s%s%s = %.100s: ", changed ? "" : ct_settings_origin(settings, path),
                       changed ? "" : ": ", path, ct_settings_text(settings, path));
}

/* ---- printing ------------------------------------------------------------------------------------------ */

static void visit_section(const struct ct_settings *settings, const struct ct_section *section, const char *kind,
                          void (*take)(void *, const struct ct_section *, const struct ct_option *, const struct ct_value *),
                          void *arg)
{
  for (size_t i = 0; i < settings->table->count; i++) {
    const struct ct_option *row = &settings->table->rows[i];
    if (row->section != NULL && strcmp(row->section, kind) == 0 && !(row->marks & CT_OPTION_LATER))
      take(arg, section, row, &section->values[i]);
  }
}

void ct_store_each(const struct ct_settings *settings,
                   void (*take)(void *arg, const struct ct_section *, const struct ct_option *, const struct ct_value *),
                   void *arg)
{
  for (size_t i = 0; i < settings->table->count; i++) {
    const struct ct_option *row = &settings->table->rows[i];
    if (row->section == NULL || first_row(settings->table, row->section) != i)
      continue;   /* each section once */
    if (!(row->marks & CT_OPTION_NAMED))
      visit_section(settings, &settings->sections[0], row->section, take, arg);
    for (size_t j = 1; j < settings->n_sections; j++)
      if (strcmp(settings->sections[j].kind, row->section) == 0)
        visit_section(settings, &settings->sections[j], row->section, take, arg);
  }
}

const char *ct_store_text(const struct ct_option *row, const struct ct_value *value) { return in_force(value, row); }

struct printer {
  FILE *output;
  const struct ct_section *section;
  const char *kind;                /* of the last row; NULL: nothing is printed yet */
};

static void print_row(void *arg, const struct ct_section *section, const struct ct_option *row, const struct ct_value *value)
{
  struct printer *printer = arg;
  if (printer->kind == NULL || section != printer->section || strcmp(row->section, printer->kind) != 0)
    fprintf(printer->output, "%s[%s%s%s]\n", printer->kind ? "\n" : "", row->section, *section->name ? " " : "", section->name);
  printer->section = section;
  printer->kind = row->section;
  const char *text = in_force(value, row);
  fprintf(printer->output, "%s =%s%s\n", row->key, *text ? " " : "", text);
}

int ct_settings_print(const struct ct_settings *settings, FILE *output)
{
  ct_store_each(settings, print_row, &(struct printer){ .output = output });
  return fflush(output) != 0 || ferror(output) ? CT_EIO : 0;
}
