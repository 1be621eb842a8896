/* wire: bytes <-> frames and scalars. Formats and their traps: comptop-streams(7).
 * Ownership: message parts are borrowed for the time of a call; a decoded frame or scalar points into the parts (or,
 * for names, into the decoder) and is good until the parts are given back or the next call on the same decoder.
 * Nothing here allocates after ct_wire_new, knows ZeroMQ or reads a clock; one decoder is for one thread. */
#ifndef COMPTOP_WIRE_H
#define COMPTOP_WIRE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <comptop/core.h>
#include <comptop/frame.h>
#include <comptop/snapshot.h>

enum {
  CT_WIRE_HEADER_BYTES = 65536,   /* a longer header is rejected */
  CT_WIRE_DEPTH = 32,             /* so is one nested deeper */
  CT_WIRE_DIM = 16384,            /* and a frame or batch with a larger dimension */
  CT_WIRE_NAME = 64,              /* bytes of a dataset, attribute or channel name, NUL included */
  CT_WIRE_REASON = 256,
  CT_WIRE_HELD = 8,               /* messages a caller keeps at most while a dataset is being chosen */
  CT_WIRE_CHANNELS = 256          /* of a bsread message */
};

struct ct_wire_part {
  const void *data;
  size_t bytes;
};

/* ---- frames: array-1.0, odin LiveView and DECTRIS Stream V2 ------------------------------------------- */
/* X(NAME, "word of [stream] format") */
#define CT_WIRE_FORMATS(X) \
  X(AUTO, "auto") X(ARRAY, "array-1.0") X(ODIN, "odin") X(DECTRIS, "dectris") X(BSREAD, "bsread")
enum ct_wire_format {
#define X(name, word) CT_WIRE_##name,
  CT_WIRE_FORMATS(X)
#undef X
  CT_WIRE_FORMAT_COUNT
};
const char *ct_wire_format_word(enum ct_wire_format format);   /* "?" when it is none of the table */

/* Names of the attributes in ndattr; NULL is the default. */
struct ct_wire_names {
  const char *angle;       /* RotationAngle, deg */
  const char *z;           /* SampleZ, mm */
  const char *mode;        /* Mode, xcs | xct in any case */
  const char *trigger;     /* Trigger */
  const char *image_key;   /* ImageKey */
};

struct ct_wire_setup {
  enum ct_role role;             /* hexitec: frames of exactly rows x cols, uint16 or float32; camera: any shape and type */
  uint32_t rows, cols;           /* 0: any */
  enum ct_wire_format format;
  const char *dataset;           /* odin; NULL: raw_frames, else the first of a fitting shape. DECTRIS: the channel; NULL: the first */
  struct ct_wire_names names;
  uint64_t max_message_bytes;    /* of the pixels; 0: no limit */
};

enum ct_wire_verdict {
  CT_WIRE_TAKE,       /* .frame is good */
  CT_WIRE_REJECT,     /* .reject and .reason say why */
  CT_WIRE_IGNORE,     /* another dataset than the one taken; DECTRIS: not an image */
  CT_WIRE_WAIT        /* odin: not yet known whether this dataset is the one taken; keep the message (see below) */
};

/* Pixels as the source has packed them. */
enum ct_packing { CT_PLAIN, CT_PACKED_BSLZ4, CT_PACKED_LZ4 };
struct ct_wire_packed {
  enum ct_packing form;
  struct ct_wire_part blob;
};

struct ct_wire_message {
  enum ct_wire_verdict verdict;
  enum ct_wire_format format;    /* CT_WIRE_AUTO while not recognised */
  bool tolerated;                /* the header is not quite JSON; what was needed could be read */
  bool settled;                  /* the dataset was chosen by this message: see below */
  bool begins;                   /* DECTRIS: a series begins, and its numbers at 0 */
  enum ct_reject reject;
  char reason[CT_WIRE_REASON];   /* one sentence in printable ASCII; "" unless rejected */
  char dataset[CT_WIRE_NAME];    /* odin's, DECTRIS's channel; "" otherwise */
  struct ct_frame frame;         /* without .arrival_ns and .late */
  struct ct_wire_packed packed;  /* .form CT_PLAIN, or the frame has no .pixels until ct_wire_unpack */
};

struct ct_wire;
/* CT_ERANGE (a name too long), CT_EUSAGE (scalars, bsread: see below). */
int ct_wire_new(struct ct_wire **out, const struct ct_wire_setup *setup, struct ct_err *err) CT_MUST_CHECK;
void ct_wire_free(struct ct_wire *wire);   /* NULL is fine */

/* Decodes one message of any bytes.
 *
 * Which odin dataset is taken, when none is configured, may show only after a message or two: processed_frames and
 * raw_frames come under one number in any order, and raw_frames is preferred. So a message of another dataset is WAIT
 * until its dataset comes a second time, or raw_frames comes, or ct_wire_settle is called. A message that comes back
 * with .settled set (whatever its verdict) ends the waiting: decode each kept message again, in the order they came
 * and before using this one; none of them will be WAIT. At most CT_WIRE_HELD messages are ever WAIT. The choice is
 * for the life of the decoder. */
void ct_wire_decode(struct ct_wire *wire, const struct ct_wire_part *parts, size_t n_parts, struct ct_wire_message *out);
/* Unpacks the pixels of a packed frame into <pixels> of frame.bytes, where they then are; false: it became a rejection. */
bool ct_wire_unpack(struct ct_wire_message *message, void *pixels) CT_MUST_CHECK;
/* Waited long enough (1 s after the first WAIT, or at the end): chooses the first dataset that came. True when that
 * ended a waiting: decode the kept messages again. */
bool ct_wire_settle(struct ct_wire *wire);
/* The odin dataset taken; "" while none is. */
const char *ct_wire_dataset(const struct ct_wire *wire);

/* Writes the strict JSON array-1.0 header of <frame> (its pixels are the second part): shape [rows,cols], or
 * [count,rows,cols] for more than one; attributes that are present, under <names> (NULL: the defaults).
 * Its length without the NUL, or CT_ERANGE when <size> (1000 is always enough for names and a source of up to 60
 * plain characters) is too small. */
int ct_wire_array_header(char *buffer, size_t size, const struct ct_frame *frame, const char *source,
                         const struct ct_wire_names *names) CT_MUST_CHECK;

/* ---- scalars: bsread bsr_m-1.1 (paulscherrerinstitute/bsread_python) ------------------------------- */
struct ct_wire_scalar {
  const char *name;
  double value;            /* encode: NaN is sent as "no value" */
  int64_t time_ns;         /* UTC; the message's own where the channel has none */
};

struct ct_wire_scalars {
  enum ct_wire_verdict verdict;   /* TAKE or REJECT */
  enum ct_reject reject;
  char reason[CT_WIRE_REASON];
  uint64_t pulse_id;
  int64_t time_ns;                /* global_timestamp */
  size_t n;                       /* channels with a value; strings and arrays of numbers are skipped */
  struct ct_wire_scalar values[CT_WIRE_CHANNELS];
};

struct ct_wire_bsread;
/* For low rates: headers are read with jansson, which allocates. */
int ct_wire_bsread_new(struct ct_wire_bsread **out, struct ct_err *err) CT_MUST_CHECK;
void ct_wire_bsread_free(struct ct_wire_bsread *bsread);
void ct_wire_bsread_decode(struct ct_wire_bsread *bsread, const struct ct_wire_part *parts, size_t n_parts,
                           struct ct_wire_scalars *out);

/* Writes a message of n <= CT_WIRE_CHANNELS float64 channels into <buffer> and its 2 + 2 n parts (which point into
 * <buffer>) into <parts>. The number of parts, or CT_ERANGE when <size> or <max_parts> is too small. */
int ct_wire_bsread_encode(unsigned char *buffer, size_t size, struct ct_wire_part *parts, size_t max_parts,
                          uint64_t pulse_id, int64_t time_ns, const struct ct_wire_scalar *channels,
                          size_t n) CT_MUST_CHECK;

#endif
