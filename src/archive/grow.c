/* Growing data sets, and attributes. */
#include "archive/grow.h"

#include "archive/codec.h"

#include <string.h>

enum { CACHE_BYTES = 4 << 20 };

int ct_grow_create(struct ct_grow *grow, hid_t group, const char *name, hid_t type, int rank, const hsize_t *row_dims,
                   const hsize_t *chunk, enum ct_codec codec)
{
  hsize_t limits[CT_GROW_RANK] = { H5S_UNLIMITED };
  size_t chunk_bytes = H5Tget_size(type);
  *grow = (struct ct_grow){ .set = H5I_INVALID_HID, .type = type, .rank = rank };
  for (int i = 1; i < rank; i++)
    limits[i] = grow->dims[i] = row_dims[i - 1];
  for (int i = 0; i < rank; i++)
    chunk_bytes *= chunk[i];
  hid_t space = H5Screate_simple(rank, grow->dims, limits);
  hid_t plist = H5Pcreate(H5P_DATASET_CREATE), access = H5Pcreate(H5P_DATASET_ACCESS);
  H5Pset_chunk(plist, rank, chunk);
  /* A chunk outside the cache would be packed anew with every row. */
  H5Pset_chunk_cache(access, 31, 2 * chunk_bytes > CACHE_BYTES ? 2 * chunk_bytes : CACHE_BYTES, 1.0);
  ct_codec_filter(codec, plist, H5Tget_size(type));
  grow->set = H5Dcreate2(group, name, type, space, H5P_DEFAULT, plist, access);
  H5Pclose(access);
  H5Pclose(plist);
  H5Sclose(space);
  return grow->set < 0 ? CT_EIO : 0;
}

static bool extend(struct ct_grow *grow, hsize_t rows)
{
  hsize_t dims[CT_GROW_RANK];
  memcpy(dims, grow->dims, sizeof dims);
  dims[0] = rows;
  return H5Dset_extent(grow->set, dims) >= 0;
}

int ct_grow_append(struct ct_grow *grow, hsize_t rows, const void *values)
{
  hsize_t start[CT_GROW_RANK] = { grow->dims[0] }, count[CT_GROW_RANK];
  memcpy(count, grow->dims, sizeof count);
  count[0] = rows;
  if (!extend(grow, grow->dims[0] + rows))
    return CT_EIO;
  hid_t memory = H5Screate_simple(grow->rank, count, NULL), space = H5Dget_space(grow->set);
  bool good = H5Sselect_hyperslab(space, H5S_SELECT_SET, start, NULL, count, NULL) >= 0 &&
              H5Dwrite(grow->set, grow->type, memory, space, H5P_DEFAULT, values) >= 0;
  H5Sclose(space);
  H5Sclose(memory);
  if (!good)
    return CT_EIO;
  grow->dims[0] += rows;
  return 0;
}

int ct_grow_append_row(struct ct_grow *const *sets, const void *const *values, size_t n)
{
  int rc = 0;
  for (size_t i = 0; i < n && rc == 0; i++)
    rc = ct_grow_append(sets[i], 1, values[i]);
  return rc;
}

int ct_grow_append_chunk(struct ct_grow *grow, hsize_t first, hsize_t rows, bool plain, const void *bytes,
                         size_t len_bytes)
{
  const hsize_t start[CT_GROW_RANK] = { first };
  if (!extend(grow, grow->dims[0] + rows) ||
      H5Dwrite_chunk(grow->set, H5P_DEFAULT, plain ? UINT32_MAX : 0, start, len_bytes, bytes) < 0)
    return CT_EIO;
  grow->dims[0] += rows;
  return 0;
}

int ct_grow_flush(const struct ct_grow *grow)
{
  return H5Dflush(grow->set) < 0 ? CT_EIO : 0;
}

void ct_grow_close(struct ct_grow *grow)
{
  if (grow->set >= 0)
    H5Dclose(grow->set);
  grow->set = H5I_INVALID_HID;
}

static hid_t text_type(void)
{
  hid_t type = H5Tcopy(H5T_C_S1);
  H5Tset_size(type, H5T_VARIABLE);
  H5Tset_cset(type, H5T_CSET_UTF8);
  return type;
}

static void write_attribute(hid_t object, const char *name, hid_t type, hid_t space, const void *value)
{
  hid_t attribute = H5Acreate2(object, name, type, space, H5P_DEFAULT, H5P_DEFAULT);
  H5Awrite(attribute, type, value);
  H5Aclose(attribute);
  H5Sclose(space);
}

void ct_h5_texts(hid_t object, const char *name, const char *const *texts, size_t n)
{
  const hsize_t count = n;
  hid_t type = text_type();
  write_attribute(object, name, type, H5Screate_simple(1, &count, NULL), texts);
  H5Tclose(type);
}

void ct_h5_text(hid_t object, const char *name, const char *text)
{
  hid_t type = text_type();
  write_attribute(object, name, type, H5Screate(H5S_SCALAR), &text);
  H5Tclose(type);
}

void ct_h5_number(hid_t object, const char *name, double value)
{
  write_attribute(object, name, H5T_NATIVE_DOUBLE, H5Screate(H5S_SCALAR), &value);
}

void ct_h5_group(hid_t parent, const char *name, const char *class)
{
  hid_t group = H5Gcreate2(parent, name, H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT);
  ct_h5_text(group, "NX_class", class);
  H5Gclose(group);
}
