/* Settings that change while the program runs, and settings told to others. */
#include "core/settings_store.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

/* ---- changing ------------------------------------------------------------------------------------------ */
static void forget_last(struct ct_settings *settings)
{
  free(settings->last.before.text);
  free(settings->last.before.origin);
  memset(&settings->last, 0, sizeof settings->last);
}

/* The section of a path: one that is there, since a change makes no new one. */
static int find_section(const struct ct_settings *settings, const char *kind, const char *name, size_t *section,
                        struct ct_err *err)
{
  *section = 0;
  if (!ct_option_has_section(settings->table, kind, name != NULL))
    return ct_option_has_section(settings->table, kind, name == NULL)
             ? ct_err_set(err, CT_ECONFIG, "section '%s' %s", kind, name ? "takes no name" : "needs a name")
             : ct_store_unknown_section(settings, kind, err);
  if (name == NULL)
    return 0;
  for (size_t i = 1; i < settings->n_sections; i++)
    if (strcmp(settings->sections[i].kind, kind) == 0 && strcmp(settings->sections[i].name, name) == 0)
      *section = i;
  return *section > 0 ? 0 : ct_err_set(err, CT_ECONFIG, "there is no [%s %.40s]", kind, name);
}

static int locate(const struct ct_settings *settings, const char *path, size_t *section, const struct ct_option **row,
                  struct ct_err *err)
{
  char parts[128], *kind, *name, *key;
  if (snprintf(parts, sizeof parts, "%s", path) >= (int)sizeof parts || !ct_store_split(parts, &kind, &name, &key))
    return ct_err_set(err, CT_ECONFIG, "not a setting");
  int code = find_section(settings, kind, name, section, err);
  if (code == 0)
    code = ct_store_find(settings, kind, key, row, err);
  if (code == 0 && !((*row)->marks & CT_OPTION_LIVE))
    code = ct_err_set(err, CT_EUNSUPPORTED, "cannot change in a run; set it in the configuration file, for the next one");
  return code;
}

static int set(struct ct_settings *settings, const char *path, size_t section, const struct ct_option *row, const char *text,
               int64_t wall_ns, struct ct_err *err)
{
  struct ct_value *value = &settings->sections[section].values[row - settings->table->rows];
  char origin[64], now[CT_TIME_TEXT];
  snprintf(origin, sizeof origin, "changed %.8sZ", ct_time_text(wall_ns, now) + 11);
  forget_last(settings);
  settings->last.section = section;
  settings->last.row = row;
  settings->last.before = (struct ct_value){ value->text ? ct_store_copy(value->text) : NULL,
                                              value->text ? ct_store_copy(value->origin) : NULL, value->changed };
  int code = ct_store_set(settings, section, row, text, origin, err);
  if (code != 0)
    return ct_err_prefix(err, code, "%.100s = %.100s: ", path, text);
  value->changed = true;
  code = ct_store_finish(settings, err);
  if (code != 0)
    ct_settings_undo(settings);
  return code;
}

int ct_settings_change(struct ct_settings *settings, const char *path, const char *text, int64_t wall_ns, struct ct_err *err)
{
  struct ct_err reason = { "" };
  const struct ct_option *row = NULL;
  size_t section = 0;
  int code = locate(settings, path, &section, &row, &reason);
  if (code != 0)
    code = ct_err_prefix(&reason, code, "%.100s: ", path);
  else
    code = set(settings, path, section, row, text != NULL ? text : row->value != NULL ? row->value : "", wall_ns, &reason);
  if (code != 0 && err != NULL)
    *err = reason;
  return code;
}

const char *ct_settings_before(const struct ct_settings *settings)
{
  return settings->last.row != NULL ? ct_store_text(settings->last.row, &settings->last.before) : "";
}

void ct_settings_undo(struct ct_settings *settings)
{
  const struct ct_option *row = settings->last.row;
  if (row == NULL)
    return;
  struct ct_value *value = &settings->sections[settings->last.section].values[row - settings->table->rows];
  free(value->text);
  free(value->origin);
  *value = settings->last.before;
  memset(&settings->last, 0, sizeof settings->last);
}

size_t ct_settings_changed(const struct ct_settings *settings)
{
  size_t n = 0;
  for (size_t i = 0; i < settings->n_sections; i++)
    for (size_t j = 0; j < settings->table->count; j++)
      n += settings->sections[i].values[j].changed;
  return n;
}

/* ---- telling ------------------------------------------------------------------------------------------- */
static bool put(char *out, size_t size, size_t *used, const char *text)
{
  size_t bytes = strlen(text) + 1;
  if (bytes > size - *used)
    return false;
  memcpy(out + *used, text, bytes);
  *used += bytes;
  return true;
}

struct packer {
  const char *only;
  char *out;
  size_t size, used;
};

static void pack_row(void *arg, const struct ct_section *section, const struct ct_option *row, const struct ct_value *value)
{
  struct packer *packer = arg;
  char path[128];
  size_t used = packer->used;
  if (packer->only != NULL && strcmp(packer->only, row->section) != 0)
    return;
  snprintf(path, sizeof path, "%s.%s%s%s", row->section, section->name, *section->name ? "." : "", row->key);
  if (put(packer->out, packer->size, &used, path) && put(packer->out, packer->size, &used, ct_store_text(row, value)) &&
      put(packer->out, packer->size, &used, value->text != NULL ? value->origin : "default"))
    packer->used = used;
}

size_t ct_settings_pack(const struct ct_settings *settings, const char *only, char *out, size_t size)
{
  struct packer packer = { .only = only, .out = out, .size = size };
  ct_store_each(settings, pack_row, &packer);
  return packer.used;
}

static const char *next(const char *packed, size_t bytes, size_t *at)
{
  const char *text = packed + *at, *end = *at < bytes ? memchr(text, '\0', bytes - *at) : NULL;
  if (end == NULL)
    return NULL;
  *at = (size_t)(end + 1 - packed);
  return text;
}

bool ct_settings_unpack(const char *packed, size_t bytes, size_t *at, struct ct_packed_setting *out)
{
  out->path = next(packed, bytes, at);
  out->text = out->path ? next(packed, bytes, at) : NULL;
  out->origin = out->text ? next(packed, bytes, at) : NULL;
  return out->origin != NULL;
}
