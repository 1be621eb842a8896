/* The table of pixel types. */
#include <comptop/frame.h>

#include <math.h>

static const struct {
  size_t bytes;
  const char *text;
} type_table[CT_TYPE_COUNT] = {
#define X(name, size_bytes, spelling) [CT_##name] = { size_bytes, spelling },
  CT_TYPES(X)
#undef X
};

size_t ct_type_bytes(enum ct_type type)
{
  return (unsigned)type < CT_TYPE_COUNT ? type_table[type].bytes : 0;
}

float ct_type_most(enum ct_type type)
{
  int bits = 8 * (int)ct_type_bytes(type);
  if (type == CT_F32 || type == CT_F64)
    return INFINITY;
  return (float)(ldexp(1, type < CT_I8 ? bits : bits - 1) - 1);
}

const char *ct_type_text(enum ct_type type)
{
  return (unsigned)type < CT_TYPE_COUNT ? type_table[type].text : "?";
}
