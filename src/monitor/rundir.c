/* Collectors of this user, found by their locks: a lock dies with its process, whatever is left in the folder. */
#include "rundir.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

static int folder(char path[RUNDIR_PATH], bool create, struct ct_err *err)
{
  const char *runtime = getenv("XDG_RUNTIME_DIR");
  int length = runtime && *runtime == '/' ? snprintf(path, RUNDIR_PATH, "%s/comptop", runtime)
                                          : snprintf(path, RUNDIR_PATH, "/tmp/comptop-%ld", (long)getuid());
  if (length >= RUNDIR_PATH)
    return ct_err_set(err, CT_ERANGE, "XDG_RUNTIME_DIR is too long a path");
  if (create && mkdir(path, 0700) != 0 && errno != EEXIST)
    return ct_err_set(err, CT_EIO, "cannot make %s: %s", path, strerror(errno));
  struct stat info;
  if (lstat(path, &info) != 0)
    return CT_ENOTFOUND;
  /* Whoever owns the folder sees and steers the run. */
  if (!S_ISDIR(info.st_mode) || info.st_uid != getuid() || (info.st_mode & 077) != 0)
    return ct_err_set(err, CT_EIO, "%s must be a folder of yours that nobody else can enter (chmod 700)", path);
  return 0;
}

static int name_path(char path[RUNDIR_PATH], const char *run, const char *suffix, bool create, struct ct_err *err)
{
  char base[RUNDIR_PATH];
  int code = folder(base, create, err);
  if (code != 0)
    return code;
  if (snprintf(path, RUNDIR_PATH, "%s/%s%s", base, run, suffix) >= RUNDIR_PATH)
    return ct_err_set(err, CT_ERANGE, "the name of run %s is too long for a socket in %s", run, base);
  return 0;
}

static int endpoint_of(const char *run, char endpoint[RUNDIR_PATH + 8], struct ct_err *err)
{
  char path[RUNDIR_PATH];
  int code = name_path(path, run, ".sock", false, err);
  if (code == 0)
    snprintf(endpoint, RUNDIR_PATH + 8, "ipc://%s", path);
  return code;
}

/* Whether <path> is still the file that <fd> is open on; if not, somebody tidied it away, and <fd> is closed. */
static bool is_still(const char *path, int fd)
{
  struct stat there, here;
  if (lstat(path, &there) == 0 && fstat(fd, &here) == 0 && there.st_ino == here.st_ino && there.st_dev == here.st_dev)
    return true;
  close(fd);
  return false;
}

int rundir_register(const char *run, char endpoint[RUNDIR_PATH + 8], int *lock_fd, struct ct_err *err)
{
  char path[RUNDIR_PATH];
  int code = name_path(path, run, ".lock", true, err);
  if (code != 0)
    return code;
  do {
    *lock_fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (*lock_fd < 0)
      return ct_err_set(err, CT_EIO, "cannot write %s: %s", path, strerror(errno));
    if (flock(*lock_fd, LOCK_EX | LOCK_NB) != 0) {
      close(*lock_fd);
      *lock_fd = -1;   /* not ours: nothing to tidy away at the end */
      return ct_err_set(err, CT_EBUSY, "run %s is being collected already; look at it with --attach %s", run, run);
    }
  } while (!is_still(path, *lock_fd));
  return endpoint_of(run, endpoint, err);
}

void rundir_unregister(const char *run, int lock_fd)
{
  char path[RUNDIR_PATH];
  if (name_path(path, run, ".sock", false, NULL) == 0)
    unlink(path);
  if (name_path(path, run, ".lock", false, NULL) == 0)
    unlink(path);
  close(lock_fd);
}

/* A lock that can be taken belongs to nobody: what its process left is tidied away. */
static bool is_alive(const char *run)
{
  char path[RUNDIR_PATH], socket[RUNDIR_PATH];
  if (name_path(path, run, ".lock", false, NULL) != 0)
    return false;
  int fd = open(path, O_RDWR | O_CLOEXEC | O_NOFOLLOW);
  if (fd < 0)
    return false;
  bool alive = flock(fd, LOCK_EX | LOCK_NB) != 0;
  if (!alive && name_path(socket, run, ".sock", false, NULL) == 0) {
    unlink(socket);
    unlink(path);
  }
  close(fd);
  return alive;
}

static int by_name(const void *a, const void *b) { return strcmp(a, b); }

int rundir_list(char (*runs)[RUNDIR_NAME], int max)
{
  char base[RUNDIR_PATH];
  int n = 0;
  DIR *dir = folder(base, false, NULL) == 0 ? opendir(base) : NULL;
  if (dir == NULL)
    return 0;
  for (struct dirent *entry; n < max && (entry = readdir(dir)) != NULL;) {
    size_t length = strlen(entry->d_name);
    if (length < 6 || length - 5 >= RUNDIR_NAME || strcmp(entry->d_name + length - 5, ".lock") != 0)
      continue;
    entry->d_name[length - 5] = '\0';
    if (is_alive(entry->d_name))
      memcpy(runs[n++], entry->d_name, length - 4);
  }
  closedir(dir);
  qsort(runs, (size_t)n, sizeof *runs, by_name);
  return n;
}

int rundir_find(const char *run, char endpoint[RUNDIR_PATH + 8], struct ct_err *err)
{
  char runs[16][RUNDIR_NAME], list[400] = "";
  if (strstr(run, "://") != NULL) {
    snprintf(endpoint, RUNDIR_PATH + 8, "%s", run);
    return 0;
  }
  if (*run != '\0' && is_alive(run))
    return endpoint_of(run, endpoint, err);
  int n = rundir_list(runs, 16);
  for (int i = 0; i < n; i++)
    snprintf(list + strlen(list), sizeof list - strlen(list), "%s%s", i ? ", " : "", runs[i]);
  if (*run != '\0')
    return ct_err_set(err, CT_ENOTFOUND, n ? "no run %s is being collected; there is %s" : "no run %s is being collected%s", run,
                      list);
  if (n == 1)
    return endpoint_of(runs[0], endpoint, err);
  return ct_err_set(err, CT_ENOTFOUND, n ? "several runs are being collected: %s; say which: --attach RUN"
                                         : "nothing is being collected by you on this machine%s", list);
}
