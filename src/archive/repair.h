/* The superblock of a file that was open for writing when its process died. */
#ifndef ARCHIVE_REPAIR_H
#define ARCHIVE_REPAIR_H

#include <comptop/archive.h>

/* 1: was left open and is patched, and with <keep> the 48 bytes as they were are in PATH.superblock; 0: nothing to do;
 * negative: not such a file, or it cannot be written. */
int ct_repair_superblock(const char *path, bool keep, struct ct_err *err) CT_MUST_CHECK;
/* The whole of it: the journal is redone, the superblock set right, and frames that did not reach the disk are cut off.
 * 1: was repaired (or, when nothing of it was ever on the disk, renamed to PATH.unfinished). */
int ct_repair_file(const char *path, struct ct_err *err) CT_MUST_CHECK;
/* Jenkins' lookup3 (hashlittle, 2006), the checksum of HDF5's metadata. */
uint32_t ct_lookup3(const void *data, size_t bytes, uint32_t start);

#endif
