/* frame: one frame or batch of frames, and the accounting of their numbers.
 * Ownership: a struct ct_frame borrows its pixels from the message it came in and dies with it; it owns nothing. */
#ifndef COMPTOP_FRAME_H
#define COMPTOP_FRAME_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <comptop/core.h>

/* Pixel types. X(NAME, bytes, "array-1.0 spelling") */
#define CT_TYPES(X)                                                             \
  X(U8, 1, "uint8") X(U16, 2, "uint16") X(U32, 4, "uint32") X(U64, 8, "uint64") \
  X(I8, 1, "int8") X(I16, 2, "int16") X(I32, 4, "int32") X(I64, 8, "int64")     \
  X(F32, 4, "float32") X(F64, 8, "float64")
enum ct_type {
#define X(name, size_bytes, spelling) CT_##name,
  CT_TYPES(X)
#undef X
  CT_TYPE_COUNT
};
size_t ct_type_bytes(enum ct_type type);
const char *ct_type_text(enum ct_type type);

/* What role a stream plays; the words are those of [stream] role. */
enum ct_role { CT_ROLE_HEXITEC, CT_ROLE_CAMERA, CT_ROLE_SCALARS };

enum ct_mode { CT_MODE_UNKNOWN, CT_MODE_XCS, CT_MODE_XCT };
/* NXtomo's numbering. */
enum ct_image_key { CT_KEY_PROJECTION = 0, CT_KEY_FLAT = 1, CT_KEY_DARK = 2, CT_KEY_INVALID = 3 };

/* What rode beside the pixels. A quantity is valid only where its bit is set in <present>. */
enum { CT_HAS_ANGLE = 1, CT_HAS_Z = 2, CT_HAS_MODE = 4, CT_HAS_TRIGGER = 8, CT_HAS_KEY = 16, CT_HAS_TIME = 32 };
struct ct_attributes {
  unsigned present;
  double angle_deg, z_mm;
  enum ct_mode mode;
  int image_key;          /* enum ct_image_key; other integers are kept as they came */
  uint64_t trigger;
  double time_s;          /* the source's own time stamp, in the source's own epoch */
};

/* <count> frames of rows x cols pixels, row-major, frame after frame. <pixels> may be unaligned: use memcpy or
 * unaligned loads. All frames of a batch share the attributes. */
struct ct_frame {
  const unsigned char *pixels;
  size_t bytes;                    /* count * rows * cols * ct_type_bytes(type) */
  enum ct_type type;
  bool big_endian;
  bool late;                       /* came out of order into a gap: archived with a mark, perhaps not analysed */
  uint32_t count, rows, cols;
  uint64_t number;                 /* of the first frame; the others follow one by one */
  int64_t arrival_ns;              /* UTC when it was received */
  struct ct_attributes attributes;
};

/* ---- accounting of frame numbers (DESIGN 1.4) ----------------------------------------------------
 * Pure: time comes in as an argument. One tracker a stream, fixed memory, no allocation after ct_track_init. */
enum ct_verdict {
  CT_TAKE,          /* accepted, in order */
  CT_TAKE_LATE,     /* accepted, fills an open gap */
  CT_HOLD,          /* perhaps a restart: keep the message, ask again with ct_track_held after the next one */
  CT_DROP_DUPLICATE,
  CT_DROP_TOO_LATE
};
/* The tracker itself is defined in frame.h by the room (see src/frame/track.c). */

#endif
