/* HDF5 made quiet, and its errors made readable. */
#include "archive/h5.h"

#include "archive/codec.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

void ct_h5_begin(void)
{
  /* Every file is closed where it was opened. What HDF5 does at the exit falls over a file whose closing has failed,
   * as it does on a disk without space: the end of the run would be a crash. Only before anything else it has effect. */
  (void)H5dont_atexit();
  H5Eset_auto2(H5E_DEFAULT, NULL, NULL);
  H5Eclear2(H5E_DEFAULT);
  ct_codec_register();
}

static herr_t keep_first(unsigned n, const H5E_error2_t *entry, void *context)
{
  char *text = context;
  if (n == 0 && entry->desc != NULL)
    snprintf(text, CT_H5_WHY, "%s", entry->desc);
  return 0;
}

const char *ct_h5_why(char text[CT_H5_WHY])
{
  snprintf(text, CT_H5_WHY, "no reason given");
  H5Ewalk2(H5E_DEFAULT, H5E_WALK_UPWARD, keep_first, text);
  return text;
}

static enum ct_type integer_type(size_t bytes, bool is_signed)
{
  switch (bytes) {
    case 1: return is_signed ? CT_I8 : CT_U8;
    case 2: return is_signed ? CT_I16 : CT_U16;
    case 4: return is_signed ? CT_I32 : CT_U32;
    case 8: return is_signed ? CT_I64 : CT_U64;
    default: return CT_TYPE_COUNT;
  }
}

enum ct_type ct_h5_type(hid_t hdf5_type)
{
  size_t bytes = H5Tget_size(hdf5_type);
  switch (H5Tget_class(hdf5_type)) {
    case H5T_INTEGER: return integer_type(bytes, H5Tget_sign(hdf5_type) == H5T_SGN_2);
    case H5T_FLOAT: return bytes == 4 ? CT_F32 : bytes == 8 ? CT_F64 : CT_TYPE_COUNT;
    default: return CT_TYPE_COUNT;
  }
}

hid_t ct_h5_native(enum ct_type type)
{
  switch (type) {
    case CT_U8: return H5T_NATIVE_UINT8;
    case CT_U16: return H5T_NATIVE_UINT16;
    case CT_U32: return H5T_NATIVE_UINT32;
    case CT_U64: return H5T_NATIVE_UINT64;
    case CT_I8: return H5T_NATIVE_INT8;
    case CT_I16: return H5T_NATIVE_INT16;
    case CT_I32: return H5T_NATIVE_INT32;
    case CT_I64: return H5T_NATIVE_INT64;
    case CT_F32: return H5T_NATIVE_FLOAT;
    case CT_F64: return H5T_NATIVE_DOUBLE;
    default: return H5I_INVALID_HID;
  }
}

/* Byte 11 of a version 3 superblock: the file was opened for writing and not closed. */
static bool never_closed(const char *path)
{
  unsigned char head[12] = { 0 };
  FILE *file = fopen(path, "rb");
  if (file == NULL)
    return false;
  size_t got = fread(head, 1, sizeof head, file);
  fclose(file);
  return got == sizeof head && memcmp(head, "\211HDF\r\n\032\n", 8) == 0 && head[8] == 3 && head[11] != 0;
}

hsize_t ct_h5_length(hid_t set)
{
  hsize_t n = 0;
  hid_t space = H5Dget_space(set);
  if (H5Sget_simple_extent_ndims(space) == 1)
    H5Sget_simple_extent_dims(space, &n, NULL);
  H5Sclose(space);
  return n;
}

int ct_h5_open_file(hid_t *file, const char *path, struct ct_err *err)
{
  struct stat status;
  char why[CT_H5_WHY];
  ct_h5_begin();
  if (stat(path, &status) != 0 || access(path, R_OK) != 0)
    return ct_err_set(err, CT_EIO, "%s: %s", path, strerror(errno));
  if (!S_ISREG(status.st_mode))
    return ct_err_set(err, CT_EFORMAT, "%s: not a regular file", path);
  if (H5Fis_hdf5(path) <= 0)
    return ct_err_set(err, CT_EFORMAT, "%s: not an HDF5 file", path);
  if (never_closed(path))
    return ct_err_set(err, CT_EBUSY, "%s: still being written, or left so by a crash: then repair it with "
                      "comptop-archive repair", path);
  *file = H5Fopen(path, H5F_ACC_RDONLY, H5P_DEFAULT);
  if (*file < 0)
    return ct_err_set(err, CT_EIO, "%s: cannot be opened: damaged or cut off? (%s)", path, ct_h5_why(why));
  return 0;
}
