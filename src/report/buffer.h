/* buffer: a growing run of bytes a sample is composed in.
 * Ownership: whoever has the struct owns the bytes and frees them with ct_buffer_free; zeroed is empty. */
#ifndef REPORT_BUFFER_H
#define REPORT_BUFFER_H

#include <comptop/core.h>

struct ct_buffer {
  char *bytes;
  size_t length, capacity;
  bool failed;                /* memory ran out: the content is not whole */
};

void ct_buffer_add(struct ct_buffer *buffer, const char *bytes, size_t length);
void ct_buffer_text(struct ct_buffer *buffer, const char *text);
void ct_buffer_printf(struct ct_buffer *buffer, const char *fmt, ...) CT_PRINTF(2, 3);
void ct_buffer_free(struct ct_buffer *buffer);

#endif
