/* Chunks: frames are copied in, checked, packed; the file's owner only has to write them. */
#include "archive/chunk.h"

#include "archive/codec.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

static const double chunk_bytes = 1 << 20, chunk_s = 0.25;
/* Each change of codec or mode is a new file: not more often than this. */
static const int64_t measure_every_ns = 60 * CT_NS_PER_S, mode_at_least_ns = CT_NS_PER_S, full_at_least_ns = CT_NS_PER_S;

uint32_t ct_chunk_frames(size_t frame_bytes, double frame_hz)
{
  double frames = chunk_bytes / (double)frame_bytes;
  if (frame_hz > 0 && frame_hz * chunk_s < frames)
    frames = frame_hz * chunk_s;
  uint32_t power = 1;
  while (power < CT_CHUNK_FRAMES_MAX && 2.0 * power <= frames)
    power *= 2;
  return power;
}

struct ct_chunk *ct_chunk_new(size_t bytes)
{
  struct ct_chunk *chunk = ct_xcalloc(1, sizeof *chunk);
  chunk->room_bytes = bytes;
  chunk->pixels = ct_xcalloc(bytes, 1);
  chunk->packed = ct_xcalloc(ct_codec_bound(bytes), 1);
  chunk->frames = ct_xcalloc(CT_CHUNK_FRAMES_MAX, sizeof *chunk->frames);
  ct_crc32_init(&chunk->crc);
  return chunk;
}

void ct_chunk_free(struct ct_chunk *chunk)
{
  if (chunk == NULL)
    return;
  free(chunk->frames);
  free(chunk->packed);
  free(chunk->pixels);
  free(chunk);
}

static bool same_kind(const struct ct_chunk *chunk, uint32_t rows, uint32_t cols, enum ct_type type)
{
  return chunk->rows == rows && chunk->cols == cols && chunk->type == type;
}

void ct_chunk_begin(struct ct_chunk *chunk, size_t stream, double frame_hz, const struct ct_chunk *previous)
{
  /* Kept aside first: <previous> may be <chunk>. */
  const uint32_t end = previous != NULL && previous->whole > 0 ? (previous->phase + previous->count) % previous->whole : 0;
  chunk->rows = previous != NULL ? previous->rows : 0;
  chunk->cols = previous != NULL ? previous->cols : 0;
  chunk->type = previous != NULL ? previous->type : CT_U8;
  chunk->whole = previous != NULL ? previous->whole : 0;
  chunk->phase = end;
  chunk->codec = previous != NULL ? previous->codec : CT_CODEC_NONE;
  chunk->measured_ns = previous != NULL ? previous->measured_ns : 0;
  chunk->mode = previous != NULL ? previous->mode : CT_MODE_UNKNOWN;
  chunk->mode_ns = previous != NULL ? previous->mode_ns : 0;
  chunk->stream = stream;
  chunk->frame_hz = frame_hz;
  chunk->count = 0;
  chunk->ready = NULL;
  chunk->ready_bytes = 0;
}

/* The first frame decides the shape; another one than before begins a new file, so the phase is lost. */
static bool take_shape(struct ct_chunk *chunk, const struct ct_frame *frame)
{
  chunk->frame_bytes = (size_t)frame->rows * frame->cols * ct_type_bytes(frame->type);
  uint32_t whole = ct_chunk_frames(chunk->frame_bytes, chunk->frame_hz);
  while (whole > 1 && whole * chunk->frame_bytes > chunk->room_bytes)
    whole /= 2;
  if (!same_kind(chunk, frame->rows, frame->cols, frame->type) || chunk->whole != whole) {
    chunk->phase = 0;
    chunk->measured_ns = 0;
  }
  chunk->rows = frame->rows;
  chunk->cols = frame->cols;
  chunk->type = frame->type;
  chunk->whole = whole;
  return whole * chunk->frame_bytes <= chunk->room_bytes;
}

static enum ct_mode mode_of(const struct ct_frame *frame)
{
  return frame->attributes.present & CT_HAS_MODE ? frame->attributes.mode : CT_MODE_UNKNOWN;
}

/* A file holds one mode, unless modes change faster than files should. */
static bool mode_ends(const struct ct_chunk *chunk, const struct ct_frame *frame)
{
  return mode_of(frame) != chunk->mode && frame->arrival_ns - chunk->mode_ns >= mode_at_least_ns;
}

static void copy_native(unsigned char *out, const unsigned char *in, size_t bytes, size_t element_bytes, bool swap)
{
  if (!swap || element_bytes == 1) {
    memcpy(out, in, bytes);
    return;
  }
  for (size_t i = 0; i < bytes; i += element_bytes)
    for (size_t b = 0; b < element_bytes; b++)
      out[i + b] = in[i + element_bytes - 1 - b];
}

uint32_t ct_chunk_add(struct ct_chunk *chunk, const struct ct_frame *frame, uint32_t first)
{
  assert(chunk->ready == NULL && first <= frame->count);
  if (chunk->count == 0 && mode_ends(chunk, frame)) {
    chunk->phase = 0;
    chunk->mode = mode_of(frame);
    chunk->mode_ns = frame->arrival_ns;
  }
  if (chunk->count == 0 && !take_shape(chunk, frame))
    return 0;
  if (!same_kind(chunk, frame->rows, frame->cols, frame->type) || mode_ends(chunk, frame))
    return 0;
  const uint32_t room = chunk->whole - chunk->phase - chunk->count, left = frame->count - first;
  const uint32_t n = left < room ? left : room;
  copy_native(chunk->pixels + chunk->count * chunk->frame_bytes, frame->pixels + first * chunk->frame_bytes,
              n * chunk->frame_bytes, ct_type_bytes(frame->type), frame->big_endian);
  for (uint32_t i = 0; i < n; i++)
    chunk->frames[chunk->count + i] = (struct ct_chunk_frame){
      .number = frame->number + first + i, .arrival_ns = frame->arrival_ns, .attributes = frame->attributes,
      .late = frame->late,
    };
  chunk->count += n;
  return n;
}

void ct_chunk_suppress(struct ct_chunk *chunk, uint32_t count, const struct ct_chunk_limits *limits)
{
  assert(count <= chunk->count);
  const size_t n_pixels = (size_t)chunk->rows * chunk->cols;
  unsigned char *pixels = chunk->pixels + (chunk->count - count) * chunk->frame_bytes;
  for (uint32_t k = 0; k < count; k++, pixels += chunk->frame_bytes)
    if (chunk->type == CT_U16) {
      uint16_t *v = (uint16_t *)(void *)pixels;      /* the buffer is one of its own, and frames are whole numbers of them */
      for (size_t i = 0; i < n_pixels; i++)
        v[i] = v[i] >= limits->least_ADU[i] ? v[i] : 0;
    } else if (chunk->type == CT_F32) {
      float *v = (float *)(void *)pixels;
      for (size_t i = 0; i < n_pixels; i++)
        v[i] = v[i] >= 0 && v[i] <= limits->above_keV ? 0 : v[i];
    }
}

uint32_t ct_chunk_count(const struct ct_chunk *chunk) { return chunk->count; }
size_t ct_chunk_stream(const struct ct_chunk *chunk) { return chunk->stream; }
bool ct_chunk_full(const struct ct_chunk *chunk)
{
  return chunk->count > 0 && chunk->phase + chunk->count == chunk->whole;
}

static size_t pack_with(struct ct_chunk *chunk, enum ct_codec codec)
{
  return ct_codec_pack(codec, chunk->pixels, chunk->count * chunk->frame_bytes, ct_type_bytes(chunk->type), chunk->packed);
}

/* What packs these pixels best, tried on them. The one in use stays unless another is clearly better; zstd, which costs
 * more and which not everybody can read, has to be better yet, and a plugin for it must be here. */
static enum ct_codec measure(struct ct_chunk *chunk)
{
  static const enum ct_codec candidates[] = { CT_CODEC_BSLZ4, CT_CODEC_LZ4, CT_CODEC_ZSTD };
  const double plain = (double)(chunk->count * chunk->frame_bytes);
  enum ct_codec best = CT_CODEC_NONE;
  double least = 0.95 * plain;
  for (size_t i = 0; i < sizeof candidates / sizeof *candidates; i++) {
    const enum ct_codec codec = candidates[i];
    if (codec == CT_CODEC_ZSTD && !ct_codec_has_plugin(codec))
      continue;
    const double handicap = codec == CT_CODEC_ZSTD ? 1.2 : chunk->measured_ns != 0 && codec != chunk->codec ? 1.1 : 1;
    const size_t packed = pack_with(chunk, codec);
    if (packed > 0 && (double)packed * handicap < least) {
      least = (double)packed * handicap;
      best = codec;
    }
  }
  return best;
}

/* ---- events ----------------------------------------------------------------------------------------------- */

/* How many elements of <width> bytes are not 0. Unless <ids> is NULL it lists them; <values> may begin with <pixels>. */
static uint32_t list_events(const unsigned char *pixels, size_t n_pixels, size_t width, uint32_t *ids, unsigned char *values)
{
  const size_t step = sizeof(uint64_t) / width;
  uint32_t n = 0;
  for (size_t i = 0; i < n_pixels; i += step) {
    const size_t here = n_pixels - i < step ? n_pixels - i : step;
    uint64_t word = 0, element;
    memcpy(&word, pixels + i * width, here * width);
    if (word == 0)
      continue;
    for (size_t k = i; k < i + here; k++) {
      element = 0;
      memcpy(&element, pixels + k * width, width);
      if (element == 0)
        continue;
      if (ids != NULL) {
        ids[n] = (uint32_t)k;
        memcpy(values + n * width, &element, width);
      }
      n++;
    }
  }
  return n;
}

/* Whether the frames become smaller as lists of events. */
static bool count_events(struct ct_chunk *chunk)
{
  const size_t n_pixels = (size_t)chunk->rows * chunk->cols, width = ct_type_bytes(chunk->type);
  chunk->n_events = 0;
  for (uint32_t k = 0; k < chunk->count; k++) {
    chunk->frames[k].n_events = list_events(chunk->pixels + k * chunk->frame_bytes, n_pixels, width, NULL, NULL);
    chunk->n_events += chunk->frames[k].n_events;
  }
  return chunk->n_events * (sizeof(uint32_t) + width) <= chunk->count * chunk->frame_bytes;
}

static void pack_events(struct ct_chunk *chunk)
{
  const size_t n_pixels = (size_t)chunk->rows * chunk->cols, width = ct_type_bytes(chunk->type);
  uint32_t *ids = (uint32_t *)(void *)chunk->packed, n = 0;
  for (uint32_t k = 0; k < chunk->count; k++)
    n += list_events(chunk->pixels + k * chunk->frame_bytes, n_pixels, width, ids + n, chunk->pixels + n * width);
  chunk->ready = chunk->pixels;
  chunk->ready_bytes = n * (sizeof(uint32_t) + width);
}

/* Frames that are kept whole, as darks are, make no good lists. */
static void settle_events(struct ct_chunk *chunk, int64_t now_ns)
{
  const enum ct_codec before = chunk->codec;
  if (!count_events(chunk)) {
    chunk->codec = CT_CODEC_BSLZ4;
    chunk->measured_ns = now_ns;
  } else if (chunk->measured_ns == 0 || now_ns - chunk->measured_ns >= full_at_least_ns)
    chunk->codec = CT_CODEC_EVENTS;
  if (chunk->codec != before)
    chunk->phase = 0;               /* a new file begins with it */
}

static void settle_codec(struct ct_chunk *chunk, enum ct_codec wanted)
{
  const int64_t now_ns = chunk->frames[chunk->count - 1].arrival_ns;
  if (wanted == CT_CODEC_EVENTS) {
    settle_events(chunk, now_ns);
    return;
  }
  if (wanted != CT_CODEC_AUTO) {
    chunk->codec = wanted;
    return;
  }
  if (chunk->measured_ns != 0 && now_ns - chunk->measured_ns < measure_every_ns)
    return;
  if (chunk->count == chunk->whole) {
    chunk->codec = measure(chunk);
    chunk->measured_ns = now_ns;
  } else if (chunk->measured_ns == 0)
    chunk->codec = CT_CODEC_BSLZ4;    /* until there is a whole one to try */
}

void ct_chunk_pack(struct ct_chunk *chunk, enum ct_codec codec)
{
  for (uint32_t i = 0; i < chunk->count; i++)
    chunk->frames[i].crc32 = ct_crc32(&chunk->crc, chunk->pixels + i * chunk->frame_bytes, chunk->frame_bytes);
  settle_codec(chunk, codec);
  if (chunk->codec == CT_CODEC_EVENTS) {
    pack_events(chunk);
    return;
  }
  if (chunk->count != chunk->whole)
    return;
  chunk->ready = chunk->pixels;
  chunk->ready_bytes = chunk->count * chunk->frame_bytes;
  chunk->plain = true;
  const size_t packed = chunk->codec == CT_CODEC_NONE ? 0 : pack_with(chunk, chunk->codec);
  if (packed == 0 || packed >= chunk->ready_bytes)
    return;
  chunk->ready = chunk->packed;
  chunk->ready_bytes = packed;
  chunk->plain = false;
}
