/* What a ring slot of a frame stream holds. Internal to pipeline.
 * Ownership: the lot owns its reference to the ZeroMQ message; the ring's dispose callback gives it back. */
#ifndef PIPELINE_LOT_H
#define PIPELINE_LOT_H

#include <zmq.h>

#include <comptop/frame.h>
#include <comptop/hexitec.h>

enum ct_lot_kind {
  CT_LOT_FRAMES,        /* frames of one message that share one verdict */
  CT_LOT_LOST           /* frames first..last will not come: for the archive's gap table */
};

struct ct_lot {
  enum ct_lot_kind kind;
  zmq_msg_t message;    /* FRAMES: the pixels lie in here, no copy */
  struct ct_frame frame;
  const int64_t *arrivals_ns;   /* one a frame, where they are known each; NULL: frame.arrival_ns is that of all */
  bool suspect;         /* may hold stale pixels (late frames from odin): archived, not analysed */
  uint64_t first, last; /* LOST */
};

static inline bool ct_frame_is_dark(const struct ct_frame *frame)
{
  return frame->attributes.present & CT_HAS_KEY && frame->attributes.image_key == CT_KEY_DARK;
}

/* Dark frames that offsets are made of. */
static inline bool ct_lot_is_dark(const struct ct_lot *lot)
{
  return ct_frame_is_dark(&lot->frame) && !lot->suspect;
}

/* Frames of a detector that are looked for photons, once there are offsets. */
static inline bool ct_lot_is_for_analysis(const struct ct_lot *lot)
{
  const struct ct_attributes *at = &lot->frame.attributes;
  return !lot->suspect && ct_hexitec_takes(lot->frame.type) && !(at->present & CT_HAS_MODE && at->mode == CT_MODE_XCT) &&
         !(at->present & CT_HAS_KEY && at->image_key != CT_KEY_PROJECTION);
}

#endif
