/* The inside of struct ct_settings, for the files of this room that fill it. */
#ifndef CORE_SETTINGS_STORE_H
#define CORE_SETTINGS_STORE_H

#include <comptop/core.h>

#include "core/options.h"

enum {
  CT_SECTION_NAME = 32,    /* bytes, NUL included: as long as the names in a snapshot */
  CT_SECTIONS_MAX = 64     /* named sections; a configuration cannot make us eat memory */
};

struct ct_value {
  char *text;              /* NULL: the default holds */
  char *origin;
  bool changed;            /* in the run, and not saved */
};

/* Section 0 has no name and holds the rows of every unnamed section and of the command line. */
struct ct_section {
  const char *kind;        /* the table's own text; NULL for section 0 */
  char name[CT_SECTION_NAME];
  char *origin;            /* where it was first mentioned */
  struct ct_value *values; /* one a row of the table */
};

struct ct_settings {
  const struct ct_option_table *table;
  struct ct_section sections[1 + CT_SECTIONS_MAX];
  size_t n_sections;
  const char *const *arguments;
  size_t n_arguments;
  char *file, *file_text;  /* the configuration file and what it held; NULL: there was none */
  struct {
    size_t section;
    const struct ct_option *row;   /* NULL: there is nothing to undo */
    struct ct_value before;
  } last;                  /* change */
};

char *ct_store_copy(const char *text);
struct ct_settings *ct_store_new(const struct ct_option_table *table);
/* The section [kind name], made if need be; name NULL: section 0. The reason of a refusal is in err->text. */
int ct_store_section(struct ct_settings *settings, const char *kind, const char *name, const char *origin,
                     size_t *index, struct ct_err *err) CT_MUST_CHECK;
/* Checks and sets. The reason of a refusal, without the place, is in err->text. */
int ct_store_set(struct ct_settings *settings, size_t section, const struct ct_option *row, const char *text,
                 const char *origin, struct ct_err *err) CT_MUST_CHECK;
/* The row of <key> in [section]; else CT_ECONFIG "unknown key ... did you mean". */
int ct_store_find(const struct ct_settings *settings, const char *section, const char *key,
                  const struct ct_option **row, struct ct_err *err) CT_MUST_CHECK;
/* Every setting of a section of the file, in the order of print. */
void ct_store_each(const struct ct_settings *settings,
                   void (*take)(void *arg, const struct ct_section *, const struct ct_option *, const struct ct_value *),
                   void *arg);
/* The value in force. */
const char *ct_store_text(const struct ct_option *row, const struct ct_value *value);
/* "kind.key" or "kind.NAME.key", cut up in place; *name NULL: it has none. False: neither. */
bool ct_store_split(char *path, char **kind, char **name, char **key);
/* CT_ECONFIG "unknown section ..."; for a heading or a path that names none. */
int ct_store_unknown_section(const struct ct_settings *settings, const char *section, struct ct_err *err);
/* What is required of the whole, then the table's own check. */
int ct_store_finish(const struct ct_settings *settings, struct ct_err *err) CT_MUST_CHECK;

/* The text of a configuration file into the store; errors begin with "<name>:<line>: ". */
int ct_store_read_text(struct ct_settings *settings, const char *name, const char *text, size_t len_bytes,
                       struct ct_err *err) CT_MUST_CHECK;
/* The file <path>, or where that is NULL the first of the usual places. */
int ct_store_read_file(struct ct_settings *settings, const char *path, struct ct_err *err) CT_MUST_CHECK;

/* Where the user's own configuration file would be; false: there is no such place. */
bool ct_store_usual_file(char *path, size_t size);

/* ---- the text of a configuration file, edited (config_edit.c) ---- */
/* <text> with <key> of [kind name] (name "": [kind]) set to <value>: in its line if it has one, else in a new one at the end of
 * the section, which is made if need be. NULL <value>: a line that sets the key then sets its <otherwise>. New memory. */
char *ct_config_edit(const char *text, const char *kind, const char *name, const char *key, const char *value,
                     const char *otherwise);

#endif
