/* A whole small file in memory. The caller frees *text; it is NUL-terminated behind its *len_bytes bytes. */
#ifndef CORE_FILE_H
#define CORE_FILE_H

#include <comptop/core.h>

/* Refuses more than <max_bytes>. Works on pipes too. CT_ENOTFOUND when there is no such file, else CT_EIO. */
int ct_file_read(const char *path, size_t max_bytes, char **text, size_t *len_bytes, struct ct_err *err) CT_MUST_CHECK;

#endif
