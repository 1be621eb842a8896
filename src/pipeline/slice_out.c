#include "slice_out.h"

#include <stdio.h>
#include <stdlib.h>

#include <comptop/wire.h>

enum { QUEUE_BYTES = 64 << 20, TYPICAL_BYTES = 1 << 20 };

struct ct_slice_out {
  struct ct_publisher *publisher;
  uint64_t sent;
};

int ct_slice_out_open(struct ct_slice_out **out, const char *endpoint, struct ct_err *err)
{
  struct ct_slice_out *o = ct_xcalloc(1, sizeof *o);
  int code = ct_publisher_open(&o->publisher, endpoint, CT_PUBLISH_PUB, QUEUE_BYTES, TYPICAL_BYTES, err);
  if (code != 0) {
    free(o);
    return code;
  }
  *out = o;
  return 0;
}

void ct_slice_out_close(struct ct_slice_out *o)
{
  if (o == NULL)
    return;
  ct_publisher_close(o->publisher, 0);
  free(o);
}

void ct_slice_out_send(struct ct_slice_out *o, const float *values, uint32_t size, double angle_deg, uint32_t projections)
{
  char header[512];
  const struct ct_frame frame = { .type = CT_F32, .count = 1, .rows = size, .cols = size, .number = o->sent,
                                  .attributes = { .present = CT_HAS_ANGLE, .angle_deg = angle_deg } };
  int n = ct_wire_array_header(header, sizeof header, &frame, "comptop", NULL);
  if (n < 2)
    return;
  /* It ends with the two braces of ndattr and header. */
  n += snprintf(header + n - 2, sizeof header - (size_t)n + 2, ",\"Projections\":%u}}", (unsigned)projections) - 2;
  const struct ct_publisher_part parts[] = { { header, (size_t)n }, { values, (size_t)size * size * sizeof *values } };
  if ((size_t)n < sizeof header && ct_publisher_send(o->publisher, parts, 2) == 0)
    o->sent++;
}
