/* core: errors, time, options and settings, text maps.
 * Ownership: callers own what they pass in; nothing here keeps a pointer to it, except that settings refer to their
 * option table and to argv for as long as they are open. Text that a getter returns belongs to the settings. */
#ifndef COMPTOP_CORE_H
#define COMPTOP_CORE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#if defined __GNUC__
#define CT_PRINTF(fmt_arg, first_arg) __attribute__((format(printf, fmt_arg, first_arg)))
#define CT_MUST_CHECK __attribute__((warn_unused_result))
#else
#define CT_PRINTF(fmt_arg, first_arg)
#define CT_MUST_CHECK
#endif

/* ---- errors ----------------------------------------------------------------------------------
 * Every function that can fail returns 0 or one of these, negative. X(name, text, exit code). */
#define CT_ERRORS(X)                                                            \
  X(USAGE, "wrong usage", 1)                                                    \
  X(CONFIG, "wrong configuration", 1)                                           \
  X(NOMEM, "out of memory", 1)                                                  \
  X(IO, "input or output failed", 1)                                            \
  X(FORMAT, "not in the expected format", 1)                                    \
  X(RANGE, "value out of range", 1)                                             \
  X(SHAPE, "wrong shape", 1)                                                    \
  X(TYPE, "wrong type", 1)                                                      \
  X(EXISTS, "exists already", 1)                                                \
  X(NOTFOUND, "not found", 1)                                                   \
  X(BUSY, "in use", 1)                                                          \
  X(UNSUPPORTED, "not yet in this version", 1)                                  \
  X(NODATA, "no data", 2)                                                       \
  X(STALE, "data stale or lost", 3)                                             \
  X(ARCHIVE, "archive unhealthy", 4)

enum ct_error {
  CT_ERROR_NONE_,
#define X(name, text, exit_code) CT_ERROR_##name##_,
  CT_ERRORS(X)
#undef X
#define X(name, text, exit_code) CT_E##name = -(int)CT_ERROR_##name##_,
  CT_ERRORS(X)
#undef X
};

/* What went wrong, where, and what to do: one sentence for a person. Filled on set-up paths only. */
struct ct_err {
  char text[512];
};

/* Formats into <err> (which may be NULL) and returns <code>, so that callers write `return ct_err_set(...)`. */
int ct_err_set(struct ct_err *err, int code, const char *fmt, ...) CT_PRINTF(3, 4);
/* The table's name ("CT_EUSAGE"), text and exit code of a code; 0 is "ok", "no error", 0. */
const char *ct_err_name(int code);
const char *ct_err_text(int code);
int ct_err_exit(int code);

/* The first thing in a program: of descriptors 0 to 2 those that its caller has closed become /dev/null, so that no file or
 * socket gets their numbers and what is printed. */
void ct_open_standard(void);

/* Memory at start-up: never NULL; prints one line and exits when there is none. Never used in a frame path. */
void *ct_xcalloc(size_t count, size_t size_bytes);
/* As much again, at least 16, for a list of *room that is full; what is new is zero. The old list is gone. Likewise. */
void *ct_xgrow(void *list, size_t *room, size_t size_bytes);

/* For qsort, ascending; what is compared has no NaN. */
int ct_by_float(const void *a, const void *b);
int ct_by_double(const void *a, const void *b);

/* ---- time ------------------------------------------------------------------------------------ */
#define CT_NS_PER_S INT64_C(1000000000)
int64_t ct_time_wall_ns(void);      /* UTC since the epoch */
int64_t ct_time_mono_ns(void);      /* never steps; for intervals */
int64_t ct_time_cpu_ns(void);       /* CPU time of the calling thread */
/* "2026-11-22T03:14:07.250Z" (milliseconds) into <text>, returns <text>. */
#define CT_TIME_TEXT 32
char *ct_time_text(int64_t wall_ns, char text[CT_TIME_TEXT]);

/* ---- parsing of values ----------------------------------------------------------------------------
 * All need the whole text to be the value: 0, or CT_EFORMAT, or CT_ERANGE where it is said.
 * Numbers are decimal (no hexadecimal, no infinities, no NaN). They rely on the C locale's decimal point:
 * programs may set LC_CTYPE, never LC_NUMERIC. */
int ct_parse_real(const char *text, double *value) CT_MUST_CHECK;      /* CT_ERANGE: overflows a double */
int ct_parse_int(const char *text, int64_t *value) CT_MUST_CHECK;      /* CT_ERANGE: overflows */
int ct_parse_bool(const char *text, bool *value) CT_MUST_CHECK;        /* on|off, yes|no, true|false, 1|0 */
/* Exactly <count> numbers with <separator> between them: "39.5,39.5". */
int ct_parse_numbers(const char *text, char separator, double *values, size_t count) CT_MUST_CHECK;
/* "start:end:width"; CT_ERANGE unless start < end and width > 0. */
int ct_parse_range(const char *text, double *start, double *end, double *width) CT_MUST_CHECK;
/* "a:b[,c:d...]" into at most <max> pairs: how many (at least 1), or CT_EFORMAT (too many too), or CT_ERANGE
 * unless each a < b. */
int ct_parse_intervals(const char *text, double (*intervals)[2], size_t max) CT_MUST_CHECK;
/* "x0:x1,y0:y1" in whole pixels, x1 and y1 not included; CT_ERANGE unless 0 <= x0 < x1 and 0 <= y0 < y1. */
struct ct_box {
  uint32_t x0, x1, y0, y1;
};
int ct_parse_box(const char *text, struct ct_box *box) CT_MUST_CHECK;
/* An HDF5 data set "FILE:/path": the length of FILE, with *dataset at "/path" inside <text>; 0 when it is not one. */
size_t ct_parse_dataset(const char *text, const char **dataset);

/* ---- options: one table a program ------------------------------------------------------------------- */
enum ct_option_kind {
  CT_OPTION_SWITCH,        /* flag without an argument; in a file and with -S: on|off */
  CT_OPTION_INTEGER,       /* within min..max, or one of <words> */
  CT_OPTION_REAL,          /* within min..max, or one of <words> */
  CT_OPTION_WORD,          /* one of <words> */
  CT_OPTION_WORDS,         /* comma-separated, each one of <words>; a repeated flag adds */
  CT_OPTION_TEXT,
  CT_OPTION_FILE,          /* a file name, or FILE:/dataset; not opened here */
  CT_OPTION_REAL_OR_FILE,  /* what is a number is the number, else a file name */
  CT_OPTION_ENDPOINT,      /* tcp://HOST:PORT, ipc://PATH, inproc://NAME */
  CT_OPTION_RANGE,         /* start:end:width */
  CT_OPTION_INTERVALS,     /* a:b[,c:d...] */
  CT_OPTION_POINT,         /* x,y */
  CT_OPTION_BOX,           /* x0:x1,y0:y1 */
  CT_OPTION_DISC,          /* x,y,radius */
  CT_OPTION_RING,          /* x,y,inner radius,outer radius */
  /* Flags that are no settings of their own: */
  CT_OPTION_STREAM,        /* ENDPOINT[,key=value...] of a [stream] section whose role is the flag's name */
  CT_OPTION_ASSIGN,        /* section.key=value */
  CT_OPTION_CONFIG,        /* the file to read */
  CT_OPTION_PRINT_CONFIG, CT_OPTION_HELP, CT_OPTION_VERSION, CT_OPTION_COMPLETION, CT_OPTION_DUMP
};

enum {
  CT_OPTION_NAMED = 1,         /* its section comes many times, with a name: [stream NAME] */
  CT_OPTION_REQUIRED = 2,      /* must be set in each such section */
  CT_OPTION_LATER = 4,         /* refused: "not yet in this version"; absent from help, man pages, --print-config */
  CT_OPTION_OPTIONAL_ARG = 8,  /* the flag's argument may be left out: the value is "" and counts as set */
  CT_OPTION_HIDDEN = 16,       /* works, but is absent from help and man pages */
  CT_OPTION_LIVE = 32          /* may change while the program runs */
};

/* A row. <section> NULL: command line only, its path is <key>. <words> are separated by '|'; the index a getter gives
 * is the place in that list; a word that ends in '!' is refused as not yet in this version. min == max: no limits.
 * <value> is the default; "" (or NULL): none, and then setting the key to nothing takes it back. */
struct ct_option {
  const char *section, *key;
  const char *flag;        /* long flag without "--", or NULL */
  char letter;             /* or 0 */
  enum ct_option_kind kind;
  const char *value;
  double min, max;
  const char *words;
  const char *argument;    /* what help calls the argument */
  const char *help;        /* a clause in lower case, no full stop */
  unsigned marks;
};

struct ct_settings;
struct ct_option_table {
  const char *program, *purpose;
  const char *arguments;               /* what the usage line calls them, NULL: there are none */
  size_t min_arguments, max_arguments;
  const struct ct_option *rows;
  size_t count;
  /* What single rows cannot say, looked at when all is parsed; may be NULL. */
  int (*check)(const struct ct_settings *settings, struct ct_err *err);
};

/* Rows every program has, rows of a program with keys, and of one with a configuration file too. */
#define CT_OPTIONS_COMMON                                                                                       \
  { .key = "help", .flag = "help", .letter = 'h', .kind = CT_OPTION_HELP, .help = "print this help and exit" }, \
  { .key = "version", .flag = "version", .letter = 'V', .kind = CT_OPTION_VERSION,                              \
    .help = "print the version and exit" },                                                                     \
  { .key = "completion", .flag = "completion", .kind = CT_OPTION_COMPLETION, .words = "bash|zsh",               \
    .argument = "SHELL", .help = "print a completion script for SHELL", .marks = CT_OPTION_HIDDEN },            \
  { .key = "options-table", .flag = "options-table", .kind = CT_OPTION_DUMP,                                    \
    .help = "print every flag and key, tab separated", .marks = CT_OPTION_HIDDEN }
#define CT_OPTIONS_KEYS                                                                                         \
  { .key = "set", .letter = 'S', .kind = CT_OPTION_ASSIGN, .argument = "SECTION.KEY=VALUE",                     \
    .help = "set one key" }
#define CT_OPTIONS_CONFIG                                                                                       \
  { .key = "config", .letter = 'c', .kind = CT_OPTION_CONFIG, .argument = "FILE",                              \
    .help = "read the settings in FILE" },                                                                      \
  CT_OPTIONS_KEYS,                                                                                              \
  { .key = "print-config", .flag = "print-config", .kind = CT_OPTION_PRINT_CONFIG,                              \
    .help = "print the settings in force and exit" }

/* comptop's own table (DESIGN 1.2, 1.6). */
extern const struct ct_option_table ct_comptop_options;
/* The row of "section.key" or "section.NAME.key"; NULL: there is none. */
const struct ct_option *ct_option_at(const struct ct_option_table *table, const char *path);
/* What a value may be: "0 to 100, or auto", "on, off", "x,y,radius"; "" where anything may be. */
const char *ct_option_range(const struct ct_option *row, char *out, size_t size);
/* The word <by> places behind <text> among those the row has, and round again; NULL where it has none. */
const char *ct_option_turn(const struct ct_option *row, const char *text, int by, char *out, size_t size);

/* ---- settings ----------------------------------------------------------------------------------------
 * Reads the configuration file if the table has CT_OPTION_CONFIG (-c, else $COMPTOP_CONFIG, else
 * $XDG_CONFIG_HOME/comptop/comptop.conf or ~/.config/comptop/comptop.conf, else SYSCONFDIR/comptop/comptop.conf; the
 * first two must exist), then the command line, later flags over earlier ones. Each value is checked by itself; the
 * error says where it stands. 0: settings in *out, to be closed. CT_SETTINGS_DONE: help or the like was written to
 * <output>, *out is NULL, exit with 0. CT_EUSAGE, CT_ECONFIG, CT_EUNSUPPORTED, CT_EIO: *out is NULL. */
#define CT_SETTINGS_DONE 1
int ct_settings_open(struct ct_settings **out, const struct ct_option_table *table, int argc, char **argv, FILE *output,
                     struct ct_err *err) CT_MUST_CHECK;
/* The same from configuration text alone; <name> is what messages call the file. */
int ct_settings_parse(struct ct_settings **out, const struct ct_option_table *table, const char *name, const char *text,
                      size_t len_bytes, struct ct_err *err) CT_MUST_CHECK;
void ct_settings_close(struct ct_settings *settings);   /* NULL is fine */

/* A path is "section.key", "section.NAME.key" of a section that exists, or "key" of a command-line row. A path that is
 * not in the table or a getter of another kind is a programming error and asserted. */
bool ct_settings_bool(const struct ct_settings *settings, const char *path);
int64_t ct_settings_int(const struct ct_settings *settings, const char *path);    /* 0 for a word or nothing */
double ct_settings_real(const struct ct_settings *settings, const char *path);    /* NaN for a word, file or nothing */
int ct_settings_word(const struct ct_settings *settings, const char *path);       /* place in <words>; -1: none */
unsigned ct_settings_words(const struct ct_settings *settings, const char *path); /* bit i: word i is in the list */
const char *ct_settings_text(const struct ct_settings *settings, const char *path); /* any kind; "" for nothing */
bool ct_settings_is_set(const struct ct_settings *settings, const char *path);    /* by somebody, not by default */
/* "i12.conf:14", "command line" or "default". */
const char *ct_settings_origin(const struct ct_settings *settings, const char *path);

/* Named sections in the order of first mention: how many [KIND NAME] there are, their names, and where that was. */
size_t ct_settings_sections(const struct ct_settings *settings, const char *kind);
const char *ct_settings_section_name(const struct ct_settings *settings, const char *kind, size_t index);
const char *ct_settings_section_origin(const struct ct_settings *settings, const char *kind, size_t index);
/* What is left on the command line after the flags; *count may be 0. */
const char *const *ct_settings_arguments(const struct ct_settings *settings, size_t *count);

/* Refuses a value after a later check: "i12.conf:14: hexitec.mask = m.txt: <message>". Returns CT_ECONFIG. */
int ct_settings_refuse(const struct ct_settings *settings, const char *path, struct ct_err *err, const char *fmt, ...)
  CT_PRINTF(4, 5);
/* The settings in force as a configuration file that gives the same settings again. 0 or CT_EIO. */
int ct_settings_print(const struct ct_settings *settings, FILE *output) CT_MUST_CHECK;

/* ---- settings that change ------------------------------------------------------------------------------
 * Changes one setting of a running program: <path> and <text> may be a stranger's. NULL <text>: its default again. The
 * value is checked as one in a file is, alone and with the others. 0; else nothing has changed: CT_ECONFIG or
 * CT_EUNSUPPORTED, "emf.p_low = 9: must be below ...". Its origin is then "changed 03:14:07Z", by <wall_ns>. */
int ct_settings_change(struct ct_settings *settings, const char *path, const char *text, int64_t wall_ns,
                       struct ct_err *err) CT_MUST_CHECK;
/* The value before the last change, until the next. */
const char *ct_settings_before(const struct ct_settings *settings);
/* Takes the last change back, where what it asks for turned out to be impossible; once. */
void ct_settings_undo(struct ct_settings *settings);
/* Writes what has changed since the start, or since it was last saved, into the configuration file that was read, or if
 * there was none into the user's own: its other lines stay as they are. *path is that file's name, as long as the settings
 * live. How many settings, or CT_EIO and nothing was written: it cannot be written, or it is no longer what was read. */
int ct_settings_save(struct ct_settings *settings, const char **path, struct ct_err *err) CT_MUST_CHECK;
/* Somebody else has written our changes into our file: they count as saved, and what it holds now as read. */
void ct_settings_saved_by_other(struct ct_settings *settings);
/* The file that save writes, without links where it is there; "" where there can be none. */
const char *ct_settings_file(const struct ct_settings *settings, char *path, size_t size);
size_t ct_settings_changed(const struct ct_settings *settings);   /* how many, that are not saved */

/* Settings (of section <only>, NULL: all) as a packed text for another process or a view, in the order of print: of each its
 * path, value and origin, all ended by NUL. pack: bytes used; what finds no room is left out. */
size_t ct_settings_pack(const struct ct_settings *settings, const char *only, char *out, size_t size);
struct ct_packed_setting {
  const char *path, *text, *origin;
};
/* Steps through: *at begins at 0; false at the end, or where the text is not of this form. */
bool ct_settings_unpack(const char *packed, size_t bytes, size_t *at, struct ct_packed_setting *out);

/* ---- text maps: one number a pixel ---------------------------------------------------------------------
 * Exactly <count> finite numbers, separated by white space (LF or CRLF), into <values>. 0; CT_EFORMAT names file, line
 * and token; CT_ESHAPE says how many there are; CT_EIO (map_read). On an error <values> is partly written. */
int ct_core_map_parse(const char *text, size_t len_bytes, size_t count, double *values, const char *name,
                      struct ct_err *err) CT_MUST_CHECK;
int ct_core_map_read(const char *path, size_t count, double *values, struct ct_err *err) CT_MUST_CHECK;

#endif
