#include "view/words.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

/* Beyond this no figure is worth its digits, nor has a prefix. */
static const double largest = 1e21, largest_plain = 1e9;

const char *ct_word_measured(char out[CT_WORD], double value, double sigma)
{
  if (!isfinite(value)) {
    snprintf(out, CT_WORD, "no data");
    return out;
  }
  if (fabs(value) >= largest_plain || sigma >= largest_plain) {
    snprintf(out, CT_WORD, isfinite(sigma) ? "%.3g ± %.2g" : "%.3g", value, sigma);
    return out;
  }
  int decimals = sigma > 0 && isfinite(sigma) ? 1 - (int)floor(log10(sigma)) : 3;
  decimals = decimals < 0 ? 0 : decimals > 6 ? 6 : decimals;
  if (fabs(value) < 0.5 * pow(10, -decimals))
    value = 0;                   /* not "-0.00" */
  if (isfinite(sigma))
    snprintf(out, CT_WORD, "%.*f ± %.*f", decimals, value, decimals, sigma);
  else
    snprintf(out, CT_WORD, "%.*f", decimals, value);
  return out;
}

/* Three digits of <value> in 1..999 and more, "999" rather than "1e+03". */
static int decimals_for(double value, int digits)
{
  double size = fabs(value);
  int before = size >= 99.95 ? 3 : size >= 9.995 ? 2 : 1;
  return digits > before ? digits - before : 0;
}

static void scale(double *value, const char **prefix)
{
  static const char *const prefixes[] = { "n", "µ", "m", "", "k", "M", "G", "T", "P", "E" };
  int index = 3;
  double size = fabs(*value);
  for (; size >= 999.5 && index < 9; index++)
    size /= 1000;
  for (; size > 0 && size < 0.9995 && index > 0; index--)
    size *= 1000;
  *value = copysign(size, *value);
  *prefix = prefixes[index];
}

const char *ct_word_short(char out[CT_WORD], double value)
{
  if (!isfinite(value)) {
    snprintf(out, CT_WORD, "-");
    return out;
  }
  if (fabs(value) < 999.5 || fabs(value) >= largest) {
    snprintf(out, CT_WORD, fabs(value) < largest ? "%.0f" : "%.2g", value);
    return out;
  }
  const char *prefix;
  scale(&value, &prefix);
  snprintf(out, CT_WORD, "%.*f%s", decimals_for(value, 3), value, prefix);
  return out;
}

const char *ct_word_brief(char out[CT_WORD], double value)
{
  const char *prefix = "";
  if (fabs(value) >= 999.5 && fabs(value) < largest)
    scale(&value, &prefix);
  snprintf(out, CT_WORD, "%.3g%s", value, prefix);
  return out;
}

const char *ct_word_time(char out[CT_WORD], double seconds)
{
  if (!isfinite(seconds))
    snprintf(out, CT_WORD, "-");
  else if (seconds < 120)
    snprintf(out, CT_WORD, seconds < 9.95 ? "%.1f s" : "%.0f s", seconds);
  else if (seconds < 7200)
    snprintf(out, CT_WORD, "%.0f min", seconds / 60);
  else if (seconds < 48 * 3600)
    snprintf(out, CT_WORD, "%.1f h", seconds / 3600);
  else
    snprintf(out, CT_WORD, seconds < 1e9 ? "%.1f d" : "%.2g d", seconds / 86400);
  return out;
}

const char *ct_word_age(char out[CT_WORD], double seconds)
{
  ct_word_time(out, seconds);
  size_t length = strlen(out);
  snprintf(out + length, CT_WORD - length, " old");
  return out;
}

const char *ct_word_unit(char out[CT_WORD], double value, int digits, bool sign, const char *unit)
{
  if (!isfinite(value)) {
    snprintf(out, CT_WORD, "- %s", unit);
    return out;
  }
  if (fabs(value) >= largest) {
    snprintf(out, CT_WORD, "%.2g %s", value, unit);
    return out;
  }
  const char *prefix;
  scale(&value, &prefix);
  snprintf(out, CT_WORD, sign && value != 0 ? "%+.*f %s%s" : "%.*f %s%s", decimals_for(value, digits), value, prefix, unit);
  return out;
}

const char *ct_word_clock(char out[CT_WORD], int64_t wall_ns)
{
  char text[CT_TIME_TEXT];
  snprintf(out, CT_WORD, "%.8sZ", ct_time_text(wall_ns, text) + strlen("2026-11-22T"));
  return out;
}

double ct_round_step(double least)
{
  double power = pow(10, floor(log10(least))), factor = least / power;
  return power * (factor <= 1.0001 ? 1 : factor <= 2.0001 ? 2 : factor <= 5.0001 ? 5 : 10);
}

const char *ct_word_tick(char out[CT_WORD], double value, int decimals)
{
  if (fabs(value) >= largest_plain)
    snprintf(out, CT_WORD, "%.3g", value);
  else
    snprintf(out, CT_WORD, "%.*f", decimals, fabs(value) < 0.5 * pow(10, -decimals) ? 0.0 : value);
  return out;
}
