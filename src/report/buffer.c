#include "report/buffer.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void ct_buffer_add(struct ct_buffer *buffer, const char *bytes, size_t length)
{
  if (buffer->failed)
    return;
  if (length > buffer->capacity - buffer->length) {
    size_t capacity = buffer->capacity ? buffer->capacity : 4096;
    while (capacity - buffer->length < length && capacity <= SIZE_MAX / 2)
      capacity *= 2;
    char *grown = capacity - buffer->length < length ? NULL : realloc(buffer->bytes, capacity);
    if (grown == NULL) {
      buffer->failed = true;
      return;
    }
    buffer->bytes = grown;
    buffer->capacity = capacity;
  }
  if (length > 0)
    memcpy(buffer->bytes + buffer->length, bytes, length);
  buffer->length += length;
}

void ct_buffer_text(struct ct_buffer *buffer, const char *text)
{
  ct_buffer_add(buffer, text, strlen(text));
}

void ct_buffer_printf(struct ct_buffer *buffer, const char *fmt, ...)
{
  char text[128];             /* numbers and escape sequences only */
  va_list args;
  va_start(args, fmt);
  int length = vsnprintf(text, sizeof text, fmt, args);
  va_end(args);
  if (length < 0 || (size_t)length >= sizeof text)
    buffer->failed = true;
  else
    ct_buffer_add(buffer, text, (size_t)length);
}

void ct_buffer_free(struct ct_buffer *buffer)
{
  free(buffer->bytes);
  *buffer = (struct ct_buffer){ 0 };
}
