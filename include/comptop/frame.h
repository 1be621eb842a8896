/* frame: one frame or batch of frames, their packed form, and the accounting of their numbers.
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
size_t ct_type_bytes(enum ct_type type);        /* of one pixel; 0 when <type> is none of the table */
float ct_type_most(enum ct_type type);          /* the largest pixel there is, rounded; infinite for floating point */
const char *ct_type_text(enum ct_type type);    /* "uint16"; "?" when <type> is none of the table */

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

/* Row <row> of frame <index> of the batch as out[cols] numbers, whatever the type; integers beyond 2^24 are rounded. The
 * largest number of uint32 and uint64 is NaN: detectors mark pixels with it that have no value (DECTRIS, SIMPLON API). */
void ct_frame_row(const struct ct_frame *frame, uint32_t index, uint32_t row, float *out);

/* ---- packed pixels: the forms of HDF5 filters, which detectors send and the archive keeps ----------------------- */
/* Bitshuffle and LZ4 (filter 32008, kiyo-masui/bitshuffle), elements of 1, 2, 4 or 8 bytes. */
size_t ct_bslz4_bound(size_t bytes);   /* room that the packed form may need */
/* Packs <bytes>, whole elements, into <out> of at least ct_bslz4_bound: the packed length, or 0. */
size_t ct_bslz4_pack(const void *in, size_t bytes, size_t element_bytes, void *out);
/* The plain size that packed data announce; 0: not in this form. */
size_t ct_bslz4_plain_bytes(const void *in, size_t bytes);
/* Unpacks into <out> of exactly ct_bslz4_plain_bytes: 0, CT_EFORMAT, or CT_ENOMEM (blocks above 64 KiB need memory). */
int ct_bslz4_unpack(const void *in, size_t bytes, size_t element_bytes, void *out) CT_MUST_CHECK;
/* The same without the sizes in front, as areaDetector sends it: <plain_bytes> in blocks of 8192 bytes. */
int ct_bslz4_unpack_bare(const void *in, size_t bytes, size_t element_bytes, void *out, size_t plain_bytes) CT_MUST_CHECK;
/* LZ4 in blocks (filter 32004, HDF Group): the same; bare, one LZ4 block. */
enum { CT_LZ4_BLOCK_BYTES = 1 << 20 };
size_t ct_lz4_bound(size_t bytes);
size_t ct_lz4_pack(const void *in, size_t bytes, void *out);
size_t ct_lz4_plain_bytes(const void *in, size_t bytes);
int ct_lz4_unpack(const void *in, size_t bytes, void *out) CT_MUST_CHECK;
int ct_lz4_unpack_bare(const void *in, size_t bytes, void *out, size_t plain_bytes) CT_MUST_CHECK;

/* ---- accounting of frame numbers (DESIGN 1.4) ----------------------------------------------------
 * Pure: time comes in as an argument. One tracker a stream, fixed memory, no allocation. The tracker counts; its
 * caller only does with the frames what the verdicts say.
 *
 *   result = ct_track_add(...) for each decoded message, then
 *     1. result.held tells what to do with the messages kept before (in the order they came),
 *     2. result.spans tells what to do with the frames of this one.
 *   ct_track_tick now and then (every message and at least every 100 ms), ct_track_end when the stream ends; both
 *   may also decide about held messages. After each of the three: ct_track_lost_next until it says false.
 *
 * Restart downwards: eight ascending numbers that were all seen or given up before, far below the highest (all of
 * them at least CT_TRACK_FAR below; or nearer, in at least two messages, beginning at or before the first number of
 * the numbering, or at 0 or 1; or anywhere, when the connection is a new one). Until the eighth their messages are held. A number above the highest, a number that
 * breaks the ascent, 2.5 s without another, or the end of the stream make them what each was: duplicates or too late. */
enum {
  CT_TRACK_SPANS = 16,        /* runs of equal verdict a message may have; what is beyond is dropped as too late */
  CT_TRACK_HELD = 7,          /* messages a caller keeps at most */
  CT_TRACK_RANGES = 4096,     /* missing ranges remembered; the oldest are forgotten */
  CT_TRACK_FAR = 1000,
  CT_TRACK_RUN = 8,           /* numbers that make a restart */
  CT_TRACK_STEPS = 16         /* forward steps that decide whether a stream is sampled */
};
#define CT_TRACK_JUMP UINT64_C(1000000)              /* a step larger than this is a restart, not a loss */
#define CT_TRACK_PATIENCE_NS INT64_C(2500000000)     /* the age at which a gap is a loss */

enum ct_verdict {
  CT_TAKE,          /* accepted, in order */
  CT_TAKE_LATE,     /* accepted out of order: it fills an open gap, or was on its way when the stream began */
  CT_HOLD,          /* perhaps a restart (always the whole message): keep it until .held of a later result decides */
  CT_DROP_DUPLICATE,
  CT_DROP_TOO_LATE
};
enum ct_sampled { CT_SAMPLED_AUTO, CT_SAMPLED_ON, CT_SAMPLED_OFF };   /* the words of [stream] sampled */

/* Frames [offset, offset + count) of the message. */
struct ct_span {
  uint32_t offset, count;
  enum ct_verdict verdict;
};

enum ct_held { CT_HELD_KEEP, CT_HELD_TAKE, CT_HELD_DROP };   /* KEEP also when nothing is held */

struct ct_track_result {
  enum ct_held held;
  unsigned n_spans;
  struct ct_span spans[CT_TRACK_SPANS];
};

struct ct_track_counts {
  uint64_t frames;            /* accepted, late ones included */
  uint64_t lost, late, duplicate, too_late, restarts;
  uint64_t first, highest;    /* of the present numbering; 0 before the first frame */
  uint64_t unlisted;          /* lost frames whose range nobody fetched with ct_track_lost_next in time */
  bool sampled;               /* decimated: gaps mean nothing and are not counted as lost */
};

/* Numbers of [first, last] that have not come. */
struct ct_track_range {
  uint64_t first, last;
  int64_t opened_ns;
  bool counts;                /* becomes a loss; false on a sampled stream and before the first frame */
};

/* Public only so that it can live inside other structs: read .counts, leave the rest alone. About 200 kB. */
struct ct_track {
  struct ct_track_counts counts;
  enum ct_sampled sampled_setting;
  bool started, anew;
  bool rejoined;                        /* since the last number above all others */
  int64_t now_ns, started_ns;           /* started_ns: when the present numbering began */
  uint64_t floor;                       /* what is missing below is no longer known */
  unsigned steps_seen, steps_large;     /* the last forward steps: how many, and a bit for each larger than one */
  /* Missing ranges, a circular list ascending both in number and in age: the first <n_closed> are given up. */
  struct ct_track_range ranges[CT_TRACK_RANGES];
  unsigned head, n_ranges, n_closed;
  /* Lost ranges on their way to the caller, circular. */
  struct { uint64_t first, last; } lost[CT_TRACK_RANGES + 64];
  unsigned lost_head, n_lost;
  /* The run that may become a restart. */
  struct { uint64_t first; uint32_t count; } held[CT_TRACK_HELD];
  unsigned n_held;
  int64_t held_since_ns;                /* when the last of them came: a slow stream restarts slowly */
  uint64_t held_numbers, held_duplicate, held_too_late;
};

void ct_track_init(struct ct_track *track, enum ct_sampled sampled);
/* Frames <first>, <first>+1, .. of one message at monotonic <now_ns> (a step back in time counts as none).
 * 0, or CT_ERANGE for a count of 0 or numbers beyond 2^64 (nothing is changed, <result> is empty). */
int ct_track_add(struct ct_track *track, uint64_t first, uint32_t count, int64_t now_ns,
                 struct ct_track_result *result) CT_MUST_CHECK;
/* Lets gaps grow old; what to do with held messages: CT_HELD_KEEP or CT_HELD_DROP. */
enum ct_held ct_track_tick(struct ct_track *track, int64_t now_ns) CT_MUST_CHECK;
/* The connection broke and was made again: if the numbers do not go on, the source has begun anew. */
void ct_track_rejoin(struct ct_track *track);
/* The stream ends: every open gap is lost, held messages are dropped. The tracker may go on afterwards. */
enum ct_held ct_track_end(struct ct_track *track) CT_MUST_CHECK;
/* The source has said that its numbering begins anew: so does ours with the next frame, whatever its number. What is open then
 * is lost, held messages are dropped; a restart, unless nothing has come yet. */
void ct_track_anew(struct ct_track *track);
/* The next range newly lost, for the gap table; false when there is none. */
bool ct_track_lost_next(struct ct_track *track, uint64_t *first, uint64_t *last);

#endif
