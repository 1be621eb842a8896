/* What a program prints about its own options: help, version, completion, and the table for the check of the manual. */
#include "core/options.h"

#include <config.h>
#include <string.h>

enum { HELP_WIDTH = 79, HELP_COLUMN = 26 };

static bool is_told(const struct ct_option *row)
{
  return !(row->marks & (CT_OPTION_LATER | CT_OPTION_HIDDEN));
}

static bool is_flag(const struct ct_option *row)
{
  return row->flag != NULL || row->letter != 0;
}

/* "SEC", or the words of this version "tsv|json"; "" for a flag without an argument. */
static const char *argument_text(const struct ct_option *row, char text[160])
{
  text[0] = '\0';
  if (!ct_option_takes_argument(row))
    return text;
  if (row->argument != NULL)
    return row->argument;
  size_t used = 0;
  const char *cursor = row->words;
  struct ct_word word;
  while (ct_word_next(&cursor, &word)) {
    if (word.later || used + word.len + 2 > 160)
      continue;
    used += (size_t)snprintf(text + used, 160 - used, "%s%.*s", used ? "|" : "", (int)word.len, word.text);
  }
  return used ? text : "VALUE";
}

static bool default_worth_telling(const struct ct_option *row)
{
  return row->kind != CT_OPTION_SWITCH && row->value != NULL && *row->value != '\0';
}

/* Words of <text>, filled to HELP_WIDTH; lines begin at HELP_COLUMN. */
static void print_filled(const char *text, FILE *output)
{
  size_t column = HELP_COLUMN;
  while (*text != '\0') {
    size_t len = strcspn(text, " ");
    if (column + 1 + len > HELP_WIDTH) {
      fprintf(output, "\n%*s", HELP_COLUMN, "");
      column = HELP_COLUMN;
    }
    column += (size_t)fprintf(output, "%s%.*s", column > HELP_COLUMN ? " " : "", (int)len, text);
    text += len + (text[len] == ' ');
  }
  fputc('\n', output);
}

static void print_flag_help(const struct ct_option *row, FILE *output)
{
  char left[160], words[160], help[400];
  const char *argument = argument_text(row, words);
  bool optional = (row->marks & CT_OPTION_OPTIONAL_ARG) != 0;
  int used = 0;
  if (row->letter != 0)
    used = snprintf(left, sizeof left, "  -%c%s", row->letter, row->flag ? ", " : "");
  else
    used = snprintf(left, sizeof left, "      ");
  if (row->flag != NULL)
    used += snprintf(left + used, sizeof left - (size_t)used, "--%s", row->flag);
  if (*argument != '\0')
    used += snprintf(left + used, sizeof left - (size_t)used, optional ? " [%s]" : " %s", argument);
  if (used + 2 > HELP_COLUMN)
    fprintf(output, "%s\n%*s", left, HELP_COLUMN, "");
  else
    fprintf(output, "%-*s", HELP_COLUMN, left);
  if (default_worth_telling(row))
    snprintf(help, sizeof help, "%s (default %s)", row->help, row->value);
  else
    snprintf(help, sizeof help, "%s", row->help);
  print_filled(help, output);
}

static void print_help(const struct ct_option_table *table, FILE *output)
{
  fprintf(output, "Usage: %s [OPTION...]%s%s\n%s\n\n", table->program, table->arguments ? " " : "",
          table->arguments ? table->arguments : "", table->purpose);
  for (size_t i = 0; i < table->count; i++)
    if (is_flag(&table->rows[i]) && is_told(&table->rows[i]))
      print_flag_help(&table->rows[i], output);
  fprintf(output, "\nSee %s(1).\n", table->program);
}

/* ---- the table, for the check of the manual ------------------------------------------------------------ */

static const char *or_dash(const char *text)
{
  return text != NULL && *text != '\0' ? text : "-";
}

/* "flag <TAB> --long <TAB> -l <TAB> argument <TAB> default" and "key <TAB> section <TAB> key <TAB> default". */
static void print_table(const struct ct_option_table *table, FILE *output)
{
  char words[160];
  for (size_t i = 0; i < table->count; i++) {
    const struct ct_option *row = &table->rows[i];
    if (!is_told(row))
      continue;
    if (is_flag(row)) {
      fprintf(output, "flag\t%s%s\t", row->flag ? "--" : "", or_dash(row->flag));
      fprintf(output, row->letter ? "-%c" : "-", row->letter);
      fprintf(output, "\t%s\t%s\n", or_dash(argument_text(row, words)), or_dash(row->value));
    }
    if (row->section != NULL)
      fprintf(output, "key\t%s\t%s\t%s\n", row->section, row->key, or_dash(row->value));
  }
}

/* ---- completion ---------------------------------------------------------------------------------------- */

static void print_flags(const struct ct_option_table *table, FILE *output)
{
  const char *blank = "";
  for (size_t i = 0; i < table->count; i++) {
    const struct ct_option *row = &table->rows[i];
    if (!is_told(row))
      continue;
    if (row->flag != NULL) {
      fprintf(output, "%s--%s", blank, row->flag);
      blank = " ";
    }
    if (row->letter != 0) {
      fprintf(output, "%s-%c", blank, row->letter);
      blank = " ";
    }
  }
}

static void print_words(const char *words, FILE *output)
{
  const char *blank = "";
  struct ct_word word;
  while (ct_word_next(&words, &word)) {
    if (word.later)
      continue;
    fprintf(output, "%s%.*s", blank, (int)word.len, word.text);
    blank = " ";
  }
}

static void print_bash(const struct ct_option_table *table, FILE *output)
{
  fprintf(output, "# bash completion of %s; put it where bash-completion looks, or source it\n"
                  "_%s_complete() {\n"
                  "  local word=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD-1]}\n"
                  "  case $before in\n", table->program, table->program);
  for (size_t i = 0; i < table->count; i++) {
    const struct ct_option *row = &table->rows[i];
    if (!is_told(row) || !is_flag(row) || !ct_option_takes_argument(row) || row->words == NULL)
      continue;
    if (row->flag != NULL)
      fprintf(output, "    --%s%s", row->flag, row->letter ? "|" : ")");
    if (row->letter != 0)
      fprintf(output, "%s-%c)", row->flag ? "" : "    ", row->letter);
    fprintf(output, " COMPREPLY=($(compgen -W '");
    print_words(row->words, output);
    fprintf(output, "' -- \"$word\")); return ;;\n");
  }
  fprintf(output, "  esac\n"
                  "  if [[ $word == -* ]]; then\n"
                  "    COMPREPLY=($(compgen -W '");
  print_flags(table, output);
  fprintf(output, "' -- \"$word\"))\n"
                  "  else\n"
                  "    COMPREPLY=($(compgen -f -- \"$word\"))\n"
                  "  fi\n"
                  "}\n"
                  "complete -o filenames -F _%s_complete %s\n", table->program, table->program);
}

/* Inside '...' of zsh; ':' and brackets mean something to _arguments. */
static void print_zsh_text(const char *text, FILE *output)
{
  for (; *text != '\0'; text++) {
    if (strchr(":[]\\", *text) != NULL)
      fputc('\\', output);
    fputs(*text == '\'' ? "'\\''" : (char[]){ *text, '\0' }, output);
  }
}

static void print_zsh_flag(const struct ct_option *row, const char *prefix, const char *name, FILE *output)
{
  char words[160];
  fprintf(output, " \\\n  '*%s%s[", prefix, name);
  print_zsh_text(row->help, output);
  fputc(']', output);
  if (ct_option_takes_argument(row)) {
    fputs((row->marks & CT_OPTION_OPTIONAL_ARG) ? "::" : ":", output);
    print_zsh_text(argument_text(row, words), output);
    fputc(':', output);
    if (row->words != NULL) {
      fputc('(', output);
      print_words(row->words, output);
      fputc(')', output);
    } else if (row->kind == CT_OPTION_FILE || row->kind == CT_OPTION_CONFIG) {
      fputs("_files", output);
    }
  }
  fputc('\'', output);
}

static void print_zsh(const struct ct_option_table *table, FILE *output)
{
  fprintf(output, "#compdef %s\n_arguments -s", table->program);
  for (size_t i = 0; i < table->count; i++) {
    const struct ct_option *row = &table->rows[i];
    if (!is_told(row))
      continue;
    if (row->flag != NULL)
      print_zsh_flag(row, "--", row->flag, output);
    if (row->letter != 0)
      print_zsh_flag(row, "-", (char[]){ row->letter, '\0' }, output);
  }
  fprintf(output, "%s\n", table->max_arguments > 0 ? " \\\n  '*:file:_files'" : "");
}

int ct_option_act(const struct ct_option_table *table, const struct ct_option *row, const char *argument, FILE *output,
                  struct ct_err *err)
{
  switch (row->kind) {
  case CT_OPTION_HELP:
    print_help(table, output);
    break;
  case CT_OPTION_VERSION:
    fprintf(output, "%s %s\n", table->program, PACKAGE_VERSION);
    break;
  case CT_OPTION_DUMP:
    print_table(table, output);
    break;
  default: {
    int code = ct_option_check(row, argument, err);
    if (code)
      return ct_err_prefix(err, CT_EUSAGE, "--%s %.40s: ", row->flag, argument);
    (strcmp(argument, "zsh") == 0 ? print_zsh : print_bash)(table, output);
  }
  }
  return fflush(output) != 0 || ferror(output) ? ct_err_set(err, CT_EIO, "cannot write to standard output") : 0;
}
