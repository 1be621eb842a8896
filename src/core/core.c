/* Errors, memory at start-up, time. */
#include <comptop/core.h>

#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static const struct {
  const char *name, *text;
  int exit_code;
} error_table[] = {
  { "ok", "no error", 0 },
#define X(name, text, exit_code) { "CT_E" #name, text, exit_code },
  CT_ERRORS(X)
#undef X
};

static size_t error_row(int code)
{
  size_t row = code <= 0 ? (size_t)-(long)code : 0;
  return row < sizeof error_table / sizeof *error_table ? row : 0;
}

const char *ct_err_name(int code) { return error_table[error_row(code)].name; }
const char *ct_err_text(int code) { return error_table[error_row(code)].text; }
int ct_err_exit(int code) { return error_table[error_row(code)].exit_code; }

int ct_err_set(struct ct_err *err, int code, const char *fmt, ...)
{
  if (err == NULL)
    return code;
  va_list args;
  va_start(args, fmt);
  vsnprintf(err->text, sizeof err->text, fmt, args);
  va_end(args);
  return code;
}

void ct_open_standard(void)
{
  for (int fd = 0; fd <= 2; fd++)
    if (fcntl(fd, F_GETFD) < 0 && open("/dev/null", O_RDWR) < 0)      /* the lowest that is free */
      abort();
}

void *ct_xcalloc(size_t count, size_t size_bytes)
{
  void *memory = calloc(count ? count : 1, size_bytes ? size_bytes : 1);
  if (memory == NULL) {
    fprintf(stderr, "comptop: no memory for %zu x %zu bytes; lower run.memory_MB or run.buffer_MB\n", count,
            size_bytes);
    exit(ct_err_exit(CT_ENOMEM));
  }
  return memory;
}

void *ct_xgrow(void *list, size_t *room, size_t size_bytes)
{
  const size_t more = *room > 0 ? 2 * *room : 16;
  void *grown = ct_xcalloc(more, size_bytes);
  if (*room > 0)
    memcpy(grown, list, *room * size_bytes);
  free(list);
  *room = more;
  return grown;
}

int ct_by_float(const void *a, const void *b)
{
  const float x = *(const float *)a, y = *(const float *)b;
  return (x > y) - (x < y);
}

int ct_by_double(const void *a, const void *b)
{
  const double x = *(const double *)a, y = *(const double *)b;
  return (x > y) - (x < y);
}

static int64_t clock_ns(clockid_t clock)
{
  struct timespec now;
  clock_gettime(clock, &now);
  return (int64_t)now.tv_sec * CT_NS_PER_S + now.tv_nsec;
}

int64_t ct_time_wall_ns(void) { return clock_ns(CLOCK_REALTIME); }
int64_t ct_time_mono_ns(void) { return clock_ns(CLOCK_MONOTONIC); }
int64_t ct_time_cpu_ns(void) { return clock_ns(CLOCK_THREAD_CPUTIME_ID); }

char *ct_time_text(int64_t wall_ns, char text[CT_TIME_TEXT])
{
  time_t seconds = (time_t)(wall_ns / CT_NS_PER_S);
  int64_t rest_ns = wall_ns % CT_NS_PER_S;
  if (rest_ns < 0) {
    seconds--;
    rest_ns += CT_NS_PER_S;
  }
  struct tm utc;
  if (gmtime_r(&seconds, &utc) == NULL || utc.tm_year < -1900 || utc.tm_year > 8099)
    utc = (struct tm){ .tm_year = 70, .tm_mday = 1 };
  size_t length = strftime(text, CT_TIME_TEXT, "%Y-%m-%dT%H:%M:%S", &utc);
  snprintf(text + length, CT_TIME_TEXT - length, ".%03dZ", (int)(rest_ns / 1000000));
  return text;
}
