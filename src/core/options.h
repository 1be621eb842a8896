/* Looking things up in an option table and checking single values against their row. Owns nothing. */
#ifndef CORE_OPTIONS_H
#define CORE_OPTIONS_H

#include <comptop/core.h>

/* One of a row's words; <later> when this version refuses it. */
struct ct_word {
  const char *text;
  size_t len;
  bool later;
};
/* Steps through <words> ("a|b!|c"): *cursor starts as <words>; false at the end. */
bool ct_word_next(const char **cursor, struct ct_word *word);
/* The place of <text> in <words>, -1 when it is none of them. */
int ct_word_find(const char *words, const char *text, size_t len);

/* NULL when there is none. <section> NULL means the command line. */
const struct ct_option *ct_option_find(const struct ct_option_table *table, const char *section, const char *key);
/* By what getopt_long gave: a letter or CT_OPTION_LONG + index of the row. */
enum { CT_OPTION_LONG = 256 };
const struct ct_option *ct_option_by_getopt(const struct ct_option_table *table, int value);
/* Does the table have this section (named or not, as asked)? */
bool ct_option_has_section(const struct ct_option_table *table, const char *section, bool named);
bool ct_option_takes_argument(const struct ct_option *row);
/* Is the row a setting (and not an action such as --help)? */
bool ct_option_is_setting(const struct ct_option *row);

/* 0, or the reason in err->text: CT_ECONFIG, CT_EUNSUPPORTED. Empty text is for the caller to deal with. */
int ct_option_check(const struct ct_option *row, const char *text, struct ct_err *err);

/* Puts a formatted place before the reason that is in err->text; returns <code>. */
int ct_err_prefix(struct ct_err *err, int code, const char *fmt, ...) CT_PRINTF(3, 4);

/* The candidate nearest to <text>, or NULL when none is near: offer every candidate, then ask. */
struct ct_guess {
  const char *text;
  char best[64];
  size_t distance;
};
void ct_guess_offer(struct ct_guess *guess, const char *candidate, size_t len);
/* "; did you mean 'theta_deg'?" or "" into <hint>. */
enum { CT_GUESS_HINT = 96 };
const char *ct_guess_hint(const struct ct_guess *guess, char hint[CT_GUESS_HINT]);

/* --help, --version, --completion, --options-table. 0 or CT_EUSAGE, CT_EIO. */
int ct_option_act(const struct ct_option_table *table, const struct ct_option *row, const char *argument, FILE *output,
                  struct ct_err *err);

#endif
