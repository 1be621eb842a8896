/* core: errors, options, time. Ownership: callers own what they pass in; nothing here keeps a pointer unless it says so. */
#ifndef COMPTOP_CORE_H
#define COMPTOP_CORE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

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

/* Memory at start-up: never NULL; prints one line and exits when there is none. Never used in a frame path. */
void *ct_xcalloc(size_t count, size_t size_bytes);

/* ---- time ------------------------------------------------------------------------------------ */
#define CT_NS_PER_S INT64_C(1000000000)
int64_t ct_time_wall_ns(void);      /* UTC since the epoch */
int64_t ct_time_mono_ns(void);      /* never steps; for intervals */
int64_t ct_time_cpu_ns(void);       /* CPU time of the calling thread */
/* "2026-11-22T03:14:07.250Z" (milliseconds) into <text>, returns <text>. */
#define CT_TIME_TEXT 32
char *ct_time_text(int64_t wall_ns, char text[CT_TIME_TEXT]);

#endif
