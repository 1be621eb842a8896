#include <comptop/frame.h>

#include <math.h>
#include <string.h>

/* One pixel of <size> bytes in the machine's order. */
static uint64_t bits_of(const unsigned char *at, size_t size, bool big_endian)
{
  uint64_t bits = 0;
  for (size_t i = 0; i < size; i++)
    bits |= (uint64_t)at[big_endian ? size - 1 - i : i] << (8 * i);
  return bits;
}

static float value_of(uint64_t bits, enum ct_type type)
{
  float f32;
  double f64;
  uint32_t low = (uint32_t)bits;
  switch (type) {
  case CT_U32: return bits == UINT32_MAX ? NAN : (float)bits;
  case CT_U64: return bits == UINT64_MAX ? NAN : (float)bits;
  case CT_I8: return (float)(int8_t)bits;
  case CT_I16: return (float)(int16_t)bits;
  case CT_I32: return (float)(int32_t)bits;
  case CT_I64: return (float)(int64_t)bits;
  case CT_F32: memcpy(&f32, &low, sizeof f32); return f32;
  case CT_F64: memcpy(&f64, &bits, sizeof f64); return (float)f64;
  default: return (float)bits;
  }
}

static void row_u16(const unsigned char *at, uint32_t cols, float *out)
{
  for (uint32_t i = 0; i < cols; i++) {
    uint16_t pixel;
    memcpy(&pixel, at + 2 * (size_t)i, sizeof pixel);
    out[i] = (float)pixel;
  }
}

void ct_frame_row(const struct ct_frame *frame, uint32_t index, uint32_t row, float *out)
{
  size_t size = ct_type_bytes(frame->type);
  const unsigned char *at = frame->pixels + (((size_t)index * frame->rows + row) * frame->cols) * size;
  if (frame->type == CT_U16 && !frame->big_endian) {       /* what nearly every camera sends */
    row_u16(at, frame->cols, out);
    return;
  }
  for (uint32_t i = 0; i < frame->cols; i++)
    out[i] = value_of(bits_of(at + i * size, size, frame->big_endian), frame->type);
}
