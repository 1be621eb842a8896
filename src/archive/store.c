#include "archive/store.h"

#include "archive/grow.h"
#include "archive/h5.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

/* Larger pieces are chunks of frames, which are written once to a place of their own. */
static const size_t journalled_bytes = 64 << 10;

/* ---- the driver (HDF5: H5FDpublic.h, and "HDF5 Virtual File Layer") ----------------------------------------- */

struct driver_file {
  H5FD_t head;                     /* HDF5's part, first */
  struct ct_store *store;
  haddr_t allocated;
};

static struct ct_store *store_of(const H5FD_t *file)
{
  return ((const struct driver_file *)(const void *)file)->store;
}

static H5FD_t *driver_open(const char *name, unsigned flags, hid_t fapl, haddr_t max)
{
  (void)name;
  (void)flags;
  (void)max;
  struct ct_store *const *store = H5Pget_driver_info(fapl);
  if (store == NULL)
    return NULL;
  struct driver_file *file = calloc(1, sizeof *file);
  if (file != NULL)
    file->store = *store;
  return (H5FD_t *)file;
}

static herr_t driver_close(H5FD_t *file)
{
  free(file);
  return 0;
}

static herr_t driver_query(const H5FD_t *file, unsigned long *flags)
{
  (void)file;
  *flags = H5FD_FEAT_AGGREGATE_METADATA | H5FD_FEAT_ACCUMULATE_METADATA | H5FD_FEAT_DATA_SIEVE |
           H5FD_FEAT_AGGREGATE_SMALLDATA | H5FD_FEAT_SUPPORTS_SWMR_IO | H5FD_FEAT_DEFAULT_VFD_COMPATIBLE;
  return 0;
}

static haddr_t driver_allocated(const H5FD_t *file, H5FD_mem_t type)
{
  (void)type;
  return ((const struct driver_file *)(const void *)file)->allocated;
}

static herr_t driver_allocate(H5FD_t *file, H5FD_mem_t type, haddr_t end)
{
  (void)type;
  ((struct driver_file *)(void *)file)->allocated = end;
  return 0;
}

static haddr_t driver_end(const H5FD_t *file, H5FD_mem_t type)
{
  (void)type;
  return store_of(file)->end;
}

/* Beyond the end of the file there are zeros. After a failure, what HDF5 believes to have written may not be there: said at
 * once, or it would look for it a hundred times, each time after twice the pause. */
static herr_t driver_read(H5FD_t *file, H5FD_mem_t type, hid_t plist, haddr_t at, size_t len_bytes, void *bytes)
{
  (void)type;
  (void)plist;
  unsigned char *p = bytes;
  if (store_of(file)->why != 0)
    return -1;
  while (len_bytes > 0) {
    ssize_t n = pread(store_of(file)->fd, p, len_bytes, (off_t)at);
    if (n < 0 && errno == EINTR)
      continue;
    if (n < 0)
      return -1;
    if (n == 0) {
      memset(p, 0, len_bytes);
      return 0;
    }
    p += n;
    at += (haddr_t)n;
    len_bytes -= (size_t)n;
  }
  return 0;
}

static int write_at(int fd, uint64_t at, const void *bytes, size_t len_bytes)
{
  const unsigned char *p = bytes;
  while (len_bytes > 0) {
    ssize_t n = pwrite(fd, p, len_bytes, (off_t)at);
    if (n < 0 && errno == EINTR)
      continue;
    if (n <= 0)
      return n < 0 ? errno : ENOSPC;
    p += n;
    at += (uint64_t)n;
    len_bytes -= (size_t)n;
  }
  return 0;
}

static herr_t driver_write(H5FD_t *file, H5FD_mem_t type, hid_t plist, haddr_t at, size_t len_bytes, const void *bytes)
{
  (void)plist;
  struct ct_store *store = store_of(file);
  const bool once = type == H5FD_MEM_DRAW && len_bytes > store->once_bytes;
  if (at + len_bytes > store->end)
    store->end = at + len_bytes;
  if (store->why == 0)
    store->why = write_at(store->fd, at, bytes, len_bytes);
  if (store->why == 0 && store->journal.fd >= 0)
    store->why = once ? ct_journal_note_raw(&store->journal, at, len_bytes)
                      : ct_journal_note(&store->journal, at, bytes, len_bytes);
  return 0;
}

/* HDF5 wants the file to reach as far as it has allocated. It is never cut. */
static herr_t driver_truncate(H5FD_t *file, hid_t plist, hbool_t closing)
{
  (void)plist;
  (void)closing;
  struct ct_store *store = store_of(file);
  const haddr_t wanted = ((struct driver_file *)(void *)file)->allocated;
  if (wanted <= store->end)
    return 0;
  store->end = wanted;
  if (store->why == 0 && ftruncate(store->fd, (off_t)wanted) != 0)
    store->why = errno;
  return 0;
}

/* HDF5 marks files as being written only where the driver can lock. The run's folder is locked, not its files. */
static herr_t driver_lock(H5FD_t *file, hbool_t exclusive)
{
  (void)file;
  (void)exclusive;
  return 0;
}

static herr_t driver_unlock(H5FD_t *file)
{
  (void)file;
  return 0;
}

/* Registered once in the life of the library. */
static hid_t driver(void)
{
  static const H5FD_class_t class = {
    .name = "comptop", .maxaddr = (haddr_t)INT64_MAX, .fc_degree = H5F_CLOSE_STRONG, .fapl_size = sizeof(struct ct_store *),
    .open = driver_open, .close = driver_close, .query = driver_query, .get_eoa = driver_allocated,
    .set_eoa = driver_allocate, .get_eof = driver_end, .read = driver_read, .write = driver_write,
    .truncate = driver_truncate, .lock = driver_lock, .unlock = driver_unlock, .fl_map = H5FD_FLMAP_DICHOTOMY,
  };
  static hid_t id;
  if (id <= 0)
    id = H5FDregister(&class);
  return id;
}

/* ---- opening -------------------------------------------------------------------------------------------------- */

void ct_store_journal_path(const char *path, char journal[CT_STORE_PATH + 16])
{
  snprintf(journal, CT_STORE_PATH + 16, "%s.journal", path);
}

bool ct_store_is_remote(const char *folder)
{
  /* statfs(2) */
  static const unsigned long remote[] = { 0x6969 /* NFS */, 0x517B /* SMB */, 0xFF534D42 /* CIFS */, 0xFE534D42 /* SMB2 */,
                                          0x00C36400 /* Ceph */, 0x5346414F /* AFS */, 0x01021997 /* 9P */ };
  struct statfs status;
  if (statfs(folder, &status) != 0)
    return false;
  for (size_t i = 0; i < sizeof remote / sizeof *remote; i++)
    if (((unsigned long)status.f_type & 0xFFFFFFFF) == remote[i])
      return true;
  return false;
}

static hid_t access_list(struct ct_store *store)
{
  hid_t access = H5Pcreate(H5P_FILE_ACCESS);
  if (store->plain)
    H5Pset_libver_bounds(access, H5F_LIBVER_EARLIEST, H5F_LIBVER_LATEST);
  else
    H5Pset_libver_bounds(access, H5F_LIBVER_V110, H5F_LIBVER_LATEST);
  H5Pset_driver(access, driver(), &store);
  /* Nobody else writes it: what reads wrong, because a write before it failed, does not become right by waiting. */
  H5Pset_metadata_read_attempts(access, 1);
  return access;
}

static struct ct_store *new_store(const char *path)
{
  struct ct_store *store = ct_xcalloc(1, sizeof *store);
  store->file = H5I_INVALID_HID;
  store->fd = store->journal.fd = -1;
  snprintf(store->path, sizeof store->path, "%s", path);
  return store;
}

/* A file that HDF5 could not close it keeps until the program ends, and with it the store: without descriptors, and failed. */
static void free_store(struct ct_store *store, bool closed)
{
  ct_journal_close(&store->journal);
  if (store->fd >= 0)
    close(store->fd);
  store->fd = -1;
  if (store->why == 0)
    store->why = EIO;
  if (closed)
    free(store);
}

static int open_new(struct ct_store *store, unsigned kind)
{
  char journal[CT_STORE_PATH + 16];
  store->fd = open(store->path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
  if (store->fd < 0)
    return errno;
  if (!(kind & (CT_STORE_JOURNAL | CT_STORE_JOURNAL_ALL)))
    return 0;
  ct_store_journal_path(store->path, journal);
  return ct_journal_create(&store->journal, journal);
}

static void remove_files(const struct ct_store *store)
{
  char journal[CT_STORE_PATH + 16];
  ct_store_journal_path(store->path, journal);
  /* A journal without a checkpoint is what tells a file that could not be taken away from a good one. */
  if (unlink(store->path) == 0 || errno == ENOENT)
    unlink(journal);
}

int ct_store_create(struct ct_store **out, const char *path, unsigned kind, struct ct_err *err)
{
  struct ct_store *store = new_store(path);
  char why[CT_H5_WHY];
  *out = NULL;
  ct_h5_begin();
  store->plain = kind & CT_STORE_PLAIN;
  store->once_bytes = kind & CT_STORE_JOURNAL_ALL ? SIZE_MAX : journalled_bytes;
  store->why = open_new(store, kind);
  if (store->why == 0) {
    hid_t access = access_list(store);
    store->file = H5Fcreate(path, H5F_ACC_TRUNC, H5P_DEFAULT, access);
    H5Pclose(access);
  }
  if (store->file < 0 || store->why != 0) {
    ct_err_set(err, CT_EIO, "%s: cannot be made: %s", path, store->why ? strerror(store->why) : ct_h5_why(why));
    const bool closed = store->file < 0 || H5Fclose(store->file) >= 0;
    if (store->fd >= 0)
      remove_files(store);
    free_store(store, closed);
    return CT_EIO;
  }
  ct_h5_text(store->file, "default", "entry");
  ct_h5_group(store->file, "entry", "NXentry");
  *out = store;
  return 0;
}

int ct_store_open(struct ct_store **out, const char *path, struct ct_err *err)
{
  struct ct_store *store = new_store(path);
  struct stat status;
  char why[CT_H5_WHY];
  *out = NULL;
  ct_h5_begin();
  store->fd = open(path, O_RDWR | O_CLOEXEC);
  if (store->fd < 0 || fstat(store->fd, &status) != 0) {
    ct_err_set(err, CT_EIO, "%s: %s", path, strerror(errno));
    free_store(store, true);
    return CT_EIO;
  }
  store->end = (uint64_t)status.st_size;
  hid_t access = access_list(store);
  store->file = H5Fopen(path, H5F_ACC_RDWR, access);
  H5Pclose(access);
  if (store->file < 0) {
    ct_err_set(err, CT_EIO, "%s: cannot be opened: %s", path, ct_h5_why(why));
    free_store(store, true);
    return CT_EIO;
  }
  *out = store;
  return 0;
}

/* ---- writing --------------------------------------------------------------------------------------------------- */

int ct_store_start(struct ct_store *store, struct ct_err *err)
{
  char why[CT_H5_WHY];
  int rc = store->plain ? 0 : H5Fstart_swmr_write(store->file);
  if (rc >= 0)
    rc = H5Fflush(store->file, H5F_SCOPE_LOCAL);
  if (rc < 0 && store->why == 0)
    return ct_err_set(err, CT_EIO, "%s: cannot be made: %s", store->path, ct_h5_why(why));
  if (ct_store_checkpoint(store, 0) != 0)
    return ct_err_set(err, CT_EIO, "%s: cannot be made: %s", store->path, strerror(store->why));
  return 0;
}

int ct_store_checkpoint(struct ct_store *store, uint64_t rows)
{
  if (store->plain && store->why == 0 && H5Fflush(store->file, H5F_SCOPE_LOCAL) < 0)
    return CT_EIO;
  if (store->why == 0 && store->journal.fd >= 0)
    store->why = ct_journal_checkpoint(&store->journal, rows, store->end, false);
  return store->why == 0 ? 0 : CT_EIO;
}

bool ct_store_sync(const struct ct_store *store, struct ct_run_sync *sync)
{
  memset(sync, 0, sizeof *sync);
  sync->data = sync->journal = -1;
  if (store->why != 0 || store->journal.fd < 0)
    return false;
  sync->data = fcntl(store->fd, F_DUPFD_CLOEXEC, 3);
  sync->journal = fcntl(store->journal.fd, F_DUPFD_CLOEXEC, 3);
  ct_journal_mark(&store->journal, &sync->mark);
  return true;
}

void ct_store_abandon(struct ct_store *store)
{
  if (store->why == 0)
    store->why = EIO;
}

int ct_store_close(struct ct_store *store, struct ct_run_sync *last, struct ct_err *err)
{
  struct ct_run_sync own;
  char why[CT_H5_WHY] = "";
  if (store == NULL)
    return 0;
  ct_h5_begin();
  const bool closed = H5Fclose(store->file) >= 0;
  bool good = closed;
  if (!good)
    ct_h5_why(why);
  if (good && store->why == 0 && store->journal.fd >= 0)
    store->why = ct_journal_checkpoint(&store->journal, store->journal.rows, store->end, true);
  good = good && store->why == 0;
  if (last == NULL)
    last = &own;
  if (good && ct_store_sync(store, last)) {
    last->closed = true;
    ct_store_journal_path(store->path, last->journal_path);
    if (last == &own && ct_run_sync(&own) != 0)
      good = false;
  } else if (good && fdatasync(store->fd) != 0) {
    store->why = errno;
    good = false;
  }
  int rc = good ? 0 : ct_err_set(err, CT_EIO, "%s: cannot be written: %s", store->path,
                                 store->why ? strerror(store->why) : why);
  free_store(store, closed);
  return rc;
}

void ct_store_remove(struct ct_store *store)
{
  const bool closed = H5Fclose(store->file) >= 0;
  remove_files(store);
  free_store(store, closed);
}

/* The file first: only then may the journal say that it is on the disk. */
int ct_run_sync(struct ct_run_sync *sync)
{
  int why = 0;
  if (sync->data >= 0 && fdatasync(sync->data) != 0)
    why = errno;
  if (why == 0 && sync->closed && unlink(sync->journal_path) != 0 && errno != ENOENT)
    why = errno;
  if (why == 0 && !sync->closed && sync->journal >= 0) {
    const ssize_t n = write(sync->journal, sync->mark.bytes, CT_RUN_MARK);
    why = n < 0 || (n == CT_RUN_MARK && fdatasync(sync->journal) != 0) ? errno : n < CT_RUN_MARK ? ENOSPC : 0;
  }
  if (sync->data >= 0)
    close(sync->data);
  if (sync->journal >= 0)
    close(sync->journal);
  sync->data = sync->journal = -1;
  return why;
}
