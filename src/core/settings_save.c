/* What has changed goes into the configuration file: beside it first, then in its place. */
#include "core/settings_store.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/file.h"

enum { FILE_MAX_BYTES = 1024 * 1024 };

/* ---- the file -------------------------------------------------------------------------------------------- */
/* Name and contents of a file that is not there yet; its folders are made. */
static int begin_file(struct ct_settings *settings, struct ct_err *err)
{
  char path[PATH_MAX];
  if (!ct_store_usual_file(path, sizeof path))
    return ct_err_set(err, CT_EIO, "no place for a configuration file: neither HOME nor XDG_CONFIG_HOME is set");
  for (char *slash = strchr(path + 1, '/'); slash != NULL; slash = strchr(slash + 1, '/')) {
    *slash = '\0';
    int made = mkdir(path, 0700);
    if (made != 0 && errno != EEXIST)
      return ct_err_set(err, CT_EIO, "cannot make %s: %s", path, strerror(errno));
    *slash = '/';
  }
  settings->file = ct_store_copy(path);
  return 0;
}

/* Whether the file still holds what was read; where none was read there must be none. */
static int check_unchanged(const struct ct_settings *settings, struct ct_err *err)
{
  char *text = NULL;
  size_t len_bytes = 0;
  int code = ct_file_read(settings->file, FILE_MAX_BYTES, &text, &len_bytes, err);
  if (code == CT_ENOTFOUND && settings->file_text == NULL)
    return 0;
  if (code != 0)
    return code;
  bool same = settings->file_text != NULL && strlen(settings->file_text) == len_bytes && strcmp(settings->file_text, text) == 0;
  free(text);
  return same ? 0 : ct_err_set(err, CT_EIO, "%s is no longer what was read from it: nothing was saved", settings->file);
}

static bool write_all(int fd, const char *text)
{
  for (size_t left = strlen(text); left > 0;) {
    ssize_t n = write(fd, text, left);
    if (n < 0 && errno != EINTR)
      return false;
    text += n > 0 ? n : 0;
    left -= n > 0 ? (size_t)n : 0;
  }
  return true;
}

static bool put_beside(const char *fresh, const struct stat *old, const char *text)
{
  int fd = open(fresh, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, old ? 0600 : 0666);
  if (fd < 0)
    return false;
  bool good = write_all(fd, text);
  if (old != NULL) {
    int owned = fchown(fd, old->st_uid, old->st_gid);
    (void)owned;                           /* as far as we may */
    good = good && fchmod(fd, old->st_mode & 07777) == 0;
  }
  good = good && fsync(fd) == 0;
  return close(fd) == 0 && good;
}

static int replace(const char *path, const char *text, struct ct_err *err)
{
  char real[PATH_MAX], fresh[PATH_MAX + 24];
  struct stat old;
  if (realpath(path, real) == NULL)        /* of a link, the file behind it */
    snprintf(real, sizeof real, "%s", path);
  snprintf(fresh, sizeof fresh, "%s.%ld", real, (long)getpid());
  if (put_beside(fresh, stat(real, &old) == 0 ? &old : NULL, text) && rename(fresh, real) == 0)
    return 0;
  int why = errno;
  unlink(fresh);
  return ct_err_set(err, CT_EIO, "cannot write %s: %s", real, strerror(why));
}

/* ---- the settings ------------------------------------------------------------------------------------------ */
struct editor {
  char *text;
  size_t n;
};

static void edit_row(void *arg, const struct ct_section *section, const struct ct_option *row, const struct ct_value *value)
{
  struct editor *editor = arg;
  if (!value->changed)
    return;
  const char *text = ct_store_text(row, value), *standard = row->value != NULL ? row->value : "";
  char *edited = ct_config_edit(editor->text, row->section, section->name, row->key, strcmp(text, standard) == 0 ? NULL : text,
                                standard);
  free(editor->text);
  editor->text = edited;
  editor->n++;
}

/* Whether the text gives every changed setting the value it has: else what we understand of files is not what is read. */
static bool reads_back(const struct ct_settings *settings, const char *text, struct ct_err *err)
{
  struct ct_settings *again = ct_store_new(settings->table);
  bool same = ct_store_read_text(again, settings->file, text, strlen(text), err) == 0;
  for (size_t i = 0; i < settings->n_sections && same; i++) {
    const struct ct_section *section = &settings->sections[i];
    size_t at;
    for (size_t j = 0; j < settings->table->count && same; j++) {
      const struct ct_option *row = &settings->table->rows[j];
      if (!section->values[j].changed)
        continue;
      same = ct_store_section(again, row->section, i > 0 ? section->name : NULL, "", &at, err) == 0 &&
             strcmp(ct_store_text(row, &again->sections[at].values[j]), ct_store_text(row, &section->values[j])) == 0;
    }
  }
  ct_settings_close(again);
  return same;
}

static void take_as_saved(struct ct_settings *settings, char *text)
{
  free(settings->file_text);
  settings->file_text = text;
  for (size_t i = 0; i < settings->n_sections; i++)
    for (size_t j = 0; j < settings->table->count; j++) {
      struct ct_value *value = &settings->sections[i].values[j];
      if (!value->changed)
        continue;
      value->changed = false;
      free(value->origin);
      value->origin = value->text ? ct_store_copy(settings->file) : NULL;
    }
}

static int save(struct ct_settings *settings, struct ct_err *err)
{
  const char *old = settings->file_text != NULL ? settings->file_text : "";
  struct editor editor = { .text = ct_store_copy(old) };
  struct ct_err why = { "" };
  int code = check_unchanged(settings, err);
  if (code == 0) {
    ct_store_each(settings, edit_row, &editor);
    if (!reads_back(settings, editor.text, &why))
      code = ct_err_set(err, CT_EIO, "%s cannot be edited without changing what it means: nothing was saved", settings->file);
  }
  if (code == 0 && editor.n > 0)
    code = replace(settings->file, editor.text, err);
  if (code == 0 && editor.n > 0)
    take_as_saved(settings, editor.text);
  else
    free(editor.text);
  return code == 0 ? (int)editor.n : CT_EIO;
}

int ct_settings_save(struct ct_settings *settings, const char **path, struct ct_err *err)
{
  int code = settings->file == NULL ? begin_file(settings, err) : 0;
  *path = settings->file;
  return code == 0 ? save(settings, err) : code;
}

void ct_settings_saved_by_other(struct ct_settings *settings)
{
  struct ct_err ignored;
  char *text;
  size_t len_bytes;
  if (settings->file == NULL && begin_file(settings, &ignored) != 0)
    return;
  if (ct_file_read(settings->file, FILE_MAX_BYTES, &text, &len_bytes, NULL) == 0)
    take_as_saved(settings, text);
}

const char *ct_settings_file(const struct ct_settings *settings, char *path, size_t size)
{
  char usual[PATH_MAX] = "", real[PATH_MAX];
  if (settings->file == NULL && !ct_store_usual_file(usual, sizeof usual))
    usual[0] = '\0';
  const char *file = settings->file != NULL ? settings->file : usual;
  snprintf(path, size, "%s", realpath(file, real) != NULL ? real : file);
  return path;
}
