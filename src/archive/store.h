/* What every file of a run is written through: HDF5 with a file driver of ours, which stops at the first write that
 * fails. From then on it takes what HDF5 still wants to write and drops it, so that closing always succeeds, and the file
 * on the disk is as a crash at that write would have left it: one way to be repaired for every kind of end.
 * A store belongs to who made it and is used by one thread at a time. */
#ifndef ARCHIVE_STORE_H
#define ARCHIVE_STORE_H

#include "archive/journal.h"

#include <hdf5.h>

enum { CT_STORE_PATH = 512 };

struct ct_store {
  hid_t file;                      /* HDF5's, closed with the store */
  int fd, why;                     /* why: errno of the first write that failed, 0 */
  uint64_t end;                    /* of the file as HDF5 sees it */
  size_t once_bytes;               /* raw data of more than this is not journalled */
  bool plain;                      /* no readers while it is written (SWMR), and the earliest format */
  struct ct_journal journal;
  char path[CT_STORE_PATH];
};

/* JOURNAL: of all but chunks of frames, which are written once; JOURNAL_ALL: of everything. */
enum { CT_STORE_JOURNAL = 1, CT_STORE_JOURNAL_ALL = 2, CT_STORE_PLAIN = 4 };
/* A new file with group /entry; it must not exist. CT_EIO with the reason, then nothing is left of it. */
int ct_store_create(struct ct_store **out, const char *path, unsigned kind, struct ct_err *err) CT_MUST_CHECK;
/* A finished file, to be changed in place without a journal. */
int ct_store_open(struct ct_store **out, const char *path, struct ct_err *err) CT_MUST_CHECK;
/* All data sets are there: from now on readers may follow (unless plain), and a crash leaves at least this. */
int ct_store_start(struct ct_store *store, struct ct_err *err) CT_MUST_CHECK;
/* After everything was flushed: what a crash leaves from now on is at least this, <rows> of frames. CT_EIO. */
int ct_store_checkpoint(struct ct_store *store, uint64_t rows) CT_MUST_CHECK;
/* For the thread that syncs; false when there is nothing to sync. */
bool ct_store_sync(const struct ct_store *store, struct ct_run_sync *sync);
/* It is not to be written any more: what stands since the last checkpoint does not count. */
void ct_store_abandon(struct ct_store *store);
/* Closes and frees it; all objects in it were closed before. CT_EIO: its last writes are not on the disk, and the
 * journal is left for the repair. Else *last is what still has to be synced; NULL: it is synced here. NULL is fine. */
int ct_store_close(struct ct_store *store, struct ct_run_sync *last, struct ct_err *err) CT_MUST_CHECK;
/* Closes it and takes it away: it could not be begun. */
void ct_store_remove(struct ct_store *store);
/* "FILE.h5.journal" */
void ct_store_journal_path(const char *path, char journal[CT_STORE_PATH + 16]);
/* Readers of files on NFS and SMB see writes in any order, and flags that are not theirs. */
bool ct_store_is_remote(const char *folder);

#endif
