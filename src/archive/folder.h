/* The folder of a run: names, lock, what is in it. */
#ifndef ARCHIVE_FOLDER_H
#define ARCHIVE_FOLDER_H

#include <stdio.h>

#include <comptop/archive.h>

enum { CT_PATH = 512, CT_FOLDER_PATH = 300, CT_FOLDER_NAME = 64 };

struct ct_folder {
  char path[CT_FOLDER_PATH], name[CT_FOLDER_NAME];
  int lock;                            /* descriptor; < 0: not held */
};

/* From "DIR/RUN" or "DIR/RUN/RUN.nxs". */
int ct_folder_find(struct ct_folder *folder, const char *run, struct ct_err *err) CT_MUST_CHECK;
/* Makes <path>, and what is missing above it, as mkdir -p does. */
int ct_folder_make(const char *path, struct ct_err *err) CT_MUST_CHECK;
/* CT_EBUSY when another process holds it. */
int ct_folder_lock(struct ct_folder *folder, struct ct_err *err) CT_MUST_CHECK;
void ct_folder_unlock(struct ct_folder *folder);
/* PATH/NAME<suffix>, PATH/NAME_<kind>_<index>.h5 */
void ct_folder_path(const struct ct_folder *folder, const char *suffix, char path[CT_PATH]);
void ct_folder_file(const struct ct_folder *folder, const char *kind, unsigned index, char path[CT_PATH]);
/* The files of it with an index, sorted by name: kind (stream name, "log", "results") and index of each. */
struct ct_folder_entry {
  char kind[64];
  unsigned index;
};
int ct_folder_list(const struct ct_folder *folder, struct ct_folder_entry **entries, size_t *n,
                   struct ct_err *err) CT_MUST_CHECK;
/* The highest index + 1. */
unsigned ct_folder_next(const struct ct_folder_entry *entries, size_t n, const char *kind);
/* Files of frames; the others are "log", "results" and "process". */
bool ct_folder_holds_frames(const char *kind);
/* Closes what was written, once it is on the disk; false: it is not all there, or <file> is NULL. */
bool ct_folder_finish_text(FILE *file);
/* Writes the maps of session <index> as text, one file a map. */
int ct_folder_write_maps(const struct ct_folder *folder, unsigned index, const struct ct_run_map *maps, size_t n,
                         struct ct_err *err) CT_MUST_CHECK;
/* The number of the last session, of a folder with so many logs. */
unsigned ct_folder_last_session(const struct ct_folder *folder, unsigned n_logs);
/* The settings of session <index>, as text; "" where there are none. The caller's to free(). */
char *ct_folder_configuration(const struct ct_folder *folder, unsigned index);
/* All frame files by stream and index; *files is the caller's to free(). */
int ct_folder_files(const struct ct_folder *folder, struct ct_run_file **files, size_t *n, struct ct_err *err) CT_MUST_CHECK;
/* Lines for people. */
struct ct_teller {
  void (*say)(void *context, const char *line);
  void *context;
};
void ct_tell(const struct ct_teller *teller, const char *format, ...) CT_PRINTF(2, 3);
/* What the logs list as lost or missed. */
struct ct_listed {
  char stream[CT_NAME];
  uint64_t first, last;
  enum ct_gap_reason reason;
};
struct ct_listed *ct_folder_gaps(const struct ct_folder *folder, size_t *n);   /* the caller's to free() */
/* What a crash left undecided of the session that it ended: numbers that were waited for. They are listed in its log as lost;
 * as missed where a file ends before its next one begins. Best called once the files have been repaired. */
int ct_folder_settle(const struct ct_folder *folder, const struct ct_teller *teller, struct ct_err *err) CT_MUST_CHECK;
/* What a closed frame file holds. */
int ct_folder_look(const char *path, struct ct_run_file *file, struct ct_err *err) CT_MUST_CHECK;
/* The session of a frame file: the index of the log that was begun with it. */
uint32_t ct_folder_session(const char *path);
/* Whether the master says that the stream was sampled: what is not there of it is no loss. */
bool ct_folder_is_sampled(const struct ct_folder *folder, const char *stream);

#endif
