/* What the decoders of the frame formats share. Internal to the room. */
#ifndef COMPTOP_SRC_WIRE_DECODER_H
#define COMPTOP_SRC_WIRE_DECODER_H

#include <comptop/wire.h>

#include "wire/header.h"

/* What DECTRIS messages say once for all images that follow. */
struct dectris {
  bool known, has_axis;
  uint64_t series;                                  /* the present one, when <known> */
  double start_deg, step_deg;                       /* of the goniometer's axis */
};

struct ct_wire {
  enum ct_role role;
  uint32_t rows, cols;
  enum ct_wire_format format;
  uint64_t max_message_bytes;
  locale_t c_locale;
  struct field_name names[FIELD_COUNT];
  char dataset[CT_WIRE_NAME];                       /* the one taken; "" while not chosen */
  char candidates[CT_WIRE_HELD][CT_WIRE_NAME];      /* came once, in this order, and wait */
  unsigned n_candidates;
  struct header header;                             /* of the message being decoded */
  struct dectris dectris;
};

/* The beginning of a value as it stands in the header, for "%.*s". */
#define SHOW(value) (int)((value)->bytes < 40 ? (value)->bytes : 40), ((value)->at != NULL ? (value)->at : "")

void wire_reject(struct ct_wire_message *out, enum ct_reject kind, const char *fmt, ...) CT_PRINTF(3, 4);

/* ---- pixels.c: what a message says of its pixels, and whether they are that */
struct shape {
  int n;                         /* dimensions; 0: not readable */
  uint64_t dim[8];
};
void shape_read(const struct ct_wire *wire, const struct value *value, bool fastest_first, struct shape *shape);
bool shape_is_sane(const struct shape *shape);      /* [rows, cols] or [count, rows, cols], each 1 to CT_WIRE_DIM */
bool shape_is_as_configured(const struct ct_wire *wire, const struct shape *shape);
bool type_read(const struct value *value, enum ct_type *type);
/* How the pixels are packed; false: in a way that is not known here. */
bool packing_read(const struct value *value, enum ct_packing *packing);
/* Shape, type and size of the pixels, packed or plain in <blob>: from here on the formats are the same. The shape is
 * sane; the frame's number is set. TAKE or a rejection. */
void pixels_take(const struct ct_wire *wire, const struct shape *shape, enum ct_type type, enum ct_packing packing,
                 const struct ct_wire_part *blob, struct ct_wire_message *out);
/* The same for a JSON header: what of its values cannot be is rejected as it stands there. */
void pixels_take_values(const struct ct_wire *wire, const struct value *shape_text, const struct shape *shape,
                        const struct value *type_text, const struct value *packing_text, const struct ct_wire_part *blob,
                        struct ct_wire_message *out);

/* ---- the formats: each decodes one message whose header has been read */
void array_decode(struct ct_wire *wire, bool list, const struct ct_wire_part *blob, struct ct_wire_message *out);
void odin_decode(struct ct_wire *wire, const struct ct_wire_part *blob, struct ct_wire_message *out);
/* CBOR maps (major type 5) are what DECTRIS Stream V2 sends, in one part. */
bool dectris_is(const struct ct_wire_part *part);
void dectris_decode(struct ct_wire *wire, const struct ct_wire_part *part, struct ct_wire_message *out);

/* <mode> from its word in any case. */
void attributes_set_mode(struct ct_attributes *attributes, const char *word);

#endif
