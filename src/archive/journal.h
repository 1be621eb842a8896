/* The journal of a file that is being written: what HDF5 overwrites in place, kept a second time, in order. A crash
 * leaves the file somewhere between two checkpoints, a power cut with any part of what was written since the last sync;
 * redoing the journal up to its last whole checkpoint makes the file what it was then. Large pieces of raw data are
 * written once and not journalled.
 * One thread writes a journal; another may append the mark that ct_journal_mark() made. */
#ifndef ARCHIVE_JOURNAL_H
#define ARCHIVE_JOURNAL_H

#include "archive/crc32.h"

#include <comptop/archive.h>

enum { CT_JOURNAL_BUFFER = 1 << 20 };

struct ct_journal {
  int fd;                         /* < 0: none is kept */
  uint64_t sequence;              /* of the last checkpoint */
  uint64_t rows;                  /* it told */
  size_t used;
  unsigned char *buffer;          /* a record under way */
  struct ct_crc32 crc;
};

/* All return 0 or the errno of the write that failed. */
int ct_journal_create(struct ct_journal *journal, const char *path);
int ct_journal_note(struct ct_journal *journal, uint64_t at, const void *bytes, size_t len_bytes);
/* Bytes were written that are not kept here: what was in their place before is no more. */
int ct_journal_note_raw(struct ct_journal *journal, uint64_t at, size_t len_bytes);
/* What was noted up to here belongs together: <rows> of frames, in a file of <end> bytes that was <closed> or not. */
int ct_journal_checkpoint(struct ct_journal *journal, uint64_t rows, uint64_t end, bool closed);
/* A record that says: the file was synced after the last checkpoint. Appended with one write(). */
void ct_journal_mark(const struct ct_journal *journal, struct ct_run_mark *mark);
void ct_journal_close(struct ct_journal *journal);

struct ct_journal_state {
  uint64_t rows;                  /* at the last checkpoint */
  uint64_t synced_rows;           /* of these, known to be on the disk */
  bool closed, changed;           /* changed: the file was not as the journal says */
};
/* 0; CT_ENOTFOUND: there is no journal, or no checkpoint in it; CT_EIO. */
int ct_journal_redo(const char *path, const char *journal_path, struct ct_journal_state *state,
                    struct ct_err *err) CT_MUST_CHECK;

#endif
