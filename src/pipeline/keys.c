#include "keys.h"

#include <math.h>

static void add(_Atomic uint64_t *counter, uint64_t n)
{
  /* One writer: no read-modify-write needed. */
  atomic_store_explicit(counter, atomic_load_explicit(counter, memory_order_relaxed) + n, memory_order_relaxed);
}

void ct_keys_count(struct ct_keys *keys, const struct ct_frame *frame)
{
  const struct ct_attributes *at = &frame->attributes;
  const int key = at->present & CT_HAS_KEY ? at->image_key : CT_KEY_PROJECTION;
  if (key == CT_KEY_PROJECTION)
    add(&keys->projections, frame->count);
  else if (key == CT_KEY_FLAT)
    add(&keys->flats, frame->count);
  else if (key == CT_KEY_DARK)
    add(&keys->darks, frame->count);
  if (at->present & CT_HAS_ANGLE) {
    atomic_store_explicit(&keys->angle_deg, at->angle_deg, memory_order_relaxed);
    atomic_store_explicit(&keys->has_angle, true, memory_order_relaxed);
  }
}

void ct_keys_stats(const struct ct_keys *keys, struct ct_snapshot_stream *out)
{
  out->projections = atomic_load_explicit(&keys->projections, memory_order_relaxed);
  out->flats = atomic_load_explicit(&keys->flats, memory_order_relaxed);
  out->darks = atomic_load_explicit(&keys->darks, memory_order_relaxed);
  out->angle_deg = atomic_load_explicit(&keys->has_angle, memory_order_relaxed)
                     ? atomic_load_explicit(&keys->angle_deg, memory_order_relaxed) : (double)NAN;
}
