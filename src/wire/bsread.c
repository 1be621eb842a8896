/* Scalars: a main header, a data header, and two parts for each channel (paulscherrerinstitute/bsread_python). */
#include <comptop/wire.h>

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "wire/header.h"

struct channel {
  char name[CT_WIRE_NAME];
  enum ct_type type;
  bool big, scalar;           /* not scalar: a string or several numbers, skipped */
};

struct ct_wire_bsread {
  char hash[128];             /* of the data header <channels> came from; "" for none */
  size_t n_channels;
  struct channel channels[CT_WIRE_CHANNELS];
};

int ct_wire_bsread_new(struct ct_wire_bsread **out, struct ct_err *err)
{
  *out = calloc(1, sizeof **out);
  return *out != NULL ? 0 : ct_err_set(err, CT_ENOMEM, "no memory for a bsread decoder");
}

void ct_wire_bsread_free(struct ct_wire_bsread *bsread) { free(bsread); }

static bool reject(struct ct_wire_scalars *out, enum ct_reject kind, const char *fmt, ...) CT_PRINTF(3, 4);
static bool reject(struct ct_wire_scalars *out, enum ct_reject kind, const char *fmt, ...)
{
  va_list args;
  va_start(args, fmt);
  reason_set(out->reason, fmt, args);
  va_end(args);
  out->verdict = CT_WIRE_REJECT;
  out->reject = kind;
  return false;
}

/* ---- JSON ------------------------------------------------------------------------------------ */
static json_t *load(const struct ct_wire_part *part, const char *what, struct ct_wire_scalars *out)
{
  json_error_t error;
  if (part->bytes > CT_WIRE_HEADER_BYTES) {
    reject(out, CT_REJECT_HEADER_SIZE, "a %s of %zu bytes; at most %d are read", what, part->bytes,
           CT_WIRE_HEADER_BYTES);
    return NULL;
  }
  json_t *json = json_loadb(part->bytes > 0 ? part->data : "", part->bytes, 0, &error);
  if (!json_is_object(json)) {
    reject(out, CT_REJECT_HEADER, "the %s is not a JSON object: %s", what, json == NULL ? error.text : "");
    json_decref(json);
    return NULL;
  }
  return json;
}

/* Is <key> of <json> absent, null, "" or "none"? */
static bool uncompressed(const json_t *json, const char *key)
{
  const json_t *value = json_object_get(json, key);
  if (value == NULL || json_is_null(value))
    return true;
  const char *text = json_string_value(value);
  return text != NULL && (text[0] == '\0' || strcmp(text, "none") == 0);
}

/* Starts with "bsr_m-1." or the like: minor versions only add keys. */
static bool htype_is(const json_t *json, const char *start)
{
  const char *htype = json_string_value(json_object_get(json, "htype"));
  return htype != NULL && strncmp(htype, start, strlen(start)) == 0;
}

static bool read_type(const char *text, struct channel *channel)
{
  channel->scalar = true;
  channel->type = CT_F64;
  if (text == NULL)
    return true;
  for (int i = 0; i < CT_TYPE_COUNT; i++)
    if (strcmp(text, ct_type_text((enum ct_type)i)) == 0) {
      channel->type = (enum ct_type)i;
      return true;
    }
  channel->type = CT_U8;
  if (strcmp(text, "bool") == 0)
    return true;
  channel->scalar = false;
  return strcmp(text, "string") == 0;
}

static bool is_one(const json_t *shape)
{
  for (size_t i = 0; i < json_array_size(shape); i++)
    if (json_integer_value(json_array_get(shape, i)) != 1)
      return false;
  return true;
}

static bool read_channel(const json_t *json, struct channel *channel, struct ct_wire_scalars *out)
{
  const char *name = json_string_value(json_object_get(json, "name"));
  if (name == NULL || name[0] == '\0' || strlen(name) >= sizeof channel->name)
    return reject(out, CT_REJECT_KEY, "a channel has no \"name\" of 1 to %d bytes", CT_WIRE_NAME - 1);
  strcpy(channel->name, name);
  const json_t *type = json_object_get(json, "type");
  if ((type != NULL && !json_is_string(type)) || !read_type(json_string_value(type), channel))
    return reject(out, CT_REJECT_TYPE, "channel %s has the unknown type \"%.40s\"", name,
                  json_is_string(type) ? json_string_value(type) : "?");
  const json_t *shape = json_object_get(json, "shape");
  if (shape != NULL && !json_is_array(shape))
    return reject(out, CT_REJECT_SHAPE, "channel %s has a \"shape\" that is not an array", name);
  if (!is_one(shape))
    channel->scalar = false;
  const char *encoding = json_string_value(json_object_get(json, "encoding"));
  channel->big = encoding != NULL && strcmp(encoding, "big") == 0;
  if (!channel->big && encoding != NULL && strcmp(encoding, "little") != 0)
    return reject(out, CT_REJECT_KEY, "channel %s has an \"encoding\" that is neither big nor little", name);
  if (!uncompressed(json, "compression"))
    return reject(out, CT_REJECT_COMPRESSED, "channel %s is compressed with \"%.40s\", not yet in this version", name,
                  json_is_string(json_object_get(json, "compression"))
                    ? json_string_value(json_object_get(json, "compression")) : "?");
  return true;
}

static bool read_channels(struct ct_wire_bsread *bsread, const json_t *json, struct ct_wire_scalars *out)
{
  const json_t *channels = json_object_get(json, "channels");
  if (!htype_is(json, "bsr_d-1."))
    return reject(out, CT_REJECT_FORMAT, "the data header's \"htype\" is not bsr_d-1.x");
  if (!json_is_array(channels))
    return reject(out, CT_REJECT_KEY, "the data header has no \"channels\"");
  if (json_array_size(channels) > CT_WIRE_CHANNELS)
    return reject(out, CT_REJECT_PARTS, "%zu channels; at most %d are read", json_array_size(channels),
                  CT_WIRE_CHANNELS);
  for (size_t i = 0; i < json_array_size(channels); i++)
    if (!read_channel(json_array_get(channels, i), &bsread->channels[i], out))
      return false;
  bsread->n_channels = json_array_size(channels);
  return true;
}

/* The data header, unless <hash> says that it is the one already known. */
static bool read_data_header(struct ct_wire_bsread *bsread, const char *hash, const struct ct_wire_part *part,
                             struct ct_wire_scalars *out)
{
  if (hash != NULL && hash[0] != '\0' && strcmp(hash, bsread->hash) == 0)
    return true;
  bsread->hash[0] = '\0';
  json_t *json = load(part, "data header", out);
  if (json == NULL)
    return false;
  bool good = read_channels(bsread, json, out);
  json_decref(json);
  if (good && hash != NULL && strlen(hash) < sizeof bsread->hash)
    strcpy(bsread->hash, hash);
  return good;
}

/* Seconds and nanoseconds as one number; false when they make none. */
static bool join_ns(int64_t sec, int64_t ns, int64_t *time_ns)
{
  if (sec < INT64_MIN / CT_NS_PER_S + 1 || sec > INT64_MAX / CT_NS_PER_S - 1 || ns < 0 || ns >= CT_NS_PER_S)
    return false;
  *time_ns = sec * CT_NS_PER_S + ns;
  return true;
}

static bool read_main_header(struct ct_wire_bsread *bsread, const json_t *json, const struct ct_wire_part *data_header,
                             struct ct_wire_scalars *out)
{
  if (!htype_is(json, "bsr_m-1."))
    return reject(out, CT_REJECT_FORMAT, "the main header's \"htype\" is not bsr_m-1.x");
  if (!uncompressed(json, "dh_compression"))
    return reject(out, CT_REJECT_COMPRESSED, "the data header is compressed with \"%.40s\", not yet in this version",
                  json_is_string(json_object_get(json, "dh_compression"))
                    ? json_string_value(json_object_get(json, "dh_compression")) : "?");
  const json_t *pulse_id = json_object_get(json, "pulse_id");
  if (!json_is_integer(pulse_id) || json_integer_value(pulse_id) < 0)
    return reject(out, CT_REJECT_KEY, "the main header has no \"pulse_id\"");
  out->pulse_id = (uint64_t)json_integer_value(pulse_id);
  const json_t *stamp = json_object_get(json, "global_timestamp");
  const json_t *sec = json_object_get(stamp, "sec");
  if (sec == NULL)
    sec = json_object_get(stamp, "epoch");
  if (!json_is_integer(sec) ||
      !join_ns(json_integer_value(sec), json_integer_value(json_object_get(stamp, "ns")), &out->time_ns))
    return reject(out, CT_REJECT_KEY, "the main header has no \"global_timestamp\" of sec and ns");
  return read_data_header(bsread, json_string_value(json_object_get(json, "hash")), data_header, out);
}

/* ---- values ---------------------------------------------------------------------------------- */
static uint64_t get_bits(const unsigned char *at, size_t bytes, bool big)
{
  uint64_t bits = 0;
  for (size_t i = 0; i < bytes; i++)
    bits |= (uint64_t)at[i] << 8 * (big ? bytes - 1 - i : i);
  return bits;
}

static double to_double(uint64_t bits, enum ct_type type)
{
  float single;
  double number;
  uint32_t low = (uint32_t)bits;
  switch (type) {
  case CT_I8: return (int8_t)(uint8_t)bits;
  case CT_I16: return (int16_t)(uint16_t)bits;
  case CT_I32: return (int32_t)low;
  case CT_I64: return (double)(int64_t)bits;
  case CT_F32: memcpy(&single, &low, sizeof single); return (double)single;
  case CT_F64: memcpy(&number, &bits, sizeof number); return number;
  default: return (double)bits;
  }
}

static bool read_value(const struct channel *channel, const struct ct_wire_part parts[2], struct ct_wire_scalars *out)
{
  if (parts[1].bytes != 0 && parts[1].bytes != 16)
    return reject(out, CT_REJECT_SIZE, "channel %s has a time stamp of %zu bytes, not 16", channel->name,
                  parts[1].bytes);
  if (!channel->scalar || parts[0].bytes == 0)
    return true;
  if (parts[0].bytes != ct_type_bytes(channel->type))
    return reject(out, CT_REJECT_SIZE, "channel %s has %zu bytes where one %s is %zu", channel->name, parts[0].bytes,
                  ct_type_text(channel->type), ct_type_bytes(channel->type));
  struct ct_wire_scalar *value = &out->values[out->n];
  value->name = channel->name;
  value->value = to_double(get_bits(parts[0].data, parts[0].bytes, channel->big), channel->type);
  value->time_ns = out->time_ns;
  if (parts[1].bytes == 16) {
    const unsigned char *at = parts[1].data;
    int64_t time_ns;
    /* Senders disagree whether the channel's endianness is its time stamp's too: one that makes no time is not worth
     * the value, which then has the message's time. */
    if (join_ns((int64_t)get_bits(at, 8, channel->big), (int64_t)get_bits(at + 8, 8, channel->big), &time_ns))
      value->time_ns = time_ns;
  }
  out->n++;
  return true;
}

void ct_wire_bsread_decode(struct ct_wire_bsread *bsread, const struct ct_wire_part *parts, size_t n_parts,
                           struct ct_wire_scalars *out)
{
  memset(out, 0, offsetof(struct ct_wire_scalars, values));
  if (n_parts < 2 || n_parts % 2 != 0) {
    reject(out, CT_REJECT_PARTS, "%zu message parts; bsread has two headers and two parts for each channel", n_parts);
    return;
  }
  json_t *json = load(&parts[0], "main header", out);
  if (json == NULL)
    return;
  bool good = read_main_header(bsread, json, &parts[1], out);
  json_decref(json);
  if (!good)
    return;
  if (n_parts != 2 + 2 * bsread->n_channels) {
    reject(out, CT_REJECT_PARTS, "%zu message parts where %zu channels make %zu", n_parts, bsread->n_channels,
           2 + 2 * bsread->n_channels);
    return;
  }
  for (size_t i = 0; i < bsread->n_channels; i++)
    if (!read_value(&bsread->channels[i], &parts[2 + 2 * i], out)) {
      out->n = 0;
      return;
    }
}
