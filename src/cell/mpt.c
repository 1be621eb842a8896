/* EC-Lab's text files, line by line as they come: a head that says how long it is, a line of column names with their
 * units, rows. Written by other versions and languages of the program: line ends, decimal commas, dates, bytes of an
 * old code page. */
#include <comptop/cell.h>

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { HEAD_LINES_MAX = 100000, NUMBER_BYTES = 64 };

/* ---- columns ------------------------------------------------------------------------------------------------------ */
/* Names of quantities, best first; µ is one byte or two. */
static const struct {
  enum ct_mpt_quantity quantity;
  const char *name;
} known[] = {
  { CT_MPT_TIME, "time" },
  { CT_MPT_VOLTAGE, "Ewe" }, { CT_MPT_VOLTAGE, "<Ewe>" }, { CT_MPT_VOLTAGE, "Ecell" }, { CT_MPT_VOLTAGE, "<Ecell>" },
  { CT_MPT_CURRENT, "I" }, { CT_MPT_CURRENT, "<I>" },
  { CT_MPT_CHARGE, "(Q-Qo)" }, { CT_MPT_CHARGE, "Q charge/discharge" }, { CT_MPT_CHARGE, "Capacity" },
};
enum { KNOWN = sizeof known / sizeof *known };

static const struct {
  enum ct_mpt_quantity quantity;
  const char *unit;
  double scale;
} units[] = {
  { CT_MPT_TIME, "s", 1 }, { CT_MPT_TIME, "ms", 1e-3 }, { CT_MPT_TIME, "min", 60 }, { CT_MPT_TIME, "h", 3600 },
  { CT_MPT_VOLTAGE, "V", 1 }, { CT_MPT_VOLTAGE, "mV", 1e-3 },
  { CT_MPT_CURRENT, "A", 1 }, { CT_MPT_CURRENT, "mA", 1e-3 }, { CT_MPT_CURRENT, "uA", 1e-6 },
  { CT_MPT_CURRENT, "\xb5" "A", 1e-6 }, { CT_MPT_CURRENT, "\xc2\xb5" "A", 1e-6 }, { CT_MPT_CURRENT, "nA", 1e-9 },
  { CT_MPT_CHARGE, "A.h", 1 }, { CT_MPT_CHARGE, "mA.h", 1e-3 }, { CT_MPT_CHARGE, "uA.h", 1e-6 },
  { CT_MPT_CHARGE, "\xb5" "A.h", 1e-6 }, { CT_MPT_CHARGE, "\xc2\xb5" "A.h", 1e-6 }, { CT_MPT_CHARGE, "C", 1 / 3600.0 },
};

/* The unit is what follows the last slash. */
static void take_column(struct ct_mpt *mpt, const char *text, unsigned column, unsigned rank[CT_MPT_QUANTITIES])
{
  const char *slash = strrchr(text, '/');
  if (slash == NULL)
    return;
  for (unsigned k = 0; k < KNOWN; k++) {
    if (strlen(known[k].name) != (size_t)(slash - text) || strncmp(text, known[k].name, (size_t)(slash - text)) != 0 ||
        k >= rank[known[k].quantity])
      continue;
    for (size_t u = 0; u < sizeof units / sizeof *units; u++) {
      if (units[u].quantity != known[k].quantity || strcmp(units[u].unit, slash + 1) != 0)
        continue;
      rank[known[k].quantity] = k;
      mpt->column[known[k].quantity] = column;
      mpt->scale[known[k].quantity] = units[u].scale;
    }
  }
}

/* Cuts a line at its tabs: the next piece, without the spaces around it; NULL at the end. */
static char *next_piece(char **rest)
{
  char *piece = *rest;
  if (piece == NULL)
    return NULL;
  char *tab = strchr(piece, '\t');
  *rest = tab != NULL ? tab + 1 : NULL;
  if (tab != NULL)
    *tab = '\0';
  piece += strspn(piece, " ");
  for (size_t n = strlen(piece); n > 0 && piece[n - 1] == ' '; n--)
    piece[n - 1] = '\0';
  return piece;
}

static int take_columns(struct ct_mpt *mpt, char *line, struct ct_err *err)
{
  unsigned rank[CT_MPT_QUANTITIES], column = 0;
  for (int i = 0; i < CT_MPT_QUANTITIES; i++) {
    rank[i] = KNOWN;
    mpt->column[i] = CT_MPT_NONE;
  }
  for (char *piece; (piece = next_piece(&line)) != NULL && column < CT_MPT_COLUMNS; column++)
    take_column(mpt, piece, column, rank);
  mpt->n_columns = column;
  if (mpt->column[CT_MPT_VOLTAGE] == CT_MPT_NONE && mpt->column[CT_MPT_CURRENT] == CT_MPT_NONE &&
      mpt->column[CT_MPT_CHARGE] == CT_MPT_NONE)
    return ct_err_set(err, CT_EFORMAT, "line %llu: no column of a voltage, a current or a charge (Ewe/V, I/mA, (Q-Qo)/mA.h)",
                      (unsigned long long)mpt->lines);
  mpt->state = CT_MPT_ROWS;
  return 0;
}

/* ---- numbers and dates --------------------------------------------------------------------------------------------- */
/* A finite number or NaN. */
static double scaled(double value, double scale)
{
  return isfinite(value * scale) ? value * scale : (double)NAN;
}

/* With a decimal comma as well; NaN for what is no number. */
static double number_of(const char *piece)
{
  char text[NUMBER_BYTES];
  double value;
  if (snprintf(text, sizeof text, "%s", piece) >= (int)sizeof text)
    return (double)NAN;
  char *comma = strchr(text, ',');
  if (comma != NULL && strchr(text, '.') == NULL)
    *comma = '.';
  return ct_parse_real(text, &value) == 0 ? value : (double)NAN;
}

/* Howard Hinnant, chrono-compatible low-level date algorithms: days since 1970-01-01. */
static int64_t days_of(int year, int month, int day)
{
  year -= month <= 2;
  const int era = (year >= 0 ? year : year - 399) / 400;
  const int yoe = year - era * 400, doy = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;
  return (int64_t)era * 146097 + yoe * 365 + yoe / 4 - yoe / 100 + doy - 719468;
}

/* Month first, as the program writes it, unless that cannot be; or the year first. Seconds since 1970 of the wall clock
 * where it was written; NaN: no date. */
static double date_of(const char *text)
{
  int a, b, c, hour, minute, used = 0;
  char rest[NUMBER_BYTES] = "", half = ' ';
  if (sscanf(text, "%4d%*[-/.]%2d%*[-/.]%4d %2d:%2d:%n%31[0-9.,] %c", &a, &b, &c, &hour, &minute, &used, rest, &half) < 6)
    return (double)NAN;
  const double second = number_of(rest);
  const bool year_first = a > 99, day_first = !year_first && a > 12;
  int year = year_first ? a : c, month = year_first ? b : day_first ? b : a, day = year_first ? c : day_first ? a : b;
  year += year < 70 ? 2000 : year < 100 ? 1900 : 0;
  if (half == 'P' || half == 'p' || half == 'A' || half == 'a')
    hour = hour % 12 + (half == 'P' || half == 'p' ? 12 : 0);
  if (year < 1970 || year > 9999 || month < 1 || month > 12 || day < 1 || day > 31 || hour < 0 || hour > 23 || minute < 0 ||
      minute > 59 || !(second >= 0 && second < 61))
    return (double)NAN;
  return (double)days_of(year, month, day) * 86400 + hour * 3600 + minute * 60 + second;
}

/* ---- lines ----------------------------------------------------------------------------------------------------------- */
static int take_head(struct ct_mpt *mpt, char *line, struct ct_err *err)
{
  static const char started[] = "Acquisition started on : ";
  if (mpt->lines == 1) {
    if (strstr(line, "EC-Lab ASCII FILE") == NULL && strstr(line, "BT-Lab ASCII FILE") == NULL)
      return ct_err_set(err, CT_EFORMAT, "not a text file of EC-Lab or BT-Lab: it begins with \"%.40s\"", line);
    return 0;
  }
  if (mpt->lines == 2) {
    long n;
    if (sscanf(line, "Nb header lines : %ld", &n) != 1 || n < 3 || n > HEAD_LINES_MAX)
      return ct_err_set(err, CT_EFORMAT, "line 2: \"%.40s\" does not say how many lines the head has", line);
    mpt->head_lines = (uint32_t)n;
    return 0;
  }
  if (strncmp(line, started, sizeof started - 1) == 0)
    mpt->start_s = date_of(line + sizeof started - 1);
  return mpt->lines == mpt->head_lines ? take_columns(mpt, line, err) : 0;
}

static void take_time(const struct ct_mpt *mpt, const char *piece, struct ct_mpt_row *row)
{
  if (strchr(piece, ':') != NULL) {
    row->wall_s = date_of(piece);
    return;
  }
  row->value[CT_MPT_TIME] = scaled(number_of(piece), mpt->scale[CT_MPT_TIME]);
  row->wall_s = mpt->start_s + row->value[CT_MPT_TIME];
}

static void take_row(struct ct_mpt *mpt, char *line, void (*take)(void *arg, const struct ct_mpt_row *row), void *arg)
{
  struct ct_mpt_row row = { .wall_s = (double)NAN };
  unsigned column = 0, found = 0;
  for (int i = 0; i < CT_MPT_QUANTITIES; i++)
    row.value[i] = (double)NAN;
  for (char *piece; (piece = next_piece(&line)) != NULL; column++)
    for (int i = 0; i < CT_MPT_QUANTITIES; i++) {
      if (mpt->column[i] != column)
        continue;
      if (i == CT_MPT_TIME)
        take_time(mpt, piece, &row);
      else
        row.value[i] = scaled(number_of(piece), mpt->scale[i]);
      found += i != CT_MPT_TIME && isfinite(row.value[i]);
    }
  if (found == 0) {
    mpt->bad_rows++;
    return;
  }
  mpt->rows++;
  take(arg, &row);
}

static int take_line(struct ct_mpt *mpt, void (*take)(void *arg, const struct ct_mpt_row *row), void *arg,
                     struct ct_err *err)
{
  mpt->line[mpt->length] = '\0';
  if (mpt->length > 0 && mpt->line[mpt->length - 1] == '\r')
    mpt->line[mpt->length - 1] = '\0';
  mpt->length = 0;
  mpt->lines++;
  if (mpt->state == CT_MPT_HEAD)
    return take_head(mpt, mpt->line, err);
  if (mpt->line[0] != '\0')
    take_row(mpt, mpt->line, take, arg);
  return 0;
}

void ct_mpt_init(struct ct_mpt *mpt)
{
  memset(mpt, 0, sizeof *mpt);
  mpt->start_s = (double)NAN;
}

int ct_mpt_feed(struct ct_mpt *mpt, const char *bytes, size_t n, void (*take)(void *arg, const struct ct_mpt_row *row),
                void *arg, struct ct_err *err)
{
  for (size_t i = 0; i < n && mpt->failed == 0; i++) {
    if (bytes[i] == '\n')
      mpt->failed = take_line(mpt, take, arg, err);
    else if (bytes[i] == '\0')
      mpt->failed = ct_err_set(err, CT_EFORMAT, "line %llu: a NUL byte; this is not a text file",
                               (unsigned long long)mpt->lines + 1);
    else if (mpt->length + 1 < CT_MPT_LINE)
      mpt->line[mpt->length++] = bytes[i];
    else
      mpt->failed = ct_err_set(err, CT_EFORMAT, "line %llu: longer than %d bytes", (unsigned long long)mpt->lines + 1,
                               CT_MPT_LINE);
  }
  return mpt->failed;
}
