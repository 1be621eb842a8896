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
};

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
/* CT_ECONFIG "unknown section ..."; for a heading or a path that names none. */
int ct_store_unknown_section(const struct ct_settings *settings, const char *section, struct ct_err *err);
/* What is required of the whole, then the table's own check. */
int ct_store_finish(const struct ct_settings *settings, struct ct_err *err) CT_MUST_CHECK;

/* The text of a configuration file into the store; errors begin with "<name>:<line>: ". */
int ct_store_read_text(struct ct_settings *settings, const char *name, const char *text, size_t len_bytes,
                       struct ct_err *err) CT_MUST_CHECK;
/* The file <path>, or where that is NULL the first of the usual places. */
int ct_store_read_file(struct ct_settings *settings, const char *path, struct ct_err *err) CT_MUST_CHECK;

#endif
