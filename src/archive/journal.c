#include "archive/journal.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define JOURNAL_MAGIC "comptop journal\n"
enum { MAGIC_BYTES = 16 };

enum record_kind { RECORD_PART = 1, RECORD_CHECKPOINT, RECORD_CLOSED, RECORD_SYNCED };
struct record {
  uint32_t magic, kind;
  uint64_t sequence, rows, end;
  uint32_t payload_bytes, payload_crc;
  uint32_t zero, crc;             /* of all before it */
};
static const uint32_t record_magic = UINT32_C(0x4a724343);

/* In the payload each piece of the file begins with this. */
struct piece {
  uint64_t at;
  uint32_t len_bytes, raw;        /* raw: the bytes do not follow */
};

_Static_assert(sizeof(struct record) == 48 && sizeof(struct record) <= sizeof(struct ct_run_mark), "a record is 48 bytes");
_Static_assert(sizeof(struct piece) == 16, "a piece begins with 16 bytes");

/* ---- writing ---------------------------------------------------------------------------------------------- */

static int write_all(int fd, const void *bytes, size_t len_bytes)
{
  const unsigned char *p = bytes;
  while (len_bytes > 0) {
    ssize_t n = write(fd, p, len_bytes);
    if (n < 0 && errno == EINTR)
      continue;
    if (n <= 0)
      return n < 0 ? errno : ENOSPC;
    p += n;
    len_bytes -= (size_t)n;
  }
  return 0;
}

int ct_journal_create(struct ct_journal *journal, const char *path)
{
  journal->sequence = journal->rows = 0;
  journal->used = sizeof(struct record);
  journal->fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_APPEND | O_CLOEXEC, 0666);
  if (journal->fd < 0)
    return errno;
  if (journal->buffer == NULL) {
    journal->buffer = ct_xcalloc(1, CT_JOURNAL_BUFFER);
    ct_crc32_init(&journal->crc);
  }
  return write_all(journal->fd, JOURNAL_MAGIC, MAGIC_BYTES);
}

static void seal(const struct ct_journal *journal, struct record *record)
{
  record->magic = record_magic;
  record->crc = ct_crc32(&journal->crc, record, offsetof(struct record, crc));
}

static int write_record(struct ct_journal *journal, enum record_kind kind, uint64_t rows, uint64_t end)
{
  const size_t head = sizeof(struct record), payload = journal->used - head;
  struct record record = { .kind = kind, .sequence = journal->sequence, .rows = rows, .end = end,
                           .payload_bytes = (uint32_t)payload,
                           .payload_crc = ct_crc32(&journal->crc, journal->buffer + head, payload) };
  seal(journal, &record);
  memcpy(journal->buffer, &record, head);
  journal->used = head;
  return write_all(journal->fd, journal->buffer, head + payload);
}

static int make_room(struct ct_journal *journal)
{
  return journal->used + 2 * sizeof(struct piece) > CT_JOURNAL_BUFFER ? write_record(journal, RECORD_PART, 0, 0) : 0;
}

int ct_journal_note_raw(struct ct_journal *journal, uint64_t at, size_t len_bytes)
{
  const uint32_t most = UINT32_MAX;
  while (len_bytes > 0) {
    const struct piece piece = { .at = at, .len_bytes = len_bytes < most ? (uint32_t)len_bytes : most, .raw = 1 };
    int rc = make_room(journal);
    if (rc != 0)
      return rc;
    memcpy(journal->buffer + journal->used, &piece, sizeof piece);
    journal->used += sizeof piece;
    at += piece.len_bytes;
    len_bytes -= piece.len_bytes;
  }
  return 0;
}

int ct_journal_note(struct ct_journal *journal, uint64_t at, const void *bytes, size_t len_bytes)
{
  const unsigned char *p = bytes;
  while (len_bytes > 0) {
    int rc = make_room(journal);
    if (rc != 0)
      return rc;
    const size_t room = CT_JOURNAL_BUFFER - journal->used - sizeof(struct piece), n = len_bytes < room ? len_bytes : room;
    const struct piece piece = { .at = at, .len_bytes = (uint32_t)n };
    memcpy(journal->buffer + journal->used, &piece, sizeof piece);
    memcpy(journal->buffer + journal->used + sizeof piece, p, n);
    journal->used += sizeof piece + n;
    at += n;
    p += n;
    len_bytes -= n;
  }
  return 0;
}

int ct_journal_checkpoint(struct ct_journal *journal, uint64_t rows, uint64_t end, bool closed)
{
  journal->sequence++;
  journal->rows = rows;
  return write_record(journal, closed ? RECORD_CLOSED : RECORD_CHECKPOINT, rows, end);
}

void ct_journal_mark(const struct ct_journal *journal, struct ct_run_mark *mark)
{
  struct record record = { .kind = RECORD_SYNCED, .sequence = journal->sequence, .rows = journal->rows };
  seal(journal, &record);
  memcpy(mark->bytes, &record, sizeof record);
}

void ct_journal_close(struct ct_journal *journal)
{
  if (journal->fd >= 0)
    close(journal->fd);
  journal->fd = -1;
  free(journal->buffer);
  journal->buffer = NULL;
}

/* ---- redoing ------------------------------------------------------------------------------------------------ */

/* A piece of the file as the journal has it. */
struct entry {
  uint64_t at, offset;            /* in the file; in the journal */
  uint32_t len_bytes, order;
  bool raw;
};

struct redo {
  int journal, file;
  const char *path;
  struct ct_crc32 crc;
  unsigned char *buffer, *there;
  struct entry *entries;
  size_t n, room, n_whole;        /* n_whole: up to the last checkpoint */
  uint64_t end;
  bool found;
};

static bool read_all(int fd, void *bytes, size_t len_bytes, uint64_t at)
{
  unsigned char *p = bytes;
  while (len_bytes > 0) {
    ssize_t n = pread(fd, p, len_bytes, (off_t)at);
    if (n < 0 && errno == EINTR)
      continue;
    if (n <= 0)
      return false;
    p += n;
    at += (uint64_t)n;
    len_bytes -= (size_t)n;
  }
  return true;
}

static bool read_record(struct redo *redo, uint64_t at, struct record *record)
{
  if (!read_all(redo->journal, record, sizeof *record, at))
    return false;
  if (record->magic != record_magic || record->payload_bytes > CT_JOURNAL_BUFFER ||
      record->crc != ct_crc32(&redo->crc, record, offsetof(struct record, crc)))
    return false;
  return read_all(redo->journal, redo->buffer, record->payload_bytes, at + sizeof *record) &&
         record->payload_crc == ct_crc32(&redo->crc, redo->buffer, record->payload_bytes);
}

static bool add_entry(struct redo *redo, const struct piece *piece, uint64_t offset)
{
  if (redo->n == redo->room) {
    size_t room = redo->room ? 2 * redo->room : 4096;
    struct entry *more = realloc(redo->entries, room * sizeof *more);
    if (more == NULL)
      return false;
    redo->entries = more;
    redo->room = room;
  }
  redo->entries[redo->n] = (struct entry){ .at = piece->at, .offset = offset, .len_bytes = piece->len_bytes,
                                           .order = (uint32_t)redo->n, .raw = piece->raw != 0 };
  redo->n++;
  return true;
}

static bool add_pieces(struct redo *redo, const struct record *record, uint64_t at)
{
  for (size_t used = 0; used < record->payload_bytes;) {
    struct piece piece;
    if (record->payload_bytes - used < sizeof piece)
      return false;
    memcpy(&piece, redo->buffer + used, sizeof piece);
    used += sizeof piece;
    const uint32_t stored = piece.raw ? 0 : piece.len_bytes;
    if (stored > record->payload_bytes - used || !add_entry(redo, &piece, at + sizeof *record + used))
      return false;
    used += stored;
  }
  return true;
}

/* Up to the first record that is not whole: what a crash left of the last write. */
static void scan(struct redo *redo, struct ct_journal_state *state)
{
  struct record record;
  for (uint64_t at = MAGIC_BYTES; read_record(redo, at, &record); at += sizeof record + record.payload_bytes) {
    if (record.kind == RECORD_SYNCED) {
      state->synced_rows = record.rows > state->synced_rows ? record.rows : state->synced_rows;
      continue;
    }
    if (!add_pieces(redo, &record, at))
      return;
    if (record.kind == RECORD_PART)
      continue;
    redo->found = true;
    redo->n_whole = redo->n;
    redo->end = record.end;
    state->rows = record.rows;
    state->closed = record.kind == RECORD_CLOSED;
  }
}

static int by_place(const void *a, const void *b)
{
  const struct entry *x = a, *y = b;
  if (x->at != y->at)
    return x->at < y->at ? -1 : 1;
  return x->order < y->order ? -1 : 1;
}

static int by_order(const void *a, const void *b)
{
  const struct entry *x = a, *y = b;
  return x->order < y->order ? -1 : 1;
}

/* Whether a later entry makes this one worthless: one that covers it from the same place on, or raw data that was
 * written where it had been. <after> are those behind it in the file, <raw> the nearest raw one before it. */
static bool superseded(const struct entry *entry, const struct entry *after, const struct entry *end,
                       const struct entry *raw)
{
  if (raw != NULL && raw->order > entry->order && entry->at < raw->at + raw->len_bytes)
    return true;
  for (; after < end && after->at < entry->at + entry->len_bytes; after++)
    if (after->order > entry->order && (after->raw || (after->at == entry->at && after->len_bytes >= entry->len_bytes)))
      return true;
  return false;
}

static void drop_superseded(struct redo *redo)
{
  const struct entry *end = redo->entries + redo->n_whole;
  struct entry raw;
  bool has_raw = false;
  size_t kept = 0;
  if (redo->n_whole == 0)
    return;
  qsort(redo->entries, redo->n_whole, sizeof *redo->entries, by_place);
  for (struct entry *entry = redo->entries; entry < end; entry++) {
    const struct entry copy = *entry;
    if (copy.raw) {
      raw = copy;
      has_raw = true;
    } else if (!superseded(entry, entry + 1, end, has_raw ? &raw : NULL))
      redo->entries[kept++] = copy;
  }
  redo->n_whole = kept;
  qsort(redo->entries, kept, sizeof *redo->entries, by_order);
}

static int put_back(struct redo *redo, const struct entry *entry, struct ct_journal_state *state)
{
  if (!read_all(redo->journal, redo->buffer, entry->len_bytes, entry->offset))
    return EIO;
  if (read_all(redo->file, redo->there, entry->len_bytes, entry->at) &&
      memcmp(redo->there, redo->buffer, entry->len_bytes) == 0)
    return 0;
  state->changed = true;
  for (size_t done = 0; done < entry->len_bytes;) {
    ssize_t n = pwrite(redo->file, redo->buffer + done, entry->len_bytes - done, (off_t)(entry->at + done));
    if (n < 0 && errno == EINTR)
      continue;
    if (n <= 0)
      return n < 0 ? errno : ENOSPC;
    done += (size_t)n;
  }
  return 0;
}

static int apply(struct redo *redo, struct ct_journal_state *state)
{
  struct stat status;
  drop_superseded(redo);
  for (size_t i = 0; i < redo->n_whole; i++) {
    int rc = put_back(redo, &redo->entries[i], state);
    if (rc != 0)
      return rc;
  }
  if (fstat(redo->file, &status) != 0)
    return errno;
  if ((uint64_t)status.st_size < redo->end) {
    state->changed = true;
    if (ftruncate(redo->file, (off_t)redo->end) != 0)
      return errno;
  }
  return state->changed && fsync(redo->file) != 0 ? errno : 0;
}

int ct_journal_redo(const char *path, const char *journal_path, struct ct_journal_state *state, struct ct_err *err)
{
  struct redo redo = { .path = path, .file = -1 };
  char magic[MAGIC_BYTES];
  int rc = 0;
  *state = (struct ct_journal_state){ 0 };
  redo.journal = open(journal_path, O_RDONLY | O_CLOEXEC);
  if (redo.journal < 0)
    return errno == ENOENT ? CT_ENOTFOUND : ct_err_set(err, CT_EIO, "%s: %s", journal_path, strerror(errno));
  ct_crc32_init(&redo.crc);
  redo.buffer = ct_xcalloc(1, CT_JOURNAL_BUFFER);
  redo.there = ct_xcalloc(1, CT_JOURNAL_BUFFER);
  if (read_all(redo.journal, magic, sizeof magic, 0) && memcmp(magic, JOURNAL_MAGIC, sizeof magic) == 0)
    scan(&redo, state);
  if (!redo.found) {
    rc = CT_ENOTFOUND;
    goto out;
  }
  redo.file = open(path, O_RDWR | O_CLOEXEC);
  int why = redo.file < 0 ? errno : apply(&redo, state);
  if (why != 0)
    rc = ct_err_set(err, CT_EIO, "%s: cannot be repaired: %s", path, strerror(why));
out:
  if (redo.file >= 0)
    close(redo.file);
  close(redo.journal);
  free(redo.entries);
  free(redo.there);
  free(redo.buffer);
  return rc;
}
