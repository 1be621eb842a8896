/* Data sets that grow along their first axis in a file that readers may follow (SWMR): all are created first, then
 * writing starts and nothing but their rows may change. */
#ifndef ARCHIVE_GROW_H
#define ARCHIVE_GROW_H

#include <hdf5.h>

#include <comptop/archive.h>

enum { CT_GROW_RANK = 4 };

struct ct_grow {
  hid_t set, type;               /* of memory and file alike: native little-endian, or a string of fixed length */
  int rank;
  hsize_t dims[CT_GROW_RANK];    /* dims[0]: rows written */
};

/* The shape of one row is row_dims[0..rank-2]; <chunk> has rank entries. <codec> packs chunks. Does not own <type>. */
int ct_grow_create(struct ct_grow *grow, hid_t group, const char *name, hid_t type, int rank, const hsize_t *row_dims,
                   const hsize_t *chunk, enum ct_codec codec) CT_MUST_CHECK;
/* Whatever fails with CT_EIO leaves the file to be closed and repaired: it cannot be written any more. */
int ct_grow_append(struct ct_grow *grow, hsize_t rows, const void *values) CT_MUST_CHECK;
/* One row to each of <n> data sets. */
int ct_grow_append_row(struct ct_grow *const *sets, const void *const *values, size_t n) CT_MUST_CHECK;
/* Appends <rows>, whose chunk begins with row <first> and stands in the file as it is given here; <plain>: not packed. */
int ct_grow_append_chunk(struct ct_grow *grow, hsize_t first, hsize_t rows, bool plain, const void *bytes,
                         size_t len_bytes) CT_MUST_CHECK;
int ct_grow_flush(const struct ct_grow *grow) CT_MUST_CHECK;
void ct_grow_close(struct ct_grow *grow);

void ct_h5_text(hid_t object, const char *name, const char *text);        /* a string attribute */
void ct_h5_texts(hid_t object, const char *name, const char *const *texts, size_t n);   /* an array of them */
void ct_h5_number(hid_t object, const char *name, double value);
void ct_h5_group(hid_t parent, const char *name, const char *class);       /* an empty NeXus group */

#endif
