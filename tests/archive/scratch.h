/* A folder of its own for each test program of the archive. */
#ifndef TESTS_ARCHIVE_SCRATCH_H
#define TESTS_ARCHIVE_SCRATCH_H

/* Of this process; empty before make_folder. */
extern char folder[64];

/* Setup and teardown of a cmocka group. */
int make_folder(void **state);
int remove_folder(void **state);
/* The path of what is called <name> there; four are kept at a time. */
const char *in_folder(const char *name);

#endif
