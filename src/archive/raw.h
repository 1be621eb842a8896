/* Headerless frames: what the GigE software of the single-ASIC camera writes (.bin), 80 x 80 uint16 one after the other,
 * little-endian, in the order in which the ASIC reads its pixels. */
#ifndef ARCHIVE_RAW_H
#define ARCHIVE_RAW_H

#include <comptop/archive.h>

/* Whether a spec names such a file: it ends in ".bin". */
bool ct_raw_is(const char *spec);
/* Opens it for reading: a descriptor, or CT_EIO, CT_EFORMAT (no whole number of frames, or none). */
int ct_raw_open(const char *path, struct ct_h5_info *info, struct ct_err *err) CT_MUST_CHECK;
bool ct_raw_read(int fd, uint64_t first, uint64_t count, void *buffer);

#endif
