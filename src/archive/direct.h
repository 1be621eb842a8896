/* Chunks of whole frames in this machine's own bytes, as they are or packed by the filter that is built in: fetched and
 * unpacked here, without the copies that HDF5 makes on the way. */
#ifndef ARCHIVE_DIRECT_H
#define ARCHIVE_DIRECT_H

#include <hdf5.h>

#include <comptop/archive.h>

struct ct_direct {
  bool possible, packed;
  uint64_t chunk_frames;
  size_t chunk_bytes, raw_room, element_bytes;
  unsigned char *raw, *plain;          /* a chunk as it is in the file; one of which only a part is wanted */
};

/* Of a data set [n,rows,cols]. */
void ct_direct_init(struct ct_direct *direct, hid_t set, const struct ct_h5_info *info);
/* Empties parcels; NULL is fine. */
void ct_direct_begin(struct ct_h5_parcels *parcels);
/* Frames that the data set has; <parcels> (may be NULL) takes whole packed chunks as they are. False: not this way, HDF5 will
 * do it, or say what is wrong. */
bool ct_direct_read(struct ct_direct *direct, hid_t set, uint64_t first, uint64_t count, unsigned char *out,
                    struct ct_h5_parcels *parcels);
void ct_direct_fini(struct ct_direct *direct);

#endif
