/* Inside of a chunk, for those who write it. */
#ifndef ARCHIVE_CHUNK_H
#define ARCHIVE_CHUNK_H

#include "archive/crc32.h"

#include <comptop/archive.h>

enum { CT_CHUNK_FRAMES_MAX = 4096 };

struct ct_chunk_frame {
  uint64_t number;
  int64_t arrival_ns;
  struct ct_attributes attributes;
  uint32_t crc32, n_events;
  bool late;
};

struct ct_chunk {
  size_t stream, room_bytes, frame_bytes;
  double frame_hz;
  enum ct_codec codec;             /* of the file it goes into */
  int64_t measured_ns;             /* when that was chosen by what packs best, or frames were too full for events; 0: never */
  enum ct_mode mode;               /* of the file */
  int64_t mode_ns;                 /* since when */
  enum ct_type type;
  uint32_t rows, cols, count;
  uint32_t whole;                  /* frames of a chunk in the file */
  uint32_t phase;                  /* of those, how many went before: phase + count <= whole */
  uint32_t n_events;               /* EVENTS: <packed> holds their pixels, uint32_t, and <pixels> their values */
  struct ct_chunk_frame *frames;
  unsigned char *pixels, *packed;
  const unsigned char *ready;      /* what goes to the file as one chunk, as it is; NULL: only part of one */
  bool plain;                      /* not packed, because it would not shrink */
  size_t ready_bytes;
  struct ct_crc32 crc;
};

#endif
