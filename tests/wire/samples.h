/* Headers as real publishers write them, and a small generator for tests. */
#ifndef COMPTOP_TESTS_WIRE_SAMPLES_H
#define COMPTOP_TESTS_WIRE_SAMPLES_H

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

static const char sample_array[] =
  "{\"htype\":\"array-1.0\",\"shape\":[80,80],\"type\":\"uint16\",\"endianness\":\"little\",\"frame\":7,\"encoding\":\"\","
  "\"source\":\"det\",\"timeStamp\":1164070447.25,\"ndattr\":{\"RotationAngle\":12.5,\"SampleZ\":-0.25,\"Mode\":\"xct\","
  "\"Trigger\":12345678901,\"ImageKey\":2}}";
static const char sample_odin[] =
  "{\"frame_num\":7,\"acquisition_id\":\"\",\"dtype\":\"uint16\",\"dsize\":12800,\"dataset\":\"raw_frames\","
  "\"compression\":\"none\",\"shape\":[\"80\",\"80\"]}";

static uint64_t sample_seed = 1;
static inline uint64_t sample_pick(uint64_t below)
{
  sample_seed = sample_seed * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
  return (sample_seed >> 33) % below;
}

/* Memory of exactly <bytes>, so that a sanitizer sees a read beyond it. */
static inline char *sample_exact(const void *from, size_t bytes)
{
  char *copy = malloc(bytes > 0 ? bytes : 1);
  if (copy == NULL)
    abort();
  if (bytes > 0)
    memcpy(copy, from, bytes);
  return copy;
}

/* A few bytes changed, removed, doubled. Returns the new length, at most bytes + 8. */
static inline size_t sample_mutate(char *text, size_t bytes)
{
  for (uint64_t n = 1 + sample_pick(4); n > 0 && bytes > 0; n--) {
    size_t at = sample_pick(bytes);
    static const char spice[] = "\"\\{}[]:,0n\n";
    switch (sample_pick(4)) {
    case 0: text[at] = (char)sample_pick(256); break;
    case 1: text[at] = spice[sample_pick(sizeof spice)]; break;
    case 2: memmove(text + at, text + at + 1, --bytes - at); break;
    default: memmove(text + at + 1, text + at, bytes++ - at); break;
    }
  }
  return bytes;
}

#endif
