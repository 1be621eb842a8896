/* The folder of a run. */
#include "archive/folder.h"

#include "archive/datafile.h"
#include "archive/h5.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

/* NAME of "NAME.nxs", or of another <ending>; or false. */
static bool run_name(const char *base, const char *ending, char *name, size_t bytes)
{
  const char *end = strrchr(base, '.');
  if (end == NULL || end == base || strcmp(end, ending) != 0 || (size_t)(end - base) >= bytes)
    return false;
  snprintf(name, bytes, "%.*s", (int)(end - base), base);
  return true;
}

static bool has_files(const struct ct_folder *folder)
{
  struct ct_folder_entry *entries = NULL;
  size_t n = 0;
  const bool files = ct_folder_list(folder, &entries, &n, NULL) == 0 && n > 0;
  free(entries);
  return files;
}

/* Other programs write *.nxs, too: beside a master there are files of its run, or the lock of one that has none yet. */
static bool is_run(const struct ct_folder *folder)
{
  char lock[CT_PATH];
  ct_folder_path(folder, ".lock", lock);
  return has_files(folder) || access(lock, F_OK) == 0;
}

/* The folder may have been renamed or be ".": the master tells the run's name; its lock does where the master is gone. */
static void find_name(struct ct_folder *folder, DIR *dir)
{
  struct ct_folder candidate = *folder;
  for (struct dirent *entry; (entry = readdir(dir)) != NULL;)
    if (run_name(entry->d_name, ".nxs", candidate.name, sizeof candidate.name) && is_run(&candidate))
      *folder = candidate;
  rewinddir(dir);
  for (struct dirent *entry; folder->name[0] == '\0' && (entry = readdir(dir)) != NULL;)
    if (run_name(entry->d_name, ".lock", candidate.name, sizeof candidate.name) && has_files(&candidate))
      *folder = candidate;
}

int ct_folder_find(struct ct_folder *folder, const char *run, struct ct_err *err)
{
  struct stat status;
  *folder = (struct ct_folder){ .lock = -1 };
  if (strlen(run) >= CT_FOLDER_PATH)
    return ct_err_set(err, CT_ERANGE, "%.60s...: the name is too long", run);
  if (stat(run, &status) != 0)
    return ct_err_set(err, CT_ENOTFOUND, "%s: %s", run, strerror(errno));
  snprintf(folder->path, sizeof folder->path, "%s", run);
  size_t length = strlen(folder->path);
  while (length > 1 && folder->path[length - 1] == '/')
    folder->path[--length] = '\0';
  if (!S_ISDIR(status.st_mode)) {
    char *slash = strrchr(folder->path, '/');
    bool named = run_name(slash != NULL ? slash + 1 : folder->path, ".nxs", folder->name, sizeof folder->name);
    if (slash == NULL)
      snprintf(folder->path, sizeof folder->path, ".");
    else
      slash[slash == folder->path] = '\0';
    return named && is_run(folder) ? 0 : ct_err_set(err, CT_ENOTFOUND, "%s: is not the master (*.nxs) of an archived run", run);
  }
  DIR *dir = opendir(folder->path);
  if (dir == NULL)
    return ct_err_set(err, CT_EIO, "%s: %s", folder->path, strerror(errno));
  find_name(folder, dir);
  closedir(dir);
  if (folder->name[0] == '\0')
    return ct_err_set(err, CT_ENOTFOUND, "%s: no archived run: there is no master (*.nxs) in it", run);
  return 0;
}

int ct_folder_make(const char *path, struct ct_err *err)
{
  char part[CT_PATH];
  snprintf(part, sizeof part, "%s", path);
  for (char *slash = part + 1; (slash = strchr(slash, '/')) != NULL; *slash++ = '/') {
    *slash = '\0';
    if (mkdir(part, 0777) != 0 && errno != EEXIST && errno != EROFS && errno != EACCES)
      break;   /* told below */
  }
  if (mkdir(path, 0777) == 0 || errno == EEXIST)
    return 0;
  return ct_err_set(err, CT_EIO, "cannot make the folder %s: %s; name one that can be written", path, strerror(errno));
}

int ct_folder_lock(struct ct_folder *folder, struct ct_err *err)
{
  char path[CT_PATH];
  ct_folder_path(folder, ".lock", path);
  folder->lock = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0666);
  if (folder->lock < 0)
    return ct_err_set(err, CT_EIO, "%s: %s", path, strerror(errno));
  /* A remote disk without a lock service cannot be locked: then nobody is kept out. */
  if (flock(folder->lock, LOCK_EX | LOCK_NB) != 0 && errno == EWOULDBLOCK) {
    ct_folder_unlock(folder);
    return ct_err_set(err, CT_EBUSY, "run %s in %s is being written by another collector; look at it with "
                      "comptop --attach", folder->name, folder->path);
  }
  return 0;
}

void ct_folder_unlock(struct ct_folder *folder)
{
  if (folder->lock >= 0)
    close(folder->lock);
  folder->lock = -1;
}

void ct_folder_path(const struct ct_folder *folder, const char *suffix, char path[CT_PATH])
{
  snprintf(path, CT_PATH, "%s/%s%s", folder->path, folder->name, suffix);
}

void ct_folder_file(const struct ct_folder *folder, const char *kind, unsigned index, char path[CT_PATH])
{
  snprintf(path, CT_PATH, "%s/%s_%s_%06u.h5", folder->path, folder->name, kind, index);
}

/* NAME_KIND_000000.h5 */
static bool read_name(const struct ct_folder *folder, const char *text, struct ct_folder_entry *entry)
{
  const size_t prefix = strlen(folder->name), length = strlen(text);
  if (strncmp(text, folder->name, prefix) != 0 || text[prefix] != '_' || length < prefix + 12)
    return false;
  const char *kind = text + prefix + 1, *index = text + length - 9;
  const size_t kind_length = (size_t)(index - 1 - kind);
  if (index[-1] != '_' || strspn(index, "0123456789") != 6 || strcmp(index + 6, ".h5") != 0 ||
      kind_length >= sizeof entry->kind)
    return false;
  *entry = (struct ct_folder_entry){ .index = (unsigned)strtoul(index, NULL, 10) };
  memcpy(entry->kind, kind, kind_length);
  return true;
}

static int by_name(const void *a, const void *b)
{
  const struct ct_folder_entry *x = a, *y = b;
  int order = strcmp(x->kind, y->kind);
  return order ? order : (x->index > y->index) - (x->index < y->index);
}

int ct_folder_list(const struct ct_folder *folder, struct ct_folder_entry **entries, size_t *n, struct ct_err *err)
{
  size_t room = 0;
  *entries = NULL;
  *n = 0;
  DIR *dir = opendir(folder->path);
  if (dir == NULL)
    return ct_err_set(err, CT_EIO, "%s: %s", folder->path, strerror(errno));
  for (struct dirent *entry; (entry = readdir(dir)) != NULL;) {
    if (*n == room) {
      struct ct_folder_entry *more = realloc(*entries, (room + 256) * sizeof **entries);
      if (more == NULL)
        break;
      *entries = more;
      room += 256;
    }
    *n += read_name(folder, entry->d_name, &(*entries)[*n]);
  }
  closedir(dir);
  if (*n > 0)
    qsort(*entries, *n, sizeof **entries, by_name);
  return 0;
}

unsigned ct_folder_next(const struct ct_folder_entry *entries, size_t n, const char *kind)
{
  unsigned next = 0;
  for (size_t i = 0; i < n; i++)
    if (strcmp(entries[i].kind, kind) == 0 && entries[i].index >= next)
      next = entries[i].index + 1;
  return next;
}

/* ---- what is in a file --------------------------------------------------------------------------------- */

static bool read_ends(const char *path, enum ct_data_column column, uint64_t n, void *first, void *last)
{
  struct ct_h5_frames *frames;
  if (ct_data_open_column(&frames, path, column, n, NULL) != 0)
    return false;
  bool good = ct_h5_read_frames(frames, 0, 1, first, NULL) == 0 && ct_h5_read_frames(frames, n - 1, 1, last, NULL) == 0;
  ct_h5_close_frames(frames);
  return good;
}

static void read_role(const char *path, struct ct_run_file *file)
{
  char *text = NULL;
  hid_t h5;
  if (ct_h5_open_file(&h5, path, NULL) != 0)
    return;
  hid_t attribute = H5Aopen_by_name(h5, "entry", "role", H5P_DEFAULT, H5P_DEFAULT), type = H5Aget_type(attribute);
  if (attribute >= 0 && H5Tis_variable_str(type) > 0 && H5Aread(attribute, type, &text) >= 0 && text != NULL)
    file->role = strcmp(text, "camera") == 0 ? CT_ROLE_CAMERA : CT_ROLE_HEXITEC;
  H5free_memory(text);
  H5Tclose(type);
  H5Aclose(attribute);
  H5Fclose(h5);
}

int ct_folder_look(const char *path, struct ct_run_file *file, struct ct_err *err)
{
  char spec[CT_PATH + 16];
  struct ct_h5_frames *frames;
  struct stat status;
  if (stat(path, &status) == 0)
    file->bytes = (uint64_t)status.st_size;
  snprintf(spec, sizeof spec, "%s:/entry/data", path);
  int rc = ct_h5_open_frames(&frames, spec, err);
  file->closed = rc == 0 || rc == CT_ESHAPE;
  if (rc == CT_ESHAPE)               /* closed before the first frame */
    return 0;
  if (rc != 0)
    return rc;
  const struct ct_h5_info *info = ct_h5_info(frames);
  file->n = info->n;
  file->rows = info->rows;
  file->cols = info->cols;
  file->type = info->type;
  file->events = ct_h5_are_events(frames);
  ct_h5_close_frames(frames);
  read_role(path, file);
  if (!read_ends(path, CT_COLUMN_frame_number, file->n, &file->first_number, &file->last_number) ||
      !read_ends(path, CT_COLUMN_arrival, file->n, &file->first_arrival_ns, &file->last_arrival_ns))
    return ct_err_set(err, CT_EFORMAT, "%s: its columns do not match its frames", path);
  return 0;
}

bool ct_folder_holds_frames(const char *kind)
{
  return strcmp(kind, "log") != 0 && strcmp(kind, "results") != 0 && strcmp(kind, "process") != 0;
}

uint32_t ct_folder_session(const char *path)
{
  hid_t file;
  double value = 0;
  if (ct_h5_open_file(&file, path, NULL) != 0)
    return 0;
  if (H5Aexists_by_name(file, "entry", "session", H5P_DEFAULT) > 0) {
    hid_t attribute = H5Aopen_by_name(file, "entry", "session", H5P_DEFAULT, H5P_DEFAULT);
    H5Aread(attribute, H5T_NATIVE_DOUBLE, &value);
    H5Aclose(attribute);
  }
  H5Fclose(file);
  return value > 0 && value < UINT32_MAX ? (uint32_t)value : 0;
}

bool ct_folder_is_sampled(const struct ct_folder *folder, const char *stream)
{
  char path[CT_PATH], inside[128];
  hid_t file;
  uint64_t value = 0;
  ct_folder_path(folder, ".nxs", path);
  if (ct_h5_open_file(&file, path, NULL) != 0)
    return false;
  snprintf(inside, sizeof inside, "/entry/streams/%s/sampled", stream);
  hid_t set = H5Dopen2(file, inside, H5P_DEFAULT);
  if (set >= 0) {
    H5Dread(set, H5T_NATIVE_UINT64, H5S_ALL, H5S_ALL, H5P_DEFAULT, &value);
    H5Dclose(set);
  }
  H5Fclose(file);
  return value != 0;
}
