#include "core/file.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

int ct_file_read(const char *path, size_t max_bytes, char **text, size_t *len_bytes, struct ct_err *err)
{
  FILE *file = fopen(path, "rb");
  if (file == NULL)
    return ct_err_set(err, errno == ENOENT ? CT_ENOTFOUND : CT_EIO, "%s: %s", path, strerror(errno));
  int code = 0;
  size_t len = 0, size = 4096;
  char *buffer = ct_xcalloc(size, 1);
  size_t got;
  while ((got = fread(buffer + len, 1, size - len - 1, file)) > 0) {
    len += got;
    if (len > max_bytes) {
      code = ct_err_set(err, CT_EIO, "%s: larger than %zu kB, the most that is read", path, max_bytes / 1024);
      goto out;
    }
    if (len + 1 < size)
      continue;
    char *larger = realloc(buffer, size * 2);
    if (larger == NULL) {
      code = ct_err_set(err, CT_ENOMEM, "%s: no memory to read it", path);
      goto out;
    }
    buffer = larger;
    size *= 2;
  }
  if (ferror(file)) {
    code = ct_err_set(err, CT_EIO, "%s: %s", path, strerror(errno));
    goto out;
  }
  buffer[len] = '\0';
  *text = buffer;
  *len_bytes = len;
  buffer = NULL;
out:
  free(buffer);
  fclose(file);
  return code;
}
