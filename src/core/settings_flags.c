/* The command line, through getopt_long, and how file, flags and checks come together. */
#include "core/settings_store.h"

#include <getopt.h>
#include <stdlib.h>
#include <string.h>

struct given {
  const struct ct_option *row;
  const char *text;
};

struct command_line {
  struct ct_settings *settings;
  int argc;
  char **argv;
  FILE *output;
  struct option *longs;
  char letters[2 * 64 + 2];
  const char *config;       /* of the last -c */
  bool print;               /* --print-config was there */
  struct given *given;      /* all flags, in their order */
  size_t n_given;
  struct ct_err *err;
};

static const char origin[] = "command line";

/* getopt's own tables, out of ours. */
static void make_tables(struct command_line *line)
{
  const struct ct_option_table *table = line->settings->table;
  size_t n_longs = 0, n_letters = 0;
  line->longs = ct_xcalloc(table->count + 1, sizeof *line->longs);
  line->letters[n_letters++] = ':';   /* tells a missing argument from an unknown flag */
  for (size_t i = 0; i < table->count; i++) {
    const struct ct_option *row = &table->rows[i];
    bool argument = ct_option_takes_argument(row);
    if (row->flag != NULL)
      line->longs[n_longs++] = (struct option){
        .name = row->flag,
        .has_arg = !argument                                 ? no_argument
                   : (row->marks & CT_OPTION_OPTIONAL_ARG) ? optional_argument
                                                           : required_argument,
        .val = CT_OPTION_LONG + (int)i,
      };
    if (row->letter != 0 && n_letters + 2 < sizeof line->letters) {
      line->letters[n_letters++] = row->letter;
      if (argument)
        line->letters[n_letters++] = ':';
    }
  }
}

/* What a message calls the flag. */
static const char *flag_text(const struct ct_option *row, char text[64])
{
  if (row->flag != NULL)
    snprintf(text, 64, "--%s", row->flag);
  else
    snprintf(text, 64, "-%c", row->letter);
  return text;
}

/* "section.key=value" or "section.NAME.key=value". */
static int assign(struct command_line *line, const char *text)
{
  char path[128], *value = strchr(text, '=');
  if (value == NULL || (size_t)(value - text) >= sizeof path)
    return ct_err_set(line->err, CT_EUSAGE, "-S %.100s: not of the form section.key=value", text);
  size_t len = (size_t)(value++ - text);
  while (len > 0 && text[len - 1] == ' ')
    len--;
  value += strspn(value, " ");
  memcpy(path, text, len);
  path[len] = '\0';
  char *kind, *name, *key;
  if (!ct_store_split(path, &kind, &name, &key))
    return ct_err_set(line->err, CT_EUSAGE, "-S %.100s: not of the form section.key=value", text);
  size_t section;
  const struct ct_option *row;
  int code = ct_store_section(line->settings, kind, name, origin, &section, line->err);
  if (code == 0)
    code = ct_store_find(line->settings, kind, key, &row, line->err);
  if (code == 0)
    code = ct_store_set(line->settings, section, row, value, origin, line->err);
  return code ? ct_err_prefix(line->err, code, "-S %.100s: ", text) : 0;
}

/* Has an earlier flag made this stream? Then a second one needs another name. */
static bool stream_taken(const struct ct_settings *settings, const char *name)
{
  const struct ct_option *row = ct_option_find(settings->table, "stream", "endpoint");
  for (size_t i = 1; i < settings->n_sections; i++) {
    const struct ct_section *section = &settings->sections[i];
    const struct ct_value *endpoint = &section->values[row - settings->table->rows];
    if (strcmp(section->kind, "stream") == 0 && strcmp(section->name, name) == 0)
      return endpoint->text != NULL && strcmp(endpoint->origin, origin) == 0;
  }
  return false;
}

static int set_stream_key(struct command_line *line, size_t section, const char *key, const char *value)
{
  const struct ct_option *row;
  int code = ct_store_find(line->settings, "stream", key, &row, line->err);
  if (code == 0)
    code = ct_store_set(line->settings, section, row, value, origin, line->err);
  return code ? ct_err_prefix(line->err, code, "%.40s = %.100s: ", key, value) : 0;
}

/* "ENDPOINT[,key=value...]", cut into <parts>. The section is called after its role, the second "ROLE-2" and so on,
 * unless name= is given. */
static int set_stream_parts(struct command_line *line, const char *role, char *parts)
{
  enum { MAX_PAIRS = 16 };
  char *keys[MAX_PAIRS], *values[MAX_PAIRS], name[CT_SECTION_NAME], *rest = parts;
  const char *endpoint = strsep(&rest, ","), *chosen = NULL;
  size_t n_pairs = 0, section;
  while (rest != NULL) {
    char *value = strsep(&rest, ","), *key = strsep(&value, "=");
    if (value == NULL || n_pairs == MAX_PAIRS)
      return ct_err_set(line->err, CT_ECONFIG, "'%.60s' is not key=value of [stream]", key);
    if (strcmp(key, "name") == 0) {
      chosen = value;
      continue;
    }
    keys[n_pairs] = key;
    values[n_pairs++] = value;
  }
  if (chosen != NULL && stream_taken(line->settings, chosen))
    return ct_err_set(line->err, CT_ECONFIG, "a stream '%.40s' was given before", chosen);
  snprintf(name, sizeof name, "%s", role);
  for (size_t number = 2; chosen == NULL && stream_taken(line->settings, name); number++)
    snprintf(name, sizeof name, "%s-%zu", role, number);
  int code = ct_store_section(line->settings, "stream", chosen ? chosen : name, origin, &section, line->err);
  if (code == 0)
    code = set_stream_key(line, section, "role", role);
  if (code == 0)
    code = set_stream_key(line, section, "endpoint", endpoint);
  for (size_t i = 0; i < n_pairs && code == 0; i++)
    code = set_stream_key(line, section, keys[i], values[i]);
  return code;
}

static int set_stream(struct command_line *line, const struct ct_option *flag, const char *text)
{
  size_t size = strlen(text) + 1;
  char *parts = memcpy(ct_xcalloc(size, 1), text, size);
  int code = set_stream_parts(line, flag->flag, parts);
  free(parts);
  return code ? ct_err_prefix(line->err, code, "--%s: ", flag->flag) : 0;
}

static int set_flag(struct command_line *line, const struct ct_option *row, const char *text)
{
  if (row->kind == CT_OPTION_ASSIGN)
    return assign(line, text);
  if (row->kind == CT_OPTION_STREAM)
    return set_stream(line, row, text);
  if (!ct_option_is_setting(row))
    return 0;
  bool argument = ct_option_takes_argument(row);
  int code = ct_store_set(line->settings, 0, row, argument ? text : "on", origin, line->err);
  char flag[64];
  return code ? ct_err_prefix(line->err, code, "%s %.100s: ", flag_text(row, flag), text) : 0;
}

/* Before the file is read: flags that are not known or not there yet, -c, and what prints and ends the program. */
static int look_at_flag(struct command_line *line, const struct ct_option *row, const char *text)
{
  char flag[64];
  if (row->marks & CT_OPTION_LATER)
    return ct_err_set(line->err, CT_EUNSUPPORTED, "%s: not yet in this version", flag_text(row, flag));
  switch (row->kind) {
  case CT_OPTION_CONFIG:
    line->config = text;
    return 0;
  case CT_OPTION_PRINT_CONFIG:
    line->print = true;
    return 0;
  case CT_OPTION_HELP: case CT_OPTION_VERSION: case CT_OPTION_COMPLETION: case CT_OPTION_DUMP: {
    int code = ct_option_act(line->settings->table, row, text, line->output, line->err);
    return code ? code : CT_SETTINGS_DONE;
  }
  default:
    return 0;
  }
}

static int refuse_flag(struct command_line *line, int value, const char *given)
{
  const struct ct_option_table *table = line->settings->table;
  const struct ct_option *row = optopt != 0 ? ct_option_by_getopt(table, optopt) : NULL;
  char flag[64];
  if (row != NULL && value == ':')
    return ct_err_set(line->err, CT_EUSAGE, "%s needs an argument; see %s --help", flag_text(row, flag),
                      table->program);
  if (row != NULL)
    return ct_err_set(line->err, CT_EUSAGE, "%s takes no argument; see %s --help", flag_text(row, flag),
                      table->program);
  if (optopt != 0)
    return ct_err_set(line->err, CT_EUSAGE, "unknown option -%c; see %s --help", optopt, table->program);
  char name[64], hint[CT_GUESS_HINT];
  snprintf(name, sizeof name, "%.*s", (int)strcspn(given, "="), given);
  struct ct_guess guess = { .text = name };
  for (size_t i = 0; i < table->count; i++)
    if (table->rows[i].flag != NULL && !(table->rows[i].marks & (CT_OPTION_HIDDEN | CT_OPTION_LATER))) {
      snprintf(flag, sizeof flag, "--%s", table->rows[i].flag);
      ct_guess_offer(&guess, flag, strlen(flag));
    }
  return ct_err_set(line->err, CT_EUSAGE, "unknown or ambiguous option %.60s%s; see %s --help", name,
                    ct_guess_hint(&guess, hint), table->program);
}

/* Every flag is given by at least one byte of its own. */
static size_t most_flags(const struct command_line *line)
{
  size_t most = 0;
  for (int i = 1; i < line->argc; i++)
    most += strlen(line->argv[i]);
  return most;
}

/* Goes over the flags, once: getopt moves them before the arguments, so that "--attach" at the end would find an
 * argument behind it the second time. What is to be set is kept until the file has been read. */
static int scan(struct command_line *line)
{
  line->given = ct_xcalloc(most_flags(line), sizeof *line->given);
  optind = 0;   /* glibc: start afresh */
  opterr = 0;
  for (;;) {
    int value = getopt_long(line->argc, line->argv, line->letters, line->longs, NULL);
    if (value == -1)
      return 0;
    if (value == '?' || value == ':')
      return refuse_flag(line, value, line->argv[optind - 1]);
    const struct ct_option *row = ct_option_by_getopt(line->settings->table, value);
    const char *text = optarg;
    /* "--attach RUN" as well as "--attach=RUN". */
    if (text == NULL && (row->marks & CT_OPTION_OPTIONAL_ARG) && optind < line->argc && line->argv[optind][0] != '-')
      text = line->argv[optind++];
    if (text == NULL)
      text = "";
    int code = look_at_flag(line, row, text);
    if (code)
      return code;
    line->given[line->n_given++] = (struct given){ row, text };
  }
}

static int take_arguments(struct command_line *line)
{
  struct ct_settings *settings = line->settings;
  const struct ct_option_table *table = settings->table;
  settings->n_arguments = optind < line->argc ? (size_t)(line->argc - optind) : 0;
  settings->arguments = (const char *const *)line->argv + optind;
  if (settings->n_arguments > table->max_arguments)
    return ct_err_set(line->err, CT_EUSAGE, "what is '%.100s'? see %s --help",
                      settings->arguments[table->max_arguments], table->program);
  if (settings->n_arguments < table->min_arguments)
    return ct_err_set(line->err, CT_EUSAGE, "%s is missing; see %s --help", table->arguments, table->program);
  return 0;
}

static bool has_config(const struct ct_option_table *table)
{
  for (size_t i = 0; i < table->count; i++)
    if (table->rows[i].kind == CT_OPTION_CONFIG)
      return true;
  return false;
}

static int print(struct command_line *line)
{
  if (ct_settings_print(line->settings, line->output))
    return ct_err_set(line->err, CT_EIO, "cannot write the settings");
  return CT_SETTINGS_DONE;
}

int ct_settings_open(struct ct_settings **out, const struct ct_option_table *table, int argc, char **argv, FILE *output,
                     struct ct_err *err)
{
  struct ct_err reason = { "" };
  struct command_line line = { .settings = ct_store_new(table), .argc = argc, .argv = argv, .output = output,
                               .err = &reason };
  *out = NULL;
  make_tables(&line);
  int code = scan(&line);
  if (code == 0 && has_config(table))
    code = ct_store_read_file(line.settings, line.config, &reason);
  for (size_t i = 0; i < line.n_given && code == 0; i++)
    code = set_flag(&line, line.given[i].row, line.given[i].text);
  if (code == 0)
    code = take_arguments(&line);
  if (code == 0)
    code = ct_store_finish(line.settings, &reason);
  if (code == 0 && line.print)
    code = print(&line);
  free(line.given);
  free(line.longs);
  if (code == 0) {
    *out = line.settings;
    return 0;
  }
  ct_settings_close(line.settings);
  if (code < 0 && err != NULL) {
    *err = reason;
    ct_err_prefix(err, code, "%s", "");
  }
  return code;
}

int ct_settings_parse(struct ct_settings **out, const struct ct_option_table *table, const char *name, const char *text,
                      size_t len_bytes, struct ct_err *err)
{
  struct ct_settings *settings = ct_store_new(table);
  int code = ct_store_read_text(settings, name, text, len_bytes, err);
  if (code == 0)
    code = ct_store_finish(settings, err);
  if (code)
    ct_settings_close(settings);
  *out = code ? NULL : settings;
  return code;
}
