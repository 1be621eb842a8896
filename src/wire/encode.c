/* Messages as comptop-sim and comptop-replay publish them. */
#include <comptop/wire.h>

#include <locale.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Text that grows in a fixed buffer; <used> may pass <size>, then it did not fit. */
struct text {
  char *buffer;
  size_t size, used;
};

static void put(struct text *text, const char *fmt, ...) CT_PRINTF(2, 3);
static void put(struct text *text, const char *fmt, ...)
{
  va_list args;
  va_start(args, fmt);
  size_t room = text->used < text->size ? text->size - text->used : 0;
  int bytes = vsnprintf(room > 0 ? text->buffer + text->used : NULL, room, fmt, args);
  va_end(args);
  text->used += (size_t)(bytes > 0 ? bytes : 0);
}

/* A quoted JSON string. */
static void put_string(struct text *text, const char *string)
{
  put(text, "\"");
  for (const char *at = string; *at != '\0'; at++) {
    unsigned char c = (unsigned char)*at;
    if (c == '"' || c == '\\')
      put(text, "\\%c", c);
    else if (c < 0x20)
      put(text, "\\u%04x", c);
    else
      put(text, "%c", c);
  }
  put(text, "\"");
}

/* The shortest of 15 or 17 digits that reads back the same, with a decimal point in every locale. */
static void put_double(struct text *text, double number)
{
  char digits[40], *point;
  snprintf(digits, sizeof digits, "%.15g", number);
  if (strtod(digits, NULL) != number)
    snprintf(digits, sizeof digits, "%.17g", number);
  const char *theirs = localeconv()->decimal_point;
  size_t bytes = strlen(theirs);
  if (strcmp(theirs, ".") != 0 && (point = strstr(digits, theirs)) != NULL) {
    *point = '.';
    memmove(point + 1, point + bytes, strlen(point + bytes) + 1);
  }
  put(text, "%s", digits);
}

/* ,"name": or {"name": */
static void put_name(struct text *text, bool *any, const char *name)
{
  put(text, "%s", *any ? "," : ",\"ndattr\":{");
  *any = true;
  put_string(text, name);
  put(text, ":");
}

static void put_attributes(struct text *text, const struct ct_attributes *attributes, const struct ct_wire_names *names)
{
  static const struct ct_wire_names usual = { NULL, NULL, NULL, NULL, NULL };
  const struct ct_wire_names *given = names != NULL ? names : &usual;
  bool any = false;
  if ((attributes->present & CT_HAS_ANGLE) && isfinite(attributes->angle_deg)) {
    put_name(text, &any, given->angle != NULL ? given->angle : "RotationAngle");
    put_double(text, attributes->angle_deg);
  }
  if ((attributes->present & CT_HAS_Z) && isfinite(attributes->z_mm)) {
    put_name(text, &any, given->z != NULL ? given->z : "SampleZ");
    put_double(text, attributes->z_mm);
  }
  if ((attributes->present & CT_HAS_MODE) && attributes->mode != CT_MODE_UNKNOWN) {
    put_name(text, &any, given->mode != NULL ? given->mode : "Mode");
    put_string(text, attributes->mode == CT_MODE_XCT ? "xct" : "xcs");
  }
  if (attributes->present & CT_HAS_TRIGGER) {
    put_name(text, &any, given->trigger != NULL ? given->trigger : "Trigger");
    put(text, "%llu", (unsigned long long)attributes->trigger);
  }
  if (attributes->present & CT_HAS_KEY) {
    put_name(text, &any, given->image_key != NULL ? given->image_key : "ImageKey");
    put(text, "%d", attributes->image_key);
  }
  if (any)
    put(text, "}");
}

int ct_wire_array_header(char *buffer, size_t size, const struct ct_frame *frame, const char *source,
                         const struct ct_wire_names *names)
{
  struct text text = { .buffer = buffer, .size = size };
  put(&text, "{\"htype\":\"array-1.0\",\"shape\":[");
  if (frame->count > 1)
    put(&text, "%u,", frame->count);
  put(&text, "%u,%u],\"type\":\"%s\",\"endianness\":\"%s\",\"frame\":%llu,\"encoding\":\"\",\"source\":", frame->rows,
      frame->cols, ct_type_text(frame->type), frame->big_endian ? "big" : "little", (unsigned long long)frame->number);
  put_string(&text, source != NULL ? source : "");
  if ((frame->attributes.present & CT_HAS_TIME) && isfinite(frame->attributes.time_s)) {
    put(&text, ",\"timeStamp\":");
    put_double(&text, frame->attributes.time_s);
  }
  put_attributes(&text, &frame->attributes, names);
  put(&text, "}");
  return text.used < size && text.used <= INT32_MAX ? (int)text.used : CT_ERANGE;
}

/* ---- bsread ---------------------------------------------------------------------------------- */
/* FNV-1a (public domain, isthe.com/chongo/tech/comp/fnv): only says whether the data header has changed. */
static uint64_t fnv1a(const char *bytes, size_t n)
{
  uint64_t hash = UINT64_C(0xcbf29ce484222325);
  for (size_t i = 0; i < n; i++)
    hash = (hash ^ (unsigned char)bytes[i]) * UINT64_C(0x100000001b3);
  return hash;
}

static void put_le64(unsigned char *at, uint64_t number)
{
  for (int i = 0; i < 8; i++)
    at[i] = (unsigned char)(number >> 8 * i);
}

/* Whole seconds, rounded down, and the nanoseconds from 0 to 999999999 beyond. */
static void split_ns(int64_t time_ns, int64_t *sec, int64_t *ns)
{
  *sec = time_ns / CT_NS_PER_S;
  *ns = time_ns % CT_NS_PER_S;
  if (*ns < 0) {
    *sec -= 1;
    *ns += CT_NS_PER_S;
  }
}

static void put_data_header(struct text *text, const struct ct_wire_scalar *channels, size_t n)
{
  put(text, "{\"htype\":\"bsr_d-1.1\",\"channels\":[");
  for (size_t i = 0; i < n; i++) {
    put(text, "%s{\"name\":", i > 0 ? "," : "");
    put_string(text, channels[i].name);
    put(text, ",\"type\":\"float64\",\"shape\":[1],\"encoding\":\"little\"}");
  }
  put(text, "]}");
}

/* One channel's [value][seconds, nanoseconds] at <at>: the bytes used. */
static size_t put_channel(unsigned char *at, const struct ct_wire_scalar *channel, struct ct_wire_part part[2])
{
  part[0] = part[1] = (struct ct_wire_part){ at, 0 };
  if (isnan(channel->value))
    return 0;
  int64_t sec, ns;
  uint64_t bits;
  memcpy(&bits, &channel->value, sizeof bits);
  split_ns(channel->time_ns, &sec, &ns);
  put_le64(at, bits);
  put_le64(at + 8, (uint64_t)sec);
  put_le64(at + 16, (uint64_t)ns);
  part[0].bytes = 8;
  part[1] = (struct ct_wire_part){ at + 8, 16 };
  return 24;
}

int ct_wire_bsread_encode(unsigned char *buffer, size_t size, struct ct_wire_part *parts, size_t max_parts,
                          uint64_t pulse_id, int64_t time_ns, const struct ct_wire_scalar *channels, size_t n)
{
  if (n > CT_WIRE_CHANNELS || max_parts < 2 + 2 * n || size < 24 * n)
    return CT_ERANGE;
  size_t used = 0;
  for (size_t i = 0; i < n; i++)
    used += put_channel(buffer + used, &channels[i], &parts[2 + 2 * i]);
  struct text data = { .buffer = (char *)buffer + used, .size = size - used };
  put_data_header(&data, channels, n);
  if (data.used >= data.size)
    return CT_ERANGE;
  struct text head = { .buffer = data.buffer + data.used, .size = data.size - data.used };
  int64_t sec, ns;
  split_ns(time_ns, &sec, &ns);
  put(&head, "{\"htype\":\"bsr_m-1.1\",\"hash\":\"%016llx\",\"pulse_id\":%llu,"
             "\"global_timestamp\":{\"sec\":%lld,\"ns\":%lld},\"dh_compression\":\"none\"}",
      (unsigned long long)fnv1a(data.buffer, data.used), (unsigned long long)pulse_id, (long long)sec, (long long)ns);
  if (head.used >= head.size)
    return CT_ERANGE;
  parts[0] = (struct ct_wire_part){ head.buffer, head.used };
  parts[1] = (struct ct_wire_part){ data.buffer, data.used };
  return (int)(2 + 2 * n);
}
