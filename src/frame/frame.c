/* The table of pixel types. */
#include <comptop/frame.h>

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

const char *ct_type_text(enum ct_type type)
{
  return (unsigned)type < CT_TYPE_COUNT ? type_table[type].text : "?";
}
