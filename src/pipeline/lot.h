/* What a ring slot of a frame stream holds. Internal to pipeline.
 * Ownership: the lot owns its reference to the ZeroMQ message; the ring's dispose callback gives it back. */
#ifndef PIPELINE_LOT_H
#define PIPELINE_LOT_H

#include <zmq.h>

#include <comptop/frame.h>

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

#endif
